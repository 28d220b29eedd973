package disclose_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/measure"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/disclose"
)

// sizes are a credential with the photo beside it, and one of 300 KB with it inside.
func sizes() map[string]func(*vc.Credential) {
	return map[string]func(*vc.Credential){
		"plain": unchanged,
		"photo": func(c *vc.Credential) {
			photo := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(make([]byte, 225_000))
			c.Subject = json.RawMessage(strings.Replace(string(c.Subject), "ni:///sha-256;uzp7TwPZNDURtyjKTck5w7h19PQECuIkulVW8OGkjoo", photo, 1))
		},
	}
}

// tenClaims are what a request of ten claims asks for.
func tenClaims() []vc.Pointer {
	var out []vc.Pointer
	for _, at := range []string{"personal/firstName", "personal/lastName", "dbs/level", "dbs/issueDate", "registration/body",
		"registration/number", "registration/expiryDate", "employment/jobRole", "employment/organisation", "employment/startDate"} {
		out = append(out, vc.Pointer("/credentialSubject/"+at))
	}
	return out
}

// measured are the formats by the names that all benchmarks of the module use.
func measured() map[string]format {
	all := formats()
	return map[string]format{"ecdsa-sd-2023": all[0], "bbs-2023": all[1], "sd-jwt-vc-es256": all[2]}
}

// eachMeasured runs a benchmark on ten claims of the credential in each format.
func eachMeasured(b *testing.B, run func(b *testing.B, name string, r disclose.Request, s vc.Secured)) {
	contexts, h := contexts(b), holder(b)
	for name, f := range measured() {
		for size, change := range sizes() {
			b.Run(name+"/"+size, func(b *testing.B) {
				s := f.secure(b, contexts, h, change)
				b.ReportAllocs()
				b.ResetTimer()
				run(b, name, f.request(b, contexts, h, tenClaims()...), s)
			})
		}
	}
}

func BenchmarkDerive(b *testing.B) {
	eachMeasured(b, func(b *testing.B, name string, r disclose.Request, s vc.Secured) {
		derive := func() {
			_, err := disclose.Derive(context.Background(), r, s)
			require.NoError(b, err)
		}
		if name == "bbs-2023" { // after sixteen calls of a process each builds a table
			for range 80 {
				derive()
			}
		}
		b.ResetTimer()
		for b.Loop() {
			derive()
		}
	})
}

func BenchmarkPreview(b *testing.B) {
	eachMeasured(b, func(b *testing.B, _ string, r disclose.Request, s vc.Secured) {
		for b.Loop() {
			_, err := disclose.Preview(r, s)
			require.NoError(b, err)
		}
	})
}

// BenchmarkFloor does what no implementation of a format can leave out: the canonical
// forms of the whole and of what is shown, and the HMAC of each blank node; for bbs-2023
// the points of its proof; for SD-JWT to decode and hash its disclosures; and, where a
// holder signs, a hash of what it signs and the signature. A preview needs none of it.
func BenchmarkFloor(b *testing.B) {
	b.Run("Derive", func(b *testing.B) {
		eachMeasured(b, func(b *testing.B, name string, r disclose.Request, s vc.Secured) {
			shown, err := disclose.Derive(context.Background(), r, s)
			require.NoError(b, err)
			var floor func()
			switch name {
			case "sd-jwt-vc-es256":
				floor = tokenFloor(b, r, s)
			case "bbs-2023":
				floor = pointsFloor(b, r, s, shown)
			default:
				floor = statementsFloor(b, r, s, shown)
			}
			b.ResetTimer()
			for b.Loop() {
				floor()
			}
		})
	})
}

// lines are the statements of a credential in their canonical form.
func lines(b *testing.B, r disclose.Request, doc *strictjson.Object) []string {
	b.Helper()
	doc.Delete("proof")
	quads, err := r.Contexts.Documents().ToRDF(doc, nil)
	require.NoError(b, err)
	c, err := rdfcanon.Canonicalize(b.Context(), quads, rdfcanon.SHA256)
	require.NoError(b, err)
	return c.Statements
}

// canonicalFloor is what both suites need that derive from statements.
func canonicalFloor(b *testing.B, r disclose.Request, s, shown vc.Secured) (floor func(), whole, part []string) {
	b.Helper()
	doc, err := strictjson.ParseObject(s.Bytes)
	require.NoError(b, err)
	presentation, err := strictjson.ParseObject(shown.Bytes)
	require.NoError(b, err)
	whole, part = lines(b, r, doc), lines(b, r, vc.PresentedValues(presentation)[0].(*strictjson.Object))
	all, some := measure.Canonical(whole), measure.Canonical(part)
	const blank = 10 // nodes of the credential
	return func() {
		all()
		some()
		for range blank {
			h := hmac.New(sha256.New, make([]byte, 32))
			h.Write([]byte("c14n0"))
			h.Sum(nil)
		}
	}, whole, part
}

func statementsFloor(b *testing.B, r disclose.Request, s, shown vc.Secured) func() {
	canonical, _, _ := canonicalFloor(b, r, s, shown)
	return func() {
		canonical()
		digest := sha256.Sum256(shown.Bytes)
		_, err := r.Holder.Sign(b.Context(), digest[:])
		require.NoError(b, err)
	}
}

// pointsFloor is that of package bbs: 32 additions for a public scalar with a table, of
// which there is one for each statement, and five multiples by secret scalars with a
// term more for each that is hidden.
func pointsFloor(b *testing.B, r disclose.Request, s, shown vc.Secured) func() {
	canonical, whole, part := canonicalFloor(b, r, s, shown)
	_, _, p, _ := bls12381.Generators()
	var acc bls12381.G1Jac
	acc.FromAffine(&p)
	acc.DoubleAssign()
	return func() {
		canonical()
		for _, line := range whole { // to a scalar: RFC 9380 section 5.3.1
			digest := sha256.Sum256([]byte(line))
			digest = sha256.Sum256(digest[:])
			sha256.Sum256(digest[:])
		}
		for range 32*(len(whole)+1) + 64*(7+len(whole)-len(part)) {
			acc.AddMixed(&p)
		}
		for range 5 * 124 {
			acc.DoubleAssign()
		}
	}
}

func tokenFloor(b *testing.B, r disclose.Request, s vc.Secured) func() {
	parts := strings.Split(strings.TrimSuffix(string(s.Bytes), "~"), "~")
	return func() {
		for _, d := range parts[1:] {
			sha256.Sum256([]byte(d))
			_, err := base64.RawURLEncoding.DecodeString(d)
			require.NoError(b, err)
		}
		digest := sha256.Sum256(s.Bytes)
		_, err := r.Holder.Sign(b.Context(), digest[:])
		require.NoError(b, err)
	}
}
