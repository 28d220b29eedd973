package bundle_test

import (
	"context"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
)

// TestOpen_KeyInTurn: a maker's key opens nothing after its turn, whenever the bundle says
// that it was made.
func TestOpen_KeyInTurn(t *testing.T) {
	t.Parallel()
	id, err := did.Parse("did:web:hazelmere.example")
	require.NoError(t, err)
	s := seed("an old key")
	key := ed25519.NewKeyFromSeed(s[:])
	signer, err := did.NewSigner(id.URL("old"), key)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		expires, revoked, made time.Time
		want                   error
	}{
		"no end":                       {time.Time{}, time.Time{}, noon, nil},
		"in its turn":                  {noon.Add(time.Second), time.Time{}, noon.Add(-day), nil},
		"made in its turn, over now":   {noon, time.Time{}, noon.Add(-day), bundle.ErrMaker},
		"over for long":                {noon.AddDate(-2, 0, 0), time.Time{}, noon, bundle.ErrMaker},
		"over, made before as it says": {noon.Add(-4 * day), time.Time{}, noon.Add(-5 * day), bundle.ErrMaker},
		"revoked":                      {time.Time{}, noon, noon.Add(-day), bundle.ErrMaker},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := did.NewVerificationMethod(id.URL("old"), key.Public(), did.AssertionMethod)
			require.NoError(t, err)
			m.Expires, m.Revoked = c.expires, c.revoked
			doc, err := did.NewDocument(id, []*did.VerificationMethod{m}, nil)
			require.NoError(t, err)
			file := build(t, plan(t, small(), func(p *bundle.Plan) {
				p.Signer, p.Now = signer, func() time.Time { return c.made }
			}))
			_, err = bundle.Open(t.Context(), file, policy(t, func(p *bundle.Policy) {
				p.Maker, p.Resolver = id, broken{res: &did.Resolution{Document: doc}}
			}))
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
			require.ErrorIs(t, err, did.ErrNotAuthorised)
		})
	}
}

// TestOpen_Lifetime: no maker makes a bundle for ever.
func TestOpen_Lifetime(t *testing.T) {
	t.Parallel()
	longest := plan(t, small(), func(p *bundle.Plan) { p.Lifetime = bundle.MaxLifetime })
	file := build(t, longest)
	open(t, file)
	_, err := bundle.Open(t.Context(), forge(t, file, func(m *strictjson.Object, _ map[string]string) {
		m.Set("validUntil", noon.Add(bundle.MaxLifetime+time.Second).Format(time.RFC3339))
	}), policy(t))
	require.ErrorIs(t, err, bundle.ErrFormat)
	longest.Lifetime++
	_, err = bundle.Build(t.Context(), longest)
	require.ErrorIs(t, err, bundle.ErrConfig)
}

// A told is what a maker is told of.
type told struct {
	taken   []string
	fetched []time.Time
	missing []string
}

func (o *told) listen(t testing.TB) func(*bundle.Plan) {
	return func(p *bundle.Plan) {
		p.TakenOver = func(url string, fetched time.Time, err error) {
			o.taken, o.fetched = append(o.taken, url), append(o.fetched, fetched)
			require.ErrorIs(t, err, did.ErrUnavailable)
		}
		p.Missing = func(what string, err error) { o.missing = append(o.missing, what) }
	}
}

// TestBuild_TakenOver: the maker is told of a part that is not fetched anew, and such a
// part is not handed from bundle to bundle for ever.
func TestBuild_TakenOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		maxAge time.Duration
		days   int // to the last bundle with the part
	}{
		"for the lifetime of a bundle": {0, 7},
		"for less":                     {3 * day, 3},
		"for more":                     {10 * day, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, now := small(), newClock()
			var before *bundle.Bundle
			for i := range 15 {
				now.set(noon.Add(time.Duration(i) * day))
				var o told
				before = open(t, build(t, plan(t, w, o.listen(t), func(p *bundle.Plan) {
					p.Previous, p.MaxAge, p.Now = before, c.maxAge, now.now
				})), func(p *bundle.Policy) { p.Now = now.now })
				_, _, err := before.Get(t.Context(), statusURL)
				switch {
				case i == 0:
					require.Empty(t, o)
					w.fail(statusURL)
				case i <= c.days:
					require.NoError(t, err, i)
					require.Equal(t, told{[]string{statusURL}, []time.Time{noon}, nil}, o)
				default:
					require.ErrorIs(t, err, bundle.ErrAbsent)
					require.Equal(t, told{missing: []string{statusURL}}, o)
				}
			}
		})
	}
}

// TestBuild_TakenOverNobodyListens: with nobody to be told, the bundle fails to be built
// when the part is too old.
func TestBuild_TakenOverNobodyListens(t *testing.T) {
	t.Parallel()
	w, now := small(), newClock()
	p := plan(t, w, func(p *bundle.Plan) { p.MaxAge, p.Now = day, now.now })
	p.Previous = open(t, build(t, p))
	w.fail(statusURL)
	now.set(noon.Add(day))
	build(t, p)
	now.set(noon.Add(day + time.Second))
	_, err := bundle.Build(t.Context(), p)
	require.ErrorIs(t, err, did.ErrUnavailable)
	p.MaxAge = -1
	_, err = bundle.Build(t.Context(), p)
	require.ErrorIs(t, err, bundle.ErrConfig)
}

// TestBuild_TakenOverDocument: so it is with what a DID rests on, and with what was not
// there.
func TestBuild_TakenOverDocument(t *testing.T) {
	t.Parallel()
	w, now := small(), newClock()
	const log, witness = "https://alder.example/log", "https://alder.example/witness"
	w.put(log, "text/jsonl", "log of the alder")
	a, err := did.Parse("did:log:alder")
	require.NoError(t, err)
	var o told
	p := plan(t, w, o.listen(t), func(p *bundle.Plan) {
		p.URLs, p.DIDs, p.Now = nil, []did.DID{a}, now.now
		p.Resolver = func(c did.Getter) did.Resolver { return logs{c} }
	})
	p.Previous = open(t, build(t, p))
	require.Empty(t, o)
	w.fail("")
	build(t, p)
	require.Equal(t, told{taken: []string{log, witness}, fetched: []time.Time{noon, noon}}, o)
	o = told{}
	p.MaxAge = time.Second
	now.set(noon.Add(time.Minute))
	build(t, p)
	require.Equal(t, told{missing: []string{a.String()}}, o)
}

// TestBuild_TakenOverLater: what was fetched is not replaced by what is older, and what is
// fetched in the end was not taken over.
func TestBuild_TakenOverLater(t *testing.T) {
	t.Parallel()
	for name, downFirst := range map[string]bool{"down for the second": false, "down for the first": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, now := small(), newClock()
			w.put("https://alder.example/log", "text/jsonl", "old")
			a, err := did.Parse("did:log:alder")
			require.NoError(t, err)
			var o told
			p := plan(t, w, o.listen(t), func(p *bundle.Plan) {
				p.URLs, p.DIDs, p.Now = nil, []did.DID{a}, now.now
				p.Resolver = func(c did.Getter) did.Resolver { return logs{c} }
			})
			p.Previous = open(t, build(t, p))
			now.set(noon.Add(time.Hour))
			w.put("https://alder.example/log", "text/jsonl", "new")
			p.Resolver = func(client did.Getter) did.Resolver { return twice{client, w, downFirst} }
			b := open(t, build(t, p), func(p *bundle.Policy) { p.Now = now.now })
			body, _, err := b.Get(t.Context(), "https://alder.example/log")
			require.NoError(t, err)
			require.Equal(t, "new", string(body))
			require.Equal(t, told{}, o)
		})
	}
}

// twice asks twice, while the web is down for the first time or the second.
type twice struct {
	client    did.Getter
	web       *web
	downFirst bool
}

func (r twice) Resolve(ctx context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
	for _, down := range []bool{r.downFirst, !r.downFirst} {
		r.web.fail()
		if down {
			r.web.fail("")
		}
		if _, _, err := r.client.Get(ctx, "https://alder.example/log"); err != nil {
			return nil, err
		}
	}
	r.web.fail()
	doc, err := did.NewDocument(id, nil, nil)
	return &did.Resolution{Document: doc}, err
}
