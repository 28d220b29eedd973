package verify

import (
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// josed reads application/vc+jwt and application/vp+jwt (VC-JOSE-COSE, section
// 3.1), and application/jwt with the vc or vp claim of VC Data Model 1.1.
type josed struct {
	kind      kind
	mediaType string
}

func (f josed) read(b []byte) (*reading, *finding) {
	t, err := jose.Parse(vc.Secured{MediaType: f.mediaType, Bytes: b})
	if err != nil {
		return nil, tokenFinding(err)
	}
	switch {
	case t.IsPresentation() && f.kind == aCredential:
		return nil, wrong(ErrMediaType, errPresentation)
	case !t.IsPresentation() && f.kind == aPresentation:
		return nil, wrong(ErrMediaType, errCredential)
	}
	c := t.Claims()
	r := readToken(t, f.kind, claims{c.Issuer, c.Subject, c.Audience, c.Nonce, c.IssuedAt, c.NotBefore, c.Expires})
	if r.key, err = t.Confirmation(); err != nil && r.flaw == nil {
		r.flaw = tokenFinding(err)
	}
	return r, nil
}
