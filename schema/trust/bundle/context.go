package bundle

import (
	"bytes"
	"fmt"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
)

// Contexts returns the context documents and @context arrays of the bundle, for a
// verifier: those of passports and of lists of organisations, which every bundle has,
// and what the maker added. The error matches [ErrContext].
func (b *Bundle) Contexts() (*vc.ContextSet, error) { return b.contexts() }

func (b *Bundle) contextSet() (*vc.ContextSet, error) {
	documents := map[string][]byte{}
	for _, c := range b.manifest.Contexts {
		documents[c.URL] = b.parts[c.digest]
	}
	return contextSet(documents, b.manifest.Arrays)
}

func contextSet(documents map[string][]byte, arrays [][]string) (*vc.ContextSet, error) {
	lists := make([][]vc.Context, len(arrays))
	for i, a := range arrays {
		if len(a) == 0 || a[0] != vc.ContextV2 {
			return nil, fmt.Errorf("%w: an array that does not begin with that of the data model", ErrContext)
		}
		for _, url := range a {
			lists[i] = append(lists[i], vc.Context{URL: url})
		}
	}
	s, err := vc.NewContextSet(documents, lists...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrContext, errtext.Below(err))
	}
	return s, nil
}

// own are the context documents of this version, and the arrays with them.
func own() (documents map[string][]byte, arrays [][]string) {
	return map[string][]byte{schema.ContextURL: schema.ContextDocument(), trust.ContextURL: trust.ContextDocument()},
		[][]string{{vc.ContextV2, schema.ContextURL}, {vc.ContextV2, trust.ContextURL}}
}

// checkContexts refuses a bundle that would give terms of this version another meaning.
func (b *Bundle) checkContexts() error {
	documents, _ := own()
	for _, c := range b.manifest.Contexts {
		if ours, ok := documents[c.URL]; ok && !bytes.Equal(ours, b.parts[c.digest]) {
			return ErrContext
		}
	}
	return nil
}
