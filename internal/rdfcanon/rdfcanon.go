// Package rdfcanon gives RDF datasets their canonical form: RDFC-1.0 of RDF Dataset
// Canonicalization (Recommendation of 21 May 2024), with SHA-256 or SHA-384.
//
// [Canonicalize] is the whole of it. A dataset that was built to take for ever is
// refused within a budget of steps and time ([ErrLimit]), and one that cannot be
// written down without ambiguity is refused too. An empty dataset has an empty
// canonical form; a caller that signs must refuse it.
package rdfcanon

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/rdf"
)

// A Hash is the hash function that the algorithm runs with.
type Hash int

// The hash functions. SHA256 is the default of the specification.
const (
	SHA256 Hash = iota
	SHA384
)

const (
	// maxQuads is a hundred times a passport, and keeps the first pass over a
	// dataset below 10 ms.
	maxQuads = 4096
	// maxText is the most that the quads take as N-Quads, and sixteen times the
	// largest document: a long id is written again in each statement about it.
	maxText = 16 << 20
	// maxSteps counts hashes and visits of a blank node in a permutation. The
	// hardest of the published tests takes 6,648.
	maxSteps = 50_000
	// maxTime is for a machine on which the steps take long.
	maxTime = time.Second
)

var (
	// ErrLimit says that a dataset has too many quads, or takes too many steps
	// or too long to label (section 7.1). If it was the time, it matches
	// [context.DeadlineExceeded] too: another try may end otherwise.
	ErrLimit = errors.New("rdfcanon: dataset too complex")
	// ErrHash says that a Hash is none of the constants.
	ErrHash = errors.New("rdfcanon: unknown hash function")
)

// Canonical is a dataset in canonical form.
type Canonical struct {
	// Statements are the distinct quads as lines of canonical N-Quads with their
	// line feeds, in code point order (section 5). Joined they are what is hashed.
	Statements []string
	// Labels is the issued identifiers map: the canonical label of each blank
	// node, such as c14n0, by the label it came with.
	Labels map[string]string
}

// Canonicalize runs RDFC-1.0 (section 4.4.3) over quads, in which a quad may stand
// more than once. The error matches ErrLimit, [rdf.ErrTerm] or the cause of ctx.
func Canonicalize(ctx context.Context, quads []rdf.Quad, h Hash) (*Canonical, error) {
	return canonicalize(ctx, quads, h, limits{maxSteps, maxTime})
}

// Label is [Canonicalize] without the statements: it returns the issued identifiers
// map alone.
func Label(ctx context.Context, quads []rdf.Quad, h Hash) (map[string]string, error) {
	s, err := label(ctx, quads, h, limits{maxSteps, maxTime})
	if err != nil {
		return nil, err
	}
	labels := make(map[string]string, len(s.nodes))
	for i := range s.nodes {
		labels[s.nodes[i].label] = s.nodes[i].issued()
	}
	return labels, nil
}

// limits are what tests make small.
type limits struct {
	steps int
	time  time.Duration
}

func canonicalize(ctx context.Context, quads []rdf.Quad, h Hash, l limits) (*Canonical, error) {
	s, err := label(ctx, quads, h, l)
	if err != nil {
		return nil, err
	}
	return s.finish(), nil // step 6
}

// errSlow says that the time was over before the steps: a machine that was busy says
// nothing about the dataset, so that a verifier cannot tell, rather than refuse.
var errSlow = fmt.Errorf("%w: %w", ErrLimit, context.DeadlineExceeded)

// label is steps 1 to 5 of section 4.4.3.
func label(ctx context.Context, quads []rdf.Quad, h Hash, l limits) (*state, error) {
	if len(quads) > maxQuads {
		return nil, ErrLimit
	}
	s := &state{steps: l.steps}
	switch h {
	case SHA256:
		s.hash = sha256.New()
	case SHA384:
		s.hash = sha512.New384()
	default:
		return nil, ErrHash
	}
	if err := s.load(quads); err != nil { // steps 1 and 2
		return nil, err
	}
	for i := range s.nodes { // step 3
		if err := s.hashFirstDegree(int32(i)); err != nil {
			return nil, err
		}
	}
	rest := s.labelUnique() // step 4
	if len(rest) > 0 {      // step 5
		limited, cancel := context.WithTimeoutCause(ctx, l.time, errSlow)
		defer cancel()
		s.ctx = limited
		if err := s.labelRest(rest); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// A state is the canonicalization state (section 4.2). Blank nodes and quads are
// known by their positions.
type state struct {
	ctx   context.Context // set before hashNDegree
	hash  hash.Hash
	steps int // left

	text  []byte // all quads in canonical form, with z as the label of every blank node
	quads []quad // distinct
	nodes []node
	ids   map[string]int32 // nodes by label, if they are many
	lines [][]byte         // scratch of hashFirstDegree
	input []byte           // scratch of what is hashed

	issued int32 // canonical labels so far
}

// A quad is a line of text. Its blank nodes stand in the order subject, object,
// graph.
type quad struct {
	predicate string
	from, to  int32
	node      [3]int32 // -1 where there is none
	at        [3]int32 // position of the label's one letter in text
}

// A node is a blank node.
type node struct {
	label     string
	mentions  []int32 // quads
	first     string  // hash of its first degree quads, in hexadecimal
	canonical int32   // -1 before it is issued
}

// issued returns the canonical label.
func (n *node) issued() string { return "c14n" + strconv.Itoa(int(n.canonical)) }

// positions are the names of a quad's places in hashRelated.
const positions = "sog"

// load writes the distinct quads to text and finds their blank nodes.
func (s *state) load(quads []rdf.Quad) error {
	size := 0
	for i := range quads {
		q := &quads[i]
		if err := q.Validate(); err != nil {
			return fmt.Errorf("rdfcanon: %w", errtext.Below(err))
		}
		size += len(q.Subject.Value) + len(q.Predicate.Value) + len(q.Object.Value) + len(q.Object.Datatype) + len(q.Graph.Value) + 24
		if size > maxText {
			return ErrLimit
		}
	}
	s.text = make([]byte, 0, size)
	s.quads = make([]quad, 0, len(quads))
	s.nodes = make([]node, 0, 8)
	seen := newLineSet(len(quads))
	mentions := 0
	for i := range quads {
		q := &quads[i]
		at := quad{from: int32(len(s.text)), predicate: q.Predicate.Value}
		s.append(&at, 0, &q.Subject)
		s.text = append(rdf.AppendTerm(s.text, &q.Predicate), ' ')
		s.append(&at, 1, &q.Object)
		s.append(&at, 2, &q.Graph)
		s.text = append(s.text, '.', '\n')
		at.to = int32(len(s.text))
		if seen.add(s, &at) {
			s.text = s.text[:at.from]
			continue
		}
		s.quads = append(s.quads, at)
		mentions += 3
	}
	s.mention(make([]int32, 0, mentions))
	return nil
}

// append writes a term that may be a blank node, and a space, to text.
func (s *state) append(q *quad, place int, t *rdf.Term) {
	q.node[place] = -1
	switch t.Kind {
	case rdf.DefaultGraph:
		return
	case rdf.Blank:
		q.node[place], q.at[place] = s.node(t.Value), int32(len(s.text)+2)
		s.text = append(s.text, "_:z "...)
	default:
		s.text = append(rdf.AppendTerm(s.text, t), ' ')
	}
}

// node returns the node with a label, which is new or, mostly, one of the last. A
// few nodes are found without a map.
func (s *state) node(label string) int32 {
	const few = 16
	for i := len(s.nodes) - 1; i >= max(0, len(s.nodes)-few); i-- {
		if s.nodes[i].label == label {
			return int32(i)
		}
	}
	if len(s.nodes) >= few {
		if s.ids == nil {
			s.ids = make(map[string]int32, 4*few)
			for i := range s.nodes {
				s.ids[s.nodes[i].label] = int32(i)
			}
		}
		if id, ok := s.ids[label]; ok {
			return id
		}
		s.ids[label] = int32(len(s.nodes))
	}
	s.nodes = append(s.nodes, node{label: label, canonical: -1})
	return int32(len(s.nodes) - 1)
}

// mention makes the blank node to quads map, in the memory of all.
func (s *state) mention(all []int32) {
	count := make([]int32, len(s.nodes))
	each := func(f func(id int32, quad int32)) {
		for i := range s.quads {
			n := s.quads[i].node
			for place, id := range n {
				if id >= 0 && !slices.Contains(n[:place], id) {
					f(id, int32(i))
				}
			}
		}
	}
	each(func(id, _ int32) { count[id]++ })
	for id, n := range count {
		s.nodes[id].mentions = all[len(all) : len(all) : len(all)+int(n)]
		all = all[:len(all)+int(n)]
	}
	each(func(id, q int32) { s.nodes[id].mentions = append(s.nodes[id].mentions, q) })
}

// hashFirstDegree is section 4.6.3.
func (s *state) hashFirstDegree(id int32) error {
	if err := s.step(); err != nil {
		return err
	}
	n := &s.nodes[id]
	s.lines = s.lines[:0]
	for _, i := range n.mentions {
		q := &s.quads[i]
		s.relabel(q, id, 'a')
		s.lines = append(s.lines, s.text[q.from:q.to])
	}
	sortLines(s.lines)
	s.hash.Reset()
	for _, line := range s.lines {
		s.hash.Write(line)
	}
	n.first = s.sum()
	for _, i := range n.mentions {
		s.relabel(&s.quads[i], id, 'z')
	}
	return nil
}

// relabel writes a letter for the label of the node in a quad.
func (s *state) relabel(q *quad, id int32, letter byte) {
	for place, n := range q.node {
		if n == id {
			s.text[q.at[place]] = letter
		}
	}
}

// sum returns the hash in hexadecimal.
func (s *state) sum() string {
	var raw [sha512.Size]byte
	var text [2 * sha512.Size]byte
	sum := s.hash.Sum(raw[:0])
	return string(text[:hex.Encode(text[:], sum)])
}

// labelUnique gives canonical labels to the nodes whose hash is their own, in the
// order of the hashes, and returns the others in that order.
func (s *state) labelUnique() []int32 {
	order := make([]int32, len(s.nodes))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(s.nodes[a].first, s.nodes[b].first) })
	var rest []int32
	for i, id := range order {
		first := s.nodes[id].first
		if i > 0 && s.nodes[order[i-1]].first == first || i+1 < len(order) && s.nodes[order[i+1]].first == first {
			rest = append(rest, id)
			continue
		}
		s.issue(id)
	}
	return rest
}

// issue is section 4.5.2 for the canonical issuer.
func (s *state) issue(id int32) {
	if s.nodes[id].canonical < 0 {
		s.nodes[id].canonical = s.issued
		s.issued++
	}
}

// step takes one step of the budget.
func (s *state) step() error {
	const often = 256
	if s.steps--; s.steps < 0 {
		return ErrLimit
	}
	if s.ctx != nil && s.steps%often == 0 && s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return nil
}

// finish writes the quads with canonical labels (section 5).
func (s *state) finish() *Canonical {
	labels := make([]string, len(s.nodes))
	c := &Canonical{Labels: make(map[string]string, len(s.nodes))}
	for i := range s.nodes {
		labels[i] = s.nodes[i].issued()
		c.Labels[s.nodes[i].label] = labels[i]
	}
	size := len(s.text)
	for i := range s.quads {
		for _, id := range s.quads[i].node {
			if id >= 0 {
				size += len(labels[id]) - 1
			}
		}
	}
	var text strings.Builder
	text.Grow(size)
	ends := make([]int, len(s.quads))
	for i := range s.quads {
		q := &s.quads[i]
		from := q.from
		for place, id := range q.node {
			if id >= 0 {
				text.Write(s.text[from:q.at[place]])
				text.WriteString(labels[id])
				from = q.at[place] + 1
			}
		}
		text.Write(s.text[from:q.to])
		ends[i] = text.Len()
	}
	all, from := text.String(), 0
	c.Statements = make([]string, len(ends))
	for i, end := range ends {
		c.Statements[i] = all[from:end]
		from = end
	}
	slices.Sort(c.Statements)
	return c
}
