package issue

import (
	"context"
	"errors"
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

// A model is a world whose network a test works by hand.
type model struct {
	*world
	network []memtx.Parcel
}

func newModel(t testing.TB, v didcomm.Version) *model {
	w := newWorldOf(t, v)
	w.open()
	w.issuerNode.Handler, w.holderNode.Handler = Roles{Issuer: w.issuer}, Roles{Holder: w.holder}
	return &model{world: w}
}

// take moves what the two sent onto the network.
func (m *model) take() { m.network = append(m.network, memtx.Take(m.issuerNode, m.holderNode)...) }

func (m *model) deliver(p memtx.Parcel) error { return p.Deliver(m.t.Context()) }

// work runs the tasks of both. Those that fail wait.
func (m *model) work() {
	_ = m.issuerNode.Work(m.t.Context())
	_ = m.holderNode.Work(m.t.Context())
}

// all returns the exchanges of a role.
func (m *model) all(r Role) []Exchange {
	list := m.issuer.Exchanges
	if r == RoleHolder {
		list = m.holder.Exchanges
	}
	all, err := list(m.t.Context())
	require.NoError(m.t, err)
	return all
}

// states are where the two stand, and what came of it.
func (m *model) states() string {
	out := ""
	for _, r := range allRoles {
		for _, x := range m.all(r) {
			out += fmt.Sprintf("%s %s %s; ", x.Role, x.State, x.Code)
		}
	}
	return fmt.Sprintf("%s%d kept, %d tasks", out, len(m.holderNode.Store.Records("kept")),
		len(m.issuerNode.Store.Tasks())+len(m.holderNode.Store.Tasks()))
}

// TestModel_AllOrders: the messages of a thread after the offer, request, credential and
// ack, each twice, in all 720 orders, end in the same state, and so do those of a thread
// that begins with a proposal or a request. A copy that comes up before its message was
// sent waits for it; the tasks run as early or as late as they can.
func TestModel_AllOrders(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		for begin, kinds := range map[string][]string{
			offer:   {offer, request, issue},
			request: {request, issue, ack},
			propose: {propose, offer, request},
		} {
			for _, late := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/late=%v", number, begin, late), func(t *testing.T) {
					t.Parallel()
					n := memtx.Orders(3, func(order []int) {
						m := newModel(t, v)
						m.run(t, begin, kinds, order, late)
						require.Equal(t, "issuer done ; holder done ; 1 kept, 0 tasks", m.states(), order)
						require.Equal(t, 1, m.signed, "signed once")
					})
					require.Equal(t, 720, n)
				})
			}
		}
	}
}

// begin takes the first step of a thread.
func (m *model) begin(t testing.TB, with string) {
	t.Helper()
	var err error
	switch with {
	case offer:
		_, err = m.issuer.Offer(t.Context(), "to-hazel", m.linkedOffer())
	case propose:
		_, err = m.holder.Propose(t.Context(), "to-alderbrook", Proposal{Credential: m.passport()})
	case request:
		_, err = m.holder.Request(t.Context(), "to-alderbrook", Proposal{Credential: m.passport()}, m.staff)
	}
	require.NoError(t, err)
}

// linkedOffer is one that a proposal or a request can be for too.
func (m *model) linkedOffer() Offer {
	return Offer{Credential: m.passport(), Formats: []string{FormatLinkedData}}
}

// persons answer whatever waits for one of them.
func (m *model) persons(t testing.TB) {
	for _, x := range m.all(RoleIssuer) {
		switch {
		case x.State == ProposalReceived:
			require.NoError(t, m.issuer.Answer(t.Context(), x.ID, m.linkedOffer()))
		case x.State == RequestReceived && len(x.Offered) == 0:
			require.NoError(t, m.issuer.Grant(t.Context(), x.ID, Offer{}))
		}
	}
	for _, x := range m.all(RoleHolder) {
		if x.State == OfferReceived {
			require.NoError(t, m.holder.Accept(t.Context(), x.ID, m.staff))
		}
	}
}

// run delivers the copies of three kinds of message in an order, and everything else
// once.
func (m *model) run(t *testing.T, with string, kinds []string, order []int, late bool) {
	m.begin(t, with)
	sent := map[string]memtx.Parcel{}
	left := slices.Clone(order)
	for range 100 {
		m.take()
		rest := m.network
		m.network = nil
		for _, p := range rest {
			if slices.Contains(kinds, p.Message.Type.Name) {
				sent[p.Message.Type.Name] = p
			} else {
				require.NoError(t, m.deliver(p))
			}
		}
		i := slices.IndexFunc(left, func(copy int) bool { _, ok := sent[kinds[copy/2]]; return ok })
		if i >= 0 {
			require.NoError(t, m.deliver(sent[kinds[left[i]/2]]))
			left = slices.Delete(left, i, i+1)
		}
		if m.persons(t); i < 0 || !late {
			m.work()
		}
		if m.take(); i < 0 && len(left) == 0 && len(m.network) == 0 {
			return
		}
	}
	t.Fatal("it does not come to rest")
}

// TestModel_AllOrdersOfARecording: three messages that were recorded in one run, each
// twice, are put to parties of another that may not have sent or expected any of them:
// nobody moves but along the table, nothing is signed or kept twice, and all can end.
func TestModel_AllOrdersOfARecording(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			first := newModel(t, v)
			first.begin(t, offer)
			var trace []*didcomm.Message
			for range 4 {
				first.take()
				for _, p := range first.network {
					trace = append(trace, p.Message)
					require.NoError(t, first.deliver(p))
				}
				first.network = nil
				first.persons(t)
				first.work()
			}
			require.Equal(t, []string{offer, request, issue, ack}, names(trace))
			for _, three := range [][]*didcomm.Message{trace[:3], trace[1:], {trace[0], trace[2], trace[3]}} {
				n := memtx.Orders(3, func(order []int) {
					m := newModel(t, v)
					for _, i := range order {
						message := three[i/2]
						to := m.holderNode
						if name := message.Type.Name; name == request || name == ack {
							to = m.issuerNode
						}
						require.NoError(t, m.deliver(memtx.Parcel{To: to, Message: message}))
					}
					m.take()
					m.work()
					require.LessOrEqual(t, len(m.kept), 1)
					m.end(t)
				})
				require.Equal(t, 720, n)
			}
		})
	}
}

// end lets time pass, and what waits for a person is refused: then every thread has
// ended.
func (m *model) end(t testing.TB) {
	m.clock.Advance(100 * 24 * time.Hour)
	for range 2 {
		for _, x := range m.all(RoleIssuer) {
			if x.State == ProposalReceived || x.State == RequestReceived && len(x.Offered) == 0 {
				require.NoError(t, m.issuer.Withdraw(t.Context(), x.ID, "Too late."))
			}
		}
		for _, x := range m.all(RoleHolder) {
			if x.State == OfferReceived {
				require.NoError(t, m.holder.Decline(t.Context(), x.ID, "Too late."))
			}
		}
		m.work()
		for _, expire := range []func(context.Context, time.Time) (int, error){m.issuer.Expire, m.holder.Expire} {
			_, err := expire(t.Context(), m.clock.Now().Add(time.Second))
			require.NoError(t, err)
		}
	}
	for _, r := range allRoles {
		for _, x := range m.all(r) {
			require.True(t, x.State.Final(), "%s is stuck in %s", r, x.State)
		}
	}
}

// TestModel_Schedules: whatever is lost, doubled, late or out of order, whatever the
// persons do meanwhile and whatever fails and is tried again, no thread is stuck, nobody
// leaves an end, and a holder keeps what was signed for it, once.
func TestModel_Schedules(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(r *rapid.T) { newSchedule(t, r, v).run(r) })
		})
	}
}

// maxThreads bounds the threads of a schedule: two can already take each other's
// messages.
const maxThreads = 4

type schedule struct {
	*model
	ended   map[string]State
	threads int
}

func newSchedule(t *testing.T, r *rapid.T, v didcomm.Version) *schedule {
	s := &schedule{model: newModel(t, v), ended: map[string]State{}}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
	issueAll := s.issuer.Issue
	s.issuer.Issue = func(ctx context.Context, x *Exchange, c *vc.Credential) ([]vc.Secured, error) {
		if random.IntN(4) == 0 {
			return nil, errors.New("the key store does not answer")
		}
		return issueAll(ctx, x, c)
	}
	s.holder.Check = flaky{s.holder.Check, func() bool { return random.IntN(4) == 0 }}
	return s
}

// flaky is a check that cannot be made now and then.
type flaky struct {
	real interface {
		Credential(ctx context.Context, s vc.Secured) (*verify.Credential, error)
	}
	fails func() bool
}

func (f flaky) Credential(ctx context.Context, s vc.Secured) (*verify.Credential, error) {
	if f.fails() {
		return nil, &verify.Error{Index: verify.Whole, Check: verify.CheckKey, Code: verify.ErrUnavailable}
	}
	return f.real.Credential(ctx, s)
}

// watch sees that what has ended stays where it is.
func (s *schedule) watch(r *rapid.T) {
	s.take()
	done := map[Role]int{}
	for _, role := range allRoles {
		for _, x := range s.all(role) {
			if was, ok := s.ended[x.ID]; ok {
				require.Equal(r, was, x.State, "an ended exchange moved")
			}
			if x.State.Final() {
				s.ended[x.ID] = x.State
			}
			if x.State == Done {
				done[role]++
			}
		}
	}
	require.Len(r, s.holderNode.Store.Records("kept"), done[RoleHolder])
	require.LessOrEqual(r, done[RoleIssuer], done[RoleHolder], "done is what the holder said")
}

// pick draws an exchange in one of some states, or in any.
func (s *schedule) pick(r *rapid.T, role Role, states ...State) (Exchange, bool) {
	all := slices.DeleteFunc(s.all(role), func(x Exchange) bool { return len(states) > 0 && !slices.Contains(states, x.State) })
	if len(all) == 0 {
		return Exchange{}, false
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(r, "exchange")], true
}

// parcelAt draws a parcel, and leaves a copy behind.
func (s *schedule) parcelAt(r *rapid.T, keep bool) (memtx.Parcel, bool) {
	if len(s.network) == 0 {
		return memtx.Parcel{}, false
	}
	i := rapid.IntRange(0, len(s.network)-1).Draw(r, "parcel")
	p := s.network[i]
	if !keep {
		s.network = slices.Delete(s.network, i, i+1)
	}
	return p, true
}

// offers draws what an issuer would offer.
func (s *schedule) offers(r *rapid.T) Offer {
	o := Offer{Credential: s.passport()}
	switch rapid.IntRange(0, 3).Draw(r, "offer") {
	case 1:
		o.Credential = s.passportV1()
	case 2:
		o.Formats = []string{FormatLinkedData, FormatDataIntegrity}
	case 3:
		o.Expires = s.clock.Now().Add(12 * time.Hour)
	}
	return o
}

// tolerate lets a call be too late.
func tolerate(r *rapid.T, err error) {
	if err != nil {
		require.ErrorIs(r, err, ErrState)
	}
}

func (s *schedule) run(r *rapid.T) {
	t := s.t
	more := func() bool { s.threads++; return s.threads <= maxThreads }
	r.Repeat(map[string]func(*rapid.T){
		"": s.watch,
		"offer": func(r *rapid.T) {
			if more() {
				_, err := s.issuer.Offer(t.Context(), "to-hazel", s.offers(r))
				require.NoError(r, err)
			}
		},
		"propose": func(*rapid.T) {
			if more() {
				s.begin(t, propose)
			}
		},
		"request": func(*rapid.T) {
			if more() {
				s.begin(t, request)
			}
		},
		"deliver": func(r *rapid.T) {
			if p, ok := s.parcelAt(r, false); ok {
				require.NoError(r, s.deliver(p))
			}
		},
		"deliver and keep a copy": func(r *rapid.T) {
			if p, ok := s.parcelAt(r, true); ok {
				require.NoError(r, s.deliver(p))
			}
		},
		"lose": func(r *rapid.T) { s.parcelAt(r, false) },
		"work": func(*rapid.T) { s.work() },
		"wait": func(*rapid.T) { s.clock.Advance(7 * time.Hour) },
		"answer": func(r *rapid.T) {
			if x, ok := s.pick(r, RoleIssuer, ProposalReceived); ok {
				require.NoError(r, s.issuer.Answer(t.Context(), x.ID, s.offers(r)))
			}
		},
		"grant": func(r *rapid.T) {
			if x, ok := s.pick(r, RoleIssuer, RequestReceived); ok {
				tolerate(r, s.issuer.Grant(t.Context(), x.ID, Offer{}))
			}
		},
		"accept": func(r *rapid.T) {
			if x, ok := s.pick(r, RoleHolder, OfferReceived); ok {
				tolerate(r, s.holder.Accept(t.Context(), x.ID, s.staff))
			}
		},
		"counter": func(r *rapid.T) {
			if x, ok := s.pick(r, RoleHolder, OfferReceived); ok {
				require.NoError(r, s.holder.Counter(t.Context(), x.ID, Proposal{Comment: "another"}))
			}
		},
		"decline": func(r *rapid.T) {
			if x, ok := s.pick(r, RoleHolder); ok && rapid.IntRange(0, 4).Draw(r, "mood") == 0 {
				tolerate(r, s.holder.Decline(t.Context(), x.ID, "No."))
			}
		},
		"withdraw": func(r *rapid.T) {
			if x, ok := s.pick(r, RoleIssuer); ok && rapid.IntRange(0, 4).Draw(r, "mood") == 0 {
				tolerate(r, s.issuer.Withdraw(t.Context(), x.ID, "No."))
			}
		},
		"expire": func(r *rapid.T) {
			before := s.clock.Now().Add(-24 * time.Hour)
			_, err := s.issuer.Expire(t.Context(), before)
			require.NoError(r, err)
			_, err = s.holder.Expire(t.Context(), before)
			require.NoError(r, err)
		},
	})
	s.issuer.Issue = s.issue
	s.holder.Check = s.verifier()
	s.end(t)
	s.watch(r)
}
