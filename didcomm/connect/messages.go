package connect

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"

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

// proves reports, as an error matching [ErrDID], whether a response shows that it
// comes from whoever made the invitation: the envelope was sent with a key of the
// invitation, or such a key signed the new DID or its document. Every signature that is
// there must be good (RFC 0023, "Response Processing").
//
// In version 1.0 the signature may be missing beside a document, as it is in agents that
// are in use. Then the proof is that the sender knows the thread, a random id, and our
// key, both of which it can only have read in the request, and that was encrypted to the
// invitation's key. The minor version is that of the invitation: no response lowers it.
func (b *responseBody) proves(invitation []ed25519.PublicKey, sender ed25519.PublicKey, minor int) error {
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
	switch {
	case b.Document == nil:
	case signed(b.Document):
		if err := verifyAny(b.Document, invitation); err != nil {
			return err
		}
		// The document proves the DID if that is its hash. Any other carries its own.
		proven = proven || isGenesis(b.DID)
	case minor == 0:
		proven = true
	}
	if !proven {
		return fmt.Errorf("%w: not signed by the inviter", ErrDID)
	}
	return nil
}

func signed(a *didcomm.Attachment) bool { return len(a.Data.JWS) > 0 && string(a.Data.JWS) != "null" }

// isGenesis reports whether a DID is a did:peer:1, the hash of its document.
func isGenesis(id string) bool { return strings.HasPrefix(id, "did:peer:1") }
