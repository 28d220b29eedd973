package wallet

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// Sizes of keys and of the keyed hashes that name kinds, ids and tags. 128 bits of a
// keyed hash are far from colliding, and half the size makes a smaller index.
const (
	keySize  = 32
	nameSize = 16
)

// A name is what the store knows a kind, an id or a tag by.
type name = [nameSize]byte

// A space keeps what applications store apart from what the wallet stores itself: no
// kind of one is a kind of another.
type space byte

const (
	recordSpace     space = 'r' // Tx.Put and its siblings
	credentialSpace space = 'c'
	keySpace        space = 'k' // private keys, sealed under a key of their own
)

// secrets are the keys of an open wallet, derived from its data key:
//
//	data key ── HKDF "record" ── seals records and credentials
//	         ├─ HKDF "key"    ── seals private keys
//	         └─ HKDF "index"  ── names kinds, ids and tags
//
// They are kept behind a pointer, never passed by value: a stack trace shows
// arguments.
type secrets struct {
	redacted

	tenant             string
	record, key, index [keySize]byte
}

func newSecrets(tenant string, dataKey *[keySize]byte) (*secrets, error) {
	s := &secrets{tenant: tenant}
	for _, d := range []struct {
		key  *[keySize]byte
		info string
	}{{&s.record, "record"}, {&s.key, "key"}, {&s.index, "index"}} {
		if err := derive(d.key, dataKey[:], d.info); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// derive fills key by HKDF-SHA-256 (RFC 5869) from a secret that is itself a key or
// the output of a password hash.
func derive(key *[keySize]byte, secret []byte, info string) error {
	out, err := hkdf.Key(sha256.New, secret, nil, "staffpassport wallet 1 "+info, keySize)
	if err != nil {
		return err
	}
	copy(key[:], out)
	clear(out)
	return nil
}

func (s *secrets) wipe() {
	clear(s.record[:])
	clear(s.key[:])
	clear(s.index[:])
}

// A place is where a record stands: its space, and the names of its kind and id.
type place struct {
	space    space
	kind, id name
}

func (s *secrets) place(sp space, kind, id string) place {
	return place{space: sp, kind: s.name('k', sp, kind, ""), id: s.name('i', sp, kind, id)}
}

func (s *secrets) tag(sp space, kind, tag string) name { return s.name('t', sp, kind, tag) }

// name is HMAC-SHA-256 (RFC 2104) of what is named, cut to nameSize. The kind is part
// of every name, so that equal ids or tags of two kinds look unrelated.
func (s *secrets) name(what byte, sp space, kind, text string) name {
	h := hmac.New(sha256.New, s.index[:])
	b := make([]byte, 0, 128)
	b = append(b, what, byte(sp))
	b = binary.AppendUvarint(b, uint64(len(kind)))
	b = append(b, kind...)
	b = append(b, text...)
	h.Write(b)
	return name(h.Sum(b[:0])[:nameSize])
}
