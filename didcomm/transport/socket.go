package transport

import (
	"cmp"
	"context"
	"net/http"
	"sync"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// serveSocket serves one WebSocket until it ends. Pages of other sites are refused by
// their Origin.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	peer := s.peer(r)
	if peer != "" && !s.limiter(peer).Allow() {
		refuse(w, http.StatusTooManyRequests)
		return
	}
	if !s.reserve(peer) {
		refuse(w, http.StatusServiceUnavailable)
		return
	}
	defer s.release(peer)
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // answered
	}
	c := newChannel(conn)
	if !s.open(c) {
		_ = conn.Close(websocket.StatusGoingAway, "")
		return
	}
	defer s.close(c)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	var keeping sync.WaitGroup
	keeping.Go(func() { c.keep(ctx) })
	defer keeping.Wait()
	defer cancel()
	take := func(ctx context.Context, envelope []byte) error { return s.receive(ctx, envelope, c.reply) }
	if s.Open != nil {
		var closed func()
		take, closed = s.Open(c.reply)
		defer closed()
	}
	c.receive(ctx, s.place(ctx, peer), take)
}

// place returns what gives an envelope of a peer a place, as soon as its rate allows.
func (s *Server) place(ctx context.Context, peer string) func() (leave func(), ok bool) {
	return func() (func(), bool) {
		if peer != "" && s.limiter(peer).Wait(ctx) != nil {
			return nil, false
		}
		return s.leave, s.enter()
	}
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

func (s *Server) limiter(peer string) *rate.Limiter {
	return s.meter.of(peer, cmp.Or(s.Rate, peerRate), cmp.Or(s.Burst, peerBurst))
}

// reserve counts one more session of a peer, unless it is one too many.
func (s *Server) reserve(peer string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() || s.reserved >= maxSessions || peer != "" && s.perPeer[peer] >= peerSessions {
		return false
	}
	s.reserved++
	s.perPeer[peer]++
	s.running.Add(1)
	return true
}

func (s *Server) release(peer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved--
	if s.perPeer[peer]--; s.perPeer[peer] == 0 {
		delete(s.perPeer, peer)
	}
	s.running.Done()
}

// open makes a session one that Close ends, unless that was called meanwhile.
func (s *Server) open(c *channel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false
	}
	s.sessions[c] = struct{}{}
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
