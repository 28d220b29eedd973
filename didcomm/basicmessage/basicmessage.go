// Package basicmessage carries what one person writes to another: Aries RFC 0095
// (basicmessage 1.0), and basicmessage 2.0 of didcomm.org, in both versions of DIDComm.
//
// Register a [Protocol] with the runtime for "basicmessage", 1 and 2. What comes is
// handed to [Protocol.Received]; [Protocol.Send] writes. A text is a person's words: it
// is shown to a person and acted on by nobody.
//
// The protocol has one state: its one message ends what it begins, and neither the sender
// nor the receiver waits for anything. So it has no table.
package basicmessage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/staffpassport/staffpassport/didcomm"
)

// MaxContent is the longest text in bytes that is sent or taken: several pages. What
// is longer is a document, and wants another protocol.
const MaxContent = 16 << 10

// maxLocale bounds a language tag (RFC 5646 section 4.4.1).
const maxLocale = 35

// ErrContent says that a text is empty, longer than [MaxContent] or no UTF-8.
var ErrContent = errors.New("basicmessage: text is empty, too long or not UTF-8")

// A Text is one message.
type Text struct {
	ID      string    // of the message
	Content string    // as the person wrote it, with every character it can have
	Locale  string    // language of it, such as "en"; may be empty
	Sent    time.Time // as the sender says; zero if it does not
}

// String shows nothing of the content.
func (t Text) String() string { return "basic message " + t.ID }

// Format shows what String shows, under every verb.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue is the same as String.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// A Protocol plays both roles. Store is required to send. It is safe for concurrent use
// and must not be changed after first use.
type Protocol struct {
	Store didcomm.Store // the runtime

	// Received keeps a text that came on a connection, in the transaction that records
	// it. If it is nil, a text is refused: nobody would see it.
	Received func(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, t Text) error

	Locale string           // language of what is sent; may be empty
	Now    func() time.Time // nil: time.Now
	NewID  func() string    // nil: [didcomm.NewID]
}

var _ didcomm.Handler = (*Protocol)(nil)

// body is message in V1, and in V2 the content of it.
type body struct {
	Sent    string        `json:"sent_time,omitempty"`
	Content *string       `json:"content"`
	L10n    *localisation `json:"~l10n,omitempty"`
}

type localisation struct {
	Locale string `json:"locale,omitempty"`
}

// header is what stands beside the body in V2.
type header struct {
	Lang string `json:"lang,omitempty"`
}

// Send writes a text on a connection and returns the id of the message: in V1 as 1.0,
// which every agent knows, in V2 as 2.0.
func (p *Protocol) Send(ctx context.Context, connection, content string) (id string, err error) {
	if !fits(content) {
		return "", ErrContent
	}
	id = p.newID()
	err = p.Store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := tx.Connection(connection)
		if err != nil {
			return err
		}
		m, err := p.message(c.Version, id, content)
		if err != nil {
			return err
		}
		return tx.Send(c, m)
	})
	return id, err
}

func (p *Protocol) message(v didcomm.Version, id, content string) (*didcomm.Message, error) {
	t := didcomm.Type{Protocol: "basicmessage", Major: 1, Name: "message"}
	b := body{Content: &content}
	now := p.now().UTC().Truncate(time.Second)
	if v.Or1() == didcomm.V2 {
		t.Major = 2
		m, err := didcomm.NewV2(id, t, "", "", b)
		if err != nil {
			return nil, err
		}
		m.Created = now
		m.Headers, err = json.Marshal(header{p.Locale})
		return m, err
	}
	b.Sent = now.Format(time.RFC3339)
	if p.Locale != "" {
		b.L10n = &localisation{p.Locale}
	}
	return didcomm.New(id, t, "", "", b)
}

// Handle implements [didcomm.Handler].
func (p *Protocol) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	if m.Type.Name != "message" || p.Received == nil {
		return &didcomm.Problem{Code: "message-type-unsupported", Comment: "Nobody reads such messages here."}
	}
	var b body
	if err := m.Decode(&b); err != nil {
		return err
	}
	if b.Content == nil || !fits(*b.Content) {
		return &didcomm.Problem{Code: "e.m.msg.content", Comment: "The text is empty or too long.", Err: ErrContent}
	}
	t := Text{ID: m.ID, Content: *b.Content, Sent: m.Created}
	if m.Version.Or1() == didcomm.V2 {
		var h header
		if len(m.Headers) > 0 {
			if err := (&didcomm.Message{Type: m.Type, Body: m.Headers}).Decode(&h); err != nil {
				return err
			}
		}
		t.Locale = h.Lang
	} else {
		t.Sent = sent(b.Sent)
		if b.L10n != nil {
			t.Locale = b.L10n.Locale
		}
	}
	if len(t.Locale) > maxLocale || strings.ContainsFunc(t.Locale, func(r rune) bool { return r <= ' ' || r > '~' }) {
		t.Locale = ""
	}
	return p.Received(ctx, tx, c, t)
}

// sent reads sent_time in the forms in use; another one says nothing.
func sent(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1 && t.Year() <= 9999 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// fits reports whether a text can be sent.
func fits(content string) bool {
	return content != "" && len(content) <= MaxContent && utf8.ValidString(content)
}

func (p *Protocol) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

func (p *Protocol) newID() string {
	if p.NewID == nil {
		return didcomm.NewID()
	}
	return p.NewID()
}
