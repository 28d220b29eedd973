package didpeer_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/did/didtest"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// atUse is when the tests use keys.
var atUse = time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)

// The example of the specification's Method 4: its input document, its short
// form, whose hash fixes the long form to the last byte, and the keys in it.
const (
	specInput = `{
  "@context": [
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/suites/x25519-2020/v1",
    "https://w3id.org/security/suites/ed25519-2020/v1"
  ],
  "verificationMethod": [
    {"id": "#6LSqPZfn", "type": "X25519KeyAgreementKey2020", "publicKeyMultibase": "z6LSqPZfn9krvgXma2icTMKf2uVcYhKXsudCmPoUzqGYW24U"},
    {"id": "#6MkrCD1c", "type": "Ed25519VerificationKey2020", "publicKeyMultibase": "z6MkrCD1csqtgdj8sjrsu8jxcbeyP6m7LiK87NzhfWqio5yr"}
  ],
  "authentication": ["#6MkrCD1c"],
  "assertionMethod": ["#6MkrCD1c"],
  "keyAgreement": ["#6LSqPZfn"],
  "capabilityInvocation": ["#6MkrCD1c"],
  "capabilityDelegation": ["#6MkrCD1c"],
  "service": [
    {"id": "#didcommmessaging-0", "type": "DIDCommMessaging",
     "serviceEndpoint": {"uri": "didcomm:transport/queue", "accept": ["didcomm/v2"], "routingKeys": []}}
  ]
}`
	specShort = "did:peer:4zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd"
)

// specDocument is the document that the specification shows for the form id, the
// other form being other.
func specDocument(id, other string) string {
	document := strings.ReplaceAll(specInput, `"publicKeyMultibase"`, `"controller": "`+id+`", "publicKeyMultibase"`)
	return strings.TrimSuffix(document, "}") + `, "alsoKnownAs": ["` + other + `"], "id": "` + id + `"}`
}

func newDID(t testing.TB, input string) did.DID {
	t.Helper()
	long, err := didpeer.New([]byte(input))
	require.NoError(t, err)
	return long
}

func parse(t testing.TB, text string) did.DID {
	t.Helper()
	id, err := did.Parse(text)
	require.NoError(t, err)
	return id
}

func resolve(t testing.TB, id did.DID) *did.Document {
	t.Helper()
	res, err := didpeer.Resolver{}.Resolve(context.Background(), id, did.Version{})
	require.NoError(t, err)
	return res.Document
}

func knowing(long did.DID) didpeer.Resolver {
	return didpeer.Resolver{Long: func(short did.DID) (did.DID, bool) { return long, short == didpeer.Short(long) }}
}

func TestSpecification(t *testing.T) {
	t.Parallel()
	long := newDID(t, specInput)
	require.Equal(t, specShort, didpeer.Short(long).String())
	require.True(t, strings.HasPrefix(long.String(), specShort+":z2M1k7h4psgp4CmJcnQn2Ljp7Pz7ktsd7oBhMU3dWY5s4fhFNj17qcRTQ427C7QHNT6cQ7T3X"))

	out, err := json.Marshal(resolve(t, long))
	require.NoError(t, err)
	require.JSONEq(t, specDocument(long.String(), specShort), string(out))

	res, err := knowing(long).Resolve(context.Background(), parse(t, specShort), did.Version{Time: time.Unix(0, 0)})
	require.NoError(t, err)
	out, err = json.Marshal(res.Document)
	require.NoError(t, err)
	require.JSONEq(t, specDocument(specShort, long.String()), string(out))

	for id, d := range map[did.DID]*did.Document{long: resolve(t, long), didpeer.Short(long): res.Document} {
		for _, rel := range []did.Relationship{did.Authentication, did.AssertionMethod, did.CapabilityInvocation, did.CapabilityDelegation} {
			m, err := d.Method(id.URL("6MkrCD1c"), rel, atUse)
			require.NoError(t, err)
			require.Equal(t, id, m.Controller)
		}
		_, err = d.Method(id.URL("6LSqPZfn"), did.KeyAgreement, atUse)
		require.NoError(t, err)
		_, err = d.Method(id.URL("6LSqPZfn"), did.Authentication, atUse)
		require.ErrorIs(t, err, did.ErrNotAuthorised)
		require.Equal(t, []did.Service{{
			ID: id.String() + "#didcommmessaging-0", Type: "DIDCommMessaging", Endpoint: "didcomm:transport/queue", Accept: []string{"didcomm/v2"}, RoutingKeys: []string{},
		}}, d.Services(""))
	}
}

// The specification's own text, where it lies beside the vectors: the two
// documents that it shows, whole.
func TestSpecificationText(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(vectors.Dir(t), "..", "specs", "did-peer.md"))
	if os.IsNotExist(err) {
		t.Skip("no specs/did-peer.md beside the published vectors; README.md, Tests, says how to run this")
	}
	require.NoError(t, err)
	long := newDID(t, specInput)
	require.Contains(t, string(text), long.String())
	shown := 0
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(text, -1) {
		var document struct{ ID string }
		if json.Unmarshal(block[1], &document) != nil || !strings.HasPrefix(document.ID, specShort) {
			continue
		}
		res, err := knowing(long).Resolve(context.Background(), parse(t, document.ID), did.Version{})
		require.NoError(t, err)
		out, err := json.Marshal(res.Document)
		require.NoError(t, err)
		require.JSONEq(t, string(block[1]), string(out))
		shown++
	}
	require.Equal(t, 2, shown)
}

// The shape that Credo sends in did-exchange: older key types, embedded in their
// relationships.
func TestCredo(t *testing.T) {
	t.Parallel()
	long := newDID(t, `{"@context":["https://www.w3.org/ns/did/v1"],"service":[{"id":"#inline-0","serviceEndpoint":"http://127.0.0.1:9301","type":"did-communication",
		"priority":0,"recipientKeys":["#key-1"],"routingKeys":[]}],
		"authentication":[{"id":"#key-1","type":"Ed25519VerificationKey2018","publicKeyBase58":"BBAaC6r92aFzBUdyXZFmhcMfrRMVxJmS8kp9SgrtrMDe"}],
		"keyAgreement":[{"id":"#key-2","type":"X25519KeyAgreementKey2019","publicKeyBase58":"FWEEzU116pUENxeQXFdpo3Rs2Lg1ewhaoo4tmWJdzUMW"}]}`)
	require.Equal(t, "did:peer:4zQmPqD6ef3wQMEwT5goiHsJhA6X7sEX2zjjh1zCyuMJm5Sb", didpeer.Short(long).String())
	checkCredo(t, long, "http://127.0.0.1:9301")
}

func TestCredoOnTheWire(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(vectors.Dir(t), "..", "peers", "wire", "wire-credo-pair-didexchange.jsonl"))
	if os.IsNotExist(err) {
		t.Skip("no peers/wire beside the published vectors; README.md, Tests, says how to run this")
	}
	require.NoError(t, err)
	found := 0
	for line := range strings.Lines(string(data)) {
		var record struct{ Message struct{ DID string } }
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		if record.Message.DID == "" {
			continue
		}
		long := parse(t, record.Message.DID)
		checkCredo(t, long, resolve(t, long).Services("did-communication")[0].Endpoint)
		found++
	}
	require.Equal(t, 2, found)
}

func checkCredo(t *testing.T, long did.DID, endpoint string) {
	t.Helper()
	d := resolve(t, long)
	require.Equal(t, []string{didpeer.Short(long).String()}, d.AlsoKnownAs())
	require.Equal(t, []did.Service{{
		ID: long.String() + "#inline-0", Type: "did-communication", Endpoint: endpoint,
		RecipientKeys: []string{long.String() + "#key-1"}, RoutingKeys: []string{},
	}}, d.Services("did-communication"))
	vm, err := did.ParseURL(d.Services("did-communication")[0].RecipientKeys[0])
	require.NoError(t, err)
	m, err := d.Method(vm, did.Authentication, atUse)
	require.NoError(t, err)
	box, err := d.Method(long.URL("key-2"), did.KeyAgreement, atUse)
	require.NoError(t, err)
	derived, err := did.X25519(m.PublicKey().(ed25519.PublicKey))
	require.NoError(t, err)
	require.True(t, derived.Equal(box.PublicKey()), "Credo derives the second key from the first")
	_, err = d.Method(vm, did.AssertionMethod, atUse)
	require.ErrorIs(t, err, did.ErrNotAuthorised)
}

func TestNewDIDComm(t *testing.T) {
	t.Parallel()
	verkey := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	const signing, agreement = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW"
	for _, routing := range [][]string{nil, {"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK#z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}} {
		long, err := didpeer.NewDIDComm(verkey, "http://127.0.0.1:8402/didcomm", routing)
		require.NoError(t, err)
		list := "[]"
		if routing != nil {
			list = `["` + routing[0] + `"]`
		}
		out, err := json.Marshal(resolve(t, long))
		require.NoError(t, err)
		require.JSONEq(t, `{"@context":["https://www.w3.org/ns/did/v1","https://w3id.org/security/multikey/v1"],
			"verificationMethod":[
				{"id":"#key-1","type":"Multikey","publicKeyMultibase":"`+signing+`","controller":"`+long.String()+`"},
				{"id":"#key-2","type":"Multikey","publicKeyMultibase":"`+agreement+`","controller":"`+long.String()+`"}],
			"authentication":["#key-1"],"keyAgreement":["#key-2"],
			"service":[{"id":"#didcomm-0","type":"did-communication","serviceEndpoint":"http://127.0.0.1:8402/didcomm","priority":0,
				"recipientKeys":["#key-1"],"routingKeys":`+list+`}],
			"alsoKnownAs":["`+didpeer.Short(long).String()+`"],"id":"`+long.String()+`"}`, string(out))

		d := resolve(t, long)
		m, err := d.Method(long.URL("key-1"), did.Authentication, atUse)
		require.NoError(t, err)
		require.True(t, verkey.Equal(m.PublicKey()))
		require.Len(t, d.Methods(did.KeyAgreement, atUse), 1)
		require.Empty(t, d.Methods(did.AssertionMethod, atUse))

		again, err := didpeer.NewDIDComm(verkey, "http://127.0.0.1:8402/didcomm", routing)
		require.NoError(t, err)
		require.Equal(t, long, again, "the same input gives the same DID")
	}

	for name, tt := range map[string]struct {
		key      ed25519.PublicKey
		endpoint string
		routing  []string
	}{
		"no endpoint":       {verkey, "", nil},
		"no key":            {nil, "https://a.example", nil},
		"small order":       {make([]byte, 32), "https://a.example", nil},
		"short key":         {verkey[:31], "https://a.example", nil},
		"empty routing key": {verkey, "https://a.example", []string{""}},
		"endpoint too long": {verkey, "https://a.example/" + strings.Repeat("a", 16<<10), nil},
		"endpoint not text": {verkey, "https://a.example/\xff", nil},
	} {
		id, err := didpeer.NewDIDComm(tt.key, tt.endpoint, tt.routing)
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.True(t, id.IsZero(), name)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	const key = `"type":"Multikey","publicKeyMultibase":"z6MkrCD1csqtgdj8sjrsu8jxcbeyP6m7LiK87NzhfWqio5yr"`
	for name, input := range map[string]string{
		"no JSON":                 ``,
		"a list":                  `[]`,
		"an id":                   `{"id":"did:example:a"}`,
		"an id of null":           `{"id":null}`,
		"an ID":                   `{"ID":"did:example:a"}`,
		"member twice":            `{"authentication":[],"authentication":[]}`,
		"absolute key":            `{"verificationMethod":[{"id":"did:example:a#k",` + key + `}]}`,
		"absolute embedded key":   `{"authentication":[{"id":"did:example:a#k",` + key + `}]}`,
		"absolute service":        `{"service":[{"id":"https://a.example/","type":"a","serviceEndpoint":"b"}]}`,
		"id of a key a number":    `{"keyAgreement":[{"id":1,` + key + `}]}`,
		"key without id":          `{"verificationMethod":[{` + key + `}]}`,
		"two keys with one id":    `{"verificationMethod":[{"id":"#k",` + key + `},{"id":"#k",` + key + `}]}`,
		"controller empty":        `{"verificationMethod":[{"id":"#k","controller":"",` + key + `}]}`,
		"private key":             `{"verificationMethod":[{"id":"#k",` + key + `,"privateKeyMultibase":"z"}]}`,
		"methods not a list":      `{"verificationMethod":{}}`,
		"alsoKnownAs not a list":  `{"alsoKnownAs":"did:example:a"}`,
		"alsoKnownAs of a number": `{"alsoKnownAs":[1]}`,
		"too long":                `{"a":"` + strings.Repeat("a", 12<<10) + `"}`,
		"data behind":             `{}{}`,
		"129 services":            `{"service":[` + strings.Repeat(`{"type":"a","serviceEndpoint":"b"},`, 128) + `{"type":"a","serviceEndpoint":"b"}]}`,
	} {
		id, err := didpeer.New([]byte(input))
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.True(t, id.IsZero(), name)
	}
}

// What the specification leaves to the input document is kept.
func TestNewKeeps(t *testing.T) {
	t.Parallel()
	long := newDID(t, `{"alsoKnownAs":["https://a.example/"],"extension":{"b":1.50,"a":null},"keyAgreement":["did:example:m#k",
		{"id":"#k","type":"Multikey","controller":"did:example:m","publicKeyMultibase":"z6MkrCD1csqtgdj8sjrsu8jxcbeyP6m7LiK87NzhfWqio5yr"}]}`)
	d := resolve(t, long)
	require.Equal(t, []string{"https://a.example/", didpeer.Short(long).String()}, d.AlsoKnownAs())
	_, err := d.Method(long.URL("k"), did.KeyAgreement, atUse)
	require.ErrorIs(t, err, did.ErrNotAuthorised, "the controller is another DID")
	out, err := json.Marshal(d)
	require.NoError(t, err)
	require.Contains(t, string(out), `"extension":{"b":1.50,"a":null}`)
}

func TestShort(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		specShort + ":z6Mk":       specShort,
		specShort + ":z6Mk:more":  specShort,
		specShort:                 specShort,
		"did:peer:4::z":           "did:peer:4",
		"did:peer:2.Vz6Mk.Ez6LS":  "did:peer:2.Vz6Mk.Ez6LS",
		"did:peer:2a:b":           "did:peer:2a:b",
		"did:key:z6Mk":            "did:key:z6Mk",
		"did:web:a.example:4zQ:z": "did:web:a.example:4zQ:z",
	} {
		require.Equal(t, want, didpeer.Short(parse(t, in)).String(), in)
	}
	require.True(t, didpeer.Short(did.DID{}).IsZero())
}

func TestAbuse_DW08_HashMismatch(t *testing.T) {
	t.Parallel()
	good := newDID(t, specInput)
	evil := newDID(t, strings.ReplaceAll(specInput, "didcomm:transport/queue", "https://evil.example/"))
	_, goodDocument, _ := strings.Cut(strings.TrimPrefix(good.String(), "did:peer:4"), ":")
	_, evilDocument, _ := strings.Cut(strings.TrimPrefix(evil.String(), "did:peer:4"), ":")
	goodHash := strings.TrimPrefix(specShort, "did:peer:4")

	for name, in := range map[string]string{
		"document of another":     specShort + ":" + evilDocument,
		"one character changed":   specShort + ":" + goodDocument[:len(goodDocument)-1] + "y",
		"one character more":      good.String() + "1",
		"one character less":      good.String()[:len(good.String())-1],
		"leading zero byte":       specShort + ":z1" + goodDocument[1:],
		"hash in another base":    "did:peer:4" + multihashBase64(t, goodHash) + ":" + goodDocument,
		"hash with a zero byte":   "did:peer:4z1" + goodHash[1:] + ":" + goodDocument,
		"hash cut":                "did:peer:4" + goodHash[:len(goodHash)-1] + ":" + goodDocument,
		"hash of the bare digest": "did:peer:4" + bareDigest(t, goodHash) + ":" + goodDocument,
		"no hash":                 "did:peer:4:" + goodDocument,
		"document twice":          good.String() + ":" + goodDocument,
	} {
		res, err := didpeer.Resolver{}.Resolve(context.Background(), parse(t, in), did.Version{})
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.Nil(t, res, name)
	}
	// The memory for long forms is not trusted either.
	for name, remembered := range map[string]did.DID{
		"another long form":  evil,
		"forged long form":   parse(t, specShort+":"+evilDocument),
		"the short form":     parse(t, specShort),
		"nothing":            {},
		"a DID of no method": parse(t, "did:key:z6Mk"),
	} {
		r := didpeer.Resolver{Long: func(did.DID) (did.DID, bool) { return remembered, true }}
		_, err := r.Resolve(context.Background(), parse(t, specShort), did.Version{})
		require.ErrorIs(t, err, did.ErrInvalid, name)
	}
}

func multihashBase64(t *testing.T, hash string) string {
	t.Helper()
	raw, err := multiformat.Decode(hash, multiformat.MaxKey)
	require.NoError(t, err)
	return multiformat.EncodeBase64URL(raw)
}

func bareDigest(t *testing.T, hash string) string {
	t.Helper()
	raw, err := multiformat.Decode(hash, multiformat.MaxKey)
	require.NoError(t, err)
	return multiformat.Encode(raw[2:])
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	// forged has the right hash of a wrong document.
	forged := func(document string) string { return "did:peer:4" + didpeer.Hash(document) + ":" + document }
	encoded := func(prefix []byte, text string) string { return multiformat.Encode(append(prefix, text...)) }
	asJSON := multiformat.AppendCodec(nil, multiformat.JSON)
	for name, tt := range map[string]struct {
		in   string
		want error
	}{
		"short form, not known":    {specShort, did.ErrNotFound},
		"short form without hash":  {"did:peer:4", did.ErrInvalid},
		"short form with a key":    {"did:peer:4z6MkrCD1csqtgdj8sjrsu8jxcbeyP6m7LiK87NzhfWqio5yr", did.ErrInvalid},
		"short form in base64url":  {"did:peer:4" + multihashBase64(t, strings.TrimPrefix(specShort, "did:peer:4")), did.ErrInvalid},
		"another method":           {"did:key:z6MkrCD1csqtgdj8sjrsu8jxcbeyP6m7LiK87NzhfWqio5yr", did.ErrUnsupported},
		"numalgo 1, not known":     {"did:peer:1zQmZMygzYqNwU6Uhmewx5Xepf2VLp5S4HLSwwgf2aiKZuwa", did.ErrNotFound},
		"numalgo 3":                {"did:peer:3zQmS19jtYDvGtKVrJhQnRFpBQAx3pJ9omx2HpNrcXFuRCz9", did.ErrUnsupported},
		"numalgo 5":                {"did:peer:5z", did.ErrUnsupported},
		"document in base64url":    {forged(multiformat.EncodeBase64URL(append(asJSON, "{}"...))), did.ErrInvalid},
		"document of no encoding":  {forged("z0OIl"), did.ErrInvalid},
		"document empty":           {forged("z"), did.ErrInvalid},
		"another codec":            {forged(encoded([]byte{0xed, 0x01}, "{}")), did.ErrInvalid},
		"no codec":                 {forged(encoded(nil, "{}")), did.ErrInvalid},
		"codec not minimal":        {forged(encoded([]byte{0x80, 0x84, 0x00}, "{}")), did.ErrInvalid},
		"no JSON":                  {forged(encoded(asJSON, "")), did.ErrInvalid},
		"a list":                   {forged(encoded(asJSON, "[]")), did.ErrInvalid},
		"an id":                    {forged(encoded(asJSON, `{"id":"did:example:victim"}`)), did.ErrInvalid},
		"an escaped id":            {forged(encoded(asJSON, `{"\u0069d":"did:example:victim"}`)), did.ErrInvalid},
		"an ID":                    {forged(encoded(asJSON, `{"ID":"did:example:victim"}`)), did.ErrInvalid},
		"a member twice":           {forged(encoded(asJSON, `{"a":1,"a":2}`)), did.ErrInvalid},
		"an absolute key":          {forged(encoded(asJSON, `{"authentication":[{"id":"did:example:victim#k","type":"Multikey","publicKeyMultibase":"z6MkrCD1csqtgdj8sjrsu8jxcbeyP6m7LiK87NzhfWqio5yr"}]}`)), did.ErrInvalid},
		"a small key":              {forged(encoded(asJSON, `{"authentication":[{"id":"#k","type":"Ed25519VerificationKey2018","publicKeyBase58":"11111111111111111111111111111111"}]}`)), did.ErrInvalid},
		"10,000 services":          {forged("z" + strings.Repeat("2", 20<<10)), did.ErrInvalid},
		"a document beyond limits": {forged("z" + strings.Repeat("2", 16<<10)), did.ErrInvalid},
	} {
		res, err := didpeer.Resolver{}.Resolve(context.Background(), parse(t, tt.in), did.Version{})
		require.ErrorIs(t, err, tt.want, name)
		require.Nil(t, res, name)
		require.NotContains(t, err.Error(), "victim", name)
	}
	long := newDID(t, specInput)
	for _, at := range []did.Version{{ID: "1"}, {Number: 1}} {
		_, err := didpeer.Resolver{}.Resolve(context.Background(), long, at)
		require.ErrorIs(t, err, did.ErrNotFound)
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	long := newDID(t, specInput)
	t.Run("long form", func(t *testing.T) { didtest.Resolver(t, didpeer.Resolver{}, long, didpeer.Short(long)) })
	t.Run("short form", func(t *testing.T) {
		didtest.Resolver(t, knowing(long), didpeer.Short(long), parse(t, "did:peer:4zQmPqD6ef3wQMEwT5goiHsJhA6X7sEX2zjjh1zCyuMJm5Sb"))
	})
}

func FuzzResolve(f *testing.F) {
	f.Add(newDID(f, specInput).String())
	f.Add(newDID(f, `{}`).String())
	f.Add(specShort)
	f.Add("did:peer:0z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH")
	f.Add("did:peer:1zQmZMygzYqNwU6Uhmewx5Xepf2VLp5S4HLSwwgf2aiKZuwa")
	f.Add("did:peer:2.Vz6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc")
	f.Add(specPeer2)
	f.Fuzz(func(t *testing.T, in string) {
		id, err := did.Parse(in)
		if err != nil {
			return
		}
		res, err := didpeer.Resolver{}.Resolve(context.Background(), id, did.Version{})
		if err != nil {
			require.Nil(t, res)
			return
		}
		require.Equal(t, id, res.Document.ID())
		if strings.HasPrefix(in, "did:peer:4") {
			checkForms(t, id)
			return
		}
		out, err := res.Document.MarshalJSON()
		require.NoError(t, err)
		again, err := did.ParseDocument(out)
		require.NoError(t, err)
		for _, rel := range relationships {
			require.Equal(t, keysOf(t, res.Document, rel), keysOf(t, again, rel))
		}
	})
}

// FuzzNew starts from input documents, as a hash stands between a fuzzer and the
// inside of FuzzResolve.
func FuzzNew(f *testing.F) {
	f.Add([]byte(specInput))
	f.Add([]byte(`{"service":[{"id":"#inline-0","serviceEndpoint":"http://127.0.0.1:9301","type":"did-communication","priority":0,"recipientKeys":["#key-1"],"routingKeys":[]}],"authentication":[{"id":"#key-1","type":"Ed25519VerificationKey2018","publicKeyBase58":"BBAaC6r92aFzBUdyXZFmhcMfrRMVxJmS8kp9SgrtrMDe"}]}`))
	f.Add([]byte(`{"alsoKnownAs":[]}`))
	f.Add([]byte(`{"ID":1}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		long, err := didpeer.New(in)
		if err != nil {
			require.ErrorIs(t, err, did.ErrInvalid)
			return
		}
		checkForms(t, long)
	})
}

// checkForms requires that both forms of a DID resolve and authorise the same.
func checkForms(t *testing.T, long did.DID) {
	t.Helper()
	short := didpeer.Short(long)
	ofLong := resolve(t, long)
	res, err := knowing(long).Resolve(context.Background(), short, did.Version{})
	require.NoError(t, err)
	for _, rel := range []did.Relationship{did.Authentication, did.AssertionMethod, did.KeyAgreement} {
		require.Len(t, res.Document.Methods(rel, atUse), len(ofLong.Methods(rel, atUse)))
	}
	for _, d := range []*did.Document{ofLong, res.Document} {
		out, err := d.MarshalJSON()
		require.NoError(t, err)
		again, err := did.ParseDocument(out)
		require.NoError(t, err)
		require.Equal(t, d.ID(), again.ID())
	}
}

// BenchmarkResolve is what the first message of a peer costs.
func BenchmarkResolve(b *testing.B) {
	verkey := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	long, err := didpeer.NewDIDComm(verkey, "http://127.0.0.1:8402/didcomm", nil)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_, err := didpeer.Resolver{}.Resolve(context.Background(), long, did.Version{})
		require.NoError(b, err)
	}
}

// BenchmarkResolveLargest is the most that a stranger's DID makes this package
// do: base58 takes the square of its length.
func BenchmarkResolveLargest(b *testing.B) {
	long := newDID(b, `{"a":"`+strings.Repeat("a", 11<<10)+`"}`)
	for b.Loop() {
		_, err := didpeer.Resolver{}.Resolve(context.Background(), long, did.Version{})
		require.NoError(b, err)
	}
}
