// Package diproof makes and checks the proofs of the Data Integrity suites that
// canonicalise with JCS, over plain functions that sign and verify, so that
// credentials and DID logs can share it.
//
// [Create] and [Verify] are sections 3.3.1 and 3.3.2 of Data Integrity EdDSA
// Cryptosuites v1.0 and of Data Integrity ECDSA Cryptosuites v1.0
// (Recommendations of 15 May 2025), with [HashData] as sections 3.3.3 to 3.3.5.
// They look at the cryptography alone: whose key it is, what the proof is for,
// when it was made and which contexts are acceptable is the caller's business.
//
//	signature over  hash(JCS(proof without proofValue)) || hash(JCS(document without proof))
package diproof

import (
	"crypto/sha256"
	"crypto/sha512"
	"errors"

	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

// Type is the type of every proof made by a suite with a name (VC Data Integrity
// 1.0, section 3.1).
const Type = "DataIntegrityProof"

var (
	// ErrOptions says that a proof's type, cryptosuite or created member is
	// missing or wrong.
	ErrOptions = errors.New("diproof: malformed proof options")
	// ErrContext says that the document's @context does not start with the
	// entries of the proof's @context.
	ErrContext = errors.New("diproof: @context of the proof is not that of the document")
	// ErrValue says that proofValue is not base58btc in multibase.
	ErrValue = errors.New("diproof: malformed proofValue")
)

// A Suite is the name of a suite as a proof's cryptosuite member has it, and its
// hash function.
type Suite struct {
	Name string
	Hash Hash
}

// A Hash is a hash function of a suite.
type Hash int

// SHA256 is for Ed25519 and P-256, SHA384 for P-384.
const (
	SHA256 Hash = iota
	SHA384
)

// append adds the digest of data to dst.
func (h Hash) append(dst, data []byte) []byte {
	if h == SHA384 {
		sum := sha512.Sum384(data)
		return append(dst, sum[:]...)
	}
	sum := sha256.Sum256(data)
	return append(dst, sum[:]...)
}

// Create returns the proof over doc that options describe: options, which it takes
// over, with the document's @context and a proofValue. Sign is called once, with
// the result of [HashData]. Errors match [ErrOptions], or are
// those of sign and of canonicalisation.
func Create(doc, options *strictjson.Object, suite Suite, sign func(hashData []byte) ([]byte, error)) (*strictjson.Object, error) {
	proof := options
	proof.Grow(2)
	if context, ok := doc.Get("@context"); ok {
		proof.Set("@context", context)
	}
	if err := checkOptions(proof, suite.Name); err != nil {
		return nil, err
	}
	if _, ok := proof.Get("proofValue"); ok {
		return nil, ErrOptions
	}
	data, err := HashData(doc, proof, suite.Hash)
	if err != nil {
		return nil, err
	}
	signature, err := sign(data)
	if err != nil {
		return nil, err
	}
	proof.Set("proofValue", multiformat.Encode(signature))
	return proof, nil
}

// Verify checks proof over doc, which is the secured document without this proof
// (a proof chain leaves in it the proofs that this one depends on). It calls
// verify once and returns the document that was signed, which differs from doc if
// contexts were appended to it later and is doc itself otherwise. Neither argument
// is changed.
//
// Errors match [ErrOptions], [ErrContext] or [ErrValue], or are those of verify
// and of canonicalisation.
func Verify(doc, proof *strictjson.Object, suite Suite, verify func(hashData, signature []byte) error) (*strictjson.Object, error) {
	options := proof.Clone()
	options.Delete("proofValue")
	if err := checkOptions(options, suite.Name); err != nil {
		return nil, err
	}
	value, _ := proof.Text("proofValue")
	if value == "" || value[0] != 'z' { // the only base the suite allows (section 2.2.1)
		return nil, ErrValue
	}
	signature, err := multiformat.Decode(value, multiformat.MaxKey)
	if err != nil {
		return nil, ErrValue
	}
	signed, err := signedDocument(doc, options)
	if err != nil {
		return nil, err
	}
	data, err := HashData(signed, options, suite.Hash)
	if err != nil {
		return nil, err
	}
	if err := verify(data, signature); err != nil {
		return nil, err
	}
	return signed, nil
}

// HashData returns what a proof signs (sections 3.3.3 to 3.3.5): the hash of the
// canonical options followed by that of the canonical document, 64 or 96 bytes.
// Options are the proof without its proofValue.
func HashData(doc, options *strictjson.Object, h Hash) ([]byte, error) {
	buf, err := jcs.Append(make([]byte, 0, 4096), options)
	if err != nil {
		return nil, err
	}
	data := h.append(make([]byte, 0, 2*sha512.Size384), buf)
	if buf, err = jcs.Append(buf[:0], doc); err != nil {
		return nil, err
	}
	return h.append(data, buf), nil
}

// checkOptions is section 3.3.5, steps 2 and 3.
func checkOptions(options *strictjson.Object, suite string) error {
	if typ, _ := options.Text("type"); typ != Type {
		return ErrOptions
	}
	if name, _ := options.Text("cryptosuite"); name != suite {
		return ErrOptions
	}
	if v, ok := options.Get("created"); ok {
		s, _ := v.(string)
		// An XML Schema dateTime has an optional zone; what is signed here has
		// one, so that a proof's age is never a matter of opinion.
		if _, err := xsd.ParseDateTimeStamp(s); err != nil {
			return ErrOptions
		}
	}
	return nil
}

// signedDocument is section 3.3.2, step 4: the proof covers the document with the
// proof's own @context.
func signedDocument(doc, options *strictjson.Object) (*strictjson.Object, error) {
	context, ok := options.Get("@context")
	if !ok {
		return doc, nil
	}
	received, _ := doc.Get("@context")
	same, err := startsWith(entries(received), entries(context))
	if err != nil {
		return nil, err
	}
	if !same {
		return nil, ErrContext
	}
	if strictjson.Equal(received, context) {
		return doc, nil
	}
	signed := doc.Clone()
	signed.Set("@context", context)
	return signed, nil
}

func entries(context any) []any {
	switch v := context.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{context}
}

func startsWith(list, prefix []any) (bool, error) {
	if len(list) < len(prefix) {
		return false, nil
	}
	for i, p := range prefix {
		if s, ok := p.(string); ok {
			if s != list[i] {
				return false, nil
			}
			continue
		}
		a, err := jcs.Append(nil, p)
		if err != nil {
			return false, err
		}
		b, err := jcs.Append(nil, list[i])
		if err != nil || string(a) != string(b) {
			return false, err
		}
	}
	return true, nil
}
