package runtime

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// maxInline is the largest plaintext kept inside its outbox row. Polling reads every
// row; a photo is read only when its turn comes.
const maxInline = 16 << 10

// A letter is one message in the outbox: where it goes, as it was when it was sent,
// and what. A row holds it as one line of JSON followed by the plaintext.
type letter struct {
	id string

	Lane     string              `json:"lane"` // letters of a lane keep their order
	Conn     string              `json:"connection,omitempty"`
	Version  didcomm.Version     `json:"version,omitempty"`
	From     ed25519.PublicKey   `json:"from,omitempty"`
	To       ed25519.PublicKey   `json:"to,omitempty"`
	Mine     did.DID             `json:"mine,omitzero"`
	Theirs   did.DID             `json:"theirs,omitzero"`
	Routing  []ed25519.PublicKey `json:"routing,omitempty"`
	Endpoint string              `json:"endpoint,omitempty"`

	Type    didcomm.Type `json:"type"`
	Thread  string       `json:"thread"`
	Created time.Time    `json:"created"`
	Expires time.Time    `json:"expires,omitzero"`
	Apart   bool         `json:"apart,omitempty"` // the plaintext has a row of its own
	Size    int          `json:"size,omitempty"`  // and so many bytes

	plaintext []byte
}

// Send stores the names and the endpoint of c with the message: a connection that
// changes later does not change where this message goes. A message of V2 gets its
// headers of the parties here. A connection without an ID, as when a stranger is
// refused, has an order of its own by its peer. What is too much for one peer is refused
// with a problem that matches [ErrCrowded].
func (t *tx) Send(c didcomm.Connection, m *didcomm.Message) error {
	if err := t.writable(); err != nil {
		return err
	}
	if !addressed(c) || c.Version.Or1() != m.Version.Or1() {
		return fmt.Errorf("runtime: %s cannot be sent: connection without keys or DIDs, or of another version", m.Type)
	}
	plaintext, err := t.stamped(c, m).Plaintext()
	if err != nil {
		return err
	}
	l := &letter{
		Lane: c.ID, Conn: c.ID, Version: c.Version, Mine: c.Mine, Theirs: c.Theirs,
		From: c.MyKey, To: c.TheirKey, Routing: c.RoutingKeys, Endpoint: c.Endpoint,
		Type: m.Type, Thread: m.Thread, Created: t.agent.config.Now(), Expires: m.Expires,
		Apart: len(plaintext) > maxInline, plaintext: plaintext,
	}
	if l.Apart {
		l.Size = len(plaintext)
	}
	tags := []string{"lane/" + l.Lane}
	if l.Lane != "" {
		if err := t.fits(l.Lane, len(plaintext)); err != nil {
			return err
		}
	} else {
		l.Lane = strangerLane + peerOf(c)
		tags = []string{"lane/" + l.Lane, tagStranger}
		if err := t.makeRoom(); err != nil {
			return err
		}
	}
	if l.id, err = t.agent.rowID(); err != nil {
		return err
	}
	data, err := encodeRecord(l)
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if l.Apart {
		if err := t.store.Put(kindBody, l.id, plaintext); err != nil {
			return err
		}
	} else {
		data = append(data, plaintext...)
	}
	t.letters = append(t.letters, l)
	return t.store.Put(kindOutbox, l.id, data, tags...)
}

// stamped returns m with the headers that say between whom a message of V2 goes.
func (t *tx) stamped(c didcomm.Connection, m *didcomm.Message) *didcomm.Message {
	if c.Version != didcomm.V2 {
		return m
	}
	out := *m
	out.From, out.To, out.FromPrior = c.Mine, []did.DID{c.Theirs}, c.FromPrior
	if out.Created.IsZero() {
		out.Created = t.agent.config.Now()
	}
	return &out
}

func parseLetter(r didcomm.Record) (*letter, error) {
	head, body, ok := bytes.Cut(r.Data, []byte("\n"))
	l := &letter{id: r.ID, plaintext: body}
	if !ok {
		return nil, errUnreadable
	}
	if err := decodeRecord(head, l); err != nil {
		return nil, err
	}
	return l, nil
}

// rows are what l occupies in the store.
func (l *letter) rows() []row {
	rows := []row{{kindOutbox, l.id}}
	if l.Apart {
		rows = append(rows, row{kindBody, l.id})
	}
	return rows
}

// route is between whom the message goes.
func (l *letter) route() Route {
	if l.Version == didcomm.V2 {
		return Route{Version: didcomm.V2, Mine: l.Mine, Theirs: l.Theirs}
	}
	return Route{Version: didcomm.V1, From: l.From, To: l.To, Routing: l.Routing}
}

// connection is c as it was when the message was sent.
func (l *letter) connection() didcomm.Connection {
	return didcomm.Connection{ID: l.Conn, Version: l.Version, Mine: l.Mine, Theirs: l.Theirs,
		MyKey: l.From, TheirKey: l.To, RoutingKeys: l.Routing, Endpoint: l.Endpoint}
}

// Letters read at once: enough for one transaction to mark several as delivered, and
// at most this many bytes unless one alone is larger.
const (
	batchLetters = 16
	batchBytes   = 256 << 10
)

// letters reads the head of a lane, in order. more says that there are others behind.
func (a *Agent) letters(ctx context.Context, lane string) (batch []*letter, more bool, err error) {
	settled := a.settled.copy() // before the transaction: see settled
	var broken []row
	size := 0
	err = a.view(ctx, func(t *tx) error {
		for r, err := range t.find(kindOutbox, "lane/"+lane) {
			if err != nil {
				return err
			}
			if settled[row{kindOutbox, r.ID}] {
				continue
			}
			if len(batch) == batchLetters || size > batchBytes {
				more = true
				return nil
			}
			l, err := parseLetter(r)
			if err != nil {
				broken = a.passOver(broken, row{kindOutbox, r.ID}, err)
				continue
			}
			if l.Apart {
				if l.plaintext, err = t.store.Get(kindBody, l.id); err != nil {
					return err
				}
			}
			size += len(l.plaintext)
			batch = append(batch, l)
		}
		return nil
	})
	if err == nil {
		err = a.discard(ctx, broken)
	}
	return batch, more, err
}

// A retry is kept while the head of a lane fails, so that a restart does not begin to
// hammer a peer anew.
type retry struct {
	Attempts int       `json:"attempts"`
	Next     time.Time `json:"next"`
}

// saveRetry records a failed delivery.
func (a *Agent) saveRetry(ctx context.Context, lane string, next retry) error {
	return a.update(ctx, func(t *tx) error {
		a.settled.remove([]row{{kindRetry, lane}})
		return t.save(kindRetry, lane, next)
	})
}

// pendingLanes finds every lane that has letters.
func (a *Agent) pendingLanes(ctx context.Context) (lanes []string, err error) {
	settled := a.settled.copy() // before the transaction: see settled
	found := make(map[string]bool)
	var broken []row
	err = a.view(ctx, func(t *tx) error {
		for r, err := range t.find(kindOutbox, "") {
			if err != nil {
				return err
			}
			l, err := parseLetter(r)
			if err != nil {
				broken = a.passOver(broken, row{kindOutbox, r.ID}, err)
				continue
			}
			if !settled[row{kindOutbox, r.ID}] && !found[l.Lane] {
				found[l.Lane] = true
				lanes = append(lanes, l.Lane)
			}
		}
		return nil
	})
	if err == nil {
		err = a.discard(ctx, broken)
	}
	return lanes, err
}
