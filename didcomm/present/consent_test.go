package present

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/vc"
)

// TestAbuse_DC14_NothingWithoutConsent: a request alone makes nobody send
// anything, whatever else happens.
func TestAbuse_DC14_NothingWithoutConsent(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) { t.Parallel(); nothingWithoutConsent(t, newWorldOf(t, v)) })
	}
}

func nothingWithoutConsent(t *testing.T, w *world) {
	_, id := w.ask(wanted())
	for range 3 {
		w.settle()
		w.clock.Advance(1000 * 60 * 60)
		_, err := w.prover.Expire(t.Context(), start)
		require.NoError(t, err)
		_, err = w.prover.Exchanges(t.Context())
		require.NoError(t, err)
	}
	require.Empty(t, w.proverNode.Store.Tasks())
	require.Empty(t, w.proverNode.Store.TakeOutbox())
	x, err := w.prover.Exchange(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, RequestReceived, x.State)
}

// TestAbuse_DC14_OnlyWhatWasTicked: what is sent lies below what was ticked, or
// nothing is sent and the request stays open.
func TestAbuse_DC14_OnlyWhatWasTicked(t *testing.T) {
	t.Parallel()
	all := []vc.Pointer{"/credentialSubject"}
	for name, c := range map[string]struct {
		request func(*Request)
		answer  func(*world, *Answer)
		want    error // nil: sent
	}{
		"everything":          {nil, nil, nil},
		"every section":       {nil, ticked("/credentialSubject/personal", "/credentialSubject/dbs"), nil},
		"every claim":         {nil, ticked("/credentialSubject/personal/givenName", "/credentialSubject/personal/photo/id", "/credentialSubject/dbs/level"), nil},
		"the whole document":  {nil, ticked(""), nil},
		"without the photo":   {nil, func(_ *world, a *Answer) { a.Attachments = nil }, nil},
		"nothing":             {nil, ticked(), ErrConsent},
		"what was asked":      {nil, ticked("/credentialSubject/dbs/level"), ErrConsent},
		"one section":         {nil, ticked("/credentialSubject/dbs"), ErrConsent},
		"one claim less":      {nil, ticked("/credentialSubject/personal/givenName", "/credentialSubject/dbs/level"), ErrConsent},
		"a name's beginning":  {nil, ticked("/credentialSubject/person", "/credentialSubject/d"), ErrConsent},
		"something else":      {nil, ticked("/issuer", "/type"), ErrConsent},
		"no pointer":          {nil, ticked("credentialSubject"), ErrConsent},
		"another input's":     {nil, func(_ *world, a *Answer) { s := a.Shown["input-1"]; s.Reveal = nil; a.Shown["input-1"] = s }, ErrConsent},
		"no credential":       {nil, func(_ *world, a *Answer) { a.Shown = nil }, ErrIncomplete},
		"another input":       {nil, func(_ *world, a *Answer) { a.Shown = map[string]Shown{"x": a.Shown["input-1"]} }, ErrIncomplete},
		"one more credential": {nil, func(_ *world, a *Answer) { a.Shown["x"] = a.Shown["input-1"] }, ErrIncomplete},
		"a photo nobody names": {nil, func(_ *world, a *Answer) {
			a.Attachments = append(a.Attachments, didcomm.NewAttachment("urn:photo:2", "", []byte("x")))
		}, ErrConsent},
		"a photo without id":                      {nil, func(_ *world, a *Answer) { a.Attachments[0].ID = "" }, ErrConsent},
		"a photo twice":                           {nil, func(_ *world, a *Answer) { a.Attachments = append(a.Attachments, a.Attachments[0]) }, ErrMalformed},
		"only what was asked, a whole credential": {func(r *Request) { r.Inputs[0].Only = true }, nil, ErrConsent},
		"only what was asked, which is all": {func(r *Request) {
			r.Inputs[0].Only = true
			r.Inputs[0].Fields = []Field{{At: "/credentialSubject/personal"}, {At: "/credentialSubject/dbs"}}
		}, nil, nil},
		"claims that cannot be seen": {nil, func(_ *world, a *Answer) {
			a.Shown["input-1"] = Shown{vc.Secured{MediaType: "application/dc+sd-jwt", Bytes: []byte("e30.e30.AA~")}, all}
		}, ErrConsent},
		"claims outside the subject": {nil, func(w *world, a *Answer) {
			s := w.passport()
			s.Bytes = []byte(strings.Replace(string(s.Bytes), `"credentialSubject"`, `"evidence":{"type":"Note","text":"secret"},"credentialSubject"`, 1))
			a.Shown["input-1"] = Shown{s, all}
		}, ErrConsent},
		"an empty list not ticked": {nil, func(w *world, a *Answer) {
			a.Shown["input-1"] = Shown{w.credential(passportType, `"dbs":{},"notes":[]`), []vc.Pointer{"/credentialSubject/dbs"}}
			a.Attachments = nil
		}, ErrConsent},
		"an id inside a section": {nil, func(w *world, a *Answer) {
			a.Shown["input-1"] = Shown{w.credential(passportType, `"dbs":{"id":"urn:x"}`), []vc.Pointer{"/credentialSubject/dbs/level"}}
			a.Attachments = nil
		}, ErrConsent},
		"a presenter that adds a claim": {nil, func(w *world, a *Answer) { a.Presenter = adding{a.Presenter} }, ErrConsent},
		"a presenter that adds a credential": {nil, func(w *world, a *Answer) {
			a.Presenter = stuffing{a.Presenter, w.credential(skillType, `"skill":"Fire safety"`)}
		}, ErrConsent},
		"a presenter that describes the holder": {nil, func(_ *world, a *Answer) {
			a.Presenter = changing{a.Presenter, func(p *vc.Presentation) {
				p.Holder.Other = map[string]json.RawMessage{"name": json.RawMessage(`"Hazel"`)}
			}}
		}, ErrConsent},
		"a presenter that adds a type": {nil, func(_ *world, a *Answer) {
			a.Presenter = changing{a.Presenter, func(p *vc.Presentation) { p.Type = append(p.Type, "HazelPresentation") }}
		}, ErrConsent},
		"a presenter that adds an id": {nil, func(_ *world, a *Answer) {
			a.Presenter = changing{a.Presenter, func(p *vc.Presentation) { p.ID = "urn:hazel" }}
		}, ErrConsent},
		"a presenter that adds a context": {nil, func(_ *world, a *Answer) {
			a.Presenter = changing{unproven{}, func(p *vc.Presentation) { p.Context = append(p.Context, vc.Context{URL: "https://hazel.example"}) }}
		}, ErrConsent},
		"a presenter of another format": {nil, func(_ *world, a *Answer) { a.Presenter = jwt{} }, ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := wanted()
			if c.request != nil {
				c.request(&r)
			}
			_, id := w.ask(r)
			a := w.answer()
			if c.answer != nil {
				c.answer(w, &a)
			}
			before := w.proverNode.Store.Snapshot()
			err := w.prover.Present(t.Context(), id, a)
			if c.want == nil {
				require.NoError(t, err)
				require.Equal(t, []string{presentation}, sentNames(w.proverNode))
				return
			}
			require.ErrorIs(t, err, c.want)
			require.NotContains(t, err.Error(), "Hazel")
			require.Empty(t, w.proverNode.Store.TakeOutbox())
			require.Equal(t, before, w.proverNode.Store.Snapshot())
			require.Equal(t, RequestReceived, w.only(w.prover.Exchanges).State)
		})
	}
}

// TestAbuse_DC14_RelayByRotation: a peer that says it goes by somebody else's DID (RFC
// 0794) cannot have what that one asks for.
func TestAbuse_DC14_RelayByRotation(t *testing.T) {
	t.Parallel()
	mallory, key := peerDID(t, 7), signer(t, 7).Public().(ed25519.PublicKey)
	for name, c := range map[string]struct {
		change func(*didcomm.Connection)
		ok     bool
	}{
		"the verifier itself": {func(*didcomm.Connection) {}, true},
		"that rotates": {func(c *didcomm.Connection) { // and has not had the answer
			c.PriorKey, c.PriorTheirs = c.TheirKey, c.Theirs
			c.TheirKey, c.Theirs = key, mallory
		}, true},
		"somebody else": {func(c *didcomm.Connection) { c.Theirs = mallory }, false},
		"who says to be it": {func(c *didcomm.Connection) {
			c.PriorKey, c.PriorTheirs = key, mallory
		}, false},
		"who had no DID and says to be it": {func(c *didcomm.Connection) { c.PriorKey = key }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.theirs(w.proverNode, c.change)
			_, err := w.verifier.Request(t.Context(), "to-hazel", wanted())
			require.NoError(t, err)
			asked := w.verifierNode.Store.TakeOutbox()[0].Message
			err = w.proverNode.Store.Deliver(t.Context(), w.prover, "to-birchwood", asked)
			if c.ok {
				require.NoError(t, err)
				return
			}
			requireRefused(t, err, codeAbandoned)
			all, err := w.prover.Exchanges(t.Context())
			require.NoError(t, err)
			require.Empty(t, all)
		})
	}
}

func ticked(reveal ...vc.Pointer) func(*world, *Answer) {
	return func(w *world, a *Answer) {
		a.Shown = map[string]Shown{"input-1": {w.passport(), reveal}}
		if len(reveal) == 0 || len(reveal) == 1 && reveal[0] != "" {
			a.Attachments = nil
		}
	}
}

// adding is a presenter that says more than it was told.
type adding struct{ Presenter }

func (p adding) Present(ctx context.Context, d *vc.Presentation, audience, nonce string) (vc.Secured, error) {
	d.Other["note"] = json.RawMessage(`"Hazel likes rivers"`)
	return p.Presenter.Present(ctx, d, audience, nonce)
}

// changing is a presenter that does something else before it signs.
type changing struct {
	Presenter
	change func(*vc.Presentation)
}

func (p changing) Present(ctx context.Context, d *vc.Presentation, audience, nonce string) (vc.Secured, error) {
	p.change(d)
	return p.Presenter.Present(ctx, d, audience, nonce)
}

// unproven is a presenter that does not sign.
type unproven struct{}

func (unproven) Present(_ context.Context, d *vc.Presentation, _, _ string) (vc.Secured, error) {
	b, err := d.MarshalJSON()
	return vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: b}, err
}

// stuffing is a presenter that shows more than it was told.
type stuffing struct {
	Presenter
	more vc.Secured
}

func (p stuffing) Present(ctx context.Context, d *vc.Presentation, audience, nonce string) (vc.Secured, error) {
	d.Credentials = append(d.Credentials, p.more)
	return p.Presenter.Present(ctx, d, audience, nonce)
}

type jwt struct{}

func (jwt) Present(context.Context, *vc.Presentation, string, string) (vc.Secured, error) {
	return vc.Secured{MediaType: "application/vp+jwt", Bytes: []byte("e30.e30.AA")}, nil
}

// TestVerifier_Refuses: what an honest prover would not send.
func TestVerifier_Refuses(t *testing.T) {
	t.Parallel()
	other := signer(t, 9)
	for name, c := range map[string]struct {
		make func(t *testing.T, w *world, x *record) vc.Secured
		code string
	}{
		"for another challenge": {func(t *testing.T, w *world, x *record) vc.Secured {
			return w.prove(t, w.staff, x, x.Domain, "of an earlier request", nil)
		}, "challenge"},
		"for another domain": {func(t *testing.T, w *world, x *record) vc.Secured {
			return w.prove(t, w.staff, x, "https://elsewhere.example", x.Challenge, nil)
		}, "domain"},
		"by somebody else": {func(t *testing.T, w *world, x *record) vc.Secured {
			return w.prove(t, other, x, x.Domain, x.Challenge, nil)
		}, "holder"},
		"with an untrusted credential": {func(t *testing.T, w *world, x *record) vc.Secured {
			w.employer = other
			return w.prove(t, w.staff, x, x.Domain, x.Challenge, nil)
		}, "untrusted"},
		"with a changed claim": {func(t *testing.T, w *world, x *record) vc.Secured {
			return w.prove(t, w.staff, x, x.Domain, x.Challenge, func(p *vc.Presentation) {
				p.Credentials[0].Bytes = []byte(strings.Replace(string(p.Credentials[0].Bytes), "Enhanced", "Basic", 1))
			})
		}, "proof"},
		"changed after signing": {func(t *testing.T, w *world, x *record) vc.Secured {
			s := w.prove(t, w.staff, x, x.Domain, x.Challenge, nil)
			s.Bytes = []byte(strings.Replace(string(s.Bytes), `"ldp_vc"`, `"ldp_vp"`, 1))
			return s
		}, "proof"},
		"of another type": {func(t *testing.T, w *world, x *record) vc.Secured {
			return w.prove(t, w.staff, x, x.Domain, x.Challenge, func(p *vc.Presentation) {
				p.Credentials[0] = w.credential(skillType, `"dbs":{"level":"Enhanced"}`)
			})
		}, "incomplete"},
		"without a claim": {func(t *testing.T, w *world, x *record) vc.Secured {
			return w.prove(t, w.staff, x, x.Domain, x.Challenge, func(p *vc.Presentation) {
				p.Credentials[0] = w.credential(passportType, `"dbs":{}`)
			})
		}, "incomplete"},
		"without a submission":         submission1(nil),
		"submission of another":        submission1(func(s *submission) { s.Definition = "x" }),
		"submission empty":             submission1(func(s *submission) { s.Map = nil }),
		"submission of another input":  submission1(func(s *submission) { s.Map[0].ID = "x" }),
		"submission entry twice":       submission1(func(s *submission) { s.Map = append(s.Map, s.Map[0]) }),
		"submission in another format": submission1(func(s *submission) { s.Map[0].Format = "jwt_vc" }),
		"submission without a position": {func(t *testing.T, w *world, x *record) vc.Secured {
			return w.prove(t, w.staff, x, x.Domain, x.Challenge, func(p *vc.Presentation) {
				p.Credentials = append(p.Credentials, w.credential(skillType, `"skill":"Fire safety"`))
				p.Other[submissionMember] = json.RawMessage(strings.Replace(string(p.Other[submissionMember]), "[0]", "", 1))
			})
		}, "incomplete"},
		"submission past the end":     submission1(func(s *submission) { s.Map[0].Path = "$.verifiableCredential[1]" }),
		"submission far past the end": submission1(func(s *submission) { s.Map[0].Path = "$.verifiableCredential[99999999999999999999]" }),
		"submission elsewhere":        submission1(func(s *submission) { s.Map[0].Path = "$.holder" }),
		"submission deeper":           submission1(func(s *submission) { s.Map[0].Path = "$.verifiableCredential[0].x" }),
		"submission nested":           submission1(func(s *submission) { s.Map[0].Nested = json.RawMessage(`{"path":"$"}`) }),
		"submission without a path":   submission1(func(s *submission) { s.Map[0].Path = "" }),
		"not a presentation": {func(*testing.T, *world, *record) vc.Secured {
			return vc.Secured{Bytes: []byte(`{"a":1}`)}
		}, "malformed"},
		"a credential alone": {func(_ *testing.T, w *world, _ *record) vc.Secured { return w.passport() }, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			verifierID, _ := w.ask(wanted())
			x := w.load(t, verifierID)
			s := c.make(t, w, x)
			w.send(t, x.Thread, "m1", s)
			require.NoError(t, w.verifierNode.Work(t.Context()))
			got := w.only(w.verifier.Exchanges)
			require.Equal(t, Abandoned, got.State)
			require.Equal(t, c.code, got.Code)
			require.NotEmpty(t, got.Reason)
			require.Len(t, w.decided, 1)
			require.Error(t, w.decided[0].Err)
			require.Nil(t, w.decided[0].Presentation)
			require.Nil(t, w.decided[0].ByInput)
			require.Equal(t, []string{problem}, sentNames(w.verifierNode))
		})
	}
}

func submission1(change func(*submission)) struct {
	make func(t *testing.T, w *world, x *record) vc.Secured
	code string
} {
	return struct {
		make func(t *testing.T, w *world, x *record) vc.Secured
		code string
	}{func(t *testing.T, w *world, x *record) vc.Secured {
		return w.prove(t, w.staff, x, x.Domain, x.Challenge, func(p *vc.Presentation) {
			if change == nil {
				p.Other = nil
				return
			}
			var s submission
			require.NoError(t, json.Unmarshal(p.Other[submissionMember], &s))
			change(&s)
			raw, err := json.Marshal(s)
			require.NoError(t, err)
			p.Other[submissionMember] = raw
		})
	}, "incomplete"}
}

func (w *world) load(t *testing.T, id string) *record {
	t.Helper()
	x := new(record)
	require.NoError(t, w.verifierNode.Store.View(t.Context(), func(tx didcomm.Tx) error { return tx.Load(kindExchange, id, x) }))
	return x
}

// prove makes a presentation of the passport, changed before it is signed.
func (w *world) prove(t *testing.T, key did.Signer, x *record, domain, challenge string, change func(*vc.Presentation)) vc.Secured {
	t.Helper()
	p, err := newPresentation("s1", x.Definition, x.Inputs, key.VerificationMethod().DID, map[string]Shown{"input-1": {Credential: w.passport()}}, false)
	require.NoError(t, err)
	if change != nil {
		change(p)
	}
	s, err := w.presenter(key).Present(t.Context(), p, domain, challenge)
	require.NoError(t, err)
	return s
}

// send delivers a presentation to the verifier.
func (w *world) send(t *testing.T, thread, id string, s vc.Secured) {
	t.Helper()
	a, err := newAttachment("a", formatSubmission, "", s.Bytes)
	require.NoError(t, err)
	m := w.message(id, presentation, thread, struct{}{}, memberPresentations, a)
	require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", m))
}

// TestVerifier_Replay: a presentation that was good once is not good again.
func TestVerifier_Replay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, proverID := w.ask(wanted())
	require.NoError(t, w.prover.Present(t.Context(), proverID, w.answer()))
	sent := w.proverNode.Store.TakeOutbox()[0].Message
	require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", sent))
	require.NoError(t, w.verifierNode.Work(t.Context()))
	require.NoError(t, w.decided[0].Err)

	again := *sent
	again.ID = "again"
	requireRefused(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", &again), codeOutOfOrder)

	secondID, err := w.verifier.Request(t.Context(), "to-hazel", wanted())
	require.NoError(t, err)
	elsewhere := *sent
	elsewhere.ID, elsewhere.Thread = "elsewhere", w.load(t, secondID).Thread
	require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", &elsewhere))
	require.NoError(t, w.verifierNode.Work(t.Context()))
	x, err := w.verifier.Exchange(t.Context(), secondID)
	require.NoError(t, err)
	require.Equal(t, "challenge", x.Code)
	require.Len(t, w.decided, 2)
	require.Error(t, w.decided[1].Err)
}

// wirePresentation is a presentation of version 2.0 as it is written.
type wirePresentation struct {
	Formats       didcomm.Formats      `json:"formats"`
	Presentations []didcomm.Attachment `json:"presentations~attach"`
	Attach        []didcomm.Attachment `json:"~attach,omitempty"`
}

func TestVerifier_Malformed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*wirePresentation){
		"another format": func(b *wirePresentation) { b.Formats[0].Format = "hlindy/proof@v2.0" },
		"no attachment":  func(b *wirePresentation) { b.Presentations = nil },
		"by link": func(b *wirePresentation) {
			b.Presentations[0].Data = didcomm.AttachmentData{Links: []string{"https://x.example"}}
		},
		"not a text": func(b *wirePresentation) {
			b.Presentations[0].Data = didcomm.AttachmentData{JSON: json.RawMessage("1")}
		},
		"no token": func(b *wirePresentation) {
			b.Presentations[0].Data = didcomm.AttachmentData{JSON: json.RawMessage(`"a.b"`)}
		},
		"two of a format": func(b *wirePresentation) {
			b.Presentations = append(b.Presentations, didcomm.NewAttachment("b", "", []byte("{}")))
			b.Formats = append(b.Formats, didcomm.Format{AttachID: "b", Format: formatSubmission})
		},
		"in a language not asked in": func(b *wirePresentation) { b.Formats[0].Format = formatToken },
		"not JSON":                   func(b *wirePresentation) { b.Presentations[0] = didcomm.NewAttachment("a", "", []byte("{")) },
		"a list":                     func(b *wirePresentation) { b.Presentations[0] = didcomm.NewAttachment("a", "", []byte("[]")) },
		"photo without id":           func(b *wirePresentation) { b.Attach = []didcomm.Attachment{didcomm.NewAttachment("", "", []byte("x"))} },
		"photo twice":                func(b *wirePresentation) { b.Attach = []didcomm.Attachment{photo(), photo()} },
		"photo by link": func(b *wirePresentation) {
			b.Attach = []didcomm.Attachment{{ID: "p", Data: didcomm.AttachmentData{Links: []string{"x"}}}}
		},
		"nine attachments": func(b *wirePresentation) {
			for i := range 9 {
				b.Attach = append(b.Attach, didcomm.NewAttachment(fmt.Sprint(i), "", []byte("x")))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id, _ := w.ask(wanted())
			b := wirePresentation{Formats: didcomm.Formats{{AttachID: "a", Format: formatSubmission}},
				Presentations: []didcomm.Attachment{didcomm.NewAttachment("a", "", []byte("{}"))}}
			change(&b)
			m, err := didcomm.New("m1", messageType(didcomm.V1, presentation), w.load(t, id).Thread, "", b)
			require.NoError(t, err)
			require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", m))
			require.Equal(t, "malformed-presentation", w.only(w.verifier.Exchanges).Code)
			require.Equal(t, []string{problem}, sentNames(w.verifierNode))
			require.Empty(t, w.verifierNode.Store.Tasks())
			_, err = memtx.Settle(t.Context(), w.verifierNode, w.proverNode)
			require.NoError(t, err)
		})
	}
}
