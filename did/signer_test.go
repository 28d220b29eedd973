package did_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

func signingKeys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	return map[string]crypto.Signer{"EdDSA": ed, "ES256": p256, "ES384": p384}
}

func TestSigner(t *testing.T) {
	t.Parallel()
	vm := mustURL(t, "did:example:a#k")
	lengths := map[string]int{"EdDSA": 64, "ES256": 64, "ES384": 96}
	for alg, key := range signingKeys(t) {
		signer, err := did.NewSigner(vm, key)
		require.NoError(t, err, alg)
		require.Equal(t, vm, signer.VerificationMethod())
		require.Equal(t, key.Public(), signer.Public())
		name, err := did.Algorithm(signer.Public())
		require.NoError(t, err)
		require.Equal(t, alg, name)
		for range 50 { // r and s are short now and then
			sig, err := signer.Sign(context.Background(), []byte("message"))
			require.NoError(t, err)
			require.Len(t, sig, lengths[alg])
			require.NoError(t, did.VerifySignature(signer.Public(), []byte("message"), sig))
		}

		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_, err = signer.Sign(ended, []byte("message"))
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestVerifySignatureRefuses(t *testing.T) {
	t.Parallel()
	keys, others := signingKeys(t), signingKeys(t)
	for alg, key := range keys {
		signer, err := did.NewSigner(mustURL(t, "did:example:a#k"), key)
		require.NoError(t, err)
		message := []byte("message")
		sig, err := signer.Sign(context.Background(), message)
		require.NoError(t, err)
		half := len(sig) / 2
		for name, bad := range map[string][]byte{
			"nothing":        nil,
			"zeros":          make([]byte, len(sig)),
			"r zero":         append(make([]byte, half), sig[half:]...),
			"s zero":         append(slices.Clone(sig[:half]), make([]byte, half)...),
			"ones":           bytes.Repeat([]byte{0xff}, len(sig)),
			"one byte less":  sig[:len(sig)-1],
			"one byte more":  append(slices.Clone(sig), 0),
			"halves swapped": append(slices.Clone(sig[half:]), sig[:half]...),
			"twice":          append(slices.Clone(sig), sig...),
		} {
			require.ErrorIs(t, did.VerifySignature(key.Public(), message, bad), did.ErrSignature, alg+" "+name)
		}
		for i := range sig {
			bad := slices.Clone(sig)
			bad[i] ^= 1
			require.ErrorIs(t, did.VerifySignature(key.Public(), message, bad), did.ErrSignature, alg)
		}
		require.ErrorIs(t, did.VerifySignature(key.Public(), []byte("messages"), sig), did.ErrSignature)
		require.ErrorIs(t, did.VerifySignature(key.Public(), nil, sig), did.ErrSignature)
		for _, other := range others {
			require.ErrorIs(t, did.VerifySignature(other.Public(), message, sig), did.ErrSignature)
		}
		if ec, ok := key.(*ecdsa.PrivateKey); ok { // the form that crypto.Signer makes is not the wire form
			der, err := ec.Sign(rand.Reader, make([]byte, half), crypto.Hash(0))
			require.NoError(t, err)
			require.ErrorIs(t, did.VerifySignature(key.Public(), message, der), did.ErrSignature)
		}
	}
}

// The figures of RFC 8032 section 7.1 (TEST 2), RFC 7515 appendix A.3 and RFC
// 6979 appendix A.2.6 (P-384, SHA-384, "sample").
func TestVerifySignatureVectors(t *testing.T) {
	t.Parallel()
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		require.NoError(t, err)
		return b
	}
	unbase64 := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		require.NoError(t, err)
		return b
	}
	es256, err := did.ParseJWK([]byte(`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`))
	require.NoError(t, err)
	es384, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), unhex("04"+
		"ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13"+
		"8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720"))
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		pub          crypto.PublicKey
		message, sig []byte
	}{
		"EdDSA": {
			ed25519.PublicKey(unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")), unhex("72"),
			unhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
		},
		"ES256": {
			es256, []byte("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"),
			unbase64("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
		},
		"ES384": {
			es384, []byte("sample"),
			unhex("94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46" +
				"99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"),
		},
	} {
		require.NoError(t, did.VerifySignature(tt.pub, tt.message, tt.sig), name)
		require.ErrorIs(t, did.VerifySignature(tt.pub, append(tt.message, ' '), tt.sig), did.ErrSignature, name)
	}
}

// brokenKey is a crypto.Signer whose hardware answers as it is told.
type brokenKey struct {
	pub crypto.PublicKey
	sig []byte
	err error
}

func (k brokenKey) Public() crypto.PublicKey { return k.pub }

func (k brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return k.sig, k.err }

func TestSignerRefuses(t *testing.T) {
	t.Parallel()
	vm := mustURL(t, "did:example:a#k")
	keys := signingKeys(t)
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		vm   did.URL
		key  crypto.Signer
		want error
	}{
		"no name":     {did.URL{}, keys["EdDSA"], did.ErrInvalid},
		"no fragment": {did.URL{DID: vm.DID}, keys["EdDSA"], did.ErrInvalid},
		"no key":      {vm, nil, did.ErrInvalid},
		"P-521":       {vm, p521, did.ErrUnsupported},
		"small order": {vm, brokenKey{pub: ed25519.PublicKey(make([]byte, 32))}, did.ErrInvalid},
		"no public":   {vm, brokenKey{}, did.ErrUnsupported},
	} {
		signer, err := did.NewSigner(tt.vm, tt.key)
		require.ErrorIs(t, err, tt.want, name)
		require.Nil(t, signer, name)
	}

	der := func(r, s *big.Int) []byte {
		b, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		require.NoError(t, err)
		return b
	}
	one, wide := big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 256)
	for name, sig := range map[string][]byte{
		"nothing": nil, "no sequence": {4, 1, 0}, "r zero": der(new(big.Int), one), "s negative": der(one, big.NewInt(-1)),
		"r too wide": der(wide, one), "s too wide": der(one, wide), "trailing": append(der(one, one), 0), "raw": make([]byte, 64),
	} {
		signer, err := did.NewSigner(vm, brokenKey{pub: keys["ES256"].Public(), sig: sig})
		require.NoError(t, err)
		_, err = signer.Sign(context.Background(), nil)
		require.ErrorIs(t, err, did.ErrSignature, name)
	}
	signer, err := did.NewSigner(vm, brokenKey{pub: keys["EdDSA"].Public(), sig: make([]byte, 63)})
	require.NoError(t, err)
	_, err = signer.Sign(context.Background(), nil)
	require.ErrorIs(t, err, did.ErrSignature)

	lost := errors.New("hardware gone")
	for _, alg := range []string{"EdDSA", "ES384"} {
		signer, err = did.NewSigner(vm, brokenKey{pub: keys[alg].Public(), err: lost})
		require.NoError(t, err)
		_, err = signer.Sign(context.Background(), nil)
		require.ErrorIs(t, err, lost)
	}
}

// A signer that is logged by mistake shows its name and nothing of its key.
func TestSignerDoesNotPrintItsKey(t *testing.T) {
	t.Parallel()
	seed := bytes.Repeat([]byte{0xca, 0x9a, 0x51}, 11)[:32]
	signer, err := did.NewSigner(mustURL(t, "did:example:a#k"), ed25519.NewKeyFromSeed(seed))
	require.NoError(t, err)
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+" ", signer)
	}
	asJSON, err := json.Marshal(signer)
	require.NoError(t, err)
	out.Write(asJSON)
	log := slog.New(slog.NewTextHandler(&out, nil))
	log.Info("text", "signer", signer)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("JSON", "signer", signer)
	require.Contains(t, out.String(), "did:example:a#k")
	require.NotContains(t, out.String(), hex.EncodeToString(seed[:6]))
	require.NotContains(t, out.String(), "202 154 81")
	require.NotContains(t, out.String(), "0xca")
	require.NotContains(t, out.String(), string(seed[:6]))
}

// remote is a key that is not in memory, or a signer of another package.
type remote struct {
	crypto.Signer
	other crypto.Signer // the key it really signs with; nil: its own
}

func (r remote) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if r.other != nil {
		return r.other.Sign(rand, digest, opts)
	}
	return r.Signer.Sign(rand, digest, opts)
}

type foreign struct{ did.Signer }

func TestSign(t *testing.T) {
	t.Parallel()
	vm := mustURL(t, "did:example:a#k")
	ctx := context.Background()
	others := signingKeys(t)
	for alg, key := range signingKeys(t) {
		local, err := did.NewSigner(vm, key)
		require.NoError(t, err)
		honest, err := did.NewSigner(vm, remote{key, nil})
		require.NoError(t, err)
		posing, err := did.NewSigner(vm, remote{key, others[alg]})
		require.NoError(t, err)
		for name, s := range map[string]did.Signer{"local": local, "remote": honest, "foreign": foreign{local}, "foreign remote": foreign{honest}} {
			sig, err := did.Sign(ctx, s, []byte("message"))
			require.NoError(t, err, name)
			require.NoError(t, did.VerifySignature(key.Public(), []byte("message"), sig), name)
		}
		for name, s := range map[string]did.Signer{"remote": posing, "foreign": foreign{posing}} {
			sig, err := did.Sign(ctx, s, []byte("message"))
			require.ErrorIs(t, err, did.ErrSignature, name)
			require.Nil(t, sig)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err = did.Sign(ended, local, []byte("message"))
		require.ErrorIs(t, err, context.Canceled)
	}
}
