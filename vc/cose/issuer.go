package cose

import (
	"context"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope"
)

// An Issuer secures credentials as application/vc+cose. It is safe for concurrent
// use and must not be changed after first use.
//
// The claims of a message are iss, iat and, if the credential ends, exp.
type Issuer struct {
	Signer did.Signer // required; its DID is the issuer of every credential

	// Contexts says which @context arrays may be signed.
	Contexts *vc.ContextSet

	// UnsafeIssuerNotController signs for an issuer that is not the signer's DID, such
	// as one with an https URL. No verifier of this module accepts the result but by
	// the policy of the same name. Test suites of specifications ask for it; nothing
	// that anybody relies on does.
	UnsafeIssuerNotController bool

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

var _ vc.Securer = (*Issuer)(nil)

// Secure implements [vc.Securer]. It refuses a credential that is malformed
// (vc.ErrMalformed), names another issuer than the signer's DID
// (ErrControllerMismatch), has a context that is not known or is of data model 1.1
// (ErrContextNotAllowed), another digest of a context than that one's
// (vc.ErrDigest), or a proof already (ErrReserved). The key must be one that
// [did.Algorithm] knows.
func (i *Issuer) Secure(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
	doc, err := refusals().Of(i.UnsafeIssuerNotController).Credential(i.Signer, c, i.Contexts)
	if err != nil {
		return vc.Secured{}, err
	}
	claims := Claims{Issuer: c.Issuer.ID, IssuedAt: clock(i.Now), Expires: c.ValidUntil}
	return sign(ctx, i.Signer, doc, claims, MediaTypeCredential)
}

// A Presenter secures presentations as application/vp+cose, each for one request
// of one verifier. It is safe for concurrent use and must not be changed after
// first use.
type Presenter struct {
	Signer did.Signer // required; its DID is the holder of every presentation

	// Contexts says which @context arrays of presentations may be signed.
	Contexts *vc.ContextSet

	// Lifetime is how long a verifier may take to look at the presentation.
	// Zero means that only the nonce bounds its use.
	Lifetime time.Duration

	// UnsafeHolderNotController signs for a holder that is not the signer's DID. See
	// UnsafeIssuerNotController of [Issuer].
	UnsafeHolderNotController bool

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Present signs a presentation for one audience, the verifier's identifier, and
// one nonce, the verifier's challenge: the CWT claims 3 and 10, the nonce as the
// bytes of its text. Both are required. Credentials of every media type are
// enveloped in it. The errors are those of [Issuer.Secure].
func (h *Presenter) Present(ctx context.Context, p *vc.Presentation, audience, nonce string) (vc.Secured, error) {
	doc, err := refusals().Of(h.UnsafeHolderNotController).Presentation(h.Signer, p, h.Contexts, audience, nonce)
	if err != nil {
		return vc.Secured{}, err
	}
	holder := envelope.Holder(h.Signer, p)
	claims := Claims{Issuer: holder, Audience: []string{audience}, Nonce: nonce, IssuedAt: clock(h.Now)}
	if h.Lifetime > 0 {
		claims.Expires = claims.IssuedAt.Add(h.Lifetime)
	}
	return sign(ctx, h.Signer, doc, claims, MediaTypePresentation)
}

func sign(ctx context.Context, signer did.Signer, doc *strictjson.Object, claims Claims, mediaType string) (vc.Secured, error) {
	if _, ok := doc.Get("proof"); ok {
		return vc.Secured{}, fmt.Errorf("%w: proof", ErrReserved)
	}
	algorithm, err := did.Algorithm(signer.Public())
	if err != nil {
		return vc.Secured{}, fmt.Errorf("cose: %w", errtext.Below(err))
	}
	number, ok := algorithmNumber(algorithm)
	if !ok {
		return vc.Secured{}, ErrAlgorithm
	}
	const document = len("application/vc")
	protected := appendHeader(nil, number, mediaType[:document], signer.VerificationMethod().String(), mediaType, claims)
	payload, err := strictjson.Append(make([]byte, 0, 4096), doc)
	if err != nil {
		return vc.Secured{}, fmt.Errorf("cose: %w", errtext.Below(err))
	}
	if len(protected) > maxHeader || len(payload) > maxPayload {
		return vc.Secured{}, tooLarge()
	}
	signature, err := did.Sign(ctx, signer, toBeSigned(protected, payload))
	if err != nil {
		return vc.Secured{}, fmt.Errorf("cose: %w", errtext.Below(err))
	}
	out := make([]byte, 0, len(protected)+len(payload)+len(signature)+16)
	return vc.Secured{MediaType: mediaType, Bytes: appendMessage(out, protected, payload, signature)}, nil
}

func refusals() envelope.Refusals {
	return envelope.Refusals{Config: ErrConfig, ControllerMismatch: ErrControllerMismatch, ContextNotAllowed: ErrContextNotAllowed}
}

// clock returns the time in the precision of a NumericDate.
func clock(now func() time.Time) time.Time {
	if now == nil {
		now = time.Now
	}
	return now().Truncate(time.Second)
}
