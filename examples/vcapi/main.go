// Vcapi serves the W3C's VC API over HTTP on this machine alone, so that test suites
// of others can drive the library: issue, derive and verify credentials, verify
// presentations, read status lists, resolve DIDs.
//
//	go run ./examples/vcapi -addr 127.0.0.1:8090
//
// It prints one line of JSON with its address and the DIDs that it issues as, one for
// each kind of key, and makes new keys each time. GET /openapi.json describes it.
//
// Four things are other here than where a credential is relied on, each a policy with
// a name: the issuer need not be who has the key, any @context passes whose documents
// are known, anybody may present anything, and loopback addresses are fetched from.
// For the same reason a presentation need answer no request. What is left strict is
// everything else. It is a tool for tests, not a service.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const usage = `usage: vcapi [-addr HOST:PORT] [-now TIME]

  -addr HOST:PORT  a loopback address to listen on (default 127.0.0.1:8090); port 0 picks a free one
  -now TIME        what the time is when the server starts, as in 2023-06-01T00:00:00Z,
                   for credentials that have expired since
`

// The time that a client has for each part of an exchange. It is on this machine.
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 30 * time.Second
	answerTimeout = 60 * time.Second
	stopTimeout   = 5 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	addr, now, err := parseArgs(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	}
	l, err := listen(ctx, addr)
	switch {
	case errors.Is(err, errNotLoopback):
		fmt.Fprintln(stderr, "vcapi:", err)
		return exitUsage
	case err != nil:
		fmt.Fprintln(stderr, "vcapi:", err)
		return exitFailed
	}
	if err := serve(ctx, l, clock(now), stdout); err != nil {
		fmt.Fprintln(stderr, "vcapi:", err)
		return exitFailed
	}
	return exitOK
}

func parseArgs(args []string, stderr io.Writer) (addr string, now time.Time, err error) {
	fs := flag.NewFlagSet("vcapi", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage) }
	fs.StringVar(&addr, "addr", "127.0.0.1:8090", "")
	fs.Func("now", "", func(s string) (err error) {
		now, err = time.Parse(time.RFC3339, s)
		return err
	})
	if err := fs.Parse(args); err != nil {
		return "", time.Time{}, err
	}
	if fs.NArg() > 0 {
		fs.Usage()
		return "", time.Time{}, errors.New("arguments that are no flags")
	}
	return addr, now, nil
}

// clock returns the machine's clock or, if from is set, one that showed from when it
// was started.
func clock(from time.Time) func() time.Time {
	machine := time.Now
	if from.IsZero() {
		return machine
	}
	start := machine()
	return func() time.Time { return from.Add(machine().Sub(start)) }
}

// errNotLoopback says that the server was asked to listen where others can reach it.
var errNotLoopback = errors.New("only loopback addresses are listened on, such as 127.0.0.1:8090")

// listen opens a loopback address and no other: whoever reaches the server can issue
// with its keys.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotLoopback, err)
	}
	if host == "localhost" { // whatever the machine may take that for
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, errNotLoopback
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", net.JoinHostPort(host, port))
}

// serve answers on l until ctx ends. It prints the line that says where and as whom.
func serve(ctx context.Context, l net.Listener, now func() time.Time, stdout io.Writer) error {
	s, err := newServer("http://"+l.Addr().String(), now)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer s.close()
	line, err := json.Marshal(s.banner())
	if err != nil {
		return errors.Join(err, l.Close())
	}
	web := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout,
		WriteTimeout: answerTimeout, IdleTimeout: answerTimeout, MaxHeaderBytes: 64 << 10,
		DisableGeneralOptionsHandler: true, // which answers OPTIONS * without JSON
	}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(l) }()
	fmt.Fprintf(stdout, "%s\n", line)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := web.Shutdown(limit); err != nil {
		return errors.Join(err, web.Close())
	}
	return nil
}
