package didcomm

import (
	"encoding/json"
	"fmt"
	"maps"
)

// NewV2 returns a message of version 2 with body as its member "body" (any value that
// encodes to a JSON object, or nil). An empty thread starts one.
func NewV2(id string, t Type, thread, parent string, body any, attachments ...Attachment) (*Message, error) {
	m, err := New(id, t, thread, parent, body)
	if err != nil {
		return nil, err
	}
	m.Version, m.Attachments = V2, attachments
	return m, nil
}

// NewWith returns a message of version v whose attachments have formats
// ([Attachment.FormatID]): in V1 they stand in the members "formats" and
// member+"~attach" of the body (RFC 0453, RFC 0454), in V2 beside it.
func NewWith(v Version, id string, t Type, thread, parent string, body any, member string, list []Attachment) (*Message, error) {
	if v.Or1() == V2 {
		return NewV2(id, t, thread, parent, body, list...)
	}
	m, err := New(id, t, thread, parent, body)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := parser().Unmarshal(m.Body, &members); err != nil {
		return nil, malformed(t.Name, err)
	}
	formats := make(Formats, 0, len(list))
	for _, a := range list {
		formats = append(formats, Format{AttachID: a.ID, Format: a.FormatID})
	}
	more := make(map[string]json.RawMessage, 2)
	for name, v := range map[string]any{"formats": formats, member + "~attach": list} {
		if more[name], err = json.Marshal(v); err != nil {
			return nil, fmt.Errorf("didcomm: %s: %w", t, err)
		}
	}
	maps.Copy(members, more)
	return New(id, t, thread, parent, members)
}

// Attached returns the attachments of a message that have formats, as [NewWith] puts
// them into it: in V1 those of the member member+"~attach", of which each must be
// listed in "formats" at most once. One that is not listed has no FormatID. Errors
// match [ErrMalformed], more than 64 of either among them.
func (m *Message) Attached(member string) ([]Attachment, error) {
	if m.Version.Or1() == V2 {
		return m.Attachments, nil
	}
	var members map[string]json.RawMessage
	if err := m.Decode(&members); err != nil {
		return nil, err
	}
	var formats Formats
	var list []Attachment
	for name, v := range map[string]any{"formats": &formats, member + "~attach": &list} {
		raw, present := members[name]
		if !present {
			continue
		}
		if err := parser().Unmarshal(raw, v); err != nil {
			return nil, malformed(m.Type.Name, err)
		}
	}
	if len(formats) > maxAttachments || len(list) > maxAttachments {
		return nil, fmt.Errorf("%w: more than %d attachments", ErrMalformed, maxAttachments)
	}
	for _, f := range formats {
		a, err := FindAttachment(list, f.AttachID)
		if err != nil {
			return nil, fmt.Errorf("%w: attachment listed in formats", ErrMalformed)
		}
		for i := range list {
			switch {
			case list[i].ID != a.ID:
			case list[i].FormatID != "":
				return nil, fmt.Errorf("%w: attachment listed in formats twice", ErrMalformed)
			default:
				list[i].FormatID = f.Format
			}
		}
	}
	return list, nil
}
