package did_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// encodedKeys returns an Ed25519 key in every form that a document has for it.
func encodedKeys(pub []byte) map[string]string {
	multikey := multiformat.Encode(append(multiformat.AppendCodec(nil, multiformat.Ed25519Public), pub...))
	method := `{"id":"did:example:a","verificationMethod":[{"id":"#k","controller":"did:example:a",%s}]}`
	return map[string]string{
		"Multikey":                   fmt.Sprintf(method, `"type":"Multikey","publicKeyMultibase":"`+multikey+`"`),
		"Ed25519VerificationKey2020": fmt.Sprintf(method, `"type":"Ed25519VerificationKey2020","publicKeyMultibase":"`+multikey+`"`),
		"Ed25519VerificationKey2018": fmt.Sprintf(method, `"type":"Ed25519VerificationKey2018","publicKeyBase58":"`+multiformat.Base58(pub)+`"`),
		"JsonWebKey":                 fmt.Sprintf(method, `"type":"JsonWebKey","publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"`+multiformat.EncodeBase64URL(pub)[1:]+`"}`),
	}
}

// refusedEverywhere requires that an Ed25519 key is refused by each way in.
func refusedEverywhere(t *testing.T, pub []byte) {
	t.Helper()
	_, err := did.ParseMultikey(multiformat.Encode(append(multiformat.AppendCodec(nil, multiformat.Ed25519Public), pub...)))
	require.ErrorIs(t, err, did.ErrInvalid)
	_, err = did.Multikey(ed25519.PublicKey(pub))
	require.ErrorIs(t, err, did.ErrInvalid)
	_, err = did.X25519(pub)
	require.ErrorIs(t, err, did.ErrInvalid)
	_, err = did.NewVerificationMethod(mustURL(t, "did:example:a#k"), ed25519.PublicKey(pub), did.AssertionMethod)
	require.ErrorIs(t, err, did.ErrInvalid)
	for form, document := range encodedKeys(pub) {
		_, err = did.ParseDocument([]byte(document))
		require.ErrorIs(t, err, did.ErrInvalid, form)
	}
}

// smallOrderPoints returns the encodings of the eight points of small order, as
// multiples of a point of order eight.
func smallOrderPoints(t *testing.T) [][]byte {
	t.Helper()
	generator, err := hex.DecodeString("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
	require.NoError(t, err)
	step, err := new(edwards25519.Point).SetBytes(generator)
	require.NoError(t, err)
	var all [][]byte
	at := edwards25519.NewIdentityPoint()
	for range 8 {
		require.Equal(t, 1, new(edwards25519.Point).MultByCofactor(at).Equal(edwards25519.NewIdentityPoint()))
		all = append(all, at.Bytes())
		at = new(edwards25519.Point).Add(at, step)
	}
	require.Equal(t, 1, at.Equal(edwards25519.NewIdentityPoint()), "the eighth multiple closes the circle")
	require.Len(t, slices.CompactFunc(slices.SortedFunc(slices.Values(all), slices.Compare), slices.Equal), 8)
	return all
}

func TestAbuse_DI19_SmallOrderKey(t *testing.T) {
	t.Parallel()
	for i, pub := range smallOrderPoints(t) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			refusedEverywhere(t, pub)
			// R = the identity, S = 0: the signature that verifies over any
			// message for the identity, and over some for the others.
			sig := make([]byte, ed25519.SignatureSize)
			sig[0] = 1
			if i == 0 {
				require.True(t, ed25519.Verify(pub, []byte("any message"), sig), "the standard library accepts it")
			}
			for _, message := range []string{"any message", "", "another", "and", "one", "more", "to", "hit", "it"} {
				require.ErrorIs(t, did.VerifySignature(ed25519.PublicKey(pub), []byte(message), sig), did.ErrInvalid)
			}
		})
	}
}

// An encoding of y at or above the prime, or x = 0 with its sign bit set, spells
// a point a second time.
func TestAbuse_DI19_NonCanonicalKey(t *testing.T) {
	t.Parallel()
	tried := 0
	for low := range 19 { // the 19 numbers from the prime to 2^255-1
		for _, sign := range []byte{0, 0x80} {
			pub := slices.Repeat([]byte{0xff}, 32)
			pub[0] = byte(0xed + low)
			pub[31] = 0x7f | sign
			if point, err := new(edwards25519.Point).SetBytes(pub); err == nil {
				tried++
				require.NotEqual(t, pub, point.Bytes())
			}
			refusedEverywhere(t, pub)
			require.ErrorIs(t, did.VerifySignature(ed25519.PublicKey(pub), nil, make([]byte, 64)), did.ErrInvalid)
		}
	}
	require.NotZero(t, tried, "some of them are points")

	for _, y := range []byte{1, 0xec} { // x = 0: y = 1 and y = -1
		pub := make([]byte, 32)
		if y == 0xec {
			pub = slices.Repeat([]byte{0xff}, 32)
			pub[31] = 0x7f
		}
		pub[0] = y
		pub[31] |= 0x80
		refusedEverywhere(t, pub)
	}
}

func TestEd25519Malformed(t *testing.T) {
	t.Parallel()
	for name, pub := range map[string][]byte{
		"31 bytes": make([]byte, 31), "33 bytes": make([]byte, 33), "none": {}, "not on the curve": append([]byte{2}, make([]byte, 31)...),
	} {
		_, err := did.ParseMultikey(multiformat.Encode(append(multiformat.AppendCodec(nil, multiformat.Ed25519Public), pub...)))
		require.ErrorIs(t, err, did.ErrInvalid, name)
		_, err = did.Multikey(ed25519.PublicKey(pub))
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.Error(t, did.VerifySignature(ed25519.PublicKey(pub), nil, make([]byte, 64)), name)
	}
}

// The rule that keys are accepted by is the same as the two that it replaces:
// multiplication by the cofactor, and encoding again.
func TestEd25519AgainstCofactor(t *testing.T) {
	t.Parallel()
	for range 200 {
		pub, _, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		point, err := new(edwards25519.Point).SetBytes(pub)
		require.NoError(t, err)
		require.Equal(t, []byte(pub), point.Bytes())
		require.Zero(t, new(edwards25519.Point).MultByCofactor(point).Equal(edwards25519.NewIdentityPoint()))
		_, err = did.Multikey(pub)
		require.NoError(t, err)
	}
}

// lowOrderX25519 returns every 32 bytes with the top bit clear for which an
// exchange gives nothing, found by computing it: candidates are the u-coordinates
// of the small points of the curve, the two of the twist, and all spellings.
func lowOrderX25519(t *testing.T) [][]byte {
	t.Helper()
	var found [][]byte
	candidates := [][]byte{make([]byte, 32), {31: 0}, {0: 1, 31: 0}}
	for _, pub := range smallOrderPoints(t) {
		point, err := new(edwards25519.Point).SetBytes(pub)
		require.NoError(t, err)
		candidates = append(candidates, point.BytesMontgomery())
	}
	minusOne := new(field.Element).Negate(new(field.Element).One()) // order four, on the twist
	candidates = append(candidates, minusOne.Bytes())
	for low := range 19 {
		second := slices.Repeat([]byte{0xff}, 32)
		second[0], second[31] = byte(0xed+low), 0x7f
		candidates = append(candidates, second)
	}
	secret, err := ecdh.X25519().NewPrivateKey(slices.Repeat([]byte{0x42}, 32))
	require.NoError(t, err)
	for _, u := range candidates {
		pub, err := ecdh.X25519().NewPublicKey(u)
		require.NoError(t, err)
		if _, err := secret.ECDH(pub); err != nil {
			found = append(found, u)
		}
	}
	return slices.CompactFunc(slices.SortedFunc(slices.Values(found), slices.Compare), slices.Equal)
}

func TestX25519LowOrder(t *testing.T) {
	t.Parallel()
	low := lowOrderX25519(t)
	require.Len(t, low, 7, "RFC 7748: five, and the second spellings of 0 and 1")
	for _, u := range low {
		_, err := did.ParseMultikey(multiformat.Encode(append(multiformat.AppendCodec(nil, multiformat.X25519Public), u...)))
		require.ErrorIs(t, err, did.ErrInvalid)
		pub, err := ecdh.X25519().NewPublicKey(u)
		require.NoError(t, err)
		_, err = did.Multikey(pub)
		require.ErrorIs(t, err, did.ErrInvalid)
		_, err = did.NewVerificationMethod(mustURL(t, "did:example:a#k"), pub, did.KeyAgreement)
		require.ErrorIs(t, err, did.ErrInvalid)
		_, err = did.ParseJWK(fmt.Appendf(nil, `{"kty":"OKP","crv":"X25519","x":%q}`, multiformat.EncodeBase64URL(u)[1:]))
		require.ErrorIs(t, err, did.ErrInvalid)
		_, err = did.ParseDocument(fmt.Appendf(nil, `{"id":"did:example:a","keyAgreement":[{"id":"#k","controller":"did:example:a",
			"type":"X25519KeyAgreementKey2019","publicKeyBase58":%q}]}`, multiformat.Base58(u)))
		require.ErrorIs(t, err, did.ErrInvalid)
	}
}

func TestX25519NonCanonical(t *testing.T) {
	t.Parallel()
	for name, u := range map[string][]byte{
		"above the prime": append(slices.Repeat([]byte{0xff}, 31), 0x7f),
		"top bit":         append(make([]byte, 30), 9, 0x80),
		"31 bytes":        append(make([]byte, 30), 9),
		"33 bytes":        append(make([]byte, 32), 9),
	} {
		_, err := did.ParseMultikey(multiformat.Encode(append(multiformat.AppendCodec(nil, multiformat.X25519Public), u...)))
		require.ErrorIs(t, err, did.ErrInvalid, name)
	}
}

// The X25519 key of an Ed25519 key is the one that the private key gives.
func TestX25519FromEd25519(t *testing.T) {
	t.Parallel()
	// did:key, Create: the keys of did:key:z6Mkha...
	pub, err := did.ParseMultikey("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
	require.NoError(t, err)
	x, err := did.X25519(pub.(ed25519.PublicKey))
	require.NoError(t, err)
	text, err := did.Multikey(x)
	require.NoError(t, err)
	require.Equal(t, "z6LSj72tK8brWgZja8NLRwPigth2T9QRiG1uH9oKZuKjdh9p", text)
}

func TestOffCurve(t *testing.T) {
	t.Parallel()
	for _, curve := range []struct {
		elliptic.Curve
		codec multiformat.Codec
		name  string
	}{{elliptic.P256(), multiformat.P256Public, "P-256"}, {elliptic.P384(), multiformat.P384Public, "P-384"}} {
		t.Run(curve.name, func(t *testing.T) {
			t.Parallel()
			size := (curve.Params().BitSize + 7) / 8
			key, err := ecdsa.GenerateKey(curve.Curve, rand.Reader)
			require.NoError(t, err)
			good, err := key.PublicKey.Bytes()
			require.NoError(t, err)

			off := slices.Clone(good)
			off[len(off)-1] ^= 1
			bad := offCurveKey(curve.Curve, off)
			_, err = did.Multikey(bad)
			require.ErrorIs(t, err, did.ErrInvalid)
			_, err = did.NewVerificationMethod(mustURL(t, "did:example:a#k"), bad, did.AssertionMethod)
			require.ErrorIs(t, err, did.ErrInvalid)
			require.ErrorIs(t, did.VerifySignature(bad, nil, make([]byte, 2*size)), did.ErrInvalid)
			_, err = did.ParseJWK(fmt.Appendf(nil, `{"kty":"EC","crv":%q,"x":%q,"y":%q}`, curve.name,
				multiformat.EncodeBase64URL(off[1 : 1+size])[1:], multiformat.EncodeBase64URL(off[1+size:])[1:]))
			require.ErrorIs(t, err, did.ErrInvalid)

			// About half of all x have no y; 40 in a row that all have one do not happen.
			refused := 0
			for x := range 40 {
				compressed := make([]byte, 1+size)
				compressed[0], compressed[size] = 2, byte(x)
				if _, err := did.ParseMultikey(multiformat.Encode(append(multiformat.AppendCodec(nil, curve.codec), compressed...))); err != nil {
					require.ErrorIs(t, err, did.ErrInvalid)
					refused++
				}
			}
			require.NotZero(t, refused)

			for name, raw := range map[string][]byte{
				"uncompressed":     good,
				"raw x and y":      good[1:],
				"infinity":         {0},
				"nothing":          {},
				"hybrid":           append([]byte{6}, good[1:]...),
				"x at the prime":   append([]byte{2}, curve.Params().P.FillBytes(make([]byte, size))...),
				"one byte short":   append([]byte{2}, good[1:size]...),
				"one byte more":    append(append([]byte{2}, good[1:1+size]...), 0),
				"prefix of 4":      append([]byte{4}, good[1:1+size]...),
				"prefix of 0":      append([]byte{0}, good[1:1+size]...),
				"x above the rest": append([]byte{2}, slices.Repeat([]byte{0xff}, size)...),
			} {
				_, err := did.ParseMultikey(multiformat.Encode(append(multiformat.AppendCodec(nil, curve.codec), raw...)))
				require.ErrorIs(t, err, did.ErrInvalid, name)
			}
		})
	}
}

// offCurveKey makes a key that no constructor of the standard library makes.
func offCurveKey(curve elliptic.Curve, point []byte) *ecdsa.PublicKey {
	size := (len(point) - 1) / 2
	key := &ecdsa.PublicKey{Curve: curve}
	for i, name := range []string{"X", "Y"} { // by reflection, as the fields are deprecated but not gone
		v := new(big.Int).SetBytes(point[1+i*size : 1+(i+1)*size])
		reflect.ValueOf(key).Elem().FieldByName(name).Set(reflect.ValueOf(v))
	}
	return key
}

func TestUnsupportedKeys(t *testing.T) {
	t.Parallel()
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	ecdhP256, err := ecdh.P256().GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, pub := range map[string]any{
		"nothing":               nil,
		"P-521":                 &p521.PublicKey,
		"P-256 for ecdh":        ecdhP256.PublicKey(),
		"a private key":         private,
		"bytes":                 make([]byte, 32),
		"nil ecdsa":             (*ecdsa.PublicKey)(nil),
		"nil ecdh":              (*ecdh.PublicKey)(nil),
		"ecdsa without a curve": &ecdsa.PublicKey{},
		"ecdsa by value":        p521.PublicKey,
	} {
		_, err := did.Multikey(pub)
		require.ErrorIs(t, err, did.ErrUnsupported, name)
		require.ErrorIs(t, did.VerifySignature(pub, nil, nil), did.ErrUnsupported, name)
		_, err = did.Algorithm(pub)
		require.ErrorIs(t, err, did.ErrUnsupported, name)
		_, err = did.NewVerificationMethod(mustURL(t, "did:example:a#k"), pub, did.AssertionMethod)
		require.ErrorIs(t, err, did.ErrUnsupported, name)
	}
}
