package present

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A filter is the part of JSON Schema that is understood in a definition: a value is
// one of some, or of a type. That a list holds a value is how types are asked for.
type filter struct {
	Type     string            `json:"type,omitempty"`
	Const    json.RawMessage   `json:"const,omitempty"`
	Enum     []json.RawMessage `json:"enum,omitempty"`
	Pattern  string            `json:"pattern,omitempty"`
	Contains *filter           `json:"contains,omitempty"`
}

// parseFilter reads the known members and refuses all others but the names of versions
// and texts for people. Nobody asks for a list that holds a list.
func parseFilter(raw json.RawMessage) (f filter, err error) {
	members := []string{"type", "const", "enum", "pattern", "$schema", "title", "description", "contains"}
	o, err := strictjson.ParseObject(raw)
	if err != nil {
		return f, fmt.Errorf("%w: filter", ErrMalformed)
	}
	if err := onlyMembers(o, members...); err != nil {
		return f, err
	}
	inner, _ := o.Get("contains")
	contains, _ := inner.(*strictjson.Object)
	if err := onlyMembers(contains, members[:len(members)-1]...); err != nil {
		return f, err
	}
	return f, unmarshal(raw, &f)
}

// typeFilter says that a list of types holds one (Presentation Exchange asks for
// types in this way).
func typeFilter(name string) filter {
	c, _ := json.Marshal(name) // a text
	return filter{Type: "array", Contains: &filter{Const: c}}
}

// newFilter writes what a field wants of its value, if anything.
func newFilter(f Field) (json.RawMessage, error) {
	if f.Kind == "" && len(f.OneOf) == 0 {
		return nil, nil
	}
	out := filter{Type: f.Kind}
	if len(f.OneOf) == 1 {
		out.Const = f.OneOf[0]
	} else {
		out.Enum = f.OneOf
	}
	return json.Marshal(out)
}

// readFilter reads a filter on a claim. A pattern is not understood: it would be a
// program of the peer's that the person cannot read.
func readFilter(raw json.RawMessage, to *Field) error {
	if absent(raw) {
		return nil
	}
	f, err := parseFilter(raw)
	if err != nil {
		return err
	}
	if f.Pattern != "" || f.Contains != nil || f.Type != "" && !slices.Contains(kinds(), f.Type) {
		return fmt.Errorf("%w: filter on a claim", ErrUnsupported)
	}
	to.Kind, to.OneOf = f.Type, f.Enum
	if len(f.Const) > 0 {
		if len(f.Enum) > 0 {
			return fmt.Errorf("%w: filter on a claim", ErrUnsupported)
		}
		to.OneOf = []json.RawMessage{f.Const}
	}
	if !scalars(to.OneOf) || f.Enum != nil && len(f.Enum) == 0 {
		return fmt.Errorf("%w: filter on a claim", ErrUnsupported)
	}
	return nil
}

// readTypeFilter returns the one type that a filter asks for, of a list of types or
// of a text.
func readTypeFilter(raw json.RawMessage) (string, bool) {
	if absent(raw) {
		return "", false
	}
	f, err := parseFilter(raw)
	if err != nil {
		return "", false
	}
	if inner := f.Contains; inner != nil {
		if f.Const != nil || f.Enum != nil || f.Pattern != "" || f.Type != "" && f.Type != "array" {
			return "", false
		}
		f = *inner
	}
	if f.Type != "" && f.Type != "string" {
		return "", false
	}
	switch {
	case f.Const != nil && f.Enum == nil && f.Pattern == "":
		return text(f.Const)
	case len(f.Enum) == 1 && f.Const == nil && f.Pattern == "":
		return text(f.Enum[0])
	case f.Pattern != "" && f.Const == nil && f.Enum == nil:
		return word(f.Pattern)
	}
	return "", false
}

func text(raw json.RawMessage) (string, bool) {
	v, err := strictjson.Parse(raw)
	s, ok := v.(string)
	return s, err == nil && ok && s != "" && len(s) <= maxText
}

// word reads a pattern that is the name of one type, which agents write in place of
// a const. One without anchors would match longer names too: those are not sent.
func word(pattern string) (string, bool) {
	name := strings.TrimSuffix(strings.TrimPrefix(pattern, "^"), "$")
	for i := range len(name) {
		c := name[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			return "", false
		}
	}
	return name, name != "" && len(name) <= maxText
}
