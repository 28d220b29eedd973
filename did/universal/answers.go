package universal

import (
	"container/list"
	"maps"
	"time"

	"github.com/staffpassport/staffpassport/did"
)

const (
	defaultMaxEntries = 1024 // organisations that one host deals with, several times over
	// maxBytes bounds the memory of the documents that are kept: 1,024 of the usual 4
	// KiB are far less, and an enemy's of 256 KiB take many times that when parsed.
	maxBytes  = 32 << 20
	overhead  = 512 // bytes of an entry beside its document
	valueSize = 64  // bytes of a value of a document beside its text, be it a name
)

// A question is a DID and a version, as a key.
type question struct {
	id        did.DID
	versionID string
	time      time.Time // in UTC: equal times are equal
	number    int
}

func ask(id did.DID, at did.Version) question {
	q := question{id: id, versionID: at.ID, number: at.Number}
	if !at.Time.IsZero() {
		q.time = at.Time.Round(0).UTC()
	}
	return q
}

func (q question) version() did.Version {
	return did.Version{ID: q.versionID, Time: q.time, Number: q.number}
}

// An answer is what a method said. It does not change.
type answer struct {
	res  *did.Resolution
	err  error
	size int // about how many bytes it takes
}

func newAnswer(res *did.Resolution, err error) *answer {
	a := &answer{res: res, err: err, size: overhead}
	if res == nil {
		return a
	}
	for name, value := range res.Other {
		a.size += len(name) + len(value)
	}
	if res.Document != nil {
		data, err := res.Document.MarshalJSON()
		if err != nil {
			a.size = maxBytes + 1
		}
		a.size += len(data) + valueSize*values(data)
		a.size += listed(res.Document)
	}
	return a
}

// values returns how many values and names a text of JSON has, or one more.
func values(data []byte) int {
	n, quoted := 1, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case !quoted && (c == ',' || c == ':' || c == '[' || c == '{'):
			n++
		}
	}
	return n
}

// listed returns what the services take that a document has read out of its tree:
// where references are relative, each has the DID before it.
func listed(d *did.Document) int {
	size := 0
	for _, s := range d.Services("") {
		size += overhead
		for _, list := range [][]string{s.Accept, s.RecipientKeys, s.RoutingKeys} {
			for _, text := range list {
				size += valueSize + len(text)
			}
		}
	}
	return size
}

// copies returns the answer for one of several who asked.
func (a *answer) copies() (*did.Resolution, error) {
	if a.err != nil {
		return nil, a.err
	}
	own := *a.res
	own.Other = maps.Clone(a.res.Other)
	return &own, nil
}

// covers reports whether an answer that is kept without a version is the one for q as
// well: q asks for a time since the last change, and not for one to come.
func (a *answer) covers(q question, now time.Time) bool {
	if q.time.IsZero() || q != (question{id: q.id, time: q.time}) || a.res.Updated.IsZero() {
		return false
	}
	return !q.time.Before(a.res.Updated) && !q.time.After(now)
}

// answers keeps the answers that were asked for last.
type answers struct {
	maxEntries int
	bytes      int
	order      *list.List // of *kept, the last asked for first
	entries    map[question]*list.Element
}

type kept struct {
	q       question
	a       *answer
	size    int
	expires time.Time
}

func newAnswers(maxEntries int) *answers {
	return &answers{maxEntries: maxEntries, order: list.New(), entries: map[question]*list.Element{}}
}

// get returns the answer if it may still be given, or nil.
func (c *answers) get(q question, now time.Time) *answer {
	e := c.entries[q]
	if e == nil {
		return nil
	}
	k := e.Value.(*kept)
	if !now.Before(k.expires) {
		c.remove(e)
		return nil
	}
	c.order.MoveToFront(e)
	return k.a
}

// put keeps an answer until that time, or until others need its place.
func (c *answers) put(q question, a *answer, expires time.Time) {
	k := &kept{q, a, a.size + len(q.id.String()) + len(q.versionID), expires}
	if k.size > maxBytes {
		return
	}
	c.delete(q)
	c.entries[q] = c.order.PushFront(k)
	c.bytes += k.size
	for c.order.Len() > c.maxEntries || c.bytes > maxBytes {
		c.remove(c.order.Back())
	}
}

func (c *answers) delete(q question) {
	if e := c.entries[q]; e != nil {
		c.remove(e)
	}
}

func (c *answers) remove(e *list.Element) {
	k := c.order.Remove(e).(*kept)
	delete(c.entries, k.q)
	c.bytes -= k.size
}
