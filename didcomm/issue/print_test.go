package issue

import (
	"testing"

	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
)

// TestNothingPrintsClaims: LG-01 for everything that this package exports.
func TestNothingPrintsClaims(t *testing.T) {
	t.Parallel()
	printtest.Check(t, []any{Exchange{}, Offer{}, Received{}, Form{}, Proposal{}, Options{}, Attribute{}}, map[string]string{
		"Event":  "the name of a message",
		"Holder": "a protocol",
		"Issuer": "a protocol",
		"Roles":  "protocols",
	}, "ID", "Role", "State", "Connection", "Thread")
}
