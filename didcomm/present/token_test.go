package present

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// TestPresent_Token: a presentation that is a JSON Web Token, of data model 2.0, with
// credentials in three forms.
func TestPresent_Token(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		w := newWorldOf(t, v)
		embedded := w.passport()
		token, err := (&jose.Issuer{Signer: w.employer, Contexts: contexts(), Now: w.clock.Now}).Secure(t.Context(), &vc.Credential{
			Context: vc.Contexts(passportContext), Type: []string{vc.TypeCredential, skillType}, Issuer: vc.Party{ID: w.employer.VerificationMethod().DID.String()},
			Subject: json.RawMessage(fmt.Sprintf(`{"id":%q,"skill":"Fire safety"}`, w.staff.VerificationMethod().DID)),
		})
		require.NoError(t, err)
		r := wanted()
		r.Proofs = []string{ProofJWT, proofDataIntegrity}
		r.Inputs = append(r.Inputs, Input{ID: "skill", Type: skillType, Formats: []string{FormJWT}, Fields: []Field{{At: "/credentialSubject/skill"}}})
		_, id := w.ask(r)
		require.NoError(t, w.prover.Present(t.Context(), id, Answer{Key: w.staff, Presenter: &jose.Presenter{Signer: w.staff, Now: w.clock.Now},
			Shown: map[string]Shown{
				"input-1": {embedded, []vc.Pointer{"/credentialSubject"}},
				"skill":   {token, []vc.Pointer{"/credentialSubject"}},
			}}))
		w.settle()
		require.NoError(t, w.decided[0].Err, number)
		require.Equal(t, jose.MediaTypePresentation, w.decided[0].Secured.MediaType)
		require.Contains(t, string(w.decided[0].ByInput["skill"].Document().Subject), "Fire safety")
		require.Equal(t, w.staff.VerificationMethod().DID, w.decided[0].Presentation.Holder())
	}
}

// TestVerifier_RefusesTokens: a token for somebody else, from before, or of another kind.
func TestVerifier_RefusesTokens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(w *world, x *record) vc.Secured
		code string
	}{
		"as it is":         {func(w *world, x *record) vc.Secured { return w.presented(x, x.Domain, x.Challenge, nil) }, ""},
		"another audience": {func(w *world, x *record) vc.Secured { return w.presented(x, "did:example:x", x.Challenge, nil) }, "domain"},
		"another nonce":    {func(w *world, x *record) vc.Secured { return w.presented(x, x.Domain, "x", nil) }, "challenge"},
		"no submission": {func(w *world, x *record) vc.Secured {
			return w.presented(x, x.Domain, x.Challenge, func(p *vc.Presentation) { p.Other = nil })
		}, "incomplete"},
		"another submission": {func(w *world, x *record) vc.Secured {
			x.Definition = "x"
			return w.presented(x, x.Domain, x.Challenge, nil)
		}, "incomplete"},
		"a credential": {func(w *world, _ *record) vc.Secured { return w.oldToken("") }, "media-type"},
		"by somebody else": {func(w *world, x *record) vc.Secured {
			w.staff = signer(w.t, 9)
			return w.presented(x, x.Domain, x.Challenge, func(p *vc.Presentation) {
				w.staff = signer(w.t, 2)
				p.Credentials[0] = w.oldToken("")
				w.staff = signer(w.t, 9)
			})
		}, "holder"},
		"changed": {func(w *world, x *record) vc.Secured {
			s := w.presented(x, x.Domain, x.Challenge, nil)
			s.Bytes[len(s.Bytes)/2] ^= 1
			return s
		}, "syntax proof claims malformed proof-malformed media-type"},
	} {
		w := newWorld(t)
		w.agents()
		r := oldWanted()
		r.Proofs = []string{ProofJWT}
		verifierID, _ := w.ask(r)
		x := w.load(t, verifierID)
		w.send(t, x.Thread, "m1", c.make(w, x))
		require.NoError(t, w.verifierNode.Work(t.Context()))
		got := w.only(w.verifier.Exchanges)
		if c.code == "" {
			require.Equal(t, Done, got.State)
			continue
		}
		require.Equal(t, Abandoned, got.State, name)
		require.Contains(t, strings.Fields(c.code), got.Code, name)
		require.Nil(t, w.decided[0].ByInput)
	}
}

// presented makes a token of a presentation of an old token.
func (w *world) presented(x *record, domain, challenge string, change func(*vc.Presentation)) vc.Secured {
	w.t.Helper()
	p, err := newPresentation("s", x.Definition, x.Inputs, w.staff.VerificationMethod().DID, map[string]Shown{"passport": {Credential: w.oldToken("")}}, true)
	require.NoError(w.t, err)
	if change != nil {
		change(p)
	}
	s, err := w.tokenAnswer(vc.Secured{}).Presenter.Present(w.t.Context(), p, domain, challenge)
	require.NoError(w.t, err)
	return s
}

// TestAbuse_DC14_TextBesideTheToken: what an employer, or a presenter, writes into a
// token where the person is not asked goes to no host unseen.
func TestAbuse_DC14_TextBesideTheToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(w *world, a *Answer)
		want   error
	}{
		"as it is":              {func(*world, *Answer) {}, nil},
		"one claim":             {func(_ *world, a *Answer) { a.tick("/credentialSubject/employeeId") }, ErrConsent},
		"every claim":           {func(_ *world, a *Answer) { a.tick("/credentialSubject/employeeId", "/credentialSubject/givenName") }, nil},
		"a claim of the token":  {func(w *world, a *Answer) { a.swap(w.oldToken(`,"note":"difficult person"`)) }, ErrConsent},
		"an audience":           {func(w *world, a *Answer) { a.swap(w.oldToken(`,"aud":"difficult person"`)) }, ErrConsent},
		"a nonce":               {func(w *world, a *Answer) { a.swap(w.oldToken(`,"nonce":"QQ123456A"`)) }, ErrConsent},
		"in the header":         {func(w *world, a *Answer) { a.swap(withHeader(w, w.oldToken(""), "note")) }, ErrConsent},
		"in an unknown context": {func(w *world, _ *Answer) { w.prover.Contexts = nil }, ErrConsent},
		"by a presenter": {func(w *world, a *Answer) {
			a.Presenter = around{a.Presenter, func(s vc.Secured) vc.Secured {
				return rewritten(w, s, func(payload *strictjson.Object) { payload.Set("note", "Hazel likes rivers") })
			}}
		}, ErrConsent},
		"as the presentation's id": {func(w *world, a *Answer) {
			a.Presenter = around{a.Presenter, func(s vc.Secured) vc.Secured {
				return rewritten(w, s, func(payload *strictjson.Object) { payload.Set("jti", "urn:hazel") })
			}}
		}, ErrConsent},
		"in the presentation's header": {func(w *world, a *Answer) {
			a.Presenter = around{a.Presenter, func(s vc.Secured) vc.Secured { return withHeader(w, s, "x5u") }}
		}, ErrConsent},
	} {
		w := newWorld(t)
		w.agents()
		r := oldWanted()
		r.Proofs = []string{ProofJWT}
		_, id := w.ask(r)
		a := w.tokenAnswer(w.oldToken(""))
		c.answer(w, &a)
		err := w.prover.Present(t.Context(), id, a)
		if c.want == nil {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, c.want, name)
		require.Empty(t, w.proverNode.Store.TakeOutbox(), name)
	}
}

func (a *Answer) swap(c vc.Secured) {
	s := a.Shown["passport"]
	s.Credential = c
	a.Shown["passport"] = s
}

// around is a presenter that does something to what it made.
type around struct {
	Presenter
	change func(vc.Secured) vc.Secured
}

func (p around) Present(ctx context.Context, d *vc.Presentation, audience, nonce string) (vc.Secured, error) {
	s, err := p.Presenter.Present(ctx, d, audience, nonce)
	if err == nil {
		s = p.change(s)
	}
	return s, err
}

// rewritten signs a changed payload with the holder's key.
func rewritten(w *world, s vc.Secured, change func(*strictjson.Object)) vc.Secured {
	m, err := jws.ParseCompact(s.Bytes)
	require.NoError(w.t, err)
	payload, err := strictjson.ParseObject(m.Payload)
	require.NoError(w.t, err)
	change(payload)
	text, err := strictjson.Append(nil, payload)
	require.NoError(w.t, err)
	return w.jwt(w.staff, string(text))
}

// withHeader adds a parameter to the header, which nobody signs anew.
func withHeader(w *world, s vc.Secured, name string) vc.Secured {
	m, err := jws.ParseCompact(s.Bytes)
	require.NoError(w.t, err)
	header := m.Header.Tree.Clone()
	header.Set(name, "difficult person")
	token, err := jws.Compact(header, m.Payload, func(input []byte) ([]byte, error) { return did.Sign(context.Background(), w.staff, input) })
	require.NoError(w.t, err)
	s.Bytes = token
	return s
}

// TestAbuse_DC14_InlineContext: a context inside a credential is text, too, and goes
// out only if the wallet knows it.
func TestAbuse_DC14_InlineContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.agents()
	_, id := w.ask(oldWanted())
	a := w.oldAnswer(legacy.Ed25519Signature2018(), w.oldCredential(legacy.Ed25519Signature2018()))
	a.swap(vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(strings.Replace(string(a.Shown["passport"].Credential.Bytes), "passport.example", "difficult-person.example", 1))})
	require.ErrorIs(t, w.prover.Present(t.Context(), id, a), ErrConsent)
	require.Empty(t, w.proverNode.Store.TakeOutbox())
}

// TestAbuse_DC14_ReplacedRequest: what the person agreed to show for one request is not
// sent for another that took its place meanwhile.
func TestAbuse_DC14_ReplacedRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hears()
	verifierID, id := w.ask(wanted())
	a := w.answer()
	a.Presenter = around{a.Presenter, func(s vc.Secured) vc.Secured { // while the key signs
		require.NoError(t, w.prover.Counter(t.Context(), id, Proposal{}))
		w.settle()
		require.NoError(t, w.verifier.Answer(t.Context(), verifierID, wanted()))
		w.settle()
		return s
	}}
	require.ErrorIs(t, w.prover.Present(t.Context(), id, a), ErrState)
	require.Empty(t, w.proverNode.Store.TakeOutbox())
	x := w.only(w.prover.Exchanges)
	require.Equal(t, RequestReceived, x.State)
	require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
	w.settle()
	require.Equal(t, Done, w.only(w.verifier.Exchanges).State)
}

// TestHandle_TwoAsOne: a peer that is asked and asks in one thread has two exchanges.
func TestHandle_TwoAsOne(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) { t.Parallel(); twoAsOne(t, newWorldOf(t, v)) })
	}
}

func twoAsOne(t *testing.T, w *world) {
	roles := Roles{w.verifier, &Prover{Store: &w.verifierNode.Store, Now: w.clock.Now, UnsafeAnyDomain: true}}
	verifierID, _ := w.ask(wanted())
	thread := w.load(t, verifierID).Thread
	m := messages(t, w, thread, "m")[request]
	require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), roles, "to-hazel", m))
	require.Equal(t, RequestSent, w.only(w.verifier.Exchanges).State)
	require.Equal(t, RequestReceived, w.only(roles.Prover.Exchanges).State)
	require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), roles, "to-hazel", w.report("r", thread, codeAbandoned)))
	require.Equal(t, Abandoned, w.only(w.verifier.Exchanges).State)
	require.Equal(t, Abandoned, w.only(roles.Prover.Exchanges).State)
	var p *didcomm.Problem
	require.ErrorAs(t, w.verifierNode.Store.Deliver(t.Context(), roles, "to-hazel", messages(t, w, thread, "n")[ack]), &p)
}
