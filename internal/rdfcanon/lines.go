package rdfcanon

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// sortLines sorts by code point, which for UTF-8 is by byte.
func sortLines(lines [][]byte) { slices.SortFunc(lines, bytes.Compare) }

// A lineSet finds quads that are there already: a dataset is a set.
type lineSet struct {
	seed  maphash.Seed
	slots []int32 // position in state.quads plus 1, by hash; a power of two
}

func newLineSet(n int) *lineSet {
	size := 8
	for size < 2*n {
		size *= 2
	}
	return &lineSet{maphash.MakeSeed(), make([]int32, size)}
}

// add reports whether the quad that stands last in the text of s was there, and
// else notes that it becomes the next of s.quads.
func (l *lineSet) add(s *state, q *quad) bool {
	line := s.text[q.from:q.to]
	mask := len(l.slots) - 1
	at := int(maphash.Bytes(l.seed, line)) + int(q.node[0]*3+q.node[1]*5+q.node[2]*7)
	for at &= mask; l.slots[at] != 0; at = (at + 1) & mask {
		other := &s.quads[l.slots[at]-1]
		if other.node == q.node && bytes.Equal(s.text[other.from:other.to], line) {
			return true
		}
	}
	l.slots[at] = int32(len(s.quads) + 1)
	return false
}
