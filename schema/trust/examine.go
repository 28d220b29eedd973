package trust

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// examine decides whether a list may follow the one that is held, which may be nil.
//
// Who has to have signed it is worked out before any signature is looked at, from the
// authorities that are known and the successions that the list carries, each of which
// proves itself. So nobody's DID is resolved but an authority's.
func (r *Registry) examine(ctx context.Context, before *held, s vc.Secured) (*held, error) {
	claimed, err := hearsay(s)
	if err != nil {
		return nil, err
	}
	known := []era{{Authority: r.config.Authority}}
	id := r.config.ID
	if before != nil {
		known, id = before.record.Eras, before.list.ID
	}
	if id != "" && claimed.ID != id {
		return nil, fmt.Errorf("%w: of another register", ErrAuthority)
	}
	eras, err := r.follow(ctx, before, known, claimed)
	if err != nil {
		return nil, err
	}
	authority := reigning(eras, claimed.Sequence)
	if claimed.Authority != authority {
		return nil, fmt.Errorf("%w: issued by another", ErrAuthority)
	}
	witness := &witness{Resolver: r.config.Resolver, id: authority}
	doc, err := r.verify(ctx, inTurn{witness, authority, claimed.Issued}, authority, Type, s)
	if err != nil {
		return nil, err
	}
	list, err := Read(doc)
	if err != nil {
		return nil, err
	}
	if list.ID != claimed.ID || list.Sequence != claimed.Sequence || !list.Issued.Equal(claimed.Issued) {
		return nil, fmt.Errorf("%w: it says another thing than was signed", ErrAuthority)
	}
	rec := &record{
		Eras: eras, ID: list.ID, Sequence: list.Sequence, Issued: list.Issued,
		Checked: r.now().UTC(), Document: witness.seen, List: s, Digest: sha256.Sum256(s.Bytes),
	}
	if before != nil {
		if err := rec.follows(before.record); err != nil {
			return nil, err
		}
	}
	return newHeld(rec, list), nil
}

// hearsay reads a list before anything about it is known, without its entries.
func hearsay(s vc.Secured) (*List, error) {
	c, subject, err := unverified(s)
	if err != nil {
		return nil, err
	}
	return readList(c, subject, false)
}

// unverified reads the document of a secured credential, and its one subject, without
// looking at its proof. The credential has no members that are kept as JSON.
func unverified(s vc.Secured) (*vc.Credential, *strictjson.Object, error) {
	var doc *strictjson.Object
	var err error
	switch s.MediaType {
	case vc.MediaTypeCredential:
		doc, err = strictjson.ParseObject(s.Bytes)
	case jose.MediaTypeCredential:
		var t *jose.Token
		if t, err = jose.Parse(s); err == nil {
			doc = t.Document()
		}
	case cose.MediaTypeCredential:
		var t *cose.Token
		if t, err = cose.Parse(s); err == nil {
			doc = t.Document()
		}
	default:
		return nil, nil, malformed("a secured credential of a known media type")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrList, errtext.Below(err))
	}
	c, err := vc.CheckObject(doc)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrList, errtext.Below(err))
	}
	subject, _ := doc.Get("credentialSubject")
	one, ok := subject.(*strictjson.Object)
	if !ok {
		return nil, nil, malformed("one subject")
	}
	return c, one, nil
}

// An era is the time of one authority: lists with numbers above After.
type era struct {
	Authority did.DID
	After     uint64
}

// reigning is the authority that issues the list with a number.
func reigning(eras []era, sequence uint64) did.DID {
	at := eras[0].Authority
	for _, e := range eras[1:] {
		if sequence > e.After {
			at = e.Authority
		}
	}
	return at
}

// follow returns the eras after the known ones, by the successions that a list carries.
// Those of authorities before the first known one say nothing to us.
func (r *Registry) follow(ctx context.Context, before *held, known []era, l *List) ([]era, error) {
	links := make([]*Succession, len(l.Succession))
	for i, s := range l.Succession {
		c, subject, err := unverified(s)
		if err != nil {
			return nil, err
		}
		if links[i], err = readSuccession(c, subject); err != nil {
			return nil, err
		}
	}
	eras := slices.Clone(known)
	for at := 0; at < len(eras); at++ {
		var next *era
		for i, link := range links {
			if link.From != eras[at].Authority {
				continue
			}
			e := era{link.To, link.After}
			if next != nil && *next != e {
				return nil, fmt.Errorf("%w: two successions by one authority", ErrAuthority)
			}
			if next != nil {
				continue
			}
			next = &e
			if at+1 < len(eras) { // seen before
				if eras[at+1] != e {
					return nil, fmt.Errorf("%w: another succession than the one that is known", ErrAuthority)
				}
				continue
			}
			if err := r.believe(ctx, before, eras, link, l.ID, l.Succession[i]); err != nil {
				return nil, err
			}
		}
		if next != nil && at+1 == len(eras) {
			eras = append(eras, *next)
		}
	}
	return eras, nil
}

// believe verifies a succession by the last authority of eras.
func (r *Registry) believe(ctx context.Context, before *held, eras []era, link *Succession, register string, s vc.Secured) error {
	last := eras[len(eras)-1]
	switch {
	case len(eras) > maxSuccessions:
		return fmt.Errorf("%w: too many successions", ErrAuthority)
	case link.Register != register:
		return fmt.Errorf("%w: a succession of another register", ErrAuthority)
	case link.After < last.After:
		return fmt.Errorf("%w: a succession before the one before it", ErrAuthority)
	case slices.ContainsFunc(eras, func(e era) bool { return e.Authority == link.To }):
		return fmt.Errorf("%w: a succession back to an earlier authority", ErrAuthority)
	}
	since := link.Issued
	if before != nil && before.list.Authority == link.From && before.list.Issued.After(since) {
		since = before.list.Issued // that list would carry one that was signed earlier
	}
	doc, err := r.verify(ctx, inTurn{r.config.Resolver, last.Authority, since}, last.Authority, SuccessionType, s)
	if err != nil {
		return err
	}
	signed, err := ReadSuccession(doc)
	if err != nil {
		return err
	}
	if *signed != *link {
		return fmt.Errorf("%w: a succession that says another thing than was signed", ErrAuthority)
	}
	return nil
}

// verify verifies a credential of a type by an authority, by the clock and with
// allowance for another clock that is ahead.
func (r *Registry) verify(ctx context.Context, resolver did.Resolver, authority did.DID, typ string, s vc.Secured) (*vc.Credential, error) {
	now := r.now()
	doc, err := verifyAt(ctx, resolver, authority, typ, s, now)
	if errors.Is(err, verify.ErrNotYetValid) {
		doc, err = verifyAt(ctx, resolver, authority, typ, s, now.Add(skew))
	}
	if errors.Is(err, verify.ErrExpired) {
		return nil, fmt.Errorf("%w: %w", ErrStale, errtext.Below(err))
	}
	return doc, err
}

func verifyAt(ctx context.Context, resolver did.Resolver, authority did.DID, typ string, s vc.Secured, at time.Time) (*vc.Credential, error) {
	v := &verify.Verifier{
		Resolver: resolver,
		Trust:    verify.TrustedIssuers{authority: {typ}},
		Contexts: Contexts(),
		Now:      func() time.Time { return at },
	}
	c, err := v.Credential(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("trust: %w", errtext.Below(err))
	}
	return c.Document(), nil
}

// inTurn leaves an authority only the keys whose turn it was at a time before which a
// thing was not signed: when it was issued. What its proof says about that cannot set it
// back, because whoever has an old key writes any date.
type inTurn struct {
	did.Resolver
	id    did.DID
	since time.Time
}

// Resolve implements [did.Resolver]. The other keys stay in the document, authorised for
// nothing.
func (k inTurn) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	res, err := k.Resolver.Resolve(ctx, id, at)
	if err != nil || res == nil || res.Document == nil || id != k.id {
		return res, err
	}
	methods := res.Document.Methods(did.AssertionMethod, k.since)
	for _, m := range res.Document.Methods(did.AssertionMethod, time.Time{}.Add(1)) {
		if slices.ContainsFunc(methods, func(kept *did.VerificationMethod) bool { return kept.ID == m.ID }) {
			continue
		}
		if m, err = did.NewVerificationMethod(m.ID, m.PublicKey()); err != nil {
			return nil, fmt.Errorf("trust: %w", errtext.Below(err))
		}
		methods = append(methods, m)
	}
	judged := *res
	if judged.Document, err = did.NewDocument(res.Document.ID(), methods, nil); err != nil {
		return nil, fmt.Errorf("trust: %w", errtext.Below(err))
	}
	return &judged, nil
}

// A witness remembers the document by which an authority's signature was verified.
type witness struct {
	did.Resolver
	id   did.DID
	seen *did.Document
}

// Resolve implements [did.Resolver].
func (w *witness) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	res, err := w.Resolver.Resolve(ctx, id, at)
	if err == nil && res != nil && id == w.id {
		w.seen = res.Document
	}
	return res, err
}

// remembered resolves one DID to the document it had.
type remembered struct{ doc *did.Document }

// Resolve implements [did.Resolver].
func (m remembered) Resolve(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
	if id != m.doc.ID() {
		return nil, did.ErrNotFound
	}
	return &did.Resolution{Document: m.doc}, nil
}
