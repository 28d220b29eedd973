package pickup

import (
	"testing"

	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
)

// TestNothingPrintsClaims: LG-01 for everything that this package exports.
func TestNothingPrintsClaims(t *testing.T) {
	t.Parallel()
	printtest.Check(t, []any{}, map[string]string{
		"Event":     "the name of a message",
		"Mailbox":   "identifiers and numbers",
		"Mediator":  "a protocol",
		"Queue":     "an identifier and numbers",
		"Recipient": "a protocol",
		"Roles":     "protocols",
	})
}
