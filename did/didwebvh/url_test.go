package didwebvh_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didwebvh"
)

// scid is the one of the published log basic-create/ts.
const scid = "Qmdxt11AjZewCNXX69bpEDobgjySeZ7eFwjf4tgpF6p2Dg"

func parse(t testing.TB, text string) did.DID {
	t.Helper()
	id, err := did.Parse(text)
	require.NoError(t, err)
	return id
}

// TestURL has the examples of section The DID to HTTPS Transformation, and more.
func TestURL(t *testing.T) {
	t.Parallel()
	for rest, want := range map[string]string{
		"example.com":                      "https://example.com/.well-known/did.jsonl",
		"issuer.example.com":               "https://issuer.example.com/.well-known/did.jsonl",
		"example.com:dids:issuer":          "https://example.com/dids/issuer/did.jsonl",
		"example.com%3A3000:dids:issuer":   "https://example.com:3000/dids/issuer/did.jsonl",
		"example.com%3a3000":               "https://example.com:3000/.well-known/did.jsonl",
		"example.com%3A65535":              "https://example.com:65535/.well-known/did.jsonl",
		"example.com%3A00443":              "https://example.com:443/.well-known/did.jsonl",
		"EXAMPLE.com:Dids":                 "https://example.com/Dids/did.jsonl",
		"xn--jp-cd2fp15c.xn--fsq.jp":       "https://xn--jp-cd2fp15c.xn--fsq.jp/.well-known/did.jsonl",
		"faß.example":                      "https://xn--fa-hia.example/.well-known/did.jsonl",
		"jp納豆.例.jp:用户":                     "https://xn--jp-cd2fp15c.xn--fsq.jp/%E7%94%A8%E6%88%B7/did.jsonl",
		"a。b.example":                      "https://a.b.example/.well-known/did.jsonl",
		"1.2.3.4.example":                  "https://1.2.3.4.example/.well-known/did.jsonl",
		"example.com:a%20b":                "https://example.com/a%20b/did.jsonl",
		"example.com:%61%2D%7E":            "https://example.com/a-%7E/did.jsonl",
		"example.com:...":                  "https://example.com/.../did.jsonl",
		"example.com:.well-known":          "https://example.com/.well-known/did.jsonl",
		"example.com:" + scid:              "https://example.com/" + scid + "/did.jsonl",
		strings.Repeat("a", 63) + ".b":     "https://" + strings.Repeat("a", 63) + ".b/.well-known/did.jsonl",
		"example.com" + rep(":a", 30):      "https://example.com" + rep("/a", 30) + "/did.jsonl",
		"xn--80ak6aa92e.example:%E2%9C%93": "https://xn--80ak6aa92e.example/%E2%9C%93/did.jsonl",
	} {
		log, witness, err := didwebvh.URL(parse(t, "did:webvh:"+scid+":"+encoded(rest)))
		require.NoError(t, err, rest)
		require.Equal(t, want, log)
		require.Equal(t, strings.TrimSuffix(want, "did.jsonl")+"did-witness.json", witness)
	}
}

func rep(s string, n int) string { return strings.Repeat(s, n) }

// encoded percent-encodes what is not ASCII, as a DID has it.
func encoded(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < 0x80 {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + string("0123456789ABCDEF"[c>>4]) + string("0123456789ABCDEF"[c&15]))
	}
	return b.String()
}

// TestAbuse_DW04_URL: names that lead elsewhere than they seem to are refused before
// anything is fetched.
func TestAbuse_DW04_URL(t *testing.T) {
	t.Parallel()
	with := func(rest string) string { return "did:webvh:" + scid + ":" + rest }
	for name, text := range map[string]string{
		"no domain":                  "did:webvh:" + scid,
		"no SCID":                    "did:webvh:example.com:a",
		"SCID too short":             "did:webvh:" + scid[:45] + ":example.com",
		"SCID too long":              "did:webvh:" + scid + "A:example.com",
		"SCID of another alphabet":   "did:webvh:" + strings.Replace(scid, "1", "0", 1) + ":example.com",
		"SCID of another hash":       "did:webvh:" + "R" + scid[1:] + ":example.com",
		"SCID in multibase":          "did:webvh:z" + scid[:45] + ":example.com",
		"one label":                  with("example"),
		"localhost":                  with("localhost"),
		"localhost with a port":      with("localhost%3A8080"),
		"empty label":                with("example..com"),
		"dot first":                  with(".example.com"),
		"dot last":                   with("example.com."),
		"dot last, encoded":          with("example.com%2E"),
		"label of 64":                with(rep("a", 64) + ".com"),
		"name of 254":                with(rep("a.", 126) + "ab"),
		"underscore":                 with("a_b.example"),
		"underscore, encoded":        with("a%5Fb.example"),
		"hyphen first":               with("-a.example"),
		"hyphen last":                with("a-.example"),
		"IPv4":                       with("127.0.0.1"),
		"IPv4 in full width":         with(encoded("１２７.０.０.１")),
		"IPv4 with an odd dot":       with(encoded("127。0。0。1")),
		"IPv4 short":                 with("127.1"),
		"IPv4 in hex":                with("0x7f.0x1"),
		"IPv4 in octal":              with("0177.0.0.01"),
		"IPv4 of one number":         with("2130706433"),
		"last label a number":        with("example.123"),
		"last label 0x":              with("example.0x"),
		"IPv6":                       with("%5B%3A%3A1%5D"),
		"user":                       with("a%40example.com"),
		"slash":                      with("example.com%2Fa"),
		"slash in full width":        with(encoded("example.com／a")),
		"question mark":              with("example.com%3Fa"),
		"number sign":                with("example.com%23a"),
		"backslash":                  with("example.com%5Ca"),
		"NUL":                        with("example.com%00"),
		"space":                      with("%20example.com"),
		"encoded twice":              with("example%252Ecom"),
		"not UTF-8":                  with("%FF.example"),
		"no such punycode":           with("xn--a.example"),
		"punycode of ASCII":          with("xn--example-.com"),
		"port 0":                     with("example.com%3A0"),
		"port 65536":                 with("example.com%3A65536"),
		"port of six digits":         with("example.com%3A000443"),
		"port empty":                 with("example.com%3A"),
		"port a word":                with("example.com%3Ahttps"),
		"port negative":              with("example.com%3A-1"),
		"port encoded twice":         with("example.com%253A443"),
		"two ports":                  with("example.com%3A80%3A443"),
		"port before the name":       with("80%3Aexample.com"),
		"port in full width":         with("example.com%EF%BC%9A443"),
		"empty segment":              with("example.com::a"),
		"segment .":                  with("example.com:.:a"),
		"segment ..":                 with("example.com:..:a"),
		"segment .., encoded":        with("example.com:%2e%2e:a"),
		"segment .., encoded twice":  with("example.com:%252e%252e"),
		"percent sign in a segment":  with("example.com:100%25"),
		"query in a segment":         with("example.com:a%3Fb"),
		"fragment in a segment":      with("example.com:a%23b"),
		"parameter in a segment":     with("example.com:a%3Bb"),
		"line feed in a segment":     with("example.com:a%0D%0Ab"),
		"DEL in a segment":           with("example.com:a%7Fb"),
		"C1 control in a segment":    with("example.com:a%C2%85b"),
		"segment .., half encoded":   with("example.com:.%2E"),
		"slash in a segment":         with("example.com:a%2fb"),
		"backslash in a segment":     with("example.com:a%5cb"),
		"NUL in a segment":           with("example.com:a%00"),
		"space before a segment":     with("example.com:%20a"),
		"space after a segment":      with("example.com:a%20"),
		"line feed after a segment":  with("example.com:a%0A"),
		"odd space before a segment": with("example.com:%E3%80%80a"),
		"segment of a space":         with("example.com:%20"),
		"segment not UTF-8":          with("example.com:%FF"),
		"31 segments":                with("example.com" + rep(":a", 31)),
		"longer than 2,048 bytes":    with("example.com:" + rep("a", 2000)),
	} {
		id, err := did.Parse(text)
		if err != nil {
			continue // refused even earlier
		}
		log, witness, err := didwebvh.URL(id)
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.Empty(t, log+witness)
	}
	_, _, err := didwebvh.URL(parse(t, "did:web:example.com"))
	require.ErrorIs(t, err, did.ErrUnsupported)
	_, _, err = didwebvh.URL(did.DID{})
	require.ErrorIs(t, err, did.ErrUnsupported)
}
