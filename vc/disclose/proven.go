package disclose

import (
	"context"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
)

// proven is a document with a base proof.
type proven struct {
	secured   vc.Secured
	doc       *strictjson.Object
	mandatory []vc.Pointer
	unlinked  bool // by bbs-2023
}

// openProven takes apart a document with proofs. One without a base proof is shown
// whole.
func openProven(s vc.Secured) (held, error) {
	o, err := strictjson.ParseObject(s.Bytes)
	if err != nil {
		return nil, err
	}
	doc, proofs, err := dataintegrity.SplitProofs(o)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(proofs, func(p *strictjson.Object) bool { return hasBase(p) }) {
		return &whole{s, doc}, nil
	}
	p := &proven{secured: s, doc: doc}
	switch suite, _ := proofs[0].Text("cryptosuite"); suite { // which refuses others beside it
	case "ecdsa-sd-2023":
		p.mandatory, err = ecdsasd.Mandatory(s)
	case "bbs-2023":
		p.unlinked = true
		p.mandatory, err = bbs.Mandatory(s)
	default:
		return nil, dataintegrity.ErrSuite
	}
	return p, err
}

func (p *proven) document() *strictjson.Object { return p.doc }

func (p *proven) bearer() bool { return p.unlinked }

// mark goes by selectJsonLd (VC DI ECDSA section 3.4.13): what the issuer made
// mandatory is always shown, and the id and types of an object come with everything
// inside. Those of the credential and of its subject are expected; another id or
// type has to be named.
func (p *proven) mark(leaves []leaf) (more []vc.Pointer, err error) {
	for i := range leaves {
		l := &leaves[i]
		owner, identity := identifies(l.at)
		l.always = l.at == "/@context" || identity && owner == "" ||
			slices.ContainsFunc(p.mandatory, func(m vc.Pointer) bool { return covers(m, l.at) })
	}
	for i := range leaves {
		l := &leaves[i]
		owner, identity := identifies(l.at)
		if !identity || l.always {
			continue
		}
		always, named := beside(leaves, i, owner)
		switch {
		case always || named && isSubject(owner):
			l.always = true
		case named && !l.named:
			more = append(more, l.at)
		}
	}
	if p.unlinked {
		err = checkUnlinkable(leaves)
	}
	return more, err
}

// beside reports whether there are leaves inside owner, apart from leaf i, that are
// always shown or that are named. They stand around it in document order.
func beside(leaves []leaf, i int, owner vc.Pointer) (always, named bool) {
	for j := i - 1; j >= 0 && covers(owner, leaves[j].at); j-- {
		always, named = always || leaves[j].always, named || leaves[j].named
	}
	for j := i + 1; j < len(leaves) && covers(owner, leaves[j].at); j++ {
		always, named = always || leaves[j].always, named || leaves[j].named
	}
	return always, named
}

// identifies returns the object whose id or type stands at a place.
func identifies(at vc.Pointer) (owner vc.Pointer, ok bool) {
	for _, name := range []string{"id", "@id"} {
		if rest, ok := strings.CutSuffix(string(at), "/"+name); ok {
			return vc.Pointer(rest), true
		}
	}
	for _, name := range []string{"type", "@type"} {
		if i := strings.LastIndex(string(at), "/"+name); i >= 0 {
			if rest := string(at[i+1+len(name):]); rest == "" || isPosition(rest) {
				return at[:i], true
			}
		}
	}
	return "", false
}

// isSubject reports whether a place is that of a credential's subject.
func isSubject(at vc.Pointer) bool {
	rest, ok := strings.CutPrefix(string(at), "/credentialSubject")
	return ok && (rest == "" || isPosition(rest))
}

// isPosition reports whether a piece of a pointer is one array position.
func isPosition(piece string) bool {
	return len(piece) > 1 && piece[0] == '/' && strings.Trim(piece[1:], "0123456789") == ""
}

// checkUnlinkable sees that nothing names the credential or its subject for good.
func checkUnlinkable(leaves []leaf) error {
	for i := range leaves {
		owner, identity := identifies(leaves[i].at)
		if identity && (owner == "" || isSubject(owner)) && strings.HasSuffix(string(leaves[i].at), "id") {
			return ErrLinkable
		}
	}
	return nil
}

func (p *proven) derive(ctx context.Context, r *Request, reveal []vc.Pointer) (vc.Secured, error) {
	if p.unlinked {
		return bbs.Derive(ctx, p.secured, reveal, r.Contexts, bbs.SessionHeader(r.Audience, r.Nonce))
	}
	return ecdsasd.Derive(ctx, p.secured, reveal, r.Contexts)
}

// read refuses a proof that is not a derived one, or several.
func (p *proven) read(s vc.Secured) (*strictjson.Object, error) {
	o, err := strictjson.ParseObject(s.Bytes)
	if err != nil {
		return nil, err
	}
	if hasBase(o) {
		return nil, ErrBaseProof
	}
	doc, _, err := dataintegrity.SplitProof(o)
	return doc, err
}
