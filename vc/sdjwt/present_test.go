package sdjwt_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// nested has every way in which claims can be disclosable: whole sections, claims
// of visible sections, recursively, and elements of arrays.
const nested = `{"flat":{"a":"1","b":"2"},"structured":{"c":"3","d":"4","open":"5"},
 "recursive":{"id":"urn:x:r","type":"Section","e":"6","f":{"g":"7","h":["8","9"]}},
 "list":["10",{"i":"11","j":"12"},"13"],"plain":{"k":"14","l":["15"]},"a/b~c":{"m":"16"}}`

func nestedPointers() []vc.Pointer {
	out := []vc.Pointer{"flat", "structured/c", "structured/d", "recursive", "recursive/e", "recursive/f", "recursive/f/g", "recursive/f/h/1", "list/1", "list/1/i", "list/2", "a~1b~0c/m"}
	for i := range out {
		out[i] = "/credentialSubject/" + out[i]
	}
	return out
}

func nestedFixture(t testing.TB, form string) *fixture {
	t.Helper()
	f := newFixture(t, form, nestedPointers()...)
	f.credential = credential(f.issuer, f.holder, nested)
	return f
}

func TestPresent_WhatPointersMean(t *testing.T) {
	t.Parallel()
	const base = `"structured":{"open":"5"},"list":["10"],"plain":{"k":"14","l":["15"]},"a/b~c":{}`
	forEach(t, func(t *testing.T, _ *fixture, form string) {
		f := nestedFixture(t, form)
		s := f.secure(t)
		id := `"id":"` + f.holder.VerificationMethod().DID.String() + `",`
		for name, c := range map[string]struct {
			reveal []vc.Pointer
			want   string
		}{
			"nothing":                  {nil, base},
			"always visible":           {[]vc.Pointer{"/issuer", "/@context/0", "/type", "/credentialSubject/id", "/credentialSubject/plain/l/0", "/validFrom"}, base},
			"everything":               {[]vc.Pointer{""}, strings.Trim(nested, "{}") + "}"},
			"the subject":              {[]vc.Pointer{"/credentialSubject"}, strings.Trim(nested, "{}") + "}"},
			"flat section":             {[]vc.Pointer{"/credentialSubject/flat"}, base + `,"flat":{"a":"1","b":"2"}`},
			"structured claim":         {[]vc.Pointer{"/credentialSubject/structured/c"}, strings.Replace(base, `{"open"`, `{"c":"3","open"`, 1)},
			"structured section":       {[]vc.Pointer{"/credentialSubject/structured"}, strings.Replace(base, `{"open"`, `{"c":"3","d":"4","open"`, 1)},
			"one of a recursive":       {[]vc.Pointer{"/credentialSubject/recursive/e"}, base + `,"recursive":{"id":"urn:x:r","type":"Section","e":"6"}`},
			"type of a recursive":      {[]vc.Pointer{"/credentialSubject/recursive/type"}, base + `,"recursive":{"id":"urn:x:r","type":"Section"}`},
			"all of a recursive":       {[]vc.Pointer{"/credentialSubject/recursive"}, base + `,"recursive":{"id":"urn:x:r","type":"Section","e":"6","f":{"g":"7","h":["8","9"]}}`},
			"all below f":              {[]vc.Pointer{"/credentialSubject/recursive/f"}, base + `,"recursive":{"id":"urn:x:r","type":"Section","f":{"g":"7","h":["8","9"]}}`},
			"plain inside recursive":   {[]vc.Pointer{"/credentialSubject/recursive/f/h/0"}, base + `,"recursive":{"id":"urn:x:r","type":"Section","f":{"h":["8"]}}`},
			"two pointers into one":    {[]vc.Pointer{"/credentialSubject/recursive/f/g", "/credentialSubject/recursive/f/h/0"}, base + `,"recursive":{"id":"urn:x:r","type":"Section","f":{"g":"7","h":["8"]}}`},
			"both halves of flat":      {[]vc.Pointer{"/credentialSubject/flat/a", "/credentialSubject/flat/b"}, base + `,"flat":{"a":"1","b":"2"}`},
			"element by its position":  {[]vc.Pointer{"/credentialSubject/list/2"}, strings.Replace(base, `["10"]`, `["10","13"]`, 1)},
			"plain claim of element":   {[]vc.Pointer{"/credentialSubject/list/1/j"}, strings.Replace(base, `["10"]`, `["10",{"j":"12"}]`, 1)},
			"whole element":            {[]vc.Pointer{"/credentialSubject/list/1"}, strings.Replace(base, `["10"]`, `["10",{"i":"11","j":"12"}]`, 1)},
			"name with slash and more": {[]vc.Pointer{"/credentialSubject/a~1b~0c/m"}, strings.Replace(base, `"a/b~c":{}`, `"a/b~c":{"m":"16"}`, 1)},
			"twice the same":           {[]vc.Pointer{"/credentialSubject/flat", "/credentialSubject/flat", "/credentialSubject/flat/a"}, base + `,"flat":{"a":"1","b":"2"}`},
		} {
			want := `{` + id + c.want + `}`
			if strings.HasSuffix(c.want, "}") && strings.Count(want, "{") != strings.Count(want, "}") {
				want = want[:len(want)-1]
			}
			shown := f.present(t, s, c.reveal...)
			require.NoError(t, f.verify(shown), name)
			tok, err := sdjwt.Parse(shown)
			require.NoError(t, err, name)
			require.JSONEq(t, want, text(t, member(tok.Document(), "credentialSubject")), name)
			preview, err := sdjwt.Preview(s, c.reveal)
			require.NoError(t, err, name)
			require.Equal(t, text(t, tok.Document()), text(t, preview), "the preview is what is shown: %s", name)
		}
	})
}

func TestPresent_RefusesToRevealMore(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ *fixture, form string) {
		f := nestedFixture(t, form)
		s := f.secure(t)
		for _, p := range []vc.Pointer{"flat/a", "flat/b", "recursive/f/g", "recursive/f/h/1", "list/1/i"} {
			reveal := []vc.Pointer{"/credentialSubject/" + p}
			_, err := sdjwt.Present(t.Context(), s, f.presenting(reveal...))
			require.ErrorIs(t, err, sdjwt.ErrRevealsMore, p)
			_, err = sdjwt.Preview(s, reveal)
			require.ErrorIs(t, err, sdjwt.ErrRevealsMore, p)
		}
		for _, p := range []vc.Pointer{
			"/credentialSubject/nothing", "/credentialSubject/flat/c", "/credentialSubject/list/3", "/credentialSubject/list/-", "/credentialSubject/list/01",
			"/credentialSubject/flat/a/x", "flat", "/flat", "/", "/credentialSubject/", "/credentialSubject/a~2", "/cnf", "/iss", "/_sd", "/credentialSubject/_sd/0", "/iat", "/vct",
		} {
			_, err := sdjwt.Present(t.Context(), s, f.presenting(p))
			require.ErrorIs(t, err, sdjwt.ErrPointer, p)
			_, err = sdjwt.Preview(s, []vc.Pointer{p})
			require.ErrorIs(t, err, sdjwt.ErrPointer, p)
		}
		_, err := sdjwt.Present(t.Context(), s, f.presenting(slices.Repeat([]vc.Pointer{"/issuer"}, 513)...))
		require.ErrorIs(t, err, sdjwt.ErrPointer)
		_, err = sdjwt.Present(t.Context(), s, f.presenting(slices.Repeat([]vc.Pointer{"/issuer"}, 512)...))
		require.NoError(t, err)

		// Of a presentation the holder has lost what it does not show.
		p := f.presenting("/credentialSubject/flat")
		p.Holder, p.Audience, p.Nonce = nil, "", ""
		bare, err := sdjwt.Present(t.Context(), s, p)
		require.NoError(t, err)
		_, err = sdjwt.Present(t.Context(), bare, f.presenting("/credentialSubject/recursive"))
		require.ErrorIs(t, err, sdjwt.ErrPointer)
		require.NoError(t, f.verify(f.present(t, bare, "/credentialSubject/flat")))
	})
}

func TestDisclosures(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ *fixture, form string) {
		f := nestedFixture(t, form)
		got, err := sdjwt.Disclosures(f.secure(t))
		require.NoError(t, err)
		require.ElementsMatch(t, nestedPointers(), got)
		for name, s := range map[string]vc.Secured{
			"empty":        {MediaType: form},
			"other type":   {MediaType: sdjwt.MediaTypePresentation, Bytes: f.secure(t).Bytes},
			"presented":    f.present(t, f.secure(t)),
			"not a token":  {MediaType: form, Bytes: []byte("x")},
			"wrong typ":    {MediaType: form, Bytes: forge(t, f.issuer, `{"alg":"ES256","typ":"kb+jwt"}`, payloadOf(form, ""))},
			"bad claims":   {MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, `,"exp":"x"`))},
			"bad digest":   {MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, `,"_sd":5`))},
			"two signers":  {MediaType: form, Bytes: general(t, f.secure(t), 2)},
			"not a header": {MediaType: form, Bytes: []byte("a.b.c~")},
		} {
			_, err := sdjwt.Disclosures(s)
			require.Error(t, err, name)
			_, err = sdjwt.Present(t.Context(), s, f.presenting())
			require.Error(t, err, name)
			_, err = sdjwt.Preview(s, nil)
			require.Error(t, err, name)
		}
	})
}

func TestPresent_Refuses(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		s := f.secure(t)
		good := f.presenting()
		for name, change := range map[string]func(*sdjwt.Presenting){
			"no audience":          func(p *sdjwt.Presenting) { p.Audience = "" },
			"no nonce":             func(p *sdjwt.Presenting) { p.Nonce = "" },
			"audience, no holder":  func(p *sdjwt.Presenting) { p.Holder, p.Nonce = nil, "" },
			"nonce, no holder":     func(p *sdjwt.Presenting) { p.Holder, p.Audience = nil, "" },
			"session, no holder":   func(p *sdjwt.Presenting) { p.Holder = nil },
			"holder, no session":   func(p *sdjwt.Presenting) { p.Audience, p.Nonce = "", "" },
			"another holder":       func(p *sdjwt.Presenting) { p.Holder = signer(t, p256("thief")) },
			"key of another kind":  func(p *sdjwt.Presenting) { p.Holder = signer(t, ed25519Key("holder")) },
			"nonce beyond limits":  func(p *sdjwt.Presenting) { p.Nonce = strings.Repeat("n", 16<<10) },
			"nonce is not Unicode": func(p *sdjwt.Presenting) { p.Nonce = "\xff" },
		} {
			p := good
			change(&p)
			_, err := sdjwt.Present(t.Context(), s, p)
			require.Error(t, err, name)
			if strings.Contains(name, "session") || strings.HasPrefix(name, "no ") {
				require.ErrorIs(t, err, sdjwt.ErrConfig, name)
			} else if !strings.Contains(name, ", no") {
				require.ErrorIs(t, err, sdjwt.ErrKeyBinding, name)
			}
		}
		f.Holder = nil
		unbound := f.secure(t)
		_, err := sdjwt.Present(t.Context(), unbound, good)
		require.ErrorIs(t, err, sdjwt.ErrKeyBinding, "no key in the credential")
		tok, err := sdjwt.Parse(unbound)
		require.NoError(t, err)
		require.False(t, tok.HasConfirmation())
		_, err = tok.Confirmation()
		require.ErrorIs(t, err, sdjwt.ErrKeyBinding)
	})
}

func TestConfirmationRefuses(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		good := func() map[string]any {
			var key map[string]any
			tok := strings.Split(string(f.secure(t).Bytes), ".")[1]
			var p struct{ Cnf struct{ Jwk map[string]any } }
			require.NoError(t, json.Unmarshal(unbase64(t, tok), &p))
			key = p.Cnf.Jwk
			return key
		}()
		with := func(change func(map[string]any)) string {
			c := map[string]any{}
			for k, v := range good {
				c[k] = v
			}
			change(c)
			b, err := json.Marshal(map[string]any{"jwk": c})
			require.NoError(t, err)
			return string(b)
		}
		for name, cnf := range map[string]string{
			"text":        `"x"`,
			"null":        `null`,
			"empty":       `{}`,
			"kid":         `{"kid":"did:example:rowan#1"}`,
			"jku":         `{"jku":"https://keys.example/"}`,
			"jwk text":    `{"jwk":"x"}`,
			"private":     with(func(k map[string]any) { k["d"] = "AAAA" }),
			"off curve":   with(func(k map[string]any) { k["x"] = k["y"] }),
			"other curve": with(func(k map[string]any) { k["crv"] = "secp256k1" }),
			"symmetric":   with(func(k map[string]any) { k["kty"] = "oct" }),
			"agreement":   `{"jwk":{"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}}`,
		} {
			tok, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, `,"cnf":`+cnf))})
			require.NoError(t, err, name)
			_, err = tok.Confirmation()
			require.ErrorIs(t, err, sdjwt.ErrKeyBinding, name)
			require.ErrorIs(t, tok.VerifyKeyBinding(), sdjwt.ErrKeyBinding, name)
		}
	})
}

func TestPresenter(t *testing.T) {
	t.Parallel()
	f := newFixture(t, sdjwt.MediaTypeCredential, sections(t)...)
	bare, err := sdjwt.Present(t.Context(), f.secure(t), sdjwt.Presenting{Reveal: []vc.Pointer{"/credentialSubject/registration"}})
	require.NoError(t, err)
	h := &sdjwt.Presenter{Signer: f.holder, Lifetime: 5 * 60e9, Now: at(now)}
	document := func() *vc.Presentation { return vc.NewPresentation(f.holder.VerificationMethod().DID, bare) }
	s, err := h.Present(t.Context(), document(), audience, nonce)
	require.NoError(t, err)
	require.Equal(t, sdjwt.MediaTypePresentation, s.MediaType)
	tok, err := sdjwt.Parse(s)
	require.NoError(t, err)
	require.Equal(t, sdjwt.MediaTypePresentation, tok.MediaType())
	require.NoError(t, tok.Verify(f.holder.Public()))
	require.Equal(t, f.holder.VerificationMethod().String(), tok.KeyID())
	c := tok.Claims()
	require.Equal(t, []string{audience}, c.Audience)
	require.Equal(t, nonce, c.Nonce)
	require.Equal(t, now, c.IssuedAt)
	require.Equal(t, now.Add(5*60e9), c.Expires)
	p, err := vc.CheckPresentationObject(tok.Document())
	require.NoError(t, err)
	require.Equal(t, f.holder.VerificationMethod().DID.String(), p.Holder.ID)
	again, err := vc.ParsePresentation([]byte(text(t, tok.Document())))
	require.NoError(t, err)
	require.Equal(t, []vc.Secured{bare}, again.Credentials)
	inner, err := sdjwt.Parse(again.Credentials[0])
	require.NoError(t, err)
	require.NoError(t, inner.Verify(f.issuer.Public()))

	for name, change := range map[string]func(h *sdjwt.Presenter, p *vc.Presentation, audience, nonce *string){
		"no signer":    func(h *sdjwt.Presenter, _ *vc.Presentation, _, _ *string) { h.Signer = nil },
		"no audience":  func(_ *sdjwt.Presenter, _ *vc.Presentation, a, _ *string) { *a = "" },
		"no nonce":     func(_ *sdjwt.Presenter, _ *vc.Presentation, _, n *string) { *n = "" },
		"other holder": func(_ *sdjwt.Presenter, p *vc.Presentation, _, _ *string) { p.Holder.ID = "did:example:alder" },
		"other context": func(_ *sdjwt.Presenter, p *vc.Presentation, _, _ *string) {
			p.Context = vc.Contexts("https://other.example/")
		},
		"no context": func(_ *sdjwt.Presenter, p *vc.Presentation, _, _ *string) { p.Context = nil },
		"no type":    func(_ *sdjwt.Presenter, p *vc.Presentation, _, _ *string) { p.Type = nil },
		"member aud": func(_ *sdjwt.Presenter, p *vc.Presentation, _, _ *string) {
			p.Other = map[string]json.RawMessage{"aud": []byte(`"x"`)}
		},
		"member _sd": func(_ *sdjwt.Presenter, p *vc.Presentation, _, _ *string) {
			p.Other = map[string]json.RawMessage{"_sd": []byte(`[]`)}
		},
		"member cnf": func(_ *sdjwt.Presenter, p *vc.Presentation, _, _ *string) {
			p.Other = map[string]json.RawMessage{"cnf": []byte(`{}`)}
		},
		"not Unicode":  func(_ *sdjwt.Presenter, _ *vc.Presentation, _, n *string) { *n = "\xff" },
		"beyond 1 MiB": func(_ *sdjwt.Presenter, _ *vc.Presentation, a, _ *string) { *a = strings.Repeat("a", 1<<20) },
	} {
		h, p, a, n := *h, document(), audience, nonce
		change(&h, p, &a, &n)
		_, err := h.Present(t.Context(), p, a, n)
		require.Error(t, err, name)
	}
	_, err = h.Present(t.Context(), nil, audience, nonce)
	require.ErrorIs(t, err, sdjwt.ErrConfig)
}
