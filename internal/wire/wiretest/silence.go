package wiretest

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/dialtone/dialtone/internal/wire"
)

// Silence is one way in which a call brings no whole reply.
type Silence struct {
	Name string
	// Want is what wire.Call must say of it, but for the cause.
	Want wire.Error

	play func(testing.TB) (context.Context, string)
}

// Play sets it up. A call to the address, with that context and any request, ends so, and
// it ends by itself: no time passes, and no timeout of the client is needed.
func (s Silence) Play(tb testing.TB) (ctx context.Context, url string) {
	tb.Helper()
	return s.play(tb)
}

// Silences lists them all: before a byte of the request has left, after it, and in the
// middle of a reply.
func Silences() []Silence {
	var all []Silence
	all = append(all, unsent()...)
	all = append(all, unanswered()...)
	return append(all, halves()...)
}

func unsent() []Silence {
	return []Silence{
		{"ConnectionRefused", wire.Error{Code: wire.CodeRefused}, at("http://127.0.0.1:1")}, // tcpmux: nobody listens there
		{"HostUnknown", wire.Error{Code: wire.CodeNoHost}, at("https://partner..invalid")},  // not even a resolver is asked
		{"CertificateNotTrusted", wire.Error{Code: wire.CodeTLS}, func(tb testing.TB) (context.Context, string) {
			server := plain(tb)
			server.StartTLS()
			return tb.Context(), server.URL
		}},
		{"NoTLS", wire.Error{Code: wire.CodeTLS}, func(tb testing.TB) (context.Context, string) {
			server := plain(tb)
			server.Start()
			return tb.Context(), overTLS(server.URL)
		}},
		{"ResetInTheHandshake", wire.Error{Code: wire.CodeTLS}, secure(func(conn net.Conn) { aByte(conn); reset(conn) })},
		{"ClosedInTheHandshake", wire.Error{Code: wire.CodeTLS}, secure(aByte)},
		{"TimeoutInTheHandshake", wire.Error{Code: wire.CodeTimeout}, func(tb testing.TB) (context.Context, string) {
			ctx := newHourglass(tb)
			return ctx, overTLS(Listen(tb, func(conn net.Conn) { aByte(conn); ctx.turn(); hold(conn) }))
		}},
		{"CalledOffBefore", wire.Error{Code: wire.CodeCancelled}, func(tb testing.TB) (context.Context, string) {
			ctx, cancel := context.WithCancel(tb.Context())
			cancel()
			return ctx, "http://127.0.0.1:1"
		}},
	}
}

func unanswered() []Silence {
	return []Silence{
		{"ResetAfterTheFirstByte", sent(wire.CodeReset), talk(func(conn net.Conn) { aByte(conn); reset(conn) })},
		{"ResetAfterTheRequest", sent(wire.CodeReset), talk(func(conn net.Conn) { ReadRequest(conn); reset(conn) })},
		{"ClosedAfterTheRequest", sent(wire.CodeClosed), talk(func(conn net.Conn) { ReadRequest(conn) })},
		{"TimeoutAfterTheRequest", sent(wire.CodeTimeout), func(tb testing.TB) (context.Context, string) {
			ctx := newHourglass(tb)
			return ctx, Listen(tb, func(conn net.Conn) { ReadRequest(conn); ctx.turn(); hold(conn) })
		}},
		{"CalledOffAfterTheRequest", sent(wire.CodeCancelled), func(tb testing.TB) (context.Context, string) {
			ctx, cancel := context.WithCancel(tb.Context())
			return ctx, Listen(tb, func(conn net.Conn) { ReadRequest(conn); cancel(); hold(conn) })
		}},
		{"NotHTTP", sent(wire.CodeBroken), says("220 mail.example.com ESMTP\r\n\r\n")},
		{"ClosedInTheStatusLine", sent(wire.CodeBroken), says("HTTP/1.1 2")},
		{"ClosedInTheHeader", sent(wire.CodeClosed), says("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")},
		{"HeaderTooLong", sent(wire.CodeBroken), says("HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", 1<<17) + "\r\n\r\n")},
		// A 1xx other than 101 is no reply: the reply comes after it, or does not.
		{"ClosedAfterEarlyHints", sent(wire.CodeClosed), says("HTTP/1.1 103 Early Hints\r\n\r\n")},
	}
}

// halves are replies whose status line came and whose body did not, or not in full.
func halves() []Silence {
	half := func(status int, code string) wire.Error { return wire.Error{Sent: true, Status: status, Code: code} }
	cut := func(status int) func(testing.TB) (context.Context, string) { return says(head(status, "", 10) + "{") }
	long := func(status int) func(testing.TB) (context.Context, string) {
		return says(head(status, "", wire.BodyMax+1) + strings.Repeat("x", wire.BodyMax+1))
	}
	return []Silence{
		{"200CutShort", half(200, wire.CodeClosed), cut(200)},
		{"201CutShort", half(201, wire.CodeClosed), cut(201)},
		{"202CutShort", half(202, wire.CodeClosed), cut(202)},
		{"307CutShort", half(307, wire.CodeClosed), cut(307)},
		{"400CutShort", half(400, wire.CodeClosed), cut(400)},
		{"401CutShort", half(401, wire.CodeClosed), cut(401)},
		{"403CutShort", half(403, wire.CodeClosed), cut(403)},
		{"404CutShort", half(404, wire.CodeClosed), cut(404)},
		{"409CutShort", half(409, wire.CodeClosed), cut(409)},
		{"413CutShort", half(413, wire.CodeClosed), cut(413)},
		{"429CutShort", half(429, wire.CodeClosed), cut(429)},
		{"500CutShort", half(500, wire.CodeClosed), cut(500)},
		{"503CutShort", half(503, wire.CodeClosed), cut(503)},
		{"200ResetInTheBody", half(200, wire.CodeReset), talk(func(conn net.Conn) { almostAll(conn, 200); reset(conn) })},
		{"200TimeoutInTheBody", half(200, wire.CodeTimeout), func(tb testing.TB) (context.Context, string) {
			ctx := newHourglass(tb)
			return ctx, Listen(tb, func(conn net.Conn) { almostAll(conn, 200); ctx.turn(); hold(conn) })
		}},
		{"200BadlyChunked", half(200, wire.CodeBroken), says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nten\r\n")},
		{"200TooLong", half(200, wire.CodeTooLong), long(200)},
		{"201TooLong", half(201, wire.CodeTooLong), long(201)},
		{"202TooLong", half(202, wire.CodeTooLong), long(202)},
		{"403TooLong", half(403, wire.CodeTooLong), long(403)},
		{"500TooLong", half(500, wire.CodeTooLong), long(500)},
		{"503TooLong", half(503, wire.CodeTooLong), long(503)},
	}
}

func sent(code string) wire.Error { return wire.Error{Sent: true, Code: code} }

func at(url string) func(testing.TB) (context.Context, string) {
	return func(tb testing.TB) (context.Context, string) { return tb.Context(), url }
}

// talk is a partner that does what it is told at each connection.
func talk(tell func(net.Conn)) func(testing.TB) (context.Context, string) {
	return func(tb testing.TB) (context.Context, string) { return tb.Context(), Listen(tb, tell) }
}

// secure is one that is called over TLS.
func secure(tell func(net.Conn)) func(testing.TB) (context.Context, string) {
	return func(tb testing.TB) (context.Context, string) { return tb.Context(), overTLS(Listen(tb, tell)) }
}

// says is one that reads the request, writes this and closes.
func says(raw string) func(testing.TB) (context.Context, string) {
	return talk(func(conn net.Conn) {
		if ReadRequest(conn) {
			_, _ = io.WriteString(conn, raw)
		}
	})
}

// almostAll reads the request and answers all but the last byte of a body that is longer
// than what the sockets between can hold. So when it returns the caller is certainly past
// the status line and reading the body.
func almostAll(conn net.Conn, status int) {
	if !ReadRequest(conn) {
		return
	}
	_ = conn.(*net.TCPConn).SetWriteBuffer(1 << 12)
	_, _ = io.WriteString(conn, head(status, "", wire.BodyMax)+strings.Repeat("x", wire.BodyMax-1))
}

// hourglass is a context whose time is over when somebody turns it, which makes a timeout
// happen at an exact place of a call, on any machine.
type hourglass struct {
	context.Context

	empty chan struct{}
}

func newHourglass(tb testing.TB) hourglass { return hourglass{tb.Context(), make(chan struct{})} }

func (h hourglass) turn() { close(h.empty) }

// Done implements context.Context.
func (h hourglass) Done() <-chan struct{} { return h.empty }

// Err implements context.Context.
func (h hourglass) Err() error {
	select {
	case <-h.empty:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
