package main

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
)

// derive shows of a credential with a base proof what is mandatory and what the
// pointers lead to. A base proof that is not genuine is not derived from.
func (s *server) derive(ctx context.Context, r *request) answer {
	shown, err := s.deriveFrom(ctx, r)
	if err != nil {
		return answerError(err)
	}
	return answer{status: http.StatusCreated, raw: shown.Bytes}
}

func (s *server) deriveFrom(ctx context.Context, r *request) (vc.Secured, error) {
	document, err := r.object("verifiableCredential")
	if err != nil {
		return vc.Secured{}, err
	}
	base := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: document}
	contexts, err := accept(arraysOf(document, vc.MediaTypeCredential))
	if err != nil {
		return vc.Secured{}, err
	}
	derive, err := deriver(ctx, base, contexts, &r.options)
	if err != nil {
		return vc.Secured{}, err
	}
	whole, err := derive([]vc.Pointer{""})
	if err != nil {
		return vc.Secured{}, err
	}
	if _, err := s.verifier(contexts).Credential(ctx, whole); !signed(err) {
		return vc.Secured{}, err
	}
	return derive(r.options.SelectivePointers)
}

// deriver returns what derives from a base proof.
func deriver(ctx context.Context, base vc.Secured, contexts *vc.ContextSet, o *options) (func([]vc.Pointer) (vc.Secured, error), error) {
	var document struct{ Proof struct{ Cryptosuite string } }
	if err := json.Unmarshal(base.Bytes, &document); err != nil {
		return nil, badRequest("not a credential with one proof")
	}
	switch document.Proof.Cryptosuite {
	case "ecdsa-sd-2023":
		return func(reveal []vc.Pointer) (vc.Secured, error) {
			return ecdsasd.Derive(ctx, base, reveal, contexts)
		}, nil
	case "bbs-2023":
		var header []byte
		if o.Domain != "" || o.Challenge != "" {
			header = bbs.SessionHeader(o.Domain, o.Challenge)
		}
		return func(reveal []vc.Pointer) (vc.Secured, error) {
			return bbs.Derive(ctx, base, reveal, contexts, header)
		}, nil
	}
	return nil, badRequest("no base proof of ecdsa-sd-2023 or bbs-2023")
}
