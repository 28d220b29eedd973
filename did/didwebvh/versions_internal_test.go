package didwebvh

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// site is a Getter of one DID's files, at whatever address.
type site struct {
	log, witness []byte
	err          error // of the log, or of the witness proofs if there is a log
}

func (s site) Get(_ context.Context, url string, accept ...string) ([]byte, string, error) {
	switch {
	case bytes.HasSuffix([]byte(url), []byte("/did.jsonl")) && s.log != nil:
		return s.log, accept[0], nil
	case s.err != nil:
		return nil, "", s.err
	case s.witness != nil:
		return s.witness, accept[0], nil
	}
	return nil, "", did.ErrNotFound
}

func resolveAt(t testing.TB, s site, id did.DID, at did.Version) (*did.Resolution, error) {
	t.Helper()
	res, err := (&Resolver{Client: s, Now: func() time.Time { return now }}).Resolve(context.Background(), id, at)
	require.True(t, (res == nil) == (err != nil))
	if err != nil {
		classes := 0
		for _, class := range []error{did.ErrNotFound, did.ErrInvalid, did.ErrUnsupported, did.ErrUnavailable} {
			if errors.Is(err, class) {
				classes++
			}
		}
		require.Equal(t, 1, classes, "%v", err)
	}
	return res, err
}

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

func dated(n int, s step) step {
	s.time = day(n).Format(time.RFC3339)
	return s
}

// TestVersions asks for versions of a good log, and of one whose third entry is bad
// (section Read, step 11, and Reading did:webvh DID URLs).
func TestVersions(t *testing.T) {
	t.Parallel()
	spoilt := func(o *strictjson.Object) { o.Set("versionTime", "2026-01-03T00:00:01Z") }
	good := writeLog(t, dated(1, step{parameters: first}), dated(2, step{parameters: `{}`}), dated(3, step{parameters: `{}`}), dated(4, step{parameters: `{}`}))
	bad := writeLog(t, dated(1, step{parameters: first}), dated(2, step{parameters: `{}`}), dated(3, step{parameters: `{}`, after: spoilt}), dated(4, step{parameters: `{}`}))
	ids := make([]string, 4)
	for i, e := range mustOpen(t, good).entries {
		ids[i] = e.versionID
	}
	id := mustOpen(t, good).DID()
	require.Contains(t, string(bad), ids[1])
	for name, c := range map[string]struct {
		at        did.Version
		good, bad int // the number returned
		err, then error
	}{
		"latest":                 {did.Version{}, 4, 0, nil, ErrTime},
		"number 1":               {did.Version{Number: 1}, 1, 1, nil, nil},
		"number 2":               {did.Version{Number: 2}, 2, 2, nil, nil},
		"number 3":               {did.Version{Number: 3}, 3, 0, nil, ErrHash},
		"number 4":               {did.Version{Number: 4}, 4, 0, nil, ErrHash},
		"number 5":               {did.Version{Number: 5}, 0, 0, did.ErrNotFound, ErrHash},
		"number below 1":         {did.Version{Number: -1}, 0, 0, did.ErrNotFound, ErrHash},
		"id 2":                   {did.Version{ID: ids[1]}, 2, 2, nil, nil},
		"id 4":                   {did.Version{ID: ids[3]}, 4, 0, nil, ErrHash},
		"id of its number alone": {did.Version{ID: "2"}, 0, 0, did.ErrNotFound, ErrHash},
		"id cut":                 {did.Version{ID: ids[1][:30]}, 0, 0, did.ErrNotFound, ErrHash},
		"id of another number":   {did.Version{ID: "3" + ids[1][1:]}, 0, 0, did.ErrNotFound, ErrHash},
		"time before the first":  {did.Version{Time: day(1).Add(-1)}, 0, 0, did.ErrNotFound, did.ErrNotFound},
		"time of the first":      {did.Version{Time: day(1)}, 1, 1, nil, nil},
		"time just before 2":     {did.Version{Time: day(2).Add(-1)}, 1, 1, nil, nil},
		"time of 2":              {did.Version{Time: day(2)}, 2, 2, nil, nil},
		"time just after 2":      {did.Version{Time: day(2).Add(1)}, 2, 0, nil, ErrHash}, // the bad entry may have ended it
		"time of 4":              {did.Version{Time: day(4)}, 4, 0, nil, ErrHash},
		"time to come":           {did.Version{Time: day(4).AddDate(9, 0, 0)}, 4, 0, nil, ErrHash},
		"number and id":          {did.Version{Number: 2, ID: ids[1]}, 0, 0, did.ErrInvalid, did.ErrInvalid},
		"number and time":        {did.Version{Number: 2, Time: day(2)}, 0, 0, did.ErrInvalid, did.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := resolveAt(t, site{log: good}, id, c.at)
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
			} else {
				require.NoError(t, err)
				require.Equal(t, ids[c.good-1], res.VersionID)
				require.Equal(t, day(1), res.Created)
				require.Equal(t, day(4), res.Updated)
				require.JSONEq(t, `"`+day(c.good).Format(time.RFC3339)+`"`, string(res.Other["versionTime"]))
			}
			res, err = resolveAt(t, site{log: bad}, id, c.at)
			if c.then == nil {
				require.NoError(t, err)
				require.Equal(t, ids[c.bad-1], res.VersionID)
				require.Equal(t, day(2), res.Updated)
				return
			}
			var at *EntryError
			if errors.As(err, &at) {
				require.Equal(t, 3, at.Entry)
				require.ErrorIs(t, err, ErrHash)
				return
			}
			require.ErrorIs(t, err, c.then)
		})
	}
}

// TestVersionsApproved: an entry without approval enough cannot be asked for, and those
// before it can.
func TestVersionsApproved(t *testing.T) {
	t.Parallel()
	log := writeLog(t, dated(1, step{parameters: withParameters(twoOf(1, 5))}), dated(2, step{parameters: `{}`}), dated(3, step{parameters: `{}`}))
	l := mustOpen(t, log)
	s := site{log: log, witness: proofsFile(t, log, []vote{{2, 5}, {3, 6}}, nil)}
	for name, c := range map[string]struct {
		at did.Version
		ok bool
	}{
		"latest":           {did.Version{}, false},
		"number 3":         {did.Version{Number: 3}, false},
		"id 3":             {did.Version{ID: l.VersionID()}, false},
		"time of 3":        {did.Version{Time: day(3)}, false},
		"just before 3":    {did.Version{Time: day(3).Add(-1)}, false},
		"number 2":         {did.Version{Number: 2}, true},
		"id 1":             {did.Version{ID: l.entries[0].versionID}, true},
		"time of 2":        {did.Version{Time: day(2)}, true},
		"time before 2":    {did.Version{Time: day(2).Add(-1)}, true},
		"number of no one": {did.Version{Number: 4}, false},
	} {
		res, err := resolveAt(t, s, l.DID(), c.at)
		if c.ok {
			require.NoError(t, err, name)
			require.Equal(t, day(2), res.Updated)
			continue
		}
		var at *EntryError
		require.ErrorAs(t, err, &at, name)
		require.Equal(t, 3, at.Entry)
		require.ErrorIs(t, err, ErrWitness)
	}
	_, err := resolveAt(t, site{log: log, err: did.ErrUnavailable}, l.DID(), did.Version{Number: 1})
	require.ErrorIs(t, err, did.ErrUnavailable)
}

// TestDeactivated: no document at the end, but before it, to whoever asks.
func TestDeactivated(t *testing.T) {
	t.Parallel()
	log := writeLog(t, dated(1, step{parameters: first}), dated(2, step{parameters: `{"deactivated":true,"updateKeys":[]}`}))
	l := mustOpen(t, log)
	for name, at := range map[string]did.Version{"latest": {}, "number": {Number: 2}, "id": {ID: l.VersionID()}, "time": {Time: day(3)}} {
		res, err := l.Resolve(l.DID(), at)
		require.NoError(t, err, name)
		require.Nil(t, res.Document, name)
		require.True(t, res.Deactivated, name)
		require.Equal(t, l.VersionID(), res.VersionID)
	}
	for name, at := range map[string]did.Version{"number": {Number: 1}, "time": {Time: day(1)}} {
		res, err := l.Resolve(l.DID(), at)
		require.NoError(t, err, name)
		require.NotNil(t, res.Document, name)
		require.True(t, res.Deactivated, name)
		require.Equal(t, day(2), res.Updated)
	}
	_, _, err := l.ParallelWeb()
	require.ErrorIs(t, err, ErrDeactivated)
}

// TestNames: a log answers for the names that its DID has or had, and for no other.
func TestNames(t *testing.T) {
	t.Parallel()
	steps := []step{dated(1, step{parameters: firstMoving})}
	old := mustOpen(t, writeLog(t, steps...)).DID()
	scid := mustOpen(t, writeLog(t, steps...)).entries[0].name.scid
	steps = append(steps, dated(2, step{parameters: `{}`, state: `{"id":"did:webvh:` + scid + `:hills.example","alsoKnownAs":["{DID}"]}`}))
	log := writeLog(t, steps...)
	l := mustOpen(t, log)
	require.NotEqual(t, old, l.DID())
	res, err := resolveAt(t, site{log: log}, l.DID(), did.Version{})
	require.NoError(t, err)
	require.Equal(t, []string{old.String()}, res.Document.AlsoKnownAs())
	for name, c := range map[string]struct {
		id, moved did.DID
		at        did.Version
	}{
		"old name, latest":  {old, l.DID(), did.Version{}},
		"old name, then":    {old, did.DID{}, did.Version{Time: day(1)}},
		"new name, first":   {l.DID(), old, did.Version{Number: 1}},
		"old name, by time": {old, l.DID(), did.Version{Time: day(2)}},
	} {
		res, err := resolveAt(t, site{log: log}, c.id, c.at)
		if c.moved.IsZero() {
			require.NoError(t, err, name)
			require.Equal(t, c.id, res.Document.ID(), name)
			continue
		}
		var moved *MovedError
		require.ErrorAs(t, err, &moved, name)
		require.Equal(t, c.moved, moved.Name, name)
		require.ErrorIs(t, err, did.ErrNotFound)
	}
	// A log at another place, or another DID's log at the place, is nobody's.
	for name, c := range map[string]struct {
		id   string
		want error
	}{
		"another host":           {"did:webvh:" + scid + ":lakes.example", ErrState},
		"another path":           {"did:webvh:" + scid + ":hills.example:a", ErrState},
		"another spelling":       {"did:webvh:" + scid + ":HILLS.example", ErrState},
		"another SCID":           {"did:webvh:" + hashText([]byte("x")) + ":hills.example", ErrSCID},
		"its name with port 443": {"did:webvh:" + scid + ":hills.example%3A443", ErrState},
	} {
		id, err := did.Parse(c.id)
		require.NoError(t, err)
		for _, at := range []did.Version{{}, {Number: 1}, {ID: l.VersionID()}} {
			_, err = resolveAt(t, site{log: log}, id, at)
			require.ErrorIs(t, err, c.want, name)
		}
		_, err = VerifyLog(id, log, nil, now)
		require.ErrorIs(t, err, c.want, name)
	}
	_, err = VerifyLog(did.DID{}, log, nil, now)
	require.ErrorIs(t, err, did.ErrUnsupported)
}

// TestMetadata is the list of section Read.
func TestMetadata(t *testing.T) {
	t.Parallel()
	log := writeLog(t,
		step{parameters: withParameters(twoOf(1, 5) + `,"portable":true,"ttl":60,"watchers":["https://heron.example/"]`)},
		step{parameters: `{` + twoOf(2, 5, 6) + `}`},
		step{parameters: `{"watchers":[],"ttl":null}`})
	l := openWith(t, log, proofsFile(t, log, []vote{{3, 5}, {3, 6}}, nil))
	res, err := l.Resolve(l.DID(), did.Version{Number: 1})
	require.NoError(t, err)
	text, err := json.Marshal(res.Other)
	require.NoError(t, err)
	require.JSONEq(t, fill(`{"portable":true,"scid":"`+l.last().name.scid+`","ttl":"3600","versionTime":"2026-11-17T08:00:00Z","watchers":[],
		"witness":{"threshold":"2","witnesses":[{"id":"did:key:{K5}"},{"id":"did:key:{K6}"}]}}`, ""), string(text))
	plain := mustOpen(t, writeLog(t, step{parameters: withParameters(`"ttl":0,"watchers":["https://heron.example/"]`)}))
	res, err = plain.Resolve(plain.DID(), did.Version{})
	require.NoError(t, err)
	require.JSONEq(t, `"0"`, string(res.Other["ttl"]))
	require.JSONEq(t, `["https://heron.example/"]`, string(res.Other["watchers"]))
	require.JSONEq(t, `{}`, string(res.Other["witness"]))
}

// TestDocuments: services that the method adds, keys without controller, and documents
// that are no such thing.
func TestDocuments(t *testing.T) {
	t.Parallel()
	resolved := func(state string) (*did.Document, error) {
		l := mustOpen(t, writeLog(t, step{parameters: first}, step{parameters: `{}`, state: state}))
		res, err := l.Resolve(l.DID(), did.Version{})
		if err != nil {
			var at *EntryError
			require.ErrorAs(t, err, &at)
			require.Equal(t, 2, at.Entry)
			return nil, err
		}
		return res.Document, nil
	}
	d, err := resolved(plainState)
	require.NoError(t, err)
	require.Equal(t, []did.Service{
		{ID: d.ID().String() + "#files", Type: "relativeRef", Endpoint: "https://rivers.example/"},
		{ID: d.ID().String() + "#whois", Type: "LinkedVerifiablePresentation", Endpoint: "https://rivers.example/whois.vp"},
	}, d.Services(""))
	for _, own := range []string{"#files", "{DID}#files"} {
		d, err = resolved(`{"id":"{DID}","service":[{"id":"` + own + `","type":"relativeRef","serviceEndpoint":"https://lakes.example/"}]}`)
		require.NoError(t, err)
		require.Len(t, d.Services(""), 2)
		require.Equal(t, "https://lakes.example/", d.Services("relativeRef")[0].Endpoint)
	}
	d, err = resolved(`{"id":"{DID}","service":[{"id":"#whois","type":"W","serviceEndpoint":"https://lakes.example/"},{"id":"#x","type":"X","serviceEndpoint":"https://x.example/"}]}`)
	require.NoError(t, err)
	require.Len(t, d.Services(""), 3)

	d, err = resolved(fill(`{"id":"{DID}","verificationMethod":[{"id":"#a","type":"Multikey","publicKeyMultibase":"{K4}"}],
		"assertionMethod":["#a",{"id":"#b","type":"Multikey","publicKeyMultibase":"{K5}"},{"id":"#c","type":"Multikey","controller":"did:example:otter","publicKeyMultibase":"{K6}"}]}`, "{DID}"))
	require.NoError(t, err)
	require.Len(t, d.Methods(did.AssertionMethod, now), 2)

	for name, state := range map[string]string{
		"service a map":     `{"id":"{DID}","service":{}}`,
		"key of a stranger": `{"id":"{DID}","verificationMethod":[{"type":"Multikey"}]}`,
		"key twice":         `{"id":"{DID}","verificationMethod":[{"id":"#a","type":"X"},{"id":"#a","type":"X"}]}`,
		"private key":       `{"id":"{DID}","verificationMethod":[{"id":"#a","type":"Multikey","secretKeyMultibase":"z1"}]}`,
		"names not a list":  `{"id":"{DID}","alsoKnownAs":"x"}`,
	} {
		_, err := resolved(state)
		require.ErrorIs(t, err, ErrState, name)
	}
}

// TestKnown: a log that lost what was seen of it is refused, whatever is asked for.
func TestKnown(t *testing.T) {
	t.Parallel()
	steps := []step{dated(1, step{parameters: first}), dated(2, step{parameters: `{}`}), dated(3, step{parameters: `{}`})}
	whole := writeLog(t, steps...)
	short := writeLog(t, steps[:2]...)
	other := writeLog(t, steps[0], steps[1], dated(3, step{parameters: `{"ttl":1}`}))
	id := mustOpen(t, whole).DID()
	seen := mustOpen(t, whole).VersionID()
	for name, c := range map[string]struct {
		log  []byte
		seen string
		want error
	}{
		"nothing seen":     {short, "", nil},
		"the same":         {whole, seen, nil},
		"longer":           {whole, mustOpen(t, short).VersionID(), nil},
		"shorter":          {short, seen, ErrHash},
		"rewritten":        {other, seen, ErrHash},
		"broken, too":      {append(bytes.Clone(short), 'x'), seen, ErrMalformed},
		"broken elsewhere": {append(bytes.Clone(whole), 'x'), seen, nil}, // number 1 is asked for
	} {
		r := &Resolver{Client: site{log: c.log}, Now: func() time.Time { return now }, Known: func(asked did.DID) string {
			require.Equal(t, id, asked)
			return c.seen
		}}
		_, err := r.Resolve(context.Background(), id, did.Version{Number: 1})
		if c.want == nil {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, c.want, name)
	}
}
