package didcommnode

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

// What is here opens a layer to look into it. It is written from RFC 7518 and the ECDH-1PU
// draft and uses nothing of what it tests.

// agreeWith returns the key that wraps the content's: Concat KDF of Ze, and of Zs and the
// tag if there is a sender.
func (me *party) agreeWith(t *testing.T, epk map[string]string, from *party, apv, tag []byte) []byte {
	t.Helper()
	var point []byte
	if epk["crv"] == "P-256" {
		point = []byte{4}
	}
	for _, name := range []string{"x", "y"} {
		b, err := base64.RawURLEncoding.DecodeString(epk[name])
		require.NoError(t, err)
		point = append(point, b...)
	}
	ephemeral, err := me.agreement.Curve().NewPublicKey(point)
	require.NoError(t, err)
	exchange := func(pub *ecdh.PublicKey) []byte {
		z, err := me.agreement.ECDH(pub)
		require.NoError(t, err)
		return z
	}
	input := append([]byte{0, 0, 0, 1}, exchange(ephemeral)...)
	alg, apu := "ECDH-ES+A256KW", ""
	if from != nil {
		alg, apu = "ECDH-1PU+A256KW", from.agree
		input = append(input, exchange(from.agreement.PublicKey())...)
	}
	part := func(b []byte) {
		input = append(binary.BigEndian.AppendUint32(input, uint32(len(b))), b...)
	}
	part([]byte(alg))
	part([]byte(apu))
	part(apv)
	input = binary.BigEndian.AppendUint32(input, 256)
	if from != nil {
		part(tag)
	}
	key := sha256.Sum256(input)
	return key[:]
}

// unwrap is the inverse of the key wrap of RFC 3394 section 2.2.2.
func unwrap(t *testing.T, kek, wrapped []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(kek)
	require.NoError(t, err)
	out := slices.Clone(wrapped)
	n := uint64(len(out)/8 - 1)
	var b [16]byte
	for step := 6 * n; step > 0; step-- {
		r := out[8*((step-1)%n+1):][:8]
		binary.BigEndian.PutUint64(b[:], binary.BigEndian.Uint64(out)^step)
		copy(b[8:], r)
		block.Decrypt(b[:], b[:])
		copy(out, b[:8])
		copy(r, b[8:])
	}
	require.Equal(t, uint64(0xa6a6a6a6a6a6a6a6), binary.BigEndian.Uint64(out))
	return out[8:]
}

// open decrypts content.
func open(t *testing.T, enc string, key, iv, ciphertext, tag, aad []byte) []byte {
	t.Helper()
	if enc == envelope.A256CBCHS512 {
		mac := hmac.New(sha512.New, key[:32])
		mac.Write(slices.Concat(aad, iv, ciphertext, binary.BigEndian.AppendUint64(nil, 8*uint64(len(aad)))))
		require.Equal(t, tag, mac.Sum(nil)[:32])
		block, err := aes.NewCipher(key[32:])
		require.NoError(t, err)
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(ciphertext, ciphertext)
		return ciphertext[:len(ciphertext)-int(ciphertext[len(ciphertext)-1])]
	}
	aead, err := chacha20poly1305.NewX(key)
	if enc == envelope.A256GCM {
		var block cipher.Block
		block, err = aes.NewCipher(key)
		require.NoError(t, err)
		aead, err = cipher.NewGCM(block)
	}
	require.NoError(t, err)
	plaintext, err := aead.Open(nil, iv, append(ciphertext, tag...), aad)
	require.NoError(t, err)
	return plaintext
}
