package present

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	allRoles  = []Role{RoleVerifier, RoleProver}
	allStates = []State{Start, ProposalReceived, RequestSent, PresentationReceived,
		ProposalSent, RequestReceived, PresentationSent, Done, Abandoned}
	allMessages = []string{propose, request, presentation, ack, problem}
)

func allEvents() []Event {
	var out []Event
	for _, m := range allMessages {
		out = append(out, Event{m, false}, Event{m, true})
	}
	return out
}

// transitions is the state table of RFC 0454: what is not in it is refused.
// A problem report, either way, ends every exchange that has begun and not ended.
var transitions = []struct {
	role Role
	from State
	on   Event
	to   State
}{
	{RoleVerifier, Start, Event{propose, false}, ProposalReceived},
	{RoleVerifier, Start, Event{request, true}, RequestSent},
	{RoleVerifier, ProposalReceived, Event{request, true}, RequestSent},
	{RoleVerifier, ProposalReceived, Event{problem, true}, Abandoned},
	{RoleVerifier, ProposalReceived, Event{problem, false}, Abandoned},
	{RoleVerifier, RequestSent, Event{propose, false}, ProposalReceived},
	{RoleVerifier, RequestSent, Event{presentation, false}, PresentationReceived},
	{RoleVerifier, RequestSent, Event{problem, true}, Abandoned},
	{RoleVerifier, RequestSent, Event{problem, false}, Abandoned},
	{RoleVerifier, PresentationReceived, Event{ack, true}, Done},
	{RoleVerifier, PresentationReceived, Event{problem, true}, Abandoned},
	{RoleVerifier, PresentationReceived, Event{problem, false}, Abandoned},

	{RoleProver, Start, Event{propose, true}, ProposalSent},
	{RoleProver, Start, Event{request, false}, RequestReceived},
	{RoleProver, ProposalSent, Event{request, false}, RequestReceived},
	{RoleProver, ProposalSent, Event{problem, true}, Abandoned},
	{RoleProver, ProposalSent, Event{problem, false}, Abandoned},
	{RoleProver, RequestReceived, Event{propose, true}, ProposalSent},
	{RoleProver, RequestReceived, Event{presentation, true}, PresentationSent},
	{RoleProver, RequestReceived, Event{problem, true}, Abandoned},
	{RoleProver, RequestReceived, Event{problem, false}, Abandoned},
	{RoleProver, PresentationSent, Event{ack, false}, Done},
	{RoleProver, PresentationSent, Event{problem, true}, Abandoned},
	{RoleProver, PresentationSent, Event{problem, false}, Abandoned},
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
			_, err := Next("issuer", from, on)
			require.ErrorIs(t, err, ErrState)
		}
		for _, r := range allRoles {
			_, err := Next(r, from, Event{Message: "Presentation"})
			require.ErrorIs(t, err, ErrState)
		}
	}
}

// FuzzNext walks at random: an exchange that ended never moves again, and
// every exchange that began can be ended.
func FuzzNext(f *testing.F) {
	f.Add(true, []byte{3, 4, 7, 8})
	f.Add(false, []byte{2, 5, 6, 9})
	f.Fuzz(func(t *testing.T, verifier bool, walk []byte) {
		role := RoleProver
		if verifier {
			role = RoleVerifier
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
