package runtime_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// worker is a didcomm.Worker; nil does nothing.
type worker func(ctx context.Context, id string) error

func (w worker) Work(ctx context.Context, id string) error {
	if w == nil {
		return nil
	}
	return w(ctx, id)
}

func TestTx_Records(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
		return errors.Join(
			tx.Save("plant", "b", note{1}),
			tx.Save("plant", "a", note{2}),
			tx.Save("plant", "b", note{3}), // keeps its place
			tx.Save("outbox", "x", note{4}),
			tx.Save("connection", "x", note{5}),
		)
	}))
	require.Zero(t, f.pending(), "a protocol's kinds are its own")
	require.NoError(t, f.View(t.Context(), func(tx didcomm.Tx) error {
		var all []string
		for r, err := range tx.List("plant") {
			require.NoError(t, err)
			all = append(all, r.ID+string(r.Data))
		}
		require.Equal(t, []string{`b{"count":3}`, `a{"count":2}`}, all)
		var n note
		require.ErrorIs(t, tx.Load("plant", "c", &n), didcomm.ErrNotFound)
		_, err := tx.Connection("x")
		require.ErrorIs(t, err, didcomm.ErrNotFound)
		return nil
	}))
}

func TestTx_KeepsRawJSON(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
		return tx.Save("plant", "a", map[string]string{"x": "<fern & river>"})
	}))
	require.NoError(t, f.View(t.Context(), func(tx didcomm.Tx) error {
		for r, err := range tx.List("plant") {
			require.NoError(t, err)
			require.Equal(t, `{"x":"<fern & river>"}`, string(r.Data))
		}
		return nil
	}))
}

func TestTx_Once(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	once := func(key string, digest byte) (first bool, err error) {
		uerr := f.Update(t.Context(), func(tx didcomm.Tx) error {
			first, err = tx.Once(key, [32]byte{digest})
			return nil
		})
		return first, errors.Join(err, uerr)
	}
	first, err := once("a", 1)
	require.NoError(t, err)
	require.True(t, first)
	first, err = once("a", 1)
	require.NoError(t, err)
	require.False(t, first)
	_, err = once("a", 2)
	require.ErrorIs(t, err, didcomm.ErrConflict)
	first, err = once("b", 2)
	require.NoError(t, err)
	require.True(t, first)
}

func TestTx_Refuses(t *testing.T) {
	t.Parallel()
	m := message(t, "toy/1.0/ping", "m1", "")
	big := message(t, "toy/1.0/ping", "m1", "")
	big.Body = []byte(`{"x":"` + strings.Repeat("x", didcomm.MaxMessage-20) + `"}`)
	change := map[string]func(tx didcomm.Tx) error{
		"Delete":           func(tx didcomm.Tx) error { return tx.Delete("plant", "a") },
		"DeleteConnection": func(tx didcomm.Tx) error { return tx.DeleteConnection("river") },
		"Save":             func(tx didcomm.Tx) error { return tx.Save("plant", "a", note{}) },
		"SaveConnection":   func(tx didcomm.Tx) error { return tx.SaveConnection(connection("new", true)) },
		"Send":             func(tx didcomm.Tx) error { return tx.Send(connection("river", true), m) },
		"Defer":            func(tx didcomm.Tx) error { return tx.Defer("toy/work", "x") },
		"Audit":            func(tx didcomm.Tx) error { return tx.Audit(didcomm.Event{Action: "x"}) },
		"Once":             func(tx didcomm.Tx) error { _, err := tx.Once("x", [32]byte{}); return err },
	}
	read := map[string]func(tx didcomm.Tx) error{
		"Load":       func(tx didcomm.Tx) error { return tx.Load("plant", "a", new(note)) },
		"Connection": func(tx didcomm.Tx) error { _, err := tx.Connection("river"); return err },
		"List": func(tx didcomm.Tx) error {
			for _, err := range tx.List("plant") {
				return err
			}
			return nil
		},
	}
	wrong := map[string]func(tx didcomm.Tx) error{
		"record without id":       func(tx didcomm.Tx) error { return tx.Save("plant", "", note{}) },
		"record that is no JSON":  func(tx didcomm.Tx) error { return tx.Save("plant", "a", func() {}) },
		"connection without id":   func(tx didcomm.Tx) error { c := connection("new", true); c.ID = ""; return tx.SaveConnection(c) },
		"connection without keys": func(tx didcomm.Tx) error { return tx.SaveConnection(didcomm.Connection{ID: "new"}) },
		"connection with half a key": func(tx didcomm.Tx) error {
			c := connection("new", true)
			c.TheirKey = c.TheirKey[:16]
			return tx.SaveConnection(c)
		},
		"second connection of two keys": func(tx didcomm.Tx) error { c := connection("river", true); c.ID = "delta"; return tx.SaveConnection(c) },
		"send to nobody":                func(tx didcomm.Tx) error { c := connection("river", true); c.TheirKey = nil; return tx.Send(c, m) },
		"send too much":                 func(tx didcomm.Tx) error { return tx.Send(connection("river", true), big) },
		"task without a worker":         func(tx didcomm.Tx) error { return tx.Defer("unknown", "x") },
	}
	for name, do := range change {
		t.Run("view/"+name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.HandleTask("toy/work", worker(nil))
			before := f.store.now()
			require.NoError(t, f.View(t.Context(), func(tx didcomm.Tx) error { require.Error(t, do(tx)); return nil }))
			require.Equal(t, before, f.store.now())
		})
	}
	for _, set := range []map[string]func(tx didcomm.Tx) error{change, read} {
		for name, do := range set {
			t.Run("ended/"+name, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, nil)
				f.HandleTask("toy/work", worker(nil))
				var kept didcomm.Tx
				require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error { kept = tx; return nil }))
				require.Error(t, do(kept))
				_, ok := runtime.Underlying(kept)
				require.False(t, ok)
			})
		}
	}
	for name, do := range wrong {
		t.Run("wrong/"+name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			before := f.store.now()
			require.Error(t, f.Update(t.Context(), do))
			require.Equal(t, before, f.store.now())
		})
	}
}

func TestTx_SecondConnectionIsConflict(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	err := f.Update(t.Context(), func(tx didcomm.Tx) error {
		c := connection("river", true)
		c.ID = "delta"
		return tx.SaveConnection(c)
	})
	require.ErrorIs(t, err, didcomm.ErrConflict)
}

// A connection is found by the keys it has now.
func TestTx_ConnectionChangesKeys(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
		c, err := tx.Connection("river")
		if err != nil {
			return err
		}
		c.TheirKey = key("theirs river, new")
		return tx.SaveConnection(c)
	}))
	m := message(t, "toy/1.0/ping", "m1", "")
	require.ErrorIs(t, f.Receive(t.Context(), f.from("river", m)), runtime.ErrSender)
	require.NoError(t, f.Receive(t.Context(), seal(t, key("theirs river, new"), key("mine river"), m, 0)))
}

func TestUnderlying(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	fail := errors.New("fail")
	put := func(tx didcomm.Tx) error {
		s, ok := runtime.Underlying(tx)
		require.True(t, ok)
		return s.Put("own", "a", []byte("x"))
	}
	require.ErrorIs(t, f.Update(t.Context(), func(tx didcomm.Tx) error { return errors.Join(put(tx), fail) }), fail)
	require.Empty(t, f.store.now()["own"])
	require.NoError(t, f.Update(t.Context(), put))
	require.Len(t, f.store.now()["own"], 1)
	_, ok := runtime.Underlying(nil)
	require.False(t, ok)
}

func TestRegister(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.Handle("toy", 2, f.toy)
	f.HandleTask("work", worker(nil))
	require.Panics(t, func() { f.Handle("toy", 1, f.toy) })
	require.Panics(t, func() { f.HandleOpen("toy", 1, opener{f.toy}) })
	require.Panics(t, func() { f.HandleTask("work", worker(nil)) })
	for _, c := range []runtime.Config{{}, {Store: f.store, Packer: f.pack}, {Store: f.store, Sender: f.post}, {Packer: f.pack, Sender: f.post}} {
		_, err := runtime.New(c)
		require.Error(t, err)
	}
}
