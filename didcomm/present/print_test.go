package present

import (
	"testing"

	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
)

// TestNothingPrintsClaims: LG-01 for everything that this package exports.
func TestNothingPrintsClaims(t *testing.T) {
	t.Parallel()
	printtest.Check(t, []any{Exchange{}, Answer{}, Shown{}, Decision{}}, map[string]string{
		"Event":    "the name of a message",
		"Field":    "what a verifier asks for",
		"Input":    "what a verifier asks for",
		"Proposal": "what a verifier may ask for",
		"Request":  "what a verifier asks for",
		"Prover":   "a protocol",
		"Roles":    "protocols",
		"Verifier": "a protocol",
	}, "ID", "Role", "State", "Connection", "Thread")
}
