package dataintegrity_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// TestPublishedChain compares with the published documents what each proof of the
// published sets and chains covers. Their suite is that of vc/dataintegrity/rdfc.
func TestPublishedChain(t *testing.T) {
	t.Parallel()
	read := func(name string) *strictjson.Object {
		return object(t, vectors.Read(t, "vc-di-eddsa", "TestVectors", "proof-set-chain", name))
	}
	for signed, temporary := range map[string][]string{
		"signedProofSet1.json":   {""},
		"signedProofSet2.json":   {"", ""},
		"signedProofChain1.json": {"", "", "proofChainTempDoc1.json"},
		"signedProofChain2.json": {"", "", "proofChainTempDoc1.json", "proofChainTempDoc2.json"},
	} {
		doc, proofs, err := dataintegrity.SplitProofs(read(signed))
		require.NoError(t, err, signed)
		require.Len(t, proofs, len(temporary), signed)
		for i, name := range temporary {
			if name == "" {
				name = "unsigned.json"
			}
			covered, err := dataintegrity.Covered(doc, proofs, i)
			require.NoError(t, err, signed)
			require.Equal(t, canonical(t, read(name)), canonical(t, covered), "%s, proof %d", signed, i)
			_, err = dataintegrity.ParseProof(proofs[i])
			require.NoError(t, err)
		}
		require.Equal(t, canonical(t, read("unsigned.json")), canonical(t, doc), "the arguments are left alone")
	}
	for name, want := range map[string]string{
		"proofSetConfig1.json": "proofSetConfigSigned1.json", "proofSetConfig2.json": "proofSetConfigSigned2.json",
		"proofChainConfig1.json": "proofChainConfigSigned1.json", "proofChainConfig2.json": "proofChainConfigSigned2.json",
	} {
		signed := read(want)
		p, err := dataintegrity.ParseProof(signed)
		require.NoError(t, err, want)
		config := read(name)
		config.Delete("@context")
		require.Equal(t, canonical(t, config), canonical(t, p.Options("eddsa-rdfc-2022")), "options are written as they are read")
	}
}

// chain makes a credential with a set of two proofs, a third over both, and a
// fourth over the third, as the published one is built, and returns its signers.
func chain(t testing.TB) (vc.Secured, []did.Signer) {
	t.Helper()
	ctx := context.Background()
	var signers []did.Signer
	for _, name := range []string{"Riverside Trust", "Nettle Styx", "Alder Lethe", "Rowan Tamar"} {
		signers = append(signers, signer(t, name))
	}
	by := func(i int) *dataintegrity.Issuer {
		return &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: signers[i], Now: clock}
	}
	s, err := by(0).SecureWith(ctx, credential(signers[0]), dataintegrity.Proof{ID: "urn:uuid:0"})
	require.NoError(t, err)
	for i, previous := range [][]string{1: nil, 2: {"urn:uuid:1", "urn:uuid:0"}, 3: {"urn:uuid:2"}} {
		if i > 0 {
			s, err = by(i).AddProof(ctx, s, dataintegrity.Proof{ID: fmt.Sprintf("urn:uuid:%d", i), Previous: previous})
			require.NoError(t, err)
		}
	}
	return s, signers
}

// verifyAll verifies every proof as a verifier does.
func verifyAll(t testing.TB, s *strictjson.Object, signers []did.Signer) ([]*strictjson.Object, []error) {
	t.Helper()
	doc, proofs, err := dataintegrity.SplitProofs(s)
	require.NoError(t, err)
	signed, errs := make([]*strictjson.Object, len(proofs)), make([]error, len(proofs))
	for i := range proofs {
		signed[i], errs[i] = dataintegrity.VerifyProof(context.Background(), dataintegrity.EdDSAJCS2022(), doc, proofs, i,
			keyOf(t, signers[i], did.AssertionMethod), nil)
	}
	return signed, errs
}

func TestChain(t *testing.T) {
	t.Parallel()
	s, signers := chain(t)
	secured := object(t, s.Bytes)
	signed, errs := verifyAll(t, secured, signers)
	for i := range errs {
		require.NoError(t, errs[i], i)
		c, err := vc.ParseObject(signed[i])
		require.NoError(t, err)
		require.Equal(t, credential(signers[0]), c, "the credential that went in, without any proof")
	}
	_, _, err := dataintegrity.SplitProof(secured)
	require.ErrorIs(t, err, dataintegrity.ErrProofSet)
}

// TestChainRefuses changes one thing at a time; the numbers are the proofs that
// then no longer verify.
func TestChainRefuses(t *testing.T) {
	t.Parallel()
	s, signers := chain(t)
	for name, c := range map[string]struct {
		change func(doc *strictjson.Object, proofs []*strictjson.Object) []*strictjson.Object
		broken []int
	}{
		"a claim": {func(doc *strictjson.Object, p []*strictjson.Object) []*strictjson.Object {
			doc.Set("credentialSubject", strictjson.NewObject(strictjson.Member{Name: "id", Value: "did:example:other"}))
			return p
		}, []int{0, 1, 2, 3}},
		"a member more": {func(doc *strictjson.Object, p []*strictjson.Object) []*strictjson.Object {
			doc.Set("name", "Passport")
			return p
		}, []int{0, 1, 2, 3}},
		"created of a first proof": {func(_ *strictjson.Object, p []*strictjson.Object) []*strictjson.Object {
			p[0].Set("created", "2020-01-01T00:00:00Z")
			return p
		}, []int{0, 2}},
		"a member more in a first proof": {func(_ *strictjson.Object, p []*strictjson.Object) []*strictjson.Object {
			p[1].Set("domain", "elsewhere")
			return p
		}, []int{1, 2}},
		"value of the third proof": {func(_ *strictjson.Object, p []*strictjson.Object) []*strictjson.Object {
			value, _ := p[0].Text("proofValue")
			p[2].Set("proofValue", value)
			return p
		}, []int{2, 3}},
		"previousProof of the third taken away": {func(_ *strictjson.Object, p []*strictjson.Object) []*strictjson.Object {
			p[2].Delete("previousProof")
			return p
		}, []int{2, 3}},
		"previousProof of the third made fewer": {func(_ *strictjson.Object, p []*strictjson.Object) []*strictjson.Object {
			p[2].Set("previousProof", "urn:uuid:0")
			return p
		}, []int{2, 3}},
		"previousProof of the last changed": {func(_ *strictjson.Object, p []*strictjson.Object) []*strictjson.Object {
			p[3].Set("previousProof", "urn:uuid:1")
			return p
		}, []int{3}},
		"the last follows itself": {func(_ *strictjson.Object, p []*strictjson.Object) []*strictjson.Object {
			p[3].Set("previousProof", "urn:uuid:3")
			return p
		}, []int{3}},
		"a circle": {func(_ *strictjson.Object, p []*strictjson.Object) []*strictjson.Object {
			p[0].Set("previousProof", "urn:uuid:3")
			return p
		}, []int{0, 2}},
		"ids exchanged": {func(_ *strictjson.Object, p []*strictjson.Object) []*strictjson.Object {
			p[1].Set("id", "urn:uuid:2")
			p[2].Set("id", "urn:uuid:1")
			return p
		}, []int{1, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, proofs, err := dataintegrity.SplitProofs(object(t, s.Bytes))
			require.NoError(t, err)
			list := []any{}
			for _, p := range c.change(doc, proofs) {
				list = append(list, p)
			}
			doc.Set("proof", list)
			_, errs := verifyAll(t, doc, signers)
			var broken []int
			for i, err := range errs {
				if err != nil {
					require.ErrorIs(t, err, dataintegrity.ErrSignature)
					broken = append(broken, i)
				}
			}
			require.Equal(t, c.broken, broken)
		})
	}
}

func TestSplitProofsRefuses(t *testing.T) {
	t.Parallel()
	tooMany := `{"proof":[{"a":0}`
	for range dataintegrity.MaxProofs {
		tooMany += `,{"a":0}`
	}
	atLimit := `{"proof":[{"a":0}`
	for range dataintegrity.MaxProofs - 1 {
		atLimit += `,{"a":0}`
	}
	_, proofs, err := dataintegrity.SplitProofs(object(t, []byte(atLimit+`]}`)))
	require.NoError(t, err)
	require.Len(t, proofs, dataintegrity.MaxProofs)
	for _, c := range []struct {
		doc  string
		want error
	}{
		{tooMany + `]}`, dataintegrity.ErrProofMalformed},
		{`{"proof":{"previousProof":"urn:a"}}`, dataintegrity.ErrPreviousProof},
		{`{"proof":[{"id":"urn:b"},{"previousProof":"urn:a"}]}`, dataintegrity.ErrPreviousProof},
		{`{"proof":[{"id":"urn:a"},{"previousProof":["urn:a","urn:b"]}]}`, dataintegrity.ErrPreviousProof},
		{`{"proof":[{"id":"urn:a"},{"previousProof":"URN:A"}]}`, dataintegrity.ErrPreviousProof},
		{`{"proof":[{"id":"urn:a"},{"previousProof":""}]}`, dataintegrity.ErrPreviousProof},
		{`{"proof":[{"id":"urn:a"},{"previousProof":[]}]}`, dataintegrity.ErrProofMalformed},
		{`{"proof":[{"id":"urn:a"},{"previousProof":null}]}`, dataintegrity.ErrProofMalformed},
		{`{"proof":[{"id":"urn:a"},{"previousProof":{"id":"urn:a"}}]}`, dataintegrity.ErrProofMalformed},
		{`{"proof":[{"id":"urn:a"},{"id":"urn:a"}]}`, dataintegrity.ErrProofMalformed},
		{`{"proof":[{"id":"a"},{"previousProof":"a"}]}`, dataintegrity.ErrProofMalformed},
		{`{"proof":[{"id":5},{"b":1}]}`, dataintegrity.ErrProofMalformed},
	} {
		_, _, err := dataintegrity.SplitProofs(object(t, []byte(c.doc)))
		require.ErrorIs(t, err, c.want, c.doc)
		_, _, err = dataintegrity.SplitProof(object(t, []byte(c.doc)))
		require.Error(t, err, c.doc)
	}
}

// TestAbuse_DI06_ContextInPreviousProof: a proof becomes part of what the next one
// covers, and with it any context it brings.
func TestAbuse_DI06_ContextInPreviousProof(t *testing.T) {
	t.Parallel()
	const v2 = `"https://www.w3.org/ns/credentials/v2"`
	for context, good := range map[string]bool{
		`[` + v2 + `]`:            true,
		`[` + v2 + `,"urn:more"]`: true,
		`[]`:                      true,
		`[` + v2 + `,"urn:more",{"@vocab":"https://evil.example/"}]`: false,
		`[` + v2 + `,{"@vocab":"https://evil.example/"}]`:            false,
		`{"@vocab":"https://evil.example/"}`:                         false,
		`["urn:more"]`:                                               false,
		v2:                                                           false,
		`null`:                                                       false,
	} {
		doc, proofs, err := dataintegrity.SplitProofs(object(t, []byte(`{"@context":[`+v2+`,"urn:more"],"proof":[{"id":"urn:a","@context":`+
			context+`},{"previousProof":"urn:a"}]}`)))
		require.NoError(t, err)
		_, err = dataintegrity.Covered(doc, proofs, 0)
		require.NoError(t, err)
		_, err = dataintegrity.Covered(doc, proofs, 1)
		if good {
			require.NoError(t, err, context)
		} else {
			require.ErrorIs(t, err, dataintegrity.ErrContextNotAllowed, context)
		}
	}
	doc, proofs, err := dataintegrity.SplitProofs(object(t, []byte(`{"@context":[`+v2+`],"proof":[{"id":"urn:a","x":[{"@context":{}}]},`+
		`{"previousProof":"urn:a"}]}`)))
	require.NoError(t, err)
	_, err = dataintegrity.Covered(doc, proofs, 1)
	require.ErrorIs(t, err, dataintegrity.ErrContextNotAllowed)
}

func TestSecureWith(t *testing.T) {
	t.Parallel()
	s := signer(t, "Riverside Trust")
	i := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: s, Now: clock}
	options := dataintegrity.Proof{
		ID:        "urn:uuid:1",
		Created:   noon.Add(-time.Hour).Truncate(time.Second),
		Expires:   noon.Add(time.Hour).Truncate(time.Second),
		Domain:    []string{"did:example:a", "did:example:b"},
		Challenge: "c",
		Nonce:     "n",
	}
	secured, err := i.SecureWith(context.Background(), credential(s), options)
	require.NoError(t, err)
	_, proof, err := dataintegrity.SplitProof(object(t, secured.Bytes))
	require.NoError(t, err)
	p, err := dataintegrity.ParseProof(proof)
	require.NoError(t, err)
	options.Suite, options.Purpose, options.VerificationMethod = "eddsa-jcs-2022", did.AssertionMethod, s.VerificationMethod()
	require.Equal(t, &options, p)
	_, err = i.SecureWith(context.Background(), credential(s), options)
	require.NoError(t, err, "the issuer's own suite, key and purpose may be said")
}

func TestAddProofRefuses(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := signer(t, "Riverside Trust")
	i := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: s, Now: clock}
	secured, err := i.SecureWith(ctx, credential(s), dataintegrity.Proof{ID: "urn:uuid:0"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		options dataintegrity.Proof
		want    error
	}{
		"previous missing":     {dataintegrity.Proof{Previous: []string{"urn:uuid:1"}}, dataintegrity.ErrPreviousProof},
		"one previous missing": {dataintegrity.Proof{Previous: []string{"urn:uuid:0", "urn:uuid:1"}}, dataintegrity.ErrPreviousProof},
		"itself":               {dataintegrity.Proof{ID: "urn:uuid:1", Previous: []string{"urn:uuid:1"}}, dataintegrity.ErrPreviousProof},
		"id taken":             {dataintegrity.Proof{ID: "urn:uuid:0"}, dataintegrity.ErrProofMalformed},
		"id no URL":            {dataintegrity.Proof{ID: "one"}, dataintegrity.ErrProofMalformed},
		"another suite":        {dataintegrity.Proof{Suite: "ecdsa-jcs-2019"}, dataintegrity.ErrConfig},
		"another purpose":      {dataintegrity.Proof{Purpose: did.Authentication}, dataintegrity.ErrConfig},
		"another key":          {dataintegrity.Proof{VerificationMethod: signer(t, "Nettle Styx").VerificationMethod()}, dataintegrity.ErrConfig},
	} {
		_, err := i.AddProof(ctx, secured, c.options)
		require.ErrorIs(t, err, c.want, name)
		if name != "id taken" {
			_, err = i.SecureWith(ctx, credential(s), c.options)
			require.ErrorIs(t, err, c.want, name)
		}
	}
	unsecured, err := credential(s).MarshalJSON()
	require.NoError(t, err)
	change := func(name string, value any) []byte {
		o := object(t, secured.Bytes)
		o.Set(name, value)
		b, err := strictjson.Append(nil, o)
		require.NoError(t, err)
		return b
	}
	for name, c := range map[string]struct {
		secured vc.Secured
		want    error
	}{
		"no proof":        {vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: unsecured}, dataintegrity.ErrNoProof},
		"another format":  {vc.Secured{MediaType: "application/vc+jwt", Bytes: secured.Bytes}, dataintegrity.ErrConfig},
		"no JSON":         {vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte("{")}, strictjson.ErrSyntax},
		"no credential":   {vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: change("type", "Thing")}, vc.ErrMalformed},
		"unknown context": {vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: change("@context", []any{vc.ContextV2, "urn:a"})}, dataintegrity.ErrContextNotAllowed},
	} {
		_, err := i.AddProof(ctx, c.secured, dataintegrity.Proof{})
		require.ErrorIs(t, err, c.want, name)
	}
	_, err = (&dataintegrity.Issuer{Signer: s}).AddProof(ctx, secured, dataintegrity.Proof{})
	require.ErrorIs(t, err, dataintegrity.ErrConfig)
	_, err = (&dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022()}).AddProof(ctx, secured, dataintegrity.Proof{})
	require.ErrorIs(t, err, dataintegrity.ErrConfig)
	for range dataintegrity.MaxProofs - 1 {
		secured, err = i.AddProof(ctx, secured, dataintegrity.Proof{})
		require.NoError(t, err)
	}
	_, err = i.AddProof(ctx, secured, dataintegrity.Proof{})
	require.ErrorIs(t, err, dataintegrity.ErrProofMalformed)
}

// TestVersionOne: documents of data model 1.1 are signed by the suites of their
// time alone.
func TestVersionOne(t *testing.T) {
	t.Parallel()
	s := signer(t, "Riverside Trust")
	c := credential(s)
	c.Context = []vc.Context{{URL: vc.ContextV1}}
	c.ValidFrom = noon
	_, err := (&dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: s}).Secure(context.Background(), c)
	require.ErrorIs(t, err, dataintegrity.ErrContextNotAllowed)
	p := vc.NewPresentation(s.VerificationMethod().DID)
	p.Context = c.Context
	_, err = (&dataintegrity.Presenter{Suite: dataintegrity.EdDSAJCS2022(), Signer: s}).Present(context.Background(), p, "a", "n")
	require.ErrorIs(t, err, dataintegrity.ErrContextNotAllowed)
}

// TestRelatedResource: a credential that has the digest of another vocabulary than
// the one it would be read with is not signed.
func TestRelatedResource(t *testing.T) {
	t.Parallel()
	s := signer(t, "Riverside Trust")
	i := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: s, Now: clock}
	for digest, good := range map[string]bool{
		"uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA": true,
		"uEiBXOT-8adbvubm13Jy2uYgLCUQ2Cr_i6vRZyeWM8iedfA": false,
		"uEiBZlVztZpfWHgPyslVv6":                          false,
	} {
		c := credential(s)
		c.Related = []vc.RelatedResource{{ID: vc.ContextV2, DigestMultibase: []string{digest}}}
		secured, err := i.Secure(context.Background(), c)
		if !good {
			require.ErrorIs(t, err, vc.ErrDigest, digest)
			require.Empty(t, secured)
			continue
		}
		require.NoError(t, err)
		_, err = i.AddProof(context.Background(), secured, dataintegrity.Proof{})
		require.NoError(t, err)
	}
}

// TestPublishedChainSignatures makes every proof of the published sets and chains
// again, with the published keys, over what [dataintegrity.Covered] returns. Their
// suite, eddsa-rdfc-2022, is that of vc/dataintegrity/rdfc; here are its few lines.
func TestPublishedChainSignatures(t *testing.T) {
	t.Parallel()
	read := func(name string) []byte {
		return vectors.Read(t, "vc-di-eddsa", "TestVectors", "proof-set-chain", name)
	}
	var pairs map[string]struct {
		PublicKeyMultibase  string `json:"publicKeyMultibase"`
		PrivateKeyMultibase string `json:"privateKeyMultibase"`
	}
	require.NoError(t, json.Unmarshal(read("multiKeyPairs.json"), &pairs))
	require.Len(t, pairs, 4)
	keys := map[string]ed25519.PrivateKey{}
	for _, pair := range pairs {
		seed, err := multiformat.Decode(pair.PrivateKeyMultibase, multiformat.MaxKey)
		require.NoError(t, err)
		keys["did:key:"+pair.PublicKeyMultibase+"#"+pair.PublicKeyMultibase] = ed25519.NewKeyFromSeed(seed[2:])
	}
	hash := func(o *strictjson.Object) []byte {
		quads, err := chainContexts(t).ToRDF(o, nil)
		require.NoError(t, err)
		c, err := rdfcanon.Canonicalize(context.Background(), quads, rdfcanon.SHA256)
		require.NoError(t, err)
		sum := sha256.Sum256([]byte(strings.Join(c.Statements, "")))
		return sum[:]
	}
	values := 0
	for _, signed := range []string{"signedProofSet1.json", "signedProofSet2.json", "signedProofChain1.json", "signedProofChain2.json"} {
		doc, proofs, err := dataintegrity.SplitProofs(object(t, read(signed)))
		require.NoError(t, err)
		for i, proof := range proofs {
			value, _ := proof.Text("proofValue")
			vm, _ := proof.Text("verificationMethod")
			options := proof.Clone()
			options.Delete("proofValue")
			context, _ := doc.Get("@context")
			options.Set("@context", context)
			covered, err := dataintegrity.Covered(doc, proofs, i)
			require.NoError(t, err)
			require.Equal(t, value, multiformat.Encode(ed25519.Sign(keys[vm], append(hash(options), hash(covered)...))), "%s, proof %d", signed, i)
			values++
		}
	}
	require.Equal(t, 1+2+3+4, values)
}

// chainContexts knows the context of the specifications' examples.
func chainContexts(t testing.TB) *jsonld.Contexts {
	const examples = "https://www.w3.org/ns/credentials/examples/v2"
	if jsonld.Embedded().Known(examples) {
		return jsonld.Embedded()
	}
	c, err := jsonld.Embedded().With(map[string][]byte{
		examples: []byte(`{"@context":{"@vocab":"https://www.w3.org/ns/credentials/examples#"}}`),
	})
	require.NoError(t, err)
	return c
}

func FuzzSplitProofs(f *testing.F) {
	s, signers := chain(f)
	f.Add(s.Bytes)
	f.Add([]byte(`{"proof":[{"id":"urn:a"},{"previousProof":["urn:a","urn:b"]}]}`))
	seed := string(s.Bytes)
	key := keyOf(f, signers[0], did.AssertionMethod)
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := strictjson.ParseObject(b)
		if err != nil {
			return
		}
		doc, proofs, err := dataintegrity.SplitProofs(o)
		if err != nil {
			return
		}
		for i := range proofs {
			signed, err := dataintegrity.VerifyProof(context.Background(), dataintegrity.EdDSAJCS2022(), doc, proofs, i, key, nil)
			if err == nil && canonical(t, signed) != canonical(t, withoutProof(t, seed)) {
				t.Fatal("something verified that was not signed")
			}
		}
	})
}

func withoutProof(t testing.TB, secured string) *strictjson.Object {
	o := object(t, []byte(secured))
	o.Delete("proof")
	return o
}
