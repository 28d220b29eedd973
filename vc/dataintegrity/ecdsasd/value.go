package ecdsasd

import (
	"crypto/ecdsa"
	"encoding/base64"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
)

// Lengths in bytes (section 3.5.8, step 4, which gives the public key a byte more
// than it has in the specification's own example).
const (
	signatureSize = 64 // r and s of P-256
	publicKeySize = 35 // Multikey: two bytes of codec and a compressed point
	hmacKeySize   = 32 // as SHA-256 has it (section 3.6.2, step 1)
	labelSize     = 32
)

func baseHeader() detcbor.Header    { return detcbor.Header{0xd9, 0x5d, 0x00} }
func derivedHeader() detcbor.Header { return detcbor.Header{0xd9, 0x5d, 0x01} }

// A baseProof is what the issuer gives the holder (section 3.5.2).
//
//	u base64url( D9 5D 00 | [baseSignature, publicKey, hmacKey, [signature...], [pointer...]] )
type baseProof struct {
	_          struct{} `cbor:",toarray"`
	Signature  []byte   // by the issuer
	PublicKey  []byte   // for Signatures, made for this proof alone
	HMACKey    []byte
	Signatures [][]byte // one for each statement that is not mandatory
	Mandatory  []string // JSON pointers
}

// A derivedProof is what the holder gives a verifier (section 3.5.7).
//
//	u base64url( D9 5D 01 | [baseSignature, publicKey, [signature...], {number: label...}, [index...]] )
type derivedProof struct {
	_          struct{} `cbor:",toarray"`
	Signature  []byte
	PublicKey  []byte
	Signatures [][]byte          // one for each statement shown that is not mandatory
	Labels     map[uint64][]byte // HMAC labels by the number of the canonical label
	Mandatory  []uint64          // positions of the mandatory statements among those shown
}

func isBase(value string) bool {
	h, err := detcbor.HeaderOf(value)
	return err == nil && h == baseHeader()
}

// parseBase is parseBaseProofValue (section 3.5.3).
func parseBase(value string) (*baseProof, error) {
	p := new(baseProof)
	if err := detcbor.Decode(value, baseHeader(), p); err != nil {
		return nil, malformed("not a base proof")
	}
	if len(p.Signature) != signatureSize || len(p.PublicKey) != publicKeySize || len(p.HMACKey) != hmacKeySize ||
		!allOf(p.Signatures, signatureSize) || len(p.Mandatory) > selective.MaxPointers {
		return nil, malformed("base proof with a part of the wrong length")
	}
	return p, nil
}

// parseDerived is parseDerivedProofValue (section 3.5.8). A base proof is
// dataintegrity.ErrBaseProof.
func parseDerived(value string) (*derivedProof, error) {
	if isBase(value) {
		return nil, dataintegrity.ErrBaseProof
	}
	p := new(derivedProof)
	if err := detcbor.Decode(value, derivedHeader(), p); err != nil {
		return nil, malformed("not a derived proof")
	}
	if len(p.Signature) != signatureSize || len(p.PublicKey) != publicKeySize || !allOf(p.Signatures, signatureSize) {
		return nil, malformed("derived proof with a part of the wrong length")
	}
	for i := range p.Labels {
		if i >= uint64(len(p.Labels)) || len(p.Labels[i]) != labelSize {
			return nil, malformed("labels must be of 32 bytes and numbered from 0")
		}
	}
	for i := range p.Mandatory {
		if i > 0 && p.Mandatory[i-1] >= p.Mandatory[i] {
			return nil, malformed("mandatory positions must ascend")
		}
	}
	return p, nil
}

// labels is decompressLabelMap (section 3.5.6), in the order of the canonical labels.
func (p *derivedProof) labels() []string {
	out := make([]string, len(p.Labels))
	for i := range out {
		out[i] = multiformat.EncodeBase64URL(p.Labels[uint64(i)])
	}
	return out
}

// compressLabels is section 3.5.5.
func compressLabels(labels []string) (map[uint64][]byte, error) {
	out := make(map[uint64][]byte, len(labels))
	for i, label := range labels {
		b, err := base64.RawURLEncoding.DecodeString(label[1:]) // after "u"
		if err != nil {
			return nil, err
		}
		out[uint64(i)] = b
	}
	return out, nil
}

// encodeKey writes the key of one proof (section 3.6.5, step 4).
func encodeKey(pub *ecdsa.PublicKey) ([]byte, error) {
	text, err := did.Multikey(pub)
	if err != nil {
		return nil, err
	}
	return multiformat.Decode(text, multiformat.MaxKey)
}

// decodeKey reads the key of one proof and checks that it is a point of P-256.
func decodeKey(b []byte) (*ecdsa.PublicKey, error) {
	pub, err := did.ParseMultikey(multiformat.Encode(b))
	if err != nil {
		return nil, malformed("no public key")
	}
	key, err := p256(pub)
	if err != nil {
		return nil, malformed("public key of another curve")
	}
	return key, nil
}

func allOf(list [][]byte, size int) bool {
	for _, b := range list {
		if len(b) != size {
			return false
		}
	}
	return true
}

func malformed(what string) error {
	return fmt.Errorf("%w: %s", dataintegrity.ErrProofMalformed, what)
}
