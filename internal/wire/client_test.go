package wire_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dialtone/dialtone/internal/wire"
	"github.com/dialtone/dialtone/internal/wire/wiretest"
)

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

		reply, err := wire.New(wire.Config{}).Call(t.Context(), post(t, url))
		if err != nil {
			t.Fatal(err)
		}

		want := wire.Reply{Status: http.StatusTeapot, Body: []byte("short and stout")}
		if diff := cmp.Diff(want, reply, cmpopts.IgnoreFields(wire.Reply{}, "Header")); diff != "" {
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

		reply, err := wire.New(wire.Config{}).Call(t.Context(), post(t, url))

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
			size := wire.BodyMax
			if r.URL.Path == "/more" {
				size++
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write(bytes.Repeat([]byte("x"), size))
		})

		reply, err := wire.New(wire.Config{}).Call(t.Context(), post(t, url))
		if err != nil || len(reply.Body) != wire.BodyMax {
			t.Fatalf("got %d bytes, %v, want all", len(reply.Body), err)
		}
		_, err = wire.New(wire.Config{}).Call(t.Context(), post(t, url+"/more"))

		wantError(t, err, wire.Error{Sent: true, Status: http.StatusServiceUnavailable, Code: wire.CodeTooLong})
	})
}

// TestOneTry forbids net/http's own replay. The request is of the kind that it would send
// again: idempotent by its header, and with a body that can be rewound.
func TestOneTry(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	url := wiretest.Listen(t, func(conn net.Conn) {
		for wiretest.ReadRequest(conn) {
			if requests.Add(1) == 1 {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n")
				continue
			}
			return // read, perhaps acted upon, and never answered
		}
	})
	client := wire.New(wire.Config{})
	request := func() *http.Request {
		r := post(t, url)
		r.Header.Set("Idempotency-Key", "k")
		return r
	}

	if _, err := client.Call(t.Context(), request()); err != nil {
		t.Fatal(err)
	}
	_, err := client.Call(t.Context(), request())

	wantError(t, err, wire.Error{Sent: true, Code: wire.CodeClosed})
	if got := requests.Load(); got != 2 {
		t.Errorf("the partner saw %d requests, want 2: one a call", got)
	}
}

// A server that refuses our certificate has not read the request, although in TLS 1.3 it says
// so only after the request was written.
func TestARefusedClientCertificateIsNotSent(t *testing.T) {
	t.Parallel()
	server := serveTLS(t, &tls.Config{ClientAuth: tls.RequireAnyClientCert})
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())

	_, err := wire.New(wire.Config{TLS: &tls.Config{RootCAs: roots}}).Call(t.Context(), post(t, server.URL))

	wantError(t, err, wire.Error{Code: wire.CodeTLS})
}

// TestTimeoutOfItsOwn: without a deadline in the context the client's own ends a call.
func TestTimeoutOfItsOwn(t *testing.T) {
	t.Parallel()
	url := wiretest.Listen(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })

	_, err := wire.New(wire.Config{Timeout: time.Millisecond}).
		Call(t.Context(), post(t, strings.Replace(url, "http:", "https:", 1)))

	wantError(t, err, wire.Error{Code: wire.CodeTimeout})
}

// TestCallWithoutAWholeReply: what is known after each way in which a call can fail. The
// client's own timeout plays no part: it is too long.
func TestCallWithoutAWholeReply(t *testing.T) {
	t.Parallel()
	for _, silence := range wiretest.Silences() {
		t.Run(silence.Name, func(t *testing.T) {
			t.Parallel()
			ctx, url := silence.Play(t)
			request := post(t, url)
			// More than one buffer of net/http, so that writing it can fail half-way.
			request.Body = io.NopCloser(strings.NewReader(strings.Repeat("body", 5000)))
			request.ContentLength = 4 * 5000

			_, err := wire.New(wire.Config{}).Call(ctx, request)

			wantError(t, err, silence.Want)
		})
	}
}

// TestCallWithAnyStatus: every status line is a Reply, also one that HTTP gives no meaning
// to, and one after which the connection speaks HTTP no more.
func TestCallWithAnyStatus(t *testing.T) {
	t.Parallel()
	for _, status := range wiretest.Statuses() {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			url := wiretest.Answer(t, status, "text/plain", "no")

			reply, err := wire.New(wire.Config{}).Call(t.Context(), post(t, url))

			if err != nil || reply.Status != status {
				t.Errorf("got %d, %v", reply.Status, err)
			}
		})
	}
}

func TestErrorOf(t *testing.T) {
	t.Parallel()

	if got := wire.ErrorOf(nil); got != nil {
		t.Errorf("wire.ErrorOf(nil) = %v, want nil", got)
	}
	inner := &wire.Error{Code: wire.CodeTLS}
	if got := wire.ErrorOf(fmt.Errorf("order: %w", inner)); got != inner {
		t.Errorf("got %v, want the error in the chain", got)
	}
	wantError(t, wire.ErrorOf(io.EOF), wire.Error{Sent: true, Code: wire.CodeBroken})
}

func wantError(t *testing.T, err error, want wire.Error) {
	t.Helper()
	got, ok := err.(*wire.Error)
	if !ok {
		t.Fatalf("got %T %v, want an *Error", err, err)
	}
	if got.Err == nil {
		t.Error("the cause is missing")
	}
	if diff := cmp.Diff(&want, got, cmpopts.IgnoreFields(wire.Error{}, "Err")); diff != "" {
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
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about the handshake
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}
