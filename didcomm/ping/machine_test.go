package ping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/ping"
)

// transitions is the table of the protocol: what is not in it is refused.
var transitions = []struct {
	role ping.Role
	from ping.State
	on   string
	sent bool
	to   ping.State
}{
	{ping.RoleSender, ping.Start, "ping", true, ping.Asked},
	{ping.RoleSender, ping.Asked, "ping_response", false, ping.Answered},
	{ping.RoleSender, ping.Asked, "ping-response", false, ping.Answered},
	{ping.RoleSender, ping.Asked, "problem-report", false, ping.Abandoned},
	{ping.RoleSender, ping.Asked, "expired", false, ping.Abandoned},
	{ping.RoleReceiver, ping.Start, "ping", false, ping.Asked},
	{ping.RoleReceiver, ping.Asked, "ping_response", true, ping.Answered},
	{ping.RoleReceiver, ping.Asked, "ping-response", true, ping.Answered},
	{ping.RoleReceiver, ping.Asked, "problem-report", true, ping.Abandoned},
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, role := range []ping.Role{ping.RoleSender, ping.RoleReceiver, "", "other"} {
		for _, from := range []ping.State{ping.Start, ping.Asked, ping.Answered, ping.Abandoned, "other"} {
			for _, on := range []string{"ping", "ping_response", "ping-response", "problem-report", "expired", "", "other"} {
				for _, sent := range []bool{false, true} {
					want, fits := from, false
					for _, tr := range transitions {
						if tr.role == role && tr.from == from && tr.on == on && tr.sent == sent {
							want, fits = tr.to, true
						}
					}
					got, err := ping.Next(role, from, ping.Event{Message: on, Sent: sent})
					require.Equal(t, want, got, "%s in %q: %s %v", role, from, on, sent)
					if fits {
						require.NoError(t, err)
					} else {
						require.ErrorIs(t, err, ping.ErrState, "%s in %q: %s %v", role, from, on, sent)
					}
				}
			}
		}
	}
}
