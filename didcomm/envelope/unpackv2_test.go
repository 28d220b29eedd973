package envelope_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

// What peers may write otherwise than we do.
func TestUnpackV2Tolerates(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	for name, f := range map[string]func(*forgeryV2){
		"as it is":           func(*forgeryV2) {},
		"typ without prefix": func(f *forgeryV2) { f.edit(`application/didcomm-encrypted+json`, `didcomm-encrypted+json`) },
		"typ in capitals":    func(f *forgeryV2) { f.edit(`application/didcomm-enc`, `Application/DIDComm-Enc`) },
		"no typ":             func(f *forgeryV2) { f.edit(`"typ":"application/didcomm-encrypted+json",`, ``) },
		"cty":                func(f *forgeryV2) { f.edit(`"typ"`, `"cty":"application/didcomm-plain+json","typ"`) },
		"no skid":            func(f *forgeryV2) { f.edit(`"skid":"did:example:alice#agree-1",`, ``) },
		"unknown header":     func(f *forgeryV2) { f.edit(`"typ"`, `"x":{"y":[1]},"typ"`) },
		"unknown member":     func(f *forgeryV2) { f.around(`"iv"`, `"x":{"y":[1]},"iv"`) },
		"unknown in entry":   func(f *forgeryV2) { f.entry(`{"header"`, `{"x":1,"header"`); f.entry(`{"kid"`, `{"y":1,"kid"`) },
		"white space":        func(f *forgeryV2) { f.edit(`,`, " ,\n "); f.outer = strings.ReplaceAll(f.outer, `,`, "\t, ") },
		"other order": func(f *forgeryV2) {
			f.around(`"protected":"$protected",`, ``)
			f.around(`"}`, `","protected":"$protected"}`)
		},
		"escapes":              func(f *forgeryV2) { f.entry(`did:`, `d\u0069d:`); f.around(`"iv"`, `"\u0069v"`) },
		"epk with more":        func(f *forgeryV2) { f.edit(`"kty"`, `"use":"enc","kid":"x","kty"`) },
		"message without typ":  func(f *forgeryV2) { f.message(`"typ":"application/didcomm-plain+json",`, ``) },
		"message typ short":    func(f *forgeryV2) { f.message(`application/didcomm-plain+json`, `didcomm-plain+json`) },
		"message to others":    func(f *forgeryV2) { f.message(`"to":[`, `"to":["did:example:carol",`) },
		"message without body": func(f *forgeryV2) { f.message(`,"body":{"cm":42}`, ``) },
		"message with headers": func(f *forgeryV2) { f.message(`"body"`, `"accept-lang":["cy"],"~x":{},"body"`) },
		"to with a query":      func(f *forgeryV2) { f.message(`["did:example:bob"]`, `["did:example:bob?service=x"]`) },
		"16 recipients":        func(f *forgeryV2) { f.others(15) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forged := newForgeryV2(t, alice, bob)
			f(forged)
			got, err := bob.Unpack(t.Context(), forged.envelope())
			require.NoError(t, err)
			require.Equal(t, &envelope.Received{Version: didcomm.V2, Authenticated: true, Encrypted: true,
				From: alice.id, To: bob.id, Plaintext: forged.plaintext}, got)
		})
	}
}

// message replaces a part of the plaintext, which must be there.
func (f *forgeryV2) message(old, new string) {
	f.t.Helper()
	require.Contains(f.t, string(f.plaintext), old)
	f.plaintext = bytes.Replace(f.plaintext, []byte(old), []byte(new), 1)
}

// others adds n recipients that nobody has the keys of, and sets apv for all.
func (f *forgeryV2) others(n int) {
	f.t.Helper()
	kids := []string{"did:example:bob#agree-1"}
	for i := range n {
		kid := fmt.Sprintf("did:example:bob#other-%02d", i)
		kids = append(kids, kid)
		f.recipient += `,{"header":{"kid":"` + kid + `"},"encrypted_key":"$key"}`
	}
	f.bind(kids...)
}

// bind sets apv for recipients in order.
func (f *forgeryV2) bind(kids ...string) {
	f.t.Helper()
	apv := sha256.Sum256([]byte(strings.Join(kids, ".")))
	old := base64.RawURLEncoding.EncodeToString(f.apv)
	f.apv = apv[:]
	f.edit(old, base64.RawURLEncoding.EncodeToString(f.apv))
}

// from sets the sender as the headers name it.
func (f *forgeryV2) from(skid string) {
	f.t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	f.edit(`"apu":"`+encode(f.apu), `"apu":"`+encode([]byte(skid)))
	f.edit(`"skid":"`+string(f.apu), `"skid":"`+skid)
	f.apu = []byte(skid)
}

// setEPK puts another key in the place of the ephemeral one.
func (f *forgeryV2) setEPK(jwk string) {
	f.t.Helper()
	at := strings.Index(f.header, `"epk":`)
	f.header = f.header[:at] + `"epk":` + jwk + `}`
}

// Every envelope here has a content that was sealed over the header as it is, and a
// content key that was encrypted as it should be: only its form is wrong.
func TestUnpackV2RefusesForms(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519", "P-256"), newPartyV2(t, among, "bob", "X25519", "P-256")
	const kid = `"kid":"did:example:bob#agree-1"`
	p256 := func(t testing.TB) map[string]any { return publicJWK(secretKey(t, ecdh.P256(), "x").PublicKey()) }
	for name, f := range map[string]func(*forgeryV2){
		"typ of a signed one":   func(f *forgeryV2) { f.edit(`didcomm-encrypted+json`, `didcomm-signed+json`) },
		"typ of version 1":      func(f *forgeryV2) { f.edit(`application/didcomm-encrypted+json`, `JWM/1.0`) },
		"typ a number":          func(f *forgeryV2) { f.edit(`"application/didcomm-encrypted+json"`, `1`) },
		"no alg":                func(f *forgeryV2) { f.edit(`"alg":"ECDH-1PU+A256KW",`, ``) },
		"alg null":              func(f *forgeryV2) { f.edit(`"ECDH-1PU+A256KW"`, `null`) },
		"alg A128KW":            func(f *forgeryV2) { f.edit(`A256KW`, `A128KW`) },
		"alg direct":            func(f *forgeryV2) { f.edit(`ECDH-1PU+A256KW`, `ECDH-1PU`) },
		"alg dir":               func(f *forgeryV2) { f.edit(`ECDH-1PU+A256KW`, `dir`) },
		"alg none":              func(f *forgeryV2) { f.edit(`ECDH-1PU+A256KW`, `none`) },
		"alg XC20PKW":           func(f *forgeryV2) { f.edit(`A256KW`, `XC20PKW`) },
		"alg of anoncrypt":      func(f *forgeryV2) { f.edit(`1PU`, `ES`) },
		"no enc":                func(f *forgeryV2) { f.edit(`"enc":"A256CBC-HS512",`, ``) },
		"enc A256GCM":           func(f *forgeryV2) { f.edit(`A256CBC-HS512`, `A256GCM`) },
		"enc A128CBC-HS256":     func(f *forgeryV2) { f.edit(`A256CBC-HS512`, `A128CBC-HS256`) },
		"zip":                   func(f *forgeryV2) { f.edit(`"typ"`, `"zip":"DEF","typ"`) },
		"crit":                  func(f *forgeryV2) { f.edit(`"typ"`, `"crit":["x"],"x":1,"typ"`) },
		"empty crit":            func(f *forgeryV2) { f.edit(`"typ"`, `"crit":[],"typ"`) },
		"b64":                   func(f *forgeryV2) { f.edit(`"typ"`, `"b64":false,"typ"`) },
		"alg twice":             func(f *forgeryV2) { f.edit(`"typ"`, `"alg":"ECDH-1PU+A256KW","typ"`) },
		"alg in two cases":      func(f *forgeryV2) { f.edit(`"typ"`, `"ALG":"ECDH-1PU+A256KW","typ"`) },
		"no apv":                func(f *forgeryV2) { f.edit(`"apv"`, `"apw"`) },
		"apv of others":         func(f *forgeryV2) { f.bind("did:example:carol#agree-1") },
		"apv not a hash":        func(f *forgeryV2) { f.edit(`"apv":"`, `"apv":"AAAA`) },
		"no apu":                func(f *forgeryV2) { f.edit(`"apu"`, `"apw"`) },
		"apu of another":        func(f *forgeryV2) { f.edit(`"skid":"did:example:alice`, `"skid":"did:example:carol`) },
		"skid not text":         func(f *forgeryV2) { f.edit(`"skid":"did:example:alice#agree-1"`, `"skid":1`) },
		"skid without fragment": func(f *forgeryV2) { f.from("did:example:alice") },
		"skid no DID":           func(f *forgeryV2) { f.from("alice#agree-1") },
		"skid empty":            func(f *forgeryV2) { f.from("") },
		"skid too long": func(f *forgeryV2) {
			f.from("did:example:alice?" + strings.Repeat("x", envelope.MaxKeyURL) + "#agree-1")
		},
		"skid to sign with":     func(f *forgeryV2) { f.from("did:example:alice#sign-p256") },
		"skid not there":        func(f *forgeryV2) { f.from("did:example:alice#agree-9") },
		"skid of nobody":        func(f *forgeryV2) { f.from("did:example:nobody#agree-1") },
		"skid on another curve": func(f *forgeryV2) { f.from("did:example:alice#agree-2") },
		"no epk":                func(f *forgeryV2) { f.edit(`"epk"`, `"epl"`) },
		"epk a text":            func(f *forgeryV2) { f.setEPK(`"x"`) },
		"epk private":           func(f *forgeryV2) { f.edit(`"kty"`, `"d":"x","kty"`) },
		"epk Ed25519":           func(f *forgeryV2) { f.edit(`"crv":"X25519"`, `"crv":"Ed25519"`) },
		"epk X448":              func(f *forgeryV2) { f.edit(`"crv":"X25519"`, `"crv":"X448"`) },
		"epk kty EC":            func(f *forgeryV2) { f.edit(`"kty":"OKP"`, `"kty":"EC"`) },
		"epk short":             func(f *forgeryV2) { f.setEPK(`{"kty":"OKP","crv":"X25519","x":"AAAA"}`) },
		"epk padded":            func(f *forgeryV2) { f.edit(`"}}`, `="}}`) },
		"epk on another curve":  func(f *forgeryV2) { f.setEPK(marshal(f.t, p256(f.t))) },
		"unprotected":           func(f *forgeryV2) { f.around(`{`, `{"unprotected":{"x":1},`) },
		"aad":                   func(f *forgeryV2) { f.around(`{`, `{"aad":"",`) },
		"flattened too":         func(f *forgeryV2) { f.around(`{`, `{"encrypted_key":"x",`) },
		"flattened header too":  func(f *forgeryV2) { f.around(`{`, `{"header":{},`) },
		"protected an object":   func(f *forgeryV2) { f.around(`"$protected"`, `{}`) },
		"protected padded":      func(f *forgeryV2) { f.around(`$protected`, `$protected=`) },
		"protected line break":  func(f *forgeryV2) { f.around(`$protected`, `$protected\n`) },
		"header not JSON":       func(f *forgeryV2) { f.header = `{` },
		"header an array":       func(f *forgeryV2) { f.header = `[` + f.header + `]` },
		"header with more":      func(f *forgeryV2) { f.header += `{}` },
		"header too large":      func(f *forgeryV2) { f.header += strings.Repeat(" ", envelope.MaxHeader) },
		"no recipients":         func(f *forgeryV2) { f.recipient = `` },
		"recipients no list":    func(f *forgeryV2) { f.around(`[$recipients]`, `$recipients`) },
		"recipient a text":      func(f *forgeryV2) { f.recipient = `"x"` },
		"recipient twice":       func(f *forgeryV2) { f.recipient += `,` + f.recipient },
		"17 recipients":         func(f *forgeryV2) { f.others(16) },
		"no recipient header":   func(f *forgeryV2) { f.entry(`"header"`, `"heading"`) },
		"recipient header null": func(f *forgeryV2) { f.entry(`{`+kid+`}`, `null`) },
		"no kid":                func(f *forgeryV2) { f.entry(kid, ``) },
		"kid a number":          func(f *forgeryV2) { f.entry(kid, `"kid":1`) },
		"kid without fragment":  func(f *forgeryV2) { f.entry(`#agree-1`, ``); f.bind("did:example:bob") },
		"kid relative":          func(f *forgeryV2) { f.entry(`did:example:bob#`, `#`); f.bind("#agree-1") },
		"alg beside kid":        func(f *forgeryV2) { f.entry(`"kid"`, `"alg":"ECDH-ES+A256KW","kid"`) },
		"epk beside kid":        func(f *forgeryV2) { f.entry(`"kid"`, `"epk":{},"kid"`) },
		"zip beside kid":        func(f *forgeryV2) { f.entry(`"kid"`, `"zip":"DEF","kid"`) },
		"header in both":        func(f *forgeryV2) { f.edit(`"typ"`, `"x":1,"typ"`); f.entry(`"kid"`, `"x":1,"kid"`) },
		"kid in both":           func(f *forgeryV2) { f.edit(`"typ"`, kid+`,"typ"`) },
		"another DID's key too": func(f *forgeryV2) {
			f.recipient += `,{"header":{"kid":"did:example:carol#agree-1"},"encrypted_key":"$key"}`
			f.bind("did:example:bob#agree-1", "did:example:carol#agree-1")
		},
		"no encrypted key":       func(f *forgeryV2) { f.entry(`"encrypted_key"`, `"encrypted"`) },
		"short encrypted key":    func(f *forgeryV2) { f.entry(`$key`, `AAAA`) },
		"zero encrypted key":     func(f *forgeryV2) { f.entry(`$key`, strings.Repeat("A", 96)) },
		"iv missing":             func(f *forgeryV2) { f.around(`"iv":"$iv",`, ``) },
		"iv short":               func(f *forgeryV2) { f.around(`$iv`, `AAAA`) },
		"tag missing":            func(f *forgeryV2) { f.around(`,"tag":"$tag"`, ``) },
		"tag cut":                func(f *forgeryV2) { f.around(`$tag`, `AAAA`) },
		"tag zero":               func(f *forgeryV2) { f.around(`$tag`, strings.Repeat("A", 43)) },
		"ciphertext null":        func(f *forgeryV2) { f.around(`"$ciphertext"`, `null`) },
		"ciphertext padded":      func(f *forgeryV2) { f.around(`$ciphertext`, `$ciphertext==`) },
		"ciphertext line break":  func(f *forgeryV2) { f.around(`$ciphertext`, `$ciphertext\n`) },
		"ciphertext empty":       func(f *forgeryV2) { f.around(`$ciphertext`, ``) },
		"member twice":           func(f *forgeryV2) { f.around(`{`, `{"iv":"$iv",`) },
		"member in two cases":    func(f *forgeryV2) { f.around(`{`, `{"IV":"$iv",`) },
		"an array":               func(f *forgeryV2) { f.outer = `[` + f.outer + `]` },
		"trailing data":          func(f *forgeryV2) { f.outer += `x` },
		"compact":                func(f *forgeryV2) { f.outer = `$protected..$iv.$ciphertext.$tag` },
		"too deep":               func(f *forgeryV2) { f.around(`{`, `{"x":`+strings.Repeat("[", 9)+strings.Repeat("]", 9)+`,`) },
		"a signature beside":     func(f *forgeryV2) { f.around(`"ciphertext"`, `"payload"`); f.around(`{`, `{"signature":"x",`) },
		"plaintext not JSON":     func(f *forgeryV2) { f.plaintext = []byte(`hello`) },
		"plaintext an array":     func(f *forgeryV2) { f.plaintext = []byte(`[]`) },
		"plaintext empty":        func(f *forgeryV2) { f.plaintext = nil },
		"plaintext of version 1": func(f *forgeryV2) { f.plaintext = []byte(hello) },
		"plaintext typ":          func(f *forgeryV2) { f.message(`didcomm-plain+json`, `didcomm-signed+json`) },
		"plaintext from twice":   func(f *forgeryV2) { f.message(`"from"`, `"from":"did:example:alice","from"`) },
		"plaintext from number":  func(f *forgeryV2) { f.message(`"from":"did:example:alice"`, `"from":1`) },
		"plaintext no from":      func(f *forgeryV2) { f.message(`"from":"did:example:alice",`, ``) },
		"plaintext from null":    func(f *forgeryV2) { f.message(`"from":"did:example:alice"`, `"from":null`) },
		"plaintext from a key":   func(f *forgeryV2) { f.message(`"from":"did:example:alice"`, `"from":"did:example:alice#agree-1"`) },
		"plaintext to a text":    func(f *forgeryV2) { f.message(`["did:example:bob"]`, `"did:example:bob"`) },
		"plaintext to a key":     func(f *forgeryV2) { f.message(`["did:example:bob"]`, `["did:example:bob#agree-1"]`) },
		"plaintext to numbers":   func(f *forgeryV2) { f.message(`["did:example:bob"]`, `["did:example:bob",1]`) },
		"from_prior no text":     func(f *forgeryV2) { f.message(`"body"`, `"from_prior":{},"body"`) },
		"from_prior empty":       func(f *forgeryV2) { f.message(`"body"`, `"from_prior":"","body"`) },
		"authcrypt in authcrypt": func(f *forgeryV2) { f.plaintext = newForgeryV2(f.t, alice, bob).envelope() },
		"anoncrypt in authcrypt": func(f *forgeryV2) { f.plaintext = newForgeryV2(f.t, nil, bob).envelope() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forged := newForgeryV2(t, alice, bob)
			f(forged)
			got, err := bob.Unpack(t.Context(), forged.envelope())
			require.ErrorIs(t, err, envelope.ErrEnvelope)
			require.Equal(t, envelope.ErrEnvelope.Error(), err.Error(), "the error says which step failed")
			require.Nil(t, got)
		})
	}
}

func marshal(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// An anonymous envelope that names a sender must not be taken for an authenticated one.
func TestUnpackV2AnonymousNamesNobody(t *testing.T) {
	t.Parallel()
	among := directory{}
	newPartyV2(t, among, "alice", "X25519")
	bob := newPartyV2(t, among, "bob", "X25519")
	apu := base64.RawURLEncoding.EncodeToString([]byte("did:example:alice#agree-1"))
	for name, f := range map[string]func(*forgeryV2){
		"skid": func(f *forgeryV2) { f.edit(`"typ"`, `"skid":"did:example:alice#agree-1","typ"`) },
		"apu": func(f *forgeryV2) {
			f.edit(`"typ"`, `"apu":"`+apu+`","typ"`)
			f.apu = []byte("did:example:alice#agree-1")
		},
		"anoncrypt in anoncrypt": func(f *forgeryV2) { f.plaintext = newForgeryV2(f.t, nil, bob).envelope() },
		"version 1 in anoncrypt": func(f *forgeryV2) { f.plaintext = []byte(exampleAnoncrypt) },
	} {
		forged := newForgeryV2(t, nil, bob)
		f(forged)
		_, err := bob.Unpack(t.Context(), forged.envelope())
		require.ErrorIs(t, err, envelope.ErrEnvelope, name)
	}
}

// Keys from outside that are no keys: not on their curve, or of small order, so that the
// secret is known to all ("Curves and Content Encryption Algorithms").
func TestUnpackV2InvalidKeys(t *testing.T) {
	t.Parallel()
	encode := base64.RawURLEncoding.EncodeToString
	for curve, size := range map[string]int{"P-256": 32, "P-384": 48, "P-521": 66} {
		among := directory{}
		alice, bob := newPartyV2(t, among, "alice", curve), newPartyV2(t, among, "bob", curve)
		good := publicJWK(secretKey(t, curves()[curve], "ephemeral").PublicKey())
		zero, one := encode(make([]byte, size)), encode(append(make([]byte, size-1), 1))
		for name, xy := range map[string][2]any{
			"not on the curve": {good["y"], good["x"]},
			"zero":             {zero, zero},
			"one":              {one, one},
			"x alone":          {good["x"], nil},
			"short":            {encode(make([]byte, size-1)), good["y"]},
			"long":             {encode(make([]byte, size+1)), good["y"]},
			"not reduced":      {encode(bytes.Repeat([]byte{255}, size)), good["y"]},
		} {
			for _, from := range []*partyV2{alice, nil} {
				forged := newForgeryV2(t, from, bob)
				_, err := bob.Unpack(t.Context(), forged.envelope())
				require.NoError(t, err)
				forged.setEPK(marshal(t, map[string]any{"kty": "EC", "crv": curve, "x": xy[0], "y": xy[1]}))
				_, err = bob.Unpack(t.Context(), forged.envelope())
				require.ErrorIs(t, err, envelope.ErrEnvelope, "%s %s", curve, name)
			}
		}
	}
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	for _, u := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		for _, from := range []*partyV2{alice, nil} {
			forged := newForgeryV2(t, from, bob)
			var key []byte
			_, err := fmt.Sscanf(u, "%x", &key)
			require.NoError(t, err)
			forged.setEPK(`{"kty":"OKP","crv":"X25519","x":"` + encode(key) + `"}`)
			_, err = bob.Unpack(t.Context(), forged.envelope())
			require.ErrorIs(t, err, envelope.ErrEnvelope, u)
		}
	}
}

// P-521 is read, in both kinds of encryption.
func TestUnpackV2P521(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "P-521"), newPartyV2(t, among, "bob", "P-521")
	for _, from := range []*partyV2{alice, nil} {
		got, err := bob.Unpack(t.Context(), newForgeryV2(t, from, bob).envelope())
		require.NoError(t, err)
		require.Equal(t, from != nil, got.Authenticated)
	}
}

// Not one byte of an envelope to one key can be changed.
func TestUnpackV2RefusesEveryMutation(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	for name, o := range map[string]envelope.Options{
		"auth": {From: alice.id}, "anon": {Enc: envelope.A256GCM}, "signed": {Sign: alice.signer, Enc: envelope.XC20P},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.To = bob.id
			packed, err := alice.PackV2(t.Context(), message(alice, bob), o)
			require.NoError(t, err)
			for i := range packed {
				changed := bytes.Clone(packed)
				changed[i] ^= []byte{0x01, 0x20, 0x80}[i%3]
				_, err := bob.Unpack(t.Context(), changed)
				require.ErrorIs(t, err, didcomm.ErrPermanent, "byte %d", i)
				if i%5 > 0 {
					continue
				}
				_, err = bob.Unpack(t.Context(), packed[:i])
				require.ErrorIs(t, err, envelope.ErrEnvelope, "cut at %d", i)
			}
		})
	}
}

// What cannot be told now is not the sender's fault.
func TestUnpackV2Lookup(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	auth := newForgeryV2(t, alice, bob).envelope()
	signed, err := alice.SignV2(t.Context(), message(alice, bob), alice.signer)
	require.NoError(t, err)
	other := errors.New("disk on fire")
	for name, c := range map[string]struct {
		envelope []byte
		resolver did.Resolver
		want     error // nil: ErrEnvelope
		final    bool
	}{
		"sender unavailable":    {auth, failing{among, alice.id, did.ErrUnavailable}, did.ErrUnavailable, false},
		"sender unknown":        {auth, failing{among, alice.id, did.ErrNotFound}, envelope.ErrEnvelope, true},
		"sender invalid":        {auth, failing{among, alice.id, did.ErrInvalid}, envelope.ErrEnvelope, true},
		"sender unsupported":    {auth, failing{among, alice.id, did.ErrUnsupported}, envelope.ErrEnvelope, true},
		"sender deactivated":    {auth, deactivated{among, alice.id}, envelope.ErrEnvelope, true},
		"sender's resolver":     {auth, failing{among, alice.id, other}, other, false},
		"signer unavailable":    {signed, failing{among, alice.id, did.ErrUnavailable}, did.ErrUnavailable, false},
		"signer deactivated":    {signed, deactivated{among, alice.id}, envelope.ErrEnvelope, true},
		"recipient unavailable": {auth, failing{among, bob.id, did.ErrUnavailable}, did.ErrUnavailable, false},
		"recipient unknown":     {auth, failing{among, bob.id, did.ErrNotFound}, envelope.ErrNotForUs, true},
		"recipient deactivated": {auth, deactivated{among, bob.id}, envelope.ErrNotForUs, true},
	} {
		p := bob.Packer
		p.Resolver = c.resolver
		_, err := p.Unpack(t.Context(), c.envelope)
		require.ErrorIs(t, err, c.want, name)
		require.Equal(t, c.final, errors.Is(err, didcomm.ErrPermanent), name)
	}
	p := bob.Packer
	p.Agreement = brokenKeys{other}
	_, err = p.Unpack(t.Context(), auth)
	require.ErrorIs(t, err, other)
	p.Agreement = nil
	_, err = p.Unpack(t.Context(), auth)
	require.ErrorIs(t, err, envelope.ErrNotForUs)
	p = envelope.Packer{Keys: bob.keys} // of version 1 alone
	for _, data := range [][]byte{auth, signed} {
		_, err = p.Unpack(t.Context(), data)
		require.ErrorIs(t, err, envelope.ErrNotForUs)
	}
	p = envelope.Packer{Agreement: bob.keys, Resolver: among} // of version 2 alone
	_, err = p.Unpack(t.Context(), []byte(exampleAnoncrypt))
	require.ErrorIs(t, err, envelope.ErrNotForUs)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = bob.Unpack(ctx, auth)
	require.ErrorIs(t, err, context.Canceled)
}

// A wallet that is closed, or a key that is deleted, between finding a key and using it.
func TestUnpackV2KeyGone(t *testing.T) {
	t.Parallel()
	among := directory{}
	alice, bob := newPartyV2(t, among, "alice", "X25519"), newPartyV2(t, among, "bob", "X25519")
	closed := errors.New("wallet closed")
	for name, c := range map[string]struct{ then, want error }{
		"closed":  {closed, closed},
		"deleted": {didcomm.ErrNotFound, envelope.ErrNotForUs},
		"neither": {nil, errNoExchange}, // who knows why
	} {
		p := bob.Packer
		p.Agreement = &goneKeys{key: bob.agreement[0], then: c.then}
		_, err := p.Unpack(t.Context(), newForgeryV2(t, alice, bob).envelope())
		require.ErrorIs(t, err, c.want, name)
	}
	p := alice.Packer
	p.Agreement = &goneKeys{key: alice.agreement[0], then: closed}
	_, err := p.PackV2(t.Context(), message(alice, bob), envelope.Options{From: alice.id, To: bob.id})
	require.ErrorIs(t, err, closed)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
}

// goneKeys have a key that is found and cannot be used, and then say why.
type goneKeys struct {
	key  *ecdh.PrivateKey
	then error
	used bool
}

func (g *goneKeys) KeyExchanger(context.Context, *ecdh.PublicKey) (ecdh.KeyExchanger, error) {
	if g.used && g.then != nil {
		return nil, g.then
	}
	g.used = true
	return goneKey{g.key, g.then}, nil
}

var errNoExchange = errors.New("no exchange with this key")

type goneKey struct {
	*ecdh.PrivateKey
	err error
}

func (g goneKey) ECDH(*ecdh.PublicKey) ([]byte, error) {
	if g.err == nil {
		return nil, errNoExchange
	}
	return nil, g.err
}

// brokenKeys fail whatever they are asked for.
type brokenKeys struct{ err error }

func (b brokenKeys) KeyExchanger(context.Context, *ecdh.PublicKey) (ecdh.KeyExchanger, error) {
	return nil, b.err
}

// deactivated is a directory in which one DID is no longer in use.
type deactivated struct {
	directory
	id did.DID
}

func (d deactivated) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	res, err := d.directory.Resolve(ctx, id, at)
	if id == d.id {
		res.Deactivated = true
	}
	return res, err
}
