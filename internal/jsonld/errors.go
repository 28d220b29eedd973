package jsonld

import (
	"errors"
	"strings"
)

var (
	// ErrUndefinedTerm says that a member or a type is neither defined by the
	// context in force nor an IRI.
	ErrUndefinedTerm = errors.New("term is not defined by the context")
	// ErrRelative says that an id, a type or a datatype is no absolute IRI, or has
	// a character that no IRI has.
	ErrRelative = errors.New("not an absolute IRI")
	// ErrUnknownContext says that there is no document for the URL of a context.
	ErrUnknownContext = errors.New("unknown context")
	// ErrContext says that a context breaks a rule of JSON-LD.
	ErrContext = errors.New("malformed context")
	// ErrProtected says that a context redefines, or takes away, a term that an
	// earlier one protects.
	ErrProtected = errors.New("protected term redefined")
	// ErrUnsupported says that a document uses a feature of JSON-LD that this
	// package leaves out, which the text names.
	ErrUnsupported = errors.New("not supported")
	// ErrMalformed says that a document breaks a rule of JSON-LD.
	ErrMalformed = errors.New("malformed JSON-LD")
	// ErrNotCompacted says that a document is not in compacted form (VC Data Model
	// 2.0, section 6.1): a member has another name, or stands in another place,
	// than the context gives it, or a node is described in two places. The data
	// would be the same and a reader of the JSON would miss it.
	ErrNotCompacted = errors.New("not in compacted form")
	// ErrDropped says that JSON-LD would leave a value out of the data, such as null,
	// an empty array or the label of a blank node. Anybody could add it to a signed
	// document.
	ErrDropped = errors.New("value would be dropped")
	// ErrLimit says that a document, or its contexts, ask for more work, depth or
	// statements than the limits allow.
	ErrLimit = errors.New("limit exceeded")
)

// maxPointerText bounds what an error's text repeats of a document's names.
const maxPointerText = 200

// An Error says where a document was refused. It names members and positions and
// never repeats a value.
type Error struct {
	Pointer string // JSON Pointer (RFC 6901) to the member or element; "" is the document
	Err     error  // matches one of the package's sentinels
}

// Error implements error.
func (e *Error) Error() string {
	switch {
	case e.Pointer == "":
		return "jsonld: " + e.Err.Error()
	case len(e.Pointer) > maxPointerText:
		return "jsonld: " + strings.ToValidUTF8(e.Pointer[:maxPointerText], "") + "...: " + e.Err.Error()
	}
	return "jsonld: " + e.Pointer + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// at says that err arose in the member or element called name.
func at(name string, err error) error {
	segment := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	var e *Error
	if errors.As(err, &e) {
		e.Pointer = segment + e.Pointer
		return e
	}
	return &Error{segment, err}
}
