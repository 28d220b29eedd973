package main

import (
	"context"
	"errors"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// genuine sees that a list which is to be signed again was signed by its issuer, who is
// by: whoever signs it anew vouches for all that is in it. One that has ended can still
// be followed by the next.
func (i *issuance) genuine(ctx context.Context, in vc.Secured, by did.DID, from, until time.Time) error {
	now := i.clock()
	if !now.After(from) {
		return wrongUsage("the list that was read is of %s, and the next one has to be of a later time than that", from.UTC().Format(time.RFC3339Nano))
	}
	if !until.IsZero() && !now.Before(until) {
		now = until.Add(-time.Nanosecond)
	}
	contexts, err := ownContexts()
	if err != nil {
		return err
	}
	own, err := i.ownDocument()
	if err != nil {
		return err
	}
	clock := func() time.Time { return now }
	var n network
	v := &verify.Verifier{Resolver: ownFirst{own, by, n.resolver(n.client(), clock)}, Trust: oneIssuer(by), Contexts: contexts, Now: clock}
	_, err = v.Credential(ctx, in)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, verify.ErrUnavailable):
		return notLearned{err}
	}
	return refused{{Code: "not-genuine", Text: "the list that was read is not as its issuer signed it: " + err.Error(), Hint: "take the edition that was published; a list by another key, or by nobody, is not signed again"}}
}

// ownDocument is a DID document with the key that signs, and nothing else.
func (i *issuance) ownDocument() (*did.Document, error) {
	name := i.signer.VerificationMethod()
	m, err := did.NewVerificationMethod(name, i.signer.Public(), did.AssertionMethod)
	if err != nil {
		return nil, err
	}
	return did.NewDocument(name.DID, []*did.VerificationMethod{m}, nil)
}

// ownFirst knows one document, which may not be published yet, and asks for that of one
// other DID: nobody whom the list itself names is asked for anything.
type ownFirst struct {
	own   *did.Document
	other did.DID
	did.Resolver
}

func (r ownFirst) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if id == r.own.ID() && at == (did.Version{}) {
		return &did.Resolution{Document: r.own}, nil
	}
	if id != r.other {
		return nil, did.ErrNotFound
	}
	return r.Resolver.Resolve(ctx, id, at)
}

// oneIssuer trusts one DID.
type oneIssuer did.DID

func (o oneIssuer) Trusted(_ context.Context, issuer did.DID, _ []string, _ time.Time) error {
	if issuer != did.DID(o) {
		return errors.New("not the issuer of this list")
	}
	return nil
}

// mayFollow returns whose edition the signer may sign anew: its own or, with that
// authority's word, the one of whom it follows.
func (i *issuance) mayFollow(last *trust.List, words []vc.Secured) (did.DID, error) {
	own := i.signer.VerificationMethod().DID
	if last.Authority == own {
		return own, nil
	}
	for _, in := range words {
		d := readDocument(in)
		if d.tree == nil || len(d.wrong) > 0 {
			continue
		}
		c, err := credentialOf(withoutProof(d.tree))
		if err != nil {
			continue
		}
		if word, err := trust.ReadSuccession(c); err == nil && word.From == last.Authority && word.To == own {
			return last.Authority, nil
		}
	}
	return did.DID{}, wrongUsage("the authority of this list is %s, and --key is of %s: without its word by passport trust succeed, --succession FILE, nobody signs it again", printable(last.Authority.String()), printable(own.String()))
}
