package layers

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSecurityNamesTests finds every test that SECURITY.md and the README name:
// a promise whose test was renamed away is held by nothing.
func TestSecurityNamesTests(t *testing.T) {
	root := moduleRoot(t)
	have := map[string]bool{} // "package TestName"
	require.NoError(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(b, -1) {
			have[filepath.ToSlash(dir)+" "+string(m[1])] = true
		}
		return err
	}))
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	require.NoError(t, err)
	// `package` TestOne, TestTwo; `other/package` TestThree
	groups := regexp.MustCompile("`([a-z/]+)` (Test\\w+(?:, Test\\w+)*)").FindAllStringSubmatch(string(text), -1)
	require.GreaterOrEqual(t, len(groups), 6, "a group for each promise")
	named := 0
	for _, g := range groups {
		for name := range strings.SplitSeq(g[2], ", ") {
			named++
			require.True(t, have[g[1]+" "+name], "SECURITY.md: no %s in %s", name, g[1])
		}
	}
	require.Equal(t, named, len(regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(string(text), -1)), "a test is named without its package")
}
