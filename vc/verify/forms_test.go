package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/legacy"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// A keyType is a kind of key that a form of credential is signed with.
type keyType string

const (
	ed25519Key keyType = "Ed25519"
	p256Key    keyType = "P-256"
	p384Key    keyType = "P-384"

	bls12381Key keyType = "BLS12-381"
)

// partyOf is the party of that name with a key of that type.
func partyOf(t testing.TB, name string, typ keyType) party {
	t.Helper()
	if typ == ed25519Key {
		return newParty(t, name)
	}
	return once("party "+name+string(typ), func() party { return makePartyOf(t, name, typ) })
}

func makePartyOf(t testing.TB, name string, typ keyType) party {
	t.Helper()
	curve := elliptic.P256()
	if typ == p384Key {
		curve = elliptic.P384()
	}
	seed := sha256.Sum256([]byte("staffpassport test key: " + name + string(typ)))
	if typ == bls12381Key {
		seed[0] = 0 // below the order of the group
		unnamed, err := bbs.NewSigner(mustURL("did:example:a#b"), seed[:])
		require.NoError(t, err)
		id, err := didkey.New(unnamed.Public())
		require.NoError(t, err)
		signer, err := bbs.NewSigner(didkey.SigningMethod(id), seed[:])
		require.NoError(t, err)
		return party{id, signer}
	}
	raw := make([]byte, (curve.Params().BitSize+7)/8)
	copy(raw[1:], seed[:]) // below the order of the curve
	key, err := ecdsa.ParseRawPrivateKey(curve, raw)
	require.NoError(t, err)
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	signer, err := did.NewSigner(didkey.SigningMethod(id), repeatable{key})
	require.NoError(t, err)
	return party{id, signer}
}

// repeatable is a key that makes one signature of one message (RFC 6979), so that
// vectors stay as they are.
type repeatable struct{ *ecdsa.PrivateKey }

func (k repeatable) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.PrivateKey.Sign(nil, digest, opts)
}

// signing says how a credential is signed, where it matters.
type signing struct {
	method           did.URL // the key's name; zero is the signer's own
	created, expires time.Time
	cnf              crypto.PublicKey // the holder's key; nil is the holder's own
}

// A form is a way to secure a credential. Its methods do what the issuers of this
// module refuse: they sign any document whatever it says.
type form interface {
	name() string
	keys() keyType
	// sign secures doc with the key of by. Nothing comes of it if the form cannot
	// sign such a document at all.
	sign(t testing.TB, by party, doc *strictjson.Object, o signing) vc.Secured
	// edit changes what is secured, and not the signature. Both texts are of one
	// length.
	edit(t testing.TB, s vc.Secured, old, new string) vc.Secured
	// flip changes a bit of the signature.
	flip(t testing.TB, s vc.Secured) vc.Secured
	// show is what the holder hands over in a session, beside or inside a
	// presentation.
	show(t testing.TB, s vc.Secured, at time.Time) vc.Secured
}

// forms are all of them.
func forms() []form {
	return []form{
		embeddedForm{suite: dataintegrity.EdDSAJCS2022(), key: ed25519Key},
		embeddedForm{suite: dataintegrity.ECDSAJCS2019(), key: p256Key},
		embeddedForm{suite: dataintegrity.ECDSAJCS2019(), key: p384Key},
		embeddedForm{suite: rdfc.EdDSARDFC2022(), key: ed25519Key},
		embeddedForm{suite: rdfc.ECDSARDFC2019(), key: p256Key},
		embeddedForm{suite: rdfc.ECDSARDFC2019(), key: p384Key},
		embeddedForm{suite: ecdsasd.Suite("/type", "/credentialSubject/employment/payBand"), key: p256Key, derives: "ecdsa-sd-2023"},
		embeddedForm{suite: bbs.Suite("/type"), key: bls12381Key, derives: "bbs-2023"},
		bearerForm{embeddedForm{suite: bbs.Suite("/type"), key: bls12381Key, derives: "bbs-2023"}},
		joseForm{ed25519Key},
		joseForm{p256Key},
		joseForm{p384Key},
		coseForm{ed25519Key},
		coseForm{p256Key},
		coseForm{p384Key},
		sdForm{sdjwt.MediaTypeSDJWTVC, ed25519Key, true},
		sdForm{sdjwt.MediaTypeSDJWTVC, p256Key, true},
		sdForm{sdjwt.MediaTypeSDJWTVC, p384Key, false},
		sdForm{sdjwt.MediaTypeCredential, ed25519Key, false},
		sdForm{sdjwt.MediaTypeCredential, p256Key, true},
		legacyForm{embeddedForm{suite: legacy.Ed25519Signature2018(), key: ed25519Key}},
		legacyForm{embeddedForm{suite: legacy.Ed25519Signature2020(), key: ed25519Key}},
		legacyForm{embeddedForm{suite: dataintegrity.EdDSAJCS2022(), key: ed25519Key}},
		oldJWTForm{ed25519Key},
		oldJWTForm{p256Key},
	}
}

// A model11 form is for documents of data model 1.1, of which it makes one.
type model11 interface {
	form
	document(doc *strictjson.Object) *strictjson.Object
}

// ofModel11 writes a document of data model 2.0 as one of 1.1.
func ofModel11(doc *strictjson.Object) *strictjson.Object {
	out := strictjson.NewObject()
	for name, v := range doc.All() {
		switch name {
		case "@context":
			list := slices.Clone(v.([]any))
			for i := range list {
				if list[i] == vc.ContextV2 {
					list[i] = vc.ContextV1
				}
			}
			v = list
		case "validFrom":
			name = "issuanceDate"
		case "validUntil":
			name = "expirationDate"
		}
		out.Set(name, v)
	}
	return out
}

// legacyForm is a Data Integrity proof of a suite that verifiers have to list, or a
// newer one, over a document of data model 1.1.
type legacyForm struct{ embeddedForm }

func (f legacyForm) name() string { return f.embeddedForm.name() + " of data model 1.1" }

func (legacyForm) document(doc *strictjson.Object) *strictjson.Object { return ofModel11(doc) }

func (f legacyForm) sign(t testing.TB, by party, doc *strictjson.Object, o signing) vc.Secured {
	return f.embeddedForm.sign(t, by, ofModel11(doc), o)
}

func (f legacyForm) flip(t testing.TB, s vc.Secured) vc.Secured {
	v, _ := tree(t, s).Get("proof")
	token, ok := v.(*strictjson.Object).Text("jws")
	if !ok {
		return f.embeddedForm.flip(t, s)
	}
	header, signature, _ := strings.Cut(token, "..")
	b, err := base64.RawURLEncoding.DecodeString(signature)
	require.NoError(t, err)
	b[len(b)/2] ^= 4
	return replaced(t, s, token, header+".."+base64.RawURLEncoding.EncodeToString(b))
}

// oldJWTForm is application/jwt with the document in the claim vc.
type oldJWTForm struct{ key keyType }

func (f oldJWTForm) name() string  { return "jwt " + string(f.key) + " of data model 1.1" }
func (f oldJWTForm) keys() keyType { return f.key }

func (oldJWTForm) document(doc *strictjson.Object) *strictjson.Object { return ofModel11(doc) }

func (oldJWTForm) sign(t testing.TB, by party, doc *strictjson.Object, o signing) vc.Secured {
	t.Helper()
	doc = ofModel11(doc)
	payload := payloadOf(t, by, doc, o)
	for name := range doc.All() {
		payload.Delete(name)
	}
	payload.Set("vc", doc)
	return vc.Secured{MediaType: jose.MediaTypeLegacy, Bytes: jwt(t, by, "JWT", o, payload)}
}

func (oldJWTForm) edit(t testing.TB, s vc.Secured, old, new string) vc.Secured {
	return editJWT(t, s, old, new)
}

func (oldJWTForm) flip(t testing.TB, s vc.Secured) vc.Secured { return flipJWT(t, s) }

func (oldJWTForm) show(_ testing.TB, s vc.Secured, _ time.Time) vc.Secured { return s }

// embeddedForm is a Data Integrity proof.
type embeddedForm struct {
	suite   dataintegrity.Suite
	key     keyType
	derives string         // the same name, if the holder derives proofs
	known   *vc.ContextSet // nil: everyContext
}

func (f embeddedForm) name() string  { return f.suite.Name() + " " + string(f.key) }
func (f embeddedForm) keys() keyType { return f.key }

func (f embeddedForm) sign(t testing.TB, by party, doc *strictjson.Object, o signing) vc.Secured {
	t.Helper()
	p := dataintegrity.Proof{VerificationMethod: o.method, Purpose: did.AssertionMethod, Created: o.created, Expires: o.expires}
	if p.VerificationMethod.IsZero() {
		p.VerificationMethod = by.signer.VerificationMethod()
	}
	known := f.known
	if known == nil {
		known = everyContext()
	}
	proof, err := f.suite.Prove(context.Background(), doc, &p, by.signer, known)
	if cannot(err) {
		return vc.Secured{}
	}
	require.NoError(t, err)
	doc = doc.Clone()
	doc.Set("proof", proof)
	s := text(t, doc, vc.MediaTypeCredential)
	switch f.derives {
	case "ecdsa-sd-2023":
		s, err = ecdsasd.Derive(context.Background(), s, []vc.Pointer{""}, known)
	case "bbs-2023":
		s, err = bbs.Derive(context.Background(), s, []vc.Pointer{""}, known, bbs.SessionHeader(host(t).id.String(), nonce))
	}
	if cannot(err) {
		return vc.Secured{}
	}
	require.NoError(t, err)
	return s
}

// cannot reports an error of a suite that finds no RDF in a document, or no claim
// where one is mandatory.
func cannot(err error) bool {
	var e *jsonld.Error
	return errors.As(err, &e) || errors.Is(err, dataintegrity.ErrUnsignable) || errors.Is(err, dataintegrity.ErrContextNotAllowed) ||
		errors.Is(err, dataintegrity.ErrPointer)
}

func (embeddedForm) edit(t testing.TB, s vc.Secured, old, new string) vc.Secured {
	return replaced(t, s, old, new)
}

func (f embeddedForm) flip(t testing.TB, s vc.Secured) vc.Secured {
	if f.derives != "" { // the signature stands at the beginning of a CBOR value
		o := tree(t, s)
		v, _ := o.Get("proof")
		value, _ := v.(*strictjson.Object).Text("proofValue")
		b, err := base64.RawURLEncoding.DecodeString(value[1:])
		require.NoError(t, err)
		b[20] ^= 4
		return replaced(t, s, value, "u"+base64.RawURLEncoding.EncodeToString(b))
	}
	_, signature := bytesOf(t, tree(t, s))
	signature[len(signature)/2] ^= 4
	return withValue(t, s, signature)
}

func (embeddedForm) show(_ testing.TB, s vc.Secured, _ time.Time) vc.Secured { return s }

// bearerForm is a credential about nobody in particular, which is shown by itself.
type bearerForm struct{ embeddedForm }

func (f bearerForm) name() string { return f.embeddedForm.name() + " of its bearer" }

func (f bearerForm) sign(t testing.TB, by party, doc *strictjson.Object, o signing) vc.Secured {
	return f.embeddedForm.sign(t, by, withoutHolder(t, doc), o)
}

// withoutHolder returns a document that does not say that it is about the holder.
func withoutHolder(t testing.TB, doc *strictjson.Object) *strictjson.Object {
	doc = doc.Clone()
	v, _ := doc.Get("credentialSubject")
	subject, _ := v.(*strictjson.Object)
	if id, _ := subject.Text("id"); id == holder(t).id.String() {
		subject = subject.Clone()
		subject.Delete("id")
		doc.Set("credentialSubject", subject)
	}
	return doc
}

// joseForm is application/vc+jwt.
type joseForm struct{ key keyType }

func (f joseForm) name() string  { return "vc+jwt " + string(f.key) }
func (f joseForm) keys() keyType { return f.key }

func (joseForm) sign(t testing.TB, by party, doc *strictjson.Object, o signing) vc.Secured {
	t.Helper()
	return vc.Secured{MediaType: jose.MediaTypeCredential, Bytes: jwt(t, by, "vc+jwt", o, payloadOf(t, by, doc, o))}
}

func (joseForm) edit(t testing.TB, s vc.Secured, old, new string) vc.Secured {
	return editJWT(t, s, old, new)
}

func (joseForm) flip(t testing.TB, s vc.Secured) vc.Secured { return flipJWT(t, s) }

func (joseForm) show(_ testing.TB, s vc.Secured, _ time.Time) vc.Secured { return s }

// payloadOf is the document with the claims of a token.
func payloadOf(t testing.TB, by party, doc *strictjson.Object, o signing) *strictjson.Object {
	t.Helper()
	doc = doc.Clone()
	if issuer, ok := doc.Text("issuer"); ok && o.method.IsZero() && issuer == by.id.String() {
		doc.Set("iss", issuer)
	}
	if !o.created.IsZero() {
		doc.Set("iat", o.created.Unix())
	}
	if !o.expires.IsZero() {
		doc.Set("exp", o.expires.Unix())
	}
	return doc
}

// jwt signs a payload.
func jwt(t testing.TB, by party, typ string, o signing, payload *strictjson.Object) []byte {
	t.Helper()
	b, err := strictjson.Append(nil, payload)
	require.NoError(t, err)
	return jwtBytes(t, by, typ, o, b)
}

func jwtBytes(t testing.TB, by party, typ string, o signing, payload []byte) []byte {
	t.Helper()
	alg, err := did.Algorithm(by.signer.Public())
	require.NoError(t, err)
	if o.method.IsZero() {
		o.method = by.signer.VerificationMethod()
	}
	header := strictjson.NewObject(
		strictjson.Member{Name: "alg", Value: alg},
		strictjson.Member{Name: "kid", Value: o.method.String()},
	)
	if typ != "" {
		header.Set("typ", typ)
	}
	out, err := jws.Compact(header, payload, func(input []byte) ([]byte, error) {
		return by.signer.Sign(context.Background(), input)
	})
	require.NoError(t, err)
	return out
}

// editJWT changes the payload of the first JWT in s.
func editJWT(t testing.TB, s vc.Secured, old, new string) vc.Secured {
	t.Helper()
	parts := strings.SplitN(string(s.Bytes), ".", 3)
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	require.Equal(t, 1, bytes.Count(payload, []byte(old)), old)
	parts[1] = base64.RawURLEncoding.EncodeToString(bytes.Replace(payload, []byte(old), []byte(new), 1))
	return vc.Secured{MediaType: s.MediaType, Bytes: []byte(strings.Join(parts, "."))}
}

// flipJWT changes a bit of the signature of the first JWT in s.
func flipJWT(t testing.TB, s vc.Secured) vc.Secured {
	t.Helper()
	whole, rest, _ := strings.Cut(string(s.Bytes), "~")
	if rest != "" || strings.HasSuffix(string(s.Bytes), "~") {
		rest = "~" + rest
	}
	i := strings.LastIndexByte(whole, '.')
	signature, err := base64.RawURLEncoding.DecodeString(whole[i+1:])
	require.NoError(t, err)
	signature[len(signature)/2] ^= 4
	return vc.Secured{MediaType: s.MediaType, Bytes: []byte(whole[:i+1] + base64.RawURLEncoding.EncodeToString(signature) + rest)}
}

// coseForm is application/vc+cose.
type coseForm struct{ key keyType }

func (f coseForm) name() string  { return "vc+cose " + string(f.key) }
func (f coseForm) keys() keyType { return f.key }

func (coseForm) sign(t testing.TB, by party, doc *strictjson.Object, o signing) vc.Secured {
	t.Helper()
	b, err := strictjson.Append(nil, doc)
	require.NoError(t, err)
	claims := map[int64]any{}
	if !o.created.IsZero() {
		claims[6] = o.created.Unix()
	}
	if !o.expires.IsZero() {
		claims[4] = o.expires.Unix()
	}
	return vc.Secured{MediaType: cose.MediaTypeCredential, Bytes: sign1(t, by, cose.MediaTypeCredential, o, claims, b)}
}

// sign1 is a COSE_Sign1 message.
func sign1(t testing.TB, by party, typ string, o signing, claims map[int64]any, payload []byte) []byte {
	t.Helper()
	mode, err := cbor.CoreDetEncOptions().EncMode()
	require.NoError(t, err)
	encode := func(v any) []byte {
		b, err := mode.Marshal(v)
		require.NoError(t, err)
		return b
	}
	alg, err := did.Algorithm(by.signer.Public())
	require.NoError(t, err)
	if o.method.IsZero() {
		o.method = by.signer.VerificationMethod()
	}
	header := map[int64]any{
		1: map[string]int64{"EdDSA": -8, "ES256": -7, "ES384": -35}[alg],
		4: []byte(o.method.String()),
	}
	if typ != "" {
		header[16] = typ
	}
	if len(claims) > 0 {
		header[15] = claims
	}
	protected := encode(header)
	signature, err := by.signer.Sign(context.Background(), encode([]any{"Signature1", protected, []byte{}, payload}))
	require.NoError(t, err)
	return encode(cbor.Tag{Number: 18, Content: []any{protected, map[int64]any{}, payload, signature}})
}

func (coseForm) edit(t testing.TB, s vc.Secured, old, new string) vc.Secured {
	require.Len(t, new, len(old))
	return replaced(t, s, old, new)
}

func (coseForm) flip(_ testing.TB, s vc.Secured) vc.Secured {
	b := bytes.Clone(s.Bytes)
	b[len(b)-9] ^= 4
	return vc.Secured{MediaType: s.MediaType, Bytes: b}
}

func (coseForm) show(_ testing.TB, s vc.Secured, _ time.Time) vc.Secured { return s }

// sdForm is an SD-JWT, in which everything about the subject is in disclosures.
type sdForm struct {
	mediaType string
	key       keyType
	bound     bool // to the holder's key
}

func (f sdForm) name() string {
	name := strings.TrimPrefix(f.mediaType, "application/") + " " + string(f.key)
	if f.bound {
		name += " with holder's key"
	}
	return name
}

func (f sdForm) keys() keyType { return f.key }

func (f sdForm) sign(t testing.TB, by party, doc *strictjson.Object, o signing) vc.Secured {
	t.Helper()
	doc = doc.Clone()
	var disclosures []string
	v, _ := doc.Get("credentialSubject")
	if subject, ok := v.(*strictjson.Object); ok {
		doc.Set("credentialSubject", conceal(t, subject, &disclosures))
	}
	if f.mediaType == sdjwt.MediaTypeSDJWTVC {
		doc = claimsOf(t, doc)
	}
	payload := payloadOf(t, by, doc, o)
	payload.Set("_sd_alg", "sha-256")
	if f.bound {
		key := o.cnf
		if key == nil {
			key = holder(t).signer.Public()
		}
		payload.Set("cnf", strictjson.NewObject(strictjson.Member{Name: "jwk", Value: jwkOf(t, key)}))
	}
	token := jwt(t, by, strings.TrimPrefix(f.mediaType, "application/"), o, payload)
	all := append([]string{string(token)}, disclosures...)
	return vc.Secured{MediaType: f.mediaType, Bytes: []byte(strings.Join(all, "~") + "~")}
}

// conceal puts every member but id into a disclosure of its own.
func conceal(t testing.TB, o *strictjson.Object, disclosures *[]string) *strictjson.Object {
	t.Helper()
	out, digests := strictjson.NewObject(), []any{}
	for name, v := range o.All() {
		if name == "id" || name == "@context" {
			out.Set(name, v)
			continue
		}
		salt := sha256.Sum256([]byte(name))
		b, err := strictjson.Append(nil, []any{base64.RawURLEncoding.EncodeToString(salt[:16]), name, v})
		require.NoError(t, err)
		disclosure := base64.RawURLEncoding.EncodeToString(b)
		*disclosures = append(*disclosures, disclosure)
		digest := sha256.Sum256([]byte(disclosure))
		digests = append(digests, base64.RawURLEncoding.EncodeToString(digest[:]))
	}
	if len(digests) > 0 {
		out.Set("_sd", digests)
	}
	return out
}

// claimsOf is the payload of an SD-JWT VC.
func claimsOf(t testing.TB, doc *strictjson.Object) *strictjson.Object {
	t.Helper()
	out := strictjson.NewObject()
	for name, v := range doc.All() {
		switch name {
		case "id":
			out.Set("jti", v)
		case "issuer":
			out.Set("iss", v)
		case "validFrom", "validUntil":
			at, err := xsd.ParseDateTimeStamp(v.(string))
			require.NoError(t, err)
			out.Set(map[string]string{"validFrom": "nbf", "validUntil": "exp"}[name], at.Unix())
		case "@context", "type":
		case "credentialSubject":
			for name, v := range v.(*strictjson.Object).All() {
				if name == "id" {
					name = "sub"
				}
				out.Set(name, v)
			}
		default:
			out.Set(name, v)
		}
	}
	contexts, _ := doc.Get("@context")
	types, _ := doc.Get("type")
	url, _ := contexts.([]any)[1].(string)
	name, _ := types.([]any)[1].(string)
	out.Set("vct", url+"#"+name)
	return out
}

// jwkOf writes a public key (RFC 7517).
func jwkOf(t testing.TB, pub crypto.PublicKey) *strictjson.Object {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	out := strictjson.NewObject()
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		out.Set("kty", "OKP")
		out.Set("crv", "Ed25519")
		out.Set("x", b64(pub))
	case *ecdsa.PublicKey:
		point, err := pub.Bytes()
		require.NoError(t, err)
		half := len(point) / 2
		out.Set("kty", "EC")
		out.Set("crv", pub.Params().Name)
		out.Set("x", b64(point[1:1+half]))
		out.Set("y", b64(point[1+half:]))
	default:
		require.Fail(t, "key")
	}
	return out
}

// edit changes the JWT or a disclosure.
func (sdForm) edit(t testing.TB, s vc.Secured, old, new string) vc.Secured {
	t.Helper()
	parts := strings.Split(string(s.Bytes), "~")
	for i, d := range parts[1:] {
		b, err := base64.RawURLEncoding.DecodeString(d)
		require.NoError(t, err)
		if bytes.Contains(b, []byte(old)) {
			parts[i+1] = base64.RawURLEncoding.EncodeToString(bytes.Replace(b, []byte(old), []byte(new), 1))
			return vc.Secured{MediaType: s.MediaType, Bytes: []byte(strings.Join(parts, "~"))}
		}
	}
	return editJWT(t, s, old, new)
}

func (sdForm) flip(t testing.TB, s vc.Secured) vc.Secured { return flipJWT(t, s) }

func (f sdForm) show(t testing.TB, s vc.Secured, at time.Time) vc.Secured {
	if !f.bound {
		return s
	}
	return bound(t, s, holder(t), host(t).id.String(), nonce, at)
}

// bound adds a key binding JWT.
func bound(t testing.TB, s vc.Secured, by party, audience, nonce string, at time.Time) vc.Secured {
	t.Helper()
	kb := jwt(t, by, "kb+jwt", signing{}, keyBindingOf(t, s, audience, nonce, at))
	return vc.Secured{MediaType: s.MediaType, Bytes: append(bytes.Clone(s.Bytes), kb...)}
}

// keyBindingOf are the claims of a key binding (RFC 9901 section 4.3).
func keyBindingOf(t testing.TB, s vc.Secured, audience, nonce string, at time.Time) *strictjson.Object {
	t.Helper()
	digest := sha256.Sum256(s.Bytes)
	return strictjson.NewObject(
		strictjson.Member{Name: "iat", Value: at.Unix()},
		strictjson.Member{Name: "aud", Value: audience},
		strictjson.Member{Name: "nonce", Value: nonce},
		strictjson.Member{Name: "sd_hash", Value: base64.RawURLEncoding.EncodeToString(digest[:])},
	)
}

// everyContext is what those know who sign for the tests: more than the verifier.
var everyContext = sync.OnceValue(func() *vc.ContextSet {
	var all [][]string
	for _, model := range []string{vc.ContextV2, vc.ContextV1} {
		all = append(all, []string{model, passportContext}, []string{model, passportContext, evilContext}, []string{model, evilContext})
	}
	return contextSet(all...)
})

const evilContext = "https://evil.example/v1"
