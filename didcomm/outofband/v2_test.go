package outofband

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
)

// specURL is the example of DIDComm Messaging 2.1, "Example Out-of-Band Message Encoding".
const specURL = "https://example.com/path?_oob=eyJ0eXBlIjoiaHR0cHM6Ly9kaWRjb21tLm9yZy9vdXQtb2YtYmFuZC8yLjAvaW52aXRhdGlvbiIsImlkIjoiNjkyMTJhM2EtZDA2OC00ZjlkLWEyZGQtNDc0MWJjYTg5YWYzIiwiZnJvbSI6ImRpZDpleGFtcGxlOmFsaWNlIiwiYm9keSI6eyJnb2FsX2NvZGUiOiIiLCJnb2FsIjoiIn0sImF0dGFjaG1lbnRzIjpbeyJpZCI6InJlcXVlc3QtMCIsIm1lZGlhX3R5cGUiOiJhcHBsaWNhdGlvbi9qc29uIiwiZGF0YSI6eyJqc29uIjoiPGpzb24gb2YgcHJvdG9jb2wgbWVzc2FnZT4ifX1dfQ"

// inviter is a DID of V2.
func inviter(t testing.TB, endpoint string) did.DID {
	t.Helper()
	agreement, err := did.X25519(key(t, 'v'))
	require.NoError(t, err)
	var services [][]byte
	if endpoint != "" {
		services = append(services, fmt.Appendf(nil, `{"type":"DIDCommMessaging","serviceEndpoint":{"uri":%q,"accept":["didcomm/v2"]}}`, endpoint))
	}
	id, err := didpeer.New2([]didpeer.Key{{For: did.Authentication, Public: key(t, 'v')}, {For: did.KeyAgreement, Public: agreement}}, services...)
	require.NoError(t, err)
	return id
}

func made2(t testing.TB) didcomm.Invitation {
	t.Helper()
	return didcomm.Invitation{
		Version: didcomm.V2, ID: "7a1e29b8-3f0e-4f6a-9c53-0d5a5f3c2b10", Label: "Alderbrook Hospital", GoalCode: "issue-vc",
		Goal: "To give you your staff passport", DID: inviter(t, "https://alderbrook.example/didcomm"), Expires: start.Add(time.Hour),
	}
}

func TestV2_RoundTrip(t *testing.T) {
	t.Parallel()
	want := made2(t)
	want.Requests = []json.RawMessage{json.RawMessage(`{"id":"p1","type":"https://didcomm.org/trust-ping/2.0/ping","typ":"application/didcomm-plain+json","body":{"response_requested":true}}`)}
	i, err := New(want)
	require.NoError(t, err)
	link, err := i.URL("https://alderbrook.example/c?oob=x&d=e")
	require.NoError(t, err)
	require.Contains(t, link, "_oob=")
	require.NotContains(t, link, "&oob=")
	back, err := ParseURL(link)
	require.NoError(t, err)
	require.Equal(t, want.DID, back.From)
	require.Len(t, back.Requests(), 1)
	require.Equal(t, "ping", back.Requests()[0].Type.Name)
	got, err := back.Choose(t.Context(), resolver(), start)
	require.NoError(t, err)
	require.Len(t, got.Requests, 1)
	m, err := didcomm.ParseMessage(got.Requests[0])
	require.NoError(t, err)
	require.Equal(t, "p1", m.ID)
	got.Requests = want.Requests
	require.Equal(t, want, got)

	text, err := i.Plaintext()
	require.NoError(t, err)
	var wire map[string]any
	require.NoError(t, json.Unmarshal(text, &wire))
	require.Equal(t, "https://didcomm.org/out-of-band/2.0/invitation", wire["type"])
	require.Equal(t, want.DID.String(), wire["from"])
	require.Equal(t, []any{"didcomm/v2"}, wire["body"].(map[string]any)["accept"])
	require.NotContains(t, wire, "@type")
}

func TestV2_Example(t *testing.T) {
	t.Parallel()
	i, err := ParseURL(specURL)
	require.NoError(t, err)
	require.Equal(t, didcomm.V2, i.Version)
	require.Equal(t, "did:example:alice", i.From.String())
	require.Equal(t, "69212a3a-d068-4f9d-a2dd-4741bca89af3", i.ID)
	require.Len(t, i.Attachments, 1)
	require.Empty(t, i.Requests(), "the example's message is none")
}

func TestV2_Refused(t *testing.T) {
	t.Parallel()
	good := `{"id":"i1","type":"https://didcomm.org/out-of-band/2.0/invitation","from":"` + inviter(t, "https://a.example").String() + `","body":{"label":"x"}}`
	_, err := Parse([]byte(good))
	require.NoError(t, err)
	for name, change := range map[string][2]string{
		"no sender":         {`"from":`, `"form":`},
		"sender no DID":     {`"from":"did:peer`, `"from":"x:peer`},
		"version 3":         {"out-of-band/2.0", "out-of-band/3.0"},
		"version 1 type":    {"out-of-band/2.0", "out-of-band/1.0"},
		"connections":       {"out-of-band/2.0", "connections/1.0"},
		"another message":   {"/invitation", "/handshake-reuse"},
		"no id":             {`"id":"i1"`, `"id":""`},
		"label a number":    {`"label":"x"`, `"label":1`},
		"goal an object":    {`"label":"x"`, `"goal":{}`},
		"accept a text":     {`"label":"x"`, `"accept":"didcomm/v2"`},
		"attachments no":    {`"body":`, `"attachments":{},"body":`},
		"duplicate sender":  {`"body":`, `"from":"did:example:eve","body":`},
		"body a list":       {`{"label":"x"}`, `[]`},
		"expiry not a time": {`"body":`, `"expires_time":"soon","body":`},
	} {
		require.Contains(t, good, change[0], name)
		_, err := Parse([]byte(strings.Replace(good, change[0], change[1], 1)))
		require.ErrorIs(t, err, ErrMalformed, name)
		require.Equal(t, "malformed-invitation", code(t, err), name)
	}
}

func TestV2_Choose(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Invitation)
		want   error
	}{
		"as made":             {func(*Invitation) {}, nil},
		"no profiles":         {func(i *Invitation) { i.Accept = nil }, nil},
		"profile among":       {func(i *Invitation) { i.Accept = []string{"didcomm/aip2;env=rfc587", "didcomm/v2"} }, nil},
		"minor version":       {func(i *Invitation) { i.Minor = 9 }, nil},
		"profile of V1":       {func(i *Invitation) { i.Accept = []string{"didcomm/aip2;env=rfc19"} }, ErrUnsupported},
		"V1 plaintext":        {func(i *Invitation) { i.Accept = []string{"didcomm/aip2;env=rfc587"} }, ErrUnsupported},
		"sender with no way":  {func(i *Invitation) { i.From = inviter(t, "") }, ErrUnsupported},
		"endpoint no address": {func(i *Invitation) { i.From = inviter(t, "file:///etc/passwd") }, ErrUnsupported},
		"method unknown":      {func(i *Invitation) { i.From, _ = did.Parse("did:sov:LjgpST2rjsoxYegQDRm7EL") }, ErrUnsupported},
		"expired":             {func(i *Invitation) { i.Expires = start }, ErrExpired},
	} {
		i, err := New(made2(t))
		require.NoError(t, err, name)
		c.change(i)
		plaintext, err := i.Plaintext()
		require.NoError(t, err, name)
		i, err = Parse(plaintext)
		require.NoError(t, err, name)
		got, err := i.Choose(t.Context(), resolver(), start)
		if c.want != nil {
			require.ErrorIs(t, err, c.want, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, didcomm.V2, got.Version, name)
		require.Equal(t, i.From, got.DID, name)
	}
	i, err := New(made2(t))
	require.NoError(t, err)
	_, err = i.Choose(t.Context(), down{}, start)
	require.ErrorIs(t, err, did.ErrUnavailable)
}

// TestRequests: what is attached is handed out as messages, and what is none left out.
func TestRequests(t *testing.T) {
	t.Parallel()
	offer := `{"@id":"r1","@type":"https://didcomm.org/issue-credential/2.0/offer-credential","comment":"x"}`
	text := strings.Replace(frameworkInvitation, `"label":"issuer"`, `"label":"issuer","requests~attach":[`+
		`{"@id":"a","data":{"links":["https://example.org"]}},{"@id":"b","data":{"json":{"a":1}}},`+
		`{"@id":"c","data":{"json":`+offer+`}},{"@id":"d","data":{"base64":"`+base64.StdEncoding.EncodeToString([]byte(offer))+`"}},`+
		`{"@id":"e","data":{"json":{"id":"r2","type":"https://didcomm.org/trust-ping/2.0/ping","body":{}}}}]`, 1)
	i, err := Parse([]byte(text))
	require.NoError(t, err)
	list := i.Requests()
	require.Len(t, list, 2, "of those of its own version")
	for _, m := range list {
		require.Equal(t, "offer-credential", m.Type.Name)
	}
	got, err := i.Choose(t.Context(), resolver(), start)
	require.NoError(t, err)
	require.Len(t, got.Requests, 2)
	require.JSONEq(t, offer, string(got.Requests[0]))
}

// TestInterop_OutOfBandMinorVersions: aries-framework-go takes 1.0 and nothing else,
// Credo writes 1.1, and may write any minor version of a handshake as x.
func TestInterop_OutOfBandMinorVersions(t *testing.T) {
	t.Parallel()
	i, err := New(made(t))
	require.NoError(t, err)
	plaintext, err := i.Plaintext()
	require.NoError(t, err)
	require.Contains(t, string(plaintext), `"https://didcomm.org/out-of-band/1.0/invitation"`)
	require.Equal(t, []string{"https://didcomm.org/didexchange/1.1", "https://didcomm.org/didexchange/1.0"}, i.Handshakes)
	require.Contains(t, i.Accept, "didcomm/aip2;env=rfc19")
	for _, minor := range []string{"1.0", "1.1", "1.9"} {
		text := strings.Replace(frameworkInvitation, "out-of-band/1.0", "out-of-band/"+minor, 1)
		i, err := Parse([]byte(text))
		require.NoError(t, err)
		got, err := i.Choose(t.Context(), resolver(), start)
		require.NoError(t, err)
		require.Zero(t, got.Request.Minor, "the handshake's own version counts")
	}
	for handshake, want := range map[string]int{"1.x": 1, "1.1": 1, "1.0": 0, "1.5": 1} {
		text := strings.Replace(frameworkInvitation, "didexchange/1.0", "didexchange/"+handshake, 1)
		i, err := Parse([]byte(text))
		require.NoError(t, err)
		got, err := i.Choose(t.Context(), resolver(), start)
		require.NoError(t, err, handshake)
		require.Equal(t, want, got.Request.Minor, handshake)
	}
	for _, handshake := range []string{"x.x", "2.x", "1.", "1.xx"} {
		text := strings.Replace(frameworkInvitation, "didexchange/1.0", "didexchange/"+handshake, 1)
		i, err := Parse([]byte(text))
		require.NoError(t, err)
		_, err = i.Choose(t.Context(), resolver(), start)
		require.ErrorIs(t, err, ErrUnsupported, handshake)
	}
}

// rfc160URL is the example of RFC 0160, "Example Invitation Encoding", with keys that
// are keys: those of the RFC are not on the curve.
func rfc160URL(t testing.TB, change ...string) string {
	t.Helper()
	text := `{"@type":"did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/connections/1.0/invitation","@id":"12345678900987654321","label":"Alice",` +
		`"recipientKeys":["DoDMNYwMrSN8ygGKabgz5fLA9aWV4Vi8SLX6CiyN2H4a"],"serviceEndpoint":"https://example.com/endpoint",` +
		`"routingKeys":["FrcBvkxpuGcSJxPZWmP1HmDPMCQAewkDGNYnr5bWDqsk"]}`
	for n := 0; n+1 < len(change); n += 2 {
		require.Contains(t, text, change[n])
		text = strings.Replace(text, change[n], change[n+1], 1)
	}
	return "http://example.com/ssi?c_i=" + base64.URLEncoding.EncodeToString([]byte(text))
}

// TestConnectionsInvitation: RFC 0160 is read.
func TestConnectionsInvitation(t *testing.T) {
	t.Parallel()
	link := rfc160URL(t, "FrcBvkxpuGcSJxPZWmP1HmDPMCQAewkDGNYnr5bWDqsk", "DoDMNYwMrSN8ygGKabgz5fLA9aWV4Vi8SLX6CiyN2H4a")
	i, err := ParseURL(link)
	require.NoError(t, err)
	require.Equal(t, "12345678900987654321", i.ID)
	got, err := i.Choose(t.Context(), resolver(), start)
	require.NoError(t, err)
	require.Equal(t, "https://didcomm.org/connections/1.0/request", got.Request.String())
	require.Equal(t, "https://example.com/endpoint", got.Service.Endpoint)
	require.Len(t, got.Service.Keys, 1)
	require.Len(t, got.Service.RoutingKeys, 1)

	i, err = ParseURL(rfc160URL(t, `"recipientKeys":["DoDMNYwMrSN8ygGKabgz5fLA9aWV4Vi8SLX6CiyN2H4a"],"serviceEndpoint":"https://example.com/endpoint","routingKeys":["FrcBvkxpuGcSJxPZWmP1HmDPMCQAewkDGNYnr5bWDqsk"]`,
		`"did":"did:sov:QmWbsNYhMrjHiqZDTUTEJs"`))
	require.NoError(t, err)
	require.Equal(t, []Service{{DID: "did:sov:QmWbsNYhMrjHiqZDTUTEJs"}}, i.Services)

	for name, change := range map[string][2]string{
		"no keys":           {`"recipientKeys"`, `"keys"`},
		"no endpoint":       {`"serviceEndpoint"`, `"endpoint"`},
		"keys and a DID":    {`"label":"Alice"`, `"did":"did:sov:QmWbsNYhMrjHiqZDTUTEJs"`},
		"key too short":     {"DoDMNYwMrSN8ygGKabgz5fLA9aWV4Vi8SLX6CiyN2H4a", "DoDMNYwMrSN8ygGKabgz5fLA9aWV4Vi8SLX6CiyN2H"},
		"key not base58":    {"DoDMNYwMrSN8ygGKabgz5fLA9aWV4Vi8SLX6CiyN2H4a", "0oDMNYwMrSN8ygGKabgz5fLA9aWV4Vi8SLX6CiyN2H4a"},
		"routing key a URL": {"FrcBvkxpuGcSJxPZWmP1HmDPMCQAewkDGNYnr5bWDqsk", "https://mediator.example"},
		"version 2":         {"connections/1.0", "connections/2.0"},
		"another message":   {"/invitation", "/request"},
	} {
		_, err := ParseURL(rfc160URL(t, change[0], change[1]))
		require.ErrorIs(t, err, ErrMalformed, name)
	}
}

// TestAbuse_DC11_InvitationV2: the limits of version 2 are those of version 1.
func TestAbuse_DC11_InvitationV2(t *testing.T) {
	t.Parallel()
	text := `{"id":"i1","type":"https://didcomm.org/out-of-band/2.0/invitation","from":"` + inviter(t, "https://a.example").String() + `","body":{"goal":"x"}}`
	for n, want := range map[int]error{maxPlaintext: nil, maxPlaintext + 1: ErrTooLarge, 64 << 10: ErrTooLarge} {
		long := strings.Replace(text, `"x"`, `"`+strings.Repeat("x", n-len(text)+1)+`"`, 1)
		require.Len(t, long, n)
		_, err := Parse([]byte(long))
		require.ErrorIs(t, err, want)
	}
	many := strings.Replace(text, `"body"`, `"attachments":[`+strings.Repeat(`{"id":"a","data":{"json":{}}},`, maxList)+`{"id":"a","data":{"json":{}}}],"body"`, 1)
	_, err := Parse([]byte(many))
	require.ErrorIs(t, err, ErrTooLarge)
	for _, profiles := range [][]string{{"didcomm/v3"}, {""}, {"didcomm/aip1"}, {"DIDCOMM/V2"}} {
		i, err := New(made2(t))
		require.NoError(t, err)
		i.Accept = profiles
		_, err = i.Choose(t.Context(), resolver(), start)
		require.ErrorIs(t, err, ErrUnsupported, profiles)
		require.Equal(t, "unsupported-invitation", code(t, err))
	}
	for _, at := range []time.Duration{time.Hour, 1000 * time.Hour} {
		i, err := New(made2(t))
		require.NoError(t, err)
		_, err = i.Choose(t.Context(), resolver(), start.Add(at))
		require.ErrorIs(t, err, ErrExpired)
	}
}
