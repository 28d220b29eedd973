package verify_test

import (
	"bytes"
	"context"
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
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A presentationCase is one thing that may be wrong with a presentation of a good
// passport. It is tried in every form, directly and in an envelope.
type presentationCase struct {
	name string
	want verify.Code // "" is accepted

	change   func(t testing.TB, doc *strictjson.Object)
	by       string // who signs; "" is the holder
	answer   func(t testing.TB, a *sessionProof)
	flip     bool
	verifier func(t testing.TB, v *verify.Verifier)
	session  func(s *verify.Session)
	not      string // the form that cannot say it
	document bool   // it is about what names the presenter's key
	timed    bool   // it is about when the presentation was made
}

func presentationMatrix() []presentationCase {
	without := func(name string) func(testing.TB, *strictjson.Object) {
		return func(_ testing.TB, doc *strictjson.Object) { doc.Delete(name) }
	}
	set := func(name string, value any) func(testing.TB, *strictjson.Object) {
		return func(_ testing.TB, doc *strictjson.Object) { doc.Set(name, value) }
	}
	created := func(at time.Time) func(testing.TB, *sessionProof) {
		return func(_ testing.TB, a *sessionProof) { a.created = at }
	}
	document := func(members, relationship string) func(testing.TB, *verify.Verifier) {
		return func(t testing.TB, v *verify.Verifier) {
			id := parse(t, "did:example:rowan")
			document, err := did.ParseDocument([]byte(fmt.Sprintf(`{"id":%q,"verificationMethod":[{"id":"#k","controller":%q,`+
				`"type":"Multikey","publicKeyMultibase":%q%s}],%q:["#k"]}`, id, id, holder(t).id.SpecificID(), members, relationship)))
			require.NoError(t, err)
			v.Holder = verify.UnsafeAnyHolder // the passport is about the did:key
			v.Resolver = resolverFunc(func(asked did.DID) (*did.Resolution, error) {
				if asked == id {
					return &did.Resolution{Document: document}, nil
				}
				return didkey.Resolver{}.Resolve(context.Background(), asked, did.Version{})
			})
		}
	}
	atRowan := func(_ testing.TB, a *sessionProof) { a.method = mustURL("did:example:rowan#k") }
	ofRowan := set("holder", "did:example:rowan")
	return []presentationCase{
		{name: "good"},
		{name: "good without holder", change: without("holder")},
		{name: "good without time", timed: true, answer: created(time.Time{})},

		{name: "bit of the signature", want: verify.ErrProof, flip: true},
		{name: "key of another under the holder's name", want: verify.ErrProof, by: "Nettle Styx",
			answer: func(t testing.TB, a *sessionProof) { a.method = holder(t).signer.VerificationMethod() }},
		{name: "by another", want: verify.ErrHolder, by: "Nettle Styx"},
		{name: "by another who says so", want: verify.ErrHolder, by: "Nettle Styx",
			change: func(t testing.TB, doc *strictjson.Object) { doc.Set("holder", stranger(t).id.String()) }},
		{name: "by another who does not", want: verify.ErrHolder, by: "Nettle Styx", change: without("holder")},
		{name: "key missing", document: true, want: verify.ErrKeyNotFound, answer: func(t testing.TB, a *sessionProof) { a.method = holder(t).id.URL("key-2") }},

		{name: "good with a DID document", change: ofRowan, answer: atRowan, verifier: document("", "authentication")},
		{name: "key for another purpose", want: verify.ErrKeyNotAuthorised, change: ofRowan, answer: atRowan, verifier: document("", "assertionMethod")},
		{name: "key's turn over, said to be signed before", want: verify.ErrKeyNotAuthorised, change: ofRowan,
			answer:   func(t testing.TB, a *sessionProof) { atRowan(t, a); a.created = noon.Add(-time.Hour) },
			verifier: document(`,"expires":"2026-03-02T11:30:00Z"`, "authentication")},
		{name: "key revoked", want: verify.ErrKeyNotAuthorised, change: ofRowan,
			answer:   func(t testing.TB, a *sessionProof) { atRowan(t, a); a.created = noon.Add(-time.Hour) },
			verifier: document(`,"revoked":"2026-03-02T11:30:00Z"`, "authentication")},

		{name: "other nonce", want: verify.ErrChallenge, session: func(s *verify.Session) { s.Nonce = "another" }},
		{name: "longer nonce", want: verify.ErrChallenge, session: func(s *verify.Session) { s.Nonce = nonce + "x" }},
		{name: "no nonce", want: verify.ErrChallenge, answer: func(_ testing.TB, a *sessionProof) { a.nonce = "" }},
		{name: "other audience", want: verify.ErrDomain, session: func(s *verify.Session) { s.Audience = "https://host.example" }},
		{name: "no audience", want: verify.ErrDomain, answer: func(_ testing.TB, a *sessionProof) { a.audience = nil }},
		{name: "two audiences", want: verify.ErrDomain, answer: func(_ testing.TB, a *sessionProof) { a.audience = append(a.audience, "https://a.example") }},
		{name: "no session", want: verify.ErrConfig, session: func(s *verify.Session) { *s = verify.Session{} }},
		{name: "used before", want: verify.ErrReplay, verifier: func(_ testing.TB, v *verify.Verifier) {
			v.Replay = replayFunc(func() error { return verify.ErrReplay })
		}},

		{name: "made in five minutes", timed: true, answer: created(noon.Add(5 * time.Minute))},
		{name: "made later", timed: true, want: verify.ErrProofNotYetValid, answer: created(noon.Add(5*time.Minute + time.Second))},
		{name: "made a week ago", timed: true, answer: created(noon.Add(-7 * 24 * time.Hour))},
		{name: "made before that", timed: true, want: verify.ErrProofTooOld, answer: created(noon.Add(-7*24*time.Hour - time.Second))},
		{name: "older than the policy allows", timed: true, want: verify.ErrProofTooOld, answer: created(noon.Add(-time.Minute - time.Second)),
			verifier: func(_ testing.TB, v *verify.Verifier) { v.MaxAge = time.Minute }},
		{name: "ends now", timed: true, answer: func(_ testing.TB, a *sessionProof) { a.expires = noon }},
		{name: "ended", timed: true, want: verify.ErrProofExpired, answer: func(_ testing.TB, a *sessionProof) { a.expires = noon.Add(-time.Second) }},

		{name: "unknown context", want: verify.ErrContextNotAllowed, change: set("@context", []any{vc.ContextV2, evilContext})},
		{name: "context below", want: verify.ErrContextNotAllowed,
			change: func(t testing.TB, doc *strictjson.Object) {
				doc.Set("more", object(t, `{"@context":"`+evilContext+`"}`))
			}},
		{name: "no type of presentation", want: verify.ErrMalformed, change: set("type", "VerifiableCredential")},
		{name: "no credential", want: verify.ErrMalformed, change: without("verifiableCredential")},
		{name: "empty list of credentials", want: verify.ErrMalformed, change: set("verifiableCredential", []any{})},
		{name: "string for a credential", want: verify.ErrMalformed, change: set("verifiableCredential", []any{"eyJ.eyJ.c2ln"})},
		{name: "embedded proof that nobody looks at", want: verify.ErrProofSet, not: "vp",
			change: func(t testing.TB, doc *strictjson.Object) {
				doc.Set("proof", object(t, `{"type":"DataIntegrityProof"}`))
			}},
		{name: "too many credentials", want: verify.ErrTooLarge, change: func(t testing.TB, doc *strictjson.Object) {
			many := make([]any, 65)
			for i := range many {
				many[i] = object(t, envelope(vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte("{}")}))
			}
			doc.Set("verifiableCredential", many)
		}},
	}
}

// make presents the credential as the case has it.
func (c presentationCase) make(t testing.TB, f vpForm, good vc.Secured) (*verify.Verifier, vc.Secured, verify.Session) {
	t.Helper()
	v, a, want := c.setUp(t)
	doc := unsignedVP(t, envelope(good))
	if c.change != nil {
		c.change(t, doc)
	}
	by := holder(t)
	if c.by != "" {
		by = newParty(t, c.by)
	}
	s := f.sign(t, by, doc, a)
	if c.flip {
		s = f.flip(t, s)
	}
	return v, s, want
}

// setUp returns the verifier of the case, what is answered and what was asked.
func (c presentationCase) setUp(t testing.TB) (*verify.Verifier, sessionProof, verify.Session) {
	t.Helper()
	v, want := verifier(t), session(t)
	a := answerNow(t, v)
	if c.answer != nil {
		c.answer(t, &a)
	}
	if c.verifier != nil {
		c.verifier(t, v)
	}
	if c.session != nil {
		c.session(&want)
	}
	return v, a, want
}

// TestPresentationMatrix tries every case in every form, directly and enveloped.
func TestPresentationMatrix(t *testing.T) {
	t.Parallel()
	good := issued(t)
	for _, f := range vpForms() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range presentationMatrix() {
				if c.not == f.name {
					continue
				}
				v, s, want := c.make(t, f, good)
				if c.change == nil {
					require.Equal(t, s.MediaType, verify.MediaType(s.Bytes), c.name)
				}
				for _, s := range []vc.Secured{s, envelopedVP(s)} {
					p, err := v.Presentation(context.Background(), s, want)
					if c.want == "" {
						require.NoError(t, err, c.name)
						require.Len(t, p.Credentials(), 1)
						require.Equal(t, passport(t), p.Credentials()[0].Document())
						if v.Holder == verify.HolderIsSubject {
							require.Equal(t, holder(t).id, p.Holder())
						}
						continue
					}
					require.Nil(t, p, c.name)
					var e *verify.Error
					require.ErrorAs(t, err, &e, c.name)
					require.Equal(t, c.want, e.Code, "%s: %v", c.name, err)
				}
			}
		})
	}
}

// A soloForm is a credential that answers a session by itself, without a
// presentation that its holder signed.
type soloForm struct {
	name   string
	bearer bool // it has no time of its own, and nobody who shows it
	show   func(t testing.TB, by party, a sessionProof) vc.Secured
	flip   func(t testing.TB, s vc.Secured) vc.Secured
}

func soloForms(t testing.TB) []soloForm {
	t.Helper()
	keyBinding := func(f sdForm) soloForm {
		good := matrixCase{}.make(t, f)
		return soloForm{f.name() + " and key binding", false, func(t testing.TB, by party, a sessionProof) vc.Secured {
			claims := keyBindingOf(t, good, host(t).id.String(), a.nonce, a.created)
			for _, absent := range []struct {
				name string
				is   bool
			}{{"iat", a.created.IsZero()}, {"nonce", a.nonce == ""}, {"aud", len(a.audience) == 0}} {
				if absent.is {
					claims.Delete(absent.name)
				}
			}
			if len(a.audience) > 1 {
				claims.Set("aud", []any{a.audience[0], a.audience[1]})
			}
			if !a.expires.IsZero() {
				claims.Set("exp", a.expires.Unix())
			}
			kb := jwt(t, by, "kb+jwt", signing{}, claims)
			return vc.Secured{MediaType: good.MediaType, Bytes: append(slices.Clone(good.Bytes), kb...)}
		}, func(t testing.TB, s vc.Secured) vc.Secured {
			i := bytes.LastIndexByte(s.Bytes, '~') + 1
			kb := flipJWT(t, vc.Secured{Bytes: s.Bytes[i:]})
			return vc.Secured{MediaType: s.MediaType, Bytes: append(slices.Clone(s.Bytes[:i]), kb.Bytes...)}
		}}
	}
	base := based(t, bbs.Suite("/type"), partyOf(t, "Riverside Trust", bls12381Key), true)
	bearer := soloForm{"bbs-2023 of its bearer", true, func(t testing.TB, _ party, a sessionProof) vc.Secured {
		audience := strings.Join(a.audience, " ")
		s, err := bbs.Derive(context.Background(), base, []vc.Pointer{""}, contexts(), bbs.SessionHeader(audience, a.nonce))
		require.NoError(t, err)
		return s
	}, embeddedForm{derives: "bbs-2023"}.flip}
	enveloped := bearer
	enveloped.name += ", enveloped"
	enveloped.show = func(t testing.TB, by party, a sessionProof) vc.Secured {
		return text(t, bearers(t, envelope(bearer.show(t, by, a))), vc.MediaTypePresentation)
	}
	enveloped.flip = func(t testing.TB, _ vc.Secured) vc.Secured {
		inner := bearer.flip(t, bearer.show(t, party{}, answerNow(t, verifier(t))))
		return text(t, bearers(t, envelope(inner)), vc.MediaTypePresentation)
	}
	return []soloForm{
		keyBinding(sdForm{sdjwt.MediaTypeSDJWTVC, ed25519Key, true}),
		keyBinding(sdForm{sdjwt.MediaTypeSDJWTVC, p256Key, true}),
		keyBinding(sdForm{sdjwt.MediaTypeCredential, p256Key, true}),
		bearer, enveloped,
	}
}

// bearers is a presentation that nobody signs.
func bearers(t testing.TB, credentials ...string) *strictjson.Object {
	t.Helper()
	doc := unsignedVP(t, credentials...)
	doc.Delete("holder")
	return doc
}

// TestSessionMatrix tries the cases of [TestPresentationMatrix] that are about the
// session on everything that answers one by itself.
func TestSessionMatrix(t *testing.T) {
	t.Parallel()
	for _, f := range soloForms(t) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			tried := 0
			for _, c := range presentationMatrix() {
				if c.change != nil || c.document || f.bearer && (c.timed || c.by != "") {
					continue
				}
				tried++
				v, a, want := c.setUp(t)
				v.Trust = verify.AnyIssuerUnsafe{}
				if f.bearer {
					v.Holder = verify.Bearer
				}
				by := holder(t)
				if c.by != "" {
					by = newParty(t, c.by)
				}
				s := f.show(t, by, a)
				if c.flip {
					s = f.flip(t, s)
				}
				require.Equal(t, s.MediaType, verify.MediaType(s.Bytes), c.name)
				p, err := v.Presentation(context.Background(), s, want)
				if c.want == "" && !a.created.IsZero() {
					require.NoError(t, err, c.name)
					require.Len(t, p.Credentials(), 1)
					require.Equal(t, f.bearer, p.Holder().IsZero())
					continue
				}
				require.Nil(t, p, c.name)
				var e *verify.Error
				require.ErrorAs(t, err, &e, c.name)
				require.Contains(t, c.alone(f.bearer), e.Code, "%s: %v", c.name, err)
			}
			require.Greater(t, tried, 8)
		})
	}
}

// alone are the codes of the case where a credential answers by itself: a key
// binding is malformed without a claim that it must have and by nobody's key but the
// holder's, and bbs-2023 has one value for the whole session.
func (c presentationCase) alone(bearer bool) []verify.Code {
	switch {
	case c.want == verify.ErrHolder:
		return []verify.Code{verify.ErrProof}
	case c.want == verify.ErrDomain && bearer:
		return []verify.Code{verify.ErrChallenge}
	case c.answer != nil && (c.want == "" || c.want == verify.ErrDomain || c.want == verify.ErrChallenge):
		return []verify.Code{c.want, verify.ErrProofMalformed}
	}
	return []verify.Code{c.want}
}
