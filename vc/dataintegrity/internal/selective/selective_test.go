package selective

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// TestError: what the packages below say has one meaning in both suites.
func TestError(t *testing.T) {
	t.Parallel()
	other := errors.New("below: other")
	for from, want := range map[error]error{
		sdprim.ErrPointer: dataintegrity.ErrPointer, sdprim.ErrPart: dataintegrity.ErrPointer, sdprim.ErrLabels: dataintegrity.ErrSignature,
		sdprim.ErrEmpty: dataintegrity.ErrUnsignable, rdfcanon.ErrLimit: dataintegrity.ErrUnsignable,
		context.Canceled: context.Canceled, other: other,
	} {
		require.ErrorIs(t, Error(fmt.Errorf("wrapped: %w", from), "suite"), want)
	}
	require.NoError(t, Error(nil, "suite"))
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		`{"proof":{"cryptosuite":"b","proofValue":"u"}}`: dataintegrity.ErrSuite,
		`{"proof":{"proofValue":"u"}}`:                   dataintegrity.ErrSuite,
		`{"proof":[{"a":1},{"b":1}]}`:                    dataintegrity.ErrProofSet,
		`{}`:                                             dataintegrity.ErrNoProof,
		`[`:                                              strictjson.ErrSyntax,
	} {
		_, _, _, err := Open(vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(text)}, "a", "suite")
		require.ErrorIs(t, err, want, text)
	}
	_, _, _, err := Open(vc.Secured{MediaType: "application/vc+jwt"}, "a", "suite")
	require.ErrorIs(t, err, dataintegrity.ErrSuite)
	_, _, value, err := Open(vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"proof":{"cryptosuite":"a","proofValue":"u1"}}`)}, "a", "suite")
	require.NoError(t, err)
	require.Equal(t, "u1", value)
}

func TestMandatoryRefuses(t *testing.T) {
	t.Parallel()
	doc := strictjson.NewObject()
	many := make([]string, MaxPointers+1)
	for i := range many {
		many[i] = fmt.Sprint("/", i)
	}
	for _, asked := range [][]string{{""}, many} {
		_, err := Mandatory(doc, asked, true)
		require.ErrorIs(t, err, dataintegrity.ErrPointer)
	}
	got, err := Mandatory(doc, many[:MaxPointers], true)
	require.NoError(t, err)
	require.Len(t, got, MaxPointers)
}
