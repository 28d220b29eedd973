package detcbor_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

type all struct {
	_       struct{} `cbor:",toarray"`
	Bytes   []byte
	Many    [][]byte
	Numbers []uint64
	Texts   []string
	Labels  map[uint64][]byte
	Order   map[uint64]uint64
}

func header() detcbor.Header { return detcbor.Header{0xd9, 0x5d, 0x00} }

func text(t testing.TB, hexBytes string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(hexBytes, " ", ""))
	require.NoError(t, err)
	return multiformat.EncodeBase64URL(b)
}

func TestBothWays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		v    all
		want string
	}{
		"empty": {all{}, "d95d00 86 40 80 80 80 a0 a0"},
		"full": {
			all{Bytes: []byte{1, 2}, Many: [][]byte{{3}, {}}, Numbers: []uint64{0, 23, 24, 255, 256, 65536},
				Texts: []string{"/issuer", "é"}, Labels: map[uint64][]byte{100: {2}, 1: {1}}, Order: map[uint64]uint64{24: 0, 2: 1}},
			"d95d00 86 420102 82 4103 40 86 00 17 1818 18ff 190100 1a00010000 82 67 2f697373756572 62 c3a9 a2 01 4101 1864 4102 a2 02 01 1818 00",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := detcbor.Encode(header(), c.v)
			require.NoError(t, err)
			require.Equal(t, text(t, c.want), got)
			var back all
			require.NoError(t, detcbor.Decode(got, header(), &back))
			again, err := detcbor.Encode(header(), back)
			require.NoError(t, err)
			require.Equal(t, got, again)
			h, err := detcbor.HeaderOf(got)
			require.NoError(t, err)
			require.Equal(t, header(), h)
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	const good = "d95d00 86 40 80 80 80 a0 a0"
	many := "d95d00 86 40 80 99 1001" + strings.Repeat("00", 4097) + "80 a0 a0"
	for name, in := range map[string]string{
		"trailing byte":       text(t, good+"00"),
		"cut short":           text(t, "d95d00 86 40 80 80 80 a0"),
		"five elements":       text(t, "d95d00 85 40 80 80 80 a0"),
		"seven elements":      text(t, "d95d00 87 40 80 80 80 a0 a0 00"),
		"a map":               text(t, "d95d00 a0"),
		"nothing":             text(t, "d95d00"),
		"null":                text(t, "d95d00 86 f6 80 80 80 a0 a0"),
		"null array":          text(t, "d95d00 86 40 f6 80 80 a0 a0"),
		"undefined":           text(t, "d95d00 86 f7 80 80 80 a0 a0"),
		"text for bytes":      text(t, "d95d00 86 60 80 80 80 a0 a0"),
		"array for bytes":     text(t, "d95d00 86 8101 80 80 80 a0 a0"),
		"tagged bytes":        text(t, "d95d00 86 d84040 80 80 80 a0 a0"),
		"tagged array":        text(t, "d95d00 d9d9f7 86 40 80 80 80 a0 a0"),
		"long length":         text(t, "d95d00 86 5800 80 80 80 a0 a0"),
		"long array":          text(t, "d95d00 9806 40 80 80 80 a0 a0"),
		"long number":         text(t, "d95d00 86 40 80 811800 80 a0 a0"),
		"negative":            text(t, "d95d00 86 40 80 8120 80 a0 a0"),
		"float":               text(t, "d95d00 86 40 80 81f90000 80 a0 a0"),
		"bool":                text(t, "d95d00 86 40 80 81f4 80 a0 a0"),
		"bignum":              text(t, "d95d00 86 40 80 81c24101 80 a0 a0"),
		"not UTF-8":           text(t, "d95d00 86 40 80 80 8161ff a0 a0"),
		"indefinite bytes":    text(t, "d95d00 86 5f4101ff 80 80 80 a0 a0"),
		"indefinite array":    text(t, "d95d00 9f 40 80 80 80 a0 a0 ff"),
		"indefinite map":      text(t, "d95d00 86 40 80 80 80 bfff a0"),
		"duplicate key":       text(t, "d95d00 86 40 80 80 80 a0 a2 0100 0101"),
		"keys out of order":   text(t, "d95d00 86 40 80 80 80 a0 a2 0200 0101"),
		"text key":            text(t, "d95d00 86 40 80 80 80 a0 a1 6100 01"),
		"claims 2^63 bytes":   text(t, "d95d00 86 5b7fffffffffffffff 80"),
		"claims 2^31 members": text(t, "d95d00 9a7fffffff"),
		"nested":              text(t, "d95d00 8181818181818181818181"),
		"4,097 numbers":       text(t, many),
		"base58":              multiformat.Encode([]byte{0xd9, 0x5d, 0, 0x86, 0x40, 0x80, 0x80, 0x80, 0xa0, 0xa0}),
		"no multibase":        "2V0AhkCAgICgoA",
		"padded":              text(t, good) + "=",
		"line feed":           text(t, good) + "\n",
		"other alphabet":      "u2V0A+/+/",
		"half a header":       text(t, "d95d"),
		"empty":               "",
		"u":                   "u",
		"too long":            "u2V0A" + strings.Repeat("A", 512<<10),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorIs(t, detcbor.Decode(in, header(), new(all)), detcbor.ErrSyntax)
		})
	}
	for _, h := range []string{"d95d01", "d95d02", "d85d00", "000000"} {
		require.ErrorIs(t, detcbor.Decode(text(t, h+"86 40 80 80 80 a0 a0"), header(), new(all)), detcbor.ErrHeader)
	}
	_, err := detcbor.Encode(header(), func() {})
	require.Error(t, err)
}

func TestElementsAtTheBoundary(t *testing.T) {
	t.Parallel()
	in := text(t, "d95d00 86 40 80 99 1000"+strings.Repeat("00", 4096)+"80 a0 a0")
	var v all
	require.NoError(t, detcbor.Decode(in, header(), &v))
	require.Len(t, v.Numbers, 4096)
}

// Whatever decodes has this one spelling.
func FuzzDecode(f *testing.F) {
	f.Add("u" + "2V0AhkCAgICgoA")
	f.Add(text(f, "d95d00 86 420102 82 4103 40 82 00 17 81 67 2f697373756572 a1 01 4101 a1 02 01"))
	f.Fuzz(func(t *testing.T, in string) {
		var v all
		if detcbor.Decode(in, header(), &v) != nil {
			return
		}
		again, err := detcbor.Encode(header(), v)
		require.NoError(t, err)
		require.Equal(t, in, again)
		b, err := multiformat.Decode(in, len(in))
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(b, []byte{0xd9, 0x5d, 0x00}))
	})
}
