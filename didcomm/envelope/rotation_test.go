package envelope_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

// A party says under its new DID who it was ("DID Rotation").
func TestFromPrior(t *testing.T) {
	t.Parallel()
	among := directory{}
	old, alice, bob, mallory := newPartyV2(t, among, "old", "X25519"), newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519"), newPartyV2(t, among, "mallory", "X25519")
	jwt := func(s did.Signer, next did.DID) string {
		token, err := envelope.SignPrior(t.Context(), s, next, noon)
		require.NoError(t, err)
		return `"from_prior":"` + token + `"`
	}
	good := jwt(old.signer, alice.id)
	auth := func(from *partyV2, headers ...string) []byte {
		f := newForgeryV2(t, from, bob)
		f.plaintext = plain(append(headers, fromHeader(from.id), toHeader(bob.id))...)
		return f.envelope()
	}
	anon := func(headers ...string) []byte {
		f := newForgeryV2(t, nil, bob)
		f.plaintext = plain(headers...)
		return f.envelope()
	}
	signed, err := alice.SignV2(t.Context(), plain(good, fromHeader(alice.id)), alice.signer)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		envelope []byte
		prior    did.DID
		refused  bool
	}{
		"EdDSA":                         {auth(alice, good), old.id, false},
		"ES256":                         {auth(alice, jwt(old.p256, alice.id)), old.id, false},
		"another's":                     {auth(mallory, good), did.DID{}, true},
		"for another":                   {auth(alice, jwt(old.signer, mallory.id)), did.DID{}, true},
		"signed by the new DID":         {auth(alice, jwt(alice.signer, alice.id)), did.DID{}, true},
		"of nobody":                     {auth(alice, strings.Replace(good, `":"`, `":"x`, 1)), did.DID{}, true},
		"altered":                       {auth(alice, good[:len(good)-4]+`AAA"`), did.DID{}, true},
		"leave with a from":             {auth(old, jwt(old.signer, did.DID{})), did.DID{}, true},
		"anonymous, as anybody can":     {anon(good, fromHeader(alice.id)), did.DID{}, false},
		"anonymous without from":        {anon(good), did.DID{}, true},
		"leave":                         {anon(jwt(old.signer, did.DID{})), old.id, false},
		"leave signed by another":       {anon(strings.Replace(jwt(mallory.signer, did.DID{}), "x", "y", 1)), did.DID{}, true},
		"signed only, so not encrypted": {signed, did.DID{}, false},
	} {
		got, err := bob.Unpack(t.Context(), c.envelope)
		if err == nil { // of a sender, who may be known without it
			require.Equal(t, c.refused, got.PriorErr != nil, name)
			err = got.PriorErr
		}
		if c.refused {
			require.ErrorIs(t, err, envelope.ErrEnvelope, name)
			if got != nil {
				require.Zero(t, got.Prior, name)
				require.True(t, got.Authenticated, name)
			}
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.prior, got.Prior, name)
		require.Equal(t, !c.prior.IsZero(), got.Rotated.Equal(noon), name)
	}
	// The old DID need not resolve for ever.
	p := bob.Packer
	for failure, permanent := range map[error]bool{did.ErrUnavailable: false, did.ErrNotFound: true} {
		p.Resolver = failing{among, old.id, failure}
		got, err := p.Unpack(t.Context(), auth(alice, good))
		require.NoError(t, err)
		require.Equal(t, alice.id, got.From)
		require.Equal(t, permanent, errors.Is(got.PriorErr, didcomm.ErrPermanent))
		_, err = p.Unpack(t.Context(), anon(jwt(old.signer, did.DID{})))
		require.Equal(t, permanent, errors.Is(err, didcomm.ErrPermanent))
		require.Error(t, err)
	}
}

// Behind the hash of a did:peer:4 its owner, or anybody else, can write what is no
// document of it: that is not taken for its long form.
func TestLongFormOfPlaintext(t *testing.T) {
	t.Parallel()
	longs := map[did.DID]did.DID{}
	among := did.Mux{"peer": didpeer.Resolver{Long: func(short did.DID) (did.DID, bool) { l, ok := longs[short]; return l, ok }}}
	make4 := func(name string) (p *partyV2, long, fake did.DID) {
		p = newPartyV2(t, directory{}, name, "X25519")
		multikey, err := did.Multikey(p.agreement[0].PublicKey())
		require.NoError(t, err)
		long, err = didpeer.New([]byte(`{"keyAgreement":[{"id":"#k","type":"Multikey","publicKeyMultibase":"` + multikey + `"}]}`))
		require.NoError(t, err)
		p.Resolver, p.Owns, longs[didpeer.Short(long)] = among, owns(long), long
		return p, long, parseDID(t, didpeer.Short(long).String()+":z"+strings.Repeat("NoSuchDocument", 60))
	}
	alice, from, fakeFrom := make4("alice")
	bob, to, fakeTo := make4("bob")
	for _, form := range []func(did.DID) did.DID{didpeer.Short, func(long did.DID) did.DID { return long }} {
		packed, err := alice.PackV2(t.Context(), plain(fromHeader(fakeFrom), toHeader(fakeTo)), envelope.Options{From: form(from), To: form(to)})
		require.NoError(t, err)
		got, err := bob.Unpack(t.Context(), packed)
		require.NoError(t, err)
		require.Equal(t, form(from), got.From)
		require.Equal(t, form(to), got.To)
	}
}
