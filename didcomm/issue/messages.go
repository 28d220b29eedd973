package issue

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// The formats in which a credential is offered, asked for and issued, named by the
// attachment that holds the credential at last.
const (
	// FormatDataIntegrity is that of RFC 0809. The holder proves the key that the
	// credential is bound to. It is for data model 2.0.
	FormatDataIntegrity = "didcomm/w3c-di-vc@v0.1"
	// FormatLinkedData is that of RFC 0593, which the agents of others speak. The
	// holder's DID is named, by the offer or by the request, and not proven. It is for
	// both data models; it also carries the JSON Web Tokens that agents put into it.
	FormatLinkedData = "aries/ld-proof-vc@v1.0"
)

// The formats of the attachments before the last (RFC 0809; RFC 0593).
const (
	formatOffer   = "didcomm/w3c-di-vc-offer@v0.1"
	formatRequest = "didcomm/w3c-di-vc-request@v0.1"

	formatDetail = "aries/ld-proof-vc-detail@v1.0" // in proposals, offers and requests
)

// dataModel is the version of the data model that RFC 0809 is used for.
const dataModel = "2.0"

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

// maxNonce bounds the nonce of an offer; a UUID has 36 characters.
const maxNonce = 256

// readOffer reads and checks the attachment of an offer in the format of RFC 0809.
func (c content) readOffer() (*offerContent, error) {
	var o offerContent
	if err := c.read(formatOffer, &o); err != nil {
		return nil, err
	}
	if len(o.Versions) == 0 || o.Versions[0] != dataModel { // of which the credential on offer is
		return nil, fmt.Errorf("%w: data model version", ErrUnsupported)
	}
	if err := checkOffered(o.Credential); err != nil {
		return nil, err
	}
	if o.Binding != nil && o.Binding.Signed != nil {
		if s := o.Binding.Signed; s.Nonce == "" || len(s.Nonce) > maxNonce || len(s.Algs) == 0 || len(s.Methods) == 0 {
			return nil, fmt.Errorf("%w: binding method", ErrMalformed)
		}
	} else if o.BindingRequired {
		return nil, fmt.Errorf("%w: binding method", ErrUnsupported)
	}
	return &o, nil
}

// checkOffered holds an offered credential to data model 2.0, with the exceptions
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
	if vc.IsV1(o) {
		return fmt.Errorf("%w: offered credential of data model 1.1", ErrMalformed)
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
	a := didcomm.NewAttachment(id, "application/json", content)
	a.FormatID = FormatDataIntegrity
	return a
}
