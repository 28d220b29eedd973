package disclose

import (
	"context"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// checkHolder sees that there is a holder exactly if one is to sign.
func (r *Request) checkHolder(plans []*plan) error {
	switch bearer := plans[0].held.bearer(); {
	case bearer && r.Holder != nil:
		return fmt.Errorf("%w: by a holder's signature", ErrLinkable)
	case !bearer && r.Holder == nil:
		return fmt.Errorf("%w: no Holder", ErrConfig)
	case bearer:
		return nil
	case Presenter(r.Holder, nil).Suite == nil:
		return fmt.Errorf("%w: no proof for the kind of the Holder's key", ErrConfig)
	}
	for _, p := range plans {
		if _, bound := p.held.(*token); bound { // by its cnf, which its package compares
			continue
		}
		subject, _ := p.held.document().Get("credentialSubject")
		one, _ := subject.(*strictjson.Object)
		if id, _ := one.Text("id"); id != "" && id != r.Holder.VerificationMethod().DID.String() {
			return fmt.Errorf("%w: credential %d is about somebody else", ErrHolder, p.index)
		}
	}
	return nil
}

// checkContexts sees that the vocabularies are known, of the credentials that are
// derived from and of the presentation around them.
func (r *Request) checkContexts(plans []*plan) error {
	for _, p := range plans {
		if _, derived := p.held.(*proven); derived && !r.Contexts.AcceptsCredential(p.held.document()) {
			return fmt.Errorf("disclose: credential %d: %w", p.index, r.unknownContext())
		}
	}
	if r.Template == nil {
		return nil
	}
	o, err := r.Template.Object()
	if err != nil {
		return fmt.Errorf("disclose: template: %w", errtext.Below(err))
	}
	if !r.Contexts.AcceptsPresentation(o) {
		return fmt.Errorf("disclose: template: %w", r.unknownContext())
	}
	if _, proof := o.Get("proof"); !proof {
		return nil
	}
	if plans[0].held.bearer() {
		return fmt.Errorf("%w: by a proof of the presentation", ErrLinkable)
	}
	return fmt.Errorf("disclose: template: %w", errtext.Below(dataintegrity.ErrProofSet))
}

// unknownContext says that a vocabulary is not known, and that none is if the request
// has no Contexts.
func (r *Request) unknownContext() error {
	err := errtext.Below(dataintegrity.ErrContextNotAllowed)
	if r.Contexts == nil {
		return fmt.Errorf("%w: the request has no Contexts", err)
	}
	return err
}

// present puts what was derived into the form in which it travels.
func (r *Request) present(ctx context.Context, plans []*plan, derived []vc.Secured) (vc.Secured, error) {
	if _, ok := plans[0].held.(*token); ok && len(plans) == 1 && r.Template == nil {
		return derived[0], nil
	}
	p := vc.NewPresentation(did.DID{}, derived...)
	if r.Template != nil {
		t := *r.Template
		t.Credentials = p.Credentials
		p = &t
	}
	var out vc.Secured
	var err error
	if plans[0].held.bearer() {
		out, err = r.unproven(p)
	} else {
		out, err = r.proven(ctx, p)
	}
	if err != nil {
		return vc.Secured{}, fmt.Errorf("disclose: presentation: %w", errtext.Below(err))
	}
	o, err := strictjson.ParseObject(out.Bytes)
	if err != nil || hasBase(o) {
		return vc.Secured{}, ErrBaseProof
	}
	return out, nil
}

// proven signs the presentation with the suite that fits the holder's key.
func (r *Request) proven(ctx context.Context, p *vc.Presentation) (vc.Secured, error) {
	presenter := Presenter(r.Holder, r.now)
	if presenter.Suite == nil {
		return vc.Secured{}, fmt.Errorf("%w: no proof for the holder's key", ErrConfig)
	}
	presenter.Contexts = r.Contexts
	p.Holder = vc.Party{ID: r.Holder.VerificationMethod().DID.String()}
	return presenter.Present(ctx, p, r.Audience, r.Nonce)
}

// unproven is the presentation by whoever bears it: the session is in the
// presentation header of each proof inside.
func (r *Request) unproven(p *vc.Presentation) (vc.Secured, error) {
	o, err := p.Object()
	if err != nil {
		return vc.Secured{}, err
	}
	if !r.Contexts.AcceptsPresentation(o) {
		return vc.Secured{}, dataintegrity.ErrContextNotAllowed
	}
	out, err := strictjson.Append(nil, o)
	return vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: slices.Clip(out)}, err
}
