package cose_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/internal/envelope/envelopetest"
)

// FuzzParse reads any message: nothing panics, and nothing verifies that is not a
// seed.
func FuzzParse(f *testing.F) {
	// A key for these seeds alone: the fuzzing cache may hold those of other days.
	by := envelopetest.NewParty(f, "fuzz "+envelopetest.PassportJSON, "EdDSA")
	c, err := issuer(by).Secure(f.Context(), envelopetest.Passport(f, by))
	require.NoError(f, err)
	p, err := (&cose.Presenter{Signer: by.Signer, Now: envelopetest.Clock}).Present(f.Context(), vc.NewPresentation(by.ID, c), audience, nonce)
	require.NoError(f, err)
	seeds := [][]byte{
		c.Bytes, p.Bytes,
		message(f, by, header{1: -8, 15: header{1: "did:example:i", 3: []any{"a"}, 4: 1.5, 10: "n"}, 16: "application/vc+cose"}, payload),
		message(f, by, header{1: -8, 2: []any{4}, 4: []byte("k")}, payload),
	}
	for i, b := range seeds {
		f.Add(i == 1, b)
	}
	f.Fuzz(func(t *testing.T, presentation bool, in []byte) {
		s := credential(in)
		if presentation {
			s.MediaType = cose.MediaTypePresentation
		}
		token, err := cose.Parse(s)
		if err != nil {
			return
		}
		_, err = strictjson.Append(nil, token.Document())
		require.NoError(t, err)
		_, _ = vc.CheckObject(token.Document())
		_, _ = token.Confirmation()
		if token.Verify(by.Signer.Public()) != nil {
			return
		}
		seed := false
		for _, b := range seeds { // with another unprotected header it is the same message
			seed = seed || bytes.HasSuffix(in, b[len(b)-64:])
		}
		require.True(t, seed, "a message that nobody signed verifies")
	})
}
