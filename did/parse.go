package did

import (
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// ParseDocument parses a DID document in JSON (DID Core section 6.2.2) of at
// most 256 KiB. The error matches [ErrInvalid].
//
// Besides Multikey and JsonWebKey it reads the older types JsonWebKey2020,
// Ed25519VerificationKey2018 and 2020, X25519KeyAgreementKey2019 and 2020,
// EcdsaSecp256r1VerificationKey2019, P256Key2021 and P384Key2021. A method of
// another type, or with a key of another kind, is kept and [Document.Method]
// answers [ErrUnsupported] for it; a key that breaks a rule makes the whole
// document invalid, and so do duplicate member names, two methods or two services
// with one id, and private keys anywhere. References within the document may be relative
// (DID Core section 3.2.1). References to keys that the document does not contain
// authorise nothing. Members that this package does not know are kept for
// [Document.MarshalJSON].
func ParseDocument(data []byte) (*Document, error) {
	tree, err := strictjson.Parser{MaxBytes: maxDocument}.ParseObject(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, errtext.Below(err))
	}
	if err := checkPrivate(tree); err != nil {
		return nil, err
	}
	d := &Document{tree: tree}
	for _, read := range []func() error{d.readID, d.readControllers, d.readAlsoKnownAs, d.readMethods, d.readRelationships, d.readServices} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// readID reads the subject (DID Core section 5.1.1).
func (d *Document) readID() error {
	text, ok := stringMember(d.tree, "id")
	if !ok {
		return fmt.Errorf("%w: document without id", ErrInvalid)
	}
	var err error
	d.id, err = Parse(text)
	return err
}

// readControllers checks the form of the document's controllers (DID Core
// section 5.1.2). Who may change a document is the business of its method.
func (d *Document) readControllers() error {
	v, present := d.tree.Get("controller")
	if !present {
		return nil
	}
	list, ok := oneOrMoreStrings(v)
	if !ok {
		return fmt.Errorf("%w: controller of the document", ErrInvalid)
	}
	for _, text := range list {
		if _, err := Parse(text); err != nil {
			return err
		}
	}
	return nil
}

// readAlsoKnownAs reads the other identifiers (CID section 2.1.3).
func (d *Document) readAlsoKnownAs() error {
	v, present := d.tree.Get("alsoKnownAs")
	if !present {
		return nil
	}
	var ok bool
	if d.alsoKnownAs, ok = stringList(v); !ok {
		return fmt.Errorf("%w: alsoKnownAs is not a list of texts", ErrInvalid)
	}
	return nil
}

// readMethods reads the methods of the list verificationMethod and those that
// relationships embed (CID section 2.2.4).
func (d *Document) readMethods() error {
	list, err := d.list("verificationMethod", maxMethods)
	if err != nil {
		return err
	}
	for _, v := range list {
		if _, ok := v.(*strictjson.Object); !ok {
			return fmt.Errorf("%w: verification method is not a map", ErrInvalid)
		}
		if _, err := d.readMethod(v); err != nil {
			return err
		}
	}
	return nil
}

func (d *Document) readMethod(v any) (*VerificationMethod, error) {
	m, err := parseMethod(d.id, v.(*strictjson.Object))
	if err != nil {
		return nil, err
	}
	return m, d.addMethod(m)
}

// readRelationships reads the five relationships (CID section 2.3). An embedded
// method is authorised for the relationship that embeds it and, unless another
// one refers to it, for nothing else.
func (d *Document) readRelationships() error {
	type reference struct {
		at int // index into relations
		id URL
	}
	var references []reference
	for _, rel := range allRelationships() {
		list, err := d.list(string(rel), maxRelations)
		if err != nil {
			return err
		}
		for _, v := range list {
			var m *VerificationMethod
			switch v := v.(type) {
			case *strictjson.Object:
				if m, err = d.readMethod(v); err != nil {
					return err
				}
			case string:
				id, err := parseReference(d.id, v)
				if err != nil {
					return err
				}
				references = append(references, reference{len(d.relations), id})
			default:
				return fmt.Errorf("%w: entry of a relationship is neither a map nor a reference", ErrInvalid)
			}
			d.relations = append(d.relations, relation{rel, m})
		}
	}
	// References last: they may name a method that is embedded further down.
	for _, ref := range references {
		d.relations[ref.at].method = d.find(ref.id)
	}
	d.relations = slices.DeleteFunc(d.relations, func(r relation) bool { return r.method == nil })
	for i, r := range d.relations {
		if slices.Contains(d.relations[:i], r) {
			return fmt.Errorf("%w: one relationship names a method twice", ErrInvalid)
		}
		r.method.relationships = append(r.method.relationships, r.rel)
	}
	return nil
}

// readServices reads the services (CID section 2.1.4).
func (d *Document) readServices() error {
	list, err := d.list("service", maxServices)
	if err != nil {
		return err
	}
	for _, v := range list {
		o, ok := v.(*strictjson.Object)
		if !ok {
			return fmt.Errorf("%w: service is not a map", ErrInvalid)
		}
		services, err := parseServices(d.id, o)
		if err != nil {
			return err
		}
		if err := d.addServices(services...); err != nil {
			return err
		}
	}
	return nil
}

// list returns a member that is a list of at most limit values, or nothing.
func (d *Document) list(name string, limit int) ([]any, error) {
	v, present := d.tree.Get(name)
	if !present {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%w: %s is not a list", ErrInvalid, name)
	}
	if len(list) > limit {
		return nil, fmt.Errorf("%w: %s has more than %d entries", ErrInvalid, name, limit)
	}
	return list, nil
}
