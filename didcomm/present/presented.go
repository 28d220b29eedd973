package present

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// What an attachment of a presentation holds is told by its shape: an object is a
// presentation with a proof in it; a token, as it is or as a JSON text, is a JSON Web
// Token or an SD-JWT VC.
func presentedOf(content []byte) (vc.Secured, error) {
	content = bytes.TrimSpace(content)
	if bytes.HasPrefix(content, []byte{'{'}) {
		if _, err := strictjson.ParseObject(content); err != nil {
			return vc.Secured{}, fmt.Errorf("%w: %v", ErrMalformed, err)
		}
		return vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: content}, nil
	}
	if bytes.HasPrefix(content, []byte{'"'}) {
		v, err := strictjson.Parse(content)
		s, ok := v.(string)
		if err != nil || !ok {
			return vc.Secured{}, fmt.Errorf("%w: a presentation as a text", ErrMalformed)
		}
		content = []byte(s)
	}
	return tokenOf(content)
}

// tokenOf tells the media type of a token by its shape and, of a JSON Web Token, by
// its typ: one that has none, or "JWT", is of data model 1.1 (its section 6.3.1).
func tokenOf(token []byte) (vc.Secured, error) {
	if bytes.IndexByte(token, '~') >= 0 {
		return vc.Secured{MediaType: sdjwt.MediaTypeSDJWTVC, Bytes: token}, nil
	}
	m, err := jws.ParseCompact(token)
	if err != nil {
		return vc.Secured{}, fmt.Errorf("%w: a presentation that is no JSON and no token", ErrMalformed)
	}
	mediaType := jws.MediaType(m.Header.Type)
	if mediaType != jose.MediaTypePresentation {
		mediaType = jose.MediaTypeLegacy
	}
	return vc.Secured{MediaType: mediaType, Bytes: token}, nil
}

// presentationDocument returns the document of a presentation in any form that can
// hold several credentials.
func presentationDocument(s vc.Secured) ([]byte, error) {
	switch s.MediaType {
	case vc.MediaTypePresentation:
		return s.Bytes, nil
	case jose.MediaTypePresentation, jose.MediaTypeLegacy:
		t, err := jose.Parse(s)
		if err != nil {
			return nil, err
		}
		if !t.IsPresentation() {
			return nil, fmt.Errorf("%w: a token of a credential", ErrMalformed)
		}
		return strictjson.Append(nil, t.Document())
	}
	return nil, ErrUnsupported
}

// proofOf says how a presentation is proven: the type of its proof, or [ProofJWT].
func proofOf(s vc.Secured) (string, error) {
	switch s.MediaType {
	case jose.MediaTypePresentation, jose.MediaTypeLegacy:
		return ProofJWT, nil
	case vc.MediaTypePresentation:
		o, err := strictjson.ParseObject(s.Bytes)
		if err != nil {
			return "", err
		}
		v, _ := o.Get("proof")
		if proof, ok := v.(*strictjson.Object); ok {
			if typ, ok := proof.Text("type"); ok {
				return typ, nil
			}
		}
	}
	return "", ErrUnsupported
}

// document returns what a reader will see of a credential.
func document(s vc.Secured) (*strictjson.Object, error) {
	switch s.MediaType {
	case vc.MediaTypeCredential:
		return strictjson.ParseObject(s.Bytes)
	case sdjwt.MediaTypeSDJWTVC:
		token, err := sdjwt.Parse(s)
		if err != nil {
			return nil, err
		}
		return token.Document(), nil
	case jose.MediaTypeCredential, jose.MediaTypeLegacy:
		t, err := jose.Parse(s)
		if err != nil {
			return nil, err
		}
		if t.IsPresentation() {
			return nil, fmt.Errorf("%w: a token of a presentation", ErrMalformed)
		}
		return t.Document(), nil
	}
	return nil, ErrUnsupported
}

// checkToken sees that a JSON Web Token has nothing beside its document that could be
// a text about the person: no other claims and header parameters than those of a
// token, and of a credential no audience and nonce.
func checkToken(s vc.Secured, presentation bool) error {
	m, err := jws.ParseCompact(s.Bytes)
	if err != nil {
		return err
	}
	for name := range m.Header.Tree.All() {
		if !slices.Contains([]string{"alg", "kid", "typ", "cty", "iss"}, name) {
			return fmt.Errorf("%w: %s in the header of a token", ErrConsent, name)
		}
	}
	claims := []string{"iss", "sub", "jti", "iat", "nbf", "exp", "cnf", "status"}
	if presentation {
		claims = []string{"iss", "aud", "nonce", "iat", "nbf", "exp"}
	}
	payload, err := strictjson.ParseObject(m.Payload)
	if err != nil {
		return err
	}
	for name := range payload.All() {
		known := slices.Contains(claims, name)
		if s.MediaType == jose.MediaTypeLegacy {
			known = known || name == "vc" && !presentation || name == "vp" && presentation
		} else {
			known = known || !slices.Contains(notInDocument(), name)
		}
		if !known {
			return fmt.Errorf("%w: %s in a token", ErrConsent, name)
		}
	}
	return nil
}

// notInDocument are the members of a token that package jose takes for claims about
// it; all others are in its document.
func notInDocument() []string {
	return []string{"iss", "sub", "jti", "aud", "nonce", "iat", "nbf", "exp", "cnf", "status"}
}
