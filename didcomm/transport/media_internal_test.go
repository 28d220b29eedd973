package transport

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

func protected(header string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header))
}

// TestInterop_ContentTypes: each version is sent with exactly one media type, told from
// what the envelope is and not from who made it.
func TestInterop_ContentTypes(t *testing.T) {
	t.Parallel()
	const rest = `"iv":"AA","ciphertext":"AA","tag":"AA"`
	v1 := protected(`{"enc":"xchacha20poly1305_ietf","typ":"JWM/1.0","alg":"Authcrypt","recipients":[]}`)
	for name, tt := range map[string]struct{ envelope, want string }{
		"v1":            {`{"protected":"` + v1 + `",` + rest + `}`, typeV1},
		"v1 padded":     {`{"protected":"` + v1 + `==",` + rest + `}`, typeV1},
		"v1 anonymous":  {`{` + rest + `,"protected":"` + protected(`{"alg":"Anoncrypt"}`) + `"}`, typeV1},
		"v1 spaced":     {" {\n \"protected\" : \"" + v1 + "\" ,\t" + rest + " }\n", typeV1},
		"v2 authcrypt":  {`{"ciphertext":"AA","protected":"` + protected(`{"alg":"ECDH-1PU+A256KW"}`) + `","recipients":[{"header":{"kid":"did:example:1#\"}"}}]}`, typeV2},
		"v2 anoncrypt":  {`{"protected":"` + protected(`{"alg":"ECDH-ES+A256KW"}`) + `",` + rest + `}`, typeV2},
		"no algorithm":  {`{"protected":"",` + rest + `}`, typeV2},
		"signed":        {`{"payload":"AA","signatures":[{"protected":"AA","signature":"AA"}]}`, typeV2Sign},
		"flattened":     {`{"payload":"AA","protected":"AA","signature":"AA"}`, typeV2Sign},
		"inner objects": {`{"a":{"b":[1,{"c":"]}"}]},"n":1.5e3,"t":true,"z":null,` + rest + `}`, typeV2},

		"empty object":   {`{}`, ""},
		"plaintext":      {`{"id":"1","type":"x","body":{"ciphertext":"AA"}}`, ""},
		"nothing":        {``, ""},
		"page":           {`<html>ciphertext</html>`, ""},
		"word":           {`OK`, ""},
		"array":          {`[{"ciphertext":"AA"}]`, ""},
		"cut":            {`{"ciphertext":"AA"`, ""},
		"cut string":     {`{"ciphertext":"AA\`, ""},
		"cut name":       {`{"ciphertext`, ""},
		"no colon":       {`{"ciphertext" "AA"}`, ""},
		"no value":       {`{"ciphertext":}`, ""},
		"two objects":    {`{"ciphertext":"AA"}{}`, ""},
		"name no string": {`{ciphertext:"AA"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, mediaTypeOf([]byte(tt.envelope)))
		})
	}
}

// A hostile envelope costs nothing but a walk over it.
func TestMediaTypeOfLargeEnvelopes(t *testing.T) {
	large := []byte(`{"ciphertext":"` + strings.Repeat("A", didcomm.MaxEnvelope) + `","protected":"` + strings.Repeat("A", maxProtected+1) + `"}`)
	deep := []byte(strings.Repeat(`{"a":[`, didcomm.MaxEnvelope/6))
	require.Equal(t, typeV2, mediaTypeOf(large))
	require.Empty(t, mediaTypeOf(deep))
	require.LessOrEqual(t, testing.AllocsPerRun(1, func() { mediaTypeOf(large); mediaTypeOf(deep) }), 4.0)
}

func FuzzMediaTypeOf(f *testing.F) {
	f.Add([]byte(`{"protected":"eyJhbGciOiJBdXRoY3J5cHQifQ","ciphertext":"AA"}`))
	f.Add([]byte(`{"payload":"AA","signatures":[{"signature":"\"}"}]}`))
	f.Add([]byte(` {"a" : [1 , {}] }`))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		got := mediaTypeOf(envelope)
		require.True(t, got == "" || isMediaType(got))
	})
}

// The memory for the limits is bounded, and who sends is not forgotten while it sends.
func TestMeterIsBounded(t *testing.T) {
	t.Parallel()
	var m meter
	first := m.of("first", 1, 1)
	for i := range 3 * maxPeers {
		m.of(strings.Repeat("x", i%7)+string(rune('a'+i%26))+protected(string(rune(i))), 1, 1)
		require.Same(t, first, m.of("first", 1, 1))
		require.LessOrEqual(t, len(m.young)+len(m.old), 2*maxPeers)
	}
	gone := m.of("gone", 1, 1)
	for i := range 3 * maxPeers {
		m.of(protected(string(rune(i+1)))+"y", 1, 1)
	}
	require.NotSame(t, gone, m.of("gone", 1, 1))
}
