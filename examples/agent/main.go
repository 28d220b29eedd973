// Agent is the reference agent: one program that plays an employer, a member of
// staff and a host organisation, each with a wallet, keys and a port of its own,
// talking to each other over HTTP on this machine only.
//
//	agent demo                        the three roles with their pages
//	agent demo -auto                  the whole line without a person
//	agent demo -print-record          a staff record to start from
//
// It is an example of the library, not a service.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/staffpassport/staffpassport/wallet"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailed  = 1 // the line, or a refusal that must happen, did not hold
	exitInvalid = 2 // wrong usage, or a record or photo that cannot be issued
)

const usage = `usage: agent demo [-auto] [-base-port N] [-data DIR] [-record FILE] [-photo FILE]
       agent demo -print-record

  -auto          walk the whole line without a person and end with one line of JSON
  -base-port N   employer on N, staff on N+1, host on N+2 (default 8401; 0 picks free ports)
  -data DIR      keep the wallets in DIR; the passphrase is asked for, or read from
                 STAFFPASSPORT_PASSPHRASE; without -data a temporary folder is used
  -record FILE   the staff record to issue, JSON; without it an invented sample
  -photo FILE    the portrait, a JPEG of at most 500,000 bytes
  -print-record  print the sample record and stop
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are what the command line says.
type options struct {
	auto        bool
	basePort    int
	dataDir     string
	recordFile  string
	photoFile   string
	printRecord bool
}

func run(ctx context.Context, args []string, stdin *os.File, stdout, stderr io.Writer) int {
	o, err := parseArgs(args, stderr)
	if err != nil {
		return exitInvalid
	}
	if o.printRecord {
		if err := printRecord(stdout); err != nil {
			fmt.Fprintln(stderr, "agent:", err)
			return exitFailed
		}
		return exitOK
	}
	in, err := readStaffFiles(o.recordFile, o.photoFile)
	if err != nil {
		explain(stderr, err)
		return exitInvalid
	}
	d := &demo{options: o, record: in, out: stdout, log: stderr}
	if d.passphrase, err = passphrase(o.dataDir, stdin, stderr); err != nil {
		fmt.Fprintln(stderr, "agent:", err)
		return exitInvalid
	}
	if err := d.run(ctx); err != nil {
		if errors.Is(err, context.Canceled) && !o.auto {
			return exitOK
		}
		explain(stderr, err)
		return exitFailed
	}
	return exitOK
}

func parseArgs(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("agent demo", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage) }
	fs.BoolVar(&o.auto, "auto", false, "")
	fs.IntVar(&o.basePort, "base-port", 8401, "")
	fs.StringVar(&o.dataDir, "data", "", "")
	fs.StringVar(&o.recordFile, "record", "", "")
	fs.StringVar(&o.photoFile, "photo", "", "")
	fs.BoolVar(&o.printRecord, "print-record", false, "")
	if len(args) == 0 || args[0] != "demo" {
		fs.Usage()
		return o, flag.ErrHelp
	}
	if err := fs.Parse(args[1:]); err != nil {
		return o, err
	}
	if fs.NArg() > 0 || o.basePort < 0 || o.basePort > 65533 {
		fs.Usage()
		return o, flag.ErrHelp
	}
	return o, nil
}

// passphrase returns the passphrase of kept wallets. Wallets in a temporary
// folder get a random key that nobody learns.
func passphrase(dataDir string, stdin *os.File, prompt io.Writer) (wallet.Passphrase, error) {
	if dataDir == "" {
		return "", nil
	}
	if p := os.Getenv("STAFFPASSPORT_PASSPHRASE"); p != "" {
		return wallet.Passphrase(p), nil
	}
	fmt.Fprint(prompt, "Passphrase of the wallets in "+dataDir+": ")
	var line string
	if term.IsTerminal(int(stdin.Fd())) {
		b, err := term.ReadPassword(int(stdin.Fd()))
		fmt.Fprintln(prompt)
		if err != nil {
			return "", err
		}
		line = string(b)
	} else {
		sc := bufio.NewScanner(stdin)
		sc.Scan()
		line = sc.Text()
	}
	if len(line) < minPassphrase {
		return "", fmt.Errorf("the passphrase has to have at least %d characters (or set STAFFPASSPORT_PASSPHRASE)", minPassphrase)
	}
	return wallet.Passphrase(line), nil
}

const minPassphrase = 8
