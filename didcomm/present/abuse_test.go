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
	d, err := newDefinition("definition-1", r)
	require.NoError(t, err)
	q, err := newAttachment("a", definitionContent{options{"challenge-1", domain(t)}, *d})
	require.NoError(t, err)
	s := w.prove(t, w.staff, &record{Exchange: Exchange{Inputs: r.Inputs}, Definition: "definition-1"}, domain(t), "challenge-1", nil)
	out := map[string]*didcomm.Message{}
	for name, body := range map[string]any{
		propose:      map[string]any{"comment": "shall I?", "formats": []any{}},
		request:      requestBody{Confirms: true, Formats: didcomm.Formats{{AttachID: "a", Format: formatDefinition}}, Requests: []didcomm.Attachment{q}},
		presentation: presentationBody{Formats: didcomm.Formats{{AttachID: "a", Format: formatSubmission}}, Presentations: []didcomm.Attachment{didcomm.NewAttachment("a", "", s.Bytes)}},
		ack:          exchange.Ack{Status: "OK"},
		problem:      map[string]any{"description": map[string]string{"code": codeAbandoned, "en": "no"}},
		"dance":      map[string]any{},
	} {
		m, err := didcomm.New(id+"-"+name, messageType(name), thread, "", body)
		require.NoError(t, err)
		out[name] = m
	}
	return out
}

// TestAbuse_DC08_EveryMessageInEveryState: what does not fit changes nothing and
// is answered once at most.
func TestAbuse_DC08_EveryMessageInEveryState(t *testing.T) {
	t.Parallel()
	for _, role := range allRoles {
		for _, state := range allStates {
			for _, name := range append([]string{"dance"}, allMessages...) {
				t.Run(fmt.Sprintf("%s/%s/%s", role, state, name), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					n := w.node(role)
					put(t, n, role, state, "thread-1")
					m := messages(t, w, "thread-1", "m1")[name]
					before := n.Store.Snapshot()
					next, wrong := Next(role, state, Event{Message: name})
					declined := role == RoleVerifier && name == propose // known to the machine, not wanted here

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
	}
}

// TestAbuse_DC08_CallsInEveryState: local calls obey the machine too.
func TestAbuse_DC08_CallsInEveryState(t *testing.T) {
	t.Parallel()
	for _, state := range allStates[1:] {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			for name, c := range map[string]struct {
				role  Role
				event Event
				call  func(*world, string) error
			}{
				"withdraw": {RoleVerifier, Event{problem, true}, func(w *world, id string) error { return w.verifier.Withdraw(t.Context(), id, "x") }},
				"present":  {RoleProver, Event{presentation, true}, func(w *world, id string) error { return w.prover.Present(t.Context(), id, w.answer()) }},
				"decline":  {RoleProver, Event{problem, true}, func(w *world, id string) error { return w.prover.Decline(t.Context(), id, "x") }},
			} {
				w := newWorld(t)
				n := w.node(c.role)
				id := put(t, n, c.role, state, "thread-1").ID
				before := n.Store.Snapshot()
				_, wrong := Next(c.role, state, c.event)
				err := c.call(w, id)
				if wrong == nil {
					require.NoError(t, err, name)
					continue
				}
				require.ErrorIs(t, err, ErrState, name)
				require.Equal(t, before, n.Store.Snapshot(), name)
				require.Empty(t, n.Store.TakeOutbox(), name)
			}
		})
	}
}

// TestAbuse_DC05_Repeated: the same message three times, and again under a new id.
func TestAbuse_DC05_Repeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
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
		changed.Body = json.RawMessage(`{}`)
		require.ErrorIs(t, to(m).Store.Deliver(t.Context(), to(m).Handler, to(m).Connection, &changed), didcomm.ErrConflict)
	}
	require.Equal(t, verifier, w.verifierNode.Store.Snapshot())
	require.Equal(t, prover, w.proverNode.Store.Snapshot())
}

// TestAbuse_DC06_ThreadOfAnotherConnection: a thread is found only on its own
// connection.
func TestAbuse_DC06_ThreadOfAnotherConnection(t *testing.T) {
	t.Parallel()
	for _, role := range allRoles {
		for _, state := range allStates[1:] {
			w := newWorld(t)
			n := w.node(role)
			n.Handler = Roles{w.verifier, w.prover}
			put(t, n, role, state, "thread-1")
			n.Connect("intruder", true)
			before := n.Store.Snapshot()
			for _, name := range []string{presentation, ack, propose, problem, "dance"} {
				m := messages(t, w, "thread-1", "m")[name]
				err := n.Store.Deliver(t.Context(), n.Handler, "intruder", m)
				if name != problem {
					var p *didcomm.Problem
					require.ErrorAs(t, err, &p, "%s in %s", name, state)
				}
				require.Equal(t, before, n.Store.Snapshot(), "%s in %s", name, state)
			}
			require.Empty(t, n.Store.Tasks())
			for _, s := range n.Store.TakeOutbox() {
				require.Equal(t, "intruder", s.Connection.ID)
			}
		}
	}
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
