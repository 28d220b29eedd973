package main

import (
	"context"
	"flag"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A policy is what the flags say about whom to trust. One of the three is required:
// whoever verifies says whom they rely on.
type policy struct {
	issuers   trusted
	list      string
	authority string
	maxAge    time.Duration
	anybody   bool
}

func (p *policy) flags(fs *flag.FlagSet) {
	fs.Var(&p.issuers, "issuer", "trust `DID` or DID=Type,Type; may be repeated")
	fs.StringVar(&p.list, "trust", "", "trust whom a `LIST` of registered organisations names, a file or URL")
	fs.StringVar(&p.authority, "authority", "", "the `DID` that signs the list")
	fs.DurationVar(&p.maxAge, "trust-max-age", 0, "the `AGE` that a list may have, such as 24h; default: as it says itself")
	fs.BoolVar(&p.anybody, "any-issuer-unsafe", false, "trust anybody: valid then says only that somebody signed it")
}

// trust returns what decides whose credentials count.
func (p *policy) trust(ctx context.Context, s *shell, r did.Resolver, c did.Getter, now func() time.Time) (verify.Trust, error) {
	given := 0
	for _, set := range []bool{len(p.issuers) > 0, p.list != "", p.anybody} {
		if set {
			given++
		}
	}
	switch {
	case given == 0:
		return nil, wrongUsage("say whom you trust: --issuer DID, --trust LIST --authority DID, or --any-issuer-unsafe")
	case given > 1:
		return nil, wrongUsage("one of --issuer, --trust and --any-issuer-unsafe, not several")
	case p.anybody:
		return verify.AnyIssuerUnsafe{}, nil
	case p.list == "":
		return namedIssuers(p.issuers), nil
	}
	authority, err := did.Parse(p.authority)
	if err != nil {
		return nil, wrongUsage("--trust needs --authority, the DID that signs the list")
	}
	config := trust.Config{Authority: authority, Resolver: r, Client: c, MaxAge: p.maxAge, Now: now}
	remote := strings.Contains(p.list, "://")
	if remote {
		config.URL = p.list
	}
	registry, err := trust.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	if remote {
		err = registry.Update(ctx)
	} else {
		var b []byte
		if b, err = s.readFile(p.list); err != nil {
			return nil, err
		}
		err = registry.Accept(ctx, secured(payload(b), ""))
	}
	if err != nil {
		return noList{err}, nil
	}
	return registry, nil
}

// namedIssuers trusts those that --issuer names.
type namedIssuers trusted

func (n namedIssuers) Trusted(ctx context.Context, issuer did.DID, types []string, at time.Time) error {
	if slices.Contains(n[issuer], anyType) {
		return nil
	}
	return verify.TrustedIssuers(n).Trusted(ctx, issuer, types, at)
}

// noList is trust without a list that could be believed: the other checks are made all
// the same, so that a person sees everything, and this one is undecided.
type noList struct{ err error }

func (n noList) Trusted(context.Context, did.DID, []string, time.Time) error { return n.err }
