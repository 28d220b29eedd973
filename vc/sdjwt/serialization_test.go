package sdjwt_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// flattened returns the members of the flattened JSON form.
func flattened(t testing.TB, s vc.Secured) (out map[string]any) {
	t.Helper()
	flat, err := sdjwt.JSON(s)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(flat.Bytes, &out))
	return out
}

// general returns the general JSON form, with that many signatures.
func general(t testing.TB, s vc.Secured, signatures int) []byte {
	t.Helper()
	m := flattened(t, s)
	payload := m["payload"]
	delete(m, "payload")
	list := []any{m}
	for len(list) < signatures {
		list = append(list, map[string]any{"protected": m["protected"], "signature": m["signature"]})
	}
	b, err := json.Marshal(map[string]any{"payload": payload, "signatures": list})
	require.NoError(t, err)
	return b
}

// The flattened form has the parts of the compact form as they are.
func TestJSON(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		for name, s := range map[string]vc.Secured{
			"held":            f.secure(t),
			"shown":           f.present(t, f.secure(t), "/credentialSubject/dbs"),
			"nothing shown":   f.present(t, f.secure(t)),
			"without binding": join(f.secure(t), []string{parts(f.secure(t))[0], ""}),
		} {
			p := parts(s)
			jwt := strings.Split(p[0], ".")
			header := map[string]any{"disclosures": []any{}}
			for _, d := range p[1 : len(p)-1] {
				header["disclosures"] = append(header["disclosures"].([]any), d)
			}
			if kb := p[len(p)-1]; kb != "" {
				header["kb_jwt"] = kb
			}
			require.Equal(t, map[string]any{"payload": jwt[1], "protected": jwt[0], "signature": jwt[2], "header": header}, flattened(t, s), name)
			flat, err := sdjwt.JSON(s)
			require.NoError(t, err)
			require.Equal(t, form, flat.MediaType)
			again, err := sdjwt.JSON(flat)
			require.NoError(t, err)
			require.Equal(t, flat, again, name)
		}
	})
}

func TestJSON_Refused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC)
	good := f.secure(t)
	jwt := parts(good)[0]
	room := 3<<19 - len(jwt) - 4 // what is left for a compact token and makes too long a flattened one
	for name, c := range map[string]struct {
		s    vc.Secured
		want error
	}{
		"no media type":      {vc.Secured{Bytes: good.Bytes}, sdjwt.ErrType},
		"another media type": {vc.Secured{MediaType: "application/vc+jwt", Bytes: good.Bytes}, sdjwt.ErrType},
		"nothing":            {vc.Secured{MediaType: f.MediaType}, sdjwt.ErrSyntax},
		"a JWT":              {vc.Secured{MediaType: f.MediaType, Bytes: []byte(jwt)}, sdjwt.ErrSyntax},
		"no JWT":             {vc.Secured{MediaType: f.MediaType, Bytes: []byte("a.b.c~")}, sdjwt.ErrSyntax},
		"two signatures":     {vc.Secured{MediaType: f.MediaType, Bytes: general(t, good, 2)}, sdjwt.ErrSyntax},
		"not text":           {vc.Secured{MediaType: f.MediaType, Bytes: []byte(jwt + "~\xff~")}, sdjwt.ErrSyntax},
		"too large":          {vc.Secured{MediaType: f.MediaType, Bytes: []byte(jwt + "~" + strings.Repeat("A", room) + "~")}, strictjson.ErrTooLarge},
		"too many":           {vc.Secured{MediaType: f.MediaType, Bytes: []byte(jwt + strings.Repeat("~", 514))}, strictjson.ErrTooLarge},
	} {
		out, err := sdjwt.JSON(c.s)
		require.ErrorIs(t, err, c.want, name)
		require.Zero(t, out, name)
	}
}

func TestParseJSONForms(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		shown := f.present(t, f.secure(t), "/credentialSubject/dbs")
		made, err := sdjwt.JSON(shown)
		require.NoError(t, err)
		flat, one := string(made.Bytes), general(t, shown, 1)
		compact, err := sdjwt.Parse(shown)
		require.NoError(t, err)
		for _, b := range []string{flat, string(one), strings.Replace(flat, `"header":{`, `"header":{"x":1,`, 1), strings.Replace(flat, `{`, `{"unknown":[],`, 1)} {
			s := vc.Secured{MediaType: form, Bytes: []byte(b)}
			require.NoError(t, f.verify(s))
			tok, err := sdjwt.Parse(s)
			require.NoError(t, err)
			require.Equal(t, text(t, compact.Document()), text(t, tok.Document()))
		}
		held, err := sdjwt.JSON(f.secure(t))
		require.NoError(t, err)
		require.NoError(t, f.verify(f.present(t, held, "/credentialSubject/dbs")), "presented in compact form")

		for _, c := range []struct{ old, new string }{
			{`{`, `[{`},
			{`"payload"`, `"pay"`},
			{`"signature"`, `"sig"`},
			{`"protected"`, `"prot"`},
			{`"header":{`, `"header":[],"x":{`},
			{`"header":{`, `"header":"x","x":{`},
			{`"header":{`, `"header":{"alg":"ES256",`},
			{`"header":{`, `"header":{"kid":"x",`}, // it is protected too
			{`"header":{`, `"header":{"crit":["x"],`},
			{`"header":{`, `"header":{"b64":false,`},
			{`"header":{`, `"header":{"typ":"x",`},
			{`"header":{`, `"header":{"cty":"x",`},
			{`"disclosures":[`, `"disclosures":[5,`},
			{`"disclosures":[`, `"disclosures":{},"x":[`},
			{`"disclosures":[`, `"disclosures":["",`},
			{`"kb_jwt":"`, `"kb_jwt":"","x":"`},
			{`"kb_jwt":"`, `"kb_jwt":5,"x":"`},
			{`"kb_jwt":"`, `"kb_jwt":"x`},
			{`"payload":"`, `"payload":"A`},
			{`"payload":"`, `"signatures":[],"payload":"`},
			{`"payload":"`, `"payload":"x","payload":"`},
		} {
			b := strings.Replace(flat, c.old, c.new, 1)
			require.NotEqual(t, flat, b)
			require.Error(t, f.verify(vc.Secured{MediaType: form, Bytes: []byte(b)}), c.new)
		}
		for _, b := range []string{
			strings.Replace(string(one), `"signatures":[`, `"signatures":[],"x":[`, 1),
			strings.Replace(string(one), `"signatures":[`, `"signatures":"x","x":[`, 1),
			strings.Replace(string(one), `"signatures":[`, `"signatures":[5,`, 1),
			strings.Replace(string(one), `"signatures":[`, `"signature":"x","signatures":[`, 1),
			strings.Replace(string(one), `"signatures":[`, `"header":{},"signatures":[`, 1),
			`{}`, `{"payload":"e30"}`, `{`, `{"payload":5}`,
		} {
			_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: []byte(b)})
			require.ErrorIs(t, err, sdjwt.ErrSyntax, "%.60s", b)
		}
		_, err = sdjwt.Parse(vc.Secured{MediaType: form, Bytes: general(t, shown, 2)})
		require.ErrorIs(t, err, sdjwt.ErrSyntax, "a second signature, which nobody would check")
		var two map[string]any
		require.NoError(t, json.Unmarshal(general(t, shown, 2), &two))
		signatures := two["signatures"].([]any)
		signatures[0], signatures[1] = signatures[1], signatures[0] // disclosures in the second header
		b, err := json.Marshal(two)
		require.NoError(t, err)
		_, err = sdjwt.Parse(vc.Secured{MediaType: form, Bytes: b})
		require.ErrorIs(t, err, sdjwt.ErrSyntax)
	})
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC)
	jwt := parts(f.secure(t))[0]
	for _, text := range []string{
		"", "~", "~~", "x", "x~", "a.b.c", "a.b.c~", jwt, jwt + ".x~", "." + jwt + "~", jwt[1:] + "~", " " + jwt + "~", jwt + " ~", jwt + "\n~", "\xff~",
		strings.Replace(jwt, ".", "", 1) + "~", strings.Replace(jwt, ".", "..", 1) + "~", jwt + "=~",
	} {
		_, err := sdjwt.Parse(vc.Secured{MediaType: f.MediaType, Bytes: []byte(text)})
		require.ErrorIs(t, err, sdjwt.ErrSyntax, "%.20q", text)
	}
	for _, text := range []string{jwt + "~~", jwt + "~ ~", jwt + "~\n~"} {
		_, err := sdjwt.Parse(vc.Secured{MediaType: f.MediaType, Bytes: []byte(text)})
		require.ErrorIs(t, err, sdjwt.ErrDisclosure, "%.20q", text)
	}
	for _, text := range []string{jwt + "~ ", jwt + "~x", jwt + "~a.b.c"} {
		_, err := sdjwt.Parse(vc.Secured{MediaType: f.MediaType, Bytes: []byte(text)})
		require.ErrorIs(t, err, sdjwt.ErrKeyBinding, "%.20q", text)
	}
	for _, payload := range []string{`[]`, `"x"`, `null`, ` `, `{`, `{}x`} {
		_, err := sdjwt.Parse(vc.Secured{MediaType: f.MediaType, Bytes: forge(t, f.issuer, headerOf(f.issuer, f.MediaType), payload)})
		require.ErrorIs(t, err, sdjwt.ErrSyntax, payload)
	}
}

// The digest of a disclosure is over its text, so that an issuer could vouch for one
// that base64url readers do not agree about.
func TestDisclosureOfAnotherSpelling(t *testing.T) {
	t.Parallel()
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC)
	good := textOf(`["salt","band","5"]`)
	for name, text := range map[string]string{
		"line break": good[:4] + "\n" + good[4:], "return": good + "\r", "padding": good + "=", "other last character": good[:len(good)-1] + "1", "standard alphabet": textOf(`["salt","band","???>>>"]`) + "+",
	} {
		sum := sha256.Sum256([]byte(text))
		payload := payloadOf(f.MediaType, `,"_sd":["`+base64.RawURLEncoding.EncodeToString(sum[:])+`"]`)
		_, err := sdjwt.Parse(vc.Secured{MediaType: f.MediaType, Bytes: forge(t, f.issuer, headerOf(f.issuer, f.MediaType), payload, text)})
		require.ErrorIs(t, err, sdjwt.ErrDisclosure, name)
	}
}

// What another issuer makes has the same limit, in both forms.
func TestDisclosureLimit_Reading(t *testing.T) {
	t.Parallel()
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC)
	var texts, digests []string
	for i := range 513 {
		d, digest := disclose(fmt.Sprintf(`["s","n%d",1]`, i))
		texts, digests = append(texts, d), append(digests, digest)
	}
	for n, want := range map[int]error{512: nil, 513: sdjwt.ErrSyntax} {
		payload := payloadOf(f.MediaType, `,"_sd":["`+strings.Join(digests, `","`)+`"]`)
		s := vc.Secured{MediaType: f.MediaType, Bytes: forge(t, f.issuer, headerOf(f.issuer, f.MediaType), payload, texts[:n]...)}
		_, err := sdjwt.Parse(s)
		require.ErrorIs(t, err, want)
		p := parts(s)
		jwt := strings.Split(p[0], ".")
		list, err := json.Marshal(p[1 : len(p)-1])
		require.NoError(t, err)
		s.Bytes = []byte(`{"payload":"` + jwt[1] + `","protected":"` + jwt[0] + `","signature":"` + jwt[2] + `","header":{"disclosures":` + string(list) + `}}`)
		_, err = sdjwt.Parse(s)
		require.ErrorIs(t, err, want)
	}
}

// 512 disclosures are taken, one more is not.
func TestDisclosureLimit(t *testing.T) {
	t.Parallel()
	for n, ok := range map[int]bool{512: true, 513: false} {
		f := newFixture(t, sdjwt.MediaTypeSDJWTVC)
		var b strings.Builder
		for i := range n {
			name := "c" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26)
			b.WriteString(`"` + name + `":1,`)
			f.Disclosable = append(f.Disclosable, vc.Pointer("/credentialSubject/"+name))
		}
		f.credential.Subject = json.RawMessage(`{` + b.String() + `"z":1}`)
		s, err := f.Secure(t.Context(), f.credential)
		if !ok {
			require.ErrorIs(t, err, sdjwt.ErrSyntax)
			continue
		}
		require.NoError(t, err)
		_, err = sdjwt.Parse(s)
		require.NoError(t, err)
		require.NoError(t, f.verify(f.present(t, s, "/credentialSubject/z")))
	}
}
