package transport

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The limits on one peer. An organisation's staff may all come from one address.
const (
	peerRate     = 50  // envelopes a second for long
	peerBurst    = 500 // envelopes at once
	peerSessions = 256 // WebSockets open at once
	maxSessions  = 4096
	// firstTime is how long a WebSocket may be open without an envelope: whoever opens one
	// has something to say, were it only which answers are to come on it.
	firstTime = 30 * time.Second
	// maxPeers bounds the memory for the limits, about 200 bytes a peer: as many peers
	// are known for certain, and twice as many at most. One that is forgotten begins
	// anew, with a burst.
	maxPeers = 4096
)

// A meter holds how much each peer may still send. The zero meter is ready for use.
type meter struct {
	mu         sync.Mutex
	young, old map[string]*rate.Limiter
}

// of returns the limiter of a peer.
func (m *meter) of(peer string, perSecond float64, burst int) *rate.Limiter {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l, ok := m.young[peer]; ok {
		return l
	}
	l, ok := m.old[peer]
	if !ok {
		l = rate.NewLimiter(rate.Limit(perSecond), burst)
	}
	if m.young == nil || len(m.young) >= maxPeers {
		m.young, m.old = make(map[string]*rate.Limiter), m.young
	}
	m.young[peer] = l
	return l
}

// Places bound what goes on at once, and how much of it is one peer's. The zero places are
// ready for use.
type places struct {
	mu      sync.Mutex
	taken   int
	perPeer map[string]int
}

// enter takes a place, and reports whether there was one: of so many for all, and for one
// peer, unless that is none.
func (p *places) enter(peer string, all, one int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= all || peer != "" && p.perPeer[peer] >= one {
		return false
	}
	if p.perPeer == nil {
		p.perPeer = make(map[string]int)
	}
	p.taken++
	p.perPeer[peer]++
	return true
}

func (p *places) leave(peer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.perPeer[peer]--; p.perPeer[peer] == 0 {
		delete(p.perPeer, peer)
	}
}

// addressOf names the peer of a request by its address: of IPv6, by the network of 64
// bits that one customer has. This machine itself is no peer: what comes from there is
// a neighbour or a proxy, which stands for all that are behind it.
func addressOf(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	a := at.Addr().Unmap()
	switch {
	case a.IsLoopback():
		return ""
	case a.Is6():
		network, _ := a.WithZone("").Prefix(64)
		return network.String()
	}
	return a.String()
}
