package present

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// definitionContent is the attachment of a request (RFC 0510, "request-presentation
// attachment format").
type definitionContent struct {
	Options    options    `json:"options"`
	Definition definition `json:"presentation_definition"`
}

// definition is DIF Presentation Exchange 2.1.1, "Presentation Definition".
type definition struct {
	ID      string             `json:"id,omitempty"`
	Name    string             `json:"name,omitempty"`
	Purpose string             `json:"purpose,omitempty"`
	Inputs  []descriptor       `json:"input_descriptors"`
	Format  map[string]formats `json:"format,omitempty"`
	Rules   json.RawMessage    `json:"submission_requirements,omitempty"`
}

type descriptor struct {
	ID          string             `json:"id"`
	Name        string             `json:"name,omitempty"`
	Purpose     string             `json:"purpose,omitempty"`
	Schema      []schemaRef        `json:"schema,omitempty"`
	Format      map[string]formats `json:"format,omitempty"`
	Constraints constraints        `json:"constraints"`
}

// A schemaRef is of version 1 of Presentation Exchange ("Input Descriptor Object").
type schemaRef struct {
	URI      string `json:"uri"`
	Required bool   `json:"required,omitempty"`
}

// constraints and field refuse members that are not known here: each is another
// condition, of which the person would not be told.
type constraints struct {
	Limit  string          `json:"limit_disclosure,omitempty"`
	Fields []field         `json:"fields,omitempty"`
	Holder json.RawMessage `json:"is_holder,omitempty"`
}

// UnmarshalJSON reads the known members and refuses all others.
func (c *constraints) UnmarshalJSON(data []byte) error {
	type known constraints
	return readOnly(data, (*known)(c), "limit_disclosure", "fields", "is_holder")
}

type field struct {
	Path     []string        `json:"path"`
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name,omitempty"`
	Purpose  string          `json:"purpose,omitempty"`
	Filter   json.RawMessage `json:"filter,omitempty"`
	Optional bool            `json:"optional,omitempty"`
	Retain   bool            `json:"intent_to_retain,omitempty"`
}

// UnmarshalJSON reads the known members and refuses all others.
func (f *field) UnmarshalJSON(data []byte) error {
	type known field
	return readOnly(data, (*known)(f), "path", "id", "name", "purpose", "filter", "optional", "intent_to_retain")
}

// readOnly reads an object that has no member but those named into v.
func readOnly(data []byte, v any, names ...string) error {
	o, err := strictjson.ParseObject(data)
	if err != nil {
		return err
	}
	if err := onlyMembers(o, names...); err != nil {
		return err
	}
	return strictjson.Unmarshal(data, v)
}

// onlyMembers refuses other members than those named, and lists that are longer than any
// that is read.
func onlyMembers(o *strictjson.Object, names ...string) error {
	for name, v := range o.All() {
		if list, _ := v.([]any); len(list) > max(maxFields, maxValues) || !slices.Contains(names, name) {
			return fmt.Errorf("%w: constraint", ErrUnsupported)
		}
	}
	return nil
}

// absent reports a member that is not there, or null.
func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

const (
	typePath = "$.type"
	vctPath  = "$.vct" // that of an SD-JWT VC
)

// newDefinition writes a request.
func newDefinition(id string, r Request) (*definition, error) {
	inputs, err := newDescriptors(r.Inputs)
	if err != nil {
		return nil, err
	}
	return &definition{ID: id, Purpose: r.Purpose, Inputs: inputs, Format: presentationFormats(r.proofs())}, nil
}

func newDescriptors(inputs []Input) ([]descriptor, error) {
	var list []descriptor
	for _, in := range inputs {
		out := descriptor{ID: in.ID, Name: in.Name, Purpose: in.Purpose, Format: credentialFormats(in.Formats, in.Proofs)}
		for _, s := range in.Schemas {
			out.Schema = append(out.Schema, schemaRef{URI: s})
		}
		if in.Only {
			out.Constraints.Limit = "required"
		}
		if in.Type != "" {
			filter, err := json.Marshal(typeFilter(in.Type))
			if err != nil {
				return nil, err
			}
			out.Constraints.Fields = []field{{Path: []string{typePath}, Filter: filter}}
		}
		for _, f := range in.Fields {
			filter, err := newFilter(f)
			if err != nil {
				return nil, err
			}
			out.Constraints.Fields = append(out.Constraints.Fields,
				field{Path: []string{pathOf(f.At)}, Filter: filter, Optional: f.Optional, Retain: f.Retain})
		}
		list = append(list, out)
	}
	return list, nil
}

// readDefinition reads a request of any agent. What it cannot tell the person
// about is [ErrUnsupported].
func readDefinition(raw []byte) (*asked, error) {
	var c definitionContent
	if err := unmarshal(raw, &c); err != nil {
		return nil, err
	}
	d := c.Definition
	if !absent(d.Rules) {
		return nil, fmt.Errorf("%w: submission requirements", ErrUnsupported)
	}
	out := &asked{query: Definitions, id: d.ID, purpose: clip(d.Purpose), challenge: c.Options.Challenge, domain: c.Options.Domain}
	var err error
	if out.proofs, err = readPresentationFormats(d.Format); err != nil {
		return nil, err
	}
	if err := c.Options.check(); err != nil {
		return nil, err
	}
	out.inputs, err = readDescriptors(d.Inputs, d.Format)
	return out, err
}

// readDescriptors reads the inputs of a definition whose member format is given.
func readDescriptors(list []descriptor, format map[string]formats) ([]Input, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: no input descriptor", ErrMalformed)
	}
	if len(list) > maxInputs {
		return nil, fmt.Errorf("%w: more than %d input descriptors", ErrUnsupported, maxInputs)
	}
	around, err := readCredentialFormats(format, taking{})
	if err != nil {
		return nil, err
	}
	var inputs []Input
	for _, in := range list {
		if in.ID == "" || slices.ContainsFunc(inputs, func(i Input) bool { return i.ID == in.ID }) {
			return nil, fmt.Errorf("%w: input descriptor without an id of its own", ErrMalformed)
		}
		out, err := readDescriptor(in, around)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, out)
	}
	return inputs, nil
}

// readDescriptor reads one input. Its group means nothing without submission
// requirements, and is_holder asks for what every presentation of ours has: that its
// holder is the subject of what it shows.
func readDescriptor(in descriptor, around taking) (Input, error) {
	out := Input{ID: in.ID, Name: clip(in.Name), Purpose: clip(in.Purpose), Only: in.Constraints.Limit == "required"}
	taken, err := readCredentialFormats(in.Format, around)
	if err != nil {
		return Input{}, err
	}
	out.Formats, out.Proofs = taken.forms, taken.proofs
	if out.Schemas, err = readSchemas(in.Schema); err != nil {
		return Input{}, err
	}
	if !slices.Contains([]string{"", "required", "preferred"}, in.Constraints.Limit) {
		return Input{}, fmt.Errorf("%w: limit_disclosure", ErrMalformed)
	}
	if len(in.Constraints.Fields) > maxFields {
		return Input{}, fmt.Errorf("%w: too many fields", ErrUnsupported)
	}
	for _, f := range in.Constraints.Fields {
		if len(f.Path) > maxValues {
			return Input{}, fmt.Errorf("%w: too many paths of a field", ErrUnsupported)
		}
		if asksType(f.Path) {
			typ, ok := readTypeFilter(f.Filter)
			if !ok || out.Type != "" && !sameType(out.Type, typ) && !sameType(typ, out.Type) {
				return Input{}, fmt.Errorf("%w: filter on the type", ErrUnsupported)
			}
			if !isURL(out.Type) { // which says more
				out.Type = typ
			}
			continue
		}
		at, ok := placeOf(f.Path)
		if !ok {
			return Input{}, fmt.Errorf("%w: path of a field", ErrUnsupported)
		}
		read := Field{At: at, Optional: f.Optional, Retain: f.Retain}
		if err := readFilter(f.Filter, &read); err != nil {
			return Input{}, err
		}
		out.Fields = append(out.Fields, read)
	}
	return out, nil
}

// readSchemas reads the schema member of version 1. Several that are all required
// would be a condition of another kind.
func readSchemas(list []schemaRef) ([]string, error) {
	var out []string
	for _, s := range list {
		if s.URI == "" || len(s.URI) > maxText {
			return nil, fmt.Errorf("%w: schema", ErrMalformed)
		}
		if len(list) > maxValues || s.Required && len(list) > 1 {
			return nil, fmt.Errorf("%w: several schemas at once", ErrUnsupported)
		}
		out = append(out, s.URI)
	}
	return out, nil
}

// inToken is where a JSON Web Token of data model 1.1 has its credential: in a
// document of ours, at the top.
const inToken = "$.vc."

// asksType reports whether a field is about the type of the credential.
func asksType(paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool {
		path = strings.TrimSuffix(strings.Replace(path, inToken, "$.", 1), "[*]")
		return path == typePath || path == typePath+".*" || path == vctPath
	})
}

// placeOf returns the first of several alternative paths that names a place in a
// credential of the data model: agents write the same place for each form of a
// credential, with that of an enveloped or a flat one beside it.
func placeOf(paths []string) (at vc.Pointer, ok bool) {
	for _, path := range paths {
		p, read := pointerOf(strings.Replace(path, inToken, "$.", 1))
		if !read || p == "" {
			continue
		}
		if strings.HasPrefix(string(p), "/credentialSubject") {
			return p, true
		}
		if !ok {
			at, ok = p, true
		}
	}
	return at, ok
}
