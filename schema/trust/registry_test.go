package trust_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A getter answers from memory.
type getter struct {
	mu     sync.Mutex
	answer vc.Secured
	err    error
	asked  []string
	accept []string
}

func (g *getter) Get(_ context.Context, url string, accept ...string) ([]byte, string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked, g.accept = append(g.asked, url), accept
	return g.answer.Bytes, g.answer.MediaType, g.err
}

func (g *getter) serve(s vc.Secured, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answer, g.err = s, err
}

func TestRegistry_Trusted(t *testing.T) {
	t.Parallel()
	r := with(t, edition(t, 1, func(l *trust.List) {
		l.ValidUntil = noon.Add(60 * day)
		l.Organisations[0].Issues = append(l.Organisations[0].Issues, vc.TypeCredential)
	}))
	passport := []string{vc.TypeCredential, schema.Type}
	for name, c := range map[string]struct {
		who      party
		types    []string
		at       time.Time
		receives bool
		want     error
	}{
		"issues a passport":               {employer(t), passport, noon, false, nil},
		"issues another type":             {employer(t), []string{vc.TypeCredential, coreSkill}, noon, false, nil},
		"issues two types in one":         {employer(t), []string{vc.TypeCredential, schema.Type, coreSkill}, noon, false, nil},
		"issues one without a type":       {employer(t), []string{vc.TypeCredential}, noon, false, nil},
		"issues one with no types at all": {employer(t), nil, noon, false, nil},
		"type in the first place":         {employer(t), []string{schema.Type, vc.TypeCredential}, noon, false, nil},
		"at its beginning":                {employer(t), passport, noon.Add(-30 * day), false, nil},
		"receives":                        {host(t), passport, noon, true, nil},
		"receives at its end":             {host(t), passport, noon.Add(30 * day), true, nil},
		"stranger":                        {stranger(t), passport, noon, false, trust.ErrNotRegistered},
		"stranger receives":               {stranger(t), passport, noon, true, trust.ErrNotRegistered},
		"authority itself":                {authority(t), passport, noon, false, trust.ErrNotRegistered},
		"one who only receives":           {host(t), passport, noon, false, trust.ErrNotForType},
		"one who only receives, no type":  {host(t), nil, noon, false, trust.ErrNotForType},
		"receives another type":           {host(t), []string{vc.TypeCredential, coreSkill}, noon, true, trust.ErrNotForType},
		"type not listed":                 {employer(t), []string{vc.TypeCredential, "LicenceCredential"}, noon, false, trust.ErrNotForType},
		"one of two types not listed":     {employer(t), append(slices.Clone(passport), "LicenceCredential"), noon, false, trust.ErrNotForType},
		"type in other letters":           {employer(t), []string{strings.ToLower(schema.Type)}, noon, false, trust.ErrNotForType},
		"receives without a type":         {host(t), []string{vc.TypeCredential}, noon, true, trust.ErrNotForType},
		"before its beginning":            {employer(t), passport, noon.Add(-30*day - time.Second), false, trust.ErrNotInForce},
		"after its end":                   {host(t), passport, noon.Add(30*day + time.Second), true, trust.ErrNotInForce},
		"after the list's end":            {employer(t), passport, noon.Add(60*day + time.Second), false, trust.ErrStale},
		"stranger after the list's end":   {stranger(t), passport, noon.Add(60*day + time.Second), false, trust.ErrStale},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ask := r.Trusted
			if c.receives {
				ask = r.MayReceive
			}
			err := ask(t.Context(), c.who.id, c.types, c.at)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
			require.Equal(t, c.want != trust.ErrStale, errors.Is(err, verify.ErrUntrusted))
		})
	}
}

func TestRegistry_NoList(t *testing.T) {
	t.Parallel()
	r := open(t)
	require.ErrorIs(t, r.Usable(noon), trust.ErrNoList)
	for _, err := range []error{
		r.Trusted(t.Context(), employer(t).id, nil, noon), r.MayReceive(t.Context(), employer(t).id, nil, noon),
	} {
		require.ErrorIs(t, err, trust.ErrNoList)
		require.NotErrorIs(t, err, verify.ErrUntrusted)
	}
	_, known := r.Age(noon)
	require.False(t, known)
	_, known = r.Organisation(employer(t).id)
	require.False(t, known)
	require.Nil(t, r.List())
	require.Zero(t, r.Checked())
}

func TestRegistry_Age(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		maxAge, after time.Duration // the list was issued an hour ago
		want          error
	}{
		"no limit":           {0, 7 * day, nil},
		"no limit, past":     {0, 7*day + time.Second, trust.ErrStale},
		"at the limit":       {2 * time.Hour, time.Hour, nil},
		"past the limit":     {2 * time.Hour, time.Hour + time.Second, trust.ErrStale},
		"long limit":         {30 * day, 7 * day, nil},
		"long limit, past":   {30 * day, 7*day + time.Second, trust.ErrStale},
		"before the list":    {2 * time.Hour, -20 * day, nil},
		"too old from first": {time.Minute, 0, trust.ErrStale},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, func(o *trust.Config) { o.MaxAge = c.maxAge })
			require.NoError(t, r.Accept(t.Context(), edition(t, 1)))
			at := noon.Add(c.after)
			age, known := r.Age(at)
			require.True(t, known)
			require.Equal(t, c.after+time.Hour, age)
			require.Equal(t, noon, r.Checked())
			err := r.Trusted(t.Context(), employer(t).id, []string{schema.Type}, at)
			if c.want == nil {
				require.NoError(t, err)
				require.NoError(t, r.Usable(at))
				return
			}
			require.ErrorIs(t, err, c.want)
			require.ErrorIs(t, r.Usable(at), c.want)
			o, known := r.Organisation(employer(t).id)
			require.True(t, known, "an old list still names")
			require.Equal(t, "Alder Valley Hospitals", o.Name)
		})
	}
}

func TestRegistry_Cancelled(t *testing.T) {
	t.Parallel()
	r := with(t, edition(t, 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := r.Trusted(ctx, employer(t).id, []string{schema.Type}, noon)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, verify.ErrUntrusted)
}

// TestRegistry_EveryFormat: a list signed in each way is accepted, and each of its
// fields is covered by the signature.
func TestRegistry_EveryFormat(t *testing.T) {
	t.Parallel()
	for name, s := range securers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := draft(t, 1)
			l.Authority = s.by.id
			signed := secure(t, s, credential(t, l))
			pinned := func(c *trust.Config) { c.Authority = s.by.id }
			r := open(t, pinned)
			require.NoError(t, r.Accept(t.Context(), signed))
			require.Equal(t, l, r.List())
			require.NoError(t, r.Trusted(t.Context(), employer(t).id, []string{schema.Type}, noon))

			other := open(t) // pinned to another key of the same office, or the same
			err := other.Accept(t.Context(), signed)
			require.Equal(t, s.by.id == authority(t).id, err == nil, "%v", err)

			for i := 0; i < len(signed.Bytes); i += 7 * vectors.Step(t, "bytes", 10) { // each would take a while
				changed := vc.Secured{MediaType: signed.MediaType, Bytes: slices.Clone(signed.Bytes)}
				changed.Bytes[i] ^= 1
				r := open(t, pinned)
				require.Error(t, r.Accept(t.Context(), changed), "byte %d", i)
				require.Nil(t, r.List())
			}
		})
	}
}

// TestRegistry_EveryFieldIsSigned changes each value of a list in turn.
func TestRegistry_EveryFieldIsSigned(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(l *trust.List){
		"number":      func(l *trust.List) { l.Sequence++ },
		"end":         func(l *trust.List) { l.ValidUntil = l.ValidUntil.Add(day) },
		"start":       func(l *trust.List) { l.Issued = l.Issued.Add(time.Minute) },
		"ODS":         func(l *trust.List) { l.Organisations[0].ODS = "RXX" },
		"name":        func(l *trust.List) { l.Organisations[0].Name = "Nettle Hospital" },
		"DID":         func(l *trust.List) { l.Organisations[0].DIDs[0] = stranger(t).id },
		"another DID": func(l *trust.List) { l.Organisations[0].DIDs = append(l.Organisations[0].DIDs, stranger(t).id) },
		"issues":      func(l *trust.List) { l.Organisations[0].Issues[0] = "LicenceCredential" },
		"receives":    func(l *trust.List) { l.Organisations[1].Receives[0] = "LicenceCredential" },
		"from":        func(l *trust.List) { l.Organisations[0].From = noon.Add(-60 * day) },
		"until":       func(l *trust.List) { l.Organisations[1].Until = time.Time{} },
		"office":      func(l *trust.List) { l.Organisations[0].RegisteredBy = "Porter" },
		"removed":     func(l *trust.List) { l.Organisations = l.Organisations[:1] },
		"added":       func(l *trust.List) { l.Organisations = append(l.Organisations, organisation(t, 1)) },
		"succession":  succeeded(handover(t, authority(t), stranger(t), 0)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			honest, err := strictjson.ParseObject(edition(t, 1).Bytes)
			require.NoError(t, err)
			l := draft(t, 1)
			change(l)
			forged, err := credential(t, l).Object()
			require.NoError(t, err)
			proof, _ := honest.Get("proof")
			forged.Set("proof", proof)
			b, err := strictjson.Append(nil, forged)
			require.NoError(t, err)
			r := open(t)
			err = r.Accept(t.Context(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: b})
			require.True(t, errors.Is(err, verify.ErrProof) || errors.Is(err, trust.ErrAuthority), "%v", err)
			require.Nil(t, r.List())
		})
	}
}

func TestRegistry_AcceptRefused(t *testing.T) {
	t.Parallel()
	impostor := func(l *trust.List) vc.Secured { // signs what names the authority
		c := credential(t, l)
		issuer := c.Issuer
		c.Issuer.ID = stranger(t).id.String()
		signed, err := strictjson.ParseObject(sign(t, stranger(t), c).Bytes)
		require.NoError(t, err)
		signed.Set("issuer", issuer.ID)
		b, err := strictjson.Append(nil, signed)
		require.NoError(t, err)
		return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: b}
	}
	unsigned, err := credential(t, draft(t, 1)).MarshalJSON()
	require.NoError(t, err)
	good := edition(t, 1)
	another := func(c *vc.Credential) vc.Secured {
		s := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: authority(t).signer, Now: newClock().now,
			Contexts: must(vc.NewContextSet(map[string][]byte{trust.ContextURL: trust.ContextDocument()}, vc.Contexts(trust.ContextURL), vc.Contexts()))}
		return secure(t, s, c)
	}
	for name, c := range map[string]struct {
		list vc.Secured
		want error
	}{
		"nothing":            {vc.Secured{}, trust.ErrList},
		"no bytes":           {vc.Secured{MediaType: vc.MediaTypeCredential}, trust.ErrList},
		"no JSON":            {vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte("<html>")}, trust.ErrList},
		"no credential":      {vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte("{}")}, trust.ErrList},
		"no token":           {vc.Secured{MediaType: "application/vc+jwt", Bytes: good.Bytes}, trust.ErrList},
		"no message":         {vc.Secured{MediaType: "application/vc+cose", Bytes: good.Bytes}, trust.ErrList},
		"another media type": {vc.Secured{MediaType: "application/json", Bytes: good.Bytes}, trust.ErrList},
		"an SD-JWT":          {vc.Secured{MediaType: sdjwt.MediaTypeCredential, Bytes: good.Bytes}, trust.ErrList},
		"duplicate members":  {vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: bytes.Replace(good.Bytes, []byte(`"sequence":1`), []byte(`"sequence":1,"sequence":2`), 1)}, trust.ErrList},
		"unsigned":           {vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: unsigned}, verify.ErrNoProof},
		"by a stranger":      {editionBy(t, stranger(t), 1), trust.ErrAuthority},
		"by an organisation": {editionBy(t, employer(t), 1), trust.ErrAuthority},
		"by an impostor":     {impostor(draft(t, 1)), verify.ErrControllerMismatch},
		"ended": {edition(t, 1, func(l *trust.List) {
			l.Issued, l.ValidUntil = noon.Add(-2*day), noon.Add(-time.Second)
		}), trust.ErrStale},
		"from the future": {edition(t, 1, func(l *trust.List) { l.Issued = noon.Add(5*time.Minute + time.Second) }), verify.ErrNotYetValid},
		"another type": {another(func() *vc.Credential {
			c := credential(t, draft(t, 1))
			c.Type[1] = schema.Type
			return c
		}()), trust.ErrList},
		"without the context": {another(func() *vc.Credential {
			c := credential(t, draft(t, 1))
			c.Context = vc.Contexts()
			return c
		}()), trust.ErrList},
		"with a status": {another(func() *vc.Credential {
			c := credential(t, draft(t, 1))
			c.Status = []vc.Status{{Type: []string{"BitstringStatusListEntry"}}}
			return c
		}()), verify.ErrStatusUnsupported},
		"a succession": {handover(t, authority(t), successor(t), 1), trust.ErrList},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			err := r.Accept(t.Context(), c.list)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, 1, strings.Count(err.Error(), "trust: "), err.Error())
			require.NotContains(t, err.Error(), "did:key")
			require.NotContains(t, err.Error(), "example")
			require.NotContains(t, err.Error(), "Alder")
			require.ErrorIs(t, r.Usable(noon), trust.ErrNoList)

			r = with(t, good) // and what was there stays
			require.Error(t, r.Accept(t.Context(), c.list))
			require.NoError(t, r.Usable(noon))
			require.Equal(t, uint64(1), r.List().Sequence)
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestRegistry_Skew: the authority's clock may be five minutes ahead.
func TestRegistry_Skew(t *testing.T) {
	t.Parallel()
	r := with(t, edition(t, 1, func(l *trust.List) { l.Issued = noon.Add(5 * time.Minute) }))
	require.NoError(t, r.Trusted(t.Context(), employer(t).id, []string{schema.Type}, noon))
}

func TestRegistry_Rollback(t *testing.T) {
	t.Parallel()
	removed := func(l *trust.List) { l.Organisations = l.Organisations[1:] }
	for name, c := range map[string]struct {
		first, then vc.Secured
		want        error
	}{
		"the next":                {edition(t, 1), edition(t, 2), nil},
		"one much later":          {edition(t, 1), edition(t, 900), nil},
		"the same again":          {edition(t, 3), edition(t, 3), nil},
		"the one before":          {edition(t, 3), edition(t, 2), trust.ErrRollback},
		"with the removed one":    {edition(t, 3, removed), edition(t, 2), trust.ErrRollback},
		"same number, other list": {edition(t, 3, removed), edition(t, 3), trust.ErrRollback},
		"same number, other end":  {edition(t, 3), edition(t, 3, func(l *trust.List) { l.ValidUntil = noon.Add(30 * day) }), trust.ErrRollback},
		"later, issued earlier":   {edition(t, 3), edition(t, 4, func(l *trust.List) { l.Issued = noon.Add(-2 * time.Hour) }), trust.ErrRollback},
		"of another register":     {edition(t, 3), edition(t, 4, func(l *trust.List) { l.ID = "https://register.example/volunteers" }), trust.ErrAuthority},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := with(t, c.first)
			before := r.List()
			err := r.Accept(t.Context(), c.then)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
			require.NotErrorIs(t, err, did.ErrUnavailable)
			require.Equal(t, before, r.List())
		})
	}
}

// TestRegistry_SameListInAnotherSignature: an authority signs an edition once.
func TestRegistry_SameListInAnotherSignature(t *testing.T) {
	t.Parallel()
	by := p256(t, "Severn Register Office")
	l := draft(t, 1)
	l.Authority = by.id
	s := &dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: by.signer, Contexts: trust.Contexts(), Now: newClock().now}
	r := open(t, func(c *trust.Config) { c.Authority = by.id })
	require.NoError(t, r.Accept(t.Context(), secure(t, s, credential(t, l))))
	require.ErrorIs(t, r.Accept(t.Context(), secure(t, s, credential(t, l))), trust.ErrRollback)
}

func TestRegistry_PinnedRegister(t *testing.T) {
	t.Parallel()
	r := open(t, func(c *trust.Config) { c.ID = "https://register.example/volunteers" })
	require.ErrorIs(t, r.Accept(t.Context(), edition(t, 1)), trust.ErrAuthority)
	r = open(t, func(c *trust.Config) { c.ID = register })
	require.NoError(t, r.Accept(t.Context(), edition(t, 1)))
}

func TestRegistry_Update(t *testing.T) {
	t.Parallel()
	g := &getter{}
	c := newClock()
	r := open(t, func(o *trust.Config) { o.Client, o.URL, o.Now = g, register, c.now })
	g.serve(edition(t, 1), nil)
	require.NoError(t, r.Update(t.Context()))
	require.Equal(t, []string{register}, g.asked)
	require.Equal(t, []string{"application/vc", "application/vc+jwt", "application/vc+cose", "application/json"}, g.accept)

	c.set(noon.Add(time.Hour))
	require.NoError(t, r.Update(t.Context()), "nothing changed")
	require.Equal(t, noon.Add(time.Hour), r.Checked())

	for name, err := range map[string]error{
		"unavailable": fmt.Errorf("%w: gone fishing", did.ErrUnavailable),
		"not found":   did.ErrNotFound,
		"cancelled":   context.Canceled,
	} {
		g.serve(vc.Secured{}, err)
		require.ErrorIs(t, r.Update(t.Context()), err, name)
		require.NoError(t, r.Trusted(t.Context(), employer(t).id, []string{schema.Type}, c.now()), "goes on with what it has")
		require.Equal(t, noon.Add(time.Hour), r.Checked())
	}
	g.serve(edition(t, 2, func(l *trust.List) { l.Organisations = l.Organisations[1:] }), nil)
	require.NoError(t, r.Update(t.Context()))
	require.ErrorIs(t, r.Trusted(t.Context(), employer(t).id, []string{schema.Type}, c.now()), trust.ErrNotRegistered)
}

func TestRegistry_UpdateHTML(t *testing.T) {
	t.Parallel()
	g := &getter{answer: vc.Secured{MediaType: "text/html", Bytes: edition(t, 1).Bytes}}
	r := open(t, func(o *trust.Config) { o.Client, o.URL = g, register })
	require.ErrorIs(t, r.Update(t.Context()), trust.ErrList)
}

func TestRegistry_UpdatePlainJSON(t *testing.T) {
	t.Parallel()
	g := &getter{answer: vc.Secured{MediaType: "application/json", Bytes: edition(t, 1).Bytes}}
	r := open(t, func(o *trust.Config) { o.Client, o.URL = g, register })
	require.NoError(t, r.Update(t.Context()))
	forged := bytes.Replace(g.answer.Bytes, []byte("RAV"), []byte("RXX"), 1)
	g.serve(vc.Secured{MediaType: "application/json", Bytes: forged}, nil)
	require.ErrorIs(t, r.Update(t.Context()), verify.ErrProof)
}

// A resolver that answers with an error.
type broken struct{ err error }

func (b broken) Resolve(context.Context, did.DID, did.Version) (*did.Resolution, error) {
	return nil, b.err
}

// TestRegistry_AuthorityUnresolved: whether the list is genuine could not be told.
func TestRegistry_AuthorityUnresolved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ err, want error }{
		"unavailable": {did.ErrUnavailable, verify.ErrUnavailable},
		"other":       {errors.New("disk on fire"), verify.ErrUnavailable},
		"not found":   {did.ErrNotFound, verify.ErrKeyNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, func(o *trust.Config) { o.Resolver = broken{c.err} })
			err := r.Accept(t.Context(), edition(t, 1))
			require.ErrorIs(t, err, c.want)
			require.NotErrorIs(t, err, trust.ErrAuthority)
		})
	}
}

// Only authorities are resolved: not whoever a file names.
func TestRegistry_ResolvesNobodyElse(t *testing.T) {
	t.Parallel()
	asked := &listening{Resolver: didkey.Resolver{}}
	r := open(t, func(o *trust.Config) { o.Resolver = asked })
	for _, s := range []vc.Secured{
		editionBy(t, stranger(t), 1),
		editionBy(t, stranger(t), 1, succeeded(handover(t, stranger(t), employer(t), 0))),
		edition(t, 1, func(l *trust.List) { l.Organisations = nil }),
		edition(t, 2, succeeded(handover(t, stranger(t), employer(t), 0))),
	} {
		_ = r.Accept(t.Context(), s)
	}
	require.Equal(t, []did.DID{authority(t).id, authority(t).id}, asked.ids)
}

type listening struct {
	did.Resolver
	mu  sync.Mutex
	ids []did.DID
}

func (l *listening) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	l.mu.Lock()
	l.ids = append(l.ids, id)
	l.mu.Unlock()
	return l.Resolver.Resolve(ctx, id, at)
}

func TestOpen_Config(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]trust.Config{
		"nothing":      {},
		"no authority": {Resolver: didkey.Resolver{}},
		"no resolver":  {Authority: authority(t).id},
		"negative age": {Authority: authority(t).id, Resolver: didkey.Resolver{}, MaxAge: -1},
	} {
		_, err := trust.Open(t.Context(), c)
		require.ErrorIs(t, err, trust.ErrConfig, name)
	}
	require.ErrorIs(t, open(t).Update(t.Context()), trust.ErrConfig)
	require.ErrorIs(t, open(t, func(c *trust.Config) { c.Client = &getter{} }).Update(t.Context()), trust.ErrConfig)
	_, err := trust.Open(t.Context(), trust.Config{Authority: authority(t).id, Resolver: didkey.Resolver{}})
	require.NoError(t, err, "the clock has a default")
}

// TestRegistry_Concurrent is for the race detector.
func TestRegistry_Concurrent(t *testing.T) {
	t.Parallel()
	r := with(t, edition(t, 1))
	editions := make([]vc.Secured, 8)
	for i := range editions {
		editions[i] = edition(t, uint64(i+2))
	}
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			for j := range editions {
				_ = r.Accept(t.Context(), editions[(i+j)%len(editions)])
			}
		})
		wait.Go(func() {
			for range 200 {
				if r.Trusted(t.Context(), employer(t).id, []string{schema.Type}, noon) != nil || r.List() == nil {
					t.Error("no answer")
				}
			}
		})
	}
	wait.Wait()
	require.Equal(t, uint64(9), r.List().Sequence)
}

// TestRegistry_Verifier joins a registry to a verifier, with a passport of each kind.
func TestRegistry_Verifier(t *testing.T) {
	t.Parallel()
	passport := func(by party) vc.Secured {
		p, _ := schema.Sample()
		c, err := p.Credential(schema.Terms{Issuer: by.id, Holder: named(t, "Rowan Tamar").id, ValidFrom: noon.Add(-time.Hour)})
		require.NoError(t, err)
		return secure(t, &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: by.signer, Contexts: schema.Contexts(), Now: newClock().now}, c)
	}
	for name, c := range map[string]struct {
		registry *trust.Registry
		by       party
		want     []error
		not      error
	}{
		"registered":     {with(t, edition(t, 1)), employer(t), nil, nil},
		"not registered": {with(t, edition(t, 1)), stranger(t), []error{verify.ErrUntrusted, trust.ErrNotRegistered}, verify.ErrUnavailable},
		"only receives":  {with(t, edition(t, 1)), host(t), []error{verify.ErrUntrusted, trust.ErrNotForType}, verify.ErrUnavailable},
		"removed":        {with(t, edition(t, 1), edition(t, 2, func(l *trust.List) { l.Organisations = l.Organisations[1:] })), employer(t), []error{verify.ErrUntrusted, trust.ErrNotRegistered}, verify.ErrUnavailable},
		"ended":          {with(t, edition(t, 1, func(l *trust.List) { l.Organisations[0].Until = noon.Add(-time.Minute) })), employer(t), []error{verify.ErrUntrusted, trust.ErrNotInForce}, verify.ErrUnavailable},
		"no list":        {open(t), employer(t), []error{verify.ErrUnavailable, trust.ErrNoList}, verify.ErrUntrusted},
		"old list":       {with(t, edition(t, 1, func(l *trust.List) { l.ValidUntil = noon })), employer(t), []error{verify.ErrUnavailable, trust.ErrStale}, verify.ErrUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &verify.Verifier{Resolver: didkey.Resolver{}, Trust: c.registry, Contexts: schema.Contexts(), Now: func() time.Time { return noon.Add(time.Minute) }}
			result, err := v.Credential(t.Context(), passport(c.by))
			if c.want == nil {
				require.NoError(t, err)
				require.NotNil(t, result)
				return
			}
			require.Nil(t, result)
			for _, want := range c.want {
				require.ErrorIs(t, err, want)
			}
			require.NotErrorIs(t, err, c.not)
		})
	}
}
