package envelope_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

// One agent takes only padded base64url and sends it, another sends it unpadded and takes
// both: we send it padded and take both.
func TestInterop_RFC0019Base64(t *testing.T) {
	t.Parallel()
	alice, bob := party(1), party(2)
	for _, text := range []string{"", "a", "ab", "abc", hello} { // every number of padding characters
		packed, err := alice.PackV1(t.Context(), []byte(text), alice.key, bob.key)
		require.NoError(t, err)
		var outer map[string]string
		require.NoError(t, json.Unmarshal(packed, &outer))
		for name, value := range outer {
			_, err := base64.URLEncoding.Strict().DecodeString(value)
			require.NoError(t, err, "%s of %q", name, text)
			outer[name] = strings.TrimRight(value, "=")
		}
		_, err = bob.Unpack(t.Context(), packed)
		require.NoError(t, err)
	}
	for _, encoding := range []*base64.Encoding{base64.URLEncoding, base64.RawURLEncoding} {
		f := newForgery(t, alice, bob)
		f.encoding = encoding
		got, err := bob.Unpack(t.Context(), f.envelope(t))
		require.NoError(t, err)
		require.Equal(t, hello, string(got.Plaintext))
	}
}

// Two names of one cipher: one agent sends the shorter and does not look, another sends
// and wants the longer.
func TestInterop_RFC0019EncLabel(t *testing.T) {
	t.Parallel()
	alice, bob := party(1), party(2)
	packed, err := alice.PackV1(t.Context(), []byte(hello), alice.key, bob.key)
	require.NoError(t, err)
	require.Contains(t, string(header(t, packed)), `"enc":"xchacha20poly1305_ietf"`)
	for _, label := range []string{"xchacha20poly1305_ietf", "chacha20poly1305_ietf"} {
		f := newForgery(t, alice, bob)
		f.edit(`xchacha20poly1305_ietf`, label)
		got, err := bob.Unpack(t.Context(), f.envelope(t))
		require.NoError(t, err)
		require.Equal(t, alice.key, got.Sender)
	}
}

// Version 2 is written in general JSON with apv, and apu where there is a sender; what has
// no apv, as an agent of an older draft writes it, and what is compact is not taken.
func TestInterop_V2GeneralJSON(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519", "X25519")
	for _, o := range []envelope.Options{{From: alice.id}, {}, {Sign: alice.signer}, {From: alice.id, HideSender: true}} {
		o.To = bob.id
		packed, err := alice.PackV2(t.Context(), message(alice, bob), o)
		require.NoError(t, err)
		requireShape(t, packed, "X25519", envelope.A256CBCHS512, o.From.IsZero() || o.HideSender, bob.id)
	}
	signed, err := alice.SignV2(t.Context(), message(alice, bob), alice.signer)
	require.NoError(t, err)
	require.Regexp(t, `^\{"payload":"[\w-]+","signatures":\[\{"protected":"[\w-]+","signature":"[\w-]+","header":\{"kid":"did:example:alice#sign"\}\}\]\}$`, string(signed))

	for name, change := range map[string]func(*forgeryV2){
		"compact":   func(f *forgeryV2) { f.outer = `$protected.$recipients.$iv.$ciphertext.$tag` },
		"flattened": func(f *forgeryV2) { f.around(`"recipients":[$recipients]`, `"encrypted_key":"x"`) },
		"no apv":    func(f *forgeryV2) { f.edit(`"apv"`, `"apx"`) },
		"XC20PKW":   func(f *forgeryV2) { f.edit(`ECDH-1PU+A256KW`, `ECDH-1PU+XC20PKW`) },
		"XC20P":     func(f *forgeryV2) { f.edit(`A256CBC-HS512`, `XC20P`) },
	} {
		f := newForgeryV2(t, alice, bob)
		change(f)
		_, err := bob.Unpack(t.Context(), f.envelope())
		require.ErrorIs(t, err, didcomm.ErrPermanent, name)
	}
}
