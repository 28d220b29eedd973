package sdjwt

import (
	"context"
	"crypto"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope"
)

// An Issuer secures credentials as SD-JWT. It is safe for concurrent use and must
// not be changed after first use.
type Issuer struct {
	Signer did.Signer // required; its DID is the issuer of every credential

	// MediaType is MediaTypeSDJWTVC, which the empty text stands for, or
	// MediaTypeCredential.
	MediaType string

	// Disclosable points to the claims that the holder may leave out. Claims above
	// and below one another may both be listed: below one that is left out, nothing
	// is shown. Everybody sees all claims that are not listed.
	Disclosable []vc.Pointer

	// Holder is the key that presentations must be signed with, of a type that
	// did.Algorithm accepts. Without one, whoever has the credential can show it, and
	// only with [Present]: package vc/disclose asks for a holder's key.
	Holder crypto.PublicKey

	// Decoys, unless it is 0, hides how many claims there are: each array that has
	// digests is filled up to a multiple of it with digests of nothing (RFC 9901
	// section 4.2.5).
	Decoys int

	// TypeIntegrity, unless it is empty, is the digest of the type metadata, such as
	// "sha256-...", that an SD-JWT VC carries as vct#integrity.
	TypeIntegrity string

	// Contexts says which @context arrays may be signed. See vc.ContextSet.
	Contexts *vc.ContextSet

	// Rand is the source of salts. Nil means crypto/rand, and is right but in
	// tests: who knows a salt can guess the claim.
	Rand io.Reader

	// UnsafeIssuerNotController signs for an issuer that is not the signer's DID, such
	// as one with an https URL. No verifier of this module accepts the result but by
	// the policy of the same name. Test suites of specifications ask for it; nothing
	// that anybody relies on does.
	UnsafeIssuerNotController bool

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

var _ vc.Securer = (*Issuer)(nil)

// Secure implements [vc.Securer]. It refuses a credential that is malformed
// (vc.ErrMalformed), names another issuer than the signer's DID
// ([ErrControllerMismatch]), has a context that is not known
// ([ErrContextNotAllowed]) or another digest of a context than that one's
// (vc.ErrDigest), cannot be written in the form ([ErrClaims]), and a
// disclosable pointer that matches nothing ([ErrPointer]) or a claim that everybody
// must see ([ErrNotDisclosable]).
//
// An SD-JWT VC has one subject with an id at most, one type beside
// VerifiableCredential, one context beside that of the data model, an issuer that is
// no more than a DID, and no members other than those that the data model requires,
// the period, status and schema. Its times are whole seconds: of both the fraction is
// cut off, so that a credential issued as of now can be shown at once. The vct is
// the URL of the context, a number sign and the type.
func (i *Issuer) Secure(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
	p, err := i.prepare(c)
	if err != nil {
		return vc.Secured{}, err
	}
	return i.seal(ctx, p, i.Holder, clock(i.Now))
}

// Batch secures one credential several times, for one key of the holder each and
// with salts of its own, so that presentations of two of them share nothing but what
// is shown and what everybody sees. The time of issue is told to the day only. What
// would name the credential is the caller's to avoid: an id of it or of its subject,
// and a period that is not that of many others, such as whole days. Holder is not
// used. A key that comes twice is refused.
func (i *Issuer) Batch(ctx context.Context, c *vc.Credential, holders []crypto.PublicKey) ([]vc.Secured, error) {
	if len(holders) == 0 {
		return nil, fmt.Errorf("%w: no holder", ErrConfig)
	}
	p, err := i.prepare(c)
	if err != nil {
		return nil, err
	}
	day := clock(i.Now).Truncate(24 * time.Hour)
	out := make([]vc.Secured, len(holders))
	for n, holder := range holders {
		if holder == nil {
			return nil, fmt.Errorf("%w: the key of a holder", ErrConfig)
		}
		if slices.ContainsFunc(holders[:n], func(k crypto.PublicKey) bool { return sameKey(k, holder) }) {
			return nil, fmt.Errorf("%w: one key for two credentials", ErrKeyBinding)
		}
		if out[n], err = i.seal(ctx, p, holder, day); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// prepared is a credential that can be sealed any number of times.
type prepared struct {
	mediaType string
	claims    *strictjson.Object
	places    []vc.Pointer // of what is disclosable, in claims
	size      int          // in bytes, about, of the claims of the subject
}

func (i *Issuer) prepare(c *vc.Credential) (*prepared, error) {
	doc, err := refusals().Of(i.UnsafeIssuerNotController).Credential(i.Signer, c, i.Contexts)
	if err != nil {
		return nil, err
	}
	if i.Decoys < 0 {
		return nil, fmt.Errorf("%w: Decoys must not be less than 0", ErrConfig)
	}
	p := &prepared{mediaType: i.MediaType, size: len(c.Subject)}
	switch i.MediaType {
	case "":
		p.mediaType = MediaTypeSDJWTVC
	case MediaTypeSDJWTVC, MediaTypeCredential:
	default:
		return nil, fmt.Errorf("%w: MediaType is none of a credential", ErrConfig)
	}
	if p.mediaType == MediaTypeSDJWTVC {
		p.claims, err = payloadOf(c, doc)
	} else {
		p.claims, err = doc, unregistered(doc)
	}
	if err != nil {
		return nil, err
	}
	p.places = make([]vc.Pointer, len(i.Disclosable))
	for n, pointer := range i.Disclosable {
		if p.places[n], err = disclosablePlace(p.mediaType, pointer, doc); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func refusals() envelope.Refusals {
	return envelope.Refusals{Config: ErrConfig, ControllerMismatch: ErrControllerMismatch, ContextNotAllowed: ErrContextNotAllowed}
}

// unregistered refuses documents with members that have the names of claims about
// the token.
func unregistered(doc *strictjson.Object) error {
	for name := range doc.All() {
		if slices.Contains(registered, name) || name == "vc" || name == "vp" {
			return fmt.Errorf("%w: a member of the document has a registered name", ErrClaims)
		}
	}
	return nil
}

// disclosablePlace returns where in the claims stands what a pointer into the
// document names, and refuses what everybody must see.
func disclosablePlace(mediaType string, pointer vc.Pointer, doc *strictjson.Object) (vc.Pointer, error) {
	if !validPointer(pointer) {
		return "", fmt.Errorf("%w: malformed", ErrPointer)
	}
	below, inSubject := strings.CutPrefix(string(pointer), "/credentialSubject/")
	if !inSubject {
		name, _, _ := strings.Cut(strings.TrimPrefix(string(pointer), "/"), "/")
		switch {
		case mediaType == MediaTypeSDJWTVC && pointer == "/id":
			return "/jti", nil
		case mediaType == MediaTypeSDJWTVC, pointer == "", slices.Contains(alwaysVisible, name), name == "type", name == "relatedResource":
			return "", fmt.Errorf("%w: %s", ErrNotDisclosable, pointer)
		}
		return pointer, nil
	}
	v, _ := doc.Get("credentialSubject")
	if _, several := v.([]any); several {
		_, below, _ = strings.Cut(below, "/")
	}
	if name, _, _ := strings.Cut(below, "/"); below == "" || name == "id" {
		return "", fmt.Errorf("%w: %s", ErrNotDisclosable, pointer)
	}
	if mediaType == MediaTypeSDJWTVC {
		return pointer[len("/credentialSubject"):], nil
	}
	return pointer, nil
}

// validPointer is vc.Pointer.Valid without a copy.
func validPointer(p vc.Pointer) bool {
	for i := range len(p) {
		if p[i] == '~' && (i+1 == len(p) || p[i+1] != '0' && p[i+1] != '1') {
			return false
		}
	}
	return p == "" || p[0] == '/'
}

// seal makes one SD-JWT of a credential.
func (i *Issuer) seal(ctx context.Context, p *prepared, holder crypto.PublicKey, at time.Time) (vc.Secured, error) {
	c := newConcealer(i.Rand, i.Decoys)
	c.text, c.ends = make([]byte, 0, p.size/3*4+64*len(p.places)), make([]int, 0, len(p.places))
	c.digests.Grow(43 * len(p.places))
	payload, err := c.payload(p.claims, newFrame(p.places, i.Disclosable))
	if err != nil {
		return vc.Secured{}, err
	}
	if payload == p.claims { // nothing is disclosable
		payload = payload.Clone()
	}
	payload.Grow(4)
	payload.Set("iat", at.Unix())
	if i.TypeIntegrity != "" && p.mediaType == MediaTypeSDJWTVC {
		payload.Set("vct#integrity", i.TypeIntegrity)
	}
	if len(c.ends) > 0 {
		payload.Set(hashName, string(c.hash))
	}
	if holder != nil {
		cnf, err := confirmationValue(holder)
		if err != nil {
			return vc.Secured{}, err
		}
		payload.Set("cnf", cnf)
	}
	return sign(ctx, i.Signer, p.mediaType, payload, c.text)
}

// sign makes an SD-JWT in compact form. Each of the disclosures has its tilde.
func sign(ctx context.Context, signer did.Signer, mediaType string, payload *strictjson.Object, disclosures []byte) (vc.Secured, error) {
	alg, err := did.Algorithm(signer.Public())
	if err != nil {
		return vc.Secured{}, signing(err)
	}
	header := strictjson.NewObject(
		strictjson.Member{Name: "alg", Value: alg},
		strictjson.Member{Name: "typ", Value: strings.TrimPrefix(mediaType, "application/")},
		strictjson.Member{Name: "kid", Value: signer.VerificationMethod().String()},
	)
	text, err := strictjson.Append(make([]byte, 0, 4096), payload)
	if err != nil {
		return vc.Secured{}, fmt.Errorf("%w: %w", ErrClaims, errtext.Below(err))
	}
	if len(text)+len(disclosures)/4*3 > strictjson.DefaultMaxBytes { // no reader would take it
		return vc.Secured{}, tooLarge()
	}
	b, err := jws.AppendCompact(nil, 1+len(disclosures), header, text, func(input []byte) ([]byte, error) { return did.Sign(ctx, signer, input) })
	if err != nil {
		return vc.Secured{}, signing(err)
	}
	return vc.Secured{MediaType: mediaType, Bytes: append(append(b, '~'), disclosures...)}, nil
}

// clock returns the time in the precision of a token.
func clock(now func() time.Time) time.Time {
	if now == nil {
		now = time.Now
	}
	return now().UTC().Truncate(time.Second)
}
