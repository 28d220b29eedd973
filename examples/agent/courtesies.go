package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/basicmessage"
	"github.com/staffpassport/staffpassport/didcomm/discover"
	"github.com/staffpassport/staffpassport/didcomm/notification"
	"github.com/staffpassport/staffpassport/didcomm/ping"
	"github.com/staffpassport/staffpassport/didcomm/revocation"
)

// courtesies are the small protocols that every role speaks: it says that it is there,
// and what it can do.
func (p *party) courtesies() {
	pings := &ping.Protocol{Store: p.agent, Now: p.now}
	p.agent.Handle("trust_ping", 1, pings)
	p.agent.Handle("trust-ping", 2, pings)
	features := &discover.Protocol{Store: p.agent, Features: p.features, Now: p.now}
	p.agent.Handle("discover-features", 1, features)
	p.agent.Handle("discover-features", 2, features)
	heard := &notification.Protocol{Acked: noteAck}
	p.agent.Handle("notification", 1, heard)
	p.agent.Handle("empty", 1, heard)
	p.texts = &basicmessage.Protocol{Store: p.agent, Locale: "en", Now: p.now}
	p.agent.Handle("basicmessage", 1, p.texts)
	p.agent.Handle("basicmessage", 2, p.texts)
	p.notices = &revocation.Protocol{}
	p.agent.Handle("revocation_notification", 1, p.notices)
	p.agent.Handle("revocation_notification", 2, p.notices)
	p.expire = append(p.expire, pings, features)
}

// features are what the role's peers can ask after: the protocols that are registered,
// the versions of DIDComm, and how large an envelope may be.
func (p *party) features(didcomm.Connection) []discover.Feature {
	minors := map[string]int{"didexchange": 1, "revocation_notification": 1} // of the major versions that have one
	registered := p.agent.Protocols()
	for i, t := range registered {
		if t.Protocol != "revocation_notification" || t.Major == 2 {
			registered[i].Minor = minors[t.Protocol]
		}
	}
	return append(discover.Protocols(registered...),
		discover.Feature{Type: discover.TypeVersion, ID: "https://github.com/hyperledger/aries-rfcs"},
		discover.Feature{Type: discover.TypeVersion, ID: "https://github.com/decentralized-identity/didcomm-messaging"},
		discover.Feature{Type: discover.TypeConstraint, ID: "max_receive_bytes", Value: strconv.Itoa(didcomm.MaxEnvelope)})
}

// noteAck records that a peer has had what it was asked to acknowledge. What it names may
// be anything; the thread is what the record of the message holds already.
func noteAck(_ context.Context, tx didcomm.Tx, c didcomm.Connection, a notification.Ack) error {
	if a.Pending {
		return nil
	}
	return tx.Audit(didcomm.Event{Action: "acknowledged", Outcome: "ok", Connection: c.ID, Thread: a.Thread})
}

const (
	// kindText holds what was written to the member of staff, by the id of the message
	// and its connection.
	kindText = "text"
	// maxTexts is how many are kept of one peer; the oldest make room.
	maxTexts = 50
)

// A text is what a peer wrote.
type text struct {
	ID         string    `json:"id"`
	Connection string    `json:"connection"`
	From       string    `json:"from"` // what the peer called itself then
	Content    string    `json:"content"`
	Received   time.Time `json:"received"`
}

// readTexts makes the wallet keep what is written to it, for its owner.
func (s *staff) readTexts() {
	s.texts.Received = func(_ context.Context, tx didcomm.Tx, c didcomm.Connection, t basicmessage.Text) error {
		all, err := listIn[text](tx, kindText)
		if err != nil {
			return err
		}
		var mine []text
		for _, old := range all {
			if old.Connection == c.ID {
				mine = append(mine, old)
			}
		}
		for len(mine) >= maxTexts {
			if err := tx.Delete(kindText, mine[0].ID); err != nil {
				return err
			}
			mine = mine[1:]
		}
		kept := text{ID: c.ID + "/" + t.ID, Connection: c.ID, From: c.Label, Content: t.Content, Received: s.now()}
		return tx.Save(kindText, kept.ID, kept)
	}
}

const (
	// kindGiven holds which passport in the wallet came in which exchange: by the
	// connection and the thread, or the connection and the passport's own id.
	kindGiven = "given"
	// kindNotice holds what an employer says of a passport, by the passport.
	kindNotice = "notice"
)

// A notice is what the employer that issued a passport says of it. It is a hint to ask
// whether the passport still holds: nothing depends on it.
type notice struct {
	Passport string    `json:"passport"`
	At       time.Time `json:"at"`
	Asked    time.Time `json:"asked,omitzero"` // when the owner last asked since
}

func byThread(connection, thread string) string { return connection + "/thread/" + thread }

func byPassportID(connection, id string) string { return connection + "/id/" + id }

// noteGiven keeps where a passport came from, in the transaction that keeps it.
func noteGiven(tx didcomm.Tx, connection, thread, id, passport string) error {
	if err := tx.Save(kindGiven, byThread(connection, thread), passport); err != nil {
		return err
	}
	return tx.Save(kindGiven, byPassportID(connection, id), passport)
}

// given returns the passport in the wallet that a notice is about, if it was given on
// that connection.
func given(tx didcomm.Tx, c didcomm.Connection, n revocation.Notice) (passport string, err error) {
	key := byThread(c.ID, n.Thread)
	if n.Thread == "" {
		if n.CredentialFormat != revocation.FormatCredential {
			return "", didcomm.ErrNotFound
		}
		key = byPassportID(c.ID, n.Credential)
	}
	return passport, tx.Load(kindGiven, key, &passport)
}

// hearNotices makes the wallet keep what employers say of the passports that it holds.
func (s *staff) hearNotices() {
	s.notices.Holds = func(tx didcomm.Tx, c didcomm.Connection, n revocation.Notice) (bool, error) {
		_, err := given(tx, c, n)
		if errors.Is(err, didcomm.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	s.notices.Notified = func(_ context.Context, tx didcomm.Tx, c didcomm.Connection, n revocation.Notice) error {
		passport, err := given(tx, c, n)
		if err != nil {
			return err
		}
		if n.Restored {
			return tx.Delete(kindNotice, passport)
		}
		return tx.Save(kindNotice, passport, notice{Passport: passport, At: s.now()})
	}
}

// noteAsked keeps that the owner has asked what an employer's notice is a hint to ask.
func (s *staff) noteAsked(ctx context.Context, passport string) error {
	return s.agent.Update(ctx, func(tx didcomm.Tx) error {
		var n notice
		err := tx.Load(kindNotice, passport, &n)
		if errors.Is(err, didcomm.ErrNotFound) {
			return nil
		}
		n.Asked = s.now()
		if err == nil {
			err = tx.Save(kindNotice, passport, n)
		}
		return err
	})
}

// noticed returns what employers said of the passports in the wallet, by passport.
func (s *staff) noticed(ctx context.Context) (map[string]notice, error) {
	all, err := list[notice](ctx, s.party, kindNotice)
	if err != nil {
		return nil, err
	}
	out := make(map[string]notice, len(all))
	for _, n := range all {
		out[n.Passport] = n
	}
	return out, nil
}

// notify tells whoever was given a passport that it was withdrawn, or holds again, in the
// transaction of the change. Why is not said: it is nobody else's.
func (e *employer) notify(tx didcomm.Tx, connection, thread, passport string, restored bool) error {
	c, err := tx.Connection(connection)
	if errors.Is(err, didcomm.ErrNotFound) { // nobody to tell
		return nil
	}
	if err != nil {
		return err
	}
	n := revocation.Notice{Thread: thread}
	if restored {
		n = revocation.Notice{CredentialFormat: revocation.FormatCredential, Credential: passport, Restored: true}
	}
	_, err = e.notices.Notify(tx, c, n)
	return err
}
