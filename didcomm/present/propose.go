package present

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/staffpassport/staffpassport/didcomm"
)

// A Proposal is what a prover offers to show (RFC 0454, "Propose Presentation"). It
// says of which kind, and holds no claim.
type Proposal struct {
	Comment string  // to the verifier
	Inputs  []Input // what could be asked for; none means that the verifier should say
}

// Propose begins an exchange on an established connection with a proposal, and returns
// its id. What the verifier then requests waits as every request does: a proposal is
// no consent.
func (v *Prover) Propose(ctx context.Context, connection string, r Proposal) (string, error) {
	p := v.party()
	thread := p.NewID()
	var id string
	err := v.Store.Update(ctx, func(tx didcomm.Tx) error {
		x, err := p.begin(tx, connection, thread)
		if err != nil {
			return err
		}
		id = x.ID
		return v.propose(tx, p, x, r)
	})
	return id, err
}

// Counter answers a request with a proposal for another one, which takes its place.
func (v *Prover) Counter(ctx context.Context, id string, r Proposal) error {
	p := v.party()
	return p.Change(ctx, id, func(tx didcomm.Tx, x *record) error { return v.propose(tx, p, x, r) })
}

func (v *Prover) propose(tx didcomm.Tx, p party, x *record, r Proposal) error {
	e := Event{propose, true}
	if _, err := Next(p.role, x.State, e); err != nil {
		return err
	}
	r.Inputs = numbered(r.Inputs)
	body := proposalBody{Comment: r.Comment}
	var list []didcomm.Attachment
	if len(r.Inputs) > 0 {
		if err := checkRequest(Request{Inputs: r.Inputs}); err != nil {
			return err
		}
		if slices.ContainsFunc(r.Inputs, func(in Input) bool {
			return slices.ContainsFunc(in.Fields, func(f Field) bool { return len(f.OneOf) > 0 })
		}) {
			return fmt.Errorf("%w: a proposal says no values", ErrConsent)
		}
		descriptors, err := newDescriptors(r.Inputs)
		if err != nil {
			return err
		}
		a, err := didcomm.NewJSONAttachment(p.NewID(), proposalContent{Inputs: descriptors})
		if err != nil {
			return err
		}
		a.FormatID = string(Definitions)
		list = append(list, a)
	} else if c, err := tx.Connection(x.Connection); err != nil {
		return err
	} else if c.Version.Or1() == didcomm.V1 { // RFC 0454 has a prover say what it knows
		body.Formats = []proposedFormat{{Format: string(Definitions)}, {Format: string(DCQL)}}
	}
	if err := p.send(tx, x, propose, body, memberProposals, list...); err != nil {
		return err
	}
	x.Inputs, x.Purpose, x.Challenge = r.Inputs, "", ""
	return p.step(tx, x, e, "ok")
}

// proposal handles a proposal at the verifier. One that does not hear of proposals
// makes its own requests, and a request that was made stands.
func (v *Verifier) proposal(ctx context.Context, tx didcomm.Tx, p party, x *record, m *didcomm.Message) error {
	if v.Proposed == nil && x.State == Start {
		return refuse(codeAbandoned, "This verifier makes its own requests.", nil)
	}
	if v.Proposed == nil {
		return refuse(codeOutOfOrder, "This verifier does not negotiate; its request stands.", nil)
	}
	comment, inputs, err := readProposal(m)
	if err != nil {
		code := codeAbandoned
		if x.State != Start {
			code = codeOutOfOrder
		}
		return refuse(code, "The proposal cannot be read, or is for something that this verifier does not support.", err)
	}
	x.Inputs, x.Purpose, x.Challenge, x.Expires = inputs, comment, "", m.Expires
	if err := p.step(tx, x, Event{Message: propose}, "ok"); err != nil {
		return err
	}
	return v.Proposed(ctx, tx, &x.Exchange)
}

// Answer answers a proposal with a request on its thread; to refuse it, there is
// [Verifier.Withdraw]. Inputs that r leaves out are those that were proposed.
func (v *Verifier) Answer(ctx context.Context, id string, r Request) error {
	p := v.party()
	return p.Change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if len(r.Inputs) == 0 {
			r.Inputs = x.Inputs
		}
		return v.request(ctx, tx, p, x, r)
	})
}

// numbered gives an id to every input that has none.
func numbered(inputs []Input) []Input {
	out := slices.Clone(inputs)
	for i := range out {
		if out[i].ID == "" {
			out[i].ID = "input-" + strconv.Itoa(i+1)
		}
	}
	return out
}
