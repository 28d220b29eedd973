package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// build returns the program as a file.
func build(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "passport")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(b, err, "%s", out)
	return program
}

// BenchmarkVerify is one passport verify of one credential, as a whole process.
func BenchmarkVerify(b *testing.B) {
	program, dir := build(b), b.TempDir()
	for _, c := range []struct {
		format, typ string
		partly      bool
	}{{"eddsa-rdfc-2022", "ed25519", false}, {"jwt", "p256", false}, {"sd-jwt-vc", "p256", true}, {"ecdsa-sd-2023", "p256", true}, {"bbs-2023", "bls12-381", true}} {
		run := func(args ...string) {
			out, err := exec.Command(program, args...).CombinedOutput()
			require.NoError(b, err, "%s", out)
		}
		key, record, issued := filepath.Join(dir, c.format+".key"), filepath.Join(dir, c.format+".record"), filepath.Join(dir, c.format)
		run("key", "new", "--type", c.typ, "--out", key)
		out, err := exec.Command(program, "issue", "--print-sample").Output()
		require.NoError(b, err)
		require.NoError(b, replaceFile(record, out))
		run("issue", "--key", key, "--format", c.format, "--out", issued, record)
		if c.partly { // what a verifier gets
			run("derive", "--set", "clinical-start", "--out", issued+".shown", issued)
			issued += ".shown"
		}
		b.Run("process/"+c.format, func(b *testing.B) {
			for b.Loop() {
				run("verify", "--any-issuer-unsafe", issued)
			}
		})
	}
}

// BenchmarkFloor is a process that does nothing.
func BenchmarkFloor(b *testing.B) {
	program := build(b)
	b.Run("process/help", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, exec.Command(program, "help").Run())
		}
	})
}
