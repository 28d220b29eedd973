package rdfc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
)

// alumniDoc is the document of appendix B.1 of the EdDSA specification and of A.1
// and A.3 of the ECDSA one.
const alumniDoc = `{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],` +
	`"credentialSubject":{"alumniOf":"The School of Examples","id":"did:example:abcdefgh"},` +
	`"description":"A minimum viable example of an Alumni Credential.","id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",` +
	`"issuer":"https://vc.example/issuers/5678","name":"Alumni Credential","type":["VerifiableCredential","AlumniCredential"],` +
	`"validFrom":"2023-01-01T00:00:00Z"}`

// A vector is one of the published ones, with its headline figures. The document
// of the second of each pair is in the vectors' folder alone.
type vector struct {
	suite            dataintegrity.Suite
	folder, doc      string
	suffix           string // of its files
	curve            elliptic.Curve
	key, secret      string // Multikeys
	docHash, optHash string // hex
	sig, value       string // hex and multibase
}

const (
	edKey      = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
	edSecret   = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
	p256Key    = "zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP"
	p256Secret = "z42twTcNeSYcnqg1FLuSFs2bsGH3ZqbRHFmvS9XMsYhjxvHN"
	p384Key    = "z82LkuBieyGShVBhvtE2zoiD6Kma4tJGFtkAhxR5pfkp5QPw4LutoYWhvQCnGjdVn14kujQ"
	p384Secret = "z2fanyY7zgwNpZGxX5fXXibvScNaUWNprHU9dKx7qpVj7mws9J8LLt4mDB5TyH2GLHWkUc"
)

func published() []vector {
	return []vector{
		{rdfc.EdDSARDFC2022(), "vc-di-eddsa/TestVectors/eddsa-rdfc-2022", "unsigned.json", "DataInt", nil, edKey, edSecret,
			"517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017",
			"bea7b7acfbad0126b135104024a5f1733e705108f42d59668b05c0c50004c6b0",
			"4d8e53c2d5b3f2a7891753eb16ca993325bdb0d3cfc5be1093d0a18426f5ef8578cadc0fd4b5f4dd0d1ce0aefd15ab120b7a894d0eb094ffda4e6553cd1ed50d",
			"z2YwC8z3ap7yx1nZYCg4L3j3ApHsF8kgPdSb5xoS1VR7vPG3F561B52hYnQF9iseabecm3ijx4K1FBTQsCZahKZme"},
		{rdfc.EdDSARDFC2022(), "vc-di-eddsa/TestVectors/eddsa-rdfc-2022/employ", "employmentAuth.json", "DataInt", nil, edKey, edSecret,
			"03f59e5b04ab575b1172cb684f22eede72f0e9033e0b5c67d0e2506768d6ce11",
			"bea7b7acfbad0126b135104024a5f1733e705108f42d59668b05c0c50004c6b0",
			"20b1a944960b75ca69ba070af4820de6e6acae1afe827d8c566c0f7b932d1bd3abde3222b3095088051439a8b4e7a5356c7ba6d246774f875ebb6ddee1577003",
			"zeuuS9pi2ZR8Q41bFFJKS9weSWkwa7pRcxHTHzxjDEHtVSZp3D9Rm3JdzT82EQpmXMb9wvfFJLuDPeSXZaRX1q1c"},
		{rdfc.ECDSARDFC2019(), "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256", "unsigned.json", "ECDSAP256", elliptic.P256(), p256Key, p256Secret,
			"517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017",
			"3a8a522f689025727fb9d1f0fa99a618da023e8494ac74f51015d009d35abc2e",
			"1cb4290918ffb04a55ff7ae1e55e316a9990fda8eec67325eac7fcbf2ddf9dd2b06716a657e72b284c9604df3a172ecbf06a1a475b49ac807b1d9162df855636",
			"zaHXrr7AQdydBk3ahpCDpWbxfLokDqmCToYm2dyWvpcFVyWooC2he63w1f7UNQoAMKdhaRtcnaE2KTo5o5vTCcfw"},
		{rdfc.ECDSARDFC2019(), "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256/employ", "employmentAuth.json", "ECDSAP256", elliptic.P256(), p256Key, p256Secret,
			"03f59e5b04ab575b1172cb684f22eede72f0e9033e0b5c67d0e2506768d6ce11",
			"3a8a522f689025727fb9d1f0fa99a618da023e8494ac74f51015d009d35abc2e",
			"c6798ff29f725dfd39aa4daf60fbb423cf9baf4e157f6b49f112c201015c6e730dc877154e65cf467f8ee2b61ec86d98ed78334b1cc9f3dba2e1745f37205e92",
			"z4y9rJ7JxwfZZUBAHgDHJh7FzMbsycPhEtcSHqrfyn7fx3S5MWdajNu1r6SsJmirzfcWHe7vp9XKHmRqW6qe7u3d3"},
		{rdfc.ECDSARDFC2019(), "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p384", "unsigned.json", "ECDSAP384", elliptic.P384(), p384Key, p384Secret,
			"8bf6e01df72c5b62f91b685231915ac4b8c58ea95f002c6b8f6bfafa1b251df476b56b8e01518e317dab099d3ecbff96",
			"e32805a26492eac777aa7a138f6d8da3c74e0c7be7b296dcaccf97420c3b92eaad7be6449ca565e165031567f5c7cbc1",
			"177ac088806c2506d49f0bfec16056a6a80ace62cd029888ad561aba22a59d192d77d9b1fc28df80dea5ee6c8bceb16f1b8bff6bd6ff2d8f8778bdde48bafa7b6cc1f914c0168b5c04499882f632deea9cb7d977e888bb0e1ee9fb20ff03b025",
			"z967Mvv5bxtmLNqTzPZ8KmJjFmFXaAKeQNzq7GWnQkMcLtaGSSmuozE5WtJ8PipMe178B1tE28K1vsJur9bGVJhz6jgSJsRHFSQeqgH8hhjcg8gZDFJC1b9FsR5ggNmDBqHv"},
		{rdfc.ECDSARDFC2019(), "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p384/employ", "employmentAuth.json", "ECDSAP384", elliptic.P384(), p384Key, p384Secret,
			"1033878f36ffb458c6495fec9c8814dad5215aad131041e6667db28fef6ea718d0de0eb4546bf527746ad2bc908a4320",
			"e32805a26492eac777aa7a138f6d8da3c74e0c7be7b296dcaccf97420c3b92eaad7be6449ca565e165031567f5c7cbc1",
			"a5999d1154a3fb5db8805fa762c8c41c1b7f40a231a5d42460d36245349771835f43fe0005295d2061be1789589c1f6385312f0e2e36709c310c77e8289587b79b29ecf7aad14ef61a1393cc2e1f93a7a354bd76bab47d558df060c6ae218975",
			"zz3ca1oME3iYPHM8SgApWFUFVQjiaL9moPqCZ1NAENj3biEQ34qc1ex5VJNLD4jh4N4MY2cmDyDCYGv7EyD87yCGYwag8wRwiJE1xiHKLhTEhDQFNfuNMsgLiZnqpkCDJPye"},
	}
}

func (v vector) hash() rdfcanon.Hash {
	if v.curve == elliptic.P384() {
		return rdfcanon.SHA384
	}
	return rdfcanon.SHA256
}

func (v vector) digest(text string) string {
	if v.hash() == rdfcanon.SHA384 {
		sum := sha512.Sum384([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (v vector) options(context string) string {
	return `{"@context":["https://www.w3.org/ns/credentials/v2","` + context + `"],"created":"2023-02-24T23:36:38Z","cryptosuite":"` + v.suite.Name() +
		`","proofPurpose":"assertionMethod","type":"DataIntegrityProof","verificationMethod":"did:key:` + v.key + "#" + v.key + `"}`
}

// method returns the public key of the vector.
func (v vector) method(t testing.TB) *did.VerificationMethod {
	t.Helper()
	pub, err := did.ParseMultikey(v.key)
	require.NoError(t, err)
	id, err := did.Parse("did:key:" + v.key)
	require.NoError(t, err)
	m, err := did.NewVerificationMethod(id.URL(v.key), pub, did.AssertionMethod)
	require.NoError(t, err)
	return m
}

// signer signs with the secret key of the vector, ECDSA without randomness.
func (v vector) signer(t testing.TB) did.Signer {
	t.Helper()
	raw, err := multiformat.Decode(v.secret, multiformat.MaxKey)
	require.NoError(t, err)
	vm := v.method(t).ID
	if v.curve == nil {
		s, err := did.NewSigner(vm, ed25519.NewKeyFromSeed(raw[2:]))
		require.NoError(t, err)
		return s
	}
	key, err := ecdsa.ParseRawPrivateKey(v.curve, raw[2:])
	require.NoError(t, err)
	return deterministic{vm, key}
}

// deterministic is the way of RFC 6979, in which the vectors were made.
type deterministic struct {
	vm  did.URL
	key *ecdsa.PrivateKey
}

func (d deterministic) VerificationMethod() did.URL { return d.vm }
func (d deterministic) Public() crypto.PublicKey    { return d.key.Public() }

func (d deterministic) Sign(_ context.Context, message []byte) ([]byte, error) {
	hash, size := crypto.SHA256, 32
	if d.key.Curve == elliptic.P384() {
		hash, size = crypto.SHA384, 48
	}
	h := hash.New()
	h.Write(message)
	der, err := d.key.Sign(nil, h.Sum(nil), hash)
	if err != nil {
		return nil, err
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return nil, err
	}
	return append(rs.R.FillBytes(make([]byte, size)), rs.S.FillBytes(make([]byte, size))...), nil
}

// canonicalText is the canonical form of a document.
func canonicalText(t testing.TB, doc *strictjson.Object, h rdfcanon.Hash) string {
	t.Helper()
	quads, err := contexts(t).Documents().ToRDF(doc, nil)
	require.NoError(t, err)
	return strings.Join(canonicalLines(t, quads, h), "")
}

// TestFigures verifies the figures typed into this package, makes them again, and
// flips every byte of the signature.
func TestFigures(t *testing.T) {
	t.Parallel()
	for _, v := range published() {
		if v.doc != "unsigned.json" {
			continue
		}
		t.Run(v.folder, func(t *testing.T) {
			t.Parallel()
			doc, options := object(t, []byte(alumniDoc)), object(t, []byte(v.options(examplesV2)))
			require.Equal(t, v.docHash, v.digest(canonicalText(t, doc, v.hash())))
			require.Equal(t, v.optHash, v.digest(canonicalText(t, options, v.hash())))
			v.check(t, doc, options)
		})
	}
}

// check verifies the vector, makes it again and flips every byte.
func (v vector) check(t *testing.T, doc, options *strictjson.Object) {
	t.Helper()
	sig, err := multiformat.Decode(v.value, multiformat.MaxKey)
	require.NoError(t, err)
	require.Equal(t, v.sig, hex.EncodeToString(sig))
	data, err := hex.DecodeString(v.optHash + v.docHash)
	require.NoError(t, err)
	require.NoError(t, did.VerifySignature(v.method(t).PublicKey(), data, sig))

	proof := options.Clone()
	proof.Set("proofValue", v.value)
	p, err := dataintegrity.ParseProof(proof)
	require.NoError(t, err)
	made, err := v.suite.Prove(t.Context(), doc, p, v.signer(t), contexts(t))
	require.NoError(t, err)
	require.Equal(t, v.value, must(made.Text("proofValue")))

	for _, proof := range []*strictjson.Object{proof, made} {
		signed, err := v.suite.Verify(t.Context(), doc, proof, v.method(t), contexts(t))
		require.NoError(t, err)
		require.Equal(t, jcsText(t, doc), jcsText(t, signed))
	}
	for i := range sig {
		sig[i] ^= 1
		proof.Set("proofValue", multiformat.Encode(sig))
		sig[i] ^= 1
		_, err := v.suite.Verify(t.Context(), doc, proof, v.method(t), contexts(t))
		require.ErrorIs(t, err, dataintegrity.ErrSignature)
	}
}

func must(s string, ok bool) string {
	if !ok {
		panic("no text")
	}
	return s
}

// TestPublishedVectors compares every intermediate value of the six published
// vectors.
func TestPublishedVectors(t *testing.T) {
	t.Parallel()
	for _, v := range published() {
		t.Run(v.folder, func(t *testing.T) {
			t.Parallel()
			read := func(name string) string { return string(vectors.Read(t, strings.Split(name, "/")...)) }
			file := func(name, ext string) string { return read(v.folder + "/" + name + v.suffix + ext) }
			root, _, _ := strings.Cut(v.folder, "/")
			doc := object(t, []byte(read(root+"/TestVectors/"+v.doc)))
			options := object(t, []byte(file("proofConfig", ".json")))
			context := examplesV2
			if v.doc != "unsigned.json" {
				context = citizenshipV4
			} else {
				require.Equal(t, alumniDoc, jcsText(t, doc))
			}
			require.Equal(t, v.options(context), jcsText(t, options))
			require.Equal(t, file("canonDoc", ".txt"), canonicalText(t, doc, v.hash()))
			require.Equal(t, file("proofCanon", ".txt"), canonicalText(t, options, v.hash()))
			require.Equal(t, v.docHash, file("docHash", ".txt"))
			require.Equal(t, v.docHash, v.digest(file("canonDoc", ".txt")))
			require.Equal(t, v.optHash, file("proofHash", ".txt"))
			require.Equal(t, v.optHash, v.digest(file("proofCanon", ".txt")))
			require.Equal(t, v.optHash+v.docHash, file("combinedHash", ".txt"))
			require.Equal(t, v.sig, file("sigHex", ".txt"))
			require.Equal(t, v.value, file("sigBTC58", ".txt"))
			v.check(t, doc, options)

			received, proof, err := dataintegrity.SplitProof(object(t, []byte(file("signed", ".json"))))
			require.NoError(t, err)
			signed, err := v.suite.Verify(t.Context(), received, proof, v.method(t), contexts(t))
			require.NoError(t, err)
			require.Equal(t, jcsText(t, doc), jcsText(t, signed))
			for name := range received.All() {
				changed := received.Clone()
				changed.Delete(name)
				_, err := v.suite.Verify(t.Context(), changed, proof, v.method(t), contexts(t))
				require.Error(t, err, "without %s", name)
			}
		})
	}
}

func canonicalLines(t testing.TB, quads []rdf.Quad, h rdfcanon.Hash) []string {
	t.Helper()
	c, err := rdfcanon.Canonicalize(context.Background(), quads, h)
	require.NoError(t, err)
	return c.Statements
}
