package sdjwt

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// Names that carry digests and are no claims (RFC 9901 section 4.1, rule 7).
const (
	digestsName = "_sd"
	elementName = "..."
	hashName    = "_sd_alg"
)

// A processor puts the disclosures of a token in the places of their digests (RFC
// 9901 section 7.1, steps 3 to 5).
type processor struct {
	byDigest table
	seen     []string // every digest met so far
	names    []string // of one object, for a nameSet
	open     []*disclosure
	path     []step // to the value that is processed
	written  strings.Builder
	processing
}

// A step leads from a value to a member, or to an element if it has no name.
type step struct {
	member bool
	name   string
	index  int
}

// A processing says what is asked of a processor.
type processing struct {
	places     bool       // write down where each disclosed claim stands
	base       vc.Pointer // where the payload itself stands
	credential bool       // refuse disclosures of claims that everybody must see
}

// process returns the processed payload. It takes over payload and the
// disclosures.
func process(payload *strictjson.Object, disclosures []disclosure, how processing) (*strictjson.Object, error) {
	p := &processor{
		byDigest:   newTable(disclosures),
		seen:       make([]string, 0, 64),
		processing: how,
	}
	payload.Delete(hashName)
	if how.places {
		p.written.Grow(64 * len(disclosures))
	}
	if err := p.object(payload, 1); err != nil {
		return nil, err
	}
	for i := range disclosures {
		if !disclosures[i].found { // or it comes twice
			return nil, fmt.Errorf("%w: a disclosure belongs to no digest", ErrDisclosure)
		}
	}
	slices.Sort(p.seen)
	if len(slices.Compact(p.seen)) != len(p.seen) {
		return nil, fmt.Errorf("%w: a digest comes twice", ErrDisclosure)
	}
	return payload, nil
}

// below processes a value at a depth, one step from the last, and returns what
// stands for it.
func (p *processor) below(s step, v any, depth int) (_ any, err error) {
	p.path = append(p.path, s)
	switch container := v.(type) {
	case *strictjson.Object:
		err = p.object(container, depth)
	case []any:
		v, err = p.array(container, depth)
	}
	p.path = p.path[:len(p.path)-1]
	return v, err
}

func (p *processor) object(o *strictjson.Object, depth int) error {
	if depth > strictjson.DefaultMaxDepth {
		return tooDeep()
	}
	var digests []any
	for name, v := range o.All() {
		switch name {
		case elementName:
			return fmt.Errorf("%w: %q is no claim name", ErrDisclosure, elementName)
		case hashName: // the one at the top is gone by now
			return fmt.Errorf("%w: not at the top", ErrHash)
		case digestsName:
			var ok bool
			if digests, ok = v.([]any); !ok {
				return fmt.Errorf("%w: _sd is not an array", ErrDisclosure)
			}
			continue
		}
		if !container(v) {
			continue
		}
		before := len(p.seen)
		processed, err := p.below(step{member: true, name: name}, v, depth+1)
		if err != nil {
			return err
		}
		if p.credential && depth == 1 && len(p.seen) > before && slices.Contains(wholeClaims, name) {
			return ErrNotDisclosable
		}
		if _, isArray := processed.([]any); isArray {
			o.Set(name, processed)
		}
	}
	if digests == nil {
		if _, present := o.Get(digestsName); !present {
			return nil
		}
	}
	o.Delete(digestsName)
	return p.members(o, digests, depth)
}

// members inserts the disclosed members of o (step 3, c, ii).
func (p *processor) members(o *strictjson.Object, digests []any, depth int) error {
	names := nameSet{few: p.names[:0]}
	for name := range o.All() {
		names.put(name)
	}
	first := len(p.open)
	for _, v := range digests {
		d, err := p.find(v)
		if err != nil {
			return err
		}
		if d == nil {
			continue
		}
		if d.element || d.name == digestsName || d.name == elementName || d.name == hashName {
			return fmt.Errorf("%w: not one for a member of an object", ErrDisclosure)
		}
		if !names.add(d.name) {
			return fmt.Errorf("%w: the claim is there already", ErrDisclosure)
		}
		if p.credential && depth == 1 && slices.Contains(alwaysVisible, d.name) {
			return ErrNotDisclosable
		}
		p.open = append(p.open, d)
	}
	p.names = names.few
	o.Grow(len(p.open) - first)
	for i := first; i < len(p.open); i++ { // which is longer for a while inside
		d, s := p.open[i], step{member: true, name: p.open[i].name}
		var err error
		if d.at, err = p.place(s); err != nil {
			return err
		}
		if container(d.value) {
			if d.value, err = p.below(s, d.value, depth+1); err != nil {
				return err
			}
		}
		o.Set(d.name, d.value)
	}
	p.open = p.open[:first]
	return nil
}

// array replaces placeholders by elements and drops the others (steps 3, c, iii and
// 3, d).
func (p *processor) array(items []any, depth int) ([]any, error) {
	if depth > strictjson.DefaultMaxDepth {
		return nil, tooDeep()
	}
	out := items[:0]
	for _, item := range items {
		var d *disclosure
		s := step{index: len(out)}
		if o, ok := item.(*strictjson.Object); ok {
			if digest, ok := o.Get(elementName); ok {
				if o.Len() != 1 {
					return nil, fmt.Errorf("%w: a placeholder has other members", ErrDisclosure)
				}
				var err error
				if d, err = p.find(digest); err != nil {
					return nil, err
				}
				if d == nil {
					continue
				}
				if !d.element {
					return nil, fmt.Errorf("%w: not one for an element of an array", ErrDisclosure)
				}
				if d.at, err = p.place(s); err != nil {
					return nil, err
				}
				item = d.value
			}
		}
		if container(item) {
			var err error
			if item, err = p.below(s, item, depth+1); err != nil {
				return nil, err
			}
			if d != nil {
				d.value = item
			}
		}
		out = append(out, item)
	}
	return out, nil
}

// find returns the disclosure of a digest, nil if it was not disclosed.
func (p *processor) find(v any) (*disclosure, error) {
	digest, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("%w: a digest is not a string", ErrDisclosure)
	}
	p.seen = append(p.seen, digest)
	d := p.byDigest.find(digest)
	if d == nil {
		return nil, nil
	}
	if d.found { // at once, lest it be put into itself
		return nil, fmt.Errorf("%w: a digest comes twice", ErrDisclosure)
	}
	d.found = true
	return d, nil
}

func tooDeep() error { return fmt.Errorf("%w: %w", ErrSyntax, errtext.Below(strictjson.ErrTooDeep)) }

// A table finds disclosures by their digests. A map would take as long to make as the
// rest of the processing.
type table struct {
	disclosures []disclosure
	slots       []uint16 // the number of a disclosure and 1, at its hash or behind it
	seed        maphash.Seed
}

func newTable(disclosures []disclosure) table {
	size := 4
	for size < 2*len(disclosures) {
		size *= 2
	}
	t := table{disclosures, make([]uint16, size), maphash.MakeSeed()}
	for i := range disclosures { // of two with one digest the last
		*t.slot(disclosures[i].digest) = uint16(i + 1)
	}
	return t
}

// slot returns the slot that has the disclosure of a digest, or an empty one.
func (t *table) slot(digest string) *uint16 {
	for i := int(maphash.String(t.seed, digest) % uint64(len(t.slots))); ; i = (i + 1) % len(t.slots) {
		if n := t.slots[i]; n == 0 || t.disclosures[n-1].digest == digest {
			return &t.slots[i]
		}
	}
}

// find returns the disclosure of a digest, or nil.
func (t *table) find(digest string) *disclosure {
	if n := *t.slot(digest); n > 0 {
		return &t.disclosures[n-1]
	}
	return nil
}

// maxPlaces bounds the pointers to all disclosures of a token together, which long
// names that many of them lie below could make far longer than the token.
const maxPlaces = strictjson.DefaultMaxBytes

// place returns the pointer to the value one step from the last, if it is asked for.
func (p *processor) place(last step) (vc.Pointer, error) {
	if !p.places {
		return "", nil
	}
	from := p.written.Len()
	p.written.WriteString(string(p.base))
	for _, s := range p.path {
		p.write(s)
	}
	p.write(last)
	if p.written.Len() > maxPlaces {
		return "", tooLarge()
	}
	return vc.Pointer(p.written.String()[from:]), nil
}

func (p *processor) write(s step) {
	p.written.WriteByte('/')
	switch {
	case !s.member:
		p.written.WriteString(strconv.Itoa(s.index))
	case strings.IndexByte(s.name, '~') >= 0 || strings.IndexByte(s.name, '/') >= 0: // RFC 6901 section 3
		p.written.WriteString(strings.ReplaceAll(strings.ReplaceAll(s.name, "~", "~0"), "/", "~1"))
	default:
		p.written.WriteString(s.name)
	}
}

func container(v any) bool {
	switch v.(type) {
	case *strictjson.Object, []any:
		return true
	}
	return false
}

// A nameSet refuses two names of one object that differ only in the case of
// letters, as strictjson does for those that come in one document.
type nameSet struct {
	few  []string
	many map[string]struct{} // folded
}

// fewNames is up to where comparing all pairs is quicker than folding.
const fewNames = 64

func (s *nameSet) put(name string) {
	if s.many == nil && len(s.few) < fewNames {
		s.few = append(s.few, name)
		return
	}
	if s.many == nil {
		s.many = make(map[string]struct{}, 4*fewNames)
		for _, n := range s.few {
			s.many[fold(n)] = struct{}{}
		}
	}
	s.many[fold(name)] = struct{}{}
}

func (s *nameSet) add(name string) bool {
	if s.many != nil {
		if _, taken := s.many[fold(name)]; taken {
			return false
		}
	} else {
		for _, n := range s.few {
			if strings.EqualFold(n, name) {
				return false
			}
		}
	}
	s.put(name)
	return true
}

// fold returns the same text for all names that strings.EqualFold calls equal.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}
