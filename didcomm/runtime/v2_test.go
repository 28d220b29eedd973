package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

func party(t testing.TB, name string) did.DID {
	t.Helper()
	id, err := did.Parse("did:example:" + name)
	require.NoError(t, err)
	return id
}

// connection2 is one of V2.
func connection2(t testing.TB, id string) didcomm.Connection {
	return didcomm.Connection{ID: id, Version: didcomm.V2, Mine: party(t, "mine-"+id), Theirs: party(t, "theirs-"+id),
		Endpoint: "https://" + id + ".example/didcomm", Established: true}
}

func (f *fixture) save(c didcomm.Connection) {
	f.t.Helper()
	require.NoError(f.t, f.Update(f.t.Context(), func(tx didcomm.Tx) error { return tx.SaveConnection(c) }))
}

func (f *fixture) connection(id string) didcomm.Connection {
	f.t.Helper()
	var c didcomm.Connection
	require.NoError(f.t, f.View(f.t.Context(), func(tx didcomm.Tx) (err error) {
		c, err = tx.Connection(id)
		return err
	}))
	return c
}

// both makes a fixture whose connections "river" and "fern" are of version v.
func both(t *testing.T, test func(t *testing.T, f *fixture, v didcomm.Version)) {
	for _, v := range []didcomm.Version{didcomm.V1, didcomm.V2} {
		t.Run(fmt.Sprint("v", int(v)), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			if v == didcomm.V2 {
				f.save(connection2(t, "river"))
				f.save(connection2(t, "fern"))
			}
			test(t, f, v)
		})
	}
}

// message2 is message in V2.
func message2(t testing.TB, typ, id, thread string) *didcomm.Message {
	m := message(t, typ, id, thread)
	m.Version = didcomm.V2
	return m
}

func messageOf(t testing.TB, v didcomm.Version, typ, id, thread string) *didcomm.Message {
	m := message(t, typ, id, thread)
	if v == didcomm.V2 {
		m.Version = v
	}
	return m
}

// seal2 seals a message of V2 as a packer does that proves from, and whom it was before.
func seal2(t testing.TB, from, to, prior did.DID, m *didcomm.Message, nonce int) []byte {
	t.Helper()
	return wrap2(t, wrapped{Mine: from, Theirs: to, Prior: prior, Nonce: nonce}, m)
}

func wrap2(t testing.TB, w wrapped, m *didcomm.Message) []byte {
	t.Helper()
	var err error
	w.Text, err = m.Plaintext()
	require.NoError(t, err)
	data, err := json.Marshal(w)
	require.NoError(t, err)
	return data
}

// sealed seals a message as the peer of a connection does.
func (f *fixture) sealed(v didcomm.Version, id string, m *didcomm.Message, nonce int) []byte {
	if v == didcomm.V2 {
		return seal2(f.t, party(f.t, "theirs-"+id), party(f.t, "mine-"+id), did.DID{}, m, nonce)
	}
	return seal(f.t, key("theirs "+id), key("mine "+id), m, nonce)
}

func TestReceiveV2(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := connection2(t, "lake")
	f.save(c)
	f.toy.handle = func(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
		return tx.Send(c, message2(t, "toy/1.0/pong", "answer", m.Thread))
	}
	require.NoError(t, f.Receive(t.Context(), f.sealed(didcomm.V2, "lake", message2(t, "toy/1.0/ping", "m1", "t1"), 0)))
	require.Equal(t, []string{"lake m1"}, f.toy.seen())
	require.Equal(t, []string{"received/toy/ping ok lake t1"}, f.audit())
	sent := f.delivered()
	require.Len(t, sent, 1)
	got := sent[0].message
	require.Equal(t, didcomm.V2, got.Version)
	require.Equal(t, c.Mine, got.From)
	require.Equal(t, []did.DID{c.Theirs}, got.To)
	require.WithinDuration(t, time.Now(), got.Created, time.Minute)
	require.Equal(t, "t1", got.Thread)
	require.Equal(t, c.Endpoint, sent[0].endpoint)
}

// A message whose sender the envelope does not prove is nobody's, whatever it says of
// itself.
func TestAbuse_DC02_FromProvesNothing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		from, to string // empty is none
		typ      string
		want     error
	}{
		{"anonymous", "", "mine-lake", "toy/1.0/ping", runtime.ErrSender},
		{"anonymous, to a protocol that makes connections", "", "mine-lake", "start/1.0/hello", runtime.ErrSender},
		{"anonymous, a problem report", "", "mine-lake", "report-problem/2.0/problem-report", runtime.ErrSender},
		{"stranger", "stranger", "mine-lake", "toy/1.0/ping", runtime.ErrSender},
		{"peer of another connection", "theirs-pond", "mine-lake", "toy/1.0/ping", runtime.ErrSender},
		{"names swapped", "mine-lake", "theirs-lake", "toy/1.0/ping", runtime.ErrSender},
		{"stranger to a protocol of V1 that makes connections", "stranger", "mine-lake", "start/1.0/hello", runtime.ErrSender},
		{"not established", "theirs-bog", "mine-bog", "toy/1.0/ping", runtime.ErrNotEstablished},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.save(connection2(t, "lake"))
			f.save(connection2(t, "pond"))
			unfinished := connection2(t, "bog")
			unfinished.Established = false
			f.save(unfinished)
			before := f.store.now()
			m := message2(t, tc.typ, "m1", "t1")
			m.From = party(t, "theirs-lake")
			var from did.DID
			if tc.from != "" {
				from = party(t, tc.from)
			}
			err := f.Receive(t.Context(), seal2(t, from, party(t, tc.to), did.DID{}, m, 0))
			require.ErrorIs(t, err, tc.want)
			require.Empty(t, f.toy.seen())
			require.Empty(t, f.start.opened)
			require.Equal(t, before, f.store.now(), "a stranger writes nothing")
		})
	}
}

func TestReceive_VersionsApart(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.save(connection2(t, "lake"))
	for name, envelope := range map[string][]byte{
		"message of V1 in an envelope of V2": f.sealed(didcomm.V2, "lake", message(t, "toy/1.0/ping", "m1", ""), 0),
		"message of V2 in an envelope of V1": f.sealed(didcomm.V1, "river", message2(t, "toy/1.0/ping", "m1", ""), 0),
	} {
		err := f.Receive(t.Context(), envelope)
		require.ErrorIs(t, err, didcomm.ErrMalformed, name)
		require.ErrorIs(t, err, didcomm.ErrPermanent, name)
	}
	require.Empty(t, f.toy.seen())
}

// The same message three times, after a restart, and encrypted anew, is handled once.
func TestAbuse_DC05_BothVersions(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		m := messageOf(t, v, "toy/1.0/ping", "a-1", "t1")
		for i := range 3 {
			require.NoError(t, f.Receive(t.Context(), f.sealed(v, "river", m, 0)))
			require.NoError(t, f.Receive(t.Context(), f.sealed(v, "river", m, i)))
		}
		f.restart(nil)
		require.NoError(t, f.Receive(t.Context(), f.sealed(v, "river", m, 0)))
		require.NoError(t, f.Receive(t.Context(), f.sealed(v, "river", m, 9)))
		require.Empty(t, f.toy.seen())
		require.Equal(t, 1, f.count("river/t1"))
		other := messageOf(t, v, "toy/1.0/ping", "a-1", "t1")
		other.Body = []byte(`{"say":"something else"}`)
		require.ErrorIs(t, f.Receive(t.Context(), f.sealed(v, "river", other, 0)), didcomm.ErrConflict)
		if v == didcomm.V2 { // identifiers are compared without regard to case
			other.ID = "A-1"
			require.ErrorIs(t, f.Receive(t.Context(), f.sealed(v, "river", other, 0)), didcomm.ErrConflict)
		}
		require.Equal(t, 1, f.count("river/t1"))
	})
}

// A thread belongs to its connection: the same thread on another one is another.
func TestAbuse_DC06_BothVersions(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		require.NoError(t, f.Receive(t.Context(), f.sealed(v, "river", messageOf(t, v, "toy/1.0/ping", "m1", "t1"), 0)))
		require.NoError(t, f.Receive(t.Context(), f.sealed(v, "fern", messageOf(t, v, "toy/1.0/ping", "m1", "t1"), 0)))
		require.Equal(t, 1, f.count("river/t1"))
		require.Equal(t, 1, f.count("fern/t1"))
		f.toy.owns["river/t1"] = true
		report, err := (&didcomm.Problem{Code: "gone"}).Report("r1", messageOf(t, v, "toy/1.0/ping", "m1", "t1"))
		require.NoError(t, err)
		require.NoError(t, f.Receive(t.Context(), f.sealed(v, "fern", report, 0)))
		require.Empty(t, f.toy.told)
		require.NoError(t, f.Receive(t.Context(), f.sealed(v, "river", report, 0)))
		code := "gone"
		if v == didcomm.V2 {
			code = "e.p.gone"
		}
		require.Equal(t, []string{"river t1 " + code}, f.toy.told)
	})
}

// A warning ends nothing.
func TestAbandon_Warning(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.save(connection2(t, "lake"))
	f.toy.owns["lake/t1"] = true
	for i, code := range []string{"w.p.req.time", "e.m.msg"} {
		report, err := (&didcomm.Problem{Code: code}).Report(fmt.Sprint("r", i), message2(t, "toy/1.0/ping", "m1", "t1"))
		require.NoError(t, err)
		require.NoError(t, f.Receive(t.Context(), f.sealed(didcomm.V2, "lake", report, 0)))
	}
	require.Equal(t, []string{"lake t1 e.m.msg"}, f.toy.told)
	require.Contains(t, f.audit()[0], "received/report-problem/problem-report warning lake")
}

func TestProblemV2(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ typ, want string }{
		{"toy/1.0/ping", "e.p.too-early"},
		{"unknown/1.0/ping", "e.p.msg.message-type-unsupported"},
		{"toy/2.0/ping", "e.p.msg.version-not-supported"},
		{"start/1.0/hello", "e.p.msg.version-not-supported"}, // it is for V1
		{"toy/1.0/problem-report", ""},
		{"unknown/1.0/problem-report", ""},
		{"unknown/1.0/ack", ""},
		{"empty/1.0/empty", ""},
	} {
		t.Run(tc.typ, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.save(connection2(t, "lake"))
			f.toy.handle = func(didcomm.Tx, didcomm.Connection, *didcomm.Message) error {
				return &didcomm.Problem{Code: "too_early", Comment: "not now"}
			}
			m := message2(t, tc.typ, "m1", "t1")
			for range 3 {
				require.NoError(t, f.Receive(t.Context(), f.sealed(didcomm.V2, "lake", m, 0)))
			}
			sent := f.delivered()
			if tc.want == "" {
				require.Empty(t, sent)
				return
			}
			require.Len(t, sent, 1)
			report := sent[0].message
			require.Equal(t, "https://didcomm.org/report-problem/2.0/problem-report", report.Type.String())
			require.Equal(t, "t1", report.Parent)
			require.Equal(t, report.ID, report.Thread, "a thread of its own")
			require.JSONEq(t, `{"ack":["m1"]}`, string(report.Headers))
			p, err := didcomm.ParseReport(report)
			require.NoError(t, err)
			require.Equal(t, tc.want, p.Code)
		})
	}
}

// A protocol that is documented elsewhere is one that nobody knows, whatever its name.
func TestProblem_OfElsewhere(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	m := message(t, "toy/1.0/ping", "m1", "t1")
	m.Type.Protocol = "https://plants.example/docs/toy"
	require.NoError(t, f.Receive(t.Context(), f.from("river", m)))
	require.Empty(t, f.toy.seen())
	sent := f.delivered()
	require.Len(t, sent, 1)
	p, err := didcomm.ParseReport(sent[0].message)
	require.NoError(t, err)
	require.Equal(t, "message-type-unsupported", p.Code)
}

// A peer that answers each report with another message that is wrong is told that it is
// enough, and then nothing; the other conversations go on.
func TestAbuse_LoopOfReports(t *testing.T) {
	t.Parallel()
	for name, thread := range map[string]func(i int) string{
		"in one thread":     func(int) string { return "t1" },
		"each in a new one": func(i int) string { return fmt.Sprint("t", i) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, f *fixture, v didcomm.Version) {
				f.toy.handle = func(didcomm.Tx, didcomm.Connection, *didcomm.Message) error {
					return &didcomm.Problem{Code: "wrong"}
				}
				const many = 150
				for i := range many {
					typ := "toy/1.0/ping"
					if i%2 > 0 {
						typ = "unknown/1.0/ping"
					}
					require.NoError(t, f.Receive(t.Context(), f.sealed(v, "river", messageOf(t, v, typ, fmt.Sprint("m", i), thread(i)), 0)))
				}
				sent := f.delivered()
				limit := runtime.MaxReports
				if name == "in one thread" {
					limit = runtime.MaxThreadReports
				}
				require.Len(t, sent, limit+1)
				last, err := didcomm.ParseReport(sent[limit].message)
				require.NoError(t, err)
				require.True(t, strings.HasSuffix(last.Code, "max-errors-exceeded"), last.Code)
				require.Len(t, f.audit(), many)

				require.NoError(t, f.Receive(t.Context(), f.sealed(v, "fern", messageOf(t, v, "toy/1.0/ping", "m1", "t1"), 0)))
				require.Equal(t, 1, f.pending().Outbox)
			})
		})
	}
}

func TestProblem_LimitEndsWithItsWindow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 6, 9, 0, 0, 0, time.UTC)
	f := newFixture(t, func(c *runtime.Config) { c.Now = func() time.Time { return now } })
	wrong := func(from, to int) {
		for i := from; i < to; i++ {
			require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, "unknown/1.0/ping", fmt.Sprint("m", i), fmt.Sprint("t", i)))))
		}
	}
	wrong(0, 150)
	require.Equal(t, runtime.MaxReports+1, f.pending().Outbox)
	now = now.Add(runtime.ReportWindow)
	wrong(150, 160)
	require.Equal(t, runtime.MaxReports+11, f.pending().Outbox)
}

// anyone is a protocol for anonymous messages.
type anyone struct {
	keys []didcomm.Keys
	fail error
}

func (a *anyone) Anonymous(_ context.Context, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) error {
	a.keys = append(a.keys, k)
	return errors.Join(tx.Save("anyone", m.ID, len(a.keys)), a.fail)
}

func TestAnonymous(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.save(connection2(t, "lake"))
	var got anyone
	f.HandleAnonymous("forward", 1, &got)
	m1, m2 := message(t, "forward/1.0/forward", "m1", ""), message2(t, "forward/1.0/forward", "m1", "")
	m2.From = party(t, "theirs-lake")
	for range 2 {
		require.NoError(t, f.Receive(t.Context(), seal(t, nil, key("mine river"), m1, 0)))
		require.NoError(t, f.Receive(t.Context(), seal2(t, did.DID{}, party(t, "mine-lake"), did.DID{}, m2, 0)))
	}
	require.Equal(t, []didcomm.Keys{{Recipient: key("mine river")}, {To: party(t, "mine-lake")}}, got.keys)
	require.NoError(t, f.Receive(t.Context(), seal(t, key("stranger"), key("mine river"), message(t, "forward/1.0/forward", "m2", ""), 0)))
	require.Equal(t, didcomm.Keys{Recipient: key("mine river"), Sender: key("stranger")}, got.keys[2])

	// An identifier is nobody's: another message may have it.
	m1.Body = []byte(`{"say":"something else"}`)
	require.NoError(t, f.Receive(t.Context(), seal(t, nil, key("mine river"), m1, 0)))
	require.Len(t, got.keys, 4)
	require.Zero(t, f.pending().Outbox)

	got.fail = &didcomm.Problem{Code: "no"}
	m1.ID = "m3"
	require.NoError(t, f.Receive(t.Context(), seal(t, nil, key("mine river"), m1, 0)))
	require.Zero(t, f.pending().Outbox, "nobody knows whom to tell")
	require.ErrorIs(t, f.View(t.Context(), func(tx didcomm.Tx) error { return tx.Load("anyone", "m3", new(int)) }), didcomm.ErrNotFound)
	require.Equal(t, []didcomm.Type{{Protocol: "forward", Major: 1}, {Protocol: "start", Major: 1}, {Protocol: "toy", Major: 1}}, f.Protocols())
}
