package connect

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// none sees that there is no connection.
func (p *party) none(t testing.TB, id string) {
	t.Helper()
	require.ErrorIs(t, p.store.View(t.Context(), func(tx didcomm.Tx) error {
		_, err := tx.Connection(id)
		return err
	}), didcomm.ErrNotFound)
}

// told gives a party the report of its runtime about a thread.
func (p *party) told(t testing.TB, c didcomm.Connection, thread string, r *didcomm.Problem) (mine bool) {
	t.Helper()
	require.NoError(t, p.store.Update(t.Context(), func(tx didcomm.Tx) (err error) {
		mine, err = p.Abandon(t.Context(), tx, c, thread, r)
		return err
	}))
	return mine
}

// TestAbandon_Completed: the first message of a connection in V2 may be any protocol's,
// which then hears of its thread.
func TestAbandon_Completed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, _ := w.invite2(Invite{}, w.hazel)
	key, err := w.hazel.keys.NewVerkey(t.Context())
	require.NoError(t, err)
	mine, err := peerdid.V2(key, peerdid.Address{Endpoint: "https://hazel.example"})
	require.NoError(t, err)
	first, err := didcomm.NewV2("first", didcomm.Type{Protocol: "issue-credential", Major: 3, Name: "propose-credential"}, "first", i.ID, nil)
	require.NoError(t, err)
	var c didcomm.Connection
	require.NoError(t, w.alder.store.Update(t.Context(), func(tx didcomm.Tx) error {
		c, err = w.alder.Greet(t.Context(), tx, didcomm.Keys{From: mine, To: i.DID}, first)
		return err
	}))
	require.Equal(t, Completed, w.alder.only(t).State)
	require.False(t, w.alder.told(t, c, "first", &didcomm.Problem{Code: undeliverable}))
	require.False(t, w.alder.told(t, c, "first", &didcomm.Problem{Code: "e.p.req"}))
	require.Equal(t, Completed, w.alder.only(t).State)
}

// TestV2_Dismissed: a requester that gave up, or was given up on, keeps no connection
// half made.
func TestV2_Dismissed(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, id string){
		"denied": func(w *world, id string) { require.NoError(w.t, w.hazel.Deny(w.t.Context(), id, "No.")) },
		"expired": func(w *world, _ string) {
			n, err := w.hazel.Expire(w.t.Context(), w.now.Add(time.Second))
			require.NoError(w.t, err)
			require.Equal(w.t, 1, n)
		},
		"undeliverable": func(w *world, id string) {
			c := w.hazel.connection(w.t, id)
			require.True(w.t, w.hazel.told(w.t, c, w.hazel.only(w.t).Thread, &didcomm.Problem{Code: undeliverable}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, id := w.invite2(Invite{}, w.hazel)
			require.NoError(t, w.hazel.Connect(t.Context(), id))
			end(w, id)
			require.Equal(t, Abandoned, w.hazel.only(t).State)
			w.hazel.none(t, id)
			require.NoError(t, w.hazel.Delete(t.Context(), id))
		})
	}
	w := newWorld(t)
	_, id := w.invite2(Invite{}, w.hazel)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	w.settle2()
	require.ErrorIs(t, w.hazel.Deny(t.Context(), id, "No."), ErrState)
	require.True(t, w.hazel.connection(t, id).Established)
}

// TestV2_PingUnknown: an inviter that knows no trust ping has a connection, and says so
// in its report; any other report is a refusal.
func TestV2_PingUnknown(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]State{
		"e.p.msg.message-type-unsupported": Completed,
		"e.p.msg.version-not-supported":    Completed,
		"w.m.message-type-unsupported":     RequestSent,
		"message-type-unsupported":         Abandoned, // which no V2 writes
		"e.p.msg.invitation":               Abandoned,
		"e.p.trust":                        Abandoned,
		undeliverable:                      Abandoned,
	} {
		w := newWorld(t)
		_, id := w.invite2(Invite{}, w.hazel)
		require.NoError(t, w.hazel.Connect(t.Context(), id))
		c := w.hazel.connection(t, id)
		require.True(t, w.hazel.told(t, c, w.hazel.only(t).Thread, &didcomm.Problem{Code: code}), code)
		require.Equal(t, want, w.hazel.only(t).State, code)
		if want == Completed {
			require.True(t, w.hazel.connection(t, id).Established)
			require.Len(t, w.hazel.made, 1)
			require.False(t, w.hazel.told(t, c, w.hazel.only(t).Thread, &didcomm.Problem{Code: code}), "again")
		}
	}
}

// TestVersion: what is written names its version.
func TestVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i, id := w.invite(Invite{}, w.hazel)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	w.settle()
	require.Equal(t, didcomm.V1, i.Version)
	for _, p := range []*party{w.alder, w.hazel} {
		x := p.only(t)
		require.Equal(t, didcomm.V1, x.Version)
		require.Equal(t, didcomm.V1, p.connection(t, x.ID).Version)
		require.Equal(t, fmt.Sprintf("connect V1 %s, %s in %q", x.Thread, x.Role, string(Completed)), x.String())
	}
	require.Equal(t, `connect V2, requester in "invitation-received"`, Exchange{Version: didcomm.V2, Role: RoleRequester, State: InvitationReceived}.String())
}
