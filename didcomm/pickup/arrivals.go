package pickup

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// This file is about envelopes that a recipient has and the runtime has not dealt with.

// maxBacklog is how many envelopes a recipient keeps that it has not dealt with yet.
// Beyond, the mediator has to keep them.
const maxBacklog = 1000

// errBacklog says that the runtime does not keep pace with deliveries.
var errBacklog = errors.New("pickup: too much is waiting to be received")

func (r *Recipient) room(tx didcomm.Tx, connection string) error {
	n := 0
	for _, err := range tx.List(kindArrived + connection) {
		if err != nil {
			return err
		}
		if n++; n >= maxBacklog {
			return errBacklog
		}
	}
	return nil
}

// An arrival is an envelope that is not dealt with yet.
type arrival struct {
	ID    string    `json:"id"` // of its records
	Since time.Time `json:"since"`
}

// keep makes an envelope durable, unless it came before. One that cannot be read is
// acknowledged too: it would come again for ever.
func (r *Recipient) keep(tx didcomm.Tx, connection string, a didcomm.Attachment) (isNew bool, err error) {
	if err := checkID(a.ID); err != nil {
		return false, refuse(codeMalformed, "A delivered message has no id.", err)
	}
	content, err := a.Content()
	if err == nil {
		_, err = strictjson.Parser{MaxBytes: didcomm.MaxEnvelope}.ParseObject(content)
	}
	if err != nil {
		return false, r.audit(tx, connection, "malformed")
	}
	digest := sha256.Sum256(content)
	isNew, err = tx.Once(exchange.ID(protocolName, connection, a.ID, string(digest[:])), digest)
	if err != nil || !isNew {
		return false, err
	}
	x := arrival{ID: exchange.ID(a.ID, string(digest[:])), Since: r.now()}
	if err := tx.Save(kindArrived+connection, x.ID, x); err != nil {
		return false, err
	}
	return true, tx.Save(kindBody+connection, x.ID, json.RawMessage(content))
}

// maxAge is how long an envelope is tried that the runtime can neither take nor refuse:
// as long as senders try.
const maxAge = 14 * 24 * time.Hour

// maxLater is how many of those are kept. Whoever had an answer of ours to an invitation
// and does not complete the connection can send as many as it likes; beyond, the oldest
// are given up.
const maxLater = 200

// errLater says that envelopes are left.
var errLater = errors.New("pickup: envelopes could not be received yet")

// laterTask before a connection is the id of the task that tries again what could not be
// received. There is one, however many deliveries came.
const laterTask = "later/"

// Work implements [didcomm.Worker] for [TaskReceive]: it hands every envelope that has
// arrived from the mediator of a connection to Receive, in the order in which they came.
// One that fails, or takes long, does not hold up those behind it, nor those that come
// later; it is tried again by a task of its own.
func (r *Recipient) Work(ctx context.Context, id string) error {
	if connection, ok := strings.CutPrefix(id, laterTask); ok {
		return r.again(ctx, connection)
	}
	for {
		some, err := r.arrivals(ctx, kindArrived+id, nil)
		if err != nil || len(some) == 0 {
			return err
		}
		done, later, err := r.try(ctx, id, some, firstTime)
		if err != nil {
			return err
		}
		err = r.Store.Update(ctx, func(tx didcomm.Tx) error {
			if err := r.putOff(tx, id, later); err != nil {
				return err
			}
			return r.settle(tx, kindArrived, id, done)
		})
		if err != nil {
			return err
		}
	}
}

// again tries what could not be received.
func (r *Recipient) again(ctx context.Context, connection string) error {
	left := map[string]bool{}
	for {
		some, err := r.arrivals(ctx, kindLater+connection, left)
		if err != nil {
			return err
		}
		if len(some) == 0 {
			break
		}
		done, later, err := r.try(ctx, connection, some, laterTime)
		if err != nil {
			return err
		}
		for _, x := range later {
			left[x.ID] = true
		}
		if len(done) == 0 {
			continue
		}
		if err := r.Store.Update(ctx, func(tx didcomm.Tx) error { return r.settle(tx, kindLater, connection, done) }); err != nil {
			return err
		}
	}
	return r.Store.Update(ctx, func(tx didcomm.Tx) error {
		for _, err := range tx.List(kindLater + connection) {
			if err != nil {
				return err
			}
			return errLater
		}
		return tx.Delete(kindRetry, connection)
	})
}

const (
	// turnTime is how long the next envelope waits for the one before. A stranger's may
	// name a DID that takes as long as it likes to resolve, and a thousand of them.
	turnTime = 500 * time.Millisecond
	// firstTime bounds the first try of an envelope, laterTime those that follow.
	firstTime = 3 * time.Second
	laterTime = 30 * time.Second
)

// try hands arrivals to Receive, each for a while. The error is that of ctx.
func (r *Recipient) try(ctx context.Context, connection string, some []arrival, each time.Duration) (done, later []arrival, err error) {
	errs := make([]error, len(some))
	var running sync.WaitGroup
	slow := false
	for i, x := range some {
		over := make(chan struct{})
		running.Go(func() {
			defer close(over)
			ctx, cancel := context.WithTimeout(ctx, each)
			defer cancel()
			errs[i] = r.receive(ctx, connection, x)
		})
		if slow {
			continue
		}
		turn := time.NewTimer(turnTime)
		select {
		case <-over:
		case <-turn.C:
			slow = true
		}
		turn.Stop()
	}
	running.Wait()
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	for i, x := range some {
		if err := errs[i]; err != nil && !errors.Is(err, didcomm.ErrPermanent) && r.now().Sub(x.Since) < maxAge {
			later = append(later, x)
			continue
		}
		done = append(done, x)
	}
	return done, later, nil
}

// putOff notes arrivals that are tried again later, and that a task does so.
func (r *Recipient) putOff(tx didcomm.Tx, connection string, later []arrival) error {
	if len(later) == 0 {
		return nil
	}
	for _, x := range later {
		if err := tx.Delete(kindArrived+connection, x.ID); err != nil {
			return err
		}
		if err := tx.Save(kindLater+connection, x.ID, x); err != nil {
			return err
		}
	}
	all, err := list(tx, kindLater+connection, maxBacklog+maxLater, nil)
	if err != nil {
		return err
	}
	if over := len(all) - maxLater; over > 0 {
		if err := r.settle(tx, kindLater, connection, all[:over]); err != nil {
			return err
		}
		if err := r.audit(tx, connection, "given up"); err != nil {
			return err
		}
	}
	running := false
	if err := tx.Load(kindRetry, connection, &running); !isNotFound(err) {
		return err
	}
	if err := tx.Defer(TaskReceive, laterTask+connection); err != nil {
		return err
	}
	return tx.Save(kindRetry, connection, true)
}

// settled is how many arrivals are dealt with before that is written down. After a crash
// they are received again, which does nothing.
const settled = 16

// arrivals returns the next arrivals of a kind but for those in left.
func (r *Recipient) arrivals(ctx context.Context, kind string, left map[string]bool) (out []arrival, err error) {
	err = r.Store.View(ctx, func(tx didcomm.Tx) (err error) {
		out, err = list(tx, kind, settled, left)
		return err
	})
	return out, err
}

func list(tx didcomm.Tx, kind string, limit int, left map[string]bool) (out []arrival, err error) {
	for rec, err := range tx.List(kind) {
		if err != nil {
			return nil, err
		}
		var x arrival
		if err := strictjson.Unmarshal(rec.Data, &x); err != nil {
			return nil, err
		}
		if left[x.ID] {
			continue
		}
		if out = append(out, x); len(out) == limit {
			break
		}
	}
	return out, nil
}

// receive hands one envelope to the runtime.
func (r *Recipient) receive(ctx context.Context, connection string, x arrival) error {
	var envelope json.RawMessage
	err := r.Store.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindBody+connection, x.ID, &envelope) })
	if isNotFound(err) {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	if err != nil {
		return err
	}
	return r.Receive(ctx, envelope)
}

// settle forgets arrivals of a kind that are dealt with.
func (r *Recipient) settle(tx didcomm.Tx, kind, connection string, done []arrival) error {
	for _, x := range done {
		if err := errors.Join(tx.Delete(kind+connection, x.ID), tx.Delete(kindBody+connection, x.ID)); err != nil {
			return err
		}
	}
	return nil
}
