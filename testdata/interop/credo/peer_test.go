// Package credo holds whole conversations with agents of Credo-TS 0.6.3: they connect,
// are issued credentials and show them, and the other way about, with our side of package
// party. It is a module of its own, with the npm packages beside it, pinned and installed
// without running their scripts:
//
//	cd testdata/interop/credo && go test ./...
//
// That takes node 20.19 or newer and npm. Without them the tests are skipped, unless
// STAFFPASSPORT_INTEROP is "required".
package credo

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A peer is a running peer.mjs. It works on several requests at a time.
type peer struct {
	process *exec.Cmd
	in      io.WriteCloser

	mu      sync.Mutex
	next    int
	waiting map[int]chan answer
}

type answer struct {
	ID    int
	OK    bool
	Value json.RawMessage
	Error string
}

// startPeer installs the packages if they are not there, and starts the peer for the
// length of the test.
func startPeer(t *testing.T) *peer {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("STAFFPASSPORT_INTEROP") == "required" {
		missing = t.Fatalf
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			missing("no %s: install node 20.19 or newer to run this test", program)
		}
	}
	if err := installed(); err != nil {
		missing("npm ci: %v", err)
	}
	p := &peer{process: exec.Command("node", "peer.mjs"), waiting: map[int]chan answer{}}
	p.process.Stderr = os.Stderr
	var err error
	p.in, err = p.process.StdinPipe()
	require.NoError(t, err)
	out, err := p.process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.process.Start())
	read := make(chan struct{})
	go func() { defer close(read); p.read(out) }()
	t.Cleanup(func() {
		_ = p.in.Close()
		<-read
		if err := p.process.Wait(); err != nil {
			t.Errorf("peer.mjs: %v", err)
		}
	})
	return p
}

// installed runs npm ci, unless what it would install is there.
var installed = sync.OnceValue(func() error {
	const marker = "node_modules/.package-lock.json"
	if lock, err := os.Stat("package-lock.json"); err != nil {
		return err
	} else if done, err := os.Stat(marker); err == nil && !done.ModTime().Before(lock.ModTime()) {
		return nil
	}
	out, err := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund").CombinedOutput()
	if err != nil {
		return errors.New(string(out))
	}
	return nil
})

// read hands the answers to those who wait for them, until the peer ends.
func (p *peer) read(out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var a answer
		if json.Unmarshal(line, &a) != nil {
			continue // not ours: a package that prints
		}
		p.mu.Lock()
		waiting := p.waiting[a.ID]
		delete(p.waiting, a.ID)
		p.mu.Unlock()
		if waiting != nil {
			waiting <- a
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, waiting := range p.waiting {
		waiting <- answer{Error: "the peer ended"}
	}
	p.waiting = nil
}

// ask sends a request and reads the answer's value into a Go value.
func (p *peer) ask(t testing.TB, operation string, request map[string]any, value any) {
	t.Helper()
	mine := make(chan answer, 1)
	p.mu.Lock()
	require.NotNil(t, p.waiting, "the peer ended")
	p.next++
	request["operation"], request["id"] = operation, p.next
	p.waiting[p.next] = mine
	err := json.NewEncoder(p.in).Encode(request)
	p.mu.Unlock()
	require.NoError(t, err)
	a := <-mine
	require.True(t, a.OK, "%s: %s", operation, a.Error)
	require.NoError(t, json.Unmarshal(a.Value, value))
}

// An agent is one of those that run in the peer.
type agent struct {
	*peer
	t    testing.TB
	name string
	did  string // what its credentials are about
}

// open starts an agent whose own DIDs are did:peer DIDs of one numalgo.
func (p *peer) open(t testing.TB, name string, numalgo int) *agent {
	t.Helper()
	return p.openBehind(t, name, numalgo, nil)
}

// openBehind is open for an agent without an address, behind the mediator whose
// invitation is the link.
func (p *peer) openBehind(t testing.TB, name string, numalgo int, mediator map[string]string) *agent {
	t.Helper()
	h := &agent{peer: p, t: t, name: name}
	var opened struct{ DID string }
	p.ask(t, "open", map[string]any{"name": name, "numalgo": numalgo, "mediator": mediator}, &opened)
	h.did = opened.DID
	t.Cleanup(func() { h.do("close", nil, &struct{}{}) })
	return h
}

func (h *agent) do(operation string, request map[string]any, value any) {
	h.t.Helper()
	if request == nil {
		request = map[string]any{}
	}
	request["name"] = h.name
	h.ask(h.t, operation, request, value)
}
