package exchange_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

type record struct {
	ID, Role string
	Ended    bool
}

var errState = errors.New("test: not now")

func newParty(store didcomm.Store, role string) exchange.Party[record] {
	return exchange.Party[record]{
		Store: store, Protocol: "test", Kind: "test", Beside: "test/beside", State: errState,
		Of: func(x *record) exchange.Head {
			return exchange.Head{ID: x.ID, Connection: "c", Thread: "t", Ours: x.Role == role, Ended: x.Ended}
		},
	}
}

func TestParty(t *testing.T) {
	t.Parallel()
	store := new(memtx.Store)
	p, other := newParty(store, "a"), newParty(store, "b")
	require.WithinDuration(t, time.Now(), p.Now(), time.Minute)
	require.NotEqual(t, p.NewID(), p.NewID())
	save := func(id, role string, ended bool) {
		require.NoError(t, store.Update(t.Context(), func(tx didcomm.Tx) error {
			require.NoError(t, tx.Save("test/beside", id, "x"))
			return p.Save(tx, &record{id, role, ended}, "message sent", "ok")
		}))
	}
	save("1", "a", false)
	save("2", "a", true)
	save("3", "b", false)
	require.Len(t, store.Records("test/beside"), 2, "what is beside a record goes with its end")

	_, err := p.View(t.Context(), "3")
	require.ErrorIs(t, err, didcomm.ErrNotFound, "of the other side")
	_, err = other.View(t.Context(), "3")
	require.NoError(t, err)
	all, err := p.All(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.NoError(t, store.View(t.Context(), func(tx didcomm.Tx) error {
		x, err := p.Find(tx, "3")
		require.Nil(t, x)
		return err
	}))

	n, err := p.Expire(t.Context(), func(x *record) bool { return !x.Ended }, func(tx didcomm.Tx, x *record) error {
		x.Ended = true
		return p.Save(tx, x, "ended", "expired")
	})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.ErrorIs(t, other.Remove(t.Context(), "3"), errState)
	require.NoError(t, p.Remove(t.Context(), "1"))
	require.ErrorIs(t, p.Remove(t.Context(), "1"), didcomm.ErrNotFound)
	require.Len(t, store.Records("test"), 2)
}

func TestConnection(t *testing.T) {
	t.Parallel()
	n := memtx.NewNode("c")
	n.Connect("new", false)
	p := newParty(&n.Store, "a")
	require.NoError(t, n.Store.Update(t.Context(), func(tx didcomm.Tx) error {
		_, err := p.Established(tx, "c")
		require.NoError(t, err)
		_, err = p.Established(tx, "new")
		require.ErrorIs(t, err, errState)
		_, err = p.Established(tx, "nobody")
		require.True(t, exchange.Gone(err))
		require.ErrorIs(t, err, didcomm.ErrNotFound)
		require.False(t, exchange.Gone(didcomm.ErrNotFound))
		name := func(didcomm.Version) didcomm.Type {
			return didcomm.Type{Protocol: "test", Major: 1, Name: "problem-report"}
		}
		require.NoError(t, exchange.Report(tx, "nobody", "t", name, "r1", didcomm.Problem{Code: "x"}), "nobody to tell")
		return exchange.Report(tx, "c", "t", name, "r2", didcomm.Problem{Code: "x"})
	}))
	require.Len(t, n.Store.TakeOutbox(), 1)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	major := func(v didcomm.Version) int { return int(v) + 1 }
	m := &didcomm.Message{Type: didcomm.Type{Protocol: "test", Major: 2, Name: "x"}}
	require.NoError(t, exchange.CheckVersion(didcomm.Connection{}, m, major))
	for begun, code := range map[bool]string{true: exchange.CodeOutOfOrder, false: exchange.CodeNoThread} {
		var p *didcomm.Problem
		require.ErrorAs(t, exchange.Unexpected(begun, errState), &p)
		require.Equal(t, code, p.Code)
	}
	for _, bad := range []didcomm.Message{
		{Type: didcomm.Type{Protocol: "test", Major: 3, Name: "x"}},
		{Version: didcomm.V2, Type: didcomm.Type{Protocol: "test", Major: 3, Name: "x"}},
	} {
		var p *didcomm.Problem
		require.ErrorAs(t, exchange.CheckVersion(didcomm.Connection{}, &bad, major), &p)
		require.Equal(t, exchange.CodeNoThread, p.Code)
	}
}
