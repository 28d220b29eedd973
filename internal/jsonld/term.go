package jsonld

import (
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A definer adds the terms of one context object to an active context.
type definer struct {
	active              *active
	local               *strictjson.Object
	protected, override bool
	defined             map[string]bool // false while a term is being defined
	depth               int
}

// maxTermDepth bounds how many terms of a context are defined through one another.
const maxTermDepth = 64

func malformedContext(must string) error { return fmt.Errorf("%w: %s", ErrContext, must) }

// term is the create term definition algorithm (JSON-LD 1.1 API, section 4.2.2).
func (d *definer) term(name string) error {
	if done, ok := d.defined[name]; ok {
		if done {
			return nil
		}
		return malformedContext("terms that are defined by one another")
	}
	if d.depth++; d.depth > maxTermDepth {
		return fmt.Errorf("%w: terms that refer to one another", ErrLimit)
	}
	defer func() { d.depth-- }()
	d.defined[name] = false
	v, _ := d.local.Get(name)
	switch {
	case name == "":
		return malformedContext("the empty term")
	case name == "@type":
		if err := checkTypeTerm(v); err != nil {
			return err
		}
	case keywordOf(name) != notKeyword:
		return malformedContext("redefines a keyword")
	case likeKeyword(name):
		return malformedContext("a term that looks like a keyword")
	}
	previous := d.active.terms[name]
	delete(d.active.terms, name)

	o, simple, err := definition(v)
	if err != nil {
		return err
	}
	t := &term{protected: d.protected}
	if err := d.fill(t, name, o, simple); err != nil {
		return err
	}
	if previous != nil && previous.protected && !d.override {
		if !sameTerm(previous, t) {
			return ErrProtected
		}
		t = previous
	}
	d.active.terms[name] = t
	d.defined[name] = true
	return nil
}

// checkTypeTerm is step 4: @type may be given a container and protection.
func checkTypeTerm(v any) error {
	o, ok := v.(*strictjson.Object)
	if !ok || o.Len() == 0 {
		return malformedContext("redefines a keyword")
	}
	for name, v := range o.All() {
		if name == "@container" && v == "@set" || name == "@protected" {
			continue
		}
		return malformedContext("redefines a keyword")
	}
	return nil
}

// definition returns the expanded term definition that v is short for.
func definition(v any) (o *strictjson.Object, simple bool, err error) {
	switch v := v.(type) {
	case nil:
		return strictjson.NewObject(strictjson.Member{Name: "@id", Value: nil}), false, nil
	case string:
		return strictjson.NewObject(strictjson.Member{Name: "@id", Value: v}), true, nil
	case *strictjson.Object:
		return v, false, nil
	}
	return nil, false, malformedContext("a term must be null, a string or an object")
}

// fill is steps 10 to 26.
func (d *definer) fill(t *term, name string, o *strictjson.Object, simple bool) error {
	for member := range o.All() {
		switch member {
		case "@id", "@reverse", "@container", "@context", "@direction", "@index", "@language", "@nest", "@prefix", "@protected", "@type":
		default:
			return malformedContext("unknown member of a term definition")
		}
	}
	if v, ok := o.Get("@protected"); ok {
		if t.protected, ok = v.(bool); !ok {
			return at("@protected", malformedContext("must be true or false"))
		}
	}
	if err := d.typeMapping(t, o); err != nil {
		return at("@type", err)
	}
	if v, ok := o.Get("@reverse"); ok {
		return at2("@reverse", d.reverse(t, o, v))
	}
	if err := d.iri(t, name, o, simple); err != nil {
		return err
	}
	if err := t.readContainer(o); err != nil {
		return at("@container", err)
	}
	if v, ok := o.Get("@index"); ok {
		if err := d.index(t, v); err != nil {
			return at("@index", err)
		}
	}
	if t.context, t.hasContext = o.Get("@context"); t.hasContext && t.keyword != notKeyword {
		return at("@context", fmt.Errorf("%w: a context scoped to a keyword", ErrUnsupported))
	}
	return t.rest(name, o)
}

// at2 is at for an error that may be nil.
func at2(name string, err error) error {
	if err == nil {
		return nil
	}
	return at(name, err)
}

func (d *definer) typeMapping(t *term, o *strictjson.Object) error {
	v, ok := o.Get("@type")
	if !ok {
		return nil
	}
	s, ok := v.(string)
	if !ok {
		return malformedContext("must be a string")
	}
	iri, kw, err := d.expand(s)
	if err != nil {
		return err
	}
	switch {
	case kw == kwID:
		t.coerce = toID
	case kw == kwJSON:
		t.coerce = toJSON
	case kw == kwNone:
		t.coerce = toNone
	case iri == "@vocab":
		t.coerce = toVocab
	case kw != notKeyword:
		return malformedContext("a keyword that is no type")
	case !isIRI(iri):
		return ErrRelative
	default:
		t.coerce, t.datatype = toDatatype, iri
	}
	return nil
}

// reverse is step 13.
func (d *definer) reverse(t *term, o *strictjson.Object, v any) error {
	s, ok := v.(string)
	if !ok {
		return malformedContext("must be a string")
	}
	for member := range o.All() {
		switch member {
		case "@reverse", "@type", "@container", "@protected", "@index":
		default:
			return malformedContext("a reverse property with a member that it cannot have")
		}
	}
	iri, kw, err := d.expand(s)
	if err != nil {
		return err
	}
	if kw != notKeyword || !isIRI(iri) {
		return ErrRelative
	}
	t.iri, t.reverse = iri, true
	if err := t.readContainer(o); err != nil {
		return err
	}
	if t.container&^(inSet|inIndex) != 0 {
		return malformedContext("the container of a reverse property")
	}
	if t.coerce == toJSON {
		return fmt.Errorf("%w: the type @json in reverse", ErrUnsupported)
	}
	if v, ok := o.Get("@index"); ok {
		if err := d.index(t, v); err != nil {
			return err
		}
	}
	return nil
}

// iri is steps 14 to 18.
func (d *definer) iri(t *term, name string, o *strictjson.Object, simple bool) error {
	v, ok := o.Get("@id")
	if ok && v != any(name) {
		if v == nil {
			return nil
		}
		s, ok := v.(string)
		if !ok {
			return at("@id", malformedContext("must be null or a string"))
		}
		var err error
		if t.iri, t.keyword, err = d.expand(s); err != nil {
			return at("@id", err)
		}
		if t.keyword == kwContext || t.keyword == kwContextOnly {
			return at("@id", malformedContext("an alias of a keyword that has none"))
		}
		if t.keyword == notKeyword && !isIRI(t.iri) {
			return at("@id", ErrRelative)
		}
		if strings.Contains(name, "/") || strings.Contains(name[1:max(1, len(name)-1)], ":") {
			return d.sameAsName(t, name)
		}
		t.prefix = simple && !strings.Contains(name, ":") && t.keyword == notKeyword && strings.ContainsRune(":/?#[]@", rune(t.iri[len(t.iri)-1]))
		return nil
	}
	if name == "@type" {
		t.keyword, t.iri = kwType, "@type"
		return nil
	}
	if strings.ContainsAny(name[1:], ":") || strings.Contains(name, "/") {
		iri, err := d.compact(name)
		if err != nil {
			return err
		}
		if t.iri = iri; !isIRI(iri) {
			return ErrRelative
		}
		return nil
	}
	if d.active.vocab == "" {
		return malformedContext("a term without an IRI")
	}
	if t.iri = d.active.vocab + name; !isIRI(t.iri) {
		return ErrRelative
	}
	return nil
}

// sameAsName holds a term in the form of an IRI to that IRI (step 14.2.4).
func (d *definer) sameAsName(t *term, name string) error {
	d.defined[name] = true
	iri, _, err := d.expand(name)
	if err != nil {
		return err
	}
	if iri != t.iri {
		return malformedContext("a term that looks like another IRI than its own")
	}
	return nil
}

// compact expands a term that is an IRI or a compact IRI itself.
func (d *definer) compact(name string) (string, error) {
	if prefix, suffix, ok := splitCompact(name); ok {
		if _, ok := d.local.Get(prefix); ok && prefix != name {
			if err := d.term(prefix); err != nil {
				return "", err
			}
		}
		if p := d.active.terms[prefix]; p != nil && p.keyword == notKeyword && p.iri != "" {
			return p.iri + suffix, nil
		}
	}
	if isIRI(name) {
		return name, nil
	}
	if d.active.vocab != "" && !strings.Contains(name, ":") {
		return d.active.vocab + name, nil
	}
	return "", ErrRelative
}

// expand is IRI expansion (section 5.2.2) within a context, relative to the
// vocabulary: an IRI or a keyword, whose text is then the first result.
func (d *definer) expand(s string) (string, keyword, error) {
	if kw := keywordOf(s); kw != notKeyword {
		return s, kw, nil
	}
	if likeKeyword(s) {
		return "", 0, malformedContext("a value that looks like a keyword")
	}
	if _, ok := d.local.Get(s); ok && d.defined != nil {
		if err := d.term(s); err != nil {
			return "", 0, err
		}
	}
	if t := d.active.terms[s]; t != nil {
		if t.iri == "" {
			return "", 0, malformedContext("refers to a term without meaning")
		}
		return t.iri, t.keyword, nil
	}
	if prefix, suffix, ok := splitCompact(s); ok {
		if _, ok := d.local.Get(prefix); ok && d.defined != nil {
			if err := d.term(prefix); err != nil {
				return "", 0, err
			}
		}
		if p := d.active.terms[prefix]; p != nil && p.prefix {
			return p.iri + suffix, 0, nil
		}
	}
	if schemeEnd(s) < 0 && !isBlank(s) && d.active.vocab != "" {
		return d.active.vocab + s, 0, nil
	}
	return s, 0, nil
}

// index is step 20.
func (d *definer) index(t *term, v any) error {
	s, ok := v.(string)
	if !ok || t.container&inIndex == 0 {
		return malformedContext("needs a string and the container @index")
	}
	iri, kw, err := d.expand(s)
	if err != nil {
		return err
	}
	if kw != notKeyword || !isIRI(iri) {
		return ErrRelative
	}
	t.index = s
	return nil
}

// rest is steps 22 to 25.
func (t *term) rest(name string, o *strictjson.Object) error {
	var err error
	if v, ok := o.Get("@language"); ok && t.coerce == noCoercion {
		t.hasLanguage = true
		if t.language, err = languageOf(v); err != nil {
			return at("@language", err)
		}
	}
	if v, ok := o.Get("@direction"); ok && v != nil {
		return at("@direction", ErrUnsupported)
	}
	if v, ok := o.Get("@nest"); ok {
		if t.nest, ok = v.(string); !ok || t.nest == "" || keywordOf(t.nest) != notKeyword && t.nest != "@nest" {
			return at("@nest", malformedContext("must be @nest or a term"))
		}
	}
	if v, ok := o.Get("@prefix"); ok {
		if t.prefix, ok = v.(bool); !ok || strings.ContainsAny(name, ":/") || t.prefix && t.keyword != notKeyword {
			return at("@prefix", ErrContext)
		}
	}
	return nil
}

// sameTerm reports whether two definitions mean the same, whether or not they are
// protected.
func sameTerm(a, b *term) bool {
	x, y := *a, *b
	x.protected, y.protected = false, false
	cx, cy := x.context, y.context
	x.context, y.context = nil, nil
	return x == y && strictjson.Equal(cx, cy)
}

func lower(s string) string { return strings.ToLower(s) }
