package dataintegrity_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 7, time.UTC)

func clock() time.Time { return noon }

func signer(t testing.TB, name string) did.Signer {
	t.Helper()
	seed := sha256.Sum256([]byte("staffpassport test key: " + name))
	return signerOf(t, ed25519.NewKeyFromSeed(seed[:]))
}

func signerOf(t testing.TB, key crypto.Signer) did.Signer {
	t.Helper()
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return s
}

func keyOf(t testing.TB, s did.Signer, rel did.Relationship) *did.VerificationMethod {
	t.Helper()
	res, err := didkey.Resolver{}.Resolve(context.Background(), s.VerificationMethod().DID, did.Version{})
	require.NoError(t, err)
	m, err := res.Document.Method(s.VerificationMethod(), rel, noon)
	require.NoError(t, err)
	return m
}

func credential(s did.Signer) *vc.Credential {
	return &vc.Credential{
		Context: vc.Contexts(),
		Type:    []string{vc.TypeCredential},
		Issuer:  vc.Party{ID: s.VerificationMethod().DID.String()},
		Subject: json.RawMessage(`{"id":"did:example:rowan","role":"Staff Nurse"}`),
	}
}

func object(t testing.TB, b []byte) *strictjson.Object {
	t.Helper()
	o, err := strictjson.ParseObject(b)
	require.NoError(t, err)
	return o
}

func TestSecure(t *testing.T) {
	t.Parallel()
	s := signer(t, "Riverside Trust")
	i := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: s, Now: clock}
	secured, err := i.Secure(context.Background(), credential(s))
	require.NoError(t, err)
	require.Equal(t, vc.MediaTypeCredential, secured.MediaType)

	doc, proof, err := dataintegrity.SplitProof(object(t, secured.Bytes))
	require.NoError(t, err)
	p, err := dataintegrity.ParseProof(proof)
	require.NoError(t, err)
	require.Equal(t, &dataintegrity.Proof{
		Suite:              "eddsa-jcs-2022",
		VerificationMethod: s.VerificationMethod(),
		Purpose:            did.AssertionMethod,
		Created:            noon.Truncate(time.Second),
	}, p)
	signed, err := dataintegrity.EdDSAJCS2022().Verify(context.Background(), doc, proof, keyOf(t, s, did.AssertionMethod), nil)
	require.NoError(t, err)
	c, err := vc.ParseObject(signed)
	require.NoError(t, err)
	require.Equal(t, credential(s), c)

	again, err := i.Secure(context.Background(), credential(s))
	require.NoError(t, err)
	require.Equal(t, secured, again, "Ed25519 is deterministic, so a repeated issue gives the same bytes")
}

func TestPresent(t *testing.T) {
	t.Parallel()
	s := signer(t, "Rowan Tamar")
	h := &dataintegrity.Presenter{Suite: dataintegrity.EdDSAJCS2022(), Signer: s, Now: clock, Lifetime: time.Minute}
	secured, err := h.Present(context.Background(), vc.NewPresentation(s.VerificationMethod().DID), "did:example:host", "nonce")
	require.NoError(t, err)
	require.Equal(t, vc.MediaTypePresentation, secured.MediaType)
	_, proof, err := dataintegrity.SplitProof(object(t, secured.Bytes))
	require.NoError(t, err)
	p, err := dataintegrity.ParseProof(proof)
	require.NoError(t, err)
	require.Equal(t, &dataintegrity.Proof{
		Suite:              "eddsa-jcs-2022",
		VerificationMethod: s.VerificationMethod(),
		Purpose:            did.Authentication,
		Created:            noon.Truncate(time.Second),
		Expires:            noon.Truncate(time.Second).Add(time.Minute),
		Domain:             []string{"did:example:host"},
		Challenge:          "nonce",
	}, p)
}

func TestSecureRefuses(t *testing.T) {
	t.Parallel()
	s := signer(t, "Riverside Trust")
	other := signer(t, "Nettle Styx")
	locked := errors.New("locked")
	for name, c := range map[string]struct {
		issuer func(*dataintegrity.Issuer)
		change func(*vc.Credential)
		want   error
	}{
		"no suite":        {issuer: func(i *dataintegrity.Issuer) { i.Suite = nil }, want: dataintegrity.ErrConfig},
		"no signer":       {issuer: func(i *dataintegrity.Issuer) { i.Signer = nil }, want: dataintegrity.ErrConfig},
		"another issuer":  {issuer: func(i *dataintegrity.Issuer) { i.Signer = other }, want: dataintegrity.ErrControllerMismatch},
		"signer fails":    {issuer: func(i *dataintegrity.Issuer) { i.Signer = failing{s, locked} }, want: locked},
		"short signature": {issuer: func(i *dataintegrity.Issuer) { i.Signer = failing{s, nil} }, want: dataintegrity.ErrSignature},
		"malformed":       {change: func(c *vc.Credential) { c.Type = nil }, want: vc.ErrMalformed},
		"proof already": {change: func(c *vc.Credential) {
			c.Other = map[string]json.RawMessage{"proof": json.RawMessage(`{"type":"DataIntegrityProof"}`)}
		}, want: dataintegrity.ErrProofSet},
		"unknown context": {change: func(c *vc.Credential) { c.Context = vc.Contexts("https://other.example/") },
			want: dataintegrity.ErrContextNotAllowed},
		"inline context": {change: func(c *vc.Credential) {
			c.Context = append(c.Context, vc.Context{Inline: json.RawMessage(`{"@vocab":"https://evil.example/"}`)})
		}, want: dataintegrity.ErrContextNotAllowed},
		"context below": {change: func(c *vc.Credential) { c.Subject = json.RawMessage(`{"a":[{"@context":{}}]}`) },
			want: dataintegrity.ErrContextNotAllowed},
		"too large": {change: func(c *vc.Credential) {
			c.Subject = json.RawMessage(`{"a":"` + strings.Repeat("x", 1<<20-100) + `"}`)
		}, want: strictjson.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: s, Now: clock}
			cred := credential(s)
			if c.issuer != nil {
				c.issuer(i)
			}
			if c.change != nil {
				c.change(cred)
			}
			out, err := i.Secure(context.Background(), cred)
			require.ErrorIs(t, err, c.want)
			require.Empty(t, out)
		})
	}
	_, err := (&dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: s}).Secure(context.Background(), nil)
	require.ErrorIs(t, err, dataintegrity.ErrConfig)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = (&dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: s}).Secure(ctx, credential(s))
	require.ErrorIs(t, err, context.Canceled)
}

func TestPresentRefuses(t *testing.T) {
	t.Parallel()
	s := signer(t, "Rowan Tamar")
	for name, c := range map[string]struct {
		presenter       func(*dataintegrity.Presenter)
		change          func(*vc.Presentation)
		audience, nonce string
		want            error
	}{
		"no audience": {nonce: "n", want: dataintegrity.ErrConfig},
		"no nonce":    {audience: "a", want: dataintegrity.ErrConfig},
		"no suite": {presenter: func(h *dataintegrity.Presenter) { h.Suite = nil }, audience: "a", nonce: "n",
			want: dataintegrity.ErrConfig},
		"no signer": {presenter: func(h *dataintegrity.Presenter) { h.Signer = nil }, audience: "a", nonce: "n",
			want: dataintegrity.ErrConfig},
		"another holder": {change: func(p *vc.Presentation) { p.Holder.ID = "did:example:other" }, audience: "a", nonce: "n",
			want: dataintegrity.ErrControllerMismatch},
		"unknown context": {change: func(p *vc.Presentation) { p.Context = vc.Contexts("https://other.example/") }, audience: "a", nonce: "n",
			want: dataintegrity.ErrContextNotAllowed},
		"malformed": {change: func(p *vc.Presentation) { p.Type = nil }, audience: "a", nonce: "n", want: vc.ErrMalformed},
		"proof already": {change: func(p *vc.Presentation) {
			p.Other = map[string]json.RawMessage{"proof": json.RawMessage(`[]`)}
		}, audience: "a", nonce: "n", want: dataintegrity.ErrProofSet},
		"context below": {change: func(p *vc.Presentation) {
			p.Other = map[string]json.RawMessage{"extra": json.RawMessage(`{"@context":"https://evil.example/"}`)}
		}, audience: "a", nonce: "n", want: dataintegrity.ErrContextNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &dataintegrity.Presenter{Suite: dataintegrity.EdDSAJCS2022(), Signer: s, Now: clock}
			p := vc.NewPresentation(s.VerificationMethod().DID)
			if c.presenter != nil {
				c.presenter(h)
			}
			if c.change != nil {
				c.change(p)
			}
			_, err := h.Present(context.Background(), p, c.audience, c.nonce)
			require.ErrorIs(t, err, c.want)
		})
	}
	_, err := (&dataintegrity.Presenter{Suite: dataintegrity.EdDSAJCS2022(), Signer: s}).Present(context.Background(), nil, "a", "n")
	require.ErrorIs(t, err, dataintegrity.ErrConfig)
}

// failing signs with an error or, if that is nil, with too few bytes.
type failing struct {
	did.Signer
	err error
}

func (f failing) Sign(context.Context, []byte) ([]byte, error) { return []byte{1}, f.err }

// posing says that it signs with one key and signs with another, as a key service
// does after a mistaken rotation.
type posing struct{ did.Signer }

func (p posing) Sign(ctx context.Context, message []byte) ([]byte, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	return ed25519.Sign(key, message), nil
}

// keyless has a key of the wrong length and must not be asked to sign.
type keyless struct {
	did.Signer
	t testing.TB
}

func (keyless) Public() crypto.PublicKey { return ed25519.PublicKey{1} }

func (k keyless) Sign(context.Context, []byte) ([]byte, error) {
	k.t.Error("asked to sign")
	return make([]byte, ed25519.SignatureSize), nil
}

func TestWhatASignerReturnsIsVerified(t *testing.T) {
	t.Parallel()
	s := signer(t, "Riverside Trust")
	i := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: posing{s}}
	_, err := i.Secure(context.Background(), credential(s))
	require.ErrorIs(t, err, dataintegrity.ErrSignature)
	h := &dataintegrity.Presenter{Suite: dataintegrity.EdDSAJCS2022(), Signer: posing{s}}
	_, err = h.Present(context.Background(), vc.NewPresentation(s.VerificationMethod().DID), "a", "n")
	require.ErrorIs(t, err, dataintegrity.ErrSignature)

	i.Signer = keyless{s, t}
	_, err = i.Secure(context.Background(), credential(s))
	require.ErrorIs(t, err, dataintegrity.ErrKey)
}

// careless is a suite that changes a proof after making it.
type careless struct {
	dataintegrity.Suite
	change func(*strictjson.Object)
}

func (c careless) Prove(ctx context.Context, doc *strictjson.Object, p *dataintegrity.Proof, s did.Signer, contexts *vc.ContextSet) (*strictjson.Object, error) {
	proof, err := c.Suite.Prove(ctx, doc, p, s, contexts)
	c.change(proof)
	return proof, err
}

func TestWhatASuiteMadeIsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	s := signer(t, "Rowan Tamar")
	for name, change := range map[string]func(*strictjson.Object){
		"no method":         func(o *strictjson.Object) { o.Delete("verificationMethod") },
		"no purpose":        func(o *strictjson.Object) { o.Delete("proofPurpose") },
		"another method":    func(o *strictjson.Object) { o.Set("verificationMethod", "did:example:a#b") },
		"another purpose":   func(o *strictjson.Object) { o.Set("proofPurpose", "assertionMethod") },
		"no domain":         func(o *strictjson.Object) { o.Delete("domain") },
		"one domain more":   func(o *strictjson.Object) { o.Set("domain", []any{"a", "b"}) },
		"another challenge": func(o *strictjson.Object) { o.Set("challenge", "m") },
	} {
		h := &dataintegrity.Presenter{Suite: careless{dataintegrity.EdDSAJCS2022(), change}, Signer: s}
		_, err := h.Present(context.Background(), vc.NewPresentation(s.VerificationMethod().DID), "a", "n")
		require.ErrorIs(t, err, dataintegrity.ErrProofMalformed, name)
	}
}

func TestProveRefusesAnotherSuite(t *testing.T) {
	t.Parallel()
	s := signer(t, "Riverside Trust")
	doc := object(t, []byte(`{"a":1}`))
	for suite, want := range map[string]error{"": nil, "eddsa-jcs-2022": nil, "eddsa-rdfc-2022": dataintegrity.ErrSuite} {
		p := &dataintegrity.Proof{Suite: suite, VerificationMethod: s.VerificationMethod(), Purpose: did.AssertionMethod}
		proof, err := dataintegrity.EdDSAJCS2022().Prove(context.Background(), doc, p, s, nil)
		require.ErrorIs(t, err, want, suite)
		if want == nil {
			name, _ := proof.Text("cryptosuite")
			require.Equal(t, "eddsa-jcs-2022", name)
		}
	}
}

func TestSuiteNeedsItsKey(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p256 := signerOf(t, key)
	_, err = (&dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: p256}).Secure(context.Background(), credential(p256))
	require.ErrorIs(t, err, dataintegrity.ErrKey)

	s := signer(t, "Riverside Trust")
	secured, err := (&dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: s}).Secure(context.Background(), credential(s))
	require.NoError(t, err)
	doc, proof, err := dataintegrity.SplitProof(object(t, secured.Bytes))
	require.NoError(t, err)
	_, err = dataintegrity.EdDSAJCS2022().Verify(context.Background(), doc, proof, keyOf(t, p256, did.AssertionMethod), nil)
	require.ErrorIs(t, err, dataintegrity.ErrKey)
	_, err = dataintegrity.EdDSAJCS2022().Verify(context.Background(), doc, proof, keyOf(t, signer(t, "Nettle Styx"), did.AssertionMethod), nil)
	require.ErrorIs(t, err, dataintegrity.ErrSignature)
}

// TestPublishedVector makes the published proof through the suite and compares
// the signed credential.
func TestPublishedVector(t *testing.T) {
	t.Parallel()
	read := func(path ...string) *strictjson.Object {
		return object(t, vectors.Read(t, append([]string{"vc-di-eddsa", "TestVectors"}, path...)...))
	}
	secret, _ := read("keyPair.json").Text("privateKeyMultibase")
	seed, err := multiformat.Decode(secret, multiformat.MaxKey)
	require.NoError(t, err)
	s := signerOf(t, ed25519.NewKeyFromSeed(seed[2:]))
	signed := read("eddsa-jcs-2022", "signedJCS.json")
	doc, published, err := dataintegrity.SplitProof(signed)
	require.NoError(t, err)
	options, err := dataintegrity.ParseProof(published)
	require.NoError(t, err)
	require.Equal(t, s.VerificationMethod(), options.VerificationMethod)

	suite := dataintegrity.EdDSAJCS2022()
	proof, err := suite.Prove(context.Background(), read("unsigned.json"), options, s, nil)
	require.NoError(t, err)
	require.Equal(t, canonical(t, published), canonical(t, proof))
	verified, err := suite.Verify(context.Background(), doc, published, keyOf(t, s, did.AssertionMethod), nil)
	require.NoError(t, err)
	require.Equal(t, canonical(t, read("unsigned.json")), canonical(t, verified))
}

func canonical(t testing.TB, v any) string {
	t.Helper()
	b, err := jcs.Append(nil, v)
	require.NoError(t, err)
	return string(b)
}

// TestAbuse_DI03_NoProof: each way of having no proof is that and nothing else.
func TestAbuse_DI03_NoProof(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		doc  string
		want error
	}{
		{`{"a":1}`, dataintegrity.ErrNoProof},
		{`{"proof":null}`, dataintegrity.ErrNoProof},
		{`{"proof":[]}`, dataintegrity.ErrNoProof},
		{`{"proof":[null]}`, dataintegrity.ErrNoProof},
		{`{"proof":{}}`, dataintegrity.ErrNoProof},
		{`{"proof":[{}]}`, dataintegrity.ErrNoProof},
		{`{"proof":"z1"}`, dataintegrity.ErrProofMalformed},
		{`{"proof":true}`, dataintegrity.ErrProofMalformed},
		{`{"proof":[[{"type":"DataIntegrityProof"}]]}`, dataintegrity.ErrProofMalformed},
		{`{"proof":[{"type":"DataIntegrityProof"},{"type":"DataIntegrityProof"}]}`, dataintegrity.ErrProofSet},
		{`{"proof":[null,{"type":"DataIntegrityProof"}]}`, dataintegrity.ErrProofMalformed},
		{`{"proof":[{"type":"DataIntegrityProof"},{}]}`, dataintegrity.ErrProofMalformed},
		{`{"proof":[{"type":"DataIntegrityProof"},"z1"]}`, dataintegrity.ErrProofMalformed},
	} {
		_, _, err := dataintegrity.SplitProof(object(t, []byte(c.doc)))
		require.ErrorIs(t, err, c.want, c.doc)
		if _, _, err = dataintegrity.SplitProofs(object(t, []byte(c.doc))); c.want == dataintegrity.ErrProofSet {
			require.NoError(t, err, c.doc)
		} else {
			require.ErrorIs(t, err, c.want, c.doc)
		}
	}
	doc, proof, err := dataintegrity.SplitProof(object(t, []byte(`{"a":1,"proof":[{"b":2}]}`)))
	require.NoError(t, err)
	require.Equal(t, `{"a":1}`, canonical(t, doc))
	require.Equal(t, `{"b":2}`, canonical(t, proof))
}

const goodProof = `{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","created":"2026-03-02T12:00:00Z",` +
	`"expires":"2026-03-03T12:00:00+01:00","verificationMethod":"did:example:a#key-1","proofPurpose":"authentication",` +
	`"domain":["a","b"],"challenge":"c","nonce":"n","proofValue":"z1","id":"urn:uuid:1","previousProof":["urn:a","urn:b"]}`

func TestParseProof(t *testing.T) {
	t.Parallel()
	p, err := dataintegrity.ParseProof(object(t, []byte(goodProof)))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, p.Domain)
	require.Equal(t, "c", p.Challenge)
	require.Equal(t, "n", p.Nonce)
	require.Equal(t, "urn:uuid:1", p.ID)
	require.Equal(t, []string{"urn:a", "urn:b"}, p.Previous)
	require.True(t, p.Expires.Equal(time.Date(2026, 3, 3, 11, 0, 0, 0, time.UTC)))
	require.Equal(t, "did:example:a#key-1", p.VerificationMethod.String())
}

func TestParseProofRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		want        error
	}{
		{"type", ``, dataintegrity.ErrSuite},
		{"type", `"Ed25519Signature2020"`, dataintegrity.ErrSuite}, // with a cryptosuite it is no such proof
		{"type", `"Ed25519Signature2018"`, dataintegrity.ErrSuite},
		{"type", `"JcsEd25519Signature2020"`, dataintegrity.ErrSuite},
		{"type", `"eddsa-jcs-2022"`, dataintegrity.ErrSuite},
		{"type", `["DataIntegrityProof"]`, dataintegrity.ErrSuite},
		{"previousProof", `null`, dataintegrity.ErrProofMalformed},
		{"previousProof", `[]`, dataintegrity.ErrProofMalformed},
		{"previousProof", `["urn:a",null]`, dataintegrity.ErrProofMalformed},
		{"id", `null`, dataintegrity.ErrProofMalformed},
		{"id", `""`, dataintegrity.ErrProofMalformed},
		{"id", `"proof-1"`, dataintegrity.ErrProofMalformed},
		{"id", `"#proof-1"`, dataintegrity.ErrProofMalformed},
		{"id", `["urn:a"]`, dataintegrity.ErrProofMalformed},
		{"nonce", `5`, dataintegrity.ErrProofMalformed},
		{"nonce", `null`, dataintegrity.ErrProofMalformed},
		{"cryptosuite", `"Ed25519Signature2020"`, dataintegrity.ErrSuite},
		{"extra", `{"@context":{"proofValue":"https://evil.example/"}}`, dataintegrity.ErrContextNotAllowed},
		{"extra", `[[{"a":{"@context":null}}]]`, dataintegrity.ErrContextNotAllowed},
		{"cryptosuite", ``, dataintegrity.ErrProofMalformed},
		{"cryptosuite", `5`, dataintegrity.ErrProofMalformed},
		{"verificationMethod", ``, dataintegrity.ErrProofMalformed},
		{"verificationMethod", `{"id":"did:example:a#key-1"}`, dataintegrity.ErrProofMalformed},
		{"verificationMethod", `"did:example:a"`, dataintegrity.ErrProofMalformed},
		{"verificationMethod", `"#key-1"`, dataintegrity.ErrProofMalformed},
		{"verificationMethod", `"https://issuer.example/#key-1"`, dataintegrity.ErrProofMalformed},
		{"proofPurpose", ``, dataintegrity.ErrProofMalformed},
		{"proofPurpose", `["authentication"]`, dataintegrity.ErrProofMalformed},
		{"created", `"2026-03-02"`, dataintegrity.ErrProofMalformed},
		{"created", `"2026-03-02T12:00:00"`, dataintegrity.ErrProofMalformed},
		{"created", `null`, dataintegrity.ErrProofMalformed},
		{"expires", `5`, dataintegrity.ErrProofMalformed},
		{"expires", `"never"`, dataintegrity.ErrProofMalformed},
		{"domain", `null`, dataintegrity.ErrProofMalformed},
		{"domain", `[]`, dataintegrity.ErrProofMalformed},
		{"domain", `["a",1]`, dataintegrity.ErrProofMalformed},
		{"challenge", `5`, dataintegrity.ErrProofMalformed},
		{"challenge", `null`, dataintegrity.ErrProofMalformed},
		{"challenge", `["c"]`, dataintegrity.ErrProofMalformed},
		{"proofValue", ``, dataintegrity.ErrProofMalformed},
		{"proofValue", `["z1"]`, dataintegrity.ErrProofMalformed},
	} {
		o := object(t, []byte(goodProof))
		if c.value == "" {
			o.Delete(c.name)
		} else {
			v, err := strictjson.Parse([]byte(c.value))
			require.NoError(t, err)
			o.Set(c.name, v)
		}
		_, err := dataintegrity.ParseProof(o)
		require.ErrorIs(t, err, c.want, "%s: %s", c.name, c.value)
	}
}

func TestAbuse_DI06_Contexts(t *testing.T) {
	t.Parallel()
	const v2, passport = `"https://www.w3.org/ns/credentials/v2"`, `"https://w3id.org/staffpassport/v1"`
	const v1 = `"https://www.w3.org/2018/credentials/v1"`
	const submission = `"https://identity.foundation/presentation-exchange/submission/v1"`
	known, err := vc.NewContextSet(map[string][]byte{"https://w3id.org/staffpassport/v1": []byte(`{"@context":{}}`)},
		vc.Contexts("https://w3id.org/staffpassport/v1"))
	require.NoError(t, err)
	for _, c := range []struct {
		context                  string
		credential, presentation bool
	}{
		{`[` + v2 + `]`, true, true},
		{`[` + v2 + `,` + passport + `]`, true, true},
		{`[` + v2 + `,` + submission + `]`, false, true},
		{`[` + v1 + `]`, true, true},
		{`[` + v1 + `,` + submission + `]`, false, true},
		{`[` + v1 + `,` + passport + `]`, false, false},
		{`[` + v1 + `,` + v2 + `]`, false, false},
		{v1, false, false},
		{v2, false, false},
		{`[]`, false, false},
		{`null`, false, false},
		{`[` + passport + `,` + v2 + `]`, false, false},
		{`[` + passport + `]`, false, false},
		{`[` + v2 + `,` + v2 + `]`, false, false},
		{`[` + v2 + `,` + passport + `,` + passport + `]`, false, false},
		{`[` + v2 + `,` + passport + `,` + submission + `]`, false, false},
		{`[` + v2 + `,"https://w3id.org/staffpassport/v1/"]`, false, false},
		{`[` + v2 + `,"https://w3id.org/staffpassport/v2"]`, false, false},
		{`[` + v2 + `,{"@vocab":"https://evil.example/"}]`, false, false},
		{`[` + v2 + `,` + passport + `,{"@vocab":"https://evil.example/"}]`, false, false},
		{`[` + v2 + `,null]`, false, false},
		{`[` + v2 + `,["https://w3id.org/staffpassport/v1"]]`, false, false},
		{`{"@vocab":"https://evil.example/"}`, false, false},
	} {
		doc := object(t, []byte(`{"@context":`+c.context+`,"a":1}`))
		require.Equal(t, c.credential, dataintegrity.CheckContext(doc, known) == nil, c.context)
		require.Equal(t, c.presentation, dataintegrity.CheckPresentationContext(doc, known) == nil, c.context)
	}
	for _, below := range []string{
		`{"@context":{"@vocab":"https://evil.example/"}}`, `{"a":{"b":[1,{"@context":null}]}}`, `[[{"@context":[]}]]`,
	} {
		doc := object(t, []byte(`{"@context":[`+v2+`],"credentialSubject":`+below+`}`))
		require.ErrorIs(t, dataintegrity.CheckContext(doc, known), dataintegrity.ErrContextNotAllowed, below)
		require.ErrorIs(t, dataintegrity.CheckPresentationContext(doc, known), dataintegrity.ErrContextNotAllowed, below)
	}
	vp := object(t, []byte(`{"@context":[`+v2+`],"verifiableCredential":[{"@context":[`+v2+`]}]}`))
	require.NoError(t, dataintegrity.CheckPresentationContext(vp, nil), "credentials inside have their own")
	require.Error(t, dataintegrity.CheckContext(vp, nil))
}

func FuzzParseProof(f *testing.F) {
	f.Add([]byte(goodProof))
	f.Add([]byte(`{"proof":[` + goodProof + `]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := strictjson.ParseObject(b)
		if err != nil {
			return
		}
		if _, proof, err := dataintegrity.SplitProof(o); err == nil {
			o = proof
		}
		if p, err := dataintegrity.ParseProof(o); err == nil && (p.Suite == "" && p.VerificationMethod.IsZero()) {
			t.Fatal("an empty proof was parsed")
		}
	})
}
