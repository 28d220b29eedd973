package verify

import (
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
)

// cosed reads application/vc+cose and application/vp+cose (VC-JOSE-COSE, section
// 3.3).
type cosed struct {
	kind      kind
	mediaType string
}

func (f cosed) read(b []byte) (*reading, *finding) {
	t, err := cose.Parse(vc.Secured{MediaType: f.mediaType, Bytes: b})
	if err != nil {
		return nil, tokenFinding(err)
	}
	c := t.Claims()
	r := readToken(t, f.kind, claims{c.Issuer, c.Subject, c.Audience, c.Nonce, c.IssuedAt, c.NotBefore, c.Expires})
	if r.key, err = t.Confirmation(); err != nil && r.flaw == nil {
		r.flaw = tokenFinding(err)
	}
	return r, nil
}
