package gold_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A writer makes up contexts and documents that use them, rightly more often than
// not, with every feature that this package has.
type writer struct {
	*rand.Rand
	ids int
}

func names() []string   { return []string{"a", "b", "c", "d", "e", "f", "g", "h"} }
func classes() []string { return []string{"T", "U", "V"} }

func (w *writer) chance(percent int) bool { return w.IntN(100) < percent }

func pick[T any](w *writer, of ...T) T { return of[w.IntN(len(of))] }

type member = strictjson.Member

func obj(members ...member) *strictjson.Object { return strictjson.NewObject(members...) }

func (w *writer) iri() string { return fmt.Sprintf("http://ex.example/%c", 'a'+rune(w.IntN(20))) }

// context makes a context. That for a property says nothing about the property.
func (w *writer) context(depth int, property string) *strictjson.Object {
	c := obj(member{Name: "id", Value: "@id"}, member{Name: "type", Value: "@type"}, member{Name: "p", Value: "http://prefix.example/#"})
	for name, keyword := range map[string]string{"val": "@value", "lst": "@list", "inc": "@included", "gr": "@graph", "rev": "@reverse", "nst": "@nest", "none": "@none"} {
		if depth == 2 || w.chance(40) {
			c.Set(name, keyword)
		}
	}
	if w.chance(30) {
		c.Set("@vocab", "http://vocab.example/")
	}
	if w.chance(15) {
		c.Set("@language", pick(w, "en", "de-AT"))
	}
	if w.chance(5) {
		c.Set("@protected", true)
	}
	if w.chance(15) {
		c.Set("@version", strictjson.Number("1.1"))
	}
	if depth < 2 && w.chance(15) {
		c.Set("@propagate", w.chance(50))
	}
	for _, name := range names() {
		if name != property && w.chance(90) {
			c.Set(name, w.term(name, depth))
		}
	}
	for _, name := range classes() {
		t := obj(member{Name: "@id", Value: "http://class.example/" + name})
		if depth > 0 && w.chance(50) {
			t.Set("@context", w.context(depth-1, name))
		}
		if name != property {
			c.Set(name, t)
		}
	}
	return c
}

func (w *writer) term(name string, depth int) any {
	iri := pick(w, "http://ex.example/"+name, "p:"+name, w.iri())
	if w.chance(35) {
		return iri
	}
	if w.chance(4) {
		return obj(member{Name: "@reverse", Value: iri})
	}
	t := obj(member{Name: "@id", Value: iri})
	container := ""
	if w.chance(45) {
		container = pick(w, "@list", "@set", "@language", "@graph", "@id", "@type", "@index")
		t.Set("@container", container)
		switch {
		case container == "@index" && w.chance(90):
			t.Set("@index", "p:index")
		case container == "@id" && w.chance(30):
			t.Set("@container", []any{"@graph", "@id"})
		case container != "@list" && container != "@set" && w.chance(30):
			t.Set("@container", []any{container, "@set"})
		}
	}
	switch {
	case container == "@type":
		if w.chance(50) {
			t.Set("@type", pick(w, "@id", "@vocab"))
		}
	case w.chance(40):
		t.Set("@type", pick(w, "@id", "@vocab", "@none", "http://www.w3.org/2001/XMLSchema#date", "p:type"))
	case w.chance(20) && container == "":
		t.Set("@type", "@json")
	}
	if w.chance(10) {
		t.Set("@language", pick[any](w, "fr", nil))
	}
	if w.chance(2) {
		t.Set("@nest", "nst")
	}
	if depth > 0 && w.chance(25) && (container == "" || container == "@set" || container == "@graph") {
		t.Set("@context", pick[any](w, w.context(depth-1, name), w.context(depth-1, name), nil, []any{w.context(0, name), w.context(depth-1, name)}))
	}
	if w.chance(5) {
		t.Set("@protected", w.chance(50))
	}
	return t
}

func (w *writer) id() string {
	w.ids++
	if w.chance(1) {
		return fmt.Sprintf("_:n%d", w.ids)
	}
	return fmt.Sprintf("%s%d", pick(w, "urn:node:", "p:node", "http://node.example/"), w.ids)
}

func (w *writer) node(depth int) *strictjson.Object {
	o := obj()
	if w.chance(30) {
		o.Set("id", w.id())
	}
	if w.chance(60) {
		o.Set("type", pick[any](w, pick(w, classes()...), []any{pick(w, classes()...), pick(w, classes()...)}, "http://other.example/T"))
	}
	for range w.IntN(4) + 1 {
		o.Set(pick(w, names()...), w.value(depth))
	}
	if w.chance(2) {
		o.Set("nst", obj(member{Name: pick(w, names()...), Value: w.value(depth)}))
	}
	if depth > 0 && w.chance(5) {
		o.Set("inc", []any{w.node(depth - 1)})
	}
	if depth > 0 && w.chance(5) {
		o.Set("gr", []any{w.node(depth - 1), w.node(depth - 1)})
	}
	if depth > 0 && w.chance(4) {
		o.Set("rev", obj(member{Name: pick(w, names()...), Value: w.node(depth - 1)}))
	}
	if w.chance(4) {
		o.Set("@context", w.context(1, ""))
	}
	return o
}

// scalar is a value, rarely one that is in no data.
func (w *writer) scalar() any {
	if w.chance(1) {
		return pick[any](w, "_:shared", nil)
	}
	return pick[any](w, "http://ex.example/z", "urn:x:1", "text", "http://ex.example/x", "p:x", "a", "T", "with \"quotes\"\nand lines", true, false, strictjson.Number("5"), strictjson.Number("-7.0"),
		strictjson.Number("5.25"), strictjson.Number("1e3"), strictjson.Number("1E30"), strictjson.Number("0.000001"))
}

func (w *writer) value(depth int) any {
	switch n := w.IntN(20); {
	case n < 8 || depth <= 0:
		return w.scalar()
	case n < 11:
		list := []any{}
		for range max(w.IntN(4), w.IntN(2)) {
			list = append(list, w.value(depth-1))
		}
		return list
	case n < 12:
		v := obj(member{Name: pick(w, "@value", "val"), Value: w.scalar()})
		if w.chance(40) {
			v.Set("@type", pick(w, "http://www.w3.org/2001/XMLSchema#date", "p:t", "@json"))
		} else if w.chance(40) {
			v.Set("@language", "en-GB")
		}
		return v
	case n < 13:
		return obj(member{Name: pick(w, "@list", "lst"), Value: []any{w.value(depth - 1), w.value(depth - 1)}})
	case n < 14:
		return obj(member{Name: "@set", Value: []any{w.value(depth - 1)}})
	case n < 15:
		return obj(member{Name: "en", Value: pick[any](w, "hello", []any{"one", "two"})}, member{Name: pick(w, "none", "@none", "de-DE"), Value: "x"})
	case n < 17:
		return obj(member{Name: pick(w, "urn:map:1", "T", "p:key", "none"), Value: pick[any](w, w.node(depth-1), []any{w.node(depth - 1)}, "http://ex.example/y")})
	}
	return w.node(depth - 1)
}

// fault is what json-gold makes of JSON literals other than objects.
var fault = regexp.MustCompile(`JSON Canonicalization error|"-?[0-9.]+(E-?[0-9]+)?"\^\^<[^>]*#JSON>`)

// addition returns the document with something more in a member of one of its
// objects: what JSON-LD leaves out, or an empty list, node or graph where there can
// be one.
func (w *writer) addition(doc *strictjson.Object) (*strictjson.Object, error) {
	text, err := strictjson.Append(nil, doc)
	if err != nil {
		return nil, err
	}
	if doc, err = strictjson.ParseObject(text); err != nil {
		return nil, err
	}
	o := pick(w, objects(doc, nil)...)
	nothing := pick[any](w, nil, []any{}, []any{nil}, []any{[]any{}}, obj(), obj(member{Name: "@value", Value: nil}), obj(member{Name: "@set", Value: []any{}}), obj(member{Name: "@list", Value: []any{}}))
	switch name := pick(w, "id", "type", "inc", "gr", "rev", "nst", pick(w, names()...), pick(w, names()...), pick(w, names()...)); {
	case name == "id":
		o.Set(name, "_:b0")
	default:
		if name == "type" && w.chance(50) {
			nothing = "_:t"
		}
		v, ok := o.Get(name)
		if list, isList := v.([]any); isList {
			o.Set(name, append(list, nothing))
		} else if ok {
			o.Set(name, []any{v, nothing})
		} else {
			o.Set(name, nothing)
		}
	}
	return doc, nil
}

// objects returns v and the objects below it, without those of contexts.
func objects(v any, out []*strictjson.Object) []*strictjson.Object {
	switch v := v.(type) {
	case *strictjson.Object:
		out = append(out, v)
		for name, m := range v.All() {
			if name != "@context" {
				out = objects(m, out)
			}
		}
	case []any:
		for _, m := range v {
			out = objects(m, out)
		}
	}
	return out
}

// What this package accepts of thousands of made-up documents means the same
// to another implementation, and more than without what was added to it.
func TestToRDF_Random(t *testing.T) {
	t.Parallel()
	tries := 2000
	if !testing.Short() {
		tries = 6000
	}
	l := newLoader(t)
	reasons := map[string]int{}
	refused, faults, agreed, quadsSeen, added := 0, 0, 0, 0, 0
	for seed := range tries {
		w := &writer{Rand: rand.New(rand.NewPCG(uint64(seed), 9))}
		doc := w.node(3)
		doc.Set("@context", w.context(2, ""))
		quads, err := jsonld.Embedded().ToRDF(doc, nil)
		if err != nil {
			var e *jsonld.Error
			require.True(t, errors.As(err, &e))
			reasons[e.Err.Error()]++
			refused++
			continue
		}
		text, err := strictjson.Append(nil, doc)
		require.NoError(t, err)
		got, err := canon(t, quads)
		require.NoError(t, err, "seed %d: %s", seed, text)
		want, err := gold(t, l, text)
		if errors.Is(err, errPanic) || fault.MatchString(want) {
			faults++
			continue
		}
		require.NoError(t, err, "seed %d: %s", seed, text)
		require.Equal(t, want, got, "seed %d: %s", seed, text)
		agreed++
		quadsSeen += len(quads)
		for range 5 {
			more, err := w.addition(doc)
			require.NoError(t, err)
			quads, err := jsonld.Embedded().ToRDF(more, nil)
			if err != nil {
				continue
			}
			other, err := canon(t, quads)
			require.NoError(t, err)
			text, err := strictjson.Append(nil, more)
			require.NoError(t, err)
			require.NotEqual(t, got, other, "seed %d: %s", seed, text)
			added++
		}
	}
	t.Logf("%d documents: %d agree (%d statements), %d refused, %d where json-gold is at fault; %d additions accepted", tries, agreed, quadsSeen, refused, faults, added)
	for text, n := range reasons {
		t.Logf("%5d refused: %s", n, text)
	}
	require.Equal(t, tries, agreed+refused+faults)
	require.Greater(t, agreed, tries/8)
	require.Less(t, faults, tries/20)
	require.Greater(t, added, agreed/4)
}
