// Package didcommtest tests implementations of [didcomm.Store].
package didcommtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// Task is the kind of deferred work for which a store under test has a worker, which
// does nothing.
const Task = "didcommtest/task"

// TestStore tests each sentence of the contract of [didcomm.Store] and [didcomm.Tx]
// that can be seen through them. open returns an empty store, which delivers nothing,
// each time.
func TestStore(t *testing.T, open func(t *testing.T) didcomm.Store) {
	for name, test := range map[string]func(t *testing.T, s didcomm.Store){
		"records": records, "delete": deletes, "list": list, "once": once, "connections": connections,
		"two connections of one pair": pairs, "connections of V2": connectionsV2, "send": send, "rolled back": rolledBack, "view": view,
		"ended": ended, "snapshot": snapshot, "one after another": serial,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

type thing struct {
	Name string `json:"name"`
	HTML string `json:"html,omitempty"`
}

var errUndo = errors.New("didcommtest: undo")

func update(t *testing.T, s didcomm.Store, f func(tx didcomm.Tx)) {
	t.Helper()
	require.NoError(t, s.Update(context.Background(), func(tx didcomm.Tx) error { f(tx); return nil }))
}

func look(t *testing.T, s didcomm.Store, f func(tx didcomm.Tx)) {
	t.Helper()
	require.NoError(t, s.View(context.Background(), func(tx didcomm.Tx) error { f(tx); return nil }))
}

func key(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:]
}

func connection(id string) didcomm.Connection {
	return didcomm.Connection{
		ID: id, Label: "peer of " + id, MyKey: key("mine " + id), TheirKey: key("theirs " + id),
		Endpoint: "https://peer.example/" + id, Established: true, Created: time.Date(2026, 3, 6, 9, 0, 0, 5, time.UTC),
	}
}

func connectionV2(id string) didcomm.Connection {
	return didcomm.Connection{
		ID: id, Version: didcomm.V2, Mine: party("mine-" + id), Theirs: party("theirs-" + id), Prior: party("prior-" + id),
		Endpoint: "https://peer.example/" + id, Established: true, Created: time.Date(2026, 3, 6, 9, 0, 0, 5, time.UTC),
	}
}

func party(name string) did.DID {
	id, err := did.Parse("did:example:" + name)
	if err != nil {
		panic(err)
	}
	return id
}

func message(t *testing.T, id string, size int) *didcomm.Message {
	typ, err := didcomm.ParseType("https://didcomm.org/toy/1.0/ping")
	require.NoError(t, err)
	m, err := didcomm.New(id, typ, "", "", map[string]string{"text": strings.Repeat("x", size)})
	require.NoError(t, err)
	return m
}

func ids(t *testing.T, tx didcomm.Tx, kind string) (all []string) {
	for r, err := range tx.List(kind) {
		require.NoError(t, err)
		all = append(all, r.ID)
	}
	return all
}

func records(t *testing.T, s didcomm.Store) {
	update(t, s, func(tx didcomm.Tx) {
		require.ErrorIs(t, tx.Load("plant", "a", new(thing)), didcomm.ErrNotFound)
		require.NoError(t, tx.Save("plant", "a", thing{"rowan", "<b>"}))
		require.NoError(t, tx.Save("river", "a", "a text"))
		var got thing
		require.NoError(t, tx.Load("plant", "a", &got), "a transaction sees what it wrote")
		require.Equal(t, thing{"rowan", "<b>"}, got)
		require.Error(t, tx.Save("plant", "", thing{}), "without an id")
		require.Error(t, tx.Save("plant", "b", func() {}), "no JSON")
		require.ErrorIs(t, tx.Load("plant", "b", new(thing)), didcomm.ErrNotFound)
	})
	look(t, s, func(tx didcomm.Tx) {
		var text string
		require.NoError(t, tx.Load("river", "a", &text), "kinds are apart")
		require.Equal(t, "a text", text)
		require.Error(t, tx.Load("river", "a", new(thing)), "another shape")
	})
}

func deletes(t *testing.T, s didcomm.Store) {
	update(t, s, func(tx didcomm.Tx) {
		for _, id := range []string{"a", "b", "c"} {
			require.NoError(t, tx.Save("plant", id, thing{Name: id}))
		}
		require.NoError(t, tx.Save("river", "b", thing{}))
		require.NoError(t, tx.Delete("plant", "b"))
		require.ErrorIs(t, tx.Load("plant", "b", new(thing)), didcomm.ErrNotFound)
		require.Equal(t, []string{"a", "c"}, ids(t, tx, "plant"))
	})
	update(t, s, func(tx didcomm.Tx) {
		require.NoError(t, tx.Delete("plant", "b"), "none is no error")
		require.NoError(t, tx.Delete("unknown", "b"))
		for r, err := range tx.List("plant") { // while it is read
			require.NoError(t, err)
			require.NoError(t, tx.Delete("plant", r.ID))
		}
		require.Empty(t, ids(t, tx, "plant"))
	})
	look(t, s, func(tx didcomm.Tx) {
		require.Empty(t, ids(t, tx, "plant"))
		require.Equal(t, []string{"b"}, ids(t, tx, "river"), "another kind is untouched")
	})
}

func list(t *testing.T, s didcomm.Store) {
	update(t, s, func(tx didcomm.Tx) {
		for _, id := range []string{"c", "a", "b"} {
			require.NoError(t, tx.Save("plant", id, thing{Name: id}))
		}
	})
	update(t, s, func(tx didcomm.Tx) { require.NoError(t, tx.Save("plant", "a", thing{Name: "changed"})) })
	look(t, s, func(tx didcomm.Tx) {
		require.Equal(t, []string{"c", "a", "b"}, ids(t, tx, "plant"), "a replaced record keeps its place")
		require.Empty(t, ids(t, tx, "river"))
		for r, err := range tx.List("plant") {
			require.NoError(t, err)
			require.JSONEq(t, `{"name":"c"}`, string(r.Data))
			break // leaving early is allowed
		}
	})
}

func once(t *testing.T, s didcomm.Store) {
	for i, want := range []bool{true, false, false} {
		update(t, s, func(tx didcomm.Tx) {
			first, err := tx.Once("key", [32]byte{1})
			require.NoError(t, err)
			require.Equal(t, want, first, "time %d", i)
		})
	}
	update(t, s, func(tx didcomm.Tx) {
		_, err := tx.Once("key", [32]byte{2})
		require.ErrorIs(t, err, didcomm.ErrConflict)
		first, err := tx.Once("other", [32]byte{2})
		require.NoError(t, err)
		require.True(t, first)
	})
}

func connections(t *testing.T, s didcomm.Store) {
	c := connection("a")
	update(t, s, func(tx didcomm.Tx) {
		_, err := tx.Connection("a")
		require.ErrorIs(t, err, didcomm.ErrNotFound)
		require.NoError(t, tx.SaveConnection(c))
		for name, wrong := range map[string]didcomm.Connection{
			"no id":      {MyKey: key("x"), TheirKey: key("y")},
			"no key":     {ID: "b"},
			"half a key": {ID: "b", MyKey: key("x"), TheirKey: key("y")[:16]},
		} {
			require.Error(t, tx.SaveConnection(wrong), name)
		}
	})
	update(t, s, func(tx didcomm.Tx) {
		got, err := tx.Connection("a")
		require.NoError(t, err)
		require.Equal(t, c, got)
		c.Label = "renamed"
		require.NoError(t, tx.SaveConnection(c))
		require.NoError(t, tx.SaveConnection(didcomm.Connection{ID: "unfinished", MyKey: key("mine")}))
	})
	update(t, s, func(tx didcomm.Tx) {
		got, err := tx.Connection("a")
		require.NoError(t, err)
		require.Equal(t, "renamed", got.Label)
		require.NoError(t, tx.DeleteConnection("a"))
		require.NoError(t, tx.DeleteConnection("a"), "none is no error")
		_, err = tx.Connection("a")
		require.ErrorIs(t, err, didcomm.ErrNotFound)
		require.NoError(t, tx.Send(c, message(t, "goodbye", 10)), "one that is gone can still be written to")
	})
}

func pairs(t *testing.T, s didcomm.Store) {
	update(t, s, func(tx didcomm.Tx) { require.NoError(t, tx.SaveConnection(connection("a"))) })
	twin := connection("a")
	twin.ID = "twin"
	err := s.Update(context.Background(), func(tx didcomm.Tx) error { return tx.SaveConnection(twin) })
	require.ErrorIs(t, err, didcomm.ErrConflict)
	update(t, s, func(tx didcomm.Tx) {
		_, err := tx.Connection("twin")
		require.ErrorIs(t, err, didcomm.ErrNotFound)
		require.NoError(t, tx.DeleteConnection("a"))
		require.NoError(t, tx.SaveConnection(twin), "its keys are free")
	})
}

func connectionsV2(t *testing.T, s didcomm.Store) {
	c := connectionV2("a")
	update(t, s, func(tx didcomm.Tx) {
		require.NoError(t, tx.SaveConnection(c))
		mixed, nobody := connectionV2("b"), connectionV2("b")
		mixed.MyKey, nobody.Mine = key("x"), did.DID{}
		require.Error(t, tx.SaveConnection(mixed), "with a key of V1")
		require.Error(t, tx.SaveConnection(nobody), "without a DID")
		require.NoError(t, tx.SaveConnection(didcomm.Connection{ID: "unfinished", Version: didcomm.V2, Mine: party("x")}))
		require.NoError(t, tx.SaveConnection(c), "again")
	})
	look(t, s, func(tx didcomm.Tx) {
		got, err := tx.Connection("a")
		require.NoError(t, err)
		require.Equal(t, c, got)
	})
	twin := connectionV2("a")
	twin.ID = "twin"
	err := s.Update(context.Background(), func(tx didcomm.Tx) error { return tx.SaveConnection(twin) })
	require.ErrorIs(t, err, didcomm.ErrConflict)
	rotated := c
	rotated.Theirs = party("new")
	update(t, s, func(tx didcomm.Tx) {
		require.NoError(t, tx.SaveConnection(rotated))
		require.NoError(t, tx.SaveConnection(twin), "its names are free")
	})
}

func send(t *testing.T, s didcomm.Store) {
	update(t, s, func(tx didcomm.Tx) {
		require.NoError(t, tx.Send(connection("a"), message(t, "m1", 10)))
		stranger := connection("a")
		stranger.ID = ""
		require.NoError(t, tx.Send(stranger, message(t, "m2", 10)), "without a connection")
		require.ErrorIs(t, tx.Send(connection("a"), message(t, "m3", didcomm.MaxMessage)), didcomm.ErrPermanent)
		nowhere, nobody := connection("a"), connection("a")
		nowhere.Endpoint, nobody.TheirKey = "", nil
		require.NoError(t, tx.Send(nowhere, message(t, "m4", 10)), "it waits for the peer to call")
		require.Error(t, tx.Send(nobody, message(t, "m5", 10)))
		of2 := *message(t, "m6", 10)
		of2.Version = didcomm.V2
		require.Error(t, tx.Send(connection("a"), &of2), "of another version than its connection")
		require.NoError(t, tx.Send(connectionV2("b"), &of2))
		require.Error(t, tx.Send(connectionV2("b"), message(t, "m7", 10)))
		unnamed := connectionV2("b")
		unnamed.Theirs = did.DID{}
		require.Error(t, tx.Send(unnamed, &of2))
		require.NoError(t, tx.Defer(Task, "id"))
		require.NoError(t, tx.Audit(didcomm.Event{Action: "test", Outcome: "ok"}))
	})
}

func rolledBack(t *testing.T, s didcomm.Store) {
	update(t, s, func(tx didcomm.Tx) {
		require.NoError(t, tx.Save("plant", "kept", thing{Name: "kept"}))
		require.NoError(t, tx.SaveConnection(connection("kept")))
	})
	undone := func(tx didcomm.Tx) {
		assert.NoError(t, tx.Save("plant", "kept", thing{Name: "changed"}))
		assert.NoError(t, tx.Save("plant", "new", thing{}))
		assert.NoError(t, tx.Delete("plant", "kept"))
		assert.NoError(t, tx.SaveConnection(connection("new")))
		assert.NoError(t, tx.DeleteConnection("kept"))
		_, err := tx.Once("new", [32]byte{})
		assert.NoError(t, err)
	}
	err := s.Update(context.Background(), func(tx didcomm.Tx) error { undone(tx); return errUndo })
	require.ErrorIs(t, err, errUndo)
	require.Panics(t, func() {
		_ = s.Update(context.Background(), func(tx didcomm.Tx) error { undone(tx); panic("didcommtest") })
	})
	update(t, s, func(tx didcomm.Tx) {
		var got thing
		require.NoError(t, tx.Load("plant", "kept", &got))
		require.Equal(t, "kept", got.Name)
		require.Equal(t, []string{"kept"}, ids(t, tx, "plant"))
		_, err := tx.Connection("kept")
		require.NoError(t, err)
		_, err = tx.Connection("new")
		require.ErrorIs(t, err, didcomm.ErrNotFound)
		first, err := tx.Once("new", [32]byte{})
		require.NoError(t, err)
		require.True(t, first)
	})
	require.ErrorIs(t, s.View(context.Background(), func(didcomm.Tx) error { return errUndo }), errUndo)
}
