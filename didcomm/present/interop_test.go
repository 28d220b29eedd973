package present

import (
	"context"
	"encoding/base64"
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
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// An inline vocabulary, as both agents write it into their credentials.
const inline = `{"@vocab":"https://passport.example/v1#"}`

// oldContexts are those of credentials of data model 1.1, and of presentations that
// the suite of 2020 proves.
func oldContexts(t testing.TB) *vc.ContextSet {
	t.Helper()
	of := func(urls ...string) (out []vc.Context) {
		for _, u := range urls {
			if strings.HasPrefix(u, "{") {
				out = append(out, vc.Context{Inline: json.RawMessage(u)})
			} else {
				out = append(out, vc.Context{URL: u})
			}
		}
		return out
	}
	s, err := vc.NewContextSet(nil, of(vc.ContextV1, inline), of(vc.ContextV1, inline, suiteContext),
		of(vc.ContextV1, submissionContext, suiteContext), of(vc.ContextV1, suiteContext))
	require.NoError(t, err)
	return s
}

// agents makes both sides as one has them to speak with the agents of others.
func (w *world) agents() {
	check := w.check()
	check.Contexts = oldContexts(w.t)
	check.Suites = []dataintegrity.Suite{legacy.Ed25519Signature2018(), legacy.Ed25519Signature2020()}
	w.verifier.Check, w.prover.Contexts = check, oldContexts(w.t)
}

// oldCredential is one of data model 1.1, as Credo and aries issue them.
func (w *world) oldCredential(suite dataintegrity.Suite) vc.Secured {
	w.t.Helper()
	c := &vc.Credential{
		Context: []vc.Context{{URL: vc.ContextV1}, {Inline: json.RawMessage(inline)}},
		Type:    []string{vc.TypeCredential, passportType}, ValidFrom: start.AddDate(0, -1, 0),
		Issuer:  vc.Party{ID: w.employer.VerificationMethod().DID.String()},
		Subject: json.RawMessage(fmt.Sprintf(`{"id":%q,"givenName":"Hazel","employeeId":"30581377"}`, w.staff.VerificationMethod().DID)),
	}
	if suite.Name() == "Ed25519Signature2020" {
		c.Context = append(c.Context, vc.Context{URL: suiteContext})
	}
	s, err := (&dataintegrity.Issuer{Suite: suite, Signer: w.employer, Contexts: oldContexts(w.t), Now: w.clock.Now}).Secure(w.t.Context(), c)
	require.NoError(w.t, err)
	return s
}

// oldToken is the same as a JSON Web Token, as aries issues them.
func (w *world) oldToken(more string) vc.Secured {
	w.t.Helper()
	issuer, holder := w.employer.VerificationMethod().DID, w.staff.VerificationMethod().DID
	return w.jwt(w.employer, fmt.Sprintf(`{"iss":%q,"sub":%q,"nbf":%d,"jti":"urn:uuid:9b5a22ef-c12a-4819-bcd9-f4273be29617"%s,`+
		`"vc":{"@context":[%q,%s],"type":["VerifiableCredential",%q],"issuer":%q,"credentialSubject":{"id":%q,"givenName":"Hazel","employeeId":"30581377"}}}`,
		issuer, holder, start.AddDate(0, -1, 0).Unix(), more, vc.ContextV1, inline, passportType, issuer, holder))
}

// jwt signs a payload as data model 1.1 has it.
func (w *world) jwt(by did.Signer, payload string) vc.Secured {
	w.t.Helper()
	header := strictjson.NewObject(strictjson.Member{Name: "alg", Value: "EdDSA"}, strictjson.Member{Name: "kid", Value: by.VerificationMethod().String()})
	token, err := jws.Compact(header, []byte(payload), func(input []byte) ([]byte, error) { return did.Sign(context.Background(), by, input) })
	require.NoError(w.t, err)
	return vc.Secured{MediaType: jose.MediaTypeLegacy, Bytes: token}
}

// oldWanted asks as one asks such agents: for a schema, and their proofs.
func oldWanted() Request {
	return Request{Purpose: "Employment checks", Proofs: []string{"Ed25519Signature2018", "Ed25519Signature2020"}, Inputs: []Input{{
		ID: "passport", Schemas: []string{vc.ContextV1}, Fields: []Field{{At: "/credentialSubject/employeeId"}},
	}}}
}

func (w *world) oldAnswer(suite dataintegrity.Suite, c vc.Secured) Answer {
	var p Presenter = &dataintegrity.Presenter{Suite: suite, Signer: w.staff, Contexts: oldContexts(w.t), Now: w.clock.Now}
	if suite.Name() == "Ed25519Signature2020" {
		p = changing{p, func(d *vc.Presentation) { d.Context = append(d.Context, vc.Context{URL: suiteContext}) }}
	}
	return Answer{Key: w.staff, Presenter: p, Shown: map[string]Shown{"passport": {c, []vc.Pointer{"/credentialSubject"}}}}
}

// TestInterop_ProofSuites: what agents of others prove, and take, goes both ways.
func TestInterop_ProofSuites(t *testing.T) {
	t.Parallel()
	for _, suite := range []dataintegrity.Suite{legacy.Ed25519Signature2018(), legacy.Ed25519Signature2020()} {
		for number, v := range versions {
			t.Run(suite.Name()+"/"+number, func(t *testing.T) {
				t.Parallel()
				w := newWorldOf(t, v)
				w.agents()
				_, id := w.ask(oldWanted())
				require.NoError(t, w.prover.Present(t.Context(), id, w.oldAnswer(suite, w.oldCredential(suite))))
				trace := w.settle()
				require.Equal(t, []string{presentation, ack}, names(trace))
				require.NoError(t, w.decided[0].Err)
				require.Equal(t, Done, w.only(w.prover.Exchanges).State)
				require.Contains(t, string(w.decided[0].ByInput["passport"].Document().Subject), "30581377")

				list, err := trace[0].Attached("presentations")
				require.NoError(t, err)
				require.Equal(t, "dif/presentation-exchange/submission@v1.0", list[0].FormatID)
				var p map[string]any
				require.NoError(t, json.Unmarshal(list[0].Data.JSON, &p), "as JSON, which both agents read")
				require.Equal(t, vc.ContextV1, p["@context"].([]any)[0])
				require.Equal(t, submissionContext, p["@context"].([]any)[1])
				require.Equal(t, suite.Name(), p["proof"].(map[string]any)["type"])
			})
		}
	}
}

// TestInterop_Tokens: JSON Web Tokens of data model 1.1, as aries has them, in a
// presentation that is one too.
func TestInterop_Tokens(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(w *world) vc.Secured{
		"token":    func(w *world) vc.Secured { return w.oldToken("") },
		"embedded": func(w *world) vc.Secured { return w.oldCredential(legacy.Ed25519Signature2018()) },
	} {
		for number, v := range versions {
			t.Run(name+"/"+number, func(t *testing.T) {
				t.Parallel()
				w := newWorldOf(t, v)
				w.agents()
				r := oldWanted()
				r.Proofs = []string{ProofJWT}
				_, id := w.ask(r)
				require.Equal(t, []string{ProofJWT}, w.only(w.prover.Exchanges).Proofs)
				require.NoError(t, w.prover.Present(t.Context(), id, w.tokenAnswer(make(w))))
				trace := w.settle()
				require.NoError(t, w.decided[0].Err)
				require.Equal(t, Done, w.only(w.prover.Exchanges).State)
				list, err := trace[0].Attached("presentations")
				require.NoError(t, err)
				require.Regexp(t, `^"[^.]+\.[^.]+\.[^.]+"$`, string(list[0].Data.JSON))
			})
		}
	}
}

func (w *world) tokenAnswer(c vc.Secured) Answer {
	return Answer{Key: w.staff, Presenter: &jose.LegacyPresenter{Signer: w.staff, Contexts: oldContexts(w.t), Now: w.clock.Now},
		Shown: map[string]Shown{"passport": {c, []vc.Pointer{"/credentialSubject"}}}}
}

// TestInterop_TokenUnderAnEmbeddedProof: aries signs presentations around tokens with a
// proof that does not cover them: in RDF a text in their place says nothing. They are
// neither made nor taken.
func TestInterop_TokenUnderAnEmbeddedProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.agents()
	verifierID, id := w.ask(oldWanted())
	err := w.prover.Present(t.Context(), id, w.oldAnswer(legacy.Ed25519Signature2018(), w.oldToken("")))
	require.ErrorIs(t, err, dataintegrity.ErrUnsignable)
	require.Empty(t, w.proverNode.Store.TakeOutbox())

	x := w.load(t, verifierID)
	p, err := newPresentation("s", x.Definition, x.Inputs, w.staff.VerificationMethod().DID, map[string]Shown{"passport": {Credential: w.oldCredential(legacy.Ed25519Signature2018())}}, true)
	require.NoError(t, err)
	s, err := w.oldAnswer(legacy.Ed25519Signature2018(), vc.Secured{}).Presenter.Present(t.Context(), p, x.Domain, x.Challenge)
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(s.Bytes, &doc))
	doc["verifiableCredential"] = []any{string(w.oldToken("").Bytes)}
	swapped, err := json.Marshal(doc)
	require.NoError(t, err)
	require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", w.framed(x, `{"json":`+string(swapped)+`}`, "")))
	require.NoError(t, w.verifierNode.Work(t.Context()))
	require.Error(t, w.decided[0].Err)
	require.Equal(t, Abandoned, w.only(w.verifier.Exchanges).State)
}

// TestInterop_ProofSuitesAreOptIn: no verifier takes them unasked, and none is asked for
// something else in vain.
func TestInterop_ProofSuitesAreOptIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.agents()
	check := w.check()
	check.Contexts = oldContexts(t)
	w.verifier.Check = check
	_, id := w.ask(oldWanted())
	require.NoError(t, w.prover.Present(t.Context(), id, w.oldAnswer(legacy.Ed25519Signature2018(), w.oldCredential(legacy.Ed25519Signature2018()))))
	w.settle()
	require.Error(t, w.decided[0].Err)
	require.Equal(t, Abandoned, w.only(w.prover.Exchanges).State)

	for name, change := range map[string]func(*Request){
		"our own proofs alone":   func(r *Request) { r.Proofs = nil },
		"another of theirs":      func(r *Request) { r.Proofs = []string{"Ed25519Signature2020"} },
		"another credential":     func(r *Request) { r.Inputs[0].Proofs = []string{"BbsBlsSignature2020"} },
		"a token":                func(r *Request) { r.Proofs = []string{ProofJWT} },
		"another form":           func(r *Request) { r.Inputs[0].Formats = []string{FormJWT} },
		"another form and proof": func(r *Request) { r.Inputs[0].Formats, r.Inputs[0].Proofs = []string{FormSDJWTVC}, nil },
	} {
		w := newWorld(t)
		w.agents()
		r := oldWanted()
		change(&r)
		_, id := w.ask(r)
		err := w.prover.Present(t.Context(), id, w.oldAnswer(legacy.Ed25519Signature2018(), w.oldCredential(legacy.Ed25519Signature2018())))
		require.ErrorIs(t, err, ErrUnsupported, name)
		require.Empty(t, w.proverNode.Store.TakeOutbox(), name)
	}
}

// framed makes a presentation as another agent sends it.
func (w *world) framed(x *record, data string, more string) *didcomm.Message {
	w.t.Helper()
	m, err := didcomm.ParseMessage([]byte(`{"@type":"https://didcomm.org/present-proof/2.0/presentation","@id":"a7f17b1a",` + more +
		`"formats":[{"attach_id":"p","format":"dif/presentation-exchange/submission@v1.0"}],"presentations~attach":[{"@id":"p","mime-type":"application/json","data":` +
		data + `}],"~thread":{"thid":"` + x.Thread + `"}}`))
	require.NoError(w.t, err)
	return m
}

// TestInterop_AttachmentsAndDecorators: a presentation in each of the encodings that
// agents use, with the members and decorators that they add.
func TestInterop_AttachmentsAndDecorators(t *testing.T) {
	t.Parallel()
	for name, encode := range map[string]func(s string) string{
		"json":      func(s string) string { return `{"json":` + s + `}` },
		"base64":    func(s string) string { return `{"base64":"` + base64.StdEncoding.EncodeToString([]byte(s)) + `"}` },
		"base64url": func(s string) string { return `{"base64":"` + base64.RawURLEncoding.EncodeToString([]byte(s)) + `"}` },
		"padded":    func(s string) string { return `{"base64":"` + base64.URLEncoding.EncodeToString([]byte(s)) + `"}` },
	} {
		for _, more := range []string{``, `"last_presentation":true,"~please_ack":{"on":["RECEIPT"]},"~transport":{"return_route":"all"},"~attach":[],"goal_code":"x","unknown":{"a":[1]},`} {
			w := newWorld(t)
			w.agents()
			id, _ := w.ask(oldWanted())
			x := w.load(t, id)
			p, err := newPresentation("SUW5sikg381CNuyJQAB-l", x.Definition, x.Inputs, w.staff.VerificationMethod().DID,
				map[string]Shown{"passport": {Credential: w.oldCredential(legacy.Ed25519Signature2018())}}, true)
			require.NoError(t, err)
			s, err := w.oldAnswer(legacy.Ed25519Signature2018(), vc.Secured{}).Presenter.Present(t.Context(), p, x.Domain, x.Challenge)
			require.NoError(t, err)
			m := w.framed(x, encode(string(s.Bytes)), more)
			require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", m), name)
			require.NoError(t, w.verifierNode.Work(t.Context()), name)
			require.Equal(t, Done, w.only(w.verifier.Exchanges).State, name)
			require.Equal(t, []string{ack}, sentNames(w.verifierNode), "which Credo's decorator asks for, too")
		}
	}
}

// TestInterop_TokenCalledLDP: users of aries call a token ldp_vc in their submissions;
// nothing else passes for another form.
func TestInterop_TokenCalledLDP(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{"jwt_vc": "", "ldp_vc": "", "ldp_vp": "", "jwt_vc_json": "", "dc+sd-jwt": "incomplete", "": "incomplete"} {
		for _, path := range []string{"$.verifiableCredential[0]", "$.vp.verifiableCredential[0]"} {
			w := newWorld(t)
			w.agents()
			id, _ := w.ask(oldWanted())
			x := w.load(t, id)
			p, err := newPresentation("s", x.Definition, x.Inputs, w.staff.VerificationMethod().DID, map[string]Shown{"passport": {Credential: w.oldToken("")}}, true)
			require.NoError(t, err)
			p.Other[submissionMember] = json.RawMessage(strings.NewReplacer(`"jwt_vc"`, `"`+label+`"`, "$.verifiableCredential[0]", path).Replace(string(p.Other[submissionMember])))
			s, err := w.tokenAnswer(vc.Secured{}).Presenter.Present(t.Context(), p, x.Domain, x.Challenge)
			require.NoError(t, err)
			for i, data := range []string{`{"json":"` + string(s.Bytes) + `"}`, `{"base64":"` + base64.StdEncoding.EncodeToString(s.Bytes) + `"}`} {
				w.verifierNode.Store.TakeOutbox()
				require.NoError(t, w.verifierNode.Store.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Save(kindExchange, x.ID, x) }))
				m := w.framed(x, data, "")
				m.ID = fmt.Sprint("m", i)
				require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", m))
				require.NoError(t, w.verifierNode.Work(t.Context()))
				require.Equal(t, want, w.only(w.verifier.Exchanges).Code, label)
			}
		}
	}
}

// TestInterop_ReportWithAThreadOfItsOwn: aries reports a problem in a thread that has
// the failing one as its parent.
func TestInterop_ReportWithAThreadOfItsOwn(t *testing.T) {
	t.Parallel()
	for parent, want := range map[bool]State{true: Abandoned, false: RequestSent} {
		w := newWorld(t)
		id, _ := w.ask(wanted())
		thread := "another"
		if parent {
			thread = w.load(t, id).Thread
		}
		m, err := didcomm.ParseMessage([]byte(`{"@id":"r1","@type":"https://didcomm.org/present-proof/2.0/problem-report","description":{"code":"rejected"},"~thread":{"pthid":"` + thread + `"}}`))
		require.NoError(t, err)
		require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), Roles{Verifier: w.verifier}, "to-hazel", m))
		x := w.only(w.verifier.Exchanges)
		require.Equal(t, want, x.State)
		require.Equal(t, parent, x.ByPeer)
		require.Empty(t, w.verifierNode.Store.TakeOutbox())
	}
}

// TestInterop_UnknownMembersEverywhere: each message of a flow with members and
// decorators that nobody knows, in a later minor version.
func TestInterop_UnknownMembersEverywhere(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			w.verifier.Proposed = func(context.Context, didcomm.Tx, *Exchange) error { return nil }
			deliver := func(from, to string) {
				n := map[string]Role{"verifier": RoleVerifier, "prover": RoleProver}
				sent := w.node(n[from]).Store.TakeOutbox()
				require.Len(t, sent, 1)
				m := edit(t, sent[0].Message, func(b map[string]any) {
					b["x"], b["~y"], b["present_multiple"] = 1, map[string]any{"z": []any{}}, false
				})
				m.Type.Minor = 7
				node := w.node(n[to])
				require.NoError(t, node.Store.Deliver(t.Context(), node.Handler, node.Connection, m))
				require.NoError(t, node.Work(t.Context()))
			}
			id, err := w.prover.Propose(t.Context(), "to-birchwood", Proposal{Inputs: wanted().Inputs})
			require.NoError(t, err)
			deliver("prover", "verifier")
			require.NoError(t, w.verifier.Answer(t.Context(), w.only(w.verifier.Exchanges).ID, Request{}))
			deliver("verifier", "prover")
			require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
			deliver("prover", "verifier")
			deliver("verifier", "prover")
			require.Equal(t, Done, w.only(w.prover.Exchanges).State)
			require.Equal(t, Done, w.only(w.verifier.Exchanges).State)
		})
	}
}
