package transport

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

const (
	// answerTime is how long the response to a POST waits for an envelope that was asked
	// for. What takes longer, as a person's decision does, is fetched by the next POST.
	answerTime = 3 * time.Second
	// maxWaiting bounds how many responses wait at once; the next one does not.
	maxWaiting = 1024
)

// errEnded says that a channel can take no more envelopes.
var errEnded = errors.New("transport: the channel has ended")

// An answer is the room for one envelope in the response to a POST.
type answer struct {
	once   sync.Once
	wanted chan struct{} // closed: the message asks for answers
	offer  chan offer
	over   chan struct{} // closed: the response has been written, or will not be
}

// An offer is an envelope on its way into a response.
type offer struct {
	envelope []byte
	until    time.Time  // when writing it is given up
	done     chan error // with room for one
}

func newAnswer() *answer {
	return &answer{wanted: make(chan struct{}), offer: make(chan offer), over: make(chan struct{})}
}

// end ends the channel.
func (a *answer) end() { close(a.over) }

// reply is the function that [NewReturnServer] tells of.
func (a *answer) reply(ctx context.Context, envelope []byte) error {
	if len(envelope) > didcomm.MaxEnvelope {
		return errEnded
	}
	a.once.Do(func() { close(a.wanted) })
	if len(envelope) == 0 {
		select {
		case <-a.over:
			return errEnded
		default:
			return nil
		}
	}
	until := after(replyTime)
	if end, ok := ctx.Deadline(); ok && end.Before(until) {
		until = end
	}
	o := offer{envelope, until, make(chan error, 1)}
	select {
	case a.offer <- o:
	case <-a.over:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// respond answers a POST whose envelope was taken: with an envelope if the message
// asked for answers and there is one in time.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, a *answer) {
	select {
	case <-a.wanted:
	default:
		w.WriteHeader(http.StatusAccepted)
		return
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > maxWaiting {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	timer := time.NewTimer(answerTime)
	defer timer.Stop()
	select {
	case o := <-a.offer:
		// Not every ResponseWriter has deadlines, as for reading.
		_ = http.NewResponseController(w).SetWriteDeadline(o.until)
		o.done <- write(w, o.envelope)
		return
	case <-timer.C:
	case <-r.Context().Done(): // the peer is gone
	case <-s.ended:
	}
	w.WriteHeader(http.StatusAccepted)
}

// write writes an envelope as the response.
func write(w http.ResponseWriter, envelope []byte) error {
	mediaType := mediaTypeOf(envelope)
	if mediaType == "" {
		mediaType = typeV1
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(envelope)
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if errors.Is(err, http.ErrNotSupported) {
		err = nil
	}
	return err
}
