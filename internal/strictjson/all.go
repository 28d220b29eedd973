package strictjson

import "unicode/utf8"

// ParseAll reads the parts of one message, each of them one JSON value, as
// [Parser.Parse] does. The limits of bytes and values hold for all parts together,
// the limit of depth for each. The tree refers to the parts. If one is refused, bad
// is its number, and the offset of the error is that in the part.
func (p Parser) ParseAll(parts []string) (values []any, bad int, err error) {
	left := orDefault(p.MaxBytes, DefaultMaxBytes)
	for i, part := range parts {
		if left -= len(part); left < 0 {
			return nil, i, &Error{Offset: left + len(part), Err: ErrTooLarge}
		}
	}
	var s scanner
	if err := s.open(p, nil); err != nil {
		return nil, 0, err
	}
	values = make([]any, len(parts))
	for i, part := range parts {
		if !utf8.ValidString(part) {
			return nil, i, &Error{Offset: invalidAt(part), Err: ErrEncoding}
		}
		s.src, s.pos = part, 0
		if values[i], err = s.value(); err != nil {
			return nil, i, err
		}
		if err := s.close(); err != nil {
			return nil, i, err
		}
	}
	return values, -1, nil
}
