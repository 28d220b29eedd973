package runtime

import (
	"context"
	"errors"
)

// maxEarly is how many messages that came before their connection are held at once.
const maxEarly = 16

// patiently runs f, and again each time a connection is saved for a while, as long as the
// connection of its message is not established. An agent may send the last message of the exchange
// that makes the connection, and the first on it, at the same moment on two requests;
// some never try again what was refused.
func (a *Agent) patiently(ctx context.Context, f func() error) error {
	seen, _ := a.connected.state()
	err := f()
	if !errors.Is(err, ErrNotEstablished) || a.config.Patience < 0 {
		return err
	}
	select {
	case a.early <- struct{}{}:
		defer func() { <-a.early }()
	default:
		return err
	}
	held, cancel := context.WithTimeout(ctx, a.config.Patience)
	defer cancel()
	for errors.Is(err, ErrNotEstablished) {
		var late error
		if seen, late = a.connected.wait(held, seen); late != nil {
			break
		}
		err = f()
	}
	return err
}
