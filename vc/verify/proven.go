package verify

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// proven is what credentials and presentations have in common while they are
// examined: a document with one proof.
type proven struct {
	v   *Verifier
	now time.Time
	log *log

	secured  *strictjson.Object // as received
	received *strictjson.Object // as received, without proof
	signed   *strictjson.Object // what the proof covers; nil until the signature is found genuine

	proofObject *strictjson.Object
	proof       *dataintegrity.Proof
	suite       dataintegrity.Suite
	key         *did.VerificationMethod
}

// A step is one check. It sees what the steps before it found.
type step struct {
	check Check
	run   func() *finding
}

// until runs steps up to the first that does not pass, and reports whether all
// did.
func (p *proven) until(steps []step) bool {
	for _, s := range steps {
		if !p.log.record(s.check, s.run()) {
			return false
		}
	}
	return true
}

// open parses received bytes.
func (p *proven) open(s vc.Secured, mediaType string) *finding {
	o, f := parse(s, mediaType)
	if f != nil {
		return f
	}
	return p.unwrap(o, mediaType)
}

// unwrap takes a document out of an envelope that holds nothing but it (VC Data
// Model 2.0, section 4.13), or takes it as it is. An envelope in an envelope is
// no document.
func (p *proven) unwrap(o *strictjson.Object, mediaType string) *finding {
	inner, enveloped, err := vc.UnwrapObject(o)
	if err != nil {
		return unreadable(err)
	}
	if !enveloped {
		p.secured = o
		return nil
	}
	var f *finding
	p.secured, f = parse(inner, mediaType)
	return f
}

func parse(s vc.Secured, mediaType string) (*strictjson.Object, *finding) {
	if s.MediaType != mediaType {
		return nil, wrong(ErrMediaType, nil)
	}
	o, err := strictjson.ParseObject(s.Bytes)
	if err != nil {
		return nil, unreadable(err)
	}
	return o, nil
}

// splitProof sets received and remembers for [proven.checkProof] what is wrong
// with the proof, if anything: the document is looked at first.
func (p *proven) splitProof() (later *finding) {
	var err error
	p.received, p.proofObject, err = dataintegrity.SplitProof(p.secured)
	if err == nil {
		return nil
	}
	p.received = p.secured.Clone()
	p.received.Delete("proof")
	return proofFinding(err)
}

// checkProof is VC Data Integrity 1.0, section 4.4, steps 3 to 5.
func (p *proven) checkProof(purpose did.Relationship) *finding {
	var err error
	if p.proof, err = dataintegrity.ParseProof(p.proofObject); err != nil {
		return proofFinding(err)
	}
	known := suites()
	i := slices.IndexFunc(known, func(s dataintegrity.Suite) bool { return s.Name() == p.proof.Suite })
	if i < 0 {
		return wrong(ErrSuite, nil)
	}
	p.suite = known[i]
	if p.proof.Purpose != purpose {
		return wrong(ErrPurpose, nil)
	}
	return nil
}

// checkKey finds the key and sees that its document authorises it (VC Data
// Integrity 1.0, section 5.10; Controlled Identifiers 1.0, section 3.3).
func (p *proven) checkKey(ctx context.Context, purpose did.Relationship) *finding {
	vm := p.proof.VerificationMethod
	res, err := p.v.Resolver.Resolve(ctx, vm.DID, did.Version{})
	if err != nil {
		return outside(err, ErrKeyNotFound, did.ErrNotFound, did.ErrInvalid, did.ErrUnsupported)
	}
	if res == nil || res.Document == nil {
		return wrong(ErrUnavailable, nil)
	}
	if res.Document.ID() != vm.DID {
		return wrong(ErrKeyNotFound, did.ErrInvalid)
	}
	if res.Deactivated {
		return wrong(ErrKeyNotAuthorised, nil)
	}
	if p.key, err = res.Document.Method(vm, purpose, p.now); err != nil {
		if errors.Is(err, did.ErrNotAuthorised) {
			return wrong(ErrKeyNotAuthorised, err)
		}
		return wrong(ErrKeyNotFound, err)
	}
	return nil
}

// checkSignature is VC Data Integrity 1.0, section 4.4, step 8.
func (p *proven) checkSignature() *finding {
	signed, err := p.suite.Verify(p.received, p.proofObject, p.key)
	if err != nil {
		return proofFinding(err)
	}
	p.signed = signed
	return nil
}

// checkProofTime is VC Data Integrity 1.0, section 2.6: now is between created
// and expires.
func (p *proven) checkProofTime() *finding {
	if p.proof.Created.After(p.now.Add(skew)) {
		return wrong(ErrProofNotYetValid, nil)
	}
	if end := p.proof.Expires; !end.IsZero() && p.now.After(end) {
		return wrong(ErrProofExpired, nil)
	}
	return nil
}

// unreadable says why a document could not be read.
func unreadable(err error) *finding {
	switch {
	case errors.Is(err, strictjson.ErrTooLarge):
		return wrong(ErrTooLarge, err)
	case errors.Is(err, strictjson.ErrTooDeep):
		return wrong(ErrTooDeep, err)
	case errors.Is(err, vc.ErrNoZone):
		return wrong(ErrNoTimeZone, err)
	case errors.Is(err, vc.ErrMalformed):
		return wrong(ErrMalformed, err)
	default:
		return wrong(ErrSyntax, err)
	}
}

// proofFinding says what is wrong with a proof.
func proofFinding(err error) *finding {
	for _, c := range []struct {
		err  error
		code Code
	}{
		{xsd.ErrNoZone, ErrNoTimeZone},
		{dataintegrity.ErrNoProof, ErrNoProof},
		{dataintegrity.ErrProofSet, ErrProofSet},
		{dataintegrity.ErrSuite, ErrSuite},
		{dataintegrity.ErrKey, ErrSuite},
		{dataintegrity.ErrContextNotAllowed, ErrContextNotAllowed},
		{dataintegrity.ErrSignature, ErrProof},
	} {
		if errors.Is(err, c.err) {
			return wrong(c.code, err)
		}
	}
	return wrong(ErrProofMalformed, err)
}
