package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/testdata"
)

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestOutputThatCannotBeWritten is neither a verdict nor a success, whatever was found.
func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	now := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
	code, made, _ := invoke(t, "", now, "key", "new", "--type", "ed25519")
	require.Equal(t, exitValid, code)
	require.NoError(t, os.WriteFile(file, []byte(made), 0o600))
	all, err := testdata.Vectors()
	require.NoError(t, err)
	vector, err := all[0].Bytes()
	require.NoError(t, err)
	seen := filepath.Join(dir, "vector")
	require.NoError(t, os.WriteFile(seen, vector, 0o600))
	for _, args := range [][]string{
		{"help"}, {"verify", "-h"}, {"key", "new"}, {"key", "public", file}, {"inspect", file}, {"inspect", "--json", file}, {"inspect", "did:key:z6Mk0"},
		{"did", "new", "--key", file}, {"did", "new", "--json", "--key", file}, {"issue", "--print-sample"},
		{"status", "new", "--key", file, "--id", "https://fernhill.example/0"}, {"did", "resolve", "did:fern:1", "--json"},
		{"verify", "--any-issuer-unsafe", seen}, {"verify", "--json", "--any-issuer-unsafe", seen},
		{"verify", "--json", "--any-issuer-unsafe", file}, {"issue", "--json", "--key", file, file},
	} {
		var errs bytes.Buffer
		s := &shell{in: strings.NewReader(""), out: full{}, err: &errs, clock: func() time.Time { return now }, getenv: func(string) string { return "" }}
		require.Equal(t, exitUsage, run(t.Context(), s, args), "%v", args)
		require.Contains(t, errs.String(), "no space left on device", "%v", args)
	}
}

// program is this test, which runs as passport under that name.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), self, args...)
	c.Args[0] = "passport"
	return c
}

// TestClosedOutput: a key that nobody gets is not made without a word.
func TestClosedOutput(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell: nothing closes the output")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	link := filepath.Join(t.TempDir(), "passport")
	require.NoError(t, os.Symlink(self, link))
	for script, want := range map[string]int{
		`"$0" key new >&-`:        exitUsage,
		`"$0" key new >/dev/null`: exitValid,
	} {
		c := exec.CommandContext(t.Context(), shell, "-c", script, link)
		_ = c.Run()
		require.Equal(t, want, c.ProcessState.ExitCode(), script)
	}
}

// TestSignalWhileReading ends a program that waits for its input.
func TestSignalWhileReading(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("windows has no SIGTERM to send")
	}
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		c := program(t, "inspect")
		in, err := c.StdinPipe()
		require.NoError(t, err)
		errs, err := c.StderrPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		_, err = in.Write(make([]byte, 1<<20)) // more than a pipe holds: it reads
		require.NoError(t, err)
		require.NoError(t, c.Process.Signal(signal))
		said, err := io.ReadAll(errs)
		require.NoError(t, err)
		_ = c.Wait()
		require.Equal(t, exitUndecided, c.ProcessState.ExitCode(), "%v: %s", signal, said)
		require.Contains(t, string(said), "passport: stopped")
	}
}

// TestTerminal: no command moves the terminal or turns the direction of writing by what
// came from outside, and JSON is the same JSON.
func TestTerminal(t *testing.T) {
	t.Parallel()
	const nasty = "\u009b31m\u202egnp\u2066\u007f\u200f\U000e0041 Wye"
	require.Equal(t, `{"a":"\u009b31m\u202egnp\u2066\u007f\u200f\udb40\udc41 Wye é 🌿"}`, string(escaped([]byte(`{"a":"`+nasty+` é 🌿"}`))))
	dir := t.TempDir()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := "did:web:localhost%3A" + r.Host[strings.LastIndex(r.Host, ":")+1:]
		w.Header().Set("Content-Type", "application/did+json")
		_, _ = io.WriteString(w, `{"@context":["https://www.w3.org/ns/did/v1"],"id":"`+id+`","service":[{"id":"`+id+`#s","type":"River","serviceEndpoint":"https://rivers.example/","note":"`+nasty+`"}]}`)
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(dir, "c.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:example:x","credentialSubject":{"name":"`+nasty+`"}}`), 0o600))
	for _, args := range [][]string{
		{"did", "resolve", "--allow-loopback", "did:web:localhost%3A" + server.URL[strings.LastIndex(server.URL, ":")+1:]},
		{"did", "resolve", "--json", "--allow-loopback", "did:web:localhost%3A" + server.URL[strings.LastIndex(server.URL, ":")+1:]},
		{"inspect", file}, {"inspect", "--json", file}, {"verify", "--any-issuer-unsafe", file}, {"verify", "--json", "--any-issuer-unsafe", file},
	} {
		_, out, errs := invoke(t, "", time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), args...)
		if args[0] != "verify" {
			require.Contains(t, out, "Wye", "%v %s", args, errs)
		}
		require.False(t, strings.ContainsAny(out+errs, "\u009b\u202e\u2066\u007f\u200f\U000e0041"), "%v", args)
	}
}

// TestInspectHeaders names what a header says that nobody should go by.
func TestInspectHeaders(t *testing.T) {
	t.Parallel()
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	claims := part(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:example:x","credentialSubject":{"name":"Fern"}}`)
	other := part(`{"iss":"did:example:x","sub":"Fern"}`)
	for header, want := range map[string]string{
		`{"alg":"HS256","typ":"vc+jwt"}`:                           "algorithm",
		`{"alg":"hs512","typ":"vc+jwt"}`:                           "algorithm",
		`{"alg":"none","typ":"vc+jwt"}`:                            "algorithm",
		`{"typ":"vc+jwt"}`:                                         "algorithm",
		`{"alg":"ES256","typ":"vc+jwt","jwk":{"kty":"EC"}}`:        "own-key",
		`{"alg":"ES256","typ":"vc+jwt","x5c":["AAAA"]}`:            "own-key",
		`{"alg":"ES256","typ":"vc+jwt","jku":"https://x.example"}`: "own-key",
	} {
		for _, body := range []string{claims, other} {
			head := header
			if body == other {
				head = strings.ReplaceAll(header, "vc+jwt", "JWT")
			}
			code, out, errs := invoke(t, part(head)+"."+body+"."+part("signature"), time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), "inspect")
			require.Equal(t, exitInvalid, code, "%s %s%s", head, out, errs)
			require.Equal(t, 1, strings.Count(out, "wrong  "+want), "%s %s", head, out)
		}
	}
	_, out, _ := invoke(t, part(`{"alg":"ES256","typ":"openid4vci-proof+jwt","jwk":{"kty":"EC"}}`)+"."+other+"."+part("signature"), time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), "inspect")
	require.NotContains(t, out, "own-key")
}
