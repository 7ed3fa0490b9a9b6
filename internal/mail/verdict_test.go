package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dialtone/dialtone/internal/mobile"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// quietLog swallows what net/http says of handshakes that are meant to fail.
var quietLog = log.New(io.Discard, "", 0)

const testKey = "SG.not-a-real-key"

func clientOf(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newClient(t, Config{URL: server.URL})
}

func newClient(t *testing.T, config Config) *Client {
	t.Helper()
	config.APIKey = testKey
	config.Now = func() time.Time { return noon }
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestSend(t *testing.T) {
	t.Parallel()

	t.Run("HandsOverTheVeryBytes", func(t *testing.T) {
		t.Parallel()
		message := compose(t, newLine(t)).Bytes()
		type call struct{ Method, Path, Key, Type, Accept, Body string }
		calls := make(chan call, 2)
		client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			calls <- call{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("Accept"), string(body)}
			w.Header().Set("X-Message-Id", "XwFI1RnATRCBfdmLWhmFyQ")
			w.WriteHeader(http.StatusAccepted)
		})

		for range 2 {
			id, err := client.Send(t.Context(), message)
			if err != nil || id != "XwFI1RnATRCBfdmLWhmFyQ" {
				t.Fatalf("got %q, %v", id, err)
			}
		}

		want := call{"POST", "/v3/mail/send", "Bearer " + testKey, "application/json", "application/json", string(message)}
		for range 2 {
			if diff := cmp.Diff(want, <-calls); diff != "" {
				t.Errorf("the call (-want +got):\n%s", diff)
			}
		}
	})

	t.Run("TakesA202WithoutAnIDForAYes", func(t *testing.T) {
		t.Parallel()
		client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
		if id, err := client.Send(t.Context(), nil); id != "" || err != nil {
			t.Errorf("got %q, %v", id, err)
		}
	})

	t.Run("DropsAnIDThatIsNone", func(t *testing.T) {
		t.Parallel()
		client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Message-Id", "<b>ada@example.com</b>")
			w.WriteHeader(http.StatusAccepted)
		})
		if id, err := client.Send(t.Context(), nil); id != "" || err != nil {
			t.Errorf("got %q, %v", id, err)
		}
	})

	t.Run("TakesA202WithABodyForAYes", func(t *testing.T) {
		t.Parallel()
		client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"broken": `)
		})
		if _, err := client.Send(t.Context(), nil); err != nil {
			t.Errorf("got %v", err)
		}
	})
}

// TestReplies has one case for each row of the table that has a reply.
func TestReplies(t *testing.T) {
	t.Parallel()
	const addressRefused = `{"errors":[{"message":"Does not contain a valid address: ada@example","field":"personalizations.0.to.0.email","help":null}]}`
	type want struct {
		verdict mobile.Verdict
		code    string
		wait    time.Duration
	}
	refused, notNow, unknown := mobile.VerdictRefused, mobile.VerdictNotNow, mobile.VerdictUnknown

	for name, c := range map[string]struct {
		status int
		header map[string]string
		body   string
		want   want
	}{
		"BadRequest":             {400, nil, addressRefused, want{refused, "HTTP 400 personalizations.0.to.0.email", 0}},
		"BadRequestAtNoField":    {400, nil, `{"errors":[{"message":"Bad Request","field":null}]}`, want{refused, "HTTP 400", 0}},
		"BadRequestInFreeText":   {400, nil, `{"errors":[{"message":"","field":"ada@example.com"}]}`, want{refused, "HTTP 400", 0}},
		"BadRequestWithTextNull": {400, nil, `{"errors":[{"message":"","field":"null"}]}`, want{refused, "HTTP 400", 0}},
		"BadRequestGarbled":      {400, nil, `<html>`, want{refused, "HTTP 400", 0}},
		"TooLarge":               {413, nil, "", want{refused, "HTTP 413", 0}},
		"Unauthorized":           {401, nil, "", want{notNow, "HTTP 401", 0}},
		"Forbidden":              {403, nil, "", want{notNow, "HTTP 403", 0}},
		"TooMany":                {429, nil, "", want{notNow, "HTTP 429", 0}},
		"TooManyRetryAfter":      {429, map[string]string{"Retry-After": "7", "X-RateLimit-Reset": "1"}, "", want{notNow, "HTTP 429", 7 * time.Second}},
		"TooManyUntilReset":      {429, map[string]string{"X-RateLimit-Reset": fmt.Sprint(noon.Unix() + 40)}, "", want{notNow, "HTTP 429", 40 * time.Second}},
		"TooManyUntilLongAgo":    {429, map[string]string{"X-RateLimit-Reset": "1"}, "", want{notNow, "HTTP 429", 0}},
		"TooManyUntilNextYear":   {429, map[string]string{"X-RateLimit-Reset": "9999999999"}, "", want{notNow, "HTTP 429", time.Hour}},
		"Unavailable":            {503, map[string]string{"Retry-After": "Sun, 01 Mar 2026 12:01:00 GMT"}, "", want{notNow, "HTTP 503", time.Minute}},
		"NotFound":               {404, nil, "", want{notNow, "HTTP 404", 0}},
		"WrongMethod":            {405, nil, "", want{notNow, "HTTP 405", 0}},
		"RequestTimeout":         {408, nil, "", want{notNow, "HTTP 408", 0}},
		"WrongContentType":       {415, nil, "", want{notNow, "HTTP 415", 0}},
		"InternalError":          {500, nil, "", want{unknown, "HTTP 500", 0}},
		"BadGateway":             {502, nil, "", want{unknown, "HTTP 502", 0}},
		"GatewayTimeout":         {504, nil, "", want{unknown, "HTTP 504", 0}},
		"Odd":                    {599, nil, "", want{unknown, "HTTP 599", 0}},
		"AnotherSuccess":         {200, nil, "welcome", want{unknown, "HTTP 200", 0}},
		"Redirect":               {307, map[string]string{"Location": "/elsewhere"}, "", want{unknown, "HTTP 307", 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range c.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})

			_, err := client.Send(t.Context(), []byte("{}"))

			wantError := mobile.PartnerError{Verdict: c.want.verdict, Code: c.want.code, RetryAfter: c.want.wait}
			if c.want.verdict == refused {
				wantError.Reason = mobile.ErrMailAddressRefused
			}
			mustFail(t, err, wantError)
		})
	}
}

// TestSilence has one case for each row of the table that has no reply.
func TestSilence(t *testing.T) {
	t.Parallel()

	t.Run("NothingListens", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(nil)
		client := newClient(t, Config{URL: server.URL})
		server.Close()
		sendFails(t, client, mobile.VerdictNotNow, "connection refused")
	})

	t.Run("HostUnknown", func(t *testing.T) {
		t.Parallel()
		sendFails(t, newClient(t, Config{URL: "https://sendgrid.invalid"}), mobile.VerdictNotNow, "host not found")
	})

	t.Run("ServerNotTrusted", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = quietLog
		server.StartTLS()
		t.Cleanup(server.Close)
		sendFails(t, newClient(t, Config{URL: server.URL}), mobile.VerdictNotNow, "TLS failed")
	})

	t.Run("NoAnswerInTime", func(t *testing.T) {
		t.Parallel()
		over := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-over
		}))
		t.Cleanup(server.Close)
		t.Cleanup(func() { close(over) })
		sendFails(t, newClient(t, Config{URL: server.URL, Timeout: 50 * time.Millisecond}), mobile.VerdictUnknown, "timeout")
	})

	for name, c := range map[string]struct {
		raw   string
		reset bool
		code  string
	}{
		"Reset":          {"", true, "connection reset"},
		"Closed":         {"", false, "connection closed"},
		"Garbled":        {"hello, this is no HTTP\r\n\r\n", false, "reply broken"},
		"CutShort":       {"HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nabc", false, "connection closed"},
		"RefusedHalfway": {"HTTP/1.1 400 Bad Request\r\nContent-Length: 10\r\n\r\nabc", false, "connection closed"},
		"TooLong":        {"HTTP/1.1 202 Accepted\r\nContent-Length: 2000000\r\n\r\n" + strings.Repeat("x", 2000000), false, "reply too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					panic(err)
				}
				if tcp, ok := conn.(*net.TCPConn); ok && c.reset {
					_ = tcp.SetLinger(0)
				}
				_, _ = conn.Write([]byte(c.raw))
				_ = conn.Close()
			})
			sendFails(t, client, mobile.VerdictUnknown, c.code)
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()

	for name, config := range map[string]Config{
		"NoURL":     {APIKey: testKey},
		"PlainHTTP": {URL: "http://api.sendgrid.com", APIKey: testKey},
		"NoKey":     {URL: "https://api.sendgrid.com"},
	} {
		if _, err := New(config); err == nil || strings.Contains(err.Error(), testKey) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, Config{APIKey: testKey}); strings.Contains(got, testKey) {
			t.Errorf("%s prints the API key: %s", verb, got)
		}
	}
}

func sendFails(t *testing.T, client *Client, verdict mobile.Verdict, code string) {
	t.Helper()
	_, err := client.Send(t.Context(), bytes.Repeat([]byte("x"), 20000))
	mustFail(t, err, mobile.PartnerError{Verdict: verdict, Code: code})
}

func mustFail(t *testing.T, err error, want mobile.PartnerError) {
	t.Helper()
	got, ok := errors.AsType[*mobile.PartnerError](err)
	if !ok {
		t.Fatalf("got %v, want a PartnerError", err)
	}
	want.Partner = mobile.PartnerSendGrid
	if diff := cmp.Diff(want, *got, cmpopts.IgnoreFields(mobile.PartnerError{}, "Err", "Reason")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Reason != want.Reason {
		t.Errorf("got reason %v, want %v", got.Reason, want.Reason)
	}
	if strings.Contains(err.Error(), "ada@example") {
		t.Errorf("the error names the customer: %v", err)
	}
}
