package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// issue secures a credential with one of the server's keys. One that has proofs gets
// one more: a set or, with options.previousProof, a chain.
func (s *server) issue(ctx context.Context, r *request) answer {
	secured, err := s.secure(ctx, r)
	if err != nil {
		return answerError(err)
	}
	return answer{status: http.StatusCreated, value: map[string]json.RawMessage{"verifiableCredential": secured.Bytes}}
}

func (s *server) secure(ctx context.Context, r *request) (vc.Secured, error) {
	document, err := r.object("credential")
	if err != nil {
		return vc.Secured{}, err
	}
	c, err := vc.Parse(document)
	if err != nil {
		return vc.Secured{}, err
	}
	with, err := s.choose(r.path, &r.options, c.Issuer.ID)
	switch {
	case err != nil:
		return vc.Secured{}, err
	case len(r.options.MandatoryPointers) > 0 && !with.suite.selective:
		return vc.Secured{}, badRequest("mandatoryPointers with a cryptosuite that shows everything")
	}
	if isVersion1(c) {
		addContext(c, contextProof)
	}
	if _, has := c.Other["proof"]; has {
		return s.addProof(ctx, r, c, document, with)
	}
	if err := s.addStatus(c, r.options.CredentialStatus, with.key); err != nil {
		return vc.Secured{}, err
	}
	issuer, err := s.prepare(ctx, c, with, r.options.MandatoryPointers)
	if err != nil {
		return vc.Secured{}, err
	}
	proof, err := r.options.proof()
	if err != nil {
		return vc.Secured{}, err
	}
	return issuer.SecureWith(ctx, c, proof)
}

// prepare checks what the suite may not look at, and returns who is to sign.
func (s *server) prepare(ctx context.Context, c *vc.Credential, with choice, mandatory []vc.Pointer) (*dataintegrity.Issuer, error) {
	contexts, err := accept([][]vc.Context{c.Context})
	if err != nil {
		return nil, err
	}
	if with.suite.json {
		if err := dataintegrity.CheckTerms(c, contexts); err != nil {
			return nil, err
		}
	}
	if err := checkStatusEntries(c); err != nil {
		return nil, err
	}
	if err := s.checkRelated(ctx, c, contexts); err != nil {
		return nil, err
	}
	return &dataintegrity.Issuer{
		Suite: with.suite.make(mandatory), Signer: s.keys[with.key], Contexts: contexts, Now: s.now,
		UnsafeDataModel1: true, UnsafeIssuerNotController: true,
	}, nil
}

// addProof adds to the proofs of a credential, which must be genuine. Its bytes stay:
// what the other proofs cover is not written anew.
func (s *server) addProof(ctx context.Context, r *request, c *vc.Credential, document []byte, with choice) (vc.Secured, error) {
	if len(r.options.CredentialStatus) > 0 {
		return vc.Secured{}, badRequest("options.credentialStatus for a credential that is signed already")
	}
	secured := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: document}
	issuer, err := s.prepare(ctx, withoutProof(c), with, r.options.MandatoryPointers)
	if err != nil {
		return vc.Secured{}, err
	}
	if _, err := s.verifier(issuer.Contexts).Credential(ctx, secured); !signed(err) {
		return vc.Secured{}, err
	}
	proof, err := r.options.proof()
	if err != nil {
		return vc.Secured{}, err
	}
	return issuer.AddProof(ctx, secured, proof)
}

func withoutProof(c *vc.Credential) *vc.Credential {
	out := *c
	out.Other = map[string]json.RawMessage{}
	for name, v := range c.Other {
		if name != "proof" {
			out.Other[name] = v
		}
	}
	return &out
}

// signed reports whether a verifier that returned err found the signatures genuine,
// whatever else it found.
func signed(err error) bool {
	var refused *verify.Error
	if err == nil || !errors.As(err, &refused) {
		return err == nil
	}
	for _, c := range refused.Checks {
		if c.Check == verify.CheckSignature {
			return c.Outcome == verify.Passed
		}
	}
	return false
}

// proof returns what a proof is to say of itself.
func (o *options) proof() (dataintegrity.Proof, error) {
	p := dataintegrity.Proof{ID: o.ProofID, Challenge: o.Challenge}
	if o.Domain != "" {
		p.Domain = []string{o.Domain}
	}
	for _, raw := range oneOrMany(o.PreviousProof) {
		id, ok := asText(raw)
		if !ok {
			return p, badRequest("options.previousProof is not the id of a proof or several")
		}
		p.Previous = append(p.Previous, id)
	}
	return p, nil
}

// checkStatusEntries refuses entries of a status list that no verifier could read. Those
// of other types are for others to read.
func checkStatusEntries(c *vc.Credential) error {
	for _, entry := range c.Status {
		if _, err := status.ParseEntry(entry); err != nil && !errors.Is(err, status.ErrUnsupported) {
			return err
		}
	}
	return nil
}
