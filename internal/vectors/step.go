package vectors

import "testing"

// Step returns how far a loop over many inputs of one kind, which all take the same way,
// goes at a time: to the next, but under the race detector, which finds nothing in such
// a loop and makes arithmetic take five times as long, over n of them. The log says so.
func Step(t testing.TB, of string, n int) int {
	t.Helper()
	if !raced {
		return 1
	}
	t.Logf("race detector: one in %d of the %s", n, of)
	return n
}
