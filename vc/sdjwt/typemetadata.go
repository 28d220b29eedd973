package sdjwt

import (
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// maxExtends is how many types may extend one another. Real chains have two or
// three.
const maxExtends = 8

// A TypeMetadata is what is known of a type of SD-JWT VC, with what it inherits
// (SD-JWT VC, section 5). What is there for display is checked for its form where it
// belongs to a claim, and not kept.
type TypeMetadata struct {
	Type        string   // the vct
	Name        string   // for developers
	Description string   // for developers
	Extends     []string // the types it extends, the nearest first

	claims []claimMetadata
}

// A claimMetadata says how one claim, or a set of them, has to be (section 5.6).
type claimMetadata struct {
	path      []any // strings, nil for all elements, int for one
	mandatory bool
	sd        string
}

// The values of sd (section 5.6.4).
const (
	sdAlways  = "always"
	sdAllowed = "allowed"
	sdNever   = "never"
)

// ReadTypeMetadata returns the metadata of the type vct. It and the types it extends
// are among documents, by their vct; nothing is fetched. If integrity, the value of
// a claim vct#integrity, is not empty, the document must be the one with that digest
// (SD-JWT VC, section 6). The error is [ErrTypeMetadata].
func ReadTypeMetadata(documents map[string][]byte, vct, integrity string) (*TypeMetadata, error) {
	m := &TypeMetadata{Type: vct}
	var chain []*strictjson.Object
	for next := vct; next != ""; {
		if len(chain) > maxExtends || slices.Contains(m.Extends, next) || len(chain) > 0 && next == vct {
			return nil, fmt.Errorf("%w: types extend one another in a circle, or too many", ErrTypeMetadata)
		}
		if len(chain) > 0 {
			m.Extends = append(m.Extends, next)
		}
		o, err := typeDocument(documents, next, integrity)
		if err != nil {
			return nil, err
		}
		chain = append(chain, o)
		next, integrity = "", ""
		for _, member := range []struct {
			name string
			to   *string
		}{{"extends", &next}, {"extends#integrity", &integrity}} {
			v, present := o.Get(member.name)
			var ok bool
			if *member.to, ok = v.(string); present && (!ok || *member.to == "") {
				return nil, fmt.Errorf("%w: %s", ErrTypeMetadata, member.name)
			}
		}
	}
	m.Name, _ = chain[0].Text("name")
	m.Description, _ = chain[0].Text("description")
	for _, o := range slices.Backward(chain) { // what is extended comes first
		if err := m.inherit(o); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func typeDocument(documents map[string][]byte, vct, integrity string) (*strictjson.Object, error) {
	document, ok := documents[vct]
	if !ok {
		return nil, fmt.Errorf("%w: a type is not known", ErrTypeMetadata)
	}
	if integrity != "" {
		if err := (vc.RelatedResource{DigestSRI: []string{integrity}}).Matches(document); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTypeMetadata, errtext.Below(err))
		}
	}
	o, err := strictjson.ParseObject(document)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTypeMetadata, errtext.Below(err))
	}
	if name, _ := o.Text("vct"); name != vct {
		return nil, fmt.Errorf("%w: a document describes another type", ErrTypeMetadata)
	}
	return o, nil
}

// inherit adds the claims of a document to those of the types it extends (section
// 5.6.5).
func (m *TypeMetadata) inherit(o *strictjson.Object) error {
	v, present := o.Get("claims")
	list, ok := v.([]any)
	if present && !ok {
		return fmt.Errorf("%w: claims", ErrTypeMetadata)
	}
	var own [][]any
	var svg []string
	for _, e := range list {
		claim, ok := e.(*strictjson.Object)
		if !ok {
			return fmt.Errorf("%w: claims", ErrTypeMetadata)
		}
		path, err := claimPath(claim)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(own, func(p []any) bool { return slices.Equal(p, path) }) {
			return fmt.Errorf("%w: a path comes twice", ErrTypeMetadata)
		}
		own = append(own, path)
		if err := checkDisplay(claim, &svg); err != nil {
			return err
		}
		if err := m.merge(claim, path); err != nil {
			return err
		}
	}
	return nil
}

// merge combines a claim's metadata with what is there for its path, which it may
// make stricter and not looser (section 5.6.5.1).
func (m *TypeMetadata) merge(claim *strictjson.Object, path []any) error {
	i := slices.IndexFunc(m.claims, func(c claimMetadata) bool { return slices.Equal(c.path, path) })
	if i < 0 {
		m.claims = append(m.claims, claimMetadata{path: path, sd: sdAllowed})
		i = len(m.claims) - 1
	}
	c := &m.claims[i]
	if v, present := claim.Get("mandatory"); present {
		mandatory, ok := v.(bool)
		if !ok || c.mandatory && !mandatory {
			return fmt.Errorf("%w: mandatory", ErrTypeMetadata)
		}
		c.mandatory = mandatory
	}
	if v, present := claim.Get("sd"); present {
		sd, _ := v.(string)
		if sd != sdAlways && sd != sdAllowed && sd != sdNever || c.sd != sdAllowed && c.sd != sd {
			return fmt.Errorf("%w: sd", ErrTypeMetadata)
		}
		c.sd = sd
	}
	return nil
}

// claimPath reads the path of a claim (section 5.6.1).
func claimPath(claim *strictjson.Object) ([]any, error) {
	v, _ := claim.Get("path")
	list, _ := v.([]any)
	if len(list) == 0 || len(list) > strictjson.DefaultMaxDepth {
		return nil, fmt.Errorf("%w: path", ErrTypeMetadata)
	}
	out := make([]any, len(list))
	for i, component := range list {
		switch component := component.(type) {
		case nil:
		case string:
			out[i] = component
		case strictjson.Number:
			n, err := component.Int64()
			if err != nil || n < 0 {
				return nil, fmt.Errorf("%w: path", ErrTypeMetadata)
			}
			out[i] = int(min(n, strictjson.DefaultMaxValues)) // no array is longer
		default:
			return nil, fmt.Errorf("%w: path", ErrTypeMetadata)
		}
	}
	return out, nil
}

// checkDisplay checks the form of what a claim has for display (sections 5.6 and
// 5.6.2). The svg_id is unique in a document.
func checkDisplay(claim *strictjson.Object, ids *[]string) error {
	if v, present := claim.Get("display"); present {
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%w: display", ErrTypeMetadata)
		}
		for _, e := range list {
			o, _ := e.(*strictjson.Object)
			locale, _ := o.Text("locale")
			if _, ok := o.Text("label"); !ok || locale == "" {
				return fmt.Errorf("%w: display", ErrTypeMetadata)
			}
		}
	}
	if v, present := claim.Get("svg_id"); present {
		id, _ := v.(string)
		if !isSVGID(id) || slices.Contains(*ids, id) {
			return fmt.Errorf("%w: svg_id", ErrTypeMetadata)
		}
		*ids = append(*ids, id)
	}
	return nil
}

func isSVGID(id string) bool {
	for i := range len(id) {
		c := id[i]
		letter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return id != ""
}

// Check checks an SD-JWT VC against the metadata, as a verifier can who may not have
// been shown everything: what was withheld may be there (SD-JWT VC, section 5.6). A
// token of another type that does not name this one in its claims vct or aka_vcts,
// or of another form, is refused too. The error is [ErrTypeMetadata].
func (m *TypeMetadata) Check(t *Token) error { return m.check(t, false) }

// CheckWhole is [TypeMetadata.Check] for a holder who was given all disclosures:
// what is mandatory must be there.
func (m *TypeMetadata) CheckWhole(t *Token) error { return m.check(t, true) }

func (m *TypeMetadata) check(t *Token, whole bool) error {
	if t.mediaType != MediaTypeSDJWTVC || m.Type != t.claims.Type && !slices.Contains(t.claims.Types, m.Type) {
		return fmt.Errorf("%w: the credential is of another type", ErrTypeMetadata)
	}
	s, err := newSelector(t)
	if err != nil {
		return err
	}
	for _, c := range m.claims {
		s.withheld = false
		found, err := s.path(c)
		if err != nil {
			return err
		}
		for _, n := range found {
			if c.sd == sdAlways && !n.disclosed || c.sd == sdNever && n.disclosed {
				return fmt.Errorf("%w: a claim is not to be disclosed as it is", ErrTypeMetadata)
			}
		}
		if c.mandatory && len(found) == 0 && (whole || !s.withheld) {
			return fmt.Errorf("%w: a mandatory claim is missing", ErrTypeMetadata)
		}
	}
	return nil
}

// A selector follows paths through the payload as it was issued, where the
// positions of array elements that are not shown still count.
type selector struct {
	payload  *strictjson.Object
	byDigest map[string]*disclosure
	withheld bool // the last path met what was not shown
}

// A node is a value that a path leads to.
type node struct {
	value     any
	disclosed bool // it is, or would be, a disclosure of its own
	unknown   bool // it was not shown
}

func newSelector(t *Token) (*selector, error) {
	payload, _, disclosures, err := parseParts(t.message.Payload, t.disclosures)
	if err != nil {
		return nil, err
	}
	s := &selector{payload: payload, byDigest: make(map[string]*disclosure, len(disclosures))}
	for i := range disclosures {
		s.byDigest[disclosures[i].digest] = &disclosures[i]
	}
	return s, nil
}

// path is the processing of section 5.6.1.2.
func (s *selector) path(c claimMetadata) ([]node, error) {
	nodes := []node{{value: s.payload}}
	for i, component := range c.path {
		var next []node
		for _, n := range nodes {
			if n.unknown {
				s.withheld = true
				continue
			}
			var err error
			if name, ok := component.(string); ok {
				never := i == len(c.path)-1 && c.sd == sdNever // it would be in plain sight
				next, err = s.member(next, n.value, name, never)
			} else {
				next, err = s.elements(next, n.value, component)
			}
			if err != nil {
				return nil, err
			}
		}
		nodes = next
	}
	return nodes, nil
}

func (s *selector) member(to []node, v any, name string, never bool) ([]node, error) {
	o, ok := v.(*strictjson.Object)
	if !ok {
		return nil, fmt.Errorf("%w: a path names a member of what is no object", ErrTypeMetadata)
	}
	if name == digestsName || name == hashName {
		return to, nil
	}
	if v, ok := o.Get(name); ok {
		return append(to, node{value: v}), nil
	}
	digests, _ := o.Get(digestsName)
	list, _ := digests.([]any)
	hidden := false
	for _, e := range list {
		digest, _ := e.(string)
		switch d := s.byDigest[digest]; {
		case d == nil:
			hidden = true
		case d.name == name:
			return append(to, node{value: d.value, disclosed: true}), nil
		}
	}
	s.withheld = s.withheld || hidden && !never
	return to, nil
}

func (s *selector) elements(to []node, v any, which any) ([]node, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%w: a path names an element of what is no array", ErrTypeMetadata)
	}
	for i, e := range list {
		if which != nil && which != i {
			continue
		}
		n := node{value: e}
		if o, ok := e.(*strictjson.Object); ok {
			if digest, ok := o.Text(elementName); ok {
				n = node{disclosed: true, unknown: true}
				if d := s.byDigest[digest]; d != nil {
					n = node{value: d.value, disclosed: true}
				}
			}
		}
		to = append(to, n)
	}
	return to, nil
}
