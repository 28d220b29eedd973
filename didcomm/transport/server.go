package transport

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// receiveTime bounds the work on one envelope, which goes on when the peer hangs
// up.
const receiveTime = time.Minute

// retryAfter is what a peer is asked to wait after a failure that may pass, in
// seconds. A peer of ours goes by its own schedule.
const retryAfter = "5"

// maxRequests bounds the memory that strangers can take: this many times
// [didcomm.MaxEnvelope] is 256 MiB.
const maxRequests = 64

// smallEnvelope is read before a request counts among those, so that peers which
// send the beginning of an envelope and no more keep nobody else out. All messages
// but those with a photo are smaller.
const smallEnvelope = 64 << 10

// bodyTime is how long the rest of a larger envelope may take: 4 MiB at 1.2 Mbit/s.
const bodyTime = 30 * time.Second

// A Server receives envelopes. It is an [http.Handler] without a path: where it is
// mounted is up to the caller.
type Server struct {
	// MaxRequests is how many envelopes are worked on, or read beyond their first
	// 64 KiB, at once; 64 if it is zero. Each may take 4 MiB before anything is known
	// of its sender. The request beyond is answered with 503 and read no further. It
	// must not change while the server serves. Limits on one address, and on the
	// number of connections, are for what stands before the server.
	MaxRequests int

	receive func(ctx context.Context, envelope []byte) error
	active  atomic.Int64
}

// NewServer returns a server that hands each envelope to receive, which may be
// called from several goroutines. The answer depends on its error alone and never
// repeats it:
//
//   - nil: 202, the envelope is taken and safe;
//   - [didcomm.ErrPermanent], [didcomm.ErrConflict] or [didcomm.ErrMalformed]: 400,
//     the same envelope will never be taken;
//   - any other, and too many requests at once: 503, the peer may send it again.
//
// The context of receive ends after a minute, not when the peer hangs up.
func NewServer(receive func(ctx context.Context, envelope []byte) error) *Server {
	return &Server{receive: receive}
}

// ServeHTTP implements [http.Handler] for a POST of one envelope of at most
// [didcomm.MaxEnvelope] bytes, of exactly one of the two media types of RFC 0019
// without parameters. All answers have an empty body.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, status := acceptRequest(w, r)
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	small, status := read(io.LimitReader(body, smallEnvelope), nil)
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	defer s.active.Add(-1)
	if s.active.Add(1) > int64(cmp.Or(s.MaxRequests, maxRequests)) {
		unavailable(w)
		return
	}
	if len(small) == smallEnvelope {
		// Not every ResponseWriter has deadlines; the server's own then bounds it. The
		// operating system keeps deadlines, by its clock and no other.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	}
	envelope, status := read(body, small)
	if status == 0 && len(envelope) == 0 {
		status = http.StatusBadRequest
	}
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), receiveTime)
	defer cancel()
	err := s.receive(ctx, envelope)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusAccepted)
	case errors.Is(err, didcomm.ErrPermanent), errors.Is(err, didcomm.ErrConflict), errors.Is(err, didcomm.ErrMalformed):
		w.WriteHeader(http.StatusBadRequest)
	default:
		unavailable(w)
	}
}

func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", retryAfter)
	w.WriteHeader(http.StatusServiceUnavailable)
}

// acceptRequest returns the body of the request, or the status that refuses it.
func acceptRequest(w http.ResponseWriter, r *http.Request) (body io.Reader, status int) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, http.StatusMethodNotAllowed
	}
	if !acceptable(r.Header) {
		return nil, http.StatusUnsupportedMediaType
	}
	if r.ContentLength > didcomm.MaxEnvelope {
		return nil, http.StatusRequestEntityTooLarge
	}
	return http.MaxBytesReader(w, r.Body, didcomm.MaxEnvelope), 0
}

// read returns what was read before with the rest of the body, or the status that
// refuses it.
func read(body io.Reader, before []byte) (envelope []byte, status int) {
	rest, err := io.ReadAll(body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, http.StatusRequestTimeout
	case err != nil:
		return nil, http.StatusBadRequest
	}
	return append(before, rest...), 0
}

// acceptable reports whether the header names exactly one media type of an
// envelope, without parameters, and no compression.
func acceptable(h http.Header) bool {
	types := h.Values("Content-Type")
	if len(types) != 1 || len(h.Values("Content-Encoding")) > 0 {
		return false
	}
	return strings.EqualFold(types[0], mediaType) || strings.EqualFold(types[0], olderMediaType)
}
