package didwebvh

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const (
	// maxWitnessFile is for two proofs of each of hundreds of witnesses.
	maxWitnessFile = 1 << 20
	// maxWitnessValues is for four thousand of them, each with eight values.
	maxWitnessValues = 1 << 15
	// maxChecks bounds the proofs of witnesses that are verified for one log: one of
	// each is enough, which is eight times the witnesses of an entry.
	maxChecks = 8 * maxWitnesses
)

// Witness is the witness parameter: who approves the entries that follow, and how
// many of them are enough (section The witness Parameter).
type Witness struct {
	Threshold int       // from 1 to the number of witnesses
	Witnesses []did.DID // did:key of Ed25519 keys, each once
}

// An approval is one proof of the witness proofs file.
type approval struct {
	versionID string
	proof     *strictjson.Object
}

// parseApprovals reads did-witness.json (section The Witness Proofs File).
func parseApprovals(file []byte) ([]approval, error) {
	if len(file) == 0 {
		return nil, nil
	}
	v, err := strictjson.Parser{MaxBytes: maxWitnessFile, MaxValues: maxWitnessValues}.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWitness, errtext.Below(err))
	}
	malformed := fmt.Errorf("%w: malformed file of proofs", ErrWitness)
	list, ok := v.([]any)
	if !ok {
		return nil, malformed
	}
	var all []approval
	for _, v := range list {
		o, _ := v.(*strictjson.Object)
		id, ok := o.Text("versionId")
		if !ok {
			return nil, malformed
		}
		v, present := o.Get("proof")
		proofs, ok := v.([]any)
		if present && !ok {
			return nil, malformed
		}
		for _, v := range proofs {
			proof, ok := v.(*strictjson.Object)
			if !ok {
				return nil, malformed
			}
			all = append(all, approval{id, proof})
		}
	}
	return all, nil
}

// needsApproval reports whether any of the entries does.
func needsApproval(entries []entry) bool {
	return slices.ContainsFunc(entries, func(e entry) bool { return len(e.approval.keys) > 0 })
}

// approved returns how many entries, from the first, have been approved by enough
// witnesses or need none (section Verifying Witness Proofs During Resolution). A
// witness that approves an entry approves those before it as well. Proofs of entries
// that the log does not have, of strangers, and bad ones do not count, nor do those
// that were not looked at when the context ended.
func approved(ctx context.Context, entries []entry, proofs []approval, now time.Time) int {
	numbers := make(map[string]int, len(entries))
	for i, e := range entries {
		numbers[e.versionID] = i + 1
	}
	type candidate struct {
		number int
		approval
	}
	by := map[string][]candidate{}
	for _, p := range proofs {
		if n, key := numbers[p.versionID], ""; n > 0 {
			if key, _ = signer(p.proof); key != "" {
				by[key] = append(by[key], candidate{n, p})
			}
		}
	}
	for _, list := range by {
		slices.SortStableFunc(list, func(a, b candidate) int { return b.number - a.number })
	}
	checks, latest := 0, map[string]int{} // the last entry that a witness has approved
	approves := func(key string, number int) bool {
		n, known := latest[key]
		for ; !known && n == 0 && len(by[key]) > 0 && checks < maxChecks && ctx.Err() == nil; by[key] = by[key][1:] {
			c := by[key][0]
			checks++
			if verify(approvedDocument(c.versionID), c.proof, key, now) == nil {
				n = c.number
			}
		}
		latest[key] = n
		return n >= number
	}
	for i, e := range entries {
		count := 0
		for _, key := range e.approval.keys {
			if count == e.approval.threshold {
				break
			}
			if approves(key, i+1) {
				count++
			}
		}
		if count < e.approval.threshold {
			return i
		}
	}
	return len(entries)
}

// approvedDocument is what a witness signs.
func approvedDocument(versionID string) *strictjson.Object {
	return strictjson.NewObject(strictjson.Member{Name: "versionId", Value: versionID})
}

// lacking is the error for the first entry without approval enough.
func lacking(entries []entry, approved int) error {
	if approved == len(entries) {
		return nil
	}
	return &EntryError{approved + 1, ErrWitness}
}

// WitnessProofs returns the file did-witness.json, of media type application/json, or
// nil if there are no proofs: of each witness the one for the latest entry, as the
// specification asks for. It is published before did.jsonl.
func (l *Log) WitnessProofs() []byte {
	seen := map[string]bool{}
	var list []any
	for _, e := range slices.Backward(l.entries) {
		var proofs []any
		for _, p := range l.proofs {
			if key, ok := signer(p.proof); ok && p.versionID == e.versionID && !seen[key] {
				seen[key] = true
				proofs = append(proofs, p.proof)
			}
		}
		if proofs != nil {
			o := approvedDocument(e.versionID)
			o.Set("proof", proofs)
			list = append(list, o)
		}
	}
	if list == nil {
		return nil
	}
	slices.Reverse(list)
	file, err := strictjson.Append(nil, list)
	if err != nil {
		return nil // of trees that were parsed or made here, it never is
	}
	return file
}

// Approve is a witness's part (section Witnessing a DID Version Update): it verifies
// that candidate is the published log, which the witness has kept, with exactly one
// more entry, and returns the witness's proof for [Log.AddProof]. Published is nil for
// a first entry. Whether to approve of what the entry says is the caller's to decide
// before. An error that matches [ErrHash] means that the history was changed.
func Approve(ctx context.Context, published *Log, candidate []byte, key did.Signer, now time.Time) ([]byte, error) {
	l, err := OpenLog(candidate, nil, now)
	if err != nil {
		return nil, err
	}
	number := 1
	if published != nil {
		if number += len(published.entries); !bytes.HasPrefix(l.JSONL(), published.JSONL()) {
			return nil, fmt.Errorf("%w: the log does not continue the one published", ErrHash)
		}
	}
	if len(l.entries) != number {
		return nil, fmt.Errorf("%w: not exactly one more entry", ErrVersion)
	}
	multikey, err := multikeyOf(key.Public())
	if err != nil {
		return nil, err
	}
	if !slices.Contains(l.last().approval.keys, multikey) {
		return nil, fmt.Errorf("%w: not a witness of this entry", ErrKey)
	}
	proof, err := sign(ctx, approvedDocument(l.VersionID()), key, now)
	if err != nil {
		return nil, err
	}
	data, err := strictjson.Append(nil, proof)
	if err != nil {
		return nil, fmt.Errorf("didwebvh: writing a proof: %w", err)
	}
	return data, nil
}

// AddProof returns the log with the proof of a witness for its last entry. A proof
// that is malformed, forged, or of somebody else is [ErrWitness].
func (l *Log) AddProof(proof []byte) (*Log, error) {
	o, err := strictjson.ParseObject(proof)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWitness, errtext.Below(err))
	}
	last := l.last()
	key, ok := signer(o)
	if !ok || !slices.Contains(last.approval.keys, key) {
		return nil, fmt.Errorf("%w: not by a witness of the entry", ErrWitness)
	}
	if err := verify(approvedDocument(last.versionID), o, key, l.verified); err != nil {
		return nil, fmt.Errorf("%w: the proof does not verify", ErrWitness)
	}
	more := *l
	more.proofs = append(slices.Clone(l.proofs), approval{last.versionID, o})
	more.approved = approved(context.Background(), more.entries, more.proofs, l.verified)
	return &more, nil
}
