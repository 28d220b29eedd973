package jws_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// RFC 8037 appendix A.4 and RFC 7515 appendix A.3.
const (
	eddsaSeed  = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
	eddsaToken = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
	es256X     = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
	es256Y     = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	es256Token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)

func decode(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	require.NoError(t, err)
	return b
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// token returns a message with that header and any payload and signature.
func token(header string) string { return encode(header) + "." + encode(`{}`) + "." + encode("sig") }

func TestRFC8037(t *testing.T) {
	t.Parallel()
	key := ed25519.NewKeyFromSeed(decode(t, eddsaSeed))
	m, err := jws.ParseCompact([]byte(eddsaToken))
	require.NoError(t, err)
	require.Equal(t, "EdDSA", m.Header.Algorithm)
	require.Equal(t, "Example of Ed25519 signing", string(m.Payload))
	require.True(t, ed25519.Verify(key.Public().(ed25519.PublicKey), m.SigningInput(), m.Signature))

	again, err := jws.Compact(m.Header.Tree, m.Payload, func(input []byte) ([]byte, error) {
		require.Equal(t, m.SigningInput(), input)
		return ed25519.Sign(key, input), nil
	})
	require.NoError(t, err)
	require.Equal(t, eddsaToken, string(again))
}

func TestRFC7515(t *testing.T) {
	t.Parallel()
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, decode(t, es256X)...), decode(t, es256Y)...))
	require.NoError(t, err)
	m, err := jws.ParseCompact([]byte(es256Token))
	require.NoError(t, err)
	require.Equal(t, "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}", string(m.Payload))
	digest := sha256.Sum256(m.SigningInput())
	require.True(t, ecdsa.Verify(pub, digest[:], new(big.Int).SetBytes(m.Signature[:32]), new(big.Int).SetBytes(m.Signature[32:])))
}

// Each byte of a token is either part of what is signed or of the signature, or
// makes the token unreadable.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	pub := ed25519.NewKeyFromSeed(decode(t, eddsaSeed)).Public().(ed25519.PublicKey)
	for i := range len(eddsaToken) {
		for _, bit := range []byte{1, 2, 32, 128} {
			changed := []byte(eddsaToken)
			changed[i] ^= bit
			if m, err := jws.ParseCompact(changed); err == nil {
				require.False(t, ed25519.Verify(pub, m.SigningInput(), m.Signature), "byte %d", i)
			}
		}
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	m, err := jws.ParseCompact([]byte(token(`{"alg":"ES256","kid":"did:example:a#k","typ":"vc+jwt","cty":"vc","x5c":["MII="],"other":{"a":[1]}}`)))
	require.NoError(t, err)
	require.Equal(t, "ES256", m.Header.Algorithm)
	require.Equal(t, "did:example:a#k", m.Header.KeyID)
	require.Equal(t, "vc+jwt", m.Header.Type)
	require.Equal(t, "vc", m.Header.ContentType)
	require.Equal(t, 6, m.Header.Tree.Len())
	require.Equal(t, "jws.Message{2 bytes}", fmt.Sprintf("%v", m))
	require.Equal(t, "jws.Message{2 bytes}", fmt.Sprintf("%#v", m))
}

func TestHeader_Fits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header, key string
		want        bool
	}{
		{"EdDSA", "EdDSA", true},
		{"Ed25519", "EdDSA", true},
		{"EdDSA", "Ed25519", true},
		{"ES256", "ES256", true},
		{"ES384", "ES384", true},
		{"ES256", "ES384", false},
		{"ES256", "EdDSA", false},
		{"HS256", "ES256", false},
		{"Ed448", "EdDSA", false},
		{"eddsa", "EdDSA", false},
		{"ED25519", "EdDSA", false},
		{"", "", false},
		{"", "EdDSA", false},
	} {
		require.Equal(t, c.want, jws.Header{Algorithm: c.header}.Fits(c.key), "%s with a key for %s", c.header, c.key)
	}
}

func TestMediaType(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                   "",
		"JWT":                "application/jwt",
		"vc+jwt":             "application/vc+jwt",
		"application/VC+JWT": "application/vc+jwt",
		"text/plain":         "text/plain",
	} {
		require.Equal(t, want, jws.MediaType(in))
	}
}

func TestParseCompact_Refused(t *testing.T) {
	t.Parallel()
	h, p, s := encode(`{"alg":"ES256"}`), encode("{}"), encode("sig")
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"nothing":                    {"", jws.ErrSyntax},
		"no dot":                     {h, jws.ErrSyntax},
		"one dot":                    {h + "." + p, jws.ErrSyntax},
		"three dots":                 {h + "." + p + "." + s + ".", jws.ErrSyntax},
		"JWE":                        {h + "." + p + "." + s + "." + p + "." + s, jws.ErrSyntax},
		"no header":                  {"." + p + "." + s, jws.ErrSyntax},
		"no payload":                 {h + ".." + s, jws.ErrSyntax},
		"no signature":               {h + "." + p + ".", jws.ErrSyntax},
		"padding":                    {h + "." + p + "." + s + "=", jws.ErrSyntax},
		"padded header":              {base64.URLEncoding.EncodeToString([]byte(`{"alg":"ES256" }`)) + "." + p + "." + s, jws.ErrSyntax},
		"standard base64":            {h + "." + p + ".+/+/", jws.ErrSyntax},
		"line feed at the end":       {h + "." + p + "." + s + "\n", jws.ErrSyntax},
		"line feed inside":           {h + "." + p[:2] + "\n" + p[2:] + "." + s, jws.ErrSyntax},
		"carriage return":            {h + "\r." + p + "." + s, jws.ErrSyntax},
		"space":                      {h + " ." + p + "." + s, jws.ErrSyntax},
		"second spelling of a byte":  {h + "." + p + "." + "AB", jws.ErrSyntax},
		"one character":              {h + "." + p + ".A", jws.ErrSyntax},
		"not UTF-8":                  {h + "." + p + ".\xff\xff", jws.ErrSyntax},
		"header is an array":         {token(`["alg"]`), jws.ErrSyntax},
		"header is text":             {token(`"ES256"`), jws.ErrSyntax},
		"header and more":            {token(`{"alg":"ES256"}{}`), jws.ErrSyntax},
		"byte order mark":            {token("\ufeff" + `{"alg":"ES256"}`), jws.ErrSyntax},
		"alg twice":                  {token(`{"alg":"ES256","alg":"none"}`), strictjson.ErrDuplicate},
		"alg in another case":        {token(`{"alg":"ES256","ALG":"none"}`), strictjson.ErrDuplicate},
		"kid twice, escaped":         {token(`{"alg":"ES256","kid":"a","\u006bid":"b"}`), strictjson.ErrDuplicate},
		"deep header":                {token(`{"alg":"ES256","a":` + strings.Repeat("[", 9) + strings.Repeat("]", 9) + `}`), strictjson.ErrTooDeep},
		"header of many values":      {token(`{"alg":"ES256","a":[` + strings.Repeat("1,", 300) + `1]}`), strictjson.ErrTooLarge},
		"alg is a number":            {token(`{"alg":256}`), jws.ErrHeader},
		"alg is null":                {token(`{"alg":null}`), jws.ErrHeader},
		"kid is an object":           {token(`{"alg":"ES256","kid":{}}`), jws.ErrHeader},
		"kid is empty":               {token(`{"alg":"ES256","kid":""}`), jws.ErrHeader},
		"typ is a list":              {token(`{"alg":"ES256","typ":["vc+jwt"]}`), jws.ErrHeader},
		"cty is true":                {token(`{"alg":"ES256","cty":true}`), jws.ErrHeader},
		"a JSON serialisation":       {`{"protected":"` + h + `","payload":"` + p + `","signature":"` + s + `"}`, jws.ErrSyntax},
		"a JSON serialisation, dots": {`{"header":{"alg":"ES256"},"a.b.c":1}`, jws.ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := jws.ParseCompact([]byte(c.in))
			require.Nil(t, m)
			require.ErrorIs(t, err, c.want)
			require.True(t, strings.HasPrefix(err.Error(), "jws: "), err.Error())
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	sign := func(n int) func([]byte) ([]byte, error) {
		return func([]byte) ([]byte, error) { return make([]byte, n), nil }
	}
	header := func(size int) *strictjson.Object {
		const frame = len(`{"alg":"ES256","kid":""}`)
		return strictjson.NewObject(
			strictjson.Member{Name: "alg", Value: "ES256"},
			strictjson.Member{Name: "kid", Value: strings.Repeat("k", size-frame)},
		)
	}
	full, err := jws.Compact(header(jws.MaxHeader), make([]byte, jws.MaxPayload), sign(jws.MaxSignature))
	require.NoError(t, err)
	m, err := jws.ParseCompact(full)
	require.NoError(t, err)
	require.Len(t, m.Payload, jws.MaxPayload)
	require.Len(t, m.Signature, jws.MaxSignature)

	_, err = jws.ParseCompact(append(full, 'A'))
	require.ErrorIs(t, err, jws.ErrTooLarge)
	for name, make := range map[string]func() ([]byte, error){
		"header":    func() ([]byte, error) { return jws.Compact(header(jws.MaxHeader+1), []byte("{}"), sign(64)) },
		"payload":   func() ([]byte, error) { return jws.Compact(header(64), make([]byte, jws.MaxPayload+1), sign(64)) },
		"signature": func() ([]byte, error) { return jws.Compact(header(64), []byte("{}"), sign(jws.MaxSignature+1)) },
	} {
		_, err := make()
		require.ErrorIs(t, err, jws.ErrTooLarge, name)
	}
	part := func(n int) string { return strings.Repeat("A", base64.RawURLEncoding.EncodedLen(n)) }
	h, one := encode(`{"alg":"ES256"}`), part(3)
	for name, parts := range map[string][3]string{
		"header":    {part(jws.MaxHeader + 1), one, one},
		"payload":   {h, part(jws.MaxPayload + 1), one},
		"signature": {h, one, part(jws.MaxSignature + 1)},
	} {
		_, err := jws.ParseParts(parts[0], parts[1], parts[2])
		require.ErrorIs(t, err, jws.ErrTooLarge, name)
	}
}

func TestCompact_Refused(t *testing.T) {
	t.Parallel()
	sign := func([]byte) ([]byte, error) { return []byte("sig"), nil }
	failed := errors.New("no key")
	header := func(members ...string) *strictjson.Object {
		o := strictjson.NewObject()
		for i := 0; i < len(members); i += 2 {
			o.Set(members[i], members[i+1])
		}
		return o
	}
	for name, c := range map[string]struct {
		header  *strictjson.Object
		payload string
		sign    func([]byte) ([]byte, error)
		want    error
	}{
		"no alg":        {header("kid", "a"), "{}", sign, jws.ErrAlgorithm},
		"none":          {header("alg", "none"), "{}", sign, jws.ErrAlgorithm},
		"b64":           {header("alg", "ES256", "b64", "false"), "{}", sign, jws.ErrCritical},
		"no payload":    {header("alg", "ES256"), "", sign, jws.ErrSyntax},
		"bad text":      {header("alg", "\xff"), "{}", sign, strictjson.ErrEncoding},
		"no signature":  {header("alg", "ES256"), "{}", func([]byte) ([]byte, error) { return nil, nil }, jws.ErrSyntax},
		"signer failed": {header("alg", "ES256"), "{}", func([]byte) ([]byte, error) { return nil, failed }, failed},
		"nil header":    {nil, "{}", sign, jws.ErrAlgorithm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := jws.Compact(c.header, []byte(c.payload), c.sign)
			require.Nil(t, out)
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestAbuse_JW01_AlgorithmNone(t *testing.T) {
	t.Parallel()
	for _, header := range []string{
		`{"alg":"none"}`, `{"alg":"None"}`, `{"alg":"nOnE"}`, `{"alg":"NONE"}`, `{"alg":"\u006eone"}`,
		`{"typ":"vc+jwt"}`, `{}`,
	} {
		for _, signature := range []string{"", encode("sig")} {
			for _, in := range []string{encode(header) + "." + encode("{}") + "." + signature, encode(header) + "." + encode("{}")} {
				_, err := jws.ParseCompact([]byte(in))
				require.Error(t, err)
			}
		}
		_, err := jws.ParseCompact([]byte(token(header)))
		require.ErrorIs(t, err, jws.ErrAlgorithm, header)
	}
	// What is only like it is of no use either: no key has that algorithm.
	for _, alg := range []string{"none ", "n\u006fne\u0000", "nοne"} {
		require.False(t, jws.Header{Algorithm: alg}.Fits("EdDSA"))
	}
}

func TestAbuse_JW03_Critical(t *testing.T) {
	t.Parallel()
	for _, header := range []string{
		`{"alg":"ES256","crit":["urn:x:must"],"urn:x:must":true}`, `{"alg":"ES256","crit":["urn:x:must"]}`, `{"alg":"ES256","crit":[]}`,
		`{"alg":"ES256","crit":null}`, `{"alg":"ES256","crit":["alg"]}`, `{"alg":"ES256","crit":"b64"}`,
	} {
		_, err := jws.ParseCompact([]byte(token(header)))
		require.ErrorIs(t, err, jws.ErrCritical, header)
	}
}

func TestAbuse_JW08_UnencodedPayload(t *testing.T) {
	t.Parallel()
	for _, header := range []string{
		`{"alg":"ES256","b64":false,"crit":["b64"]}`, `{"alg":"ES256","b64":false}`, `{"alg":"ES256","b64":true}`, `{"alg":"ES256","b64":null}`,
	} {
		_, err := jws.ParseCompact([]byte(token(header)))
		require.ErrorIs(t, err, jws.ErrCritical, header)
		_, err = jws.ParseCompact([]byte(encode(header) + `.{"a":1}.` + encode("sig")))
		require.ErrorIs(t, err, jws.ErrCritical, header)
	}
}

// Not parallel: it measures the heap of the process.
func TestAbuse_JW15_Bombs(t *testing.T) {
	h := encode(`{"alg":"ES256"}`)
	for name, in := range map[string]string{
		"1,000,000 dots":         strings.Repeat(".", 1_000_000),
		"dots behind a header":   h + strings.Repeat(".", 1_000_000),
		"dots behind a payload":  h + ".e30." + strings.Repeat(".", 1_000_000),
		"JSON without protected": `{"payload":"e30","signatures":[{"header":{"alg":"ES256"},"signature":"c2ln"}]}`,
		"JSON, two signatures":   `{"payload":"e30","signatures":[{"protected":"` + h + `","signature":"c2ln"},{"protected":"` + h + `","signature":"c2ln"}]}`,
		"JSON of dots":           `{"a":"` + strings.Repeat(".", 1_000_000) + `"}`,
		"10 MiB":                 strings.Repeat("A", 10<<20),
		"10 MiB of payload":      h + "." + strings.Repeat("A", 10<<20) + ".c2ln",
		"10 MiB of signature":    h + ".e30." + strings.Repeat("A", 10<<20),
	} {
		var before, after runtime.MemStats
		b := []byte(in)
		runtime.ReadMemStats(&before)
		_, err := jws.ParseCompact(b)
		runtime.ReadMemStats(&after)
		require.Error(t, err, name)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2*len(in)+64<<10), name)
	}
}

func FuzzParseCompact(f *testing.F) {
	for _, seed := range []string{eddsaToken, es256Token, token(`{"alg":"none"}`), token(`{"alg":"ES256","crit":["b64"]}`), strings.Repeat(".", 100)} {
		f.Add([]byte(seed))
	}
	pub := ed25519.NewKeyFromSeed(decode(f, eddsaSeed)).Public().(ed25519.PublicKey)
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := jws.ParseCompact(in)
		if err != nil {
			return
		}
		if ed25519.Verify(pub, m.SigningInput(), m.Signature) && string(in) != eddsaToken {
			t.Fatal("a token that nobody signed verifies")
		}
		header, _, _ := strings.Cut(string(in), ".")
		again := header + "." + base64.RawURLEncoding.EncodeToString(m.Payload) + "." + base64.RawURLEncoding.EncodeToString(m.Signature)
		require.Equal(t, string(in), again)
	})
}
