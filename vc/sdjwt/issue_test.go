package sdjwt_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

func TestIssuer_SDJWTVCOnTheWire(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "", "/credentialSubject/registration", "/id")
	f.TypeIntegrity = "sha256-x"
	f.credential.Status = []vc.Status{{ID: "https://status.example/1#5", Type: []string{"BitstringStatusListEntry"}, Other: map[string]json.RawMessage{"statusListIndex": []byte(`"5"`)}}}
	f.credential.Schema = []vc.SchemaRef{{ID: "https://schema.example/1", Type: []string{"JsonSchema"}}}
	f.credential.ValidFrom = f.credential.ValidFrom.Add(time.Millisecond)
	f.credential.ValidUntil = f.credential.ValidUntil.Add(time.Millisecond)
	f.credential.Subject = json.RawMessage(`{"id":"did:example:rowan","registration":{"body":"NMC"},"band":"5"}`)
	s := f.secure(t)
	require.Equal(t, sdjwt.MediaTypeSDJWTVC, s.MediaType)
	jwt := strings.Split(string(s.Bytes), ".")
	require.Equal(t, `{"alg":"ES256","typ":"dc+sd-jwt","kid":"`+f.issuer.VerificationMethod().String()+`"}`, string(unbase64(t, jwt[0])))
	payload, err := strictjson.ParseObject(unbase64(t, jwt[1]))
	require.NoError(t, err)
	digests, _ := vc.Pointer("/_sd").Lookup(payload)
	require.Len(t, digests, 2)
	payload.Delete("_sd")
	cnf, _ := vc.Pointer("/cnf/jwk").Lookup(payload)
	payload.Delete("cnf")
	require.JSONEq(t, `{"iss":"`+f.issuer.VerificationMethod().DID.String()+`","sub":"did:example:rowan","nbf":1767225600,"exp":1798675200,"iat":1777887000,
		"vct":"`+contextURL+`#StaffPassportCredential","vct#integrity":"sha256-x","_sd_alg":"sha-256","band":"5",
		"credentialStatus":{"id":"https://status.example/1#5","type":"BitstringStatusListEntry","statusListIndex":"5"},
		"credentialSchema":{"id":"https://schema.example/1","type":"JsonSchema"}}`, text(t, payload))
	key, err := did.ParseJWK([]byte(text(t, cnf)))
	require.NoError(t, err)
	require.Equal(t, f.holder.Public(), key)

	tok, err := sdjwt.Parse(s)
	require.NoError(t, err)
	c := tok.Claims()
	require.Equal(t, "sha256-x", c.TypeIntegrity)
	require.Equal(t, vct, c.Type)
	require.Equal(t, f.credential.ID, c.ID)
	require.Equal(t, "did:example:rowan", c.Subject)
	require.Equal(t, now, c.IssuedAt)
	read, err := vc.ParseObject(tok.Document())
	require.NoError(t, err)
	require.Equal(t, f.credential.Type, read.Type)
	require.Equal(t, f.credential.Context, read.Context)
	require.Equal(t, f.credential.Status, read.Status)
	require.Equal(t, f.credential.Schema, read.Schema)
	require.Equal(t, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), read.ValidFrom, "cut off, not rounded up")
	require.Equal(t, time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC), read.ValidUntil)

	shown := f.present(t, s)
	tok, err = sdjwt.Parse(shown)
	require.NoError(t, err)
	require.Empty(t, tok.Claims().ID, "the id of the credential is the holder's to show")
	shown = f.present(t, s, "/id")
	tok, err = sdjwt.Parse(shown)
	require.NoError(t, err)
	require.Equal(t, f.credential.ID, tok.Claims().ID)
}

// A credential whose period begins at this very moment, as time.Now() gives it, is
// good at this moment. Its times may lie in one second.
func TestIssuer_ValidFromNow(t *testing.T) {
	t.Parallel()
	for _, fraction := range []time.Duration{0, 1, 500 * time.Millisecond, time.Second - 1} {
		f := newFixture(t, sdjwt.MediaTypeSDJWTVC)
		at := now.Add(fraction)
		f.credential.ValidFrom, f.credential.ValidUntil = at, at
		tok, err := sdjwt.Parse(f.secure(t))
		require.NoError(t, err)
		c := tok.Claims()
		require.False(t, c.NotBefore.After(at), fraction)
		require.Less(t, at.Sub(c.NotBefore), time.Second, fraction)
		require.Equal(t, c.NotBefore, c.Expires, fraction)
		read, err := vc.ParseObject(tok.Document())
		require.NoError(t, err)
		require.True(t, now.Equal(read.ValidFrom), fraction)
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC)
	for _, c := range []struct{ vct, context, typ string }{
		{contextURL + "#StaffPassportCredential", contextURL, "StaffPassportCredential"},
		{"urn:eudi:pid:1", "", "urn:eudi:pid:1"},
		{"https://credentials.example.com/identity_credential", "", "https://credentials.example.com/identity_credential"},
		{"https://credentials.example.com/a#b/c", "", "https://credentials.example.com/a#b/c"},
		{"https://credentials.example.com/a#b#c", "", "https://credentials.example.com/a#b#c"},
		{"https://credentials.example.com/a#", "", "https://credentials.example.com/a#"},
		{"Term", "", "Term"},
	} {
		tok, err := sdjwt.Parse(vc.Secured{MediaType: f.MediaType, Bytes: forge(t, f.issuer, headerOf(f.issuer, f.MediaType), `{"iss":"did:example:a","vct":"`+c.vct+`","x":1}`)})
		require.NoError(t, err)
		require.Equal(t, c.vct, tok.Claims().Type)
		read, err := vc.CheckObject(tok.Document())
		require.NoError(t, err)
		require.Equal(t, []string{vc.TypeCredential, c.typ}, read.Type)
		want := vc.Contexts()
		if c.context != "" {
			want = vc.Contexts(c.context)
		}
		require.Equal(t, want, read.Context)
	}
	for _, payload := range []string{
		`{"iss":"did:example:a","x":1}`, `{"vct":"urn:x","x":1}`, `{"iss":"did:example:a","vct":5}`, `{"iss":"did:example:a","vct":""}`,
		`{"iss":"did:example:a","vct":"urn:x","id":"did:example:b"}`, `{"iss":"did:example:a","vct":"urn:x","aka_vcts":["urn:x"]}`,
		`{"iss":"did:example:a","vct":"urn:x","aka_vcts":[]}`, `{"iss":"did:example:a","vct":"urn:x","aka_vcts":"urn:y"}`, `{"iss":"did:example:a","vct":"urn:x","sub":{}}`,
	} {
		_, err := sdjwt.Parse(vc.Secured{MediaType: f.MediaType, Bytes: forge(t, f.issuer, headerOf(f.issuer, f.MediaType), payload)})
		require.ErrorIs(t, err, sdjwt.ErrClaims, payload)
	}
	tok, err := sdjwt.Parse(vc.Secured{MediaType: f.MediaType, Bytes: forge(t, f.issuer, headerOf(f.issuer, f.MediaType), `{"iss":"did:example:a","vct":"urn:x","aka_vcts":["urn:y","urn:z"]}`)})
	require.NoError(t, err)
	require.Equal(t, []string{"urn:y", "urn:z"}, tok.Claims().Types)
}

// A status that this module cannot read must reach whoever decides.
func TestStatusIsCarriedOver(t *testing.T) {
	t.Parallel()
	const status = `,"status":{"status_list":{"idx":7,"uri":"https://status.example/"}}`
	forEach(t, func(t *testing.T, f *fixture, form string) {
		for more, want := range map[string]string{
			status: `[{"type":"JWTStatusClaim","status_list":{"idx":7,"uri":"https://status.example/"}}]`,
			status + `,"credentialStatus":{"type":"X"}`:                `[{"type":"JWTStatusClaim","status_list":{"idx":7,"uri":"https://status.example/"}},{"type":"X"}]`,
			status + `,"credentialStatus":[{"type":"X"},{"type":"Y"}]`: `[{"type":"JWTStatusClaim","status_list":{"idx":7,"uri":"https://status.example/"}},{"type":"X"},{"type":"Y"}]`,
		} {
			tok, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, more))})
			require.NoError(t, err)
			require.JSONEq(t, want, text(t, member(tok.Document(), "credentialStatus")))
			_, err = vc.CheckObject(tok.Document())
			require.NoError(t, err)
		}
	})
}

// brokenReader and brokenSigner are what may fail while issuing.
type brokenReader struct{}

var errBroken = errors.New("broken")

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

type brokenSigner struct {
	did.Signer
	err error
}

func (s brokenSigner) Sign(ctx context.Context, m []byte) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Signer.Sign(ctx, append(m, 'x')) // of another message
}

func TestIssuer_Refuses(t *testing.T) {
	t.Parallel()
	raw := func(s string) map[string]json.RawMessage {
		return map[string]json.RawMessage{s: []byte(`"x"`)}
	}
	x25519 := func() crypto.PublicKey {
		p, err := did.ParseJWK([]byte(`{"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}`))
		require.NoError(t, err)
		return p
	}()
	for name, c := range map[string]struct {
		form   string // both if empty
		change func(f *fixture)
		want   error
	}{
		"no signer":       {"", func(f *fixture) { f.Signer = nil }, sdjwt.ErrConfig},
		"no credential":   {"", func(f *fixture) { f.credential = nil }, sdjwt.ErrConfig},
		"negative decoys": {"", func(f *fixture) { f.Decoys = -1 }, sdjwt.ErrConfig},
		"media type":      {"", func(f *fixture) { f.MediaType = sdjwt.MediaTypePresentation }, sdjwt.ErrConfig},
		"other issuer":    {"", func(f *fixture) { f.credential.Issuer.ID = "did:example:other" }, sdjwt.ErrControllerMismatch},
		"no issuer":       {"", func(f *fixture) { f.credential.Issuer.ID = "" }, sdjwt.ErrControllerMismatch},
		"other context":   {"", func(f *fixture) { f.credential.Context = vc.Contexts("https://other.example/") }, sdjwt.ErrContextNotAllowed},
		"data model 1.1":  {"", func(f *fixture) { f.credential.Context = []vc.Context{{URL: vc.ContextV1}} }, sdjwt.ErrContextNotAllowed},
		"more context":    {"", func(f *fixture) { f.credential.Context = vc.Contexts(contextURL, contextURL) }, sdjwt.ErrContextNotAllowed},
		"context inside": {"", func(f *fixture) {
			f.credential.Subject = json.RawMessage(`{"dbs":{"@context":{}}}`)
			f.Disclosable = nil
		}, sdjwt.ErrContextNotAllowed},
		"wrong digest": {"", func(f *fixture) {
			f.credential.Other = map[string]json.RawMessage{"relatedResource": []byte(`{"id":"https://www.w3.org/ns/credentials/v2","digestSRI":"sha256-AAAA"}`)}
		}, vc.ErrDigest},
		"no type":               {"", func(f *fixture) { f.credential.Type = nil }, vc.ErrMalformed},
		"no subject":            {"", func(f *fixture) { f.credential.Subject = nil }, vc.ErrSyntax},
		"pointer to nothing":    {"", func(f *fixture) { f.Disclosable = []vc.Pointer{"/credentialSubject/nothing"} }, sdjwt.ErrPointer},
		"pointer malformed":     {"", func(f *fixture) { f.Disclosable = []vc.Pointer{"credentialSubject"} }, sdjwt.ErrPointer},
		"pointer into text":     {"", func(f *fixture) { f.Disclosable = []vc.Pointer{"/credentialSubject/dbs/level/x"} }, sdjwt.ErrPointer},
		"one of two to nothing": {"", func(f *fixture) { f.Disclosable = []vc.Pointer{"/credentialSubject/dbs", "/credentialSubject/dbs/x"} }, sdjwt.ErrPointer},
		"holder without a kind": {"", func(f *fixture) { f.Holder = "x" }, sdjwt.ErrKeyBinding},
		"holder for agreement":  {"", func(f *fixture) { f.Holder = x25519 }, sdjwt.ErrKeyBinding},
		"holder short":          {"", func(f *fixture) { f.Holder = ed25519.PublicKey("short") }, sdjwt.ErrKeyBinding},
		"holder on P-521":       {"", func(f *fixture) { f.Holder = &p521(t).PublicKey }, sdjwt.ErrKeyBinding},
		"no randomness":         {"", func(f *fixture) { f.Rand = brokenReader{} }, errBroken},
		"signer fails":          {"", func(f *fixture) { f.Signer = brokenSigner{f.issuer, errBroken} }, errBroken},
		"signer of another":     {"", func(f *fixture) { f.Signer = brokenSigner{f.issuer, nil} }, did.ErrSignature},
		"beyond 1 MiB": {"", func(f *fixture) {
			f.credential.Subject = json.RawMessage(`{"dbs":{"level":"` + strings.Repeat("a", 1<<20-2000) + `","x":1}}`)
			f.Disclosable = []vc.Pointer{"/credentialSubject/dbs/level"}
			f.Decoys = 64
		}, sdjwt.ErrSyntax},
		"two subjects":      {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.credential.Subject = json.RawMessage(`[{"a":1},{"b":2}]`); f.Disclosable = nil }, sdjwt.ErrClaims},
		"two types":         {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.credential.Type = append(f.credential.Type, "Other") }, sdjwt.ErrClaims},
		"no second type":    {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.credential.Type = f.credential.Type[:1] }, sdjwt.ErrClaims},
		"type is a URL":     {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.credential.Type[1] = "https://a.example/b" }, sdjwt.ErrClaims},
		"issuer with name":  {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.credential.Issuer.Other = raw("name") }, sdjwt.ErrClaims},
		"name":              {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.credential.Other = raw("name") }, sdjwt.ErrClaims},
		"before 1970":       {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.credential.ValidFrom = time.Unix(-1, 0) }, sdjwt.ErrClaims},
		"claim exp":         {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.credential.Subject = json.RawMessage(`{"exp":1}`); f.Disclosable = nil }, sdjwt.ErrClaims},
		"claim sub":         {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.credential.Subject = json.RawMessage(`{"sub":1}`); f.Disclosable = nil }, sdjwt.ErrClaims},
		"claim status":      {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.credential.Subject = json.RawMessage(`{"status":1}`); f.Disclosable = nil }, sdjwt.ErrClaims},
		"claim issuer":      {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.credential.Subject = json.RawMessage(`{"issuer":1}`); f.Disclosable = nil }, sdjwt.ErrClaims},
		"pointer elsewhere": {sdjwt.MediaTypeSDJWTVC, func(f *fixture) { f.Disclosable = []vc.Pointer{"/name"} }, sdjwt.ErrNotDisclosable},
		"member iss":        {sdjwt.MediaTypeCredential, func(f *fixture) { f.credential.Other = raw("iss") }, sdjwt.ErrClaims},
		"member cnf":        {sdjwt.MediaTypeCredential, func(f *fixture) { f.credential.Other = raw("cnf") }, sdjwt.ErrClaims},
		"member vp":         {sdjwt.MediaTypeCredential, func(f *fixture) { f.credential.Other = raw("vp") }, sdjwt.ErrClaims},
		"whole subject": {sdjwt.MediaTypeCredential, func(f *fixture) {
			f.credential.Subject = json.RawMessage(`[{"a":1},{"b":2}]`)
			f.Disclosable = []vc.Pointer{"/credentialSubject/1"}
		}, sdjwt.ErrNotDisclosable},
		"id of second": {sdjwt.MediaTypeCredential, func(f *fixture) {
			f.credential.Subject = json.RawMessage(`[{"a":1},{"id":"urn:x:2"}]`)
			f.Disclosable = []vc.Pointer{"/credentialSubject/1/id"}
		}, sdjwt.ErrNotDisclosable},
	} {
		for _, form := range forms {
			if c.form != "" && c.form != form {
				continue
			}
			f := newFixture(t, form, sections(t)...)
			c.change(f)
			s, err := f.Secure(t.Context(), f.credential)
			require.ErrorIs(t, err, c.want, "%s: %s", form, name)
			require.Zero(t, s)
		}
	}
}

func p521(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	return k
}

func TestIssuer_WholeDocuments(t *testing.T) {
	t.Parallel()
	f := newFixture(t, sdjwt.MediaTypeCredential, "/name", "/evidence/0", "/credentialSubject/1/b", "/id")
	f.credential.Other = map[string]json.RawMessage{"name": []byte(`"Passport"`), "evidence": []byte(`[{"type":"Letter"},{"type":"Call"}]`)}
	f.credential.Issuer.Other = map[string]json.RawMessage{"name": []byte(`"Riverside Trust"`)}
	f.credential.Subject = json.RawMessage(`[{"a":1},{"b":2,"c":[{"d":null}]}]`)
	s := f.secure(t)
	tok, err := sdjwt.Parse(s)
	require.NoError(t, err)
	want, err := f.credential.MarshalJSON()
	require.NoError(t, err)
	require.JSONEq(t, string(want), text(t, tok.Document()))
	shown := f.present(t, s, "/evidence/0/type", "/credentialSubject/1")
	require.NoError(t, f.verify(shown))
	tok, err = sdjwt.Parse(shown)
	require.NoError(t, err)
	require.Nil(t, member(tok.Document(), "name"))
	require.Nil(t, member(tok.Document(), "id"))
	require.JSONEq(t, `[{"type":"Letter"},{"type":"Call"}]`, text(t, member(tok.Document(), "evidence")))
	require.JSONEq(t, `[{"a":1},{"b":2,"c":[{"d":null}]}]`, text(t, member(tok.Document(), "credentialSubject")))
}

func TestDecoys(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ *fixture, form string) {
		f := nestedFixture(t, form)
		f.Decoys = 4
		s := f.secure(t)
		require.Equal(t, len(nestedPointers())+1, strings.Count(string(s.Bytes), "~"), "decoys have no disclosure")
		tok, err := sdjwt.Parse(s)
		require.NoError(t, err)
		whole, err := f.credential.MarshalJSON()
		require.NoError(t, err)
		require.JSONEq(t, string(whole), text(t, tok.Document()))
		payload, err := strictjson.ParseObject(unbase64(t, strings.Split(string(s.Bytes), ".")[1]))
		require.NoError(t, err)
		subject := vc.Pointer("")
		if form == sdjwt.MediaTypeCredential {
			subject = "/credentialSubject"
		}
		for _, at := range []vc.Pointer{subject + "/_sd", subject + "/structured/_sd", subject + "/a~1b~0c/_sd"} {
			v, _ := at.Lookup(payload)
			require.Len(t, v, 4, at)
		}
		v, _ := (subject + "/list").Lookup(payload)
		require.Len(t, v, 1+4, "two elements to disclose and two decoys")
		shown := f.present(t, s, "/credentialSubject/list/2")
		tok, err = sdjwt.Parse(shown)
		require.NoError(t, err)
		list, _ := vc.Pointer("/credentialSubject/list").Lookup(tok.Document())
		require.Equal(t, []any{"10", "13"}, list)
	})
}

func TestSaltsAndOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC, sections(t)...)
	salts := map[string]bool{}
	for range 20 {
		for i, part := range parts(f.secure(t))[1:36] {
			var d []any
			require.NoError(t, json.Unmarshal(unbase64(t, part), &d), i)
			salt := d[0].(string)
			b, err := base64.RawURLEncoding.DecodeString(salt)
			require.NoError(t, err)
			require.Len(t, b, 16)
			require.False(t, salts[salt])
			salts[salt] = true
		}
	}
	payload, err := strictjson.ParseObject(unbase64(t, strings.Split(string(f.secure(t).Bytes), ".")[1]))
	require.NoError(t, err)
	v, _ := vc.Pointer("/dbs/_sd").Lookup(payload)
	list := v.([]any)
	for i := 1; i < len(list); i++ {
		require.Less(t, list[i-1], list[i], "sorted, which tells nothing")
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		var keys []crypto.PublicKey
		var holders []did.Signer
		for _, name := range []string{"one", "two", "three"} {
			h := signer(t, p256(name))
			holders, keys = append(holders, h), append(keys, h.Public())
		}
		before, err := f.credential.MarshalJSON()
		require.NoError(t, err)
		batch, err := f.Batch(t.Context(), f.credential, keys)
		require.NoError(t, err)
		require.Len(t, batch, 3)
		after, err := f.credential.MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, string(before), string(after))
		seen := map[string]int{}
		for i, s := range batch {
			tok, err := sdjwt.Parse(s)
			require.NoError(t, err)
			require.JSONEq(t, string(before), text(t, tok.Document()))
			key, err := tok.Confirmation()
			require.NoError(t, err)
			require.Equal(t, keys[i], key)
			require.Equal(t, now.Truncate(24*time.Hour), tok.Claims().IssuedAt)
			f.holder = holders[i]
			require.NoError(t, f.verify(f.present(t, s, "/credentialSubject/dbs")))
			payload, err := strictjson.ParseObject(unbase64(t, strings.Split(string(s.Bytes), ".")[1]))
			require.NoError(t, err)
			for _, part := range parts(s)[1:36] {
				seen[part]++
			}
			subject := vc.Pointer("")
			if form == sdjwt.MediaTypeCredential {
				subject = "/credentialSubject"
			}
			v, ok := (subject + "/dbs/_sd").Lookup(payload)
			require.True(t, ok)
			for _, d := range v.([]any) {
				seen[d.(string)]++
			}
		}
		for part, n := range seen {
			require.Equal(t, 1, n, part)
		}
		for name, keys := range map[string][]crypto.PublicKey{"none": nil, "empty": {}, "nil": {nil}, "twice": {keys[0], keys[1], keys[0]}, "bad": {"x"}} {
			_, err := f.Batch(t.Context(), f.credential, keys)
			require.Error(t, err, name)
		}
		f.Signer = nil
		_, err = f.Batch(t.Context(), f.credential, keys)
		require.ErrorIs(t, err, sdjwt.ErrConfig)
	})
}

func TestPrintingShowsNoClaim(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		tok, err := sdjwt.Parse(f.secure(t))
		require.NoError(t, err)
		require.Equal(t, "sdjwt.Token{"+strings.TrimPrefix(form, "application/")+", 35 disclosures}", tok.String())
		require.Equal(t, tok.String(), tok.GoString())
		require.Equal(t, tok.String(), tok.LogValue().String())
	})
}
