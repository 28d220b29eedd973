package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/status"
)

// statusLists are what the server issues: one list for each of its keys and purposes,
// made when it is first asked for. They end with the process.
type statusLists struct {
	s *server

	mu    sync.Mutex
	lists map[listName]*statusList
	// entries are those of the credentials that have an id and one of these entries.
	entries map[string][]listed
}

type listName struct {
	key     string
	purpose status.Purpose
}

type statusList struct {
	bits *status.Bits
	used map[int]bool

	changed bool      // since made
	made    time.Time // the date of the last publication
}

// listed is one entry of a credential.
type listed struct {
	list  listName
	index int
}

// maxEntries is how many credentials the server remembers to have given entries to: as
// many as a list has, half full, so that finding a free index stays quick.
const maxEntries = status.MinEntries / 2

func newStatusLists(s *server) *statusLists {
	return &statusLists{s: s, lists: map[listName]*statusList{}, entries: map[string][]listed{}}
}

func (n listName) url(base string) string { return base + "/status/" + n.key + "/" + string(n.purpose) }

// addStatus adds to a credential the entries that the options ask for: an object with a
// statusPurpose, an array of those, or true for a revocation.
func (s *server) addStatus(c *vc.Credential, asked json.RawMessage, key string) error {
	purposes, err := purposesOf(asked)
	if err != nil {
		return err
	}
	for _, p := range purposes {
		entry, err := s.lists.allocate(c.ID, listName{key, p})
		if err != nil {
			return err
		}
		if isVersion1(c) { // whose context has no terms for it
			addContext(c, contextStatus)
		}
		c.Status = append(c.Status, entry)
	}
	return nil
}

func purposesOf(asked json.RawMessage) ([]status.Purpose, error) {
	var out []status.Purpose
	var wanted bool
	if json.Unmarshal(asked, &wanted) == nil {
		if wanted {
			out = append(out, status.Revocation)
		}
		return out, nil
	}
	for _, raw := range oneOrMany(asked) {
		var entry struct {
			Type          string
			StatusPurpose status.Purpose
		}
		if err := json.Unmarshal(raw, &entry); err != nil || entry.Type != "" && entry.Type != status.TypeEntry {
			return nil, badRequest("options.credentialStatus is no " + status.TypeEntry)
		}
		switch {
		case entry.StatusPurpose == "":
			entry.StatusPurpose = status.Revocation
		case !entry.StatusPurpose.Withdraws():
			return nil, badRequest("options.credentialStatus has a purpose other than revocation and suspension")
		}
		if slices.Contains(out, entry.StatusPurpose) {
			return nil, badRequest("options.credentialStatus has a purpose twice")
		}
		out = append(out, entry.StatusPurpose)
	}
	return out, nil
}

var errFull = errors.New("vcapi: the status list is full: start the server anew")

// allocate gives a credential a random index that no other has.
func (l *statusLists) allocate(credential string, name listName) (vc.Status, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.lists[name]
	if list == nil {
		bits, err := status.NewBits(status.MinEntries)
		if err != nil {
			return vc.Status{}, err
		}
		list = &statusList{bits: bits, used: map[int]bool{}}
		l.lists[name] = list
	}
	if len(list.used) == maxEntries {
		return vc.Status{}, errFull
	}
	for {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(list.bits.Len())))
		if err != nil {
			return vc.Status{}, err
		}
		index := int(n.Int64())
		if list.used[index] {
			continue
		}
		list.used[index] = true
		if credential != "" {
			l.entries[credential] = append(l.entries[credential], listed{name, index})
		}
		return status.Entry(name.url(l.s.base), name.purpose, index), nil
	}
}

// statusList answers with a list, signed now.
func (s *server) statusList(ctx context.Context, r *request) answer {
	name := listName{r.path[1], status.Purpose(r.purpose)}
	secured, err := s.lists.publish(ctx, name)
	switch {
	case errors.Is(err, errNoList):
		return refused(http.StatusNotFound, "there is no such status list")
	case err != nil:
		return answerError(err)
	}
	return answer{status: http.StatusOK, raw: secured.Bytes}
}

var errNoList = errors.New("vcapi: no such status list")

// validity is how long a list may be relied on. A verifier on this machine asks for it
// each time.
const validity = 24 * time.Hour

func (l *statusLists) publish(ctx context.Context, name listName) (vc.Secured, error) {
	l.mu.Lock()
	defer l.mu.Unlock() // so that no older list is signed later than a newer one
	list := l.lists[name]
	if list == nil {
		return vc.Secured{}, errNoList
	}
	signer := l.s.keys[name.key]
	now := list.date(l.s.now().UTC().Truncate(time.Millisecond))
	c, err := (&status.List{
		ID: name.url(l.s.base), Issuer: signer.VerificationMethod().DID, Purposes: []status.Purpose{name.purpose},
		ValidFrom: now, ValidUntil: now.Add(validity), Bits: list.bits,
	}).Credential()
	if err != nil {
		return vc.Secured{}, err
	}
	issuer := &dataintegrity.Issuer{Signer: signer, Now: l.s.now}
	switch name.key {
	case keyEd25519:
		issuer.Suite = rdfc.EdDSARDFC2022()
	case keyP381:
		return secureWhole(ctx, issuer, c)
	default:
		issuer.Suite = rdfc.ECDSARDFC2019()
	}
	return issuer.Secure(ctx, c)
}

// date returns when a list is said to be made: of two with one date a verifier would go
// by both.
func (s *statusList) date(now time.Time) time.Time {
	if s.changed && !now.After(s.made) {
		now = s.made.Add(time.Millisecond)
	}
	if now.After(s.made) {
		s.made, s.changed = now, false
	}
	return s.made
}

// secureWhole secures with a key whose proofs nobody verifies before something was
// derived from them: everything is.
func secureWhole(ctx context.Context, issuer *dataintegrity.Issuer, c *vc.Credential) (vc.Secured, error) {
	issuer.Suite = bbs.Suite()
	base, err := issuer.Secure(ctx, c)
	if err != nil {
		return vc.Secured{}, err
	}
	return bbs.Derive(ctx, base, []vc.Pointer{""}, nil, nil)
}

// setStatus sets or unsets what an issued credential's entries say.
func (s *server) setStatus(_ context.Context, r *request) answer {
	id, _ := asText(r.members["credentialId"])
	purposes, err := purposesOf(r.members["credentialStatus"])
	if err != nil {
		return answerError(err)
	}
	value := true
	if raw, ok := r.members["status"]; ok {
		text, isString := asText(raw)
		if value, err = strconv.ParseBool(text); !isString {
			err = json.Unmarshal(raw, &value)
		}
		if err != nil {
			return answerError(badRequest("status is not true or false"))
		}
	}
	if id == "" || len(purposes) == 0 {
		return answerError(badRequest("credentialId or credentialStatus is missing"))
	}
	if !s.lists.set(id, purposes, value) {
		return refused(http.StatusNotFound, "no credential with this id has such an entry: one that was issued without an id is not found again")
	}
	return answer{status: http.StatusOK, value: map[string]any{}}
}

func (l *statusLists) set(credential string, purposes []status.Purpose, value bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := false
	for _, e := range l.entries[credential] {
		list := l.lists[e.list]
		if slices.Contains(purposes, e.list.purpose) && list.bits.Set(e.index, value) == nil {
			found, list.changed = true, true
		}
	}
	return found
}
