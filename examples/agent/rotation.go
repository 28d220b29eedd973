package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/rotate"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
)

// rotates makes the role take the new keys of its peers, and use new ones itself.
func (p *party) rotates() {
	p.rotations = &rotate.Protocol{
		Store: p.agent, Keys: walletstore.Keys(p.wallet), Resolver: p.resolver, Endpoint: p.endpoint(), Now: p.now,
		Route: func(ctx context.Context, tx didcomm.Tx, r didcomm.Recipient) (string, []string, error) {
			if p.connect.Route == nil {
				return p.endpoint(), nil, nil
			}
			return p.connect.Route(ctx, tx, r) // its mediator's
		},
	}
	p.agent.Handle("did-rotate", 1, p.rotations)
	p.expire = append(p.expire, p.rotations)
}

// rotate gives our side of a connection new keys, and a DID of them. The peer is told.
func (p *party) rotate(ctx context.Context, connection string) error {
	var c didcomm.Connection
	err := p.agent.View(ctx, func(tx didcomm.Tx) (err error) {
		c, err = tx.Connection(connection)
		return err
	})
	if err != nil {
		return err
	}
	if c.Version.Or1() == didcomm.V2 {
		return p.connect.Rotate(ctx, connection)
	}
	return p.rotations.Rotate(ctx, connection)
}

// rotateKeys answers the button of a contact's page.
func (e *employer) rotateKeys(w http.ResponseWriter, r *http.Request, v contactView) {
	conn, err := e.connected(r.Context(), v.contact.Invitation)
	switch {
	case err == nil && conn == "":
		e.site.tell(w, http.StatusConflict, "There is no connection yet.")
		return
	case err == nil:
		err = e.rotate(r.Context(), conn)
	}
	if errors.Is(err, rotate.ErrState) || errors.Is(err, connect.ErrState) {
		e.site.tell(w, http.StatusConflict, "The wallet has not answered to the last new keys yet. Try again later.")
		return
	}
	if err != nil {
		e.failed(w, err)
		return
	}
	http.Redirect(w, r, "/contacts/"+v.ID, http.StatusSeeOther)
}
