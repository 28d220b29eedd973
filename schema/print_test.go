package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
)

const canary = "Severn"

// withClaims are the exported structs that can hold a claim.
func withClaims() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[schema.Assurance](), reflect.TypeFor[schema.ContactCard](), reflect.TypeFor[schema.DBS](),
		reflect.TypeFor[schema.Employment](), reflect.TypeFor[schema.Entry](), reflect.TypeFor[schema.Identifier](),
		reflect.TypeFor[schema.Identity](), reflect.TypeFor[schema.OccupationalHealth](), reflect.TypeFor[schema.Passport](),
		reflect.TypeFor[schema.Personal](), reflect.TypeFor[schema.Photo](), reflect.TypeFor[schema.PhotoRef](),
		reflect.TypeFor[schema.Registration](), reflect.TypeFor[schema.RightToWork](), reflect.TypeFor[schema.Section](),
		reflect.TypeFor[schema.Value[string]](),
	}
}

// withoutClaims are the others. A Date and a Moment print themselves, as a
// time.Time does; in a passport they stand in a Value.
var withoutClaims = []string{"Date", "DisclosureSet", "Field", "Match", "MatchPolicy", "Moment", "NameMatch", "Terms", "ValidationError", "Violation"}

// TestNoTypePrintsClaims is TestNothingPrintsClaims for every exported struct of
// the package, whatever verb and handler, with a claim in every field.
func TestNoTypePrintsClaims(t *testing.T) {
	t.Parallel()
	names := withoutClaims
	// The time of a line has digits that could be taken for a claim's.
	timeless := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	for _, typ := range withClaims() {
		name, _, _ := strings.Cut(typ.Name(), "[")
		names = append(names, name)
		p := reflect.New(typ)
		fill(p.Elem())
		if photo, ok := p.Interface().(*schema.Photo); ok {
			_, sample := schema.Sample()
			*photo = *sample
		}
		var out bytes.Buffer
		for _, thing := range []any{p.Interface(), p.Elem().Interface(), []any{p.Elem().Interface()}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x"} {
				fmt.Fprintf(&out, verb, thing)
			}
		}
		for _, thing := range []any{p.Interface(), p.Elem().Interface()} {
			slog.New(slog.NewTextHandler(&out, timeless)).Info("x", "thing", thing)
			slog.New(slog.NewJSONHandler(&out, timeless)).Info("x", "thing", thing)
		}
		for _, trace := range []string{canary, fmt.Sprintf("%x", canary), "1988", "255 216", "ffd8", `\xff\xd8`, "/9j/"} {
			require.NotContains(t, out.String(), trace, typ.Name())
		}
	}
	require.ElementsMatch(t, exportedStructs(t), names, "a new type belongs to one of the lists")
}

// fill puts the canary into every exported field that has room for it.
func fill(v reflect.Value) {
	born, _ := schema.NewDate(1988, time.April, 2)
	switch p := v.Addr().Interface().(type) {
	case *schema.Value[string]:
		*p = schema.Of(canary)
		return
	case *schema.Value[schema.Date]:
		*p = schema.Of(born)
		return
	case *schema.Date:
		*p = born
		return
	case *schema.Field:
		return
	case *schema.Identifier: // its system is no claim
		p.Value = canary
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(canary)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]json.RawMessage{canary: json.RawMessage(`"` + canary + `"`)}))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	}
}

// exportedStructs reads the names of the package's exported structs.
func exportedStructs(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
				if _, ok := spec.Type.(*ast.StructType); ok {
					names = append(names, spec.Name.Name)
				}
			}
			return true
		})
	}
	return names
}
