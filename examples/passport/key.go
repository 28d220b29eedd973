package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
)

// keyNewCommand makes a key and names it, by default by its own did:key.
func keyNewCommand(_ context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("[--type T] [--id DIDURL] [--out FILE]",
		"Writes a private key: a JSON Web Key or, for BLS12-381, a Multikey. Whoever has the\nfile signs as its DID.")
	typ := fs.String("type", "p256", "ed25519, p256, p384, or bls12-381 for bbs-2023")
	id := fs.String("id", "", "the `DIDURL` that names the key in its DID document; default: that of its did:key")
	out := fs.String("out", "", "a `FILE` that does not exist yet, to be read by its owner alone")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	if len(rest) > 0 {
		return 0, wrongUsage("unexpected argument %q", rest[0])
	}
	k, err := newKey(*typ)
	if err != nil {
		return 0, err
	}
	if err := k.rename(*id); err != nil {
		return 0, err
	}
	b, err := json.MarshalIndent(k.file(true), "", "  ")
	if err != nil {
		return 0, err
	}
	return exitValid, s.write(b, *out, true)
}

// keyPublicCommand is what a publisher and a verifier need of a key.
func keyPublicCommand(_ context.Context, s *shell, args []string) (int, error) {
	fs := s.flags("[FILE]", "Writes the public half of a key, with its name.")
	rest, err := s.parse(fs, args)
	if err != nil {
		return 0, err
	}
	b, err := s.read(rest)
	if err != nil {
		return 0, err
	}
	k, err := parseKey(b)
	if err != nil {
		return 0, err
	}
	return exitValid, s.printJSON(k.file(false))
}

// A key is one key with its name.
type key struct {
	id      did.URL
	public  crypto.PublicKey
	private crypto.Signer // nil for a public key, and for one of BLS12-381
	bbs     []byte        // the secret of a BLS12-381 key
	exposed bool          // a private half stood where a public one is published
}

func newKey(typ string) (*key, error) {
	k := &key{}
	var err error
	switch typ {
	case "ed25519":
		_, k.private, err = ed25519.GenerateKey(rand.Reader)
	case "p256":
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		k.private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "bls12-381":
		k.public, k.bbs = bbs.GenerateKey()
		return k, nil
	default:
		return nil, wrongUsage("--type is ed25519, p256, p384 or bls12-381")
	}
	if err != nil {
		return nil, err
	}
	k.public = k.private.Public()
	return k, nil
}

// rename names the key; an empty name is that of its did:key.
func (k *key) rename(id string) error {
	if id == "" {
		own, err := didkey.New(k.public)
		if err != nil {
			return err
		}
		k.id = didkey.SigningMethod(own)
		return nil
	}
	u, err := did.ParseURL(id)
	if err != nil || u.Fragment == "" {
		return wrongUsage("%q is no DID URL with a fragment, such as did:web:example.org#key-1", id)
	}
	k.id = u
	return nil
}

// signer returns the key as the packages take it, or an error for a public one.
func (k *key) signer() (did.Signer, error) {
	switch {
	case k.exposed:
		return nil, wrongUsage("the private half stands in publicKeyJwk, which others may have been given: make a new key")
	case k.bbs != nil:
		return bbs.NewSigner(k.id, k.bbs)
	case k.private != nil:
		return did.NewSigner(k.id, k.private)
	}
	return nil, wrongUsage("the key file has no private key")
}

const asUsage = "sign as the key of this name, a `DIDURL` of your DID document such as did:web:fernhill.example#key-1; default: as the key file says, or its did:key"

// readSigner reads a private key.
func (s *shell) readSigner(name string) (did.Signer, error) { return s.readSignerAs(name, "") }

// readSignerAs reads a private key, and names it anew unless the name is empty.
func (s *shell) readSignerAs(name, as string) (did.Signer, error) {
	if name == "" {
		return nil, nil
	}
	b, err := s.readFile(name)
	if err != nil {
		return nil, err
	}
	k, err := parseKey(b)
	if err == nil && as != "" {
		err = k.rename(as)
	}
	if err != nil {
		return nil, err
	}
	return k.signer()
}

// A keyFile is the JSON of a key: a JSON Web Key (RFC 7517), a Multikey, or a
// verification method around either (Controlled Identifiers 1.0, section 2.2). Only what
// is needed is looked at here; package did judges the public half.
type keyFile struct {
	// Of a Multikey or verification method.
	ID                  string          `json:"id,omitempty"`
	Type                string          `json:"type,omitempty"`
	Controller          string          `json:"controller,omitempty"`
	PublicKeyMultibase  string          `json:"publicKeyMultibase,omitempty"`
	SecretKeyMultibase  string          `json:"secretKeyMultibase,omitempty"`
	PrivateKeyMultibase string          `json:"privateKeyMultibase,omitempty"` // as older files have it
	PublicKeyJWK        json.RawMessage `json:"publicKeyJwk,omitempty"`
	SecretKeyJWK        json.RawMessage `json:"secretKeyJwk,omitempty"`
	PrivateKeyJWK       json.RawMessage `json:"privateKeyJwk,omitempty"` // as older files have it

	// Of a JSON Web Key.
	KeyID string `json:"kid,omitempty"`
	KTY   string `json:"kty,omitempty"`
	Curve string `json:"crv,omitempty"`
	X     string `json:"x,omitempty"`
	Y     string `json:"y,omitempty"`
	D     string `json:"d,omitempty"`
}

// parseKey reads a key, private or public.
func parseKey(b []byte) (*key, error) {
	var f keyFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, wrongUsage("not the JSON of a key")
	}
	k, err := f.key()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{f.ID, f.KeyID} {
		if u, err := did.ParseURL(name); err == nil && u.Fragment != "" {
			k.id = u
			return k, nil
		}
	}
	return k, k.rename("")
}

func (f keyFile) key() (*key, error) {
	switch {
	case f.KTY != "":
		return f.jwk()
	case f.SecretKeyJWK != nil:
		return f.pairJWK(f.SecretKeyJWK)
	case f.PrivateKeyJWK != nil:
		return f.pairJWK(f.PrivateKeyJWK)
	case f.PublicKeyJWK != nil:
		return publicJWK(f.PublicKeyJWK)
	case f.PublicKeyMultibase != "", f.SecretKeyMultibase != "", f.PrivateKeyMultibase != "":
		return f.multikey()
	}
	return nil, wrongUsage("neither a JSON Web Key nor a Multikey")
}

// publicJWK reads a publicKeyJwk. A private half in it is not used: the member is there
// to be published.
func publicJWK(b []byte) (*key, error) {
	var j keyFile
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, wrongUsage("not the JSON of a key")
	}
	exposed := j.isSecret()
	j.D = ""
	k, err := j.jwk()
	if err == nil {
		k.exposed = exposed
	}
	return k, err
}

// pairJWK reads a private JSON Web Key, and compares it with the publicKeyJwk beside it,
// if there is one.
func (f keyFile) pairJWK(secret []byte) (*key, error) {
	var j keyFile
	if err := json.Unmarshal(secret, &j); err != nil {
		return nil, wrongUsage("not the JSON of a key")
	}
	k, err := j.jwk()
	if err != nil || f.PublicKeyJWK == nil {
		return k, err
	}
	beside, err := publicJWK(f.PublicKeyJWK)
	if err != nil {
		return nil, err
	}
	if p, ok := k.public.(interface{ Equal(crypto.PublicKey) bool }); !ok || !p.Equal(beside.public) {
		return nil, fmt.Errorf("%w: publicKeyJwk is another key than the private one", did.ErrInvalid)
	}
	k.exposed = beside.exposed
	return k, nil
}

// jwk reads a JSON Web Key: the public half by package did, which refuses what nobody
// should use, and the private half if it belongs to that.
func (f keyFile) jwk() (*key, error) {
	public, err := marshal(keyFile{KTY: f.KTY, Curve: f.Curve, X: f.X, Y: f.Y})
	if err != nil {
		return nil, err
	}
	k := &key{}
	if k.public, err = did.ParseJWK(public); err != nil || f.D == "" {
		return k, err
	}
	d, err := base64.RawURLEncoding.DecodeString(f.D)
	if err != nil {
		return nil, fmt.Errorf("%w: the private half is not base64url", did.ErrInvalid)
	}
	return k, k.pair(d)
}

// pair adds the private half, which has to be that of the public one.
func (k *key) pair(secret []byte) error {
	var err error
	switch public := k.public.(type) {
	case ed25519.PublicKey:
		if len(secret) != ed25519.SeedSize {
			return fmt.Errorf("%w: a private key of the wrong length", did.ErrInvalid)
		}
		k.private = ed25519.NewKeyFromSeed(secret)
	case *ecdsa.PublicKey:
		k.private, err = ecdsa.ParseRawPrivateKey(public.Curve, secret)
	case did.BLS12381G2:
		k.bbs = secret
		return nil // NewSigner checks it
	default:
		return fmt.Errorf("%w: a key that cannot sign", did.ErrUnsupported)
	}
	if err != nil {
		return fmt.Errorf("%w: the private half is no number of this curve", did.ErrInvalid)
	}
	if p, ok := k.public.(interface{ Equal(crypto.PublicKey) bool }); !ok || !p.Equal(k.private.Public()) {
		return fmt.Errorf("%w: the private half is not that of the public one", did.ErrInvalid)
	}
	return nil
}

// file returns the key as JSON has it.
func (k *key) file(private bool) keyFile {
	if public, ok := k.public.(did.BLS12381G2); ok {
		f := keyFile{ID: k.id.String(), Type: "Multikey", Controller: k.id.DID.String(), PublicKeyMultibase: multibase(codecBLS, public[:])}
		if private {
			f.SecretKeyMultibase = multibase(codecBLSSecret, k.bbs)
		}
		return f
	}
	f := keyFile{KeyID: k.id.String()}
	switch public := k.public.(type) {
	case ed25519.PublicKey:
		f.KTY, f.Curve, f.X = "OKP", "Ed25519", base64.RawURLEncoding.EncodeToString(public)
		if p, ok := k.private.(ed25519.PrivateKey); ok && private {
			f.D = base64.RawURLEncoding.EncodeToString(p.Seed())
		}
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, x, y
		if err != nil {
			return f
		}
		half := len(point) / 2
		f.KTY, f.Curve = "EC", public.Params().Name
		f.X, f.Y = base64.RawURLEncoding.EncodeToString(point[1:1+half]), base64.RawURLEncoding.EncodeToString(point[1+half:])
		if p, ok := k.private.(*ecdsa.PrivateKey); ok && private {
			if d, err := p.Bytes(); err == nil {
				f.D = base64.RawURLEncoding.EncodeToString(d)
			}
		}
	}
	return f
}

// isSecret reports whether the JSON holds a private key.
func (f keyFile) isSecret() bool {
	if f.D != "" || f.SecretKeyMultibase != "" || f.PrivateKeyMultibase != "" || bytes.Contains(f.SecretKeyJWK, []byte("{")) || bytes.Contains(f.PrivateKeyJWK, []byte("{")) {
		return true
	}
	var inner keyFile
	return json.Unmarshal(f.PublicKeyJWK, &inner) == nil && inner.D != ""
}
