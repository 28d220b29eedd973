package strictjson

import (
	"cmp"
	"strconv"
	"strings"
)

// Number is the literal text of a JSON number (RFC 8259 section 6), kept as it
// was written.
type Number string

const (
	// maxInteger is 2^53-1, the largest n for which n and n+1 are both
	// exactly a double (RFC 7493 section 2.2).
	maxInteger     = 1<<53 - 1
	maxIntegerText = "9007199254740991"

	// maxSlow is how many numbers that are [Number.Slow] a document may have.
	// Each takes strconv up to 30 microseconds, and again whenever the document
	// is made canonical, so that a megabyte of them would be seconds; an ordinary
	// document has none, and this many are one millisecond.
	maxSlow = 32

	// slowDigits and slowPoint are where strconv's quick way from decimal to
	// double (Eisel and Lemire's) ends: it reads as many digits as fit 64 bits, and
	// makes no subnormal. 0.1e-306 and less is slow, which is a little early.
	slowDigits = 19
	slowPoint  = -307
	// The same of a 32 bit float.
	slowPoint32 = -37

	// maxNumber is the length of a literal in bytes: that of the longest double written
	// out in full, and a little more. Readers that keep every digit, such as math/big,
	// would need seconds for a million of them.
	maxNumber = 1_100

	// No double from 2^1024 - 2^970 on, half way beyond the largest, and none from
	// 2^-1075 down, half of the smallest. These are the first digits of the two,
	// which have hundreds.
	overflowPoint   = 309 // 0.1797...e309
	overflowDigits  = "17976931348623158079"
	underflowPoint  = -323 // 0.2470...e-323
	underflowDigits = "24703282292062327208"
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
	end, _, err := scanNumber(string(n), 0)
	if err == nil && end != len(n) {
		err = ErrSyntax
	}
	if err != nil {
		return &Error{Offset: -1, Err: err}
	}
	return nil
}

// scanNumber reads the number that starts at src[pos] and returns where it
// ends and whether it is Slow. The error is a bare sentinel.
func scanNumber(src string, pos int) (end int, slow bool, err error) {
	start := pos
	if pos < len(src) && src[pos] == '-' {
		pos++
	}
	first := pos
	pos = skipDigits(src, pos)
	if pos == first || (src[first] == '0' && pos > first+1) {
		return pos, false, ErrSyntax
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
			return pos, false, ErrSyntax
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
			return pos, false, ErrSyntax
		}
	}

	if pos-start > maxNumber {
		return pos, false, ErrNumber
	}
	if zero {
		if first > start {
			return pos, false, ErrNumber // minus zero in any spelling
		}
		return pos, false, nil
	}
	if plain && !fraction {
		if len(whole) > len(maxIntegerText) || (len(whole) == len(maxIntegerText) && whole > maxIntegerText) {
			return pos, false, ErrNumber
		}
		return pos, false, nil
	}
	if plain && pos-start <= slowDigits {
		return pos, false, nil // too short to leave the range of a double
	}
	m := measure(src[start:pos])
	if !m.inRange(src[start:pos]) {
		return pos, false, ErrNumber
	}
	return pos, m.slow(slowPoint), nil
}

func skipDigits(src string, pos int) int {
	for pos < len(src) && src[pos]-'0' <= 9 {
		pos++
	}
	return pos
}

// Slow reports whether n is a number that takes very long to make a double of:
// one that is not zero and is less than 1e-307 in magnitude or has more than 19
// significant digits. A document may have 32 of them. What is no number is not slow.
func (n Number) Slow() bool {
	_, slow, _ := scanNumber(string(n), 0)
	return slow
}

// A magnitude is that of a literal, 0.d1d2d3... times ten to the power of point.
type magnitude struct {
	lead   [len(overflowDigits)]byte // the first digits as numbers, filled up with zeros
	digits int                       // how many, without zeros before and after; 0 for zero
	point  int
}

// measure takes the literal of a number apart.
func measure(literal string) (m magnitude) {
	read, fraction := 0, false
	for i := range len(literal) {
		switch c := literal[i]; c {
		case '-':
		case '.':
			fraction = true
		case 'e', 'E':
			m.point += exponent(literal[i+1:])
			return m
		default:
			if !fraction && (read > 0 || c != '0') {
				m.point++
			}
			if read == 0 && c == '0' {
				if fraction {
					m.point--
				}
				continue
			}
			if read < len(m.lead) {
				m.lead[read] = c - '0'
			}
			if read++; c != '0' {
				m.digits = read
			}
		}
	}
	return m
}

// exponent reads what follows the e of a literal. It makes one of five digits and more
// 10,000, from which no maxNumber digits bring a number back.
func exponent(text string) int {
	digits := strings.TrimLeft(strings.TrimLeft(text, "+-"), "0")
	n := 10_000
	if len(digits) < len("10000") {
		n, _ = strconv.Atoi("0" + digits)
	}
	if text[0] == '-' {
		return -n
	}
	return n
}

func (m *magnitude) slow(point int) bool {
	return m.digits > slowDigits || m.digits > 0 && m.point <= point
}

// inRange reports whether a literal that is not zero is neither infinity nor zero as a
// double. It leaves to strconv what only later digits tell, and that is slow.
func (m *magnitude) inRange(literal string) bool {
	switch {
	case m.point > overflowPoint || m.point < underflowPoint:
		return false
	case m.point == overflowPoint:
		if c := m.compare(overflowDigits); c != 0 {
			return c < 0
		}
	case m.point == underflowPoint:
		if c := m.compare(underflowDigits); c != 0 {
			return c > 0
		}
	default:
		return true
	}
	f, err := strconv.ParseFloat(literal, 64)
	return err == nil && f != 0
}

// compare orders the first digits and others.
func (m *magnitude) compare(digits string) int {
	for i := range m.lead {
		if c := cmp.Compare(m.lead[i], digits[i]-'0'); c != 0 {
			return c
		}
	}
	return 0
}
