package outofband

import (
	"testing"

	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
)

// TestNothingPrintsClaims: LG-01 for everything that this package exports.
func TestNothingPrintsClaims(t *testing.T) {
	t.Parallel()
	printtest.Check(t, nil, map[string]string{
		"Invitation": "plain text for anybody",
		"Service":    "plain text for anybody",
	})
}
