package trust

import (
	"bytes"
	_ "embed"
	"sync"

	"github.com/staffpassport/staffpassport/vc"
)

//go:embed context-v1.jsonld
var embeddedContext []byte

// ContextDocument returns the JSON-LD 1.1 context behind [ContextURL], for whoever
// publishes it. The name of an organisation is the data model's own term.
func ContextDocument() []byte { return bytes.Clone(embeddedContext) }

// Contexts returns the @context array of lists and successions and the meaning of
// their terms. Whoever signs one needs it; a [Registry] has it.
func Contexts() *vc.ContextSet { return contexts() }

var contexts = sync.OnceValue(func() *vc.ContextSet {
	s, err := vc.NewContextSet(map[string][]byte{ContextURL: embeddedContext}, vc.Contexts(ContextURL))
	if err != nil {
		panic("trust: " + err.Error()) // the document is embedded, and tested
	}
	return s
})
