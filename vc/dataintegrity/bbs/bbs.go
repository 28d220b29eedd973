// Package bbs is the cryptosuite bbs-2023, the baseline of Data Integrity BBS
// Cryptosuites v1.0 (editors' draft of April 2025), section 3: the holder of a
// credential shows the statements that a verifier needs with a proof that nobody can
// tell from one made of another credential.
//
// An issuer uses [Suite] in a dataintegrity.Issuer with a key by [NewSigner], a holder
// calls [Derive] for each verifier:
//
//	issuer := &dataintegrity.Issuer{Suite: bbs.Suite(), Signer: signer, Contexts: schema.Contexts()}
//	base, err := issuer.Secure(ctx, credential)
//	shown, err := bbs.Derive(ctx, base, []vc.Pointer{"/credentialSubject/registration"}, schema.Contexts(),
//		bbs.SessionHeader(audience, nonce))
//
// What the issuer makes, a base proof, is for the holder alone: it has the signature
// itself and the key that hides the order of blank nodes. The suite verifies derived
// proofs and refuses base proofs with dataintegrity.ErrBaseProof. Holder binding and
// pseudonyms, which the specification marks as at risk, are not implemented.
//
// # What still links
//
// The proof links nothing; what is shown may. A credential that is meant to be
// unlinkable has no id and no subject id, is shown without a holder's proof, and shows
// no value that only one person has. Its proof says created to the day only, whatever
// clock the issuer has. A verifier also sees how many statements there are and the
// places of those that are shown, which differ from person to person unless the issuer
// fills up what somebody lacks; and, if many nested objects are shown, their order,
// which is random for each credential and the same each time: issue what must not
// link as flat as can be. The presentation header binds a proof to one session: it is
// the verifier who must compare it with [SessionHeader] of what it asked for.
//
// The first calls of a process build tables of 0.4 MB for each of the first 64
// statements, unless GOMEMLIMIT is below 256 MiB.
package bbs

import (
	"context"
	"errors"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/bls12bbs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
)

// name is the cryptosuite member of a proof.
const name = "bbs-2023"

// ErrTooMany says that a credential has more than 512 statements that are not
// mandatory: as many as an SD-JWT may have disclosures.
var ErrTooMany = errors.New("bbs: too many statements that are not mandatory")

// Suite returns bbs-2023. An issuer's suite makes base proofs, in which the values
// that mandatory points to, and the objects around them with their id and type, are
// shown by every derived proof. Where a credential has them, issuer, validFrom,
// validUntil, credentialStatus and the ids of its subjects are mandatory too: a
// verifier that did not see them could be misled. A verifier's suite is Suite().
//
// A pointer that matches nothing in a credential is dataintegrity.ErrPointer when it
// is secured, and so is the empty one; too many statements are [ErrTooMany].
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

// given are the secrets of a published example, in which no more is mandatory than
// was asked for and the time is told to the second.
type given struct {
	hmacKey []byte
}

func (suite) Name() string { return name }

// IsBase reports whether proof is a base proof of this suite, which only its holder
// may have: with or without the features that are not implemented here. What is
// neither that nor a derived proof is not one.
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

// hashOptions returns the hash of the proof without its value.
func hashOptions(ctx context.Context, contexts *vc.ContextSet, proof, doc *strictjson.Object) ([]byte, error) {
	return selective.HashOptions(ctx, contexts, proof, doc, "bbs")
}

// header is bbsHeader (base proof serialization, step 2).
func header(optionsHash, mandatoryHash []byte) []byte {
	return append(append(make([]byte, 0, headerSize), optionsHash...), mandatoryHash...)
}

// messages returns the lines at the given positions as BBS messages.
func messages(lines []string, at []int) [][]byte {
	out := make([][]byte, len(at))
	for i, position := range at {
		out[i] = []byte(lines[position])
	}
	return out
}

// publicKey returns the key that verifies a proof.
func publicKey(method *did.VerificationMethod) (*bls12bbs.PublicKey, error) {
	if method == nil {
		return nil, dataintegrity.ErrKey
	}
	octets, ok := method.PublicKey().(did.BLS12381G2)
	if !ok {
		return nil, dataintegrity.ErrKey
	}
	key, err := bls12bbs.ParsePublicKey(octets[:])
	if err != nil {
		return nil, dataintegrity.ErrKey
	}
	return key, nil
}

// wrap puts the name of this package before the errors of those below it.
func wrap(err error) error {
	switch {
	case errors.Is(err, bls12bbs.ErrProof), errors.Is(err, bls12bbs.ErrSignature), errors.Is(err, bls12bbs.ErrIndexes):
		return dataintegrity.ErrSignature
	case errors.Is(err, bls12bbs.ErrTooMany):
		return ErrTooMany
	}
	return selective.Error(err, "bbs")
}
