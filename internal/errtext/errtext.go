// Package errtext keeps error texts to one package name each: that of the package
// whose function was called.
package errtext

import "strings"

// Below returns err, which comes from a package of this module below the caller's,
// without the package name that its text begins with, to be wrapped in a text that
// begins with the caller's. It matches what err matches.
func Below(err error) error {
	if err == nil {
		return nil
	}
	return below{err}
}

type below struct{ error }

// Error implements error.
func (b below) Error() string {
	text := b.error.Error()
	name, rest, ok := strings.Cut(text, ": ")
	if !ok || name == "" || strings.ContainsFunc(name, func(c rune) bool { return c < 'a' || c > 'z' }) {
		return text
	}
	return rest
}

// Unwrap returns the error with its whole text.
func (b below) Unwrap() error { return b.error }
