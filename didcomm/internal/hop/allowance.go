package hop

import "time"

// An Allowance bounds the bytes that are sent to somebody who may not be listening: what
// one has asked for waits in the outbox until it is old, and a short request may have a
// long answer.
type Allowance struct {
	Since time.Time `json:"since,omitzero"` // when this period began
	Bytes int64     `json:"bytes,omitempty"`
}

// Spend takes size out of the limit of a period, and reports whether it was left.
func (a *Allowance) Spend(now time.Time, period time.Duration, limit, size int64) bool {
	if since := now.Sub(a.Since); since < 0 || since >= period {
		*a = Allowance{Since: now}
	}
	if size > limit-a.Bytes {
		return false
	}
	a.Bytes += size
	return true
}

// Return gives back what has certainly arrived.
func (a *Allowance) Return(size int64) { a.Bytes = max(0, a.Bytes-size) }
