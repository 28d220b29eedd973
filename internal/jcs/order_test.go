package jcs

import (
	"cmp"
	"slices"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// The quick comparison must order as UTF-16 code units do, for strings that
// part at characters of every length.
func TestCompareUTF16(t *testing.T) {
	t.Parallel()
	var list []string
	for _, start := range []string{"", "a", "é", "€", "\ue000", "\U0001F602"} {
		for _, r := range []rune{0, 'a', 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xedff, 0xefff, 0xffff, 0x10000, 0x1f601, 0x1f602, 0x10ffff} {
			list = append(list, start+string(r), start+string(r)+"x")
		}
		list = append(list, start)
	}
	for _, a := range list {
		for _, b := range list {
			want := slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
			require.Equal(t, want, cmp.Compare(compareUTF16(a, b), 0), "%q %q", a, b)
		}
	}
}
