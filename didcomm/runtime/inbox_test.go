package runtime_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

func TestReceive(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, "toy/1.0/ping", "m1", "t1"))))
	require.Equal(t, []string{"river m1"}, f.toy.seen())
	require.Equal(t, []string{"received/toy/ping ok river t1"}, f.audit())
	require.Equal(t, runtime.Pending{}, f.pending())
}

// The peer's minor version is its own affair.
func TestInterop_MinorVersions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for i, typ := range []string{"toy/1.0/ping", "toy/1.7/ping", "toy/1.12/pong"} {
		require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, typ, fmt.Sprint("m", i), ""))))
	}
	require.Len(t, f.toy.seen(), 3)
}

func TestAbuse_DC02_NotFromTheConnection(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		from, to  string // key names; empty is none
		typ       string
		want      error
		permanent bool
	}{
		{"anonymous", "", "mine river", "toy/1.0/ping", runtime.ErrSender, true},
		{"anonymous to a protocol that makes connections", "", "mine river", "start/1.0/hello", runtime.ErrSender, true},
		{"stranger", "stranger", "mine river", "toy/1.0/ping", runtime.ErrSender, true},
		{"stranger to a key of nobody", "stranger", "other", "toy/1.0/ping", runtime.ErrSender, true},
		{"peer of another connection", "theirs fern", "mine river", "toy/1.0/ping", runtime.ErrSender, true},
		{"peer to a key of nobody", "theirs river", "other", "toy/1.0/ping", runtime.ErrSender, true},
		{"keys swapped", "mine river", "theirs river", "toy/1.0/ping", runtime.ErrSender, true},
		{"to itself", "mine river", "mine river", "toy/1.0/ping", runtime.ErrSender, true},
		{"connection not established", "theirs bud", "mine bud", "toy/1.0/ping", runtime.ErrNotEstablished, false},
		{"other key on a connection not established", "stranger", "mine bud", "toy/1.0/ping", runtime.ErrNotEstablished, false},
		{"stranger in an unknown protocol", "stranger", "mine river", "unknown/1.0/ping", runtime.ErrSender, true},
		{"stranger with a problem report", "stranger", "mine river", "report-problem/1.0/problem-report", runtime.ErrSender, true},
		{"unknown protocol on a connection not established", "theirs bud", "mine bud", "unknown/1.0/ping", runtime.ErrNotEstablished, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			before := f.store.now()
			m := message(t, tc.typ, "m1", "t1")
			m.Body = []byte(`{"from":"did:example:river","say":"I am river"}`)
			var from []byte
			if tc.from != "" {
				from = key(tc.from)
			}
			err := f.Receive(t.Context(), seal(t, from, key(tc.to), m, 0))
			require.ErrorIs(t, err, tc.want)
			require.Equal(t, tc.permanent, errors.Is(err, didcomm.ErrPermanent))
			require.Empty(t, f.toy.seen())
			require.Empty(t, f.start.opened)
			require.Equal(t, before, f.store.now(), "a stranger writes nothing")
		})
	}
}

// A message that came too early is handled when the connection is ready.
func TestReceive_NotEstablishedYet(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	envelope := f.from("bud", message(t, "toy/1.0/ping", "m1", ""))
	require.ErrorIs(t, f.Receive(t.Context(), envelope), runtime.ErrNotEstablished)
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
		return tx.SaveConnection(connection("bud", true))
	}))
	require.NoError(t, f.Receive(t.Context(), envelope))
	require.Equal(t, []string{"bud m1"}, f.toy.seen())
}

// An agent that sends the first message on a connection before the last one that makes
// it, and never again, is heard. What waits is bounded, and ends with its request.
func TestReceive_HeldUntilEstablished(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *runtime.Config) { c.Patience = time.Minute })
	done := make(chan error)
	send := func(ctx context.Context, id string) {
		go func() { done <- f.Receive(ctx, f.from("bud", message(t, "toy/1.0/ping", id, ""))) }()
	}
	const places = 16
	ctx, hangUp := context.WithCancel(t.Context())
	for i := range places + 1 {
		send(ctx, fmt.Sprint("m", i))
	}
	require.ErrorIs(t, <-done, runtime.ErrNotEstablished, "one too many")
	hangUp()
	for range places {
		require.Error(t, <-done)
	}
	require.Empty(t, f.toy.seen())
	require.ErrorIs(t, f.ReceiveOnce(t.Context(), f.from("bud", message(t, "toy/1.0/ping", "again", ""))), runtime.ErrNotEstablished)

	send(t.Context(), "patient")
	for f.Early() == 0 {
		goruntime.Gosched()
	}
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
		return tx.SaveConnection(connection("bud", true))
	}))
	require.NoError(t, <-done)
	require.Equal(t, []string{"bud patient"}, f.toy.seen())
}

func TestAbuse_DC05_Duplicates(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	m := message(t, "toy/1.0/ping", "m1", "t1")
	for range 3 {
		require.NoError(t, f.Receive(t.Context(), f.from("river", m)))
	}
	require.Len(t, f.toy.seen(), 1)
	after := f.store.now()

	f.restart(nil)
	require.NoError(t, f.Receive(t.Context(), f.from("river", m)))
	again := seal(t, key("theirs river"), key("mine river"), m, 7)
	require.NotEqual(t, f.from("river", m), again)
	require.NoError(t, f.Receive(t.Context(), again), "encrypted anew")
	require.Empty(t, f.toy.seen())
	require.Equal(t, after, f.store.now())

	// The id is the peer's own: another peer may use the same.
	require.NoError(t, f.Receive(t.Context(), f.from("fern", m)))
	require.Equal(t, []string{"fern m1"}, f.toy.seen())
}

func TestAbuse_DC05_DuplicatesAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	envelope := f.from("river", message(t, "toy/1.0/ping", "m1", "t1"))
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if err := f.Receive(t.Context(), envelope); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, f.count("river/t1"))
	require.Len(t, f.audit(), 1)
}

func TestAbuse_DC05_SameIDOtherContent(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, "toy/1.0/ping", "m1", "t1"))))
	other := message(t, "toy/1.0/ping", "m1", "t1")
	other.Body = []byte(`{"say":"something else"}`)
	for range 3 {
		err := f.Receive(t.Context(), f.from("river", other))
		require.ErrorIs(t, err, didcomm.ErrConflict)
		require.ErrorIs(t, err, didcomm.ErrPermanent)
	}
	require.Equal(t, 1, f.count("river/t1"))
	require.Equal(t, []string{"received/toy/ping ok river t1", "received/toy/ping conflict river t1"}, f.audit())
	require.Zero(t, f.pending().Outbox)
	require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, "toy/1.0/ping", "m1", "t1"))), "the first is still the first")
}

func TestAbuse_DC06_ThreadOfAnotherConnection(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, "toy/1.0/ping", "m1", "t1"))))
	require.NoError(t, f.Receive(t.Context(), f.from("fern", message(t, "toy/1.0/ping", "m2", "t1"))))
	require.Equal(t, []string{"river m1", "fern m2"}, f.toy.seen())
	require.Equal(t, 1, f.count("river/t1"), "the connection handed to a protocol is the envelope's")
}

func TestReceive_Opener(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	m := message(t, "start/1.1/hello", "m1", "t1")
	envelope := seal(t, key("theirs new"), key("invitation"), m, 0)
	require.NoError(t, f.Receive(t.Context(), envelope))
	require.Equal(t, []didcomm.Keys{{Sender: key("theirs new"), Recipient: key("invitation")}}, f.start.opened)

	// The connection that comes of it does not make the message new.
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
		return tx.SaveConnection(didcomm.Connection{ID: "new", MyKey: key("invitation"), TheirKey: key("theirs new"), Established: true})
	}))
	require.NoError(t, f.Receive(t.Context(), envelope))
	require.Len(t, f.start.opened, 1)

	// Another sender's message of the same id is another message.
	require.NoError(t, f.Receive(t.Context(), seal(t, key("stranger"), key("invitation"), m, 0)))
	require.Len(t, f.start.opened, 2)
}

func TestReceive_Expires(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	clock := func(c *runtime.Config) { c.Now = func() time.Time { return now } }
	for _, tc := range []struct {
		name string
		ago  time.Duration
		want error
	}{
		{"in an hour", -time.Hour, nil},
		{"within the skew of clocks", 5 * time.Minute, nil},
		{"beyond the skew of clocks", 5*time.Minute + time.Second, runtime.ErrExpired},
		{"a year ago", 365 * 24 * time.Hour, runtime.ErrExpired},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, clock)
			m := message(t, "toy/1.0/ping", "m1", "t1")
			m.Expires = now.Add(-tc.ago)
			for range 2 {
				err := f.Receive(t.Context(), f.from("river", m))
				require.ErrorIs(t, err, tc.want)
				require.Equal(t, tc.want != nil, errors.Is(err, didcomm.ErrPermanent))
			}
			outcome, handled := "ok", 1
			if tc.want != nil {
				outcome, handled = "expired", 0
			}
			require.Len(t, f.toy.seen(), handled)
			require.Equal(t, []string{"received/toy/ping " + outcome + " river t1"}, f.audit())
		})
	}
}

// A message that was handled in time stays handled when a copy comes late.
func TestReceive_DuplicateAfterExpiry(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	f := newFixture(t, func(c *runtime.Config) { c.Now = func() time.Time { return now } })
	m := message(t, "toy/1.0/ping", "m1", "t1")
	m.Expires = now.Add(time.Minute)
	require.NoError(t, f.Receive(t.Context(), f.from("river", m)))
	now = now.Add(24 * time.Hour)
	require.NoError(t, f.Receive(t.Context(), f.from("river", m)))
	require.Len(t, f.audit(), 1)
}

func TestReceive_Refused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	raw := func(text string) []byte {
		return []byte(fmt.Sprintf(`{"From":%q,"To":%q,"Text":%q}`, b64(key("theirs river")), b64(key("mine river")), b64([]byte(text))))
	}
	for _, tc := range []struct {
		name     string
		envelope []byte
		want     error
	}{
		{"no envelope", []byte("hello"), didcomm.ErrPermanent},
		{"empty plaintext", raw(``), didcomm.ErrMalformed},
		{"no object", raw(`[]`), didcomm.ErrMalformed},
		{"no type", raw(`{"@id":"m1"}`), didcomm.ErrMalformed},
		{"no id", raw(`{"@type":"https://didcomm.org/toy/1.0/ping"}`), didcomm.ErrMalformed},
		{"two ids", raw(`{"@type":"https://didcomm.org/toy/1.0/ping","@id":"m1","@id":"m2"}`), didcomm.ErrMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := f.Receive(t.Context(), tc.envelope)
			require.ErrorIs(t, err, didcomm.ErrPermanent)
			require.ErrorIs(t, err, tc.want)
		})
	}
	require.Empty(t, f.toy.seen())
	require.Empty(t, f.audit())
}

func TestReceive_UnpackFailsForNow(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	locked := errors.New("wallet locked")
	f.pack.fail = locked
	envelope := f.from("river", message(t, "toy/1.0/ping", "m1", ""))
	err := f.Receive(t.Context(), envelope)
	require.ErrorIs(t, err, locked)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
	f.pack.fail = nil
	require.NoError(t, f.Receive(t.Context(), envelope))
}

// What a handler did is there whole or not at all, and the peer hears nil only if it
// is there.
func TestReceive_AllOrNothing(t *testing.T) {
	t.Parallel()
	unwell := errors.New("unwell")
	for _, tc := range []struct {
		name  string
		wound func(f *fixture) (heal func())
	}{
		{"handler fails", func(f *fixture) func() {
			work := f.toy.handle
			f.toy.handle = func(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
				return errors.Join(work(tx, c, m), unwell)
			}
			return func() { f.toy.handle = work }
		}},
		{"handler panics", func(f *fixture) func() {
			work := f.toy.handle
			f.toy.handle = func(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
				_ = work(tx, c, m)
				panic("unwell")
			}
			return func() { f.toy.handle = work }
		}},
		{"commit fails", func(f *fixture) func() {
			f.store.beforeCommit = func() error { return unwell }
			return func() { f.store.beforeCommit = nil }
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.HandleTask("toy/work", worker(nil))
			f.toy.handle = func(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
				return errors.Join(
					tx.Send(c, message(t, "toy/1.0/pong", "r"+m.ID, m.Thread)),
					tx.Defer("toy/work", m.Thread),
					tx.Audit(didcomm.Event{Action: "toy/answered", Outcome: "ok", Connection: c.ID}),
				)
			}
			heal := tc.wound(f)
			before := f.store.now()
			envelope := f.from("river", message(t, "toy/1.0/ping", "m1", "t1"))
			err := f.Receive(t.Context(), envelope)
			require.Error(t, err)
			require.NotErrorIs(t, err, didcomm.ErrPermanent)
			require.Equal(t, before, f.store.now())

			heal()
			require.NoError(t, f.Receive(t.Context(), envelope))
			require.Equal(t, 1, f.count("river/t1"))
			require.Equal(t, 1, f.pending().Outbox)
			require.Equal(t, 1, f.pending().Tasks)
			require.Equal(t, []string{"toy/answered ok river ", "received/toy/ping ok river t1"}, f.audit())
		})
	}
}
