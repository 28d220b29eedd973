package envelope_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

const hello = `{"@type":"https://didcomm.org/trust_ping/1.0/ping","@id":"ping-1","comment":"Willow asks Severn"}`

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	alice, bob, carol := party(1), party(2), party(3)
	for name, message := range map[string]string{
		"empty": "", "one byte": "x", "message": hello, "not JSON": "\x00\xff\xfe", "large": string(bytes.Repeat([]byte("m"), 1<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packed, err := alice.PackV1(ctx, []byte(message), alice.key, bob.key, carol.key)
			require.NoError(t, err)
			anonymous, err := alice.PackAnonymousV1(ctx, []byte(message), bob.key, carol.key)
			require.NoError(t, err)
			for _, p := range []*testParty{bob, carol} {
				got, err := p.Unpack(ctx, packed)
				require.NoError(t, err)
				require.Equal(t, message, string(got.Plaintext))
				require.Equal(t, didcomm.V1, got.Version)
				require.True(t, got.Authenticated)
				require.Equal(t, alice.key, got.Sender)
				require.Equal(t, p.key, got.Recipient)

				got, err = p.Unpack(ctx, anonymous)
				require.NoError(t, err)
				require.Equal(t, message, string(got.Plaintext))
				require.Equal(t, didcomm.V1, got.Version)
				require.False(t, got.Authenticated)
				require.Nil(t, got.Sender)
				require.Equal(t, p.key, got.Recipient)
			}
			for _, e := range [][]byte{packed, anonymous} {
				got, err := alice.Unpack(ctx, e)
				require.ErrorIs(t, err, envelope.ErrNotForUs)
				require.ErrorIs(t, err, didcomm.ErrPermanent)
				require.NotErrorIs(t, err, envelope.ErrEnvelope)
				require.Nil(t, got)
			}
		})
	}
}

// Golden envelopes of ours. They change only if the format does, and then every
// agent that has an older version must be thought of.
func TestGolden(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	alice, bob, carol := party(1), party(2), party(3)
	alice.UnsafeRand = rand.NewChaCha8([32]byte{1})
	auth, err := alice.PackV1(ctx, []byte(hello), alice.key, bob.key, carol.key)
	require.NoError(t, err)
	require.Equal(t, goldenAuthcrypt, string(auth))
	alice.UnsafeRand = rand.NewChaCha8([32]byte{2})
	anon, err := alice.PackAnonymousV1(ctx, []byte(hello), bob.key)
	require.NoError(t, err)
	require.Equal(t, goldenAnoncrypt, string(anon))

	for _, golden := range []string{goldenAuthcrypt, goldenAnoncrypt} {
		got, err := bob.Unpack(ctx, []byte(golden))
		require.NoError(t, err)
		require.Equal(t, hello, string(got.Plaintext))
	}
}

// What is written has the form of the examples of RFC 0019: the same members in
// the same order, and padding.
func TestForm(t *testing.T) {
	t.Parallel()
	alice, bob := party(1), party(2)
	auth, err := alice.PackV1(context.Background(), []byte(hello), alice.key, bob.key)
	require.NoError(t, err)
	anon, err := alice.PackAnonymousV1(context.Background(), []byte(hello), bob.key)
	require.NoError(t, err)
	kid := multiformat.Base58(bob.key)

	require.Regexp(t, `^\{"protected":"[\w-]+=*","iv":"[\w-]{16}","ciphertext":"[\w-]+=*","tag":"[\w-]{22}=="\}$`, string(auth))
	require.Regexp(t, `^\{"enc":"xchacha20poly1305_ietf","typ":"JWM/1\.0","alg":"Authcrypt","recipients":\[`+
		`\{"encrypted_key":"[\w-]{64}","header":\{"kid":"`+kid+`","iv":"[\w-]{32}","sender":"[\w-]{123}="\}\}\]\}$`, string(header(t, auth)))
	require.Regexp(t, `^\{"enc":"xchacha20poly1305_ietf","typ":"JWM/1\.0","alg":"Anoncrypt","recipients":\[`+
		`\{"encrypted_key":"[\w-]{107}=","header":\{"kid":"`+kid+`"\}\}\]\}$`, string(header(t, anon)))
}

// Two envelopes of one message have nothing in common but the names.
func TestFreshness(t *testing.T) {
	t.Parallel()
	alice, bob := party(1), party(2)
	seen := map[string]bool{}
	for range 20 {
		packed, err := alice.PackV1(context.Background(), []byte(hello), alice.key, bob.key)
		require.NoError(t, err)
		var e struct{ IV, Ciphertext, Tag string }
		require.NoError(t, json.Unmarshal(packed, &e))
		var h struct {
			Recipients []struct {
				Key    string `json:"encrypted_key"`
				Header struct{ IV, Sender string }
			}
		}
		require.NoError(t, json.Unmarshal(header(t, packed), &h))
		r := h.Recipients[0]
		for _, part := range []string{e.IV, e.Ciphertext, e.Tag, r.Key, r.Header.IV, r.Header.Sender} {
			require.False(t, seen[part])
			seen[part] = true
		}
	}
}

func TestPackRefuses(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	alice, bob := party(1), party(2)
	many := make([]ed25519.PublicKey, envelope.MaxRecipients+1)
	for i := range many {
		many[i] = party(byte(10 + i)).key
	}
	for name, tt := range map[string]struct {
		from ed25519.PublicKey
		to   []ed25519.PublicKey
	}{
		"no recipient":        {alice.key, nil},
		"too many recipients": {alice.key, many},
		"recipient twice":     {alice.key, []ed25519.PublicKey{bob.key, bob.key}},
		"no sender":           {nil, []ed25519.PublicKey{bob.key}},
		"short sender":        {alice.key[:31], []ed25519.PublicKey{bob.key}},
		"nil recipient":       {alice.key, []ed25519.PublicKey{nil}},
		"short recipient":     {alice.key, []ed25519.PublicKey{bob.key[:31]}},
		"small order":         {alice.key, []ed25519.PublicKey{bob.key, append(ed25519.PublicKey{1}, make([]byte, 31)...)}},
		"not a point":         {alice.key, []ed25519.PublicKey{append(ed25519.PublicKey{2}, make([]byte, 31)...)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packed, err := alice.PackV1(ctx, []byte(hello), tt.from, tt.to...)
			require.ErrorIs(t, err, didcomm.ErrPermanent)
			require.Nil(t, packed)
			if len(tt.from) == ed25519.PublicKeySize {
				packed, err = alice.PackAnonymousV1(ctx, []byte(hello), tt.to...)
				require.ErrorIs(t, err, didcomm.ErrPermanent)
				require.Nil(t, packed)
			}
		})
	}

	t.Run("sender whose key is elsewhere", func(t *testing.T) {
		t.Parallel()
		packed, err := alice.PackV1(ctx, []byte(hello), bob.key, alice.key)
		require.Error(t, err)
		require.Nil(t, packed)
	})
	t.Run("no randomness", func(t *testing.T) {
		t.Parallel()
		dry := errors.New("dry")
		for n := range 200 {
			p := envelope.Packer{Keys: alice.Keys, UnsafeRand: &failAfter{n: n, err: dry}}
			packed, err := p.PackV1(ctx, []byte(hello), alice.key, bob.key)
			if err == nil {
				require.Equal(t, 132, n) // content key, iv, nonce of the box, ephemeral key
				return
			}
			require.ErrorIs(t, err, dry)
			require.Nil(t, packed)
		}
		t.Fatal("reads more than it needs")
	})
	t.Run("context", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_, err := alice.PackV1(ctx, []byte(hello), alice.key, bob.key)
		require.ErrorIs(t, err, context.Canceled)
		_, err = alice.PackAnonymousV1(ctx, []byte(hello), bob.key)
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	alice := party(1)
	var to []ed25519.PublicKey
	var last *testParty
	for i := range envelope.MaxRecipients {
		last = party(byte(10 + i))
		to = append(to, last.key)
	}
	message := bytes.Repeat([]byte("m"), didcomm.MaxMessage)
	packed, err := alice.PackV1(ctx, message, alice.key, to...)
	require.NoError(t, err)
	got, err := last.Unpack(ctx, packed)
	require.NoError(t, err)
	require.True(t, bytes.Equal(message, got.Plaintext))

	// White space up to the limit, and one byte beyond.
	_, err = last.Unpack(ctx, append(packed, bytes.Repeat([]byte(" "), didcomm.MaxEnvelope-len(packed))...))
	require.NoError(t, err)
	_, err = last.Unpack(ctx, append(packed, bytes.Repeat([]byte(" "), didcomm.MaxEnvelope-len(packed)+1)...))
	require.ErrorIs(t, err, envelope.ErrEnvelope)

	for _, size := range []int{3 << 20, didcomm.MaxEnvelope, didcomm.MaxEnvelope + 1} {
		packed, err = alice.PackV1(ctx, make([]byte, size), alice.key, to[0])
		require.ErrorIs(t, err, didcomm.ErrPermanent)
		require.Nil(t, packed)
	}
}

func TestReceivedPrintsNoClaim(t *testing.T) {
	t.Parallel()
	r := envelope.Received{Plaintext: []byte("Willow Severn"), Authenticated: true}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{r, &r, []envelope.Received{r}} {
			out := fmt.Sprintf(verb, v)
			require.NotContains(t, out, "Severn")
			require.NotContains(t, out, "87, 105")
			require.Contains(t, out, "authenticated envelope")
		}
	}
	r.Authenticated = false
	require.Equal(t, "anonymous envelope", r.String())
}

// header returns the decoded protected header of an envelope.
func header(t testing.TB, packed []byte) []byte {
	t.Helper()
	var outer map[string]string
	require.NoError(t, json.Unmarshal(packed, &outer))
	decoded, err := base64.URLEncoding.DecodeString(outer["protected"])
	require.NoError(t, err)
	return decoded
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// failAfter gives n bytes and then an error.
type failAfter struct {
	n   int
	err error
}

func (f *failAfter) Read(b []byte) (int, error) {
	if f.n == 0 {
		return 0, f.err
	}
	n := min(f.n, len(b))
	f.n -= n
	return n, nil
}
