package status

// A table is a string of entries of the same width in bits.
type table struct {
	b     []byte
	width int  // 1 to 8
	token bool // of a Token Status List: packed from the least significant bit of each byte
}

func (t table) len() int { return 8 * len(t.b) / t.width }

// value returns an entry, or [ErrRange]. In a bit string it begins at its left-most
// bit (Bitstring Status List section 3.2, step 10); in a Token Status List its width
// divides eight, so that it lies in one byte (section 4.1).
func (t table) value(index int) (int, error) {
	if index < 0 || index > maxIndex || (index+1)*t.width > 8*len(t.b) {
		return 0, ErrRange
	}
	at := index * t.width
	if t.token {
		return int(t.b[at/8]>>(at%8)) & (1<<t.width - 1), nil
	}
	v := 0
	for i := at; i < at+t.width; i++ {
		v = v<<1 | int(t.b[i/8]>>(7-i%8))&1
	}
	return v, nil
}

// either is t with every bit set that one of both has. Of tables of different shapes
// it is t.
func (t table) either(of table) table {
	if len(t.b) != len(of.b) || t.width != of.width || t.token != of.token {
		return t
	}
	out := table{make([]byte, len(t.b)), t.width, t.token}
	for i := range out.b {
		out.b[i] = t.b[i] | of.b[i]
	}
	return out
}
