package bbs

import (
	"context"
	"crypto"
	"fmt"
	"io"
	"log/slog"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/bls12bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// A Signer signs lists of messages with a BBS key (draft-irtf-cfrg-bbs-signatures,
// ciphersuite BLS12-381-SHA-256). Its Public is a did.BLS12381G2, and its Sign, for
// which such keys have no algorithm, fails. Implementations are safe for concurrent
// use, and SignMessages stops when ctx ends.
type Signer interface {
	did.Signer
	// SignMessages returns the 80 bytes of a signature over up to 512 messages and a
	// header.
	SignMessages(ctx context.Context, header []byte, messages [][]byte) ([]byte, error)
}

// GenerateKey makes a key pair: the public key, to be published in a DID document,
// and the 32 bytes of the secret one, which [NewSigner] takes and a wallet keeps.
func GenerateKey() (public did.BLS12381G2, secret []byte) {
	k := bls12bbs.GenerateKey()
	return did.BLS12381G2(k.PublicKey().Bytes()), k.Bytes()
}

// NewSigner returns the Signer for the 32 bytes of a secret key, a number from 1 to
// r-1 with the big end first, named vm in its DID document. A name without a DID and
// a fragment, and bytes that are no key, are did.ErrInvalid. Whether the document
// publishes the key under that name is not checked. The Signer prints as its name in
// any format.
func NewSigner(vm did.URL, secret []byte) (Signer, error) {
	if vm.DID.IsZero() || vm.Fragment == "" {
		return nil, fmt.Errorf("%w: a signer needs the DID and fragment of its key", did.ErrInvalid)
	}
	key, err := bls12bbs.ParseSecretKey(secret)
	if err != nil {
		return nil, fmt.Errorf("%w: not a BBS secret key", did.ErrInvalid)
	}
	return &keySigner{vm, key}, nil
}

type keySigner struct {
	vm  did.URL
	key *bls12bbs.SecretKey
}

var (
	_ Signer         = (*keySigner)(nil)
	_ fmt.Formatter  = (*keySigner)(nil)
	_ slog.LogValuer = (*keySigner)(nil)
)

func (s *keySigner) VerificationMethod() did.URL { return s.vm }

func (s *keySigner) Public() crypto.PublicKey {
	return did.BLS12381G2(s.key.PublicKey().Bytes())
}

func (s *keySigner) Sign(context.Context, []byte) ([]byte, error) {
	return nil, fmt.Errorf("%w: a BBS key signs lists of messages only", did.ErrUnsupported)
}

func (s *keySigner) SignMessages(ctx context.Context, header []byte, messages [][]byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("bbs: signing: %w", err)
	}
	signature, err := bls12bbs.Scheme{}.Sign(s.key, header, messages)
	return signature, wrap(err)
}

// Format keeps the secret key out of every fmt verb.
func (s *keySigner) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "bbs.Signer "+s.vm.String())
}

// LogValue keeps the secret key out of every slog handler.
func (s *keySigner) LogValue() slog.Value { return slog.StringValue("bbs.Signer " + s.vm.String()) }

// sign signs with s and sees that the signature is one by its public key, which a
// machine elsewhere may have lost or changed. A key in memory needs no second look.
func sign(ctx context.Context, s Signer, header []byte, messages [][]byte) ([]byte, error) {
	signature, err := s.SignMessages(ctx, header, messages)
	if err != nil {
		return nil, err
	}
	if _, own := s.(*keySigner); own {
		return signature, nil
	}
	octets, ok := s.Public().(did.BLS12381G2)
	if !ok {
		return nil, dataintegrity.ErrKey
	}
	key, err := bls12bbs.ParsePublicKey(octets[:])
	if err != nil {
		return nil, dataintegrity.ErrKey
	}
	return signature, wrap(bls12bbs.Scheme{}.Verify(key, signature, header, messages))
}
