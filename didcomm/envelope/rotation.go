package envelope

import (
	"context"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm/internal/prior"
)

// SignPrior returns the JWT for the header from_prior of messages of version 2 ("DID
// Rotation"): the owner of s, a key that the prior DID's document has for authentication,
// goes by the DID next from the time given. The zero DID ends the relationship. It is
// made once, and every message to the peer has it until one comes that was sent to next.
func SignPrior(ctx context.Context, s did.Signer, next did.DID, at time.Time) (string, error) {
	return prior.Sign(ctx, s, next, at)
}
