package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"passport": main}) }

// TestScript runs the stories in testdata/script, at least one a subcommand: the command, its
// input, its output and its exit code. Each begins with the keys of an employer, a member
// of staff and others, and with their DIDs as variables.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: func(e *testscript.Env) error { return people(e) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "let": let, "keep": keep, "serve": serve, "change": change, "member": member, "data": data, "log": logOf, "rename": rename,
		},
		RequireUniqueNames: true,
		UpdateScripts:      os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

// people writes the keys, which are derived from names and worth nothing.
func people(e *testscript.Env) error {
	e.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector's second at the end of each process
	for name, typ := range map[string]string{
		"employer": "p256", "staff": "p256", "host": "p256", "stranger": "p256", "board": "p384",
		"authority": "ed25519", "maker": "ed25519", "unlinkable": "bls12-381",
	} {
		k, err := keyOf(name, typ)
		if err != nil {
			return err
		}
		for file, private := range map[string]bool{name + ".key": true, name + ".pub": false} {
			b, err := json.MarshalIndent(k.file(private), "", "  ")
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(e.WorkDir, file), append(b, '\n'), 0o600); err != nil {
				return err
			}
		}
		e.Setenv(strings.ToUpper(name), k.id.DID.String())
	}
	return nil
}

func keyOf(name, typ string) (*key, error) {
	seed := sha256.Sum256([]byte("passport story " + name))
	k := &key{}
	var err error
	switch typ {
	case "ed25519":
		k.private = ed25519.NewKeyFromSeed(seed[:])
	case "bls12-381":
		seed[0] = 0 // below the order of the group
		k.bbs = seed[:]
		var s bbs.Signer
		if s, err = bbs.NewSigner(mustURL("did:example:x#y"), seed[:]); err == nil {
			k.public = s.Public()
		}
	case "p384":
		k.private, err = ecdsa.ParseRawPrivateKey(elliptic.P384(), append(make([]byte, 16), seed[:]...))
	default:
		k.private, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	}
	if err != nil {
		return nil, err
	}
	if k.private != nil {
		k.public = k.private.Public()
	}
	return k, k.rename("")
}

func mustURL(text string) did.URL {
	u, err := did.ParseURL(text)
	if err != nil {
		panic(err)
	}
	return u
}

// code runs a command that has to end with an exit code: code 1 passport verify ...
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command...")
	}
	got := 0
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if want, _ := strconv.Atoi(args[0]); got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}

// let sets a variable to what a command writes: let DID passport did new ...
func let(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec(args[1], args[2:]...))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// keep runs a command and keeps what it writes: keep credential.json passport issue ...
func keep(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec(args[1], args[2:]...))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.ReadFile("stdout")), 0o600))
}

// serve serves a folder at $SITE, on this machine alone.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.URL.Path)))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		for suffix, media := range map[string]string{".vc": "application/vc", ".jwt": "application/vc+jwt", "did.json": "application/did+json", ".jsonl": "text/jsonl", ".html": "text/html"} {
			if strings.HasSuffix(r.URL.Path, suffix) {
				w.Header().Set("Content-Type", media)
			}
		}
		_, _ = w.Write(b)
	}))
	ts.Defer(server.Close)
	ts.Setenv("SITE", server.URL)
	port := server.URL[strings.LastIndex(server.URL, ":")+1:]
	ts.Setenv("SITEDID", "did:web:localhost%3A"+port)
	ts.Setenv("SITEHOST", "localhost:"+port)
}

// change replaces a text in a file, which has to be there: change FILE OLD NEW
func change(ts *testscript.TestScript, _ bool, args []string) {
	b := []byte(ts.ReadFile(args[0]))
	if !bytes.Contains(b, []byte(args[1])) {
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Replace(b, []byte(args[1]), []byte(args[2]), 1), 0o600))
}

// member compares a member of the JSON that was written: member /problems/0/code expired
func member(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	got, ok := pointerOf(args[0]).Lookup(v)
	text, is := got.(string)
	if !is {
		b, err := json.Marshal(got)
		ts.Check(err)
		text = string(b)
	}
	want := len(args) > 1 && text == args[1] || len(args) == 1 && ok
	if want == neg {
		ts.Fatalf("%s is %s", args[0], text)
	}
}

// data keeps the member data of a result: data FILE RESULT
func data(ts *testscript.TestScript, _ bool, args []string) {
	o := objectOf([]byte(ts.ReadFile(args[1])))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text(o["data"])+"\n"), 0o600))
}

// logOf keeps the log and the DID of what did new --json wrote: log FILE FILE
func logOf(ts *testscript.TestScript, _ bool, args []string) {
	o := objectOf([]byte(ts.ReadFile("stdout")))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text(o["log"])), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text(o["did"])), 0o600))
}

// rename gives a key file another name: rename FILE DIDURL
func rename(ts *testscript.TestScript, _ bool, args []string) {
	k, err := parseKey([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(k.rename(args[1]))
	b, err := json.Marshal(k.file(true))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// invoke runs the program in this process and returns what it wrote.
func invoke(t *testing.T, stdin string, now time.Time, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	s := &shell{in: strings.NewReader(stdin), out: &out, err: &errs, clock: func() time.Time { return now }, getenv: func(string) string { return "" }}
	code = run(context.Background(), s, args)
	return code, out.String(), errs.String()
}

func pointerOf(text string) vc.Pointer { return vc.Pointer(text) }
