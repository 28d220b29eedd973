package didwebvh

import (
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// services are those that every did:webvh has unless its document has its own, with
// their fragments (sections DID URL Path Resolution and whois LinkedVP Service).
func services(n name) map[string]*strictjson.Object {
	return map[string]*strictjson.Object{
		"#files": strictjson.NewObject(
			strictjson.Member{Name: "id", Value: n.id.String() + "#files"},
			strictjson.Member{Name: "type", Value: "relativeRef"},
			strictjson.Member{Name: "serviceEndpoint", Value: n.base() + "/"},
		),
		"#whois": strictjson.NewObject(
			strictjson.Member{Name: "@context", Value: "https://identity.foundation/linked-vp/contexts/v1"},
			strictjson.Member{Name: "id", Value: n.id.String() + "#whois"},
			strictjson.Member{Name: "type", Value: "LinkedVerifiablePresentation"},
			strictjson.Member{Name: "serviceEndpoint", Value: n.base() + "/whois.vp"},
		),
	}
}

// addServices adds to a document the services that it lacks.
func addServices(state *strictjson.Object, n name) {
	v, present := state.Get("service")
	list, ok := v.([]any)
	if present && !ok {
		return // and the document is refused
	}
	added := slices.Clip(list)
	implicit := services(n)
	for _, fragment := range []string{"#files", "#whois"} {
		own := func(v any) bool {
			o, _ := v.(*strictjson.Object)
			id, _ := o.Text("id")
			return id == fragment || id == n.id.String()+fragment
		}
		if !slices.ContainsFunc(list, own) {
			added = append(added, implicit[fragment])
		}
	}
	state.Set("service", added)
}

// dropServices removes what addServices would add, so that a log does not fix what a
// move of the DID changes.
func dropServices(state *strictjson.Object, n name) {
	v, _ := state.Get("service")
	list, ok := v.([]any)
	if !ok {
		return
	}
	implicit := services(n)
	kept := slices.DeleteFunc(slices.Clone(list), func(v any) bool {
		return strictjson.Equal(v, implicit["#files"]) || strictjson.Equal(v, implicit["#whois"])
	})
	state.Set("service", kept)
}

// ParallelWeb returns the did:web with the same address and its document, the file
// did.json that is published beside did.jsonl for readers that know did:web alone
// (section Publishing a Parallel did:web DID). Those who read it see nothing of the
// history. The log of a deactivated DID has none: [ErrDeactivated].
func (l *Log) ParallelWeb() (id did.DID, document []byte, err error) {
	last := l.last()
	if last.parameters.deactivated {
		return did.DID{}, nil, ErrDeactivated
	}
	d, err := parseEntry(last.line, cost{})
	if err != nil {
		return did.DID{}, nil, err
	}
	addServices(d.state, last.name)
	scheme := prefix + last.name.scid + ":"
	replaced, err := replace(d.state, scheme, "did:web:")
	if err != nil {
		return did.DID{}, nil, err
	}
	state := replaced.(*strictjson.Object)
	id, err = did.Parse("did:web:" + strings.TrimPrefix(last.name.id.String(), scheme))
	if err != nil {
		return did.DID{}, nil, err
	}
	v, _ := state.Get("alsoKnownAs")
	others, _ := v.([]any)
	var names []any
	for _, v := range append(slices.Clip(others), any(last.name.id.String())) {
		if text, ok := v.(string); ok && text != id.String() && !slices.Contains(names, v) {
			names = append(names, v)
		}
	}
	state.Set("alsoKnownAs", names)
	document, err = strictjson.Append(nil, state)
	if err != nil {
		return did.DID{}, nil, fmt.Errorf("%w: %w", ErrState, errtext.Below(err))
	}
	return id, document, nil
}
