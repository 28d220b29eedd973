package rdfc_test

import (
	"bytes"
	"context"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
)

// Every member of document and proof is changed, taken away and added in turn.
func TestEveryMember(t *testing.T) {
	t.Parallel()
	for name, s := range suites(t) {
		doc, proof := s.issue(t, rowan)
		verify := func(doc, proof *strictjson.Object) error {
			signed, err := s.suite.Verify(t.Context(), doc, proof, s.method(t), contexts(t))
			require.Equal(t, err == nil, signed != nil)
			return err
		}
		require.NoError(t, verify(doc, proof), name)
		for _, o := range []struct {
			of   *strictjson.Object
			with func(*strictjson.Object) error
		}{
			{doc, func(d *strictjson.Object) error { return verify(d, proof) }},
			{proof, func(p *strictjson.Object) error { return verify(doc, p) }},
		} {
			for member := range o.of.All() {
				changed := o.of.Clone()
				changed.Set(member, "https://changed.example/")
				require.Error(t, o.with(changed), "%s: %s", name, member)
				changed.Delete(member)
				require.Error(t, o.with(changed), "%s: without %s", name, member)
			}
			more := o.of.Clone()
			more.Set("description", "more")
			require.Error(t, o.with(more), name)
		}
	}
}

func TestProofIsMalformed(t *testing.T) {
	t.Parallel()
	for name, s := range suites(t) {
		doc, proof := s.issue(t, rowan)
		value, _ := proof.Text("proofValue")
		sig, err := multiformat.Decode(value, multiformat.MaxKey)
		require.NoError(t, err)
		for what, c := range map[string]struct {
			member string
			value  any
			want   error
		}{
			"type":             {"type", "Ed25519Signature2020", dataintegrity.ErrProofMalformed},
			"suite":            {"cryptosuite", "eddsa-jcs-2022", dataintegrity.ErrProofMalformed},
			"no suite":         {"cryptosuite", nil, dataintegrity.ErrProofMalformed},
			"created":          {"created", "2026-03-02", dataintegrity.ErrProofMalformed},
			"created, no zone": {"created", "2026-03-02T12:00:00", dataintegrity.ErrProofMalformed},
			"created, number":  {"created", strictjson.Number("5"), dataintegrity.ErrProofMalformed},
			"no value":         {"proofValue", "", dataintegrity.ErrProofMalformed},
			"value of a kind":  {"proofValue", strictjson.Number("5"), dataintegrity.ErrProofMalformed},
			"base64url":        {"proofValue", multiformat.EncodeBase64URL(sig), dataintegrity.ErrProofMalformed},
			"not base58":       {"proofValue", "z0OIl", dataintegrity.ErrProofMalformed},
			"too long":         {"proofValue", multiformat.Encode(make([]byte, 4096)), dataintegrity.ErrProofMalformed},
			"cut":              {"proofValue", multiformat.Encode(sig[:len(sig)-1]), dataintegrity.ErrSignature},
			"more":             {"proofValue", multiformat.Encode(append(bytes.Clone(sig), 0)), dataintegrity.ErrSignature},
			"zero":             {"proofValue", multiformat.Encode(make([]byte, len(sig))), dataintegrity.ErrSignature},
			"ones":             {"proofValue", multiformat.Encode(bytes.Repeat([]byte{0xff}, len(sig))), dataintegrity.ErrSignature},
			"der":              {"proofValue", multiformat.Encode(derOf(t, sig)), dataintegrity.ErrSignature},
			"other purpose":    {"proofPurpose", "authentication", dataintegrity.ErrSignature},
			"unknown purpose":  {"proofPurpose", "admiration", dataintegrity.ErrUndefinedTerm},
			"later":            {"created", "2026-03-02T12:00:01Z", dataintegrity.ErrSignature},
			"challenge":        {"challenge", "n", dataintegrity.ErrSignature},
		} {
			bad := proof.Clone()
			bad.Set(c.member, c.value)
			_, err := s.suite.Verify(t.Context(), doc, bad, s.method(t), contexts(t))
			require.ErrorIs(t, err, c.want, "%s: %s", name, what)
		}
	}
}

func derOf(t *testing.T, sig []byte) []byte {
	t.Helper()
	half := len(sig) / 2
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:])})
	require.NoError(t, err)
	return der
}

// A suite takes its own kinds of key and nothing another suite signed.
func TestKeys(t *testing.T) {
	t.Parallel()
	all := suites(t)
	for name, s := range all {
		doc, proof := s.issue(t, rowan)
		for other, o := range all {
			_, err := s.suite.Verify(t.Context(), doc, proof, o.method(t), contexts(t))
			switch {
			case name == other:
				require.NoError(t, err)
			case o.suite == s.suite:
				require.ErrorIs(t, err, dataintegrity.ErrSignature)
			default:
				require.ErrorIs(t, err, dataintegrity.ErrKey)
				_, err = o.suite.Verify(t.Context(), doc, proof, o.method(t), contexts(t))
				require.ErrorIs(t, err, dataintegrity.ErrProofMalformed)
				_, err = s.suite.Prove(t.Context(), doc, &dataintegrity.Proof{VerificationMethod: o.signer.VerificationMethod(), Purpose: did.AssertionMethod}, o.signer, contexts(t))
				require.ErrorIs(t, err, dataintegrity.ErrKey)
			}
		}
		_, another := suites(t)[name].issue(t, rowan)
		_, err := s.suite.Verify(t.Context(), doc, another, s.method(t), contexts(t))
		require.Error(t, err)
	}
}

func TestProveRefuses(t *testing.T) {
	t.Parallel()
	s := suites(t)["ecdsa-rdfc-2019-p256"]
	doc, _ := s.issue(t, rowan)
	p := func() *dataintegrity.Proof {
		return &dataintegrity.Proof{VerificationMethod: s.signer.VerificationMethod(), Purpose: did.AssertionMethod, Created: noon}
	}
	_, err := s.suite.Prove(t.Context(), doc, p(), s.signer, contexts(t))
	require.NoError(t, err)

	wrong := p()
	wrong.Suite = "eddsa-rdfc-2022"
	_, err = s.suite.Prove(t.Context(), doc, wrong, s.signer, contexts(t))
	require.ErrorIs(t, err, dataintegrity.ErrSuite)

	failure := errors.New("machine is gone")
	_, err = s.suite.Prove(t.Context(), doc, p(), answering{s.signer, nil, failure}, contexts(t))
	require.ErrorIs(t, err, failure)
	_, err = s.suite.Prove(t.Context(), doc, p(), answering{s.signer, make([]byte, 64), nil}, contexts(t))
	require.ErrorIs(t, err, dataintegrity.ErrSignature, "what a signer returns is verified")

	stopped, stop := context.WithCancel(t.Context())
	stop()
	_, err = s.suite.Prove(stopped, doc, p(), s.signer, contexts(t))
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.suite.Prove(t.Context(), doc, p(), s.signer, nil)
	require.ErrorIs(t, err, dataintegrity.ErrContextNotAllowed, "the set without the staff context")
}

type answering struct {
	did.Signer
	signature []byte
	err       error
}

func (a answering) Sign(context.Context, []byte) ([]byte, error) { return a.signature, a.err }

// A presentation with two credentials inside: each is a graph of its own.
func TestPresentation(t *testing.T) {
	t.Parallel()
	for name, s := range suites(t) {
		issuer := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Contexts: contexts(t), Now: clock}
		secured, err := issuer.Secure(t.Context(), credential(s.signer, rowan))
		require.NoError(t, err)
		vp := object(t, []byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiablePresentation"],"holder":"`+
			s.signer.VerificationMethod().DID.String()+`","verifiableCredential":[`+string(secured.Bytes)+`,`+string(secured.Bytes)+`]}`))
		p := &dataintegrity.Proof{VerificationMethod: s.signer.VerificationMethod(), Purpose: did.Authentication, Created: noon,
			Domain: []string{"did:example:host", "https://host.example"}, Challenge: "n-1", Expires: noon.AddDate(0, 0, 1), Nonce: "x"}
		proof, err := s.suite.Prove(t.Context(), vp, p, s.signer, contexts(t))
		require.NoError(t, err, name)
		_, err = s.suite.Verify(t.Context(), vp, proof, s.method(t), contexts(t))
		require.NoError(t, err)
		for _, change := range [][]string{
			{`"Rowan"`, `"Alder"`}, {`"moving"`, `"driving"`}, {`"proofPurpose":"assertionMethod"`, `"proofPurpose":"authentication"`},
			{`"VerifiablePresentation"`, `"VerifiablePresentation","VerifiableCredential"`},
		} {
			_, err = s.suite.Verify(t.Context(), edited(t, vp, change...), proof, s.method(t), contexts(t))
			require.ErrorIs(t, err, dataintegrity.ErrSignature, "%s: %s", name, change[1])
		}
		for member, value := range map[string]any{"challenge": "n-2", "domain": "did:example:host", "expires": "2027-01-01T00:00:00Z", "nonce": "y"} {
			bad := proof.Clone()
			bad.Set(member, value)
			_, err = s.suite.Verify(t.Context(), vp, bad, s.method(t), contexts(t))
			require.ErrorIs(t, err, dataintegrity.ErrSignature, member)
		}
	}
}

// A proof chain: the second proof covers the first.
func TestChain(t *testing.T) {
	t.Parallel()
	for name, s := range suites(t) {
		doc, _ := s.issue(t, rowan)
		p := &dataintegrity.Proof{ID: "urn:uuid:2f6b2c3d-0000-4000-8000-000000000002", VerificationMethod: s.signer.VerificationMethod(), Purpose: did.AssertionMethod, Created: noon}
		first, err := s.suite.Prove(t.Context(), doc, p, s.signer, contexts(t))
		require.NoError(t, err)
		covered := doc.Clone()
		covered.Set("proof", []any{first})
		p2 := &dataintegrity.Proof{VerificationMethod: s.signer.VerificationMethod(), Purpose: did.AssertionMethod, Created: noon, Previous: []string{p.ID}}
		second, err := s.suite.Prove(t.Context(), covered, p2, s.signer, contexts(t))
		require.NoError(t, err, name)

		secured := doc.Clone()
		secured.Set("proof", []any{first, second})
		received, proofs, err := dataintegrity.SplitProofs(secured)
		require.NoError(t, err)
		for i := range proofs {
			signed, err := dataintegrity.VerifyProof(t.Context(), s.suite, received, proofs, i, s.method(t), contexts(t))
			require.NoError(t, err)
			require.Equal(t, jcsText(t, doc), jcsText(t, signed))
		}
		third, err := s.suite.Prove(t.Context(), doc, p, suites(t)[name].signer, contexts(t))
		require.NoError(t, err)
		_, err = dataintegrity.VerifyProof(t.Context(), s.suite, received, []*strictjson.Object{third, second}, 1, s.method(t), contexts(t))
		require.ErrorIs(t, err, dataintegrity.ErrSignature, "another first proof")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "eddsa-rdfc-2022", rdfc.EdDSARDFC2022().Name())
	require.Equal(t, "ecdsa-rdfc-2019", rdfc.ECDSARDFC2019().Name())
}
