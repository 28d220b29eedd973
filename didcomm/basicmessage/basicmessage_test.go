package basicmessage_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/basicmessage"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/didcomm/internal/printtest"
)

func party(v didcomm.Version) (*memtx.Node, *basicmessage.Protocol, *[]basicmessage.Text) {
	n := memtx.NewNodeOf(v, "c")
	var got []basicmessage.Text
	p := &basicmessage.Protocol{Store: &n.Store, Locale: "en-GB", Now: func() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 5, time.UTC) },
		Received: func(_ context.Context, _ didcomm.Tx, _ didcomm.Connection, t basicmessage.Text) error {
			got = append(got, t)
			return nil
		}}
	n.Handler = p
	return n, p, &got
}

func parse(t *testing.T, text string) *didcomm.Message {
	t.Helper()
	m, err := didcomm.ParseMessage([]byte(text))
	require.NoError(t, err)
	return m
}

func TestSendAndReceive(t *testing.T) {
	t.Parallel()
	for v, typ := range map[didcomm.Version]string{didcomm.V1: "basicmessage/1.0/message", didcomm.V2: "basicmessage/2.0/message"} {
		a, p, _ := party(v)
		b, _, got := party(v)
		const content = "The river Severn rises on Plynlimon. 🌿 <b>\u202e"
		id, err := p.Send(t.Context(), "c", content)
		require.NoError(t, err)
		trace, err := memtx.Settle(t.Context(), a, b)
		require.NoError(t, err)
		require.Len(t, trace, 1, "nothing is answered")
		require.Equal(t, "https://didcomm.org/"+typ, trace[0].Type.String())
		require.Equal(t, []basicmessage.Text{{ID: id, Content: content, Locale: "en-GB", Sent: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}}, *got)
	}
}

// As the texts of both RFCs show it, and other agents write it.
func TestMessagesOfOtherMakes(t *testing.T) {
	t.Parallel()
	at := time.Date(2019, 1, 15, 18, 42, 1, 0, time.UTC)
	for name, tt := range map[string]struct {
		text string
		want basicmessage.Text
	}{
		"RFC 0095": {`{"@id":"1","@type":"https://didcomm.org/basicmessage/1.0/message","~l10n":{"locale":"en"},"sent_time":"2019-01-15 18:42:01Z","content":"Willow"}`,
			basicmessage.Text{ID: "1", Content: "Willow", Locale: "en", Sent: at}},
		"2.0 in V1": {`{"@id":"1","@type":"https://didcomm.org/basicmessage/2.0/message","sent_time":"2019-01-15T18:42:01+00:00","content":"Willow"}`,
			basicmessage.Text{ID: "1", Content: "Willow", Sent: at}},
		"2.0 in V2": {`{"id":"1","type":"https://didcomm.org/basicmessage/2.0/message","lang":"en","created_time":1547577721,"body":{"content":"Willow"}}`,
			basicmessage.Text{ID: "1", Content: "Willow", Locale: "en", Sent: at}},
		"no time": {`{"@id":"1","@type":"https://didcomm.org/basicmessage/1.3/message","content":"Willow","x":1}`,
			basicmessage.Text{ID: "1", Content: "Willow"}},
		"odd time and locale": {`{"@id":"1","@type":"https://didcomm.org/basicmessage/1.0/message","content":"Willow","sent_time":"yesterday","~l10n":{"locale":"a\nb"}}`,
			basicmessage.Text{ID: "1", Content: "Willow"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := parse(t, tt.text)
			n, p, got := party(m.Version.Or1())
			require.NoError(t, n.Store.Deliver(t.Context(), p, "c", m))
			require.Equal(t, []basicmessage.Text{tt.want}, *got)
		})
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	n, p, got := party(didcomm.V1)
	message := func(id, rest string) *didcomm.Message {
		return parse(t, `{"@id":"`+id+`","@type":"https://didcomm.org/basicmessage/1.0/message"`+rest+`}`)
	}
	long := strings.Repeat("é", basicmessage.MaxContent/2)
	require.NoError(t, n.Store.Deliver(t.Context(), p, "c", message("fits", `,"content":"`+long+`"`)))
	for id, rest := range map[string]string{"none": ``, "empty": `,"content":""`, "null": `,"content":null`, "long": `,"content":"` + long + `x"`} {
		err := n.Store.Deliver(t.Context(), p, "c", message(id, rest))
		var problem *didcomm.Problem
		require.True(t, errors.As(err, &problem), id)
		require.ErrorIs(t, err, basicmessage.ErrContent, id)
	}
	for id, rest := range map[string]string{"number": `,"content":1`, "object": `,"content":{}`, "locale": `,"content":"x","~l10n":"en"`, "time": `,"content":"x","sent_time":5`} {
		require.ErrorIs(t, n.Store.Deliver(t.Context(), p, "c", message(id, rest)), didcomm.ErrMalformed, id)
	}
	require.Len(t, *got, 1)

	p.Received = nil
	var problem *didcomm.Problem
	require.True(t, errors.As(n.Store.Deliver(t.Context(), p, "c", message("unread", `,"content":"x"`)), &problem), "nobody would read it")

	for _, content := range []string{"", long + "x", "\xff"} {
		_, err := p.Send(t.Context(), "c", content)
		require.ErrorIs(t, err, basicmessage.ErrContent)
	}
	_, err := p.Send(t.Context(), "nobody", "x")
	require.ErrorIs(t, err, didcomm.ErrNotFound)
}

// A text that could not be kept counts as not received.
func TestReceivedFails(t *testing.T) {
	t.Parallel()
	n, p, _ := party(didcomm.V1)
	full := errors.New("full")
	p.Received = func(context.Context, didcomm.Tx, didcomm.Connection, basicmessage.Text) error { return full }
	m := parse(t, `{"@id":"1","@type":"https://didcomm.org/basicmessage/1.0/message","content":"x"}`)
	require.ErrorIs(t, n.Store.Deliver(t.Context(), p, "c", m), full)
	p.Received = func(context.Context, didcomm.Tx, didcomm.Connection, basicmessage.Text) error { return nil }
	require.NoError(t, n.Store.Deliver(t.Context(), p, "c", m))
}

func TestWire(t *testing.T) {
	t.Parallel()
	for v, want := range map[didcomm.Version]string{
		didcomm.V1: `{"@type":"https://didcomm.org/basicmessage/1.0/message","@id":"id","content":"x","sent_time":"2026-11-22T09:00:00Z","~l10n":{"locale":"en-GB"}}`,
		didcomm.V2: `{"type":"https://didcomm.org/basicmessage/2.0/message","typ":"application/didcomm-plain+json","id":"id","from":"did:example:mine-c","to":["did:example:theirs-c"],"created_time":1795338000,"lang":"en-GB","body":{"content":"x"}}`,
	} {
		n, p, _ := party(v)
		p.NewID = func() string { return "id" }
		_, err := p.Send(t.Context(), "c", "x")
		require.NoError(t, err)
		plaintext, err := n.Store.TakeOutbox()[0].Message.Plaintext()
		require.NoError(t, err)
		require.JSONEq(t, want, string(plaintext))
	}
}

func TestPrint(t *testing.T) {
	t.Parallel()
	printtest.Check(t, []any{basicmessage.Text{}}, map[string]string{"Protocol": "configuration"}, "ID")
}

func FuzzHandle(f *testing.F) {
	f.Add([]byte(`{"content":"x","sent_time":"2019-01-15 18:42:01Z","~l10n":{"locale":"en"}}`), false)
	f.Add([]byte(`{"content":"x"}`), true)
	f.Fuzz(func(t *testing.T, body []byte, v2 bool) {
		m := &didcomm.Message{ID: "1", Type: didcomm.Type{Protocol: "basicmessage", Major: 1, Name: "message"}, Body: body}
		if v2 {
			m.Version, m.Headers = didcomm.V2, json.RawMessage(body)
		}
		_, p, got := party(didcomm.V1)
		if p.Handle(context.Background(), nil, didcomm.Connection{}, m) != nil {
			require.Empty(t, *got)
			return
		}
		require.NotEmpty(t, (*got)[0].Content)
		require.LessOrEqual(t, len((*got)[0].Content), basicmessage.MaxContent)
	})
}
