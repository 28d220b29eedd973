// Package legacy has the proofs that Aries agents made and still make over
// DIDComm: Ed25519Signature2018 (W3C CCG draft) and Ed25519Signature2020 (Data
// Integrity EdDSA Cryptosuites v1.0, appendix A). They are for documents of data
// model 1.1, and the only suites that issue any.
//
// An issuer puts one into a dataintegrity.Issuer:
//
//	issuer := &dataintegrity.Issuer{Suite: legacy.Ed25519Signature2018(), Signer: signer, Contexts: contexts}
//
// A verifier verifies neither unless it lists them among its suites:
//
//	verifier := &verify.Verifier{Suites: []dataintegrity.Suite{legacy.Ed25519Signature2018()}, ...}
//
// New credentials are better issued with eddsa-rdfc-2022, which differs from
// Ed25519Signature2020 in name alone. Like the other suites that need RDF these
// work in safe mode: a term that the contexts do not define is refused, at signing
// and at verifying, and so is a member of a proof that is none of its type's, which
// could be another name for one that is: the security contexts have two for the end
// of a proof. The signatures say nothing that is not in the document; which
// contexts it may have, and all else that makes a proof worth something, is for
// [github.com/staffpassport/staffpassport/vc/verify].
//
// Both sign, with Ed25519,
//
//	SHA-256(RDFC-1.0(proof without its value)) || SHA-256(RDFC-1.0(document without proof))
package legacy

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// Ed25519Signature2018 returns the suite whose proofs have a detached JSON Web
// Signature (RFC 7797) in their member jws. Its proofs are read as the context
// https://w3id.org/security/v2 defines their members, whatever the document's
// contexts are, as those who wrote such proofs did.
func Ed25519Signature2018() dataintegrity.Suite {
	return suite{name: "Ed25519Signature2018", value: "jws", context: "https://w3id.org/security/v2", encode: detach, decode: attach}
}

// Ed25519Signature2020 returns the suite whose proofs have a proofValue in
// base58btc. The document's contexts must define the members of its proofs, which
// https://w3id.org/security/suites/ed25519-2020/v1 does.
func Ed25519Signature2020() dataintegrity.Suite {
	return suite{name: "Ed25519Signature2020", value: "proofValue", encode: toMultibase, decode: fromMultibase}
}

// A suite is one of the two.
type suite struct {
	name    string
	value   string // the member of a proof that holds its signature
	context string // the @context of a proof; empty: that of the document

	// encode makes the member of a signature over the hashes that sign makes.
	encode func(hashes []byte, sign func([]byte) ([]byte, error)) (string, error)
	// decode returns a member's signature and what it is a signature over.
	decode func(member string, hashes []byte) (signed, signature []byte, err error)
}

var _ dataintegrity.Suite = suite{}

// Name implements [dataintegrity.Suite]: it is the type of a proof.
func (s suite) Name() string { return s.name }

// Prove implements [dataintegrity.Suite]. Beyond the errors that a Suite has, what
// the document says may be ErrUndefinedTerm or ErrUnsignable.
func (s suite) Prove(ctx context.Context, doc *strictjson.Object, p *dataintegrity.Proof, signer did.Signer, contexts *vc.ContextSet) (*strictjson.Object, error) {
	if p.Suite != "" && p.Suite != s.name {
		return nil, dataintegrity.ErrSuite
	}
	if pub, ok := signer.Public().(ed25519.PublicKey); !ok || len(pub) != ed25519.PublicKeySize {
		return nil, dataintegrity.ErrKey
	}
	proof := p.Options(s.name)
	hashes, err := s.hashes(ctx, doc, proof, contexts)
	if err != nil {
		return nil, err
	}
	member, err := s.encode(hashes, func(data []byte) ([]byte, error) {
		signature, err := did.Sign(ctx, signer, data)
		if errors.Is(err, did.ErrSignature) {
			return nil, dataintegrity.ErrSignature
		}
		return signature, err
	})
	if err != nil {
		return nil, err
	}
	proof.Set(s.value, member)
	return proof, nil
}

// Verify implements [dataintegrity.Suite], with the further errors of Prove.
func (s suite) Verify(ctx context.Context, doc, proof *strictjson.Object, key *did.VerificationMethod, contexts *vc.ContextSet) (*strictjson.Object, error) {
	if typ, _ := proof.Text("type"); typ != s.name {
		return nil, dataintegrity.ErrSuite
	}
	if _, ok := key.PublicKey().(ed25519.PublicKey); !ok {
		return nil, dataintegrity.ErrKey
	}
	member, ok := proof.Text(s.value)
	if !ok {
		return nil, fmt.Errorf("%w: %s must be a string", dataintegrity.ErrProofMalformed, s.value)
	}
	options := proof.Clone()
	options.Delete(s.value)
	hashes, err := s.hashes(ctx, doc, options, contexts)
	if err != nil {
		return nil, err
	}
	data, signature, err := s.decode(member, hashes)
	if err != nil {
		return nil, err
	}
	if did.VerifySignature(key.PublicKey(), data, signature) != nil {
		return nil, dataintegrity.ErrSignature
	}
	return doc, nil
}

// hashes returns what the signature is over. Options are a proof without its value.
func (s suite) hashes(ctx context.Context, doc, options *strictjson.Object, contexts *vc.ContextSet) ([]byte, error) {
	if err := checkMembers(options); err != nil {
		return nil, err
	}
	context, _ := doc.Get("@context")
	if !contexts.Accepts(context) && !onlyURLs(context) {
		return nil, dataintegrity.ErrContextNotAllowed
	}
	if s.context != "" {
		context = s.context
	}
	options = options.Clone()
	options.Set("@context", context)
	out := make([]byte, 0, 2*sha256.Size)
	for _, o := range []*strictjson.Object{options, doc} {
		sum, err := hash(ctx, o, contexts)
		if err != nil {
			return nil, err
		}
		out = append(out, sum...)
	}
	return out, nil
}

// checkMembers refuses options with a member that the suites do not have (EdDSA
// Cryptosuites, section A.1.2.1, and VC Data Integrity 1.0, section 2.1; there were
// no chains yet). A @context would say something about the proof that nobody else
// reads.
func checkMembers(options *strictjson.Object) error {
	for name := range options.All() {
		switch name {
		case "type", "id", "created", "verificationMethod", "proofPurpose", "expires", "domain", "challenge", "nonce":
		case "@context":
			return fmt.Errorf("%w: in a proof", dataintegrity.ErrContextNotAllowed)
		default:
			return fmt.Errorf("%w: a member that no proof of its type has", dataintegrity.ErrProofMalformed)
		}
	}
	return nil
}

// onlyURLs reports whether a @context has no context of its own in it. What its
// URLs mean is settled by the context documents, or they are unknown.
func onlyURLs(context any) bool {
	list, ok := context.([]any)
	return ok && !slices.ContainsFunc(list, func(v any) bool { _, url := v.(string); return !url })
}

// hash returns the SHA-256 of the canonical form of a document.
func hash(ctx context.Context, doc *strictjson.Object, contexts *vc.ContextSet) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	quads, err := contexts.Documents().ToRDF(doc, nil)
	if err != nil {
		return nil, dataintegrity.RDFError(err)
	}
	if len(quads) == 0 {
		return nil, fmt.Errorf("%w: it says nothing", dataintegrity.ErrUnsignable)
	}
	canonical, err := rdfcanon.Canonicalize(ctx, quads, rdfcanon.SHA256)
	if err != nil {
		return nil, dataintegrity.RDFError(err)
	}
	h := sha256.New()
	for _, line := range canonical.Statements {
		h.Write([]byte(line))
	}
	return h.Sum(nil), nil
}
