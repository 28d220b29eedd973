package runtime

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// sendTimeout ends one attempt at a delivery: a photo of 2 MB over a slow line fits.
const sendTimeout = 30 * time.Second

// placeTime is how long a delivery keeps its place among the parallel ones: an address
// that takes and does not answer must not hold up other peers. What takes longer goes on
// beside them.
const placeTime = 2 * time.Second

// errStopped says that a delivery did not begin because the runner stops.
var errStopped = errors.New("runtime: stopped")

// errWaiting says that a peer that cannot be called has not called yet.
var errWaiting = errors.New("runtime: no way to the peer yet")

// A lane delivers the letters of one connection, in order. It exists while there are
// any.
type lane struct {
	name  string
	mail  chan struct{} // a token: something was sent
	heard chan struct{} // a token: the peer spoke, so it can be reached
	first []*letter     // what it begins with, if it is known to be all there is
	retry retry         // the head failed; zero if it did not
	spoke bool          // the peer was heard since
	read  uint64        // all turns that its last reading can have seen
	lost  atomic.Bool   // a letter was taken out of the store
	peer  string        // to whom its head goes; guarded by the runner
}

// runLane delivers until the lane is empty or the runner stops.
func (r *runner) runLane(l *lane) {
	defer r.wg.Done()
	defer r.forget(l) // also if a failpoint ends the goroutine
	for r.stop.Err() == nil {
		letters, more := l.first, false
		l.first = nil
		if letters == nil {
			drainToken(l.mail)
			var err error
			if letters, more, err = r.agent.letters(r.work, l.name); err != nil {
				r.storeFailed("outbox")
				continue
			}
			l.read = r.agent.turns.Load()
		}
		for _, m := range letters {
			if !r.rest(l) {
				return
			}
			if l.lost.Swap(false) {
				more = true // or nothing is left: the store knows
				break
			}
			if !r.deliver(l, m) {
				more = true // and what is behind it waits
				break
			}
		}
		if !more && r.retire(l) {
			r.delivered(l) // or what failed was taken out of the store
			return
		}
	}
}

// rest waits until the head of the lane may be tried, or the peer was heard. It
// reports whether the runner goes on.
func (r *runner) rest(l *lane) bool {
	for r.stop.Err() == nil {
		l.spoke = false
		wait := l.retry.Next.Sub(r.agent.config.Now())
		if l.retry.Next.IsZero() || wait <= 0 {
			return true
		}
		// In steps, since the clock may be set meanwhile.
		if r.sleepUnless(min(wait, r.agent.config.Poll), l.heard) {
			l.spoke = true
			return true
		}
	}
	return false
}

// deliver tries one letter, and reports whether the lane can go on to the next.
func (r *runner) deliver(l *lane, m *letter) bool {
	a := r.agent
	reason := ""
	var err error
	if !m.Expires.IsZero() && a.config.Now().After(m.Expires) {
		reason = reasonExpired
	} else if err = r.attempt(l, m); errors.Is(err, errStopped) || err != nil && r.work.Err() != nil {
		return false // interrupted: it stays as it is
	}
	switch {
	case reason != "":
	case err == nil:
		a.settled.add(m.rows()...)
		r.delivered(l)
		r.logLetter(m, slog.LevelInfo, "delivered")
		return true
	case errors.Is(err, didcomm.ErrPermanent):
		reason = reasonRefused
	case a.config.Now().Sub(m.Created) > a.config.MaxAge:
		reason = reasonAge
	case errors.Is(err, errWaiting):
		r.await(l, m)
		return false
	}
	if reason != "" {
		if err = a.bury(r.work, m, reason, err); err == nil {
			r.delivered(l)
			r.logLetter(m, slog.LevelWarn, reason)
			return true
		}
	}
	a.failpoint(atBeforeRetry)
	l.retry = a.after(l.retry)
	r.logLetter(m, slog.LevelInfo, "retried")
	if err := a.saveRetry(r.work, l.name, l.retry); err != nil {
		r.storeFailed("outbox retry")
	}
	return false
}

// await waits until a peer calls, or its letter has expired, or for a while.
func (r *runner) await(l *lane, m *letter) {
	wait := r.agent.config.Poll
	if !m.Expires.IsZero() {
		wait = min(wait, m.Expires.Sub(r.agent.config.Now())+time.Second)
	}
	r.sleepUnless(wait, l.heard)
}

// enter waits for the places that a delivery needs. Those to strangers, and to peers that
// were not reached the last time and did not speak since, may have few at once.
func (r *runner) enter(l *lane, m *letter) (leave func(), ok bool) {
	var few chan struct{}
	switch {
	case m.Conn == "":
		few = r.few
	case l.retry.Attempts > 0 && !l.spoke:
		few = r.slow
	}
	if few != nil && !r.take(few) {
		return nil, false
	}
	free := func() {
		if few != nil {
			<-few
		}
	}
	if !r.take(r.slots) {
		free()
		return nil, false
	}
	place := sync.OnceFunc(func() { <-r.slots })
	timer := time.AfterFunc(placeTime, place)
	return func() {
		timer.Stop()
		place()
		free()
	}, true
}

// attempt packs a letter and sends it. An answer on a channel needs no place: there is one
// at a time on each, and who does not read it keeps back only its own.
func (r *runner) attempt(l *lane, m *letter) error {
	peer := peerOf(m.connection())
	r.address(l, peer) // before the sessions are read: one that opens later is heard of
	if r.stop.Err() != nil {
		return errStopped
	}
	a := r.agent
	ctx, cancel := context.WithTimeout(r.work, sendTimeout)
	defer cancel()
	a.failpoint(atBeforeSend)
	if done, err := a.answer(ctx, peer, m); done || err != nil {
		return err
	}
	leave, ok := r.enter(l, m)
	if !ok {
		return errStopped
	}
	defer leave()
	ctx, cancel = context.WithTimeout(r.work, sendTimeout) // without what the wait for the places took
	defer cancel()
	endpoint, err := a.endpoint(ctx, m)
	if err != nil {
		return err
	}
	envelope, err := a.config.Packer.Pack(ctx, m.plaintext, m.route())
	if err != nil {
		return err
	}
	a.failpoint(atAfterPack)
	if err := a.config.Sender.Send(ctx, endpoint, envelope); err != nil {
		return err
	}
	a.failpoint(atAfterSend)
	return nil
}

// answer sends a letter on a channel that its peer keeps open, if there is one. Errors
// are those of packing: a channel that fails is ended.
func (a *Agent) answer(ctx context.Context, peer string, m *letter) (done bool, err error) {
	var envelope []byte
	for range maxPeerSessions {
		c := a.sessions.find(peer, m.Conn, m.Thread)
		if c == nil {
			break
		}
		if envelope == nil {
			route := m.route()
			route.Routing, route.Direct = nil, true
			if envelope, err = a.config.Packer.Pack(ctx, m.plaintext, route); err != nil {
				return false, err
			}
			a.failpoint(atAfterPack)
		}
		if err := c.send(ctx, envelope); err == nil {
			a.failpoint(atAfterSend)
			return true, nil
		}
		a.sessions.end(c)
	}
	return false, nil
}

// endpoint returns where a letter goes: in V2 where the peer's document says now.
func (a *Agent) endpoint(ctx context.Context, m *letter) (string, error) {
	endpoint := m.Endpoint
	if m.Version == didcomm.V2 {
		found, err := a.config.Packer.Endpoint(ctx, m.Theirs)
		if err != nil {
			return "", err
		}
		if found != "" {
			endpoint = found
		}
	}
	if endpoint == "" || endpoint == didcomm.Queue {
		return "", errWaiting
	}
	return endpoint, nil
}

// take waits for a place, and reports whether it has one or the runner ends.
func (r *runner) take(places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	case <-r.stop.Done():
		return false
	}
}

// delivered forgets the failures of a lane once its head has left.
func (r *runner) delivered(l *lane) {
	if l.retry.Attempts > 0 {
		l.retry = retry{}
		r.agent.settled.add(row{kindRetry, l.name})
	}
}

func (r *runner) logLetter(m *letter, level slog.Level, outcome string) {
	r.agent.config.Log.LogAttrs(r.work, level, "didcomm message sent",
		slog.String("type", m.Type.String()), slog.String("thread", m.Thread), slog.String("outcome", outcome))
}
