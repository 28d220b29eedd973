package status

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

const (
	// MinEntries is the least that a list has, so that those in it hide each other
	// (sections 3.2 and 6.1).
	MinEntries = 131_072
	// MaxEntries is the most: 16 MiB of bits. A hundredth of it holds everybody who
	// works for a national health service.
	MaxEntries = 8 * maxExpanded

	// maxExpanded bounds what a few bytes can ask for: a kilobyte of GZIP expands to a
	// megabyte.
	maxExpanded = 16 << 20
	// maxRatio is more than DEFLATE can expand anything (1,032 to 1).
	maxRatio = 1040
)

// Bits is a string of bits, all of them unset at first. Index 0 is the left-most
// (section 7.1). It is not safe for concurrent use while it changes.
type Bits struct{ b []byte }

// NewBits returns n bits. The error is [ErrLength] below [MinEntries], and
// [ErrTooLarge] above [MaxEntries]; n is a multiple of eight, else [ErrMalformed].
func NewBits(n int) (*Bits, error) {
	switch {
	case n < MinEntries:
		return nil, ErrLength
	case n > MaxEntries:
		return nil, ErrTooLarge
	case n%8 != 0:
		return nil, malformed("a length that is no whole number of bytes")
	}
	return &Bits{make([]byte, n/8)}, nil
}

// BitsOf returns the bits of b, which is copied. It is the inverse of [Bits.Bytes],
// with the errors of [NewBits].
func BitsOf(b []byte) (*Bits, error) {
	switch {
	case len(b) < MinEntries/8:
		return nil, ErrLength
	case len(b) > maxExpanded:
		return nil, ErrTooLarge
	}
	return &Bits{slices.Clone(b)}, nil
}

// Len returns how many bits there are.
func (s *Bits) Len() int { return 8 * len(s.b) }

// Get returns a bit, or [ErrRange].
func (s *Bits) Get(i int) (bool, error) {
	if i < 0 || i >= s.Len() {
		return false, ErrRange
	}
	return s.b[i/8]&(0x80>>(i%8)) != 0, nil
}

// Set sets or unsets a bit. The error is [ErrRange].
func (s *Bits) Set(i int, v bool) error {
	if i < 0 || i >= s.Len() {
		return ErrRange
	}
	if v {
		s.b[i/8] |= 0x80 >> (i % 8)
	} else {
		s.b[i/8] &^= 0x80 >> (i % 8)
	}
	return nil
}

// Bytes returns the bits, eight to a byte, to be kept.
func (s *Bits) Bytes() []byte { return slices.Clone(s.b) }

// level is that of the compression. Five halves the time of the default for one or two
// per cent of size.
const level = 5

// writers are compressors to be used again: each has tables of a megabyte, which take as
// long to clear as a list to compress. What was compressed before leaves no trace.
var writers = sync.OnceValue(func() *sync.Pool {
	return &sync.Pool{New: func() any {
		w, err := gzip.NewWriterLevel(nil, level)
		if err != nil {
			panic("status: level of compression: " + err.Error()) // a constant
		}
		return w
	}}
})

// Encode returns the bits as encodedList has them (section 3.3): GZIP in multibase
// base64url.
func (s *Bits) Encode() string {
	var out bytes.Buffer
	out.Grow(len(s.b)/4 + 64)
	w := writers().Get().(*gzip.Writer)
	defer writers().Put(w)
	w.Reset(&out)
	_, err := w.Write(s.b)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("status: compressing to memory: " + err.Error()) // nothing there can fail
	}
	text := make([]byte, 1+base64.RawURLEncoding.EncodedLen(out.Len()))
	text[0] = 'u'
	base64.RawURLEncoding.Encode(text[1:], out.Bytes())
	return string(text)
}

// Decode reads an encodedList (section 3.4). The errors are [ErrList], for what is no
// GZIP in multibase base64url, [ErrLength] and [ErrTooLarge].
func Decode(encoded string) (*Bits, error) {
	b, err := expand(encoded)
	if err != nil {
		return nil, err
	}
	if len(b) < MinEntries/8 {
		return nil, ErrLength
	}
	return &Bits{b}, nil
}

// expand returns the bytes of an encodedList. GZIP ends with the length of what it
// holds (RFC 1952 section 2.3.1), so that the room is taken once and a list that is
// too large is refused unread. A list that lies about it, or has more members, is none.
func expand(encoded string) ([]byte, error) {
	text, ok := strings.CutPrefix(encoded, "u")
	packed, decoded := base64URL(text)
	if !ok || !decoded || len(packed) < 4 {
		return nil, notEncoded("multibase base64url")
	}
	length := int64(binary.LittleEndian.Uint32(packed[len(packed)-4:]))
	switch {
	case length > maxExpanded:
		return nil, ErrTooLarge
	case length > maxRatio*int64(len(packed)):
		return nil, notEncoded("GZIP")
	}
	out := make([]byte, length)
	if !gunzip(out, packed) {
		return nil, notEncoded("GZIP of the length that it says")
	}
	return out, nil
}

// An unzipper reads one member after another with the same 45 KB of state. Reset sets
// all of it back, also after an error, and what was read before leaves no trace.
type unzipper struct {
	gzip.Reader
	in bytes.Reader
}

// unzippers are to be used again.
var unzippers = sync.OnceValue(func() *sync.Pool {
	return &sync.Pool{New: func() any { return new(unzipper) }}
})

// gunzip fills out with what the one member in packed holds, and reports whether it
// holds that much and no more and nothing follows it.
func gunzip(out, packed []byte) bool {
	z := unzippers().Get().(*unzipper)
	z.in.Reset(packed)
	defer func() {
		z.in.Reset(nil) // keep nothing of the list
		z.Header = gzip.Header{}
		unzippers().Put(z)
	}()
	if z.Reset(&z.in) != nil {
		return false
	}
	z.Multistream(false) // which Reset turns on
	if _, err := io.ReadFull(z, out); err != nil {
		return false
	}
	var more [1]byte
	n, err := z.Read(more[:])
	return n == 0 && err == io.EOF && z.in.Len() == 0
}

func notEncoded(as string) error { return fmt.Errorf("%w: encodedList is not %s", ErrList, as) }

// base64URL decodes text in its one spelling: the decoder would pass over line breaks.
func base64URL(s string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return b, err == nil && strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0
}
