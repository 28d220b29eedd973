package schema

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"slices"
	"sync"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

//go:generate go test . -run ^TestContextIsGenerated$ -update
//go:embed context-v1.jsonld
var embeddedContext []byte

// ContextDocument returns the JSON-LD 1.1 context behind [ContextURL], for whoever
// publishes it. It is generated from the Go types and gives every field of a
// passport an IRI below ContextURL:
//
//	https://w3id.org/staffpassport/v1#StaffPassportCredential   the type
//	https://w3id.org/staffpassport/v1#registration              a section
//	https://w3id.org/staffpassport/v1#registration/number       a field of it
//	https://w3id.org/staffpassport/v1#registration/assurance    the assurance of a section
//	https://w3id.org/staffpassport/v1#assurance/origin          a field of any section's assurance
//
// A term means its field only inside its section, so that two sections can have
// fields of one name; no later context can give one another meaning. Sections that
// say the same of their assurance stay apart by the IRI that leads to it, which
// keeps their canonical form cheap. A photo has
// the data model's own terms id, mediaType and digestMultibase. Fields that hold a
// date are typed xsd:date, with the words of a field without data as well: such a
// literal is ill-typed, which RDF allows and which has no value, as is meant (RDF
// 1.1 Concepts section 3.3).
func ContextDocument() []byte { return bytes.Clone(embeddedContext) }

// Contexts returns the @context arrays that credentials of this package carry and
// the meaning of their terms, for issuers, holders and verifiers, who admit only
// what they know beforehand (Data Model 2.0 section 6.3).
func Contexts() *vc.ContextSet { return contexts() }

var contexts = sync.OnceValue(func() *vc.ContextSet {
	s, err := vc.NewContextSet(map[string][]byte{ContextURL: embeddedContext}, vc.Contexts(ContextURL))
	if err != nil {
		panic("schema: " + err.Error()) // the document is embedded, and tested
	}
	return s
})

const xsdDate = "http://www.w3.org/2001/XMLSchema#date"

// generateContext writes the context document from the Go types.
func generateContext() ([]byte, error) {
	terms := obj("@version", strictjson.Number("1.1"), "@protected", true, Type, ContextURL+"#"+Type)
	for _, m := range passportShape().members {
		terms.Set(m.name, m.term(m.name, m.name))
	}
	compact, err := strictjson.Append(nil, obj("@context", terms))
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

// dataModelTerms are defined, and protected, in the data model's own context (Data
// Model 2.0 appendix B), with the meaning that they have here.
func dataModelTerms() []string { return []string{"id", "mediaType", "digestMultibase"} }

// term returns the definition of a member at path, whose own members are below
// inside.
func (m member) term(path, inside string) any {
	iri := ContextURL + "#" + path
	switch {
	case m.object != nil:
		inner := obj("@protected", true)
		for _, c := range m.object.members {
			at := inside + "/" + c.name
			switch {
			case slices.Contains(dataModelTerms(), c.name):
			case len(c.index) > 1: // of the embedded Section: inside, it means the same in all of them
				inner.Set(c.name, c.term(at, c.name))
			default:
				inner.Set(c.name, c.term(at, at))
			}
		}
		if inner.Len() == 1 {
			return iri
		}
		return obj("@id", iri, "@context", inner)
	case m.kind == KindDate:
		return obj("@id", iri, "@type", xsdDate)
	}
	return iri
}
