package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"syscall"
)

// The codes of calls that brought no reply. Operators see them.
const (
	CodeRefused   = "connection refused"
	CodeNoHost    = "host not found"
	CodeTLS       = "TLS failed"
	CodeNoConnect = "no connection"
	CodeTimeout   = "timeout"
	CodeCancelled = "cancelled"
	CodeReset     = "connection reset"
	CodeClosed    = "connection closed"
	CodeTooLong   = "reply too long"
	CodeBroken    = "reply broken"
)

// Error is a call that brought no whole reply.
type Error struct {
	// Sent says that a byte of the request may have left, and so that the partner may have
	// acted. It is false only where that is certain.
	Sent bool
	// Status is the reply's, when its status line came and its body did not; else 0.
	Status int
	// Code is one of the codes above.
	Code string
	// Err is the cause. It may name hosts and addresses: for logs at the edge only.
	Err error
}

// Error says the code and nothing of the cause.
func (e *Error) Error() string {
	if e.Sent {
		return e.Code + " (a byte has left)"
	}
	return e.Code + " (no byte has left)"
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorOf returns the *Error in err's chain. An error that does not come from Call is
// given one that says Sent: what nobody has judged is never taken for a no. It is nil
// only for nil.
func ErrorOf(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Sent: true, Code: CodeBroken, Err: err}
}

func codeOf(err error, sent bool) string {
	switch {
	case errors.Is(err, context.Canceled):
		return CodeCancelled
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return CodeTimeout
	case errors.Is(err, errTooLong):
		return CodeTooLong
	case isDNS(err):
		return CodeNoHost
	case errors.Is(err, syscall.ECONNREFUSED):
		return CodeRefused
	case !sent:
		return CodeNoConnect
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		// While the request is still being written, net/http may notice the reset as it reads,
		// close the connection, and then tell of the write that this broke off.
		errors.Is(err, net.ErrClosed):
		return CodeReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return CodeClosed
	default:
		return CodeBroken
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

func isDNS(err error) bool {
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

// refusedByHandshake knows the alerts by which a TLS server refuses a handshake
// (RFC 8446 §6.2). In TLS 1.3 a client is done before the server has looked at its
// certificate, so that a refused certificate shows only after the request was written; but
// a server that refuses the handshake has read none of it, and the act has not happened.
// Alerts that can also come later, such as internal_error, are not among them.
func refusedByHandshake(err error) bool {
	remote, ok := errors.AsType[*net.OpError](err)
	if !ok || remote.Op != "remote error" {
		return false
	}
	// crypto/tls keeps the type of its alerts to itself; it is a uint8.
	alert := reflect.ValueOf(remote.Err)
	if alert.Kind() != reflect.Uint8 {
		return false
	}
	switch alert.Uint() {
	case 40, // handshake_failure
		42, 43, 44, 45, 46, // bad, unsupported, revoked, expired and unknown certificate
		48, 49, // unknown_ca, access_denied
		70, 71, // protocol_version, insufficient_security
		112, // unrecognized_name
		116: // certificate_required
		return true
	}
	return false
}
