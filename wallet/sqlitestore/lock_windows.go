package sqlitestore

import (
	"errors"
	"os"
	"syscall"

	"github.com/staffpassport/staffpassport/wallet"
)

// errorSharingViolation is ERROR_SHARING_VIOLATION of winerror.h.
const errorSharingViolation = syscall.Errno(32)

// lockFile opens a file that only one holder at a time can have: it is opened without
// sharing. The system frees it when the process ends.
func lockFile(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errorSharingViolation) {
		return nil, wallet.ErrInUse
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// unlockFile lets go of the file.
func unlockFile(f *os.File) error { return f.Close() }

// syncFolder does nothing: Windows has no such call, NTFS logs its folders.
func syncFolder(string) error { return nil }
