package runtime

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// clockSkew is how far the clocks of two organisations may be apart.
const clockSkew = 5 * time.Minute

// outcomes in the audit log and in sightings, beside the codes of problems.
const (
	outcomeOK       = "ok"
	outcomeConflict = "conflict"
	outcomeExpired  = "expired"
)

// An inbound is one authenticated message on its way to a protocol.
type inbound struct {
	keys     didcomm.Keys
	m        *didcomm.Message
	digest   [32]byte
	reaction reaction
	routed   bool // reaction is set
	known    bool // the protocol is known, in another major version
}

// errDuplicate ends the transaction of a message that was handled before: there is
// nothing to write.
var errDuplicate = errors.New("runtime: handled before")

// Receive takes one envelope from a transport. It returns nil once the effect of the
// message is durable, also if the message was handled before, and only then may the
// transport acknowledge it. An error that matches [didcomm.ErrPermanent] refuses the
// envelope for good: it is forged, malformed, for nobody here, from a stranger
// ([ErrSender]), expired ([ErrExpired]), or reuses a message id for other content
// ([didcomm.ErrConflict]). After any other error nothing happened and the peer may
// send again. The text of an error is for the local log, not for the peer.
func (a *Agent) Receive(ctx context.Context, envelope []byte) error {
	a.failpoint(atBeforeUnpack)
	in, err := a.open(ctx, envelope)
	if err != nil {
		a.config.Log.LogAttrs(ctx, slog.LevelInfo, "didcomm envelope refused", slog.Bool("permanent", errors.Is(err, didcomm.ErrPermanent)))
		return err
	}
	var connection, outcome string
	var refusal error // decided and recorded: the transaction commits
	err = a.update(ctx, func(t *tx) (err error) {
		connection, outcome, refusal, err = a.handle(ctx, t, in)
		return err
	})
	var p *didcomm.Problem
	if errors.As(err, &p) {
		a.failpoint(atBeforeReport)
		outcome = p.Code
		err = a.update(ctx, func(t *tx) (err error) {
			connection, err = a.recordProblem(t, in, p)
			return err
		})
	}
	switch {
	case errors.Is(err, errDuplicate):
		outcome, err = "duplicate", refusal
	case err == nil:
		err = refusal
	case errors.Is(err, didcomm.ErrPermanent):
		outcome = "refused"
	default:
		outcome = "failed"
	}
	a.config.Log.LogAttrs(ctx, slog.LevelInfo, "didcomm message received",
		slog.String("type", in.m.Type.String()), slog.String("thread", in.m.Thread), slog.String("outcome", outcome))
	if err != nil {
		return err
	}
	if r := a.running(); r != nil && connection != "" {
		r.hurry(connection) // whoever speaks is there to listen
	}
	a.failpoint(atBeforeAnswer)
	return nil
}

// open unpacks and parses an envelope, outside any transaction.
func (a *Agent) open(ctx context.Context, envelope []byte) (*inbound, error) {
	got, err := a.config.Packer.Unpack(ctx, envelope)
	if err != nil {
		return nil, fmt.Errorf("runtime: unpack: %w", err)
	}
	if len(got.Sender) != ed25519.PublicKeySize || len(got.Recipient) != ed25519.PublicKeySize {
		return nil, refuse(ErrSender)
	}
	m, err := didcomm.ParseMessage(got.Plaintext)
	if err != nil {
		return nil, refuse(err)
	}
	in := &inbound{
		keys:   didcomm.Keys{Sender: got.Sender, Recipient: got.Recipient},
		m:      m,
		digest: sha256.Sum256(got.Plaintext),
	}
	in.reaction, in.routed, in.known = a.react(m.Type)
	return in, nil
}

// refuse says that the peer need not try again.
func refuse(err error) error {
	if errors.Is(err, didcomm.ErrPermanent) {
		return err
	}
	return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
}

// handle runs one message in the transaction t. A refusal is an error for the peer
// that comes with a record to keep; err undoes everything.
func (a *Agent) handle(ctx context.Context, t *tx, in *inbound) (connection, outcome string, refusal, err error) {
	c, key, err := t.admit(in)
	if err != nil {
		return "", "", nil, err
	}
	connection = c.ID
	before, err := t.seen(key)
	if err != nil {
		return connection, "", nil, err
	}
	switch {
	case before != nil && before.digest == in.digest:
		if before.outcome == outcomeExpired {
			refusal = refuse(ErrExpired)
		}
		return connection, "", refusal, errDuplicate
	case before != nil && before.conflict: // a peer that repeats itself does not fill the log
		return connection, "", refuse(didcomm.ErrConflict), errDuplicate
	case before != nil:
		before.conflict = true
		if err := t.markSeen(key, *before); err != nil {
			return connection, "", nil, err
		}
		return connection, outcomeConflict, refuse(didcomm.ErrConflict), t.Audit(in.event(c.ID, outcomeConflict))
	case !in.m.Expires.IsZero() && a.config.Now().After(in.m.Expires.Add(clockSkew)):
		return connection, outcomeExpired, refuse(ErrExpired), t.record(key, in, c.ID, outcomeExpired)
	}
	if err := t.markSeen(key, sighting{digest: in.digest}); err != nil {
		return connection, "", nil, err
	}
	a.failpoint(atBeforeHandle)
	t.about = origin{Conn: c.ID, Mine: in.keys.Recipient, Theirs: in.keys.Sender, Thread: in.m.Thread}
	outcome, err = a.dispatch(ctx, t, c, in)
	if err != nil {
		return connection, "", nil, err
	}
	a.failpoint(atAfterHandle)
	return connection, outcome, nil, t.Audit(in.event(c.ID, outcome))
}

// admit finds the connection of a message and the key of its sighting, or refuses a
// message that no protocol may see. A message of a protocol that makes connections
// may have the zero Connection; its sighting is kept under the pair of keys, which
// does not change when the connection comes to be.
func (t *tx) admit(in *inbound) (c didcomm.Connection, key string, err error) {
	found, unfinished, err := t.peer(in.keys)
	if err != nil {
		return c, "", err
	}
	if found != nil {
		c = *found
	}
	if in.routed && in.reaction.opener != nil {
		return c, "keys/" + name(in.keys.Recipient) + "/" + name(in.keys.Sender) + "/" + in.m.ID, nil
	}
	switch {
	case found == nil && unfinished:
		return c, "", ErrNotEstablished
	case found == nil:
		return c, "", refuse(ErrSender)
	case !c.Established && (in.routed || !isReport(in.m.Type)):
		return c, "", ErrNotEstablished
	}
	return c, "connection/" + c.ID + "/" + in.m.ID, nil
}

// dispatch gives a message to its protocol and returns the outcome to record.
func (a *Agent) dispatch(ctx context.Context, t *tx, c didcomm.Connection, in *inbound) (outcome string, err error) {
	defer a.recovered(&err)
	switch {
	case in.routed && in.reaction.opener != nil:
		return outcomeOK, in.reaction.opener.Open(ctx, t, in.keys, in.m)
	case in.routed:
		return outcomeOK, in.reaction.handler.Handle(ctx, t, c, in.m)
	case isReport(in.m.Type):
		return a.hearReport(ctx, t, c, in.m)
	}
	return a.unsupported(t, c, in)
}

// record keeps a refused message and audits it.
func (t *tx) record(key string, in *inbound, connection, outcome string) error {
	if err := t.markSeen(key, sighting{digest: in.digest, outcome: outcome}); err != nil {
		return err
	}
	return t.Audit(in.event(connection, outcome))
}

// event is the audit record of the message itself.
func (in *inbound) event(connection, outcome string) didcomm.Event {
	return didcomm.Event{
		Action:     "received/" + in.m.Type.Protocol + "/" + in.m.Type.Name,
		Outcome:    outcome,
		Connection: connection,
		Thread:     in.m.Thread,
	}
}
