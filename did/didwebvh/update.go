package didwebvh

import (
	"context"
	"crypto"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A Change is what an entry changes. What is nil stays as it is.
type Change struct {
	// Key signs the entry; see [UpdateKey]. It is one of the keys that could update
	// until now, or, while pre-rotation is on, one of UpdateKeys.
	Key did.Signer
	// Document is the new document, with the DID's present name.
	Document *did.Document
	// UpdateKeys may update from now on; empty, but not nil, ends all updates. While
	// pre-rotation is on they have been announced by the entry before and must be given.
	UpdateKeys []crypto.PublicKey
	// NextKeys are announced as the keys of the next entry, which turns pre-rotation on;
	// empty, but not nil, turns it off. While it is on they must be given.
	NextKeys []crypto.PublicKey
	Witness  *Witness       // zero: nobody has to approve the entries that follow
	Watchers []string       // empty: none any more
	TTL      *time.Duration // how long others may cache the DID, in whole seconds
	Fixed    bool           // the DID can never move again
	Now      func() time.Time
}

// Update returns the log with one more entry (section Update). A change that the
// method does not allow, a key that may not make it first of all, is one of the errors
// of this package. The log that it is called on is as before: of two updates of one log
// only one can be published.
func (l *Log) Update(ctx context.Context, c Change) (*Log, error) {
	state, err := l.state(c)
	if err != nil {
		return nil, err
	}
	parameters, err := c.parameters()
	if err != nil {
		return nil, err
	}
	return l.add(ctx, c, parameters, state)
}

// Rotate is [Log.Update] with new keys: keys may update from now on, and next, if any,
// are announced as the keys of the entry after, whatever the change has for the two.
func (l *Log) Rotate(ctx context.Context, keys, next []crypto.PublicKey, c Change) (*Log, error) {
	c.UpdateKeys, c.NextKeys = append([]crypto.PublicKey{}, keys...), nil
	if len(next) > 0 || len(l.last().parameters.nextKeyHashes) > 0 {
		c.NextKeys = append([]crypto.PublicKey{}, next...)
	}
	return l.Update(ctx, c)
}

// Move is [Log.Update] with another domain and path as in [Options] (section DID
// Portability). The new name takes the place of the present one in the document, which
// lists the present one as another name. The whole log is then published at the new
// address. A DID that is not portable is [ErrState].
func (l *Log) Move(ctx context.Context, domain string, path []string, c Change) (*Log, error) {
	old := l.last().name
	moved, err := newName(old.scid, domain, path)
	if err != nil {
		return nil, err
	}
	if moved.id == old.id {
		return nil, fmt.Errorf("%w: the DID is there already", ErrState)
	}
	state, err := l.state(c)
	if err != nil {
		return nil, err
	}
	state = rename(state, old.id.String(), moved.id.String()).(*strictjson.Object)
	v, _ := state.Get("alsoKnownAs")
	others, _ := v.([]any)
	state.Set("alsoKnownAs", append(slices.Clone(others), old.id.String()))
	parameters, err := c.parameters()
	if err != nil {
		return nil, err
	}
	return l.add(ctx, c, parameters, state)
}

// Deactivate returns the log with its last entry: nothing can follow it, and no
// document is shown for the DID any more (section Deactivate). UpdateKeys and NextKeys
// of the change are not looked at: no key can update afterwards. Under pre-rotation the
// key that signs is one that was announced, and it stays listed, to no effect.
func (l *Log) Deactivate(ctx context.Context, c Change) (*Log, error) {
	c.UpdateKeys, c.NextKeys = []crypto.PublicKey{}, nil
	if len(l.last().parameters.nextKeyHashes) > 0 && c.Key != nil {
		c.UpdateKeys, c.NextKeys = []crypto.PublicKey{c.Key.Public()}, []crypto.PublicKey{}
	}
	state, err := l.state(c)
	if err != nil {
		return nil, err
	}
	parameters, err := c.parameters()
	if err != nil {
		return nil, err
	}
	parameters.Set("deactivated", true)
	return l.add(ctx, c, parameters, state)
}

// state returns the document of the change as an entry has it.
func (l *Log) state(c Change) (*strictjson.Object, error) {
	if c.Document != nil {
		return stateOf(c.Document, l.last().name)
	}
	d, err := parseEntry(l.last().line, cost{})
	return d.state, err
}

func (c Change) parameters() (*strictjson.Object, error) {
	if c.Key == nil {
		return nil, fmt.Errorf("%w: an update needs a key", did.ErrInvalid)
	}
	tree := strictjson.NewObject()
	if c.UpdateKeys != nil {
		keys, err := multikeys(c.UpdateKeys)
		if err != nil {
			return nil, err
		}
		tree.Set("updateKeys", keys)
	}
	if c.NextKeys != nil {
		hashes, err := keyHashes(c.NextKeys)
		if err != nil {
			return nil, err
		}
		tree.Set("nextKeyHashes", hashes)
	}
	if c.Witness != nil {
		tree.Set("witness", c.Witness.tree())
	}
	if c.Watchers != nil {
		tree.Set("watchers", anyList(c.Watchers))
	}
	if c.TTL != nil {
		tree.Set("ttl", int64(*c.TTL/time.Second))
	}
	if c.Fixed {
		tree.Set("portable", false)
	}
	return tree, nil
}

func (l *Log) add(ctx context.Context, c Change, parameters, state *strictjson.Object) (*Log, error) {
	if len(l.entries) == maxEntries {
		return nil, fmt.Errorf("%w: more than %d entries", ErrMalformed, maxEntries)
	}
	now := clock(c.Now)
	e, err := newEntry(ctx, l.entries, parameters, state, c.Key, entryTime(now, l.last().time), now)
	if err != nil {
		return nil, err
	}
	return newLog(append(slices.Clip(l.entries), e), l.proofs, now), nil
}

// rename returns the tree with another DID wherever a text is the old one, or a DID URL
// of it.
func rename(v any, old, new string) any {
	switch v := v.(type) {
	case string:
		if rest, ok := strings.CutPrefix(v, old); ok && (rest == "" || strings.IndexByte("/?#", rest[0]) >= 0) {
			return new + rest
		}
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = rename(item, old, new)
		}
		return list
	case *strictjson.Object:
		o := v.Clone()
		for member, value := range v.All() {
			o.Set(member, rename(value, old, new))
		}
		return o
	}
	return v
}
