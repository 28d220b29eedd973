package schema

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"slices"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// schemaID names this version of the JSON Schema. It is a name: nothing fetches
// it.
const schemaID = ContextURL + "/passport.schema.json"

//go:generate go test . -run ^TestJSONSchemaIsGenerated$ -update
//go:embed passport.schema.json
var embeddedSchema []byte

// JSONSchema returns the JSON Schema (draft 2020-12) of a whole record, the form
// that [ParsePassport] reads. It is generated from the Go types. A document that
// it refuses is refused by ParsePassport too; beyond it ParsePassport checks the
// calendar, text that hides control characters, and rules between fields.
func JSONSchema() []byte { return bytes.Clone(embeddedSchema) }

// generateSchema writes the JSON Schema from the Go types.
func generateSchema() ([]byte, error) {
	g := &generator{rules: map[string]bool{}, lists: map[CodeList]bool{}, objects: map[string]*strictjson.Object{}}
	root := obj(
		"$schema", "https://json-schema.org/draft/2020-12/schema",
		"$id", schemaID,
		"$comment", "Generated from the Go types of package schema by go generate. Do not edit.",
		"title", "Staff passport record",
	)
	for name, v := range g.object(passportShape()).All() {
		root.Set(name, v)
	}
	root.Set("$defs", g.definitions())
	compact, err := strictjson.Append(nil, root)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// A generator collects the definitions that members refer to.
type generator struct {
	rules   map[string]bool
	lists   map[CodeList]bool
	objects map[string]*strictjson.Object // that sections share, by member name
}

// obj builds an object from names and values in turn.
func obj(pairs ...any) *strictjson.Object {
	o := strictjson.NewObject()
	for i := 0; i < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

func ref(name string) *strictjson.Object { return obj("$ref", "#/$defs/"+name) }

func (g *generator) object(s *shape) *strictjson.Object {
	properties := strictjson.NewObject()
	var required []any
	for _, m := range s.members {
		value := g.member(m)
		if m.object != nil && s != passportShape() {
			g.objects[m.name] = value
			value = ref(m.name)
		}
		properties.Set(m.name, value)
		if !m.optional {
			required = append(required, m.name)
		}
	}
	o := obj("type", "object", "additionalProperties", false, "required", required, "properties", properties)
	if _, ok := s.lookup("body"); ok {
		o.Set("allOf", g.numbersByBody())
	}
	return o
}

func (g *generator) member(m member) *strictjson.Object {
	if m.object != nil {
		o := g.object(m.object)
		out := obj("title", m.title)
		for name, v := range o.All() {
			out.Set(name, v)
		}
		return out
	}
	var choices []any
	if m.codes != "" {
		g.lists[m.codes] = true
		choices = append(choices, ref(string(m.codes)))
	}
	if m.rule != "" {
		g.rules[m.rule] = true
		choices = append(choices, ref(m.rule))
	}
	if m.kind == KindBoolean {
		choices = append(choices, obj("type", "boolean"))
	}
	if !m.bare {
		choices = append(choices, ref("no-data"))
	}
	return obj("title", m.title, "anyOf", choices)
}

// numbersByBody says which rule the number of each register keeps.
func (g *generator) numbersByBody() []any {
	var all []any
	for _, body := range RegistrationBodies.Codes() {
		name, ok := registerRule(body)
		if !ok {
			continue
		}
		g.rules[name] = true
		var spellings []any
		for _, c := range codeLists()[RegistrationBodies] {
			if c.value == body {
				spellings = append(spellings, c.value)
				for _, a := range c.also {
					spellings = append(spellings, a)
				}
			}
		}
		all = append(all, obj(
			"if", obj("properties", obj("body", obj("enum", spellings)), "required", []any{"body"}),
			"then", obj("properties", obj("number", obj("anyOf", []any{ref(name), obj("const", notAvailable)}))),
		))
	}
	return all
}

// definitions returns what was referred to, sorted by name.
func (g *generator) definitions() *strictjson.Object {
	defs := obj("no-data", obj(
		"description", "There is no data for the field: the words in full.",
		"enum", []any{notAvailable, notApplicable},
	))
	var names []string
	for name := range g.rules {
		names = append(names, name)
	}
	for list := range g.lists {
		names = append(names, string(list))
	}
	for name := range g.objects {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if o, ok := g.objects[name]; ok {
			defs.Set(name, o)
			continue
		}
		if list := CodeList(name); g.lists[list] {
			var values []any
			for _, s := range list.spellings() {
				values = append(values, s)
			}
			defs.Set(name, obj("enum", values))
			continue
		}
		defs.Set(name, ruleFor(name).schema())
	}
	return defs
}

func (r *rule) schema() *strictjson.Object {
	o := obj("description", r.say, "type", "string", "minLength", 1)
	if r.max > 0 {
		o.Set("maxLength", r.max)
	}
	if r.format != "" {
		o.Set("format", r.format)
	}
	o.Set("pattern", r.pattern)
	if r.except != "" {
		o.Set("not", obj("pattern", r.except))
	}
	return o
}
