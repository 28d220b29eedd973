package bls12bbs

import (
	"encoding/binary"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
)

const (
	// blockSize generators are made at a time.
	blockSize = 32
	// tableBases is how many bases may get a wide table, 0.4 MB each: P1, Q_1 and
	// the generators of 62 messages.
	tableBases = 2 * blockSize
	// tableMemory is the GOMEMLIMIT below which there are no wide tables: ten times
	// what they take.
	tableMemory = 256 << 20
)

// A base is a constant point of G1 with its multiples.
type base struct {
	point  curve.G1Affine
	octets [pointSize]byte
	odd    oddMultiples
	wide   atomic.Pointer[wideTable]
}

// generators are the bases of a signature over a number of messages: P1, Q_1, H_1
// and so on.
type generators struct {
	bases  []*base
	octets []byte // of all but P1
	wide   bool   // whether sums may use wide tables
}

// messages returns the number of messages.
func (g *generators) messages() int { return len(g.bases) - 2 }

// cache holds the bases that were made so far: constants of the ciphersuite.
type cache struct {
	blocks   [(MaxMessages + 2 + blockSize - 1) / blockSize]func() *[blockSize]base
	tables   bool
	building sync.Mutex // one wide table at a time
}

var shared = sync.OnceValue(func() *cache {
	return newCache(debug.SetMemoryLimit(-1))
})

// newCache returns an empty cache for a process that may use so many bytes.
func newCache(memory int64) *cache {
	c := &cache{tables: memory >= tableMemory}
	for i := range c.blocks {
		c.blocks[i] = sync.OnceValue(func() *[blockSize]base { return makeBlock(i * blockSize) })
	}
	return c
}

// forMessages returns the bases for n messages, or nil for more than MaxMessages.
// It adds one wide table if one of them is missing and s wants them.
func forMessages(n int, s Scheme) *generators {
	if n > MaxMessages {
		return nil
	}
	return shared().forMessages(n, s)
}

func (c *cache) forMessages(n int, s Scheme) *generators {
	g := &generators{bases: make([]*base, 0, n+2), octets: make([]byte, 0, (n+1)*pointSize), wide: c.tables && !s.NoTables}
	for i := range n + 2 {
		b := &c.blocks[i/blockSize]()[i%blockSize]
		g.bases = append(g.bases, b)
		if i > 0 {
			g.octets = append(g.octets, b.octets[:]...)
		}
	}
	if g.wide {
		c.addTable(g.bases)
	}
	return g
}

// addTable makes the first wide table that is missing, unless another goroutine is
// making one.
func (c *cache) addTable(bases []*base) {
	bases = bases[:min(len(bases), tableBases)]
	missing := func(b *base) bool { return b.wide.Load() == nil }
	if !slices.ContainsFunc(bases, missing) || !c.building.TryLock() {
		return
	}
	defer c.building.Unlock()
	if i := slices.IndexFunc(bases, missing); i >= 0 {
		bases[i].wide.Store(newWideTable(&bases[i].point))
	}
}

// makeBlock makes the bases from number first on.
func makeBlock(first int) *[blockSize]base {
	block := new([blockSize]base)
	points := createGenerators(apiID+"MESSAGE_GENERATOR_SEED", first+blockSize-1, max(0, first-1))
	if first == 0 {
		points = append(createGenerators(apiID+"BP_MESSAGE_GENERATOR_SEED", 1, 0), points...)
	}
	for i := range block {
		b := &block[i]
		b.point = points[i]
		b.octets = b.point.Bytes()
	}
	for i, odd := range newOddMultiples(points) {
		block[i].odd = odd
	}
	return block
}

// createGenerators is create_generators (section 4.1.1) for the generators from
// number skip+1 to count. P1 differs from the others in the seed alone (section
// 7.2.2).
func createGenerators(seed string, count, skip int) []curve.G1Affine {
	v := expand([]byte(seed), dstSeed, expandLen)
	out := make([]curve.G1Affine, 0, count-skip)
	for i := 1; i <= count; i++ {
		v = expand(binary.BigEndian.AppendUint64(v, uint64(i)), dstSeed, expandLen)
		if i > skip {
			// The library refuses tags of more than 255 bytes, and no message.
			p, err := curve.HashToG1(v, []byte(dstGenerator))
			if err != nil {
				panic("bls12bbs: " + err.Error())
			}
			out = append(out, p)
		}
	}
	return out
}
