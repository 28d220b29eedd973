package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
)

// bundleBuildCommand fetches what a host without a network will need.
func bundleBuildCommand(ctx context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("--key FILE --lifetime 24h [--did DID]... [--url URL]... [--out FILE]",
		"Fetches the documents of DIDs, the list of registered organisations and status lists, and\nwrites them in one signed file, for passport verify --bundle.")
	var n network
	var dids, urls texts
	var at moment
	fs.BoolVar(&n.loopback, "allow-loopback", false, "also ask addresses of this machine, by plain http too: to try things out")
	keyFile := fs.String("key", "", "the maker's private key, a `FILE` by passport key new")
	lifetime := fs.Duration("lifetime", 24*time.Hour, "the `TIME` for which the bundle may be used")
	fs.Var(&dids, "did", "a `DID` whose document goes in; may be repeated")
	fs.Var(&urls, "url", "the `URL` of a list; may be repeated")
	fs.Var(&at, "now", "sign as of this `TIME`")
	without := fs.Bool("without-missing", false, "leave out what cannot be had, and say so on standard error")
	out := fs.String("out", "", "a `FILE` that does not exist yet; default: standard output")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	switch {
	case len(rest) > 0:
		return 0, wrongUsage("unexpected argument %q", rest[0])
	case *lifetime <= 0:
		return 0, wrongUsage("--lifetime is more than nothing")
	case slices.ContainsFunc(urls, func(u string) bool { return !strings.Contains(u, "://") }):
		return 0, wrongUsage("--url is the URL of a list, such as https://register.example/list")
	case *keyFile == "":
		return 0, wrongUsage("--key FILE is required; passport key new makes one")
	}
	now := s.now(at)
	p := bundle.Plan{Client: n.client(), Lifetime: *lifetime, URLs: urls, Now: now,
		Resolver: func(c did.Getter) did.Resolver { return n.resolver(c, now) }}
	if p.Signer, err = s.readSigner(*keyFile); err != nil {
		return 0, err
	}
	for _, text := range dids {
		id, err := did.Parse(text)
		if err != nil {
			return 0, wrongUsage("--did %q is no DID", text)
		}
		p.DIDs = append(p.DIDs, id)
	}
	if *without {
		p.Missing = func(what string, err error) {
			fmt.Fprintf(s.err, "without %s: %s\n", printable(what), printable(err.Error()))
		}
	}
	file, err := bundle.Build(ctx, p)
	if err != nil {
		return 0, n.hint(err, append(urls, dids...)...)
	}
	return exitValid, s.write(file, *out, false)
}
