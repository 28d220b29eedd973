package rotate

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// A party is one agent with one connection.
type party struct {
	*Protocol
	store memtx.Store
	ended []didcomm.Connection
}

const connection = "c1"

// NewVerkey implements Keys.
func (*party) NewVerkey(context.Context) (ed25519.PublicKey, error) {
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	return pub, err
}

// A world is two parties that are connected.
type world struct {
	t            testing.TB
	now          time.Time
	alder, hazel *party
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: start, alder: new(party), hazel: new(party)}
	for label, p := range map[string]*party{"alder": w.alder, "hazel": w.hazel} {
		p.Protocol = &Protocol{
			Store: &p.store, Keys: p, Resolver: did.Mux{"key": didkey.Resolver{}, "peer": didpeer.Resolver{}},
			Endpoint: "https://" + label + ".example/didcomm", Now: func() time.Time { return w.now },
			Ended: func(_ context.Context, _ didcomm.Tx, c didcomm.Connection) error {
				p.ended = append(p.ended, c)
				return nil
			},
		}
	}
	a, h := w.makeDID(w.alder), w.makeDID(w.hazel)
	w.save(w.alder, didcomm.Connection{ID: connection, Mine: a.ID, MyKey: a.key, Theirs: h.ID, TheirKey: h.key, Endpoint: w.hazel.Endpoint, Established: true})
	w.save(w.hazel, didcomm.Connection{ID: connection, Mine: h.ID, MyKey: h.key, Theirs: a.ID, TheirKey: a.key, Endpoint: w.alder.Endpoint, Established: true})
	return w
}

type made struct {
	ID  did.DID
	key ed25519.PublicKey
}

func (w *world) makeDID(p *party) made {
	w.t.Helper()
	key, err := p.NewVerkey(w.t.Context())
	require.NoError(w.t, err)
	id, err := peerdid.V1(key, peerdid.Address{Endpoint: p.Endpoint})
	require.NoError(w.t, err)
	return made{id, key}
}

func (w *world) save(p *party, c didcomm.Connection) {
	w.t.Helper()
	require.NoError(w.t, p.store.Update(w.t.Context(), func(tx didcomm.Tx) error { return tx.SaveConnection(c) }))
}

func (w *world) connection(p *party, id string) (c didcomm.Connection, err error) {
	err = p.store.View(w.t.Context(), func(tx didcomm.Tx) error {
		c, err = tx.Connection(id)
		return err
	})
	return c, err
}

func (w *world) must(p *party) didcomm.Connection {
	w.t.Helper()
	c, err := w.connection(p, connection)
	require.NoError(w.t, err)
	return c
}

// deliver hands what from sent to the other party.
func (w *world) deliver(from *party) (last error) {
	w.t.Helper()
	to := w.hazel
	if from == w.hazel {
		to = w.alder
	}
	for _, s := range from.store.TakeOutbox() {
		last = to.store.Deliver(w.t.Context(), to, connection, s.Message)
	}
	return last
}

func (w *world) last(p *party) Rotation {
	w.t.Helper()
	all, err := p.Rotations(w.t.Context())
	require.NoError(w.t, err)
	require.Len(w.t, all, 1)
	return all[0]
}

func TestRotate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.must(w.alder)
	require.NoError(t, w.alder.Rotate(t.Context(), connection))
	require.Equal(t, before, w.must(w.alder), "the old DID goes on until the answer")
	early, err := w.connection(w.alder, waiting(connection))
	require.NoError(t, err)
	require.False(t, early.Established, "what comes to the new key now is asked for again")
	require.ErrorIs(t, w.alder.Rotate(t.Context(), connection), ErrState)
	r := w.last(w.alder)
	require.Equal(t, Rotating, r.State)

	require.NoError(t, w.deliver(w.alder))
	hc := w.must(w.hazel)
	require.Equal(t, r.New, hc.Theirs)
	require.Equal(t, early.MyKey, hc.TheirKey)
	require.Equal(t, before.MyKey, hc.PriorKey, "what was on its way is still taken")
	sent := w.hazel.store.TakeOutbox()
	require.Len(t, sent, 1)
	require.Equal(t, before.MyKey, sent[0].Connection.TheirKey, "the answer goes to the old DID")
	require.Equal(t, "https://didcomm.org/did-rotate/1.0/ack", sent[0].Message.Type.String())
	require.Equal(t, r.Thread, sent[0].Message.Thread)
	require.NoError(t, w.alder.store.Deliver(t.Context(), w.alder, connection, sent[0].Message))
	ac := w.must(w.alder)
	require.Equal(t, r.New, ac.Mine)
	require.Equal(t, early.MyKey, ac.MyKey)
	require.Equal(t, before.TheirKey, ac.TheirKey)
	_, err = w.connection(w.alder, waiting(connection))
	require.ErrorIs(t, err, didcomm.ErrNotFound)
	require.Equal(t, Completed, w.last(w.alder).State)
	require.Equal(t, Completed, w.last(w.hazel).State)
	require.Equal(t, RoleObserving, w.last(w.hazel).Role)

	require.NoError(t, w.alder.Rotate(t.Context(), connection), "and again")
	require.NoError(t, w.deliver(w.alder))
	require.NoError(t, w.deliver(w.hazel))
	require.NotEqual(t, r.New, w.must(w.hazel).Theirs)
	require.Equal(t, w.must(w.alder).Mine, w.must(w.hazel).Theirs)
}

// TestRotate_Both: two rotations at once do not disturb each other.
func TestRotate_Both(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.alder.Rotate(t.Context(), connection))
	require.NoError(t, w.hazel.Rotate(t.Context(), connection))
	require.NoError(t, w.deliver(w.alder))
	require.NoError(t, w.deliver(w.hazel))
	require.NoError(t, w.deliver(w.alder))
	ac, hc := w.must(w.alder), w.must(w.hazel)
	require.Equal(t, ac.Mine, hc.Theirs)
	require.Equal(t, hc.Mine, ac.Theirs)
	require.Equal(t, ac.MyKey, hc.TheirKey)
	require.Equal(t, hc.MyKey, ac.TheirKey)
	require.Equal(t, Completed, w.last(w.alder).State)
	require.Equal(t, Completed, w.last(w.hazel).State)
}

// TestRotate_Claimed: the peer is who has written with its key, however often it says that
// it is somebody else, until the key of whom it says it is has written.
func TestRotate_Claimed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.must(w.hazel)
	turn := func(to made) didcomm.Connection {
		require.NoError(t, w.rotated(to.ID))
		w.hazel.store.TakeOutbox()
		return w.must(w.hazel)
	}
	for range 2 {
		birch := w.makeDID(w.alder)
		c := turn(birch)
		require.Equal(t, birch.ID, c.Theirs)
		require.Equal(t, birch.key, c.TheirKey, "to which it is written")
		require.Equal(t, before.Theirs, c.Peer(), "and which has proven nothing")
		require.Equal(t, before.TheirKey, c.PriorKey, "what it still writes with")
	}
	c := turn(made{before.Theirs, before.TheirKey})
	require.Equal(t, before, c, "there and back")

	next := w.makeDID(w.alder)
	c = turn(next)
	c.PriorKey, c.PriorTheirs = nil, did.DID{} // as the runtime does when the new key writes
	w.save(w.hazel, c)
	require.Equal(t, next.ID, c.Peer())
	after := turn(w.makeDID(w.alder))
	require.Equal(t, next.ID, after.Peer())
	require.Equal(t, next.key, after.PriorKey)
}

// rotated has hazel receive a rotation to a DID.
func (w *world) rotated(to did.DID) error {
	w.t.Helper()
	m, err := didcomm.New(didcomm.NewID(), messageType.With(rotate), "", "", map[string]string{"to_did": to.String()})
	require.NoError(w.t, err)
	return w.hazel.store.Deliver(w.t.Context(), w.hazel, connection, m)
}

// TestRotate_ToOurselves: a peer does not go by a key of ours, which would have it say what
// we say.
func TestRotate_ToOurselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.must(w.hazel)
	require.NoError(t, w.hazel.Rotate(t.Context(), connection))
	w.hazel.store.TakeOutbox()
	elsewhere, err := peerdid.V1(before.MyKey, peerdid.Address{Endpoint: w.alder.Endpoint})
	require.NoError(t, err)
	for name, to := range map[string]did.DID{"our DID": before.Mine, "our key": elsewhere, "our next DID": w.last(w.hazel).New} {
		var p *didcomm.Problem
		require.ErrorAs(t, w.rotated(to), &p, name)
		require.Equal(t, codeDocument, p.Code, name)
		require.Equal(t, before, w.must(w.hazel), name)
	}
}

// TestRotate_Refused: a DID that is of no use leaves everything as it was, on both sides,
// with the code that RFC 0794 gives.
func TestRotate_Refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ to, code string }{
		"method":             {"did:web:alder.example", codeMethod},
		"numalgo":            {"did:peer:3zQmP9JVJE4YRzVJqPCxjiRLjowW1sikMyKoib7zrPUjf14Y", codeMethod},
		"no document":        {"did:peer:1zQmP9JVJE4YRzVJqPCxjiRLjowW1sikMyKoib7zrPUjf14Y", codeUnresolvable},
		"short form":         {"did:peer:4zQmYiYwqXLtG3MrihJYbay36zeqeh5We6qvQH1PgnDXBaX5", codeUnresolvable},
		"malformed":          {"did:peer", codeUnresolvable},
		"nothing":            {"", codeUnresolvable},
		"no service":         {"did:key:z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc", codeDocument},
		"no service either":  {"did:peer:0z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc", codeDocument},
		"wrong hash of four": {"did:peer:4zQmYiYwqXLtG3MrihJYbay36zeqeh5We6qvQH1PgnDXBaX5:zabc", codeUnresolvable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			require.NoError(t, w.alder.Rotate(t.Context(), connection))
			s := w.alder.store.TakeOutbox()[0]
			body, err := json.Marshal(map[string]string{"to_did": c.to})
			require.NoError(t, err)
			s.Message.Body = body
			before, old := w.hazel.store.Snapshot(), w.must(w.alder)
			err = w.hazel.store.Deliver(t.Context(), w.hazel, connection, s.Message)
			var p *didcomm.Problem
			require.ErrorAs(t, err, &p)
			require.Equal(t, c.code, p.Code)
			require.Equal(t, before, w.hazel.store.Snapshot())
			report := w.hazel.store.TakeOutbox()
			require.Len(t, report, 1)
			require.Equal(t, "https://didcomm.org/did-rotate/1.0/problem-report", report[0].Message.Type.String())
			require.NoError(t, w.alder.store.Deliver(t.Context(), w.alder, connection, report[0].Message))
			require.Equal(t, old, w.must(w.alder))
			require.Equal(t, Abandoned, w.last(w.alder).State)
			require.Equal(t, c.code, w.last(w.alder).Code)
			_, err = w.connection(w.alder, waiting(connection))
			require.ErrorIs(t, err, didcomm.ErrNotFound)
			require.NoError(t, w.alder.Rotate(t.Context(), connection), "another try, in another thread")
		})
	}
}

// TestHandle_Refused: what does not fit changes nothing.
func TestHandle_Refused(t *testing.T) {
	t.Parallel()
	send := func(w *world, name, thread, body string) error {
		m, err := didcomm.New(didcomm.NewID(), messageType.With(name), thread, "", json.RawMessage(body))
		require.NoError(t, err)
		before := w.alder.store.Snapshot()
		err = w.alder.store.Deliver(t.Context(), w.alder, connection, m)
		require.Equal(t, before, w.alder.store.Snapshot(), name)
		return err
	}
	for name, c := range map[string]struct {
		message, thread, body string
		problem               bool
	}{
		"ack of another thread":        {ack, "x", `{"status":"OK"}`, true},
		"ack that is to come":          {ack, "", `{"status":"PENDING"}`, false},
		"ack unreadable":               {ack, "", `{"status":1}`, true},
		"report of another thread":     {problem, "x", `{"description":{"code":"e.did.unresolvable","en":"x"}}`, false},
		"report unreadable":            {problem, "", `{"description":1}`, false},
		"warning":                      {problem, "", `{"description":{"code":"w.did.x","en":"x"}}`, false},
		"rotate without a DID":         {rotate, "", `{}`, true},
		"rotate to a number":           {rotate, "", `{"to_did":1}`, true},
		"message that is not known":    {"x", "", `{}`, true},
		"message of another direction": {"Rotate", "", `{}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			require.NoError(t, w.alder.Rotate(t.Context(), connection))
			thread := c.thread
			if thread == "" {
				thread = w.last(w.alder).Thread
			}
			err := send(w, c.message, thread, c.body)
			if c.problem {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, Rotating, w.last(w.alder).State)
		})
	}
	w := newWorld(t)
	require.Error(t, send(w, ack, "x", `{"status":"OK"}`), "nothing was sent")
	require.NoError(t, w.alder.Rotate(t.Context(), connection))
	thread := w.last(w.alder).Thread
	require.NoError(t, w.deliver(w.alder))
	require.NoError(t, w.deliver(w.hazel))
	require.Error(t, send(w, ack, thread, `{"status":"OK"}`), "a second time")
	require.NoError(t, send(w, problem, thread, `{"description":{"code":"e.did.unresolvable","en":"x"}}`), "too late")
	require.Equal(t, Completed, w.last(w.alder).State)
}

// TestRotate_NotPossible: what cannot be rotated.
func TestRotate_NotPossible(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.ErrorIs(t, w.alder.Rotate(t.Context(), "nobody"), didcomm.ErrNotFound)
	require.ErrorIs(t, w.alder.Hangup(t.Context(), "nobody"), didcomm.ErrNotFound)
	key, err := w.alder.NewVerkey(t.Context())
	require.NoError(t, err)
	w.save(w.alder, didcomm.Connection{ID: "unfinished", MyKey: key})
	w.save(w.alder, didcomm.Connection{ID: "v2", Version: didcomm.V2, Mine: w.makeDID(w.alder).ID, Theirs: w.makeDID(w.hazel).ID, Established: true})
	for _, id := range []string{"unfinished", "v2"} {
		require.ErrorIs(t, w.alder.Rotate(t.Context(), id), ErrState)
		require.ErrorIs(t, w.alder.Hangup(t.Context(), id), ErrState)
	}
	require.Empty(t, w.alder.store.TakeOutbox())
	m, err := didcomm.New("m1", messageType.With(hangup), "", "", nil)
	require.NoError(t, err)
	require.Error(t, w.alder.store.Update(t.Context(), func(tx didcomm.Tx) error {
		c, err := tx.Connection("v2")
		require.NoError(t, err)
		return w.alder.Handle(t.Context(), tx, c, m)
	}))
	down := errors.New("down")
	w.alder.Route = func(context.Context, didcomm.Tx, didcomm.Recipient) (string, []string, error) { return "", nil, down }
	require.ErrorIs(t, w.alder.Rotate(t.Context(), connection), down)
	w.alder.Route = func(_ context.Context, _ didcomm.Tx, r didcomm.Recipient) (string, []string, error) {
		require.Len(t, r.Key, ed25519.PublicKeySize)
		return "wss://mediator.example", []string{"did:key:z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc"}, nil
	}
	require.NoError(t, w.alder.Rotate(t.Context(), connection))
	require.NoError(t, w.deliver(w.alder))
	require.Equal(t, "wss://mediator.example", w.must(w.hazel).Endpoint)
	require.Len(t, w.must(w.hazel).RoutingKeys, 1)
}

func TestHangup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.alder.Rotate(t.Context(), connection))
	w.alder.store.TakeOutbox()
	require.NoError(t, w.alder.Hangup(t.Context(), connection))
	for _, id := range []string{connection, waiting(connection)} {
		_, err := w.connection(w.alder, id)
		require.ErrorIs(t, err, didcomm.ErrNotFound)
	}
	full := errors.New("disk full")
	ended := w.hazel.Ended
	w.hazel.Ended = func(context.Context, didcomm.Tx, didcomm.Connection) error { return full }
	m := w.alder.store.TakeOutbox()[0].Message
	require.ErrorIs(t, w.hazel.store.Deliver(t.Context(), w.hazel, connection, m), full)
	w.must(w.hazel)
	w.hazel.Ended = ended
	require.NoError(t, w.hazel.store.Deliver(t.Context(), w.hazel, connection, m))
	_, err := w.connection(w.hazel, connection)
	require.ErrorIs(t, err, didcomm.ErrNotFound)
	require.Len(t, w.hazel.ended, 1)
	require.Empty(t, w.hazel.store.TakeOutbox(), "there is no answer")
	require.Equal(t, HungUp, w.last(w.hazel).State)
	require.Equal(t, HungUp, w.last(w.alder).State)
	require.ErrorIs(t, w.alder.Rotate(t.Context(), connection), didcomm.ErrNotFound)
}

// TestExpire: a rotation without an answer does not wait for ever.
func TestExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.must(w.alder)
	require.NoError(t, w.alder.Rotate(t.Context(), connection))
	n, err := w.alder.Expire(t.Context(), start)
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = w.alder.Expire(t.Context(), start.Add(time.Second))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, "expired", w.last(w.alder).Code)
	require.Equal(t, old, w.must(w.alder))
	n, err = w.alder.Expire(t.Context(), start.Add(time.Hour))
	require.NoError(t, err)
	require.Zero(t, n)
	mine := true
	require.NoError(t, w.alder.store.Update(t.Context(), func(tx didcomm.Tx) (err error) {
		mine, err = w.alder.Abandon(t.Context(), tx, old, "x", &didcomm.Problem{Code: "x"})
		return err
	}))
	require.False(t, mine)
}
