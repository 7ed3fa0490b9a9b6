package wire

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	// TimeoutDefault bounds a call whose Config names no Timeout.
	TimeoutDefault = 10 * time.Second
	// BodyMax is the longest body of a reply that is read: 1 MiB.
	BodyMax = 1 << 20

	headerMax = 64 << 10
)

// Config is what a partner's package gives. Its zero value is useful.
type Config struct {
	// Timeout bounds a whole call, from the look-up of the host to the last byte of the
	// body; 0 is TimeoutDefault. It must be shorter than the timeout of the activity that
	// calls, so that a call never outlives its attempt.
	Timeout time.Duration
	// TLS carries roots and client certificates; nil takes the system's. It is copied, and
	// versions below 1.2 are refused whatever it says.
	TLS *tls.Config
}

// Client makes calls to one partner. It may be used by many goroutines.
type Client struct {
	transport *http.Transport
	timeout   time.Duration
}

// New returns a client. It opens no connection and cannot fail.
func New(config Config) *Client {
	secure := &tls.Config{}
	if config.TLS != nil {
		secure = config.TLS.Clone()
	}
	secure.MinVersion = max(secure.MinVersion, tls.VersionTLS12)
	if secure.ClientSessionCache == nil {
		secure.ClientSessionCache = tls.NewLRUClientSessionCache(0) // cheaper handshakes
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &Client{
		timeout: cmp.Or(config.Timeout, TimeoutDefault),
		transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        secure,
			Protocols:              protocols,
			DisableKeepAlives:      true,
			DisableCompression:     true, // a small body must not unpack into a large one
			MaxResponseHeaderBytes: headerMax,
		},
	}
}

// Reply is an answer that has been read to its end.
type Reply struct {
	// Status is the code of the status line. Any code is a Reply, 3xx and 5xx too.
	Status int
	Header http.Header
	// Body holds at most BodyMax bytes; what it says is untrusted.
	Body []byte
}

// Code names the status for operators: "HTTP 503".
func (r Reply) Code() string { return fmt.Sprintf("HTTP %d", r.Status) }

// Call sends the request once and reads the whole reply. The context given replaces the
// request's own; the body is read at most once. Every error is an *Error.
//
// Call returns only when nothing of the request can be written any more, so Error.Sent is
// final.
func (c *Client) Call(ctx context.Context, request *http.Request) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if deadline, _ := ctx.Deadline(); !time.Now().Before(deadline) {
		// The process stood still: its timers are later than this, and somebody else has
		// taken over. Nothing must leave.
		return Reply{}, &Error{Code: CodeTimeout, Err: context.DeadlineExceeded}
	}
	var seen progress
	once := request.Clone(httptrace.WithClientTrace(ctx, seen.trace()))
	once.GetBody = nil // net/http replays only what it can rewind

	// The transport itself and not an http.Client: that would follow redirects, and would
	// repeat the URL in its errors.
	response, err := c.transport.RoundTrip(once)
	if err != nil {
		return Reply{}, seen.failure(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := read(response)
	if err != nil {
		e := seen.failure(err)
		e.Sent, e.Status = true, response.StatusCode
		return Reply{}, e
	}
	return Reply{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

var errTooLong = errors.New("the body of the reply exceeds the limit")

// read reads the body, which a 101 has not: what follows it is not HTTP any more, and
// net/http leaves the end of that connection to us, so that no timeout would end the wait.
func read(response *http.Response) ([]byte, error) {
	if response.StatusCode == http.StatusSwitchingProtocols {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, BodyMax+1))
	if err != nil {
		return nil, err
	}
	if len(body) > BodyMax {
		return nil, errTooLong
	}
	return body, nil
}

// progress is how far a call has come. Its hooks run on net/http's goroutines.
type progress struct{ written, handshakeFailed atomic.Bool }

// trace marks a request as written with its first header line: net/http buffers at least
// that line, so nothing can have left before the mark. It errs towards "sent".
func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) { p.handshakeFailed.Store(err != nil) },
		WroteHeaderField: func(string, []string) { p.written.Store(true) },
		WroteHeaders:     func() { p.written.Store(true) },
	}
}

func (p *progress) failure(err error) *Error {
	if refusedByHandshake(err) {
		return &Error{Code: CodeTLS, Err: err}
	}
	e := &Error{Sent: p.written.Load(), Err: err}
	e.Code = codeOf(err, e.Sent)
	if e.Code == CodeNoConnect && p.handshakeFailed.Load() {
		e.Code = CodeTLS
	}
	return e
}
