package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A redirect to a host that is the first one in small letters by Unicode, and another
// one by IDNA: victim with U+0130 is xn--vctim-..., and K may be the Kelvin sign.
func TestAbuse_DW03_RedirectToALookalike(t *testing.T) {
	t.Parallel()
	for name, to := range map[string]string{
		"dotted capital I": "v\u0130ctim-k.example", "escaped": "v%C4%B0ctim-k.example", "Kelvin": "victim-\u212A.example", "long s": "victim-k.example\u017F",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			var port string
			s := newHost(t, false, func(w http.ResponseWriter, _ *http.Request) {
				if requests.Add(1) == 1 {
					w.Header()["Location"] = []string{"http://" + to + ":" + port + "/x"}
					w.WriteHeader(http.StatusFound)
					return
				}
				answer("text/plain", "reached")(w, nil)
			})
			u, err := url.Parse(s.URL)
			require.NoError(t, err)
			port = u.Port()
			var asked atomic.Int32
			c := newClient(t, s)
			c.resolver = nameServer(&asked, "127.0.0.1")
			body, _, err := c.Get(t.Context(), "http://victim-k.example:"+port+"/")
			require.ErrorIs(t, err, ErrRedirect)
			require.Nil(t, body)
			require.EqualValues(t, 1, requests.Load())
		})
	}
}

// What is not ASCII is converted by whoever has it: this package does not guess.
func TestURL_HostOutsideASCII(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"b\u00fccher.example", "v\u0130ctim.example", "b%C3%BCcher.example", "\u212Aey.example", "a\u3002example", "\uff11\uff12\uff17.1"} {
		var dials, asked atomic.Int32
		c := &Client{dialled: func(string) { dials.Add(1) }, resolver: nameServer(&asked, "93.184.216.34")}
		for call, err := range both(t.Context(), c, "https://"+host+"/") {
			require.ErrorIs(t, err, ErrURL, "%s %s", call, host)
		}
		require.Zero(t, asked.Load())
		require.Zero(t, dials.Load())
	}
}

// An error tells the kind of failure, and nothing that the other side wrote or that
// the network around this machine is called.
func TestFailure_TellsNothing(t *testing.T) {
	t.Parallel()
	const canary = "CANARY"
	raw := func(text string) *host {
		return newHost(t, false, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, text)
				_ = conn.Close()
			}
		})
	}
	for name, s := range map[string]*host{
		"Location":         raw("HTTP/1.1 302 Found\r\nLocation: http://%zz/?token=CANARY\r\nContent-Length: 0\r\n\r\n"),
		"terminal":         raw("HTTP/1.1 302 Found\r\nLocation: http://%zz/\x1b[31mCANARY\r\nContent-Length: 0\r\n\r\n"),
		"header":           raw("HTTP/1.1 200 OK\r\nCANARY of a name\r\n\r\n"),
		"long header":      raw("HTTP/1.1 200 OK\r\n" + strings.Repeat(canary, 5000) + "\r\n\r\n"),
		"encoding":         raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: CANARY\r\n\r\n"),
		"length":           raw("HTTP/1.1 200 OK\r\nContent-Length: CANARY\r\n\r\n"),
		"status":           raw("HTTP/1.1 CANARY\r\n\r\n"),
		"version":          raw("CANARY/1.1 200 OK\r\n\r\n"),
		"no HTTP":          raw("220 CANARY ESMTP\r\n"),
		"chunk":            raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nCANARY\r\n"),
		"trailer":          raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nCANARY\r\n\r\n"),
		"nothing":          raw(""),
		"end of the body":  raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nCANARY"),
		"other's redirect": raw("HTTP/1.1 302 Found\r\nLocation: http://canary.example/\r\nContent-Length: 0\r\n\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for call, err := range both(t.Context(), newClient(t, s), s.URL+"/?token="+canary) {
				require.Error(t, err, call)
				quiet(t, err, canary, "127.0.0.1", s.URL[strings.LastIndexByte(s.URL, ':'):])
			}
		})
	}
	t.Run("certificate for another name", func(t *testing.T) {
		t.Parallel()
		s := newHost(t, true, answer("text/plain", "x"))
		u, err := url.Parse(s.URL)
		require.NoError(t, err)
		var asked atomic.Int32
		c := newClient(t, s)
		c.resolver = nameServer(&asked, "127.0.0.1")
		_, _, err = c.Get(t.Context(), "https://canary.test:"+u.Port()+"/")
		require.EqualError(t, err, "fetch: no answer: TLS failed")
		quiet(t, err, canary)
	})
	t.Run("unknown name", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int32
		_, _, err := (&Client{resolver: nameServer(&asked)}).Get(t.Context(), "https://canary.test/")
		require.EqualError(t, err, "fetch: no answer: there is no such name")
	})
	t.Run("no name server", func(t *testing.T) {
		t.Parallel()
		c := &Client{resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("no way to CANARY")
		}}}
		_, _, err := c.Get(t.Context(), "https://canary.test/")
		require.EqualError(t, err, "fetch: no answer: the name could not be looked up")
	})
	t.Run("closed port", func(t *testing.T) {
		t.Parallel()
		s := newHost(t, false, answer("text/plain", ""))
		s.Close()
		_, _, err := newClient(t, s).Get(t.Context(), s.URL)
		require.EqualError(t, err, "fetch: no answer: the connection failed")
	})
}

// quiet requires that neither the text of an error nor of anything in its chain has
// the words, in capitals or not.
func quiet(t *testing.T, err error, words ...string) {
	t.Helper()
	require.Less(t, len(err.Error()), 120)
	var walk func(err error)
	walk = func(err error) {
		for _, word := range words {
			require.NotContains(t, strings.ToUpper(err.Error()), strings.ToUpper(word))
		}
		switch err := err.(type) {
		case interface{ Unwrap() error }:
			if below := err.Unwrap(); below != nil {
				walk(below)
			}
		case interface{ Unwrap() []error }:
			for _, below := range err.Unwrap() {
				walk(below)
			}
		}
	}
	walk(err)
	var foreign *url.Error
	require.False(t, errors.As(err, &foreign))
	var network *net.OpError
	require.False(t, errors.As(err, &network))
}

func TestFailure_Chain(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want []error
		not  []error
	}{
		"caller gave up":         {over, io.EOF, []error{ErrUnavailable, context.Canceled}, []error{io.EOF, context.DeadlineExceeded}},
		"time over while asking": {t.Context(), &net.OpError{Op: "dial", Err: context.DeadlineExceeded}, []error{ErrUnavailable, context.DeadlineExceeded}, []error{context.Canceled}},
		"timeout of the system":  {t.Context(), &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ETIMEDOUT)}, []error{ErrUnavailable}, []error{context.DeadlineExceeded, syscall.ETIMEDOUT}},
		"forbidden":              {over, fmt.Errorf("dial: %w", ErrForbiddenAddress), []error{ErrForbiddenAddress}, []error{ErrUnavailable, context.Canceled}},
		"redirect":               {t.Context(), &url.Error{Op: "Get", URL: "x", Err: ErrRedirect}, []error{ErrRedirect}, []error{ErrUnavailable}},
		"something":              {t.Context(), io.ErrUnexpectedEOF, []error{ErrUnavailable}, []error{io.ErrUnexpectedEOF}},
	} {
		got := failure(c.ctx, c.err)
		for _, want := range c.want {
			require.ErrorIs(t, got, want, name)
		}
		for _, not := range c.not {
			require.NotErrorIs(t, got, not, name)
		}
	}
}
