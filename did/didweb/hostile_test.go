package didweb_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didtest"
	"github.com/staffpassport/staffpassport/did/didweb"
	"github.com/staffpassport/staffpassport/did/webclient"
)

// A host is a web server on this machine with a certificate for localhost.
type host struct {
	*httptest.Server
	connections atomic.Int32
	port        string
	id          did.DID // of the whole host
	roots       *x509.CertPool
}

func newHost(t *testing.T, handler http.HandlerFunc) *host {
	t.Helper()
	h := &host{Server: httptest.NewUnstartedServer(handler)}
	h.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			h.connections.Add(1)
		}
	}
	var certificate tls.Certificate
	certificate, h.roots = forLocalhost(t)
	h.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	h.StartTLS()
	t.Cleanup(h.Close)
	var err error
	_, h.port, err = net.SplitHostPort(h.Listener.Addr().String())
	require.NoError(t, err)
	h.id, err = didweb.New("localhost:" + h.port)
	require.NoError(t, err)
	return h
}

// forLocalhost returns a certificate for localhost and the pool that trusts it.
func forLocalhost(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// resolver reaches h, and nothing that is not on this machine.
func (h *host) resolver(t *testing.T, timeout time.Duration) didweb.Resolver {
	t.Helper()
	client := webclient.New(webclient.Options{AllowLoopback: true, RootCAs: h.roots, Timeout: timeout})
	t.Cleanup(client.Close)
	return didweb.Resolver{Client: client}
}

// answer serves one body with a media type.
func answer(mediaType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		_, _ = w.Write([]byte(body))
	}
}

// ownDocument serves the document of the DID that belongs to each path.
func ownDocument(port func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := "did:web:localhost%3A" + port()
		switch r.URL.Path {
		case "/.well-known/did.json":
		case "/ward/7/did.json":
			id += ":ward:7"
		default:
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write([]byte(`{"id":"` + id + `"}`))
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	var h *host
	h = newHost(t, func(w http.ResponseWriter, r *http.Request) { ownDocument(func() string { return h.port })(w, r) })
	ward, err := didweb.New("localhost:"+h.port, "ward", "7")
	require.NoError(t, err)
	unknown, err := didweb.New("localhost:"+h.port, "ward", "8")
	require.NoError(t, err)
	r := h.resolver(t, 0)
	didtest.Resolver(t, r, h.id, unknown)
	didtest.Resolver(t, r, ward, unknown)
	_, err = r.Resolve(t.Context(), unknown, did.Version{})
	require.ErrorIs(t, err, did.ErrNotFound)
}

// All media types that documents have, and no other.
func TestAbuse_DW05_ContentType(t *testing.T) {
	t.Parallel()
	for mediaType, want := range map[string]error{
		"application/did": nil, "application/did+json": nil, "application/did+ld+json": nil, "application/json": nil, "application/ld+json": nil, "Application/JSON; charset=UTF-8": nil,
		"text/html": webclient.ErrContentType, "text/plain": webclient.ErrContentType, "application/octet-stream": webclient.ErrContentType, "text/json": webclient.ErrContentType,
		"application/vc+jwt": webclient.ErrContentType, "image/jpeg": webclient.ErrContentType, "json": webclient.ErrContentType, "application/json, text/html": webclient.ErrContentType,
	} {
		t.Run(mediaType, func(t *testing.T) {
			t.Parallel()
			var h *host
			h = newHost(t, func(w http.ResponseWriter, r *http.Request) {
				answer(mediaType, `{"id":"did:web:localhost%3A`+h.port+`"}`)(w, r)
			})
			res, err := h.resolver(t, 0).Resolve(t.Context(), h.id, did.Version{})
			if want == nil {
				require.NoError(t, err)
				require.Equal(t, h.id, res.Document.ID())
				return
			}
			require.ErrorIs(t, err, want)
			require.ErrorIs(t, err, did.ErrUnavailable)
			require.Nil(t, res)
		})
	}
}

// Each hostile answer is an error of its own, within the limits of the client, and
// "could not tell": never "there is no such DID".
func TestAbuse_DW05_Answers(t *testing.T) {
	t.Parallel()
	const limit = 256 << 10
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	_, err := packer.Write(make([]byte, 4<<20))
	require.NoError(t, err)
	require.NoError(t, packer.Close())
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		want    error // beside did.ErrUnavailable; nil: that alone
	}{
		"100 MB": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(100<<20))
			w.WriteHeader(http.StatusOK)
		}, webclient.ErrTooLarge},
		"100 MB in pieces": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for range 100 << 20 / 4096 {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, webclient.ErrTooLarge},
		"one byte too many": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(bytes.Repeat([]byte(" "), limit+1))
		}, webclient.ErrTooLarge},
		"compressed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, webclient.ErrCompressed},
		"one byte and another": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			every := time.NewTicker(20 * time.Millisecond)
			defer every.Stop()
			for {
				select {
				case <-r.Context().Done():
					panic(http.ErrAbortHandler) // or the answer would have an end
				case <-every.C:
					_, _ = w.Write([]byte(" "))
					_ = http.NewResponseController(w).Flush()
				}
			}
		}, webclient.ErrSlow},
		"no byte": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, webclient.ErrSlow},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"id":`))
		}, nil},
		"status 500": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, nil},
		"status 403": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, nil},
		"status 203": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNonAuthoritativeInfo) }, nil},
		"status 204": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, tt.handler)
			timeout := 10 * time.Second // for what is refused before it is over
			if strings.Contains(name, " byte") && !strings.Contains(name, "many") {
				timeout = 300 * time.Millisecond
			}
			res, err := h.resolver(t, timeout).Resolve(t.Context(), h.id, did.Version{})
			require.ErrorIs(t, err, did.ErrUnavailable)
			require.NotErrorIs(t, err, did.ErrNotFound)
			require.Nil(t, res)
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
			}
			for _, other := range []error{webclient.ErrTooLarge, webclient.ErrContentType, webclient.ErrSlow, webclient.ErrRedirect, webclient.ErrForbiddenAddress} {
				if !errors.Is(tt.want, other) {
					require.NotErrorIs(t, err, other)
				}
			}
			require.NotContains(t, err.Error(), "localhost")
		})
	}
	for _, code := range []int{http.StatusNotFound, http.StatusGone} {
		h := newHost(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
		_, err := h.resolver(t, 0).Resolve(t.Context(), h.id, did.Version{})
		require.ErrorIs(t, err, did.ErrNotFound)
		require.NotErrorIs(t, err, did.ErrUnavailable)
	}
}

// A redirect that leads anywhere else is not followed, and where it leads hears of
// nothing.
func TestAbuse_DW03_Redirects(t *testing.T) {
	t.Parallel()
	var elsewhere *host
	elsewhere = newHost(t, func(w http.ResponseWriter, _ *http.Request) {
		answer("application/json", `{"id":"`+elsewhere.id.String()+`"}`)(w, nil)
	})
	plain := httptest.NewServer(answer("application/json", `{}`))
	t.Cleanup(plain.Close)
	for name, target := range map[string]string{
		"another port":        "https://localhost:" + elsewhere.port + "/.well-known/did.json",
		"another name":        "https://127.0.0.1:" + elsewhere.port + "/.well-known/did.json",
		"http":                plain.URL + "/did.json",
		"a private address":   "https://10.0.0.1/did.json",
		"metadata":            "http://169.254.169.254/latest/meta-data/",
		"user information":    "https://a@localhost:PORT/did.json",
		"another scheme":      "file:///etc/hostname",
		"without a host":      "https:///did.json",
		"an old way to say 1": "https://2130706433/did.json",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h *host
			h = newHost(t, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, strings.Replace(target, "PORT", h.port, 1), http.StatusFound)
			})
			res, err := h.resolver(t, 0).Resolve(t.Context(), h.id, did.Version{})
			require.ErrorIs(t, err, webclient.ErrRedirect)
			require.ErrorIs(t, err, did.ErrUnavailable)
			require.Nil(t, res)
		})
	}
	t.Run("11 redirects", func(t *testing.T) {
		t.Parallel()
		asked := atomic.Int32{}
		h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			n := asked.Add(1)
			http.Redirect(w, r, "/"+strconv.Itoa(int(n)), http.StatusFound)
		})
		_, err := h.resolver(t, 0).Resolve(t.Context(), h.id, did.Version{})
		require.ErrorIs(t, err, webclient.ErrRedirect)
		require.LessOrEqual(t, asked.Load(), int32(4))
	})
	t.Run("on the same host", func(t *testing.T) {
		t.Parallel()
		var h *host
		h = newHost(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/.well-known/did.json" {
				http.Redirect(w, r, "/did.json", http.StatusFound)
				return
			}
			answer("application/json", `{"id":"did:web:localhost%3A`+h.port+`"}`)(w, r)
		})
		_, err := h.resolver(t, 0).Resolve(t.Context(), h.id, did.Version{})
		require.NoError(t, err)
	})
	t.Cleanup(func() { require.Zero(t, elsewhere.connections.Load()) })
}

// Without AllowLoopback nothing reaches this machine or its neighbours: a host that
// is written as an address is no did:web, and a name is refused when it is dialled.
func TestAbuse_DW01_PrivateHosts(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	listening := newHost(t, answer("application/json", "{}"))
	plain := httptest.NewUnstartedServer(answer("application/json", "{}"))
	plain.Config.ConnState = func(net.Conn, http.ConnState) { connections.Add(1) }
	plain.Start()
	t.Cleanup(plain.Close)
	_, plainPort, err := net.SplitHostPort(plain.Listener.Addr().String())
	require.NoError(t, err)

	client := webclient.New(webclient.Options{RootCAs: listening.roots, Timeout: 5 * time.Second})
	t.Cleanup(client.Close)
	for _, name := range []string{
		"localhost", "LOCALHOST", "127.0.0.1", "2130706433", "%5B%3A%3A1%5D", "::ffff:127.0.0.1", "%3A%3Affff%3A127.0.0.1", "169.254.169.254", "10.0.0.1", "100.64.0.1",
		"0x7f000001", "0x7f.1", "017700000001", "127.1", "0.0.0.0", "192.168.0.1", "172.16.0.1", "[::1]",
	} {
		for _, port := range []string{listening.port, plainPort} {
			id, err := did.Parse("did:web:" + name + "%3A" + port)
			if err != nil {
				require.ErrorIs(t, err, did.ErrInvalid)
				continue
			}
			for _, r := range []didweb.Resolver{{Client: client}, {Client: client, PlainLoopback: true}} {
				res, err := r.Resolve(t.Context(), id, did.Version{})
				require.Nil(t, res)
				switch {
				case !strings.EqualFold(name, "localhost"):
					require.ErrorIs(t, err, did.ErrInvalid, name)
				case r.PlainLoopback:
					require.ErrorIs(t, err, webclient.ErrURL, name)
					require.ErrorIs(t, err, did.ErrUnavailable)
				default:
					require.ErrorIs(t, err, webclient.ErrForbiddenAddress, name)
					require.ErrorIs(t, err, did.ErrUnavailable)
				}
			}
		}
	}
	require.Zero(t, listening.connections.Load(), "packets")
	require.Zero(t, connections.Load(), "packets")
}

// PlainLoopback is for localhost alone and needs a client that allows it.
func TestPlainLoopback(t *testing.T) {
	t.Parallel()
	var port string
	plain := httptest.NewServer(ownDocument(func() string { return port }))
	t.Cleanup(plain.Close)
	var err error
	_, port, err = net.SplitHostPort(plain.Listener.Addr().String())
	require.NoError(t, err)
	id, err := didweb.New("localhost:"+port, "ward", "7")
	require.NoError(t, err)
	client := webclient.New(webclient.Options{AllowLoopback: true, Timeout: 5 * time.Second})
	t.Cleanup(client.Close)

	res, err := didweb.Resolver{Client: client, PlainLoopback: true}.Resolve(t.Context(), id, did.Version{})
	require.NoError(t, err)
	require.Equal(t, id, res.Document.ID())
	_, err = didweb.Resolver{Client: client}.Resolve(t.Context(), id, did.Version{})
	require.ErrorIs(t, err, did.ErrUnavailable, "https by default")

	asked := ""
	r := didweb.Resolver{PlainLoopback: true, Client: getter(func(url string) ([]byte, string, error) {
		asked = url
		return nil, "", did.ErrNotFound
	})}
	for _, name := range []string{"rowan.example", "localhost.example", "xlocalhost.example"} {
		_, err := r.Resolve(t.Context(), parse(t, "did:web:"+name), did.Version{})
		require.ErrorIs(t, err, did.ErrNotFound)
		require.Equal(t, "https://"+name+"/.well-known/did.json", asked)
	}
}

// A certificate that nobody trusts, and one for another name.
func TestCertificate(t *testing.T) {
	t.Parallel()
	h := newHost(t, answer("application/json", `{}`))
	_, others := forLocalhost(t)
	client := webclient.New(webclient.Options{AllowLoopback: true, RootCAs: others, Timeout: 5 * time.Second})
	t.Cleanup(client.Close)
	_, err := didweb.Resolver{Client: client}.Resolve(t.Context(), h.id, did.Version{})
	require.ErrorIs(t, err, did.ErrUnavailable)
	require.ErrorIs(t, err, webclient.ErrNoAnswer)
	require.Contains(t, err.Error(), "TLS failed")
}

// What a server writes is in no error's text, nor its name.
func TestErrorsTellNothing(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"Location": "HTTP/1.1 302 Found\r\nLocation: http://%zz/?token=CANARY\r\nContent-Length: 0\r\n\r\n",
		"header":   "HTTP/1.1 200 OK\r\n" + strings.Repeat("CANARY", 5000) + "\r\n\r\n",
		"encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: CANARY\r\n\r\n",
		"status":   "HTTP/1.1 CANARY\r\n\r\n",
		"type":     "HTTP/1.1 200 OK\r\nContent-Type: text/CANARY\r\nContent-Length: 0\r\n\r\n",
		"document": "HTTP/1.1 200 OK\r\nContent-Type: application/did\r\nContent-Length: 15\r\n\r\n{\"id\":\"CANARY\"}",
		"no JSON":  "HTTP/1.1 200 OK\r\nContent-Type: application/did\r\nContent-Length: 8\r\n\r\n{CANARY}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					_, _ = conn.Write([]byte(raw))
					_ = conn.Close()
				}
			})
			_, err := h.resolver(t, 0).Resolve(t.Context(), h.id, did.Version{})
			require.Error(t, err)
			for _, word := range []string{"CANARY", "localhost", "127.0.0.1", h.port} {
				require.NotContains(t, err.Error(), word)
			}
			require.Less(t, len(err.Error()), 200)
		})
	}
}

// A deadline of the caller's ends the request at once, as an error of its context.
func TestDeadline(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := h.resolver(t, time.Minute).Resolve(ctx, h.id, did.Version{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, did.ErrUnavailable)
}
