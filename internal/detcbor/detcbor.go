// Package detcbor reads and writes the proof values of the selective disclosure
// suites: three bytes that name the suite and the kind of proof, then an array in
// deterministic CBOR, all in multibase base64url (VC Data Integrity ECDSA
// Cryptosuites v1.0, section 3.5; VC Data Integrity BBS Cryptosuites v1.0).
//
//	u base64url( D9 5D xx | array )
//
// The array is a struct whose first field is `_ struct{} "cbor:\",toarray\""` and
// whose others are []byte, [][]byte, []uint64, []string, uint64 and maps of uint64
// to []byte or uint64.
//
// Call [Encode] and [Decode]. Decode takes the deterministic form of RFC 8949,
// section 4.2.1, and no other, so that each value has one spelling. What lengths
// the byte strings must have, and that numbers fit together, the suite checks.
package detcbor

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// A Header names a suite and a kind of proof.
type Header [3]byte

const (
	// maxText bounds a proof value. The largest has a signature of 64 bytes for
	// each of 4,096 statements.
	maxText = 512 << 10
	// maxElements is the most statements a document has, see rdfcanon.
	maxElements = 4096
	// maxNesting is an array in an array, and as low as the decoder goes.
	maxNesting = 4
)

var (
	// ErrSyntax says that a proof value is not the multibase text of a header and
	// an array in deterministic CBOR of the shape asked for.
	ErrSyntax = errors.New("detcbor: malformed proof value")
	// ErrHeader says that a proof value is of another suite or another kind.
	ErrHeader = errors.New("detcbor: proof value of another kind")
)

// Encode returns v behind h, as multibase text. The error is that of a v which is
// not of the shape described above.
func Encode(h Header, v any) (string, error) {
	b, err := modes().encode.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("detcbor: %w", err)
	}
	return multiformat.EncodeBase64URL(append(h[:], b...)), nil
}

// HeaderOf returns the header of a proof value, to tell what kind it is. The error
// is ErrSyntax.
func HeaderOf(text string) (Header, error) {
	const encoded = 5 // "u" and three bytes
	if len(text) < encoded || text[0] != 'u' {
		return Header{}, ErrSyntax
	}
	b, err := multiformat.Decode(text[:encoded], encoded)
	if err != nil {
		return Header{}, ErrSyntax
	}
	return Header(b), nil
}

// Decode reads a proof value with the header h into v, a pointer to a struct of
// the shape described above. Errors are ErrHeader and ErrSyntax.
func Decode(text string, h Header, v any) error {
	switch got, err := HeaderOf(text); {
	case err != nil:
		return err
	case got != h:
		return ErrHeader
	}
	b, err := multiformat.Decode(text, maxText)
	if err != nil {
		return ErrSyntax
	}
	b = b[len(h):]
	m := modes()
	if err := m.decode.Unmarshal(b, v); err != nil {
		return ErrSyntax
	}
	// Whatever has a second spelling, such as a long integer, comes out otherwise.
	again, err := m.encode.Marshal(v)
	if err != nil || !bytes.Equal(again, b) {
		return ErrSyntax
	}
	return nil
}

type codec struct {
	encode cbor.EncMode
	decode cbor.DecMode
}

var modes = sync.OnceValue(func() codec {
	e := cbor.CoreDetEncOptions()
	e.NilContainers = cbor.NilContainerAsEmpty
	e.TagsMd = cbor.TagsForbidden
	encode, err := e.EncMode()
	if err != nil {
		panic("detcbor: " + err.Error()) // constant options
	}
	decode, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  maxNesting,
		MaxArrayElements: maxElements,
		MaxMapPairs:      maxElements,
	}.DecMode()
	if err != nil {
		panic("detcbor: " + err.Error())
	}
	return codec{encode, decode}
})
