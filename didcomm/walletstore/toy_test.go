package walletstore_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/wallet"
)

// toy is a protocol with the shape of issuing: ash asks ("ping"), birch makes an
// answer outside any transaction, as if it signed, and sends it ("pong"), ash keeps it
// as a credential in its wallet and says so ("ack"). Every step counts how often it
// was taken: nothing here protects a count but the runtime.
//
// A ping that is marked bad is a problem, one that goes nowhere cannot be delivered.
type toy struct {
	party   *party
	process *process
}

// exchange is one thread, as either side keeps it.
type exchange struct {
	Begun  bool
	Pings  int
	Pongs  int
	Acks   int
	Ends   []string // codes of abandoning
	Answer string   // the one made here, or received
	Theirs string   // as the acknowledgement names it
}

type said struct {
	Bad    bool   `json:"bad,omitempty"`
	Answer string `json:"answer,omitempty"`
}

func typ(name string) didcomm.Type { return didcomm.Type{Protocol: "toy", Major: 1, Name: name} }

// change loads a thread, changes it and saves it.
func change(tx didcomm.Tx, thread string, f func(x *exchange) error) error {
	var x exchange
	if err := tx.Load("toy", thread, &x); err != nil && !errors.Is(err, didcomm.ErrNotFound) {
		return err
	}
	if err := f(&x); err != nil {
		return err
	}
	return tx.Save("toy", thread, x)
}

// begin starts a thread, unless it was started before.
func (p *toy) begin(ctx context.Context, thread string) error {
	return p.process.agent.Update(ctx, func(tx didcomm.Tx) error {
		return change(tx, thread, func(x *exchange) error {
			if x.Begun {
				return nil
			}
			x.Begun = true
			c := p.party.peer
			if strings.Contains(thread, "nowhere") {
				c.Endpoint = "nowhere"
			}
			return p.send(tx, c, "ping", thread, said{Bad: strings.Contains(thread, "bad")})
		})
	})
}

func (p *toy) send(tx didcomm.Tx, c didcomm.Connection, name, thread string, body said) error {
	m, err := didcomm.New(didcomm.NewID(), typ(name), thread, "", body)
	if err != nil {
		return err
	}
	m.Version = c.Version
	return tx.Send(c, m)
}

func (p *toy) Handle(_ context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	var b said
	if err := m.Decode(&b); err != nil {
		return err
	}
	return change(tx, m.Thread, func(x *exchange) error {
		switch m.Type.Name {
		case "ping":
			if b.Bad {
				return &didcomm.Problem{Code: "bad"}
			}
			x.Pings++
			return tx.Defer("toy/answer", m.Thread)
		case "pong":
			x.Pongs++
			x.Answer = b.Answer
			if p.party.bugs.ackFirst {
				if err := tx.Defer("toy/keep", m.Thread); err != nil {
					return err
				}
			} else if err := keep(tx, m.Thread, b.Answer); err != nil {
				return err
			}
			return p.send(tx, c, "ack", m.Thread, b)
		case "ack":
			x.Acks++
			x.Theirs = b.Answer
		}
		return nil
	})
}

// keep stores the answer in the wallet, in the transaction tx.
func keep(tx didcomm.Tx, thread, answer string) error {
	w, ok := walletstore.Tx(tx)
	if !ok {
		return errors.New("not a wallet's transaction")
	}
	_, err := w.AddCredential(wallet.Credential{ID: thread, Secured: vc.Secured{MediaType: "application/vc", Bytes: []byte(answer)}})
	return err
}

// Work makes the answer: each run makes another, and the first that is stored counts.
func (p *toy) Work(ctx context.Context, thread string) error {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return p.process.agent.Update(ctx, func(tx didcomm.Tx) error {
		return change(tx, thread, func(x *exchange) error {
			if x.Answer != "" && !p.party.bugs.signAgain {
				return nil
			}
			x.Answer = hex.EncodeToString(b[:])
			return p.send(tx, p.party.peer, "pong", thread, said{Answer: x.Answer})
		})
	})
}

// keeper is the planted bug ackFirst.
type keeper struct{ *toy }

func (p keeper) Work(ctx context.Context, thread string) error {
	return p.process.agent.Update(ctx, func(tx didcomm.Tx) error {
		var x exchange
		return errors.Join(tx.Load("toy", thread, &x), keep(tx, thread, x.Answer))
	})
}

func (p *toy) Abandon(_ context.Context, tx didcomm.Tx, _ didcomm.Connection, thread string, problem *didcomm.Problem) (bool, error) {
	return true, change(tx, thread, func(x *exchange) error {
		x.Ends = append(x.Ends, strings.TrimPrefix(problem.Code, "e.p."))
		return nil
	})
}

// books is what one side has stored.
type books struct {
	threads map[string]exchange
	kept    map[string]string // credentials
}

func (p *party) books() (b books, err error) {
	b = books{map[string]exchange{}, map[string]string{}}
	err = p.current().reader.View(context.Background(), func(tx didcomm.Tx) error {
		for r, err := range tx.List("toy") {
			if err != nil {
				return err
			}
			var x exchange
			if err := tx.Load("toy", r.ID, &x); err != nil {
				return err
			}
			b.threads[r.ID] = x
		}
		w, _ := walletstore.Tx(tx)
		for c, err := range w.Credentials("") {
			if err != nil {
				return err
			}
			b.kept[c.ID] = string(c.Secured.Bytes)
		}
		return nil
	})
	return b, err
}

// ended reports whether a thread is where it was meant to end.
func (b books) ended(thread string, peer books) bool {
	x := b.threads[thread]
	if strings.Contains(thread, "bad") || strings.Contains(thread, "nowhere") {
		return len(x.Ends) > 0
	}
	return x.Pongs > 0 && peer.threads[thread].Acks > 0
}

// audit compares the books of both sides and returns what is wrong. In between, only
// what must hold at any moment is compared.
func audit(a, b *party, threads []string, end bool) []string {
	var wrong []string
	note := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	mine, err := a.books()
	if err != nil {
		return []string{err.Error()}
	}
	theirs, err := b.books()
	if err != nil {
		return []string{err.Error()}
	}
	for _, t := range threads {
		x, y := mine.threads[t], theirs.threads[t]
		for name, n := range map[string]int{"pings": y.Pings, "pongs": x.Pongs, "acks": y.Acks, "ends": len(x.Ends)} {
			if n > 1 {
				note("%s: %d %s", t, n, name)
			}
		}
		if y.Acks > 0 && mine.kept[t] == "" {
			note("%s: acknowledged and not kept", t)
		}
		if x.Pongs > 0 && x.Answer != y.Answer {
			note("%s: two answers", t)
		}
		if kept, ok := mine.kept[t]; ok && kept != x.Answer {
			note("%s: another answer was kept", t)
		}
		if !end {
			continue
		}
		switch {
		case strings.Contains(t, "bad"):
			if !slices.Equal(x.Ends, []string{"bad"}) || y.Pings != 0 {
				note("%s: not ended by the problem", t)
			}
		case strings.Contains(t, "nowhere"):
			if !slices.Equal(x.Ends, []string{"undeliverable"}) || y.Pings != 0 {
				note("%s: not given up", t)
			}
		case x.Pongs != 1 || y.Pings != 1 || y.Acks != 1 || mine.kept[t] != y.Answer || y.Theirs != y.Answer:
			note("%s: not done: %d pings, %d pongs, %d acks", t, y.Pings, x.Pongs, y.Acks)
		}
	}
	return wrong
}

// settled reports whether neither side has anything left to do.
func settled(a, b *party, threads []string) bool {
	for _, p := range []*party{b, a} {
		pending, err := p.current().agent.Pending(context.Background())
		if err != nil || pending.Outbox > 0 || pending.Tasks > 0 {
			return false
		}
	}
	mine, err := a.books()
	if err != nil {
		return false
	}
	theirs, err := b.books()
	if err != nil {
		return false
	}
	for _, t := range threads {
		if !mine.ended(t, theirs) {
			return false
		}
	}
	return true
}

// converge begins the threads at a, starts again whoever dies, and waits until all is
// done. It returns what is wrong.
func converge(a, b *party, threads []string, limit time.Duration) []string {
	begun := make(map[string]bool)
	mine, err := a.books()
	if err != nil {
		return []string{err.Error()}
	}
	for t := range mine.threads {
		begun[t] = true
	}
	deadline := time.Now().Add(limit)
	for !time.Now().After(deadline) {
		for _, p := range []*party{a, b} {
			select {
			case <-p.died:
				wrong := audit(a, b, threads, false) // while the dead one does nothing
				p.stop()
				p.start()
				if wrong != nil {
					return wrong
				}
			default:
			}
		}
		for _, t := range threads {
			if begun[t] {
				continue
			}
			// In a goroutine of its own, which may die.
			ok := make(chan bool, 1)
			go func() {
				defer close(ok)
				ok <- a.current().toy.begin(context.Background(), t) == nil
			}()
			if !<-ok {
				break // whoever died is started first
			}
			begun[t] = true
		}
		look := time.Now()
		if len(begun) == len(threads) && settled(a, b, threads) && len(a.died)+len(b.died) == 0 {
			return audit(a, b, threads, true)
		}
		time.Sleep(5*time.Millisecond + 4*time.Since(look)) // leave them time to work
	}
	return append(audit(a, b, threads, true), "stuck")
}

// logWhole reports whether the audit log of p is unaltered, and how long it is.
func (p *party) logWhole() (int, error) {
	n := 0
	for _, err := range p.current().reader.AuditLog(context.Background()) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
