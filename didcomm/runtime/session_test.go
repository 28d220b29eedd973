package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// A line is the answering side of a transport.
type line struct {
	t      *testing.T
	mu     sync.Mutex
	got    []string // message ids; "-" is the envelope that is none
	direct []bool
	fail   error
}

func (l *line) reply(_ context.Context, envelope []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	if envelope == nil {
		l.got = append(l.got, "-")
		return nil
	}
	var w wrapped
	require.NoError(l.t, json.Unmarshal(envelope, &w))
	m, err := didcomm.ParseMessage(w.Text)
	require.NoError(l.t, err)
	l.got, l.direct = append(l.got, m.ID), append(l.direct, w.Direct)
	return nil
}

func (l *line) ids() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.got...)
}

func (l *line) unwrapped() []bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]bool(nil), l.direct...)
}

func (l *line) failing(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

// asking is a message that asks for answers on its channel.
func asking(t *testing.T, v didcomm.Version, id, thread, route string) *didcomm.Message {
	m := messageOf(t, v, "toy/1.0/ping", id, thread)
	m.ReturnRoute = route
	return m
}

// hidden makes the peer of "river" one that cannot be called.
func (f *fixture) hide(v didcomm.Version) {
	c := f.connection("river")
	c.Endpoint = ""
	if v == didcomm.V2 {
		c.Endpoint = didcomm.Queue
	}
	f.save(c)
}

// bothInBubble is both inside synctest, with an agent that runs.
func bothInBubble(t *testing.T, test func(t *testing.T, f *fixture, v didcomm.Version)) {
	t.Parallel()
	for _, v := range []didcomm.Version{didcomm.V1, didcomm.V2} {
		t.Run(fmt.Sprint("v", int(v)), func(t *testing.T) {
			bubble(t, func(c *runtime.Config) { c.Poll = 2 * time.Hour }, func(t *testing.T, f *fixture) {
				if v == didcomm.V2 {
					f.save(connection2(t, "river"))
					f.save(connection2(t, "fern"))
				}
				stop := f.run()
				test(t, f, v)
				require.NoError(t, stop())
			})
		})
	}
}

// What is sent to a peer that cannot be called waits, without failing, until it calls.
func TestSession_Waits(t *testing.T) {
	bothInBubble(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		f.hide(v)
		f.send("river", messageOf(t, v, "toy/1.0/pong", "p1", ""), messageOf(t, v, "toy/1.0/pong", "p2", ""))
		f.send("fern", messageOf(t, v, "toy/1.0/pong", "p3", ""))
		time.Sleep(24 * time.Hour)
		require.Equal(t, []string{"p3"}, f.post.ids())
		require.Equal(t, runtime.Pending{Outbox: 2}, f.pending(), "nothing has failed")

		l := &line{t: t}
		receive, closed := f.Open(l.reply)
		require.NoError(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, "m1", "", "all"), 0)))
		time.Sleep(time.Millisecond)
		require.ElementsMatch(t, []string{"-", "p1", "p2"}, l.ids())
		require.Equal(t, []bool{true, true}, l.unwrapped(), "without mediators")
		f.send("river", messageOf(t, v, "toy/1.0/pong", "p4", ""))
		f.send("fern", messageOf(t, v, "toy/1.0/pong", "p5", ""))
		time.Sleep(time.Millisecond)
		require.Contains(t, l.ids(), "p4")
		require.NotContains(t, l.ids(), "p5", "another peer's")

		closed()
		require.NoError(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, "m2", "", "all"), 0)), "handled late")
		_, ok := f.Session("river")
		require.False(t, ok)
		f.send("river", messageOf(t, v, "toy/1.0/pong", "p6", ""))
		time.Sleep(time.Hour)
		require.NotContains(t, l.ids(), "p6")
		require.Equal(t, 1, f.pending().Outbox)
	})
}

// The channel goes before the endpoint, and the endpoint takes over when it ends.
func TestSession_ThenEndpoint(t *testing.T) {
	bothInBubble(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		l := &line{t: t}
		receive, _ := f.Open(l.reply)
		f.toy.handle = func(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
			return tx.Send(c, messageOf(t, v, "toy/1.0/pong", "answer-"+m.ID, m.Thread))
		}
		ask := func(id, route string) {
			t.Helper()
			require.NoError(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, id, "", route), 0)))
			time.Sleep(time.Millisecond)
		}
		ask("m1", "")
		require.Equal(t, []string{"answer-m1"}, f.post.ids(), "it was not asked for")
		ask("m2", "all")
		ask("m3", "") // still
		require.ElementsMatch(t, []string{"-", "answer-m2", "answer-m3"}, l.ids())
		l.failing(errors.New("gone"))
		ask("m4", "")
		require.Equal(t, []string{"answer-m1", "answer-m4"}, f.post.ids())
		l.failing(nil)
		ask("m5", "")
		require.Equal(t, []string{"answer-m1", "answer-m4", "answer-m5"}, f.post.ids(), "a channel that failed is over")
		ask("m6", "all")
		require.Contains(t, l.ids(), "answer-m6")
		ask("m7", "none")
		require.Contains(t, f.post.ids(), "answer-m7")
		ask("m8", "")
		require.Contains(t, f.post.ids(), "answer-m8")
	})
}

// A message that was handled before opens nothing: whoever copied it is not its sender.
func TestAbuse_DC05_CopiesOpenNoSession(t *testing.T) {
	bothInBubble(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		f.hide(v)
		envelope := f.sealed(v, "river", asking(t, v, "m1", "", "all"), 0)
		require.NoError(t, f.Receive(t.Context(), envelope))
		thief := &line{t: t}
		receive, _ := f.Open(thief.reply)
		require.NoError(t, receive(t.Context(), envelope))
		require.NoError(t, f.ReceiveOn(t.Context(), envelope, thief.reply))
		require.Error(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, "m1", "other", "all"), 0)))
		expired := asking(t, v, "m2", "", "all")
		expired.Expires = time.Now().Add(-time.Hour)
		require.ErrorIs(t, receive(t.Context(), f.sealed(v, "river", expired, 0)), runtime.ErrExpired)
		f.send("river", messageOf(t, v, "toy/1.0/pong", "p1", ""))
		time.Sleep(time.Hour)
		require.Empty(t, thief.ids())
		_, ok := f.Session("river")
		require.False(t, ok)
	})
}

func TestSession_Thread(t *testing.T) {
	bothInBubble(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		l := &line{t: t}
		receive, _ := f.Open(l.reply)
		require.NoError(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, "m1", "t1", "thread"), 0)))
		f.send("river", messageOf(t, v, "toy/1.0/pong", "p1", "t1"), messageOf(t, v, "toy/1.0/pong", "p2", "t2"))
		time.Sleep(time.Millisecond)
		require.Equal(t, []string{"-", "p1"}, l.ids())
		require.Equal(t, []string{"p2"}, f.post.ids())
		_, ok := f.Session("river")
		require.False(t, ok, "not for all")
		if v == didcomm.V1 { // RFC 0092: another thread than the message's own
			m := asking(t, v, "m2", "t1", "thread")
			m.Body = []byte(`{"~transport":{"return_route_thread":"t2"}}`)
			require.NoError(t, receive(t.Context(), f.sealed(v, "river", m, 0)))
			f.send("river", messageOf(t, v, "toy/1.0/pong", "p3", "t2"))
			time.Sleep(time.Millisecond)
			require.Contains(t, l.ids(), "p3")
		}
	})
}

// A transport that answers once is asked for as long as its context lives.
func TestReceiveOn(t *testing.T) {
	bothInBubble(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		f.hide(v)
		l := &line{t: t}
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, f.ReceiveOn(ctx, f.sealed(v, "river", asking(t, v, "m1", "", "all"), 0), l.reply))
		_, ok := f.Session("river")
		require.False(t, ok, "it does not last")
		f.send("river", messageOf(t, v, "toy/1.0/pong", "p1", ""))
		time.Sleep(time.Millisecond)
		require.Equal(t, []string{"-", "p1"}, l.ids())
		cancel()
		synctest.Wait()
		f.send("river", messageOf(t, v, "toy/1.0/pong", "p2", ""))
		time.Sleep(time.Hour)
		require.Equal(t, []string{"-", "p1"}, l.ids())

		l = &line{t: t}
		require.NoError(t, f.ReceiveOn(t.Context(), f.sealed(v, "fern", asking(t, v, "m2", "", ""), 0), l.reply))
		require.Empty(t, l.ids(), "not asked")
		dead := &line{t: t, fail: errors.New("gone")}
		require.NoError(t, f.ReceiveOn(t.Context(), f.sealed(v, "fern", asking(t, v, "m3", "", "all"), 0), dead.reply))
		f.send("fern", messageOf(t, v, "toy/1.0/pong", "p3", ""))
		time.Sleep(time.Millisecond)
		require.Equal(t, []string{"p3"}, f.post.ids())
	})
}

// Envelopes go through a channel one at a time, and what comes on it is taken meanwhile.
func TestSession_SlowReply(t *testing.T) {
	bothInBubble(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		slow := make(chan struct{})
		var within, most, sent atomic.Int32
		receive, _ := f.Open(func(_ context.Context, envelope []byte) error {
			if envelope == nil {
				return nil
			}
			most.Store(max(most.Load(), within.Add(1)))
			defer within.Add(-1)
			<-slow
			sent.Add(1)
			return nil
		})
		require.NoError(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, "m1", "", "all"), 0)))
		require.NoError(t, receive(t.Context(), f.sealed(v, "fern", asking(t, v, "m1", "", "all"), 0)))
		f.send("river", messageOf(t, v, "toy/1.0/pong", "p1", ""))
		f.send("fern", messageOf(t, v, "toy/1.0/pong", "p2", ""))
		synctest.Wait()
		began := time.Now()
		require.NoError(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, "m2", "", "all"), 0)))
		require.Zero(t, time.Since(began))
		close(slow)
		synctest.Wait()
		require.EqualValues(t, 1, most.Load())
		require.EqualValues(t, 2, sent.Load())
	})
}

// A handler knows the lasting channel of its own message, and each channel has a name.
func TestSession_Name(t *testing.T) {
	bothInBubble(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		var names []string
		f.toy.handle = func(didcomm.Tx, didcomm.Connection, *didcomm.Message) error {
			if id, ok := f.Session("river"); ok {
				names = append(names, id)
			}
			return nil
		}
		for i := range 2 {
			receive, closed := f.Open((&line{t: t}).reply)
			require.NoError(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, fmt.Sprint("a", i), "", ""), 0)))
			require.Len(t, names, 2*i)
			require.NoError(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, fmt.Sprint("b", i), "", "all"), 0)))
			require.NoError(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, fmt.Sprint("c", i), "", ""), 0)))
			closed()
			require.NoError(t, receive(t.Context(), f.sealed(v, "river", asking(t, v, fmt.Sprint("d", i), "", ""), 0)))
		}
		require.Len(t, names, 4)
		require.Equal(t, names[0], names[1])
		require.Equal(t, names[2], names[3])
		require.NotEqual(t, names[0], names[2])
	})
}

// A message that waits ends when it has expired or is too old, and its thread is told.
func TestSession_NobodyCalls(t *testing.T) {
	bothInBubble(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		f.hide(v)
		f.toy.owns["river/t1"], f.toy.owns["river/t2"] = true, true
		soon := messageOf(t, v, "toy/1.0/pong", "p1", "t1")
		soon.Expires = time.Now().Add(time.Minute).Truncate(time.Second)
		f.send("river", soon, messageOf(t, v, "toy/1.0/pong", "p2", "t2"))
		time.Sleep(2 * time.Minute)
		require.Equal(t, []string{"river t1 undeliverable"}, f.toy.abandoned())
		require.Equal(t, 1, f.pending().Outbox)
		time.Sleep(15 * 24 * time.Hour)
		require.Equal(t, []string{"river t1 undeliverable", "river t2 undeliverable"}, f.toy.abandoned())
		require.Equal(t, runtime.Pending{Dead: 2}, f.pending())
		require.Equal(t, []string{"undeliverable/toy/pong expired river t1", "undeliverable/toy/pong max-age river t2"}, f.audit())
	})
}

// Whoever makes a connection may ask before there is one, and is answered by its key.
func TestSession_BeforeTheConnection(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		stop := f.run()
		l := &line{t: t}
		receive, _ := f.Open(l.reply)
		m := message(t, "start/1.1/hello", "m1", "")
		m.ReturnRoute = "all"
		require.NoError(t, receive(t.Context(), seal(t, key("wallet"), key("invitation"), m, 0)))
		c := didcomm.Connection{ID: "guest", MyKey: key("pairwise"), TheirKey: key("wallet"), Endpoint: didcomm.Queue}
		require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
			return errors.Join(tx.SaveConnection(c), tx.Send(c, message(t, "start/1.1/welcome", "p1", "m1")))
		}))
		time.Sleep(time.Millisecond)
		require.ElementsMatch(t, []string{"-", "p1"}, l.ids())
		require.NoError(t, stop())
	})
}

// Sessions are bounded: strangers give way to each other, not peers to them.
func TestAbuse_DC11_SessionsAreBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	l := &line{t: t}
	receive, _ := f.Open(l.reply)
	require.NoError(t, receive(t.Context(), f.from("river", asking(t, didcomm.V1, "m1", "", "all"))))
	var crowd func(context.Context, []byte) error
	for i := range runtime.MaxStrangerSessions + 50 {
		m := message(t, "start/1.1/hello", fmt.Sprint("m", i), "")
		m.ReturnRoute = "all"
		if i%runtime.MaxChannelSessions == 0 {
			crowd, _ = f.Open(l.reply)
		}
		require.NoError(t, crowd(t.Context(), seal(t, key(fmt.Sprint("stranger", i)), key("invitation"), m, 0)))
	}
	require.Equal(t, runtime.MaxStrangerSessions+1, f.Sessions())
	_, ok := f.Session("river")
	require.True(t, ok)
	for i := range 2 * runtime.MaxPeerSessions { // sockets that died unseen
		again, _ := f.Open(l.reply)
		require.NoError(t, again(t.Context(), f.from("fern", asking(t, didcomm.V1, fmt.Sprint("m", i), "", "all"))))
	}
	require.Equal(t, runtime.MaxStrangerSessions+1+runtime.MaxPeerSessions, f.Sessions())
}

// A message that asks anonymously is answered nowhere.
func TestSession_Anonymous(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	var got anyone
	f.HandleAnonymous("forward", 1, &got)
	m := message(t, "forward/1.0/forward", "m1", "")
	m.ReturnRoute = "all"
	l := &line{t: t}
	require.NoError(t, f.ReceiveOn(t.Context(), seal(t, nil, key("mine river"), m, 0), l.reply))
	require.Len(t, got.keys, 1)
	require.Zero(t, f.Sessions())
	require.Empty(t, l.ids())
}

// A channel that we opened ends the rest after a failure.
func TestReached(t *testing.T) {
	bubble(t, seldom, func(t *testing.T, f *fixture) {
		var away atomic.Bool
		away.Store(true)
		f.post.answer = func(delivery) error {
			if away.Load() {
				return errAway
			}
			return nil
		}
		f.Reached("river") // nobody runs
		stop := f.run()
		f.send("river", message(t, "toy/1.0/pong", "p1", ""))
		time.Sleep(time.Hour)
		away.Store(false)
		f.Reached("fern")
		synctest.Wait()
		require.Empty(t, f.post.ids())
		f.Reached("river")
		synctest.Wait()
		require.Equal(t, []string{"p1"}, f.post.ids())
		require.NoError(t, stop())
	})
}

// What an older version of this package stored is still delivered.
func TestOutbox_RowsOfBefore(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	text, err := message(t, "toy/1.0/ping", "m1", "t1").Plaintext()
	require.NoError(t, err)
	c := connection("river", true)
	row := fmt.Sprintf(`{"v":1,"lane":"river","connection":"river","from":"%s","to":"%s","endpoint":"https://river.example","type":"https://didcomm.org/toy/1.0/ping","thread":"t1","created":"%s"}`+"\n%s",
		b64(c.MyKey), b64(c.TheirKey), time.Now().Format(time.RFC3339), text)
	require.NoError(t, f.store.Update(t.Context(), func(s runtime.StoreTx) error {
		return errors.Join(s.Put("outbox", "r1", []byte(row), "lane/river"),
			s.Put("connection", "old", []byte(fmt.Sprintf(`{"v":1,"id":"old","label":"","myKey":"%s","theirKey":"%s","endpoint":"https://old.example","established":true,"created":"2026-01-01T00:00:00Z"}`,
				b64(key("mine old")), b64(key("theirs old")))), "mine/"+rawURL(key("mine old")), "pair/"+rawURL(key("mine old"))+"/"+rawURL(key("theirs old"))))
	}))
	require.NoError(t, f.Receive(t.Context(), f.from("old", message(t, "toy/1.0/ping", "m2", ""))))
	require.Equal(t, []string{"old m2"}, f.toy.seen())
	sent := f.delivered()
	require.Len(t, sent, 1)
	require.Equal(t, string(text), sent[0].text)
	require.Equal(t, string(c.TheirKey), sent[0].to)
}
