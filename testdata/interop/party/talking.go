package party

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/basicmessage"
	"github.com/staffpassport/staffpassport/didcomm/discover"
	"github.com/staffpassport/staffpassport/didcomm/ping"
	"github.com/staffpassport/staffpassport/didcomm/rotate"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
)

// The records of what peers said, by thread or connection.
const (
	kindAnsweredPing = "answered-ping"
	kindDisclosed    = "disclosed"
	kindHeard        = "heard"
)

// talk registers the protocols that carry no credentials.
func (p *Party) talk() {
	p.ping = &ping.Protocol{Store: p.Agent, Answered: func(_ context.Context, tx didcomm.Tx, _ didcomm.Connection, thread string) error {
		return tx.Save(kindAnsweredPing, thread, true)
	}}
	p.Agent.Handle("trust_ping", 1, p.ping)

	p.discover = &discover.Protocol{
		Store: p.Agent,
		Features: func(didcomm.Connection) []discover.Feature {
			return discover.Protocols(didcomm.Type{Protocol: "issue-credential", Major: 2}, didcomm.Type{Protocol: "present-proof", Major: 2})
		},
		Trust: func(didcomm.Connection) bool { return true },
		Disclosed: func(_ context.Context, tx didcomm.Tx, _ didcomm.Connection, d discover.Disclosure) error {
			return tx.Save(kindDisclosed, d.Thread, d.Features)
		},
	}
	p.Agent.Handle("discover-features", 1, p.discover)
	p.Agent.Handle("discover-features", 2, p.discover)

	p.texts = &basicmessage.Protocol{Store: p.Agent, Received: func(_ context.Context, tx didcomm.Tx, c didcomm.Connection, t basicmessage.Text) error {
		return tx.Save(kindHeard, c.ID, t.Content)
	}}
	p.Agent.Handle("basicmessage", 1, p.texts)

	p.rotate = &rotate.Protocol{Store: p.Agent, Keys: walletstore.Keys(p.Wallet), Resolver: p.Resolver, Endpoint: p.endpoint}
	p.Agent.Handle("did-rotate", 1, p.rotate)
}

// kept waits until there is a record, and returns it.
func kept[T any](p *Party, t testing.TB, what, kind, id string) (v T) {
	t.Helper()
	p.until(t, what, func(ctx context.Context) (bool, error) {
		err := p.Agent.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kind, id, &v) })
		if errors.Is(err, didcomm.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	})
	return v
}

// Pinged asks whether the peer of a connection is there, and waits until it says so.
func (p *Party) Pinged(t testing.TB, connection string) {
	t.Helper()
	thread, err := p.ping.Ping(t.Context(), connection)
	require.NoError(t, err)
	kept[bool](p, t, "the peer answers a ping", kindAnsweredPing, thread)
}

// Discovered asks the peer of a connection which protocols it speaks.
func (p *Party) Discovered(t testing.TB, connection, match string) (ids []string) {
	t.Helper()
	thread, err := p.discover.Ask(t.Context(), connection, discover.Query{Type: discover.TypeProtocol, Match: match})
	require.NoError(t, err)
	for _, f := range kept[[]discover.Feature](p, t, "the peer discloses what it can do", kindDisclosed, thread) {
		ids = append(ids, f.ID)
	}
	return ids
}

// Say writes a text to the peer of a connection.
func (p *Party) Say(t testing.TB, connection, text string) {
	t.Helper()
	_, err := p.texts.Send(t.Context(), connection, text)
	require.NoError(t, err)
}

// Heard waits for a text of the peer of a connection.
func (p *Party) Heard(t testing.TB, connection string) string {
	t.Helper()
	return kept[string](p, t, "the peer writes", kindHeard, connection)
}

// Rotate goes by another DID on a connection.
func (p *Party) Rotate(t testing.TB, connection string) {
	t.Helper()
	require.NoError(t, p.rotate.Rotate(t.Context(), connection))
}

// Their returns the DID that the peer of a connection goes by.
func (p *Party) Their(t testing.TB, connection string) (theirs did.DID) {
	t.Helper()
	require.NoError(t, p.Agent.View(t.Context(), func(tx didcomm.Tx) error {
		c, err := tx.Connection(connection)
		theirs = c.Theirs
		return err
	}))
	return theirs
}
