// Package didcommnode runs the envelopes of DIDComm v2 against didcomm-node 0.4.1, which
// is didcomm-rust in WASM, in both directions. It is a module of its own, with the
// npm package beside it, pinned and installed without running its scripts:
//
//	cd testdata/interop/didcomm-node && go test ./...
//
// That takes node 20 or newer and npm. Without them the tests are skipped, unless
// STAFFPASSPORT_INTEROP is "required".
package didcommnode

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

// A peer is a running peer.mjs. It answers one request at a time.
type peer struct {
	mu      sync.Mutex
	in      io.WriteCloser
	out     *bufio.Reader
	process *exec.Cmd
}

// startPeer installs the package if it is not there, and starts the peer for the
// length of the test.
func startPeer(t *testing.T) *peer {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("STAFFPASSPORT_INTEROP") == "required" {
		missing = t.Fatalf
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			missing("no %s: install node 20 or newer to run this test", program)
		}
	}
	if err := installed(); err != nil {
		missing("npm ci: %v", err)
	}
	p := &peer{process: exec.Command("node", "peer.mjs")}
	p.process.Stderr = os.Stderr
	var err error
	p.in, err = p.process.StdinPipe()
	require.NoError(t, err)
	out, err := p.process.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewReader(out)
	require.NoError(t, p.process.Start())
	t.Cleanup(func() {
		_ = p.in.Close()
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

// errRefused is the peer's answer that it did not accept an input.
var errRefused = errors.New("refused by the peer")

// ask sends a request and reads the answer's value into a Go value.
func (p *peer) ask(t testing.TB, operation string, request map[string]any, value any) error {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	request["operation"] = operation
	require.NoError(t, json.NewEncoder(p.in).Encode(request))
	line, err := p.out.ReadBytes('\n')
	require.NoError(t, err, "the peer ended")
	var answer struct {
		OK    bool
		Value json.RawMessage
		Error string
	}
	require.NoError(t, json.Unmarshal(line, &answer))
	if !answer.OK {
		return errors.Join(errRefused, errors.New(answer.Error))
	}
	require.NoError(t, json.Unmarshal(answer.Value, value))
	return nil
}
