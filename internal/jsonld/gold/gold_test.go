package gold_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/piprate/json-gold/ld"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

const examplesV2 = "https://www.w3.org/ns/credentials/examples/v2"

func contexts(t testing.TB) *jsonld.Contexts {
	c, err := jsonld.Embedded().With(map[string][]byte{examplesV2: []byte(`{"@context":{"@vocab":"https://www.w3.org/ns/credentials/examples#"}}`)})
	require.NoError(t, err)
	return c
}

// A loader gives json-gold the context documents of this package and no others.
type loader map[string]any

func newLoader(t testing.TB) loader {
	l := loader{}
	for _, p := range jsonld.Published() {
		var doc any
		require.NoError(t, json.Unmarshal(p.JSON(), &doc))
		l[p.URL] = doc
	}
	l[examplesV2] = map[string]any{"@context": map[string]any{"@vocab": "https://www.w3.org/ns/credentials/examples#"}}
	return l
}

func (l loader) LoadDocument(url string) (*ld.RemoteDocument, error) {
	doc, ok := l[url]
	if !ok {
		return nil, fmt.Errorf("no context %s", url)
	}
	return &ld.RemoteDocument{DocumentURL: url, Document: doc}, nil
}

// errPanic says that json-gold broke down, which says nothing about the document.
var errPanic = errors.New("json-gold panics")

// gold is the canonical form of what json-gold makes of a document.
func gold(t testing.TB, l loader, doc []byte) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		return "", err
	}
	opts := ld.NewJsonLdOptions("")
	opts.ProcessingMode = ld.JsonLd_1_1
	opts.DocumentLoader = l
	opts.Format = "application/n-quads"
	out, err := ld.NewJsonLdProcessor().ToRDF(v, opts)
	if err != nil {
		return "", err
	}
	quads, err := rdf.ParseNQuads([]byte(out.(string)))
	if err != nil {
		return "", err
	}
	return canon(t, quads)
}

func canon(t testing.TB, quads []rdf.Quad) (string, error) {
	c, err := rdfcanon.Canonicalize(t.Context(), quads, rdfcanon.SHA256)
	if err != nil {
		return "", err
	}
	return strings.Join(c.Statements, ""), nil
}

// Every document of the published vectors that has a context which is embedded
// means the same to another implementation.
func TestToRDF_Gold(t *testing.T) {
	t.Parallel()
	c, l := contexts(t), newLoader(t)
	agreed, refused := 0, map[string]int{}
	err := filepath.WalkDir(vectors.Dir(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		v, err := strictjson.Parser{CaseVariants: true}.Parse(data)
		if err != nil {
			return nil
		}
		for _, o := range documents(v, nil) {
			quads, err := c.ToRDF(o, nil)
			if err != nil {
				refused[err.Error()]++
				continue
			}
			got, err := canon(t, quads)
			require.NoError(t, err)
			text, err := strictjson.Append(nil, o)
			require.NoError(t, err)
			want, err := gold(t, l, text)
			require.NoError(t, err, path)
			require.Equal(t, want, got, path)
			agreed++
		}
		return nil
	})
	require.NoError(t, err)
	t.Logf("%d documents agree", agreed)
	for text, n := range refused {
		t.Logf("%4d refused: %s", n, text)
	}
	require.GreaterOrEqual(t, agreed, 61)
}

// documents returns every object in v that has a @context of its own.
func documents(v any, out []*strictjson.Object) []*strictjson.Object {
	switch v := v.(type) {
	case []any:
		for _, v := range v {
			out = documents(v, out)
		}
	case *strictjson.Object:
		if c, ok := v.Get("@context"); ok {
			if m, err := strictjson.Append(nil, c); err == nil && bytes.Contains(m, []byte("http")) {
				out = append(out, v)
			}
		}
		for _, v := range v.All() {
			out = documents(v, out)
		}
	}
	return out
}
