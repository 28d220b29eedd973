package didweb_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didtest"
	"github.com/staffpassport/staffpassport/did/didweb"
)

// atUse is when the tests use keys.
var atUse = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// A getter answers requests without a network.
type getter func(url string) (body []byte, mediaType string, err error)

func (g getter) Get(ctx context.Context, url string, _ ...string) ([]byte, string, error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	return g(url)
}

// serving answers every request with one document.
func serving(document string) didweb.Resolver {
	return didweb.Resolver{Client: getter(func(string) ([]byte, string, error) { return []byte(document), "application/json", nil })}
}

const rowan = "did:web:rowan.example"

// key1 is a method of rowan's with the id given.
func key1(id string) string {
	return `{"id":"` + id + `","type":"Multikey","controller":"` + rowan + `","publicKeyMultibase":"z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}`
}

// document is rowan's with more members.
func document(more ...string) string {
	return `{"@context":["https://www.w3.org/ns/did/v1"],"id":"` + rowan + `"` + strings.Join(append([]string{""}, more...), ",") + `}`
}

// The example of the specification, without the comma that makes it no JSON.
const specExample = `{
  "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
  "id": "did:web:example.com",
  "verificationMethod": [
    {"id": "did:web:example.com#key-0", "type": "JsonWebKey2020", "controller": "did:web:example.com",
     "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "0-e2i2_Ua1S5HbTYnVB0lj2Z2ytXu2-tYmDFf8f5NjU"}},
    {"id": "did:web:example.com#key-1", "type": "JsonWebKey2020", "controller": "did:web:example.com",
     "publicKeyJwk": {"kty": "OKP", "crv": "X25519", "x": "9GXjPGGvmRq9F6Ng5dQQ_s31mfhxrcNZxRGONrmH30k"}},
    {"id": "did:web:example.com#key-2", "type": "JsonWebKey2020", "controller": "did:web:example.com",
     "publicKeyJwk": {"kty": "EC", "crv": "P-256", "x": "38M1FDts7Oea7urmseiugGW7tWc3mLpJh6rKe7xINZ8", "y": "nDQW6XZ7b_u2Sy9slofYLlG03sOEoug3I0aAPQ0exs4"}}
  ],
  "authentication": ["did:web:example.com#key-0", "did:web:example.com#key-2"],
  "assertionMethod": ["did:web:example.com#key-0", "did:web:example.com#key-2"],
  "keyAgreement": ["did:web:example.com#key-1", "did:web:example.com#key-2"]
}`

func TestResolve(t *testing.T) {
	t.Parallel()
	id := parse(t, "did:web:example.com")
	asked := ""
	r := didweb.Resolver{Client: getter(func(url string) ([]byte, string, error) {
		asked = url
		return []byte(specExample), "application/json", nil
	})}
	res, err := r.Resolve(context.Background(), id, did.Version{})
	require.NoError(t, err)
	require.Equal(t, "https://example.com/.well-known/did.json", asked)
	require.Equal(t, id, res.Document.ID())
	require.Empty(t, res.VersionID)
	require.False(t, res.Deactivated)
	for key, rels := range map[string][]did.Relationship{
		"key-0": {did.Authentication, did.AssertionMethod}, "key-1": {did.KeyAgreement}, "key-2": {did.Authentication, did.AssertionMethod, did.KeyAgreement},
	} {
		for _, rel := range rels {
			_, err := res.Document.Method(id.URL(key), rel, atUse)
			require.NoError(t, err, key)
		}
		_, err := res.Document.Method(id.URL(key), did.CapabilityDelegation, atUse)
		require.ErrorIs(t, err, did.ErrNotAuthorised)
	}
	out, err := json.Marshal(res.Document)
	require.NoError(t, err)
	require.JSONEq(t, specExample, string(out))
}

// What others write: no context, the contexts of either version, references that
// are relative to the document.
func TestResolveReads(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"least":                   `{"id":"` + rowan + `"}`,
		"no context":              `{"id":"` + rowan + `","assertionMethod":[` + key1(rowan+"#key-1") + `]}`,
		"context of 1.1":          `{"@context":"https://www.w3.org/ns/did/v1.1","id":"` + rowan + `","assertionMethod":[` + key1(rowan+"#key-1") + `]}`,
		"context in another list": `{"@context":["https://w3id.org/security/multikey/v1","https://www.w3.org/ns/did/v1"],"id":"` + rowan + `"}`,
		"its own base":            `{"@context":["https://www.w3.org/ns/did/v1",{"@base":"` + rowan + `"}],"id":"` + rowan + `","verificationMethod":[` + key1("#key-1") + `],"assertionMethod":["#key-1"]}`,
		"relative references":     document(`"verificationMethod":[`+key1("#key-1")+`]`, `"assertionMethod":["#key-1"]`),
		"another's key":           document(`"verificationMethod":[`+strings.Replace(key1("did:web:hazel.example#key-1"), `r":"`+rowan, `r":"did:web:hazel.example`, 1)+`]`, `"assertionMethod":["did:web:hazel.example#key-1"]`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := serving(text).Resolve(context.Background(), parse(t, rowan), did.Version{})
			require.NoError(t, err)
			out, err := json.Marshal(res.Document)
			require.NoError(t, err)
			require.JSONEq(t, text, string(out))
			if strings.Contains(text, `#key-1`) && name != "another's key" {
				_, err = res.Document.Method(parse(t, rowan).URL("key-1"), did.AssertionMethod, atUse)
				require.NoError(t, err)
			}
			for _, m := range res.Document.Methods(did.AssertionMethod, atUse) {
				require.Equal(t, rowan, m.ID.DID.String(), "what belongs to another DID authorises nothing here")
			}
		})
	}
}

// Another DID's document, and one in which a name means two keys.
func TestAbuse_DW06_OtherDocument(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"another id":           `{"id":"did:web:hazel.example"}`,
		"id of the URL":        `{"id":"https://rowan.example"}`,
		"id with a path":       `{"id":"` + rowan + `:a"}`,
		"id with a fragment":   `{"id":"` + rowan + `#"}`,
		"id in capitals":       `{"id":"did:web:Rowan.example"}`,
		"id with its port":     `{"id":"` + rowan + `%3A443"}`,
		"id with white space":  `{"id":" ` + rowan + `"}`,
		"id in a list":         `{"id":["` + rowan + `"]}`,
		"no id":                `{"@context":"https://www.w3.org/ns/did/v1"}`,
		"two ids":              `{"id":"did:web:hazel.example","id":"` + rowan + `"}`,
		"an Id besides":        `{"Id":"did:web:hazel.example","id":"` + rowan + `"}`,
		"as JSON-LD":           `{"@id":"` + rowan + `"}`,
		"in a list":            `[{"id":"` + rowan + `"}]`,
		"in a resolution":      `{"didDocument":{"id":"` + rowan + `"}}`,
		"two methods, one id":  document(`"verificationMethod":[` + key1(rowan+"#key-1") + `,` + key1(rowan+"#key-1") + `]`),
		"one of them relative": document(`"verificationMethod":[` + key1(rowan+"#key-1") + `,` + key1("#key-1") + `]`),
		"one of them embedded": document(`"verificationMethod":[`+key1(rowan+"#key-1")+`]`, `"assertionMethod":[`+key1(rowan+"#key-1")+`]`),
		"two services, one id": document(`"service":[{"id":"#a","type":"b","serviceEndpoint":"https://a.example"},{"id":"` + rowan + `#a","type":"b","serviceEndpoint":"https://b.example"}]`),
		"another base":         `{"@context":["https://www.w3.org/ns/did/v1",{"@base":"did:web:hazel.example"}],"id":"` + rowan + `"}`,
		"base of null":         `{"@context":["https://www.w3.org/ns/did/v1",{"@base":null}],"id":"` + rowan + `"}`,
		"another context":      `{"@context":"https://www.w3.org/ns/credentials/v2","id":"` + rowan + `"}`,
		"no context in it":     `{"@context":[],"id":"` + rowan + `"}`,
		"a context of number":  `{"@context":["https://www.w3.org/ns/did/v1",1],"id":"` + rowan + `"}`,
		"a context of null":    `{"@context":null,"id":"` + rowan + `"}`,
		"a private key":        document(`"verificationMethod":[` + strings.Replace(key1(rowan+"#key-1"), `{`, `{"privateKeyMultibase":"z3u2",`, 1) + `]`),
		"a page":               `<!doctype html><title>rowan</title>`,
		"nothing":              ``,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := serving(text).Resolve(context.Background(), parse(t, rowan), did.Version{})
			require.ErrorIs(t, err, did.ErrDocument)
			require.ErrorIs(t, err, did.ErrInvalid)
			require.NotErrorIs(t, err, did.ErrUnavailable)
			require.Nil(t, res)
			require.NotContains(t, err.Error(), "rowan")
			require.NotContains(t, err.Error(), "hazel")
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	good := serving(document())
	for _, at := range []did.Version{{ID: "1"}, {Number: 1}, {Time: atUse}} {
		_, err := good.Resolve(context.Background(), parse(t, rowan), at)
		require.ErrorIs(t, err, did.ErrNotFound)
	}
	_, err := didweb.Resolver{}.Resolve(context.Background(), parse(t, rowan), did.Version{})
	require.ErrorIs(t, err, did.ErrUnavailable, "without a client")
	_, err = didweb.Resolver{}.Resolve(context.Background(), parse(t, "did:web:127.0.0.1"), did.Version{})
	require.ErrorIs(t, err, did.ErrInvalid)
	require.NotErrorIs(t, err, did.ErrDocument, "the DID itself")

	own := errors.New("out of order")
	for _, tt := range []struct{ failed, want error }{
		{own, did.ErrUnavailable}, {did.ErrNotFound, did.ErrNotFound}, {did.ErrUnavailable, did.ErrUnavailable}, {context.DeadlineExceeded, did.ErrUnavailable},
	} {
		r := didweb.Resolver{Client: getter(func(string) ([]byte, string, error) { return nil, "", tt.failed })}
		res, err := r.Resolve(context.Background(), parse(t, rowan), did.Version{})
		require.ErrorIs(t, err, tt.want)
		require.ErrorIs(t, err, tt.failed)
		require.Nil(t, res)
	}

	ctx, cancel := context.WithCancel(context.Background())
	r := didweb.Resolver{Client: getter(func(string) ([]byte, string, error) {
		cancel()
		return nil, "", own
	})}
	_, err = r.Resolve(ctx, parse(t, rowan), did.Version{})
	require.ErrorIs(t, err, context.Canceled, "ended meanwhile")
	require.NotErrorIs(t, err, did.ErrUnavailable)
}

// The longest document that is read from whatever client there is.
func TestLimit(t *testing.T) {
	t.Parallel()
	const limit = 256 << 10
	pad := limit - len(document(`"note":""`))
	_, err := serving(document(`"note":"`+strings.Repeat("a", pad)+`"`)).Resolve(context.Background(), parse(t, rowan), did.Version{})
	require.NoError(t, err)
	_, err = serving(document(`"note":"`+strings.Repeat("a", pad+1)+`"`)).Resolve(context.Background(), parse(t, rowan), did.Version{})
	require.ErrorIs(t, err, did.ErrInvalid)
}

func TestContract(t *testing.T) {
	t.Parallel()
	r := didweb.Resolver{Client: getter(func(url string) ([]byte, string, error) {
		if url != "https://rowan.example/.well-known/did.json" {
			return nil, "", did.ErrNotFound
		}
		return []byte(document()), "application/did", nil
	})}
	didtest.Resolver(t, r, parse(t, rowan), parse(t, "did:web:hazel.example"))
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(specExample, "did:web:example.com", rowan)))
	f.Add([]byte(document(`"verificationMethod":[`+key1("#key-1")+`]`, `"assertionMethod":["#key-1"]`)))
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/did/v1",{"@base":"` + rowan + `"}],"id":"` + rowan + `"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		res, err := serving(string(body)).Resolve(context.Background(), parse(t, rowan), did.Version{})
		if err != nil {
			require.ErrorIs(t, err, did.ErrInvalid)
			require.Nil(t, res)
			return
		}
		require.Equal(t, rowan, res.Document.ID().String())
		out, err := res.Document.MarshalJSON()
		require.NoError(t, err)
		_, err = serving(string(out)).Resolve(context.Background(), parse(t, rowan), did.Version{})
		require.NoError(t, err)
	})
}

// BenchmarkResolve is a resolution without its request.
func BenchmarkResolve(b *testing.B) {
	text := strings.ReplaceAll(specExample, "did:web:example.com", rowan)
	id := parse(b, rowan)
	b.Run("three keys", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := serving(text).Resolve(context.Background(), id, did.Version{})
			require.NoError(b, err)
		}
	})
}

// BenchmarkFloor reads the same document.
func BenchmarkFloor(b *testing.B) {
	text := []byte(strings.ReplaceAll(specExample, "did:web:example.com", rowan))
	b.Run("three keys", func(b *testing.B) {
		for b.Loop() {
			_, err := did.ParseDocument(text)
			require.NoError(b, err)
		}
	})
}
