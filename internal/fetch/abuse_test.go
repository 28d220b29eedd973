package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// both runs a request through Get and through Post.
func both(ctx context.Context, c *Client, target string) map[string]error {
	_, _, get := c.Get(ctx, target)
	_, _, post := c.Post(ctx, target, "text/plain", []byte("x"))
	return map[string]error{"Get": get, "Post": post}
}

// Hosts that are written as an address are refused before anything is dialled.
func TestAbuse_DW01_AddressInTheURL(t *testing.T) {
	t.Parallel()
	listening := newHost(t, true, answer("text/plain", "secret of the machine"))
	address, err := url.Parse(listening.URL)
	require.NoError(t, err)
	for _, h := range []string{
		"127.0.0.1", "127.8.9.10", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::]", "0.0.0.0",
		"2130706433", "0x7f000001", "0x7F.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "1.2.3.4.5", "127.0.0.1.", "256.256.256.256", "0x", "0",
		"169.254.169.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1",
		"100.64.0.1", "100.127.255.255", "0.1.2.3", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
		"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]", "[fd12:3456::1]", "[ff02::1]", "[fec0::1]", "[64:ff9b::a00:1]", "[64:ff9b:1::1]", "[100::1]",
		"[2001::1]", "[2001:db8::1]", "[2002:a00:1::1]", "[3fff::1]", "[::ffff:93.184.216.34]", "[5f00::1]",
	} {
		t.Run(h, func(t *testing.T) {
			t.Parallel()
			var dials, asked atomic.Int32
			c := &Client{dialled: func(string) { dials.Add(1) }, resolver: nameServer(&asked, "127.0.0.1")}
			t.Cleanup(c.Close)
			for call, err := range both(t.Context(), c, "https://"+h+":"+address.Port()+"/") {
				require.ErrorIs(t, err, ErrForbiddenAddress, call)
			}
			require.Zero(t, dials.Load(), "addresses dialled")
			require.Zero(t, asked.Load(), "names asked")
		})
	}
	t.Cleanup(func() { require.Zero(t, listening.connections.Load()) })
}

// Names are looked up, and what they lead to is judged when it is dialled.
func TestAbuse_DW01_NameThatLeadsToAnAddress(t *testing.T) {
	t.Parallel()
	listening := newHost(t, true, answer("text/plain", "secret of the machine"))
	address, err := url.Parse(listening.URL)
	require.NoError(t, err)
	for _, a := range []string{
		"127.0.0.1", "::1", "0.0.0.0", "::", "169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
		"224.0.0.1", "240.0.0.1", "255.255.255.255", "fe80::1", "fd00::1", "ff02::1", "64:ff9b::a00:1", "2002:7f00:1::1", "2001:db8::1",
	} {
		t.Run(a, func(t *testing.T) {
			t.Parallel()
			var dials, asked atomic.Int32
			c := &Client{dialled: func(string) { dials.Add(1) }, resolver: nameServer(&asked, a)}
			t.Cleanup(c.Close)
			for call, err := range both(t.Context(), c, "https://meadow.example:"+address.Port()+"/") {
				require.ErrorIs(t, err, ErrForbiddenAddress, call)
			}
			require.Positive(t, asked.Load())
			require.Zero(t, dials.Load(), "addresses dialled")
		})
	}
	t.Run("several private addresses", func(t *testing.T) {
		t.Parallel()
		var dials, asked atomic.Int32
		c := &Client{dialled: func(string) { dials.Add(1) }, resolver: nameServer(&asked, "10.0.0.1", "127.0.0.1", "::1", "fd00::1")}
		_, _, err := c.Get(t.Context(), "https://meadow.example:"+address.Port()+"/")
		require.ErrorIs(t, err, ErrForbiddenAddress)
		require.Zero(t, dials.Load())
	})
	t.Run("localhost", func(t *testing.T) {
		t.Parallel()
		var dials atomic.Int32
		c := &Client{dialled: func(string) { dials.Add(1) }}
		_, _, err := c.Get(t.Context(), "https://localhost:"+address.Port()+"/")
		require.ErrorIs(t, err, ErrForbiddenAddress)
		require.Zero(t, dials.Load())
	})
	t.Cleanup(func() { require.Zero(t, listening.connections.Load()) })
}

// The loopback exception opens loopback and nothing else.
func TestAbuse_DW01_LoopbackExceptionIsNarrow(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		for _, a := range []string{"10.0.0.1", "169.254.169.254", "100.64.0.1", "192.168.1.1", "0.0.0.0", "::", "fe80::1", "fd00::1"} {
			t.Run(scheme+" "+a, func(t *testing.T) {
				t.Parallel()
				var dials, asked atomic.Int32
				c := &Client{AllowLoopback: true, dialled: func(string) { dials.Add(1) }, resolver: nameServer(&asked, a)}
				for _, h := range []string{"meadow.example", net.JoinHostPort(a, "80")} {
					_, _, err := c.Get(t.Context(), scheme+"://"+h+"/")
					require.ErrorIs(t, err, ErrForbiddenAddress)
				}
				require.Zero(t, dials.Load())
			})
		}
	}
	t.Run("plain http to a name with a public address", func(t *testing.T) {
		t.Parallel()
		var dials, asked atomic.Int32
		c := &Client{AllowLoopback: true, dialled: func(string) { dials.Add(1) }, resolver: nameServer(&asked, "93.184.216.34", "2606:2800:21f:cb07::1")}
		_, _, err := c.Get(t.Context(), "http://meadow.example/")
		require.ErrorIs(t, err, ErrForbiddenAddress)
		require.Zero(t, dials.Load())
	})
	t.Run("a name with a loopback address", func(t *testing.T) {
		t.Parallel()
		s := newHost(t, false, answer("text/plain", "x"))
		u, err := url.Parse(s.URL)
		require.NoError(t, err)
		var asked atomic.Int32
		c := newClient(t, s)
		c.resolver = nameServer(&asked, "127.0.0.1")
		_, _, err = c.Get(t.Context(), "http://meadow.example:"+u.Port()+"/")
		require.NoError(t, err)
	})
}

func TestRules_PublicAddresses(t *testing.T) {
	t.Parallel()
	strict := rules{public: true}
	for _, a := range []string{
		"1.1.1.1", "93.184.216.34", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
		"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "169.253.255.255",
		"2606:2800:21f:cb07::1", "2001:200::1", "2001:4860:4860::8888", "2a00:1450::1", "3ffe::1",
	} {
		require.True(t, strict.allow(netip.MustParseAddr(a)), a)
		require.False(t, rules{loopback: true}.allow(netip.MustParseAddr(a)), a)
	}
	for _, a := range []string{"", "meadow.example:443", "1.1.1.1", "[1.1.1.1]"} {
		require.ErrorIs(t, strict.control(t.Context(), "tcp", a, nil), ErrForbiddenAddress, a)
	}
	require.ErrorIs(t, strict.control(t.Context(), "tcp6", "[2606:2800::1%eth0]:443", nil), ErrForbiddenAddress)
	require.NoError(t, strict.control(t.Context(), "tcp4", "1.1.1.1:443", nil))
}

func TestAbuse_DW03_Redirects(t *testing.T) {
	t.Parallel()
	other := newHost(t, true, answer("text/plain", "other"))
	plain := newHost(t, false, answer("text/plain", "plain"))
	for name, to := range map[string]string{
		"another port":           other.URL + "/",
		"plain http":             plain.URL + "/",
		"another host":           "https://meadow.example/",
		"no scheme":              "//meadow.example/",
		"another loopback":       "https://127.0.0.2/",
		"private address":        "https://10.0.0.1/",
		"link-local address":     "http://169.254.169.254/latest/meta-data/",
		"v4-mapped":              "https://[::ffff:127.0.0.1]/",
		"file":                   "file:///etc/passwd",
		"javascript":             "javascript:alert(1)",
		"data":                   "data:text/plain,x",
		"user information":       "https://user:pw@HOST/",
		"same host as user name": "https://HOST@meadow.example/",
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(name+" "+strconv.Itoa(status), func(t *testing.T) {
				t.Parallel()
				s := newHost(t, true, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Location", strings.ReplaceAll(to, "HOST", r.Host))
					w.WriteHeader(status)
				})
				c := newClient(t, s)
				var dials atomic.Int32
				c.dialled = func(string) { dials.Add(1) }
				for call, err := range both(t.Context(), c, s.URL) {
					require.ErrorIs(t, err, ErrRedirect, call)
				}
				require.LessOrEqual(t, dials.Load(), int32(2), "only the first host is dialled")
			})
		}
	}
	t.Cleanup(func() {
		require.Zero(t, other.connections.Load())
		require.Zero(t, plain.connections.Load())
	})
}

func TestAbuse_DW03_RedirectChains(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	s := newHost(t, true, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		left, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if left > 0 {
			http.Redirect(w, r, fmt.Sprintf("/%d", left-1), http.StatusFound)
			return
		}
		answer("text/plain", "arrived")(w, r)
	})
	c := newClient(t, s)
	for _, n := range []int{0, 1, 3} {
		body, _, err := c.Get(t.Context(), fmt.Sprintf("%s/%d", s.URL, n))
		require.NoError(t, err)
		require.Equal(t, "arrived", string(body))
	}
	for _, n := range []int{4, 11, 1000} {
		requests.Store(0)
		_, _, err := c.Get(t.Context(), fmt.Sprintf("%s/%d", s.URL, n))
		require.ErrorIs(t, err, ErrRedirect)
		require.EqualValues(t, 4, requests.Load())
	}
	requests.Store(0)
	_, _, err := c.Post(t.Context(), s.URL+"/1", "text/plain", []byte("sealed"))
	require.ErrorIs(t, err, ErrRedirect, "what was posted is not sent again")
	require.EqualValues(t, 1, requests.Load())
}

func TestAbuse_DW05_LargeAnswers(t *testing.T) {
	t.Parallel()
	chunk := bytes.Repeat([]byte("a"), 64<<10)
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for range 100 << 20 / len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"100 MB in chunks": endless,
		"100 MB announced": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(100<<20))
			endless(w, r)
		},
		"one byte over":            func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, DefaultMaxBytes+1)) },
		"one byte over, announced": sized(DefaultMaxBytes + 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newHost(t, true, h)
			c := newClient(t, s)
			for call, err := range both(t.Context(), c, s.URL) {
				require.ErrorIs(t, err, ErrTooLarge, call)
			}
		})
	}
	t.Run("at the limit", func(t *testing.T) {
		t.Parallel()
		s := newHost(t, true, sized(DefaultMaxBytes))
		body, _, err := newClient(t, s).Get(t.Context(), s.URL)
		require.NoError(t, err)
		require.Len(t, body, DefaultMaxBytes)
	})
	t.Run("own limit", func(t *testing.T) {
		t.Parallel()
		s := newHost(t, true, sized(11))
		c := newClient(t, s)
		c.MaxBytes = 10
		_, _, err := c.Get(t.Context(), s.URL)
		require.ErrorIs(t, err, ErrTooLarge)
	})
}

func sized(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(n))
		_, _ = w.Write(make([]byte, n))
	}
}

func TestAbuse_DW05_GzipBomb(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, err := z.Write(make([]byte, 100<<20))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.Less(t, bomb.Len(), DefaultMaxBytes)
	s := newHost(t, true, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	for call, err := range both(t.Context(), newClient(t, s), s.URL) {
		require.ErrorIs(t, err, ErrContentType, call)
		require.ErrorIs(t, err, ErrCompressed, call)
	}
}

func TestAbuse_DW05_SlowAnswers(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"one byte at a time": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "a")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		},
		"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"header and no body": func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newHost(t, true, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				h(w, r)
			})
			c := newClient(t, s)
			c.Timeout = 100 * time.Millisecond
			for call, err := range both(t.Context(), c, s.URL) {
				require.ErrorIs(t, err, ErrUnavailable, call)
				require.ErrorIs(t, err, context.DeadlineExceeded, call)
			}
		})
	}
}

func TestAbuse_DW05_ContentType(t *testing.T) {
	t.Parallel()
	for name, contentType := range map[string]string{
		"HTML":           "text/html; charset=utf-8",
		"plain":          "text/plain",
		"none":           "",
		"malformed":      "application/json;;;=",
		"two":            "application/json, text/html",
		"longer":         "application/jsonp",
		"with a subtype": "application/did+json",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newHost(t, true, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{contentType}
				_, _ = io.WriteString(w, "{}")
			})
			body, _, err := newClient(t, s).Get(t.Context(), s.URL, "application/json")
			require.ErrorIs(t, err, ErrContentType)
			require.Nil(t, body)
		})
	}
}
