package connect

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
)

// met is Hazel with a connection to Alder that a reusable invitation led to.
func met(t testing.TB, w *world, v didcomm.Version) (connection string) {
	t.Helper()
	i, id := w.invite(Invite{Reusable: true, Version: v}, w.hazel)
	require.NotEmpty(t, i.DID)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	if v == didcomm.V2 {
		w.settle2()
	} else {
		w.settle()
	}
	x, err := w.hazel.Exchange(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, Completed, x.State)
	return id
}

// of returns the connection of the other party.
func (w *world) of(p *party) string {
	w.t.Helper()
	all, err := p.Exchanges(w.t.Context())
	require.NoError(w.t, err)
	return all[0].ID
}

// pass hands an out-of-band message to its recipient.
func (w *world) pass(s memtx.Sent) error {
	w.t.Helper()
	for _, to := range w.parties() {
		if to.keys.has(s.Connection.TheirKey) {
			return to.store.Deliver(w.t.Context(), to, w.of(to), s.Message)
		}
	}
	w.t.Fatal("nobody has the key")
	return nil
}

// TestReuse: the second invitation of the same inviter is answered on the connection that
// the first one made (RFC 0434, "Reuse Messages").
func TestReuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	connection := met(t, w, didcomm.V1)
	heard := map[*party]string{}
	for _, p := range []*party{w.alder, w.hazel} {
		p.Reused = func(_ context.Context, _ didcomm.Tx, c didcomm.Connection, invitation string) error {
			heard[p] = c.ID + " " + invitation
			return nil
		}
	}
	j, id := w.invite(Invite{Reusable: true, GoalCode: "request-proof", Expires: start.Add(time.Hour)}, w.hazel)
	got, err := w.hazel.Reusable(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, connection, got)
	require.NoError(t, w.hazel.Reuse(t.Context(), id))
	sent := w.hazel.store.TakeOutbox()
	require.Len(t, sent, 1)
	m := sent[0].Message
	require.Equal(t, "https://didcomm.org/out-of-band/1.1/handshake-reuse", m.Type.String())
	require.Equal(t, m.ID, m.Thread)
	require.Equal(t, j.ID, m.Parent)
	require.NoError(t, w.pass(sent[0]))
	answer := w.alder.store.TakeOutbox()
	require.Len(t, answer, 1)
	require.Equal(t, "https://didcomm.org/out-of-band/1.1/handshake-reuse-accepted", answer[0].Message.Type.String())
	require.Equal(t, m.ID, answer[0].Message.Thread)
	require.Equal(t, j.ID, answer[0].Message.Parent)
	x, err := w.hazel.Exchange(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, InvitationReceived, x.State, "until it is accepted")
	require.NoError(t, w.pass(answer[0]))
	x, err = w.hazel.Exchange(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, Abandoned, x.State)
	require.Equal(t, Reused, x.Code)
	require.Equal(t, oob.Done, w.hazel.life(t, id))
	require.Equal(t, map[*party]string{w.alder: w.of(w.alder) + " " + j.ID, w.hazel: connection + " " + j.ID}, heard)
	require.Len(t, w.alder.made, 1, "no second connection")
	require.ErrorIs(t, w.hazel.Reuse(t.Context(), id), didcomm.ErrNotFound)

	made, err := w.alder.Invitations(t.Context())
	require.NoError(t, err)
	require.Equal(t, oob.Done, made[1].Life)
	require.Equal(t, 1, made[1].Used)
	require.Equal(t, made[0].DID, made[1].DID)

	// It was used: a third party's request is turned away.
	late, err := w.wye.Receive(t.Context(), j)
	require.NoError(t, err)
	require.NoError(t, w.wye.Connect(t.Context(), late))
	require.NoError(t, w.deliver(w.wye.store.TakeOutbox()[0]))
	require.Equal(t, "problem_report", w.alder.store.TakeOutbox()[0].Message.Type.Name)
}

// TestReuse_NotAccepted: the regular way stays open.
func TestReuse_NotAccepted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(w *world, j didcomm.Invitation)
		code   string
	}{
		"withdrawn": {func(w *world, j didcomm.Invitation) { require.NoError(t, w.alder.Revoke(t.Context(), j.ID)) }, codeReuse},
		"expired":   {func(w *world, _ didcomm.Invitation) { w.now = start.Add(time.Hour) }, codeExpired},
		"forgotten": {func(w *world, j didcomm.Invitation) {
			require.NoError(t, w.alder.Revoke(t.Context(), j.ID))
			require.NoError(t, w.alder.DeleteInvitation(t.Context(), j.ID))
		}, codeReuse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			met(t, w, didcomm.V1)
			j, id := w.invite(Invite{Reusable: true, Expires: start.Add(time.Hour)}, w.hazel)
			require.NoError(t, w.hazel.Reuse(t.Context(), id))
			require.NoError(t, w.hazel.Reuse(t.Context(), id), "asked again")
			sent := w.hazel.store.TakeOutbox()
			require.Len(t, sent, 2)
			c.before(w, j)
			requireRefused(t, w.pass(sent[1]), c.code)
			report := w.alder.store.TakeOutbox()
			require.Len(t, report, 1)
			require.NoError(t, w.pass(report[0]))
			x, err := w.hazel.Exchange(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, InvitationReceived, x.State)
			require.Equal(t, oob.PrepareResponse, w.hazel.life(t, id))
		})
	}
	w := newWorld(t)
	met(t, w, didcomm.V1)
	_, id := w.invite(Invite{Reusable: true}, w.hazel)
	require.NoError(t, w.hazel.Reuse(t.Context(), id))
	w.hazel.store.TakeOutbox()
	require.NoError(t, w.hazel.Connect(t.Context(), id), "no answer came")
	w.settle()
	x, err := w.hazel.Exchange(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, Completed, x.State)
}

// TestReuse_Refused: what does not fit changes nothing.
func TestReuse_Refused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world, m *didcomm.Message){
		"another invitation":      func(_ *world, m *didcomm.Message) { m.Parent = "x" },
		"no invitation":           func(_ *world, m *didcomm.Message) { m.Parent = "" },
		"one not for reuse":       func(w *world, m *didcomm.Message) { i, _ := w.invite(Invite{}, w.wye); m.Parent = i.ID },
		"one of V2":               func(w *world, m *didcomm.Message) { i, _ := w.invite2(Invite{Reusable: true}, w.wye); m.Parent = i.ID },
		"acceptance of nothing":   func(_ *world, m *didcomm.Message) { m.Type.Name = reuseAccepted },
		"an invitation in a tube": func(_ *world, m *didcomm.Message) { m.Type.Name = "invitation" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			met(t, w, didcomm.V1)
			_, id := w.invite(Invite{Reusable: true}, w.hazel)
			require.NoError(t, w.hazel.Reuse(t.Context(), id))
			s := edit(t, w.hazel.store.TakeOutbox()[0], func(map[string]any) {})
			change(w, s.Message)
			before := w.alder.store.Snapshot()
			requireRefused(t, w.pass(s), codeReuse)
			require.Equal(t, before, w.alder.store.Snapshot())
		})
	}
	t.Run("by a peer of another invitation", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		_, first := w.invite(Invite{}, w.hazel) // no DID that both sides know
		require.NoError(t, w.hazel.Connect(t.Context(), first))
		w.settle()
		j, id := w.invite(Invite{Reusable: true}, w.hazel)
		_, err := w.hazel.Reusable(t.Context(), id)
		require.ErrorIs(t, err, didcomm.ErrNotFound)
		require.ErrorIs(t, w.hazel.Reuse(t.Context(), id), didcomm.ErrNotFound)
		m, err := didcomm.New("m1", didcomm.Type{Protocol: outOfBand, Major: 1, Name: reuse}, "", j.ID, nil)
		require.NoError(t, err)
		err = w.alder.store.Deliver(t.Context(), w.alder, w.of(w.alder), m)
		requireRefused(t, err, codeReuse)
	})
	t.Run("accepted by another", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		met(t, w, didcomm.V1)
		_, id := w.invite(Invite{Reusable: true}, w.hazel)
		require.NoError(t, w.hazel.Reuse(t.Context(), id))
		require.NoError(t, w.pass(w.hazel.store.TakeOutbox()[0]))
		s := edit(t, w.alder.store.TakeOutbox()[0], func(map[string]any) {})
		for _, parent := range []string{"x"} {
			s.Message.Parent = parent
			requireRefused(t, w.pass(s), codeReuse)
		}
		x, err := w.hazel.Exchange(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, InvitationReceived, x.State)
	})
	t.Run("expired here", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		met(t, w, didcomm.V1)
		_, id := w.invite(Invite{Reusable: true, Expires: start.Add(time.Hour)}, w.hazel)
		w.now = start.Add(time.Hour)
		require.ErrorIs(t, w.hazel.Reuse(t.Context(), id), ErrState)
	})
	t.Run("callback fails", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		met(t, w, didcomm.V1)
		_, id := w.invite(Invite{Reusable: true}, w.hazel)
		require.NoError(t, w.hazel.Reuse(t.Context(), id))
		full := errors.New("disk full")
		w.alder.Reused = func(context.Context, didcomm.Tx, didcomm.Connection, string) error { return full }
		require.ErrorIs(t, w.pass(w.hazel.store.TakeOutbox()[0]), full)
		require.Empty(t, w.alder.store.TakeOutbox())
	})
}

// TestReuse_V2: there is no message for it; the ping names the invitation.
func TestReuse_V2(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	connection := met(t, w, didcomm.V2)
	j, id := w.invite2(Invite{Reusable: true}, w.hazel)
	got, err := w.hazel.Reusable(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, connection, got)
	require.NoError(t, w.hazel.Reuse(t.Context(), id))
	sent := w.hazel.store.TakeOutbox()
	require.Len(t, sent, 1)
	require.Equal(t, j.ID, sent[0].Message.Parent)
	require.Equal(t, trustPing, sent[0].Message.Type)
	require.NoError(t, w.deliver2(sent[0]))
	require.Len(t, w.alder.made, 1)
	x, err := w.hazel.Exchange(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, Reused, x.Code)
	one, _ := w.invite(Invite{Reusable: true}, w.wye)
	two, _ := w.invite2(Invite{Reusable: true}, w.wye)
	require.NotEqual(t, one.DID, two.DID, "a version each")
	require.NoError(t, w.hazel.Delete(t.Context(), connection))
	_, err = w.hazel.Receive(t.Context(), j)
	require.NoError(t, err)
	_, err = w.hazel.Reusable(t.Context(), id)
	require.ErrorIs(t, err, didcomm.ErrNotFound)
}
