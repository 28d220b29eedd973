package memtx

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Orders calls f with every order of n messages in two copies each, of which 2i and 2i+1
// are those of message i, and returns how many orders there are. The copies of one
// message are the same: orders that differ in them alone are one call.
func Orders(n int, f func(order []int)) (count int) {
	order := make([]int, 2*n)
	for i := range order {
		order[i] = i
	}
	seen := map[string]bool{}
	var walk func(k int)
	walk = func(k int) {
		if k == len(order) {
			count++
			kinds := ""
			for _, i := range order {
				kinds += fmt.Sprint(i / 2)
			}
			if !seen[kinds] {
				seen[kinds] = true
				f(slices.Clone(order))
			}
			return
		}
		for i := k; i < len(order); i++ {
			order[k], order[i] = order[i], order[k]
			walk(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	walk(0)
	return count
}

// A Parcel is a message on its way.
type Parcel struct {
	To      *Node
	Message *didcomm.Message
}

// Take returns what two nodes have sent each other.
func Take(a, b *Node) (out []Parcel) {
	for _, way := range [][2]*Node{{a, b}, {b, a}} {
		for _, s := range way[0].Store.TakeOutbox() {
			out = append(out, Parcel{way[1], s.Message})
		}
	}
	return out
}

// Deliver hands a parcel over. A message that is refused is no failure of the network.
func (p Parcel) Deliver(ctx context.Context) error {
	err := p.To.Store.Deliver(ctx, p.To.Handler, p.To.Connection, p.Message)
	if refused := (*didcomm.Problem)(nil); errors.As(err, &refused) {
		return nil
	}
	return err
}
