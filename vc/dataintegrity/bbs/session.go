package bbs

import (
	"crypto/sha256"
	"fmt"

	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// SessionHeader returns the presentation header that binds a derived proof to one
// request of one verifier: the SHA-256 hash of the canonical JSON (RFC 8785) of
//
//	{"audience": audience, "nonce": nonce}
//
// where audience is the verifier's identifier and nonce its challenge. A verifier
// accepts a proof if [PresentationHeader] of it is that of its own request, and a
// nonce once.
func SessionHeader(audience, nonce string) []byte {
	text, err := jcs.Append(nil, strictjson.NewObject(
		strictjson.Member{Name: "audience", Value: audience},
		strictjson.Member{Name: "nonce", Value: nonce},
	))
	if err != nil { // not Unicode, and no JSON: no two of them are the same
		text = fmt.Appendf(nil, "%q %q", audience, nonce)
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

// PresentationHeader returns what a derived proof is bound to, as far as it says: it
// holds if the proof does. Errors match dataintegrity.ErrSuite,
// dataintegrity.ErrBaseProof and dataintegrity.ErrProofMalformed.
func PresentationHeader(proof *strictjson.Object) ([]byte, error) {
	if s, _ := proof.Text("cryptosuite"); s != name {
		return nil, dataintegrity.ErrSuite
	}
	value, _ := proof.Text("proofValue")
	derived, err := parseDerived(value)
	if err != nil {
		return nil, err
	}
	return derived.PresentationHeader, nil
}
