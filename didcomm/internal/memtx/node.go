package memtx

import (
	"context"
	"errors"

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
	n := &Node{Connection: connection}
	n.Connect(connection, true)
	return n
}

// Connect adds a connection.
func (n *Node) Connect(id string, established bool) {
	key := func(s string) []byte { return append([]byte(s), make([]byte, 32)...)[:32] }
	_ = n.Store.Update(context.Background(), func(tx didcomm.Tx) error {
		return tx.SaveConnection(didcomm.Connection{ID: id, Label: "peer", MyKey: key("mine " + id), TheirKey: key("theirs " + id),
			Endpoint: "https://peer.example/didcomm", Established: established})
	})
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
