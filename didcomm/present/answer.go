package present

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/vc"
)

// A Presenter proves a presentation for one audience and nonce. Those of packages
// dataintegrity and jose are.
type Presenter interface {
	Present(ctx context.Context, p *vc.Presentation, audience, nonce string) (vc.Secured, error)
}

// An Answer is what a person decided to show.
type Answer struct {
	// Key is the holder's: what is shown is bound to it, and its DID presents.
	Key did.Signer
	// Presenter proves the presentation with Key. Nil means that of
	// [disclose.Presenter].
	Presenter Presenter
	Shown     map[string]Shown // one for each input of the request, by its id
	// Attachments travel beside the presentation, such as the photo under its
	// own id, which a ticked claim must name.
	Attachments []didcomm.Attachment
}

// Shown is what a person decided to show for one input.
type Shown struct {
	// Credential is the one that the wallet holds, in a form that the input takes.
	// Of a form that can be shown in part, no more is sent than Reveal says.
	Credential vc.Secured
	// Reveal are the claims that the person ticked, as pointers into the
	// credential: each stands for all that is below it, and
	// "/credentialSubject" for everything. What is not below one is not sent.
	Reveal []vc.Pointer
}

// String tells how much is shown and nothing of it.
func (a Answer) String() string { return fmt.Sprintf("present.Answer of %d inputs", len(a.Shown)) }

// Format shows what String shows, under every verb.
func (a Answer) Format(f fmt.State, _ rune) { exchange.Print(f, a.String()) }

// LogValue is the same as String.
func (a Answer) LogValue() slog.Value { return slog.StringValue(a.String()) }

// String tells how much is shown and nothing of it.
func (s Shown) String() string { return fmt.Sprintf("present.Shown with %d ticks", len(s.Reveal)) }

// Format shows what String shows, under every verb.
func (s Shown) Format(f fmt.State, _ rune) { exchange.Print(f, s.String()) }

// LogValue is the same as String.
func (s Shown) LogValue() slog.Value { return slog.StringValue(s.String()) }
