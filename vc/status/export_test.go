package status

import "crypto"

// What the tests from outside see of the tokens that [Lists] read.
const (
	MediaTypeJWT = mediaTypeJWT
	MediaTypeCWT = mediaTypeCWT
)

// ParseToken is parseToken.
var ParseToken = parseToken

// Verify is verify.
func (t *token) Verify(pub crypto.PublicKey) error { return t.verify(pub) }

// Len returns how many entries there are.
func (t *token) Len() int { return t.len() }

// Value returns an entry.
func (t *token) Value(index int) (int, error) { return t.value(index) }
