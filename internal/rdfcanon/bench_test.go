package rdfcanon_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/measure"
	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
)

// passport is of the size that the project measures with: 48 quads about a
// credential, its subject and six sections without names.
func passport(photo int) []rdf.Quad {
	var out []rdf.Quad
	text := func(s, p, value string) {
		out = append(out, rdf.Quad{
			Subject:   rdf.Term{Kind: rdf.Blank, Value: s},
			Predicate: rdf.Term{Kind: rdf.IRI, Value: "https://w3id.org/staffpassport/v1#" + p},
			Object:    rdf.Term{Kind: rdf.Literal, Value: value, Datatype: rdf.XSDString},
		})
	}
	for section := range 6 {
		name := "b" + strconv.Itoa(section)
		out = append(out, rdf.Quad{
			Subject:   rdf.Term{Kind: rdf.IRI, Value: "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"},
			Predicate: rdf.Term{Kind: rdf.IRI, Value: "https://w3id.org/staffpassport/v1#section" + strconv.Itoa(section)},
			Object:    rdf.Term{Kind: rdf.Blank, Value: name},
		})
		for claim := range 7 {
			text(name, "section"+strconv.Itoa(section)+"/claim"+strconv.Itoa(claim), "the value of a claim "+strconv.Itoa(claim))
		}
	}
	if photo > 0 {
		out[3].Object = rdf.Term{Kind: rdf.IRI, Value: "data:image/jpeg;base64," + strings.Repeat("Qk0rVzM5", photo/8)}
	}
	return out
}

func BenchmarkCanonicalize(b *testing.B) {
	for name, size := range map[string]int{"plain": 0, "photo": 300_000} {
		b.Run("rdfc-1.0/"+name, func(b *testing.B) {
			quads := passport(size)
			require.Len(b, quads, 48)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := rdfcanon.Canonicalize(b.Context(), quads, rdfcanon.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFloor does what no way to the canonical form can leave out: it hashes what is
// said about each blank node and orders the statements.
func BenchmarkFloor(b *testing.B) {
	for name, size := range map[string]int{"plain": 0, "photo": 300_000} {
		b.Run("Canonicalize/rdfc-1.0/"+name, func(b *testing.B) {
			c, err := rdfcanon.Canonicalize(b.Context(), passport(size), rdfcanon.SHA256)
			require.NoError(b, err)
			floor := measure.Canonical(c.Statements)
			for b.Loop() {
				floor()
			}
		})
	}
}
