package mediate

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/hop"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// Limits of what one recipient may register.
const (
	// MaxNames is how many names one recipient may have. A wallet makes one for each
	// of its peers and invitations.
	MaxNames = 1000
	// maxUpdates bounds the changes of one message.
	maxUpdates = 256
	// maxPage bounds the names of one keylist, and maxList their bytes.
	maxPage = 250
	maxList = 64 << 10
	// maxAnswers bounds the bytes of the answers that one recipient asks for within
	// their lifetime: all its names in one go, if they are no longer than most.
	maxAnswers = 1 << 20
	// maxClients is the default of [Mediator.MaxClients]. Each may fill a queue.
	maxClients = 10000
)

// The kinds of record that a mediator keeps.
const (
	kindClient = "mediate/client" // connection -> Client
	kindName   = "mediate/name"   // name -> connection
	kindNames  = "mediate/names/" // with a connection behind: its names

	kindAnswered = "mediate/answered" // connection -> what was sent to it lately
)

// A Mediator takes forward messages for others and hands what is in them to Deliver.
// Store and Deliver are required, and at least one of Key and DID. It is safe for
// concurrent use and must not be changed after first use.
type Mediator struct {
	Store didcomm.Store

	// Endpoint and Key are granted to recipients that speak V1: where senders send
	// forward messages, an absolute URL, and the key they are encrypted to.
	Endpoint string
	Key      ed25519.PublicKey
	// DID is granted to recipients that speak V2. Its document has the endpoint and
	// the keys.
	DID did.DID

	// Allow decides, in the transaction of the request, whether the peer of c is
	// mediated for. Nil: every peer is.
	Allow func(ctx context.Context, tx didcomm.Tx, c didcomm.Connection) (bool, error)
	// MaxClients is how many peers are mediated for at most; one that asks beyond is
	// denied, unless it can have the place of one that has no name and was not heard of
	// for an hour, or was not heard of for a month. Zero stands for 10,000.
	MaxClients int
	// Forgotten is told, in its transaction, that a peer is mediated for no more. It must
	// use tx only. It may be nil.
	Forgotten func(tx didcomm.Tx, connection string) error
	// Deliver keeps an envelope for the peer of a connection, to whose name to it was
	// sent: a did:key in V1, a DID in V2, as it was registered. It must use tx only; an
	// error undoes everything. An error that matches [didcomm.ErrPermanent] refuses the
	// forward message for good, any other asks its sender to try again.
	Deliver func(ctx context.Context, tx didcomm.Tx, connection, to string, envelope []byte) error

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var (
	_ didcomm.Handler   = (*Mediator)(nil)
	_ didcomm.Anonymous = (*Mediator)(nil)
)

// A Client is one peer that asked to be mediated for, as its mediator sees it.
type Client struct {
	Connection string    `json:"connection"`
	State      State     `json:"state"`
	Since      time.Time `json:"since"` // when State was entered
	Names      int       `json:"names"` // how many are registered
	Heard      time.Time `json:"heard"` // about when it last sent anything
}

func (m *Mediator) now() time.Time { return hop.Time(m.Now) }

func (m *Mediator) newID() string {
	if m.NewID == nil {
		return didcomm.NewID()
	}
	return m.NewID()
}

// Handle implements [didcomm.Handler] for coordinate-mediation.
func (m *Mediator) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, msg *didcomm.Message) error {
	e, err := eventOf(msg)
	if err != nil {
		return err
	}
	if e.Message == problem {
		return nil // nothing here waits for a recipient
	}
	client := Client{Connection: c.ID}
	if err := tx.Load(kindClient, c.ID, &client); err != nil && !isNotFound(err) {
		return err
	}
	client.Heard = m.now()
	next, err := Next(RoleMediator, client.State, e)
	if err != nil && client.State != Granted {
		return refuse(codeNotGranted, "There is no mediation on this connection.", err)
	}
	if err != nil {
		return refuse(codeState, "A mediator does not receive this message.", err)
	}
	client.State = next
	switch e.Message {
	case request:
		return m.requested(ctx, tx, c, &client, msg)
	case update:
		return m.updated(tx, c, &client, msg)
	default:
		if err := m.queried(tx, c, msg); err != nil {
			return err
		}
		return tx.Save(kindClient, c.ID, client)
	}
}

// requested grants or denies.
func (m *Mediator) requested(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, client *Client, msg *didcomm.Message) error {
	name, body, err := grant, grantBody{Endpoint: m.Endpoint}, error(nil)
	allowed := len(m.Key) > 0
	if msg.Version.Or1() == didcomm.V2 {
		allowed = !m.DID.IsZero()
		body.Endpoint = ""
		if body.RoutingDID, err = json.Marshal([]string{m.DID.String()}); err != nil {
			return err
		}
		if allowed { // else no forward to it would be read
			if err := peerdid.Own(tx, m.DID); err != nil {
				return err
			}
		}
	} else if allowed {
		key, err := hop.OfKey(m.Key)
		if err != nil {
			return err
		}
		body.RoutingKeys = []string{string(key)}
	}
	if allowed {
		if allowed, err = m.room(tx, c.ID); err != nil {
			return err
		}
	}
	if allowed && m.Allow != nil {
		if allowed, err = m.Allow(ctx, tx, c); err != nil {
			return err
		}
	}
	if !allowed {
		name, body = deny, grantBody{}
	}
	if client.State, err = Next(RoleMediator, client.State, Event{name, true}); err != nil {
		return err
	}
	client.Since = m.now()
	if err := tx.Save(kindClient, c.ID, client); err != nil {
		return err
	}
	if err := m.send(tx, c, msg, name, body); err != nil {
		return err
	}
	return tx.Audit(didcomm.Event{Action: protocolName + "/" + name + "-sent", Outcome: "ok", Connection: c.ID, Thread: msg.Thread})
}

// updated makes the changes of an update one by one and says what came of each.
func (m *Mediator) updated(tx didcomm.Tx, c didcomm.Connection, client *Client, msg *didcomm.Message) error {
	var b updateBody
	if err := msg.Decode(&b); err != nil {
		return refuse(codeMalformed, "The update cannot be read.", err)
	}
	if len(b.Updates) == 0 || len(b.Updates) > maxUpdates {
		return refuse(codeMalformed, "The update has too many changes, or none.", nil)
	}
	for i := range b.Updates {
		u := &b.Updates[i]
		var err error
		if u.Result, err = m.change(tx, client, msg.Version, u); err != nil {
			return err
		}
		u.Key, u.DID, u.Action = echo(u.Key), echo(u.DID), echo(u.Action)
	}
	if err := tx.Save(kindClient, c.ID, client); err != nil {
		return err
	}
	return m.send(tx, c, msg, updated, updatedBody{b.Updates})
}

// echo is a text of a peer that is sent back, unless it would be larger than a name can
// be.
func echo(s string) string {
	if inJSON, err := json.Marshal(s); err != nil || len(inJSON) > maxName+len(`""`) {
		return ""
	}
	return s
}

// change adds or removes one name.
func (m *Mediator) change(tx didcomm.Tx, client *Client, v didcomm.Version, u *change) (result string, err error) {
	if v.Or1() == didcomm.V2 { // the other is not looked at, and not sent back
		u.Key = ""
	} else {
		u.DID = ""
	}
	n, err := u.name(v)
	if err != nil || m.own(n) {
		return resultClient, nil
	}
	owner := ""
	if err := tx.Load(kindName, nameID(n), &owner); err != nil && !isNotFound(err) {
		return "", err
	}
	mine := owner == client.Connection
	switch u.Action {
	case actionAdd:
		switch {
		case mine:
			return resultNoChange, nil
		case owner != "" || client.Names >= MaxNames:
			return resultClient, nil
		}
		client.Names++
		if err := tx.Save(kindName, nameID(n), client.Connection); err != nil {
			return "", err
		}
		return resultSuccess, tx.Save(kindNames+client.Connection, nameID(n), string(n))
	case actionRemove:
		if !mine { // and nobody learns whether it is somebody else's
			return resultNoChange, nil
		}
		client.Names--
		if err := tx.Delete(kindName, nameID(n)); err != nil {
			return "", err
		}
		return resultSuccess, tx.Delete(kindNames+client.Connection, nameID(n))
	}
	return resultClient, nil
}

// own reports whether n names the mediator itself.
func (m *Mediator) own(n hop.Name) bool {
	if len(m.Key) > 0 {
		if key, err := hop.OfKey(m.Key); err == nil && n == key {
			return true
		}
	}
	return n == hop.Name(didpeer.Short(m.DID).String())
}

// nameID is the id of the record of a name, which may be long.
func nameID(n hop.Name) string { return exchange.ID(string(n)) }

// queried lists the names of a recipient in the order in which they were registered.
func (m *Mediator) queried(tx didcomm.Tx, c didcomm.Connection, msg *didcomm.Message) error {
	var b queryBody
	if err := msg.Decode(&b); err != nil {
		return refuse(codeMalformed, "The query cannot be read.", err)
	}
	page := paginate{Limit: maxPage}
	if b.Paginate != nil {
		page = *b.Paginate
	}
	if page.Limit <= 0 || page.Offset < 0 {
		return refuse(codeMalformed, "There is no such page.", nil)
	}
	page.Limit = min(page.Limit, maxPage)
	found, at, size := []change{}, 0, 0
	for r, err := range tx.List(kindNames + c.ID) {
		if err != nil {
			return err
		}
		if at++; at <= page.Offset || len(found) == page.Limit || size >= maxList {
			continue
		}
		size += len(r.Data)
		var n hop.Name
		if err := strictjson.Unmarshal(r.Data, &n); err != nil {
			return err
		}
		found = append(found, newChange(msg.Version, n, ""))
	}
	body := listBody{Keys: &found, Pagination: &pagination{
		Count: len(found), Offset: page.Offset, Remaining: max(0, at-page.Offset-len(found))}}
	if msg.Version.Or1() == didcomm.V2 {
		body.Keys, body.DIDs = nil, &found
	}
	var a hop.Allowance
	if err := tx.Load(kindAnswered, c.ID, &a); err != nil && !isNotFound(err) {
		return err
	}
	if !a.Spend(m.now(), lifetime, maxAnswers, int64(size)) {
		return refuse(codeTooOften, "This was asked too often.", nil)
	}
	if err := tx.Save(kindAnswered, c.ID, a); err != nil {
		return err
	}
	return m.send(tx, c, msg, list, body)
}

// lifetime is how long a list is worth sending to somebody who may not be listening.
const lifetime = time.Minute

// send answers a message.
func (m *Mediator) send(tx didcomm.Tx, c didcomm.Connection, to *didcomm.Message, name string, body any) error {
	answer, err := message(m.newID(), to.Version, name, to.Thread, body)
	if err != nil {
		return err
	}
	if name == list {
		answer.Expires = m.now().Add(lifetime).Truncate(time.Second)
	}
	return tx.Send(c, answer)
}

func isNotFound(err error) bool { return errors.Is(err, didcomm.ErrNotFound) }
