package jsonld_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// lines are the statements of a document as sorted N-Quads.
func lines(t testing.TB, quads []rdf.Quad) []string {
	t.Helper()
	out := make([]string, len(quads))
	for i, q := range quads {
		out[i] = strings.TrimSuffix(string(rdf.AppendQuad(nil, q)), " .\n")
	}
	slices.Sort(out)
	return out
}

func parse(t testing.TB, doc string) *strictjson.Object {
	t.Helper()
	o, err := strictjson.Parser{CaseVariants: true}.ParseObject([]byte(doc))
	require.NoError(t, err, doc)
	return o
}

// terms is the context that most of these tests write their documents in: p0 and so
// on are plain properties, the others say what they are.
const terms = `"id":"@id","type":"@type","ex":"http://ex.example/","xsd":"http://www.w3.org/2001/XMLSchema#","C":"ex:C","D":"ex:D",` +
	`"p":"ex:p","q":"ex:q","ref":{"@id":"ex:ref","@type":"@id"},"word":{"@id":"ex:word","@type":"@vocab"},"date":{"@id":"ex:date","@type":"xsd:date"},` +
	`"double":{"@id":"ex:double","@type":"xsd:double"},"json":{"@id":"ex:json","@type":"@json"},"none":{"@id":"ex:none","@type":"@none"},"fr":{"@id":"ex:fr","@language":"FR"},` +
	`"list":{"@id":"ex:list","@container":"@list"},"dates":{"@id":"ex:dates","@type":"xsd:date","@container":"@list"},"set":{"@id":"ex:set","@container":"@set"},` +
	`"graph":{"@id":"ex:graph","@container":"@graph"},"byLang":{"@id":"ex:byLang","@container":"@language"},"byID":{"@id":"ex:byID","@container":"@id"},` +
	`"byType":{"@id":"ex:byType","@container":"@type"},"byName":{"@id":"ex:byName","@container":"@index","@index":"ex:name"},"byIndex":{"@id":"ex:byIndex","@container":"@index"},` +
	`"graphByID":{"@id":"ex:graphByID","@container":["@graph","@id"]},"back":{"@reverse":"ex:back"},"backRef":{"@reverse":"ex:backRef","@type":"@id"},"nil":null,"nest":"@nest","n":{"@id":"ex:n","@nest":"nest"},` +
	`"members":"@graph","also":"@included","inverse":"@reverse","none_":"@none"`

func TestToRDF(t *testing.T) {
	t.Parallel()
	const xsd = "<http://www.w3.org/2001/XMLSchema#"
	const typ = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
	const first, rest, none = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#first>", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#rest>", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>"
	for name, c := range map[string]struct {
		doc  string // without its context
		want []string
	}{
		"nothing":             {``, nil},
		"text":                {`"p":"v"`, []string{`_:b0 <http://ex.example/p> "v"`}},
		"a named node":        {`"id":"urn:n","p":"v"`, []string{`<urn:n> <http://ex.example/p> "v"`}},
		"compact id":          {`"id":"ex:n","p":"v"`, []string{`<http://ex.example/n> <http://ex.example/p> "v"`}},
		"an empty node":       {`"p":{}`, []string{`_:b0 <http://ex.example/p> _:b1`}},
		"an empty graph":      {`"graph":{}`, []string{`_:b0 <http://ex.example/graph> _:b2`}},
		"types":               {`"type":["C","http://other.example/T"]`, []string{`_:b0 ` + typ + ` <http://ex.example/C>`, `_:b0 ` + typ + ` <http://other.example/T>`}},
		"booleans":            {`"p":[true,false]`, []string{`_:b0 <http://ex.example/p> "false"^^` + xsd + `boolean>`, `_:b0 <http://ex.example/p> "true"^^` + xsd + `boolean>`}},
		"integers":            {`"p":[0,-5,7.0,1e3,100000000000000000000.0]`, []string{`_:b0 <http://ex.example/p> "-5"^^` + xsd + `integer>`, `_:b0 <http://ex.example/p> "0"^^` + xsd + `integer>`, `_:b0 <http://ex.example/p> "1000"^^` + xsd + `integer>`, `_:b0 <http://ex.example/p> "100000000000000000000"^^` + xsd + `integer>`, `_:b0 <http://ex.example/p> "7"^^` + xsd + `integer>`}},
		"doubles":             {`"p":[5.5,1e21,0.000001,-12.25e-9]`, []string{`_:b0 <http://ex.example/p> "-1.225E-8"^^` + xsd + `double>`, `_:b0 <http://ex.example/p> "1.0E-6"^^` + xsd + `double>`, `_:b0 <http://ex.example/p> "1.0E21"^^` + xsd + `double>`, `_:b0 <http://ex.example/p> "5.5E0"^^` + xsd + `double>`}},
		"a double by type":    {`"double":[5,"x"]`, []string{`_:b0 <http://ex.example/double> "5.0E0"^^` + xsd + `double>`, `_:b0 <http://ex.example/double> "x"^^` + xsd + `double>`}},
		"a date":              {`"date":"2026-03-02"`, []string{`_:b0 <http://ex.example/date> "2026-03-02"^^` + xsd + `date>`}},
		"a number as a date":  {`"date":5`, []string{`_:b0 <http://ex.example/date> "5"^^` + xsd + `date>`}},
		"references":          {`"ref":["urn:a","ex:b",5,{"id":"urn:d"}]`, []string{`_:b0 <http://ex.example/ref> "5"^^` + xsd + `integer>`, `_:b0 <http://ex.example/ref> <http://ex.example/b>`, `_:b0 <http://ex.example/ref> <urn:a>`, `_:b0 <http://ex.example/ref> <urn:d>`}},
		"words":               {`"word":["C","ex:b","urn:x"]`, []string{`_:b0 <http://ex.example/word> <http://ex.example/C>`, `_:b0 <http://ex.example/word> <http://ex.example/b>`, `_:b0 <http://ex.example/word> <urn:x>`}},
		"not coerced":         {`"none":["C",true]`, []string{`_:b0 <http://ex.example/none> "C"`, `_:b0 <http://ex.example/none> "true"^^` + xsd + `boolean>`}},
		"language of a term":  {`"fr":["oui",{"@value":"si","@language":"es-ES"},{"@value":"yes"}]`, []string{`_:b0 <http://ex.example/fr> "oui"@fr`, `_:b0 <http://ex.example/fr> "si"@es-es`, `_:b0 <http://ex.example/fr> "yes"`}},
		"directions":          {`"p":[{"@value":"v","@language":"EN","@direction":"ltr"},{"@value":"w","@direction":"rtl"}],"fr":{"@value":"x","@direction":"ltr"}`, []string{`_:b0 <http://ex.example/fr> "x"^^<https://www.w3.org/ns/i18n#_ltr>`, `_:b0 <http://ex.example/p> "v"^^<https://www.w3.org/ns/i18n#en_ltr>`, `_:b0 <http://ex.example/p> "w"^^<https://www.w3.org/ns/i18n#_rtl>`}},
		"JSON":                {`"json":{"b":[1.0,null],"a":"<"}`, []string{`_:b0 <http://ex.example/json> "{\"a\":\"<\",\"b\":[1,null]}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>`}},
		"type of a namespace": {`"type":"http://ex.example/"`, []string{`_:b0 ` + typ + ` <http://ex.example/>`}},
		"no prefix":           {`"p":{"@context":{"x":{"@id":"urn:x:"},"y":"urn:y:","z":"urn:z","w":{"@id":"urn:w","@prefix":true}},"ref":["x:1","y:1","z:1","w:1"]}`, []string{`_:b0 <http://ex.example/p> _:b1`, `_:b1 <http://ex.example/ref> <urn:w1>`, `_:b1 <http://ex.example/ref> <urn:y:1>`, `_:b1 <http://ex.example/ref> <x:1>`, `_:b1 <http://ex.example/ref> <z:1>`}},
		"JSON null":           {`"json":null`, []string{`_:b0 <http://ex.example/json> "null"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>`}},
		"value objects":       {`"p":[{"@value":"v","@type":"xsd:date"},{"@value":5,"type":"D"},{"@value":[2],"@type":"@json"},{"@value":null,"@type":"@json"}]`, []string{`_:b0 <http://ex.example/p> "5"^^<http://ex.example/D>`, `_:b0 <http://ex.example/p> "[2]"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>`, `_:b0 <http://ex.example/p> "null"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>`, `_:b0 <http://ex.example/p> "v"^^` + xsd + `date>`}},
		"a list":              {`"list":["a","b"]`, []string{`_:b0 <http://ex.example/list> _:b2`, `_:b1 ` + first + ` "b"`, `_:b1 ` + rest + ` ` + none, `_:b2 ` + first + ` "a"`, `_:b2 ` + rest + ` _:b1`}},
		"lists of one":        {`"list":"a","q":{"@list":"b"}`, []string{`_:b0 <http://ex.example/list> _:b1`, `_:b0 <http://ex.example/q> _:b2`, `_:b1 ` + first + ` "a"`, `_:b1 ` + rest + ` ` + none, `_:b2 ` + first + ` "b"`, `_:b2 ` + rest + ` ` + none}},
		"an empty list":       {`"list":[],"q":{"@list":[]}`, []string{`_:b0 <http://ex.example/list> ` + none, `_:b0 <http://ex.example/q> ` + none}},
		"an empty JSON array": {`"json":[]`, []string{`_:b0 <http://ex.example/json> "[]"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>`}},
		"a list in a list":    {`"list":[["a"],[]]`, []string{`_:b0 <http://ex.example/list> _:b3`, `_:b1 ` + first + ` "a"`, `_:b1 ` + rest + ` ` + none, `_:b2 ` + first + ` ` + none, `_:b2 ` + rest + ` ` + none, `_:b3 ` + first + ` _:b1`, `_:b3 ` + rest + ` _:b2`}},
		"a typed list":        {`"dates":{"@list":["2026-03-02"]}`, []string{`_:b0 <http://ex.example/dates> _:b1`, `_:b1 ` + first + ` "2026-03-02"^^` + xsd + `date>`, `_:b1 ` + rest + ` ` + none}},
		"a graph":             {`"graph":{"id":"urn:g","p":"v"}`, []string{`<urn:g> <http://ex.example/p> "v" _:b1`, `_:b0 <http://ex.example/graph> _:b1`}},
		"two graphs":          {`"graph":[{"p":"v"},{"p":"w"}]`, []string{`_:b0 <http://ex.example/graph> _:b2`, `_:b0 <http://ex.example/graph> _:b4`, `_:b1 <http://ex.example/p> "v" _:b2`, `_:b3 <http://ex.example/p> "w" _:b4`}},
		"named graph":         {`"id":"urn:g","q":"v","members":{"p":"v"}`, []string{`<urn:g> <http://ex.example/q> "v"`, `_:b0 <http://ex.example/p> "v" <urn:g>`}},
		"default graph":       {`"members":[{"p":"v"},{"id":"urn:n","p":"w"}]`, []string{`<urn:n> <http://ex.example/p> "w"`, `_:b1 <http://ex.example/p> "v"`}},
		"languages":           {`"byLang":{"en":"yes","FR":["oui"],"none_":"da","@none":"ja"}`, []string{`_:b0 <http://ex.example/byLang> "da"`, `_:b0 <http://ex.example/byLang> "ja"`, `_:b0 <http://ex.example/byLang> "oui"@fr`, `_:b0 <http://ex.example/byLang> "yes"@en`}},
		"by one id":           {`"byID":{"urn:a":{"p":"v"},"urn:b":{"id":"urn:b","p":"w"},"@none":{"p":"x"}}`, []string{`<urn:a> <http://ex.example/p> "v"`, `<urn:b> <http://ex.example/p> "w"`, `_:b0 <http://ex.example/byID> <urn:a>`, `_:b0 <http://ex.example/byID> <urn:b>`, `_:b0 <http://ex.example/byID> _:b1`, `_:b1 <http://ex.example/p> "x"`}},
		"by type":             {`"byType":{"C":["urn:a",{"type":"D"}]}`, []string{`<urn:a> ` + typ + ` <http://ex.example/C>`, `_:b0 <http://ex.example/byType> <urn:a>`, `_:b0 <http://ex.example/byType> _:b1`, `_:b1 ` + typ + ` <http://ex.example/C>`, `_:b1 ` + typ + ` <http://ex.example/D>`}},
		"by a property":       {`"byName":{"one":{"p":"v"}}`, []string{`_:b0 <http://ex.example/byName> _:b1`, `_:b1 <http://ex.example/name> "one"`, `_:b1 <http://ex.example/p> "v"`}},
		"graphs by id":        {`"graphByID":{"urn:g":{"p":"v"},"@none":{"p":"w"}}`, []string{`_:b0 <http://ex.example/graphByID> <urn:g>`, `_:b0 <http://ex.example/graphByID> _:b3`, `_:b1 <http://ex.example/p> "v" <urn:g>`, `_:b2 <http://ex.example/p> "w" _:b3`}},
		"reverse terms":       {`"id":"urn:n","back":{"p":"v"},"backRef":["urn:m"]`, []string{`<urn:m> <http://ex.example/backRef> <urn:n>`, `_:b0 <http://ex.example/back> <urn:n>`, `_:b0 <http://ex.example/p> "v"`}},
		"reverse":             {`"id":"urn:n","inverse":{"ref":"urn:m","backRef":"urn:o"}`, []string{`<urn:m> <http://ex.example/ref> <urn:n>`, `<urn:n> <http://ex.example/backRef> <urn:o>`}},
		"a list of a node":    {`"list":{"p":"v"}`, []string{`_:b0 <http://ex.example/list> _:b2`, `_:b1 <http://ex.example/p> "v"`, `_:b2 ` + first + ` _:b1`, `_:b2 ` + rest + ` ` + none}},
		"included":            {`"p":"v","also":[{"id":"urn:n","q":"w"}]`, []string{`<urn:n> <http://ex.example/q> "w"`, `_:b0 <http://ex.example/p> "v"`}},
		"nested":              {`"p":"v","nest":[{"n":"w"},{"n":"x"}]`, []string{`_:b0 <http://ex.example/n> "w"`, `_:b0 <http://ex.example/n> "x"`, `_:b0 <http://ex.example/p> "v"`}},
		"a context inside":    {`"p":{"@context":{"r":"ex:r"},"r":"v"}`, []string{`_:b0 <http://ex.example/p> _:b1`, `_:b1 <http://ex.example/r> "v"`}},
		"no context inside":   {`"p":{"@context":[null,{"r":"http://r.example/"}],"r":"v"}`, []string{`_:b0 <http://ex.example/p> _:b1`, `_:b1 <http://r.example/> "v"`}},
		"vocabulary":          {`"p":{"@context":{"@vocab":"ex:v/"},"x":"v","type":"T"}`, []string{`_:b0 <http://ex.example/p> _:b1`, `_:b1 <http://ex.example/v/x> "v"`, `_:b1 ` + typ + ` <http://ex.example/v/T>`}},
		"names by kind":       {`"p":{"@context":{"a":"ex:z","b":{"@id":"ex:z","@type":"@id"}},"a":"v","b":"urn:b"}`, []string{`_:b0 <http://ex.example/p> _:b1`, `_:b1 <http://ex.example/z> "v"`, `_:b1 <http://ex.example/z> <urn:b>`}},
		"default language":    {`"@context":{"@language":"de"},"p":["ja",{"@value":"ja"},true],"fr":"oui"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := `{"@context":{` + terms + `}}`
			if c.doc != "" && !strings.Contains(c.doc, `"@context":{"@language"`) {
				doc = `{"@context":{` + terms + `},` + c.doc + `}`
			} else if c.doc != "" {
				doc = `{"@context":[{` + terms + `},{"@language":"de"}],` + strings.TrimPrefix(c.doc, `"@context":{"@language":"de"},`) + `}`
				c.want = []string{`_:b0 <http://ex.example/fr> "oui"@fr`, `_:b0 <http://ex.example/p> "ja"`, `_:b0 <http://ex.example/p> "ja"@de`, `_:b0 <http://ex.example/p> "true"^^` + xsd + `boolean>`}
			}
			quads, err := jsonld.Embedded().ToRDF(parse(t, doc), nil)
			require.NoError(t, err)
			require.Equal(t, c.want, emptyAsNil(lines(t, quads)))
		})
	}
}

func emptyAsNil(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

func TestScopedContexts(t *testing.T) {
	t.Parallel()
	const typ = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
	const ctx = `{"@context":{"id":"@id","type":"@type","ex":"http://ex.example/","p":"ex:p","ref":{"@id":"ex:ref","@type":"@id"},` +
		`"A":{"@id":"ex:A","@context":{"p":"ex:pA","a":"ex:a"}},"B":{"@id":"ex:B","@context":{"p":"ex:pB"}},` +
		`"byName":{"@id":"ex:byName","@container":"@index","@index":"ex:name"},"N":{"@id":"ex:N","@context":[null,{"type":"@type","p":"http://ex.example/pN","ref":"http://ex.example/refN"}]},` +
		`"W":{"@id":"ex:W","@context":{"@propagate":true,"p":"ex:pW"}},` +
		`"in":{"@id":"ex:in","@context":{"p":"ex:pIn"}},"here":{"@id":"ex:here","@context":{"@propagate":false,"p":"ex:pHere"}},"bare":{"@id":"ex:bare","@context":null}},`
	for name, c := range map[string]struct {
		doc  string
		want []string
	}{
		"of a type":                {`"type":"A","p":"v","a":"w"`, []string{`_:b0 <http://ex.example/a> "w"`, `_:b0 <http://ex.example/pA> "v"`, `_:b0 ` + typ + ` <http://ex.example/A>`}},
		"types by name":            {`"type":["B","A"],"p":"v"`, []string{`_:b0 <http://ex.example/pB> "v"`, `_:b0 ` + typ + ` <http://ex.example/A>`, `_:b0 ` + typ + ` <http://ex.example/B>`}},
		"both end at the node":     {`"type":["B","A"],"ref":{"p":"v"}`, []string{`_:b0 <http://ex.example/ref> _:b1`, `_:b0 ` + typ + ` <http://ex.example/A>`, `_:b0 ` + typ + ` <http://ex.example/B>`, `_:b1 <http://ex.example/p> "v"`}},
		"a type that starts anew":  {`"type":"N","p":"v","ref":{"p":"w"}`, []string{`_:b0 <http://ex.example/pN> "v"`, `_:b0 <http://ex.example/refN> _:b1`, `_:b0 ` + typ + ` <http://ex.example/N>`, `_:b1 <http://ex.example/p> "w"`}},
		"through a map":            {`"type":"A","byName":{"one":{"a":"v"}}`, []string{`_:b0 <http://ex.example/byName> _:b1`, `_:b0 ` + typ + ` <http://ex.example/A>`, `_:b1 <http://ex.example/a> "v"`, `_:b1 <http://ex.example/name> "one"`}},
		"a type ends at its node":  {`"type":"A","ref":{"p":"v"}`, []string{`_:b0 <http://ex.example/ref> _:b1`, `_:b0 ` + typ + ` <http://ex.example/A>`, `_:b1 <http://ex.example/p> "v"`}},
		"a type that does not":     {`"type":"W","ref":{"p":"v"}`, []string{`_:b0 <http://ex.example/ref> _:b1`, `_:b0 ` + typ + ` <http://ex.example/W>`, `_:b1 <http://ex.example/pW> "v"`}},
		"of a property":            {`"in":{"p":"v","ref":{"p":"w"}}`, []string{`_:b0 <http://ex.example/in> _:b1`, `_:b1 <http://ex.example/pIn> "v"`, `_:b1 <http://ex.example/ref> _:b2`, `_:b2 <http://ex.example/pIn> "w"`}},
		"that ends at its node":    {`"here":{"p":"v","ref":{"p":"w"}}`, []string{`_:b0 <http://ex.example/here> _:b1`, `_:b1 <http://ex.example/pHere> "v"`, `_:b1 <http://ex.example/ref> _:b2`, `_:b2 <http://ex.example/p> "w"`}},
		"of a type, then property": {`"type":"A","in":{"p":"v"}`, []string{`_:b0 <http://ex.example/in> _:b1`, `_:b0 ` + typ + ` <http://ex.example/A>`, `_:b1 <http://ex.example/pIn> "v"`}},
		"none, but a vocabulary":   {`"bare":{"@context":{"@vocab":"http://v.example/"},"p":"v"}`, []string{`_:b0 <http://ex.example/bare> _:b1`, `_:b1 <http://v.example/p> "v"`}},
		"none for a value":         {`"bare":"v"`, []string{`_:b0 <http://ex.example/bare> "v"`}},
		"a value in a type":        {`"type":"A","p":{"@value":"v","@language":"en"},"ref":{"id":"urn:x"}`, []string{`_:b0 <http://ex.example/pA> "v"@en`, `_:b0 <http://ex.example/ref> <urn:x>`, `_:b0 ` + typ + ` <http://ex.example/A>`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // a second time from what was kept
				quads, err := jsonld.Embedded().ToRDF(parse(t, ctx+c.doc+`}`), nil)
				require.NoError(t, err)
				require.Equal(t, c.want, lines(t, quads))
			}
		})
	}
}

func TestToRDFRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		doc, at string
		want    error
	}{
		"undefined term":             {`"x":"v"`, "/x", jsonld.ErrUndefinedTerm},
		"undefined term of null":     {`"x":null`, "/x", jsonld.ErrUndefinedTerm},
		"undefined term below":       {`"p":["v",{"q":{"x":1}}]`, "/p/1/q/x", jsonld.ErrUndefinedTerm},
		"undefined by the context":   {`"nil":"v"`, "/nil", jsonld.ErrUndefinedTerm},
		"empty name":                 {`"":"v"`, "/", jsonld.ErrUndefinedTerm},
		"name with ~ and /":          {`"a~/b":"v"`, "/a~0~1b", jsonld.ErrUndefinedTerm},
		"looks like a keyword":       {`"@foo":"v"`, "/@foo", jsonld.ErrUndefinedTerm},
		"undefined type":             {`"type":["C","x"]`, "/type/1", jsonld.ErrUndefinedTerm},
		"undefined type of a value":  {`"p":{"@value":"v","type":"x"}`, "/p/type", jsonld.ErrUndefinedTerm},
		"undefined word":             {`"word":"x"`, "/word", jsonld.ErrUndefinedTerm},
		"type without meaning":       {`"type":"nil"`, "/type", jsonld.ErrUndefinedTerm},
		"undefined type in a map":    {`"byType":{"x":{"p":"v"}}`, "/byType/x", jsonld.ErrUndefinedTerm},
		"relative id":                {`"id":"n","p":"v"`, "/id", jsonld.ErrRelative},
		"empty id":                   {`"id":"","p":"v"`, "/id", jsonld.ErrRelative},
		"relative reference":         {`"ref":["urn:a","b/c"]`, "/ref/1", jsonld.ErrRelative},
		"fragment":                   {`"ref":"#a"`, "/ref", jsonld.ErrRelative},
		"id like a keyword":          {`"ref":"@foo"`, "/ref", jsonld.ErrRelative},
		"space in an IRI":            {`"ref":"urn:a b"`, "/ref", jsonld.ErrRelative},
		"quote in a long IRI":        {`"ref":"data:image/png;base64,AAAAAAAAAAAAAAAAAAAAAAAAAAA\"AAAAA"`, "/ref", jsonld.ErrRelative},
		"angle in an IRI":            {`"id":"urn:a>","p":"v"`, "/id", jsonld.ErrRelative},
		"scheme alone":               {`"ref":"urn:"`, "/ref", jsonld.ErrRelative},
		"scheme with a digit first":  {`"ref":"1a:b"`, "/ref", jsonld.ErrRelative},
		"relative id in a map":       {`"byID":{"x":{"p":"v"}}`, "/byID/x", jsonld.ErrRelative},
		"unknown context":            {`"p":{"@context":"https://unknown.example/"}`, "/p/@context", jsonld.ErrUnknownContext},
		"unknown context in a list":  {`"p":{"@context":[{},"https://unknown.example/"]}`, "/p/@context/1", jsonld.ErrUnknownContext},
		"context of a number":        {`"p":{"@context":5}`, "/p/@context", jsonld.ErrContext},
		"id of a number":             {`"id":5`, "/id", jsonld.ErrMalformed},
		"id of null":                 {`"id":null,"p":"v"`, "/id", jsonld.ErrMalformed},
		"id is a keyword":            {`"id":"@type","p":"v"`, "/id", jsonld.ErrMalformed},
		"id is a name of one":        {`"id":"type","p":"v"`, "/id", jsonld.ErrMalformed},
		"type of a number":           {`"type":5`, "/type", jsonld.ErrMalformed},
		"type of null":               {`"type":["C",null]`, "/type/1", jsonld.ErrMalformed},
		"type of an object":          {`"type":{"p":"v"}`, "/type", jsonld.ErrMalformed},
		"type is a keyword":          {`"type":"@id"`, "/type", jsonld.ErrMalformed},
		"two ids":                    {`"id":"urn:a","@id":"urn:b"`, "/@id", jsonld.ErrMalformed},
		"keyword of contexts":        {`"@vocab":"v"`, "/@vocab", jsonld.ErrMalformed},
		"@none as a member":          {`"none_":"v"`, "/none_", jsonld.ErrMalformed},
		"language of a node":         {`"p":{"@language":"en","q":"v"}`, "/p/@language", jsonld.ErrMalformed},
		"value beside a property":    {`"p":{"@value":"v","q":"w"}`, "/p/q", jsonld.ErrMalformed},
		"value of an array":          {`"p":{"@value":["v"]}`, "/p/@value", jsonld.ErrMalformed},
		"value with two types":       {`"p":{"@value":"v","type":["C","D"]}`, "/p/type", jsonld.ErrMalformed},
		"value with types twice":     {`"p":{"@value":"v","type":"C","@type":"D"}`, "/p/@type", jsonld.ErrMalformed},
		"language and type":          {`"p":{"@value":"v","type":"C","@language":"en"}`, "/p", jsonld.ErrMalformed},
		"language of a number":       {`"p":{"@value":5,"@language":"en"}`, "/p/@value", jsonld.ErrMalformed},
		"language of a digit":        {`"p":{"@value":"v","@language":"1a"}`, "/p/@language", jsonld.ErrMalformed},
		"bad language":               {`"p":{"@value":"v","@language":"en_GB"}`, "/p/@language", jsonld.ErrMalformed},
		"language text, no language": {`"p":{"@value":"v","type":"http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"}`, "/p/@value", jsonld.ErrMalformed},
		"list beside a property":     {`"p":{"@list":[],"q":"v"}`, "/p/q", jsonld.ErrMalformed},
		"list of null":               {`"p":{"@list":null}`, "/p/@list", jsonld.ErrMalformed},
		"bad language in a map":      {`"byLang":{"e n":"v"}`, "/byLang/e n", jsonld.ErrMalformed},
		"number in a language map":   {`"byLang":{"en":["v",5]}`, "/byLang/en/1", jsonld.ErrMalformed},
		"object in a language map":   {`"byLang":{"en":{"@value":"v"}}`, "/byLang/en", jsonld.ErrMalformed},
		"value in a map of nodes":    {`"byName":{"one":"v"}`, "/byName/one", jsonld.ErrMalformed},
		"a word in a map by name":    {`"byName":{"one":["urn:a"]}`, "/byName/one/0", jsonld.ErrMalformed},
		"list in a map of nodes":     {`"byID":{"urn:a":{"@list":[]}}`, "/byID/urn:a", jsonld.ErrMalformed},
		"a word in a map by id":      {`"byID":{"urn:a":"v"}`, "/byID/urn:a", jsonld.ErrMalformed},
		"another reference in a map": {`"p":{"@context":{"m":{"@id":"urn:m","@type":"@id","@container":"@id"}},"m":{"urn:a":"urn:b"}}`, "/p/m/urn:a", jsonld.ErrDropped},
		"value in reverse":           {`"back":"v"`, "/back", jsonld.ErrMalformed},
		"list in reverse":            {`"back":{"@list":[]}`, "/back", jsonld.ErrMalformed},
		"reverse of text":            {`"inverse":"v"`, "/inverse", jsonld.ErrMalformed},
		"keyword in reverse":         {`"inverse":{"id":"urn:a"}`, "/inverse/id", jsonld.ErrMalformed},
		"nest of text":               {`"nest":"v"`, "/nest", jsonld.ErrMalformed},
		"nest of a value":            {`"nest":{"@value":"v"}`, "/nest", jsonld.ErrMalformed},
		"a direction that is none":   {`"p":{"@value":"v","@direction":"up"}`, "/p/@direction", jsonld.ErrMalformed},
		"a direction in capitals":    {`"p":{"@value":"v","@direction":"LTR"}`, "/p/@direction", jsonld.ErrMalformed},
		"direction null":             {`"p":{"@value":"v","@direction":null}`, "/p/@direction", jsonld.ErrMalformed},
		"direction of a number":      {`"p":{"@value":5,"@direction":"ltr"}`, "/p/@value", jsonld.ErrMalformed},
		"direction of a node":        {`"p":{"@direction":"ltr","q":"v"}`, "/p/@direction", jsonld.ErrMalformed},
		"direction and type":         {`"p":{"@value":"v","@type":"C","@direction":"ltr"}`, "/p", jsonld.ErrMalformed},
		"direction of JSON":          {`"p":{"@value":"v","@type":"@json","@direction":"ltr"}`, "/p", jsonld.ErrMalformed},
		"direction as a type":        {`"p":{"@value":"v","@type":"https://www.w3.org/ns/i18n#en_ltr"}`, "/p/@value", jsonld.ErrNotCompacted},
		"direction as a term's type": {`"p":{"@context":{"d":{"@id":"ex:d","@type":"https://www.w3.org/ns/i18n#_rtl"}},"d":"v"}`, "/p/d", jsonld.ErrNotCompacted},
		"nest in nest":               {`"nest":{"nest":{"n":"v"}}`, "/nest/nest", jsonld.ErrUnsupported},
		"array in a list object":     {`"p":{"@list":[["v"]]}`, "/p/@list/0", jsonld.ErrUnsupported},
		"set in a list":              {`"list":[{"@set":["v"]}]`, "/list/0/@set", jsonld.ErrNotCompacted},
		"a set":                      {`"p":{"@set":["v"]}`, "/p/@set", jsonld.ErrNotCompacted},
		"a set of a list":            {`"list":{"@set":["a"]}`, "/list/@set", jsonld.ErrNotCompacted},
		"an array in an array":       {`"p":["v",["w"]]`, "/p/1", jsonld.ErrNotCompacted},
		"a value object for text":    {`"p":{"@value":"v"}`, "/p", jsonld.ErrNotCompacted},
		"for text in a list":         {`"list":[{"@value":"v"}]`, "/list/0", jsonld.ErrNotCompacted},
		"for a number":               {`"p":{"@value":5}`, "/p", jsonld.ErrNotCompacted},
		"for a number as text":       {`"p":{"@value":"5","@type":"http://www.w3.org/2001/XMLSchema#integer"}`, "/p", jsonld.ErrNotCompacted},
		"for the term's own type":    {`"date":{"@value":"2026-03-02","@type":"http://www.w3.org/2001/XMLSchema#date"}`, "/date", jsonld.ErrNotCompacted},
		"said twice":                 {`"p":["v","w","v"]`, "", jsonld.ErrDropped},
		"said twice of a type":       {`"type":["C","C"]`, "", jsonld.ErrDropped},
		"digits that are lost":       {`"p":5.0000000000000000001`, "/p", jsonld.ErrDropped},
		"digits of a double":         {`"p":0.1000000000000000055`, "/p", jsonld.ErrDropped},
		"@none by a property":        {`"byName":{"@none":{"p":"v"}}`, "/byName/@none", jsonld.ErrUnsupported},
		"both kinds of reverse":      {`"back":{"p":"v"},"inverse":{"p":{"q":"v"}}`, "/inverse", jsonld.ErrUnsupported},
		"blank node as property":     {`"_:p":"v"`, "/_:p", jsonld.ErrUnsupported},
		"index":                      {`"p":{"@value":"v","@index":"i"}`, "/p/@index", jsonld.ErrDropped},
		"index of a node":            {`"p":{"q":"v","@index":"i"}`, "/p/@index", jsonld.ErrDropped},
		"index of a list":            {`"p":{"@list":[],"@index":"i"}`, "/p/@index", jsonld.ErrDropped},
		"map by index":               {`"byIndex":{"i":"v"}`, "/byIndex/i", jsonld.ErrDropped},
		"id alone":                   {`"id":"urn:n"`, "", jsonld.ErrDropped},
		"id alone, included":         {`"p":"v","also":{"id":"urn:n"}`, "/also", jsonld.ErrDropped},
		"id alone, in a graph":       {`"graph":{"id":"urn:n"}`, "/graph", jsonld.ErrDropped},
		"text in a graph":            {`"graph":"v"`, "/graph", jsonld.ErrDropped},
		"value in a graph":           {`"graph":{"@value":"v"}`, "/graph", jsonld.ErrDropped},
		"text in a graph object":     {`"members":["v"]`, "/members/0", jsonld.ErrDropped},
		"list in a graph object":     {`"members":[{"@list":["v"]}]`, "/members/0", jsonld.ErrDropped},
		"another id in a map":        {`"byID":{"urn:a":{"id":"urn:b","p":"v"}}`, "/byID/urn:a/id", jsonld.ErrDropped},
		"a number of 17 digits":      {`"p":0.30000000000000004`, "/p", jsonld.ErrDropped},
		"IRI for a name":             {`"http://ex.example/p":"v"`, "/http:~1~1ex.example~1p", jsonld.ErrNotCompacted},
		"compact IRI for a name":     {`"ex:p":"v"`, "/ex:p", jsonld.ErrNotCompacted},
		"IRI of nothing defined":     {`"urn:p":"v"`, "/urn:p", jsonld.ErrNotCompacted},
		"keyword for a name":         {`"@id":"urn:a","p":"v"`, "/@id", jsonld.ErrNotCompacted},
		"keyword for a type":         {`"@type":"C"`, "/@type", jsonld.ErrNotCompacted},
		"IRI for a type":             {`"type":"http://ex.example/C"`, "/type", jsonld.ErrNotCompacted},
		"compact IRI for a type":     {`"type":["ex:C"]`, "/type/0", jsonld.ErrNotCompacted},
		"a node twice":               {`"p":{"id":"urn:a","q":"v"},"q":{"id":"urn:a","q":"w"}`, "/q", jsonld.ErrNotCompacted},
		"a node twice in a map":      {`"byID":{"urn:a":{"p":"v"},"ex:b":[{"q":"w"},{"p":"x"}],"@none":{"p":"y"}}`, "/byID/ex:b/1", jsonld.ErrNotCompacted},
		"a keyword in a vocabulary":  {`"p":{"@context":{"@vocab":"ex:v/"},"x":"v","@type":"T"}`, "/p/@type", jsonld.ErrNotCompacted},
		"the longer of two names":    {`"p":{"@context":{"a":"ex:z","aa":"ex:z"},"aa":"v"}`, "/p/aa", jsonld.ErrNotCompacted},
		"the later of two names":     {`"p":{"@context":{"@vocab":"ex:v/","a":{"@type":"@id"},"b":{"@id":"ex:v/a","@type":"@id","@protected":true}},"b":"urn:v"}`, "/p/b", jsonld.ErrNotCompacted},
		"a vocabulary's name":        {`"p":{"@context":{"@vocab":"ex:v/","a":"ex:v/b"},"b":"v"}`, "/p/b", jsonld.ErrNotCompacted},
		"the longer name of a type":  {`"p":{"@context":{"Cc":"ex:C"},"type":["D","Cc"]}`, "/p/type/1", jsonld.ErrNotCompacted},
		"a vocabulary's type":        {`"p":{"@context":{"@vocab":"ex:v/","A":"ex:v/B"},"type":"B"}`, "/p/type", jsonld.ErrNotCompacted},
		"the end of a proof renamed": {`"p":{"@context":["https://www.w3.org/ns/credentials/v2","https://w3id.org/security/v1"],"type":"DataIntegrityProof","expiration":"2026-03-02T12:00:00Z"}`, "/p/expiration", jsonld.ErrNotCompacted},
		"a node in itself":           {`"id":"urn:a","p":{"id":"urn:a","q":"w"}`, "", jsonld.ErrNotCompacted},
		"outside its nest":           {`"n":"v"`, "/n", jsonld.ErrNotCompacted},
		"in a nest that is not its":  {`"nest":{"p":"v"}`, "/nest/p", jsonld.ErrNotCompacted},
		"nest without its name":      {`"@nest":{"n":"v"}`, "/@nest/n", jsonld.ErrNotCompacted},
		"id in a nest":               {`"nest":{"id":"urn:a"}`, "/nest/id", jsonld.ErrNotCompacted},
		"keyword with a container":   {`"@context":{"type":"@type","@type":{"@container":"@set"},"T":"urn:T"},"@type":["T"]`, "/@type", jsonld.ErrNotCompacted},
		"@graph":                     {`"@graph":[{"p":"v"}]`, "/@graph", jsonld.ErrNotCompacted},
		"@included":                  {`"@included":[{"p":"v"}]`, "/@included", jsonld.ErrNotCompacted},
		"@reverse":                   {`"@reverse":{"p":{"q":"v"}}`, "/@reverse", jsonld.ErrNotCompacted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := `{"@context":{` + terms + `},` + c.doc + `}`
			if strings.HasPrefix(c.doc, `"@context"`) {
				doc = `{` + c.doc + `}`
			}
			quads, err := jsonld.Embedded().ToRDF(parse(t, doc), nil)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, quads)
			var e *jsonld.Error
			require.True(t, errors.As(err, &e))
			require.Equal(t, c.at, e.Pointer)
			require.True(t, strings.HasPrefix(err.Error(), "jsonld: "))
			require.Equal(t, 1, strings.Count(err.Error(), "jsonld: "))
		})
	}
}
