package didcomm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

func TestParseType(t *testing.T) {
	t.Parallel()
	offer := didcomm.Type{Protocol: "issue-credential", Major: 2, Name: "offer-credential"}
	for _, tt := range []struct {
		name, uri string
		want      didcomm.Type
	}{
		{"current", "https://didcomm.org/issue-credential/2.0/offer-credential", offer},
		{"legacy", "did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/issue-credential/2.0/offer-credential", offer},
		{"underscore", "https://didcomm.org/didexchange/1.1/problem_report", didcomm.Type{Protocol: "didexchange", Major: 1, Minor: 1, Name: "problem_report"}},
		{"two digits", "https://didcomm.org/out-of-band/10.12/invitation", didcomm.Type{Protocol: "out-of-band", Major: 10, Minor: 12, Name: "invitation"}},
		// None of these is the protocol whose name it ends with.
		{"http", "http://didcomm.org/x/1.0/y", didcomm.Type{Protocol: "http://didcomm.org/x", Major: 1, Name: "y"}},
		{"other host", "https://plants.example/docs/x/1.0/y", didcomm.Type{Protocol: "https://plants.example/docs/x", Major: 1, Name: "y"}},
		{"host as prefix", "https://didcomm.org.example/x/1.0/y", didcomm.Type{Protocol: "https://didcomm.org.example/x", Major: 1, Name: "y"}},
		{"other DID", "did:sov:AAAAAAAAAAAAAAAAAAAAAA;spec/x/1.0/y", didcomm.Type{Protocol: "did:sov:AAAAAAAAAAAAAAAAAAAAAA;spec/x", Major: 1, Name: "y"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := didcomm.ParseType(tt.uri)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			if tt.name != "legacy" {
				require.Equal(t, tt.uri, got.String())
			}

			text, err := got.MarshalText()
			require.NoError(t, err)
			var again didcomm.Type
			require.NoError(t, again.UnmarshalText(text))
			require.Equal(t, got, again)
		})
	}
}

func TestParseTypeRefuses(t *testing.T) {
	t.Parallel()
	for name, uri := range map[string]string{
		"empty":           "",
		"no prefix":       "issue-credential/2.0/offer-credential",
		"no host":         "https:///issue-credential/2.0/offer-credential",
		"ftp":             "ftp://didcomm.org/issue-credential/2.0/offer-credential",
		"host with user":  "https://a@didcomm.org/issue-credential/2.0/offer-credential",
		"long host":       "https://" + strings.Repeat("a", 129) + "/issue-credential/2.0/offer-credential",
		"DID without ;":   "did:sov:AAAAAAAAAAAAAAAAAAAAAA/issue-credential/2.0/offer-credential",
		"no version":      "https://didcomm.org/issue-credential/offer-credential",
		"no minor":        "https://didcomm.org/issue-credential/2/offer-credential",
		"patch":           "https://didcomm.org/issue-credential/2.0.1/offer-credential",
		"minus":           "https://didcomm.org/issue-credential/-2.0/offer-credential",
		"huge version":    "https://didcomm.org/issue-credential/99999.0/offer-credential",
		"no name":         "https://didcomm.org/issue-credential/2.0/",
		"further segment": "https://didcomm.org/issue-credential/2.0/offer-credential/x",
		"upper protocol":  "https://didcomm.org/Issue-Credential/2.0/offer-credential",
		"space":           "https://didcomm.org/issue-credential/2.0/offer credential",
		"line break":      "https://didcomm.org/issue-credential/2.0/offer-credential\n",
		"query":           "https://didcomm.org/issue-credential/2.0/offer-credential?x",
		"long name":       "https://didcomm.org/issue-credential/2.0/" + strings.Repeat("a", 65),
		"twice":           "did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/https://didcomm.org/issue-credential/2.0/offer-credential",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := didcomm.ParseType(uri)
			require.ErrorIs(t, err, didcomm.ErrMalformed)
			var typ didcomm.Type
			require.ErrorIs(t, typ.UnmarshalText([]byte(uri)), didcomm.ErrMalformed)
			require.Zero(t, typ)
		})
	}
}

func TestTypeURIs(t *testing.T) {
	t.Parallel()
	typ := didcomm.Type{Protocol: "didexchange", Major: 1, Minor: 1, Name: "request"}
	require.Equal(t, "https://didcomm.org/didexchange/1.1/request", typ.String())
	require.Equal(t, "https://didcomm.org/didexchange/1.1", typ.ProtocolURI())
	require.Equal(t, "https://didcomm.org/didexchange/1.1/response", typ.With("response").String())
	require.Equal(t, "request", typ.Name, "With changed its receiver")
}

func FuzzParseType(f *testing.F) {
	f.Add("https://didcomm.org/issue-credential/2.0/offer-credential")
	f.Add("did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/connections/1.0/invitation")
	f.Add("https://didcomm.org/out-of-band/1.1/problem_report")
	f.Add("https://plants.example/docs/x/1.0/y")
	f.Add("did:sov:AAAAAAAAAAAAAAAAAAAAAA;spec/x/1.0/y")
	f.Fuzz(func(t *testing.T, s string) {
		typ, err := didcomm.ParseType(s)
		if err != nil {
			require.ErrorIs(t, err, didcomm.ErrMalformed)
			return
		}
		again, err := didcomm.ParseType(typ.String())
		require.NoError(t, err)
		require.Equal(t, typ, again)
	})
}
