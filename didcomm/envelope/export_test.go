package envelope

import "crypto/ecdh"

// Limits that tests stand on both sides of.
const (
	MaxHeader     = maxHeader
	MaxKeyURL     = maxKeyURL
	MaxCached     = maxCached
	MaxCachedDID  = maxCachedDID
	MaxCachedDIDs = maxCachedDIDs
	MaxEscaped    = maxEscaped
)

// Forge encrypts one layer of version 2 to one recipient under a header of the caller's,
// which says something else perhaps than what is done here.
func Forge(plaintext []byte, enc, alg string, header, apu, apv []byte, ephemeral, sender *ecdh.PrivateKey, to *ecdh.PublicKey) (encryptedKey, iv, ciphertext, tag []byte, err error) {
	content, _ := contentCipherOf(enc)
	cek, iv := make([]byte, content.key), make([]byte, content.iv)
	sealed, err := content.seal(cek, iv, plaintext, header)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	ciphertext, tag = sealed[:len(sealed)-content.tag], sealed[len(sealed)-content.tag:]
	ze, err := ephemeral.ECDH(to)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	var zs, boundTag []byte
	if sender != nil {
		if zs, err = sender.ECDH(to); err != nil {
			return nil, nil, nil, nil, err
		}
		boundTag = tag
	}
	encryptedKey, err = wrapKey(concatKDF(ze, zs, alg, apu, apv, kekBits, boundTag), cek)
	return encryptedKey, iv, ciphertext, tag, err
}

// Cached returns how much a cache holds.
func Cached(c *Cache) (secrets, documents int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.secrets), len(c.documents)
}
