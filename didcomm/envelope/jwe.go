package envelope

import (
	"bytes"
	"crypto/ecdh"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
	"sync"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// The names of version 2 ("IANA Media Types", "Key Wrapping Algorithms").
const (
	mediaPlain     = "application/didcomm-plain+json"
	mediaSigned    = "application/didcomm-signed+json"
	mediaEncrypted = "application/didcomm-encrypted+json"

	algES  = "ECDH-ES+A256KW"
	alg1PU = "ECDH-1PU+A256KW"
)

// A jwe is an encrypted envelope whose form is right (RFC 7516 section 7.2.1, with
// what DIDComm Messaging 2.1 makes of it). Nothing in it is authenticated yet.
//
//	{"protected": {"typ", "alg", "enc", "apv", "epk", and in authcrypt "skid", "apu"},
//	 "recipients": [{"header": {"kid"}, "encrypted_key"}],
//	 "iv", "ciphertext", "tag"}
type jwe struct {
	authcrypt  bool
	content    contentCipher
	alg        string
	aad        []byte // the protected header as it was written
	apu, apv   []byte
	sender     did.URL // in authcrypt: skid
	ephemeral  *ecdh.PublicKey
	recipients []jweRecipient
	iv, tag    []byte
	ciphertext []byte // base64url
	own        bool   // it may be written over
}

type jweRecipient struct {
	kid          did.URL
	encryptedKey []byte
}

// parseJWE reads an encrypted envelope. It reports nothing but whether the form is
// right. The ciphertext is not decoded yet: an envelope for somebody else costs no
// more memory than its text.
func parseJWE(outer layer) (*jwe, bool) {
	// An aad would be authenticated beside the header, and a header that is not
	// protected could say anything; the other two are of the flattened form.
	for _, name := range []string{"aad", "unprotected", "header", "encrypted_key"} {
		if _, present := outer.Get(name); present {
			return nil, false
		}
	}
	protected, ok := outer.Text("protected")
	if !ok {
		return nil, false
	}
	header, ok := decodeHeader(protected)
	if !ok {
		return nil, false
	}
	e := &jwe{aad: []byte(protected), own: outer.own != nil}
	if !e.parseHeader(header) || !e.parseRecipients(outer, header) {
		return nil, false
	}
	if e.iv, ok = decodeExactly(outer.Object, "iv", e.content.iv); !ok {
		return nil, false
	}
	if e.tag, ok = decodeExactly(outer.Object, "tag", e.content.tag); !ok {
		return nil, false
	}
	e.ciphertext, ok = outer.encoded("ciphertext")
	return e, ok
}

// decodeHeader reads a protected header and refuses extensions that must be
// understood, of which none is (RFC 7515 section 4.1.11, RFC 7797, RFC 7516 section
// 4.1.3).
func decodeHeader(protected string) (*strictjson.Object, bool) {
	if len(protected) > base64.RawURLEncoding.EncodedLen(maxHeader) {
		return nil, false
	}
	text, ok := decodeUnpadded(protected)
	if !ok {
		return nil, false
	}
	header, err := strictjson.Parser{MaxBytes: maxHeader, MaxDepth: 8, MaxValues: 256}.ParseObject(text)
	if err != nil {
		return nil, false
	}
	for _, name := range []string{"crit", "b64", "zip"} {
		if _, present := header.Get(name); present {
			return nil, false
		}
	}
	return header, true
}

// parseHeader reads the protected header ("ECDH-1PU key wrapping and common protected
// headers" and its sibling for ECDH-ES).
func (e *jwe) parseHeader(header *strictjson.Object) (ok bool) {
	if !hasMediaType(header, "typ", mediaEncrypted) {
		return false
	}
	enc, _ := header.Text("enc")
	if e.content, ok = contentCipherOf(enc); !ok {
		return false
	}
	e.alg, _ = header.Text("alg")
	switch e.alg {
	case alg1PU:
		// Only this one binds the content to the key that wraps its key (ECDH-1PU
		// draft 04 section 2.1).
		if e.authcrypt = true; enc != A256CBCHS512 {
			return false
		}
	case algES:
	default:
		return false
	}
	if e.apv, ok = decodeExactly(header, "apv", sha256.Size); !ok {
		return false
	}
	if !e.parseSender(header) {
		return false
	}
	v, _ := header.Get("epk")
	epk, _ := v.(*strictjson.Object)
	e.ephemeral, ok = agreementJWK(epk)
	return ok
}

// parseSender reads skid and apu, which say the same: either is enough to know the
// sender, and apu must be there to be bound to the key. In anoncrypt both are refused
// rather than ignored, so that nobody takes the envelope for an authenticated one.
func (e *jwe) parseSender(header *strictjson.Object) bool {
	_, hasSkid := header.Get("skid")
	_, hasApu := header.Get("apu")
	if !e.authcrypt {
		return !hasSkid && !hasApu
	}
	text, ok := header.Text("apu")
	if !ok {
		return false
	}
	if e.apu, ok = decodeUnpadded(text); !ok {
		return false
	}
	if skid, ok := header.Text("skid"); hasSkid && (!ok || skid != string(e.apu)) {
		return false
	}
	e.sender, ok = keyURL(string(e.apu))
	return ok
}

// parseRecipients reads the recipients, all of one DID ("Message Encryption"), and
// sees that apv is the hash of their names: nobody was added or dropped on the way.
func (e *jwe) parseRecipients(outer layer, header *strictjson.Object) bool {
	v, _ := outer.Get("recipients")
	list, _ := v.([]any)
	if len(list) == 0 || len(list) > MaxRecipients {
		return false
	}
	kids := make([]string, len(list))
	e.recipients = make([]jweRecipient, len(list))
	for i, v := range list {
		entry, _ := v.(*strictjson.Object)
		v, _ := entry.Get("header")
		unprotected, _ := v.(*strictjson.Object)
		kid, ok := unprotected.Text("kid")
		if !ok || slices.Contains(kids[:i], kid) {
			return false
		}
		for name := range unprotected.All() {
			// RFC 7516 section 7.2.1: a name stands in one header. Those that the
			// protected one may have change how a message is read.
			_, twice := header.Get(name)
			switch name {
			case "typ", "alg", "enc", "epk", "apu", "apv", "skid", "crit", "b64", "zip":
				twice = true
			}
			if twice {
				return false
			}
		}
		r := &e.recipients[i]
		if r.kid, ok = keyURL(kid); !ok || !sameDID(r.kid.DID, e.recipients[0].kid.DID) {
			return false
		}
		if r.encryptedKey, ok = decodeExactly(entry, "encrypted_key", e.content.key+wrapOverhead); !ok {
			return false
		}
		kids[i] = kid
	}
	want := partyV(kids)
	return subtle.ConstantTimeCompare(want[:], e.apv) == 1
}

// partyV is the apv of recipients, whose order it changes.
func partyV(kids []string) [sha256.Size]byte {
	slices.Sort(kids)
	return sha256.Sum256([]byte(strings.Join(kids, ".")))
}

// agreementJWK reads an epk, or a key of a document that package did does not know. It
// refuses a point that is not on its curve; a key of small order fails in the exchange
// (see [ecdh.PrivateKey.ECDH]).
func agreementJWK(jwk *strictjson.Object) (*ecdh.PublicKey, bool) {
	if _, private := jwk.Get("d"); private {
		return nil, false
	}
	kty, _ := jwk.Text("kty")
	crv, _ := jwk.Text("crv")
	var curve ecdh.Curve
	var size int
	switch kty + " " + crv {
	case "OKP X25519":
		x, ok := decodeExactly(jwk, "x", 32)
		if !ok {
			return nil, false
		}
		key, err := ecdh.X25519().NewPublicKey(x)
		return key, err == nil
	case "EC P-256":
		curve, size = ecdh.P256(), 32
	case "EC P-384":
		curve, size = ecdh.P384(), 48
	case "EC P-521":
		curve, size = ecdh.P521(), 66
	default:
		return nil, false
	}
	x, okX := decodeExactly(jwk, "x", size)
	y, okY := decodeExactly(jwk, "y", size)
	if !okX || !okY {
		return nil, false
	}
	key, err := curve.NewPublicKey(slices.Concat([]byte{4}, x, y))
	return key, err == nil
}

// keyURL reads the name of a key: a DID URL with a fragment ("Key Identifier").
func keyURL(s string) (did.URL, bool) {
	if len(s) > maxKeyURL {
		return did.URL{}, false
	}
	u, err := did.ParseURL(s)
	return u, err == nil && u.Fragment != ""
}

// hasMediaType reports whether a member is the media type, with or without
// "application/" before it, or is not there.
func hasMediaType(o *strictjson.Object, name, want string) bool {
	v, present := o.Get(name)
	if !present {
		return true
	}
	s, _ := v.(string)
	return isMediaType(s, want)
}

// isMediaType compares as RFC 7515 section 4.1.9 says: in any case of letters.
func isMediaType(s, want string) bool {
	if !strings.Contains(s, "/") {
		want = strings.TrimPrefix(want, "application/")
	}
	return strings.EqualFold(s, want)
}

// decodeExactly reads a member of exactly size bytes in base64url without padding.
func decodeExactly(o *strictjson.Object, name string, size int) ([]byte, bool) {
	text, _ := o.Text(name)
	if len(text) != base64.RawURLEncoding.EncodedLen(size) {
		return nil, false
	}
	return decodeUnpadded(text)
}

// decodeUnpadded reads base64url as RFC 7515 section 2 defines it.
func decodeUnpadded(s string) ([]byte, bool) { return decodeLong([]byte(s), 0) }

// decodeLong is decodeUnpadded with room bytes more of capacity.
func decodeLong(s []byte, room int) ([]byte, bool) {
	if bytes.IndexByte(s, '\n') >= 0 || bytes.IndexByte(s, '\r') >= 0 { // encoding/base64 would skip them
		return nil, false
	}
	encoding := strict64()
	b, err := encoding.AppendDecode(make([]byte, 0, encoding.DecodedLen(len(s))+room), s)
	return b, err == nil
}

// decodeValue is decodeLong of a long value. Where that may be written over, it is decoded
// in its place.
func decodeValue(s []byte, own bool, room int) ([]byte, bool) {
	if !own || base64.RawURLEncoding.DecodedLen(len(s))+room > len(s) {
		return decodeLong(s, room)
	}
	if bytes.IndexByte(s, '\n') >= 0 || bytes.IndexByte(s, '\r') >= 0 {
		return nil, false
	}
	var part [3 << 10]byte
	out := s[:0]
	for len(s) > 0 {
		next := s[:min(len(s), len(part)/3*4)]
		n, err := strict64().Decode(part[:], next)
		if err != nil {
			return nil, false
		}
		s = s[len(next):]
		out = append(out, part[:n]...) // shorter than what it was decoded from
	}
	return out, true
}

// strict64 is base64url with one spelling for each value.
var strict64 = sync.OnceValue(func() *base64.Encoding { return base64.RawURLEncoding.Strict() })
