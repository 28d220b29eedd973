package runtime

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/staffpassport/staffpassport/didcomm"
)

// An admission is how a message stands before its protocol sees it.
type admission struct {
	c      didcomm.Connection // zero if there is none
	key    string             // of its sighting
	greet  bool               // somebody must be asked whether it begins a connection
	former bool               // its sender is no peer any more
}

// admit finds the connection of a message and the key of its sighting, or refuses a
// message that no protocol may see. A message of a protocol that makes connections
// may have the zero Connection; its sighting is kept under the pair of keys, which
// does not change when the connection comes to be. So may one of V2 that somebody may
// greet, and one of a protocol that takes anonymous messages.
func (t *tx) admit(in *inbound) (ad admission, err error) {
	if !in.authenticated {
		ad.key = in.anonymousKey()
		return ad, nil
	}
	found, once, unfinished, err := t.peer(in)
	if err != nil {
		return ad, err
	}
	if found != nil {
		ad.c = *found
	}
	switch {
	case in.routed && in.reaction.anonymous != nil:
		ad.key = in.anonymousKey()
		return ad, nil
	case in.routed && in.reaction.opener != nil:
		ad.key = "keys/" + name(in.keys.Recipient) + "/" + name(in.keys.Sender) + "/" + in.m.ID
		return ad, nil
	case found == nil:
		return t.admitStranger(in, once, unfinished)
	case !ad.c.Established && !isReport(in.m.Type):
		if in.m.Version != didcomm.V2 {
			return ad, ErrNotEstablished
		}
		ad.greet = true
	}
	ad.key = in.connectionKey(ad.c.ID)
	return ad, nil
}

// admitStranger admits a message between two names that have no connection.
func (t *tx) admitStranger(in *inbound, once string, unfinished bool) (ad admission, err error) {
	switch {
	case once != "":
		return admission{c: didcomm.Connection{ID: once}, key: in.connectionKey(once), former: true}, nil
	case in.m.Version == didcomm.V2:
		return admission{key: in.strangerKey(), greet: true}, nil
	case unfinished:
		return ad, ErrNotEstablished
	}
	return ad, refuse(ErrSender)
}

// messageID is the identifier under which a message is remembered: in V2 they are
// compared without regard to case (DIDComm Messaging 2.1, "Message IDs").
func (in *inbound) messageID() string {
	if in.m.Version == didcomm.V2 {
		return strings.ToLower(in.m.ID)
	}
	return in.m.ID
}

func (in *inbound) connectionKey(connection string) string {
	return "connection/" + connection + "/" + in.messageID()
}

// strangerKey is the key of a sighting between two DIDs that have no connection.
func (in *inbound) strangerKey() string {
	return "dids/" + nameDID(in.keys.To) + "/" + nameDID(in.keys.From) + "/" + in.messageID()
}

// anonymousKey is the key of a sighting of a message that anybody may have sent: with
// its content, since its identifier is nobody's.
func (in *inbound) anonymousKey() string {
	to := name(in.keys.Recipient)
	if in.m.Version == didcomm.V2 {
		to = nameDID(in.keys.To)
	}
	return "anonymous/" + to + "/" + hex.EncodeToString(in.digest[:])
}

// greet asks whether a message begins, or completes, a connection. The stranger was
// dealt with if it has none afterwards.
func (a *Agent) greet(ctx context.Context, t *tx, in *inbound, ad *admission) (turnedAway bool, err error) {
	stranger := ad.c.ID == ""
	a.mu.RLock()
	all := a.greeters
	a.mu.RUnlock()
	for _, g := range all {
		c, err := a.callGreeter(ctx, t, g, in)
		if errors.Is(err, didcomm.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		if c.ID == "" {
			return true, nil
		}
		if !c.Established {
			return false, ErrNotEstablished
		}
		if stranger { // so that a copy is known, whose names have the connection now
			if err := t.remember(in.connectionKey(c.ID), c.ID, in); err != nil {
				return false, err
			}
		}
		ad.c = c
		return false, nil
	}
	if stranger {
		return false, refuse(ErrSender)
	}
	return false, ErrNotEstablished
}

func (a *Agent) callGreeter(ctx context.Context, t *tx, g didcomm.Greeter, in *inbound) (c didcomm.Connection, err error) {
	defer a.recovered(&err)
	c, err = g.Greet(ctx, t, in.keys, in.m)
	malformed(&err)
	var p *didcomm.Problem
	in.turnedAway = errors.As(err, &p)
	return c, err
}
