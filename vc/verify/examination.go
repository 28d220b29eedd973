package verify

import (
	"context"
	"errors"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// An examination is what credentials and presentations have in common while they
// are checked.
type examination struct {
	v    *Verifier
	kind kind
	now  time.Time
	log  *log

	received *reading
	keys     []*did.VerificationMethod // one for each proof
	covered  []*strictjson.Object      // what each proof covers
	signed   *strictjson.Object        // what all of them cover; nil until they are found genuine
}

// A step is one check. It sees what the steps before it found.
type step struct {
	check Check
	run   func() *finding
}

// until runs steps up to the first that does not pass, and reports whether all
// did.
func (x *examination) until(steps []step) bool {
	for _, s := range steps {
		if !x.log.record(s.check, s.run()) {
			return false
		}
	}
	return true
}

// checkProofs sees that there are proofs for this purpose (VC Data Integrity 1.0,
// section 4.4, steps 3 to 5). All of several proofs count: one that cannot be
// checked is not overlooked because another can.
func (x *examination) checkProofs() *finding {
	if x.received.flaw != nil {
		return x.received.flaw
	}
	for _, p := range x.received.proofs {
		if p.purpose != x.kind.purpose() {
			return wrong(ErrPurpose, nil)
		}
	}
	return nil
}

// checkKeys finds the key of each proof and sees that its document authorises it.
func (x *examination) checkKeys(ctx context.Context) *finding {
	x.keys = make([]*did.VerificationMethod, len(x.received.proofs))
	for i, p := range x.received.proofs {
		var f *finding
		if x.keys[i], f = x.key(ctx, p); f != nil {
			return f
		}
	}
	return nil
}

// key is VC Data Integrity 1.0, section 5.10, and Controlled Identifiers 1.0,
// section 3.3, for a key of any format.
func (x *examination) key(ctx context.Context, p proof) (*did.VerificationMethod, *finding) {
	res, err := x.v.Resolver.Resolve(ctx, p.method.DID, did.Version{})
	if err != nil {
		return nil, outside(err, ErrKeyNotFound, did.ErrNotFound, did.ErrInvalid, did.ErrUnsupported)
	}
	switch {
	case res != nil && res.Deactivated:
		return nil, wrong(ErrKeyNotAuthorised, nil)
	case res == nil || res.Document == nil:
		return nil, wrong(ErrUnavailable, nil)
	case res.Document.ID() != p.method.DID:
		return nil, wrong(ErrKeyNotFound, did.ErrInvalid)
	}
	key, err := res.Document.MethodUsed(p.method, x.kind.purpose(), x.used(p), x.now)
	switch {
	case errors.Is(err, did.ErrNotAuthorised):
		return nil, wrong(ErrKeyNotAuthorised, err)
	case err != nil:
		return nil, wrong(ErrKeyNotFound, err)
	}
	return key, nil
}

// used is when the key of a proof was used, as far as that can be taken on trust:
// for a credential when its proof says, which lets it outlive the turn of the
// key; for a presentation, which answers a question just asked, now.
func (x *examination) used(p proof) time.Time {
	if x.kind == aCredential && !p.created.IsZero() && p.created.Before(x.now) {
		return p.created
	}
	return x.now
}

// checkSignatures is VC Data Integrity 1.0, sections 4.4 step 8 and 4.5: each
// proof is genuine. Proofs may cover different beginnings of the @context received,
// and nothing else differs in what they cover: the shortest is what all of them are
// over. Each must be a context to accept, which the caller checks.
func (x *examination) checkSignatures(ctx context.Context) *finding {
	for i, p := range x.received.proofs {
		signed, f := p.verify(ctx, x.keys[i])
		if f != nil {
			return f
		}
		x.covered = append(x.covered, signed)
		if x.signed == nil || contextLength(signed) < contextLength(x.signed) {
			x.signed = signed
		}
	}
	return nil
}

// checkProofTimes is VC Data Integrity 1.0, section 2.6, and RFC 7519, sections
// 4.1.4 to 4.1.6: now is between the two ends of every proof.
func (x *examination) checkProofTimes() *finding {
	for _, p := range x.received.proofs {
		latest := x.now.Add(skew)
		if p.created.After(latest) || p.notBefore.After(latest) {
			return wrong(ErrProofNotYetValid, nil)
		}
		if !p.expires.IsZero() && x.now.After(p.expires) {
			return wrong(ErrProofExpired, nil)
		}
	}
	return nil
}

func contextLength(doc *strictjson.Object) int {
	v, _ := doc.Get("@context")
	list, _ := v.([]any)
	return len(list)
}
