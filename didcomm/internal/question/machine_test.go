package question

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// transitions is the table: what is not in it is refused.
var transitions = []struct {
	role Role
	from State
	on   string
	sent bool
	to   State
}{
	{Asker, Start, "hello", true, Asked},
	{Asker, Asked, "yes", false, Answered},
	{Asker, Asked, Problem, false, Abandoned},
	{Asker, Asked, Expired, false, Abandoned},

	{Answerer, Start, "hello", false, Asked},
	{Answerer, Asked, "yes", true, Answered},
	{Answerer, Asked, Problem, true, Abandoned},
}

func TestNext(t *testing.T) {
	t.Parallel()
	names := Names{Questions: []string{"hello"}, Answers: []string{"no", "yes"}}
	for _, role := range []Role{Asker, Answerer, "", "other"} {
		for _, from := range []State{Start, Asked, Answered, Abandoned, "other"} {
			for _, on := range []string{"hello", "yes", Problem, Expired, "", "other"} {
				for _, sent := range []bool{false, true} {
					want, fits := from, false
					for _, tr := range transitions {
						if tr.role == role && tr.from == from && tr.on == on && tr.sent == sent {
							want, fits = tr.to, true
						}
					}
					got, ok := names.Next(role, from, Event{on, sent})
					require.Equal(t, want, got, "%s in %q: %s %v", role, from, on, sent)
					require.Equal(t, fits, ok, "%s in %q: %s %v", role, from, on, sent)
				}
			}
		}
	}
}
