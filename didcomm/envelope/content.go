package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// A contentCipher is a content encryption algorithm with the sizes of its key,
// initialisation vector and tag in bytes.
type contentCipher struct {
	key, iv, tag int
	aead         func(key []byte) (cipher.AEAD, error) // nil: AES-CBC with HMAC
}

// contentCipherOf returns the algorithm that enc names ("Curves and Content Encryption
// Algorithms").
func contentCipherOf(enc string) (contentCipher, bool) {
	switch enc {
	case A256CBCHS512: // RFC 7518 section 5.2.5
		return contentCipher{key: 64, iv: aes.BlockSize, tag: sha512.Size / 2}, true
	case A256GCM: // RFC 7518 section 5.3
		return contentCipher{key: 32, iv: 12, tag: 16, aead: newGCM}, true
	case XC20P: // XChaCha20-Poly1305 of the JOSE draft of Amringer
		return contentCipher{key: 32, iv: chacha20poly1305.NonceSizeX, tag: chacha20poly1305.Overhead, aead: chacha20poly1305.NewX}, true
	default:
		return contentCipher{}, false
	}
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal returns the ciphertext with the tag behind it.
func (c contentCipher) seal(key, iv, plaintext, aad []byte) ([]byte, error) {
	if c.aead != nil {
		aead, err := c.aead(key)
		if err != nil {
			return nil, err
		}
		return aead.Seal(make([]byte, 0, len(plaintext)+c.tag), iv, plaintext, aad), nil
	}
	block, err := aes.NewCipher(key[32:])
	if err != nil {
		return nil, err
	}
	// PKCS #7: one to sixteen bytes, each of them their number.
	pad := aes.BlockSize - len(plaintext)%aes.BlockSize
	out := make([]byte, len(plaintext)+pad, len(plaintext)+pad+c.tag+sha512.Size)
	copy(out, plaintext)
	for i := len(plaintext); i < len(out); i++ {
		out[i] = byte(pad)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return c.authenticator(key, iv, out, aad).Sum(out)[:len(out)+c.tag], nil
}

// open decrypts ciphertext in place.
func (c contentCipher) open(key, iv, ciphertext, tag, aad []byte) ([]byte, bool) {
	if c.aead != nil {
		aead, err := c.aead(key)
		if err != nil {
			return nil, false
		}
		sealed := append(ciphertext, tag...) // there is room
		plaintext, err := aead.Open(sealed[:0], iv, sealed, aad)
		return plaintext, err == nil
	}
	if subtle.ConstantTimeCompare(c.authenticator(key, iv, ciphertext, aad).Sum(nil)[:c.tag], tag) != 1 {
		return nil, false
	}
	// From here on the bytes are those of somebody who has the key: how the padding
	// is wrong tells nothing to anybody else.
	if len(ciphertext) == 0 || len(ciphertext)%aes.BlockSize != 0 {
		return nil, false
	}
	block, err := aes.NewCipher(key[32:])
	if err != nil {
		return nil, false
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(ciphertext, ciphertext)
	pad := int(ciphertext[len(ciphertext)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, false
	}
	plaintext := ciphertext[:len(ciphertext)-pad]
	for _, b := range ciphertext[len(plaintext):] {
		if int(b) != pad {
			return nil, false
		}
	}
	return plaintext, true
}

// authenticator has read what the tag of AES-CBC with HMAC covers (RFC 7518 section
// 5.2.2.1, steps 4 and 5).
func (c contentCipher) authenticator(key, iv, ciphertext, aad []byte) hash.Hash {
	mac := hmac.New(sha512.New, key[:32])
	var bits [8]byte
	binary.BigEndian.PutUint64(bits[:], 8*uint64(len(aad)))
	mac.Write(aad)
	mac.Write(iv)
	mac.Write(ciphertext)
	mac.Write(bits[:])
	return mac
}
