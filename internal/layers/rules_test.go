package layers

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// TestNoPackageState refuses init functions and package variables other than
// sentinel errors, interface assertions, embedded files, compiled patterns and
// the constants of a specification that Go cannot write as constants (which are
// never assigned to: see assigned).
func TestNoPackageState(t *testing.T) {
	type key struct{ pkg, name string }
	vars := map[key]string{}
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: init function", s.file)
				}
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						vars[key{s.pkg, name.Name}] = s.file
					}
				}
			}
		}
	}
	for _, s := range sources(t) {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			f, ok := n.(*ast.FuncDecl)
			if !ok {
				return true
			}
			local := locals(f)
			ast.Inspect(f, func(n ast.Node) bool {
				a, ok := n.(*ast.AssignStmt)
				if !ok || a.Tok == token.DEFINE {
					return true
				}
				for _, l := range a.Lhs {
					id, ok := l.(*ast.Ident)
					if !ok || id.Name == "_" || local[id.Name] {
						continue
					}
					if _, isVar := vars[key{s.pkg, id.Name}]; isVar {
						t.Errorf("%s: assigns the package variable %s", s.fset.Position(id.Pos()), id.Name)
					}
				}
				return true
			})
			return false
		})
	}
}

// locals returns every name a function declares anywhere.
func locals(f *ast.FuncDecl) map[string]bool {
	out := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				out[id.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, l := range n.Lhs {
					if id, ok := l.(*ast.Ident); ok {
						out[id.Name] = true
					}
				}
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				out[id.Name] = true
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					out[id.Name] = true
				}
			}
		}
		return true
	})
	return out
}

// called are selectors that only the named packages may use.
var called = map[string]struct {
	packages []string
	why      string
}{
	"http.DefaultClient":    {nil, "outbound HTTP goes through internal/fetch"},
	"http.DefaultTransport": {nil, "outbound HTTP goes through internal/fetch"},
	"http.Get":              {nil, "outbound HTTP goes through internal/fetch"},
	"http.Post":             {nil, "outbound HTTP goes through internal/fetch"},
	"http.Client":           {[]string{"internal/fetch"}, "outbound HTTP goes through internal/fetch"},
	"http.Transport":        {[]string{"internal/fetch"}, "outbound HTTP goes through internal/fetch"},
	"net.Dial":              {nil, "outbound connections go through internal/fetch"},
	"os.Exit":               {[]string{"examples/agent", "examples/quickstart"}, "only a program ends the process"},
	"rand.Seed":             {nil, "randomness comes from crypto/rand"},
}

func TestForbiddenCalls(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			id, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			name := id.Name + "." + sel.Sel.Name
			rule, ok := called[name]
			if ok && !slices.Contains(rule.packages, s.pkg) {
				t.Errorf("%s: %s: %s", s.fset.Position(sel.Pos()), name, rule.why)
			}
			return true
		})
	}
}

// TestUnsafeIsLoud says that nothing but a test uses what is called Unsafe; it
// may be declared and handled where it is declared.
func TestUnsafeIsLoud(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !strings.Contains(sel.Sel.Name, "Unsafe") {
				return true
			}
			if s.pkg == "vc/verify" { // which declares it and acts on it
				return true
			}
			t.Errorf("%s: uses %s", s.fset.Position(sel.Pos()), sel.Sel.Name)
			return true
		})
	}
}

// TestExportedNamesAreDocumented looks at every exported name a vendor or a
// fellow author can use.
func TestExportedNamesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		documented[s.pkg] = documented[s.pkg] || s.ast.Doc.Text() != ""
		for _, d := range s.ast.Decls {
			for _, missing := range undocumented(d) {
				t.Errorf("%s: %s has no doc comment", s.file, missing)
			}
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment", pkg)
		}
	}
}

func undocumented(d ast.Decl) []string {
	var out []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() || d.Doc.Text() != "" {
			return nil
		}
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		if r := receiver(d.Recv.List[0].Type); ast.IsExported(r) {
			return []string{fmt.Sprintf("%s.%s", r, d.Name.Name)}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc.Text() == "" && spec.Doc.Text() == "" {
					out = append(out, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					if id.IsExported() && d.Doc.Text() == "" && spec.Doc.Text() == "" && spec.Comment.Text() == "" {
						out = append(out, id.Name)
					}
				}
			}
		}
	}
	return out
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
