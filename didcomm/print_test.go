package didcomm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
)

// TestNothingPrintsClaims: LG-01 for everything that this package exports.
func TestNothingPrintsClaims(t *testing.T) {
	t.Parallel()
	printtest.Check(t, []any{Attachment{}, AttachmentData{}, Connection{}, Message{}, Record{}}, map[string]string{
		"Event":      "identifiers and codes, by its contract",
		"Format":     "the name of a format",
		"Invitation": "what an invitation says to anybody",
		"Keys":       "public keys",
		"Problem":    "no claim, by its contract",
		"Recipient":  "a public key or a DID",
		"Service":    "public keys and an address",
		"ServiceV2":  "keys and an address",
		"Type":       "the name of a message",
	}, "ID", "Thread", "Parent", "Type")
}

// TestAttachment_Prints: what a peer calls its attachment forges no line of a log.
func TestAttachment_Prints(t *testing.T) {
	t.Parallel()
	s := fmt.Sprint(Attachment{ID: "photo\nlevel=INFO msg=issued " + strings.Repeat("x", 1000)})
	require.NotContains(t, s, "\n")
	require.Less(t, len(s), 200)
}
