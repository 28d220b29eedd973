package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestREADME runs the commands of the README, and sees that it names every command.
func TestREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, c := range commands() {
		first, second, _ := strings.Cut(c.name, " ")
		require.Contains(t, string(readme), "`"+first)
		require.Contains(t, string(readme), second)
	}
	parts := strings.Split(string(readme), "```")
	require.Len(t, parts, 5)
	script := strings.TrimPrefix(parts[1], "sh\n") + strings.TrimPrefix(parts[3], "sh\n")

	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell: the README's commands were not run")
	}
	dir := t.TempDir()
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "passport"), ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	run := exec.Command(shell, "-e", "-c", script)
	run.Dir = dir
	run.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err = run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "\nVALID\n")
}
