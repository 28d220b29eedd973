package envelope

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// Unpack opens an envelope of either version, with the first of its recipients' keys
// that the party has: of version 1 by RFC 0019, "Unpack Algorithm", of version 2 through
// all its layers.
//
// It returns [ErrNotForUs], [ErrEnvelope] for anything malformed, forged, altered or
// contradicting itself, or the error of the keys, the [did.Resolver] or ctx where it
// could not be told: then the same envelope may open later. A message that is in no
// envelope is ErrEnvelope: nothing is known of where it came from.
func (p *Packer) Unpack(ctx context.Context, envelope []byte) (*Received, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	outer, ok := parseLayer(envelope)
	if !ok {
		return nil, ErrEnvelope
	}
	switch kindOf(outer) {
	case encrypted, signed:
		return p.unpackV2(ctx, outer)
	default:
		return p.unpackV1(ctx, outer)
	}
}

// maxEscaped is the size up to which an envelope may have escapes in its JSON. Reading
// one takes copies of the text, and no value in an envelope needs any.
const maxEscaped = 64 << 10

// maxAround is the size of what may stand around the ciphertext or payload of an envelope
// of more bytes: with the longest names of keys, 16 recipients take less.
const maxAround = 384 << 10

// A layer is the JSON of one layer. Its one long value, the ciphertext or payload, is
// kept apart where it can be: it needs no parsing, only decoding, and stays where the
// envelope has it.
type layer struct {
	*strictjson.Object
	name string // of the long value
	long []byte
	own  []byte // the layer's bytes, if they may be written over: those of a layer within
}

// parseLayer reads an envelope, of version 1 or one layer of version 2. It takes a ciphertext
// or payload out of it before that if there is no doubt which text that is: the name
// stands in it once, and nothing is escaped.
func parseLayer(data []byte) (layer, bool) {
	if len(data) > didcomm.MaxEnvelope || len(data) > maxEscaped && bytes.IndexByte(data, '\\') >= 0 {
		return layer{}, false
	}
	p := strictjson.Parser{MaxBytes: maxAround, MaxDepth: 8, MaxValues: 256}
	for _, name := range []string{"ciphertext", "payload"} {
		from, to, ok := longValue(data, name)
		if !ok || len(data)-(to-from) > maxAround {
			continue
		}
		o, err := p.ParseObject(without(data, from, to))
		if text, _ := o.Text(name); err == nil && text == lifted {
			return layer{Object: o, name: name, long: data[from:to]}, true
		}
	}
	o, err := p.ParseObject(data)
	return layer{Object: o}, err == nil
}

// lifted stands where a long value was. No value is spelled so.
const lifted = "*"

// without returns a copy in which the text from one place to the other is lifted out.
func without(data []byte, from, to int) []byte {
	rest := make([]byte, 0, len(data)-(to-from)+len(lifted))
	return append(append(append(rest, data[:from]...), lifted...), data[to:]...)
}

// longValue finds the text that the member of that name has, between its quotation marks.
func longValue(data []byte, name string) (from, to int, ok bool) {
	const long = 1 << 10
	quoted := []byte(`"` + name + `"`)
	at := bytes.Index(data, quoted)
	if len(data) < long || at < 0 || bytes.IndexByte(data, '\\') >= 0 || bytes.Contains(data[at+1:], quoted) {
		return 0, 0, false
	}
	from = at + len(quoted)
	for _, c := range []byte(`:"`) {
		for from < len(data) && (data[from] == ' ' || data[from] == '\t' || data[from] == '\r' || data[from] == '\n') {
			from++
		}
		if from == len(data) || data[from] != c {
			return 0, 0, false
		}
		from++
	}
	length := bytes.IndexByte(data[from:], '"')
	return from, from + length, length >= long/2
}

// encoded returns the member of that name, which is text in base64url.
func (l layer) encoded(name string) ([]byte, bool) {
	if name == l.name {
		return l.long, true
	}
	text, ok := l.Text(name)
	return []byte(text), ok
}

// A kind is what a JSON object is.
type kind int

const (
	other     kind = iota
	encrypted      // a JWE in general form
	signed         // a JWS in general or flattened form
)

func kindOf(o layer) kind {
	has := func(name string) bool { _, ok := o.Get(name); return ok }
	switch {
	case has("ciphertext") && has("recipients"):
		return encrypted
	case has("payload") && (has("signatures") || has("signature")):
		return signed
	default:
		return other
	}
}

// unpackV1 opens an envelope of RFC 0019.
func (p *Packer) unpackV1(ctx context.Context, outer layer) (*Received, error) {
	e, ok := parse(outer)
	if !ok {
		return nil, ErrEnvelope
	}
	if p.Keys == nil {
		return nil, ErrNotForUs
	}
	us, err := p.ours(ctx, e.recipients)
	if err != nil {
		return nil, err
	}
	received := &Received{Version: didcomm.V1, Authenticated: e.authcrypt, Encrypted: true, Recipient: us.verkey}
	var cek []byte
	if e.authcrypt {
		if received.Sender, err = p.sender(ctx, us); err == nil {
			cek, err = p.Keys.OpenBox(ctx, us.verkey, received.Sender, (*[24]byte)(us.iv), us.encryptedKey)
		}
	} else {
		cek, err = p.Keys.OpenSealed(ctx, us.verkey, us.encryptedKey)
	}
	if err != nil {
		return nil, p.cannotOpen(ctx, us.verkey, err)
	}
	aead, err := chacha20poly1305.New(cek)
	if err != nil {
		return nil, ErrEnvelope
	}
	ciphertext, ok := decodeBase64URL(e.ciphertext)
	if !ok {
		return nil, ErrEnvelope
	}
	ciphertext = append(ciphertext, e.tag...) // there is room
	received.Plaintext, err = aead.Open(ciphertext[:0], e.iv, ciphertext, []byte(e.aad))
	if err != nil {
		return nil, ErrEnvelope
	}
	return received, nil
}

// ours returns the first recipient whose key we have.
func (p *Packer) ours(ctx context.Context, recipients []parsedRecipient) (*parsedRecipient, error) {
	for i := range recipients {
		if recipients[i].verkey == nil {
			continue
		}
		has, err := p.Keys.HasKey(ctx, recipients[i].verkey)
		if err != nil {
			return nil, fmt.Errorf("envelope: looking for a key: %w", err)
		}
		if has {
			return &recipients[i], nil
		}
	}
	return nil, ErrNotForUs
}

// sender opens the sealed name of the sender: a verkey in base58, which must be a
// point that an honest party can have. With a point of small order in its place
// anybody could compute the key of the box that is opened with it.
func (p *Packer) sender(ctx context.Context, us *parsedRecipient) (ed25519.PublicKey, error) {
	name, err := p.Keys.OpenSealed(ctx, us.verkey, us.sender)
	if err != nil {
		return nil, err
	}
	key, err := multiformat.DecodeBase58(string(name), maxVerkey)
	if err != nil {
		return nil, ErrEnvelope
	}
	if _, err := did.X25519(key); err != nil {
		return nil, ErrEnvelope
	}
	return key, nil
}

// cannotOpen tells a forged envelope, which never opens, from keys that cannot be
// used now, so that no envelope is lost while a wallet is locked or closed.
func (p *Packer) cannotOpen(ctx context.Context, verkey ed25519.PublicKey, cause error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	has, err := p.Keys.HasKey(ctx, verkey)
	if err != nil {
		return fmt.Errorf("envelope: looking for a key: %w", err)
	}
	if !has { // it was there a moment ago
		return ErrNotForUs
	}
	if !errors.Is(cause, didcomm.ErrPermanent) {
		return fmt.Errorf("envelope: opening a box: %w", cause)
	}
	return ErrEnvelope
}
