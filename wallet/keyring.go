package wallet

import (
	"context"
	"crypto"
	"errors"
	"sync"
)

// maxOpenKeys bounds the keys kept open, and the secrets shared with other keys. An
// agent with more connections than that reads one record more for each message, or
// multiplies once more; an open key takes about half a kilobyte.
const maxOpenKeys = 256

// A keyring keeps keys open that were used lately, so that using one again reads
// nothing from the store and waits for no transaction.
type keyring struct {
	redacted

	mu     sync.RWMutex // held for reading while a key is in use, so that none is wiped then
	keys   map[keyID]*privateKey
	shared map[pair]*[32]byte
	closed bool
}

// A pair is one of the wallet's Ed25519 keys and somebody's.
type pair struct{ own, peer [32]byte }

func newKeyring() *keyring {
	return &keyring{keys: make(map[keyID]*privateKey), shared: make(map[pair]*[32]byte)}
}

// use calls f with the open key and reports whether there is one. f must be short and
// must not use the keyring.
func (r *keyring) use(id keyID, f func(*privateKey) error) (bool, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k, ok := r.keys[id]
	if !ok {
		return false, nil
	}
	return true, f(k)
}

// add keeps a key open, and closes another, whichever the map yields first, if there
// are too many.
func (r *keyring) add(k *privateKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.keys[k.id] != nil {
		k.wipe()
		return
	}
	for id, other := range r.keys {
		if len(r.keys) < maxOpenKeys {
			break
		}
		other.wipe()
		delete(r.keys, id)
	}
	r.keys[k.id] = k
}

// copyShared copies the secret that a pair shares and reports whether it is known.
func (r *keyring) copyShared(p pair, to *[32]byte) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s, ok := r.shared[p]
	if ok {
		*to = *s
	}
	return ok
}

// addShared keeps a copy of the secret that a pair shares, as add does with keys.
func (r *keyring) addShared(p pair, s *[32]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.shared[p] != nil {
		return
	}
	for p, other := range r.shared {
		if len(r.shared) < maxOpenKeys {
			break
		}
		clear(other[:])
		delete(r.shared, p)
	}
	own := *s
	r.shared[p] = &own
}

func (r *keyring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, k := range r.keys {
		k.wipe()
	}
	for _, s := range r.shared {
		clear(s[:])
	}
	clear(r.keys)
	clear(r.shared)
}

// withKey calls f with the private key of pub, or returns ErrNotFound. It may be used
// while transactions run, on any goroutine.
func (w *Wallet) withKey(ctx context.Context, pub crypto.PublicKey, f func(*privateKey) error) error {
	id, t, err := idOf(pub)
	if err != nil {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	defer w.running.Done()
	if err := ctx.Err(); err != nil {
		return err
	}
	if found, err := w.keys.use(id, f); found {
		return err
	}
	k, err := w.loadKey(ctx, id, t)
	if err != nil {
		return err
	}
	defer w.keys.add(k)
	return f(k) // nobody else has k yet
}

func (w *Wallet) loadKey(ctx context.Context, id keyID, t KeyType) (*privateKey, error) {
	var secret []byte
	err := w.View(ctx, func(tx *Tx) (err error) {
		secret, err = tx.get(keySpace, keyKind, string(id))
		return err
	})
	if err != nil {
		return nil, err
	}
	k, err := newPrivateKey(t, secret)
	if errors.Is(err, ErrKey) || err == nil && k.id != id {
		return nil, ErrTampered
	}
	return k, err
}
