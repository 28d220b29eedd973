package did_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// Keys of CID section 2.2.2, of the did:key method and of its test vectors.
const (
	multikeyEd25519 = "z6MkmM42vxfqZQsv4ehtTjFFxQ4sQKS2w6WR7emozFAn5cxu"
	multikeyX25519  = "z6LSj72tK8brWgZja8NLRwPigth2T9QRiG1uH9oKZuKjdh9p"
	multikeyP256    = "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"
	multikeyP384    = "z82LkvCwHNreneWpsgPEbV3gu1C6NFJEBg4srfJ5gdxEsMGRJUz2sG9FE42shbn2xkZJh54"
)

// keyHex returns a key's bytes in hexadecimal; for a curve of NIST the
// uncompressed point.
func keyHex(t *testing.T, pub crypto.PublicKey) string {
	t.Helper()
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		return hex.EncodeToString(pub)
	case *ecdh.PublicKey:
		return hex.EncodeToString(pub.Bytes())
	case did.BLS12381G2:
		return hex.EncodeToString(pub[:])
	case *ecdsa.PublicKey:
		point, err := pub.Bytes()
		require.NoError(t, err)
		return hex.EncodeToString(point)
	}
	t.Fatalf("key of type %T", pub)
	return ""
}

func TestParseMultikey(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, hex string }{
		"Ed25519": {multikeyEd25519, "666abe089035ed4a45795989fa720a0ee0c48549e84523485c56f1c81b4287a6"},
		"X25519":  {multikeyX25519, "6e5ff79202a9cfd8e0b20df9d0236e1dafe440bdc1eb41a2fbdf1699d416da1f"},
		"P-256": {multikeyP256, "04" + "8a0ac59a2d3086e8a12a78fd4773a6d52a0ca61ef6c1419e15a05bcc6dafce7b" +
			"79fb17e5bd74c7cca3cab8f89f2de919f2dc63b5dbcb52b382a39daa7b2b2483"},
		"P-384": {multikeyP384, "04" +
			"080fa23681c383594bf29bd7dddd6ebc4c7355f0b3ed19fab56efcd546fc2b932b0dfd8830fc8bd114c389a2c70b5253" +
			"2a99eb9fc0e45d40f781ee261718be0caaf40d83b62ae25dc0d06b8732d1b5f31add614c64188f2943df263f1d60d97f"},
	} {
		pub, err := did.ParseMultikey(tt.in)
		require.NoError(t, err, name)
		require.Equal(t, tt.hex, keyHex(t, pub), name)
		again, err := did.Multikey(pub)
		require.NoError(t, err, name)
		require.Equal(t, tt.in, again, name)
	}
}

func TestParseMultikeyRefuses(t *testing.T) {
	t.Parallel()
	with := func(codec uint64, n int) string {
		return multiformat.Encode(append(multiformat.AppendCodec(nil, multiformat.Codec(codec)), make([]byte, n)...))
	}
	raw, err := multiformat.Decode(multikeyEd25519, multiformat.MaxKey)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		in   string
		want error
	}{
		"nothing":                   {"", did.ErrInvalid},
		"prefix only":               {"z", did.ErrInvalid},
		"no prefix":                 {multikeyEd25519[1:], did.ErrInvalid},
		"base64url":                 {multiformat.EncodeBase64URL(raw), did.ErrInvalid},
		"hexadecimal":               {"f" + hex.EncodeToString(raw), did.ErrInvalid},
		"bad character":             {"z0" + multikeyEd25519[2:], did.ErrInvalid},
		"leading zero byte":         {"z1" + multikeyEd25519[1:], did.ErrUnsupported},               // codec 0
		"one character less":        {multikeyEd25519[:len(multikeyEd25519)-1], did.ErrUnsupported}, // another number, so another codec
		"one byte less":             {multiformat.Encode(raw[:len(raw)-1]), did.ErrInvalid},
		"one byte more":             {multiformat.Encode(append(raw, 0)), did.ErrInvalid},
		"codec cut short":           {multiformat.Encode([]byte{0xed}), did.ErrInvalid},
		"codec not minimal":         {multiformat.Encode(append([]byte{0xed, 0x81, 0x00}, raw[2:]...)), did.ErrInvalid},
		"codec without key":         {with(0xed, 0), did.ErrInvalid},
		"too long":                  {"z" + strings.Repeat("6", 1<<10), did.ErrInvalid},
		"space":                     {" " + multikeyEd25519, did.ErrInvalid},
		"a DID":                     {"did:key:" + multikeyEd25519, did.ErrInvalid},
		"private Ed25519 key":       {with(0x1300, 32), did.ErrInvalid},
		"private X25519 key":        {with(0x1302, 32), did.ErrInvalid},
		"private P-256 key":         {with(0x1306, 32), did.ErrInvalid},
		"private P-384 key":         {with(0x1307, 48), did.ErrInvalid},
		"private BLS key":           {with(0x130a, 32), did.ErrInvalid},
		"private SM2 key":           {with(0x1310, 32), did.ErrInvalid},
		"secp256k1":                 {"zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", did.ErrUnsupported},
		"P-521":                     {"z2J9gaYxrKVpdoG9A4gRnmpnRCcxU6agDtFVVBVdn1JedouoZN7SzcyREXXzWgt3gGiwpoHq7K68X4m32D8HgzG8wv3sY5j7", did.ErrUnsupported},
		"BLS12-381 G1":              {with(0xea, 48), did.ErrUnsupported},
		"BLS12-381 G2 of zeros":     {with(0xeb, 96), did.ErrInvalid},
		"RSA":                       {with(0x1205, 270), did.ErrUnsupported},
		"SM2":                       {with(0x1206, 33), did.ErrUnsupported},
		"SHA-256, which is no key":  {with(0x12, 33), did.ErrUnsupported},
		"Ed25519 key called X25519": {multiformat.Encode(append([]byte{0xec, 0x01, 0x80}, make([]byte, 32)...)), did.ErrInvalid},
	} {
		pub, err := did.ParseMultikey(tt.in)
		require.ErrorIs(t, err, tt.want, name)
		require.Nil(t, pub, name)
	}
}

func FuzzParseMultikey(f *testing.F) {
	for _, seed := range []string{
		multikeyEd25519, multikeyX25519, multikeyP256, multikeyP384, multikeyBLS, "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", "z", "u7QE", "z1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		pub, err := did.ParseMultikey(in)
		if err != nil {
			require.Nil(t, pub)
			return
		}
		again, err := did.Multikey(pub)
		require.NoError(t, err)
		require.Equal(t, in, again, "a key has one spelling")
	})
}
