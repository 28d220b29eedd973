package vc

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A Context is one entry of @context (section 4.3): a URL, or an object with a
// context of its own.
type Context struct {
	URL    string
	Inline json.RawMessage // a JSON object; only if URL is empty
}

// Contexts returns the @context that consists of [ContextV2] and then urls.
func Contexts(urls ...string) []Context {
	out := []Context{{URL: ContextV2}}
	for _, u := range urls {
		out = append(out, Context{URL: u})
	}
	return out
}

// A Party is an issuer (section 4.7) or a holder (section 4.13). On the wire it
// is a URL, or an object with an id if it has other members too.
type Party struct {
	ID    string
	Other map[string]json.RawMessage // such as name; nil if the wire form is a URL
}

// A Status is one credentialStatus entry (section 4.10). What its other members
// mean depends on the type.
type Status struct {
	ID    string
	Type  []string
	Other map[string]json.RawMessage
}

// A SchemaRef is one credentialSchema entry (section 4.11).
type SchemaRef struct {
	ID    string
	Type  []string
	Other map[string]json.RawMessage
}

func (c Context) value(at Pointer) (any, error) {
	if c.URL != "" {
		return c.URL, nil
	}
	return parseRaw(at, c.Inline)
}

func contextValue(entries []Context) (any, error) {
	out := make([]any, len(entries))
	for i, c := range entries {
		v, err := c.value(Pointer("/@context").Index(i))
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (p Party) value(at Pointer) (any, error) {
	if len(p.Other) == 0 {
		return p.ID, nil
	}
	o := strictjson.NewObject(strictjson.Member{Name: "id", Value: p.ID})
	return o, addOther(o, at, p.Other)
}

// entryValue writes a status or schema entry.
func entryValue(at Pointer, id string, types []string, other map[string]json.RawMessage) (any, error) {
	o := strictjson.NewObject()
	if id != "" {
		o.Set("id", id)
	}
	if len(types) > 0 {
		o.Set("type", oneOrMany(stringValues(types)))
	}
	return o, addOther(o, at, other)
}

// addOther adds the members a type of this package does not know, sorted so that
// the same credential always gives the same bytes.
func addOther(o *strictjson.Object, at Pointer, other map[string]json.RawMessage) error {
	if len(other) == 0 {
		return nil
	}
	taken := make(map[string]bool, o.Len()+len(other)) // strict JSON has no two names that differ in case alone
	for name := range o.All() {
		taken[fold(name)] = true
	}
	for _, name := range sortedNames(other) {
		if taken[fold(name)] {
			return malformed(at.Child(name), "set in its field, not in Other")
		}
		taken[fold(name)] = true
		v, err := parseRaw(at.Child(name), other[name])
		if err != nil {
			return err
		}
		o.Set(name, v)
	}
	return nil
}

// fold returns the same text for all names that strings.EqualFold calls equal.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}

// otherOf is the inverse of addOther: the members not among known.
func otherOf(o *strictjson.Object, known ...string) (map[string]json.RawMessage, error) {
	var other map[string]json.RawMessage
	for name, v := range o.All() {
		if slices.Contains(known, name) {
			continue
		}
		raw, err := strictjson.Append(nil, v)
		if err != nil {
			return nil, syntax("", err)
		}
		if other == nil {
			other = make(map[string]json.RawMessage)
		}
		other[name] = raw
	}
	return other, nil
}

func sortedNames(m map[string]json.RawMessage) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func parseRaw(at Pointer, raw json.RawMessage) (any, error) {
	v, err := strictjson.Parse(raw)
	if err != nil {
		return nil, syntax(at, err)
	}
	return v, nil
}

func stringValues(s []string) []any {
	out := make([]any, len(s))
	for i := range s {
		out[i] = s[i]
	}
	return out
}

// oneOrMany writes a set of one as its element, as is usual for credentialStatus.
func oneOrMany(values []any) any {
	if len(values) == 1 {
		return values[0]
	}
	return values
}
