package didwebvh

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/diproof"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

const keyPrefix = "did:key:"

// suite is the only one that this version of the method permits, for entries and for
// witnesses (parameter method).
func suite() diproof.Suite { return diproof.Suite{Name: "eddsa-jcs-2022", Hash: diproof.SHA256} }

// UpdateKey returns the Signer of an Ed25519 key under its did:key, for the entries of
// a log and for witnesses. A key of another type is [did.ErrUnsupported].
func UpdateKey(key crypto.Signer) (did.Signer, error) {
	if key == nil {
		return nil, fmt.Errorf("%w: an update key is needed", did.ErrInvalid)
	}
	multikey, err := multikeyOf(key.Public())
	if err != nil {
		return nil, err
	}
	id, err := did.Parse(keyPrefix + multikey)
	if err != nil {
		return nil, err
	}
	return did.NewSigner(id.URL(multikey), key)
}

// multikeyOf returns the Multikey of an Ed25519 public key.
func multikeyOf(pub crypto.PublicKey) (string, error) {
	if _, ok := pub.(ed25519.PublicKey); !ok {
		return "", fmt.Errorf("%w: did:webvh is updated with Ed25519 keys", did.ErrUnsupported)
	}
	return did.Multikey(pub)
}

// sign returns the proof of key over doc, as of now.
func sign(ctx context.Context, doc *strictjson.Object, key did.Signer, now time.Time) (*strictjson.Object, error) {
	multikey, err := multikeyOf(key.Public())
	if err != nil {
		return nil, err
	}
	options := strictjson.NewObject(
		strictjson.Member{Name: "type", Value: diproof.Type},
		strictjson.Member{Name: "cryptosuite", Value: suite().Name},
		strictjson.Member{Name: "verificationMethod", Value: keyPrefix + multikey + "#" + multikey},
		strictjson.Member{Name: "created", Value: xsd.Format(now)},
		strictjson.Member{Name: "proofPurpose", Value: string(did.AssertionMethod)},
	)
	proof, err := diproof.Create(doc, options, suite(), func(data []byte) ([]byte, error) { return did.Sign(ctx, key, data) })
	if err != nil {
		return nil, fmt.Errorf("didwebvh: signing: %w", err)
	}
	return proof, nil
}

// signer returns the Multikey that a proof says it was made with (sections Authorized
// Keys and Verifying Witness Proofs During Resolution): did:key:<key>#<key>.
func signer(proof *strictjson.Object) (string, bool) {
	vm, _ := proof.Text("verificationMethod")
	body, fragment, ok := strings.Cut(strings.TrimPrefix(vm, keyPrefix), "#")
	return body, ok && body == fragment && strings.HasPrefix(vm, keyPrefix)
}

// verify checks the proof by the key over doc: suite, purpose, signature, and that it
// has not expired.
func verify(doc, proof *strictjson.Object, multikey string, now time.Time) error {
	if purpose, _ := proof.Text("proofPurpose"); purpose != string(did.AssertionMethod) {
		return fmt.Errorf("%w: purpose", ErrProof)
	}
	if _, ok := proof.Get("expires"); ok {
		text, _ := proof.Text("expires")
		if t, err := xsd.ParseDateTimeStamp(text); err != nil || !now.Before(t) {
			return fmt.Errorf("%w: expired", ErrProof)
		}
	}
	key, err := ed25519Key(multikey)
	if err != nil {
		return fmt.Errorf("%w: key", ErrProof)
	}
	_, err = diproof.Verify(doc, proof, suite(), func(data, signature []byte) error { return did.VerifySignature(key, data, signature) })
	if err != nil {
		return fmt.Errorf("%w: %v", ErrProof, errtext.Below(err))
	}
	return nil
}
