package trust

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// Limits of one list.
const (
	// MaxOrganisations keeps a list below the 1 MiB of any credential, at 400 bytes
	// an entry, and is several times the trusts of England, which are some 210 [G]. The
	// suites that sign RDF take 4,096 statements, which is about 400 entries.
	MaxOrganisations = 2000
	// maxLife is how long after its beginning an edition may end: a year, and the month
	// by which the next one may be late. What is signed with a key whose turn is over can
	// only say that it was issued before, and so counts no longer than this after it.
	maxLife = 400 * 24 * time.Hour
	// maxRegister bounds the URL that names the register.
	maxRegister = 1000
	// maxSequence is the largest integer that every JSON reader holds exactly.
	maxSequence = 1<<53 - 1
)

// A List is one edition of the list of registered organisations: a draft to sign, or
// what was read. It says nothing about who signed it; the one that a [Registry]
// returns was verified.
//
//	{"@context": [...], "id": ID, "type": ["VerifiableCredential", "RegisteredOrganisationsCredential"],
//	 "issuer": Authority, "validFrom": Issued, "validUntil": ValidUntil,
//	 "credentialSubject": {"sequence": Sequence, "organisation": [...], "succession": [...]}}
type List struct {
	// ID names the register, by a URL such as the one where the list is found. It is
	// the same in all editions.
	ID string
	// Authority issues the list.
	Authority did.DID
	// Sequence counts the editions, from 1. An authority signs one edition once, keeps
	// the bytes, and takes a new number for whatever it signs next: two different
	// lists with one number are refused.
	Sequence uint64
	// Issued and ValidUntil are when the edition was made and when it ends, cut to the
	// second. Both are required, and at most 400 days apart: a list is signed anew before
	// it ends, even if nothing changed. The key that signs it is one whose turn is not
	// over at Issued, whatever the proof says about when it was made.
	Issued, ValidUntil time.Time
	// Organisations are the entries, at most [MaxOrganisations], in any order; a list
	// may be empty.
	Organisations []Organisation
	// Succession are the secured credentials of [Succession] by which the authority
	// changed, at most 16 in any order. They stay in every later list, so that whoever
	// knew an early authority finds the present one.
	Succession []vc.Secured
}

// Credential returns the list as an unsecured credential. The error matches [ErrList],
// and is a [*schema.ValidationError] too where the fields of an entry are wrong.
func (l *List) Credential() (*vc.Credential, error) {
	draft := l.normal()
	if err := draft.check(); err != nil {
		return nil, err
	}
	subject := strictjson.NewObject(strictjson.Member{Name: "sequence", Value: number(draft.Sequence)})
	if len(draft.Organisations) > 0 {
		entries := make([]any, len(draft.Organisations))
		for i := range draft.Organisations {
			entries[i] = draft.Organisations[i].object()
		}
		subject.Set("organisation", entries)
	}
	if len(draft.Succession) > 0 {
		links := make([]any, len(draft.Succession))
		for i, s := range draft.Succession {
			links[i] = dataURL(s)
		}
		subject.Set("succession", links)
	}
	return credential(Type, draft.ID, draft.Authority, draft.Issued, draft.ValidUntil, subject)
}

// Read returns the list that a credential holds. It checks the shape and verifies
// nothing: use it to show a list, and a [Registry] to rely on one. The error matches
// [ErrList].
func Read(c *vc.Credential) (*List, error) {
	subject, err := subjectOf(c)
	if err != nil {
		return nil, err
	}
	return readList(c, subject, true)
}

// readList reads a list, with its entries or without. Of c it looks at all but the
// subject.
func readList(c *vc.Credential, subject *strictjson.Object, whole bool) (*List, error) {
	if err := checkKind(c, Type); err != nil {
		return nil, err
	}
	m := members{from: subject}
	l := &List{ID: c.ID, Issued: cut(c.ValidFrom), ValidUntil: cut(c.ValidUntil), Sequence: m.number("sequence")}
	var err error
	if l.Authority, err = did.Parse(c.Issuer.ID); err != nil {
		return nil, malformed("a DID as issuer")
	}
	entries := m.list("organisation", false)
	if len(entries) > MaxOrganisations {
		return nil, malformed(fmt.Sprintf("at most %d organisations", MaxOrganisations))
	}
	for _, s := range m.texts("succession", false) {
		link, err := parseDataURL(s)
		if err != nil {
			return nil, err
		}
		l.Succession = append(l.Succession, link)
	}
	if err := m.done(); err != nil {
		return nil, err
	}
	for i := 0; whole && i < len(entries); i++ {
		o, err := readOrganisation(entries[i])
		if err != nil {
			return nil, err
		}
		l.Organisations = append(l.Organisations, o)
	}
	return l, l.check()
}

// Organisation returns the entry with a DID, and whether there is one.
func (l *List) Organisation(id did.DID) (Organisation, bool) {
	for i := range l.Organisations {
		if slices.Contains(l.Organisations[i].DIDs, id) {
			return l.Organisations[i].clone(), true
		}
	}
	return Organisation{}, false
}

// Clone returns a copy that can be changed without changing l, such as the draft of
// the next edition.
func (l *List) Clone() *List {
	c := *l
	c.Organisations = make([]Organisation, len(l.Organisations))
	for i, o := range l.Organisations {
		c.Organisations[i] = o.clone()
	}
	c.Succession = slices.Clone(l.Succession)
	return &c
}

// normal returns the list as it is written and read back.
func (l *List) normal() *List {
	n := l.Clone()
	n.Issued, n.ValidUntil = cut(l.Issued), cut(l.ValidUntil)
	for i, o := range n.Organisations {
		n.Organisations[i] = o.normal()
	}
	return n
}

// check holds a list to its rules.
func (l *List) check() error {
	switch {
	case !isURL(l.ID):
		return malformed("a URL that names the register")
	case l.Authority.IsZero():
		return malformed("an authority")
	case l.Sequence == 0 || l.Sequence > maxSequence:
		return malformed("a sequence number from 1 to 2^53-1")
	case l.Issued.IsZero() || !l.ValidUntil.After(l.Issued):
		return malformed("a beginning, and an end after it")
	case l.ValidUntil.Sub(l.Issued) > maxLife:
		return malformed("an end at most 400 days after the beginning")
	case len(l.Organisations) > MaxOrganisations:
		return malformed(fmt.Sprintf("at most %d organisations", MaxOrganisations))
	case len(l.Succession) > maxSuccessions:
		return malformed("at most 16 successions")
	}
	codes, owners := map[string]bool{}, map[string]int{}
	for i := range l.Organisations {
		o := &l.Organisations[i]
		if err := o.Validate(); err != nil {
			return fmt.Errorf("%w: organisation %d: %w", ErrList, i, errtext.Below(err))
		}
		if codes[o.ODS] {
			return malformed("each ODS code once")
		}
		codes[o.ODS] = true
		for _, d := range o.DIDs {
			at := identity(d)
			if owner, known := owners[at]; known && owner != i {
				return malformed("each DID once")
			}
			owners[at] = i
		}
	}
	for _, s := range l.Succession {
		if err := checkLink(s); err != nil {
			return err
		}
	}
	return nil
}

// identity is what a DID has in common with all that its owner can write in its place:
// for did:web the address of the document, with a host in small letters, for did:webvh
// the identifier that stays when the DID moves to another host.
func identity(d did.DID) string {
	first, path, _ := strings.Cut(d.SpecificID(), ":")
	switch d.Method() {
	case "web":
		host := strings.TrimSuffix(strings.ToLower(first), "%3a443")
		if path == ".well-known" {
			path = ""
		}
		return "did:web:" + host + ":" + path
	case "webvh":
		return "did:webvh:" + first
	default:
		return d.String()
	}
}

// credential is what lists and successions have in common.
func credential(typ, id string, issuer did.DID, from, until time.Time, subject *strictjson.Object) (*vc.Credential, error) {
	raw, err := strictjson.Append(nil, subject)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, errtext.Below(err))
	}
	return &vc.Credential{
		Context:    vc.Contexts(ContextURL),
		ID:         id,
		Type:       []string{vc.TypeCredential, typ},
		Issuer:     vc.Party{ID: issuer.String()},
		ValidFrom:  from,
		ValidUntil: until,
		Subject:    raw,
	}, nil
}

// checkKind sees that a credential is of a type of this package.
func checkKind(c *vc.Credential, typ string) error {
	if !slices.Equal(c.Type, []string{vc.TypeCredential, typ}) ||
		!slices.ContainsFunc(c.Context, func(e vc.Context) bool { return e.URL == ContextURL }) {
		return malformed("a credential of type " + typ)
	}
	return nil
}

// subjectOf returns the one subject of a credential.
func subjectOf(c *vc.Credential) (*strictjson.Object, error) {
	if c == nil {
		return nil, malformed("a credential")
	}
	subject, err := strictjson.ParseObject(c.Subject)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, errtext.Below(err))
	}
	return subject, nil
}

func number(n uint64) strictjson.Number { return strictjson.Number(fmt.Sprint(n)) }

// isURL reports whether s is an absolute URL, as the id of a credential must be.
func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs() && len(s) <= maxRegister
}
