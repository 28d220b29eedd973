package statuslist

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"time"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/wallet"
)

// A state is which lists there are. New entries are of the last pair.
type state struct {
	Pairs int  `json:"pairs"`
	Size  int  `json:"size"` // entries of the last
	Full  bool `json:"full"` // the last takes no more
}

// A credential is what is kept of one.
type credential struct {
	List      int       `json:"list"` // for revocation
	Index     int       `json:"index"`
	Revoked   bool      `json:"revoked"`
	Suspended bool      `json:"suspended"`
	Allocated time.Time `json:"allocated"`
	Events    int       `json:"events"` // that its audit has
}

// Allocate returns the credentialStatus entries of a credential: one for revocation and
// one for suspension. The credential is named by any text that is its own, such as its
// id or that of the exchange that issues it. For the same name Allocate always returns
// the same, and in a View that is all it can do.
func (i *Issuer) Allocate(tx *wallet.Tx, name string) ([]vc.Status, error) {
	if i.URL == nil || name == "" {
		return nil, ErrConfig
	}
	var c credential
	err := read(tx, credentialKind, name, &c)
	if errors.Is(err, wallet.ErrNotFound) {
		c, err = i.allocate(tx, name)
	}
	if err != nil {
		return nil, err
	}
	return []vc.Status{
		status.Entry(i.URL(c.List), status.Revocation, c.Index),
		status.Entry(i.URL(c.List+1), status.Suspension, c.Index),
	}, nil
}

func (i *Issuer) allocate(tx *wallet.Tx, name string) (credential, error) {
	var s state
	if err := read(tx, stateKind, "", &s); err != nil && !errors.Is(err, wallet.ErrNotFound) {
		return credential{}, err
	}
	for {
		if s.Pairs == 0 || s.Full {
			if err := i.begin(tx, &s); err != nil {
				return credential{}, err
			}
		}
		c := credential{List: 2 * (s.Pairs - 1), Allocated: i.now().UTC()}
		index, ok, err := draw(tx, c.List, s.Size)
		if err != nil {
			return credential{}, err
		}
		if ok {
			c.Index = index
			return c, write(tx, credentialKind, name, c)
		}
		s.Full = true
	}
}

// begin adds an empty pair of lists, which are due at once.
func (i *Issuer) begin(tx *wallet.Tx, s *state) error {
	size := orDefault(i.Size, status.MinEntries)
	if _, err := status.NewBits(size); err != nil {
		return fmt.Errorf("%w: Size: %w", ErrConfig, errtext.Below(err))
	}
	*s = state{Pairs: s.Pairs + 1, Size: size}
	for n := 2 * (s.Pairs - 1); n < 2*s.Pairs; n++ {
		if err := write(tx, listKind, number(n), list{Size: size, Change: 1}); err != nil {
			return err
		}
	}
	return write(tx, stateKind, "", *s)
}

// BeginAnew takes no more entries from the lists that there are. What is allocated next
// begins new ones. It is for a wallet that was restored from a backup, which does not
// know the entries that were allocated since.
func (i *Issuer) BeginAnew(tx *wallet.Tx) error {
	var s state
	switch err := read(tx, stateKind, "", &s); {
	case errors.Is(err, wallet.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	s.Full = true
	return write(tx, stateKind, "", s)
}

// chunk is how many indexes share a record: 512 bytes are read and written for one.
const chunk = 4096

// tries is how many chunks are drawn before all are looked at.
const tries = 8

// draw takes a random index of a list that nobody has, or reports that the list takes
// no more. Updates of a wallet run one after another, so that no other can take it
// meanwhile.
func draw(tx *wallet.Tx, list, size int) (index int, ok bool, err error) {
	chunks := (size + chunk - 1) / chunk
	for range tries {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(chunks)))
		if err != nil {
			return 0, false, fmt.Errorf("statuslist: %w", err)
		}
		if index, ok, err = drawFrom(tx, list, size, int(n.Int64())); ok || err != nil {
			return index, ok, err
		}
	}
	for c := range chunks { // few are left
		if index, ok, err = drawFrom(tx, list, size, c); ok || err != nil {
			return index, ok, err
		}
	}
	return 0, false, nil
}

// drawFrom is draw for one chunk. An eighth of each stays free, so that a random
// position is soon found, and so that nobody learns from a full list how many there are.
func drawFrom(tx *wallet.Tx, list, size, c int) (index int, ok bool, err error) {
	id := number(list) + "/" + number(c)
	taken, err := tx.Get(takenKind, id)
	switch {
	case errors.Is(err, wallet.ErrNotFound):
		taken = make([]byte, chunk/8)
	case err != nil:
		return 0, false, err
	case len(taken) != chunk/8:
		return 0, false, wallet.ErrTampered
	}
	count := 0
	for _, b := range taken {
		count += bits.OnesCount8(b)
	}
	room := min(chunk, size-c*chunk)
	if count >= room-room/8 {
		return 0, false, nil
	}
	for {
		var random [2]byte
		if _, err := rand.Read(random[:]); err != nil {
			return 0, false, fmt.Errorf("statuslist: %w", err)
		}
		at := int(binary.BigEndian.Uint16(random[:])) % chunk
		bit := byte(0x80 >> (at % 8))
		if at < room && taken[at/8]&bit == 0 {
			taken[at/8] |= bit
			return c*chunk + at, true, tx.Put(takenKind, id, taken)
		}
	}
}
