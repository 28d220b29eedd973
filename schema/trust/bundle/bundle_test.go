package bundle_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
	"github.com/staffpassport/staffpassport/vc"
)

func TestBundle_Get(t *testing.T) {
	t.Parallel()
	const gone = "https://alder-valley.example/gone"
	b := open(t, build(t, plan(t, small(), func(p *bundle.Plan) {
		p.URLs = append(p.URLs, gone)
		p.Missing = func(string, error) {}
	})))
	for name, c := range map[string]struct {
		url    string
		accept []string
		want   []error
	}{
		"any type":           {listURL, nil, nil},
		"its type":           {listURL, []string{"application/vc"}, nil},
		"one of several":     {statusURL, []string{"application/json", "application/vc"}, nil},
		"another type":       {listURL, []string{"application/json"}, []error{did.ErrUnavailable, bundle.ErrMediaType}},
		"absent":             {"https://elsewhere.example/", nil, []error{did.ErrUnavailable, bundle.ErrAbsent}},
		"nothing":            {"", nil, []error{did.ErrUnavailable, bundle.ErrAbsent}},
		"almost":             {listURL + "/", nil, []error{did.ErrUnavailable, bundle.ErrAbsent}},
		"was not there":      {gone, nil, []error{did.ErrNotFound}},
		"was not there, any": {gone, []string{"application/vc"}, []error{did.ErrNotFound}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, mediaType, err := b.Get(t.Context(), c.url, c.accept...)
			if c.want == nil {
				require.NoError(t, err)
				require.Equal(t, "application/vc", mediaType)
				require.Contains(t, string(body), `{"list":"of `)
				body[0] = 'x'
				again, _, err := b.Get(t.Context(), c.url)
				require.NoError(t, err)
				require.Equal(t, byte('{'), again[0], "a copy")
				return
			}
			require.True(t, body == nil)
			for _, want := range c.want {
				require.ErrorIs(t, err, want)
			}
			require.False(t, errors.Is(err, did.ErrNotFound) && errors.Is(err, did.ErrUnavailable), "one of the two")
			require.NotContains(t, err.Error(), "example", "no address in a text")
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := b.Get(ctx, listURL)
	require.ErrorIs(t, err, context.Canceled)
}

func TestBundle_Contents(t *testing.T) {
	t.Parallel()
	file := build(t, plan(t, small()))
	b := open(t, file)
	c := b.Contents()
	require.Equal(t, maker(t).id, c.Maker)
	require.Equal(t, noon, c.Made)
	require.Equal(t, noon, b.Made())
	require.Equal(t, noon.Add(7*day), c.ValidUntil)
	require.Equal(t, c.ValidUntil, b.ValidUntil())
	require.Equal(t, []bundle.Resource{
		{URL: statusURL, MediaType: "application/vc", Fetched: noon, Size: 18},
		{URL: listURL, MediaType: "application/vc", Fetched: noon, Size: 27},
	}, c.Resources)
	require.Equal(t, []string{trust.ContextURL, schema.ContextURL}, c.Contexts)
	inspected, err := bundle.Inspect(file)
	require.NoError(t, err)
	require.Equal(t, c, inspected)
	require.True(t, bytes.HasPrefix(file, []byte(`{"staffPassportBundle":1,`)), "a file says what it is")
}

// TestBundle_Deterministic: one maker with one clock and one web makes one file.
func TestBundle_Deterministic(t *testing.T) {
	t.Parallel()
	require.True(t, bytes.Equal(build(t, plan(t, small())), build(t, plan(t, small()))))
}

// TestBundle_Stale: what is too old is never an answer, whichever end comes first.
func TestBundle_Stale(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		maxAge, opened, asked time.Duration // after noon, when it was made; good for seven days
		open, get             error
	}{
		"at once":                    {0, 0, 0, nil, nil},
		"at its end":                 {0, 7 * day, 7 * day, nil, nil},
		"opened after its end":       {0, 7*day + time.Second, 0, bundle.ErrStale, nil},
		"asked after its end":        {0, day, 7*day + time.Second, nil, bundle.ErrStale},
		"at the host's limit":        {day, day, day, nil, nil},
		"opened past the limit":      {day, day + time.Second, 0, bundle.ErrStale, nil},
		"asked past the limit":       {day, time.Hour, day + time.Second, nil, bundle.ErrStale},
		"a limit longer than it is":  {30 * day, 7 * day, 7*day + time.Second, nil, bundle.ErrStale},
		"a clock that is set back":   {day, time.Hour, -30 * time.Minute, nil, nil},
		"opened just before made":    {day, -5 * time.Minute, 0, nil, nil},
		"opened too long before":     {day, -5*time.Minute - time.Second, 0, bundle.ErrFormat, nil},
		"opened years later":         {0, 3 * 365 * day, 0, bundle.ErrStale, nil},
		"limit shorter than a clock": {time.Second, time.Minute, 0, bundle.ErrStale, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := newClock()
			now.set(noon.Add(c.opened))
			b, err := bundle.Open(t.Context(), build(t, plan(t, small())), policy(t, func(p *bundle.Policy) { p.MaxAge, p.Now = c.maxAge, now.now }))
			if c.open != nil {
				require.True(t, b == nil)
				require.ErrorIs(t, err, c.open)
				require.Equal(t, c.open == bundle.ErrStale, errors.Is(err, did.ErrUnavailable))
				return
			}
			require.NoError(t, err)
			now.set(noon.Add(c.asked))
			_, _, err = b.Get(t.Context(), listURL)
			if c.get == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.get)
			require.ErrorIs(t, err, did.ErrUnavailable)
		})
	}
}

func TestOpen_Refused(t *testing.T) {
	t.Parallel()
	good := build(t, plan(t, small()))
	change := func(f func(*taken)) []byte {
		a := apart(t, good)
		f(a)
		return a.together(t)
	}
	part := base64.RawURLEncoding.EncodeToString
	// signed is a manifest of any content, by anybody, with a header of any kind.
	signed := func(by party, edit func(m *strictjson.Object), header ...strictjson.Member) func(*taken) {
		return func(f *taken) {
			token, err := jws.ParseCompact([]byte(f.Manifest))
			require.NoError(t, err)
			m, err := strictjson.ParseObject(token.Payload)
			require.NoError(t, err)
			edit(m)
			payload, err := strictjson.Append(nil, m)
			require.NoError(t, err)
			h := strictjson.NewObject(
				strictjson.Member{Name: "alg", Value: "EdDSA"},
				strictjson.Member{Name: "kid", Value: by.signer.VerificationMethod().String()},
				strictjson.Member{Name: "typ", Value: "vnd.staffpassport.bundle+jws"},
			)
			for _, member := range header {
				h.Set(member.Name, member.Value)
			}
			out, err := jws.Compact(h, payload, func(input []byte) ([]byte, error) { return by.signer.Sign(t.Context(), input) })
			require.NoError(t, err)
			f.Manifest = string(out)
		}
	}
	as := func(name string, v any) func(*strictjson.Object) {
		return func(m *strictjson.Object) { m.Set(name, v) }
	}
	same := func(*strictjson.Object) {}
	first := func(name string, v any) func(*strictjson.Object) {
		return func(m *strictjson.Object) {
			list, _ := m.Get("resources")
			r := list.([]any)[0].(*strictjson.Object)
			if v == nil {
				r.Delete(name)
				return
			}
			r.Set(name, v)
		}
	}
	one, rsa := maker(t), p256(t, "another kind of key")
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"nothing":                {nil, bundle.ErrFormat},
		"no JSON":                {[]byte("PK\x03\x04"), bundle.ErrFormat},
		"no object":              {[]byte("[]"), bundle.ErrFormat},
		"empty object":           {[]byte("{}"), bundle.ErrFormat},
		"half":                   {good[:len(good)/2], bundle.ErrFormat},
		"something behind":       {append(bytes.Clone(good), '{'), bundle.ErrFormat},
		"a version as text":      {change(func(f *taken) { f.Version = "1" }), bundle.ErrFormat},
		"later version":          {change(func(f *taken) { f.Version = 2 }), bundle.ErrFormat},
		"with an escape":         {bytes.Replace(good, []byte(`"parts"`), []byte(`"\u0070arts"`), 1), bundle.ErrFormat},
		"no manifest":            {change(func(f *taken) { f.Manifest = "" }), bundle.ErrFormat},
		"manifest unsigned":      {change(func(f *taken) { f.Manifest = f.Manifest[:strings.LastIndex(f.Manifest, ".")+1] }), bundle.ErrFormat},
		"signature of another":   {change(signed(named(t, "Nettle Styx"), same)), bundle.ErrMaker},
		"key of another":         {change(signed(named(t, "Nettle Styx"), same, strictjson.Member{Name: "kid", Value: one.signer.VerificationMethod().String()})), bundle.ErrMaker},
		"key not in document":    {change(signed(one, same, strictjson.Member{Name: "kid", Value: one.id.String() + "#other"})), bundle.ErrMaker},
		"key without fragment":   {change(signed(one, same, strictjson.Member{Name: "kid", Value: one.id.String()})), bundle.ErrMaker},
		"key for encryption":     {change(signed(one, same, strictjson.Member{Name: "kid", Value: agreement(t, one)})), bundle.ErrMaker},
		"key no DID URL":         {change(signed(one, same, strictjson.Member{Name: "kid", Value: "key-1"})), bundle.ErrFormat},
		"another algorithm":      {change(signed(one, same, strictjson.Member{Name: "alg", Value: "ES256"})), bundle.ErrMaker},
		"another typ":            {change(signed(one, same, strictjson.Member{Name: "typ", Value: "JWT"})), bundle.ErrFormat},
		"a critical extension":   {[]byte(fmt.Sprintf(`{"staffPassportBundle":1,"manifest":"%s.e30.AAAA","parts":[]}`, part([]byte(`{"alg":"EdDSA","crit":["x"]}`)))), bundle.ErrFormat},
		"manifest of version 2":  {change(signed(one, as("version", strictjson.Number("2")))), bundle.ErrFormat},
		"no making":              {change(signed(one, func(m *strictjson.Object) { m.Delete("made") })), bundle.ErrFormat},
		"no end":                 {change(signed(one, func(m *strictjson.Object) { m.Delete("validUntil") })), bundle.ErrFormat},
		"end before making":      {change(signed(one, as("validUntil", "2026-10-05T11:00:00Z"))), bundle.ErrFormat},
		"made tomorrow":          {change(signed(one, as("made", "2026-10-06T12:00:00Z"))), bundle.ErrFormat},
		"URL twice":              {change(signed(one, first("url", listURL))), bundle.ErrFormat},
		"no URL":                 {change(signed(one, first("url", nil))), bundle.ErrFormat},
		"URL too long":           {change(signed(one, first("url", "https://"+strings.Repeat("a", 2048)))), bundle.ErrFormat},
		"no digest":              {change(signed(one, first("sha256", nil))), bundle.ErrFormat},
		"short digest":           {change(signed(one, first("sha256", "AAAA"))), bundle.ErrFormat},
		"digest of another part": {change(signed(one, first("sha256", strings.Repeat("A", 43)))), bundle.ErrPart},
		"size of another part":   {change(signed(one, first("size", strictjson.Number("19")))), bundle.ErrPart},
		"negative size":          {change(signed(one, first("size", strictjson.Number("-1")))), bundle.ErrFormat},
		"absent and there":       {change(signed(one, first("absent", true))), bundle.ErrFormat},
		"fetched never":          {change(signed(one, first("fetched", nil))), bundle.ErrFormat},
		"fetched after making":   {change(signed(one, first("fetched", "2026-10-05T12:00:01Z"))), bundle.ErrFormat},
		"context no digest":      {change(signed(one, as("contexts", []any{strictjson.NewObject(strictjson.Member{Name: "url", Value: "https://c.example"})}))), bundle.ErrFormat},
		"contexts left out":      {change(signed(one, func(m *strictjson.Object) { m.Delete("contexts") })), bundle.ErrPart},
		"part changed":           {change(func(f *taken) { f.Parts[0] = part([]byte(`{"list":"of others"}`)) }), bundle.ErrPart},
		"part left out":          {change(func(f *taken) { f.Parts = f.Parts[1:] }), bundle.ErrPart},
		"part added":             {change(func(f *taken) { f.Parts = append(f.Parts, part([]byte("x"))) }), bundle.ErrPart},
		"part twice":             {change(func(f *taken) { f.Parts = append(f.Parts, f.Parts[0]) }), bundle.ErrPart},
		"part for another":       {change(func(f *taken) { f.Parts[1] = f.Parts[0] }), bundle.ErrPart},
		"part not base64url":     {change(func(f *taken) { f.Parts[0] += "=" }), bundle.ErrPart},
		"part with a newline":    {change(func(f *taken) { f.Parts[0] = f.Parts[0][:4] + "\n" + f.Parts[0][4:] }), bundle.ErrFormat},
		"no parts":               {change(func(f *taken) { f.Parts = nil }), bundle.ErrPart},
		"by another maker":       {build(t, plan(t, small(), func(p *bundle.Plan) { p.Signer = rsa.signer })), bundle.ErrMaker},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := bundle.Open(t.Context(), c.file, policy(t))
			require.True(t, b == nil)
			require.ErrorIs(t, err, c.want)
			require.NotErrorIs(t, err, did.ErrUnavailable)
			require.Equal(t, 1, strings.Count(err.Error(), "bundle: "), err.Error())
		})
	}
	open(t, change(signed(one, same))) // the way in which the others are changed is not what is wrong
	open(t, change(func(f *taken) { f.Parts[0], f.Parts[1] = f.Parts[1], f.Parts[0] }))
}

// agreement is the name of the derived key in a did:key.
func agreement(t testing.TB, p party) string {
	res, err := didkey.Resolver{}.Resolve(t.Context(), p.id, did.Version{})
	require.NoError(t, err)
	for _, m := range res.Document.Methods(did.KeyAgreement, noon) {
		return m.ID.String()
	}
	t.Fatal("no key for encryption")
	return ""
}

// TestOpen_EveryByte: a file with one bit changed is refused, wherever it is.
func TestOpen_EveryByte(t *testing.T) {
	t.Parallel()
	good := build(t, plan(t, small()))
	for i := 0; i < len(good); i += 11 * vectors.Step(t, "bytes", 10) { // all of them take ten seconds
		for _, bit := range []byte{1, 32} {
			changed := bytes.Clone(good)
			changed[i] ^= bit
			_, err := bundle.Open(t.Context(), changed, policy(t))
			require.Error(t, err, "byte %d", i)
		}
	}
}

func TestOpen_Policy(t *testing.T) {
	t.Parallel()
	file := build(t, plan(t, small()))
	down := errors.New("disk on fire")
	for name, c := range map[string]struct {
		change func(*bundle.Policy)
		want   error
	}{
		"no maker":           {func(p *bundle.Policy) { p.Maker = did.DID{} }, bundle.ErrConfig},
		"no resolver":        {func(p *bundle.Policy) { p.Resolver = nil }, bundle.ErrConfig},
		"negative age":       {func(p *bundle.Policy) { p.MaxAge = -1 }, bundle.ErrConfig},
		"newer one is known": {func(p *bundle.Policy) { p.NotBefore = noon.Add(time.Second) }, bundle.ErrRollback},
		"unresolvable":       {func(p *bundle.Policy) { p.Resolver = broken{err: did.ErrUnavailable} }, did.ErrUnavailable},
		"another failure":    {func(p *bundle.Policy) { p.Resolver = broken{err: down} }, down},
		"no such maker":      {func(p *bundle.Policy) { p.Resolver = broken{err: did.ErrNotFound} }, bundle.ErrMaker},
		"no document":        {func(p *bundle.Policy) { p.Resolver = broken{res: &did.Resolution{}} }, bundle.ErrMaker},
		"no resolution":      {func(p *bundle.Policy) { p.Resolver = broken{} }, bundle.ErrMaker},
		"deactivated":        {func(p *bundle.Policy) { p.Resolver = broken{res: &did.Resolution{Deactivated: true}} }, bundle.ErrMaker},
		"deactivated, shown": {func(p *bundle.Policy) {
			p.Resolver = broken{res: &did.Resolution{Deactivated: true, Document: documentOf(t, maker(t))}}
		}, bundle.ErrMaker},
		"another's document": {func(p *bundle.Policy) {
			p.Resolver = broken{res: &did.Resolution{Document: documentOf(t, p256(t, "x"))}}
		}, bundle.ErrMaker},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := bundle.Open(t.Context(), file, policy(t, c.change))
			require.True(t, b == nil)
			require.ErrorIs(t, err, c.want)
		})
	}
	open(t, file, func(p *bundle.Policy) { p.NotBefore = noon })
}

func documentOf(t testing.TB, p party) *did.Document {
	t.Helper()
	res, err := didkey.Resolver{}.Resolve(t.Context(), p.id, did.Version{})
	require.NoError(t, err)
	return res.Document
}

// A resolver that answers one thing.
type broken struct {
	res *did.Resolution
	err error
}

func (b broken) Resolve(context.Context, did.DID, did.Version) (*did.Resolution, error) {
	return b.res, b.err
}

// TestOpen_Signers: the keys that hosts have.
func TestOpen_Signers(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]party{"Ed25519": maker(t), "P-256": p256(t, "Hazelmere")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := build(t, plan(t, small(), func(p *bundle.Plan) { p.Signer = by.signer }))
			open(t, file, func(p *bundle.Policy) { p.Maker = by.id })
		})
	}
}

func TestBuild_Refused(t *testing.T) {
	t.Parallel()
	odd := map[string][]byte{"https://garden.example/v1": []byte(`{"@context":{"rose":"https://garden.example/v1#rose"}}`)}
	for name, c := range map[string]struct {
		change func(*bundle.Plan)
		want   error
	}{
		"no signer":             {func(p *bundle.Plan) { p.Signer = nil }, bundle.ErrConfig},
		"no client":             {func(p *bundle.Plan) { p.Client = nil }, bundle.ErrConfig},
		"no lifetime":           {func(p *bundle.Plan) { p.Lifetime = 0 }, bundle.ErrConfig},
		"negative lifetime":     {func(p *bundle.Plan) { p.Lifetime = -time.Hour }, bundle.ErrConfig},
		"DIDs and no resolver":  {func(p *bundle.Plan) { p.DIDs = []did.DID{maker(t).id} }, bundle.ErrConfig},
		"our context, another":  {func(p *bundle.Plan) { p.Contexts = map[string][]byte{schema.ContextURL: []byte(`{"@context":{}}`)} }, bundle.ErrContext},
		"no context":            {func(p *bundle.Plan) { p.Contexts = map[string][]byte{"https://garden.example/v1": []byte("roses")} }, bundle.ErrContext},
		"array of the unknown":  {func(p *bundle.Plan) { p.Arrays = [][]string{{vc.ContextV2, "https://garden.example/v1"}} }, bundle.ErrContext},
		"array without a model": {func(p *bundle.Plan) { p.Contexts, p.Arrays = odd, [][]string{{"https://garden.example/v1"}} }, bundle.ErrContext},
		"array of nothing":      {func(p *bundle.Plan) { p.Arrays = [][]string{nil} }, bundle.ErrContext},
		"a page is not there":   {func(p *bundle.Plan) { p.URLs = append(p.URLs, "https://elsewhere.example/") }, did.ErrNotFound},
		"a page too long":       {func(p *bundle.Plan) { p.URLs = append(p.URLs, big) }, bundle.ErrFormat},
		"an address too long":   {func(p *bundle.Plan) { p.URLs = append(p.URLs, long) }, bundle.ErrFormat},
		"a signer that lies":    {func(p *bundle.Plan) { p.Signer = liar{p.Signer} }, did.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := small()
			w.put(big, "application/vc", strings.Repeat("x", 12<<20))
			w.put(long, "application/vc", "{}")
			file, err := bundle.Build(t.Context(), plan(t, w, c.change))
			require.True(t, file == nil)
			require.ErrorIs(t, err, c.want)
		})
	}
}

const big = "https://big.example/"

var long = "https://long.example/" + strings.Repeat("a", 2048)

type liar struct{ did.Signer }

func (l liar) Sign(ctx context.Context, message []byte) ([]byte, error) {
	return l.Signer.Sign(ctx, append([]byte("x"), message...))
}

// TestBuild_Missing: a bundle can go without what could not be had, and what it could
// be had once is taken over with its date.
func TestBuild_Missing(t *testing.T) {
	t.Parallel()
	w := small()
	later := newClock()
	before := open(t, build(t, plan(t, w)), func(p *bundle.Policy) { p.Now = later.now })
	later.set(noon.Add(2 * day))
	w.fail(statusURL)
	p := plan(t, w, func(p *bundle.Plan) { p.Now = later.now })

	_, err := bundle.Build(t.Context(), p)
	require.ErrorIs(t, err, did.ErrUnavailable)

	var missing []string
	p.Missing = func(what string, err error) {
		missing = append(missing, what)
		require.True(t, errors.Is(err, did.ErrUnavailable) || errors.Is(err, did.ErrNotFound))
	}
	b := open(t, build(t, p), func(p *bundle.Policy) { p.Now = later.now })
	require.Equal(t, []string{statusURL}, missing)
	_, _, err = b.Get(t.Context(), statusURL)
	require.ErrorIs(t, err, bundle.ErrAbsent)
	_, _, err = b.Get(t.Context(), listURL)
	require.NoError(t, err)

	missing, p.Previous = nil, before
	file := build(t, p)
	require.Empty(t, missing)
	b = open(t, file, func(p *bundle.Policy) { p.Now, p.MaxAge = later.now, 3*day })
	require.Equal(t, noon, b.Contents().Resources[0].Fetched)
	require.Equal(t, noon.Add(2*day), b.Contents().Resources[1].Fetched)
	_, _, err = b.Get(t.Context(), statusURL)
	require.NoError(t, err)
	b = open(t, file, func(p *bundle.Policy) { p.Now, p.MaxAge = later.now, day })
	_, _, err = b.Get(t.Context(), statusURL)
	require.ErrorIs(t, err, bundle.ErrStale, "each part by its own date")
	_, _, err = b.Get(t.Context(), listURL)
	require.NoError(t, err)

	w.fail()
	delete(w.pages, statusURL) // what is gone is not brought back
	missing = nil
	p.Missing = func(what string, err error) {
		missing = append(missing, what)
		require.NotErrorIs(t, err, bundle.ErrStale, "why it could not be fetched, not why it was not there before")
	}
	b = open(t, build(t, p), func(p *bundle.Policy) { p.Now = later.now })
	require.Equal(t, []string{statusURL}, missing[:1])
	_, _, err = b.Get(t.Context(), statusURL)
	require.ErrorIs(t, err, did.ErrNotFound)

	w.fail(statusURL)
	missing = nil
	later.set(noon.Add(8 * day)) // the one before is past its end
	_ = build(t, p)
	require.Equal(t, []string{statusURL}, missing)
}

// TestBuild_Cancelled ends, and calls nobody's fault.
func TestBuild_Cancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := bundle.Build(ctx, plan(t, small(), func(p *bundle.Plan) {
		p.Missing = func(string, error) { t.Error("called") }
	}))
	require.ErrorIs(t, err, context.Canceled)
}

// TestBuild_DIDs: whatever resolving a DID asks for goes in, what is not there too.
func TestBuild_DIDs(t *testing.T) {
	t.Parallel()
	w := small()
	w.put("https://alder.example/log", "text/jsonl", "log of the alder")
	a, err := did.Parse("did:log:alder")
	require.NoError(t, err)
	missing, err := did.Parse("did:log:nettle")
	require.NoError(t, err)
	var told []string
	file := build(t, plan(t, w, func(p *bundle.Plan) {
		p.DIDs = []did.DID{a, missing, maker(t).id}
		p.Resolver = func(c did.Getter) did.Resolver { return did.Mux{"key": didkey.Resolver{}, "log": logs{c}} }
		p.Missing = func(what string, _ error) { told = append(told, what) }
	}))
	require.Equal(t, []string{missing.String()}, told)
	b := open(t, file)
	res, err := logs{b}.Resolve(t.Context(), a, did.Version{})
	require.NoError(t, err)
	require.Equal(t, a, res.Document.ID())
	_, err = logs{b}.Resolve(t.Context(), missing, did.Version{})
	require.ErrorIs(t, err, did.ErrNotFound)

	// That something was not there is taken over from the bundle before too.
	w.fail("")
	again := open(t, build(t, plan(t, w, func(p *bundle.Plan) {
		p.URLs, p.DIDs, p.Previous = nil, []did.DID{a}, b
		p.Resolver = func(c did.Getter) did.Resolver { return logs{c} }
	})))
	_, err = logs{again}.Resolve(t.Context(), a, did.Version{})
	require.NoError(t, err)
}

// logs is a method that needs two resources, the second of which may be missing.
type logs struct{ client did.Getter }

func (l logs) Resolve(ctx context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
	at := "https://" + id.SpecificID() + ".example/"
	if _, _, err := l.client.Get(ctx, at+"log", "text/jsonl"); err != nil {
		return nil, err
	}
	if _, _, err := l.client.Get(ctx, at+"witness"); !errors.Is(err, did.ErrNotFound) {
		return nil, fmt.Errorf("%w: the witness may be there", did.ErrUnavailable)
	}
	doc, err := did.NewDocument(id, nil, nil)
	return &did.Resolution{Document: doc}, err
}

func TestBundle_Contexts(t *testing.T) {
	t.Parallel()
	const garden = "https://garden.example/v1"
	document := []byte(`{"@context":{"rose":"https://garden.example/v1#rose"}}`)
	file := build(t, plan(t, small(), func(p *bundle.Plan) {
		p.Contexts, p.Arrays = map[string][]byte{garden: document}, [][]string{{vc.ContextV2, schema.ContextURL, garden}}
	}))
	set, err := open(t, file).Contexts()
	require.NoError(t, err)
	for _, accepted := range [][]any{
		{vc.ContextV2}, {vc.ContextV2, schema.ContextURL}, {vc.ContextV2, trust.ContextURL}, {vc.ContextV2, schema.ContextURL, garden},
	} {
		require.True(t, set.Accepts(accepted))
	}
	for _, refused := range [][]any{{vc.ContextV2, garden}, {garden}, {vc.ContextV2, garden, schema.ContextURL}} {
		require.False(t, set.Accepts(refused))
	}
	require.True(t, set.Documents().Known(garden))
}

// TestBundle_ContextsOfOurOwn: no maker can give the words of a passport another meaning.
func TestBundle_ContextsOfOurOwn(t *testing.T) {
	t.Parallel()
	for _, url := range []string{schema.ContextURL, trust.ContextURL} {
		file := forge(t, build(t, plan(t, small())), func(m *strictjson.Object, parts map[string]string) {
			list, _ := m.Get("contexts")
			for _, e := range list.([]any) {
				entry := e.(*strictjson.Object)
				if at, _ := entry.Text("url"); at == url {
					old, _ := entry.Text("sha256")
					delete(parts, old)
					put(entry, parts, []byte(`{"@context":{"issues":"https://nettle.example#stings"}}`))
				}
			}
		})
		_, err := bundle.Open(t.Context(), file, policy(t))
		require.ErrorIs(t, err, bundle.ErrContext)
	}
}

// TestBundle_TwoSizes: one part cannot be said to have two sizes.
func TestBundle_TwoSizes(t *testing.T) {
	t.Parallel()
	file := forge(t, build(t, plan(t, small())), func(m *strictjson.Object, _ map[string]string) {
		list, _ := m.Get("resources")
		other := list.([]any)[0].(*strictjson.Object).Clone()
		other.Set("url", "https://alder-valley.example/again")
		other.Set("size", strictjson.Number("1"))
		m.Set("resources", append([]any{other}, list.([]any)...))
	})
	_, err := bundle.Open(t.Context(), file, policy(t))
	require.ErrorIs(t, err, bundle.ErrPart)
}

// A file whose context is no context is found when the contexts are asked for.
func TestBundle_NoContext(t *testing.T) {
	t.Parallel()
	file := forge(t, build(t, plan(t, small())), func(m *strictjson.Object, parts map[string]string) {
		list, _ := m.Get("contexts")
		entry := strictjson.NewObject(strictjson.Member{Name: "url", Value: "https://garden.example/v1"})
		put(entry, parts, []byte("roses"))
		m.Set("contexts", append(list.([]any), entry))
	})
	_, err := open(t, file).Contexts()
	require.ErrorIs(t, err, bundle.ErrContext)
}

// forge is what a maker could do who means harm: any manifest, any parts, well signed.
func forge(t testing.TB, file []byte, edit func(m *strictjson.Object, parts map[string]string)) []byte {
	t.Helper()
	f := apart(t, file)
	token, err := jws.ParseCompact([]byte(f.Manifest))
	require.NoError(t, err)
	m, err := strictjson.ParseObject(token.Payload)
	require.NoError(t, err)
	parts := map[string]string{}
	for _, p := range f.Parts {
		b, err := base64.RawURLEncoding.DecodeString(p)
		require.NoError(t, err)
		parts[digest(b)] = p
	}
	edit(m, parts)
	payload, err := strictjson.Append(nil, m)
	require.NoError(t, err)
	out, err := jws.Compact(token.Header.Tree, payload, func(input []byte) ([]byte, error) { return maker(t).signer.Sign(context.Background(), input) })
	require.NoError(t, err)
	f.Manifest, f.Parts = string(out), nil
	for _, p := range parts {
		f.Parts = append(f.Parts, p)
	}
	return f.together(t)
}

// TestBundle_Concurrent is for the race detector.
func TestBundle_Concurrent(t *testing.T) {
	t.Parallel()
	b := open(t, build(t, plan(t, small())))
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 50 {
				if _, _, err := b.Get(context.Background(), listURL); err != nil {
					t.Error(err)
				}
				if _, err := b.Contexts(); err != nil {
					t.Error(err)
				}
				b.Contents()
			}
		})
	}
	wait.Wait()
}

// TestOpen_Largest is a file at the limit, and one beyond it.
func TestOpen_Largest(t *testing.T) {
	t.Parallel()
	const room = 64 << 10 // for all but one part
	w := small()
	w.put(big, "application/vc", strings.Repeat("x", (bundle.MaxFile-room)/4*3))
	file := build(t, plan(t, w, func(p *bundle.Plan) { p.URLs = append(p.URLs, big) }))
	require.Greater(t, len(file), bundle.MaxFile-room)
	padded := append(bytes.Repeat([]byte(" "), bundle.MaxFile-len(file)), file...)
	open(t, padded)
	_, err := bundle.Open(t.Context(), append([]byte(" "), padded...), policy(t))
	require.ErrorIs(t, err, bundle.ErrFormat)
}

// TestBuild_Many is a bundle with as many resources as there may be, and one more.
func TestBuild_Many(t *testing.T) {
	t.Parallel()
	w := small()
	var urls []string
	for i := range 2048 {
		urls = append(urls, fmt.Sprintf("https://rivers-%d.example/", i))
		w.put(urls[i], "application/vc", fmt.Sprint(i))
	}
	b := open(t, build(t, plan(t, w, func(p *bundle.Plan) { p.URLs = urls })))
	require.Len(t, b.Contents().Resources, 2048)
	_, err := bundle.Build(t.Context(), plan(t, w, func(p *bundle.Plan) { p.URLs = append(urls, listURL) }))
	require.ErrorIs(t, err, bundle.ErrFormat)
}

func TestInspect_Refused(t *testing.T) {
	t.Parallel()
	for _, b := range [][]byte{nil, []byte("{}"), []byte(`{"staffPassportBundle":1,"manifest":"a.b.c","parts":[]}`)} {
		c, err := bundle.Inspect(b)
		require.Nil(t, c)
		require.ErrorIs(t, err, bundle.ErrFormat)
	}
}

// TestContents_JSON is for programs that show a bundle.
func TestContents_JSON(t *testing.T) {
	t.Parallel()
	out, err := json.Marshal(open(t, build(t, plan(t, small()))).Contents())
	require.NoError(t, err)
	require.Contains(t, string(out), `"made":"2026-10-05T12:00:00Z"`)
	require.Contains(t, string(out), `{"url":"`+listURL+`","mediaType":"application/vc","fetched":"2026-10-05T12:00:00Z","size":27}`)
}
