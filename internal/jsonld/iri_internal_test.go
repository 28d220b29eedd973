package jsonld

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every byte at every position of IRIs of several lengths.
func TestIsIRI(t *testing.T) {
	t.Parallel()
	for c := range 0x80 {
		want := c > ' ' && strings.IndexByte("<>\"{}|^`\\", byte(c)) < 0
		for length := 1; length < 20; length++ {
			for at := range length {
				text := []byte(strings.Repeat("y", length))
				text[at] = byte(c)
				require.Equal(t, want, isIRI("urn:"+string(text)), "%q", text)
			}
		}
	}
	require.True(t, isIRI("a+b-c.1:"+strings.Repeat("~é%7F[]", 100)))
	for _, s := range []string{"", ":", "a", "urn:", "1a:b", "é:a", "a b:c", "urn:\xff", "urn:aaaaaaaaaaaa\xff"} {
		require.False(t, isIRI(s), "%q", s)
	}
}
