package diproof_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/diproof"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

var suite = diproof.Suite{Name: "eddsa-jcs-2022", Hash: diproof.SHA256}

// The headline figures of Data Integrity EdDSA Cryptosuites v1.0, appendix B.3.
const (
	exampleSecret = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
	exampleDoc    = `{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],` +
		`"credentialSubject":{"alumniOf":"The School of Examples","id":"did:example:abcdefgh"},` +
		`"description":"A minimum viable example of an Alumni Credential.","id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",` +
		`"issuer":"https://vc.example/issuers/5678","name":"Alumni Credential","type":["VerifiableCredential","AlumniCredential"],` +
		`"validFrom":"2023-01-01T00:00:00Z"}`
	exampleOptions = `{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],` +
		`"created":"2023-02-24T23:36:38Z","cryptosuite":"eddsa-jcs-2022","proofPurpose":"assertionMethod","type":"DataIntegrityProof",` +
		`"verificationMethod":"did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"}`
	exampleDocHash     = "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
	exampleOptionsHash = "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db"
	exampleSignature   = "407cd12654b33d718ecbb99179a1506daaa849450bf3fc523cce3e1c96f8b80351da3f253d725c6f00b07c9e5448d50b3ef78012b9ab54255116d069c6dd2808"
	exampleValue       = "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"
)

func object(t testing.TB, s string) *strictjson.Object {
	t.Helper()
	o, err := strictjson.ParseObject([]byte(s))
	require.NoError(t, err)
	return o
}

func canonical(t testing.TB, v any) string {
	t.Helper()
	b, err := jcs.Append(nil, v)
	require.NoError(t, err)
	return string(b)
}

func secret(t testing.TB, multibase string) ed25519.PrivateKey {
	t.Helper()
	b, err := multiformat.Decode(multibase, multiformat.MaxKey)
	require.NoError(t, err)
	require.Equal(t, []byte{0x80, 0x26}, b[:2], "multicodec ed25519-priv")
	return ed25519.NewKeyFromSeed(b[2:])
}

func signWith(key ed25519.PrivateKey) func([]byte) ([]byte, error) {
	return func(data []byte) ([]byte, error) { return ed25519.Sign(key, data), nil }
}

var errSignature = errors.New("no")

func verifyWith(pub ed25519.PublicKey) func([]byte, []byte) error {
	return func(data, signature []byte) error {
		if !ed25519.Verify(pub, data, signature) {
			return errSignature
		}
		return nil
	}
}

func TestSpecificationExample(t *testing.T) {
	t.Parallel()
	key := secret(t, exampleSecret)
	doc, options := object(t, exampleDoc), object(t, exampleOptions)
	options.Delete("@context") // Create copies it from the document
	proof, err := diproof.Create(doc, options, suite, func(data []byte) ([]byte, error) {
		require.Equal(t, exampleOptionsHash+exampleDocHash, hex.EncodeToString(data))
		signature := ed25519.Sign(key, data)
		require.Equal(t, exampleSignature, hex.EncodeToString(signature))
		return signature, nil
	})
	require.NoError(t, err)
	value, _ := proof.Text("proofValue")
	require.Equal(t, exampleValue, value)
	require.Equal(t, exampleDoc, canonical(t, doc), "the document is left alone")
	proof.Delete("proofValue")
	require.Equal(t, exampleOptions, canonical(t, proof))
}

// TestPublishedVector compares every intermediate value of the published files.
func TestPublishedVector(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		return string(vectors.Read(t, "vc-di-eddsa", "TestVectors", "eddsa-jcs-2022", name))
	}
	pair := object(t, string(vectors.Read(t, "vc-di-eddsa", "TestVectors", "keyPair.json")))
	secretText, _ := pair.Text("privateKeyMultibase")
	key := secret(t, secretText)
	doc := object(t, string(vectors.Read(t, "vc-di-eddsa", "TestVectors", "unsigned.json")))
	options := object(t, read("proofConfigJCS.json"))

	require.Equal(t, read("canonDocJCS.txt"), canonical(t, doc))
	require.Equal(t, read("docHashJCS.txt"), sum(canonical(t, doc)))
	require.Equal(t, read("proofCanonJCS.txt"), canonical(t, options))
	require.Equal(t, read("proofHashJCS.txt"), sum(canonical(t, options)))
	data, err := diproof.HashData(doc, options, diproof.SHA256)
	require.NoError(t, err)
	require.Equal(t, read("combinedHashJCS.txt"), hex.EncodeToString(data))
	require.Equal(t, read("sigHexJCS.txt"), hex.EncodeToString(ed25519.Sign(key, data)))
	proof, err := diproof.Create(doc, options, suite, signWith(key))
	require.NoError(t, err)
	value, _ := proof.Text("proofValue")
	require.Equal(t, read("sigBTC58JCS.txt"), value)
	doc.Set("proof", proof)
	require.Equal(t, canonical(t, object(t, read("signedJCS.json"))), canonical(t, doc))

	// The values typed into this package are the published ones.
	require.Equal(t, exampleSecret, secretText)
	require.Equal(t, exampleDoc, read("canonDocJCS.txt"))
	require.Equal(t, exampleOptions, read("proofCanonJCS.txt"))
	require.Equal(t, exampleOptionsHash+exampleDocHash, read("combinedHashJCS.txt"))
	require.Equal(t, exampleSignature, read("sigHexJCS.txt"))
	require.Equal(t, exampleValue, value)
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// TestAppendedContext is section 3.3.2, step 4: contexts appended after signing
// leave the signature good, and the document that was signed is given back.
func TestAppendedContext(t *testing.T) {
	t.Parallel()
	key := secret(t, exampleSecret)
	doc, proof := signedExample(t, key)
	received := doc.Clone()
	received.Set("@context", append(list(t, doc, "@context"), "https://more.example/"))
	signed, err := diproof.Verify(received, proof, suite, verifyWith(key.Public().(ed25519.PublicKey)))
	require.NoError(t, err)
	require.Equal(t, exampleDoc, canonical(t, signed))
	require.Len(t, list(t, received, "@context"), 3, "what was received is left alone")
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	key := secret(t, exampleSecret)
	for name, c := range map[string]struct {
		change func(doc, proof *strictjson.Object)
		want   error
	}{
		"type":                {func(_, p *strictjson.Object) { p.Set("type", "Ed25519Signature2020") }, diproof.ErrOptions},
		"type missing":        {func(_, p *strictjson.Object) { p.Delete("type") }, diproof.ErrOptions},
		"suite":               {func(_, p *strictjson.Object) { p.Set("cryptosuite", "eddsa-rdfc-2022") }, diproof.ErrOptions},
		"suite missing":       {func(_, p *strictjson.Object) { p.Delete("cryptosuite") }, diproof.ErrOptions},
		"suite no string":     {func(_, p *strictjson.Object) { p.Set("cryptosuite", []any{suite.Name}) }, diproof.ErrOptions},
		"created":             {func(_, p *strictjson.Object) { p.Set("created", "yesterday") }, diproof.ErrOptions},
		"created no zone":     {func(_, p *strictjson.Object) { p.Set("created", "2023-02-24T23:36:38") }, diproof.ErrOptions},
		"created no string":   {func(_, p *strictjson.Object) { p.Set("created", nil) }, diproof.ErrOptions},
		"created gone":        {func(_, p *strictjson.Object) { p.Delete("created") }, errSignature},
		"created later":       {func(_, p *strictjson.Object) { p.Set("created", "2023-02-24T23:36:39Z") }, errSignature},
		"value missing":       {func(_, p *strictjson.Object) { p.Delete("proofValue") }, diproof.ErrValue},
		"value empty":         {func(_, p *strictjson.Object) { p.Set("proofValue", "") }, diproof.ErrValue},
		"value z":             {func(_, p *strictjson.Object) { p.Set("proofValue", "z") }, diproof.ErrValue},
		"value base64":        {func(_, p *strictjson.Object) { p.Set("proofValue", "uQHzRJlSzPXGOy7mReaFQ") }, diproof.ErrValue},
		"value alphabet":      {func(_, p *strictjson.Object) { p.Set("proofValue", exampleValue[:80]+"0OIl") }, diproof.ErrValue},
		"value long":          {func(_, p *strictjson.Object) { p.Set("proofValue", "z"+string(make([]byte, 2000))) }, diproof.ErrValue},
		"value short":         {func(_, p *strictjson.Object) { p.Set("proofValue", exampleValue[:70]) }, errSignature},
		"value leading zero":  {func(_, p *strictjson.Object) { p.Set("proofValue", "z1"+exampleValue[1:]) }, errSignature},
		"context changed":     {func(d, _ *strictjson.Object) { d.Set("@context", []any{"https://other.example/"}) }, diproof.ErrContext},
		"context shorter":     {func(d, _ *strictjson.Object) { d.Set("@context", []any{"https://www.w3.org/ns/credentials/v2"}) }, diproof.ErrContext},
		"context gone":        {func(d, _ *strictjson.Object) { d.Delete("@context") }, diproof.ErrContext},
		"context reordered":   {func(d, _ *strictjson.Object) { swap(d) }, diproof.ErrContext},
		"context prepended":   {func(d, _ *strictjson.Object) { prepend(d) }, diproof.ErrContext},
		"context not object":  {func(_, p *strictjson.Object) { p.Set("@context", []any{strictjson.NewObject()}) }, diproof.ErrContext},
		"proof context gone":  {func(_, p *strictjson.Object) { p.Delete("@context") }, errSignature},
		"proof context cut":   {func(_, p *strictjson.Object) { p.Set("@context", []any{"https://www.w3.org/ns/credentials/v2"}) }, errSignature},
		"proof context empty": {func(_, p *strictjson.Object) { p.Set("@context", []any{}) }, errSignature},
		"claim":               {func(d, _ *strictjson.Object) { d.Set("name", "Other") }, errSignature},
		"claim added":         {func(d, _ *strictjson.Object) { d.Set("dbsCleared", true) }, errSignature},
		"claim removed":       {func(d, _ *strictjson.Object) { d.Delete("description") }, errSignature},
		"option added":        {func(_, p *strictjson.Object) { p.Set("domain", "host") }, errSignature},
		"purpose":             {func(_, p *strictjson.Object) { p.Set("proofPurpose", "authentication") }, errSignature},
		"other tree":          {func(d, _ *strictjson.Object) { d.Set("x", struct{}{}) }, strictjson.ErrType},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, proof := signedExample(t, key)
			c.change(doc, proof)
			_, err := diproof.Verify(doc, proof, suite, verifyWith(key.Public().(ed25519.PublicKey)))
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestInlineContexts(t *testing.T) {
	t.Parallel()
	key := secret(t, exampleSecret)
	verify := verifyWith(key.Public().(ed25519.PublicKey))
	doc := object(t, `{"@context":["https://a.example/",{"b":"https://b.example/","a":"https://a.example/"}],"a":1}`)
	options := object(t, `{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022"}`)
	proof, err := diproof.Create(doc, options, suite, signWith(key))
	require.NoError(t, err)
	doc.Set("@context", list(t, object(t, `{"c":["https://a.example/",{"a":"https://a.example/","b":"https://b.example/"}]}`), "c"))
	_, err = diproof.Verify(doc, proof, suite, verify)
	require.NoError(t, err, "member order of an inline context does not matter")
}

// TestNoContext: documents without JSON-LD, such as the entries of a DID log.
func TestNoContext(t *testing.T) {
	t.Parallel()
	key := secret(t, exampleSecret)
	doc := object(t, `{"versionId":"1"}`)
	options := object(t, `{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022"}`)
	proof, err := diproof.Create(doc, options, suite, signWith(key))
	require.NoError(t, err)
	_, ok := proof.Get("@context")
	require.False(t, ok)
	signed, err := diproof.Verify(doc, proof, suite, verifyWith(key.Public().(ed25519.PublicKey)))
	require.NoError(t, err)
	require.Equal(t, `{"versionId":"1"}`, canonical(t, signed))
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	key := secret(t, exampleSecret)
	doc := object(t, `{"a":1}`)
	for _, options := range []string{
		`{}`,
		`{"type":"DataIntegrityProof"}`,
		`{"type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022"}`,
		`{"type":"Other","cryptosuite":"eddsa-jcs-2022"}`,
		`{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","created":"2023"}`,
		`{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","proofValue":"z1"}`,
	} {
		_, err := diproof.Create(doc, object(t, options), suite, signWith(key))
		require.ErrorIs(t, err, diproof.ErrOptions, options)
	}
	refused := errors.New("locked")
	_, err := diproof.Create(doc, object(t, `{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022"}`), suite,
		func([]byte) ([]byte, error) { return nil, refused })
	require.ErrorIs(t, err, refused)
	_, err = diproof.Create(strictjson.NewObject(strictjson.Member{Name: "a", Value: 1.5}),
		object(t, `{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022"}`), suite, signWith(key))
	require.ErrorIs(t, err, strictjson.ErrType)
}

func signedExample(t testing.TB, key ed25519.PrivateKey) (doc, proof *strictjson.Object) {
	t.Helper()
	doc = object(t, exampleDoc)
	proof, err := diproof.Create(doc, object(t, exampleOptions), suite, signWith(key))
	require.NoError(t, err)
	return doc, proof
}

func list(t testing.TB, o *strictjson.Object, name string) []any {
	t.Helper()
	v, _ := o.Get(name)
	l, ok := v.([]any)
	require.True(t, ok)
	return append([]any{}, l...)
}

func swap(d *strictjson.Object) {
	v, _ := d.Get("@context")
	l := v.([]any)
	d.Set("@context", []any{l[1], l[0]})
}

func prepend(d *strictjson.Object) {
	v, _ := d.Get("@context")
	d.Set("@context", append([]any{"https://first.example/"}, v.([]any)...))
}
