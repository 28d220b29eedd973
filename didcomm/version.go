package didcomm

import "fmt"

// A Version is a version of DIDComm: of its messages and of its envelopes.
type Version int

// The versions. A zero Version stands for V1, which was the only one when the first
// records were stored: compare what Or1 returns.
const (
	V1 Version = 1 // Aries RFC 0005 and its neighbours
	V2 Version = 2 // DIDComm Messaging 2.1
)

// String returns such as "V1"; the zero Version is that too.
func (v Version) String() string { return fmt.Sprintf("V%d", int(v.Or1())) }

// Or1 returns v, or V1 for the zero Version.
func (v Version) Or1() Version {
	if v == 0 {
		return V1
	}
	return v
}
