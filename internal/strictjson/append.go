package strictjson

import (
	"strconv"
	"unicode/utf8"
)

// appendDepth stops Append on a tree that contains itself.
const appendDepth = 1000

// Append writes v as compact JSON to the end of dst, members in their order.
// It takes what [Parse] yields, and int and int64 for convenience; anything
// else is ErrType. Strings are escaped as RFC 8785 section 3.2.2.2 does, and
// no more. The error is an [*Error] with offset -1: ErrEncoding, ErrNumber or
// ErrTooDeep for a tree that no document could have given.
func Append(dst []byte, v any) ([]byte, error) {
	out, err := appendValue(dst, v, appendDepth)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// AppendText writes a string with its quotation marks, escaped as RFC 8785
// section 3.2.2.2 says. Text that is not UTF-8 is ErrEncoding.
func AppendText(dst []byte, text string) ([]byte, error) {
	if !utf8.ValidString(text) {
		return nil, &Error{Offset: -1, Err: ErrEncoding}
	}
	dst = append(dst, '"')
	from := 0
	for {
		to := plainEnd(text, from)
		dst = append(dst, text[from:to]...)
		if to == len(text) {
			return append(dst, '"'), nil
		}
		dst = appendEscape(dst, text[to])
		from = to + 1
	}
}

func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

func appendValue(dst []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case string:
		return AppendText(dst, v)
	case Number:
		if err := v.check(); err != nil {
			return nil, err
		}
		return append(dst, v...), nil
	case int:
		return appendInteger(dst, int64(v))
	case int64:
		return appendInteger(dst, v)
	case []any:
		return appendArray(dst, v, depth-1)
	case *Object:
		if v == nil {
			return append(dst, "null"...), nil
		}
		return appendObject(dst, v, depth-1)
	}
	return nil, &Error{Offset: -1, Err: ErrType}
}

func appendInteger(dst []byte, i int64) ([]byte, error) {
	if i > maxInteger || i < -maxInteger {
		return nil, &Error{Offset: -1, Err: ErrNumber}
	}
	return strconv.AppendInt(dst, i, 10), nil
}

func appendArray(dst []byte, items []any, depth int) ([]byte, error) {
	if depth < 0 {
		return nil, &Error{Offset: -1, Err: ErrTooDeep}
	}
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendValue(dst, item, depth); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func appendObject(dst []byte, o *Object, depth int) ([]byte, error) {
	if depth < 0 {
		return nil, &Error{Offset: -1, Err: ErrTooDeep}
	}
	dst = append(dst, '{')
	for i := range o.members {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = AppendText(dst, o.members[i].Name); err != nil {
			return nil, err
		}
		dst = append(dst, ':')
		if dst, err = appendValue(dst, o.members[i].Value, depth); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}
