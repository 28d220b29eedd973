package runtime_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// audited makes a log of n records of two events each.
func audited(t *testing.T, n int) *fixture {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	f := newFixture(t, func(c *runtime.Config) { c.Now = func() time.Time { return now } })
	for i := range n {
		now = now.Add(time.Minute)
		require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
			for _, action := range []string{"first", "second"} {
				if err := tx.Audit(didcomm.Event{Action: fmt.Sprint(action, i), Outcome: "ok"}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return f
}

func TestAuditLog(t *testing.T) {
	t.Parallel()
	f := audited(t, 3)
	var got []string
	for e, err := range f.AuditLog(t.Context()) {
		require.NoError(t, err)
		got = append(got, e.Time.Format("04 ")+e.Action)
	}
	require.Equal(t, []string{"01 first0", "01 second0", "02 first1", "02 second1", "03 first2", "03 second2"}, got)
	f.restart(nil)
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Audit(didcomm.Event{Action: "later"}) }))
	require.Len(t, f.audit(), 7)
}

func TestAuditLog_Break(t *testing.T) {
	t.Parallel()
	f := audited(t, 3)
	n := 0
	for _, err := range f.AuditLog(t.Context()) {
		require.NoError(t, err)
		if n++; n == 3 {
			break
		}
	}
	require.Equal(t, 3, n)
}

func TestAuditLog_Empty(t *testing.T) {
	t.Parallel()
	require.Empty(t, newFixture(t, nil).audit())
}

func TestAuditLog_Altered(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(log []stored) []stored
	}{
		{"first removed", func(log []stored) []stored { return log[1:] }},
		{"one removed", func(log []stored) []stored { return slices.Delete(log, 2, 3) }},
		{"last removed", func(log []stored) []stored { return log[:4] }},
		{"all removed", func([]stored) []stored { return nil }},
		{"two exchanged", func(log []stored) []stored { log[1], log[2] = log[2], log[1]; return log }},
		{"one doubled", func(log []stored) []stored { return slices.Insert(log, 2, log[1]) }},
		{"one under another name", func(log []stored) []stored { log[1].id = log[4].id; return log }},
		{"first edited", func(log []stored) []stored { return edit(log, 0) }},
		{"one edited", func(log []stored) []stored { return edit(log, 2) }},
		{"last edited", func(log []stored) []stored { return edit(log, 4) }},
		{"one unreadable", func(log []stored) []stored { log[2].data = []byte("{"); return log }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := audited(t, 5)
			f.store.state["audit"] = tc.change(slices.Clone(f.store.state["audit"]))
			var failed error
			for _, err := range f.AuditLog(t.Context()) {
				require.NoError(t, failed, "an error is the end")
				failed = err
			}
			require.ErrorIs(t, failed, runtime.ErrAudit)
		})
	}
}

func edit(log []stored, i int) []stored {
	log[i].data = bytes.Replace(log[i].data, []byte(`"ok"`), []byte(`"no"`), 1)
	return log
}

// A log with no record, of which only the head is gone, is found as well.
func TestAuditLog_HeadRemoved(t *testing.T) {
	t.Parallel()
	f := audited(t, 2)
	delete(f.store.state, "audit-head")
	var failed error
	for _, err := range f.AuditLog(t.Context()) {
		failed = err
	}
	require.ErrorIs(t, failed, runtime.ErrAudit)
}

// The log is in one zone, whatever that of the machine is.
func TestAuditLog_UTC(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.FixedZone("summer", 3600))
	f := newFixture(t, func(c *runtime.Config) { c.Now = func() time.Time { return now } })
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Audit(didcomm.Event{Action: "x"}) }))
	for e, err := range f.AuditLog(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, now.UTC(), e.Time)
	}
}
