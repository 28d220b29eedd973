package issue

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// recorded returns the messages of one thread between two agents of others, by name:
// aries-framework-go v0.3.2 and Credo-TS 0.6.3, decrypted.
func recorded(t testing.TB, file string) map[string]*didcomm.Message {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "wire", file+".jsonl"))
	require.NoError(t, err)
	out := map[string]*didcomm.Message{}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m, err := didcomm.ParseMessage(lines.Bytes())
		require.NoError(t, err)
		out[m.Type.Name] = m
	}
	return out
}

// detailOf returns the detail in a message.
func detailOf(t testing.TB, m *didcomm.Message) (*vc.Credential, *detail, Options) {
	t.Helper()
	d, o, err := said(t, m).readDetail()
	require.NoError(t, err)
	c, err := vc.Parse(d.Credential)
	require.NoError(t, err)
	return c, d, o
}

// issuedIn returns the credential in a message.
func issuedIn(t testing.TB, m *didcomm.Message) vc.Secured {
	t.Helper()
	s, err := unwrapLinked(said(t, m), linkedForms())
	require.NoError(t, err)
	return s
}

// absent is a holder whose key is with the agent of the recording. It cannot sign, and
// need not.
type absent struct{ id did.DID }

func (a absent) VerificationMethod() did.URL { return didkey.SigningMethod(a.id) }
func (a absent) Public() crypto.PublicKey    { return nil }
func (a absent) Sign(context.Context, []byte) ([]byte, error) {
	return nil, errors.New("the key is not here")
}

// trusting makes the holder of w one that relies on an issuer, at the time of the
// recordings.
func (w *world) trusting(issuer string) {
	w.t.Helper()
	w.clock.Advance(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC).Sub(w.clock.Now()))
	id, err := did.Parse(issuer)
	require.NoError(w.t, err)
	v := w.verifier()
	v.Trust = verify.TrustedIssuers{id: {"RiverWardenCredential"}}
	w.holder.Check = v
	w.holder.Forms = []string{jose.MediaTypeLegacy}
}

func sameJSON(t testing.TB, want, got []byte) {
	t.Helper()
	a, err := strictjson.Parse(want)
	require.NoError(t, err)
	b, err := strictjson.Parse(got)
	require.NoError(t, err)
	require.True(t, equal(a, b), "%s\nis not\n%s", got, want)
}

// TestInterop_CredentialAttachment: the offers of both agents are accepted with the very
// request that their own holders sent, and what they issued, documents and a token, is
// verified, kept and acknowledged (rows "credential attachment", "proof suites",
// "attachments" and "decorators").
func TestInterop_CredentialAttachment(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"aries-ldp", "aries-jwt", "credo-offer", "credo-propose"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			w, wire := newWorld(t), recorded(t, file)
			c, want, _ := detailOf(t, wire[request])
			holder, _ := subjectID(want.Credential)
			id, err := did.Parse(holder)
			require.NoError(t, err)
			w.trusting(c.Issuer.ID)

			require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", wire[offer]))
			x := w.only(w.holder.Exchanges)
			require.Equal(t, FormatLinkedData, x.FormatID)
			require.Equal(t, "Ed25519Signature2018", x.Options.ProofType)
			require.Equal(t, wire[offer].Thread, x.Thread)
			if file[:5] == "aries" {
				require.Equal(t, Attribute{Name: "river", Value: "Derwent"}, x.Preview[0])
			}
			require.NoError(t, w.holder.Accept(t.Context(), x.ID, absent{id}))
			sent := w.holderNode.Store.TakeOutbox()
			require.Len(t, sent, 1)
			_, got, _ := detailOf(t, sent[0].Message)
			sameJSON(t, want.Credential, got.Credential)
			sameJSON(t, want.Options, got.Options)

			require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", wire[issue]))
			require.NoError(t, w.holderNode.Work(t.Context()))
			x = w.only(w.holder.Exchanges)
			require.Equal(t, Done, x.State, x.Reason)
			require.Len(t, w.kept, 1)
			require.Contains(t, string(w.kept[0].Forms[0].Credential.Document().Subject), holder)
			require.Equal(t, []string{ack}, sentNames(w.holderNode))
		})
	}
}

// TestInterop_HoldersOfOthers: the requests and acks of both agents' holders, to an
// issuer of ours that signs what their issuer signed.
func TestInterop_HoldersOfOthers(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"aries-ldp", "aries-jwt", "credo-offer"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			w, wire := newWorld(t), recorded(t, file)
			offered, _, _ := detailOf(t, wire[offer])
			secured := issuedIn(t, wire[issue])
			w.issuer.Issue = func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
				return []vc.Secured{secured}, nil
			}
			_, err := w.issuer.Offer(t.Context(), "to-hazel", Offer{Credential: offered, Forms: []string{secured.MediaType}})
			require.NoError(t, err)
			thread := w.issuerNode.Store.TakeOutbox()[0].Message.Thread
			w.answered(wire, thread)
			require.NotEqual(t, did.DID{}, w.only(w.issuer.Exchanges).Holder)
		})
	}
}

// answered has the recorded request and ack delivered on a thread.
func (w *world) answered(wire map[string]*didcomm.Message, thread string) {
	w.t.Helper()
	for _, name := range []string{request, ack} {
		m := *wire[name]
		m.Thread = thread
		require.NoError(w.t, w.issuerNode.Store.Deliver(w.t.Context(), w.issuer, "to-hazel", &m))
		require.NoError(w.t, w.issuerNode.Work(w.t.Context()))
		if name != request {
			continue
		}
		sent := w.issuerNode.Store.TakeOutbox()
		require.Len(w.t, sent, 1)
		a, err := said(w.t, sent[0].Message).find(FormatLinkedData)
		require.NoError(w.t, err)
		got, err := a.Content()
		require.NoError(w.t, err)
		want := issuedIn(w.t, wire[issue])
		if want.MediaType == vc.MediaTypeCredential {
			require.NotEmpty(w.t, a.Data.JSON, "aries reads one spelling of base64 alone")
			sameJSON(w.t, want.Bytes, got)
		} else {
			require.Equal(w.t, want.Bytes, got)
			theirs, err := said(w.t, wire[issue]).find(FormatLinkedData)
			require.NoError(w.t, err)
			require.Equal(w.t, theirs.Data.Base64, a.Data.Base64, "the spelling that aries reads")
		}
		require.Len(w.t, said(w.t, sent[0].Message).Formatted, 1, "aries takes each for a credential")
	}
	x := w.only(w.issuer.Exchanges)
	require.Equal(w.t, Done, x.State, x.Reason)
	require.False(w.t, x.Proven)
}

// TestInterop_HoldersDIDInProposal: a Credo holder proposes first, because it cannot add
// its DID when it accepts an offer (row "holder's DID").
func TestInterop_HoldersDIDInProposal(t *testing.T) {
	t.Parallel()
	w, wire := newWorld(t), recorded(t, "credo-propose")
	var heard []Exchange
	w.issuer.Proposed = func(_ context.Context, _ didcomm.Tx, x *Exchange) error {
		heard = append(heard, *x)
		return nil
	}
	secured := issuedIn(t, wire[issue])
	w.issuer.Issue = func(context.Context, *Exchange, *vc.Credential) ([]vc.Secured, error) {
		return []vc.Secured{secured}, nil
	}
	require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", wire[propose]))
	require.Len(t, heard, 1)
	require.Equal(t, ProposalReceived, heard[0].State)
	c, err := vc.Parse(heard[0].Proposed)
	require.NoError(t, err)
	require.NoError(t, w.issuer.Answer(t.Context(), heard[0].ID, Offer{Credential: c, Formats: []string{FormatLinkedData}}))
	sent := w.issuerNode.Store.TakeOutbox()
	require.Len(t, sent, 1)
	require.Equal(t, wire[propose].Thread, sent[0].Message.Thread)
	_, want, _ := detailOf(t, wire[offer])
	_, got, _ := detailOf(t, sent[0].Message)
	sameJSON(t, want.Credential, got.Credential)
	sameJSON(t, want.Options, got.Options)
	w.answered(wire, wire[propose].Thread)
}

// TestInterop_HoldersDIDMissing: an offer that names nobody, accepted by an agent that
// cannot add its DID, gives no credential that nobody could show.
func TestInterop_HoldersDIDMissing(t *testing.T) {
	t.Parallel()
	w, wire := newWorld(t), recorded(t, "aries-ldp")
	offered, _, _ := detailOf(t, wire[offer])
	_, err := w.issuer.Offer(t.Context(), "to-hazel", Offer{Credential: offered})
	require.NoError(t, err)
	c := said(t, w.issuerNode.Store.TakeOutbox()[0].Message) // and comes back as it was
	back, err := compose(didcomm.V1, "r1", request, w.only(w.issuer.Exchanges).Thread, content{Formatted: c.Formatted})
	require.NoError(t, err)
	require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", back))
	x := w.only(w.issuer.Exchanges)
	require.Equal(t, Abandoned, x.State)
	require.Equal(t, "binding-failed", x.Code)
	require.Zero(t, w.signed)
}

// TestInterop_ReportOnAThreadOfItsOwn: aries-framework-go refuses in a message that has
// the exchange's thread as its parent.
func TestInterop_ReportOnAThreadOfItsOwn(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			w.offer()
			thread := w.only(w.issuer.Exchanges).Thread
			for _, parent := range []string{"another", thread} {
				require.Equal(t, OfferSent, w.only(w.issuer.Exchanges).State)
				m, err := didcomm.New("report-"+parent, messageType(v, problem), "", parent, map[string]any{
					"code": "rejected", "description": map[string]string{"code": "rejected"}})
				require.NoError(t, err)
				m.Version = v
				require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", m))
			}
			x := w.only(w.issuer.Exchanges)
			require.Equal(t, Abandoned, x.State)
			require.Equal(t, "rejected", x.Code)
			require.Empty(t, w.issuerNode.Store.TakeOutbox())
		})
	}
}

// TestInterop_Preview: in version 2.0 the preview is what both agents write, in 3.0 what
// the text shows.
func TestInterop_Preview(t *testing.T) {
	t.Parallel()
	for v, want := range map[didcomm.Version]string{
		didcomm.V1: `{"@type":"https://didcomm.org/issue-credential/2.0/credential-preview","attributes":[{"name":"level","value":"Enhanced"},{"name":"photo","mime-type":"image/jpeg","value":"_9j_"}]}`,
		didcomm.V2: `{"type":"https://didcomm.org/issue-credential/3.0/credential-credential","id":"m1","body":{"attributes":[{"name":"level","value":"Enhanced"},{"name":"photo","media_type":"image/jpeg","value":"_9j_"}]}}`,
	} {
		list := []Attribute{{Name: "level", Value: "Enhanced"}, {"photo", "image/jpeg", "_9j_"}}
		m, err := compose(v, "m1", offer, "", content{Preview: list})
		require.NoError(t, err)
		var b struct {
			Preview json.RawMessage `json:"credential_preview"`
		}
		require.NoError(t, m.Decode(&b))
		sameJSON(t, []byte(want), b.Preview)
		require.Equal(t, list, said(t, m).Preview)
	}
}

// TestInterop_ProofSuites: what is offered in data model 1.1 has the proof that both
// agents know, and a wallet takes it only if it lists the suite.
func TestInterop_ProofSuites(t *testing.T) {
	t.Parallel()
	for _, listed := range []bool{true, false} {
		w := newWorld(t)
		if v := w.verifier(); !listed {
			v.Suites = nil
			w.holder.Check = v
		}
		w.offers(Offer{Credential: w.passportV1()})
		require.Equal(t, Options{ProofType: "Ed25519Signature2018", ProofPurpose: "assertionMethod"}, w.only(w.holder.Exchanges).Options)
		w.accept()
		w.settle()
		if listed {
			w.done()
			continue
		}
		x := w.only(w.holder.Exchanges)
		require.Equal(t, Abandoned, x.State)
		require.Equal(t, string(verify.ErrSuite), x.Code)
		require.Equal(t, Abandoned, w.only(w.issuer.Exchanges).State)
		require.Empty(t, w.kept)
	}
}

// TestInterop_CredentialAttachmentBesideOthers: an offer in several formats is taken in
// the one that this wallet can use.
func TestInterop_CredentialAttachmentBesideOthers(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			doc := must(w.passportV1().MarshalJSON())
			older, err := attach("a", formatOffer, offerContent{Versions: []string{"1.1"}, Credential: doc})
			require.NoError(t, err)
			indy, err := attach("b", "hlindy/cred-abstract@v2.0", map[string]int{"a": 1})
			require.NoError(t, err)
			linked, err := newDetail("c", doc, Options{ProofType: proofOfV1})
			require.NoError(t, err)
			for name, c := range map[string]struct {
				list []didcomm.Attachment
				ok   bool
			}{
				"all three":        {[]didcomm.Attachment{older, indy, linked}, true},
				"without RFC 0593": {[]didcomm.Attachment{older, indy}, false},
				"AnonCreds alone":  {[]didcomm.Attachment{indy}, false},
				"none":             {nil, false},
			} {
				w := newWorldOf(t, v)
				m, err := compose(v, "m1", offer, "", content{Formatted: c.list})
				require.NoError(t, err)
				err = w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m)
				if !c.ok {
					requireRefused(t, err, codeAbandoned)
					require.ErrorIs(t, err, ErrUnsupported, name)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, FormatLinkedData, w.only(w.holder.Exchanges).FormatID)
			}
		})
	}
}
