package runtime_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// An envelope that somebody kept until its sighting was forgotten gets nobody's letters:
// it says when it was made, or it is remembered for as long as its connection.
func TestAbuse_DC05_OldEnvelopeOpensNoSession(t *testing.T) {
	bothInBubble(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		dated := asking(t, v, "dated", "", "all")
		expires := asking(t, v, "expires", "", "all")
		expires.Expires = time.Now().Add(24 * 24 * time.Hour).Truncate(time.Second)
		if v == didcomm.V2 {
			dated.Created = time.Now().Truncate(time.Second)
		}
		var all [][]byte
		for _, m := range []*didcomm.Message{dated, expires, asking(t, v, "undated", "", "all"), asking(t, v, "thread", "", "thread")} {
			all = append(all, f.sealed(v, "river", m, 0))
			require.NoError(t, f.Receive(t.Context(), all[len(all)-1]))
		}
		time.Sleep(15 * 24 * time.Hour)
		require.NoError(t, f.Receive(t.Context(), f.sealed(v, "fern", messageOf(t, v, "toy/1.0/ping", "prunes", ""), 0)))
		handled := len(f.toy.seen())
		thief := &line{t: t}
		receive, closed := f.Open(thief.reply)
		defer closed()
		for _, envelope := range all {
			err := receive(t.Context(), envelope)
			require.True(t, err == nil || errors.Is(err, runtime.ErrExpired), err)
		}
		require.Len(t, f.toy.seen(), handled)
		f.send("river", messageOf(t, v, "toy/1.0/pong", "secret", ""))
		time.Sleep(time.Hour)
		require.Empty(t, thief.ids())
		require.Contains(t, f.post.ids(), "secret")

		require.NotEmpty(t, f.store.now()["seen-kept"])
		require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error { return tx.DeleteConnection("river") }))
		require.Empty(t, f.store.now()["seen-kept"])
	})
}

// What was undone is not remembered, so it must not have opened anything either.
func TestAbuse_DC05_UndoneMessageOpensNoSession(t *testing.T) {
	bothInBubble(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		for name, fails := range map[string]error{"away": errAway, "good": didcomm.ErrPermanent} {
			f.toy.handle = func(didcomm.Tx, didcomm.Connection, *didcomm.Message) error {
				_, ok := f.Session("river")
				require.True(t, ok, "the handler may count on it")
				return fails
			}
			l := &line{t: t}
			receive, closed := f.Open(l.reply)
			require.Error(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, name, "", "all"), 0)))
			_, ok := f.Session("river")
			require.False(t, ok, name)
			f.send("river", messageOf(t, v, "toy/1.0/pong", "letter-"+name, ""))
			time.Sleep(time.Hour)
			require.Empty(t, l.ids(), name)
			closed()
		}
		require.Len(t, f.post.ids(), 2)

		// A problem is remembered: it is reported on the channel, and what follows too.
		f.toy.handle = func(didcomm.Tx, didcomm.Connection, *didcomm.Message) error { return &didcomm.Problem{Code: "no"} }
		l := &line{t: t}
		receive, closed := f.Open(l.reply)
		defer closed()
		require.NoError(t, notProblem(receive(t.Context(), f.sealed(v, "river", asking(t, v, "problem", "", "all"), 0))))
		time.Sleep(time.Second)
		require.Len(t, l.ids(), 2)
	})
}

func notProblem(err error) error {
	var p *didcomm.Problem
	if errors.As(err, &p) {
		return nil
	}
	return err
}

// A body that no handler can read is none when it comes again: its sender is told, and
// the letters behind it are not held up.
func TestReceive_MalformedIsForGood(t *testing.T) {
	bothInBubble(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		f.toy.handle = func(_ didcomm.Tx, _ didcomm.Connection, m *didcomm.Message) error {
			var body struct {
				Say bool `json:"say"`
			}
			return m.Decode(&body)
		}
		for range 2 {
			require.NoError(t, notProblem(f.Receive(t.Context(), f.sealed(v, "river", messageOf(t, v, "toy/1.0/ping", "m1", "t1"), 0))))
		}
		require.Len(t, f.toy.seen(), 1)
		require.Equal(t, []string{"received/toy/ping w.m.msg.malformed river t1"}, f.audit())
		time.Sleep(time.Second)
		require.Len(t, f.post.ids(), 1)
	})
}

// A peer that goes by another DID while letters wait gets them on its channel.
func TestRotation_WaitingLetters(t *testing.T) {
	bubble(t, func(c *runtime.Config) { c.Poll = 2 * time.Hour }, func(t *testing.T, f *fixture) {
		f.save(connection2(t, "river"))
		f.hide(didcomm.V2)
		stop := f.run()
		f.send("river", message2(t, "toy/1.0/pong", "p1", ""))
		time.Sleep(time.Hour)
		l := &line{t: t}
		receive, closed := f.Open(l.reply)
		defer closed()
		m := asking(t, didcomm.V2, "m1", "", "all")
		require.NoError(t, receive(t.Context(), seal2(t, party(t, "new"), party(t, "mine-river"), party(t, "theirs-river"), m, 0)))
		f.send("river", message2(t, "toy/1.0/pong", "p2", ""))
		time.Sleep(time.Hour)
		require.Equal(t, []string{"-", "p1", "p2"}, l.ids())
		require.NoError(t, stop())
	})
}
