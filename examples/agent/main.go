// Agent is the reference agent: one program that plays an employer, a member of
// staff, a host organisation and the authority that keeps the register of
// organisations, each with a wallet, keys and a port of its own, talking to each other
// over HTTP on this machine only.
//
//	agent demo                        the four roles with their pages
//	agent demo -auto                  the whole line without a person
//	agent demo -print-record          a staff record to start from
//	agent mediator                    keeps messages for a wallet without an address
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

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/wallet"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailed  = 1 // the line, or a refusal that must happen, did not hold
	exitInvalid = 2 // wrong usage, or a record or photo that cannot be issued
)

const usage = `usage: agent demo [-auto] [-base-port N] [-data DIR] [-record FILE] [-photo FILE] [-chaos LIST] [-mediator LINK]
                  [-didcomm 1|2]
       agent demo -print-record
       agent mediator [-port N] [-data DIR] [-chaos LIST] [-didcomm 1|2]

  -auto          walk the whole line without a person and end with one line of JSON
  -base-port N   employer on N, staff on N+1, host on N+2, authority on N+3 (default 8401;
                 0 picks free ports)
  -data DIR      keep the wallets in DIR; the passphrase is asked for, or read from
                 STAFFPASSPORT_PASSPHRASE; without -data a temporary folder is used.
                 Kept wallets stay at the ports they were made with
  -record FILE   the staff record to issue, JSON; without it an invented sample
  -photo FILE    the portrait, a JPEG of less than 500,000 bytes; on the pages, that of
                 the contact card with the record's name
  -print-record  print the sample record and stop
  -chaos LIST    be harsh to the other roles, in any of these ways, with shares of 1:
                 dup=0.05,reorder=0.05,delay=200ms,drop=0.02,unknown-fields,minor+1,seed=7
  -mediator LINK the member of staff has no address and is reached through the mediator
                 that this invitation is of; a kept wallet stays with it
  -didcomm 2     invite by DIDComm 2 instead of DIDComm 1 (Aries); an invitation of
                 either is answered, and a connection stays what it was made as
  -port N        where the mediator listens (default 8405; 0 picks a free one)

With STAFFPASSPORT_DEBUG set, what the parties do is logged: never what is said.
`

func main() { os.Exit(untilStopped(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// untilStopped runs the program until it ends by itself or is asked to, and returns
// the exit code.
func untilStopped(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	return run(ctx, args, stdin, stdout, stderr)
}

// options are what the command line says.
type options struct {
	auto        bool
	basePort    int
	anyPort     bool // the command line names no port: kept wallets say which
	dataDir     string
	recordFile  string
	photoFile   string
	printRecord bool
	chaos       chaos
	mediator    string          // the link of an invitation
	version     didcomm.Version // of the connections that are offered
}

// run is the whole program. It returns the exit code.
func run(ctx context.Context, args []string, stdin *os.File, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "mediator" {
		return runMediator(ctx, args[1:], stdin, stdout, stderr)
	}
	o, err := parseArgs(args, stderr)
	if err != nil {
		return exitInvalid
	}
	if o.printRecord {
		if err := printRecord(stdout); err != nil {
			explain(stderr, err)
			return exitFailed
		}
		return exitOK
	}
	in, err := readStaffFiles(o.recordFile, o.photoFile)
	if err != nil {
		explain(stderr, err)
		return exitInvalid
	}
	d := &demo{options: o, record: in, out: stdout, log: stderr, debug: os.Getenv("STAFFPASSPORT_DEBUG") != ""}
	d.passphrase, err = readPassphrase(ctx, o.dataDir, stdin, stderr)
	switch {
	case ctx.Err() != nil: // asked in vain
	case err != nil:
		explain(stderr, err)
		return exitInvalid
	default:
		err = d.run(ctx)
	}
	switch {
	case err == nil:
		return exitOK
	case !o.auto && ctx.Err() != nil: // the person stopped the program
		return exitOK
	}
	explain(stderr, err)
	return exitFailed
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
	fs.StringVar(&o.mediator, "mediator", "", "")
	network := networkFlags(fs)
	if len(args) == 0 || args[0] != "demo" {
		fs.Usage()
		return o, flag.ErrHelp
	}
	if err := fs.Parse(args[1:]); err != nil {
		return o, err
	}
	wrong := ""
	switch {
	case fs.NArg() > 0:
		wrong = fmt.Sprintf("unexpected argument %q", fs.Arg(0))
	case o.basePort < 0 || o.basePort > maxBasePort:
		wrong = fmt.Sprintf("-base-port has to be from 0 to %d", maxBasePort)
	}
	var err error
	if o.chaos, o.version, err = network(); err != nil && wrong == "" {
		wrong = err.Error()
	}
	if err := nothingSaid(fs); err != nil && wrong == "" {
		wrong = err.Error()
	}
	if wrong != "" {
		fmt.Fprintln(stderr, "agent:", wrong)
		fs.Usage()
		return o, flag.ErrHelp
	}
	o.anyPort = true
	fs.Visit(func(f *flag.Flag) {
		if f.Name == "base-port" && o.basePort != 0 {
			o.anyPort = false
		}
	})
	return o, nil
}

// nothingSaid returns an error for a flag that is given with nothing, as by a script
// whose variable is empty: what it was meant to say is not left out unnoticed.
func nothingSaid(fs *flag.FlagSet) (err error) {
	fs.Visit(func(f *flag.Flag) {
		if f.Value.String() == "" {
			err = fmt.Errorf("-%s says nothing", f.Name)
		}
	})
	return err
}

// networkFlags adds the flags that say how messages are sent, and returns a function
// that reads them once the command line is parsed.
func networkFlags(fs *flag.FlagSet) func() (chaos, didcomm.Version, error) {
	harsh := fs.String("chaos", "", "")
	version := fs.Int("didcomm", int(didcomm.V1), "")
	return func() (chaos, didcomm.Version, error) {
		v := didcomm.Version(*version)
		if v != didcomm.V1 && v != didcomm.V2 {
			return chaos{}, 0, errors.New("-didcomm has to be 1 or 2")
		}
		c, err := parseChaos(*harsh)
		return c, v, err
	}
}

// maxBasePort leaves room for the three ports above it.
const maxBasePort = 65532

// readPassphrase returns the passphrase of kept wallets, from the environment, the
// terminal or whatever else the standard input is. Wallets in a temporary folder
// get a random key that nobody learns, and no passphrase.
func readPassphrase(ctx context.Context, dataDir string, stdin *os.File, prompt io.Writer) (wallet.Passphrase, error) {
	if dataDir == "" {
		return "", nil
	}
	line := os.Getenv("STAFFPASSPORT_PASSPHRASE")
	if line == "" {
		fmt.Fprintf(prompt, "Passphrase of the wallets in %s: ", dataDir)
		var err error
		if line, err = readLine(ctx, stdin); err != nil {
			fmt.Fprintln(prompt)
			return "", err
		}
		if term.IsTerminal(int(stdin.Fd())) {
			fmt.Fprintln(prompt) // the person's own line end was not shown
		}
	}
	if len(line) < minPassphrase {
		return "", fmt.Errorf("the passphrase has to have at least %d characters", minPassphrase)
	}
	return wallet.Passphrase(line), nil
}

const minPassphrase = 8

// readLine reads one line, which a terminal does not show. It does not outlast ctx;
// what still reads then ends with the program.
func readLine(ctx context.Context, stdin *os.File) (string, error) {
	type answer struct {
		line []byte
		err  error
	}
	fd, answers := int(stdin.Fd()), make(chan answer, 1)
	before, err := term.GetState(fd)
	terminal := err == nil
	go func() {
		var a answer
		if terminal {
			a.line, a.err = term.ReadPassword(fd)
		} else {
			sc := bufio.NewScanner(stdin)
			sc.Scan()
			a.line, a.err = sc.Bytes(), sc.Err()
		}
		answers <- a
	}()
	select {
	case a := <-answers:
		return string(a.line), a.err
	case <-ctx.Done():
		if terminal {
			return "", errors.Join(ctx.Err(), term.Restore(fd, before))
		}
		return "", ctx.Err()
	}
}
