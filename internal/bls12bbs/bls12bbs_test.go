package bls12bbs

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/vectors"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// The figures of the fixtures for one message (signature001, proof001) and of the
// ciphersuite, for a clone that has no published vectors beside it.
const (
	knownSecret = "60e55110f76883a13d030b2f6bd11883422d5abde717569fc0731f51237169fc"
	knownPublic = "a820f230f6ae38503b86c70dc50b61c58a77e45c39ab25c0652bbaa8fa136f2851bd4781c9dcde39fc9d1d52c9e60268" +
		"061e7d7632171d91aa8d460acee0e96f1e7c4cfb12d3ff9ab5d5dc91c277db75c845d649ef3c4f63aebc364cd55ded0c"
	knownMessage   = "9872ad089e452c7b6e283dfac2a80d58e8d0ff71cc4d5e310a1debdda4a45f02"
	knownHeader    = "11223344556677889900aabbccddeeff"
	knownSignature = "84773160b824e194073a57493dac1a20b667af70cd2352d8af241c77658da5253aa8458317cca0eae615690d55b1f271" +
		"64657dcafee1d5c1973947aa70e2cfbb4c892340be5969920d0916067b4565a0"
	knownPH    = "bed231d880675ed101ead304512e043ade9958dd0241ea70b4b3957fba941501"
	knownProof = "94916292a7a6bade28456c601d3af33fcf39278d6594b467e128a3f83686a104ef2b2fcf72df0215eeaf69262ffe8194" +
		"a19fab31a82ddbe06908985abc4c9825788b8a1610942d12b7f5debbea8985296361206dbace7af0cc834c80f33e0aad" +
		"aeea5597befbb651827b5eed5a66f1a959bb46cfd5ca1a817a14475960f69b32c54db7587b5ee3ab665fbd37b506830a" +
		"49f21d592f5e634f47cee05a025a2f8f94e73a6c15f02301d1178a92873b6e8634bafe4983c3e15a663d64080678dbf2" +
		"9417519b78af042be2b3e1c4d08b8d520ffab008cbaaca5671a15b22c239b38e940cfeaa5e72104576a9ec4a6fad78c5" +
		"32381aeaa6fb56409cef56ee5c140d455feeb04426193c57086c9b6d397d9418"
	knownP1 = "a8ce256102840821a3e94ea9025e4662b205762f9776b3a766c872b948f1fd225e7c59698588e70d11406d161b4e28c9"
	knownQ1 = "a9ec65b70a7fbe40c874c9eb041c2cb0a7af36ccec1bea48fa2ba4c2eb67ef7f9ecb17ed27d38d27cdeddff44c8137be"
	knownH1 = "98cd5313283aaf5db1b3ba8611fe6070d19e605de4078c38df36019fbaad0bd28dd090fd24ed27f7f4d22d5ff5dea7d4"
)

func TestKnownFigures(t *testing.T) {
	t.Parallel()
	sk, err := ParseSecretKey(unhex(t, knownSecret))
	require.NoError(t, err)
	require.Equal(t, knownPublic, hex.EncodeToString(sk.PublicKey().Bytes()))
	g := forMessages(1, Scheme{})
	for i, want := range []string{knownP1, knownQ1, knownH1} {
		require.Equal(t, want, pointHex(&g.bases[i].point))
	}
	for name, s := range schemes() {
		messages := [][]byte{unhex(t, knownMessage)}
		sig, err := s.Sign(sk, unhex(t, knownHeader), messages)
		require.NoError(t, err)
		require.Equal(t, knownSignature, hex.EncodeToString(sig), name)
		random := mocked(unhex(t, "332e313431353932363533353839373933323338343632363433333833323739"), apiID+"MOCK_RANDOM_SCALARS_DST_", 5)
		proof, err := s.ProofGen(sk.PublicKey(), sig, unhex(t, knownHeader), unhex(t, knownPH), messages, []int{0}, random)
		require.NoError(t, err)
		require.Equal(t, knownProof, hex.EncodeToString(proof), name)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	sk := GenerateKey()
	again, err := ParseSecretKey(sk.Bytes())
	require.NoError(t, err)
	require.True(t, sk.PublicKey().Equal(again.PublicKey()))
	pk, err := ParsePublicKey(sk.PublicKey().Bytes())
	require.NoError(t, err)
	require.True(t, pk.Equal(sk.PublicKey()))
	require.False(t, pk.Equal(GenerateKey().PublicKey()))

	one, err := ParseSecretKey(append(make([]byte, 31), 1))
	require.NoError(t, err)
	_, _, _, g2 := curve.Generators()
	base := g2.Bytes()
	require.Equal(t, base[:], one.PublicKey().Bytes())

	secret := hex.EncodeToString(sk.Bytes())
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, text := range []string{fmt.Sprintf(format, sk), fmt.Sprintf(format, struct{ K *SecretKey }{sk})} {
			require.NotContains(t, strings.ToLower(text), secret[:8], format)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("key", "key", sk)
	require.Contains(t, log.String(), "key=bls12bbs.SecretKey")
}

func TestDeriveKey(t *testing.T) {
	t.Parallel()
	material := bytes.Repeat([]byte{7}, 32)
	a, err := DeriveKey(material, nil, "")
	require.NoError(t, err)
	b, err := DeriveKey(material, []byte("x"), "")
	require.NoError(t, err)
	c, err := DeriveKey(material, nil, ciphersuiteID+"KEYGEN_DST_")
	require.NoError(t, err)
	require.NotEqual(t, a.Bytes(), b.Bytes())
	require.Equal(t, a.Bytes(), c.Bytes())
	for name, f := range map[string]func() (*SecretKey, error){
		"short material": func() (*SecretKey, error) { return DeriveKey(material[:31], nil, "") },
		"long info":      func() (*SecretKey, error) { return DeriveKey(material, make([]byte, 65536), "") },
		"long tag":       func() (*SecretKey, error) { return DeriveKey(material, nil, strings.Repeat("x", 256)) },
	} {
		_, err := f()
		require.ErrorIs(t, err, ErrKey, name)
	}
	_, err = DeriveKey(material, make([]byte, 65535), strings.Repeat("x", 255))
	require.NoError(t, err)
}

// order is r, big end first.
const order = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001"

func TestParseSecretKeyRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"nothing":       "",
		"zero":          strings.Repeat("00", 32),
		"r":             order,
		"r+1":           order[:62] + "02",
		"all ones":      strings.Repeat("ff", 32),
		"one byte less": knownSecret[2:],
		"one byte more": knownSecret + "00",
	} {
		_, err := ParseSecretKey(unhex(t, in))
		require.ErrorIs(t, err, ErrKey, name)
	}
	_, err := ParseSecretKey(unhex(t, order[:62]+"00")) // r-1
	require.NoError(t, err)
}

// fieldPrime is p, big end first.
const fieldPrime = "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"

// badG1 are 48 bytes that are no point of G1 but for one reason each.
func badG1(t testing.TB) map[string][]byte {
	good := unhex(t, knownP1)
	with := func(b []byte, change func([]byte)) []byte {
		b = bytes.Clone(b)
		change(b)
		return b
	}
	p := unhex(t, fieldPrime)
	// The first x coordinate from 0 up with a point on the curve that is outside
	// the subgroup, and one with no point at all.
	var outside, off []byte
	for x := byte(0); outside == nil || off == nil; x++ {
		b := make([]byte, 48)
		b[0], b[47] = 0x80, x
		var dec = curve.NewDecoder(bytes.NewReader(b), curve.NoSubgroupChecks())
		var point curve.G1Affine
		if err := dec.Decode(&point); err != nil {
			off = b
		} else if !point.IsInSubGroup() {
			outside = b
		}
	}
	return map[string][]byte{
		"identity":              with(make([]byte, 48), func(b []byte) { b[0] = 0xc0 }),
		"identity, sign bit":    with(make([]byte, 48), func(b []byte) { b[0] = 0xe0 }),
		"identity, with x":      with(make([]byte, 48), func(b []byte) { b[0], b[47] = 0xc0, 1 }),
		"zeros":                 make([]byte, 48),
		"ones":                  bytes.Repeat([]byte{0xff}, 48),
		"not compressed":        with(good, func(b []byte) { b[0] &^= 0x80 }),
		"marked identity":       with(good, func(b []byte) { b[0] |= 0x40 }),
		"x is p":                with(p, func(b []byte) { b[0] |= 0x80 }),
		"x not canonical":       with(p, func(b []byte) { b[0] |= 0x80; b[47] += 4 }),
		"off the curve":         off,
		"outside the subgroup":  outside,
		"outside, other sign":   with(outside, func(b []byte) { b[0] |= 0x20 }),
		"uncompressed identity": with(make([]byte, 48), func(b []byte) { b[0] = 0x40 }),
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	t.Parallel()
	good := unhex(t, knownPublic)
	change := func(f func([]byte) []byte) []byte { return f(bytes.Clone(good)) }
	var outside, off []byte
	for x := byte(0); outside == nil || off == nil; x++ {
		b := make([]byte, 96)
		b[0], b[95] = 0x80, x
		var point curve.G2Affine
		if err := curve.NewDecoder(bytes.NewReader(b), curve.NoSubgroupChecks()).Decode(&point); err != nil {
			off = b
		} else if !point.IsInSubGroup() {
			outside = b
		}
	}
	p := unhex(t, fieldPrime)
	point := new(curve.G2Affine)
	_, err := point.SetBytes(good)
	require.NoError(t, err)
	long := point.RawBytes()
	for name, in := range map[string][]byte{
		"nothing":              nil,
		"identity":             append([]byte{0xc0}, make([]byte, 95)...),
		"zeros":                make([]byte, 96),
		"ones":                 bytes.Repeat([]byte{0xff}, 96),
		"not compressed":       change(func(b []byte) []byte { b[0] &^= 0x80; return b }),
		"marked identity":      change(func(b []byte) []byte { b[0] |= 0x40; return b }),
		"all flags":            change(func(b []byte) []byte { b[0] |= 0xe0; return b }),
		"x1 is p":              change(func(b []byte) []byte { copy(b, p); b[0] |= 0x80; return b }),
		"x0 is p":              change(func(b []byte) []byte { copy(b[48:], p); return b }),
		"one byte less":        good[:95],
		"one byte more":        append(bytes.Clone(good), 0),
		"half":                 good[:48],
		"twice":                append(bytes.Clone(good), good...),
		"uncompressed form":    long[:],
		"off the curve":        off,
		"outside the subgroup": outside,
		"a point of G1":        unhex(t, knownP1),
	} {
		_, err := ParsePublicKey(in)
		require.ErrorIs(t, err, ErrKey, name)
	}
}

func TestAbuse_SE04_Points(t *testing.T) {
	t.Parallel()
	var s Scheme
	x := newSample(t, s, 5, 2)
	for name, bad := range badG1(t) {
		require.Len(t, bad, 48)
		sig := append(bytes.Clone(bad), x.sig[48:]...)
		require.ErrorIs(t, s.Verify(x.sk.PublicKey(), sig, x.header, x.messages), ErrSignature, name)
		_, err := s.ProofGen(x.sk.PublicKey(), sig, x.header, nil, x.messages, nil, nil)
		require.ErrorIs(t, err, ErrSignature, name)
		for i := range 3 {
			proof := bytes.Clone(x.proof)
			copy(proof[48*i:], bad)
			_, err := parseProof(proof)
			require.ErrorIs(t, err, ErrProof, name)
			require.ErrorIs(t, s.ProofVerify(x.sk.PublicKey(), proof, x.header, []byte("ph"), x.shown, x.disclosed), ErrProof, name)
		}
	}
}

func TestAbuse_SE04_Scalars(t *testing.T) {
	t.Parallel()
	var s Scheme
	x := newSample(t, s, 5, 2)
	for name, bad := range map[string]string{
		"zero": strings.Repeat("00", 32), "r": order, "r+1": order[:62] + "02", "ones": strings.Repeat("ff", 32),
	} {
		sig := append(bytes.Clone(x.sig[:48]), unhex(t, bad)...)
		require.ErrorIs(t, s.Verify(x.sk.PublicKey(), sig, x.header, x.messages), ErrSignature, name)
		for at := 144; at < len(x.proof); at += 32 {
			proof := bytes.Clone(x.proof)
			copy(proof[at:], unhex(t, bad))
			_, err := parseProof(proof)
			require.ErrorIs(t, err, ErrProof, name)
		}
	}
	// The same value modulo r is another spelling, and refused.
	e, ok := parseScalar(x.sig[48:])
	require.True(t, ok)
	if b := e.Bytes(); b[0] < 0x80 {
		var sum [32]byte
		carry := 0
		r := unhex(t, order)
		for i := 31; i >= 0; i-- {
			v := int(b[i]) + int(r[i]) + carry
			sum[i], carry = byte(v), v>>8
		}
		require.ErrorIs(t, s.Verify(x.sk.PublicKey(), append(bytes.Clone(x.sig[:48]), sum[:]...), x.header, x.messages), ErrSignature)
	}
}

func TestAbuse_SE04_Indexes(t *testing.T) {
	t.Parallel()
	var s Scheme
	x := newSample(t, s, 6, 2) // 0 and 3 are shown
	m := x.messages
	pk := x.sk.PublicKey()
	for name, c := range map[string]struct {
		indexes  []int
		messages [][]byte
		want     error
	}{
		"negative":          {[]int{-1, 3}, x.shown, ErrIndexes},
		"as many as there":  {[]int{0, 6}, x.shown, ErrIndexes},
		"huge":              {[]int{0, 1 << 62}, x.shown, ErrIndexes},
		"twice":             {[]int{3, 3}, x.shown, ErrIndexes},
		"descending":        {[]int{3, 0}, x.shown, ErrIndexes},
		"one index more":    {[]int{0, 3, 4}, x.shown, ErrIndexes},
		"one message more":  {[]int{0, 3}, append(slices.Clone(x.shown), m[4]), ErrIndexes},
		"no index":          {nil, x.shown, ErrIndexes},
		"no message":        {[]int{0, 3}, nil, ErrIndexes},
		"another index":     {[]int{0, 4}, x.shown, ErrProof},
		"messages swapped":  {[]int{0, 3}, [][]byte{x.shown[1], x.shown[0]}, ErrProof},
		"one less":          {[]int{0}, x.shown[:1], ErrProof},
		"one more":          {[]int{0, 3, 4}, append(slices.Clone(x.shown), m[4]), ErrProof},
		"nothing shown":     {nil, nil, ErrProof},
		"a message changed": {[]int{0, 3}, [][]byte{x.shown[0], append(slices.Clone(x.shown[1]), ' ')}, ErrProof},
	} {
		require.ErrorIs(t, s.ProofVerify(pk, x.proof, x.header, []byte("ph"), c.messages, c.indexes), c.want, name)
	}
	for name, indexes := range map[string][]int{
		"negative": {-1}, "as many as there": {6}, "twice": {1, 1}, "descending": {2, 1}, "too many": {0, 1, 2, 3, 4, 5, 6},
	} {
		_, err := s.ProofGen(pk, x.sig, x.header, nil, m, indexes, nil)
		require.ErrorIs(t, err, ErrIndexes, name)
	}
}

func TestAbuse_SE04_Lengths(t *testing.T) {
	t.Parallel()
	var s Scheme
	x := newSample(t, s, 4, 2)
	verify := func(proof []byte) error {
		return s.ProofVerify(x.sk.PublicKey(), proof, x.header, []byte("ph"), x.shown, x.disclosed)
	}
	require.NoError(t, verify(x.proof))
	for n := range len(x.proof) {
		require.Error(t, verify(x.proof[:n]), n)
	}
	for n := 1; n <= 64; n++ {
		require.Error(t, verify(append(bytes.Clone(x.proof), make([]byte, n)...)), n)
	}
	require.Error(t, verify(append(bytes.Clone(x.proof), x.proof[144:176]...)), "one scalar more")
	for n := range len(x.sig) {
		require.ErrorIs(t, s.Verify(x.sk.PublicKey(), x.sig[:n], x.header, x.messages), ErrSignature)
	}
	require.ErrorIs(t, s.Verify(x.sk.PublicKey(), append(bytes.Clone(x.sig), 0), x.header, x.messages), ErrSignature)
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	var s Scheme
	x := newSample(t, s, 3, 1)
	pk, other := x.sk.PublicKey(), GenerateKey().PublicKey()
	for name, header := range map[string][]byte{"none": nil, "longer": []byte("header\x00"), "shorter": []byte("heade")} {
		require.ErrorIs(t, s.Verify(pk, x.sig, header, x.messages), ErrSignature, name)
		require.ErrorIs(t, s.ProofVerify(pk, x.proof, header, []byte("ph"), x.shown, x.disclosed), ErrProof, name)
		_, err := s.ProofGen(pk, x.sig, header, nil, x.messages, nil, nil)
		require.ErrorIs(t, err, ErrSignature, name)
	}
	for name, ph := range map[string][]byte{"none": nil, "longer": []byte("ph\x00"), "shorter": []byte("p")} {
		require.ErrorIs(t, s.ProofVerify(pk, x.proof, x.header, ph, x.shown, x.disclosed), ErrProof, name)
	}
	require.ErrorIs(t, s.Verify(other, x.sig, x.header, x.messages), ErrSignature)
	require.ErrorIs(t, s.ProofVerify(other, x.proof, x.header, []byte("ph"), x.shown, x.disclosed), ErrProof)
	_, err := s.ProofGen(other, x.sig, x.header, nil, x.messages, nil, nil)
	require.ErrorIs(t, err, ErrSignature)
}

// TestEverySelection shows each subset of four messages, and none at all of none.
func TestEverySelection(t *testing.T) {
	t.Parallel()
	step := vectors.Step(t, "selections", 3)
	for name, s := range schemes() {
		for n := range 5 {
			x := newSample(t, s, n, 0)
			for set := 0; set < 1<<n; set += step {
				var indexes []int
				var shown [][]byte
				for i := range n {
					if set>>i&1 == 1 {
						indexes, shown = append(indexes, i), append(shown, x.messages[i])
					}
				}
				proof, err := s.ProofGen(x.sk.PublicKey(), x.sig, x.header, nil, x.messages, indexes, nil)
				require.NoError(t, err, name)
				require.Len(t, proof, proofFloor+32*(n-len(indexes)))
				require.NoError(t, s.ProofVerify(x.sk.PublicKey(), proof, x.header, nil, shown, indexes))
			}
		}
	}
}

func TestMaxMessages(t *testing.T) {
	t.Parallel()
	s := Scheme{NoTables: true}
	x := newSample(t, s, MaxMessages, 3)
	pk := x.sk.PublicKey()
	require.NoError(t, s.Verify(pk, x.sig, x.header, x.messages))
	require.NoError(t, s.ProofVerify(pk, x.proof, x.header, []byte("ph"), x.shown, x.disclosed))

	more := append(slices.Clone(x.messages), nil)
	_, err := s.Sign(x.sk, nil, more)
	require.ErrorIs(t, err, ErrTooMany)
	require.ErrorIs(t, s.Verify(pk, x.sig, nil, more), ErrTooMany)
	_, err = s.ProofGen(pk, x.sig, nil, nil, more, nil, nil)
	require.ErrorIs(t, err, ErrTooMany)
	require.ErrorIs(t, s.ProofVerify(pk, make([]byte, proofFloor+32*(MaxMessages+1)), nil, nil, nil, nil), ErrTooMany)
	all := make([]int, len(more))
	for i := range all {
		all[i] = i
	}
	require.ErrorIs(t, s.ProofVerify(pk, x.proof, nil, nil, more, all), ErrTooMany)
	require.ErrorIs(t, s.ProofVerify(pk, x.proof, nil, nil, more[:10], all[:10]), ErrTooMany)
}

func TestUnlinkable(t *testing.T) {
	t.Parallel()
	var s Scheme
	x := newSample(t, s, 8, 3)
	seen := map[string]bool{}
	for range 20 {
		proof, err := s.ProofGen(x.sk.PublicKey(), x.sig, x.header, []byte("ph"), x.messages, x.disclosed, nil)
		require.NoError(t, err)
		for i := 0; i+8 <= len(proof); i++ {
			window := string(proof[i : i+8])
			require.False(t, seen[window], "two proofs share bytes")
			require.NotContains(t, string(x.sig), window)
		}
		for i := 0; i+8 <= len(proof); i++ {
			seen[string(proof[i:i+8])] = true
		}
	}
}

// TestConcurrent shares what is cached between goroutines, beginning with nothing.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	c := newCache(math.MaxInt64)
	sk := GenerateKey()
	pk, err := ParsePublicKey(sk.PublicKey().Bytes())
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			s := Scheme{NoTables: i%2 == 0}
			for n := range 4 {
				messages := slices.Repeat([][]byte{{byte(i)}}, n+30*i)
				sig, err := s.Sign(sk, nil, messages)
				if err != nil || s.Verify(pk, sig, nil, messages) != nil {
					t.Error(err)
				}
				c.forMessages(n, s)
			}
		})
	}
	wg.Wait()
}

// TestGeneratorsAsMany: no more bases are made than were asked for, and they are the
// same in whatever steps.
func TestGeneratorsAsMany(t *testing.T) {
	t.Parallel()
	c := newCache(math.MaxInt64)
	for _, n := range []int{0, 1, 5, 3, 40} {
		g := c.forMessages(n, Scheme{})
		require.Equal(t, n, g.messages())
		require.Len(t, c.made, max(n, len(c.made)-2)+2)
		for _, b := range g.bases {
			require.Nil(t, b.odd.Load())
		}
	}
	require.Len(t, c.made, 42)
	require.Equal(t, newCache(0).forMessages(40, Scheme{}).octets, c.forMessages(40, Scheme{}).octets)
	require.Nil(t, forMessages(MaxMessages+1, Scheme{}))
	made := c.forMessages(1, Scheme{}).bases
	withOdd(made[:2])
	odd := made[1].odd.Load()
	withOdd(made)
	require.Same(t, odd, made[1].odd.Load(), "made once")
	require.NotNil(t, made[2].odd.Load())
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	for memory, want := range map[int64]bool{tableMemory - 1: false, tableMemory: true, math.MaxInt64: true} {
		require.Equal(t, want, newCache(memory).forMessages(0, Scheme{}).wide)
		require.False(t, newCache(memory).forMessages(0, Scheme{NoTables: true}).wide)
	}
	c := newCache(tableMemory)
	for range 5 {
		c.forMessages(1, Scheme{NoTables: true})
	}
	g := c.forMessages(1, Scheme{NoTables: true})
	for _, b := range g.bases {
		require.Nil(t, b.wide.Load())
	}
	for range tableCalls {
		c.forMessages(1, Scheme{})
		require.Nil(t, g.bases[0].wide.Load(), "a table is for those who call often")
	}
	for i := range g.bases {
		c.forMessages(1, Scheme{})
		require.NotNil(t, g.bases[i].wide.Load(), "one a call, in order")
		require.Equal(t, i+1 < len(g.bases), slices.ContainsFunc(g.bases, func(b *base) bool { return b.wide.Load() == nil }))
	}
}
