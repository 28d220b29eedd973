package didcomm_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

func TestNewAttachment(t *testing.T) {
	t.Parallel()
	content := []byte{0xfb, 0xff, 0xfe, 1} // both alphabets and padding would show
	a := didcomm.NewAttachment("photo-1", "image/jpeg", content)
	text, err := json.Marshal(a)
	require.NoError(t, err)
	require.Equal(t, `{"@id":"photo-1","mime-type":"image/jpeg","data":{"base64":"-__-AQ"}}`, string(text))

	var back didcomm.Attachment
	require.NoError(t, strictjson.Unmarshal(text, &back))
	got, err := back.Content()
	require.NoError(t, err)
	require.Equal(t, content, got)
}

func TestNewJSONAttachment(t *testing.T) {
	t.Parallel()
	a, err := didcomm.NewJSONAttachment("c1", map[string]any{"z": 1, "a": "<"})
	require.NoError(t, err)
	text, err := json.Marshal(a)
	require.NoError(t, err)
	require.JSONEq(t, `{"@id":"c1","mime-type":"application/json","data":{"json":{"a":"<","z":1}}}`, string(text))

	got, err := a.Content()
	require.NoError(t, err)
	require.JSONEq(t, `{"a":"<","z":1}`, string(got))
	got[0] = 'X'
	got, err = a.Content()
	require.NoError(t, err)
	require.Equal(t, byte('{'), got[0], "Content gave away the attachment's own bytes")

	_, err = didcomm.NewJSONAttachment("c1", func() {})
	require.Error(t, err)
}

func TestAttachmentAsPeersWriteIt(t *testing.T) {
	t.Parallel()
	content := []byte{0xfb, 0xff, 0xfe, 1}
	sum := sha256.Sum256(content)
	for name, data := range map[string]string{
		"url":           `{"base64":"-__-AQ"}`,
		"url, padded":   `{"base64":"-__-AQ=="}`,
		"std":           `{"base64":"+//+AQ"}`,
		"std, padded":   `{"base64":"+//+AQ=="}`,
		"sha256":        `{"base64":"-__-AQ","sha256":"` + hex.EncodeToString(sum[:]) + `"}`,
		"SHA256":        `{"base64":"-__-AQ","sha256":"` + strings.ToUpper(hex.EncodeToString(sum[:])) + `"}`,
		"null json":     `{"base64":"-__-AQ","json":null,"links":null,"jws":null}`,
		"empty links":   `{"base64":"-__-AQ","links":[]}`,
		"unknown names": `{"base64":"-__-AQ","x":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a didcomm.Attachment
			require.NoError(t, strictjson.Unmarshal([]byte(`{"lastmod_time":"0001-01-01T00:00:00Z","byte_count":4,"data":`+data+`}`), &a))
			got, err := a.Content()
			require.NoError(t, err)
			require.Equal(t, content, got)
		})
	}
	var a didcomm.Attachment
	require.NoError(t, strictjson.Unmarshal([]byte(`{"@id":"1","data":{"json":{"b":2,"a":1}}}`), &a))
	got, err := a.Content()
	require.NoError(t, err)
	require.Equal(t, `{"b":2,"a":1}`, string(got))
}

func TestAttachmentContentRefuses(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("Willow"))
	for name, data := range map[string]string{
		"nothing":               `{}`,
		"empty":                 `{"base64":""}`,
		"null":                  `{"json":null}`,
		"link":                  `{"links":["https://example.org/photo"]}`,
		"link and hash":         `{"links":["https://example.org/photo"],"sha256":"` + hex.EncodeToString(sum[:]) + `"}`,
		"link and content":      `{"links":["https://example.org/photo"],"base64":"AQ"}`,
		"both":                  `{"base64":"e30","json":{}}`,
		"only a hash":           `{"sha256":"` + hex.EncodeToString(sum[:]) + `"}`,
		"other content":         `{"base64":"AQ","sha256":"` + hex.EncodeToString(sum[:]) + `"}`,
		"short hash":            `{"base64":"AQ","sha256":"` + hex.EncodeToString(sum[:31]) + `"}`,
		"hash in base64":        `{"base64":"AQ","sha256":"` + base64.RawURLEncoding.EncodeToString(sum[:]) + `"}`,
		"hash of json":          `{"json":{},"sha256":"` + hex.EncodeToString(sum[:]) + `"}`,
		"mixed alphabets":       `{"base64":"-_/+AQ"}`,
		"line break":            `{"base64":"-__-\nAQ"}`,
		"carriage return":       `{"base64":"-__-AQ\r"}`,
		"space":                 `{"base64":"-__- AQ"}`,
		"too little padding":    `{"base64":"-__-AQ="}`,
		"too much padding":      `{"base64":"-__-AQI==="}`,
		"padding not needed":    `{"base64":"-__-===="}`,
		"only padding":          `{"base64":"===="}`,
		"padding in the middle": `{"base64":"AQ==AQ=="}`,
		"one character":         `{"base64":"A"}`,
		"stray bits":            `{"base64":"-__-AR"}`,
		"foreign character":     `{"base64":"-__-A!"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a didcomm.Attachment
			require.NoError(t, strictjson.Unmarshal([]byte(`{"data":`+data+`}`), &a))
			got, err := a.Content()
			require.ErrorIs(t, err, didcomm.ErrMalformed)
			require.Nil(t, got)
		})
	}
}

func TestFindAttachment(t *testing.T) {
	t.Parallel()
	among := []didcomm.Attachment{
		didcomm.NewAttachment("a", "text/plain", []byte("1")),
		didcomm.NewAttachment("b", "text/plain", []byte("2")),
		didcomm.NewAttachment("", "text/plain", []byte("3")),
		didcomm.NewAttachment("twice", "text/plain", []byte("4")),
		didcomm.NewAttachment("twice", "text/plain", []byte("5")),
	}
	a, err := didcomm.FindAttachment(among, "b")
	require.NoError(t, err)
	require.Equal(t, among[1], a)

	_, err = didcomm.FindAttachment(among, "B")
	require.ErrorIs(t, err, didcomm.ErrNotFound)
	_, err = didcomm.FindAttachment(nil, "a")
	require.ErrorIs(t, err, didcomm.ErrNotFound)
	_, err = didcomm.FindAttachment(among, "")
	require.ErrorIs(t, err, didcomm.ErrMalformed)
	_, err = didcomm.FindAttachment(among, "twice")
	require.ErrorIs(t, err, didcomm.ErrMalformed)
}

func TestFormatsFind(t *testing.T) {
	t.Parallel()
	var body struct {
		Formats     didcomm.Formats      `json:"formats"`
		Credentials []didcomm.Attachment `json:"credentials~attach"`
	}
	require.NoError(t, strictjson.Unmarshal([]byte(`{
		"formats":[{"attach_id":"1","format":"didcomm/w3c-di-vc@v0.1"},{"attach_id":"2","format":"aries/ld-proof-vc@v1.0"},
			{"attach_id":"1","format":"twice"},{"attach_id":"2","format":"twice"},
			{"attach_id":"9","format":"missing"},{"attach_id":"","format":"unnamed"},{"attach_id":"3","format":"double"}],
		"credentials~attach":[{"@id":"2","data":{"json":{"n":2}}},{"@id":"1","data":{"json":{"n":1}}},{"data":{"json":{}}},
			{"@id":"3","data":{"json":{}}},{"@id":"3","data":{"json":{}}}]}`), &body))

	a, err := body.Formats.Find("didcomm/w3c-di-vc@v0.1", body.Credentials)
	require.NoError(t, err)
	content, err := a.Content()
	require.NoError(t, err)
	require.Equal(t, `{"n":1}`, string(content))

	_, err = body.Formats.Find("didcomm/w3c-di-vc@v0.2", body.Credentials)
	require.ErrorIs(t, err, didcomm.ErrNotFound)
	for _, format := range []string{"twice", "missing", "unnamed", "double"} {
		_, err = body.Formats.Find(format, body.Credentials)
		require.ErrorIs(t, err, didcomm.ErrMalformed, format)
		require.NotErrorIs(t, err, didcomm.ErrNotFound, format)
	}
}

func FuzzAttachment(f *testing.F) {
	for _, seed := range []string{
		`{"@id":"1","mime-type":"image/jpeg","filename":"p.jpg","description":"portrait","data":{"base64":"-__-AQ=="}}`,
		`{"@id":"2","data":{"json":{"b":2,"a":[1,null]}}}`,
		`{"data":{"links":["https://example.org/"],"sha256":"f8dca1d901d18c802e6a8ce1956d4b0d17f03d9dc5e4e1f618b6a022153ef373"}}`,
		`{"data":{"base64":"Qi5kaWRAQjpB","jws":{"header":{"kid":"did:key:z6MkmjY8GnV5i9YTDtPETC2uUAW6ejw3nk5mXF5yci5ab7th"},"protected":"eyJhbGciOiJFZERTQSJ9","signature":"3dZW"}}}`,
	} {
		f.Add([]byte(seed))
	}
	key := testKey(1)
	f.Fuzz(func(t *testing.T, data []byte) {
		var a didcomm.Attachment
		if strictjson.Unmarshal(data, &a) != nil {
			return
		}
		require.Error(t, a.VerifyKey(key.Public()), "nobody signed this")
		if kid, err := a.SignerKID(); err == nil {
			require.NotEmpty(t, kid)
		}
		content, err := a.Content()
		if err != nil {
			require.ErrorIs(t, err, didcomm.ErrMalformed)
			return
		}
		text, err := json.Marshal(a)
		require.NoError(t, err)
		var again didcomm.Attachment
		require.NoError(t, strictjson.Unmarshal(text, &again))
		same, err := again.Content()
		require.NoError(t, err)
		if len(a.Data.JSON) == 0 || string(a.Data.JSON) == "null" {
			require.True(t, bytes.Equal(content, same))
		} else {
			require.JSONEq(t, string(content), string(same))
		}
	})
}
