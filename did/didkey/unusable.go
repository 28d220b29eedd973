package didkey

import (
	"crypto/elliptic"
	"crypto/x509"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// unusable returns the document of a key that this module has no algorithm for. The
// bytes must be a key all the same (Signature Method Creation Algorithm, step 4),
// except that nobody looks whether a point of BLS12-381 is on its curve.
func unusable(id did.DID) (*did.Document, error) {
	raw, err := multiformat.Decode(id.SpecificID(), multiformat.MaxKey)
	if err != nil {
		return nil, fmt.Errorf("%w: Multikey is too long or not base58btc", did.ErrInvalid)
	}
	codec, key, err := multiformat.SplitCodec(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: Multikey without a codec", did.ErrInvalid)
	}
	signing := []did.Relationship{did.Authentication, did.AssertionMethod, did.CapabilityInvocation, did.CapabilityDelegation}
	both := append(signing[:len(signing):len(signing)], did.KeyAgreement)
	switch codec {
	case multiformat.Secp256k1Public:
		if _, err := secp256k1.ParsePubKey(key); err != nil || len(key) != secp256k1.PubKeyBytesLenCompressed {
			return nil, fmt.Errorf("%w: not a compressed point of secp256k1", did.ErrInvalid)
		}
		return listed(id, both, id.SpecificID())
	case multiformat.P521Public:
		if x, _ := elliptic.UnmarshalCompressed(elliptic.P521(), key); x == nil {
			return nil, fmt.Errorf("%w: not a compressed point of the curve", did.ErrInvalid)
		}
		return listed(id, both, id.SpecificID())
	case multiformat.RSAPublic:
		if _, err := x509.ParsePKCS1PublicKey(key); err != nil {
			return nil, fmt.Errorf("%w: not an RSA key in PKCS #1", did.ErrInvalid)
		}
		return listed(id, both, id.SpecificID())
	case multiformat.BLS12381G1Public:
		if err := checkG1(key); err != nil {
			return nil, err
		}
		return listed(id, signing, id.SpecificID())
	case multiformat.BLS12381G1G2Public:
		return pair(id, signing, key)
	default:
		return nil, fmt.Errorf("%w: Multikey codec %#x", did.ErrUnsupported, uint64(codec))
	}
}

// sizeG1 is the length of a compressed point of the group G1 of BLS12-381.
const sizeG1 = 48

// pair returns the document of a key that is a point of each group of BLS12-381. They
// are two keys, each with its own Multikey; the second is one that BBS is verified
// with.
func pair(id did.DID, rels []did.Relationship, key []byte) (*did.Document, error) {
	if len(key) != sizeG1+len(did.BLS12381G2{}) {
		return nil, fmt.Errorf("%w: a pair of BLS12-381 keys has 144 bytes", did.ErrInvalid)
	}
	g1, g2 := key[:sizeG1], key[sizeG1:]
	if err := checkG1(g1); err != nil {
		return nil, err
	}
	first := multiformat.Encode(append(multiformat.AppendCodec(nil, multiformat.BLS12381G1Public), g1...))
	second, err := did.Multikey(did.BLS12381G2(g2))
	if err != nil {
		return nil, err
	}
	return listed(id, rels, first, second)
}

// checkG1 refuses what is, by its first bits, no compressed point, or the identity.
func checkG1(key []byte) error {
	const compressed, identity = 0x80, 0x40
	if len(key) != sizeG1 || key[0]&(compressed|identity) != compressed {
		return fmt.Errorf("%w: not a compressed point of BLS12-381 G1", did.ErrInvalid)
	}
	return nil
}

// listed returns the document of Multikeys, each authorised for rels.
func listed(id did.DID, rels []did.Relationship, multikeys ...string) (*did.Document, error) {
	var methods, names []any
	for _, multikey := range multikeys {
		name := id.URL(multikey).String()
		names = append(names, name)
		methods = append(methods, strictjson.NewObject(
			strictjson.Member{Name: "id", Value: name},
			strictjson.Member{Name: "type", Value: "Multikey"},
			strictjson.Member{Name: "controller", Value: id.String()},
			strictjson.Member{Name: "publicKeyMultibase", Value: multikey},
		))
	}
	tree := strictjson.NewObject(
		strictjson.Member{Name: "@context", Value: []any{"https://www.w3.org/ns/did/v1.1"}},
		strictjson.Member{Name: "id", Value: id.String()},
		strictjson.Member{Name: "verificationMethod", Value: methods},
	)
	for _, rel := range rels {
		tree.Set(string(rel), names)
	}
	data, err := strictjson.Append(nil, tree)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", did.ErrInvalid, errtext.Below(err))
	}
	return did.ParseDocument(data)
}
