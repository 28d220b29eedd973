package mediate

import (
	"testing"

	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
)

// TestNothingPrintsClaims: LG-01 for everything that this package exports.
func TestNothingPrintsClaims(t *testing.T) {
	t.Parallel()
	printtest.Check(t, []any{}, map[string]string{
		"Check":     "identifiers of messages and names of keys, which do not print",
		"Client":    "identifiers and numbers",
		"Event":     "the name of a message",
		"Mediation": "identifiers, and where a mediator is",
		"Mediator":  "a protocol",
		"Recipient": "a protocol",
		"Roles":     "protocols",
	})
}
