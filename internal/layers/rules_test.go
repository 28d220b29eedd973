package layers

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A rule looks at the sources of the module and returns what breaks it.
type rule func([]source) []string

func rules() map[string]rule {
	return map[string]rule{
		"package state":     packageState,
		"forbidden calls":   forbiddenCalls,
		"one clock":         oneClock,
		"Unsafe is loud":    unsafeIsLoud,
		"documented":        documented,
		"no lint exception": noLintException,
	}
}

func TestRules(t *testing.T) {
	all := sources(t)
	for name, r := range rules() {
		t.Run(name, func(t *testing.T) {
			for _, finding := range r(all) {
				t.Error(finding)
			}
		})
	}
}

// TestRulesFind gives each rule a source that breaks it, and neighbours that do
// not.
func TestRulesFind(t *testing.T) {
	for _, c := range []struct {
		rule, code string
		found      bool
	}{
		{"package state", `func init() {}`, true},
		{"package state", `var state = map[string]int{}`, true},
		{"package state", `var state int`, true},
		{"package state", `var ch = make(chan int)`, true},
		{"package state", `var Err = errors.New("p: x"); func f() { Err = nil }`, true},
		{"package state", `var list = []int{1}; func f() { list[0] = 2 }`, true},
		{"package state", `var list = []int{1}; func f() { list[0]++ }`, true},
		{"package state", `var t = struct{ n int }{1}; func f() { t.n = 2 }`, true},
		{"package state", `var Err = errors.New("p: x"); var _ I = T{}; var re = regexp.MustCompile("x"); var once = sync.OnceValue(f)`, false},
		{"package state", `var list = []int{1}; func f() { list := []int{1}; list[0] = 2 }`, false},
		{"package state", `var ErrX = q.ErrX`, false},
		{"package state", `var x = q.X`, true},
		{"forbidden calls", `func f() { net.DialTimeout("tcp", "x", 0) }`, true},
		{"forbidden calls", `func f() { http.Get("x") }`, true},
		{"forbidden calls", `var d = net.Dialer{}`, true},
		{"forbidden calls", `func f() { log.Printf("x") }`, true},
		{"forbidden calls", `func f() { os.Exit(1) }`, true},
		{"forbidden calls", `func f() { json.NewDecoder(nil) }`, true},
		{"forbidden calls", `func f() { json.Unmarshal(nil, nil) }`, true},
		{"forbidden calls", `func f() { fmt.Errorf("%+v", x) }`, true},
		{"forbidden calls", `func f() { json.Marshal(nil) }`, false},
		{"one clock", `func f() { a = time.Now; b = time.Now() }`, true},
		{"one clock", `func f() { a = time.Now }`, false},
		{"Unsafe is loud", `var v = verify.Verifier{UnsafeIssuerNotController: true}`, true},
		{"Unsafe is loud", `var v = verify.AnyIssuerUnsafe{}`, true},
		{"Unsafe is loud", `func f() { v.UnsafeIssuerNotController = true }`, true},
		{"Unsafe is loud", `type V struct { UnsafeX bool }; func (v V) f() bool { return v.UnsafeX }`, false},
		{"documented", `func F() {}`, true},
		{"documented", `type T int`, true},
		{"documented", `const C = 1`, true},
		{"documented", "// T is.\ntype T int\n\nfunc (T) M() {}", true},
		{"documented", "// F does.\nfunc F() {}", false},
		{"no lint exception", "//nolint:all\nfunc f() {}", true},
		{"no lint exception", "//lint:ignore U1000 x\nfunc f() {}", true},
	} {
		fset := token.NewFileSet()
		code := "// Package p is.\npackage p\n\n" + strings.ReplaceAll(c.code, "; func", "\nfunc")
		f, err := parser.ParseFile(fset, "p.go", strings.ReplaceAll(code, "; var", "\nvar"), parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err, c.code)
		findings := rules()[c.rule]([]source{{"p/p.go", "p", f, fset}})
		require.Equal(t, c.found, len(findings) > 0, "%s: %s: %v", c.rule, c.code, findings)
	}
}

// declared are package variables by package and name.
type declared map[[2]string]bool

// packageState refuses init functions and package variables, but for those whose
// value nobody can change: sentinel errors, interface assertions, embedded files,
// compiled patterns, values computed once, and literals that are never assigned to.
func packageState(all []source) []string {
	var out []string
	vars := declared{}
	for _, s := range all {
		for _, d := range s.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					out = append(out, s.at(d)+": init function")
				}
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, spec := range d.Specs {
					v := spec.(*ast.ValueSpec)
					for i, id := range v.Names {
						vars[[2]string{s.pkg, id.Name}] = true
						if id.Name != "_" && !constant(d, v, i) {
							out = append(out, s.at(id)+": package variable "+id.Name)
						}
					}
				}
			}
		}
	}
	for _, s := range all {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				out = append(out, assignments(s, f, vars)...)
			}
		}
	}
	return out
}

// constant reports whether a package variable is of a kind that does not change.
func constant(d *ast.GenDecl, v *ast.ValueSpec, i int) bool {
	if len(v.Values) <= i { // only what the compiler fills in
		return directive(d.Doc, "//go:embed") || directive(v.Doc, "//go:embed")
	}
	switch value := v.Values[i].(type) {
	case *ast.CallExpr:
		f := value.Fun
		if generic, ok := f.(*ast.IndexExpr); ok {
			f = generic.X
		}
		return slices.Contains([]string{"errors.New", "fmt.Errorf", "regexp.MustCompile", "sync.OnceValue", "sync.OnceValues", "reflect.TypeFor"}, selector(f))
	case *ast.UnaryExpr, *ast.SelectorExpr: // a sentinel of a type of its own, or an internal package's under a public name
		return strings.HasPrefix(v.Names[i].Name, "Err")
	case *ast.CompositeLit:
		_, isMap := value.Type.(*ast.MapType)
		return !isMap
	}
	return false
}

func directive(g *ast.CommentGroup, prefix string) bool {
	return g != nil && slices.ContainsFunc(g.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, prefix) })
}

// assignments returns where f changes a package variable: it, an element or a
// field of it.
func assignments(s source, f *ast.FuncDecl, vars declared) []string {
	var out []string
	local := locals(f)
	changed := func(e ast.Expr) {
		id := base(e)
		if id != nil && id.Name != "_" && !local[id.Name] && vars[[2]string{s.pkg, id.Name}] {
			out = append(out, s.at(id)+": changes the package variable "+id.Name)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, l := range n.Lhs {
					changed(l)
				}
			}
		case *ast.IncDecStmt:
			changed(n.X)
		}
		return true
	})
	return out
}

// base returns the variable that an assignable expression is part of.
func base(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.IndexExpr:
		return base(e.X)
	case *ast.SelectorExpr:
		return base(e.X)
	case *ast.StarExpr:
		return base(e.X)
	case *ast.ParenExpr:
		return base(e.X)
	}
	return nil
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

// A limit names the packages that may use something, and why no other may.
type limit struct {
	packages []string
	why      string
}

func limits() map[string]limit {
	const fetch, log = "what leaves goes through internal/fetch", "libraries log through a slog.Logger they are given"
	// Records of our own, which the wallet's seal vouches for, and embedded files.
	records := []string{"didcomm/runtime", "didcomm/connect", "didcomm/issue", "didcomm/present", "didcomm/rotate", "didcomm/internal/memtx",
		"didcomm/internal/exchange", "examples/agent", "testdata", "testdata/internal/generate", "vc/internal/envelope/envelopetest"}
	const strict = "bytes from outside go through internal/strictjson"
	// Tools that look at the shape of what they then hand to the library as it came.
	tools := []string{"examples/passport", "examples/vcapi"}
	return map[string]limit{
		"http.DefaultClient":    {nil, fetch},
		"http.DefaultTransport": {nil, fetch},
		"http.Get":              {nil, fetch},
		"http.Head":             {nil, fetch},
		"http.Post":             {nil, fetch},
		"http.PostForm":         {nil, fetch},
		"http.Client":           {[]string{"internal/fetch"}, fetch},
		"http.Transport":        {[]string{"internal/fetch"}, fetch},
		"net.Dial":              {nil, fetch},
		"net.DialTimeout":       {nil, fetch},
		"net.DialTCP":           {nil, fetch},
		"net.Dialer":            {[]string{"internal/fetch"}, fetch},
		"net.Resolver":          {[]string{"internal/fetch"}, fetch},
		"log.Print":             {nil, log},
		"log.Printf":            {nil, log},
		"log.Println":           {nil, log},
		"log.Fatal":             {[]string{"schema/internal/portrait"}, log},
		"slog.Default":          {nil, log},
		"os.Exit":               {append(tools, "examples/agent", "examples/quickstart", "schema/internal/portrait"), "only a program ends the process"},
		"json.Unmarshal":        {append(tools, records...), strict},
		"json.NewDecoder":       {nil, strict},
	}
}

func forbiddenCalls(all []source) []string {
	var out []string
	limits := limits()
	for _, s := range all {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				name := selector(n)
				if l, ok := limits[name]; ok && !slices.Contains(l.packages, s.pkg) {
					out = append(out, s.at(n)+": "+name+": "+l.why)
				}
			case *ast.BasicLit:
				// printtest is what the tests of printing are made of.
				if n.Kind == token.STRING && strings.Contains(n.Value, "%+v") && s.pkg != "didcomm/internal/printtest" {
					out = append(out, s.at(n)+": %+v prints what types hide")
				}
			}
			return true
		})
	}
	return out
}

// selector returns "package.Name" of an expression, or "".
func selector(e ast.Expr) string {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return id.Name + "." + sel.Sel.Name
}

// oneClock lets a package name the machine's clock once: as the default of the
// clock that it is given.
func oneClock(all []source) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range all {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			e, ok := n.(*ast.SelectorExpr)
			if !ok || selector(e) != "time.Now" {
				return true
			}
			// verify has two clocks to give a default to: a Verifier's and a Nonces'.
			key := s.pkg
			if s.pkg == "vc/verify" {
				key = s.file
			}
			if seen[key] {
				out = append(out, s.at(e)+": a second time.Now in the package")
			}
			seen[key] = true
			return true
		})
	}
	return out
}

// unsafeIsLoud says that what is called Unsafe is used by the package that
// declares it, which has to act on it, and by tests.
func unsafeIsLoud(all []source) []string {
	own := declared{}
	note := func(s source, ids ...*ast.Ident) {
		for _, id := range ids {
			own[[2]string{s.pkg, id.Name}] = true
		}
	}
	for _, s := range all {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				note(s, n.Names...)
			case *ast.TypeSpec:
				note(s, n.Name)
			case *ast.ValueSpec:
				note(s, n.Names...)
			case *ast.FuncDecl:
				note(s, n.Name)
			}
			return true
		})
	}
	// The tools' users ask for these by name: --any-issuer-unsafe, and the policies of
	// an API that outside test suites drive.
	asked := map[string][]string{
		"examples/passport": {"AnyIssuerUnsafe", "UnsafeIssuerNotController", "UnsafeHolderNotController"},
		"examples/vcapi":    {"AnyIssuerUnsafe", "UnsafeIssuerNotController", "UnsafeAnyHolder", "UnsafeBarePresentation", "UnsafeDataModel1"},
		// Two of the agents that others wrote need less strict a peer; see each name's comment.
		"testdata/interop/party": {"UnsafeAnyDomain", "UnsafeUnsignedResponse"},
	}
	var out []string
	for _, s := range all {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if ok && strings.Contains(id.Name, "Unsafe") && !own[[2]string{s.pkg, id.Name}] && !slices.Contains(asked[s.pkg], id.Name) {
				out = append(out, s.at(id)+": uses "+id.Name)
			}
			return true
		})
	}
	return out
}

func noLintException(all []source) []string {
	var out []string
	for _, s := range all {
		for _, g := range s.ast.Comments {
			for _, c := range g.List {
				if strings.HasPrefix(c.Text, "//nolint") || strings.HasPrefix(c.Text, "//lint:") {
					out = append(out, s.at(c)+": lint exception")
				}
			}
		}
	}
	return out
}

// documented looks at every exported name that a vendor or a fellow author can use.
func documented(all []source) []string {
	var out []string
	packages := map[string]bool{}
	for _, s := range all {
		packages[s.pkg] = packages[s.pkg] || s.ast.Doc.Text() != ""
		for _, d := range s.ast.Decls {
			for _, missing := range undocumented(d) {
				out = append(out, s.at(d)+": "+missing+" has no doc comment")
			}
		}
	}
	for pkg, ok := range packages {
		if !ok {
			out = append(out, "package "+pkg+" has no package comment")
		}
	}
	return out
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
