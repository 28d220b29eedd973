package runtime

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// name is a key in a tag.
func name(key ed25519.PublicKey) string { return base64.RawURLEncoding.EncodeToString(key) }

// nameDID is a DID in a tag. A did:peer:4 has two forms, of which a peer may write
// either, and the long one is too long for a tag.
func nameDID(id did.DID) string {
	sum := sha256.Sum256([]byte(didpeer.Short(id).String()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func tagMine(mine ed25519.PublicKey) string         { return "mine/" + name(mine) }
func tagPair(mine, theirs ed25519.PublicKey) string { return "pair/" + name(mine) + "/" + name(theirs) }
func tagDID(mine did.DID) string                    { return "my-did/" + nameDID(mine) }
func tagDIDs(mine, theirs did.DID) string           { return "dids/" + nameDID(mine) + "/" + nameDID(theirs) }

// pairs are the tags of the names between which messages belong to c.
func pairs(c didcomm.Connection) []string {
	var tags []string
	if c.Version == didcomm.V2 {
		for _, mine := range []did.DID{c.Mine, c.Prior} {
			if !mine.IsZero() && !c.Theirs.IsZero() {
				tags = append(tags, tagDIDs(mine, c.Theirs))
			}
		}
	} else {
		for _, theirs := range []ed25519.PublicKey{c.TheirKey, c.PriorKey} {
			if len(theirs) > 0 {
				tags = append(tags, tagPair(c.MyKey, theirs))
			}
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// checkNames refuses a connection that no message can be found to belong to.
func checkNames(c didcomm.Connection) error {
	if c.Version == didcomm.V2 {
		if c.Mine.IsZero() || len(c.MyKey) > 0 || len(c.TheirKey) > 0 || len(c.PriorKey) > 0 {
			return errors.New("runtime: connection without its DID, or with keys of version 1")
		}
		return nil
	}
	if c.Version.Or1() != didcomm.V1 || len(c.MyKey) != ed25519.PublicKeySize {
		return errors.New("runtime: connection without its keys")
	}
	for _, key := range []ed25519.PublicKey{c.TheirKey, c.PriorKey} {
		if len(key) != 0 && len(key) != ed25519.PublicKeySize {
			return errors.New("runtime: connection without its keys")
		}
	}
	return nil
}

// addressed reports whether c says for whom a message is.
func addressed(c didcomm.Connection) bool {
	if c.Version == didcomm.V2 {
		return !c.Mine.IsZero() && !c.Theirs.IsZero()
	}
	return len(c.MyKey) == ed25519.PublicKeySize && len(c.TheirKey) == ed25519.PublicKeySize
}

// peerOf names the peer of c, as sessions and the lanes of strangers do.
func peerOf(c didcomm.Connection) string {
	if c.Version == didcomm.V2 {
		return "did/" + nameDID(c.Theirs)
	}
	return name(c.TheirKey)
}

// SaveConnection also refuses, with [didcomm.ErrConflict], a second connection
// between the same two names: a message could then belong to either. So it does a peer
// that rotated to a key of ours, and would make us talk to ourselves.
func (t *tx) SaveConnection(c didcomm.Connection) error {
	if err := t.writable(); err != nil {
		return err
	}
	if err := checkNames(c); err != nil {
		return err
	}
	if len(c.PriorKey) > 0 {
		for _, err := range t.find(kindConnection, tagMine(c.TheirKey)) {
			if err == nil {
				err = fmt.Errorf("runtime: peer with a key of ours: %w", didcomm.ErrConflict)
			}
			return err
		}
	}
	tags := pairs(c)
	for _, pair := range tags {
		if err := t.claim(pair, c.ID); err != nil {
			return err
		}
	}
	if c.Version == didcomm.V2 {
		tags = append(tags, tagDID(c.Mine))
		if !c.Prior.IsZero() && nameDID(c.Prior) != nameDID(c.Mine) {
			tags = append(tags, tagDID(c.Prior))
		}
	} else {
		tags = append(tags, tagMine(c.MyKey))
	}
	return t.save(kindConnection, c.ID, c, tags...)
}

// DeleteConnection deletes the names too, so that who writes is a stranger.
func (t *tx) DeleteConnection(id string) error {
	if err := t.writable(); err != nil {
		return err
	}
	c, err := t.Connection(id)
	if errors.Is(err, didcomm.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, pair := range pairs(c) {
		if err := t.store.Delete(kindPair, pair); err != nil {
			return err
		}
	}
	if err := t.forgetKept(id); err != nil {
		return err
	}
	return t.store.Delete(kindConnection, id)
}

// A pairing says to which connection the messages between two names belong, under the
// tag of the pair: looking a row up costs a tenth of a search for a tag. It stays when
// the connection gets other names, so that what came between these is still known to
// have come. Connections stored before there were pairings have none.
type pairing struct {
	Connection string `json:"connection"`
}

// pairing returns the connection of a pairing, or "".
func (t *tx) pairing(pair string) (connection string, err error) {
	var p pairing
	err = t.load(kindPair, pair, &p)
	if errors.Is(err, didcomm.ErrNotFound) {
		return "", nil
	}
	return p.Connection, err
}

// claim keeps the pairing of a connection, unless another one has these names.
func (t *tx) claim(pair, connection string) error {
	c, known, err := t.between(pair)
	switch {
	case err != nil:
		return err
	case c != nil && c.ID != connection:
		return fmt.Errorf("runtime: two connections between the same parties: %w", didcomm.ErrConflict)
	case known == connection:
		return nil
	}
	return t.save(kindPair, pair, pairing{connection})
}

// between returns the connection with that pair of names, or nil. known is that of the
// pairing, which may have other names now.
func (t *tx) between(pair string) (c *didcomm.Connection, known string, err error) {
	if known, err = t.pairing(pair); err != nil {
		return nil, "", err
	}
	if known == "" {
		c, err = t.search(pair)
		return c, "", err
	}
	found, err := t.Connection(known)
	if errors.Is(err, didcomm.ErrNotFound) {
		return nil, known, nil
	}
	if err != nil || !slices.Contains(pairs(found), pair) {
		return nil, known, err
	}
	return &found, known, nil
}

// search is between for a connection that has no pairing.
func (t *tx) search(pair string) (*didcomm.Connection, error) {
	for r, err := range t.find(kindConnection, pair) {
		if err != nil {
			return nil, err
		}
		c := new(didcomm.Connection)
		return c, decodeRecord(r.Data, c)
	}
	return nil, nil
}

// pair is the tag of the names that an envelope proved.
func (in *inbound) pair() string {
	if in.m.Version == didcomm.V2 {
		return tagDIDs(in.keys.To, in.keys.From)
	}
	return tagPair(in.keys.Recipient, in.keys.Sender)
}

// peer finds the connection of who an envelope proved. If there is none, once is the
// one that had these names before, and unfinished says that a connection that is still
// being made has the recipient's name.
func (t *tx) peer(in *inbound) (c *didcomm.Connection, once string, unfinished bool, err error) {
	if c, once, err = t.between(in.pair()); c != nil || err != nil {
		return c, "", false, err
	}
	if c, err = t.rotated(in, once); c != nil || once != "" || err != nil {
		return c, once, false, err
	}
	mine := tagMine(in.keys.Recipient)
	if in.m.Version == didcomm.V2 {
		mine = tagDID(in.keys.To)
	}
	for r, err := range t.find(kindConnection, mine) {
		if err != nil {
			return nil, "", false, err
		}
		var other didcomm.Connection
		if err := decodeRecord(r.Data, &other); err != nil {
			return nil, "", false, err
		}
		unfinished = unfinished || !other.Established
	}
	return nil, "", unfinished, nil
}

// rotated finds the connection of a peer that wrote under another DID before, and
// gives it the new one (DIDComm Messaging 2.1, "DID Rotation"). Where the new DID
// receives, its document says. A proof that is not good refuses the message, unless it
// may be a copy of one from when the connection had these names: once.
func (t *tx) rotated(in *inbound, once string) (*didcomm.Connection, error) {
	if in.priorErr != nil && once == "" {
		return nil, in.priorErr
	}
	if in.prior.IsZero() || in.keys.From.IsZero() {
		return nil, nil
	}
	c, _, err := t.between(tagDIDs(in.keys.To, in.prior))
	if c == nil || err != nil {
		return nil, err
	}
	if !in.rotatedSince(*c) {
		if once != "" {
			return nil, nil
		}
		return nil, refuse(ErrSender)
	}
	if err := peerdid.Know(t, c.ID, in.keys.From, nil); err != nil {
		return nil, err
	}
	c.Theirs, c.Endpoint, c.Rotated = in.keys.From, "", in.rotatedAt
	if err := t.SaveConnection(*c); err != nil {
		if errors.Is(err, didcomm.ErrConflict) { // another of ours is with that DID
			err = refuse(err)
		}
		return nil, err
	}
	return c, t.Audit(didcomm.Event{Action: "rotated", Outcome: outcomeOK, Connection: c.ID, Thread: in.m.Thread})
}

// rotatedSince reports whether the peer of c can mean c with a proof of who it was: one
// that is older than the connection, or than the rotation last taken, was for another
// time, and anybody may have kept it.
func (in *inbound) rotatedSince(c didcomm.Connection) bool {
	return !in.rotatedAt.Before(c.Created.Add(-clockSkew)) && (c.Rotated.IsZero() || in.rotatedAt.After(c.Rotated))
}

// leave ends the relationship of a peer that rotated its DID to nothing (DIDComm
// Messaging 2.1, "Ending a Relationship").
func (t *tx) leave(in *inbound) (connection string, err error) {
	c, _, err := t.between(tagDIDs(in.keys.To, in.prior))
	if err != nil {
		return "", err
	}
	if c == nil || !in.rotatedSince(*c) {
		return "", refuse(ErrSender)
	}
	if err := errors.Join(t.DeleteConnection(c.ID), peerdid.Forget(t, c.ID)); err != nil {
		return c.ID, err
	}
	return c.ID, t.Audit(didcomm.Event{Action: "rotated", Outcome: "ended", Connection: c.ID, Thread: in.m.Thread})
}

// Own makes a DID the party's own before it has a connection: one that a program made
// itself and tells people, whom a [didcomm.Greeter] then meets. Those of package connect
// and of mediators are.
func Own(t didcomm.Tx, id did.DID) error { return peerdid.Own(t, id) }

// Owns reports whether a DID is the party's own, in either form: that of a connection,
// or one that connections may yet come to.
func Owns(store StoreTx, id did.DID) (bool, error) {
	for _, err := range store.Find(kindConnection, tagDID(id)) {
		return err == nil, err
	}
	_, err := store.Get(recordPrefix+peerdid.KindOwn, peerdid.ID(id))
	if errors.Is(err, didcomm.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// confirmed drops what a connection tells its peer, or expects of it, only until the
// peer has written as it should: FromPrior when it writes to the new DID, PriorKey when
// it writes with the new key.
func (t *tx) confirmed(c didcomm.Connection, in *inbound) (didcomm.Connection, error) {
	changed := false
	if c.FromPrior != "" && didpeer.Short(in.keys.To) == didpeer.Short(c.Mine) {
		c.FromPrior, changed = "", true
	}
	if len(c.PriorKey) > 0 && in.keys.Sender.Equal(c.TheirKey) {
		c.PriorKey, c.PriorTheirs, changed = nil, did.DID{}, true
	}
	if !changed {
		return c, nil
	}
	return c, t.SaveConnection(c)
}
