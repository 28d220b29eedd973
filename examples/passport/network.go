package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/universal"
	"github.com/staffpassport/staffpassport/did/webclient"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
)

// A network is what the flags say about whom may be asked.
type network struct {
	offline  bool
	loopback bool
	bundle   string
	maker    string
	maxAge   time.Duration

	opened *bundle.Bundle
}

func (n *network) flags(fs *flag.FlagSet) {
	fs.BoolVar(&n.offline, "offline", false, "ask nobody: did:web, did:webvh and status lists are then undecided")
	fs.BoolVar(&n.loopback, "allow-loopback", false, "also ask addresses of this machine, by plain http too: to try things out")
	fs.StringVar(&n.bundle, "bundle", "", "ask nobody but this `FILE` by passport bundle build; what it lacks, or has too old, is undecided")
	fs.StringVar(&n.maker, "bundle-maker", "", "the `DID` that signed the bundle")
	fs.DurationVar(&n.maxAge, "bundle-max-age", 0, "the `AGE` that what is in the bundle may have, such as 24h; default: as its maker says")
}

// maxAnswer bounds what is fetched: the longest is a log of did:webvh, of 1 MiB.
const maxAnswer = 1 << 20

// open opens the bundle, if there is one.
func (n *network) open(ctx context.Context, s *shell, now func() time.Time) error {
	switch {
	case n.bundle == "" && n.maker == "":
		return nil
	case n.bundle == "" || n.maker == "":
		return wrongUsage("--bundle and --bundle-maker belong together")
	case n.loopback:
		return wrongUsage("--bundle asks nobody, and --allow-loopback somebody")
	}
	maker, err := did.Parse(n.maker)
	if err != nil {
		return wrongUsage("--bundle-maker is a DID")
	}
	file, err := s.readFile(n.bundle)
	if err != nil {
		return err
	}
	n.opened, err = bundle.Open(ctx, file, bundle.Policy{Maker: maker, Resolver: universal.New(universal.Config{Now: now}), MaxAge: n.maxAge, Now: now})
	if err != nil { // says nothing about what is verified
		return notLearned{err}
	}
	return nil
}

// client returns what fetches.
func (n *network) client() did.Getter {
	switch {
	case n.opened != nil:
		return n.opened
	case n.offline:
		return nobody{}
	}
	return webclient.New(webclient.Options{AllowLoopback: n.loopback, MaxBytes: maxAnswer})
}

func (n *network) resolver(client did.Getter, now func() time.Time) did.Resolver {
	return universal.New(universal.Config{Client: client, PlainLoopback: n.loopback, Now: now})
}

// A notLearned is an error about something else than what was asked: the answer to that
// is still open.
type notLearned struct{ error }

func (n notLearned) Unwrap() error { return n.error }

// nobody is the client of somebody who is offline.
type nobody struct{}

func (nobody) Get(context.Context, string, ...string) ([]byte, string, error) {
	return nil, "", fmt.Errorf("%w: offline", did.ErrUnavailable)
}
