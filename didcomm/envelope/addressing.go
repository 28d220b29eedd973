package envelope

import (
	"context"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/prior"
)

// An address is what the headers of a plaintext say of who wrote it to whom.
type address struct {
	from  did.DID   // zero if it does not say
	to    []did.DID // those that are DIDs
	hasTo bool
	prior string // from_prior
}

// parseAddress reads the headers. It reports nothing but whether the form is right.
func parseAddress(message layer) (a address, ok bool) {
	if _, isMessage := message.Text("type"); !isMessage || !hasMediaType(message.Object, "typ", mediaPlain) {
		return address{}, false
	}
	if v, present := message.Get("from"); present {
		if a.from, ok = partyDID(v); !ok {
			return address{}, false
		}
	}
	if v, present := message.Get("to"); present {
		list, ok := v.([]any)
		if !ok {
			return address{}, false
		}
		a.hasTo = true
		for _, v := range list {
			id, ok := partyDID(v)
			if !ok {
				return address{}, false
			}
			a.to = append(a.to, id)
		}
	}
	if v, present := message.Get("from_prior"); present {
		if a.prior, ok = v.(string); !ok || a.prior == "" {
			return address{}, false
		}
	}
	return a, true
}

// partyDID reads a DID, or a DID URL without a fragment, of which the DID counts
// ("Message Headers", to and from).
func partyDID(v any) (did.DID, bool) {
	s, _ := v.(string)
	u, err := did.ParseURL(s)
	return u.DID, err == nil && u.Fragment == ""
}

// names returns the form in which the plaintext is addressed to id.
func (a address) names(id did.DID) (did.DID, bool) {
	for _, to := range a.to {
		if sameDID(to, id) {
			return to, true
		}
	}
	return did.DID{}, false
}

// consistent holds the plaintext against what its layers proved ("Message Layer
// Addressing Consistency") and completes r. A from that no layer proved is not believed;
// one that contradicts a layer is refused.
func (p *Packer) consistent(ctx context.Context, message layer, r *Received, sender did.URL) error {
	a, ok := parseAddress(message)
	if !ok {
		return ErrEnvelope
	}
	for _, proven := range []did.URL{sender, r.Signer} {
		if proven.IsZero() {
			continue
		}
		if !sameDID(a.from, proven.DID) {
			return ErrEnvelope
		}
		r.Authenticated = true
		r.From = longer(r.From, proven.DID)
	}
	r.From = p.longForm(ctx, r.From, a.from)
	if r.Encrypted {
		named, ok := a.names(r.To)
		// A message with a sender must say itself whom it is for. An anonymous one may
		// leave that out, as "to" is optional ("Message Headers"), and peers' forwards do:
		// whoever passes it on could as well have written it.
		if !ok && (a.hasTo || r.Authenticated) {
			return ErrEnvelope
		}
		r.To = p.longForm(ctx, r.To, named)
	}
	return p.rotation(ctx, a, r)
}

// longForm returns the form of a proven DID that holds its document, if the plaintext
// says it. Behind the right hash anybody can write a wrong one, which does not resolve.
func (p *Packer) longForm(ctx context.Context, proven, said did.DID) did.DID {
	if proven.IsZero() || longer(proven, said) == proven {
		return proven
	}
	if _, err := p.document(ctx, said); err != nil {
		return proven
	}
	return said
}

// rotation verifies from_prior ("DID Rotation"). It is of no use in a message that is not
// encrypted or whose sender is not proven, but for one that ends a relationship. With a
// sender, a failure is that of the header alone.
func (p *Packer) rotation(ctx context.Context, a address, r *Received) error {
	if a.prior == "" || !r.Encrypted || !r.Authenticated && !a.from.IsZero() {
		return nil
	}
	jwt, err := p.parsePrior(ctx, a.prior, r)
	switch {
	case err == nil:
		r.Prior, r.Rotated = jwt.Prior, jwt.Issued
	case r.Authenticated:
		r.PriorErr = err
	default:
		return err
	}
	return nil
}

func (p *Packer) parsePrior(ctx context.Context, token string, r *Received) (*prior.JWT, error) {
	jwt, err := prior.Parse(token)
	if err != nil {
		return nil, ErrEnvelope
	}
	if jwt.Next.IsZero() == r.Authenticated || r.Authenticated && (!sameDID(jwt.Next, r.From) || sameDID(jwt.Prior, r.From)) {
		return nil, ErrEnvelope
	}
	doc, err := p.peerDocument(ctx, jwt.Prior)
	if err != nil {
		return nil, err
	}
	if jwt.Verify(doc, r.To, p.now()) != nil {
		return nil, ErrEnvelope
	}
	return jwt, nil
}

// checkAddress refuses to pack what [Packer.consistent] would refuse to take.
func checkAddress(plaintext []byte, from, to did.DID) error {
	message, ok := parseInner(plaintext)
	if !ok || kindOf(message) != other {
		return fmt.Errorf("%w: envelope: the plaintext is no message", didcomm.ErrPermanent)
	}
	a, ok := parseAddress(message)
	if !ok {
		return fmt.Errorf("%w: envelope: the plaintext is no message", didcomm.ErrPermanent)
	}
	if !from.IsZero() && !sameDID(a.from, from) {
		return fmt.Errorf("%w: envelope: the message is from another DID", didcomm.ErrPermanent)
	}
	if _, named := a.names(to); !to.IsZero() && !named && (a.hasTo || !from.IsZero()) {
		return fmt.Errorf("%w: envelope: the message is to another DID", didcomm.ErrPermanent)
	}
	return nil
}
