package bls12bbs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse: whatever is parsed is written again as the same bytes.
func FuzzParse(f *testing.F) {
	for _, s := range []string{knownSecret, knownPublic, knownSignature, knownProof, knownP1, ""} {
		f.Add(unhex(f, s))
	}
	for _, b := range badG1(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, err := ParseSecretKey(b); err == nil {
			require.Equal(t, b, k.Bytes())
		}
		if k, err := ParsePublicKey(b); err == nil {
			require.Equal(t, b, k.Bytes())
		}
		if s, err := parseSignature(b); err == nil {
			require.Equal(t, b, s.bytes())
		}
		if p, err := parseProof(b); err == nil {
			require.Equal(t, b, p.bytes())
		}
	})
}

// FuzzVerify: nothing verifies but what was made.
func FuzzVerify(f *testing.F) {
	s := Scheme{NoTables: true}
	x := newSample(f, s, 4, 2)
	pk := x.sk.PublicKey()
	f.Add(x.sig, x.header, 4)
	f.Add(x.proof, []byte("ph"), 2)
	f.Add(unhex(f, knownSignature), unhex(f, knownHeader), 1)
	f.Add(unhex(f, knownProof), unhex(f, knownPH), 0)
	f.Fuzz(func(t *testing.T, b, header []byte, n int) {
		if n < 0 || n > len(x.messages) {
			return
		}
		if err := s.Verify(pk, b, header, x.messages[:n]); err == nil {
			require.Equal(t, x.sig, b)
			require.Equal(t, x.header, header)
		}
		if err := s.ProofVerify(pk, b, x.header, header, x.shown[:min(n, 2)], x.disclosed[:min(n, 2)]); err == nil {
			require.Equal(t, x.proof, b)
			require.Equal(t, "ph", string(header))
		}
	})
}
