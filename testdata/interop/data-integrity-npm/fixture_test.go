package dataintegritynpm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/verify"
)

const (
	audience  = "did:web:hazelmere.example"
	challenge = "n-0S6_WzA2Mj"
)

// noon is when the tests take place.
var noon = time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// start starts the peer and gives it the passport's context.
func start(t *testing.T) *peer {
	t.Helper()
	p := startPeer(t)
	var ok bool
	require.NoError(t, p.ask(t, "contexts", map[string]any{"documents": map[string]string{
		schema.ContextURL: string(schema.ContextDocument()),
	}}, &ok))
	return p
}

// A party is one of ours: a did:key and its key.
type party struct {
	id     did.DID
	signer did.Signer
}

func newParty(t testing.TB, keyType string) party {
	t.Helper()
	curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384()}
	var key crypto.Signer
	var err error
	switch curve := curves[keyType]; {
	case keyType == "BLS12381":
		public, secret := bbs.GenerateKey()
		id, err := didkey.New(public)
		require.NoError(t, err)
		signer, err := bbs.NewSigner(didkey.SigningMethod(id), secret)
		require.NoError(t, err)
		return party{id, signer}
	case curve != nil:
		key, err = ecdsa.GenerateKey(curve, rand.Reader)
	default:
		_, key, err = ed25519.GenerateKey(nil)
	}
	require.NoError(t, err)
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	signer, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return party{id, signer}
}

// A peerParty is one of theirs. The peer has the key.
type peerParty struct{ DID, ID string }

func newPeerParty(t testing.TB, p *peer, keyType string) peerParty {
	t.Helper()
	var k peerParty
	require.NoError(t, p.ask(t, "key", map[string]any{"type": keyType}, &k))
	return k
}

// passport is a whole passport. The zero holder leaves the subject's id and the
// credential's out.
func passport(t testing.TB, issuer string, holder did.DID) *vc.Credential {
	t.Helper()
	id, err := did.Parse(issuer)
	require.NoError(t, err)
	terms := schema.Terms{Issuer: id, Holder: holder, ValidFrom: noon.AddDate(0, -1, 0), ValidUntil: noon.AddDate(1, 0, 0)}
	if !holder.IsZero() {
		terms.ID = "urn:uuid:5ad2b1f0-3c0e-4d57-9f0c-1f1d0b6a7e11"
	}
	record, _ := schema.Sample()
	c, err := record.Credential(terms)
	require.NoError(t, err)
	return c
}

// claiming is a credential with other claims about the same subject.
func claiming(t testing.TB, c *vc.Credential, claims string) *vc.Credential {
	t.Helper()
	var subject map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(c.Subject, &subject))
	chosen := map[string]json.RawMessage{}
	require.NoError(t, json.Unmarshal([]byte(claims), &chosen))
	if id, ok := subject["id"]; ok {
		chosen["id"] = id
	}
	c.Subject = json.RawMessage(text(t, chosen))
	return c
}

// part is a credential with some members of its subject, and with what assures the
// first section for the others too: a document with many blank nodes, or few.
func part(t testing.TB, c *vc.Credential, assured bool, members ...string) *vc.Credential {
	t.Helper()
	var subject map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(c.Subject, &subject))
	var personal map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(subject["personal"], &personal))
	chosen := map[string]any{}
	for _, name := range append(members, "id") {
		var section map[string]json.RawMessage
		if json.Unmarshal(subject[name], &section) != nil { // the id, or none
			if id, ok := subject[name]; ok {
				chosen[name] = id
			}
			continue
		}
		if assured {
			section["assurance"] = personal["assurance"]
		}
		chosen[name] = section
	}
	c.Subject = json.RawMessage(text(t, chosen))
	return c
}

func parseDID(t testing.TB, s string) did.DID {
	t.Helper()
	id, err := did.Parse(s)
	require.NoError(t, err)
	return id
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func credentialOf(document string) vc.Secured {
	return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(document)}
}

// verifier trusts everybody, at noon.
func verifier(suites ...dataintegrity.Suite) *verify.Verifier {
	return &verify.Verifier{
		Resolver: did.Mux{"key": didkey.Resolver{}},
		Trust:    verify.AnyIssuerUnsafe{},
		Contexts: schema.Contexts(),
		Replay:   verify.NonceUsedOnceByCaller{},
		Suites:   suites,
		Now:      clock,
	}
}

func session() verify.Session { return verify.Session{Audience: audience, Nonce: challenge} }

// request is a request to the peer about a document, with further members in pairs.
func request(document []byte, more ...any) map[string]any {
	r := map[string]any{"document": string(document), "now": noon.Format(time.RFC3339)}
	for i := 0; i < len(more); i += 2 {
		r[more[i].(string)] = more[i+1]
	}
	return r
}

// A counted is what the peer verified.
type counted struct{ Proofs, Credentials int }

func theyAccept(t testing.TB, p *peer, operation string, r map[string]any) counted {
	t.Helper()
	var n counted
	require.NoError(t, p.ask(t, operation, r, &n))
	require.NotZero(t, n.Proofs)
	return n
}

func theyRefuse(t testing.TB, p *peer, operation string, r map[string]any, what string) {
	t.Helper()
	var n counted
	require.ErrorIs(t, p.ask(t, operation, r, &n), errRefused, what)
}

// theyMake asks the peer for a document.
func theyMake(t testing.TB, p *peer, operation string, r map[string]any) []byte {
	t.Helper()
	var document string
	require.NoError(t, p.ask(t, operation, r, &document))
	return []byte(document)
}

// changed calls f with copies of a secured document that say something else: one
// value changed, and one byte changed in several places, among them the middle of
// each value of a proof.
func changed(t testing.TB, secured []byte, value string, f func(copy []byte, what string)) {
	t.Helper()
	i := bytes.Index(secured, []byte(`"`+value+`"`))
	require.Positive(t, i, value)
	other := bytes.Clone(secured)
	copy(other[i+1:], strings.Repeat("X", len(value)))
	f(other, "value")
	flip := func(at int) {
		other := bytes.Clone(secured)
		other[at] ^= 1
		f(other, "byte "+text(t, string(secured[max(0, at-20):at])))
	}
	for _, member := range []string{`"proofValue":"`, `"jws":"`} {
		for at := 0; ; {
			n := bytes.Index(secured[at:], []byte(member))
			if n < 0 {
				break
			}
			at += n + len(member)
			end := bytes.IndexByte(secured[at:], '"')
			flip(at)
			flip(at + end/2)
			flip(at + 3*end/4)
		}
	}
	for n := range 5 {
		flip((2*n + 1) * len(secured) / 10)
	}
}

// bothRefuse sees that neither side accepts a changed credential.
func bothRefuse(t testing.TB, p *peer, v *verify.Verifier, secured []byte, value string, more ...any) {
	t.Helper()
	changed(t, secured, value, func(copy []byte, what string) {
		theyRefuse(t, p, "verify", request(copy, more...), what)
		_, err := v.Credential(t.Context(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: copy})
		require.Error(t, err, what)
	})
}

// weAccept verifies a credential and returns its document without the proof.
func weAccept(t testing.TB, v *verify.Verifier, secured []byte) *vc.Credential {
	t.Helper()
	got, err := v.Credential(t.Context(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: secured})
	require.NoError(t, err)
	return got.Document()
}
