package bls12bbs

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// The published fixtures, github.com/decentralized-identity/bbs-signature.

type hexBytes []byte

func (h *hexBytes) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	var err error
	*h, err = hex.DecodeString(s)
	return err
}

func (h hexBytes) String() string { return hex.EncodeToString(h) }

func raw(list []hexBytes) [][]byte {
	out := make([][]byte, len(list))
	for i := range list {
		out[i] = list[i]
	}
	return out
}

func fixture(t testing.TB, into any, path ...string) {
	t.Helper()
	b := vectors.Read(t, append([]string{"bbs-signatures", "bls12-381-sha-256"}, path...)...)
	require.NoError(t, json.Unmarshal(b, into))
}

func fixtures(t testing.TB, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(vectors.Dir(t), "bbs-signatures", "bls12-381-sha-256", folder))
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func scalarHex(s *fr.Element) string { return hex.EncodeToString(appendScalar(nil, s)) }

func pointHex(p *curve.G1Affine) string { return hex.EncodeToString(appendPoint(nil, p)) }

// schemes are those that must give the same answers: with the tables that the
// process has, and without any. The first builds one table a call.
func schemes() map[string]Scheme {
	return map[string]Scheme{"tables": {}, "no tables": {NoTables: true}}
}

func TestVectorKeyPair(t *testing.T) {
	t.Parallel()
	var f struct {
		KeyMaterial, KeyInfo, KeyDst hexBytes
		KeyPair                      struct{ SecretKey, PublicKey hexBytes }
	}
	fixture(t, &f, "keypair.json")
	sk, err := DeriveKey(f.KeyMaterial, f.KeyInfo, string(f.KeyDst))
	require.NoError(t, err)
	require.Equal(t, f.KeyPair.SecretKey.String(), hexBytes(sk.Bytes()).String())
	require.Equal(t, f.KeyPair.PublicKey.String(), hexBytes(sk.PublicKey().Bytes()).String())
}

// TestVectorDIDKeys: the key pairs of the did:key method's vectors, whose private
// keys are scalars too.
func TestVectorDIDKeys(t *testing.T) {
	t.Parallel()
	var all map[string]struct {
		VerificationKeyPair struct{ PublicKeyBase58, PrivateKeyBase58 string }
	}
	require.NoError(t, json.Unmarshal(vectors.Read(t, "did-key", "test-vectors", "bls12381.json"), &all))
	checked := 0
	for id, entry := range all {
		pair := entry.VerificationKeyPair
		if pair.PublicKeyBase58 == "" { // a key of G1
			continue
		}
		pub, err := multiformat.DecodeBase58(pair.PublicKeyBase58, 1024)
		require.NoError(t, err)
		secret, err := multiformat.DecodeBase58(pair.PrivateKeyBase58, 1024)
		require.NoError(t, err)
		sk, err := ParseSecretKey(secret)
		require.NoError(t, err, id)
		require.Equal(t, pub, sk.PublicKey().Bytes(), id)
		checked++
	}
	require.Equal(t, 5, checked)
}

func TestVectorHashing(t *testing.T) {
	t.Parallel()
	var h struct{ Message, Dst, Scalar hexBytes }
	fixture(t, &h, "h2s.json")
	require.Equal(t, dstHash, string(h.Dst))
	s := hashToScalar(h.Message, string(h.Dst))
	require.Equal(t, h.Scalar.String(), scalarHex(&s))

	var m struct {
		Dst   hexBytes
		Cases []struct{ Message, Scalar hexBytes }
	}
	fixture(t, &m, "MapMessageToScalarAsHash.json")
	require.Equal(t, dstMessage, string(m.Dst))
	require.Len(t, m.Cases, 10)
	for i, c := range m.Cases {
		s := messagesToScalars([][]byte{c.Message})
		require.Equal(t, c.Scalar.String(), scalarHex(&s[0]), i)
	}
}

func TestVectorMockedScalars(t *testing.T) {
	t.Parallel()
	var f struct {
		Seed, Dst     hexBytes
		Count         int
		MockedScalars []hexBytes
	}
	fixture(t, &f, "mockedRng.json")
	random := mocked(f.Seed, string(f.Dst), f.Count)
	require.Len(t, f.MockedScalars, f.Count)
	for i := range f.MockedScalars {
		s := randomScalar(random)
		require.Equal(t, f.MockedScalars[i].String(), scalarHex(&s), i)
	}
}

// mocked is the source of seeded_random_scalars (section 8.1).
func mocked(seed []byte, dst string, count int) *bytes.Reader {
	return bytes.NewReader(expand(seed, dst, count*expandLen))
}

func TestVectorGenerators(t *testing.T) {
	t.Parallel()
	var f struct {
		P1, Q1        hexBytes
		MsgGenerators []hexBytes
	}
	fixture(t, &f, "generators.json")
	g := forMessages(len(f.MsgGenerators), Scheme{})
	require.Equal(t, f.P1.String(), pointHex(&g.bases[0].point))
	require.Equal(t, f.Q1.String(), pointHex(&g.bases[1].point))
	require.Len(t, f.MsgGenerators, 10)
	for i, h := range f.MsgGenerators {
		require.Equal(t, h.String(), pointHex(&g.bases[2+i].point), i)
	}
	require.Equal(t, slices.Concat(append([][]byte{f.Q1}, raw(f.MsgGenerators)...)...), g.octets)
}

type signatureFixture struct {
	CaseName      string
	SignerKeyPair struct{ SecretKey, PublicKey hexBytes }
	Header        hexBytes
	Messages      []hexBytes
	Signature     hexBytes
	Result        struct {
		Valid  bool
		Reason string
	}
	Trace struct{ B, Domain hexBytes }
}

func TestVectorSignatures(t *testing.T) {
	t.Parallel()
	names := fixtures(t, "signature")
	require.Len(t, names, 10)
	for _, name := range names {
		for kind, s := range schemes() {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				var f signatureFixture
				fixture(t, &f, "signature", name)
				checkSignature(t, s, &f)
			})
		}
	}
}

// checkSignature takes one fixture down every path: verify, sign again, change one
// byte, and the values on the way (of a fixture that must fail they are those of
// the fixture it was made from).
func checkSignature(t *testing.T, s Scheme, f *signatureFixture) {
	pk, err := ParsePublicKey(f.SignerKeyPair.PublicKey)
	require.NoError(t, err)
	sk, err := ParseSecretKey(f.SignerKeyPair.SecretKey)
	require.NoError(t, err)
	messages := raw(f.Messages)

	again, err := s.Sign(sk, f.Header, messages)
	require.NoError(t, err)
	require.NoError(t, s.Verify(sk.PublicKey(), again, f.Header, messages))
	err = s.Verify(pk, f.Signature, f.Header, messages)
	if !f.Result.Valid {
		require.ErrorIs(t, err, ErrSignature, f.Result.Reason)
		return
	}
	require.NoError(t, err)
	require.True(t, pk.Equal(sk.PublicKey()))
	require.Equal(t, f.Signature.String(), hexBytes(again).String())
	g := forMessages(len(messages), s)
	d := domain(pk, g, f.Header)
	require.Equal(t, f.Trace.Domain.String(), scalarHex(&d))
	sum := commitment(g, &d, messagesToScalars(messages))
	b := affine(&sum)
	require.Equal(t, f.Trace.B.String(), pointHex(&b))

	step := vectors.Step(t, "changed bytes", 11)
	for i := 0; i < len(f.Signature); i += step {
		changed := bytes.Clone(f.Signature)
		changed[i] ^= 1 << (i % 8)
		require.ErrorIs(t, s.Verify(pk, changed, f.Header, messages), ErrSignature, i)
	}
}

type proofFixture struct {
	CaseName                   string
	SignerPublicKey, Signature hexBytes
	Header, PresentationHeader hexBytes
	Messages                   []hexBytes
	DisclosedIndexes           []int
	Proof                      hexBytes
	Result                     struct {
		Valid  bool
		Reason string
	}
	Trace struct {
		RandomScalars struct {
			R1, R2        hexBytes
			ETilde        hexBytes   `json:"e_tilde"`
			R1Tilde       hexBytes   `json:"r1_tilde"`
			R3Tilde       hexBytes   `json:"r3_tilde"`
			MTildeScalars []hexBytes `json:"m_tilde_scalars"`
		} `json:"random_scalars"`
		ABar      hexBytes `json:"A_bar"`
		BBar      hexBytes `json:"B_bar"`
		D         hexBytes
		T1, T2    hexBytes
		Domain    hexBytes
		Challenge hexBytes
	}
}

func TestVectorProofs(t *testing.T) {
	t.Parallel()
	names := fixtures(t, "proof")
	require.Len(t, names, 15)
	for _, name := range names {
		for kind, s := range schemes() {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				var f proofFixture
				fixture(t, &f, "proof", name)
				checkProof(t, s, &f)
			})
		}
	}
}

// checkProof is checkSignature for proofs.
func checkProof(t *testing.T, s Scheme, f *proofFixture) {
	pk, err := ParsePublicKey(f.SignerPublicKey)
	require.NoError(t, err)
	messages := raw(f.Messages)
	var shown [][]byte
	for _, i := range f.DisclosedIndexes {
		if i < len(messages) {
			shown = append(shown, messages[i])
		}
	}
	verify := func(proof []byte) error {
		return s.ProofVerify(pk, proof, f.Header, f.PresentationHeader, shown, f.DisclosedIndexes)
	}
	err = verify(f.Proof)
	if !f.Result.Valid {
		require.True(t, isRefusal(err), "%s: %v", f.Result.Reason, err)
		return
	}
	require.NoError(t, err)

	// Made again, with the same randomness.
	var rng struct{ Seed hexBytes }
	fixture(t, &rng, "mockedRng.json")
	hidden := len(messages) - len(f.DisclosedIndexes)
	dst := apiID + "MOCK_RANDOM_SCALARS_DST_"
	again, err := s.ProofGen(pk, f.Signature, f.Header, f.PresentationHeader, messages, f.DisclosedIndexes, mocked(rng.Seed, dst, 5+hidden))
	require.NoError(t, err)
	require.Equal(t, f.Proof.String(), hexBytes(again).String())

	// Every value on the way, of prover and verifier.
	sig, err := parseSignature(f.Signature)
	require.NoError(t, err)
	g := forMessages(len(messages), s)
	none, err := undisclosed(f.DisclosedIndexes, len(messages))
	require.NoError(t, err)
	p := &prover{g: g, sig: sig, scalars: messagesToScalars(messages), disclosed: f.DisclosedIndexes, hidden: none}
	p.random(mocked(rng.Seed, dst, 5+hidden))
	random := &f.Trace.RandomScalars
	for want, got := range map[*hexBytes]*fr.Element{&random.R1: &p.r1, &random.R2: &p.r2,
		&random.ETilde: &p.eTilde, &random.R1Tilde: &p.r1Tilde, &random.R3Tilde: &p.r3Tilde} {
		require.Equal(t, want.String(), scalarHex(got))
	}
	require.Len(t, p.mTilde, len(random.MTildeScalars))
	for i := range p.mTilde {
		require.Equal(t, random.MTildeScalars[i].String(), scalarHex(&p.mTilde[i]))
	}
	p.initial.domain = domain(pk, g, f.Header)
	b := commitment(g, &p.initial.domain, p.scalars)
	p.init(&b)
	parsed, err := parseProof(f.Proof)
	require.NoError(t, err)
	scalars := messagesToScalars(shown)
	for who, r := range map[string]*initial{"prover": &p.initial,
		"verifier": parsed.verifyInit(pk, g, f.Header, scalars, f.DisclosedIndexes, none)} {
		require.Equal(t, f.Trace.ABar.String(), pointHex(&r.aBar), who)
		require.Equal(t, f.Trace.BBar.String(), pointHex(&r.bBar), who)
		require.Equal(t, f.Trace.D.String(), pointHex(&r.d), who)
		require.Equal(t, f.Trace.T1.String(), pointHex(&r.t1), who)
		require.Equal(t, f.Trace.T2.String(), pointHex(&r.t2), who)
		require.Equal(t, f.Trace.Domain.String(), scalarHex(&r.domain), who)
		c := r.challenge(scalars, f.DisclosedIndexes, f.PresentationHeader)
		require.Equal(t, f.Trace.Challenge.String(), scalarHex(&c), who)
	}

	step := vectors.Step(t, "changed bytes", 29)
	for i := 0; i < len(f.Proof); i += step {
		changed := bytes.Clone(f.Proof)
		changed[i] ^= 1 << (i % 8)
		require.ErrorIs(t, verify(changed), ErrProof, i)
	}
}

func isRefusal(err error) bool {
	for _, want := range []error{ErrProof, ErrIndexes, ErrTooMany} {
		if fmt.Sprint(err) == want.Error() {
			return true
		}
	}
	return false
}
