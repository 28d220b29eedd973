package bbs

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// remote is a signer whose key is elsewhere, and which may do wrong.
type remote struct {
	Signer
	sign   func(ctx context.Context, header []byte, messages [][]byte) ([]byte, error)
	public crypto.PublicKey
}

func (r remote) Public() crypto.PublicKey {
	if r.public != nil {
		return r.public
	}
	return r.Signer.Public()
}

func (r remote) SignMessages(ctx context.Context, header []byte, messages [][]byte) ([]byte, error) {
	if r.sign != nil {
		return r.sign(ctx, header, messages)
	}
	return r.Signer.SignMessages(ctx, header, messages)
}

func TestRemoteSigner(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	own := d.issuer.Signer.(Signer)
	_, secret := GenerateKey()
	stranger, _ := keyPair(t, secret)
	locked := errors.New("locked")
	_, edwards, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		signer did.Signer
		want   error
	}{
		"right": {remote{Signer: own}, nil},
		"another key": {remote{Signer: own, sign: func(ctx context.Context, h []byte, m [][]byte) ([]byte, error) {
			return stranger.SignMessages(ctx, h, m)
		}}, dataintegrity.ErrSignature},
		"another header": {remote{Signer: own, sign: func(ctx context.Context, h []byte, m [][]byte) ([]byte, error) {
			return own.SignMessages(ctx, h[1:], m)
		}}, dataintegrity.ErrSignature},
		"nothing":          {remote{Signer: own, sign: func(context.Context, []byte, [][]byte) ([]byte, error) { return nil, nil }}, dataintegrity.ErrSignature},
		"an error":         {remote{Signer: own, sign: func(context.Context, []byte, [][]byte) ([]byte, error) { return nil, locked }}, locked},
		"Ed25519 key":      {remote{Signer: own, public: edwards.Public()}, dataintegrity.ErrKey},
		"no key":           {remote{Signer: own, public: did.BLS12381G2{0x80}}, dataintegrity.ErrKey},
		"a signer of text": {struct{ did.Signer }{own}, dataintegrity.ErrKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := *d.issuer
			issuer.Signer = c.signer
			out, err := issuer.Secure(t.Context(), passport(t, d.did(), false))
			require.ErrorIs(t, err, c.want)
			if c.want != nil {
				require.Empty(t, out)
				return
			}
			require.NoError(t, verify(t, d.derive(t, out, "").Bytes, d.method, d.contexts))
		})
	}
}

func TestNewSigner(t *testing.T) {
	t.Parallel()
	vm, err := did.ParseURL("did:example:a#k")
	require.NoError(t, err)
	public, secret := GenerateKey()
	s, err := NewSigner(vm, secret)
	require.NoError(t, err)
	require.Equal(t, vm, s.VerificationMethod())
	require.Equal(t, public, s.Public())
	_, err = s.Sign(t.Context(), []byte("message"))
	require.ErrorIs(t, err, did.ErrUnsupported)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = s.SignMessages(ended, nil, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.SignMessages(t.Context(), nil, make([][]byte, 513))
	require.ErrorIs(t, err, ErrTooMany)
	signature, err := s.SignMessages(t.Context(), nil, make([][]byte, 512))
	require.NoError(t, err)
	require.Len(t, signature, 80)

	noFragment, err := did.ParseURL("did:example:a")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		vm     did.URL
		secret []byte
	}{
		"no name": {did.URL{}, secret}, "no fragment": {noFragment, secret}, "no key": {vm, nil}, "short": {vm, secret[1:]},
		"long": {vm, append(secret[:32:32], 0)}, "zero": {vm, make([]byte, 32)}, "too large": {vm, bytes.Repeat([]byte{0xff}, 32)},
	} {
		_, err := NewSigner(c.vm, c.secret)
		require.ErrorIs(t, err, did.ErrInvalid, name)
	}

	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		require.Equal(t, "bbs.Signer did:example:a#k", fmt.Sprintf(format, s))
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s)
	require.Contains(t, log.String(), `s="bbs.Signer did:example:a#k"`)
	require.NotContains(t, log.String(), hex.EncodeToString(secret)[:8])
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	subject := func(text string) func(*vc.Credential) {
		return func(c *vc.Credential) { c.Subject = json.RawMessage(text) }
	}
	for name, c := range map[string]struct {
		suite  dataintegrity.Suite
		change func(*vc.Credential)
		want   error
	}{
		"pointer to nothing": {Suite("/credentialSubject/nothing"), nil, dataintegrity.ErrPointer},
		"pointer to all":     {Suite(""), nil, dataintegrity.ErrPointer},
		"too many pointers":  {Suite(make([]vc.Pointer, 513)...), nil, dataintegrity.ErrPointer},
		"undefined term":     {Suite(), subject(`{"type":"Member","favouriteRiver":"Tamar"}`), jsonld.ErrUndefinedTerm},
		"undefined type":     {Suite(), subject(`{"type":"Gardener"}`), jsonld.ErrUndefinedTerm},
		"relative id":        {Suite(), subject(`{"type":"Member","personal":{"photo":"rowan.jpg"}}`), jsonld.ErrRelative},
		"unknown context":    {Suite(), func(c *vc.Credential) { c.Context = vc.Contexts("https://other.example/") }, dataintegrity.ErrContextNotAllowed},
		"another issuer":     {Suite(), func(c *vc.Credential) { c.Issuer.ID = "did:example:nettle" }, dataintegrity.ErrControllerMismatch},
		"proof already": {Suite(), func(c *vc.Credential) {
			c.Other = map[string]json.RawMessage{"proof": json.RawMessage(`[]`)}
		}, dataintegrity.ErrProofSet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := *d.issuer
			issuer.Suite = c.suite
			credential := passport(t, d.did(), false)
			if c.change != nil {
				c.change(credential)
			}
			out, err := issuer.Secure(t.Context(), credential)
			require.ErrorIs(t, err, c.want)
			require.Empty(t, out)
			for _, secret := range []string{"Tamar", "rowan", "QQ123456A"} {
				require.NotContains(t, err.Error(), secret)
			}
		})
	}
	doc, _ := parse(t, d.issue(t, false))
	p := &dataintegrity.Proof{Suite: "bbs-2020", VerificationMethod: d.method.ID, Purpose: did.AssertionMethod}
	_, err := Suite().Prove(t.Context(), doc, p, d.issuer.Signer, d.contexts)
	require.ErrorIs(t, err, dataintegrity.ErrSuite)
	p.Suite = ""
	doc.Set("proof", []any{})
	_, err = Suite().Prove(t.Context(), doc, p, d.issuer.Signer, d.contexts)
	require.ErrorIs(t, err, dataintegrity.ErrProofSet)
}

// TestUndefinedTermWhenVerifying: what JSON-LD would drop is refused at the other
// end too.
func TestUndefinedTermWhenVerifying(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	shown := d.derive(t, d.issue(t, false), tenClaims()...)
	for old, c := range map[string]struct {
		new  string
		want error
	}{
		`"type":"Member"`: {`"type":"Member","favouriteRiver":"Severn"`, jsonld.ErrUndefinedTerm},
		`"issuer":`:       {`"evil":true,"issuer":`, jsonld.ErrUndefinedTerm},
	} {
		text := strings.Replace(string(shown.Bytes), old, c.new, 1)
		require.NotEqual(t, string(shown.Bytes), text)
		require.ErrorIs(t, verify(t, []byte(text), d.method, d.contexts), c.want)
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.issue(t, false)
	doc, proof := parse(t, d.derive(t, base, ""))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Suite().Verify(ended, doc, proof, d.method, d.contexts)
	require.ErrorIs(t, err, context.Canceled)
	_, err = d.issuer.Secure(ended, passport(t, d.did(), false))
	require.ErrorIs(t, err, context.Canceled)
	_, err = Derive(ended, base, tenClaims(), d.contexts, nil)
	require.ErrorIs(t, err, context.Canceled)
}

// TestIssueTwice: nothing of one proof is in the next.
func TestIssueTwice(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var bases []*baseProof
	for range 2 {
		_, proof := parse(t, d.issue(t, false))
		value, _ := proof.Text("proofValue")
		p, err := parseBase(value)
		require.NoError(t, err)
		bases = append(bases, p)
	}
	require.NotEqual(t, bases[0].HMACKey, bases[1].HMACKey)
	require.NotEqual(t, bases[0].Signature, bases[1].Signature)
	require.Equal(t, bases[0].Mandatory, bases[1].Mandatory)
}
