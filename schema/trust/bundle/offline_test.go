package bundle_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didweb"
	"github.com/staffpassport/staffpassport/did/didwebvh"
	"github.com/staffpassport/staffpassport/did/universal"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A country is a web with an employer of did:web, its status list, an authority of
// did:web and its list of organisations.
type country struct {
	*web
	authority, employer party
	passport            vc.Secured
}

const (
	index        = 94_567
	employerPage = "https://alder-valley.example/.well-known/did.json"
	registerPage = "https://register.example/.well-known/did.json"
)

func newCountry(t testing.TB) *country {
	c := &country{web: &web{pages: map[string]page{}}}
	c.authority = c.register(t, "register.example", named(t, "Severn Register Office"))
	c.employer = c.register(t, "alder-valley.example", named(t, "Alder Valley"))
	c.publishList(t, 1)
	c.publishStatus(t, false)
	p, _ := schema.Sample()
	doc, err := p.Credential(schema.Terms{
		Issuer: c.employer.id, Holder: named(t, "Rowan Tamar").id, ValidFrom: noon.Add(-30 * day),
		Status: []vc.Status{status.Entry(statusURL, status.Revocation, index)},
	})
	require.NoError(t, err)
	c.passport = secure(t, &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: c.employer.signer, Contexts: schema.Contexts(), Now: newClock().now}, doc)
	return c
}

// register gives a party a did:web and publishes its document.
func (c *country) register(t testing.TB, host string, p party) party {
	t.Helper()
	id, err := didweb.New(host)
	require.NoError(t, err)
	c.put("https://"+host+"/.well-known/did.json", "application/did+json", webDocument(t, id, p))
	s, err := did.NewSigner(id.URL("key-1"), p.key)
	require.NoError(t, err)
	p.id, p.signer = id, s
	return p
}

func webDocument(t testing.TB, id did.DID, p party) string {
	t.Helper()
	m, err := did.NewVerificationMethod(id.URL("key-1"), p.public, did.AssertionMethod)
	require.NoError(t, err)
	doc, err := did.NewDocument(id, []*did.VerificationMethod{m}, nil)
	require.NoError(t, err)
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	return string(b)
}

func secure(t testing.TB, s vc.Securer, c *vc.Credential) vc.Secured {
	t.Helper()
	out, err := s.Secure(t.Context(), c)
	require.NoError(t, err)
	return out
}

// publishList publishes an edition of the list with the employer on it, unless it is
// changed.
func (c *country) publishList(t testing.TB, sequence uint64, changes ...func(*trust.List)) {
	t.Helper()
	l := &trust.List{
		ID: listURL, Authority: c.authority.id, Sequence: sequence, Issued: noon.Add(-time.Hour), ValidUntil: noon.Add(5 * day),
		Organisations: []trust.Organisation{{
			ODS: "RAV", Name: "Alder Valley Hospitals", DIDs: []did.DID{c.employer.id}, Issues: []string{schema.Type},
			From: noon.Add(-365 * day), RegisteredBy: "HR Director",
		}},
	}
	for _, change := range changes {
		change(l)
	}
	draft, err := l.Credential()
	require.NoError(t, err)
	s := secure(t, &jose.Issuer{Signer: c.authority.signer, Contexts: trust.Contexts(), Now: newClock().now}, draft)
	c.put(listURL, s.MediaType, string(s.Bytes))
}

func (c *country) publishStatus(t testing.TB, revoked bool, changes ...func(*status.List)) {
	t.Helper()
	bits, err := status.NewBits(status.MinEntries)
	require.NoError(t, err)
	require.NoError(t, bits.Set(index, revoked))
	l := &status.List{
		ID: statusURL, Issuer: c.employer.id, Purposes: []status.Purpose{status.Revocation},
		ValidFrom: noon.Add(-time.Hour), ValidUntil: noon.Add(2 * day), TTL: time.Minute, Bits: bits,
	}
	for _, change := range changes {
		change(l)
	}
	draft, err := l.Credential()
	require.NoError(t, err)
	s := secure(t, &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: c.employer.signer, Now: newClock().now}, draft)
	c.put(statusURL, s.MediaType, string(s.Bytes))
}

// pack is the bundle that the maker makes of the country.
func (c *country) pack(t testing.TB, changes ...func(*bundle.Plan)) []byte {
	t.Helper()
	return build(t, plan(t, c.web, append([]func(*bundle.Plan){func(p *bundle.Plan) {
		p.DIDs = []did.DID{c.authority.id, c.employer.id}
		p.Resolver = func(client did.Getter) did.Resolver {
			return universal.New(universal.Config{Client: client, Now: p.Now})
		}
	}}, changes...)...))
}

// verifyWith verifies the passport with a client and nothing else, as a host does that
// begins anew.
func (c *country) verifyWith(t testing.TB, client did.Getter, contexts *vc.ContextSet, now func() time.Time) error {
	t.Helper()
	resolver := universal.New(universal.Config{Client: client, Now: now})
	organisations, err := trust.Open(t.Context(), trust.Config{
		Authority: c.authority.id, Resolver: resolver, Client: client, URL: listURL, Now: now,
	})
	require.NoError(t, err)
	updated := organisations.Update(t.Context())
	v := &verify.Verifier{Resolver: resolver, Trust: organisations, Status: &status.Lists{Client: client}, Contexts: contexts, Now: now}
	result, err := v.Credential(t.Context(), c.passport)
	if err != nil {
		require.Nil(t, result)
		return err
	}
	require.NoError(t, updated)
	require.Equal(t, c.employer.id, result.Issuer())
	return nil
}

// TestOffline: a passport whose issuer is a did:web, with a status and an issuer from a
// signed list, is verified with no network; and each part that is stale, absent or
// changed leaves it unverified.
func TestOffline(t *testing.T) {
	t.Parallel()
	without := func(url string) func(*testing.T, *country, []byte) []byte {
		return func(t *testing.T, _ *country, file []byte) []byte {
			return forge(t, file, func(m *strictjson.Object, parts map[string]string) {
				list, _ := m.Get("resources")
				var left []any
				for _, r := range list.([]any) {
					o := r.(*strictjson.Object)
					if at, _ := o.Text("url"); at == url {
						d, _ := o.Text("sha256")
						delete(parts, d)
						continue
					}
					left = append(left, r)
				}
				require.Len(t, left, 3)
				m.Set("resources", left)
			})
		}
	}
	replaced := func(url string, edit func(string) string) func(*testing.T, *country, []byte) []byte {
		return func(t *testing.T, c *country, file []byte) []byte {
			return forge(t, file, func(m *strictjson.Object, parts map[string]string) {
				list, _ := m.Get("resources")
				for _, r := range list.([]any) {
					o := r.(*strictjson.Object)
					if at, _ := o.Text("url"); at == url {
						d, _ := o.Text("sha256")
						delete(parts, d)
						put(o, parts, []byte(edit(c.pages[url].body)))
					}
				}
			})
		}
	}
	swapped := func(old, replacement string) func(string) string {
		return func(s string) string {
			require.Contains(t, s, old)
			return strings.Replace(s, old, replacement, 1)
		}
	}
	otherKey := func(host string) func(string) string {
		return func(string) string {
			id, err := didweb.New(host)
			require.NoError(t, err)
			return webDocument(t, id, named(t, "Nettle Styx"))
		}
	}
	for name, c := range map[string]struct {
		before func(*testing.T, *country)                // what is on the web when the bundle is made
		file   func(*testing.T, *country, []byte) []byte // what a maker that lies makes of it
		after  time.Duration
		want   []error
	}{
		"all there":      {},
		"two days later": {after: 2 * day},
		"revoked":        {before: func(t *testing.T, c *country) { c.publishStatus(t, true) }, want: []error{verify.ErrRevoked}},
		"removed":        {before: func(t *testing.T, c *country) { c.publishList(t, 2, func(l *trust.List) { l.Organisations = nil }) }, want: []error{verify.ErrUntrusted, trust.ErrNotRegistered}},
		"registration ended": {before: func(t *testing.T, c *country) {
			c.publishList(t, 2, func(l *trust.List) { l.Organisations[0].Until = noon.Add(-day) })
		}, want: []error{verify.ErrUntrusted, trust.ErrNotInForce}},
		"issuer's document absent":   {file: without(employerPage), want: []error{verify.ErrUnavailable, bundle.ErrAbsent}},
		"authority's absent":         {file: without(registerPage), want: []error{verify.ErrUnavailable, trust.ErrNoList}},
		"list absent":                {file: without(listURL), want: []error{verify.ErrUnavailable, trust.ErrNoList}},
		"status absent":              {file: without(statusURL), want: []error{verify.ErrStatusUnavailable, verify.ErrUnavailable}},
		"status list out of date":    {after: 2*day + time.Second, want: []error{verify.ErrStatusUnavailable, verify.ErrUnavailable}},
		"trust list out of date":     {after: 5*day + time.Second, want: []error{verify.ErrUnavailable, trust.ErrNoList}},
		"bundle out of date":         {after: 7*day + time.Second, want: []error{verify.ErrUnavailable, bundle.ErrStale}},
		"issuer's key changed":       {file: replaced(employerPage, otherKey("alder-valley.example")), want: []error{verify.ErrProof}},
		"issuer's document anothers": {file: replaced(employerPage, otherKey("register.example")), want: []error{verify.ErrKeyNotFound}},
		"authority's key changed":    {file: replaced(registerPage, otherKey("register.example")), want: []error{verify.ErrUnavailable, trust.ErrNoList}},
		"list changed":               {file: replaced(listURL, func(s string) string { return s[:40] + "A" + s[41:] }), want: []error{verify.ErrUnavailable, trust.ErrNoList}},
		"list re-signed":             {file: replaced(listURL, resign(t)), want: []error{verify.ErrUnavailable, trust.ErrNoList}},
		"status changed":             {file: replaced(statusURL, swapped(`"validUntil":"2026-10-07`, `"validUntil":"2027-10-07`)), want: []error{verify.ErrStatusList}},
		"status no list":             {file: replaced(statusURL, func(string) string { return "{}" }), want: []error{verify.ErrStatusList}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			land := newCountry(t)
			if c.before != nil {
				c.before(t, land)
			}
			file := land.pack(t)
			if c.file != nil {
				file = c.file(t, land, file)
			}
			now := newClock()
			b := open(t, file, func(p *bundle.Policy) { p.Now = now.now })
			contexts, err := b.Contexts()
			require.NoError(t, err)
			now.set(noon.Add(c.after))
			land.asked = nil

			err = land.verifyWith(t, b, contexts, now.now)
			require.Empty(t, land.asked, "nothing left the machine")
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			for _, want := range c.want {
				require.ErrorIs(t, err, want)
			}
		})
	}
}

// resign signs a list with a stranger's key, under the authority's name.
func resign(t testing.TB) func(string) string {
	return func(token string) string {
		claims, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
		require.NoError(t, err)
		head := strings.Split(token, ".")[0]
		input := head + "." + base64.RawURLEncoding.EncodeToString(claims)
		signature, err := named(t, "Nettle Styx").signer.Sign(t.Context(), []byte(input))
		require.NoError(t, err)
		return input + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
}

// TestOffline_SameAsOnline: the bundle answers what the web answered.
func TestOffline_SameAsOnline(t *testing.T) {
	t.Parallel()
	land := newCountry(t)
	now := newClock()
	require.NoError(t, land.verifyWith(t, land.web, schema.Contexts(), now.now))
	b := open(t, land.pack(t))
	require.Len(t, b.Contents().Resources, 4)
	for _, r := range b.Contents().Resources {
		body, mediaType, err := b.Get(t.Context(), r.URL)
		require.NoError(t, err)
		require.Equal(t, land.pages[r.URL], page{mediaType, string(body)})
	}
}

// TestOffline_Rollback: a registry that saw a later list takes none from an older bundle,
// and a host that notes when its bundles were made takes no older one.
func TestOffline_Rollback(t *testing.T) {
	t.Parallel()
	land := newCountry(t)
	old := open(t, land.pack(t))
	land.publishList(t, 2, func(l *trust.List) { l.Organisations = nil })
	later := newClock()
	later.set(noon.Add(time.Hour))
	fresh := open(t, land.pack(t, func(p *bundle.Plan) { p.Now = later.now }), func(p *bundle.Policy) { p.Now = later.now })

	registry := func(client did.Getter, store trust.Store) *trust.Registry {
		r, err := trust.Open(t.Context(), trust.Config{
			Authority: land.authority.id, Resolver: universal.New(universal.Config{Client: client, Now: later.now}),
			Client: client, URL: listURL, Now: later.now, Store: store,
		})
		require.NoError(t, err)
		return r
	}
	store := trust.File(t.TempDir() + "/list")
	require.NoError(t, registry(fresh, store).Update(t.Context()))
	r := registry(old, store)
	require.ErrorIs(t, r.Update(t.Context()), trust.ErrRollback)
	require.ErrorIs(t, r.Trusted(t.Context(), land.employer.id, []string{schema.Type}, noon), trust.ErrNotRegistered)

	_, err := bundle.Open(t.Context(), land.pack(t), policy(t, func(p *bundle.Policy) { p.NotBefore = fresh.Made() }))
	require.ErrorIs(t, err, bundle.ErrRollback)
}

// TestOffline_WebVH: a DID whose document rests on two files, one of which is not there.
func TestOffline_WebVH(t *testing.T) {
	t.Parallel()
	p := named(t, "Alder Valley")
	update, err := didwebvh.UpdateKey(named(t, "Alder Valley, update").key)
	require.NoError(t, err)
	log, err := didwebvh.Create(t.Context(), didwebvh.Options{
		Domain: "alder-valley.example", Key: update, Now: newClock().now,
		Document: func(id did.DID) (*did.Document, error) {
			m, err := did.NewVerificationMethod(id.URL("key-1"), p.public, did.AssertionMethod)
			if err != nil {
				return nil, err
			}
			return did.NewDocument(id, []*did.VerificationMethod{m}, nil)
		},
	})
	require.NoError(t, err)
	logURL, witnessURL, err := didwebvh.URL(log.DID())
	require.NoError(t, err)
	w := small()
	w.put(logURL, "text/jsonl", string(log.JSONL()))
	resolver := func(c did.Getter) did.Resolver {
		return universal.New(universal.Config{Client: c, Now: newClock().now})
	}
	b := open(t, build(t, plan(t, w, func(p *bundle.Plan) { p.DIDs, p.Resolver = []did.DID{log.DID()}, resolver })))

	res, err := resolver(b).Resolve(t.Context(), log.DID(), did.Version{})
	require.NoError(t, err)
	require.Equal(t, log.DID(), res.Document.ID())
	_, _, err = b.Get(t.Context(), witnessURL)
	require.Error(t, err)
}
