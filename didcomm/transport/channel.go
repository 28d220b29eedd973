package transport

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/staffpassport/staffpassport/didcomm"
)

const (
	// pingTime is how often an end makes sure that the other is there. Address
	// translators forget a connection after some minutes.
	pingTime = 30 * time.Second
	// pongTime is how long the answer may take: the other end reads no further while it
	// works on an envelope.
	pongTime = receiveTime + 15*time.Second
	// replyTime bounds one answer, from its turn to the pong.
	replyTime = 30 * time.Second
)

// A channel is one open WebSocket (RFC 6455), seen from either end.
type channel struct {
	conn   *websocket.Conn
	turn   chan struct{} // with room for one: an envelope is under way
	binary atomic.Bool   // the kind of message that the other end sends
	used   atomic.Bool   // an envelope went over it, whichever way
	status atomic.Int64  // the code that ended it, or -1 without one
	done   chan struct{} // closed: nothing is read from it any more
}

func newChannel(conn *websocket.Conn) *channel {
	conn.SetReadLimit(didcomm.MaxEnvelope)
	c := &channel{conn: conn, turn: make(chan struct{}, 1), done: make(chan struct{})}
	c.status.Store(-1)
	return c
}

// send sends one envelope when its turn comes, and returns once the other end has
// answered the ping behind it. After an error the channel is closed.
func (c *channel) send(ctx context.Context, envelope []byte) error {
	select {
	case c.turn <- struct{}{}:
	case <-c.done:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.turn }()
	kind := websocket.MessageText
	if c.binary.Load() {
		kind = websocket.MessageBinary
	}
	err := c.conn.Write(ctx, kind, envelope)
	if err == nil {
		err = c.conn.Ping(ctx)
	}
	if err == nil {
		c.used.Store(true)
		return nil
	}
	_ = c.conn.CloseNow()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// Why it ended is in the frame that the reader has seen, or sees now.
	wait := time.NewTimer(time.Second)
	defer wait.Stop()
	select {
	case <-c.done:
	case <-wait.C:
	}
	switch websocket.StatusCode(c.status.Load()) {
	case websocket.StatusPolicyViolation, websocket.StatusMessageTooBig, websocket.StatusUnsupportedData, websocket.StatusInvalidFramePayloadData:
		return errRefused
	}
	return errEnded
}

// errRefused says that the other end ended a channel because of what was sent.
var errRefused = errors.New("transport: refused")

// receive reads envelopes until the channel ends, and hands each to take before it
// reads on. An error of take ends it, with the code that the error stands for.
func (c *channel) receive(ctx context.Context, admit admission, take func(ctx context.Context, envelope []byte) error) {
	defer close(c.done)
	defer func() { _ = c.conn.CloseNow() }()
	for {
		envelope, leave, err := c.next(ctx, admit)
		if err == nil {
			c.used.Store(true)
			err = work(ctx, envelope, take)
			leave()
		}
		var code closing
		if errors.As(err, &code) {
			c.status.Store(int64(code))
			_ = c.conn.Close(websocket.StatusCode(code), "")
			return
		}
		if err != nil {
			c.status.Store(int64(websocket.CloseStatus(err)))
			return
		}
	}
}

// A closing is the code with which an end closes a channel.
type closing websocket.StatusCode

// Error implements error.
func (closing) Error() string { return "transport: channel closed" }

// An admission lets an envelope in, whose rest it has read in its own time. If ok, leave
// is called when the work on it is done.
type admission func(long bool, rest func() bool) (leave func(), ok bool)

// anyway is the admission of an end that has one peer, which it chose.
func anyway(_ bool, rest func() bool) (leave func(), ok bool) { return func() {}, rest() }

// next reads one envelope.
func (c *channel) next(ctx context.Context, admit admission) (envelope []byte, leave func(), err error) {
	kind, r, err := c.conn.Reader(ctx)
	if err != nil {
		return nil, nil, err
	}
	c.binary.Store(kind == websocket.MessageBinary)
	late := time.AfterFunc(bodyTime, func() { _ = c.conn.CloseNow() })
	defer late.Stop()
	small, err := io.ReadAll(io.LimitReader(r, smallEnvelope))
	if err != nil {
		return nil, nil, err
	}
	leave, ok := admit(len(small) == smallEnvelope, func() bool {
		var rest []byte
		rest, err = io.ReadAll(r)
		if err == nil && len(small) == 0 {
			err = closing(websocket.StatusPolicyViolation)
		}
		envelope = append(small, rest...)
		return err == nil
	})
	if err == nil && !ok {
		err = closing(websocket.StatusTryAgainLater)
	}
	return envelope, leave, err
}

// work hands an envelope over. The error is nil or a closing.
func work(ctx context.Context, envelope []byte, take func(ctx context.Context, envelope []byte) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), receiveTime)
	defer cancel()
	switch err := take(ctx, envelope); {
	case err == nil:
		return nil
	case never(err):
		return closing(websocket.StatusPolicyViolation)
	default:
		return closing(websocket.StatusTryAgainLater)
	}
}

// keep closes the channel once the other end answers no more.
func (c *channel) keep(ctx context.Context) {
	ticker := time.NewTicker(pingTime)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-c.done:
			return
		}
		ping, cancel := context.WithTimeout(ctx, pongTime)
		err := c.conn.Ping(ping)
		cancel()
		if err != nil {
			_ = c.conn.CloseNow()
			return
		}
	}
}
