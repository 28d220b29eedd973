package transport

import (
	"net/http"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// The limits on one peer. An organisation's staff may all come from one address.
const (
	peerRate     = 50  // envelopes a second for long
	peerBurst    = 500 // envelopes at once
	peerSessions = 256 // WebSockets open at once
	maxSessions  = 4096
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
