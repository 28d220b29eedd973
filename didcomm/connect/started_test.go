package connect

import (
	"context"
	"crypto/ed25519"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// txKeyring makes keys in transactions only.
type txKeyring struct {
	*keyring
	made int
}

func (k *txKeyring) NewVerkey(context.Context) (ed25519.PublicKey, error) {
	return nil, errors.New("a key outside a transaction")
}

func (k *txKeyring) NewVerkeyIn(tx didcomm.Tx) (ed25519.PublicKey, error) {
	if err := tx.Save("key", didcomm.NewID(), "made"); err != nil { // fails unless tx writes
		return nil, err
	}
	k.made++
	return k.keyring.NewVerkey(context.Background())
}

// Keys that can be made in a transaction are made nowhere else: one for the
// invitation, one for each side.
func TestTxKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	inviter, invited := &txKeyring{keyring: w.alder.keys}, &txKeyring{keyring: w.hazel.keys}
	w.alder.Keys, w.hazel.Keys = inviter, invited
	i, err := w.alder.Invite(t.Context(), Invite{Goal: "to meet"})
	require.NoError(t, err)
	id, err := w.hazel.Receive(t.Context(), i)
	require.NoError(t, err)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	w.settle()
	x, err := w.hazel.Exchange(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, Completed, x.State)
	require.Len(t, w.alder.made, 1)
	require.Len(t, w.hazel.made, 1)
	require.Equal(t, w.alder.made[0].MyKey, w.hazel.made[0].TheirKey)
	require.True(t, w.alder.keys.has(w.alder.made[0].MyKey))
	require.Equal(t, 2, inviter.made)
	require.Equal(t, 1, invited.made)
}

// What Started refuses was never invited.
func TestInvite_Started(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var told didcomm.Invitation
	i, err := w.alder.Invite(t.Context(), Invite{Started: func(_ context.Context, tx didcomm.Tx, i didcomm.Invitation) error {
		told = i
		return tx.Save("mine", i.ID, "noted")
	}})
	require.NoError(t, err)
	require.Equal(t, i, told)
	var note string
	require.NoError(t, w.alder.store.View(t.Context(), func(tx didcomm.Tx) error { return tx.Load("mine", i.ID, &note) }))

	refused := errors.New("no room")
	_, err = w.alder.Invite(t.Context(), Invite{Started: func(context.Context, didcomm.Tx, didcomm.Invitation) error { return refused }})
	require.ErrorIs(t, err, refused)
	all, err := w.alder.Invitations(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
}
