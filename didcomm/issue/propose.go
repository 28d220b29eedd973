package issue

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/vc"
)

// A Proposal is what a holder would like to have (RFC 0453, "Propose Credential").
// Everything in it may be empty, but for [Holder.Request].
type Proposal struct {
	// Credential is the credential wanted, without a proof, as RFC 0593 has it: with
	// everything that its data model requires. The id of its subject is the DID that it
	// is to be bound to; some agents can say that in a proposal only.
	Credential *vc.Credential
	Options    Options     // of its proof; what is empty is filled in, as for an [Offer]
	Preview    []Attribute // instead of a credential, or beside it
	Comment    string      // to the issuer

	// Started is as for an [Offer]. It may be nil.
	Started func(ctx context.Context, tx didcomm.Tx, x *Exchange) error
}

// String shows nothing of the proposal.
func (o Proposal) String() string { return "issue.Proposal" }

// Format shows what String shows, under every verb.
func (o Proposal) Format(f fmt.State, _ rune) { exchange.Print(f, o.String()) }

// LogValue is the same as String.
func (o Proposal) LogValue() slog.Value { return slog.StringValue(o.String()) }

// prepare checks a proposal and returns what it says. The terms are nil if it names no
// credential.
func (o *Proposal) prepare(p party) (*terms, error) {
	if err := checkPreview(o.Preview); err != nil {
		return nil, err
	}
	if o.Credential == nil {
		return nil, nil
	}
	doc, tree, err := marshal(o.Credential, p.Now())
	if err != nil {
		return nil, err
	}
	if err := checkDetail(doc); err != nil {
		return nil, err
	}
	doc, status, err := withoutStatus(doc)
	if err != nil {
		return nil, err
	}
	t := &terms{formats: []string{FormatLinkedData}, forms: []string{vc.MediaTypeCredential}, offered: doc, options: optionsFor(o.Options, tree)}
	if t.options.Status.Type == "" {
		t.options.Status.Type = status
	}
	if t.raw, err = json.Marshal(t.options); err != nil {
		return nil, err
	}
	_, err = readOptions(t.raw)
	return t, err
}

// content returns what the message says.
func (o *Proposal) content(p party, t *terms) (content, error) {
	c := content{Comment: o.Comment, Preview: o.Preview}
	if t == nil {
		return c, nil
	}
	a, err := newDetail(p.NewID(), t.offered, t.raw)
	c.Formatted = []didcomm.Attachment{a}
	return c, err
}

// Propose proposes a credential on an established connection, which the issuer may
// answer with an offer, and returns the id of the new exchange.
func (h *Holder) Propose(ctx context.Context, connection string, o Proposal) (string, error) {
	p := h.party()
	t, c, err := o.message(p)
	if err != nil {
		return "", err
	}
	return p.begin(ctx, connection, func(tx didcomm.Tx, x *record) error { return p.propose(ctx, tx, x, &o, t, c) })
}

// Counter answers the offer of an exchange with a proposal, which takes its place.
func (h *Holder) Counter(ctx context.Context, id string, o Proposal) error {
	p := h.party()
	t, c, err := o.message(p)
	if err != nil {
		return err
	}
	return p.Change(ctx, id, func(tx didcomm.Tx, x *record) error { return p.propose(ctx, tx, x, &o, t, c) })
}

func (o *Proposal) message(p party) (*terms, content, error) {
	t, err := o.prepare(p)
	if err != nil {
		return nil, content{}, err
	}
	c, err := o.content(p, t)
	return t, c, err
}

// propose sends a proposal in the exchange x.
func (p party) propose(ctx context.Context, tx didcomm.Tx, x *record, o *Proposal, t *terms, c content) error {
	e := Event{propose, true}
	if _, err := Next(p.role, x.State, e); err != nil {
		return err
	}
	if err := tx.Delete(kindAttachments, x.ID); err != nil {
		return err
	}
	x.clear()
	x.Comment, x.Preview, x.Proposed = o.Comment, o.Preview, nil
	if t != nil {
		x.Proposed, x.Options, x.FormatID = t.offered, t.options, FormatLinkedData
	}
	if err := p.send(tx, x, propose, c); err != nil {
		return err
	}
	if err := p.step(tx, x, e, "ok"); err != nil || o.Started == nil {
		return err
	}
	return o.Started(ctx, tx, &x.Exchange)
}

// Request asks for a credential without an offer (RFC 0453: "the Holder can begin with
// a request"), in [FormatLinkedData], and returns the id of the new exchange. The
// credential will be about key's DID, which its subject may name already. The issuer can
// only issue exactly this, or refuse.
func (h *Holder) Request(ctx context.Context, connection string, o Proposal, key did.Signer) (string, error) {
	p := h.party()
	t, err := o.prepare(p)
	if err != nil {
		return "", err
	}
	if t == nil || key == nil {
		return "", fmt.Errorf("%w: a request needs a credential and a key", ErrMalformed)
	}
	holder := key.VerificationMethod().DID
	if subject, single := subjectID(t.offered); !single || subject != "" && subject != holder.String() {
		return "", fmt.Errorf("%w: the credential is about another DID", ErrBinding)
	}
	if t.offered, err = withSubject(t.offered, holder); err != nil {
		return "", err
	}
	c, err := o.content(p, t)
	if err != nil {
		return "", err
	}
	return p.begin(ctx, connection, func(tx didcomm.Tx, x *record) error {
		t.set(x)
		x.Comment, x.Preview, x.Proposed, x.Holder = o.Comment, o.Preview, t.offered, holder
		if err := p.send(tx, x, request, c); err != nil {
			return err
		}
		if err := p.step(tx, x, Event{request, true}, "ok"); err != nil || o.Started == nil {
			return err
		}
		return o.Started(ctx, tx, &x.Exchange)
	})
}

// proposed records a proposal, or a request without an offer, and tells the issuer.
func (i *Issuer) proposed(ctx context.Context, tx didcomm.Tx, p party, x *record, m *didcomm.Message) error {
	if i.Proposed == nil {
		return decline(x, m)
	}
	if expired(m.Expires, p.Now()) {
		return refuse(codeAbandoned, "This message has expired.", nil)
	}
	c, err := readContent(m)
	var d *detail
	var o Options
	// A proposal may do with words; a request says what is to be signed.
	if err == nil && (c.has(formatDetail) || m.Type.Name == request) {
		d, o, err = c.readDetail()
	}
	if err != nil {
		return refuse(codeAbandoned, "What is asked for cannot be read; this issuer reads "+formatDetail+".", err)
	}
	if err := tx.Delete(kindAttachments, x.ID); err != nil {
		return err
	}
	x.clear()
	x.Comment, x.Preview, x.Proposed = c.Comment, c.Preview, nil
	if d != nil {
		x.Proposed, x.Options, x.FormatID = d.Credential, o, FormatLinkedData
	}
	if m.Type.Name == request {
		holder, single := subjectID(d.Credential)
		if x.Holder, err = did.Parse(holder); err != nil || !single {
			return refuse(codeAbandoned, "The credential names no holder by a DID.", err)
		}
	}
	if err := p.step(tx, x, Event{Message: m.Type.Name}, "ok"); err != nil {
		return err
	}
	return i.Proposed(ctx, tx, &x.Exchange)
}

// decline answers a proposal, or a request without an offer, where nobody decides on
// them; an offer that was made stands.
func decline(x *record, m *didcomm.Message) error {
	switch {
	case m.Type.Name == request:
		return refuse(codeAbandoned, "There is no offer in this thread.", nil)
	case x.State == Start:
		return refuse(codeAbandoned, "This issuer makes its own offers.", nil)
	}
	return refuse(codeOutOfOrder, "This issuer does not negotiate; its offer stands.", nil)
}

// Answer answers the proposal of an exchange with an offer.
func (i *Issuer) Answer(ctx context.Context, id string, o Offer) error {
	p := i.party()
	t, c, err := o.message(p)
	if err != nil {
		return err
	}
	return p.Change(ctx, id, func(tx didcomm.Tx, x *record) error { return i.offer(ctx, tx, p, x, &o, t, c) })
}

// Grant has the credential issued that a holder requested without an offer. Of o,
// Credential may be nil; if it is not, it says what was asked for, as it would in an
// offer. Forms and Attachments are as in an offer, and nothing else is used.
func (i *Issuer) Grant(ctx context.Context, id string, o Offer) error {
	p := i.party()
	forms := o.Forms
	if len(forms) == 0 {
		forms = []string{vc.MediaTypeCredential}
	}
	if err := checkForms([]string{FormatLinkedData}, forms); err != nil {
		return err
	}
	return p.Change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if x.State != RequestReceived || len(x.Offered) > 0 {
			return fmt.Errorf("%w: no request is waiting", ErrState)
		}
		x.Offered, x.Forms = x.Proposed, forms
		if o.Credential != nil {
			if err := sameLinked(x.Proposed, o.Credential, x.Holder, x.Options); err != nil {
				return err
			}
			doc, _, err := marshal(o.Credential, p.Now())
			if err != nil {
				return err
			}
			x.Offered = doc
		}
		if err := addAttachments(tx, x.ID, o.Attachments); err != nil {
			return err
		}
		if err := tx.Save(kindExchange, x.ID, x); err != nil {
			return err
		}
		if err := tx.Audit(didcomm.Event{Action: protocolName + "/granted", Outcome: "ok", Connection: x.Connection, Thread: x.Thread}); err != nil {
			return err
		}
		return tx.Defer(TaskIssue, x.ID)
	})
}
