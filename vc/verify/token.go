package verify

import (
	"context"
	"crypto"
	"errors"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// A token is a document inside a signed envelope, as package jose, cose or sdjwt
// took it apart.
type token interface {
	// KeyID is what the token says about its key.
	KeyID() string
	Document() *strictjson.Object
	// Verify checks the signature of the envelope.
	Verify(pub crypto.PublicKey) error
}

// claims are what a token says beside its document (RFC 7519, section 4.1; RFC
// 8392, section 3.1). That they do not contradict the document was seen to when it
// was taken apart.
type claims struct {
	issuer, subject              string
	audience                     []string
	nonce                        string
	issuedAt, notBefore, expires time.Time
}

// readToken is what the formats with an envelope have in common. Only the kid
// names a key (VC-JOSE-COSE, section 4.1.1), and it must be a DID URL.
func readToken(t token, k kind, c claims) *reading {
	r := &reading{doc: t.Document()}
	if _, inside := r.doc.Get("proof"); inside {
		r.flaw = wrong(ErrProofSet, errors.New("an embedded proof in an envelope"))
		return r
	}
	method, err := did.ParseURL(t.KeyID())
	if err != nil || method.Fragment == "" {
		r.flaw = wrong(ErrProofMalformed, errors.New("kid is not the DID URL of a key"))
		return r
	}
	r.proofs = []proof{{
		method: method, purpose: k.purpose(),
		created: c.issuedAt, notBefore: c.notBefore, expires: c.expires,
		domain: c.audience, challenge: c.nonce, issuer: c.issuer, subject: c.subject,
		verify: func(_ context.Context, key *did.VerificationMethod) (*strictjson.Object, *finding) {
			if err := t.Verify(key.PublicKey()); err != nil {
				return nil, tokenFinding(err)
			}
			return r.doc, nil
		},
	}}
	return r
}

// tokenFinding says what is wrong with a token.
func tokenFinding(err error) *finding {
	for _, c := range []struct {
		err  error
		code Code
	}{
		{strictjson.ErrTooLarge, ErrTooLarge},
		{jws.ErrTooLarge, ErrTooLarge},
		{strictjson.ErrTooDeep, ErrTooDeep},
		{jose.ErrType, ErrMediaType},
		{cose.ErrType, ErrMediaType},
		{sdjwt.ErrType, ErrMediaType},
		{jose.ErrClaims, ErrClaims},
		{cose.ErrClaims, ErrClaims},
		{sdjwt.ErrClaims, ErrClaims},
		{jose.ErrAlgorithm, ErrSuite},
		{cose.ErrAlgorithm, ErrSuite},
		{jws.ErrAlgorithm, ErrSuite},
		{did.ErrUnsupported, ErrSuite},
		{jose.ErrSignature, ErrProof},
		{cose.ErrSignature, ErrProof},
		{sdjwt.ErrSignature, ErrProof},
		{sdjwt.ErrHash, ErrProofMalformed},
		{sdjwt.ErrDisclosure, ErrProofMalformed},
		{sdjwt.ErrNotDisclosable, ErrProofMalformed},
		{sdjwt.ErrKeyBinding, ErrProofMalformed},
		{jose.ErrConfirmation, ErrProofMalformed},
		{cose.ErrConfirmation, ErrProofMalformed},
	} {
		if errors.Is(err, c.err) {
			return wrong(c.code, err)
		}
	}
	return wrong(ErrSyntax, err)
}
