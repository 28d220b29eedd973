package envelope_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/envelope/envelopetest"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// The examples of RFC 0019 were made by libindy with its test key "Trustee1", so
// that they can be opened.
func TestExamplesOfRFC0019(t *testing.T) {
	t.Parallel()
	const plaintext = `{ "@id": "123456780","@type":"did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/basicmessage/1.0/message",` +
		`"sent_time": "2019-01-15 18:42:01Z","content": "Your hovercraft is full of eels."}`
	keys := new(envelopetest.Keys)
	recipient := keys.Add(ed25519.NewKeyFromSeed([]byte("000000000000000000000000Trustee1")))
	require.Equal(t, "GJ1SzoWzavQYfNL9XkaJdrQejfztN4XqdsiV4ct3LXKL", multiformat.Base58(recipient))
	p := &envelope.Packer{Keys: keys}

	got, err := p.Unpack(context.Background(), []byte(exampleAuthcrypt))
	require.NoError(t, err)
	require.Equal(t, plaintext, string(got.Plaintext))
	require.True(t, got.Authenticated)
	require.Equal(t, "DWwLsbKCRAbYtfYnQNmzfKV7ofVhMBi6T4o3d2SCxVuX", multiformat.Base58(got.Sender))
	require.Equal(t, recipient, got.Recipient)

	got, err = p.Unpack(context.Background(), []byte(exampleAnoncrypt))
	require.NoError(t, err)
	require.Equal(t, plaintext, string(got.Plaintext))
	require.False(t, got.Authenticated)
	require.Nil(t, got.Sender)

	stranger := party(1)
	for _, example := range []string{exampleAuthcrypt, exampleAnoncrypt} {
		_, err = stranger.Unpack(context.Background(), []byte(example))
		require.ErrorIs(t, err, envelope.ErrNotForUs)
	}
}

// Envelopes that another agent put on the wire. Their keys are not known: that
// they are understood shows in the answer "not for us".
func TestEnvelopesOfAnotherAgent(t *testing.T) {
	t.Parallel()
	stranger := party(1)
	_, err := stranger.Unpack(context.Background(), []byte(ariesEnvelope))
	require.ErrorIs(t, err, envelope.ErrNotForUs)

	file, err := os.Open(filepath.Join(vectors.Dir(t), "..", "peers", "wire", "wire-rfc19.jsonl"))
	if err != nil {
		t.Skip("no recorded wire beside the published vectors; README.md, Tests, says how to run this")
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	count := 0
	for lines.Scan() {
		var line struct{ Raw string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		if line.Raw == "" {
			continue
		}
		count++
		_, err := stranger.Unpack(context.Background(), []byte(line.Raw))
		require.ErrorIs(t, err, envelope.ErrNotForUs)
		_, err = stranger.Unpack(context.Background(), []byte(strings.Replace(line.Raw, "JWM", "JWN", 1)))
		require.Error(t, err)
	}
	require.NoError(t, lines.Err())
	require.NotZero(t, count)
}

// Agents differ in padding and in the name of the cipher; both are signed over.
func TestUnpackTolerates(t *testing.T) {
	t.Parallel()
	alice, bob := party(1), party(2)
	for name, f := range map[string]func(*forgery){
		"as it is":        func(*forgery) {},
		"other enc":       func(f *forgery) { f.edit(`"xchacha20poly1305_ietf"`, `"chacha20poly1305_ietf"`) },
		"no padding":      func(f *forgery) { f.encoding = base64.RawURLEncoding },
		"white space":     func(f *forgery) { f.edit(`,`, " ,\n "); f.outer = strings.ReplaceAll(f.outer, `,`, "\t, ") },
		"unknown members": func(f *forgery) { f.edit(`"typ"`, `"x":{"y":[1]},"typ"`) },
		"other order": func(f *forgery) {
			f.edit(`"enc":"xchacha20poly1305_ietf",`, ``)
			f.edit(`]}`, `],"enc":"xchacha20poly1305_ietf"}`)
		},
		"other order outside": func(f *forgery) {
			f.outer = `{"tag":"$tag","ciphertext":"$ciphertext","iv":"$iv","protected":"$protected"}`
		},
		"16 recipients": func(f *forgery) { f.edit(f.recipient(), f.recipient()+f.others(15)) },
		"first recipient of another kind": func(f *forgery) {
			f.edit(`"recipients":[`, `"recipients":[`+strings.Replace(f.recipient(), multiformat.Base58(bob.key), multiformat.Base58(bytes.Repeat([]byte{3}, 33)), 1)+`,`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forged := newForgery(t, alice, bob)
			f(forged)
			got, err := bob.Unpack(context.Background(), forged.envelope(t))
			require.NoError(t, err)
			require.Equal(t, hello, string(got.Plaintext))
			require.Equal(t, alice.key, got.Sender)
		})
	}
}

// Every envelope here has a content that was sealed over the header as it is:
// only its form is wrong.
func TestUnpackRefusesForms(t *testing.T) {
	t.Parallel()
	alice, bob := party(1), party(2)
	kid := `"kid":"` + multiformat.Base58(bob.key) + `"`
	for name, f := range map[string]func(*forgery){
		"typ":                    func(f *forgery) { f.edit(`JWM/1.0`, `JWM/1.1`) },
		"no typ":                 func(f *forgery) { f.edit(`"typ":"JWM/1.0",`, ``) },
		"v2 typ":                 func(f *forgery) { f.edit(`JWM/1.0`, `application/didcomm-encrypted+json`) },
		"enc":                    func(f *forgery) { f.edit(`xchacha20poly1305_ietf`, `A256GCM`) },
		"real XChaCha20":         func(f *forgery) { f.edit(`xchacha20poly1305_ietf`, `XC20P`) },
		"no enc":                 func(f *forgery) { f.edit(`"enc":"xchacha20poly1305_ietf",`, ``) },
		"alg":                    func(f *forgery) { f.edit(`Authcrypt`, `authcrypt`) },
		"no alg":                 func(f *forgery) { f.edit(`"alg":"Authcrypt",`, ``) },
		"alg null":               func(f *forgery) { f.edit(`"Authcrypt"`, `null`) },
		"alg none":               func(f *forgery) { f.edit(`Authcrypt`, `none`) },
		"alg other than parts":   func(f *forgery) { f.edit(`Authcrypt`, `Anoncrypt`) },
		"crit":                   func(f *forgery) { f.edit(`"typ"`, `"crit":["x"],"typ"`) },
		"zip":                    func(f *forgery) { f.edit(`"typ"`, `"zip":"DEF","typ"`) },
		"alg twice":              func(f *forgery) { f.edit(`"typ"`, `"alg":"Authcrypt","typ"`) },
		"alg in two cases":       func(f *forgery) { f.edit(`"typ"`, `"ALG":"Authcrypt","typ"`) },
		"no recipients":          func(f *forgery) { f.edit(`,"recipients":[`+f.recipient()+`]`, ``) },
		"empty recipients":       func(f *forgery) { f.edit(f.recipient(), ``) },
		"recipients no list":     func(f *forgery) { f.edit(`[`+f.recipient()+`]`, f.recipient()) },
		"recipient a string":     func(f *forgery) { f.edit(f.recipient(), `"x"`) },
		"recipient twice":        func(f *forgery) { f.edit(f.recipient(), f.recipient()+`,`+f.recipient()) },
		"17 recipients":          func(f *forgery) { f.edit(f.recipient(), f.recipient()+f.others(16)) },
		"no recipient header":    func(f *forgery) { f.edit(`"header"`, `"heading"`) },
		"no kid":                 func(f *forgery) { f.edit(kid+`,`, ``) },
		"empty kid":              func(f *forgery) { f.edit(kid, `"kid":""`) },
		"kid not text":           func(f *forgery) { f.edit(kid, `"kid":1`) },
		"no encrypted key":       func(f *forgery) { f.edit(`"encrypted_key"`, `"encrypted"`) },
		"short encrypted key":    func(f *forgery) { f.edit(`"encrypted_key":"`, `"encrypted_key":"AAAA","x":"`) },
		"no box iv":              func(f *forgery) { f.edit(`"iv":"`, `"iw":"`) },
		"short box iv":           func(f *forgery) { f.edit(`"iv":"`, `"iv":"AAAA","x":"`) },
		"no sender":              func(f *forgery) { f.edit(`"sender"`, `"from"`) },
		"empty sender":           func(f *forgery) { f.edit(`"sender":"`, `"sender":"","x":"`) },
		"short sender":           func(f *forgery) { f.edit(`"sender":"`, `"sender":"`+strings.Repeat("A", 64)+`","x":"`) },
		"long sender":            func(f *forgery) { f.edit(`"sender":"`, `"sender":"`+strings.Repeat("A", 124)+`","x":"`) },
		"sender null":            func(f *forgery) { f.edit(`"sender":"`, `"sender":null,"x":"`) },
		"header not JSON":        func(f *forgery) { f.header = `{` },
		"header an array":        func(f *forgery) { f.header = `[` + f.header + `]` },
		"header with more":       func(f *forgery) { f.header += `{}` },
		"header too large":       func(f *forgery) { f.header += strings.Repeat(" ", 64<<10) },
		"outer iv missing":       func(f *forgery) { f.outer = `{"protected":"$protected","ciphertext":"$ciphertext","tag":"$tag"}` },
		"outer iv empty":         func(f *forgery) { f.outer = strings.Replace(f.outer, `$iv`, ``, 1) },
		"outer iv long":          func(f *forgery) { f.outer = strings.Replace(f.outer, `$iv`, `$ivAAAA`, 1) },
		"outer iv not text":      func(f *forgery) { f.outer = strings.Replace(f.outer, `"$iv"`, `1`, 1) },
		"outer tag missing":      func(f *forgery) { f.outer = strings.Replace(f.outer, `,"tag":"$tag"`, ``, 1) },
		"tag inside ciphertext":  func(f *forgery) { f.outer = strings.Replace(f.outer, `"$tag"`, `""`, 1) },
		"ciphertext null":        func(f *forgery) { f.outer = strings.Replace(f.outer, `"$ciphertext"`, `null`, 1) },
		"protected an object":    func(f *forgery) { f.outer = strings.Replace(f.outer, `"$protected"`, f.header, 1) },
		"ciphertext line break":  func(f *forgery) { f.outer = strings.Replace(f.outer, `$ciphertext`, `$ciphertext\n`, 1) },
		"protected line break":   func(f *forgery) { f.outer = strings.Replace(f.outer, `$protected`, `\r$protected`, 1) },
		"too much padding":       func(f *forgery) { f.outer = strings.Replace(f.outer, `$tag`, `$tag=`, 1) },
		"standard alphabet":      func(f *forgery) { f.encoding = base64.StdEncoding; f.edit(`"typ"`, `"x":"ÿÿÿ>>>","typ"`) },
		"further outer member":   func(f *forgery) { f.outer = strings.Replace(f.outer, `{`, `{"aad":"",`, 1) },
		"unprotected header":     func(f *forgery) { f.outer = strings.Replace(f.outer, `{`, `{"unprotected":{},`, 1) },
		"outer member twice":     func(f *forgery) { f.outer = strings.Replace(f.outer, `{`, `{"iv":"$iv",`, 1) },
		"outer member two cases": func(f *forgery) { f.outer = strings.Replace(f.outer, `{`, `{"IV":"$iv",`, 1) },
		"outer an array":         func(f *forgery) { f.outer = `[` + f.outer + `]` },
		"trailing data":          func(f *forgery) { f.outer += `x` },
		"compact":                func(f *forgery) { f.outer = `$protected..$iv.$ciphertext.$tag` },
		"nothing":                func(f *forgery) { f.outer = `` },
		"null":                   func(f *forgery) { f.outer = `null` },
		"plaintext":              func(f *forgery) { f.outer = hello },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forged := newForgery(t, alice, bob)
			f(forged)
			got, err := bob.Unpack(context.Background(), forged.envelope(t))
			require.ErrorIs(t, err, envelope.ErrEnvelope)
			require.ErrorIs(t, err, didcomm.ErrPermanent)
			require.Equal(t, envelope.ErrEnvelope.Error(), err.Error(), "the error says which step failed")
			require.Nil(t, got)
		})
	}
}

// Not one byte of an envelope can be changed.
func TestUnpackRefusesEveryMutation(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	alice, bob := party(1), party(2)
	auth, err := alice.PackV1(ctx, []byte(hello), alice.key, bob.key)
	require.NoError(t, err)
	anon, err := alice.PackAnonymousV1(ctx, []byte(hello), bob.key)
	require.NoError(t, err)
	for name, packed := range map[string][]byte{"authcrypt": auth, "anoncrypt": anon} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range packed {
				for _, flip := range []byte{0x01, 0x02, 0x20, 0x80} {
					changed := bytes.Clone(packed)
					changed[i] ^= flip
					_, err := bob.Unpack(ctx, changed)
					require.ErrorIs(t, err, didcomm.ErrPermanent, "byte %d ^ %#x", i, flip)
				}
				_, err := bob.Unpack(ctx, packed[:i])
				require.ErrorIs(t, err, envelope.ErrEnvelope, "cut at %d", i)
				_, err = bob.Unpack(ctx, append(bytes.Clone(packed[:i]), packed[i+1:]...))
				require.ErrorIs(t, err, didcomm.ErrPermanent, "without byte %d", i)
			}
		})
	}
}

// Parts of two good envelopes do not make a third.
func TestUnpackRefusesMixtures(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	alice, bob, carol := party(1), party(2), party(3)
	one, err := alice.PackV1(ctx, []byte(`{"n":1}`), alice.key, bob.key, carol.key)
	require.NoError(t, err)
	two, err := alice.PackV1(ctx, []byte(`{"n":2}`), alice.key, bob.key, carol.key)
	require.NoError(t, err)
	var first, second map[string]string
	require.NoError(t, json.Unmarshal(one, &first))
	require.NoError(t, json.Unmarshal(two, &second))
	for name := range first {
		mixed := map[string]string{}
		for n, v := range first {
			mixed[n] = v
		}
		mixed[name] = second[name]
		text, err := json.Marshal(mixed)
		require.NoError(t, err)
		_, err = bob.Unpack(ctx, text)
		require.ErrorIs(t, err, envelope.ErrEnvelope, name)
	}

	// The header alone, changed: what is sealed over it no longer fits.
	h := string(header(t, one))
	bobKid, carolKid := multiformat.Base58(bob.key), multiformat.Base58(carol.key)
	swapped := strings.NewReplacer(bobKid, carolKid, carolKid, bobKid).Replace(h)
	cut := strings.Index(h, `,{"encrypted_key"`)
	for name, changed := range map[string]string{
		"recipients' names swapped": swapped,
		"second recipient dropped":  h[:cut] + `]}`,
		"first recipient dropped":   h[:strings.Index(h, `[`)+1] + h[cut+1:],
		"other name of the cipher":  strings.Replace(h, `"xchacha`, `"chacha`, 1),
		"white space":               h + " ",
	} {
		first["protected"] = base64.URLEncoding.EncodeToString([]byte(changed))
		text, err := json.Marshal(first)
		require.NoError(t, err)
		for _, p := range []*testParty{bob, carol} {
			_, err = p.Unpack(ctx, text)
			require.ErrorIs(t, err, didcomm.ErrPermanent, name)
		}
	}
}

// A message names its sender as it likes; who sent it is what the envelope proves.
func TestAbuse_DC02_SenderOnlyFromEnvelope(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	alice, bob, mallory := party(1), party(2), party(3)
	claim := []byte(`{"@type":"https://didcomm.org/trust_ping/1.0/ping","@id":"1","from":"did:key:alice","sender":"` + multiformat.Base58(alice.key) + `"}`)

	t.Run("plaintext", func(t *testing.T) {
		t.Parallel()
		_, err := bob.Unpack(ctx, claim)
		require.ErrorIs(t, err, envelope.ErrEnvelope)
	})
	t.Run("anoncrypt", func(t *testing.T) {
		t.Parallel()
		packed, err := mallory.PackAnonymousV1(ctx, claim, bob.key)
		require.NoError(t, err)
		got, err := bob.Unpack(ctx, packed)
		require.NoError(t, err)
		require.False(t, got.Authenticated)
		require.Nil(t, got.Sender)
	})
	t.Run("anoncrypt with the sender of authcrypt", func(t *testing.T) {
		t.Parallel()
		for _, member := range []string{`"sender":"$sender"`, `"iv":"$nonce"`, `"sender":""`, `"sender":null`, `"iv":null`} {
			forged := newForgery(t, mallory, bob)
			forged.header = `{"enc":"xchacha20poly1305_ietf","typ":"JWM/1.0","alg":"Anoncrypt","recipients":[{"encrypted_key":"$sealed","header":{"kid":"` +
				multiformat.Base58(bob.key) + `",` + member + `}}]}`
			_, err := bob.Unpack(ctx, forged.envelope(t))
			require.ErrorIs(t, err, envelope.ErrEnvelope, member)
		}
	})
	t.Run("authcrypt that names another", func(t *testing.T) {
		t.Parallel()
		forged := newForgery(t, mallory, bob)
		forged.sender = multiformat.Base58(alice.key)
		_, err := bob.Unpack(ctx, forged.envelope(t))
		require.ErrorIs(t, err, envelope.ErrEnvelope)
	})
	t.Run("anoncrypt called authcrypt", func(t *testing.T) {
		t.Parallel()
		forged := newForgery(t, mallory, bob)
		forged.header = `{"enc":"xchacha20poly1305_ietf","typ":"JWM/1.0","alg":"Authcrypt","recipients":[{"encrypted_key":"$sealed","header":{"kid":"` +
			multiformat.Base58(bob.key) + `"}}]}`
		_, err := bob.Unpack(ctx, forged.envelope(t))
		require.ErrorIs(t, err, envelope.ErrEnvelope)
	})
	t.Run("reflected", func(t *testing.T) {
		t.Parallel()
		packed, err := alice.PackV1(ctx, claim, alice.key, bob.key)
		require.NoError(t, err)
		_, err = alice.Unpack(ctx, packed)
		require.ErrorIs(t, err, envelope.ErrNotForUs)
	})
}

// The key of a box with a point of small order is known to all. A key store that
// does not look would open such a box; the envelope must be refused before.
func TestUnpackRefusesSendersNobodyCanBe(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	alice, bob := party(1), party(2)
	careless := &envelope.Packer{Keys: carelessKeys{bob}}

	forged := newForgery(t, alice, bob)
	got, err := careless.Unpack(ctx, forged.envelope(t))
	require.NoError(t, err, "the careless store works")
	require.Equal(t, alice.key, got.Sender)

	for name, point := range smallOrder() {
		forged := newForgery(t, alice, bob)
		forged.sender = multiformat.Base58(point)
		forged.shared = sharedWith(t, point, bob)
		message, err := carelessKeys{bob}.OpenBox(ctx, bob.key, point, &forged.nonce, forged.encryptedKey())
		require.NoError(t, err, "the forgery of %s opens for a store that does not look", name)
		require.Equal(t, forged.cek[:], message)
		_, err = careless.Unpack(ctx, forged.envelope(t))
		require.ErrorIs(t, err, envelope.ErrEnvelope, name)
	}

	notAPoint := append([]byte{2}, make([]byte, 31)...)
	for name, sender := range map[string]string{
		"not a point":    multiformat.Base58(notAPoint),
		"31 bytes":       multiformat.Base58(alice.key[:31]),
		"one character":  "1",
		"not base58":     strings.Repeat("0", 43),
		"DID":            "did:key:z6MkmjY8GnV5i9YTDtPETC2uUAW6ejw3nk5",
		"leading space":  " " + multiformat.Base58(alice.key)[1:],
		"a further byte": multiformat.Base58(append([]byte{0}, alice.key...))[:44],
	} {
		forged := newForgery(t, alice, bob)
		forged.sender = sender
		_, err := careless.Unpack(ctx, forged.envelope(t))
		require.ErrorIs(t, err, envelope.ErrEnvelope, name)
	}
}

// While keys cannot be used an envelope is neither good nor bad: it must be kept.
func TestUnpackTellsForgedFromUnavailable(t *testing.T) {
	t.Parallel()
	alice, bob := party(1), party(2)
	packed, err := alice.PackV1(context.Background(), []byte(hello), alice.key, bob.key)
	require.NoError(t, err)
	locked := errors.New("locked")

	for name, keys := range map[string]*failingKeys{
		"locked":                      {Keys: bob.Keys, hasKeyFails: 1, err: locked},
		"locked after the first look": {Keys: bob.Keys, hasKeyFails: 2, openFails: true, err: locked},
	} {
		p := &envelope.Packer{Keys: keys}
		_, err = p.Unpack(context.Background(), packed)
		require.ErrorIs(t, err, locked, name)
		require.NotErrorIs(t, err, didcomm.ErrPermanent, name)
	}

	// A store that fails for once says nothing of the envelope.
	p := &envelope.Packer{Keys: &failingKeys{Keys: bob.Keys, openFails: true, err: locked}}
	_, err = p.Unpack(context.Background(), packed)
	require.ErrorIs(t, err, locked)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
	p = &envelope.Packer{Keys: &failingKeys{Keys: bob.Keys, openFails: true, err: didcomm.ErrPermanent}}
	_, err = p.Unpack(context.Background(), packed)
	require.ErrorIs(t, err, envelope.ErrEnvelope)

	ctx, cancel := context.WithCancel(context.Background())
	p = &envelope.Packer{Keys: &failingKeys{Keys: bob.Keys, openFails: true, onOpen: cancel, err: locked}}
	_, err = p.Unpack(ctx, packed)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
	_, err = bob.Unpack(ctx, packed)
	require.ErrorIs(t, err, context.Canceled)

	p = &envelope.Packer{Keys: &failingKeys{Keys: bob.Keys, openFails: true, forgets: true, err: locked}}
	_, err = p.Unpack(context.Background(), packed)
	require.ErrorIs(t, err, envelope.ErrNotForUs)
}

func FuzzUnpack(f *testing.F) {
	keys := new(envelopetest.Keys)
	keys.Add(party(2).private)
	keys.Add(ed25519.NewKeyFromSeed([]byte("000000000000000000000000Trustee1")))
	p := &envelope.Packer{Keys: keys}
	seeds := []string{goldenAuthcrypt, goldenAnoncrypt, exampleAuthcrypt, exampleAnoncrypt}
	known := map[string]bool{}
	for _, seed := range seeds {
		got, err := p.Unpack(context.Background(), []byte(seed))
		require.NoError(f, err)
		known[digest(got.Plaintext)] = true
		f.Add([]byte(seed))
	}
	f.Add([]byte(ariesEnvelope))
	f.Add([]byte(hello))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := p.Unpack(context.Background(), data)
		if err != nil {
			require.ErrorIs(t, err, didcomm.ErrPermanent)
			require.Nil(t, got)
			return
		}
		require.True(t, known[digest(got.Plaintext)], "opened what nobody packed")
		require.Equal(t, got.Authenticated, got.Sender != nil)
	})
}
