package jose

import (
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope"
)

func firstContext(doc *strictjson.Object) any {
	v, _ := doc.Get("@context")
	if list, ok := v.([]any); ok && len(list) > 0 {
		return list[0]
	}
	return v
}

// readLegacy is the decoding of Verifiable Credentials Data Model 1.1, section
// 6.3.1: the document is in the vc or vp claim, and what it leaves out stands in
// registered claims. Where both speak they must agree, which checkClaims sees to.
func (t *Token) readLegacy(payload *strictjson.Object) error {
	credential, isCredential := payload.Get("vc")
	presentation, isPresentation := payload.Get("vp")
	if isCredential == isPresentation {
		return fmt.Errorf("%w: neither or both of the claims vc and vp", ErrType)
	}
	var ok bool
	if isCredential {
		t.document, ok = credential.(*strictjson.Object)
	} else {
		t.document, ok = presentation.(*strictjson.Object)
		t.presentation = true
	}
	if !ok {
		return fmt.Errorf("%w: vc or vp", ErrMalformed)
	}
	if firstContext(t.document) != vc.ContextV1 {
		return fmt.Errorf("%w: not a document of data model 1.1", ErrType)
	}
	if !envelope.AddStatus(t.document, payload) {
		return fmt.Errorf("%w: status", ErrMalformed)
	}
	t.complete("id", t.claims.ID)
	if t.presentation {
		t.complete("holder", t.claims.Issuer)
		return t.envelopStrings()
	}
	t.complete("issuer", t.claims.Issuer)
	if at := t.claims.NotBefore; !at.IsZero() {
		t.complete("issuanceDate", xsd.Format(at))
	}
	if at := t.claims.Expires; !at.IsZero() {
		t.complete("expirationDate", xsd.Format(at))
	}
	if subject, ok := t.subject(); ok && t.claims.Subject != "" {
		if _, named := subject.Get("id"); !named {
			subject.Set("id", t.claims.Subject)
		}
	}
	return nil
}

// complete gives the document a member that it leaves to a claim.
func (t *Token) complete(name, value string) {
	if _, ok := t.document.Get(name); !ok && value != "" {
		t.document.Set(name, value)
	}
}

// subject returns the only subject of the credential.
func (t *Token) subject() (*strictjson.Object, bool) {
	v, _ := t.document.Get("credentialSubject")
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	o, ok := v.(*strictjson.Object)
	return o, ok
}

// envelopStrings turns the JWTs in verifiableCredential into what data model 2.0
// has in their place.
func (t *Token) envelopStrings() error {
	v, ok := t.document.Get("verifiableCredential")
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for i := range list {
		token, ok := list[i].(string)
		if !ok {
			continue
		}
		if token == "" || strings.Trim(token, alphabet) != "" {
			return fmt.Errorf("%w: verifiableCredential", ErrMalformed)
		}
		list[i] = envelope.Enveloped("data:" + MediaTypeLegacy + "," + token)
	}
	t.document.Set("verifiableCredential", list)
	return nil
}

// alphabet has the characters of a compact JWS.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
