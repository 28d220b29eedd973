package resolution_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/resolution"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// suite is where the DID Core test suite keeps what implementations sent in.
func suite(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(vectors.Dir(t), "did-core", "packages", "did-core-test-server", "suites", "implementations", pattern))
	require.NoError(t, err)
	return files
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(vectors.Read(t, "did-core", "packages", "did-core-test-server", "suites", "implementations", filepath.Base(file)), v))
}

// published resolves what a file holds. What could not be read as a document is nil.
type published map[string]*did.Resolution

func (p published) Resolve(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
	switch res, ok := p[id.String()]; {
	case !ok:
		return nil, did.ErrNotFound
	case res == nil:
		return nil, did.ErrDocument
	default:
		return res, nil
	}
}

// add keeps what an implementation said about a DID.
func (p published) add(id, document string, metadata map[string]json.RawMessage) {
	doc, err := did.ParseDocument([]byte(document))
	if err != nil || doc.ID().String() != id {
		p[id] = nil
		return
	}
	p[id] = &did.Resolution{Document: doc, Other: metadata, Deactivated: string(metadata["deactivated"]) == "true"}
}

// Every document of the suite is given in every media type it was sent in for, with
// the metadata it came with, and its representation parses and writes to the same.
func TestPublishedDocuments(t *testing.T) {
	t.Parallel()
	documents, representations := 0, 0
	for _, path := range suite(t, "did-*.json") {
		var file map[string]json.RawMessage
		readJSON(t, path, &file)
		var dids, types []string
		require.NoError(t, json.Unmarshal(file["dids"], &dids))
		require.NoError(t, json.Unmarshal(file["supportedContentTypes"], &types))
		for _, id := range dids {
			var byType map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(file[id], &byType), path)
			var model struct{ Properties json.RawMessage }
			require.NoError(t, json.Unmarshal(byType["didDocumentDataModel"], &model))
			documents++
			for _, contentType := range types {
				var sent struct {
					Representation        string
					DIDDocumentMetadata   map[string]json.RawMessage
					DIDResolutionMetadata map[string]any
				}
				if byType[contentType] == nil {
					continue
				}
				require.NoError(t, json.Unmarshal(byType[contentType], &sent))
				doc, err := did.ParseDocument([]byte(sent.Representation))
				require.NoError(t, err, "%s %s %s", filepath.Base(path), id, contentType)
				written, err := doc.MarshalJSON()
				require.NoError(t, err)
				require.JSONEq(t, sent.Representation, string(written))

				r := published{id: {Document: doc, Other: sent.DIDDocumentMetadata}}
				result := resolution.Resolve(t.Context(), r, id, resolution.Options{Accept: contentType})
				if !strings.Contains(sent.Representation, `"@context"`) && contentType == "application/did+ld+json" {
					require.Equal(t, resolution.TypeRepresentationNotSupported, result.Problem.Type)
					continue
				}
				require.Nil(t, result.Problem, "%s %s %s", filepath.Base(path), id, contentType)
				require.Equal(t, 200, result.HTTPStatus())
				require.Equal(t, contentType, result.ContentType)
				require.JSONEq(t, sent.Representation, string(result.Document))
				representations++
			}
		}
	}
	require.Equal(t, 28, documents)
	require.Equal(t, 45, representations)
}

type execution struct {
	Function string
	Input    struct {
		DID, DIDURL        string
		ResolutionOptions  struct{ Accept string }
		DereferenceOptions struct{ Accept string }
	}
	Output struct {
		DIDDocument           json.RawMessage
		DIDDocumentStream     string
		DIDDocumentMetadata   map[string]json.RawMessage
		DIDResolutionMetadata struct{ Error, ContentType string }
		DereferencingMetadata struct{ Error, ContentType string }
		ContentStream         string
	}
}

// document returns what the implementation found, if it is the document of the DID
// asked for, by whatever function.
func (e *execution) document() (id, document string) {
	text := e.Output.DIDDocumentStream
	if len(e.Output.DIDDocument) > 4 { // more than null
		text = string(e.Output.DIDDocument)
	}
	id = e.Input.DID
	if e.Function == "dereference" {
		id, text = e.Input.DIDURL, e.Output.ContentStream
	}
	return id, text
}

// unlike are the executions whose outcome here is another one, and why. The outcome is
// the type of a problem, the status 410, or a URL.
func unlike() map[string][2]string {
	const gone = "410"
	return map[string][2]string{
		"resolver-example-didwg.json 3":     {gone, "a deactivated DID has no document (DID Resolution section 4.4, step 5)"},
		"resolver-example-didwg.json 6":     {resolution.TypeRepresentationNotSupported, "CBOR is no representation of DID Core 1.1"},
		"resolver-mattr-web.json 0":         {resolution.TypeInvalidDocument, "a key of the document is no point of its curve"},
		"resolver-mattr-web.json 3":         {resolution.TypeNotFound, "the document is another DID's, which the third execution calls not found"},
		"universal-resolver-did-web.json 2": {resolution.TypeInvalidDocument, "a service of the document has no type"},
		"dereferencer-example-didwg.json 0": {resolution.TypeInvalidDocument, "a verification method of the document has no type"},
		"dereferencer-example-didwg.json 1": {resolution.TypeInvalidDocument, "a verification method of the document has no type"},
		"dereferencer-spruce-web.json 2":    {"https://demo.spruceid.com/2021/07/14/service-example/hello.txt", "the query is not carried over any more (section 5.4.1, step 7)"},
		"dereferencer-dif-webvh.json 0":     {"https://opsecid.github.io/whois.vp", "the query is not carried over any more (section 5.4.1, step 7)"},
		"dereferencer-web-transmute.json 0": {"https://raw.githubusercontent.com/OR13/deno-did-pm/master/docs/example-mod/mod.ts", "the endpoint is given and not what it serves (section 5.4.1, step 7)"},
	}
}

// Every execution of the suite's resolvers and dereferencers has the outcome that was
// sent in, but for ten.
func TestPublishedExecutions(t *testing.T) {
	t.Parallel()
	errorTypes := map[string]string{"invalidDid": resolution.TypeInvalidDID, "invalidDidUrl": resolution.TypeInvalidURL, "notFound": resolution.TypeNotFound}
	exceptions := unlike()
	files := slices.Concat(suite(t, "resolver-*.json"), suite(t, "universal-resolver-*.json"), suite(t, "dereferencer-*.json"))
	require.Len(t, files, 16)
	all := published{"did:example:777": nil}
	all.add("did:example:777", `{"id":"did:example:777"}`, nil)
	for _, path := range suite(t, "did-*.json") { // which two of the dereferencers mean
		var file map[string]json.RawMessage
		readJSON(t, path, &file)
		var dids []string
		require.NoError(t, json.Unmarshal(file["dids"], &dids))
		for _, id := range dids {
			var model struct {
				DIDDocumentDataModel struct{ Properties json.RawMessage }
			}
			require.NoError(t, json.Unmarshal(file[id], &model))
			all.add(id, string(model.DIDDocumentDataModel.Properties), nil)
		}
	}
	same, ran := 0, 0
	for _, path := range files {
		var file struct{ Executions []execution }
		readJSON(t, path, &file)
		known := maps.Clone(all)
		for _, e := range file.Executions {
			if id, text := e.document(); strings.HasPrefix(text, "{") && !strings.ContainsAny(id, "?#") {
				known.add(id, text, e.Output.DIDDocumentMetadata)
			}
		}
		if strings.Contains(path, "mattr-web") {
			delete(known, "did:web:123")
		}
		for i, e := range file.Executions {
			name := fmt.Sprintf("%s %d", filepath.Base(path), i)
			got := run(t, known, &e)
			ran++
			if exception, ok := exceptions[name]; ok {
				require.Equal(t, exception[0], got.summary(), "%s: %s", name, exception[1])
				delete(exceptions, name)
				continue
			}
			want := e.outcome()
			if want.Error != "" {
				require.Equal(t, errorTypes[want.Error], got.summary(), name)
				same++
				continue
			}
			require.Nil(t, got.problem, name)
			_, document := e.document()
			require.JSONEq(t, document, got.content, name)
			if e.accept() != "" {
				require.Equal(t, want.ContentType, got.contentType, name)
			}
			for member, value := range e.Output.DIDDocumentMetadata {
				require.JSONEq(t, string(value), string(got.metadata[member]), "%s %s", name, member)
			}
			same++
		}
	}
	require.Equal(t, 49, ran)
	require.Equal(t, 39, same)
	require.Empty(t, exceptions)
}

func (e *execution) accept() string {
	return e.Input.ResolutionOptions.Accept + e.Input.DereferenceOptions.Accept
}

func (e *execution) outcome() struct{ Error, ContentType string } {
	if e.Function == "dereference" {
		return e.Output.DereferencingMetadata
	}
	return e.Output.DIDResolutionMetadata
}

type gotten struct {
	problem              *resolution.Problem
	status               int
	contentType, content string
	location             string
	metadata             map[string]json.RawMessage
}

func (g gotten) summary() string {
	switch {
	case g.problem != nil:
		return g.problem.Type
	case g.location != "":
		return g.location
	default:
		return strconv.Itoa(g.status)
	}
}

// run executes e. Endpoints are asked for as they are now.
func run(t *testing.T, r did.Resolver, e *execution) gotten {
	t.Helper()
	if e.Function != "dereference" {
		res := resolution.Resolve(t.Context(), r, e.Input.DID, resolution.Options{Accept: e.accept()})
		return gotten{res.Problem, res.HTTPStatus(), res.ContentType, string(res.Document), "", res.Metadata}
	}
	o := resolution.Options{Accept: e.accept()}
	if strings.Contains(e.Input.DIDURL, "service=") {
		o.Accept = resolution.MediaTypeURLs
	}
	d := resolution.Dereference(t.Context(), r, e.Input.DIDURL, o)
	return gotten{d.Problem, d.HTTPStatus(), d.ContentType, string(d.Content), d.Location(), d.Metadata}
}
