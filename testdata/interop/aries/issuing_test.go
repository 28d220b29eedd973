package aries

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/common/service"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/decorator"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/issuecredential"
	"github.com/hyperledger/aries-framework-go/pkg/doc/util"
	"github.com/hyperledger/aries-framework-go/pkg/doc/verifiable"
	"github.com/hyperledger/aries-framework-go/pkg/store/connection"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/testdata/interop/party"
)

// A detail is the attachment of an offer and a request (RFC 0593).
type detail struct {
	Credential json.RawMessage `json:"credential"`
	Options    detailOptions   `json:"options"`
}

type detailOptions struct {
	ProofType    string `json:"proofType"`
	ProofPurpose string `json:"proofPurpose,omitempty"`
}

func attached(format string, data decorator.AttachmentData) (issuecredential.Format, decorator.GenericAttachment) {
	id := uuid.NewString()
	return issuecredential.Format{AttachID: id, Format: format},
		decorator.GenericAttachment{ID: id, MediaType: "application/json", Format: format, Data: data}
}

// offer starts to issue a credential on a connection, and returns the thread.
func (p *peer) offer(c *connection.Record) (thread string) {
	p.t.Helper()
	raw, err := json.Marshal(p.unsigned(""))
	require.NoError(p.t, err)
	format, attachment := attached(formatDetail, decorator.AttachmentData{JSON: detail{raw, detailOptions{suite2018, "assertionMethod"}}})
	thread, err = p.issue.SendOffer(&issuecredential.OfferCredentialParams{
		Comment: "River warden", Formats: []issuecredential.Format{format}, Attachments: []decorator.GenericAttachment{attachment},
		CredentialPreview: issuecredential.PreviewCredential{Type: issuecredential.CredentialPreviewMsgTypeV2,
			Attributes: []issuecredential.Attribute{{Name: "river", Value: "Derwent"}}},
	}, c)
	require.NoError(p.t, err)
	return thread
}

// answerIssue is what the application says in both roles of issue-credential.
func (p *peer) answerIssue(a service.DIDCommAction) {
	name := a.Message.Type()[strings.LastIndex(a.Message.Type(), "/")+1:]
	var answer any
	var err error
	switch name {
	case "propose-credential":
		answer, err = p.replay(a.Message)
	case "offer-credential":
		answer, err = p.request(a.Message)
	case "request-credential":
		answer, err = p.credential(a.Message)
	case "issue-credential":
		var raw []byte
		if raw, err = content(a.Message, "credentials~attach"); err == nil {
			p.mu.Lock()
			p.held = raw
			p.mu.Unlock()
			answer = issuecredential.WithFriendlyNames("warden " + uuid.NewString())
		}
	default:
		answer = &service.Empty{}
	}
	if err != nil {
		p.t.Errorf("%s: %s: %v", p.label, name, err)
		a.Stop(err)
		return
	}
	a.Continue(answer)
}

// propose asks for the credential that an issuer has, about this agent.
func (p *peer) propose(c *connection.Record, credential any) (thread string) {
	p.t.Helper()
	raw, err := json.Marshal(credential)
	require.NoError(p.t, err)
	format, attachment := attached(formatDetail, decorator.AttachmentData{JSON: detail{raw, detailOptions{suite2018, "assertionMethod"}}})
	thread, err = p.issue.SendProposal(&issuecredential.ProposeCredentialParams{
		Formats: []issuecredential.Format{format}, Attachments: []decorator.GenericAttachment{attachment}}, c)
	require.NoError(p.t, err)
	return thread
}

// replay answers a proposal with an offer of the same.
func (p *peer) replay(proposal service.DIDCommMsg) (any, error) {
	raw, err := content(proposal, "filters~attach")
	if err != nil {
		return nil, err
	}
	format, attachment := attached(formatDetail, decorator.AttachmentData{JSON: json.RawMessage(raw)})
	return issuecredential.WithOfferCredential(&issuecredential.OfferCredentialParams{
		Formats: []issuecredential.Format{format}, Attachments: []decorator.GenericAttachment{attachment}}), nil
}

// request answers an offer: with the same credential, about this agent unless the offer
// says about whom it is.
func (p *peer) request(offer service.DIDCommMsg) (any, error) {
	raw, err := content(offer, "offers~attach")
	if err != nil {
		return nil, err
	}
	var about map[string]any
	if err := json.Unmarshal(raw, &about); err != nil {
		return nil, err
	}
	subject, ok := at(about, "credential", "credentialSubject").(map[string]any)
	if !ok {
		return nil, errors.New("offer without credentialSubject")
	}
	if subject["id"] == nil {
		subject["id"] = p.did
	}
	format, attachment := attached(formatDetail, decorator.AttachmentData{JSON: about})
	return issuecredential.WithRequestCredential(&issuecredential.RequestCredentialParams{
		Formats: []issuecredential.Format{format}, Attachments: []decorator.GenericAttachment{attachment}}), nil
}

// credential answers a request with the credential, signed.
func (p *peer) credential(request service.DIDCommMsg) (any, error) {
	raw, err := content(request, "requests~attach")
	if err != nil {
		return nil, err
	}
	var wanted detail
	if err := json.Unmarshal(raw, &wanted); err != nil {
		return nil, err
	}
	vc, err := verifiable.ParseCredential(wanted.Credential, verifiable.WithDisabledProofCheck(), verifiable.WithJSONLDDocumentLoader(p.context.JSONLDDocumentLoader()))
	if err != nil {
		return nil, err
	}
	data := decorator.AttachmentData{}
	if p.jwt {
		claims, err := vc.JWTClaims(false)
		if err != nil {
			return nil, err
		}
		token, err := claims.MarshalJWS(verifiable.EdDSA, p.signer(), p.method)
		if err != nil {
			return nil, err
		}
		data.Base64 = base64.StdEncoding.EncodeToString([]byte(token))
	} else {
		if err := vc.AddLinkedDataProof(p.proof(""), p.loader()); err != nil {
			return nil, err
		}
		data.JSON = vc
	}
	format, attachment := attached(formatCredential, data)
	return issuecredential.WithIssueCredential(&issuecredential.IssueCredentialParams{
		Formats: []issuecredential.Format{format}, Attachments: []decorator.GenericAttachment{attachment}}), nil
}

// unsigned returns the credential that the agent issues.
func (p *peer) unsigned(subject string) *verifiable.Credential {
	var vocabulary any
	require.NoError(p.t, json.Unmarshal([]byte(party.Vocabulary), &vocabulary))
	return &verifiable.Credential{
		Context: []string{"https://www.w3.org/2018/credentials/v1"}, CustomContext: []any{vocabulary},
		ID: "urn:uuid:" + uuid.NewString(), Types: []string{"VerifiableCredential", party.CredentialType},
		Issuer: verifiable.Issuer{ID: p.did}, Issued: util.NewTime(time.Now().UTC()),
		Subject: verifiable.Subject{ID: subject, CustomFields: party.Claims()},
	}
}
