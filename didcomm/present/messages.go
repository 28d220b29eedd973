package present

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// The attachment formats of RFC 0510.
const (
	formatDefinition = "dif/presentation-exchange/definitions@v1.0"
	formatSubmission = "dif/presentation-exchange/submission@v1.0"
)

// requestBody is request-presentation (RFC 0454, "Request Presentation").
type requestBody struct {
	Comment  string               `json:"comment,omitempty"`
	Confirms bool                 `json:"will_confirm"`
	Formats  didcomm.Formats      `json:"formats"`
	Requests []didcomm.Attachment `json:"request_presentations~attach"`
}

// presentationBody is presentation (RFC 0454, "Presentation").
type presentationBody struct {
	Formats       didcomm.Formats      `json:"formats"`
	Presentations []didcomm.Attachment `json:"presentations~attach"`
	Attach        []didcomm.Attachment `json:"~attach,omitempty"`
}

// content returns the bytes of the attachment in a format.
func content(formats didcomm.Formats, format string, among []didcomm.Attachment) ([]byte, error) {
	a, err := formats.Find(format, among)
	if errors.Is(err, didcomm.ErrNotFound) {
		return nil, fmt.Errorf("%w: no attachment in the format %s", ErrUnsupported, format)
	}
	if err != nil {
		return nil, err
	}
	return a.Content()
}

// readRequest decodes and checks a request.
func readRequest(m *didcomm.Message) (*requestBody, *definitionContent, []Input, error) {
	var b requestBody
	if err := m.Decode(&b); err != nil {
		return nil, nil, nil, err
	}
	raw, err := content(b.Formats, formatDefinition, b.Requests)
	if err != nil {
		return nil, nil, nil, err
	}
	var c definitionContent
	if err := unmarshal(raw, &c); err != nil {
		return nil, nil, nil, err
	}
	inputs, err := readDefinition(&c)
	return &b, &c, inputs, err
}

func unmarshal(data []byte, v any) error {
	err := strictjson.Unmarshal(data, v)
	switch {
	case errors.Is(err, ErrUnsupported): // of a constraint
		return fmt.Errorf("%w: constraint", ErrUnsupported)
	case err != nil:
		return fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return nil
}

func newAttachment(id string, content any) (didcomm.Attachment, error) {
	b, err := json.Marshal(content)
	if err != nil {
		return didcomm.Attachment{}, err
	}
	return didcomm.NewAttachment(id, "application/json", b), nil
}

func clip(s string) string { return exchange.Clip(s) }
