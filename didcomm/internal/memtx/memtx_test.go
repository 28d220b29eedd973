package memtx_test

import (
	"testing"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/didcommtest"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

// The tests of the protocols stand on this store: it must be what the runtime is.
func TestStore(t *testing.T) {
	t.Parallel()
	didcommtest.TestStore(t, func(*testing.T) didcomm.Store { return new(memtx.Store) })
}
