package memtx_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/didcommtest"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

// The tests of the protocols stand on this store: it must be what the runtime is.
func TestStore(t *testing.T) {
	t.Parallel()
	didcommtest.TestStore(t, func(*testing.T) didcomm.Store { return new(memtx.Store) })
}

// TestOrders: of two messages in two copies each there are 24 orders, six of which
// differ.
func TestOrders(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	require.Equal(t, 24, memtx.Orders(2, func(order []int) {
		kinds := ""
		for _, i := range order {
			kinds += string(rune('a' + i/2))
		}
		require.False(t, seen[kinds], kinds)
		seen[kinds] = true
	}))
	for _, kinds := range []string{"aabb", "abab", "abba", "baab", "baba", "bbaa"} {
		require.True(t, seen[kinds], kinds)
	}
	require.Len(t, seen, 6)
}
