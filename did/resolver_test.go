package did_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

type resolverFunc func(did.DID) (*did.Resolution, error)

func (f resolverFunc) Resolve(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
	return f(id)
}

func TestMux(t *testing.T) {
	t.Parallel()
	document := parse(t, `{"id":"did:example:a"}`)
	m := did.Mux{
		"example": resolverFunc(func(did.DID) (*did.Resolution, error) { return &did.Resolution{Document: document}, nil }),
		"away":    resolverFunc(func(did.DID) (*did.Resolution, error) { return nil, did.ErrUnavailable }),
		"empty":   resolverFunc(func(did.DID) (*did.Resolution, error) { return nil, nil }),
		"hollow":  resolverFunc(func(did.DID) (*did.Resolution, error) { return &did.Resolution{}, nil }),
		"nil":     nil,
	}
	res, err := m.Resolve(context.Background(), document.ID(), did.Version{})
	require.NoError(t, err)
	require.Same(t, document, res.Document)

	for in, want := range map[string]error{
		"did:example:b": did.ErrInvalid, // DW-06: the document of another DID
		"did:away:a":    did.ErrUnavailable,
		"did:empty:a":   did.ErrInvalid,
		"did:hollow:a":  did.ErrInvalid,
		"did:nil:a":     did.ErrUnsupported,
		"did:other:a":   did.ErrUnsupported,
	} {
		res, err := m.Resolve(context.Background(), mustDID(t, in), did.Version{})
		require.ErrorIs(t, err, want, in)
		require.Nil(t, res, in)
	}
	_, err = m.Resolve(context.Background(), did.DID{}, did.Version{})
	require.ErrorIs(t, err, did.ErrInvalid)
	_, err = did.Mux(nil).Resolve(context.Background(), document.ID(), did.Version{})
	require.ErrorIs(t, err, did.ErrUnsupported)
}

func TestVersionIsZero(t *testing.T) {
	t.Parallel()
	require.True(t, did.Version{}.IsZero())
	require.False(t, did.Version{ID: "1"}.IsZero())
	require.False(t, did.Version{Number: 1}.IsZero())
}

// Each error is its own: a caller that asks for one is not given another.
func TestErrorsDiffer(t *testing.T) {
	t.Parallel()
	all := []error{did.ErrInvalid, did.ErrUnsupported, did.ErrNotFound, did.ErrUnavailable, did.ErrNotAuthorised, did.ErrSignature}
	for i, a := range all {
		for j, b := range all {
			require.Equal(t, i == j, errors.Is(a, b))
		}
	}
}
