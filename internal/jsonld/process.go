package jsonld

import (
	"fmt"
	"strconv"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const (
	// maxWork bounds the terms that are copied or defined while the contexts of
	// one document are parsed: some 20 ms and 16 MiB. The largest published
	// context takes 200, and each type scoped to it as many again.
	maxWork = 1 << 16
	// maxRemote bounds how deep context documents refer to others.
	maxRemote = 8
	// maxContextKey is the longest JSON of a @context whose meaning is kept.
	maxContextKey = 4 << 10
)

// A processor parses contexts for one document.
type processor struct {
	documents map[string]*document
	work      int
	buf       []byte
}

func (c *Contexts) newProcessor() *processor { return &processor{documents: c.documents} }

// A scope says how a context comes to be processed.
type scope struct {
	override  bool // it may redefine protected terms: it is scoped to a property
	turnsBack bool // it ends at the next node: it is scoped to a type
	remote    int  // how many documents referred to one another to get here
}

// embeddedIn returns the context in force after a node's @context.
func (p *processor) embeddedIn(a *active, local any) (*active, error) {
	var err error
	if p.buf, err = strictjson.Append(p.buf[:0], local); err != nil {
		return nil, ErrContext
	}
	if m := a.local.Load(); m != nil {
		if r := (*m)[string(p.buf)]; r != nil {
			return r, nil
		}
	}
	key := ""
	if len(p.buf) <= maxContextKey {
		key = string(p.buf)
	}
	r, err := p.process(a, local, scope{})
	if err != nil {
		return nil, err
	}
	if key != "" {
		keep(a, &a.local, key, r, len(r.terms)+len(key)/16)
	}
	return r, nil
}

// scopedToType returns the context in force in a node of the type t.
func (p *processor) scopedToType(a *active, t *term) (*active, error) {
	if r := derived(&a.typed, t); r != nil {
		return r, nil
	}
	r, err := p.process(a, t.context, scope{turnsBack: true})
	if err == nil {
		keep(a, &a.typed, t, r, len(r.terms))
	}
	return r, err
}

// scopedToProperty returns the context in force in a value of the property that is
// called name and defined by t. If the context gives that name another meaning,
// which of the two counts is a matter on which implementations differ.
func (p *processor) scopedToProperty(a *active, name string, t *term) (*active, error) {
	if r := derived(&a.scoped, t); r != nil {
		return r, nil
	}
	r, err := p.process(a, t.context, scope{override: true})
	if err != nil {
		return nil, err
	}
	if again := r.terms[name]; again != nil && again != t && !sameTerm(again, t) {
		return nil, fmt.Errorf("%w: a context that redefines the property it is scoped to", ErrUnsupported)
	}
	keep(a, &a.scoped, t, r, len(r.terms))
	return r, nil
}

// process is the context processing algorithm (JSON-LD 1.1 API, section 4.1.2).
func (p *processor) process(a *active, local any, s scope) (*active, error) {
	if o, ok := local.(*strictjson.Object); ok {
		if v, ok := o.Get("@propagate"); ok {
			propagate, ok := v.(bool)
			if !ok {
				return nil, at("@propagate", ErrContext)
			}
			s.turnsBack = !propagate
		}
	}
	list, ok := local.([]any)
	if !ok {
		list = []any{local}
	}
	if err := p.spend(len(a.terms)); err != nil {
		return nil, err
	}
	result := a.clone()
	if s.turnsBack && result.previous == nil {
		result.previous = a
	}
	for i, v := range list {
		next, err := p.entry(result, v, s)
		if err != nil {
			if len(list) > 1 || ok {
				err = at(strconv.Itoa(i), err)
			}
			return nil, err
		}
		result = next
	}
	result.finish()
	return result, nil
}

// entry processes one entry of a context array; it may change result.
func (p *processor) entry(result *active, v any, s scope) (*active, error) {
	switch v := v.(type) {
	case nil:
		if !s.override && result.protects() {
			return nil, fmt.Errorf("%w: by a context of null", ErrProtected)
		}
		empty := newRoot().clone()
		empty.kept = result.kept
		if s.turnsBack {
			empty.previous = result.previous
		}
		return empty, nil
	case string:
		return p.remote(result, v, s)
	case *strictjson.Object:
		if v == nil {
			return nil, ErrContext
		}
		return result, p.define(result, v, s)
	}
	return nil, fmt.Errorf("%w: must be null, a URL or an object", ErrContext)
}

func (p *processor) remote(result *active, url string, s scope) (*active, error) {
	d, ok := p.documents[url]
	if !ok {
		return nil, ErrUnknownContext
	}
	if s.remote++; s.remote > maxRemote {
		return nil, fmt.Errorf("%w: contexts that refer to one another", ErrLimit)
	}
	context, err := d.context()
	if err != nil {
		return nil, err
	}
	return p.process(result, context, scope{remote: s.remote})
}

// define adds the terms of a context object (steps 5.5 to 5.13).
func (p *processor) define(result *active, o *strictjson.Object, s scope) error {
	if err := p.spend(o.Len()); err != nil {
		return err
	}
	d := &definer{active: result, local: o, override: s.override}
	for name, v := range o.All() {
		if err := d.setting(name, v); err != nil {
			return at(name, err)
		}
	}
	if v, ok := o.Get("@vocab"); ok {
		if err := d.vocab(v); err != nil {
			return at("@vocab", err)
		}
	}
	d.defined = make(map[string]bool, o.Len())
	for name := range o.All() {
		switch name {
		case "@base", "@direction", "@import", "@language", "@propagate", "@protected", "@version", "@vocab":
			continue
		}
		if err := d.term(name); err != nil {
			return at(name, err)
		}
	}
	return nil
}

// setting reads a member of a context that is no term.
func (d *definer) setting(name string, v any) error {
	switch name {
	case "@version":
		if n, ok := v.(strictjson.Number); !ok || n != "1.1" {
			return fmt.Errorf("%w: must be 1.1", ErrContext)
		}
	case "@import":
		return fmt.Errorf("%w: @import", ErrUnsupported)
	case "@base":
		if v != nil {
			return fmt.Errorf("%w: @base", ErrUnsupported)
		}
	case "@direction":
		if v != nil {
			return fmt.Errorf("%w: @direction", ErrUnsupported)
		}
	case "@language":
		language, err := languageOf(v)
		d.active.language = language
		return err
	case "@propagate":
		if _, ok := v.(bool); !ok {
			return fmt.Errorf("%w: must be true or false", ErrContext)
		}
	case "@protected":
		protected, ok := v.(bool)
		if !ok {
			return fmt.Errorf("%w: must be true or false", ErrContext)
		}
		d.protected = protected
	}
	return nil
}

func (d *definer) vocab(v any) error {
	if v == nil {
		d.active.vocab = ""
		return nil
	}
	s, ok := v.(string)
	if !ok || s == "" {
		return fmt.Errorf("%w: must be null or an IRI", ErrContext)
	}
	iri, _, err := d.expand(s)
	if err != nil {
		return err
	}
	if !isIRI(iri) {
		return ErrRelative
	}
	d.active.vocab = iri
	return nil
}

// languageOf reads null or a language tag, in lower case.
func languageOf(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	s, ok := v.(string)
	if !ok || !isLanguage(s) {
		return "", fmt.Errorf("%w: must be null or a language tag", ErrContext)
	}
	return lower(s), nil
}

// spend counts work against the limit.
func (p *processor) spend(terms int) error {
	if p.work += terms + 1; p.work > maxWork {
		return fmt.Errorf("%w: contexts", ErrLimit)
	}
	return nil
}
