package verify_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/verify"
)

const (
	passportContext = "https://w3id.org/staffpassport/v1"
	passportType    = "StaffPassportCredential"
	nonce           = "n-0S6_WzA2Mj"
)

// noon is when the tests take place.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func clockAt(t time.Time) func() time.Time { return func() time.Time { return t } }

// contexts knows the passport's context, in which every word means something.
var contexts = sync.OnceValue(func() *vc.ContextSet {
	return contextSet([]string{vc.ContextV2, passportContext}, []string{vc.ContextV1, passportContext})
})

// contextSet accepts arrays of URLs, whose documents give every word a meaning.
func contextSet(arrays ...[]string) *vc.ContextSet {
	documents := map[string][]byte{}
	var entries [][]vc.Context
	for _, a := range arrays {
		entry := make([]vc.Context, len(a))
		for i, url := range a {
			entry[i].URL = url
			if url != vc.ContextV2 && url != vc.ContextV1 {
				documents[url] = []byte(`{"@context":{"@vocab":"` + url + `#"}}`)
			}
		}
		entries = append(entries, entry)
	}
	s, err := vc.NewContextSet(documents, entries...)
	if err != nil {
		panic(err)
	}
	return s
}

// A party is a DID and its key, made from a name.
type party struct {
	id     did.DID
	signer did.Signer
}

// made keeps what tests make again and again, and nobody changes, by its name.
var made = sync.OnceValue(func() *sync.Map { return new(sync.Map) })

// once returns what make returned when it was first asked for that name.
func once[T any](name string, make func() T) T {
	if v, ok := made().Load(name); ok {
		return v.(T)
	}
	v, _ := made().LoadOrStore(name, make())
	return v.(T)
}

func newParty(t testing.TB, name string) party {
	t.Helper()
	return once("party "+name, func() party { return makeParty(t, name) })
}

func makeParty(t testing.TB, name string) party {
	t.Helper()
	seed := sha256.Sum256([]byte("staffpassport test key: " + name))
	key := ed25519.NewKeyFromSeed(seed[:])
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	signer, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return party{id, signer}
}

// The people of the tests.
func employer(t testing.TB) party { return newParty(t, "Riverside Trust") }
func holder(t testing.TB) party   { return newParty(t, "Rowan Tamar") }
func host(t testing.TB) party     { return newParty(t, "Hazelmere Hospital") }
func stranger(t testing.TB) party { return newParty(t, "Nettle Styx") }

// verifier trusts the employer for passports, at noon.
func verifier(t testing.TB) *verify.Verifier {
	return &verify.Verifier{
		Resolver: did.Mux{"key": didkey.Resolver{}},
		Trust:    verify.TrustedIssuers{employer(t).id: {passportType}},
		Contexts: contexts(),
		Replay:   verify.NonceUsedOnceByCaller{},
		Now:      clockAt(noon),
	}
}

func session(t testing.TB) verify.Session {
	return verify.Session{Audience: host(t).id.String(), Nonce: nonce}
}

// passport is the employer's credential about the holder.
func passport(t testing.TB) *vc.Credential {
	t.Helper()
	var claims map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(passportClaims), &claims))
	id, err := json.Marshal(holder(t).id)
	require.NoError(t, err)
	claims["id"] = id
	subject, err := json.Marshal(claims)
	require.NoError(t, err)
	return &vc.Credential{
		Context:    vc.Contexts(passportContext),
		ID:         "urn:uuid:5ad2b1f0-3c0e-4d57-9f0c-1f1d0b6a7e11",
		Type:       []string{vc.TypeCredential, passportType},
		Issuer:     vc.Party{ID: employer(t).id.String()},
		ValidFrom:  time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		ValidUntil: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC),
		Subject:    subject,
	}
}

func issuer(p party) *dataintegrity.Issuer {
	return &dataintegrity.Issuer{
		Suite:    dataintegrity.EdDSAJCS2022(),
		Signer:   p.signer,
		Contexts: contexts(),
		Now:      clockAt(noon),
	}
}

// issued is the passport, secured by the employer.
func issued(t testing.TB) vc.Secured {
	t.Helper()
	s, err := issuer(employer(t)).Secure(context.Background(), passport(t))
	require.NoError(t, err)
	return s
}

// presented is a presentation of creds by the holder to the host.
func presented(t testing.TB, creds ...vc.Secured) vc.Secured {
	t.Helper()
	return presentedAt(t, noon, creds...)
}

func presentedAt(t testing.TB, at time.Time, creds ...vc.Secured) vc.Secured {
	t.Helper()
	h := holder(t)
	p := &dataintegrity.Presenter{Suite: dataintegrity.EdDSAJCS2022(), Signer: h.signer, Now: clockAt(at)}
	s, err := p.Present(context.Background(), vc.NewPresentation(h.id, creds...), host(t).id.String(), nonce)
	require.NoError(t, err)
	return s
}

// tree parses secured bytes so that a test can change them.
func tree(t testing.TB, s vc.Secured) *strictjson.Object {
	t.Helper()
	o, err := strictjson.ParseObject(s.Bytes)
	require.NoError(t, err)
	return o
}

func text(t testing.TB, o *strictjson.Object, mediaType string) vc.Secured {
	t.Helper()
	b, err := strictjson.Append(nil, o)
	require.NoError(t, err)
	return vc.Secured{MediaType: mediaType, Bytes: b}
}

// replaced swaps old for new in s, which must hold old exactly once.
func replaced(t testing.TB, s vc.Secured, old, new string) vc.Secured {
	t.Helper()
	require.Equal(t, 1, bytes.Count(s.Bytes, []byte(old)), "%s", old)
	return vc.Secured{MediaType: s.MediaType, Bytes: bytes.Replace(s.Bytes, []byte(old), []byte(new), 1)}
}

// signedBy makes a proof with any options over any document, which the issuer and
// presenter of this module refuse to do.
func signedBy(t testing.TB, p party, doc *strictjson.Object, options dataintegrity.Proof, mediaType string) vc.Secured {
	t.Helper()
	if options.VerificationMethod.IsZero() {
		options.VerificationMethod = p.signer.VerificationMethod()
	}
	proof, err := dataintegrity.EdDSAJCS2022().Prove(context.Background(), doc, &options, p.signer, contexts())
	require.NoError(t, err)
	doc = doc.Clone()
	doc.Set("proof", proof)
	return text(t, doc, mediaType)
}
