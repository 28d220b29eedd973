package envelope_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

// Mallory encrypts or signs with keys of her own and writes the victim's DID.
func TestAbuse_DC01_FromIsNotTheSender(t *testing.T) {
	t.Parallel()
	among := directory{}
	victim, bob, mallory := newPartyV2(t, among, "victim", "X25519"), newPartyV2(t, among, "bob", "X25519"), newPartyV2(t, among, "mallory", "X25519")
	lie := message(victim, bob)
	honest := message(mallory, bob)
	signed := func(text []byte, kid did.URL) []byte { return signAs(t, text, mallory.signer, kid) }
	for name, envelopeOf := range map[string]func() []byte{
		"authcrypt": func() []byte {
			f := newForgeryV2(t, mallory, bob)
			f.plaintext = lie
			return f.envelope()
		},
		"authcrypt without from": func() []byte {
			f := newForgeryV2(t, mallory, bob)
			f.plaintext = plain(toHeader(bob.id))
			return f.envelope()
		},
		"authcrypt under the victim's skid": func() []byte {
			f := newForgeryV2(t, mallory, bob)
			f.from(victim.id.URL("agree-1").String())
			f.plaintext = lie
			return f.envelope()
		},
		"authcrypt, skid the victim's and apu not": func() []byte {
			f := newForgeryV2(t, mallory, bob)
			f.edit(`"skid":"did:example:mallory`, `"skid":"did:example:victim`)
			f.plaintext = lie
			return f.envelope()
		},
		"hidden authcrypt": func() []byte {
			inner := newForgeryV2(t, mallory, bob)
			inner.plaintext = lie
			f := newForgeryV2(t, nil, bob)
			f.plaintext = inner.envelope()
			return f.envelope()
		},
		"signed": func() []byte { return signed(lie, mallory.id.URL("sign")) },
		"signed under the victim's kid": func() []byte {
			return signed(lie, victim.id.URL("sign"))
		},
		"signed without from": func() []byte {
			return signed(plain(toHeader(bob.id)), mallory.id.URL("sign"))
		},
		"signed with a key that does not authenticate": func() []byte {
			return signed(honest, mallory.id.URL("asserts"))
		},
		"signed and encrypted": func() []byte {
			f := newForgeryV2(t, nil, bob)
			f.plaintext = signed(lie, mallory.id.URL("sign"))
			return f.envelope()
		},
		"signed by the victim, authenticated by mallory": func() []byte {
			f := newForgeryV2(t, mallory, bob)
			f.plaintext = signAs(t, lie, victim.signer, victim.id.URL("sign"))
			return f.envelope()
		},
		"signed by mallory, authenticated by mallory, from the victim": func() []byte {
			f := newForgeryV2(t, mallory, bob)
			f.plaintext = signed(lie, mallory.id.URL("sign"))
			return f.envelope()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := bob.Unpack(t.Context(), envelopeOf())
			require.ErrorIs(t, err, envelope.ErrEnvelope)
			require.Nil(t, got)
		})
	}

	// Two layers of one party are read, though nobody should send them.
	f := newForgeryV2(t, mallory, bob)
	f.plaintext = signed(honest, mallory.id.URL("sign"))
	got, err := bob.Unpack(t.Context(), f.envelope())
	require.NoError(t, err)
	require.Equal(t, mallory.id, got.From)
	require.Equal(t, mallory.id.URL("sign"), got.Signer)
}

// An anonymous message may say who it is from: that proves nothing and is not told.
func TestAbuse_DC02_AnonymousFromV2(t *testing.T) {
	t.Parallel()
	among := directory{}
	victim, bob, mallory := newPartyV2(t, among, "victim", "X25519"), newPartyV2(t, among, "bob", "X25519"), newPartyV2(t, among, "mallory", "X25519")
	_, err := bob.Unpack(t.Context(), message(victim, bob))
	require.ErrorIs(t, err, envelope.ErrEnvelope)
	packed, err := mallory.PackV2(t.Context(), message(victim, bob), envelope.Options{To: bob.id})
	require.NoError(t, err)
	got, err := bob.Unpack(t.Context(), packed)
	require.NoError(t, err)
	require.False(t, got.Authenticated)
	require.True(t, got.From.IsZero())
	require.True(t, got.Prior.IsZero())
}

// Bob passes on to Carol what Alice sent to him.
func TestAbuse_DC03_SurreptitiousForwarding(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob, carol := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519"), newPartyV2(t, among, "carol", "X25519")
	unpacked := func(text []byte) []byte { return signAs(t, text, alice.signer, alice.id.URL("sign")) }
	toNobody := plain(fromHeader(alice.id))
	for name, envelopeOf := range map[string]func() []byte{
		"signed for Bob": func() []byte {
			f := newForgeryV2(t, nil, carol)
			f.plaintext = unpacked(message(alice, bob))
			return f.envelope()
		},
		"signed for nobody": func() []byte {
			f := newForgeryV2(t, nil, carol)
			f.plaintext = unpacked(toNobody)
			return f.envelope()
		},
		"signed for an empty list": func() []byte {
			f := newForgeryV2(t, nil, carol)
			f.plaintext = unpacked(plain(fromHeader(alice.id), `"to":[]`))
			return f.envelope()
		},
		"authenticated for another": func() []byte {
			f := newForgeryV2(t, alice, carol)
			f.plaintext = message(alice, bob)
			return f.envelope()
		},
		"authenticated for an empty list": func() []byte {
			f := newForgeryV2(t, alice, carol)
			f.plaintext = plain(fromHeader(alice.id), `"to":[]`)
			return f.envelope()
		},
		"authenticated for nobody": func() []byte {
			f := newForgeryV2(t, alice, carol)
			f.plaintext = toNobody
			return f.envelope()
		},
		"authenticated for nobody, hidden": func() []byte {
			inner := newForgeryV2(t, alice, carol)
			inner.plaintext = toNobody
			f := newForgeryV2(t, nil, carol)
			f.plaintext = inner.envelope()
			return f.envelope()
		},
		"anonymous for another": func() []byte {
			f := newForgeryV2(t, nil, carol)
			f.plaintext = plain(toHeader(bob.id))
			return f.envelope()
		},
		"authenticated for Bob, hidden again": func() []byte {
			f := newForgeryV2(t, nil, carol)
			f.plaintext = newForgeryV2(t, alice, bob).envelope()
			return f.envelope()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := carol.Unpack(t.Context(), envelopeOf())
			require.ErrorIs(t, err, didcomm.ErrPermanent)
			require.Nil(t, got)
		})
	}
	// What has no sender may name no recipient, as forwards of didcomm-rust do.
	anonymous := newForgeryV2(t, nil, carol)
	anonymous.plaintext = plain()
	got, err := carol.Unpack(t.Context(), anonymous.envelope())
	require.NoError(t, err)
	require.True(t, got.From.IsZero())
	_, err = alice.PackV2(t.Context(), toNobody, envelope.Options{From: alice.id, To: carol.id})
	require.ErrorIs(t, err, didcomm.ErrPermanent)
	// A wallet with both keys is one party under two DIDs: the layers must agree.
	both := carol.Packer
	keys := carol.keys
	keys.AddAgreement(bob.agreement[0])
	both.Agreement, both.Owns = keys, owns(carol.id, bob.id)
	f := newForgeryV2(t, nil, carol)
	f.plaintext = newForgeryV2(t, alice, bob).envelope()
	_, err = both.Unpack(t.Context(), f.envelope())
	require.ErrorIs(t, err, envelope.ErrEnvelope)
}

// signAs signs with a key under the name of another.
func signAs(t testing.TB, text []byte, s did.Signer, kid did.URL) []byte {
	t.Helper()
	return signedForm(t, text, s, `{"typ":"application/didcomm-signed+json","alg":"EdDSA"}`,
		`{"payload":"$payload","signatures":[{"protected":"$protected","signature":"$signature","header":{"kid":"`+kid.String()+`"}}]}`)
}

func signedForm(t testing.TB, text []byte, s did.Signer, header, form string) []byte {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	protected, payload := encode([]byte(header)), encode(text)
	signature, err := s.Sign(t.Context(), []byte(protected+"."+payload))
	require.NoError(t, err)
	return []byte(strings.NewReplacer("$payload", payload, "$protected", protected, "$signature", encode(signature)).Replace(form))
}

// The forms in which a signed message may come.
func TestUnpackV2Signed(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	const (
		header    = `{"typ":"application/didcomm-signed+json","alg":"EdDSA"}`
		withKid   = `{"typ":"application/didcomm-signed+json","alg":"EdDSA","kid":"did:example:alice#sign"}`
		kid       = `"header":{"kid":"did:example:alice#sign"}`
		general   = `{"payload":"$payload","signatures":[{"protected":"$protected","signature":"$signature",` + kid + `}]}`
		flattened = `{"payload":"$payload","protected":"$protected","signature":"$signature",` + kid + `}`
		noHeader  = `{"payload":"$payload","protected":"$protected","signature":"$signature"}`
	)
	replaced := func(s, old, new string) string {
		require.Contains(t, s, old)
		return strings.Replace(s, old, new, 1)
	}
	for name, c := range map[string]struct {
		header, form string
		good         bool
	}{
		"general":                    {header, general, true},
		"flattened":                  {header, flattened, true},
		"kid protected":              {withKid, noHeader, true},
		"kid in both":                {withKid, flattened, true},
		"unknown members":            {replaced(header, `{`, `{"x":[1],`), replaced(general, `{`, `{"y":{},`), true},
		"unknown beside the kid":     {header, replaced(general, `{"kid"`, `{"z":1,"kid"`), true},
		"typ without prefix":         {replaced(header, `application/`, ``), general, true},
		"typ of the text":            {replaced(header, `application/didcomm-signed+json`, `JWM`), general, true},
		"kid in both, not equal":     {replaced(withKid, `alice`, `bob`), flattened, false},
		"no kid":                     {header, noHeader, false},
		"kid no DID URL":             {header, replaced(general, `did:example:alice#sign`, `#sign`), false},
		"kid a number":               {header, replaced(general, `"did:example:alice#sign"`, `1`), false},
		"header null":                {withKid, replaced(flattened, `{"kid":"did:example:alice#sign"}`, `null`), false},
		"no typ":                     {replaced(header, `"typ":"application/didcomm-signed+json",`, ``), general, false},
		"typ unprotected":            {replaced(header, `"typ":"application/didcomm-signed+json",`, ``), replaced(general, `{"kid"`, `{"typ":"application/didcomm-signed+json","kid"`), false},
		"typ of a credential":        {replaced(header, `application/didcomm-signed+json`, `vc+jwt`), general, false},
		"typ of a JWT":               {replaced(header, `application/didcomm-signed+json`, `JWT`), general, false},
		"no alg":                     {replaced(header, `,"alg":"EdDSA"`, ``), general, false},
		"alg none":                   {replaced(header, `EdDSA`, `none`), general, false},
		"alg of another key":         {replaced(header, `EdDSA`, `ES256`), general, false},
		"alg ES256K":                 {replaced(header, `EdDSA`, `ES256K`), general, false},
		"alg HS256":                  {replaced(header, `EdDSA`, `HS256`), general, false},
		"alg unprotected":            {header, replaced(general, `{"kid"`, `{"alg":"EdDSA","kid"`), false},
		"crit":                       {replaced(header, `{`, `{"crit":["b64"],"b64":true,`), general, false},
		"b64":                        {replaced(header, `{`, `{"b64":true,`), general, false},
		"member in both headers":     {replaced(header, `{`, `{"x":1,`), replaced(general, `{"kid"`, `{"x":1,"kid"`), false},
		"two signatures":             {header, replaced(general, `}]`, `},{"protected":"$protected","signature":"$signature",`+kid+`}]`), false},
		"no signature":               {header, replaced(general, `"signature":"$signature",`, ``), false},
		"empty signature":            {header, replaced(general, `$signature`, ``), false},
		"long signature":             {header, replaced(general, `$signature`, strings.Repeat("A", 200)), false},
		"signatures empty":           {header, `{"payload":"$payload","signatures":[]}`, false},
		"signatures a map":           {header, `{"payload":"$payload","signatures":{}}`, false},
		"general and flattened":      {header, replaced(general, `{`, `{"protected":"$protected",`), false},
		"payload of another":         {header, replaced(general, `$payload`, base64.RawURLEncoding.EncodeToString(message(alice, alice))), false},
		"payload padded":             {header, replaced(general, `$payload`, `$payload=`), false},
		"detached":                   {header, replaced(general, `"payload":"$payload",`, ``), false},
		"payload empty":              {header, replaced(general, `$payload`, ``), false},
		"compact":                    {withKid, `$protected.$payload.$signature`, false},
		"compact as a JSON text":     {withKid, `"$protected.$payload.$signature"`, false},
		"protected an object":        {header, replaced(general, `"$protected"`, header), false},
		"header in capitals as well": {replaced(header, `{`, `{"ALG":"none",`), general, false},
	} {
		packed := signedForm(t, message(alice, bob), alice.signer, c.header, c.form)
		for _, encrypted := range []bool{false, true} {
			if encrypted {
				f := newForgeryV2(t, nil, bob)
				f.plaintext = packed
				packed = f.envelope()
			}
			got, err := bob.Unpack(t.Context(), packed)
			if !c.good {
				require.ErrorIs(t, err, envelope.ErrEnvelope, name)
				continue
			}
			require.NoError(t, err, name)
			want := &envelope.Received{Version: didcomm.V2, Authenticated: true, From: alice.id,
				Signer: alice.id.URL("sign"), Encrypted: encrypted, Plaintext: message(alice, bob)}
			if encrypted {
				want.To = bob.id
			}
			require.Equal(t, want, got, name)
		}
	}
	twice := signAs(t, signAs(t, message(alice, bob), alice.signer, alice.id.URL("sign")), alice.signer, alice.id.URL("sign"))
	_, err := bob.Unpack(t.Context(), twice)
	require.ErrorIs(t, err, envelope.ErrEnvelope)
	sealed := signAs(t, newForgeryV2(t, alice, bob).envelope(), alice.signer, alice.id.URL("sign"))
	_, err = bob.Unpack(t.Context(), sealed)
	require.ErrorIs(t, err, envelope.ErrEnvelope, "encrypted, then signed")
}

// A did:peer:4 is one DID in its long form and its short form.
func TestPeer4LongAndShort(t *testing.T) {
	t.Parallel()
	longs := map[did.DID]did.DID{}
	among := did.Mux{"peer": didpeer.Resolver{Long: func(short did.DID) (did.DID, bool) { l, ok := longs[short]; return l, ok }}}
	make4 := func(name string) (p *partyV2, long, short did.DID) {
		p = newPartyV2(t, directory{}, name, "X25519", "P-256")
		doc, err := p.Resolver.Resolve(t.Context(), p.id, did.Version{})
		require.NoError(t, err)
		text, err := json.Marshal(doc.Document)
		require.NoError(t, err)
		var input map[string]any
		require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(string(text), p.id.String()+"#", "#")), &input))
		delete(input, "id")
		for _, member := range []string{"verificationMethod", "authentication", "keyAgreement"} {
			for _, m := range input[member].([]any) {
				delete(m.(map[string]any), "controller")
			}
		}
		text, err = json.Marshal(input)
		require.NoError(t, err)
		long, err = didpeer.New(text)
		require.NoError(t, err)
		p.Resolver, p.Cache, p.Owns = among, envelope.NewCache(), owns(long)
		return p, long, didpeer.Short(long)
	}
	alice, aliceLong, aliceShort := make4("alice")
	bob, bobLong, bobShort := make4("bob")
	_, err := bob.PackV2(t.Context(), plain(), envelope.Options{To: aliceShort})
	require.ErrorIs(t, err, did.ErrNotFound)
	longs[aliceShort], longs[bobShort] = aliceLong, bobLong
	for range 2 { // the second time from the cache
		for _, from := range []did.DID{aliceLong, aliceShort} {
			for _, to := range []did.DID{bobLong, bobShort} {
				for _, inside := range []did.DID{aliceLong, aliceShort} {
					text := plain(fromHeader(inside), toHeader(bobShort))
					packed, err := alice.PackV2(t.Context(), text, envelope.Options{From: from, To: to})
					require.NoError(t, err)
					got, err := bob.Unpack(t.Context(), packed)
					require.NoError(t, err)
					wantFrom := aliceShort
					if from == aliceLong || inside == aliceLong {
						wantFrom = aliceLong
					}
					require.Equal(t, wantFrom, got.From)
					require.Equal(t, to, got.To)
				}
			}
		}
	}
	_, err = alice.PackV2(t.Context(), plain(fromHeader(bobLong)), envelope.Options{From: aliceLong, To: bobLong})
	require.ErrorIs(t, err, didcomm.ErrPermanent)
	_, documents := envelope.Cached(bob.Cache)
	require.Equal(t, 4, documents)
	bob.Cache.Clear()
	secrets, documents := envelope.Cached(bob.Cache)
	require.Zero(t, secrets+documents)
}

// A key that has expired proves nothing, and none is packed to.
func TestV2ExpiredKey(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	packed := newForgeryV2(t, alice, bob).envelope()
	text, err := json.Marshal(among[alice.id])
	require.NoError(t, err)
	expired := strings.Replace(string(text), `"id":"did:example:alice#agree-1",`, `"id":"did:example:alice#agree-1","expires":"2026-03-02T12:00:00Z",`, 1)
	require.NotEqual(t, string(text), expired)
	among[alice.id], err = did.ParseDocument([]byte(expired))
	require.NoError(t, err)
	_, err = bob.Unpack(t.Context(), packed)
	require.ErrorIs(t, err, envelope.ErrEnvelope)
	_, err = bob.PackV2(t.Context(), message(bob, alice), envelope.Options{From: bob.id, To: alice.id})
	require.ErrorIs(t, err, didcomm.ErrPermanent)
	bob.Now = func() time.Time { return noon.Add(-time.Second) }
	_, err = bob.Unpack(t.Context(), packed)
	require.NoError(t, err)
}
