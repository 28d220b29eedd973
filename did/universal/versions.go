package universal

import (
	"container/list"
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/did"
)

// versions keeps the newest version seen of each did:webvh by its SCID, which all
// names of a DID have: the host that a DID has left could bring back the log as it was
// before, and the old name would be as good as ever.
type versions struct {
	max     int
	order   *list.List // of version, the last asked for first
	entries map[string]*list.Element
}

type version struct{ scid, id string }

func newVersions(limit int) *versions {
	return &versions{max: limit, order: list.New(), entries: map[string]*list.Element{}}
}

// scid returns the first part of the method-specific identifier.
func scid(id did.DID) string {
	s, _, _ := strings.Cut(id.SpecificID(), ":")
	return s
}

// get returns the newest versionId seen of a DID, or "".
func (v *versions) get(id did.DID) string {
	e := v.entries[scid(id)]
	if e == nil {
		return ""
	}
	v.order.MoveToFront(e)
	return e.Value.(version).id
}

// put keeps a versionId unless a later one was seen.
func (v *versions) put(id did.DID, versionID string) {
	name := strings.Clone(scid(id))
	if e := v.entries[name]; e != nil {
		if number(versionID) > number(e.Value.(version).id) {
			e.Value = version{name, versionID}
		}
		return
	}
	v.entries[name] = v.order.PushFront(version{name, versionID})
	if v.order.Len() > v.max {
		delete(v.entries, v.order.Remove(v.order.Back()).(version).scid)
	}
}

// number returns the version number that a versionId begins with.
func number(versionID string) uint64 {
	s, _, _ := strings.Cut(versionID, "-")
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
