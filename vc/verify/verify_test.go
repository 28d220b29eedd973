package verify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// list writes results as "index check outcome code" lines.
func list(results []verify.Result) []string {
	out := make([]string, len(results))
	for i, r := range results {
		out[i] = strings.TrimSpace(fmt.Sprintf("%d %s %s %s", r.Index, r.Check, r.Outcome, string(r.Code)))
	}
	return out
}

func TestChecksOfSuccess(t *testing.T) {
	t.Parallel()
	c, err := verifier(t).Credential(context.Background(), issued(t))
	require.NoError(t, err)
	require.Equal(t, []string{
		"-1 format passed", "-1 context passed", "-1 proof passed", "-1 key passed", "-1 signature passed",
		"-1 time passed", "-1 issuer passed", "-1 status passed", "-1 resources passed",
	}, list(c.Checks()))

	v := verifier(t)
	nonces := verify.NewNonces(time.Hour, clockAt(noon))
	v.Replay = nonces
	fresh := nonces.New()
	p, err := v.Presentation(context.Background(), answering(t, fresh, issued(t), issued(t)),
		verify.Session{Audience: host(t).id.String(), Nonce: fresh})
	require.NoError(t, err)
	require.Equal(t, []string{
		"-1 format passed", "-1 context passed", "-1 proof passed", "-1 session passed", "-1 holder passed",
		"-1 key passed", "-1 signature passed", "-1 time passed",
		"0 format passed", "0 context passed", "0 proof passed", "0 key passed", "0 signature passed",
		"0 time passed", "0 holder passed", "0 issuer passed", "0 status passed", "0 resources passed",
		"1 format passed", "1 context passed", "1 proof passed", "1 key passed", "1 signature passed",
		"1 time passed", "1 holder passed", "1 issuer passed", "1 status passed", "1 resources passed",
		"-1 replay passed",
	}, list(p.Checks()))
	require.Len(t, p.Credentials(), 2)
	require.Equal(t, holder(t).id, p.Holder())
	require.Equal(t, list(p.Checks())[8:18], list(p.Credentials()[0].Checks()))
	for _, r := range p.Checks() {
		require.Regexp(t, `^[A-Z].*\.$`, r.Sentence)
	}

	// A caller who keeps nonces elsewhere says so, and so does the list.
	for _, byCaller := range []verify.Replay{verify.NonceUsedOnceByCaller{}, &verify.NonceUsedOnceByCaller{}} {
		v.Replay = byCaller
		p, err = v.Presentation(context.Background(), presented(t, issued(t)), session(t))
		require.NoError(t, err)
		last := p.Checks()[len(p.Checks())-1]
		require.Equal(t, "-1 replay left-to-caller", list(p.Checks())[len(p.Checks())-1])
		require.Contains(t, last.Sentence, "caller")
	}
}

// TestAbuse_DI14_ReplayIsRequired: whoever forgets the replay check gets no
// answer, and what wraps the value of a caller who takes it over is no store.
func TestAbuse_DI14_ReplayIsRequired(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	v.Replay = nil
	requirePresentationCode(t, v, presented(t, issued(t)), verify.ErrConfig)
	_, err := v.Credential(context.Background(), issued(t))
	require.NoError(t, err, "a credential by itself has no nonce")

	v.Replay = struct{ verify.Replay }{verify.NonceUsedOnceByCaller{}}
	requirePresentationCode(t, v, presented(t, issued(t)), verify.ErrUnavailable)
}

// TestChecksOfFailure: up to the signature the first failure ends the matter;
// after it everything wrong is told.
func TestChecksOfFailure(t *testing.T) {
	t.Parallel()
	_, err := verifier(t).Credential(context.Background(), replaced(t, issued(t), "Band 6", "Band 7"))
	var e *verify.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, []string{
		"-1 format passed", "-1 context passed", "-1 proof passed", "-1 key passed", "-1 signature failed proof",
		"-1 time not-run", "-1 issuer not-run", "-1 status not-run", "-1 resources not-run",
	}, list(e.Checks))

	v := verifier(t)
	v.Now = clockAt(noon.AddDate(2, 0, 0))
	v.Trust = verify.TrustedIssuers(nil)
	cred := passport(t)
	cred.Status = []vc.Status{{Type: []string{"BitstringStatusListEntry"}}}
	s, err := issuer(employer(t)).Secure(context.Background(), cred)
	require.NoError(t, err)
	_, err = v.Credential(context.Background(), s)
	require.ErrorAs(t, err, &e)
	require.Equal(t, []string{
		"-1 format passed", "-1 context passed", "-1 proof passed", "-1 key passed", "-1 signature passed",
		"-1 time failed expired", "-1 issuer failed untrusted", "-1 status undecided status-unsupported", "-1 resources passed",
	}, list(e.Checks))
	require.Equal(t, verify.ErrExpired, e.Code)
	require.NotErrorIs(t, err, verify.ErrStatusUnsupported, "what is false is not undecided")

	// What stays undecided comes before what is worth another try.
	v = verifier(t)
	v.Trust = trustFunc(func() error { return errors.New("database is down") })
	_, err = v.Credential(context.Background(), s)
	requireCode(t, err, verify.ErrStatusUnsupported, verify.Whole)

	// Of two credentials the first is undecided and the second forged: forged.
	v = verifier(t)
	_, err = v.Presentation(context.Background(), presented(t, s, replaced(t, issued(t), "Band 6", "Band 7")), session(t))
	requireCode(t, err, verify.ErrProof, 1)
}

// TestJSONOfChecks fixes the names a program stores.
func TestJSONOfChecks(t *testing.T) {
	t.Parallel()
	_, err := verifier(t).Credential(context.Background(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(`{`)})
	var e *verify.Error
	require.ErrorAs(t, err, &e)
	b, err := json.Marshal(e.Checks[:2])
	require.NoError(t, err)
	require.JSONEq(t, `[{"index":-1,"check":"format","outcome":"failed","code":"syntax","sentence":"The document cannot be read."},
		{"index":-1,"check":"context","outcome":"not-run","sentence":"Not reached."}]`, string(b))
}

func TestConfig(t *testing.T) {
	t.Parallel()
	var missing *verify.Verifier
	for name, v := range map[string]*verify.Verifier{
		"nil":         missing,
		"zero":        {},
		"no trust":    {Resolver: didkey.Resolver{}},
		"no resolver": {Trust: verify.AnyIssuerUnsafe{}},
	} {
		c, err := v.Credential(context.Background(), issued(t))
		require.Nil(t, c)
		requireCode(t, err, verify.ErrConfig, verify.Whole, name)
		p, err := v.Presentation(context.Background(), presented(t, issued(t)), session(t))
		require.Nil(t, p)
		requireCode(t, err, verify.ErrConfig, verify.Whole, name)
	}
	c, err := (&verify.Verifier{Resolver: didkey.Resolver{}, Trust: verify.AnyIssuerUnsafe{}}).Credential(context.Background(), vc.Secured{})
	require.Nil(t, c)
	requireCode(t, err, verify.ErrMediaType, verify.Whole)
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	s, p := issued(t), presented(t, issued(t))
	for _, mediaType := range []string{"", "application/json", "application/vp", "application/vp+jwt", "application/vc+ld+json", "Application/VC"} {
		_, err := v.Credential(context.Background(), vc.Secured{MediaType: mediaType, Bytes: s.Bytes})
		requireCode(t, err, verify.ErrMediaType, verify.Whole, mediaType)
	}
	for _, mediaType := range []string{"", "application/vc", "application/vc+jwt"} {
		_, err := v.Presentation(context.Background(), vc.Secured{MediaType: mediaType, Bytes: p.Bytes}, session(t))
		requireCode(t, err, verify.ErrMediaType, verify.Whole, mediaType)
	}
	// A credential where a presentation is due, and the reverse.
	_, err := v.Presentation(context.Background(), vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: s.Bytes}, session(t))
	requireCode(t, err, verify.ErrMalformed, verify.Whole)
	_, err = v.Credential(context.Background(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: p.Bytes})
	requireCode(t, err, verify.ErrMalformed, verify.Whole)

	// Envelopes of formats that this version cannot verify, and envelopes in envelopes.
	for _, inner := range []vc.Secured{
		{MediaType: "application/vp+jwt", Bytes: []byte("eyJ.eyJ.c2ln")},
		{MediaType: "application/unknown", Bytes: []byte("eyJ.eyJ.c2ln")},
		{MediaType: vc.MediaTypePresentation, Bytes: p.Bytes},
	} {
		_, err := v.Presentation(context.Background(), enveloping(t, inner), session(t))
		requireCode(t, err, verify.ErrMediaType, 0)
	}
	twice := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(envelope(s))}
	_, err = v.Credential(context.Background(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(envelope(twice))})
	requireCode(t, err, verify.ErrMalformed, verify.Whole)
	_, err = v.Presentation(context.Background(), enveloping(t, twice), session(t))
	requireCode(t, err, verify.ErrMalformed, 0)
	// An envelope that says more than what it holds.
	loud := strings.Replace(envelope(s), `"type"`, `"credentialSubject":{"a":1},"type"`, 1)
	_, err = v.Credential(context.Background(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(loud)})
	requireCode(t, err, verify.ErrMalformed, verify.Whole)
}

// enveloping is a good presentation of an envelope.
func enveloping(t testing.TB, inner vc.Secured) vc.Secured {
	t.Helper()
	doc := object(t, `{"@context":["`+vc.ContextV2+`"],"type":["VerifiablePresentation"],"verifiableCredential":[`+envelope(inner)+`]}`)
	return signedBy(t, holder(t), doc, session2proof(t), vc.MediaTypePresentation)
}

func TestPresentationOfNothingOrTooMuch(t *testing.T) {
	t.Parallel()
	requirePresentationCode(t, verifier(t), presented(t), verify.ErrMalformed)
	many := make([]vc.Secured, 65)
	small := &vc.Credential{Context: vc.Contexts(), Type: []string{vc.TypeCredential, passportType},
		Issuer: vc.Party{ID: employer(t).id.String()}, Subject: json.RawMessage(`{"id":"` + holder(t).id.String() + `"}`)}
	for i := range many {
		var err error
		many[i], err = issuer(employer(t)).Secure(context.Background(), small)
		require.NoError(t, err)
	}
	requirePresentationCode(t, verifier(t), presented(t, many...), verify.ErrTooLarge)
	p, err := verifier(t).Presentation(context.Background(), presented(t, many[:64]...), session(t))
	require.NoError(t, err)
	require.Len(t, p.Credentials(), 64)
}

func TestProofs(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	for name, c := range map[string]struct {
		change func(doc, proof *strictjson.Object)
		want   verify.Code
	}{
		"one proof twice":   {func(d, p *strictjson.Object) { d.Set("proof", []any{p, p}) }, verify.ErrProofSet},
		"previous missing":  {func(_, p *strictjson.Object) { p.Set("previousProof", "urn:a") }, verify.ErrProofSet},
		"no object":         {func(d, _ *strictjson.Object) { d.Set("proof", "z1") }, verify.ErrProofMalformed},
		"other type":        {func(_, p *strictjson.Object) { p.Set("type", "Ed25519Signature2020") }, verify.ErrSuite},
		"unknown suite":     {func(_, p *strictjson.Object) { p.Set("cryptosuite", "eddsa-none-2022") }, verify.ErrSuite},
		"another suite":     {func(_, p *strictjson.Object) { p.Set("cryptosuite", "eddsa-rdfc-2022") }, verify.ErrProof},
		"suite of others":   {func(_, p *strictjson.Object) { p.Set("cryptosuite", "ecdsa-rdfc-2019") }, verify.ErrSuite},
		"suite in capitals": {func(_, p *strictjson.Object) { p.Set("cryptosuite", "EDDSA-JCS-2022") }, verify.ErrSuite},
		"no suite":          {func(_, p *strictjson.Object) { p.Delete("cryptosuite") }, verify.ErrProofMalformed},
		"no method":         {func(_, p *strictjson.Object) { p.Delete("verificationMethod") }, verify.ErrProofMalformed},
		"method no DID":     {func(_, p *strictjson.Object) { p.Set("verificationMethod", "https://a.example/#k") }, verify.ErrProofMalformed},
		"no value":          {func(_, p *strictjson.Object) { p.Delete("proofValue") }, verify.ErrProofMalformed},
		"base64 value":      {func(_, p *strictjson.Object) { p.Set("proofValue", "uAAAA") }, verify.ErrProofMalformed},
		"bad created":       {func(_, p *strictjson.Object) { p.Set("created", "2026") }, verify.ErrProofMalformed},
		"other context":     {func(_, p *strictjson.Object) { p.Set("@context", []any{"https://evil.example/"}) }, verify.ErrContextNotAllowed},
		"no context":        {func(_, p *strictjson.Object) { p.Delete("@context") }, verify.ErrProof},
		"more in the proof": {func(_, p *strictjson.Object) { p.Set("nonce", "n") }, verify.ErrProof},
	} {
		o := tree(t, issued(t))
		proof, _ := bytesOf(t, o)
		o.Set("proof", proof)
		c.change(o, proof)
		for _, e := range entries() {
			_, err := e.run(t, v, text(t, o, vc.MediaTypeCredential))
			requireCode(t, err, c.want, e.index, "%s: %s", name, e.name)
		}
	}
	one := tree(t, issued(t))
	proof, _ := bytesOf(t, one)
	one.Set("proof", []any{proof})
	_, err := v.Credential(context.Background(), text(t, one, vc.MediaTypeCredential))
	require.NoError(t, err, "a set of one")
}

func TestResolverErrors(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for name, c := range map[string]struct {
		err  error
		want verify.Code
	}{
		"not found":      {did.ErrNotFound, verify.ErrKeyNotFound},
		"invalid":        {did.ErrInvalid, verify.ErrKeyNotFound},
		"unsupported":    {fmt.Errorf("x: %w", did.ErrUnsupported), verify.ErrKeyNotFound},
		"unavailable":    {fmt.Errorf("x: %w", did.ErrUnavailable), verify.ErrUnavailable},
		"deadline":       {context.DeadlineExceeded, verify.ErrUnavailable},
		"anything":       {errors.New("broken pipe"), verify.ErrUnavailable},
		"neither":        {nil, verify.ErrUnavailable},
		"context ending": {canceled.Err(), verify.ErrUnavailable},
	} {
		v := verifier(t)
		v.Resolver = resolverFunc(func(id did.DID) (*did.Resolution, error) {
			if id == employer(t).id {
				return nil, c.err
			}
			return didkey.Resolver{}.Resolve(context.Background(), id, did.Version{})
		})
		for _, e := range entries() {
			got, err := e.run(t, v, issued(t))
			require.Nil(t, got)
			x := requireCode(t, err, c.want, e.index, name)
			require.Equal(t, verify.CheckKey, x.Check)
			if c.err != nil {
				require.ErrorIs(t, err, c.err, "the cause can be matched")
			}
			if c.want == verify.ErrUnavailable {
				require.NotErrorIs(t, err, verify.ErrProof)
			}
		}
	}
	_, err := verifier(t).Credential(canceled, issued(t))
	requireCode(t, err, verify.ErrUnavailable, verify.Whole)
}

// TestKeys: what a DID document says of a key is obeyed.
func TestKeys(t *testing.T) {
	t.Parallel()
	id := parse(t, "did:example:riverside")
	_, multikey, _ := strings.Cut(employer(t).id.String(), "did:key:")
	doc := tree(t, issued(t))
	doc.Delete("proof")
	doc.Set("issuer", id.String())
	s := signedBy(t, employer(t), doc, dataintegrity.Proof{VerificationMethod: id.URL("k"), Purpose: did.AssertionMethod}, vc.MediaTypeCredential)

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p256, err := did.Multikey(key.Public())
	require.NoError(t, err)
	for name, c := range map[string]struct {
		method, relationship string
		deactivated          bool
		want                 verify.Code // "" is accepted
	}{
		"good":                 {method: `"type":"Multikey","publicKeyMultibase":"` + multikey + `"`, relationship: "assertionMethod"},
		"other relationship":   {method: `"type":"Multikey","publicKeyMultibase":"` + multikey + `"`, relationship: "authentication", want: verify.ErrKeyNotAuthorised},
		"no relationship":      {method: `"type":"Multikey","publicKeyMultibase":"` + multikey + `"`, relationship: "service", want: verify.ErrKeyNotAuthorised},
		"another key":          {method: `"type":"Multikey","publicKeyMultibase":"` + strings.TrimPrefix(stranger(t).id.String(), "did:key:") + `"`, relationship: "assertionMethod", want: verify.ErrProof},
		"another kind of key":  {method: `"type":"Multikey","publicKeyMultibase":"` + p256 + `"`, relationship: "assertionMethod", want: verify.ErrSuite},
		"unknown kind of key":  {method: `"type":"FutureKey","publicKeyFuture":"x"`, relationship: "assertionMethod", want: verify.ErrKeyNotFound},
		"expired":              {method: `"type":"Multikey","expires":"2026-03-02T12:00:00Z","publicKeyMultibase":"` + multikey + `"`, relationship: "assertionMethod", want: verify.ErrKeyNotAuthorised},
		"not yet expired":      {method: `"type":"Multikey","expires":"2026-03-02T12:00:01Z","publicKeyMultibase":"` + multikey + `"`, relationship: "assertionMethod"},
		"revoked":              {method: `"type":"Multikey","revoked":"2026-03-02T11:59:59Z","publicKeyMultibase":"` + multikey + `"`, relationship: "assertionMethod", want: verify.ErrKeyNotAuthorised},
		"revoked in an hour":   {method: `"type":"Multikey","revoked":"2026-03-02T13:00:00Z","publicKeyMultibase":"` + multikey + `"`, relationship: "assertionMethod"},
		"deactivated document": {method: `"type":"Multikey","publicKeyMultibase":"` + multikey + `"`, relationship: "assertionMethod", deactivated: true, want: verify.ErrKeyNotAuthorised},
	} {
		reference := `"` + c.relationship + `":["#k"]`
		if c.relationship == "service" {
			reference = `"service":[]`
		}
		document, err := did.ParseDocument([]byte(`{"id":"` + id.String() + `","verificationMethod":[{"id":"#k","controller":"` + id.String() + `",` +
			c.method + `}],` + reference + `}`))
		require.NoError(t, err, name)
		v := verifier(t)
		v.Trust = verify.TrustedIssuers{id: {passportType}}
		v.Resolver = resolverFunc(func(did.DID) (*did.Resolution, error) {
			return &did.Resolution{Document: document, Deactivated: c.deactivated}, nil
		})
		got, err := v.Credential(context.Background(), s)
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Nil(t, got)
		requireCode(t, err, c.want, verify.Whole, name)
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trust verify.Trust
		want  verify.Code
	}{
		"listed":              {verify.TrustedIssuers{employer(t).id: {"Other", passportType}}, ""},
		"anybody":             {verify.AnyIssuerUnsafe{}, ""},
		"nobody":              {verify.TrustedIssuers(nil), verify.ErrUntrusted},
		"others":              {verify.TrustedIssuers{host(t).id: {passportType}}, verify.ErrUntrusted},
		"for other types":     {verify.TrustedIssuers{employer(t).id: {"Other"}}, verify.ErrUntrusted},
		"for no type":         {verify.TrustedIssuers{employer(t).id: nil}, verify.ErrUntrusted},
		"for the base type":   {verify.TrustedIssuers{employer(t).id: {vc.TypeCredential}}, verify.ErrUntrusted},
		"says no":             {trustFunc(func() error { return fmt.Errorf("x: %w", verify.ErrUntrusted) }), verify.ErrUntrusted},
		"cannot tell":         {trustFunc(func() error { return errors.New("database is down") }), verify.ErrUnavailable},
		"says cannot tell":    {trustFunc(func() error { return verify.ErrUnavailable }), verify.ErrUnavailable},
		"ran out of patience": {trustFunc(func() error { return context.DeadlineExceeded }), verify.ErrUnavailable},
	} {
		v := verifier(t)
		v.Trust = c.trust
		for _, e := range entries() {
			got, err := e.run(t, v, issued(t))
			if c.want == "" {
				require.NoError(t, err, name)
				continue
			}
			require.Nil(t, got)
			x := requireCode(t, err, c.want, e.index, name)
			require.Equal(t, verify.CheckIssuer, x.Check)
		}
	}
	base := verify.TrustedIssuers{employer(t).id: {vc.TypeCredential}}
	require.NoError(t, base.Trusted(context.Background(), employer(t).id, []string{vc.TypeCredential}, noon))
	require.Error(t, base.Trusted(context.Background(), employer(t).id, []string{vc.TypeCredential, "A"}, noon))
	some := verify.TrustedIssuers{employer(t).id: {"A"}}
	require.Error(t, some.Trusted(context.Background(), employer(t).id, []string{vc.TypeCredential}, noon))
	require.Error(t, some.Trusted(context.Background(), employer(t).id, []string{"A", "B"}, noon), "every type counts")
	require.Error(t, some.Trusted(context.Background(), did.DID{}, []string{"A"}, noon))
}

type trustFunc func() error

func (f trustFunc) Trusted(context.Context, did.DID, []string, time.Time) error { return f() }

// TestTrustIsAsked: with what it decides upon.
func TestTrustIsAsked(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	asked := &askedTrust{}
	v.Trust = asked
	_, err := v.Credential(context.Background(), issued(t))
	require.NoError(t, err)
	require.Equal(t, &askedTrust{employer(t).id, []string{vc.TypeCredential, passportType}, noon}, asked)
}

type askedTrust struct {
	issuer did.DID
	types  []string
	at     time.Time
}

func (a *askedTrust) Trusted(_ context.Context, issuer did.DID, types []string, at time.Time) error {
	*a = askedTrust{issuer, types, at}
	return nil
}

// TestStatusIsUndecided: a credential that could have been withdrawn is never
// accepted while nobody can ask.
func TestStatusIsUndecided(t *testing.T) {
	t.Parallel()
	for _, status := range [][]vc.Status{
		{{Type: []string{"BitstringStatusListEntry"}}},
		{{ID: "urn:a", Type: []string{"FutureStatus"}}, {Type: []string{"BitstringStatusListEntry"}}},
	} {
		c := passport(t)
		c.Status = status
		s, err := issuer(employer(t)).Secure(context.Background(), c)
		require.NoError(t, err)
		refusedEverywhere(t, verifier(t), s, verify.ErrStatusUnsupported)
		_, err = verifier(t).Credential(context.Background(), s)
		require.NotErrorIs(t, err, verify.ErrUnavailable, "nobody should try again")
		e := requireCode(t, err, verify.ErrStatusUnsupported, verify.Whole)
		require.Equal(t, verify.Undecided, e.Checks[len(e.Checks)-2].Outcome)
	}
}

func TestReplayStoreFails(t *testing.T) {
	t.Parallel()
	v := verifier(t)
	down := errors.New("database is down")
	v.Replay = replayFunc(func() error { return down })
	e := requirePresentationCode(t, v, presented(t, issued(t)), verify.ErrUnavailable)
	require.ErrorIs(t, e, down)
	require.Equal(t, verify.CheckReplay, e.Check)

	// It is asked only when all else is decided.
	v.Replay = replayFunc(func() error { t.Error("nonce used up"); return nil })
	v.Trust = trustFunc(func() error { return errors.New("database is down") })
	_, err := v.Presentation(context.Background(), presented(t, issued(t)), session(t))
	requireCode(t, err, verify.ErrUnavailable, 0)
}

type replayFunc func() error

func (f replayFunc) Use(context.Context, string) error { return f() }

func TestNonces(t *testing.T) {
	t.Parallel()
	now := noon
	n := verify.NewNonces(time.Minute, func() time.Time { return now })
	use := func(nonce string) error { return n.Use(context.Background(), nonce) }
	a, b, c := n.New(), n.New(), n.New()
	require.NotEqual(t, a, b)
	require.GreaterOrEqual(t, len(a), 26)
	require.NoError(t, use(b))
	require.ErrorIs(t, use(b), verify.ErrReplay)
	require.ErrorIs(t, use("never given out"), verify.ErrReplay)
	require.ErrorIs(t, use(""), verify.ErrReplay)
	now = noon.Add(time.Minute)
	require.NoError(t, use(a), "the last moment")
	now = noon.Add(time.Minute + 1)
	require.ErrorIs(t, use(c), verify.ErrReplay, "too old")
	n.New()
	require.ErrorIs(t, use(c), verify.ErrReplay)

	// Too many: the oldest are forgotten, the newest good.
	first := n.New()
	for range 100_000 {
		n.New()
	}
	last := n.New()
	require.ErrorIs(t, use(first), verify.ErrReplay)
	require.NoError(t, use(last))

	real := verify.NewNonces(time.Minute, nil) // with the machine's clock
	require.NoError(t, real.Use(context.Background(), real.New()))
}

func TestZeroValuesPanic(t *testing.T) {
	t.Parallel()
	var noCredential *verify.Credential
	for _, c := range []*verify.Credential{noCredential, {}} {
		for _, f := range []func(){
			func() { c.Document() }, func() { c.Issuer() }, func() { c.Holder() }, func() { c.Checks() }, func() { _ = c.String() },
		} {
			require.Panics(t, f)
		}
	}
	var noPresentation *verify.Presentation
	for _, p := range []*verify.Presentation{noPresentation, {}} {
		for _, f := range []func(){
			func() { p.Credentials() }, func() { p.Holder() }, func() { p.Checks() }, func() { _ = p.String() },
		} {
			require.Panics(t, f)
		}
	}
}

// TestAbuse_LG01_Printing: neither results nor errors show a claim.
func TestAbuse_LG01_Printing(t *testing.T) {
	t.Parallel()
	const canary = "rowan.tamar@riverside.example"
	s := issued(t)
	require.Contains(t, string(s.Bytes), canary)
	c, err := verifier(t).Credential(context.Background(), s)
	require.NoError(t, err)
	p, err := verifier(t).Presentation(context.Background(), presented(t, s), session(t))
	require.NoError(t, err)
	var out strings.Builder
	logger := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{c, p, c.Checks(), p.Checks()} {
		logger.Info("x", "v", v)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			fmt.Fprintf(&out, verb, v)
		}
	}
	for _, bad := range []vc.Secured{
		replaced(t, s, `"payBand":`, `"`+canary+`":1,"`+canary+`":2,"payBand":`),
		replaced(t, s, `"validFrom":"`, `"validFrom":"`+canary),
		replaced(t, s, `"payBand":"Band 6"`, `"payBand":"`+canary+`"`),
		replaced(t, s, `"cryptosuite":"eddsa-jcs-2022"`, `"cryptosuite":"`+canary+`"`),
		replaced(t, s, `"proofPurpose":"`, `"proofPurpose":"`+canary),
		replaced(t, s, `"verificationMethod":"`, `"verificationMethod":"`+canary),
		replaced(t, s, `"proofValue":"`, `"proofValue":"`+canary),
		{MediaType: canary, Bytes: s.Bytes},
	} {
		_, err := verifier(t).Credential(context.Background(), bad)
		require.Error(t, err)
		var e *verify.Error
		require.ErrorAs(t, err, &e)
		fmt.Fprintf(&out, "%v %+v %#v", err, e, e.Checks)
	}
	require.NotContains(t, out.String(), canary)
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	_, err := verifier(t).Presentation(context.Background(), presented(t, issued(t), replaced(t, issued(t), "Band 6", "Band 7")), session(t))
	require.EqualError(t, err, "verify: credential 1: signature: the signature is not genuine: signature does not verify")
	v := verifier(t)
	v.Now = clockAt(noon.AddDate(2, 0, 0))
	_, err = v.Credential(context.Background(), issued(t))
	require.EqualError(t, err, "verify: time: the credential has expired")
	v.Now, v.Trust = clockAt(noon), verify.TrustedIssuers(nil)
	_, err = v.Credential(context.Background(), issued(t))
	require.EqualError(t, err, "verify: issuer: the issuer is not trusted for this credential: issuer is not on the list")
	require.EqualError(t, verify.ErrExpired, "verify: the credential has expired")
}

// TestPublishedVector runs the vector of Data Integrity EdDSA Cryptosuites v1.0,
// whose issuer is not the owner of the key, under the policy for that.
func TestPublishedVector(t *testing.T) {
	t.Parallel()
	secured := vc.Secured{MediaType: vc.MediaTypeCredential,
		Bytes: vectors.Read(t, "vc-di-eddsa", "TestVectors", "eddsa-jcs-2022", "signedJCS.json")}
	signer := parse(t, "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2")
	v := verifier(t)
	v.Trust = verify.TrustedIssuers{signer: {"AlumniCredential"}}
	v.Contexts = contextSet([]string{vc.ContextV2, "https://www.w3.org/ns/credentials/examples/v2"})
	_, err := v.Credential(context.Background(), secured)
	requireCode(t, err, verify.ErrControllerMismatch, verify.Whole)

	v.UnsafeIssuerNotController = true
	c, err := v.Credential(context.Background(), secured)
	require.NoError(t, err)
	require.Equal(t, signer, c.Issuer(), "the key's owner, whoever the document names")
	b, err := json.Marshal(c.Document())
	require.NoError(t, err)
	require.Equal(t, string(vectors.Read(t, "vc-di-eddsa", "TestVectors", "eddsa-jcs-2022", "canonDocJCS.txt")),
		canonical(t, object(t, string(b))))

	v.Contexts = nil
	_, err = v.Credential(context.Background(), secured)
	requireCode(t, err, verify.ErrContextNotAllowed, verify.Whole)
	v.Contexts = contextSet([]string{vc.ContextV2, "https://www.w3.org/ns/credentials/examples/v2"})

	v.Trust = verify.TrustedIssuers(nil)
	_, err = v.Credential(context.Background(), secured)
	requireCode(t, err, verify.ErrUntrusted, verify.Whole)
	v.Trust = verify.AnyIssuerUnsafe{}

	// Each byte of the signature, changed in each of its bits.
	_, signature := bytesOf(t, tree(t, secured))
	for bit := range 8 * len(signature) {
		flipped := append([]byte{}, signature...)
		flipped[bit/8] ^= 1 << (bit % 8)
		_, err := v.Credential(context.Background(), withValue(t, secured, flipped))
		requireCode(t, err, verify.ErrProof, verify.Whole, bit)
	}
}

func canonical(t testing.TB, v any) string {
	t.Helper()
	b, err := jcs.Append(nil, v)
	require.NoError(t, err)
	return string(b)
}
