package connect

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// The kinds of record that this package keeps.
const (
	kindExchange   = "connect"
	kindThread     = "connect/thread"     // thread and requester's key -> exchange
	kindReceived   = "connect/received"   // invitation received -> exchange
	kindInvitation = "connect/invitation" // invitations made
)

// An Exchange is one run of the protocol, as one party sees it.
type Exchange struct {
	ID      string    `json:"id"` // also of the connection; local, safe in a URL
	Role    Role      `json:"role"`
	State   State     `json:"state"`
	Thread  string    `json:"thread,omitempty"` // empty before the request
	Created time.Time `json:"created"`
	Since   time.Time `json:"since"` // when State was entered

	Invitation string    `json:"invitation"`         // its ID
	Label      string    `json:"label,omitempty"`    // what the peer calls itself; not proven
	GoalCode   string    `json:"goalCode,omitempty"` // of the inviter
	Goal       string    `json:"goal,omitempty"`     // of the inviter
	Expires    time.Time `json:"expires,omitzero"`   // of the invitation; zero means never

	// Code and Reason say why the exchange is abandoned. A Reason ByPeer is the
	// peer's own text.
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
	ByPeer bool   `json:"byPeer,omitempty"`
}

// record is what is kept of an exchange: the rest is of no use to a page.
type record struct {
	Exchange
	// Request is the type of the request: its version is that of the exchange.
	Request didcomm.Type `json:"request"`
	// InvitationKeys are those of the invitation, the first of which receives.
	InvitationKeys []ed25519.PublicKey `json:"invitationKeys"`
	// Peer is where the peer receives: a requester's as the invitation says, a
	// responder's as the request's DID says.
	Peer     didcomm.Service   `json:"peer"`
	TheirKey ed25519.PublicKey `json:"theirKey,omitempty"` // of the requester, in a responder's record
	Theirs   did.DID           `json:"theirs,omitzero"`    // of the requester, in a responder's record
}

// threadID finds the exchange of a thread by the one key that both sides know
// from the first message on and that no envelope can claim falsely: the
// requester's. The sender proved it to a responder, and only whoever was given it
// can encrypt to it for a requester.
func threadID(r Role, requester ed25519.PublicKey, thread string) string {
	return hash(string(r), string(requester), thread)
}

func receivedID(i didcomm.Invitation) string { return hash(i.ID, string(i.Service.Keys[0])) }

func hash(parts ...string) string {
	h := sha256.New()
	for _, s := range parts {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// load returns a record by its id, or [didcomm.ErrNotFound].
func load(tx didcomm.Tx, id string) (*record, error) {
	x := new(record)
	return x, tx.Load(kindExchange, id, x)
}

// find returns the record of a thread, or nil.
func find(tx didcomm.Tx, r Role, requester ed25519.PublicKey, thread string) (*record, error) {
	var id string
	err := tx.Load(kindThread, threadID(r, requester, thread), &id)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return load(tx, id)
}

func isNotFound(err error) bool { return errors.Is(err, didcomm.ErrNotFound) }

func each[T any](tx didcomm.Tx, kind string, f func(*T)) error {
	for r, err := range tx.List(kind) {
		if err != nil {
			return err
		}
		v := new(T)
		if err := json.Unmarshal(r.Data, v); err != nil {
			return err
		}
		f(v)
	}
	return nil
}

func (p *Protocol) view(ctx context.Context, id string) (x *record, err error) {
	err = p.Store.View(ctx, func(tx didcomm.Tx) error {
		x, err = load(tx, id)
		return err
	})
	return x, err
}

// change loads x in a transaction of its own and lets f change it.
func (p *Protocol) change(ctx context.Context, id string, f func(didcomm.Tx, *record) error) error {
	return p.Store.Update(ctx, func(tx didcomm.Tx) error {
		x, err := load(tx, id)
		if err != nil {
			return err
		}
		return f(tx, x)
	})
}

// step applies an event to x, saves it, and audits it under the message's name.
func (p *Protocol) step(tx didcomm.Tx, x *record, e Event, outcome string) error {
	next, err := Next(x.Role, x.State, e)
	if err != nil {
		return err
	}
	x.State, x.Since = next, p.now()
	if err := tx.Save(kindExchange, x.ID, x); err != nil {
		return err
	}
	return tx.Audit(didcomm.Event{
		Action: "didexchange/" + strings.ReplaceAll(e.String(), " ", "-"), Outcome: outcome,
		Connection: x.ID, Thread: x.Thread,
	})
}

// reported handles a problem report: it ends an exchange that can still end. A
// report is never answered.
func (p *Protocol) reported(tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) error {
	r, err := didcomm.ParseReport(m)
	if err != nil {
		return nil
	}
	x, err := find(tx, RoleRequester, k.Recipient, m.Thread)
	if err == nil && x == nil {
		x, err = find(tx, RoleResponder, k.Sender, m.Thread)
	}
	if err != nil || x == nil || !x.between(tx, k) {
		return err
	}
	return p.abandon(tx, x, r, true)
}

// between reports whether the keys of an envelope are those of an exchange: the
// requester's key on one side, and on the other one that the responder showed.
func (x *record) between(tx didcomm.Tx, k didcomm.Keys) bool {
	theirs, ours := k.Sender, k.Recipient
	if x.Role == RoleResponder {
		theirs, ours = k.Recipient, k.Sender
	}
	c, err := tx.Connection(x.ID)
	if err != nil && !isNotFound(err) {
		return false
	}
	if x.Role == RoleResponder {
		return ours.Equal(x.TheirKey) && (contains(x.InvitationKeys, theirs) || theirs.Equal(c.MyKey))
	}
	return ours.Equal(c.MyKey) && (contains(x.InvitationKeys, theirs) || theirs.Equal(c.TheirKey))
}

func contains(keys []ed25519.PublicKey, key ed25519.PublicKey) bool {
	for _, k := range keys {
		if k.Equal(key) {
			return true
		}
	}
	return false
}

// abandon ends x without a message to the peer.
func (p *Protocol) abandon(tx didcomm.Tx, x *record, r *didcomm.Problem, byPeer bool) error {
	e := Event{problem, !byPeer}
	if _, err := Next(x.Role, x.State, e); err != nil || strings.HasPrefix(r.Code, "w.") {
		return nil
	}
	x.Code, x.Reason, x.ByPeer = r.Code, clip(r.Comment), byPeer
	return p.step(tx, x, e, "abandoned")
}

func expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// maxText bounds a text that a page would show, in bytes.
const maxText = 500

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "") }
