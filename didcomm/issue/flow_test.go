package issue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

func TestIssue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issuerID, holderID := w.offer()

	x, err := w.holder.Exchange(t.Context(), holderID)
	require.NoError(t, err)
	require.Equal(t, OfferReceived, x.State)
	require.Equal(t, "Your staff passport", x.Comment)
	require.Equal(t, start, x.Since)
	c, err := x.Credential()
	require.NoError(t, err)
	require.Equal(t, w.passport().Type, c.Type)
	seen, err := w.holder.Attachments(t.Context(), holderID)
	require.NoError(t, err)
	require.Equal(t, []didcomm.Attachment{photo()}, seen)

	w.clock.Advance(time.Hour) // the person thinks
	require.NoError(t, w.holder.Accept(t.Context(), holderID, w.staff))
	require.Equal(t, []string{request, issue, ack}, names(w.settle()))

	i, err := w.issuer.Exchange(t.Context(), issuerID)
	require.NoError(t, err)
	require.Equal(t, Done, i.State)
	require.Equal(t, w.staff.VerificationMethod().DID, i.Holder)
	h, err := w.holder.Exchange(t.Context(), holderID)
	require.NoError(t, err)
	require.Equal(t, Done, h.State)
	require.Equal(t, start.Add(time.Hour), h.Since)
	require.NotEmpty(t, h.Checks)
	require.Empty(t, h.Secured, "the wallet has it")

	require.Len(t, w.kept, 1)
	require.Equal(t, 1, w.signed)
	require.Equal(t, w.sealed, w.kept[0].Forms[0].Secured.Bytes, "the very bytes that were signed")
	require.Equal(t, []didcomm.Attachment{photo()}, w.kept[0].Attachments)
	require.Equal(t, w.employer.VerificationMethod().DID, w.kept[0].Forms[0].Credential.Issuer())
	gone, err := w.holder.Attachments(t.Context(), holderID)
	require.NoError(t, err)
	require.Empty(t, gone, "no copy stays")
	w.forgotten(w.issuerNode, w.holderNode)
	_, err = h.Credential()
	require.ErrorIs(t, err, ErrState)

	var actions []string
	for _, e := range w.issuerNode.Store.Events() {
		require.Equal(t, "ok", e.Outcome)
		actions = append(actions, e.Action)
	}
	require.Equal(t, []string{"issue-credential/offer-credential-sent", "issue-credential/request-credential-received",
		"issue-credential/issue-credential-sent", "issue-credential/ack-received"}, actions)
}

func TestIssue_WireForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, err := w.issuer.Offer(t.Context(), "to-hazel", Offer{Credential: w.passport()})
	require.NoError(t, err)
	sent := w.issuerNode.Store.TakeOutbox()
	require.Len(t, sent, 1)
	m := sent[0].Message
	require.Equal(t, "https://didcomm.org/issue-credential/2.0/offer-credential", m.Type.String())
	require.Equal(t, m.ID, m.Thread)
	said := said(t, m)
	o, err := said.readOffer()
	require.NoError(t, err)
	require.Equal(t, "didcomm/w3c-di-vc-offer@v0.1", said.Formatted[0].FormatID)
	require.Equal(t, []string{"2.0"}, o.Versions)
	require.True(t, o.BindingRequired)
	require.Equal(t, []string{"key"}, o.Binding.Signed.Methods)
	require.Equal(t, []string{"EdDSA", "ES256"}, o.Binding.Signed.Algs)
	x, err := w.issuer.Exchange(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, OfferSent, x.State)
	require.Contains(t, string(m.Body), `"credential_preview":{"@type":"https://didcomm.org/issue-credential/2.0/credential-preview","attributes":[]}`)
}

func TestIssue_P256Holder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.staff = p256Signer(t)
	_, id := w.offer()
	require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
	w.settle()
	require.Equal(t, Done, w.only(w.issuer.Exchanges).State)
}

func TestIssue_OfferNamesHolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.passport()
	c.Subject = json.RawMessage(fmt.Sprintf(`{"id":%q,"dbs":{"level":"Enhanced"}}`, w.staff.VerificationMethod().DID))
	_, err := w.issuer.Offer(t.Context(), "to-hazel", Offer{Credential: c})
	require.NoError(t, err)
	w.settle()
	id := w.only(w.holder.Exchanges).ID
	require.ErrorIs(t, w.holder.Accept(t.Context(), id, signer(t, 9)), ErrBinding, "another's key")
	require.Equal(t, OfferReceived, w.only(w.holder.Exchanges).State)
	require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
	w.settle()
	require.Equal(t, Done, w.only(w.holder.Exchanges).State)
}

// foreignOffer is an offer as another issuer might make it.
func foreignOffer(t *testing.T, content any, change func(*offerBody)) *didcomm.Message {
	t.Helper()
	raw, err := json.Marshal(content)
	require.NoError(t, err)
	b := offerBody{Formats: didcomm.Formats{{AttachID: "a", Format: formatOffer}},
		Offers: []didcomm.Attachment{{ID: "a", MediaType: "application/json", Data: didcomm.AttachmentData{JSON: raw}}}}
	if change != nil {
		change(&b)
	}
	m, err := didcomm.New("m1", messageType(didcomm.V1, offer), "thread-1", "", b)
	require.NoError(t, err)
	return m
}

func TestHolder_OfferWithoutBinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	holder := w.staff.VerificationMethod().DID
	for name, c := range map[string]struct {
		subject string
		key     did.Signer
		want    error
	}{
		"names the holder":           {fmt.Sprintf(`{"id":%q,"a":1}`, holder), w.staff, nil},
		"names the holder, no key":   {fmt.Sprintf(`{"id":%q,"a":1}`, holder), nil, ErrBinding},
		"names another":              {`{"id":"did:example:other","a":1}`, w.staff, ErrBinding},
		"bearer":                     {`{"a":1}`, nil, nil},
		"bearer, a key is offered":   {`{"a":1}`, w.staff, ErrBinding},
		"several subjects":           {`[{"a":1},{"a":2}]`, nil, nil},
		"several subjects and a key": {`[{"a":1},{"a":2}]`, w.staff, ErrBinding},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			doc := fmt.Sprintf(`{"@context":[%q],"type":["VerifiableCredential"],"issuer":"did:example:x","credentialSubject":%s}`, vc.ContextV2, c.subject)
			m := foreignOffer(t, offerContent{Versions: []string{"2.0", "1.1"}, Credential: json.RawMessage(doc)}, nil)
			require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m))
			err := w.holder.Accept(t.Context(), w.only(w.holder.Exchanges).ID, c.key)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				require.Empty(t, w.holderNode.Store.TakeOutbox())
				return
			}
			require.NoError(t, err)
			sent := w.holderNode.Store.TakeOutbox()
			require.Len(t, sent, 1)
			var r requestContent
			require.NoError(t, said(t, sent[0].Message).read(formatRequest, &r))
			require.Nil(t, r.Proof)
		})
	}
}

func TestHolder_OfferRefused(t *testing.T) {
	t.Parallel()
	good := func(w *world) *offerContent {
		doc, err := w.passport().MarshalJSON()
		require.NoError(t, err)
		return &offerContent{Versions: []string{"2.0"}, BindingRequired: true, Credential: doc,
			Binding: &bindingMethods{&signedMethod{Algs: bindingAlgs(), Methods: holderMethods(), Nonce: "n"}}}
	}
	credential := func(f string) func(*offerContent, *offerBody) {
		return func(o *offerContent, _ *offerBody) { o.Credential = json.RawMessage(f) }
	}
	for name, change := range map[string]func(*offerContent, *offerBody){
		"data model 1.1 only":   func(o *offerContent, _ *offerBody) { o.Versions = []string{"1.1"} },
		"no data model":         func(o *offerContent, _ *offerBody) { o.Versions = nil },
		"no credential":         credential("null"),
		"credential a text":     credential(`"x"`),
		"credential with proof": credential(`{"issuer":"did:example:e","@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"credentialSubject":{"a":1},"proof":{}}`),
		"data model 1.1 inside": credential(`{"issuer":"did:example:e","@context":["https://www.w3.org/2018/credentials/v1"],"type":["VerifiableCredential"],"credentialSubject":{"a":1}}`),
		"no issuer":             credential(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"credentialSubject":{"a":1}}`),
		"issuer without id":     credential(`{"issuer":{"name":"A"},"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"credentialSubject":{"a":1}}`),
		"data model 1.1 first":  func(o *offerContent, _ *offerBody) { o.Versions = []string{"1.1", "2.0"} },
		"no subject":            credential(`{"issuer":"did:example:e","@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"]}`),
		"no type":               credential(`{"issuer":"did:example:e","@context":["https://www.w3.org/ns/credentials/v2"],"type":["Passport"],"credentialSubject":{"a":1}}`),
		"validUntil no date":    credential(`{"issuer":"did:example:e","@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"credentialSubject":{"a":1},"validUntil":"soon"}`),
		"binding unknown":       func(o *offerContent, _ *offerBody) { o.Binding.Signed = nil },
		"binding left out":      func(o *offerContent, _ *offerBody) { o.Binding = nil },
		"no nonce":              func(o *offerContent, _ *offerBody) { o.Binding.Signed.Nonce = "" },
		"long nonce":            func(o *offerContent, _ *offerBody) { o.Binding.Signed.Nonce = string(make([]byte, maxNonce+1)) },
		"no algorithms":         func(o *offerContent, _ *offerBody) { o.Binding.Signed.Algs = nil },
		"no DID methods":        func(o *offerContent, _ *offerBody) { o.Binding.Signed.Methods = nil },
		"format unknown":        func(_ *offerContent, b *offerBody) { b.Formats[0].Format = "hlindy/cred-abstract@v2.0" },
		"format of RFC 0593":    func(_ *offerContent, b *offerBody) { b.Formats[0].Format = formatDetail },
		"no formats":            func(_ *offerContent, b *offerBody) { b.Formats = nil },
		"format twice":          func(_ *offerContent, b *offerBody) { b.Formats = append(b.Formats, b.Formats[0]) },
		"attachment missing":    func(_ *offerContent, b *offerBody) { b.Offers = nil },
		"attachment twice":      func(_ *offerContent, b *offerBody) { b.Offers = append(b.Offers, b.Offers[0]) },
		"attachment by link": func(_ *offerContent, b *offerBody) {
			b.Offers[0].Data = didcomm.AttachmentData{Links: []string{"https://x.example"}}
		},
		"attachment not JSON": func(_ *offerContent, b *offerBody) { b.Offers[0] = didcomm.NewAttachment("a", "", []byte("{")) },
		"photo without id":    func(_ *offerContent, b *offerBody) { p := photo(); p.ID = ""; b.Attach = []didcomm.Attachment{p} },
		"photo by link": func(_ *offerContent, b *offerBody) {
			b.Attach = []didcomm.Attachment{{ID: "p", Data: didcomm.AttachmentData{Links: []string{"x"}}}}
		},
		"two photos, one id": func(_ *offerContent, b *offerBody) {
			b.Attach = []didcomm.Attachment{photo(), didcomm.NewAttachment(photo().ID, "", []byte("x"))}
		},
		"nine attachments": func(_ *offerContent, b *offerBody) {
			for i := range 9 {
				b.Attach = append(b.Attach, didcomm.NewAttachment(fmt.Sprint(i), "", []byte("x")))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			o := good(w)
			var b offerBody
			m := foreignOffer(t, o, func(body *offerBody) { b = *body })
			change(o, &b)
			raw, err := json.Marshal(o)
			require.NoError(t, err)
			if len(b.Offers) > 0 && len(b.Offers[0].Data.JSON) > 0 {
				for i := range b.Offers {
					b.Offers[i].Data.JSON = raw
				}
			}
			m, err = didcomm.New(m.ID, m.Type, m.Thread, "", b)
			require.NoError(t, err)
			before := w.holderNode.Store.Snapshot()
			err = w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m)
			requireRefused(t, err, codeAbandoned)
			require.Equal(t, before, w.holderNode.Store.Snapshot())
			require.Equal(t, []string{problem}, sentNames(w.holderNode))
		})
	}
}

func requireRefused(t *testing.T, err error, code string) {
	t.Helper()
	var p *didcomm.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, code, p.Code)
	require.NotEmpty(t, p.Comment)
}

func sentNames(n *memtx.Node) []string {
	out := []string{}
	for _, s := range n.Store.TakeOutbox() {
		out = append(out, s.Message.Type.Name)
	}
	return out
}

func TestDecline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.offer()
	require.NoError(t, w.holder.Decline(t.Context(), id, "The spelling of my name is wrong."))
	require.Equal(t, []string{problem}, names(w.settle()))
	h, i := w.only(w.holder.Exchanges), w.only(w.issuer.Exchanges)
	require.Equal(t, Abandoned, h.State)
	require.Equal(t, "declined", h.Code)
	require.False(t, h.ByPeer)
	require.Equal(t, Abandoned, i.State)
	require.Equal(t, "issuance-abandoned", i.Code)
	require.Equal(t, "The spelling of my name is wrong.", i.Reason)
	require.True(t, i.ByPeer)
	require.ErrorIs(t, w.holder.Accept(t.Context(), id, w.staff), ErrState)
	require.ErrorIs(t, w.holder.Decline(t.Context(), id, "again"), ErrState)
	require.Zero(t, w.signed)
	w.forgotten(w.issuerNode, w.holderNode)
}

// forgotten sees that no record of the protocol holds a claim any more.
func (w *world) forgotten(nodes ...*memtx.Node) {
	w.t.Helper()
	for _, n := range nodes {
		for _, kind := range []string{kindExchange, kindAttachments} {
			for _, r := range n.Store.Records(kind) {
				require.NotContains(w.t, string(r.Data), "Enhanced")
				require.NotContains(w.t, string(r.Data), photo().Data.Base64)
			}
		}
	}
}

// TestDelete: what has ended can be forgotten, and nothing else.
func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issuerID, holderID := w.offer()
	for name, call := range map[string]func() error{
		"issuer, going on": func() error { return w.issuer.Delete(t.Context(), issuerID) },
		"holder, going on": func() error { return w.holder.Delete(t.Context(), holderID) },
	} {
		require.ErrorIs(t, call(), ErrState, name)
	}
	require.ErrorIs(t, w.issuer.Delete(t.Context(), holderID), didcomm.ErrNotFound)
	require.ErrorIs(t, w.holder.Delete(t.Context(), issuerID), didcomm.ErrNotFound)
	require.NoError(t, w.holder.Decline(t.Context(), holderID, "No."))
	w.settle()
	require.NoError(t, w.issuer.Delete(t.Context(), issuerID))
	require.NoError(t, w.holder.Delete(t.Context(), holderID))
	for _, n := range []*memtx.Node{w.issuerNode, w.holderNode} {
		require.Empty(t, n.Store.Records(kindExchange))
		require.Empty(t, n.Store.Records(kindAttachments))
		events := n.Store.Events()
		require.Equal(t, "issue-credential/deleted", events[len(events)-1].Action)
	}
	require.ErrorIs(t, w.holder.Delete(t.Context(), holderID), didcomm.ErrNotFound)
}

// TestExpire_NoPeer: an exchange whose connection was deleted ends without a word.
func TestExpire_NoPeer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, _ := w.offer()
	require.NoError(t, w.issuerNode.Store.Update(t.Context(), func(tx didcomm.Tx) error { return tx.DeleteConnection("to-hazel") }))
	n, err := w.issuer.Expire(t.Context(), start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	x, err := w.issuer.Exchange(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, Abandoned, x.State)
	require.Empty(t, w.issuerNode.Store.TakeOutbox())
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issuerID, holderID := w.offer()
	require.NoError(t, w.holder.Accept(t.Context(), holderID, w.staff)) // crosses the withdrawal
	require.NoError(t, w.issuer.Withdraw(t.Context(), issuerID, "The check was repeated."))
	for _, s := range w.holderNode.Store.TakeOutbox() {
		err := w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", s.Message)
		requireRefused(t, err, codeOutOfOrder)
	}
	w.settle()
	require.Equal(t, Abandoned, w.only(w.issuer.Exchanges).State)
	require.Equal(t, Abandoned, w.only(w.holder.Exchanges).State)
	require.Zero(t, w.signed)
	require.ErrorIs(t, w.issuer.Withdraw(t.Context(), issuerID, ""), ErrState)
	require.ErrorIs(t, w.issuer.Withdraw(t.Context(), holderID, ""), didcomm.ErrNotFound)
	require.ErrorIs(t, w.holder.Decline(t.Context(), issuerID, ""), didcomm.ErrNotFound)
}

// TestWork_Twice: a task that runs again after a crash, and at the same time,
// gives one credential.
func TestWork_Twice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issuerID, holderID := w.offer()
	require.NoError(t, w.holder.Accept(t.Context(), holderID, w.staff))
	for _, s := range w.holderNode.Store.TakeOutbox() {
		require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", s.Message))
	}
	crash := errors.New("crash")
	w.issuerNode.Store.Fail = func() error { return crash }
	require.ErrorIs(t, w.issuer.Work(t.Context(), issuerID), crash)
	require.Equal(t, RequestReceived, w.only(w.issuer.Exchanges).State)
	require.Empty(t, w.issuerNode.Store.TakeOutbox())
	w.issuerNode.Store.Fail = nil

	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := w.issuer.Work(context.Background(), issuerID); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	require.NoError(t, w.issuer.Work(t.Context(), issuerID))
	require.Greater(t, w.signed, 1)
	sent := w.issuerNode.Store.TakeOutbox()
	require.Len(t, sent, 1)
	require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", sent[0].Message))
	w.holderNode.Store.Fail = func() error { return crash }
	require.ErrorIs(t, w.holder.Work(t.Context(), holderID), crash)
	require.Empty(t, w.holderNode.Store.Records("kept"))
	w.holderNode.Store.Fail = nil
	require.NoError(t, w.holder.Work(t.Context(), holderID))
	require.NoError(t, w.holder.Work(t.Context(), holderID))
	require.Len(t, w.holderNode.Store.Records("kept"), 1)
	require.Equal(t, []string{ack}, sentNames(w.holderNode))
}

func TestWork_NoSuchExchange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issuerID, holderID := w.offer()
	require.ErrorIs(t, w.issuer.Work(t.Context(), holderID), didcomm.ErrPermanent)
	require.ErrorIs(t, w.holder.Work(t.Context(), issuerID), didcomm.ErrPermanent)
	require.NoError(t, w.issuer.Work(t.Context(), issuerID), "nothing to do yet")
	require.NoError(t, w.holder.Work(t.Context(), holderID), "nothing to do yet")
	require.Zero(t, w.signed)
}

func TestIssuer_IssueFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		issue func(w *world) func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error)
		retry bool
	}{
		"for now": {func(*world) func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
			return func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
				return nil, errors.New("the key store does not answer")
			}
		}, true},
		"for good": {func(*world) func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
			return func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
				return nil, fmt.Errorf("%w: the key was destroyed", didcomm.ErrPermanent)
			}
		}, false},
		"another format": {func(*world) func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
			return func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
				return []vc.Secured{{MediaType: "application/dc+sd-jwt", Bytes: []byte("e30.e30.AA")}}, nil
			}
		}, false},
		"not a credential": {func(*world) func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
			return func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
				return []vc.Secured{{MediaType: vc.MediaTypeCredential, Bytes: []byte("{}")}}, nil
			}
		}, false},
		"a form too many": {func(w *world) func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
			return func(ctx context.Context, x *Exchange, c *vc.Credential) ([]vc.Secured, error) {
				x.Forms = append(x.Forms, sdjwt.MediaTypeSDJWTVC)
				both, err := w.issue(ctx, x, c)
				x.Forms = x.Forms[:1]
				return both, err
			}
		}, false},
		"no form": {func(*world) func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
			return func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) { return nil, nil }
		}, false},
		"another credential": {func(w *world) func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
			return func(ctx context.Context, x *Exchange, c *vc.Credential) ([]vc.Secured, error) {
				c.Subject = json.RawMessage(`{"id":"did:example:other","dbs":{"level":"Enhanced"}}`)
				return w.issue(ctx, x, c)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.issuer.Issue = c.issue(w)
			_, id := w.offer()
			require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
			_, err := memtx.Settle(t.Context(), w.issuerNode, w.holderNode)
			if c.retry {
				require.Error(t, err)
				require.Equal(t, RequestReceived, w.only(w.issuer.Exchanges).State)
				require.Len(t, w.issuerNode.Store.Tasks(), 1)
				w.issuer.Issue = w.issue
				w.settle()
				require.Equal(t, Done, w.only(w.holder.Exchanges).State)
				return
			}
			require.NoError(t, err)
			x := w.only(w.issuer.Exchanges)
			require.Equal(t, Abandoned, x.State)
			require.Equal(t, "issue-failed", x.Code)
			require.Empty(t, x.Secured)
			require.Equal(t, Abandoned, w.only(w.holder.Exchanges).State)
			require.Empty(t, w.kept)
		})
	}
}

// unsure is a Check that cannot tell at first.
type unsure struct {
	real  *verify.Verifier
	times int
}

func (u *unsure) Credential(ctx context.Context, s vc.Secured) (*verify.Credential, error) {
	if u.times > 0 {
		u.times--
		return nil, &verify.Error{Index: verify.Whole, Check: verify.CheckIssuer, Code: verify.ErrUnavailable,
			Checks: []verify.Result{{Index: verify.Whole, Check: verify.CheckIssuer, Outcome: verify.Undecided, Sentence: "The check could not be made now."}}}
	}
	return u.real.Credential(ctx, s)
}

func TestHolder_Undecided(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.holder.Check = &unsure{w.verifier(), 2}
	_, id := w.offer()
	require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
	for range 2 {
		_, err := memtx.Settle(t.Context(), w.issuerNode, w.holderNode)
		require.ErrorIs(t, err, verify.ErrUnavailable)
		x := w.only(w.holder.Exchanges)
		require.Equal(t, CredentialReceived, x.State)
		require.Equal(t, "unavailable", x.Code)
		require.Equal(t, "The check could not be made now.", x.Reason)
		require.Empty(t, w.kept)
	}
	w.settle()
	x := w.only(w.holder.Exchanges)
	require.Equal(t, Done, x.State)
	require.Empty(t, x.Code)
	require.Len(t, w.kept, 1)
}

func TestHolder_UndecidedForTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.holder.Check = &unsure{w.verifier(), 100}
	_, id := w.offer()
	require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
	_, err := memtx.Settle(t.Context(), w.issuerNode, w.holderNode)
	require.ErrorIs(t, err, verify.ErrUnavailable)
	w.clock.Advance(patience)
	w.settle()
	require.Equal(t, Abandoned, w.only(w.holder.Exchanges).State)
	require.Equal(t, "unavailable", w.only(w.holder.Exchanges).Code)
	require.Equal(t, Abandoned, w.only(w.issuer.Exchanges).State)
	require.Empty(t, w.kept)
}

func TestHolder_KeepFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	full := errors.New("disk full")
	w.holder.Keep = func(context.Context, didcomm.Tx, *Exchange, Received) error { return full }
	_, id := w.offer()
	require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
	_, err := memtx.Settle(t.Context(), w.issuerNode, w.holderNode)
	require.ErrorIs(t, err, full)
	require.Equal(t, CredentialReceived, w.only(w.holder.Exchanges).State)
	require.Equal(t, CredentialIssued, w.only(w.issuer.Exchanges).State, "no ack")
	w.holder.Keep = func(context.Context, didcomm.Tx, *Exchange, Received) error {
		return fmt.Errorf("%w: not a passport", didcomm.ErrPermanent)
	}
	w.settle()
	require.Equal(t, Abandoned, w.only(w.issuer.Exchanges).State)
	require.Equal(t, "not-kept", w.only(w.holder.Exchanges).Code)
}

func TestExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.offer()
	n, err := w.issuer.Expire(t.Context(), start)
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = w.holder.Expire(t.Context(), start.Add(time.Hour))
	require.NoError(t, err)
	require.Zero(t, n, "waits for the person, not for the peer")

	require.NoError(t, w.holder.Accept(t.Context(), id, w.staff)) // lost on the way
	w.holderNode.Store.TakeOutbox()
	w.clock.Advance(2 * time.Hour)
	n, err = w.holder.Expire(t.Context(), w.clock.Now().Add(-time.Hour))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	x := w.only(w.holder.Exchanges)
	require.Equal(t, Abandoned, x.State)
	require.Equal(t, "expired", x.Code)
	n, err = w.holder.Expire(t.Context(), w.clock.Now())
	require.NoError(t, err)
	require.Zero(t, n)
	w.settle()
	require.Equal(t, Abandoned, w.only(w.issuer.Exchanges).State, "the issuer was told")
}

func TestOfferExpires(t *testing.T) {
	t.Parallel()
	t.Run("accepted too late", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		_, id := w.offer()
		w.clock.Advance(24 * time.Hour)
		require.ErrorIs(t, w.holder.Accept(t.Context(), id, w.staff), ErrState)
		w.settle()
		require.Equal(t, "expired", w.only(w.holder.Exchanges).Code)
		require.Equal(t, Abandoned, w.only(w.issuer.Exchanges).State)
	})
	t.Run("accepted in time, arrives too late", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		_, id := w.offer()
		require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
		w.clock.Advance(24 * time.Hour)
		w.settle()
		require.Equal(t, "expired", w.only(w.issuer.Exchanges).Code)
		require.Equal(t, Abandoned, w.only(w.holder.Exchanges).State)
		require.Zero(t, w.signed)
	})
	t.Run("arrives expired", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		_, err := w.issuer.Offer(t.Context(), "to-hazel", Offer{Credential: w.passport(), Expires: start})
		require.NoError(t, err)
		sent := w.issuerNode.Store.TakeOutbox()
		requireRefused(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", sent[0].Message), codeAbandoned)
		n, err := w.issuer.Expire(t.Context(), start)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
	t.Run("swept", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.offer()
		w.clock.Advance(24 * time.Hour)
		n, err := w.holder.Expire(t.Context(), start)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

func TestIssuer_OfferRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issuerNode.Connect("half-made", false)
	for name, c := range map[string]struct {
		connection string
		change     func(*Offer)
		want       error
	}{
		"no connection":       {"nobody", func(*Offer) {}, didcomm.ErrNotFound},
		"not established":     {"half-made", func(*Offer) {}, ErrState},
		"with a proof":        {"to-hazel", func(o *Offer) { o.Credential.Other = map[string]json.RawMessage{"proof": json.RawMessage(`{}`)} }, ErrMalformed},
		"several subjects":    {"to-hazel", func(o *Offer) { o.Credential.Subject = json.RawMessage(`[{"a":1},{"b":1}]`) }, ErrMalformed},
		"no credential":       {"to-hazel", func(o *Offer) { o.Credential = nil }, ErrMalformed},
		"no subject":          {"to-hazel", func(o *Offer) { o.Credential.Subject = nil }, vc.ErrSyntax},
		"photo without an id": {"to-hazel", func(o *Offer) { o.Attachments[0].ID = "" }, ErrMalformed},
	} {
		o := Offer{Credential: w.passport(), Attachments: []didcomm.Attachment{photo()}}
		c.change(&o)
		_, err := w.issuer.Offer(t.Context(), c.connection, o)
		require.ErrorIs(t, err, c.want, name)
	}
	all, err := w.issuer.Exchanges(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
	require.Empty(t, w.issuerNode.Store.TakeOutbox())
}

// TestIssuer_Ack: an ack that is not final, or says nothing known, ends nothing.
func TestIssuer_Ack(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]State{
		`{"status":"OK"}`: Done, `{"status":"PENDING"}`: CredentialIssued,
		`{"status":"FAIL"}`: CredentialIssued, `{}`: CredentialIssued, `{"status":1}`: CredentialIssued,
	} {
		w := newWorld(t)
		put(t, w.issuerNode, w, RoleIssuer, CredentialIssued, "thread-1")
		m, err := didcomm.New("m1", messageType(didcomm.V1, ack), "thread-1", "", json.RawMessage(body))
		require.NoError(t, err)
		err = w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", m)
		if want == Done || strings.Contains(body, "PENDING") {
			require.NoError(t, err, body)
		} else {
			requireRefused(t, err, "w.m.msg.malformed")
		}
		require.Equal(t, want, w.only(w.issuer.Exchanges).State, body)
		require.Empty(t, w.issuerNode.Store.TakeOutbox())
	}
}

// TestExchange_Prints: no way of printing an exchange shows a claim.
func TestExchange_Prints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.offer()
	x, err := w.holder.Exchange(t.Context(), id)
	require.NoError(t, err)
	require.Contains(t, string(x.Offered), "Hazel")
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "exchange", x, "value", *x)
	for _, s := range []string{b.String(), fmt.Sprint(x), fmt.Sprintf("%v %+v %#v %s", *x, *x, *x, x)} {
		require.NotContains(t, s, "Hazel")
		require.Contains(t, s, x.Thread)
	}
}

func TestAbandon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _ = w.offer()
	roles := Roles{w.issuer, nil}
	thread := w.only(w.issuer.Exchanges).Thread
	abandon := func(connection, thread string) (mine bool) {
		require.NoError(t, w.issuerNode.Store.Update(t.Context(), func(tx didcomm.Tx) (err error) {
			mine, err = roles.Abandon(t.Context(), tx, didcomm.Connection{ID: connection}, thread,
				&didcomm.Problem{Code: undeliverable, Comment: "a message could not be delivered"})
			return err
		}))
		return mine
	}
	require.False(t, abandon("to-hazel", "another"))
	require.False(t, abandon("another", thread))
	require.Equal(t, OfferSent, w.only(w.issuer.Exchanges).State)
	require.True(t, abandon("to-hazel", thread))
	x := w.only(w.issuer.Exchanges)
	require.Equal(t, Abandoned, x.State)
	require.Equal(t, undeliverable, x.Code)
	require.False(t, x.ByPeer)
	require.Empty(t, w.issuerNode.Store.TakeOutbox(), "nobody to tell")
	require.True(t, abandon("to-hazel", thread), "again")
}

// TestReported: a warning does not end anything, any other report does.
func TestReported(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]State{"issuance-abandoned": Abandoned, "e.p.req": Abandoned, "": Abandoned, "w.m.req": OfferReceived} {
		w := newWorld(t)
		_, id := w.offer()
		x, err := w.holder.Exchange(t.Context(), id)
		require.NoError(t, err)
		m, err := didcomm.New("r1", messageType(didcomm.V1, problem), x.Thread, "", map[string]any{"description": map[string]string{"code": code}})
		require.NoError(t, err)
		require.NoError(t, w.holderNode.Store.Deliver(t.Context(), Roles{w.issuer, w.holder}, "to-alderbrook", m))
		require.Equal(t, want, w.only(w.holder.Exchanges).State, code)
		require.Empty(t, w.holderNode.Store.TakeOutbox(), "a report is not answered")
	}
}
