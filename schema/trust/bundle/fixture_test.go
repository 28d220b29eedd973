package bundle_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
)

// noon is when the tests take place.
var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// A clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: noon} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = t
}

// A party is a DID and its key, made from a name.
type party struct {
	id     did.DID
	signer did.Signer
	public crypto.PublicKey
	key    crypto.Signer
}

func of(t testing.TB, key crypto.Signer) party {
	t.Helper()
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return party{id, s, key.Public(), key}
}

func seed(name string) [32]byte { return sha256.Sum256([]byte("bundle test key: " + name)) }

func named(t testing.TB, name string) party {
	s := seed(name)
	return of(t, ed25519.NewKeyFromSeed(s[:]))
}

func p256(t testing.TB, name string) party {
	s := seed(name)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), s[:])
	require.NoError(t, err)
	return of(t, key)
}

func maker(t testing.TB) party { return named(t, "Hazelmere, its information desk") }

// A page is what a server has at a URL.
type page struct {
	mediaType string
	body      string
}

// A web is a Getter in memory.
type web struct {
	mu    sync.Mutex
	pages map[string]page
	down  map[string]bool // URLs, or "" for all
	asked []string
}

func (w *web) Get(ctx context.Context, url string, accept ...string) ([]byte, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, url)
	p, ok := w.pages[url]
	switch {
	case ctx.Err() != nil:
		return nil, "", ctx.Err()
	case w.down[url] || w.down[""]:
		return nil, "", fmt.Errorf("%w: gone fishing", did.ErrUnavailable)
	case !ok:
		return nil, "", did.ErrNotFound
	case len(accept) > 0 && !slices.Contains(accept, p.mediaType):
		return nil, "", fmt.Errorf("%w: content type", did.ErrUnavailable)
	}
	return []byte(p.body), p.mediaType, nil
}

func (w *web) put(url, mediaType, body string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[url] = page{mediaType, body}
}

func (w *web) fail(urls ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = map[string]bool{}
	for _, u := range urls {
		w.down[u] = true
	}
}

const (
	listURL   = "https://register.example/organisations"
	statusURL = "https://alder-valley.example/status/1"
)

// small is a web with two pages.
func small() *web {
	return &web{pages: map[string]page{
		listURL:   {"application/vc", `{"list":"of organisations"}`},
		statusURL: {"application/vc", `{"list":"of bits"}`},
	}}
}

// plan is what the maker builds from it.
func plan(t testing.TB, w *web, changes ...func(*bundle.Plan)) bundle.Plan {
	p := bundle.Plan{
		Signer: maker(t).signer, Client: w, Lifetime: 7 * day, URLs: []string{listURL, statusURL}, Now: newClock().now,
	}
	for _, c := range changes {
		c(&p)
	}
	return p
}

func build(t testing.TB, p bundle.Plan) []byte {
	t.Helper()
	file, err := bundle.Build(t.Context(), p)
	require.NoError(t, err)
	return file
}

// policy takes the maker's bundles.
func policy(t testing.TB, changes ...func(*bundle.Policy)) bundle.Policy {
	p := bundle.Policy{Maker: maker(t).id, Resolver: didkey.Resolver{}, Now: newClock().now}
	for _, c := range changes {
		c(&p)
	}
	return p
}

func open(t testing.TB, file []byte, changes ...func(*bundle.Policy)) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Open(t.Context(), file, policy(t, changes...))
	require.NoError(t, err)
	return b
}

// taken is a file taken apart.
type taken struct {
	Version  any      `json:"staffPassportBundle"`
	Manifest string   `json:"manifest"`
	Parts    []string `json:"parts"`
}

func apart(t testing.TB, file []byte) *taken {
	t.Helper()
	var f taken
	require.NoError(t, json.Unmarshal(file, &f))
	return &f
}

func (f *taken) together(t testing.TB) []byte {
	t.Helper()
	b, err := json.Marshal(f)
	require.NoError(t, err)
	return b
}

func digest(b []byte) string {
	d := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(d[:])
}

// put makes an entry of a manifest one about b.
func put(entry *strictjson.Object, parts map[string]string, b []byte) {
	entry.Set("size", strictjson.Number(fmt.Sprint(len(b))))
	entry.Set("sha256", digest(b))
	parts[digest(b)] = base64.RawURLEncoding.EncodeToString(b)
}
