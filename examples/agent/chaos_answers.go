package main

import (
	"context"
	"sync"
)

// A receiver takes an envelope, and a replier what answers it on the channel it came on.
type (
	receiver = func(ctx context.Context, envelope []byte) error
	replier  = func(ctx context.Context, envelope []byte) error
)

// receiveOn makes the answers in responses to a POST go through the chaos. A response has
// room for one: nothing overtakes it.
func (s *harshSender) receiveOn(f func(context.Context, []byte, replier) error) func(context.Context, []byte, replier) error {
	if s == nil {
		return f
	}
	return func(ctx context.Context, envelope []byte, reply replier) error {
		return f(ctx, envelope, func(ctx context.Context, envelope []byte) error {
			if len(envelope) == 0 {
				return reply(ctx, nil)
			}
			dice := s.roll()
			if err := s.late(ctx, dice); err != nil {
				return err
			}
			return s.pass(dice, func() error { return reply(ctx, envelope) })
		})
	}
}

// open makes what is sent on a WebSocket go through the chaos. When an envelope is lost
// the WebSocket breaks, as it does then. What is held back is lost only if the other end
// closes it meanwhile.
func (s *harshSender) open(f func(replier) (receiver, func())) func(replier) (receiver, func()) {
	if s == nil {
		return f
	}
	return func(reply replier) (receiver, func()) {
		var holding sync.WaitGroup
		receive, closed := f(func(ctx context.Context, envelope []byte) error {
			if len(envelope) == 0 {
				return reply(ctx, nil)
			}
			dice := s.roll()
			if err := s.late(ctx, dice); err != nil {
				return err
			}
			if dice.reorder < s.reorder {
				holding.Go(func() {
					_ = pause(s.ctx, heldBack) // or until the party ends
					ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), maxHeld)
					defer cancel()
					_ = reply(ctx, envelope)
				})
				return nil
			}
			err := s.pass(dice, func() error { return reply(ctx, envelope) })
			if err == errDropped {
				holding.Wait()
				sever(reply, envelope)
			}
			return err
		})
		return receive, func() {
			closed()
			holding.Wait()
		}
	}
}

// sever breaks a WebSocket: one that has no time to send an envelope is closed. Half of
// the calls give up before they try.
func sever(reply replier, envelope []byte) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 64 {
		_ = reply(ctx, envelope)
	}
}
