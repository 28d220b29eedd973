package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// version is that of the format. The first member of a file has it.
const version = 1

// Limits of a file.
const (
	// MaxFile has room for the documents and status lists of 300 organisations at 30 KiB
	// each, and bounds what a stranger's file costs to about 50 ms and 35 MiB.
	MaxFile = 12 << 20
	// MaxLifetime is how long after it was made a bundle may end. What is withdrawn
	// meanwhile is not seen, so that a file goes to a place without a network once a month
	// at least.
	MaxLifetime = 31 * 24 * time.Hour
	// maxResources is five or more for each of those.
	maxResources = 2048
	// maxContexts is several times what the credentials of one service use.
	maxContexts = 32
	// maxURL is what browsers and servers take.
	maxURL = 2048
)

// typ is the typ of the signature, so that no other token passes for a manifest.
const typ = "vnd.staffpassport.bundle+jws"

// A container is the file.
//
//	{"staffPassportBundle": 1, "manifest": compact JWS by the maker, "parts": [base64url, ...]}
//
// The manifest names the parts by their SHA-256, so that the signature covers all. No
// text in it needs an escape, and none is taken: reading them would be the dearest part.
type container struct {
	Version  int      `json:"staffPassportBundle"`
	Manifest string   `json:"manifest"`
	Parts    []string `json:"parts"`
}

// A manifest is what the maker signs.
type manifest struct {
	Version    int            `json:"version"`
	Made       time.Time      `json:"made"`
	ValidUntil time.Time      `json:"validUntil"`
	Resources  []resource     `json:"resources,omitempty"`
	Contexts   []contextEntry `json:"contexts,omitempty"`
	Arrays     [][]string     `json:"arrays,omitempty"` // @context arrays to accept

	maker did.DID
}

type resource struct {
	URL       string    `json:"url"`
	MediaType string    `json:"mediaType,omitempty"`
	Fetched   time.Time `json:"fetched"`
	Size      int       `json:"size,omitempty"`
	SHA256    string    `json:"sha256,omitempty"`
	Absent    bool      `json:"absent,omitempty"`

	digest [sha256.Size]byte
}

type contextEntry struct {
	URL    string `json:"url"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`

	digest [sha256.Size]byte
}

// A file is a container of the right form. Nothing in it is verified.
type file struct {
	token    *jws.Message
	method   did.URL
	manifest *manifest
	parts    []string
}

// Inspect tells what a file says is in it. It verifies nothing: the contents may be
// anybody's.
func Inspect(file []byte) (*Contents, error) {
	f, err := parse(file)
	if err != nil {
		return nil, err
	}
	return f.manifest.contents(), nil
}

func parse(b []byte) (*file, error) {
	if len(b) > MaxFile || bytes.IndexByte(b, '\\') >= 0 {
		return nil, fmt.Errorf("%w: too large, or with escapes", ErrFormat)
	}
	var c container
	p := strictjson.Parser{MaxBytes: MaxFile, MaxDepth: 4, MaxValues: 2*(maxResources+maxContexts) + 8}
	if err := p.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, errtext.Below(err))
	}
	if c.Version != version {
		return nil, fmt.Errorf("%w: not of version %d", ErrFormat, version)
	}
	token, err := jws.ParseCompact([]byte(c.Manifest))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, errtext.Below(err))
	}
	if token.Header.Type != typ {
		return nil, fmt.Errorf("%w: the signature is that of another thing", ErrFormat)
	}
	f := &file{token: token, parts: c.Parts}
	if f.method, err = did.ParseURL(token.Header.KeyID); err != nil {
		return nil, fmt.Errorf("%w: the maker's key has no name", ErrFormat)
	}
	if f.manifest, err = readManifest(token.Payload); err != nil {
		return nil, err
	}
	f.manifest.maker = f.method.DID
	return f, nil
}

func readManifest(b []byte) (*manifest, error) {
	m := new(manifest)
	if err := strictjson.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, errtext.Below(err))
	}
	bad := func(what string) (*manifest, error) { return nil, fmt.Errorf("%w: %s", ErrFormat, what) }
	switch {
	case m.Version != version:
		return bad("manifest of another version")
	case m.Made.IsZero() || !m.ValidUntil.After(m.Made):
		return bad("no time in which to use it")
	case m.ValidUntil.Sub(m.Made) > MaxLifetime:
		return bad("an end too long after it was made")
	case len(m.Resources) > maxResources || len(m.Contexts) > maxContexts || len(m.Arrays) > maxContexts:
		return bad("too many parts")
	}
	seen := map[string]bool{}
	for i := range m.Resources {
		r := &m.Resources[i]
		var err error
		if !r.Absent {
			r.digest, err = parseDigest(r.SHA256)
		}
		switch {
		case err != nil || r.Size < 0 || r.Absent && (r.SHA256 != "" || r.Size != 0 || r.MediaType != ""):
			return bad("a resource without its digest")
		case r.URL == "" || len(r.URL) > maxURL || seen[r.URL]:
			return bad("a resource without an address of its own")
		case r.Fetched.IsZero() || r.Fetched.After(m.Made):
			return bad("a resource that was fetched after the bundle was made")
		}
		seen[r.URL] = true
	}
	for i := range m.Contexts {
		c := &m.Contexts[i]
		var err error
		if c.digest, err = parseDigest(c.SHA256); err != nil || c.URL == "" || len(c.URL) > maxURL || c.Size < 0 {
			return bad("a context without its digest")
		}
	}
	return m, nil
}

// verify checks that the maker signed the manifest, with a key whose turn it is now: Made
// is what whoever has an old key would write, and a bundle is easily made anew.
func (f *file) verify(ctx context.Context, r did.Resolver, maker did.DID, now time.Time) error {
	if f.method.DID != maker {
		return fmt.Errorf("%w: by another", ErrMaker)
	}
	res, err := r.Resolve(ctx, maker, did.Version{})
	switch {
	case errors.Is(err, did.ErrNotFound), errors.Is(err, did.ErrInvalid), errors.Is(err, did.ErrUnsupported):
		return fmt.Errorf("%w: %w", ErrMaker, errtext.Below(err))
	case err != nil:
		return fmt.Errorf("bundle: maker: %w", errtext.Below(err))
	case res == nil || res.Deactivated || res.Document == nil || res.Document.ID() != maker:
		return fmt.Errorf("%w: its DID has no document", ErrMaker)
	}
	key, err := res.Document.Method(f.method, did.AssertionMethod, now)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMaker, errtext.Below(err))
	}
	algorithm, err := did.Algorithm(key.PublicKey())
	if err != nil || !f.token.Header.Fits(algorithm) {
		return fmt.Errorf("%w: another algorithm than the key's", ErrMaker)
	}
	if err := did.VerifySignature(key.PublicKey(), f.token.SigningInput(), f.token.Signature); err != nil {
		return fmt.Errorf("%w: %w", ErrMaker, errtext.Below(err))
	}
	return nil
}

// open returns the parts by their digests: those that the manifest names and no others.
func (f *file) open() (map[[sha256.Size]byte][]byte, error) {
	sizes, err := f.manifest.sizes()
	if err != nil {
		return nil, err
	}
	if len(f.parts) != len(sizes) {
		return nil, ErrPart
	}
	parts := make(map[[sha256.Size]byte][]byte, len(sizes))
	for _, text := range f.parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, ErrPart
		}
		digest := sha256.Sum256(b)
		if size, named := sizes[digest]; !named || size != len(b) || parts[digest] != nil {
			return nil, ErrPart
		}
		parts[digest] = b
	}
	return parts, nil
}

// sizes returns how long each part is that the manifest names.
func (m *manifest) sizes() (map[[sha256.Size]byte]int, error) {
	sizes := map[[sha256.Size]byte]int{}
	put := func(d [sha256.Size]byte, size int) bool {
		known, twice := sizes[d]
		sizes[d] = size
		return !twice || known == size
	}
	for _, r := range m.Resources {
		if !r.Absent && !put(r.digest, r.Size) {
			return nil, ErrPart
		}
	}
	for _, c := range m.Contexts {
		if !put(c.digest, c.Size) {
			return nil, ErrPart
		}
	}
	return sizes, nil
}

func (m *manifest) contents() *Contents {
	c := &Contents{Maker: m.maker, Made: m.Made, ValidUntil: m.ValidUntil}
	for _, r := range m.Resources {
		c.Resources = append(c.Resources, Resource{r.URL, r.MediaType, r.Fetched, r.Size, r.Absent})
	}
	slices.SortFunc(c.Resources, func(a, b Resource) int { return compare(a.URL, b.URL) })
	for _, e := range m.Contexts {
		c.Contexts = append(c.Contexts, e.URL)
	}
	slices.Sort(c.Contexts)
	return c
}

// sign writes the manifest as a JWS.
func (m *manifest) sign(ctx context.Context, s did.Signer) ([]byte, error) {
	payload, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", errtext.Below(err))
	}
	algorithm, err := did.Algorithm(s.Public())
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", errtext.Below(err))
	}
	header := strictjson.NewObject(
		strictjson.Member{Name: "alg", Value: algorithm},
		strictjson.Member{Name: "kid", Value: s.VerificationMethod().String()},
		strictjson.Member{Name: "typ", Value: typ},
	)
	token, err := jws.Compact(header, payload, func(input []byte) ([]byte, error) { return did.Sign(ctx, s, input) })
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", errtext.Below(err))
	}
	return token, nil
}

func parseDigest(s string) (d [sha256.Size]byte, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(d) || formatDigest([sha256.Size]byte(b)) != s {
		return d, ErrFormat
	}
	return [sha256.Size]byte(b), nil
}

func formatDigest(d [sha256.Size]byte) string { return base64.RawURLEncoding.EncodeToString(d[:]) }
