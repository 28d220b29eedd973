package envelope

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/naclbox"
)

// The names that RFC 0019 gives its parts. The cipher is ChaCha20-Poly1305 with a
// nonce of 12 bytes (RFC 8439) under both names.
const (
	typV1        = "JWM/1.0"
	algAuthcrypt = "Authcrypt"
	algAnoncrypt = "Anoncrypt"
	encEmitted   = "xchacha20poly1305_ietf"
	encAccepted  = "chacha20poly1305_ietf"
)

const cekSize = chacha20poly1305.KeySize

// PackV1 encrypts plaintext from one of the party's own keys to the keys of a
// recipient (RFC 0019, "Authcrypt pack algorithm"). A recipient key that
// [did.ParseMultikey] would refuse, none, more than [MaxRecipients], one named
// twice, and a plaintext too large for [didcomm.MaxEnvelope] match
// [didcomm.ErrPermanent]; other errors are those of [Keys] and the random source.
func (p *Packer) PackV1(ctx context.Context, plaintext []byte, from ed25519.PublicKey, to ...ed25519.PublicKey) ([]byte, error) {
	if len(from) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: envelope: sender key", didcomm.ErrPermanent)
	}
	return p.pack(ctx, plaintext, from, to)
}

// PackAnonymousV1 encrypts plaintext without naming a sender (RFC 0019,
// "Anoncrypt pack algorithm"), as is right for what mediators forward. Errors are
// those of [Packer.PackV1].
func (p *Packer) PackAnonymousV1(ctx context.Context, plaintext []byte, to ...ed25519.PublicKey) ([]byte, error) {
	return p.pack(ctx, plaintext, nil, to)
}

func (p *Packer) pack(ctx context.Context, plaintext []byte, from ed25519.PublicKey, to []ed25519.PublicKey) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkRecipients(to); err != nil {
		return nil, err
	}
	if len(plaintext) > didcomm.MaxEnvelope {
		return nil, fmt.Errorf("%w: envelope: plaintext too large", didcomm.ErrPermanent)
	}
	var secret struct {
		cek [cekSize]byte
		iv  [chacha20poly1305.NonceSize]byte
	}
	if err := p.read(secret.cek[:], secret.iv[:]); err != nil {
		return nil, err
	}
	protected, err := p.protectedHeader(ctx, secret.cek[:], from, to)
	if err != nil {
		return nil, err
	}
	envelope, err := seal(plaintext, protected, &secret.cek, secret.iv[:])
	if err == nil && len(envelope) > didcomm.MaxEnvelope {
		return nil, fmt.Errorf("%w: envelope: plaintext too large", didcomm.ErrPermanent)
	}
	return envelope, err
}

func checkRecipients(to []ed25519.PublicKey) error {
	if len(to) == 0 || len(to) > MaxRecipients {
		return fmt.Errorf("%w: envelope: %d recipients", didcomm.ErrPermanent, len(to))
	}
	for i, verkey := range to {
		if _, err := did.X25519(verkey); err != nil {
			return fmt.Errorf("%w: envelope: recipient key: %w", didcomm.ErrPermanent, err)
		}
		for _, other := range to[:i] {
			if other.Equal(verkey) {
				return fmt.Errorf("%w: envelope: recipient named twice", didcomm.ErrPermanent)
			}
		}
	}
	return nil
}

// protectedHeader returns the JSON of the protected header (RFC 0019, "pack
// output format"), without a sender where from is nil. Every value is of an
// alphabet that JSON needs no escapes for.
func (p *Packer) protectedHeader(ctx context.Context, cek []byte, from ed25519.PublicKey, to []ed25519.PublicKey) ([]byte, error) {
	alg := algAuthcrypt
	if from == nil {
		alg = algAnoncrypt
	}
	h := make([]byte, 0, 128+384*len(to))
	h = append(h, `{"enc":"`+encEmitted+`","typ":"`+typV1+`","alg":"`+alg+`","recipients":[`...)
	for i, verkey := range to {
		if i > 0 {
			h = append(h, ',')
		}
		h = append(h, `{"encrypted_key":"`...)
		kid := multiformat.Base58(verkey)
		if from == nil {
			sealed, err := naclbox.SealAnonymous(p.random(), verkey, cek)
			if err != nil {
				return nil, fmt.Errorf("envelope: %w", err)
			}
			h = base64.URLEncoding.AppendEncode(h, sealed)
			h = append(h, `","header":{"kid":"`+kid...)
		} else {
			var nonce [24]byte
			if err := p.read(nonce[:]); err != nil {
				return nil, err
			}
			encrypted, err := p.Keys.SealBox(ctx, from, verkey, &nonce, cek)
			if err != nil {
				return nil, fmt.Errorf("envelope: sealing with the sender's key: %w", err)
			}
			sender, err := naclbox.SealAnonymous(p.random(), verkey, []byte(multiformat.Base58(from)))
			if err != nil {
				return nil, fmt.Errorf("envelope: %w", err)
			}
			h = base64.URLEncoding.AppendEncode(h, encrypted)
			h = append(h, `","header":{"kid":"`+kid+`","iv":"`...)
			h = base64.URLEncoding.AppendEncode(h, nonce[:])
			h = append(h, `","sender":"`...)
			h = base64.URLEncoding.AppendEncode(h, sender)
		}
		h = append(h, `"}}`...)
	}
	return append(h, `]}`...), nil
}

// seal encrypts the plaintext and assembles the envelope.
func seal(plaintext, protected []byte, cek *[cekSize]byte, iv []byte) ([]byte, error) {
	aead, err := chacha20poly1305.New(cek[:])
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	const names = len(`{"protected":"","iv":"","ciphertext":"","tag":""}`)
	enc := base64.URLEncoding
	out := make([]byte, 0, names+enc.EncodedLen(len(protected))+
		enc.EncodedLen(len(iv))+enc.EncodedLen(len(plaintext))+enc.EncodedLen(aead.Overhead()))
	out = append(out, `{"protected":"`...)
	start := len(out)
	out = enc.AppendEncode(out, protected)
	ciphertext := aead.Seal(make([]byte, 0, len(plaintext)+aead.Overhead()), iv, plaintext, out[start:])
	out = append(out, `","iv":"`...)
	out = enc.AppendEncode(out, iv)
	out = append(out, `","ciphertext":"`...)
	out = enc.AppendEncode(out, ciphertext[:len(plaintext)])
	out = append(out, `","tag":"`...)
	out = enc.AppendEncode(out, ciphertext[len(plaintext):])
	return append(out, `"}`...), nil
}

func (p *Packer) read(parts ...[]byte) error {
	for _, part := range parts {
		if _, err := io.ReadFull(p.random(), part); err != nil {
			return fmt.Errorf("envelope: randomness: %w", err)
		}
	}
	return nil
}
