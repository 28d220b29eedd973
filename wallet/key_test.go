package wallet_test

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// method is a verification method's name; the wallet does not look into it.
func method(t testing.TB) did.URL {
	t.Helper()
	u, err := did.ParseURL("did:example:rowan#key-1")
	require.NoError(t, err)
	return u
}

func TestSign(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wallet.db")
	pubs := map[wallet.KeyType]crypto.PublicKey{}
	w := createIn(t, openStore(t, path), wallet.Config{})
	check := func(w *wallet.Wallet) {
		for typ, pub := range pubs {
			signer, err := w.Signer(t.Context(), method(t), pub)
			require.NoError(t, err, typ)
			require.Equal(t, pub, signer.Public())
			require.Equal(t, method(t), signer.VerificationMethod())
			message := []byte("message")
			signature, err := signer.Sign(t.Context(), message)
			require.NoError(t, err)
			require.NoError(t, did.VerifySignature(pub, message, signature))
			require.ErrorIs(t, did.VerifySignature(pub, []byte("Message"), signature), did.ErrSignature)
		}
	}
	for _, typ := range []wallet.KeyType{wallet.Ed25519, wallet.P256, wallet.P384} {
		pub, err := w.NewKey(t.Context(), typ)
		require.NoError(t, err)
		pubs[typ] = pub
	}
	require.IsType(t, ed25519.PublicKey{}, pubs[wallet.Ed25519])
	require.Equal(t, elliptic.P256(), pubs[wallet.P256].(*ecdsa.PublicKey).Curve)
	require.Equal(t, elliptic.P384(), pubs[wallet.P384].(*ecdsa.PublicKey).Curve)
	check(w)
	require.NoError(t, w.Close())

	w, err := wallet.Open(t.Context(), openStore(t, path), testKey, wallet.Config{})
	require.NoError(t, err)
	check(w)
	require.NoError(t, w.Close())
}

func TestKeyExchange(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	var exchanger ecdh.KeyExchanger
	var peer *ecdh.PrivateKey
	for typ, curve := range map[wallet.KeyType]ecdh.Curve{wallet.P256: ecdh.P256(), wallet.P384: ecdh.P384(), wallet.X25519: ecdh.X25519()} {
		pub, err := w.NewKey(t.Context(), typ)
		require.NoError(t, err)
		own, ok := pub.(*ecdh.PublicKey)
		if !ok {
			own, err = pub.(*ecdsa.PublicKey).ECDH()
			require.NoError(t, err)
		}
		exchanger, err = w.KeyExchanger(t.Context(), own)
		require.NoError(t, err)
		require.True(t, exchanger.PublicKey().Equal(own))
		require.Equal(t, curve, exchanger.Curve())

		peer, err = curve.GenerateKey(rand.Reader)
		require.NoError(t, err)
		want, err := peer.ECDH(own)
		require.NoError(t, err)
		got, err := exchanger.ECDH(peer.PublicKey())
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, err = exchanger.ECDH(other(t, curve))
		require.Error(t, err, "a key on another curve")
	}
	pub, err := w.NewKey(t.Context(), wallet.X25519)
	require.NoError(t, err)
	exchanger, err = w.KeyExchanger(t.Context(), pub.(*ecdh.PublicKey))
	require.NoError(t, err)
	peer, err = ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)

	small, err := ecdh.X25519().NewPublicKey(make([]byte, 32))
	require.NoError(t, err)
	_, err = exchanger.ECDH(small)
	require.Error(t, err)
	require.NoError(t, w.Close())
	_, err = exchanger.ECDH(peer.PublicKey())
	require.ErrorIs(t, err, wallet.ErrClosed)
}

// other returns a public key that is not on the curve.
func other(t *testing.T, curve ecdh.Curve) *ecdh.PublicKey {
	t.Helper()
	if curve == ecdh.P256() {
		curve = ecdh.P384()
	} else {
		curve = ecdh.P256()
	}
	key, err := curve.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return key.PublicKey()
}

func TestKeyRefused(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	ctx := t.Context()
	agreement, err := w.NewKey(ctx, wallet.X25519)
	require.NoError(t, err)
	signing, err := w.NewKey(ctx, wallet.Ed25519)
	require.NoError(t, err)
	foreign, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	foreignP256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	ecdhP256, err := ecdh.P256().GenerateKey(rand.Reader)
	require.NoError(t, err)
	ecdhP521, err := ecdh.P521().GenerateKey(rand.Reader)
	require.NoError(t, err)

	for _, typ := range []wallet.KeyType{"", "ed25519", "P-521", "RSA"} {
		pub, err := w.NewKey(ctx, typ)
		require.ErrorIs(t, err, wallet.ErrKey, typ)
		require.Nil(t, pub)
	}
	for name, c := range map[string]struct {
		pub  crypto.PublicKey
		want error
	}{
		"somebody else's":          {foreign, wallet.ErrNotFound},
		"somebody else's P-256":    {&foreignP256.PublicKey, wallet.ErrNotFound},
		"key agreement":            {agreement, wallet.ErrKey},
		"P-521":                    {&p521.PublicKey, wallet.ErrKey},
		"ecdh P-256":               {ecdhP256.PublicKey(), wallet.ErrKey},
		"nil":                      {nil, wallet.ErrKey},
		"nil ecdsa":                {(*ecdsa.PublicKey)(nil), wallet.ErrKey},
		"nil ecdh":                 {(*ecdh.PublicKey)(nil), wallet.ErrKey},
		"empty ecdsa":              {&ecdsa.PublicKey{}, wallet.ErrKey},
		"short":                    {signing.(ed25519.PublicKey)[:31], wallet.ErrKey},
		"private":                  {make(ed25519.PrivateKey, 64), wallet.ErrKey},
		"text that looks like one": {string(signing.(ed25519.PublicKey)), wallet.ErrKey},
	} {
		s, err := w.Signer(ctx, method(t), c.pub)
		require.ErrorIs(t, err, c.want, name)
		require.Nil(t, s, name)
	}
	for name, c := range map[string]struct {
		pub  *ecdh.PublicKey
		want error
	}{
		"somebody else's P-256": {ecdhP256.PublicKey(), wallet.ErrNotFound},
		"P-521":                 {ecdhP521.PublicKey(), wallet.ErrKey},
		"nil":                   {nil, wallet.ErrKey},
	} {
		e, err := w.KeyExchanger(ctx, c.pub)
		require.ErrorIs(t, err, c.want, name)
		require.Nil(t, e, name)
	}
	_, err = w.Signer(ctx, did.URL{}, signing)
	require.ErrorIs(t, err, did.ErrInvalid)
	_, err = w.Signer(cancelled(t), method(t), signing)
	require.ErrorIs(t, err, context.Canceled)
}

func cancelled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestNewKeyInTransaction(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	var kept, dropped crypto.PublicKey
	update(t, w, func(tx *wallet.Tx) {
		pub, err := tx.NewKey(wallet.Ed25519)
		require.NoError(t, err)
		kept = pub
		_, err = w.Signer(t.Context(), method(t), pub)
		require.ErrorIs(t, err, wallet.ErrNotFound, "usable before the commit")
	})
	_, err := w.Signer(t.Context(), method(t), kept)
	require.NoError(t, err)

	own := errors.New("own")
	require.ErrorIs(t, w.Update(t.Context(), func(tx *wallet.Tx) error {
		pub, err := tx.NewKey(wallet.Ed25519)
		require.NoError(t, err)
		dropped = pub
		return own
	}), own)
	_, err = w.Signer(t.Context(), method(t), dropped)
	require.ErrorIs(t, err, wallet.ErrNotFound)
}

// TestKeysAreOpenedAgain uses more keys than are kept open, and keys of a wallet that
// was opened again, also while an Update runs.
func TestKeysAreOpenedAgain(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	peer := newEd25519(t, w)
	var pubs []ed25519.PublicKey
	update(t, w, func(tx *wallet.Tx) {
		for range wallet.MaxOpenKeys + 20 {
			pub, err := tx.NewKey(wallet.Ed25519)
			require.NoError(t, err)
			pubs = append(pubs, pub.(ed25519.PublicKey))
		}
	})
	update(t, w, func(tx *wallet.Tx) {
		for _, pub := range pubs {
			sealed, err := w.SealBox(t.Context(), pub, peer, new([24]byte), []byte("message"))
			require.NoError(t, err)
			opened, err := w.OpenBox(t.Context(), peer, pub, new([24]byte), sealed)
			require.NoError(t, err)
			require.Equal(t, "message", string(opened))
		}
	})
	keys, shared := wallet.OpenKeys(w)
	require.LessOrEqual(t, keys, wallet.MaxOpenKeys)
	require.LessOrEqual(t, shared, wallet.MaxOpenKeys)
}

// TestKnownKeyReadsNothing packs with a store that no longer answers.
func TestKnownKeyReadsNothing(t *testing.T) {
	t.Parallel()
	s := &countingStore{Store: newStore(t)}
	w := createIn(t, s, wallet.Config{})
	ours, theirs := newEd25519(t, w), newEd25519(t, w)
	signer, err := w.Signer(t.Context(), method(t), ours)
	require.NoError(t, err)
	before := s.views
	for range 3 {
		_, err := w.SealBox(t.Context(), ours, theirs, new([24]byte), nil)
		require.NoError(t, err)
		_, err = signer.Sign(t.Context(), []byte("message"))
		require.NoError(t, err)
		ok, err := w.HasKey(t.Context(), ours)
		require.NoError(t, err)
		require.True(t, ok)
	}
	require.Equal(t, before, s.views)
}

type countingStore struct {
	*sqlitestore.Store
	views int
}

func (s *countingStore) View(ctx context.Context, f func(wallet.StoreTx) error) error {
	s.views++
	return s.Store.View(ctx, f)
}

func TestCloseWipesKeys(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	ours, theirs := newEd25519(t, w), newEd25519(t, w)
	_, err := w.SealBox(t.Context(), ours, theirs, new([24]byte), nil)
	require.NoError(t, err)
	for _, typ := range []wallet.KeyType{wallet.P256, wallet.P384, wallet.X25519} {
		_, err := w.NewKey(t.Context(), typ)
		require.NoError(t, err)
	}
	held := wallet.SecretBytes(w)
	require.Len(t, held, 3+2*2+3+1)
	for _, b := range held {
		require.NotEqual(t, make([]byte, len(b)), b)
	}
	require.NoError(t, w.Close())
	for i, b := range held {
		require.Equal(t, make([]byte, len(b)), b, "secret %d", i)
	}
}
