package rdfcanon_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
)

// The figures of the specification's examples, so that a clone without the
// published vectors tests the algorithm too.
func TestHeadlines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in, want string
		hash     rdfcanon.Hash
		labels   map[string]string
	}{
		"unique hashes": {
			in: "<http://example.com/#p> <http://example.com/#q> _:e0 .\n" +
				"<http://example.com/#p> <http://example.com/#r> _:e1 .\n" +
				"_:e0 <http://example.com/#s> <http://example.com/#u> .\n" +
				"_:e1 <http://example.com/#t> <http://example.com/#u> .\n",
			want: "<http://example.com/#p> <http://example.com/#q> _:c14n0 .\n" +
				"<http://example.com/#p> <http://example.com/#r> _:c14n1 .\n" +
				"_:c14n0 <http://example.com/#s> <http://example.com/#u> .\n" +
				"_:c14n1 <http://example.com/#t> <http://example.com/#u> .\n",
			labels: map[string]string{"e0": "c14n0", "e1": "c14n1"},
		},
		"shared hashes": {
			in: "<http://example.com/#p> <http://example.com/#q> _:e0 .\n" +
				"<http://example.com/#p> <http://example.com/#q> _:e1 .\n" +
				"_:e0 <http://example.com/#p> _:e2 .\n" +
				"_:e1 <http://example.com/#p> _:e3 .\n" +
				"_:e2 <http://example.com/#r> _:e3 .\n",
			want: "<http://example.com/#p> <http://example.com/#q> _:c14n2 .\n" +
				"<http://example.com/#p> <http://example.com/#q> _:c14n3 .\n" +
				"_:c14n0 <http://example.com/#r> _:c14n1 .\n" +
				"_:c14n2 <http://example.com/#p> _:c14n1 .\n" +
				"_:c14n3 <http://example.com/#p> _:c14n0 .\n",
			labels: map[string]string{"e0": "c14n3", "e1": "c14n2", "e2": "c14n0", "e3": "c14n1"},
		},
		"a node that names a graph": { // as rdf-canonize has it
			in: "_:n1 <urn:example:p1> _:n3 .\n" +
				"<urn:example:1> <urn:example:p1> _:n1 .\n" +
				"_:n3 <urn:example:p1> <urn:example:1> .\n" +
				"_:n1 <urn:example:p1> _:n2 _:n1 .\n" +
				"_:n3 <urn:example:p0> _:n0 .\n" +
				"_:n3 <urn:example:p1> _:n0 <urn:example:0> .\n" +
				"<urn:example:0> <urn:example:p0> \"a\" .\n",
			want: "<urn:example:0> <urn:example:p0> \"a\" .\n" +
				"<urn:example:1> <urn:example:p1> _:c14n2 .\n" +
				"_:c14n0 <urn:example:p0> _:c14n3 .\n" +
				"_:c14n0 <urn:example:p1> <urn:example:1> .\n" +
				"_:c14n0 <urn:example:p1> _:c14n3 <urn:example:0> .\n" +
				"_:c14n2 <urn:example:p1> _:c14n0 .\n" +
				"_:c14n2 <urn:example:p1> _:c14n1 _:c14n2 .\n",
			labels: map[string]string{"n3": "c14n0", "n2": "c14n1", "n1": "c14n2", "n0": "c14n3"},
		},
		"a node that points to itself": { // as rdf-canonize has it
			in: "_:n1 <urn:example:p1> _:n2 <urn:example:1> .\n" +
				"_:n1 <urn:example:p0> <urn:example:0> .\n" +
				"_:n0 <urn:example:p1> _:n1 .\n" +
				"_:n1 <urn:example:p0> \"a\" .\n" +
				"_:n1 <urn:example:p1> _:n1 <urn:example:1> .\n",
			want: "_:c14n0 <urn:example:p0> \"a\" .\n" +
				"_:c14n0 <urn:example:p0> <urn:example:0> .\n" +
				"_:c14n0 <urn:example:p1> _:c14n0 <urn:example:1> .\n" +
				"_:c14n0 <urn:example:p1> _:c14n1 <urn:example:1> .\n" +
				"_:c14n2 <urn:example:p1> _:c14n0 .\n",
			labels: map[string]string{"n1": "c14n0", "n2": "c14n1", "n0": "c14n2"},
		},
		"nodes in every place": { // as rdf-canonize has it
			in: "_:n0 <urn:example:p> _:n0 _:n3 .\n" +
				"_:n1 <urn:example:p> _:n2 _:n0 .\n" +
				"_:n2 <urn:example:p> _:n1 _:n1 .\n" +
				"_:n3 <urn:example:p> _:n3 _:n2 .\n",
			want: "_:c14n0 <urn:example:p> _:c14n1 _:c14n3 .\n" +
				"_:c14n1 <urn:example:p> _:c14n0 _:c14n0 .\n" +
				"_:c14n2 <urn:example:p> _:c14n2 _:c14n1 .\n" +
				"_:c14n3 <urn:example:p> _:c14n3 _:c14n2 .\n",
			labels: map[string]string{"n1": "c14n0", "n2": "c14n1", "n3": "c14n2", "n0": "c14n3"},
		},
		"paths that are alike": { // as rdf-canonize has it
			in: "_:n0 <urn:example:p> _:n2 _:n1 .\n" +
				"_:n1 <urn:example:p> _:n0 _:n2 .\n" +
				"_:n2 <urn:example:p> _:n1 _:n0 .\n",
			want: "_:c14n0 <urn:example:p> _:c14n2 _:c14n1 .\n" +
				"_:c14n1 <urn:example:p> _:c14n0 _:c14n2 .\n" +
				"_:c14n2 <urn:example:p> _:c14n1 _:c14n0 .\n",
			labels: map[string]string{"n0": "c14n0", "n1": "c14n1", "n2": "c14n2"},
		},
		"nothing": {labels: map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quads, err := rdf.ParseNQuads([]byte(c.in))
			require.NoError(t, err)
			got, err := rdfcanon.Canonicalize(t.Context(), quads, c.hash)
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(got.Statements, ""))
			require.Equal(t, c.labels, got.Labels)
		})
	}
}

// What could be read in two ways once it is written has no canonical form.
func TestRefused(t *testing.T) {
	t.Parallel()
	good := rdf.Quad{Subject: iri("s"), Predicate: iri("p"), Object: iri("o")}
	for name, change := range map[string]func(*rdf.Quad){
		"blank predicate":         func(q *rdf.Quad) { q.Predicate = blank(1) },
		"literal predicate":       func(q *rdf.Quad) { q.Predicate = rdf.Term{Kind: rdf.Literal, Datatype: rdf.XSDString} },
		"literal subject":         func(q *rdf.Quad) { q.Subject = rdf.Term{Kind: rdf.Literal, Datatype: rdf.XSDString} },
		"literal graph":           func(q *rdf.Quad) { q.Graph = rdf.Term{Kind: rdf.Literal, Datatype: rdf.XSDString} },
		"no object":               func(q *rdf.Quad) { q.Object = rdf.Term{} },
		"relative subject":        func(q *rdf.Quad) { q.Subject.Value = "a/b" },
		"relative object":         func(q *rdf.Quad) { q.Object.Value = "#a" },
		"statement in an IRI":     func(q *rdf.Quad) { q.Object.Value = "urn:a> .\n<urn:b> <urn:c> <urn:d" },
		"space in an IRI":         func(q *rdf.Quad) { q.Object.Value = "urn:a b" },
		"backslash in an IRI":     func(q *rdf.Quad) { q.Object.Value = `urn:\u0061` },
		"bad scheme":              func(q *rdf.Quad) { q.Object.Value = "1a:b" },
		"datatype that breaks":    func(q *rdf.Quad) { q.Object = rdf.Term{Kind: rdf.Literal, Datatype: "urn:a>"} },
		"no datatype":             func(q *rdf.Quad) { q.Object = rdf.Term{Kind: rdf.Literal} },
		"language that breaks":    func(q *rdf.Quad) { q.Object = rdf.Term{Kind: rdf.Literal, Datatype: rdf.LangString, Language: "en ."} },
		"language, other type":    func(q *rdf.Quad) { q.Object = rdf.Term{Kind: rdf.Literal, Datatype: rdf.XSDString, Language: "en"} },
		"langString, no language": func(q *rdf.Quad) { q.Object = rdf.Term{Kind: rdf.Literal, Datatype: rdf.LangString} },
		"no UTF-8":                func(q *rdf.Quad) { q.Object = rdf.Term{Kind: rdf.Literal, Datatype: rdf.XSDString, Value: "\xff"} },
		"nameless node":           func(q *rdf.Quad) { q.Subject = rdf.Term{Kind: rdf.Blank} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := good
			change(&q)
			_, err := rdfcanon.Canonicalize(t.Context(), []rdf.Quad{good, q}, rdfcanon.SHA256)
			require.ErrorIs(t, err, rdf.ErrTerm)
		})
	}
	_, err := rdfcanon.Canonicalize(t.Context(), []rdf.Quad{good}, rdfcanon.Hash(7))
	require.ErrorIs(t, err, rdfcanon.ErrHash)
}

// FuzzCanonicalize takes N-Quads: whatever canonicalises does so again to the same.
func FuzzCanonicalize(f *testing.F) {
	f.Add([]byte("_:a <urn:p> _:b .\n_:b <urn:p> _:a _:a .\n"))
	f.Add([]byte("<urn:s> <urn:p> \"\\u0000\\\"\"@en .\n"))
	f.Add([]byte("_:a <urn:p> _:a .\n_:a <urn:p> _:a .\n_:c <urn:q> _:d <urn:g> ."))
	f.Fuzz(func(t *testing.T, data []byte) {
		quads, err := rdf.ParseNQuads(data)
		if err != nil {
			return
		}
		got, err := rdfcanon.Canonicalize(t.Context(), quads, rdfcanon.SHA256)
		if err != nil {
			require.ErrorIs(t, err, rdfcanon.ErrLimit)
			return
		}
		again, err := rdf.ParseNQuads([]byte(strings.Join(got.Statements, "")))
		require.NoError(t, err)
		twice, err := rdfcanon.Canonicalize(t.Context(), again, rdfcanon.SHA256)
		require.NoError(t, err)
		require.Equal(t, got.Statements, twice.Statements)
	})
}
