// Package discover is how agents tell each other what they can do: Aries RFC 0031
// (discover-features 1.0), RFC 0557 (2.0) and the same in DIDComm Messaging 2.1,
// "Discover Features Protocol 2.0".
//
// Register a [Protocol] with the runtime for "discover-features", 1 and 2. It discloses
// what [Protocol.Features] lists, which [Protocols] makes of what is registered, and no
// more than that: nothing is made up. So that nobody takes an agent's fingerprint, a
// question that names no feature in full, as "*" does, is answered only to those whom
// [Protocol.Trust] names, and the order of an answer is random each time. [Next] is the
// protocol as a pure function, in which a disclosure that nobody asked for does not fit:
// it is handed on as such.
package discover

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/question"
)

// The types of features that the specifications name. "decorator" and "header" are the
// same (RFC 0557).
const (
	TypeProtocol   = "protocol"        // ID is the URI of a protocol with its version
	TypeGoalCode   = "goal-code"       // ID is the code
	TypeGovernance = "gov-fw"          // ID is where the framework is published
	TypeVersion    = "didcomm-version" // ID is where a version is developed (RFC 0044)
	TypeHeader     = "header"          // ID is the name
	TypeConstraint = "constraint"      // ID is the name, Value the limit
)

// Limits on what is read and sent.
const (
	maxQueries   = 64  // in one message
	maxMatch     = 256 // bytes of one pattern, and of an id
	maxWildcards = 4   // in one pattern
	maxFeatures  = 512 // in one answer: more than a large agent has
	maxRoles     = 16  // of one protocol
)

// ErrQuery says that a question of ours breaks a limit that peers have, or cannot be
// asked in that version.
var ErrQuery = errors.New("discover: query not possible")

// A Feature is something that an agent can do.
type Feature struct {
	Type  string // such as TypeProtocol; others may come
	ID    string
	Roles []string // of a protocol; none given says nothing
	Value string   // of a constraint
}

// A Query asks for the features of a type whose IDs match. In Match, * stands for any
// characters, also none.
type Query struct {
	Type, Match string
}

// Protocols returns the features that registered protocols are: for each, all its
// minor versions up to the one given, since whoever speaks 1.1 speaks 1.0 too (RFC
// 0003, semver rules).
func Protocols(registered ...didcomm.Type) []Feature {
	var out []Feature
	for _, t := range registered {
		for minor := 0; minor <= t.Minor; minor++ {
			out = append(out, Feature{Type: TypeProtocol, ID: didcomm.Type{Protocol: t.Protocol, Major: t.Major, Minor: minor}.ProtocolURI()})
		}
	}
	return out
}

// A Disclosure is what a peer says it can do.
type Disclosure struct {
	Thread   string
	Asked    bool // it answers a question of ours; else it came unasked
	Features []Feature
}

// A Protocol plays both roles. Store is required to ask. It is safe for concurrent use
// and must not be changed after first use.
type Protocol struct {
	Store didcomm.Store // the runtime

	// Features lists what may be told to the peer of a connection; nil: nothing is.
	Features func(c didcomm.Connection) []Feature
	// Trust reports whether questions that name no feature in full are answered to the
	// peer of a connection; nil: to nobody.
	Trust func(c didcomm.Connection) bool
	// Disclosed is called with what a peer discloses, in the transaction that records
	// it. It may be nil.
	Disclosed func(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, d Disclosure) error

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var (
	_ didcomm.Handler   = (*Protocol)(nil)
	_ didcomm.Abandoner = (*Protocol)(nil)
)

// Ask asks the peer of a connection, in version 2.0, and returns the thread of the
// question.
func (p *Protocol) Ask(ctx context.Context, connection string, queries ...Query) (thread string, err error) {
	if len(queries) == 0 || len(queries) > maxQueries {
		return "", fmt.Errorf("%w: %d queries", ErrQuery, len(queries))
	}
	b := queriesBody{}
	for _, q := range queries {
		if !possible(q.Match) || q.Type == "" {
			return "", fmt.Errorf("%w: type or pattern", ErrQuery)
		}
		b.Queries = append(b.Queries, queryBody(q))
	}
	return p.ask(ctx, connection, didcomm.Type{Protocol: protocol, Major: 2, Name: "queries"}, b)
}

// AskProtocols asks the peer of a connection of V1 in version 1.0, which knows one
// pattern for protocols alone.
func (p *Protocol) AskProtocols(ctx context.Context, connection, match string) (thread string, err error) {
	if !possible(match) {
		return "", fmt.Errorf("%w: pattern", ErrQuery)
	}
	return p.ask(ctx, connection, didcomm.Type{Protocol: protocol, Major: 1, Name: "query"}, queryV1Body{Query: match})
}

const protocol = "discover-features"

func (p *Protocol) ask(ctx context.Context, connection string, t didcomm.Type, body any) (thread string, err error) {
	thread = p.newID()
	err = p.Store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := tx.Connection(connection)
		if err != nil {
			return err
		}
		if t.Major == 1 && c.Version.Or1() != didcomm.V1 {
			return fmt.Errorf("%w: version 1.0 in DIDComm 2", ErrQuery)
		}
		m, err := exchange.Message(c.Version, thread, t, "", "", body)
		if err != nil {
			return err
		}
		if err := questions().Ask(tx, connection, thread, p.now()); err != nil {
			return err
		}
		return tx.Send(c, m)
	})
	return thread, err
}

// Handle implements [didcomm.Handler].
func (p *Protocol) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	switch {
	case m.Type.Major == 1 && m.Type.Name == "query":
		return p.asked1(tx, c, m)
	case m.Type.Major == 2 && m.Type.Name == "queries":
		return p.asked2(tx, c, m)
	case m.Type.Name == "disclose", m.Type.Major == 2 && m.Type.Name == "disclosures":
		return p.disclosed(ctx, tx, c, m)
	}
	return &didcomm.Problem{Code: "message-type-unsupported", Comment: "Feature discovery has no such message."}
}

func (p *Protocol) asked1(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	var b queryV1Body
	if err := m.Decode(&b); err != nil {
		return err
	}
	answer := discloseV1Body{Protocols: []protocolBody{}}
	for _, f := range p.matching(c, []queryBody{{TypeProtocol, b.Query}}) {
		answer.Protocols = append(answer.Protocols, protocolBody{f.ID, f.Roles})
	}
	return p.answer(tx, c, m, "disclose", answer)
}

func (p *Protocol) asked2(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	var b queriesBody
	if err := m.Decode(&b); err != nil {
		return err
	}
	if len(b.Queries) > maxQueries {
		return &didcomm.Problem{Code: "e.m.msg.too-many-queries", Comment: "These are too many questions at once."}
	}
	answer := disclosuresBody{Disclosures: []featureBody{}}
	for _, f := range p.matching(c, b.Queries) {
		answer.Disclosures = append(answer.Disclosures, featureBody(f))
	}
	name := "disclosures" // RFC 0557
	if m.Version.Or1() == didcomm.V2 {
		name = "disclose" // DIDComm Messaging 2.1
	}
	return p.answer(tx, c, m, name, answer)
}

// answer sends what is disclosed, in the version of the protocol that was asked in.
func (p *Protocol) answer(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message, name string, body any) error {
	t := didcomm.Type{Protocol: protocol, Major: m.Type.Major, Name: name}
	r, err := exchange.Message(m.Version, p.newID(), t, m.Thread, "", body)
	if err != nil {
		return err
	}
	return tx.Send(c, r)
}

// matching returns what is told to a peer that asks this, each feature once.
func (p *Protocol) matching(c didcomm.Connection, queries []queryBody) []Feature {
	if p.Features == nil {
		return nil
	}
	trusted := p.Trust != nil && p.Trust(c)
	var out []Feature
	for _, f := range p.Features(c) {
		if slices.ContainsFunc(queries, func(q queryBody) bool {
			return sameType(q.Type, f.Type) && matches(q.Match, f.ID) && (trusted || named(q.Match, f))
		}) && len(out) < maxFeatures {
			out = append(out, f)
		}
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func (p *Protocol) disclosed(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	features, err := read(m)
	if err != nil {
		return err
	}
	asked, err := questions().End(tx, c.ID, m.Thread, m.Type.Name)
	if err != nil || p.Disclosed == nil {
		return err
	}
	return p.Disclosed(ctx, tx, c, Disclosure{Thread: m.Thread, Asked: asked, Features: features})
}

// Abandon implements [didcomm.Abandoner]: a question that is refused waits no longer.
func (p *Protocol) Abandon(_ context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, _ *didcomm.Problem) (bool, error) {
	return questions().End(tx, c.ID, thread, question.Problem)
}

// Expire forgets the questions that were sent before a time and have no answer, and returns
// how many.
func (p *Protocol) Expire(ctx context.Context, before time.Time) (n int, err error) {
	return questions().Expire(ctx, p.Store, before)
}

func (p *Protocol) now() time.Time {
	if p.Now == nil {
		return time.Now().UTC()
	}
	return p.Now()
}

func (p *Protocol) newID() string {
	if p.NewID == nil {
		return didcomm.NewID()
	}
	return p.NewID()
}

// sameType reports whether two types of features are one.
func sameType(a, b string) bool {
	if a == "decorator" {
		a = TypeHeader
	}
	if b == "decorator" {
		b = TypeHeader
	}
	return a == b
}

// possible reports whether a pattern is one that is matched at all.
func possible(match string) bool {
	return match != "" && len(match) <= maxMatch && strings.Count(match, "*") <= maxWildcards
}

// matches reports whether an id matches a pattern.
func matches(match, id string) bool {
	if !possible(match) {
		return false
	}
	parts := strings.Split(match, "*")
	rest, ok := strings.CutPrefix(id, parts[0])
	if len(parts) == 1 {
		return ok && rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		if !ok {
			return false
		}
		_, rest, ok = strings.Cut(rest, part)
	}
	return ok && strings.HasSuffix(rest, parts[len(parts)-1])
}

// named reports whether a pattern that matches a feature names it: a protocol with its
// name, of which then the version may be left open, anything else in full.
func named(match string, f Feature) bool {
	if f.Type != TypeProtocol {
		return match == f.ID
	}
	known, _, _ := strings.Cut(match, "*")
	name := f.ID[:strings.LastIndexByte(f.ID, '/')+1]
	return name != "" && strings.HasPrefix(known, name)
}
