package issue

import (
	"context"
	"crypto"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

var both = []string{vc.MediaTypeCredential, sdjwt.MediaTypeSDJWTVC}

// offerBoth offers the passport in two forms and returns the holder's exchange.
func (w *world) offerBoth() string {
	w.t.Helper()
	_, err := w.issuer.Offer(w.t.Context(), "to-hazel", Offer{Credential: w.passport(), Forms: both})
	require.NoError(w.t, err)
	w.settle()
	return w.only(w.holder.Exchanges).ID
}

// TestForms: one passport arrives in both forms, each verified, and in one if the
// holder takes no more or the issuer has no more.
func TestForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ offered, taken, want []string }{
		"both":                                  {both, both, both},
		"holder takes one":                      {both, nil, both[:1]},
		"issuer has one":                        {nil, both, both[:1]},
		"holder takes a form that nobody knows": {both, []string{"application/vc+jwt"}, both[:1]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.holder.Forms = c.taken
			_, err := w.issuer.Offer(t.Context(), "to-hazel", Offer{Credential: w.passport(), Forms: c.offered})
			require.NoError(t, err)
			w.settle()
			require.NoError(t, w.holder.Accept(t.Context(), w.only(w.holder.Exchanges).ID, w.staff))
			w.settle()
			require.Equal(t, Done, w.only(w.holder.Exchanges).State)
			require.Len(t, w.kept, 1)
			var got []string
			for _, f := range w.kept[0].Forms {
				got = append(got, f.Secured.MediaType)
				require.JSONEq(t, claimsOf(t, w), string(f.Credential.Document().Subject))
			}
			require.Equal(t, c.want, got)
		})
	}
}

func claimsOf(t testing.TB, w *world) string {
	t.Helper()
	doc, err := w.passport().MarshalJSON()
	require.NoError(t, err)
	c, err := bound(doc, w.staff.VerificationMethod().DID)
	require.NoError(t, err)
	return string(c.Subject)
}

func TestOffer_FormsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, forms := range [][]string{
		{sdjwt.MediaTypeSDJWTVC}, {vc.MediaTypeCredential, vc.MediaTypeCredential}, {vc.MediaTypeCredential, "application/vc+jwt"},
		append(both, sdjwt.MediaTypeSDJWTVC), {""},
	} {
		_, err := w.issuer.Offer(t.Context(), "to-hazel", Offer{Credential: w.passport(), Forms: forms})
		require.ErrorIs(t, err, ErrUnsupported, forms)
	}
	require.Empty(t, w.issuerNode.Store.TakeOutbox())
}

// TestHolder_FormsDiffer: the forms of one credential say the same, and are those that
// were asked for; what one form says falsely is not kept in the other either.
func TestHolder_FormsDiffer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		taken  []string
		change func(t *testing.T, w *world, x *Exchange, b *issueBody)
		code   string
	}{
		"another claim in the second form": {both, func(t *testing.T, w *world, x *Exchange, b *issueBody) {
			other := w.passport()
			other.Subject = json.RawMessage(`{"id":"` + w.staff.VerificationMethod().DID.String() + `","dbs":{"level":"Basic"}}`)
			issued, err := w.issue(context.Background(), x, other)
			require.NoError(t, err)
			b.Credentials[1] = didcomm.NewAttachment(b.Credentials[1].ID, sdjwt.MediaTypeSDJWTVC, issued[1].Bytes)
		}, "different"},
		"second form of another issuer": {both, func(t *testing.T, w *world, x *Exchange, b *issueBody) {
			w.employer = signer(t, 77)
			issued, err := w.issue(context.Background(), x, w.passport())
			require.NoError(t, err)
			b.Credentials[1] = didcomm.NewAttachment(b.Credentials[1].ID, sdjwt.MediaTypeSDJWTVC, issued[1].Bytes)
		}, "untrusted"},
		"second form for another key": {both, func(t *testing.T, w *world, x *Exchange, b *issueBody) {
			b.Credentials[1] = w.tokenFor(t, x, b.Credentials[1].ID, signer(t, 99).Public())
		}, "different"},
		"second form for no key": {both, func(t *testing.T, w *world, x *Exchange, b *issueBody) {
			b.Credentials[1] = w.tokenFor(t, x, b.Credentials[1].ID, nil)
		}, "different"},
		"second form changed": {both, func(t *testing.T, _ *world, _ *Exchange, b *issueBody) {
			token, err := b.Credentials[1].Content()
			require.NoError(t, err)
			token[len(token)/2] ^= 1
			b.Credentials[1] = didcomm.NewAttachment(b.Credentials[1].ID, sdjwt.MediaTypeSDJWTVC, token)
		}, ""},
		"second form missing": {both, func(_ *testing.T, _ *world, _ *Exchange, b *issueBody) {
			b.Formats, b.Credentials = b.Formats[:1], b.Credentials[:1]
		}, "malformed-credential"},
		"second form not asked for": {nil, func(t *testing.T, w *world, x *Exchange, b *issueBody) {
			c, err := x.Credential()
			require.NoError(t, err)
			issued, err := w.issue(context.Background(), &Exchange{Forms: both}, c)
			require.NoError(t, err)
			*b = newIssueBody(wrap(w.issuer.party(), FormatDataIntegrity, issued))
		}, "malformed-credential"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.holder.Forms = c.taken
			require.NoError(t, w.holder.Accept(t.Context(), w.offerBoth(), w.staff))
			asked := w.holderNode.Store.TakeOutbox()
			require.Len(t, asked, 1)
			x := w.only(w.holder.Exchanges)
			doc, err := x.Credential()
			require.NoError(t, err)
			issued, err := w.issue(t.Context(), &x, doc)
			require.NoError(t, err)
			b := newIssueBody(wrap(w.issuer.party(), FormatDataIntegrity, issued))
			c.change(t, w, &x, &b)
			m, err := didcomm.New("m1", messageType(didcomm.V1, issue), x.Thread, "", b)
			require.NoError(t, err)
			require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m))
			require.NoError(t, w.holderNode.Work(t.Context()))
			x = w.only(w.holder.Exchanges)
			require.Equal(t, Abandoned, x.State)
			if c.code != "" {
				require.Equal(t, c.code, x.Code)
			}
			require.NotEmpty(t, x.Reason)
			require.Empty(t, w.kept)
		})
	}
}

// tokenFor is the passport as an SD-JWT VC that is bound to a key.
func (w *world) tokenFor(t *testing.T, x *Exchange, id string, key crypto.PublicKey) didcomm.Attachment {
	t.Helper()
	c, err := x.Credential()
	require.NoError(t, err)
	c.ValidFrom = w.clock.Now()
	s, err := (&sdjwt.Issuer{Signer: w.employer, Holder: key, Contexts: contexts(), Now: w.clock.Now}).Secure(t.Context(), c)
	require.NoError(t, err)
	return didcomm.NewAttachment(id, sdjwt.MediaTypeSDJWTVC, s.Bytes)
}

// TestIssuer_FormNotOffered: a holder asks for no form that was not on offer.
func TestIssuer_FormNotOffered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	proof, err := proveBinding(t.Context(), "p", &signedMethod{bindingAlgs(), holderMethods(), "nonce"}, w.staff)
	require.NoError(t, err)
	r, err := newAttachment("a", requestContent{dataModel, &bindingProofs{&signedProof{"p"}}})
	require.NoError(t, err)
	for name, content := range map[string]any{"not offered": formContent{sdjwt.MediaTypeSDJWTVC}, "unknown": formContent{"application/vc+jwt"}} {
		f, err := newAttachment("f", content)
		require.NoError(t, err)
		m, err := didcomm.New("m1", messageType(didcomm.V1, request), "thread", "", requestBody{
			Formats:  didcomm.Formats{{AttachID: "a", Format: formatRequest}, {AttachID: "f", Format: formatSDJWTRequest}},
			Requests: []didcomm.Attachment{r, f}, Attach: []didcomm.Attachment{proof}})
		require.NoError(t, err)
		w := newWorld(t)
		w.offer()
		m.Thread = w.only(w.issuer.Exchanges).Thread
		require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", m), name)
		require.Equal(t, "malformed-request", w.only(w.issuer.Exchanges).Code, name)
		require.Zero(t, w.signed)
	}
}
