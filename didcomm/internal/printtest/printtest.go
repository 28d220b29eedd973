// Package printtest tests that nothing a package exports shows a claim when it is
// printed or logged.
package printtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// canary stands wherever a claim could.
const canary = "canary-in-a-claim"

// Check fills every field of the structs that a package exports with a canary and
// prints them in every way. Each exported struct of the package in the working
// directory is in values, as its zero value, or its name is in the set of those
// that hold no claim, with the reason. A field called as in safe keeps its zero
// value: it is an identifier or a code.
func Check(t *testing.T, values []any, noClaims map[string]string, safe ...string) {
	t.Helper()
	given := map[string]bool{}
	for name := range noClaims {
		given[name] = true
	}
	for _, v := range values {
		typ := reflect.TypeOf(v)
		given[typ.Name()] = true
		p := reflect.New(typ)
		fill(p.Elem(), safe, 0)
		out := printed(p.Interface()) + printed(p.Elem().Interface())
		for _, c := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%d", []byte(canary))} {
			if strings.Contains(out, strings.Trim(c, "[]")) {
				t.Errorf("%s shows what it holds", typ)
			}
		}
	}
	for _, name := range structs(t) {
		if !given[name] {
			t.Errorf("%s is exported and in neither list", name)
		}
	}
}

// printed is v in every way that a log could show it.
func printed(v any) string {
	var b bytes.Buffer
	for _, verb := range []string{"v", "+v", "#v", "s", "q", "x", "d"} {
		fmt.Fprintf(&b, "%"+verb, v)
		fmt.Fprintf(&b, "%"+verb, []any{v})
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
	return b.String()
}

func fill(v reflect.Value, safe []string, depth int) {
	if !v.CanSet() || depth > 6 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(canary)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(`"` + canary + `"`))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), safe, depth+1)
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			return
		}
		inner := reflect.New(v.Type().Elem()).Elem()
		fill(inner, safe, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(canary).Convert(v.Type().Key()), inner)
	case reflect.Pointer:
		if v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem().PkgPath() == "" {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), safe, depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			keep := false
			for _, s := range safe {
				keep = keep || s == f.Name
			}
			if !keep {
				fill(v.Field(i), safe, depth+1)
			}
		}
	}
}

// structs returns the names of the structs that the package exports.
func structs(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no source", err)
	}
	var out []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
				if _, ok := spec.Type.(*ast.StructType); ok {
					out = append(out, spec.Name.Name)
				}
			}
			return true
		})
	}
	return out
}
