package verify_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zlib"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/webclient"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// Where the lists of these tests are published, and what stands in them.
const (
	revocations = "https://status.example/0"
	suspensions = "https://status.example/1"
	tokens      = "https://status.example/2"

	clean     = 40_000 // an index at which nothing is set
	withdrawn = 94_567 // one at which everything is
)

// A web has what lies at each URL, and knows what was asked for.
type web struct {
	mu    sync.Mutex
	pages map[string]vc.Secured
	err   error
	asked []string
}

var _ did.Getter = (*web)(nil)

func (w *web) Get(_ context.Context, url string, _ ...string) ([]byte, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, url)
	page, ok := w.pages[url]
	switch {
	case w.err != nil:
		return nil, "", w.err
	case !ok:
		return nil, "", did.ErrNotFound
	}
	return page.Bytes, page.MediaType, nil
}

// listed is a list of a party, with the bit at withdrawn set.
func listed(t testing.TB, by party, url string, purpose status.Purpose, change ...func(*status.List)) *vc.Credential {
	t.Helper()
	bits, err := status.NewBits(status.MinEntries)
	require.NoError(t, err)
	require.NoError(t, bits.Set(withdrawn, true))
	l := &status.List{ID: url, Issuer: by.id, Purposes: []status.Purpose{purpose}, ValidFrom: noon.Add(-time.Hour), ValidUntil: noon.Add(time.Hour), Bits: bits}
	for _, f := range change {
		f(l)
	}
	c, err := l.Credential()
	require.NoError(t, err)
	return c
}

func encodedList(t testing.TB, c *vc.Credential) string {
	t.Helper()
	v, ok := object(t, string(c.Subject)).Text("encodedList")
	require.True(t, ok)
	return v
}

// securedList signs a list.
func securedList(t testing.TB, by party, c *vc.Credential) vc.Secured {
	t.Helper()
	suite := dataintegrity.EdDSAJCS2022()
	if alg, err := did.Algorithm(by.signer.Public()); err == nil && alg != "EdDSA" {
		suite = dataintegrity.ECDSAJCS2019()
	}
	s, err := (&dataintegrity.Issuer{Suite: suite, Signer: by.signer, Now: clockAt(noon)}).Secure(context.Background(), c)
	require.NoError(t, err)
	return s
}

// tokenList is a Token Status List of a party: everything is revoked at withdrawn.
func tokenList(t testing.TB, by party) vc.Secured {
	t.Helper()
	b := make([]byte, status.MinEntries/8)
	b[withdrawn/8] |= 1 << (withdrawn % 8)
	var packed strings.Builder
	w := zlib.NewWriter(&packed)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	payload := object(t, fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d,"status_list":{"bits":1,"lst":%q}}`,
		tokens, noon.Add(-time.Hour).Unix(), noon.Add(time.Hour).Unix(), base64.RawURLEncoding.EncodeToString([]byte(packed.String()))))
	return vc.Secured{MediaType: "application/statuslist+jwt", Bytes: jwt(t, by, "statuslist+jwt", signing{}, payload)}
}

// lister issues the lists of an employer: itself, or a delegate where its key signs no
// document whole.
func lister(t testing.TB, employer party) (by party, delegates map[did.DID][]did.DID) {
	t.Helper()
	if _, err := did.Algorithm(employer.signer.Public()); err == nil {
		return employer, nil
	}
	by = newParty(t, "Riverside registry")
	return by, map[did.DID][]did.DID{employer.id: {by.id}}
}

// webOf has the lists of an employer.
func webOf(t testing.TB, employer party) *web {
	t.Helper()
	return once("web of "+employer.id.String(), func() *web {
		by, _ := lister(t, employer)
		return &web{pages: map[string]vc.Secured{
			revocations: securedList(t, by, listed(t, by, revocations, status.Revocation)),
			suspensions: securedList(t, by, listed(t, by, suspensions, status.Suspension)),
			tokens:      tokenList(t, by),
		}}
	})
}

// asking makes a verifier ask a web, or that of the employer.
func asking(w *web) func(testing.TB, *verify.Verifier, party) {
	return func(t testing.TB, v *verify.Verifier, employer party) {
		_, delegates := lister(t, employer)
		if w == nil {
			w := webOf(t, employer)
			v.Status = &status.Lists{Client: w, Delegates: delegates}
			return
		}
		v.Status = &status.Lists{Client: w, Delegates: delegates}
	}
}

// statusEntry is the JSON of an entry.
func statusEntry(url string, purpose status.Purpose, index any) string {
	return fmt.Sprintf(`{"id":"%s#%v","type":"BitstringStatusListEntry","statusPurpose":%q,"statusListIndex":"%[2]v","statusListCredential":%[1]q}`, url, index, purpose)
}

// withStatus gives a credential a status.
func withStatus(entries ...string) func(testing.TB, *strictjson.Object) {
	return func(t testing.TB, doc *strictjson.Object) {
		o := object(t, `{"a":[`+strings.Join(entries, ",")+`]}`)
		v, _ := o.Get("a")
		list := v.([]any)
		if len(list) == 1 {
			v = list[0]
		}
		doc.Set("credentialStatus", v)
	}
}

// statusCases are those of the matrix: ST-01 to ST-04 in every form, at every entry point.
func statusCases() []matrixCase {
	both := func(revoked, suspended any) func(testing.TB, *strictjson.Object) {
		return withStatus(statusEntry(revocations, status.Revocation, revoked), statusEntry(suspensions, status.Suspension, suspended))
	}
	revocation := func(index any) func(testing.TB, *strictjson.Object) {
		return withStatus(statusEntry(revocations, status.Revocation, index))
	}
	employers := asking(nil)
	down := asking(&web{err: fmt.Errorf("%w: no answer", did.ErrUnavailable)})
	forged := func(change func(t testing.TB, employer party) vc.Secured) func(testing.TB, *verify.Verifier, party) {
		return func(t testing.TB, v *verify.Verifier, employer party) {
			asking(&web{pages: map[string]vc.Secured{revocations: change(t, employer)}})(t, v, employer)
		}
	}
	claim := func(index int) string {
		return fmt.Sprintf(`{"id":"urn:uuid:7e3e1c8a-3c0e-4d57-9f0c-1f1d0b6a7e13","type":"JWTStatusClaim","status_list":{"idx":%d,"uri":%q}}`, index, tokens)
	}
	inRDF := func(f form) bool { // where JWTStatusClaim is no word
		e, ok := f.(embeddedForm)
		return !ok || strings.Contains(e.name(), "rdfc") || e.derives != ""
	}
	return []matrixCase{
		{name: "neither revoked nor suspended", change: both(clean, clean), verifier: employers},
		{name: "a message and nothing more", change: withStatus(statusEntry("https://status.example/9", "message", 1)), verifier: employers},
		{name: "token list, valid", change: withStatus(claim(clean)), verifier: employers, not: inRDF},

		{name: "ST-01 revoked", want: verify.ErrRevoked, change: both(withdrawn, clean), verifier: employers},
		{name: "ST-01 suspended", want: verify.ErrSuspended, change: both(clean, withdrawn), verifier: employers},
		{name: "ST-01 both", want: verify.ErrRevoked, verifier: employers,
			change: withStatus(statusEntry(suspensions, status.Suspension, withdrawn), statusEntry(revocations, status.Revocation, withdrawn))},
		{name: "token list, revoked", want: verify.ErrRevoked, change: withStatus(claim(withdrawn)), verifier: employers, not: inRDF},
		{name: "ST-02 host down", want: verify.ErrStatusUnavailable, change: both(clean, clean), verifier: down},
		{name: "ST-02 one list missing", want: verify.ErrStatusUnavailable, verifier: employers,
			change: withStatus(statusEntry(revocations, status.Revocation, clean), statusEntry("https://status.example/9", status.Suspension, clean))},
		{name: "ST-02 one list missing, revoked", want: verify.ErrRevoked, verifier: employers,
			change: withStatus(statusEntry("https://status.example/9", status.Suspension, clean), statusEntry(revocations, status.Revocation, withdrawn))},
		{name: "ST-03 list not signed", want: verify.ErrStatusList, change: revocation(clean),
			verifier: forged(func(t testing.TB, employer party) vc.Secured {
				o, err := listed(t, employer, revocations, status.Revocation).Object()
				require.NoError(t, err)
				return text(t, o, vc.MediaTypeCredential)
			})},
		{name: "ST-03 list changed", want: verify.ErrStatusList, change: revocation(clean),
			verifier: forged(func(t testing.TB, employer party) vc.Secured {
				by, _ := lister(t, employer)
				s := securedList(t, by, listed(t, by, revocations, status.Revocation))
				other := listed(t, by, revocations, status.Revocation, func(l *status.List) { require.NoError(t, l.Bits.Set(1, true)) })
				return replaced(t, s, encodedList(t, listed(t, by, revocations, status.Revocation)), encodedList(t, other))
			})},
		{name: "ST-03 list of another issuer", want: verify.ErrStatusList, change: revocation(clean),
			verifier: forged(func(t testing.TB, _ party) vc.Secured {
				return securedList(t, stranger(t), listed(t, stranger(t), revocations, status.Revocation))
			})},
		{name: "ST-03 list of another under the issuer's name", want: verify.ErrStatusList, change: revocation(clean),
			verifier: forged(func(t testing.TB, employer party) vc.Secured {
				o, err := listed(t, employer, revocations, status.Revocation).Object()
				require.NoError(t, err)
				return signedBy(t, stranger(t), o, dataintegrity.Proof{Purpose: did.AssertionMethod, Created: noon}, vc.MediaTypeCredential)
			})},
		{name: "ST-04 index beyond the list", want: verify.ErrStatusRange, change: revocation(131_072), verifier: employers},
		{name: "ST-04 index is no number", want: verify.ErrStatusRange, change: revocation("abc"), verifier: employers},
		{name: "ST-04 index below zero", want: verify.ErrStatusRange, change: revocation(-1), verifier: employers},
		{name: "ST-04 index of 1e12", want: verify.ErrStatusRange, change: revocation("1e12"), verifier: employers},
		{name: "ST-04 index with a fraction", want: verify.ErrStatusRange, change: revocation("3.5"), verifier: employers},
		{name: "list of another purpose", want: verify.ErrStatusList, change: withStatus(statusEntry(suspensions, status.Revocation, clean)), verifier: employers},
		{name: "purpose not known", want: verify.ErrStatusUnsupported, change: withStatus(statusEntry(revocations, "ferry", clean)), verifier: employers},
	}
}

// TestAbuse_ST01_Matrix: in every form and at every entry point, what is revoked or
// suspended is refused. The cases are in the matrix as well; here they are counted.
func TestAbuse_ST01_Matrix(t *testing.T) {
	t.Parallel()
	kinds, tried := map[string]bool{}, 0
	for _, f := range forms() {
		kinds[strings.Fields(f.name())[0]] = true
		for _, c := range statusCases() {
			if !strings.HasPrefix(c.name, "ST-01") {
				continue
			}
			s := c.make(t, f)
			require.NotNil(t, s.Bytes, "%s can have a status", f.name())
			for _, e := range entriesOf(f) {
				v := c.setUp(t, f)
				shown := s
				if e.session() {
					shown = f.show(t, s, v.Now())
				}
				_, err := e.run(t, v, shown)
				requireCode(t, err, c.want, e.index, f.name())
				tried++
			}
		}
	}
	require.GreaterOrEqual(t, len(kinds), 6)
	require.GreaterOrEqual(t, tried, 500)
	t.Logf("%d of %d refused: %d forms of %d kinds", tried, tried, len(forms()), len(kinds))
}

// TestAbuse_ST02_Hosts: whatever the host of a list does but give it, the status is not
// known: with a code of its own, and worth another try.
func TestAbuse_ST02_Hosts(t *testing.T) {
	t.Parallel()
	c := matrixCase{change: withStatus(statusEntry(revocations, status.Revocation, clean))}
	s := c.make(t, forms()[0])
	page := func(mediaType, body string) *web {
		return &web{pages: map[string]vc.Secured{revocations: {MediaType: mediaType, Bytes: []byte(body)}}}
	}
	for name, w := range map[string]*web{
		"down":          {err: fmt.Errorf("%w: no answer", did.ErrUnavailable)},
		"timeout":       {err: context.DeadlineExceeded},
		"404":           {},
		"500":           {err: fmt.Errorf("%w: status 500", did.ErrUnavailable)},
		"empty body":    page(vc.MediaTypeCredential, ""),
		"a page":        page("text/html", "<html>"),
		"not reachable": {err: webclient.ErrForbiddenAddress},
		"too large":     {err: webclient.ErrTooLarge},
	} {
		v := verifier(t)
		v.Status = &status.Lists{Client: w}
		refusedEverywhere(t, v, s, verify.ErrStatusUnavailable)
		_, err := v.Credential(context.Background(), s)
		require.ErrorIs(t, err, verify.ErrUnavailable, name)
		e := requireCode(t, err, verify.ErrStatusUnavailable, verify.Whole)
		require.Equal(t, verify.CheckStatus, e.Check)
		require.Equal(t, verify.Undecided, e.Checks[len(e.Checks)-2].Outcome)
		require.NotContains(t, err.Error(), "status.example")
	}
	v := verifier(t)
	v.Status = new(status.Lists)
	refusedEverywhere(t, v, s, verify.ErrStatusUnavailable)
}

// TestStrangersAddress: nobody who is not trusted sends the verifier anywhere.
func TestStrangersAddress(t *testing.T) {
	t.Parallel()
	c := matrixCase{change: withStatus(statusEntry(revocations, status.Revocation, withdrawn))}
	s := c.make(t, forms()[0])
	for name, trust := range map[string]verify.Trust{
		"nobody trusted":    verify.TrustedIssuers(nil),
		"for another type":  verify.TrustedIssuers{employer(t).id: {"CoreSkillCredential"}},
		"trust cannot tell": trustFunc(func() error { return errors.New("database is down") }),
	} {
		w := &web{}
		v := verifier(t)
		v.Trust, v.Status = trust, &status.Lists{Client: w}
		_, err := v.Credential(context.Background(), s)
		var e *verify.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, verify.CheckIssuer, e.Check, name)
		require.Equal(t, verify.Result{Index: verify.Whole, Check: verify.CheckStatus, Outcome: verify.NotRun, Sentence: "Not reached."}, e.Checks[len(e.Checks)-2], name)
		_, err = v.Presentation(context.Background(), presented(t, s), session(t))
		require.Error(t, err, name)
		require.Empty(t, w.asked, name)
	}
	for name, forged := range map[string]vc.Secured{
		"forged": replaced(t, s, "Band 6", "Band 7"),
		"of a stranger under the issuer's name": matrixCase{change: c.change, by: "Nettle Styx",
			signing: func(o *signing, employer party) { o.method = employer.signer.VerificationMethod() }}.make(t, forms()[0]),
	} {
		w := &web{}
		v := verifier(t)
		v.Status = &status.Lists{Client: w}
		refusedEverywhere(t, v, forged, verify.ErrProof)
		require.Empty(t, w.asked, name)
	}
}

// TestListForms: a list may be secured in any form, by the issuer or a delegate.
func TestListForms(t *testing.T) {
	t.Parallel()
	for _, f := range forms() {
		e, embedded := f.(embeddedForm)
		_, old := f.(oldJWTForm)
		if f.keys() == bls12381Key || embedded && e.derives != "" || old || sdJWTVC(f) {
			continue // forms of which the holder derives, and those that make another document
		}
		t.Run(f.name(), func(t *testing.T) {
			t.Parallel()
			by := partyOf(t, "Riverside registry", f.keys())
			doc, err := listed(t, by, revocations, status.Revocation).Object()
			require.NoError(t, err)
			list := f.sign(t, by, doc, signing{created: noon.Add(-time.Hour)})
			if list.Bytes == nil { // RDF of data model 1.1, which has no such words
				return
			}
			for index, want := range map[int]error{clean: nil, withdrawn: verify.ErrRevoked} {
				s := matrixCase{change: withStatus(statusEntry(revocations, status.Revocation, index))}.make(t, forms()[0])
				v := verifier(t)
				v.Suites = []dataintegrity.Suite{legacy.Ed25519Signature2018(), legacy.Ed25519Signature2020()}
				v.Status = &status.Lists{
					Client:    &web{pages: map[string]vc.Secured{revocations: list}},
					Delegates: map[did.DID][]did.DID{employer(t).id: {by.id}},
				}
				_, err := v.Credential(context.Background(), s)
				require.ErrorIs(t, err, want)
				v.Status = &status.Lists{Client: v.Status.Client}
				_, err = v.Credential(context.Background(), s)
				requireCode(t, err, verify.ErrStatusList, verify.Whole)
			}
		})
	}
}

// TestListRules: a list is verified as a credential is, and is not one that is about
// anybody.
func TestListRules(t *testing.T) {
	t.Parallel()
	by := employer(t)
	set := func(name string, value any) func(*strictjson.Object) {
		return func(o *strictjson.Object) { o.Set(name, value) }
	}
	for name, c := range map[string]struct {
		change  func(o *strictjson.Object)
		options dataintegrity.Proof
		setUp   func(v *verify.Verifier)
		want    verify.Code
	}{
		"good":                            {},
		"another context":                 {change: set("@context", []any{vc.ContextV2, evilContext}), want: verify.ErrStatusList},
		"a context below":                 {change: func(o *strictjson.Object) { o.Set("name", object(t, `{"@context":[]}`)) }, want: verify.ErrStatusList},
		"a status of its own":             {change: set("credentialStatus", object(t, statusEntry(suspensions, status.Suspension, 1))), want: verify.ErrStatusList},
		"not a list":                      {change: set("type", []any{vc.TypeCredential}), want: verify.ErrStatusList},
		"malformed":                       {change: set("issuer", 1), want: verify.ErrStatusList},
		"made for another purpose":        {options: dataintegrity.Proof{Purpose: did.Authentication}, want: verify.ErrStatusList},
		"for an audience":                 {options: dataintegrity.Proof{Domain: []string{"https://other.example"}}, want: verify.ErrStatusList},
		"proof in the future":             {options: dataintegrity.Proof{Created: noon.Add(6 * time.Minute)}, want: verify.ErrStatusList},
		"proof ended":                     {options: dataintegrity.Proof{Created: noon.Add(-time.Hour), Expires: noon.Add(-time.Second)}, want: verify.ErrStatusList},
		"list ended":                      {change: set("validUntil", "2026-03-02T11:59:59Z"), want: verify.ErrStatusUnavailable},
		"list of the future":              {change: set("validFrom", "2026-03-02T12:05:01Z"), want: verify.ErrStatusUnavailable},
		"list a little ahead":             {change: set("validFrom", "2026-03-02T12:04:59Z")},
		"list without an end":             {change: func(o *strictjson.Object) { o.Delete("validUntil") }, setUp: func(v *verify.Verifier) { v.RequireValidUntil = true }},
		"issuer trusted for passports":    {setUp: func(v *verify.Verifier) { v.Trust = verify.TrustedIssuers{by.id: {passportType}} }},
		"issuer not to be resolved":       {setUp: func(v *verify.Verifier) { v.Resolver = secondTime(t, did.ErrUnavailable) }, want: verify.ErrStatusUnavailable},
		"issuer does not exist":           {setUp: func(v *verify.Verifier) { v.Resolver = secondTime(t, did.ErrNotFound) }, want: verify.ErrStatusList},
		"key that is not the issuer's":    {options: dataintegrity.Proof{VerificationMethod: stranger(t).signer.VerificationMethod()}, want: verify.ErrStatusList},
		"the same, under a policy for it": {options: dataintegrity.Proof{VerificationMethod: stranger(t).signer.VerificationMethod()}, setUp: func(v *verify.Verifier) { v.UnsafeIssuerNotController = true }, want: verify.ErrStatusList},
	} {
		o, err := listed(t, by, revocations, status.Revocation).Object()
		require.NoError(t, err)
		if c.change != nil {
			c.change(o)
		}
		if c.options.Purpose == "" {
			c.options.Purpose = did.AssertionMethod
		}
		if c.options.Created.IsZero() {
			c.options.Created = noon
		}
		signer := by
		if c.options.VerificationMethod.DID == stranger(t).id {
			signer = stranger(t)
		}
		proof, err := dataintegrity.EdDSAJCS2022().Prove(context.Background(), o, withMethod(c.options, signer), signer.signer, everyContext())
		require.NoError(t, err, name)
		o.Set("proof", proof)
		list := text(t, o, vc.MediaTypeCredential)
		for _, mediaType := range []string{vc.MediaTypeCredential, "application/vc+json", "application/vc+ld+json", "application/ld+json", "application/json"} {
			list.MediaType = mediaType
			v := verifier(t)
			v.Status = &status.Lists{Client: &web{pages: map[string]vc.Secured{revocations: list}}}
			if c.setUp != nil {
				c.setUp(v)
			}
			s := matrixCase{change: withStatus(statusEntry(revocations, status.Revocation, clean))}.make(t, forms()[0])
			_, err = v.Credential(context.Background(), s)
			if c.want == "" {
				require.NoError(t, err, name)
				continue
			}
			requireCode(t, err, c.want, verify.Whole, name)
			for _, about := range []error{verify.ErrProof, verify.ErrExpired, verify.ErrControllerMismatch, verify.ErrKeyNotFound, verify.ErrMalformed} {
				require.NotErrorIs(t, err, about, "%s: it is about the list", name)
			}
		}
	}
}

func withMethod(p dataintegrity.Proof, by party) *dataintegrity.Proof {
	p.VerificationMethod = by.signer.VerificationMethod()
	return &p
}

// secondTime resolves once, for the credential, and then fails.
func secondTime(t testing.TB, err error) did.Resolver {
	t.Helper()
	asked := 0
	return resolverFunc(func(id did.DID) (*did.Resolution, error) {
		if asked++; asked > 1 {
			return nil, err
		}
		return didkey.Resolver{}.Resolve(context.Background(), id, did.Version{})
	})
}

// TestTokenKeys: the key of a Token Status List is found and authorised as any other.
func TestTokenKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		by    party
		setUp func(v *verify.Verifier)
		want  verify.Code
	}{
		"good":        {by: employer(t)},
		"a stranger":  {by: stranger(t), want: verify.ErrStatusList},
		"unavailable": {by: employer(t), setUp: func(v *verify.Verifier) { v.Resolver = secondTime(t, did.ErrUnavailable) }, want: verify.ErrStatusUnavailable},
		"not found":   {by: employer(t), setUp: func(v *verify.Verifier) { v.Resolver = secondTime(t, did.ErrNotFound) }, want: verify.ErrStatusList},
	} {
		s := matrixCase{change: withStatus(fmt.Sprintf(`{"type":"JWTStatusClaim","status_list":{"idx":%d,"uri":%q}}`, clean, tokens))}.make(t, forms()[0])
		v := verifier(t)
		v.Status = &status.Lists{Client: &web{pages: map[string]vc.Secured{tokens: tokenList(t, c.by)}}}
		if c.setUp != nil {
			c.setUp(v)
		}
		_, err := v.Credential(context.Background(), s)
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		requireCode(t, err, c.want, verify.Whole, name)
	}
}

// TestStatusOfPolicies: under the policy that lets anybody's key sign, a list of who
// signed counts, and one of whom the credential names.
func TestStatusOfPolicies(t *testing.T) {
	t.Parallel()
	s := matrixCase{by: "Nettle Styx", change: withStatus(statusEntry(revocations, status.Revocation, withdrawn))}.make(t, forms()[0])
	for name, by := range map[string]party{"who signed": stranger(t), "who is named": employer(t)} {
		v := verifier(t)
		v.UnsafeIssuerNotController, v.Trust = true, verify.AnyIssuerUnsafe{}
		v.Status = &status.Lists{Client: &web{pages: map[string]vc.Secured{revocations: securedList(t, by, listed(t, by, revocations, status.Revocation))}}}
		_, err := v.Credential(context.Background(), s)
		requireCode(t, err, verify.ErrRevoked, verify.Whole, name)
		v.Status = &status.Lists{Client: &web{pages: map[string]vc.Secured{revocations: securedList(t, host(t), listed(t, host(t), revocations, status.Revocation))}}}
		_, err = v.Credential(context.Background(), s)
		requireCode(t, err, verify.ErrStatusList, verify.Whole, name)
	}
}

// TestStatusEntries: how many there may be, and what all of them together come to.
func TestStatusEntries(t *testing.T) {
	t.Parallel()
	good := statusEntry(revocations, status.Revocation, clean)
	repeat := func(n int) []string { return strings.Split(strings.Repeat(good+"\n", n), "\n")[:n] }
	missing := statusEntry("https://status.example/9", status.Revocation, clean)
	for name, c := range map[string]struct {
		entries []string
		want    verify.Code
	}{
		"eight":                       {repeat(8), ""},
		"nine":                        {repeat(9), verify.ErrTooLarge},
		"one that is unknown":         {[]string{good, `{"type":"FutureStatus"}`}, verify.ErrStatusUnsupported},
		"unknown before out of range": {[]string{`{"type":"FutureStatus"}`, statusEntry(revocations, status.Revocation, "x")}, verify.ErrStatusRange},
		"malformed":                   {[]string{good, `{"type":"BitstringStatusListEntry"}`}, verify.ErrMalformed},
		"unavailable before revoked":  {[]string{missing, statusEntry(revocations, status.Revocation, withdrawn)}, verify.ErrRevoked},
		"unavailable before forged":   {[]string{missing, statusEntry(suspensions, status.Revocation, clean)}, verify.ErrStatusList},
		"suspended before missing":    {[]string{statusEntry(suspensions, status.Suspension, withdrawn), missing}, verify.ErrSuspended},
		"good before missing":         {[]string{good, missing}, verify.ErrStatusUnavailable},
	} {
		v := verifier(t)
		v.Status = &status.Lists{Client: webOf(t, employer(t))}
		_, err := v.Credential(context.Background(), matrixCase{change: withStatus(c.entries...)}.make(t, forms()[0]))
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		requireCode(t, err, c.want, verify.Whole, name)
	}
}

// TestStatusFetchedOnce: a list is fetched once for all credentials and presentations.
func TestStatusFetchedOnce(t *testing.T) {
	t.Parallel()
	w := &web{pages: webOf(t, employer(t)).pages}
	v := verifier(t)
	v.Status = &status.Lists{Client: w}
	s := matrixCase{change: withStatus(statusEntry(revocations, status.Revocation, clean), statusEntry(suspensions, status.Suspension, clean))}.make(t, forms()[0])
	for range 3 {
		c, err := v.Credential(context.Background(), s)
		require.NoError(t, err)
		require.Equal(t, "Nothing says that the credential was withdrawn.", c.Checks()[7].Sentence)
		_, err = v.Presentation(context.Background(), presented(t, s, s), session(t))
		require.NoError(t, err)
	}
	require.Equal(t, []string{revocations, suspensions}, w.asked)
	v.Status.MaxAge = 0
	v.Now = clockAt(noon.Add(5 * time.Minute))
	_, err := v.Credential(context.Background(), s)
	require.NoError(t, err)
	require.Len(t, w.asked, 4)
}
