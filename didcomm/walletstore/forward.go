package walletstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// forward is the message by which a mediator learns to whom an envelope goes: that of
// RFC 0094 in V1, that of DIDComm Messaging 2.1, "Routing Protocol 2.0", in V2.
func forward(major int) didcomm.Type {
	return didcomm.Type{Protocol: "routing", Major: major, Name: "forward"}
}

// packV1 packs between two keys, and wraps the envelope for each mediator, that of the
// peer first (RFC 0046; RFC 0094). Each forward names the key that the envelope in it
// is for, in base58, as mediators look it up.
func (p packer) packV1(ctx context.Context, plaintext []byte, r runtime.Route) ([]byte, error) {
	packed, err := p.envelopes.PackV1(ctx, plaintext, r.From, r.To)
	if err != nil || r.Direct {
		return packed, err
	}
	next := r.To
	for _, mediator := range r.Routing {
		m, err := didcomm.New(didcomm.NewID(), forward(1), "", "", struct {
			To      string          `json:"to"`
			Message json.RawMessage `json:"msg"`
		}{multiformat.Base58(next), packed})
		if err != nil {
			return nil, fmt.Errorf("walletstore: forward: %w", err)
		}
		if packed, err = p.wrap(m, func(text []byte) ([]byte, error) {
			return p.envelopes.PackAnonymousV1(ctx, text, mediator)
		}); err != nil {
			return nil, err
		}
		next = mediator
	}
	return packed, nil
}

// packV2 packs between two DIDs, and wraps the envelope for each mediator that the
// peer's service names, from the last to the first (DIDComm Messaging 2.1, "Sender
// Process to Enable Forwarding").
func (p packer) packV2(ctx context.Context, plaintext []byte, r runtime.Route) ([]byte, error) {
	packed, err := p.envelopes.PackV2(ctx, plaintext, envelope.Options{From: r.Mine, To: r.Theirs})
	if err != nil || r.Direct {
		return packed, err
	}
	s, err := p.services.of(ctx, r.Theirs)
	if errors.Is(err, didcomm.ErrNotFound) {
		return packed, nil // nowhere to be called: whoever sends it knows where
	}
	if err != nil { // a mediator that gets the envelope unwrapped would lose it
		return nil, lookup(err)
	}
	next := r.Theirs.String()
	for i := len(s.Routing) - 1; i >= 0; i-- {
		to, err := did.ParseURL(s.Routing[i])
		if err != nil {
			return nil, lookup(err)
		}
		m, err := didcomm.NewV2(didcomm.NewID(), forward(2), "", "", map[string]string{"next": next},
			didcomm.Attachment{MediaType: "application/didcomm-encrypted+json", Data: didcomm.AttachmentData{JSON: packed}})
		if err != nil {
			return nil, fmt.Errorf("walletstore: forward: %w", err)
		}
		o := envelope.Options{To: to.DID}
		if to.Fragment != "" {
			o = envelope.Options{ToKey: to}
		}
		m.To = []did.DID{to.DID}
		if packed, err = p.wrap(m, func(text []byte) ([]byte, error) { return p.envelopes.PackV2(ctx, text, o) }); err != nil {
			return nil, err
		}
		next = s.Routing[i]
	}
	return packed, nil
}

// wrap packs a forward message.
func (p packer) wrap(m *didcomm.Message, pack func([]byte) ([]byte, error)) ([]byte, error) {
	text, err := m.Plaintext()
	if err != nil {
		return nil, fmt.Errorf("walletstore: forward: %w", err)
	}
	packed, err := pack(text)
	if err == nil && len(packed) > didcomm.MaxEnvelope {
		err = fmt.Errorf("walletstore: forward is larger than %d bytes: %w", didcomm.MaxEnvelope, didcomm.ErrPermanent)
	}
	return packed, err
}
