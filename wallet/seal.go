package wallet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// recordVersion is the version of the record format below. It is the first byte of
// every record and part of the additional data.
//
//	version (1) || nonce (24) || XChaCha20-Poly1305(
//	    uvarint len(id) || id || uvarint number of tags || tag names (16 each) || data)
//
//	additional data = label || version || space || uvarint len(tenant) || tenant ||
//	    kind name (16) || id name (16)
//
// The tags are sealed too, so that a tag moved to another record in the store is
// noticed when the record is found by it.
const (
	recordVersion = 1
	headLength    = 1 + chacha20poly1305.NonceSizeX
	recordLabel   = "staffpassport wallet record"
)

// A record is a sealed record opened. Its slices lie in one buffer.
type record struct {
	id   string
	tags []byte // names, one after the other
	data []byte
}

func (s *secrets) seal(rand io.Reader, at place, id string, tags [][]byte, data []byte) ([]byte, error) {
	size := headLength + binary.MaxVarintLen32 + len(id) + binary.MaxVarintLen32 +
		len(tags)*nameSize + len(data) + chacha20poly1305.Overhead
	b := make([]byte, headLength, size)
	b[0] = recordVersion
	if _, err := io.ReadFull(rand, b[1:]); err != nil {
		return nil, fmt.Errorf("wallet: random source: %w", err)
	}
	b = binary.AppendUvarint(b, uint64(len(id)))
	b = append(b, id...)
	b = binary.AppendUvarint(b, uint64(len(tags)))
	for _, tag := range tags {
		b = append(b, tag...)
	}
	b = append(b, data...)
	aead, err := chacha20poly1305.NewX(s.sealingKey(at.space))
	if err != nil {
		return nil, err
	}
	// In place: the plaintext is overwritten by its ciphertext.
	return aead.Seal(b[:headLength], b[1:headLength], b[headLength:], s.additionalData(at)), nil
}

// open opens a record that stands at a place, overwriting the sealed bytes.
func (s *secrets) open(at place, sealed []byte) (record, error) {
	if len(sealed) < headLength+chacha20poly1305.Overhead {
		return record{}, ErrTampered
	}
	if sealed[0] > recordVersion {
		return record{}, ErrVersion
	}
	if sealed[0] != recordVersion {
		return record{}, ErrTampered
	}
	aead, err := chacha20poly1305.NewX(s.sealingKey(at.space))
	if err != nil {
		return record{}, err
	}
	body := sealed[headLength:]
	body, err = aead.Open(body[:0], sealed[1:headLength], body, s.additionalData(at))
	if err != nil {
		return record{}, ErrTampered
	}
	return parseRecord(body)
}

// openRow opens a record that was found, perhaps by the name of a tag.
func (s *secrets) openRow(at place, row Row, tag []byte) (record, error) {
	if len(row.ID) != nameSize {
		return record{}, ErrTampered
	}
	at.id = name(row.ID)
	r, err := s.open(at, row.Sealed)
	if err != nil {
		return record{}, err
	}
	if tag != nil && !r.hasTag(tag) {
		return record{}, ErrTampered
	}
	return r, nil
}

func (r record) hasTag(tag []byte) bool {
	for i := 0; i < len(r.tags); i += nameSize {
		if bytes.Equal(r.tags[i:i+nameSize], tag) {
			return true
		}
	}
	return false
}

// parseRecord splits what was sealed. Only this package seals, so an error means that
// a later version wrote something else under this one's number.
func parseRecord(b []byte) (record, error) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return record{}, ErrTampered
	}
	r := record{id: string(b[k : k+int(n)])}
	b = b[k+int(n):]
	n, k = binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k)/nameSize {
		return record{}, ErrTampered
	}
	r.tags = b[k : k+int(n)*nameSize]
	r.data = b[k+int(n)*nameSize:]
	return r, nil
}

func (s *secrets) sealingKey(sp space) []byte {
	if sp == keySpace {
		return s.key[:]
	}
	return s.record[:]
}

func (s *secrets) additionalData(at place) []byte {
	b := make([]byte, 0, len(recordLabel)+2+binary.MaxVarintLen32+len(s.tenant)+2*nameSize)
	b = append(b, recordLabel...)
	b = append(b, recordVersion, byte(at.space))
	b = binary.AppendUvarint(b, uint64(len(s.tenant)))
	b = append(b, s.tenant...)
	b = append(b, at.kind[:]...)
	return append(b, at.id[:]...)
}
