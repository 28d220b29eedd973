package wallet

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/staffpassport/staffpassport/vc"
)

// shownKind counts how often each form of a credential was taken to be shown: a
// uvarint each, that of Secured first. Forms never taken may be missing at the end.
const shownKind = "credential shown"

// Take returns a form of a credential to show to somebody, and counts it. Of several
// forms with one media type, as a batch of single-use credentials has, it is the one
// that was taken least often, the first of those: none is used twice while a fresh one
// remains. Fresh says whether this one was; with one that was not, two verifiers can
// tell that they saw the same person. Without such a credential or form it returns
// [ErrNotFound]. It is an Update of its own, so that two calls never take one form.
func (w *Wallet) Take(ctx context.Context, id, mediaType string) (form vc.Secured, fresh bool, err error) {
	err = w.Update(ctx, func(tx *Tx) error {
		form, fresh, err = tx.Take(id, mediaType)
		return err
	})
	if err != nil {
		return vc.Secured{}, false, err
	}
	return form, fresh, nil
}

// Take is [Wallet.Take] as a part of the transaction.
func (tx *Tx) Take(id, mediaType string) (form vc.Secured, fresh bool, err error) {
	c, err := tx.Credential(id)
	if err != nil {
		return vc.Secured{}, false, err
	}
	forms := append([]vc.Secured{c.Secured}, c.Forms...)
	shown, err := tx.shown(id, len(forms))
	if err != nil {
		return vc.Secured{}, false, err
	}
	least := -1
	for i, f := range forms {
		if f.MediaType == mediaType && (least < 0 || shown[i] < shown[least]) {
			least = i
		}
	}
	if least < 0 {
		return vc.Secured{}, false, ErrNotFound
	}
	fresh = shown[least] == 0
	shown[least]++
	var b []byte
	for _, n := range shown {
		b = binary.AppendUvarint(b, n)
	}
	if err := tx.put(credentialSpace, shownKind, id, b, nil); err != nil {
		return vc.Secured{}, false, err
	}
	return forms[least], fresh, nil
}

// shown returns how often each of n forms was taken.
func (tx *Tx) shown(id string, n int) ([]uint64, error) {
	shown := make([]uint64, n)
	b, err := tx.get(credentialSpace, shownKind, id)
	if errors.Is(err, ErrNotFound) {
		return shown, nil
	}
	if err != nil {
		return nil, err
	}
	for i := 0; len(b) > 0; i++ {
		times, k := binary.Uvarint(b)
		if k <= 0 || i >= n {
			return nil, ErrTampered
		}
		shown[i], b = times, b[k:]
	}
	return shown, nil
}
