package verify_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/measure"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A measured format is one of those that are measured, as a verifier receives it: a
// whole credential, or ten claims of one (of SD-JWT with a key binding).
type measuredFormat struct {
	name    string
	key     keyType
	secure  func(b *testing.B, by party, c *vc.Credential, reveal []vc.Pointer) vc.Secured
	session bool
	floor   func(b *testing.B, by party, s vc.Secured) func()
}

func measuredFormats() []measuredFormat {
	embedded := func(suite dataintegrity.Suite) func(*testing.B, party, *vc.Credential, []vc.Pointer) vc.Secured {
		return func(b *testing.B, by party, c *vc.Credential, _ []vc.Pointer) vc.Secured {
			return secureBy(b, &dataintegrity.Issuer{Suite: suite, Signer: by.signer, Contexts: measuredContexts(b), Now: clockAt(noon)}, c)
		}
	}
	token := func(b *testing.B, by party, c *vc.Credential, _ []vc.Pointer) vc.Secured {
		return secureBy(b, &jose.Issuer{Signer: by.signer, Contexts: measuredContexts(b), Now: clockAt(noon)}, c)
	}
	message := func(b *testing.B, by party, c *vc.Credential, _ []vc.Pointer) vc.Secured {
		return secureBy(b, &cose.Issuer{Signer: by.signer, Contexts: measuredContexts(b), Now: clockAt(noon)}, c)
	}
	return []measuredFormat{
		{"eddsa-rdfc-2022", ed25519Key, embedded(rdfc.EdDSARDFC2022()), false, canonicalFloor},
		{"eddsa-jcs-2022", ed25519Key, embedded(dataintegrity.EdDSAJCS2022()), false, embeddedFloor},
		{"ecdsa-rdfc-2019-p256", p256Key, embedded(rdfc.ECDSARDFC2019()), false, canonicalFloor},
		{"ecdsa-rdfc-2019-p384", p384Key, embedded(rdfc.ECDSARDFC2019()), false, canonicalFloor},
		{"ecdsa-jcs-2019-p256", p256Key, embedded(dataintegrity.ECDSAJCS2019()), false, embeddedFloor},
		{"ecdsa-jcs-2019-p384", p384Key, embedded(dataintegrity.ECDSAJCS2019()), false, embeddedFloor},
		{"ecdsa-sd-2023", p256Key, func(b *testing.B, by party, c *vc.Credential, reveal []vc.Pointer) vc.Secured {
			s, err := ecdsasd.Derive(b.Context(), embedded(ecdsasd.Suite("/issuer"))(b, by, c, nil), reveal, measuredContexts(b))
			require.NoError(b, err)
			return s
		}, false, statementsFloor},
		{"bbs-2023", bls12381Key, func(b *testing.B, by party, c *vc.Credential, reveal []vc.Pointer) vc.Secured {
			header := bbs.SessionHeader(host(b).id.String(), nonce)
			s, err := bbs.Derive(b.Context(), embedded(bbs.Suite("/issuer"))(b, by, c, nil), reveal, measuredContexts(b), header)
			require.NoError(b, err)
			return s
		}, true, pairingFloor},
		{"vc-jwt-eddsa", ed25519Key, token, false, tokenFloor},
		{"vc-jwt-es256", p256Key, token, false, tokenFloor},
		{"vc-cose-eddsa", ed25519Key, message, false, messageFloor},
		{"vc-cose-es256", p256Key, message, false, messageFloor},
		{"sd-jwt-vc-eddsa", ed25519Key, sdMeasured, true, tokenFloor},
		{"sd-jwt-vc-es256", p256Key, sdMeasured, true, tokenFloor},
	}
}

func measuredContexts(b *testing.B) *vc.ContextSet {
	b.Helper()
	return once("measured contexts", func() *vc.ContextSet {
		s, err := vc.NewContextSet(map[string][]byte{measure.ContextURL: []byte(measure.Terms)}, vc.Contexts(measure.ContextURL))
		require.NoError(b, err)
		return s
	})
}

func secureBy(b *testing.B, issuer vc.Securer, c *vc.Credential) vc.Secured {
	b.Helper()
	s, err := issuer.Secure(b.Context(), c)
	require.NoError(b, err)
	return s
}

// sdMeasured is an SD-JWT VC with its sections and claims in disclosures, of which ten
// claims are shown.
func sdMeasured(b *testing.B, by party, c *vc.Credential, reveal []vc.Pointer) vc.Secured {
	b.Helper()
	var sections map[string]json.RawMessage
	require.NoError(b, json.Unmarshal(c.Subject, &sections))
	var disclosable []vc.Pointer
	for section, raw := range sections {
		var claims map[string]json.RawMessage
		if json.Unmarshal(raw, &claims) != nil {
			continue
		}
		for claim := range claims {
			disclosable = append(disclosable, vc.Pointer("/credentialSubject").Child(section).Child(claim))
		}
	}
	slices.Sort(disclosable)
	require.Len(b, disclosable, measure.Claims)
	me := partyOf(b, "Rowan Tamar", keyTypeOf(by))
	c.Subject = bytes.Replace(c.Subject, []byte(measure.Holder), []byte(me.id.String()), 1) // whose key it is bound to
	s := secureBy(b, &sdjwt.Issuer{Signer: by.signer, MediaType: sdjwt.MediaTypeSDJWTVC, Disclosable: disclosable, Holder: me.signer.Public(),
		Contexts: measuredContexts(b), Now: clockAt(noon)}, c)
	s, err := sdjwt.Present(b.Context(), s, sdjwt.Presenting{Reveal: reveal, Holder: me.signer, Audience: host(b).id.String(), Nonce: nonce, Now: clockAt(noon)})
	require.NoError(b, err)
	return s
}

func keyTypeOf(p party) keyType {
	if _, ok := p.signer.Public().(ed25519.PublicKey); ok {
		return ed25519Key
	}
	return p256Key
}

// eachMeasured runs a benchmark on every format, plain and with a photo of 300 KB,
// which is among the ten claims where only ten are shown.
func eachMeasured(b *testing.B, run func(b *testing.B, f measuredFormat, by party, s vc.Secured)) {
	for _, f := range measuredFormats() {
		subject := measure.Subject
		if f.key == bls12381Key {
			subject = measure.Unnamed
		}
		for size, subject := range measure.Subjects(subject) {
			b.Run(f.name+"/"+size, func(b *testing.B) {
				by := partyOf(b, "Riverside Trust", f.key)
				var reveal []vc.Pointer
				for _, at := range []string{"personal/givenName", "personal/familyName", "personal/photo", "dbs/level", "dbs/issued",
					"registration/body", "registration/number", "registration/until", "employment/post", "employment/started"} {
					reveal = append(reveal, vc.Pointer("/credentialSubject/"+at))
				}
				s := f.secure(b, by, &vc.Credential{Context: vc.Contexts(measure.ContextURL), Type: []string{vc.TypeCredential, measure.Type},
					Issuer: vc.Party{ID: by.id.String()}, ValidFrom: noon.AddDate(0, 0, -1), ValidUntil: noon.AddDate(1, 0, 0),
					Subject: json.RawMessage(subject)}, reveal)
				b.ReportAllocs()
				b.ResetTimer()
				run(b, f, by, s)
			})
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	eachMeasured(b, func(b *testing.B, f measuredFormat, by party, s vc.Secured) {
		v, want := verifier(b), session(b)
		v.Contexts, v.Holder = measuredContexts(b), verify.Bearer
		v.Trust = verify.TrustedIssuers{by.id: {measure.Type}}
		once := func() {
			var err error
			if f.session {
				_, err = v.Presentation(b.Context(), s, want)
			} else {
				_, err = v.Credential(b.Context(), s)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		if f.key == bls12381Key { // after sixteen calls of a process each builds a table
			for range 80 {
				once()
			}
		}
		b.ResetTimer()
		for b.Loop() {
			once()
		}
		b.ReportMetric(float64(len(s.Bytes)), "document-B")
	})
}

// BenchmarkVerifyPresentation is a credential in a presentation that its holder signed:
// two signatures.
func BenchmarkVerifyPresentation(b *testing.B) {
	const link = "urn:digest:photo-of-the-tamar" // of package measure
	for size, photo := range measure.Subjects(link) {
		b.Run("eddsa-jcs-2022/"+size, func(b *testing.B) {
			c := passport(b)
			c.Subject = json.RawMessage(strings.Replace(string(c.Subject), "urn:uuid:0f6b2f6e-88b6-4f0f-9b61-5c1f2f6f0c11", photo, 1))
			v, s, want := verifier(b), presented(b, secureBy(b, issuer(employer(b)), c)), session(b)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Presentation(context.Background(), s, want); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(s.Bytes)), "document-B")
		})
	}
}

// BenchmarkFloor does only what no implementation can leave out: to hash what was
// signed, in its canonical form where it has one, to decode what is encoded, and to
// check the signatures.
func BenchmarkFloor(b *testing.B) {
	b.Run("Verify", func(b *testing.B) {
		eachMeasured(b, func(b *testing.B, f measuredFormat, by party, s vc.Secured) {
			floor := f.floor(b, by, s)
			b.ResetTimer()
			for b.Loop() {
				floor()
			}
		})
	})
}

// checked returns a signature check by a key over what make returns.
func checked(b *testing.B, key keyType, data func() []byte) func() {
	b.Helper()
	signer := partyOf(b, "Riverside Trust", key).signer
	signature, err := signer.Sign(b.Context(), data())
	require.NoError(b, err)
	switch pub := signer.Public().(type) {
	case ed25519.PublicKey:
		return func() {
			if !ed25519.Verify(pub, data(), signature) {
				b.Fatal("no")
			}
		}
	case *ecdsa.PublicKey:
		return func() {
			if did.VerifySignature(pub, data(), signature) != nil {
				b.Fatal("no")
			}
		}
	}
	b.Fatal("key")
	return nil
}

// hashed is two hashes, of the options of a proof and of the document.
func hashed(p384 bool, options, document func() []byte) func() []byte {
	if p384 {
		return func() []byte {
			o, d := sha512.Sum384(options()), sha512.Sum384(document())
			return append(o[:], d[:]...)
		}
	}
	return func() []byte {
		o, d := sha256.Sum256(options()), sha256.Sum256(document())
		return append(o[:], d[:]...)
	}
}

func embeddedFloor(b *testing.B, by party, s vc.Secured) func() {
	doc, proof, err := dataintegrity.SplitProof(tree(b, s))
	require.NoError(b, err)
	d, o := text(b, doc, "").Bytes, text(b, proof, "").Bytes
	typ := curveOf(by)
	return checked(b, typ, hashed(typ == p384Key, func() []byte { return o }, func() []byte { return d }))
}

func curveOf(p party) keyType {
	if pub, ok := p.signer.Public().(*ecdsa.PublicKey); ok && pub.Params().BitSize == 384 {
		return p384Key
	}
	return keyTypeOf(p)
}

// lines are the statements of a document in their canonical form.
func lines(b *testing.B, o *strictjson.Object) []string {
	b.Helper()
	quads, err := measuredContexts(b).Documents().ToRDF(o, nil)
	require.NoError(b, err)
	c, err := rdfcanon.Canonicalize(b.Context(), quads, rdfcanon.SHA256)
	require.NoError(b, err)
	return c.Statements
}

func canonicalFloor(b *testing.B, by party, s vc.Secured) func() {
	doc, proof, err := dataintegrity.SplitProof(tree(b, s))
	require.NoError(b, err)
	proof = proof.Clone()
	proof.Delete("proofValue")
	proof.Set("@context", []any{vc.ContextV2})
	typ := curveOf(by)
	return checked(b, typ, hashed(typ == p384Key, measure.Canonical(lines(b, proof)), measure.Canonical(lines(b, doc))))
}

// statementsFloor checks a signature over each statement that is shown and not
// mandatory, and the issuer's own.
func statementsFloor(b *testing.B, _ party, s vc.Secured) func() {
	doc, proof, err := dataintegrity.SplitProof(tree(b, s))
	require.NoError(b, err)
	value, _ := proof.Text("proofValue")
	decoded, err := base64.RawURLEncoding.DecodeString(value[1:])
	require.NoError(b, err)
	var parts []any // baseSignature, publicKey, signatures, labelMap, mandatoryIndexes
	require.NoError(b, cbor.Unmarshal(decoded[3:], &parts))
	all := lines(b, doc)
	canonical := measure.Canonical(all)
	checks := make([]func(), len(parts[2].([]any))+1)
	for i := range checks {
		checks[i] = checked(b, p256Key, func() []byte { return []byte(all[i%len(all)]) })
	}
	return func() {
		canonical()
		for _, check := range checks {
			check()
		}
	}
}

// pairingFloor is that of package bbs: 32 additions for a public scalar with a table, of
// which there is one for each statement of the whole, one of four terms of two halves,
// and a check of two pairings.
func pairingFloor(b *testing.B, _ party, s vc.Secured) func() {
	doc, _, err := dataintegrity.SplitProof(tree(b, s))
	require.NoError(b, err)
	all := lines(b, doc)
	canonical := measure.Canonical(all)
	_, _, p, q := bls12381.Generators()
	r := new(bls12381.G2Affine).Neg(&q)
	var acc bls12381.G1Jac
	acc.FromAffine(&p)
	acc.DoubleAssign()
	return func() {
		canonical()
		for _, line := range all { // to a scalar: RFC 9380 section 5.3.1
			digest := sha256.Sum256([]byte(line))
			digest = sha256.Sum256(digest[:])
			sha256.Sum256(digest[:])
		}
		for range 32*(measure.Quads+1) + 4*128/4 {
			acc.AddMixed(&p)
		}
		for range 128 {
			acc.DoubleAssign()
		}
		ok, err := bls12381.PairingCheck([]bls12381.G1Affine{p, p}, []bls12381.G2Affine{q, *r})
		if err != nil || !ok {
			b.Fatal("no")
		}
	}
}

// tokenFloor decodes and checks each JWT of a token, and hashes and decodes each
// disclosure.
func tokenFloor(b *testing.B, by party, s vc.Secured) func() {
	var jwts, disclosures []string
	for _, part := range strings.Split(string(s.Bytes), "~") {
		if strings.Count(part, ".") == 2 {
			jwts = append(jwts, part)
		} else {
			disclosures = append(disclosures, part)
		}
	}
	checks := make([]func(), len(jwts))
	for i, jwt := range jwts {
		input := []byte(jwt[:strings.LastIndexByte(jwt, '.')])
		checks[i] = checked(b, curveOf(by), func() []byte { return input })
	}
	return func() {
		for i, jwt := range jwts {
			for part := range strings.SplitSeq(jwt, ".") {
				if _, err := base64.RawURLEncoding.DecodeString(part); err != nil {
					b.Fatal(err)
				}
			}
			checks[i]()
		}
		for _, d := range disclosures {
			sha256.Sum256([]byte(d))
			if _, err := base64.RawURLEncoding.DecodeString(d); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// messageFloor checks a signature over the bytes.
func messageFloor(b *testing.B, by party, s vc.Secured) func() {
	signed := bytes.Clone(s.Bytes[:len(s.Bytes)-64])
	return checked(b, curveOf(by), func() []byte { return signed })
}

// TestMeasuredFormats: the names are those that all benchmarks of the module use.
func TestMeasuredFormats(t *testing.T) {
	t.Parallel()
	var names []string
	for _, f := range measuredFormats() {
		names = append(names, f.name)
	}
	require.Equal(t, []string{"eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019-p256", "ecdsa-rdfc-2019-p384", "ecdsa-jcs-2019-p256",
		"ecdsa-jcs-2019-p384", "ecdsa-sd-2023", "bbs-2023", "vc-jwt-eddsa", "vc-jwt-es256", "vc-cose-eddsa", "vc-cose-es256",
		"sd-jwt-vc-eddsa", "sd-jwt-vc-es256"}, names)
}
