package issue

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// The kinds of record that this package keeps.
const (
	kindExchange    = "issue"
	kindAttachments = "issue/attachments" // by exchange: photos would make lists slow
)

// An Exchange is one run of the protocol, as one party sees it.
type Exchange struct {
	ID         string    `json:"id"` // local; safe in a URL
	Role       Role      `json:"role"`
	State      State     `json:"state"`
	Connection string    `json:"connection"` // didcomm.Connection.ID
	Thread     string    `json:"thread"`
	Created    time.Time `json:"created"`
	Since      time.Time `json:"since"` // when State was entered

	Comment string          `json:"comment,omitempty"` // of the peer, to the person; of an exchange begun here, what it was told
	Preview []Attribute     `json:"preview,omitempty"` // of the last offer or proposal; see [Attribute]; until the exchange ends
	Offered json.RawMessage `json:"offered,omitempty"` // the credential on offer, without a proof; until the exchange ends
	Expires time.Time       `json:"expires,omitzero"`  // of the offer; zero means never

	// Proposed is the credential that the holder proposed, or asked for without an
	// offer, without a proof, until the exchange ends; nil if it named none.
	Proposed json.RawMessage `json:"proposed,omitempty"`
	// FormatID is the format in which the credential is offered or asked for:
	// [FormatDataIntegrity], for which empty stands too, or [FormatLinkedData]. Of an
	// offer in both it is the first, until the request chooses.
	FormatID string `json:"format,omitempty"`
	// Options are what [FormatLinkedData] says of the proof to make.
	Options Options `json:"options,omitzero"`

	// Holder is the DID that the credential is bound to: for an issuer from the state
	// credential-issued on; for a holder its own. In [FormatDataIntegrity] it proved
	// its key, which Proven tells; in [FormatLinkedData] whoever shows the credential
	// will have to.
	Holder did.DID `json:"holder,omitzero"`
	Proven bool    `json:"proven,omitempty"`
	// Forms are the media types in which the credential is offered and, from the
	// request on, asked for.
	Forms []string `json:"forms,omitempty"`
	// Secured is the credential as it was signed, in each of Forms: for an issuer
	// in the state credential-issued, for a holder in credential-received. Neither
	// it nor Offered outlives the exchange: a holder keeps it in Keep, and an
	// issuer that wants a copy in Issue.
	Secured []vc.Secured `json:"secured,omitempty"`
	// Checks are those of the holder on the issued credential.
	Checks []verify.Result `json:"checks,omitempty"`

	// Code and Reason say why the exchange is abandoned or, in another state,
	// what keeps it waiting. A Reason ByPeer is the peer's own text, and Code then the
	// peer's too: the two sides of an exchange that ended differ in it, and those of V2
	// may begin with "e.p.". To decide anything, look at State.
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
	ByPeer bool   `json:"byPeer,omitempty"`
}

// Credential returns the credential on offer as a document, with Holder, if there
// is one, as the id of its subject. It has no proof. An exchange that has ended, or in
// which nothing was offered yet, has none: the error matches [ErrState].
func (x Exchange) Credential() (*vc.Credential, error) {
	if len(x.Offered) == 0 {
		return nil, fmt.Errorf("%w: no credential is on offer, or the exchange has ended", ErrState)
	}
	return bound(x.Offered, x.Holder)
}

// String tells the exchange without its content.
func (x Exchange) String() string {
	return fmt.Sprintf("issue-credential %s, %s in %q", x.Thread, x.Role, string(x.State))
}

// Format shows what String shows, under every verb.
func (x Exchange) Format(f fmt.State, _ rune) { exchange.Print(f, x.String()) }

// LogValue is the same as String.
func (x Exchange) LogValue() slog.Value { return slog.StringValue(x.String()) }

// record is what is kept of an exchange: the rest is of no use to a page.
type record struct {
	Exchange
	Binding *signedMethod       `json:"binding,omitempty"`
	Bound   bool                `json:"bound,omitempty"` // a binding is required
	Proof   *didcomm.Attachment `json:"proof,omitempty"` // the signed attachment of the request

	Formats []string        `json:"formats,omitempty"` // of an offer of ours; empty: FormatID alone
	Raw     json.RawMessage `json:"raw,omitempty"`     // the options as the issuer wrote them
}

// format returns the format of an exchange, whose records of before know only one.
func (x *record) format() string {
	if x.FormatID == "" {
		return FormatDataIntegrity
	}
	return x.FormatID
}

// offeredIn reports whether the offer was made in a format.
func (x *record) offeredIn(format string) bool {
	return x.format() == format || slices.Contains(x.Formats, format)
}

// clear forgets the offer, or the proposal, that another one replaces.
func (x *record) clear() {
	x.Comment, x.Preview, x.Offered, x.Expires, x.Options, x.Forms = "", nil, nil, time.Time{}, Options{}, nil
	x.Binding, x.Bound, x.Formats, x.Raw, x.FormatID = nil, false, nil, nil, ""
}

// exchangeID makes a connection, a thread and a role one identifier: a thread is
// looked up only together with the connection its message came on.
func exchangeID(connection, thread string, r Role) string {
	return exchange.ID(connection, thread, string(r))
}
