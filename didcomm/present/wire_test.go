package present

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/vc"
)

// What real agents send: Credo-TS 0.6.3, with a thid that is not the @id and
// members of its own, and aries-framework-go v0.3.2.
const (
	credoRequest = `{"@type":"https://didcomm.org/present-proof/2.0/request-presentation","will_confirm":true,"present_multiple":false,` +
		`"formats":[{"attach_id":"aa9b8c49-949a-45c6-940b-df69e7a26844","format":"dif/presentation-exchange/definitions@v1.0"}],` +
		`"request_presentations~attach":[{"@id":"aa9b8c49-949a-45c6-940b-df69e7a26844","mime-type":"application/json","data":{"json":{` +
		`"presentation_definition":{"id":"staff-passport-1795264154406","name":"Staff passport","purpose":"Employment checks","input_descriptors":[` +
		`{"id":"passport","schema":[{"uri":"https://www.w3.org/2018/credentials/v1"}],"constraints":{"fields":[{"path":["$.credentialSubject.employeeId"]}]}}]},` +
		`"options":{"challenge":"cbac807a-fef8-4739-864f-3abf9b5c0c24","domain":"127.0.0.1"}}}}],"@id":"41aa28f9-dbcb-4a23-8f4c-8be04e1c7c26",` +
		`"comment":"Show passport","~thread":{"thid":"8576c5d3-d960-4cb2-9f50-df36b6f0d1bf"}}`
	frameworkRequest = `{"@id":"06aae00e-1268-4521-a854-1c0b0e744bf1","@type":"https://didcomm.org/present-proof/2.0/request-presentation","comment":"Show passport",` +
		`"formats":[{"attach_id":"5f3bd869-8078-489f-8e1c-6b8c459ae15d","format":"dif/presentation-exchange/definitions@v1.0"}],` +
		`"request_presentations~attach":[{"@id":"5f3bd869-8078-489f-8e1c-6b8c459ae15d","data":{"json":{"options":{"challenge":"efed5b86-49aa-4f28-a2c0-399b0aa22ce7","domain":"127.0.0.1"},` +
		`"presentation_definition":{"id":"f65e384c-ce08-4711-a037-1d4e40280399","input_descriptors":[{"constraints":{"fields":[{"path":["$.credentialSubject.employeeId"]}]},` +
		`"id":"passport","schema":[{"uri":"https://www.w3.org/2018/credentials#VerifiableCredential"}]}]}}},"mime-type":"application/json"}],` +
		`"will_confirm":true,"~thread":{"thid":"06aae00e-1268-4521-a854-1c0b0e744bf1"}}`
	// The example of RFC 0510, with a proof type that is known here, and a group and
	// a filter, which are not.
	rfcRequest = `{"@type":"https://didcomm.org/present-proof/2.2/request-presentation","@id":"0ac534c8-98ed-4fe3-8a41-3600775e1e92","comment":"some comment",` +
		`"formats":[{"attach_id":"ed7d9b1f-9eed-4bde-b81c-3aa7485cf947","format":"dif/presentation-exchange/definitions@v1.0"}],` +
		`"request_presentations~attach":[{"@id":"ed7d9b1f-9eed-4bde-b81c-3aa7485cf947","mime-type":"application/json","data":{"json":{` +
		`"options":{"challenge":"23516943-1d79-4ebd-8981-623f036365ef","domain":"us.gov/DriversLicense"},"presentation_definition":{"input_descriptors":[` +
		`{"id":"citizenship_input","name":"US Passport","group":["A"],"schema":[{"uri":"hub://did:foo:123/Collections/schema.us.gov/passport.json"}],` +
		`"constraints":{"fields":[{"path":["$.credentialSubject.birth_date","$.birth_date"],"filter":{"type":"date","minimum":"1999-5-16"}}],"limit_disclosure":"required"}}],` +
		`"format":{"ldp_vp":{"proof_type":["Ed25519Signature2018","DataIntegrityProof"]}}}}}}]}`
)

func TestInterop_RequestsOfOtherAgents(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Exchange{
		credoRequest: {Thread: "8576c5d3-d960-4cb2-9f50-df36b6f0d1bf", Purpose: "Employment checks", Confirms: true, Domain: "127.0.0.1",
			Inputs: []Input{{ID: "passport", Schemas: []string{vc.ContextV1}, Fields: []Field{{At: "/credentialSubject/employeeId"}}}}},
		strings.Replace(credoRequest, `,"domain":"127.0.0.1"`, ``, 1): {Thread: "8576c5d3-d960-4cb2-9f50-df36b6f0d1bf", Purpose: "Employment checks", Confirms: true,
			Domain: domain(t), // that of whoever asks
			Inputs: []Input{{ID: "passport", Schemas: []string{vc.ContextV1}, Fields: []Field{{At: "/credentialSubject/employeeId"}}}}},
		frameworkRequest: {Thread: "06aae00e-1268-4521-a854-1c0b0e744bf1", Purpose: "Show passport", Confirms: true, Domain: "127.0.0.1",
			Inputs: []Input{{ID: "passport", Schemas: []string{"https://www.w3.org/2018/credentials#VerifiableCredential"}, Fields: []Field{{At: "/credentialSubject/employeeId"}}}}},
		understood(rfcRequest): {Thread: "0ac534c8-98ed-4fe3-8a41-3600775e1e92", Purpose: "some comment", Domain: "us.gov/DriversLicense",
			Proofs: []string{"DataIntegrityProof", "Ed25519Signature2018"},
			Inputs: []Input{{ID: "citizenship_input", Name: "US Passport", Only: true, Schemas: []string{"hub://did:foo:123/Collections/schema.us.gov/passport.json"},
				Fields: []Field{{At: "/credentialSubject/birth_date"}}}}},
	} {
		w := newWorld(t)
		w.prover.UnsafeAnyDomain = true
		m, err := didcomm.ParseMessage([]byte(text))
		require.NoError(t, err)
		require.NoError(t, w.proverNode.Store.Deliver(t.Context(), w.prover, "to-birchwood", m))
		x := w.only(w.prover.Exchanges)
		require.Equal(t, RequestReceived, x.State)
		require.Equal(t, want.Thread, x.Thread)
		require.Equal(t, want.Purpose, x.Purpose)
		require.Equal(t, want.Inputs, x.Inputs)
		require.Equal(t, want.Confirms, x.Confirms)
		require.Equal(t, want.Domain, x.Domain)
		require.Equal(t, want.Proofs, x.Proofs)
		if want.Thread != "06aae00e-1268-4521-a854-1c0b0e744bf1" { // whose schema any credential has
			continue
		}
		a := w.answer()
		a.Shown = map[string]Shown{"passport": {w.credential(passportType, `"employeeId":"30581377"`), []vc.Pointer{"/credentialSubject/employeeId"}}}
		a.Attachments = nil
		require.NoError(t, w.prover.Present(t.Context(), x.ID, a))
		sent := w.proverNode.Store.TakeOutbox()[0].Message
		require.Equal(t, want.Thread, sent.Thread)
		require.NotEqual(t, want.Thread, sent.ID)
	}
}

// understood takes out what is refused in the example of RFC 0510.
func understood(request string) string {
	return strings.Replace(request, `,"filter":{"type":"date","minimum":"1999-5-16"}`, ``, 1)
}

// TestProver_RFCRequest: a condition that the person would not see is refused.
func TestProver_RFCRequest(t *testing.T) {
	t.Parallel()
	for _, text := range []string{rfcRequest,
		strings.Replace(understood(rfcRequest), `"limit_disclosure"`, `"subject_is_issuer":"required","limit_disclosure"`, 1),
		strings.Replace(understood(rfcRequest), `"input_descriptors"`, `"submission_requirements":[{"rule":"all","from":"A"}],"input_descriptors"`, 1)} {
		w := newWorld(t)
		w.prover.UnsafeAnyDomain = true
		m, err := didcomm.ParseMessage([]byte(text))
		require.NoError(t, err)
		err = w.proverNode.Store.Deliver(t.Context(), w.prover, "to-birchwood", m)
		requireRefused(t, err, codeAbandoned)
		require.ErrorIs(t, err, ErrUnsupported)
	}
}

// TestInterop_PresentationInAnotherShape: as JSON, with members and a path that
// other agents write.
func TestInterop_PresentationInAnotherShape(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"$.verifiableCredential[0]", "$.verifiableCredential.[0]", "$.verifiableCredential", "$['verifiableCredential'][0]"} {
		w := newWorld(t)
		id, _ := w.ask(wanted())
		x := w.load(t, id)
		s := w.prove(t, w.staff, x, x.Domain, x.Challenge, func(p *vc.Presentation) {
			p.Other[submissionMember] = []byte(strings.Replace(string(p.Other[submissionMember]), "$.verifiableCredential[0]", path, 1))
		})
		m, err := didcomm.ParseMessage([]byte(`{"@type":"https://didcomm.org/present-proof/2.0/presentation","@id":"a7f17b1a","last_presentation":true,` +
			`"formats":[{"attach_id":"p","format":"dif/presentation-exchange/submission@v1.0"}],"presentations~attach":[{"@id":"p","mime-type":"application/json","data":{"json":` +
			string(s.Bytes) + `}}],"~thread":{"thid":"` + x.Thread + `"},"~please_ack":{"on":["RECEIPT"]},"~transport":{"return_route":"none"}}`))
		require.NoError(t, err)
		require.NoError(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", m))
		require.NoError(t, w.verifierNode.Work(t.Context()))
		require.Equal(t, Done, w.only(w.verifier.Exchanges).State, path)
	}
}

// FuzzRequest: never a panic, and what is understood can be asked again.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(credoRequest))
	f.Add([]byte(frameworkRequest))
	f.Add([]byte(rfcRequest))
	f.Add([]byte(understood(rfcRequest)))
	f.Fuzz(func(t *testing.T, plaintext []byte) {
		m, err := didcomm.ParseMessage(plaintext)
		if err != nil {
			return
		}
		_, r, err := readRequest(m)
		if err != nil {
			return
		}
		for _, in := range r.inputs {
			for _, f := range in.Fields {
				if len(pathOf(f.At)) > maxPath {
					return
				}
			}
		}
		again := Request{Inputs: r.inputs, Proofs: r.proofs, Queries: []Query{r.query}}
		list, err := newRequest(party{}, again, "x", options{"c", "d"})
		if err != nil {
			if r.query == DCQL && errors.Is(err, ErrUnsupported) { // without a type
				return
			}
			t.Fatal(err)
		}
		back, err := readAsked(r.query, list[0])
		if err != nil {
			t.Fatal(err)
		}
		require.Equal(t, r.inputs, back.inputs)
	})
}
