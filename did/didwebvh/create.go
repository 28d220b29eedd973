package didwebvh

import (
	"context"
	"crypto"
	"fmt"
	"strconv"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

// Options describe a new DID.
type Options struct {
	// Domain is such as "example.com" or "example.com:8443"; Unicode is turned into ASCII.
	// A DID of "localhost" is for trying things: see [Resolver].PlainLoopback.
	Domain string
	Path   []string // where on it, or nothing; "{SCID}" in it becomes the SCID

	// Key signs the first entry and may update; see [UpdateKey]. UpdateKeys are others
	// that may. NextKeys, if any, turn pre-rotation on: only they can be the keys of the
	// next entry. All are Ed25519 keys.
	Key        did.Signer
	UpdateKeys []crypto.PublicKey
	NextKeys   []crypto.PublicKey

	Witness  Witness       // zero: nobody has to approve
	Watchers []string      // their URLs
	Portable bool          // whether [Log.Move] can be used later; it cannot be turned on later
	TTL      time.Duration // how long others may cache the DID; 0 is the method's hour

	// Document makes the first document of the DID. The SCID in the id that it is given
	// stands in for the one that is not known yet, wherever the document has it.
	Document func(id did.DID) (*did.Document, error)

	Now func() time.Time // nil is the machine's clock
}

// Create makes a DID and the first entry of its log (section Create). Nothing is
// published: that is done with [Log.WitnessProofs], once [Log.Witnessed] has no
// objection, and then [Log.JSONL], at the addresses that [URL] gives for [Log.DID].
// An option that breaks a rule of the method is an error that matches
// [did.ErrInvalid] or [did.ErrUnsupported].
func Create(ctx context.Context, o Options) (*Log, error) {
	if o.Key == nil || o.Document == nil {
		return nil, fmt.Errorf("%w: a new DID needs a key and a document", did.ErrInvalid)
	}
	standIn := hashText([]byte(placeholder))
	n, err := newName(standIn, o.Domain, o.Path)
	if err != nil {
		return nil, err
	}
	doc, err := o.Document(n.id)
	if err != nil {
		return nil, err
	}
	state, err := stateOf(doc, n)
	if err != nil {
		return nil, err
	}
	template, err := replace(state, standIn, placeholder)
	if err != nil {
		return nil, err
	}
	parameters, err := o.parameters()
	if err != nil {
		return nil, err
	}
	now := clock(o.Now)
	e, err := newEntry(ctx, nil, parameters, template.(*strictjson.Object), o.Key, entryTime(now, time.Time{}), now)
	if err != nil {
		return nil, err
	}
	return newLog([]entry{e}, nil, now), nil
}

func newLog(entries []entry, proofs []approval, now time.Time) *Log {
	return &Log{entries: entries, proofs: proofs, approved: approved(context.Background(), entries, proofs, now), verified: now}
}

// parameters are those of the first entry, without the defaults.
func (o Options) parameters() (*strictjson.Object, error) {
	tree := strictjson.NewObject(
		strictjson.Member{Name: "method", Value: method},
		strictjson.Member{Name: "scid", Value: placeholder},
	)
	keys, err := multikeys(append([]crypto.PublicKey{o.Key.Public()}, o.UpdateKeys...))
	if err != nil {
		return nil, err
	}
	tree.Set("updateKeys", keys)
	if o.Portable {
		tree.Set("portable", true)
	}
	if len(o.NextKeys) > 0 {
		hashes, err := keyHashes(o.NextKeys)
		if err != nil {
			return nil, err
		}
		tree.Set("nextKeyHashes", hashes)
	}
	if len(o.Witness.Witnesses) > 0 || o.Witness.Threshold != 0 {
		tree.Set("witness", o.Witness.tree())
	}
	if len(o.Watchers) > 0 {
		tree.Set("watchers", anyList(o.Watchers))
	}
	if o.TTL != 0 {
		tree.Set("ttl", int64(o.TTL/time.Second))
	}
	return tree, nil
}

// tree is the parameter as a log has it.
func (w Witness) tree() *strictjson.Object {
	if len(w.Witnesses) == 0 && w.Threshold == 0 {
		return strictjson.NewObject()
	}
	list := make([]any, len(w.Witnesses))
	for i, id := range w.Witnesses {
		list[i] = strictjson.NewObject(strictjson.Member{Name: "id", Value: id.String()})
	}
	return strictjson.NewObject(
		strictjson.Member{Name: "threshold", Value: w.Threshold},
		strictjson.Member{Name: "witnesses", Value: list},
	)
}

func anyList(texts []string) []any {
	list := make([]any, len(texts))
	for i, s := range texts {
		list[i] = s
	}
	return list
}

func multikeys(keys []crypto.PublicKey) ([]any, error) {
	list := make([]any, len(keys))
	for i, key := range keys {
		multikey, err := multikeyOf(key)
		if err != nil {
			return nil, err
		}
		list[i] = multikey
	}
	return list, nil
}

// keyHashes follows Pre-Rotation Key Hash Generation and Verification.
func keyHashes(keys []crypto.PublicKey) ([]any, error) {
	list, err := multikeys(keys)
	for i, multikey := range list {
		list[i] = hashText([]byte(multikey.(string)))
	}
	return list, err
}

// stateOf returns the document as an entry has it: without the services that the
// method gives to every DID.
func stateOf(doc *did.Document, n name) (*strictjson.Object, error) {
	if doc == nil || doc.ID() != n.id {
		return nil, fmt.Errorf("%w: the document is not one of this DID", ErrState)
	}
	data, err := doc.MarshalJSON()
	if err != nil {
		return nil, err
	}
	state, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, errtext.Below(err))
	}
	dropServices(state, n)
	return state, nil
}

// entryTime returns the version time of an entry made now: whole seconds, unless
// that is no later than the entry before.
func entryTime(now, before time.Time) time.Time {
	if t := now.UTC().Truncate(time.Second); t.After(before) {
		return t
	}
	return now.UTC().Truncate(time.Microsecond)
}

// newEntry makes the entry that follows those before it (sections Create, steps 4 to
// 6, and Update, steps 3 to 9), signed by key, and verifies it.
func newEntry(ctx context.Context, before []entry, parameters, state *strictjson.Object, key did.Signer, at, now time.Time) (entry, error) {
	tree := strictjson.NewObject(
		strictjson.Member{Name: "versionId", Value: placeholder},
		strictjson.Member{Name: "versionTime", Value: xsd.Format(at)},
		strictjson.Member{Name: "parameters", Value: parameters},
		strictjson.Member{Name: "state", Value: state},
	)
	predecessor := ""
	if len(before) > 0 {
		predecessor = before[len(before)-1].versionID
	}
	line, err := writeEntry(ctx, tree, len(before)+1, predecessor, key, now)
	if err != nil {
		return entry{}, err
	}
	e, err := next(before, line, now)
	if err != nil {
		return entry{}, err
	}
	if _, err := document(e); err != nil {
		return entry{}, err
	}
	return e, nil
}

// writeEntry returns the line of an entry with its SCID if it is the first, its hash
// and its proof. It changes tree.
func writeEntry(ctx context.Context, tree *strictjson.Object, number int, predecessor string, key did.Signer, now time.Time) ([]byte, error) {
	if number == 1 {
		computed, err := scid(tree, placeholder)
		if err != nil {
			return nil, err
		}
		replaced, err := replace(tree, placeholder, computed)
		if err != nil {
			return nil, err
		}
		tree, predecessor = replaced.(*strictjson.Object), computed
	}
	computed, err := entryHash(tree, predecessor)
	if err != nil {
		return nil, err
	}
	tree.Set("versionId", strconv.Itoa(number)+"-"+computed)
	proof, err := sign(ctx, tree, key, now.Truncate(time.Second))
	if err != nil {
		return nil, err
	}
	tree.Set("proof", []any{proof})
	line, err := strictjson.Append(nil, tree)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, errtext.Below(err))
	}
	return line, nil
}
