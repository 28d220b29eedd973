package mediate

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	allRoles    = []Role{RoleMediator, RoleRecipient}
	allStates   = []State{Start, Requested, Granted, Denied}
	allMessages = []string{request, grant, deny, update, updated, query, list, problem}
)

// transitions is the whole protocol: what is not in it is refused.
var transitions = []struct {
	role Role
	from State
	on   Event
	to   State
}{
	{RoleRecipient, Start, Event{request, true}, Requested},
	{RoleRecipient, Denied, Event{request, true}, Requested},
	{RoleRecipient, Requested, Event{grant, false}, Granted},
	{RoleRecipient, Requested, Event{deny, false}, Denied},
	{RoleRecipient, Requested, Event{problem, false}, Denied},
	{RoleRecipient, Granted, Event{problem, false}, Denied},
	{RoleRecipient, Granted, Event{update, true}, Granted},
	{RoleRecipient, Granted, Event{updated, false}, Granted},
	{RoleRecipient, Granted, Event{query, true}, Granted},
	{RoleRecipient, Granted, Event{list, false}, Granted},

	{RoleMediator, Start, Event{request, false}, Requested},
	{RoleMediator, Denied, Event{request, false}, Requested},
	{RoleMediator, Granted, Event{request, false}, Requested},
	{RoleMediator, Requested, Event{grant, true}, Granted},
	{RoleMediator, Requested, Event{deny, true}, Denied},
	{RoleMediator, Granted, Event{update, false}, Granted},
	{RoleMediator, Granted, Event{updated, true}, Granted},
	{RoleMediator, Granted, Event{query, false}, Granted},
	{RoleMediator, Granted, Event{list, true}, Granted},
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, role := range append(allRoles, "another") {
		for _, from := range allStates {
			for _, m := range append(allMessages, "another") {
				for _, sent := range []bool{false, true} {
					on, to, fits := Event{m, sent}, from, false
					for _, tr := range transitions {
						if tr.role == role && tr.from == from && tr.on == on {
							to, fits = tr.to, true
						}
					}
					got, err := Next(role, from, on)
					require.Equal(t, to, got, "%s %q %s", role, from, on)
					require.Equal(t, !fits, err != nil, "%s %q %s", role, from, on)
					if !fits {
						require.ErrorIs(t, err, ErrState)
					}
				}
			}
		}
	}
}
