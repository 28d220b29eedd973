package schema_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// compiled reads the embedded JSON Schema with a library that has no loader: a
// reference to anything outside of it would fail.
func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema.JSONSchema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{})
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	id := doc.(map[string]any)["$id"].(string)
	require.True(t, strings.HasPrefix(id, schema.ContextURL))
	require.NoError(t, c.AddResource(id, doc))
	s, err := c.Compile(id)
	require.NoError(t, err)
	return s
}

func validates(t testing.TB, s *jsonschema.Schema, doc []byte) bool {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	require.NoError(t, err)
	return s.Validate(v) == nil
}

func TestJSONSchemaAcceptsTheSample(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	require.True(t, validates(t, s, sampleTree(t).bytes(t)))
	_, photo := schema.Sample()
	r := sampleTree(t)
	ref := photo.InlineRef()
	r.set("/personal/photo/id", ref.ID)
	require.True(t, validates(t, s, r.bytes(t)))
}

func TestJSONSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	for _, f := range schema.Fields() {
		r := sampleTree(t)
		if f.Mandatory && r.drop(f.Pointer) {
			require.False(t, validates(t, s, r.bytes(t)), "%s left out", f.Pointer)
		}
		for _, v := range []any{nil, 1, "", " ", "not available", "N/A", []any{}} {
			r := sampleTree(t)
			if r.set(f.Pointer, v) {
				require.False(t, validates(t, s, r.bytes(t)), "%s: %v", f.Pointer, v)
			}
		}
	}
	for at, v := range map[vc.Pointer]any{
		"/personal/nationalInsuranceNumber": "QQ123456A",
		"/registration/number":              "0010101", // of another body
		"/registration/body":                "RCN",
		"/employment/payBand":               "Band 10",
		"/employment/workEmail":             "hazel",
		"/dbs/issueDate":                    "2024-13-01",
		"/personal/photo/mediaType":         "image/png",
		"/personal/photo/digestMultibase":   "uEiB",
		"/personal/extra":                   "x",
		"/extra":                            "x",
		"/rightToWork/identityVerified":     "true",
	} {
		r := sampleTree(t)
		require.True(t, r.set(at, v))
		require.False(t, validates(t, s, r.bytes(t)), at)
	}
}

// A record that the JSON Schema refuses must not parse: whoever checks with the
// schema only is never stricter than the library. Random records, each field now
// valid, now from another field, now broken.
func TestJSONSchemaIsNeverStricter(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	r := rand.New(rand.NewPCG(7, 7))
	cases := ruleCases()
	fields := schema.Fields()
	accepted := 0
	for range 600 {
		record := sampleTree(t)
		for range 1 + r.IntN(3) {
			f := fields[r.IntN(len(fields))]
			var v any
			switch r.IntN(5) {
			case 0:
				v = "Not Available"
			case 1:
				if len(f.Codes) > 0 {
					v = f.Codes[r.IntN(len(f.Codes))]
				} else if c, ok := cases[f.Rule]; ok {
					v = c.valid(r)
				}
			case 2:
				if c, ok := cases[f.Rule]; ok {
					for _, mutate := range c.wrong {
						v = strings.ToValidUTF8(mutate(r, c.valid(r)), "?")
						break
					}
				}
			case 3:
				v = r.IntN(2) == 0
			default:
				v = fields[r.IntN(len(fields))].Title
			}
			record.set(f.Pointer, v)
		}
		doc := record.bytes(t)
		_, err := schema.ParsePassport(doc)
		if err == nil {
			accepted++
			require.True(t, validates(t, s, doc), "%s", doc)
		}
	}
	require.Greater(t, accepted, 50)
}

// The embedded schema and the list of fields say the same.
func TestJSONSchemaAndFieldsAgree(t *testing.T) {
	t.Parallel()
	var doc map[string]any
	require.NoError(t, json.Unmarshal(schema.JSONSchema(), &doc))
	require.Equal(t, "https://json-schema.org/draft/2020-12/schema", doc["$schema"])
	defs := doc["$defs"].(map[string]any)
	for _, f := range schema.Fields() {
		at := doc
		for _, name := range strings.Split(string(f.Pointer), "/")[1:] {
			if ref, ok := at["$ref"].(string); ok {
				at = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
			}
			at = at["properties"].(map[string]any)[name].(map[string]any)
		}
		if f.Kind != schema.KindPhoto {
			require.Equal(t, f.Title, at["title"], f.Pointer)
		}
	}
	// JSONSchema returns a copy.
	schema.JSONSchema()[0] = 'x'
	require.Equal(t, byte('{'), schema.JSONSchema()[0])
}
