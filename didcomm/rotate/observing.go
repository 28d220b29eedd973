package rotate

import (
	"context"
	"errors"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// observe takes the peer's new DID, or says why it cannot be used; then the old one goes
// on. The answer goes to the old one.
func (p *Protocol) observe(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	var b struct {
		To string `json:"to_did"`
	}
	if err := m.Decode(&b); err != nil {
		return refuse(codeMessage, "The message cannot be read.", err)
	}
	peer, err := peerdid.Read(ctx, p.Resolver, b.To, nil)
	switch {
	case err == nil:
	case errors.Is(err, peerdid.ErrMethod) || errors.Is(err, did.ErrUnsupported):
		return refuse(codeMethod, "The DID is of a method that is not supported.", err)
	case errors.Is(err, peerdid.ErrService):
		return refuse(codeDocument, "The DID names no way to reach it that can be used.", err)
	default:
		return refuse(codeUnresolvable, "The DID cannot be resolved.", err)
	}
	before, err := load(tx, c.ID)
	if err != nil {
		return err
	}
	key := peer.Service.Keys[0]
	if key.Equal(c.MyKey) || before != nil && key.Equal(before.Key) { // what we send would come back as the peer's
		return refuse(codeDocument, "The key of the DID is not the peer's.", nil)
	}
	answer, err := didcomm.New(p.newID(), messageType.With(ack), m.Thread, "", ackBody{Status: exchange.AckOK})
	if err != nil {
		return err
	}
	if err := tx.Send(c, answer); err != nil { // before the change: to the old DID
		return err
	}
	if err := peerdid.Know(tx, c.ID, peer.ID, peer.Genesis); err != nil {
		return err
	}
	x := &record{Rotation: Rotation{Connection: c.ID, Role: RoleObserving, Thread: m.Thread, Old: c.Theirs, New: peer.ID}}
	switch { // this message came with the PriorKey if there is one, which stays what is proven
	case key.Equal(c.PriorKey):
		c.PriorKey, c.PriorTheirs = nil, did.DID{}
	case len(c.PriorKey) == 0 && !key.Equal(c.TheirKey):
		c.PriorKey, c.PriorTheirs = c.TheirKey, c.Theirs
	}
	c.Theirs, c.TheirKey, c.RoutingKeys, c.Endpoint = peer.ID, key, peer.Service.RoutingKeys, peer.Service.Endpoint
	if err := tx.SaveConnection(c); err != nil {
		if errors.Is(err, didcomm.ErrConflict) {
			return refuse(codeDocument, "The key of the DID is in use on another connection.", err)
		}
		return err
	}
	if before != nil && before.Role == RoleRotating && before.State == Rotating {
		// Both rotate at once: ours is still waited for, and its record kept.
		return tx.Audit(didcomm.Event{Action: "did-rotate/rotate-received", Outcome: "ok", Connection: c.ID, Thread: m.Thread})
	}
	return p.step(tx, x, "ok", Event{Message: rotate}, Event{ack, true})
}

// hungUp ends the connection because the peer has.
func (p *Protocol) hungUp(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	if p.Ended != nil {
		if err := p.Ended(ctx, tx, c); err != nil {
			return err
		}
	}
	return p.end(tx, c, RoleObserving, m.Thread, Event{Message: hangup})
}
