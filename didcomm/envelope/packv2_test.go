package envelope_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
)

// Every combination of layers that is emitted, on every curve that is.
func TestPackV2(t *testing.T) {
	t.Parallel()
	for _, curve := range []string{"X25519", "P-256", "P-384"} {
		among := directory{}
		alice, bob := newPartyV2(t, among, "alice", curve), newPartyV2(t, among, "bob", curve, curve, "P-521")
		carol := newPartyV2(t, among, "carol", curve)
		auth := envelope.Received{Authenticated: true, From: alice.id}
		signed := func(s did.Signer) envelope.Received {
			return envelope.Received{Authenticated: true, From: alice.id, Signer: s.VerificationMethod()}
		}
		for name, c := range map[string]struct {
			options envelope.Options
			want    envelope.Received
			enc     string // of the outer layer
		}{
			"auth":                {envelope.Options{From: alice.id}, auth, envelope.A256CBCHS512},
			"auth, enc of no use": {envelope.Options{From: alice.id, Enc: envelope.XC20P}, auth, envelope.A256CBCHS512},
			"anon":                {envelope.Options{}, envelope.Received{}, envelope.A256CBCHS512},
			"anon GCM":            {envelope.Options{Enc: envelope.A256GCM}, envelope.Received{}, envelope.A256GCM},
			"anon XC20P":          {envelope.Options{Enc: envelope.XC20P}, envelope.Received{}, envelope.XC20P},
			"signed EdDSA":        {envelope.Options{Sign: alice.signer}, signed(alice.signer), envelope.A256CBCHS512},
			"signed ES256":        {envelope.Options{Sign: alice.p256, Enc: envelope.A256GCM}, signed(alice.p256), envelope.A256GCM},
			"hidden":              {envelope.Options{From: alice.id, HideSender: true}, auth, envelope.A256CBCHS512},
			"hidden XC20P":        {envelope.Options{From: alice.id, HideSender: true, Enc: envelope.XC20P}, auth, envelope.XC20P},
		} {
			t.Run(curve+" "+name, func(t *testing.T) {
				t.Parallel()
				text := message(alice, bob)
				c.options.To = bob.id
				packed, err := alice.PackV2(t.Context(), text, c.options)
				require.NoError(t, err)
				got, err := bob.Unpack(t.Context(), packed)
				require.NoError(t, err)
				c.want.Version, c.want.Encrypted, c.want.Plaintext, c.want.To = didcomm.V2, true, text, bob.id
				require.Equal(t, &c.want, got)
				requireShape(t, packed, curve, c.enc, c.options.From.IsZero() || c.options.HideSender, bob.id)
				require.Equal(t, strings.Contains(string(decodedHeader(t, packed)), "alice"), !c.options.From.IsZero() && !c.options.HideSender)

				again, err := alice.PackV2(t.Context(), text, c.options)
				require.NoError(t, err)
				require.NotEqual(t, packed, again)
				_, err = carol.Unpack(t.Context(), packed)
				require.ErrorIs(t, err, envelope.ErrNotForUs)
			})
		}
	}
}

// requireShape checks every member of an encrypted envelope to bob's first two keys
// (interop.md, DIDComm v2: general JSON, apv, apu of skid).
func requireShape(t *testing.T, packed []byte, curve, enc string, anonymous bool, to did.DID) {
	t.Helper()
	var e struct {
		Protected, IV, Ciphertext, Tag string
		Recipients                     []struct {
			Header       map[string]string
			EncryptedKey string `json:"encrypted_key"`
		}
	}
	require.NoError(t, json.Unmarshal(packed, &e))
	var names []string
	var members map[string]any
	require.NoError(t, json.Unmarshal(packed, &members))
	for name := range members {
		names = append(names, name)
	}
	require.ElementsMatch(t, []string{"protected", "recipients", "iv", "ciphertext", "tag"}, names)
	kids := []string{to.URL("agree-1").String(), to.URL("agree-2").String()}
	size := map[string]int{envelope.A256CBCHS512: 72, envelope.A256GCM: 40, envelope.XC20P: 40}[enc]
	for i, r := range e.Recipients {
		require.Equal(t, map[string]string{"kid": kids[i]}, r.Header)
		require.Len(t, r.EncryptedKey, base64.RawURLEncoding.EncodedLen(size))
	}
	require.Len(t, e.Recipients, 2)
	var header map[string]any
	require.NoError(t, json.Unmarshal(decodedHeader(t, packed), &header))
	slices.Sort(kids)
	apv := sha256.Sum256([]byte(strings.Join(kids, ".")))
	want := map[string]any{"typ": "application/didcomm-encrypted+json", "alg": "ECDH-ES+A256KW", "enc": enc,
		"apv": base64.RawURLEncoding.EncodeToString(apv[:]), "epk": header["epk"]}
	if !anonymous {
		want["alg"], want["skid"] = "ECDH-1PU+A256KW", "did:example:alice#agree-1"
		want["apu"] = base64.RawURLEncoding.EncodeToString([]byte("did:example:alice#agree-1"))
	}
	require.Equal(t, want, header)
	require.Equal(t, curve, header["epk"].(map[string]any)["crv"])
	require.NotContains(t, header["epk"], "d")
}

func decodedHeader(t testing.TB, packed []byte) []byte {
	t.Helper()
	var e struct{ Protected string }
	require.NoError(t, json.Unmarshal(packed, &e))
	b, err := base64.RawURLEncoding.DecodeString(e.Protected)
	require.NoError(t, err)
	return b
}

// The first key of the recipient whose curve the sender has decides.
func TestPackV2Curve(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to []string
		auth     string // the sender's key; empty: none fits
		authTo   string // the recipient's keys
		anonTo   string
	}{
		"one":                   {[]string{"X25519"}, []string{"X25519"}, "1", "1", "1"},
		"recipient's order":     {[]string{"X25519", "P-256"}, []string{"P-256", "X25519"}, "2", "1", "1"},
		"what the sender has":   {[]string{"X25519"}, []string{"P-256", "X25519", "X25519"}, "1", "23", "1"},
		"all of one curve":      {[]string{"P-384"}, []string{"P-384", "X25519", "P-384"}, "1", "13", "13"},
		"not to P-521":          {[]string{"P-521", "X25519"}, []string{"P-521", "X25519"}, "2", "2", "2"},
		"P-521 alone":           {[]string{"P-521"}, []string{"P-521"}, "", "", ""},
		"nothing in common":     {[]string{"P-256"}, []string{"X25519", "P-384"}, "", "", "1"},
		"sender without keys":   {nil, []string{"X25519"}, "", "", "1"},
		"receiver without keys": {[]string{"X25519"}, nil, "", "", ""},
		"16 of 17": {[]string{"X25519"}, slices.Repeat([]string{"X25519"}, 17), "1",
			"12345678910111213141516", "12345678910111213141516"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			among := directory{}
			alice, bob := newPartyV2(t, among, "alice", c.from...), newPartyV2(t, among, "bob", c.to...)
			for _, from := range []did.DID{alice.id, {}} {
				want := c.anonTo
				if !from.IsZero() {
					want = c.authTo
				}
				packed, err := alice.PackV2(t.Context(), message(alice, bob), envelope.Options{From: from, To: bob.id})
				if want == "" {
					require.ErrorIs(t, err, didcomm.ErrPermanent)
					continue
				}
				require.NoError(t, err)
				var e struct {
					Recipients []struct{ Header struct{ Kid string } }
				}
				require.NoError(t, json.Unmarshal(packed, &e))
				got := ""
				for _, r := range e.Recipients {
					got += strings.TrimPrefix(r.Header.Kid, "did:example:bob#agree-")
				}
				require.Equal(t, want, got)
				if !from.IsZero() {
					require.Contains(t, string(decodedHeader(t, packed)), `"skid":"did:example:alice#agree-`+c.auth+`"`)
				}
				_, err = bob.Unpack(t.Context(), packed)
				require.NoError(t, err)
			}
		})
	}
}

// A mediator's routing key is one key of its DID.
func TestPackV2ToKey(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519", "P-256")
	packed, err := alice.PackV2(t.Context(), plain(), envelope.Options{ToKey: bob.id.URL("agree-2")})
	require.NoError(t, err)
	require.NotContains(t, string(packed), "agree-1")
	got, err := bob.Unpack(t.Context(), packed)
	require.NoError(t, err)
	require.Equal(t, bob.id, got.To)
	for name, o := range map[string]envelope.Options{
		"of another":  {To: alice.id, ToKey: bob.id.URL("agree-2")},
		"not there":   {ToKey: bob.id.URL("agree-3")},
		"to sign":     {ToKey: bob.id.URL("sign")},
		"no fragment": {ToKey: did.URL{DID: bob.id}},
	} {
		_, err := alice.PackV2(t.Context(), plain(), o)
		require.ErrorIs(t, err, didcomm.ErrPermanent, name)
	}
}

func TestPackV2Refuses(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob, carol := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519"), newPartyV2(t, among, "carol", "X25519")
	asserting, err := did.NewSigner(alice.id.URL("p384"), ecdsaP384(t))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		text    []byte
		options envelope.Options
	}{
		"nobody":                     {message(alice, bob), envelope.Options{From: alice.id}},
		"signed and authenticated":   {message(alice, bob), envelope.Options{From: alice.id, To: bob.id, Sign: alice.signer}},
		"hidden nobody":              {message(alice, bob), envelope.Options{To: bob.id, HideSender: true}},
		"hidden signer":              {message(alice, bob), envelope.Options{To: bob.id, HideSender: true, Sign: alice.signer}},
		"unknown enc":                {message(alice, bob), envelope.Options{To: bob.id, Enc: "A128GCM"}},
		"signer's algorithm":         {message(alice, bob), envelope.Options{To: bob.id, Sign: asserting}},
		"from another":               {message(carol, bob), envelope.Options{From: alice.id, To: bob.id}},
		"signed by another":          {message(carol, bob), envelope.Options{To: bob.id, Sign: alice.signer}},
		"to another":                 {message(alice, carol), envelope.Options{From: alice.id, To: bob.id}},
		"anonymous to another":       {message(alice, carol), envelope.Options{To: bob.id}},
		"signed to nobody":           {plain(fromHeader(alice.id)), envelope.Options{To: bob.id, Sign: alice.signer}},
		"authenticated without from": {plain(toHeader(bob.id)), envelope.Options{From: alice.id, To: bob.id}},
		"signed without from":        {plain(toHeader(bob.id)), envelope.Options{To: bob.id, Sign: alice.signer}},
		"version 1":                  {[]byte(hello), envelope.Options{To: bob.id}},
		"no JSON":                    {[]byte(`hello`), envelope.Options{To: bob.id}},
		"an array":                   {[]byte(`[]`), envelope.Options{To: bob.id}},
		"nothing":                    {nil, envelope.Options{To: bob.id}},
		"from with a fragment":       {plain(`"from":"did:example:alice#sign"`), envelope.Options{From: alice.id, To: bob.id}},
		"another's DID":              {message(carol, bob), envelope.Options{From: carol.id, To: bob.id}},
		"too large":                  {plain(toHeader(bob.id), `"x":"`+strings.Repeat("x", 3<<20)+`"`), envelope.Options{To: bob.id}},
		"far too large":              {make([]byte, didcomm.MaxEnvelope+1), envelope.Options{To: bob.id}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := alice.PackV2(t.Context(), c.text, c.options)
			require.ErrorIs(t, err, didcomm.ErrPermanent)
			require.Nil(t, got)
		})
	}
	for name, c := range map[string]struct {
		text   []byte
		signer did.Signer
	}{
		"no signer":          {message(alice, bob), nil},
		"signer's algorithm": {message(alice, bob), asserting},
		"another's message":  {message(bob, alice), alice.signer},
		"no message":         {[]byte(`{}`), alice.signer},
		"too large":          {plain(fromHeader(alice.id), `"x":"`+strings.Repeat("x", 3<<20)+`"`), alice.signer},
	} {
		_, err := alice.SignV2(t.Context(), c.text, c.signer)
		require.ErrorIs(t, err, didcomm.ErrPermanent, name)
	}
}

// A DID that cannot be resolved now may be later; one that never can is refused.
func TestPackV2Lookup(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	for _, c := range []struct {
		err       error
		permanent bool
	}{{did.ErrUnavailable, false}, {did.ErrNotFound, false}, {did.ErrUnsupported, true}, {did.ErrInvalid, true}, {errors.New("else"), false}} {
		p := alice.Packer
		p.Resolver = failing{among, bob.id, c.err}
		_, err := p.PackV2(t.Context(), message(alice, bob), envelope.Options{From: alice.id, To: bob.id})
		require.ErrorIs(t, err, c.err)
		require.Equal(t, c.permanent, errors.Is(err, didcomm.ErrPermanent), "%v", c.err)
	}
	p := alice.Packer
	p.Resolver = nil
	_, err := p.PackV2(t.Context(), message(alice, bob), envelope.Options{From: alice.id, To: bob.id})
	require.Error(t, err)
	p = alice.Packer
	p.UnsafeRand = bytes.NewReader(nil)
	_, err = p.PackV2(t.Context(), message(alice, bob), envelope.Options{From: alice.id, To: bob.id})
	require.Error(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = alice.PackV2(ctx, message(alice, bob), envelope.Options{From: alice.id, To: bob.id})
	require.ErrorIs(t, err, context.Canceled)
}

// failing is a directory in which one DID cannot be looked up.
type failing struct {
	directory
	id  did.DID
	err error
}

func (f failing) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if id == f.id {
		return nil, f.err
	}
	return f.directory.Resolve(ctx, id, at)
}

// With the same randomness the same envelope comes out.
func TestPackV2Golden(t *testing.T) {
	t.Parallel()
	for _, curve := range []string{"X25519", "P-256", "P-384"} {
		among := directory{}
		alice, bob := newPartyV2(t, among, "alice", curve), newPartyV2(t, among, "bob", curve)
		alice.Now = func() time.Time { return noon }
		pack := func() []byte {
			alice.UnsafeRand = bytes.NewReader(bytes.Repeat([]byte{1}, 1<<10))
			packed, err := alice.PackV2(t.Context(), message(alice, bob), envelope.Options{From: alice.id, To: bob.id})
			require.NoError(t, err)
			return packed
		}
		require.Equal(t, pack(), pack())
	}
}

func TestNothingPrintsClaims(t *testing.T) {
	t.Parallel()
	printtest.Check(t, []any{envelope.Received{}}, map[string]string{
		"Packer":  "holds where keys are",
		"Options": "names parties",
		"Cache":   "see below",
	})
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	alice.Cache = envelope.NewCache()
	_, err := alice.PackV2(t.Context(), message(alice, bob), envelope.Options{From: alice.id, To: bob.id})
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		require.Equal(t, "envelope.Cache", fmt.Sprintf(verb, alice.Cache))
	}
	require.Equal(t, "envelope.Cache", alice.Cache.LogValue().String())
}

func ecdsaP384(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	return key
}
