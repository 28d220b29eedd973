package wallet_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"encoding/hex"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/box"

	"filippo.io/edwards25519"

	"github.com/staffpassport/staffpassport/wallet"
)

// A party has its keys in the open, and does what libsodium does.
type party struct {
	verkey          ed25519.PublicKey
	public, private [32]byte
}

func newParty(t testing.TB, seed []byte) party {
	t.Helper()
	key := ed25519.NewKeyFromSeed(seed)
	p := party{verkey: key.Public().(ed25519.PublicKey)}
	point, err := new(edwards25519.Point).SetBytes(p.verkey)
	require.NoError(t, err)
	p.public = [32]byte(point.BytesMontgomery())
	h := sha512.Sum512(seed)
	h[0] &= 248
	h[31] &= 127
	h[31] |= 64
	p.private = [32]byte(h[:32])
	return p
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// TestConversion uses the seed of libsodium's test ed25519_convert.
func TestConversion(t *testing.T) {
	t.Parallel()
	seed := unhex(t, "421151a459faeade3d247115f94aedae42318124095afabe4d1451a559faedee")
	p := newParty(t, seed)
	require.Equal(t, "f1814f0e8ff1043d8a44d25babff3cedcae6c22c3edaa48f857ae70de2baae50", hex.EncodeToString(p.public[:]))
	require.Equal(t, "8052030376d47112be7f73ed7a019293dd12ad910b654455798b4667d73de166", hex.EncodeToString(p.private[:]))

	// The wallet is given that seed for its first key.
	s := newStore(t)
	createIn(t, keepOpen{s}, wallet.Config{})
	w, err := wallet.Open(t.Context(), keepOpen{s}, testKey, wallet.Config{UnsafeRand: io.MultiReader(bytes.NewReader(seed), rand.Reader)})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	own := newEd25519(t, w)
	require.Equal(t, p.verkey, own)

	peer := newParty(t, bytes.Repeat([]byte{7}, 32))
	nonce := &[24]byte{1}
	sealed, err := w.SealBox(t.Context(), own, peer.verkey, nonce, []byte("message"))
	require.NoError(t, err)
	require.Equal(t, box.Seal(nil, []byte("message"), nonce, &peer.public, &p.private), sealed)
}

func TestBoxes(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	own := newEd25519(t, w)
	ownPoint, err := new(edwards25519.Point).SetBytes(own)
	require.NoError(t, err)
	ownPublic := [32]byte(ownPoint.BytesMontgomery())
	peer := newParty(t, bytes.Repeat([]byte{7}, 32))
	for _, size := range []int{0, 1, 32, 5000} {
		message := bytes.Repeat([]byte{'m'}, size)
		nonce := &[24]byte{byte(size), 9}

		sealed, err := w.SealBox(t.Context(), own, peer.verkey, nonce, message)
		require.NoError(t, err)
		opened, ok := box.Open(nil, sealed, nonce, &ownPublic, &peer.private)
		require.True(t, ok)
		require.True(t, bytes.Equal(message, opened))

		got, err := w.OpenBox(t.Context(), own, peer.verkey, nonce, box.Seal(nil, message, nonce, &ownPublic, &peer.private))
		require.NoError(t, err)
		require.True(t, bytes.Equal(message, got))

		sealed, err = box.SealAnonymous(nil, message, &ownPublic, rand.Reader)
		require.NoError(t, err)
		got, err = w.OpenSealed(t.Context(), own, sealed)
		require.NoError(t, err)
		require.True(t, bytes.Equal(message, got))
	}
}

func TestBoxDoesNotOpen(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	own, second := newEd25519(t, w), newEd25519(t, w)
	peer := newParty(t, bytes.Repeat([]byte{7}, 32))
	stranger := newParty(t, bytes.Repeat([]byte{8}, 32))
	nonce := &[24]byte{1}
	sealed, err := w.SealBox(t.Context(), own, peer.verkey, nonce, []byte("message"))
	require.NoError(t, err)
	ownPoint, err := new(edwards25519.Point).SetBytes(own)
	require.NoError(t, err)
	ownPublic := [32]byte(ownPoint.BytesMontgomery())
	anonymous, err := box.SealAnonymous(nil, []byte("message"), &ownPublic, rand.Reader)
	require.NoError(t, err)

	_, err = w.OpenBox(t.Context(), own, peer.verkey, nonce, sealed)
	require.NoError(t, err) // both sides of a box have one key
	open := func(to, from ed25519.PublicKey, nonce *[24]byte, b []byte) error {
		m, err := w.OpenBox(t.Context(), to, from, nonce, b)
		require.Nil(t, m)
		return err
	}
	require.ErrorIs(t, open(own, peer.verkey, &[24]byte{2}, sealed), wallet.ErrBox)
	require.ErrorIs(t, open(own, stranger.verkey, nonce, sealed), wallet.ErrBox)
	require.ErrorIs(t, open(second, peer.verkey, nonce, sealed), wallet.ErrBox)
	require.ErrorIs(t, open(peer.verkey, own, nonce, sealed), wallet.ErrNotFound)
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		require.ErrorIs(t, open(own, peer.verkey, nonce, changed), wallet.ErrBox)
		require.ErrorIs(t, open(own, peer.verkey, nonce, sealed[:i]), wallet.ErrBox)
	}
	for i := range anonymous {
		changed := bytes.Clone(anonymous)
		changed[i] ^= 1
		for _, b := range [][]byte{changed, anonymous[:i]} {
			m, err := w.OpenSealed(t.Context(), own, b)
			require.ErrorIs(t, err, wallet.ErrBox)
			require.Nil(t, m)
		}
	}
	_, err = w.OpenSealed(t.Context(), second, anonymous)
	require.ErrorIs(t, err, wallet.ErrBox)
	_, err = w.OpenSealed(t.Context(), peer.verkey, anonymous)
	require.ErrorIs(t, err, wallet.ErrNotFound)
}

// TestBoxKeyRefused uses keys for which the secret of the box is known to everybody.
func TestBoxKeyRefused(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	own := newEd25519(t, w)
	nonce := &[24]byte{1}
	notOnCurve := make([]byte, 32)
	notOnCurve[0] = 2
	for name, pub := range map[string]ed25519.PublicKey{
		"neutral element":   unhex(t, "0100000000000000000000000000000000000000000000000000000000000000"),
		"order 2":           unhex(t, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
		"order 4":           unhex(t, "0000000000000000000000000000000000000000000000000000000000000000"),
		"order 8":           unhex(t, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
		"order 8, other":    unhex(t, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
		"neutral, 2nd form": unhex(t, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
		"neutral, sign bit": unhex(t, "0100000000000000000000000000000000000000000000000000000000000080"),
		"not on the curve":  notOnCurve,
		"empty":             nil,
		"too short":         own[:31],
		"too long":          append(bytes.Clone(own), 0),
	} {
		_, err := w.SealBox(t.Context(), own, pub, nonce, []byte("message"))
		require.ErrorIs(t, err, wallet.ErrKey, name)
		_, err = w.OpenBox(t.Context(), own, pub, nonce, make([]byte, 40))
		require.ErrorIs(t, err, wallet.ErrKey, name)
	}
	for _, pub := range []ed25519.PublicKey{nil, own[:31], append(bytes.Clone(own), 0)} {
		_, err := w.SealBox(t.Context(), pub, own, nonce, []byte("message"))
		require.ErrorIs(t, err, wallet.ErrKey)
		_, err = w.OpenSealed(t.Context(), pub, make([]byte, 80))
		require.ErrorIs(t, err, wallet.ErrKey)
		_, err = w.HasKey(t.Context(), pub)
		require.ErrorIs(t, err, wallet.ErrKey)
	}
	ok, err := w.HasKey(t.Context(), newParty(t, bytes.Repeat([]byte{7}, 32)).verkey)
	require.NoError(t, err)
	require.False(t, ok)
	_, err = w.SealBox(cancelled(t), own, own, nonce, nil)
	require.ErrorIs(t, err, context.Canceled)
}
