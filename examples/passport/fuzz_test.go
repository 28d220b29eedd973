package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/testdata"
)

// FuzzInspect gives inspect anything at all: it neither fails nor writes what a terminal
// would act on, says the same as JSON, and verifies nothing. Verify reads the same bytes and
// finds nobody to trust.
func FuzzInspect(f *testing.F) {
	all, err := testdata.Vectors()
	require.NoError(f, err)
	for n, v := range all {
		if b, err := v.Bytes(); err == nil && n%8 == 0 {
			f.Add(b)
		}
	}
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "inspect*.txtar"))
	require.NoError(f, err)
	for _, name := range scripts {
		archive, err := txtar.ParseFile(name)
		require.NoError(f, err)
		for _, file := range archive.Files {
			f.Add(file.Data)
		}
	}
	dir := f.TempDir()
	now := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, b []byte) {
		file := filepath.Join(dir, "input")
		require.NoError(t, os.WriteFile(file, b, 0o600))
		code, out, errs := invoke(t, "", now, "inspect", file)
		if strings.TrimSpace(string(b)) == "" {
			require.Equal(t, exitUsage, code)
			return
		}
		require.Empty(t, errs)
		require.Contains(t, []int{exitValid, exitInvalid, exitUndecided}, code)
		for _, r := range out {
			require.True(t, r == '\n' || unicode.IsGraphic(r), "%q", out)
		}
		again, out, _ := invoke(t, "", now, "inspect", "--json", file)
		require.Equal(t, code, again)
		o := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(out), &o))
		require.Equal(t, false, o["verified"])
		code, _, _ = invoke(t, "", now, "verify", "--offline", "--issuer", "did:example:nobody", file)
		require.NotEqual(t, exitValid, code)
	})
}

// FuzzKey gives the reader of keys anything: what it takes, it writes and takes again.
func FuzzKey(f *testing.F) {
	for name, typ := range map[string]string{"a": "ed25519", "b": "p256", "c": "p384", "d": "bls12-381"} {
		k, err := keyOf(name, typ)
		require.NoError(f, err)
		for _, private := range []bool{true, false} {
			b, err := json.Marshal(k.file(private))
			require.NoError(f, err)
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := parseKey(b)
		if err != nil {
			return
		}
		if k.private == nil && k.bbs == nil {
			return
		}
		if k.bbs != nil {
			if _, err := k.signer(); err != nil {
				return // the number is no key, which is found out when it is used
			}
		}
		again, err := json.Marshal(k.file(true))
		require.NoError(t, err)
		second, err := parseKey(again)
		require.NoError(t, err)
		require.Equal(t, k.public, second.public)
		require.Equal(t, k.id, second.id)
	})
}
