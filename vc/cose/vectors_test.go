package cose

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
)

func decodeHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func parseJWK(t testing.TB, jwk string) crypto.PublicKey {
	t.Helper()
	pub, err := did.ParseJWK([]byte(jwk))
	require.NoError(t, err)
	return pub
}

// RFC 9052 appendix C.2.1: one ECDSA signature, with the kid in the unprotected
// header and a payload that is no JSON.
func TestRFC9052(t *testing.T) {
	t.Parallel()
	b := decodeHex(t, "d28443a10126a10442313154546869732069732074686520636f6e74656e742e58408eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e"+
		"2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36")
	pub := parseJWK(t, `{"kty":"EC","crv":"P-256","x":"usWxHK2PmfnHKwXPS54m0kTcGJ90UiglWiGahtagnv8","y":"IBOL-C3BttVivg-lSreASjpkttcsz-1rb7btKLv8EX4"}`)
	m, err := parseMessage(b)
	require.NoError(t, err)
	require.Equal(t, "ES256", m.header.algorithm)
	require.Empty(t, m.header.keyID)
	require.Equal(t, "This is the content.", string(m.payload))
	signed := toBeSigned(m.protected, m.payload)
	require.Equal(t, "846a5369676e61747572653143a101264054546869732069732074686520636f6e74656e742e", hex.EncodeToString(signed))
	require.NoError(t, did.VerifySignature(pub, signed, m.signature))
	_, err = Parse(vc.Secured{MediaType: MediaTypeCredential, Bytes: b})
	require.ErrorIs(t, err, ErrMalformed)
}

// The examples of the specification say ES384 in their headers and are signed with
// ES256: what they sign is what we would verify, and we refuse them.
func TestExamplesOfTheSpecification(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(vectors.Dir(t)), "specs", "vc-jose-cose-1.0.txt"))
	if err != nil {
		t.Skip("the text of the specification is not beside the vectors; README.md, Tests, says how to run this")
	}
	pub := parseJWK(t, `{"kty":"EC","crv":"P-256","x":"LzIYfeRobny2b4_h8_cCa8piPkRhh6TOfpOhW1xGMWA","y":"SfBpMd66qWI4ylwDdukvvaYVxi6n7Bne4FerlMufEmQ"}`)
	messages := regexp.MustCompile(`(?m)^d28444a1013822[0-9a-f]+$`).FindAll(text, -1)
	require.Len(t, messages, 6)
	for _, m := range messages {
		s := vc.Secured{MediaType: MediaTypeCredential, Bytes: decodeHex(t, string(m))}
		if bytes.Contains(s.Bytes[:300], []byte("Presentation")) {
			s.MediaType = MediaTypePresentation
		}
		token, err := Parse(s)
		require.NoError(t, err)
		require.Equal(t, "ES384", token.Algorithm())
		require.ErrorIs(t, token.Verify(pub), ErrAlgorithm)
		parsed := token.message
		require.NoError(t, did.VerifySignature(pub, toBeSigned(parsed.protected, parsed.payload), parsed.signature))
		require.Equal(t, s.Bytes, appendMessage(nil, parsed.protected, parsed.payload, parsed.signature))
	}
}

// Heads at the borders of their forms (RFC 8949 appendix A).
func TestAppendInt(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "00", 1: "01", 10: "0a", 23: "17", 24: "1818", 25: "1819", 100: "1864", 255: "18ff", 256: "190100", 1000: "1903e8", 65535: "19ffff", 65536: "1a00010000",
		1000000: "1a000f4240", 4294967295: "1affffffff", 4294967296: "1b0000000100000000", 1000000000000: "1b000000e8d4a51000",
		-1: "20", -10: "29", -24: "37", -25: "3818", -100: "3863", -1000: "3903e7", -9223372036854775808: "3b7fffffffffffffff",
	} {
		require.Equal(t, want, hex.EncodeToString(appendInt(nil, n)), n)
	}
	require.Equal(t, "40", hex.EncodeToString(appendBytes(nil, nil)))
	require.Equal(t, "6449455446", hex.EncodeToString(appendText(nil, "IETF")))
}
