package aries

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/common/service"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/decorator"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/presentproof"
	"github.com/hyperledger/aries-framework-go/pkg/doc/jwt"
	"github.com/hyperledger/aries-framework-go/pkg/doc/presexch"
	"github.com/hyperledger/aries-framework-go/pkg/doc/verifiable"
	"github.com/hyperledger/aries-framework-go/pkg/store/connection"
	"github.com/stretchr/testify/require"
)

// ask starts to ask for a presentation, and returns the thread.
func (p *peer) ask(c *connection.Record) (thread string) {
	p.t.Helper()
	request, definition, err := p.requestPresentation()
	require.NoError(p.t, err)
	thread, err = p.present.SendRequestPresentation(request, c)
	require.NoError(p.t, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[thread] = definition
	return thread
}

// requestPresentation makes a request, and the definition in it.
func (p *peer) requestPresentation() (*presentproof.RequestPresentationParams, []byte, error) {
	definition := map[string]any{"id": uuid.NewString(), "input_descriptors": []any{map[string]any{
		"id":          "warden",
		"schema":      []any{map[string]any{"uri": "https://www.w3.org/2018/credentials#VerifiableCredential"}},
		"constraints": map[string]any{"fields": []any{map[string]any{"path": []any{"$.credentialSubject.wardenNumber"}}}},
	}}}
	if p.jwt {
		definition["format"] = map[string]any{"jwt_vp": map[string]any{"alg": []any{"EdDSA"}}}
	}
	raw, err := json.Marshal(definition)
	if err != nil {
		return nil, nil, err
	}
	id := uuid.NewString()
	return &presentproof.RequestPresentationParams{
		Comment: "To let you onto the weir", WillConfirm: true,
		Formats: []presentproof.Format{{AttachID: id, Format: formatDefinition}},
		Attachments: []decorator.GenericAttachment{{ID: id, MediaType: "application/json", Format: formatDefinition, Data: decorator.AttachmentData{JSON: map[string]any{
			"options":                 map[string]any{"challenge": uuid.NewString(), "domain": "weir.example"},
			"presentation_definition": definition,
		}}}},
	}, raw, nil
}

// proposePresentation proposes to show a credential, and returns the thread.
func (p *peer) proposePresentation(c *connection.Record) (thread string) {
	p.t.Helper()
	thread, err := p.present.SendProposePresentation(&presentproof.ProposePresentationParams{Comment: "I am a river warden"}, c)
	require.NoError(p.t, err)
	return thread
}

// askProposed answers a proposal with a request.
func (p *peer) askProposed(proposal service.DIDCommMsg) (any, error) {
	thread, err := proposal.ThreadID()
	if err != nil {
		return nil, err
	}
	request, definition, err := p.requestPresentation()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[thread] = definition
	return presentproof.WithRequestPresentation(request), nil
}

// answerPresent is what the application says in both roles of present-proof.
func (p *peer) answerPresent(a service.DIDCommAction) {
	name := a.Message.Type()[strings.LastIndex(a.Message.Type(), "/")+1:]
	var answer any
	var err error
	switch name {
	case "propose-presentation":
		answer, err = p.askProposed(a.Message)
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
