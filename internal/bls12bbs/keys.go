package bls12bbs

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"sync"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

// A SecretKey is an issuer's key SK, a scalar from 1 to r-1. It prints as its type
// alone in any format.
type SecretKey struct {
	s   fr.Element
	pub *PublicKey
}

// GenerateKey makes a key of 48 random bytes.
func GenerateKey() *SecretKey {
	return newSecretKey(randomScalar(rand.Reader))
}

// DeriveKey is KeyGen (section 3.4.1): a key from at least 32 secret bytes and up to
// 65,535 bytes that tell keys of one secret apart. dst is the domain separation tag
// of up to 255 bytes; empty means the draft's own. The error is [ErrKey].
func DeriveKey(material, info []byte, dst string) (*SecretKey, error) {
	if len(material) < 32 || len(info) > 65535 || len(dst) > 255 {
		return nil, ErrKey
	}
	if dst == "" {
		dst = dstKey
	}
	in := bytes.Clone(material)
	in = append(in, byte(len(info)>>8), byte(len(info)))
	s := hashToScalar(append(in, info...), dst)
	if s.IsZero() {
		return nil, ErrKey
	}
	return newSecretKey(s), nil
}

// ParseSecretKey reads the 32 bytes of a key, big end first. The error is [ErrKey].
func ParseSecretKey(b []byte) (*SecretKey, error) {
	s, ok := parseScalar(b)
	if !ok {
		return nil, ErrKey
	}
	return newSecretKey(s), nil
}

func newSecretKey(s fr.Element) *SecretKey {
	w := secretPublicPoint(&s)
	return &SecretKey{s: s, pub: newPublicKey(&w)}
}

// Bytes returns what [ParseSecretKey] reads, to be kept by a wallet.
func (k *SecretKey) Bytes() []byte { return appendScalar(nil, &k.s) }

// PublicKey is SkToPk (section 3.4.2).
func (k *SecretKey) PublicKey() *PublicKey { return k.pub }

// Format keeps the key out of every fmt verb.
func (k *SecretKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "bls12bbs.SecretKey") }

// LogValue keeps the key out of every slog handler.
func (k *SecretKey) LogValue() slog.Value { return slog.StringValue("bls12bbs.SecretKey") }

// A PublicKey is an issuer's key W, a point of G2. It keeps what it computed, so that
// one is parsed once and used often; it is safe for concurrent use.
type PublicKey struct {
	octets [PublicKeySize]byte
	lines  func() *lines
}

// lines are those of the pairing's Miller loop with a fixed point of G2.
type lines = [2][len(curve.LoopCounter) - 1]curve.LineEvaluationAff

// ParsePublicKey is octets_to_pubkey: 96 bytes, compressed, canonical, in the
// subgroup and not the identity. The error is [ErrKey].
func ParsePublicKey(b []byte) (*PublicKey, error) {
	if len(b) != PublicKeySize {
		return nil, ErrKey
	}
	var w curve.G2Affine
	// Given 96 bytes, SetBytes can read the compressed form only.
	if _, err := w.SetBytes(b); err != nil || w.IsInfinity() {
		return nil, ErrKey
	}
	return newPublicKey(&w), nil
}

func newPublicKey(w *curve.G2Affine) *PublicKey {
	point := *w
	return &PublicKey{octets: point.Bytes(), lines: sync.OnceValue(func() *lines {
		l := curve.PrecomputeLines(point)
		return &l
	})}
}

// Bytes returns the compressed form, which [ParsePublicKey] reads.
func (k *PublicKey) Bytes() []byte { return bytes.Clone(k.octets[:]) }

// Equal reports whether both are the same key.
func (k *PublicKey) Equal(other *PublicKey) bool { return k.octets == other.octets }

// baseLines are those of BP2.
var baseLines = sync.OnceValue(func() *lines {
	_, _, _, g2 := curve.Generators()
	l := curve.PrecomputeLines(g2)
	return &l
})

// paired reports whether h(p, W) * h(q, BP2) is the identity of GT.
func (k *PublicKey) paired(p, q *curve.G1Affine) bool {
	ok, err := curve.PairingCheckFixedQ([]curve.G1Affine{*p, *q}, []lines{*k.lines(), *baseLines()})
	return ok && err == nil
}
