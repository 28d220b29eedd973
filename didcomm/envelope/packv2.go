package envelope

import (
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// The content encryption algorithms of anonymous envelopes ("Curves and Content
// Encryption Algorithms"). Authenticated ones have A256CBCHS512 always.
const (
	A256CBCHS512 = "A256CBC-HS512" // the one that every peer has
	A256GCM      = "A256GCM"
	XC20P        = "XC20P"
)

// Options say how [Packer.PackV2] packs ("IANA Media Types"):
//
//	From              authcrypt(plaintext)
//	From, HideSender  anoncrypt(authcrypt(plaintext))
//	Sign              anoncrypt(sign(plaintext))
//	neither           anoncrypt(plaintext)
type Options struct {
	From did.DID // of the party
	To   did.DID
	// ToKey is the one key to encrypt to, such as a mediator's routing key; To may then
	// be zero. Otherwise it is all keys of To that are on one curve.
	ToKey did.URL
	// Sign signs the plaintext with a key that the party's document has for
	// authentication, Ed25519 or P-256. Everyone can then be shown who wrote it.
	Sign did.Signer
	// HideSender keeps From from everybody but the recipient.
	HideSender bool
	// Enc is the content encryption of an anonymous layer; empty is A256CBCHS512.
	Enc string
}

// PackV2 encrypts the plaintext of a message of version 2. Keys are those of the DIDs'
// documents as they are now: the first key agreement key of To whose curve a key of From
// has too decides, and all keys of To on its curve are recipients, up to
// [MaxRecipients]. P-521 is only read.
//
// Options that contradict each other, a plaintext whose from or to is not that of the
// options, or that has no to and a sender, parties that have no key for each
// other, and a plaintext too large for [didcomm.MaxEnvelope] match
// [didcomm.ErrPermanent]; so does a DID that can never be resolved. Other errors are
// those of the keys, the resolver, the signer and the random source.
func (p *Packer) PackV2(ctx context.Context, plaintext []byte, o Options) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if len(plaintext) > didcomm.MaxEnvelope {
		return nil, fmt.Errorf("%w: envelope: plaintext too large", didcomm.ErrPermanent)
	}
	from := o.From
	if o.Sign != nil {
		from = o.Sign.VerificationMethod().DID
	}
	if err := checkAddress(plaintext, from, o.To); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sender, recipients, err := p.choose(ctx, o)
	if err != nil {
		return nil, err
	}
	out := plaintext
	if o.Sign != nil {
		if out, err = sign(ctx, out, o.Sign); err != nil {
			return nil, err
		}
	}
	if sender != nil {
		if out, err = p.encrypt(out, A256CBCHS512, sender, recipients); err != nil {
			return nil, err
		}
	}
	if sender == nil || o.HideSender {
		if out, err = p.encrypt(out, o.Enc, nil, recipients); err != nil {
			return nil, err
		}
	}
	if len(out) > didcomm.MaxEnvelope {
		return nil, fmt.Errorf("%w: envelope: plaintext too large", didcomm.ErrPermanent)
	}
	return out, nil
}

// SignV2 signs the plaintext of a message of version 2 and does not encrypt it: everybody
// can read it and be shown who wrote it, as is right for a message to nobody in
// particular. The errors are those of [Packer.PackV2].
func (p *Packer) SignV2(ctx context.Context, plaintext []byte, s did.Signer) ([]byte, error) {
	if s == nil {
		return nil, fmt.Errorf("%w: envelope: no signer", didcomm.ErrPermanent)
	}
	if err := checkAddress(plaintext, s.VerificationMethod().DID, did.DID{}); err != nil {
		return nil, err
	}
	out, err := sign(ctx, plaintext, s)
	if err == nil && len(out) > didcomm.MaxEnvelope {
		return nil, fmt.Errorf("%w: envelope: plaintext too large", didcomm.ErrPermanent)
	}
	return out, err
}

// check refuses options that contradict each other, and fills in those that are empty.
func (o *Options) check() error {
	if !o.ToKey.IsZero() {
		if o.To.IsZero() {
			o.To = o.ToKey.DID
		}
		if o.ToKey.Fragment == "" || o.ToKey.DID != o.To {
			return fmt.Errorf("%w: envelope: ToKey is no key of To", didcomm.ErrPermanent)
		}
	}
	if o.Enc == "" {
		o.Enc = A256CBCHS512
	}
	_, known := contentCipherOf(o.Enc)
	switch {
	case o.To.IsZero():
		return fmt.Errorf("%w: envelope: no recipient", didcomm.ErrPermanent)
	case o.Sign != nil && !o.From.IsZero():
		return fmt.Errorf("%w: envelope: a signed message is encrypted anonymously", didcomm.ErrPermanent)
	case o.HideSender && o.From.IsZero():
		return fmt.Errorf("%w: envelope: no sender to hide", didcomm.ErrPermanent)
	case !known:
		return fmt.Errorf("%w: envelope: content encryption", didcomm.ErrPermanent)
	}
	return nil
}

// choose returns the party's key, nil in anoncrypt, and the recipient's keys on the same
// curve.
func (p *Packer) choose(ctx context.Context, o Options) (sender *agreementKey, recipients []*agreementKey, err error) {
	theirs, err := p.keysToPack(ctx, o.To)
	if err != nil {
		return nil, nil, err
	}
	if !o.ToKey.IsZero() {
		theirs = only(theirs, func(k *agreementKey) bool { return k.kid == o.ToKey })
	}
	theirs = only(theirs, func(k *agreementKey) bool { return k.public.Curve() != ecdh.P521() })
	if o.From.IsZero() {
		if len(theirs) == 0 {
			return nil, nil, fmt.Errorf("%w: envelope: the recipient has no key", didcomm.ErrPermanent)
		}
		return nil, onCurve(theirs, theirs[0].public.Curve()), nil
	}
	ours, err := p.keysToPack(ctx, o.From)
	if err != nil {
		return nil, nil, err
	}
	for _, first := range theirs {
		for _, k := range onCurve(ours, first.public.Curve()) {
			has, err := p.own(ctx, k)
			if err != nil {
				return nil, nil, err
			}
			if has {
				return k, onCurve(theirs, first.public.Curve()), nil
			}
		}
	}
	return nil, nil, fmt.Errorf("%w: envelope: the parties have no keys for each other", didcomm.ErrPermanent)
}

// keysToPack returns the key agreement keys of a DID.
func (p *Packer) keysToPack(ctx context.Context, id did.DID) ([]*agreementKey, error) {
	doc, err := p.document(ctx, id)
	if errors.Is(err, did.ErrInvalid) || errors.Is(err, did.ErrUnsupported) {
		return nil, fmt.Errorf("%w: envelope: looking up a DID: %w", didcomm.ErrPermanent, err)
	}
	if err != nil {
		return nil, fmt.Errorf("envelope: looking up a DID: %w", err)
	}
	p.Cache.addDocument(id, doc)
	return keysOf(doc, p.now()), nil
}

func only(list []*agreementKey, want func(*agreementKey) bool) (out []*agreementKey) {
	for _, k := range list {
		if want(k) {
			out = append(out, k)
		}
	}
	return out
}

func onCurve(list []*agreementKey, curve ecdh.Curve) []*agreementKey {
	out := only(list, func(k *agreementKey) bool { return k.public.Curve() == curve })
	return out[:min(len(out), MaxRecipients)]
}

// encrypt makes one layer: ECDH-1PU from the sender, or ECDH-ES if there is none. The
// content comes before the keys, because its tag is bound to them.
func (p *Packer) encrypt(plaintext []byte, enc string, sender *agreementKey, recipients []*agreementKey) ([]byte, error) {
	content, _ := contentCipherOf(enc)
	secret := make([]byte, content.key+content.iv)
	if err := p.read(secret); err != nil {
		return nil, err
	}
	cek, iv := secret[:content.key], secret[content.key:]
	defer clear(cek)
	ephemeral, err := p.newEphemeral(recipients[0].public.Curve())
	if err != nil {
		return nil, err
	}
	h, err := newHeader(enc, sender, recipients, ephemeral.PublicKey())
	if err != nil {
		return nil, err
	}
	sealed, err := content.seal(cek, iv, plaintext, h.encoded)
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	ciphertext, tag := sealed[:len(sealed)-content.tag], sealed[len(sealed)-content.tag:]

	encoding := base64.RawURLEncoding
	out := make([]byte, 0, len(h.encoded)+encoding.EncodedLen(len(sealed))+len(recipients)*(len(h.kids[0])+256)+256)
	out = append(append(append(out, `{"protected":"`...), h.encoded...), `","recipients":[`...)
	for i, r := range recipients {
		wrapped, err := p.wrapFor(cek, ephemeral, sender, r, h, tag)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, `{"header":{"kid":`...), h.kids[i]...), `},"encrypted_key":"`...)
		out = append(encoding.AppendEncode(out, wrapped), `"}`...)
	}
	out = encoding.AppendEncode(append(out, `],"iv":"`...), iv)
	out = encoding.AppendEncode(append(out, `","ciphertext":"`...), ciphertext)
	out = encoding.AppendEncode(append(out, `","tag":"`...), tag)
	return append(out, `"}`...), nil
}

// wrapFor encrypts the content key to one recipient.
func (p *Packer) wrapFor(cek []byte, ephemeral *ecdh.PrivateKey, sender, r *agreementKey, h *newHeaders, tag []byte) ([]byte, error) {
	ze, err := ephemeral.ECDH(r.public)
	if err != nil {
		return nil, fmt.Errorf("%w: envelope: recipient key", didcomm.ErrPermanent)
	}
	defer clear(ze)
	var zs, boundTag []byte
	if sender != nil {
		if zs, err = p.share(sender, r.public); err != nil {
			return nil, fmt.Errorf("envelope: agreeing with the sender's key: %w", err)
		}
		defer clear(zs)
		p.Cache.addSecret(sender.public, r.public, zs)
		boundTag = tag
	}
	kek := concatKDF(ze, zs, h.alg, h.apu, h.apv, kekBits, boundTag)
	defer clear(kek)
	wrapped, err := wrapKey(kek, cek)
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	return wrapped, nil
}

// newEphemeral makes a key for one envelope. A random number that is no private key of a
// NIST curve is drawn again, which happens once in 2^32 times.
func (p *Packer) newEphemeral(curve ecdh.Curve) (*ecdh.PrivateKey, error) {
	size := 32
	if curve == ecdh.P384() {
		size = 48
	}
	scalar := make([]byte, size)
	defer clear(scalar)
	for range 8 {
		if err := p.read(scalar); err != nil {
			return nil, err
		}
		if key, err := curve.NewPrivateKey(scalar); err == nil {
			return key, nil
		}
	}
	return nil, errors.New("envelope: randomness gives no usable key")
}

// newHeaders are the headers of one layer that is being made.
type newHeaders struct {
	alg      string
	apu, apv []byte
	kids     [][]byte // as JSON
	encoded  []byte   // the protected header in base64url
}

func newHeader(enc string, sender *agreementKey, recipients []*agreementKey, epk *ecdh.PublicKey) (*newHeaders, error) {
	h := &newHeaders{alg: algES}
	names := make([]string, len(recipients))
	for i, r := range recipients {
		names[i] = r.kid.String()
		kid, err := strictjson.AppendText(nil, names[i])
		if err != nil || len(names[i]) > maxKeyURL {
			return nil, fmt.Errorf("%w: envelope: name of a recipient's key", didcomm.ErrPermanent)
		}
		h.kids = append(h.kids, kid)
	}
	apv := partyV(names)
	h.apv = apv[:]
	encoding := base64.RawURLEncoding
	b := make([]byte, 0, 1024)
	b = append(b, `{"typ":"`+mediaEncrypted+`","alg":"`...)
	if sender != nil {
		h.alg = alg1PU
		h.apu = []byte(sender.kid.String())
		skid, err := strictjson.AppendText(nil, string(h.apu))
		if err != nil || len(h.apu) > maxKeyURL {
			return nil, fmt.Errorf("%w: envelope: name of the sender's key", didcomm.ErrPermanent)
		}
		b = append(append(b, h.alg+`","enc":"`+enc+`","skid":`...), skid...)
		b = append(encoding.AppendEncode(append(b, `,"apu":"`...), h.apu), '"')
	} else {
		b = append(b, h.alg+`","enc":"`+enc+`"`...)
	}
	b = encoding.AppendEncode(append(b, `,"apv":"`...), h.apv)
	b = append(appendJWK(append(b, `","epk":`...), epk), '}')
	h.encoded = encoding.AppendEncode(nil, b)
	return h, nil
}

// appendJWK appends a public key as a JWK (RFC 7518 section 6.2.1, RFC 8037 section 2).
func appendJWK(b []byte, pub *ecdh.PublicKey) []byte {
	point, crv := pub.Bytes(), ""
	switch pub.Curve() {
	case ecdh.X25519():
		b = base64.RawURLEncoding.AppendEncode(append(b, `{"kty":"OKP","crv":"X25519","x":"`...), point)
		return append(b, `"}`...)
	case ecdh.P256():
		crv = "P-256"
	case ecdh.P384():
		crv = "P-384"
	}
	size := len(point) / 2
	b = base64.RawURLEncoding.AppendEncode(append(b, `{"kty":"EC","crv":"`+crv+`","x":"`...), point[1:1+size])
	b = base64.RawURLEncoding.AppendEncode(append(b, `","y":"`...), point[1+size:])
	return append(b, `"}`...)
}
