package did

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

// A Relationship is a purpose that a document authorises a key for (CID section
// 2.3). Its text is the name of the property in the document.
type Relationship string

// The verification relationships of CID sections 2.3.1 to 2.3.5.
const (
	Authentication       Relationship = "authentication"
	AssertionMethod      Relationship = "assertionMethod"
	KeyAgreement         Relationship = "keyAgreement"
	CapabilityInvocation Relationship = "capabilityInvocation"
	CapabilityDelegation Relationship = "capabilityDelegation"
)

// allRelationships lists them in the order in which a document shows them.
func allRelationships() [5]Relationship {
	return [5]Relationship{Authentication, AssertionMethod, CapabilityInvocation, CapabilityDelegation, KeyAgreement}
}

// A VerificationMethod is a public key in a DID document (CID section 2.2).
type VerificationMethod struct {
	// ID names the key, with the DID even where the document leaves it out.
	ID URL
	// Controller is the DID that proofs made with the key speak for. In what a
	// [Document] hands out it is the document's own.
	Controller DID
	// Expires is the time from which nothing new is made with the key: the end of
	// its turn. What was made before then stays good. From Revoked on nothing is
	// good that was ever made with it: others may have the key too. Zero means no
	// such time. See [Document.MethodUsed].
	Expires, Revoked time.Time

	key           crypto.PublicKey   // nil: of a type this module does not know
	jwk           *strictjson.Object // of a key that is nil; nil if the document has it in another form
	relationships []Relationship
}

// NewVerificationMethod returns a method for a key of the DID in id, authorised
// for the relationships given, to be put in a document by [NewDocument]. It
// refuses the keys that [ParseMultikey] refuses, except that it does not look for
// Ed25519 bytes that are on no curve: such a key verifies nothing.
func NewVerificationMethod(id URL, pub crypto.PublicKey, rels ...Relationship) (*VerificationMethod, error) {
	if err := checkKey(pub); err != nil {
		return nil, err
	}
	if id.DID.IsZero() || id.Fragment == "" {
		return nil, fmt.Errorf("%w: a verification method needs a DID and a fragment", ErrInvalid)
	}
	if err := id.checkParts(); err != nil {
		return nil, err
	}
	known := allRelationships()
	for i, rel := range rels {
		if !slices.Contains(known[:], rel) || slices.Contains(rels[:i], rel) {
			return nil, fmt.Errorf("%w: relationship unknown or given twice", ErrInvalid)
		}
	}
	return &VerificationMethod{ID: id, Controller: id.DID, key: pub, relationships: slices.Clone(rels)}, nil
}

// PublicKey returns the key, whatever encoding the document used: an
// ed25519.PublicKey, a *ecdsa.PublicKey for P-256 and P-384 or a *ecdh.PublicKey
// for X25519. It must not be modified.
func (m *VerificationMethod) PublicKey() crypto.PublicKey { return m.key }

// Relationships returns what the document authorises the key for.
func (m *VerificationMethod) Relationships() []Relationship { return slices.Clone(m.relationships) }

// parseMethod reads a verification method map (CID section 2.2) of the document
// of base.
func parseMethod(base DID, o *strictjson.Object) (*VerificationMethod, error) {
	text, ok := stringMember(o, "id")
	if !ok {
		return nil, fmt.Errorf("%w: verification method without id", ErrInvalid)
	}
	id, err := parseReference(base, text)
	if err != nil {
		return nil, err
	}
	typ, ok := stringMember(o, "type")
	if !ok {
		return nil, fmt.Errorf("%w: verification method without type", ErrInvalid)
	}
	text, ok = stringMember(o, "controller")
	if !ok {
		return nil, fmt.Errorf("%w: verification method without controller", ErrInvalid)
	}
	controller, err := Parse(text)
	if err != nil {
		return nil, err
	}
	m := &VerificationMethod{ID: id, Controller: controller}
	if m.Expires, err = timeMember(o, "expires"); err != nil {
		return nil, err
	}
	if m.Revoked, err = timeMember(o, "revoked"); err != nil {
		return nil, err
	}
	m.key, err = keyMaterial(o, typ)
	if err != nil && !errors.Is(err, ErrUnsupported) {
		return nil, err
	}
	if v, _ := o.Get("publicKeyJwk"); m.key == nil && v != nil {
		m.jwk = v.(*strictjson.Object)
	}
	return m, nil
}

// A keyRule says what a type of verification method may hold.
type keyRule struct {
	multibase, jwk, base58 bool    // the forms of the key
	kind                   keyKind // the kind of key, or anyKind
}

type keyKind int

const (
	anyKind keyKind = iota
	kindEd25519
	kindX25519
	kindP256
	kindP384
)

// ruleOf returns the rule of the types that [ParseDocument] names.
func ruleOf(typ string) (keyRule, bool) {
	switch typ {
	case "Multikey":
		return keyRule{multibase: true}, true
	case "JsonWebKey", "JsonWebKey2020":
		return keyRule{jwk: true}, true
	case "Ed25519VerificationKey2018", "Ed25519VerificationKey2020":
		return keyRule{true, true, true, kindEd25519}, true
	case "X25519KeyAgreementKey2019", "X25519KeyAgreementKey2020":
		return keyRule{true, true, true, kindX25519}, true
	case "P256Key2021", "EcdsaSecp256r1VerificationKey2019":
		return keyRule{true, true, true, kindP256}, true
	case "P384Key2021":
		return keyRule{true, true, true, kindP384}, true
	default:
		return keyRule{}, false
	}
}

func kindOf(key crypto.PublicKey) keyKind {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return kindEd25519
	case *ecdh.PublicKey:
		return kindX25519
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return kindP256
		}
		return kindP384
	default:
		return anyKind
	}
}

// keyMaterial returns the public key of a verification method (CID section
// 2.2.1). It is [ErrUnsupported] if type, form or key are not known here, which
// a document may well contain, and [ErrInvalid] if they are and the key is wrong.
func keyMaterial(o *strictjson.Object, typ string) (crypto.PublicKey, error) {
	if err := checkMaterial(o); err != nil {
		return nil, err
	}
	rule, ok := ruleOf(typ)
	if !ok {
		return nil, fmt.Errorf("%w: type of the verification method", ErrUnsupported)
	}
	var key crypto.PublicKey
	var err error
	if v, present := o.Get("publicKeyMultibase"); present && rule.multibase {
		text, _ := v.(string)
		key, err = ParseMultikey(text)
	} else if v, present := o.Get("publicKeyJwk"); present && rule.jwk {
		key, err = keyFromJWK(v.(*strictjson.Object))
	} else if v, present := o.Get("publicKeyBase58"); present && rule.base58 {
		text, _ := v.(string)
		key, err = keyFromBase58(rule.kind, text)
	} else {
		return nil, fmt.Errorf("%w: form of the public key", ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	if rule.kind != anyKind && rule.kind != kindOf(key) {
		return nil, fmt.Errorf("%w: key does not fit the type of its verification method", ErrInvalid)
	}
	return key, nil
}

// checkPrivate refuses private keys (CID sections 2.2.2 and 2.2.3) wherever they stand
// in a document, also in members that nobody here reads: it would be shown to others.
// The terms that an @context defines are names of members and hold nothing.
func checkPrivate(o *strictjson.Object) error {
	if _, isKey := o.Get("kty"); isKey {
		if err := checkPublic(o); err != nil {
			return err
		}
	}
	for name, v := range o.All() {
		if name == "@context" {
			continue
		}
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "privatekey") || strings.HasPrefix(lower, "secretkey") {
			return fmt.Errorf("%w: document carries a private key", ErrInvalid)
		}
		check := checkPrivate
		if lower == "publickeyjwk" {
			check = checkPublic
		}
		if err := eachMap(v, check); err != nil {
			return err
		}
	}
	return nil
}

// checkMaterial refuses, in a method of whatever type, more than one form of the public
// key (CID section 2.2.1).
func checkMaterial(o *strictjson.Object) error {
	forms := 0
	for name, v := range o.All() {
		switch {
		case name == "publicKeyJwk":
			if _, ok := v.(*strictjson.Object); !ok {
				return fmt.Errorf("%w: publicKeyJwk is not a map", ErrInvalid)
			}
			forms++
		case strings.HasPrefix(name, "publicKey"):
			forms++
		}
	}
	if forms > 1 {
		return fmt.Errorf("%w: verification method with two forms of its key", ErrInvalid)
	}
	return nil
}

// keyFromBase58 reads the older form that leaves the kind of key to the type of
// the method: the bare bytes, without a codec.
func keyFromBase58(kind keyKind, text string) (crypto.PublicKey, error) {
	raw, err := multiformat.DecodeBase58(text, multiformat.MaxKey)
	if err != nil {
		return nil, fmt.Errorf("%w: publicKeyBase58 is too long or not base58btc", ErrInvalid)
	}
	switch kind {
	case kindP256:
		return decompress(elliptic.P256(), raw)
	case kindP384:
		return decompress(elliptic.P384(), raw)
	case kindX25519:
		return newX25519(raw)
	default:
		return newEd25519(raw)
	}
}

// offered returns the caller's copy of a method of the document of id, or why it
// is no use to anybody (CID section 3.3, steps 3 and 10) at those times (section
// 2.2, expires and revoked).
func (m *VerificationMethod) offered(id DID, used, now time.Time) (*VerificationMethod, error) {
	if err := m.usable(id, used, now); err != nil {
		return nil, err
	}
	if m.key == nil {
		return nil, fmt.Errorf("%w: verification method", ErrUnsupported)
	}
	own := *m
	return &own, nil
}

// usable is what offered sees to, whatever the key is.
func (m *VerificationMethod) usable(id DID, used, now time.Time) error {
	switch {
	case used.IsZero() || now.IsZero():
		return fmt.Errorf("%w: the time of use of a key is needed", ErrInvalid)
	case m.ID.DID != id:
		return fmt.Errorf("%w: it belongs to another DID", ErrNotAuthorised)
	case m.Controller != id:
		return fmt.Errorf("%w: its controller is another DID", ErrNotAuthorised)
	case m.ID.Fragment == "":
		return fmt.Errorf("%w: verification method without fragment", ErrUnsupported)
	case !m.Expires.IsZero() && !used.Before(m.Expires):
		return fmt.Errorf("%w: the key has expired", ErrNotAuthorised)
	case !m.Revoked.IsZero() && !now.Before(m.Revoked):
		return fmt.Errorf("%w: the key is revoked", ErrNotAuthorised)
	}
	return nil
}

// timeMember reads a dateTimeStamp (CID section 2.2).
func timeMember(o *strictjson.Object, name string) (time.Time, error) {
	if _, present := o.Get(name); !present {
		return time.Time{}, nil
	}
	text, _ := stringMember(o, name)
	t, err := xsd.ParseDateTimeStamp(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %s of a verification method is not a time with its zone", ErrInvalid, name)
	}
	return t, nil
}
