package schema

import (
	"bytes"
	_ "embed"
	"encoding/json"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// vct is what an SD-JWT VC of a passport has for its type.
const vct = ContextURL + "#" + Type

//go:generate go test . -run ^TestTypeMetadataIsGenerated$ -update
//go:embed passport.vct.json
var embeddedTypeMetadata []byte

// TypeMetadata returns the type metadata (SD-JWT VC section 4) of passports that
// are issued as dc+sd-jwt, for whoever publishes it, and for verifiers:
//
//	types := map[string][]byte{schema.VCT(): schema.TypeMetadata()}
//
// It is generated from the Go types: what each claim is called, and which of them
// an issuer must put in. A holder may withhold every one of them.
func TypeMetadata() []byte { return bytes.Clone(embeddedTypeMetadata) }

// VCT returns the type that TypeMetadata describes.
func VCT() string { return vct }

// generateTypeMetadata writes the type metadata from the Go types.
func generateTypeMetadata() ([]byte, error) {
	compact, err := strictjson.Append(nil, obj(
		"vct", vct,
		"name", "Staff passport",
		"description", "Generated from the Go types of package schema by go generate. Do not edit.",
		"display", []any{obj("locale", "en-GB", "name", "Staff passport")},
		"claims", passportShape().claims(nil, nil, true),
	))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// claims adds the claims of an object at path. They are mandatory if it is.
func (s *shape) claims(to []any, path []any, mandatory bool) []any {
	for _, m := range s.members {
		at := append(path[:len(path):len(path)], m.name)
		claim := obj("path", at)
		if m.title != "" {
			claim.Set("display", []any{obj("locale", "en-GB", "label", m.title)})
		}
		needed := mandatory && !m.optional
		if needed {
			claim.Set("mandatory", true)
		}
		to = append(to, claim)
		if m.object != nil {
			to = m.object.claims(to, at, needed)
		}
	}
	return to
}
