package issue

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
)

func asked() *signedMethod {
	return &signedMethod{Algs: bindingAlgs(), Methods: holderMethods(), Nonce: "b19439b0-4dc9-4c28-b796-99d17034fb5c"}
}

func TestBinding(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]did.Signer{"EdDSA": signer(t, 2), "ES256": p256Signer(t)} {
		a, err := proveBinding(t.Context(), "123", asked(), key)
		require.NoError(t, err, name)
		require.Equal(t, "123", a.ID)
		content, err := a.Content()
		require.NoError(t, err)
		require.JSONEq(t, `{"nonce":"b19439b0-4dc9-4c28-b796-99d17034fb5c"}`, string(content))
		h, err := protectedHeader(&a)
		require.NoError(t, err)
		require.Equal(t, header{name, key.VerificationMethod().String()}, h)
		got, err := checkBinding(t.Context(), didkey.Resolver{}, asked(), &a, start)
		require.NoError(t, err, name)
		require.Equal(t, key.VerificationMethod().DID, got)
	}
}

func TestProveBinding_Refused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*signedMethod){
		"algorithm":  func(m *signedMethod) { m.Algs = []string{"ES384"} },
		"DID method": func(m *signedMethod) { m.Methods = []string{"web"} },
	} {
		m := asked()
		change(m)
		_, err := proveBinding(t.Context(), "123", m, signer(t, 2))
		require.ErrorIs(t, err, ErrBinding, name)
	}
}

// signed returns an attachment over payload, signed by key under the kid, with
// the protected header changed after signing.
func signed(t *testing.T, payload string, key did.Signer, kid string, protected bool) *didcomm.Attachment {
	t.Helper()
	a := didcomm.NewAttachment("123", "application/json", []byte(payload))
	require.NoError(t, a.Sign(t.Context(), key, kid, protected))
	return &a
}

// jws replaces parts of a signature.
func jws(t *testing.T, a *didcomm.Attachment, change func(map[string]any)) *didcomm.Attachment {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(a.Data.JWS, &m))
	change(m)
	raw, err := json.Marshal(m)
	require.NoError(t, err)
	a.Data.JWS = raw
	return a
}

// protectedOf signs nothing: it only names another header.
func protectedOf(h string) func(map[string]any) {
	return func(m map[string]any) { m["protected"] = base64.RawURLEncoding.EncodeToString([]byte(h)) }
}

// resigned signs the payload again under a header of the caller's making.
func resigned(t *testing.T, payload, h string, key did.Signer) *didcomm.Attachment {
	t.Helper()
	a := didcomm.NewAttachment("123", "application/json", []byte(payload))
	protected := base64.RawURLEncoding.EncodeToString([]byte(h))
	sig, err := key.Sign(t.Context(), []byte(protected+"."+base64.RawURLEncoding.EncodeToString([]byte(payload))))
	require.NoError(t, err)
	a.Data.JWS = json.RawMessage(fmt.Sprintf(`{"protected":%q,"signature":%q}`, protected, base64.RawURLEncoding.EncodeToString(sig)))
	return &a
}

// TestCheckBinding_Refused: each rule of RFC 0809 on its own.
func TestCheckBinding_Refused(t *testing.T) {
	t.Parallel()
	key, other := signer(t, 2), signer(t, 3)
	kid, otherKID := key.VerificationMethod().String(), other.VerificationMethod().String()
	id := key.VerificationMethod().DID
	const good = `{"nonce":"b19439b0-4dc9-4c28-b796-99d17034fb5c"}`
	head := func(alg, kid string) string { return fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, kid) }
	fresh := func() *didcomm.Attachment { return signed(t, good, key, kid, true) }

	_, err := checkBinding(t.Context(), didkey.Resolver{}, asked(), fresh(), start)
	require.NoError(t, err)
	_, err = checkBinding(t.Context(), didkey.Resolver{}, asked(), resigned(t, good, head("EdDSA", kid), key), start)
	require.NoError(t, err)

	agreement := func() string {
		res, err := didkey.Resolver{}.Resolve(t.Context(), id, did.Version{})
		require.NoError(t, err)
		return res.Document.Methods(did.KeyAgreement, start)[0].ID.String()
	}()
	for name, a := range map[string]*didcomm.Attachment{
		"none":                     nil,
		"unsigned":                 {ID: "123", Data: didcomm.AttachmentData{Base64: base64.RawURLEncoding.EncodeToString([]byte(good))}},
		"as JSON":                  {ID: "123", Data: didcomm.AttachmentData{JSON: json.RawMessage(good), JWS: fresh().Data.JWS}},
		"nonce of another offer":   signed(t, `{"nonce":"b19439b0-4dc9-4c28-b796-99d17034fb5d"}`, key, kid, true),
		"nonce in upper case":      signed(t, strings.ToUpper(good), key, kid, true),
		"nonce a number":           signed(t, `{"nonce":1}`, key, kid, true),
		"nonce twice":              signed(t, `{"nonce":"x","nonce":"b19439b0-4dc9-4c28-b796-99d17034fb5c"}`, key, kid, true),
		"no nonce":                 signed(t, `{}`, key, kid, true),
		"payload not JSON":         signed(t, `b19439b0-4dc9-4c28-b796-99d17034fb5c`, key, kid, true),
		"payload changed":          {ID: "123", Data: didcomm.AttachmentData{Base64: base64.RawURLEncoding.EncodeToString([]byte(good + " ")), JWS: fresh().Data.JWS}},
		"kid unprotected":          signed(t, good, key, kid, false),
		"kid beside the protected": jws(t, fresh(), func(m map[string]any) { m["header"] = map[string]string{"kid": otherKID} }),
		"no kid":                   resigned(t, good, `{"alg":"EdDSA"}`, key),
		"kid empty":                resigned(t, good, head("EdDSA", ""), key),
		"kid no DID URL":           resigned(t, good, head("EdDSA", "key-1"), key),
		"kid a DID":                resigned(t, good, head("EdDSA", id.String()), key),
		"kid with a query":         resigned(t, good, head("EdDSA", id.String()+"?versionId=1#"+id.SpecificID()), key),
		"kid of another":           resigned(t, good, head("EdDSA", otherKID), key),
		"kid unknown in its DID":   resigned(t, good, head("EdDSA", id.String()+"#key-1"), key),
		"kid for key agreement":    resigned(t, good, head("EdDSA", agreement), key),
		"method not asked for":     resigned(t, good, head("EdDSA", "did:web:alderbrook.example#key-1"), key),
		"method malformed":         resigned(t, good, head("EdDSA", "did:key:z6Mk#z6Mk"), key),
		"alg none":                 resigned(t, good, head("none", kid), key),
		"alg of another key type":  resigned(t, good, head("ES256", kid), key),
		"alg not asked for":        resigned(t, good, head("ES384", kid), key),
		"alg a MAC":                resigned(t, good, head("HS256", kid), key),
		"alg in lower case":        resigned(t, good, head("eddsa", kid), key),
		"no alg":                   resigned(t, good, fmt.Sprintf(`{"kid":%q}`, kid), key),
		"alg unprotected":          jws(t, resigned(t, good, fmt.Sprintf(`{"kid":%q}`, kid), key), func(m map[string]any) { m["header"] = map[string]string{"alg": "EdDSA"} }),
		"crit":                     resigned(t, good, fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"crit":["x"],"x":1}`, kid), key),
		"b64 false":                resigned(t, good, fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"b64":false}`, kid), key),
		"header changed":           jws(t, fresh(), protectedOf(fmt.Sprintf(`{"kid":%q,"alg":"EdDSA"}`, kid))),
		"signed by another":        resigned(t, good, head("EdDSA", kid), other),
		"signature empty":          jws(t, fresh(), func(m map[string]any) { m["signature"] = "" }),
		"signature short":          jws(t, fresh(), func(m map[string]any) { m["signature"] = m["signature"].(string)[:80] }),
		"two signatures":           jws(t, fresh(), func(m map[string]any) { m["signatures"] = []any{} }),
		"own key in the header":    resigned(t, good, fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"jwk":{"kty":"OKP","crv":"Ed25519","x":"AA"}}`, otherKID), key),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := checkBinding(context.WithoutCancel(t.Context()), didkey.Resolver{}, asked(), a, start)
			require.ErrorIs(t, err, ErrBinding)
		})
	}
}

// down is a resolver that cannot tell.
type down struct{}

func (down) Resolve(context.Context, did.DID, did.Version) (*did.Resolution, error) {
	return nil, fmt.Errorf("%w: test", did.ErrUnavailable)
}

func TestCheckBinding_Unavailable(t *testing.T) {
	t.Parallel()
	key := signer(t, 2)
	a, err := proveBinding(t.Context(), "123", asked(), key)
	require.NoError(t, err)
	_, err = checkBinding(t.Context(), down{}, asked(), &a, start)
	require.ErrorIs(t, err, did.ErrUnavailable)
	require.NotErrorIs(t, err, ErrBinding, "not forged, not known")
}

// TestIssuer_BindingFails: nothing is signed, and both sides learn of it.
func TestIssuer_BindingFails(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*testing.T, *world, *requestBody){
		"no proof": func(t *testing.T, _ *world, b *requestBody) {
			a, err := newAttachment("r", requestContent{Version: dataModel})
			require.NoError(t, err)
			b.Requests[0] = a
		},
		"proof elsewhere": func(_ *testing.T, _ *world, b *requestBody) { b.Attach[0].ID = "other" },
		"proof missing":   func(_ *testing.T, _ *world, b *requestBody) { b.Attach = nil },
		"proof twice":     func(_ *testing.T, _ *world, b *requestBody) { b.Attach = append(b.Attach, b.Attach[0]) },
		"proof of another": func(t *testing.T, _ *world, b *requestBody) {
			other := signer(t, 3)
			content, err := b.Attach[0].Content()
			require.NoError(t, err)
			require.NoError(t, b.Attach[0].Sign(t.Context(), other, signer(t, 2).VerificationMethod().String(), true))
			require.NotEmpty(t, content)
		},
		"proof replayed": func(t *testing.T, _ *world, b *requestBody) {
			b.Attach[0] = *signed(t, `{"nonce":"of an earlier offer"}`, signer(t, 2), signer(t, 2).VerificationMethod().String(), true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, id := w.offer()
			require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
			sent := w.holderNode.Store.TakeOutbox()[0].Message
			var b requestBody
			require.NoError(t, sent.Decode(&b))
			change(t, w, &b)
			if len(b.Requests) > 0 {
				b.Formats = didcomm.Formats{{AttachID: b.Requests[0].ID, Format: formatRequest}}
			}
			m, err := didcomm.New(sent.ID, sent.Type, sent.Thread, "", b)
			require.NoError(t, err)
			require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", m))
			require.Equal(t, []string{problem}, names(w.settle()))
			x := w.only(w.issuer.Exchanges)
			require.Equal(t, Abandoned, x.State)
			require.Equal(t, "binding-failed", x.Code)
			h := w.only(w.holder.Exchanges)
			require.Equal(t, Abandoned, h.State)
			require.Equal(t, codeAbandoned, h.Code)
			require.True(t, h.ByPeer)
			require.Zero(t, w.signed)
		})
	}
}

// TestIssuer_BindingOfAnotherDID: the offer names its holder, and somebody else
// proves a key of their own.
func TestIssuer_BindingOfAnotherDID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.passport()
	c.Subject = json.RawMessage(`{"id":"did:key:z6MkojqtZt8C65i8t1AddcannXyKTkFxfykRNdhhewAvUgXc","dbs":{"level":"Enhanced"}}`)
	_, err := w.issuer.Offer(t.Context(), "to-hazel", Offer{Credential: c})
	require.NoError(t, err)
	x := new(record)
	require.NoError(t, w.issuerNode.Store.View(t.Context(), func(tx didcomm.Tx) error {
		return tx.Load(kindExchange, w.only(w.issuer.Exchanges).ID, x)
	}))
	proof, err := proveBinding(t.Context(), "p", x.Binding, w.staff)
	require.NoError(t, err)
	a, err := newAttachment("r", requestContent{dataModel, &bindingProofs{&signedProof{"p"}}})
	require.NoError(t, err)
	m, err := didcomm.New("m", messageType(didcomm.V1, request), x.Thread, "", requestBody{
		didcomm.Formats{{AttachID: "r", Format: formatRequest}}, []didcomm.Attachment{a}, []didcomm.Attachment{proof}})
	require.NoError(t, err)
	require.NoError(t, w.issuerNode.Store.Deliver(t.Context(), w.issuer, "to-hazel", m))
	require.NoError(t, w.issuerNode.Work(t.Context()))
	require.Equal(t, "binding-failed", w.only(w.issuer.Exchanges).Code)
	require.Zero(t, w.signed)
}

// revoking is a resolver whose documents end all keys one second before start.
type revoking struct{ end string }

func (r revoking) Resolve(ctx context.Context, id did.DID, v did.Version) (*did.Resolution, error) {
	text := id.String()
	doc, err := did.ParseDocument([]byte(fmt.Sprintf(`{"id":%[1]q,"authentication":[{"id":"%[1]s#%[2]s","type":"Multikey",`+
		`"controller":%[1]q,"publicKeyMultibase":%[2]q,%[3]q:"2026-11-02T08:59:59Z"}]}`, text, strings.TrimPrefix(text, "did:key:"), r.end)))
	return &did.Resolution{Document: doc}, err
}

// TestCheckBinding_KeyEnded: a key that has ended binds nobody.
func TestCheckBinding_KeyEnded(t *testing.T) {
	t.Parallel()
	a, err := proveBinding(t.Context(), "123", asked(), signer(t, 2))
	require.NoError(t, err)
	for _, end := range []string{"expires", "revoked"} {
		_, err = checkBinding(t.Context(), revoking{end}, asked(), &a, start)
		require.ErrorIs(t, err, ErrBinding, end)
		require.ErrorIs(t, err, did.ErrNotAuthorised, end)
		_, err = checkBinding(t.Context(), revoking{end}, asked(), &a, start.AddDate(0, 0, -1))
		require.NoError(t, err, end)
	}
}
