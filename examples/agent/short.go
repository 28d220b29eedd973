package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/outofband"
)

// kindShort holds what a short link of an invitation stands for, by the part of the
// address that was drawn for it.
const kindShort = "short"

// A shortLink is one invitation of ours, as the long link that it would be.
type shortLink struct {
	Invitation string `json:"invitation"`
	Long       string `json:"long"`
}

// shorten keeps a long link and returns a short one for it: a QR code of the long one
// has too many squares for the camera of a telephone. Nobody guesses 128 bits.
func (p *party) shorten(tx didcomm.Tx, invitation, long string) (short string, err error) {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand.Read
	id := base64.RawURLEncoding.EncodeToString(b[:])
	return p.base() + "/i/" + id, tx.Save(kindShort, id, shortLink{invitation, long})
}

// forgetShort deletes the short links of invitations that nobody can answer any more.
func (p *party) forgetShort(ctx context.Context) error {
	links := map[string]shortLink{}
	err := p.agent.View(ctx, func(tx didcomm.Tx) error {
		for r, err := range tx.List(kindShort) {
			var s shortLink
			if err == nil {
				err = tx.Load(kindShort, r.ID, &s)
			}
			if err != nil {
				return err
			}
			links[r.ID] = s
		}
		return nil
	})
	for id, s := range links {
		if err != nil {
			break
		}
		if err = p.answerable(ctx, s.Invitation); errors.Is(err, didcomm.ErrNotFound) {
			err = p.agent.Update(ctx, func(tx didcomm.Tx) error { return tx.Delete(kindShort, id) })
		}
	}
	return err
}

// answerable is nil if an invitation of ours can be answered, or else [didcomm.ErrNotFound].
func (p *party) answerable(ctx context.Context, id string) error {
	made, err := p.connect.Invitation(ctx, id)
	if err == nil && made.State(p.now()) != connect.InvitationSent {
		err = didcomm.ErrNotFound
	}
	return err
}

// serveShort answers short links, to anybody who has one, for as long as the invitation
// can be answered (RFC 0434, "URL Shortening"): wallets with the invitation, browsers
// with its long link, which leads to a page in words.
func (p *party) serveShort(w http.ResponseWriter, r *http.Request) {
	if !ownHost(r) {
		http.Error(w, "This is not the address that the program printed.", http.StatusMisdirectedRequest)
		return
	}
	message, long, err := p.open(r.Context(), r.PathValue("id"))
	if err == nil {
		message.Answer(w, r, long)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("X-Content-Type-Options", "nosniff")
	if !errors.Is(err, didcomm.ErrNotFound) {
		p.log.Error("short link", "err", err)
		http.Error(w, "This cannot be read now.", http.StatusServiceUnavailable)
		return
	}
	http.Error(w, "There is no invitation at this address any more. Ask for a new one.", http.StatusNotFound)
}

// open returns what a short link stands for, or [didcomm.ErrNotFound] if that is not an
// invitation that can be answered.
func (p *party) open(ctx context.Context, id string) (message *outofband.Invitation, long string, err error) {
	var s shortLink
	if err := p.agent.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindShort, id, &s) }); err != nil {
		return nil, "", err
	}
	if err := p.answerable(ctx, s.Invitation); err != nil {
		return nil, "", err
	}
	message, err = outofband.ParseURL(s.Long)
	return message, s.Long, err
}
