package transport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/fetch"
)

// The waits between two attempts to open a [Session], unless it says others. A mediator
// that comes back is not met by all its wallets at once.
const (
	minBackoff = time.Second
	maxBackoff = time.Minute
)

var (
	// ErrOffline says that a [Session] is not open at the moment.
	ErrOffline = errors.New("transport: session not open")
	// ErrRunning says that the client runs a [Session] for that endpoint already.
	ErrRunning = errors.New("transport: session runs already")
)

// A Session keeps one WebSocket open to an endpoint: the way to a wallet that nobody can
// call. Make it with [Client.NewSession]; its fields must not change while it runs.
type Session struct {
	// Opened is called each time the WebSocket has been opened, in a goroutine of Run's.
	// Its context ends with the WebSocket. What makes the other end send, such as a
	// message that asks for return_route all, is sent again from here. It may be nil.
	Opened func(ctx context.Context)
	// MinBackoff and MaxBackoff are the first and the longest wait after a failure,
	// which doubles: 1 second and 1 minute if they are zero.
	MinBackoff, MaxBackoff time.Duration

	client   *Client
	endpoint string
	receive  func(ctx context.Context, envelope []byte) error

	mu   sync.Mutex
	open *channel // nil while there is none
}

// NewSession returns a session with an endpoint, an absolute URL of any of the schemes
// ws, wss, http and https. It starts nothing: see [Session.Run]. Each envelope that
// comes is handed to receive before the next is read; while it works, the other end
// waits to hear that the envelope is safe. An error of receive that matches
// [didcomm.ErrPermanent], [didcomm.ErrConflict] or [didcomm.ErrMalformed] drops the
// envelope; any other closes the WebSocket, so that the other end keeps it.
func (c *Client) NewSession(endpoint string, receive func(ctx context.Context, envelope []byte) error) *Session {
	return &Session{client: c, endpoint: endpoint, receive: receive}
}

// Run keeps the session open until ctx ends, then closes it and returns nil. While it
// runs, [Client.Send] uses it for its endpoint. It opens the WebSocket again when that
// fails or ends, after a wait that doubles until an envelope has gone over it. All
// goroutines of the session belong to Run. An error means that the endpoint will never
// do, or [ErrRunning].
func (s *Session) Run(ctx context.Context) error {
	if !s.client.add(s) {
		return ErrRunning
	}
	defer s.client.remove(s)
	shortest, longest := s.MinBackoff, s.MaxBackoff
	if shortest <= 0 {
		shortest = minBackoff
	}
	if longest <= 0 {
		longest = maxBackoff
	}
	for wait := shortest; ; wait = min(2*wait, longest) {
		c, err := s.client.dial(ctx, s.endpoint)
		switch {
		case err == nil:
			s.serve(ctx, c)
			if c.used.Load() {
				wait = shortest
			}
		case errors.Is(err, fetch.ErrURL), errors.Is(err, fetch.ErrForbiddenAddress) && errors.Is(err, didcomm.ErrPermanent):
			return err
		}
		timer := time.NewTimer(wait/2 + rand.N(wait/2+1))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// serve uses an open WebSocket until it ends.
func (s *Session) serve(ctx context.Context, c *channel) {
	alive, cancel := context.WithCancel(context.WithoutCancel(ctx))
	goodbye := context.AfterFunc(ctx, func() { _ = c.conn.Close(websocket.StatusNormalClosure, "") })
	s.set(c)
	var running sync.WaitGroup
	running.Go(func() { c.keep(alive) })
	if s.Opened != nil {
		running.Go(func() { s.Opened(alive) })
	}
	c.receive(alive, anyway, s.take)
	s.set(nil)
	cancel()
	running.Wait()
	goodbye()
}

// take hands an envelope over. One that can never be taken is dropped: were it refused,
// the other end would send it on the next WebSocket again.
func (s *Session) take(ctx context.Context, envelope []byte) error {
	err := s.receive(ctx, envelope)
	if never(err) {
		return nil
	}
	return err
}

func (s *Session) set(c *channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = c
}

// Send sends one envelope over the session, as [Client.Send] does. While it is not open
// the error is [ErrOffline]. It must not be called from within the session's receive.
func (s *Session) Send(ctx context.Context, envelope []byte) error {
	if len(envelope) > didcomm.MaxEnvelope {
		return fmt.Errorf("transport: envelope too large: %w", didcomm.ErrPermanent)
	}
	s.mu.Lock()
	c := s.open
	s.mu.Unlock()
	if c == nil {
		return ErrOffline
	}
	ctx, cancel := context.WithTimeout(ctx, s.client.timeout)
	defer cancel()
	return sent(c.send(ctx, envelope))
}

// sent is the error of a delivery over a WebSocket.
func sent(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errRefused):
		return fmt.Errorf("%w: %w", err, didcomm.ErrPermanent)
	case errors.Is(err, errEnded):
		return err
	}
	return fmt.Errorf("transport: %w", err)
}

// sendOnce opens a WebSocket for one envelope.
func (c *Client) sendOnce(ctx context.Context, endpoint string, envelope []byte) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	ch, err := c.dial(ctx, endpoint)
	if err != nil {
		return err
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		ch.receive(context.WithoutCancel(ctx), anyway, func(context.Context, []byte) error { return errEnded }) // answers have a session to come on
	})
	if err = ch.send(ctx, envelope); err == nil {
		_ = ch.conn.Close(websocket.StatusNormalClosure, "")
	}
	reading.Wait()
	return sent(err)
}

// dial opens a WebSocket.
func (c *Client) dial(ctx context.Context, endpoint string) (*channel, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, failure(endpoint, fetch.ErrURL) // the error of url.Parse repeats the URL
	}
	switch u.Scheme {
	case "ws", "wss", "http", "https":
	default:
		return nil, failure(endpoint, fetch.ErrURL)
	}
	conn, resp, err := websocket.Dial(ctx, endpoint, &websocket.DialOptions{HTTPClient: c.fetch.Upgrader()})
	if err == nil {
		return newChannel(conn), nil
	}
	var inURL *url.Error
	switch {
	case errors.As(err, &inURL):
		return nil, failure(endpoint, inURL.Err)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("transport: %w", ctx.Err())
	case resp != nil && resp.StatusCode != 101:
		return nil, &StatusError{resp.StatusCode}
	}
	return nil, fmt.Errorf("transport: %w: the answer is no WebSocket handshake", fetch.ErrUnavailable)
}

func (c *Client) session(endpoint string) *Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sessions[endpoint]
}

func (c *Client) add(s *Session) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions[s.endpoint] != nil {
		return false
	}
	c.sessions[s.endpoint] = s
	return true
}

func (c *Client) remove(s *Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sessions, s.endpoint)
}
