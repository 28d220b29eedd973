package didwebvh

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// costing returns a log whose entries have so much of a list of values in their
// documents.
func costing(t testing.TB, value string, counts ...int) []byte {
	t.Helper()
	steps := make([]step, len(counts))
	for i, n := range counts {
		steps[i] = step{parameters: `{}`, state: `{"id":"{DID}","x":[` + strings.TrimSuffix(strings.Repeat(value+",", n), ",") + `]}`}
	}
	steps[0].parameters = first
	return writeLog(t, steps...)
}

// spent is what a log that verifies has cost.
func spent(t testing.TB, log []byte) cost {
	t.Helper()
	l, err := OpenLog(log, nil, now)
	require.NoError(t, err)
	return l.last().spent
}

func requireEntry(t testing.TB, log []byte, number int, want error) {
	t.Helper()
	_, err := OpenLog(log, nil, now)
	var at *EntryError
	require.ErrorAs(t, err, &at)
	require.Equal(t, number, at.Entry)
	require.ErrorIs(t, err, want)
}

// The work that a log makes is bounded by the values in all of it, not in each entry.
func TestAbuse_DW05_ValuesOfALog(t *testing.T) {
	t.Parallel()
	empty := spent(t, costing(t, "0", 0, 0, 0)).values
	half := maxValues / 2
	require.Less(t, spent(t, long(t, maxEntries)).values, half, "an ordinary log has room")
	most := costing(t, "0", half, 0, maxValues-half-empty)
	require.Equal(t, maxValues, spent(t, most).values)
	requireEntry(t, costing(t, "0", half, 0, maxValues-half-empty+1), 3, strictjson.ErrTooLarge)
	requireEntry(t, costing(t, "0", half, half, half), 2, strictjson.ErrTooLarge)
	requireEntry(t, costing(t, "0", maxValues), 1, strictjson.ErrTooLarge)

	// Whoever is at the limit cannot write what nobody would read.
	l, err := OpenLog(most, nil, now)
	require.NoError(t, err)
	_, err = l.Update(context.Background(), Change{Key: keySigner(t, 1), Now: func() time.Time { return now }})
	require.ErrorIs(t, err, ErrMalformed)
}

func TestAbuse_DW05_SlowNumbersOfALog(t *testing.T) {
	t.Parallel()
	for _, n := range []string{`5e-324`, `1.2345000000000000451e-300`} {
		require.True(t, strictjson.Number(n).Slow())
		require.Equal(t, maxSlow, spent(t, costing(t, n, maxSlow/2, 0, maxSlow/2)).slow)
		requireEntry(t, costing(t, n, maxSlow/2, 0, maxSlow/2+1), 3, ErrMalformed)
	}
}

func TestAbuse_DW05_ProofsOfALog(t *testing.T) {
	t.Parallel()
	log := func(double, entries int) []byte {
		var steps []step
		for i := range entries {
			s := step{parameters: `{}`, time: day(2).Add(time.Duration(i) * time.Second).Format(time.RFC3339)}
			if i == 0 {
				s.parameters = first
			}
			if i < double {
				s.after = func(o *strictjson.Object) {
					v, _ := o.Get("proof")
					o.Set("proof", []any{v.([]any)[0], v.([]any)[0]})
				}
			}
			steps = append(steps, s)
		}
		return writeLog(t, steps...)
	}
	require.Equal(t, maxLogProofs, spent(t, log(maxLogProofs/2, maxLogProofs/2)).proofs)
	require.Equal(t, maxLogProofs, spent(t, log(maxLogProofs-maxEntries, maxEntries)).proofs)
	requireEntry(t, log(maxLogProofs/2, maxLogProofs/2+1), maxLogProofs/2+1, ErrMalformed)
	requireEntry(t, log(maxLogProofs-maxEntries+1, maxEntries), maxEntries, ErrMalformed)
}

func TestLimitWitnessValues(t *testing.T) {
	t.Parallel()
	file := func(values int) []byte {
		return []byte("[" + strings.Repeat(`{"versionId":"1-x"},`, (values-3)/2) + `{"versionId":"1-x"}]`)
	}
	all, err := parseApprovals(file(maxWitnessValues))
	require.NoError(t, err)
	require.Empty(t, all)
	_, err = parseApprovals(file(maxWitnessValues + 2))
	require.ErrorIs(t, err, strictjson.ErrTooLarge)
}

// An endingContext ends when it has been asked so many times whether it has.
type endingContext struct {
	context.Context
	left int
}

func (c *endingContext) Err() error {
	if c.left == 0 {
		return context.DeadlineExceeded
	}
	c.left--
	return nil
}

// A log stops being verified when the one who asked has gone.
func TestReadEntries_StopsWithItsContext(t *testing.T) {
	t.Parallel()
	log := long(t, 20)
	for _, asks := range []int{0, 1, 19} {
		entries, err := readEntries(&endingContext{context.Background(), asks}, log, now)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Nil(t, entries)
	}
	ctx := &endingContext{context.Background(), 1000}
	entries, err := readEntries(ctx, log, now)
	require.NoError(t, err)
	require.Len(t, entries, 20)
	require.Equal(t, 980, ctx.left, "once an entry")

	witnessed := writeLog(t, step{parameters: withParameters(twoOf(1, 5))})
	entries, err = readEntries(context.Background(), witnessed, now)
	require.NoError(t, err)
	proofs, err := parseApprovals(proofsFile(t, witnessed, []vote{{1, 5}}, nil))
	require.NoError(t, err)
	require.Zero(t, approved(&endingContext{context.Background(), 0}, entries, proofs, now))
	require.Equal(t, 1, approved(context.Background(), entries, proofs, now))
}

// hangUp is a site whose visitor goes away with the answer.
type hangUp struct {
	site
	at  string
	end context.CancelFunc
}

func (h hangUp) Get(ctx context.Context, url string, accept ...string) ([]byte, string, error) {
	if strings.HasSuffix(url, h.at) {
		defer h.end()
	}
	return h.site.Get(ctx, url, accept...)
}

func TestResolver_StopsWithItsContext(t *testing.T) {
	t.Parallel()
	log := writeLog(t, step{parameters: withParameters(twoOf(1, 5))}, step{parameters: `{}`})
	s := site{log: log, witness: proofsFile(t, log, []vote{{2, 5}}, nil)}
	id := mustOpen(t, log).DID()
	_, err := resolveAt(t, s, id, did.Version{})
	require.NoError(t, err)
	for _, file := range []string{"/did.jsonl", "/did-witness.json"} {
		for _, at := range []did.Version{{}, {Number: 1}} {
			ctx, cancel := context.WithCancel(context.Background())
			res, err := (&Resolver{Client: hangUp{s, file, cancel}, Now: func() time.Time { return now }}).Resolve(ctx, id, at)
			require.ErrorIs(t, err, context.Canceled, file)
			require.NotErrorIs(t, err, did.ErrInvalid, "of a log that was not read to its end nothing is said")
			require.Nil(t, res)
		}
	}
}

// Two first entries with one SCID: where one says the SCID, the other says what stands
// for it, so that both make the same preliminary entry.
func TestAbuse_DW09_PlaceholderInAPublishedEntry(t *testing.T) {
	t.Parallel()
	for place, state := range map[string]string{
		"text":     `{"id":"{DID}","x":"{SCID}"}`,
		"in text":  `{"id":"{DID}","x":["a","b {SCID} c"]}`,
		"name":     `{"id":"{DID}","x":{"{SCID}":1}}`,
		"in texts": `{"id":"{DID}","x":[[{"y":"{SCID}{SCID}"}]]}`,
	} {
		log := writeLog(t, step{parameters: first, state: state})
		l, err := OpenLog(log, nil, now)
		require.NoError(t, err, "%s: what was the placeholder is the SCID now", place)
		scid := l.last().name.scid

		other := parseObject(t, string(log))
		document, _ := object(other, "state")
		v, _ := document.Get("x")
		back, err := replace(v, scid, placeholder)
		require.NoError(t, err)
		document.Set("x", back)
		other.Delete("proof")
		digest, err := entryHash(other, scid)
		require.NoError(t, err)
		other.Set("versionId", "1-"+digest)
		proof, err := sign(context.Background(), other, keySigner(t, 1), now)
		require.NoError(t, err)
		other.Set("proof", []any{proof})
		line, err := strictjson.Append(nil, other)
		require.NoError(t, err)
		for _, written := range [][]byte{line, bytes.ReplaceAll(line, []byte("{SCID}"), []byte(`\u007bSCI\u0044}`))} {
			requireEntry(t, written, 1, ErrSCID)
		}
	}

	// In later entries the words are only words.
	_, err := OpenLog(writeLog(t, step{parameters: first}, step{parameters: `{}`, state: `{"id":"{DID}","x":"{SCID}","{SCID}":1}`}), nil, now)
	require.NoError(t, err)
}

// BenchmarkHostileLog is the worst that the limits let through.
func BenchmarkHostileLog(b *testing.B) {
	slow := strings.Repeat("5e-324,", maxSlow) + "0"
	for name, log := range map[string][]byte{
		"values":  costing(b, "1e-300", maxValues/4-40, maxValues/4-40, maxValues/4-40, maxValues/4-40),
		"slow":    writeLog(b, step{parameters: first, state: `{"id":"{DID}","x":[` + slow + `]}`}, step{parameters: `{}`}),
		"entries": long(b, maxEntries),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := OpenLog(log, nil, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// slowSite answers when the time for it is over.
type slowSite struct{ site }

func (s slowSite) Get(ctx context.Context, url string, accept ...string) ([]byte, string, error) {
	time.Sleep(timeout + time.Second)
	return s.site.Get(ctx, url, accept...)
}

// The time that a resolver gives itself covers the verification.
func TestResolver_OwnTimeout(t *testing.T) {
	t.Parallel()
	log := writeLog(t, step{parameters: first})
	id := mustOpen(t, log).DID()
	synctest.Test(t, func(t *testing.T) {
		_, err := (&Resolver{Client: slowSite{site{log: log}}, Now: func() time.Time { return now }}).Resolve(context.Background(), id, did.Version{})
		require.ErrorIs(t, err, did.ErrUnavailable)
		require.NotErrorIs(t, err, did.ErrInvalid)
	})
}
