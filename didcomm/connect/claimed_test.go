package connect_test

import (
	"context"
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// TestRuntime_RotateClaimed: a peer that says by did-rotate that it is somebody else, and
// goes on with its own key, is not taken for that one.
func TestRuntime_RotateClaimed(t *testing.T) {
	t.Parallel()
	n := &net{agents: map[string]*runtime.Agent{}}
	hazel, mallory := newAgent(t, n, "hazel"), newAgent(t, n, "mallory")
	atM, atH := meet(t, mallory, hazel, connect.Invite{}, nil)
	hazel.reaches(t, atH)
	before := hazel.connection(t, atH)
	require.Equal(t, before.Theirs, before.Peer())

	claim := func(key ed25519.PublicKey, endpoint string) (did.DID, *didcomm.Message) {
		to, err := didpeer.NewDIDComm(key, endpoint, nil)
		require.NoError(t, err)
		m, err := didcomm.New(didcomm.NewID(), didcomm.Type{Protocol: "did-rotate", Major: 1, Name: "rotate"}, "", "", map[string]string{"to_did": to.String()})
		require.NoError(t, err)
		return to, m
	}
	turn := func(key ed25519.PublicKey, endpoint string) didcomm.Connection {
		to, m := claim(key, endpoint)
		require.NoError(t, mallory.Update(t.Context(), func(tx didcomm.Tx) error {
			c, err := tx.Connection(atM)
			if err != nil {
				return err
			}
			return tx.Send(c, m)
		}))
		hazel.until(t, func() bool { return hazel.connection(t, atH).Theirs == to })
		return hazel.connection(t, atH)
	}
	for range 2 {
		birchwood, _, err := ed25519.GenerateKey(nil)
		require.NoError(t, err)
		c := turn(birchwood, "https://birchwood.example/didcomm")
		require.Equal(t, before.Theirs, c.Peer())
		require.Equal(t, before.TheirKey, c.PriorKey)
	}
	c := turn(before.TheirKey, "https://mallory.example/moved")
	require.Equal(t, c.Theirs, c.Peer(), "its own key again")
	require.Empty(t, c.PriorKey)

	// Hazel's key on another connection is none that a peer can go by.
	_, elsewhere := meet(t, mallory, hazel, connect.Invite{}, nil)
	_, m := claim(hazel.connection(t, elsewhere).MyKey, "https://mallory.example/didcomm")
	require.ErrorIs(t, hazel.Update(t.Context(), func(tx didcomm.Tx) error {
		return hazel.rotate.Handle(context.Background(), tx, c, m)
	}), didcomm.ErrConflict)
}
