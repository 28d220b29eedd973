package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/wallet/statuslist"
)

// An employer issues passports to the members of staff in its contacts.
type employer struct {
	*party
	signer did.Signer
	issuer *issue.Issuer
	source staffRecord // what the form is filled from, as from a staff record system
	lists  *statuslist.Issuer
}

// passportLife is how long a passport is valid from the day on which it is offered.
const passportLife = 365 * 24 * time.Hour

// A contact is a contact card and how far its member of staff has come.
type contact struct {
	ID         string             `json:"id"`
	Created    time.Time          `json:"created"`
	Card       schema.ContactCard `json:"card"`
	Photo      []byte             `json:"-"`          // JPEG; in a record of its own, and not in lists
	Invitation string             `json:"invitation"` // id of the invitation
	Link       string             `json:"link"`       // the invitation as a URL
	Exchange   string             `json:"exchange,omitempty"`
	Earlier    []string           `json:"earlier,omitempty"` // exchanges of passports before that one
	Version    int                `json:"version"`           // how often it was saved

	newPhoto bool // since it was saved
}

const (
	kindContact = "contact"
	kindPhoto   = "contact-photo" // in the wallet itself
)

func openEmployer(ctx context.Context, c partyConfig, source staffRecord) (*employer, error) {
	p, err := openParty(ctx, c)
	if err != nil {
		return nil, err
	}
	e := &employer{party: p, source: source}
	if e.signer, err = p.identity(ctx); err != nil {
		p.close()
		return nil, fmt.Errorf("%s: %w", c.role, err)
	}
	e.issuer = &issue.Issuer{Store: p.agent, Resolver: p.resolver, Issue: e.sign, Now: p.now}
	p.expire = append(p.expire, e.issuer)
	p.agent.Handle("issue-credential", 2, issue.Roles{Issuer: e.issuer})
	p.agent.Handle("issue-credential", 3, issue.Roles{Issuer: e.issuer})
	p.agent.HandleTask(issue.TaskIssue, e.issuer)
	e.keepStatus()
	e.routes()
	return e, nil
}

// did returns the DID that the employer's passports name as their issuer.
func (e *employer) did() did.DID { return e.signer.VerificationMethod().DID }

// An issuedPassport is what the employer keeps of a passport that it signed: enough to
// know it again, and nothing of what it says.
type issuedPassport struct {
	ID         string    `json:"id"`
	SHA256     [][]byte  `json:"sha256"` // of the secured bytes of each form
	ValidUntil time.Time `json:"validUntil"`
}

const kindIssued = "issued" // by exchange

// sign is the only place where the employer signs a passport. After a crash it may be
// called again for an exchange: what it kept last is what is sent.
func (e *employer) sign(ctx context.Context, x *issue.Exchange, c *vc.Credential) ([]vc.Secured, error) {
	c.ValidFrom = e.now().UTC().Truncate(time.Second) // and until when is said in the offer
	var err error
	if c.Status, err = e.statusOf(ctx, x.ID); err != nil {
		return nil, err
	}
	kept := issuedPassport{ID: c.ID, ValidUntil: c.ValidUntil}
	var issued []vc.Secured
	for _, form := range x.Forms {
		securer, err := e.securer(ctx, form, x.Holder, c)
		if err != nil {
			return nil, err
		}
		s, err := securer.Secure(ctx, c)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(s.Bytes)
		issued, kept.SHA256 = append(issued, s), append(kept.SHA256, sum[:])
	}
	return issued, e.agent.Update(ctx, func(tx didcomm.Tx) error { return tx.Save(kindIssued, x.ID, kept) })
}

// passportForms are the forms that a passport is offered in: the member of staff can
// show a part of either.
func passportForms() []string { return []string{vc.MediaTypeCredential, sdjwt.MediaTypeSDJWTVC} }

// securer returns what makes one form of a passport: ecdsa-sd-2023 or an SD-JWT VC.
// In both the holder can withhold the same claims.
func (e *employer) securer(ctx context.Context, form string, holder did.DID, c *vc.Credential) (vc.Securer, error) {
	if form == vc.MediaTypeCredential {
		mandatory, err := schema.Mandatory(c)
		if err != nil {
			return nil, err
		}
		return &dataintegrity.Issuer{Suite: ecdsasd.Suite(mandatory...), Signer: e.signer, Contexts: schema.Contexts(), Now: e.now}, nil
	}
	disclosable, err := schema.Disclosable(c)
	if err != nil {
		return nil, err
	}
	key, err := e.keyOf(ctx, holder)
	if err != nil {
		return nil, err
	}
	return &sdjwt.Issuer{Signer: e.signer, Disclosable: disclosable, Holder: key.PublicKey(), Contexts: schema.Contexts(), Now: e.now}, nil
}

// recorded reports whether the staff record is that of the person on a contact card.
func (e *employer) recorded(c schema.ContactCard) bool {
	p := e.source.passport
	return p != nil && p.Personal.PreferredName.Text() == c.PreferredName && p.Personal.LastName.Text() == c.LastName
}

// addContact keeps a contact card and makes the invitation for its member of staff.
func (e *employer) addContact(ctx context.Context, card schema.ContactCard, photo *schema.Photo) (*contact, error) {
	return e.addContactAs(ctx, didcomm.NewID(), card, photo)
}

func (e *employer) addContactAs(ctx context.Context, id string, card schema.ContactCard, photo *schema.Photo) (*contact, error) {
	if err := card.Validate(); err != nil {
		return nil, err
	}
	c := &contact{ID: id, Created: e.now(), Card: card}
	c.setPhoto(photo)
	return c, e.invite(ctx, "issue-vc", "To give you your staff passport", func(tx didcomm.Tx, invitation, link string) error {
		c.Invitation, c.Link = invitation, link
		return c.save(tx)
	})
}

func (c *contact) setPhoto(photo *schema.Photo) {
	if photo != nil {
		ref := photo.Ref()
		c.Card.Photo, c.Photo, c.newPhoto = &ref, photo.JPEG(), true
	}
}

func (e *employer) saveContact(ctx context.Context, c *contact) error {
	return e.agent.Update(ctx, c.save)
}

// save keeps c, unless the contact was changed since c was read.
func (c *contact) save(tx didcomm.Tx) error {
	var kept contact
	if err := tx.Load(kindContact, c.ID, &kept); err != nil && !errors.Is(err, didcomm.ErrNotFound) {
		return err
	}
	if kept.Version != c.Version {
		return errChanged
	}
	c.Version++
	if err := tx.Save(kindContact, c.ID, c); err != nil || !c.newPhoto {
		return err
	}
	w, err := walletOf(tx)
	if err != nil {
		return err
	}
	c.newPhoto = false
	return w.Put(kindPhoto, c.ID, c.Photo)
}

// contact returns a contact with its photo, or didcomm.ErrNotFound.
func (e *employer) contact(ctx context.Context, id string) (*contact, error) {
	var c contact
	err := e.agent.View(ctx, func(tx didcomm.Tx) error {
		if err := tx.Load(kindContact, id, &c); err != nil || c.Card.Photo == nil {
			return err
		}
		w, err := walletOf(tx)
		if err == nil {
			c.Photo, err = w.Get(kindPhoto, id)
		}
		return err
	})
	return &c, err
}

func (e *employer) contacts(ctx context.Context) ([]contact, error) {
	return list[contact](ctx, e.party, kindContact)
}

// errNotReady says that a contact has no connection or no photo yet.
var errNotReady = errors.New("agent: the contact is not connected or has no photo")

// offer offers a passport to a contact, notes it in the contact, and gives it its place
// in the status lists, in one transaction. What it offers has been validated; who the holder will be is the
// member of staff's to prove.
func (e *employer) offer(ctx context.Context, c *contact, passport *schema.Passport) (string, error) {
	conn, err := e.connected(ctx, c.Invitation)
	if err != nil {
		return "", err
	}
	if conn == "" || c.Card.Photo == nil {
		return "", errNotReady
	}
	shown := *c.Card.Photo // the contact's own photo, as it was uploaded and looked at
	passport.Personal.Photo = &shown
	now := e.now().UTC()
	doc, err := passport.Credential(schema.Terms{
		ID: "urn:uuid:" + didcomm.NewID(), Issuer: e.did(), ValidFrom: now, ValidUntil: now.Add(passportLife)})
	if err != nil {
		return "", err
	}
	return e.issuer.Offer(ctx, conn, issue.Offer{
		Credential:  doc,
		Forms:       passportForms(),
		Attachments: []didcomm.Attachment{didcomm.NewAttachment(shown.ID, "image/jpeg", c.Photo)},
		Comment:     "Your staff passport",
		Started: func(_ context.Context, tx didcomm.Tx, x *issue.Exchange) error {
			if c.Exchange != "" {
				c.Earlier = append(c.Earlier, c.Exchange)
			}
			c.Exchange = x.ID
			if err := e.allocate(tx, x); err != nil {
				return err
			}
			return c.save(tx)
		},
	})
}

// progress says in words how far a contact has come, and whether its passport
// was accepted.
func (e *employer) progress(ctx context.Context, c *contact) (status string, accepted bool, problem string, err error) {
	if c.Exchange != "" {
		x, err := e.issuer.Exchange(ctx, c.Exchange)
		if err != nil {
			return "", false, "", err
		}
		switch x.State {
		case issue.Done:
			return "Passport accepted", true, "", nil
		case issue.Abandoned:
			return "Passport not accepted", false, fmt.Sprintf("The passport was not accepted: %s", x.Reason), nil
		case issue.OfferSent:
			return "Passport offered", false, "", nil
		}
		return "Passport being issued", false, "", nil
	}
	conn, err := e.connected(ctx, c.Invitation)
	if err != nil {
		return "", false, "", err
	}
	if conn != "" {
		return "Connected", false, "", nil
	}
	return "Invitation made", false, "", nil
}
