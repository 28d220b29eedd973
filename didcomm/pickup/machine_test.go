package pickup

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// transitions is the whole protocol: what is not in it is refused.
var transitions = []struct {
	role Role
	from []State
	on   Event
	to   State // the same as before if it is stay
}{
	{RoleRecipient, []State{Idle, Asked}, Event{Message: statusRequest, Sent: true}, stay},
	{RoleRecipient, []State{Idle, Asked}, Event{Message: deliveryRequest, Sent: true}, Asked},
	{RoleRecipient, []State{Idle, Asked}, Event{Message: received, Sent: true}, stay},
	{RoleRecipient, []State{Idle, Asked}, Event{Message: liveChange, Sent: true}, stay},
	{RoleRecipient, []State{Idle, Asked}, Event{Message: liveChange, Sent: true, On: true}, stay},
	{RoleRecipient, []State{Idle, Asked}, Event{Message: status}, stay},
	{RoleRecipient, []State{Asked}, Event{Message: status, Answer: true}, Idle},
	{RoleRecipient, []State{Idle, Asked}, Event{Message: delivery}, stay},
	{RoleRecipient, []State{Asked}, Event{Message: delivery, Answer: true}, Idle},
	{RoleRecipient, []State{Idle, Asked}, Event{Message: problem}, stay},
	{RoleRecipient, []State{Asked}, Event{Message: problem, Answer: true}, Idle},

	{RoleMediator, []State{Idle, Live}, Event{Message: statusRequest}, stay},
	{RoleMediator, []State{Idle, Live}, Event{Message: deliveryRequest}, stay},
	{RoleMediator, []State{Idle, Live}, Event{Message: received}, stay},
	{RoleMediator, []State{Idle, Live}, Event{Message: liveChange}, Idle},
	{RoleMediator, []State{Idle, Live}, Event{Message: liveChange, On: true}, Live},
	{RoleMediator, []State{Idle, Live}, Event{Message: status, Sent: true}, stay},
	{RoleMediator, []State{Idle, Live}, Event{Message: status, Sent: true, Answer: true}, stay},
	{RoleMediator, []State{Live}, Event{Message: delivery, Sent: true}, stay},
	{RoleMediator, []State{Idle, Live}, Event{Message: delivery, Sent: true, Answer: true}, stay},
	{RoleMediator, []State{Idle, Live}, Event{Message: problem}, stay},
	{RoleMediator, []State{Idle, Live}, Event{Message: problem, Sent: true}, stay},
	{RoleMediator, []State{Idle, Live}, Event{Message: problem, Sent: true, Answer: true}, stay},
}

const stay State = "stay"

func TestNext(t *testing.T) {
	t.Parallel()
	both := []bool{false, true}
	fit := 0
	for _, role := range []Role{RoleMediator, RoleRecipient, "another"} {
		for _, from := range []State{Idle, Asked, Live, "another"} {
			for _, m := range []string{statusRequest, status, deliveryRequest, delivery, received, liveChange, problem, "another"} {
				for _, sent := range both {
					for _, answer := range both {
						for _, on := range both {
							e, to, fits := Event{m, sent, answer, on}, from, false
							for _, tr := range transitions {
								if tr.role == role && slices.Contains(tr.from, from) && tr.on == e {
									if fits = true; tr.to != stay {
										to = tr.to
									}
								}
							}
							got, err := Next(role, from, e)
							require.Equal(t, to, got, "%s %q %+v", role, from, e)
							if !fits {
								require.ErrorIs(t, err, ErrState, "%s %q %+v", role, from, e)
								continue
							}
							require.NoError(t, err, "%s %q %+v", role, from, e)
							fit++
						}
					}
				}
			}
		}
	}
	require.Equal(t, 42, fit)
}
