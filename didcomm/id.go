package didcomm

import (
	"crypto/rand"
	"encoding/hex"
)

// NewID returns a fresh message or thread id: a random UUID (RFC 0008, "Message
// ID Requirements"; RFC 9562 section 5.4).
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
