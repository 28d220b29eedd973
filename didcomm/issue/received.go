package issue

import (
	"fmt"
	"log/slog"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// Received is what a holder got: one credential, in each form that was asked for.
type Received struct {
	Forms       []Form               // the first is that of application/vc, or the only one a token (see [Holder.Forms])
	Attachments []didcomm.Attachment // beside it, such as the photo; not verified
}

// A Form is one form of an issued credential.
type Form struct {
	Secured    vc.Secured
	Credential *verify.Credential // what was verified of it
}

// String shows nothing of the credential.
func (f Form) String() string { return "issue.Form" }

// Format shows what String shows, under every verb.
func (f Form) Format(s fmt.State, _ rune) { exchange.Print(s, f.String()) }

// LogValue is the same as String.
func (f Form) LogValue() slog.Value { return slog.StringValue(f.String()) }

// String shows nothing of the credential.
func (r Received) String() string {
	return fmt.Sprintf("issue.Received with %d attachments", len(r.Attachments))
}

// Format shows what String shows, under every verb.
func (r Received) Format(f fmt.State, _ rune) { exchange.Print(f, r.String()) }

// LogValue is the same as String.
func (r Received) LogValue() slog.Value { return slog.StringValue(r.String()) }
