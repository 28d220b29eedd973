package verify

import (
	"errors"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// disclosed reads application/dc+sd-jwt (SD-JWT VC), application/vc+sd-jwt and
// application/vp+sd-jwt (VC-JOSE-COSE, section 3.2).
type disclosed struct {
	v         *Verifier
	kind      kind
	mediaType string
}

func (f disclosed) read(b []byte) (*reading, *finding) {
	t, err := sdjwt.Parse(vc.Secured{MediaType: f.mediaType, Bytes: b})
	if err != nil {
		return nil, tokenFinding(err)
	}
	c := t.Claims()
	r := readToken(t, f.kind, claims{c.Issuer, c.Subject, c.Audience, c.Nonce, c.IssuedAt, c.NotBefore, c.Expires})
	if err := bind(r, t, f.kind); err != nil && r.flaw == nil {
		r.flaw = tokenFinding(err)
	}
	if document := f.v.Types[c.Type]; document != nil && f.mediaType == sdjwt.MediaTypeSDJWTVC {
		r.typed = func() *finding { return f.checkType(t) }
	}
	return r, nil
}

// checkType holds a token to the metadata of its type (SD-JWT VC, section 4). What
// was withheld may be there.
func (f disclosed) checkType(t *sdjwt.Token) *finding {
	c := t.Claims()
	m, err := sdjwt.ReadTypeMetadata(f.v.Types, c.Type, c.TypeIntegrity)
	if err != nil {
		return wrong(ErrResource, err)
	}
	if err := m.Check(t); err != nil {
		return wrong(ErrMalformed, err)
	}
	return nil
}

// bind reads the holder's key and the key binding (RFC 9901, section 7.3).
func bind(r *reading, t *sdjwt.Token, k kind) (err error) {
	kb := t.KeyBinding()
	if !t.HasConfirmation() && kb == nil {
		return nil
	}
	if k == aPresentation {
		return sdjwt.ErrKeyBinding // its holder signed it whole
	}
	if r.key, err = t.Confirmation(); err != nil || kb == nil {
		return err
	}
	r.binding = &binding{
		made: kb.IssuedAt, notBefore: kb.NotBefore, expires: kb.Expires,
		answers: func(s Session) *finding { return s.answeredBy([]string{kb.Audience}, kb.Nonce) },
		verify: func() *finding {
			switch err := t.VerifyKeyBinding(); {
			case errors.Is(err, sdjwt.ErrKeyBinding): // it was made for other disclosures
				return wrong(ErrProof, err)
			case err != nil:
				return tokenFinding(err)
			}
			return nil
		},
	}
	return nil
}
