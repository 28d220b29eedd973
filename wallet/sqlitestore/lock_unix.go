//go:build !windows

package sqlitestore

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/staffpassport/staffpassport/wallet"
)

// lockFile opens a file that only one holder at a time can have. The kernel frees it
// when the file is closed, which includes the death of the process. flock belongs to
// the open file and not to the process, so it also holds within one process, and no
// other open and close of the same file releases it.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return f, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = wallet.ErrInUse
	} else {
		err = fmt.Errorf("lock: %w", err)
	}
	return nil, errors.Join(err, f.Close())
}

// unlockFile lets go of the file. Closing it alone would not do while another
// goroutine starts a process: until that process has begun, it has a copy of the
// descriptor, and the lock is held until all copies are closed.
func unlockFile(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

// syncFolder makes a new entry of a folder durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
