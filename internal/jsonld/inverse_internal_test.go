package jsonld

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// In the embedded contexts, alone and behind those of credentials, there is no IRI
// that two names mean, wherever they are in force. What could be renamed is the end
// of a key or proof, which is refused, and the container of a submission, whose
// value is of another kind.
func TestAbuse_DI18_NamesInEmbeddedContexts(t *testing.T) {
	t.Parallel()
	found := map[string][]string{}
	seen := map[*active]bool{}
	p := Embedded().newProcessor()
	var walk func(a, around *active)
	walk = func(a, around *active) {
		if seen[a] {
			return
		}
		seen[a] = true
		names := map[string][]string{}
		for name, term := range a.terms {
			if term.keyword == notKeyword && term.iri != "" {
				names[term.iri] = append(names[term.iri], name)
			}
		}
		for iri, list := range names {
			if len(list) > 1 {
				slices.Sort(list)
				found[iri] = list
				require.Equal(t, len(list) == 2 && list[0] == "expiration", a.inverse().second[list[0]], list)
				require.False(t, a.inverse().second[list[1]])
			}
		}
		for name, term := range a.terms {
			if !term.hasContext || around.terms[name] == term {
				continue
			}
			p.work = 0
			if inner, err := p.scopedToType(a, term); err == nil {
				walk(inner, a)
			}
			if inner, err := p.scopedToProperty(a, name, term); err == nil {
				walk(inner, a)
			}
		}
	}
	contexts := 0
	for _, first := range []string{"", "https://www.w3.org/2018/credentials/v1", "https://www.w3.org/ns/credentials/v2", "https://w3id.org/security/v2"} {
		for _, second := range Published() {
			p.work = 0
			local := []any{second.URL}
			if first != "" {
				local = []any{first, second.URL}
			}
			if a, err := p.embeddedIn(Embedded().root(), local); err == nil {
				contexts++
				walk(a, newRoot())
			}
		}
	}
	require.Greater(t, contexts, 40)
	require.Equal(t, []string{"https://identity.foundation/presentation-exchange/#presentation-submission", "https://w3id.org/security#expiration"}, slices.Sorted(maps.Keys(found)))
	require.Equal(t, []string{"expiration", "expires"}, found["https://w3id.org/security#expiration"])
	t.Logf("%d arrays, %d contexts", contexts, len(seen))
}

func TestInverse(t *testing.T) {
	t.Parallel()
	const iri = "urn:x"
	a := newRoot().clone()
	for name, term := range map[string]*term{
		"bb": {iri: iri}, "aa": {iri: iri}, "ccc": {iri: iri}, "ref": {iri: iri, coerce: toID}, "refs": {iri: iri, coerce: toID, container: inSet},
		"d1": {iri: iri, coerce: toDatatype, datatype: "urn:d"}, "d2": {iri: iri, coerce: toDatatype, datatype: "urn:e"}, "d3": {iri: iri, coerce: toDatatype, datatype: "urn:d", protected: true, nest: "n"},
		"fr": {iri: iri, hasLanguage: true, language: "fr"}, "none": {iri: iri, hasLanguage: true},
		"back": {iri: "urn:back", reverse: true}, "pre": {iri: "urn:pre", prefix: true}, "nil": {}, "id": {iri: "@id", keyword: kwID}, "ID": {iri: "@id", keyword: kwID},
	} {
		a.terms[name] = term
	}
	require.Equal(t, map[string]bool{"bb": true, "ccc": true, "d3": true}, a.inverse().second)
	require.Equal(t, map[string]bool{iri: true}, a.inverse().named)
	require.Same(t, a.inverse(), a.inverse())
}
