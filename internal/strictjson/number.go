package strictjson

import "strconv"

// Number is the literal text of a JSON number (RFC 8259 section 6), kept as it
// was written.
type Number string

const (
	// maxInteger is 2^53-1, the largest n for which n and n+1 are both
	// exactly a double (RFC 7493 section 2.2).
	maxInteger     = 1<<53 - 1
	maxIntegerText = "9007199254740991"
	// A literal without exponent stays inside the range of a double up to
	// this many characters, whatever its digits are.
	plainLength = 300
)

// Float64 returns the nearest double. The error is an [*Error]: ErrSyntax if n
// is no JSON number, ErrNumber if the package would refuse to read it.
func (n Number) Float64() (float64, error) {
	if err := n.check(); err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return 0, &Error{Offset: -1, Err: ErrNumber}
	}
	return f, nil
}

// Int64 returns the value of an integer written without fraction and exponent.
// The error is an [*Error]: ErrType for any other number, else as for Float64.
func (n Number) Int64() (int64, error) {
	if err := n.check(); err != nil {
		return 0, err
	}
	i, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil {
		return 0, &Error{Offset: -1, Err: ErrType}
	}
	return i, nil
}

// MarshalJSON returns the literal, so that encoding/json writes a number and
// not a string.
func (n Number) MarshalJSON() ([]byte, error) { return Append(nil, n) }

// UnmarshalJSON takes the literal of a number. As encoding/json asks, null
// changes nothing.
func (n *Number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	literal := Number(data)
	if err := literal.check(); err != nil {
		return err
	}
	*n = literal
	return nil
}

func (n Number) check() error {
	end, err := scanNumber(string(n), 0)
	if err == nil && end != len(n) {
		err = ErrSyntax
	}
	if err != nil {
		return &Error{Offset: -1, Err: err}
	}
	return nil
}

// scanNumber reads the number that starts at src[pos] and returns where it
// ends. The error is a bare sentinel.
func scanNumber(src string, pos int) (int, error) {
	start := pos
	if pos < len(src) && src[pos] == '-' {
		pos++
	}
	first := pos
	pos = skipDigits(src, pos)
	if pos == first || (src[first] == '0' && pos > first+1) {
		return pos, ErrSyntax
	}
	zero := src[first] == '0'
	whole := src[first:pos]
	plain, fraction := true, false

	if pos < len(src) && src[pos] == '.' {
		fraction = true
		pos++
		from := pos
		pos = skipDigits(src, pos)
		if pos == from {
			return pos, ErrSyntax
		}
		for i := from; zero && i < pos; i++ {
			zero = src[i] == '0'
		}
	}
	if pos < len(src) && (src[pos] == 'e' || src[pos] == 'E') {
		plain = false
		pos++
		if pos < len(src) && (src[pos] == '+' || src[pos] == '-') {
			pos++
		}
		from := pos
		pos = skipDigits(src, pos)
		if pos == from {
			return pos, ErrSyntax
		}
	}

	if zero {
		if first > start {
			return pos, ErrNumber // minus zero in any spelling
		}
		return pos, nil
	}
	if plain && !fraction {
		if len(whole) > len(maxIntegerText) || (len(whole) == len(maxIntegerText) && whole > maxIntegerText) {
			return pos, ErrNumber
		}
		return pos, nil
	}
	if !plain || pos-start > plainLength {
		f, err := strconv.ParseFloat(src[start:pos], 64)
		if err != nil || f == 0 {
			return pos, ErrNumber
		}
	}
	return pos, nil
}

func skipDigits(src string, pos int) int {
	for pos < len(src) && src[pos]-'0' <= 9 {
		pos++
	}
	return pos
}
