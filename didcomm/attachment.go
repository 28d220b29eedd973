package didcomm

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// An Attachment is one attachment descriptor (RFC 0017, "Attachment Descriptor
// structure"), as the members of a body whose names end in "~attach" hold it.
//
//	{"@id": ID, "mime-type": MediaType, "filename": ..., "description": ...,
//	 "data": {"base64" | "json" | "links": ..., "sha256": ..., "jws": ...}}
//
// What a peer says about its attachment (MediaType, Filename, Description) is
// not proven by anything and is not interpreted here.
type Attachment struct {
	ID          string         `json:"@id,omitempty"`
	MediaType   string         `json:"mime-type,omitempty"`
	Filename    string         `json:"filename,omitempty"`
	Description string         `json:"description,omitempty"`
	Data        AttachmentData `json:"data"`

	// FormatID says what the content is, such as "didcomm/w3c-di-vc@v0.1". Version 2 has
	// it in the attachment, version 1 in a list beside it: see [Message.Attached].
	FormatID string `json:"-"`
}

// AttachmentData is where the content of an [Attachment] is: in exactly one of
// Base64, JSON and Links. Read it with [Attachment.Content].
type AttachmentData struct {
	Base64 string          `json:"base64,omitempty"`
	JSON   json.RawMessage `json:"json,omitempty"`
	Links  []string        `json:"links,omitempty"`  // never fetched
	SHA256 string          `json:"sha256,omitempty"` // of the content, in hexadecimal
	JWS    json.RawMessage `json:"jws,omitempty"`    // see [Attachment.VerifyKey]
}

// NewAttachment returns an attachment that carries content in base64url without
// padding (RFC 0017, "base64url"). It can be signed; see [Attachment.Sign].
func NewAttachment(id, mediaType string, content []byte) Attachment {
	return Attachment{ID: id, MediaType: mediaType, Data: AttachmentData{
		Base64: base64.RawURLEncoding.EncodeToString(content),
	}}
}

// NewJSONAttachment returns an attachment that carries the JSON of v as JSON
// (RFC 0017, "json"), which every agent known to us reads and which is a quarter
// smaller than base64. It cannot be signed. The error is that of encoding v.
func NewJSONAttachment(id string, v any) (Attachment, error) {
	content, err := json.Marshal(v)
	if err != nil {
		return Attachment{}, fmt.Errorf("didcomm: attachment: %w", err)
	}
	return Attachment{ID: id, MediaType: "application/json", Data: AttachmentData{JSON: content}}, nil
}

// Content returns the bytes that the attachment carries. Base64 is read in
// either alphabet, with or without padding. An attachment that holds its content
// twice, not at all, empty or by reference only is refused, and so is one whose
// sha256 is another; a sha256 beside JSON is refused too, since RFC 0017 does
// not say of which bytes it is. No link is ever fetched. Errors match
// [ErrMalformed]. A signature is not looked at: see [Attachment.VerifyKey].
func (a Attachment) Content() ([]byte, error) {
	embedded := a.Data.embedded()
	switch {
	case len(a.Data.Links) > 0:
		return nil, fmt.Errorf("%w: attachment by reference", ErrMalformed)
	case a.Data.Base64 == "" && !embedded:
		return nil, fmt.Errorf("%w: attachment without content", ErrMalformed)
	case a.Data.Base64 != "" && embedded:
		return nil, fmt.Errorf("%w: attachment with two contents", ErrMalformed)
	case embedded && a.Data.SHA256 != "":
		return nil, fmt.Errorf("%w: attachment with a sha256 of json", ErrMalformed)
	case embedded:
		return bytes.Clone(a.Data.JSON), nil
	}
	content, ok := decodeBase64(a.Data.Base64)
	if !ok {
		return nil, fmt.Errorf("%w: attachment base64", ErrMalformed)
	}
	if a.Data.SHA256 != "" {
		want, err := hex.DecodeString(a.Data.SHA256)
		got := sha256.Sum256(content)
		if err != nil || subtle.ConstantTimeCompare(got[:], want) != 1 {
			return nil, fmt.Errorf("%w: attachment sha256", ErrMalformed)
		}
	}
	return content, nil
}

// embedded reports whether there is embedded JSON; null stands for none.
func (d AttachmentData) embedded() bool {
	return len(d.JSON) > 0 && string(d.JSON) != "null"
}

// String names the attachment without its content, so that a log line cannot hold a
// claim. The @id is the peer's: it is quoted, and shortened.
func (a Attachment) String() string { return fmt.Sprintf("attachment %q", clip(a.ID, 128)) }

// Format shows what String shows, under every verb.
func (a Attachment) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// LogValue is the same as String.
func (a Attachment) LogValue() slog.Value { return slog.StringValue(a.String()) }

// String shows nothing of the content.
func (d AttachmentData) String() string { return "attachment data" }

// Format shows what String shows, under every verb.
func (d AttachmentData) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// LogValue is the same as String.
func (d AttachmentData) LogValue() slog.Value { return slog.StringValue(d.String()) }

// FindAttachment returns the attachment with that @id. None is [ErrNotFound];
// more than one, or an empty id, matches [ErrMalformed].
func FindAttachment(among []Attachment, id string) (Attachment, error) {
	if id == "" {
		return Attachment{}, fmt.Errorf("%w: attachment without @id", ErrMalformed)
	}
	found := -1
	for i := range among {
		if among[i].ID != id {
			continue
		}
		if found >= 0 {
			return Attachment{}, fmt.Errorf("%w: two attachments with one @id", ErrMalformed)
		}
		found = i
	}
	if found < 0 {
		return Attachment{}, fmt.Errorf("%w: attachment", ErrNotFound)
	}
	return among[found], nil
}

// Formats is the "formats" member of the messages of RFC 0453 and RFC 0454: it
// says in which format each attachment is.
type Formats []Format

// A Format names the format of the attachment with the @id AttachID.
type Format struct {
	AttachID string `json:"attach_id"`
	Format   string `json:"format"` // such as "didcomm/w3c-di-vc@v0.1"
}

// Find returns the attachment that is in the given format. A format that is not
// listed is [ErrNotFound]; one that is listed twice, or whose attachment is
// missing or there twice, matches [ErrMalformed].
func (f Formats) Find(format string, among []Attachment) (Attachment, error) {
	found := -1
	for i := range f {
		if f[i].Format != format {
			continue
		}
		if found >= 0 {
			return Attachment{}, fmt.Errorf("%w: two attachments of one format", ErrMalformed)
		}
		found = i
	}
	if found < 0 {
		return Attachment{}, fmt.Errorf("%w: attachment format", ErrNotFound)
	}
	for _, a := range among {
		if a.ID == f[found].AttachID && a.ID != "" {
			return FindAttachment(among, a.ID)
		}
	}
	return Attachment{}, fmt.Errorf("%w: attachment listed in formats is missing", ErrMalformed)
}

// decodeBase64 reads base64 in either alphabet, with the padding RFC 4648 section
// 3.2 asks for or with none. Line breaks, a mixture of alphabets and bits that
// belong to no byte are refused, so that content has few spellings.
func decodeBase64(s string) ([]byte, bool) {
	if text, padded := strings.CutSuffix(s, "="); padded {
		if len(s)%4 != 0 {
			return nil, false
		}
		s = strings.TrimSuffix(text, "=")
	}
	if strings.ContainsAny(s, "\r\n") { // encoding/base64 would skip them
		return nil, false
	}
	encoding := base64.RawURLEncoding
	if strings.ContainsAny(s, "+/") {
		encoding = base64.RawStdEncoding
	}
	content, err := encoding.Strict().DecodeString(s)
	return content, err == nil
}
