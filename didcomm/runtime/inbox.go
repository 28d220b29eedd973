package runtime

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/staffpassport/staffpassport/did"
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

// An inbound is one message on its way to a protocol.
type inbound struct {
	keys          didcomm.Keys
	authenticated bool    // keys say who sent it
	prior         did.DID // whom the sender proved to have been before
	rotatedAt     time.Time
	priorErr      error
	m             *didcomm.Message
	digest        [32]byte
	reaction      reaction
	routed        bool     // reaction is set
	known         bool     // the protocol is known, in another major version
	channel       *channel // what it came on, if that can be answered on
	session       *session // what it asks for: opened once it is handled
	turnedAway    bool     // a greeter returned a problem
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
	return a.ReceiveOn(ctx, envelope, nil)
}

// ReceiveOn is [Agent.Receive] for a transport that can answer on the channel the
// envelope came on. If the message asks for it (RFC 0092; DIDComm Messaging 2.1,
// "Return Route"), what is sent on its connection goes through reply first, until
// reply returns an error; Send takes over then. reply is called from one goroutine at
// a time, also after ReceiveOn has returned; its nil says what [Sender] says.
func (a *Agent) ReceiveOn(ctx context.Context, envelope []byte, reply func(ctx context.Context, envelope []byte) error) error {
	if reply == nil {
		return a.receive(ctx, envelope, nil, a.patiently)
	}
	c := newChannel("", reply)
	err := a.receive(ctx, envelope, c, a.patiently)
	if err != nil || ctx.Err() != nil {
		a.sessions.end(c)
		return err
	}
	context.AfterFunc(ctx, func() { a.sessions.close(c) })
	return nil
}

// ReceiveOnce is [Agent.Receive] for who keeps the envelope and tries again by itself: it
// is not held until its connection is established ([Config].Patience).
func (a *Agent) ReceiveOnce(ctx context.Context, envelope []byte) error {
	return a.receive(ctx, envelope, nil, func(_ context.Context, f func() error) error { return f() })
}

func (a *Agent) receive(ctx context.Context, envelope []byte, c *channel, handled func(context.Context, func() error) error) error {
	a.failpoint(atBeforeUnpack)
	in, err := a.open(ctx, envelope)
	if err != nil {
		a.config.Log.LogAttrs(ctx, slog.LevelInfo, "didcomm envelope refused", slog.Bool("permanent", errors.Is(err, didcomm.ErrPermanent)))
		return err
	}
	in.channel = c
	defer a.sessions.drop(in)
	var connection, outcome string
	var refusal error // decided and recorded: the transaction commits
	err = handled(ctx, func() error {
		return a.update(ctx, func(t *tx) (err error) {
			connection, outcome, refusal, err = a.handle(ctx, t, in)
			return err
		})
	})
	var p *didcomm.Problem
	if errors.As(err, &p) {
		a.failpoint(atBeforeReport)
		outcome = p.Code
		err = a.update(ctx, func(t *tx) (err error) {
			connection, err = a.recordProblem(ctx, t, in, p)
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
	if in.session != nil && c.send(ctx, nil) != nil {
		a.sessions.end(c)
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
	in := &inbound{digest: sha256.Sum256(got.Plaintext), prior: got.Prior, rotatedAt: got.Rotated, priorErr: got.PriorErr}
	if in.keys, in.authenticated, err = keysOf(got); err != nil {
		return nil, err
	}
	if in.m, err = didcomm.ParseMessage(got.Plaintext); err != nil {
		return nil, refuse(err)
	}
	if in.m.Version.Or1() != got.Version.Or1() {
		return nil, refuse(fmt.Errorf("%w: message of one version in an envelope of the other", didcomm.ErrMalformed))
	}
	in.reaction, in.routed, in.known = a.react(in.m.Type)
	if isReport(in.m.Type) || in.routed && in.reaction.opener != nil && in.m.Version == didcomm.V2 {
		// Reports go to whose thread they are about; openers know keys.
		in.reaction, in.routed = reaction{}, false
	}
	if in.routed && in.reaction.opener == nil && didcomm.IsProblemReport(in.m.Type) && in.m.Thread == in.m.ID && in.m.Parent != "" {
		in.m.Thread = in.m.Parent // some agents name the thread of their reports so, as RFC 0035 says of its own
	}
	if !in.authenticated && in.reaction.anonymous == nil && in.prior.IsZero() {
		return nil, refuse(ErrSender)
	}
	return in, nil
}

// keysOf returns what an envelope proved, or refuses one that names no recipient.
func keysOf(got Received) (k didcomm.Keys, authenticated bool, err error) {
	if got.Version == didcomm.V2 {
		if got.To.IsZero() {
			return k, false, refuse(ErrSender)
		}
		return didcomm.Keys{From: got.From, To: got.To}, !got.From.IsZero(), nil
	}
	if len(got.Recipient) != ed25519.PublicKeySize {
		return k, false, refuse(ErrSender)
	}
	k = didcomm.Keys{Recipient: got.Recipient}
	if len(got.Sender) == ed25519.PublicKeySize {
		k.Sender, authenticated = got.Sender, true
	}
	return k, authenticated, nil
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
	if !in.authenticated && in.reaction.anonymous == nil {
		connection, err = t.leave(in)
		return connection, outcomeOK, nil, err
	}
	ad, err := t.admit(in)
	if err != nil {
		return "", "", nil, err
	}
	connection = ad.c.ID
	before, err := t.known(ad.key, in)
	if err != nil {
		return connection, "", nil, err
	}
	expired := a.late(in.m)
	switch {
	case before != nil && before.digest == in.digest:
		if before.outcome == outcomeExpired {
			refusal = refuse(ErrExpired)
		}
		return connection, "", refusal, errDuplicate
	case ad.former:
		return connection, "", nil, refuse(ErrSender)
	case before != nil && before.conflict: // a peer that repeats itself does not fill the log
		return connection, "", refuse(didcomm.ErrConflict), errDuplicate
	case before != nil:
		before.conflict = true
		if err := t.markSeen(ad.key, *before); err != nil {
			return connection, "", nil, err
		}
		return connection, outcomeConflict, refuse(didcomm.ErrConflict), t.Audit(in.event(connection, outcomeConflict))
	case expired && ad.greet && connection == "": // a stranger's message leaves nothing
		return "", "", nil, refuse(ErrExpired)
	case expired:
		return connection, outcomeExpired, refuse(ErrExpired), t.record(ad.key, in, connection, outcomeExpired)
	}
	turnedAway := false
	if ad.greet {
		if turnedAway, err = a.greet(ctx, t, in, &ad); err != nil {
			return connection, "", nil, err
		}
		connection = ad.c.ID
	}
	if turnedAway {
		if err := t.markSeen(ad.key, sighting{digest: in.digest}); err != nil {
			return "", "", nil, err
		}
		return "", "refused", nil, t.Audit(in.event("", "refused"))
	}
	if err := t.remember(ad.key, connection, in); err != nil {
		return connection, "", nil, err
	}
	if ad.c, err = t.confirmed(ad.c, in); err != nil {
		return connection, "", nil, err
	}
	a.failpoint(atBeforeHandle)
	a.answerOn(in.channel, in, connection)
	t.about = in.origin(connection)
	outcome, err = a.dispatch(ctx, t, ad.c, in)
	if err != nil {
		return connection, "", nil, err
	}
	a.failpoint(atAfterHandle)
	t.session = in.session
	return connection, outcome, nil, t.Audit(in.event(connection, outcome))
}

// origin is what deferred work is about.
func (in *inbound) origin(connection string) origin {
	return origin{Conn: connection, Mine: in.keys.Recipient, Theirs: in.keys.Sender,
		MyDID: in.keys.To, Their: in.keys.From, Thread: in.m.Thread}
}

// dispatch gives a message to its protocol and returns the outcome to record.
func (a *Agent) dispatch(ctx context.Context, t *tx, c didcomm.Connection, in *inbound) (outcome string, err error) {
	defer malformed(&err)
	defer a.recovered(&err)
	switch {
	case in.routed && in.reaction.anonymous != nil:
		return outcomeOK, in.reaction.anonymous.Anonymous(ctx, t, in.keys, in.m)
	case in.routed && in.reaction.opener != nil:
		return outcomeOK, in.reaction.opener.Open(ctx, t, in.keys, in.m)
	case in.routed:
		return outcomeOK, in.reaction.handler.Handle(ctx, t, c, in.m)
	case isReport(in.m.Type):
		return a.hearReport(ctx, t, c, in.m)
	case in.m.Version == didcomm.V2 && in.m.Type.Protocol == "empty":
		return outcomeOK, nil // it has headers only (DIDComm Messaging 2.1, "The Empty Message")
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
