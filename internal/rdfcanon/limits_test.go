package rdfcanon

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/rdf"
)

// pairs are n pairs of blank nodes, the two of a pair alike.
func pairs(n int) []rdf.Quad {
	out := make([]rdf.Quad, n)
	for i := range out {
		out[i] = rdf.Quad{
			Subject:   rdf.Term{Kind: rdf.Blank, Value: "a" + strconv.Itoa(i)},
			Predicate: rdf.Term{Kind: rdf.IRI, Value: "urn:example:p"},
			Object:    rdf.Term{Kind: rdf.Blank, Value: "b" + strconv.Itoa(i)},
		}
	}
	return out
}

func TestStepsAtTheBoundary(t *testing.T) {
	t.Parallel()
	// Two pairs: 4 first degree hashes; then for each of the four nodes, if it has
	// no label yet, a related hash, a visit, and the same again for its partner.
	least := 0
	for steps := range 100 {
		if _, err := canonicalize(t.Context(), pairs(2), SHA256, limits{steps, time.Hour}); err == nil {
			least = steps
			break
		}
	}
	require.Positive(t, least)
	_, err := canonicalize(t.Context(), pairs(2), SHA256, limits{least - 1, time.Hour})
	require.ErrorIs(t, err, ErrLimit)
	for steps := range least {
		_, err := canonicalize(t.Context(), pairs(2), SHA256, limits{steps, time.Hour})
		require.ErrorIs(t, err, ErrLimit)
	}
}

func TestQuadsAtTheBoundary(t *testing.T) {
	t.Parallel()
	quads := make([]rdf.Quad, maxQuads+1)
	for i := range quads {
		quads[i] = rdf.Quad{
			Subject:   rdf.Term{Kind: rdf.Blank, Value: strconv.Itoa(i)},
			Predicate: rdf.Term{Kind: rdf.IRI, Value: "urn:example:p"},
			Object:    rdf.Term{Kind: rdf.IRI, Value: "urn:example:" + strconv.Itoa(i)},
		}
	}
	c, err := Canonicalize(t.Context(), quads[:maxQuads], SHA384)
	require.NoError(t, err)
	require.Len(t, c.Statements, maxQuads)
	_, err = Canonicalize(t.Context(), quads, SHA384)
	require.ErrorIs(t, err, ErrLimit)
}

func TestTimeAndCaller(t *testing.T) {
	t.Parallel()
	_, err := canonicalize(t.Context(), pairs(1000), SHA256, limits{maxSteps, -1})
	require.ErrorIs(t, err, ErrLimit)

	gone := errors.New("the caller has gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	_, err = canonicalize(ctx, pairs(1000), SHA256, limits{maxSteps, time.Hour})
	require.ErrorIs(t, err, gone)
	require.NotErrorIs(t, err, ErrLimit)
}

// A long id is repeated in every statement about it.
func TestTextAtTheBoundary(t *testing.T) {
	t.Parallel()
	long := "urn:example:" + strings.Repeat("a", 1<<20)
	quads := make([]rdf.Quad, 16)
	for i := range quads {
		quads[i] = rdf.Quad{
			Subject:   rdf.Term{Kind: rdf.IRI, Value: long},
			Predicate: rdf.Term{Kind: rdf.IRI, Value: "urn:example:p" + strconv.Itoa(i)},
			Object:    rdf.Term{Kind: rdf.IRI, Value: "urn:example:o"},
		}
	}
	c, err := Canonicalize(t.Context(), quads[:15], SHA256)
	require.NoError(t, err)
	require.Len(t, c.Statements, 15)
	_, err = Canonicalize(t.Context(), quads, SHA256)
	require.ErrorIs(t, err, ErrLimit)
}
