package envelope_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

// The ciphertext of an envelope is decoded where it stands: whatever is around it says
// which text that is, or there is none.
func TestUnpackLongValue(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	long := strings.Repeat("A", 4<<10)
	for name, c := range map[string]struct {
		change func(*forgeryV2)
		good   bool
	}{
		"as it is":            {func(*forgeryV2) {}, true},
		"white space":         {func(f *forgeryV2) { f.around(`"ciphertext":`, "\"ciphertext\" \n\t: \r") }, true},
		"name escaped":        {func(f *forgeryV2) { f.around(`"ciphertext"`, `"\u0063iphertext"`) }, true},
		"value named like it": {func(f *forgeryV2) { f.around(`{`, `{"x":"ciphertext",`) }, true},
		"another one inside":  {func(f *forgeryV2) { f.around(`{`, `{"x":{"ciphertext":"`+long+`"},`) }, true},
		"only inside":         {func(f *forgeryV2) { f.around(`"ciphertext":"$ciphertext"`, `"x":{"ciphertext":"$ciphertext"}`) }, false},
		"inside and a mark": {func(f *forgeryV2) {
			f.around(`"ciphertext":"$ciphertext"`, `"x":{"ciphertext":"$ciphertext"},"ciphertext":"*"`)
		}, false},
		"inside and escaped mark": {func(f *forgeryV2) {
			f.around(`"ciphertext":"$ciphertext"`, `"x":{"ciphertext":"$ciphertext"},"\u0063iphertext":"*"`)
		}, false},
		"a mark":                  {func(f *forgeryV2) { f.around(`$ciphertext`, `*`) }, false},
		"twice":                   {func(f *forgeryV2) { f.around(`"ciphertext"`, `"ciphertext":"`+long+`","ciphertext"`) }, false},
		"in a list":               {func(f *forgeryV2) { f.around(`"$ciphertext"`, `["$ciphertext"]`) }, false},
		"not closed":              {func(f *forgeryV2) { f.outer = `{"protected":"$protected","ciphertext":"$ciphertext` }, false},
		"tab in it":               {func(f *forgeryV2) { f.around(`$ciphertext`, "$ciphertext\t") }, false},
		"line break in it":        {func(f *forgeryV2) { f.around(`$ciphertext`, "$ciphertext\n") }, false},
		"not UTF-8":               {func(f *forgeryV2) { f.around(`$ciphertext`, "$ciphertext\xff") }, false},
		"NUL in it":               {func(f *forgeryV2) { f.around(`$ciphertext`, "$ciphertext\x00") }, false},
		"a payload for a message": {func(f *forgeryV2) { f.around(`{`, `{"payload":"`+long+`",`) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newForgeryV2(t, alice, bob)
			f.plaintext = plain(fromHeader(alice.id), toHeader(bob.id), `"x":"`+long+`"`)
			c.change(f)
			got, err := bob.Unpack(t.Context(), f.envelope())
			if !c.good {
				require.ErrorIs(t, err, envelope.ErrEnvelope)
				return
			}
			require.NoError(t, err)
			require.Equal(t, string(f.plaintext), string(got.Plaintext))
		})
	}
}

// So is a long text of a message, in which no header can be.
func TestUnpackLongText(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	from, to, long := fromHeader(alice.id), toHeader(bob.id), strings.Repeat("A", 3*envelope.MaxHeader)
	bobs := strings.Repeat(bob.id.String()+`","`, 4*envelope.MaxHeader/len(bob.id.String())) + bob.id.String()
	for name, c := range map[string]struct {
		plaintext []byte
		good      bool
	}{
		"behind":               {plain(from, to, `"x":"`+long+`"`), true},
		"before":               {plain(`"x":"`+long+`"`, from, to), true},
		"two":                  {plain(`"x":"`+long+`"`, from, to, `"y":"`+long+`"`), true},
		"a name":               {plain(`"`+long+`":1`, from, to), true},
		"in a list":            {plain(`"x":[1,"`+long+`",2]`, from, to), true},
		"behind an escape":     {plain(`"x":"\"`+long+`"`, from, to), true},
		"escapes in it":        {plain(`"x":"`+long+`\"\u0041`+long+`"`, from, to), true},
		"a mark":               {plain(`"x":"`+long+`","y":"*"`, from, to), true},
		"numbers":              {plain(`"x":[1`+strings.Repeat(",123456789", envelope.MaxHeader/4)+`]`, from, to), true},
		"white space":          {plain(from, to+strings.Repeat(" ", 3*envelope.MaxHeader)), true},
		"from another":         {plain(`"x":"`+long+`"`, fromHeader(bob.id), to), false},
		"from twice":           {plain(from, `"x":"`+long+`"`, fromHeader(bob.id), to), false},
		"to another":           {plain(`"x":"`+long+`"`, from, toHeader(alice.id)), false},
		"from in its place":    {plain(`"from":"`+long+`"`, to), false},
		"typ in its place":     {plain(`"typ":"`+long+`"`, from, to), false},
		"from_prior in place":  {plain(`"from_prior":"`+long+`"`, from, to), true},
		"outside of texts":     {plain(`"x":`+long, from, to), false},
		"not closed":           {[]byte(`{"type":"x",` + from + `,` + to + `,"x":"` + long), false},
		"to in its place":      {plain(from, `"to":["`+long+`"]`), false},
		"to very long":         {plain(from, `"to":["`+bobs+`"]`), false},
		"to twice":             {plain(from, to, `"x":"`+long+`"`, toHeader(alice.id)), false},
		"to within":            {plain(from, `"x":{"to":["did:example:bob"],"y":"`+long+`"}`), false},
		"to within to":         {plain(from, `"to":["did:example:alice",["did:example:bob"]],"y":"`+long+`"`), false},
		"name escaped":         {plain(from, `"t\u006f":["did:example:bob"],"y":"`+long+`"`), false},
		"closed too often":     {[]byte(`{"type":"x",` + from + `,` + to + `,"x":"` + long + `"}}`), false},
		"two objects":          {append(plain(from, to, `"x":"`+long+`"`), "{}"...), false},
		"many headers":         {plain(from, to+strings.Repeat(`,"a":1`, 2000)), false},
		"brackets not closed":  {[]byte(`{"type":"x",` + from + `,` + to + `,"x":"` + long + `"`), false},
		"payload of a message": {plain(from, to, `"payload":"`+long+`"`), true},
		"long, not a message":  {[]byte(`{"x":"` + long + `"}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newForgeryV2(t, alice, bob)
			f.plaintext = c.plaintext
			got, err := bob.Unpack(t.Context(), f.envelope())
			if !c.good {
				require.ErrorIs(t, err, envelope.ErrEnvelope)
				return
			}
			require.NoError(t, err)
			require.Equal(t, string(f.plaintext), string(got.Plaintext))
			_, err = alice.PackV2(t.Context(), c.plaintext, envelope.Options{From: alice.id, To: bob.id})
			require.NoError(t, err)
		})
	}
	// Layers within are not taken for messages.
	for _, o := range []envelope.Options{{From: alice.id, HideSender: true}, {Sign: alice.signer}} {
		o.To = bob.id
		text := plain(from, to, `"x":"`+long+`"`)
		packed, err := alice.PackV2(t.Context(), text, o)
		require.NoError(t, err)
		got, err := bob.Unpack(t.Context(), packed)
		require.NoError(t, err)
		require.Equal(t, string(text), string(got.Plaintext))
	}
}

// An envelope that is refused takes at most its own size in memory, and some for headers,
// however it is made, and little time. It is measured alone.
func TestHostileEnvelopeCost(t *testing.T) {
	among := directory{}
	alice, bob, carol := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519"), newPartyV2(t, among, "carol", "X25519")
	const size = 9 << 18 // which makes an envelope of 3 MiB
	filled := func(before, what, after string) []byte {
		n := (size - len(before) - len(after)) / len(what)
		return []byte(before + strings.Repeat(what, n) + after)
	}
	large := newForgeryV2(t, alice, carol)
	large.plaintext = plain(fromHeader(alice.id), toHeader(carol.id), `"x":"`+strings.Repeat("x", size*3/4)+`"`)
	notOurs := large.envelope()
	forged := newForgeryV2(t, alice, bob)
	forged.plaintext = plain(fromHeader(alice.id), toHeader(bob.id), `"x":"`+strings.Repeat("x", size*3/4)+`"`)
	forged.entry(`$key`, strings.Repeat("A", 96))
	wrongKey := forged.envelope()
	forged = newForgeryV2(t, alice, bob)
	forged.plaintext = plain(fromHeader(alice.id), toHeader(bob.id), `"x":"`+strings.Repeat("x", size*3/4)+`"`)
	forged.around(`$tag`, strings.Repeat("A", 43))
	wrongTag := forged.envelope()
	kid := `{"header":{"kid":"did:example:bob#x"},"encrypted_key":"x"},`
	// Anybody can encrypt to a DID that is known, with no name.
	anonymous := func(plaintext []byte) []byte {
		f := newForgeryV2(t, nil, bob)
		f.plaintext = plaintext
		return f.envelope()
	}
	badSignature := signedForm(t, large.plaintext, alice.signer, `{"typ":"application/didcomm-signed+json","alg":"EdDSA"}`,
		`{"payload":"$payload","signatures":[{"protected":"$protected","signature":"`+strings.Repeat("A", 86)+`","header":{"kid":"did:example:alice#sign"}}]}`)
	one, two, three := party(1), party(2), party(3)
	one.Resolver, one.Agreement, one.Owns = bob.Resolver, bob.Agreement, bob.Owns
	bob.Packer.Keys = two.Keys
	v1, err := one.PackAnonymousV1(t.Context(), large.plaintext, two.key)
	require.NoError(t, err)
	v1[len(v1)-10] ^= 1
	v1NotOurs, err := one.PackV1(t.Context(), large.plaintext, one.key, three.key)
	require.NoError(t, err)
	v1Header := filled(`{"typ":"JWM/1.0","alg":"Anoncrypt","x":[`, `{},`, `{}]}`)[:envelope.MaxHeader]
	for name, data := range map[string][]byte{
		"nobody's: objects":     anonymous(filled(`{"type":"x","body":{"a":[`, `{},`, `{}]}}`)),
		"nobody's: arrays":      anonymous(filled(`{"type":"x","body":{"a":[`, `[],`, `[]]}}`)),
		"within: members":       anonymous(filled(`{"type":"x"`, `,"a":1`, `}`)),
		"within: more members":  anonymous(filled(`{"type":"x"`, `,"a":{}`, `}`)),
		"within: long to":       anonymous(filled(`{"type":"x","to":[`, `"did:example:bob",`, `"did:example:bob"]}`)),
		"within: to of objects": anonymous(filled(`{"type":"x","to":[`, `{},`, `{}]}`)),
		"nobody's: escapes":     anonymous(filled(`{"type":"x","y":"`, `\u0041`, `"}`)),
		"within: long texts":    anonymous(filled(`{"type":"x"`, `,"`+strings.Repeat(`\"`, 4<<10)+`":1`, `}`)),
		"within: white space":   anonymous(filled(`{"type":"x"`, ` `, `1`)),
		"within: brackets":      anonymous(bytes.Repeat([]byte(`[`), size)),
		"within: deep":          anonymous(bytes.Repeat([]byte(`{"a":`), size/5)),
		"within: quotes":        anonymous(bytes.Repeat([]byte(`"`), size)),
		"within: escaped":       anonymous(bytes.Repeat([]byte(`\`), size)),
		"within: signatures":    anonymous(filled(`{"payload":"x","signatures":[`, `{"protected":"x"},`, `{}]}`)),
		"within: recipients":    anonymous(filled(`{"ciphertext":"x","recipients":[`, kid, `{}],"protected":"x"}`)),
		"within: bad signature": anonymous(badSignature),
		"within: wrong key":     anonymous(wrongKey),
		"within: wrong tag":     anonymous(wrongTag),
		"within: another of us": anonymous(notOurs),
		"within: no message":    anonymous(filled(`{"x":"`, `A`, `"}`)),
		"within: not for us":    anonymous(plain(toHeader(carol.id), `"x":"`+strings.Repeat("x", size*3/4)+`"`)),
		"bad signature":         badSignature,
		"v1, wrong tag":         v1,
		"v1, not for us":        v1NotOurs,
		"v1, large header": []byte(`{"protected":"` + base64.URLEncoding.EncodeToString(v1Header) +
			`","iv":"AAAAAAAAAAAAAAAA","tag":"AAAAAAAAAAAAAAAAAAAAAA==","ciphertext":"x"}`),
		"zeros":               make([]byte, size),
		"one text":            filled(`"`, "a", `"`),
		"deep":                bytes.Repeat([]byte(`{"a":`), size/5),
		"brackets":            bytes.Repeat([]byte(`[`), size),
		"many members":        filled(`{"a":[`, `{},`, `{}]}`),
		"many recipients":     filled(`{"ciphertext":"x","recipients":[`, kid, `{}],"protected":"x"}`),
		"many signatures":     filled(`{"payload":"x","signatures":[`, `{"protected":"x"},`, `{}]}`),
		"large header":        filled(`{"ciphertext":"x","recipients":[],"protected":"`, "A", `"}`),
		"large payload":       filled(`{"signatures":[{"protected":"x","signature":"x"}],"payload":"`, "A", `"}`),
		"large ciphertext":    filled(`{"protected":"x","recipients":[],"ciphertext":"`, "A", `"}`),
		"large ciphertext v1": filled(`{"protected":"x","iv":"x","tag":"x","ciphertext":"`, "A", `"}`),
		"escapes":             filled(`{"ciphertext":"`, `\u0041`, `","recipients":[]}`),
		"escaped once":        filled(`{"ciphertext":"\n`, `A`, `","recipients":[]}`),
		"long kid":            filled(`{"protected":"e30","recipients":[{"header":{"kid":"did:example:`, `a`, `#x"}}],"ciphertext":"x"}`),
		"not for us":          notOurs,
		"wrong key":           wrongKey,
		"wrong tag":           wrongTag,
		"too large":           make([]byte, didcomm.MaxEnvelope+1),
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := bob.Unpack(t.Context(), data)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if !strings.HasPrefix(name, "nobody's: ") { // which may be what it is, whatever is in its body
			require.ErrorIs(t, err, didcomm.ErrPermanent, name)
		}
		cost := after.TotalAlloc - before.TotalAlloc
		if cost > uint64(len(data)+len(data)/8+256<<10) {
			t.Errorf("%s: %d bytes for %d", name, cost, len(data))
		}
		t.Logf("%s: %d KiB of %d, %v", name, cost>>10, len(data)>>10, took)
	}
	// What is genuine takes its content decoded.
	good := newForgeryV2(t, alice, bob)
	good.plaintext = forged.plaintext
	data := good.envelope()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = bob.Unpack(t.Context(), data)
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(len(data)))
}

// An envelope makes nothing be looked up but the party's own DID, and that of its sender
// only if it is for us.
func TestUnpackV2LooksUpLittle(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob, carol := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519"), newPartyV2(t, among, "carol", "X25519")
	for name, c := range map[string]struct {
		to     *partyV2
		known  directory
		lookup []did.DID
	}{
		"for us":               {bob, among, []did.DID{bob.id, alice.id}},
		"for another":          {carol, among, nil},
		"for another, unknown": {carol, directory{}, nil},
	} {
		f := newForgeryV2(t, alice, c.to)
		var kids []string
		f.recipient = ""
		for i := range envelope.MaxRecipients {
			kid := c.to.id.URL(fmt.Sprintf("agree-%d", envelope.MaxRecipients-i)).String()
			kids = append(kids, kid)
			f.recipient += `,{"header":{"kid":"` + kid + `"},"encrypted_key":"$key"}`
		}
		f.recipient = f.recipient[1:]
		slices.Sort(kids)
		f.bind(kids...)
		counting := &countingResolver{directory: c.known}
		p := bob.Packer
		p.Resolver = counting
		_, err := p.Unpack(t.Context(), f.envelope())
		require.Equal(t, c.to == bob, err == nil, name)
		require.Equal(t, c.lookup, counting.asked, name)
	}
}

// countingResolver remembers what it was asked for.
type countingResolver struct {
	directory
	asked []did.DID
}

func (c *countingResolver) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	c.asked = append(c.asked, id)
	return c.directory.Resolve(ctx, id, at)
}

// A layer in a layer in a layer: more than three are refused before the fourth is opened.
func TestNestedLayers(t *testing.T) {
	t.Parallel()
	among := directory{}
	bob := newPartyV2(t, among, "bob", "X25519")
	data := plain(toHeader(bob.id))
	for range 20 {
		f := newForgeryV2(t, nil, bob)
		f.plaintext = data
		data = f.envelope()
	}
	_, err := bob.Unpack(t.Context(), data)
	require.ErrorIs(t, err, envelope.ErrEnvelope)
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice := newPartyV2(t, among, "alice", "X25519")
	alice.Cache = envelope.NewCache()
	var peers []*partyV2
	for i := range envelope.MaxCached + 20 {
		peers = append(peers, newPartyV2(t, among, fmt.Sprint("peer-", i), "X25519"))
	}
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := worker; i < len(peers); i += 4 {
				packed, err := alice.PackV2(t.Context(), message(alice, peers[i]), envelope.Options{From: alice.id, To: peers[i].id})
				if err == nil {
					_, err = peers[i].Unpack(t.Context(), packed)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	secrets, documents := envelope.Cached(alice.Cache)
	require.Equal(t, envelope.MaxCached, secrets)
	require.Zero(t, documents, "those of did:example may change")

	// One that is closed keeps nothing, not even what comes late.
	alice.Cache.Close()
	_, err := alice.PackV2(t.Context(), message(alice, peers[0]), envelope.Options{From: alice.id, To: peers[0].id})
	require.NoError(t, err)
	secrets, documents = envelope.Cached(alice.Cache)
	require.Zero(t, secrets+documents)
}

// With a cache and without it the same envelopes open, and no others.
func TestCacheKeepsNoVerdict(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "P-256"), newPartyV2(t, among, "bob", "P-256")
	bob.Cache = envelope.NewCache()
	good := newForgeryV2(t, alice, bob).envelope()
	for range 2 {
		_, err := bob.Unpack(t.Context(), good)
		require.NoError(t, err)
	}
	mallory := newPartyV2(t, among, "mallory", "P-256")
	f := newForgeryV2(t, mallory, bob)
	f.from(alice.id.URL("agree-1").String())
	f.plaintext = message(alice, bob)
	_, err := bob.Unpack(t.Context(), f.envelope())
	require.ErrorIs(t, err, envelope.ErrEnvelope)
	delete(among, alice.id)
	_, err = bob.Unpack(t.Context(), good)
	require.ErrorIs(t, err, envelope.ErrEnvelope, "a sender whose document is gone")
	// A wallet that was closed agrees on nothing, whatever is remembered.
	bob.Agreement = brokenKeys{did.ErrUnavailable}
	_, err = bob.Unpack(t.Context(), good)
	require.ErrorIs(t, err, did.ErrUnavailable)
}

func FuzzUnpackV2(f *testing.F) {
	among := directory{}
	alice, bob := newPartyV2(f, among, "alice", "X25519", "P-256", "P-384", "P-521"), newPartyV2(f, among, "bob", "X25519", "P-256", "P-384", "P-521")
	text := string(message(alice, bob))
	anonymous := string(newForgeryV2(f, nil, bob).plaintext)
	seeds := [][]byte{newForgeryV2(f, alice, bob).envelope(), newForgeryV2(f, nil, bob).envelope()}
	for _, o := range []envelope.Options{{From: alice.id}, {Enc: envelope.A256GCM}, {Sign: alice.p256, Enc: envelope.XC20P}, {From: alice.id, HideSender: true}} {
		o.To = bob.id
		packed, err := alice.PackV2(f.Context(), []byte(text), o)
		require.NoError(f, err)
		seeds = append(seeds, packed)
	}
	signed, err := alice.SignV2(f.Context(), []byte(text), alice.signer)
	require.NoError(f, err)
	for _, seed := range append(seeds, signed) {
		_, err := bob.Unpack(f.Context(), seed)
		require.NoError(f, err)
		f.Add(seed)
	}
	f.Add([]byte(text))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := bob.Unpack(t.Context(), data)
		if err != nil {
			require.ErrorIs(t, err, didcomm.ErrPermanent)
			require.Nil(t, got)
			return
		}
		require.Contains(t, []string{text, anonymous}, string(got.Plaintext), "opened what nobody packed")
		if got.Authenticated {
			require.Equal(t, alice.id, got.From)
		} else {
			require.True(t, got.From.IsZero())
		}
	})
}

// The plaintext may come from anyone who knows the recipient's keys, and so may each
// layer's header.
func FuzzLayer(f *testing.F) {
	among := directory{}
	alice, bob := newPartyV2(f, among, "alice", "X25519"), newPartyV2(f, among, "bob", "X25519")
	f.Add(newForgeryV2(f, alice, bob).header, message(alice, bob))
	f.Add(newForgeryV2(f, nil, bob).header, signAs(f, message(alice, bob), alice.signer, alice.id.URL("sign")))
	f.Add(newForgeryV2(f, nil, bob).header, newForgeryV2(f, alice, bob).envelope())
	f.Add(`{"typ":"application/didcomm-signed+json","alg":"EdDSA"}`, []byte(base64.RawURLEncoding.EncodeToString(message(alice, bob))))
	f.Fuzz(func(t *testing.T, header string, plaintext []byte) {
		anon := newForgeryV2(t, nil, bob)
		anon.plaintext = plaintext
		got, err := bob.Unpack(t.Context(), anon.envelope())
		if err == nil && got.Authenticated {
			require.Contains(t, string(got.Plaintext), `"from":"did:example:alice"`)
		}
		anon.header = header
		if len(header) <= envelope.MaxHeader {
			_, _ = bob.Unpack(t.Context(), anon.envelope())
		}
	})
}
