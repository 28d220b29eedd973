package verify

import (
	"crypto"
	"time"

	"github.com/staffpassport/staffpassport/did"
)

// A binding ties one credential to the session it is shown in, without the
// signature of a presentation around it: the key binding of an SD-JWT (RFC 9901,
// section 7.3), or the presentation header of bbs-2023.
type binding struct {
	// answers checks for whom and for which request it was made.
	answers func(Session) *finding
	// made is when; zero if it does not say. Its maker may have said from when and
	// until when it counts, too.
	made, notBefore, expires time.Time
	// verify checks the cryptography that the issuer's proof does not cover; nil
	// if that covers all.
	verify func() *finding
}

// A presenter is who signed a presentation as a whole. The zero presenter is
// nobody: each credential is bound by itself.
type presenter struct {
	id  did.DID
	key crypto.PublicKey
}

// checkTime refuses what was made too long ago or does not count now.
func (b *binding) checkTime(x *examination) *finding {
	switch {
	case b.notBefore.After(x.now.Add(skew)):
		return wrong(ErrProofNotYetValid, nil)
	case !b.expires.IsZero() && x.now.After(b.expires):
		return wrong(ErrProofExpired, nil)
	}
	return x.checkAge(b.made)
}

// checkAge refuses what was made for a session and too long ago.
func (x *examination) checkAge(made time.Time) *finding {
	limit := x.v.MaxAge
	if limit == 0 {
		limit = maxAge
	}
	switch {
	case made.IsZero():
		return nil
	case made.After(x.now.Add(skew)):
		return wrong(ErrProofNotYetValid, nil)
	case made.Before(x.now.Add(-limit)):
		return wrong(ErrProofTooOld, nil)
	}
	return nil
}
