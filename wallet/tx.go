package wallet

import (
	"fmt"
	"iter"
	"log/slog"
)

// maxRecord is the most a record's id and data may take together: four times the
// largest message that may arrive (4 MiB), so that an outbox can hold whatever can
// be sent, and little enough that reading a page of records cannot exhaust memory.
const maxRecord = 16 << 20

// A Tx is one transaction over a wallet. Kinds are names the caller chooses, such as
// "connection"; they share no space with the wallet's own keys and credentials.
type Tx struct {
	redacted

	wallet *Wallet
	store  StoreTx
	made   []*privateKey // keys made here, cached once committed
}

// A Record is what [Tx.Find] yields. Printing one shows the length of its data only.
type Record struct {
	ID   string
	Data []byte
}

// Format writes the record without its id and data, which may be about a person.
func (r Record) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "record of %d bytes", len(r.Data)) }

// LogValue returns the record without its id and data.
func (r Record) LogValue() slog.Value { return slog.IntValue(len(r.Data)) }

// Get returns the data of a record. It returns [ErrNotFound] if there is none, and
// [ErrTampered] if the record was changed outside the wallet or belongs elsewhere.
func (tx *Tx) Get(kind, id string) ([]byte, error) { return tx.get(recordSpace, kind, id) }

// Put inserts a record or replaces it, tags included; a replaced record keeps its
// place in the order of [Tx.Find]. A tag is any text but the empty one, which is
// [ErrInvalid]. Put returns [ErrTooLarge] if id and data exceed 16 MiB together, and [ErrReadOnly] in a View.
func (tx *Tx) Put(kind, id string, data []byte, tags ...string) error {
	return tx.put(recordSpace, kind, id, data, tags)
}

// Delete removes a record. It is no error if there is none. In a View it returns
// [ErrReadOnly].
func (tx *Tx) Delete(kind, id string) error { return tx.delete(recordSpace, kind, id) }

// Find yields the records of a kind that carry tag, or all of the kind if tag is
// empty, in the order in which they were first put. Records may be put and deleted
// meanwhile: those not yet reached are yielded as they then are, and those inserted
// since the sequence began are not. An error, such as [ErrTampered], ends the sequence.
func (tx *Tx) Find(kind, tag string) iter.Seq2[Record, error] {
	return tx.find(recordSpace, kind, tag)
}

func (tx *Tx) get(sp space, kind, id string) ([]byte, error) {
	at := tx.wallet.secrets.place(sp, kind, id)
	sealed, err := tx.store.Get(at.kind[:], at.id[:])
	if err != nil {
		return nil, err
	}
	opened, err := tx.wallet.secrets.open(at, sealed)
	if err != nil {
		return nil, err
	}
	if opened.id != id {
		return nil, ErrTampered
	}
	return opened.data, nil
}

func (tx *Tx) put(sp space, kind, id string, data []byte, tags []string) error {
	if len(id)+len(data) > maxRecord {
		return ErrTooLarge
	}
	s := tx.wallet.secrets
	hashed := make([][]byte, len(tags))
	for i, tag := range tags {
		if tag == "" {
			return fmt.Errorf("%w: empty tag", ErrInvalid)
		}
		h := s.tag(sp, kind, tag)
		hashed[i] = h[:]
	}
	at := s.place(sp, kind, id)
	sealed, err := s.seal(tx.wallet.rand, at, id, hashed, data)
	if err != nil {
		return err
	}
	return tx.store.Put(at.kind[:], at.id[:], sealed, hashed)
}

func (tx *Tx) delete(sp space, kind, id string) error {
	at := tx.wallet.secrets.place(sp, kind, id)
	return tx.store.Delete(at.kind[:], at.id[:])
}

func (tx *Tx) find(sp space, kind, tag string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		s := tx.wallet.secrets
		at := s.place(sp, kind, "")
		var want []byte
		if tag != "" {
			h := s.tag(sp, kind, tag)
			want = h[:]
		}
		for row, err := range tx.store.Find(at.kind[:], want) {
			var opened record
			if err == nil {
				opened, err = s.openRow(at, row, want)
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			if !yield(Record{ID: opened.id, Data: opened.data}, nil) {
				return
			}
		}
	}
}

// forget overwrites the keys that the transaction made and did not hand on.
func (tx *Tx) forget() {
	for _, k := range tx.made {
		k.wipe()
	}
	tx.made = nil
}
