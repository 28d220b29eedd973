//go:build race

package vectors

const raced = true
