package jsonld_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

var (
	update = flag.Bool("update", false, "write the context documents instead of comparing them")
	npm    = flag.String("npm", "", "with -update: the folder of the packages that npm pack wrote, which the documents are read from")
)

// A source is where a context document comes from: a file of an npm package.
type source struct {
	file          string // in contexts/
	npm, version  string
	path, licence string
}

func sources() []source {
	const w3c, bsd = "W3C-20150513", "BSD-3-Clause"
	return []source{
		{"cid-v1.jsonld", "@fedify/vocab-runtime", "2.3.6", "src/contexts/cid-v1.json", w3c},
		{"citizenship-v1.jsonld", "@digitalbazaar/citizenship-context", "4.1.0", "contexts/v1.jsonld", w3c},
		{"citizenship-v2.jsonld", "@digitalbazaar/citizenship-context", "4.1.0", "contexts/v2.jsonld", w3c},
		{"citizenship-v3.jsonld", "@digitalbazaar/citizenship-context", "4.1.0", "contexts/v3.jsonld", w3c},
		{"citizenship-v4rc1.jsonld", "@digitalbazaar/citizenship-context", "4.1.0", "contexts/v4rc1.jsonld", w3c},
		{"credentials-examples-v1.jsonld", "@digitalbazaar/credentials-examples-context", "1.0.0", "contexts/credentials-examples-v1.jsonld", bsd},
		{"credentials-status-v1.jsonld", "@digitalbazaar/vc-bitstring-status-list-context", "1.1.0", "contexts/vc-bitstring-status-list-v1.jsonld", bsd},
		{"credentials-undefined-terms-v2.jsonld", "@digitalbazaar/credentials-context", "3.2.0", "contexts/undefined-terms-v2.jsonld", w3c},
		{"credentials-v1.jsonld", "@digitalbazaar/credentials-context", "3.2.0", "contexts/v1.jsonld", w3c},
		{"credentials-v2.jsonld", "@digitalbazaar/credentials-context", "3.2.0", "contexts/v2.jsonld", w3c},
		{"did-v1.jsonld", "did-context", "3.1.1", "contexts/did-v1.jsonld", w3c},
		{"presentation-exchange-submission-v1.jsonld", "@credo-ts/core", "0.6.3", "build/modules/vc/data-integrity/libraries/contexts/submission.mjs", "Apache-2.0"},
		{"security-data-integrity-v1.jsonld", "@digitalbazaar/data-integrity-context", "2.0.1", "contexts/data-integrity-v1.jsonld", bsd},
		{"security-data-integrity-v2.jsonld", "@digitalbazaar/data-integrity-context", "2.0.1", "contexts/data-integrity-v2.jsonld", bsd},
		{"security-jwk-v1.jsonld", "@fedify/vocab-runtime", "2.3.6", "src/contexts/cid-v1.json", w3c},
		{"security-multikey-v1.jsonld", "@digitalbazaar/multikey-context", "2.0.1", "contexts/multikey-v1.jsonld", bsd},
		{"security-suites-ed25519-2020-v1.jsonld", "ed25519-signature-2020-context", "1.1.0", "contexts/ed25519-signature-2020-v1.jsonld", bsd},
		{"security-suites-x25519-2020-v1.jsonld", "x25519-key-agreement-2020-context", "1.0.0", "contexts/x25519-key-agreement-2020-v1.json", bsd},
		{"security-v1.jsonld", "@digitalbazaar/security-context", "1.0.1", "js/security-v1.js", bsd},
		{"security-v2.jsonld", "@digitalbazaar/security-context", "1.0.1", "js/security-v2.js", bsd},
		{"vc-status-list-2021-v1.jsonld", "@digitalbazaar/vc-status-list-context", "3.1.1", "contexts/vc-status-list-v1.jsonld", bsd},
		{"vdl-aamva-v1.jsonld", "@digitalbazaar/vdl-aamva-context", "1.0.0", "contexts/vdl-aamva-v1.jsonld", bsd},
		{"vdl-v1.jsonld", "@digitalbazaar/vdl-context", "1.0.0", "contexts/vdl-v1.jsonld", bsd},
	}
}

// TestContextsAreGenerated is also the generator: go generate runs it with -update,
// and then the documents are read from where they are. To read them from their
// packages:
//
//	cd "$(mktemp -d)"; npm pack <name>@<version> ...
//	go test ./internal/jsonld -run ^TestContextsAreGenerated$ -update -npm=<that folder>
//
// What they must be, published.go says.
func TestContextsAreGenerated(t *testing.T) {
	listed, err := filepath.Glob("contexts/*")
	require.NoError(t, err)
	require.Len(t, listed, len(sources()), "a file without a source")
	require.Len(t, jsonld.Published(), len(sources()))
	for _, s := range sources() {
		path := filepath.Join("contexts", s.file)
		var data []byte
		if *npm != "" {
			data, err = s.read(*npm)
		} else {
			data, err = os.ReadFile(path)
		}
		require.NoError(t, err, s.file)
		minified, err := s.minify(data)
		require.NoError(t, err, s.file)
		if *update {
			require.NoError(t, os.WriteFile(path, minified, 0o644))
			continue
		}
		require.Equal(t, string(minified), string(data), "run go generate in internal/jsonld")
	}
}

// minify returns a document on one line, with its members in their order.
func (s source) minify(data []byte) ([]byte, error) {
	if strings.HasSuffix(s.path, "js") && *npm != "" {
		data = literal(data)
	}
	o, err := strictjson.Parser{CaseVariants: true}.ParseObject(data)
	if err != nil {
		return nil, err
	}
	if s.file == "security-jwk-v1.jsonld" && *npm != "" {
		// A part of the other: a context with one term, published by itself.
		v, _ := o.Get("@context")
		key, _ := v.(*strictjson.Object).Get("JsonWebKey")
		o.Set("@context", strictjson.NewObject(strictjson.Member{Name: "id", Value: "@id"}, strictjson.Member{Name: "type", Value: "@type"},
			strictjson.Member{Name: "@protected", Value: true}, strictjson.Member{Name: "JsonWebKey", Value: key}))
	}
	out, err := strictjson.Append(nil, o)
	return append(out, '\n'), err
}

// read returns the source's file out of its package.
func (s source) read(dir string) ([]byte, error) {
	name := strings.ReplaceAll(strings.TrimPrefix(s.npm, "@"), "/", "-") + "-" + s.version + ".tgz"
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("no %s in %s", s.path, name)
		}
		if err != nil {
			return nil, err
		}
		if h.Name == "package/"+s.path {
			return io.ReadAll(r)
		}
	}
}

// literal turns the one object of a JavaScript module into JSON. It knows what
// these modules have: comments of a whole line, bare names, single quotes and
// commas before a closing brace.
func literal(module []byte) []byte {
	text := regexp.MustCompile(`(?m)^\s*(//|/\*|\*).*$`).ReplaceAllString(string(module), "")
	_, text, _ = strings.Cut(text, "= {")
	text = "{" + text[:strings.Index(text, "};")+1]
	text = strings.ReplaceAll(text, "'", `"`)
	text = regexp.MustCompile(`([{,]\s*)(\w+):`).ReplaceAllString(text, `$1"$2":`)
	return []byte(regexp.MustCompile(`,(\s*[}\]])`).ReplaceAllString(text, "$1"))
}

// The documents are the JSON of those beside the published vectors.
func TestContextsArePublished(t *testing.T) {
	t.Parallel()
	for _, p := range jsonld.Published() {
		if p.File() == "presentation-exchange-submission-v1.jsonld" {
			continue // is in the presentation exchange specification and not there
		}
		theirs := vectors.Read(t, "contexts", p.File())
		require.JSONEq(t, string(theirs), string(p.JSON()), p.URL)
	}
}

// The context of the specifications' examples defines every term, so that it is not
// embedded: the tests that read those examples type it.
func TestExamplesContext(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{"@context":{"@vocab":"https://www.w3.org/ns/credentials/examples#"}}`, string(vectors.Read(t, "contexts", "credentials-examples-v2.jsonld")))
	for _, p := range jsonld.Published() {
		require.NotEqual(t, "https://www.w3.org/ns/credentials/examples/v2", p.URL)
	}
}

// NOTICE names every package, its version and its licence.
func TestNotice(t *testing.T) {
	t.Parallel()
	notice, err := os.ReadFile(filepath.Join("..", "..", "NOTICE"))
	require.NoError(t, err)
	for _, s := range sources() {
		require.Contains(t, string(notice), s.npm+" "+s.version, "NOTICE")
		require.Regexp(t, regexp.QuoteMeta(s.npm+" "+s.version)+`[^\n]*`+regexp.QuoteMeta(s.licence), string(notice))
	}
}
