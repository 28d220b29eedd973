package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func Example() {
	if err := run(context.Background(), newSigner(), newSigner(), newSigner()); err != nil {
		panic(err)
	}
	// Output: verified: registered with the NMC
}

// TestREADME keeps the README's Go the code that Example runs.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("main.go")
	require.NoError(t, err)
	_, block, ok := strings.Cut(string(readme), "```go\n")
	require.True(t, ok, "README.md has no block of Go")
	block, _, _ = strings.Cut(block, "```")
	_, code, _ := strings.Cut(string(source), "// README begin\n")
	code, _, _ = strings.Cut(code, "\t// README end")
	require.Equal(t, strings.ReplaceAll(code, "\n\t", "\n"), "\t"+block)
}
