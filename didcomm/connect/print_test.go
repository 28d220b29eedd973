package connect

import (
	"testing"

	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
)

// TestNothingPrintsClaims: LG-01 for everything that this package exports. A label
// may be a person's name.
func TestNothingPrintsClaims(t *testing.T) {
	t.Parallel()
	printtest.Check(t, []any{Exchange{}}, map[string]string{
		"Event":    "the name of a message",
		"Invite":   "what an invitation says to anybody",
		"Made":     "what an invitation says to anybody",
		"Peers":    "a resolver",
		"Protocol": "a protocol",
	}, "ID", "Role", "State", "Thread")
}
