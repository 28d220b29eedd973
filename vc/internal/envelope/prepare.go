package envelope

import (
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// Refusals are the errors with which a package refuses to sign.
type Refusals struct {
	Config, ControllerMismatch, ContextNotAllowed error

	// NotController signs for an issuer or holder that is not the signer's DID.
	NotController bool
}

// Of returns the refusals under the policy.
func (e Refusals) Of(notController bool) Refusals {
	e.NotController = notController
	return e
}

// Credential returns the document that may be signed for c, of data model 2.0, by its
// issuer, in a known vocabulary whose digests are right.
func (e Refusals) Credential(signer did.Signer, c *vc.Credential, contexts *vc.ContextSet) (*strictjson.Object, error) {
	switch {
	case signer == nil:
		return nil, fmt.Errorf("%w: Signer", e.Config)
	case c == nil:
		return nil, fmt.Errorf("%w: a credential", e.Config)
	case c.Issuer.ID != signer.VerificationMethod().DID.String() && !e.NotController:
		return nil, e.ControllerMismatch
	}
	doc, err := c.Object()
	if err != nil {
		return nil, err
	}
	if vc.IsV1(doc) || !contexts.AcceptsCredential(doc) {
		return nil, e.ContextNotAllowed
	}
	return doc, contexts.CheckResources(doc)
}

// Presentation is Credential for what a holder shows to one verifier. The credentials
// inside are enveloped.
func (e Refusals) Presentation(signer did.Signer, p *vc.Presentation, contexts *vc.ContextSet, audience, nonce string) (*strictjson.Object, error) {
	switch {
	case signer == nil:
		return nil, fmt.Errorf("%w: Signer", e.Config)
	case p == nil:
		return nil, fmt.Errorf("%w: a presentation", e.Config)
	case audience == "" || nonce == "":
		return nil, fmt.Errorf("%w: audience and nonce", e.Config)
	case p.Holder.ID != "" && p.Holder.ID != signer.VerificationMethod().DID.String() && !e.NotController:
		return nil, e.ControllerMismatch
	}
	doc, err := p.Object()
	if err != nil {
		return nil, err
	}
	if vc.IsV1(doc) || !contexts.AcceptsPresentation(doc) {
		return nil, e.ContextNotAllowed
	}
	return doc, EnvelopCredentials(doc)
}

// Holder returns who the envelope of a presentation says it is by: the holder that the
// document names, which Presentation compared with the signer, or the signer.
func Holder(signer did.Signer, p *vc.Presentation) string {
	if p.Holder.ID != "" {
		return p.Holder.ID
	}
	return signer.VerificationMethod().DID.String()
}
