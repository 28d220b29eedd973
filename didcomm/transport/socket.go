package transport

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// serveSocket serves one WebSocket until it ends. Pages of other sites are refused by
// their Origin.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	peer := s.peer(r)
	if peer != "" && !s.limiter(&s.meter, peer).Allow() {
		refuse(w, http.StatusTooManyRequests)
		return
	}
	leave, ok := s.reserve(peer)
	if !ok {
		refuse(w, http.StatusServiceUnavailable)
		return
	}
	defer s.running.Done()
	defer leave()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{OnPingReceived: func(ctx context.Context, _ []byte) bool {
		return peer == "" || s.limiter(&s.pings, peer).Wait(ctx) == nil
	}})
	if err != nil {
		return // answered
	}
	c := newChannel(conn)
	if !s.open(c, leave) {
		_ = conn.Close(websocket.StatusGoingAway, "")
		return
	}
	defer s.close(c)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	var keeping sync.WaitGroup
	keeping.Go(func() { c.keep(ctx) })
	first := time.AfterFunc(firstTime, func() {
		if !c.used.Load() {
			_ = conn.CloseNow()
		}
	})
	defer first.Stop()
	defer keeping.Wait()
	defer cancel()
	take := func(ctx context.Context, envelope []byte) error { return s.receive(ctx, envelope, c.reply) }
	if s.Open != nil {
		var closed func()
		take, closed = s.Open(c.reply)
		defer closed()
	}
	c.receive(ctx, func(long bool, rest func() bool) (func(), bool) {
		if peer != "" && s.limiter(&s.meter, peer).Wait(ctx) != nil {
			return nil, false
		}
		return s.admit(peer, long, rest)
	}, take)
}

// reply is the function that [NewReturnServer] tells of.
func (c *channel) reply(ctx context.Context, envelope []byte) error {
	if len(envelope) == 0 {
		select {
		case <-c.done:
			return errEnded
		default:
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, replyTime)
	defer cancel()
	return c.send(ctx, envelope)
}

// peer names whom a request comes from.
func (s *Server) peer(r *http.Request) string {
	if s.Peer != nil {
		return s.Peer(r)
	}
	return addressOf(r)
}

func (s *Server) limiter(m *meter, peer string) *rate.Limiter {
	return m.of(peer, cmp.Or(s.Rate, peerRate), cmp.Or(s.Burst, peerBurst))
}

// An open session is one that Close ends.
type open struct {
	number uint64 // in the order in which they were opened
	leave  func()
}

// reserve takes a place for one more session of a peer, unless it is one too many.
func (s *Server) reserve(peer string) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := cmp.Or(s.MaxSessions, maxSessions)
	switch {
	case s.closed():
		return nil, false
	case s.sockets.enter(peer, most, peerSessions):
	case !s.sockets.enter(peer, most+1, peerSessions):
		return nil, false
	case !s.crowdOut():
		s.sockets.leave(peer)
		return nil, false
	}
	s.running.Add(1)
	return sync.OnceFunc(func() { s.sockets.leave(peer) }), true
}

// crowdOut ends the session that has been open longest without an envelope, and reports
// whether there was one.
func (s *Server) crowdOut() bool {
	var oldest *channel
	for c, o := range s.sessions {
		if !c.used.Load() && (oldest == nil || o.number < s.sessions[oldest].number) {
			oldest = c
		}
	}
	if oldest == nil {
		return false
	}
	s.sessions[oldest].leave()
	delete(s.sessions, oldest)
	s.running.Go(func() { _ = oldest.conn.CloseNow() })
	return true
}

// open makes a session one that Close ends, unless that was called meanwhile.
func (s *Server) open(c *channel, leave func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false
	}
	s.opened++
	s.sessions[c] = open{s.opened, leave}
	return true
}

func (s *Server) close(c *channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, c)
}

func (s *Server) closed() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Close ends the sessions and the responses that wait, and returns when they have ended.
// An [http.Server] leaves WebSockets open when it shuts down. Closing twice is allowed.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed() {
		close(s.ended)
	}
	for c := range s.sessions {
		s.running.Go(func() { _ = c.conn.Close(websocket.StatusGoingAway, "") })
	}
	s.mu.Unlock()
	s.running.Wait()
}
