package wire

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Absent", "", 0},
		{"Seconds", "120", 2 * time.Minute},
		{"SecondsWithSpace", " 5 ", 5 * time.Second},
		{"Zero", "0", 0},
		{"Date", "Sun, 01 Mar 2026 12:00:30 GMT", 30 * time.Second},
		{"DateInThePast", "Sun, 01 Mar 2026 11:00:00 GMT", 0},
		{"AtMostAnHour", "86400", time.Hour},
		{"AtMostAnHourByDate", "Mon, 02 Mar 2026 12:00:00 GMT", time.Hour},
		{"Negative", "-1", 0},
		{"Fraction", "1.5", 0},
		{"Huge", "99999999999999999999", 0},
		{"Garbage", "soon", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Retry-After": {c.value}}

			if got := RetryAfter(header, now); got != c.want {
				t.Errorf("RetryAfter(%q) = %s, want %s", c.value, got, c.want)
			}
		})
	}
}

func TestSafeCode(t *testing.T) {
	t.Parallel()

	for _, c := range []struct{ code, want string }{
		{"8.2.5/3.7", "8.2.5/3.7"},
		{"HTTP 503", "HTTP 503"},
		{"invalid_request: a-b", "invalid_request: a-b"},
		{"a\x1b[31mb\n<c>\"é", "a31mbc"},
		{strings.Repeat("x", 100), strings.Repeat("x", CodeMax)},
	} {
		if got := SafeCode(c.code); got != c.want {
			t.Errorf("SafeCode(%q) = %q, want %q", c.code, got, c.want)
		}
	}
}

func TestParseURL(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		raw, want string
		err       error
	}{
		{raw: "https://smdp.example.com", want: "https://smdp.example.com"},
		{raw: "https://smdp.example.com:8443/base/", want: "https://smdp.example.com:8443/base"},
		{raw: "http://127.0.0.1:7500", want: "http://127.0.0.1:7500"},
		{raw: "http://localhost:7500/", want: "http://localhost:7500"},
		{raw: "http://[::1]:7500", want: "http://[::1]:7500"},
		{raw: "http://smdp.example.com", err: ErrURLInsecure},
		{raw: "http://localhost.example.com", err: ErrURLInsecure},
		{raw: "http://10.0.0.1", err: ErrURLInsecure},
		{raw: "", err: ErrURLInvalid},
		{raw: "smdp.example.com", err: ErrURLInvalid},
		{raw: "https://", err: ErrURLInvalid},
		{raw: "ftp://localhost", err: ErrURLInvalid},
		{raw: "https://user:secret@smdp.example.com", err: ErrURLInvalid},
		{raw: "https://smdp.example.com?key=secret", err: ErrURLInvalid},
		{raw: "https://smdp.example.com#x", err: ErrURLInvalid},
		{raw: "https://smdp.example.com:port", err: ErrURLInvalid},
	} {
		t.Run(c.raw, func(t *testing.T) {
			t.Parallel()
			got, err := ParseURL(c.raw)

			if err != c.err {
				t.Fatalf("err = %v, want %v", err, c.err)
			}
			if err == nil && got.String() != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
