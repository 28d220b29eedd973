package did

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

// Limits on documents. Real ones have a handful of keys and services.
const (
	maxDocument  = 256 << 10 // bytes of JSON
	maxMethods   = 128       // verification methods: each costs a curve operation to parse
	maxRelations = 256       // entries of one relationship
	maxServices  = 128       // services, counted by type and endpoint

	// maxServiceList is for the keys and profiles of one DIDComm service. Each of its
	// endpoints has its own, with the DID before each relative reference.
	maxServiceList = 32
)

// A Document is a DID document (DID Core section 5, CID section 2.1). It is
// immutable and safe for concurrent use. The zero Document is not usable.
type Document struct {
	id          DID
	alsoKnownAs []string
	methods     []*VerificationMethod
	relations   []relation
	services    []Service
	tree        *strictjson.Object // as parsed; nil if built by NewDocument

	// whole returns this document with the method that is derived when wanted;
	// nil if nothing is missing. Concurrent calls are safe and get one document.
	whole func() (*Document, error)
}

// A relation is one entry of a relationship property, in document order.
type relation struct {
	rel    Relationship
	method *VerificationMethod
}

// NewDocument returns a document of the DID id with the methods, in their order,
// and the services. Methods must be methods of id, and neither two methods nor
// two services may have one id; a service's ID may be a fragment with its number
// sign. The error matches [ErrInvalid].
func NewDocument(id DID, methods []*VerificationMethod, services []Service) (*Document, error) {
	if id.IsZero() {
		return nil, fmt.Errorf("%w: a document needs a DID", ErrInvalid)
	}
	d := &Document{id: id, methods: make([]*VerificationMethod, 0, len(methods))}
	for _, m := range methods {
		if m == nil || m.key == nil || m.ID.DID != id || m.Controller != id {
			return nil, fmt.Errorf("%w: verification method of another DID", ErrInvalid)
		}
		own := *m
		if err := d.addMethod(&own); err != nil {
			return nil, err
		}
	}
	for _, rel := range allRelationships() {
		for _, m := range d.methods {
			if slices.Contains(m.relationships, rel) {
				d.relations = append(d.relations, relation{rel, m})
			}
		}
	}
	for _, s := range services {
		if s.Type == "" || s.Endpoint == "" || s.Priority < 0 {
			return nil, fmt.Errorf("%w: service without type or endpoint, or with a negative priority", ErrInvalid)
		}
		if slices.Contains(s.Accept, "") || slices.Contains(s.RecipientKeys, "") || slices.Contains(s.RoutingKeys, "") {
			return nil, fmt.Errorf("%w: service with an empty profile or key", ErrInvalid)
		}
		s = s.clone()
		s.ID = absolute(id, s.ID)
		absoluteAll(id, s.RecipientKeys)
		absoluteAll(id, s.RoutingKeys)
		if err := d.addServices(s); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Document) addMethod(m *VerificationMethod) error {
	if len(d.methods) == maxMethods {
		return fmt.Errorf("%w: more than %d verification methods", ErrInvalid, maxMethods)
	}
	if d.find(m.ID) != nil {
		return fmt.Errorf("%w: two verification methods have one id", ErrInvalid)
	}
	d.methods = append(d.methods, m)
	return nil
}

// addServices adds what one service of the document stands for.
func (d *Document) addServices(list ...Service) error {
	if len(d.services)+len(list) > maxServices {
		return fmt.Errorf("%w: more than %d services", ErrInvalid, maxServices)
	}
	id := list[0].ID
	if id != "" && slices.ContainsFunc(d.services, func(s Service) bool { return s.ID == id }) {
		return fmt.Errorf("%w: two services have one id", ErrInvalid)
	}
	d.services = append(d.services, list...)
	return nil
}

func (d *Document) find(id URL) *VerificationMethod {
	for _, m := range d.methods {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// ID returns the DID that the document describes (DID Core section 5.1.1).
func (d *Document) ID() DID { return d.id }

// AlsoKnownAs returns the other identifiers that the document claims for its
// subject (CID section 2.1.3). It is a claim: only the other document can
// confirm it.
func (d *Document) AlsoKnownAs() []string { return slices.Clone(d.alsoKnownAs) }

// Method returns the verification method vm if the document authorises it for
// rel (CID section 3.3, steps 7 to 11) at the time of use, which is now for a
// proof that just came. It is the way to a key: there is none that ignores the
// relationship or the end of a key.
//
// A key of the document without that relationship, a key of another DID, a key
// that names another controller, and one that has expired or is revoked are
// [ErrNotAuthorised]; a key that is not in the document is [ErrNotFound]; a key of
// a type this module does not know is [ErrUnsupported]; the zero time is
// [ErrInvalid]. What is returned is the caller's copy.
func (d *Document) Method(vm URL, rel Relationship, at time.Time) (*VerificationMethod, error) {
	return d.MethodUsed(vm, rel, at, at)
}

// MethodUsed is [Document.Method] for a key that was used at one time, such as
// the created time of a credential's proof, and is looked at now: what an issuer
// signed before it changed keys must not end with the old key.
//
// A key whose Expires is not after used is [ErrNotAuthorised]: its turn was over.
// So is one whose Revoked is not after now, whatever used says, because whoever
// has a stolen key writes any date with it. A proof that does not say when it was
// made, and one that answers a question just asked, was used now.
func (d *Document) MethodUsed(vm URL, rel Relationship, used, now time.Time) (*VerificationMethod, error) {
	m, err := d.authorised(vm, rel)
	if err != nil {
		return nil, err
	}
	return m.offered(d.id, used, now)
}

// MethodJWK returns the publicKeyJwk of a verification method whose key is of a type
// that [Document.Method] does not know, for who knows it: with the rules and errors of
// that method, and [ErrUnsupported] if the key is known, or in another form. Nothing of
// the JWK is checked but that it holds no private key.
func (d *Document) MethodJWK(vm URL, rel Relationship, at time.Time) ([]byte, error) {
	m, err := d.authorised(vm, rel)
	if err != nil {
		return nil, err
	}
	if err := m.usable(d.id, at, at); err != nil {
		return nil, err
	}
	if m.jwk == nil {
		return nil, fmt.Errorf("%w: verification method", ErrUnsupported)
	}
	data, err := strictjson.Append(nil, m.jwk)
	if err != nil {
		return nil, fmt.Errorf("did: writing a JWK: %w", err)
	}
	return data, nil
}

// authorised returns the method vm of the document if it has the relationship.
func (d *Document) authorised(vm URL, rel Relationship) (*VerificationMethod, error) {
	if vm.DID != d.id {
		return nil, fmt.Errorf("%w: it belongs to another DID", ErrNotAuthorised)
	}
	m := d.find(vm)
	if m == nil && d.whole != nil {
		whole, err := d.whole()
		if err != nil {
			return nil, err
		}
		return whole.authorised(vm, rel)
	}
	if m == nil {
		return nil, fmt.Errorf("%w: no such verification method in the document", ErrNotFound)
	}
	if !slices.Contains(d.relations, relation{rel, m}) {
		return nil, fmt.Errorf("%w: it lacks the relationship", ErrNotAuthorised)
	}
	return m, nil
}

// Methods returns the verification methods that [Document.Method] would return
// for rel at that time, in the order of the document.
func (d *Document) Methods(rel Relationship, at time.Time) []*VerificationMethod {
	if rel == KeyAgreement && d.whole != nil {
		whole, err := d.whole()
		if err != nil {
			return nil
		}
		return whole.Methods(rel, at)
	}
	var list []*VerificationMethod
	for _, r := range d.relations {
		if r.rel != rel {
			continue
		}
		if m, err := r.method.offered(d.id, at, at); err == nil {
			list = append(list, m)
		}
	}
	return list
}

// Services returns the services of the type, or all of them for the type "",
// the lowest Priority first and otherwise in the order of the document.
func (d *Document) Services(typ string) []Service {
	var list []Service
	for _, s := range d.services {
		if typ == "" || s.Type == typ {
			list = append(list, s.clone())
		}
	}
	slices.SortStableFunc(list, func(a, b Service) int { return cmp.Compare(a.Priority, b.Priority) })
	return list
}

// MarshalJSON returns the document as JSON (DID Core section 6.2): what it was
// parsed from with all its members in their order, or, for a document made by
// [NewDocument], a new one with the context https://www.w3.org/ns/did/v1.1.
func (d *Document) MarshalJSON() ([]byte, error) {
	if d.whole != nil {
		whole, err := d.whole()
		if err != nil {
			return nil, err
		}
		return whole.MarshalJSON()
	}
	tree := d.tree
	if tree == nil {
		var err error
		if tree, err = d.newTree(); err != nil {
			return nil, err
		}
	}
	data, err := strictjson.Append(nil, tree)
	if err != nil {
		return nil, fmt.Errorf("did: writing a document: %w", err)
	}
	return data, nil
}

func (d *Document) newTree() (*strictjson.Object, error) {
	tree := strictjson.NewObject(
		strictjson.Member{Name: "@context", Value: []any{"https://www.w3.org/ns/did/v1.1"}},
		strictjson.Member{Name: "id", Value: d.id.s},
	)
	var methods []any
	for _, m := range d.methods {
		multikey, err := encodeMultikey(m.key)
		if err != nil {
			return nil, err
		}
		entry := strictjson.NewObject(
			strictjson.Member{Name: "id", Value: m.ID.String()},
			strictjson.Member{Name: "type", Value: "Multikey"},
			strictjson.Member{Name: "controller", Value: m.Controller.s},
			strictjson.Member{Name: "publicKeyMultibase", Value: multikey},
		)
		if !m.Expires.IsZero() {
			entry.Set("expires", xsd.Format(m.Expires))
		}
		if !m.Revoked.IsZero() {
			entry.Set("revoked", xsd.Format(m.Revoked))
		}
		methods = append(methods, entry)
	}
	if methods != nil {
		tree.Set("verificationMethod", methods)
	}
	for _, rel := range allRelationships() {
		var ids []any
		for _, r := range d.relations {
			if r.rel == rel {
				ids = append(ids, r.method.ID.String())
			}
		}
		if ids != nil {
			tree.Set(string(rel), ids)
		}
	}
	var services []any
	for i := range d.services {
		services = append(services, d.services[i].tree())
	}
	if services != nil {
		tree.Set("service", services)
	}
	return tree, nil
}
