package resolution

import (
	"net/url"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// absolute returns the DID URL that a reference means in the document of base (DID
// Core section 3.2.1, RFC 3986 section 5): what has a scheme or a host of its own is
// returned as it is.
func absolute(base did.DID, ref string) string {
	switch {
	case ref == "":
		return base.String()
	case strings.IndexByte("#?", ref[0]) >= 0:
		return base.String() + ref
	}
	u, err := url.Parse(ref)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" {
		return ref
	}
	// The DID takes the place of scheme and authority.
	u = (&url.URL{Scheme: "https", Host: "h", Path: "/"}).ResolveReference(u)
	text := base.String() + u.EscapedPath()
	if u.RawQuery != "" {
		text += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		text += "#" + u.EscapedFragment()
	}
	return text
}

func relationships() []string {
	return []string{
		string(did.Authentication), string(did.AssertionMethod), string(did.KeyAgreement),
		string(did.CapabilityInvocation), string(did.CapabilityDelegation),
	}
}

// expand makes the ids of the maps in the document's lists absolute, and the
// references of its relationships (section 4.4, step 6).
func expand(tree *strictjson.Object, base did.DID) {
	for name, v := range tree.All() {
		list, ok := v.([]any)
		if !ok || name == "@context" {
			continue
		}
		for i, entry := range list {
			switch entry := entry.(type) {
			case *strictjson.Object:
				if id, ok := entry.Text("id"); ok {
					entry.Set("id", absolute(base, id))
				}
			case string:
				if slices.Contains(relationships(), name) {
					list[i] = absolute(base, entry)
				}
			}
		}
	}
}
