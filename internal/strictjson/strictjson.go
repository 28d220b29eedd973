// Package strictjson reads JSON as it crosses a trust boundary.
//
// Call [Parse] or [ParseObject] for a tree of values whose member order is
// kept, and [Unmarshal] to fill a Go value. Each refuses what two readers of
// one document could understand differently: repeated member names (also names
// that differ only in case, because encoding/json would confuse them), invalid
// UTF-8 and lone surrogates, integers that a double cannot hold, minus zero,
// numbers that overflow or vanish, data after the value, a byte order mark,
// more depth, bytes or values than the limits allow, and more than a few numbers that
// take long to convert ([Number.Slow]).
//
// The grammar is RFC 8259; what is refused beyond it follows I-JSON (RFC 7493),
// which RFC 8785 section 3.1 asks for before a canonical form is made. The
// package says nothing about what a document means.
//
// Errors tell the offset and the kind of fault and never repeat the input.
package strictjson

import (
	"errors"
	"strconv"
)

// Limits that the zero [Parser] applies.
const (
	// DefaultMaxBytes admits a credential with an inline photo of 500,000
	// bytes, which base64 makes 670,000.
	DefaultMaxBytes = 1 << 20
	// DefaultMaxDepth is several times the nesting of any credential, DID
	// document or message, and far below what would strain the stack.
	DefaultMaxDepth = 64
	// DefaultMaxValues bounds the memory of the tree: a value takes up to
	// about 100 bytes however short its text is.
	DefaultMaxValues = 1 << 17
)

// The kinds of refusal. Each is reached through an [*Error] with errors.Is.
var (
	// ErrSyntax: the text is not JSON by RFC 8259, has data after the value,
	// starts with a byte order mark, or is no object where one is required.
	ErrSyntax = errors.New("strictjson: not well-formed JSON")
	// ErrTooDeep: arrays and objects are nested deeper than the limit.
	ErrTooDeep = errors.New("strictjson: nested too deep")
	// ErrTooLarge: more bytes, more values or more slow numbers than the limit.
	ErrTooLarge = errors.New("strictjson: document too large")
	// ErrDuplicate: an object names a member twice, or names two members that
	// differ only in the case of letters.
	ErrDuplicate = errors.New("strictjson: duplicate member name")
	// ErrEncoding: bytes that are not UTF-8, or half a surrogate pair.
	ErrEncoding = errors.New("strictjson: text is not valid Unicode")
	// ErrNumber: an integer beyond 2^53-1 in magnitude, minus zero, a number
	// that a double can only hold as infinity or zero, or one of more than 1,100
	// characters.
	ErrNumber = errors.New("strictjson: number cannot be held exactly enough")
	// ErrType: a value does not fit the Go value it is read into or is no
	// JSON value at all.
	ErrType = errors.New("strictjson: value does not fit the Go type")
)

// Error tells where and why a document was refused. It matches one of the
// package's sentinels with errors.Is.
type Error struct {
	// Offset is the position in the input in bytes, or -1 where there is no
	// input to point into.
	Offset int
	// Err is the kind of refusal, one of the package's sentinels, or the error
	// of a Go type that refused its own text.
	Err error
}

// Error gives the kind and the offset, never the input.
func (e *Error) Error() string {
	if e.Offset < 0 {
		return e.Err.Error()
	}
	return e.Err.Error() + " at byte " + strconv.Itoa(e.Offset)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }
