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

	// Contexts says which @context arrays may be signed, and what they mean. See the package comment.
	Contexts *vc.ContextSet

	// UnsafeDataModel1 signs documents of data model 1.1 with the suites of 2.0 too.
	// Their @context needs one that defines the proof's terms, as that of
	// data-integrity/v2 does. Test suites of specifications ask for both; whoever else
	// has to issue that version uses the suites of package legacy.
	UnsafeDataModel1 bool

	// UnsafeIssuerNotController signs for an issuer that is not the signer's DID. No
	// verifier of this module accepts the result but by the policy of the same name.
	// Test suites of specifications ask for it; nothing that anybody relies on does.
	UnsafeIssuerNotController bool

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

var _ vc.Securer = (*Issuer)(nil)

// Secure implements [vc.Securer]. It refuses a credential that is malformed
// (vc.ErrMalformed), has a proof already (ErrProofSet), names another issuer than
// the signer's DID (ErrControllerMismatch), has a context that is not known, or is
// of data model 1.1 with a suite of 2.0 (ErrContextNotAllowed), or has the digest
// of another context document than the known one (vc.ErrDigest). The result has
// the media type application/vc.
func (i *Issuer) Secure(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
	return i.SecureWith(ctx, c, Proof{})
}

// SecureWith is [Issuer.Secure] with options for the proof: its ID, so that other
// proofs can follow it, Created, which is now if zero, Expires, Domain, Challenge
// and Nonce. Suite, VerificationMethod and Purpose are the issuer's own, and empty
// in options or the same; there is nothing that Previous could name.
func (i *Issuer) SecureWith(ctx context.Context, c *vc.Credential, options Proof) (vc.Secured, error) {
	if err := lacks(i.Suite, i.Signer); err != nil {
		return vc.Secured{}, err
	}
	if c == nil {
		return vc.Secured{}, fmt.Errorf("%w: no credential", ErrConfig)
	}
	if c.Issuer.ID != i.Signer.VerificationMethod().DID.String() && !i.UnsafeIssuerNotController {
		return vc.Secured{}, ErrControllerMismatch
	}
	doc, err := c.Object()
	if err != nil {
		return vc.Secured{}, err
	}
	if _, ok := doc.Get("proof"); ok {
		return vc.Secured{}, ErrProofSet
	}
	if err := i.check(doc); err != nil {
		return vc.Secured{}, err
	}
	return i.prove(ctx, doc, nil, options)
}

// AddProof adds a proof to a credential that has one or more (VC Data Integrity
// 1.0, section 4.3). Without Previous the result is a proof set; with the IDs of
// proofs that are there it is a proof chain, in which the new proof covers those
// too, and ErrPreviousProof says that one is not. The other options are those of
// [Issuer.SecureWith], and the ID must be new.
//
// The signer need not be the credential's issuer: whoever adds a proof says that
// they have seen the credential, to readers that know what to make of it.
// [github.com/staffpassport/staffpassport/vc/verify] does not: it accepts proofs by
// the issuer alone, and refuses a credential with any other (controller-mismatch).
// What it accepts is a further proof of the issuer, with another key or suite. AddProof
// verifies none of the proofs that are there; that is for the caller to do first.
func (i *Issuer) AddProof(ctx context.Context, s vc.Secured, options Proof) (vc.Secured, error) {
	if err := lacks(i.Suite, i.Signer); err != nil {
		return vc.Secured{}, err
	}
	if s.MediaType != vc.MediaTypeCredential {
		return vc.Secured{}, fmt.Errorf("%w: only %s has embedded proofs", ErrConfig, vc.MediaTypeCredential)
	}
	secured, err := strictjson.ParseObject(s.Bytes)
	if err != nil {
		return vc.Secured{}, fmt.Errorf("dataintegrity: %w", errtext.Below(err))
	}
	doc, proofs, err := SplitProofs(secured)
	if err != nil {
		return vc.Secured{}, err
	}
	if len(proofs) == MaxProofs {
		return vc.Secured{}, fmt.Errorf("%w: more than %d proofs", ErrProofMalformed, MaxProofs)
	}
	if _, err := vc.CheckObject(doc); err != nil {
		return vc.Secured{}, err
	}
	if err := i.check(doc); err != nil {
		return vc.Secured{}, err
	}
	return i.prove(ctx, doc, proofs, options)
}

// check makes the checks of a credential that need to know its vocabularies.
func (i *Issuer) check(doc *strictjson.Object) error {
	if err := CheckContext(doc, i.Contexts); err != nil {
		return err
	}
	if vc.IsV1(doc) && !ofItsOwnType(i.Suite.Name()) && !i.UnsafeDataModel1 {
		return fmt.Errorf("%w: data model 1.1 is issued with the suites of its time", ErrContextNotAllowed)
	}
	return i.Contexts.CheckResources(doc)
}

// prove completes the options and proves doc with the proofs it has.
func (i *Issuer) prove(ctx context.Context, doc *strictjson.Object, proofs []*strictjson.Object, p Proof) (vc.Secured, error) {
	vm := i.Signer.VerificationMethod()
	if p.Suite != "" && p.Suite != i.Suite.Name() || p.Purpose != "" && p.Purpose != did.AssertionMethod ||
		!p.VerificationMethod.IsZero() && p.VerificationMethod != vm {
		return vc.Secured{}, fmt.Errorf("%w: options for another proof", ErrConfig)
	}
	p.Suite, p.Purpose, p.VerificationMethod = i.Suite.Name(), did.AssertionMethod, vm
	if p.Created.IsZero() {
		p.Created = clock(i.Now)
	}
	return secure(ctx, i.Suite, i.Signer, i.Contexts, doc, proofs, &p, vc.MediaTypeCredential)
}

// A Presenter secures presentations with a proof for the purpose authentication,
// bound to one request of one verifier. It is safe for concurrent use and must
// not be changed after first use.
type Presenter struct {
	Suite  Suite      // required
	Signer did.Signer // required; its DID is the holder of every presentation

	// Contexts says which @context arrays of presentations may be signed, and
	// what they mean. See the package comment.
	Contexts *vc.ContextSet

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
	if err := lacks(h.Suite, h.Signer); err != nil {
		return vc.Secured{}, err
	}
	switch {
	case p == nil:
		return vc.Secured{}, fmt.Errorf("%w: no presentation", ErrConfig)
	case audience == "":
		return vc.Secured{}, fmt.Errorf("%w: no audience", ErrConfig)
	case nonce == "":
		return vc.Secured{}, fmt.Errorf("%w: no nonce", ErrConfig)
	}
	vm := h.Signer.VerificationMethod()
	if p.Holder.ID != "" && p.Holder.ID != vm.DID.String() {
		return vc.Secured{}, ErrControllerMismatch
	}
	doc, err := p.Object()
	if err != nil {
		return vc.Secured{}, err
	}
	if _, ok := doc.Get("proof"); ok {
		return vc.Secured{}, ErrProofSet
	}
	if err := CheckPresentationContext(doc, h.Contexts); err != nil {
		return vc.Secured{}, err
	}
	if vc.IsV1(doc) && !ofItsOwnType(h.Suite.Name()) {
		return vc.Secured{}, fmt.Errorf("%w: data model 1.1 is presented with the suites of its time", ErrContextNotAllowed)
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
	return secure(ctx, h.Suite, h.Signer, h.Contexts, doc, nil, proof, vc.MediaTypePresentation)
}

// secure is VC Data Integrity 1.0, sections 4.2 and 4.3: it adds a proof to the
// proofs of doc, which it takes over.
func secure(ctx context.Context, suite Suite, signer did.Signer, contexts *vc.ContextSet, doc *strictjson.Object,
	proofs []*strictjson.Object, p *Proof, mediaType string) (vc.Secured, error) {
	if s, ok := suite.(interface{ Created(time.Time) time.Time }); ok { // it tells less than the clock: see bbs
		p.Created = s.Created(p.Created)
	}
	proofs = append(slices.Clip(proofs), p.Options(suite.Name()))
	last := len(proofs) - 1
	if err := checkIDs(proofs); err != nil {
		return vc.Secured{}, err
	}
	if _, err := named(proofs[:last], p.Previous); err != nil {
		return vc.Secured{}, err
	}
	covered, err := Covered(doc, proofs, last)
	if err != nil {
		return vc.Secured{}, err
	}
	proof, err := suite.Prove(ctx, covered, p, signer, contexts)
	if err != nil {
		return vc.Secured{}, err
	}
	made, err := ParseProof(proof) // step 2
	if err != nil {
		return vc.Secured{}, err
	}
	if !made.answers(p) { // steps 3 and 4
		return vc.Secured{}, fmt.Errorf("%w: the suite made another than was asked for", ErrProofMalformed)
	}
	if proofs[last] = proof; last == 0 {
		doc.Set("proof", proof)
	} else {
		list := make([]any, len(proofs))
		for i := range proofs {
			list[i] = proofs[i]
		}
		doc.Set("proof", list)
	}
	out, err := strictjson.Append(make([]byte, 0, 4096), doc)
	if err != nil {
		return vc.Secured{}, err
	}
	if len(out) > strictjson.DefaultMaxBytes { // no verifier of this module would read it
		return vc.Secured{}, fmt.Errorf("dataintegrity: %w", errtext.Below(strictjson.ErrTooLarge))
	}
	return vc.Secured{MediaType: mediaType, Bytes: out}, nil
}

// answers reports whether a proof that was made is the one that was asked for.
func (p *Proof) answers(asked *Proof) bool {
	return p.ID == asked.ID && (asked.Suite == "" || p.Suite == asked.Suite) &&
		p.VerificationMethod == asked.VerificationMethod && p.Purpose == asked.Purpose &&
		p.Created.Equal(asked.Created) && p.Expires.Equal(asked.Expires) &&
		slices.Equal(p.Domain, asked.Domain) && p.Challenge == asked.Challenge && p.Nonce == asked.Nonce &&
		slices.Equal(p.Previous, asked.Previous)
}

// lacks says which field is missing that an Issuer and a Presenter need.
func lacks(suite Suite, signer did.Signer) error {
	switch {
	case suite == nil:
		return fmt.Errorf("%w: no Suite", ErrConfig)
	case signer == nil:
		return fmt.Errorf("%w: no Signer", ErrConfig)
	}
	return nil
}

// clock returns the time in the precision of a proof.
func clock(now func() time.Time) time.Time {
	if now == nil {
		now = time.Now
	}
	return now().UTC().Truncate(time.Second)
}
