package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
)

// A registry is where the list of registered organisations is found, and who signs it:
// all that a role that relies on it is told beforehand.
type registry struct {
	authority did.DID
	url       string
}

// A register is the list as a role that relies on it has it: a copy in its wallet, which
// is fetched again when it is used and older than listFresh. While the authority is away
// the copy counts until it is older than listMaxAge.
type register struct {
	*trust.Registry
	now func() time.Time
	log *slog.Logger

	mu     sync.Mutex
	tried  time.Time
	failed error // of the latest try
}

const (
	// listFresh is how old a copy is used without asking: what the authority removes is
	// refused a minute later.
	listFresh = time.Minute
	// listMaxAge is how long after it was signed a copy decides anything. It was signed
	// at most a day before it was fetched: two days on which the authority cannot be
	// reached do not stop a ward.
	listMaxAge = 3 * 24 * time.Hour
)

var _ verify.Trust = (*register)(nil)

// openRegister opens the role's copy of a list, which may be none yet.
func (p *party) openRegister(ctx context.Context, from registry) (*register, error) {
	r, err := trust.Open(ctx, trust.Config{
		Authority: from.authority, ID: from.url, Resolver: p.resolver, Client: p.web, URL: from.url, MaxAge: listMaxAge,
		Store: listCopy{p.wallet}, Now: p.now,
	})
	if err != nil {
		return nil, err
	}
	return &register{Registry: r, now: p.now, log: p.log}, nil
}

// Trusted implements [verify.Trust].
func (r *register) Trusted(ctx context.Context, issuer did.DID, types []string, at time.Time) error {
	r.refresh(ctx)
	return r.Registry.Trusted(ctx, issuer, types, at)
}

// refresh asks for the list unless that was done lately. Without an answer the copy
// decides, as long as it may.
func (r *register) refresh(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if now.Sub(r.Checked()) > listFresh && (r.Usable(now) != nil || now.Sub(r.tried) > listFresh) {
		_ = r.ask(ctx)
	}
}

// fetch asks for the list now.
func (r *register) fetch(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ask(ctx)
}

func (r *register) ask(ctx context.Context) error {
	r.tried = r.now()
	if r.failed = r.Update(ctx); r.failed != nil {
		r.log.Warn("list of organisations", "err", r.failed)
	}
	return r.failed
}

// refused says why the list that was fetched last was not taken, in words; empty if it
// was.
func (r *register) refused() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch err := r.failed; {
	case err == nil:
		return ""
	case errors.Is(err, trust.ErrRollback):
		return "The list that was fetched last is older than this one, or another with its number. It was refused."
	case errors.Is(err, trust.ErrAuthority), errors.Is(err, verify.ErrProof):
		return "The list that was fetched last is not signed by the register's authority. It was refused."
	case errors.Is(err, did.ErrUnavailable), errors.Is(err, did.ErrNotFound), errors.Is(err, verify.ErrUnavailable):
		return "The register could not be reached when the list was last asked for."
	}
	return "The list that was fetched last could not be used."
}

// A listCopy is a copy of the list in a wallet.
type listCopy struct{ wallet *wallet.Wallet }

const recordOrganisations = "registered-organisations"

var _ trust.Store = listCopy{}

// Update implements [trust.Store].
func (c listCopy) Update(ctx context.Context, change func([]byte) ([]byte, error)) error {
	return c.wallet.Update(ctx, func(tx *wallet.Tx) error {
		record, err := tx.Get(kindAgent, recordOrganisations)
		if err != nil && !errors.Is(err, wallet.ErrNotFound) {
			return err
		}
		if record, err = change(record); err != nil || record == nil {
			return err
		}
		return tx.Put(kindAgent, recordOrganisations, record)
	})
}

// statusLists are the status lists that a role has seen. One that decides about a person
// once, and relies on it for weeks, asks each time.
func (p *party) statusLists(each bool) *status.Lists {
	l := &status.Lists{Client: p.web}
	if each {
		l.MaxAge = -1
	}
	return l
}
