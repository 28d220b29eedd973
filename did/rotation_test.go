package did_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

// TestRotation is an issuer's change of keys: what the old key signed in its turn
// stays good, what it would sign after that is not, and once it is known that
// others have it nothing is, whatever date it bears.
func TestRotation(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 3, n, 12, 0, 0, 0, time.UTC) }
	id := mustDID(t, "did:example:riverside")
	key := func(name string, expires, revoked time.Time) *did.VerificationMethod {
		pub, _, err := ed25519.GenerateKey(nil)
		require.NoError(t, err)
		m, err := did.NewVerificationMethod(id.URL(name), pub, did.AssertionMethod)
		require.NoError(t, err)
		m.Expires, m.Revoked = expires, revoked
		return m
	}
	made, err := did.NewDocument(id, []*did.VerificationMethod{
		key("old", day(10), time.Time{}),
		key("stolen", time.Time{}, day(20)),
		key("both", day(10), day(20)),
		key("new", time.Time{}, time.Time{}),
	}, nil)
	require.NoError(t, err)
	data, err := made.MarshalJSON()
	require.NoError(t, err)
	read, err := did.ParseDocument(data)
	require.NoError(t, err)

	zero := time.Time{}
	for _, c := range []struct {
		key       string
		used, now time.Time
		want      error
	}{
		{"new", day(5), day(15), nil},
		{"new", day(15), day(15), nil},
		{"old", day(5), day(9), nil},
		{"old", day(5), day(15), nil}, // yesterday's passport, today
		{"old", day(10).Add(-time.Nanosecond), day(30), nil},
		{"old", day(10), day(15), did.ErrNotAuthorised}, // signed after its turn
		{"old", day(12), day(15), did.ErrNotAuthorised},
		{"old", day(12), day(9), did.ErrNotAuthorised}, // a clock that is ahead of ours
		{"old", day(15), day(15), did.ErrNotAuthorised},
		{"stolen", day(5), day(15), nil},
		{"stolen", day(5), day(20).Add(-time.Nanosecond), nil},
		{"stolen", day(5), day(20), did.ErrNotAuthorised}, // the date that the thief wrote
		{"stolen", day(5), day(30), did.ErrNotAuthorised},
		{"stolen", day(25), day(30), did.ErrNotAuthorised},
		{"stolen", day(25), day(19), nil}, // not revoked yet; whether a date in the future is good is the verifier's to say
		{"both", day(5), day(15), nil},
		{"both", day(12), day(15), did.ErrNotAuthorised},
		{"both", day(5), day(20), did.ErrNotAuthorised},
		{"new", zero, day(15), did.ErrInvalid},
		{"new", day(5), zero, did.ErrInvalid},
		{"new", zero, zero, did.ErrInvalid},
		{"gone", day(5), day(15), did.ErrNotFound},
	} {
		for _, d := range []*did.Document{made, read} {
			m, err := d.MethodUsed(id.URL(c.key), did.AssertionMethod, c.used, c.now)
			require.ErrorIs(t, err, c.want, "%s %v %v", c.key, c.used, c.now)
			require.Equal(t, c.want == nil, m != nil)
			if c.used == c.now {
				_, err := d.Method(id.URL(c.key), did.AssertionMethod, c.now)
				require.ErrorIs(t, err, c.want, "%s %v", c.key, c.now)
			}
			_, err = d.MethodUsed(id.URL(c.key), did.Authentication, c.used, c.now)
			require.Error(t, err, "an end does not change what a key is for")
		}
	}
	require.Len(t, read.Methods(did.AssertionMethod, day(9)), 4)
	require.Len(t, read.Methods(did.AssertionMethod, day(15)), 2)
	require.Len(t, read.Methods(did.AssertionMethod, day(25)), 1, "what can be signed with now")
}
