package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didweb"
	"github.com/staffpassport/staffpassport/did/didwebvh"
	"github.com/staffpassport/staffpassport/did/universal"
	"github.com/staffpassport/staffpassport/did/webclient"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
)

// A network is what the flags say about whom may be asked.
type network struct {
	offline   bool
	loopback  bool
	bundle    string
	maker     string
	maxAge    time.Duration
	notBefore moment
	timeout   time.Duration

	opened *bundle.Bundle
}

func (n *network) flags(fs *flag.FlagSet) {
	fs.BoolVar(&n.offline, "offline", false, "ask nobody: did:web, did:webvh and status lists are then undecided")
	fs.BoolVar(&n.loopback, "allow-loopback", false, "also ask addresses of this machine, by plain http too: to try things out")
	fs.StringVar(&n.bundle, "bundle", "", "ask nobody but this `FILE` by passport bundle build; what it lacks, or has too old, is undecided")
	fs.StringVar(&n.maker, "bundle-maker", "", "the `DID` that signed the bundle")
	fs.DurationVar(&n.maxAge, "bundle-max-age", 0, "the `AGE` that what is in the bundle may have, such as 24h; default: as its maker says")
	fs.DurationVar(&n.timeout, "timeout", defaultTimeout, "the `TIME` for all that is asked; what was not answered by then is undecided")
	fs.Var(&n.notBefore, "bundle-not-before", "the `TIME` when the newest bundle that you know of was made: an older one is refused")
}

// maxAnswer bounds what is fetched: the longest is a log of did:webvh, of 1 MiB.
const maxAnswer = 1 << 20

// defaultTimeout is three slow servers after each other, and what a person waits.
const defaultTimeout = 30 * time.Second

// open opens the bundle, if there is one.
func (n *network) open(ctx context.Context, s *shell, now func() time.Time) error {
	switch {
	case n.timeout <= 0:
		return wrongUsage("--timeout is more than nothing")
	case n.maxAge < 0:
		return wrongUsage("--bundle-max-age is not negative")
	case n.bundle == "" && n.maker == "" && time.Time(n.notBefore).IsZero():
		return nil
	case n.bundle == "" || n.maker == "":
		return wrongUsage("--bundle, --bundle-maker and the rest of --bundle belong together")
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
	n.opened, err = bundle.Open(ctx, file, bundle.Policy{Maker: maker, Resolver: universal.New(universal.Config{Now: now}), MaxAge: n.maxAge, NotBefore: time.Time(n.notBefore), Now: now})
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
	local := n.loopback || n.opened != nil // a bundle asks nobody, and has what this machine had
	r := universal.New(universal.Config{Client: client, PlainLoopback: local, Now: now})
	if local {
		return r
	}
	return elsewhere{r}
}

// elsewhere does not ask this machine. A did:webvh of localhost is then one that could
// not be asked, as a did:web is, and not one that is wrong.
type elsewhere struct{ did.Resolver }

func (e elsewhere) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if id.Method() == "webvh" && onThisMachine(id.String()) {
		return (&didwebvh.Resolver{PlainLoopback: true}).Resolve(ctx, id, at) // without a client
	}
	return e.Resolver.Resolve(ctx, id, at)
}

// hint adds to an error that nobody was asked for an address of this machine, if that
// is why.
func (n *network) hint(err error, addresses ...string) error {
	if errors.Is(err, did.ErrUnavailable) && !n.offline && !n.loopback && n.opened == nil && slices.ContainsFunc(addresses, onThisMachine) {
		return hinted{err, loopbackHint}
	}
	return err
}

const loopbackHint = "it is on this machine, which --allow-loopback asks"

// A hinted error says itself what to do about it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// onThisMachine reports whether a URL, a DID or the name of a key in a DID document
// leads to an address that only --allow-loopback asks.
func onThisMachine(address string) bool {
	name, _, _ := strings.Cut(address, "#")
	if id, err := did.Parse(name); err == nil {
		switch id.Method() {
		case "web":
			address, _ = didweb.URL(id)
		case "webvh": // which has no URL there that didwebvh would name
			_, rest, _ := strings.Cut(id.SpecificID(), ":")
			host, _, _ := strings.Cut(rest, ":")
			host, _ = url.PathUnescape(host)
			address = "http://" + host
		}
	}
	u, err := url.Parse(strings.ToLower(address))
	if err != nil {
		return false
	}
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
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
