package disclose

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// Credential is [Derive] without the presentation around one credential, for a
// protocol that makes its own, such as didcomm/present. A token has its key binding.
// The caller sees to it that the holder signs around everything else.
func Credential(ctx context.Context, r Request, cred vc.Secured) (vc.Secured, error) {
	switch {
	case r.Audience == "" || r.Nonce == "":
		return vc.Secured{}, r.unasked()
	case r.Template != nil:
		return vc.Secured{}, fmt.Errorf("%w: a Template, and no presentation", ErrConfig)
	}
	plans, err := r.plans([]vc.Secured{cred})
	if err != nil {
		return vc.Secured{}, err
	}
	if err := r.checkHolder(plans); err != nil {
		return vc.Secured{}, err
	}
	return r.derive(ctx, plans[0])
}

// derive shows one credential and looks at what came of it.
func (r *Request) derive(ctx context.Context, p *plan) (vc.Secured, error) {
	s, err := p.held.derive(ctx, r, p.reveal)
	if errors.Is(err, sdjwt.ErrKeyBinding) {
		return vc.Secured{}, fmt.Errorf("%w: credential %d: %w", ErrHolder, p.index, errtext.Below(err))
	}
	if err != nil {
		return vc.Secured{}, fmt.Errorf("disclose: credential %d: %w", p.index, errtext.Below(err))
	}
	if err := p.check(s); err != nil {
		return vc.Secured{}, err
	}
	return s, nil
}

// A Checker is [Check] with a verifier, for whoever takes credentials as a holder does,
// such as a didcomm/issue.Holder.
type Checker struct{ Verifier *verify.Verifier }

// Credential verifies a credential that its holder was just issued.
func (c Checker) Credential(ctx context.Context, issued vc.Secured) (*verify.Credential, error) {
	return Check(ctx, c.Verifier, issued)
}

// Check verifies a credential that its holder was just issued. A base proof, which no
// verifier accepts, is shown whole to nobody but v: then every signature in it has been
// checked. All other formats are verified as they are. The error is that of v, or
// says why the proof could not be derived from.
func Check(ctx context.Context, v *verify.Verifier, issued vc.Secured) (*verify.Credential, error) {
	h, err := open(issued)
	if err != nil { // v says what it is
		return v.Credential(ctx, issued)
	}
	p, base := h.(*proven)
	if !base {
		return v.Credential(ctx, issued)
	}
	r := Request{Audience: "the holder", Nonce: rand.Text(), Contexts: v.Contexts}
	whole := plan{held: p, reveal: []vc.Pointer{""}}
	if whole.leaves, err = leavesOf(p.doc); err != nil {
		return nil, fmt.Errorf("disclose: %w", errtext.Below(err))
	}
	if _, err := p.mark(whole.leaves); err != nil {
		return nil, err
	}
	whole.reveal = whole.needed()
	shown, err := p.derive(ctx, &r, whole.reveal)
	if err != nil {
		return nil, fmt.Errorf("disclose: %w", errtext.Below(err))
	}
	return v.Credential(ctx, shown)
}

// Presenter returns what proves presentations by a holder, with the suite that fits the
// key: eddsa-jcs-2022 or ecdsa-jcs-2019. A nil clock means time.Now. For another key,
// and for none, its Present fails.
func Presenter(holder did.Signer, now func() time.Time) *dataintegrity.Presenter {
	p := &dataintegrity.Presenter{Signer: holder, Now: now}
	if holder == nil {
		return p
	}
	switch holder.Public().(type) {
	case ed25519.PublicKey:
		p.Suite = dataintegrity.EdDSAJCS2022()
	case *ecdsa.PublicKey:
		p.Suite = dataintegrity.ECDSAJCS2019()
	}
	return p
}
