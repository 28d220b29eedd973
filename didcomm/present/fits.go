package present

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// Fits reports why a credential that a wallet holds does not answer the input, or nil:
// [ErrUnsupported] where its form is not taken, and [ErrIncomplete] where it has not
// the type, a claim or a value that is asked for. It verifies nothing.
func (in Input) Fits(c vc.Secured) error {
	form := formOf(c.MediaType)
	if !in.Takes(form) {
		return fmt.Errorf("%w: input %q takes other forms of a credential", ErrUnsupported, in.ID)
	}
	doc, err := document(c)
	if err != nil {
		return fmt.Errorf("%w: the claims of a credential for input %q cannot be seen", ErrUnsupported, in.ID)
	}
	if form == FormDataIntegrity && !provenBy(doc, in.Proofs) {
		return fmt.Errorf("%w: input %q takes other types of proofs", ErrUnsupported, in.ID)
	}
	return in.check(doc)
}

// check holds a credential document to what the input asks for: the right type, and
// every claim that is not optional with a value that is wanted.
func (in Input) check(doc *strictjson.Object) error {
	types := textsOf(doc, "type")
	if in.Type != "" && !slices.ContainsFunc(types, func(t string) bool { return sameType(in.Type, t) }) {
		return fmt.Errorf("%w: input %q is of another type", ErrIncomplete, in.ID)
	}
	if len(in.Schemas) > 0 && !slices.ContainsFunc(in.Schemas, func(s string) bool { return hasSchema(doc, s) }) {
		return fmt.Errorf("%w: input %q is of another schema", ErrIncomplete, in.ID)
	}
	for _, f := range in.Fields {
		v, there := f.At.Lookup(doc)
		switch {
		case !there || empty(v):
			if !f.Optional {
				return fmt.Errorf("%w: input %q lacks %s", ErrIncomplete, in.ID, f.At)
			}
		case !f.takes(v):
			return fmt.Errorf("%w: input %q wants another value of %s", ErrIncomplete, in.ID, f.At)
		}
	}
	return nil
}

// takes reports whether a value is one that is wanted.
func (f Field) takes(v any) bool {
	if f.Kind != "" && !slices.Contains(kindsOf(v), f.Kind) {
		return false
	}
	return len(f.OneOf) == 0 || slices.ContainsFunc(f.OneOf, func(raw json.RawMessage) bool {
		want, err := strictjson.Parse(raw)
		return err == nil && strictjson.Equal(want, v)
	})
}

// kindsOf returns the types of JSON Schema that a value has.
func kindsOf(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{"string"}
	case bool:
		return []string{"boolean"}
	case []any:
		return []string{"array"}
	case *strictjson.Object:
		return []string{"object"}
	case strictjson.Number:
		if _, err := v.Int64(); err == nil {
			return []string{"number", "integer"}
		}
		return []string{"number"}
	}
	return nil
}

// sameType reports whether a credential of the type have is one that is wanted. Where
// its URL is wanted, a credential may have the name alone, as most forms do, whose
// context says the URL: which contexts those may be is for whoever verifies it.
func sameType(want, have string) bool {
	return want == have || isURL(want) && !isURL(have) && typeName(want) == have
}

func isURL(s string) bool { return strings.Contains(s, ":") }

// typeName returns the name at the end of the URL of a type.
func typeName(s string) string { return s[strings.LastIndexAny(s, "#/:")+1:] }

// hasSchema reports whether a document has a URL in one of the places in which
// agents look for the schema of version 1 of Presentation Exchange.
func hasSchema(doc *strictjson.Object, url string) bool {
	if slices.Contains(textsOf(doc, "@context"), url) {
		return true
	}
	if v, _ := doc.Get("credentialSchema"); v != nil {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, s := range list {
			o, _ := s.(*strictjson.Object)
			if id, _ := o.Text("id"); id == url {
				return true
			}
		}
	}
	return slices.ContainsFunc(textsOf(doc, "type"), func(t string) bool { return isURL(url) && sameType(url, t) })
}

// textsOf returns the texts in a member that is a text or a list.
func textsOf(o *strictjson.Object, name string) []string {
	v, _ := o.Get(name)
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// provenBy reports whether every proof of a document is of a type among those; none
// means any.
func provenBy(doc *strictjson.Object, types []string) bool {
	if len(types) == 0 {
		return true
	}
	v, _ := doc.Get("proof")
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	return len(list) > 0 && !slices.ContainsFunc(list, func(p any) bool {
		o, _ := p.(*strictjson.Object)
		typ, _ := o.Text("type")
		return !slices.Contains(types, typ)
	})
}

// empty reports a value that says nothing, and so answers nothing.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case *strictjson.Object:
		return v.Len() == 0
	}
	return false
}
