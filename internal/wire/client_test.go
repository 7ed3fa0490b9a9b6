package wire

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// nobody listens at the port of tcpmux.
const nobody = "http://127.0.0.1:1"

func TestCall(t *testing.T) {
	t.Parallel()

	t.Run("GivesTheWholeReply", func(t *testing.T) {
		t.Parallel()
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			sent, _ := io.ReadAll(r.Body)
			w.Header().Set("X-Seen", r.Method+" "+string(sent))
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, "short and stout")
		})

		reply, err := New(Config{}).Call(t.Context(), post(t, url))
		if err != nil {
			t.Fatal(err)
		}

		want := Reply{Status: http.StatusTeapot, Body: []byte("short and stout")}
		if diff := cmp.Diff(want, reply, cmpopts.IgnoreFields(Reply{}, "Header")); diff != "" {
			t.Errorf("reply (-want +got):\n%s", diff)
		}
		if got, want := reply.Header.Get("X-Seen"), "POST body"; got != want {
			t.Errorf("server saw %q, want %q", got, want)
		}
		if got, want := reply.Code(), "HTTP 418"; got != want {
			t.Errorf("code %q, want %q", got, want)
		}
	})

	t.Run("FollowsNoRedirect", func(t *testing.T) {
		t.Parallel()
		var calls atomic.Int32
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		})

		reply, err := New(Config{}).Call(t.Context(), post(t, url))

		if err != nil || reply.Status != http.StatusTemporaryRedirect || calls.Load() != 1 {
			t.Errorf("got %d, %v after %d calls, want the 307 itself after one", reply.Status, err, calls.Load())
		}
	})
}

func TestCallIsBounded(t *testing.T) {
	t.Parallel()

	t.Run("ReadsBodiesUpToTheLimit", func(t *testing.T) {
		t.Parallel()
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			size := BodyMax
			if r.URL.Path == "/more" {
				size++
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write(bytes.Repeat([]byte("x"), size))
		})

		reply, err := New(Config{}).Call(t.Context(), post(t, url))
		if err != nil || len(reply.Body) != BodyMax {
			t.Fatalf("got %d bytes, %v, want all", len(reply.Body), err)
		}
		_, err = New(Config{}).Call(t.Context(), post(t, url+"/more"))

		wantError(t, err, Error{Sent: true, Status: http.StatusServiceUnavailable, Code: CodeTooLong})
	})

	t.Run("NamesTheStatusOfABodyCutShort", func(t *testing.T) {
		t.Parallel()
		url := listen(t, func(conn net.Conn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 401 No\r\nContent-Length: 10\r\n\r\nfive.")
		})

		_, err := New(Config{}).Call(t.Context(), post(t, url))

		wantError(t, err, Error{Sent: true, Status: http.StatusUnauthorized, Code: CodeClosed})
	})
}

// TestOneTry forbids net/http's own replay. The request is of the kind that it would send
// again: idempotent by its header, and with a body that can be rewound.
func TestOneTry(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	url := listen(t, func(conn net.Conn) {
		for readRequest(conn) {
			if requests.Add(1) == 1 {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n")
				continue
			}
			return // read, perhaps acted upon, and never answered
		}
	})
	client := New(Config{})
	request := func() *http.Request {
		r := post(t, url)
		r.Header.Set("Idempotency-Key", "k")
		return r
	}

	if _, err := client.Call(t.Context(), request()); err != nil {
		t.Fatal(err)
	}
	_, err := client.Call(t.Context(), request())

	wantError(t, err, Error{Sent: true, Code: CodeClosed})
	if got := requests.Load(); got != 2 {
		t.Errorf("the partner saw %d requests, want 2: one a call", got)
	}
}

func TestNotSent(t *testing.T) {
	t.Parallel()

	t.Run("WhenTheConnectionIsRefused", func(t *testing.T) {
		t.Parallel()
		_, err := New(Config{}).Call(t.Context(), post(t, nobody))

		wantError(t, err, Error{Code: CodeRefused})
	})

	t.Run("WhenTheHostIsUnknown", func(t *testing.T) {
		t.Parallel()
		_, err := New(Config{}).Call(t.Context(), post(t, "http://partner..invalid"))

		wantError(t, err, Error{Code: CodeNoHost})
	})

	t.Run("WhenTheContextIsOver", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()

		_, err := New(Config{}).Call(ctx, post(t, nobody))

		wantError(t, err, Error{Code: CodeCancelled})
	})

	t.Run("WhenTheServerIsNotTrusted", func(t *testing.T) {
		t.Parallel()
		server := serveTLS(t, nil)

		_, err := New(Config{}).Call(t.Context(), post(t, server.URL))

		wantError(t, err, Error{Code: CodeTLS})
	})

	t.Run("WhenTheServerSpeaksNoTLS", func(t *testing.T) {
		t.Parallel()
		url := serve(t, func(http.ResponseWriter, *http.Request) {})

		_, err := New(Config{}).Call(t.Context(), post(t, strings.Replace(url, "http:", "https:", 1)))

		wantError(t, err, Error{Code: CodeTLS})
	})

	// In TLS 1.3 this refusal arrives after the request was written.
	t.Run("WhenTheClientCertificateIsMissing", func(t *testing.T) {
		t.Parallel()
		server := serveTLS(t, &tls.Config{ClientAuth: tls.RequireAnyClientCert})
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())

		_, err := New(Config{TLS: &tls.Config{RootCAs: roots}}).Call(t.Context(), post(t, server.URL))

		wantError(t, err, Error{Code: CodeTLS})
	})

	t.Run("WhenTimeEndsInTheHandshake", func(t *testing.T) {
		t.Parallel()
		url := listen(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })

		_, err := New(Config{Timeout: time.Millisecond}).
			Call(t.Context(), post(t, strings.Replace(url, "http:", "https:", 1)))

		wantError(t, err, Error{Code: CodeTimeout})
	})
}

func TestSent(t *testing.T) {
	t.Parallel()

	t.Run("WhenTimeEndsAfterTheRequest", func(t *testing.T) {
		t.Parallel()
		ctx := hourglass{t.Context(), make(chan struct{})}
		url := listen(t, func(conn net.Conn) {
			readRequest(conn)
			close(ctx.empty)
			_, _ = io.Copy(io.Discard, conn)
		})

		_, err := New(Config{}).Call(ctx, post(t, url))

		wantError(t, err, Error{Sent: true, Code: CodeTimeout})
	})

	t.Run("WhenTheCallerGivesUpAfterTheRequest", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		url := listen(t, func(conn net.Conn) {
			readRequest(conn)
			cancel()
			_, _ = io.Copy(io.Discard, conn)
		})

		_, err := New(Config{}).Call(ctx, post(t, url))

		wantError(t, err, Error{Sent: true, Code: CodeCancelled})
	})

	t.Run("WhenTheConnectionIsClosedUnanswered", func(t *testing.T) {
		t.Parallel()
		url := listen(t, func(conn net.Conn) { readRequest(conn) })

		_, err := New(Config{}).Call(t.Context(), post(t, url))

		wantError(t, err, Error{Sent: true, Code: CodeClosed})
	})

	t.Run("WhenTheConnectionIsReset", func(t *testing.T) {
		t.Parallel()
		url := listen(t, func(conn net.Conn) {
			readRequest(conn)
			_ = conn.(*net.TCPConn).SetLinger(0)
		})

		_, err := New(Config{}).Call(t.Context(), post(t, url))

		wantError(t, err, Error{Sent: true, Code: CodeReset})
	})

	t.Run("WhenTheReplyIsNotHTTP", func(t *testing.T) {
		t.Parallel()
		url := listen(t, func(conn net.Conn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, "220 mail.example.com ESMTP\r\n\r\n")
		})

		_, err := New(Config{}).Call(t.Context(), post(t, url))

		wantError(t, err, Error{Sent: true, Code: CodeBroken})
	})
}

func TestErrorOf(t *testing.T) {
	t.Parallel()

	if got := ErrorOf(nil); got != nil {
		t.Errorf("ErrorOf(nil) = %v, want nil", got)
	}
	inner := &Error{Code: CodeTLS}
	if got := ErrorOf(fmt.Errorf("order: %w", inner)); got != inner {
		t.Errorf("got %v, want the error in the chain", got)
	}
	wantError(t, ErrorOf(io.EOF), Error{Sent: true, Code: CodeBroken})
}

// hourglass is a context whose time is over when the test says so.
type hourglass struct {
	context.Context
	empty chan struct{}
}

func (h hourglass) Done() <-chan struct{} { return h.empty }

func (h hourglass) Err() error {
	select {
	case <-h.empty:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func wantError(t *testing.T, err error, want Error) {
	t.Helper()
	got, ok := err.(*Error)
	if !ok {
		t.Fatalf("got %T %v, want an *Error", err, err)
	}
	if got.Err == nil {
		t.Error("the cause is missing")
	}
	if diff := cmp.Diff(&want, got, cmpopts.IgnoreFields(Error{}, "Err")); diff != "" {
		t.Errorf("error (-want +got):\n%s\ncause: %v", diff, got.Err)
	}
}

func post(t *testing.T, url string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	return request
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func serveTLS(t *testing.T, config *tls.Config) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the request was served, want it refused in the handshake")
	}))
	server.TLS = config
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// listen plays a partner below HTTP: it closes each connection when talk returns.
func listen(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				talk(conn)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// readRequest reads one whole request and says whether there was one.
func readRequest(conn net.Conn) bool {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, request.Body)
	return err == nil
}
