package didcomm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

func pingType2() didcomm.Type { return didcomm.Type{Protocol: "trust-ping", Major: 2, Name: "ping"} }

func party(t testing.TB, name string) did.DID {
	t.Helper()
	id, err := did.Parse("did:example:" + name)
	require.NoError(t, err)
	return id
}

func TestMessageV2RoundTrip(t *testing.T) {
	t.Parallel()
	empty := json.RawMessage(`{}`)
	for name, tt := range map[string]struct {
		m    didcomm.Message
		want string
	}{
		"smallest": {didcomm.Message{ID: "m-1", Type: pingType2(), Thread: "m-1", Body: empty},
			`{"id":"m-1","type":"https://didcomm.org/trust-ping/2.0/ping","typ":"application/didcomm-plain+json","body":{}}`},
		"all headers": {didcomm.Message{ID: "m-2", Type: pingType2(), Thread: "m-1", Parent: "inv-1",
			Created: time.Unix(1516269022, 0).UTC(), Expires: time.Unix(1516385931, 0).UTC(),
			From: party(t, "ash"), To: []did.DID{party(t, "birch"), party(t, "rowan")},
			FromPrior: "a.b.c", ReturnRoute: "all", Headers: json.RawMessage(`{"lang":"cy","please_ack":[""]}`), Body: json.RawMessage(`{"z":1,"a":[1.50]}`)},
			`{"id":"m-2","type":"https://didcomm.org/trust-ping/2.0/ping","typ":"application/didcomm-plain+json","from":"did:example:ash",` +
				`"to":["did:example:birch","did:example:rowan"],"thid":"m-1","pthid":"inv-1","created_time":1516269022,"expires_time":1516385931,` +
				`"from_prior":"a.b.c","return_route":"all","lang":"cy","please_ack":[""],"body":{"z":1,"a":[1.50]}}`},
		"attachments": {didcomm.Message{ID: "m-3", Type: pingType2(), Thread: "m-3", Body: empty, Attachments: []didcomm.Attachment{
			{ID: "1", MediaType: "text/plain", Filename: "f", Description: "d", FormatID: "x@v1", Data: didcomm.AttachmentData{Base64: "aGk", JWS: json.RawMessage(`{"a":1}`)}},
			{Data: didcomm.AttachmentData{JSON: json.RawMessage(`{"b":[2]}`)}},
			{Data: didcomm.AttachmentData{Links: []string{"https://a.example"}, SHA256: strings.Repeat("0a", 32)}}}},
			`{"id":"m-3","type":"https://didcomm.org/trust-ping/2.0/ping","typ":"application/didcomm-plain+json","body":{},"attachments":[` +
				`{"id":"1","description":"d","filename":"f","media_type":"text/plain","format":"x@v1","data":{"base64":"aGk","jws":{"a":1}}},` +
				`{"data":{"json":{"b":[2]}}},{"data":{"links":["https://a.example"],"hash":"QmNjkabcTGQ8p4QM6mMsrtW2X4tuuYDzJ6GzJEBTxwYtaM"}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.m.Version = didcomm.V2
			plaintext, err := tt.m.Plaintext()
			require.NoError(t, err)
			if strings.Contains(tt.want, `"hash"`) { // base58 is compared by reading it back
				require.Contains(t, string(plaintext), `"hash":"Qm`)
			} else {
				require.Equal(t, tt.want, string(plaintext))
			}
			got, err := didcomm.ParseMessage(plaintext)
			require.NoError(t, err)
			require.Equal(t, &tt.m, got)
		})
	}
}

func TestParseMessageV2AsPeersWriteIt(t *testing.T) {
	t.Parallel()
	const head = `{"id":"a1","type":"https://didcomm.org/trust-ping/2.0/ping"`
	for name, tt := range map[string]struct {
		more  string
		check func(t *testing.T, m *didcomm.Message)
	}{
		"no body":           {``, func(t *testing.T, m *didcomm.Message) { require.Equal(t, "{}", string(m.Body)) }},
		"null body":         {`,"body":null`, func(t *testing.T, m *didcomm.Message) { require.Equal(t, "{}", string(m.Body)) }},
		"typ in short":      {`,"typ":"didcomm-plain+json"`, nil},
		"null headers":      {`,"typ":null,"from":null,"to":null,"thid":null,"pthid":null,"created_time":null,"expires_time":null,"from_prior":null,"attachments":null,"return_route":null`, nil},
		"empty lists":       {`,"to":[],"attachments":[]`, func(t *testing.T, m *didcomm.Message) { require.Nil(t, m.To) }},
		"from is a DID URL": {`,"from":"did:example:ash?x=1"`, func(t *testing.T, m *didcomm.Message) { require.Equal(t, party(t, "ash"), m.From) }},
		"a header to come":  {`,"delay_milli":-5`, func(t *testing.T, m *didcomm.Message) { require.JSONEq(t, `{"delay_milli":-5}`, string(m.Headers)) }},
		"a return route to come": {`,"return_route":"some"`, func(t *testing.T, m *didcomm.Message) {
			require.Empty(t, m.ReturnRoute)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := didcomm.ParseMessage([]byte(head + tt.more + "}"))
			require.NoError(t, err)
			require.Equal(t, didcomm.V2, m.Version)
			require.Equal(t, "a1", m.Thread)
			if tt.check != nil {
				tt.check(t, m)
			}
		})
	}
}

func TestParseMessageV2Refuses(t *testing.T) {
	t.Parallel()
	const typ = `"type":"https://didcomm.org/trust-ping/2.0/ping"`
	const head = `{"id":"a1",` + typ
	many := func(item string, n int) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	for name, text := range map[string]string{
		"no id":                 `{` + typ + `}`,
		"id not text":           `{"id":1,` + typ + `}`,
		"id with space":         `{"id":"a b",` + typ + `}`,
		"long id":               `{"id":"` + strings.Repeat("a", 129) + `",` + typ + `}`,
		"id of V1":              `{"@id":"a1",` + typ + `}`,
		"type not text":         `{"id":"a1","type":1}`,
		"type of nobody":        `{"id":"a1","type":"https://other.example/y"}`,
		"typ of an envelope":    head + `,"typ":"application/didcomm-encrypted+json"}`,
		"typ not text":          head + `,"typ":1}`,
		"from no DID":           head + `,"from":"ash"}`,
		"from with a fragment":  head + `,"from":"did:example:ash#key-1"}`,
		"from not text":         head + `,"from":["did:example:ash"]}`,
		"to a text":             head + `,"to":"did:example:ash"}`,
		"to with null":          head + `,"to":[null]}`,
		"to with no DID":        head + `,"to":["ash"]}`,
		"to too many":           head + `,"to":[` + many(`"did:example:ash"`, 129) + `]}`,
		"thid not text":         head + `,"thid":{}}`,
		"thid with a control":   head + `,"thid":"a\u0007"}`,
		"pthid not text":        head + `,"pthid":1}`,
		"created not a number":  head + `,"created_time":"1516269022"}`,
		"created not whole":     head + `,"created_time":1.5}`,
		"created before 1970":   head + `,"created_time":-1}`,
		"expires after 9999":    head + `,"expires_time":253402300800}`,
		"expires true":          head + `,"expires_time":true}`,
		"from_prior not text":   head + `,"from_prior":{}}`,
		"from_prior with space": head + `,"from_prior":"a b"}`,
		"from_prior too long":   head + `,"from_prior":"` + strings.Repeat("a", 80<<10+1) + `"}`,
		"route not text":        head + `,"return_route":true}`,
		"body a list":           head + `,"body":[]}`,
		"body a text":           head + `,"body":"x"}`,
		"attachments an object": head + `,"attachments":{}}`,
		"attachments of texts":  head + `,"attachments":["x"]}`,
		"attachments too many":  head + `,"attachments":[` + many(`{"data":{}}`, 65) + `]}`,
		"attachment no data":    head + `,"attachments":[{"id":"1"}]}`,
		"attachment data text":  head + `,"attachments":[{"data":"x"}]}`,
		"attachment id number":  head + `,"attachments":[{"id":1,"data":{}}]}`,
		"attachment base64":     head + `,"attachments":[{"data":{"base64":1}}]}`,
		"attachment hash":       head + `,"attachments":[{"data":{"hash":1}}]}`,
		"attachment links":      head + `,"attachments":[{"data":{"links":"x"}}]}`,
		"attachment link":       head + `,"attachments":[{"data":{"links":[1]}}]}`,
		"second spelling":       head + `,"From":"did:example:ash"}`,
		"twice":                 head + `,"body":{},"body":{}}`,
		"in two cases":          head + `,"body":{},"Body":{}}`,
		"twice within":          head + `,"body":{"a":1,"a":2}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := didcomm.ParseMessage([]byte(text))
			require.ErrorIs(t, err, didcomm.ErrMalformed)
			require.Nil(t, m)
		})
	}
	for name, text := range map[string]string{
		"recipients":  head + `,"to":[` + many(`"did:example:ash"`, 128) + `]}`,
		"attachments": head + `,"attachments":[` + many(`{"data":{}}`, 64) + `]}`,
		"from_prior":  head + `,"from_prior":"` + strings.Repeat("a", 80<<10) + `"}`,
		"last second": head + `,"expires_time":253402300799}`,
	} {
		_, err := didcomm.ParseMessage([]byte(text))
		require.NoError(t, err, name)
	}
}

func TestPlaintextV2Refuses(t *testing.T) {
	t.Parallel()
	body := json.RawMessage(`{}`)
	good := func() didcomm.Message {
		return didcomm.Message{Version: didcomm.V2, ID: "a1", Type: pingType2(), Body: body}
	}
	for name, spoil := range map[string]func(m *didcomm.Message){
		"no id":              func(m *didcomm.Message) { m.ID = "" },
		"no type":            func(m *didcomm.Message) { m.Type = didcomm.Type{} },
		"body not an object": func(m *didcomm.Message) { m.Body = json.RawMessage(`[]`) },
		"body twice":         func(m *didcomm.Message) { m.Body = json.RawMessage(`{"a":1,"a":2}`) },
		"headers not object": func(m *didcomm.Message) { m.Headers = json.RawMessage(`1`) },
		"headers with from":  func(m *didcomm.Message) { m.Headers = json.RawMessage(`{"FROM":"x"}`) },
		"headers with body":  func(m *didcomm.Message) { m.Headers = json.RawMessage(`{"body":{}}`) },
		"expiry out of range": func(m *didcomm.Message) {
			m.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
		},
		"created before 1970": func(m *didcomm.Message) { m.Created = time.Unix(-1, 0) },
		"recipients":          func(m *didcomm.Message) { m.To = make([]did.DID, 129) },
		"attachments":         func(m *didcomm.Message) { m.Attachments = make([]didcomm.Attachment, 65) },
		"sha256": func(m *didcomm.Message) {
			m.Attachments = []didcomm.Attachment{{Data: didcomm.AttachmentData{SHA256: "0a"}}}
		},
		"attachment no JSON": func(m *didcomm.Message) {
			m.Attachments = []didcomm.Attachment{{Data: didcomm.AttachmentData{JSON: json.RawMessage(`{`)}}}
		},
		"from_prior":   func(m *didcomm.Message) { m.FromPrior = "a\nb" },
		"return route": func(m *didcomm.Message) { m.ReturnRoute = "some" },
		"too large": func(m *didcomm.Message) {
			m.Body = json.RawMessage(`{"x":"` + strings.Repeat("a", didcomm.MaxMessage-8) + `"}`)
		},
		"V1 with attachments": func(m *didcomm.Message) {
			m.Version, m.Attachments = didcomm.V1, []didcomm.Attachment{{}}
		},
		"V1 with from_prior": func(m *didcomm.Message) { m.Version, m.FromPrior = didcomm.V1, "a.b.c" },
		"V1 with two routes": func(m *didcomm.Message) {
			m.Version, m.ReturnRoute, m.Body = didcomm.V1, "all", json.RawMessage(`{"~transport":{"Return_Route":"none"}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := good()
			_, err := m.Plaintext()
			require.NoError(t, err)
			spoil(&m)
			plaintext, err := m.Plaintext()
			require.ErrorIs(t, err, didcomm.ErrPermanent)
			require.Nil(t, plaintext)
		})
	}
}

// The return route of V1 stands in a decorator, whose other members stay in the body.
func TestReturnRouteV1(t *testing.T) {
	t.Parallel()
	const head = `{"@id":"a1","@type":"https://didcomm.org/trust_ping/1.0/ping"`
	for name, tt := range map[string]struct{ more, route, body string }{
		"alone":       {`,"~transport":{"return_route":"all"}`, "all", `{}`},
		"with thread": {`,"~transport":{"return_route":"thread","return_route_thread":"t1"}`, "thread", `{"~transport":{"return_route_thread":"t1"}}`},
		"none":        {`,"~transport":{"return_route":"none"}`, "none", `{}`},
		"to come":     {`,"~transport":{"return_route":"some"}`, "", `{"~transport":{"return_route":"some"}}`},
		"null":        {`,"~transport":null`, "", `{"~transport":null}`},
	} {
		m, err := didcomm.ParseMessage([]byte(head + tt.more + "}"))
		require.NoError(t, err, name)
		require.Equal(t, tt.route, m.ReturnRoute, name)
		require.Equal(t, tt.body, string(m.Body), name)
		plaintext, err := m.Plaintext()
		require.NoError(t, err, name)
		again, err := didcomm.ParseMessage(plaintext)
		require.NoError(t, err, name)
		require.Equal(t, m, again, name)
	}
	for _, more := range []string{`,"~transport":1`, `,"~transport":{"return_route":1}`} {
		_, err := didcomm.ParseMessage([]byte(head + more + "}"))
		require.ErrorIs(t, err, didcomm.ErrMalformed)
	}
}

// The specification's own plaintext message, and its headers read as it means them.
func TestParseMessage_AppendixC1(t *testing.T) {
	t.Parallel()
	data := vectors.Read(t, "didcomm-v2", "spec-appendix.json")
	var all any
	require.NoError(t, json.Unmarshal(data, &all))
	found := 0
	eachObject(all, func(o map[string]any) {
		if o["type"] != "https://example.com/protocols/lets_do_lunch/1.0/proposal" {
			return
		}
		text, err := json.Marshal(o)
		require.NoError(t, err)
		m, err := didcomm.ParseMessage(text)
		require.NoError(t, err)
		require.Equal(t, "1234567890", m.ID)
		require.Equal(t, party(t, "alice"), m.From)
		require.Equal(t, []did.DID{party(t, "bob")}, m.To)
		require.Equal(t, int64(1516269022), m.Created.Unix())
		require.Equal(t, int64(1516385931), m.Expires.Unix())
		require.JSONEq(t, `{"messagespecificattribute":"and its value"}`, string(m.Body))
		found++
	})
	require.NotZero(t, found)
}

func eachObject(v any, f func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(v)
		for _, w := range v {
			eachObject(w, f)
		}
	case []any:
		for _, w := range v {
			eachObject(w, f)
		}
	}
}

// NewWith and Attached are each other's inverse, in both versions.
func TestNewWith(t *testing.T) {
	t.Parallel()
	for _, v := range []didcomm.Version{0, didcomm.V1, didcomm.V2} {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			t.Parallel()
			list := []didcomm.Attachment{
				{ID: "1", FormatID: "a@v1", Data: didcomm.AttachmentData{Base64: "aGk"}},
				{ID: "2", FormatID: "b@v1", Data: didcomm.AttachmentData{JSON: json.RawMessage(`{"x":1}`)}}}
			m, err := didcomm.NewWith(v, "m1", pingType(), "t1", "p1", map[string]string{"comment": "c"}, "offers", list)
			require.NoError(t, err)
			plaintext, err := m.Plaintext()
			require.NoError(t, err)
			m, err = didcomm.ParseMessage(plaintext)
			require.NoError(t, err)
			require.Equal(t, v.Or1(), m.Version.Or1())
			got, err := m.Attached("offers")
			require.NoError(t, err)
			require.Equal(t, list, got)
			var body struct {
				Comment string `json:"comment"`
			}
			require.NoError(t, m.Decode(&body))
			require.Equal(t, "c", body.Comment)
		})
	}
}

func TestAttachedRefuses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"formats no list":     `{"formats":{},"offers~attach":[]}`,
		"attachments no list": `{"offers~attach":{}}`,
		"listed, not there":   `{"formats":[{"attach_id":"1","format":"f"}]}`,
		"listed twice":        `{"formats":[{"attach_id":"1","format":"f"},{"attach_id":"1","format":"g"}],"offers~attach":[{"@id":"1","data":{"base64":"aGk"}}]}`,
		"two of one id":       `{"formats":[{"attach_id":"1","format":"f"}],"offers~attach":[{"@id":"1","data":{}},{"@id":"1","data":{}}]}`,
		"no id":               `{"formats":[{"attach_id":"","format":"f"}],"offers~attach":[{"data":{}}]}`,
	} {
		m := &didcomm.Message{ID: "a", Type: pingType(), Body: json.RawMessage(body)}
		_, err := m.Attached("offers")
		require.ErrorIs(t, err, didcomm.ErrMalformed, name)
	}
	for n, refused := range map[int]bool{64: false, 65: true} {
		var formats, list []string
		for i := range n {
			formats = append(formats, fmt.Sprintf(`{"attach_id":"%d","format":"f"}`, i))
			list = append(list, fmt.Sprintf(`{"@id":"%d","data":{"base64":"aGk"}}`, i))
		}
		m := &didcomm.Message{ID: "a", Type: pingType(),
			Body: json.RawMessage(`{"formats":[` + strings.Join(formats, ",") + `],"offers~attach":[` + strings.Join(list, ",") + `]}`)}
		_, err := m.Attached("offers")
		require.Equal(t, refused, errors.Is(err, didcomm.ErrMalformed), n)
	}
	m := &didcomm.Message{ID: "a", Type: pingType(), Body: json.RawMessage(`{"other~attach":1}`)}
	got, err := m.Attached("offers")
	require.NoError(t, err)
	require.Empty(t, got)
}

// A hash is read as its writer may write a multihash, and compared with the content.
func TestAttachmentV2Hash(t *testing.T) {
	t.Parallel()
	const of = `8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4` // SHA-256 of "hi"
	read := func(hash, data string) didcomm.Attachment {
		t.Helper()
		m, err := didcomm.ParseMessage([]byte(`{"id":"a","type":"https://didcomm.org/x/1.0/y","attachments":[{"data":{` + data + `,"hash":"` + hash + `"}}]}`))
		require.NoError(t, err)
		return m.Attachments[0]
	}
	hi := `"base64":"aGk"`
	a := didcomm.Message{Version: didcomm.V2, ID: "a", Type: pingType2(), Body: json.RawMessage(`{}`),
		Attachments: []didcomm.Attachment{{Data: didcomm.AttachmentData{Base64: "aGk", SHA256: of}}}}
	plaintext, err := a.Plaintext()
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(plaintext), `"hash":"`)
	base58, _, _ := strings.Cut(rest, `"`)
	for name, hash := range map[string]string{"base58": base58, "multibase": "z" + base58, "hexadecimal": "1220" + of} {
		content, err := read(hash, hi).Content()
		require.NoError(t, err, name)
		require.Equal(t, "hi", string(content))
		_, err = read(hash, `"base64":"aGo"`).Content()
		require.ErrorIs(t, err, didcomm.ErrMalformed, name)
		_, err = read(hash, `"json":"hi"`).Content()
		require.ErrorIs(t, err, didcomm.ErrMalformed, name)
	}
	for name, hash := range map[string]string{
		"bare digest": of, "SHA-512": "1340" + strings.Repeat("00", 64), "text": "hello", "long": strings.Repeat("z", 5000), "cut": "1220" + of[:62],
	} {
		_, err := read(hash, hi).Content()
		require.ErrorIs(t, err, didcomm.ErrMalformed, name)
	}
}

// What Credo adds to its messages, and what aries leaves out, is no reason to refuse
// them: decorators and members that are not known are kept or ignored.
func TestInterop_Decorators(t *testing.T) {
	t.Parallel()
	const credo = `{"@type":"https://didcomm.org/present-proof/2.0/presentation","@id":"b-1","~thread":{"thid":"a-1"},
		"last_presentation":true,"formats":[{"attach_id":"x","format":"dif/presentation-exchange/submission@v1.0"}],
		"presentations~attach":[{"@id":"x","mime-type":"application/json","data":{"base64":"eyJhIjoxfQ=="}}],
		"~attach":[],"~please_ack":{"on":["RECEIPT"]},"~transport":{"return_route":"all"},"~service":null}`
	const aries = `{"@type":"https://didcomm.org/present-proof/2.0/presentation","@id":"b-1","~thread":{"thid":"a-1"},
		"formats":[{"attach_id":"x","format":"dif/presentation-exchange/submission@v1.0"}],
		"presentations~attach":[{"@id":"x","lastmod_time":"0001-01-01T00:00:00Z","data":{"json":{"a":1}}}]}`
	for name, text := range map[string]string{"credo": credo, "aries": aries} {
		m, err := didcomm.ParseMessage([]byte(text))
		require.NoError(t, err, name)
		require.Equal(t, "a-1", m.Thread)
		var body struct {
			Last bool `json:"last_presentation"`
		}
		require.NoError(t, m.Decode(&body), name)
		require.Equal(t, name == "credo", body.Last)
		list, err := m.Attached("presentations")
		require.NoError(t, err, name)
		require.Len(t, list, 1)
		require.Equal(t, "dif/presentation-exchange/submission@v1.0", list[0].FormatID)
		content, err := list[0].Content()
		require.NoError(t, err, name)
		require.JSONEq(t, `{"a":1}`, string(content))
	}
}
