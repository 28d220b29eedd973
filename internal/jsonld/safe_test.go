package jsonld_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// changed returns a copy of v in which leaf number n, counted from zero in the
// order of the document and leaving out contexts, has another value.
// Less than zero is left of n if there was such a leaf.
func changed(v any, n *int) any {
	switch v := v.(type) {
	case *strictjson.Object:
		out := strictjson.NewObject()
		for name, m := range v.All() {
			if name != "@context" {
				m = changed(m, n)
			}
			out.Set(name, m)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = changed(v[i], n)
		}
		return out
	}
	if *n--; *n != -1 {
		return v
	}
	switch v := v.(type) {
	case string:
		return v + "-q7"
	case bool:
		return !v
	}
	return strictjson.Number("424242")
}

// whole checks that every leaf of an accepted document counts: with any of them
// changed it says something else, or is refused. It reports how many there were.
func whole(t testing.TB, c *jsonld.Contexts, doc *strictjson.Object) int {
	t.Helper()
	quads, err := c.ToRDF(doc, nil)
	require.NoError(t, err)
	want := lines(t, quads)
	for n := 0; ; n++ {
		left := n
		other := changed(doc, &left).(*strictjson.Object)
		if left >= 0 {
			return n
		}
		quads, err := c.ToRDF(other, nil)
		if err == nil {
			require.NotEqual(t, want, lines(t, quads), "leaf %d is in no statement", n)
		}
	}
}

func TestEveryLeafCounts(t *testing.T) {
	t.Parallel()
	require.Equal(t, 43, whole(t, staffContexts(t), parse(t, string(passport("data:image/png;base64,AAAA")))))
	for _, name := range []string{
		"vc-di-eddsa/TestVectors/unsigned.json", "vc-di-eddsa/TestVectors/employmentAuth.json", "vc-di-eddsa/TestVectors/eddsa-rdfc-2022/signedDataInt.json",
		"vc-di-eddsa/TestVectors/proof-set-chain/signedProofChain2.json", "vc-di-ecdsa/TestVectors/prCredUnsigned.json",
		"vc-di-ecdsa/TestVectors/ecdsa-sd-2023/prc/derivedRevealDocument.json", "vc-di-bbs/TestVectors/windDoc.json", "vc-di-bbs/TestVectors/addProofConfig.json",
	} {
		o, err := strictjson.ParseObject(vectors.Read(t, strings.Split(name, "/")...))
		require.NoError(t, err)
		require.Greater(t, whole(t, contexts(t), o), 4, name)
	}
}

// A member is added to every object of a passport that the context does not know.
func TestAbuse_DI04_UndefinedTermAnywhere(t *testing.T) {
	t.Parallel()
	doc := string(passport(""))
	for i := range doc {
		if doc[i] != '{' {
			continue
		}
		_, err := staffContexts(t).ToRDF(parse(t, doc[:i+1]+`"dbsCleared":true`+strings.TrimSuffix(",", boolText(doc[i+1] == '}'))+doc[i+1:]), nil)
		require.ErrorIs(t, err, jsonld.ErrUndefinedTerm)
		var e *jsonld.Error
		require.True(t, errors.As(err, &e))
		require.True(t, strings.HasSuffix(e.Pointer, "/dbsCleared"), e.Pointer)
	}
}

// What JSON-LD leaves out of the data is in no document, wherever it stands.
func TestAbuse_DI04_LeftOutOfTheData(t *testing.T) {
	t.Parallel()
	for doc, at := range map[string]string{
		`"p":null`:                             "/p",
		`"p":["v",null]`:                       "/p/1",
		`"set":[null]`:                         "/set/0",
		`"ref":null`:                           "/ref",
		`"date":[null]`:                        "/date/0",
		`"p":{"@value":null}`:                  "/p/@value",
		`"p":{"@value":null,"type":"C"}`:       "/p/@value",
		`"p":{"@value":null,"@language":"en"}`: "/p/@value",
		`"list":null`:                          "/list",
		`"list":["a",null]`:                    "/list/1",
		`"list":[["a",null]]`:                  "/list/0/1",
		`"list":{"@value":null}`:               "/list/@value",
		`"list":[{"@value":null}]`:             "/list/0/@value",
		`"dates":{"@list":[null]}`:             "/dates/@list/0",
		`"p":{"@list":[null]}`:                 "/p/@list/0",
		`"byLang":null`:                        "/byLang",
		`"byLang":{"en":null}`:                 "/byLang/en",
		`"byLang":{"en":["yes",null]}`:         "/byLang/en/1",
		`"byID":{"urn:a":null}`:                "/byID/urn:a",
		`"byType":{"C":[{"p":"v"},null]}`:      "/byType/C/1",
		`"byName":{"one":null}`:                "/byName/one",
		`"byName":null`:                        "/byName",
		`"graph":null`:                         "/graph",
		`"graphByID":{"urn:g":null}`:           "/graphByID/urn:g",
		`"back":null`:                          "/back",
		`"backRef":["urn:a",null]`:             "/backRef/1",
		`"inverse":{"p":null}`:                 "/inverse/p",
		`"members":null`:                       "/members",
		`"members":[{"p":"v"},null]`:           "/members/1",
		`"also":null`:                          "/also",
		`"also":[{"p":"v"},null]`:              "/also/1",
		`"nest":{"n":null}`:                    "/nest/n",

		`"p":[]`:                   "/p",
		`"p":["v",[]]`:             "/p/1",
		`"set":[]`:                 "/set",
		`"type":[]`:                "/type",
		`"p":{"type":[]}`:          "/p/type",
		`"byLang":[]`:              "/byLang",
		`"byLang":{}`:              "/byLang",
		`"byLang":{"en":[]}`:       "/byLang/en",
		`"byID":{}`:                "/byID",
		`"byType":{"C":[]}`:        "/byType/C",
		`"byIndex":{}`:             "/byIndex",
		`"graph":[]`:               "/graph",
		`"graphByID":{}`:           "/graphByID",
		`"graphByID":{"urn:g":[]}`: "/graphByID/urn:g",
		`"back":[]`:                "/back",
		`"inverse":{}`:             "/inverse",
		`"inverse":{"p":[]}`:       "/inverse/p",
		`"p":{"inverse":{}}`:       "/p/inverse",
		`"members":[]`:             "/members",
		`"also":[]`:                "/also",
		`"nest":[]`:                "/nest",
		`"nest":{}`:                "/nest",
		`"nest":[{"n":"v"},{}]`:    "/nest/1",

		`"members":{}`:                             "/members",
		`"members":[{"p":"v"},{}]`:                 "/members/1",
		`"p":"v","members":[{"p":"v"},{}]`:         "/members/1",
		`"also":[{"p":"v"},{}]`:                    "/also/1",
		`"also":{"@context":{}}`:                   "/also",
		`"also":{"also":{"p":"v"}}`:                "/also",
		`"graphByID":{"urn:g":[{"p":"v"},{}]}`:     "/graphByID/urn:g/1",
		`"p":"v","also":[{"id":"urn:a"}]`:          "/also/0",
		`"graphByID":{"urn:g":[{"id":"urn:a"}]}`:   "/graphByID/urn:g/0",
		`"graph":[{"p":"v"},{"id":"urn:a"}]`:       "/graph/1",
		`"p":{"members":[{"id":"urn:a"},"urn:b"]}`: "/p/members/0",

		`"id":"_:b0"`:                               "/id",
		`"id":"_:b0","p":"v"`:                       "/id",
		`"id":"_:","p":"v"`:                         "/id",
		`"p":{"id":"_:a b"}`:                        "/p/id",
		`"p":[{"id":"_:a","q":"v"}]`:                "/p/0/id",
		`"list":[{"id":"_:a"}]`:                     "/list/0/id",
		`"type":"_:t"`:                              "/type",
		`"type":["C","_:t"]`:                        "/type/1",
		`"p":{"@value":"v","type":"_:t"}`:           "/p/type",
		`"ref":"_:c"`:                               "/ref",
		`"ref":["urn:a","_:c"]`:                     "/ref/1",
		`"word":"_:c"`:                              "/word",
		`"backRef":"_:c"`:                           "/backRef",
		`"byID":{"_:a":{"p":"v"}}`:                  "/byID/_:a",
		`"byType":{"_:t":{"p":"v"}}`:                "/byType/_:t",
		`"byType":{"C":"_:a"}`:                      "/byType/C",
		`"graphByID":{"_:g":{"p":"v"}}`:             "/graphByID/_:g",
		`"members":[{"id":"_:a","p":"v"}]`:          "/members/0/id",
		`"also":{"id":"_:a","p":"v"}`:               "/also/id",
		`"inverse":{"ref":{"id":"_:a"}}`:            "/inverse/ref/id",
		`"nest":{"n":{"id":"_:a","p":["v"]}}`:       "/nest/n/id",
		`"p":{"@list":["v",{"id":"_:a"}]}`:          "/p/@list/1/id",
		`"graph":{"id":"_:a","p":"v"}`:              "/graph/id",
		`"byName":{"one":{"id":"_:a"}}`:             "/byName/one/id",
		`"p":{"@context":{"y":"urn:y"},"id":"_:a"}`: "/p/id",
	} {
		t.Run(doc, func(t *testing.T) {
			t.Parallel()
			quads, err := jsonld.Embedded().ToRDF(parse(t, `{"@context":{`+terms+`},`+doc+`}`), nil)
			require.ErrorIs(t, err, jsonld.ErrDropped)
			require.Nil(t, quads)
			var e *jsonld.Error
			require.True(t, errors.As(err, &e))
			require.Equal(t, at, e.Pointer)
		})
	}
}

// To every object of a passport everything is added that JSON-LD would leave out,
// under the names that the context knows there.
func TestAbuse_DI04_AddedToAnyObject(t *testing.T) {
	t.Parallel()
	c := staffContexts(t)
	doc := parse(t, string(passport("")))
	_, err := c.ToRDF(doc, nil)
	require.NoError(t, err)
	refused := func(name string) {
		quads, err := c.ToRDF(doc, nil)
		require.ErrorIs(t, err, jsonld.ErrDropped, name)
		require.Nil(t, quads)
		var e *jsonld.Error
		require.True(t, errors.As(err, &e))
		require.Contains(t, e.Pointer, "/"+name)
	}
	value := strictjson.NewObject(strictjson.Member{Name: "@value", Value: nil})
	n := 0
	for _, o := range objects(doc, nil) {
		_, named := o.Get("id")
		for name, v := range o.Clone().All() {
			if name == "@context" || name == "id" || name == "type" {
				continue
			}
			for _, nothing := range []any{nil, []any{}, value} {
				n++
				o.Set(name, nothing)
				refused(name)
				list, ok := v.([]any)
				if !ok {
					list = []any{v}
				}
				o.Set(name, append(list[:len(list):len(list)], nothing))
				refused(name)
			}
			o.Set(name, v)
		}
		types, typed := o.Get("type")
		if typed {
			list, ok := types.([]any)
			if !ok {
				list = []any{types}
			}
			o.Set("type", append(list[:len(list):len(list)], "_:t"))
			refused("type")
			o.Set("type", types)
		} else {
			for _, nothing := range []any{"_:t", []any{}} {
				o.Set("type", nothing)
				refused("type")
			}
			o.Delete("type")
		}
		if !named {
			o.Set("id", "_:b0")
			refused("id")
			o.Delete("id")
		}
	}
	require.Greater(t, n, 100)
	_, err = c.ToRDF(doc, nil)
	require.NoError(t, err)
}

// objects returns v and the objects below it, without those of contexts.
func objects(v any, out []*strictjson.Object) []*strictjson.Object {
	switch v := v.(type) {
	case *strictjson.Object:
		out = append(out, v)
		for name, m := range v.All() {
			if name != "@context" {
				out = objects(m, out)
			}
		}
	case []any:
		for _, m := range v {
			out = objects(m, out)
		}
	}
	return out
}

func boolText(b bool) string {
	if b {
		return ","
	}
	return "no"
}

func TestAbuse_DI05_RelativeNames(t *testing.T) {
	t.Parallel()
	doc := string(passport(""))
	for what, c := range map[string]struct {
		from, to, at string
		want         error
	}{
		"type":        {`"type":"StaffPassport"`, `"type":"Nurse"`, "/credentialSubject/type", jsonld.ErrUndefinedTerm},
		"type, path":  {`"type":"StaffPassport"`, `"type":"/Nurse"`, "/credentialSubject/type", jsonld.ErrUndefinedTerm},
		"id":          {`"id":"did:example:rowan-tamar"`, `"id":"rowan-tamar"`, "/credentialSubject/id", jsonld.ErrRelative},
		"issuer":      {`"issuer":"did:example:riverside"`, `"issuer":"riverside"`, "/issuer", jsonld.ErrRelative},
		"document id": {`"id":"urn:uuid:`, `"id":"../`, "/id", jsonld.ErrRelative},
	} {
		_, err := staffContexts(t).ToRDF(parse(t, strings.Replace(doc, c.from, c.to, 1)), nil)
		require.ErrorIs(t, err, c.want, what)
		var e *jsonld.Error
		require.True(t, errors.As(err, &e))
		require.Equal(t, c.at, e.Pointer)
	}
}

// An appended vocabulary gives a meaning to what had none: so it changes what the
// document says, and is no way to slip something in.
func TestAbuse_DI06_VocabularyAppended(t *testing.T) {
	t.Parallel()
	doc := strings.Replace(string(passport("")), `"`+staffURL+`"]`, `"`+staffURL+`",{"@vocab":"https://evil.example/"}],"dbsCleared":true`, 1)
	quads, err := staffContexts(t).ToRDF(parse(t, doc), nil)
	require.NoError(t, err)
	require.Len(t, quads, 49)
	_, err = staffContexts(t).ToRDF(parse(t, strings.Replace(doc, `{"@vocab":"https://evil.example/"}`, `{"name":"https://evil.example/name"}`, 1)), nil)
	require.ErrorIs(t, err, jsonld.ErrProtected)
}

// This package cannot fetch; what it does not have it refuses.
func TestAbuse_DI08_UnknownContext(t *testing.T) {
	t.Parallel()
	for _, context := range []string{`"https://127.0.0.1:1/"`, `["` + credentialsV2 + `","https://127.0.0.1:1/"]`, `[["https://127.0.0.1:1/"]]`, `{"@import":"https://127.0.0.1:1/"}`, `"file:///etc/passwd"`, `"` + credentialsV2 + `#"`} {
		_, err := jsonld.Embedded().ToRDF(parse(t, `{"@context":`+context+`}`), nil)
		require.Error(t, err, context)
		var e *jsonld.Error
		require.True(t, errors.As(err, &e))
		require.NotContains(t, err.Error(), "127.0.0.1")
	}
}

// The limits, one below and at each.
func TestLimits(t *testing.T) {
	t.Parallel()
	many := func(n int) *strictjson.Object {
		list := make([]any, n)
		for i := range list {
			list[i] = fmt.Sprint(i)
		}
		return strictjson.NewObject(strictjson.Member{Name: "@context", Value: parse(t, `{"p":"urn:p"}`)}, strictjson.Member{Name: "p", Value: list})
	}
	quads, err := jsonld.Embedded().ToRDF(many(4096), nil)
	require.NoError(t, err)
	require.Len(t, quads, 4096)
	_, err = jsonld.Embedded().ToRDF(many(4097), nil)
	require.ErrorIs(t, err, jsonld.ErrLimit)

	deep := func(n int) *strictjson.Object {
		o := strictjson.NewObject(strictjson.Member{Name: "p", Value: "v"})
		for range n - 1 {
			o = strictjson.NewObject(strictjson.Member{Name: "p", Value: o})
		}
		o.Set("@context", parse(t, `{"p":"urn:p"}`))
		return o
	}
	_, err = jsonld.Embedded().ToRDF(deep(128), nil)
	require.NoError(t, err)
	_, err = jsonld.Embedded().ToRDF(deep(129), nil)
	require.ErrorIs(t, err, jsonld.ErrLimit)

	lists := any("v")
	for range 200 {
		lists = []any{lists}
	}
	o := parse(t, `{"@context":{"p":{"@id":"urn:p","@container":"@list"}}}`)
	o.Set("p", lists)
	_, err = jsonld.Embedded().ToRDF(o, nil)
	require.ErrorIs(t, err, jsonld.ErrLimit)

	arrays := any("v")
	for range 100000 {
		arrays = []any{arrays}
	}
	o = parse(t, `{"@context":{"p":{"@id":"urn:p","@container":"@list"}}}`)
	o.Set("p", arrays)
	_, err = jsonld.Embedded().ToRDF(o, nil)
	require.ErrorIs(t, err, jsonld.ErrLimit)

	chain := map[string][]byte{}
	for i := range 9 {
		chain[fmt.Sprintf("urn:%d", i)] = fmt.Appendf(nil, `{"@context":"urn:%d"}`, i+1)
	}
	chain["urn:9"] = []byte(`{"@context":{}}`)
	_, err = jsonld.Embedded().With(chain)
	require.ErrorIs(t, err, jsonld.ErrLimit, "ten documents one in another")
	delete(chain, "urn:0")
	delete(chain, "urn:1")
	_, err = jsonld.Embedded().With(chain)
	require.NoError(t, err, "eight")
}

// Documents made to take long: each is over, one way or the other, in a time that a
// slow machine too spends on a few megabytes. Strict JSON is what bounds size and
// depth (at every entry point of the module), so here they are at its limits.
func TestAbuse_CN05_BombsOfContexts(t *testing.T) {
	t.Parallel()
	terms := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"t%d":"p:%d"`, i, i)
		}
		return b.String()
	}
	chained := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"t%d":"t%d:x"`, i, i+1)
		}
		return b.String()
	}
	scoped := `{"@id":"urn:T%d","@context":{"a":"urn:a"}}`
	var types, names strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&types, `,"T%d":`+scoped, i, i)
		fmt.Fprintf(&names, `,"T%d"`, i)
	}
	for name, doc := range map[string]string{
		"depth":             strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat(`}`, 10000),
		"size":              `{"a":"` + strings.Repeat("a", 10<<20) + `"}`,
		"elements":          `{"@context":{"a":"urn:a"},"a":[` + strings.Repeat("1,", 1000000) + `1]}`,
		"many terms":        `{"@context":{"p":"urn:p:","q":{"@id":"urn:q","@context":{}}` + terms(45000) + `},"q":{}}`,
		"terms, often":      `{"@context":{"p":"urn:p:"` + terms(10000) + `},"t0":[` + strings.TrimSuffix(strings.Repeat(`{"@context":{"x":"urn:x"}},`, 20000), ",") + `]}`,
		"a chain of terms":  `{"@context":{"a":"urn:a"` + chained(30000) + `,"t30000":"urn:t:"}}`,
		"contexts in lists": `{"@context":[` + strings.TrimSuffix(strings.Repeat(`{"a":"urn:a"},`, 50000), ",") + `]}`,
		"many types":        `{"@context":{"type":"@type"` + types.String() + `},"type":["T0"` + names.String() + `]}`,
		"IRIs as types":     `{"@context":{"type":"@type","p":"urn:p:"` + terms(20000) + `},"type":[` + strings.TrimSuffix(strings.Repeat(`"urn:T",`, 50000), ",") + `]}`,
		"names":             `{"@context":{"@vocab":"urn:v:"}` + strings.Repeat(`,"b":{"c":1}`, 1) + `,"nodes":[` + strings.TrimSuffix(strings.Repeat(`{"x":{}},`, 40000), ",") + `]}`,
	} {
		started := time.Now()
		o, err := strictjson.ParseObject([]byte(doc))
		if err == nil {
			_, err = jsonld.Embedded().ToRDF(o, nil)
		}
		t.Logf("%-18s %8.1f ms %v", name, float64(time.Since(started).Microseconds())/1000, err)
		require.Error(t, err, name)
	}
}

// What is kept of contexts that were seen does not grow without end, and stays
// right.
func TestManyContexts(t *testing.T) {
	t.Parallel()
	c := staffContexts(t)
	for i := range 5000 {
		quads, err := c.ToRDF(parse(t, fmt.Sprintf(`{"@context":["%s",{"n%d":"urn:n%d"}],"n%d":"v"}`, credentialsV2, i, i, i)), nil)
		require.NoError(t, err)
		require.Equal(t, []string{fmt.Sprintf(`_:b0 <urn:n%d> "v"`, i)}, lines(t, quads))
	}
	quads, err := c.ToRDF(parse(t, string(passport(""))), nil)
	require.NoError(t, err)
	require.Len(t, quads, 48)
}

func TestLabels(t *testing.T) {
	t.Parallel()
	doc := parse(t, `{"@context":{"id":"@id","p":"urn:p","g":{"@id":"urn:g","@container":"@graph"},"l":{"@id":"urn:l","@container":"@list"}},`+
		`"p":[{"p":"v"},{"id":"urn:n","p":{}}],"g":[{"p":"x"},{"id":"urn:m","p":"y"}],"l":[]}`)
	labels := map[*strictjson.Object]string{}
	label := func(o *strictjson.Object) string {
		if labels[o] == "" {
			labels[o] = fmt.Sprint("m", len(labels))
		}
		return labels[o]
	}
	quads, err := jsonld.Embedded().ToRDF(doc, label)
	require.NoError(t, err)
	require.Equal(t, []string{`<urn:m> <urn:p> "y" _:m4g`, `<urn:n> <urn:p> _:m2`, `_:m0 <urn:g> _:m3g`, `_:m0 <urn:g> _:m4g`, `_:m0 <urn:l> <http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>`,
		`_:m0 <urn:p> <urn:n>`, `_:m0 <urn:p> _:m1`, `_:m1 <urn:p> "v"`, `_:m3 <urn:p> "x" _:m3g`}, lines(t, quads))
	doc.Set("l", "v")
	_, err = jsonld.Embedded().ToRDF(doc, label)
	require.ErrorIs(t, err, jsonld.ErrUnsupported)
}

// Trees that no document could have given are refused too, and never a panic.
func TestTreesOfOtherValues(t *testing.T) {
	t.Parallel()
	for _, v := range []any{3.5, int32(5), []string{"v"}, struct{}{}, map[string]any{}} {
		o := parse(t, `{"@context":{"p":"urn:p","j":{"@id":"urn:j","@type":"@json"}}}`)
		o.Set("p", v)
		_, err := jsonld.Embedded().ToRDF(o, nil)
		require.ErrorIs(t, err, jsonld.ErrMalformed)
		o.Delete("p")
		o.Set("j", v)
		_, err = jsonld.Embedded().ToRDF(o, nil)
		require.ErrorIs(t, err, jsonld.ErrMalformed)
		o.Delete("j")
		o.Set("@context", v)
		_, err = jsonld.Embedded().ToRDF(o, nil)
		require.ErrorIs(t, err, jsonld.ErrContext)
	}
	o := parse(t, `{"@context":{"p":"urn:p"}}`)
	o.Set("p", []any{5, int64(-6)})
	quads, err := jsonld.Embedded().ToRDF(o, nil)
	require.NoError(t, err)
	require.Len(t, quads, 2)
	var null *strictjson.Object
	for _, v := range []any{null, []any{null}, strictjson.NewObject(strictjson.Member{Name: "@list", Value: []any{null}})} {
		o.Set("p", v)
		_, err = jsonld.Embedded().ToRDF(o, nil)
		require.ErrorIs(t, err, jsonld.ErrDropped)
	}
	o = parse(t, `{"@context":{"p":{"@id":"urn:p","@container":"@list"}}}`)
	for _, v := range []any{null, []any{null}} {
		o.Set("p", v)
		_, err = jsonld.Embedded().ToRDF(o, nil)
		require.ErrorIs(t, err, jsonld.ErrDropped)
	}
	_, err = jsonld.Embedded().ToRDF(nil, nil)
	require.NoError(t, err)
	o = strictjson.NewObject(strictjson.Member{Name: "@context", Value: (*strictjson.Object)(nil)})
	_, err = jsonld.Embedded().ToRDF(o, nil)
	require.ErrorIs(t, err, jsonld.ErrContext)
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	_, err := jsonld.Embedded().ToRDF(parse(t, `{"`+strings.Repeat("é", 5000)+`":"Rowan"}`), nil)
	require.ErrorIs(t, err, jsonld.ErrUndefinedTerm)
	require.Less(t, len(err.Error()), 300)
	require.NotContains(t, err.Error(), "Rowan")
	require.NotContains(t, err.Error(), "\ufffd")
}

func FuzzToRDF(f *testing.F) {
	f.Add(passport(""), 3)
	f.Add([]byte(`{"@context":{`+terms+`},"list":["a",{"@value":"b"}],"byID":{"urn:a":{"p":1.5}},"graph":{"p":"v"},"nest":{"n":"w"}}`), 1)
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2",{"@vocab":"urn:v#","T":{"@id":"urn:T","@context":{"@propagate":true,"a":null}}}],"type":["VerifiableCredential","T"],"issuer":"did:x:y","credentialSubject":{"a":5}}`), 2)
	f.Add([]byte(`{"@context":{"r":{"@reverse":"urn:r"},"j":{"@id":"urn:j","@type":"@json"},"@language":"en","@protected":true},"r":{"j":[1,{}]}}`), 0)
	for _, p := range jsonld.Published() {
		f.Add(p.JSON(), 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, leaf int) {
		o, err := strictjson.ParseObject(data)
		if err != nil {
			return
		}
		quads, err := jsonld.Embedded().ToRDF(o, nil)
		if err != nil {
			var e *jsonld.Error
			require.True(t, errors.As(err, &e))
			return
		}
		if len(quads) > 200 || leaf < 0 {
			return
		}
		want := lines(t, quads)
		again, err := jsonld.Embedded().ToRDF(o, nil)
		require.NoError(t, err)
		require.Equal(t, want, lines(t, again))
		other := changed(o, &leaf).(*strictjson.Object)
		if leaf >= 0 {
			return
		}
		if quads, err = jsonld.Embedded().ToRDF(other, nil); err == nil {
			require.NotEqual(t, want, lines(t, quads))
		}
	})
}
