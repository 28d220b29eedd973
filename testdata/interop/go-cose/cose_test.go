// Package gocose proves vc/cose against veraison/go-cose in both directions: messages
// of ours that it verifies, and messages of its that our verifier accepts.
package gocose

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	gocose "github.com/veraison/go-cose"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

const audience, nonce = "did:web:host.example", "nonce-of-the-host"

// Labels of RFC 9052 section 3.1, RFC 9596 (typ) and RFC 9597 (CWT Claims).
const (
	labelType   int64 = 16
	labelClaims int64 = 15
)

// A party is a key with its algorithm in go-cose.
type party struct {
	key crypto.Signer
	alg gocose.Algorithm
	did.Signer
}

func parties(t *testing.T) map[string]party {
	t.Helper()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	out := map[string]party{
		"EdDSA": {key: ed, alg: gocose.AlgorithmEdDSA},
		"ES256": {key: p256, alg: gocose.AlgorithmES256},
		"ES384": {key: p384, alg: gocose.AlgorithmES384},
	}
	for name, p := range out {
		id, err := didkey.New(p.key.Public())
		require.NoError(t, err)
		p.Signer, err = did.NewSigner(didkey.SigningMethod(id), p.key)
		require.NoError(t, err)
		out[name] = p
	}
	return out
}

func (p party) id() did.DID { return p.VerificationMethod().DID }

func (p party) passport(t *testing.T) *vc.Credential {
	t.Helper()
	record, _ := schema.Sample()
	c, err := record.Credential(schema.Terms{Issuer: p.id(), Holder: p.id(), ValidFrom: time.Now().Add(-time.Hour), ValidUntil: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	return c
}

func (p party) verifier() *verify.Verifier {
	return &verify.Verifier{Resolver: didkey.Resolver{}, Trust: verify.TrustedIssuers{p.id(): {schema.Type}},
		Contexts: schema.Contexts(), Replay: verify.NonceUsedOnceByCaller{}}
}

func TestTheyVerifyOurs(t *testing.T) {
	for name, p := range parties(t) {
		t.Run(name, func(t *testing.T) {
			s, err := (&cose.Issuer{Signer: p, Contexts: schema.Contexts()}).Secure(t.Context(), p.passport(t))
			require.NoError(t, err)
			shown, err := (&cose.Presenter{Signer: p, Contexts: schema.Contexts()}).Present(t.Context(), vc.NewPresentation(p.id(), s), audience, nonce)
			require.NoError(t, err)
			for _, message := range []vc.Secured{s, shown} {
				v, err := gocose.NewVerifier(p.alg, p.key.Public())
				require.NoError(t, err)
				var m gocose.Sign1Message
				require.NoError(t, m.UnmarshalCBOR(message.Bytes))
				require.NoError(t, m.Verify(nil, v))
				alg, err := m.Headers.Protected.Algorithm()
				require.NoError(t, err)
				require.Equal(t, p.alg, alg)
				require.Equal(t, []byte(p.VerificationMethod().String()), m.Headers.Protected[gocose.HeaderLabelKeyID])
				require.Equal(t, message.MediaType, m.Headers.Protected[labelType])
				require.True(t, json.Valid(m.Payload))

				m.Payload[len(m.Payload)/2] ^= 1
				require.ErrorIs(t, m.Verify(nil, v), gocose.ErrVerification)
			}
		})
	}
}

func TestWeVerifyTheirs(t *testing.T) {
	for name, p := range parties(t) {
		t.Run(name, func(t *testing.T) {
			doc, err := json.Marshal(p.passport(t))
			require.NoError(t, err)
			credential := p.sign(t, cose.MediaTypeCredential, doc, nil)
			got, err := p.verifier().Credential(context.Background(), credential)
			require.NoError(t, err)
			_, err = schema.Read(got.Document())
			require.NoError(t, err)

			presentation, err := json.Marshal(vc.NewPresentation(p.id(), credential))
			require.NoError(t, err)
			shown := p.sign(t, cose.MediaTypePresentation, presentation, map[any]any{int64(3): audience, int64(10): []byte(nonce), int64(6): time.Now().Unix()})
			_, err = p.verifier().Presentation(context.Background(), shown, verify.Session{Audience: audience, Nonce: nonce})
			require.NoError(t, err)
			_, err = p.verifier().Presentation(context.Background(), shown, verify.Session{Audience: audience, Nonce: "another"})
			require.ErrorIs(t, err, verify.ErrChallenge)

			for _, at := range []int{len(credential.Bytes) / 2, len(credential.Bytes) - 1} {
				changed := vc.Secured{MediaType: credential.MediaType, Bytes: append([]byte(nil), credential.Bytes...)}
				changed.Bytes[at] ^= 1
				_, err = p.verifier().Credential(context.Background(), changed)
				require.Error(t, err)
			}
		})
	}
}

// sign makes a message with go-cose alone.
func (p party) sign(t *testing.T, mediaType string, document []byte, claims map[any]any) vc.Secured {
	t.Helper()
	signer, err := gocose.NewSigner(p.alg, p.key)
	require.NoError(t, err)
	m := gocose.NewSign1Message()
	m.Headers.Protected = gocose.ProtectedHeader{
		gocose.HeaderLabelAlgorithm:   p.alg,
		gocose.HeaderLabelContentType: map[string]string{cose.MediaTypeCredential: "application/vc", cose.MediaTypePresentation: "application/vp"}[mediaType],
		gocose.HeaderLabelKeyID:       []byte(p.VerificationMethod().String()),
		labelType:                     mediaType,
	}
	if claims != nil {
		m.Headers.Protected[labelClaims] = claims
	}
	m.Payload = document
	require.NoError(t, m.Sign(rand.Reader, nil, signer))
	out, err := m.MarshalCBOR()
	require.NoError(t, err)
	return vc.Secured{MediaType: mediaType, Bytes: out}
}
