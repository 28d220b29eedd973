package issue

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/status"
)

// TestIssuer_LinkedRequestRefused: who accepts an offer of RFC 0593 asks for what was
// offered, and says who it is for.
func TestIssuer_LinkedRequestRefused(t *testing.T) {
	t.Parallel()
	edit := func(f func(w *world, c *vc.Credential)) func(*world, *detail) {
		return func(w *world, d *detail) {
			c, err := vc.Parse(d.Credential)
			if err != nil {
				panic(err)
			}
			f(w, c)
			d.Credential = must(c.MarshalJSON())
		}
	}
	options := func(s string) func(*world, *detail) {
		return func(_ *world, d *detail) { d.Options = json.RawMessage(s) }
	}
	for name, c := range map[string]struct {
		change func(*world, *detail)
		code   string
	}{
		"as offered":    {func(*world, *detail) {}, ""},
		"own challenge": {options(`{"proofType":"Ed25519Signature2018","challenge":"abc","domain":"x.example"}`), "issue-failed"}, // the issuer of this test does not heed it
		"another claim": {edit(func(w *world, c *vc.Credential) {
			c.Subject = json.RawMessage(`{"id":"` + w.staff.VerificationMethod().DID.String() + `","level":"Basic"}`)
		}), "different"},
		"a claim more":     {edit(func(w *world, c *vc.Credential) { c.Other = map[string]json.RawMessage{"name": json.RawMessage(`"x"`)} }), "different"},
		"valid for longer": {edit(func(w *world, c *vc.Credential) { c.ValidUntil = start.AddDate(9, 0, 0) }), "different"},
		"another issuer":   {edit(func(w *world, c *vc.Credential) { c.Issuer.ID = "did:example:x" }), "different"},
		"another proof":    {options(`{"proofType":"Ed25519Signature2020"}`), "different"},
		"another purpose":  {options(`{"proofType":"Ed25519Signature2018","proofPurpose":"authentication"}`), "different"},
		"no proof type":    {options(`{}`), "malformed-request"},
		"not a credential": {func(_ *world, d *detail) { d.Credential = json.RawMessage(`{}`) }, "malformed-request"},
		"no holder": {edit(func(w *world, c *vc.Credential) {
			c.Subject = json.RawMessage(`{"familyName":"Wye","level":"Enhanced"}`)
		}), "binding-failed"},
		"holder without a DID": {edit(func(w *world, c *vc.Credential) {
			c.Subject = json.RawMessage(`{"id":"urn:x:1","familyName":"Wye","level":"Enhanced"}`)
		}), "binding-failed"},
		"holder not resolvable": {edit(func(w *world, c *vc.Credential) {
			c.Subject = json.RawMessage(`{"id":"did:key:zzz","familyName":"Wye","level":"Enhanced"}`)
		}), "binding-failed"},
	} {
		for number, v := range versions {
			t.Run(number+"/"+name, func(t *testing.T) {
				t.Parallel()
				w := newWorldOf(t, v)
				w.offers(Offer{Credential: w.passportV1()})
				w.accept()
				sent := w.holderNode.Store.TakeOutbox()
				require.Len(t, sent, 1)
				d, _, err := said(t, sent[0].Message).readDetail()
				require.NoError(t, err)
				c.change(w, d)
				a, err := didcomm.NewJSONAttachment("a", d)
				require.NoError(t, err)
				a.FormatID = formatDetail
				m, err := compose(v, "r1", request, sent[0].Message.Thread, content{Formatted: []didcomm.Attachment{a}})
				require.NoError(t, err)
				require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", m))
				require.NoError(t, w.issuerNode.Work(t.Context()))
				x := w.only(w.issuer.Exchanges)
				if c.code == "" {
					require.Equal(t, CredentialIssued, x.State, x.Reason)
					return
				}
				require.Equal(t, Abandoned, x.State)
				require.Equal(t, c.code, x.Code, x.Reason)
			})
		}
	}
}

// TestIssuer_RequestInAnotherFormat: only what was offered can be asked for.
func TestIssuer_RequestInAnotherFormat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.offers(Offer{Credential: w.passport()})
	m := firstRequest(t, w, w.only(w.issuer.Exchanges).Thread, "r1")
	require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", m))
	require.Equal(t, "malformed-request", w.only(w.issuer.Exchanges).Code)

	w = newWorld(t)
	w.offers(Offer{Credential: w.passportV1()})
	m = messages(t, w, w.only(w.issuer.Exchanges).Thread, "r1")[request]
	require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", m))
	require.Equal(t, "malformed-request", w.only(w.issuer.Exchanges).Code)
}

func TestOffer_FormatsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, o := range map[string]Offer{
		"unknown":                       {Credential: w.passport(), Formats: []string{"hlindy/cred@v2.0"}},
		"twice":                         {Credential: w.passport(), Formats: []string{FormatLinkedData, FormatLinkedData}},
		"token beside RFC 0809":         {Credential: w.passport(), Formats: []string{FormatDataIntegrity}, Forms: []string{jose.MediaTypeCredential}},
		"SD-JWT VC in RFC 0593":         {Credential: w.passportV1(), Forms: []string{sdjwt.MediaTypeSDJWTVC}},
		"two forms in RFC 0593":         {Credential: w.passport(), Formats: []string{FormatLinkedData}, Forms: both},
		"data model 1.1 as in RFC 0809": {Credential: w.passportV1(), Formats: []string{FormatDataIntegrity}},
	} {
		_, err := w.issuer.Offer(t.Context(), "to-hazel", o)
		require.Error(t, err, name)
		require.True(t, errors.Is(err, ErrUnsupported) || errors.Is(err, ErrMalformed), name)
	}
	require.Empty(t, w.issuerNode.Store.TakeOutbox())
	// An offer in a dated form: data model 1.1 wants a time of issuance.
	c := w.passportV1()
	c.ValidFrom = time.Time{}
	w.offers(Offer{Credential: c})
	require.Contains(t, string(w.only(w.holder.Exchanges).Offered), `"issuanceDate":"2026-11-02T09:00:00Z"`)
}

// TestHolder_LinkedCredential: what comes is what was offered, in a form that the wallet
// takes, and with the proof agreed upon.
func TestHolder_LinkedCredential(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		offer  func(w *world) Offer
		change func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured
		forms  []string
		code   string
	}{
		"another id and time": {nil, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured {
			c.ID, c.ValidFrom = "urn:uuid:5", start.Add(-time.Hour)
			return w.linked(t, x, c)
		}, nil, ""},
		"another claim": {nil, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured {
			c.Subject = json.RawMessage(`{"id":"` + w.staff.VerificationMethod().DID.String() + `","familyName":"Wye","level":"Basic"}`)
			return w.linked(t, x, c)
		}, nil, "different"},
		"another subject": {nil, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured {
			return w.linked(t, x, about(c, w.employer))
		}, nil, "different"},
		"valid for less": {nil, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured {
			c.ValidUntil = start.Add(time.Hour)
			return w.linked(t, x, c)
		}, nil, "different"},
		"a token that nobody asked for": {nil, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured {
			x.Forms = []string{jose.MediaTypeLegacy}
			return w.linked(t, x, c)
		}, nil, "malformed-credential"},
		"a token of the other kind": {nil, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured {
			x.Forms = []string{jose.MediaTypeLegacy}
			return w.linked(t, x, c)
		}, []string{jose.MediaTypeCredential}, "malformed-credential"},
		"a token about another": {nil, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured {
			x.Forms = []string{jose.MediaTypeLegacy}
			return w.linked(t, x, about(c, w.employer))
		}, []string{jose.MediaTypeLegacy}, "different"},
		"a forged token": {nil, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured {
			x.Forms = []string{jose.MediaTypeLegacy}
			s := w.linked(t, x, c)
			s.Bytes[len(s.Bytes)-8] ^= 1
			return s
		}, []string{jose.MediaTypeLegacy}, "proof"},
		"no token at all": {nil, func(*testing.T, *world, *Exchange, *vc.Credential) vc.Secured {
			return vc.Secured{MediaType: jose.MediaTypeLegacy, Bytes: []byte("nothing")}
		}, []string{jose.MediaTypeLegacy}, "syntax"},
		"claim changed after signing": {nil, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured {
			s := w.linked(t, x, c)
			s.Bytes = []byte(string(s.Bytes[:len(s.Bytes)-1]) + `,"name":"x"}`)
			return s
		}, nil, "undefined"},
		"no proof": {nil, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured {
			return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: must(c.MarshalJSON())}
		}, nil, "no-proof"},
		"another kind of proof": {func(w *world) Offer {
			return Offer{Credential: w.passport(), Formats: []string{FormatLinkedData}, Options: Options{ProofType: proofOfV2, Cryptosuite: "ecdsa-jcs-2019"}}
		}, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured { return w.linked(t, x, c) }, nil, "different"},
		"without the challenge": {func(w *world) Offer {
			return Offer{Credential: w.passport(), Formats: []string{FormatLinkedData}, Options: Options{Challenge: "abc"}}
		}, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured { return w.linked(t, x, c) }, nil, "different"},
		"without the status": {func(w *world) Offer {
			o := Offer{Credential: w.passportV1()}
			o.Options.Status.Type = "BitstringStatusListEntry"
			return o
		}, func(t *testing.T, w *world, x *Exchange, c *vc.Credential) vc.Secured { return w.linked(t, x, c) }, nil, "different"},
		"enveloped": {nil, func(*testing.T, *world, *Exchange, *vc.Credential) vc.Secured {
			return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"@context":"https://www.w3.org/ns/credentials/v2","id":"data:application/jwt,e30.e30.AA","type":"EnvelopedVerifiableCredential"}`)}
		}, nil, "malformed-credential"},
	} {
		for number, v := range versions {
			t.Run(number+"/"+name, func(t *testing.T) {
				t.Parallel()
				w := newWorldOf(t, v)
				w.holder.Forms = c.forms
				o := Offer{Credential: w.passportV1()}
				if c.offer != nil {
					o = c.offer(w)
				}
				w.offers(o)
				w.accept()
				w.holderNode.Store.TakeOutbox()
				x := w.only(w.holder.Exchanges)
				x.Forms = []string{vc.MediaTypeCredential}
				doc, err := x.Credential()
				require.NoError(t, err)
				s := c.change(t, w, &x, doc)
				m, err := compose(v, "i1", issue, x.Thread, content{Formatted: []didcomm.Attachment{wrapLinked("a", s)}})
				require.NoError(t, err)
				require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m))
				require.NoError(t, w.holderNode.Work(t.Context()))
				x = w.only(w.holder.Exchanges)
				if c.code == "" {
					require.Equal(t, Done, x.State, x.Reason)
					return
				}
				require.Equal(t, Abandoned, x.State)
				require.NotEmpty(t, x.Reason)
				require.Empty(t, w.kept)
				if c.code != "undefined" {
					require.Equal(t, c.code, x.Code)
				}
			})
		}
	}
}

// linked signs a credential as the exchange x asks for it.
func (w *world) linked(t *testing.T, x *Exchange, c *vc.Credential) vc.Secured {
	t.Helper()
	out, err := w.issueLinked(t.Context(), x, c)
	require.NoError(t, err)
	return out[0]
}

// TestIssuer_LinkedIssueFails: what does not keep to the offer does not leave.
func TestIssuer_LinkedIssueFails(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world, x *Exchange, c *vc.Credential){
		"another claim": func(_ *world, _ *Exchange, c *vc.Credential) { c.Subject = json.RawMessage(`{"level":"Basic"}`) },
		"another form":  func(_ *world, x *Exchange, _ *vc.Credential) { x.Forms = []string{jose.MediaTypeLegacy} },
		"a status not promised": func(_ *world, _ *Exchange, c *vc.Credential) {
			c.Status = []vc.Status{{ID: "https://x.example/1#1", Type: []string{"StatusList2021Entry"}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.issuer.Issue = func(ctx context.Context, x *Exchange, c *vc.Credential) ([]vc.Secured, error) {
				asked := *x
				change(w, &asked, c)
				if len(c.Status) > 0 { // whose terms no context here has: it goes unsigned
					b, err := c.MarshalJSON()
					return []vc.Secured{{MediaType: vc.MediaTypeCredential, Bytes: b}}, err
				}
				return w.issueLinked(ctx, &asked, c)
			}
			w.offers(Offer{Credential: w.passportV1()})
			w.accept()
			w.settle()
			require.Equal(t, "issue-failed", w.only(w.issuer.Exchanges).Code)
			require.Equal(t, Abandoned, w.only(w.holder.Exchanges).State)
		})
	}
}

// TestLinkedData_Status: the detail leaves the status out, the options say its type, and
// the credential has it.
func TestLinkedData_Status(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier()
	v.Status = new(status.Lists) // which need not look up what only informs
	w.holder.Check = v
	c := w.passport()
	c.Status = []vc.Status{{Type: []string{"BitstringStatusListEntry"}, Other: map[string]json.RawMessage{
		"statusPurpose": json.RawMessage(`"refresh"`), "statusListIndex": json.RawMessage(`"7"`),
		"statusListCredential": json.RawMessage(`"https://alderbrook.example/status/1"`)}}}
	w.offers(Offer{Credential: c, Formats: []string{FormatLinkedData}})
	x := w.only(w.holder.Exchanges)
	require.NotContains(t, string(x.Offered), "credentialStatus")
	require.Equal(t, "BitstringStatusListEntry", x.Options.Status.Type)
	w.accept()
	w.done()
	require.Len(t, w.kept[0].Forms[0].Credential.Document().Status, 1)

	issued, err := vc.Parse(must(c.MarshalJSON()))
	require.NoError(t, err)
	doc, kind, err := withoutStatus(must(c.MarshalJSON()))
	require.NoError(t, err)
	var o Options
	o.Status.Type = kind
	require.NoError(t, sameLinked(doc, issued, did.DID{}, o), "the same credential")
	o.Status.Type = "StatusList2021Entry"
	require.ErrorIs(t, sameLinked(doc, issued, did.DID{}, o), ErrDifferent)
	require.ErrorIs(t, sameLinked(doc, issued, did.DID{}, Options{}), ErrDifferent, "none was promised")
	_, _, err = withoutStatus([]byte("{"))
	require.ErrorIs(t, err, ErrMalformed)
}

// TestSameLinked_Times: the end of validity has several spellings, and one moment.
func TestSameLinked_Times(t *testing.T) {
	t.Parallel()
	for until, ok := range map[string]bool{
		"2027-11-02T09:00:00Z": true, "2027-11-02T09:00:00.000Z": true, "2027-11-02T10:00:00+01:00": true,
		"2027-11-02T09:00:01Z": false, "2027-11-02": false, "": false,
	} {
		doc := func(until string) []byte {
			return []byte(`{"@context":["https://www.w3.org/2018/credentials/v1"],"type":["VerifiableCredential"],"issuer":"did:example:e",` +
				`"issuanceDate":"2026-11-02T09:00:00Z","expirationDate":"` + until + `","credentialSubject":{"a":1}}`)
		}
		issued, err := vc.Parse(doc("2027-11-02T09:00:00Z"))
		require.NoError(t, err)
		err = sameLinked(doc(until), issued, did.DID{}, Options{})
		require.Equal(t, ok, err == nil, until)
		if !ok {
			require.ErrorIs(t, err, ErrDifferent)
		}
	}
}

func TestReadPreview(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(`{"name":"n","value":"v"},`, maxAttributes)
	for text, want := range map[string]int{
		`{}`:                  0,
		`{"attributes":null}`: 0,
		`{"attributes":[]}`:   0,
		`{"attributes":[{"name":"a","value":1}]}`:                                1,
		`{"attributes":[{"name":"a"}]}`:                                          1,
		`{"body":{"attributes":[{"name":"a","media_type":"x/y","value":"eg"}]}}`: 1,
		`{"attributes":[` + strings.TrimSuffix(many, ",") + `]}`:                 maxAttributes,
		`{"attributes":[` + many + `{"name":"n","value":"v"}]}`:                  -1,
		`{"attributes":{}}`:            -1,
		`{"attributes":[1]}`:           -1,
		`{"attributes":[{"value":1}]}`: -1,
		`{"body":1}`:                   -1,
		`{"attributes":[{"name":"n","value":"` + strings.Repeat("v", maxAttribute) + `"}]}`: -1,
	} {
		o, err := strictjson.ParseObject([]byte(text))
		require.NoError(t, err)
		list, err := readPreview(o)
		if want < 0 {
			require.ErrorIs(t, err, ErrMalformed)
			continue
		}
		require.NoError(t, err)
		require.Len(t, list, want)
	}
	// A preview that cannot be read makes its offer one that cannot be read.
	w := newWorld(t)
	m, err := didcomm.New("m1", messageType(didcomm.V1, offer), "", "", map[string]any{"credential_preview": map[string]any{"attributes": 1}})
	require.NoError(t, err)
	requireRefused(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m), codeAbandoned)
}

// TestOptions_Limits: each option at its limit, and one byte beyond.
func TestOptions_Limits(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"proofType", "proofPurpose", "cryptosuite", "created", "domain", "challenge"} {
		for n, ok := range map[int]bool{maxOption: true, maxOption + 1: false} {
			raw, err := json.Marshal(map[string]string{"proofType": "x", name: strings.Repeat("a", n)})
			require.NoError(t, err)
			_, err = readOptions(raw)
			require.Equal(t, ok, err == nil, "%s of %d", name, n)
		}
	}
	for _, raw := range []string{``, `[]`, `{}`, `{"proofType":1}`, `{"proofType":"x","credentialStatus":"y"}`} {
		_, err := readOptions(json.RawMessage(raw))
		require.ErrorIs(t, err, ErrMalformed, raw)
	}
}

// TestIssuer_LinkedRequestForAnother: the holder that an offer names stays.
func TestIssuer_LinkedRequestForAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.offers(Offer{Credential: about(w.passportV1(), w.staff)})
	a, err := newDetail("a", must(about(w.passportV1(), w.employer).MarshalJSON()), Options{ProofType: proofOfV1})
	require.NoError(t, err)
	m, err := compose(didcomm.V1, "r1", request, w.only(w.issuer.Exchanges).Thread, content{Formatted: []didcomm.Attachment{a}})
	require.NoError(t, err)
	require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", m))
	require.Equal(t, "different", w.only(w.issuer.Exchanges).Code)
	require.Empty(t, w.issuerNode.Store.Tasks())
}

// TestIssuer_LinkedChosenOfBoth: a holder that knows RFC 0593 alone takes that of two
// formats, in the one form that it has.
func TestIssuer_LinkedChosenOfBoth(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			w.holder.Forms = both
			_, err := w.issuer.Offer(t.Context(), "to-hazel", Offer{Credential: w.passport(), Formats: []string{FormatDataIntegrity, FormatLinkedData}, Forms: both})
			require.NoError(t, err)
			sent := w.issuerNode.Store.TakeOutbox()
			require.Len(t, sent, 1)
			c := said(t, sent[0].Message)
			require.Len(t, c.Formatted, 3)
			for _, a := range c.Formatted {
				if a.FormatID == formatDetail {
					c.Formatted = []didcomm.Attachment{a}
				}
			}
			m, err := compose(v, sent[0].Message.ID, offer, sent[0].Message.Thread, c)
			require.NoError(t, err)
			require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m))
			w.accept()
			w.settle()
			x := w.only(w.issuer.Exchanges)
			require.Equal(t, Done, x.State, x.Reason)
			require.Equal(t, FormatLinkedData, x.FormatID)
			require.False(t, x.Proven)
			require.Equal(t, []string{vc.MediaTypeCredential}, x.Forms)
		})
	}
}

// TestIssuer_NothingBeforeItIsGranted: a task that comes too early, as from a store
// brought back, signs nothing.
func TestIssuer_NothingBeforeItIsGranted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", firstRequest(t, w, "thread-1", "m1")))
	require.NoError(t, w.issuer.Work(t.Context(), w.only(w.issuer.Exchanges).ID))
	require.Zero(t, w.signed)
	require.Equal(t, RequestReceived, w.only(w.issuer.Exchanges).State)
	require.Empty(t, w.issuerNode.Store.Tasks())
}

// TestHolder_TwoOfOneFormat: nobody can tell which of the two would be issued.
func TestHolder_TwoOfOneFormat(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		w := newWorldOf(t, v)
		var list []didcomm.Attachment
		for _, id := range []string{"a", "b"} {
			a, err := newDetail(id, must(w.passportV1().MarshalJSON()), Options{ProofType: proofOfV1})
			require.NoError(t, err)
			list = append(list, a)
		}
		m, err := compose(v, "m1", offer, "", content{Formatted: list})
		require.NoError(t, err)
		requireRefused(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m), codeAbandoned)
		require.Empty(t, w.holderNode.Store.Records(kindExchange), number)
	}
}
