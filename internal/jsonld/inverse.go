package jsonld

// An inverse context says which names a context has for an IRI (JSON-LD 1.1 API,
// section 4.3).
type inverse struct {
	named  map[string]bool // the IRIs of terms for properties and types
	second map[string]bool // the terms that compaction never takes
}

// A selector is what compaction selects a term by (section 4.4). A term shares it
// with those that mean the same IRI with the same kind of value.
type selector struct {
	iri         string
	coerce      coercion
	datatype    string
	container   container
	reverse     bool
	hasLanguage bool
	language    string
}

// inverse returns the inverse context of a.
func (a *active) inverse() *inverse {
	a.inverseOnce.Do(func() {
		named, second := make(map[string]bool, len(a.terms)), map[string]bool{}
		first := make(map[selector]string, len(a.terms))
		for name, t := range a.terms {
			if t.keyword != notKeyword || t.iri == "" {
				continue
			}
			if !t.reverse && !t.prefix {
				named[t.iri] = true
			}
			s := selector{t.iri, t.coerce, t.datatype, t.container, t.reverse, t.hasLanguage, t.language}
			other, ok := first[s]
			switch {
			case !ok:
				first[s] = name
			case before(name, other):
				first[s], second[other] = name, true
			default:
				second[name] = true
			}
		}
		a.inverted = &inverse{named, second}
	})
	return a.inverted
}

// before is the order in which compaction takes terms that mean the same.
func before(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }
