package jws

import (
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A Header is the protected header of a message (section 4). Parameters that are
// absent are empty.
type Header struct {
	Algorithm   string // alg, as it was written
	KeyID       string // kid
	Type        string // typ
	ContentType string // cty

	// Tree has every parameter. It must not be changed.
	Tree *strictjson.Object
}

// Fits reports whether a key whose algorithm is keyAlgorithm (RFC 7518 section 3.1,
// RFC 8037 section 3.1) is one that the header allows. "EdDSA" and "Ed25519" (RFC
// 9864) are two names of one algorithm here, because the key is never Ed448.
func (h Header) Fits(keyAlgorithm string) bool {
	alg := h.Algorithm
	if alg == "Ed25519" {
		alg = "EdDSA"
	}
	if keyAlgorithm == "Ed25519" {
		keyAlgorithm = "EdDSA"
	}
	return alg != "" && alg == keyAlgorithm
}

// MediaType returns the media type that a typ or cty stands for, in small letters:
// without a slash, "application/" is understood before it (sections 4.1.9, 4.1.10).
// Of an empty text it is empty.
func MediaType(s string) string {
	if s == "" {
		return ""
	}
	s = strings.ToLower(s)
	if !strings.ContainsRune(s, '/') {
		return "application/" + s
	}
	return s
}

func parseHeader(b []byte) (Header, error) {
	parser := strictjson.Parser{MaxBytes: MaxHeader, MaxDepth: maxHeaderDepth, MaxValues: maxHeaderValues}
	tree, err := parser.ParseObject(b)
	if err != nil {
		return Header{}, fmt.Errorf("%w: header: %w", ErrSyntax, errtext.Below(err))
	}
	return readHeader(tree)
}

func readHeader(tree *strictjson.Object) (Header, error) {
	h := Header{Tree: tree}
	for _, name := range []string{"crit", "b64"} {
		if _, ok := tree.Get(name); ok {
			return Header{}, fmt.Errorf("%w: %s", ErrCritical, name)
		}
	}
	for _, p := range []struct {
		name string
		to   *string
	}{{"alg", &h.Algorithm}, {"kid", &h.KeyID}, {"typ", &h.Type}, {"cty", &h.ContentType}} {
		v, ok := tree.Get(p.name)
		if !ok {
			continue
		}
		if *p.to, ok = v.(string); !ok || *p.to == "" {
			return Header{}, fmt.Errorf("%w: %s", ErrHeader, p.name)
		}
	}
	if h.Algorithm == "" || strings.EqualFold(h.Algorithm, "none") {
		return Header{}, ErrAlgorithm
	}
	return h, nil
}
