package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/piprate/json-gold/ld"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// offline loads the published contexts and the passport's own, and nothing else.
type offline map[string]any

func (o offline) LoadDocument(url string) (*ld.RemoteDocument, error) {
	doc, ok := o[url]
	if !ok {
		return nil, ld.NewJsonLdError(ld.LoadingDocumentFailed, url)
	}
	return &ld.RemoteDocument{DocumentURL: url, Document: doc}, nil
}

func contextsOffline(t testing.TB) offline {
	t.Helper()
	return offline{
		schema.ContextURL: decoded(t, schema.ContextDocument()),
		vc.ContextV2:      decoded(t, vectors.Read(t, "contexts", "credentials-v2.jsonld")),
	}
}

func decoded(t testing.TB, b []byte) any {
	t.Helper()
	v, err := ld.DocumentFromReader(bytes.NewReader(b))
	require.NoError(t, err)
	return v
}

// A statement is a quad of the default graph, a literal with its datatype behind it.
type statement struct{ subject, predicate, object string }

// byJSONGold is the statements of doc as piprate/json-gold finds them, in safe mode.
func byJSONGold(t testing.TB, doc []byte) ([]statement, error) {
	t.Helper()
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader, options.SafeMode = contextsOffline(t), true
	expanded, err := ld.NewJsonLdProcessor().Expand(decoded(t, doc), options)
	if err != nil {
		return nil, err
	}
	dataset, err := ld.NewJsonLdProcessor().ToRDF(expanded, options)
	if err != nil {
		return nil, err
	}
	var out []statement
	for _, q := range dataset.(*ld.RDFDataset).GetQuads("@default") {
		s := statement{q.Subject.GetValue(), q.Predicate.GetValue(), q.Object.GetValue()}
		if l, ok := q.Object.(ld.Literal); ok {
			s.object += "^^" + l.Datatype
		}
		out = append(out, s)
	}
	return out, nil
}

// engines are the ways to turn a document into statements.
func engines() map[string]func(testing.TB, []byte) ([]statement, error) {
	return map[string]func(testing.TB, []byte) ([]statement, error){"json-gold": byJSONGold, "own": byOurOwn}
}

// byOurOwn is the statements of doc as internal/jsonld finds them.
func byOurOwn(t testing.TB, doc []byte) ([]statement, error) {
	t.Helper()
	o, err := strictjson.ParseObject(doc)
	require.NoError(t, err)
	quads, err := schema.Contexts().Documents().ToRDF(o, nil)
	if err != nil {
		return nil, err
	}
	var out []statement
	for _, q := range quads {
		require.Equal(t, rdf.DefaultGraph, q.Graph.Kind)
		s := statement{q.Subject.Value, q.Predicate.Value, q.Object.Value}
		if q.Object.Kind == rdf.Literal {
			s.object += "^^" + q.Object.Datatype
		}
		out = append(out, s)
	}
	return out, nil
}

// full is the sample with data or words in every field there is.
func full() *schema.Passport {
	p, _ := schema.Sample()
	return p.Padded()
}

func document(t testing.TB, p *schema.Passport, terms schema.Terms) []byte {
	t.Helper()
	c, err := p.Credential(terms)
	require.NoError(t, err)
	doc, err := json.Marshal(c)
	require.NoError(t, err)
	return doc
}

// TestEveryClaimIsAStatement follows each claim from the subject to its value.
func TestEveryClaimIsAStatement(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*schema.Passport{"sample": first(schema.Sample()), "every field": full()} {
		for engine, statements := range engines() {
			t.Run(engine+", "+name, func(t *testing.T) {
				t.Parallel()
				term := terms(t)
				doc := document(t, p, term)
				all, err := statements(t, doc)
				require.NoError(t, err)
				require.Contains(t, all, statement{term.ID, rdfType, schema.ContextURL + "#" + schema.Type})

				found := map[statement]bool{}
				var subject map[string]any
				require.NoError(t, json.Unmarshal(member(t, doc, "credentialSubject"), &subject))
				delete(subject, "id")
				follow(t, all, found, term.Holder.String(), "", subject)
				// What is left is about the credential itself.
				for _, s := range all {
					require.True(t, found[s] || s.subject == term.ID, "%v", s.predicate)
				}
				require.Len(t, found, leaves(subject)-1, "the photo's id is in no statement of its own")
			})
		}
	}
}

func first(p *schema.Passport, _ *schema.Photo) *schema.Passport { return p }

const (
	rdfType   = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
	xsdString = "http://www.w3.org/2001/XMLSchema#string"
)

// follow finds the statement of every member of o, which is at path, about node.
func follow(t testing.TB, all []statement, found map[statement]bool, node, path string, o map[string]any) {
	t.Helper()
	for name, v := range o {
		iri := schema.ContextURL + "#" + strings.TrimPrefix(path+"/"+name, "/")
		inPhoto := path == "personal/photo"
		switch {
		case inPhoto && name == "id":
			require.Equal(t, v, node)
			continue
		case inPhoto:
			iri = map[string]string{"mediaType": "https://schema.org/encodingFormat", "digestMultibase": "https://w3id.org/security#digestMultibase"}[name]
		}
		var objects []string
		for _, s := range all {
			if s.subject == node && s.predicate == iri {
				found[s] = true
				objects = append(objects, s.object)
			}
		}
		require.Len(t, objects, 1, "one statement of %s/%s", path, name)
		switch v := v.(type) {
		case map[string]any:
			inner := path + "/" + name
			if name == "assurance" {
				inner = name
			}
			follow(t, all, found, objects[0], strings.TrimPrefix(inner, "/"), v)
		case bool:
			require.Equal(t, fmt.Sprint(v)+"^^http://www.w3.org/2001/XMLSchema#boolean", objects[0])
		default:
			datatype := xsdString
			if isDate(path + "/" + name) {
				datatype = "http://www.w3.org/2001/XMLSchema#date"
			}
			if name == "digestMultibase" {
				datatype = "https://w3id.org/security#multibase"
			}
			require.Equal(t, v.(string)+"^^"+datatype, objects[0], "%s/%s", path, name)
		}
	}
}

func isDate(path string) bool {
	return slices.ContainsFunc(schema.Fields(), func(f schema.Field) bool {
		return string(f.Pointer) == "/"+path && f.Kind == schema.KindDate
	})
}

// leaves counts members at every depth.
func leaves(o map[string]any) int {
	n := len(o)
	for _, v := range o {
		if inner, ok := v.(map[string]any); ok {
			n += leaves(inner)
		}
	}
	return n
}

func member(t testing.TB, doc []byte, name string) json.RawMessage {
	t.Helper()
	var o map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(doc, &o))
	return o[name]
}

// TestNoFieldWithoutATerm holds the context against the list of fields, whatever
// the sample says.
func TestNoFieldWithoutATerm(t *testing.T) {
	t.Parallel()
	var document struct {
		Context map[string]any `json:"@context"`
	}
	require.NoError(t, json.Unmarshal(schema.ContextDocument(), &document))
	have := map[string]string{} // IRI by path
	var read func(scope map[string]any, at string)
	read = func(scope map[string]any, at string) {
		for name, term := range scope {
			if strings.HasPrefix(name, "@") || name == schema.Type {
				continue
			}
			o, ok := term.(map[string]any)
			if !ok {
				o = map[string]any{"@id": term}
			}
			have[at+"/"+name] = o["@id"].(string)
			inner, _ := o["@context"].(map[string]any)
			require.True(t, inner == nil || inner["@protected"] == true, name)
			read(inner, at+"/"+name)
		}
	}
	read(document.Context, "")
	want := map[string]string{}
	for _, f := range schema.Fields() {
		path := string(f.Pointer)
		if f.Kind == schema.KindPhoto {
			path = "/personal/photo" // inside, the terms are the data model's own
		}
		for at := path; at != ""; at = at[:strings.LastIndex(at, "/")] {
			want[at] = schema.ContextURL + "#" + at[1:]
			if section, name, ok := strings.Cut(at, "/assurance/"); ok && section != "" {
				want[at] = schema.ContextURL + "#assurance/" + name
			}
		}
	}
	require.Equal(t, want, have)
}

// TestContextIsClosed: what is no field of a section has no meaning there, which
// safe mode tells.
func TestContextIsClosed(t *testing.T) {
	t.Parallel()
	good := document(t, full(), terms(t))
	for engine, statements := range engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			_, err := statements(t, good)
			require.NoError(t, err)
			for name, change := range map[string][2]string{
				"member of no section":       {`"credentialSubject":{`, `"credentialSubject":{"cleared":true,`},
				"member of another section":  {`"personal":{`, `"personal":{"clearance":"Cleared",`},
				"field outside its section":  {`"credentialSubject":{`, `"credentialSubject":{"firstName":"Hazel",`},
				"assurance outside of it":    {`"personal":{`, `"personal":{"pedigree":"Authoritative",`},
				"in the photo":               {`"photo":{`, `"photo":{"alt":"a face",`},
				"in the assurance":           {`"assurance":{`, `"assurance":{"extra":"x",`},
				"misspelled section":         {`"dbs":{`, `"DBS":{`},
				"type of no meaning":         {`"StaffPassportCredential"]`, `"StaffPassportCredential","Cleared"]`},
				"keyword-like":               {`"dbs":{`, `"dbs":{"@cleared":true,`},
				"relative id of the subject": {`"credentialSubject":{"id":"did:`, `"credentialSubject":{"id":"did/`},
			} {
				bad := strings.Replace(string(good), change[0], change[1], 1)
				require.NotEqual(t, string(good), bad, name)
				_, err := statements(t, []byte(bad))
				if engine == "json-gold" && slices.Contains(jsonGoldMisses, name) {
					require.NoError(t, err, "json-gold learned it: %s", name)
					continue
				}
				require.Error(t, err, name)
			}
		})
	}
	for _, change := range [][2]string{
		{`"credentialSubject":{`, `"credentialSubject":{"cleared":true,`}, {`"photo":{`, `"photo":{"alt":"a face",`}, {`"personal":{`, `"personal":{"clearance":"Cleared",`},
	} {
		_, err := byOurOwn(t, []byte(strings.Replace(string(good), change[0], change[1], 1)))
		require.ErrorIs(t, err, jsonld.ErrUndefinedTerm)
	}
}

// jsonGoldMisses are what its safe mode lets through; internal/jsonld does not.
var jsonGoldMisses = []string{"relative id of the subject", "type of no meaning"}

// TestLaterContextCannotRedefine: every term is protected.
func TestLaterContextCannotRedefine(t *testing.T) {
	t.Parallel()
	good := document(t, full(), terms(t))
	for _, inline := range []string{
		`{"registration":"https://evil.example/registration"}`,
		`{"StaffPassportCredential":"https://evil.example/Cleared"}`,
		`{"dbs":{"@id":"https://w3id.org/staffpassport/v1#dbs","@context":{"level":"https://evil.example/level"}}}`,
	} {
		bad := strings.Replace(string(good), `"`+schema.ContextURL+`"]`, `"`+schema.ContextURL+`",`+inline+`]`, 1)
		require.NotEqual(t, string(good), bad)
		for engine, statements := range engines() {
			t.Run(engine, func(t *testing.T) {
				_, err := statements(t, []byte(bad))
				require.Error(t, err, inline)
			})
		}
	}
}

// TestPaddedPassportsHaveOneSize: the number of statements, of which a derived proof
// tells how many it hides, says nothing about the member of staff.
func TestPaddedPassportsHaveOneSize(t *testing.T) {
	t.Parallel()
	sample, photo := schema.Sample()
	bare := noOptional()
	inline := noOptional()
	ref := photo.InlineRef()
	inline.Personal.Photo = &ref
	term := terms(t)
	term.Holder = did.DID{}
	const size = 115 // of subject and credential, with an id, an end, and no status
	for engine, statements := range engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			for name, p := range map[string]*schema.Passport{"sample": sample, "without options": bare, "photo inside": inline} {
				if engine == "json-gold" && name == "photo inside" {
					continue // it drops IRIs of more than 2,083 characters
				}
				all, err := statements(t, document(t, p.Padded(), term))
				require.NoError(t, err)
				require.Len(t, all, size, name)
			}
			short, err := statements(t, document(t, bare, term))
			require.NoError(t, err)
			require.Less(t, len(short), size)
		})
	}
}

// noOptional is the sample without anything that may be left out.
func noOptional() *schema.Passport {
	p, _ := schema.Sample()
	p.Personal.MiddleName = schema.Value[string]{}
	p.Personal.Assurance = nil
	p.Employment.FixedTermEndDate = schema.Value[schema.Date]{}
	p.Employment.EmploymentType, p.Employment.EmploymentStatus = schema.Value[string]{}, schema.Value[string]{}
	return p
}

func TestPadded(t *testing.T) {
	t.Parallel()
	p := noOptional()
	before, err := json.Marshal(p)
	require.NoError(t, err)
	padded := p.Padded()
	require.NoError(t, padded.Validate())
	after, err := json.Marshal(p)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after), "the passport itself is not changed")
	require.Len(t, padded.Entries(), len(schema.Fields()))
	for _, e := range padded.Entries() {
		if !e.Mandatory {
			require.Equal(t, schema.NotAvailable, e.State, e.Pointer)
		}
	}
	require.Equal(t, padded, padded.Padded())

	// What is there stays, and what must be there is not made up.
	s, _ := schema.Sample()
	require.Equal(t, schema.Of("Tamar"), s.Padded().Personal.MiddleName)
	require.Equal(t, s.Personal.Assurance, s.Padded().Personal.Assurance)
	s.DBS, s.Personal.Photo, s.Employment.VPD, s.Personal.Assurance.Pedigree = nil, nil, schema.Value[string]{}, schema.Value[string]{}
	require.Equal(t, []string{"/personal/photo required", "/personal/assurance/pedigree required", "/dbs required", "/employment/vpd required"},
		told(t, s.Padded().Validate()))
}
