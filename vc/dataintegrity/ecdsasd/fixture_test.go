package ecdsasd

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// A plainSigner signs without randomness (RFC 6979), as the published examples do.
type plainSigner struct {
	vm  did.URL
	key *ecdsa.PrivateKey
}

func (s plainSigner) VerificationMethod() did.URL { return s.vm }

func (s plainSigner) Public() crypto.PublicKey { return &s.key.PublicKey }

func (s plainSigner) Sign(_ context.Context, message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	der, err := s.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return nil, err
	}
	out := make([]byte, 64)
	rs.R.FillBytes(out[:32])
	rs.S.FillBytes(out[32:])
	return out, nil
}

// contextsOf accepts the @context of a document as it is.
func contextsOf(t testing.TB, doc *strictjson.Object) *vc.ContextSet {
	t.Helper()
	c, err := vc.ParseObject(doc)
	require.NoError(t, err)
	set, err := vc.NewContextSet(nil, c.Context)
	require.NoError(t, err)
	return set
}

// verify is what a verifier does with the cryptography of a secured credential.
func verify(t testing.TB, secured []byte, method *did.VerificationMethod, contexts *vc.ContextSet) error {
	t.Helper()
	o, err := strictjson.ParseObject(secured)
	if err != nil {
		return err
	}
	doc, proof, err := dataintegrity.SplitProof(o)
	if err != nil {
		return err
	}
	if err := dataintegrity.CheckContext(doc, contexts); err != nil {
		return err
	}
	signed, err := Suite().Verify(t.Context(), doc, proof, method, contexts)
	if err != nil {
		require.Nil(t, signed)
	}
	return err
}

// flips changes every byte of a secured credential, one at a time, in the lowest
// bit. What still verifies must say the same.
func flips(t *testing.T, secured []byte, method *did.VerificationMethod, contexts *vc.ContextSet) {
	t.Helper()
	require.NoError(t, verify(t, secured, method, contexts))
	original, err := strictjson.ParseObject(secured)
	require.NoError(t, err)
	for i := range secured {
		changed := append([]byte{}, secured...)
		changed[i] ^= 1
		if verify(t, changed, method, contexts) == nil {
			o, err := strictjson.ParseObject(changed)
			require.NoError(t, err)
			require.True(t, strictjson.Equal(original, o), "byte %d", i)
		}
	}
}
