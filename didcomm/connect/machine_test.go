package connect

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	allRoles  = []Role{RoleRequester, RoleResponder}
	allStates = []State{Start, InvitationReceived, RequestSent, ResponseReceived,
		InvitationSent, RequestReceived, ResponseSent, Completed, Abandoned}
	allMessages = []string{invitation, request, response, complete, problem}
)

func allEvents() []Event {
	var out []Event
	for _, m := range allMessages {
		out = append(out, Event{m, false}, Event{m, true})
	}
	return out
}

// transitions is the state table of RFC 0023: what is not in it is refused.
// A problem report, either way, ends every exchange that has begun and not ended.
var transitions = []struct {
	role Role
	from State
	on   Event
	to   State
}{
	{RoleRequester, Start, Event{invitation, false}, InvitationReceived},
	{RoleRequester, Start, Event{request, true}, RequestSent},
	{RoleRequester, InvitationReceived, Event{request, true}, RequestSent},
	{RoleRequester, InvitationReceived, Event{problem, true}, Abandoned},
	{RoleRequester, InvitationReceived, Event{problem, false}, Abandoned},
	{RoleRequester, RequestSent, Event{response, false}, ResponseReceived},
	{RoleRequester, RequestSent, Event{problem, true}, Abandoned},
	{RoleRequester, RequestSent, Event{problem, false}, Abandoned},
	{RoleRequester, ResponseReceived, Event{complete, true}, Completed},
	{RoleRequester, ResponseReceived, Event{problem, true}, Abandoned},
	{RoleRequester, ResponseReceived, Event{problem, false}, Abandoned},

	{RoleResponder, Start, Event{invitation, true}, InvitationSent},
	{RoleResponder, Start, Event{request, false}, RequestReceived},
	{RoleResponder, InvitationSent, Event{request, false}, RequestReceived},
	{RoleResponder, InvitationSent, Event{problem, true}, Abandoned},
	{RoleResponder, InvitationSent, Event{problem, false}, Abandoned},
	{RoleResponder, RequestReceived, Event{response, true}, ResponseSent},
	{RoleResponder, RequestReceived, Event{problem, true}, Abandoned},
	{RoleResponder, RequestReceived, Event{problem, false}, Abandoned},
	{RoleResponder, ResponseSent, Event{complete, false}, Completed},
	{RoleResponder, ResponseSent, Event{problem, true}, Abandoned},
	{RoleResponder, ResponseSent, Event{problem, false}, Abandoned},
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, role := range allRoles {
		for _, from := range allStates {
			for _, on := range allEvents() {
				want, ok := Start, false
				for _, tr := range transitions {
					if tr.role == role && tr.from == from && tr.on == on {
						want, ok = tr.to, true
					}
				}
				got, err := Next(role, from, on)
				if ok {
					require.NoError(t, err, "%s in %q: %s", role, from, on)
					require.Equal(t, want, got, "%s in %q: %s", role, from, on)
					continue
				}
				require.ErrorIs(t, err, ErrState, "%s in %q: %s", role, from, on)
				require.Equal(t, from, got, "%s in %q: %s", role, from, on)
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
			_, err := Next(r, from, Event{Message: "Request"})
			require.ErrorIs(t, err, ErrState)
		}
	}
}

// FuzzNext walks at random: an exchange that ended never moves again, and
// every exchange that began can be ended.
func FuzzNext(f *testing.F) {
	f.Add(true, []byte{3, 4, 7, 8})
	f.Add(false, []byte{2, 5, 6, 9})
	f.Fuzz(func(t *testing.T, requester bool, walk []byte) {
		role := RoleResponder
		if requester {
			role = RoleRequester
		}
		events := allEvents()
		s := Start
		for _, b := range walk {
			next, err := Next(role, s, events[int(b)%len(events)])
			if s.Final() && (next != s || !errors.Is(err, ErrState)) {
				t.Fatalf("%s left %s", role, s)
			}
			if s = next; s == Start || s.Final() {
				continue
			}
			for _, sent := range []bool{true, false} {
				if end, err := Next(role, s, Event{problem, sent}); err != nil || end != Abandoned {
					t.Fatalf("%s cannot end in %s", role, s)
				}
			}
		}
	})
}
