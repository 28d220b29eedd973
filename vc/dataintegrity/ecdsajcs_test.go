package dataintegrity_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/diproof"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// The headline figures of Data Integrity ECDSA Cryptosuites v1.0, appendices A.5
// and A.6. The document is that of the EdDSA specification.
const (
	alumniDoc = `{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],` +
		`"credentialSubject":{"alumniOf":"The School of Examples","id":"did:example:abcdefgh"},` +
		`"description":"A minimum viable example of an Alumni Credential.","id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",` +
		`"issuer":"https://vc.example/issuers/5678","name":"Alumni Credential","type":["VerifiableCredential","AlumniCredential"],` +
		`"validFrom":"2023-01-01T00:00:00Z"}`
	p256Key    = "zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP"
	p256Secret = "z42twTcNeSYcnqg1FLuSFs2bsGH3ZqbRHFmvS9XMsYhjxvHN"
	p384Key    = "z82LkuBieyGShVBhvtE2zoiD6Kma4tJGFtkAhxR5pfkp5QPw4LutoYWhvQCnGjdVn14kujQ"
)

// ecdsaVector is one of the two published ones.
type ecdsaVector struct {
	curve                            elliptic.Curve
	folder, suffix, pair, key        string
	hash                             diproof.Hash
	docHash, optionsHash, sig, value string // hex and multibase
}

func ecdsaVectors() []ecdsaVector {
	return []ecdsaVector{
		{elliptic.P256(), "ecdsa-jcs-2019-p256", "JCSECDSAP256", "p256KeyPair.json", p256Key, diproof.SHA256,
			"59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19",
			"fe5799489119c7fe3c528715e72bd39d2ec6b4ab345978df32e9a9312648ec25", "f15c3b599eb9b3cad05df9d8e8b39a70a86375833b53743c764ac0a88c4457d60707fd7d073e03d906130631d87803f80a9824dc9939632ba92d418181be9d16", "z5ptCet75SaEgzG4v4zJhbJtfNi74Wv7Fq15hhKouJQQjEPQvPZKaYxcMXAMLPQS2FXrkCWokNJkFVkwxNzZfD5oT"},
		{elliptic.P384(), "ecdsa-jcs-2019-p384", "JCSECDSAP384", "p384KeyPair.json", p384Key, diproof.SHA384,
			"3e0be671cc1881035d463158c80921973dab3534d4f8dfacf4ff2725a4115eb718e49d66de0e90e7365cd6062abf2259", "83e5057817abb0c6872eafeaba1a9e53893c58eeb7414fb6d8aa3fa8c7917f7ad4792890b257c598baa17f4fbe6d183c", "8b7462ce62db0c8ff19878c4b3561c49eb71b4a743086b6d5b0eda70ecf0afc5a03fd88eb207d66b262ed87fd200a4e8e62716e0b329c032b67726b4b0fc737a44c1cefdba2fdccb3ece74cc5845aaa93374455a726f6ee4f5f30da9427f608a", "zq3EuTeLiGurmB2JR5oL8oWEsT7u2tba4HT1oZbiMYWc5qzsoW2kLYcBcF4HM5vCpJyTkceULKrVXuJQkXeN5seL4uXrFNFRMm53GWy1Yrto8rTWxZi9DkNeWP7yUPs7ELAm"},
	}
}

func (v ecdsaVector) options() string {
	return `{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],` +
		`"created":"2023-02-24T23:36:38Z","cryptosuite":"ecdsa-jcs-2019","proofPurpose":"assertionMethod","type":"DataIntegrityProof",` +
		`"verificationMethod":"did:key:` + v.key + "#" + v.key + `"}`
}

// TestECDSAFigures verifies the figures typed into this package.
func TestECDSAFigures(t *testing.T) {
	t.Parallel()
	for _, v := range ecdsaVectors() {
		doc, options := object(t, []byte(alumniDoc)), object(t, []byte(v.options()))
		data, err := diproof.HashData(doc, options, v.hash)
		require.NoError(t, err)
		require.Equal(t, v.optionsHash+v.docHash, hex.EncodeToString(data))
		sig, err := multiformat.Decode(v.value, multiformat.MaxKey)
		require.NoError(t, err)
		require.Equal(t, v.sig, hex.EncodeToString(sig))
		pub, err := did.ParseMultikey(v.key)
		require.NoError(t, err)
		require.NoError(t, did.VerifySignature(pub, data, sig))

		method := methodOf(t, v.key)
		proof := options.Clone()
		proof.Set("proofValue", v.value)
		signed, err := dataintegrity.ECDSAJCS2019().Verify(context.Background(), doc, proof, method, nil)
		require.NoError(t, err)
		require.Equal(t, alumniDoc, canonical(t, signed))
		for i := range sig {
			sig[i] ^= 1
			proof.Set("proofValue", multiformat.Encode(sig))
			sig[i] ^= 1
			_, err := dataintegrity.ECDSAJCS2019().Verify(context.Background(), doc, proof, method, nil)
			require.ErrorIs(t, err, dataintegrity.ErrSignature)
		}
	}
}

func methodOf(t testing.TB, multikey string) *did.VerificationMethod {
	t.Helper()
	pub, err := did.ParseMultikey(multikey)
	require.NoError(t, err)
	id, err := did.Parse("did:key:" + multikey)
	require.NoError(t, err)
	m, err := did.NewVerificationMethod(id.URL(multikey), pub, did.AssertionMethod)
	require.NoError(t, err)
	return m
}

// TestPublishedECDSAVectors makes the published proofs with the published keys, in
// the deterministic way (RFC 6979) in which they were made, and compares every
// intermediate value.
func TestPublishedECDSAVectors(t *testing.T) {
	t.Parallel()
	for _, v := range ecdsaVectors() {
		t.Run(v.folder, func(t *testing.T) {
			t.Parallel()
			read := func(path ...string) []byte {
				return vectors.Read(t, append([]string{"vc-di-ecdsa", "TestVectors"}, path...)...)
			}
			file := func(name, ext string) string { return string(read(v.folder, name+v.suffix+ext)) }
			pair := object(t, read(v.pair))
			key, _ := pair.Text("publicKeyMultibase")
			require.Equal(t, v.key, key)
			secret, _ := pair.Text("secretKeyMultibase")
			if v.hash == diproof.SHA256 {
				require.Equal(t, p256Secret, secret)
			}
			s := deterministicSigner(t, v, secret)
			doc, options := object(t, read("unsigned.json")), object(t, []byte(file("proofConfig", ".json")))

			require.Equal(t, alumniDoc, canonical(t, doc))
			require.Equal(t, file("canonDoc", ".txt"), canonical(t, doc))
			require.Equal(t, file("proofCanon", ".txt"), canonical(t, options))
			require.Equal(t, v.options(), canonical(t, options))
			require.Equal(t, v.docHash, file("docHash", ".txt"))
			require.Equal(t, v.optionsHash, file("proofHash", ".txt"))
			data, err := diproof.HashData(doc, options, v.hash)
			require.NoError(t, err)
			require.Equal(t, file("combinedHash", ".txt"), hex.EncodeToString(data))
			require.Equal(t, v.sig, file("sigHex", ".txt"))
			require.Equal(t, v.value, file("sigBTC58", ".txt"))

			secured := object(t, []byte(file("signed", ".json")))
			received, proof, err := dataintegrity.SplitProof(secured)
			require.NoError(t, err)
			p, err := dataintegrity.ParseProof(proof)
			require.NoError(t, err)
			require.Equal(t, s.VerificationMethod(), p.VerificationMethod)
			made, err := dataintegrity.ECDSAJCS2019().Prove(context.Background(), doc, p, s, nil)
			require.NoError(t, err)
			require.Equal(t, canonical(t, proof), canonical(t, made))
			signed, err := dataintegrity.ECDSAJCS2019().Verify(context.Background(), received, proof, methodOf(t, v.key), nil)
			require.NoError(t, err)
			require.Equal(t, canonical(t, doc), canonical(t, signed))
		})
	}
}

// deterministicSigner signs without randomness.
func deterministicSigner(t testing.TB, v ecdsaVector, multibase string) did.Signer {
	t.Helper()
	raw, err := multiformat.Decode(multibase, multiformat.MaxKey)
	require.NoError(t, err)
	key, err := ecdsa.ParseRawPrivateKey(v.curve, raw[2:])
	require.NoError(t, err)
	return deterministic{methodOf(t, v.key).ID, key}
}

type deterministic struct {
	vm  did.URL
	key *ecdsa.PrivateKey
}

func (d deterministic) VerificationMethod() did.URL { return d.vm }
func (d deterministic) Public() crypto.PublicKey    { return d.key.Public() }

func (d deterministic) Sign(_ context.Context, message []byte) ([]byte, error) {
	hash, size := crypto.SHA256, 32
	sum256 := sha256.Sum256(message)
	digest := sum256[:]
	if d.key.Curve == elliptic.P384() {
		sum := sha512.Sum384(message)
		hash, size, digest = crypto.SHA384, 48, sum[:]
	}
	der, err := d.key.Sign(nil, digest, hash)
	if err != nil {
		return nil, err
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return nil, err
	}
	out := make([]byte, 2*size)
	rs.R.FillBytes(out[:size])
	rs.S.FillBytes(out[size:])
	return out, nil
}

func TestECDSASecure(t *testing.T) {
	t.Parallel()
	for _, v := range ecdsaVectors() {
		key, err := ecdsa.GenerateKey(v.curve, nil)
		require.NoError(t, err)
		s := signerOf(t, key)
		secured, err := (&dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: s, Now: clock}).Secure(context.Background(), credential(s))
		require.NoError(t, err)
		doc, proof, err := dataintegrity.SplitProof(object(t, secured.Bytes))
		require.NoError(t, err)
		method := keyOf(t, s, did.AssertionMethod)
		_, err = dataintegrity.ECDSAJCS2019().Verify(context.Background(), doc, proof, method, nil)
		require.NoError(t, err)

		// Another suite, another key and another curve are no good.
		_, err = dataintegrity.EdDSAJCS2022().Verify(context.Background(), doc, proof, method, nil)
		require.ErrorIs(t, err, dataintegrity.ErrKey)
		_, err = dataintegrity.EdDSAJCS2022().Verify(context.Background(), doc, proof, keyOf(t, signer(t, "Nettle Styx"), did.AssertionMethod), nil)
		require.ErrorIs(t, err, dataintegrity.ErrProofMalformed)
		for _, other := range ecdsaVectors() {
			_, err = dataintegrity.ECDSAJCS2019().Verify(context.Background(), doc, proof, methodOf(t, other.key), nil)
			require.ErrorIs(t, err, dataintegrity.ErrSignature)
		}
		_, err = dataintegrity.ECDSAJCS2019().Verify(context.Background(), doc, proof, keyOf(t, signer(t, "Nettle Styx"), did.AssertionMethod), nil)
		require.ErrorIs(t, err, dataintegrity.ErrKey)

		// r and s in other lengths and forms.
		value, _ := proof.Text("proofValue")
		sig, err := multiformat.Decode(value, multiformat.MaxKey)
		require.NoError(t, err)
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:len(sig)/2]), new(big.Int).SetBytes(sig[len(sig)/2:])})
		require.NoError(t, err)
		for name, bad := range map[string][]byte{
			"der": der, "cut": sig[:len(sig)-1], "more": append(bytes.Clone(sig), 0), "zero": make([]byte, len(sig)),
			"ones": bytes.Repeat([]byte{0xff}, len(sig)), "r zero": append(make([]byte, len(sig)/2), sig[len(sig)/2:]...),
		} {
			forged := proof.Clone()
			forged.Set("proofValue", multiformat.Encode(bad))
			_, err = dataintegrity.ECDSAJCS2019().Verify(context.Background(), doc, forged, method, nil)
			require.ErrorIs(t, err, dataintegrity.ErrSignature, name)
		}
		forged := proof.Clone()
		forged.Set("proofValue", multiformat.EncodeBase64URL(sig))
		_, err = dataintegrity.ECDSAJCS2019().Verify(context.Background(), doc, forged, method, nil)
		require.ErrorIs(t, err, dataintegrity.ErrProofMalformed, "the suite allows base58btc alone")
	}
	s := signer(t, "Riverside Trust")
	_, err := (&dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: s}).Secure(context.Background(), credential(s))
	require.ErrorIs(t, err, dataintegrity.ErrKey)
}

// TestEveryFlippedMember changes every member of document and proof in turn, in
// both suites, and adds and removes one.
func TestEveryFlippedMember(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), nil)
	require.NoError(t, err)
	for suite, s := range map[dataintegrity.Suite]did.Signer{
		dataintegrity.EdDSAJCS2022(): signer(t, "Riverside Trust"),
		dataintegrity.ECDSAJCS2019(): signerOf(t, key),
	} {
		secured, err := (&dataintegrity.Issuer{Suite: suite, Signer: s, Now: clock}).Secure(context.Background(), credential(s))
		require.NoError(t, err)
		method := keyOf(t, s, did.AssertionMethod)
		doc, proof, err := dataintegrity.SplitProof(object(t, secured.Bytes))
		require.NoError(t, err)
		verify := func(doc, proof *strictjson.Object) error {
			signed, err := suite.Verify(context.Background(), doc, proof, method, nil)
			require.Equal(t, err == nil, signed != nil)
			return err
		}
		require.NoError(t, verify(doc, proof))
		for _, o := range []struct {
			of   *strictjson.Object
			with func(*strictjson.Object) error
		}{
			{doc, func(d *strictjson.Object) error { return verify(d, proof) }},
			{proof, func(p *strictjson.Object) error { return verify(doc, p) }},
		} {
			for name := range o.of.All() {
				changed := o.of.Clone()
				changed.Set(name, "changed")
				require.Error(t, o.with(changed), "%s: %s", suite.Name(), name)
				changed.Delete(name)
				require.Error(t, o.with(changed), "%s: without %s", suite.Name(), name)
			}
			more := o.of.Clone()
			more.Set("dbsCleared", true)
			require.ErrorIs(t, o.with(more), dataintegrity.ErrSignature, suite.Name())
		}
	}
}

// TestEveryFlippedByte changes each byte of what was issued. Whatever still parses
// and still verifies says the same as before.
func TestEveryFlippedByte(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), nil)
	require.NoError(t, err)
	for suite, s := range map[dataintegrity.Suite]did.Signer{
		dataintegrity.EdDSAJCS2022(): signer(t, "Riverside Trust"),
		dataintegrity.ECDSAJCS2019(): signerOf(t, key),
	} {
		secured, err := (&dataintegrity.Issuer{Suite: suite, Signer: s, Now: clock}).Secure(context.Background(), credential(s))
		require.NoError(t, err)
		want := canonical(t, object(t, secured.Bytes))
		method := keyOf(t, s, did.AssertionMethod)
		verified := 0
		for i := range secured.Bytes {
			for bit := range 8 {
				b := bytes.Clone(secured.Bytes)
				b[i] ^= 1 << bit
				o, err := strictjson.ParseObject(b)
				if err != nil {
					continue
				}
				doc, proofs, err := dataintegrity.SplitProofs(o)
				if err != nil {
					continue
				}
				if _, err := dataintegrity.VerifyProof(context.Background(), suite, doc, proofs, 0, method, nil); err == nil {
					require.Equal(t, want, canonical(t, o), "byte %d, bit %d", i, bit)
					verified++
				}
			}
		}
		require.Zero(t, verified, "these bytes have no second spelling one bit away")
	}
}
