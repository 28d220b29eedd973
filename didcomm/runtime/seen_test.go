package runtime_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

const fortnight = 14*24*time.Hour + 5*time.Minute // MaxAge and the skew of clocks

// What was seen is forgotten when nobody can send it any more, a few rows with each
// commit, and not before.
func TestSeen_Pruned(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	f := newFixture(t, func(c *runtime.Config) { c.Now = func() time.Time { return now } })
	const n = 3*runtime.PruneBatch + 1
	for i := range n {
		require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, "toy/1.0/ping", fmt.Sprint("old", i), "t1"))))
	}
	receive := func(id string) {
		require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, "toy/1.0/ping", id, "t1"))))
	}
	now = now.Add(fortnight)
	receive("new0")
	require.Len(t, f.store.now()["seen"], n+1)
	receive("old0")
	require.Equal(t, n+1, f.count("river/t1"), "a copy is still one")
	now = now.Add(time.Second)
	for i, left := range []int{n + 2 - runtime.PruneBatch, n + 3 - 2*runtime.PruneBatch, n + 4 - 3*runtime.PruneBatch, 5} {
		receive(fmt.Sprint("more", i))
		require.Len(t, f.store.now()["seen"], left, "commit %d", i)
	}
	receive("old0")
	require.Equal(t, n+6, f.count("river/t1"), "what comes later is for the protocol to judge")
}

// What a protocol did once is never forgotten.
func TestOnce_Kept(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	f := newFixture(t, func(c *runtime.Config) { c.Now = func() time.Time { return now } })
	for _, want := range []bool{true, false} {
		require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
			first, err := tx.Once("nonce", [32]byte{1})
			require.Equal(t, want, first)
			return err
		}))
		now = now.Add(2 * fortnight)
	}
}

// However many contents come under one id, they leave one row and one event.
func TestAbuse_DC05_ManyContentsUnderOneID(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for i := range 20 {
		m := message(t, "toy/1.0/ping", "m1", "t1")
		m.Body = []byte(fmt.Sprintf(`{"say":"%d"}`, i))
		err := f.Receive(t.Context(), f.from("river", m))
		if i > 0 {
			require.ErrorIs(t, err, didcomm.ErrConflict)
		}
	}
	require.Len(t, f.store.now()["seen"], 1)
	require.Equal(t, []string{"received/toy/ping ok river t1", "received/toy/ping conflict river t1"}, f.audit())
}

// Letters that were given up are remembered for as long.
func TestDead_Pruned(t *testing.T) {
	bubble(t, seldom, func(t *testing.T, f *fixture) {
		f.post.answer = func(delivery) error { return fmt.Errorf("%w: no", didcomm.ErrPermanent) }
		stop := f.run()
		f.send("river", message(t, "toy/1.0/ping", "m1", ""))
		f.settle()
		require.Equal(t, 1, f.pending().Dead)
		time.Sleep(fortnight + 2*time.Second)
		require.NoError(t, f.Update(t.Context(), func(didcomm.Tx) error { return nil }))
		require.Zero(t, f.pending().Dead)
		require.NoError(t, stop())
	})
}

// Every record says its version, and one of a newer version is refused by name.
func TestRecords_Version(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.HandleTask("sign", worker(nil))
	f.put("sign", "a")
	f.send("river", message(t, "toy/1.0/ping", "m1", ""))
	require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, "toy/1.0/ping", "m1", "t1"))))
	for kind, rows := range f.store.now() {
		for _, r := range rows {
			switch {
			case strings.HasPrefix(kind, "record/"): // the protocol's
			case kind == "seen":
				require.EqualValues(t, 1, r.data[0])
			default:
				require.True(t, strings.HasPrefix(string(r.data), `{"v":1,`), "%s %s", kind, r.data)
			}
		}
	}
	newer := func(kind string) {
		for i, r := range f.store.state[kind] {
			f.store.state[kind][i].data = []byte(strings.Replace(string(r.data), `{"v":1,`, `{"v":2,`, 1))
		}
	}
	newer("connection")
	require.ErrorIs(t, f.Receive(t.Context(), f.from("river", message(t, "toy/1.0/ping", "m2", "t1"))), runtime.ErrVersion)
	require.ErrorIs(t, f.View(t.Context(), func(tx didcomm.Tx) error { _, err := tx.Connection("river"); return err }), runtime.ErrVersion)
	newer("audit")
	for _, err := range f.AuditLog(t.Context()) {
		require.ErrorIs(t, err, runtime.ErrVersion)
	}
	newer("audit-head")
	require.ErrorIs(t, f.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Audit(didcomm.Event{}) }), runtime.ErrVersion)
}

func TestSeen_NewerOrBroken(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		data []byte
		want error
	}{
		"newer":   {append([]byte{2}, make([]byte, 60)...), runtime.ErrVersion},
		"zero":    {make([]byte, 60), nil},
		"short":   {[]byte{1, 2}, nil},
		"nothing": {nil, nil},
		"no flag": {append([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 7}, make([]byte, 32)...), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			m := message(t, "toy/1.0/ping", "m1", "t1")
			require.NoError(t, f.Receive(t.Context(), f.from("river", m)))
			f.store.state["seen"][0].data = tc.data
			err := f.Receive(t.Context(), f.from("river", m))
			require.Error(t, err)
			require.NotErrorIs(t, err, didcomm.ErrPermanent)
			if tc.want != nil {
				require.ErrorIs(t, err, tc.want)
			}
		})
	}
}

// A row that cannot be read holds up nothing.
func TestUnreadableRows(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		var d desk
		f.HandleTask("sign", &d)
		f.send("river", message(t, "toy/1.0/ping", "m0", ""), message(t, "toy/1.0/ping", "m1", ""))
		f.send("fern", message(t, "toy/1.0/ping", "m2", ""))
		f.put("sign", "a", "b", "c")
		f.store.state["outbox"][0].data = []byte("{")
		f.store.state["task"][0].data = []byte("{")
		f.store.state["task"][1].data = []byte(`{"v":2,"id":"b"}` + "\n")
		f.store.state["outbox-retry"] = []stored{{id: "river", data: []byte("{")}}
		f.restart(nil)
		f.HandleTask("sign", &d)
		stop := f.run()
		time.Sleep(2 * time.Second)
		require.ElementsMatch(t, []string{"m1", "m2"}, f.post.ids())
		require.Equal(t, []string{"c"}, d.all())
		require.ElementsMatch(t, []string{"unreadable/outbox discarded  ", "unreadable/task discarded  "}, f.audit())
		require.Equal(t, 1, f.pending().Tasks, "what a newer version wrote stays")
		require.NoError(t, stop())
	})
}
