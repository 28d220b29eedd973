package cose_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/internal/envelope/envelopetest"
)

const payload = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:example:i",` +
	`"validFrom":"2026-01-01T00:00:00Z","validUntil":"2026-12-31T23:59:59Z","credentialSubject":{"id":"did:example:s"}}`

type header map[any]any

func TestAbuse_JW01_NoAlgorithm(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]header{
		"absent":      {},
		"only a kid":  {4: []byte("a")},
		"none":        {1: "none"},
		"null":        {1: nil},
		"zero":        {1: 0},
		"text":        {1: "EdDSA"},
		"float":       {1: -8.0},
		"HMAC":        {1: 5},
		"RSA":         {1: -257},
		"P-521":       {1: -36},
		"secp256k1":   {1: -47},
		"bytes":       {1: []byte{0x27}},
		"a huge one":  {1: uint64(math.MaxUint64)},
		"an array":    {1: []int{-8}},
		"true":        {1: true},
		"as text key": {"1": -8},
		"as alg":      {"alg": -8},
	} {
		_, err := cose.Parse(credential(message(t, envelopetest.Employer(t), h, payload)))
		require.ErrorIs(t, err, cose.ErrAlgorithm, name)
	}
	// In the header that nobody signs.
	b := encodeCBOR(t, cbor.Tag{Number: 18, Content: []any{encodeCBOR(t, header{}), header{1: -8}, []byte(payload), make([]byte, 64)}})
	_, err := cose.Parse(credential(b))
	require.ErrorIs(t, err, cose.ErrAlgorithm)
}

func TestAbuse_JW02_MACWithThePublicKey(t *testing.T) {
	t.Parallel()
	by := envelopetest.NewParty(t, "Riverside Trust", "ES256")
	der, err := x509.MarshalPKIXPublicKey(by.Signer.Public())
	require.NoError(t, err)
	for _, alg := range []int{5, -7} {
		protected := encodeCBOR(t, header{1: alg})
		mac := hmac.New(sha256.New, der)
		mac.Write(encodeCBOR(t, []any{"MAC0", protected, []byte{}, []byte(payload)}))
		for _, tag := range []uint64{17, 18} {
			b := encodeCBOR(t, cbor.Tag{Number: tag, Content: []any{protected, header{}, []byte(payload), mac.Sum(nil)}})
			token, err := cose.Parse(credential(b))
			if err == nil {
				err = token.Verify(by.Signer.Public())
			}
			require.Error(t, err)
		}
	}
}

func TestAbuse_JW03_Critical(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	for _, crit := range []any{[]any{"urn:x:must"}, []any{1}, []any{}, nil, 4} {
		_, err := cose.Parse(credential(message(t, by, header{1: -8, 2: crit, "urn:x:must": 1}, payload)))
		require.ErrorIs(t, err, cose.ErrMalformed)
		b := encodeCBOR(t, []any{encodeCBOR(t, header{1: -8}), header{2: crit}, []byte(payload), make([]byte, 64)})
		_, err = cose.Parse(credential(b))
		require.ErrorIs(t, err, cose.ErrMalformed)
	}
}

func TestAbuse_JW05_KeysInTheHeaderAreIgnored(t *testing.T) {
	t.Parallel()
	by, attacker := envelopetest.Employer(t), envelopetest.NewParty(t, "Mallow", "EdDSA")
	for _, label := range []any{32, 33, 34, 35, "jwk"} { // x5bag, x5chain, x5t, x5u
		h := header{1: -8, 4: []byte(by.Signer.VerificationMethod().String()), label: []any{[]byte{1, 2}, "http://127.0.0.1:9/"}}
		forged, err := cose.Parse(credential(message(t, attacker, h, payload)))
		require.NoError(t, err)
		require.ErrorIs(t, forged.Verify(by.Signer.Public()), cose.ErrSignature)
		honest, err := cose.Parse(credential(message(t, by, h, payload)))
		require.NoError(t, err)
		require.NoError(t, honest.Verify(by.Signer.Public()))
	}
}

func TestAbuse_JW10_ClaimsTwice(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	for name, protected := range map[string][]byte{
		"alg twice":             {0xa2, 0x01, 0x27, 0x01, 0x26},
		"alg twice, long form":  {0xa2, 0x01, 0x27, 0x18, 0x01, 0x26},
		"claim twice":           {0xa2, 0x01, 0x27, 0x0f, 0xa2, 0x01, 0x61, 'a', 0x01, 0x61, 'b'},
		"map of open length":    {0xbf, 0x01, 0x27, 0xff},
		"tagged map":            {0xc1, 0xa1, 0x01, 0x27},
		"more behind":           {0xa1, 0x01, 0x27, 0x00},
		"no map":                {0x81, 0x01},
		"cut off":               {0xa1, 0x01},
		"key is a float":        {0xa2, 0x01, 0x27, 0xf9, 0x3c, 0x00, 0x00},
		"key is null":           {0xa2, 0x01, 0x27, 0xf6, 0x00},
		"key is bytes":          {0xa2, 0x01, 0x27, 0x41, 0x01, 0x00},
		"key is true":           {0xa2, 0x01, 0x27, 0xf5, 0x00},
		"text that is no UTF-8": {0xa2, 0x01, 0x27, 0x10, 0x61, 0xff},
	} {
		_, err := cose.Parse(credential(message(t, by, protected, payload)))
		require.Error(t, err, name)
		require.NotErrorIs(t, err, cose.ErrClaims, name)
	}
	// The same label in both headers.
	for _, label := range []any{1, 4, "x"} {
		b := encodeCBOR(t, []any{encodeCBOR(t, header{1: -8, 4: []byte("k"), "x": 1}), header{label: 1}, []byte(payload), make([]byte, 64)})
		_, err := cose.Parse(credential(b))
		require.ErrorIs(t, err, cose.ErrMalformed)
	}
	// The payload is JSON, read as strictly as elsewhere.
	_, err := cose.Parse(credential(message(t, by, header{1: -8}, `{"issuer":"a","issuer":"b"}`)))
	require.ErrorIs(t, err, cose.ErrMalformed)
	require.ErrorIs(t, err, strictjson.ErrDuplicate)
}

func TestAbuse_JW11_TypeMatrix(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	types := []any{"application/vc+cose", "application/vp+cose", "vc+cose", "application/vc+jwt", "application/dc+sd-jwt", "application/cwt", "", 61, nil, []byte("application/vc+cose")}
	accepted := 0
	for _, mediaType := range []string{cose.MediaTypeCredential, cose.MediaTypePresentation} {
		for _, typ := range types {
			_, err := cose.Parse(vc.Secured{MediaType: mediaType, Bytes: message(t, by, header{1: -8, 16: typ}, payload)})
			if typ == mediaType {
				require.NoError(t, err)
				accepted++
				continue
			}
			require.ErrorIs(t, err, cose.ErrType, "%v as %s", typ, mediaType)
		}
	}
	require.Equal(t, 2, accepted)
	_, err := cose.Parse(credential(message(t, by, header{1: -8, 16: "Application/VC+COSE"}, payload)))
	require.NoError(t, err)
	for _, mediaType := range []string{"", "application/vc", "application/vc+jwt", "application/cose", "vc+cose"} {
		_, err := cose.Parse(vc.Secured{MediaType: mediaType, Bytes: issued(t).Bytes})
		require.ErrorIs(t, err, cose.ErrType)
	}
}

func TestAbuse_JW12_ClaimsAgainstTheDocument(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	for name, c := range map[string]struct {
		claims any
		want   error
	}{
		"none":                        {header{}, nil},
		"all that agree":              {header{1: "did:example:i", 2: "did:example:s", 4: 1798761599, 5: 1767225600, 6: 0, 7: []byte{1}}, nil},
		"fractions":                   {header{4: 1798761598.5, 5: 1767225600.25}, nil},
		"half precision":              {header{6: float32(1.5)}, nil},
		"audience":                    {header{3: []any{"a", "b"}}, nil},
		"nonce as text":               {header{10: "n"}, nil},
		"unknown claim":               {header{38: "x", "note": 1}, nil},
		"another issuer":              {header{1: "did:example:evil"}, cose.ErrClaims},
		"another subject":             {header{2: "did:example:evil"}, cose.ErrClaims},
		"outlives the document":       {header{4: 1798761600}, cose.ErrClaims},
		"ends before the document":    {header{4: 1767225599}, cose.ErrClaims},
		"begins before the document":  {header{5: 1767225599}, cose.ErrClaims},
		"begins after the document":   {header{5: 1798761600}, cose.ErrClaims},
		"issuer is bytes":             {header{1: []byte("did:example:i")}, cose.ErrMalformed},
		"issuer is empty":             {header{1: ""}, cose.ErrMalformed},
		"issuer is null":              {header{1: nil}, cose.ErrMalformed},
		"subject is a number":         {header{2: 1}, cose.ErrMalformed},
		"expires is text":             {header{4: "2026-01-01T00:00:00Z"}, cose.ErrMalformed},
		"expires is null":             {header{4: nil}, cose.ErrMalformed},
		"expires is true":             {header{4: true}, cose.ErrMalformed},
		"expires beyond all years":    {header{4: 1e15}, cose.ErrMalformed},
		"expires is not a number":     {header{4: math.NaN()}, cose.ErrMalformed},
		"expires never":               {header{4: math.Inf(1)}, cose.ErrMalformed},
		"issued before all years":     {header{6: -1e14}, cose.ErrMalformed},
		"tagged time":                 {header{6: cbor.Tag{Number: 1, Content: 1}}, cose.ErrMalformed},
		"audience is a number":        {header{3: 1}, cose.ErrMalformed},
		"audience is empty":           {header{3: []any{}}, cose.ErrMalformed},
		"audience holds a number":     {header{3: []any{"a", 1}}, cose.ErrMalformed},
		"audience holds nothing":      {header{3: []any{""}}, cose.ErrMalformed},
		"audience of 17":              {header{3: strings.Split(strings.Repeat("a,", 16)+"a", ",")}, cose.ErrMalformed},
		"nonce is a number":           {header{10: 1}, cose.ErrMalformed},
		"nonce is empty":              {header{10: []byte{}}, cose.ErrMalformed},
		"nonce of bytes without text": {header{10: []byte{0xff}}, cose.ErrMalformed},
		"claims are a list":           {[]any{1, 2}, cose.ErrMalformed},
		"claims are null":             {nil, cose.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := cose.Parse(credential(message(t, by, header{1: -8, 15: c.claims}, payload)))
			if c.want == nil {
				require.NoError(t, err)
				require.NoError(t, token.Verify(by.Signer.Public()))
				return
			}
			require.ErrorIs(t, err, c.want)
			require.Nil(t, token)
		})
	}
}

// Not parallel: it measures the heap of the process.
func TestAbuse_JW15_Bombs(t *testing.T) {
	by := envelopetest.Employer(t)
	for name, b := range map[string][]byte{
		"arrays in arrays":         bytes.Repeat([]byte{0x81}, 1_000_000),
		"a huge array":             {0xd2, 0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a huge string":            {0xd2, 0x84, 0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a huge header map":        message(t, by, []byte{0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, payload),
		"many parameters":          message(t, by, manyLabels(65), payload),
		"deep parameter":           message(t, by, append([]byte{0xa2, 0x01, 0x27, 0x18, 0x64}, append(bytes.Repeat([]byte{0x81}, 9), 0x00)...), payload),
		"header of 16 KiB":         message(t, by, header{1: -8, 99: make([]byte, 16<<10)}, payload),
		"payload of 1 MiB and one": message(t, by, header{1: -8}, `"`+strings.Repeat("a", 1<<20)+`"`),
		"signature of 2 KiB":       encodeCBOR(t, []any{encodeCBOR(t, header{1: -8}), header{}, []byte(payload), make([]byte, 2048)}),
		"10 MiB":                   make([]byte, 10<<20),
		"deep payload":             message(t, by, header{1: -8}, `{"a":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+`}`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := cose.Parse(credential(b))
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, cose.ErrMalformed, name)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20), name)
	}
}

func manyLabels(n int) header {
	h := header{1: -8}
	for i := range n - 1 {
		h[100+i] = 0
	}
	return h
}

// The limits are those that are meant: one less is read.
func TestLimits(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	room := strings.Repeat(" ", 1<<20-len(payload))
	for name, b := range map[string][]byte{
		"64 parameters":    message(t, by, manyLabels(64), payload),
		"payload of 1 MiB": message(t, by, header{1: -8}, payload+room),
		"header of 16 KiB": message(t, by, header{1: -8, 99: make([]byte, 16<<10-8)}, payload),
	} {
		token, err := cose.Parse(credential(b))
		require.NoError(t, err, name)
		require.NoError(t, token.Verify(by.Signer.Public()), name)
	}
	for name, b := range map[string][]byte{
		"payload of 1 MiB and one":      message(t, by, header{1: -8}, payload+room+" "),
		"header of 16 KiB and one":      message(t, by, header{1: -8, 99: make([]byte, 16<<10-7)}, payload),
		"unprotected header too large":  encodeCBOR(t, []any{encodeCBOR(t, header{1: -8}), header{99: make([]byte, 16<<10)}, []byte(payload), make([]byte, 64)}),
		"signature of 1 KiB and one":    encodeCBOR(t, []any{encodeCBOR(t, header{1: -8}), header{}, []byte(payload), make([]byte, 1025)}),
		"message longer than its parts": make([]byte, 2*(16<<10)+1<<20+1<<10+1),
	} {
		_, err := cose.Parse(credential(b))
		require.ErrorIs(t, err, cose.ErrMalformed, name)
		require.ErrorIs(t, err, strictjson.ErrTooLarge, name)
	}
}

// Data model 1.1 has no form of COSE, whoever signed it.
func TestDataModel11(t *testing.T) {
	t.Parallel()
	document := strings.Replace(payload, vc.ContextV2, vc.ContextV1, 1)
	require.NotEqual(t, payload, document)
	for _, mediaType := range []string{cose.MediaTypeCredential, cose.MediaTypePresentation} {
		_, err := cose.Parse(vc.Secured{MediaType: mediaType, Bytes: message(t, envelopetest.Employer(t), header{1: -8}, document)})
		require.ErrorIs(t, err, cose.ErrType, mediaType)
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	protected, sig := encodeCBOR(t, header{1: -8}), make([]byte, 64)
	for name, v := range map[string]any{
		"three parts":             []any{protected, header{}, []byte(payload)},
		"five parts":              []any{protected, header{}, []byte(payload), sig, sig},
		"a map":                   header{1: protected},
		"protected as a map":      []any{header{1: -8}, header{}, []byte(payload), sig},
		"protected is text":       []any{string(protected), header{}, []byte(payload), sig},
		"protected is empty":      []any{[]byte{}, header{}, []byte(payload), sig},
		"unprotected is a list":   []any{protected, []any{}, []byte(payload), sig},
		"unprotected is null":     []any{protected, nil, []byte(payload), sig},
		"detached payload":        []any{protected, header{}, nil, sig},
		"payload is text":         []any{protected, header{}, payload, sig},
		"payload is empty":        []any{protected, header{}, []byte{}, sig},
		"payload as numbers":      []any{protected, header{}, []int{123, 125}, sig},
		"payload is CBOR":         []any{protected, header{}, encodeCBOR(t, header{"a": 1}), sig},
		"payload is a JSON list":  []any{protected, header{}, []byte(`[]`), sig},
		"no signature":            []any{protected, header{}, []byte(payload), []byte{}},
		"signature is null":       []any{protected, header{}, []byte(payload), nil},
		"signatures":              []any{protected, header{}, []byte(payload), []any{sig}},
		"COSE_Sign":               cbor.Tag{Number: 98, Content: []any{protected, header{}, []byte(payload), []any{[]any{protected, header{}, sig}}}},
		"COSE_Mac0":               cbor.Tag{Number: 17, Content: []any{protected, header{}, []byte(payload), sig}},
		"tagged twice":            cbor.Tag{Number: 18, Content: cbor.Tag{Number: 18, Content: []any{protected, header{}, []byte(payload), sig}}},
		"CWT tag":                 cbor.Tag{Number: 61, Content: cbor.Tag{Number: 18, Content: []any{protected, header{}, []byte(payload), sig}}},
		"kid is text":             []any{encodeCBOR(t, header{1: -8, 4: "k"}), header{}, []byte(payload), sig},
		"kid is empty":            []any{encodeCBOR(t, header{1: -8, 4: []byte{}}), header{}, []byte(payload), sig},
		"kid is no text":          []any{encodeCBOR(t, header{1: -8, 4: []byte{0xff}}), header{}, []byte(payload), sig},
		"unprotected of 16 KiB":   []any{protected, header{99: make([]byte, 16<<10)}, []byte(payload), sig},
		"unprotected, tagged":     []any{protected, header{99: cbor.Tag{Number: 2, Content: []byte{1}}}, []byte(payload), sig},
		"unprotected with floats": []any{protected, header{1.5: 1}, []byte(payload), sig},
	} {
		_, err := cose.Parse(credential(encodeCBOR(t, v)))
		require.ErrorIs(t, err, cose.ErrMalformed, name)
		require.True(t, strings.HasPrefix(err.Error(), "cose: "))
	}
	for name, b := range map[string][]byte{
		"nothing":               nil,
		"only a tag":            {0xd2},
		"JSON":                  []byte(payload),
		"tag in the long form":  append([]byte{0xd8, 18}, issued(t).Bytes[1:]...),
		"more behind":           append(bytes.Clone(issued(t).Bytes), 0),
		"cut off":               issued(t).Bytes[:len(issued(t).Bytes)-1],
		"head in the long form": append([]byte{0xd2, 0x98, 4}, issued(t).Bytes[2:]...),
		"array of open length":  append(append([]byte{0xd2, 0x9f}, issued(t).Bytes[2:]...), 0xff),
	} {
		_, err := cose.Parse(credential(b))
		require.ErrorIs(t, err, cose.ErrMalformed, name)
	}
	// What the unprotected header says, counts for nothing.
	b := encodeCBOR(t, []any{protected, header{4: []byte("did:example:evil#k"), 15: header{1: "did:example:evil"}, 16: "x"}, []byte(payload), sig})
	token, err := cose.Parse(credential(b))
	require.NoError(t, err)
	require.Empty(t, token.KeyID())
	require.Equal(t, cose.Claims{}, token.Claims())
	// A key to be proven is not passed over.
	token, err = cose.Parse(credential(message(t, by, header{1: -8, 15: header{8: header{1: header{1: 1}}}}, payload)))
	require.NoError(t, err)
	_, err = token.Confirmation()
	require.ErrorIs(t, err, cose.ErrConfirmation)
}
