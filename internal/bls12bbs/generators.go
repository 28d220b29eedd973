package bls12bbs

import (
	"encoding/binary"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
)

const (
	// tableBases is how many bases may get a wide table, 0.4 MB each: P1, Q_1 and
	// the generators of 62 messages.
	tableBases = 64
	// tableMemory is the GOMEMLIMIT below which there are no wide tables: ten times
	// what they take.
	tableMemory = 256 << 20
	// tableCalls is how many calls go without wide tables before the first is made.
	// One takes the time that a hundred calls save by it, which a process that
	// checks a proof or two and ends does not make.
	tableCalls = 16
)

// A base is a constant point of G1 with its multiples, which are made when they are
// needed first.
type base struct {
	point  curve.G1Affine
	octets [pointSize]byte
	odd    atomic.Pointer[oddMultiples]
	wide   atomic.Pointer[wideTable]
}

// generators are the bases of a signature over a number of messages: P1, Q_1, H_1
// and so on.
type generators struct {
	bases   []*base
	octets  []byte // of all but P1
	wide    bool   // whether sums may use wide tables
	regular bool   // whether all sums take the regular path
}

// messages returns the number of messages.
func (g *generators) messages() int { return len(g.bases) - 2 }

// cache holds the bases that were made so far: constants of the ciphersuite.
type cache struct {
	tables bool
	calls  atomic.Int32 // that tables are for, up to tableCalls

	making sync.Mutex
	made   []*base // grows while making is held; what is there does not change
	next   seeds   // of the generators that come after

	building sync.Mutex // one wide table at a time
}

var shared = sync.OnceValue(func() *cache {
	return newCache(debug.SetMemoryLimit(-1))
})

// newCache returns an empty cache for a process that may use so many bytes.
func newCache(memory int64) *cache {
	return &cache{tables: memory >= tableMemory, next: newSeeds(apiID + "MESSAGE_GENERATOR_SEED")}
}

// forMessages returns the bases for n messages, or nil for more than MaxMessages.
// It counts as a call, and after [tableCalls] of them adds one wide table if one of
// them is missing, unless s wants none.
func forMessages(n int, s Scheme) *generators {
	if n > MaxMessages {
		return nil
	}
	return shared().forMessages(n, s)
}

func (c *cache) forMessages(n int, s Scheme) *generators {
	g := &generators{bases: c.first(n + 2), octets: make([]byte, 0, (n+1)*pointSize), wide: c.tables && !s.NoTables, regular: s.NoTables}
	for _, b := range g.bases[1:] {
		g.octets = append(g.octets, b.octets[:]...)
	}
	if g.wide && c.counted() {
		c.addTable(g.bases)
	}
	return g
}

// counted counts a call and reports whether there were tableCalls before.
func (c *cache) counted() bool {
	return c.calls.Load() >= tableCalls || c.calls.Add(1) > tableCalls
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

// first returns the first n bases. Those that are missing are made.
func (c *cache) first(n int) []*base {
	c.making.Lock()
	defer c.making.Unlock()
	if len(c.made) < n {
		c.made = append(c.made, c.more(n-len(c.made))...)
	}
	return c.made[:n:n]
}

// more makes the next n bases, as many at a time as there are processors: a point
// takes 0.15 ms.
func (c *cache) more(n int) []*base {
	out := make([]*base, n)
	var from [][]byte
	if len(c.made) == 0 { // P1 differs from the others in the seed alone (section 7.2.2)
		p1 := newSeeds(apiID + "BP_MESSAGE_GENERATOR_SEED")
		from = append(from, p1.next())
	}
	for len(from) < n {
		from = append(from, c.next.next())
	}
	var all sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), n)
	for w := range workers {
		all.Go(func() {
			for i := w; i < n; i += workers {
				out[i] = newBase(from[i])
			}
		})
	}
	all.Wait()
	return out
}

// newBase makes the base of what [seeds] return.
func newBase(v []byte) *base {
	// The library refuses tags of more than 255 bytes, and no message.
	p, err := curve.HashToG1(v, []byte(dstGenerator))
	if err != nil {
		panic("bls12bbs: " + err.Error())
	}
	return &base{point: p, octets: p.Bytes()}
}

// seeds are the numbered values of create_generators (section 4.1.1), one made from
// the other.
type seeds struct {
	v []byte
	i uint64
}

func newSeeds(seed string) seeds { return seeds{v: expand([]byte(seed), dstSeed, expandLen)} }

// next returns what the next generator is hashed from.
func (s *seeds) next() []byte {
	s.i++
	s.v = expand(binary.BigEndian.AppendUint64(s.v, s.i), dstSeed, expandLen)
	return s.v
}

// withOdd makes the odd multiples of bases that have none yet. Which those are is
// public: it depends on how many messages were signed and which of them are hidden.
func withOdd(bases []*base) {
	var missing []*base
	var points []curve.G1Affine
	for _, b := range bases {
		if b.odd.Load() == nil {
			missing = append(missing, b)
			points = append(points, b.point)
		}
	}
	if len(missing) == 0 {
		return
	}
	for i, odd := range newOddMultiples(points) {
		missing[i].odd.Store(&odd)
	}
}
