package trust

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
)

const (
	// maxSuccessions is one every three years for half a century.
	maxSuccessions = 16
	// maxLink is ten times what a succession with one proof has.
	maxLink = 16 << 10
)

// A Succession is the word of an authority that another DID takes its place. Keys may
// change within a DID by that DID's own method; this is for a DID that ends.
//
//	{"type": ["VerifiableCredential", "RegisterSuccessionCredential"], "issuer": From, "validFrom": Issued,
//	 "credentialSubject": {"id": To, "register": Register, "after": After}}
//
// It goes into [List.Succession] of every list from its making on. A registry that saw
// it takes lists with numbers above After from To alone, whether they repeat it or not.
// One that did not see it cannot know: a thief of the old key who also answers at the
// list's address can mislead a registry that is set up anew with the old DID.
//
// The key that signs it is one whose turn is not over at Issued, nor when the list was
// issued that the registry has of From, which would carry a succession made before it.
type Succession struct {
	Register string  // the ID of the list
	From, To did.DID // the authority that signs, and the one that follows
	After    uint64  // the number of the last list that From issues
	Issued   time.Time
}

// Credential returns the succession as an unsecured credential, which the authority
// From secures. The error matches [ErrList].
func (s *Succession) Credential() (*vc.Credential, error) {
	draft := *s
	draft.Issued = cut(s.Issued)
	if err := draft.check(); err != nil {
		return nil, err
	}
	return credential(SuccessionType, "", draft.From, draft.Issued, time.Time{}, strictjson.NewObject(
		strictjson.Member{Name: "id", Value: draft.To.String()},
		strictjson.Member{Name: "register", Value: draft.Register},
		strictjson.Member{Name: "after", Value: number(draft.After)},
	))
}

// ReadSuccession returns the succession that a credential holds. Like [Read] it
// verifies nothing.
func ReadSuccession(c *vc.Credential) (*Succession, error) {
	subject, err := subjectOf(c)
	if err != nil {
		return nil, err
	}
	return readSuccession(c, subject)
}

// readSuccession reads a succession. Of c it looks at all but the subject.
func readSuccession(c *vc.Credential, subject *strictjson.Object) (*Succession, error) {
	err := checkKind(c, SuccessionType)
	if err != nil {
		return nil, err
	}
	m := members{from: subject}
	s := &Succession{Register: m.text("register"), After: m.number("after"), Issued: cut(c.ValidFrom)}
	to := m.text("id")
	if err := m.done(); err != nil {
		return nil, err
	}
	if s.To, err = did.Parse(to); err != nil {
		return nil, malformed("a DID as successor")
	}
	if s.From, err = did.Parse(c.Issuer.ID); err != nil {
		return nil, malformed("a DID as issuer")
	}
	return s, s.check()
}

func (s *Succession) check() error {
	switch {
	case s.From.IsZero() || s.To.IsZero() || s.From == s.To:
		return malformed("two different authorities")
	case !isURL(s.Register):
		return malformed("a URL that names the register")
	case s.After > maxSequence:
		return malformed("a sequence number up to 2^53-1")
	case s.Issued.IsZero():
		return malformed("when the succession was signed")
	}
	return nil
}

// mediaTypes are those in which lists and successions are read.
func mediaTypes() []string {
	return []string{vc.MediaTypeCredential, jose.MediaTypeCredential, cose.MediaTypeCredential}
}

// checkLink sees that a secured succession can be carried in a list.
func checkLink(s vc.Secured) error {
	if !slices.Contains(mediaTypes(), s.MediaType) || len(s.Bytes) == 0 || len(s.Bytes) > maxLink {
		return malformed("a succession as a secured credential of at most 16 KiB")
	}
	return nil
}

const base64Mark = ";base64,"

// dataURL writes a secured credential as a data: URL (RFC 2397).
func dataURL(s vc.Secured) string {
	return "data:" + s.MediaType + base64Mark + base64.StdEncoding.EncodeToString(s.Bytes)
}

// parseDataURL reads what dataURL writes.
func parseDataURL(text string) (vc.Secured, error) {
	rest, ok := strings.CutPrefix(text, "data:")
	mediaType, data, marked := strings.Cut(rest, base64Mark)
	if !ok || !marked || len(data) > base64.StdEncoding.EncodedLen(maxLink) || strings.ContainsAny(data, "\r\n") {
		return vc.Secured{}, malformed("a data: URL of a succession")
	}
	b, err := base64.StdEncoding.Strict().DecodeString(data)
	if err != nil {
		return vc.Secured{}, malformed("a data: URL of a succession")
	}
	s := vc.Secured{MediaType: mediaType, Bytes: b}
	return s, checkLink(s)
}
