package didwebvh

import (
	"encoding/json"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

// Resolve returns the document of id, a name that the DID has or had, as
// [Resolver.Resolve] does, but without a network.
func (l *Log) Resolve(id did.DID, at did.Version) (*did.Resolution, error) {
	return resolve(l.entries[:l.approved], l.Witnessed(), id, at)
}

// resolve returns a version from the good entries at the beginning of a log. Broken
// says what is wrong with the entry after them, if there is one.
func resolve(good []entry, broken error, id did.DID, at did.Version) (*did.Resolution, error) {
	if len(good) == 0 {
		return nil, broken
	}
	if err := named(good, id); err != nil {
		return nil, err
	}
	i, err := choose(good, broken, at)
	if err != nil {
		return nil, err
	}
	chosen, last := good[i], good[len(good)-1]
	res := &did.Resolution{
		VersionID:   chosen.versionID,
		Created:     good[0].time,
		Updated:     last.time,
		Deactivated: last.parameters.deactivated,
	}
	if res.Other, err = metadata(chosen, last); err != nil {
		return nil, err
	}
	if chosen.parameters.deactivated {
		return res, nil
	}
	if chosen.name.id != id {
		return nil, &MovedError{chosen.name.id}
	}
	if res.Document, err = document(chosen); err != nil {
		return nil, &EntryError{i + 1, err}
	}
	return res, nil
}

// choose returns the index of the version asked for (section Reading did:webvh DID
// URLs). Where the log is broken further on, the version must be one that the break
// cannot have changed: named by its ID or number, or in force at a time that the next
// good entry ends.
func choose(good []entry, broken error, at did.Version) (int, error) {
	asked, last := 0, len(good)-1
	for _, set := range []bool{at.ID != "", at.Number != 0, !at.Time.IsZero()} {
		if set {
			asked++
		}
	}
	if asked > 1 {
		return 0, fmt.Errorf("%w: a version is asked for in two ways", did.ErrInvalid)
	}
	none := broken
	if none == nil {
		none = fmt.Errorf("%w: no such version", did.ErrNotFound)
	}
	switch {
	case at.ID != "":
		for i, e := range good {
			if e.versionID == at.ID {
				return i, nil
			}
		}
		return 0, none
	case at.Number != 0:
		if at.Number < 1 || at.Number > len(good) {
			return 0, none
		}
		return at.Number - 1, nil
	case !at.Time.IsZero():
		if good[0].time.After(at.Time) {
			return 0, fmt.Errorf("%w: the DID did not exist yet", did.ErrNotFound)
		}
		i := last
		for good[i].time.After(at.Time) {
			i--
		}
		if i == last && broken != nil && at.Time.After(good[i].time) {
			return 0, broken
		}
		return i, nil
	case broken != nil:
		return 0, broken
	}
	return last, nil
}

// metadata is what only this method tells (section Read). It gives no number, as DID
// Resolution asks. The witnesses are those that were active in the last entry, which
// had to approve it; others that it names are those of the next.
func metadata(chosen, last entry) (map[string]json.RawMessage, error) {
	watchers := make([]any, len(last.parameters.watchers))
	for i, w := range last.parameters.watchers {
		watchers[i] = w
	}
	w := last.approval
	out := map[string]json.RawMessage{}
	for member, v := range map[string]any{
		"scid":        last.name.scid,
		"versionTime": xsd.Format(chosen.time),
		"portable":    last.parameters.portable,
		"ttl":         seconds(last.parameters.ttl),
		"witness":     w.tree(seconds(int64(w.threshold))),
		"watchers":    watchers,
	} {
		data, err := strictjson.Append(nil, v)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrParameters, errtext.Below(err))
		}
		out[member] = data
	}
	return out, nil
}

// document returns the document of an entry. Keys that name no controller are the
// DID's own, since two of the published writers leave it out.
func document(e entry) (*did.Document, error) {
	d, err := parseEntry(e.line, cost{})
	if err != nil {
		return nil, err
	}
	id := e.name.id.String()
	described := []string{
		"verificationMethod", string(did.Authentication), string(did.AssertionMethod), string(did.KeyAgreement),
		string(did.CapabilityInvocation), string(did.CapabilityDelegation),
	}
	for _, member := range described {
		v, _ := d.state.Get(member)
		list, _ := v.([]any)
		for _, v := range list {
			if m, ok := v.(*strictjson.Object); ok {
				if _, stated := m.Get("controller"); !stated {
					m.Set("controller", id)
				}
			}
		}
	}
	addServices(d.state, e.name)
	data, err := strictjson.Append(nil, d.state)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, errtext.Below(err))
	}
	doc, err := did.ParseDocument(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, errtext.Below(err))
	}
	return doc, nil
}
