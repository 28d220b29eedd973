// Package strictcbor reads the CBOR (RFC 8949) of the signed messages of RFC 9052, of
// which two readers must not see different things. [Unmarshal] refuses repeated labels,
// text that is not UTF-8, lengths left open, tags and names that differ in case from
// those asked for, and what is larger than a message needs.
//
// It does not demand the deterministic form: what is signed is the bytes. Proof values
// are read by package detcbor.
package strictcbor

import (
	"errors"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// Limits of one item. Headers and claims have less than twenty members, some of which
// have members of their own.
const (
	maxNesting  = 8
	maxElements = 64
	maxPairs    = 64
)

// ErrSyntax says that bytes are not one item of the shape asked for.
var ErrSyntax = errors.New("strictcbor: malformed")

var mode = sync.OnceValue(func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		IntDec:            cbor.IntDecConvertSignedOrFail,
		UTF8:              cbor.UTF8RejectInvalid,
		MaxNestedLevels:   maxNesting,
		MaxArrayElements:  maxElements,
		MaxMapPairs:       maxPairs,
	}.DecMode()
	if err != nil {
		panic("strictcbor: decoding options: " + err.Error()) // constants, tested
	}
	return mode
})

// Unmarshal reads the one item that b is into what v points to. It takes null for
// anything, and a byte string for an array of numbers: callers look at the first byte.
// The error is [ErrSyntax].
func Unmarshal(b []byte, v any) error {
	if mode().Unmarshal(b, v) != nil {
		return ErrSyntax
	}
	return nil
}
