package party

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/outofband"
)

// Invite returns the link of a new invitation, and a function that waits for the
// connection which it leads to.
func (p *Party) Invite(t testing.TB) (link string, connected func() (connection string)) {
	t.Helper()
	inv, err := p.Connect.Invite(t.Context(), connect.Invite{GoalCode: "issue-vc", Goal: "To make you a river warden"})
	require.NoError(t, err)
	message, err := outofband.New(inv)
	require.NoError(t, err)
	link, err = message.URL(p.base + "/invitation")
	require.NoError(t, err)
	return link, func() (connection string) {
		p.until(t, "somebody answers the invitation", func(ctx context.Context) (bool, error) {
			err := p.Agent.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindAnswered, inv.ID, &connection) })
			if errors.Is(err, didcomm.ErrNotFound) {
				return false, nil
			}
			return err == nil, err
		})
		return connection
	}
}

// kindAnswered holds the connection that an invitation led to, by the invitation's id.
const kindAnswered = "answered"

func noteConnected(_ context.Context, tx didcomm.Tx, x *connect.Exchange, _ didcomm.Connection) error {
	if x.Role != connect.RoleResponder {
		return nil
	}
	return tx.Save(kindAnswered, x.Invitation, x.ID)
}

// Answer answers the invitation in a link, and returns the connection once it is there.
func (p *Party) Answer(t testing.TB, link string) (connection string) {
	t.Helper()
	message, err := outofband.ParseURL(link)
	require.NoError(t, err)
	inv, err := message.Choose(t.Context(), p.Resolver, now())
	require.NoError(t, err)
	id, err := p.Connect.Receive(t.Context(), inv)
	require.NoError(t, err)
	require.NoError(t, p.Connect.Connect(t.Context(), id))
	p.until(t, "the inviter answers", func(ctx context.Context) (bool, error) {
		x, err := p.Connect.Exchange(ctx, id)
		if err != nil {
			return false, err
		}
		return ended(x.State, connect.Completed, connect.Abandoned, x.Code, x.Reason)
	})
	return id
}
