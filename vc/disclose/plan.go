package disclose

import (
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// Limits of a request: a passport with every core skill has about 34 credentials
// (one for each credential type of the second passport) and 110 claims.
const (
	maxCredentials = 64
	maxPointers    = 512
)

// A plan says what is to be shown of one credential.
type plan struct {
	index  int
	held   held
	reveal []vc.Pointer // those that the credential's format has to be asked for
	leaves []leaf
	picked *strictjson.Object // the document of the leaves that are shown
	shown  *vc.Credential     // the same
}

// plans decides, for each credential, what is to be shown.
func (r *Request) plans(creds []vc.Secured) ([]*plan, error) {
	if err := r.checkLists(len(creds)); err != nil {
		return nil, err
	}
	plans := make([]*plan, len(creds))
	found := make([]bool, len(r.Reveal))
	for i, s := range creds {
		h, err := open(s)
		if err != nil {
			return nil, fmt.Errorf("%w: credential %d: %w", ErrFormat, i, errtext.Below(err))
		}
		p := &plan{index: i, held: h}
		pointers := r.Reveal
		if r.Each != nil {
			pointers = r.Each[i]
		}
		for j, at := range pointers {
			if !at.Valid() {
				return nil, fmt.Errorf("%w: malformed", ErrPointer)
			}
			_, ok := at.Lookup(h.document())
			switch {
			case ok:
				p.reveal = append(p.reveal, at)
			case r.Each != nil:
				return nil, unmatched(at)
			}
			if r.Each == nil {
				found[j] = found[j] || ok
			}
		}
		plans[i] = p
	}
	if i := slices.Index(found, false); i >= 0 {
		return nil, unmatched(r.Reveal[i])
	}
	for _, p := range plans {
		if err := p.decide(); err != nil {
			return nil, err
		}
	}
	for _, p := range plans {
		if p.held.bearer() != plans[0].held.bearer() {
			return nil, fmt.Errorf("%w: beside one that is bound to a holder", ErrLinkable)
		}
	}
	if err := r.checkContexts(plans); err != nil {
		return nil, err
	}
	return plans, nil
}

// unmatched names the pointer, which came from the caller and is no claim.
func unmatched(at vc.Pointer) error { return fmt.Errorf("%w: %s", ErrPointer, at) }

func (r *Request) checkLists(creds int) error {
	n := len(r.Reveal)
	for _, list := range r.Each {
		n = max(n, len(list))
	}
	switch {
	case creds == 0 || creds > maxCredentials:
		return fmt.Errorf("%w: no credential, or more than %d", ErrConfig, maxCredentials)
	case n > maxPointers:
		return fmt.Errorf("%w: more than %d pointers in Reveal or Each", ErrConfig, maxPointers)
	case r.Each != nil && (len(r.Each) != creds || r.Reveal != nil):
		return fmt.Errorf("%w: Each has one list for each credential, and no Reveal beside it", ErrConfig)
	case r.Template != nil && (r.Template.Holder.ID != "" || len(r.Template.Credentials) > 0):
		return fmt.Errorf("%w: Template has a holder or credentials", ErrConfig)
	}
	return nil
}

// decide fills in the plan.
func (p *plan) decide() error {
	var err error
	if p.leaves, err = leavesOf(p.held.document()); err != nil {
		return fmt.Errorf("%w: credential %d: %w", ErrFormat, p.index, err)
	}
	for i := range p.leaves {
		l := &p.leaves[i]
		l.named = slices.ContainsFunc(p.reveal, func(at vc.Pointer) bool { return covers(at, l.at) })
	}
	if t, ok := p.held.(*token); ok && !t.bound {
		return fmt.Errorf("%w: credential %d names no key", ErrHolder, p.index)
	}
	more, err := p.held.mark(p.leaves)
	if err != nil {
		return fmt.Errorf("%w: credential %d", err, p.index)
	}
	if len(more) > 0 {
		return &MoreError{p.index, more}
	}
	shown := make(map[vc.Pointer]bool, len(p.leaves))
	subject := false
	for _, l := range p.leaves {
		shown[l.at] = l.shown()
		subject = subject || l.shown() && covers("/credentialSubject", l.at)
	}
	if !subject {
		return fmt.Errorf("%w: credential %d", ErrNothing, p.index)
	}
	picked, _ := pick(p.held.document(), "", func(at vc.Pointer) bool { return shown[at] })
	p.picked, _ = picked.(*strictjson.Object)
	if p.shown, err = vc.ParseObject(p.picked); err != nil {
		return fmt.Errorf("%w: credential %d: %w", ErrFormat, p.index, errtext.Below(err))
	}
	p.reveal = p.needed()
	return nil
}

// needed returns the pointers that name a claim that is not shown anyway, with the
// members of the document in place of the whole.
func (p *plan) needed() []vc.Pointer {
	pointers := p.reveal
	if slices.Contains(pointers, "") {
		pointers = nil
		for name := range p.held.document().All() {
			pointers = append(pointers, vc.Pointer("").Child(name))
		}
	}
	var out []vc.Pointer
	for _, at := range pointers {
		if !slices.Contains(out, at) && slices.ContainsFunc(p.leaves, func(l leaf) bool { return !l.always && covers(at, l.at) }) {
			out = append(out, at)
		}
	}
	return out
}

// check reads what the format made and holds it to the plan.
func (p *plan) check(s vc.Secured) error {
	doc, err := p.held.read(s)
	if err != nil {
		return fmt.Errorf("%w: credential %d: %w", ErrFormat, p.index, errtext.Below(err))
	}
	if hasBase(doc) { // in a claim, such as evidence
		return fmt.Errorf("%w: credential %d", ErrBaseProof, p.index)
	}
	if !same(doc, p.picked) {
		return fmt.Errorf("%w: credential %d is not what was asked for", ErrRevealsMore, p.index)
	}
	return nil
}
