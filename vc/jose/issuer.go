package jose

import (
	"context"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope"
)

// An Issuer secures credentials as application/vc+jwt. It is safe for concurrent
// use and must not be changed after first use.
//
// Beside the document a token has iss, iat and, if the credential ends, exp, so
// that a reader that only knows JWT does not take an ended one for good.
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
// (vc.ErrDigest), or a member that a token has for itself (ErrReserved). The key
// must be one that [did.Algorithm] knows.
func (i *Issuer) Secure(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
	doc, err := refusals().Of(i.UnsafeIssuerNotController).Credential(i.Signer, c, i.Contexts)
	if err != nil {
		return vc.Secured{}, err
	}
	if err := checkReserved(doc); err != nil {
		return vc.Secured{}, err
	}
	doc.Set("iss", c.Issuer.ID)
	doc.Set("iat", clock(i.Now).Unix())
	if !c.ValidUntil.IsZero() {
		doc.Set("exp", c.ValidUntil.Unix())
	}
	return sign(ctx, i.Signer, doc, MediaTypeCredential)
}

// A Presenter secures presentations as application/vp+jwt, each for one request of
// one verifier. It is safe for concurrent use and must not be changed after first
// use.
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
// one nonce, the verifier's challenge: the claims aud and nonce. Both are
// required. Credentials of every media type are enveloped in it. The errors are
// those of [Issuer.Secure].
func (h *Presenter) Present(ctx context.Context, p *vc.Presentation, audience, nonce string) (vc.Secured, error) {
	doc, err := refusals().Of(h.UnsafeHolderNotController).Presentation(h.Signer, p, h.Contexts, audience, nonce)
	if err != nil {
		return vc.Secured{}, err
	}
	if err := checkReserved(doc); err != nil {
		return vc.Secured{}, err
	}
	holder := envelope.Holder(h.Signer, p)
	now := clock(h.Now)
	doc.Set("iss", holder)
	doc.Set("aud", audience)
	doc.Set("nonce", nonce)
	doc.Set("iat", now.Unix())
	if h.Lifetime > 0 {
		doc.Set("exp", now.Add(h.Lifetime).Unix())
	}
	return sign(ctx, h.Signer, doc, MediaTypePresentation)
}

// checkReserved refuses members that a reader would take for claims, or for a
// proof that nobody will look at.
func checkReserved(doc *strictjson.Object) error {
	for _, names := range [][]string{claimNames(), foreignNames(), {"proof"}} {
		for _, name := range names {
			if _, ok := doc.Get(name); ok {
				return fmt.Errorf("%w: %s", ErrReserved, name)
			}
		}
	}
	return nil
}

func sign(ctx context.Context, signer did.Signer, payload *strictjson.Object, mediaType string) (vc.Secured, error) {
	algorithm, err := did.Algorithm(signer.Public())
	if err != nil {
		return vc.Secured{}, fmt.Errorf("jose: %w", errtext.Below(err))
	}
	const application = len("application/")
	header := strictjson.NewObject(
		strictjson.Member{Name: "alg", Value: algorithm},
		strictjson.Member{Name: "kid", Value: signer.VerificationMethod().String()},
		strictjson.Member{Name: "typ", Value: mediaType[application:]},
		strictjson.Member{Name: "cty", Value: mediaType[application : application+len("vc")]},
	)
	text, err := strictjson.Append(make([]byte, 0, 4096), payload)
	if err != nil {
		return vc.Secured{}, fmt.Errorf("jose: %w", errtext.Below(err))
	}
	token, err := jws.Compact(header, text, func(input []byte) ([]byte, error) { return did.Sign(ctx, signer, input) })
	if err != nil {
		return vc.Secured{}, fmt.Errorf("jose: %w", errtext.Below(err))
	}
	return vc.Secured{MediaType: mediaType, Bytes: token}, nil
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
