package rdf_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/rdf"
)

func TestCanonicalForm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"spaces":        {"\t<urn:s>\t <urn:p><urn:o>.  # why not", "<urn:s> <urn:p> <urn:o> .\n"},
		"graph":         {"_:s <urn:p> _:o _:g .", "_:s <urn:p> _:o _:g .\n"},
		"xsd:string":    {`_:s <urn:p> "a"^^<http://www.w3.org/2001/XMLSchema#string> .`, "_:s <urn:p> \"a\" .\n"},
		"datatype":      {`_:s <urn:p> "1"^^<urn:t> .`, "_:s <urn:p> \"1\"^^<urn:t> .\n"},
		"language":      {`_:s <urn:p> "a"@en-GB-x-y1.`, "_:s <urn:p> \"a\"@en-GB-x-y1 .\n"},
		"escapes":       {`_:s <urn:p> "\t\b\n\r\f\"\'\\" .`, `_:s <urn:p> "\t\b\n\r\f\"'\\" .` + "\n"},
		"controls":      {`_:s <urn:p> "\u0000\u000b\u001F\U0000007f\u0020" .`, `_:s <urn:p> "\u0000\u000B\u001F\u007F " .` + "\n"},
		"no characters": {`_:s <urn:p> "\uFFFD\uFFFE\uFFFF\uFB01" .`, "_:s <urn:p> \"\uFFFD\\uFFFE\\uFFFF\uFB01\" .\n"},
		"beyond ASCII":  {"_:s <urn:\\u00e9> \"\\U0001F303\u00e9\" .", "_:s <urn:\u00e9> \"\U0001F303\u00e9\" .\n"},
		"label":         {"_:a.b-\u00b7.c <urn:p> _:0. ", "_:a.b-\u00b7.c <urn:p> _:0 .\n"},
		"lines":         {"\r\n# nothing\n<urn:s> <urn:p> \"\" .\r<urn:s> <urn:p> \"\" .", "<urn:s> <urn:p> \"\" .\n<urn:s> <urn:p> \"\" .\n"},
		"nothing":       {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quads, err := rdf.ParseNQuads([]byte(c.in))
			require.NoError(t, err)
			require.Equal(t, c.want, write(quads))
		})
	}
}

func TestNoNQuads(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"no end":              "<urn:s> <urn:p> <urn:o>",
		"two ends":            "<urn:s> <urn:p> <urn:o> . .",
		"five terms":          "<urn:s> <urn:p> <urn:o> <urn:g> <urn:x> .",
		"two terms":           "<urn:s> <urn:p> .",
		"relative":            "<s> <urn:p> <urn:o> .",
		"open IRI":            "<urn:s> <urn:p> <urn:o .",
		"open literal":        `<urn:s> <urn:p> "o .`,
		"line in a literal":   "<urn:s> <urn:p> \"a\nb\" .",
		"space in an IRI":     "<urn:s> <urn:p> <urn:a b> .",
		"escaped space":       `<urn:s> <urn:p> <urn:a\u0020b> .`,
		"escaped bracket":     `<urn:s> <urn:p> <urn:a\u003eb> .`,
		"short escape in IRI": `<urn:s> <urn:p> <urn:\n> .`,
		"unknown escape":      `<urn:s> <urn:p> "\a" .`,
		"half an escape":      `<urn:s> <urn:p> "\u00`,
		"bad digits":          `<urn:s> <urn:p> "\u00xy" .`,
		"surrogate":           `<urn:s> <urn:p> "\ud800" .`,
		"beyond Unicode":      `<urn:s> <urn:p> "\U00110000" .`,
		"sign":                `<urn:s> <urn:p> "\UFFFFFFFF" .`,
		"last backslash":      `<urn:s> <urn:p> "\`,
		"literal subject":     `"s" <urn:p> <urn:o> .`,
		"literal predicate":   `<urn:s> "p" <urn:o> .`,
		"blank predicate":     `<urn:s> _:p <urn:o> .`,
		"literal graph":       `<urn:s> <urn:p> <urn:o> "g" .`,
		"nameless node":       `_: <urn:p> <urn:o> .`,
		"half a node":         `_`,
		"label with a dash":   `_:-a <urn:p> <urn:o> .`,
		"empty language":      `<urn:s> <urn:p> "a"@ .`,
		"bad language":        `<urn:s> <urn:p> "a"@1 .`,
		"language and type":   `<urn:s> <urn:p> "a"@en^^<urn:t> .`,
		"half a type":         `<urn:s> <urn:p> "a"^<urn:t> .`,
		"type in letters":     `<urn:s> <urn:p> "a"^^xsd:string .`,
		"langString":          `<urn:s> <urn:p> "a"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString> .`,
		"not UTF-8":           "<urn:s> <urn:p> \"\xff\" .",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := rdf.ParseNQuads([]byte(in))
			require.ErrorIs(t, err, rdf.ErrSyntax)
		})
	}
	_, err := rdf.ParseNQuads(make([]byte, 1<<20+1))
	require.ErrorIs(t, err, rdf.ErrTooLarge)
	_, err = rdf.ParseNQuads([]byte("#" + strings.Repeat(" ", 1<<20-1)))
	require.NoError(t, err)
}

// Long terms go eight bytes at a time: what must be seen is seen in every place.
func TestEveryPlace(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		fill := strings.Repeat("a", n)
		q := rdf.Quad{
			Subject:   rdf.Term{Kind: rdf.Blank, Value: "s"},
			Predicate: rdf.Term{Kind: rdf.IRI, Value: "urn:p"},
			Object:    rdf.Term{Kind: rdf.Literal, Datatype: rdf.XSDString, Value: fill + "\n" + fill},
		}
		require.Equal(t, "_:s <urn:p> \""+fill+`\n`+fill+"\" .\n", string(rdf.AppendQuad(nil, q)))
		for c := range 256 {
			q.Object = rdf.Term{Kind: rdf.IRI, Value: "urn:" + fill + string(rune(c)) + fill}
			bad := c <= ' ' || strings.ContainsRune("<>\"{}|^`\\", rune(c))
			require.Equal(t, bad, q.Validate() != nil, "%q", rune(c))
		}
	}
}

func write(quads []rdf.Quad) string {
	var out []byte
	for _, q := range quads {
		out = rdf.AppendQuad(out, q)
	}
	return string(out)
}

// What parses is written so that it parses to the same.
func FuzzParseNQuads(f *testing.F) {
	f.Add([]byte("<urn:s> <urn:p> \"\\u0000\\n\uFFFE\"@en-GB _:g ."))
	f.Add([]byte("_:a.b <urn:p> \"1\"^^<urn:t> . # x\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		quads, err := rdf.ParseNQuads(data)
		if err != nil {
			return
		}
		again, err := rdf.ParseNQuads([]byte(write(quads)))
		require.NoError(t, err)
		require.Equal(t, quads, again)
	})
}
