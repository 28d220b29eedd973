package vectors_test

import (
	"encoding/json"
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

	"github.com/staffpassport/staffpassport/internal/vectors"
)

// waiting are published files that no test opens, each with why.
func waiting() map[string]string {
	const another = "for a package that derives keys or makes codes itself: today the standard library and golang.org/x/crypto do, and test themselves with it"
	return map[string]string{
		"wycheproof/testvectors_v1/hkdf_sha256_test.json": another,
		"wycheproof/testvectors_v1/hkdf_sha512_test.json": another,
		"wycheproof/testvectors_v1/hmac_sha256_test.json": another,
	}
}

// TestEveryFileIsOpened finds for each published file of the formats a test source that
// names it: as it stands, in pieces that are put together, or by a pattern.
func TestEveryFileIsOpened(t *testing.T) {
	t.Parallel()
	dir := vectors.Dir(t)
	all, listed, waits := sources(t), lists(t, dir), waiting()
	read := 0
	for _, set := range []string{"vc-di-eddsa", "vc-di-ecdsa", "vc-di-bbs", "bbs-signatures", "rdf-canon", "jcs", "wycheproof",
		"sd-jwt-js", "sd-jwt-python", "sd-jwt-rfc9901", "sd-jwt-vc",
		"did-core", "did-key", "did-peer", "did-webvh", "token-status-list", "didcomm-v2"} {
		for _, file := range files(t, dir, set) {
			if opened(all, listed, file) {
				require.NotContains(t, waits, file, "is opened: it waits no longer")
				read++
			} else if why, ok := waits[file]; ok {
				t.Logf("%s waits %s", file, why)
			} else {
				t.Errorf("no test opens %s", file)
			}
		}
	}
	t.Logf("%d files, %d more wait", read, len(waits))
}

// files returns the files of a set that are vectors, by their paths below dir.
func files(t *testing.T, dir, set string) (out []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, set), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		about := []string{"LICENSE", "LICENSE.md", "LICENCE.md", "README.md", "SOURCE.txt"}
		if !slices.Contains(about, d.Name()) {
			rel, err := filepath.Rel(dir, p)
			if err != nil {
				return err
			}
			out = append(out, filepath.ToSlash(rel))
		}
		return nil
	}))
	require.NotEmpty(t, out, set)
	return out
}

// opened reports whether a test opens a file.
func opened(all []pieces, listed map[string]func(base string) bool, file string) bool {
	if has, ok := listed[path.Dir(file)]; ok {
		return has(path.Base(file))
	}
	return slices.ContainsFunc(all, func(p pieces) bool { return p.name(file) })
}

// lists are the folders that tests read as a list, and whether that has a file: the
// manifest's, or all that is there.
func lists(t *testing.T, dir string) map[string]func(base string) bool {
	t.Helper()
	manifest, err := os.ReadFile(filepath.Join(dir, "rdf-canon", "tests", "manifest.jsonld"))
	require.NoError(t, err)
	require.True(t, json.Valid(manifest))
	everything := func(string) bool { return true }
	return map[string]func(base string) bool{
		"rdf-canon/tests/rdfc10":                     func(base string) bool { return strings.Contains(string(manifest), `"rdfc10/`+base+`"`) },
		"bbs-signatures/bls12-381-sha-256/proof":     everything,
		"bbs-signatures/bls12-381-sha-256/signature": everything,
	}
}

// pieces are the texts of one test source, split at slashes.
type pieces map[string]bool

// name reports whether the source names a file: the set, each folder on the way to it or
// a pattern of it, and the file itself by a pattern or in up to three pieces, as in "canonDoc" + suite + ".txt".
func (p pieces) name(file string) bool {
	parts := strings.Split(file, "/")
	for i, folder := range parts[:len(parts)-1] {
		if !p[folder] && (i == 0 || !p.matches(folder, "")) {
			return false
		}
	}
	base := parts[len(parts)-1]
	return p.matches(base, "*") || p.composed(base, 3)
}

func (p pieces) composed(name string, most int) bool {
	if p[name] {
		return true
	}
	for i := 2; i < len(name) && most > 1; i++ {
		if p[name[:i]] && p.composed(name[i:], most-1) {
			return true
		}
	}
	return false
}

// matches reports whether a piece, which is not the given one, is a pattern of a name.
func (p pieces) matches(name, not string) bool {
	for pattern := range p {
		if ok, err := path.Match(pattern, name); err == nil && ok && pattern != not && strings.Contains(pattern, "*") {
			return true
		}
	}
	return false
}

// sources returns the pieces of each test source that reads published vectors.
func sources(t *testing.T) (out []pieces) {
	t.Helper()
	root := filepath.Join("..", "..")
	require.NoError(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(file, "go.mod")); file != root && (err == nil || strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if f.Name.Name == "vectors_test" {
			return nil
		}
		p, reads := pieces{}, false
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				reads = reads || ok && x.Name == "vectors" && (n.Sel.Name == "Read" || n.Sel.Name == "Dir")
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					for piece := range strings.SplitSeq(text, "/") {
						p[piece] = true
					}
				}
			}
			return true
		})
		if reads {
			out = append(out, p)
		}
		return nil
	}))
	require.NotEmpty(t, out)
	return out
}
