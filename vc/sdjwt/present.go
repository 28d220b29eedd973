package sdjwt

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// Presenting says what of a credential is shown, and to whom.
type Presenting struct {
	// Reveal points to what is shown besides the claims that everybody sees, in the
	// credential document. A pointer to an object or array shows all of it; the
	// empty pointer shows everything.
	Reveal []vc.Pointer

	// Holder signs for the audience, the verifier's identifier, and the nonce, the
	// verifier's challenge. Its key is the one in the credential. Without a Holder
	// both are empty, and the result proves nothing about who shows it: it belongs
	// into a presentation document.
	Holder   did.Signer
	Audience string
	Nonce    string

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Present returns the SD-JWT of a credential with the chosen disclosures alone, and
// with a key binding JWT if there is a holder (RFC 9901 section 7.2). The media type
// stays.
//
// It refuses a pointer that matches nothing ([ErrPointer]), or that cannot be shown
// without claims that no pointer names ([ErrRevealsMore]); the id and type of the
// objects around a claim may come along. It refuses a token that has a key binding
// already, a holder with another key than the credential's, and a token without a
// holder's key where there is a holder ([ErrKeyBinding]), and what [Parse] refuses.
// The signature of the issuer is not checked.
func Present(ctx context.Context, s vc.Secured, p Presenting) (vc.Secured, error) {
	if bound := p.Holder != nil; bound != (p.Audience != "") || bound != (p.Nonce != "") {
		return vc.Secured{}, fmt.Errorf("%w: Holder, Audience and Nonce, all of them or none", ErrConfig)
	}
	h, err := open(s)
	if err != nil {
		return vc.Secured{}, err
	}
	if err := h.choose(p.Reveal); err != nil {
		return vc.Secured{}, err
	}
	presented := combine(h.wire.jwt, h.chosen(), keyBindingRoom)
	if p.Holder == nil {
		return vc.Secured{MediaType: s.MediaType, Bytes: presented}, nil
	}
	cnf, _ := h.payload.Get("cnf")
	if err := confirms(cnf, p.Holder.Public()); err != nil {
		return vc.Secured{}, err
	}
	b, err := bindKey(ctx, presented, h.hash, p.Holder, p.Audience, p.Nonce, clock(p.Now))
	if err != nil {
		return vc.Secured{}, err
	}
	return vc.Secured{MediaType: s.MediaType, Bytes: b}, nil
}

// Disclosures returns where the claims of a credential stand that its holder may
// leave out, in its document, in the order of the token. Everything else is always
// shown.
func Disclosures(s vc.Secured) ([]vc.Pointer, error) {
	h, err := open(s)
	if err != nil {
		return nil, err
	}
	out := make([]vc.Pointer, 0, len(h.disclosures))
	for i := range h.disclosures {
		if at := h.disclosures[i].at; at != "" {
			out = append(out, at)
		}
	}
	return out, nil
}

// Preview returns the document that a verifier would see of a presentation, before
// it is made, with the claims that everybody sees. The errors are those of
// [Present].
func Preview(s vc.Secured, reveal []vc.Pointer) (*strictjson.Object, error) {
	h, err := open(s)
	if err != nil {
		return nil, err
	}
	if err := h.choose(reveal); err != nil {
		return nil, err
	}
	w := *h.wire
	w.disclosures = h.chosen()
	p, err := processWire(&w, processing{credential: true})
	if err != nil {
		return nil, err
	}
	_, doc, err := p.read(s.MediaType)
	return doc, err
}

// A held is a credential in the hands of its holder.
type held struct {
	*processed
	wire     *wire
	document *strictjson.Object
}

// open processes a credential with all its disclosures.
func open(s vc.Secured) (*held, error) {
	if s.MediaType != MediaTypeSDJWTVC && s.MediaType != MediaTypeCredential {
		return nil, ErrType
	}
	w, err := split(s.Bytes)
	if err != nil {
		return nil, err
	}
	if len(w.signatures) != 1 {
		return nil, fmt.Errorf("%w: more than one signature", ErrSyntax)
	}
	if w.keyBinding != "" { // RFC 9901 section 7.2
		return nil, fmt.Errorf("%w: it was presented already", ErrKeyBinding)
	}
	if jws.MediaType(w.signatures[0].Header.Type) != s.MediaType {
		return nil, ErrType
	}
	h := &held{wire: w}
	how := processing{places: true, credential: true}
	if s.MediaType == MediaTypeSDJWTVC {
		how.base = "/credentialSubject"
	}
	if h.processed, err = processWire(w, how); err != nil {
		return nil, err
	}
	if _, h.document, err = h.read(s.MediaType); err != nil {
		return nil, err
	}
	if s.MediaType == MediaTypeSDJWTVC {
		for i := range h.disclosures {
			h.disclosures[i].at = documentPlace(h.disclosures[i].at)
		}
	}
	return h, nil
}

// documentPlace returns where in the document stands what has this place in an
// SD-JWT VC whose payload is taken for the subject, and "" for what the document does
// not have.
func documentPlace(at vc.Pointer) vc.Pointer {
	switch at {
	case "/credentialSubject/sub":
		return "/credentialSubject/id"
	case "/credentialSubject/jti":
		return "/id"
	case "/credentialSubject/iat":
		return ""
	}
	if below, ok := strings.CutPrefix(string(at), "/credentialSubject/credentialSchema/"); ok {
		return vc.Pointer("/credentialSchema/" + below)
	}
	return at
}

// choose marks the disclosures that show what the pointers name.
func (h *held) choose(reveal []vc.Pointer) error {
	if len(reveal) > maxDisclosures {
		return fmt.Errorf("%w: too many", ErrPointer)
	}
	for _, r := range reveal {
		if _, ok := r.Lookup(h.document); !ok {
			return fmt.Errorf("%w: %s", ErrPointer, r)
		}
	}
	for i := range h.disclosures {
		d := &h.disclosures[i]
		for _, r := range reveal {
			if within(d.at, r) || within(r, d.at) {
				d.chosen = d.at != "" || r == ""
				break
			}
		}
	}
	var places map[vc.Pointer]bool // of all disclosures
	for i := range h.disclosures {
		d := &h.disclosures[i]
		if !d.chosen || d.at == "" || covered(d.at, reveal) {
			continue
		}
		// It is shown only because something named lies inside.
		if places == nil {
			places = make(map[vc.Pointer]bool, len(h.disclosures))
			for _, d := range h.disclosures {
				places[d.at] = true
			}
		}
		if err := onlyNamed(d.value, d.at, reveal, places); err != nil {
			return err
		}
	}
	return nil
}

// onlyNamed checks that of the value at a place nothing is shown but what the
// pointers name, apart from id and type. What has a disclosure of its own is looked
// at by itself.
func onlyNamed(v any, at vc.Pointer, reveal []vc.Pointer, places map[vc.Pointer]bool) error {
	visit := func(name string, v any, at vc.Pointer) error {
		if places[at] || covered(at, reveal) || name == "id" || name == "type" {
			return nil
		}
		for _, r := range reveal {
			if within(r, at) {
				return onlyNamed(v, at, reveal, places)
			}
		}
		return fmt.Errorf("%w: %s", ErrRevealsMore, at)
	}
	switch v := v.(type) {
	case *strictjson.Object:
		for name, e := range v.All() {
			if err := visit(name, e, at.Child(name)); err != nil {
				return err
			}
		}
	case []any:
		for i, e := range v {
			if err := visit("", e, at.Index(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// covered reports whether one of the pointers names the place or something above it.
func covered(at vc.Pointer, reveal []vc.Pointer) bool {
	for _, r := range reveal {
		if within(at, r) {
			return true
		}
	}
	return false
}

// within reports whether p is at or below a place.
func within(p, at vc.Pointer) bool {
	return strings.HasPrefix(string(p), string(at)) && (len(p) == len(at) || p[len(at)] == '/')
}

// chosen returns the disclosures that choose marked, as they travel.
func (h *held) chosen() []string {
	out := make([]string, 0, len(h.disclosures))
	for i := range h.disclosures {
		if h.disclosures[i].chosen {
			out = append(out, h.disclosures[i].text)
		}
	}
	return out
}

// A Presenter secures presentation documents, signed by the holder for one request
// of one verifier. It is safe for concurrent use and must not be changed after first
// use.
type Presenter struct {
	Signer did.Signer // required; its DID is the holder of every presentation

	// Contexts says which @context arrays of presentations may be signed.
	Contexts *vc.ContextSet

	// Lifetime is how long a verifier may take to look at the presentation.
	// Zero means that only the nonce bounds its use.
	Lifetime time.Duration

	// UnsafeHolderNotController signs for a holder that is not the signer's DID. See
	// UnsafeIssuerNotController of [Issuer].
	UnsafeHolderNotController bool

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Present signs a presentation for one audience, the verifier's identifier, and one
// nonce, the verifier's challenge (VC-JOSE-COSE section 3.2.2). It refuses one that
// is malformed (vc.ErrMalformed), that names another holder than the signer's DID
// ([ErrControllerMismatch]), or has a context that is not known
// ([ErrContextNotAllowed]). Credentials in it are sent enveloped, as that section
// asks. The result has the media type application/vp+sd-jwt.
func (h *Presenter) Present(ctx context.Context, p *vc.Presentation, audience, nonce string) (vc.Secured, error) {
	doc, err := refusals().Of(h.UnsafeHolderNotController).Presentation(h.Signer, p, h.Contexts, audience, nonce)
	if err != nil {
		return vc.Secured{}, err
	}
	if err := unregistered(doc); err != nil {
		return vc.Secured{}, err
	}
	if err := checkNames(doc); err != nil {
		return vc.Secured{}, err
	}
	now := clock(h.Now)
	doc.Set("aud", audience)
	doc.Set("nonce", nonce)
	doc.Set("iat", now.Unix())
	if h.Lifetime > 0 {
		doc.Set("exp", now.Add(h.Lifetime).Unix())
	}
	return sign(ctx, h.Signer, MediaTypePresentation, doc, nil)
}
