package layers

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/staffpassport/staffpassport"

// areas says which areas the packages of an area may import besides their own.
//
//	examples -> didcomm, wallet, schema -> vc -> did -> internal
var areas = map[string][]string{
	"internal": nil,
	"did":      {"internal"},
	"vc":       {"internal", "did"},
	"didcomm":  {"internal", "did", "vc"},
	"wallet":   {"internal", "did", "vc"},
	"schema":   {"internal", "did", "vc"},
	"testdata": nil,
	// What an example imports a vendor can import too: so nothing internal.
	"examples": {"did", "vc", "didcomm", "wallet", "schema", "testdata"},
}

// joins are the packages whose purpose is to join their siblings, and what they
// may import outside the picture.
var joins = map[string][]string{
	"did/universal":       nil,
	"vc/verify":           nil,
	"vc/disclose":         nil,
	"didcomm/walletstore": {"wallet"},
}

// A source is one parsed Go file that is not a test.
type source struct {
	file string // relative to the module's root
	pkg  string // relative import path, "" for the root
	ast  *ast.File
	fset *token.FileSet
}

// at says where a node stands.
func (s source) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", s.file, p.Line)
}

// imports returns the module's packages that the file imports, relative.
func (s source) imports() []string {
	var out []string
	for _, spec := range s.ast.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		if rest, ok := strings.CutPrefix(p, module+"/"); ok {
			out = append(out, rest)
		}
	}
	return out
}

// sources parses the module without the go command, whose results are cached.
func sources(t *testing.T) []source {
	t.Helper()
	root := moduleRoot(t)
	var out []source
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(file, "go.mod"))
			if strings.HasPrefix(d.Name(), ".") && file != root || file != root && nested == nil {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg := path.Dir(rel)
		if pkg == "." {
			pkg = ""
		}
		out = append(out, source{rel, pkg, f, fset})
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, out)
	return out
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	return filepath.Dir(filepath.Dir(dir))
}

const interop = "testdata/interop/"

func area(pkg string) string {
	a, _, _ := strings.Cut(pkg, "/")
	return a
}

// allowed reports whether package from may import package to.
func allowed(from, to string) bool {
	if strings.HasPrefix(from, interop) { // our side of a conversation with another agent: what a vendor can import
		return area(to) != "internal" && area(to) != "examples" || strings.HasPrefix(to, interop)
	}
	if a := area(from); a != area(to) {
		return slices.Contains(areas[a], area(to)) || slices.Contains(joins[from], area(to))
	}
	if area(from) == "internal" || area(from) == "examples" {
		return true
	}
	if strings.HasPrefix(from, to+"/") { // a child imports an ancestor
		return true
	}
	if _, ok := joins[from]; ok {
		return to != from && !strings.HasPrefix(to, from+"/")
	}
	// The internal folder of a package belongs to it and to all that is below it.
	owner, _, internal := strings.Cut(to, "/internal/")
	return internal && (from == owner || strings.HasPrefix(from, owner+"/"))
}

func TestArrows(t *testing.T) {
	for _, s := range sources(t) {
		if s.pkg == "" {
			continue
		}
		if _, ok := areas[area(s.pkg)]; !ok {
			t.Errorf("%s: no area called %q in the picture", s.file, area(s.pkg))
		}
		for _, to := range s.imports() {
			if !allowed(s.pkg, to) {
				t.Errorf("%s: %s must not import %s", s.file, s.pkg, to)
			}
		}
	}
}

func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"vc", "did", true},
		{"vc/dataintegrity", "vc", true},
		{"vc/dataintegrity/bbs", "vc", true},
		{"vc/verify", "vc/dataintegrity/bbs", true},
		{"didcomm/walletstore", "wallet", true},
		{"didcomm/walletstore", "didcomm/runtime", true},
		{"examples/agent", "didcomm/issue", true},
		{"testdata/interop/party", "didcomm/issue", true},
		{"testdata/interop/party", "internal/jcs", false},
		{"did", "vc", false},
		{"did", "did/didkey", false},
		{"vc", "vc/verify", false},
		{"vc/jose", "vc/sdjwt", false},
		{"didcomm/connect", "didcomm/internal/oob", true},
		{"vc/dataintegrity/bbs", "vc/dataintegrity/internal/selective", true},
		{"vc/jose", "vc/dataintegrity/internal/selective", false},
		{"vc/dataintegrityx", "vc/dataintegrity/internal/selective", false},
		{"didcomm/connect", "didcomm/outofband", false},
		{"didcomm/issue", "didcomm/runtime", false},
		{"didcomm/issue", "wallet", false},
		{"wallet", "didcomm", false},
		{"schema", "wallet", false},
		{"internal/jcs", "did", false},
		{"examples/agent", "internal/fetch", false},
		{"testdata", "vc", false},
	} {
		require.Equal(t, c.want, allowed(c.from, c.to), "%s imports %s", c.from, c.to)
	}
}
