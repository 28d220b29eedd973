package didcomm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

func pingType() didcomm.Type {
	return didcomm.Type{Protocol: "trust_ping", Major: 1, Name: "ping"}
}

func TestMessageRoundTrip(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]didcomm.Message{
		"smallest": {ID: "m-1", Type: pingType(), Thread: "m-1", Body: json.RawMessage(`{}`)},
		"reply":    {ID: "m-2", Type: pingType(), Thread: "m-1", Body: json.RawMessage(`{"comment":"back"}`)},
		"parent":   {ID: "m-3", Type: pingType(), Thread: "m-3", Parent: "inv-1", Body: json.RawMessage(`{}`)},
		"parent that is a DID URL": {ID: "m-4", Type: pingType(), Thread: "m-4",
			Parent: "did:example:21tDAKCERh95uGgKbJNHYp#didcomm", Body: json.RawMessage(`{}`)},
		"expiry": {ID: "m-5", Type: pingType(), Thread: "m-1",
			Expires: time.Date(2030, 2, 3, 4, 5, 6, 789e6, time.UTC), Body: json.RawMessage(`{}`)},
		"order of members kept": {ID: "m-6", Type: pingType(), Thread: "m-1",
			Body: json.RawMessage(`{"z":1,"a":[true,null,{"c":1.5e3,"b":"é<"}],"~please_ack":{}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plaintext, err := m.Plaintext()
			require.NoError(t, err)
			got, err := didcomm.ParseMessage(plaintext)
			require.NoError(t, err)
			require.Equal(t, &m, got)
			again, err := got.Plaintext()
			require.NoError(t, err)
			require.Equal(t, string(plaintext), string(again))
		})
	}
}

func TestParseMessageAsPeersWriteIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, json             string
		thread, parent, expiry string
	}{
		{name: "no thread", json: `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping"}`, thread: "a1"},
		{name: "thread without thid", json: `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","~thread":{"pthid":"p"}}`, thread: "a1", parent: "p"},
		{name: "orders", json: `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","~thread":{"thid":"t","sender_order":3,"received_orders":{"did:x:y":1}}}`, thread: "t"},
		{name: "null decorators", json: `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","~thread":null,"~timing":null}`, thread: "a1"},
		{name: "empty thid and pthid", json: `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","~thread":{"thid":"","pthid":null}}`, thread: "a1"},
		{name: "return route", json: `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","~transport":{"return_route":"all"}}`, thread: "a1"},
		{name: "time of RFC 3339", json: `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","~timing":{"expires_time":"2019-01-25T19:25:00+01:00"}}`, thread: "a1", expiry: "2019-01-25T18:25:00Z"},
		{name: "time of RFC 0032", json: `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","~timing":{"expires_time":"2019-01-25 18:25Z","delay_milli":12345}}`, thread: "a1", expiry: "2019-01-25T18:25:00Z"},
		{name: "time of RFC 0048", json: `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","~timing":{"expires_time":"2018-12-15 05:29:23Z"}}`, thread: "a1", expiry: "2018-12-15T05:29:23Z"},
		{name: "time without seconds", json: `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","~timing":{"expires_time":"2018-12-15T05:29Z"}}`, thread: "a1", expiry: "2018-12-15T05:29:00Z"},
		{name: "time that is not set", json: `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","~timing":{"expires_time":"0001-01-01T00:00:00Z"}}`, thread: "a1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := didcomm.ParseMessage([]byte(tt.json))
			require.NoError(t, err)
			require.Equal(t, tt.thread, m.Thread)
			require.Equal(t, tt.parent, m.Parent)
			if tt.expiry == "" {
				require.True(t, m.Expires.IsZero())
			} else {
				require.Equal(t, tt.expiry, m.Expires.Format(time.RFC3339))
			}
		})
	}
}

func TestParseMessageRefuses(t *testing.T) {
	t.Parallel()
	const typ = `"@type":"https://didcomm.org/trust_ping/1.0/ping"`
	for name, text := range map[string]string{
		"nothing":             ``,
		"array":               `[]`,
		"string":              `"x"`,
		"null":                `null`,
		"trailing data":       `{"@id":"a1",` + typ + `} {}`,
		"no type":             `{"@id":"a1"}`,
		"type not text":       `{"@id":"a1","@type":1}`,
		"no id":               `{` + typ + `}`,
		"empty id":            `{"@id":"",` + typ + `}`,
		"id not text":         `{"@id":7,` + typ + `}`,
		"id null":             `{"@id":null,` + typ + `}`,
		"id with line break":  `{"@id":"a\nb",` + typ + `}`,
		"id with space":       `{"@id":"a b",` + typ + `}`,
		"id not ASCII":        `{"@id":"é",` + typ + `}`,
		"long id":             `{"@id":"` + strings.Repeat("a", 129) + `",` + typ + `}`,
		"thread not object":   `{"@id":"a1",` + typ + `,"~thread":"t"}`,
		"thid not text":       `{"@id":"a1",` + typ + `,"~thread":{"thid":1}}`,
		"pthid not text":      `{"@id":"a1",` + typ + `,"~thread":{"pthid":{}}}`,
		"long thid":           `{"@id":"a1",` + typ + `,"~thread":{"thid":"` + strings.Repeat("a", 129) + `"}}`,
		"long pthid":          `{"@id":"a1",` + typ + `,"~thread":{"pthid":"` + strings.Repeat("a", 1025) + `"}}`,
		"thid with control":   `{"@id":"a1",` + typ + `,"~thread":{"thid":"a\u0000b"}}`,
		"timing not object":   `{"@id":"a1",` + typ + `,"~timing":[]}`,
		"time not text":       `{"@id":"a1",` + typ + `,"~timing":{"expires_time":1}}`,
		"time without zone":   `{"@id":"a1",` + typ + `,"~timing":{"expires_time":"2019-01-25T18:25:00"}}`,
		"time out of range":   `{"@id":"a1",` + typ + `,"~timing":{"expires_time":"2019-13-25T18:25:00Z"}}`,
		"time before year 1":  `{"@id":"a1",` + typ + `,"~timing":{"expires_time":"0000-12-31T23:00:00Z"}}`,
		"time in year 10000":  `{"@id":"a1",` + typ + `,"~timing":{"expires_time":"9999-12-31T23:59:59-01:00"}}`,
		"zero time elsewhere": `{"@id":"a1",` + typ + `,"~timing":{"expires_time":"0001-01-01T01:00:00+01:00"}}`,
		"too deep":            `{"@id":"a1",` + typ + `,"x":` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := didcomm.ParseMessage([]byte(text))
			require.ErrorIs(t, err, didcomm.ErrMalformed)
			require.Nil(t, m)
		})
	}
}

// A body that two readers would read differently never becomes a message.
func TestAbuse_DI21_DIDCommBody(t *testing.T) {
	t.Parallel()
	const head = `{"@id":"a1","@type":"https://didcomm.org/issue-credential/2.0/issue-credential"`
	for name, text := range map[string]string{
		"type twice":              head + `,"@type":"https://didcomm.org/issue-credential/2.0/ack"}`,
		"id twice":                head + `,"@id":"a2"}`,
		"id in other case":        head + `,"@ID":"a2"}`,
		"thread twice":            head + `,"~thread":{"thid":"t1"},"~thread":{"thid":"t2"}}`,
		"thread in other case":    head + `,"~thread":{"thid":"t1"},"~Thread":{"thid":"t2"}}`,
		"thid twice":              head + `,"~thread":{"thid":"t1","thid":"t2"}}`,
		"thid by escape":          head + `,"~thread":{"thid":"t1","th\u0069d":"t2"}}`,
		"only in other case":      head + `,"~THREAD":{"thid":"t1"}}`,
		"issuer twice":            head + `,"credentials~attach":[{"data":{"json":{"issuer":"good","issuer":"evil"}}}]}`,
		"issuer in other case":    head + `,"credentials~attach":[{"data":{"json":{"issuer":"good","ISSUER":"evil"}}}]}`,
		"attachment id twice":     head + `,"credentials~attach":[{"@id":"1","@id":"2","data":{"base64":"AA"}}]}`,
		"content in other case":   head + `,"credentials~attach":[{"data":{"base64":"AA","BASE64":"AQ"}}]}`,
		"same name, equal values": head + `,"comment":"x","comment":"x"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := didcomm.ParseMessage([]byte(text))
			require.ErrorIs(t, err, didcomm.ErrMalformed)
			require.Nil(t, m)
		})
	}
	for name, body := range map[string]string{
		"decoded twice":         `{"comment":"a","comment":"b"}`,
		"decoded in other case": `{"comment":"a","Comment":"b"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &didcomm.Message{ID: "a1", Type: pingType(), Thread: "a1", Body: json.RawMessage(body)}
			var v struct {
				Comment string `json:"comment"`
			}
			require.ErrorIs(t, m.Decode(&v), didcomm.ErrMalformed)
			require.Empty(t, v.Comment)
			_, err := m.Plaintext()
			require.Error(t, err)
		})
	}
}

func TestPlaintextRefuses(t *testing.T) {
	t.Parallel()
	body := json.RawMessage(`{}`)
	for name, m := range map[string]didcomm.Message{
		"no id":               {Type: pingType(), Thread: "t", Body: body},
		"id with space":       {ID: "a b", Type: pingType(), Thread: "t", Body: body},
		"no type":             {ID: "a1", Thread: "t", Body: body},
		"long thread":         {ID: "a1", Type: pingType(), Thread: strings.Repeat("t", 129), Body: body},
		"long parent":         {ID: "a1", Type: pingType(), Parent: strings.Repeat("t", 1025), Body: body},
		"no body":             {ID: "a1", Type: pingType()},
		"body not an object":  {ID: "a1", Type: pingType(), Body: json.RawMessage(`[]`)},
		"body with a type":    {ID: "a1", Type: pingType(), Body: json.RawMessage(`{"@type":"x"}`)},
		"body with a thread":  {ID: "a1", Type: pingType(), Body: json.RawMessage(`{"~thread":{}}`)},
		"body with a timing":  {ID: "a1", Type: pingType(), Body: json.RawMessage(`{"~Timing":{}}`)},
		"body with an ID":     {ID: "a1", Type: pingType(), Body: json.RawMessage(`{"@ID":"x"}`)},
		"expiry out of range": {ID: "a1", Type: pingType(), Expires: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), Body: body},
		"too large": {ID: "a1", Type: pingType(),
			Body: json.RawMessage(`{"x":"` + strings.Repeat("a", didcomm.MaxMessage-8) + `"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plaintext, err := m.Plaintext()
			require.Error(t, err)
			require.Nil(t, plaintext)
		})
	}
}

func TestMessageLimit(t *testing.T) {
	t.Parallel()
	head := `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","x":"`
	fits := head + strings.Repeat("a", didcomm.MaxMessage-len(head)-2) + `"}`
	_, err := didcomm.ParseMessage([]byte(fits))
	require.NoError(t, err)
	_, err = didcomm.ParseMessage([]byte(fits + " "))
	require.ErrorIs(t, err, didcomm.ErrMalformed)
}

func TestNew(t *testing.T) {
	t.Parallel()
	m, err := didcomm.New("a1", pingType(), "", "", nil)
	require.NoError(t, err)
	require.Equal(t, "a1", m.Thread)
	require.JSONEq(t, `{}`, string(m.Body))

	m, err = didcomm.New("a2", pingType(), "a1", "p", map[string]any{"comment": "x"})
	require.NoError(t, err)
	require.Equal(t, "a1", m.Thread)
	require.Equal(t, "p", m.Parent)
	var v struct {
		Comment string `json:"comment"`
	}
	require.NoError(t, m.Decode(&v))
	require.Equal(t, "x", v.Comment)

	for name, body := range map[string]any{
		"array": []int{1}, "string": "x", "nil pointer": (*struct{})(nil), "not JSON": func() {},
	} {
		_, err := didcomm.New("a1", pingType(), "", "", body)
		require.Error(t, err, name)
	}
}

// No way of printing a message shows what it says.
func TestMessagePrintsNoClaim(t *testing.T) {
	t.Parallel()
	m, err := didcomm.New("a1", pingType(), "", "", map[string]any{
		"name": "Willow Severn", "x~attach": []didcomm.Attachment{didcomm.NewAttachment("1", "text/plain", []byte("Willow Severn"))}})
	require.NoError(t, err)
	a := didcomm.NewAttachment("1", "text/plain", []byte("Willow Severn"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{m, *m, []*didcomm.Message{m}, a, &a, []didcomm.Attachment{a}} {
			out := fmt.Sprintf(verb, v)
			require.NotContains(t, out, "Severn")
			require.NotContains(t, out, a.Data.Base64)
		}
	}
}

// Errors of Decode never repeat what the peer wrote, not even through the errors
// of the types it is read into.
func TestDecodeErrorsRepeatNothing(t *testing.T) {
	t.Parallel()
	m := &didcomm.Message{ID: "a1", Type: pingType(), Thread: "a1",
		Body: json.RawMessage(`{"name":"Willow","born":"Severn","n":12.5}`)}
	for name, v := range map[string]any{
		"time": &struct {
			Born time.Time `json:"born"`
		}{},
		"number": &struct {
			N int `json:"n"`
		}{},
		"object": &struct {
			Name struct{} `json:"name"`
		}{},
	} {
		err := m.Decode(v)
		require.ErrorIs(t, err, didcomm.ErrMalformed, name)
		require.NotContains(t, err.Error(), "Severn")
		require.NotContains(t, err.Error(), "Willow")
		require.NotContains(t, err.Error(), "12.5")
	}
}

func FuzzParseMessage(f *testing.F) {
	for _, seed := range []string{
		`{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","comment":"hello","response_requested":true}`,
		`{"@type":"https://didcomm.org/didexchange/1.0/request","@id":"997596b4-3688-451a-8b1e-41ba8bad73fb","label":"holder","~thread":{"pthid":"09ede429-f7ce-4da5-9634-cf7b2fa30d6f"},"did":"did:peer:1zQmP9"}`,
		`{"@id":"a1","@type":"did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/connections/1.0/ack","~thread":{"thid":"t","sender_order":1},"~timing":{"expires_time":"2019-01-25 18:25Z"}}`,
		`{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping","x":1,"~transport":{"reply_mode":"all","return_route":"all"},"y":2}`,
		`{"id":"1234567890","type":"https://didcomm.org/lets_do_lunch/1.0/proposal","typ":"application/didcomm-plain+json","from":"did:example:alice","to":["did:example:bob"],"created_time":1516269022,"expires_time":1516385931,"body":{"messagespecificattribute":"and its value"}}`,
		`{"id":"a","type":"https://didcomm.org/routing/2.0/forward","thid":"t","pthid":"p","return_route":"all","from_prior":"a.b.c","lang":"cy","body":{"next":"did:example:x"},"attachments":[{"id":"1","media_type":"a/b","format":"f","data":{"json":{"a":1}}},{"data":{"base64":"aGk","hash":"QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"}},{"data":{"links":["https://x.example"],"hash":"1340aa"}}]}`,
		`{"id":"a","type":"https://didcomm.org/report-problem/2.0/problem-report","pthid":"p","ack":["m"],"body":{"code":"e.p.msg","comment":"{1} and {2} {","args":["x",3,null,true]}}`,
		`{"@type":"https://didcomm.org/present-proof/2.0/presentation","@id":"b","formats":[{"attach_id":"1","format":"f"}],"presentations~attach":[{"@id":"1","data":{"json":{"a":[1,2.50,-3e-2,"\u00e9"]}}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := didcomm.ParseMessage(data)
		if err != nil {
			require.ErrorIs(t, err, didcomm.ErrMalformed)
			return
		}
		plaintext, err := m.Plaintext()
		require.NoError(t, err)
		again, err := didcomm.ParseMessage(plaintext)
		require.NoError(t, err)
		require.Equal(t, m, again)
		if didcomm.IsProblemReport(m.Type) {
			_, _ = didcomm.ParseReport(m)
		}
	})
}

// What can never be sent says so, so that nobody tries again for ever.
func TestPlaintextRefusesForGood(t *testing.T) {
	t.Parallel()
	typ, err := didcomm.ParseType("https://didcomm.org/toy/1.0/ping")
	require.NoError(t, err)
	filler := strings.Repeat("x", didcomm.MaxMessage-len(`{"x":""}`))
	for name, m := range map[string]*didcomm.Message{
		"too large":            {ID: "m1", Type: typ, Body: []byte(`{"x":"` + filler + `"}`)},
		"body alone too large": {ID: "m1", Type: typ, Body: []byte(`{"x":"x` + filler + `"}`)},
		"no id":                {Type: typ, Body: []byte(`{}`)},
		"no type":              {ID: "m1", Body: []byte(`{}`)},
		"no object":            {ID: "m1", Type: typ, Body: []byte(`[]`)},
		"reserved member":      {ID: "m1", Type: typ, Body: []byte(`{"@id":"x"}`)},
		"expiry":               {ID: "m1", Type: typ, Body: []byte(`{}`), Expires: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		_, err := m.Plaintext()
		require.ErrorIs(t, err, didcomm.ErrPermanent, name)
	}
}

// A log shows which message it is, and nothing of it.
func TestMessageInLog(t *testing.T) {
	t.Parallel()
	m, err := didcomm.ParseMessage([]byte(`{"@type":"https://didcomm.org/toy/1.0/ping","@id":"m1","name":"canary"}`))
	require.NoError(t, err)
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "m", m, "copy", *m)
	require.NotContains(t, b.String(), "canary")
	require.NotContains(t, b.String(), "Y2FuYXJ5")
	require.Contains(t, b.String(), "m1")
}

// A message of many small values takes more memory than its size, up to a limit. It is
// measured alone.
func TestParseMessageManyValues(t *testing.T) {
	message := func(n int) []byte {
		return []byte(`{"type":"https://example.org/river/1.0/level","id":"1","body":{"a":[` + strings.Repeat(`{},`, n-6) + `{}]}}`)
	}
	m, err := didcomm.ParseMessage(message(1 << 14))
	require.NoError(t, err)
	_, err = m.Plaintext()
	require.NoError(t, err)
	_, err = didcomm.ParseMessage(message(1<<14 + 1))
	require.ErrorIs(t, err, didcomm.ErrMalformed)
	m.Body = json.RawMessage(`{"a":[` + strings.Repeat(`{},`, 1<<14) + `{}]}`)
	_, err = m.Plaintext()
	require.ErrorIs(t, err, didcomm.ErrPermanent)
	large := message(didcomm.MaxMessage/3 - 50)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = didcomm.ParseMessage(large)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, didcomm.ErrMalformed)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2*len(large)))
}
