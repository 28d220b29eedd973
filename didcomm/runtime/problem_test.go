package runtime_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

func b64(b []byte) string    { return base64.StdEncoding.EncodeToString(b) }
func rawURL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// delivered runs the agent until its outbox is empty and returns what was sent.
func (f *fixture) delivered() []delivery {
	f.t.Helper()
	stop := f.run()
	f.settle()
	require.NoError(f.t, stop())
	return f.post.all()
}

// settle waits until nothing is left to deliver or do.
func (f *fixture) settle() {
	f.t.Helper()
	for {
		n := f.Commits()
		if p := f.pending(); p.Outbox == 0 && p.Tasks == 0 {
			return
		}
		_, err := f.Wait(f.t.Context(), n)
		require.NoError(f.t, err)
	}
}

// A problem undoes what the handler did, keeps the message as handled, and is
// reported once.
func TestProblem(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.toy.handle = func(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
		if err := tx.Send(c, message(t, "toy/1.0/pong", "never", m.Thread)); err != nil {
			return err
		}
		return fmt.Errorf("wrapped: %w", &didcomm.Problem{Code: "too-early", Comment: "not now", Err: errors.New("local")})
	}
	envelope := f.from("river", message(t, "toy/1.0/ping", "m1", "t1"))
	for range 3 {
		require.NoError(t, f.Receive(t.Context(), envelope))
	}
	f.toy.handle = nil
	require.NoError(t, f.Receive(t.Context(), envelope), "the message is handled, whatever the handler would say now")
	require.Len(t, f.toy.seen(), 1)
	require.Zero(t, f.count("river/t1"))
	require.Equal(t, []string{"received/toy/ping too-early river t1"}, f.audit())

	sent := f.delivered()
	require.Len(t, sent, 1)
	require.True(t, didcomm.IsProblemReport(sent[0].message.Type))
	require.Equal(t, "t1", sent[0].message.Thread)
	p, err := didcomm.ParseReport(sent[0].message)
	require.NoError(t, err)
	require.Equal(t, &didcomm.Problem{Code: "too-early", Comment: "not now"}, p)
	require.NotContains(t, sent[0].text, "local")
}

func TestProblem_NeverAboutReportsOrAcks(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{
		"toy/1.0/problem-report", "toy/1.0/problem_report", "toy/1.0/ack",
		"toy/3.0/problem-report", "toy/3.0/ack",
		"unknown/1.0/problem-report", "unknown/1.0/problem_report", "unknown/1.0/ack",
		"report-problem/1.0/problem-report", "report-problem/9.0/problem-report",
		"notification/1.0/problem-report", "notification/1.0/ack",
	} {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.toy.handle = func(didcomm.Tx, didcomm.Connection, *didcomm.Message) error {
				return &didcomm.Problem{Code: "wrong"}
			}
			require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, typ, "m1", "t1"))))
			require.Zero(t, f.pending().Outbox)
			require.Len(t, f.audit(), 1)
		})
	}
}

func TestProblem_Unsupported(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ typ, code string }{
		{"unknown/1.0/ping", "message-type-unsupported"},
		{"toyota/1.0/ping", "message-type-unsupported"},
		{"toy/2.0/ping", "version-not-supported"},
		{"toy/0.1/ping", "version-not-supported"},
		{"start/2.0/hello", "version-not-supported"},
	} {
		t.Run(tc.typ, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			m := message(t, tc.typ, "m1", "t1")
			for range 3 {
				require.NoError(t, f.Receive(t.Context(), f.from("river", m)))
			}
			require.Empty(t, f.toy.seen())
			sent := f.delivered()
			require.Len(t, sent, 1)
			report := sent[0].message
			require.Equal(t, "https://didcomm.org/report-problem/1.0/problem-report", report.Type.String())
			require.Equal(t, "t1", report.Thread)
			require.Equal(t, "m1", report.Parent)
			p, err := didcomm.ParseReport(report)
			require.NoError(t, err)
			require.Equal(t, tc.code, p.Code)
		})
	}
}

// Two agents of this library that do not understand each other fall silent.
func TestProblem_NoLoop(t *testing.T) {
	t.Parallel()
	f, g := newFixture(t, nil), newFixture(t, nil)
	require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, "unknown/1.0/ping", "m1", ""))))
	for _, d := range f.delivered() {
		require.NoError(t, g.Receive(t.Context(), g.from("river", d.message)))
	}
	require.Empty(t, g.delivered())
}

// A problem of an Opener is reported if the two keys have a connection, and else only
// recorded: nobody knows where a stranger listens.
func TestProblem_Opener(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.start.handle = func(didcomm.Tx, didcomm.Connection, *didcomm.Message) error {
		return &didcomm.Problem{Code: "no-such-invitation"}
	}
	require.NoError(t, f.Receive(t.Context(), seal(t, key("stranger"), key("invitation"), message(t, "start/1.0/hello", "m1", "t1"), 0)))
	require.Zero(t, f.pending().Outbox)
	require.NoError(t, f.Receive(t.Context(), f.from("bud", message(t, "start/1.0/hello", "m2", "t2"))))
	require.Equal(t, 1, f.pending().Outbox)
	require.Equal(t, []string{
		"received/start/hello no-such-invitation  t1", "received/start/hello no-such-invitation bud t2"}, f.audit())
}

func TestAbandon_ByReport(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name           string
		from, typ      string
		thread, parent string
		told           []string
		outcome        string
	}{
		{"by thread", "river", "report-problem/1.0/problem-report", "t1", "", []string{"river t1 gone"}, "ok"},
		{"by thread, as most agents name it", "river", "notification/1.0/problem-report", "t1", "", []string{"river t1 gone"}, "ok"},
		{"by parent thread", "river", "report-problem/1.0/problem-report", "", "t1", []string{"river t1 gone"}, "ok"},
		{"on a connection that is being made", "bud", "report-problem/1.0/problem-report", "t1", "", []string{"bud t1 gone"}, "ok"},
		{"thread of another connection", "fern", "report-problem/1.0/problem-report", "t1", "", nil, "no-such-thread"},
		{"unknown thread", "river", "report-problem/1.0/problem-report", "t9", "", nil, "no-such-thread"},
		{"no thread", "river", "report-problem/1.0/problem-report", "", "", nil, "no-such-thread"},
		{"another protocol's report", "river", "unknown/1.0/problem-report", "t1", "", nil, "message-type-unsupported"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.toy.owns["river/t1"], f.toy.owns["bud/t1"] = true, true
			m := message(t, tc.typ, "m1", tc.thread)
			m.Parent = tc.parent
			m.Body = []byte(`{"description":{"code":"gone"}}`)
			for range 2 {
				require.NoError(t, f.Receive(t.Context(), f.from(tc.from, m)))
			}
			require.Equal(t, tc.told, f.toy.told)
			require.Zero(t, f.pending().Outbox)
			require.Len(t, f.audit(), 1)
			require.Contains(t, f.audit()[0], " "+tc.outcome+" ")
		})
	}
}

func TestAbandon_MalformedReport(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.toy.owns["river/t1"] = true
	m := message(t, "report-problem/1.0/problem-report", "m1", "t1")
	m.Body = []byte(`{"description":7}`)
	require.NoError(t, f.Receive(t.Context(), f.from("river", m)))
	require.Empty(t, f.toy.told)
	require.Equal(t, []string{"received/report-problem/problem-report malformed river t1"}, f.audit())
}

// A protocol that answers a report with a problem is not heard.
func TestAbandon_Problem(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.toy.owns["river/t1"] = true
	f.toy.onTold = func(didcomm.Tx) error { return &didcomm.Problem{Code: "no"} }
	m := message(t, "report-problem/1.0/problem-report", "m1", "t1")
	m.Body = []byte(`{"description":{"code":"gone"}}`)
	require.NoError(t, f.Receive(t.Context(), f.from("river", m)))
	require.Zero(t, f.pending().Outbox)
	require.Equal(t, []string{"received/report-problem/problem-report no river t1"}, f.audit())
}
