package legacy_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
)

const (
	suiteContext    = "https://w3id.org/security/suites/ed25519-2020/v1"
	examplesContext = "https://www.w3.org/ns/credentials/examples/v2"
	submission      = "https://identity.foundation/presentation-exchange/submission/v1"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

func signer(t testing.TB, name string) did.Signer {
	t.Helper()
	seed := sha256.Sum256([]byte("staffpassport test key: " + name))
	return signerOf(t, ed25519.NewKeyFromSeed(seed[:]))
}

func signerOf(t testing.TB, key ed25519.PrivateKey) did.Signer {
	t.Helper()
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return s
}

// keyOf returns the key that a did:key names.
func keyOf(t testing.TB, vm did.URL) *did.VerificationMethod {
	t.Helper()
	res, err := didkey.Resolver{}.Resolve(context.Background(), vm.DID, did.Version{})
	require.NoError(t, err)
	m, err := res.Document.Method(vm, did.AssertionMethod, noon)
	require.NoError(t, err)
	return m
}

func object(t testing.TB, b []byte) *strictjson.Object {
	t.Helper()
	o, err := strictjson.ParseObject(b)
	require.NoError(t, err)
	return o
}

func canonical(t testing.TB, v any) string {
	t.Helper()
	b, err := jcs.Append(nil, v)
	require.NoError(t, err)
	return string(b)
}

// contexts knows what the published examples and the recorded agents use.
func contexts(t testing.TB) *vc.ContextSet {
	t.Helper()
	documents := map[string][]byte{}
	if !jsonld.Embedded().Known(examplesContext) {
		documents[examplesContext] = []byte(`{"@context":{"@vocab":"https://www.w3.org/ns/credentials/examples#"}}`)
	}
	set, err := vc.NewContextSet(documents,
		vc.Contexts(examplesContext, suiteContext),
		[]vc.Context{{URL: vc.ContextV1}, {URL: suiteContext}},
		[]vc.Context{{URL: vc.ContextV1}, {Inline: json.RawMessage(`{"@vocab":"https://example.org/staff-passport#"}`)}},
	)
	require.NoError(t, err)
	return set
}

func suites() []dataintegrity.Suite {
	return []dataintegrity.Suite{legacy.Ed25519Signature2018(), legacy.Ed25519Signature2020()}
}

// credential is a credential of data model 1.1 that both suites can sign.
func credential(s did.Signer) *vc.Credential {
	return &vc.Credential{
		Context:   []vc.Context{{URL: vc.ContextV1}, {URL: suiteContext}},
		ID:        "urn:uuid:1f6b2c3d-0000-4000-8000-000000000001",
		Type:      []string{vc.TypeCredential},
		Issuer:    vc.Party{ID: s.VerificationMethod().DID.String()},
		ValidFrom: noon,
		Subject:   json.RawMessage(`{"id":"did:example:rowan"}`),
	}
}

func verify(t testing.TB, suite dataintegrity.Suite, secured *strictjson.Object, set *vc.ContextSet) error {
	t.Helper()
	doc, proofs, err := dataintegrity.SplitProofs(secured)
	require.NoError(t, err)
	for i := range proofs {
		p, err := dataintegrity.ParseProof(proofs[i])
		require.NoError(t, err)
		require.Equal(t, suite.Name(), p.Suite)
		signed, err := dataintegrity.VerifyProof(context.Background(), suite, doc, proofs, i, keyOf(t, p.VerificationMethod), set)
		if err != nil {
			require.Nil(t, signed)
			return err
		}
		require.Equal(t, canonical(t, doc), canonical(t, signed))
	}
	return nil
}

// The headline figures of Data Integrity EdDSA Cryptosuites v1.0, appendix B.4.
const (
	exampleKey    = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
	exampleSecret = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
	exampleDoc    = `{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2",` +
		`"https://w3id.org/security/suites/ed25519-2020/v1"],` +
		`"credentialSubject":{"alumniOf":"The School of Examples","id":"did:example:abcdefgh"},` +
		`"description":"A minimum viable example of an Alumni Credential.","id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",` +
		`"issuer":"https://vc.example/issuers/5678","name":"Alumni Credential","type":["VerifiableCredential","AlumniCredential"],` +
		`"validFrom":"2023-01-01T00:00:00Z"}`
	exampleOptionsHash = "04e14bcf5727cba0c0aa04a04d22a56fef915d5f8f7756bb92ae67cb1d0c4847"
	exampleDocHash     = "517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017"
	exampleSignature   = "cd8d023e8a9b462d563bbbd24c4499d8172738eb3f5235d74f65971e9be36dd7f23a1e201791e9a6747e45b8fa877a984f51f591567365c4d8222ecad39be60c"
	exampleValue       = "z57Mm1vboMtZiCyJ4aReZsv8co4Re64Y8GEjL1ZARzMbXZgkARFLqFs1P345NpPGG2hgCrS4nNdvJhpwnrNyG3kEF"
)

// recording remembers what it was asked to sign.
type recording struct {
	did.Signer
	data *[]byte
}

func (r recording) Sign(ctx context.Context, data []byte) ([]byte, error) {
	*r.data = data
	return r.Signer.Sign(ctx, data)
}

func exampleSigner(t testing.TB) did.Signer {
	t.Helper()
	seed, err := multiformat.Decode(exampleSecret, multiformat.MaxKey)
	require.NoError(t, err)
	return signerOf(t, ed25519.NewKeyFromSeed(seed[2:]))
}

func TestSpecificationExample2020(t *testing.T) {
	t.Parallel()
	var data []byte
	s := recording{exampleSigner(t), &data}
	require.Equal(t, "did:key:"+exampleKey+"#"+exampleKey, s.VerificationMethod().String())
	doc, set := object(t, []byte(exampleDoc)), contexts(t)
	proof, err := legacy.Ed25519Signature2020().Prove(context.Background(), doc, &dataintegrity.Proof{
		Created:            time.Date(2023, 2, 24, 23, 36, 38, 0, time.UTC),
		VerificationMethod: s.VerificationMethod(),
		Purpose:            did.AssertionMethod,
	}, s, set)
	require.NoError(t, err)
	require.Equal(t, exampleOptionsHash+exampleDocHash, hex.EncodeToString(data))
	value, _ := proof.Text("proofValue")
	require.Equal(t, exampleValue, value)
	raw, err := multiformat.Decode(value, multiformat.MaxKey)
	require.NoError(t, err)
	require.Equal(t, exampleSignature, hex.EncodeToString(raw))
	require.Equal(t, exampleDoc, canonical(t, doc), "the document is left alone")
	doc.Set("proof", proof)
	require.NoError(t, verify(t, legacy.Ed25519Signature2020(), doc, set))
	for i := range raw {
		raw[i] ^= 1
		proof.Set("proofValue", multiformat.Encode(raw))
		raw[i] ^= 1
		require.ErrorIs(t, verify(t, legacy.Ed25519Signature2020(), doc, set), dataintegrity.ErrSignature)
	}
}

// TestPublishedVector2020 compares every published intermediate value.
func TestPublishedVector2020(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		return string(vectors.Read(t, "vc-di-eddsa", "TestVectors", "Ed25519Signature2020", name))
	}
	set := contexts(t)
	lines := func(o *strictjson.Object) string {
		quads, err := set.Documents().ToRDF(o, nil)
		require.NoError(t, err)
		c, err := rdfcanon.Canonicalize(context.Background(), quads, rdfcanon.SHA256)
		require.NoError(t, err)
		return strings.Join(c.Statements, "")
	}
	sum := func(s string) string {
		h := sha256.Sum256([]byte(s))
		return hex.EncodeToString(h[:])
	}
	signed := object(t, []byte(read("signedEdSig.json")))
	doc, proof, err := dataintegrity.SplitProof(signed)
	require.NoError(t, err)
	require.Equal(t, exampleDoc, canonical(t, doc))
	require.Equal(t, read("canonDocEdSig.txt"), lines(doc))
	require.Equal(t, read("docHashEdSig.txt"), sum(lines(doc)))
	config := object(t, []byte(read("proofConfigEdSig.json")))
	require.Equal(t, read("proofCanonEdSig.txt"), lines(config))
	require.Equal(t, read("proofHashEdSig.txt"), sum(lines(config)))
	require.Equal(t, read("combinedHashEdSig.txt"), sum(lines(config))+sum(lines(doc)))
	require.Equal(t, exampleSignature, read("sigHexEdSig.txt"))
	require.Equal(t, exampleValue, read("sigBTC58EdSig.txt"))

	p, err := dataintegrity.ParseProof(proof)
	require.NoError(t, err)
	made, err := legacy.Ed25519Signature2020().Prove(context.Background(), doc, p, exampleSigner(t), set)
	require.NoError(t, err)
	require.Equal(t, canonical(t, proof), canonical(t, made))
	require.NoError(t, verify(t, legacy.Ed25519Signature2020(), signed, set))
	config.Delete("@context")
	made.Delete("proofValue")
	require.Equal(t, canonical(t, config), canonical(t, made))
}

// What two agents sent over the wire: aries-framework-go 0.3.2, whose signatures
// leave alg empty, and credo-ts. The key in the issuer's name signed the credential
// and that in the holder's the presentation around it.
var (
	//go:embed testdata/aries.json
	fromAries []byte
	//go:embed testdata/credo.json
	fromCredo []byte
)

func TestRecordedAgents(t *testing.T) {
	t.Parallel()
	set, suite := contexts(t), legacy.Ed25519Signature2018()
	for name, received := range map[string][]byte{"aries": fromAries, "credo": fromCredo} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vp := object(t, received)
			_, err := vc.CheckPresentationObject(vp)
			require.NoError(t, err)
			require.NoError(t, verify(t, suite, vp, set))
			inside := vc.PresentedValues(vp)
			require.Len(t, inside, 1)
			c := inside[0].(*strictjson.Object)
			_, err = vc.CheckObject(c)
			require.NoError(t, err)
			require.NoError(t, verify(t, suite, c, set))
			doc := c.Clone()
			doc.Delete("proof")
			require.NoError(t, dataintegrity.CheckContext(doc, set))

			// A change of any claim, inside and outside, is found.
			subject, _ := c.Get("credentialSubject")
			for claim := range subject.(*strictjson.Object).All() {
				changed := object(t, received)
				forged := vc.PresentedValues(changed)[0].(*strictjson.Object)
				s, _ := forged.Get("credentialSubject")
				s.(*strictjson.Object).Set(claim, "did:example:other")
				require.ErrorIs(t, verify(t, suite, forged, set), dataintegrity.ErrSignature, claim)
				require.ErrorIs(t, verify(t, suite, changed, set), dataintegrity.ErrSignature, claim)
			}
			for member := range vp.All() {
				changed := object(t, received)
				changed.Delete(member)
				switch member {
				case "proof":
				case "@context":
					require.ErrorIs(t, verify(t, suite, changed, set), dataintegrity.ErrContextNotAllowed, member)
				case "type": // which defines the other members
					require.ErrorIs(t, verify(t, suite, changed, set), dataintegrity.ErrUndefinedTerm, member)
				default:
					require.ErrorIs(t, verify(t, suite, changed, set), dataintegrity.ErrSignature, member)
				}
			}
			proof, _ := vp.Get("proof")
			for member := range proof.(*strictjson.Object).All() {
				switch member {
				case "type", "verificationMethod", "proofPurpose", "jws":
					continue
				}
				changed := object(t, received)
				p, _ := changed.Get("proof")
				p.(*strictjson.Object).Delete(member)
				require.ErrorIs(t, verify(t, suite, changed, set), dataintegrity.ErrSignature, member)
			}
		})
	}
}

// TestEveryFlippedByte changes one bit of each byte that an agent sent.
func TestEveryFlippedByte(t *testing.T) {
	t.Parallel()
	set, suite := contexts(t), legacy.Ed25519Signature2018()
	received, err := strictjson.Append(nil, vc.PresentedValues(object(t, fromCredo))[0])
	require.NoError(t, err)
	_, proof, err := dataintegrity.SplitProof(object(t, received))
	require.NoError(t, err)
	p, err := dataintegrity.ParseProof(proof)
	require.NoError(t, err)
	key := keyOf(t, p.VerificationMethod)
	for i := range received {
		b := []byte(string(received))
		b[i] ^= 1
		o, err := strictjson.ParseObject(b)
		if err != nil {
			continue
		}
		doc, proofs, err := dataintegrity.SplitProofs(o)
		if err != nil {
			continue
		}
		if _, err := dataintegrity.VerifyProof(context.Background(), suite, doc, proofs, 0, key, set); err == nil {
			require.Equal(t, canonical(t, object(t, received)), canonical(t, o), "byte %d", i)
		}
	}
}

func TestSecure(t *testing.T) {
	t.Parallel()
	set := contexts(t)
	for _, suite := range suites() {
		s := signer(t, "Riverside Trust")
		i := &dataintegrity.Issuer{Suite: suite, Signer: s, Contexts: set, Now: clock}
		secured, err := i.Secure(context.Background(), credential(s))
		require.NoError(t, err, suite.Name())
		require.NoError(t, verify(t, suite, object(t, secured.Bytes), set))
		_, proof, err := dataintegrity.SplitProof(object(t, secured.Bytes))
		require.NoError(t, err)
		p, err := dataintegrity.ParseProof(proof)
		require.NoError(t, err)
		require.Equal(t, &dataintegrity.Proof{
			Suite: suite.Name(), VerificationMethod: s.VerificationMethod(), Purpose: did.AssertionMethod, Created: noon,
		}, p)
		other := suites()[0]
		if suite.Name() == other.Name() {
			other = suites()[1]
		}
		doc := object(t, secured.Bytes)
		doc.Delete("proof")
		_, err = other.Verify(context.Background(), doc, proof, keyOf(t, s.VerificationMethod()), set)
		require.ErrorIs(t, err, dataintegrity.ErrSuite)

		h := &dataintegrity.Presenter{Suite: suite, Signer: s, Contexts: set, Now: clock, Lifetime: time.Minute}
		vp := vc.NewPresentation(s.VerificationMethod().DID, secured)
		vp.Context = credential(s).Context
		shown, err := h.Present(context.Background(), vp, "did:example:host", "nonce")
		require.NoError(t, err, suite.Name())
		require.NoError(t, verify(t, suite, object(t, shown.Bytes), set))
		for _, member := range []string{"domain", "challenge", "expires", "created"} {
			changed := object(t, shown.Bytes)
			proof, _ := changed.Get("proof")
			proof.(*strictjson.Object).Delete(member)
			require.ErrorIs(t, verify(t, suite, changed, set), dataintegrity.ErrSignature, member)
		}

		// A second proof stands beside the first.
		first, err := i.SecureWith(context.Background(), credential(s), dataintegrity.Proof{ID: "urn:uuid:0"})
		require.NoError(t, err)
		_, err = i.AddProof(context.Background(), first, dataintegrity.Proof{Previous: []string{"urn:uuid:0"}})
		require.ErrorIs(t, err, dataintegrity.ErrProofMalformed, "they have no chains")
		both, err := i.AddProof(context.Background(), secured, dataintegrity.Proof{Nonce: "n"})
		require.NoError(t, err)
		require.NoError(t, verify(t, suite, object(t, both.Bytes), set))
	}
}

// TestAbuse_DI05_UndefinedTerm and TestAbuse_DI04_UndefinedTerm: what a context
// does not define is neither signed nor verified.
func TestAbuse_DI05_UndefinedTerm(t *testing.T) {
	t.Parallel()
	set := contexts(t)
	for _, suite := range suites() {
		s := signer(t, "Riverside Trust")
		i := &dataintegrity.Issuer{Suite: suite, Signer: s, Contexts: set, Now: clock}
		for name, c := range map[string]struct {
			change func(*vc.Credential)
			want   error
			at     string
		}{
			"a claim":       {func(c *vc.Credential) { c.Subject = json.RawMessage(`{"dbsCleared":true}`) }, dataintegrity.ErrUndefinedTerm, "/credentialSubject/dbsCleared"},
			"a member":      {func(c *vc.Credential) { c.Other = map[string]json.RawMessage{"river": []byte(`1`)} }, dataintegrity.ErrUndefinedTerm, "/river"},
			"a type":        {func(c *vc.Credential) { c.Type = append(c.Type, "Willow") }, dataintegrity.ErrUndefinedTerm, "/type"},
			"a relative id": {func(c *vc.Credential) { c.Subject = json.RawMessage(`{"id":"rowan"}`) }, vc.ErrMalformed, "/credentialSubject/id"},
		} {
			cred := credential(s)
			c.change(cred)
			out, err := i.Secure(context.Background(), cred)
			require.ErrorIs(t, err, c.want, "%s: %s", suite.Name(), name)
			require.ErrorContains(t, err, c.at)
			require.Empty(t, out)
		}
	}
}

func TestAbuse_DI04_UndefinedTerm(t *testing.T) {
	t.Parallel()
	set := contexts(t)
	for _, suite := range suites() {
		s := signer(t, "Riverside Trust")
		secured, err := (&dataintegrity.Issuer{Suite: suite, Signer: s, Contexts: set, Now: clock}).Secure(context.Background(), credential(s))
		require.NoError(t, err)
		for name, c := range map[string]struct {
			change func(doc, proof *strictjson.Object)
			want   error
		}{
			"a member":         {func(d, _ *strictjson.Object) { d.Set("dbsCleared", true) }, dataintegrity.ErrUndefinedTerm},
			"a relative type":  {func(d, _ *strictjson.Object) { d.Set("type", []any{"VerifiableCredential", "Willow"}) }, dataintegrity.ErrUndefinedTerm},
			"in the proof":     {func(_, p *strictjson.Object) { p.Set("dbsCleared", true) }, dataintegrity.ErrProofMalformed},
			"a defined member": {func(d, _ *strictjson.Object) { d.Set("expirationDate", "2030-01-01T00:00:00Z") }, dataintegrity.ErrSignature},
			"unknown context": {func(d, _ *strictjson.Object) {
				d.Set("@context", []any{vc.ContextV1, suiteContext, "https://evil.example/"})
			}, dataintegrity.ErrContextNotAllowed},
			"inline context": {func(d, _ *strictjson.Object) {
				d.Set("@context", []any{vc.ContextV1, suiteContext, strictjson.NewObject(strictjson.Member{Name: "@vocab", Value: "https://evil.example/"})})
			}, dataintegrity.ErrContextNotAllowed},
			"context in the proof": {func(_, p *strictjson.Object) { p.Set("@context", vc.ContextV1) }, dataintegrity.ErrContextNotAllowed},
		} {
			o := object(t, secured.Bytes)
			proof, _ := o.Get("proof")
			c.change(o, proof.(*strictjson.Object))
			require.ErrorIs(t, verify(t, suite, o, set), c.want, "%s: %s", suite.Name(), name)
		}
	}
}

// What JSON-LD leaves out of the data cannot be added to what was signed.
func TestAbuse_DI04_LeftOutOfTheData(t *testing.T) {
	t.Parallel()
	set := contexts(t)
	for _, suite := range suites() {
		s := signer(t, "Riverside Trust")
		c := credential(s)
		c.ID = ""
		secured, err := (&dataintegrity.Issuer{Suite: suite, Signer: s, Contexts: set, Now: clock}).Secure(context.Background(), c)
		require.NoError(t, err)
		require.NoError(t, verify(t, suite, object(t, secured.Bytes), set))
		for name, c := range map[string]struct {
			member string
			value  any
			want   error
		}{
			"null":                        {"evidence", nil, dataintegrity.ErrUnsignable},
			"an empty array":              {"evidence", []any{}, dataintegrity.ErrUnsignable},
			"null in an array":            {"termsOfUse", []any{nil}, dataintegrity.ErrUnsignable},
			"null for an undefined term":  {"x", nil, dataintegrity.ErrUndefinedTerm},
			"an array for one":            {"x", []any{}, dataintegrity.ErrUndefinedTerm},
			"the label of a blank node":   {"id", "_:b0", dataintegrity.ErrUnsignable},
			"a blank node as type":        {"type", []any{vc.TypeCredential, "_:t"}, dataintegrity.ErrUnsignable},
			"a blank node by reference":   {"termsOfUse", "_:c", dataintegrity.ErrUnsignable},
			"a blank node with its label": {"termsOfUse", strictjson.NewObject(strictjson.Member{Name: "id", Value: "_:c"}), dataintegrity.ErrUnsignable},
		} {
			o := object(t, secured.Bytes)
			o.Set(c.member, c.value)
			require.ErrorIs(t, verify(t, suite, o, set), c.want, "%s: %s", suite.Name(), name)
		}
	}
}

// The security contexts have two names for the end of a proof, and only one is
// read. A proof has no member but those of its type, under their names.
func TestAbuse_DI18_EndOfAProofRenamed(t *testing.T) {
	t.Parallel()
	set := contexts(t)
	for _, suite := range suites() {
		for _, context := range [][]any{{vc.ContextV1, suiteContext}, {vc.ContextV2, "https://w3id.org/security/v1", suiteContext}} {
			s := signer(t, "Riverside Trust")
			doc := object(t, []byte(`{"type":["VerifiableCredential"],"issuer":"did:example:i","credentialSubject":{"id":"did:example:rowan"}}`))
			doc.Set("@context", context)
			options := &dataintegrity.Proof{VerificationMethod: s.VerificationMethod(), Purpose: did.AssertionMethod, Created: noon, Expires: noon, Challenge: "c", Nonce: "n", Domain: []string{"d"}, ID: "urn:uuid:0"}
			proof, err := suite.Prove(t.Context(), doc, options, s, set)
			require.NoError(t, err)
			doc.Set("proof", proof)
			require.NoError(t, verify(t, suite, doc, set))
			for name, as := range map[string][]string{
				"expires":   {"expiration", "https://w3id.org/security#expiration", "sec:expiration"},
				"created":   {"dcterms:created", "dc:created", "http://purl.org/dc/terms/created"},
				"domain":    {"sec:domain"},
				"challenge": {"sec:challenge"},
			} {
				for _, as := range as {
					renamed := proof.Clone()
					v, _ := renamed.Get(name)
					renamed.Delete(name)
					renamed.Set(as, v)
					changed := doc.Clone()
					changed.Set("proof", renamed)
					require.ErrorIs(t, verify(t, suite, changed, set), dataintegrity.ErrProofMalformed, "%s: %s as %s", suite.Name(), name, as)
				}
			}
			for _, added := range []string{"expiration", "creator", "revoked", "capability", "canonicalizationAlgorithm", "signatureValue", "previousProof", "proof", "jws", "proofValue"} {
				if _, own := proof.Get(added); own {
					continue
				}
				more := proof.Clone()
				more.Set(added, "2027-03-02T12:00:00Z")
				_, err := suite.Verify(t.Context(), doc, more, keyOf(t, s.VerificationMethod()), set)
				require.ErrorIs(t, err, dataintegrity.ErrProofMalformed, "%s: %s", suite.Name(), added)
			}
		}
	}
}

// No context gives a member that a verifier reads by name another name under which
// the signature would hold. (The security contexts redefine terms that
// credentials v1 protects, so that they are in no document together.)
func TestAbuse_DI18_MembersRenamed(t *testing.T) {
	t.Parallel()
	set, suite := contexts(t), legacy.Ed25519Signature2018()
	s := signer(t, "Riverside Trust")
	names := []string{
		"issued", "validFrom", "validUntil", "expires", "expiration", "created", "issuer", "holder", "subject", "claim", "controller", "owner", "creator", "credential", "credentials",
		"credentialSubject", "verifiableCredential", "issuanceDate", "expirationDate", "credentialStatus", "revocation", "revoked", "status", "proof", "evidence", "sec", "cred", "dcterms",
	}
	for _, context := range [][]any{{vc.ContextV1}, {vc.ContextV1, suiteContext}, {vc.ContextV1, submission}} {
		credential := object(t, []byte(`{"type":["VerifiableCredential"],"issuer":"did:example:i","issuanceDate":"2026-03-02T12:00:00Z","expirationDate":"2027-03-02T12:00:00Z",`+
			`"credentialStatus":{"id":"urn:status"},"credentialSubject":{"id":"did:example:rowan"}}`))
		presentation := object(t, []byte(`{"type":["VerifiablePresentation"],"holder":"did:example:rowan","verifiableCredential":[{"type":["VerifiableCredential"],"issuer":"did:example:i"}]}`))
		for _, doc := range []*strictjson.Object{credential, presentation} {
			doc.Set("@context", context)
			proof, err := suite.Prove(t.Context(), doc, &dataintegrity.Proof{VerificationMethod: s.VerificationMethod(), Purpose: did.AssertionMethod, Created: noon}, s, set)
			require.NoError(t, err)
			for name, v := range doc.All() {
				if name == "@context" || name == "type" {
					continue
				}
				for _, as := range append(names, "cred:"+name, "sec:"+name, "https://www.w3.org/2018/credentials#"+name) {
					if _, there := doc.Get(as); there {
						continue
					}
					changed := doc.Clone()
					changed.Delete(name)
					changed.Set(as, v)
					_, err := suite.Verify(t.Context(), changed, proof, keyOf(t, s.VerificationMethod()), set)
					require.Error(t, err, "%v: %s as %s", context, name, as)
				}
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	ctx, set := context.Background(), contexts(t)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), nil)
	require.NoError(t, err)
	id, err := didkey.New(p256.Public())
	require.NoError(t, err)
	wrong, err := did.NewSigner(didkey.SigningMethod(id), p256)
	require.NoError(t, err)
	s := signer(t, "Riverside Trust")
	doc, err := credential(s).Object()
	require.NoError(t, err)
	for _, suite := range suites() {
		options := &dataintegrity.Proof{VerificationMethod: s.VerificationMethod(), Purpose: did.AssertionMethod, Created: noon}
		proof, err := suite.Prove(ctx, doc, options, s, set)
		require.NoError(t, err)

		_, err = suite.Prove(ctx, doc, options, wrong, set)
		require.ErrorIs(t, err, dataintegrity.ErrKey)
		_, err = suite.Verify(ctx, doc, proof, keyOf(t, wrong.VerificationMethod()), set)
		require.ErrorIs(t, err, dataintegrity.ErrKey)
		_, err = suite.Verify(ctx, doc, proof, keyOf(t, signer(t, "Nettle Styx").VerificationMethod()), set)
		require.ErrorIs(t, err, dataintegrity.ErrSignature)
		_, err = suite.Prove(ctx, doc, &dataintegrity.Proof{Suite: "eddsa-rdfc-2022"}, s, set)
		require.ErrorIs(t, err, dataintegrity.ErrSuite)
		_, err = suite.Prove(ctx, doc, options, posing{s}, set)
		require.ErrorIs(t, err, dataintegrity.ErrSignature)
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err = suite.Verify(ended, doc, proof, keyOf(t, s.VerificationMethod()), set)
		require.ErrorIs(t, err, context.Canceled)
		empty := strictjson.NewObject(strictjson.Member{Name: "@context", Value: []any{vc.ContextV1, suiteContext}})
		_, err = suite.Prove(ctx, empty, options, s, set)
		require.ErrorIs(t, err, dataintegrity.ErrUnsignable, "a document that says nothing")
	}
}

// posing signs with another key than it says.
type posing struct{ did.Signer }

func (p posing) Sign(_ context.Context, message []byte) ([]byte, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	return ed25519.Sign(key, message), nil
}

// TestMalformedValues: every other way to write a signature is refused, and the
// algorithm is never taken from what is received.
func TestMalformedValues(t *testing.T) {
	t.Parallel()
	ctx, set := context.Background(), contexts(t)
	s := signer(t, "Riverside Trust")
	key := keyOf(t, s.VerificationMethod())
	doc, err := credential(s).Object()
	require.NoError(t, err)
	options := &dataintegrity.Proof{VerificationMethod: s.VerificationMethod(), Purpose: did.AssertionMethod, Created: noon}
	encode := base64.RawURLEncoding.EncodeToString

	suite := legacy.Ed25519Signature2018()
	var data []byte
	proof, err := suite.Prove(ctx, doc, options, recording{s, &data}, set)
	require.NoError(t, err)
	jws, _ := proof.Text("jws")
	head, sig, ok := strings.Cut(jws, "..")
	require.True(t, ok)
	require.Equal(t, encode([]byte(`{"alg":"EdDSA","b64":false,"crit":["b64"]}`)), head)
	require.Equal(t, head+".", string(data[:len(data)-64]))
	hashes := data[len(data)-64:]
	// with signs under another header, so that only the header is wrong.
	with := func(header string) string {
		h := encode([]byte(header))
		signature, err := s.Sign(ctx, append([]byte(h+"."), hashes...))
		require.NoError(t, err)
		return h + ".." + encode(signature)
	}
	check := func(value any) error {
		p := proof.Clone()
		p.Set("jws", value)
		_, err := suite.Verify(ctx, doc, p, key, set)
		return err
	}
	require.NoError(t, check(with(`{"crit":["b64"],"b64":false,"alg":"EdDSA"}`)))
	require.NoError(t, check(with(`{"alg":"","b64":false,"crit":["b64"]}`)), "as aries-framework-go writes it")
	for name, value := range map[string]any{
		"alg none":            with(`{"alg":"none","b64":false,"crit":["b64"]}`),
		"alg of another key":  with(`{"alg":"ES256","b64":false,"crit":["b64"]}`),
		"alg in small":        with(`{"alg":"eddsa","b64":false,"crit":["b64"]}`),
		"no alg":              with(`{"b64":false,"crit":["b64"]}`),
		"no alg but a kid":    with(`{"kid":"a","b64":false,"crit":["b64"]}`),
		"alg no string":       with(`{"alg":null,"b64":false,"crit":["b64"]}`),
		"alg twice":           with(`{"alg":"EdDSA","alg":"EdDSA","b64":false,"crit":["b64"]}`),
		"encoded payload":     with(`{"alg":"EdDSA","b64":true,"crit":["b64"]}`),
		"b64 not said":        with(`{"alg":"EdDSA"}`),
		"b64 a string":        with(`{"alg":"EdDSA","b64":"false","crit":["b64"]}`),
		"b64 not critical":    with(`{"alg":"EdDSA","b64":false,"crit":[]}`),
		"more is critical":    with(`{"alg":"EdDSA","b64":false,"crit":["b64","exp"]}`),
		"critical a string":   with(`{"alg":"EdDSA","b64":false,"crit":"b64"}`),
		"a key":               with(`{"alg":"EdDSA","b64":false,"crit":["b64"],"jwk":{}}`),
		"header no object":    with(`[]`),
		"header no JSON":      with(`{"alg"`),
		"header empty":        with(``),
		"header long":         with(`{"alg":"EdDSA","b64":false,"crit":["b64"]` + strings.Repeat(" ", 200) + `}`),
		"payload in it":       head + "." + encode(hashes) + "." + sig,
		"one part":            head,
		"two parts":           head + "." + sig,
		"more parts":          head + ".." + sig + ".",
		"three stops":         head + "..." + sig,
		"no header":           ".." + sig,
		"no signature":        head + "..",
		"signature cut":       head + ".." + sig[:85],
		"signature longer":    head + ".." + sig + "AA",
		"signature padded":    head + ".." + sig + "==",
		"signature in base64": head + ".." + strings.Repeat("+", 86),
		"a line break":        head + ".." + sig[:40] + "\n" + sig[41:],
		"trailing bits":       head + ".." + sig[:85] + other(sig[85]),
		"empty":               "",
		"no string":           []any{jws},
		"null":                nil,
	} {
		require.ErrorIs(t, check(value), dataintegrity.ErrProofMalformed, name)
	}
	require.ErrorIs(t, check(head+".."+strings.Repeat("A", 86)), dataintegrity.ErrSignature)

	suite = legacy.Ed25519Signature2020()
	if proof, err = suite.Prove(ctx, doc, options, s, set); err != nil {
		require.NoError(t, err)
	}
	value, _ := proof.Text("proofValue")
	raw, err := multiformat.Decode(value, multiformat.MaxKey)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		value any
		want  error
	}{
		"base64url": {multiformat.EncodeBase64URL(raw), dataintegrity.ErrProofMalformed},
		"no base":   {value[1:], dataintegrity.ErrProofMalformed},
		"empty":     {"", dataintegrity.ErrProofMalformed},
		"z":         {"z", dataintegrity.ErrProofMalformed},
		"alphabet":  {"z0OIl", dataintegrity.ErrProofMalformed},
		"too long":  {"z" + strings.Repeat("1", multiformat.MaxKey), dataintegrity.ErrProofMalformed},
		"no string": {[]any{value}, dataintegrity.ErrProofMalformed},
		"cut":       {multiformat.Encode(raw[:63]), dataintegrity.ErrSignature},
		"longer":    {multiformat.Encode(append(raw, 0)), dataintegrity.ErrSignature},
	} {
		p := proof.Clone()
		p.Set("proofValue", c.value)
		_, err := suite.Verify(ctx, doc, p, key, set)
		require.ErrorIs(t, err, c.want, name)
	}
}

// other returns a character of base64url that differs in its last bit.
func other(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

func FuzzVerify(f *testing.F) {
	f.Add(fromAries)
	f.Add(fromCredo)
	for _, received := range [][]byte{fromAries, fromCredo} {
		b, err := strictjson.Append(nil, vc.PresentedValues(object(f, received))[0])
		require.NoError(f, err)
		f.Add(b)
	}
	set := contexts(f)
	// What the keys of the recorded agents signed.
	signed := map[string]bool{}
	for _, received := range [][]byte{fromAries, fromCredo} {
		vp := object(f, received)
		for _, o := range []*strictjson.Object{vp, vc.PresentedValues(vp)[0].(*strictjson.Object)} {
			p, _ := o.Get("proof")
			vm, _ := p.(*strictjson.Object).Text("verificationMethod")
			signed[vm] = true
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := strictjson.ParseObject(b)
		if err != nil {
			return
		}
		doc, proofs, err := dataintegrity.SplitProofs(o)
		if err != nil {
			return
		}
		p, err := dataintegrity.ParseProof(proofs[0])
		if err != nil || !signed[p.VerificationMethod.String()] {
			return
		}
		for _, suite := range suites() {
			out, err := suite.Verify(context.Background(), doc, proofs[0], keyOf(t, p.VerificationMethod), set)
			if (err == nil) != (out != nil) {
				t.Fatal("a document beside an error, or neither")
			}
		}
	})
}
