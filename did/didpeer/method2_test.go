package didpeer_test

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/did/didtest"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// The example of Method 2: its DID, its keys and its services.
const (
	specSigning   = "z6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc"
	specAgreement = "z6LSg8zQom395jKLrGiBNruB9MM6V8PWuf2FpEy4uRFiqQBR"
	specPeer2     = "did:peer:2.V" + specSigning + ".E" + specAgreement +
		".SeyJ0IjoiZG0iLCJzIjp7InVyaSI6Imh0dHA6Ly9leGFtcGxlLmNvbS9kaWRjb21tIiwiYSI6WyJkaWRjb21tL3YyIl0sInIiOlsiZGlkOmV4YW1wbGU6MTIzNDU2Nzg5YWJjZGVmZ2hpI2tleS0xIl19fQ" +
		".SeyJ0IjoiZG0iLCJzIjp7InVyaSI6Imh0dHA6Ly9leGFtcGxlLmNvbS9hbm90aGVyIiwiYSI6WyJkaWRjb21tL3YyIl0sInIiOlsiZGlkOmV4YW1wbGU6MTIzNDU2Nzg5YWJjZGVmZ2hpI2tleS0yIl19fQ"
	specService0 = `{"type":"DIDCommMessaging","serviceEndpoint":{"uri":"http://example.com/didcomm","accept":["didcomm/v2"],"routingKeys":["did:example:123456789abcdefghi#key-1"]}}`
	specService1 = `{"type":"DIDCommMessaging","serviceEndpoint":{"uri":"http://example.com/another","accept":["didcomm/v2"],"routingKeys":["did:example:123456789abcdefghi#key-2"]}}`
)

func publicKey(t testing.TB, multikey string) any {
	t.Helper()
	pub, err := did.ParseMultikey(multikey)
	require.NoError(t, err)
	return pub
}

func TestMethod2(t *testing.T) {
	t.Parallel()
	id, err := didpeer.New2([]didpeer.Key{{did.Authentication, publicKey(t, specSigning)}, {did.KeyAgreement, publicKey(t, specAgreement)}},
		[]byte(specService0), []byte(" "+specService1+"\n"))
	require.NoError(t, err)
	require.Equal(t, specPeer2, id.String())

	d := resolve(t, id)
	out, err := json.Marshal(d)
	require.NoError(t, err)
	require.JSONEq(t, `{"@context":["https://www.w3.org/ns/did/v1","https://w3id.org/security/multikey/v1"],"id":"`+specPeer2+`",
		"verificationMethod":[
			{"id":"#key-1","controller":"`+specPeer2+`","type":"Multikey","publicKeyMultibase":"`+specSigning+`"},
			{"id":"#key-2","controller":"`+specPeer2+`","type":"Multikey","publicKeyMultibase":"`+specAgreement+`"}],
		"authentication":["#key-1"],"keyAgreement":["#key-2"],
		"service":[`+specService0[:len(specService0)-1]+`,"id":"#service"},`+specService1[:len(specService1)-1]+`,"id":"#service-1"}]}`, string(out))
	require.Equal(t, []string{specSigning}, keysOf(t, d, did.Authentication))
	require.Equal(t, []string{specAgreement}, keysOf(t, d, did.KeyAgreement))
	_, err = d.Method(id.URL("key-1"), did.AssertionMethod, atUse)
	require.ErrorIs(t, err, did.ErrNotAuthorised, "V is authentication and no more")
	require.Equal(t, []did.Service{
		{ID: specPeer2 + "#service", Type: "DIDCommMessaging", Endpoint: "http://example.com/didcomm", Accept: []string{"didcomm/v2"}, RoutingKeys: []string{"did:example:123456789abcdefghi#key-1"}},
		{ID: specPeer2 + "#service-1", Type: "DIDCommMessaging", Endpoint: "http://example.com/another", Accept: []string{"didcomm/v2"}, RoutingKeys: []string{"did:example:123456789abcdefghi#key-2"}},
	}, d.Services("DIDCommMessaging"))
	didtest.Resolver(t, didpeer.Resolver{}, id, did.DID{})
}

// The specification's own text, where it lies beside the vectors: the document that
// it shows, but for a comma too many and the did:peer:3 that it allows.
func TestMethod2Text(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(vectors.Dir(t), "..", "specs", "did-peer.md"))
	if os.IsNotExist(err) {
		t.Skip("no specs/did-peer.md beside the published vectors; README.md, Tests, says how to run this")
	}
	require.NoError(t, err)
	shown := 0
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		var document map[string]any
		if json.Unmarshal([]byte(strings.Replace(block[1], "multikey/v1\",\n", "multikey/v1\"\n", 1)), &document) != nil {
			continue
		}
		id, _ := document["id"].(string)
		if !strings.HasPrefix(id, "did:peer:2") {
			continue
		}
		delete(document, "alsoKnownAs")
		want, err := json.Marshal(document)
		require.NoError(t, err)
		out, err := json.Marshal(resolve(t, parse(t, id)))
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(out))
		shown++
	}
	require.Equal(t, 1, shown)
}

// Every purpose, one key for two of them, elements in any order, and the service of
// DIDComm version 1.
func TestNew2(t *testing.T) {
	t.Parallel()
	keys := []didpeer.Key{{did.KeyAgreement, publicKey(t, specAgreement)}}
	for _, rel := range []did.Relationship{did.Authentication, did.AssertionMethod, did.CapabilityInvocation, did.CapabilityDelegation} {
		keys = append(keys, didpeer.Key{For: rel, Public: publicKey(t, specSigning)})
	}
	const service = `{"id":"#didcomm","type":"did-communication","serviceEndpoint":"http://127.0.0.1:9301","priority":0,"recipientKeys":["#key-2"],"routingKeys":[],"accept":["didcomm/aip2;env=rfc19"]}`
	id, err := didpeer.New2(keys, []byte(service), []byte(`{"type":["dms","DIDCommMessaging"],"serviceEndpoint":"b"}`), []byte(`{"type":"e","serviceEndpoint":["f"],"z":{"accept":1}}`))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(id.String(), "did:peer:2.E"+specAgreement+".V"+specSigning+".A"+specSigning+".I"+specSigning+".D"+specSigning+".S"))
	d := resolve(t, id)
	for i, rel := range []did.Relationship{did.KeyAgreement, did.Authentication, did.AssertionMethod, did.CapabilityInvocation, did.CapabilityDelegation} {
		require.Len(t, d.Methods(rel, atUse), 1)
		_, err := d.Method(id.URL("key-"+string(rune('1'+i))), rel, atUse)
		require.NoError(t, err)
	}
	require.Equal(t, []did.Service{{
		ID: id.String() + "#didcomm", Type: "did-communication", Endpoint: "http://127.0.0.1:9301",
		Accept: []string{"didcomm/aip2;env=rfc19"}, RecipientKeys: []string{id.String() + "#key-2"}, RoutingKeys: []string{},
	}}, d.Services("did-communication"))
	last := id.String()[strings.LastIndex(id.String(), ".S")+2:]
	raw, err := base64.RawURLEncoding.DecodeString(last)
	require.NoError(t, err)
	require.Equal(t, `{"t":"e","s":["f"],"z":{"a":1}}`, string(raw), "at every depth")
	require.Equal(t, id.String()+"#service-1", d.Services("e")[0].ID)

	// A service first.
	moved := parse(t, "did:peer:2.S"+last+".V"+specSigning)
	require.Equal(t, []string{specSigning}, keysOf(t, resolve(t, moved), did.Authentication))
	require.Len(t, resolve(t, moved).Services("e"), 1)

	// A key of a type that is not known here is not judged.
	other := resolve(t, parse(t, "did:peer:2.VzQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme.E"+specAgreement))
	_, err = other.Method(other.ID().URL("key-1"), did.Authentication, atUse)
	require.ErrorIs(t, err, did.ErrUnsupported)
	require.Len(t, other.Methods(did.KeyAgreement, atUse), 1)
}

func TestNew2Refuses(t *testing.T) {
	t.Parallel()
	signing, agreement := publicKey(t, specSigning), publicKey(t, specAgreement)
	one := []didpeer.Key{{did.Authentication, signing}}
	for name, tt := range map[string]struct {
		keys    []didpeer.Key
		service string
		want    error
	}{
		"no keys":               {nil, specService0, did.ErrInvalid},
		"nothing":               {nil, "", did.ErrInvalid},
		"no key in it":          {[]didpeer.Key{{For: did.Authentication}}, "", did.ErrUnsupported},
		"no relationship":       {[]didpeer.Key{{Public: signing}}, "", did.ErrInvalid},
		"another relationship":  {[]didpeer.Key{{"service", signing}}, "", did.ErrInvalid},
		"to agree with Ed25519": {[]didpeer.Key{{did.KeyAgreement, signing}}, "", did.ErrInvalid},
		"to sign with X25519":   {[]didpeer.Key{{did.Authentication, agreement}}, "", did.ErrInvalid},
		"small order":           {[]didpeer.Key{{did.Authentication, ed25519.PublicKey(make([]byte, 32))}}, "", did.ErrInvalid},
		"P-256 of crypto/ecdh":  {[]didpeer.Key{{did.KeyAgreement, p256ECDH(t)}}, "", did.ErrUnsupported},
		"no JSON":               {one, "service", did.ErrInvalid},
		"a list":                {one, "[" + specService0 + "]", did.ErrInvalid},
		"a member twice":        {one, `{"type":"a","type":"b","serviceEndpoint":"c"}`, did.ErrInvalid},
		"no type":               {one, `{"serviceEndpoint":"c"}`, did.ErrInvalid},
		"no endpoint":           {one, `{"type":"c"}`, did.ErrInvalid},
		"absolute id":           {one, `{"id":"did:example:a#s","type":"b","serviceEndpoint":"c"}`, did.ErrInvalid},
		"id a number":           {one, `{"id":1,"type":"b","serviceEndpoint":"c"}`, did.ErrInvalid},
		"abbreviated already":   {one, `{"t":"dm","s":"c"}`, did.ErrInvalid},
		"a member named a":      {one, `{"type":"b","serviceEndpoint":{"uri":"c","a":["didcomm/v2"]}}`, did.ErrInvalid},
		"a type named dm":       {one, `{"type":"dm","serviceEndpoint":"c"}`, did.ErrInvalid},
		"dm in a list":          {one, `{"type":["x","dm"],"serviceEndpoint":"c"}`, did.ErrInvalid},
		"both":                  {one, `{"type":"b","t":"b","serviceEndpoint":"c"}`, did.ErrInvalid},
		"too long":              {one, `{"type":"b","serviceEndpoint":"` + strings.Repeat("c", 16<<10) + `"}`, did.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var services [][]byte
			if tt.service != "" {
				services = append(services, []byte(tt.service))
			}
			id, err := didpeer.New2(tt.keys, services...)
			require.ErrorIs(t, err, tt.want)
			require.True(t, id.IsZero())
		})
	}
}

// Two services that are each well within the limits, and make the DID too long.
func TestNew2TooLong(t *testing.T) {
	t.Parallel()
	service := []byte(`{"type":"b","serviceEndpoint":"` + strings.Repeat("c", 12<<10) + `"}`)
	keys := []didpeer.Key{{did.Authentication, publicKey(t, specSigning)}}
	_, err := didpeer.New2(keys, service)
	require.NoError(t, err)
	id, err := didpeer.New2(keys, service, service)
	require.ErrorIs(t, err, did.ErrInvalid)
	require.True(t, id.IsZero())
}

// p256ECDH is a key for an exchange over P-256 in the type of crypto/ecdh, which this
// module has no Multikey for: it takes P-256 keys as *ecdsa.PublicKey.
func p256ECDH(t *testing.T) *ecdh.PublicKey {
	t.Helper()
	key, err := ecdh.P256().NewPrivateKey(append(make([]byte, 31), 1))
	require.NoError(t, err)
	return key.PublicKey()
}

func TestResolve2Refuses(t *testing.T) {
	t.Parallel()
	service := func(text string) string {
		return "did:peer:2.V" + specSigning + ".S" + base64.RawURLEncoding.EncodeToString([]byte(text))
	}
	for name, in := range map[string]string{
		"nothing":                 "did:peer:2",
		"a period":                "did:peer:2.",
		"no period":               "did:peer:2V" + specSigning,
		"something before":        "did:peer:2z.V" + specSigning,
		"an empty element":        "did:peer:2.V" + specSigning + "..E" + specAgreement,
		"a period behind":         "did:peer:2.V" + specSigning + ".",
		"a purpose alone":         "did:peer:2.V",
		"an unknown purpose":      "did:peer:2.X" + specSigning,
		"a small purpose":         "did:peer:2.v" + specSigning,
		"a key alone":             "did:peer:2." + specSigning,
		"a service alone":         "did:peer:2.S" + base64.RawURLEncoding.EncodeToString([]byte(specService0)),
		"a key in base64url":      "did:peer:2.Vu7QEy",
		"a key with a byte more":  "did:peer:2.V" + multiformat.Encode(append([]byte{0xed, 1, 0}, make([]byte, 32)...)),
		"a private key":           "did:peer:2.V" + multiformat.Encode(append([]byte{0x80, 0x26}, make([]byte, 32)...)),
		"a small key":             "did:peer:2.Vz6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP",
		"Ed25519 to agree":        "did:peer:2.E" + specSigning,
		"X25519 to sign":          "did:peer:2.V" + specAgreement,
		"a colon":                 "did:peer:2.V" + specSigning + ":z",
		"percent":                 "did:peer:2.V" + specSigning + ".S%7B%7D",
		"service not base64url":   "did:peer:2.V" + specSigning + ".Se",
		"service of nothing":      "did:peer:2.V" + specSigning + ".S",
		"service with bits left":  service(`{"t":"a","s":"b"}`)[:len(service(`{"t":"a","s":"b"}`))-1] + "1",
		"service of no JSON":      service("service"),
		"service of null":         service("null"),
		"service of a list":       service("[]"),
		"service in a list twice": service(`[[{"t":"a","s":"b"}]]`),
		"service without type":    service(`{"s":"b"}`),
		"service without all":     service(`{}`),
		"service absolute":        service(`{"id":"did:example:a#s","t":"a","s":"b"}`),
		"service with id null":    service(`{"id":null,"t":"a","s":"b"}`),
		"type and t":              service(`{"type":"a","t":"a","s":"b"}`),
		"accept and a, deep":      service(`{"t":"dm","s":{"uri":"b","a":[],"accept":[]}}`),
		"s and its name in lists": service(`{"t":"dm","s":[[{"uri":"b","s":1,"serviceEndpoint":2}]]}`),
		"two of one id":           service(`{"id":"#s","t":"a","s":"b"}`) + ".S" + base64.RawURLEncoding.EncodeToString([]byte(`{"id":"#s","t":"a","s":"c"}`)),
		"the id that comes next":  service(`{"id":"#service","t":"a","s":"b"}`) + ".S" + base64.RawURLEncoding.EncodeToString([]byte(`{"t":"a","s":"c"}`)),
		"DIDComm without address": service(`{"t":"dm","s":{"accept":["didcomm/v2"]}}`),
	} {
		res, err := didpeer.Resolver{}.Resolve(context.Background(), parse(t, in), did.Version{})
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.Nil(t, res, name)
	}
	for _, at := range []did.Version{{ID: "1"}, {Number: 1}} {
		_, err := didpeer.Resolver{}.Resolve(context.Background(), parse(t, specPeer2), at)
		require.ErrorIs(t, err, did.ErrNotFound)
	}
}

// More services or keys than a document holds: in elements, in one element, and more
// than a DID is long.
func TestAbuse_DW08_Services(t *testing.T) {
	t.Parallel()
	const limit = 64
	short := ".S" + base64.RawURLEncoding.EncodeToString([]byte(`{"t":"a","s":"b"}`))
	list := func(n int) string {
		return ".S" + base64.RawURLEncoding.EncodeToString([]byte("["+strings.Repeat(`{"t":"a","s":"b"},`, n-1)+`{"t":"a","s":"b"}]`))
	}
	key := "did:peer:2.V" + specSigning
	for name, tt := range map[string]struct {
		in string
		ok bool
	}{
		"most elements":                {key + strings.Repeat(short, limit-1), true},
		"one element more":             {key + strings.Repeat(short, limit), false},
		"most in one element":          {key + list(limit), true},
		"one more in one element":      {key + list(limit+1), false},
		"more in three":                {key + list(limit) + list(limit) + short, false},
		"most keys":                    {"did:peer:2" + strings.Repeat(".V"+specSigning, limit), true},
		"one key more":                 {"did:peer:2" + strings.Repeat(".V"+specSigning, limit+1), false},
		"8,000 periods":                {"did:peer:2" + strings.Repeat(".", 8000) + "V" + specSigning, false},
		"8,000 empty services":         {key + strings.Repeat(".S", 8000), false},
		"900 in one element":           {key + list(900), false},
		"endpoints beyond the limit":   {key + ".S" + base64.RawURLEncoding.EncodeToString([]byte(`{"t":"a","s":[`+strings.Repeat(`"b",`, 128)+`"b"]}`)), false},
		"deeper than JSON may be":      {key + ".S" + base64.RawURLEncoding.EncodeToString([]byte(`{"t":"a","s":"b","x":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`}`)), false},
		"a service as long as a DID":   {key + ".S" + strings.Repeat("a", 22<<10), false},
		"a key that is long to decode": {"did:peer:2.Vz" + strings.Repeat("6", 22<<10), false},
	} {
		res, err := didpeer.Resolver{}.Resolve(context.Background(), parse(t, tt.in), did.Version{})
		if tt.ok {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.Nil(t, res)
	}
	_, err := did.Parse(key + strings.Repeat(short, 10_000))
	require.ErrorIs(t, err, did.ErrInvalid, "10,000 services are longer than a DID may be")
}

// The vectors of SICPA's peer-did-python, which follow the method's first text: their
// keys have older types and other names, and a key to sign with is authorised for
// everything, where Purpose Codes now gives V authentication alone.
func TestSICPA(t *testing.T) {
	t.Parallel()
	var file struct {
		Vectors map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal(vectors.Read(t, "did-peer", "sicpa", "peer-did-python.json"), &file))
	text := func(name string) string {
		var s string
		require.NoError(t, json.Unmarshal(file.Vectors[name], &s), name)
		return s
	}
	compared := 0
	for name, documents := range map[string][]string{
		"PEER_DID_NUMALGO_0":                  {"DID_DOC_NUMALGO_O_BASE58", "DID_DOC_NUMALGO_O_MULTIBASE", "DID_DOC_NUMALGO_O_JWK"},
		"PEER_DID_NUMALGO_2":                  {"DID_DOC_NUMALGO_2_BASE58", "DID_DOC_NUMALGO_2_MULTIBASE", "DID_DOC_NUMALGO_2_JWK"},
		"PEER_DID_NUMALGO_2_2_SERVICES":       {"DID_DOC_NUMALGO_2_MULTIBASE_2_SERVICES"},
		"PEER_DID_NUMALGO_2_NO_SERVICES":      {"DID_DOC_NUMALGO_2_MULTIBASE_NO_SERVICES"},
		"PEER_DID_NUMALGO_2_MINIMAL_SERVICES": {"DID_DOC_NUMALGO_2_MULTIBASE_MINIMAL_SERVICES"},
	} {
		id := parse(t, text(name))
		ours := resolve(t, id)
		for _, of := range documents {
			theirs, err := did.ParseDocument(file.Vectors[of])
			require.NoError(t, err, of)
			require.Equal(t, id, theirs.ID())
			require.Equal(t, keysOf(t, theirs, did.Authentication), keysOf(t, ours, did.Authentication), of)
			for _, rel := range []did.Relationship{did.AssertionMethod, did.CapabilityInvocation, did.CapabilityDelegation} {
				require.Equal(t, keysOf(t, theirs, did.Authentication), keysOf(t, theirs, rel), "the older reading")
				if name == "PEER_DID_NUMALGO_0" {
					require.Equal(t, keysOf(t, theirs, rel), keysOf(t, ours, rel), of)
				} else {
					require.Empty(t, keysOf(t, ours, rel), of)
				}
			}
			if name != "PEER_DID_NUMALGO_0" { // to which the derived key belongs by the text
				require.Equal(t, keysOf(t, theirs, did.KeyAgreement), keysOf(t, ours, did.KeyAgreement), of)
			}
			require.Equal(t, nameless(t, theirs), nameless(t, ours), of)
			compared++
		}
		delete(file.Vectors, name)
		for _, of := range documents {
			delete(file.Vectors, of)
		}
	}
	require.Equal(t, 9, compared)
	require.Empty(t, file.Vectors, "every vector is compared")
}

// nameless returns the services of a document as they are written, but for their ids.
func nameless(t *testing.T, d *did.Document) []map[string]any {
	t.Helper()
	out, err := json.Marshal(d)
	require.NoError(t, err)
	var shown struct{ Service []map[string]any }
	require.NoError(t, json.Unmarshal(out, &shown))
	for _, s := range shown.Service {
		require.NotEmpty(t, s["id"])
		delete(s, "id")
	}
	return shown.Service
}

// Two of these vectors, typed here for whoever has no published ones.
func TestSICPAHeadlines(t *testing.T) {
	t.Parallel()
	const (
		signing   = "z6MkqRYqQiSgvZQdnBytw86Qbs2ZWUkGv22od935YF4s8M7V"
		second    = "z6MkgoLTnTypo3tDRwCkZXSccTPHRLhF4ZnjhueYAFpEX6vg"
		agreement = "z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"
	)
	require.Equal(t, []string{signing}, keysOf(t, resolve(t, parse(t, "did:peer:0"+signing)), did.AssertionMethod))
	d := resolve(t, parse(t, "did:peer:2.E"+agreement+".V"+signing+".V"+second+".SeyJ0IjoiZG0iLCJzIjoiaHR0cHM6Ly9leGFtcGxlLmNvbS9lbmRwb2ludCIsInIiOlsiZGlkOmV4YW1wbGU6c29tZW1lZGlhdG9yI3NvbWVrZXkiXSwiYSI6WyJkaWRjb21tL3YyIiwiZGlkY29tbS9haXAyO2Vudj1yZmM1ODciXX0"))
	require.Equal(t, []string{signing, second}, keysOf(t, d, did.Authentication))
	require.Equal(t, []string{agreement}, keysOf(t, d, did.KeyAgreement))
	require.Equal(t, []did.Service{{
		ID: d.ID().String() + "#service", Type: "DIDCommMessaging", Endpoint: "https://example.com/endpoint",
		Accept: []string{"didcomm/v2", "didcomm/aip2;env=rfc587"}, RoutingKeys: []string{"did:example:somemediator#somekey"},
	}}, d.Services(""))
	// Its writer put two services into one element.
	d = resolve(t, parse(t, "did:peer:2.V"+signing+".SW3sidCI6ImRtIiwicyI6Imh0dHBzOi8vZXhhbXBsZS5jb20vZW5kcG9pbnQiLCJyIjpbImRpZDpleGFtcGxlOnNvbWVtZWRpYXRvciNzb21la2V5Il19LHsidCI6ImV4YW1wbGUiLCJzIjoiaHR0cHM6Ly9leGFtcGxlLmNvbS9lbmRwb2ludDIiLCJyIjpbImRpZDpleGFtcGxlOnNvbWVtZWRpYXRvciNzb21la2V5MiJdLCJhIjpbImRpZGNvbW0vdjIiLCJkaWRjb21tL2FpcDI7ZW52PXJmYzU4NyJdfV0"))
	require.Len(t, d.Services(""), 2)
	require.Equal(t, "https://example.com/endpoint2", d.Services("example")[0].Endpoint)
}

// FuzzService starts from services, as base64 stands between a fuzzer and the inside
// of FuzzResolve.
func FuzzService(f *testing.F) {
	f.Add([]byte(specService0))
	f.Add([]byte(`{"t":"dm","s":{"uri":"http://example.com/didcomm","a":["didcomm/v2"],"r":[]}}`))
	f.Add([]byte(`[{"t":"dm","s":"https://example.com/endpoint"},{"t":"example","s":"https://example.com/endpoint2"}]`))
	f.Add([]byte(`{"type":"a","t":"b"}`))
	f.Fuzz(func(t *testing.T, service []byte) {
		if id, err := did.Parse("did:peer:2.V" + specSigning + ".S" + base64.RawURLEncoding.EncodeToString(service)); err == nil {
			if res, err := (didpeer.Resolver{}).Resolve(context.Background(), id, did.Version{}); err == nil {
				require.NotEmpty(t, res.Document.Services(""))
			} else {
				require.ErrorIs(t, err, did.ErrInvalid)
			}
		}
		id, err := didpeer.New2([]didpeer.Key{{did.Authentication, publicKey(t, specSigning)}}, service)
		if err != nil {
			require.ErrorIs(t, err, did.ErrInvalid)
			return
		}
		// What went in comes out.
		var in map[string]any
		require.NoError(t, json.Unmarshal(service, &in))
		delete(in, "id")
		require.Equal(t, []map[string]any{in}, nameless(t, resolve(t, id)))
	})
}

// FuzzGenesis requires that a did:peer:1 resolves from its own document and from no
// other.
func FuzzGenesis(f *testing.F) {
	f.Add([]byte(genesis))
	f.Add([]byte(`{"authentication":[]}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		id, err := didpeer.New1(document)
		if err != nil {
			require.ErrorIs(t, err, did.ErrInvalid)
			return
		}
		_, err = remembering(id, document).Resolve(context.Background(), id, did.Version{})
		require.NoError(t, err)
		_, err = remembering(id, append(document, ' ')).Resolve(context.Background(), id, did.Version{})
		require.ErrorIs(t, err, did.ErrInvalid)
	})
}

// BenchmarkResolve2 is what a did:peer:2 with two keys and two services costs.
func BenchmarkResolve2(b *testing.B) {
	id := parse(b, specPeer2)
	b.Run("two keys", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := didpeer.Resolver{}.Resolve(context.Background(), id, did.Version{})
			require.NoError(b, err)
		}
	})
}

// BenchmarkFloor decodes the same keys.
func BenchmarkFloor(b *testing.B) {
	b.Run("two keys", func(b *testing.B) {
		for b.Loop() {
			for _, key := range []string{specSigning, specAgreement} {
				_, err := did.ParseMultikey(key)
				require.NoError(b, err)
			}
		}
	})
}
