package didcomm

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// typPlain is the media type of plaintext messages of V2 (DIDComm Messaging 2.1,
// "IANA Media Types"), which a message may leave out, with or without its prefix.
const typPlain = "application/didcomm-plain+json"

const (
	// maxRecipients bounds the DIDs in "to". Each of a message's recipients gets an
	// envelope of its own; a group of this size is not known.
	maxRecipients = 128
	// maxAttachments bounds what a reader has to look through.
	maxAttachments = 64
	// maxFromPrior fits a JWT with two DIDs of the longest kind, in base64url.
	maxFromPrior = 80 << 10
)

// headersV2 are the members of a message of V2 that a Message holds outside Headers.
func headersV2() []string {
	return []string{"id", "type", "typ", "from", "to", "thid", "pthid", "created_time", "expires_time",
		"from_prior", "return_route", "body", "attachments"}
}

// parseV2 reads a message of V2 (DIDComm Messaging 2.1, "Message Headers").
func parseV2(obj *strictjson.Object) (*Message, error) {
	m := &Message{Version: V2}
	typ, _ := obj.Text("type")
	var err error
	if m.Type, err = ParseType(typ); err != nil {
		return nil, err
	}
	if m.ID, _ = obj.Text("id"); !identifier(m.ID, maxID) {
		return nil, fmt.Errorf("%w: id", ErrMalformed)
	}
	for _, read := range []func(*strictjson.Object) error{
		m.readTyp, m.readParties, m.readThread2, m.readTimes, m.readRoute, m.readBody, m.readAttachments, m.readHeaders,
	} {
		if err := read(obj); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Message) readTyp(obj *strictjson.Object) error {
	typ, present, err := optionalText(obj, "typ")
	if err == nil && present && typ != typPlain && "application/"+typ != typPlain {
		err = fmt.Errorf("%w: typ", ErrMalformed)
	}
	return err
}

// readParties reads from, to and from_prior. A DID URL stands for its DID.
func (m *Message) readParties(obj *strictjson.Object) error {
	from, present, err := optionalText(obj, "from")
	if err != nil {
		return err
	}
	if present {
		if m.From, err = party(from); err != nil {
			return err
		}
	}
	v, _ := obj.Get("to")
	list, ok := v.([]any)
	if v != nil && !ok || len(list) > maxRecipients {
		return fmt.Errorf("%w: to", ErrMalformed)
	}
	for _, v := range list {
		text, _ := v.(string)
		to, err := party(text)
		if err != nil {
			return err
		}
		m.To = append(m.To, to)
	}
	m.FromPrior, _, err = optionalText(obj, "from_prior")
	if err == nil && m.FromPrior != "" && !identifier(m.FromPrior, maxFromPrior) {
		err = fmt.Errorf("%w: from_prior", ErrMalformed)
	}
	return err
}

// party reads a DID, or a DID URL without a fragment.
func party(s string) (did.DID, error) {
	u, err := did.ParseURL(s)
	if err != nil || u.Fragment != "" {
		return did.DID{}, fmt.Errorf("%w: from or to is no DID", ErrMalformed)
	}
	return u.DID, nil
}

func (m *Message) readThread2(obj *strictjson.Object) error {
	m.Thread = m.ID
	if thid, present, err := optionalText(obj, "thid"); err != nil {
		return err
	} else if present {
		m.Thread = thid
	}
	var err error
	if m.Parent, _, err = optionalText(obj, "pthid"); err != nil {
		return err
	}
	if !identifier(m.Thread, maxID) || m.Parent != "" && !identifier(m.Parent, maxParent) {
		return fmt.Errorf("%w: thid or pthid", ErrMalformed)
	}
	return nil
}

func (m *Message) readTimes(obj *strictjson.Object) (err error) {
	if m.Created, err = epoch(obj, "created_time"); err != nil {
		return err
	}
	m.Expires, err = epoch(obj, "expires_time")
	return err
}

// lastSecond is the last one that four digits of a year can tell.
const lastSecond = 253402300799

// epoch reads a time in whole seconds since 1970.
func epoch(obj *strictjson.Object, name string) (time.Time, error) {
	v, _ := obj.Get(name)
	if v == nil {
		return time.Time{}, nil
	}
	number, _ := v.(strictjson.Number)
	n, err := number.Int64()
	if err != nil || n < 0 || n > lastSecond {
		return time.Time{}, fmt.Errorf("%w: %s", ErrMalformed, name)
	}
	return time.Unix(n, 0).UTC(), nil
}

// readRoute reads return_route, whose values are those of RFC 0092. One that somebody
// will define later is no request.
func (m *Message) readRoute(obj *strictjson.Object) error {
	route, present, err := optionalText(obj, "return_route")
	if present && returnRoute(route) {
		m.ReturnRoute = route
	}
	return err
}

// readBody reads the body, which may be absent.
func (m *Message) readBody(obj *strictjson.Object) error {
	v, _ := obj.Get("body")
	if v == nil {
		m.Body = json.RawMessage("{}")
		return nil
	}
	body, ok := v.(*strictjson.Object)
	if !ok {
		return fmt.Errorf("%w: body", ErrMalformed)
	}
	var err error
	if m.Body, err = strictjson.Append(nil, body); err != nil {
		return malformed("body", err)
	}
	return nil
}

func (m *Message) readAttachments(obj *strictjson.Object) error {
	v, _ := obj.Get("attachments")
	list, ok := v.([]any)
	if v != nil && !ok || len(list) > maxAttachments {
		return fmt.Errorf("%w: attachments", ErrMalformed)
	}
	for _, v := range list {
		o, ok := v.(*strictjson.Object)
		if !ok {
			return fmt.Errorf("%w: attachment", ErrMalformed)
		}
		a, err := parseAttachment2(o)
		if err != nil {
			return err
		}
		m.Attachments = append(m.Attachments, a)
	}
	return nil
}

// readHeaders keeps what is left. A second spelling of a header that has a meaning is
// refused: some reader may take it for the real one.
func (m *Message) readHeaders(obj *strictjson.Object) error {
	for _, name := range headersV2() {
		obj.Delete(name)
	}
	if obj.Len() == 0 {
		return nil
	}
	if name, found := reservedV2(obj); found {
		return fmt.Errorf("%w: a second spelling of %s", ErrMalformed, name)
	}
	var err error
	if m.Headers, err = strictjson.Append(nil, obj); err != nil {
		return malformed("headers", err)
	}
	return nil
}

func reservedV2(headers *strictjson.Object) (name string, found bool) {
	for name := range headers.All() {
		for _, known := range headersV2() {
			if strings.EqualFold(name, known) {
				return known, true
			}
		}
	}
	return "", false
}

// treeV2 is the message with its headers.
func (m *Message) treeV2(thread string) (*strictjson.Object, error) {
	out := strictjson.NewObject()
	set := func(name, value string) {
		if value != "" {
			out.Set(name, value)
		}
	}
	set("id", m.ID)
	set("type", m.Type.String())
	set("typ", typPlain)
	set("from", m.From.String())
	if len(m.To) > 0 {
		if len(m.To) > maxRecipients {
			return nil, fmt.Errorf("%w: %s has more than %d recipients", ErrPermanent, m.Type, maxRecipients)
		}
		to := make([]any, len(m.To))
		for i, id := range m.To {
			to[i] = id.String()
		}
		out.Set("to", to)
	}
	if thread != m.ID {
		set("thid", thread)
	}
	set("pthid", m.Parent)
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"created_time", m.Created}, {"expires_time", m.Expires}} {
		if t.at.IsZero() {
			continue
		}
		n := t.at.Unix()
		if n < 0 || n > lastSecond {
			return nil, fmt.Errorf("%w: %s of %s", ErrPermanent, t.name, m.Type)
		}
		out.Set(t.name, strictjson.Number(strconv.FormatInt(n, 10)))
	}
	if m.FromPrior != "" && !identifier(m.FromPrior, maxFromPrior) {
		return nil, fmt.Errorf("%w: from_prior of %s", ErrPermanent, m.Type)
	}
	set("from_prior", m.FromPrior)
	set("return_route", m.ReturnRoute)
	return out, m.appendContent(out)
}

// appendContent adds the further headers, the body and the attachments.
func (m *Message) appendContent(out *strictjson.Object) error {
	if len(m.Headers) > 0 {
		headers, err := parser().ParseObject(m.Headers)
		if err != nil {
			return fmt.Errorf("%w: headers of %s: %w", ErrPermanent, m.Type, err)
		}
		if name, found := reservedV2(headers); found {
			return fmt.Errorf("%w: headers of %s hold %s", ErrPermanent, m.Type, name)
		}
		for name, v := range headers.All() {
			out.Set(name, v)
		}
	}
	body, err := parser().ParseObject(m.Body)
	if err != nil {
		return fmt.Errorf("%w: body of %s: %w", ErrPermanent, m.Type, err)
	}
	out.Set("body", body)
	if len(m.Attachments) == 0 {
		return nil
	}
	if len(m.Attachments) > maxAttachments {
		return fmt.Errorf("%w: %s has more than %d attachments", ErrPermanent, m.Type, maxAttachments)
	}
	list := make([]any, len(m.Attachments))
	for i, a := range m.Attachments {
		if list[i], err = a.tree2(); err != nil {
			return fmt.Errorf("%w: attachment of %s: %w", ErrPermanent, m.Type, err)
		}
	}
	out.Set("attachments", list)
	return nil
}
