package didjwk_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didjwk"
	"github.com/staffpassport/staffpassport/did/didtest"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// atUse is when the tests use keys.
var atUse = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

var (
	signing    = []did.Relationship{did.AssertionMethod, did.Authentication, did.CapabilityInvocation, did.CapabilityDelegation}
	agreement  = []did.Relationship{did.KeyAgreement}
	everything = append(signing[:4:4], did.KeyAgreement)
)

// The two examples of the specification.
const (
	specP256   = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9"
	specX25519 = "did:jwk:eyJrdHkiOiJPS1AiLCJjcnYiOiJYMjU1MTkiLCJ1c2UiOiJlbmMiLCJ4IjoiM3A3YmZYdDl3YlRUVzJIQzdPUTFOei1EUThoYmVHZE5yZngtRkctSUswOCJ9"
)

func parse(t testing.TB, text string) did.DID {
	t.Helper()
	id, err := did.Parse(text)
	require.NoError(t, err)
	return id
}

// of returns the did:jwk of a JWK as it is written.
func of(t testing.TB, jwk string) did.DID {
	t.Helper()
	return parse(t, "did:jwk:"+base64.RawURLEncoding.EncodeToString([]byte(jwk)))
}

func resolve(t testing.TB, id did.DID) *did.Document {
	t.Helper()
	res, err := didjwk.Resolver{}.Resolve(context.Background(), id, did.Version{})
	require.NoError(t, err)
	require.Empty(t, res.VersionID)
	require.False(t, res.Deactivated)
	return res.Document
}

func TestSpecification(t *testing.T) {
	t.Parallel()
	for id, tt := range map[string]struct {
		jwk  string
		rels []did.Relationship
	}{
		specP256:   {`{"crv":"P-256","kty":"EC","x":"acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0","y":"_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE"}`, everything},
		specX25519: {`{"kty":"OKP","crv":"X25519","use":"enc","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}`, agreement},
	} {
		require.Equal(t, id, of(t, tt.jwk).String())
		d := resolve(t, parse(t, id))
		out, err := json.Marshal(d)
		require.NoError(t, err)
		want := `{"@context":["https://www.w3.org/ns/did/v1","https://w3id.org/security/suites/jws-2020/v1"],"id":"` + id + `",
			"verificationMethod":[{"id":"` + id + `#0","type":"JsonWebKey2020","controller":"` + id + `","publicKeyJwk":` + tt.jwk + `}]`
		for _, rel := range tt.rels {
			want += `,"` + string(rel) + `":["` + id + `#0"]`
		}
		require.JSONEq(t, want+"}", string(out))
		authorised(t, d, tt.rels)
	}

	// The first is also what New makes of its key.
	m, err := resolve(t, parse(t, specP256)).Method(didjwk.SigningMethod(parse(t, specP256)), did.AssertionMethod, atUse)
	require.NoError(t, err)
	again, err := didjwk.New(m.PublicKey())
	require.NoError(t, err)
	require.Equal(t, specP256, again.String())
}

// The specification's own text, where it lies beside the vectors: the documents that
// it shows, but for one reference that has a dollar sign too many.
func TestSpecificationText(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(vectors.Dir(t), "..", "specs", "did-jwk.md"))
	if os.IsNotExist(err) {
		t.Skip("no specs/did-jwk.md beside the published vectors; README.md, Tests, says how to run this")
	}
	require.NoError(t, err)
	shown := 0
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(text, -1) {
		document := bytes.ReplaceAll(block[1], []byte("did:jwk:$ey"), []byte("did:jwk:ey"))
		var head struct{ ID string }
		if json.Unmarshal(document, &head) != nil || head.ID == "" {
			continue
		}
		out, err := json.Marshal(resolve(t, parse(t, head.ID)))
		require.NoError(t, err)
		require.JSONEq(t, string(document), string(out))
		shown++
	}
	require.Equal(t, 2, shown)
}

// authorised requires that the document's key may be used for exactly rels.
func authorised(t *testing.T, d *did.Document, rels []did.Relationship) {
	t.Helper()
	allowed := map[did.Relationship]bool{}
	for _, rel := range rels {
		allowed[rel] = true
	}
	for _, rel := range everything {
		m, err := d.Method(didjwk.SigningMethod(d.ID()), rel, atUse)
		if !allowed[rel] {
			require.ErrorIs(t, err, did.ErrNotAuthorised, rel)
			require.Empty(t, d.Methods(rel, atUse))
			continue
		}
		require.NoError(t, err, rel)
		require.Equal(t, d.ID(), m.Controller)
		require.Len(t, d.Methods(rel, atUse), 1)
	}
	_, err := d.Method(d.ID().URL("key-1"), did.AssertionMethod, atUse)
	require.ErrorIs(t, err, did.ErrNotFound)
}

const (
	ed     = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`
	x25519 = `"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"`
	p256   = `"crv":"P-256","kty":"EC","x":"acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0","y":"_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE"`
)

func TestUse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		jwk  string
		rels []did.Relationship
	}{
		"Ed25519":             {`{` + ed + `}`, signing},
		"Ed25519 to sign":     {`{` + ed + `,"use":"sig","alg":"EdDSA"}`, signing},
		"X25519":              {`{` + x25519 + `}`, agreement},
		"X25519 to agree":     {`{` + x25519 + `,"use":"enc"}`, agreement},
		"P-256":               {`{` + p256 + `}`, everything},
		"P-256 to sign":       {`{` + p256 + `,"use":"sig"}`, signing},
		"P-256 to agree":      {`{` + p256 + `,"use":"enc"}`, agreement},
		"P-256 with a kid":    {`{` + p256 + `,"kid":"key-1","use":"sig","alg":"ES256"}`, signing},
		"P-256, white space":  {`{ ` + p256 + "\n}", everything},
		"P-256, more members": {`{` + p256 + `,"iat":1,"x5c":["MIIB"],"custom":{"a":[null]}}`, everything},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := of(t, tt.jwk)
			d := resolve(t, id)
			authorised(t, d, tt.rels)
			out, err := json.Marshal(d)
			require.NoError(t, err)
			var shown struct {
				VerificationMethod []struct{ PublicKeyJwk json.RawMessage }
			}
			require.NoError(t, json.Unmarshal(out, &shown))
			require.JSONEq(t, tt.jwk, string(shown.VerificationMethod[0].PublicKeyJwk), "every member is shown")
		})
	}
}

// Keys that this module cannot use have a document all the same.
func TestOtherKeys(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		jwk    string
		listed int
	}{
		"RSA":         {`{"kty":"RSA","n":"sbX82NTV6IylxCh7MfV4hlyvaniCajuP97GyOqSvTmoEdBOflFvZ06kR","e":"AQAB"}`, 5},
		"RSA to sign": {`{"kty":"RSA","use":"sig","n":"sbX82NTV6IylxCh7MfV4hlyvaniCajuP97GyOqSvTmoEdBOflFvZ06kR","e":"AQAB"}`, 4},
		"secp256k1":   {`{"kty":"EC","crv":"secp256k1","x":"TEIJN9vnTq1EXMkqzo7yN_867-foKc2pREv45Fw_QA8","y":"9yiymlzdxKCiRbYq7p-ArRB-C1ytjHE-eb7RDTi6rVc"}`, 5},
		"Ed448":       {`{"kty":"OKP","crv":"Ed448","use":"enc","x":"AA"}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := resolve(t, of(t, tt.jwk))
			_, err := d.Method(didjwk.SigningMethod(d.ID()), did.KeyAgreement, atUse)
			require.Error(t, err)
			if tt.listed > 1 {
				_, err = d.Method(didjwk.SigningMethod(d.ID()), did.AssertionMethod, atUse)
				require.ErrorIs(t, err, did.ErrUnsupported)
			}
			out, err := json.Marshal(d)
			require.NoError(t, err)
			require.Equal(t, tt.listed, strings.Count(string(out), `#0"]`))
			for _, rel := range everything {
				require.Empty(t, d.Methods(rel, atUse))
			}
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		key  crypto.PublicKey
		rels []did.Relationship
	}{
		"Ed25519": {pub, signing}, "P-256": {p256.Public(), everything}, "P-384": {p384.Public(), everything}, "X25519": {x.PublicKey(), agreement},
	} {
		id, err := didjwk.New(tt.key)
		require.NoError(t, err, name)
		res, err := didjwk.Resolver{}.Resolve(context.Background(), id, did.Version{Time: time.Unix(1, 0)})
		require.NoError(t, err, "the document is the same at any time")
		authorised(t, res.Document, tt.rels)
		m, err := res.Document.Method(didjwk.SigningMethod(id), tt.rels[0], atUse)
		require.NoError(t, err)
		require.Equal(t, tt.key, m.PublicKey(), name)
	}

	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		key  crypto.PublicKey
		want error
	}{
		"nothing": {nil, did.ErrUnsupported}, "P-521": {p521.Public(), did.ErrUnsupported}, "private": {private, did.ErrUnsupported},
		"BLS12-381": {did.BLS12381G2{0x80, 95: 1}, did.ErrUnsupported},
		"short":     {pub[:31], did.ErrInvalid}, "small order": {ed25519.PublicKey(make([]byte, 32)), did.ErrInvalid},
	} {
		id, err := didjwk.New(tt.key)
		require.ErrorIs(t, err, tt.want, name)
		require.True(t, id.IsZero(), name)
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	encode := base64.RawURLEncoding.EncodeToString
	for name, tt := range map[string]struct {
		in   string
		want error
	}{
		"another method":        {"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", did.ErrUnsupported},
		"no base64url":          {"did:jwk:e.30", did.ErrInvalid},
		"two parts":             {"did:jwk:e30:e30", did.ErrInvalid},
		"padding by percent":    {"did:jwk:eyJhIjoxfQ%3D%3D", did.ErrInvalid},
		"bits at the end":       {bitsLeft(t, "did:jwk:", `{`+p256+`}`), did.ErrInvalid},
		"cut short":             {specP256[:len(specP256)-9], did.ErrInvalid},
		"no JSON":               {"did:jwk:" + encode([]byte("key")), did.ErrInvalid},
		"a list":                {"did:jwk:" + encode([]byte(`[{`+p256+`}]`)), did.ErrInvalid},
		"text":                  {"did:jwk:" + encode([]byte(`"z6Mk"`)), did.ErrInvalid},
		"two keys":              {"did:jwk:" + encode([]byte(`{`+p256+`}{`+p256+`}`)), did.ErrInvalid},
		"empty":                 {"did:jwk:" + encode([]byte(`{}`)), did.ErrInvalid},
		"not UTF-8":             {"did:jwk:" + encode([]byte(`{"kid":"`+"\xff"+`",`+p256+`}`)), did.ErrInvalid},
		"byte order mark":       {"did:jwk:" + encode([]byte("\uFEFF{"+p256+`}`)), did.ErrInvalid},
		"a member twice":        {"did:jwk:" + encode([]byte(`{`+p256+`,"crv":"P-384"}`)), did.ErrInvalid},
		"a member in capitals":  {"did:jwk:" + encode([]byte(`{`+p256+`,"X":"a"}`)), did.ErrInvalid},
		"unknown use":           {"did:jwk:" + encode([]byte(`{`+p256+`,"use":"tls"}`)), did.ErrInvalid},
		"use of RSA":            {"did:jwk:" + encode([]byte(`{"kty":"RSA","n":"AQAB","e":"AQAB","use":"tls"}`)), did.ErrInvalid},
		"use no text":           {"did:jwk:" + encode([]byte(`{"kty":"RSA","n":"AQAB","e":"AQAB","use":["sig"]}`)), did.ErrInvalid},
		"Ed25519 to agree":      {"did:jwk:" + encode([]byte(`{`+ed+`,"use":"enc"}`)), did.ErrInvalid},
		"X25519 to sign":        {"did:jwk:" + encode([]byte(`{`+x25519+`,"use":"sig"}`)), did.ErrInvalid},
		"wrong alg":             {"did:jwk:" + encode([]byte(`{`+p256+`,"alg":"ES384"}`)), did.ErrInvalid},
		"alg none":              {"did:jwk:" + encode([]byte(`{`+p256+`,"alg":"none"}`)), did.ErrInvalid},
		"not on the curve":      {"did:jwk:" + encode([]byte(strings.Replace(`{`+p256+`}`, `"_Kcy`, `"_Kcz`, 1))), did.ErrInvalid},
		"without y":             {"did:jwk:" + encode([]byte(`{"crv":"P-256","kty":"EC","x":"acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0"}`)), did.ErrInvalid},
		"small order":           {"did:jwk:" + encode([]byte(`{"kty":"OKP","crv":"Ed25519","x":"`+encode(make([]byte, 32))+`"}`)), did.ErrInvalid},
		"longer than a JWK is":  {"did:jwk:" + encode([]byte(`{`+p256+`,"kid":"`+strings.Repeat("a", 9<<10)+`"}`)), did.ErrInvalid},
		"deeper than a JWK is":  {"did:jwk:" + encode([]byte(`{`+p256+`,"x":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`}`)), did.ErrInvalid},
		"symmetric":             {"did:jwk:" + encode([]byte(`{"kty":"oct","k":"AQAB"}`)), did.ErrInvalid},
		"nothing but a type":    {"did:jwk:" + encode([]byte(`{"kty":"EC"}`)), did.ErrInvalid},
		"verification of a sig": {"did:jwk:" + encode([]byte(`{`+p256+`,"use":"enc","key_ops":["verify"]}`)), did.ErrInvalid},
	} {
		res, err := didjwk.Resolver{}.Resolve(context.Background(), parse(t, tt.in), did.Version{})
		require.ErrorIs(t, err, tt.want, name)
		require.Nil(t, res, name)
	}
	for _, at := range []did.Version{{ID: "1"}, {Number: 1}, {Number: -1}} {
		_, err := didjwk.Resolver{}.Resolve(context.Background(), parse(t, specP256), at)
		require.ErrorIs(t, err, did.ErrNotFound)
	}
}

// bitsLeft returns a second spelling of JSON in base64url, that differs in bits which
// belong to no byte.
func bitsLeft(t *testing.T, prefix, text string) string {
	t.Helper()
	for len(text)%3 != 1 {
		text += " "
	}
	resolve(t, of(t, text))
	encoded := base64.RawURLEncoding.EncodeToString([]byte(text))
	other := encoded[:len(encoded)-1] + string(encoded[len(encoded)-1]+1)
	again, err := base64.RawURLEncoding.DecodeString(other)
	require.NoError(t, err)
	require.Equal(t, text, string(again))
	return prefix + other
}

// The longest JWK that is read, and one byte more.
func TestLimit(t *testing.T) {
	t.Parallel()
	const limit = 8 << 10
	pad := limit - len(`{`+p256+`,"kid":""}`)
	longest := `{` + p256 + `,"kid":"` + strings.Repeat("a", pad) + `"}`
	require.Len(t, longest, limit)
	resolve(t, of(t, longest))
	_, err := didjwk.Resolver{}.Resolve(context.Background(), of(t, strings.Replace(longest, `"kid":"`, `"kid":"a`, 1)), did.Version{})
	require.ErrorIs(t, err, did.ErrInvalid)
}

// A did:jwk with a private key is refused, whatever type of key it is, and neither
// the error nor a log of it has a word of the key.
func TestAbuse_DW08_PrivateMember(t *testing.T) {
	t.Parallel()
	const secret = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
	for name, jwk := range map[string]string{
		"Ed25519":         `{"kty":"OKP","crv":"Ed25519","d":"` + secret + `","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"X25519":          `{` + x25519 + `,"d":"` + secret + `"}`,
		"P-256":           `{"d":"` + secret + `",` + p256 + `}`,
		"RSA d":           `{"kty":"RSA","n":"AQAB","e":"AQAB","d":"` + secret + `"}`,
		"RSA p":           `{"kty":"RSA","n":"AQAB","e":"AQAB","p":"` + secret + `"}`,
		"RSA q":           `{"kty":"RSA","n":"AQAB","e":"AQAB","q":"` + secret + `"}`,
		"RSA dp":          `{"kty":"RSA","n":"AQAB","e":"AQAB","dp":"` + secret + `"}`,
		"RSA dq":          `{"kty":"RSA","n":"AQAB","e":"AQAB","dq":"` + secret + `"}`,
		"RSA qi":          `{"kty":"RSA","n":"AQAB","e":"AQAB","qi":"` + secret + `"}`,
		"RSA oth":         `{"kty":"RSA","n":"AQAB","e":"AQAB","oth":[{"d":"` + secret + `"}]}`,
		"symmetric":       `{"kty":"oct","k":"` + secret + `"}`,
		"post-quantum":    `{"kty":"AKP","alg":"ML-DSA-44","pub":"AA","priv":"` + secret + `"}`,
		"unknown type":    `{"kty":"new","d":"` + secret + `"}`,
		"d of null":       `{` + p256 + `,"d":null,"kid":"` + secret + `"}`,
		"escaped d":       `{` + p256 + `,"\u0064":"` + secret + `"}`,
		"d before a flaw": `{"d":"` + secret + `","kty":7}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := of(t, jwk)
			res, err := didjwk.Resolver{}.Resolve(context.Background(), id, did.Version{})
			require.ErrorIs(t, err, did.ErrInvalid)
			require.Nil(t, res)
			var out bytes.Buffer
			slog.New(slog.NewJSONHandler(&out, nil)).Error("resolving", "error", err)
			fmt.Fprintf(&out, "%v %+v %#v", err, err, err)
			for _, form := range []string{secret, secret[:12], id.SpecificID(), id.SpecificID()[8:40]} {
				require.NotContains(t, out.String(), form)
			}
		})
	}
}

// Every private key that the vectors of did:key have as a JWK.
func TestAbuse_DW08_PrivateKeysOfTheVectors(t *testing.T) {
	t.Parallel()
	refused := 0
	for _, file := range []string{"ed25519-x25519.json", "nist-curves.json", "secp256k1.json", "rsa.json", "bls12381.json"} {
		var all map[string]map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(vectors.Read(t, "did-key", "test-vectors", file), &all))
		for _, entry := range all {
			if jwk := entry["privateKeyJwk"]; jwk != nil {
				entry["itself"] = json.RawMessage(`{"privateKeyJwk":` + string(jwk) + `}`)
			}
			for _, v := range entry {
				var pair struct{ PrivateKeyJwk json.RawMessage }
				if json.Unmarshal(v, &pair) != nil || pair.PrivateKeyJwk == nil {
					continue
				}
				res, err := didjwk.Resolver{}.Resolve(context.Background(), of(t, string(pair.PrivateKeyJwk)), did.Version{})
				require.ErrorIs(t, err, did.ErrInvalid)
				require.Nil(t, res)
				refused++
			}
		}
	}
	require.Equal(t, 12, refused)
}

func TestContract(t *testing.T) {
	t.Parallel()
	didtest.Resolver(t, didjwk.Resolver{}, parse(t, specP256), parse(t, "did:jwk:e30"))
}

func FuzzResolve(f *testing.F) {
	for _, seed := range []string{`{` + ed + `}`, `{` + x25519 + `,"use":"enc"}`, `{` + p256 + `,"use":"sig"}`, `{"kty":"RSA","n":"AQAB","e":"AQAB"}`, `{"kty":"oct","k":"AQAB"}`, `[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, jwk []byte) {
		id, err := did.Parse("did:jwk:" + base64.RawURLEncoding.EncodeToString(jwk))
		if err != nil {
			return
		}
		res, err := didjwk.Resolver{}.Resolve(context.Background(), id, did.Version{})
		if err != nil {
			require.ErrorIs(t, err, did.ErrInvalid)
			require.Nil(t, res)
			return
		}
		require.Equal(t, id, res.Document.ID())
		out, err := res.Document.MarshalJSON()
		require.NoError(t, err)
		again, err := did.ParseDocument(out)
		require.NoError(t, err)
		for _, rel := range everything {
			ours := res.Document.Methods(rel, atUse)
			require.Len(t, again.Methods(rel, atUse), len(ours))
			for _, m := range ours {
				made, err := didjwk.New(m.PublicKey())
				if err == nil {
					require.Len(t, resolve(t, made).Methods(rel, atUse), 1, "a key that may do this can say so itself")
				}
			}
		}
	})
}

// BenchmarkResolve is what a verifier adds to the signature itself: the document of
// the holder and the key in it.
func BenchmarkResolve(b *testing.B) {
	for name, id := range map[string]did.DID{"P-256": parse(b, specP256), "X25519": parse(b, specX25519)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := didjwk.Resolver{}.Resolve(context.Background(), id, did.Version{})
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkFloor is the decoding of the key and the check that it is on its curve.
func BenchmarkFloor(b *testing.B) {
	b.Run("P-256", func(b *testing.B) {
		for b.Loop() {
			text, err := base64.RawURLEncoding.DecodeString(specP256[len("did:jwk:"):])
			require.NoError(b, err)
			_, err = did.ParseJWK(text)
			require.NoError(b, err)
		}
	})
}
