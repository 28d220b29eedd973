// Package transport carries DIDComm envelopes over HTTP (Aries RFC 0025,
// "HTTP(S)"; media types of RFC 0044). It carries bytes and nothing else: what is
// in an envelope, whom it is from and whether it came before is for the caller.
//
// To receive, give [NewServer] the function that takes an envelope and mount it
// at the path of the service endpoint, in a server with time limits such as
// [NewHTTPServer] makes. To send, make one client with [NewClient].
//
// An envelope is acknowledged only after that function returned nil, so that it
// must be durable by then. The transport neither repeats nor queues: a caller that
// wants an envelope delivered sends it again until Send returns nil or an error
// that matches [didcomm.ErrPermanent]. Answers carry no messages back (RFC 0092 is
// not supported).
package transport

import (
	"net/http"
	"time"
)

// The media types of an envelope of RFC 0019. The first is sent (RFC 0044,
// "DIDComm v1 Encrypted Envelope"), the second is an older name of the same.
const (
	mediaType      = "application/didcomm-envelope-enc"
	olderMediaType = "application/ssi-agent-wire"
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
