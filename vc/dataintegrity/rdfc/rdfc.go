// Package rdfc has the Data Integrity suites that sign what a document says rather
// than how it is written: eddsa-rdfc-2022 of Data Integrity EdDSA Cryptosuites v1.0
// and ecdsa-rdfc-2019 of Data Integrity ECDSA Cryptosuites v1.0 (Recommendations of
// 15 May 2025).
//
// Pass [EdDSARDFC2022] or [ECDSARDFC2019] to a dataintegrity.Issuer, a
// dataintegrity.Presenter or a verify.Verifier:
//
//	issuer := &dataintegrity.Issuer{Suite: rdfc.EdDSARDFC2022(), Signer: signer, Contexts: schema.Contexts()}
//
// A document becomes RDF with the contexts of a [vc.ContextSet] and no others, and
// that gets its canonical form (RDFC-1.0):
//
//	signature over  hash(canonical proof without proofValue) || hash(canonical document without proof)
//
// RDF has no order of values and leaves out what has no meaning. So whatever would
// be left out is refused, at signing as at verifying, and so is every other way to
// write the same data than the compacted one: what is verified is what a reader of
// the JSON finds. The order of an array is signed only if its term is a list.
package rdfc

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/diproof"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// EdDSARDFC2022 is eddsa-rdfc-2022: Ed25519 over SHA-256 hashes (EdDSA
// Cryptosuites, section 3.2).
func EdDSARDFC2022() dataintegrity.Suite { return suite{"eddsa-rdfc-2022"} }

// ECDSARDFC2019 is ecdsa-rdfc-2019: ECDSA with P-256 and SHA-256, or P-384 and
// SHA-384 (ECDSA Cryptosuites, sections 3.1 and 3.2).
func ECDSARDFC2019() dataintegrity.Suite { return suite{"ecdsa-rdfc-2019"} }

// A suite is one of the two, which differ in their keys alone.
type suite struct{ name string }

var _ dataintegrity.Suite = suite{}

func (s suite) Name() string { return s.name }

// hashFor returns the hash function that goes with a key, for the canonical form
// as for what is signed.
func (s suite) hashFor(pub crypto.PublicKey) (rdfcanon.Hash, error) {
	switch alg, _ := did.Algorithm(pub); {
	case s.name == "eddsa-rdfc-2022" && alg == "EdDSA", s.name == "ecdsa-rdfc-2019" && alg == "ES256":
		return rdfcanon.SHA256, nil
	case s.name == "ecdsa-rdfc-2019" && alg == "ES384":
		return rdfcanon.SHA384, nil
	}
	return 0, dataintegrity.ErrKey
}

// Prove is section 3.2.1 of either specification. Beyond the errors that a Suite
// has, what the document says may be ErrUndefinedTerm or ErrUnsignable.
func (s suite) Prove(ctx context.Context, doc *strictjson.Object, p *dataintegrity.Proof, signer did.Signer, contexts *vc.ContextSet) (*strictjson.Object, error) {
	if p.Suite != "" && p.Suite != s.name {
		return nil, dataintegrity.ErrSuite
	}
	h, err := s.hashFor(signer.Public())
	if err != nil {
		return nil, err
	}
	proof := p.Options(s.name)
	data, err := hashData(ctx, doc, proof, h, contexts)
	if err != nil {
		return nil, err
	}
	signature, err := did.Sign(ctx, signer, data)
	if errors.Is(err, did.ErrSignature) {
		return nil, dataintegrity.ErrSignature
	}
	if err != nil {
		return nil, err
	}
	proof.Set("proofValue", multiformat.Encode(signature))
	return proof, nil
}

// Verify is section 3.2.2 of either specification. Beyond the errors that a Suite
// has, what the document says may be ErrUndefinedTerm or ErrUnsignable.
func (s suite) Verify(ctx context.Context, doc, proof *strictjson.Object, key *did.VerificationMethod, contexts *vc.ContextSet) (*strictjson.Object, error) {
	h, err := s.hashFor(key.PublicKey())
	if err != nil {
		return nil, err
	}
	if err := s.checkOptions(doc, proof); err != nil {
		return nil, err
	}
	value, _ := proof.Text("proofValue")
	if value == "" || value[0] != 'z' { // the only base the suites allow
		return nil, malformed("proofValue")
	}
	signature, err := multiformat.Decode(value, multiformat.MaxKey)
	if err != nil {
		return nil, malformed("proofValue")
	}
	options := proof.Clone()
	options.Delete("proofValue")
	data, err := hashData(ctx, doc, options, h, contexts)
	if err != nil {
		return nil, err
	}
	if did.VerifySignature(key.PublicKey(), data, signature) != nil {
		return nil, dataintegrity.ErrSignature
	}
	return doc, nil
}

// checkOptions is section 3.2.5, steps 2 and 3. A proof may repeat the @context of
// its document, which is what it is read with, and have no other.
func (s suite) checkOptions(doc, proof *strictjson.Object) error {
	if typ, _ := proof.Text("type"); typ != diproof.Type {
		return malformed("type")
	}
	if name, _ := proof.Text("cryptosuite"); name != s.name {
		return malformed("cryptosuite")
	}
	if v, ok := proof.Get("created"); ok {
		text, _ := v.(string)
		if _, err := xsd.ParseDateTimeStamp(text); err != nil {
			return malformed("created")
		}
	}
	if v, ok := proof.Get("@context"); ok {
		if own, _ := doc.Get("@context"); !strictjson.Equal(v, own) {
			return fmt.Errorf("%w: that of the proof is not the document's", dataintegrity.ErrContextNotAllowed)
		}
	}
	return nil
}

func malformed(member string) error {
	return fmt.Errorf("%w: %s", dataintegrity.ErrProofMalformed, member)
}

// hashData is what is signed (sections 3.2.3 to 3.2.5): the hash of the canonical
// options followed by that of the canonical document, 64 or 96 bytes. The options
// are read with the @context of the document, which must be one that contexts
// accepts or have nothing but URLs.
func hashData(ctx context.Context, doc, options *strictjson.Object, h rdfcanon.Hash, contexts *vc.ContextSet) ([]byte, error) {
	context, ok := doc.Get("@context")
	if !ok || !contexts.Accepts(context) && !onlyURLs(context) {
		return nil, dataintegrity.ErrContextNotAllowed
	}
	config := options.Clone()
	config.Set("@context", context)
	data, err := appendHash(ctx, make([]byte, 0, 2*sha512.Size384), config, h, contexts)
	if err != nil {
		return nil, err
	}
	return appendHash(ctx, data, doc, h, contexts)
}

func onlyURLs(context any) bool {
	list, ok := context.([]any)
	for _, v := range list {
		_, text := v.(string)
		ok = ok && text
	}
	return ok
}

// appendHash adds the hash of the canonical form of doc to dst.
func appendHash(ctx context.Context, dst []byte, doc *strictjson.Object, h rdfcanon.Hash, contexts *vc.ContextSet) ([]byte, error) {
	quads, err := contexts.Documents().ToRDF(doc, nil)
	if err != nil {
		return nil, dataintegrity.RDFError(err)
	}
	if len(quads) == 0 {
		return nil, fmt.Errorf("%w: it says nothing", dataintegrity.ErrUnsignable)
	}
	canonical, err := rdfcanon.Canonicalize(ctx, quads, h)
	if err != nil {
		return nil, dataintegrity.RDFError(err)
	}
	sum := newHash(h)
	buf := make([]byte, 4096) // a hash takes no strings, and a photo is a long one
	for _, line := range canonical.Statements {
		for line != "" {
			n := copy(buf, line)
			sum.Write(buf[:n])
			line = line[n:]
		}
	}
	return sum.Sum(dst), nil
}

func newHash(h rdfcanon.Hash) hash.Hash {
	if h == rdfcanon.SHA384 {
		return sha512.New384()
	}
	return sha256.New()
}
