package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/mediate"
	"github.com/staffpassport/staffpassport/didcomm/outofband"
	"github.com/staffpassport/staffpassport/didcomm/pickup"
	"github.com/staffpassport/staffpassport/wallet"
)

// A mediator takes messages for wallets that have no address of their own, and keeps
// them until they are fetched.
type mediator struct {
	*party
	mediation *mediate.Mediator
	mail      *pickup.Mediator
	link      string // of the invitation that every wallet may answer
}

func openMediator(ctx context.Context, c partyConfig) (_ *mediator, err error) {
	p, err := openParty(ctx, c)
	if err != nil {
		return nil, err
	}
	m := &mediator{party: p}
	defer func() {
		if err != nil {
			p.close()
			err = fmt.Errorf("%s: %w", c.role, err)
		}
	}()
	key, err := m.routingKey(ctx)
	if err != nil {
		return nil, err
	}
	id, err := routingDID(key, p.endpoint())
	if err != nil {
		return nil, err
	}
	m.mediation = &mediate.Mediator{Store: p.agent, Endpoint: p.endpoint(), Key: key, DID: id, MaxClients: maxWallets, Now: p.now}
	m.mail = &pickup.Mediator{Store: p.agent, Session: p.agent.Session, MaxBytes: maxQueue, Heard: m.mediation.Heard, Now: p.now}
	m.mediation.Deliver, m.mediation.Forgotten = m.mail.Take, m.mail.Forget
	for _, major := range []int{1, 3} {
		p.agent.Handle("coordinate-mediation", major, mediate.Roles{Mediator: m.mediation})
	}
	for _, major := range []int{2, 3} {
		p.agent.Handle("messagepickup", major, pickup.Roles{Mediator: m.mail})
	}
	for _, major := range []int{1, 2} {
		p.agent.HandleAnonymous("routing", major, m.mediation)
	}
	p.expire = append(p.expire, m.mail, m.mediation)
	if m.link, err = m.invitation(ctx); err != nil {
		return nil, err
	}
	m.routes()
	return m, nil
}

// What anybody who has the invitation can fill: 1.6 GB.
const (
	maxWallets = 100
	maxQueue   = 16 << 20 // bytes for each
)

// routingKey returns the key that forward messages are encrypted to, which is made the
// first time. It is the same for all wallets, so that who sends to one of them does not
// learn which others are here.
func (m *mediator) routingKey(ctx context.Context) (key ed25519.PublicKey, err error) {
	err = m.wallet.Update(ctx, func(tx *wallet.Tx) error {
		key, err = tx.Get(kindAgent, "routing-key")
		if !errors.Is(err, wallet.ErrNotFound) {
			return err
		}
		pub, err := tx.NewKey(wallet.Ed25519)
		if err != nil {
			return err
		}
		key = pub.(ed25519.PublicKey)
		return tx.Put(kindAgent, "routing-key", key)
	})
	return key, err
}

// routingDID returns the same key as a DID with the mediator's endpoint, for peers that
// speak DIDComm 2.
func routingDID(key ed25519.PublicKey, endpoint string) (did.DID, error) {
	agreement, err := did.X25519(key)
	if err != nil {
		return did.DID{}, err
	}
	service, err := json.Marshal(map[string]any{"type": "DIDCommMessaging",
		"serviceEndpoint": map[string]any{"uri": endpoint, "accept": []string{"didcomm/v2"}}})
	if err != nil {
		return did.DID{}, err
	}
	return didpeer.New2([]didpeer.Key{{For: did.Authentication, Public: key}, {For: did.KeyAgreement, Public: agreement}}, service)
}

// kindMediator holds what a mediator, and a wallet behind one, remember of it.
const kindMediator = "mediator"

// invitation returns the link that any number of wallets may answer, for as long as the
// mediator is there.
func (m *mediator) invitation(ctx context.Context) (link string, err error) {
	err = m.agent.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindMediator, "invitation", &link) })
	if !errors.Is(err, didcomm.ErrNotFound) {
		return link, err
	}
	_, err = m.connect.Invite(ctx, connect.Invite{
		Version: m.version, GoalCode: "aries.vc.mediate", Goal: "Keep the messages of a wallet", MultiUse: true,
		Started: func(_ context.Context, tx didcomm.Tx, inv didcomm.Invitation) error {
			message, err := outofband.New(inv)
			if err != nil {
				return err
			}
			long, err := message.URL(m.base() + "/invitation")
			if err != nil {
				return err
			}
			if link, err = m.shorten(tx, inv.ID, long); err != nil {
				return err
			}
			return tx.Save(kindMediator, "invitation", link)
		},
	})
	return link, err
}
