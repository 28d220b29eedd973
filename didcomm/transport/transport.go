// Package transport carries DIDComm envelopes over HTTP and WebSocket (Aries RFC 0025;
// DIDComm Messaging 2.1, "Transports"; media types of RFC 0044), with answers on the
// channel that a message came on (RFC 0092). It carries bytes and nothing else: what is
// in an envelope, whom it is from and whether it came before is for the caller.
//
// To receive, give [NewServer] or [NewReturnServer] the function that takes an envelope
// and mount it at the path of the service endpoint, in a server with time limits such as
// [NewHTTPServer] makes, on a socket such as [Listen] opens. To send, make one client
// with [NewClient]. A wallet that nobody can reach keeps a [Session] open to its
// mediator.
//
// An envelope is acknowledged only after that function returned nil, so that it must
// be durable by then. Over HTTP the acknowledgement is the status. On a WebSocket, which
// has none, each envelope is followed by a ping: the pong says that the other end has
// handled it, if it reads as the two ends here do, one envelope after the other. An
// envelope that comes back in the response to a POST has no acknowledgement: it is lost
// with the response, and a protocol that cannot bear this needs one of its own, as
// message pickup has.
//
// The transport neither repeats nor queues: a caller that wants an envelope delivered
// sends it again until Send returns nil or an error that matches [didcomm.ErrPermanent].
package transport

import (
	"net"
	"net/http"
	"time"
)

// Limits of [NewHTTPServer].
const (
	headerTime = 10 * time.Second // for a request line and header fields
	readTime   = time.Minute      // for 4 MiB at 70 KB/s, header included
	writeTime  = readTime + receiveTime + 15*time.Second
	idleTime   = 2 * time.Minute
	headerSize = 16 << 10
)

// NewHTTPServer returns a server for h that gives no client more time or space
// than an envelope needs. The caller sets its address, TLS and log.
func NewHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerSize,
	}
}

// Listen opens a socket for a server at an address, such as "192.0.2.1:443". Where the
// address has no host, as in ":8400", that is this machine's loopback address and not,
// as elsewhere, all of its addresses: whoever wants those says "0.0.0.0" or "::".
func Listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.Listen("tcp", net.JoinHostPort(host, port))
}
