package status_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func parseDID(t testing.TB, s string) did.DID {
	t.Helper()
	id, err := did.Parse(s)
	require.NoError(t, err)
	return id
}

// newList is a list of the river's, for a day from noon, with some bits set.
func newList(t testing.TB, set ...int) *status.List {
	t.Helper()
	return &status.List{
		ID: listURL, Issuer: parseDID(t, "did:example:river"), Purposes: []status.Purpose{status.Revocation},
		ValidFrom: noon, ValidUntil: noon.Add(24 * time.Hour), TTL: time.Minute, Bits: newBits(t, status.MinEntries, set...),
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*status.List){
		"usual":        func(*status.List) {},
		"two purposes": func(l *status.List) { l.Purposes = []status.Purpose{status.Revocation, status.Suspension} },
		"no end":       func(l *status.List) { l.ValidUntil = time.Time{} },
		"no ttl":       func(l *status.List) { l.TTL = 0 },
		"milliseconds": func(l *status.List) {
			l.ValidFrom = noon.Add(time.Millisecond)
			l.TTL = 1500 * time.Millisecond
		},
	} {
		l := newList(t, 7)
		change(l)
		c, err := l.Credential()
		require.NoError(t, err, name)
		b, err := json.Marshal(c)
		require.NoError(t, err, name)
		back, err := vc.Parse(b)
		require.NoError(t, err, name)
		got, err := status.ParseList(back)
		require.NoError(t, err, name)
		require.Equal(t, l, got, name)
	}
	c, err := newList(t).Credential()
	require.NoError(t, err)
	b, err := json.Marshal(c)
	require.NoError(t, err)
	want := `{"@context":["https://www.w3.org/ns/credentials/v2"],"id":"https://river.example/status/3",` +
		`"type":["VerifiableCredential","BitstringStatusListCredential"],"issuer":"did:example:river",` +
		`"validFrom":"2026-03-02T12:00:00Z","validUntil":"2026-03-03T12:00:00Z","credentialSubject":` +
		`{"id":"https://river.example/status/3#list","type":"BitstringStatusList","statusPurpose":"revocation","encodedList":"` +
		newList(t).Bits.Encode() + `","ttl":60000}}`
	require.JSONEq(t, want, string(b))
}

func TestListRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*status.List){
		"no id":             func(l *status.List) { l.ID = "" },
		"id no URL":         func(l *status.List) { l.ID = "river" },
		"id with fragment":  func(l *status.List) { l.ID += "#list" },
		"no issuer":         func(l *status.List) { l.Issuer = did.DID{} },
		"no purpose":        func(l *status.List) { l.Purposes = nil },
		"empty purpose":     func(l *status.List) { l.Purposes = []status.Purpose{status.Revocation, ""} },
		"purpose not UTF-8": func(l *status.List) { l.Purposes = []status.Purpose{"\xff"} },
		"no beginning":      func(l *status.List) { l.ValidFrom = time.Time{} },
		"ends at once":      func(l *status.List) { l.ValidUntil = l.ValidFrom },
		"ends before":       func(l *status.List) { l.ValidUntil = l.ValidFrom.Add(-1) },
		"ttl below zero":    func(l *status.List) { l.TTL = -time.Millisecond },
		"ttl too fine":      func(l *status.List) { l.TTL = time.Microsecond },
		"no bits":           func(l *status.List) { l.Bits = nil },
	} {
		l := newList(t)
		change(l)
		c, err := l.Credential()
		require.ErrorIs(t, err, status.ErrMalformed, name)
		require.Nil(t, c, name)
	}
}

// TestParseList: what the specification's own example has, and what is no list.
func TestParseList(t *testing.T) {
	t.Parallel()
	const example = `{"@context":["https://www.w3.org/ns/credentials/v2"],"id":"https://example.com/credentials/status/3",` +
		`"type":["VerifiableCredential","BitstringStatusListCredential"],"issuer":"did:example:12345","validFrom":"2021-04-05T14:27:40Z",` +
		`"credentialSubject":{"id":"https://example.com/status/3#list","type":"BitstringStatusList","statusPurpose":"revocation","encodedList":"` +
		published + `"}}`
	parse := func(text string) (*status.List, error) {
		c, err := vc.Parse([]byte(text))
		require.NoError(t, err, text)
		return status.ParseList(c)
	}
	l, err := parse(example)
	require.NoError(t, err)
	require.Equal(t, &status.List{
		ID: "https://example.com/credentials/status/3", Issuer: parseDID(t, "did:example:12345"),
		Purposes: []status.Purpose{status.Revocation}, ValidFrom: time.Date(2021, 4, 5, 14, 27, 40, 0, time.UTC), Bits: newBits(t, 131_072),
	}, l)
	l, err = parse(strings.Replace(example, `"statusPurpose"`, `"ttl":9007199254740991,"statusPurpose"`, 1))
	require.NoError(t, err)
	require.Greater(t, l.TTL, 200*365*24*time.Hour, "a time that is too long is long")

	for name, c := range map[string]struct {
		old, new string
		want     error
	}{
		"another type":            {`"BitstringStatusListCredential"`, `"StatusList2021Credential"`, status.ErrList},
		"a status of its own":     {`"validFrom"`, `"credentialStatus":{"type":"BitstringStatusListEntry"},"validFrom"`, status.ErrList},
		"issuer is no DID":        {`did:example:12345`, `https://example.com`, status.ErrList},
		"two subjects":            {`"credentialSubject":{`, `"credentialSubject":[{"a":1},{`, status.ErrList},
		"another type of subject": {`"type":"BitstringStatusList"`, `"type":"BitstringStatusListEntry"`, status.ErrList},
		"subject without type":    {`"type":"BitstringStatusList",`, ``, status.ErrList},
		"no purpose":              {`"statusPurpose":"revocation",`, ``, status.ErrList},
		"no purposes":             {`"revocation"`, `[]`, status.ErrList},
		"purpose is a number":     {`"revocation"`, `1`, status.ErrList},
		"purposes with a number":  {`"revocation"`, `["revocation",1]`, status.ErrList},
		"ttl is text":             {`"statusPurpose"`, `"ttl":"60000","statusPurpose"`, status.ErrList},
		"ttl below zero":          {`"statusPurpose"`, `"ttl":-1,"statusPurpose"`, status.ErrList},
		"ttl with a fraction":     {`"statusPurpose"`, `"ttl":0.5,"statusPurpose"`, status.ErrList},
		"no list":                 {`,"encodedList":"` + published + `"`, ``, status.ErrList},
		"list is no text":         {`"` + published + `"`, `1`, status.ErrList},
		"list is not encoded":     {published, `river`, status.ErrList},
		"list is too short":       {published, packed(t, make([]byte, 16<<10-1)), status.ErrLength},
		"list is too large":       {published, packed(t, make([]byte, 16<<20+1)), status.ErrTooLarge},
	} {
		text := strings.Replace(example, c.old, c.new, 1)
		if name == "two subjects" {
			text = strings.Replace(text, `"}}`, `"}]}`, 1)
		}
		require.NotEqual(t, example, text, name)
		l, err := parse(text)
		require.ErrorIs(t, err, c.want, name)
		require.ErrorIs(t, err, status.ErrList, name)
		require.Nil(t, l, name)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(published)
	f.Add(packed(f, make([]byte, 100)))
	f.Add(packed(f, []byte("a river of bits"), saying(1<<24)))
	f.Add("u")
	f.Fuzz(func(t *testing.T, encoded string) {
		b, err := status.Decode(encoded)
		if err != nil {
			require.ErrorIs(t, err, status.ErrList)
			return
		}
		back, err := status.Decode(b.Encode())
		require.NoError(t, err)
		require.Equal(t, b.Bytes(), back.Bytes())
	})
}
