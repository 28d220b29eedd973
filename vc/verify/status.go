package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
)

// maxStatus bounds the lists that one credential can ask for. Two purposes are usual.
const maxStatus = 8

// recordStatus checks the status if that takes nothing from the network, or if a
// trusted issuer gave the addresses: nobody else sends this verifier anywhere.
func (x *credential) recordStatus(ctx context.Context, trusted bool) {
	refs, f := x.references()
	switch {
	case f != nil, len(refs) == 0:
		x.log.record(CheckStatus, f)
	case trusted:
		x.log.record(CheckStatus, x.checkStatus(ctx, refs))
	}
}

// references reads where the status of the credential stands. What cannot be asked for
// is left open: a credential that could have been withdrawn is not one that has not
// been.
func (x *credential) references() ([]status.Reference, *finding) {
	if _, present := x.signed.Get("credentialStatus"); !present {
		return nil, nil
	}
	if x.v.Status == nil {
		return nil, wrong(ErrStatusUnsupported, nil)
	}
	entries, err := vc.StatusOf(x.signed)
	switch {
	case err != nil:
		return nil, unreadable(err)
	case len(entries) > maxStatus:
		return nil, wrong(ErrTooLarge, fmt.Errorf("more than %d entries of status", maxStatus))
	}
	refs := make([]status.Reference, len(entries))
	var found *finding
	for i, s := range entries {
		if refs[i], err = status.ParseEntry(s); err != nil {
			found = worse(found, statusFinding(err))
		}
	}
	return refs, found
}

// checkStatus asks for every status. One that withdraws the credential says more than
// one that cannot be had.
func (x *credential) checkStatus(ctx context.Context, refs []status.Reference) (found *finding) {
	issuers := x.statusIssuers()
	for _, r := range refs {
		err := x.v.Status.Check(ctx, r, issuers, x.now, authority{x.v, x.now})
		if found = worse(found, statusFinding(err)); found != nil && found.code == ErrRevoked {
			break
		}
	}
	return found
}

// statusIssuers are those whose lists count: who signed the credential and who is named
// in it, which is somebody else only where the policy allows that.
func (x *credential) statusIssuers() []did.DID {
	var out []did.DID
	for _, p := range x.received.proofs {
		out = append(out, p.method.DID)
	}
	if named, err := did.Parse(x.doc.Issuer.ID); err == nil {
		out = append(out, named)
	}
	return out
}

// worse returns the finding that says more against the credential, the first of two
// that say as much.
func worse(a, b *finding) *finding {
	if b.weight() > a.weight() {
		return b
	}
	return a
}

func (f *finding) weight() int {
	switch {
	case f == nil:
		return 0
	case f.code == ErrRevoked:
		return 4
	case !f.code.undecided():
		return 3
	case f.code == ErrStatusUnsupported:
		return 2
	}
	return 1
}

// statusFinding says what a status means for the credential.
func statusFinding(err error) *finding {
	if err == nil {
		return nil
	}
	for _, c := range []struct {
		err  error
		code Code
	}{
		{status.ErrRevoked, ErrRevoked},
		{status.ErrSuspended, ErrSuspended},
		{status.ErrRange, ErrStatusRange},
		{status.ErrList, ErrStatusList},
		{status.ErrMalformed, ErrMalformed},
		{status.ErrUnsupported, ErrStatusUnsupported},
	} {
		if errors.Is(err, c.err) {
			return wrong(c.code, err)
		}
	}
	return wrong(ErrStatusUnavailable, err)
}

// An authority finds out for package status whose a list is.
type authority struct {
	v   *Verifier
	now time.Time
}

var _ status.Authority = authority{}

// List implements [status.Authority]. The causes are told and not matched: they are
// about the list, and a credential's own would look the same.
func (a authority) List(ctx context.Context, s vc.Secured) (*vc.Credential, did.DID, error) {
	own := *a.v
	own.UnsafeIssuerNotController = false // whose a list is, is all that it has
	x := &credential{examination: examination{v: &own, now: a.now, log: newLog(Whole, []Check{
		CheckFormat, CheckContext, CheckProof, CheckKey, CheckSignature, CheckTime,
	})}}
	if x.prove(ctx, func() (*reading, *finding) { return own.open(aCredential, s) }) {
		x.log.record(CheckTime, x.checkProofTimes())
	}
	if err := verdict(x.log.entries); err != nil {
		return nil, did.DID{}, listError(err.Code, err)
	}
	doc, err := vc.ParseObject(x.signed)
	if err != nil {
		return nil, did.DID{}, listError(ErrMalformed, err)
	}
	return doc, x.received.proofs[0].method.DID, nil
}

// Key implements [status.Authority].
func (a authority) Key(ctx context.Context, method did.URL, used time.Time) (*did.VerificationMethod, error) {
	x := &examination{v: a.v, kind: aCredential, now: a.now}
	key, f := x.key(ctx, proof{method: method, created: used})
	if f != nil {
		return nil, listError(f.code, f.code)
	}
	return key, nil
}

func listError(code Code, err error) error {
	if code.undecided() {
		return fmt.Errorf("%w: list: %v", status.ErrUnavailable, errtext.Below(err))
	}
	return fmt.Errorf("%w: %v", status.ErrList, errtext.Below(err))
}
