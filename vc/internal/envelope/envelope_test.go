package envelope_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope"
)

func parse(t testing.TB, doc string) *strictjson.Object {
	t.Helper()
	o, err := strictjson.ParseObject([]byte(doc))
	require.NoError(t, err)
	return o
}

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

// The two packages above have the rest of the cases, through their own doors.
func TestClaims_CheckCredential(t *testing.T) {
	t.Parallel()
	const period = `"validFrom":"2026-01-10T00:00:00Z","validUntil":"2026-01-20T00:00:00Z"`
	const legacy = `"issuanceDate":"2026-01-10T00:00:00Z","expirationDate":"2026-01-20T00:00:00Z"`
	for _, c := range []struct {
		name   string
		claims envelope.Claims
		doc    string
		want   string
	}{
		{"nothing", envelope.Claims{}, `{}`, ""},
		{"issuer of a document without", envelope.Claims{Issuer: "a"}, `{}`, "issuer"},
		{"issuer that is a number", envelope.Claims{Issuer: "a"}, `{"issuer":1}`, "issuer"},
		{"issuer object without id", envelope.Claims{Issuer: "a"}, `{"issuer":{"name":"a"}}`, "issuer"},
		{"subject of none", envelope.Claims{Subject: "a"}, `{}`, "subject"},
		{"subject without id", envelope.Claims{Subject: "a"}, `{"credentialSubject":{}}`, "subject"},
		{"subject that is text", envelope.Claims{Subject: "a"}, `{"credentialSubject":"a"}`, "subject"},
		{"only subject in a list", envelope.Claims{Subject: "a"}, `{"credentialSubject":[{"id":"a"}]}`, ""},
		{"one of two subjects", envelope.Claims{Subject: "a"}, `{"credentialSubject":[{"id":"a"},{"id":"b"}]}`, "subject"},
		{"the same subject twice", envelope.Claims{Subject: "a"}, `{"credentialSubject":[{"id":"a"},{"id":"a"}]}`, "subject"},
		{"id of a document without", envelope.Claims{ID: "a"}, `{}`, ""},
		{"id that is a number", envelope.Claims{ID: "a"}, `{"id":1}`, "id"},
		{"the same period", envelope.Claims{NotBefore: day(10), Expires: day(20)}, `{` + period + `}`, ""},
		{"inside the period", envelope.Claims{NotBefore: day(12), Expires: day(13)}, `{` + period + `}`, ""},
		{"touching the end", envelope.Claims{NotBefore: day(20)}, `{` + period + `}`, ""},
		{"touching the start", envelope.Claims{Expires: day(10)}, `{` + period + `}`, ""},
		{"before", envelope.Claims{NotBefore: day(9)}, `{` + period + `}`, "not before"},
		{"after", envelope.Claims{Expires: day(21)}, `{` + period + `}`, "expires"},
		{"ends before it starts", envelope.Claims{Expires: day(9)}, `{` + period + `}`, "expires"},
		{"starts when it has ended", envelope.Claims{NotBefore: day(21)}, `{` + period + `}`, "not before"},
		{"before, 1.1", envelope.Claims{NotBefore: day(9)}, `{` + legacy + `}`, "not before"},
		{"after, 1.1", envelope.Claims{Expires: day(21)}, `{` + legacy + `}`, "expires"},
		{"no period", envelope.Claims{NotBefore: day(9), Expires: day(21)}, `{}`, ""},
		{"a second is rounding", envelope.Claims{NotBefore: day(10), Expires: day(20)}, `{"validFrom":"2026-01-10T00:00:00.999Z","validUntil":"2026-01-19T23:59:59.001Z"}`, ""},
		{"ends in the second in which it starts", envelope.Claims{Expires: day(10)}, `{"validFrom":"2026-01-10T00:00:00.5Z","validUntil":"2026-01-10T00:00:00.7Z"}`, ""},
		{"more is not", envelope.Claims{NotBefore: day(10)}, `{"validFrom":"2026-01-10T00:00:01Z"}`, "not before"},
		{"more is not, end", envelope.Claims{Expires: day(20)}, `{"validUntil":"2026-01-19T23:59:59Z"}`, "expires"},
	} {
		require.Equal(t, c.want, c.claims.CheckCredential(parse(t, c.doc)), c.name)
	}
}

func TestClaims_CheckPresentation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		claims envelope.Claims
		doc    string
		want   string
	}{
		{"nothing", envelope.Claims{}, `{}`, ""},
		{"no issuer", envelope.Claims{}, `{"holder":"a"}`, ""},
		{"no holder", envelope.Claims{Issuer: "a"}, `{}`, ""},
		{"holder", envelope.Claims{Issuer: "a"}, `{"holder":{"id":"a"}}`, ""},
		{"another holder", envelope.Claims{Issuer: "a"}, `{"holder":"b"}`, "issuer"},
		{"holder is null", envelope.Claims{Issuer: "a"}, `{"holder":null}`, "issuer"},
		{"another subject", envelope.Claims{Issuer: "a", Subject: "b"}, `{}`, "subject"},
		{"another id", envelope.Claims{ID: "a"}, `{"id":"b"}`, "id"},
	} {
		require.Equal(t, c.want, c.claims.CheckPresentation(parse(t, c.doc)), c.name)
	}
}

func TestNumericDate(t *testing.T) {
	t.Parallel()
	for in, want := range map[float64]string{
		0:            "1970-01-01T00:00:00Z",
		-1.5:         "1969-12-31T23:59:58.5Z",
		1772452800:   "2026-03-02T12:00:00Z",
		253402300799: "9999-12-31T23:59:59Z",
		-62135596799: "0001-01-01T00:00:01Z",
	} {
		got, ok := envelope.NumericDate(in)
		require.True(t, ok)
		require.Equal(t, want, got.Format(time.RFC3339Nano))
	}
	for _, in := range []float64{253402300800, -62135596800, 1e300, -1e300, math.NaN(), math.Inf(1), math.Inf(-1)} {
		_, ok := envelope.NumericDate(in)
		require.False(t, ok, in)
	}
}

func TestEnvelopCredentials(t *testing.T) {
	t.Parallel()
	doc := parse(t, `{"verifiableCredential":[{"type":["VerifiableCredential"],"proof":{}},{"@context":"`+vc.ContextV2+`","id":"data:application/vc+jwt,a.b.c","type":"EnvelopedVerifiableCredential"}]}`)
	require.NoError(t, envelope.EnvelopCredentials(doc))
	list, _ := doc.Get("verifiableCredential")
	for i, want := range []vc.Secured{
		{MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"type":["VerifiableCredential"],"proof":{}}`)},
		{MediaType: "application/vc+jwt", Bytes: []byte("a.b.c")},
	} {
		s, enveloped, err := vc.UnwrapObject(list.([]any)[i].(*strictjson.Object))
		require.NoError(t, err)
		require.True(t, enveloped)
		require.Equal(t, want, s)
	}
	require.NoError(t, envelope.EnvelopCredentials(parse(t, `{}`)))
	require.Error(t, envelope.EnvelopCredentials(parse(t, `{"verifiableCredential":[{"type":"EnvelopedVerifiableCredential","id":"data:x"}]}`)))
}
