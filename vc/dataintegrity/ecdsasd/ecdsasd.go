// Package ecdsasd is the cryptosuite ecdsa-sd-2023 of Data Integrity ECDSA
// Cryptosuites v1.0 (Recommendation of 15 May 2025), sections 3.4 to 3.6: the holder
// of a credential shows the statements that a verifier needs, and the issuer's
// signature still holds.
//
// An issuer uses [Suite] in a dataintegrity.Issuer, a holder calls [Derive] for each
// verifier:
//
//	issuer := &dataintegrity.Issuer{Suite: ecdsasd.Suite(), Signer: signer, Contexts: schema.Contexts()}
//	base, err := issuer.Secure(ctx, credential)
//	shown, err := ecdsasd.Derive(ctx, base, []vc.Pointer{"/credentialSubject/registration"}, schema.Contexts())
//
// What the issuer makes, a base proof, is for the holder alone: it has the key that
// hides the labels of blank nodes and a signature for each statement. The suite
// verifies derived proofs and refuses base proofs with dataintegrity.ErrBaseProof.
//
// Keys are P-256: the specification gives its proof values no room for others. All
// that is shown from one credential carries the same signature, so that verifiers
// who meet can tell that it is the same (section 5.1); where that matters, issue
// several credentials and show each once, or use bbs-2023.
package ecdsasd

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
)

// name is the cryptosuite member of a proof.
const name = "ecdsa-sd-2023"

// Suite returns ecdsa-sd-2023. An issuer's suite makes base proofs, in which the
// values that mandatory points to, and the objects around them with their id and
// type, are shown by every derived proof. Where a credential has them, issuer,
// validFrom, validUntil, credentialStatus and the ids of its subjects are mandatory
// too: a verifier that did not see them could be misled. A verifier's suite is
// Suite().
//
// A pointer that matches nothing in a credential is dataintegrity.ErrPointer when it
// is secured, and so is the empty one.
func Suite(mandatory ...vc.Pointer) dataintegrity.Suite {
	return suite{mandatory: selective.Texts(mandatory)}
}

// A suite makes its own secrets, except in tests that have to come to the published
// figures.
type suite struct {
	mandatory []string
	given     *given
}

var _ dataintegrity.Suite = suite{}

// given are the secrets of a published example, in which statements are signed
// without randomness and no more is mandatory than was asked for.
type given struct {
	hmacKey []byte
	key     *ecdsa.PrivateKey
}

func (suite) Name() string { return name }

// IsBase reports whether proof is a base proof of this suite, which only its holder
// may have. What is neither that nor a derived proof is not one.
func IsBase(proof *strictjson.Object) bool {
	if s, _ := proof.Text("cryptosuite"); s != name {
		return false
	}
	value, _ := proof.Text("proofValue")
	return isBase(value)
}

// Mandatory returns the pointers to what every derived proof shows of a credential
// with a base proof. Nothing is verified. Errors are those of [Derive].
func Mandatory(s vc.Secured) ([]vc.Pointer, error) {
	_, _, base, err := open(s)
	if err != nil {
		return nil, err
	}
	return selective.Pointers(base.Mandatory), nil
}

// p256 returns the key if it is one of the suite.
func p256(pub crypto.PublicKey) (*ecdsa.PublicKey, error) {
	if key, ok := pub.(*ecdsa.PublicKey); ok && key.Curve == elliptic.P256() {
		return key, nil
	}
	return nil, dataintegrity.ErrKey
}

// hashOptions returns the hash of the proof without its value.
func hashOptions(ctx context.Context, contexts *vc.ContextSet, proof, doc *strictjson.Object) ([]byte, error) {
	return selective.HashOptions(ctx, contexts, proof, doc, "ecdsasd")
}

// signedData is serializeSignData (section 3.5.1).
func signedData(optionsHash, publicKey, mandatoryHash []byte) []byte {
	out := make([]byte, 0, len(optionsHash)+len(publicKey)+len(mandatoryHash))
	return append(append(append(out, optionsHash...), publicKey...), mandatoryHash...)
}

// wrap turns the errors of the packages below into those of the suites, or puts the
// name of this package before them.
func wrap(err error) error { return selective.Error(err, "ecdsasd") }

// keyOf returns the key that verifies a proof.
func keyOf(method *did.VerificationMethod) (*ecdsa.PublicKey, error) {
	if method == nil {
		return nil, dataintegrity.ErrKey
	}
	return p256(method.PublicKey())
}
