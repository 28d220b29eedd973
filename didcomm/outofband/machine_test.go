package outofband

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	allRoles    = []Role{RoleSender, RoleReceiver}
	allStates   = []State{Initial, AwaitResponse, PrepareResponse, Done}
	allMessages = []string{"invitation", "response", "handshake-reuse", "handshake-reuse-accepted", "problem_report", "expired"}
)

func allEvents() []Event {
	var out []Event
	for _, m := range allMessages {
		for _, sent := range []bool{false, true} {
			out = append(out, Event{Message: m, Sent: sent}, Event{Message: m, Sent: sent, MultiUse: true})
		}
	}
	return out
}

// transitions is the state table of RFC 0434, with reuse and the end of an
// invitation: what is not in it is refused. multi is where a multi-use invitation
// goes instead.
var transitions = []struct {
	role  Role
	from  State
	on    string
	sent  bool
	to    State
	multi State
}{
	{RoleSender, Initial, "invitation", true, AwaitResponse, AwaitResponse},
	{RoleSender, AwaitResponse, "response", false, Done, AwaitResponse},
	{RoleSender, AwaitResponse, "handshake-reuse", false, Done, AwaitResponse},
	{RoleSender, AwaitResponse, "handshake-reuse-accepted", true, AwaitResponse, AwaitResponse},
	{RoleSender, AwaitResponse, "problem_report", true, Done, Done},
	{RoleSender, AwaitResponse, "expired", false, Done, Done},
	{RoleSender, Done, "handshake-reuse-accepted", true, Done, Done},

	{RoleReceiver, Initial, "invitation", false, PrepareResponse, PrepareResponse},
	{RoleReceiver, PrepareResponse, "invitation", false, PrepareResponse, PrepareResponse},
	{RoleReceiver, PrepareResponse, "response", true, Done, Done},
	{RoleReceiver, PrepareResponse, "handshake-reuse", true, PrepareResponse, PrepareResponse},
	{RoleReceiver, PrepareResponse, "handshake-reuse-accepted", false, Done, Done},
	{RoleReceiver, PrepareResponse, "problem_report", true, Done, Done},
	{RoleReceiver, PrepareResponse, "problem_report", false, Done, Done},
	{RoleReceiver, PrepareResponse, "expired", false, Done, Done},
	{RoleReceiver, Done, "invitation", false, Done, Done},
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, role := range allRoles {
		for _, from := range allStates {
			for _, on := range allEvents() {
				var want State
				for _, tr := range transitions {
					if tr.role == role && tr.from == from && tr.on == on.Message && tr.sent == on.Sent {
						if want = tr.to; on.MultiUse {
							want = tr.multi
						}
					}
				}
				got, err := Next(role, from, on)
				if want != "" {
					require.NoError(t, err, "%s in %s: %s", role, from, on)
					require.Equal(t, want, got, "%s in %s: %s, multi-use %v", role, from, on, on.MultiUse)
					continue
				}
				require.ErrorIs(t, err, ErrState, "%s in %s: %s", role, from, on)
				require.Equal(t, from, got, "%s in %s: %s", role, from, on)
			}
		}
	}
}

func TestNext_UnknownRoleOrMessage(t *testing.T) {
	t.Parallel()
	for _, from := range allStates {
		for _, on := range allEvents() {
			_, err := Next("inviter", from, on)
			require.ErrorIs(t, err, ErrState)
		}
		for _, r := range allRoles {
			_, err := Next(r, from, Event{Message: "Invitation"})
			require.ErrorIs(t, err, ErrState)
			_, err = Next(r, "", Event{Message: "invitation", Sent: r == RoleSender})
			require.ErrorIs(t, err, ErrState, "a record without a state is no beginning")
		}
	}
}

// FuzzNext walks at random: a sender that is done takes no further answer, and a
// receiver that is done answers no more.
func FuzzNext(f *testing.F) {
	f.Add(true, []byte{2, 4, 8})
	f.Add(false, []byte{0, 10, 12})
	f.Fuzz(func(t *testing.T, sender bool, walk []byte) {
		role := RoleReceiver
		if sender {
			role = RoleSender
		}
		events := allEvents()
		s := Initial
		for _, b := range walk {
			e := events[int(b)%len(events)]
			next, err := Next(role, s, e)
			if err != nil && next != s || s == Done && next != Done {
				t.Fatalf("%s left %s", role, s)
			}
			if s == Done && err == nil && (e.Message == "response" || e.Message == "handshake-reuse") {
				t.Fatalf("%s took another answer", role)
			}
			s = next
		}
	})
}
