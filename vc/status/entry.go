package status

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// A Purpose says what a set bit means (section 2.1, statusPurpose).
type Purpose string

// The purposes of section 2.1 that withdraw something, and the two that do not.
const (
	Revocation Purpose = "revocation" // for good
	Suspension Purpose = "suspension" // until it is taken back
	message    Purpose = "message"
	refresh    Purpose = "refresh"
)

// Withdraws reports whether a set bit of this purpose keeps a credential from being
// accepted.
func (p Purpose) Withdraws() bool { return p == Revocation || p == Suspension }

// Types of credentialStatus entries that [ParseEntry] reads.
const (
	TypeEntry = "BitstringStatusListEntry"
	// typeClaim is what package sdjwt calls the status claim of a token. It may
	// refer to a Token Status List.
	typeClaim = "JWTStatusClaim"
)

// A Reference says where the status of one credential stands.
type Reference struct {
	List    string  // URL of the list
	Purpose Purpose // empty for a Token Status List, whose values say it
	Index   int     // from 0
	Size    int     // bits of the entry, 1 to 8; 0 for a Token Status List, which says it itself
}

// Token reports whether the list is a Token Status List.
func (r Reference) Token() bool { return r.Size == 0 }

// maxIndex is the last that a list of 16 MiB has. Larger ones are told apart from it
// by being refused as [ErrRange] as well.
const maxIndex = MaxEntries - 1

// Entry returns the credentialStatus entry of a credential (section 2.1). Its id is what
// data model 1.1 wants.
func Entry(list string, purpose Purpose, index int) vc.Status {
	return vc.Status{
		ID:   list + "#" + strconv.Itoa(index),
		Type: []string{TypeEntry},
		Other: map[string]json.RawMessage{
			"statusListCredential": text(list),
			"statusListIndex":      text(strconv.Itoa(index)),
			"statusPurpose":        text(string(purpose)),
		},
	}
}

// text writes JSON text.
func text(s string) json.RawMessage {
	b, err := strictjson.Append(nil, s)
	if err != nil { // not UTF-8: whoever secures the credential says so
		return json.RawMessage(`null`)
	}
	return b
}

// ParseEntry reads a credentialStatus entry of the type [TypeEntry], or the one that
// package sdjwt makes of a token's status claim. The error is [ErrUnsupported] for any
// other, [ErrRange] for an index that no list has, or [ErrMalformed].
func ParseEntry(s vc.Status) (Reference, error) {
	switch {
	case slices.Equal(s.Type, []string{TypeEntry}):
		return parseEntry(s)
	case slices.Equal(s.Type, []string{typeClaim}):
		return parseClaim(s)
	}
	return Reference{}, fmt.Errorf("%w: an entry of another type", ErrUnsupported)
}

func parseEntry(s vc.Status) (Reference, error) {
	e, err := members(s.Other)
	if err != nil {
		return Reference{}, err
	}
	r := Reference{Size: 1}
	purpose, _ := e.Text("statusPurpose")
	if r.Purpose = Purpose(purpose); purpose == "" {
		return Reference{}, malformed("statusPurpose")
	}
	var ok bool
	if r.List, ok = e.Text("statusListCredential"); !ok || !absolute(r.List) {
		return Reference{}, malformed("statusListCredential")
	}
	if s.ID == r.List {
		return Reference{}, malformed("id is that of the list")
	}
	if r.Size, err = entrySize(e); err != nil {
		return Reference{}, err
	}
	index, _ := e.Text("statusListIndex")
	if r.Index, ok = parseIndex(index); !ok {
		return Reference{}, ErrRange
	}
	return r, nil
}

// entrySize reads statusSize and counts the messages that go with it.
func entrySize(e *strictjson.Object) (int, error) {
	size := int64(1)
	if v, present := e.Get("statusSize"); present {
		n, ok := v.(strictjson.Number)
		var err error
		if size, err = n.Int64(); !ok || err != nil || size < 1 {
			return 0, malformed("statusSize")
		}
	}
	v, present := e.Get("statusMessage")
	messages, _ := v.([]any)
	switch {
	case size > 8: // 256 messages
		return 0, fmt.Errorf("%w: an entry of more than 8 bits", ErrUnsupported)
	case present && len(messages) != 1<<size, !present && size > 1:
		return 0, malformed("statusMessage")
	}
	return int(size), nil
}

// parseIndex reads an integer in base 10, spelled as nobody else would spell another.
func parseIndex(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return int(n), err == nil && n <= maxIndex && strconv.FormatUint(n, 10) == s
}

// parseClaim reads status_list (draft-ietf-oauth-status-list-20 section 6.2). Another
// mechanism beside it cannot be asked.
func parseClaim(s vc.Status) (Reference, error) {
	e, err := members(s.Other)
	if err != nil {
		return Reference{}, err
	}
	v, present := e.Get("status_list")
	if !present || e.Len() != 1 {
		return Reference{}, fmt.Errorf("%w: a status claim of another kind", ErrUnsupported)
	}
	list, ok := v.(*strictjson.Object)
	if !ok {
		return Reference{}, malformed("status_list")
	}
	var r Reference
	if r.List, ok = list.Text("uri"); !ok || !absolute(r.List) {
		return Reference{}, malformed("uri")
	}
	v, _ = list.Get("idx")
	number, _ := v.(strictjson.Number)
	index, err := number.Int64()
	if err != nil || index < 0 || index > maxIndex {
		return Reference{}, ErrRange
	}
	r.Index = int(index)
	return r, nil
}

// members returns the members of an entry as a tree.
func members(other map[string]json.RawMessage) (*strictjson.Object, error) {
	o := strictjson.NewObject()
	for name, raw := range other {
		v, err := strictjson.Parse(raw)
		if err != nil {
			return nil, malformed("no JSON")
		}
		o.Set(name, v)
	}
	return o, nil
}

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

// absolute reports whether s is a URL that can be asked for.
func absolute(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && len(s) <= maxURL
}

// maxURL bounds what is kept for each list.
const maxURL = 2048
