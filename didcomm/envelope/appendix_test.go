package envelope_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/envelope/envelopetest"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// A block is one of the specification's appendix.
type block struct {
	Section, Text string
	Value         json.RawMessage
}

type secretJWK struct{ KID, KTY, CRV, D, X, Y string }

// appendix is the specification's: its parties, and its blocks.
type appendix struct {
	bob    envelope.Packer
	alice  map[string]secretJWK // by fragment
	blocks []block
}

func readAppendix(t testing.TB) appendix {
	t.Helper()
	var file struct{ Blocks []block }
	require.NoError(t, json.Unmarshal(vectors.Read(t, "didcomm-v2", "spec-appendix.json"), &file))
	require.Len(t, file.Blocks, 14)
	decode := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		require.NoError(t, err)
		return b
	}
	a := appendix{alice: map[string]secretJWK{}, blocks: file.Blocks}
	var secrets []secretJWK
	require.NoError(t, json.Unmarshal(file.Blocks[0].Value, &secrets))
	for _, s := range secrets {
		_, fragment, _ := strings.Cut(s.KID, "#")
		a.alice[fragment] = s
	}
	require.NoError(t, json.Unmarshal(file.Blocks[1].Value, &secrets))
	keys := new(envelopetest.Keys)
	for _, s := range secrets {
		key, err := curves()[s.CRV].NewPrivateKey(decode(s.D))
		require.NoError(t, err)
		keys.AddAgreement(key)
	}
	among := directory{}
	for _, b := range file.Blocks[2:4] {
		doc, err := did.ParseDocument(b.Value)
		require.NoError(t, err)
		among[doc.ID()] = doc
	}
	a.bob = envelope.Packer{Agreement: keys, Resolver: among, Owns: owns(parseDID(t, "did:example:bob")), Now: func() time.Time { return noon }}
	return a
}

// Appendix C.1: a message without an envelope proves nothing.
func TestAppendixC1(t *testing.T) {
	t.Parallel()
	a := readAppendix(t)
	_, err := a.bob.Unpack(t.Context(), a.blocks[4].Value)
	require.ErrorIs(t, err, envelope.ErrEnvelope)
	m, err := didcomm.ParseMessage(a.blocks[4].Value)
	require.NoError(t, err)
	require.Equal(t, didcomm.V2, m.Version)
}

// Appendix C.2: signed messages.
func TestAppendixC2(t *testing.T) {
	t.Parallel()
	a := readAppendix(t)
	for i, fragment := range []string{"key-1", "key-2", "key-3"} { // EdDSA, ES256, ES256K
		vector := a.blocks[5+i].Value
		got, err := a.bob.Unpack(t.Context(), vector)
		require.NoError(t, err, fragment)
		require.Equal(t, "did:example:alice#"+fragment, got.Signer.String())
		require.Equal(t, "did:example:alice", got.From.String())
		require.True(t, got.Authenticated)
		require.False(t, got.Encrypted)
		require.True(t, got.To.IsZero())

		key := a.alice[fragment]
		d, err := base64.RawURLEncoding.DecodeString(key.D)
		require.NoError(t, err)
		var private crypto.Signer = ed25519.NewKeyFromSeed(d)
		switch key.CRV {
		case "P-256":
			private, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
			require.NoError(t, err)
		case "secp256k1": // is only verified
			continue
		}
		s, err := did.NewSigner(got.Signer, private)
		require.NoError(t, err)
		ours, err := a.bob.SignV2(t.Context(), got.Plaintext, s)
		require.NoError(t, err)
		if key.CRV == "Ed25519" { // the one signature of this key
			require.JSONEq(t, string(vector), string(ours))
		}
		again, err := a.bob.Unpack(t.Context(), ours)
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
}

// Appendix C.3: encrypted messages.
func TestAppendixC3(t *testing.T) {
	t.Parallel()
	a := readAppendix(t)
	plaintext := string(unsigned(t, a.blocks[5].Value))
	for i, want := range []envelope.Received{
		{},                    // ECDH-ES, X25519, XC20P
		{},                    // ECDH-ES, P-384, A256CBC-HS512
		{},                    // ECDH-ES, P-521, A256GCM
		{Authenticated: true}, // ECDH-1PU, X25519
		{Authenticated: true, Signer: did.URL{Fragment: "key-1"}}, // EdDSA in ECDH-1PU, P-256
		{Authenticated: true, Signer: did.URL{Fragment: "key-1"}}, // EdDSA in ECDH-1PU, X25519, in ECDH-ES, P-521
	} {
		want.Version, want.Encrypted, want.Plaintext = didcomm.V2, true, []byte(plaintext)
		want.To = parseDID(t, "did:example:bob")
		if want.Authenticated {
			want.From = parseDID(t, "did:example:alice")
		}
		if want.Signer.Fragment != "" {
			want.Signer.DID = want.From
		}
		got, err := a.bob.Unpack(t.Context(), a.blocks[8+i].Value)
		require.NoError(t, err, a.blocks[8+i].Text)
		require.Equal(t, &want, got)
	}
}

func unsigned(t testing.TB, signed []byte) []byte {
	t.Helper()
	var s struct{ Payload string }
	require.NoError(t, json.Unmarshal(signed, &s))
	b, err := base64.RawURLEncoding.DecodeString(s.Payload)
	require.NoError(t, err)
	return b
}

// No byte of the appendix's envelopes can be changed, but in the content key that is
// encrypted to another of the recipient's devices, which nobody here reads.
func TestAppendixMutated(t *testing.T) {
	t.Parallel()
	a := readAppendix(t)
	for i := 5; i < 14; i++ {
		var vector bytes.Buffer
		require.NoError(t, json.Compact(&vector, a.blocks[i].Value))
		step := 11
		if i == 5 || i == 11 {
			step = 3
		}
		for at := 0; at < vector.Len(); at += step {
			changed := bytes.Clone(vector.Bytes())
			changed[at] ^= 1
			if i > 7 && sameButOthers(vector.Bytes(), changed) {
				continue
			}
			_, err := a.bob.Unpack(t.Context(), changed)
			require.ErrorIs(t, err, didcomm.ErrPermanent, "block %d byte %d", i, at)
		}
	}
}

// sameButOthers reports whether two encrypted envelopes differ in no more than the
// content keys of recipients behind the first.
func sameButOthers(a, b []byte) bool {
	same := func(data []byte) (out map[string]any) {
		_ = json.Unmarshal(data, &out)
		list, _ := out["recipients"].([]any)
		for i, r := range list {
			if r, ok := r.(map[string]any); ok && i > 0 {
				delete(r, "encrypted_key")
			}
		}
		return out
	}
	return reflect.DeepEqual(same(a), same(b))
}

var _ envelope.AgreementKeys = (*envelopetest.Keys)(nil)
var _ ecdh.KeyExchanger = (*ecdh.PrivateKey)(nil)
