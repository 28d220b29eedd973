package envelope

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// unpackV2 opens the layers of an envelope of version 2 ("IANA Media Types"): each of
// them may be missing, but not all, and there is none in another order.
//
//	anoncrypt( authcrypt( sign( plaintext ) ) )
//
// All three together are not for anyone to emit; they are read if one party signed and
// encrypted.
func (p *Packer) unpackV2(ctx context.Context, outer layer) (*Received, error) {
	if p.Resolver == nil { // a party of version 1 alone
		return nil, ErrNotForUs
	}
	r := &Received{Version: didcomm.V2}
	var sender did.URL // of authcrypt
	o := outer
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		switch kindOf(o) {
		case encrypted:
			e, ok := parseJWE(o)
			if !ok || !r.Signer.IsZero() || !sender.IsZero() || r.Encrypted && !e.authcrypt {
				return nil, ErrEnvelope
			}
			if err := p.decrypt(ctx, e, r); err != nil {
				return nil, err
			}
			sender = e.sender
		case signed:
			s, ok := parseJWS(o)
			if !ok || !r.Signer.IsZero() {
				return nil, ErrEnvelope
			}
			if err := p.verify(ctx, s, r); err != nil {
				return nil, err
			}
		default:
			if err := p.consistent(ctx, o, r, sender); err != nil {
				return nil, err
			}
			return r, nil
		}
		var ok bool
		if o, ok = parseInner(r.Plaintext); !ok {
			return nil, ErrEnvelope
		}
		o.own = r.Plaintext
	}
}

// maxHeaders bounds the headers of a message in bytes: a from_prior of the longest kind and
// some. maxText is the size of a text among them that may be one.
const (
	maxHeaders = 4 * maxHeader
	maxText    = 2 * maxHeader
)

// parseInner reads what a layer held: another layer or the message itself. Of a message
// only the headers are of interest here; whoever reads the message sees to the rest.
func parseInner(plaintext []byte) (layer, bool) {
	text, ok := headersOf(plaintext)
	if !ok {
		return layer{}, false
	}
	o, err := strictjson.Parser{MaxBytes: maxHeaders, MaxDepth: 8, MaxValues: 1 << 10}.ParseObject(text)
	if l := (layer{Object: o}); err != nil || kindOf(l) == other {
		return l, err == nil
	}
	return parseLayer(plaintext)
}

// headersOf returns a JSON object with null in place of each array and object but that of
// the name "to", and a mark in place of each text that is too long for a header.
// If the rest is no JSON, so is the whole.
func headersOf(data []byte) ([]byte, bool) {
	out := make([]byte, 0, min(len(data), 1<<10))
	var name []byte // the last text that is not within an array or object
	depth, whole := 0, false
	for i := 0; i < len(data); i++ {
		c, shown := data[i], depth <= 1 || whole
		switch c {
		case '"':
			end, ok := endOfText(data, i)
			if !ok {
				return nil, false
			}
			text := data[i:end]
			if i = end - 1; len(text) > maxText {
				text = []byte(`"` + lifted + `"`)
			}
			if depth <= 1 {
				name = text
			}
			if shown {
				out = append(out, text...)
			}
		case '{', '[':
			if depth++; depth == 2 {
				whole = string(name) == `"to"`
				shown = whole
			}
			if shown {
				out = append(out, c)
			}
		case '}', ']':
			if depth--; depth < 0 {
				return nil, false
			}
			switch {
			case depth == 1 && !whole:
				out = append(out, "null"...)
			case shown:
				out = append(out, c)
			}
			whole = whole && depth > 1
		case ' ', '\t', '\r', '\n':
			if n := len(out); shown && n > 0 && out[n-1] != ' ' {
				out = append(out, ' ')
			}
		default:
			if shown {
				out = append(out, c)
			}
		}
		if len(out) > maxHeaders {
			return nil, false
		}
	}
	return out, true
}

// endOfText returns where the JSON string that begins at a place ends.
func endOfText(data []byte, begin int) (end int, ok bool) {
	for end = begin + 1; ; end++ {
		length := bytes.IndexByte(data[end:], '"')
		if length < 0 {
			return 0, false
		}
		end += length
		escapes := end
		for data[escapes-1] == '\\' {
			escapes--
		}
		if (end-escapes)%2 == 0 {
			return end + 1, true
		}
	}
}

// decrypt opens one encrypted layer into r. What it looked up and agreed on is remembered
// once the layer has opened: until then it may be anybody's.
func (p *Packer) decrypt(ctx context.Context, e *jwe, r *Received) error {
	us, recipient, err := p.recipient(ctx, e)
	if err != nil {
		return err
	}
	if r.Encrypted && !sameDID(r.To, us.kid.DID) { // two layers, for two of ours
		return ErrEnvelope
	}
	ze, err := us.private.ECDH(e.ephemeral)
	if err != nil {
		return p.cannotAgree(ctx, us, e.ephemeral, err)
	}
	defer clear(ze)
	var sender *agreementKey
	var zs, boundTag []byte
	if e.authcrypt {
		if sender, err = p.senderKey(ctx, e.sender); err != nil {
			return err
		}
		if sender.public.Curve() != us.public.Curve() {
			return ErrEnvelope
		}
		if zs, err = p.share(us, sender.public); err != nil {
			return p.cannotAgree(ctx, us, sender.public, err)
		}
		defer clear(zs)
		boundTag = e.tag
	}
	kek := concatKDF(ze, zs, e.alg, e.apu, e.apv, kekBits, boundTag)
	defer clear(kek)
	cek, ok := unwrapKey(kek, recipient.encryptedKey)
	if !ok {
		return ErrEnvelope
	}
	defer clear(cek)
	ciphertext, ok := decodeValue(e.ciphertext, e.own, e.content.tag)
	if !ok {
		return ErrEnvelope
	}
	plaintext, ok := e.content.open(cek, e.iv, ciphertext, e.tag, e.aad)
	if !ok {
		return ErrEnvelope
	}
	r.Plaintext, r.Encrypted, r.To = plaintext, true, longer(r.To, us.kid.DID)
	p.Cache.addDocument(us.doc.ID(), us.doc)
	if sender != nil {
		p.Cache.addDocument(sender.doc.ID(), sender.doc)
		p.Cache.addSecret(us.public, sender.public, zs)
	}
	return nil
}

// recipient returns the first recipient whose key the party has. All are of one DID, in
// the two forms perhaps that a did:peer:4 has, and it is the party's or nothing is
// looked up.
func (p *Packer) recipient(ctx context.Context, e *jwe) (*agreementKey, *jweRecipient, error) {
	if p.Agreement == nil || p.Owns == nil {
		return nil, nil, ErrNotForUs
	}
	owned, err := p.Owns(ctx, e.recipients[0].kid.DID)
	if err != nil {
		return nil, nil, fmt.Errorf("envelope: looking for a DID: %w", err)
	}
	if !owned {
		return nil, nil, ErrNotForUs
	}
	const forms = 2
	docs := make(map[did.DID]*did.Document, forms)
	for i := range e.recipients {
		r := &e.recipients[i]
		doc, asked := docs[r.kid.DID]
		if !asked {
			if len(docs) == forms {
				return nil, nil, ErrEnvelope
			}
			if doc, err = p.document(ctx, r.kid.DID); err != nil && !refused(err) {
				return nil, nil, fmt.Errorf("envelope: looking up a recipient: %w", err)
			}
			docs[r.kid.DID] = doc
		}
		if doc == nil {
			continue
		}
		key, err := keyOf(doc, r.kid, p.now())
		if err != nil {
			continue
		}
		ours, err := p.own(ctx, key)
		switch {
		case err != nil:
			return nil, nil, err
		case ours && key.public.Curve() != e.ephemeral.Curve():
			return nil, nil, ErrEnvelope
		case ours:
			return key, r, nil
		}
	}
	return nil, nil, ErrNotForUs
}

// senderKey returns the key of a sender of authcrypt ("Message Authentication").
func (p *Packer) senderKey(ctx context.Context, kid did.URL) (*agreementKey, error) {
	doc, err := p.peerDocument(ctx, kid.DID)
	if err != nil {
		return nil, err
	}
	key, err := keyOf(doc, kid, p.now())
	if err != nil {
		return nil, ErrEnvelope
	}
	return key, nil
}

// peerDocument resolves the DID that a peer claims. The error is ErrEnvelope unless the
// DID can perhaps be resolved later.
func (p *Packer) peerDocument(ctx context.Context, id did.DID) (*did.Document, error) {
	doc, err := p.document(ctx, id)
	if refused(err) {
		return nil, ErrEnvelope
	}
	if err != nil {
		return nil, fmt.Errorf("envelope: looking up a sender: %w", err)
	}
	return doc, nil
}

// cannotAgree tells a point with which no exchange succeeds from keys that cannot be used
// now. On the NIST curves there is no such point (see [ecdh.Curve]).
func (p *Packer) cannotAgree(ctx context.Context, us *agreementKey, peer *ecdh.PublicKey, cause error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if smallOrder(peer) {
		return ErrEnvelope
	}
	_, err := p.Agreement.KeyExchanger(ctx, us.public)
	if errors.Is(err, didcomm.ErrNotFound) {
		return ErrNotForUs
	}
	if err != nil {
		return fmt.Errorf("envelope: looking for a key: %w", err)
	}
	return fmt.Errorf("envelope: agreeing on a key: %w", cause)
}

// smallOrder reports whether an exchange with a point gives zero, whatever the key.
func smallOrder(point *ecdh.PublicKey) bool {
	if point.Curve() != ecdh.X25519() {
		return false
	}
	key, err := ecdh.X25519().NewPrivateKey(make([]byte, 32))
	if err != nil {
		return false
	}
	_, err = key.ECDH(point)
	return err != nil
}
