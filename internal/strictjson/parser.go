package strictjson

import (
	"slices"
	"unicode/utf8"
)

// Parser holds the limits. A limit that is zero or negative stands for its
// default, so the zero Parser is what [Parse] uses.
type Parser struct {
	MaxBytes  int // length of the document in bytes
	MaxDepth  int // arrays and objects inside one another
	MaxValues int // values of every kind, at every depth

	// CaseVariants admits names in one object that differ only in case, such
	// as "f" beside "F". It is right where the document is only canonicalised
	// or where such names are data, and wrong where a reader may match names
	// without regard to case.
	CaseVariants bool
}

// Parse reads one JSON value with the default limits. It yields nil, bool,
// string, [Number], []any or [*Object]. The error is an [*Error].
func Parse(data []byte) (any, error) { return Parser{}.Parse(data) }

// ParseObject is Parse for a document that must be an object; anything else is
// ErrSyntax.
func ParseObject(data []byte) (*Object, error) { return Parser{}.ParseObject(data) }

// Parse reads one JSON value, as the function Parse does, with p's limits. The
// tree does not refer to data but to one copy of it, which lives as long as
// any string of the tree.
func (p Parser) Parse(data []byte) (any, error) {
	var s scanner
	if err := s.open(p, data); err != nil {
		return nil, err
	}
	v, err := s.value()
	if err != nil {
		return nil, err
	}
	if err := s.close(); err != nil {
		return nil, err
	}
	return v, nil
}

// ParseObject is Parse for a document that must be an object.
func (p Parser) ParseObject(data []byte) (*Object, error) {
	v, err := p.Parse(data)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*Object)
	if !ok {
		return nil, &Error{Offset: 0, Err: ErrSyntax}
	}
	return o, nil
}

// scanner walks over one document once.
type scanner struct {
	src    string
	pos    int
	depth  int // levels that may still be opened
	values int // values that may still be read
	slow   int // numbers that are Slow and may still be read
	exact  bool

	// Stacks of what the open objects and arrays hold so far. A finished
	// object or array takes a copy of its part, of exactly the right length.
	names   []nameKey
	members []Member
	items   []any
}

// Where the stacks start: enough for an ordinary credential, and for a short text
// such as the header of a token.
type (
	stacks struct {
		names   [32]nameKey
		members [32]Member
		items   [16]any
	}
	shortStacks struct {
		names   [8]nameKey
		members [8]Member
		items   [4]any
	}
)

// shortText is the length up to which a text has the short stacks.
const shortText = 512

func (s *scanner) open(p Parser, data []byte) error {
	if len(data) > orDefault(p.MaxBytes, DefaultMaxBytes) {
		return &Error{Offset: orDefault(p.MaxBytes, DefaultMaxBytes), Err: ErrTooLarge}
	}
	s.src = string(data)
	if !utf8.ValidString(s.src) {
		return &Error{Offset: invalidAt(s.src), Err: ErrEncoding}
	}
	s.depth = orDefault(p.MaxDepth, DefaultMaxDepth)
	s.values = orDefault(p.MaxValues, DefaultMaxValues)
	s.slow = maxSlow
	s.exact = p.CaseVariants
	if 0 < len(data) && len(data) <= shortText {
		room := new(shortStacks)
		s.names, s.members, s.items = room.names[:0], room.members[:0], room.items[:0]
		return nil
	}
	room := new(stacks)
	s.names, s.members, s.items = room.names[:0], room.members[:0], room.items[:0]
	return nil
}

func (s *scanner) close() error {
	s.space()
	if s.pos != len(s.src) {
		return s.fail(s.pos, ErrSyntax)
	}
	return nil
}

func (s *scanner) fail(at int, err error) error { return &Error{Offset: at, Err: err} }

func (s *scanner) space() {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case ' ', '\n', '\t', '\r':
			s.pos++
		default:
			return
		}
	}
}

// next skips space and returns the byte that follows, or 0, which starts
// nothing in JSON, at the end.
func (s *scanner) next() byte {
	s.space()
	if s.pos == len(s.src) {
		return 0
	}
	return s.src[s.pos]
}

// begin counts a value and returns its first byte.
func (s *scanner) begin() (byte, error) {
	c := s.next()
	if s.values == 0 {
		return 0, s.fail(s.pos, ErrTooLarge)
	}
	s.values--
	return c, nil
}

func (s *scanner) value() (any, error) {
	c, err := s.begin()
	if err != nil {
		return nil, err
	}
	switch c {
	case '"':
		t, err := s.text()
		if err != nil {
			return nil, err
		}
		return t, nil
	case '{':
		return s.object()
	case '[':
		return s.array()
	case 't':
		return true, s.word("true")
	case 'f':
		return false, s.word("false")
	case 'n':
		return nil, s.word("null")
	default:
		n, err := s.number()
		if err != nil {
			return nil, err
		}
		return n, nil
	}
}

func (s *scanner) word(w string) error {
	if len(s.src)-s.pos < len(w) || s.src[s.pos:s.pos+len(w)] != w {
		return s.fail(s.pos, ErrSyntax)
	}
	s.pos += len(w)
	return nil
}

func (s *scanner) number() (Number, error) {
	end, slow, err := scanNumber(s.src, s.pos)
	if err != nil {
		return "", s.fail(s.pos, err)
	}
	n := Number(s.src[s.pos:end])
	if slow {
		if err := s.countSlow(s.pos); err != nil {
			return "", err
		}
	}
	s.pos = end
	return n, nil
}

func (s *scanner) countSlow(at int) error {
	if s.slow == 0 {
		return s.fail(at, ErrTooLarge)
	}
	s.slow--
	return nil
}

func (s *scanner) object() (any, error) {
	base := len(s.members)
	err := s.eachMember(func(name string) error {
		v, err := s.value()
		if err != nil {
			return err
		}
		s.members = append(s.members, Member{name, v})
		return nil
	})
	if err != nil {
		return nil, err
	}
	o := &Object{members: slices.Clone(s.members[base:])}
	clear(s.members[base:])
	s.members = s.members[:base]
	o.buildIndex()
	return o, nil
}

func (s *scanner) array() (any, error) {
	base := len(s.items)
	err := s.eachItem(func() error {
		v, err := s.value()
		if err != nil {
			return err
		}
		s.items = append(s.items, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	a := append(make([]any, 0, len(s.items)-base), s.items[base:]...)
	clear(s.items[base:])
	s.items = s.items[:base]
	return a, nil
}

// eachMember reads the object whose brace is at s.pos. It calls read after each
// name and colon; read must take exactly one value.
func (s *scanner) eachMember(read func(name string) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	set := nameSet{base: len(s.names)}
	if s.next() == '}' {
		s.leave()
		return nil
	}
	for {
		if s.next() != '"' {
			return s.fail(s.pos, ErrSyntax)
		}
		at := s.pos
		name, err := s.text()
		if err != nil {
			return err
		}
		if err := s.addName(&set, name, at); err != nil {
			return err
		}
		if s.next() != ':' {
			return s.fail(s.pos, ErrSyntax)
		}
		s.pos++
		if err := read(name); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.pos++
		case '}':
			s.names = s.names[:set.base]
			s.leave()
			return nil
		default:
			return s.fail(s.pos, ErrSyntax)
		}
	}
}

// eachItem reads the array whose bracket is at s.pos and calls read where each
// item starts.
func (s *scanner) eachItem(read func() error) error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.next() == ']' {
		s.leave()
		return nil
	}
	for {
		if err := read(); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.pos++
		case ']':
			s.leave()
			return nil
		default:
			return s.fail(s.pos, ErrSyntax)
		}
	}
}

func (s *scanner) enter() error {
	if s.depth == 0 {
		return s.fail(s.pos, ErrTooDeep)
	}
	s.depth--
	s.pos++
	return nil
}

func (s *scanner) leave() {
	s.depth++
	s.pos++
}

func orDefault(limit, byDefault int) int {
	if limit <= 0 {
		return byDefault
	}
	return limit
}

func invalidAt(s string) int {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(s)
}
