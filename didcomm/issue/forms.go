package issue

import (
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// One credential may be issued in several forms at once: RFC 0453 has an
// attachment for each format in every message, and the holder asks for those it
// wants. The first form is always a document with embedded proofs, in the
// attachments of RFC 0809, which also carry what is offered and the holder's
// binding. The attachments of the other form are an extension of this project:
// they name the media type, and at last hold the SD-JWT VC itself.
const (
	formatSDJWTOffer   = "didcomm/sd-jwt-vc-offer@v0.1"
	formatSDJWTRequest = "didcomm/sd-jwt-vc-request@v0.1"
	formatSDJWT        = "didcomm/sd-jwt-vc@v0.1"
)

// formContent is the attachment of an offer of, or a request for, a further form.
type formContent struct {
	MediaType string `json:"media_type"`
}

// checkForms holds the media types of an offer to those that its formats have.
func checkForms(formats, forms []string) error {
	ok := len(forms) > 0 && forms[0] == vc.MediaTypeCredential && (len(forms) == 1 || len(forms) == 2 && forms[1] == sdjwt.MediaTypeSDJWTVC)
	if !slices.Contains(formats, FormatDataIntegrity) {
		ok = len(forms) == 1 && slices.Contains(linkedForms(), forms[0])
	}
	if !ok {
		return fmt.Errorf("%w: form of the credential", ErrUnsupported)
	}
	return nil
}

// addForms adds the attachments that offer or ask for the further forms.
func addForms(p party, format string, forms []string, list *[]didcomm.Attachment) error {
	for _, form := range forms[1:] {
		a, err := attach(p.NewID(), format, formContent{form})
		if err != nil {
			return err
		}
		*list = append(*list, a)
	}
	return nil
}

// readForms returns the forms that a message offers or asks for.
func (c content) readForms(format string) ([]string, error) {
	forms := []string{vc.MediaTypeCredential}
	var f formContent
	err := c.read(format, &f)
	switch {
	case errors.Is(err, ErrUnsupported):
		return forms, nil
	case err != nil:
		return nil, err
	case f.MediaType != sdjwt.MediaTypeSDJWTVC:
		return nil, fmt.Errorf("%w: media type of a form", ErrMalformed)
	}
	return append(forms, f.MediaType), nil
}

// wrap returns the attachments that carry an issued credential in all its forms.
func wrap(p party, format string, issued []vc.Secured) (list []didcomm.Attachment) {
	for _, s := range issued {
		switch {
		case format == FormatLinkedData:
			list = append(list, wrapLinked(p.NewID(), s))
		case s.MediaType == vc.MediaTypeCredential:
			list = append(list, wrapCredential(p.NewID(), s))
		default:
			a := didcomm.NewAttachment(p.NewID(), s.MediaType, s.Bytes)
			a.FormatID = formatSDJWT
			list = append(list, a)
		}
	}
	return list
}

// unwrap returns the credential that a message carries, in exactly the forms asked
// for.
func unwrap(c content, forms []string) ([]vc.Secured, error) {
	var inner credentialContent
	if err := c.read(FormatDataIntegrity, &inner); err != nil {
		return nil, err
	}
	o, err := strictjson.ParseObject(inner.Credential)
	if err != nil {
		return nil, fmt.Errorf("%w: credential: %v", ErrMalformed, err)
	}
	// RFC 0809 carries the credential itself: what is kept must be readable as one.
	if _, enveloped, broken := vc.UnwrapObject(o); enveloped || broken != nil {
		return nil, fmt.Errorf("%w: enveloped credential", ErrMalformed)
	}
	out := []vc.Secured{{MediaType: vc.MediaTypeCredential, Bytes: inner.Credential}}
	asked := slices.Contains(forms, sdjwt.MediaTypeSDJWTVC)
	if c.has(formatSDJWT) != asked {
		return nil, fmt.Errorf("%w: credential in other forms than were asked for", ErrMalformed)
	}
	if !asked {
		return out, nil
	}
	a, err := c.find(formatSDJWT)
	if err != nil {
		return nil, err
	}
	token, err := a.Content()
	if err != nil {
		return nil, err
	}
	return append(out, vc.Secured{MediaType: sdjwt.MediaTypeSDJWTVC, Bytes: token}), nil
}

// checkIssued sees that each form of a signed credential says what was offered,
// before any leaves. It does not verify: that is the holder's business.
func checkIssued(x *record, issued []vc.Secured) error {
	if len(issued) != len(x.Forms) {
		return fmt.Errorf("%w: %d forms for %d", ErrMalformed, len(issued), len(x.Forms))
	}
	for i, s := range issued {
		if s.MediaType != x.Forms[i] {
			return fmt.Errorf("%w: not the form that was asked for", ErrMalformed)
		}
		doc, err := document(s)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		if err := x.agreed(s, doc); err != nil {
			return err
		}
	}
	return nil
}

// agreed sees that one form of a credential, whose document is doc, is what was offered
// and accepted. The error matches [ErrDifferent] or [ErrMalformed].
func (x *record) agreed(s vc.Secured, doc *vc.Credential) error {
	if x.format() == FormatLinkedData {
		if err := sameLinked(x.Offered, doc, x.Holder, x.Options); err != nil {
			return err
		}
		return sameProof(s, x.Options)
	}
	if err := same(x.Offered, doc, x.Holder); err != nil {
		return err
	}
	return boundTo(s, x.Holder)
}

// boundTo sees that a token is bound to the key of the holder's did:key, which alone is
// offered (see holderMethods): with another key, or none, nobody could ever show it. A
// document is bound by its subject, which same compares.
func boundTo(s vc.Secured, holder did.DID) error {
	if s.MediaType != sdjwt.MediaTypeSDJWTVC || holder.IsZero() {
		return nil
	}
	token, err := sdjwt.Parse(s)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	key, err := token.Confirmation()
	if err != nil || key == nil {
		return fmt.Errorf("%w: bound to no key", ErrDifferent)
	}
	if id, err := didkey.New(key); err != nil || id != holder {
		return fmt.Errorf("%w: bound to another key", ErrDifferent)
	}
	return nil
}

// document reads an unverified credential of any form.
func document(s vc.Secured) (*vc.Credential, error) {
	switch s.MediaType {
	case vc.MediaTypeCredential:
		return vc.Parse(s.Bytes)
	case sdjwt.MediaTypeSDJWTVC:
		token, err := sdjwt.Parse(s)
		if err != nil {
			return nil, err
		}
		return vc.ParseObject(token.Document())
	}
	token, err := jose.Parse(s)
	if err != nil {
		return nil, err
	}
	return vc.ParseObject(token.Document())
}
