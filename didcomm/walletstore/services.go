package walletstore

import (
	"context"
	"strings"
	"sync"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// maxServices bounds what is remembered: a DID has up to 24 KB, most have 500 bytes.
const maxServices = 512

// services finds the services of peers, and remembers those that cannot change: of DIDs
// that contain their own document. A message asks twice, for where it goes and for who
// is on the way.
type services struct {
	resolver did.Resolver

	mu    sync.Mutex
	known map[did.DID]didcomm.ServiceV2
}

func newServices(r did.Resolver) *services {
	return &services{resolver: r, known: make(map[did.DID]didcomm.ServiceV2)}
}

// of is [didcomm.ServiceV2Of].
func (s *services) of(ctx context.Context, id did.DID) (didcomm.ServiceV2, error) {
	s.mu.Lock()
	found, ok := s.known[id]
	s.mu.Unlock()
	if ok {
		return found, nil
	}
	found, err := didcomm.ServiceV2Of(ctx, s.resolver, id)
	if err != nil || !fixed(id.String(), found.Routing) {
		return found, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxServices {
		clear(s.known)
	}
	s.known[id] = found
	return found, nil
}

// fixed reports whether a DID, and those of its mediators, have one document for ever.
func fixed(id string, routing []string) bool {
	for _, name := range append([]string{id}, routing...) {
		if !strings.HasPrefix(name, "did:peer:") && !strings.HasPrefix(name, "did:key:") {
			return false
		}
	}
	return true
}
