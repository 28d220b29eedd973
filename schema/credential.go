package schema

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

var (
	// ErrTerms: terms without an issuer or a start, or with an end that is not
	// after the start.
	ErrTerms = errors.New("schema: incomplete terms of issuance")
	// ErrNotPassport: a credential of another type or context, or about several
	// subjects.
	ErrNotPassport = errors.New("schema: credential is no staff passport")
)

// Terms fix what issuance adds to the facts.
type Terms struct {
	// ID is the credential's own URL, such as a urn:uuid; empty for none.
	ID     string
	Issuer did.DID
	// Holder becomes the subject's id and is what holder binding rests on. The
	// zero DID leaves the id out, for formats that must not be linkable; see also
	// [Passport.Padded].
	Holder did.DID
	// ValidFrom is when the credential starts (Data Model 2.0 section 4.9), and
	// ValidUntil when it ends; zero for no end. Both are cut to the second, which is
	// as exact as a token can say, and without a Holder to the day in UTC: a second
	// that everybody is shown would name an unlinkable credential.
	ValidFrom, ValidUntil time.Time
	// Status entries say where the issuer publishes a revocation.
	Status []vc.Status
}

// Credential returns the passport as an unsecured credential, its claims in
// credentialSubject with one member a section. It validates first and fails with
// a [*ValidationError] rather than return a document that breaks a rule; bad
// terms are ErrTerms. A fact cannot be of a time after it is attested: the date of
// birth and the days on which something was issued, checked, registered or last
// refreshed are not after ValidFrom. Members that this version does not know are kept.
func (p *Passport) Credential(t Terms) (*vc.Credential, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	from, until := t.cut(t.ValidFrom), t.cut(t.ValidUntil)
	var r report
	r.past(p, t.ValidFrom)
	if err := r.err(passportShape()); err != nil {
		return nil, err
	}
	var id []strictjson.Member
	if t.Holder != (did.DID{}) {
		id = append(id, strictjson.Member{Name: "id", Value: t.Holder.String()})
	}
	subject, err := p.object(id...)
	if err != nil {
		return nil, err
	}
	raw, err := strictjson.Append(nil, subject)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", errtext.Below(err))
	}
	return &vc.Credential{
		Context:    vc.Contexts(ContextURL),
		ID:         t.ID,
		Type:       []string{vc.TypeCredential, Type},
		Issuer:     vc.Party{ID: t.Issuer.String()},
		ValidFrom:  from,
		ValidUntil: until,
		Status:     slices.Clone(t.Status),
		Subject:    raw,
	}, nil
}

func (t *Terms) check() error {
	switch {
	case t.Issuer == (did.DID{}):
		return fmt.Errorf("%w: no issuer", ErrTerms)
	case t.ValidFrom.IsZero():
		return fmt.Errorf("%w: no start", ErrTerms)
	case !t.ValidUntil.IsZero() && !t.cut(t.ValidUntil).After(t.cut(t.ValidFrom)):
		return fmt.Errorf("%w: the end is not after the start", ErrTerms)
	}
	return nil
}

// cut returns a time as exact as it may be said.
func (t *Terms) cut(at time.Time) time.Time {
	if t.Holder == (did.DID{}) {
		return at.UTC().Truncate(24 * time.Hour)
	}
	return at.Truncate(time.Second)
}

// Read returns the passport that a credential holds. Sections and fields that
// were not disclosed are nil or absent, and members this version does not know
// are kept, so that issuing what was read under the same terms gives the same
// claims.
//
// Read checks shapes only. It does not verify: pass it the document of a
// verified credential. Whether what was disclosed keeps the rules is told by
// [Passport.ValidateDisclosed]. Errors are ErrNotPassport and
// [*ValidationError].
func Read(c *vc.Credential) (*Passport, error) {
	subject, err := subjectOf(c)
	if err != nil {
		return nil, err
	}
	subject.Delete("id")
	p := &Passport{}
	var r report
	r.decode(passportShape(), subject, p, "", true)
	if err := r.err(passportShape()); err != nil {
		return nil, err
	}
	return p, nil
}

// knownContext reports whether this version's terms are in the context: a later
// one may use the same names with another meaning.
func knownContext(c *vc.Credential) bool {
	return slices.ContainsFunc(c.Context, func(e vc.Context) bool { return e.URL == ContextURL })
}
