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
)

// A LegacyIssuer secures credentials of data model 1.1 as application/jwt (its section
// 6.3.1), for agents that know nothing newer. It is safe for concurrent use and must
// not be changed after first use.
//
// The whole document is in the claim vc, and iss, sub, nbf, exp and jti repeat what it
// says.
type LegacyIssuer struct {
	Signer did.Signer // required; its DID is the issuer of every credential

	// Contexts says which @context arrays may be signed.
	Contexts *vc.ContextSet

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

var _ vc.Securer = (*LegacyIssuer)(nil)

// Secure implements [vc.Securer]. The errors are those of [Issuer.Secure], but that
// ErrContextNotAllowed is for documents of data model 2.0.
func (i *LegacyIssuer) Secure(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
	switch {
	case i.Signer == nil:
		return vc.Secured{}, fmt.Errorf("%w: Signer", ErrConfig)
	case c == nil:
		return vc.Secured{}, fmt.Errorf("%w: a credential", ErrConfig)
	case c.Issuer.ID != i.Signer.VerificationMethod().DID.String():
		return vc.Secured{}, ErrControllerMismatch
	}
	doc, err := c.Object()
	if err != nil {
		return vc.Secured{}, err
	}
	if !vc.IsV1(doc) || !i.Contexts.AcceptsCredential(doc) {
		return vc.Secured{}, ErrContextNotAllowed
	}
	if err := i.Contexts.CheckResources(doc); err != nil {
		return vc.Secured{}, err
	}
	if _, ok := doc.Get("proof"); ok {
		return vc.Secured{}, fmt.Errorf("%w: proof", ErrReserved)
	}
	payload := strictjson.NewObject(strictjson.Member{Name: "iss", Value: c.Issuer.ID})
	t := Token{document: doc}
	if subject, ok := t.subject(); ok {
		if id, ok := subject.Text("id"); ok {
			payload.Set("sub", id)
		}
	}
	if c.ID != "" {
		payload.Set("jti", c.ID)
	}
	payload.Set("nbf", upToSecond(c.ValidFrom))
	if !c.ValidUntil.IsZero() {
		payload.Set("exp", c.ValidUntil.Unix())
	}
	payload.Set("iat", clock(i.Now).Unix())
	payload.Set("vc", doc)
	return signLegacy(ctx, i.Signer, payload)
}

// upToSecond returns the first whole second that is not before a time: a claim must
// not begin before the document does.
func upToSecond(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// A LegacyPresenter secures presentations of data model 1.1 as application/jwt, each
// for one request of one verifier. It is safe for concurrent use and must not be
// changed after first use.
type LegacyPresenter struct {
	Signer did.Signer // required; its DID is the holder of every presentation

	// Contexts says which @context arrays of presentations may be signed.
	Contexts *vc.ContextSet

	// Lifetime is how long a verifier may take to look at the presentation.
	// Zero means that only the nonce bounds its use.
	Lifetime time.Duration

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Present signs a presentation, in the claim vp, for one audience, the verifier's
// identifier, and one nonce, the verifier's challenge. Both are required. Credentials
// that are tokens are strings in it. The errors are those of [LegacyIssuer.Secure].
func (h *LegacyPresenter) Present(ctx context.Context, p *vc.Presentation, audience, nonce string) (vc.Secured, error) {
	switch {
	case h.Signer == nil:
		return vc.Secured{}, fmt.Errorf("%w: Signer", ErrConfig)
	case p == nil:
		return vc.Secured{}, fmt.Errorf("%w: a presentation", ErrConfig)
	case audience == "" || nonce == "":
		return vc.Secured{}, fmt.Errorf("%w: audience and nonce", ErrConfig)
	}
	holder := h.Signer.VerificationMethod().DID.String()
	if p.Holder.ID != "" && p.Holder.ID != holder {
		return vc.Secured{}, ErrControllerMismatch
	}
	doc, err := p.Object()
	if err != nil {
		return vc.Secured{}, err
	}
	if !vc.IsV1(doc) || !h.Contexts.AcceptsPresentation(doc) {
		return vc.Secured{}, ErrContextNotAllowed
	}
	if _, ok := doc.Get("proof"); ok {
		return vc.Secured{}, fmt.Errorf("%w: proof", ErrReserved)
	}
	now := clock(h.Now)
	payload := strictjson.NewObject(
		strictjson.Member{Name: "iss", Value: holder},
		strictjson.Member{Name: "aud", Value: audience},
		strictjson.Member{Name: "nonce", Value: nonce},
		strictjson.Member{Name: "iat", Value: now.Unix()},
	)
	if h.Lifetime > 0 {
		payload.Set("exp", now.Add(h.Lifetime).Unix())
	}
	payload.Set("vp", doc)
	return signLegacy(ctx, h.Signer, payload)
}

// signLegacy signs with the header of data model 1.1, whose typ says no more than JWT.
func signLegacy(ctx context.Context, signer did.Signer, payload *strictjson.Object) (vc.Secured, error) {
	algorithm, err := did.Algorithm(signer.Public())
	if err != nil {
		return vc.Secured{}, fmt.Errorf("jose: %w", errtext.Below(err))
	}
	header := strictjson.NewObject(
		strictjson.Member{Name: "alg", Value: algorithm},
		strictjson.Member{Name: "kid", Value: signer.VerificationMethod().String()},
		strictjson.Member{Name: "typ", Value: "JWT"},
	)
	text, err := strictjson.Append(make([]byte, 0, 4096), payload)
	if err != nil {
		return vc.Secured{}, fmt.Errorf("jose: %w", errtext.Below(err))
	}
	token, err := jws.Compact(header, text, func(input []byte) ([]byte, error) { return did.Sign(ctx, signer, input) })
	if err != nil {
		return vc.Secured{}, fmt.Errorf("jose: %w", errtext.Below(err))
	}
	return vc.Secured{MediaType: MediaTypeLegacy, Bytes: token}, nil
}
