package runtime

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// A deadLetter is what stays of a message that was given up.
type deadLetter struct {
	Connection string       `json:"connection,omitempty"`
	Thread     string       `json:"thread"`
	Type       didcomm.Type `json:"type"`
	Created    time.Time    `json:"created"`
	Died       time.Time    `json:"died"`
	Reason     string       `json:"reason"`
}

// Why a letter dies.
const (
	reasonAge     = "max-age"
	reasonExpired = "expired"
	reasonRefused = "refused"
	reasonCrowded = "crowded-out"
)

// bury gives a letter up: it leaves the outbox, the audit log and the protocol that
// owns its thread learn of it, in one transaction.
func (a *Agent) bury(ctx context.Context, l *letter, reason string, cause error) error {
	a.failpoint(atBeforeDead)
	err := a.buryTelling(ctx, l, reason, cause, true)
	var p *didcomm.Problem
	if errors.As(err, &p) { // the protocol's own change is undone, the letter is dead all the same
		err = a.buryTelling(ctx, l, reason, cause, false)
	}
	return err
}

func (a *Agent) buryTelling(ctx context.Context, l *letter, reason string, cause error, tell bool) error {
	return a.update(ctx, func(t *tx) error {
		for _, r := range l.rows() {
			if err := t.store.Delete(r.kind, r.id); err != nil {
				return err
			}
		}
		if err := t.save(kindDead, l.id, deadLetter{l.Conn, l.Thread, l.Type, l.Created, a.config.Now(), reason}); err != nil {
			return err
		}
		if err := t.Audit(l.undeliverable(reason)); err != nil || !tell {
			return err
		}
		c, err := t.Connection(l.Conn)
		if errors.Is(err, didcomm.ErrNotFound) {
			c, err = l.connection(), nil
		}
		if err != nil {
			return err
		}
		p := &didcomm.Problem{Code: codeUndeliverable, Comment: "a message could not be delivered: " + reason, Err: cause, About: l.Type}
		_, err = a.abandon(ctx, t, c, l.Thread, p)
		return err
	})
}

// Letters to somebody without a connection, such as who answered an invitation that
// no longer counts. Anybody can cause them, to any address.
const (
	strangerLane = "key/"
	tagStranger  = "stranger"
	// maxStrangers bounds how many wait, and with them the lanes that exist at once.
	maxStrangers = 128
)

// makeRoom gives up the oldest letters to strangers, so that one more can be sent.
func (t *tx) makeRoom() error {
	settled := t.agent.settled.copy()
	var waiting []*letter
	for r, err := range t.find(kindOutbox, tagStranger) {
		if err != nil {
			return err
		}
		l, err := parseLetter(r)
		if err == nil && !settled[row{kindOutbox, r.ID}] { // what cannot be read, a poll finds
			waiting = append(waiting, l)
		}
	}
	for ; len(waiting) >= maxStrangers; waiting = waiting[1:] {
		if err := t.crowdOut(waiting[0]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) crowdOut(l *letter) error {
	for _, r := range append(l.rows(), row{kindRetry, l.Lane}) {
		if err := t.store.Delete(r.kind, r.id); err != nil {
			return err
		}
	}
	t.letters = slices.DeleteFunc(t.letters, func(sent *letter) bool { return sent.id == l.id })
	t.dropped = append(t.dropped, l.Lane)
	return t.Audit(l.undeliverable(reasonCrowded))
}

// undeliverable is the event of a letter that was given up.
func (l *letter) undeliverable(reason string) didcomm.Event {
	return didcomm.Event{
		Action:  "undeliverable/" + l.Type.Protocol + "/" + l.Type.Name,
		Outcome: reason, Connection: l.Conn, Thread: l.Thread,
	}
}

// passOver notes a row that a reader cannot read, so that the rows behind it are not
// held up. One of a newer version stays, for the program that wrote it.
func (a *Agent) passOver(broken []row, r row, err error) []row {
	a.config.Log.LogAttrs(context.Background(), slog.LevelError, "didcomm record unreadable",
		slog.String("type", r.kind), slog.Bool("newer", errors.Is(err, ErrVersion)))
	if errors.Is(err, ErrVersion) {
		return broken
	}
	return append(broken, r)
}

// discard deletes rows that cannot be read, and audits each.
func (a *Agent) discard(ctx context.Context, broken []row) error {
	if len(broken) == 0 {
		return nil
	}
	return a.update(ctx, func(t *tx) error {
		for _, r := range broken {
			if err := t.store.Delete(r.kind, r.id); err != nil {
				return err
			}
			if r.kind == kindOutbox {
				if err := t.store.Delete(kindBody, r.id); err != nil {
					return err
				}
			}
			if err := t.Audit(didcomm.Event{Action: "unreadable/" + r.kind, Outcome: "discarded"}); err != nil {
				return err
			}
		}
		return nil
	})
}
