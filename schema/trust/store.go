package trust

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// A Store keeps one record, the cached list of one [Registry], through restarts. The
// record is what rollback protection and the DID of a new authority rest on, so that
// the store is trusted as the machine's own configuration is.
//
// Implementations are safe for concurrent use and stop when ctx ends.
type Store interface {
	// Update calls change with the record, nil if there is none, and keeps what it
	// returns, or what was there if that is nil. All of it is one atomic, durable step:
	// no other Update of the same record comes between. An error of change ends it,
	// is returned so that errors.Is finds it, and nothing is kept. Change is quick and
	// may be called again.
	Update(ctx context.Context, change func(record []byte) ([]byte, error)) error
}

// File returns a Store in a file, which one process uses at a time. The record is
// replaced whole: after a crash the file holds the old or the new one.
func File(path string) Store { return &file{path: path} }

type file struct {
	mu   sync.Mutex
	path string
}

// Update implements [Store].
func (f *file) Update(ctx context.Context, change func([]byte) ([]byte, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	old, err := f.read()
	if err != nil {
		return err
	}
	record, err := change(old)
	if err != nil || record == nil {
		return err
	}
	return f.replace(record)
}

func (f *file) read() ([]byte, error) {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("trust: cached list: %w", err)
	case info.Size() > maxRecord:
		return nil, ErrCache
	}
	b, err := os.ReadFile(f.path)
	if err != nil {
		return nil, fmt.Errorf("trust: cached list: %w", err)
	}
	if b == nil {
		b = []byte{}
	}
	return b, nil
}

// replace writes beside the file, and then in its place.
func (f *file) replace(record []byte) error {
	t, err := os.CreateTemp(filepath.Dir(f.path), ".trust-*")
	if err != nil {
		return fmt.Errorf("trust: cached list: %w", err)
	}
	_, err = t.Write(record)
	if err == nil {
		err = t.Sync()
	}
	if e := t.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(t.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(t.Name())
		return fmt.Errorf("trust: cached list: %w", err)
	}
	syncFolder(filepath.Dir(f.path))
	return nil
}

// syncFolder makes the new name durable where the system knows how.
func syncFolder(path string) {
	if d, err := os.Open(path); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
