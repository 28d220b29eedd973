package jsonld

import (
	"hash/maphash"

	"github.com/staffpassport/staffpassport/internal/rdf"
)

// unique removes repeated quads: a data set has each statement once.
func unique(quads []rdf.Quad) []rdf.Quad {
	seed := maphash.MakeSeed()
	size := 16
	for size < 2*len(quads) {
		size *= 2
	}
	places := make([]uint16, size) // 1 + the position of a quad, by its hash
	out := quads[:0]
next:
	for _, q := range quads {
		i := hashOf(seed, &q) & uint64(size-1)
		for ; places[i] != 0; i = (i + 1) & uint64(size-1) {
			if out[places[i]-1] == q {
				continue next
			}
		}
		out = append(out, q)
		places[i] = uint16(len(out))
	}
	return out
}

// hashOf mixes the parts of a quad that tell quads of one document apart.
func hashOf(seed maphash.Seed, q *rdf.Quad) uint64 {
	h := maphash.String(seed, q.Subject.Value)
	h = h*31 + maphash.String(seed, q.Predicate.Value)
	return h*31 + maphash.String(seed, q.Object.Value)
}
