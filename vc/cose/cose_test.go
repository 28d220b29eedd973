package cose_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/internal/envelope/envelopetest"
)

// sign1 is how another library sees a message.
type sign1 struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected map[any]any
	Payload     []byte
	Signature   []byte
}

func read(t testing.TB, b []byte) (m sign1, header map[int]any) {
	t.Helper()
	var tag cbor.RawTag
	require.NoError(t, cbor.Unmarshal(b, &tag))
	require.EqualValues(t, 18, tag.Number)
	require.NoError(t, cbor.Unmarshal(tag.Content, &m))
	require.NoError(t, cbor.Unmarshal(m.Protected, &header))
	return m, header
}

func TestIssuer_Secure(t *testing.T) {
	t.Parallel()
	for algorithm, number := range map[string]int64{"EdDSA": -8, "ES256": -7, "ES384": -35} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			by := envelopetest.NewParty(t, "Riverside Trust", algorithm)
			c := envelopetest.Passport(t, by)
			s, err := issuer(by).Secure(context.Background(), c)
			require.NoError(t, err)
			require.Equal(t, cose.MediaTypeCredential, s.MediaType)

			m, header := read(t, s.Bytes)
			kid := by.Signer.VerificationMethod().String()
			require.Equal(t, map[int]any{
				1: number, 3: "application/vc", 4: []byte(kid), 16: "application/vc+cose",
				15: map[any]any{uint64(1): by.ID.String(), uint64(4): uint64(1798761599), uint64(6): uint64(1772452800)},
			}, header)
			require.Empty(t, m.Unprotected)
			doc, err := json.Marshal(c)
			require.NoError(t, err)
			require.Equal(t, string(doc), string(m.Payload))
			// The library's own deterministic encoding is the same.
			mode, err := cbor.CoreDetEncOptions().EncMode()
			require.NoError(t, err)
			again, err := mode.Marshal(header)
			require.NoError(t, err)
			require.Equal(t, again, m.Protected)
			again, err = mode.Marshal(cbor.Tag{Number: 18, Content: []any{m.Protected, map[int]any{}, m.Payload, m.Signature}})
			require.NoError(t, err)
			require.Equal(t, again, s.Bytes)

			token, err := cose.Parse(s)
			require.NoError(t, err)
			require.NoError(t, token.Verify(by.Signer.Public()))
			require.Equal(t, algorithm, token.Algorithm())
			require.Equal(t, kid, token.KeyID())
			require.False(t, token.IsPresentation())
			require.Equal(t, cose.Claims{Issuer: by.ID.String(), IssuedAt: noon, Expires: c.ValidUntil}, token.Claims())
			read, err := vc.ParseObject(token.Document())
			require.NoError(t, err)
			require.Equal(t, c, read)
			pub, err := token.Confirmation()
			require.NoError(t, err)
			require.Nil(t, pub)

			// Without the tag it is the same message.
			token, err = cose.Parse(credential(s.Bytes[1:]))
			require.NoError(t, err)
			require.NoError(t, token.Verify(by.Signer.Public()))
		})
	}
}

// One that has ended long ago is still a credential, for a verifier to refuse.
func TestIssuer_Secure_Ended(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"2026-01-01T00:00:00.5Z", "1969-12-31T23:59:59Z"} {
		c := envelopetest.Passport(t, envelopetest.Employer(t), func(doc map[string]any) {
			doc["validUntil"] = end
			delete(doc, "validFrom")
		})
		s, err := issuer(envelopetest.Employer(t)).Secure(context.Background(), c)
		require.NoError(t, err)
		_, err = cose.Parse(s)
		require.NoError(t, err, end)
	}
}

// A digest of a context document is signed if it is that document's.
func TestIssuer_Secure_RelatedResource(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	sum := sha256.Sum256([]byte(envelopetest.PassportContextJSON))
	c := envelopetest.Passport(t, by, func(doc map[string]any) {
		doc["relatedResource"] = map[string]any{"id": envelopetest.PassportContext, "digestSRI": "sha256-" + base64.StdEncoding.EncodeToString(sum[:])}
	})
	_, err := issuer(by).Secure(context.Background(), c)
	require.NoError(t, err)
}

func TestIssuer_Secure_Refused(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	malformed := envelopetest.Passport(t, by)
	malformed.Type = []string{"StaffPassportCredential"}
	strange := envelopetest.Passport(t, by)
	strange.Context = vc.Contexts("https://www.w3.org/ns/credentials/examples/v2")
	proof := envelopetest.Passport(t, by)
	proof.Other = map[string]json.RawMessage{"proof": []byte(`{}`)}
	old := envelopetest.Passport(t, by)
	old.Context = []vc.Context{{URL: vc.ContextV1}}
	digest := envelopetest.Passport(t, by, func(doc map[string]any) {
		doc["relatedResource"] = map[string]any{"id": envelopetest.PassportContext, "digestSRI": "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
	})
	half := []byte(`"` + strings.Repeat("a", 1<<19) + `"`)
	large := envelopetest.Passport(t, by)
	large.Other = map[string]json.RawMessage{"note": half, "remark": half}
	for name, c := range map[string]struct {
		issuer *cose.Issuer
		c      *vc.Credential
		want   error
	}{
		"no signer":       {&cose.Issuer{Contexts: envelopetest.Contexts()}, envelopetest.Passport(t, by), cose.ErrConfig},
		"no credential":   {issuer(by), nil, cose.ErrConfig},
		"another issuer":  {issuer(by), envelopetest.Passport(t, envelopetest.Holder(t)), cose.ErrControllerMismatch},
		"malformed":       {issuer(by), malformed, vc.ErrMalformed},
		"unknown context": {issuer(by), strange, cose.ErrContextNotAllowed},
		"data model 1.1":  {issuer(by), old, cose.ErrContextNotAllowed},
		"another digest":  {issuer(by), digest, vc.ErrDigest},
		"no contexts":     {&cose.Issuer{Signer: by.Signer}, envelopetest.Passport(t, by), cose.ErrContextNotAllowed},
		"embedded proof":  {issuer(by), proof, cose.ErrReserved},
		"too large":       {issuer(by), large, strictjson.ErrTooLarge},
		"key that lies":   {issuer(envelopetest.Party{ID: by.ID, Signer: liar{by.Signer}}), envelopetest.Passport(t, by), did.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := c.issuer.Secure(context.Background(), c.c)
			require.ErrorIs(t, err, c.want)
			require.Zero(t, s)
		})
	}
	ended, end := context.WithCancel(context.Background())
	end()
	_, err := issuer(by).Secure(ended, envelopetest.Passport(t, by))
	require.ErrorIs(t, err, context.Canceled)
}

// A liar is a remote key that signs something else.
type liar struct{ did.Signer }

func (l liar) Sign(ctx context.Context, message []byte) ([]byte, error) {
	return l.Signer.Sign(ctx, append(message, 'x'))
}

func TestPresenter_Present(t *testing.T) {
	t.Parallel()
	by := envelopetest.Holder(t)
	s := presented(t, issued(t))
	require.Equal(t, cose.MediaTypePresentation, s.MediaType)
	_, header := read(t, s.Bytes)
	require.Equal(t, "application/vp+cose", header[16])
	require.Equal(t, "application/vp", header[3])
	require.Equal(t, map[any]any{
		uint64(1): by.ID.String(), uint64(3): audience, uint64(4): uint64(1772453100), uint64(6): uint64(1772452800), uint64(10): []byte(nonce),
	}, header[15])

	token, err := cose.Parse(s)
	require.NoError(t, err)
	require.NoError(t, token.Verify(by.Signer.Public()))
	require.True(t, token.IsPresentation())
	require.Equal(t, cose.Claims{
		Issuer: by.ID.String(), Audience: []string{audience}, Nonce: nonce, IssuedAt: noon, Expires: noon.Add(lifetime),
	}, token.Claims())
	text, err := strictjson.Append(nil, token.Document())
	require.NoError(t, err)
	require.Contains(t, string(text), "data:application/vc+cose;base64,")
	p, err := vc.ParsePresentation(text)
	require.NoError(t, err)
	require.Equal(t, []vc.Secured{issued(t)}, p.Credentials)
}

func TestPresenter_Present_Refused(t *testing.T) {
	t.Parallel()
	by := envelopetest.Holder(t)
	present := &cose.Presenter{Signer: by.Signer, Now: envelopetest.Clock}
	good := func() *vc.Presentation { return vc.NewPresentation(by.ID, issued(t)) }
	strange := good()
	strange.Context = vc.Contexts(envelopetest.PassportContext)
	old := vc.NewPresentation(by.ID)
	old.Context = []vc.Context{{URL: vc.ContextV1}}
	broken := good()
	broken.Type = []string{"Other"}
	for name, c := range map[string]struct {
		presenter       *cose.Presenter
		p               *vc.Presentation
		audience, nonce string
		want            error
	}{
		"no signer":       {&cose.Presenter{}, good(), audience, nonce, cose.ErrConfig},
		"no presentation": {present, nil, audience, nonce, cose.ErrConfig},
		"no audience":     {present, good(), "", nonce, cose.ErrConfig},
		"no nonce":        {present, good(), audience, "", cose.ErrConfig},
		"another holder":  {present, vc.NewPresentation(envelopetest.Employer(t).ID), audience, nonce, cose.ErrControllerMismatch},
		"unknown context": {present, strange, audience, nonce, cose.ErrContextNotAllowed},
		"data model 1.1":  {present, old, audience, nonce, cose.ErrContextNotAllowed},
		"malformed":       {present, broken, audience, nonce, vc.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := c.presenter.Present(context.Background(), c.p, c.audience, c.nonce)
			require.ErrorIs(t, err, c.want)
			require.Zero(t, s)
		})
	}
}

func TestToken_Verify_Refused(t *testing.T) {
	t.Parallel()
	token, err := cose.Parse(issued(t))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		key  crypto.PublicKey
		want error
	}{
		"another key of the kind": {envelopetest.Holder(t).Signer.Public(), cose.ErrSignature},
		"a P-256 key":             {envelopetest.NewParty(t, "Riverside Trust", "ES256").Signer.Public(), cose.ErrAlgorithm},
		"a P-384 key":             {envelopetest.NewParty(t, "Riverside Trust", "ES384").Signer.Public(), cose.ErrAlgorithm},
		"no key":                  {nil, did.ErrUnsupported},
		"bytes":                   {[]byte("secret"), did.ErrUnsupported},
	} {
		require.ErrorIs(t, token.Verify(c.key), c.want, name)
	}
}

// Every byte of a message counts, but for those of the empty unprotected header
// and of the lengths, which only one value fits.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	s, pub := issued(t), envelopetest.Employer(t).Signer.Public()
	for i := range s.Bytes {
		for _, bit := range []byte{1, 0x40} {
			changed := bytes.Clone(s.Bytes)
			changed[i] ^= bit
			if token, err := cose.Parse(credential(changed)); err == nil {
				require.Error(t, token.Verify(pub), "byte %d", i)
			}
		}
	}
}

func TestPrinting(t *testing.T) {
	t.Parallel()
	for _, s := range []vc.Secured{issued(t), presented(t, issued(t))} {
		token, err := cose.Parse(s)
		require.NoError(t, err)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			require.NotContains(t, fmt.Sprintf(verb, token), "Rowan")
			require.NotContains(t, fmt.Sprintf(verb, token), "[82 111")
		}
	}
}
