package runtime

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// backoff returns how long to wait after so many failures in a row: MinBackoff,
// doubled each time up to MaxBackoff, of which a random half is taken off so that
// agents that failed together do not return together.
func (a *Agent) backoff(attempts int) time.Duration {
	d := a.config.MinBackoff
	for i := 1; i < attempts && d < a.config.MaxBackoff; i++ {
		d *= 2
	}
	d = min(d, a.config.MaxBackoff)
	var b [8]byte
	if a.read(b[:]) != nil {
		return d
	}
	half := uint64(d / 2)
	return d - time.Duration(binary.BigEndian.Uint64(b[:])%(half+1))
}

// after is the retry that follows r.
func (a *Agent) after(r retry) retry {
	r.Attempts++
	r.Next = a.config.Now().Add(a.backoff(r.Attempts))
	return r
}

func (a *Agent) read(b []byte) error {
	if a.config.Rand == rand.Reader {
		_, err := rand.Read(b)
		return err
	}
	a.random.Lock()
	defer a.random.Unlock()
	_, err := io.ReadFull(a.config.Rand, b)
	return err
}

// rowID names a row of the runtime's own.
func (a *Agent) rowID() (string, error) {
	var b [16]byte
	if err := a.read(b[:]); err != nil {
		return "", fmt.Errorf("runtime: random source: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}
