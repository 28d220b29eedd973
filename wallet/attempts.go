package wallet

import (
	"encoding/binary"
	"errors"
	"time"
)

// After freeAttempts wrong keys in a row, opening is refused for firstWait, and after
// each further one for twice as long as before, up to lastWait. It slows down someone
// who guesses through a program; someone who has a copy of the store is slowed down
// by Argon2id alone.
const (
	freeAttempts = 5
	firstWait    = 30 * time.Second
	lastWait     = time.Hour
)

// attempts counts wrong keys since the last right one. It is kept readable in the
// store, and for a tenant without a wallet too, so that the answers are the same.
//
//	version (1) || failures (4, big endian) || time of the last, ns since 1970 (8)
type attempts struct {
	failures uint32
	last     time.Time
}

const (
	attemptsVersion = 1
	attemptsSize    = 13
)

func parseAttempts(b []byte) (attempts, error) {
	if len(b) > 0 && b[0] > attemptsVersion {
		return attempts{}, ErrVersion
	}
	if len(b) != attemptsSize || b[0] != attemptsVersion {
		return attempts{}, ErrTampered
	}
	return attempts{
		failures: binary.BigEndian.Uint32(b[1:]),
		last:     time.Unix(0, int64(binary.BigEndian.Uint64(b[5:]))),
	}, nil
}

func (a attempts) append(b []byte) []byte {
	b = append(b, attemptsVersion)
	b = binary.BigEndian.AppendUint32(b, a.failures)
	return binary.BigEndian.AppendUint64(b, uint64(a.last.UnixNano()))
}

// failed returns a with one more failure.
func (a attempts) failed(now time.Time) attempts {
	if a.failures < 1<<31 {
		a.failures++
	}
	a.last = now
	return a
}

// wait returns how long after the last failure nothing is tried.
func (a attempts) wait() time.Duration {
	if a.failures < freeAttempts {
		return 0
	}
	n := a.failures - freeAttempts
	if n > 16 || firstWait<<n > lastWait {
		return lastWait
	}
	return firstWait << n
}

// left returns how much of the wait is left.
func (a attempts) left(now time.Time) time.Duration {
	return max(0, a.wait()-now.Sub(a.last))
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

// save stores a behind all others, so that the first are those that rested longest.
func (a attempts) save(tx StoreTx, id []byte) error {
	if err := tx.Delete([]byte(attemptsKind), id); err != nil {
		return err
	}
	return tx.Put([]byte(attemptsKind), id, a.append(nil), nil)
}

// Counts that rested for attemptsRest are forgotten, a few each time a key is tried: a
// count is also kept of every tenant that somebody made up. That leaves a guesser
// fewer attempts than waiting does.
const (
	attemptsRest  = 24 * time.Hour
	attemptsBatch = 16
)

func pruneAttempts(tx StoreTx, now time.Time) error {
	n := 0
	for row, err := range tx.Find([]byte(attemptsKind), nil) {
		if err != nil {
			return err
		}
		if n++; n > attemptsBatch {
			return nil
		}
		a, err := parseAttempts(row.Sealed)
		if err != nil || now.Sub(a.last) < attemptsRest { // whoever opens that one is told
			continue
		}
		if err := tx.Delete([]byte(attemptsKind), row.ID); err != nil {
			return err
		}
	}
	return nil
}
