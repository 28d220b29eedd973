package verify

import (
	"bytes"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
)

// headerBinding returns the binding of those among the proofs that are of bbs-2023,
// or nil if none is. Their presentation header, which is part of what is proven,
// must be that of the session, also inside a presentation that its holder signed:
// otherwise what one verifier was shown could be shown to the next.
func headerBinding(proofs []*strictjson.Object) *binding {
	var of []*strictjson.Object
	for _, p := range proofs {
		if suite, _ := p.Text("cryptosuite"); suite == bbs.Suite().Name() {
			of = append(of, p)
		}
	}
	if of == nil {
		return nil
	}
	return &binding{answers: func(want Session) *finding {
		header := bbs.SessionHeader(want.Audience, want.Nonce)
		for _, p := range of {
			got, err := bbs.PresentationHeader(p)
			if err != nil {
				return proofFinding(err)
			}
			if len(got) == 0 && want.bare {
				continue
			}
			if !bytes.Equal(got, header) { // a hash that everybody can make: no secret
				return wrong(ErrChallenge, nil)
			}
		}
		return nil
	}}
}
