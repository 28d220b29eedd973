package verify

import (
	"context"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
)

// Trust decides whether an issuer may issue a credential of the given types. It
// returns nil, an error matching [ErrUntrusted], or any other error if it cannot
// tell; that leaves the check undecided. Types are those of the credential in
// their order, "VerifiableCredential" included. Implementations are safe for
// concurrent use and stop when ctx ends.
type Trust interface {
	Trusted(ctx context.Context, issuer did.DID, types []string, at time.Time) error
}

// TrustedIssuers is a fixed list: for each issuer the types it may issue. Every
// type of a credential other than "VerifiableCredential" must be listed; that one
// needs to be only for credentials that have no other. The nil map trusts nobody.
type TrustedIssuers map[did.DID][]string

var _ Trust = TrustedIssuers(nil)

// Trusted implements [Trust].
func (t TrustedIssuers) Trusted(_ context.Context, issuer did.DID, types []string, _ time.Time) error {
	allowed, ok := t[issuer]
	if !ok {
		return notListed("issuer is not on the list")
	}
	specific := slices.DeleteFunc(slices.Clone(types), func(s string) bool { return s == vc.TypeCredential })
	if len(specific) == 0 {
		specific = []string{vc.TypeCredential}
	}
	for _, s := range specific {
		if !slices.Contains(allowed, s) {
			return notListed("issuer is on the list for other types")
		}
	}
	return nil
}

// notListed is an [ErrUntrusted] that says why.
type notListed string

func (n notListed) Error() string { return string(n) }

func (notListed) Is(target error) bool { return target == ErrUntrusted }

// AnyIssuerUnsafe trusts everybody. It is for tests and for tools that look at
// formats: with it, a verified credential says only that somebody signed it.
type AnyIssuerUnsafe struct{}

var _ Trust = AnyIssuerUnsafe{}

// Trusted returns nil.
func (AnyIssuerUnsafe) Trusted(context.Context, did.DID, []string, time.Time) error { return nil }
