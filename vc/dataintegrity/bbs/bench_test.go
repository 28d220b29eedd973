package bbs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/bls12bbs"
)

func sizes() map[string]int { return map[string]int{"plain": 0, "photo": 300_000} }

// warm builds the tables of the process, one a call.
func warm(b *testing.B, d desk) {
	b.Helper()
	for range 64 {
		d.issue(b, 0)
	}
}

func BenchmarkIssue(b *testing.B) {
	for name, size := range sizes() {
		b.Run("bbs-2023/"+name, func(b *testing.B) {
			d := newDesk(b)
			warm(b, d)
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
		b.Run("bbs-2023/"+name, func(b *testing.B) {
			d := newDesk(b)
			warm(b, d)
			base := d.issue(b, size)
			reveal := tenClaims()
			if size > 0 {
				reveal[2] = "/credentialSubject/personal/photo"
			}
			for b.Loop() {
				if _, err := Derive(b.Context(), base, reveal, d.contexts, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for name, size := range sizes() {
		b.Run("bbs-2023/"+name, func(b *testing.B) {
			d := newDesk(b)
			warm(b, d)
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

// The unavoidable: the BBS operation on as many statements.
func BenchmarkFloor(b *testing.B) {
	d := newDesk(b)
	warm(b, d)
	base := d.issue(b, 0)
	_, proof := parse(b, base)
	value, _ := proof.Text("proofValue")
	p, err := parseBase(value)
	require.NoError(b, err)
	doc, _ := parse(b, base)
	x, err := disclose(b.Context(), doc, p, texts(tenClaims()), d.contexts)
	require.NoError(b, err)
	require.NoError(b, x.prove(p, nil, nil))
	public := d.issuer.Signer.Public().(did.BLS12381G2)
	key, err := bls12bbs.ParsePublicKey(public[:])
	require.NoError(b, err)
	shown := make([][]byte, len(x.disclosed))
	for i, at := range x.disclosed {
		shown[i] = x.messages[at]
	}
	b.Logf("%d statements that are not mandatory, %d shown", len(x.messages), len(shown))
	var s bls12bbs.Scheme
	b.Run("bbs-2023/issue", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.issuer.Signer.(Signer).SignMessages(b.Context(), p.Header, x.messages); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bbs-2023/derive", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.ProofGen(key, p.Signature, p.Header, nil, x.messages, x.disclosed, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bbs-2023/verify", func(b *testing.B) {
		for b.Loop() {
			if err := s.ProofVerify(key, x.proof.Proof, p.Header, nil, shown, x.disclosed); err != nil {
				b.Fatal(err)
			}
		}
	})
}
