package jsonld

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const (
	// maxDocuments bounds what a caller adds in one With.
	maxDocuments = 64
	// maxDocument is several times the largest context of a specification, and
	// bounds what parsing one can cost.
	maxDocument = 256 << 10
	// maxCached bounds the terms of all parsed contexts that are kept: about
	// 12 MiB. Beyond it they are forgotten and parsed again.
	maxCached = 1 << 17
)

// Contexts is an immutable set of context documents by URL. It is safe for
// concurrent use; what it parsed it keeps and shares.
type Contexts struct {
	documents map[string]*document
	cache     atomic.Pointer[active] // the empty context and, from it, all derived ones
}

// A document is a context document, parsed when it is first needed.
type document struct {
	context func() (any, error) // the value of @context
}

// Embedded returns the contexts of the specifications, those of [Published].
func Embedded() *Contexts { return embedded() }

var embedded = sync.OnceValue(func() *Contexts {
	documents := map[string]*document{}
	for _, p := range published {
		documents[p.URL] = &document{sync.OnceValues(p.context)}
	}
	return newContexts(documents)
})

func newContexts(documents map[string]*document) *Contexts {
	c := &Contexts{documents: documents}
	c.cache.Store(newRoot())
	return c
}

// With returns the documents of c and those given, by URL. A document is a JSON
// object of at most 256 KiB with a @context member, of which nothing else counts.
// Each is checked here, but for the contexts scoped to its terms, which are
// checked when they are first used. A URL that c knows already is refused.
func (c *Contexts) With(documents map[string][]byte) (*Contexts, error) {
	if len(documents) == 0 {
		return c, nil
	}
	if len(documents) > maxDocuments {
		return nil, fmt.Errorf("jsonld: %w: %d context documents", ErrLimit, len(documents))
	}
	all := maps.Clone(c.documents)
	for url, data := range documents {
		if c.Known(url) {
			return nil, fmt.Errorf("jsonld: %s: %w: there is a document for this URL already", url, ErrContext)
		}
		if !isIRI(url) {
			return nil, fmt.Errorf("jsonld: %w: the URL of a context document", ErrRelative)
		}
		context, err := parseDocument(data)
		if err != nil {
			return nil, fmt.Errorf("jsonld: %s: %w", url, err)
		}
		all[url] = &document{func() (any, error) { return context, nil }}
	}
	out := newContexts(all)
	for url := range documents {
		if _, err := out.newProcessor().process(out.root(), url, scope{}); err != nil {
			return nil, fmt.Errorf("jsonld: %s: %w", url, errtext.Below(err))
		}
	}
	return out, nil
}

// Known reports whether there is a document for url.
func (c *Contexts) Known(url string) bool {
	_, ok := c.documents[url]
	return ok
}

// root returns the context in force before any was named.
func (c *Contexts) root() *active {
	root := c.cache.Load()
	if root.kept.terms.Load() > maxCached {
		c.cache.CompareAndSwap(root, newRoot())
		root = c.cache.Load()
	}
	return root
}

func parseDocument(data []byte) (any, error) {
	if len(data) > maxDocument {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrLimit, maxDocument)
	}
	// Terms that differ only in case are different terms.
	o, err := strictjson.Parser{CaseVariants: true}.ParseObject(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrContext, errtext.Below(err))
	}
	context, ok := o.Get("@context")
	if !ok {
		return nil, fmt.Errorf("%w: no @context", ErrContext)
	}
	return context, nil
}
