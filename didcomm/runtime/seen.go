package runtime

import (
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// A sighting is what is kept of a message that was handled.
//
//	version (1) || seconds since 1970 (8, big endian) || conflict (1) || digest (32) ||
//	outcome
type sighting struct {
	at       time.Time
	conflict bool // the same id was seen with other content, which is audited once
	digest   [32]byte
	outcome  string // empty if it is to be answered with success
}

const (
	sightingVersion = 1
	sightingSize    = 1 + 8 + 1 + 32 // without the outcome
)

func (s sighting) append(b []byte) []byte {
	b = append(b, sightingVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(s.at.Unix()))
	if s.conflict {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = append(b, s.digest[:]...)
	return append(b, s.outcome...)
}

func parseSighting(b []byte) (*sighting, error) {
	if len(b) > 0 && b[0] > sightingVersion {
		return nil, ErrVersion
	}
	if len(b) < sightingSize || b[0] != sightingVersion || b[9] > 1 {
		return nil, errUnreadable
	}
	return &sighting{
		at:       time.Unix(int64(binary.BigEndian.Uint64(b[1:])), 0),
		conflict: b[9] == 1,
		digest:   [32]byte(b[10:]),
		outcome:  string(b[sightingSize:]),
	}, nil
}

// seen returns the sighting under key, or nil.
func (t *tx) seen(key string) (*sighting, error) { return t.sighted(kindSeen, key) }

func (t *tx) sighted(kind, key string) (*sighting, error) {
	if t.store == nil {
		return nil, errEnded
	}
	data, err := t.store.Get(kind, key)
	if errors.Is(err, didcomm.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseSighting(data)
}

func (t *tx) markSeen(key string, s sighting) error { return t.mark(kindSeen, key, s) }

// mark records s with the present time, unless it has one.
func (t *tx) mark(kind, key string, s sighting) error {
	if err := t.writable(); err != nil {
		return err
	}
	if s.at.IsZero() {
		s.at = t.agent.config.Now()
	}
	return t.store.Put(kind, key, s.append(nil))
}

// late reports whether a message is too old to be acted upon: it has expired, or was made
// so long ago that it could be one whose sighting is gone.
func (a *Agent) late(m *didcomm.Message) bool {
	now := a.config.Now()
	return !m.Expires.IsZero() && now.After(m.Expires.Add(clockSkew)) || !m.Created.IsZero() && now.After(m.Created.Add(a.config.MaxAge))
}

// asks reports whether a message wants answers on the channel that it comes on.
func (in *inbound) asks() bool {
	return in.authenticated && in.reaction.anonymous == nil && (in.m.ReturnRoute == "all" || in.m.ReturnRoute == "thread")
}

// outlives reports whether a message would open a session when its sighting is gone: it
// asks for answers and does not say when it was made, or until when it counts. Who kept
// its envelope would get the letters of its sender.
func (a *Agent) outlives(in *inbound) bool {
	m, now := in.m, a.config.Now()
	dated := !m.Created.IsZero() && !m.Created.After(now.Add(clockSkew)) || !m.Expires.IsZero() && !m.Expires.After(now.Add(a.config.MaxAge))
	return in.asks() && !dated
}

// known returns the sighting of a message, or nil.
func (t *tx) known(key string, in *inbound) (*sighting, error) {
	before, err := t.seen(key)
	if before != nil || err != nil || !in.asks() {
		return before, err
	}
	return t.sighted(kindKept, key)
}

// remember keeps the sighting of a message that is handled, and of one that outlives it
// for as long as its connection.
func (t *tx) remember(key, connection string, in *inbound) error {
	s := sighting{at: t.agent.config.Now(), digest: in.digest}
	if err := t.markSeen(key, s); err != nil || !t.agent.outlives(in) {
		return err
	}
	return t.store.Put(kindKept, key, s.append(nil), tagKept+connection)
}

// tagKept is followed by the connection.
const tagKept = "connection/"

// forgetKept forgets what was kept for the life of a connection.
func (t *tx) forgetKept(connection string) error {
	var all []string
	for r, err := range t.store.Find(kindKept, tagKept+connection) {
		if err != nil {
			return err
		}
		all = append(all, r.ID)
	}
	for _, id := range all {
		if err := t.store.Delete(kindKept, id); err != nil {
			return err
		}
	}
	return nil
}

// Once keeps its keys apart from the messages that were seen, and for good.
func (t *tx) Once(key string, digest [32]byte) (bool, error) {
	before, err := t.sighted(kindOnce, key)
	if err != nil {
		return false, err
	}
	if before == nil {
		return true, t.mark(kindOnce, key, sighting{digest: digest})
	}
	if before.digest != digest {
		return false, didcomm.ErrConflict
	}
	return false, nil
}

// A pruning removes what is too old to matter, a few rows with each commit: what was
// seen, once its sender has given it up and a copy of it would be a replay for the
// protocol to refuse, and what is left of messages that were given up.
type pruning struct {
	mu   sync.Mutex
	next map[string]time.Time // by kind: when the oldest row is too old; nothing is read before
}

// pruneBatch bounds what one transaction deletes of a kind. It is more than one
// message adds, so that rows never gather.
const pruneBatch = 16

func newPruning() *pruning { return &pruning{next: make(map[string]time.Time)} }

func (p *pruning) due(kind string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !now.Before(p.next[kind])
}

func (p *pruning) set(next map[string]time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for kind, at := range next {
		p.next[kind] = at
	}
}

// prune deletes the oldest rows that are too old. It returns, by kind, when to look
// again, which counts once t has committed.
func (t *tx) prune() (map[string]time.Time, error) {
	now := t.agent.config.Now()
	next := make(map[string]time.Time)
	for _, kind := range []string{kindSeen, kindDead} {
		if !t.agent.pruning.due(kind, now) {
			continue
		}
		at, err := t.pruneKind(kind, now)
		if err != nil {
			return nil, err
		}
		next[kind] = at
	}
	return next, nil
}

func (t *tx) pruneKind(kind string, now time.Time) (next time.Time, err error) {
	keep := t.agent.config.MaxAge + clockSkew
	n := 0
	for r, err := range t.find(kind, "") { // in the order in which they were first put
		if err != nil {
			return next, err
		}
		if at := writtenAt(kind, r.Data); now.Sub(at) <= keep {
			return at.Add(keep + time.Second), nil // times are of whole seconds
		}
		if n == pruneBatch {
			return now, nil
		}
		if err := t.store.Delete(kind, r.ID); err != nil {
			return next, err
		}
		n++
	}
	return now.Add(keep), nil
}

// writtenAt returns the time in a row; the zero time if it cannot be read, which
// makes the row too old.
func writtenAt(kind string, data []byte) time.Time {
	if kind == kindSeen {
		if s, err := parseSighting(data); err == nil {
			return s.at
		}
		return time.Time{}
	}
	var d deadLetter
	_ = decodeRecord(data, &d)
	return d.Died
}
