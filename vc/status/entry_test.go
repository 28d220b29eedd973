package status_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
)

const listURL = "https://river.example/status/3"

// entryOf reads one credentialStatus entry out of its JSON text.
func entryOf(t testing.TB, text string) vc.Status {
	t.Helper()
	c, err := vc.Parse([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],` +
		`"issuer":"did:example:river","credentialSubject":{"post":"ferryman"},"credentialStatus":` + text + `}`))
	require.NoError(t, err, text)
	require.Len(t, c.Status, 1)
	return c.Status[0]
}

func TestEntry(t *testing.T) {
	t.Parallel()
	for _, p := range []status.Purpose{status.Revocation, status.Suspension} {
		r, err := status.ParseEntry(status.Entry(listURL, p, 94567))
		require.NoError(t, err)
		require.Equal(t, status.Reference{List: listURL, Purpose: p, Index: 94567, Size: 1}, r)
		require.False(t, r.Token())
		require.True(t, p.Withdraws())
	}
	c := vc.Credential{
		Context: vc.Contexts(), Type: []string{vc.TypeCredential}, Issuer: vc.Party{ID: "did:example:river"},
		Subject: json.RawMessage(`{"post":"ferryman"}`), Status: []vc.Status{status.Entry(listURL, status.Revocation, 7)},
	}
	b, err := json.Marshal(c)
	require.NoError(t, err)
	require.Contains(t, string(b), `"credentialStatus":{"id":"`+listURL+`#7","type":"BitstringStatusListEntry","statusListCredential":"`+listURL+
		`","statusListIndex":"7","statusPurpose":"revocation"}`)
}

// TestParseEntry: examples 1, 2 and 4 of the specification, and neighbours.
func TestParseEntry(t *testing.T) {
	t.Parallel()
	messages := func(n int) string {
		return `"statusMessage":[` + strings.TrimSuffix(strings.Repeat(`{"status":"0x0","message":"moored"},`, n), ",") + `]`
	}
	entry := func(members string) string {
		return `{"type":"BitstringStatusListEntry","statusListCredential":"` + listURL + `"` + members + `}`
	}
	plain := func(members string) string {
		return entry(`,"statusPurpose":"revocation","statusListIndex":"94567"` + members)
	}
	for _, c := range []struct {
		text string
		want status.Reference
	}{
		{`{"id":"` + listURL + `#94567",` + plain("")[1:], status.Reference{List: listURL, Purpose: "revocation", Index: 94567, Size: 1}},
		{entry(`,"statusPurpose":"suspension","statusListIndex":"0"`), status.Reference{List: listURL, Purpose: "suspension", Size: 1}},
		{entry(`,"statusPurpose":"ferry","statusListIndex":"134217727"`), status.Reference{List: listURL, Purpose: "ferry", Index: 1<<27 - 1, Size: 1}},
		{entry(`,"statusPurpose":"message","statusListIndex":"5","statusSize":2,"statusReference":"https://river.example/words",` + messages(4)),
			status.Reference{List: listURL, Purpose: "message", Index: 5, Size: 2}},
		{plain(`,"statusSize":1`), status.Reference{List: listURL, Purpose: "revocation", Index: 94567, Size: 1}},
		{plain(`,` + messages(2)), status.Reference{List: listURL, Purpose: "revocation", Index: 94567, Size: 1}},
		{plain(`,"statusSize":8,` + messages(256)), status.Reference{List: listURL, Purpose: "revocation", Index: 94567, Size: 8}},
		{`{"type":"JWTStatusClaim","status_list":{"idx":5,"uri":"` + listURL + `"}}`, status.Reference{List: listURL, Index: 5}},
		{`{"type":"JWTStatusClaim","status_list":{"idx":0,"uri":"` + listURL + `","more":1}}`, status.Reference{List: listURL}},
	} {
		r, err := status.ParseEntry(entryOf(t, c.text))
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, r, c.text)
	}
	for _, c := range []struct {
		text string
		want error
	}{
		{`{"type":"StatusList2021Entry","statusListCredential":"` + listURL + `","statusPurpose":"revocation","statusListIndex":"1"}`, status.ErrUnsupported},
		{`{"type":["BitstringStatusListEntry","More"],"statusListCredential":"` + listURL + `","statusPurpose":"revocation","statusListIndex":"1"}`, status.ErrUnsupported},
		{`{"type":"bitstringstatuslistentry"}`, status.ErrUnsupported},
		{`{"type":"BitstringStatusListEntry"}`, status.ErrMalformed},
		{entry(`,"statusListIndex":"1"`), status.ErrMalformed},
		{entry(`,"statusPurpose":"","statusListIndex":"1"`), status.ErrMalformed},
		{entry(`,"statusPurpose":["revocation"],"statusListIndex":"1"`), status.ErrMalformed},
		{entry(`,"statusPurpose":"revocation"`), status.ErrRange},
		{`{"id":"` + listURL + `",` + plain("")[1:], status.ErrMalformed},
		{strings.Replace(plain(""), listURL, "river", 1), status.ErrMalformed},
		{strings.Replace(plain(""), listURL, "/status/3", 1), status.ErrMalformed},
		{strings.Replace(plain(""), listURL, "", 1), status.ErrMalformed},
		{strings.Replace(plain(""), listURL, "https://river.example/"+strings.Repeat("a", 2048), 1), status.ErrMalformed},
		{strings.Replace(plain(""), `"`+listURL+`"`, `["`+listURL+`"]`, 1), status.ErrMalformed},
		{plain(`,"statusSize":0`), status.ErrMalformed},
		{plain(`,"statusSize":-1`), status.ErrMalformed},
		{plain(`,"statusSize":1.5`), status.ErrMalformed},
		{plain(`,"statusSize":"1"`), status.ErrMalformed},
		{plain(`,"statusSize":2`), status.ErrMalformed},
		{plain(`,"statusSize":2,` + messages(3)), status.ErrMalformed},
		{plain(`,` + messages(1)), status.ErrMalformed},
		{plain(`,"statusMessage":"moored"`), status.ErrMalformed},
		{plain(`,"statusSize":9,` + messages(512)), status.ErrUnsupported},
		{`{"type":"JWTStatusClaim","status_list":{"uri":"` + listURL + `"}}`, status.ErrRange},
		{`{"type":"JWTStatusClaim","status_list":{"idx":"5","uri":"` + listURL + `"}}`, status.ErrRange},
		{`{"type":"JWTStatusClaim","status_list":{"idx":5}}`, status.ErrMalformed},
		{`{"type":"JWTStatusClaim","status_list":{"idx":5,"uri":"river"}}`, status.ErrMalformed},
		{`{"type":"JWTStatusClaim","status_list":[5]}`, status.ErrMalformed},
		{`{"type":"JWTStatusClaim","assertion":{"idx":5,"uri":"` + listURL + `"}}`, status.ErrUnsupported},
		{`{"type":"JWTStatusClaim","status_list":{"idx":5,"uri":"` + listURL + `"},"assertion":{}}`, status.ErrUnsupported},
	} {
		_, err := status.ParseEntry(entryOf(t, c.text))
		require.ErrorIs(t, err, c.want, c.text)
		require.NotContains(t, err.Error(), "river", "no error repeats what it is about")
	}
	_, err := status.ParseEntry(vc.Status{Type: []string{status.TypeEntry}, Other: map[string]json.RawMessage{"statusPurpose": json.RawMessage("{")}})
	require.ErrorIs(t, err, status.ErrMalformed)
	_, err = status.ParseEntry(status.Entry("https://river.example/\xff", status.Revocation, 1))
	require.ErrorIs(t, err, status.ErrMalformed)
}

// TestAbuse_ST04_Index: no spelling of an index but the one, and none beyond what any
// list has, as text or as a number.
func TestAbuse_ST04_Index(t *testing.T) {
	t.Parallel()
	for _, index := range []string{
		`"abc"`, `"-1"`, `"134217728"`, `"1e12"`, `"1000000000000"`, `"3.5"`, `""`, `" 1"`, `"+1"`, `"01"`, `"0x1"`, `"1_0"`, `"١"`,
		`"18446744073709551616"`, `"` + strings.Repeat("9", 1000) + `"`,
		`-1`, `131072`, `1e12`, `3.5`, `null`, `true`, `["1"]`, `{}`,
	} {
		text := fmt.Sprintf(`{"type":"BitstringStatusListEntry","statusListCredential":%q,"statusPurpose":"revocation","statusListIndex":%s}`, listURL, index)
		_, err := status.ParseEntry(entryOf(t, text))
		require.ErrorIs(t, err, status.ErrRange, index)
		if index != "131072" {
			_, err = status.ParseEntry(entryOf(t, fmt.Sprintf(`{"type":"JWTStatusClaim","status_list":{"idx":%s,"uri":%q}}`, index, listURL)))
			require.ErrorIs(t, err, status.ErrRange, index)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	for _, seed := range []string{
		`{"type":"BitstringStatusListEntry","statusListCredential":"https://river.example/status/3","statusPurpose":"revocation","statusListIndex":"94567"}`,
		`{"type":"BitstringStatusListEntry","statusListCredential":"https://river.example/status/3","statusPurpose":"message","statusListIndex":"1","statusSize":2,"statusMessage":[1,2,3,4]}`,
		`{"type":"JWTStatusClaim","status_list":{"idx":5,"uri":"https://river.example/status/3"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := strictjson.ParseObject(b)
		if err != nil {
			return
		}
		typ, _ := o.Text("type")
		s := vc.Status{Type: []string{typ}, Other: map[string]json.RawMessage{}}
		for name, v := range o.All() {
			if s.Other[name], err = strictjson.Append(nil, v); err != nil {
				return
			}
		}
		r, err := status.ParseEntry(s)
		if err != nil {
			require.Zero(t, r)
			return
		}
		require.GreaterOrEqual(t, r.Index, 0)
		require.Less(t, r.Index, 1<<27)
		require.Equal(t, r.Token(), r.Purpose == "")
	})
}
