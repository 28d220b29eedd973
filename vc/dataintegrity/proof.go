package dataintegrity

import (
	"fmt"
	"net/url"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/diproof"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
	"github.com/staffpassport/staffpassport/vc"
)

// A Proof is a Data Integrity proof without its value, or the options for making
// one (VC Data Integrity 1.0, section 2.1).
//
//	{"type": "DataIntegrityProof", "id": ID, "cryptosuite": Suite, "created": Created,
//	 "verificationMethod": VerificationMethod, "proofPurpose": Purpose,
//	 "expires": Expires, "domain": Domain, "challenge": Challenge, "nonce": Nonce,
//	 "previousProof": Previous}
//
// The proofs that were made before there were suites with names have the name in
// type and no cryptosuite.
type Proof struct {
	ID                 string // a URL by which a later proof refers to this one, or empty
	Suite              string // to prove, empty or the name of the suite that does
	VerificationMethod did.URL
	Purpose            did.Relationship
	Created, Expires   time.Time // zero if absent
	Domain             []string  // for whom the proof was made, such as a verifier's DID
	Challenge          string    // the verifier's nonce
	Nonce              string    // of the prover's choice
	Previous           []string  // the IDs of the proofs that this one covers too
}

// The proof types with a name of their own. They are read here and verified by
// none but the suites of vc/dataintegrity/legacy.
const (
	ed25519Signature2018 = "Ed25519Signature2018"
	ed25519Signature2020 = "Ed25519Signature2020"
)

// ofItsOwnType reports whether a suite is named by the type of its proofs.
func ofItsOwnType(suite string) bool {
	return suite == ed25519Signature2018 || suite == ed25519Signature2020
}

// ParseProof reads a proof, for the packages of this module. Members it does not
// know are signed like all others and otherwise without effect. Suite is the name
// of a suite; whether that is one the caller accepts is the caller's to decide.
// Errors match [ErrProofMalformed], [ErrSuite] or [ErrContextNotAllowed].
func ParseProof(o *strictjson.Object) (*Proof, error) {
	p := new(Proof)
	var ok bool
	value := "proofValue"
	switch typ, _ := o.Text("type"); {
	case typ == diproof.Type:
		if p.Suite, ok = o.Text("cryptosuite"); !ok {
			return nil, missing("cryptosuite")
		}
		if ofItsOwnType(p.Suite) {
			return nil, fmt.Errorf("%w: the name of a type as cryptosuite", ErrSuite)
		}
	case ofItsOwnType(typ):
		p.Suite = typ
		if _, present := o.Get("cryptosuite"); present {
			return nil, fmt.Errorf("%w: cryptosuite in a proof of this type", ErrSuite)
		}
		if typ == ed25519Signature2018 {
			value = "jws"
		}
	default:
		return nil, fmt.Errorf("%w: type", ErrSuite)
	}
	if _, ok := o.Text(value); !ok {
		return nil, missing(value)
	}
	if vc.NestedContext(o, "") {
		return nil, fmt.Errorf("%w: inside a proof", ErrContextNotAllowed)
	}
	if err := p.readKey(o); err != nil {
		return nil, err
	}
	if err := p.readOptions(o); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Proof) readKey(o *strictjson.Object) error {
	vm, ok := o.Text("verificationMethod")
	if !ok {
		return missing("verificationMethod")
	}
	var err error
	if p.VerificationMethod, err = did.ParseURL(vm); err != nil || p.VerificationMethod.Fragment == "" {
		return fmt.Errorf("%w: verificationMethod must be a DID URL with a fragment", ErrProofMalformed)
	}
	purpose, ok := o.Text("proofPurpose")
	if !ok {
		return missing("proofPurpose")
	}
	p.Purpose = did.Relationship(purpose)
	return nil
}

func (p *Proof) readOptions(o *strictjson.Object) (err error) {
	if p.ID, err = readID(o); err != nil {
		return err
	}
	if p.Created, err = readTime(o, "created"); err != nil {
		return err
	}
	if p.Expires, err = readTime(o, "expires"); err != nil {
		return err
	}
	if p.Domain, err = readTexts(o, "domain"); err != nil {
		return err
	}
	if p.Previous, err = readTexts(o, "previousProof"); err != nil {
		return err
	}
	if p.Challenge, err = readText(o, "challenge"); err != nil {
		return err
	}
	p.Nonce, err = readText(o, "nonce")
	return err
}

// Options returns, for the suites of this module, the proof as the object that is
// signed by the suite of that name, in the order in which the specification
// writes it.
func (p *Proof) Options(suite string) *strictjson.Object {
	o := strictjson.NewObject()
	o.Grow(8) // with @context and proofValue an ordinary one is complete
	if ofItsOwnType(suite) {
		o.Set("type", suite)
	} else {
		o.Set("type", diproof.Type)
	}
	setText(o, "id", p.ID)
	if !ofItsOwnType(suite) {
		o.Set("cryptosuite", suite)
	}
	setTime(o, "created", p.Created)
	o.Set("verificationMethod", p.VerificationMethod.String())
	o.Set("proofPurpose", string(p.Purpose))
	setTime(o, "expires", p.Expires)
	setTexts(o, "domain", p.Domain)
	setText(o, "challenge", p.Challenge)
	setText(o, "nonce", p.Nonce)
	setTexts(o, "previousProof", p.Previous)
	return o
}

func setText(o *strictjson.Object, name, text string) {
	if text != "" {
		o.Set(name, text)
	}
}

func setTime(o *strictjson.Object, name string, t time.Time) {
	if !t.IsZero() {
		o.Set(name, xsd.Format(t))
	}
}

// setTexts writes a set of one as its element.
func setTexts(o *strictjson.Object, name string, texts []string) {
	switch len(texts) {
	case 0:
	case 1:
		o.Set(name, texts[0])
	default:
		list := make([]any, len(texts))
		for i, t := range texts {
			list[i] = t
		}
		o.Set(name, list)
	}
}

func missing(name string) error {
	return fmt.Errorf("%w: %s must be a string", ErrProofMalformed, name)
}

// readText reads a string. An absent one is empty.
func readText(o *strictjson.Object, name string) (string, error) {
	v, present := o.Get(name)
	if !present {
		return "", nil
	}
	s, ok := v.(string)
	if !ok {
		return "", missing(name)
	}
	return s, nil
}

// readID reads the id of a proof, which must be a URL.
func readID(o *strictjson.Object) (string, error) {
	v, present := o.Get("id")
	if !present {
		return "", nil
	}
	id, ok := v.(string)
	if u, err := url.Parse(id); !ok || err != nil || !u.IsAbs() {
		return "", fmt.Errorf("%w: id must be a URL", ErrProofMalformed)
	}
	return id, nil
}

func readTime(o *strictjson.Object, name string) (time.Time, error) {
	v, present := o.Get(name)
	if !present {
		return time.Time{}, nil
	}
	s, _ := v.(string)
	t, err := xsd.ParseDateTimeStamp(s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %s: %w", ErrProofMalformed, name, errtext.Below(err))
	}
	return t, nil
}

// readTexts reads a string or a list of at least one. An absent one is nil.
func readTexts(o *strictjson.Object, name string) ([]string, error) {
	v, present := o.Get(name)
	if !present {
		return nil, nil
	}
	if s, ok := v.(string); ok {
		return []string{s}, nil
	}
	list, _ := v.([]any)
	out := make([]string, len(list))
	for i := range list {
		s, ok := list[i].(string)
		if !ok {
			list = nil
			break
		}
		out[i] = s
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: %s must be one or more strings", ErrProofMalformed, name)
	}
	return out, nil
}
