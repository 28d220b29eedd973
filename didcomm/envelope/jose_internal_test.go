package envelope

import (
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp256k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/staffpassport/staffpassport/internal/vectors"
)

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	require.NoError(t, err)
	return b
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// RFC 7518 appendix C derives a key for direct use, with A128GCM in the place of alg.
func TestRFC7518AppendixC(t *testing.T) {
	t.Parallel()
	private, err := ecdh.P256().NewPrivateKey(unbase64(t, "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"))
	require.NoError(t, err)
	bob, err := ecdh.P256().NewPrivateKey(unbase64(t, "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"))
	require.NoError(t, err)
	z, err := private.ECDH(bob.PublicKey())
	require.NoError(t, err)
	require.Equal(t, []byte{158, 86, 217, 29, 129, 113, 53, 211}, z[:8])
	key := concatKDF(z, nil, "A128GCM", []byte("Alice"), []byte("Bob"), 128, nil)
	require.Equal(t, "VqqN6vgjbSBcIijNcacQGg", base64.RawURLEncoding.EncodeToString(key))
}

// The example of the ECDH-1PU draft 04, appendix B, which wraps with 128 bits.
func TestECDH1PUAppendixB(t *testing.T) {
	t.Parallel()
	const (
		protected  = `{"alg":"ECDH-1PU+A128KW","enc":"A256CBC-HS512","apu":"QWxpY2U","apv":"Qm9iIGFuZCBDaGFybGll","epk":{"kty":"OKP","crv":"X25519","x":"k9of_cpAajy0poW5gaixXGs9nHkwg1AFqUAFa39dyBc"}}`
		ciphertext = "Az2IWsISEMDJvyc5XRL-3-d-RgNBOGolCsxFFoUXFYw"
		tag        = "HLb4fTlm8spGmij3RyOs2gJ4DpHM4hhVRwdF_hGb3WQ"
	)
	key := func(d string) *ecdh.PrivateKey {
		k, err := ecdh.X25519().NewPrivateKey(unbase64(t, d))
		require.NoError(t, err)
		return k
	}
	alice, ephemeral := key("i9KuFhSzEBsiv3PKVL5115OCdsqQai5nj_Flzfkw5jU"), key("x8EVZH4Fwk673_mUujnliJoSrLz0zYzzCWp5GUX2fc8")
	cek := make([]byte, 64)
	for i := range cek {
		cek[i] = byte(255 - i)
	}
	iv := make([]byte, 16)
	for i := range iv {
		iv[i] = byte(i)
	}
	content, ok := contentCipherOf(A256CBCHS512)
	require.True(t, ok)
	aad := []byte(base64.RawURLEncoding.EncodeToString([]byte(protected)))
	sealed, err := content.seal(cek, iv, []byte("Three is a magic number."), aad)
	require.NoError(t, err)
	require.Equal(t, ciphertext, base64.RawURLEncoding.EncodeToString(sealed[:32]))
	require.Equal(t, tag, base64.RawURLEncoding.EncodeToString(sealed[32:]))

	for _, c := range []struct{ name, d, encryptedKey string }{
		{"Bob", "1gDirl_r_Y3-qUa3WXHgEXrrEHngWThU3c9zj9A2uBg", "pOMVA9_PtoRe7xXW1139NzzN1UhiFoio8lGto9cf0t8PyU-sjNXH8-LIRLycq8CHJQbDwvQeU1cSl55cQ0hGezJu2N9IY0QN"},
		{"Charlie", "Jcv8gklhMjC0b-lsk5onBbppWAx5ncNtbM63Jr9xBQE", "56GVudgRLIMEElQ7DpXsijJVRSWUSDNdbWkdV3g0GUNq6hcT_GkxwnxlPIWrTXCqRpVKQC8fe4z3PQ2YH2afvjQ28aiCTWFE"},
	} {
		to := key(c.d)
		z, err := ephemeral.ECDH(to.PublicKey())
		require.NoError(t, err)
		zs, err := alice.ECDH(to.PublicKey())
		require.NoError(t, err)
		kek := concatKDF(z, zs, "ECDH-1PU+A128KW", []byte("Alice"), []byte("Bob and Charlie"), 128, sealed[32:])
		wrapped, err := wrapKey(kek, cek)
		require.NoError(t, err)
		require.Equal(t, c.encryptedKey, base64.RawURLEncoding.EncodeToString(wrapped), c.name)
		unwrapped, ok := unwrapKey(kek, wrapped)
		require.True(t, ok)
		require.Equal(t, cek, unwrapped)
	}
	opened, ok := content.open(cek, iv, sealed[:32], sealed[32:], aad)
	require.True(t, ok)
	require.Equal(t, "Three is a magic number.", string(opened))
}

// RFC 3394 section 4.6: 256 bits wrapped with 256 bits.
func TestRFC3394(t *testing.T) {
	t.Parallel()
	kek := unhex(t, "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")
	cek := unhex(t, "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")
	wrapped, err := wrapKey(kek, cek)
	require.NoError(t, err)
	require.Equal(t, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21", hex.EncodeToString(wrapped))
	for i := range wrapped {
		wrapped[i] ^= 1
		_, ok := unwrapKey(kek, wrapped)
		require.False(t, ok, "byte %d", i)
		wrapped[i] ^= 1
	}
	for _, size := range []int{0, 8, 16, 39, 41} {
		_, ok := unwrapKey(kek, append(wrapped, 0)[:size])
		require.False(t, ok, "%d bytes", size)
	}
	got, ok := unwrapKey(kek, wrapped)
	require.True(t, ok)
	require.Equal(t, cek, got)
}

// A wycheproof case of authenticated encryption, in hex.
type aeadCase struct {
	ID                             int `json:"tcId"`
	Key, IV, AAD, Msg, CT, Tag     string
	Result                         string
	key, iv, aad, message, ct, tag []byte
}

func aeadCases(t *testing.T, file string, keySize, ivSize, tagSize int) (all []aeadCase) {
	t.Helper()
	var content struct {
		TestGroups []struct {
			KeySize, IVSize, TagSize int
			Tests                    []aeadCase
		}
	}
	require.NoError(t, json.Unmarshal(vectors.Read(t, "wycheproof", "testvectors_v1", file), &content))
	for _, g := range content.TestGroups {
		if g.KeySize != keySize || g.IVSize != ivSize || g.TagSize != tagSize {
			continue // sizes that no algorithm here has
		}
		for _, c := range g.Tests {
			c.key, c.iv, c.aad = unhex(t, c.Key), unhex(t, c.IV), unhex(t, c.AAD)
			c.message, c.ct, c.tag = unhex(t, c.Msg), unhex(t, c.CT), unhex(t, c.Tag)
			all = append(all, c)
		}
	}
	require.NotEmpty(t, all)
	return all
}

func TestWycheproofContent(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		file, enc                string
		keySize, ivSize, tagSize int
	}{
		{"a256cbc_hs512_test.json", A256CBCHS512, 512, 128, 256},
		{"aes_gcm_test.json", A256GCM, 256, 96, 128},
	} {
		content, ok := contentCipherOf(f.enc)
		require.True(t, ok)
		for _, c := range aeadCases(t, f.file, f.keySize, f.ivSize, f.tagSize) {
			got, ok := content.open(c.key, c.iv, append(make([]byte, 0, len(c.ct)+len(c.tag)), c.ct...), c.tag, c.aad)
			require.Equal(t, c.Result == "valid", ok, "%s %d", f.file, c.ID)
			if !ok {
				continue
			}
			require.Equal(t, string(c.message), string(got), "%s %d", f.file, c.ID)
			sealed, err := content.seal(c.key, c.iv, c.message, c.aad)
			require.NoError(t, err)
			require.Equal(t, append(c.ct, c.tag...), sealed, "%s %d", f.file, c.ID)
		}
	}
}

// The cipher of version 1, which is not ours but whose nonces and tags are set here.
func TestWycheproofContentV1(t *testing.T) {
	t.Parallel()
	for _, c := range aeadCases(t, "chacha20_poly1305_test.json", 256, 96, 128) {
		aead, err := chacha20poly1305.New(c.key)
		require.NoError(t, err)
		got, err := aead.Open(nil, c.iv, append(c.ct, c.tag...), c.aad)
		require.Equal(t, c.Result == "valid", err == nil, c.ID)
		if err == nil {
			require.Equal(t, string(c.message), string(got))
		}
	}
}

func TestContentCipherSizes(t *testing.T) {
	t.Parallel()
	for _, enc := range []string{A256CBCHS512, A256GCM, XC20P} {
		content, ok := contentCipherOf(enc)
		require.True(t, ok)
		key, iv := make([]byte, content.key), make([]byte, content.iv)
		for size := range 50 {
			message := make([]byte, size)
			sealed, err := content.seal(key, iv, message, []byte("aad"))
			require.NoError(t, err)
			ciphertext, tag := sealed[:len(sealed)-content.tag], sealed[len(sealed)-content.tag:]
			open := func(ciphertext, tag []byte, aad string) bool {
				_, ok := content.open(key, iv, append(make([]byte, 0, len(sealed)), ciphertext...), tag, []byte(aad))
				return ok
			}
			require.True(t, open(ciphertext, tag, "aad"), "%s %d", enc, size)
			require.False(t, open(ciphertext, tag, "aaD"), "%s %d", enc, size)
			require.False(t, open(append([]byte{0}, ciphertext...), tag, "aad"), "%s %d", enc, size)
			require.False(t, open(ciphertext, append([]byte{tag[0] ^ 1}, tag[1:]...), "aad"), "%s %d", enc, size)
			if len(ciphertext) > 0 {
				require.False(t, open(ciphertext[1:], tag, "aad"), "%s %d", enc, size)
			}
		}
	}
	for _, enc := range []string{"", "A128GCM", "A256GCMKW", "A128CBC-HS256", "C20P", "a256gcm"} {
		_, ok := contentCipherOf(enc)
		require.False(t, ok, enc)
	}
}

// Padding that no honest party writes, authenticated by one who has the key.
func TestContentPadding(t *testing.T) {
	t.Parallel()
	content, _ := contentCipherOf(A256CBCHS512)
	key, iv := make([]byte, content.key), make([]byte, content.iv)
	for name, last := range map[string][]byte{
		"none":      {'x', 0},
		"too long":  {17, 17},
		"different": {3, 2, 3},
		"half":      {1, 2},
	} {
		// The block before the padding of seal's own is taken for the last one.
		block := append(make([]byte, 16-len(last)), last...)
		sealed, err := content.seal(key, iv, block, nil)
		require.NoError(t, err)
		first := sealed[:16]
		tag := content.authenticator(key, iv, first, nil).Sum(nil)[:content.tag]
		_, ok := content.open(key, iv, append(make([]byte, 0, 64), first...), tag, nil)
		require.False(t, ok, name)
	}
	for _, size := range []int{0, 1, 15, 17} { // no whole blocks
		odd := make([]byte, size, 64)
		tag := content.authenticator(key, iv, odd, nil).Sum(nil)[:content.tag]
		_, ok := content.open(key, iv, odd, tag, nil)
		require.False(t, ok, "%d bytes", size)
	}
}

// ES256K is verified only. The appendix has a good signature.
func TestVerifyES256K(t *testing.T) {
	t.Parallel()
	key := secp256k1.PrivKeyFromBytes(unhex(t, "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"))
	point := key.PubKey().SerializeUncompressed()
	encode := base64.RawURLEncoding.EncodeToString
	jwk := `{"kty":"EC","crv":"secp256k1","x":"` + encode(point[1:33]) + `","y":"` + encode(point[33:]) + `"}`
	input := []byte("river")
	digest := sha256.Sum256(input)
	compact := secp256k1ecdsa.SignCompact(key, digest[:], false)
	good := compact[1:]
	require.True(t, verifyES256K([]byte(jwk), input, good))

	// RFC 7515 does not ask for the lower of the two values that s may have.
	var s secp256k1.ModNScalar
	s.SetByteSlice(good[32:])
	s.Negate()
	high := s.Bytes()
	require.True(t, verifyES256K([]byte(jwk), input, slices.Concat(good[:32], high[:])))

	order := unhex(t, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	zero := make([]byte, 32)
	for name, signature := range map[string][]byte{
		"r zero": slices.Concat(zero, good[32:]), "s zero": slices.Concat(good[:32], zero), "both zero": make([]byte, 64),
		"r the order": slices.Concat(order, good[32:]), "s the order": slices.Concat(good[:32], order),
		"short": good[:63], "long": append(slices.Clone(good), 0), "empty": nil, "compact": compact, "swapped": slices.Concat(good[32:], good[:32]),
	} {
		require.False(t, verifyES256K([]byte(jwk), input, signature), name)
	}
	require.False(t, verifyES256K([]byte(jwk), []byte("River"), good))
	for name, bad := range map[string]string{
		"P-256":     strings.Replace(jwk, "secp256k1", "P-256", 1),
		"kty":       strings.Replace(jwk, `"EC"`, `"OKP"`, 1),
		"no y":      strings.Replace(jwk, `"y"`, `"z"`, 1),
		"not on it": `{"kty":"EC","crv":"secp256k1","x":"` + encode(point[33:]) + `","y":"` + encode(point[1:33]) + `"}`,
		"zero":      `{"kty":"EC","crv":"secp256k1","x":"` + encode(zero) + `","y":"` + encode(zero) + `"}`,
		"a text":    `"x"`,
	} {
		require.False(t, verifyES256K([]byte(bad), input, good), name)
	}
}
