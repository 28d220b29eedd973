package discover_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/discover"
)

// transitions is the table of the protocol: what is not in it is refused.
var transitions = []struct {
	role discover.Role
	from discover.State
	on   string
	sent bool
	to   discover.State
}{
	{discover.RoleRequester, discover.Start, "query", true, discover.Asked},
	{discover.RoleRequester, discover.Start, "queries", true, discover.Asked},
	{discover.RoleRequester, discover.Asked, "disclose", false, discover.Answered},
	{discover.RoleRequester, discover.Asked, "disclosures", false, discover.Answered},
	{discover.RoleRequester, discover.Asked, "problem-report", false, discover.Abandoned},
	{discover.RoleRequester, discover.Asked, "expired", false, discover.Abandoned},
	{discover.RoleResponder, discover.Start, "query", false, discover.Asked},
	{discover.RoleResponder, discover.Start, "queries", false, discover.Asked},
	{discover.RoleResponder, discover.Asked, "disclose", true, discover.Answered},
	{discover.RoleResponder, discover.Asked, "disclosures", true, discover.Answered},
	{discover.RoleResponder, discover.Asked, "problem-report", true, discover.Abandoned},
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, role := range []discover.Role{discover.RoleRequester, discover.RoleResponder, "", "other"} {
		for _, from := range []discover.State{discover.Start, discover.Asked, discover.Answered, discover.Abandoned, "other"} {
			for _, on := range []string{"query", "queries", "disclose", "disclosures", "problem-report", "expired", "", "other"} {
				for _, sent := range []bool{false, true} {
					want, fits := from, false
					for _, tr := range transitions {
						if tr.role == role && tr.from == from && tr.on == on && tr.sent == sent {
							want, fits = tr.to, true
						}
					}
					got, err := discover.Next(role, from, discover.Event{Message: on, Sent: sent})
					require.Equal(t, want, got, "%s in %q: %s %v", role, from, on, sent)
					if fits {
						require.NoError(t, err)
					} else {
						require.ErrorIs(t, err, discover.ErrState, "%s in %q: %s %v", role, from, on, sent)
					}
				}
			}
		}
	}
}
