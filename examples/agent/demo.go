package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm/mediate"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/wallet"
)

// A demo runs the four roles on this machine.
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

	employer  *employer
	authority *authority
	staff     *staff
	host      *host
}

// hooks are there for tests. Each may be nil.
type hooks struct {
	tune      func(role string, c *runtime.Config)           // changes how a role's messaging runs
	store     func(role string, s wallet.Store) wallet.Store // goes between a wallet and its file
	failpoint func(role, point string)                       // is called at each of failpoints
	unlocker  wallet.Unlocker                                // instead of the passphrase, whose slowness tests need not prove again
}

// run opens the four roles, starts them, and walks the line or waits. It returns
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
		if err == nil {
			err = d.staff.reachable(running)
		}
		return d.walk(running, err)
	}
	if err != nil {
		return err
	}
	go func() {
		if err := d.staff.reachable(running); errors.Is(err, errNotMediated) {
			fail(err)
		}
	}()
	fmt.Fprintln(d.out, "Four roles are running on this machine only. Each link works once:")
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

// open opens the four roles. A new register begins with the two organisations. The
// member of staff and the host are told where the register is, and whose. After an
// error the caller closes what is open.
func (d *demo) open(ctx context.Context) (err error) {
	level := slog.LevelError
	if d.debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: level}))
	d.now = clockOr(d.now)
	unlocker := d.hooks.unlocker
	switch {
	case unlocker != nil:
	case d.passphrase != "":
		unlocker = d.passphrase
	default:
		unlocker = newThrowawayKey()
	}
	config := func(role, label string, offset int) partyConfig {
		c := partyConfig{role: role, label: label, dir: d.dataDir, unlocker: unlocker, anyPort: d.anyPort, portFlag: "-base-port", log: log, now: d.now, fail: d.fail, chaos: d.chaos, version: d.version}
		if d.basePort != 0 {
			c.port = d.basePort + offset
		}
		if f := d.hooks.tune; f != nil {
			c.tune = func(c *runtime.Config) { f(role, c) }
		}
		if f := d.hooks.store; f != nil {
			c.store = func(s wallet.Store) wallet.Store { return f(role, s) }
		}
		if f := d.hooks.failpoint; f != nil {
			c.failpoint = func(point string) { f(role, point) }
		}
		return c
	}
	if d.employer, err = openEmployer(ctx, config("employer", "Alder Valley Hospitals", 0), d.record); err != nil {
		return err
	}
	if d.authority, err = openAuthority(ctx, config("authority", "Register of organisations", 3)); err != nil {
		return err
	}
	from := registry{d.authority.did(), d.authority.address()}
	reached := config("staff", "My wallet", 1)
	reached.mediator = d.mediator
	if d.staff, err = openStaff(ctx, reached, from); err != nil {
		return err
	}
	if m := d.staff.mediated; m != nil && m.invitation.Version.Or1() != d.version.Or1() {
		return fmt.Errorf("the wallet's mediator speaks DIDComm %d: say -didcomm %[1]d here, or start another mediator", m.invitation.Version.Or1())
	}
	visited := config("host", "Riverside Hospital", 2)
	visited.listen = d.auto
	if d.host, err = openHost(ctx, visited, from); err != nil {
		return err
	}
	return d.authority.enrol(ctx, d.organisations()...)
}

// organisations are those that a new register begins with.
func (d *demo) organisations() []trust.Organisation {
	entry := func(p *party, ods string, id did.DID) trust.Organisation {
		return trust.Organisation{ODS: ods, Name: p.label, DIDs: []did.DID{id}, From: d.now(), RegisteredBy: "HR Director"}
	}
	employer := entry(d.employer.party, "Z0Z1Z", d.employer.did())
	employer.Issues, employer.Receives = passports(), passports()
	host := entry(d.host.party, "Z1Z0Z", d.host.did())
	host.Receives = passports()
	return []trust.Organisation{employer, host}
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
	if d.authority != nil {
		out = append(out, d.authority.party)
	}
	return out
}

// close ends the roles that are open. Closing twice is allowed.
func (d *demo) close() {
	for _, p := range d.parties() {
		p.close()
	}
}

// errNotMediated says that whoever invited the wallet is no mediator for it.
var errNotMediated = errors.New("the mediator's invitation cannot be used: who answers there does not keep messages for this wallet")

// reachable waits until the mediator of the wallet, if it has one, has agreed.
func (s *staff) reachable(ctx context.Context) error {
	if s.mediated == nil {
		return nil
	}
	return waitFor(ctx, s.party, func() (bool, error) {
		_, ok, err := s.mediated.granted(ctx)
		if err != nil || ok {
			return ok, err
		}
		all, err := s.mediated.mediation.Mediations(ctx)
		if slices.ContainsFunc(all, func(m mediate.Mediation) bool { return m.State == mediate.Denied }) {
			err = errNotMediated
		}
		return false, err
	})
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
			return fmt.Errorf("%s waited %v in vain", p.role, patience)
		}
	}
}

// patience is how long a step of the line may take. Parties on one machine answer
// in milliseconds; a slow machine under test is given much more.
const patience = time.Minute

// clockOr returns a clock, or the system's for none.
func clockOr(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}
