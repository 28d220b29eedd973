package memtx

import (
	"context"
	"errors"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// A Node is one party on one connection.
type Node struct {
	Store      Store
	Handler    didcomm.Handler
	Workers    map[string]didcomm.Worker
	Connection string // its id here
}

// NewNode returns a node with an established connection of the given id.
func NewNode(connection string) *Node {
	return NewNodeOf(didcomm.V1, connection)
}

// NewNodeOf is NewNode for a connection of either version.
func NewNodeOf(v didcomm.Version, connection string) *Node {
	n := &Node{Connection: connection}
	n.ConnectOf(v, connection, true)
	return n
}

// Connect adds a connection of V1.
func (n *Node) Connect(id string, established bool) { n.ConnectOf(didcomm.V1, id, established) }

// ConnectOf adds a connection.
func (n *Node) ConnectOf(v didcomm.Version, id string, established bool) {
	c := didcomm.Connection{ID: id, Version: v, Label: "peer", Endpoint: "https://peer.example/didcomm", Established: established}
	if v == didcomm.V2 {
		c.Mine, _ = did.Parse("did:example:mine-" + id)
		c.Theirs, _ = did.Parse("did:example:theirs-" + id)
	} else {
		key := func(s string) []byte { return append([]byte(s), make([]byte, 32)...)[:32] }
		c.MyKey, c.TheirKey = key("mine "+id), key("theirs "+id)
	}
	if err := n.Store.Update(context.Background(), func(tx didcomm.Tx) error { return tx.SaveConnection(c) }); err != nil {
		panic(err) // a test gave an id that is no part of a DID
	}
}

// Work runs the tasks that are waiting, once each. Those that fail wait again.
func (n *Node) Work(ctx context.Context) error {
	var errs []error
	for _, t := range n.Store.TakeTasks() {
		err := n.Workers[t.Name].Work(ctx, t.ID)
		if err == nil {
			continue
		}
		errs = append(errs, err)
		if !errors.Is(err, didcomm.ErrPermanent) {
			_ = n.Store.Update(ctx, func(tx didcomm.Tx) error { return tx.Defer(t.Name, t.ID) })
		}
	}
	return errors.Join(errs...)
}

// Settle carries messages between two nodes and runs their tasks until nothing is
// left to do, and returns every message in the order of delivery. It stops at the
// first round with an error.
func Settle(ctx context.Context, a, b *Node) (trace []*didcomm.Message, err error) {
	for range 100 {
		moved := false
		for _, way := range [][2]*Node{{a, b}, {b, a}} {
			from, to := way[0], way[1]
			for _, s := range from.Store.TakeOutbox() {
				moved = true
				trace = append(trace, s.Message)
				if err := to.Store.Deliver(ctx, to.Handler, to.Connection, s.Message); err != nil {
					return trace, err
				}
			}
		}
		for _, n := range []*Node{a, b} {
			if len(n.Store.Tasks()) == 0 {
				continue
			}
			moved = true
			if err := n.Work(ctx); err != nil {
				return trace, err
			}
		}
		if !moved {
			return trace, nil
		}
	}
	return trace, errors.New("memtx: two nodes do not come to rest")
}
