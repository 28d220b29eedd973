package envelope

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const (
	// maxHeader bounds the protected header in bytes: 16 recipients take 6 KB.
	maxHeader = 64 << 10
	// maxVerkey is the number of base58 characters of 32 bytes.
	maxVerkey = 44
)

// parsed is an envelope whose form is right (RFC 0019, "pack output format").
// Nothing in it is authenticated yet.
type parsed struct {
	authcrypt  bool
	aad        string // the protected header as it was written
	iv, tag    []byte
	ciphertext []byte // base64url
	recipients []parsedRecipient
}

type parsedRecipient struct {
	verkey       ed25519.PublicKey // nil if the kid names a key of another kind
	encryptedKey []byte
	iv, sender   []byte // only in authcrypt
}

// parse reads an envelope. It reports nothing but whether the form is right.
func parse(outer layer) (*parsed, bool) {
	if outer.Len() != 4 {
		return nil, false
	}
	protected, ok := outer.Text("protected")
	if !ok || len(protected) > base64.URLEncoding.EncodedLen(maxHeader) {
		return nil, false
	}
	e := &parsed{aad: protected}
	if e.iv, ok = decode(outer.Object, "iv", chacha20poly1305.NonceSize); !ok {
		return nil, false
	}
	if e.tag, ok = decode(outer.Object, "tag", chacha20poly1305.Overhead); !ok {
		return nil, false
	}
	if e.ciphertext, ok = outer.encoded("ciphertext"); !ok {
		return nil, false
	}
	return e, e.parseHeader(protected)
}

func (e *parsed) parseHeader(protected string) bool {
	text, ok := decodeBase64URL([]byte(protected))
	if !ok {
		return false
	}
	header, err := strictjson.Parser{MaxBytes: maxHeader, MaxDepth: 8, MaxValues: 256}.ParseObject(text)
	if err != nil {
		return false
	}
	for _, name := range []string{"crit", "zip"} { // RFC 7516 sections 4.1.13 and 4.1.3: not understood
		if _, present := header.Get(name); present {
			return false
		}
	}
	if typ, _ := header.Text("typ"); typ != typV1 {
		return false
	}
	if enc, _ := header.Text("enc"); enc != encEmitted && enc != encAccepted {
		return false
	}
	switch alg, _ := header.Text("alg"); alg {
	case algAuthcrypt:
		e.authcrypt = true
	case algAnoncrypt:
	default:
		return false
	}
	v, _ := header.Get("recipients")
	list, _ := v.([]any)
	if len(list) == 0 || len(list) > MaxRecipients {
		return false
	}
	e.recipients = make([]parsedRecipient, len(list))
	for i, v := range list {
		r, ok := v.(*strictjson.Object)
		if !ok || !e.recipients[i].parse(r, e.authcrypt) {
			return false
		}
		for _, other := range e.recipients[:i] {
			if other.verkey != nil && other.verkey.Equal(e.recipients[i].verkey) {
				return false
			}
		}
	}
	return true
}

// parse reads one recipient. A sender or iv in anoncrypt is refused rather than
// ignored: nobody may take the envelope for an authenticated one.
func (r *parsedRecipient) parse(obj *strictjson.Object, authcrypt bool) (ok bool) {
	const boxOverhead, sealOverhead = 16, 48
	v, _ := obj.Get("header")
	header, _ := v.(*strictjson.Object)
	kid, _ := header.Text("kid")
	if kid == "" {
		return false
	}
	if key, err := multiformat.DecodeBase58(kid, maxVerkey); err == nil && len(key) == ed25519.PublicKeySize {
		r.verkey = key
	}
	if !authcrypt {
		_, hasSender := header.Get("sender")
		_, hasIV := header.Get("iv")
		r.encryptedKey, ok = decode(obj, "encrypted_key", sealOverhead+cekSize)
		return ok && !hasSender && !hasIV
	}
	if r.encryptedKey, ok = decode(obj, "encrypted_key", boxOverhead+cekSize); !ok {
		return false
	}
	if r.iv, ok = decode(header, "iv", 24); !ok {
		return false
	}
	text, _ := header.Text("sender")
	r.sender, ok = decodeBase64URL([]byte(text))
	return ok && len(r.sender) > sealOverhead && len(r.sender) <= sealOverhead+maxVerkey
}

// decode reads a member of exactly size bytes in base64url.
func decode(obj *strictjson.Object, name string, size int) ([]byte, bool) {
	text, _ := obj.Text(name)
	b, ok := decodeBase64URL([]byte(text))
	return b, ok && len(b) == size
}

// decodeBase64URL reads base64url with or without padding (RFC 0019, "Unpack
// Algorithm", note). Line breaks, wrong padding and bits that belong to no byte
// are refused, so that an envelope has few spellings.
func decodeBase64URL(s []byte) ([]byte, bool) {
	if bytes.IndexByte(s, '\n') >= 0 || bytes.IndexByte(s, '\r') >= 0 { // encoding/base64 would skip them
		return nil, false
	}
	encoding := base64.RawURLEncoding
	if bytes.HasSuffix(s, []byte("=")) {
		encoding = base64.URLEncoding
	}
	b := make([]byte, 0, encoding.DecodedLen(len(s))+chacha20poly1305.Overhead)
	b, err := encoding.Strict().AppendDecode(b, s)
	return b, err == nil
}
