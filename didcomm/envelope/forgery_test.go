package envelope_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/nacl/box"

	"github.com/staffpassport/staffpassport/didcomm/envelope/envelopetest"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/naclbox"
)

// carelessKeys opens a box with any sender's key.
type carelessKeys struct{ *testParty }

func (c carelessKeys) OpenBox(_ context.Context, _, from ed25519.PublicKey, nonce *[24]byte, sealed []byte) ([]byte, error) {
	message, ok := box.OpenAfterPrecomputation(nil, sealed, nonce, shared(from, c.private))
	if !ok {
		return nil, errors.New("does not open")
	}
	return message, nil
}

// failingKeys fails at the n-th look for a key, or when it opens.
type failingKeys struct {
	*envelopetest.Keys
	hasKeyFails int
	openFails   bool
	forgets     bool
	onOpen      func()
	err         error
	looks       int
}

func (k *failingKeys) HasKey(ctx context.Context, pub ed25519.PublicKey) (bool, error) {
	k.looks++
	if k.looks == k.hasKeyFails {
		return false, k.err
	}
	if k.forgets && k.looks > 1 {
		return false, nil
	}
	return k.Keys.HasKey(ctx, pub)
}

func (k *failingKeys) OpenBox(ctx context.Context, to, from ed25519.PublicKey, nonce *[24]byte, sealed []byte) ([]byte, error) {
	if k.openFails {
		if k.onOpen != nil {
			k.onOpen()
		}
		return nil, k.err
	}
	return k.Keys.OpenBox(ctx, to, from, nonce, sealed)
}

// A forgery is an envelope by somebody who may write anything in it. Its content
// is sealed over its header as it stands in the end.
type forgery struct {
	header, outer string
	encoding      *base64.Encoding
	sender        string // what the sealed sender says
	cek           [chacha20poly1305.KeySize]byte
	nonce         [24]byte
	shared        *[32]byte
	to            *testParty
}

func newForgery(t testing.TB, from, to *testParty) *forgery {
	t.Helper()
	return &forgery{
		header: `{"enc":"xchacha20poly1305_ietf","typ":"JWM/1.0","alg":"Authcrypt","recipients":[` +
			`{"encrypted_key":"$key","header":{"kid":"` + multiformat.Base58(to.key) + `","iv":"$nonce","sender":"$sender"}}]}`,
		outer:    `{"protected":"$protected","iv":"$iv","ciphertext":"$ciphertext","tag":"$tag"}`,
		encoding: base64.URLEncoding, sender: multiformat.Base58(from.key),
		cek: [32]byte{1, 2, 3}, nonce: [24]byte{4, 5, 6}, shared: shared(to.key, from.private), to: to,
	}
}

func (f *forgery) edit(old, to string) {
	if !strings.Contains(f.header, old) {
		panic("the header has no " + old)
	}
	f.header = strings.Replace(f.header, old, to, 1)
}

// recipient returns the recipient's entry in the header.
func (f *forgery) recipient() string {
	return f.header[strings.Index(f.header, `{"encrypted_key`) : len(f.header)-len(`]}`)]
}

// others returns the entries of n further recipients.
func (f *forgery) others(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("," + strings.Replace(f.recipient(), multiformat.Base58(f.to.key), multiformat.Base58(party(byte(20+i)).key), 1))
	}
	return b.String()
}

func (f *forgery) encryptedKey() []byte {
	return box.SealAfterPrecomputation(nil, f.cek[:], &f.nonce, f.shared)
}

func (f *forgery) envelope(t testing.TB) []byte {
	t.Helper()
	sealedSender, err := naclbox.SealAnonymous(bytes.NewReader(bytes.Repeat([]byte{7}, 64)), f.to.key, []byte(f.sender))
	require.NoError(t, err)
	sealedKey, err := naclbox.SealAnonymous(bytes.NewReader(bytes.Repeat([]byte{8}, 64)), f.to.key, f.cek[:])
	require.NoError(t, err)
	encode := f.encoding.EncodeToString
	header := strings.NewReplacer("$key", encode(f.encryptedKey()), "$sealed", encode(sealedKey),
		"$nonce", encode(f.nonce[:]), "$sender", encode(sealedSender)).Replace(f.header)
	protected := encode([]byte(header))
	aead, err := chacha20poly1305.New(f.cek[:])
	require.NoError(t, err)
	iv := make([]byte, 12)
	sealed := aead.Seal(nil, iv, []byte(hello), []byte(protected))
	return []byte(strings.NewReplacer("$protected", protected, "$iv", encode(iv),
		"$ciphertext", encode(sealed[:len(hello)]), "$tag", encode(sealed[len(hello):])).Replace(f.outer))
}

// shared returns the key of boxes between an Ed25519 public key, of any order,
// and a private one.
func shared(peer ed25519.PublicKey, private ed25519.PrivateKey) *[32]byte {
	point, err := new(edwards25519.Point).SetBytes(peer)
	if err != nil {
		return new([32]byte)
	}
	u := [32]byte(point.BytesMontgomery())
	scalar := scalarOf(private)
	var key [32]byte
	box.Precompute(&key, &u, &scalar)
	return &key
}

// sharedWith returns what anybody can compute of a box with a point of small
// order: it does not depend on the private key.
func sharedWith(t testing.TB, point ed25519.PublicKey, p *testParty) *[32]byte {
	t.Helper()
	key := shared(point, party(99).private)
	require.Equal(t, key, shared(point, p.private))
	return key
}
