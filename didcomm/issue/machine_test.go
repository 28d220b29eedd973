package issue

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	allRoles  = []Role{RoleIssuer, RoleHolder}
	allStates = []State{Start, ProposalReceived, OfferSent, RequestReceived, CredentialIssued,
		ProposalSent, OfferReceived, RequestSent, CredentialReceived, Done, Abandoned}
	allMessages = []string{propose, offer, request, issue, ack, problem}
)

func allEvents() []Event {
	var out []Event
	for _, m := range allMessages {
		out = append(out, Event{m, false}, Event{m, true})
	}
	return out
}

// transitions is the state table of RFC 0453: what is not in it is refused.
// A problem report, either way, ends every exchange that has begun and not ended.
var transitions = []struct {
	role Role
	from State
	on   Event
	to   State
}{
	{RoleIssuer, Start, Event{propose, false}, ProposalReceived},
	{RoleIssuer, Start, Event{offer, true}, OfferSent},
	{RoleIssuer, Start, Event{request, false}, RequestReceived},
	{RoleIssuer, ProposalReceived, Event{offer, true}, OfferSent},
	{RoleIssuer, ProposalReceived, Event{problem, true}, Abandoned},
	{RoleIssuer, ProposalReceived, Event{problem, false}, Abandoned},
	{RoleIssuer, OfferSent, Event{propose, false}, ProposalReceived},
	{RoleIssuer, OfferSent, Event{request, false}, RequestReceived},
	{RoleIssuer, OfferSent, Event{problem, true}, Abandoned},
	{RoleIssuer, OfferSent, Event{problem, false}, Abandoned},
	{RoleIssuer, RequestReceived, Event{issue, true}, CredentialIssued},
	{RoleIssuer, RequestReceived, Event{problem, true}, Abandoned},
	{RoleIssuer, RequestReceived, Event{problem, false}, Abandoned},
	{RoleIssuer, CredentialIssued, Event{ack, false}, Done},
	{RoleIssuer, CredentialIssued, Event{problem, true}, Abandoned},
	{RoleIssuer, CredentialIssued, Event{problem, false}, Abandoned},

	{RoleHolder, Start, Event{propose, true}, ProposalSent},
	{RoleHolder, Start, Event{offer, false}, OfferReceived},
	{RoleHolder, Start, Event{request, true}, RequestSent},
	{RoleHolder, ProposalSent, Event{offer, false}, OfferReceived},
	{RoleHolder, ProposalSent, Event{problem, true}, Abandoned},
	{RoleHolder, ProposalSent, Event{problem, false}, Abandoned},
	{RoleHolder, OfferReceived, Event{propose, true}, ProposalSent},
	{RoleHolder, OfferReceived, Event{request, true}, RequestSent},
	{RoleHolder, OfferReceived, Event{problem, true}, Abandoned},
	{RoleHolder, OfferReceived, Event{problem, false}, Abandoned},
	{RoleHolder, RequestSent, Event{issue, false}, CredentialReceived},
	{RoleHolder, RequestSent, Event{problem, true}, Abandoned},
	{RoleHolder, RequestSent, Event{problem, false}, Abandoned},
	{RoleHolder, CredentialReceived, Event{ack, true}, Done},
	{RoleHolder, CredentialReceived, Event{problem, true}, Abandoned},
	{RoleHolder, CredentialReceived, Event{problem, false}, Abandoned},
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
			_, err := Next("verifier", from, on)
			require.ErrorIs(t, err, ErrState)
		}
		for _, r := range allRoles {
			_, err := Next(r, from, Event{Message: "offer-Credential"})
			require.ErrorIs(t, err, ErrState)
		}
	}
}

// FuzzNext walks at random: an exchange that ended never moves again, and
// every exchange that began can be ended.
func FuzzNext(f *testing.F) {
	f.Add(true, []byte{3, 4, 7, 8})
	f.Add(false, []byte{2, 5, 6, 9})
	f.Fuzz(func(t *testing.T, issuer bool, walk []byte) {
		role := RoleHolder
		if issuer {
			role = RoleIssuer
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
