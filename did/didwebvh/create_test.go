package didwebvh_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didwebvh"
)

func private(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func public(ns ...byte) []crypto.PublicKey {
	list := []crypto.PublicKey{}
	for _, n := range ns {
		list = append(list, private(n).Public())
	}
	return list
}

func signer(t testing.TB, n byte) did.Signer {
	t.Helper()
	s, err := didwebvh.UpdateKey(private(n))
	require.NoError(t, err)
	return s
}

// keyed is a document with one key for assertions and one service.
func keyed(id did.DID) (*did.Document, error) {
	m, err := did.NewVerificationMethod(id.URL("key-1"), private(9).Public(), did.AssertionMethod)
	if err != nil {
		return nil, err
	}
	return did.NewDocument(id, []*did.VerificationMethod{m}, []did.Service{{ID: "#inbox", Type: "DIDCommMessaging", Endpoint: "https://rivers.example/inbox"}})
}

// ticking is a clock that goes on a second each time.
func ticking() func() time.Time {
	t := now.Add(-time.Hour)
	return func() time.Time {
		t = t.Add(time.Second)
		return t
	}
}

func create(t testing.TB, change func(*didwebvh.Options)) *didwebvh.Log {
	t.Helper()
	o := didwebvh.Options{Domain: "rivers.example", Key: signer(t, 1), Document: keyed, Now: ticking()}
	if change != nil {
		change(&o)
	}
	l, err := didwebvh.Create(context.Background(), o)
	require.NoError(t, err)
	return l
}

// published resolves a log as a stranger does, from its files.
func published(t testing.TB, l *didwebvh.Log, at did.Version) (*did.Resolution, error) {
	t.Helper()
	log, witness, err := didwebvh.URL(l.DID())
	require.NoError(t, err)
	files := web{log: l.JSONL()}
	if proofs := l.WitnessProofs(); proofs != nil {
		files[witness] = proofs
	}
	return (&didwebvh.Resolver{Client: files, Now: clock}).Resolve(context.Background(), l.DID(), at)
}

func TestCreate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*didwebvh.Options)
		url    string
	}{
		"domain":       {nil, "https://rivers.example/.well-known/did.jsonl"},
		"port":         {func(o *didwebvh.Options) { o.Domain = "rivers.example:8443" }, "https://rivers.example:8443/.well-known/did.jsonl"},
		"Unicode":      {func(o *didwebvh.Options) { o.Domain = "Flüsse.example" }, "https://xn--flsse-lva.example/.well-known/did.jsonl"},
		"path":         {func(o *didwebvh.Options) { o.Path = []string{"north", "a b", "ü"} }, "https://rivers.example/north/a%20b/%C3%BC/did.jsonl"},
		"SCID in path": {func(o *didwebvh.Options) { o.Path = []string{"dids", "{SCID}"} }, "https://rivers.example/dids/SCID/did.jsonl"},
		"two keys":     {func(o *didwebvh.Options) { o.UpdateKeys = public(2) }, "https://rivers.example/.well-known/did.jsonl"},
		"pre-rotation": {func(o *didwebvh.Options) { o.NextKeys = public(2, 3) }, "https://rivers.example/.well-known/did.jsonl"},
		"all the rest": {func(o *didwebvh.Options) {
			o.Portable, o.TTL, o.Watchers = true, time.Minute, []string{"https://heron.example/"}
		}, "https://rivers.example/.well-known/did.jsonl"},
		"machine clock": {func(o *didwebvh.Options) { o.Now = nil }, "https://rivers.example/.well-known/did.jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := create(t, c.change)
			id := strings.Split(l.DID().SpecificID(), ":")[0]
			log, _, err := didwebvh.URL(l.DID())
			require.NoError(t, err)
			require.Equal(t, strings.ReplaceAll(c.url, "SCID", id), log)
			require.NotContains(t, string(l.JSONL()), "{SCID}")
			require.NoError(t, l.Witnessed())
			require.Nil(t, l.WitnessProofs())
			if name == "machine clock" {
				_, err = (&didwebvh.Resolver{Client: web{log: l.JSONL()}}).Resolve(context.Background(), l.DID(), did.Version{})
				require.NoError(t, err)
				return
			}
			res, err := published(t, l, did.Version{})
			require.NoError(t, err)
			_, err = res.Document.Method(l.DID().URL("key-1"), did.AssertionMethod, now)
			require.NoError(t, err)
			require.Equal(t, l.VersionID(), res.VersionID)
			require.Len(t, res.Document.Services(""), 3)

			again, err := didwebvh.VerifyLog(l.DID(), l.JSONL(), nil, now)
			require.NoError(t, err)
			require.Equal(t, l.JSONL(), again.JSONL())
		})
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	broken := errors.New("no document today")
	witness := func(threshold int, ids ...string) func(*didwebvh.Options) {
		return func(o *didwebvh.Options) {
			o.Witness.Threshold = threshold
			for _, id := range ids {
				o.Witness.Witnesses = append(o.Witness.Witnesses, parse(t, id))
			}
		}
	}
	w5 := "did:key:" + signer(t, 5).VerificationMethod().Fragment
	for name, c := range map[string]struct {
		change func(*didwebvh.Options)
		want   error
	}{
		"no key":              {func(o *didwebvh.Options) { o.Key = nil }, did.ErrInvalid},
		"no document":         {func(o *didwebvh.Options) { o.Document = nil }, did.ErrInvalid},
		"document of nobody":  {func(o *didwebvh.Options) { o.Document = func(did.DID) (*did.Document, error) { return nil, nil } }, didwebvh.ErrState},
		"document that fails": {func(o *didwebvh.Options) { o.Document = func(did.DID) (*did.Document, error) { return nil, broken } }, broken},
		"document of another": {func(o *didwebvh.Options) {
			o.Document = func(did.DID) (*did.Document, error) { return keyed(parse(t, "did:web:rivers.example")) }
		}, didwebvh.ErrState},
		"document of a namesake": {func(o *didwebvh.Options) {
			o.Document = func(id did.DID) (*did.Document, error) { return keyed(parse(t, id.String()+":north")) }
		}, didwebvh.ErrState},
		"no domain":               {func(o *didwebvh.Options) { o.Domain = "" }, did.ErrInvalid},
		"domain of one label":     {func(o *didwebvh.Options) { o.Domain = "rivers" }, did.ErrInvalid},
		"address":                 {func(o *didwebvh.Options) { o.Domain = "10.0.0.1" }, did.ErrInvalid},
		"IPv6 address":            {func(o *didwebvh.Options) { o.Domain = "[::1]" }, did.ErrInvalid},
		"domain with a path":      {func(o *didwebvh.Options) { o.Domain = "rivers.example/a" }, did.ErrInvalid},
		"URL":                     {func(o *didwebvh.Options) { o.Domain = "https://rivers.example" }, did.ErrInvalid},
		"port and more":           {func(o *didwebvh.Options) { o.Domain = "rivers.example:80:a" }, did.ErrInvalid},
		"port empty":              {func(o *didwebvh.Options) { o.Domain = "rivers.example:" }, did.ErrInvalid},
		"port 0":                  {func(o *didwebvh.Options) { o.Domain = "rivers.example:0" }, did.ErrInvalid},
		"segment ..":              {func(o *didwebvh.Options) { o.Path = []string{".."} }, did.ErrInvalid},
		"segment empty":           {func(o *didwebvh.Options) { o.Path = []string{""} }, did.ErrInvalid},
		"segment with a slash":    {func(o *didwebvh.Options) { o.Path = []string{"a/b"} }, did.ErrInvalid},
		"segment not UTF-8":       {func(o *didwebvh.Options) { o.Path = []string{"\xff"} }, did.ErrInvalid},
		"more key is P-256":       {func(o *didwebvh.Options) { o.UpdateKeys = []crypto.PublicKey{p256.Public()} }, did.ErrUnsupported},
		"next key is P-256":       {func(o *didwebvh.Options) { o.NextKeys = []crypto.PublicKey{p256.Public()} }, did.ErrUnsupported},
		"watcher no URL":          {func(o *didwebvh.Options) { o.Watchers = []string{"heron"} }, didwebvh.ErrParameters},
		"TTL below zero":          {func(o *didwebvh.Options) { o.TTL = -time.Second }, didwebvh.ErrParameters},
		"TTL of 100 years":        {func(o *didwebvh.Options) { o.TTL = 100 * 365 * 24 * time.Hour }, didwebvh.ErrParameters},
		"threshold without":       {witness(1), didwebvh.ErrParameters},
		"witness twice":           {witness(1, w5, w5), didwebvh.ErrParameters},
		"threshold too high":      {witness(2, w5), didwebvh.ErrParameters},
		"no threshold":            {witness(0, w5), didwebvh.ErrParameters},
		"witness no did:key":      {witness(1, "did:web:rivers.example"), didwebvh.ErrParameters},
		"more keys than the list": {func(o *didwebvh.Options) { o.UpdateKeys = manyKeys(64) }, didwebvh.ErrParameters},
	} {
		o := didwebvh.Options{Domain: "rivers.example", Key: signer(t, 1), Document: keyed, Now: ticking()}
		c.change(&o)
		l, err := didwebvh.Create(context.Background(), o)
		require.Nil(t, l, name)
		require.ErrorIs(t, err, c.want, name)
	}
	s, err := didwebvh.UpdateKey(p256)
	require.Nil(t, s)
	require.ErrorIs(t, err, did.ErrUnsupported)
	_, err = didwebvh.UpdateKey(nil)
	require.ErrorIs(t, err, did.ErrInvalid)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = didwebvh.Create(ctx, didwebvh.Options{Domain: "rivers.example", Key: signer(t, 1), Document: keyed})
	require.ErrorIs(t, err, context.Canceled)
}

func manyKeys(n int) []crypto.PublicKey {
	var list []crypto.PublicKey
	for i := range n {
		list = append(list, private(byte(100+i)).Public())
	}
	return list
}

// TestLife takes a DID through all that can happen to it.
func TestLife(t *testing.T) {
	t.Parallel()
	ctx, tick := context.Background(), ticking()
	c := func(key byte) didwebvh.Change { return didwebvh.Change{Key: signer(t, key), Now: tick} }
	one := create(t, func(o *didwebvh.Options) { o.Portable, o.Now = true, tick })
	first := one.DID()

	changed, err := keyed(first)
	require.NoError(t, err)
	text, err := changed.MarshalJSON()
	require.NoError(t, err)
	changed, err = did.ParseDocument(bytes.Replace(text, []byte("/inbox"), []byte("/post"), 1))
	require.NoError(t, err)
	change := c(1)
	change.Document = changed
	two, err := one.Update(ctx, change)
	require.NoError(t, err)
	require.Equal(t, 1, one.Len(), "the log before is as it was")
	require.True(t, bytes.HasPrefix(two.JSONL(), one.JSONL()))
	res, err := published(t, two, did.Version{})
	require.NoError(t, err)
	require.Equal(t, "https://rivers.example/post", res.Document.Services("DIDCommMessaging")[0].Endpoint)

	three, err := two.Rotate(ctx, public(2), public(3), c(1))
	require.NoError(t, err)
	_, err = three.Update(ctx, c(1))
	require.ErrorIs(t, err, didwebvh.ErrKey, "the old key")
	_, err = three.Update(ctx, c(2))
	require.ErrorIs(t, err, didwebvh.ErrKey, "pre-rotation is on: only the key announced")
	_, err = three.Rotate(ctx, public(4), nil, c(4))
	require.ErrorIs(t, err, didwebvh.ErrKey)
	four, err := three.Rotate(ctx, public(3), public(4), c(3))
	require.NoError(t, err)

	moving := c(4)
	moving.UpdateKeys, moving.NextKeys = public(4), public()
	five, err := four.Move(ctx, "hills.example", []string{"north"}, moving)
	require.NoError(t, err)
	require.Equal(t, strings.Replace(first.String(), "rivers.example", "hills.example:north", 1), five.DID().String())
	res, err = published(t, five, did.Version{})
	require.NoError(t, err)
	require.Equal(t, []string{first.String()}, res.Document.AlsoKnownAs())
	_, err = res.Document.Method(five.DID().URL("key-1"), did.AssertionMethod, now)
	require.NoError(t, err)
	require.Equal(t, "https://hills.example/north/", res.Document.Services("relativeRef")[0].Endpoint)
	_, err = five.Move(ctx, "hills.example", []string{"north"}, c(4))
	require.ErrorIs(t, err, didwebvh.ErrState, "it is there already")

	back, err := five.Move(ctx, "rivers.example", nil, c(4))
	require.NoError(t, err)
	require.Equal(t, first, back.DID())
	res, err = published(t, back, did.Version{})
	require.NoError(t, err)
	require.Equal(t, []string{first.String(), five.DID().String()}, res.Document.AlsoKnownAs())

	fixed := c(4)
	fixed.Fixed, fixed.Watchers = true, []string{"https://heron.example/"}
	ttl := 2 * time.Minute
	fixed.TTL = &ttl
	six, err := five.Update(ctx, fixed)
	require.NoError(t, err)
	_, err = six.Move(ctx, "lakes.example", nil, c(4))
	require.ErrorIs(t, err, didwebvh.ErrState)
	res, err = published(t, six, did.Version{})
	require.NoError(t, err)
	require.JSONEq(t, `"120"`, string(res.Other["ttl"]))
	require.JSONEq(t, `false`, string(res.Other["portable"]))

	seven, err := six.Deactivate(ctx, c(4))
	require.NoError(t, err)
	res, err = published(t, seven, did.Version{})
	require.NoError(t, err)
	require.True(t, res.Deactivated)
	require.Nil(t, res.Document)
	require.True(t, bytes.Contains(seven.JSONL()[len(six.JSONL()):], []byte(`"parameters":{"updateKeys":[],"deactivated":true}`)))
	_, err = seven.Update(ctx, c(4))
	require.ErrorIs(t, err, didwebvh.ErrDeactivated)

	// From its files the log is the same.
	again, err := didwebvh.OpenLog(six.JSONL(), nil, now)
	require.NoError(t, err)
	_, err = again.Update(ctx, c(4))
	require.NoError(t, err)
}

// TestServicesGivenBack: a document that was resolved and comes back brings no services
// of the method's with it, which would stay behind when the DID moves.
func TestServicesGivenBack(t *testing.T) {
	t.Parallel()
	ctx, tick := context.Background(), ticking()
	l := create(t, func(o *didwebvh.Options) { o.Portable, o.Now = true, tick })
	res, err := published(t, l, did.Version{})
	require.NoError(t, err)
	require.Len(t, res.Document.Services(""), 3)
	l, err = l.Update(ctx, didwebvh.Change{Key: signer(t, 1), Document: res.Document, Now: tick})
	require.NoError(t, err)
	require.NotContains(t, string(l.JSONL()), "#files")
	l, err = l.Move(ctx, "hills.example", nil, didwebvh.Change{Key: signer(t, 1), Document: res.Document, Now: tick})
	require.NoError(t, err)
	require.NotContains(t, string(l.JSONL()), "#files")

	only, err := did.ParseDocument([]byte(fmt.Sprintf(`{"id":%q}`, l.DID())))
	require.NoError(t, err)
	l, err = l.Update(ctx, didwebvh.Change{Key: signer(t, 1), Document: only, Now: tick})
	require.NoError(t, err)
	res, err = published(t, l, did.Version{})
	require.NoError(t, err)
	l, err = l.Update(ctx, didwebvh.Change{Key: signer(t, 1), Document: res.Document, Now: tick})
	require.NoError(t, err)
	require.NotContains(t, string(l.JSONL()), "whois.vp")
}

// TestMoveNames: the old name gives way wherever the document has it, but not where it
// only begins another name.
func TestMoveNames(t *testing.T) {
	t.Parallel()
	tick := ticking()
	l := create(t, func(o *didwebvh.Options) { o.Portable, o.Now = true, tick })
	old := l.DID().String()
	doc, err := did.ParseDocument([]byte(strings.ReplaceAll(`{"id":"{}","controller":"{}","alsoKnownAs":["{}:north","{}%3A8443"],
		"service":[{"id":"{}#a","type":"T","serviceEndpoint":"{}?service=x"},{"id":"#b","type":"T","serviceEndpoint":{"{}":"{}/a"}}]}`, "{}", old)))
	require.NoError(t, err)
	l, err = l.Move(context.Background(), "hills.example", nil, didwebvh.Change{Key: signer(t, 1), Document: doc, Now: tick})
	require.NoError(t, err)
	var last struct{ State json.RawMessage }
	require.NoError(t, json.Unmarshal(l.JSONL()[bytes.IndexByte(l.JSONL(), '\n'):], &last))
	require.JSONEq(t, strings.NewReplacer("{}", l.DID().String(), "{old}", old).Replace(`{"id":"{}","controller":"{}",
		"alsoKnownAs":["{old}:north","{old}%3A8443","{old}"],
		"service":[{"id":"{}#a","type":"T","serviceEndpoint":"{}?service=x"},{"id":"#b","type":"T","serviceEndpoint":{"{old}":"{}/a"}}]}`), string(last.State))
}

// TestUpdateRefuses has what a controller may not do.
func TestUpdateRefuses(t *testing.T) {
	t.Parallel()
	ctx, tick := context.Background(), ticking()
	l := create(t, func(o *didwebvh.Options) { o.Now = tick })
	other, err := keyed(parse(t, "did:web:rivers.example"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change didwebvh.Change
		want   error
	}{
		"no key":              {didwebvh.Change{Now: tick}, did.ErrInvalid},
		"key of a stranger":   {didwebvh.Change{Key: signer(t, 2), Now: tick}, didwebvh.ErrKey},
		"document of another": {didwebvh.Change{Key: signer(t, 1), Document: other, Now: tick}, didwebvh.ErrState},
		"clock stands":        {didwebvh.Change{Key: signer(t, 1), Now: func() time.Time { return now.Add(-2 * time.Hour) }}, didwebvh.ErrTime},
		"threshold of none":   {didwebvh.Change{Key: signer(t, 1), Witness: &didwebvh.Witness{Threshold: 1}, Now: tick}, didwebvh.ErrParameters},
		"not a URL":           {didwebvh.Change{Key: signer(t, 1), Watchers: []string{"x"}, Now: tick}, didwebvh.ErrParameters},
		"next keys too old":   {didwebvh.Change{Key: signer(t, 1), NextKeys: []crypto.PublicKey{private(1)}, Now: tick}, did.ErrUnsupported},
		"keys of no type":     {didwebvh.Change{Key: signer(t, 1), UpdateKeys: []crypto.PublicKey{nil}, Now: tick}, did.ErrUnsupported},
	} {
		for kind, do := range map[string]func(context.Context, didwebvh.Change) (*didwebvh.Log, error){
			"update": l.Update, "move": func(ctx context.Context, c didwebvh.Change) (*didwebvh.Log, error) {
				return create(t, func(o *didwebvh.Options) { o.Now, o.Portable = tick, true }).Move(ctx, "hills.example", nil, c)
			},
		} {
			if kind == "move" && name == "clock stands" {
				continue
			}
			_, err := do(ctx, c.change)
			require.ErrorIs(t, err, c.want, "%s %s", name, kind)
		}
	}
	_, err = l.Move(ctx, "hills.example", nil, didwebvh.Change{Key: signer(t, 1), Now: tick})
	require.ErrorIs(t, err, didwebvh.ErrState, "not portable")
	_, err = l.Move(ctx, "hills", nil, didwebvh.Change{Key: signer(t, 1), Now: tick})
	require.ErrorIs(t, err, did.ErrInvalid)
	_, err = l.Deactivate(ctx, didwebvh.Change{Key: signer(t, 2), Now: tick})
	require.ErrorIs(t, err, didwebvh.ErrKey)
	_, err = l.Deactivate(ctx, didwebvh.Change{})
	require.ErrorIs(t, err, did.ErrInvalid)
}

// TestSameSecond: two entries within one second still have times in order.
func TestSameSecond(t *testing.T) {
	t.Parallel()
	at := now
	l := create(t, func(o *didwebvh.Options) { o.Now = func() time.Time { return at } })
	at = at.Add(300 * time.Millisecond)
	l, err := l.Update(context.Background(), didwebvh.Change{Key: signer(t, 1), Now: func() time.Time { return at }})
	require.NoError(t, err)
	require.Contains(t, string(l.JSONL()), `"versionTime":"2026-11-21T12:00:00.3Z"`)
	_, err = l.Update(context.Background(), didwebvh.Change{Key: signer(t, 1), Now: func() time.Time { return at }})
	require.ErrorIs(t, err, didwebvh.ErrTime)
}

// TestDeactivatePreRotated ends a DID whose next keys are announced, with one of them.
func TestDeactivatePreRotated(t *testing.T) {
	t.Parallel()
	tick := ticking()
	l := create(t, func(o *didwebvh.Options) { o.NextKeys, o.Now = public(2), tick })
	_, err := l.Deactivate(context.Background(), didwebvh.Change{Key: signer(t, 1), Now: tick})
	require.ErrorIs(t, err, didwebvh.ErrKey)
	l, err = l.Deactivate(context.Background(), didwebvh.Change{Key: signer(t, 2), Now: tick})
	require.NoError(t, err)
	res, err := published(t, l, did.Version{})
	require.NoError(t, err)
	require.True(t, res.Deactivated)
	_, err = l.Update(context.Background(), didwebvh.Change{Key: signer(t, 2), Now: tick})
	require.ErrorIs(t, err, didwebvh.ErrDeactivated)
}

// TestApprove has both sides of section Witnessing a DID Version Update.
func TestApprove(t *testing.T) {
	t.Parallel()
	ctx, tick := context.Background(), ticking()
	key := func(n byte) did.DID { return signer(t, n).VerificationMethod().DID }
	l := create(t, func(o *didwebvh.Options) {
		o.Now, o.Witness = tick, didwebvh.Witness{Threshold: 2, Witnesses: []did.DID{key(5), key(6), key(7)}}
	})
	require.ErrorIs(t, l.Witnessed(), didwebvh.ErrWitness)
	_, err := published(t, l, did.Version{})
	require.ErrorIs(t, err, didwebvh.ErrWitness)
	approve := func(before, l *didwebvh.Log, by byte) *didwebvh.Log {
		proof, err := didwebvh.Approve(ctx, before, l.JSONL(), signer(t, by), now)
		require.NoError(t, err)
		more, err := l.AddProof(proof)
		require.NoError(t, err)
		return more
	}
	one := approve(nil, l, 5)
	require.ErrorIs(t, one.Witnessed(), didwebvh.ErrWitness)
	require.ErrorIs(t, approve(nil, one, 5).Witnessed(), didwebvh.ErrWitness, "the same one again")
	one = approve(nil, one, 7)
	require.NoError(t, one.Witnessed())
	_, err = published(t, one, did.Version{})
	require.NoError(t, err)

	two, err := one.Update(ctx, didwebvh.Change{Key: signer(t, 1), Now: tick, Witness: &didwebvh.Witness{Threshold: 1, Witnesses: []did.DID{key(8)}}})
	require.NoError(t, err)
	require.ErrorIs(t, two.Witnessed(), didwebvh.ErrWitness)
	_, err = published(t, two, did.Version{})
	var at *didwebvh.EntryError
	require.ErrorAs(t, err, &at)
	require.Equal(t, 2, at.Entry)
	two = approve(one, approve(one, two, 6), 7)
	require.NoError(t, two.Witnessed())
	var file []struct {
		VersionID string
		Proof     []json.RawMessage
	}
	require.NoError(t, json.Unmarshal(two.WitnessProofs(), &file))
	require.Len(t, file, 2, "of the first entry only the witness who did not approve the second")
	require.Len(t, file[0].Proof, 1)
	require.Len(t, file[1].Proof, 2)
	_, err = published(t, two, did.Version{})
	require.NoError(t, err)
	three, err := two.Update(ctx, didwebvh.Change{Key: signer(t, 1), Now: tick, Witness: &didwebvh.Witness{}})
	require.NoError(t, err)
	three = approve(two, three, 8)
	require.NoError(t, three.Witnessed())
	again, err := didwebvh.VerifyLog(three.DID(), three.JSONL(), three.WitnessProofs(), now)
	require.NoError(t, err)
	require.Equal(t, three.WitnessProofs(), again.WitnessProofs())

	// What a witness refuses to sign.
	forged := bytes.Replace(two.JSONL(), []byte("/inbox"), []byte("/INBOX"), 1)
	unlike := create(t, func(o *didwebvh.Options) {
		o.Now, o.TTL, o.Witness = ticking(), time.Second, didwebvh.Witness{Threshold: 1, Witnesses: []did.DID{key(5)}}
	})
	for name, c := range map[string]struct {
		before *didwebvh.Log
		log    []byte
		by     byte
		want   error
	}{
		"not the next entry":     {nil, two.JSONL(), 6, didwebvh.ErrVersion},
		"no new entry":           {one, one.JSONL(), 6, didwebvh.ErrVersion},
		"two new entries":        {one, three.JSONL(), 8, didwebvh.ErrVersion},
		"another history":        {unlike, two.JSONL(), 6, didwebvh.ErrHash},
		"shorter than published": {two, one.JSONL(), 6, didwebvh.ErrHash},
		"forged":                 {one, forged, 6, didwebvh.ErrHash},
		"nothing":                {one, nil, 6, didwebvh.ErrMalformed},
		"not a witness":          {one, two.JSONL(), 9, didwebvh.ErrKey},
		"only a later witness":   {one, two.JSONL(), 8, didwebvh.ErrKey},
	} {
		proof, err := didwebvh.Approve(ctx, c.before, c.log, signer(t, c.by), now)
		require.Nil(t, proof, name)
		require.ErrorIs(t, err, c.want, name)
	}
	// And what a controller refuses to take.
	good, err := didwebvh.Approve(ctx, one, two.JSONL(), signer(t, 5), now)
	require.NoError(t, err)
	for name, proof := range map[string][]byte{
		"nothing":       nil,
		"no proof":      []byte(`{}`),
		"changed":       bytes.Replace(good, []byte("2026"), []byte("2025"), 1),
		"of a stranger": bytes.ReplaceAll(good, []byte(signer(t, 5).VerificationMethod().Fragment), []byte(signer(t, 9).VerificationMethod().Fragment)),
		"of another":    bytes.ReplaceAll(good, []byte(signer(t, 5).VerificationMethod().Fragment), []byte(signer(t, 6).VerificationMethod().Fragment)),
	} {
		_, err := two.AddProof(proof)
		require.ErrorIs(t, err, didwebvh.ErrWitness, name)
	}
	_, err = one.AddProof(good)
	require.ErrorIs(t, err, didwebvh.ErrWitness, "of another entry")
}

// TestParallelWeb is section Publishing a Parallel did:web DID.
func TestParallelWeb(t *testing.T) {
	t.Parallel()
	tick := ticking()
	l := create(t, func(o *didwebvh.Options) {
		o.Path, o.Domain, o.Portable, o.Now = []string{"north"}, "rivers.example:8443", true, tick
	})
	id, document, err := l.ParallelWeb()
	require.NoError(t, err)
	require.Equal(t, "did:web:rivers.example%3A8443:north", id.String())
	d, err := did.ParseDocument(document)
	require.NoError(t, err)
	require.Equal(t, id, d.ID())
	require.Equal(t, []string{l.DID().String()}, d.AlsoKnownAs())
	_, err = d.Method(id.URL("key-1"), did.AssertionMethod, now)
	require.NoError(t, err)
	require.Equal(t, []did.Service{{ID: id.String() + "#whois", Type: "LinkedVerifiablePresentation", Endpoint: "https://rivers.example:8443/north/whois.vp"}}, d.Services("LinkedVerifiablePresentation"))
	require.Len(t, d.Services("relativeRef"), 1)
	require.NotContains(t, strings.ReplaceAll(string(document), l.DID().String(), ""), "webvh")

	// With did:web among its names, as it should be, there is no name twice.
	with, err := did.ParseDocument([]byte(fmt.Sprintf(`{"id":%q,"alsoKnownAs":[%q,"https://rivers.example/","https://rivers.example/"]}`, l.DID(), id)))
	require.NoError(t, err)
	l, err = l.Update(context.Background(), didwebvh.Change{Key: signer(t, 1), Document: with, Now: tick})
	require.NoError(t, err)
	_, document, err = l.ParallelWeb()
	require.NoError(t, err)
	d, err = did.ParseDocument(document)
	require.NoError(t, err)
	require.Equal(t, []string{"https://rivers.example/", l.DID().String()}, d.AlsoKnownAs())
}
