// Package vectors finds the published test vectors of the specifications.
//
// They are read in place and are no part of this repository: the environment
// variable STAFFPASSPORT_VECTORS names their folder, else shared/vectors beside
// the checkout is used.
package vectors

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the folder of the published vectors and skips the test when there
// is none.
func Dir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("STAFFPASSPORT_VECTORS")
	if dir == "" {
		dir = filepath.Join(moduleRoot(t), "..", "shared", "vectors")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no published vectors at %s: set STAFFPASSPORT_VECTORS to their folder to run this test", dir)
	}
	return dir
}

// Read returns one file of the published vectors.
func Read(t testing.TB, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{Dir(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func moduleRoot(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}
