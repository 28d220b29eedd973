package main

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
)

// keyType names the type of a public key.
func keyType(k crypto.PublicKey) string {
	switch k := k.(type) {
	case ed25519.PublicKey:
		return "Ed25519"
	case *ecdsa.PublicKey:
		return k.Params().Name
	case *ecdh.PublicKey:
		return "X25519 (key agreement)"
	case did.BLS12381G2:
		return "BLS12-381 (bbs-2023)"
	}
	return "of an unknown type"
}

// describeKey names a key by its type and its did:key.
func describeKey(k crypto.PublicKey) string {
	if id, err := didkey.New(k); err == nil {
		return keyType(k) + " " + id.String()
	}
	return keyType(k)
}

// inspectKey looks at a JWK, a Multikey or a verification method.
func (i *inspection) inspectKey(b []byte) *report {
	r := &report{kind: "key", title: "public key"}
	var f keyFile
	if json.Unmarshal(b, &f) != nil {
		r.flaw("syntax", "not the JSON of a key", "")
		return r
	}
	if f.isSecret() {
		r.title = "PRIVATE KEY: whoever has this file signs with it"
	}
	r.add("name", "name", strings.TrimSpace(f.ID+" "+f.KeyID))
	k, err := f.key()
	switch {
	case errors.Is(err, did.ErrUnsupported):
		r.add("type", "type", strings.TrimSpace(f.KTY+" "+f.Curve))
		r.flaw("unsupported", "a type of key that is not used here", "Ed25519, P-256, P-384, X25519 and BLS12-381 are")
		return r
	case err != nil:
		r.wrong = problemsOf(err)
		return r
	}
	if k.exposed {
		r.flaw("exposed", "a private key in publicKeyJwk, which is there to be published", "make a new key, and see who has this one")
	}
	i.addKey(r, k.public)
	return r
}

func (i *inspection) addKey(r *report, k crypto.PublicKey) {
	r.add("type", "type", keyType(k))
	if alg, err := did.Algorithm(k); err == nil {
		r.add("signs with", "algorithm", alg)
	}
	if id, err := didkey.New(k); err == nil {
		r.add("as a DID", "did", id.String())
	}
	if t := thumbprint(k); t != "" {
		r.add("thumbprint", "thumbprint", t)
	}
}

// thumbprint is that of RFC 7638, by which some name keys in kid.
func thumbprint(k crypto.PublicKey) string {
	f := (&key{public: k}).file(false)
	var text string
	switch f.KTY {
	case "OKP":
		text = fmt.Sprintf(`{"crv":%q,"kty":"OKP","x":%q}`, f.Curve, f.X)
	case "EC":
		text = fmt.Sprintf(`{"crv":%q,"kty":"EC","x":%q,"y":%q}`, f.Curve, f.X, f.Y)
	default:
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// inspectKeySet looks at a JWK set (RFC 7517 section 5).
func (i *inspection) inspectKeySet(o map[string]any) *report {
	r := &report{kind: "keys", title: fmt.Sprintf("set of %d keys", len(list(o["keys"])))}
	for _, v := range list(o["keys"]) {
		if b, err := json.Marshal(v); err == nil {
			r.parts = append(r.parts, i.inspectKey(b))
		}
	}
	return r
}

// inspectMultikey looks at a bare Multikey.
func (i *inspection) inspectMultikey(text string) *report {
	k, err := did.ParseMultikey(text)
	if err != nil {
		return &report{kind: unknown, title: "text that begins like a Multikey and is none"}
	}
	r := &report{kind: "key", title: "public key as a Multikey"}
	i.addKey(r, k)
	return r
}
