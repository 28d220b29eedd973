package runtime

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// sendTimeout ends one attempt at a delivery: a photo of 2 MB over a slow line fits.
const sendTimeout = 30 * time.Second

// errStopped says that a delivery did not begin because the runner stops.
var errStopped = errors.New("runtime: stopped")

// A lane delivers the letters of one connection, in order. It exists while there are
// any.
type lane struct {
	name  string
	mail  chan struct{} // a token: something was sent
	heard chan struct{} // a token: the peer spoke, so it can be reached
	first []*letter     // what it begins with, if it is known to be all there is
	retry retry         // the head failed; zero if it did not
	read  uint64        // all turns that its last reading can have seen
	lost  atomic.Bool   // a letter was taken out of the store
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
		wait := l.retry.Next.Sub(r.agent.config.Now())
		if l.retry.Next.IsZero() || wait <= 0 {
			return true
		}
		// In steps, since the clock may be set meanwhile.
		if r.sleepUnless(min(wait, r.agent.config.Poll), l.heard) {
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
	} else if err = r.attempt(m); errors.Is(err, errStopped) || err != nil && r.work.Err() != nil {
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

// attempt packs a letter and sends it. Its place among the parallel deliveries is
// held only meanwhile.
func (r *runner) attempt(m *letter) error {
	if m.Conn == "" {
		if !r.take(r.few) {
			return errStopped
		}
		defer func() { <-r.few }()
	}
	if !r.take(r.slots) {
		return errStopped
	}
	defer func() { <-r.slots }()
	a := r.agent
	ctx, cancel := context.WithTimeout(r.work, sendTimeout)
	defer cancel()
	a.failpoint(atBeforeSend)
	envelope, err := a.config.Packer.Pack(ctx, m.plaintext, m.From, m.To, m.Routing...)
	if err != nil {
		return err
	}
	a.failpoint(atAfterPack)
	if err := a.config.Sender.Send(ctx, m.Endpoint, envelope); err != nil {
		return err
	}
	a.failpoint(atAfterSend)
	return nil
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
