package trust

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// recordVersion is that of the form of records. A later one reads this one too.
const recordVersion = 1

// maxRecord is a list of 1 MiB in base64, the authority's document of up to 256 KiB,
// and what is said about them.
const maxRecord = 2 << 20

// A record is what a [Store] keeps of a list.
type record struct {
	Eras     []era
	ID       string
	Sequence uint64
	Issued   time.Time
	Checked  time.Time
	Document *did.Document // of the authority, by which the list was verified
	List     vc.Secured
	Digest   [sha256.Size]byte // of the list; not stored
}

// follows says whether r may come after known.
func (r *record) follows(known *record) error {
	switch {
	case r.Sequence < known.Sequence:
		return ErrRollback
	case r.Sequence == known.Sequence && r.Digest != known.Digest:
		return fmt.Errorf("%w: another with the same number", ErrRollback)
	case r.Issued.Before(known.Issued):
		return fmt.Errorf("%w: issued earlier", ErrRollback)
	}
	return nil
}

// The JSON of a record.
type (
	recordJSON struct {
		Version   int             `json:"version"`
		Eras      []eraJSON       `json:"authorities"`
		ID        string          `json:"register"`
		Sequence  uint64          `json:"sequence"`
		Issued    time.Time       `json:"issued"`
		Checked   time.Time       `json:"checked"`
		Document  json.RawMessage `json:"didDocument"`
		MediaType string          `json:"mediaType"`
		List      []byte          `json:"list"`
	}
	eraJSON struct {
		Authority did.DID `json:"did"`
		After     uint64  `json:"after"`
	}
)

func (r *record) encode() ([]byte, error) {
	document, err := r.Document.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("trust: %w", errtext.Below(err))
	}
	out := recordJSON{
		Version: recordVersion, ID: r.ID, Sequence: r.Sequence, Issued: r.Issued, Checked: r.Checked,
		Document: document, MediaType: r.List.MediaType, List: r.List.Bytes,
	}
	for _, e := range r.Eras {
		out.Eras = append(out.Eras, eraJSON(e))
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("trust: %w", errtext.Below(err))
	}
	return b, nil
}

func decodeRecord(b []byte) (*record, error) {
	var in recordJSON
	p := strictjson.Parser{MaxBytes: maxRecord}
	if err := p.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCache, errtext.Below(err))
	}
	if in.Version != recordVersion || len(in.Eras) == 0 || len(in.Eras) > maxSuccessions+1 {
		return nil, fmt.Errorf("%w: of another version", ErrCache)
	}
	document, err := did.ParseDocument(in.Document)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCache, errtext.Below(err))
	}
	r := &record{
		ID: in.ID, Sequence: in.Sequence, Issued: in.Issued, Checked: in.Checked, Document: document,
		List: vc.Secured{MediaType: in.MediaType, Bytes: in.List}, Digest: sha256.Sum256(in.List),
	}
	for _, e := range in.Eras {
		r.Eras = append(r.Eras, era(e))
	}
	return r, nil
}

// restore reads a record and verifies its list once more, by the document and the time
// by which it was verified before: this asks nobody, and finds a damaged record.
func (r *Registry) restore(ctx context.Context, b []byte) (*held, error) {
	rec, err := decodeRecord(b)
	if err != nil {
		return nil, err
	}
	pinned := false
	for _, e := range rec.Eras {
		pinned = pinned || e.Authority == r.config.Authority
	}
	if !pinned || r.config.ID != "" && r.config.ID != rec.ID {
		return nil, fmt.Errorf("%w: the cached list is of another register", ErrConfig)
	}
	at := rec.Checked
	if rec.Issued.After(at) {
		at = rec.Issued
	}
	doc, err := verifyAt(ctx, remembered{rec.Document}, reigning(rec.Eras, rec.Sequence), Type, rec.List, at)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCache, errtext.Below(err))
	}
	list, err := Read(doc)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCache, errtext.Below(err))
	}
	if list.ID != rec.ID || list.Sequence != rec.Sequence || !list.Issued.Equal(rec.Issued) {
		return nil, fmt.Errorf("%w: it does not agree with itself", ErrCache)
	}
	return newHeld(rec, list), nil
}
