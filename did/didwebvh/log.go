package didwebvh

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
)

// Limits on a log.
const (
	// maxLog is three to four times what a log of maxEntries ordinary entries has.
	maxLog = 1 << 20
	// maxEntries is one a month for forty years. Each costs a signature check.
	maxEntries = 512
	// maxValues bounds the values of JSON of all entries, each of which is made
	// canonical two or three times: 64 for each of maxEntries. Values of a log are forty
	// bytes long on average, so that one of maxLog bytes has fewer.
	maxValues = 1 << 15
	// maxSlow bounds the numbers among them that take many times as long as others
	// ([strictjson.Number.Slow]). It is what the first document may have; an
	// ordinary log has none.
	maxSlow = 32
	// maxLogProofs is for maxEntries entries of one proof. A log with two for each
	// has as many signatures to be checked, in fewer entries.
	maxLogProofs = maxEntries + maxEntries/4
)

// A Log is the verified history of a DID. It does not change: what adds to it
// returns another Log. It is safe for concurrent use. The zero Log is not usable.
type Log struct {
	entries  []entry
	proofs   []approval // of the witnesses, in the order of the file
	approved int        // how many entries, from the first, have approval enough
	verified time.Time  // when
}

// VerifyLog verifies the log of id and its witness proofs, which are nil if there
// are none, as they were at the time now. The error is an [*EntryError] for the first
// entry that is wrong, or matches [did.ErrInvalid] if the log is not one of id.
func VerifyLog(id did.DID, jsonl, witness []byte, now time.Time) (*Log, error) {
	if _, err := parseName(id); err != nil {
		return nil, err
	}
	l, err := OpenLog(jsonl, witness, now)
	if err != nil {
		return nil, err
	}
	if err := l.Witnessed(); err != nil {
		return nil, err
	}
	if err := named(l.entries, id); err != nil {
		return nil, err
	}
	return l, nil
}

// OpenLog is [VerifyLog] for a controller or a witness: the log may be of any DID,
// and proofs of witnesses may still be missing, see [Log.Witnessed].
func OpenLog(jsonl, witness []byte, now time.Time) (*Log, error) {
	ctx := context.Background() // the limits alone end it
	entries, err := readEntries(ctx, jsonl, now)
	if err != nil {
		return nil, err
	}
	l := &Log{entries: entries, verified: now}
	if l.proofs, err = parseApprovals(witness); err != nil {
		return nil, err
	}
	l.approved = approved(ctx, l.entries, l.proofs, now)
	return l, nil
}

// readEntries verifies a log but for its witnesses. It returns the entries before the
// first that is wrong, and an error if there is such a one or no entry at all, or the
// context's if it ended.
func readEntries(ctx context.Context, jsonl []byte, now time.Time) ([]entry, error) {
	if len(jsonl) > maxLog {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrMalformed, maxLog)
	}
	rest, ok := bytes.Clone(bytes.TrimSuffix(jsonl, []byte{'\n'})), true
	if len(rest) == 0 {
		return nil, fmt.Errorf("%w: no entry", ErrMalformed)
	}
	var entries []entry
	for ok {
		var line []byte
		line, rest, ok = bytes.Cut(rest, []byte{'\n'})
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(entries) == maxEntries {
			return entries, &EntryError{len(entries) + 1, fmt.Errorf("%w: more than %d entries", ErrMalformed, maxEntries)}
		}
		e, err := next(entries, line, now)
		if err != nil {
			return entries, &EntryError{len(entries) + 1, err}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// named returns nil if id is a name that the DID of the entries has or had: the SCID
// is theirs, and a document of theirs has the name (section Read, after step 11, and
// Reading did:webvh DID URLs).
func named(entries []entry, id did.DID) error {
	n, err := parseName(id)
	if err != nil {
		return err
	}
	if n.scid != entries[0].name.scid {
		return fmt.Errorf("%w: the log is another DID's", ErrSCID)
	}
	for _, e := range entries {
		if e.name.id == id {
			return nil
		}
	}
	return fmt.Errorf("%w: no entry has the name asked for", ErrState)
}

func (l *Log) last() entry { return l.entries[len(l.entries)-1] }

// DID returns the DID by its present name.
func (l *Log) DID() did.DID { return l.last().name.id }

// URL returns the addresses to publish the log and the witness proofs at, as the
// function of this name does, and for a DID of localhost, too.
func (l *Log) URL() (log, witness string) { return l.last().name.files() }

// VersionID returns the versionId of the last entry.
func (l *Log) VersionID() string { return l.last().versionID }

// Len returns the number of entries.
func (l *Log) Len() int { return len(l.entries) }

// JSONL returns the file did.jsonl, of media type text/jsonl. Entries that were read
// are as they were.
func (l *Log) JSONL() []byte {
	var file []byte
	for _, e := range l.entries {
		file = append(append(file, e.line...), '\n')
	}
	return file
}

// Witnessed returns nil if enough witnesses have approved every entry that needs it
// (section Witness Threshold Algorithm), and else an [*EntryError] that matches
// [ErrWitness].
func (l *Log) Witnessed() error { return lacking(l.entries, l.approved) }
