package dataintegrity_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// passport is the subject of a passport of 35 claims; photo is a data: URL or "".
func passport(photo string) json.RawMessage {
	const claims = `{"id":"did:example:rowan-tamar","personal":{"title":"Ms","givenName":"Rowan","familyName":"Tamar",` +
		`"preferredName":"Rowan","dateOfBirth":"1988-04-12","niNumber":"QQ123456A","nationality":"GBR","email":"rowan.tamar@riverside.example",` +
		`"phone":"+441632960001","address":{"line1":"1 Willow Bank","town":"Tamar Bridge","postcode":"ZZ99 3WZ"}},` +
		`"dbs":{"level":"enhanced","certificateNumber":"001234567890","issueDate":"2025-03-04","updateService":true,"workforce":"adult and child"},` +
		`"rightToWork":{"status":"unrestricted","checkedOn":"2025-02-03","method":"passport","documentType":"UK passport"},` +
		`"registration":{"body":"Nursing register","number":"12A3456E","part":"RN1","status":"registered","expires":"2027-01-31","revalidation":"2026-12-31"},` +
		`"occupationalHealth":{"clearedOn":"2025-02-20","hepatitisB":"immune","measles":"immune","tuberculosis":"clear","exposureProne":true},` +
		`"employment":{"employer":"Riverside Trust","role":"Staff Nurse","band":"5","startDate":"2019-09-02","assignment":"30012345","site":"Alder Wing"}`
	if photo != "" {
		return json.RawMessage(claims + `,"photo":"` + photo + `"}`)
	}
	return json.RawMessage(claims + `}`)
}

func passports() map[string]json.RawMessage {
	return map[string]json.RawMessage{
		"plain": passport(""),
		"photo": passport("data:image/jpeg;base64," + strings.Repeat("/9j4", 300<<10/4)),
	}
}

// benchSuite is a suite with a key for it.
type benchSuite struct {
	suite  dataintegrity.Suite
	signer did.Signer
}

func benchSuites(b *testing.B) map[string]benchSuite {
	out := map[string]benchSuite{"eddsa-jcs": {dataintegrity.EdDSAJCS2022(), signer(b, "Riverside Trust")}}
	for name, curve := range map[string]elliptic.Curve{"ecdsa-jcs-p256": elliptic.P256(), "ecdsa-jcs-p384": elliptic.P384()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(b, err)
		out[name] = benchSuite{dataintegrity.ECDSAJCS2019(), signerOf(b, key)}
	}
	return out
}

func benchCredential(s did.Signer, subject json.RawMessage) *vc.Credential {
	return &vc.Credential{
		Context:    vc.Contexts(),
		ID:         "urn:uuid:1f6b2c3d-0000-4000-8000-000000000001",
		Type:       []string{vc.TypeCredential},
		Issuer:     vc.Party{ID: s.VerificationMethod().DID.String()},
		ValidFrom:  noon.Truncate(time.Second),
		ValidUntil: noon.Truncate(time.Second).AddDate(1, 0, 0),
		Subject:    subject,
	}
}

func BenchmarkIssue(b *testing.B) {
	for name, s := range benchSuites(b) {
		for size, subject := range passports() {
			b.Run(name+"/"+size, func(b *testing.B) {
				i := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Now: clock}
				c := benchCredential(s.signer, subject)
				b.ReportAllocs()
				for b.Loop() {
					_, err := i.Secure(context.Background(), c)
					require.NoError(b, err)
				}
			})
		}
	}
}

// BenchmarkVerify parses the bytes and checks the proof, with a key at hand.
func BenchmarkVerify(b *testing.B) {
	for name, s := range benchSuites(b) {
		for size, subject := range passports() {
			b.Run(name+"/"+size, func(b *testing.B) {
				i := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Now: clock}
				secured, err := i.Secure(context.Background(), benchCredential(s.signer, subject))
				require.NoError(b, err)
				key := keyOf(b, s.signer, did.AssertionMethod)
				b.ReportAllocs()
				for b.Loop() {
					o, err := strictjson.ParseObject(secured.Bytes)
					require.NoError(b, err)
					doc, proofs, err := dataintegrity.SplitProofs(o)
					require.NoError(b, err)
					_, err = vc.CheckObject(doc)
					require.NoError(b, err)
					_, err = dataintegrity.ParseProof(proofs[0])
					require.NoError(b, err)
					_, err = dataintegrity.VerifyProof(context.Background(), s.suite, doc, proofs, 0, key, nil)
					require.NoError(b, err)
				}
			})
		}
	}
}

// BenchmarkFloor does what no implementation can leave out: one canonical form,
// two hashes and one signature.
func BenchmarkFloor(b *testing.B) {
	for size, subject := range passports() {
		tree, err := strictjson.Parse(subject)
		require.NoError(b, err)
		canon, err := jcs.Append(nil, tree)
		require.NoError(b, err)
		options := make([]byte, 400)
		_, key, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(b, err)
		pub := key.Public().(ed25519.PublicKey)
		hash := func() []byte {
			a, c := sha256.Sum256(options), sha256.Sum256(canon)
			return append(a[:], c[:]...)
		}
		buf := make([]byte, 0, len(canon)+1024)
		b.Run("Issue/eddsa-jcs/"+size, func(b *testing.B) {
			for b.Loop() {
				buf, _ = jcs.Append(buf[:0], tree)
				ed25519.Sign(key, hash())
			}
		})
		signature := ed25519.Sign(key, hash())
		b.Run("Verify/eddsa-jcs/"+size, func(b *testing.B) {
			for b.Loop() {
				buf, _ = jcs.Append(buf[:0], tree)
				if !ed25519.Verify(pub, hash(), signature) {
					b.Fatal("no")
				}
			}
		})
		for name, curve := range map[string]elliptic.Curve{"ecdsa-jcs-p256": elliptic.P256(), "ecdsa-jcs-p384": elliptic.P384()} {
			key, err := ecdsa.GenerateKey(curve, rand.Reader)
			require.NoError(b, err)
			digest := func() []byte {
				if curve == elliptic.P384() {
					a, c := sha512.Sum384(options), sha512.Sum384(canon)
					sum := sha512.Sum384(append(a[:], c[:]...))
					return sum[:]
				}
				sum := sha256.Sum256(hash())
				return sum[:]
			}
			b.Run("Issue/"+name+"/"+size, func(b *testing.B) {
				for b.Loop() {
					buf, _ = jcs.Append(buf[:0], tree)
					_, err := ecdsa.SignASN1(rand.Reader, key, digest())
					require.NoError(b, err)
				}
			})
			signature, err := ecdsa.SignASN1(rand.Reader, key, digest())
			require.NoError(b, err)
			b.Run("Verify/"+name+"/"+size, func(b *testing.B) {
				for b.Loop() {
					buf, _ = jcs.Append(buf[:0], tree)
					if !ecdsa.VerifyASN1(&key.PublicKey, digest(), signature) {
						b.Fatal("no")
					}
				}
			})
		}
	}
}
