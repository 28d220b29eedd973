package wallet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"
)

// A Config says which wallet of a store is meant. Its zero value is ready to use.
type Config struct {
	// Tenant names one of several wallets in a store. Each has a data key of its
	// own, and no record of one opens in another. Tenant is stored as a hash. Since
	// an open wallet owns its [Store], two can be open at once only over two Store
	// values that share their bytes, as a database server's may.
	Tenant string

	// Now is the clock, [time.Now] if nil.
	Now func() time.Time

	// UnsafeRand is the source of keys and nonces, [crypto/rand.Reader] if nil. It
	// is there for tests: with another one, nothing the wallet holds is secret.
	UnsafeRand io.Reader
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.UnsafeRand == nil {
		c.UnsafeRand = rand.Reader
	}
	return c
}

// Exists reports whether the store holds a wallet for c.Tenant. It needs no key.
func Exists(ctx context.Context, s Store, c Config) (bool, error) {
	found := false
	err := s.View(ctx, func(tx StoreTx) error {
		_, err := tx.Get([]byte(headerKind), headerID(c.Tenant))
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		found = err == nil
		return err
	})
	return found, err
}

// Create makes a wallet in s and opens it. It returns [ErrExists] if there is one. The
// wallet then owns s and closes it; after an error, s is still the caller's.
func Create(ctx context.Context, s Store, u Unlocker, c Config) (*Wallet, error) {
	c = c.withDefaults()
	h := &header{}
	var err error
	if h.salt, err = newSalt(c.UnsafeRand, u); err != nil {
		return nil, err
	}
	if len(h.salt) > maxSalt {
		return nil, fmt.Errorf("%w: salt longer than %d bytes", ErrInvalid, maxSalt)
	}
	root, err := u.Unlock(ctx, h.salt)
	if err != nil {
		return nil, fmt.Errorf("wallet: unlock: %w", err)
	}
	defer clear(root)
	var dataKey [keySize]byte
	defer clear(dataKey[:])
	if _, err := io.ReadFull(c.UnsafeRand, dataKey[:]); err != nil {
		return nil, fmt.Errorf("wallet: random source: %w", err)
	}
	if err := h.wrap(c.UnsafeRand, c.Tenant, root, &dataKey); err != nil {
		return nil, err
	}
	id := headerID(c.Tenant)
	err = s.Update(ctx, func(tx StoreTx) error {
		switch _, err := tx.Get([]byte(headerKind), id); {
		case err == nil:
			return ErrExists
		case !errors.Is(err, ErrNotFound):
			return err
		}
		if err := tx.Delete([]byte(attemptsKind), id); err != nil {
			return err
		}
		return tx.Put([]byte(headerKind), id, h.append(nil), nil)
	})
	if err != nil {
		return nil, err
	}
	return newWallet(s, c, &dataKey)
}

// Open opens the wallet in s. It returns [ErrLocked] if u does not open it or there
// is none, after the same work in both cases; after five wrong keys in a row it
// returns a [BackoffError] until a waiting time is over, whatever the key. An attempt
// is counted in the store before u is asked, so that neither parallel guesses nor
// ending the process gains anything, and taken back if the key was right or none
// could be had. No transaction is open while u works.
//
// The wallet then owns s and closes it; after an error, s is still the caller's. One
// Store value so serves one open wallet.
func Open(ctx context.Context, s Store, u Unlocker, c Config) (*Wallet, error) {
	c = c.withDefaults()
	var a *attempt
	var refused error // not an error of the transaction, which commits
	err := s.Update(ctx, func(tx StoreTx) (err error) {
		a, refused, err = begin(tx, u, c)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	var dataKey [keySize]byte
	defer clear(dataKey[:])
	err = a.unlock(ctx, u, c, &dataKey)
	if errors.Is(err, ErrLocked) {
		return nil, err // it was counted
	}
	// What was counted is taken back also if ctx has ended.
	if uerr := s.Update(context.WithoutCancel(ctx), func(tx StoreTx) error { return a.settle(tx, err == nil) }); err == nil {
		err = uerr
	}
	if err != nil {
		return nil, err
	}
	return newWallet(s, c, &dataKey)
}

// An attempt is one try at a wallet's key, which is counted as wrong until it is known
// to be right.
type attempt struct {
	id     []byte
	header *header
	before attempts
	now    attempts
}

// begin counts an attempt, or says why there is none.
func begin(tx StoreTx, u Unlocker, c Config) (a *attempt, refused, err error) {
	a = &attempt{id: headerID(c.Tenant)}
	if a.before, err = loadAttempts(tx, a.id); err != nil {
		return nil, nil, err
	}
	now := c.Now()
	if a.before.last.After(now) {
		// The clock was set back. The wait begins anew, rather than lasting until
		// the clock has caught up.
		a.before.last = now
		if err := a.before.save(tx, a.id); err != nil {
			return nil, nil, err
		}
	}
	if left := a.before.left(now); left > 0 {
		return nil, &BackoffError{Wait: left}, nil
	}
	if a.header, err = loadHeader(tx, a.id, c.UnsafeRand, u); err != nil {
		return nil, nil, err
	}
	if err := pruneAttempts(tx, now); err != nil {
		return nil, nil, err
	}
	a.now = a.before.failed(now)
	return a, nil, a.now.save(tx, a.id)
}

// unlock fills dataKey. It returns ErrLocked if u's key is not the right one.
func (a *attempt) unlock(ctx context.Context, u Unlocker, c Config, dataKey *[keySize]byte) error {
	root, err := u.Unlock(ctx, a.header.salt)
	if err != nil {
		return fmt.Errorf("wallet: unlock: %w", err)
	}
	defer clear(root)
	return a.header.unwrap(c.Tenant, root, dataKey)
}

// settle takes an attempt back. After a right key nothing counts any more.
func (a *attempt) settle(tx StoreTx, right bool) error {
	if right {
		return tx.Delete([]byte(attemptsKind), a.id)
	}
	tries, err := loadAttempts(tx, a.id)
	if err != nil || tries.failures == 0 { // a right key came in between
		return err
	}
	tries.failures--
	if tries.last.Equal(a.now.last) {
		tries.last = a.before.last
	}
	if tries.failures == 0 {
		return tx.Delete([]byte(attemptsKind), a.id)
	}
	return tries.save(tx, a.id)
}

// loadHeader returns the wallet's header, or one that no key opens if there is no
// wallet.
func loadHeader(tx StoreTx, id []byte, rand io.Reader, u Unlocker) (*header, error) {
	b, err := tx.Get([]byte(headerKind), id)
	if err == nil {
		return parseHeader(b)
	}
	if !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	h := &header{wrapped: make([]byte, wrappedSize)}
	if h.salt, err = newSalt(rand, u); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(rand, h.wrapped); err != nil {
		return nil, fmt.Errorf("wallet: random source: %w", err)
	}
	return h, nil
}

func newSalt(rand io.Reader, u Unlocker) ([]byte, error) {
	if s, ok := u.(Salter); ok {
		return s.NewSalt(rand)
	}
	salt := make([]byte, 32)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return nil, fmt.Errorf("wallet: random source: %w", err)
	}
	return salt, nil
}

func newWallet(s Store, c Config, dataKey *[keySize]byte) (*Wallet, error) {
	keys, err := newSecrets(c.Tenant, dataKey)
	if err != nil {
		return nil, err
	}
	return &Wallet{store: s, secrets: keys, keys: newKeyring(), now: c.Now, rand: c.UnsafeRand}, nil
}
