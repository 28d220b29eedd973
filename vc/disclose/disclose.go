// Package disclose is the holder's front door: it shows parts of credentials to one
// verifier, whatever format secured them, and says beforehand what that would be.
//
// Call [Preview] with a [Request] to ask the person, and [Derive] with the same
// Request to answer the verifier. One list of pointers means the same claims in
// ecdsa-sd-2023, bbs-2023 and SD-JWT:
//
//	issued                      shown                                      bound to the holder by
//	ecdsa-sd-2023               presentation with the derived credential   proof of the presentation
//	dc+sd-jwt, vc+sd-jwt        the same token with fewer disclosures      key binding JWT
//	bbs-2023                    presentation without a proof of its own    nothing: it is a bearer's
//	a whole credential          presentation with the credential           proof of the presentation
//
// Several credentials, or a presentation with members of its own, make one
// presentation of Verifiable Credentials Data Model 2.0, in which tokens are
// enveloped, each with its key binding. The holder's proof is of eddsa-jcs-2022 or
// ecdsa-jcs-2019, whichever fits the key.
//
// What cannot be shown without more than was named is an error, and so is a pointer
// that matches nothing. The result is read again before it is returned: if it holds
// another claim than Preview says, or a base proof, from which a verifier could
// derive every claim, it is not returned.
//
// This package decides nothing about the request: whether to answer, and to whom, is
// asked of a person. It does not verify credentials and fetches nothing.
package disclose

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
)

var (
	// ErrConfig says that a request lacks what is required, or has too much.
	ErrConfig = errors.New("disclose: request is incomplete or contradicts itself")
	// ErrFormat says that bytes are no credential in a format known here.
	ErrFormat = errors.New("disclose: not a credential that can be shown")
	// ErrPointer says that a pointer is malformed or matches nothing.
	ErrPointer = errors.New("disclose: pointer matches nothing")
	// ErrRevealsMore says that a claim cannot be shown without another that was not
	// named. The [*MoreError] around it says which.
	ErrRevealsMore = errors.New("disclose: more would be revealed than was named")
	// ErrWhole says that a credential can be shown only as a whole, which the empty
	// pointer asks for.
	ErrWhole = errors.New("disclose: credential cannot be shown in part")
	// ErrNothing says that nothing about the subject would be shown.
	ErrNothing = errors.New("disclose: no claim to show")
	// ErrHolder says that a token is bound to no key, so that nobody can show that it
	// is theirs, or to another key than the holder's, or that a document is about
	// another DID.
	ErrHolder = errors.New("disclose: credential is not bound to the holder's key")
	// ErrBaseProof says that a base proof, which is for the holder alone, would
	// leave: it is refused.
	ErrBaseProof = errors.New("disclose: a base proof is never shown")
	// ErrLinkable says that a bbs-2023 credential would lose what it is for: it is
	// about an identified subject, or would be shown with a holder's proof or
	// beside a credential that needs one.
	ErrLinkable = errors.New("disclose: unlinkable credential would become linkable")
)

// A MoreError names claims that would be revealed without being named.
type MoreError struct {
	Credential int          // its position
	With       []vc.Pointer // the claims, in document order
}

// Error implements error.
func (e *MoreError) Error() string {
	return fmt.Sprintf("%v: credential %d, %s", ErrRevealsMore, e.Credential, e.With[0])
}

// Unwrap returns ErrRevealsMore.
func (e *MoreError) Unwrap() error { return ErrRevealsMore }

// A Request says what to show, and to whom.
type Request struct {
	// Reveal points at claims, such as "/credentialSubject/registration/number",
	// or at objects, which stand for every claim inside; the empty pointer stands
	// for the whole credential. A pointer counts for every credential that it
	// matches, and must match in one. What the issuer lets nobody withhold is
	// shown besides.
	Reveal []vc.Pointer
	// Each, if it is not nil, has a list for each credential, in place of Reveal.
	Each [][]vc.Pointer

	// Holder signs for the one whom the credentials are about. It is nil for
	// bbs-2023, which is shown without.
	Holder did.Signer

	// Audience and Nonce are the verifier's: its DID or client identifier, and the
	// challenge that it gave out for this request. Preview does not need them.
	Audience, Nonce string

	// Contexts says which @context arrays are known, and what they mean. Preview
	// needs them as well as Derive.
	Contexts *vc.ContextSet

	// Template has what the presentation holds besides: an id, contexts, types and
	// other members, such as a presentation submission. It has no holder and no
	// credentials, and may be nil.
	Template *vc.Presentation

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Derive shows creds to the verifier that r names, each with the claims that r names
// and those that the issuer lets nobody withhold, and nothing else. It fails rather
// than show anything that [Preview] does not say.
func Derive(ctx context.Context, r Request, creds ...vc.Secured) (vc.Secured, error) {
	if r.Audience == "" || r.Nonce == "" {
		return vc.Secured{}, r.unasked()
	}
	plans, err := r.plans(creds)
	if err != nil {
		return vc.Secured{}, err
	}
	if err := r.checkHolder(plans); err != nil {
		return vc.Secured{}, err
	}
	derived := make([]vc.Secured, len(plans))
	for i, p := range plans {
		if derived[i], err = r.derive(ctx, p); err != nil {
			return vc.Secured{}, err
		}
	}
	return r.present(ctx, plans, derived)
}

// unasked says what is missing of the verifier's session.
func (r *Request) unasked() error {
	if r.Audience == "" {
		return fmt.Errorf("%w: no Audience", ErrConfig)
	}
	return fmt.Errorf("%w: no Nonce", ErrConfig)
}

func (r *Request) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}
