package disclose

import (
	"context"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// token is an SD-JWT of a credential.
type token struct {
	secured     vc.Secured
	doc         *strictjson.Object
	disclosable []vc.Pointer
	bound       bool // to a key that is known here
}

func openToken(s vc.Secured) (*token, error) {
	disclosable, err := sdjwt.Disclosures(s)
	if err != nil {
		return nil, err
	}
	t := &token{secured: s, disclosable: disclosable}
	parsed, err := sdjwt.Parse(s)
	if err != nil {
		return nil, err
	}
	key, err := parsed.Confirmation()
	t.doc, t.bound = parsed.Document(), err == nil && key != nil
	return t, nil
}

func (t *token) document() *strictjson.Object { return t.doc }

func (t *token) bearer() bool { return false }

// mark goes by the disclosures: a claim in none of them is always shown, and one
// that is named brings everything that its disclosures hold and that has none of its
// own.
func (t *token) mark(leaves []leaf) (more []vc.Pointer, err error) {
	home := make([]vc.Pointer, len(leaves)) // the innermost disclosure of each leaf
	opened := make(map[vc.Pointer]bool)
	for i := range leaves {
		l := &leaves[i]
		l.always = true
		for _, d := range t.disclosable {
			if !covers(d, l.at) {
				continue
			}
			l.always = false
			if len(d) > len(home[i]) {
				home[i] = d
			}
			if l.named {
				opened[d] = true
			}
		}
	}
	for i := range leaves {
		if l := &leaves[i]; !l.shown() && opened[home[i]] {
			more = append(more, l.at)
		}
	}
	return more, nil
}

func (t *token) derive(ctx context.Context, r *Request, reveal []vc.Pointer) (vc.Secured, error) {
	return sdjwt.Present(ctx, t.secured, sdjwt.Presenting{
		Reveal: reveal, Holder: r.Holder, Audience: r.Audience, Nonce: r.Nonce, Now: r.now,
	})
}

func (t *token) read(s vc.Secured) (*strictjson.Object, error) {
	parsed, err := sdjwt.Parse(s)
	if err != nil {
		return nil, err
	}
	return parsed.Document(), nil
}
