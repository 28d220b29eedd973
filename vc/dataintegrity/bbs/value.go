package bbs

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/internal/bls12bbs"
	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
)

const (
	headerSize  = 64 // two SHA-256 hashes
	hmacKeySize = 32 // as SHA-256 has it

	// maxPresentationHeader is the most bytes of a presentation header: 32 times
	// those of [SessionHeader].
	maxPresentationHeader = 1024
)

func baseHeader() detcbor.Header    { return detcbor.Header{0xd9, 0x5d, 0x02} }
func derivedHeader() detcbor.Header { return detcbor.Header{0xd9, 0x5d, 0x03} }

// A baseProof is what the issuer gives the holder (serializeBaseProofValue).
//
//	u base64url( D9 5D 02 | [bbsSignature, bbsHeader, publicKey, hmacKey, [pointer...]] )
type baseProof struct {
	_         struct{} `cbor:",toarray"`
	Signature []byte
	Header    []byte // hashes of the proof options and of the mandatory statements
	PublicKey []byte
	HMACKey   []byte
	Mandatory []string // JSON pointers
}

// A derivedProof is what the holder gives a verifier (serializeDerivedProofValue).
//
//	u base64url( D9 5D 03 | [bbsProof, {number: number...}, [index...], [index...], presentationHeader] )
type derivedProof struct {
	_                  struct{} `cbor:",toarray"`
	Proof              []byte
	Labels             map[uint64]uint64 // n of the signed label bn by that of the canonical label c14nn
	Mandatory          []uint64          // positions of the mandatory statements among those shown
	Selective          []uint64          // positions of the others shown among all that are not mandatory
	PresentationHeader []byte
}

// isBase reports whether a proof value is a base proof, of the baseline (02) or with
// one of the optional features (04, 06, 08).
func isBase(value string) bool {
	h, err := detcbor.HeaderOf(value)
	if err != nil || h[0] != 0xd9 || h[1] != 0x5d {
		return false
	}
	return h[2] == 0x02 || h[2] == 0x04 || h[2] == 0x06 || h[2] == 0x08
}

// parseBase is parseBaseProofValue.
func parseBase(value string) (*baseProof, error) {
	p := new(baseProof)
	if err := detcbor.Decode(value, baseHeader(), p); err != nil {
		return nil, malformed("not a base proof of the baseline")
	}
	if len(p.Signature) != bls12bbs.SignatureSize || len(p.Header) != headerSize || len(p.PublicKey) != bls12bbs.PublicKeySize ||
		len(p.HMACKey) != hmacKeySize || len(p.Mandatory) > selective.MaxPointers {
		return nil, malformed("base proof with a part of the wrong length")
	}
	return p, nil
}

// parseDerived is parseDerivedProofValue. A base proof is dataintegrity.ErrBaseProof.
func parseDerived(value string) (*derivedProof, error) {
	if isBase(value) {
		return nil, dataintegrity.ErrBaseProof
	}
	p := new(derivedProof)
	switch err := detcbor.Decode(value, derivedHeader(), p); {
	case errors.Is(err, detcbor.ErrHeader):
		return nil, malformed("not a derived proof of the baseline")
	case err != nil:
		return nil, malformed("not a derived proof")
	}
	if len(p.PresentationHeader) > maxPresentationHeader || len(p.Selective) > bls12bbs.MaxMessages {
		return nil, malformed("derived proof with a part that is too long")
	}
	for i := range p.Labels {
		if i >= uint64(len(p.Labels)) {
			return nil, malformed("labels must be numbered from 0")
		}
	}
	if !ascending(p.Mandatory) || !ascending(p.Selective) {
		return nil, malformed("positions must ascend")
	}
	return p, nil
}

// labels is decompressLabelMap, in the order of the canonical labels.
func (p *derivedProof) labels() []string {
	out := make([]string, len(p.Labels))
	for i := range out {
		out[i] = "b" + strconv.FormatUint(p.Labels[uint64(i)], 10)
	}
	return out
}

// compressLabels is compressLabelMap.
func compressLabels(labels []string) (map[uint64]uint64, error) {
	out := make(map[uint64]uint64, len(labels))
	for i, label := range labels {
		n, err := strconv.ParseUint(strings.TrimPrefix(label, "b"), 10, 32)
		if err != nil {
			return nil, fmt.Errorf("bbs: a label is no number") // of sdprim.ShuffledLabels, all are
		}
		out[uint64(i)] = n
	}
	return out, nil
}

// positions turns those of a proof into places in a list of n, or fails.
func positions(list []uint64, n int) ([]int, bool) {
	out := make([]int, len(list))
	for i, v := range list {
		if v >= uint64(n) {
			return nil, false
		}
		out[i] = int(v)
	}
	return out, true
}

// numbers is the other way.
func numbers(list []int) []uint64 {
	out := make([]uint64, len(list))
	for i, v := range list {
		out[i] = uint64(v)
	}
	return out
}

func ascending(list []uint64) bool {
	for i := range list {
		if i > 0 && list[i-1] >= list[i] {
			return false
		}
	}
	return true
}

func malformed(what string) error {
	return fmt.Errorf("%w: %s", dataintegrity.ErrProofMalformed, what)
}
