package party

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/mediate"
	"github.com/staffpassport/staffpassport/didcomm/outofband"
	"github.com/staffpassport/staffpassport/didcomm/pickup"
	"github.com/staffpassport/staffpassport/wallet"
)

// NewMediator starts a party that keeps messages for wallets without an address, reached
// at an http or ws URL, and returns the link of its invitation.
func NewMediator(t testing.TB, label, scheme string) (p *Party, link string) {
	t.Helper()
	p = start(t, label, func(p *Party) {
		p.endpoint = scheme + strings.TrimPrefix(p.endpoint, "http")
		key, err := p.Wallet.NewKey(t.Context(), wallet.Ed25519)
		require.NoError(t, err)
		mail := &pickup.Mediator{Store: p.Agent, Session: p.Agent.Session}
		mediator := &mediate.Mediator{Store: p.Agent, Endpoint: p.endpoint, Key: key.(ed25519.PublicKey), Deliver: mail.Take}
		p.Agent.Handle("coordinate-mediation", 1, mediate.Roles{Mediator: mediator})
		p.Agent.Handle("messagepickup", 2, pickup.Roles{Mediator: mail})
		p.Agent.HandleAnonymous("routing", 1, mediator)
	})
	inv, err := p.Connect.Invite(t.Context(), connect.Invite{MultiUse: true})
	require.NoError(t, err)
	message, err := outofband.New(inv)
	require.NoError(t, err)
	link, err = message.URL(p.base + "/invitation")
	require.NoError(t, err)
	return p, link
}
