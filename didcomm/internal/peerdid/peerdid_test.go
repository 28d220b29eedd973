package peerdid

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
)

func resolver() did.Resolver { return did.Mux{"key": didkey.Resolver{}, "peer": didpeer.Resolver{}} }

func newKey(t testing.TB) ed25519.PublicKey {
	t.Helper()
	key, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return key
}

func name(t testing.TB, key ed25519.PublicKey) string {
	t.Helper()
	id, err := didkey.New(key)
	require.NoError(t, err)
	return id.String()
}

// TestMake: what is made here is read here, whatever the form.
func TestMake(t *testing.T) {
	t.Parallel()
	hop := newKey(t)
	for _, at := range []Address{
		{Endpoint: "https://a.example/didcomm"}, {Endpoint: "ws://127.0.0.1:1/didcomm"}, {},
		{Endpoint: "wss://m.example", Routing: []string{name(t, hop)}},
	} {
		key := newKey(t)
		want := at.Endpoint
		if want == "" {
			want = didcomm.Queue
		}
		four, err := V1(key, at)
		require.NoError(t, err)
		two, err := Short2(key, at)
		require.NoError(t, err)
		one, document, err := Genesis(key, at)
		require.NoError(t, err)
		legacy, err := NewLegacy(key, at)
		require.NoError(t, err)
		routing, err := at.RoutingKeys()
		require.NoError(t, err)
		require.Less(t, len(two.String()), len(four.String()))
		for id, attached := range map[did.DID][]byte{four: nil, two: nil, one: document} {
			p, err := Read(t.Context(), resolver(), id.String(), attached)
			require.NoError(t, err)
			require.Equal(t, id, p.ID)
			require.Equal(t, id, p.Document.ID())
			require.Equal(t, didcomm.Service{Keys: []ed25519.PublicKey{key}, RoutingKeys: routing, Endpoint: want}, p.Service)
			require.Equal(t, id == one, len(p.Genesis) > 0)
		}
		p, err := legacy.Read(t.Context(), resolver())
		require.NoError(t, err)
		require.Equal(t, want, p.Service.Endpoint)
		require.Equal(t, []ed25519.PublicKey{key}, p.Service.Keys)
		require.Equal(t, len(routing), len(p.Service.RoutingKeys))
		require.Empty(t, p.ID)

		newer, err := V2(key, at)
		require.NoError(t, err)
		res, err := didpeer.Resolver{}.Resolve(t.Context(), newer, did.Version{})
		require.NoError(t, err)
		if at.Endpoint == "" {
			require.Empty(t, res.Document.Services("DIDCommMessaging"))
			continue
		}
		require.Equal(t, at.Endpoint, res.Document.Services("DIDCommMessaging")[0].Endpoint)
		require.Empty(t, res.Document.Services("did-communication"), "never both")
	}
	for _, routing := range []string{"", "x", "did:web:m.example#key-1", "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"} {
		_, err := Address{Routing: []string{routing}}.RoutingKeys()
		require.Error(t, err, routing)
	}
}

// TestLegacy_PeerDID: a DID that proves its document is kept.
func TestLegacy_PeerDID(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	one, document, err := Genesis(key, Address{Endpoint: "https://a.example"})
	require.NoError(t, err)
	p, err := (&LegacyParty{DID: one.String(), Document: document}).Read(t.Context(), resolver())
	require.NoError(t, err)
	require.Equal(t, one, p.ID)
	four, err := V1(key, Address{Endpoint: "https://a.example"})
	require.NoError(t, err)
	p, err = (&LegacyParty{DID: four.String()}).Read(t.Context(), resolver())
	require.NoError(t, err)
	require.Equal(t, four, p.ID)
	other, err := V1(newKey(t), Address{Endpoint: "https://a.example"})
	require.NoError(t, err)
	p, err = (&LegacyParty{DID: other.String(), Document: document}).Read(t.Context(), resolver())
	require.NoError(t, err)
	require.Empty(t, p.ID, "a document beside a DID of somebody else")
	_, err = (*LegacyParty)(nil).Read(t.Context(), resolver())
	require.ErrorIs(t, err, did.ErrInvalid)
}

// recorded returns the DID and document that another agent sent.
func recorded(t testing.TB, file string) (id string, attached []byte) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "connect", "testdata", "peers", file))
	require.NoError(t, err)
	var b struct {
		DID      string              `json:"did"`
		Document *didcomm.Attachment `json:"did_doc~attach"`
	}
	require.NoError(t, json.Unmarshal(text, &b))
	if b.Document != nil {
		attached, err = b.Document.Content()
		require.NoError(t, err)
	}
	return b.DID, attached
}

// FuzzRead: any document with any DID is refused or read, and what is read is the one
// that the DID is the hash of.
func FuzzRead(f *testing.F) {
	for _, file := range []string{"aries-1-request.json", "aries-1-response.json", "credo-1-request.json", "credo-2-request.json", "credo-4-request.json"} {
		id, attached := recorded(f, file)
		f.Add(id, attached)
	}
	f.Fuzz(func(t *testing.T, id string, attached []byte) {
		p, err := Read(t.Context(), resolver(), id, attached)
		if err != nil {
			require.Nil(t, p)
			return
		}
		require.Equal(t, id, p.ID.String())
		if strings.HasPrefix(id, "did:peer:1") {
			require.True(t, isGenesis(p.ID, p.Genesis))
			again, err := Read(t.Context(), resolver(), id, p.Genesis)
			require.NoError(t, err)
			require.Equal(t, p.Service, again.Service)
		}
	})
}

// FuzzLegacy: no document of RFC 0160 does harm.
func FuzzLegacy(f *testing.F) {
	legacy, err := NewLegacy(newKey(f), Address{Endpoint: "https://a.example"})
	require.NoError(f, err)
	f.Add(legacy.DID, []byte(legacy.Document))
	f.Add("x", []byte(`{"service":[{"type":"did-communication","recipientKeys":["#1"],"serviceEndpoint":"https://a.example"}],"publicKey":[{"id":"#1","publicKeyBase58":"x"}]}`))
	f.Fuzz(func(t *testing.T, id string, document []byte) {
		p, err := (&LegacyParty{DID: id, Document: document}).Read(t.Context(), resolver())
		if err == nil {
			require.NotEmpty(t, p.Service.Keys)
			require.NotEmpty(t, p.Service.Endpoint)
		}
	})
}
