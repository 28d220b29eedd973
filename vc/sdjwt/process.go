package sdjwt

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

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
	byDigest map[string]*disclosure
	seen     []string // every digest met so far
	processing
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
		byDigest:   make(map[string]*disclosure, len(disclosures)),
		seen:       make([]string, 0, 64),
		processing: how,
	}
	for i := range disclosures {
		p.byDigest[disclosures[i].digest] = &disclosures[i]
	}
	payload.Delete(hashName)
	if err := p.object(payload, 1, how.base); err != nil {
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

// value processes a value at a depth and place and returns what stands for it.
func (p *processor) value(v any, depth int, at vc.Pointer) (any, error) {
	switch v := v.(type) {
	case *strictjson.Object:
		return v, p.object(v, depth, at)
	case []any:
		return p.array(v, depth, at)
	}
	return v, nil
}

func (p *processor) object(o *strictjson.Object, depth int, at vc.Pointer) error {
	if depth > strictjson.DefaultMaxDepth {
		return fmt.Errorf("%w: too deep", ErrSyntax)
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
		processed, err := p.value(v, depth+1, p.child(at, name))
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
	return p.members(o, digests, depth, at)
}

// members inserts the disclosed members of o (step 3, c, ii).
func (p *processor) members(o *strictjson.Object, digests []any, depth int, at vc.Pointer) error {
	names := namesOf(o)
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
		if d.at = p.child(at, d.name); container(d.value) {
			if d.value, err = p.value(d.value, depth+1, d.at); err != nil {
				return err
			}
		}
		o.Set(d.name, d.value)
	}
	return nil
}

// array replaces placeholders by elements and drops the others (steps 3, c, iii and
// 3, d).
func (p *processor) array(items []any, depth int, at vc.Pointer) ([]any, error) {
	if depth > strictjson.DefaultMaxDepth {
		return nil, fmt.Errorf("%w: too deep", ErrSyntax)
	}
	out := items[:0]
	for _, item := range items {
		var d *disclosure
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
				d.at = p.index(at, len(out))
				item = d.value
			}
		}
		if container(item) {
			var err error
			if item, err = p.value(item, depth+1, p.index(at, len(out))); err != nil {
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
	d := p.byDigest[digest]
	if d == nil {
		return nil, nil
	}
	if d.found { // at once, lest it be put into itself
		return nil, fmt.Errorf("%w: a digest comes twice", ErrDisclosure)
	}
	d.found = true
	return d, nil
}

func (p *processor) child(at vc.Pointer, name string) vc.Pointer {
	if !p.places {
		return ""
	}
	return at.Child(name)
}

func (p *processor) index(at vc.Pointer, i int) vc.Pointer {
	if !p.places {
		return ""
	}
	return at.Index(i)
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

func namesOf(o *strictjson.Object) *nameSet {
	s := &nameSet{few: make([]string, 0, min(o.Len()+8, fewNames))}
	for name := range o.All() {
		s.put(name)
	}
	return s
}

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
