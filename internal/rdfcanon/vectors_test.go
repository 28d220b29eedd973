package rdfcanon_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// An entry is one test of the published manifest.
type entry struct {
	ID            string
	Type          string
	Action        string
	Result        string
	HashAlgorithm string
}

func manifest(t testing.TB) []entry {
	t.Helper()
	var m struct{ Entries []entry }
	require.NoError(t, json.Unmarshal(vectors.Read(t, "rdf-canon", "tests", "manifest.jsonld"), &m))
	return m.Entries
}

func (e entry) hash() rdfcanon.Hash {
	if e.HashAlgorithm == "SHA384" {
		return rdfcanon.SHA384
	}
	return rdfcanon.SHA256
}

func (e entry) quads(t testing.TB) []rdf.Quad {
	t.Helper()
	quads, err := rdf.ParseNQuads(vectors.Read(t, "rdf-canon", "tests", e.Action))
	require.NoError(t, err)
	return quads
}

// TestPublished runs all tests of the specification's suite, each also with its
// quads in other orders, doubled, and under other labels.
func TestPublished(t *testing.T) {
	t.Parallel()
	all := manifest(t)
	require.Len(t, all, 86)
	kinds := map[string]int{}
	for _, e := range all {
		kinds[e.Type]++
		t.Run(e.ID[1:], func(t *testing.T) {
			t.Parallel()
			quads := e.quads(t)
			got, err := rdfcanon.Canonicalize(t.Context(), quads, e.hash())
			switch e.Type {
			case "rdfc:RDFC10NegativeEvalTest":
				require.ErrorIs(t, err, rdfcanon.ErrLimit)
				require.Nil(t, got)
			case "rdfc:RDFC10EvalTest":
				require.NoError(t, err)
				want := string(vectors.Read(t, "rdf-canon", "tests", e.Result))
				require.Equal(t, want, strings.Join(got.Statements, ""))
				for name, same := range disguises(quads) {
					got, err := rdfcanon.Canonicalize(t.Context(), same, e.hash())
					require.NoError(t, err, name)
					require.Equal(t, want, strings.Join(got.Statements, ""), name)
				}
				again, err := rdf.ParseNQuads([]byte(want))
				require.NoError(t, err)
				twice, err := rdfcanon.Canonicalize(t.Context(), again, e.hash())
				require.NoError(t, err)
				require.Equal(t, got.Statements, twice.Statements)
			case "rdfc:RDFC10MapTest":
				require.NoError(t, err)
				var want map[string]string
				require.NoError(t, json.Unmarshal(vectors.Read(t, "rdf-canon", "tests", e.Result), &want))
				require.Equal(t, want, got.Labels)
			default:
				t.Fatal("kind of test not known")
			}
		})
	}
	require.Equal(t, map[string]int{
		"rdfc:RDFC10EvalTest": 64, "rdfc:RDFC10MapTest": 21, "rdfc:RDFC10NegativeEvalTest": 1,
	}, kinds)
}

// disguises returns the same dataset written in other ways.
func disguises(quads []rdf.Quad) map[string][]rdf.Quad {
	reversed := make([]rdf.Quad, 0, len(quads))
	renamed := make([]rdf.Quad, 0, len(quads))
	for i := range quads {
		reversed = append(reversed, quads[len(quads)-1-i])
		q := quads[i]
		for _, t := range []*rdf.Term{&q.Subject, &q.Object, &q.Graph} {
			if t.Kind == rdf.Blank {
				t.Value = "z" + strings.ToUpper(t.Value) + "z"
			}
		}
		renamed = append(renamed, q)
	}
	doubled := append(append([]rdf.Quad{}, quads...), reversed...)
	return map[string][]rdf.Quad{"reversed": reversed, "renamed": renamed, "doubled": doubled}
}

// Not parallel: it looks at the heap of the process.
func TestAbuse_CN01_CliquesAreRefused(t *testing.T) {
	const most = 64 << 20
	for name, quads := range map[string][]rdf.Quad{
		"8 nodes":          clique(8),
		"10 nodes":         clique(10),
		"45 nodes":         clique(45),
		"two hubs":         hubs(2, 2000),
		"chain of 4,000":   chain(4000),
		"ring of 4,000":    append(chain(4000), edge(4000, 0)),
		"1,000 twins":      twins(1000),
		"graphs and nodes": graphs(60),
	} {
		t.Run(name, func(t *testing.T) {
			require.LessOrEqual(t, len(quads), 4096)
			before := allocated()
			_, err := rdfcanon.Canonicalize(t.Context(), quads, rdfcanon.SHA256)
			require.Less(t, allocated()-before, uint64(most))
			if err != nil {
				require.ErrorIs(t, err, rdfcanon.ErrLimit)
			}
			t.Log(err)
		})
	}
}

// allocated returns all bytes allocated so far, which bounds the heap from above.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestAbuse_CN03_PoisonThatIsStillLegal(t *testing.T) {
	t.Parallel()
	found := 0
	for _, e := range manifest(t) {
		switch e.ID {
		case "#test044c", "#test045c", "#test046c":
			found++
			got, err := rdfcanon.Canonicalize(t.Context(), e.quads(t), rdfcanon.SHA256)
			require.NoError(t, err)
			require.Equal(t, string(vectors.Read(t, "rdf-canon", "tests", e.Result)), strings.Join(got.Statements, ""))
		}
	}
	require.Equal(t, 3, found)
}
