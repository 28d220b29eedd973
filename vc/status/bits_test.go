package status_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc/status"
)

// published is the list of Bitstring Status List 1.0, examples 3 and 5: nothing is set.
const published = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"

func newBits(t testing.TB, n int, set ...int) *status.Bits {
	t.Helper()
	b, err := status.NewBits(n)
	require.NoError(t, err)
	for _, i := range set {
		require.NoError(t, b.Set(i, true))
	}
	return b
}

func TestDecodePublished(t *testing.T) {
	t.Parallel()
	b, err := status.Decode(published)
	require.NoError(t, err)
	require.Equal(t, 131_072, b.Len())
	require.Equal(t, make([]byte, 16<<10), b.Bytes())
}

// TestBits: index 0 is the left-most bit of the first byte (section 7.1).
func TestBits(t *testing.T) {
	t.Parallel()
	b := newBits(t, status.MinEntries, 0, 9, 131_071)
	require.Equal(t, []byte{0x80, 0x40}, b.Bytes()[:2])
	require.Equal(t, byte(1), b.Bytes()[16<<10-1])
	for i, want := range map[int]bool{0: true, 1: false, 8: false, 9: true, 131_070: false, 131_071: true} {
		got, err := b.Get(i)
		require.NoError(t, err)
		require.Equal(t, want, got, i)
	}
	require.NoError(t, b.Set(9, true))
	require.NoError(t, b.Set(9, false))
	require.NoError(t, b.Set(8, false))
	require.Equal(t, []byte{0x80, 0x00}, b.Bytes()[:2])
	for _, i := range []int{-1, 131_072, 1 << 40} {
		_, err := b.Get(i)
		require.ErrorIs(t, err, status.ErrRange)
		require.ErrorIs(t, b.Set(i, true), status.ErrRange)
	}
	b.Bytes()[0] = 0
	got, err := b.Get(0)
	require.NoError(t, err)
	require.True(t, got, "what Bytes returns is a copy")
}

// TestBitsRoundTrip with bits set at random, of the sizes that there are.
func TestBitsRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{status.MinEntries, status.MinEntries + 8, 1 << 20} {
		for _, per := range []int{0, 50, 2} {
			b := newBits(t, n)
			for i := 0; per > 0 && i < n/per; i++ {
				require.NoError(t, b.Set(r.IntN(n), true))
			}
			back, err := status.Decode(b.Encode())
			require.NoError(t, err)
			require.Equal(t, b.Bytes(), back.Bytes())
			back, err = status.BitsOf(b.Bytes())
			require.NoError(t, err)
			require.Equal(t, b, back)
		}
	}
}

// TestEncodeRepeats: one list has one encoding, whatever was encoded before.
func TestEncodeRepeats(t *testing.T) {
	t.Parallel()
	a, b := newBits(t, status.MinEntries, 7), newBits(t, 1<<20, 8, 9, 700_000)
	first, second := a.Encode(), b.Encode()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				if a.Encode() != first || b.Encode() != second {
					t.Error("another encoding")
				}
			}
		})
	}
	all.Wait()
}

// TestDecodeAfterFailure: what was refused before leaves no trace in what is read
// later, with the same state and in several goroutines.
func TestDecodeAfterFailure(t *testing.T) {
	t.Parallel()
	full, empty := newBits(t, status.MinEntries), newBits(t, status.MinEntries)
	for i := range full.Len() {
		require.NoError(t, full.Set(i, i%3 == 0))
	}
	good := map[string]*status.Bits{full.Encode(): full, empty.Encode(): empty}
	ones := full.Encode()
	bad := []string{
		ones[:len(ones)/2], ones[:30] + "AAAA" + ones[34:], "u", "uAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		packed(t, full.Bytes(), saying(status.MinEntries/8-1)), packed(t, full.Bytes(), func(gz []byte) []byte { return append(gz, gz...) }),
		// The window of another list: it goes back further than its own beginning.
		packed(t, full.Bytes(), func(gz []byte) []byte { return append(bytes.Clone(gz[:10]), gz[14:]...) }),
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				for _, encoded := range bad {
					if b, err := status.Decode(encoded); err == nil || b != nil {
						t.Error("decoded")
					}
					for encoded, want := range good {
						if got, err := status.Decode(encoded); err != nil || !bytes.Equal(want.Bytes(), got.Bytes()) {
							t.Error("another list")
						}
					}
				}
			}
		})
	}
	all.Wait()
}

func TestBitsLimits(t *testing.T) {
	t.Parallel()
	const most = 16 << 20
	for _, c := range []struct {
		n    int
		want error
	}{
		{status.MinEntries, nil}, {8 * most, nil},
		{status.MinEntries - 8, status.ErrLength}, {0, status.ErrLength}, {-8, status.ErrLength},
		{8*most + 8, status.ErrTooLarge}, {status.MinEntries + 1, status.ErrMalformed},
	} {
		_, err := status.NewBits(c.n)
		require.ErrorIs(t, err, c.want, c.n)
		if c.n >= 0 && c.n%8 == 0 {
			_, err = status.BitsOf(make([]byte, c.n/8))
			require.ErrorIs(t, err, c.want, c.n)
			_, err = status.Decode(packed(t, make([]byte, c.n/8)))
			require.ErrorIs(t, err, c.want, c.n)
		}
	}
}

// packed is an encodedList of any bytes, by the standard library.
func packed(t testing.TB, b []byte, more ...func(gz []byte) []byte) string {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	gz := out.Bytes()
	for _, change := range more {
		gz = change(gz)
	}
	return "u" + base64.RawURLEncoding.EncodeToString(gz)
}

// saying makes GZIP tell another length than it has.
func saying(n uint32) func([]byte) []byte {
	return func(gz []byte) []byte {
		binary.LittleEndian.PutUint32(gz[len(gz)-4:], n)
		return gz
	}
}

func TestDecodeRefused(t *testing.T) {
	t.Parallel()
	list := make([]byte, status.MinEntries/8)
	good := packed(t, list)
	empty, err := base64.RawURLEncoding.DecodeString(packed(t, nil)[1:])
	require.NoError(t, err)
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, err = w.Write(list)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for name, encoded := range map[string]string{
		"empty":                      "",
		"nothing but multibase":      "u",
		"no multibase":               good[1:],
		"another multibase":          "z" + good[1:],
		"not base64url":              "u" + good[1:20] + "+/" + good[22:],
		"padding":                    good + "=",
		"bits left over":             good[:len(good)-1] + "B",
		"a line break":               good[:9] + "\n" + good[9:],
		"cut":                        good[:len(good)-8],
		"not GZIP":                   "uAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"ZLIB":                       "u" + base64.RawURLEncoding.EncodeToString(z.Bytes()),
		"not compressed":             "u" + base64.RawURLEncoding.EncodeToString(list),
		"says less than it has":      packed(t, list, saying(uint32(len(list)-1))),
		"says more than it has":      packed(t, list, saying(uint32(len(list)+1))),
		"says nothing":               packed(t, list, saying(0)),
		"something behind":           packed(t, list, func(gz []byte) []byte { return append(gz, gz[len(gz)-4:]...) }),
		"a second member":            packed(t, list, func(gz []byte) []byte { return append(bytes.Clone(gz), gz...) }),
		"an empty member before":     packed(t, list, func(gz []byte) []byte { return append(empty, gz...) }),
		"another checksum":           packed(t, list, func(gz []byte) []byte { gz[len(gz)-5] ^= 1; return gz }),
		"another bit in the deflate": packed(t, list, func(gz []byte) []byte { gz[15] ^= 8; return gz }),
	} {
		b, err := status.Decode(encoded)
		require.ErrorIs(t, err, status.ErrList, name)
		require.Nil(t, b, name)
	}
}

// TestAbuse_ST05_Bomb is a list of 260,930 bytes that expands to 256 MiB of zeros, which
// says so, or says that it is small, or as large as may be. Not parallel: it measures
// the heap of the process.
func TestAbuse_ST05_Bomb(t *testing.T) {
	size := 256 << 20 / vectors.Step(t, "zeros", 8)
	bomb := packed(t, make([]byte, size))
	if size == 256<<20 {
		require.Len(t, bomb, 347_907+1, "u and so many characters")
	}
	lying := func(n uint32) string {
		gz, err := base64.RawURLEncoding.DecodeString(bomb[1:])
		require.NoError(t, err)
		return "u" + base64.RawURLEncoding.EncodeToString(saying(n)(gz))
	}
	for name, c := range map[string]struct {
		encoded string
		want    error
	}{
		"says so":           {bomb, status.ErrTooLarge},
		"says nothing":      {lying(0), status.ErrList},
		"says the least":    {lying(status.MinEntries / 8), status.ErrList},
		"says the most":     {lying(16 << 20), status.ErrList},
		"says one more":     {lying(16<<20 + 1), status.ErrTooLarge},
		"says 4 GiB":        {lying(1<<32 - 1), status.ErrTooLarge},
		"no content at all": {packed(t, nil, saying(16<<20)), status.ErrList},
	} {
		used := allocated(func() {
			_, err := status.Decode(c.encoded)
			require.ErrorIs(t, err, c.want, name)
		})
		require.Less(t, used, uint64(32<<20), name)
		if name == "no content at all" {
			require.Less(t, used, uint64(1<<20), "no room is taken for what cannot be there")
		}
	}
}

// allocated is how many bytes f takes from the heap.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
