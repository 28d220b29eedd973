package issue

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/vc"
)

// Offers in the shapes of real agents, of which the credential is none: Credo-TS 0.6.3
// in base64 and with a thid that is not its @id, aries-framework-go v0.3.2 as JSON. Those
// with a credential are in interop_test.go.
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

func TestHolder_OfferWithoutCredential(t *testing.T) {
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
		require.ErrorIs(t, err, ErrMalformed)
		sent := w.holderNode.Store.TakeOutbox()
		require.Len(t, sent, 1)
		require.Equal(t, thread, sent[0].Message.Thread)
	}
}

// TestInterop_AttachmentsAndDecorators: the same attachment format in the shapes that
// other agents give their messages (rows "attachments" and "decorators").
func TestInterop_AttachmentsAndDecorators(t *testing.T) {
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

// TestVersion3_OfferInAnotherShape: what nobody here knows is passed over.
func TestVersion3_OfferInAnotherShape(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]func([]byte) string{
		"json":   func(b []byte) string { return `{"json":` + string(b) + `}` },
		"base64": func(b []byte) string { return fmt.Sprintf(`{"base64":%q}`, base64.StdEncoding.EncodeToString(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, didcomm.V2)
			doc, err := w.passport().MarshalJSON()
			require.NoError(t, err)
			d := fmt.Sprintf(`{"credential":%s,"options":{"proofType":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","credentialStatus":null,"colour":"blue"},"more":1}`, doc)
			m, err := didcomm.ParseMessage([]byte(`{"type":"https://didcomm.org/issue-credential/3.1/offer-credential","id":"f829f7c6","typ":"application/didcomm-plain+json",` +
				`"thid":"640c23ff","sender_order":3,"please_ack":[""],"lang":"en","x":{"y":[]},"body":{"goal_code":"issue-vc","replacement_id":"r","comment":null,"new":{},` +
				`"credential_preview":{"type":"https://didcomm.org/issue-credential/3.0/credential-credential","id":"p","body":{"attributes":[{"name":"level","value":7,"more":1}]}}},` +
				`"attachments":[{"id":"x","format":"hlindy/cred-abstract@v2.0","data":{"base64":"e30"}},{"id":"a","media_type":"application/json","format":"aries/ld-proof-vc-detail@v1.0","byte_count":7,"data":` + data([]byte(d)) + `}]}`))
			require.NoError(t, err)
			require.NoError(t, w.holderNode.Store.Deliver(t.Context(), w.holder, "to-alderbrook", m))
			x := w.only(w.holder.Exchanges)
			require.Equal(t, "640c23ff", x.Thread)
			require.Equal(t, []Attribute{{Name: "level", Value: "7"}}, x.Preview)
			require.NoError(t, w.holder.Accept(t.Context(), x.ID, w.staff))
			sent := w.holderNode.Store.TakeOutbox()
			require.Len(t, sent, 1)
			require.Equal(t, "https://didcomm.org/issue-credential/3.0/request-credential", sent[0].Message.Type.String())
			back, _, err := said(t, sent[0].Message).readDetail()
			require.NoError(t, err)
			require.Contains(t, string(back.Options), `"colour":"blue"`, "the issuer's options come back as they were")
		})
	}
}

// FuzzOffer: never a panic, what is kept can be read again, and the request that accepts
// an offer is for that offer.
func FuzzOffer(f *testing.F) {
	f.Add([]byte(credoOffer))
	f.Add([]byte(frameworkOffer))
	f.Add([]byte(`{"@type":"https://didcomm.org/issue-credential/2.0/offer-credential","@id":"m","formats":[{"attach_id":"a","format":"didcomm/w3c-di-vc-offer@v0.1"}],"offers~attach":[{"@id":"a","data":{"json":{"data_model_versions_supported":["2.0"],"credential":{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"credentialSubject":{"a":1}}}}}]}`))
	f.Add([]byte(`{"type":"https://didcomm.org/issue-credential/3.0/offer-credential","id":"m","body":{"credential_preview":{"body":{"attributes":[{"name":"a","value":1}]}}},"attachments":[{"id":"a","format":"aries/ld-proof-vc@v1.0","data":{"base64":"e30.e30.AA"}},{"id":"b","data":{"json":{}}}]}`))
	for _, file := range []string{"aries-ldp", "aries-jwt", "credo-propose"} {
		for _, m := range recorded(f, file) {
			b, err := m.Plaintext()
			require.NoError(f, err)
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, plaintext []byte) {
		m, err := didcomm.ParseMessage(plaintext)
		if err != nil {
			return
		}
		c, err := readContent(m)
		if err != nil {
			return
		}
		holder := signer(t, 2).VerificationMethod().DID
		if o, err := c.readTerms(); err == nil {
			check := checkOffered
			if o.formats[0] == FormatLinkedData {
				check = checkDetail
			}
			if err := check(o.offered); err != nil {
				t.Fatal(err)
			}
			_, _ = subjectID(o.offered)
			_, _ = bound(o.offered, holder)
			_, _ = withSubject(o.offered, holder)
		}
		if d, o, err := c.readDetail(); err == nil {
			asked, err := withSubject(d.Credential, holder)
			if err != nil {
				return
			}
			if id, _ := subjectID(d.Credential); id == "" {
				if got, err := sameRequest(d.Credential, o, asked, o); err != nil || got != holder.String() {
					t.Fatal("the request for an offer is another: ", err)
				}
			}
		}
		if s, err := unwrapLinked(c, linkedForms()); err == nil {
			_, _ = document(s)
			_ = sameProof(s, Options{})
		}
		_, _ = unwrap(c, []string{vc.MediaTypeCredential})
	})
}
