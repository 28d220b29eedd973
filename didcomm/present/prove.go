package present

import (
	"context"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/disclose"
)

// covered sees that there is one credential for each input and no other.
func covered(inputs []Input, shown map[string]Shown) error {
	for _, in := range inputs {
		s, ok := shown[in.ID]
		if !ok {
			return fmt.Errorf("%w: no credential for input %q", ErrIncomplete, in.ID)
		}
		if !in.Takes(formOf(s.Credential.MediaType)) {
			return fmt.Errorf("%w: input %q takes other forms of a credential", ErrUnsupported, in.ID)
		}
	}
	if len(shown) > len(inputs) {
		return fmt.Errorf("%w: a credential that no input asks for", ErrIncomplete)
	}
	return nil
}

// derive replaces each credential by what is shown of it, and refuses ticks that
// cannot be honoured. One that is shown whole or not at all stays as it is: whether it
// may be sent is for a [consent] to say, as of all others. An unlinkable one would
// become linkable by the proof of a presentation, and is not shown here.
func (v *Prover) derive(ctx context.Context, x *record, a Answer) (map[string]Shown, error) {
	out := make(map[string]Shown, len(a.Shown))
	for input, s := range a.Shown {
		derived, err := disclose.Credential(ctx, disclose.Request{
			Reveal: s.Reveal, Holder: a.Key, Audience: x.Domain, Nonce: x.Challenge, Contexts: v.Contexts, Now: v.Now,
		}, s.Credential)
		switch {
		case err == nil:
			s.Credential = derived
		case errors.Is(err, disclose.ErrWhole):
		case errors.Is(err, disclose.ErrLinkable):
			return nil, fmt.Errorf("%w: input %q: %w", ErrUnsupported, input, err)
		case errors.Is(err, disclose.ErrFormat), errors.Is(err, disclose.ErrPointer), errors.Is(err, disclose.ErrNothing), errors.Is(err, disclose.ErrRevealsMore):
			return nil, fmt.Errorf("%w: input %q: %w", ErrConsent, input, err)
		default:
			return nil, fmt.Errorf("present: input %q: %w", input, err)
		}
		out[input] = s
	}
	return out, nil
}

// prove makes what is sent, and holds it to what the person agreed to.
func (v *Prover) prove(ctx context.Context, p party, x *record, a Answer, shown map[string]Shown) (vc.Secured, error) {
	agreed := &consent{inputs: x.Inputs, answer: a, contexts: v.Contexts, named: map[string]bool{}}
	var made vc.Secured
	var err error
	if x.query() == DCQL {
		made, err = v.proveEach(ctx, x, a, shown, agreed)
	} else {
		made, err = v.proveAll(ctx, p, x, a, shown, agreed)
	}
	if err != nil {
		return vc.Secured{}, err
	}
	return made, agreed.attachments()
}

// proveAll makes the one presentation that answers a definition.
func (v *Prover) proveAll(ctx context.Context, p party, x *record, a Answer, shown map[string]Shown, agreed *consent) (vc.Secured, error) {
	holder := a.Key.VerificationMethod().DID
	doc, err := newPresentation(p.NewID(), x.Definition, x.Inputs, holder, shown, a.Presenter != nil && ofDataModel1(shown))
	if err != nil {
		return vc.Secured{}, err
	}
	secured, raw, err := v.present(ctx, x, a, doc)
	if err != nil {
		return vc.Secured{}, err
	}
	at, err := readSubmission(raw, x.Definition, x.Inputs)
	if err != nil {
		return vc.Secured{}, err
	}
	if err := agreed.check(secured, at, submissionMember, []string{submissionType}); err != nil {
		return vc.Secured{}, err
	}
	return secured, checkProof(x, secured)
}

// proveEach makes the presentations that answer a query, one for each input.
func (v *Prover) proveEach(ctx context.Context, x *record, a Answer, shown map[string]Shown, agreed *consent) (vc.Secured, error) {
	var list []vc.Secured
	for i, in := range x.Inputs {
		s := shown[in.ID]
		if formOf(s.Credential.MediaType) == FormSDJWTVC { // it is a presentation by itself
			if err := agreed.credential(s.Credential, x.Inputs[i:i+1]); err != nil {
				return vc.Secured{}, err
			}
			list = append(list, s.Credential)
			continue
		}
		v1 := a.Presenter != nil && ofDataModel1(map[string]Shown{in.ID: s})
		secured, _, err := v.present(ctx, x, a, plainPresentation(a.Key.VerificationMethod().DID, v1, s.Credential))
		if err != nil {
			return vc.Secured{}, err
		}
		at := make([]int, len(x.Inputs)) // it is shown for this input alone
		for j := range at {
			at[j] = -1
		}
		at[i] = 0
		if err := agreed.check(secured, at, "", nil); err != nil {
			return vc.Secured{}, err
		}
		proof, err := proofOf(secured)
		if err != nil || (proof == ProofJWT) != (formOf(s.Credential.MediaType) == FormJWT) { // appendix B.1.3
			return vc.Secured{}, fmt.Errorf("%w: the presentation of a token is a token, and no other", ErrUnsupported)
		}
		list = append(list, secured)
	}
	raw, err := newToken(x.Inputs, list)
	return vc.Secured{MediaType: mediaTypeToken, Bytes: raw}, err
}

// present proves a presentation and returns it with its document.
func (v *Prover) present(ctx context.Context, x *record, a Answer, doc *vc.Presentation) (vc.Secured, []byte, error) {
	presenter := a.Presenter
	if presenter == nil {
		presenter = disclose.Presenter(a.Key, v.Now)
	}
	secured, err := presenter.Present(ctx, doc, x.Domain, x.Challenge)
	if err != nil {
		return vc.Secured{}, nil, err
	}
	raw, err := presentationDocument(secured)
	if err != nil {
		return vc.Secured{}, nil, fmt.Errorf("%w: a presentation in another form: %w", ErrUnsupported, err)
	}
	return secured, raw, nil
}

// checkProof sees that the verifier takes the proof of a presentation.
func checkProof(x *record, s vc.Secured) error {
	proof, err := proofOf(s)
	if err == nil && !takenBy(x.Proofs, proof) {
		err = fmt.Errorf("%w: the verifier takes presentations with other proofs", ErrUnsupported)
	}
	return err
}
