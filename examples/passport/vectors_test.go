package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/testdata"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// TestVectors runs the module's own vectors through passport verify: its exit code and
// the code it names are those of the verifier.
func TestVectors(t *testing.T) {
	all, err := testdata.Vectors()
	require.NoError(t, err)
	ran := 0
	for _, v := range all {
		args, ok := vectorArgs(t, v)
		if !ok {
			continue
		}
		ran++
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			b, err := v.Bytes()
			require.NoError(t, err)
			code, out, errs := invoke(t, string(b), v.Verifier.Now, append(args, "-")...)
			want := map[string]int{"accepted": exitValid, "refused": exitInvalid, "undecided": exitUndecided}[v.Expected.Outcome]
			require.Equal(t, want, code, "%s%s", out, errs)
			got := map[string]any{}
			require.NoError(t, json.Unmarshal([]byte(out), &got))
			if want == exitValid {
				require.Len(t, got["credentials"], len(v.Expected.Documents))
				return
			}
			require.Equal(t, v.Expected.Code, got["code"])
			require.NotContains(t, got, "credentials")
			problems := got["problems"].([]any)
			require.NotEmpty(t, problems)
			for _, p := range problems {
				require.NotEmpty(t, p.(map[string]any)["hint"], "%v", p)
			}
		})
	}
	require.Greater(t, ran, 150, "of %d vectors", len(all))
}

// vectorArgs are the flags that set the program up as the vector says. Not all can be:
// resolvers of other methods, and nonces that were used before.
func vectorArgs(t *testing.T, v testdata.Vector) ([]string, bool) {
	own := [][]string{{vc.ContextV2, schema.ContextURL}}
	if len(v.Verifier.Documents) > 0 || len(v.Verifier.Unavailable) > 0 || v.Verifier.NonceUsed || len(v.Verifier.Contexts) == 0 {
		return nil, false
	}
	for _, c := range v.Verifier.Contexts {
		if !slices.ContainsFunc(own, func(o []string) bool { return slices.Equal(o, c) }) {
			return nil, false
		}
	}
	args := []string{"verify", "--json", "--media-type", v.MediaType}
	for _, issuer := range slices.Sorted(maps.Keys(v.Verifier.Trusted)) {
		args = append(args, "--issuer", issuer+"="+strings.Join(v.Verifier.Trusted[issuer], ","))
	}
	if len(v.Verifier.Trusted) == 0 {
		args = append(args, "--issuer", "did:example:nobody")
	}
	if v.Verifier.Holder == "bearer" {
		args = append(args, "--bearer")
	}
	if v.Kind == "presentation" {
		if v.Verifier.Audience == "" || v.Verifier.Nonce == "" {
			return nil, false
		}
		args = append(args, "--audience", v.Verifier.Audience, "--nonce", v.Verifier.Nonce)
	} else if b, err := v.Bytes(); err != nil || readDocument(vc.Secured{MediaType: v.MediaType, Bytes: b}).presentation {
		return nil, false // a presentation where a credential is due is wrong usage here
	}
	return args, true
}

// TestInspectVectors looks at each vector: what a verifier accepts has nothing wrong
// with it, and nothing that inspect says moves the terminal.
func TestInspectVectors(t *testing.T) {
	all, err := testdata.Vectors()
	require.NoError(t, err)
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			b, err := v.Bytes()
			require.NoError(t, err)
			code, out, _ := invoke(t, string(b), v.Verifier.Now, "inspect", "-")
			require.NotContains(t, out, "\x1b")
			require.NotEqual(t, exitUsage, code)
			if v.Expected.Outcome == "accepted" {
				require.NotEqual(t, exitUndecided, code, out)
			}
			require.NotContains(t, strings.ToLower(out), "valid\n", "inspect decides nothing")
		})
	}
}

// TestEveryCodeHasAHint reads the codes from their source: a new one gets a hint too.
func TestEveryCodeHasAHint(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "vc", "verify", "code.go"), nil, 0)
	require.NoError(t, err)
	codes := 0
	d := &document{tree: map[string]any{}}
	for _, decl := range f.Decls {
		g, ok := decl.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			if id, ok := v.Type.(*ast.Ident); !ok || id.Name != "Code" {
				continue
			}
			code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			codes++
			if verify.Code(code) == verify.ErrReplay {
				continue // this program remembers no nonce, so that it never finds one used
			}
			require.NotEmpty(t, hintFor(code, d, d, &verification{}), code)
		}
	}
	require.Greater(t, codes, 35)
}

// TestSecretsStayInTheFile runs every command that reads a private key: none shows it.
func TestSecretsStayInTheFile(t *testing.T) {
	dir := t.TempDir()
	for _, typ := range []string{"ed25519", "p256", "p384", "bls12-381"} {
		k, err := keyOf("canary "+typ, typ)
		require.NoError(t, err)
		file := filepath.Join(dir, typ)
		b, err := json.Marshal(k.file(true))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, b, 0o600))
		f := k.file(true)
		secret := f.D + f.SecretKeyMultibase
		require.Greater(t, len(secret), 40)
		now := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
		for _, args := range [][]string{
			{"inspect", file}, {"inspect", "--json", file}, {"key", "public", file}, {"did", "new", "--json", "--key", file},
			{"did", "new", "--document", "--method", "jwk", "--key", file}, {"issue", "--key", file, file}, {"issue", "--json", "--key", file, file},
			{"verify", "--any-issuer-unsafe", file}, {"derive", "--reveal", "", file}, {"status", "get", "--index", "1", file},
			{"present", "--holder", file, "--audience", "a", "--nonce", "b", "--reveal", "", file}, {"key", "public", "--jsom", file},
		} {
			_, out, errs := invoke(t, "", now, args...)
			require.NotContains(t, out+errs, secret, "%v", args)
		}
	}
}

// TestEveryErrorHasACode reads the sentinel errors of the packages that this program
// shows errors of: each has a code and a hint here.
func TestEveryErrorHasACode(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	require.NoError(t, err)
	// What is about the caller's own code, and what another of the list stands for.
	not := []string{"ErrConfig", "ErrCache", "ErrNotRegistered", "ErrNotForType", "ErrNotInForce", "outofband.ErrState"}
	found := 0
	for _, dir := range []string{"did", "vc", "vc/jose", "vc/cose", "vc/sdjwt", "vc/dataintegrity", "vc/disclose", "vc/status",
		"schema", "schema/trust", "schema/trust/bundle", "didcomm/outofband"} {
		files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(dir), "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			require.NoError(t, err)
			for _, decl := range f.Decls {
				g, ok := decl.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR || strings.HasSuffix(file, "_test.go") {
					continue
				}
				for _, spec := range g.Specs {
					for _, id := range spec.(*ast.ValueSpec).Names {
						name := f.Name.Name + "." + id.Name
						if !strings.HasPrefix(id.Name, "Err") || slices.Contains(not, id.Name) || slices.Contains(not, name) {
							continue
						}
						found++
						require.True(t, strings.Contains(string(source), name+","), "no code for %s", name)
					}
				}
			}
		}
	}
	require.Greater(t, found, 70)
	for _, k := range knownErrors() {
		p := problemsOf(k.err)
		require.Len(t, p, 1)
		require.NotEqual(t, "error", p[0].Code)
		require.NotEmpty(t, p[0].Hint, "%v", k.err)
	}
}
