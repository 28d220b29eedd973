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

// checkForms holds a list of media types to those that this package issues.
func checkForms(forms []string) error {
	if len(forms) == 0 || forms[0] != vc.MediaTypeCredential || len(forms) > 2 ||
		len(forms) == 2 && forms[1] != sdjwt.MediaTypeSDJWTVC {
		return fmt.Errorf("%w: form of the credential", ErrUnsupported)
	}
	return nil
}

// addForms adds the attachments that offer or ask for the further forms.
func addForms(p party, format string, forms []string, formats *didcomm.Formats, list *[]didcomm.Attachment) error {
	for _, form := range forms[1:] {
		a, err := newAttachment(p.newID(), formContent{form})
		if err != nil {
			return err
		}
		*formats = append(*formats, didcomm.Format{AttachID: a.ID, Format: format})
		*list = append(*list, a)
	}
	return nil
}

// readForms returns the forms that a message offers or asks for.
func readForms(formats didcomm.Formats, format string, among []didcomm.Attachment) ([]string, error) {
	forms := []string{vc.MediaTypeCredential}
	var c formContent
	err := read(formats, format, among, &c)
	switch {
	case errors.Is(err, ErrUnsupported):
		return forms, nil
	case err != nil:
		return nil, err
	case c.MediaType != sdjwt.MediaTypeSDJWTVC:
		return nil, fmt.Errorf("%w: media type of a form", ErrMalformed)
	}
	return append(forms, c.MediaType), nil
}

// wrap returns the message that carries an issued credential in all its forms.
func wrap(p party, issued []vc.Secured) issueBody {
	var b issueBody
	for _, s := range issued {
		format, a := formatCredential, didcomm.Attachment{}
		if s.MediaType == vc.MediaTypeCredential {
			a = wrapCredential(p.newID(), s)
		} else {
			format, a = formatSDJWT, didcomm.NewAttachment(p.newID(), s.MediaType, s.Bytes)
		}
		b.Formats = append(b.Formats, didcomm.Format{AttachID: a.ID, Format: format})
		b.Credentials = append(b.Credentials, a)
	}
	return b
}

// unwrap returns the credential that a message carries, in exactly the forms asked
// for.
func unwrap(b *issueBody, forms []string) ([]vc.Secured, error) {
	var content credentialContent
	if err := read(b.Formats, formatCredential, b.Credentials, &content); err != nil {
		return nil, err
	}
	o, err := strictjson.ParseObject(content.Credential)
	if err != nil {
		return nil, fmt.Errorf("%w: credential: %v", ErrMalformed, err)
	}
	// RFC 0809 carries the credential itself: what is kept must be readable as one.
	if _, enveloped, broken := vc.UnwrapObject(o); enveloped || broken != nil {
		return nil, fmt.Errorf("%w: enveloped credential", ErrMalformed)
	}
	out := []vc.Secured{{MediaType: vc.MediaTypeCredential, Bytes: content.Credential}}
	a, err := b.Formats.Find(formatSDJWT, b.Credentials)
	asked := slices.Contains(forms, sdjwt.MediaTypeSDJWTVC)
	if there := !errors.Is(err, didcomm.ErrNotFound); there != asked {
		return nil, fmt.Errorf("%w: credential in other forms than were asked for", ErrMalformed)
	}
	if !asked {
		return out, nil
	}
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
		if err := same(x.Offered, doc, x.Holder); err != nil {
			return err
		}
		if err := boundTo(s, x.Holder); err != nil {
			return err
		}
	}
	return nil
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

// document reads an unverified credential of either form.
func document(s vc.Secured) (*vc.Credential, error) {
	if s.MediaType == vc.MediaTypeCredential {
		return vc.Parse(s.Bytes)
	}
	token, err := sdjwt.Parse(s)
	if err != nil {
		return nil, err
	}
	return vc.ParseObject(token.Document())
}
