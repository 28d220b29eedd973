package didpeer

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const prefix2 = "did:peer:2"

// maxElements bounds the keys and services of a did:peer:2. The document repeats the
// DID with each key: with 64 Ed25519 keys it just has the size that package did reads.
const maxElements = 64

// A Key is a public key of a did:peer:2 and what it is for (Method 2, Purpose Codes):
// one relationship. A key for two purposes is given twice and has two names.
type Key struct {
	For    did.Relationship
	Public crypto.PublicKey
}

// New2 returns the did:peer:2 of keys and services (Method 2: multiple inception key
// without doc). The keys are named #key-1, #key-2 and so on in the order given. A
// service is a JSON object as a DID document shows it, with an id that is relative or
// left out; the service of DIDComm version 1 is of the type "did-communication". A key
// of a type that [did.Multikey] does not know is [did.ErrUnsupported]; a key that
// cannot do what it is for, and all else, [did.ErrInvalid].
func New2(keys []Key, services ...[]byte) (did.DID, error) {
	var b strings.Builder
	b.WriteString(prefix2)
	for _, key := range keys {
		multikey, err := did.Multikey(key.Public)
		if err != nil {
			return did.DID{}, err
		}
		code, ok := purposeCode(key.For)
		if !ok {
			return did.DID{}, fmt.Errorf("%w: relationship of a did:peer:2 unknown", did.ErrInvalid)
		}
		b.WriteString("." + string(code) + multikey)
	}
	for _, service := range services {
		element, err := encodeService(service)
		if err != nil {
			return did.DID{}, err
		}
		b.WriteString(".S" + element)
	}
	id, err := did.Parse(b.String())
	if err != nil {
		return did.DID{}, err
	}
	if _, err := document2(id); err != nil {
		return did.DID{}, err
	}
	return id, nil
}

// purposes returns the table of Method 2, Purpose Codes, but for services, in the
// order in which a document shows the relationships.
func purposes() [5]struct {
	code byte
	rel  did.Relationship
} {
	return [...]struct {
		code byte
		rel  did.Relationship
	}{{'V', did.Authentication}, {'A', did.AssertionMethod}, {'E', did.KeyAgreement}, {'I', did.CapabilityInvocation}, {'D', did.CapabilityDelegation}}
}

func purposeCode(rel did.Relationship) (byte, bool) {
	for _, p := range purposes() {
		if p.rel == rel {
			return p.code, true
		}
	}
	return 0, false
}

func purposeOf(code byte) (did.Relationship, bool) {
	for _, p := range purposes() {
		if p.code == code {
			return p.rel, true
		}
	}
	return "", false
}

// document2 resolves a did:peer:2 (Method 2, Resolving a did:peer:2). Elements are
// read in any order.
func document2(id did.DID) (*did.Document, error) {
	elements := strings.Split(id.SpecificID()[1:], ".")
	if elements[0] != "" {
		return nil, fmt.Errorf("%w: did:peer:2 that does not begin with an element", did.ErrInvalid)
	}
	if len(elements)-1 > maxElements {
		return nil, fmt.Errorf("%w: did:peer:2 with more than %d elements", did.ErrInvalid, maxElements)
	}
	var methods, services []any
	related := map[did.Relationship][]any{}
	for _, element := range elements[1:] {
		if strings.HasPrefix(element, "S") {
			list, err := decodeServices(element[1:])
			if err != nil {
				return nil, err
			}
			services = append(services, list...)
			continue
		}
		rel, err := checkKey(element)
		if err != nil {
			return nil, err
		}
		name := "#key-" + strconv.Itoa(len(methods)+1)
		methods = append(methods, object("id", name, "type", "Multikey", "controller", id.String(), "publicKeyMultibase", element[1:]))
		related[rel] = append(related[rel], name)
	}
	if methods == nil {
		return nil, fmt.Errorf("%w: did:peer:2 without a key", did.ErrInvalid)
	}
	nameServices(services)
	tree := object(
		"@context", []any{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"},
		"id", id.String(),
		"verificationMethod", methods,
	)
	for _, p := range purposes() {
		if related[p.rel] != nil {
			tree.Set(string(p.rel), related[p.rel])
		}
	}
	if services != nil {
		tree.Set("service", services)
	}
	data, err := strictjson.Append(make([]byte, 0, (len(methods)+2)*(len(id.String())+256)), tree)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", did.ErrInvalid, errtext.Below(err))
	}
	return did.ParseDocument(data)
}

// checkKey returns what the key of an element is for. A key that cannot do that, such
// as an X25519 key for authentication, is refused; a key of a type that this module
// does not know is not judged.
func checkKey(element string) (did.Relationship, error) {
	if element == "" {
		return "", fmt.Errorf("%w: did:peer:2 with an empty element", did.ErrInvalid)
	}
	rel, ok := purposeOf(element[0])
	if !ok {
		return "", fmt.Errorf("%w: did:peer:2 with an unknown purpose", did.ErrInvalid)
	}
	pub, err := did.ParseMultikey(element[1:])
	if err != nil && !errors.Is(err, did.ErrUnsupported) {
		return "", err
	}
	fits := true
	switch pub.(type) {
	case *ecdh.PublicKey:
		fits = rel == did.KeyAgreement
	case ed25519.PublicKey, did.BLS12381G2:
		fits = rel != did.KeyAgreement
	}
	if !fits {
		return "", fmt.Errorf("%w: did:peer:2 with a key that cannot do what it is for", did.ErrInvalid)
	}
	return rel, nil
}
