package status_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
)

// A keeper issues Token Status Lists.
type keeper struct {
	id     did.DID
	signer did.Signer
	method *did.VerificationMethod
}

func newKeeper(t testing.TB, key crypto.Signer) keeper {
	t.Helper()
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	res, err := didkey.Resolver{}.Resolve(context.Background(), id, did.Version{})
	require.NoError(t, err)
	m, err := res.Document.MethodUsed(s.VerificationMethod(), did.AssertionMethod, noon, noon)
	require.NoError(t, err)
	return keeper{id, s, m}
}

func edKeeper(t testing.TB) keeper {
	t.Helper()
	return newKeeper(t, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)))
}

func ecKeeper(t testing.TB, c elliptic.Curve) keeper {
	t.Helper()
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	require.NoError(t, err)
	return newKeeper(t, key)
}

// authority knows the keeper's key.
func (k keeper) authority() believing {
	return believing{keys: map[string]*did.VerificationMethod{k.signer.VerificationMethod().String(): k.method}}
}

func zlibbed(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// claims are those of a list of 16 entries of two bits: the second is revoked, the third
// suspended, the fourth something else.
func claims(t testing.TB) map[string]any {
	t.Helper()
	return map[string]any{
		"sub": listURL, "iat": noon.Unix(), "exp": noon.Add(24 * time.Hour).Unix(), "ttl": 60,
		"status_list": map[string]any{"bits": 2, "lst": base64.RawURLEncoding.EncodeToString(zlibbed(t, []byte{0b11_10_01_00, 0, 0, 0}))},
	}
}

// jwt signs claims.
func (k keeper) jwt(t testing.TB, header, claims map[string]any) vc.Secured {
	t.Helper()
	algorithm, err := did.Algorithm(k.signer.Public())
	require.NoError(t, err)
	h := map[string]any{"alg": algorithm, "kid": k.signer.VerificationMethod().String(), "typ": "statuslist+jwt"}
	for name, v := range header {
		if h[name] = v; v == nil {
			delete(h, name)
		}
	}
	part := func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	input := part(h) + "." + part(claims)
	sig, err := did.Sign(context.Background(), k.signer, []byte(input))
	require.NoError(t, err)
	return vc.Secured{MediaType: status.MediaTypeJWT, Bytes: []byte(input + "." + base64.RawURLEncoding.EncodeToString(sig))}
}

// cwt signs the same claims as a CWT.
func (k keeper) cwt(t testing.TB, change ...func(protected, unprotected, claims map[any]any)) vc.Secured {
	t.Helper()
	algorithm, err := did.Algorithm(k.signer.Public())
	require.NoError(t, err)
	protected := map[any]any{1: map[string]int{"EdDSA": -8, "ES256": -7, "ES384": -35}[algorithm], 16: "application/statuslist+cwt"}
	unprotected := map[any]any{4: []byte(k.signer.VerificationMethod().String())}
	c := map[any]any{2: listURL, 6: noon.Unix(), 4: noon.Add(24 * time.Hour).Unix(), 65534: 60,
		65533: map[string]any{"bits": 2, "lst": zlibbed(t, []byte{0b11_10_01_00, 0, 0, 0})}}
	for _, f := range change {
		f(protected, unprotected, c)
	}
	marshal := func(v any) []byte {
		b, err := cbor.Marshal(v)
		require.NoError(t, err)
		return b
	}
	head, payload := marshal(protected), marshal(c)
	input := marshal([]any{"Signature1", head, []byte{}, payload})
	sig, err := did.Sign(context.Background(), k.signer, input)
	require.NoError(t, err)
	return vc.Secured{MediaType: status.MediaTypeCWT, Bytes: marshal(cbor.Tag{Number: 18, Content: []any{head, unprotected, payload, sig}})}
}

// TestToken reads lists of either form, by every kind of key.
func TestToken(t *testing.T) {
	t.Parallel()
	for _, k := range []keeper{edKeeper(t), ecKeeper(t, elliptic.P256()), ecKeeper(t, elliptic.P384())} {
		for _, s := range []vc.Secured{
			k.jwt(t, nil, claims(t)), k.cwt(t),
			k.cwt(t, func(protected, unprotected, _ map[any]any) {
				protected[4] = unprotected[4]
				delete(unprotected, 4)
			}),
		} {
			token, err := status.ParseToken(s)
			require.NoError(t, err)
			require.Equal(t, 16, token.Len())
			require.Equal(t, listURL, token.URI)
			require.Equal(t, time.Minute, token.TTL)
			require.NoError(t, token.Verify(k.signer.Public()))
			require.ErrorIs(t, token.Verify(ecKeeper(t, elliptic.P256()).signer.Public()), status.ErrList)
			require.ErrorIs(t, token.Verify(nil), status.ErrList)

			w := &web{}
			w.page(listURL, s)
			l := &status.Lists{Client: w}
			for index, want := range map[int]error{0: nil, 1: status.ErrRevoked, 2: status.ErrSuspended, 3: status.ErrUnsupported, 15: nil, 16: status.ErrRange} {
				err := l.Check(context.Background(), status.Reference{List: listURL, Index: index}, []did.DID{k.id}, noon, k.authority())
				require.ErrorIs(t, err, want, index)
			}
			require.Equal(t, 1, w.count(listURL))
			require.Equal(t, []string{status.MediaTypeJWT, status.MediaTypeCWT}, w.types)
			err = l.Check(context.Background(), status.Reference{List: listURL, Index: 0}, river(t), noon, k.authority())
			require.ErrorIs(t, err, status.ErrList, "of another issuer")
			err = l.Check(context.Background(), revocation(0), []did.DID{k.id}, noon, k.authority())
			require.ErrorIs(t, err, status.ErrList, "of another kind")
		}
	}
}

// TestTokenTimes: a list says nothing before and after its time, and none takes the
// place of a newer one.
func TestTokenTimes(t *testing.T) {
	t.Parallel()
	k, w := edKeeper(t), &web{}
	check := func(l *status.Lists, d time.Duration) error {
		return l.Check(context.Background(), status.Reference{List: listURL, Index: 0}, []did.DID{k.id}, noon.Add(d), k.authority())
	}
	w.page(listURL, k.jwt(t, nil, claims(t)))
	require.NoError(t, check(&status.Lists{Client: w}, -5*time.Minute))
	require.ErrorIs(t, check(&status.Lists{Client: w}, -5*time.Minute-time.Second), status.ErrUnavailable)
	require.NoError(t, check(&status.Lists{Client: w}, 24*time.Hour))
	require.ErrorIs(t, check(&status.Lists{Client: w}, 24*time.Hour+time.Second), status.ErrUnavailable)

	l := &status.Lists{Client: w}
	require.NoError(t, check(l, 0))
	c := claims(t)
	c["iat"] = noon.Unix() - 1
	w.page(listURL, k.jwt(t, nil, c))
	require.ErrorIs(t, check(l, time.Minute), status.ErrRollback)
	down := k.authority()
	down.err = fmt.Errorf("%w: resolver", status.ErrUnavailable)
	err := (&status.Lists{Client: w}).Check(context.Background(), status.Reference{List: listURL}, []did.DID{k.id}, noon, down)
	require.ErrorIs(t, err, status.ErrUnavailable)
}

func TestTokenRefused(t *testing.T) {
	t.Parallel()
	k := edKeeper(t)
	set := func(name string, v any) func(c map[string]any) {
		return func(c map[string]any) {
			if c[name] = v; v == nil {
				delete(c, name)
			}
		}
	}
	list := func(bits any, lst any) func(c map[string]any) {
		return set("status_list", map[string]any{"bits": bits, "lst": lst})
	}
	text := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	good := zlibbed(t, []byte{1, 2, 3})
	for name, c := range map[string]struct {
		header map[string]any
		change func(c map[string]any)
		want   error
	}{
		"no typ":            {header: map[string]any{"typ": nil}},
		"another typ":       {header: map[string]any{"typ": "JWT"}},
		"no algorithm":      {header: map[string]any{"alg": "none"}},
		"another algorithm": {header: map[string]any{"alg": "ES256"}},
		"critical":          {header: map[string]any{"crit": []string{"exp"}}},
		"no kid":            {header: map[string]any{"kid": nil}},
		"kid is no DID URL": {header: map[string]any{"kid": "12"}},
		"kid is a DID":      {header: map[string]any{"kid": k.id.String()}},
		"another key":       {header: map[string]any{"kid": ecKeeper(t, elliptic.P256()).signer.VerificationMethod().String()}},
		"no sub":            {change: set("sub", nil)},
		"another sub":       {change: set("sub", listURL+"0")},
		"sub is no text":    {change: set("sub", 1)},
		"another iss":       {change: set("iss", "https://river.example")},
		"iss is no text":    {change: set("iss", 1)},
		"no iat":            {change: set("iat", nil)},
		"iat is text":       {change: set("iat", "1")},
		"iat below zero":    {change: set("iat", -1)},
		"iat too late":      {change: set("iat", int64(253402300800))},
		"exp is text":       {change: set("exp", "1")},
		"exp a fraction":    {change: set("exp", 1.5)},
		"ttl zero":          {change: set("ttl", 0)},
		"ttl below zero":    {change: set("ttl", -60)},
		"ttl is text":       {change: set("ttl", "60")},
		"no list":           {change: set("status_list", nil)},
		"list is text":      {change: set("status_list", text(good))},
		"no bits":           {change: list(nil, text(good))},
		"three bits":        {change: list(3, text(good))},
		"no bit":            {change: list(0, text(good))},
		"16 bits":           {change: list(16, text(good))},
		"bits are text":     {change: list("1", text(good))},
		"no lst":            {change: list(1, nil)},
		"empty lst":         {change: list(1, "")},
		"lst padded":        {change: list(1, text(good)+"=")},
		"lst with a break":  {change: list(1, text(good)[:4]+"\n"+text(good)[4:])},
		"lst not ZLIB":      {change: list(1, text([]byte{1, 2, 3}))},
		"lst GZIP":          {change: list(1, strings.TrimPrefix(packed(t, []byte{1, 2, 3}), "u"))},
		"lst cut":           {change: list(1, text(good[:len(good)-1]))},
		"lst with more":     {change: list(1, text(append(bytes.Clone(good), 0)))},
		"lst of nothing":    {change: list(1, text(zlibbed(t, nil))), want: status.ErrLength},
		"lst too large":     {change: list(1, text(zlibbed(t, make([]byte, 16<<20+1)))), want: status.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.want == nil {
				c.want = status.ErrList
			}
			body := claims(t)
			if c.change != nil {
				c.change(body)
			}
			w := &web{}
			w.page(listURL, k.jwt(t, c.header, body))
			err := (&status.Lists{Client: w}).Check(context.Background(), status.Reference{List: listURL}, []did.DID{k.id}, noon, k.authority())
			require.ErrorIs(t, err, c.want)
			require.ErrorIs(t, err, status.ErrList)
			require.NotContains(t, err.Error(), "river")
		})
	}
	whole := k.jwt(t, nil, claims(t))
	for name, s := range map[string]vc.Secured{
		"of another media type": {MediaType: "application/jwt", Bytes: whole.Bytes},
		"as CWT":                {MediaType: status.MediaTypeCWT, Bytes: whole.Bytes},
		"cut":                   {MediaType: status.MediaTypeJWT, Bytes: whole.Bytes[:len(whole.Bytes)-90]},
		"no JSON":               {MediaType: status.MediaTypeJWT, Bytes: []byte(string(bytes.Split(whole.Bytes, []byte("."))[0]) + ".e30e30.c2ln")},
		"nothing":               {MediaType: status.MediaTypeJWT},
	} {
		token, err := status.ParseToken(s)
		require.ErrorIs(t, err, status.ErrList, name)
		require.Nil(t, token, name)
	}
	_, err := status.ParseToken(vc.Secured{MediaType: status.MediaTypeJWT, Bytes: bytes.Repeat([]byte("A"), 2<<20)})
	require.ErrorIs(t, err, status.ErrTooLarge)
	longest := claims(t)
	longest["status_list"] = map[string]any{"bits": 8, "lst": text(zlibbed(t, make([]byte, 16<<20)))}
	token, err := status.ParseToken(k.jwt(t, nil, longest))
	require.NoError(t, err)
	require.Equal(t, 16<<20, token.Len())
}

func TestCWTRefused(t *testing.T) {
	t.Parallel()
	k := edKeeper(t)
	for name, change := range map[string]func(protected, unprotected, claims map[any]any){
		"no typ":                  func(p, _, _ map[any]any) { delete(p, 16) },
		"typ beside":              func(p, u, _ map[any]any) { u[16] = p[16]; delete(p, 16) },
		"another typ":             func(p, _, _ map[any]any) { p[16] = "application/cwt" },
		"typ is a number":         func(p, _, _ map[any]any) { p[16] = 61 },
		"no algorithm":            func(p, _, _ map[any]any) { delete(p, 1) },
		"another algorithm":       func(p, _, _ map[any]any) { p[1] = -7 },
		"MAC":                     func(p, _, _ map[any]any) { p[1] = 5 },
		"algorithm is text":       func(p, _, _ map[any]any) { p[1] = "EdDSA" },
		"critical":                func(p, _, _ map[any]any) { p[2] = []any{1} },
		"critical beside":         func(_, u, _ map[any]any) { u[2] = []any{1} },
		"kid twice":               func(p, u, _ map[any]any) { p[4] = u[4] },
		"no kid":                  func(_, u, _ map[any]any) { delete(u, 4) },
		"kid is text":             func(_, u, _ map[any]any) { u[4] = k.signer.VerificationMethod().String() },
		"kid is null":             func(_, u, _ map[any]any) { u[4] = nil },
		"kid not UTF-8":           func(_, u, _ map[any]any) { u[4] = []byte{0xff} },
		"no subject":              func(_, _, c map[any]any) { delete(c, 2) },
		"another subject":         func(_, _, c map[any]any) { c[2] = listURL + "0" },
		"subject of bytes":        func(_, _, c map[any]any) { c[2] = []byte(listURL) },
		"another issuer":          func(_, _, c map[any]any) { c[1] = "did:example:brook" },
		"issuer is a number":      func(_, _, c map[any]any) { c[1] = 1 },
		"no issued at":            func(_, _, c map[any]any) { delete(c, 6) },
		"issued at null":          func(_, _, c map[any]any) { c[6] = nil },
		"issued at a fraction":    func(_, _, c map[any]any) { c[6] = 1.5 },
		"issued before 1970":      func(_, _, c map[any]any) { c[6] = -1 },
		"expires as text":         func(_, _, c map[any]any) { c[4] = "2026" },
		"ttl zero":                func(_, _, c map[any]any) { c[65534] = 0 },
		"ttl beyond int64":        func(_, _, c map[any]any) { c[65534] = uint64(1) << 63 },
		"no list":                 func(_, _, c map[any]any) { delete(c, 65533) },
		"list is bytes":           func(_, _, c map[any]any) { c[65533] = []byte{1} },
		"no bits":                 func(_, _, c map[any]any) { delete(c[65533].(map[string]any), "bits") },
		"three bits":              func(_, _, c map[any]any) { c[65533].(map[string]any)["bits"] = 3 },
		"bits in capitals":        func(_, _, c map[any]any) { c[65533] = map[string]any{"BITS": 2, "lst": zlibbed(t, []byte{1})} },
		"lst not ZLIB":            func(_, _, c map[any]any) { c[65533].(map[string]any)["lst"] = []byte{1, 2} },
		"lst too large":           func(_, _, c map[any]any) { c[65533].(map[string]any)["lst"] = zlibbed(t, make([]byte, 16<<20+1)) },
		"claim with a tag in it":  func(_, _, c map[any]any) { c[6] = cbor.Tag{Number: 1, Content: noon.Unix()} },
		"too many header members": func(_, u, _ map[any]any) { many(u) },
		"too many claims":         func(_, _, c map[any]any) { many(c) },
		"nested deep":             func(_, _, c map[any]any) { c[99] = deep(9) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &web{}
			w.page(listURL, k.cwt(t, change))
			err := (&status.Lists{Client: w}).Check(context.Background(), status.Reference{List: listURL}, []did.DID{k.id}, noon, k.authority())
			require.ErrorIs(t, err, status.ErrList)
		})
	}
	whole := k.cwt(t).Bytes
	for name, b := range map[string][]byte{
		"nothing":         nil,
		"a tag alone":     whole[:1],
		"without the tag": whole[1:],
		"as CWT tagged":   append([]byte{0xd8, 61}, whole...),
		"as a MAC":        append([]byte{0xd1}, whole[1:]...),
		"cut":             whole[:len(whole)-1],
		"with more":       append(bytes.Clone(whole), 0),
		"of null":         {0xd2, 0x84, 0xf6, 0xf6, 0xf6, 0xf6},
		"too large":       bytes.Repeat([]byte{0xd2}, 1<<20+1),
	} {
		_, err := status.ParseToken(vc.Secured{MediaType: status.MediaTypeCWT, Bytes: b})
		require.ErrorIs(t, err, status.ErrList, name)
	}
}

func many(m map[any]any) {
	for n := range 65 {
		m[1000+n] = n
	}
}

func deep(n int) any {
	if n == 0 {
		return 1
	}
	return []any{deep(n - 1)}
}

// TestTokenFlipped: of a signed list no bit can be changed.
func TestTokenFlipped(t *testing.T) {
	t.Parallel()
	k := edKeeper(t)
	for _, s := range []vc.Secured{k.jwt(t, nil, claims(t)), k.cwt(t)} {
		for i := range s.Bytes {
			changed := bytes.Clone(s.Bytes)
			changed[i] ^= 1
			w := &web{}
			w.page(listURL, vc.Secured{MediaType: s.MediaType, Bytes: changed})
			err := (&status.Lists{Client: w}).Check(context.Background(), status.Reference{List: listURL}, []did.DID{k.id}, noon, k.authority())
			require.ErrorIs(t, err, status.ErrList, "%s, byte %d", s.MediaType, i)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	k := edKeeper(f)
	f.Add(true, k.jwt(f, nil, claims(f)).Bytes)
	f.Add(false, k.cwt(f).Bytes)
	f.Add(false, []byte{0xd2, 0x84, 0x40, 0xa0, 0x40, 0x40})
	f.Fuzz(func(t *testing.T, jwt bool, b []byte) {
		s := vc.Secured{MediaType: status.MediaTypeCWT, Bytes: b}
		if jwt {
			s.MediaType = status.MediaTypeJWT
		}
		token, err := status.ParseToken(s)
		if err != nil {
			require.ErrorIs(t, err, status.ErrList)
			return
		}
		require.NotEmpty(t, token.URI)
		require.Positive(t, token.Len())
		_, err = token.Value(token.Len() - 1)
		require.NoError(t, err)
	})
}
