package statuslist

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/wallet"
)

// A list is what is kept of one besides its bits.
type list struct {
	Size   int    `json:"size"`
	Change uint64 `json:"change"` // how often it changed, from 1

	Published uint64    `json:"published"` // as of which change; 0 if never
	Made      time.Time `json:"made"`      // validFrom of what is published
	Until     time.Time `json:"until"`     // its validUntil
}

// Due returns the numbers of the lists that are to be published: those that changed
// since they were, and those that say nothing any more at the given time.
func (i *Issuer) Due(tx *wallet.Tx, before time.Time) ([]int, error) {
	var due []int
	for r, err := range tx.Find(listKind, "") {
		if err != nil {
			return nil, err
		}
		var l list
		n, err := strconv.Atoi(r.ID)
		if err != nil || strictjson.Unmarshal(r.Data, &l) != nil {
			return nil, wallet.ErrTampered
		}
		if l.Change > l.Published || l.Until.Before(before) {
			due = append(due, n)
		}
	}
	slices.Sort(due)
	return due, nil
}

// A Build is a list as it stood in one transaction, to be secured outside.
type Build struct {
	List       int            // its number
	Change     uint64         // how often it had changed
	Credential *vc.Credential // not secured
}

// Build makes the credential of a list as it stands. The error is [ErrUnknown] if there
// is no such list.
func (i *Issuer) Build(tx *wallet.Tx, n int) (*Build, error) {
	if i.URL == nil || i.ID.IsZero() {
		return nil, ErrConfig
	}
	var l list
	if err := read(tx, listKind, number(n), &l); err != nil {
		return nil, unknown(err)
	}
	bits, err := l.bits(tx, n)
	if err != nil {
		return nil, err
	}
	made := i.now().UTC().Truncate(time.Millisecond)
	if !made.After(l.Made) { // each is later than the one before, whatever the clock says
		made = l.Made.Add(time.Millisecond)
	}
	c, err := (&status.List{
		ID: i.URL(n), Issuer: i.ID, Purposes: []status.Purpose{purpose(n)},
		ValidFrom: made, ValidUntil: made.Add(orDefault(i.Validity, defaultValidity)), TTL: orDefault(i.TTL, defaultTTL),
		Bits: bits,
	}).Credential()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, errtext.Below(err))
	}
	return &Build{n, l.Change, c}, nil
}

// Publish stores a secured build as what [Issuer.Published] returns, and reports whether
// it did: not in the place of one that was built later or at the same moment. A list
// that is still due then has to be built again.
func (i *Issuer) Publish(tx *wallet.Tx, b *Build, secured vc.Secured) (bool, error) {
	if len(secured.Bytes) == 0 || secured.MediaType == "" {
		return false, fmt.Errorf("%w: nothing to publish", ErrConfig)
	}
	var l list
	if err := read(tx, listKind, number(b.List), &l); err != nil {
		return false, unknown(err)
	}
	if b.Change < l.Published || !b.Credential.ValidFrom.After(l.Made) {
		return false, nil
	}
	l.Published, l.Made, l.Until = b.Change, b.Credential.ValidFrom, b.Credential.ValidUntil
	if err := write(tx, listKind, number(b.List), l); err != nil {
		return false, err
	}
	stored := append([]byte(secured.MediaType+"\n"), secured.Bytes...)
	return true, tx.Put(publishedKind, number(b.List), stored)
}

// Published returns a list as it is published. The error is [ErrUnknown] as long as it
// is not.
func (i *Issuer) Published(tx *wallet.Tx, n int) (vc.Secured, error) {
	stored, err := tx.Get(publishedKind, number(n))
	if err != nil {
		return vc.Secured{}, unknown(err)
	}
	mediaType, b, ok := bytes.Cut(stored, []byte{'\n'})
	if !ok {
		return vc.Secured{}, wallet.ErrTampered
	}
	return vc.Secured{MediaType: string(mediaType), Bytes: b}, nil
}

// PublishDue builds every list that is due, secures it outside of any transaction and
// publishes it, and returns how many it published. It may run any number of times at
// once. After an error, and after a crash, what was not published is still due.
func (i *Issuer) PublishDue(ctx context.Context, w *wallet.Wallet, s vc.Securer) (published int, err error) {
	for range maxRounds {
		var builds []*Build
		if err := w.View(ctx, func(tx *wallet.Tx) error {
			builds, err = i.buildDue(tx)
			return err
		}); err != nil || len(builds) == 0 {
			return published, err
		}
		for _, b := range builds {
			secured, err := s.Secure(ctx, b.Credential)
			if err != nil {
				return published, fmt.Errorf("statuslist: securing a list: %w", errtext.Below(err))
			}
			var stored bool
			if err := w.Update(ctx, func(tx *wallet.Tx) error {
				stored, err = i.Publish(tx, b, secured)
				return err
			}); err != nil {
				return published, err
			}
			if stored {
				published++
			}
		}
	}
	return published, nil
}

// maxRounds ends PublishDue where others change the lists all the time. What is due then
// is so the next time.
const maxRounds = 8

// buildDue builds what is due when half of the validity is over.
func (i *Issuer) buildDue(tx *wallet.Tx) ([]*Build, error) {
	due, err := i.Due(tx, i.now().Add(orDefault(i.Validity, defaultValidity)/2))
	if err != nil {
		return nil, err
	}
	builds := make([]*Build, len(due))
	for k, n := range due {
		if builds[k], err = i.Build(tx, n); err != nil {
			return nil, err
		}
	}
	return builds, nil
}
