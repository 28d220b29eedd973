package didcomm

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
)

// A Service says where and with which keys a peer is reached (RFC 0067, "Service
// Conventions").
type Service struct {
	Keys        []ed25519.PublicKey `json:"keys"`                  // of the recipient; at least one
	RoutingKeys []ed25519.PublicKey `json:"routingKeys,omitempty"` // as in [Connection]
	Endpoint    string              `json:"endpoint"`              // an absolute URL, or [Queue]
}

// maxServiceKeys bounds the recipients and the hops of one service, as the
// envelope bounds its recipients.
const maxServiceKeys = 16

// ServiceOf returns the first service of a document that this module can send to:
// its type is did-communication, its profiles pass [AcceptsV1], its endpoint is
// an http, https, ws or wss URL or [Queue], and its keys are Ed25519. If there is none, the error
// matches [ErrMalformed].
func ServiceOf(doc *did.Document) (Service, error) {
	err := fmt.Errorf("%w: no did-communication service", ErrMalformed)
	for _, s := range doc.Services("did-communication") {
		var out Service
		if out, err = NewService(s, doc); err == nil {
			return out, nil
		}
	}
	return Service{}, err
}

// NewService reads one service. References to keys are looked up in doc; with a
// nil doc, as for the inline services of RFC 0434, only did:key is possible. The
// error matches [ErrMalformed].
func NewService(s did.Service, doc *did.Document) (Service, error) {
	if !AcceptsV1(s.Accept) {
		return Service{}, fmt.Errorf("%w: service accepts no known profile", ErrMalformed)
	}
	if err := checkEndpoint(s.Endpoint); err != nil {
		return Service{}, err
	}
	out := Service{Endpoint: s.Endpoint}
	var err error
	if out.Keys, err = serviceKeys(s.RecipientKeys, doc); err != nil {
		return Service{}, err
	}
	if len(out.Keys) == 0 {
		return Service{}, fmt.Errorf("%w: service without recipient key", ErrMalformed)
	}
	if out.RoutingKeys, err = serviceKeys(s.RoutingKeys, doc); err != nil {
		return Service{}, err
	}
	return out, nil
}

// AcceptsV1 reports whether a peer that lists these media type profiles takes the
// envelopes of RFC 0019 (RFC 0044, "Defined Profiles"). No list means that the
// choice is the sender's.
func AcceptsV1(accept []string) bool {
	return len(accept) == 0 || slices.ContainsFunc(accept, func(profile string) bool {
		profile = strings.ReplaceAll(profile, " ", "")
		return profile == "didcomm/aip1" || profile == "didcomm/aip2;env=rfc19"
	})
}

func serviceKeys(refs []string, doc *did.Document) ([]ed25519.PublicKey, error) {
	if len(refs) > maxServiceKeys {
		return nil, fmt.Errorf("%w: service with more than %d keys", ErrMalformed, maxServiceKeys)
	}
	var keys []ed25519.PublicKey
	for _, ref := range refs {
		key, err := serviceKey(ref, doc)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// serviceKey returns the key that ref names: a did:key, with or without its
// fragment (RFC 0360), or a verification method of doc.
func serviceKey(ref string, doc *did.Document) (ed25519.PublicKey, error) {
	u, err := did.ParseURL(ref)
	if err != nil {
		return nil, malformed("service key", err)
	}
	if u.DID.Method() == "key" && (u.Fragment == "" || u.Fragment == u.DID.SpecificID()) {
		pub, err := did.ParseMultikey(u.DID.SpecificID())
		if err != nil {
			return nil, malformed("service key", err)
		}
		if key, ok := pub.(ed25519.PublicKey); ok {
			return key, nil
		}
	}
	if doc != nil {
		for _, rel := range []did.Relationship{did.Authentication, did.AssertionMethod, did.KeyAgreement} {
			// A service's key is kept and used for as long as the connection
			// lasts, and nobody looks at its end again: it must have none.
			if vm, err := doc.Method(u, rel, endOfTime()); err == nil {
				if key, ok := vm.PublicKey().(ed25519.PublicKey); ok {
					return key, nil
				}
			}
		}
	}
	return nil, fmt.Errorf("%w: service key is no Ed25519 key known here", ErrMalformed)
}

// endOfTime is later than any time that a document can state.
func endOfTime() time.Time { return time.Date(10000, 1, 2, 0, 0, 0, 0, time.UTC) }
