package rdfcanon_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/piprate/json-gold/ld"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
)

// Random small datasets, in which many nodes look alike, have the canonical form that
// another implementation gives them. Their graphs have IRIs and no node points to
// itself: json-gold gets the first degree hash wrong where a node is twice in one quad
// (a quad is once in the mention set of section 4.6), or names a graph.
func TestSecondOpinion(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 5))
	for i := range 1500 {
		var in strings.Builder
		nodes := 1 + random.IntN(6)
		term := func() string {
			if random.IntN(4) == 0 {
				return fmt.Sprintf("<urn:example:%d>", random.IntN(2))
			}
			return fmt.Sprintf("_:n%d", random.IntN(nodes))
		}
		for range 1 + random.IntN(9) {
			graph := ""
			if random.IntN(5) == 0 {
				graph = fmt.Sprintf("<urn:example:%d> ", random.IntN(2))
			}
			object := term()
			if random.IntN(5) == 0 {
				object = []string{`"a"`, `"b"@en`, `"1"^^<urn:t>`}[random.IntN(3)]
			}
			subject := term()
			if subject == object {
				continue
			}
			fmt.Fprintf(&in, "%s <urn:example:p%d> %s %s.\n", subject, random.IntN(2), object, graph)
		}
		quads, err := rdf.ParseNQuads([]byte(in.String()))
		require.NoError(t, err)
		got, err := rdfcanon.Canonicalize(t.Context(), quads, rdfcanon.SHA256)
		require.NoError(t, err)

		options := ld.NewJsonLdOptions("")
		options.InputFormat, options.Format = "application/n-quads", "application/n-quads"
		options.Algorithm = ld.AlgorithmURDNA2015
		want, err := ld.NewJsonLdProcessor().Normalize(in.String(), options)
		require.NoError(t, err)
		require.Equal(t, want, strings.Join(got.Statements, ""), "graph %d:\n%s", i, in.String())
	}
}
