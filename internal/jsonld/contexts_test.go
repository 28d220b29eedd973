package jsonld_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

const credentialsV2 = "https://www.w3.org/ns/credentials/v2"

// Every embedded context is what published.go says, and can be used, but for the
// one that refers to a document that is not embedded.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	c := jsonld.Embedded()
	require.Same(t, c, jsonld.Embedded())
	for _, p := range jsonld.Published() {
		require.True(t, c.Known(p.URL))
		_, err := c.ToRDF(parse(t, `{"@context":"`+p.URL+`"}`), nil)
		if p.URL == "https://www.w3.org/2018/credentials/examples/v1" {
			require.ErrorIs(t, err, jsonld.ErrUnknownContext, p.URL)
			continue
		}
		require.NoError(t, err, p.URL)
	}
	require.False(t, c.Known("https://www.w3.org/ns/credentials/v2/"))
	require.False(t, c.Known(""))
}

// The base context has the digest that the Data Model 2.0 gives it (appendix B.1).
func TestBaseContext(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256(vectors.Read(t, "contexts", "credentials-v2.jsonld"))
	require.Equal(t, "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734", hex.EncodeToString(sum[:]))
}

func TestWith(t *testing.T) {
	t.Parallel()
	c, err := jsonld.Embedded().With(nil)
	require.NoError(t, err)
	require.Same(t, jsonld.Embedded(), c)

	c, err = jsonld.Embedded().With(map[string][]byte{
		"urn:a": []byte(`{"@context":["urn:b",{"p":"urn:p","P":"urn:P"}],"other":"is not looked at"}`),
		"urn:b": []byte(`{"@context":{"q":"urn:q"}}`),
	})
	require.NoError(t, err)
	require.True(t, c.Known("urn:a"))
	require.True(t, c.Known(credentialsV2))
	require.False(t, jsonld.Embedded().Known("urn:a"))
	quads, err := c.ToRDF(parse(t, `{"@context":"urn:a","p":"v","q":"w"}`), nil)
	require.NoError(t, err)
	require.Equal(t, []string{`_:b0 <urn:p> "v"`, `_:b0 <urn:q> "w"`}, lines(t, quads))
	_, err = jsonld.Embedded().ToRDF(parse(t, `{"@context":"urn:a","p":"v"}`), nil)
	require.ErrorIs(t, err, jsonld.ErrUnknownContext)

	many := map[string][]byte{}
	for i := range 64 {
		many[fmt.Sprintf("urn:%d", i)] = []byte(`{"@context":{}}`)
	}
	_, err = jsonld.Embedded().With(many)
	require.NoError(t, err)
	many["urn:more"] = []byte(`{"@context":{}}`)
	_, err = jsonld.Embedded().With(many)
	require.ErrorIs(t, err, jsonld.ErrLimit)

	large := []byte(`{"@context":{}}`)
	large = append(large, strings.Repeat(" ", 256<<10-len(large))...)
	_, err = jsonld.Embedded().With(map[string][]byte{"urn:a": large})
	require.NoError(t, err)
	_, err = jsonld.Embedded().With(map[string][]byte{"urn:a": append(large, ' ')})
	require.ErrorIs(t, err, jsonld.ErrLimit)
}

func TestWithRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url, doc string
		want     error
	}{
		"an embedded URL":                {credentialsV2, `{"@context":{}}`, jsonld.ErrContext},
		"a relative URL":                 {"context.jsonld", `{"@context":{}}`, jsonld.ErrRelative},
		"no JSON":                        {"urn:c", `{`, jsonld.ErrContext},
		"two members of one name":        {"urn:c", `{"@context":{"a":"urn:a","a":"urn:b"}}`, jsonld.ErrContext},
		"no object":                      {"urn:c", `[]`, jsonld.ErrContext},
		"no context":                     {"urn:c", `{}`, jsonld.ErrContext},
		"a context of a number":          {"urn:c", `{"@context":5}`, jsonld.ErrContext},
		"an unknown context":             {"urn:c", `{"@context":"urn:d"}`, jsonld.ErrUnknownContext},
		"itself":                         {"urn:c", `{"@context":"urn:c"}`, jsonld.ErrLimit},
		"version":                        {"urn:c", `{"@context":{"@version":1.0}}`, jsonld.ErrContext},
		"import":                         {"urn:c", `{"@context":{"@import":"` + credentialsV2 + `"}}`, jsonld.ErrUnsupported},
		"base":                           {"urn:c", `{"@context":{"@base":"https://base.example/"}}`, jsonld.ErrUnsupported},
		"direction":                      {"urn:c", `{"@context":{"@direction":"rtl"}}`, jsonld.ErrUnsupported},
		"direction of a term":            {"urn:c", `{"@context":{"a":{"@id":"urn:a","@direction":"rtl"}}}`, jsonld.ErrUnsupported},
		"propagate":                      {"urn:c", `{"@context":{"@propagate":"no"}}`, jsonld.ErrContext},
		"propagate in a list":            {"urn:c", `{"@context":[{"@propagate":"no"}]}`, jsonld.ErrContext},
		"protected":                      {"urn:c", `{"@context":{"@protected":1}}`, jsonld.ErrContext},
		"protected of a term":            {"urn:c", `{"@context":{"a":{"@id":"urn:a","@protected":1}}}`, jsonld.ErrContext},
		"language":                       {"urn:c", `{"@context":{"@language":5}}`, jsonld.ErrContext},
		"language of a term":             {"urn:c", `{"@context":{"a":{"@id":"urn:a","@language":"e n"}}}`, jsonld.ErrContext},
		"vocabulary of a number":         {"urn:c", `{"@context":{"@vocab":5}}`, jsonld.ErrContext},
		"empty vocabulary":               {"urn:c", `{"@context":{"@vocab":""}}`, jsonld.ErrContext},
		"relative vocabulary":            {"urn:c", `{"@context":{"@vocab":"terms#"}}`, jsonld.ErrRelative},
		"the empty term":                 {"urn:c", `{"@context":{"":"urn:a"}}`, jsonld.ErrContext},
		"a keyword":                      {"urn:c", `{"@context":{"@id":"urn:a"}}`, jsonld.ErrContext},
		"@type as a name":                {"urn:c", `{"@context":{"@type":"urn:a"}}`, jsonld.ErrContext},
		"@type in a list":                {"urn:c", `{"@context":{"@type":{"@container":"@list"}}}`, jsonld.ErrContext},
		"like a keyword":                 {"urn:c", `{"@context":{"@foo":"urn:a"}}`, jsonld.ErrContext},
		"means what is like a keyword":   {"urn:c", `{"@context":{"a":"@foo"}}`, jsonld.ErrContext},
		"a term of a number":             {"urn:c", `{"@context":{"a":5}}`, jsonld.ErrContext},
		"id of a number":                 {"urn:c", `{"@context":{"a":{"@id":5}}}`, jsonld.ErrContext},
		"id that is relative":            {"urn:c", `{"@context":{"a":"b"}}`, jsonld.ErrRelative},
		"no id":                          {"urn:c", `{"@context":{"a":{}}}`, jsonld.ErrContext},
		"blank id":                       {"urn:c", `{"@context":{"a":"_:a"}}`, jsonld.ErrRelative},
		"a name for @context":            {"urn:c", `{"@context":{"a":"@context"}}`, jsonld.ErrContext},
		"a name for @vocab":              {"urn:c", `{"@context":{"a":"@vocab"}}`, jsonld.ErrContext},
		"a context for a keyword":        {"urn:c", `{"@context":{"a":{"@id":"@id","@context":{}}}}`, jsonld.ErrUnsupported},
		"unknown member":                 {"urn:c", `{"@context":{"a":{"@id":"urn:a","@foo":1}}}`, jsonld.ErrContext},
		"type of a number":               {"urn:c", `{"@context":{"a":{"@id":"urn:a","@type":5}}}`, jsonld.ErrContext},
		"type that is relative":          {"urn:c", `{"@context":{"a":{"@id":"urn:a","@type":"b"}}}`, jsonld.ErrRelative},
		"type that is blank":             {"urn:c", `{"@context":{"a":{"@id":"urn:a","@type":"_:b"}}}`, jsonld.ErrRelative},
		"type that is another keyword":   {"urn:c", `{"@context":{"a":{"@id":"urn:a","@type":"@list"}}}`, jsonld.ErrContext},
		"each is the other":              {"urn:c", `{"@context":{"a":"b:x","b":"a:x"}}`, jsonld.ErrContext},
		"refers to nothing":              {"urn:c", `{"@context":{"a":null,"b":{"@id":"urn:b","@type":"a"}}}`, jsonld.ErrContext},
		"looks like another":             {"urn:c", `{"@context":{"a":"urn:a:","a:b":"urn:c"}}`, jsonld.ErrContext},
		"looks like a path":              {"urn:c", `{"@context":{"a/b":"urn:c"}}`, jsonld.ErrContext},
		"path without an IRI":            {"urn:c", `{"@context":{"a/b":{}}}`, jsonld.ErrRelative},
		"container of a number":          {"urn:c", `{"@context":{"a":{"@id":"urn:a","@container":5}}}`, jsonld.ErrContext},
		"container unknown":              {"urn:c", `{"@context":{"a":{"@id":"urn:a","@container":"@bag"}}}`, jsonld.ErrContext},
		"container twice":                {"urn:c", `{"@context":{"a":{"@id":"urn:a","@container":["@set","@set"]}}}`, jsonld.ErrContext},
		"list and set":                   {"urn:c", `{"@context":{"a":{"@id":"urn:a","@container":["@list","@set"]}}}`, jsonld.ErrContext},
		"language and index":             {"urn:c", `{"@context":{"a":{"@id":"urn:a","@container":["@language","@index"]}}}`, jsonld.ErrContext},
		"by type, of dates":              {"urn:c", `{"@context":{"a":{"@id":"urn:a","@type":"urn:date","@container":"@type"}}}`, jsonld.ErrContext},
		"JSON in a list":                 {"urn:c", `{"@context":{"a":{"@id":"urn:a","@type":"@json","@container":"@list"}}}`, jsonld.ErrUnsupported},
		"index without its container":    {"urn:c", `{"@context":{"a":{"@id":"urn:a","@index":"urn:i"}}}`, jsonld.ErrContext},
		"index of a keyword":             {"urn:c", `{"@context":{"a":{"@id":"urn:a","@index":"@id","@container":"@index"}}}`, jsonld.ErrRelative},
		"reverse of a number":            {"urn:c", `{"@context":{"a":{"@reverse":5}}}`, jsonld.ErrContext},
		"reverse of a keyword":           {"urn:c", `{"@context":{"a":{"@reverse":"@id"}}}`, jsonld.ErrRelative},
		"reverse that is relative":       {"urn:c", `{"@context":{"a":{"@reverse":"b"}}}`, jsonld.ErrRelative},
		"reverse with an id":             {"urn:c", `{"@context":{"a":{"@reverse":"urn:a","@id":"urn:a"}}}`, jsonld.ErrContext},
		"reverse list":                   {"urn:c", `{"@context":{"a":{"@reverse":"urn:a","@container":"@list"}}}`, jsonld.ErrContext},
		"reverse JSON":                   {"urn:c", `{"@context":{"a":{"@reverse":"urn:a","@type":"@json"}}}`, jsonld.ErrUnsupported},
		"nest of a keyword":              {"urn:c", `{"@context":{"a":{"@id":"urn:a","@nest":"@id"}}}`, jsonld.ErrContext},
		"prefix of a number":             {"urn:c", `{"@context":{"a":{"@id":"urn:a","@prefix":5}}}`, jsonld.ErrContext},
		"prefix of a keyword":            {"urn:c", `{"@context":{"a":{"@id":"@id","@prefix":true}}}`, jsonld.ErrContext},
		"prefix of a path":               {"urn:c", `{"@context":{"urn:a":{"@prefix":true}}}`, jsonld.ErrContext},
		"protected term":                 {"urn:c", `{"@context":["` + credentialsV2 + `",{"name":"urn:name"}]}`, jsonld.ErrProtected},
		"protected term taken away":      {"urn:c", `{"@context":["` + credentialsV2 + `",{"name":null}]}`, jsonld.ErrProtected},
		"protected terms nulled":         {"urn:c", `{"@context":["` + credentialsV2 + `",null]}`, jsonld.ErrProtected},
		"protected by its first writer":  {"urn:c", `{"@context":[{"@protected":true,"a":"urn:a"},{"a":"urn:a"},{"a":"urn:b"}]}`, jsonld.ErrProtected},
		"protected term, other coercion": {"urn:c", `{"@context":[{"@protected":true,"a":"urn:a"},{"a":{"@id":"urn:a","@type":"@id"}}]}`, jsonld.ErrProtected},
		"protected term, other context":  {"urn:c", `{"@context":[{"@protected":true,"a":{"@id":"urn:a","@context":{}}},{"a":{"@id":"urn:a","@context":{"b":"urn:b"}}}]}`, jsonld.ErrProtected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := jsonld.Embedded().With(map[string][]byte{c.url: []byte(c.doc)})
			require.ErrorIs(t, err, c.want)
			require.True(t, strings.HasPrefix(err.Error(), "jsonld: "))
			require.Equal(t, 1, strings.Count(err.Error(), "jsonld: "), err)
		})
	}
}

func TestContextsMayRepeatThemselves(t *testing.T) {
	t.Parallel()
	for name, context := range map[string]string{
		"the same terms, protected":    `["` + credentialsV2 + `","https://w3id.org/security/data-integrity/v2","` + credentialsV2 + `"]`,
		"a protected term, the same":   `[{"@protected":true,"a":{"@id":"urn:a","@context":{"b":"urn:b"}}},{"a":{"@id":"urn:a","@context":{"b":"urn:b"}}}]`,
		"protection given up":          `[{"@protected":true,"a":{"@id":"urn:a","@protected":false}},{"a":"urn:b"}]`,
		"terms by one another":         `{"a":"b:x","b":{"@id":"c:y#","@prefix":true},"c":"urn:c:"}`,
		"a compact IRI as a term":      `{"c":"urn:c:","c:d":{"@type":"@id"}}`,
		"an IRI as a term":             `{"urn:c:d":"urn:c:d"}`,
		"a path by the vocabulary":     `{"@vocab":"urn:v:","a/b":{}}`,
		"@type as a set":               `{"@type":{"@container":"@set","@protected":true}}`,
		"nothing set":                  `{"@base":null,"@direction":null,"@language":null,"@vocab":null}`,
		"a vocabulary by a prefix":     `[{"c":"urn:c:"},{"@vocab":"c:v#","a":{}}]`,
		"null in front":                `[null,{"a":"urn:a"}]`,
		"a term that takes one away":   `[{"a":"urn:a"},{"a":null}]`,
		"two containers":               `{"a":{"@id":"urn:a","@container":["@id","@set"]},"b":{"@id":"urn:b","@container":["@graph","@index","@set"]}}`,
		"a reverse term without words": `{"a":{"@reverse":"urn:a","@container":null}}`,
	} {
		_, err := jsonld.Embedded().With(map[string][]byte{"urn:c": []byte(`{"@context":` + context + `}`)})
		require.NoError(t, err, name)
	}
}

// A property's own context may redefine what is protected, a type's may not.
func TestProtectedTermsInScope(t *testing.T) {
	t.Parallel()
	const ctx = `{"@context":{"@protected":true,"type":"@type","p":"urn:p","in":{"@id":"urn:in","@context":{"p":"urn:pIn"}},"T":{"@id":"urn:T","@context":{"p":"urn:pT"}}},`
	quads, err := jsonld.Embedded().ToRDF(parse(t, ctx+`"in":{"p":"v"}}`), nil)
	require.NoError(t, err)
	require.Equal(t, []string{`_:b0 <urn:in> _:b1`, `_:b1 <urn:pIn> "v"`}, lines(t, quads))
	_, err = jsonld.Embedded().ToRDF(parse(t, ctx+`"type":"T","p":"v"}`), nil)
	require.ErrorIs(t, err, jsonld.ErrProtected)
	_, err = jsonld.Embedded().ToRDF(parse(t, ctx+`"in":{"@context":{"p":"urn:other"},"p":"v"}}`), nil)
	require.NoError(t, err, "what the property's context redefines is not protected again")
	_, err = jsonld.Embedded().ToRDF(parse(t, ctx+`"in":{"@context":{"in":"urn:other"},"p":"v"}}`), nil)
	require.ErrorIs(t, err, jsonld.ErrProtected)
}

// A property's context may take everything away, and one by URL redefines nothing
// that is protected: it was not written for that property.
func TestProtectedTermsByURL(t *testing.T) {
	t.Parallel()
	c, err := jsonld.Embedded().With(map[string][]byte{"urn:c": []byte(`{"@context":{"p":"urn:pIn"}}`)})
	require.NoError(t, err)
	const ctx = `{"@context":{"@protected":true,"p":"urn:p","none":{"@id":"urn:none","@context":null},"in":{"@id":"urn:in","@context":"urn:c"}},`
	_, err = c.ToRDF(parse(t, ctx+`"in":{"p":"v"}}`), nil)
	require.ErrorIs(t, err, jsonld.ErrProtected)
	_, err = c.ToRDF(parse(t, ctx+`"none":{"p":"v"}}`), nil)
	require.ErrorIs(t, err, jsonld.ErrUndefinedTerm)
	quads, err := c.ToRDF(parse(t, ctx+`"none":{"@context":"urn:c","p":"v"}}`), nil)
	require.NoError(t, err)
	require.Equal(t, []string{`_:b0 <urn:none> _:b1`, `_:b1 <urn:pIn> "v"`}, lines(t, quads))
}

func TestUnsupportedInUse(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"a context that redefines its property": `{"@context":{"p":{"@id":"urn:p","@context":{"p":"urn:q"}}},"p":"v"}`,
		"a map with a context":                  `{"@context":{"p":{"@id":"urn:p","@container":"@id","@context":{}}},"p":{"urn:a":{}}}`,
		"a map by a type that has a context":    `{"@context":{"p":{"@id":"urn:p","@container":"@type"},"T":{"@id":"urn:T","@context":{}}},"p":{"T":{}}}`,
		"a map in a context of a type":          `{"@context":{"type":"@type","p":{"@id":"urn:p","@container":"@type"},"T":{"@id":"urn:T","@context":{}}},"type":"T","p":{"urn:a":{}}}`,
		"a map of graphs by a property":         `{"@context":{"p":{"@id":"urn:p","@container":["@graph","@index"],"@index":"urn:i"}},"p":{"a":{}}}`,
		"a list in reverse":                     `{"@context":{"r":"@reverse","p":{"@id":"urn:p","@container":"@list"}},"r":{"p":{}}}`,
		"a list where the context turns back":   `{"@context":{"type":"@type","p":"urn:p","T":{"@id":"urn:T","@context":{"p":{"@id":"urn:p","@container":"@set"}}}},"type":"T","p":{"@list":["v"]}}`,
	} {
		_, err := jsonld.Embedded().ToRDF(parse(t, doc), nil)
		require.ErrorIs(t, err, jsonld.ErrUnsupported, name)
	}
}

// One set is shared by many goroutines, from its first use on.
func TestConcurrently(t *testing.T) {
	t.Parallel()
	c := staffContexts(t)
	doc := parse(t, string(passport("")))
	want, err := staffContexts(t).ToRDF(doc, nil)
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				got, err := c.ToRDF(doc, nil)
				if err != nil || len(got) != len(want) || got[7] != want[7] {
					t.Error("differs")
				}
			}
		})
	}
	all.Wait()
}

// A document that is not the one whose hash stands in the table is not used.
func TestPinned(t *testing.T) {
	t.Parallel()
	for i, p := range jsonld.Published() {
		_, err := p.Context()
		require.NoError(t, err)
		p.SHA256 = jsonld.Published()[(i+1)%len(jsonld.Published())].SHA256
		_, err = p.Context()
		require.ErrorIs(t, err, jsonld.ErrContext)
	}
}
