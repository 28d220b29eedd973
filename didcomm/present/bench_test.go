package present

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A shown is one exchange up to the answer.
type shown struct {
	w        *world
	verifier string
	prover   string
	answer   Answer
}

func benchmarked(b *testing.B, q Query, form string) *shown {
	w := newWorld(b)
	held := w.selective()
	r := query(form)
	r.Queries = []Query{q}
	s := &shown{w: w, answer: Answer{Key: w.staff, Shown: map[string]Shown{"passport": {held[form], []vc.Pointer{"/credentialSubject/dbs/level"}}}}}
	s.verifier, s.prover = w.ask(r)
	return s
}

// reset puts an exchange back into a state.
func (s *shown) reset(b *testing.B, role Role, state State) {
	id, n := s.verifier, s.w.verifierNode
	if role == RoleProver {
		id, n = s.prover, s.w.proverNode
	}
	require.NoError(b, n.Store.Update(b.Context(), func(tx didcomm.Tx) error {
		x := new(record)
		if err := tx.Load(kindExchange, id, x); err != nil {
			return err
		}
		x.State = state
		return tx.Save(kindExchange, id, x)
	}))
	n.Store.TakeOutbox()
}

// BenchmarkPresent is [Prover.Present]: derive, prove, look at every claim, store. Its
// floor is the first two.
func BenchmarkPresent(b *testing.B) {
	for _, q := range []Query{Definitions, DCQL} {
		for _, form := range []string{FormDataIntegrity, FormSDJWTVC} {
			b.Run(name(q)+"/"+form, func(b *testing.B) {
				s := benchmarked(b, q, form)
				for b.Loop() {
					require.NoError(b, s.w.prover.Present(b.Context(), s.prover, s.answer))
					b.StopTimer()
					s.reset(b, RoleProver, RequestReceived)
					b.StartTimer()
				}
			})
		}
	}
}

// BenchmarkWork is [Verifier.Work]: verify, compare with the request, store. Its floor
// is the first.
func BenchmarkWork(b *testing.B) {
	for _, q := range []Query{Definitions, DCQL} {
		for _, form := range []string{FormDataIntegrity, FormSDJWTVC} {
			b.Run(name(q)+"/"+form, func(b *testing.B) {
				s := benchmarked(b, q, form)
				x := s.received(b)
				for b.Loop() {
					b.StopTimer()
					require.NoError(b, s.w.verifierNode.Store.Update(b.Context(), func(tx didcomm.Tx) error { return tx.Save(kindExchange, x.ID, x) }))
					s.w.verifierNode.Store.TakeOutbox()
					s.w.decided = nil
					b.StartTimer()
					require.NoError(b, s.w.verifier.Work(b.Context(), s.verifier))
				}
				require.NoError(b, s.w.decided[0].Err)
			})
		}
	}
}

// received has the answer delivered.
func (s *shown) received(b *testing.B) *record {
	require.NoError(b, s.w.prover.Present(b.Context(), s.prover, s.answer))
	m := s.w.proverNode.Store.TakeOutbox()[0].Message
	require.NoError(b, s.w.verifierNode.Store.Deliver(b.Context(), s.w.verifier, "to-hazel", m))
	x := new(record)
	require.NoError(b, s.w.verifierNode.Store.View(b.Context(), func(tx didcomm.Tx) error { return tx.Load(kindExchange, s.verifier, x) }))
	return x
}

func BenchmarkFloor(b *testing.B) {
	for _, form := range []string{FormDataIntegrity, FormSDJWTVC} {
		b.Run("Present/"+form, func(b *testing.B) {
			s, known := benchmarked(b, Definitions, form), contexts()
			for b.Loop() {
				_, err := disclose.Derive(b.Context(), disclose.Request{Reveal: []vc.Pointer{"/credentialSubject/dbs/level"}, Holder: s.w.staff,
					Audience: "a", Nonce: "n", Contexts: known, Now: s.w.clock.Now}, s.answer.Shown["passport"].Credential)
				require.NoError(b, err)
			}
		})
		b.Run("Work/"+form, func(b *testing.B) {
			s := benchmarked(b, Definitions, form)
			x := s.received(b)
			for b.Loop() {
				_, err := s.w.verifier.Check.Presentation(b.Context(), x.Presentation, verify.Session{Audience: x.Domain, Nonce: x.Challenge})
				require.NoError(b, err)
			}
		})
	}
}

func name(q Query) string {
	if q == DCQL {
		return "DCQL"
	}
	return "definition"
}
