package strictcbor

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

func TestUnmarshal(t *testing.T) {
	t.Parallel()
	var m map[any]any
	require.NoError(t, Unmarshal(unhex(t, "a2 01 26 20 63 656c6d"), &m))
	require.Equal(t, map[any]any{int64(1): int64(-7), int64(-1): "elm"}, m)
	var s struct {
		Bits int64 `cbor:"bits"`
	}
	require.NoError(t, Unmarshal(unhex(t, "a1 64 62697473 18 01"), &s), "not the shortest form")
	require.Equal(t, int64(1), s.Bits)
	s.Bits = 0
	require.NoError(t, Unmarshal(unhex(t, "a1 64 42495453 01"), &s))
	require.Zero(t, s.Bits, "a name in capitals is another")
}

func TestUnmarshalRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]string{
		"nothing":              "",
		"cut":                  "a1 01",
		"a second item":        "01 01",
		"a label twice":        "a2 01 01 01 02",
		"a nested label twice": "a1 01 a2 01 01 01 02",
		"text not UTF-8":       "61 ff",
		"an open array":        "9f 01 ff",
		"an open map":          "bf 01 01 ff",
		"open text":            "7f 61 61 ff",
		"open bytes":           "5f 41 61 ff",
		"a tag":                "c1 01",
		"a tag inside":         "a1 01 c1 01",
		"an integer too large": "1b 8000000000000000",
		"one too small":        "3b 8000000000000000",
		"reserved information": "1c",
	} {
		var v any
		require.ErrorIs(t, Unmarshal(unhex(t, c), &v), ErrSyntax, name)
	}
	for name, c := range map[string]struct {
		most int
		one  func(n int) []byte
	}{
		"elements": {most: 64, one: func(n int) []byte { return append([]byte{0x98, byte(n)}, make([]byte, n)...) }},
		"levels":   {most: 8, one: func(n int) []byte { return append(bytes.Repeat([]byte{0x81}, n), 1) }},
		"pairs": {most: 64, one: func(n int) []byte {
			b := []byte{0xb8, byte(n)}
			for i := range n {
				b = append(b, 0x18, byte(100+i), 0)
			}
			return b
		}},
	} {
		var v any
		require.NoError(t, Unmarshal(c.one(c.most), &v), name)
		require.ErrorIs(t, Unmarshal(c.one(c.most+1), &v), ErrSyntax, name)
	}
	var number int64
	require.ErrorIs(t, Unmarshal([]byte{0x61, 'a'}, &number), ErrSyntax, "another type")
}
