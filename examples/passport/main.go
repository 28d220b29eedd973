// Passport is the command line of staff passports and of the standards beneath them,
// for whoever has a credential at the terminal and wants to know what it is, whether it
// holds, and if not, why:
//
//	passport inspect FILE                       what is this?
//	passport verify --issuer DID FILE           may I rely on it?
//	passport key new --out employer.jwk         a key; then issue, derive, present
//
// Every command reads a file or standard input and writes standard output; --json makes
// that one JSON object. Exit codes are 0 for valid or done, 1 for not valid or refused, 2
// for wrong usage and 3 for what could not be decided.
//
// It is an example of the library, not a service: private keys are files.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Exit codes.
const (
	exitValid     = 0 // valid, or done
	exitInvalid   = 1 // not valid, or refused
	exitUsage     = 2 // the command line is wrong, or a file it names cannot be read
	exitUndecided = 3 // could not be decided, now or by this program
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, &shell{in: os.Stdin, out: standardOutput(), err: os.Stderr, clock: time.Now, getenv: os.Getenv}, os.Args[1:])
	}()
	select {
	case code := <-ended:
		os.Exit(code)
	case <-ctx.Done():
	}
	select { // what reads a terminal or a pipe does not end by itself
	case code := <-ended:
		os.Exit(code)
	case <-time.After(grace):
		fmt.Fprintln(os.Stderr, "passport: stopped")
		os.Exit(exitUndecided)
	}
}

// grace is what a command has to end after a signal.
const grace = time.Second

// A shell is what a command has from the machine it runs on.
type shell struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	clock  func() time.Time
	getenv func(string) string

	help func() // of the command that runs
	name string // of the command that runs, such as "key new"
	json bool   // --json

	hint        string // what to do if it could not be decided
	unavailable bool   // a resolver could not be asked: see watched
}

// A command is one subcommand. It returns the exit code, or an error, which is
// explained and decides the code: see [shell.explain].
type command struct {
	name    string
	summary string
	run     func(context.Context, *shell, []string) (int, error)
}

func commands() []command {
	return []command{
		{"inspect", "say what something is, who signed it, what it shows and what is wrong with it", inspectCommand},
		{"verify", "decide whether a credential or presentation may be relied on", verifyCommand},
		{"issue", "sign a staff record, or a credential document", issueCommand},
		{"derive", "show a part of a credential, without saying who shows it", deriveCommand},
		{"present", "answer a verifier: show parts, bound to the holder and the request", presentCommand},
		{"key new", "make a private key", keyNewCommand},
		{"key public", "take the public half out of a private key", keyPublicCommand},
		{"did new", "make the DID of a key", didNewCommand},
		{"did resolve", "fetch the document of a DID", didResolveCommand},
		{"status new", "make a status list", statusNewCommand},
		{"status set", "revoke or suspend: the next edition of a status list", statusSetCommand},
		{"status get", "look up an entry of a status list", statusGetCommand},
		{"trust sign", "sign the list of registered organisations", trustSignCommand},
		{"trust succeed", "sign that another authority follows", trustSucceedCommand},
		{"trust check", "ask the list whether an organisation may issue or receive", trustCheckCommand},
		{"bundle build", "fetch what a host needs to verify offline, into one signed file", bundleBuildCommand},
		{"jose issue", "sign for the test suite of VC-JOSE-COSE", joseIssueCommand},
		{"jose verify", "verify for the test suite of VC-JOSE-COSE", joseVerifyCommand},
	}
}

// run is the whole program. It returns the exit code.
func run(ctx context.Context, s *shell, args []string) int {
	out := &output{to: s.out}
	s.out = out
	code := s.command(ctx, args)
	if out.failed != nil { // whatever it was, nobody read it
		fmt.Fprintf(s.err, "passport %s: could not be written: %s\n", s.name, printable(out.failed.Error()))
		return exitUsage
	}
	return code
}

// command runs the one that args begin with.
func (s *shell) command(ctx context.Context, args []string) int {
	c, rest, ok := find(args)
	if !ok {
		if len(args) > 0 && isHelp(args[0]) {
			usage(s.out, commands())
			return exitValid
		}
		if len(args) > 0 {
			fmt.Fprintf(s.err, "passport: no command %s\n", printable(strings.Join(args[:min(2, len(args))], " ")))
		}
		usage(s.err, commands())
		return exitUsage
	}
	s.name = c.name
	code, err := c.run(ctx, s, rest)
	if err != nil {
		return s.explain(err)
	}
	return code
}

// find returns the command that args begin with, and what follows its name.
func find(args []string) (command, []string, bool) {
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.name {
			return c, args[len(words):], true
		}
	}
	return command{}, nil, false
}

func isHelp(arg string) bool {
	return arg == "help" || strings.TrimLeft(arg, "-") == "h" || strings.TrimLeft(arg, "-") == "help"
}

func usage(w io.Writer, all []command) {
	fmt.Fprint(w, "usage: passport COMMAND [flags] [FILE]\n\n")
	for _, c := range all {
		fmt.Fprintf(w, "  %-15s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\nFILE is standard input if it is left out or -. passport COMMAND -h tells the flags.\n"+
		"Exit code: 0 valid or done, 1 not valid or refused, 2 wrong usage, 3 could not be decided.\n")
}

// errUsage says that the command line is wrong. Its text is for the person.
var errUsage = errors.New("wrong usage")

func wrongUsage(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}

// flags is the flag set of a command.
func (s *shell) flags(synopsis, about string) *flag.FlagSet {
	fs := flag.NewFlagSet(s.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // what is wrong is said once, by explain
	fs.BoolVar(&s.json, "json", false, "write one JSON object")
	fs.Usage = func() {} // parse shows it to whoever asks for it, and to nobody else
	s.help = func() {
		fmt.Fprintf(s.out, "usage: passport %s %s\n\n%s\n\n", s.name, synopsis, about)
		fs.SetOutput(s.out)
		fs.PrintDefaults()
		fs.SetOutput(io.Discard)
	}
	return fs
}

// parse reads flags, before and after the other arguments, which it returns.
func (s *shell) parse(fs *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				s.help()
				return nil, err
			}
			return nil, wrongUsage("%s", err)
		}
		if fs.NArg() == 0 {
			return rest, nil
		}
		if n := len(args) - fs.NArg(); n > 0 && args[n-1] == "--" { // what follows are no flags
			return append(rest, fs.Args()...), nil
		}
		rest, args = append(rest, fs.Arg(0)), fs.Args()[1:]
	}
}

// now returns the time that a command works at: that of --now, or the machine's.
func (s *shell) now(at moment) func() time.Time {
	if time.Time(at).IsZero() {
		return s.clock
	}
	return func() time.Time { return time.Time(at) }
}
