package aries

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hyperledger/aries-framework-go/pkg/client/issuecredential/rfc0593"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/common/service"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/decorator"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/issuecredential"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/presentproof"
	"github.com/hyperledger/aries-framework-go/pkg/doc/jose"
	"github.com/hyperledger/aries-framework-go/pkg/doc/jwt"
	"github.com/hyperledger/aries-framework-go/pkg/doc/presexch"
	"github.com/hyperledger/aries-framework-go/pkg/doc/signature/jsonld"
	"github.com/hyperledger/aries-framework-go/pkg/doc/signature/suite"
	"github.com/hyperledger/aries-framework-go/pkg/doc/signature/suite/ed25519signature2018"
	"github.com/hyperledger/aries-framework-go/pkg/doc/util"
	"github.com/hyperledger/aries-framework-go/pkg/doc/verifiable"
	"github.com/hyperledger/aries-framework-go/pkg/store/connection"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/testdata/interop/party"
)

// The formats of RFC 0593 and RFC 0510.
const (
	formatDetail     = rfc0593.ProofVCDetailFormat
	formatCredential = rfc0593.ProofVCFormat
	formatDefinition = "dif/presentation-exchange/definitions@v1.0"
	formatSubmission = "dif/presentation-exchange/submission@v1.0"

	suite2018         = "Ed25519Signature2018"
	submissionContext = "https://identity.foundation/presentation-exchange/submission/v1"
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

// ask starts to ask for a presentation, and returns the thread.
func (p *peer) ask(c *connection.Record) (thread string) {
	p.t.Helper()
	definition := map[string]any{"id": uuid.NewString(), "input_descriptors": []any{map[string]any{
		"id":          "warden",
		"schema":      []any{map[string]any{"uri": "https://www.w3.org/2018/credentials#VerifiableCredential"}},
		"constraints": map[string]any{"fields": []any{map[string]any{"path": []any{"$.credentialSubject.wardenNumber"}}}},
	}}}
	if p.jwt {
		definition["format"] = map[string]any{"jwt_vp": map[string]any{"alg": []any{"EdDSA"}}}
	}
	id := uuid.NewString()
	thread, err := p.present.SendRequestPresentation(&presentproof.RequestPresentationParams{
		Comment: "To let you onto the weir", WillConfirm: true,
		Formats: []presentproof.Format{{AttachID: id, Format: formatDefinition}},
		Attachments: []decorator.GenericAttachment{{ID: id, MediaType: "application/json", Format: formatDefinition, Data: decorator.AttachmentData{JSON: map[string]any{
			"options":                 map[string]any{"challenge": uuid.NewString(), "domain": "weir.example"},
			"presentation_definition": definition,
		}}}},
	}, c)
	require.NoError(p.t, err)
	raw, err := json.Marshal(definition)
	require.NoError(p.t, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[thread] = raw
	return thread
}

// answerPresent is what the application says in both roles of present-proof.
func (p *peer) answerPresent(a service.DIDCommAction) {
	name := a.Message.Type()[strings.LastIndex(a.Message.Type(), "/")+1:]
	var answer any
	var err error
	switch name {
	case "request-presentation":
		answer, err = p.presentation(a.Message)
	case "presentation":
		if err = p.matches(a.Message); err == nil {
			answer = presentproof.WithFriendlyNames("shown " + uuid.NewString())
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

// presentation answers a request with the credential held, chosen and described by the
// framework's own presentation exchange.
func (p *peer) presentation(request service.DIDCommMsg) (any, error) {
	raw, err := content(request, "request_presentations~attach")
	if err != nil {
		return nil, err
	}
	var asked struct {
		Options struct {
			Challenge, Domain string
		}
		Definition *presexch.PresentationDefinition `json:"presentation_definition"`
	}
	if err := json.Unmarshal(raw, &asked); err != nil {
		return nil, err
	}
	p.mu.Lock()
	held := p.held
	p.mu.Unlock()
	vc, err := verifiable.ParseCredential(held, verifiable.WithPublicKeyFetcher(p.keys()), verifiable.WithJSONLDDocumentLoader(p.context.JSONLDDocumentLoader()))
	if err != nil {
		return nil, err
	}
	vp, err := asked.Definition.CreateVP([]*verifiable.Credential{vc}, p.context.JSONLDDocumentLoader(),
		verifiable.WithPublicKeyFetcher(p.keys()), verifiable.WithJSONLDDocumentLoader(p.context.JSONLDDocumentLoader()))
	if err != nil {
		return nil, fmt.Errorf("definition: %w", err)
	}
	vp.ID = "urn:uuid:" + vp.ID // without a scheme it is no URL, and JSON-LD leaves the whole presentation out of what is signed
	vp.Holder = p.did
	data := decorator.AttachmentData{}
	if vc.JWT != "" {
		token, err := p.token(vp, asked.Options.Challenge, asked.Options.Domain)
		if err != nil {
			return nil, err
		}
		data.Base64 = base64.StdEncoding.EncodeToString([]byte(token))
	} else {
		proof := p.proof(asked.Options.Challenge)
		proof.Domain = asked.Options.Domain
		if err := vp.AddLinkedDataProof(proof, p.loader()); err != nil {
			return nil, err
		}
		data.JSON = vp
	}
	id := uuid.NewString()
	return presentproof.WithPresentation(&presentproof.PresentationParams{
		Formats:     []presentproof.Format{{AttachID: id, Format: formatSubmission}},
		Attachments: []decorator.GenericAttachment{{ID: id, MediaType: "application/json", Format: formatSubmission, Data: data}},
	}), nil
}

// token signs a presentation as a JSON Web Token, with the nonce that the framework has
// no place for.
func (p *peer) token(vp *verifiable.Presentation, nonce, audience string) (string, error) {
	claims, err := vp.JWTClaims([]string{audience}, false)
	if err != nil {
		return "", err
	}
	token, err := jwt.NewSigned(struct {
		*verifiable.JWTPresClaims
		Nonce string `json:"nonce"`
	}{claims, nonce}, nil, tokenSigner{p})
	if err != nil {
		return "", err
	}
	return token.Serialize(false)
}

// A tokenSigner signs JSON Web Tokens with the agent's key.
type tokenSigner struct{ *peer }

func (s tokenSigner) Sign(data []byte) ([]byte, error) { return s.signer().Sign(data) }

func (s tokenSigner) Headers() jose.Headers {
	return jose.Headers{jose.HeaderAlgorithm: "EdDSA", jose.HeaderType: "JWT", jose.HeaderKeyID: s.method}
}

// matches checks that a presentation is genuine and holds what was asked for.
func (p *peer) matches(presentation service.DIDCommMsg) error {
	raw, err := content(presentation, "presentations~attach")
	if err != nil {
		return err
	}
	vp, err := verifiable.ParsePresentation(raw, verifiable.WithPresPublicKeyFetcher(p.keys()), verifiable.WithPresJSONLDDocumentLoader(p.context.JSONLDDocumentLoader()))
	if err != nil {
		return err
	}
	thread, err := presentation.ThreadID()
	if err != nil {
		return err
	}
	p.mu.Lock()
	sent := p.sent[thread]
	p.mu.Unlock()
	vp.JWT = "" // or the framework looks for paths in the text of the token
	definition := new(presexch.PresentationDefinition)
	if err := json.Unmarshal(sent, definition); err != nil {
		return err
	}
	matched, err := definition.Match([]*verifiable.Presentation{vp}, p.context.JSONLDDocumentLoader(), presexch.WithCredentialOptions(
		verifiable.WithPublicKeyFetcher(p.keys()), verifiable.WithJSONLDDocumentLoader(p.context.JSONLDDocumentLoader())))
	if err == nil && len(matched) != 1 {
		err = fmt.Errorf("%d credentials match", len(matched))
	}
	return err
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

func (p *peer) signer() *suite.CryptoSigner {
	handle, err := p.context.KMS().Get(p.keyID)
	require.NoError(p.t, err)
	return suite.NewCryptoSigner(p.context.Crypto(), handle)
}

// proof says how to sign a credential or, with a challenge, a presentation.
func (p *peer) proof(challenge string) *verifiable.LinkedDataProofContext {
	now, purpose := time.Now().UTC(), "assertionMethod"
	if challenge != "" {
		purpose = "authentication"
	}
	return &verifiable.LinkedDataProofContext{
		SignatureType: suite2018, Suite: ed25519signature2018.New(suite.WithSigner(p.signer())), SignatureRepresentation: verifiable.SignatureJWS,
		Created: &now, VerificationMethod: p.method, Challenge: challenge, Purpose: purpose,
	}
}

func (p *peer) loader() jsonld.ProcessorOpts {
	return jsonld.WithDocumentLoader(p.context.JSONLDDocumentLoader())
}

func (p *peer) keys() verifiable.PublicKeyFetcher {
	return verifiable.NewVDRKeyResolver(p.context.VDRegistry()).PublicKeyFetcher()
}

// content returns what the first attachment in a member of a message holds.
func content(m service.DIDCommMsg, member string) ([]byte, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	var attachments []struct {
		Data decorator.AttachmentData `json:"data"`
	}
	if err := json.Unmarshal(members[member], &attachments); err != nil || len(attachments) == 0 {
		return nil, fmt.Errorf("no %s", member)
	}
	return attachments[0].Data.Fetch()
}

// at returns the value at a path of members.
func at(v any, path ...string) any {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}
