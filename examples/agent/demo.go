package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
)

// A demo runs the three roles on this machine.
type demo struct {
	options
	record     staffRecord
	passphrase wallet.Passphrase
	out        io.Writer        // for the person or program that reads the result
	log        io.Writer        // for the operator: never a claim
	now        func() time.Time // nil: time.Now
	failpoint  func(string)     // nil but in tests

	employer *employer
	staff    *staff
	host     *host
}

// run opens the three roles, starts them, and walks the line or waits.
func (d *demo) run(ctx context.Context) error {
	if d.dataDir == "" {
		dir, err := os.MkdirTemp("", "staffpassport-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		d.dataDir = dir
	}
	if err := d.open(ctx); err != nil {
		return err
	}
	defer d.close()
	for _, p := range d.parties() {
		p.start(ctx)
	}
	if d.auto {
		return d.walk(ctx)
	}
	fmt.Fprintln(d.out, "Three roles are running on this machine only. Each link works once:")
	for _, p := range d.parties() {
		fmt.Fprintf(d.out, "  %-9s %s\n", p.role, p.site.link(p.base()))
	}
	fmt.Fprintln(d.out, "Stop with Ctrl-C.")
	<-ctx.Done()
	return nil
}

// open opens the three roles. The member of staff and the host are told whose
// passports count, as a register of organisations would.
func (d *demo) open(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	level := slog.LevelError
	if os.Getenv("STAFFPASSPORT_DEBUG") != "" {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: level}))
	if d.now == nil {
		d.now = time.Now
	}
	config := func(role, label string, offset int) partyConfig {
		c := partyConfig{role: role, label: label, dir: d.dataDir, passphrase: d.passphrase, log: log, now: d.now, failpoint: d.failpoint}
		if d.basePort != 0 {
			c.port = d.basePort + offset
		}
		return c
	}
	if d.employer, err = openEmployer(ctx, config("employer", "Fernhill Hospital", 0), d.record); err != nil {
		return err
	}
	registered := verify.TrustedIssuers{d.employer.did(): {schema.Type}}
	if d.staff, err = openStaff(ctx, config("staff", "My wallet", 1), registered); err != nil {
		return err
	}
	d.host, err = openHost(ctx, config("host", "Riverside Hospital", 2), registered)
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

func (d *demo) close() {
	for _, p := range d.parties() {
		p.close()
	}
}

// waitFor returns once ready says so, looking again after every commit of p.
func waitFor(ctx context.Context, p *party, ready func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		seen := p.agent.Commits()
		ok, err := ready()
		if err != nil || ok {
			return err
		}
		if _, err := p.agent.Wait(ctx, seen); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("agent: %s waited %v in vain", p.role, patience)
			}
			return err
		}
	}
}

// patience is how long a step of the line may take. Parties on one machine answer
// in milliseconds; a slow machine under test is given much more.
const patience = time.Minute
