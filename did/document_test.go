package did_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

// atUse is when the tests use keys.
var atUse = time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)

// ward is a document with a key for each purpose, one of them embedded, and one
// key that is published but authorised for nothing.
const ward = `{
  "@context": ["https://www.w3.org/ns/did/v1.1", {"@vocab": "https://example.org/"}],
  "id": "did:example:ward",
  "controller": ["did:example:trust", "did:example:ward"],
  "alsoKnownAs": ["https://ward.example/"],
  "verificationMethod": [
    {"id": "did:example:ward#sign", "type": "Multikey", "controller": "did:example:ward", "publicKeyMultibase": "` + multikeyEd25519 + `"},
    {"id": "#idle", "type": "JsonWebKey", "controller": "did:example:ward", "publicKeyJwk": ` + jwkP256 + `},
    {"id": "#old", "type": "JsonWebKey2020", "controller": "did:example:ward", "publicKeyJwk": ` + jwkP384 + `,
     "expires": "2025-12-01T00:00:00Z", "revoked": "2024-12-10T16:28:32+01:00"},
    {"id": "#rsa", "type": "RsaVerificationKey2018", "controller": "did:example:ward", "publicKeyPem": "-----BEGIN"},
    {"id": "#theirs", "type": "Multikey", "controller": "did:example:other", "publicKeyMultibase": "` + multikeyP256 + `"},
    {"id": "did:example:other#abroad", "type": "Multikey", "controller": "did:example:ward", "publicKeyMultibase": "` + multikeyP256 + `"}
  ],
  "assertionMethod": ["#sign", "did:example:ward#old", "#rsa", "#theirs", "did:example:other#abroad", "#missing", "did:example:else#key"],
  "authentication": ["did:example:ward#sign",
    {"id": "#door", "type": "Ed25519VerificationKey2020", "controller": "did:example:ward", "publicKeyMultibase": "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}],
  "keyAgreement": [{"id": "#box", "type": "X25519KeyAgreementKey2020", "controller": "did:example:ward", "publicKeyMultibase": "` + multikeyX25519 + `"}],
  "service": [{"id": "#site", "type": "LinkedDomains", "serviceEndpoint": "https://ward.example/"}],
  "publicKey": [{"id": "#ancient"}],
  "extension": {"n": 1.50, "list": [null, true]}
}`

func parse(t testing.TB, document string) *did.Document {
	t.Helper()
	d, err := did.ParseDocument([]byte(document))
	require.NoError(t, err)
	return d
}

func TestDocument(t *testing.T) {
	t.Parallel()
	d := parse(t, ward)
	require.Equal(t, "did:example:ward", d.ID().String())
	require.Equal(t, []string{"https://ward.example/"}, d.AlsoKnownAs())

	m, err := d.Method(d.ID().URL("sign"), did.AssertionMethod, atUse)
	require.NoError(t, err)
	require.Equal(t, "did:example:ward#sign", m.ID.String())
	require.Equal(t, d.ID(), m.Controller)
	require.Equal(t, "666abe089035ed4a45795989fa720a0ee0c48549e84523485c56f1c81b4287a6", keyHex(t, m.PublicKey()))
	require.Equal(t, []did.Relationship{did.Authentication, did.AssertionMethod}, m.Relationships())
	require.True(t, m.Expires.IsZero())

	old, err := d.Method(d.ID().URL("old"), did.AssertionMethod, atUse)
	require.NoError(t, err)
	require.True(t, old.Expires.Equal(time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)))
	require.True(t, old.Revoked.Equal(time.Date(2024, 12, 10, 15, 28, 32, 0, time.UTC)))

	for name, c := range map[string]struct {
		at   time.Time
		want error
	}{
		"before its end": {old.Revoked.Add(-time.Nanosecond), nil},
		"as it ends":     {old.Revoked, did.ErrNotAuthorised},
		"after its end":  {old.Expires.AddDate(1, 0, 0), did.ErrNotAuthorised},
		"no time":        {time.Time{}, did.ErrInvalid},
	} {
		_, err := d.Method(old.ID, did.AssertionMethod, c.at)
		require.ErrorIs(t, err, c.want, name)
		held := slices.ContainsFunc(d.Methods(did.AssertionMethod, c.at), func(m *did.VerificationMethod) bool { return m.ID == old.ID })
		require.Equal(t, c.want == nil, held, name)
	}
	_, err = d.Method(d.ID().URL("sign"), did.AssertionMethod, time.Time{})
	require.ErrorIs(t, err, did.ErrInvalid)

	door, err := d.Method(d.ID().URL("door"), did.Authentication, atUse)
	require.NoError(t, err)
	require.Equal(t, []did.Relationship{did.Authentication}, door.Relationships())
}

// Every key and every relationship of the document, in every combination.
func TestDocumentRelationships(t *testing.T) {
	t.Parallel()
	d := parse(t, ward)
	allowed := map[string]bool{
		"did:example:ward#sign authentication": true, "did:example:ward#sign assertionMethod": true, "did:example:ward#old assertionMethod": true,
		"did:example:ward#door authentication": true, "did:example:ward#box keyAgreement": true,
	}
	wrong := map[string]error{
		"did:example:ward#rsa assertionMethod": did.ErrUnsupported,
	}
	tried := 0
	for _, vm := range []string{
		"did:example:ward#sign", "did:example:ward#idle", "did:example:ward#old", "did:example:ward#rsa", "did:example:ward#theirs",
		"did:example:other#abroad", "did:example:ward#door", "did:example:ward#box", "did:example:else#key", "did:example:other#sign",
	} {
		for _, rel := range []did.Relationship{
			did.Authentication, did.AssertionMethod, did.KeyAgreement, did.CapabilityInvocation, did.CapabilityDelegation,
			"", "verificationMethod", "AssertionMethod", "assertionmethod", "service",
		} {
			tried++
			m, err := d.Method(mustURL(t, vm), rel, atUse)
			key := vm + " " + string(rel)
			if allowed[key] {
				require.NoError(t, err, key)
				continue
			}
			want := did.ErrNotAuthorised
			if wrong[key] != nil {
				want = wrong[key]
			}
			require.ErrorIs(t, err, want, key)
			require.Nil(t, m, key)
		}
	}
	require.Equal(t, 100, tried)

	for _, vm := range []string{"did:example:ward#missing", "did:example:ward#ancient", "did:example:ward#site", "did:example:ward", "did:example:ward/a#sign", "did:example:ward?a#sign"} {
		_, err := d.Method(mustURL(t, vm), did.AssertionMethod, atUse)
		require.ErrorIs(t, err, did.ErrNotFound, vm)
	}
	_, err := d.Method(did.URL{}, did.AssertionMethod, atUse)
	require.ErrorIs(t, err, did.ErrNotAuthorised)

	ids := func(rel did.Relationship) (list []string) {
		for _, m := range d.Methods(rel, atUse) {
			list = append(list, m.ID.Fragment)
		}
		return list
	}
	require.Equal(t, []string{"sign", "old"}, ids(did.AssertionMethod))
	require.Equal(t, []string{"sign", "door"}, ids(did.Authentication))
	require.Equal(t, []string{"box"}, ids(did.KeyAgreement))
	require.Empty(t, ids(did.CapabilityInvocation))
	require.Empty(t, ids("verificationMethod"))
	require.Empty(t, ids(""))
}

// What a document hands out can be changed without changing the document.
func TestDocumentIsImmutable(t *testing.T) {
	t.Parallel()
	d := parse(t, ward)
	m, err := d.Method(d.ID().URL("box"), did.KeyAgreement, atUse)
	require.NoError(t, err)
	m.Controller = mustDID(t, "did:example:other")
	m.Relationships()[0] = did.AssertionMethod
	d.AlsoKnownAs()[0] = "x"
	d.Methods(did.AssertionMethod, atUse)[0].ID = did.URL{}
	d.Services("")[0].ID = "x"
	_, err = d.Method(d.ID().URL("box"), did.KeyAgreement, atUse)
	require.NoError(t, err)
	_, err = d.Method(d.ID().URL("box"), did.AssertionMethod, atUse)
	require.ErrorIs(t, err, did.ErrNotAuthorised)
	require.Equal(t, []string{"https://ward.example/"}, d.AlsoKnownAs())
	require.Equal(t, "did:example:ward#site", d.Services("")[0].ID)
	_, err = d.Method(d.ID().URL("sign"), did.AssertionMethod, atUse)
	require.NoError(t, err)
}

func TestDocumentJSON(t *testing.T) {
	t.Parallel()
	out, err := json.Marshal(parse(t, ward))
	require.NoError(t, err)
	require.JSONEq(t, ward, string(out))
	require.Contains(t, string(out), "1.50", "numbers keep their text")
	again, err := parse(t, string(out)).MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, string(out), string(again))
}

// A reference may come before the method that another relationship embeds.
func TestDocumentReferenceToEmbedded(t *testing.T) {
	t.Parallel()
	d := parse(t, `{"id":"did:example:a","authentication":["#k"],"capabilityDelegation":[{"id":"#k","type":"Multikey","controller":"did:example:a","publicKeyMultibase":"`+multikeyEd25519+`"}]}`)
	m, err := d.Method(d.ID().URL("k"), did.Authentication, atUse)
	require.NoError(t, err)
	require.ElementsMatch(t, []did.Relationship{did.Authentication, did.CapabilityDelegation}, m.Relationships())
}

func TestParseDocumentMinimal(t *testing.T) {
	t.Parallel()
	d := parse(t, `{"id":"did:example:a"}`)
	require.Empty(t, d.Methods(did.AssertionMethod, atUse))
	require.Empty(t, d.Services(""))
	require.Empty(t, d.AlsoKnownAs())
	// The types of other projects do not disturb the keys beside them.
	d = parse(t, `{"id":"did:example:a","assertionMethod":[
		{"id":"#1","type":"Bls12381G2Key2020","controller":"did:example:a","publicKeyBase58":"25EEkQtcLKsEzQ6JTo9cg4W7NHpaurn4Wg6LaNPFq6JQXnrP91SDviUz7KrJVMJd76CtAZFsRLYzvgX2JGxo2ccUHtuHk7ELCWwrkBDfrXCFVfqJKDootee9iVaF6NpdJtBE"},
		{"id":"#2","type":"EcdsaSecp256k1VerificationKey2019","controller":"did:example:a","publicKeyHex":"02"},
		{"id":"#3","type":"Multikey","controller":"did:example:a","publicKeyMultibase":"zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"},
		{"id":"#4","type":"SomethingNew","controller":"did:example:a","publicKeyMultibase":"f00"},
		{"id":"#5","type":"Multikey","controller":"did:example:a"},
		{"id":"did:example:a","type":"Multikey","controller":"did:example:a","publicKeyMultibase":"`+multikeyP384+`"},
		{"id":"#7","type":"Ed25519VerificationKey2018","controller":"did:example:a","publicKeyBase58":"4zvwRjXUKGfvwnParsHAS3HuSVzV5cA4McphgmoCtajS"}]}`)
	require.Len(t, d.Methods(did.AssertionMethod, atUse), 1)
	for _, fragment := range []string{"1", "2", "3", "4", "5", ""} {
		_, err := d.Method(d.ID().URL(fragment), did.AssertionMethod, atUse)
		require.ErrorIs(t, err, did.ErrUnsupported, fragment)
	}
}

func TestParseDocumentRefuses(t *testing.T) {
	t.Parallel()
	method := func(members string) string {
		return `{"id":"did:example:a","assertionMethod":[{` + members + `}]}`
	}
	key := `"publicKeyMultibase":"` + multikeyEd25519 + `"`
	good := `"id":"#k","type":"Multikey","controller":"did:example:a",`
	for name, in := range map[string]string{
		"no JSON":                     ``,
		"a list":                      `[]`,
		"a text":                      `"did:example:a"`,
		"no id":                       `{}`,
		"id of another type":          `{"id":1}`,
		"id empty":                    `{"id":""}`,
		"id with a fragment":          `{"id":"did:example:a#k"}`,
		"id a web address":            `{"id":"https://example.org/"}`,
		"data after the document":     `{"id":"did:example:a"}{}`,
		"controller a number":         `{"id":"did:example:a","controller":1}`,
		"controller no DID":           `{"id":"did:example:a","controller":["x"]}`,
		"controller an empty list":    `{"id":"did:example:a","controller":[]}`,
		"alsoKnownAs a text":          `{"id":"did:example:a","alsoKnownAs":"https://a.example/"}`,
		"alsoKnownAs with a number":   `{"id":"did:example:a","alsoKnownAs":[1]}`,
		"methods not a list":          `{"id":"did:example:a","verificationMethod":{}}`,
		"methods null":                `{"id":"did:example:a","verificationMethod":null}`,
		"method a reference":          `{"id":"did:example:a","verificationMethod":["#k"]}`,
		"relationship a text":         `{"id":"did:example:a","authentication":"#k"}`,
		"entry a number":              `{"id":"did:example:a","authentication":[1]}`,
		"entry a list":                `{"id":"did:example:a","authentication":[["#k"]]}`,
		"reference to the web":        `{"id":"did:example:a","authentication":["https://a.example/#k"]}`,
		"reference without sign":      `{"id":"did:example:a","authentication":["k"]}`,
		"reference empty":             `{"id":"did:example:a","authentication":[""]}`,
		"reference with a space":      `{"id":"did:example:a","authentication":["#a b"]}`,
		"method without id":           method(`"type":"Multikey","controller":"did:example:a",` + key),
		"method with an id not a URL": method(`"id":"k","type":"Multikey","controller":"did:example:a",` + key),
		"method without type":         method(`"id":"#k","controller":"did:example:a",` + key),
		"method with two types":       method(`"id":"#k","type":["Multikey","JsonWebKey"],"controller":"did:example:a",` + key),
		"method without controller":   method(`"id":"#k","type":"Multikey",` + key),
		"controller a URL":            method(`"id":"#k","type":"Multikey","controller":"did:example:a#x",` + key),
		"expires without zone":        method(good + `"expires":"2025-12-01T00:00:00",` + key),
		"expires one digit":           method(good + `"expires":"2025-12-01T1:00:00Z",` + key),
		"expires comma":               method(good + `"expires":"2025-12-01T01:00:00,5Z",` + key),
		"revoked offset of a day":     method(good + `"revoked":"2025-12-01T01:00:00+24:59",` + key),
		"revoked first moment":        method(good + `"revoked":"0001-01-01T00:00:00Z",` + key),
		"expires a date":              method(good + `"expires":"2025-12-01",` + key),
		"revoked a number":            method(good + `"revoked":1733844512,` + key),
		"revoked empty":               method(good + `"revoked":"",` + key),
		"two forms of the key":        method(good + key + `,"publicKeyBase58":"4zvwRjXUKGfvwnParsHAS3HuSVzV5cA4McphgmoCtajS"`),
		"key malformed":               method(good + `"publicKeyMultibase":"z0Mk"`),
		"key not a text":              method(good + `"publicKeyMultibase":1`),
		"JWK not a map":               method(`"id":"#k","type":"JsonWebKey","controller":"did:example:a","publicKeyJwk":"x"`),
		"JWK null":                    method(`"id":"#k","type":"JsonWebKey","controller":"did:example:a","publicKeyJwk":null`),
		"base58 malformed":            method(`"id":"#k","type":"Ed25519VerificationKey2018","controller":"did:example:a","publicKeyBase58":"0"`),
		"base58 not a text":           method(`"id":"#k","type":"Ed25519VerificationKey2018","controller":"did:example:a","publicKeyBase58":null`),
		"base58 too long":             method(`"id":"#k","type":"Ed25519VerificationKey2018","controller":"did:example:a","publicKeyBase58":"` + strings.Repeat("2", 1025) + `"`),
		"Ed25519 type, X25519 key":    method(`"id":"#k","type":"Ed25519VerificationKey2020","controller":"did:example:a","publicKeyMultibase":"` + multikeyX25519 + `"`),
		"X25519 type, Ed25519 key":    method(`"id":"#k","type":"X25519KeyAgreementKey2020","controller":"did:example:a",` + key),
		"P-256 type, P-384 key":       method(`"id":"#k","type":"P256Key2021","controller":"did:example:a","publicKeyMultibase":"` + multikeyP384 + `"`),
		"P-384 type, P-256 key":       method(`"id":"#k","type":"P384Key2021","controller":"did:example:a","publicKeyMultibase":"` + multikeyP256 + `"`),
		"secp256r1 type, Ed25519 key": method(`"id":"#k","type":"EcdsaSecp256r1VerificationKey2019","controller":"did:example:a","publicKeyJwk":` + jwkEd25519),
		"services not a list":         `{"id":"did:example:a","service":{}}`,
		"service a text":              `{"id":"did:example:a","service":["#s"]}`,
		"too large":                   `{"id":"did:example:a","x":"` + strings.Repeat("x", 256<<10) + `"}`,
		"too deep":                    `{"id":"did:example:a","x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		d, err := did.ParseDocument([]byte(in))
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.Nil(t, d, name)
	}
}

// Two methods with one id, however it is written and wherever they stand: a
// verifier and a signer could mean different ones.
func TestAbuse_DW06_DuplicateMethod(t *testing.T) {
	t.Parallel()
	method := func(id, key string) string {
		return `{"id":"` + id + `","type":"Multikey","controller":"did:example:a","publicKeyMultibase":"` + key + `"}`
	}
	mine, theirs := method("#k", multikeyEd25519), method("did:example:a#k", multikeyP256)
	for name, in := range map[string]string{
		"listed":                   `{"id":"did:example:a","verificationMethod":[` + mine + `,` + theirs + `]}`,
		"listed and embedded":      `{"id":"did:example:a","verificationMethod":[` + mine + `],"authentication":[` + theirs + `]}`,
		"embedded twice":           `{"id":"did:example:a","authentication":[` + mine + `],"assertionMethod":[` + theirs + `]}`,
		"embedded twice, the same": `{"id":"did:example:a","authentication":[` + mine + `],"assertionMethod":[` + mine + `]}`,
		"reference twice":          `{"id":"did:example:a","verificationMethod":[` + mine + `],"authentication":["#k","did:example:a#k"]}`,
		"services":                 `{"id":"did:example:a","service":[{"id":"#s","type":"a","serviceEndpoint":"b"},{"id":"did:example:a#s","type":"c","serviceEndpoint":"d"}]}`,
	} {
		_, err := did.ParseDocument([]byte(in))
		require.ErrorIs(t, err, did.ErrInvalid, name)
	}
}

func TestAbuse_DI21_DIDDocument(t *testing.T) {
	t.Parallel()
	method := `"id":"#k","type":"Multikey","controller":"did:example:a"`
	key := `"publicKeyMultibase":"` + multikeyEd25519 + `"`
	evil := `"publicKeyMultibase":"` + multikeyP256 + `"`
	for name, in := range map[string]string{
		"id":                     `{"id":"did:example:good","id":"did:example:evil"}`,
		"id in another case":     `{"id":"did:example:good","ID":"did:example:evil"}`,
		"id escaped":             `{"id":"did:example:good","\u0069d":"did:example:evil"}`,
		"relationship":           `{"id":"did:example:a","authentication":[],"authentication":[{` + method + `,` + key + `}]}`,
		"relationship in case":   `{"id":"did:example:a","authentication":[],"Authentication":[{` + method + `,` + key + `}]}`,
		"key":                    `{"id":"did:example:a","authentication":[{` + method + `,` + key + `,` + evil + `}]}`,
		"key in another case":    `{"id":"did:example:a","authentication":[{` + method + `,` + key + `,` + strings.ToUpper(evil[:5]) + evil[5:] + `}]}`,
		"controller of a method": `{"id":"did:example:a","authentication":[{` + method + `,"controller":"did:example:evil",` + key + `}]}`,
		"member of a JWK":        `{"id":"did:example:a","authentication":[{"id":"#k","type":"JsonWebKey","controller":"did:example:a","publicKeyJwk":` + with(jwkP256, `"crv":"P-384"`) + `}]}`,
		"endpoint of a service":  `{"id":"did:example:a","service":[{"id":"#s","type":"a","serviceEndpoint":"https://good.example/","serviceEndpoint":"https://evil.example/"}]}`,
		"deep in an extension":   `{"id":"did:example:a","x":{"y":[{"z":1,"Z":2}]}}`,
	} {
		_, err := did.ParseDocument([]byte(in))
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.NotContains(t, err.Error(), "evil", name)
	}
}

func TestDocumentLimits(t *testing.T) {
	t.Parallel()
	methods := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"id":"#%d","type":"New","controller":"did:example:a"}`, i))
		}
		return `{"id":"did:example:a","verificationMethod":[` + strings.Join(list, ",") + `]}`
	}
	references := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`"#%d"`, i))
		}
		return `{"id":"did:example:a","authentication":[` + strings.Join(list, ",") + `]}`
	}
	services := func(services, types, endpoints int) string {
		var list []string
		for i := range services {
			list = append(list, fmt.Sprintf(`{"id":"#%d","type":["a"%s],"serviceEndpoint":["b"%s]}`, i, strings.Repeat(`,"a"`, types-1), strings.Repeat(`,"b"`, endpoints-1)))
		}
		return `{"id":"did:example:a","service":[` + strings.Join(list, ",") + `]}`
	}
	for name, tt := range map[string]struct{ most, tooMany string }{
		"methods":              {methods(128), methods(129)},
		"references":           {references(256), references(257)},
		"services":             {services(128, 1, 1), services(129, 1, 1)},
		"types and endpoints":  {services(1, 8, 16), services(1, 12, 11)},
		"services of two each": {services(64, 2, 1), services(65, 1, 2)},
	} {
		_, err := did.ParseDocument([]byte(tt.most))
		require.NoError(t, err, name)
		_, err = did.ParseDocument([]byte(tt.tooMany))
		require.ErrorIs(t, err, did.ErrInvalid, name)
	}
}

func TestNewDocument(t *testing.T) {
	t.Parallel()
	id := mustDID(t, "did:example:a")
	var methods []*did.VerificationMethod
	for i, tt := range []struct {
		key  string
		rels []did.Relationship
	}{
		{multikeyEd25519, []did.Relationship{did.AssertionMethod, did.Authentication}},
		{multikeyX25519, []did.Relationship{did.KeyAgreement}},
		{multikeyP256, nil},
		{multikeyP384, []did.Relationship{did.AssertionMethod, did.CapabilityInvocation, did.CapabilityDelegation}},
	} {
		pub, err := did.ParseMultikey(tt.key)
		require.NoError(t, err)
		m, err := did.NewVerificationMethod(id.URL(fmt.Sprintf("key-%d", i)), pub, tt.rels...)
		require.NoError(t, err)
		methods = append(methods, m)
	}
	services := []did.Service{
		{ID: "#v1", Type: "did-communication", Endpoint: "https://a.example/didcomm", Priority: 1, RecipientKeys: []string{"#key-0"}, RoutingKeys: []string{"did:key:z#z"}, Accept: []string{"didcomm/aip2;env=rfc19"}},
		{ID: "#v2", Type: "DIDCommMessaging", Endpoint: "https://a.example/v2", Accept: []string{"didcomm/v2"}, RoutingKeys: []string{"did:example:m#k"}},
		{Type: "LinkedDomains", Endpoint: "https://a.example/"},
	}
	d, err := did.NewDocument(id, methods, services)
	require.NoError(t, err)
	methods[0].Controller, services[0].RecipientKeys[0] = did.DID{}, "changed later"

	out, err := json.Marshal(d)
	require.NoError(t, err)
	require.JSONEq(t, `{"@context":["https://www.w3.org/ns/did/v1.1"],"id":"did:example:a","verificationMethod":[
		{"id":"did:example:a#key-0","type":"Multikey","controller":"did:example:a","publicKeyMultibase":"`+multikeyEd25519+`"},
		{"id":"did:example:a#key-1","type":"Multikey","controller":"did:example:a","publicKeyMultibase":"`+multikeyX25519+`"},
		{"id":"did:example:a#key-2","type":"Multikey","controller":"did:example:a","publicKeyMultibase":"`+multikeyP256+`"},
		{"id":"did:example:a#key-3","type":"Multikey","controller":"did:example:a","publicKeyMultibase":"`+multikeyP384+`"}],
		"authentication":["did:example:a#key-0"],"assertionMethod":["did:example:a#key-0","did:example:a#key-3"],
		"capabilityInvocation":["did:example:a#key-3"],"capabilityDelegation":["did:example:a#key-3"],"keyAgreement":["did:example:a#key-1"],
		"service":[{"id":"did:example:a#v1","type":"did-communication","serviceEndpoint":"https://a.example/didcomm","priority":1,
			"recipientKeys":["did:example:a#key-0"],"routingKeys":["did:key:z#z"],"accept":["didcomm/aip2;env=rfc19"]},
			{"id":"did:example:a#v2","type":"DIDCommMessaging","serviceEndpoint":{"uri":"https://a.example/v2","accept":["didcomm/v2"],"routingKeys":["did:example:m#k"]}},
			{"type":"LinkedDomains","serviceEndpoint":"https://a.example/"}]}`, string(out))

	// A document that was made and its JSON, parsed, answer alike.
	parsed := parse(t, string(out))
	for _, rel := range []did.Relationship{did.Authentication, did.AssertionMethod, did.KeyAgreement, did.CapabilityInvocation, did.CapabilityDelegation} {
		require.Len(t, parsed.Methods(rel, atUse), len(d.Methods(rel, atUse)), rel)
		for i, m := range d.Methods(rel, atUse) {
			require.Equal(t, m.ID, parsed.Methods(rel, atUse)[i].ID)
			require.Equal(t, keyHex(t, m.PublicKey()), keyHex(t, parsed.Methods(rel, atUse)[i].PublicKey()))
			require.ElementsMatch(t, m.Relationships(), parsed.Methods(rel, atUse)[i].Relationships())
		}
	}
	require.Equal(t, d.Services(""), parsed.Services(""))
	_, err = d.Method(id.URL("key-2"), did.AssertionMethod, atUse)
	require.ErrorIs(t, err, did.ErrNotAuthorised)
}

func TestNewDocumentRefuses(t *testing.T) {
	t.Parallel()
	id := mustDID(t, "did:example:a")
	pub, err := did.ParseMultikey(multikeyEd25519)
	require.NoError(t, err)
	m, err := did.NewVerificationMethod(id.URL("k"), pub, did.AssertionMethod)
	require.NoError(t, err)
	foreign, err := did.NewVerificationMethod(mustURL(t, "did:example:b#k"), pub, did.AssertionMethod)
	require.NoError(t, err)
	changed := *m
	changed.Controller = mustDID(t, "did:example:b")
	service := did.Service{ID: "#s", Type: "a", Endpoint: "b"}
	for name, make := range map[string]func() (*did.Document, error){
		"no DID":             func() (*did.Document, error) { return did.NewDocument(did.DID{}, nil, nil) },
		"method twice":       func() (*did.Document, error) { return did.NewDocument(id, []*did.VerificationMethod{m, m}, nil) },
		"method nil":         func() (*did.Document, error) { return did.NewDocument(id, []*did.VerificationMethod{nil}, nil) },
		"method empty":       func() (*did.Document, error) { return did.NewDocument(id, []*did.VerificationMethod{{}}, nil) },
		"method of another":  func() (*did.Document, error) { return did.NewDocument(id, []*did.VerificationMethod{foreign}, nil) },
		"controller another": func() (*did.Document, error) { return did.NewDocument(id, []*did.VerificationMethod{&changed}, nil) },
		"service twice":      func() (*did.Document, error) { return did.NewDocument(id, nil, []did.Service{service, service}) },
		"service of no type": func() (*did.Document, error) { return did.NewDocument(id, nil, []did.Service{{Endpoint: "b"}}) },
		"service of nowhere": func() (*did.Document, error) { return did.NewDocument(id, nil, []did.Service{{Type: "a"}}) },
		"negative priority": func() (*did.Document, error) {
			return did.NewDocument(id, nil, []did.Service{{Type: "a", Endpoint: "b", Priority: -1}})
		},
		"empty recipient key": func() (*did.Document, error) {
			return did.NewDocument(id, nil, []did.Service{{Type: "a", Endpoint: "b", RecipientKeys: []string{""}}})
		},
	} {
		_, err := make()
		require.ErrorIs(t, err, did.ErrInvalid, name)
	}
	for name, make := range map[string]func() (*did.VerificationMethod, error){
		"no id":                func() (*did.VerificationMethod, error) { return did.NewVerificationMethod(did.URL{}, pub) },
		"no fragment":          func() (*did.VerificationMethod, error) { return did.NewVerificationMethod(did.URL{DID: id}, pub) },
		"bad fragment":         func() (*did.VerificationMethod, error) { return did.NewVerificationMethod(id.URL("#k"), pub) },
		"unknown relationship": func() (*did.VerificationMethod, error) { return did.NewVerificationMethod(id.URL("k"), pub, "service") },
		"relationship twice": func() (*did.VerificationMethod, error) {
			return did.NewVerificationMethod(id.URL("k"), pub, did.Authentication, did.Authentication)
		},
	} {
		_, err := make()
		require.ErrorIs(t, err, did.ErrInvalid, name)
	}
}

func FuzzParseDocument(f *testing.F) {
	for _, seed := range []string{
		ward, `{"id":"did:example:a"}`, `{"id":"did:example:a","id":"did:example:b"}`,
		`{"id":"did:example:a","service":[{"type":"did-communication","serviceEndpoint":"http://127.0.0.1:1","priority":0,"recipientKeys":["#k"],"routingKeys":[]}]}`,
		`{"id":"did:example:a","service":[{"type":["a","b"],"serviceEndpoint":[{"uri":"x"},"y"]}]}`,
		`{"id":"did:example:a","authentication":[{"id":"#k","type":"JsonWebKey","controller":"did:example:a","publicKeyJwk":` + jwkP256 + `}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := did.ParseDocument(in)
		if err != nil {
			require.ErrorIs(t, err, did.ErrInvalid)
			return
		}
		out, err := d.MarshalJSON()
		require.NoError(t, err)
		again, err := did.ParseDocument(out)
		require.NoError(t, err)
		require.Equal(t, d, again)
		for _, rel := range []did.Relationship{did.Authentication, did.AssertionMethod, did.KeyAgreement, did.CapabilityInvocation, did.CapabilityDelegation} {
			for _, m := range d.Methods(rel, atUse) {
				require.Contains(t, m.Relationships(), rel)
				_, err := d.Method(m.ID, rel, atUse)
				require.NoError(t, err)
				_, err = did.Multikey(m.PublicKey())
				require.NoError(t, err, "only good keys are handed out")
			}
		}
	})
}
