package wallet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/vc"
)

// A Credential is a secured credential as the wallet keeps it. The wallet does not
// verify it: whoever adds one has done so. Printing one shows no more than its size.
type Credential struct {
	// ID is unique within the wallet. If it is empty when the credential is added,
	// it becomes the SHA-256 of the secured bytes in hexadecimal.
	ID string

	// Secured holds the bytes as they were received.
	Secured vc.Secured

	// Forms hold the same credential in other forms, such as an SD-JWT VC beside
	// a document with embedded proofs, so that whoever asks can be shown the one
	// that it reads. Several of one media type are a batch of which each is meant
	// to be shown once: see [Wallet.Take].
	Forms []vc.Secured

	// Types are what the credential is listed under.
	Types []string

	// Attachments are the bytes that travel beside a credential, such as a photo,
	// by the id that the credential gives them.
	Attachments map[string][]byte

	// Added is when the wallet got it; the wallet's clock sets it if it is zero.
	// The zone is not kept.
	Added time.Time
}

// Format writes the credential without its contents.
func (c Credential) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "credential of %d bytes", len(c.Secured.Bytes))
}

// LogValue returns the credential without its contents.
func (c Credential) LogValue() slog.Value { return slog.IntValue(len(c.Secured.Bytes)) }

const credentialKind = "credential"

// AddCredential stores c and returns its ID. Storing the same secured bytes under the
// same ID again adds the attachments that were not there, such as a photo that came
// later, and changes nothing else; other bytes, also of an attachment or another form,
// under an ID that is taken are [ErrExists]. Without secured bytes it returns [ErrInvalid], and
// [ErrTooLarge] like [Tx.Put]. It is an Update of its own.
func (w *Wallet) AddCredential(ctx context.Context, c Credential) (id string, err error) {
	err = w.Update(ctx, func(tx *Tx) error {
		id, err = tx.AddCredential(c)
		return err
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// AddCredential is [Wallet.AddCredential] as a part of the transaction.
func (tx *Tx) AddCredential(c Credential) (id string, err error) {
	if len(c.Secured.Bytes) == 0 {
		return "", fmt.Errorf("%w: credential without secured bytes", ErrInvalid)
	}
	if c.ID == "" {
		sum := sha256.Sum256(c.Secured.Bytes)
		c.ID = hex.EncodeToString(sum[:])
	}
	old, err := tx.Credential(c.ID)
	switch {
	case err == nil && sameForm(old.Secured, c.Secured) && slices.EqualFunc(old.Forms, c.Forms, sameForm):
		if err := tx.attach(old, c.Attachments); err != nil {
			return "", err
		}
		return c.ID, nil
	case err == nil:
		return "", ErrExists
	case !errors.Is(err, ErrNotFound):
		return "", err
	}
	if c.Added.IsZero() {
		c.Added = tx.wallet.now()
	}
	if err := tx.put(credentialSpace, credentialKind, c.ID, c.append(nil), c.Types); err != nil {
		return "", err
	}
	return c.ID, nil
}

func sameForm(a, b vc.Secured) bool {
	return a.MediaType == b.MediaType && bytes.Equal(a.Bytes, b.Bytes)
}

// attach adds to a stored credential the attachments it does not have.
func (tx *Tx) attach(c Credential, more map[string][]byte) error {
	known := len(c.Attachments)
	for id, data := range more {
		old, ok := c.Attachments[id]
		switch {
		case ok && !bytes.Equal(old, data):
			return ErrExists
		case !ok && c.Attachments == nil:
			c.Attachments = map[string][]byte{id: data}
		case !ok:
			c.Attachments[id] = data
		}
	}
	if len(c.Attachments) == known {
		return nil
	}
	return tx.put(credentialSpace, credentialKind, c.ID, c.append(nil), c.Types)
}

// Credential returns the credential with this ID, or [ErrNotFound].
func (w *Wallet) Credential(ctx context.Context, id string) (c Credential, err error) {
	err = w.View(ctx, func(tx *Tx) error {
		c, err = tx.Credential(id)
		return err
	})
	return c, err
}

// Credential is [Wallet.Credential] as a part of the transaction.
func (tx *Tx) Credential(id string) (Credential, error) {
	b, err := tx.get(credentialSpace, credentialKind, id)
	if err != nil {
		return Credential{}, err
	}
	return parseCredential(id, b)
}

// Credentials yields the credentials listed under a type, or all if typ is empty, in
// the order in which they were added. It is a View of its own. An error ends the
// sequence.
func (w *Wallet) Credentials(ctx context.Context, typ string) iter.Seq2[Credential, error] {
	return func(yield func(Credential, error) bool) {
		err := w.View(ctx, func(tx *Tx) error {
			for c, err := range tx.Credentials(typ) {
				if err != nil {
					return err
				}
				if !yield(c, nil) {
					return errStopped
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(Credential{}, err)
		}
	}
}

// errStopped ends a View whose caller wants no more.
var errStopped = errors.New("wallet: stopped")

// Credentials is [Wallet.Credentials] as a part of the transaction.
func (tx *Tx) Credentials(typ string) iter.Seq2[Credential, error] {
	return func(yield func(Credential, error) bool) {
		for r, err := range tx.find(credentialSpace, credentialKind, typ) {
			var c Credential
			if err == nil {
				c, err = parseCredential(r.ID, r.Data)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// DeleteCredential removes a credential with its attachments. It is no error if there
// is none. It is an Update of its own.
func (w *Wallet) DeleteCredential(ctx context.Context, id string) error {
	return w.Update(ctx, func(tx *Tx) error { return tx.DeleteCredential(id) })
}

// DeleteCredential is [Wallet.DeleteCredential] as a part of the transaction.
func (tx *Tx) DeleteCredential(id string) error {
	if err := tx.delete(credentialSpace, shownKind, id); err != nil {
		return err
	}
	return tx.delete(credentialSpace, credentialKind, id)
}

// credentialVersion is the first byte of a credential's data:
//
//	version (1) || added, ns since 1970 (8, big endian) || media type || secured bytes ||
//	count || types || count || (id, bytes) of each attachment, sorted by id ||
//	count || (media type, secured bytes) of each other form
//
// where texts and bytes follow their length, and lengths and counts are uvarints.
// Version 1 has no other forms, and is still read.
const credentialVersion = 2

func (c Credential) append(b []byte) []byte {
	b = append(b, credentialVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(c.Added.UnixNano()))
	b = appendText(b, c.Secured.MediaType)
	b = appendText(b, c.Secured.Bytes)
	b = binary.AppendUvarint(b, uint64(len(c.Types)))
	for _, t := range c.Types {
		b = appendText(b, t)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Attachments)))
	for _, id := range slices.Sorted(maps.Keys(c.Attachments)) {
		b = appendText(b, id)
		b = appendText(b, c.Attachments[id])
	}
	b = binary.AppendUvarint(b, uint64(len(c.Forms)))
	for _, f := range c.Forms {
		b = appendText(b, f.MediaType)
		b = appendText(b, f.Bytes)
	}
	return b
}

func appendText[T string | []byte](b []byte, text T) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

func parseCredential(id string, b []byte) (Credential, error) {
	if len(b) < 9 || b[0] == 0 {
		return Credential{}, ErrTampered
	}
	if b[0] > credentialVersion {
		return Credential{}, ErrVersion
	}
	r := &reader{rest: b[9:]}
	c := Credential{ID: id, Added: time.Unix(0, int64(binary.BigEndian.Uint64(b[1:9])))}
	c.Secured.MediaType = string(r.text())
	c.Secured.Bytes = r.text()
	for range r.count() {
		c.Types = append(c.Types, string(r.text()))
	}
	for range r.count() {
		if c.Attachments == nil {
			c.Attachments = make(map[string][]byte)
		}
		name := string(r.text())
		c.Attachments[name] = r.text()
	}
	if b[0] > 1 {
		for range r.count() {
			c.Forms = append(c.Forms, vc.Secured{MediaType: string(r.text()), Bytes: r.text()})
		}
	}
	if r.err != nil || len(r.rest) > 0 {
		return Credential{}, ErrTampered
	}
	return c, nil
}

// A reader takes lengths and texts off the front of its bytes, and nothing more after
// its first error.
type reader struct {
	rest []byte
	err  error
}

// count reads a number that cannot be more than the bytes that are left.
func (r *reader) count() int {
	n, k := binary.Uvarint(r.rest)
	if k <= 0 || n > uint64(len(r.rest)-k) {
		r.rest, r.err = nil, io.ErrUnexpectedEOF
		return 0
	}
	r.rest = r.rest[k:]
	return int(n)
}

func (r *reader) text() []byte {
	n := r.count()
	text := r.rest[:n:n]
	r.rest = r.rest[n:]
	return text
}
