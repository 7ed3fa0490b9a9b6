package mail

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire/wiretest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

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

	t.Run("DropsAnIDThatIsTooLong", func(t *testing.T) {
		t.Parallel()
		client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Message-Id", strings.Repeat("x", 129))
			w.WriteHeader(http.StatusAccepted)
		})
		if id, err := client.Send(t.Context(), nil); id != "" || err != nil {
			t.Errorf("got %q, %v", id, err)
		}
	})
}

// TestReplies has the replies that are more than a status (see TestStatuses).
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
		"TooManyRetryAfter":      {429, map[string]string{"Retry-After": "7", "X-RateLimit-Reset": "1"}, "", want{notNow, "HTTP 429", 7 * time.Second}},
		"TooManyUntilReset":      {429, map[string]string{"X-RateLimit-Reset": fmt.Sprint(noon.Unix() + 40)}, "", want{notNow, "HTTP 429", 40 * time.Second}},
		"TooManyUntilLongAgo":    {429, map[string]string{"X-RateLimit-Reset": "1"}, "", want{notNow, "HTTP 429", 0}},
		"TooManyUntilNextYear":   {429, map[string]string{"X-RateLimit-Reset": "9999999999"}, "", want{notNow, "HTTP 429", time.Hour}},
		"Unavailable":            {503, map[string]string{"Retry-After": "Sun, 01 Mar 2026 12:01:00 GMT"}, "", want{notNow, "HTTP 503", time.Minute}},
		"AlreadySoByA409":        {409, nil, addressRefused, want{notNow, "HTTP 409", 0}}, // SendGrid has no "already so"
		"AlreadySoByA208":        {208, nil, "", want{unknown, "HTTP 208", 0}},
		"AddressRefusedByA403":   {403, nil, addressRefused, want{notNow, "HTTP 403", 0}},
		"AddressRefusedByA500":   {500, nil, addressRefused, want{unknown, "HTTP 500", 0}},
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

// TestStatuses has a row for each status, and tries it bare and with an error of SendGrid's.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, status := range wiretest.Statuses() {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			want := mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: fmt.Sprintf("HTTP %d", status)}
			switch {
			case status == 400 || status == 413:
				want.Verdict, want.Reason = mobile.VerdictRefused, mobile.ErrMailAddressRefused
			case status == 503 || 400 <= status && status <= 499:
				want.Verdict = mobile.VerdictNotNow
			}
			for _, body := range []string{"", `{"errors":[{"message":"Ask ada@example.com","field":null,"help":null}]}`} {
				client := newClient(t, Config{URL: wiretest.Answer(t, status, "application/json", body)})

				_, err := client.Send(t.Context(), []byte("{}"))

				mustFail(t, err, want)
			}
		})
	}
}

// TestSuccesses: 202 and no other 2xx says that the message is queued.
func TestSuccesses(t *testing.T) {
	t.Parallel()
	for _, status := range wiretest.Successes() {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			client := newClient(t, Config{URL: wiretest.Answer(t, status, "", "")})

			_, err := client.Send(t.Context(), []byte("{}"))

			if status != http.StatusAccepted {
				mustFail(t, err, mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: fmt.Sprintf("HTTP %d", status)})
			} else if err != nil {
				t.Errorf("got %v, want yes", err)
			}
		})
	}
}

// TestGarbledSuccesses: nothing that stands in the body of a 202 makes it less of a yes.
// SendGrid's has none.
func TestGarbledSuccesses(t *testing.T) {
	t.Parallel()
	for _, body := range wiretest.Garbled() {
		t.Run(body.Name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, Config{URL: wiretest.Answer(t, http.StatusAccepted, body.Kind, body.Text)})

			if _, err := client.Send(t.Context(), []byte("{}")); err != nil {
				t.Errorf("got %v, want yes", err)
			}
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
