package present

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// model is a world for schedules of many steps: a network that a test delivers by hand,
// and a presentation that is proven and checked without cryptography.
type model struct {
	*world
	network []memtx.Parcel
	held    Answer
}

func newModel(t testing.TB, v didcomm.Version, held Answer) *model {
	w := newWorldOf(t, v)
	w.verifierNode.Handler, w.proverNode.Handler = Roles{Verifier: w.verifier}, Roles{Prover: w.prover}
	return &model{world: w, held: held}
}

// take moves what the two sent onto the network.
func (m *model) take() { m.network = append(m.network, memtx.Take(m.verifierNode, m.proverNode)...) }

func (m *model) deliver(p memtx.Parcel) error { return p.Deliver(m.t.Context()) }

// states are where the two stand, and what was decided.
func (m *model) states() string {
	var out string
	for _, list := range []func(context.Context) ([]Exchange, error){m.verifier.Exchanges, m.prover.Exchanges} {
		all, err := list(m.t.Context())
		require.NoError(m.t, err)
		for _, x := range all {
			out += fmt.Sprintf("%s %s %s; ", x.Role, x.State, x.Code)
		}
	}
	return fmt.Sprintf("%s%d decisions, %d tasks", out, len(m.decided), len(m.verifierNode.Store.Tasks()))
}

// TestModel_AllOrders: the thread's three messages, each twice, in all 720 orders, end
// in the same state. A copy that the network holds before it was sent is delivered as
// soon as there is one; the task of the verifier runs as soon, or as late, as it can.
func TestModel_AllOrders(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/late=%v", number, late), func(t *testing.T) {
				t.Parallel()
				held := newWorldOf(t, v).answer()
				orders := memtx.Orders(3, func(order []int) {
					m := newModel(t, v, held)
					m.run(t, order, late)
					require.Equal(t, "verifier done ; prover done ; 1 decisions, 0 tasks", m.states(), order)
					require.Empty(t, m.network)
				})
				require.Equal(t, 720, orders)
			})
		}
	}
}

// run delivers request, presentation and ack, each twice, in an order of their copies:
// 0 and 1 are those of the request, 2 and 3 those of the presentation, and so on.
func (m *model) run(t *testing.T, order []int, late bool) {
	_, err := m.verifier.Request(t.Context(), "to-hazel", wanted())
	require.NoError(t, err)
	kinds := []string{request, presentation, ack}
	sent := map[string]memtx.Parcel{}
	left := slices.Clone(order)
	for len(left) > 0 {
		m.take()
		for _, p := range m.network {
			sent[p.Message.Type.Name] = p
		}
		m.network = nil
		i := slices.IndexFunc(left, func(copy int) bool { _, ok := sent[kinds[copy/2]]; return ok })
		if i < 0 { // nothing but a party can go on
			require.NoError(t, m.verifierNode.Work(t.Context()))
			continue
		}
		kind := kinds[left[i]/2]
		require.NoError(t, m.deliver(sent[kind]))
		left = slices.Delete(left, i, i+1)
		if !late {
			require.NoError(t, m.verifierNode.Work(t.Context()))
		}
		if kind == request {
			m.person(t)
		}
	}
	require.NoError(t, m.verifierNode.Work(t.Context()))
	m.take()
}

// person answers every request there is, and returns how many were not too late.
func (m *model) person(t testing.TB) (sent int) {
	all, err := m.prover.Exchanges(t.Context())
	require.NoError(t, err)
	for _, x := range all {
		if x.State != RequestReceived {
			continue
		}
		if err := m.prover.Present(t.Context(), x.ID, m.held); err != nil {
			require.ErrorIs(t, err, ErrState)
			continue
		}
		sent++
	}
	return sent
}

// TestModel_AllOrdersOfARecording: the same six messages, recorded in one run, are put
// to parties of another run in all orders, whether or not these sent them: what does
// not fit is refused, nobody moves but along the table, nothing is decided twice, and
// both can still end.
func TestModel_AllOrdersOfARecording(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			held := newWorldOf(t, v).answer()
			m := newModel(t, v, held)
			id, err := m.verifier.Request(t.Context(), "to-hazel", wanted())
			require.NoError(t, err)
			asked := m.load(t, id)
			var trace []memtx.Parcel
			for range 3 {
				m.take()
				for _, p := range m.network {
					trace = append(trace, p, p)
					require.NoError(t, m.deliver(p))
				}
				m.network = nil
				m.person(t)
				require.NoError(t, m.verifierNode.Work(t.Context()))
			}
			require.Len(t, trace, 6)
			memtx.Orders(3, func(order []int) {
				again := newModel(t, v, held)
				x := *asked
				x.State = RequestSent
				require.NoError(t, again.verifierNode.Store.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Save(kindExchange, x.ID, &x) }))
				for _, i := range order {
					p := trace[i]
					if p.To = again.proverNode; trace[i].To == m.verifierNode {
						p.To = again.verifierNode
					}
					require.NoError(t, again.deliver(p))
					again.verifierNode.Store.TakeOutbox()
					again.proverNode.Store.TakeOutbox()
				}
				require.NoError(t, again.verifierNode.Work(t.Context()))
				require.LessOrEqual(t, len(again.decided), 1)
				again.end(t)
			})
		})
	}
}

// end lets time pass and both persons give up: then every thread has ended.
func (m *model) end(t testing.TB) {
	m.clock.Advance(100 * 24 * time.Hour)
	for range 2 {
		_, err := m.verifier.Expire(t.Context(), m.clock.Now())
		require.NoError(t, err)
		_, err = m.prover.Expire(t.Context(), m.clock.Now())
		require.NoError(t, err)
		_ = m.verifierNode.Work(t.Context()) // undecided until patience is over
		proposals, err := m.verifier.Exchanges(t.Context())
		require.NoError(t, err)
		for _, x := range proposals {
			if x.State == ProposalReceived {
				require.NoError(t, m.verifier.Withdraw(t.Context(), x.ID, "Too late."))
			}
		}
		requests, err := m.prover.Exchanges(t.Context())
		require.NoError(t, err)
		for _, x := range requests {
			if x.State == RequestReceived {
				require.NoError(t, m.prover.Decline(t.Context(), x.ID, "Too late."))
			}
		}
	}
	for _, list := range []func(context.Context) ([]Exchange, error){m.verifier.Exchanges, m.prover.Exchanges} {
		all, err := list(t.Context())
		require.NoError(t, err)
		for _, x := range all {
			require.True(t, x.State.Final(), "%s is stuck in %s", x.Role, x.State)
		}
	}
}

// flaky is a check that cannot be made now and then.
type flaky struct {
	real  *verify.Verifier
	fails func() bool
}

func (f flaky) Presentation(ctx context.Context, s vc.Secured, want verify.Session) (*verify.Presentation, error) {
	if f.fails() {
		return nil, &verify.Error{Index: verify.Whole, Check: verify.CheckKey, Code: verify.ErrUnavailable}
	}
	return f.real.Presentation(ctx, s, want)
}

// TestModel_Schedules: whatever is lost, doubled, late or out of order, and whatever
// the persons on both sides do meanwhile, no thread is stuck, nobody leaves an end, and
// the verifier is done only if it accepted something that the person sent.
func TestModel_Schedules(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		held := newWorldOf(t, v).answer()
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(r *rapid.T) { schedule(t, r, v, held) })
		})
	}
}

func schedule(t *testing.T, r *rapid.T, v didcomm.Version, held Answer) {
	m := newModel(t, v, held)
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1)) // of the check alone
	m.verifier.Check = flaky{m.check(), func() bool { return random.IntN(4) == 0 }}
	m.verifier.Proposed = func(context.Context, didcomm.Tx, *Exchange) error { return nil }
	ended := map[string]State{}
	shown := 0
	watch := func() {
		m.take()
		for _, list := range []func(context.Context) ([]Exchange, error){m.verifier.Exchanges, m.prover.Exchanges} {
			all, err := list(t.Context())
			require.NoError(r, err)
			for _, x := range all {
				if was, ok := ended[x.ID]; ok {
					require.Equal(r, was, x.State, "an ended exchange moved")
				}
				if x.State.Final() {
					ended[x.ID] = x.State
				}
			}
		}
	}
	pick := func(role Role, states ...State) (string, bool) {
		list := m.verifier.Exchanges
		if role == RoleProver {
			list = m.prover.Exchanges
		}
		all, err := list(t.Context())
		require.NoError(r, err)
		all = slices.DeleteFunc(all, func(x Exchange) bool { return len(states) > 0 && !slices.Contains(states, x.State) })
		if len(all) == 0 {
			return "", false
		}
		return all[rapid.IntRange(0, len(all)-1).Draw(r, "exchange")].ID, true
	}
	parcelAt := func(keep bool) (memtx.Parcel, bool) {
		if len(m.network) == 0 {
			return memtx.Parcel{}, false
		}
		i := rapid.IntRange(0, len(m.network)-1).Draw(r, "parcel")
		p := m.network[i]
		if !keep {
			m.network = slices.Delete(m.network, i, i+1)
		}
		return p, true
	}
	actions := map[string]func(*rapid.T){
		"": func(*rapid.T) { watch() },
		"ask": func(r *rapid.T) {
			if len(ended) < 6 {
				_, err := m.verifier.Request(t.Context(), "to-hazel", wanted())
				require.NoError(r, err)
			}
		},
		"propose": func(r *rapid.T) {
			if len(ended) < 6 {
				_, err := m.prover.Propose(t.Context(), "to-birchwood", Proposal{Comment: "shall I?"})
				require.NoError(r, err)
			}
		},
		"deliver": func(r *rapid.T) {
			if p, ok := parcelAt(false); ok {
				require.NoError(r, m.deliver(p))
			}
		},
		"deliver and keep a copy": func(r *rapid.T) {
			if p, ok := parcelAt(true); ok {
				require.NoError(r, m.deliver(p))
			}
		},
		"lose": func(r *rapid.T) {
			if rapid.IntRange(0, 2).Draw(r, "luck") == 0 {
				parcelAt(false)
			}
		},
		"work": func(*rapid.T) { _ = m.verifierNode.Work(t.Context()) },
		"wait": func(*rapid.T) { m.clock.Advance(2 * time.Hour) },
		"a calm hour": func(r *rapid.T) { // all that is on its way arrives, backwards
			for _, p := range slices.Backward(m.network) {
				require.NoError(r, m.deliver(p))
			}
			m.network = nil
			shown += m.person(t)
			_ = m.verifierNode.Work(t.Context())
		},
		"present": func(r *rapid.T) {
			if id, ok := pick(RoleProver, RequestReceived); ok {
				err := m.prover.Present(t.Context(), id, m.held)
				if shown++; err != nil {
					shown--
					require.ErrorIs(r, err, ErrState) // expired
				}
			}
		},
		"decline": func(r *rapid.T) {
			if id, ok := pick(RoleProver); ok && rapid.IntRange(0, 4).Draw(r, "mood") == 0 {
				if err := m.prover.Decline(t.Context(), id, "No."); err != nil {
					require.ErrorIs(r, err, ErrState)
				}
			}
		},
		"counter": func(r *rapid.T) {
			if id, ok := pick(RoleProver, RequestReceived); ok && rapid.IntRange(0, 2).Draw(r, "mood") == 0 {
				require.NoError(r, m.prover.Counter(t.Context(), id, Proposal{}))
			}
		},
		"answer": func(r *rapid.T) {
			if id, ok := pick(RoleVerifier, ProposalReceived); ok {
				require.NoError(r, m.verifier.Answer(t.Context(), id, wanted()))
			}
		},
		"withdraw": func(r *rapid.T) {
			if id, ok := pick(RoleVerifier); ok && rapid.IntRange(0, 4).Draw(r, "mood") == 0 {
				if err := m.verifier.Withdraw(t.Context(), id, "No."); err != nil {
					require.ErrorIs(r, err, ErrState)
				}
			}
		},
		"expire": func(r *rapid.T) {
			before := m.clock.Now().Add(-24 * time.Hour)
			_, err := m.verifier.Expire(t.Context(), before)
			require.NoError(r, err)
			_, err = m.prover.Expire(t.Context(), before)
			require.NoError(r, err)
		},
	}
	r.Repeat(actions)
	random = rand.New(rand.NewPCG(1, 1))
	m.end(t)
	accepted := 0
	for _, d := range m.decided {
		if d.Err == nil {
			accepted++
		}
	}
	require.LessOrEqual(r, accepted, shown)
}
