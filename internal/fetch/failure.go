package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
)

// failure maps an error of net/http. Its text is one of a few: what the other side
// wrote, the URL, which may hold a token, and the names and addresses of this machine's
// network stay out of it. In its chain is nothing of net/http but the end of a context.
func failure(ctx context.Context, err error) error {
	for _, own := range []error{ErrForbiddenAddress, ErrRedirect} {
		if errors.Is(err, own) {
			return own
		}
	}
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(ctx.Err(), end) || errors.Is(err, end) {
			return fmt.Errorf("%w: %w", ErrUnavailable, end)
		}
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, reason(err))
}

// reason says in what an exchange failed.
func reason(err error) string {
	var name *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return "there is no such name"
	case errors.As(err, &name):
		return "the name could not be looked up"
	case isTLS(err):
		return "TLS failed"
	case errors.As(err, &op):
		return "the connection failed"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended too early"
	default:
		return "the answer is not HTTP as it should be"
	}
}

// isTLS knows the errors of handshakes and certificates, and alerts of both sides.
func isTLS(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		record      tls.RecordHeaderError
		op          *net.OpError
	)
	return errors.As(err, &certificate) || errors.As(err, &authority) || errors.As(err, &hostname) || errors.As(err, &record) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}
