package dataintegrity

import (
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/diproof"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

// A Proof is a Data Integrity proof without its value (VC Data Integrity 1.0,
// section 2.1).
//
//	{"type": "DataIntegrityProof", "cryptosuite": Suite, "created": Created,
//	 "verificationMethod": VerificationMethod, "proofPurpose": Purpose,
//	 "expires": Expires, "domain": Domain, "challenge": Challenge}
type Proof struct {
	Suite              string // to prove, empty or the name of the suite that does
	VerificationMethod did.URL
	Purpose            did.Relationship
	Created, Expires   time.Time // zero if absent
	Domain             []string  // for whom the proof was made, such as a verifier's DID
	Challenge          string    // the verifier's nonce
}

// SplitProof takes the one proof out of a secured document, for the packages of
// this module: doc without proof, and the proof. A list with one proof counts as
// that proof. Errors match [ErrNoProof], [ErrProofSet] or [ErrProofMalformed].
func SplitProof(secured *strictjson.Object) (doc, proof *strictjson.Object, err error) {
	v, _ := secured.Get("proof")
	if list, ok := v.([]any); ok {
		switch len(list) {
		case 0:
			v = nil
		case 1:
			v = list[0]
		default:
			return nil, nil, ErrProofSet
		}
	}
	if v == nil {
		return nil, nil, ErrNoProof
	}
	proof, ok := v.(*strictjson.Object)
	if !ok {
		return nil, nil, fmt.Errorf("%w: must be an object", ErrProofMalformed)
	}
	if proof.Len() == 0 {
		return nil, nil, ErrNoProof
	}
	doc = secured.Clone()
	doc.Delete("proof")
	return doc, proof, nil
}

// ParseProof reads a proof, for the packages of this module. Members it does not
// know are signed like all others and otherwise without effect. Errors match
// [ErrProofMalformed], [ErrSuite] or [ErrProofSet].
func ParseProof(o *strictjson.Object) (*Proof, error) {
	if typ, _ := o.Text("type"); typ != diproof.Type {
		return nil, fmt.Errorf("%w: type", ErrSuite)
	}
	if _, chained := o.Get("previousProof"); chained {
		return nil, ErrProofSet
	}
	p := new(Proof)
	var ok bool
	if p.Suite, ok = o.Text("cryptosuite"); !ok {
		return nil, missing("cryptosuite")
	}
	vm, ok := o.Text("verificationMethod")
	if !ok {
		return nil, missing("verificationMethod")
	}
	var err error
	if p.VerificationMethod, err = did.ParseURL(vm); err != nil || p.VerificationMethod.Fragment == "" {
		return nil, fmt.Errorf("%w: verificationMethod must be a DID URL with a fragment", ErrProofMalformed)
	}
	purpose, ok := o.Text("proofPurpose")
	if !ok {
		return nil, missing("proofPurpose")
	}
	p.Purpose = did.Relationship(purpose)
	if p.Created, err = readTime(o, "created"); err != nil {
		return nil, err
	}
	if p.Expires, err = readTime(o, "expires"); err != nil {
		return nil, err
	}
	if p.Domain, ok = readDomain(o); !ok {
		return nil, fmt.Errorf("%w: domain must be one or more strings", ErrProofMalformed)
	}
	if v, present := o.Get("challenge"); present {
		if p.Challenge, ok = v.(string); !ok {
			return nil, fmt.Errorf("%w: challenge must be a string", ErrProofMalformed)
		}
	}
	if _, ok := o.Text("proofValue"); !ok {
		return nil, missing("proofValue")
	}
	return p, nil
}

// options returns the proof as the object that is signed, in the order in which
// the specification writes it.
func (p *Proof) options(suite string) *strictjson.Object {
	o := strictjson.NewObject(
		strictjson.Member{Name: "type", Value: diproof.Type},
		strictjson.Member{Name: "cryptosuite", Value: suite},
	)
	if !p.Created.IsZero() {
		o.Set("created", xsd.Format(p.Created))
	}
	o.Set("verificationMethod", p.VerificationMethod.String())
	o.Set("proofPurpose", string(p.Purpose))
	if !p.Expires.IsZero() {
		o.Set("expires", xsd.Format(p.Expires))
	}
	switch len(p.Domain) {
	case 0:
	case 1:
		o.Set("domain", p.Domain[0])
	default:
		domains := make([]any, len(p.Domain))
		for i, d := range p.Domain {
			domains[i] = d
		}
		o.Set("domain", domains)
	}
	if p.Challenge != "" {
		o.Set("challenge", p.Challenge)
	}
	return o
}

func missing(name string) error {
	return fmt.Errorf("%w: %s must be a string", ErrProofMalformed, name)
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

func readDomain(o *strictjson.Object) ([]string, bool) {
	v, present := o.Get("domain")
	if !present {
		return nil, true
	}
	if s, ok := v.(string); ok {
		return []string{s}, true
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, false
	}
	out := make([]string, len(list))
	for i := range list {
		if out[i], ok = list[i].(string); !ok {
			return nil, false
		}
	}
	return out, true
}
