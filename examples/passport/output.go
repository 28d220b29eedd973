package main

import (
	"errors"
	"io"
	"os"

	"golang.org/x/term"
)

// An output remembers that it could not be written to. The rest of the program need not
// look after each line: a result that nobody could read is no result.
type output struct {
	to     io.Writer
	failed error
}

func (o *output) Write(b []byte) (int, error) {
	if o.failed != nil {
		return 0, o.failed
	}
	n, err := o.to.Write(b)
	o.failed = err
	return n, err
}

// isTerminal reports whether a person sees what is written.
func isTerminal(w io.Writer) bool {
	if o, ok := w.(*output); ok {
		w = o.to
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// standardOutput is os.Stdout, or what refuses all if that was closed. The runtime puts
// the null device in the place of a closed one, open for reading too, as a shell's
// redirection does not: a key written there would be lost without a word.
func standardOutput() io.Writer {
	out, err := os.Stdout.Stat()
	if err != nil {
		return closed{}
	}
	null, err := os.Stat(os.DevNull)
	if err != nil || !os.SameFile(out, null) {
		return os.Stdout
	}
	if _, err := os.Stdout.Read(make([]byte, 1)); errors.Is(err, io.EOF) {
		return closed{}
	}
	return os.Stdout
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }
