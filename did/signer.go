package did

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/asn1"
	"fmt"
	"io"
	"log/slog"
	"math/big"
)

// A Signer signs with a private key whose public half a DID document publishes.
// Implementations are safe for concurrent use, and Sign stops when ctx ends.
type Signer interface {
	// VerificationMethod returns the name of the key in its document.
	VerificationMethod() URL
	// Public returns the public key, of a type that [Algorithm] accepts.
	Public() crypto.PublicKey
	// Sign signs the message itself, not a digest of it, so that Ed25519 and
	// remote keys work alike. The signature is one that [VerifySignature]
	// accepts.
	Sign(ctx context.Context, message []byte) ([]byte, error)
}

// NewSigner adapts a standard library key, in memory or in hardware, named vm in
// its document. The key is Ed25519, P-256 or P-384; another is [ErrUnsupported].
// A name without a DID and a fragment, and a public key that [ParseMultikey]
// would refuse, are [ErrInvalid]. Whether the document publishes the key under
// that name is not checked. The Signer prints as its name in any format.
func NewSigner(vm URL, key crypto.Signer) (Signer, error) {
	if vm.DID.IsZero() || vm.Fragment == "" {
		return nil, fmt.Errorf("%w: a signer needs the DID and fragment of its key", ErrInvalid)
	}
	if key == nil {
		return nil, fmt.Errorf("%w: a signer needs a key", ErrInvalid)
	}
	pub := key.Public()
	if _, err := Algorithm(pub); err != nil {
		return nil, err
	}
	if err := checkKey(pub); err != nil {
		return nil, err
	}
	return &keySigner{vm: vm, pub: pub, key: key}, nil
}

// Sign signs the message with s and sees that the signature is one by its public
// key, which a machine elsewhere may have lost or changed: [ErrSignature] if not.
// For a signer by [NewSigner] whose key is in memory and of the standard library
// it need not look again, which halves the cost. It is how the packages of this
// module sign.
func Sign(ctx context.Context, s Signer, message []byte) ([]byte, error) {
	signature, err := s.Sign(ctx, message)
	if err != nil {
		return nil, err
	}
	if own, ok := s.(*keySigner); ok && own.local() {
		return signature, nil
	}
	if err := VerifySignature(s.Public(), message, signature); err != nil {
		return nil, err
	}
	return signature, nil
}

type keySigner struct {
	vm  URL
	pub crypto.PublicKey
	key crypto.Signer
}

// local reports whether the key is one in memory, which makes no signature but
// its own.
func (s *keySigner) local() bool {
	switch s.key.(type) {
	case ed25519.PrivateKey, *ecdsa.PrivateKey:
		return true
	}
	return false
}

var (
	_ Signer         = (*keySigner)(nil)
	_ fmt.Formatter  = (*keySigner)(nil)
	_ slog.LogValuer = (*keySigner)(nil)
)

func (s *keySigner) VerificationMethod() URL { return s.vm }

func (s *keySigner) Public() crypto.PublicKey { return s.pub }

// Format keeps the private key out of every fmt verb.
func (s *keySigner) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "did.Signer "+s.vm.String())
}

// LogValue keeps the private key out of every slog handler.
func (s *keySigner) LogValue() slog.Value { return slog.StringValue("did.Signer " + s.vm.String()) }

func (s *keySigner) Sign(ctx context.Context, message []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("did: signing: %w", err)
	}
	switch pub := s.pub.(type) {
	case ed25519.PublicKey:
		sig, err := s.key.Sign(rand.Reader, message, crypto.Hash(0))
		if err != nil {
			return nil, fmt.Errorf("did: signing: %w", err)
		}
		if len(sig) != ed25519.SignatureSize {
			return nil, fmt.Errorf("%w: the key made a signature of the wrong length", ErrSignature)
		}
		return sig, nil
	case *ecdsa.PublicKey:
		hash, digest := ecdsaDigest(pub, message)
		sig, err := s.key.Sign(rand.Reader, digest, hash)
		if err != nil {
			return nil, fmt.Errorf("did: signing: %w", err)
		}
		return fixedLength(sig, curveSize(pub.Curve))
	default:
		return nil, fmt.Errorf("%w: key of type %T", ErrUnsupported, pub)
	}
}

// fixedLength turns the signature of a crypto.Signer, the ASN.1 sequence of r and
// s (RFC 3279 section 2.2.3), into r and s in size bytes each (RFC 7518 section
// 3.4).
func fixedLength(der []byte, size int) ([]byte, error) {
	var sig struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &sig)
	if err != nil || len(rest) > 0 || !isDER(der, sig) || sig.R.Sign() <= 0 || sig.S.Sign() <= 0 ||
		sig.R.BitLen() > 8*size || sig.S.BitLen() > 8*size {
		return nil, fmt.Errorf("%w: the key made a malformed signature", ErrSignature)
	}
	out := make([]byte, 2*size)
	sig.R.FillBytes(out[:size])
	sig.S.FillBytes(out[size:])
	return out, nil
}

// isDER reports whether der is what v was read from and no more: Unmarshal passes
// over what stands behind the last element of a sequence.
func isDER(der []byte, v any) bool {
	again, err := asn1.Marshal(v)
	return err == nil && bytes.Equal(again, der)
}
