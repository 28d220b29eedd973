package issue

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// The attachment formats of RFC 0809, and that of RFC 0593, which is recognised.
const (
	formatOffer      = "didcomm/w3c-di-vc-offer@v0.1"
	formatRequest    = "didcomm/w3c-di-vc-request@v0.1"
	formatCredential = "didcomm/w3c-di-vc@v0.1"

	formatLinkedData = "aries/ld-proof-vc-detail@v1.0"
)

// dataModel is the version of the data model that is issued and accepted.
const dataModel = "2.0"

// offerBody is offer-credential (RFC 0453, "Offer Credential").
type offerBody struct {
	Comment string               `json:"comment,omitempty"`
	Preview any                  `json:"credential_preview,omitempty"`
	Formats didcomm.Formats      `json:"formats"`
	Offers  []didcomm.Attachment `json:"offers~attach"`
	Attach  []didcomm.Attachment `json:"~attach,omitempty"`
}

// preview is a credential_preview without attributes: what is offered stands in
// the attachment, and some agents require the member.
type preview struct {
	Type       didcomm.Type `json:"@type"`
	Attributes []struct{}   `json:"attributes"`
}

// requestBody is request-credential (RFC 0453, "Request Credential").
type requestBody struct {
	Formats  didcomm.Formats      `json:"formats"`
	Requests []didcomm.Attachment `json:"requests~attach"`
	Attach   []didcomm.Attachment `json:"~attach,omitempty"`
}

// issueBody is issue-credential (RFC 0453, "Issue Credential").
type issueBody struct {
	Formats     didcomm.Formats      `json:"formats"`
	Credentials []didcomm.Attachment `json:"credentials~attach"`
	Attach      []didcomm.Attachment `json:"~attach,omitempty"`
}

// offerContent is the attachment of an offer (RFC 0809, "Credential Offer
// Attachment Format").
type offerContent struct {
	Versions        []string        `json:"data_model_versions_supported"`
	BindingRequired bool            `json:"binding_required,omitempty"`
	Binding         *bindingMethods `json:"binding_method,omitempty"`
	Credential      json.RawMessage `json:"credential"`
}

type bindingMethods struct {
	Signed *signedMethod `json:"didcomm_signed_attachment,omitempty"`
}

// signedMethod is RFC 0809, "DIDComm Signed Attachment", Binding Method in Offer.
type signedMethod struct {
	Algs    []string `json:"algs_supported"`
	Methods []string `json:"did_methods_supported"`
	Nonce   string   `json:"nonce"`
}

// requestContent is the attachment of a request (RFC 0809, "Credential Request
// Attachment Format").
type requestContent struct {
	Version string         `json:"data_model_version"`
	Proof   *bindingProofs `json:"binding_proof,omitempty"`
}

type bindingProofs struct {
	Signed *signedProof `json:"didcomm_signed_attachment,omitempty"`
}

type signedProof struct {
	Attachment string `json:"attachment_id"`
}

// credentialContent is the attachment of an issued credential (RFC 0809,
// "Credential Attachment Format").
type credentialContent struct {
	Credential json.RawMessage `json:"credential"`
}

var (
	// ErrUnsupported says that an offer is in a format, or asks for a binding,
	// that this package does not know.
	ErrUnsupported = errors.New("issue: offer not supported")
	// ErrMalformed says that a message in a known format breaks a rule of it.
	ErrMalformed = errors.New("issue: malformed attachment")
)

// maxNonce bounds the nonce of an offer; a UUID has 36 characters.
const maxNonce = 256

// readOffer decodes and checks an offer.
func readOffer(m *didcomm.Message) (*offerBody, *offerContent, error) {
	var b offerBody
	if err := m.Decode(&b); err != nil {
		return nil, nil, err
	}
	var o offerContent
	if err := read(b.Formats, formatOffer, b.Offers, &o); err != nil {
		return nil, nil, err
	}
	if len(o.Versions) == 0 || o.Versions[0] != dataModel { // of which the credential on offer is
		return nil, nil, fmt.Errorf("%w: data model version", ErrUnsupported)
	}
	if err := checkOffered(o.Credential); err != nil {
		return nil, nil, err
	}
	if o.Binding != nil && o.Binding.Signed != nil {
		if s := o.Binding.Signed; s.Nonce == "" || len(s.Nonce) > maxNonce || len(s.Algs) == 0 || len(s.Methods) == 0 {
			return nil, nil, fmt.Errorf("%w: binding method", ErrMalformed)
		}
	} else if o.BindingRequired {
		return nil, nil, fmt.Errorf("%w: binding method", ErrUnsupported)
	}
	return &b, &o, nil
}

// read finds the attachment in a format and reads its JSON into v.
func read(formats didcomm.Formats, format string, among []didcomm.Attachment, v any) error {
	a, err := formats.Find(format, among)
	if errors.Is(err, didcomm.ErrNotFound) {
		return fmt.Errorf("%w: no attachment in the format %s", ErrUnsupported, format)
	}
	if err != nil {
		return err
	}
	content, err := a.Content()
	if err != nil {
		return err
	}
	if err := strictjson.Unmarshal(content, v); err != nil {
		return fmt.Errorf("%w: %s: %v", ErrMalformed, format, err)
	}
	return nil
}

// checkOffered holds an offered credential to the data model, with the exceptions
// of RFC 0809, "Credential Offer Exceptions". That RFC lets an offer leave out the
// issuer too; here it is refused, because a person decides by it.
func checkOffered(credential []byte) error {
	o, err := strictjson.ParseObject(credential)
	if err != nil {
		return fmt.Errorf("%w: offered credential: %v", ErrMalformed, err)
	}
	if _, signed := o.Get("proof"); signed {
		return fmt.Errorf("%w: offered credential has a proof", ErrMalformed)
	}
	for _, name := range []string{"validFrom", "credentialStatus"} {
		o.Delete(name)
	}
	issuer, named := o.Get("issuer")
	if i, ok := issuer.(*strictjson.Object); ok {
		_, named = i.Get("id")
	}
	if !named {
		return fmt.Errorf("%w: offered credential without an issuer", ErrUnsupported)
	}
	if _, err := vc.ParseObject(o); err != nil {
		return fmt.Errorf("%w: offered credential: %v", ErrMalformed, err)
	}
	return nil
}

// newAttachment returns an attachment with the JSON of content, in base64 as RFC
// 0809 shows it.
func newAttachment(id string, content any) (didcomm.Attachment, error) {
	b, err := json.Marshal(content)
	if err != nil {
		return didcomm.Attachment{}, err
	}
	return didcomm.NewAttachment(id, "application/json", b), nil
}

// wrapCredential returns the credential attachment around bytes that stay as they
// were signed.
func wrapCredential(id string, secured vc.Secured) didcomm.Attachment {
	content := slices.Concat([]byte(`{"credential":`), secured.Bytes, []byte(`}`))
	return didcomm.NewAttachment(id, "application/json", content)
}
