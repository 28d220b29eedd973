package party

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// A wire keeps what a party sent and received, as it was before it was packed and after
// it was unpacked.
type wire struct {
	runtime.Packer

	mu   sync.Mutex
	kept []string
}

func (w *wire) keep(direction string, plaintext []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept = append(w.kept, fmt.Sprintf("%s %s", direction, plaintext))
}

// Pack implements [runtime.Packer].
func (w *wire) Pack(ctx context.Context, plaintext []byte, r runtime.Route) ([]byte, error) {
	envelope, err := w.Packer.Pack(ctx, plaintext, r)
	if err != nil {
		w.keep("not packed ("+err.Error()+")", plaintext)
		return nil, err
	}
	w.keep("sent", plaintext)
	return envelope, nil
}

// Unpack implements [runtime.Packer].
func (w *wire) Unpack(ctx context.Context, envelope []byte) (runtime.Received, error) {
	r, err := w.Packer.Unpack(ctx, envelope)
	if err != nil {
		w.keep("not opened ("+err.Error()+")", envelope)
		return r, err
	}
	w.keep("received", r.Plaintext)
	return r, nil
}

func (w *wire) show(t testing.TB, label string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, line := range w.kept {
		t.Logf("%s %s", label, line)
	}
}

// A testLog writes the runtime's log into that of a test, until the test is over.
type testLog struct {
	t     testing.TB
	label string

	mu   sync.Mutex
	over bool
}

// Write implements io.Writer.
func (l *testLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.t.Logf("%s %s", l.label, bytes.TrimSpace(line))
	}
	return len(line), nil
}

func (l *testLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}
