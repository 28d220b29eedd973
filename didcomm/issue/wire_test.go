package issue

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// The offers of real agents, in the format of RFC 0593: Credo-TS 0.6.3 in base64
// and with a thid that is not its @id, aries-framework-go v0.3.2 as JSON.
const (
	credoOffer = `{"@type":"https://didcomm.org/issue-credential/2.0/offer-credential","@id":"f829f7c6-2ba4-4b9e-b0b1-60bcce185400","comment":"Staff passport",` +
		`"formats":[{"attach_id":"87ff22c3-8511-4511-9f62-2f82126bc9b9","format":"aries/ld-proof-vc-detail@v1.0"}],` +
		`"credential_preview":{"@type":"https://didcomm.org/issue-credential/2.0/credential-preview","attributes":[]},` +
		`"offers~attach":[{"@id":"87ff22c3-8511-4511-9f62-2f82126bc9b9","mime-type":"application/json","data":{"base64":"eyJjcmVkZW50aWFsIjp7fX0="}}],` +
		`"~thread":{"thid":"640c23ff-0162-4faa-9e7b-ebc57a50fc63"},"~please_ack":{"on":["RECEIPT"]}}`
	frameworkOffer = `{"@id":"e6189afb-36a0-4d75-a0e8-3f5fc2974915","@type":"https://didcomm.org/issue-credential/2.0/offer-credential","comment":"Staff passport",` +
		`"formats":[{"attach_id":"f1ac009b-b150-4f8d-a61c-a25f77616c73","format":"aries/ld-proof-vc-detail@v1.0"}],` +
		`"offers~attach":[{"@id":"f1ac009b-b150-4f8d-a61c-a25f77616c73","data":{"json":{"credential":{"type":["VerifiableCredential"]},"options":{"proofType":"Ed25519Signature2018"}}},"mime-type":"application/json"}],` +
		`"~thread":{"thid":"e6189afb-36a0-4d75-a0e8-3f5fc2974915"}}`
)

func TestHolder_OfferOfOtherAgents(t *testing.T) {
	t.Parallel()
	for thread, text := range map[string]string{
		"640c23ff-0162-4faa-9e7b-ebc57a50fc63": credoOffer,
		"e6189afb-36a0-4d75-a0e8-3f5fc2974915": frameworkOffer,
	} {
		w := newWorld(t)
		m, err := didcomm.ParseMessage([]byte(text))
		require.NoError(t, err)
		err = w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m)
		requireRefused(t, err, codeAbandoned)
		require.ErrorIs(t, err, ErrUnsupported)
		sent := w.holderNode.Store.TakeOutbox()
		require.Len(t, sent, 1)
		require.Equal(t, thread, sent[0].Message.Thread)
		require.Contains(t, string(sent[0].Message.Body), formatOffer, "says what would do")
	}
}

// TestHolder_OfferInAnotherShape: the same attachment format in the shapes that
// other agents give their messages.
func TestHolder_OfferInAnotherShape(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]func([]byte) string{
		"json":             func(b []byte) string { return `{"json":` + string(b) + `}` },
		"base64url":        func(b []byte) string { return fmt.Sprintf(`{"base64":%q}`, base64.RawURLEncoding.EncodeToString(b)) },
		"base64url padded": func(b []byte) string { return fmt.Sprintf(`{"base64":%q}`, base64.URLEncoding.EncodeToString(b)) },
		"base64":           func(b []byte) string { return fmt.Sprintf(`{"base64":%q}`, base64.StdEncoding.EncodeToString(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			doc, err := w.passport().MarshalJSON()
			require.NoError(t, err)
			o, err := json.Marshal(offerContent{Versions: []string{"2.0", "1.1"}, BindingRequired: true, Credential: doc,
				Binding: &bindingMethods{&signedMethod{[]string{"ES256", "EdDSA"}, []string{"key", "web"}, "1234"}}})
			require.NoError(t, err)
			m, err := didcomm.ParseMessage([]byte(`{"@type":"did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/issue-credential/2.2/offer-credential","@id":"f829f7c6",` +
				`"formats":[{"attach_id":"x","format":"hlindy/cred-abstract@v2.0"},{"attach_id":"a","format":"didcomm/w3c-di-vc-offer@v0.1"}],` +
				`"replacement_id":"r","goal_code":"issue-vc","~attach":[],"~please_ack":{"on":["RECEIPT"]},"~thread":{"thid":"640c23ff","sender_order":0},` +
				`"~l10n":{"locale":"en"},"offers~attach":[{"@id":"x","data":{"base64":"e30"}},{"@id":"a","lastmod_time":"0001-01-01T00:00:00Z","data":` + data(o) + `}]}`))
			require.NoError(t, err)
			require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m))
			x := w.only(w.holder.Exchanges)
			require.Equal(t, "640c23ff", x.Thread)
			require.NoError(t, w.holder.Accept(t.Context(), x.ID, w.staff))
			sent := w.holderNode.Store.TakeOutbox()
			require.Len(t, sent, 1)
			require.Equal(t, "https://didcomm.org/issue-credential/2.0/request-credential", sent[0].Message.Type.String())
			require.Equal(t, "640c23ff", sent[0].Message.Thread)
			require.NotEqual(t, "640c23ff", sent[0].Message.ID)
		})
	}
}

// FuzzOffer: never a panic, and what is kept can be read again.
func FuzzOffer(f *testing.F) {
	f.Add([]byte(credoOffer))
	f.Add([]byte(frameworkOffer))
	f.Add([]byte(`{"@type":"https://didcomm.org/issue-credential/2.0/offer-credential","@id":"m","formats":[{"attach_id":"a","format":"didcomm/w3c-di-vc-offer@v0.1"}],"offers~attach":[{"@id":"a","data":{"json":{"data_model_versions_supported":["2.0"],"credential":{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"credentialSubject":{"a":1}}}}}]}`))
	f.Fuzz(func(t *testing.T, plaintext []byte) {
		m, err := didcomm.ParseMessage(plaintext)
		if err != nil {
			return
		}
		_, o, err := readOffer(m)
		if err != nil {
			return
		}
		if err := checkOffered(o.Credential); err != nil {
			t.Fatal(err)
		}
		_, _ = subjectID(o.Credential)
		_, _ = bound(o.Credential, signer(t, 2).VerificationMethod().DID)
	})
}
