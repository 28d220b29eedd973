package transport

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
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

// maxRequests bounds the memory that strangers can take: half as many times
// [didcomm.MaxEnvelope] is 128 MiB.
const maxRequests = 64

// smallEnvelope is read before anything is asked of [Server.MaxRequests], so that peers
// which send the beginning of an envelope and no more keep nobody else out. All messages
// but those with a photo are smaller.
const smallEnvelope = 64 << 10

// bodyTime is how long the rest of a larger envelope may take: 4 MiB at 1.2 Mbit/s.
const bodyTime = 30 * time.Second

// A Server receives envelopes. It is an [http.Handler] without a path: where it is
// mounted is up to the caller. Its fields must not change once it serves.
type Server struct {
	// MaxRequests is how many envelopes are worked on at once; 64 if it is zero. Half as
	// many may be longer than 64 KiB, and count from there on: each may take 4 MiB before
	// anything is known of its sender, and while it is read it takes no short one's place.
	// A quarter of either may be one peer's. The request beyond is answered with 503 and
	// read no further. Limits on the number of connections are for what stands before the
	// server.
	MaxRequests int
	// MaxSessions is how many WebSockets are open at once; 4096 if it is zero. When there
	// are as many, the next one ends that which has been open longest without an envelope.
	// One that has had none for 30 seconds is ended in any case.
	MaxSessions int
	// Rate is how many envelopes a second one peer may send for long, and Burst how many
	// at once; 50 and 500 if they are zero. A POST or a handshake beyond is answered with
	// 429; a WebSocket is read no further until there is room again. Pings have as much
	// again. One peer may have 256 WebSockets open.
	Rate  float64
	Burst int
	// Peer names whom a request comes from, for those limits: "" has none. If it is nil,
	// that is the address, of IPv6 its first 64 bits, and none for this machine's own.
	// Behind a proxy, take it from the header that the proxy sets.
	Peer func(r *http.Request) string
	// Open is called for each WebSocket, with a reply as that of [NewReturnServer]. What
	// comes on it is handed to receive; closed is called when it has ended. If Open is
	// nil, the server's own receive takes what comes.
	Open func(reply func(ctx context.Context, envelope []byte) error) (receive func(ctx context.Context, envelope []byte) error, closed func())

	receive func(ctx context.Context, envelope []byte, reply func(ctx context.Context, envelope []byte) error) error
	working places // envelopes
	long    places // those of them that are long, also while they are read
	sockets places // sessions, also those whose handshake is under way
	waiting atomic.Int64
	meter   meter // of envelopes
	pings   meter

	mu       sync.Mutex
	opened   uint64 // sessions ever
	sessions map[*channel]open
	ended    chan struct{}  // closed by Close
	running  sync.WaitGroup // the handlers of sessions
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
// On a WebSocket it is in the same order a pong to the ping that follows the envelope,
// the end of the session with code 1008, and with code 1013.
//
// The context of receive ends after a minute, not when the peer hangs up.
func NewServer(receive func(ctx context.Context, envelope []byte) error) *Server {
	return NewReturnServer(func(ctx context.Context, envelope []byte, _ func(context.Context, []byte) error) error {
		return receive(ctx, envelope)
	})
}

// NewReturnServer returns a server as [NewServer] does, whose receive can answer on the
// channel that the envelope came on (RFC 0092), if the message asks for it. It then
// calls reply once without an envelope before it returns, which keeps the channel open
// for answers, and with each answer, before or after that. The answer goes to the peer
// only after receive has returned nil. A nil error of reply means on a WebSocket that
// the peer's end has handled what came; in the response to a POST, which has room for
// one envelope and waits for it three seconds, only that it was written. After an error
// of reply the channel can take no more. reply is safe for concurrent use; with an
// envelope it must not be called from within receive.
func NewReturnServer(receive func(ctx context.Context, envelope []byte, reply func(ctx context.Context, envelope []byte) error) error) *Server {
	return &Server{receive: receive, sessions: make(map[*channel]open), ended: make(chan struct{})}
}

// ServeHTTP implements [http.Handler] for a POST of one envelope of at most
// [didcomm.MaxEnvelope] bytes, of exactly one of the media types of envelopes without
// parameters, and for the handshake of a WebSocket. The answer to a POST has an empty
// body, or is an envelope with status 200.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isHandshake(r) {
		s.serveSocket(w, r)
		return
	}
	body, status := acceptRequest(w, r)
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	peer := s.peer(r)
	if peer != "" && !s.limiter(&s.meter, peer).Allow() {
		refuse(w, http.StatusTooManyRequests)
		return
	}
	small, status := read(io.LimitReader(body, smallEnvelope), nil)
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	a := newAnswer()
	defer a.end()
	// It ends with the response: until then there can be answers.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), receiveTime)
	defer cancel()
	refused, err := s.take(ctx, w, body, small, peer, a)
	switch {
	case refused != 0:
		w.WriteHeader(refused)
	case err == nil:
		s.respond(w, r, a)
	case never(err):
		w.WriteHeader(http.StatusBadRequest)
	default:
		refuse(w, http.StatusServiceUnavailable)
	}
}

// errBusy says that as many envelopes as allowed are worked on.
var errBusy = errors.New("transport: too many requests")

// never reports whether the envelope that was refused with err will never be taken.
func never(err error) bool {
	return errors.Is(err, didcomm.ErrPermanent) || errors.Is(err, didcomm.ErrConflict) || errors.Is(err, didcomm.ErrMalformed)
}

// take reads the rest of an envelope and hands it over.
func (s *Server) take(ctx context.Context, w http.ResponseWriter, body io.Reader, small []byte, peer string, a *answer) (refused int, err error) {
	long := len(small) == smallEnvelope
	var envelope []byte
	leave, ok := s.admit(peer, long, func() bool {
		if long {
			// Not every ResponseWriter has deadlines; the server's own then bounds it.
			_ = http.NewResponseController(w).SetReadDeadline(after(bodyTime))
		}
		if envelope, refused = read(body, small); refused == 0 && len(envelope) == 0 {
			refused = http.StatusBadRequest
		}
		return refused == 0
	})
	switch {
	case refused != 0:
		return refused, nil
	case !ok:
		return 0, errBusy
	}
	defer leave()
	return 0, s.receive(ctx, envelope, a.reply)
}

// after is a deadline of the operating system, which keeps those by its clock and no
// other.
func after(d time.Duration) time.Time { return time.Now().Add(d) }

// admit calls rest, which reads what is left of an envelope, and then gives the envelope
// one of the places of [Server.MaxRequests]. A long one has one of its kind from before
// rest until leave.
func (s *Server) admit(peer string, long bool, rest func() bool) (leave func(), ok bool) {
	most := cmp.Or(s.MaxRequests, maxRequests)
	done := func() {}
	if long {
		if !s.long.enter(peer, max(1, most/2), max(1, most/8)) {
			return nil, false
		}
		done = func() { s.long.leave(peer) }
	}
	if !rest() || !s.working.enter(peer, most, max(1, most/4)) {
		done()
		return nil, false
	}
	return func() { s.working.leave(peer); done() }, true
}

func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Retry-After", retryAfter)
	w.WriteHeader(status)
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
	return len(types) == 1 && len(h.Values("Content-Encoding")) == 0 && isMediaType(types[0])
}

// isHandshake reports whether a request asks for a WebSocket (RFC 6455 section 4.1).
func isHandshake(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}
