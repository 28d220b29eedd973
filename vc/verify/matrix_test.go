package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A matrixCase is one thing that may be wrong with a credential, or nothing. It is
// tried in every form, at every entry point.
type matrixCase struct {
	name string
	want verify.Code // "" is accepted
	or   []verify.Code

	change   func(t testing.TB, doc *strictjson.Object) // before it is signed
	by       string                                     // who signs; "" is the employer
	signing  func(o *signing, employer party)
	after    func(t testing.TB, f form, s vc.Secured) vc.Secured // when it is signed
	verifier func(t testing.TB, v *verify.Verifier, employer party)

	rounds    bool              // the proofs of bbs-2023 tell the day only, which is another case
	presented bool              // only wrong if somebody presents it
	not       func(f form) bool // forms that cannot say it
}

// sdJWTVC reports a form that has no place for some of a document.
func sdJWTVC(f form) bool { return strings.HasPrefix(f.name(), "dc+sd-jwt") }

// claimsCount reports a form whose claims complete its document.
func claimsCount(f form) bool { _, old := f.(oldJWTForm); return old || sdJWTVC(f) }

// dated reports a form whose documents always say from when they are valid.
func dated(f form) bool { _, old := f.(model11); return old }

func matrix() []matrixCase {
	set := func(name string, value any) func(testing.TB, *strictjson.Object) {
		return func(_ testing.TB, doc *strictjson.Object) { doc.Set(name, value) }
	}
	without := func(name string) func(testing.TB, *strictjson.Object) {
		return func(_ testing.TB, doc *strictjson.Object) { doc.Delete(name) }
	}
	riverside := func(t testing.TB, members string, relationship string, deactivated bool) func(testing.TB, *verify.Verifier, party) {
		return func(t testing.TB, v *verify.Verifier, employer party) {
			id := parse(t, "did:example:riverside")
			document, err := did.ParseDocument([]byte(fmt.Sprintf(`{"id":%q,"verificationMethod":[{"id":"#k","controller":%q,`+
				`"type":"Multikey","publicKeyMultibase":%q%s}],%q:["#k"]}`, id, id, employer.id.SpecificID(), members, relationship)))
			require.NoError(t, err)
			v.Trust = verify.TrustedIssuers{id: {passportType}}
			v.Resolver = resolverFunc(func(asked did.DID) (*did.Resolution, error) {
				if asked == id {
					return &did.Resolution{Document: document, Deactivated: deactivated}, nil
				}
				return didkey.Resolver{}.Resolve(context.Background(), asked, did.Version{})
			})
		}
	}
	atRiverside := func(o *signing, _ party) { o.method = mustURL("did:example:riverside#k") }
	ofRiverside := set("issuer", "did:example:riverside")
	clock := func(at time.Time) func(testing.TB, *verify.Verifier, party) {
		return func(_ testing.TB, v *verify.Verifier, _ party) { v.Now = clockAt(at) }
	}
	trust := func(trust verify.Trust) func(testing.TB, *verify.Verifier, party) {
		return func(_ testing.TB, v *verify.Verifier, _ party) { v.Trust = trust }
	}
	resolver := func(err error) func(testing.TB, *verify.Verifier, party) {
		return func(_ testing.TB, v *verify.Verifier, employer party) {
			v.Resolver = resolverFunc(func(id did.DID) (*did.Resolution, error) {
				if id == employer.id {
					return nil, err
				}
				return didkey.Resolver{}.Resolve(context.Background(), id, did.Version{})
			})
		}
	}
	from, until := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	return append(statusCases(), []matrixCase{
		{name: "good"},
		{name: "good, signed a year ago", signing: func(o *signing, _ party) { o.created = noon.AddDate(-1, 0, 0) }},
		{name: "good without an end", change: without("validUntil")},

		{name: "claim changed", want: verify.ErrProof, or: []verify.Code{verify.ErrProofMalformed},
			after: func(t testing.TB, f form, s vc.Secured) vc.Secured { return f.edit(t, s, "Band 6", "Band 9") }},
		{name: "other times", want: verify.ErrProof,
			after: func(t testing.TB, f form, s vc.Secured) vc.Secured {
				if sdJWTVC(f) {
					return f.edit(t, s, fmt.Sprint(until.Unix()), fmt.Sprint(until.AddDate(1, 0, 0).Unix()))
				}
				return f.edit(t, s, "2027-03-01T00:00:00Z", "2028-03-01T00:00:00Z")
			}},
		{name: "bit of the signature", want: verify.ErrProof, or: []verify.Code{verify.ErrProofMalformed},
			after: func(t testing.TB, f form, s vc.Secured) vc.Secured { return f.flip(t, s) }},
		{name: "key of another under the issuer's name", want: verify.ErrProof, by: "Nettle Styx",
			signing: func(o *signing, employer party) { o.method = employer.signer.VerificationMethod() }},
		{name: "issuer is another", want: verify.ErrControllerMismatch, by: "Nettle Styx"},
		{name: "issuer is another and trusted", want: verify.ErrControllerMismatch, by: "Nettle Styx", verifier: trust(verify.AnyIssuerUnsafe{})},

		{name: "key missing", want: verify.ErrKeyNotFound, signing: func(o *signing, employer party) { o.method = employer.id.URL("key-2") }},
		{name: "issuer not found", want: verify.ErrKeyNotFound, verifier: resolver(did.ErrNotFound)},
		{name: "method not supported", want: verify.ErrKeyNotFound, verifier: resolver(did.ErrUnsupported)},
		{name: "issuer unavailable", want: verify.ErrUnavailable, verifier: resolver(did.ErrUnavailable)},
		{name: "resolver breaks", want: verify.ErrUnavailable, verifier: resolver(errors.New("broken pipe"))},

		{name: "good with a DID document", change: ofRiverside, signing: atRiverside, verifier: riverside(nil, "", "assertionMethod", false)},
		{name: "key for another purpose", want: verify.ErrKeyNotAuthorised, change: ofRiverside, signing: atRiverside,
			verifier: riverside(nil, "", "authentication", false)},
		{name: "deactivated", want: verify.ErrKeyNotAuthorised, change: ofRiverside, signing: atRiverside,
			verifier: riverside(nil, "", "assertionMethod", true)},
		{name: "key's turn over after signing", rounds: true, change: ofRiverside,
			signing:  func(o *signing, p party) { atRiverside(o, p); o.created = noon.Add(-time.Hour) },
			verifier: riverside(nil, `,"expires":"2026-03-02T11:30:00Z"`, "assertionMethod", false)},
		{name: "key's turn over before signing", rounds: true, want: verify.ErrKeyNotAuthorised, change: ofRiverside,
			signing:  func(o *signing, p party) { atRiverside(o, p); o.created = noon.Add(-time.Hour) },
			verifier: riverside(nil, `,"expires":"2026-03-02T11:00:00Z"`, "assertionMethod", false)},
		{name: "key's turn over soon, signed by a clock that is ahead", rounds: true, change: ofRiverside,
			signing:  func(o *signing, p party) { atRiverside(o, p); o.created = noon.Add(3 * time.Minute) },
			verifier: riverside(nil, `,"expires":"2026-03-02T12:01:00Z"`, "assertionMethod", false)},
		{name: "key's turn over and no time of signing", want: verify.ErrKeyNotAuthorised, change: ofRiverside,
			signing:  func(o *signing, p party) { atRiverside(o, p); o.created = time.Time{} },
			verifier: riverside(nil, `,"expires":"2026-03-02T11:30:00Z"`, "assertionMethod", false)},
		{name: "key revoked after signing", want: verify.ErrKeyNotAuthorised, change: ofRiverside,
			signing:  func(o *signing, p party) { atRiverside(o, p); o.created = noon.AddDate(-1, 0, 0) },
			verifier: riverside(nil, `,"revoked":"2026-03-02T11:59:59Z"`, "assertionMethod", false)},
		{name: "key to be revoked", change: ofRiverside, signing: atRiverside,
			verifier: riverside(nil, `,"revoked":"2026-03-02T12:00:01Z"`, "assertionMethod", false)},

		{name: "first moment", verifier: clock(from), signing: func(o *signing, _ party) { o.created = from }},
		{name: "a second before it", want: verify.ErrNotYetValid, verifier: clock(from.Add(-time.Second)),
			signing: func(o *signing, _ party) { o.created = from.Add(-time.Hour) }},
		{name: "last moment", verifier: clock(until)},
		{name: "a second after it", want: verify.ErrExpired, verifier: clock(until.Add(time.Second))},
		{name: "no end where one is asked for", want: verify.ErrNoEnd, change: without("validUntil"),
			verifier: func(_ testing.TB, v *verify.Verifier, _ party) { v.RequireValidUntil = true }},
		{name: "no time at all where an end is asked for", want: verify.ErrNoEnd,
			change:   func(_ testing.TB, doc *strictjson.Object) { doc.Delete("validUntil"); doc.Delete("validFrom") },
			signing:  func(o *signing, _ party) { o.created = time.Time{} },
			verifier: func(_ testing.TB, v *verify.Verifier, _ party) { v.RequireValidUntil = true }, not: dated},
		{name: "no start where one must be", want: verify.ErrMalformed, change: without("validFrom"),
			not: func(f form) bool { return !dated(f) }},
		{name: "end where one is asked for", verifier: func(_ testing.TB, v *verify.Verifier, _ party) { v.RequireValidUntil = true }},
		{name: "no time zone", want: verify.ErrNoTimeZone, or: []verify.Code{verify.ErrClaims}, change: set("validUntil", "2027-03-01T00:00:00"),
			not: sdJWTVC},
		{name: "ends before it starts", want: verify.ErrMalformed, or: []verify.Code{verify.ErrClaims}, change: set("validUntil", "2026-02-01T00:00:00Z")},
		{name: "signed in five minutes", rounds: true, signing: func(o *signing, _ party) { o.created = noon.Add(5 * time.Minute) }},
		{name: "signed later", rounds: true, want: verify.ErrProofNotYetValid, signing: func(o *signing, _ party) { o.created = noon.Add(5*time.Minute + time.Second) }},
		{name: "proof ends now", change: without("validUntil"), signing: func(o *signing, _ party) { o.expires = noon }, not: claimsCount},
		{name: "proof ended", want: verify.ErrProofExpired, or: []verify.Code{verify.ErrExpired}, change: without("validUntil"),
			signing: func(o *signing, _ party) { o.created = noon.Add(-time.Hour); o.expires = noon.Add(-time.Second) }},

		{name: "anybody trusted", verifier: trust(verify.AnyIssuerUnsafe{})},
		{name: "nobody trusted", want: verify.ErrUntrusted, verifier: trust(verify.TrustedIssuers(nil))},
		{name: "trusted for others", want: verify.ErrUntrusted, verifier: func(_ testing.TB, v *verify.Verifier, employer party) {
			v.Trust = verify.TrustedIssuers{employer.id: {"CoreSkillCredential"}}
		}},
		{name: "trust cannot tell", want: verify.ErrUnavailable, verifier: trust(trustFunc(func() error { return errors.New("database is down") }))},

		{name: "status", want: verify.ErrStatusUnsupported,
			change: func(t testing.TB, doc *strictjson.Object) {
				doc.Set("credentialStatus", object(t, `{"type":"BitstringStatusListEntry","id":"urn:a"}`))
			}},

		{name: "unknown context", want: verify.ErrContextNotAllowed, change: set("@context", []any{vc.ContextV2, passportContext, evilContext}), not: sdJWTVC},
		{name: "another context", want: verify.ErrContextNotAllowed, change: set("@context", []any{vc.ContextV2, evilContext})},
		{name: "context twice", want: verify.ErrContextNotAllowed, change: set("@context", []any{vc.ContextV2, passportContext, passportContext}), not: sdJWTVC},
		{name: "contexts in another order", want: verify.ErrMalformed, or: []verify.Code{verify.ErrMediaType}, change: set("@context", []any{passportContext, vc.ContextV2}), not: sdJWTVC},
		{name: "no context", want: verify.ErrMalformed, or: []verify.Code{verify.ErrMediaType}, change: set("@context", []any{}), not: sdJWTVC},
		{name: "context below", want: verify.ErrContextNotAllowed, or: []verify.Code{verify.ErrMalformed},
			change: func(t testing.TB, doc *strictjson.Object) {
				s, _ := doc.Get("credentialSubject")
				s.(*strictjson.Object).Set("more", object(t, `{"a":1,"@context":"`+evilContext+`"}`))
			}},

		{name: "no issuer", want: verify.ErrMalformed, or: []verify.Code{verify.ErrClaims}, change: without("issuer")},
		{name: "no type of credential", want: verify.ErrMalformed, change: set("type", []any{passportType, passportType}), not: sdJWTVC},
		{name: "no subject", want: verify.ErrMalformed, change: without("credentialSubject")},
		{name: "subject without claims", want: verify.ErrMalformed, change: set("credentialSubject", strictjson.NewObject())},
		{name: "keyword", want: verify.ErrMalformed, change: set("@id", "urn:a"), not: sdJWTVC},
		{name: "embedded proof that nobody looks at", want: verify.ErrProofSet,
			change: func(t testing.TB, doc *strictjson.Object) {
				doc.Set("proof", object(t, `{"type":"DataIntegrityProof"}`))
			},
			not: func(f form) bool {
				switch f.(type) {
				case embeddedForm, bearerForm, legacyForm:
					return true
				}
				return sdJWTVC(f)
			}},
		{name: "digest of another vocabulary", want: verify.ErrResource,
			change: func(t testing.TB, doc *strictjson.Object) {
				doc.Set("relatedResource", object(t, `{"id":"`+passportContext+`","digestSRI":"sha256-`+strings.Repeat("A", 43)+`="}`))
			}, not: sdJWTVC},

		{name: "about somebody else", want: verify.ErrHolder, presented: true,
			change: func(t testing.TB, doc *strictjson.Object) {
				s, _ := doc.Get("credentialSubject")
				s.(*strictjson.Object).Set("id", stranger(t).id.String())
			}},
		{name: "about nobody", want: verify.ErrHolder, presented: true,
			change: func(_ testing.TB, doc *strictjson.Object) {
				s, _ := doc.Get("credentialSubject")
				s.(*strictjson.Object).Delete("id")
			},
			not: func(f form) bool { // which are about a key, or about nobody
				sd, ok := f.(sdForm)
				_, bearer := f.(bearerForm)
				return ok && sd.bound || bearer
			}},
		{name: "about two", want: verify.ErrHolder, presented: true,
			change: func(t testing.TB, doc *strictjson.Object) {
				s, _ := doc.Get("credentialSubject")
				doc.Set("credentialSubject", []any{s, object(t, `{"id":"`+stranger(t).id.String()+`","role":"Nurse"}`)})
			}, not: sdJWTVC},
	}...)
}

func mustURL(s string) did.URL {
	u, err := did.ParseURL(s)
	if err != nil {
		panic(err)
	}
	return u
}

// make secures the passport as the case has it.
func (c matrixCase) make(t testing.TB, f form) vc.Secured {
	t.Helper()
	employer := partyOf(t, "Riverside Trust", f.keys())
	p := passport(t)
	p.Issuer.ID = employer.id.String()
	doc, err := p.Object()
	require.NoError(t, err)
	if c.change != nil {
		c.change(t, doc)
	}
	o := signing{created: noon}
	if c.signing != nil {
		c.signing(&o, employer)
	}
	by := employer
	if c.by != "" {
		by = partyOf(t, c.by, f.keys())
	}
	s := f.sign(t, by, doc, o)
	if s.Bytes == nil {
		require.NotEmpty(t, c.want, "%s cannot sign: %s", f.name(), c.name)
	} else if c.after != nil {
		s = c.after(t, f, s)
	}
	return s
}

// setUp makes the verifier of the case.
func (c matrixCase) setUp(t testing.TB, f form) *verify.Verifier {
	t.Helper()
	employer := partyOf(t, "Riverside Trust", f.keys())
	v := verifier(t)
	v.Trust = verify.TrustedIssuers{employer.id: {passportType}}
	if _, old := f.(legacyForm); old {
		v.Suites = []dataintegrity.Suite{legacy.Ed25519Signature2018(), legacy.Ed25519Signature2020()}
	}
	if c.verifier != nil {
		c.verifier(t, v, employer)
	}
	return v
}

// TestMatrix tries every case in every form at every entry point.
func TestMatrix(t *testing.T) {
	t.Parallel()
	good, bad := 0, 0
	for _, c := range matrix() {
		if c.want == "" {
			good++
		} else {
			bad++
		}
	}
	require.GreaterOrEqual(t, bad, 2*good)
	for _, f := range forms() {
		t.Run(f.name(), func(t *testing.T) {
			t.Parallel()
			for _, c := range matrix() {
				if c.not != nil && c.not(f) || c.rounds && f.keys() == bls12381Key {
					continue
				}
				s := c.make(t, f)
				if s.Bytes == nil {
					continue
				}
				for _, e := range entriesOf(f) {
					v := c.setUp(t, f)
					shown := s
					if e.session() {
						shown = f.show(t, s, v.Now())
					}
					got, err := e.run(t, v, shown)
					where := fmt.Sprintf("%s: %s: %v", c.name, e.name, err)
					if c.want == "" || c.presented && !e.session() {
						require.NoError(t, err, where)
						requirePassport(t, c, f, got)
						continue
					}
					require.Nil(t, got, where)
					var x *verify.Error
					require.ErrorAs(t, err, &x, where)
					require.Contains(t, append(slices.Clone(c.or), c.want), x.Code, where)
					if e.index == verify.Whole || x.Index != verify.Whole {
						require.Equal(t, e.index, x.Index, where)
					}
				}
			}
		})
	}
}

// requirePassport demands that a result is what the case made, to the last claim.
func requirePassport(t testing.TB, c matrixCase, f form, got *verify.Credential) {
	t.Helper()
	want := passport(t)
	want.Issuer.ID = partyOf(t, "Riverside Trust", f.keys()).id.String()
	doc, err := want.Object()
	require.NoError(t, err)
	if c.change != nil {
		c.change(t, doc)
	}
	if _, bearer := f.(bearerForm); bearer {
		doc = withoutHolder(t, doc)
		require.True(t, got.Holder().IsZero())
	}
	if f, old := f.(model11); old {
		doc = f.document(doc)
	}
	b, err := json.Marshal(got.Document())
	require.NoError(t, err)
	expected, err := strictjson.Append(nil, doc)
	require.NoError(t, err)
	require.JSONEq(t, string(expected), string(b), c.name)
	issuer, _ := doc.Text("issuer")
	require.Equal(t, issuer, got.Issuer().String())
}

// entriesOf are the entry points for a form: all, and that for credentials which
// answer a request by themselves.
//
// A curve is seen by nothing that an entry point does: for that which costs most to
// check, there is one entry for credentials and one for presentations.
func entriesOf(f form) []entry {
	alone := entry{"alone", 0, onlyCredential}
	switch f := f.(type) {
	case sdForm:
		if f.bound {
			return append(entries(), alone)
		}
		if f.key == p384Key {
			return fewEntries()
		}
	case embeddedForm, joseForm, coseForm:
		if f.keys() == p384Key { // which the reader does not see
			return fewEntries()
		}
	case bearerForm:
		bearer := func(show func(t testing.TB, s vc.Secured) vc.Secured) func(testing.TB, *verify.Verifier, vc.Secured) (*verify.Credential, error) {
			return func(t testing.TB, v *verify.Verifier, s vc.Secured) (*verify.Credential, error) {
				v.Holder = verify.Bearer
				return onlyCredential(t, v, show(t, s))
			}
		}
		unsigned := func(credential func(vc.Secured) string) func(t testing.TB, s vc.Secured) vc.Secured {
			return func(t testing.TB, s vc.Secured) vc.Secured {
				doc := unsignedVP(t, credential(s))
				doc.Delete("holder")
				return text(t, doc, vc.MediaTypePresentation)
			}
		}
		return append(entries()[:3],
			entry{"alone", 0, bearer(func(_ testing.TB, s vc.Secured) vc.Secured { return s })},
			entry{"in an unsigned presentation", 0, bearer(unsigned(func(s vc.Secured) string { return string(s.Bytes) }))},
			entry{"in an envelope in an unsigned presentation", 0, bearer(unsigned(envelope))})
	}
	return entries()
}
