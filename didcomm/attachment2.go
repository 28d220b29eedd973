package didcomm

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// maxHash bounds the text of a multihash: one of SHA-512 in hexadecimal has 132
// characters.
const maxHash = 256

// parseAttachment2 reads an attachment of V2 (DIDComm Messaging 2.1, "Attachments"):
//
//	{"id": ID, "description": ..., "filename": ..., "media_type": MediaType, "format": FormatID,
//	 "data": {"base64" | "json" | "links": ..., "hash": ..., "jws": ...}}
func parseAttachment2(o *strictjson.Object) (Attachment, error) {
	var a Attachment
	for name, to := range map[string]*string{
		"id": &a.ID, "description": &a.Description, "filename": &a.Filename, "media_type": &a.MediaType, "format": &a.FormatID,
	} {
		var err error
		if *to, _, err = optionalText(o, name); err != nil {
			return a, err
		}
	}
	data, err := decorator(o, "data")
	if err != nil {
		return a, err
	}
	if data == nil {
		return a, fmt.Errorf("%w: attachment without data", ErrMalformed)
	}
	a.Data, err = parseData2(data)
	return a, err
}

func parseData2(o *strictjson.Object) (d AttachmentData, err error) {
	if d.Base64, _, err = optionalText(o, "base64"); err != nil {
		return d, err
	}
	hash, present, err := optionalText(o, "hash")
	if err != nil {
		return d, err
	}
	if present {
		d.SHA256 = sha256Of(hash)
	}
	for name, to := range map[string]*json.RawMessage{"json": &d.JSON, "jws": &d.JWS} {
		v, _ := o.Get(name)
		if v == nil {
			continue
		}
		if *to, err = strictjson.Append(nil, v); err != nil {
			return d, malformed("attachment", err)
		}
	}
	v, _ := o.Get("links")
	list, ok := v.([]any)
	if v != nil && !ok {
		return d, fmt.Errorf("%w: links of an attachment", ErrMalformed)
	}
	for _, v := range list {
		link, ok := v.(string)
		if !ok {
			return d, fmt.Errorf("%w: links of an attachment", ErrMalformed)
		}
		d.Links = append(d.Links, link)
	}
	return d, nil
}

// otherHash stands before a multihash that is none of SHA-256.
const otherHash = "multihash:"

// sha256Of returns the digest in a multihash of SHA-256, in hexadecimal. The
// specification does not say how a multihash is written: it is read as multibase, in
// base58 and in hexadecimal. Any other is kept; since the content can be compared with
// none, it is refused when it is asked for.
func sha256Of(hash string) string {
	for _, decode := range []func(string, int) ([]byte, error){
		multiformat.Decode, multiformat.DecodeBase58,
		func(s string, limit int) ([]byte, error) { return hex.DecodeString(s[:min(len(s), limit)]) },
	} {
		b, err := decode(hash, maxHash)
		if err != nil {
			continue
		}
		if sum, err := multiformat.ParseSHA256Multihash(b); err == nil {
			return hex.EncodeToString(sum[:])
		}
	}
	return otherHash + hash
}

// tree2 is the attachment as a message of V2 holds it.
func (a Attachment) tree2() (*strictjson.Object, error) {
	out := strictjson.NewObject()
	for _, m := range []struct{ name, value string }{
		{"id", a.ID}, {"description", a.Description}, {"filename", a.Filename}, {"media_type", a.MediaType}, {"format", a.FormatID},
	} {
		if m.value != "" {
			out.Set(m.name, m.value)
		}
	}
	data := strictjson.NewObject()
	if a.Data.Base64 != "" {
		data.Set("base64", a.Data.Base64)
	}
	for _, m := range []struct {
		name  string
		value json.RawMessage
	}{{"json", a.Data.JSON}, {"jws", a.Data.JWS}} {
		if len(m.value) == 0 {
			continue
		}
		v, err := parser().Parse(m.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		data.Set(m.name, v)
	}
	if len(a.Data.Links) > 0 {
		links := make([]any, len(a.Data.Links))
		for i, link := range a.Data.Links {
			links[i] = link
		}
		data.Set("links", links)
	}
	if a.Data.SHA256 != "" {
		hash, other := strings.CutPrefix(a.Data.SHA256, otherHash)
		if !other {
			sum, err := hex.DecodeString(hash)
			if err != nil || len(sum) != 32 {
				return nil, fmt.Errorf("%w: sha256 of an attachment", ErrMalformed)
			}
			hash = multiformat.Base58(multiformat.SHA256Multihash([32]byte(sum)))
		}
		data.Set("hash", hash)
	}
	out.Set("data", data)
	return out, nil
}
