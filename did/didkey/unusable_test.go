package didkey_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// A shown document is one as it is written, whatever its keys are.
type shown struct {
	VerificationMethod []struct {
		ID, Type, Controller, PublicKeyBase58, PublicKeyMultibase string
		PublicKeyJwk                                              *struct{ Kty, Crv, X, Y, N, E string }
	}
	Authentication, AssertionMethod, CapabilityInvocation, CapabilityDelegation, KeyAgreement []string
}

func show(t *testing.T, document []byte) shown {
	t.Helper()
	var d shown
	require.NoError(t, json.Unmarshal(document, &d))
	return d
}

// rawKeys returns the bytes of each key behind its codec, by the id of its method.
func (d shown) rawKeys(t *testing.T) map[string][]byte {
	t.Helper()
	decode := func(text string) []byte {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		require.NoError(t, err)
		return raw
	}
	keys := map[string][]byte{}
	for _, m := range d.VerificationMethod {
		switch jwk := m.PublicKeyJwk; {
		case m.PublicKeyMultibase != "":
			raw, err := multiformat.Decode(m.PublicKeyMultibase, multiformat.MaxKey)
			require.NoError(t, err)
			_, keys[m.ID], err = multiformat.SplitCodec(raw)
			require.NoError(t, err)
		case m.PublicKeyBase58 != "":
			raw, err := multiformat.DecodeBase58(m.PublicKeyBase58, multiformat.MaxKey)
			require.NoError(t, err)
			keys[m.ID] = raw
		case jwk.Kty == "RSA":
			pub := &rsa.PublicKey{N: new(big.Int).SetBytes(decode(jwk.N)), E: int(new(big.Int).SetBytes(decode(jwk.E)).Int64())}
			keys[m.ID] = x509.MarshalPKCS1PublicKey(pub)
		case jwk.Y == "": // a compressed point of BLS12-381
			keys[m.ID] = decode(jwk.X)
		default:
			y := decode(jwk.Y)
			keys[m.ID] = append([]byte{2 | y[len(y)-1]&1}, decode(jwk.X)...)
		}
	}
	return keys
}

// sameDocument compares with a document by names, key bytes and relationships.
func sameDocument(t *testing.T, ours *did.Document, document []byte) {
	t.Helper()
	out, err := json.Marshal(ours)
	require.NoError(t, err)
	mine, theirs := show(t, out), show(t, document)
	if strings.HasPrefix(ours.ID().SpecificID(), "z5Tc") {
		mine = onlyFirst(t, ours, mine)
	}
	require.Equal(t, theirs.rawKeys(t), mine.rawKeys(t))
	for _, m := range mine.VerificationMethod {
		require.Equal(t, "Multikey", m.Type)
		require.Equal(t, ours.ID().String(), m.Controller)
	}
	require.Equal(t, theirs.Authentication, mine.Authentication)
	require.Equal(t, theirs.AssertionMethod, mine.AssertionMethod)
	require.Equal(t, theirs.CapabilityInvocation, mine.CapabilityInvocation)
	require.Equal(t, theirs.CapabilityDelegation, mine.CapabilityDelegation)
	require.Equal(t, theirs.KeyAgreement, mine.KeyAgreement)
}

// onlyFirst leaves out the second key of a pair, which the vector does not list. It is
// the one that this module can use.
func onlyFirst(t *testing.T, ours *did.Document, d shown) shown {
	t.Helper()
	require.Len(t, d.VerificationMethod, 2)
	second := d.VerificationMethod[1].ID
	m := ours.Methods(did.AssertionMethod, atUse)
	require.Len(t, m, 1)
	require.Equal(t, second, m[0].ID.String())
	require.IsType(t, did.BLS12381G2{}, m[0].PublicKey())
	d.VerificationMethod = d.VerificationMethod[:1]
	for _, list := range []*[]string{&d.Authentication, &d.AssertionMethod, &d.CapabilityInvocation, &d.CapabilityDelegation} {
		require.Equal(t, second, (*list)[1])
		*list = (*list)[:1]
	}
	return d
}

// DIDs of the test vectors whose documents are right and whose keys are of no use
// here, each with the relationships that are listed.
func TestUnusable(t *testing.T) {
	t.Parallel()
	for text, rels := range map[string]int{
		"zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme":                                                5,
		"zQ3shtxV1FrJfhqE1dvxYRcCknWNjHc3c5X1y3ZSoPDi2aur2":                                                5,
		"z2J9gaYxrKVpdoG9A4gRnmpnRCcxU6agDtFVVBVdn1JedouoZN7SzcyREXXzWgt3gGiwpoHq7K68X4m32D8HgzG8wv3sY5j7": 5,
		"z4MXj1wBzi9jUstyPMS4jQqB6KdJaiatPkAtVtGc6bQEQEEsKTic4G7Rou3iBf9vPmT5dbkm9qsZsuVNjq8HCuW1w24nhBFGkRE4cd2Uf2tfrB3N7h4mnyPp1BF3ZttHTYv3DLUPi1zMdkULiow3M1GfXkoC6DoxDUm1jmN6GBj22SjVsr6dxezRVQc7aj9TxE7JLbMH1wh5X3kA58H3DFW8rnYMakFGbca5CB2Jf6CnGQZmL7o5uJAdTwXfy2iiiyPxXEGerMhHwhjTA1mKYobyk2CpeEcmvynADfNZ5MBvcCS7m3XkFCMNUYBS9NQ3fze6vMSUPsNa6GVYmKx2x6JrdEjCk3qRMMmyjnjCMfR4pXbRMZa3i": 5,
		"z3tEEysHYz5kkgpfDAByfDVgAuvtSFLHSqoMWmmSZBU1LZtN2sDsAS6RVQSevfxv39kyty": 4,
	} {
		t.Run(text[:6], func(t *testing.T) {
			t.Parallel()
			d := resolve(t, "did:key:"+text)
			signing := didkey.SigningMethod(d.ID())
			for _, rel := range everything {
				require.Empty(t, d.Methods(rel, atUse))
				_, err := d.Method(signing, rel, atUse)
				if rel == did.KeyAgreement && rels == 4 {
					require.ErrorIs(t, err, did.ErrNotAuthorised)
				} else {
					require.ErrorIs(t, err, did.ErrUnsupported, rel)
				}
			}
			out, err := json.Marshal(d)
			require.NoError(t, err)
			require.Equal(t, rels, strings.Count(string(out), `["`+signing.String()+`"]`))
			require.Contains(t, string(out), `"publicKeyMultibase":"`+text+`"`)
		})
	}
	pair := resolve(t, "did:key:z5TcCmGLu7HrkT5FTnejDTKcH11LPMQLXMPHTRyzY4KdRvqpPLprH7s1ddWFD38cAkZoiDtofUmJVZyEweUTfwjG5H3znk3ir4tzmuDBUSNbNQ7U6jJqj5bkQLKRaQB1bpFJKGLEq3EBwsfPutL5D7p78kFeLNHznqbf5oGpik7ScaDbGLaTLh1Jtadi6VmPNNd44Cojk")
	_, err := pair.Method(pair.ID().URL("z3tEEysHYz5kkgpfDAByfDVgAuvtSFLHSqoMWmmSZBU1LZtN2sDsAS6RVQSevfxv39kyty"), did.AssertionMethod, atUse)
	require.ErrorIs(t, err, did.ErrUnsupported)
	require.Len(t, pair.Methods(did.AssertionMethod, atUse), 1)
}

func TestUnusableRefuses(t *testing.T) {
	t.Parallel()
	raw := func(text string) []byte {
		b, err := multiformat.Decode(text, multiformat.MaxKey)
		require.NoError(t, err)
		return b
	}
	bitcoin := raw("zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme")
	uncompressed, err := secp256k1.ParsePubKey(bitcoin[2:])
	require.NoError(t, err)
	p521 := raw("z2J9gaYxrKVpdoG9A4gRnmpnRCcxU6agDtFVVBVdn1JedouoZN7SzcyREXXzWgt3gGiwpoHq7K68X4m32D8HgzG8wv3sY5j7")
	g1 := raw("z3tEEysHYz5kkgpfDAByfDVgAuvtSFLHSqoMWmmSZBU1LZtN2sDsAS6RVQSevfxv39kyty")
	codec := func(c multiformat.Codec, key ...[]byte) []byte {
		b := multiformat.AppendCodec(nil, c)
		for _, k := range key {
			b = append(b, k...)
		}
		return b
	}
	changed := func(b []byte, at int, to byte) []byte {
		b = append([]byte(nil), b...)
		b[at] = to
		return b
	}
	small := x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: big.NewInt(3233), E: 17})
	for name, key := range map[string][]byte{
		"secp256k1, one byte more":     append(bitcoin[:len(bitcoin):len(bitcoin)], 0),
		"secp256k1, one byte less":     bitcoin[:len(bitcoin)-1],
		"secp256k1, no form":           changed(bitcoin, 2, 5),
		"secp256k1, not on the curve":  codec(multiformat.Secp256k1Public, []byte{2}, make([]byte, 31), []byte{5}),
		"secp256k1, beyond the field":  codec(multiformat.Secp256k1Public, []byte{2}, bytes.Repeat([]byte{0xff}, 32)),
		"secp256k1, uncompressed":      codec(multiformat.Secp256k1Public, uncompressed.SerializeUncompressed()),
		"secp256k1, nothing":           codec(multiformat.Secp256k1Public),
		"P-521, one byte less":         p521[:len(p521)-1],
		"P-521, beyond the field":      codec(multiformat.P521Public, []byte{2}, bytes.Repeat([]byte{0xff}, 66)),
		"P-521, not on the curve":      codec(multiformat.P521Public, []byte{2}, make([]byte, 65), []byte{5}),
		"P-521, uncompressed":          codec(multiformat.P521Public, []byte{4}, make([]byte, 132)),
		"RSA, no DER":                  codec(multiformat.RSAPublic, []byte("key")),
		"RSA, data behind":             codec(multiformat.RSAPublic, small, []byte{0}),
		"RSA, nothing":                 codec(multiformat.RSAPublic),
		"RSA, beyond the limit":        codec(multiformat.RSAPublic, make([]byte, 1<<10)),
		"G1, one byte less":            g1[:len(g1)-1],
		"G1, identity":                 codec(multiformat.BLS12381G1Public, []byte{0xc0}, make([]byte, 47)),
		"G1, uncompressed":             codec(multiformat.BLS12381G1Public, make([]byte, 96)),
		"G1 and G2, one byte less":     codec(multiformat.BLS12381G1G2Public, g1[2:], make([]byte, 95)),
		"G1 and G2, G1 identity":       codec(multiformat.BLS12381G1G2Public, []byte{0xc0}, make([]byte, 47), []byte{0x80}, make([]byte, 95)),
		"G1 and G2, G2 identity":       codec(multiformat.BLS12381G1G2Public, g1[2:], []byte{0xc0}, make([]byte, 95)),
		"G1 and G2, G2 not compressed": codec(multiformat.BLS12381G1G2Public, g1[2:], make([]byte, 96)),
	} {
		res, err := didkey.Resolver{}.Resolve(context.Background(), parse(t, "did:key:"+multiformat.Encode(key)), did.Version{})
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.Nil(t, res, name)
	}
}
