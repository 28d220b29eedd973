package jsonld

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const (
	// maxQuads is what canonicalisation takes at most: 80 times a passport.
	maxQuads = 4096
	// maxDepth stops on trees that no document within the limits of strictjson
	// could have given.
	maxDepth = 128
)

// ToRDF returns the statements that doc makes, each once, in no particular order.
//
// Blank nodes are called b0, b1 and so on. With label, a node object without an id
// is called what label returns for it, without "_:": always the same for one
// object and different for any two, of letters and digits, without a "g" at its end.
// A graph that a term of the container @graph makes of a node object then has the
// label of that object followed by "g". With label a list is [ErrUnsupported]: its
// cells have no objects to be named after.
//
// The error is an [*Error].
func (c *Contexts) ToRDF(doc *strictjson.Object, label func(*strictjson.Object) string) ([]rdf.Quad, error) {
	x := &converter{processor: processor{documents: c.documents}, label: label, quads: make([]rdf.Quad, 0, 64)}
	if _, err := x.object(c.root(), slot{root: true, free: true}, doc, rdf.Term{}, nil); err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return nil, &Error{"", err}
		}
		return nil, err
	}
	made := len(x.quads)
	quads := unique(x.quads)
	if len(quads) < made {
		return nil, &Error{"", errDropped("what was said before")}
	}
	return quads, nil
}

// A converter turns one document into quads. It does in one pass what the
// expansion (JSON-LD 1.1 API, section 5.1.2), node map generation (7.2.1) and RDF
// serialisation algorithms (8.1.2) do in three.
type converter struct {
	processor
	label   func(*strictjson.Object) string
	quads   []rdf.Quad
	terms   []rdf.Term // a stack: the objects of the properties being read
	entries []entry    // a stack: the members of the objects being read
	types   []string   // a stack: the types of a node being read
	blanks  int
	named   map[inGraphOf]struct{} // the nodes that were described under a name
	depth   int
}

// inGraphOf is a node in a graph.
type inGraphOf struct{ node, graph rdf.Term }

// A slot is the place a value stands in.
type slot struct {
	name  string
	def   *term    // of the property, nil if it has none
	root  bool     // the document itself
	free  bool     // no property points to it: the document, and in @graph or @included
	graph bool     // each node becomes a graph of its own, called
	as    rdf.Term // this, or a blank node if it is the default graph
	list  bool     // in an array of @list
	nodes bool     // a reverse property: only nodes may stand here
}

// A shape says what an object turned out to be.
type shape uint8

const (
	nodeShape shape = iota
	valueShape
	listShape
)

// value puts the terms that v stands for on the stack.
func (x *converter) value(a *active, s slot, v any, g rdf.Term, m *mapped) error {
	switch v := v.(type) {
	case nil:
		return errDropped(null)
	case []any:
		if len(v) == 0 {
			return errDropped(emptyArray)
		}
		if x.depth++; x.depth > maxDepth {
			return fmt.Errorf("%w: depth", ErrLimit)
		}
		defer func() { x.depth-- }()
		for i, item := range v {
			if err := x.item(a, s, item, g, m); err != nil {
				return at(strconv.Itoa(i), err)
			}
		}
		return nil
	case *strictjson.Object:
		if v == nil {
			return errDropped(null)
		}
		_, err := x.object(a, s, v, g, m)
		return err
	}
	return x.scalar(a, s, v, g, m)
}

// What JSON-LD leaves out of the data.
const (
	null        = "null"
	emptyArray  = "an empty array"
	emptyObject = "an empty object"
	blankLabel  = "the label of a blank node"
)

func errDropped(what string) error { return fmt.Errorf("%w: %s", ErrDropped, what) }

// item is value for an element of an array: in a list an array inside an array is
// a list of its own.
func (x *converter) item(a *active, s slot, v any, g rdf.Term, m *mapped) error {
	inner, ok := v.([]any)
	switch ofList := s.def != nil && s.def.container&inList != 0; {
	case ok && ofList:
		return x.list(a, s, inner, g)
	case ok && s.list:
		return fmt.Errorf("%w: an array in @list", ErrUnsupported)
	case ok && len(inner) > 0:
		return fmt.Errorf("%w: an array in an array", ErrNotCompacted)
	}
	return x.value(a, s, v, g, m)
}

func (x *converter) scalar(a *active, s slot, v any, g rdf.Term, m *mapped) error {
	if s.free || s.graph {
		return errDropped("it is the value of no property")
	}
	def := s.def
	if def != nil && def.hasContext {
		inner, err := x.scopedToProperty(a, s.name, def)
		if err != nil {
			return err
		}
		a, def = inner, inner.terms[s.name]
	}
	if m != nil && m.adds() {
		return x.mappedScalar(a, def, v, m, g)
	}
	t, err := x.literal(a, def, v)
	if err != nil {
		return err
	}
	if s.nodes && t.Kind == rdf.Literal {
		return errNotNode()
	}
	x.terms = append(x.terms, t)
	return nil
}

func errNotNode() error {
	return fmt.Errorf("%w: a value or a list where only nodes may be", ErrMalformed)
}

// object puts what o stands for on the stack and says what it is.
func (x *converter) object(a *active, s slot, o *strictjson.Object, g rdf.Term, m *mapped) (shape, error) {
	if x.depth++; x.depth > maxDepth {
		return 0, fmt.Errorf("%w: depth", ErrLimit)
	}
	defer func() { x.depth-- }()

	a, outer, err := x.enter(a, s, o, m)
	if err != nil {
		return 0, err
	}
	def := s.def
	s.def = a.terms[s.name] // as the object's own context has it
	e, err := x.collect(a, o)
	if err != nil {
		return 0, err
	}
	defer func() { x.entries = x.entries[:e.base] }()
	if s.def != def && e.keys[kwList] != 0 {
		return 0, fmt.Errorf("%w: @list where the context of the property ends", ErrUnsupported)
	}
	switch {
	case e.keys[kwValue] != 0:
		if s.free || s.graph {
			return 0, errDropped("it is the value of no property")
		}
		if s.nodes || m != nil && m.adds() {
			return 0, errNotNode()
		}
		return valueShape, x.valueObject(outer, def, e)
	case e.keys[kwList] != 0:
		if s.free || s.graph {
			return 0, errDropped("it is the list of no property")
		}
		if s.nodes || m != nil && m.adds() {
			return 0, errNotNode()
		}
		return listShape, x.listObject(a, s, e, g)
	case e.keys[kwSet] != 0:
		return 0, x.inEntry(e.keys[kwSet]-1, fmt.Errorf("%w: @set, where an array is enough", ErrNotCompacted))
	}
	if err := x.checkNames(a, e); err != nil {
		return 0, err
	}
	return nodeShape, x.node(a, outer, s, o, e, g, m)
}

// enter returns the context in force in o (steps 7 to 11 of expansion), and the
// one in which its types have their meaning.
func (x *converter) enter(a *active, s slot, o *strictjson.Object, m *mapped) (inner, outer *active, err error) {
	scoped := s.def != nil && s.def.hasContext
	if a.previous != nil && m == nil && !a.sameNode(o) {
		a = a.previous
	}
	if scoped {
		if a, err = x.scopedToProperty(a, s.name, s.def); err != nil {
			return nil, nil, err
		}
	}
	if local, ok := o.Get("@context"); ok {
		if a, err = x.embeddedIn(a, local); err != nil {
			return nil, nil, at("@context", err)
		}
	}
	outer = a
	base := len(x.types)
	defer func() { x.types = x.types[:base] }()
	for i := -1; i < len(outer.aliases[kwType]); i++ {
		name := "@type"
		if i >= 0 {
			name = outer.aliases[kwType][i]
		}
		v, ok := o.Get(name)
		if !ok {
			continue
		}
		from := len(x.types)
		if err := x.readTypes(outer, v); err != nil {
			return nil, nil, at(name, err)
		}
		slices.Sort(x.types[from:])
		for _, name := range x.types[from:] {
			if t := outer.terms[name]; t != nil && t.hasContext {
				if a, err = x.scopedToType(a, t); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	return a, outer, nil
}

// readTypes puts the types of an object on their stack. One that means nothing is
// refused here, before the members that it would have given a meaning.
func (x *converter) readTypes(outer *active, v any) error {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for i, v := range list {
		name, isText := v.(string)
		if !isText {
			continue
		}
		if outer.terms[name] == nil && keywordOf(name) == notKeyword {
			if _, err := outer.reference(name, true); err != nil {
				if ok {
					err = at(strconv.Itoa(i), err)
				}
				return err
			}
		}
		x.types = append(x.types, name)
	}
	return nil
}

// sameNode reports whether o is a value or a mere reference, to which the context
// of the type around it still applies.
func (a *active) sameNode(o *strictjson.Object) bool {
	if o.Len() == 1 {
		for name := range o.All() {
			kw := a.keyword(name)
			return kw == kwValue || kw == kwID
		}
	}
	if _, ok := o.Get("@value"); ok {
		return true
	}
	for _, name := range a.aliases[kwValue] {
		if _, ok := o.Get(name); ok {
			return true
		}
	}
	return false
}

// keyword returns the keyword that name is or stands for.
func (a *active) keyword(name string) keyword {
	if t := a.terms[name]; t != nil {
		return t.keyword
	}
	return keywordOf(name)
}

func (x *converter) emit(s, p, o, g rdf.Term) error {
	if len(x.quads) >= maxQuads {
		return fmt.Errorf("%w: more than %d statements", ErrLimit, maxQuads)
	}
	x.quads = append(x.quads, rdf.Quad{Subject: s, Predicate: p, Object: o, Graph: g})
	return nil
}

func (x *converter) blank(o *strictjson.Object) rdf.Term {
	if x.label != nil && o != nil {
		return rdf.Term{Kind: rdf.Blank, Value: x.label(o)}
	}
	t := rdf.Term{Kind: rdf.Blank, Value: "b" + strconv.Itoa(x.blanks)}
	x.blanks++
	return t
}

func iriTerm(iri string) rdf.Term { return rdf.Term{Kind: rdf.IRI, Value: iri} }
