package verify

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

// Replay sees to it that a nonce is used once. Use returns nil the first time it
// is called with a nonce and an error matching [ErrReplay] every other time, also
// if the calls come at the same instant; any other error leaves the check
// undecided. It is called last, when everything else about a presentation is
// good, so that nobody can use up a nonce with a presentation that fails.
// Implementations are safe for concurrent use.
type Replay interface {
	Use(ctx context.Context, nonce string) error
}

// NonceUsedOnceByCaller is a [Replay] for a caller that sees to it by itself: it
// keeps the nonce of each request with the request, and takes one answer. It is
// right for a protocol with one nonce an exchange, such as that of package
// didcomm/present. Anywhere else the same presentation is good again and again.
// The check is then listed as [LeftToCaller].
type NonceUsedOnceByCaller struct{}

var _ Replay = NonceUsedOnceByCaller{}

// Use refuses. A [Verifier] does not call it, and what wraps the value and does
// has no store of nonces.
func (NonceUsedOnceByCaller) Use(context.Context, string) error {
	return errors.New("no store of nonces")
}

// Nonces gives out nonces and takes each back once, within one process. It keeps
// only those given out and not yet used, and forgets them when they are too old.
type Nonces struct {
	life time.Duration
	now  func() time.Time

	mu    sync.Mutex
	open  map[string]time.Time // until when, of those given out and not used
	queue []string             // in the order given out, used ones among them
}

// maxNonces bounds the memory: at about 100 bytes each, 100,000 requests in
// the life of one take 10 MB. Beyond it the oldest are forgotten, and answers to
// them refused.
const maxNonces = 100_000

var _ Replay = (*Nonces)(nil)

// NewNonces returns a source of nonces that are good for life. A nil clock means
// time.Now.
func NewNonces(life time.Duration, now func() time.Time) *Nonces {
	if now == nil {
		now = time.Now
	}
	return &Nonces{life: life, now: now, open: make(map[string]time.Time)}
}

// New returns a fresh nonce of at least 128 random bits.
func (n *Nonces) New() string {
	nonce := rand.Text()
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	for len(n.queue) > 0 {
		oldest := n.queue[0]
		if until, waiting := n.open[oldest]; waiting && len(n.queue) < maxNonces && !now.After(until) {
			break
		}
		delete(n.open, oldest)
		n.queue = n.queue[1:]
	}
	n.open[nonce] = now.Add(n.life)
	n.queue = append(n.queue, nonce)
	return nonce
}

// Use implements [Replay]. A nonce that this source did not give out, or that is
// too old, is refused like one that was used.
func (n *Nonces) Use(_ context.Context, nonce string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	until, waiting := n.open[nonce]
	delete(n.open, nonce)
	if !waiting || n.now().After(until) {
		return ErrReplay
	}
	return nil
}
