package hop

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAllowance(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	var a Allowance
	spend := func(size int64) bool { return a.Spend(now, time.Minute, 100, size) }
	require.False(t, spend(101))
	require.True(t, spend(60))
	require.False(t, spend(41))
	require.True(t, spend(40))
	require.False(t, spend(1))
	a.Return(1)
	require.True(t, spend(1))
	a.Return(1000)
	require.Zero(t, a.Bytes)
	require.True(t, spend(100))
	now = now.Add(time.Minute - 1)
	require.False(t, spend(1))
	now = now.Add(1)
	require.True(t, spend(100))
	now = now.Add(-time.Hour) // the clock was set back
	require.True(t, spend(100))
}
