package runtime

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"sync"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Limits on how many peers may be answered on the channel they came on. Beyond, the
// oldest must be called instead.
const (
	maxSessions = 4096 // sockets of one process
	// maxStrangerSessions are for who has no connection, of whom there may be many.
	maxStrangerSessions = 128
	// maxPeerSessions are for one peer: several devices, or sockets that died unseen.
	maxPeerSessions = 4
	// maxChannelSessions are on one channel: an agent has few names towards another.
	maxChannelSessions = 32
)

// A channel is what an envelope came on, if its transport can answer there.
type channel struct {
	id    string // of a lasting one; empty if it carries one answer
	reply func(ctx context.Context, envelope []byte) error
	turn  chan struct{} // one token: one reply at a time
	ended bool          // no session may open on it; guarded by the sessions
	open  int           // sessions on it; guarded by them
}

func newChannel(id string, reply func(context.Context, []byte) error) *channel {
	return &channel{id: id, reply: reply, turn: make(chan struct{}, 1)}
}

// send writes one envelope; none at all says that answers may follow.
func (c *channel) send(ctx context.Context, envelope []byte) error {
	if envelope == nil { // at once: a reply under way may wait for who sends it to read on
		return c.reply(ctx, nil)
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.turn }()
	return c.reply(ctx, envelope)
}

// A session says that a peer asked for its messages on a channel (RFC 0092).
type session struct {
	channel    *channel
	peer       string // as peerOf names it
	connection string // empty for a stranger
	thread     string // if set, the messages of that thread only
}

// sessions are those of one agent, oldest first.
type sessions struct {
	mu   sync.Mutex
	open []*session
	byID map[string][]*session // by peer
	soon map[*inbound]*session // of messages that are being handled
}

func newSessions() *sessions {
	return &sessions{byID: make(map[string][]*session), soon: make(map[*inbound]*session)}
}

// promise notes that the session of a message will be opened, drop that it was, or will
// not be.
func (s *sessions) promise(in *inbound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.soon[in] = in.session
}

func (s *sessions) drop(in *inbound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.soon, in)
}

// add opens a session, in the place of one of the same peer on the same channel. If there
// are too many, the oldest of those that there are too many of gives way: of the channel,
// of the peer, of strangers, and at last of the channel that has most.
func (s *sessions) add(n *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.channel.ended { // a message that it brought is handled late
		return
	}
	for _, old := range slices.Clone(s.byID[n.peer]) {
		if old.channel == n.channel {
			s.remove(old)
		}
	}
	if mine := s.byID[n.peer]; len(mine) >= maxPeerSessions {
		s.remove(mine[0])
	}
	if n.channel.open >= maxChannelSessions {
		s.bound(0, func(o *session) bool { return o.channel == n.channel })
	}
	if n.connection == "" {
		s.bound(maxStrangerSessions, func(o *session) bool { return o.connection == "" })
	}
	if len(s.open) >= maxSessions {
		most := s.fullest()
		s.bound(0, func(o *session) bool { return o.channel == most })
	}
	n.channel.open++
	s.open = append(s.open, n)
	s.byID[n.peer] = append(s.byID[n.peer], n)
}

// bound ends the oldest session of a kind if there are as many as the limit.
func (s *sessions) bound(limit int, kind func(*session) bool) {
	var oldest *session
	n := 0
	for _, o := range s.open {
		if kind(o) {
			if n++; n == 1 {
				oldest = o
			}
		}
	}
	if oldest != nil && n >= limit {
		s.remove(oldest)
	}
}

// fullest returns the channel with most sessions.
func (s *sessions) fullest() *channel {
	return slices.MaxFunc(s.open, func(x, y *session) int { return cmp.Compare(x.channel.open, y.channel.open) }).channel
}

// remove ends a session; s.mu is held.
func (s *sessions) remove(o *session) {
	o.channel.open--
	is := func(other *session) bool { return other == o }
	s.open = slices.DeleteFunc(s.open, is)
	if left := slices.DeleteFunc(s.byID[o.peer], is); len(left) > 0 {
		s.byID[o.peer] = left
	} else {
		delete(s.byID, o.peer)
	}
}

// end ends every session on a channel.
func (s *sessions) end(c *channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range slices.Clone(s.open) {
		if o.channel == c {
			s.remove(o)
		}
	}
}

// close ends a channel for good.
func (s *sessions) close(c *channel) {
	s.mu.Lock()
	c.ended = true
	s.mu.Unlock()
	s.end(c)
}

// leave ends the session of one peer on a channel.
func (s *sessions) leave(c *channel, peer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range slices.Clone(s.byID[peer]) {
		if o.channel == c {
			s.remove(o)
		}
	}
}

// find returns the youngest channel for a message to a peer, or to who has its connection
// under another name by now; or nil.
func (s *sessions) find(peer, connection, thread string) *channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	fits := func(o *session) bool { return o.thread == "" || o.thread == thread }
	for _, o := range slices.Backward(s.byID[peer]) {
		if fits(o) {
			return o.channel
		}
	}
	for _, o := range slices.Backward(s.open) {
		if connection != "" && o.connection == connection && fits(o) {
			return o.channel
		}
	}
	return nil
}

// lasting returns the identifier of the channel to which a connection's messages go.
func (s *sessions) lasting(connection string) (id string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := func(o *session) bool {
		return o.connection == connection && o.thread == "" && o.channel.id != "" && !o.channel.ended
	}
	for _, o := range s.soon {
		if found(o) {
			return o.channel.id, true
		}
	}
	for _, o := range slices.Backward(s.open) {
		if found(o) {
			return o.channel.id, true
		}
	}
	return "", false
}

// Open registers a lasting channel to somebody, such as a WebSocket. Every envelope
// that comes on it is given to receive, which is [Agent.Receive]; reply and what goes
// through it are those of [Agent.ReceiveOn]. When the channel has ended, closed must be
// called.
func (a *Agent) Open(reply func(ctx context.Context, envelope []byte) error) (receive func(ctx context.Context, envelope []byte) error, closed func()) {
	c := newChannel(rand.Text(), reply)
	return func(ctx context.Context, envelope []byte) error { return a.receive(ctx, envelope, c, a.patiently) },
		func() { a.sessions.close(c) }
}

// Session names the lasting channel ([Agent.Open]) to which messages of a connection go
// now, if there is one. It can be called in a transaction, and knows the channel of the
// message that is being handled.
func (a *Agent) Session(connection string) (id string, ok bool) {
	return a.sessions.lasting(connection)
}

// Reached says that the peer of a connection can be reached now, as when a channel to it
// is open again: what waits for it is tried at once.
func (a *Agent) Reached(connection string) {
	if r := a.running(); r != nil {
		r.hurry(connection)
	}
}

// answerOn notes the session that a message asks for on the channel it came on, or ends
// the one it wants no more. The session opens when the message has been handled: what is
// not remembered can be played again by anybody, on a channel of its own.
func (a *Agent) answerOn(c *channel, in *inbound, connection string) {
	if c == nil || !in.authenticated || in.reaction.anonymous != nil {
		return
	}
	peer := name(in.keys.Sender)
	if in.m.Version == didcomm.V2 {
		peer = "did/" + nameDID(in.keys.From)
	}
	thread := ""
	switch in.m.ReturnRoute {
	case "thread":
		if thread = returnThread(in.m); thread == "" {
			thread = in.m.Thread
		}
	case "all":
	case "none":
		a.sessions.leave(c, peer)
		return
	default:
		return
	}
	in.session = &session{channel: c, peer: peer, connection: connection, thread: thread}
	a.sessions.promise(in)
}

// opened opens the session of a message that was handled.
func (a *Agent) opened(n *session) {
	a.sessions.add(n)
	if r := a.running(); r != nil {
		r.arrived(n.peer)
	}
}

// returnThread is the thread that return_route "thread" names (RFC 0092, "Reference").
func returnThread(m *didcomm.Message) string {
	var body struct {
		Transport struct {
			Thread string `json:"return_route_thread"`
		} `json:"~transport"`
	}
	if m.Version == didcomm.V2 || m.Decode(&body) != nil {
		return ""
	}
	return body.Transport.Thread
}
