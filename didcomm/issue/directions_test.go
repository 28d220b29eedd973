package issue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// open makes the issuer of w hear of proposals.
func (w *world) open() {
	w.issuer.Proposed = func(context.Context, didcomm.Tx, *Exchange) error { return nil }
}

// accept has the holder accept the only offer there is.
func (w *world) accept() {
	w.t.Helper()
	require.NoError(w.t, w.holder.Accept(w.t.Context(), w.only(w.holder.Exchanges).ID, w.staff))
}

// done sees that both ends came to a good end, and returns the forms that were kept.
func (w *world) done() (forms []string) {
	w.t.Helper()
	w.settle()
	i, h := w.only(w.issuer.Exchanges), w.only(w.holder.Exchanges)
	require.Equal(w.t, Done, i.State, i.Reason)
	require.Equal(w.t, Done, h.State, h.Reason)
	require.Equal(w.t, w.staff.VerificationMethod().DID, i.Holder)
	require.Equal(w.t, i.Holder, h.Holder)
	require.Equal(w.t, i.FormatID != FormatLinkedData, i.Proven)
	require.Equal(w.t, i.Thread, h.Thread)
	require.Len(w.t, w.kept, 1)
	w.forgotten(w.issuerNode, w.holderNode)
	for _, f := range w.kept[0].Forms {
		require.NotNil(w.t, f.Credential)
		forms = append(forms, f.Secured.MediaType)
	}
	return forms
}

// TestDirections: every way to begin and every format, in both versions.
func TestDirections(t *testing.T) {
	t.Parallel()
	document := []string{vc.MediaTypeCredential}
	for name, c := range map[string]struct {
		run  func(t *testing.T, w *world)
		want []string
	}{
		"offer, bound by a signature": {func(t *testing.T, w *world) {
			w.offer()
			w.accept()
		}, document},
		"offer, two forms": {func(t *testing.T, w *world) {
			w.holder.Forms = both
			w.offerBoth()
			w.accept()
		}, both},
		"offer, data model 1.1": {func(t *testing.T, w *world) {
			w.offers(Offer{Credential: w.passportV1(), Attachments: []didcomm.Attachment{photo()}})
			w.accept()
		}, document},
		"offer, data model 1.1, names the holder": {func(t *testing.T, w *world) {
			w.offers(Offer{Credential: about(w.passportV1(), w.staff)})
			w.accept()
		}, document},
		"offer, data model 2.0 as RFC 0593 has it": {func(t *testing.T, w *world) {
			w.offers(Offer{Credential: w.passport(), Formats: []string{FormatLinkedData}, Preview: []Attribute{{Name: "level", Value: "Enhanced"}}})
			w.accept()
		}, document},
		"offer, JSON Web Token of 1.1": {func(t *testing.T, w *world) {
			w.holder.Forms = []string{jose.MediaTypeLegacy}
			w.offers(Offer{Credential: w.passportV1(), Forms: []string{jose.MediaTypeLegacy}})
			w.accept()
		}, []string{jose.MediaTypeLegacy}},
		"offer, JSON Web Token of 2.0": {func(t *testing.T, w *world) {
			w.holder.Forms = []string{jose.MediaTypeCredential}
			w.offers(Offer{Credential: w.passport(), Forms: []string{jose.MediaTypeCredential}})
			w.accept()
		}, []string{jose.MediaTypeCredential}},
		"offer in both formats": {func(t *testing.T, w *world) {
			w.holder.Forms = both
			w.offers(Offer{Credential: w.passport(), Formats: []string{FormatLinkedData, FormatDataIntegrity}, Forms: both})
			require.Equal(t, FormatDataIntegrity, w.only(w.holder.Exchanges).FormatID)
			w.accept()
		}, both},
		"offer with challenge and domain": {func(t *testing.T, w *world) {
			w.offers(Offer{Credential: w.passport(), Formats: []string{FormatLinkedData}, Options: Options{ProofType: proofOfV2, Cryptosuite: "eddsa-jcs-2022"}})
			w.accept()
		}, document},
		"proposal in words, offer": {func(t *testing.T, w *world) {
			_, err := w.holder.Propose(t.Context(), "to-alderbrook", Proposal{Comment: "My passport, please.", Preview: []Attribute{{Name: "familyName", Value: "Wye"}}})
			require.NoError(t, err)
			w.settle()
			x := w.only(w.issuer.Exchanges)
			require.Equal(t, ProposalReceived, x.State)
			require.Equal(t, "My passport, please.", x.Comment)
			require.Equal(t, "Wye", x.Preview[0].Value)
			require.Nil(t, x.Proposed)
			require.NoError(t, w.issuer.Answer(t.Context(), x.ID, Offer{Credential: w.passport()}))
			w.settle()
			w.accept()
		}, document},
		"proposal of a credential, offer": {func(t *testing.T, w *world) {
			_, err := w.holder.Propose(t.Context(), "to-alderbrook", Proposal{Credential: about(w.passportV1(), w.staff)})
			require.NoError(t, err)
			w.settle()
			x := w.only(w.issuer.Exchanges)
			c, err := vc.Parse(x.Proposed)
			require.NoError(t, err)
			require.Equal(t, proofOfV1, x.Options.ProofType)
			require.NoError(t, w.issuer.Answer(t.Context(), x.ID, Offer{Credential: c}))
			w.settle()
			w.accept()
		}, document},
		"offer, proposal, another offer": {func(t *testing.T, w *world) {
			w.offers(Offer{Credential: w.passportV1(), Attachments: []didcomm.Attachment{photo()}})
			h := w.only(w.holder.Exchanges).ID
			require.NoError(t, w.holder.Counter(t.Context(), h, Proposal{Comment: "Of the newer kind."}))
			w.settle()
			x := w.only(w.issuer.Exchanges)
			require.Equal(t, ProposalReceived, x.State)
			_, err := x.Credential()
			require.ErrorIs(t, err, ErrState, "the first offer is gone")
			second := didcomm.NewAttachment(photo().ID, "image/png", []byte("another photo"))
			require.NoError(t, w.issuer.Answer(t.Context(), x.ID, Offer{Credential: w.passport(), Attachments: []didcomm.Attachment{second}}))
			w.settle()
			w.accept()
		}, document},
		"request": {func(t *testing.T, w *world) {
			_, err := w.holder.Request(t.Context(), "to-alderbrook", Proposal{Credential: w.passportV1()}, w.staff)
			require.NoError(t, err)
			w.settle()
			x := w.only(w.issuer.Exchanges)
			require.Equal(t, RequestReceived, x.State)
			require.Equal(t, w.staff.VerificationMethod().DID, x.Holder)
			require.Zero(t, w.signed)
			require.NoError(t, w.issuer.Grant(t.Context(), x.ID, Offer{Attachments: []didcomm.Attachment{photo()}}))
			require.ErrorIs(t, w.issuer.Grant(t.Context(), x.ID, Offer{}), ErrState, "once")
		}, document},
		"request, granted in the issuer's words": {func(t *testing.T, w *world) {
			_, err := w.holder.Request(t.Context(), "to-alderbrook", Proposal{Credential: w.passport(), Options: Options{ProofType: proofOfV2}}, w.staff)
			require.NoError(t, err)
			w.settle()
			id := w.only(w.issuer.Exchanges).ID
			require.ErrorIs(t, w.issuer.Grant(t.Context(), id, Offer{Credential: about(w.passport(), w.employer)}), ErrDifferent)
			require.ErrorIs(t, w.issuer.Grant(t.Context(), id, Offer{Forms: both}), ErrUnsupported)
			require.NoError(t, w.issuer.Grant(t.Context(), id, Offer{Credential: about(w.passport(), w.staff)}))
		}, document},
		"request of a JSON Web Token": {func(t *testing.T, w *world) {
			w.holder.Forms = []string{jose.MediaTypeLegacy}
			_, err := w.holder.Request(t.Context(), "to-alderbrook", Proposal{Credential: w.passportV1()}, w.staff)
			require.NoError(t, err)
			w.settle()
			require.NoError(t, w.issuer.Grant(t.Context(), w.only(w.issuer.Exchanges).ID, Offer{Forms: []string{jose.MediaTypeLegacy}}))
		}, []string{jose.MediaTypeLegacy}},
	} {
		for number, v := range versions {
			t.Run(number+"/"+name, func(t *testing.T) {
				t.Parallel()
				w := newWorldOf(t, v)
				w.open()
				c.run(t, w)
				require.Equal(t, c.want, w.done())
			})
		}
	}
}

// offers makes an offer and has it delivered.
func (w *world) offers(o Offer) {
	w.t.Helper()
	_, err := w.issuer.Offer(w.t.Context(), "to-hazel", o)
	require.NoError(w.t, err)
	w.settle()
}

// TestVersion3_WireForm: where version 3.0 has what version 2.0 has elsewhere.
func TestVersion3_WireForm(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, didcomm.V2)
	w.offers(Offer{Credential: w.passport(), Attachments: []didcomm.Attachment{photo()}, Comment: "Your staff passport", Expires: start.Add(time.Hour),
		Preview: []Attribute{{Name: "level", Value: "Enhanced"}}})
	require.Equal(t, start.Add(time.Hour), w.only(w.holder.Exchanges).Expires)
	w.accept()
	shape := map[string][]string{}
	for _, m := range w.settle() {
		require.Equal(t, didcomm.V2, m.Version)
		require.Equal(t, fmt.Sprintf("https://didcomm.org/issue-credential/3.0/%s", m.Type.Name), m.Type.String())
		var members map[string]json.RawMessage
		require.NoError(t, m.Decode(&members))
		for name := range members {
			require.NotContains(t, name, "~")
			require.NotEqual(t, "formats", name)
		}
		shape[m.Type.Name] = []string{}
		for _, a := range m.Attachments {
			shape[m.Type.Name] = append(shape[m.Type.Name], a.FormatID)
		}
		if m.Type.Name == ack {
			require.JSONEq(t, `{"status":"OK"}`, string(m.Body))
		}
	}
	require.Equal(t, map[string][]string{request: {formatRequest, ""}, issue: {FormatDataIntegrity, ""}, ack: {}}, shape)
	w.done()
	require.Equal(t, []didcomm.Attachment{photo()}, w.kept[0].Attachments)
}

// TestVersion_Mixed: version 2.0 is not read on a connection of DIDComm v2, nor 3.0 on
// one of v1.
func TestVersion_Mixed(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		w := newWorldOf(t, v)
		other := didcomm.V1
		if v == didcomm.V1 {
			other = didcomm.V2
		}
		for _, role := range allRoles {
			for name, m := range messages(t, w, "thread-1", "m1") {
				if name == problem {
					continue
				}
				n := w.node(role)
				m := *as(t, v, m)
				m.Type.Major = major(other)
				m.ID += string(role)
				requireRefused(t, n.Store.Deliver(t.Context(), n.Handler, n.Connection, &m), codeNoThread)
				require.Empty(t, n.Store.Records(kindExchange), number)
			}
		}
	}
}

func TestProposal_Refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	with := func(change func(*vc.Credential)) *vc.Credential {
		c := w.passportV1()
		c.Other = map[string]json.RawMessage{}
		change(c)
		return c
	}
	long := make([]Attribute, maxAttributes+1)
	for i := range long {
		long[i] = Attribute{Name: "n", Value: "v"}
	}
	for name, o := range map[string]Proposal{
		"with a proof":         {Credential: with(func(c *vc.Credential) { c.Other["proof"] = json.RawMessage(`{"type":"x"}`) })},
		"no issuer":            {Credential: with(func(c *vc.Credential) { c.Issuer.ID = "" })},
		"no subject":           {Credential: with(func(c *vc.Credential) { c.Subject = nil })},
		"option too long":      {Credential: w.passportV1(), Options: Options{Challenge: string(make([]byte, maxOption+1))}},
		"too many attributes":  {Preview: long},
		"attribute too long":   {Preview: []Attribute{{Name: "n", Value: string(make([]byte, maxAttribute))}}},
		"attribute of no name": {Preview: []Attribute{{Value: "v"}}},
	} {
		_, err := w.holder.Propose(t.Context(), "to-alderbrook", o)
		require.Error(t, err, name)
		_, err = w.holder.Request(t.Context(), "to-alderbrook", o, w.staff)
		require.Error(t, err, name)
	}
	require.NoError(t, checkPreview(long[:maxAttributes]))
	require.NoError(t, checkPreview([]Attribute{{Name: "n", Value: string(make([]byte, maxAttribute-1))}}))
	for name, c := range map[string]struct {
		o   Proposal
		key bool
	}{
		"no credential":    {Proposal{Comment: "please"}, true},
		"no key":           {Proposal{Credential: w.passportV1()}, false},
		"about another":    {Proposal{Credential: about(w.passportV1(), w.employer)}, true},
		"several subjects": {Proposal{Credential: with(func(c *vc.Credential) { c.Subject = json.RawMessage(`[{"a":1},{"b":1}]`) })}, true},
	} {
		var err error
		if c.key {
			_, err = w.holder.Request(t.Context(), "to-alderbrook", c.o, w.staff)
		} else {
			_, err = w.holder.Request(t.Context(), "to-alderbrook", c.o, nil)
		}
		require.Error(t, err, name)
	}
	_, err := w.holder.Propose(t.Context(), "no such connection", Proposal{})
	require.ErrorIs(t, err, didcomm.ErrNotFound)
	w.holderNode.Connect("new", false)
	_, err = w.holder.Propose(t.Context(), "new", Proposal{})
	require.ErrorIs(t, err, ErrState)
	refused := errors.New("asked before")
	_, err = w.holder.Propose(t.Context(), "to-alderbrook", Proposal{Started: func(context.Context, didcomm.Tx, *Exchange) error { return refused }})
	require.ErrorIs(t, err, refused)
	require.Empty(t, w.holderNode.Store.TakeOutbox())
	require.Empty(t, w.holderNode.Store.Records(kindExchange))
}

// TestIssuer_ProposalRefused: what begins an exchange and cannot be read, or is not
// wanted, leaves nothing behind.
func TestIssuer_ProposalRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := func(change func(*vc.Credential)) json.RawMessage {
		c := about(w.passportV1(), w.staff)
		change(c)
		b, err := json.Marshal(struct {
			Credential json.RawMessage `json:"credential"`
			Options    Options         `json:"options"`
		}{must(c.MarshalJSON()), Options{ProofType: proofOfV1}})
		require.NoError(t, err)
		return b
	}
	good := doc(func(*vc.Credential) {})
	no := func(context.Context, didcomm.Tx, *Exchange) error {
		return &didcomm.Problem{Code: codeAbandoned, Comment: "Not today."}
	}
	for name, c := range map[string]struct {
		raw     json.RawMessage
		names   []string
		refuses bool
	}{
		"nobody decides it so":   {good, []string{propose, request}, true},
		"not JSON":               {json.RawMessage(`1`), []string{propose, request}, false},
		"no credential":          {json.RawMessage(`{"options":{"proofType":"x"}}`), []string{propose, request}, false},
		"no options":             {json.RawMessage(`{"credential":{}}`), []string{propose, request}, false},
		"credential malformed":   {json.RawMessage(`{"credential":{},"options":{"proofType":"x"}}`), []string{propose, request}, false},
		"names no holder":        {doc(func(c *vc.Credential) { c.Subject = json.RawMessage(`{"a":1}`) }), []string{request}, false},
		"several subjects":       {doc(func(c *vc.Credential) { c.Subject = json.RawMessage(`[{"id":"did:example:a"},{"a":1}]`) }), []string{request}, false},
		"the holder is no DID":   {doc(func(c *vc.Credential) { c.Subject = json.RawMessage(`{"id":"https://hazel.example"}`) }), []string{request}, false},
		"nothing in this format": {nil, []string{request}, false},
	} {
		for number, v := range versions {
			for _, name2 := range c.names {
				t.Run(number+"/"+name+"/"+name2, func(t *testing.T) {
					t.Parallel()
					w := newWorldOf(t, v)
					if w.open(); c.refuses {
						w.issuer.Proposed = no
					}
					var list []didcomm.Attachment
					if c.raw != nil {
						list = []didcomm.Attachment{{ID: "a", FormatID: formatDetail, Data: didcomm.AttachmentData{JSON: c.raw}}}
					}
					m, err := compose(v, "m1", name2, "", content{Formatted: list})
					require.NoError(t, err)
					requireRefused(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", m), codeAbandoned)
					require.Empty(t, w.issuerNode.Store.Records(kindExchange))
					require.Len(t, w.issuerNode.Store.TakeOutbox(), 1)
				})
			}
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// TestAccept_AnotherOfferMeanwhile: a request is for the offer that the person saw.
func TestAccept_AnotherOfferMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	w.offers(Offer{Credential: w.passport()})
	id := w.only(w.holder.Exchanges).ID
	again := 0
	key := &meanwhile{Signer: w.staff, do: func() {
		if again++; again > 1 {
			return
		}
		require.NoError(t, w.holder.Counter(t.Context(), id, Proposal{}))
		w.settle()
		c := w.passport()
		c.Subject = json.RawMessage(`{"dbs":{"level":"Basic"}}`)
		require.NoError(t, w.issuer.Answer(t.Context(), w.only(w.issuer.Exchanges).ID, Offer{Credential: c}))
		w.settle()
	}}
	require.ErrorIs(t, w.holder.Accept(t.Context(), id, key), ErrState)
	require.Equal(t, OfferReceived, w.only(w.holder.Exchanges).State)
	require.NoError(t, w.holder.Accept(t.Context(), id, key))
	w.settle()
	require.Equal(t, Done, w.only(w.holder.Exchanges).State)
}

// TestExchange_StoredBefore: records of before, which know one format and one version,
// go on.
func TestExchange_StoredBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.offer()
	for _, n := range []struct {
		store interface {
			Update(context.Context, func(didcomm.Tx) error) error
			Records(string) []didcomm.Record
		}
	}{{&w.issuerNode.Store}, {&w.holderNode.Store}} {
		for _, r := range n.store.Records(kindExchange) {
			var members map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(r.Data, &members))
			for _, name := range []string{"format", "formats", "options", "raw", "preview", "proposed", "proven"} {
				delete(members, name)
			}
			require.NoError(t, n.store.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Save(kindExchange, r.ID, members) }))
		}
	}
	w.accept()
	require.Equal(t, []string{vc.MediaTypeCredential}, w.done())
}

// TestVersion3_Reports: in version 3.0 a refusal is a report of its own protocol, which
// names the thread as its parent.
func TestVersion3_Reports(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(w *world) error
		list func(w *world) func(context.Context) ([]Exchange, error) // of the side that is told
	}{
		"declined": {func(w *world) error {
			return w.holder.Decline(t.Context(), w.only(w.holder.Exchanges).ID, "The spelling is wrong.")
		}, func(w *world) func(context.Context) ([]Exchange, error) { return w.issuer.Exchanges }},
		"withdrawn": {func(w *world) error {
			return w.issuer.Withdraw(t.Context(), w.only(w.issuer.Exchanges).ID, "The spelling is wrong.")
		}, func(w *world) func(context.Context) ([]Exchange, error) { return w.holder.Exchanges }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, didcomm.V2)
			w.offer()
			thread := w.only(w.issuer.Exchanges).Thread
			require.NoError(t, c.end(w))
			sent := w.settle()
			require.Len(t, sent, 1)
			require.Equal(t, "https://didcomm.org/report-problem/2.0/problem-report", sent[0].Type.String())
			require.Equal(t, thread, sent[0].Parent)
			x := w.only(c.list(w))
			require.Equal(t, Abandoned, x.State)
			require.True(t, x.ByPeer)
			require.Equal(t, "e.p.issuance-abandoned", x.Code)
			require.Equal(t, "The spelling is wrong.", x.Reason)
		})
	}
	w := newWorldOf(t, didcomm.V2)
	w.offer()
	m := as(t, didcomm.V2, messages(t, w, "no-such-thread", "m1")[ack])
	requireRefused(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", m), codeNoThread)
	out := w.issuerNode.Store.TakeOutbox()
	require.Len(t, out, 0, "an ack is not answered")
	m = as(t, didcomm.V2, messages(t, w, "no-such-thread", "m2")[issue])
	requireRefused(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m), codeNoThread)
	out = w.holderNode.Store.TakeOutbox()
	require.Len(t, out, 1)
	require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", out[0].Message))
	require.Equal(t, OfferSent, w.only(w.issuer.Exchanges).State, "a warning about another thread")
}
