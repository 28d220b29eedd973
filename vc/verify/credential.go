package verify

import (
	"context"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// A Credential is a verified credential. Only a [Verifier] makes one: the methods
// of the zero Credential and of a nil one panic.
type Credential struct {
	signed *strictjson.Object
	issuer did.DID
	holder did.DID
	checks []Result
}

// Document returns the claims, read from the bytes that were signed, without
// their proof. Each call returns a new document, so that a changed one cannot be
// taken for the verified one.
func (c *Credential) Document() *vc.Credential {
	doc, err := vc.ParseObject(c.verified().signed)
	if err != nil {
		panic("verify: verified credential does not parse: " + err.Error()) // it did before
	}
	return doc
}

// Issuer returns the DID whose key signed. It is the issuer that the document
// names, unless the verifier's policy is UnsafeIssuerNotController.
func (c *Credential) Issuer() did.DID { return c.verified().issuer }

// Holder returns the DID that proved to be the subject of the credential. It is
// zero if the credential did not come in a presentation, or if the verifier's
// policy is UnsafeAnyHolder.
func (c *Credential) Holder() did.DID { return c.verified().holder }

// Checks returns every check in the order it was made.
func (c *Credential) Checks() []Result { return slices.Clone(c.verified().checks) }

// String tells only the issuer, so that printing shows no claim.
func (c *Credential) String() string { return "verify.Credential by " + c.verified().issuer.String() }

func (c *Credential) verified() *Credential {
	if c == nil || c.signed == nil {
		panic("verify: use of a Credential that no Verifier made")
	}
	return c
}

// credential examines one credential.
type credential struct {
	proven
	holder did.DID // of the presentation it came in, or zero
	doc    *vc.Credential
}

func credentialChecks(presented bool) []Check {
	checks := []Check{CheckFormat, CheckContext, CheckProof, CheckKey, CheckSignature, CheckTime}
	if presented {
		checks = append(checks, CheckHolder)
	}
	return append(checks, CheckIssuer, CheckStatus)
}

// run makes all checks; read is how the document is come by.
func (x *credential) run(ctx context.Context, read func() *finding) {
	var proofless *finding
	genuine := x.until([]step{
		{CheckFormat, func() *finding {
			if f := read(); f != nil {
				return f
			}
			proofless = x.splitProof()
			return x.parse()
		}},
		{CheckContext, func() *finding { return x.checkContext(x.received) }},
		{CheckProof, func() *finding {
			if proofless != nil {
				return proofless
			}
			return x.checkProof(did.AssertionMethod)
		}},
		{CheckKey, func() *finding { return x.checkIssuersKey(ctx) }},
		{CheckSignature, x.checkSigned},
	})
	if !genuine {
		return
	}
	x.log.record(CheckTime, x.checkTime())
	if !x.holder.IsZero() {
		x.recordHolder()
	}
	x.log.record(CheckIssuer, x.checkTrust(ctx))
	x.log.record(CheckStatus, x.checkStatus())
}

func (x *credential) parse() *finding {
	var err error
	if x.doc, err = vc.CheckObject(x.received); err != nil {
		return unreadable(err)
	}
	return nil
}

func (x *credential) checkContext(doc *strictjson.Object) *finding {
	if err := dataintegrity.CheckContext(doc, x.v.Contexts); err != nil {
		return wrong(ErrContextNotAllowed, err)
	}
	return nil
}

// checkIssuersKey sees that the key is the issuer's before it asks anybody for
// it, so that a credential cannot make the verifier resolve a stranger's DID.
func (x *credential) checkIssuersKey(ctx context.Context) *finding {
	if !x.v.speaksFor(x.proof.VerificationMethod.DID, x.doc.Issuer.ID) {
		return wrong(ErrControllerMismatch, nil)
	}
	return x.checkKey(ctx, did.AssertionMethod)
}

// checkSigned checks the signature. The signed document has the @context of the
// proof, which may be shorter than that received: it must be a good one too.
func (x *credential) checkSigned() *finding {
	if f := x.checkSignature(); f != nil {
		return f
	}
	if sameContextLength(x.received, x.signed) {
		return nil
	}
	if !dataintegrity.KnownContext(x.signed, x.v.Contexts) {
		return wrong(ErrContextNotAllowed, nil)
	}
	var err error
	if x.doc, err = vc.CheckObject(x.signed); err != nil {
		return unreadable(err)
	}
	return nil
}

// sameContextLength tells whether two documents, of which one's @context starts
// with the other's, have the same.
func sameContextLength(a, b *strictjson.Object) bool {
	v, _ := a.Get("@context")
	w, _ := b.Get("@context")
	x, ok := v.([]any)
	y, also := w.([]any)
	return ok && also && len(x) == len(y)
}

func (x *credential) checkTime() *finding {
	if f := x.checkProofTime(); f != nil {
		return f
	}
	if x.now.Before(x.doc.ValidFrom) {
		return wrong(ErrNotYetValid, nil)
	}
	if end := x.doc.ValidUntil; !end.IsZero() && x.now.After(end) {
		return wrong(ErrExpired, nil)
	}
	return nil
}

// recordHolder checks that the presenter is who the credential is about.
func (x *credential) recordHolder() {
	if x.v.Holder == UnsafeAnyHolder {
		x.log.leave(CheckHolder, "The verifier's policy lets anybody present this.")
		x.holder = did.DID{}
		return
	}
	x.log.record(CheckHolder, x.checkHolder())
}

func (x *credential) checkHolder() *finding {
	subject, _ := x.signed.Get("credentialSubject")
	list, ok := subject.([]any)
	if !ok {
		list = []any{subject}
	}
	for _, s := range list {
		o, _ := s.(*strictjson.Object)
		if id, _ := o.Text("id"); id != x.holder.String() {
			return wrong(ErrHolder, nil)
		}
	}
	return nil
}

func (x *credential) checkTrust(ctx context.Context) *finding {
	err := x.v.Trust.Trusted(ctx, x.proof.VerificationMethod.DID, slices.Clone(x.doc.Type), x.now)
	return outside(err, ErrUntrusted, ErrUntrusted)
}

// checkStatus leaves open what it cannot find out: a credential that could have
// been withdrawn is not one that has not been.
func (x *credential) checkStatus() *finding {
	if _, present := x.signed.Get("credentialStatus"); present {
		return wrong(ErrStatusUnsupported, nil)
	}
	return nil
}

func (x *credential) result(checks []Result) *Credential {
	return &Credential{
		signed: x.signed,
		issuer: x.proof.VerificationMethod.DID,
		holder: x.holder,
		checks: checks,
	}
}
