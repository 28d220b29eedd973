package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/wallet"
)

// A mediatorCommand is one call of "agent mediator".
type mediatorCommand struct {
	port    int
	anyPort bool
	dataDir string
	chaos   chaos
	version didcomm.Version
}

// runMediator is the whole command. It returns the exit code.
func runMediator(ctx context.Context, args []string, stdin *os.File, stdout, stderr io.Writer) int {
	var o mediatorCommand
	fs := flag.NewFlagSet("agent mediator", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage) }
	fs.IntVar(&o.port, "port", 8405, "")
	fs.StringVar(&o.dataDir, "data", "", "")
	network := networkFlags(fs)
	if fs.Parse(args) != nil {
		return exitInvalid
	}
	if fs.NArg() > 0 || o.port < 0 || o.port > maxBasePort+3 {
		fmt.Fprintln(stderr, "agent: unexpected argument, or -port out of range")
		fs.Usage()
		return exitInvalid
	}
	var err error
	if o.chaos, o.version, err = network(); err == nil {
		err = nothingSaid(fs)
	}
	if err != nil {
		fmt.Fprintln(stderr, "agent:", err)
		fs.Usage()
		return exitInvalid
	}
	o.anyPort = true
	fs.Visit(func(f *flag.Flag) { o.anyPort = o.anyPort && (f.Name != "port" || o.port == 0) })
	passphrase, err := readPassphrase(ctx, o.dataDir, stdin, stderr)
	if err != nil {
		if ctx.Err() == nil {
			explain(stderr, err)
			return exitInvalid
		}
		return exitOK
	}
	if err := o.run(ctx, passphrase, stdout, stderr); err != nil && ctx.Err() == nil {
		explain(stderr, err)
		return exitFailed
	}
	return exitOK
}

// run opens the mediator and waits until ctx ends.
func (o mediatorCommand) run(ctx context.Context, passphrase wallet.Passphrase, stdout, stderr io.Writer) error {
	var unlocker wallet.Unlocker = passphrase
	if o.dataDir == "" {
		dir, err := os.MkdirTemp("", "staffpassport-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dataDir, unlocker = dir, newThrowawayKey()
	}
	level := slog.LevelError
	if os.Getenv("STAFFPASSPORT_DEBUG") != "" {
		level = slog.LevelDebug
	}
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	m, err := openMediator(running, partyConfig{
		role: "mediator", label: "Mediator for wallets", dir: o.dataDir, unlocker: unlocker, port: o.port, anyPort: o.anyPort, portFlag: "-port",
		log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})), now: clockOr(nil), fail: fail,
		chaos: o.chaos, version: o.version,
	})
	if err != nil {
		return err
	}
	defer m.close()
	m.start(running)
	fmt.Fprintf(stdout, "A mediator is running on this machine only. Its page, whose link works once:\n  %s\n", m.site.link(m.base()))
	fmt.Fprintf(stdout, "The invitation for wallets, for agent demo -mediator:\n  %s\nStop with Ctrl-C.\n", m.link)
	<-running.Done()
	return context.Cause(running)
}
