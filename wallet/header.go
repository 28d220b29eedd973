package wallet

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// headerVersion is the version of a wallet as a whole: what a change of the header, of
// the derivation of keys, or of the meaning of records raises.
const headerVersion = 1

const (
	headerLabel = "staffpassport wallet header"
	maxSalt     = 1 << 10 // a key service's name and parameters fit
	wrappedSize = chacha20poly1305.NonceSizeX + keySize + chacha20poly1305.Overhead
)

// A header is what a wallet keeps readable: how to get from an unlocking key to the
// data key. It stands in the store beside the records.
//
//	version (1) || uvarint len(salt) || salt ||
//	nonce (24) || XChaCha20-Poly1305(data key) with label || version || uvarint
//	    len(tenant) || tenant || salt as additional data
type header struct {
	salt    []byte
	wrapped []byte
}

// The header's and the counter's kinds are shorter than any name, so that neither is
// ever the kind of a record.
const (
	headerKind   = "header"
	attemptsKind = "attempts"
)

// headerID is the id of a tenant's header and counter in the store.
func headerID(tenant string) []byte {
	sum := sha256.Sum256([]byte("staffpassport wallet tenant\x00" + tenant))
	return sum[:nameSize]
}

var errHeader = fmt.Errorf("%w: header", ErrTampered)

func parseHeader(b []byte) (*header, error) {
	if len(b) == 0 || b[0] == 0 {
		return nil, errHeader
	}
	if b[0] > headerVersion {
		return nil, ErrVersion
	}
	b = b[1:]
	n, k := binary.Uvarint(b)
	if k <= 0 || n > maxSalt || uint64(len(b)-k) != n+wrappedSize ||
		k != len(binary.AppendUvarint(nil, n)) {
		return nil, errHeader
	}
	return &header{salt: b[k : k+int(n)], wrapped: b[k+int(n):]}, nil
}

func (h *header) append(b []byte) []byte {
	b = append(b, headerVersion)
	b = binary.AppendUvarint(b, uint64(len(h.salt)))
	b = append(b, h.salt...)
	return append(b, h.wrapped...)
}

// wrap seals the data key under what an Unlocker yielded.
func (h *header) wrap(rand io.Reader, tenant string, root []byte, dataKey *[keySize]byte) error {
	h.wrapped = make([]byte, chacha20poly1305.NonceSizeX, wrappedSize)
	if _, err := io.ReadFull(rand, h.wrapped); err != nil {
		return err
	}
	var kek [keySize]byte
	defer clear(kek[:])
	if err := wrappingKey(&kek, root); err != nil {
		return err
	}
	aead, err := chacha20poly1305.NewX(kek[:])
	if err != nil {
		return err
	}
	h.wrapped = aead.Seal(h.wrapped, h.wrapped, dataKey[:], h.additionalData(tenant))
	return nil
}

// unwrap opens the data key. It returns ErrLocked if root is not the right key.
func (h *header) unwrap(tenant string, root []byte, dataKey *[keySize]byte) error {
	var kek [keySize]byte
	defer clear(kek[:])
	if err := wrappingKey(&kek, root); err != nil {
		return err
	}
	aead, err := chacha20poly1305.NewX(kek[:])
	if err != nil {
		return err
	}
	const n = chacha20poly1305.NonceSizeX
	key, err := aead.Open(nil, h.wrapped[:n], h.wrapped[n:], h.additionalData(tenant))
	if err != nil {
		return ErrLocked
	}
	copy(dataKey[:], key)
	clear(key)
	return nil
}

func wrappingKey(kek *[keySize]byte, root []byte) error {
	if len(root) < keySize {
		return fmt.Errorf("%w: less than 32 bytes of key", ErrInvalid)
	}
	return derive(kek, root, "wrap")
}

func (h *header) additionalData(tenant string) []byte {
	b := append([]byte(headerLabel), headerVersion)
	b = binary.AppendUvarint(b, uint64(len(tenant)))
	b = append(b, tenant...)
	return append(b, h.salt...)
}
