package dataintegrity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// An Issuer secures credentials with a proof for the purpose assertionMethod. It
// is safe for concurrent use and must not be changed after first use.
type Issuer struct {
	Suite  Suite      // required
	Signer did.Signer // required; its DID is the issuer of every credential

	// Contexts are the @context arrays that may be signed besides
	// [vc.ContextV2] alone. See the package comment.
	Contexts [][]string

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

var _ vc.Securer = (*Issuer)(nil)

// Secure implements [vc.Securer]. It refuses a credential that is malformed
// (vc.ErrMalformed), has a proof already (ErrProofSet), names another issuer than
// the signer's DID (ErrControllerMismatch), or has a context that is not known
// (ErrContextNotAllowed). The result has the media type application/vc.
func (i *Issuer) Secure(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
	if i.Suite == nil || i.Signer == nil || c == nil {
		return vc.Secured{}, ErrConfig
	}
	vm := i.Signer.VerificationMethod()
	if c.Issuer.ID != vm.DID.String() {
		return vc.Secured{}, ErrControllerMismatch
	}
	doc, err := c.Object()
	if err != nil {
		return vc.Secured{}, err
	}
	if err := CheckContext(doc, i.Contexts); err != nil {
		return vc.Secured{}, err
	}
	p := &Proof{VerificationMethod: vm, Purpose: did.AssertionMethod, Created: clock(i.Now)}
	return secure(ctx, i.Suite, i.Signer, doc, p, vc.MediaTypeCredential)
}

// A Presenter secures presentations with a proof for the purpose authentication,
// bound to one request of one verifier. It is safe for concurrent use and must
// not be changed after first use.
type Presenter struct {
	Suite  Suite      // required
	Signer did.Signer // required; its DID is the holder of every presentation

	// Contexts are the @context arrays of presentations that may be signed
	// besides [vc.ContextV2] alone. See the package comment.
	Contexts [][]string

	// Lifetime is how long a verifier may take to look at the presentation.
	// Zero means that only the nonce bounds its use.
	Lifetime time.Duration

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Present proves a presentation for one audience, the verifier's identifier, and
// one nonce, the verifier's challenge. Both are required. It refuses a
// presentation that is malformed, has a proof already, names another holder than
// the signer's DID, or has a context that is not known; the errors are those of
// [Issuer.Secure]. The result has the media type application/vp.
func (h *Presenter) Present(ctx context.Context, p *vc.Presentation, audience, nonce string) (vc.Secured, error) {
	if h.Suite == nil || h.Signer == nil || p == nil || audience == "" || nonce == "" {
		return vc.Secured{}, ErrConfig
	}
	vm := h.Signer.VerificationMethod()
	if p.Holder.ID != "" && p.Holder.ID != vm.DID.String() {
		return vc.Secured{}, ErrControllerMismatch
	}
	doc, err := p.Object()
	if err != nil {
		return vc.Secured{}, err
	}
	if err := CheckPresentationContext(doc, h.Contexts); err != nil {
		return vc.Secured{}, err
	}
	proof := &Proof{
		VerificationMethod: vm,
		Purpose:            did.Authentication,
		Created:            clock(h.Now),
		Domain:             []string{audience},
		Challenge:          nonce,
	}
	if h.Lifetime > 0 {
		proof.Expires = proof.Created.Add(h.Lifetime)
	}
	return secure(ctx, h.Suite, h.Signer, doc, proof, vc.MediaTypePresentation)
}

// secure is VC Data Integrity 1.0, section 4.2. It takes over doc.
func secure(ctx context.Context, suite Suite, signer did.Signer, doc *strictjson.Object, p *Proof, mediaType string) (vc.Secured, error) {
	if _, ok := doc.Get("proof"); ok {
		return vc.Secured{}, ErrProofSet
	}
	proof, err := suite.Prove(ctx, doc, p, signer)
	if err != nil {
		return vc.Secured{}, err
	}
	made, err := ParseProof(proof) // step 2
	if err != nil {
		return vc.Secured{}, err
	}
	if made.VerificationMethod != p.VerificationMethod || made.Purpose != p.Purpose ||
		!slices.Equal(made.Domain, p.Domain) || made.Challenge != p.Challenge { // steps 3 and 4
		return vc.Secured{}, fmt.Errorf("%w: the suite made another than was asked for", ErrProofMalformed)
	}
	doc.Set("proof", proof)
	out, err := strictjson.Append(make([]byte, 0, 4096), doc)
	if err != nil {
		return vc.Secured{}, err
	}
	if len(out) > strictjson.DefaultMaxBytes { // no verifier of this module would read it
		return vc.Secured{}, fmt.Errorf("dataintegrity: %w", errtext.Below(strictjson.ErrTooLarge))
	}
	return vc.Secured{MediaType: mediaType, Bytes: out}, nil
}

// clock returns the time in the precision of a proof.
func clock(now func() time.Time) time.Time {
	if now == nil {
		now = time.Now
	}
	return now().UTC().Truncate(time.Second)
}
