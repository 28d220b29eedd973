package did_test

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// The key of the vectors of VC Data Integrity BBS Cryptosuites v1.0.
const (
	multikeyBLS = "zUC7DerdEmfZ8f4pFajXgGwJoMkV1ofMTmEG5UoNvnWiPiLuGKNeqgRpLH2TV4Xe5mJ2cXV76gRN7LFQwapF1VFu6x2yrr5ci1mXqC1WNUrnHnLgvfZfMH7h6xP6qsf9EKRQrPQ"
	hexBLS      = "a4ef1afa3da575496f122b9b78b8c24761531a8a093206ae7c45b80759c168ba4f7a260f9c3367b6c019b4677841104b" +
		"10665edbe70ba3ebe7d9cfbffbf71eb016f70abfbb163317f372697dc63efd21fc55764f63926a8f02eaea325a2a888f"
)

func TestBLS12381G2(t *testing.T) {
	t.Parallel()
	pub, err := did.ParseMultikey(multikeyBLS)
	require.NoError(t, err)
	require.Equal(t, hexBLS, keyHex(t, pub))
	again, err := did.Multikey(pub)
	require.NoError(t, err)
	require.Equal(t, multikeyBLS, again)
	other, err := did.ParseMultikey(multikeyBLS)
	require.NoError(t, err)
	require.True(t, pub == other, "keys compare by their bytes")

	_, err = did.Algorithm(pub)
	require.ErrorIs(t, err, did.ErrUnsupported)
	require.ErrorIs(t, did.VerifySignature(pub, nil, make([]byte, 80)), did.ErrUnsupported)

	id, err := did.ParseURL("did:example:a#k")
	require.NoError(t, err)
	m, err := did.NewVerificationMethod(id, pub, did.AssertionMethod)
	require.NoError(t, err)
	doc, err := did.NewDocument(id.DID, []*did.VerificationMethod{m}, nil)
	require.NoError(t, err)
	text, err := doc.MarshalJSON()
	require.NoError(t, err)
	read, err := did.ParseDocument(text)
	require.NoError(t, err)
	require.Len(t, read.Methods(did.AssertionMethod, time.Now()), 1)
	require.Equal(t, pub, read.Methods(did.AssertionMethod, time.Now())[0].PublicKey())
}

func TestBLS12381G2Refuses(t *testing.T) {
	t.Parallel()
	good, err := hex.DecodeString(hexBLS)
	require.NoError(t, err)
	const p = "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
	prime, err := hex.DecodeString(p)
	require.NoError(t, err)
	change := func(f func(b []byte)) []byte {
		b := bytes.Clone(good)
		f(b)
		return b
	}
	for name, b := range map[string][]byte{
		"nothing":          {},
		"a point of G1":    good[:48],
		"one byte less":    good[:95],
		"one byte more":    append(bytes.Clone(good), 0),
		"zeros":            make([]byte, 96),
		"ones":             bytes.Repeat([]byte{0xff}, 96),
		"identity":         append([]byte{0xc0}, make([]byte, 95)...),
		"not compressed":   change(func(b []byte) { b[0] &^= 0x80 }),
		"marked identity":  change(func(b []byte) { b[0] |= 0x40 }),
		"first x is p":     change(func(b []byte) { copy(b, prime); b[0] |= 0x80 }),
		"second x is p":    change(func(b []byte) { copy(b[48:], prime) }),
		"second x is more": change(func(b []byte) { b[48] = 0x1b }),
	} {
		codec := multiformat.AppendCodec(nil, multiformat.BLS12381G2Public)
		pub, err := did.ParseMultikey(multiformat.Encode(append(codec, b...)))
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.Nil(t, pub, name)
		if len(b) == 96 {
			_, err = did.Multikey(did.BLS12381G2(b))
			require.ErrorIs(t, err, did.ErrInvalid, name)
		}
	}
}
