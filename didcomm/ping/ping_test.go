package ping_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
	"github.com/staffpassport/staffpassport/didcomm/ping"
)

// party is one party on connection "c", which knows another one on "other".
func party(v didcomm.Version) (*memtx.Node, *ping.Protocol, *[]string) {
	n := memtx.NewNodeOf(v, "c")
	n.ConnectOf(v, "other", true)
	var answered []string
	p := &ping.Protocol{Store: &n.Store, Answered: func(_ context.Context, _ didcomm.Tx, c didcomm.Connection, thread string) error {
		answered = append(answered, c.ID+" "+thread)
		return nil
	}}
	n.Handler = p
	return n, p, &answered
}

func versions(t *testing.T, f func(t *testing.T, v didcomm.Version)) {
	for name, v := range map[string]didcomm.Version{"v1": didcomm.V1, "v2": didcomm.V2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, v)
		})
	}
}

// plain is a message as a peer writes it.
func plain(t *testing.T, v didcomm.Version, typ, id, thread, body string) *didcomm.Message {
	t.Helper()
	text := `{"@type":"https://didcomm.org/` + typ + `","@id":"` + id + `","~thread":{"thid":"` + thread + `"}`
	if body != "" {
		text += "," + body
	}
	text += "}"
	if v == didcomm.V2 {
		text = `{"type":"https://didcomm.org/` + typ + `","id":"` + id + `","thid":"` + thread + `","typ":"application/didcomm-plain+json","body":{` + body + `}}`
	}
	m, err := didcomm.ParseMessage([]byte(text))
	require.NoError(t, err)
	return m
}

func types(v didcomm.Version) (question, answer string) {
	if v == didcomm.V2 {
		return "trust-ping/2.0/ping", "trust-ping/2.0/ping-response"
	}
	return "trust_ping/1.0/ping", "trust_ping/1.0/ping_response"
}

func TestPingAndAnswer(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, v didcomm.Version) {
		a, p, answered := party(v)
		b, _, _ := party(v)
		thread, err := p.Ping(t.Context(), "c")
		require.NoError(t, err)
		trace, err := memtx.Settle(t.Context(), a, b)
		require.NoError(t, err)
		require.Len(t, trace, 2)
		question, answer := types(v)
		require.Equal(t, "https://didcomm.org/"+question, trace[0].Type.String())
		require.Equal(t, "https://didcomm.org/"+answer, trace[1].Type.String())
		require.Equal(t, thread, trace[1].Thread)
		require.NotEqual(t, thread, trace[1].ID)
		require.Equal(t, []string{"c " + thread}, *answered)
		require.Empty(t, a.Store.Records("ping"), "nothing waits")

		var body map[string]any
		require.NoError(t, json.Unmarshal(trace[0].Body, &body))
		require.Equal(t, true, body["response_requested"])
	})
}

// An answer counts once, on its connection, and only if there was a question.
func TestAbuse_DC06_AnswerOfAnotherConnection(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, v didcomm.Version) {
		a, p, answered := party(v)
		thread, err := p.Ping(t.Context(), "c")
		require.NoError(t, err)
		_, name := types(v)
		before := a.Store.Snapshot()
		require.NoError(t, a.Store.Deliver(t.Context(), p, "other", plain(t, v, name, "1", thread, "")))
		require.NoError(t, a.Store.Deliver(t.Context(), p, "c", plain(t, v, name, "2", "no-such-thread", "")))
		require.Equal(t, before, a.Store.Snapshot())
		require.Empty(t, *answered)

		require.NoError(t, a.Store.Deliver(t.Context(), p, "c", plain(t, v, name, "3", thread, "")))
		require.NoError(t, a.Store.Deliver(t.Context(), p, "c", plain(t, v, name, "4", thread, "")))
		require.Len(t, *answered, 1)
		a.Store.TakeOutbox()
		require.Empty(t, a.Store.TakeOutbox(), "an answer is never answered")
	})
}

func TestPingsThatWantNoAnswer(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, v didcomm.Version) {
		a, p, _ := party(v)
		name, _ := types(v)
		for i, body := range []string{`"response_requested":false`, `"response_requested":false,"comment":"Hi"`} {
			require.NoError(t, a.Store.Deliver(t.Context(), p, "c", plain(t, v, name, string(rune('a'+i)), "t", body)))
		}
		require.Empty(t, a.Store.TakeOutbox())
		p.Ignore = func(c didcomm.Connection) bool { return c.ID == "c" }
		require.NoError(t, a.Store.Deliver(t.Context(), p, "c", plain(t, v, name, "x", "t", "")))
		require.Empty(t, a.Store.TakeOutbox())
		require.NoError(t, a.Store.Deliver(t.Context(), p, "other", plain(t, v, name, "x", "t", "")))
		require.Len(t, a.Store.TakeOutbox(), 1)
	})
}

// As other agents write it: any minor version, members nobody knows, a thread of its own.
func TestPingsOfOtherMakes(t *testing.T) {
	t.Parallel()
	a, p, _ := party(didcomm.V1)
	for i, tt := range []struct{ typ, body string }{
		{"trust_ping/1.0/ping", `"comment":"Hi. Are you listening?","~timing":{"out_time":"2018-12-15 04:29:23Z","delay_milli":0}`},
		{"trust_ping/1.1/ping", `"x":{"y":[1,null]},"~please_ack":{"on":["RECEIPT"]}`},
		{"trust_ping/1.0/ping", `"response_requested":null`},
		{"trust_ping/1.0/ping", `"response_requested":true,"~transport":{"return_route":"all"}`},
	} {
		id := string(rune('a' + i))
		require.NoError(t, a.Store.Deliver(t.Context(), p, "c", plain(t, didcomm.V1, tt.typ, id, "thread-"+id, tt.body)), tt)
		out := a.Store.TakeOutbox()
		require.Len(t, out, 1)
		require.Equal(t, "https://didcomm.org/trust_ping/1.0/ping_response", out[0].Message.Type.String())
		require.Equal(t, "thread-"+id, out[0].Message.Thread)
	}
}

func TestPingRefuses(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, v didcomm.Version) {
		a, p, _ := party(v)
		name, _ := types(v)
		for i, body := range []string{`"response_requested":"yes"`, `"response_requested":1`, `"response_requested":[]`, `"comment":{}`} {
			err := a.Store.Deliver(t.Context(), p, "c", plain(t, v, name, string(rune('a'+i)), "t", body))
			require.ErrorIs(t, err, didcomm.ErrMalformed, body)
		}
		err := a.Store.Deliver(t.Context(), p, "c", plain(t, v, name+"s", "z", "t", ""))
		var problem *didcomm.Problem
		require.True(t, errors.As(err, &problem))
		require.Equal(t, "message-type-unsupported", problem.Code)

		_, err = p.Ping(t.Context(), "nobody")
		require.ErrorIs(t, err, didcomm.ErrNotFound)
		require.Empty(t, a.Store.Records("ping"))
	})
}

func TestPingsExpire(t *testing.T) {
	t.Parallel()
	a, p, answered := party(didcomm.V1)
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	p.Now = func() time.Time { return now }
	p.NewID = func() string { return now.Format("150405") }
	old, err := p.Ping(t.Context(), "c")
	require.NoError(t, err)
	now = now.Add(time.Hour)
	_, err = p.Ping(t.Context(), "c")
	require.NoError(t, err)
	n, err := p.Expire(t.Context(), now)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Len(t, a.Store.Records("ping"), 1)
	_, name := types(didcomm.V1)
	require.NoError(t, a.Store.Deliver(t.Context(), p, "c", plain(t, didcomm.V1, name, "late", old, "")))
	require.Empty(t, *answered)
}

// A ping that the peer refuses, with a report of its own, waits no longer.
func TestPingAbandoned(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, v didcomm.Version) {
		a, p, answered := party(v)
		thread, err := p.Ping(t.Context(), "c")
		require.NoError(t, err)
		for i, tt := range []struct {
			connection, thread string
			mine               bool
		}{{"other", thread, false}, {"c", "no-such-thread", false}, {"c", thread, true}, {"c", thread, false}} {
			require.NoError(t, a.Store.Update(t.Context(), func(tx didcomm.Tx) error {
				mine, err := p.Abandon(t.Context(), tx, didcomm.Connection{ID: tt.connection}, tt.thread, &didcomm.Problem{Code: "x"})
				require.Equal(t, tt.mine, mine, i)
				return err
			}))
		}
		require.Empty(t, a.Store.Records("ping"))
		_, name := types(v)
		require.NoError(t, a.Store.Deliver(t.Context(), p, "c", plain(t, v, name, "late", thread, "")))
		require.Empty(t, *answered)
	})
}

func TestPrint(t *testing.T) {
	t.Parallel()
	printtest.Check(t, nil, map[string]string{"Protocol": "configuration", "Event": "names of messages"})
}
