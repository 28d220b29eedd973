package present

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// formatSubmission is the format of a presentation that answers a definition (RFC 0510).
const formatSubmission = "dif/presentation-exchange/submission@v1.0"

// The members of messages of version 2.0 that hold attachments, without "~attach".
const (
	memberProposals     = "proposals"
	memberRequests      = "request_presentations"
	memberPresentations = "presentations"
)

// requestBody is request-presentation (RFC 0454, "Request Presentation"), without the
// attachments and what says how they are written.
type requestBody struct {
	Comment  string `json:"comment,omitempty"`
	Confirms bool   `json:"will_confirm"`
}

// presentationBody is presentation (RFC 0454, "Presentation") in version 2.0, with what
// travels beside it in the attachment decorator (RFC 0017).
type presentationBody struct {
	Attach []didcomm.Attachment `json:"~attach,omitempty"`
}

// proposalBody is propose-presentation (RFC 0454, "Propose Presentation"). Formats
// stand in it where nothing is attached.
type proposalBody struct {
	Comment string           `json:"comment,omitempty"`
	Formats []proposedFormat `json:"formats,omitempty"`
}

type proposedFormat struct {
	AttachID string `json:"attach_id,omitempty"`
	Format   string `json:"format"`
}

// proposalContent is the attachment of a proposal: as RFC 0510 has it, no more than the
// input descriptors of a definition. Credo writes the whole definition.
type proposalContent struct {
	Inputs     []descriptor       `json:"input_descriptors"`
	Format     map[string]formats `json:"format,omitempty"`
	Definition *definition        `json:"presentation_definition,omitempty"`
}

// answers returns the format in which a request is answered.
func (q Query) answers() string {
	if q == DCQL {
		return formatToken
	}
	return formatSubmission
}

// queryOf is the inverse, also for records from before there were several.
func (x *record) query() Query {
	if x.Query == "" {
		return Definitions
	}
	return x.Query
}

// only returns the attachment in a format, of which there must be one.
func only(format string, among []didcomm.Attachment) (*didcomm.Attachment, error) {
	var found *didcomm.Attachment
	for i := range among {
		if among[i].FormatID != format {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%w: two attachments in one format", ErrMalformed)
		}
		found = &among[i]
	}
	return found, nil
}

// readRequest decodes and checks a request. Its attachments ask for the same in
// several ways (RFC 0454, "Messages"): the first that is understood counts.
func readRequest(m *didcomm.Message) (*requestBody, *asked, error) {
	var b requestBody
	if err := m.Decode(&b); err != nil {
		return nil, nil, err
	}
	list, err := m.Attached(memberRequests)
	if err != nil {
		return nil, nil, err
	}
	reason := fmt.Errorf("%w: no attachment in a format that is known", ErrUnsupported)
	first := true
	for _, a := range list {
		q := Query(a.FormatID)
		if q != Definitions && q != DCQL {
			continue
		}
		if _, err := only(a.FormatID, list); err != nil {
			return nil, nil, err
		}
		r, err := readAsked(q, a)
		if err == nil {
			return &b, r, nil
		}
		if first {
			reason, first = err, false
		}
	}
	return nil, nil, reason
}

func readAsked(q Query, a didcomm.Attachment) (*asked, error) {
	raw, err := a.Content()
	if err != nil {
		return nil, err
	}
	if len(raw) > maxQuery {
		return nil, fmt.Errorf("%w: a request of more than %d bytes", ErrUnsupported, maxQuery)
	}
	if q == DCQL {
		return readQuery(raw)
	}
	return readDefinition(raw)
}

// newRequest writes the attachments of a request, one for each language.
func newRequest(p party, r Request, definition string, o options) ([]didcomm.Attachment, error) {
	var list []didcomm.Attachment
	for _, q := range r.languages() {
		var content any
		if q == DCQL {
			query, err := newQuery(r)
			if err != nil {
				return nil, err
			}
			content = queryContent{o, *query}
		} else {
			d, err := newDefinition(definition, r)
			if err != nil {
				return nil, err
			}
			content = definitionContent{o, *d}
		}
		a, err := didcomm.NewJSONAttachment(p.NewID(), content)
		if err != nil {
			return nil, err
		}
		a.FormatID = string(q)
		list = append(list, a)
	}
	return list, nil
}

// readPresentation returns the presentation among the attachments of a message, in the
// format that answers one of the languages in which it was asked for, and what travels
// beside it: in version 3.0 that stands in the same list, without a format.
func readPresentation(m *didcomm.Message, languages []Query) (format string, content []byte, beside []didcomm.Attachment, err error) {
	list, err := m.Attached(memberPresentations)
	if err != nil {
		return "", nil, nil, err
	}
	var found *didcomm.Attachment
	for _, q := range languages {
		if found, err = only(q.answers(), list); found != nil || err != nil {
			break
		}
	}
	switch {
	case err != nil:
		return "", nil, nil, err
	case found == nil:
		return "", nil, nil, fmt.Errorf("%w: no attachment in a format that was asked for", ErrUnsupported)
	}
	if content, err = found.Content(); err != nil {
		return "", nil, nil, err
	}
	if m.Version.Or1() == didcomm.V2 {
		beside = slices.DeleteFunc(slices.Clone(list), func(a didcomm.Attachment) bool { return a.FormatID != "" })
		return found.FormatID, content, beside, nil
	}
	var b presentationBody
	if err := m.Decode(&b); err != nil {
		return "", nil, nil, err
	}
	return found.FormatID, content, b.Attach, nil
}

// readProposal reads a proposal, which may name no inputs.
func readProposal(m *didcomm.Message) (comment string, inputs []Input, err error) {
	var b proposalBody
	if err := m.Decode(&b); err != nil {
		return "", nil, err
	}
	comment = clip(b.Comment)
	list, err := proposed(m, b)
	if err != nil {
		return "", nil, err
	}
	a, err := only(string(Definitions), list)
	if a == nil || err != nil {
		return comment, nil, err
	}
	raw, err := a.Content()
	if err != nil {
		return "", nil, err
	}
	if len(raw) > maxQuery {
		return "", nil, fmt.Errorf("%w: a proposal of more than %d bytes", ErrUnsupported, maxQuery)
	}
	var c proposalContent
	if err := unmarshal(raw, &c); err != nil {
		return "", nil, err
	}
	if c.Definition != nil {
		c.Inputs, c.Format = c.Definition.Inputs, c.Definition.Format
	}
	inputs, err = readDescriptors(c.Inputs, c.Format)
	return comment, inputs, err
}

// proposed returns the attachments of a proposal. RFC 0454 calls their member
// "proposals~attach", RFC 0510 "proposal~attach"; formats without an attachment say
// what the prover knows.
func proposed(m *didcomm.Message, b proposalBody) ([]didcomm.Attachment, error) {
	if m.Version.Or1() == didcomm.V2 {
		return m.Attachments, nil
	}
	var members struct {
		Proposals []didcomm.Attachment `json:"proposals~attach"`
		Proposal  []didcomm.Attachment `json:"proposal~attach"`
	}
	if err := m.Decode(&members); err != nil {
		return nil, err
	}
	list := append(members.Proposals, members.Proposal...)
	for _, f := range b.Formats {
		i := slices.IndexFunc(list, func(a didcomm.Attachment) bool { return a.ID != "" && a.ID == f.AttachID })
		switch {
		case i >= 0 && list[i].FormatID == "":
			list[i].FormatID = f.Format
		case f.AttachID != "":
			return nil, fmt.Errorf("%w: attachment listed in formats", ErrMalformed)
		}
	}
	return list, nil
}

func unmarshal(data []byte, v any) error {
	err := strictjson.Parser{MaxValues: maxQueryValues}.Unmarshal(data, v)
	switch {
	case errors.Is(err, ErrUnsupported): // of a constraint
		return fmt.Errorf("%w: constraint", ErrUnsupported)
	case err != nil:
		return fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return nil
}

// newAttachment returns an attachment in a format with content that is JSON, or a
// token, which is a text in JSON: every agent known to us reads both.
func newAttachment(id, format, mediaType string, content []byte) (didcomm.Attachment, error) {
	a := didcomm.Attachment{ID: id, MediaType: mediaType, FormatID: format}
	if len(content) == 0 || content[0] != '{' {
		text, err := json.Marshal(string(content))
		if err != nil {
			return didcomm.Attachment{}, err
		}
		content = text
	}
	a.Data.JSON = content
	return a, nil
}

func clip(s string) string { return exchange.Clip(s) }
