package verify

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
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
// their proof. Claims that were not disclosed are not there. Each call returns a new document, so that a changed one cannot be
// taken for the verified one.
func (c *Credential) Document() *vc.Credential {
	doc, err := vc.ParseObject(c.verified().signed)
	if err != nil {
		panic("verify: verified credential does not parse: " + err.Error()) // it did before
	}
	return doc
}

// Issuer returns the DID whose key signed, the first of several. It is the issuer
// that the document names, unless the verifier's policy is
// UnsafeIssuerNotController.
func (c *Credential) Issuer() did.DID { return c.verified().issuer }

// Holder returns the DID that proved to be the subject of the credential: that of
// the subject or, for a subject without a DID, the did:key of the key that the
// issuer bound the credential to. It is zero if the credential did not come in a
// presentation, and if the verifier's policy let it be shown by anybody.
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
	examination
	doc *vc.Credential

	want      *Session  // of the presentation it came in; nil if it came by itself
	presenter presenter // of that presentation
	budget    *int      // how many more signatures that presentation may have
	holder    did.DID   // who it is found to belong to
}

func credentialChecks(presented bool) []Check {
	checks := []Check{CheckFormat, CheckContext, CheckProof, CheckKey, CheckSignature, CheckTime}
	if presented {
		checks = append(checks, CheckHolder)
	}
	return append(checks, CheckIssuer, CheckStatus, CheckResources)
}

// run makes all checks; read is how the document is come by.
func (x *credential) run(ctx context.Context, read func() (*reading, *finding)) {
	if !x.prove(ctx, read) {
		return
	}
	x.log.record(CheckTime, x.checkTime())
	if x.want != nil {
		x.recordHolder()
	}
	trusted := x.log.record(CheckIssuer, x.checkTrust(ctx))
	x.recordStatus(ctx, trusted)
	x.log.record(CheckResources, x.checkResources())
}

// prove makes the checks up to the signature, and reports whether all passed.
func (x *credential) prove(ctx context.Context, read func() (*reading, *finding)) bool {
	steps := []step{
		{CheckFormat, func() *finding { return x.open(read) }},
		{CheckContext, func() *finding { return x.checkContext(x.received.doc) }},
		{CheckProof, x.checkProof},
	}
	if !x.until(steps) {
		return false
	}
	if x.boundAlone() {
		x.log.insert(CheckSession, CheckKey)
		steps = []step{{CheckSession, x.checkSession}}
	} else {
		steps = nil
	}
	return x.until(append(steps,
		step{CheckKey, func() *finding { return x.checkIssuersKeys(ctx) }},
		step{CheckSignature, func() *finding { return x.checkSigned(ctx) }},
	))
}

// worthless reports whether nobody who is trusted made the credential. What comes
// after it in a presentation is then not looked at: a stranger could make as much of it
// as there is room for.
func (x *credential) worthless() bool {
	failed := slices.ContainsFunc(x.log.entries, func(e entry) bool { return e.Outcome == Failed })
	return failed && slices.ContainsFunc(x.log.entries, func(e entry) bool {
		return e.Outcome != Passed && (e.Check == CheckSignature || e.Check == CheckIssuer)
	})
}

func (x *credential) open(read func() (*reading, *finding)) *finding {
	var f *finding
	if x.received, f = read(); f != nil {
		return f
	}
	if x.budget != nil {
		if *x.budget -= len(x.received.proofs); *x.budget < 0 {
			return wrong(ErrTooLarge, fmt.Errorf("more than %d signatures", maxSignatures))
		}
	}
	return x.parse(x.received.doc)
}

func (x *credential) parse(doc *strictjson.Object) *finding {
	var err error
	if x.doc, err = vc.CheckObject(doc); err != nil {
		return unreadable(err)
	}
	return nil
}

func (x *credential) checkContext(doc *strictjson.Object) *finding {
	if !x.v.Contexts.AcceptsCredential(doc) {
		return wrong(ErrContextNotAllowed, nil)
	}
	return nil
}

func (x *credential) checkProof() *finding {
	if f := x.checkProofs(); f != nil {
		return f
	}
	if b := x.received.binding; b != nil && b.verify != nil && x.want == nil {
		return wrong(ErrPurpose, errors.New("it was shown for a session: Verifier.Presentation takes it"))
	}
	ids, all := subjectIDs(x.received.doc)
	for _, p := range x.received.proofs {
		if p.subject != "" && (!all || len(ids) != 1 || ids[0] != p.subject) {
			return wrong(ErrClaims, nil)
		}
		if len(p.domain) > 0 && (x.want == nil || !slices.Contains(p.domain, x.want.Audience)) {
			return wrong(ErrDomain, nil)
		}
	}
	return nil
}

// boundAlone reports whether the credential has to answer the request by itself: it
// has a binding, which is never overlooked, or nobody signed the presentation as a
// whole, or another than has the key that the issuer bound the credential to.
func (x *credential) boundAlone() bool {
	if x.want == nil {
		return false
	}
	key := x.received.key
	return x.received.binding != nil || x.presenter.id.IsZero() ||
		key != nil && x.v.Holder != UnsafeAnyHolder && !sameKey(x.presenter.key, key)
}

// checkSession sees that the credential was shown for this request.
func (x *credential) checkSession() *finding {
	if x.received.binding == nil {
		return wrong(ErrUnbound, nil)
	}
	return x.received.binding.answers(*x.want)
}

// checkIssuersKeys sees that the keys are the issuer's before it asks anybody for
// them, so that a credential cannot make the verifier resolve a stranger's DID.
func (x *credential) checkIssuersKeys(ctx context.Context) *finding {
	for _, p := range x.received.proofs {
		if !x.v.speaksFor(p.method.DID, x.doc.Issuer.ID) {
			return wrong(ErrControllerMismatch, nil)
		}
	}
	return x.checkKeys(ctx)
}

// checkSigned checks the signatures, and again what was checked of the document
// received if another was signed.
func (x *credential) checkSigned(ctx context.Context) *finding {
	if f := x.checkSignatures(ctx); f != nil {
		return f
	}
	if b := x.received.binding; b != nil && b.verify != nil {
		if f := b.verify(); f != nil {
			return f
		}
	}
	for _, doc := range x.covered {
		if doc == x.received.doc {
			continue
		}
		if f := x.checkContext(doc); f != nil {
			return f
		}
	}
	if x.signed == x.received.doc {
		return nil
	}
	return x.parse(x.signed)
}

// checkTime looks at the document first: a token often repeats its times.
func (x *credential) checkTime() *finding {
	if x.now.Before(x.doc.ValidFrom) {
		return wrong(ErrNotYetValid, nil)
	}
	switch end := x.doc.ValidUntil; {
	case end.IsZero() && x.v.RequireValidUntil:
		return wrong(ErrNoEnd, nil)
	case !end.IsZero() && x.now.After(end):
		return wrong(ErrExpired, nil)
	}
	if f := x.checkProofTimes(); f != nil {
		return f
	}
	if b := x.received.binding; b != nil && x.want != nil {
		return b.checkTime(&x.examination)
	}
	return nil
}

// recordHolder checks that the presenter is who the credential is about.
func (x *credential) recordHolder() {
	switch f := x.checkHolder(); {
	case x.v.Holder == UnsafeAnyHolder:
		x.log.leave(CheckHolder, "The verifier's policy lets anybody present this.")
		x.holder = did.DID{}
	case f == nil && x.holder.IsZero():
		x.log.leave(CheckHolder, "The verifier's policy takes this from whoever bears it.")
	default:
		x.log.record(CheckHolder, f)
	}
}

// checkHolder finds the holder. It is zero for a credential that names nobody, and
// that the policy takes from its bearer.
func (x *credential) checkHolder() *finding {
	ids, all := subjectIDs(x.signed)
	key := x.received.key
	switch {
	case key != nil && x.received.binding != nil:
		return x.checkKeyHolder(ids, all)
	case !x.presenter.id.IsZero():
		about := len(ids) == 1 && all && ids[0] == x.presenter.id.String()
		if !about && (key == nil || len(ids) > 0) {
			return wrong(ErrHolder, nil)
		}
		x.holder = x.presenter.id
		return nil
	case x.v.Holder != Bearer || len(ids) > 0:
		return wrong(ErrHolder, nil)
	}
	return nil
}

// checkKeyHolder is checkHolder for a credential with a key binding: the key's
// holder is the subject that the issuer names or, where it names none by a DID,
// the key itself (RFC 7800, section 3). Whoever signed a presentation around it
// must be the same.
func (x *credential) checkKeyHolder(ids []string, all bool) *finding {
	of, err := didkey.New(x.received.key)
	holder := of
	if err != nil || len(ids) > 1 || len(ids) == 1 && !all {
		return wrong(ErrHolder, err)
	}
	if len(ids) == 1 && strings.HasPrefix(ids[0], "did:") {
		if holder, err = did.Parse(ids[0]); err != nil {
			return wrong(ErrHolder, err)
		}
		// A did:key is a key, and this one signed nothing.
		if holder.Method() == "key" && holder != of && holder != x.presenter.id {
			return wrong(ErrHolder, errors.New("the key is not that of the subject's did:key"))
		}
	}
	if p := x.presenter; !p.id.IsZero() && p.id != holder && !sameKey(p.key, x.received.key) {
		return wrong(ErrHolder, nil)
	}
	x.holder = holder
	return nil
}

func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// subjectIDs returns the different ids of a credential's subjects, and whether
// every subject has one.
func subjectIDs(doc *strictjson.Object) (ids []string, all bool) {
	subject, _ := doc.Get("credentialSubject")
	list, ok := subject.([]any)
	if !ok {
		list = []any{subject}
	}
	all = true
	for _, s := range list {
		o, _ := s.(*strictjson.Object)
		id, ok := o.Text("id")
		if !ok {
			all = false
		} else if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, all
}

// checkTrust asks about each one whose proof is on the credential.
func (x *credential) checkTrust(ctx context.Context) *finding {
	var asked []did.DID
	for _, p := range x.received.proofs {
		if slices.Contains(asked, p.method.DID) {
			continue
		}
		asked = append(asked, p.method.DID)
		err := x.v.Trust.Trusted(ctx, p.method.DID, slices.Clone(x.doc.Type), x.now)
		if f := outside(err, ErrUntrusted, ErrUntrusted); f != nil {
			return f
		}
	}
	return nil
}

// checkResources compares the context documents whose digests the issuer put into
// the credential with those that this verifier knows (VC Data Model 2.0, section
// 5.3), and holds an SD-JWT VC to the metadata of its type.
func (x *credential) checkResources() *finding {
	err := x.v.Contexts.CheckResources(x.signed)
	switch {
	case errors.Is(err, vc.ErrDigest):
		return wrong(ErrResource, err)
	case err != nil:
		return unreadable(err)
	case x.received.typed != nil:
		return x.received.typed()
	}
	return nil
}

func (x *credential) result(checks []Result) *Credential {
	return &Credential{
		signed: x.signed,
		issuer: x.received.proofs[0].method.DID,
		holder: x.holder,
		checks: checks,
	}
}
