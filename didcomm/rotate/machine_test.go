package rotate

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	allRoles    = []Role{RoleRotating, RoleObserving}
	allStates   = []State{Start, Rotating, Completed, Abandoned, HungUp}
	allMessages = []string{rotate, ack, problem, hangup}
)

// transitions is the state table: what is not in it is refused.
var transitions = []struct {
	role Role
	from State
	on   Event
	to   State
}{
	{RoleRotating, Start, Event{rotate, true}, Rotating},
	{RoleRotating, Rotating, Event{ack, false}, Completed},
	{RoleRotating, Rotating, Event{problem, false}, Abandoned},
	{RoleRotating, Start, Event{hangup, true}, HungUp},
	{RoleRotating, Rotating, Event{hangup, true}, HungUp},
	{RoleRotating, Completed, Event{hangup, true}, HungUp},
	{RoleRotating, Abandoned, Event{hangup, true}, HungUp},
	{RoleObserving, Start, Event{rotate, false}, Start},
	{RoleObserving, Start, Event{ack, true}, Completed},
	{RoleObserving, Start, Event{problem, true}, Abandoned},
	{RoleObserving, Start, Event{hangup, false}, HungUp},
	{RoleObserving, Rotating, Event{hangup, false}, HungUp},
	{RoleObserving, Completed, Event{hangup, false}, HungUp},
	{RoleObserving, Abandoned, Event{hangup, false}, HungUp},
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, role := range append(allRoles, "stranger") {
		for _, from := range append(allStates, "x") {
			for _, name := range append(allMessages, "x") {
				for _, sent := range []bool{false, true} {
					e := Event{name, sent}
					want, fits := from, false
					for _, tr := range transitions {
						if tr.role == role && tr.from == from && tr.on == e {
							want, fits = tr.to, true
						}
					}
					got, err := Next(role, from, e)
					require.Equal(t, want, got, "%s in %q: %s", role, from, e)
					if !fits {
						require.ErrorIs(t, err, ErrState, "%s in %q: %s", role, from, e)
						continue
					}
					require.NoError(t, err)
				}
			}
		}
	}
	for _, s := range allStates {
		require.Equal(t, s == Completed || s == Abandoned || s == HungUp, s.Final())
	}
}

// FuzzNext walks at random: nothing follows a hangup.
func FuzzNext(f *testing.F) {
	f.Add(true, []byte{1, 2, 7})
	f.Add(false, []byte{0, 3})
	f.Fuzz(func(t *testing.T, rotating bool, walk []byte) {
		role := RoleObserving
		if rotating {
			role = RoleRotating
		}
		s := Start
		for _, b := range walk {
			e := Event{allMessages[int(b/2)%len(allMessages)], b%2 == 1}
			next, err := Next(role, s, e)
			if err != nil && next != s || s == HungUp && next != HungUp {
				t.Fatalf("%s left %q by %s", role, s, e)
			}
			s = next
		}
	})
}
