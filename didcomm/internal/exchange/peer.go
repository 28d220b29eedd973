package exchange

import (
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/didcomm"
)

// ErrGone says that the connection of an exchange is not there, or not any more. It
// matches [didcomm.ErrNotFound].
var ErrGone = fmt.Errorf("%w: the connection", didcomm.ErrNotFound)

// CodeGone is the code of an exchange that ends because its connection did.
const CodeGone = "peer-gone"

// Connection returns the connection of an exchange, or [ErrGone].
func Connection(tx didcomm.Tx, id string) (didcomm.Connection, error) {
	c, err := tx.Connection(id)
	if errors.Is(err, didcomm.ErrNotFound) {
		return c, ErrGone
	}
	return c, err
}

// Gone reports whether an error says that there is nobody to send to any more: what was
// to be done then is done all the same, and only the message is left out.
func Gone(err error) bool { return errors.Is(err, ErrGone) }

// Report tells the peer of an exchange that it is abandoned, if there still is one.
// Name is the type of the report in the version of the connection, and id its own.
func Report(tx didcomm.Tx, connection, thread string, name func(didcomm.Version) didcomm.Type, id string, p didcomm.Problem) error {
	c, err := Connection(tx, connection)
	if Gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	v := c.Version.Or1()
	report, err := p.Report(id, &didcomm.Message{Version: v, Type: name(v), Thread: thread})
	if err != nil {
		return err
	}
	return tx.Send(c, report)
}

// The codes of a message that is rejected while its thread, if it has one, goes
// on: warnings in the sense of RFC 0035, "Unknown Error".
const (
	CodeOutOfOrder = "w.m.req.out-of-order"
	CodeNoThread   = "w.m.req.unknown-thread"
)

// Undeliverable is the code under which a runtime reports its own failure.
const Undeliverable = "undeliverable"

// Refuse rejects a message without changing anything.
func Refuse(code, comment string, err error) error {
	return &didcomm.Problem{Code: code, Comment: comment, Err: err}
}

// CheckVersion refuses a message of one version in the form of the other, whose major
// version is that of its protocol. A connection has one of them.
func CheckVersion(c didcomm.Connection, m *didcomm.Message, major func(didcomm.Version) int) error {
	if v := m.Version.Or1(); v != c.Version.Or1() || m.Type.Major != major(v) {
		return Refuse(CodeNoThread, "This version of the protocol is not that of the connection.", nil)
	}
	return nil
}

// Unexpected rejects a message that does not fit the state of its thread, which may
// never have begun.
func Unexpected(begun bool, err error) error {
	if !begun {
		return Refuse(CodeNoThread, "There is no exchange in this thread that this message belongs to.", err)
	}
	return Refuse(CodeOutOfOrder, "The exchange in this thread does not expect this message now.", err)
}
