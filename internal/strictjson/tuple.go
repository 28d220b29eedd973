package strictjson

import "unicode/utf8"

// A Tuple is a JSON array of two or three items, of which all but the last are
// strings.
type Tuple struct {
	Items int    // 2 or 3, or 0 if it is another value
	First string // the first item
	Name  string // the second of three items
	Value any    // the last item, or the whole of what is no tuple
}

// ParseTuples reads the parts of one message: a JSON value, and others that are
// expected to be tuples, each as [Parser.Parse] does. The limits of bytes and values
// hold for all of them together, the limit of depth for each. The trees refer to the
// texts. If a part is refused, bad is its number, 0 being the first, and the offset
// of the error is that in the part.
func (p Parser) ParseTuples(first string, rest []string) (value any, tuples []Tuple, bad int, err error) {
	left := orDefault(p.MaxBytes, DefaultMaxBytes)
	for i := -1; i < len(rest); i++ {
		part := partOf(first, rest, i)
		if left -= len(part); left < 0 {
			return nil, nil, i + 1, &Error{Offset: left + len(part), Err: ErrTooLarge}
		}
	}
	var s scanner
	if err := s.open(p, nil); err != nil {
		return nil, nil, 0, err
	}
	tuples = make([]Tuple, len(rest))
	for i := -1; i < len(rest); i++ {
		part := partOf(first, rest, i)
		if !utf8.ValidString(part) {
			return nil, nil, i + 1, &Error{Offset: invalidAt(part), Err: ErrEncoding}
		}
		s.src, s.pos = part, 0
		if i < 0 {
			value, err = s.value()
		} else {
			err = s.tuple(&tuples[i])
		}
		if err == nil {
			err = s.close()
		}
		if err != nil {
			return nil, nil, i + 1, err
		}
	}
	return value, tuples, -1, nil
}

func partOf(first string, rest []string, i int) string {
	if i < 0 {
		return first
	}
	return rest[i]
}

// tuple reads the next value into t. Of what has not the form of a tuple it starts
// again and reads it as any other value.
func (s *scanner) tuple(t *Tuple) error {
	pos, depth, values := s.pos, s.depth, s.values
	if s.shortTuple(t) {
		return nil
	}
	s.pos, s.depth, s.values = pos, depth, values
	s.names, s.members, s.items = s.names[:0], s.members[:0], s.items[:0]
	v, err := s.value()
	*t = Tuple{Value: v}
	return err
}

// shortTuple reads a tuple without making an array of it. It reports whether it was
// one; if not, it says no more, because the reason is found by reading it again.
func (s *scanner) shortTuple(t *Tuple) bool {
	if c, err := s.begin(); err != nil || c != '[' || s.enter() != nil {
		return false
	}
	var ok bool
	if t.First, ok = s.string(); !ok || !s.comma() {
		return false
	}
	if s.next() == '"' {
		if t.Name, ok = s.string(); !ok {
			return false
		}
		if s.next() == ']' {
			t.Items, t.Value, t.Name = 2, t.Name, ""
			s.leave()
			return true
		}
		if !s.comma() {
			return false
		}
		t.Items = 3
	} else {
		t.Items = 2
	}
	var err error
	if t.Value, err = s.value(); err != nil || s.next() != ']' {
		return false
	}
	s.leave()
	return true
}

// string reads a value that must be a string.
func (s *scanner) string() (string, bool) {
	if c, err := s.begin(); err != nil || c != '"' {
		return "", false
	}
	t, err := s.text()
	return t, err == nil
}

func (s *scanner) comma() bool {
	if s.next() != ',' {
		return false
	}
	s.pos++
	return true
}
