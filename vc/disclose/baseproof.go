package disclose

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// hasBase reports whether there is a base proof anywhere in v. It looks at the
// proof values themselves, apart from the suites, as the last thing before anything
// leaves.
func hasBase(v any) bool {
	switch v := v.(type) {
	case *strictjson.Object:
		if text, ok := v.Text("proofValue"); ok && baseValue(text) {
			return true
		}
		for _, inner := range v.All() {
			if hasBase(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasBase)
	}
	return false
}

// baseValue reports whether a proof value begins as base proofs of ecdsa-sd-2023
// and bbs-2023 do: with the bytes d9 5d and an even one, 00 and 02 for the baseline
// (VC DI ECDSA section 3.5.2, VC DI BBS, serializeBaseProofValue). Derived proofs have the odd
// one after it.
func baseValue(text string) bool {
	rest, ok := strings.CutPrefix(text, "u")
	if !ok || len(rest) < 4 {
		return false
	}
	b, err := base64.RawURLEncoding.DecodeString(rest[:4])
	return err == nil && b[0] == 0xd9 && b[1] == 0x5d && b[2]&1 == 0
}
