package envelope_test

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

// Mallory's document has Bob's key. What Alice writes to Mallory is not for Bob, and the
// sender of such an envelope does not learn whose key it is by what is looked up.
func TestAbuse_DC03_OurKeyInAnotherDocument(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob, mallory := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519"), newPartyV2(t, among, "mallory", "X25519")
	jwk, err := json.Marshal(publicJWK(bob.agreement[0].PublicKey()))
	require.NoError(t, err)
	among[mallory.id], err = did.ParseDocument([]byte(`{"id":"did:example:mallory","keyAgreement":[{"id":"did:example:mallory#agree-1",` +
		`"type":"JsonWebKey2020","controller":"did:example:mallory","publicKeyJwk":` + string(jwk) + `}]}`))
	require.NoError(t, err)
	text := message(alice, mallory)
	counting := &countingResolver{directory: among}
	bob.Resolver = counting
	for _, o := range []envelope.Options{{From: alice.id}, {From: alice.id, HideSender: true}, {Sign: alice.signer}} {
		o.To = mallory.id
		packed, err := alice.PackV2(t.Context(), text, o)
		require.NoError(t, err)
		got, err := bob.Unpack(t.Context(), packed)
		require.ErrorIs(t, err, envelope.ErrNotForUs)
		require.Nil(t, got)
		require.Empty(t, counting.asked)
	}
	packed := newForgeryV2(t, alice, bob).envelope()
	bob.Owns = nil
	_, err = bob.Unpack(t.Context(), packed)
	require.ErrorIs(t, err, envelope.ErrNotForUs)
	bob.Owns = func(context.Context, did.DID) (bool, error) { return false, did.ErrUnavailable }
	_, err = bob.Unpack(t.Context(), packed)
	require.ErrorIs(t, err, did.ErrUnavailable)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
}

// What does not open leaves nothing in the cache.
func TestCacheKeepsNothingOfStrangers(t *testing.T) {
	t.Parallel()
	among := directory{}
	bob := newPartyV2(t, among, "bob", "X25519")
	bob.Cache, bob.Resolver = envelope.NewCache(), did.Mux{"key": didkey.Resolver{}, "example": among}
	key := secretKey(t, ecdh.X25519(), "stranger")
	id, err := didkey.New(key.PublicKey())
	require.NoError(t, err)
	alice := newPartyV2(t, among, "alice", "X25519")
	alice.agreement[0] = key
	good := func() *forgeryV2 {
		f := newForgeryV2(t, alice, bob)
		f.from(id.String() + "#" + id.SpecificID())
		f.plaintext = plain(fromHeader(id), toHeader(bob.id))
		return f
	}
	wrongKey, wrongTag := good(), good()
	wrongKey.entry(`$key`, base64.RawURLEncoding.EncodeToString(make([]byte, 72)))
	wrongTag.around(`$tag`, base64.RawURLEncoding.EncodeToString(make([]byte, 32)))
	for _, f := range []*forgeryV2{wrongKey, wrongTag} {
		_, err = bob.Unpack(t.Context(), f.envelope())
		require.ErrorIs(t, err, envelope.ErrEnvelope)
		secrets, documents := envelope.Cached(bob.Cache)
		require.Zero(t, secrets+documents)
	}
	_, err = bob.Unpack(t.Context(), good().envelope())
	require.NoError(t, err)
	secrets, documents := envelope.Cached(bob.Cache)
	require.Equal(t, []int{1, 1}, []int{secrets, documents})
}

// A cache holds documents of long DIDs up to a size, and of longer ones none.
func TestCacheIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	alice := newPartyV2(t, directory{}, "alice", "X25519")
	alice.Cache, alice.Resolver = envelope.NewCache(), did.Mux{"peer": didpeer.Resolver{}}
	pack := func(name string, keys int) int {
		list := make([]didpeer.Key, keys)
		for i := range list {
			list[i] = didpeer.Key{For: did.KeyAgreement, Public: secretKey(t, ecdh.X25519(), fmt.Sprint(name, i)).PublicKey()}
		}
		id, err := didpeer.New2(list)
		require.NoError(t, err)
		_, err = alice.PackV2(t.Context(), plain(toHeader(id)), envelope.Options{To: id})
		require.NoError(t, err)
		return len(id.String())
	}
	require.Greater(t, pack("long", 50), envelope.MaxCachedDID)
	_, documents := envelope.Cached(alice.Cache)
	require.Zero(t, documents)
	for i := range 100 {
		size := pack(fmt.Sprint(i, "-"), 30)
		_, documents = envelope.Cached(alice.Cache)
		require.Equal(t, min(i+1, envelope.MaxCachedDIDs/size), documents)
	}
	require.Less(t, documents, 100)
}

// Two forms of the party's own DID are looked up, and no third behind the same hash.
func TestUnpackV2ManyForms(t *testing.T) {
	t.Parallel()
	bob := newPartyV2(t, directory{}, "bob", "X25519")
	long, err := didpeer.New([]byte(`{"keyAgreement":[{"id":"#k","type":"JsonWebKey2020","publicKeyJwk":{"kty":"OKP","crv":"X25519","x":"` +
		base64.RawURLEncoding.EncodeToString(bob.agreement[0].PublicKey().Bytes()) + `"}}]}`))
	require.NoError(t, err)
	counting := &countingResolver{directory: directory{}}
	bob.Resolver, bob.Owns = counting, owns(long)
	f := newForgeryV2(t, nil, bob)
	var kids, entries []string
	for i := range envelope.MaxRecipients {
		kid := fmt.Sprintf("%s:z%s#k", didpeer.Short(long).String(), strings.Repeat("2", i+1))
		kids = append(kids, kid)
		entries = append(entries, `{"header":{"kid":"`+kid+`"},"encrypted_key":"$key"}`)
	}
	f.recipient = strings.Join(entries, ",")
	f.bind(kids...)
	_, err = bob.Unpack(t.Context(), f.envelope())
	require.ErrorIs(t, err, envelope.ErrEnvelope)
	require.Len(t, counting.asked, 2)
}

// The mark that stands where a long value was is no value itself.
func TestUnpackMark(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	text := plain(fromHeader(alice.id), toHeader(bob.id), `"x":"`+strings.Repeat("x", 1500)+`"`)
	signed, err := alice.SignV2(t.Context(), text, alice.signer)
	require.NoError(t, err)
	_, err = bob.Unpack(t.Context(), []byte(strings.Replace(string(signed), `"payload":"`, `"payload":"*","ciphertext":"`, 1)))
	require.ErrorIs(t, err, envelope.ErrEnvelope)
	f := newForgeryV2(t, alice, bob)
	f.plaintext = text
	_, err = bob.Unpack(t.Context(), []byte(strings.Replace(string(f.envelope()), `"ciphertext":"`, `"ciphertext":"*","payload":"`, 1)))
	require.ErrorIs(t, err, envelope.ErrEnvelope)
}

// A store that fails once refuses no envelope for good, of either version.
func TestUnpackFailsOnce(t *testing.T) {
	t.Parallel()
	for _, curve := range []string{"X25519", "P-256"} {
		among := directory{}
		alice, bob := newPartyV2(t, among, "alice", curve), newPartyV2(t, among, "bob", curve)
		packed := newForgeryV2(t, alice, bob).envelope()
		for n := 1; n <= 2; n++ { // Ze, Zs
			bob.Agreement = &failsOnce{AgreementKeys: bob.keys, left: n}
			_, err := bob.Unpack(t.Context(), packed)
			require.ErrorIs(t, err, errBusy)
			require.NotErrorIs(t, err, didcomm.ErrPermanent)
			_, err = bob.Unpack(t.Context(), packed)
			require.NoError(t, err)
		}
	}
	alice, bob := party(1), party(2)
	packed, err := alice.PackV1(t.Context(), []byte(hello), alice.key, bob.key)
	require.NoError(t, err)
	bob.Packer.Keys = &failsOnce{Keys: bob.Keys, left: 1}
	_, err = bob.Unpack(t.Context(), packed)
	require.ErrorIs(t, err, errBusy)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
	_, err = bob.Unpack(t.Context(), packed)
	require.NoError(t, err)
}

var errBusy = errors.New("store is busy")

// failsOnce are keys that fail the time that is left 1.
type failsOnce struct {
	envelope.AgreementKeys
	envelope.Keys
	left int
}

func (f *failsOnce) fail() error {
	if f.left--; f.left == 0 {
		return errBusy
	}
	return nil
}

func (f *failsOnce) KeyExchanger(ctx context.Context, pub *ecdh.PublicKey) (ecdh.KeyExchanger, error) {
	k, err := f.AgreementKeys.KeyExchanger(ctx, pub)
	return failingExchanger{k, f}, err
}

func (f *failsOnce) OpenSealed(ctx context.Context, to ed25519.PublicKey, box []byte) ([]byte, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	return f.Keys.OpenSealed(ctx, to, box)
}

type failingExchanger struct {
	ecdh.KeyExchanger
	keys *failsOnce
}

func (e failingExchanger) ECDH(pub *ecdh.PublicKey) ([]byte, error) {
	if err := e.keys.fail(); err != nil {
		return nil, err
	}
	return e.KeyExchanger.ECDH(pub)
}
