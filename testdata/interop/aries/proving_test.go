package aries

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/hyperledger/aries-framework-go/pkg/client/issuecredential/rfc0593"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/common/service"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/decorator"
	"github.com/hyperledger/aries-framework-go/pkg/doc/jose"
	"github.com/hyperledger/aries-framework-go/pkg/doc/signature/jsonld"
	"github.com/hyperledger/aries-framework-go/pkg/doc/signature/suite"
	"github.com/hyperledger/aries-framework-go/pkg/doc/signature/suite/ed25519signature2018"
	"github.com/hyperledger/aries-framework-go/pkg/doc/verifiable"
	"github.com/stretchr/testify/require"
)

// The formats of RFC 0593 and RFC 0510.
const (
	formatDetail     = rfc0593.ProofVCDetailFormat
	formatCredential = rfc0593.ProofVCFormat
	formatDefinition = "dif/presentation-exchange/definitions@v1.0"
	formatSubmission = "dif/presentation-exchange/submission@v1.0"

	suite2018 = "Ed25519Signature2018"
)

// A tokenSigner signs JSON Web Tokens with the agent's key.
type tokenSigner struct{ *peer }

func (s tokenSigner) Sign(data []byte) ([]byte, error) { return s.signer().Sign(data) }

func (s tokenSigner) Headers() jose.Headers {
	return jose.Headers{jose.HeaderAlgorithm: "EdDSA", jose.HeaderType: "JWT", jose.HeaderKeyID: s.method}
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
