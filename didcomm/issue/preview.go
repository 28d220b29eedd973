package issue

import (
	"fmt"
	"log/slog"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// An Attribute is one line of a credential preview (RFC 0453, "Preview Credential").
// What is issued is what the attachment says: a preview is for a person to read, and
// nothing holds it to the credential. A page shows the credential.
type Attribute struct {
	Name      string `json:"name"`
	MediaType string `json:"mediaType,omitempty"` // if there is one, Value is base64url of such bytes
	Value     string `json:"value"`
}

// String shows nothing of the attribute.
func (a Attribute) String() string { return "issue.Attribute" }

// Format shows what String shows, under every verb.
func (a Attribute) Format(f fmt.State, _ rune) { exchange.Print(f, a.String()) }

// LogValue is the same as String.
func (a Attribute) LogValue() slog.Value { return slog.StringValue(a.String()) }

// Limits on a preview, which is stored with its exchange and read by a person.
const (
	maxAttributes = 200
	maxAttribute  = 16 << 10 // bytes of a name, a media type and a value together
)

// checkPreview holds a preview to the limits.
func checkPreview(list []Attribute) error {
	if len(list) > maxAttributes {
		return fmt.Errorf("%w: preview of more than %d attributes", ErrMalformed, maxAttributes)
	}
	for _, a := range list {
		if a.Name == "" || len(a.Name)+len(a.MediaType)+len(a.Value) > maxAttribute {
			return fmt.Errorf("%w: attribute of the preview", ErrMalformed)
		}
	}
	return nil
}

// The forms of an attribute in version 2.0 and in version 3.0.
type attributeV1 struct {
	Name      string `json:"name"`
	MediaType string `json:"mime-type,omitempty"`
	Value     string `json:"value"`
}

type attributeV2 struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type,omitempty"`
	Value     string `json:"value"`
}

// previewV1 is the preview of RFC 0453, "Preview Credential".
type previewV1 struct {
	Type       didcomm.Type  `json:"@type"`
	Attributes []attributeV1 `json:"attributes"`
}

// previewV2 is that of Issue Credential Protocol 3.0, "Preview Credential": it has the
// shape of a message, and another name.
type previewV2 struct {
	Type didcomm.Type `json:"type"`
	ID   string       `json:"id"`
	Body struct {
		Attributes []attributeV2 `json:"attributes"`
	} `json:"body"`
}

// previewOf returns a preview as a message of the version has it.
func previewOf(v didcomm.Version, id string, list []Attribute) any {
	if v.Or1() == didcomm.V2 {
		p := previewV2{Type: messageType(v, "credential-credential"), ID: id}
		p.Body.Attributes = []attributeV2{}
		for _, a := range list {
			p.Body.Attributes = append(p.Body.Attributes, attributeV2(a))
		}
		return p
	}
	p := previewV1{messageType(v, "credential-preview"), []attributeV1{}}
	for _, a := range list {
		p.Attributes = append(p.Attributes, attributeV1(a))
	}
	return p
}

// readPreview reads a preview of either version; agents write that of one into
// messages of the other. It may be nil.
func readPreview(o *strictjson.Object) ([]Attribute, error) {
	if o == nil {
		return nil, nil
	}
	if body, _ := o.Get("body"); body != nil {
		var ok bool
		if o, ok = body.(*strictjson.Object); !ok {
			return nil, fmt.Errorf("%w: preview", ErrMalformed)
		}
	}
	v, _ := o.Get("attributes")
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, fmt.Errorf("%w: attributes of the preview", ErrMalformed)
	}
	out := make([]Attribute, 0, min(len(list), maxAttributes+1))
	for _, v := range list {
		o, ok := v.(*strictjson.Object)
		if !ok {
			return nil, fmt.Errorf("%w: attribute of the preview", ErrMalformed)
		}
		var a Attribute
		a.Name, _ = o.Text("name")
		if a.Value, ok = o.Text("value"); !ok { // a number, as some agents write
			if v, _ := o.Get("value"); v != nil {
				b, err := strictjson.Append(nil, v)
				if err != nil {
					return nil, fmt.Errorf("%w: attribute of the preview", ErrMalformed)
				}
				a.Value = string(b)
			}
		}
		if a.MediaType, ok = o.Text("mime-type"); !ok {
			a.MediaType, _ = o.Text("media_type")
		}
		if out = append(out, a); len(out) > maxAttributes {
			break
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, checkPreview(out)
}
