package wallet

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
)

// An Unlocker yields the key that opens a wallet: a [Passphrase], or a key management
// service or a platform's key store. The key is at least 32 bytes long and the same
// each time for the same salt. An error means that no key could be had; it is returned
// to the caller of [Open] and does not count as a wrong key. Unlock must honour ctx if
// it waits for anything outside the process.
type Unlocker interface {
	Unlock(ctx context.Context, salt []byte) (key []byte, err error)
}

// A Salter is an [Unlocker] that makes its own salts. [Create] asks it for one and
// keeps it beside the wallet, readable; it is the place for the parameters of a key
// derivation. Other Unlockers are given 32 random bytes.
type Salter interface {
	Unlocker
	NewSalt(rand io.Reader) ([]byte, error)
}

// A Passphrase opens a wallet by Argon2id version 1.3 (RFC 9106) with 3 passes over
// 64 MiB in 4 lanes, the second recommended choice of its section 4. The parameters are
// part of the salt, so that they can rise without shutting out older wallets; weaker
// ones than these are refused.
//
// Printing a Passphrase gives a fixed word. Package fmt calls no methods, and so prints
// the passphrase, where one lies in an unexported field of another struct, or where the
// verb is %p, which go vet reports.
type Passphrase string

var _ Salter = Passphrase("")

// Argon2id parameters. The upper limits keep a changed salt from exhausting memory.
const (
	argonPasses, maxArgonPasses = 3, 64
	argonMemory, maxArgonMemory = 64 << 10, 1 << 20 // KiB
	argonLanes, maxArgonLanes   = 4, 64
	argonRandom                 = 16 // bytes of salt proper; RFC 9106 section 3.1
)

// argonSalt is the salt of a Passphrase:
//
//	'a' (1) || passes (1) || KiB (4, big endian) || lanes (1) || random (16)
type argonSalt struct {
	passes, memory uint32
	lanes          uint8
	random         []byte
}

var errSalt = fmt.Errorf("%w: salt, or it is not for a passphrase", ErrTampered)

func parseArgonSalt(b []byte) (argonSalt, error) {
	if len(b) != 7+argonRandom || b[0] != 'a' {
		return argonSalt{}, errSalt
	}
	s := argonSalt{uint32(b[1]), binary.BigEndian.Uint32(b[2:]), b[6], b[7:]}
	if s.passes < argonPasses || s.passes > maxArgonPasses ||
		s.memory < argonMemory || s.memory > maxArgonMemory ||
		s.lanes < 1 || s.lanes > maxArgonLanes {
		return argonSalt{}, errSalt
	}
	return s, nil
}

func (s argonSalt) append(b []byte) []byte {
	b = append(b, 'a', byte(s.passes))
	b = binary.BigEndian.AppendUint32(b, s.memory)
	b = append(b, s.lanes)
	return append(b, s.random...)
}

var errEmpty = fmt.Errorf("%w: empty passphrase", ErrInvalid)

// NewSalt implements [Salter]. An empty passphrase is [ErrInvalid].
func (p Passphrase) NewSalt(rand io.Reader) ([]byte, error) {
	if p == "" {
		return nil, errEmpty
	}
	s := argonSalt{argonPasses, argonMemory, argonLanes, make([]byte, argonRandom)}
	if _, err := io.ReadFull(rand, s.random); err != nil {
		return nil, fmt.Errorf("wallet: random source: %w", err)
	}
	return s.append(nil), nil
}

// Unlock implements [Unlocker]. It uses 64 MiB of memory and some tenths of a second;
// ctx is looked at only before it begins. An empty passphrase is [ErrInvalid].
func (p Passphrase) Unlock(ctx context.Context, salt []byte) ([]byte, error) {
	if p == "" {
		return nil, errEmpty
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := parseArgonSalt(salt)
	if err != nil {
		return nil, err
	}
	secret := []byte(p)
	defer clear(secret)
	return argon2.IDKey(secret, s.random, s.passes, s.memory, s.lanes, keySize), nil
}
