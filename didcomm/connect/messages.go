package connect

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// The problem codes of RFC 0023, "Errors": for whatever a responder rejects, and
// for whatever a requester rejects.
const (
	codeRequest  = "request_not_accepted"
	codeResponse = "response_not_accepted"
)

// requestBody is request (RFC 0023, "Request Message Attributes").
type requestBody struct {
	Label    string              `json:"label"`
	GoalCode string              `json:"goal_code,omitempty"`
	Goal     string              `json:"goal,omitempty"`
	DID      string              `json:"did"`
	Document *didcomm.Attachment `json:"did_doc~attach,omitempty"`
}

// responseBody is response (RFC 0023, "Response Message Attributes").
type responseBody struct {
	DID      string              `json:"did"`
	Rotate   *didcomm.Attachment `json:"did_rotate~attach,omitempty"`
	Document *didcomm.Attachment `json:"did_doc~attach,omitempty"`
}

var (
	// ErrDID says that the peer's DID cannot be used, or does not belong to
	// whoever sent it.
	ErrDID = errors.New("connect: DID not accepted")
	// ErrInvitation says that an invitation is not known, or cannot be used any
	// more.
	ErrInvitation = errors.New("connect: invitation not valid")
)

// refuse rejects a message without changing anything.
func refuse(code, comment string, err error) error {
	return &didcomm.Problem{Code: code, Comment: comment, Err: err}
}

// resolve returns the DIDComm service of a peer's DID. Only methods that carry
// their own document are looked up: this runs inside a transaction.
func (p *Protocol) resolve(ctx context.Context, text string) (did.DID, didcomm.Service, error) {
	id, err := did.Parse(text)
	if err != nil {
		return did.DID{}, didcomm.Service{}, fmt.Errorf("%w: %w", ErrDID, err)
	}
	if m := id.Method(); m != "peer" && m != "key" {
		return did.DID{}, didcomm.Service{}, fmt.Errorf("%w: method", ErrDID)
	}
	res, err := p.Resolver.Resolve(ctx, id, did.Version{})
	if err != nil {
		return did.DID{}, didcomm.Service{}, fmt.Errorf("%w: %w", ErrDID, err)
	}
	s, err := didcomm.ServiceOf(res.Document)
	if err != nil {
		return did.DID{}, didcomm.Service{}, fmt.Errorf("%w: %w", ErrDID, err)
	}
	return id, s, nil
}

// unusable says for a person why the DID of a message cannot be used.
func unusable(message string, err error) string {
	if errors.Is(err, didcomm.ErrMediator) {
		return "The DID of the " + message + " is behind a mediator, through which this agent cannot send."
	}
	return "The DID of the " + message + " cannot be used."
}

// proves reports, as an error matching [ErrDID], whether a response shows that it
// comes from whoever made the invitation: the envelope was sent with a key of the
// invitation, or such a key signed the new DID. Every signature that is there must
// be good (RFC 0023, "Response Processing").
func (b *responseBody) proves(invitation []ed25519.PublicKey, sender ed25519.PublicKey) error {
	proven := contains(invitation, sender)
	if b.Rotate != nil {
		content, err := b.Rotate.Content()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDID, err)
		}
		if string(content) != b.DID {
			return fmt.Errorf("%w: did_rotate is for another DID", ErrDID)
		}
		if err := verifyAny(b.Rotate, invitation); err != nil {
			return err
		}
		proven = true
	}
	if b.Document != nil && len(b.Document.Data.JWS) > 0 {
		// The document itself is not needed: the DID carries its own.
		if err := verifyAny(b.Document, invitation); err != nil {
			return err
		}
	}
	if !proven {
		return fmt.Errorf("%w: not signed by the inviter", ErrDID)
	}
	return nil
}

// verifyAny verifies a signature by one of the keys.
func verifyAny(a *didcomm.Attachment, keys []ed25519.PublicKey) error {
	err := error(did.ErrSignature)
	for _, k := range keys {
		if err = a.VerifyKey(k); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: %w", ErrDID, err)
}
