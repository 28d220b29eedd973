package envelope

import (
	"crypto/ecdh"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/staffpassport/staffpassport/did"
)

// Limits of a [Cache]. A party with more connections than that multiplies once more for
// some messages; documents of DIDs that are longer are not kept. A document takes a
// hundred times the bytes of its DID at most.
const (
	maxCached     = 256
	maxCachedDID  = 2 << 10   // bytes
	maxCachedDIDs = 128 << 10 // bytes, of all
)

// A Cache makes the messages of version 2 between two parties cheaper after the first. It
// keeps the secrets that pairs of static keys share (Zs of ECDH-1PU), which are as
// secret as private keys are, and the documents of did:key, did:jwk and did:peer, which
// never change. Make one with [NewCache] for all Packers of one owner of keys. It is safe
// for concurrent use, and a nil Cache keeps nothing.
type Cache struct {
	mu        sync.RWMutex
	secrets   map[keyPair][]byte
	documents map[did.DID]*did.Document
	size      int // of the DIDs of all documents
	closed    bool
}

// A keyPair is a key of the party and one of a peer, as their points.
type keyPair struct{ own, peer string }

func pairOf(own, peer *ecdh.PublicKey) keyPair {
	return keyPair{string(own.Bytes()), string(peer.Bytes())} // of one curve: of one length
}

// NewCache returns an empty cache.
func NewCache() *Cache {
	return &Cache{secrets: make(map[keyPair][]byte), documents: make(map[did.DID]*did.Document)}
}

// Close clears the cache, which keeps nothing from then on: the wallet of the keys is
// closed.
func (c *Cache) Close() {
	if c == nil {
		return
	}
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.Clear()
}

// Clear forgets everything.
func (c *Cache) Clear() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, z := range c.secrets {
		clear(z)
	}
	clear(c.secrets)
	clear(c.documents)
	c.size = 0
}

// secret returns a copy of the secret that a pair shares.
func (c *Cache) secret(own, peer *ecdh.PublicKey) ([]byte, bool) {
	if c == nil {
		return nil, false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	z, ok := c.secrets[pairOf(own, peer)]
	return append([]byte(nil), z...), ok
}

func (c *Cache) addSecret(own, peer *ecdh.PublicKey, z []byte) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	for pair, other := range c.secrets {
		if len(c.secrets) < maxCached {
			break
		}
		clear(other)
		delete(c.secrets, pair)
	}
	c.secrets[pairOf(own, peer)] = append([]byte(nil), z...)
}

func (c *Cache) document(id did.DID) *did.Document {
	if c == nil {
		return nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.documents[id]
}

// addDocument keeps the document of a DID that names its keys itself.
func (c *Cache) addDocument(id did.DID, doc *did.Document) {
	size := sizeOf(id, doc)
	if c == nil || !unchanging(id) || size > maxCachedDID {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, present := c.documents[id]; present || c.closed {
		return
	}
	for other, doc := range c.documents {
		if len(c.documents) < maxCached && c.size+size <= maxCachedDIDs {
			break
		}
		c.size -= sizeOf(other, doc)
		delete(c.documents, other)
	}
	c.size += size
	c.documents[id] = doc
}

// unchanging reports whether a DID, or the long form of it, holds its document. That of a
// did:peer:1 is kept elsewhere.
func unchanging(id did.DID) bool {
	switch id.Method() {
	case "key", "jwk":
		return true
	case "peer":
		return id.SpecificID()[0] != '1'
	default:
		return false
	}
}

// sizeOf is the length of a DID, or of another name that the document has for it.
func sizeOf(id did.DID, doc *did.Document) int {
	size := len(id.String())
	for _, name := range doc.AlsoKnownAs() {
		size = max(size, len(name))
	}
	return size
}

// String says what it is, and not what is in it.
func (c *Cache) String() string { return "envelope.Cache" }

// Format shows what String shows, under every verb.
func (c *Cache) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is the same as String.
func (c *Cache) LogValue() slog.Value { return slog.StringValue(c.String()) }
