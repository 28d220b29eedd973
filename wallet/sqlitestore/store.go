// Package sqlitestore keeps wallets in one SQLite file.
//
//	store, err := sqlitestore.Open("data/wallet.db")
//	w, err := wallet.Open(ctx, store, unlocker, wallet.Config{})
//
// The file is written through a write-ahead log with synchronous=FULL: what an Update
// wrote is on the disk when it returns. Deleted rows are overwritten (secure_delete),
// but their sealed bytes stay in the log until [Store.Checkpoint] or Close.
//
// Open creates the file with mode 0600, and a missing folder with mode 0700. Beside the
// database stand its log (-wal, -shm) while it is open, and an empty file, -lock, that
// stays. Only one process at a time has a wallet open; the operating system lets go of
// it when that process ends, however it ends. On Windows the folder's own permissions
// apply instead of modes.
//
// While a store is open its files must not be opened by other means within the same
// process: closing such a file would release SQLite's own locks on it. Copies are for
// other processes, or for when the store is closed.
package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/staffpassport/staffpassport/wallet"
)

// idleReaders is how many connections for Views are kept open when not in use. More
// are opened as they are needed: with a limit, Views inside Views could wait for each
// other for ever.
const idleReaders = 4

// A Store is an open SQLite file. It implements [wallet.Store] and is safe for
// concurrent use.
type Store struct {
	path   string
	lock   *os.File
	turn   chan struct{} // holds a token while an Update runs
	writer *conn
	seq    int64 // last place given to a record; belongs to the holder of turn

	mu      sync.Mutex // guards what follows
	idle    []*conn
	closed  bool
	running sync.WaitGroup
}

var _ wallet.Store = (*Store)(nil)

// Open opens the file at path, or creates it. It returns [wallet.ErrInUse] if the file
// is open already, in this process or in another, and [wallet.ErrVersion] if a newer
// version of this package wrote it. It refuses a symbolic link, and a file that is
// something other than a wallet.
func Open(path string) (*Store, error) {
	s, err := open(path)
	if err != nil {
		return nil, wrap(err)
	}
	return s, nil
}

func open(path string) (_ *Store, err error) {
	if path == "" {
		return nil, errors.New("empty path")
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	if err := prepareFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	for _, suffix := range []string{"", "-lock", "-wal", "-shm", "-journal"} {
		if err := regularOrAbsent(path + suffix); err != nil {
			return nil, err
		}
	}
	lock, err := lockFile(path + "-lock")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, unlockFile(lock))
		}
	}()
	// From here on no other process, and nobody in this one, has the file open.
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	w, err := openWriter(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, lock: lock, turn: make(chan struct{}, 1), writer: w}
	if s.seq, err = w.lastSeq(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return s, nil
}

// View implements [wallet.Store].
func (s *Store) View(ctx context.Context, f func(wallet.StoreTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := s.reader()
	if err != nil {
		return wrap(err)
	}
	defer s.release(c)
	if err := c.beginView(); err != nil {
		return wrap(err)
	}
	t := &tx{store: s, conn: c, ctx: ctx}
	defer t.end()
	if err := f(t); err != nil {
		return err
	}
	return ctx.Err()
}

// Update implements [wallet.Store].
func (s *Store) Update(ctx context.Context, f func(wallet.StoreTx) error) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.running.Done()
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	if err := ctx.Err(); err != nil {
		return err
	}
	c := s.writer
	if err := c.exec(c.beginImmediate); err != nil {
		return wrap(err)
	}
	t := &tx{store: s, conn: c, ctx: ctx, writable: true}
	defer t.end()
	if err := f(t); err != nil {
		return err
	}
	return t.commit()
}

// Checkpoint moves everything from the write-ahead log into the database file and
// empties the log, so that nothing deleted is left in either. It waits up to five
// seconds for Views that still read from the log, and then returns an error.
func (s *Store) Checkpoint(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.running.Done()
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	busy, err := s.writer.integer("PRAGMA wal_checkpoint(TRUNCATE)")
	if err == nil && busy != 0 {
		err = errors.New("checkpoint: the log is still being read")
	}
	return wrap(err)
}

// Close waits for transactions that are running, empties the log into the database
// and lets go of the file. It must not be called from within a transaction.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
	var errs []error
	for _, c := range s.idle {
		errs = append(errs, c.close())
	}
	s.idle = nil
	// The last connection to close empties the log and removes it.
	errs = append(errs, s.writer.close(), unlockFile(s.lock))
	return wrap(errors.Join(errs...))
}

// begin counts one running operation, which must be ended with s.running.Done.
func (s *Store) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return wallet.ErrClosed
	}
	s.running.Add(1)
	return nil
}

// reader takes a connection for a View, which must be given back with release.
func (s *Store) reader() (*conn, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, wallet.ErrClosed
	}
	s.running.Add(1)
	if n := len(s.idle); n > 0 {
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		return c, nil
	}
	s.mu.Unlock()
	c, err := openReader(s.path)
	if err != nil {
		s.running.Done()
		return nil, err
	}
	return c, nil
}

func (s *Store) release(c *conn) {
	defer s.running.Done()
	s.mu.Lock()
	keep := c.healthy && len(s.idle) < idleReaders
	if keep {
		s.idle = append(s.idle, c)
	}
	s.mu.Unlock()
	if !keep {
		_ = c.close() // it has only read
	}
}

// wrap names the package in errors that are not the wallet's own.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{wallet.ErrInUse, wallet.ErrVersion, wallet.ErrClosed} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("sqlitestore: %w", err)
}
