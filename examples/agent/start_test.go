package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/wallet"
)

// occupied takes a port for the length of the test.
func occupied(t *testing.T, port int) int {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// requireNotBegun says that -auto failed before its first step, with a sentence.
func requireNotBegun(t *testing.T, code int, stdout, stderr string, sentence ...string) {
	t.Helper()
	require.Equal(t, exitFailed, code, stderr)
	require.Equal(t, 1, strings.Count(stdout, "\n"), stdout)
	o := lastLine(t, stdout)
	require.False(t, o.OK || o.Connected || o.Issued || o.Accepted || o.Presented || o.Verified)
	require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	for _, s := range sentence {
		require.Contains(t, stderr, s)
	}
}

// What peers know of a wallet is its port: it stays, or nothing is started.
func TestKeptWalletsKeepTheirPorts(t *testing.T) {
	t.Setenv("STAFFPASSPORT_PASSPHRASE", "correct horse battery staple")
	dir, port := t.TempDir(), freePorts(t)
	again := func(args ...string) (int, string, string) {
		return command(t, append([]string{"demo", "-auto", "-data", dir}, args...)...)
	}
	code, stdout, stderr := again("-base-port", fmt.Sprint(port))
	requireWalked(t, code, stdout, stderr)

	code, stdout, stderr = again("-base-port", fmt.Sprint(freePorts(t)))
	requireNotBegun(t, code, stdout, stderr, "employer: this wallet's peers reach it at port "+fmt.Sprint(port), "leave -base-port out")

	for _, args := range [][]string{{}, {"-base-port", "0"}, {"-base-port", fmt.Sprint(port)}} {
		code, stdout, stderr = again(args...)
		requireWalked(t, code, stdout, stderr)
	}
	k := look(t, dir, wallet.Passphrase("correct horse battery staple"))
	require.Len(t, k["staff"].connections, 8)
	for _, c := range k["staff"].connections {
		require.Contains(t, []string{fmt.Sprint("http://127.0.0.1:", port, "/didcomm"), fmt.Sprint("http://127.0.0.1:", port+2, "/didcomm")}, c.Endpoint)
	}

	occupied(t, port+1)
	code, stdout, stderr = again()
	requireNotBegun(t, code, stdout, stderr, "staff: port "+fmt.Sprint(port+1)+", where this wallet's peers reach it, is not free")
}

func TestBusyPort(t *testing.T) {
	t.Parallel()
	base := freePorts(t)
	occupied(t, base+2)
	for range 2 { // nothing of the first try is left
		code, stdout, stderr := command(t, "demo", "-auto", "-base-port", fmt.Sprint(base))
		requireNotBegun(t, code, stdout, stderr, "host: port "+fmt.Sprint(base+2)+" is not free: choose others with -base-port")
	}
	code, stdout, stderr := command(t, "demo", "-base-port", fmt.Sprint(base))
	require.Equal(t, exitFailed, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "is not free")
	require.True(t, lasting(base) && lasting(base+1), "the other roles let go of their ports")
}

// A second process on the same wallets is refused, and the first goes on.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	dir, port := t.TempDir(), freePorts(t)
	args := []string{"demo", "-auto", "-data", dir, "-base-port", fmt.Sprint(port)}
	first := beginCommand(t, 3, args...)
	first.read(3)
	second := beginCommand(t, 0, "demo", "-auto", "-data", dir, "-base-port", "0")
	code := second.end()
	requireNotBegun(t, code, strings.Join(second.lines, ""), second.stderr.String(), "employer: another program uses the wallets in "+dir)
	require.NoError(t, first.cmd.Process.Kill())
	first.end()
	third := beginCommand(t, 0, args...)
	requireWalked(t, third.end(), strings.Join(third.lines, ""), third.stderr.String())
}

// typed runs the command with a standard input that says text and then no more.
func typed(t *testing.T, ctx context.Context, text string, end bool, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	in, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = in.Close(), w.Close() })
	_, err = w.WriteString(text)
	require.NoError(t, err)
	if end {
		require.NoError(t, w.Close())
	}
	var out, log strings.Builder
	code = run(ctx, args, in, &out, &log)
	return code, out.String(), log.String()
}

func TestPassphraseFromStandardInput(t *testing.T) {
	t.Setenv("STAFFPASSPORT_PASSPHRASE", "")
	dir := t.TempDir()
	args := []string{"demo", "-auto", "-base-port", "0", "-data", dir}
	prompt := "Passphrase of the wallets in " + dir + ": "
	for _, short := range []string{"", "\n", "seven77\n", "\r\n"} {
		code, stdout, stderr := typed(t, t.Context(), short, true, args...)
		require.Equal(t, exitInvalid, code)
		require.Empty(t, stdout)
		require.Equal(t, prompt+"agent: the passphrase has to have at least 8 characters\n", stderr)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
	for _, text := range []string{"correct horse\n", "correct horse\r\n", "correct horse"} {
		code, stdout, stderr := typed(t, t.Context(), text, text[len(text)-1] == 'e', args...)
		requireWalked(t, code, stdout, stderr)
		require.Equal(t, prompt, stderr)
	}
	code, stdout, stderr := typed(t, t.Context(), "incorrect horse\n", true, args...)
	requireNotBegun(t, code, stdout, strings.TrimPrefix(stderr, prompt), "the passphrase is not that of the wallets in "+dir)
	require.NotContains(t, stderr, "horse")
}

func TestShortPassphraseInEnvironment(t *testing.T) {
	t.Setenv("STAFFPASSPORT_PASSPHRASE", "seven77")
	code, stdout, stderr := command(t, "demo", "-auto", "-base-port", "0", "-data", t.TempDir())
	require.Equal(t, exitInvalid, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "at least 8 characters")
	require.NotContains(t, stderr, "seven77")
}

// Somebody who stops the program at the prompt is not kept waiting.
func TestStoppedAtThePrompt(t *testing.T) {
	t.Setenv("STAFFPASSPORT_PASSPHRASE", "")
	for args, want := range map[string]int{"": exitOK, "-auto": exitFailed} {
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		dir := filepath.Join(t.TempDir(), "wallets")
		code, stdout, _ := typed(t, ctx, "", false, append([]string{"demo", "-data", dir}, strings.Fields(args)...)...)
		require.Equal(t, want, code, args)
		require.Empty(t, stdout)
		require.NoDirExists(t, dir)
	}
}

// A signal ends the program with its wallets closed, and is no failure.
func TestSignals(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows sends no signals to other processes")
	}
	dir, port := t.TempDir(), freePorts(t)
	for _, stop := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		p := beginCommand(t, 0, "demo", "-data", dir, "-base-port", fmt.Sprint(port))
		p.read(6)
		require.Len(t, p.lines, 6, p.stderr.String())
		require.Equal(t, "Stop with Ctrl-C.\n", p.lines[5])
		for i, role := range []string{"employer", "staff", "host", "authority"} {
			require.Regexp(t, fmt.Sprintf(`^  %-9s http://127\.0\.0\.1:%d/\S+\n$`, role, port+i), p.lines[i+1])
		}
		require.NoError(t, p.cmd.Process.Signal(stop))
		require.Equal(t, exitOK, p.end(), p.stderr.String())
		require.Empty(t, p.stderr.String())
		left, err := filepath.Glob(filepath.Join(dir, "*", "wallet.db-wal"))
		require.NoError(t, err)
		require.Empty(t, left, "a closed wallet has no log")
	}
	p := beginCommand(t, 3, "demo", "-auto", "-data", t.TempDir(), "-base-port", fmt.Sprint(freePorts(t)))
	p.read(3)   // and is held there
	go func() { // the second signal, when the program knows of the first, ends it whatever it does
		for p.cmd.Process.Signal(os.Interrupt) == nil {
			time.Sleep(10 * time.Millisecond)
		}
	}()
	require.Equal(t, -1, p.end())
}

// A walk that is stopped says that it did not hold.
func TestStoppedWalk(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	var out, log strings.Builder
	lines := &lineCounter{w: &out, at: 4, then: stop}
	code := run(ctx, []string{"demo", "-auto", "-base-port", "0"}, os.Stdin, lines, &log)
	require.Equal(t, exitFailed, code)
	o := lastLine(t, out.String())
	require.True(t, o.Connected)
	require.False(t, o.OK)
	require.Contains(t, out.String(), "failed  member of staff accepts it")
	require.Contains(t, log.String(), "context canceled")
}

// When a role cannot go on the program ends: nobody would notice a dead one.
func TestRoleThatDies(t *testing.T) {
	t.Parallel()
	in, err := readStaffFiles("", "")
	require.NoError(t, err)
	var out, log strings.Builder
	d := &demo{record: in, log: &log}
	d.out = &lineCounter{w: &out, at: 6, then: func() { _ = d.host.socket.Close() }}
	err = d.run(t.Context())
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorContains(t, err, "host: server ended")
}

// What could be opened is closed again when the rest cannot be.
func TestFailedOpenLetsGo(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]struct{ role, point string }{
		"employer": {"employer", ""}, "staff": {"staff", ""}, "host": {"host", ""}, "authority": {"authority", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, base := t.TempDir(), freePorts(t)
			in, err := readStaffFiles("", "")
			require.NoError(t, err)
			d := &demo{options: options{dataDir: dir, basePort: base, auto: true}, record: in, out: new(strings.Builder), log: t.Output()}
			d.hooks.unlocker = cheapKey{}
			d.hooks.store = func(role string, s wallet.Store) wallet.Store {
				if role == broken.role {
					return &full{Store: s, after: 1} // its identity or its port cannot be kept
				}
				return s
			}
			require.ErrorIs(t, d.run(t.Context()), errFull)
			require.True(t, lasting(base) && lasting(base+1) && lasting(base+2) && lasting(base+3))
			d.hooks.store = nil
			require.NoError(t, d.run(t.Context()))
		})
	}
}

// A full store has room for so many transactions.
type full struct {
	wallet.Store
	after int
}

var errFull = errors.New("no space left on device")

func (s *full) Update(ctx context.Context, f func(wallet.StoreTx) error) error {
	if s.after--; s.after < 0 {
		return errFull
	}
	return s.Store.Update(ctx, f)
}

func TestCardOfAnIncompleteRecord(t *testing.T) {
	t.Parallel()
	file := record(t, func(d map[string]any) {
		section(d, "personal")["preferredName"] = "Not Available"
	})
	code, stdout, stderr := command(t, "demo", "-auto", "-base-port", "0", "-record", file)
	requireWalked(t, code, stdout, stderr)
	in, err := readStaffFiles(file, "")
	require.NoError(t, err)
	require.Equal(t, "Hazel", in.card.PreferredName)
}

// A photo that cannot be used is no reason to call the record wrong.
func TestPhotoAndRecordAreJudgedApart(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "photo.jpg")
	require.NoError(t, os.WriteFile(text, []byte("\xff\xd8\xff not a photo"), 0o600))
	code, _, stderr := command(t, "demo", "-auto", "-photo", text, "-record", record(t, func(map[string]any) {}))
	require.Equal(t, exitInvalid, code)
	require.NotContains(t, stderr, "record")
}
