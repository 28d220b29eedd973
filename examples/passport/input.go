package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"github.com/staffpassport/staffpassport/schema/trust/bundle"
)

// maxInput bounds what is read of one file: the largest thing that a command takes is a
// bundle.
const maxInput = bundle.MaxFile

// read returns the one input of a command.
func (s *shell) read(files []string) ([]byte, error) {
	if len(files) > 1 {
		return nil, wrongUsage("one FILE, not %d", len(files))
	}
	name := "-"
	if len(files) == 1 {
		name = files[0]
	}
	return s.readFile(name)
}

// readFile reads a file, or standard input for "-".
func (s *shell) readFile(name string) ([]byte, error) {
	in := s.in
	if name == "-" {
		if f, ok := s.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return nil, wrongUsage("no FILE, and nothing is piped in")
		}
	} else {
		f, err := os.Open(name)
		if err != nil {
			return nil, wrongUsage("%s", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	switch {
	case err != nil:
		return nil, wrongUsage("%s", err)
	case len(b) > maxInput:
		return nil, wrongUsage("more than %d MiB", maxInput>>20)
	case len(bytes.TrimSpace(b)) == 0:
		return nil, wrongUsage("there is nothing in %s", printable(name))
	}
	return b, nil
}

// payload returns what was read without what a file, a mail or a terminal put around
// it: white space and the byte order mark around text, and the base64 that binary COSE
// travels in.
func payload(b []byte) []byte {
	if isMessage(b) {
		return b
	}
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	if raw, ok := decodeBase64(b); ok && isMessage(raw) {
		return raw
	}
	return b
}

// isMessage tells a COSE_Sign1 message: with its tag (RFC 9052 section 4.2), or an
// array of four with a byte string first.
func isMessage(b []byte) bool {
	return len(b) > 3 && (b[0] == 0xd2 && b[1] == 0x84 || b[0] == 0x84 && b[1]&0xe0 == 0x40)
}

// decodeBase64 reads any alphabet of base64, padded or not.
func decodeBase64(b []byte) ([]byte, bool) {
	text := bytes.TrimRight(b, "=")
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if raw, err := e.DecodeString(string(text)); err == nil {
			return raw, true
		}
	}
	return nil, false
}

// write puts a result on standard output, or into a file that did not exist.
func (s *shell) write(b []byte, file string, secret bool) error {
	if file == "" {
		if isMessage(b) && isTerminal(s.out) {
			b = base64.StdEncoding.AppendEncode(nil, b) // a terminal cannot show bytes
		}
		_, err := s.out.Write(withNewline(b))
		return err
	}
	mode := os.FileMode(0o644)
	if secret {
		mode = 0o600
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return wrongUsage("%s", err)
	}
	if _, err = f.Write(withNewline(b)); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", errUsage, err), f.Close())
	}
	return f.Close()
}

// withNewline ends text with a line break.
func withNewline(b []byte) []byte {
	if isMessage(b) || bytes.HasSuffix(b, []byte("\n")) {
		return b
	}
	return append(bytes.Clone(b), '\n')
}

// replaceFile writes a file whole, whatever was there: who reads it meanwhile finds the
// old one or the new one.
func replaceFile(name string, b []byte) error {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		if !info.Mode().IsRegular() { // such as /dev/stdout
			if err := os.WriteFile(name, b, mode); err != nil {
				return wrongUsage("%s", err)
			}
			return nil
		}
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".passport-*")
	if err != nil {
		return wrongUsage("%s", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return wrongUsage("%s", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
