package present

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

// messages returns one well-formed message of each name for a thread.
func messages(t *testing.T, w *world, thread, id string) map[string]*didcomm.Message {
	t.Helper()
	r := wanted()
	r.Inputs[0].ID = "input-1"
	requests, err := newRequest(party{}, r, "definition-1", options{"challenge-1", domain(t)})
	require.NoError(t, err)
	s := w.prove(t, w.staff, &record{Exchange: Exchange{Inputs: r.Inputs}, Definition: "definition-1"}, domain(t), "challenge-1", nil)
	shown, err := newAttachment("a", formatSubmission, "", s.Bytes)
	require.NoError(t, err)
	out := map[string]*didcomm.Message{}
	for name, c := range map[string]struct {
		body   any
		member string
		list   []didcomm.Attachment
	}{
		propose:      {proposalBody{Comment: "shall I?"}, memberProposals, nil},
		request:      {requestBody{Confirms: true}, memberRequests, requests},
		presentation: {struct{}{}, memberPresentations, []didcomm.Attachment{shown}},
		ack:          {exchange.Ack{Status: "OK"}, "", nil},
		problem:      {map[string]any{"description": map[string]string{"code": codeAbandoned, "en": "no"}}, "", nil},
		"dance":      {struct{}{}, "", nil},
	} {
		out[name] = w.message(id+"-"+name, name, thread, c.body, c.member, c.list...)
	}
	return out
}

// TestAbuse_DC08_EveryMessageInEveryState: what does not fit changes nothing and
// is answered once at most.
func TestAbuse_DC08_EveryMessageInEveryState(t *testing.T) {
	t.Parallel()
	everyState(t, func(t *testing.T, v didcomm.Version, role Role, state State) {
		for _, negotiates := range []bool{false, true} {
			for _, name := range append([]string{"dance"}, allMessages...) {
				t.Run(fmt.Sprintf("%s/%v", name, negotiates), func(t *testing.T) {
					w := newWorldOf(t, v)
					if negotiates {
						w.verifier.Proposed = func(context.Context, didcomm.Tx, *Exchange) error { return nil }
					}
					n := w.node(role)
					put(t, n, role, state, "thread-1")
					m := messages(t, w, "thread-1", "m1")[name]
					before := n.Store.Snapshot()
					next, wrong := Next(role, state, Event{Message: name})
					declined := role == RoleVerifier && name == propose && !negotiates // known to the machine, not wanted here

					err := n.Store.Deliver(t.Context(), n.Handler, n.Connection, m)
					sent := sentNames(n)
					if wrong == nil && !declined {
						require.NoError(t, err)
						x := new(record)
						require.NoError(t, n.Store.View(t.Context(), func(tx didcomm.Tx) error {
							return tx.Load(kindExchange, exchangeID(n.Connection, "thread-1", role), x)
						}))
						require.Equal(t, next, x.State)
						require.Empty(t, sent)
						before = n.Store.Snapshot()
						require.NoError(t, n.Store.Deliver(t.Context(), n.Handler, n.Connection, m))
						require.Equal(t, before, n.Store.Snapshot(), "a second copy does nothing")
						return
					}
					require.Equal(t, before, n.Store.Snapshot())
					require.Empty(t, n.Store.Tasks())
					if name == problem {
						require.NoError(t, err)
						require.Empty(t, sent, "a report is not answered")
						return
					}
					var p *didcomm.Problem
					require.ErrorAs(t, err, &p)
					require.LessOrEqual(t, len(sent), 1)
					for _, s := range sent {
						require.Equal(t, problem, s)
					}
					require.NoError(t, n.Store.Deliver(t.Context(), n.Handler, n.Connection, m))
					require.Empty(t, sentNames(n))
					require.Equal(t, before, n.Store.Snapshot())
				})
			}
		}
	})
}

// everyState runs f for both versions and roles in every state.
func everyState(t *testing.T, f func(t *testing.T, v didcomm.Version, role Role, state State)) {
	for number, v := range versions {
		for _, role := range allRoles {
			for _, state := range allStates {
				t.Run(fmt.Sprintf("%s/%s/%s", number, role, state), func(t *testing.T) {
					t.Parallel()
					f(t, v, role, state)
				})
			}
		}
	}
}

// TestAbuse_DC08_VersionOfTheOther: a message of one version on a connection of the
// other changes nothing.
func TestAbuse_DC08_VersionOfTheOther(t *testing.T) {
	t.Parallel()
	everyState(t, func(t *testing.T, v didcomm.Version, role Role, state State) {
		w := newWorldOf(t, v)
		n := w.node(role)
		put(t, n, role, state, "thread-1")
		all := messages(t, w, "thread-1", "m")
		before := n.Store.Snapshot()
		for _, name := range []string{propose, request, presentation, ack} {
			m := all[name]
			m.Type.Major = 5 - m.Type.Major
			var p *didcomm.Problem
			require.ErrorAs(t, n.Store.Deliver(t.Context(), n.Handler, n.Connection, m), &p, name)
			require.Equal(t, before, n.Store.Snapshot(), name)
		}
		require.Empty(t, n.Store.Tasks())
	})
}

// TestAbuse_DC08_CallsInEveryState: local calls obey the machine too.
func TestAbuse_DC08_CallsInEveryState(t *testing.T) {
	t.Parallel()
	everyState(t, func(t *testing.T, v didcomm.Version, role Role, state State) {
		if state == Start {
			return
		}
		for name, c := range map[string]struct {
			role  Role
			event Event
			call  func(*world, string) error
		}{
			"withdraw": {RoleVerifier, Event{problem, true}, func(w *world, id string) error { return w.verifier.Withdraw(t.Context(), id, "x") }},
			"answer":   {RoleVerifier, Event{request, true}, func(w *world, id string) error { return w.verifier.Answer(t.Context(), id, wanted()) }},
			"present":  {RoleProver, Event{presentation, true}, func(w *world, id string) error { return w.prover.Present(t.Context(), id, w.answer()) }},
			"counter":  {RoleProver, Event{propose, true}, func(w *world, id string) error { return w.prover.Counter(t.Context(), id, Proposal{}) }},
			"decline":  {RoleProver, Event{problem, true}, func(w *world, id string) error { return w.prover.Decline(t.Context(), id, "x") }},
		} {
			w := newWorldOf(t, v)
			n := w.node(role)
			id := put(t, n, role, state, "thread-1").ID
			before := n.Store.Snapshot()
			_, wrong := Next(c.role, state, c.event)
			err := c.call(w, id)
			if role != c.role {
				require.ErrorIs(t, err, didcomm.ErrNotFound, name)
				require.Equal(t, before, n.Store.Snapshot(), name)
				continue
			}
			if wrong == nil {
				require.NoError(t, err, name)
				sent := n.Store.TakeOutbox()
				require.Len(t, sent, 1, name)
				require.Equal(t, v, sent[0].Message.Version.Or1())
				continue
			}
			require.ErrorIs(t, err, ErrState, name)
			require.Equal(t, before, n.Store.Snapshot(), name)
			require.Empty(t, n.Store.TakeOutbox(), name)
		}
	})
}

// TestAbuse_DC05_Repeated: the same message three times, and again under a new id.
func TestAbuse_DC05_Repeated(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) { t.Parallel(); repeated(t, newWorldOf(t, v)) })
	}
}

func repeated(t *testing.T, w *world) {
	_, id := w.ask(wanted())
	require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
	var all []*didcomm.Message
	to := func(m *didcomm.Message) *memtx.Node {
		if m.Type.Name == presentation {
			return w.verifierNode
		}
		return w.proverNode
	}
	for range 3 {
		for _, s := range append(w.proverNode.Store.TakeOutbox(), w.verifierNode.Store.TakeOutbox()...) {
			all = append(all, s.Message)
			for range 3 {
				require.NoError(t, to(s.Message).Store.Deliver(t.Context(), to(s.Message).Handler, to(s.Message).Connection, s.Message))
			}
		}
		require.NoError(t, w.verifierNode.Work(t.Context()))
	}
	require.Equal(t, []string{presentation, ack}, names(all))
	require.Len(t, w.decided, 1)
	verifier, prover := w.verifierNode.Store.Snapshot(), w.proverNode.Store.Snapshot()
	for _, m := range all {
		again := *m
		again.ID = "again-" + m.Type.Name
		requireRefused(t, to(m).Store.Deliver(t.Context(), to(m).Handler, to(m).Connection, &again), codeOutOfOrder)
		changed := *m
		changed.Body = json.RawMessage(`{"x":1}`)
		require.ErrorIs(t, to(m).Store.Deliver(t.Context(), to(m).Handler, to(m).Connection, &changed), didcomm.ErrConflict)
	}
	require.Equal(t, verifier, w.verifierNode.Store.Snapshot())
	require.Equal(t, prover, w.proverNode.Store.Snapshot())
}

// TestAbuse_DC06_ThreadOfAnotherConnection: a thread is found only on its own
// connection.
func TestAbuse_DC06_ThreadOfAnotherConnection(t *testing.T) {
	t.Parallel()
	everyState(t, func(t *testing.T, v didcomm.Version, role Role, state State) {
		if state == Start {
			return
		}
		w := newWorldOf(t, v)
		n := w.node(role)
		n.Handler = Roles{w.verifier, w.prover}
		w.verifier.Proposed = func(context.Context, didcomm.Tx, *Exchange) error { return nil }
		x := put(t, n, role, state, "thread-1")
		n.ConnectOf(v, "intruder", true)
		before := n.Store.Snapshot()
		for _, name := range []string{presentation, ack, problem, "dance"} {
			m := messages(t, w, "thread-1", "m")[name]
			err := n.Store.Deliver(t.Context(), n.Handler, "intruder", m)
			if name != problem {
				var p *didcomm.Problem
				require.ErrorAs(t, err, &p, "%s in %s", name, state)
			}
			require.Equal(t, before, n.Store.Snapshot(), "%s in %s", name, state)
		}
		require.NoError(t, n.Store.Deliver(t.Context(), n.Handler, "intruder", w.report("r", "thread-1", codeAbandoned)))
		require.Equal(t, before, n.Store.Snapshot())

		// What begins a thread begins one of the intruder's own, whatever its name.
		require.NoError(t, n.Store.Deliver(t.Context(), n.Handler, "intruder", messages(t, w, "thread-1", "n")[propose]))
		now := new(record)
		require.NoError(t, n.Store.View(t.Context(), func(tx didcomm.Tx) error { return tx.Load(kindExchange, x.ID, now) }))
		require.Equal(t, x, now)
		require.Empty(t, n.Store.Tasks())
		for _, s := range n.Store.TakeOutbox() {
			require.Equal(t, "intruder", s.Connection.ID)
		}
	})
}

func TestRoles_NotPlayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, m := range messages(t, w, "thread-1", "m1") {
		err := w.verifierNode.Store.Deliver(t.Context(), Roles{}, "to-hazel", m)
		if name == problem {
			require.NoError(t, err)
			continue
		}
		requireRefused(t, err, codeNoThread)
	}
	mine, err := Roles{}.Abandon(context.Background(), nil, didcomm.Connection{}, "x", &didcomm.Problem{})
	require.NoError(t, err)
	require.False(t, mine)
}
