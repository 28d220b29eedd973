package jose_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope/envelopetest"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// FuzzParse reads any header and payload, signed or not: nothing panics, and
// nothing verifies that is not a seed.
func FuzzParse(f *testing.F) {
	// A key for these seeds alone: the fuzzing cache may hold those of other days.
	by := envelopetest.NewParty(f, "fuzz "+envelopetest.PassportJSON, "EdDSA")
	c, err := issuer(by).Secure(f.Context(), envelopetest.Passport(f, by))
	require.NoError(f, err)
	p, err := (&jose.Presenter{Signer: by.Signer, Now: envelopetest.Clock}).Present(f.Context(), vc.NewPresentation(by.ID, c), audience, nonce)
	require.NoError(f, err)
	seeds := []vc.Secured{c, p, credential([]byte(example20)),
		legacy(token(f, by, legacyHeader, `{"iss":"did:example:i","nbf":1,"vc":{"@context":["`+contextV1+`"],"credentialSubject":{}}}`)),
		legacy(token(f, by, legacyHeader, `{"iss":"did:example:i","vp":{"@context":["`+contextV1+`"],"verifiableCredential":["a.b.c"]}}`)),
	}
	mediaTypes := []string{jose.MediaTypeCredential, jose.MediaTypePresentation, jose.MediaTypeLegacy}
	for i, s := range seeds {
		f.Add(uint8(i), s.Bytes, []byte(nil))
		header, payload := parts(f, s)
		f.Add(uint8(i), []byte(header), []byte(payload))
	}
	f.Fuzz(func(t *testing.T, kind uint8, header, payload []byte) {
		s := vc.Secured{MediaType: mediaTypes[int(kind)%3], Bytes: header}
		if payload != nil {
			s.Bytes = []byte(encode(string(header)) + "." + encode(string(payload)) + ".c2ln")
		}
		token, err := jose.Parse(s)
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
		seed := slices.ContainsFunc(seeds, func(seed vc.Secured) bool { return bytes.Equal(s.Bytes, seed.Bytes) })
		require.True(t, seed, "a token that nobody signed verifies")
	})
}
