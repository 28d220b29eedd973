package verify

import (
	"context"
	"crypto"
	"errors"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// A format reads one way of securing a document. It takes bytes apart and knows
// how their proofs are checked; it believes nothing and asks nobody.
type format interface {
	read(b []byte) (*reading, *finding)
}

// A reading is what a format takes out of bytes. All of it is hearsay until every
// check has passed.
type reading struct {
	doc    *strictjson.Object // the credential or presentation without its proofs
	proofs []proof            // at least one, unless flaw is set
	flaw   *finding           // what is wrong with the proofs: the document is looked at first

	// unproven says that nothing in the document claims to be a proof.
	unproven bool
	// key is the one that the issuer bound a credential to; nil if to none.
	key crypto.PublicKey
	// binding ties a credential to a session by itself; nil if the format knows no
	// such thing.
	binding *binding
	// typed holds a credential to the metadata of its type; nil if there is none.
	typed func() *finding
	// alone is the credential, for bytes that are no more than one credential
	// where a presentation is due. Nothing else is set then.
	alone *reading
}

// A proof is one signature over a document with what it says of itself.
type proof struct {
	method             did.URL          // the key
	purpose            did.Relationship // what it was made for
	created, notBefore time.Time        // zero if it does not say
	expires            time.Time
	domain             []string // for whom it was made
	challenge          string
	issuer, subject    string // what a token says beside its document, if it does

	// verify checks the cryptography and returns the document that was signed.
	verify func(ctx context.Context, key *did.VerificationMethod) (*strictjson.Object, *finding)
}

// A kind is what a call of the verifier, or an entry of a presentation, is for.
type kind int

const (
	aCredential kind = iota
	aPresentation
)

// purpose is what proofs of the kind are made for.
func (k kind) purpose() did.Relationship {
	if k == aPresentation {
		return did.Authentication
	}
	return did.AssertionMethod
}

// mediaType is that of a JSON document of the kind, which may be an envelope.
func (k kind) mediaType() string {
	if k == aPresentation {
		return vc.MediaTypePresentation
	}
	return vc.MediaTypeCredential
}

// envelope is the type of an envelope of the kind (VC Data Model 2.0, section 4.13).
func (k kind) envelope() string {
	if k == aPresentation {
		return "EnvelopedVerifiablePresentation"
	}
	return "EnvelopedVerifiableCredential"
}

// format returns the reader for a media type, or nil.
func (v *Verifier) format(k kind, mediaType string) format {
	switch mediaType {
	case k.mediaType():
		return embedded{v}
	case jose.MediaTypeLegacy:
		return josed{k, mediaType}
	}
	if k == aPresentation {
		switch mediaType {
		case jose.MediaTypePresentation:
			return josed{k, mediaType}
		case cose.MediaTypePresentation:
			return cosed{k, mediaType}
		case sdjwt.MediaTypePresentation:
			return disclosed{v, k, mediaType}
		case sdjwt.MediaTypeCredential, sdjwt.MediaTypeSDJWTVC:
			return alone{disclosed{v, aCredential, mediaType}}
		case vc.MediaTypeCredential:
			if v.Holder == Bearer {
				return alone{embedded{v}}
			}
		}
		return nil
	}
	switch mediaType {
	case jose.MediaTypeCredential:
		return josed{k, mediaType}
	case cose.MediaTypeCredential:
		return cosed{k, mediaType}
	case sdjwt.MediaTypeCredential, sdjwt.MediaTypeSDJWTVC:
		return disclosed{v, k, mediaType}
	}
	return nil
}

// alone reads one credential where a presentation is due: the credential has to
// answer the request by itself.
type alone struct{ format }

func (f alone) read(b []byte) (*reading, *finding) {
	r, finding := f.format.read(b)
	if finding != nil {
		return nil, finding
	}
	return &reading{alone: r}, nil
}

// open takes received bytes apart.
func (v *Verifier) open(k kind, s vc.Secured) (*reading, *finding) {
	if s.MediaType != k.mediaType() {
		return v.openAs(k, s)
	}
	o, err := strictjson.ParseObject(s.Bytes)
	if err != nil {
		return nil, unreadable(err)
	}
	return v.unwrap(k, o)
}

// unwrap reads a JSON document, or what is in it if it is an envelope that holds
// nothing but secured bytes (VC Data Model 2.0, section 4.13). An envelope in an
// envelope is no document.
func (v *Verifier) unwrap(k kind, o *strictjson.Object) (*reading, *finding) {
	inner, enveloped, err := vc.UnwrapObject(o)
	if err != nil {
		return nil, unreadable(err)
	}
	if !enveloped {
		return embedded{v}.readObject(o), nil
	}
	if !hasType(o, k.envelope()) {
		return nil, wrong(ErrMalformed, errors.New("an envelope of the other kind"))
	}
	return v.openAs(k, inner)
}

func (v *Verifier) openAs(k kind, s vc.Secured) (*reading, *finding) {
	f := v.format(k, s.MediaType)
	if f == nil {
		return nil, wrong(ErrMediaType, v.whyNot(k, s.MediaType))
	}
	return f.read(s.Bytes)
}

// whyNot says what can be said about a media type that is not read.
func (v *Verifier) whyNot(k kind, mediaType string) error {
	switch {
	case k == aCredential && v.format(aPresentation, mediaType) != nil:
		return errPresentation
	case k == aPresentation && mediaType == vc.MediaTypeCredential:
		return errors.New("that of a credential: Verifier.Credential takes it, and under Holder: Bearer one of bbs-2023 is a presentation")
	case k == aPresentation && v.format(aCredential, mediaType) != nil:
		return errCredential
	case mediaType == "":
		return errors.New("no media type")
	case strings.Contains(mediaType, ";"):
		return errors.New("a media type with parameters, which ours do not have")
	}
	return nil
}

// Why a token is not what is due.
var (
	errPresentation = errors.New("that of a presentation: Verifier.Presentation takes it")
	errCredential   = errors.New("that of a credential: Verifier.Credential takes it")
)

// unreadable says why a document could not be read.
func unreadable(err error) *finding {
	switch {
	case errors.Is(err, strictjson.ErrTooLarge):
		return wrong(ErrTooLarge, err)
	case errors.Is(err, strictjson.ErrTooDeep):
		return wrong(ErrTooDeep, err)
	case errors.Is(err, vc.ErrNoZone):
		return wrong(ErrNoTimeZone, err)
	case errors.Is(err, vc.ErrMalformed):
		return wrong(ErrMalformed, err)
	default:
		return wrong(ErrSyntax, err)
	}
}
