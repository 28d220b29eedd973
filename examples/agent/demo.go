package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
)

// A demo runs the three roles on this machine.
type demo struct {
	options
	record     staffRecord
	passphrase wallet.Passphrase
	out        io.Writer // for the person or program that reads the result
	log        io.Writer // for the operator: never a claim
	debug      bool      // log what happens, not only what fails
	hooks      hooks

	now  func() time.Time // nil: time.Now
	fail func(error)      // told when a role cannot go on; nil before run

	employer *employer
	staff    *staff
	host     *host
}

// hooks are there for tests. Each may be nil.
type hooks struct {
	tune     func(role string, c *runtime.Config)           // changes how a role's messaging runs
	store    func(role string, s wallet.Store) wallet.Store // goes between a wallet and its file
	unlocker wallet.Unlocker                                // instead of the passphrase, whose slowness tests need not prove again
}

// run opens the three roles, starts them, and walks the line or waits. It returns
// nil when the line was walked, or when ctx ended while it waited.
func (d *demo) run(ctx context.Context) error {
	if d.dataDir == "" {
		dir, err := os.MkdirTemp("", "staffpassport-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		d.dataDir = dir
	}
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	d.fail = fail
	defer d.close()
	err := d.open(running)
	if err == nil {
		for _, p := range d.parties() {
			p.start(running)
		}
	}
	if d.auto {
		return d.walk(running, err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(d.out, "Three roles are running on this machine only. Each link works once:")
	for _, p := range d.parties() {
		fmt.Fprintf(d.out, "  %-9s %s\n", p.role, p.site.link(p.base()))
	}
	fmt.Fprintln(d.out, "Stop with Ctrl-C.")
	<-running.Done()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(running)
}

// open opens the three roles. The member of staff and the host are told whose
// passports count, as a register of organisations would. After an error the caller
// closes what is open.
func (d *demo) open(ctx context.Context) (err error) {
	level := slog.LevelError
	if d.debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: level}))
	if d.now == nil {
		d.now = time.Now
	}
	unlocker := d.hooks.unlocker
	switch {
	case unlocker != nil:
	case d.passphrase != "":
		unlocker = d.passphrase
	default:
		unlocker = newThrowawayKey()
	}
	config := func(role, label string, offset int) partyConfig {
		c := partyConfig{role: role, label: label, dir: d.dataDir, unlocker: unlocker, anyPort: d.anyPort, log: log, now: d.now, fail: d.fail}
		if d.basePort != 0 {
			c.port = d.basePort + offset
		}
		if f := d.hooks.tune; f != nil {
			c.tune = func(c *runtime.Config) { f(role, c) }
		}
		if f := d.hooks.store; f != nil {
			c.store = func(s wallet.Store) wallet.Store { return f(role, s) }
		}
		return c
	}
	if d.employer, err = openEmployer(ctx, config("employer", "Alder Valley Hospitals", 0), d.record); err != nil {
		return err
	}
	registered := verify.TrustedIssuers{d.employer.did(): {schema.Type}}
	if d.staff, err = openStaff(ctx, config("staff", "My wallet", 1), registered); err != nil {
		return err
	}
	visited := config("host", "Riverside Hospital", 2)
	visited.listen = d.auto
	d.host, err = openHost(ctx, visited, registered)
	return err
}

// parties returns the roles that are open.
func (d *demo) parties() []*party {
	var out []*party
	if d.employer != nil {
		out = append(out, d.employer.party)
	}
	if d.staff != nil {
		out = append(out, d.staff.party)
	}
	if d.host != nil {
		out = append(out, d.host.party)
	}
	return out
}

// close ends the roles that are open. Closing twice is allowed.
func (d *demo) close() {
	for _, p := range d.parties() {
		p.close()
	}
}

// waitFor returns once ready says so, looking again after every commit of p.
func waitFor(ctx context.Context, p *party, ready func() (bool, error)) error {
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		seen := p.agent.Commits()
		ok, err := ready()
		if err != nil || ok {
			return err
		}
		if _, err := p.agent.Wait(limit, seen); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("agent: %s waited %v in vain", p.role, patience)
		}
	}
}

// patience is how long a step of the line may take. Parties on one machine answer
// in milliseconds; a slow machine under test is given much more.
const patience = time.Minute
