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
	// own, and no record of one opens in another. Tenant is stored as a hash.
	Tenant string

	// Now is the clock, [time.Now] if nil.
	Now func() time.Time

	// Rand is the source of keys and nonces, [crypto/rand.Reader] if nil. It is
	// there for tests: with another one, nothing the wallet holds is secret.
	Rand io.Reader
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
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
	if h.salt, err = newSalt(c.Rand, u); err != nil {
		return nil, err
	}
	if len(h.salt) > maxSalt {
		return nil, fmt.Errorf("wallet: salt longer than %d bytes", maxSalt)
	}
	root, err := u.Unlock(ctx, h.salt)
	if err != nil {
		return nil, fmt.Errorf("wallet: unlock: %w", err)
	}
	defer clear(root)
	var dataKey [keySize]byte
	defer clear(dataKey[:])
	if _, err := io.ReadFull(c.Rand, dataKey[:]); err != nil {
		return nil, fmt.Errorf("wallet: random source: %w", err)
	}
	if err := h.wrap(c.Rand, c.Tenant, root, &dataKey); err != nil {
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
// returns a [BackoffError] until a waiting time is over, whatever the key. The count is
// kept in the store. Opens of one store run one after another, so that parallel
// guesses gain nothing.
//
// The wallet then owns s and closes it; after an error, s is still the caller's.
func Open(ctx context.Context, s Store, u Unlocker, c Config) (*Wallet, error) {
	c = c.withDefaults()
	var dataKey [keySize]byte
	defer clear(dataKey[:])
	var refused error // counted or to be waited for: not an error of the transaction
	err := s.Update(ctx, func(tx StoreTx) error {
		var err error
		refused, err = unlock(ctx, tx, u, c, &dataKey)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return newWallet(s, c, &dataKey)
}

// unlock fills dataKey, or says why it is refused and keeps count.
func unlock(ctx context.Context, tx StoreTx, u Unlocker, c Config, dataKey *[keySize]byte) (refused, err error) {
	id := headerID(c.Tenant)
	tries, err := loadAttempts(tx, id)
	if err != nil {
		return nil, err
	}
	now := c.Now()
	if tries.last.After(now) {
		// The clock was set back. The wait begins anew, rather than lasting until
		// the clock has caught up.
		tries.last = now
		if err := tx.Put([]byte(attemptsKind), id, tries.append(nil), nil); err != nil {
			return nil, err
		}
	}
	if left := tries.left(now); left > 0 {
		return &BackoffError{Wait: left}, nil
	}
	h, err := loadHeader(tx, id, c.Rand, u)
	if err != nil {
		return nil, err
	}
	root, err := u.Unlock(ctx, h.salt)
	if err != nil {
		return nil, fmt.Errorf("wallet: unlock: %w", err)
	}
	defer clear(root)
	err = h.unwrap(c.Tenant, root, dataKey)
	switch {
	case errors.Is(err, ErrLocked):
		tries = tries.failed(c.Now())
		return ErrLocked, tx.Put([]byte(attemptsKind), id, tries.append(nil), nil)
	case err != nil:
		return nil, err
	case tries.failures > 0:
		return nil, tx.Delete([]byte(attemptsKind), id)
	}
	return nil, nil
}

func loadAttempts(tx StoreTx, id []byte) (attempts, error) {
	b, err := tx.Get([]byte(attemptsKind), id)
	if errors.Is(err, ErrNotFound) {
		return attempts{}, nil
	}
	if err != nil {
		return attempts{}, err
	}
	return parseAttempts(b)
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
	return &Wallet{store: s, secrets: keys, keys: newKeyring(), now: c.Now, rand: c.Rand}, nil
}
