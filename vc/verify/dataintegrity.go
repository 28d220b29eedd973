package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
)

// embedded reads application/vc and application/vp: JSON with Data Integrity
// proofs inside (VC Data Integrity 1.0).
type embedded struct{ v *Verifier }

func (f embedded) read(b []byte) (*reading, *finding) {
	o, err := strictjson.ParseObject(b)
	if err != nil {
		return nil, unreadable(err)
	}
	return f.readObject(o), nil
}

func (f embedded) readObject(secured *strictjson.Object) *reading {
	doc, proofs, err := dataintegrity.SplitProofs(secured)
	if err != nil {
		_, present := secured.Get("proof")
		r := &reading{doc: secured.Clone(), flaw: proofFinding(err), unproven: !present}
		r.doc.Delete("proof")
		return r
	}
	r := &reading{doc: doc}
	for i := range proofs {
		if slices.ContainsFunc(proofs[:i], func(o *strictjson.Object) bool { return strictjson.Equal(o, proofs[i]) }) {
			return &reading{doc: doc, flaw: wrong(ErrProofSet, errors.New("the same proof twice"))}
		}
		p, err := f.readProof(doc, proofs, i)
		if err != nil {
			return &reading{doc: doc, flaw: proofFinding(err)}
		}
		r.proofs = append(r.proofs, p)
	}
	r.binding = headerBinding(proofs)
	return r
}

// readProof is VC Data Integrity 1.0, section 4.4, steps 3 and 4, for one of the
// proofs.
func (f embedded) readProof(doc *strictjson.Object, proofs []*strictjson.Object, i int) (proof, error) {
	p, err := dataintegrity.ParseProof(proofs[i])
	if err != nil {
		return proof{}, err
	}
	suite := f.v.suite(p.Suite)
	switch {
	case suite == nil:
		return proof{}, dataintegrity.ErrSuite
	case ecdsasd.IsBase(proofs[i]), bbs.IsBase(proofs[i]):
		return proof{}, fmt.Errorf("%w: its holder checks it with disclose.Check and shows it with disclose.Derive", dataintegrity.ErrBaseProof)
	}
	return proof{
		method: p.VerificationMethod, purpose: p.Purpose, created: p.Created, expires: p.Expires,
		domain: p.Domain, challenge: p.Challenge,
		verify: func(ctx context.Context, key *did.VerificationMethod) (*strictjson.Object, *finding) {
			signed, err := dataintegrity.VerifyProof(ctx, suite, doc, proofs, i, key, f.v.Contexts)
			if err != nil {
				return nil, proofFinding(err)
			}
			return signed, nil
		},
	}, nil
}

// suite returns the suite of that name, or nil.
func (v *Verifier) suite(name string) dataintegrity.Suite {
	for _, list := range [][]dataintegrity.Suite{suites(), v.Suites} {
		if i := slices.IndexFunc(list, func(s dataintegrity.Suite) bool { return s.Name() == name }); i >= 0 {
			return list[i]
		}
	}
	return nil
}

// suites are those that every verifier has.
func suites() []dataintegrity.Suite {
	return []dataintegrity.Suite{
		dataintegrity.EdDSAJCS2022(), dataintegrity.ECDSAJCS2019(),
		rdfc.EdDSARDFC2022(), rdfc.ECDSARDFC2019(), ecdsasd.Suite(), bbs.Suite(),
	}
}

// proofFinding says what is wrong with a proof.
func proofFinding(err error) *finding {
	for _, c := range []struct {
		err  error
		code Code
	}{
		{context.Canceled, ErrUnavailable},
		{context.DeadlineExceeded, ErrUnavailable},
		{xsd.ErrNoZone, ErrNoTimeZone},
		{dataintegrity.ErrNoProof, ErrNoProof},
		{dataintegrity.ErrProofSet, ErrProofSet},
		{dataintegrity.ErrPreviousProof, ErrProofSet},
		{dataintegrity.ErrBaseProof, ErrBaseProof},
		{dataintegrity.ErrSuite, ErrSuite},
		{dataintegrity.ErrKey, ErrSuite},
		{dataintegrity.ErrContextNotAllowed, ErrContextNotAllowed},
		{dataintegrity.ErrUndefinedTerm, ErrUndefinedTerm},
		{dataintegrity.ErrUnsignable, ErrUnsignable},
		{dataintegrity.ErrSignature, ErrProof},
	} {
		if errors.Is(err, c.err) {
			return wrong(c.code, err)
		}
	}
	return wrong(ErrProofMalformed, err)
}
