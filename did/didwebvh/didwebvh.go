// Package didwebvh implements the did:webvh method, version 1.0: a DID on a web
// server whose history proves itself.
//
//	did:webvh : SCID : domain : path : ...
//	            |      |--------------- where the log lies: https://domain/path/did.jsonl
//	            |---------------------- hash of the first entry of the log
//
// [Resolver] reads the DIDs of others: it verifies every entry of the log, from the
// SCID to the last witness, before it returns a document. [Create] makes a DID of
// one's own; the [Log] that it returns grows by [Log.Update], [Log.Rotate],
// [Log.Move] and [Log.Deactivate], and its files are the caller's to publish.
//
// The package fetches only through the [did.Getter] that it is given, keeps no
// cache, does not ask watchers, and says nothing about whom to trust: a log proves
// who has been in control of a DID since it began, not who that is, nor that the
// server's owner agrees.
package didwebvh

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
)

// Resolver resolves did:webvh (section Read). It is safe for concurrent use if its
// fields are.
type Resolver struct {
	// Client fetches did.jsonl and, for a DID with witnesses, did-witness.json. With
	// nil nothing is fetched and every DID is [did.ErrUnavailable].
	Client did.Getter
	// Now is the clock; nil is the machine's.
	Now func() time.Time
	// Known, if not nil, returns the versionId that was last seen of a DID, or "". A
	// log without that version has been rewritten or rolled back and is refused with
	// [ErrHash]. A DID that was moved has several names with one SCID and one log, so
	// that what was seen under any of them counts. It must be safe for concurrent use.
	Known func(did.DID) string
	// Seen, if not nil, is told the versionId of the newest good entry of each log that
	// is one of the DID asked for and has the version that Known returned, whatever
	// comes of the question: a version, a move, an end. It must be safe for concurrent
	// use.
	Seen func(id did.DID, versionID string)
	// PlainLoopback also resolves DIDs whose domain is localhost, over plain http: for a
	// demonstration and for tests on one machine, with a Client that goes there. The
	// method demands a fully qualified domain name and https.
	PlainLoopback bool
}

// timeout bounds the fetching of both files of a DID and their verification, which
// stops between entries.
const timeout = 10 * time.Second

// logTypes are the media types of a log: the one of the specification, and those that
// web servers give files whose names end in .jsonl.
func logTypes() []string {
	return []string{"text/jsonl", "application/jsonl", "application/x-ndjson", "application/json", "text/plain", "application/octet-stream"}
}

var _ did.Resolver = (*Resolver)(nil)

// Resolve implements [did.Resolver]. Every entry of the log is verified whatever
// version is asked for. A log that is wrong anywhere is refused with an
// [*EntryError]; but a version that was asked for by its ID or Number, or by a Time
// before a later good version, is returned if it and all before it are good, as the
// specification demands.
//
// The document has the services #files and #whois of the section DID URL Resolution
// unless it has its own. Other has the members scid, versionTime, portable, ttl,
// witness and watchers of the section Read, the last four as the last entry has
// them. The document of an entry that deactivates the DID is not shown; those
// before it are, to whoever asks for them, with Deactivated set.
func (r *Resolver) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("didwebvh: %w", err)
	}
	n, err := parseName(id)
	if err != nil {
		return nil, err
	}
	if n.local && !r.PlainLoopback {
		return nil, errHost()
	}
	log, witness := n.files()
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	jsonl, err := r.get(limited, log, logTypes()...)
	if err != nil {
		return nil, failure(ctx, err)
	}
	now := clock(r.Now)
	good, broken := readEntries(limited, jsonl, now)
	if err := limited.Err(); err != nil {
		return nil, failure(ctx, err)
	}
	if needsApproval(good) {
		count, err := r.approved(limited, witness, good, now)
		if err != nil {
			return nil, failure(ctx, err)
		}
		if count < len(good) {
			broken = lacking(good, count)
		}
		good = good[:count]
	}
	if r.Known != nil {
		if seen := r.Known(id); seen != "" && !slices.ContainsFunc(good, func(e entry) bool { return e.versionID == seen }) {
			if broken != nil {
				return nil, broken
			}
			return nil, fmt.Errorf("%w: a version that was seen before is gone", ErrHash)
		}
	}
	if r.Seen != nil && len(good) > 0 && named(good, id) == nil {
		r.Seen(id, good[len(good)-1].versionID)
	}
	return resolve(good, broken, id, at)
}

// approved fetches the witness proofs, which are looked at last, and returns how many
// of the entries they are enough for. A file that is not there, or is malformed, has
// no proofs.
func (r *Resolver) approved(ctx context.Context, address string, entries []entry, now time.Time) (int, error) {
	file, err := r.get(ctx, address, "application/json", "text/plain", "application/octet-stream")
	if err != nil && !errors.Is(err, did.ErrNotFound) {
		return 0, err
	}
	proofs, err := parseApprovals(file)
	if err != nil {
		proofs = nil
	}
	count := approved(ctx, entries, proofs, now)
	return count, ctx.Err()
}

func (r *Resolver) get(ctx context.Context, address string, types ...string) ([]byte, error) {
	if r.Client == nil {
		return nil, fmt.Errorf("%w: no client to fetch a did:webvh with", did.ErrUnavailable)
	}
	body, _, err := r.Client.Get(ctx, address, types...)
	return body, err
}

// failure is the error of a fetch in the classes of [did.Resolver].
func failure(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("didwebvh: %w", ctx.Err())
	case errors.Is(err, did.ErrNotFound) != errors.Is(err, did.ErrUnavailable):
		return err
	}
	return fmt.Errorf("%w: the client failed", did.ErrUnavailable)
}

// clock returns the time by the clock given, or by the machine's.
func clock(now func() time.Time) time.Time {
	if now == nil {
		now = time.Now
	}
	return now()
}
