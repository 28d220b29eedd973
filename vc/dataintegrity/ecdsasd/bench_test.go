package ecdsasd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
)

func sizes() map[string]int { return map[string]int{"plain": 0, "photo": 300_000} }

func BenchmarkIssue(b *testing.B) {
	for name, size := range sizes() {
		b.Run("ecdsa-sd-2023/"+name, func(b *testing.B) {
			d := newDesk(b)
			c := passport(b, d.did(), size)
			for b.Loop() {
				if _, err := d.issuer.Secure(b.Context(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDerive(b *testing.B) {
	for name, size := range sizes() {
		b.Run("ecdsa-sd-2023/"+name, func(b *testing.B) {
			d := newDesk(b)
			base := d.issue(b, size)
			reveal := tenClaims()
			if size > 0 {
				reveal[2] = "/credentialSubject/personal/photo"
			}
			for b.Loop() {
				if _, err := Derive(b.Context(), base, reveal, d.contexts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for name, size := range sizes() {
		b.Run("ecdsa-sd-2023/"+name, func(b *testing.B) {
			d := newDesk(b)
			reveal := tenClaims()
			if size > 0 {
				reveal[2] = "/credentialSubject/personal/photo"
			}
			shown := d.derive(b, d.issue(b, size), reveal...)
			for b.Loop() {
				if err := verify(b, shown.Bytes, d.method, d.contexts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The unavoidable: a signature for each statement, over its hash.
func BenchmarkFloor(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(b, err)
	d := newDesk(b)
	base := d.issue(b, 0)
	statements, shown := count(b, base), count(b, d.derive(b, base, tenClaims()...))
	digest := sha256.Sum256(base.Bytes)
	b.Run("ecdsa-sd-2023/issue", func(b *testing.B) {
		for b.Loop() {
			if _, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
				b.Fatal(err)
			}
			for range statements + 1 {
				if _, err := ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("ecdsa-sd-2023/verify", func(b *testing.B) {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		require.NoError(b, err)
		for b.Loop() {
			for range shown + 1 {
				if !ecdsa.Verify(&key.PublicKey, digest[:], new(big.Int).Set(r), new(big.Int).Set(s)) {
					b.Fatal()
				}
			}
		}
	})
}

// count returns the number of signed statements of a credential.
func count(b *testing.B, s vc.Secured) int {
	b.Helper()
	_, proof := parse(b, s)
	value, _ := proof.Text("proofValue")
	if IsBase(proof) {
		p, err := parseBase(value)
		require.NoError(b, err)
		return len(p.Signatures)
	}
	p, err := parseDerived(value)
	require.NoError(b, err)
	return len(p.Signatures)
}
