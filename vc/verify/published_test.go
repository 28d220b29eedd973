package verify_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// publishedVerifier knows the contexts of the published credentials, whose issuers
// are not the owners of the keys.
func publishedVerifier(t testing.TB) *verify.Verifier {
	t.Helper()
	const examples, citizenship = "https://www.w3.org/ns/credentials/examples/v2", "https://w3id.org/citizenship/v4rc1"
	const signature2020 = "https://w3id.org/security/suites/ed25519-2020/v1"
	contexts, err := vc.NewContextSet(
		map[string][]byte{examples: []byte(`{"@context":{"@vocab":"https://www.w3.org/ns/credentials/examples#"}}`)},
		vc.Contexts(examples), vc.Contexts(citizenship), vc.Contexts(examples, signature2020),
		[]vc.Context{{URL: vc.ContextV2}, {Inline: json.RawMessage(`{"@vocab":"https://windsurf.grotto-networking.com/selective#"}`)}})
	require.NoError(t, err)
	return &verify.Verifier{
		Resolver: verifier(t).Resolver, Trust: verify.AnyIssuerUnsafe{}, Contexts: contexts, UnsafeIssuerNotController: true,
		Suites: []dataintegrity.Suite{legacy.Ed25519Signature2020()},
		Now:    clockAt(time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)),
	}
}

// TestPublishedCredentials verifies every secured credential of the cryptosuites'
// specifications, and none of them changed.
func TestPublishedCredentials(t *testing.T) {
	t.Parallel()
	eddsa, ecdsa := []string{"vc-di-eddsa", "TestVectors"}, []string{"vc-di-ecdsa", "TestVectors"}
	for _, c := range []struct {
		set  []string
		path []string
		want verify.Code
	}{
		{eddsa, []string{"eddsa-jcs-2022", "signedJCS.json"}, ""},
		{eddsa, []string{"eddsa-rdfc-2022", "signedDataInt.json"}, ""},
		{eddsa, []string{"eddsa-rdfc-2022", "employ", "signedDataInt.json"}, ""},
		{eddsa, []string{"Ed25519Signature2020", "signedEdSig.json"}, ""},
		{eddsa, []string{"proof-set-chain", "signedProofSet1.json"}, ""},
		{eddsa, []string{"proof-set-chain", "signedProofSet2.json"}, ""},
		{eddsa, []string{"proof-set-chain", "signedProofChain1.json"}, ""},
		{eddsa, []string{"proof-set-chain", "signedProofChain2.json"}, ""},
		{ecdsa, []string{"ecdsa-jcs-2019-p256", "signedJCSECDSAP256.json"}, ""},
		{ecdsa, []string{"ecdsa-jcs-2019-p384", "signedJCSECDSAP384.json"}, ""},
		{ecdsa, []string{"ecdsa-rdfc-2019-p256", "signedECDSAP256.json"}, ""},
		{ecdsa, []string{"ecdsa-rdfc-2019-p256", "employ", "signedECDSAP256.json"}, ""},
		{ecdsa, []string{"ecdsa-rdfc-2019-p384", "signedECDSAP384.json"}, ""},
		{ecdsa, []string{"ecdsa-rdfc-2019-p384", "employ", "signedECDSAP384.json"}, ""},
		{ecdsa, []string{"ecdsa-sd-2023", "prc", "derivedRevealDocument.json"}, ""},
		{ecdsa, []string{"ecdsa-sd-2023", "prc", "addSignedSDBase.json"}, verify.ErrBaseProof},
		{[]string{"vc-di-bbs", "TestVectors"}, []string{"derivedRevealDocument.json"}, ""},
		{[]string{"vc-di-bbs", "TestVectors"}, []string{"addSignedSDBase.json"}, verify.ErrBaseProof},
	} {
		name := c.path[len(c.path)-1]
		t.Run(c.path[0]+" "+name, func(t *testing.T) {
			t.Parallel()
			s := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: vectors.Read(t, append(c.set, c.path...)...)}
			v := publishedVerifier(t)
			for _, e := range entries()[:3] {
				got, err := e.run(t, v, s)
				if c.want != "" {
					require.Nil(t, got)
					requireCode(t, err, c.want, verify.Whole)
					continue
				}
				require.NoError(t, err)
				doc := tree(t, s)
				doc.Delete("proof")
				b, err := json.Marshal(got.Document())
				require.NoError(t, err)
				require.JSONEq(t, canonical(t, doc), string(b))
			}
			if c.want != "" {
				return
			}

			// Without the policy for test vectors nobody speaks for the issuer.
			strict := publishedVerifier(t)
			strict.UnsafeIssuerNotController = false
			_, err := strict.Credential(context.Background(), s)
			requireCode(t, err, verify.ErrControllerMismatch, verify.Whole)

			for i, proof := range proofsOf(t, s) {
				for _, name := range []string{"proofValue", "verificationMethod", "created", "proofPurpose", "cryptosuite", "type"} {
					value, ok := proof.Text(name)
					if !ok {
						continue
					}
					for _, at := range []int{len(value) / 3, len(value) / 2, len(value) - 4} {
						changed := tree(t, s)
						setProof(t, changed, i, name, value[:at]+string(value[at]^1)+value[at+1:])
						got, err := v.Credential(context.Background(), text(t, changed, s.MediaType))
						require.Error(t, err, "%s at %d", name, at)
						require.Nil(t, got)
					}
				}
			}
		})
	}
}

// proofsOf are the proofs of a secured document.
func proofsOf(t testing.TB, s vc.Secured) []*strictjson.Object {
	t.Helper()
	_, proofs, err := dataintegrity.SplitProofs(tree(t, s))
	require.NoError(t, err)
	return proofs
}

// setProof changes a member of one proof.
func setProof(t testing.TB, doc *strictjson.Object, i int, name string, value any) {
	t.Helper()
	v, _ := doc.Get("proof")
	list, many := v.([]any)
	if !many {
		list = []any{v}
	}
	p := list[i].(*strictjson.Object).Clone()
	p.Set(name, value)
	list[i] = p
	if many {
		doc.Set("proof", list)
	} else {
		doc.Set("proof", p)
	}
}

// TestPublishedChains: a chain is worth no more than the proofs before it.
func TestPublishedChains(t *testing.T) {
	t.Parallel()
	v := publishedVerifier(t)
	read := func(name string) vc.Secured {
		return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: vectors.Read(t, "vc-di-eddsa", "TestVectors", "proof-set-chain", name)}
	}
	for _, name := range []string{"signedProofSet2.json", "signedProofChain1.json", "signedProofChain2.json"} {
		s := read(name)
		proofs := proofsOf(t, s)
		for i := range proofs {
			doc := tree(t, s)
			rest := make([]any, 0, len(proofs))
			for j, p := range proofs {
				if j != i {
					rest = append(rest, p)
				}
			}
			doc.Set("proof", rest)
			_, err := v.Credential(context.Background(), text(t, doc, s.MediaType))
			id, named := proofs[i].Text("id")
			needed := false
			for _, p := range proofs {
				previous, _ := p.Get("previousProof")
				list, ok := previous.([]any)
				if !ok {
					list = []any{previous}
				}
				for _, n := range list {
					needed = needed || named && n == id
				}
			}
			if needed {
				requireCode(t, err, verify.ErrProofSet, verify.Whole, "%s without %d", name, i)
			} else {
				require.NoError(t, err, "%s without %d: nothing shows that it is gone", name, i)
			}

			twice := tree(t, s)
			all := []any{proofs[i]}
			for _, p := range proofs {
				all = append(all, p)
			}
			twice.Set("proof", all)
			_, err = v.Credential(context.Background(), text(t, twice, s.MediaType))
			require.Error(t, err)
		}
	}
}

// TestTrustInEverySigner: where the policy takes proofs by others than the issuer,
// trust is asked about each of them.
func TestTrustInEverySigner(t *testing.T) {
	t.Parallel()
	s := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: vectors.Read(t, "vc-di-eddsa", "TestVectors", "proof-set-chain", "signedProofSet2.json")}
	proofs := proofsOf(t, s)
	require.Len(t, proofs, 2)
	all := verify.TrustedIssuers{}
	for _, p := range proofs {
		method, _ := p.Text("verificationMethod")
		all[mustURL(method).DID] = []string{"AlumniCredential"}
	}
	require.Len(t, all, 2)
	v := publishedVerifier(t)
	v.Trust = all
	_, err := v.Credential(context.Background(), s)
	require.NoError(t, err)
	for id, types := range all {
		v.Trust = verify.TrustedIssuers{id: types}
		_, err := v.Credential(context.Background(), s)
		requireCode(t, err, verify.ErrUntrusted, verify.Whole)
	}
}

// TestLegacySuitesAreOptIn: a proof of 2020 is verified by who asked for it.
func TestLegacySuitesAreOptIn(t *testing.T) {
	t.Parallel()
	s := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: vectors.Read(t, "vc-di-eddsa", "TestVectors", "Ed25519Signature2020", "signedEdSig.json")}
	v := publishedVerifier(t)
	_, err := v.Credential(context.Background(), s)
	require.NoError(t, err)
	for _, suites := range [][]dataintegrity.Suite{nil, {legacy.Ed25519Signature2018()}} {
		v.Suites = suites
		_, err = v.Credential(context.Background(), s)
		requireCode(t, err, verify.ErrSuite, verify.Whole)
	}
}

// TestModel11 issues credentials of data model 1.1 with the suites of that time.
func TestModel11(t *testing.T) {
	t.Parallel()
	me, v := employer(t), verifier(t)
	v.Trust = verify.TrustedIssuers{me.id: {vc.TypeCredential}}
	const example = "https://example.org/v1"
	v.Contexts = contextSet([]string{vc.ContextV1}, []string{vc.ContextV1, example})
	for _, suite := range []dataintegrity.Suite{legacy.Ed25519Signature2018(), dataintegrity.EdDSAJCS2022()} {
		doc := object(t, `{"@context":["`+vc.ContextV1+`","`+example+`"],"type":["VerifiableCredential"],"issuer":"`+me.id.String()+`",
			"issuanceDate":"2026-03-01T00:00:00Z","expirationDate":"2026-04-01T00:00:00Z","credentialSubject":{"id":"`+holder(t).id.String()+`","role":"Nurse"}}`)
		p := &dataintegrity.Proof{VerificationMethod: me.signer.VerificationMethod(), Purpose: "assertionMethod", Created: noon}
		proof, err := suite.Prove(context.Background(), doc, p, me.signer, v.Contexts)
		require.NoError(t, err)
		doc.Set("proof", proof)
		s := text(t, doc, vc.MediaTypeCredential)

		v.Suites = []dataintegrity.Suite{legacy.Ed25519Signature2018()}
		for _, e := range entries() {
			c, err := e.run(t, v, s)
			require.NoError(t, err, "%s: %s", suite.Name(), e.name)
			require.Equal(t, time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), c.Document().ValidUntil)
		}
		late := *v
		late.Now = clockAt(time.Date(2026, 4, 1, 0, 0, 1, 0, time.UTC))
		refusedEverywhere(t, &late, s, verify.ErrExpired)
		refusedEverywhere(t, v, replaced(t, s, "Nurse", "Nurze"), verify.ErrProof)
		refusedEverywhere(t, v, replaced(t, s, `"issuanceDate"`, `"validFrom"`), verify.ErrMalformed)

		unknown := *v
		unknown.Contexts = contexts()
		refusedEverywhere(t, &unknown, s, verify.ErrContextNotAllowed)
		if suite.Name() == "Ed25519Signature2018" {
			without := *v
			without.Suites = nil
			refusedEverywhere(t, &without, s, verify.ErrSuite)
		}
	}
}
