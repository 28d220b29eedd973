package envelope

import (
	"bytes"
	"context"
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
	for o := outer; ; {
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
			if err := p.verify(ctx, s); err != nil {
				return nil, err
			}
			r.Plaintext, r.Signer = s.payload, s.kid
		default:
			if err := p.consistent(ctx, o, r, sender); err != nil {
				return nil, err
			}
			return r, nil
		}
		var err error
		if o, err = parseInner(r.Plaintext); err != nil {
			return nil, ErrEnvelope
		}
	}
}

// parseInner reads what a layer held: another layer or the message itself. Of a message
// only the headers are of interest here, so that a text within it that is longer than any
// of those may have is passed over; whoever reads the message sees to it.
func parseInner(plaintext []byte) (layer, error) {
	p := strictjson.Parser{MaxBytes: didcomm.MaxEnvelope}
	if from, to, ok := longText(plaintext); ok {
		o, err := p.ParseObject(without(plaintext, from, to))
		if l := (layer{Object: o}); err == nil && kindOf(l) == other {
			return l, nil
		}
	}
	return parseLayer(plaintext, p)
}

// longText finds a text that is longer than a header may be. It lies between two quotation
// marks and has no escapes: if it is not the whole of a JSON string it is the end of one,
// or stands outside of strings, where its replacement is no JSON.
func longText(data []byte) (from, to int, ok bool) {
	const long = 2 * maxHeader
	for len(data)-from > long {
		length := bytes.IndexByte(data[from:], '"')
		if length < 0 {
			return 0, 0, false
		}
		if length > long && bytes.IndexByte(data[from:from+length], '\\') < 0 {
			return from, from + length, true
		}
		from += length + 1
	}
	return 0, 0, false
}

// decrypt opens one encrypted layer into r.
func (p *Packer) decrypt(ctx context.Context, e *jwe, r *Received) error {
	us, recipient, err := p.recipient(ctx, e)
	if err != nil {
		return err
	}
	if r.Encrypted && !sameDID(r.To, us.kid.DID) { // two layers, for two of ours
		return ErrEnvelope
	}
	z, err := us.private.ECDH(e.ephemeral)
	if err != nil {
		return p.cannotAgree(ctx, us)
	}
	defer clear(z)
	var boundTag []byte
	if e.authcrypt {
		sender, err := p.senderKey(ctx, e.sender)
		if err != nil {
			return err
		}
		if sender.public.Curve() != us.public.Curve() {
			return ErrEnvelope
		}
		zs, err := p.share(us, sender.public)
		if err != nil {
			return p.cannotAgree(ctx, us)
		}
		z = append(z, zs...)
		clear(zs)
		boundTag = e.tag
	}
	kek := concatKDF(z, e.alg, e.apu, e.apv, kekBits, boundTag)
	defer clear(kek)
	cek, ok := unwrapKey(kek, recipient.encryptedKey)
	if !ok {
		return ErrEnvelope
	}
	defer clear(cek)
	ciphertext, ok := decodeLong(e.ciphertext, e.content.tag)
	if !ok {
		return ErrEnvelope
	}
	plaintext, ok := e.content.open(cek, e.iv, ciphertext, e.tag, e.aad)
	if !ok {
		return ErrEnvelope
	}
	r.Plaintext, r.Encrypted, r.To = plaintext, true, longer(r.To, us.kid.DID)
	return nil
}

// recipient returns the first recipient whose key the party has. All are of one DID, so
// that an envelope makes no more than one DID of its choice be looked up here.
func (p *Packer) recipient(ctx context.Context, e *jwe) (*agreementKey, *jweRecipient, error) {
	if p.Agreement == nil {
		return nil, nil, ErrNotForUs
	}
	var doc *did.Document
	var asked did.DID
	for i := range e.recipients {
		r := &e.recipients[i]
		if r.kid.DID != asked {
			var err error
			if doc, err = p.document(ctx, r.kid.DID); err != nil && !refused(err) {
				return nil, nil, fmt.Errorf("envelope: looking up a recipient: %w", err)
			}
			asked = r.kid.DID
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

// cannotAgree tells a forged envelope, with which no exchange succeeds, from keys that
// cannot be used now.
func (p *Packer) cannotAgree(ctx context.Context, us *agreementKey) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := p.Agreement.KeyExchanger(ctx, us.public)
	if errors.Is(err, didcomm.ErrNotFound) {
		return ErrNotForUs
	}
	if err != nil {
		return fmt.Errorf("envelope: looking for a key: %w", err)
	}
	return ErrEnvelope
}
