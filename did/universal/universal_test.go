package universal_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didjwk"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/did/didtest"
	"github.com/staffpassport/staffpassport/did/universal"
)

// served answers with what is published, as a web server would.
type served struct {
	files map[string]string
	err   error
	asked atomic.Int32
}

func (s *served) Get(ctx context.Context, url string, _ ...string) ([]byte, string, error) {
	s.asked.Add(1)
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	if s.err != nil {
		return nil, "", fmt.Errorf("%w: %w", did.ErrUnavailable, s.err)
	}
	body, ok := s.files[url]
	if !ok {
		return nil, "", did.ErrNotFound
	}
	return []byte(body), "application/json", nil
}

// a method is a resolver of invented DIDs that counts how often it is asked.
type method struct {
	asked  atomic.Int32
	answer func(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error)
}

func (m *method) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	m.asked.Add(1)
	return m.answer(ctx, id, at)
}

func id(t testing.TB, text string) did.DID {
	t.Helper()
	d, err := did.Parse(text)
	require.NoError(t, err)
	return d
}

func document(t testing.TB, of did.DID) *did.Document {
	t.Helper()
	d, err := did.NewDocument(of, nil, nil)
	require.NoError(t, err)
	return d
}

// finds answers every question with the document of the DID.
func finds(t testing.TB) *method {
	return &method{answer: func(_ context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
		return &did.Resolution{Document: document(t, id), VersionID: at.ID, Other: map[string]json.RawMessage{"scid": []byte(`"reed"`)}}, nil
	}}
}

func fails(err error) *method {
	return &method{answer: func(context.Context, did.DID, did.Version) (*did.Resolution, error) { return nil, err }}
}

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(1_800_000_000, c.at.Load()) }

func (c *clock) add(d time.Duration) { c.at.Add(int64(d)) }

func webOnly(m did.Resolver, c *clock, l universal.Limit) *universal.Resolver {
	return universal.New(universal.Config{Methods: did.Mux{"web": m}, Now: c.now, Limits: map[string]universal.Limit{"web": l}})
}

const alder = `{"id":"did:web:alder.example","service":[]}`

func TestContract(t *testing.T) {
	t.Parallel()
	client := &served{files: map[string]string{"https://alder.example/.well-known/did.json": alder}}
	r := universal.New(universal.Config{Client: client})
	didtest.Resolver(t, r, id(t, "did:web:alder.example"), id(t, "did:web:birch.example"))
	didtest.Resolver(t, r.Fresh(), id(t, "did:web:alder.example"), id(t, "did:web:birch.example"))
	key, err := didkey.New(ed25519.NewKeyFromSeed(make([]byte, 32)).Public())
	require.NoError(t, err)
	didtest.Resolver(t, universal.New(universal.Config{}), key, id(t, "did:key:z6Mk"))
}

func TestMethodsWithoutNetwork(t *testing.T) {
	t.Parallel()
	pub := ed25519.NewKeyFromSeed(make([]byte, 32)).Public()
	key, err := didkey.New(pub)
	require.NoError(t, err)
	jwk, err := didjwk.New(pub)
	require.NoError(t, err)
	long, err := didpeer.New([]byte(`{"service":[]}`))
	require.NoError(t, err)
	r := universal.New(universal.Config{Long: func(short did.DID) (did.DID, bool) { return long, short == didpeer.Short(long) }})
	for _, known := range []did.DID{key, jwk, long, didpeer.Short(long)} {
		res, err := r.Resolve(t.Context(), known, did.Version{})
		require.NoError(t, err, known.Method())
		require.Equal(t, known, res.Document.ID())
	}
	for text, want := range map[string]error{
		"did:web:alder.example": did.ErrUnavailable,
		"did:web:127.0.0.1":     did.ErrInvalid,
		"did:webvh:QmVJ5nUYb9iugnUz4yDfbe8UFbhmnsvS2EAzSpSfPScRAn:alder.example": did.ErrUnavailable,
		"did:nosuch:a": did.ErrUnsupported,
		"did:key:a":    did.ErrInvalid,
		"did:jwk:a":    did.ErrInvalid,
		"did:peer:9":   did.ErrInvalid,
		"did:peer:4zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd": did.ErrNotFound,
	} {
		res, err := r.Resolve(t.Context(), id(t, text), did.Version{})
		if text == "did:peer:9" { // a numalgo that is not known yet
			require.Error(t, err)
		} else {
			require.ErrorIs(t, err, want, text)
		}
		require.Nil(t, res, text)
	}
	for _, name := range []string{"key", "jwk", "peer", "web", "webvh"} {
		require.True(t, r.Supports(name), name)
	}
	require.False(t, r.Supports("nosuch"))
	require.False(t, r.Supports(""))
	_, err = r.Resolve(t.Context(), did.DID{}, did.Version{})
	require.ErrorIs(t, err, did.ErrInvalid)
}

func TestConfiguredMethods(t *testing.T) {
	t.Parallel()
	mine := did.Mux{"reed": finds(t), "key": fails(did.ErrNotFound)}
	r := universal.New(universal.Config{Methods: mine})
	delete(mine, "reed") // what New was given is the caller's
	for range 2 {
		_, err := r.Resolve(t.Context(), id(t, "did:reed:1"), did.Version{})
		require.NoError(t, err)
		_, err = r.Resolve(t.Context(), id(t, "did:key:z6Mk"), did.Version{})
		require.ErrorIs(t, err, did.ErrNotFound)
	}
	require.EqualValues(t, 2, mine["key"].(*method).asked.Load(), "what has no lifetime is not kept")
}

// The document of another DID is refused whatever method brings it.
func TestAbuse_DW06_DocumentOfAnother(t *testing.T) {
	t.Parallel()
	other := &method{answer: func(context.Context, did.DID, did.Version) (*did.Resolution, error) {
		return &did.Resolution{Document: document(t, id(t, "did:web:birch.example"))}, nil
	}}
	for name, m := range map[string]*method{
		"another": other,
		"none":    {answer: func(context.Context, did.DID, did.Version) (*did.Resolution, error) { return &did.Resolution{}, nil }},
		"nothing": {answer: func(context.Context, did.DID, did.Version) (*did.Resolution, error) { return nil, nil }},
	} {
		r := webOnly(m, &clock{}, universal.Limit{})
		for range 2 {
			res, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
			require.ErrorIs(t, err, did.ErrDocument, name)
			require.ErrorIs(t, err, did.ErrInvalid, name)
			require.Nil(t, res)
		}
		require.EqualValues(t, 2, m.asked.Load(), "what is wrong is not kept: it may be put right")
	}
}

func TestAnswersAreKept(t *testing.T) {
	t.Parallel()
	gone := &method{answer: func(context.Context, did.DID, did.Version) (*did.Resolution, error) {
		return &did.Resolution{Deactivated: true}, nil
	}}
	ttl := func(value string) *method {
		return &method{answer: func(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
			return &did.Resolution{Document: document(t, id), Other: map[string]json.RawMessage{"ttl": []byte(value)}}, nil
		}}
	}
	hour := universal.Limit{Lifetime: time.Hour}
	for name, c := range map[string]struct {
		method *method
		limit  universal.Limit
		keeps  time.Duration // 0: not at all
		err    error
	}{
		"default":                    {finds(t), universal.Limit{}, 5 * time.Minute, nil},
		"own lifetime":               {finds(t), hour, time.Hour, nil},
		"never":                      {finds(t), universal.Limit{Lifetime: -1}, 0, nil},
		"deactivated":                {gone, hour, time.Hour, nil},
		"the DID says shorter":       {ttl(`"60"`), hour, time.Minute, nil},
		"the DID says so as number":  {ttl(`60`), hour, time.Minute, nil},
		"the DID says longer":        {ttl(`"7200"`), hour, time.Hour, nil},
		"the DID says the longest":   {ttl(`"4294967295"`), hour, time.Hour, nil},
		"the DID says never":         {ttl(`"0"`), hour, 0, nil},
		"the DID says nonsense":      {ttl(`"soon"`), hour, time.Hour, nil},
		"the DID says less than now": {ttl(`"-1"`), hour, time.Hour, nil},
		"not found":                  {fails(fmt.Errorf("%w: here", did.ErrNotFound)), hour, 10 * time.Second, did.ErrNotFound},
		"not found, shorter":         {fails(did.ErrNotFound), universal.Limit{Lifetime: time.Second}, time.Second, did.ErrNotFound},
		"not found, never":           {fails(did.ErrNotFound), universal.Limit{Lifetime: -1}, 0, did.ErrNotFound},
		"invalid":                    {fails(did.ErrInvalid), hour, 0, did.ErrInvalid},
		"unsupported":                {fails(did.ErrUnsupported), hour, 0, did.ErrUnsupported},
		"unavailable":                {fails(did.ErrUnavailable), hour, 0, did.ErrUnavailable},
		"none of these":              {fails(errors.New("wind")), hour, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var at clock
			r := webOnly(c.method, &at, c.limit)
			ask := func() {
				res, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
				if c.err != nil {
					require.ErrorIs(t, err, c.err)
					require.Nil(t, res)
				}
			}
			ask()
			if c.keeps == 0 {
				ask()
				require.EqualValues(t, 2, c.method.asked.Load())
				return
			}
			at.add(c.keeps - 1)
			ask()
			require.EqualValues(t, 1, c.method.asked.Load(), "a moment before the end")
			at.add(1)
			ask()
			require.EqualValues(t, 2, c.method.asked.Load(), "at the end")
		})
	}
}

// An answer that can no longer be had is not given: stale is not true.
func TestNothingStale(t *testing.T) {
	t.Parallel()
	var at clock
	client := &served{files: map[string]string{"https://alder.example/.well-known/did.json": alder}}
	r := universal.New(universal.Config{Client: client, Now: at.now})
	_, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.NoError(t, err)
	client.err = errors.New("the host is down")
	_, err = r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.NoError(t, err)
	at.add(5 * time.Minute)
	_, err = r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.ErrorIs(t, err, did.ErrUnavailable)
}

func TestFresh(t *testing.T) {
	t.Parallel()
	var at clock
	client := &served{files: map[string]string{"https://alder.example/.well-known/did.json": alder}}
	r := universal.New(universal.Config{Client: client, Now: at.now})
	count := func(s did.Resolver) int {
		res, err := s.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
		require.NoError(t, err)
		return len(res.Document.Services(""))
	}
	require.Equal(t, 0, count(r))
	client.files["https://alder.example/.well-known/did.json"] = `{"id":"did:web:alder.example","service":[{"id":"#a","type":"Tide","serviceEndpoint":"https://alder.example/tide"}]}`
	require.Equal(t, 0, count(r), "kept")
	require.Equal(t, 1, count(r.Fresh()))
	require.Equal(t, 1, count(r), "in the place of the older one")
	require.EqualValues(t, 2, client.asked.Load())

	delete(client.files, "https://alder.example/.well-known/did.json")
	_, err := r.Fresh().Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.ErrorIs(t, err, did.ErrNotFound)
	_, err = r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.ErrorIs(t, err, did.ErrNotFound, "what is gone is not kept as there")
	client.files["https://alder.example/.well-known/did.json"] = alder
	require.Equal(t, 0, count(r.Fresh()))
	require.Equal(t, 0, count(r), "nor what came back as gone")

	client.err = errors.New("the host is down")
	_, err = r.Fresh().Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.ErrorIs(t, err, did.ErrUnavailable)
	require.Equal(t, 0, count(r), "the one that is kept is as good as before")
	require.True(t, r.Fresh().(interface{ Supports(string) bool }).Supports("web"))
}

// What is not there is forgotten when it is there, even if that is not kept for long.
func TestMissingIsForgotten(t *testing.T) {
	t.Parallel()
	var at clock
	there := false
	m := &method{answer: func(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
		if !there {
			return nil, did.ErrNotFound
		}
		return &did.Resolution{Document: document(t, id), Other: map[string]json.RawMessage{"ttl": []byte(`"1"`)}}, nil
	}}
	r := webOnly(m, &at, universal.Limit{})
	_, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.ErrorIs(t, err, did.ErrNotFound)
	there = true
	_, err = r.Fresh().Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.NoError(t, err)
	at.add(2 * time.Second)
	_, err = r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.NoError(t, err)
}

// The time that an answer took is part of its age.
func TestAgeBeginsWithTheQuestion(t *testing.T) {
	t.Parallel()
	var at clock
	m := finds(t)
	slow := &method{answer: func(ctx context.Context, id did.DID, v did.Version) (*did.Resolution, error) {
		at.add(8 * time.Second)
		return m.answer(ctx, id, v)
	}}
	r := webOnly(slow, &at, universal.Limit{Lifetime: 10 * time.Second})
	for range 2 {
		_, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
		require.NoError(t, err)
		at.add(2 * time.Second)
	}
	require.EqualValues(t, 2, slow.asked.Load())
}

func TestVersionsAreKeptApart(t *testing.T) {
	t.Parallel()
	m := &method{answer: func(_ context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
		return &did.Resolution{Document: document(t, id), VersionID: fmt.Sprint(at.ID, at.Number, at.Time.Unix())}, nil
	}}
	var at clock
	r := webOnly(m, &at, universal.Limit{})
	spring := time.Date(2026, 3, 20, 14, 46, 0, 0, time.UTC)
	versions := []did.Version{{}, {ID: "1"}, {ID: "2"}, {Number: 1}, {Number: 2}, {Time: spring}, {Time: spring.Add(1)}}
	seen := map[string]bool{}
	for range 2 {
		for _, v := range versions {
			res, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), v)
			require.NoError(t, err)
			seen[res.VersionID] = true
		}
	}
	_, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{Time: spring.In(time.FixedZone("BST", 3600))})
	require.NoError(t, err, "one moment, whatever the zone")
	require.EqualValues(t, len(versions), m.asked.Load())
	require.Len(t, seen, len(versions)-1)
}

// What a caller does to its answer is not what the next one gets.
func TestAnswersAreCopies(t *testing.T) {
	t.Parallel()
	var at clock
	r := webOnly(finds(t), &at, universal.Limit{})
	for range 3 {
		res, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
		require.NoError(t, err)
		require.False(t, res.Deactivated)
		require.Len(t, res.Other, 1)
		res.Deactivated, res.Document = true, nil
		res.Other["scid"], res.Other["more"] = nil, nil
	}
}

func TestEviction(t *testing.T) {
	t.Parallel()
	var at clock
	m := finds(t)
	r := universal.New(universal.Config{Methods: did.Mux{"web": m}, Now: at.now, MaxEntries: 3})
	ask := func(names ...string) (asked int32) {
		before := m.asked.Load()
		for _, name := range names {
			_, err := r.Resolve(t.Context(), id(t, "did:web:"+name+".example"), did.Version{})
			require.NoError(t, err)
		}
		return m.asked.Load() - before
	}
	require.EqualValues(t, 3, ask("alder", "birch", "cedar"))
	require.EqualValues(t, 0, ask("alder", "birch", "cedar", "alder"))
	require.EqualValues(t, 1, ask("elm"), "birch goes, which was asked for longest ago")
	require.EqualValues(t, 0, ask("alder", "cedar", "elm"))
	require.EqualValues(t, 1, ask("birch"))
}

// Whoever asks for DIDs that do not exist pushes nothing out.
func TestMissingPushesNothingOut(t *testing.T) {
	t.Parallel()
	var at clock
	client := &served{files: map[string]string{"https://alder.example/.well-known/did.json": alder}}
	r := universal.New(universal.Config{Client: client, Now: at.now, MaxEntries: 4})
	_, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.NoError(t, err)
	for i := range 100 {
		_, err := r.Resolve(t.Context(), id(t, fmt.Sprintf("did:web:n%d.example", i)), did.Version{})
		require.ErrorIs(t, err, did.ErrNotFound)
	}
	before := client.asked.Load()
	_, err = r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.NoError(t, err)
	require.Equal(t, before, client.asked.Load())
}

// The memory of the cache is bounded by bytes too: 32 MiB of documents.
func TestDocumentsAreBoundedByBytes(t *testing.T) {
	t.Parallel()
	var at clock
	const each = 200 << 10
	filler := strings.Repeat("a", each)
	m := &method{answer: func(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
		d, err := did.ParseDocument([]byte(`{"id":"` + id.String() + `","filler":"` + filler + `"}`))
		return &did.Resolution{Document: d}, err
	}}
	r := webOnly(m, &at, universal.Limit{})
	const fit = 32 << 20 / (each + 1000)
	for i := range fit + 10 {
		_, err := r.Resolve(t.Context(), id(t, fmt.Sprintf("did:web:n%d.example", i)), did.Version{})
		require.NoError(t, err)
	}
	before := m.asked.Load()
	for i := fit + 9; i >= 20; i-- {
		_, err := r.Resolve(t.Context(), id(t, fmt.Sprintf("did:web:n%d.example", i)), did.Version{})
		require.NoError(t, err)
	}
	require.Equal(t, before, m.asked.Load(), "the last ones are kept")
	_, err := r.Resolve(t.Context(), id(t, "did:web:n0.example"), did.Version{})
	require.NoError(t, err)
	require.Equal(t, before+1, m.asked.Load(), "the first one had to go")
}

// Many who ask at once cause one request and have one answer.
func TestOneQuestionAtATime(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]error{"found": nil, "not found": did.ErrNotFound, "unavailable": did.ErrUnavailable, "invalid": did.ErrInvalid} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := &method{answer: func(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
					time.Sleep(time.Second)
					if outcome != nil {
						return nil, outcome
					}
					return &did.Resolution{Document: document(t, id)}, nil
				}}
				r := universal.New(universal.Config{Methods: did.Mux{"web": m}})
				var all sync.WaitGroup
				for range 50 {
					all.Go(func() {
						res, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
						require.ErrorIs(t, err, outcome)
						require.Equal(t, outcome == nil, res != nil)
					})
				}
				all.Wait()
				require.EqualValues(t, 1, m.asked.Load())
			})
		})
	}
}

// The end of one who asked is not the end of the others.
func TestWhoAskedFirstGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &method{answer: func(ctx context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(3 * time.Second):
				return &did.Resolution{Document: document(t, id)}, nil
			}
		}}
		r := universal.New(universal.Config{Methods: did.Mux{"web": m}})
		var all sync.WaitGroup
		first, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			_, err := r.Resolve(first, id(t, "did:web:alder.example"), did.Version{})
			require.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		short, cancelShort := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancelShort()
		all.Go(func() { // waits, and gives up too
			_, err := r.Resolve(short, id(t, "did:web:alder.example"), did.Version{})
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
		for range 5 {
			all.Go(func() {
				res, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
				require.NoError(t, err)
				require.NotNil(t, res.Document)
			})
		}
		synctest.Wait()
		time.Sleep(time.Second)
		cancel()
		all.Wait()
		require.LessOrEqual(t, m.asked.Load(), int32(3))
	})
}

// A resolver that panics leaves nobody waiting.
func TestPanicsAreNotKept(t *testing.T) {
	t.Parallel()
	first := true
	m := &method{answer: func(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
		if first {
			first = false
			panic("wind")
		}
		return &did.Resolution{Document: document(t, id)}, nil
	}}
	var at clock
	r := webOnly(m, &at, universal.Limit{Concurrent: 1})
	require.Panics(t, func() { _, _ = r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{}) })
	_, err := r.Resolve(t.Context(), id(t, "did:web:alder.example"), did.Version{})
	require.NoError(t, err)
}

// A slow host takes the time of its method and no more, and its own turns.
func TestAbuse_DW05_SlowHosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now atomic.Int32
		slow := &method{answer: func(ctx context.Context, _ did.DID, _ did.Version) (*did.Resolution, error) {
			require.LessOrEqual(t, now.Add(1), int32(2), "two at a time")
			defer now.Add(-1)
			<-ctx.Done()
			return nil, fmt.Errorf("slow: %w", ctx.Err())
		}}
		quick := finds(t)
		r := universal.New(universal.Config{Methods: did.Mux{"web": slow, "webvh": quick}, Limits: map[string]universal.Limit{"web": {Concurrent: 2}}})
		start := time.Now()
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				_, err := r.Resolve(t.Context(), id(t, fmt.Sprintf("did:web:n%d.example", i)), did.Version{})
				require.ErrorIs(t, err, did.ErrUnavailable)
				require.NotErrorIs(t, err, context.DeadlineExceeded, "the caller's time is not over")
			})
		}
		synctest.Wait()
		require.EqualValues(t, 2, now.Load())
		_, err := r.Resolve(t.Context(), id(t, "did:webvh:reed:alder.example"), did.Version{})
		require.NoError(t, err, "another method is not held up")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = r.Resolve(ctx, id(t, "did:web:mine.example"), did.Version{})
		require.ErrorIs(t, err, context.DeadlineExceeded, "the caller's own time")
		all.Wait()
		require.Equal(t, 10*time.Second, time.Since(start), "those that wait for a turn have the same time")
	})
}
