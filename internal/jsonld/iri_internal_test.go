package jsonld

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every byte at every position of a text of several words.
func TestHasForbidden(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		want := c <= ' ' || strings.IndexByte("<>\"{}|^`\\", byte(c)) >= 0
		for length := 1; length < 20; length++ {
			for at := range length {
				text := []byte(strings.Repeat("y", length))
				text[at] = byte(c)
				require.Equal(t, want, hasForbidden(string(text)), "%q", text)
			}
		}
	}
	require.False(t, hasForbidden(strings.Repeat("~é%7F", 100)))
}
