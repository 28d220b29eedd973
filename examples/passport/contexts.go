package main

import (
	"strings"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
)

// A vocabulary is the flag --context: URL=FILE, or the URL alone of a context that
// comes with the library.
type vocabulary struct{ given texts }

const contextUsage = "`URL[=FILE]` of a JSON-LD context that documents may have behind that of the data model, besides the\npassport's own; several are an array, in this order"

// set returns what documents may be about: staff passports, lists of organisations and
// what was given. Nothing is fetched.
func (v vocabulary) set(s *shell) (*vc.ContextSet, error) {
	if len(v.given) == 0 {
		return ownContexts()
	}
	documents := ownDocuments()
	var urls []string
	arrays := ownArrays()
	for _, given := range v.given {
		url, file, ok := strings.Cut(given, "=")
		if ok {
			b, err := s.readFile(file)
			if err != nil {
				return nil, err
			}
			documents[url] = b
		}
		urls = append(urls, url)
	}
	for i := range urls {
		arrays = append(arrays, vc.Contexts(urls[:i+1]...))
	}
	arrays = append(arrays, vc.Contexts(append([]string{schema.ContextURL}, urls...)...))
	set, err := vc.NewContextSet(documents, arrays...)
	if err != nil {
		return nil, wrongUsage("--context: %s", err)
	}
	return set, nil
}

func ownDocuments() map[string][]byte {
	return map[string][]byte{schema.ContextURL: schema.ContextDocument(), trust.ContextURL: trust.ContextDocument()}
}

func ownArrays() [][]vc.Context {
	return [][]vc.Context{vc.Contexts(schema.ContextURL), vc.Contexts(trust.ContextURL)}
}

func ownContexts() (*vc.ContextSet, error) { return vc.NewContextSet(ownDocuments(), ownArrays()...) }
