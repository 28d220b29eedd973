package didcommtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// changes are the methods that change something.
func changes(t *testing.T) map[string]func(tx didcomm.Tx) error {
	m := message(t, "m1", 10)
	return map[string]func(tx didcomm.Tx) error{
		"Save":             func(tx didcomm.Tx) error { return tx.Save("plant", "new", thing{}) },
		"Delete":           func(tx didcomm.Tx) error { return tx.Delete("plant", "a") },
		"SaveConnection":   func(tx didcomm.Tx) error { return tx.SaveConnection(connection("new")) },
		"DeleteConnection": func(tx didcomm.Tx) error { return tx.DeleteConnection("a") },
		"Send":             func(tx didcomm.Tx) error { return tx.Send(connection("a"), m) },
		"Defer":            func(tx didcomm.Tx) error { return tx.Defer(Task, "id") },
		"Audit":            func(tx didcomm.Tx) error { return tx.Audit(didcomm.Event{Action: "test"}) },
		"Once":             func(tx didcomm.Tx) error { _, err := tx.Once("key", [32]byte{1}); return err },
	}
}

func view(t *testing.T, s didcomm.Store) {
	update(t, s, func(tx didcomm.Tx) {
		require.NoError(t, tx.Save("plant", "a", thing{}))
		require.NoError(t, tx.SaveConnection(connection("a")))
	})
	look(t, s, func(tx didcomm.Tx) {
		for name, change := range changes(t) {
			require.Error(t, change(tx), name)
		}
	})
	look(t, s, func(tx didcomm.Tx) {
		require.Equal(t, []string{"a"}, ids(t, tx, "plant"))
		_, err := tx.Connection("a")
		require.NoError(t, err)
	})
}

func ended(t *testing.T, s didcomm.Store) {
	var kept didcomm.Tx
	update(t, s, func(tx didcomm.Tx) {
		kept = tx
		require.NoError(t, tx.Save("plant", "a", thing{}))
	})
	for name, change := range changes(t) {
		require.Error(t, change(kept), name)
	}
	err := kept.Load("plant", "a", new(thing))
	require.Error(t, err)
	require.NotErrorIs(t, err, didcomm.ErrNotFound)
	_, err = kept.Connection("a")
	require.Error(t, err)
	require.NotErrorIs(t, err, didcomm.ErrNotFound)
	n := 0
	for _, err := range kept.List("plant") {
		require.Error(t, err)
		n++
	}
	require.Equal(t, 1, n)
}

// snapshot writes while a View is open.
func snapshot(t *testing.T, s didcomm.Store) {
	update(t, s, func(tx didcomm.Tx) { require.NoError(t, tx.Save("plant", "a", thing{Name: "before"})) })
	look(t, s, func(tx didcomm.Tx) {
		update(t, s, func(tx didcomm.Tx) {
			require.NoError(t, tx.Save("plant", "a", thing{Name: "after"}))
			require.NoError(t, tx.Save("plant", "b", thing{}))
		})
		var got thing
		require.NoError(t, tx.Load("plant", "a", &got))
		require.Equal(t, "before", got.Name)
		require.Equal(t, []string{"a"}, ids(t, tx, "plant"))
	})
}

// serial counts in many goroutines at once.
func serial(t *testing.T, s didcomm.Store) {
	const n = 20
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			err := s.Update(context.Background(), func(tx didcomm.Tx) error {
				var count int
				if err := tx.Load("plant", "count", &count); err != nil && !errors.Is(err, didcomm.ErrNotFound) {
					return err
				}
				return tx.Save("plant", "count", count+1)
			})
			assert.NoError(t, err)
		})
	}
	all.Wait()
	look(t, s, func(tx didcomm.Tx) {
		var count int
		require.NoError(t, tx.Load("plant", "count", &count))
		require.Equal(t, fmt.Sprint(n), fmt.Sprint(count))
	})
}
