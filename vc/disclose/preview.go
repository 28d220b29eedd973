package disclose

import (
	"fmt"
	"log/slog"

	"github.com/staffpassport/staffpassport/vc"
)

// A Disclosure is what a verifier would learn from one credential.
type Disclosure struct {
	// Named are the claims that the request names, Always those that the issuer
	// lets nobody withhold. They point at single values in the credential as the
	// holder has it, in document order, and no pointer is in both.
	Named, Always []vc.Pointer
	// Document is the credential with these claims and no others, for a page that
	// asks the person. It is not verified.
	Document *vc.Credential
}

// String tells only how many claims there are.
func (d Disclosure) String() string {
	return fmt.Sprintf("disclose.Disclosure{%d claims named, %d always}", len(d.Named), len(d.Always))
}

// GoString is the same as String.
func (d Disclosure) GoString() string { return d.String() }

// LogValue is the same as String.
func (d Disclosure) LogValue() slog.Value { return slog.StringValue(d.String()) }

// Preview says what [Derive] would show of each credential, and refuses what Derive
// would refuse: also a vocabulary that the request's Contexts do not have, and a token
// that its issuer bound to no key. It signs nothing and needs neither a holder's key
// nor a session.
func Preview(r Request, creds ...vc.Secured) ([]Disclosure, error) {
	plans, err := r.plans(creds)
	if err != nil {
		return nil, err
	}
	out := make([]Disclosure, len(plans))
	for i, p := range plans {
		out[i] = Disclosure{Document: p.shown}
		for _, l := range p.leaves {
			switch {
			case l.always:
				out[i].Always = append(out[i].Always, l.at)
			case l.named:
				out[i].Named = append(out[i].Named, l.at)
			}
		}
	}
	return out, nil
}
