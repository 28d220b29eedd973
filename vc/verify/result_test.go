package verify

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestVerdictNeedsEveryCheck: a list with a check that nobody made, and that the
// policy does not leave to the caller, is refused whichever check it is.
func TestVerdictNeedsEveryCheck(t *testing.T) {
	t.Parallel()
	for _, checks := range [][]Check{credentialChecks(false), credentialChecks(true), presentationChecks()} {
		for _, forgotten := range checks {
			l := newLog(2, checks)
			for _, c := range checks {
				if c != forgotten {
					l.record(c, nil)
				}
			}
			err := verdict(l.entries)
			require.ErrorIs(t, err, ErrConfig, forgotten)
			require.Equal(t, forgotten, err.Check)
			require.Equal(t, 2, err.Index)

			l.leave(forgotten, "The caller does.")
			require.Nil(t, verdict(l.entries))
			l.record(checks[0], wrong(ErrSyntax, nil))
			require.ErrorIs(t, verdict(l.entries), ErrSyntax)
		}
	}
}

// TestPresentedWithoutHolder: a credential of a presentation whose holder got lost
// on the way is not taken for one that came by itself.
func TestPresentedWithoutHolder(t *testing.T) {
	t.Parallel()
	l := newLog(0, credentialChecks(true))
	for _, c := range credentialChecks(false) {
		l.record(c, nil)
	}
	err := verdict(l.entries)
	require.ErrorIs(t, err, ErrConfig)
	require.Equal(t, CheckHolder, err.Check)
}

func TestResult_String(t *testing.T) {
	t.Parallel()
	require.Equal(t, "format: passed", Result{Index: Whole, Check: CheckFormat, Outcome: Passed}.String())
	require.Equal(t, "credential 1 status: failed (revoked)",
		Result{Index: 1, Check: CheckStatus, Outcome: Failed, Code: ErrRevoked}.String())
}
