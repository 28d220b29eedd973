package jose_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope/envelopetest"
	"github.com/staffpassport/staffpassport/vc/jose"
)

const (
	contextV1 = "https://www.w3.org/2018/credentials/v1"
	audience  = "did:web:hospital.example"
	nonce     = "n-0S6_WzA2Mj"
	lifetime  = 5 * time.Minute
)

// noon is when the tests take place.
var noon = envelopetest.Clock()

func issuer(p envelopetest.Party) *jose.Issuer {
	return &jose.Issuer{Signer: p.Signer, Contexts: envelopetest.Contexts(), Now: envelopetest.Clock}
}

func issued(t testing.TB) vc.Secured {
	t.Helper()
	s, err := issuer(envelopetest.Employer(t)).Secure(context.Background(), envelopetest.Passport(t, envelopetest.Employer(t)))
	require.NoError(t, err)
	return s
}

func presented(t testing.TB, creds ...vc.Secured) vc.Secured {
	t.Helper()
	h := &jose.Presenter{Signer: envelopetest.Holder(t).Signer, Lifetime: lifetime, Now: envelopetest.Clock}
	s, err := h.Present(context.Background(), vc.NewPresentation(envelopetest.Holder(t).ID, creds...), audience, nonce)
	require.NoError(t, err)
	return s
}

// token signs any header and payload.
func token(t testing.TB, p envelopetest.Party, header, payload string) []byte {
	t.Helper()
	input := encode(header) + "." + encode(payload)
	sig, err := p.Signer.Sign(context.Background(), []byte(input))
	require.NoError(t, err)
	return []byte(input + "." + base64.RawURLEncoding.EncodeToString(sig))
}

// public returns the bytes of an Ed25519 key.
func public(p envelopetest.Party) []byte { return p.Signer.Public().(ed25519.PublicKey) }

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func decode(t testing.TB, s string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	require.NoError(t, err)
	return string(b)
}

// parts returns header and payload as JSON text.
func parts(t testing.TB, s vc.Secured) (header, payload string) {
	t.Helper()
	p := strings.Split(string(s.Bytes), ".")
	require.Len(t, p, 3)
	return decode(t, p[0]), decode(t, p[1])
}

func credential(b []byte) vc.Secured {
	return vc.Secured{MediaType: jose.MediaTypeCredential, Bytes: b}
}

func legacy(b []byte) vc.Secured { return vc.Secured{MediaType: jose.MediaTypeLegacy, Bytes: b} }
