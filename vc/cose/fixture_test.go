package cose_test

import (
	"context"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/internal/envelope/envelopetest"
)

const (
	audience = "did:web:hospital.example"
	nonce    = "n-0S6_WzA2Mj"
	lifetime = 5 * time.Minute
)

// noon is when the tests take place.
var noon = envelopetest.Clock()

func issuer(p envelopetest.Party) *cose.Issuer {
	return &cose.Issuer{Signer: p.Signer, Contexts: envelopetest.Contexts(), Now: envelopetest.Clock}
}

func issued(t testing.TB) vc.Secured {
	t.Helper()
	s, err := issuer(envelopetest.Employer(t)).Secure(context.Background(), envelopetest.Passport(t, envelopetest.Employer(t)))
	require.NoError(t, err)
	return s
}

func presented(t testing.TB, creds ...vc.Secured) vc.Secured {
	t.Helper()
	h := &cose.Presenter{Signer: envelopetest.Holder(t).Signer, Lifetime: lifetime, Now: envelopetest.Clock}
	s, err := h.Present(context.Background(), vc.NewPresentation(envelopetest.Holder(t).ID, creds...), audience, nonce)
	require.NoError(t, err)
	return s
}

func credential(b []byte) vc.Secured {
	return vc.Secured{MediaType: cose.MediaTypeCredential, Bytes: b}
}

// encodeCBOR writes any value.
func encodeCBOR(t testing.TB, v any) []byte {
	t.Helper()
	b, err := cbor.Marshal(v)
	require.NoError(t, err)
	return b
}

// message signs any header, a Go map or ready bytes, and payload.
func message(t testing.TB, p envelopetest.Party, protected any, payload string) []byte {
	t.Helper()
	header, ok := protected.([]byte)
	if !ok {
		header = encodeCBOR(t, protected)
	}
	sig, err := p.Signer.Sign(context.Background(), encodeCBOR(t, []any{"Signature1", header, []byte{}, []byte(payload)}))
	require.NoError(t, err)
	return encodeCBOR(t, cbor.Tag{Number: 18, Content: []any{header, map[int]any{}, []byte(payload), sig}})
}
