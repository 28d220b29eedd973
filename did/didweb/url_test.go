package didweb_test

import (
	"context"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didweb"
)

func parse(t testing.TB, text string) did.DID {
	t.Helper()
	id, err := did.Parse(text)
	require.NoError(t, err)
	return id
}

// The examples of the specification come first.
func TestURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"did:web:w3c-ccg.github.io":                                                 "https://w3c-ccg.github.io/.well-known/did.json",
		"did:web:w3c-ccg.github.io:user:alice":                                      "https://w3c-ccg.github.io/user/alice/did.json",
		"did:web:example.com%3A3000":                                                "https://example.com:3000/.well-known/did.json",
		"did:web:example.com%3A3000:user:alice":                                     "https://example.com:3000/user/alice/did.json",
		"did:web:example.com:u:bob":                                                 "https://example.com/u/bob/did.json",
		"did:web:example.com%3a3000":                                                "https://example.com:3000/.well-known/did.json",
		"did:web:localhost%3A8443":                                                  "https://localhost:8443/.well-known/did.json",
		"did:web:xn--bcher-kva.example":                                             "https://xn--bcher-kva.example/.well-known/did.json",
		"did:web:Rowan.Example:A":                                                   "https://Rowan.Example/A/did.json",
		"did:web:a.example:ward%207":                                                "https://a.example/ward%207/did.json",
		"did:web:a.example:%C3%A9":                                                  "https://a.example/%C3%A9/did.json",
		"did:web:a.example:..x:x..:a.b:-_":                                          "https://a.example/..x/x../a.b/-_/did.json",
		"did:web:a.example:%40%3A%2B%3D":                                            "https://a.example/%40%3A%2B%3D/did.json",
		"did:web:1.2.3.example":                                                     "https://1.2.3.example/.well-known/did.json",
		"did:web:a.example%3A65535":                                                 "https://a.example:65535/.well-known/did.json",
		"did:web:" + strings.Repeat("a", 63) + ".example":                           "https://" + strings.Repeat("a", 63) + ".example/.well-known/did.json",
		"did:web:" + strings.Repeat("a.", 123) + "example":                          "https://" + strings.Repeat("a.", 123) + "example/.well-known/did.json",
		"did:web:a.example:" + strings.Repeat("p", 2<<10-len("did:web:a.example:")): "https://a.example/" + strings.Repeat("p", 2<<10-len("did:web:a.example:")) + "/did.json",
	} {
		got, err := didweb.URL(parse(t, in))
		require.NoError(t, err, in)
		require.Equal(t, want, got)
	}
	_, err := didweb.URL(parse(t, "did:webvh:a.example"))
	require.ErrorIs(t, err, did.ErrUnsupported)
	_, err = didweb.URL(did.DID{})
	require.ErrorIs(t, err, did.ErrUnsupported)
}

// refusedHosts are those that are no fully qualified domain name, or have something
// besides their port.
func refusedHosts() []string {
	return []string{
		// IP addresses, in any spelling.
		"127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "93.184.216.34", "2130706433", "0x7f000001", "0X7F.1", "0xff", "a.0xC0de", "017700000001", "127.1", "0", "0x",
		"1.2.3.4.5", "a.example.1", "%5B%3A%3A1%5D", "%5B%3A%3Affff%3A127.0.0.1%5D", "%3A%3A1", "fe80%3A%3A1",
		// No names.
		"intranet", "a..example", ".example", "a.example.", "-a.example", "a-.example", "a_b.example", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 124) + "example", "xn--",
		// Something else encoded.
		"user%40a.example", "a.example%40b.example", "a.example%2Fb", "a.example%5Cb", "a.example%23b", "a.example%3Fb", "a.example%00", "%61.example", "b%C3%BCcher.example", "a.example%2Ecom", "a.example%253A80",
		// Ports that are none.
		"a.example%3A", "a.example%3A0", "a.example%3A080", "a.example%3A65536", "a.example%3A-1", "a.example%3A80%3A80", "a.example%3A80%2Fb", "a.example%3Ahttps", "a.example%3A99999999999999999999", "%3A80",
	}
}

// refusedPaths are those that are not the one way to write what they lead to.
func refusedPaths() []string {
	return []string{
		"..:..:x", ".:x", "x:..:..:y", "%2e%2e:x", "%2E%2E:x", ".%2e:x", "%2e:x", "x%2ey:z", "%2f", "a%2Fb", "..%2f..%2fx", "%5C", "a%5c..%5cb", "%252e%252e", "%25", "%00", "a%00b", "%0d%0aHost", "%7F", "%C2%85",
		":x", "a::b", "%3F", "a%3Fb", "%23", "did.json%23", "%3B", "a%3Bjsessionid", "%FF", "%C0%AE%C0%AE", "%E2%82", "%ED%A0%80",
	}
}

// No request is made for a DID whose address is not clear.
func TestAbuse_DW04_Parser(t *testing.T) {
	t.Parallel()
	var refused []string
	for _, host := range refusedHosts() {
		refused = append(refused, "did:web:"+host, "did:web:"+host+":x")
	}
	for _, path := range refusedPaths() {
		refused = append(refused, "did:web:a.example:"+path, "did:web:a.example%3A8443:"+path, "did:web:a.example:x:"+path)
	}
	refused = append(refused, "did:web::x", "did:web:::1", "did:web:a.example:"+strings.Repeat("p", 2<<10+1-len("did:web:a.example:")))
	never := getter(func(string) ([]byte, string, error) {
		t.Error("a request")
		return nil, "", did.ErrUnavailable
	})
	for _, in := range refused {
		id, err := did.Parse(in)
		if err != nil {
			require.ErrorIs(t, err, did.ErrInvalid, in)
			continue
		}
		text, err := didweb.URL(id)
		require.ErrorIs(t, err, did.ErrInvalid, in)
		require.Empty(t, text)
		res, err := didweb.Resolver{Client: never}.Resolve(context.Background(), id, did.Version{})
		require.ErrorIs(t, err, did.ErrInvalid, in)
		require.Nil(t, res)
		require.NotContains(t, err.Error(), "example", "the error repeats nothing")
	}
	for _, in := range []string{"did:web:", "did:web:a.example:", "did:web:user@a.example", "did:web:a.example/x", "did:web:[::1]", "did:web:a.example:%zz", "did:web:a.example:%2"} {
		_, err := did.Parse(in)
		require.ErrorIs(t, err, did.ErrInvalid, in)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		host string
		path []string
		want string
	}{
		{"example.com", nil, "did:web:example.com"},
		{"example.com:3000", []string{"user", "alice"}, "did:web:example.com%3A3000:user:alice"},
		{"Example.COM", nil, "did:web:example.com"},
		{"bücher.example", nil, "did:web:xn--bcher-kva.example"},
		{"r2---sn.example", nil, "did:web:r2---sn.example"}, // names like it are in use
		{"localhost:8443", []string{"ward 7", "é", "a:b@c"}, "did:web:localhost%3A8443:ward%207:%C3%A9:a%3Ab%40c"},
	} {
		id, err := didweb.New(tt.host, tt.path...)
		require.NoError(t, err, tt.host)
		require.Equal(t, tt.want, id.String())
		_, err = didweb.URL(id)
		require.NoError(t, err)
	}
	for _, tt := range []struct {
		host string
		path []string
	}{
		{host: ""}, {host: "127.0.0.1"}, {host: "127.0.0.1:8443"}, {host: "[::1]:8443"}, {host: "::1"}, {host: "2130706433"}, {host: "intranet"}, {host: "a.example."},
		{host: "https://a.example"}, {host: "a.example/x"}, {host: "user@a.example"}, {host: "a.example:"}, {host: "a.example:0"}, {host: "a.example:80:80"}, {host: "a_b.example"}, {host: "a\x00.example"},
		{host: "a.example", path: []string{""}}, {host: "a.example", path: []string{"a", "", "b"}}, {host: "a.example", path: []string{".."}}, {host: "a.example", path: []string{"."}},
		{host: "a.example", path: []string{"a/b"}}, {host: "a.example", path: []string{`a\b`}}, {host: "a.example", path: []string{"%2e"}}, {host: "a.example", path: []string{"a?b"}},
		{host: "a.example", path: []string{"a#b"}}, {host: "a.example", path: []string{"\x00"}}, {host: "a.example", path: []string{"\xff"}}, {host: "a.example", path: []string{strings.Repeat("p", 2<<10)}},
	} {
		id, err := didweb.New(tt.host, tt.path...)
		require.ErrorIs(t, err, did.ErrInvalid, "%q %q", tt.host, tt.path)
		require.True(t, id.IsZero())
	}
}

// FuzzURL requires of every address that each program reads it the same way.
func FuzzURL(f *testing.F) {
	for _, host := range append(refusedHosts(), "w3c-ccg.github.io", "example.com%3A3000", "localhost%3A8443") {
		f.Add("did:web:" + host)
	}
	for _, path := range append(refusedPaths(), "user:alice", "ward%207:%C3%A9") {
		f.Add("did:web:a.example:" + path)
	}
	f.Fuzz(func(t *testing.T, in string) {
		id, err := did.Parse(in)
		if err != nil {
			return
		}
		text, err := didweb.URL(id)
		if err != nil {
			require.Empty(t, text)
			return
		}
		u, err := url.Parse(text)
		require.NoError(t, err)
		require.Equal(t, "https", u.Scheme)
		require.Nil(t, u.User)
		require.Empty(t, u.RawQuery+u.Fragment+u.Opaque)
		require.Equal(t, text, u.String())
		require.Equal(t, u.Path, path.Clean(u.Path), "nothing climbs, nothing is empty")
		require.True(t, strings.HasSuffix(u.Path, "/did.json"))
		require.Equal(t, strings.Count(u.EscapedPath(), "/"), strings.Count(u.Path, "/"))
		segments := strings.Split(strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), "/did.json"), "/")
		if strings.Count(in, ":") == 2 {
			segments = nil
		}
		again, err := didweb.New(u.Host, segments...)
		require.NoError(t, err)
		same, err := didweb.URL(again)
		require.NoError(t, err)
		reread, err := url.Parse(same)
		require.NoError(t, err)
		require.Equal(t, u.Path, reread.Path)
		require.True(t, strings.EqualFold(u.Host, reread.Host))
	})
}
