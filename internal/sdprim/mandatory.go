package sdprim

import (
	"slices"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// MandatoryPointers returns given and, behind them, pointers to what no holder may
// withhold from a verifier: who issued a credential, when it is valid, how to ask
// whether it was withdrawn, and whom it is about, each where doc has it.
func MandatoryPointers(doc *strictjson.Object, given []string) []string {
	out := slices.Clone(given)
	add := func(pointer string) {
		if !slices.Contains(out, pointer) {
			out = append(out, pointer)
		}
	}
	for _, name := range []string{"issuer", "validFrom", "validUntil", "issuanceDate", "expirationDate", "credentialStatus"} {
		if _, ok := doc.Get(name); ok {
			add("/" + name)
		}
	}
	const subject = "/credentialSubject"
	switch v, _ := doc.Get(subject[1:]); v := v.(type) {
	case *strictjson.Object:
		if _, ok := v.Get("id"); ok {
			add(subject + "/id")
		}
	case []any:
		for i, element := range v {
			if o, ok := element.(*strictjson.Object); ok {
				if _, ok := o.Get("id"); ok {
					add(subject + "/" + index(i) + "/id")
				}
			}
		}
	}
	return out
}
