package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// answered is what comes over a channel on which a party sends some envelopes, as it
// comes, and the errors that the party sees. A WebSocket lasts, a response does not.
func answered(t *testing.T, c chaos, lasting bool, send ...string) (came []string, errs []error, broken bool) {
	t.Helper()
	config := runtime.Config{Sender: new(line)}
	s := c.harsh("staff", &config)
	defer s.end()
	var l line
	socket := func(ctx context.Context, envelope []byte) error {
		if ctx.Err() != nil {
			broken = true
			return ctx.Err()
		}
		return l.Send(ctx, "", envelope)
	}
	say := func(reply replier) {
		for _, e := range send {
			var envelope []byte
			if e != "" {
				envelope = []byte(e)
			}
			errs = append(errs, reply(t.Context(), envelope))
		}
	}
	if !lasting {
		f := s.receiveOn(func(_ context.Context, _ []byte, reply replier) error { say(reply); return nil })
		require.NoError(t, f(t.Context(), []byte("question"), socket))
	} else {
		_, closed := s.open(func(reply replier) (receiver, func()) { say(reply); return nil, func() {} })(socket)
		time.Sleep(time.Second)
		closed()
	}
	return l.all(), errs, broken
}

// What is answered on the channel that a question came on is met by the same weather.
func TestHarshAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, lasting := range []bool{false, true} {
			came, errs, _ := answered(t, chaos{dup: 1}, lasting, "a", "", "b")
			require.Equal(t, []string{"a", "a", "", "b", "b"}, came, "nothing at all is no envelope")
			require.Equal(t, []error{nil, nil, nil}, errs)

			came, errs, broken := answered(t, chaos{drop: 0.5, seed: 1}, lasting, slices.Repeat([]string{"a"}, 200)...)
			lost := len(slices.DeleteFunc(errs, func(err error) bool { return err == nil }))
			require.InDelta(t, 100, lost, 30)
			require.InDelta(t, 150, len(came), 30, "half of what seemed lost arrived")
			require.Equal(t, lasting, broken, "a WebSocket that loses something is over")

			began := time.Now()
			answered(t, chaos{delay: time.Second}, lasting, slices.Repeat([]string{"a"}, 100)...)
			require.InDelta(t, 50*time.Second, time.Since(began), float64(20*time.Second))
		}
		came, _, _ := answered(t, chaos{reorder: 0.5, seed: 1}, true, "a", "b", "c", "d", "e")
		require.ElementsMatch(t, []string{"a", "b", "c", "d", "e"}, came)
		require.False(t, slices.IsSorted(came), "%s", came)
		came, _, _ = answered(t, chaos{reorder: 1}, false, "a")
		require.Equal(t, []string{"a"}, came, "a response has one answer")
	})
}

// A kind party's answers do not pass through anything.
func TestHarshAnswers_Kind(t *testing.T) {
	t.Parallel()
	var none *harshSender
	require.Nil(t, none.receiveOn(nil))
	require.Nil(t, none.open(nil))
	none.end()
}

// The whole line behind a mediator that is harsh on its WebSocket, as the command line
// asks for it, in both versions.
func TestMediator_Harsh(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1", "2"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			link := mediatorCommanded(t, "-didcomm", version, "-chaos", "dup=0.2,reorder=0.1,delay=20ms,drop=0.05,unknown-fields,minor+1,seed=2")
			code, stdout, stderr := command(t, "demo", "-auto", "-base-port", "0", "-mediator", link, "-didcomm", version)
			requireWalked(t, code, stdout, stderr)
		})
	}
}

// mediatorCommanded runs the command for the length of a test and returns its invitation.
func mediatorCommanded(t *testing.T, args ...string) (link string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"mediator", "-port", "0"}, args...), os.Stdin, in, t.Output())
		_ = in.Close()
	}()
	t.Cleanup(func() {
		stop()
		require.Equal(t, exitOK, <-ended)
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if text := strings.TrimSpace(lines.Text()); strings.Contains(text, "/i/") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return text
		}
	}
	t.Fatal("no invitation")
	return ""
}
