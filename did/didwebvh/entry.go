package didwebvh

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

// skew is how far the clocks of a controller and a resolver may be apart (section
// Read, step 4).
const skew = 5 * time.Minute

// maxEntry is for a document of 256 KiB, the limit of package did, with parameters
// and proofs around it.
const maxEntry = 320 << 10

// maxProofs bounds the proofs of one entry: one is enough, and each costs as much as
// all else about an entry.
const maxProofs = 2

// A cost is what the limits of a log count: how many values its entries have, how many
// of them are numbers that take long to make canonical, and how many proofs.
type cost struct{ values, slow, proofs int }

// add counts a tree.
func (c *cost) add(v any) {
	c.values++
	switch v := v.(type) {
	case strictjson.Number:
		if v.Slow() {
			c.slow++
		}
	case []any:
		for _, item := range v {
			c.add(item)
		}
	case *strictjson.Object:
		for _, value := range v.All() {
			c.add(value)
		}
	}
}

// An entry is a verified one (section The DID Log File).
//
//	{"versionId": "2-Qm...", "versionTime": "...", "parameters": {}, "state": {}, "proof": []}
type entry struct {
	line       []byte // as it stands in the log, without its line feed
	versionID  string
	time       time.Time
	name       name       // of the DID, by the entry's document
	parameters parameters // in force after the entry
	approval   witnesses  // who has to approve the entry
	spent      cost       // of this entry and all before it
}

// A draft is an entry that has been parsed and not yet verified.
type draft struct {
	versionID, versionTime string
	parameters, state      *strictjson.Object
	proofs                 []*strictjson.Object
	signed                 *strictjson.Object // the entry without its proofs
	spent                  cost               // as of the entry
}

// parseEntry parses the entry that follows others which have cost what is said.
func parseEntry(line []byte, spent cost) (draft, error) {
	if spent.values >= maxValues {
		return draft{}, errCost()
	}
	o, err := strictjson.Parser{MaxBytes: maxEntry, MaxValues: maxValues - spent.values}.ParseObject(line)
	if err != nil {
		return draft{}, fmt.Errorf("%w: %w", ErrMalformed, errtext.Below(err))
	}
	d := draft{spent: spent}
	var ok [5]bool
	d.versionID, ok[0] = o.Text("versionId")
	d.versionTime, ok[1] = o.Text("versionTime")
	d.parameters, ok[2] = object(o, "parameters")
	d.state, ok[3] = object(o, "state")
	v, _ := o.Get("proof")
	list, isList := v.([]any)
	ok[4] = isList && 0 < len(list) && len(list) <= maxProofs
	if o.Len() != len(ok) || slices.Contains(ok[:], false) {
		return draft{}, fmt.Errorf("%w: members of an entry", ErrMalformed)
	}
	for _, v := range list {
		proof, ok := v.(*strictjson.Object)
		if !ok {
			return draft{}, fmt.Errorf("%w: proof", ErrMalformed)
		}
		d.proofs = append(d.proofs, proof)
	}
	d.spent.add(o)
	d.spent.proofs += len(d.proofs)
	if d.spent.slow > maxSlow || d.spent.proofs > maxLogProofs {
		return draft{}, errCost()
	}
	d.signed = o
	d.signed.Delete("proof")
	return d, nil
}

func errCost() error {
	return fmt.Errorf("%w: more values, slow numbers or proofs than a log may have", ErrMalformed)
}

func object(o *strictjson.Object, member string) (*strictjson.Object, bool) {
	v, _ := o.Get(member)
	child, ok := v.(*strictjson.Object)
	return child, ok
}

// hash returns base58btc(multihash(JCS(tree))) with SHA-256, the form of SCIDs and
// entry hashes.
func hash(tree *strictjson.Object) (string, error) {
	canonical, err := jcs.Append(make([]byte, 0, 2048), tree)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMalformed, errtext.Below(err))
	}
	return hashText(canonical), nil
}

func hashText(text []byte) string {
	return multiformat.Base58(multiformat.SHA256Multihash(sha256.Sum256(text)))
}

// entryHash follows Generate Entry Hash: that of the entry with the versionId of the
// one before, or with the SCID for the first.
func entryHash(signed *strictjson.Object, predecessor string) (string, error) {
	input := signed.Clone()
	input.Set("versionId", predecessor)
	return hash(input)
}

// scid follows Generate SCID: that of the first entry with the placeholder for its
// versionId and wherever else the SCID stands.
func scid(signed *strictjson.Object, stands string) (string, error) {
	input := signed
	if stands != placeholder {
		replaced, err := replace(signed, stands, placeholder)
		if err != nil {
			return "", err
		}
		input = replaced.(*strictjson.Object)
	}
	input = input.Clone()
	input.Set("versionId", placeholder)
	return hash(input)
}

// replace returns the tree with one text for another in all names and texts, as if it
// were done in the JSON.
func replace(v any, old, new string) (any, error) {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, old, new), nil
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			var err error
			if list[i], err = replace(item, old, new); err != nil {
				return nil, err
			}
		}
		return list, nil
	case *strictjson.Object:
		o := strictjson.NewObject()
		o.Grow(v.Len())
		for member, value := range v.All() {
			value, err := replace(value, old, new)
			if err != nil {
				return nil, err
			}
			o.Set(strings.ReplaceAll(member, old, new), value)
		}
		if o.Len() != v.Len() {
			return nil, fmt.Errorf("%w: two members become one", ErrMalformed)
		}
		return o, nil
	}
	return v, nil
}

// holds reports whether a text is part of any text or name of the tree. The placeholder
// cannot be in a published first entry (the note in section Create): another such entry,
// with the SCID in its stead, would have the same SCID.
func holds(v any, text string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, text)
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return holds(item, text) })
	case *strictjson.Object:
		for member, value := range v.All() {
			if strings.Contains(member, text) || holds(value, text) {
				return true
			}
		}
	}
	return false
}

// next verifies the entry that follows the entries before it (section Read, steps 1
// to 7), cheap checks first.
func next(before []entry, line []byte, now time.Time) (entry, error) {
	first := len(before) == 0
	var last entry
	if !first {
		last = before[len(before)-1]
	}
	d, err := parseEntry(line, last.spent)
	if err != nil {
		return entry{}, err
	}
	e := entry{line: line, versionID: d.versionID, spent: d.spent}
	if last.parameters.deactivated {
		return e, ErrDeactivated
	}
	if e.parameters, err = last.parameters.with(d.parameters, first); err != nil {
		return e, err
	}
	if e.time, err = versionTime(d.versionTime, last.time, now); err != nil {
		return e, err
	}
	predecessor := last.versionID
	if first {
		predecessor, _ = d.parameters.Text("scid")
	}
	if err := checkVersion(&d, predecessor, len(before)+1); err != nil {
		return e, err
	}
	if first {
		if holds(d.signed, placeholder) {
			return e, fmt.Errorf("%w: the placeholder is left in the entry", ErrSCID)
		}
		if computed, err := scid(d.signed, predecessor); err != nil || computed != predecessor {
			return e, ErrSCID
		}
		last.name.scid = predecessor
	}
	if e.name, err = checkState(&d, last, e.parameters, first); err != nil {
		return e, err
	}
	keys, err := authorised(&d, last.parameters, e.parameters, first)
	if err != nil {
		return e, err
	}
	if e.approval = last.parameters.witness; len(e.approval.ids) == 0 {
		e.approval = e.parameters.witness
	}
	return e, checkProofs(&d, keys, now)
}

// checkVersion is step 3: the next number and the hash of this entry, which is a
// SHA-256 multihash if it is equal.
func checkVersion(d *draft, predecessor string, number int) error {
	text, ok := strings.CutPrefix(d.versionID, strconv.Itoa(number)+"-")
	if !ok {
		return ErrVersion
	}
	computed, err := entryHash(d.signed, predecessor)
	if err != nil {
		return err
	}
	if computed != text {
		return ErrHash
	}
	return nil
}

// versionTime is step 4.
func versionTime(text string, before, now time.Time) (time.Time, error) {
	t, err := xsd.ParseDateTimeStamp(text)
	if err != nil || !strings.HasSuffix(text, "Z") && !strings.HasSuffix(text, "+00:00") {
		return t, fmt.Errorf("%w: not a time in UTC", ErrTime)
	}
	if !t.After(before) {
		return t, fmt.Errorf("%w: not after that of the entry before", ErrTime)
	}
	if t.After(now.Add(skew)) {
		return t, fmt.Errorf("%w: in the future", ErrTime)
	}
	return t.UTC(), nil
}

// checkState is step 6 and section DID Portability: the document is of a did:webvh
// with the SCID of the log, and its name changes only if that is allowed and the
// document says what it was before.
func checkState(d *draft, last entry, in parameters, first bool) (name, error) {
	text, _ := d.state.Text("id")
	if !first && text == last.name.id.String() {
		return last.name, nil
	}
	id, err := did.Parse(text)
	if err != nil {
		return name{}, fmt.Errorf("%w: id", ErrState)
	}
	n, err := parseName(id)
	if err != nil {
		return name{}, fmt.Errorf("%w: id is not a did:webvh", ErrState)
	}
	if n.scid != last.name.scid {
		return name{}, ErrSCID
	}
	if first {
		return n, nil
	}
	v, _ := d.state.Get("alsoKnownAs")
	others, _ := v.([]any)
	if !in.portable || !slices.Contains(others, any(last.name.id.String())) {
		return name{}, fmt.Errorf("%w: the DID may not move, or does not say from where", ErrState)
	}
	return n, nil
}

// authorised returns the keys of which one must have signed the entry (section
// Authorized Keys), and checks pre-rotation (step 7): while it is on, an entry states
// its keys, all of them announced by the entry before, and announces the next.
func authorised(d *draft, last, in parameters, first bool) ([]string, error) {
	if first {
		return in.updateKeys, nil
	}
	if len(last.nextKeyHashes) == 0 {
		return last.updateKeys, nil
	}
	for _, member := range []string{"updateKeys", "nextKeyHashes"} {
		if _, ok := d.parameters.Get(member); !ok {
			return nil, fmt.Errorf("%w: %s is not stated while pre-rotation is on", ErrKey, member)
		}
	}
	for _, key := range in.updateKeys {
		if !slices.Contains(last.nextKeyHashes, hashText([]byte(key))) {
			return nil, fmt.Errorf("%w: not announced by the entry before", ErrKey)
		}
	}
	return in.updateKeys, nil
}

// checkProofs is step 2. All proofs must be good, though one is enough.
func checkProofs(d *draft, keys []string, now time.Time) error {
	for _, proof := range d.proofs {
		key, ok := signer(proof)
		if !ok {
			return fmt.Errorf("%w: verification method", ErrProof)
		}
		if !slices.Contains(keys, key) {
			return fmt.Errorf("%w: not one of the keys in force", ErrKey)
		}
		if err := verify(d.signed, proof, key, now); err != nil {
			return err
		}
	}
	return nil
}
