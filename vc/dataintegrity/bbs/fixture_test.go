package bbs

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// keyPair returns a signer whose DID is its did:key, and what that resolves to.
func keyPair(t testing.TB, secret []byte) (Signer, *did.VerificationMethod) {
	t.Helper()
	named, err := did.ParseURL("did:example:a#k")
	require.NoError(t, err)
	s, err := NewSigner(named, secret)
	require.NoError(t, err)
	text, err := did.Multikey(s.Public())
	require.NoError(t, err)
	vm, err := did.ParseURL("did:key:" + text + "#" + text)
	require.NoError(t, err)
	s, err = NewSigner(vm, secret)
	require.NoError(t, err)
	method, err := did.NewVerificationMethod(vm, s.Public(), did.AssertionMethod)
	require.NoError(t, err)
	return s, method
}

// expand is expand_message_xmd with SHA-256 (RFC 9380 section 5.3.1).
func expand(message []byte, dst string, n int) []byte {
	suffix := append([]byte(dst), byte(len(dst)))
	in := append(make([]byte, 64), message...)
	in = append(in, byte(n>>8), byte(n), 0)
	b0 := sha256.Sum256(append(in, suffix...))
	var b [32]byte
	var out []byte
	for i := byte(1); len(out) < n; i++ {
		for j := range b {
			b[j] ^= b0[j]
		}
		b = sha256.Sum256(append(append(b[:], i), suffix...))
		out = append(out, b[:]...)
	}
	return out[:n]
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
	step := vectors.Step(t, "changed bytes", 31)
	for i := 0; i < len(secured); i += step {
		changed := append([]byte{}, secured...)
		changed[i] ^= 1
		if verify(t, changed, method, contexts) == nil {
			o, err := strictjson.ParseObject(changed)
			require.NoError(t, err)
			require.True(t, strictjson.Equal(original, o), "byte %d", i)
		}
	}
}
