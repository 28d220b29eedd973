package vc

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

// A Credential is an unsecured credential (section 4.2).
//
//	{"@context": Context, "id": ID, "type": Type, "issuer": Issuer,
//	 "validFrom": ValidFrom, "validUntil": ValidUntil,
//	 "credentialStatus": Status, "credentialSchema": Schema, "relatedResource": Related,
//	 "credentialSubject": Subject, ...Other}
//
// Reading and writing one loses no information; the order of members and the
// spelling of times may change, which is why proofs are never checked over a
// Credential but over the bytes received.
type Credential struct {
	Context    []Context // the first is ContextV2 or, in a document of data model 1.1, ContextV1
	ID         string    // a URL, or empty
	Type       []string  // TypeCredential is one of them
	Issuer     Party
	ValidFrom  time.Time // zero if absent
	ValidUntil time.Time // zero if absent
	Status     []Status
	Schema     []SchemaRef
	Related    []RelatedResource

	// Subject is an object or an array of objects: the claims (section 4.8).
	Subject json.RawMessage

	// Other holds every other member, such as name, evidence or a proof.
	Other map[string]json.RawMessage
}

// Parse parses a credential document and checks the rules of the data model that
// need no knowledge of its contexts. It verifies nothing: a proof is an
// unread member of Other. The error is an [*Error].
func Parse(doc []byte) (*Credential, error) {
	o, err := parseObject(doc)
	if err != nil {
		return nil, err
	}
	return ParseObject(o)
}

// CheckObject is [ParseObject] without the members that are kept as JSON: it makes
// every check, but Status, Schema, Subject and Other are left out.
func CheckObject(doc *strictjson.Object) (*Credential, error) { return readCredential(doc) }

// ParseObject is [Parse] for the packages of this module, which parse a document
// once and pass on the tree. The result does not refer to doc.
func ParseObject(doc *strictjson.Object) (*Credential, error) {
	c, err := CheckObject(doc)
	if err != nil {
		return nil, err
	}
	if c.Status, err = StatusOf(doc); err != nil {
		return nil, err
	}
	if c.Schema, err = schemaOf(doc); err != nil {
		return nil, err
	}
	names, _ := period(isV1(c.Context))
	known := []string{"@context", "id", "type", "issuer", names[0], names[1],
		"credentialStatus", "credentialSchema", "credentialSubject"}
	if !isV1(c.Context) {
		if c.Related, err = relatedOf(doc); err != nil {
			return nil, err
		}
		known = append(known, "relatedResource")
	}
	subject, _ := doc.Get("credentialSubject")
	if c.Subject, err = strictjson.Append(nil, subject); err != nil {
		return nil, syntax("/credentialSubject", err)
	}
	if c.Other, err = otherOf(doc, known...); err != nil {
		return nil, err
	}
	return c, nil
}

// Object returns the credential as a tree, for the packages of this module that
// secure it. Like [Parse] it refuses a credential that breaks a rule of the data
// model, so that none is signed.
func (c *Credential) Object() (*strictjson.Object, error) {
	o := strictjson.NewObject()
	o.Grow(10 + len(c.Other)) // those below and a proof
	context, err := contextValue(c.Context)
	if err != nil {
		return nil, err
	}
	o.Set("@context", context)
	if c.ID != "" {
		o.Set("id", c.ID)
	}
	o.Set("type", stringValues(c.Type))
	issuer, err := c.Issuer.value("/issuer")
	if err != nil {
		return nil, err
	}
	o.Set("issuer", issuer)
	names, _ := period(isV1(c.Context))
	if !c.ValidFrom.IsZero() {
		o.Set(names[0], xsd.Format(c.ValidFrom))
	}
	if !c.ValidUntil.IsZero() {
		o.Set(names[1], xsd.Format(c.ValidUntil))
	}
	if err := c.setEntries(o); err != nil {
		return nil, err
	}
	subject, err := parseRaw("/credentialSubject", c.Subject)
	if err != nil {
		return nil, err
	}
	o.Set("credentialSubject", subject)
	if err := addOther(o, "", c.Other); err != nil {
		return nil, err
	}
	if _, err := readCredential(o); err != nil {
		return nil, err
	}
	return o, nil
}

func (c *Credential) setEntries(o *strictjson.Object) error {
	set := func(name string, n int, value func(i int, at Pointer) (any, error)) error {
		if n == 0 {
			return nil
		}
		values := make([]any, n)
		for i := range values {
			v, err := value(i, Pointer("/"+name).Index(i))
			if err != nil {
				return err
			}
			values[i] = v
		}
		o.Set(name, oneOrMany(values))
		return nil
	}
	if err := set("credentialStatus", len(c.Status), func(i int, at Pointer) (any, error) {
		return entryValue(at, c.Status[i].ID, c.Status[i].Type, c.Status[i].Other)
	}); err != nil {
		return err
	}
	if err := set("credentialSchema", len(c.Schema), func(i int, at Pointer) (any, error) {
		return entryValue(at, c.Schema[i].ID, c.Schema[i].Type, c.Schema[i].Other)
	}); err != nil {
		return err
	}
	return set("relatedResource", len(c.Related), func(i int, at Pointer) (any, error) {
		return c.Related[i].value(at)
	})
}

// MarshalJSON writes the credential as JSON. It refuses what [Parse] refuses.
func (c Credential) MarshalJSON() ([]byte, error) {
	o, err := c.Object()
	if err != nil {
		return nil, err
	}
	return strictjson.Append(nil, o)
}

// UnmarshalJSON is [Parse].
func (c *Credential) UnmarshalJSON(doc []byte) error {
	parsed, err := Parse(doc)
	if err != nil {
		return err
	}
	*c = *parsed
	return nil
}

// String tells only the types, so that printing shows no claim.
func (c Credential) String() string { return fmt.Sprintf("vc.Credential%v", c.Type) }

// GoString is the same as String.
func (c Credential) GoString() string { return c.String() }

// LogValue is the same as String.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// StatusOf reads, for the packages of this module, the credentialStatus of a document
// that [CheckObject] found well-formed.
func StatusOf(doc *strictjson.Object) ([]Status, error) {
	entries := objectsOf(doc, "credentialStatus")
	if entries == nil {
		return nil, nil
	}
	out := make([]Status, len(entries))
	for i, e := range entries {
		other, err := otherOf(e, "id", "type")
		if err != nil {
			return nil, err
		}
		id, _ := e.Text("id")
		out[i] = Status{id, stringsOf(e, "type"), other}
	}
	return out, nil
}

// schemaOf is [StatusOf] for credentialSchema.
func schemaOf(doc *strictjson.Object) ([]SchemaRef, error) {
	entries := objectsOf(doc, "credentialSchema")
	if entries == nil {
		return nil, nil
	}
	out := make([]SchemaRef, len(entries))
	for i, e := range entries {
		other, err := otherOf(e, "id", "type")
		if err != nil {
			return nil, err
		}
		id, _ := e.Text("id")
		out[i] = SchemaRef{id, stringsOf(e, "type"), other}
	}
	return out, nil
}
