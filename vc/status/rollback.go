package status

import (
	"container/list"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
)

// An origin is what lists that take each other's place have in common.
type origin struct {
	url    string
	signer did.DID
	token  bool
}

// An edition is what is remembered of the newest list of an origin.
type edition struct {
	made   time.Time
	digest [sha256.Size]byte // of what it says
	turn   uint64            // when it was noted: a fetch that began before may bring an older one
}

// errAgain: a newer list was seen while this one was on its way, and is not held.
var errAgain = errors.New("status: to be asked for again")

// settle returns the list to go by: the fetched one, which is held from now on, or the
// newer one that was fetched meanwhile. A list older than the newest that anybody who
// speaks for the issuers signed is refused, if it was asked for after that was seen.
func (l *Lists) settle(h *held, issuers []did.DID) (*held, error) {
	if h.kept && l.only(h.signer, issuers) {
		return h, nil // the newest of its only origin
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	newest := l.newestOf(h, issuers)
	current, e := l.find(h.url)
	switch {
	case !h.made.Before(newest.made) && h.kept:
		return h, nil
	case !h.made.Before(newest.made):
		return l.keep(h)
	case h.kept:
		if current == h {
			l.drop(e)
		}
		return nil, errAgain
	case h.began >= newest.turn:
		return nil, ErrRollback
	case e != nil && current.token == h.token && !current.made.Before(newest.made) && l.speaksFor(current.signer, issuers):
		return current, nil
	}
	return nil, errAgain
}

// only reports whether nobody but signer speaks for the issuers.
func (l *Lists) only(signer did.DID, issuers []did.DID) bool {
	return !slices.ContainsFunc(issuers, func(i did.DID) bool { return i != signer || len(l.Delegates[i]) > 0 })
}

// newestOf returns the newest edition, of the URL of h, by anybody who speaks for the
// issuers.
func (l *Lists) newestOf(h *held, issuers []did.DID) (newest edition) {
	for _, i := range issuers {
		for _, signer := range append([]did.DID{i}, l.Delegates[i]...) {
			if e, known := l.newest[origin{h.url, signer, h.token}]; known && (newest.made.Before(e.made) || newest.turn == 0) {
				newest = e
			}
		}
	}
	return newest
}

// keep holds a list that one of those who asked relies on, and returns what they go
// by: of two lists with one date, what either withdraws is withdrawn. Where the one is
// no longer held, or is of another shape, that cannot be said, and the other is refused.
func (l *Lists) keep(fetched *held) (*held, error) {
	h := l.hold(*fetched)
	from := origin{h.url, h.signer, h.token}
	said := h.digest()
	old, e := l.find(h.url)
	if seen, known := l.newest[from]; known && seen.made.Equal(h.made) && seen.digest != said {
		if e == nil || old.signer != h.signer || !old.made.Equal(h.made) || !old.alike(h) {
			return nil, noList("of the same date as another one")
		}
		h.table = h.either(old.table)
		said = h.digest()
	}
	l.note(from, h.made, said)
	if e != nil {
		l.drop(e)
	}
	if l.held == nil {
		l.held = make(map[string]*list.Element)
	}
	l.held[h.url] = l.used.PushFront(h)
	l.bytes += len(h.b)
	most := l.MaxBytes
	if most == 0 {
		most = defaultMaxBytes
	}
	for l.bytes > most && l.used.Len() > 0 {
		l.drop(l.used.Back())
	}
	return h, nil
}

// alike reports whether entries mean the same in both lists.
func (h *held) alike(of *held) bool {
	return len(h.b) == len(of.b) && h.width == of.width && h.table.token == of.table.token && slices.Equal(h.purposes, of.purposes)
}

// digest tells lists of one origin and date apart.
func (h *held) digest() (sum [sha256.Size]byte) {
	d := sha256.New()
	d.Write(h.b)
	d.Write([]byte{0, byte(h.width)})
	for _, p := range h.purposes {
		d.Write([]byte(p))
		d.Write([]byte{0})
	}
	d.Sum(sum[:0])
	return sum
}

// maxOrigins bounds the editions remembered: 40 MB of the longest URLs. Only lists that
// the issuers of credentials made are among them.
const maxOrigins = 16_384

// note remembers the newest list of an origin. Where there are too many, the oldest goes.
func (l *Lists) note(from origin, made time.Time, digest [sha256.Size]byte) {
	if l.newest == nil {
		l.newest = make(map[origin]edition)
	}
	seen, known := l.newest[from]
	if !known && len(l.newest) >= maxOrigins {
		var oldest origin
		first := true
		for o, e := range l.newest {
			if first || e.made.Before(l.newest[oldest].made) {
				oldest, first = o, false
			}
		}
		delete(l.newest, oldest)
	}
	if !known || !seen.made.Equal(made) {
		l.turn++
		seen = edition{made: made, turn: l.turn}
	}
	seen.digest = digest
	l.newest[from] = seen
}
