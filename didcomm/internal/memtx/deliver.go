package memtx

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Deliver gives h the message as it comes off the wire, once: a second copy of
// the same message does nothing, another one with the same id is a conflict. A
// problem undoes the transaction; its report goes to the outbox. A report outside any
// protocol, as all of V2 are, goes to h as a [didcomm.Abandoner].
func (st *Store) Deliver(ctx context.Context, h didcomm.Handler, connection string, m *didcomm.Message) error {
	var c didcomm.Connection
	return st.deliver(ctx, connection, m, func(tx didcomm.Tx, m *didcomm.Message) (err error) {
		if c, err = tx.Connection(connection); err != nil {
			return err
		}
		if c.Version.Or1() != m.Version.Or1() {
			return fmt.Errorf("memtx: %s on a connection of another version", m)
		}
		if m.Type.Protocol == "report-problem" {
			return abandon(ctx, h, tx, c, m)
		}
		if didcomm.IsProblemReport(m.Type) && m.Thread == m.ID && m.Parent != "" {
			m.Thread = m.Parent // as the runtime does
		}
		return h.Handle(ctx, tx, c, m)
	}, func(tx didcomm.Tx, report *didcomm.Message) error { return tx.Send(c, report) })
}

// DeliverOpen is Deliver for an [didcomm.Opener]. No report is sent.
func (st *Store) DeliverOpen(ctx context.Context, o didcomm.Opener, k didcomm.Keys, m *didcomm.Message) error {
	return st.deliver(ctx, string(k.Sender)+string(k.Recipient)+k.From.String()+k.To.String(), m, func(tx didcomm.Tx, m *didcomm.Message) error {
		return o.Open(ctx, tx, k, m)
	}, func(didcomm.Tx, *didcomm.Message) error { return nil })
}

// abandon tells h of a report that is about the thread it is in, or its parent.
func abandon(ctx context.Context, h didcomm.Handler, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	a, ok := h.(didcomm.Abandoner)
	if !ok {
		return nil
	}
	p, err := didcomm.ParseReport(m)
	if err != nil || m.Version == didcomm.V2 && strings.HasPrefix(p.Code, "w.") {
		return nil
	}
	for _, thread := range []string{m.Thread, m.Parent} {
		if thread == "" || thread == m.ID {
			continue
		}
		if mine, err := a.Abandon(ctx, tx, c, thread, p); err != nil || mine {
			return err
		}
	}
	return nil
}

func (st *Store) deliver(ctx context.Context, from string, m *didcomm.Message,
	handle func(didcomm.Tx, *didcomm.Message) error, send func(didcomm.Tx, *didcomm.Message) error) error {
	plaintext, err := m.Plaintext()
	if err != nil {
		return err
	}
	if m, err = didcomm.ParseMessage(plaintext); err != nil {
		return err
	}
	digest := sha256.Sum256(plaintext)
	once := func(tx didcomm.Tx) (bool, error) { return tx.Once(from+"/"+m.ID, digest) }
	err = st.Update(ctx, func(tx didcomm.Tx) error {
		if first, err := once(tx); err != nil || !first {
			return err
		}
		return handle(tx, m)
	})
	var p *didcomm.Problem
	if !errors.As(err, &p) {
		return err
	}
	rerr := st.Update(ctx, func(tx didcomm.Tx) error {
		if _, err := once(tx); err != nil {
			return err
		}
		if didcomm.IsProblemReport(m.Type) {
			return fmt.Errorf("memtx: %s answered with a problem", m)
		}
		if m.Type.Name == "ack" { // acks and reports are not answered (RFC 0035)
			return nil
		}
		report, err := p.Report(didcomm.NewID(), m)
		if err != nil {
			return err
		}
		return send(tx, report)
	})
	if rerr != nil {
		return rerr
	}
	return p
}
