package present

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// hears makes the verifier take proposals.
func (w *world) hears() *[]Exchange {
	heard := new([]Exchange)
	w.verifier.Proposed = func(_ context.Context, _ didcomm.Tx, x *Exchange) error {
		*heard = append(*heard, *x)
		return nil
	}
	return heard
}

// TestPropose: a proposal, the request for what was proposed, and a presentation.
func TestPropose(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			heard := w.hears()
			id, err := w.prover.Propose(t.Context(), "to-birchwood", Proposal{Comment: "My passport?", Inputs: wanted().Inputs})
			require.NoError(t, err)
			require.Equal(t, ProposalSent, w.only(w.prover.Exchanges).State)
			trace := w.settle()
			require.Equal(t, []string{propose}, names(trace))
			require.Equal(t, trace[0].ID, trace[0].Thread)
			x := w.only(w.verifier.Exchanges)
			require.Equal(t, ProposalReceived, x.State)
			require.Equal(t, "My passport?", x.Purpose)
			require.Equal(t, wanted().Inputs[0].Fields, x.Inputs[0].Fields)
			require.Equal(t, []Exchange{x}, *heard)

			require.NoError(t, w.verifier.Answer(t.Context(), x.ID, Request{Purpose: "To let you start"}))
			w.settle()
			asked, err := w.prover.Exchange(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, RequestReceived, asked.State)
			require.Equal(t, "To let you start", asked.Purpose)
			require.Equal(t, "input-1", asked.Inputs[0].ID)
			require.Empty(t, w.proverNode.Store.TakeOutbox(), "a proposal is no consent")

			require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
			w.settle()
			require.Equal(t, Done, w.only(w.prover.Exchanges).State)
			require.Equal(t, Done, w.only(w.verifier.Exchanges).State)
			require.Len(t, w.decided, 1)
		})
	}
}

// TestCounter: a request is answered by a proposal, which gets another request with a
// challenge of its own; the first is void.
func TestCounter(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			w.hears()
			verifierID, id := w.ask(wanted())
			first := w.load(t, verifierID)
			require.NoError(t, w.prover.Counter(t.Context(), id, Proposal{Comment: "Less?"}))
			require.ErrorIs(t, w.prover.Present(t.Context(), id, w.answer()), ErrState)
			w.settle()
			require.Equal(t, ProposalReceived, w.only(w.verifier.Exchanges).State)
			require.Empty(t, w.only(w.verifier.Exchanges).Inputs)
			require.ErrorIs(t, w.verifier.Answer(t.Context(), verifierID, Request{}), ErrMalformed, "nothing was proposed and nothing asked")
			r := wanted()
			r.Inputs[0].Fields = r.Inputs[0].Fields[:1]
			require.NoError(t, w.verifier.Answer(t.Context(), verifierID, r))
			w.settle()
			second := w.load(t, verifierID)
			require.NotEqual(t, first.Challenge, second.Challenge)
			require.Len(t, w.only(w.prover.Exchanges).Inputs[0].Fields, 1)
			require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
			w.settle()
			require.Equal(t, Done, w.only(w.verifier.Exchanges).State)

			require.ErrorIs(t, w.verifier.Answer(t.Context(), verifierID, wanted()), ErrState)
			require.ErrorIs(t, w.prover.Counter(t.Context(), id, Proposal{}), ErrState)
		})
	}
}

// TestPropose_Declined: a verifier that does not hear of proposals, or does not want
// one, says so, and a request that stands goes on.
func TestPropose_Declined(t *testing.T) {
	t.Parallel()
	for number, v := range versions {
		for _, hears := range []bool{false, true} {
			w := newWorldOf(t, v)
			if hears {
				w.verifier.Proposed = func(context.Context, didcomm.Tx, *Exchange) error {
					return &didcomm.Problem{Code: codeAbandoned, Comment: "Not today."}
				}
			}
			_, err := w.prover.Propose(t.Context(), "to-birchwood", Proposal{})
			require.NoError(t, err)
			m := w.proverNode.Store.TakeOutbox()[0].Message
			requireRefused(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", m), codeAbandoned)
			all, err := w.verifier.Exchanges(t.Context())
			require.NoError(t, err)
			require.Empty(t, all, number)
			w.settle()
			require.Equal(t, Abandoned, w.only(w.prover.Exchanges).State, number)
		}

		w := newWorldOf(t, v)
		verifierID, id := w.ask(wanted())
		require.NoError(t, w.prover.Counter(t.Context(), id, Proposal{}))
		m := w.proverNode.Store.TakeOutbox()[0].Message
		requireRefused(t, w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", m), codeOutOfOrder)
		require.Equal(t, RequestSent, w.load(t, verifierID).State)
		w.settle()
		require.Equal(t, ProposalSent, w.only(w.prover.Exchanges).State, "a warning ends nothing")
		require.NoError(t, w.verifier.Withdraw(t.Context(), verifierID, "Then not."))
		w.settle()
		require.Equal(t, Abandoned, w.only(w.prover.Exchanges).State)
	}
}

func TestPropose_Refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.proverNode.Connect("half-made", false)
	bad := func(change func(*Input)) Proposal {
		in := wanted().Inputs
		change(&in[0])
		return Proposal{Inputs: in}
	}
	for name, c := range map[string]struct {
		connection string
		proposal   Proposal
		want       error
	}{
		"no connection":   {"nobody", Proposal{}, didcomm.ErrNotFound},
		"not established": {"half-made", Proposal{}, ErrState},
		"no type":         {"to-birchwood", bad(func(in *Input) { in.Type = "" }), ErrMalformed},
		"a value": {"to-birchwood", bad(func(in *Input) {
			in.Fields[0].OneOf = []json.RawMessage{json.RawMessage(`"Enhanced"`)}
		}), ErrConsent},
	} {
		_, err := w.prover.Propose(t.Context(), c.connection, c.proposal)
		require.ErrorIs(t, err, c.want, name)
	}
	require.Empty(t, w.proverNode.Store.TakeOutbox())
	require.ErrorIs(t, w.prover.Counter(t.Context(), "nothing", Proposal{}), didcomm.ErrNotFound)
	require.ErrorIs(t, w.verifier.Answer(t.Context(), "nothing", Request{}), didcomm.ErrNotFound)
}

// TestInterop_Proposals: as the RFCs and Credo write them, with and without attachments.
func TestInterop_Proposals(t *testing.T) {
	t.Parallel()
	const descriptors = `[{"id":"citizenship_input","name":"Passport","group":["A"],"schema":[{"uri":"hub://did:foo:123/passport.json"}],` +
		`"constraints":{"fields":[{"path":["$.credentialSubject.river","$.vc.credentialSubject.river","$.river"]}]}}]`
	asked := []Input{{ID: "citizenship_input", Name: "Passport", Schemas: []string{"hub://did:foo:123/passport.json"}, Fields: []Field{{At: "/credentialSubject/river"}}}}
	message := func(member, formats, content string) string {
		return `{"@type":"https://didcomm.org/present-proof/2.0/propose-presentation","@id":"fce30ed1","comment":"some comment","formats":` + formats +
			`,"` + member + `":[{"@id":"a","mime-type":"application/json","data":{"json":` + content + `}}]}`
	}
	const listed = `[{"attach_id":"a","format":"dif/presentation-exchange/definitions@v1.0"}]`
	for name, c := range map[string]struct {
		text string
		want []Input
		code string
	}{
		"RFC 0510":            {message("proposal~attach", listed, `{"input_descriptors":`+descriptors+`}`), asked, ""},
		"RFC 0454":            {message("proposals~attach", listed, `{"input_descriptors":`+descriptors+`}`), asked, ""},
		"a whole definition":  {message("proposals~attach", listed, `{"id":"x","name":"y","input_descriptors":`+descriptors+`}`), asked, ""},
		"in its member":       {message("proposals~attach", listed, `{"presentation_definition":{"input_descriptors":`+descriptors+`}}`), asked, ""},
		"another format":      {message("proposals~attach", strings.Replace(listed, "dif/presentation-exchange/definitions", "hlindy/proof-req", 1), `{"x":1}`), nil, ""},
		"nothing attached":    {`{"@type":"https://didcomm.org/present-proof/2.0/propose-presentation","@id":"f","formats":[{"format":"dif/presentation-exchange/definitions@v1.0"}]}`, nil, ""},
		"nothing at all":      {`{"@type":"https://didcomm.org/present-proof/2.0/propose-presentation","@id":"f"}`, nil, ""},
		"not attached":        {message("proposals~attach", `[{"attach_id":"b","format":"dif/presentation-exchange/definitions@v1.0"}]`, `{}`), nil, codeAbandoned},
		"twice":               {message("proposals~attach", `[{"attach_id":"a","format":"dif/presentation-exchange/definitions@v1.0"},{"attach_id":"a","format":"dif/presentation-exchange/definitions@v1.0"}]`, `{}`), nil, codeAbandoned},
		"no descriptors":      {message("proposals~attach", listed, `{}`), nil, codeAbandoned},
		"an unknown filter":   {message("proposals~attach", listed, `{"input_descriptors":`+strings.Replace(descriptors, `"]}]`, `"],"filter":{"minimum":1}}]`, 1)+`}`), nil, codeAbandoned},
		"not JSON":            {message("proposals~attach", listed, `[]`), nil, codeAbandoned},
		"formats of no shape": {message("proposals~attach", `{}`, `{}`), nil, codeAbandoned},
	} {
		w := newWorld(t)
		w.hears()
		m, err := didcomm.ParseMessage([]byte(c.text))
		require.NoError(t, err)
		err = w.verifierNode.Store.Deliver(t.Context(), w.verifier, "to-hazel", m)
		if c.code != "" {
			requireRefused(t, err, c.code)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.want, w.only(w.verifier.Exchanges).Inputs, name)
	}
}
