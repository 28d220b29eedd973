package issue

import (
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A content is what a message of this protocol says, whatever its version. Version 2.0
// (RFC 0453) and version 3.0 put it into different places:
//
//	          2.0                                        3.0
//	Comment   "comment"                                  "body": "comment"
//	Preview   "credential_preview"                       "body": "credential_preview"
//	Formatted "formats" and, by the message's name,      "attachments" with a "format"
//	          "filters~attach", "offers~attach",
//	          "requests~attach", "credentials~attach"
//	Beside    "~attach"                                  "attachments" without one
type content struct {
	Comment   string
	Preview   []Attribute
	Formatted []didcomm.Attachment // in the formats of the registries
	Beside    []didcomm.Attachment // in none, such as the photo or a signed attachment
}

// member returns how the attachments with formats are called in version 2.0.
func member(name string) string {
	switch name {
	case propose:
		return "filters"
	case offer:
		return "offers"
	case request:
		return "requests"
	}
	return "credentials"
}

// bodyOf holds the members of a body that do not depend on the name of the message.
type bodyOf struct {
	Comment string               `json:"comment,omitempty"`
	Preview any                  `json:"credential_preview,omitempty"`
	Attach  []didcomm.Attachment `json:"~attach,omitempty"` // 2.0 alone
}

// compose returns the message of a name that says c.
func compose(v didcomm.Version, id, name, thread string, c content) (*didcomm.Message, error) {
	b := bodyOf{Comment: c.Comment}
	if name == offer || name == propose && len(c.Preview) > 0 { // some agents require it of an offer
		b.Preview = previewOf(v, id, c.Preview)
	}
	list := c.Formatted
	if v.Or1() == didcomm.V2 {
		list = append(list[:len(list):len(list)], c.Beside...)
	} else {
		b.Attach = c.Beside
	}
	return didcomm.NewWith(v, id, messageType(v, name), thread, "", b, member(name), list)
}

// readContent is compose the other way round. Attachments in formats that nobody here
// knows are kept; those of version 2.0 that are listed in none are left out.
func readContent(m *didcomm.Message) (content, error) {
	var b struct {
		Comment string               `json:"comment"`
		Preview *strictjson.Object   `json:"credential_preview"`
		Attach  []didcomm.Attachment `json:"~attach"`
	}
	if err := m.Decode(&b); err != nil {
		return content{}, err
	}
	list, err := m.Attached(member(m.Type.Name))
	if err != nil {
		return content{}, err
	}
	c := content{Comment: clip(b.Comment)}
	if c.Preview, err = readPreview(b.Preview); err != nil {
		return content{}, err
	}
	v2 := m.Version.Or1() == didcomm.V2
	for _, a := range list {
		switch {
		case a.FormatID != "":
			c.Formatted = append(c.Formatted, a)
		case v2:
			c.Beside = append(c.Beside, a)
		}
	}
	if !v2 {
		c.Beside = b.Attach
	}
	return c, nil
}

// has reports whether there is an attachment in a format.
func (c content) has(format string) bool {
	for _, a := range c.Formatted {
		if a.FormatID == format {
			return true
		}
	}
	return false
}

// find returns the one attachment in a format.
func (c content) find(format string) (a didcomm.Attachment, err error) {
	n := 0
	for i := range c.Formatted {
		if c.Formatted[i].FormatID == format {
			a, n = c.Formatted[i], n+1
		}
	}
	switch n {
	case 0:
		return a, fmt.Errorf("%w: no attachment in the format %s", ErrUnsupported, format)
	case 1:
		return a, nil
	}
	return a, fmt.Errorf("%w: two attachments in one format", ErrMalformed)
}

// read finds the attachment in a format and reads its JSON into v.
func (c content) read(format string, v any) error {
	a, err := c.find(format)
	if err != nil {
		return err
	}
	b, err := a.Content()
	if err != nil {
		return err
	}
	if err := strictjson.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %s: %v", ErrMalformed, format, err)
	}
	return nil
}

// attach returns an attachment in a format with the JSON of v, in base64 as RFC 0809
// shows it.
func attach(id, format string, v any) (didcomm.Attachment, error) {
	a, err := newAttachment(id, v)
	a.FormatID = format
	return a, err
}

var (
	// ErrUnsupported says that an offer is in a format, or asks for a binding,
	// that this package does not know.
	ErrUnsupported = errors.New("issue: offer not supported")
	// ErrMalformed says that a message in a known format breaks a rule of it.
	ErrMalformed = errors.New("issue: malformed attachment")
)
