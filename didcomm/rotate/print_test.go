package rotate

import (
	"testing"

	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
)

// TestNothingPrintsClaims: LG-01 for everything that this package exports.
func TestNothingPrintsClaims(t *testing.T) {
	t.Parallel()
	printtest.Check(t, nil, map[string]string{
		"Event":    "the name of a message",
		"Protocol": "a protocol",
		"Rotation": "DIDs and a code",
	})
}
