package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
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
	cache     string
	anybody   bool

	decider verify.Trust // what came of them
}

func (p *policy) flags(fs *flag.FlagSet) {
	fs.Var(&p.issuers, "issuer", "trust `DID` or DID=Type,Type; may be repeated")
	fs.StringVar(&p.list, "trust", "", "trust whom a `LIST` of registered organisations names, a file or URL")
	fs.StringVar(&p.authority, "authority", "", "the `DID` that signs the list")
	fs.DurationVar(&p.maxAge, "trust-max-age", 0, "the `AGE` that a list may have, such as 24h; default: as it says itself")
	fs.StringVar(&p.cache, "trust-cache", "", "a `FILE` that remembers the newest list seen, so that an older one is refused the next time; it is made if it is not there")
	fs.BoolVar(&p.anybody, "any-issuer-unsafe", false, "trust anybody: valid then says only that somebody signed it")
}

// trust returns what decides whose credentials count.
func (p *policy) trust(ctx context.Context, s *shell, r did.Resolver, c did.Getter, now func() time.Time) (verify.Trust, error) {
	var err error
	p.decider, err = p.choose(ctx, s, trust.Config{Resolver: r, Client: c, MaxAge: p.maxAge, Now: now})
	return p.decider, err
}

func (p *policy) choose(ctx context.Context, s *shell, config trust.Config) (verify.Trust, error) {
	given := 0
	for _, set := range []bool{p.issuers.given(), p.list != "", p.anybody} {
		if set {
			given++
		}
	}
	switch {
	case given == 0:
		return nil, wrongUsage("say whom you trust: --issuer DID, --trust LIST --authority DID, or --any-issuer-unsafe")
	case given > 1:
		return nil, wrongUsage("one of --issuer, --trust and --any-issuer-unsafe, not several")
	case p.list == "" && (p.cache != "" || p.authority != "" || p.maxAge != 0):
		return nil, wrongUsage("--authority, --trust-max-age and --trust-cache belong to --trust")
	case p.maxAge < 0:
		return nil, wrongUsage("--trust-max-age is not negative")
	case p.anybody:
		return verify.AnyIssuerUnsafe{}, nil
	case p.list == "":
		return namedIssuers(p.issuers), nil
	}
	authority, err := did.Parse(p.authority)
	if err != nil {
		return nil, wrongUsage("--trust needs --authority, the DID that signs the list")
	}
	config.Authority = authority
	if p.cache != "" {
		config.Store = trust.File(p.cache)
	}
	remote := strings.Contains(p.list, "://")
	if remote {
		config.URL = p.list
	}
	registry, err := trust.Open(ctx, config)
	if err != nil {
		return nil, p.cacheError(err)
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
	if isFileError(err) {
		return nil, p.cacheError(err)
	}
	if err != nil {
		return noList{err}, nil
	}
	return registry, nil
}

// cacheError says what is wrong with the file of --trust-cache. A damaged one decides
// nothing: it is for a person to find out why, and then to begin anew.
func (p *policy) cacheError(err error) error {
	switch {
	case errors.Is(err, trust.ErrCache):
		return notLearned{err}
	case errors.Is(err, trust.ErrConfig) && p.cache != "":
		return wrongUsage("--trust-cache %s: another register, or another authority, than it was made with", printable(p.cache))
	case isFileError(err):
		return wrongUsage("--trust-cache: %s", err)
	}
	return err
}

func isFileError(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path)
}

// listProblem returns why the list decides nothing, or nil if it does, or if there is
// none to decide by.
func (p *policy) listProblem(now time.Time) error {
	switch t := p.decider.(type) {
	case noList:
		return t.err
	case *trust.Registry:
		return t.Usable(now)
	}
	return nil
}

// namedIssuers trusts those that --issuer names.
type namedIssuers trusted

func (n namedIssuers) Trusted(ctx context.Context, issuer did.DID, types []string, at time.Time) error {
	if n.anything[issuer] {
		return nil
	}
	return n.types.Trusted(ctx, issuer, types, at)
}

// noList is trust without a list that could be believed: the other checks are made all
// the same, so that a person sees everything, and this one is undecided.
type noList struct{ err error }

func (n noList) Trusted(context.Context, did.DID, []string, time.Time) error { return n.err }
