package carrier_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

const (
	yes     = mobile.VerdictYes
	refused = mobile.VerdictRefused
	notNow  = mobile.VerdictNotNow
	unknown = mobile.VerdictUnknown
)

var order = carrier.LineOrder{
	ExternalID: "a1", ICCID: "8901000000000000017", IMEI: goodIMEI, ZIPCode: goodZIP, Plan: goodPlan, CustomerName: "Ada Example",
}

const (
	activeLine = `{"external_id":"a1","line_id":"ln_1","state":"ACTIVE","number":"+12125550100","iccid":"8901000000000000017"}`
	// saying is free text of a partner, which must not come through.
	saying = "Ada Example owes us money"
)

// seen is a call's outcome, as far as it decides something.
type seen struct {
	Verdict mobile.Verdict
	Reason  string
	Code    string
	Retry   time.Duration
}

func seenOf(err error) seen {
	s := seen{Verdict: mobile.VerdictOf(err)}
	if p, ok := errors.AsType[*mobile.PartnerError](err); ok {
		s.Code, s.Retry = p.Code, p.RetryAfter
		if p.Reason != nil {
			s.Reason = p.Reason.Reason
		}
	}
	return s
}

// says answers every request alike.
func says(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func saysJSON(status int, body string) http.HandlerFunc {
	return says(status, "application/json", body)
}

func saysCode(status int, code string) http.HandlerFunc {
	return saysJSON(status, fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, code, saying))
}

func saysRetry(status int, after string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", after)
		w.WriteHeader(status)
	}
}

// hints puts an informational answer before the one that counts.
func hints(reply http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		reply(w, r)
	}
}

// rows has the answers that are neither a bare status nor a code (see TestStatuses and
// TestCodes): what the carrier does, and our verdict on ActivateLine and, where the same
// answer could meet a read, on ReadLine.
var rows = []struct {
	name  string
	reply http.HandlerFunc
	write seen
	read  mobile.Verdict // "" when the reply makes no sense for a read
}{
	{"201", saysJSON(201, activeLine), seen{Verdict: yes}, notNow},
	{"202", saysJSON(202, strings.Replace(activeLine, `ACTIVE","number":"+12125550100`, "PENDING", 1)), seen{Verdict: yes}, ""},
	{"201WithCharset", says(201, "application/json; charset=utf-8", activeLine), seen{Verdict: yes}, ""},
	{"PaddedICCID", saysJSON(201, strings.Replace(activeLine, "0017", "0017F", 1)), seen{Verdict: yes}, ""},
	// The order was taken, as it was asked whether it was; how the line is, a read tells.
	{"201OfALineThatHasFailed", saysJSON(201, strings.Replace(activeLine, "ACTIVE", "FAILED", 1)), seen{Verdict: yes}, ""},
	{"201AfterEarlyHints", hints(saysJSON(201, activeLine)), seen{Verdict: yes}, ""},

	{"429InSeconds", saysRetry(429, "7"), seen{notNow, "", "HTTP 429", 7 * time.Second}, notNow},
	{"429ForADay", saysRetry(429, "86400"), seen{notNow, "", "HTTP 429", time.Hour}, notNow},
	{"502InSeconds", saysRetry(502, "3"), seen{unknown, "", "HTTP 502", 3 * time.Second}, notNow},
	{"503ByDate", saysRetry(503, "Fri, 01 Jan 2100 00:00:00 GMT"), seen{notNow, "", "HTTP 503", time.Hour}, notNow},

	{"CodeThatIsAName", saysCode(422, saying), seen{notNow, "", "HTTP 422", 0}, notNow},
	{"CodeOfAnotherServer", says(422, "text/html", saying), seen{notNow, "", "HTTP 422", 0}, notNow},
	{"KnownCodeButNotJSON", says(404, "text/plain", `{"error":{"code":"LINE_NOT_FOUND"}}`), seen{notNow, "", "HTTP 404", 0}, notNow},

	{"200", saysJSON(200, activeLine), seen{unknown, "", "HTTP 200, not the status of this call", 0}, yes},
	{"WrongContentType", says(201, "text/html", activeLine), seen{unknown, "", "HTTP 201, reply cannot be read", 0}, ""},
	{"NoContentType", says(201, "", activeLine), seen{unknown, "", "HTTP 201, reply cannot be read", 0}, ""},
	{"HalfALine", saysJSON(201, activeLine[:40]), seen{unknown, "", "HTTP 201, reply cannot be read", 0}, ""},
	{"OtherExternalID", saysJSON(201, strings.Replace(activeLine, "a1", "a2", 1)), seen{unknown, "", "HTTP 201, reply names another external id", 0}, ""},
	{"OtherICCID", saysJSON(201, strings.Replace(activeLine, "0017", "0025", 1)), seen{unknown, "", "HTTP 201, reply names another ICCID", 0}, ""},
	{"NoICCID", saysJSON(201, strings.Replace(activeLine, "8901000000000000017", "", 1)), seen{unknown, "", "HTTP 201, reply has no ICCID", 0}, ""},
	{"StrangeState", saysJSON(201, strings.Replace(activeLine, "ACTIVE", "SLEEPING", 1)), seen{unknown, "", "HTTP 201, reply has a state that we do not know", 0}, ""},
	{"ActiveWithoutNumber", saysJSON(201, strings.Replace(activeLine, "+12125550100", "", 1)), seen{unknown, "", "HTTP 201, reply has an active line without a number", 0}, ""},
	{"StrangeNumber", saysJSON(201, strings.Replace(activeLine, "+12125550100", saying, 1)), seen{unknown, "", "HTTP 201, reply has a number that is not E.164", 0}, ""},

	{"ReadOfAnotherLine", saysJSON(200, strings.Replace(activeLine, "a1", "a2", 1)), seen{unknown, "", "HTTP 200, not the status of this call", 0}, notNow},
	{"ReadOfAStrangeState", saysJSON(200, strings.Replace(activeLine, "ACTIVE", "SLEEPING", 1)), seen{unknown, "", "HTTP 200, not the status of this call", 0}, notNow},
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				row.reply(w, r)
			}))
			t.Cleanup(server.Close)
			client := newClient(t, carrier.Config{URL: server.URL})

			_, err := client.ActivateLine(t.Context(), "key", order)

			if diff := cmp.Diff(row.write, seenOf(err)); diff != "" {
				t.Errorf("ActivateLine (-want +got):\n%s", diff)
			}
			if n := calls.Load(); n != 1 {
				t.Errorf("one call became %d", n)
			}
			if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), "Ada") {
				t.Errorf("the error repeats what the partner said: %v", err)
			}
			if row.read == "" {
				return
			}
			if _, err := client.ReadLine(t.Context(), "a1"); mobile.VerdictOf(err) != row.read {
				t.Errorf("ReadLine = %v, want %s", err, row.read)
			}
			if n := calls.Load(); n != 2 {
				t.Errorf("one read became %d calls", n-1)
			}
		})
	}
}

// A redirect could lead anywhere, with our key and the customer's name in hand.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			var followed atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					followed.Add(1)
				}
				http.Redirect(w, r, "/elsewhere", status)
			}))
			t.Cleanup(server.Close)
			client := newClient(t, carrier.Config{URL: server.URL})

			_, write := client.ActivateLine(t.Context(), "key", order)
			_, read := client.ReadLine(t.Context(), "a1")

			if mobile.VerdictOf(write) != unknown || mobile.VerdictOf(read) != notNow || followed.Load() != 0 {
				t.Errorf("write %v, read %v, followed %d times", write, read, followed.Load())
			}
		})
	}
}

// net/http repeats an idempotent request, and any with an Idempotency-Key, when a reused
// connection breaks before the answer. Ours must not: the carrier may have acted.
func TestABrokenConnectionIsNotRetried(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			saysJSON(201, activeLine)(w, r)
			return
		}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	client := newClient(t, carrier.Config{URL: server.URL})

	if _, err := client.ActivateLine(t.Context(), "key", order); err != nil {
		t.Fatal(err)
	}
	_, write := client.ActivateLine(t.Context(), "key", order)
	_, read := client.ReadLine(t.Context(), "a1")

	if mobile.VerdictOf(write) != unknown || mobile.VerdictOf(read) != notNow || calls.Load() != 3 {
		t.Errorf("write %v, read %v, %d calls instead of 3", write, read, calls.Load())
	}
}

func TestAFailedLineSaysWhy(t *testing.T) {
	t.Parallel()
	for failure, want := range map[string]*fault.Error{
		`{"code":"DEVICE_BLOCKED"}`: mobile.ErrDeviceBlocked,
		`{"code":"PLAN_UNKNOWN"}`:   mobile.ErrPlanNotKnownToCarrier,
		`{"code":"SOLAR_FLARE"}`:    mobile.ErrPartnerRefused,
		`{"code":"LINE_PENDING"}`:   mobile.ErrPartnerRefused,
		`{"code":"LINE_NOT_FOUND"}`: mobile.ErrPartnerRefused, // a code, but none of an order
		`null`:                      mobile.ErrPartnerRefused,
	} {
		server := httptest.NewServer(saysJSON(200, `{"external_id":"a1","line_id":"ln_1","state":"FAILED","iccid":"8901000000000000017","failure":`+failure+`}`))
		t.Cleanup(server.Close)

		line, err := newClient(t, carrier.Config{URL: server.URL}).ReadLine(t.Context(), "a1")

		if err != nil || line.State != carrier.StateFailed || !errors.Is(line.Reason, want) {
			t.Errorf("%s: line %+v, reason %v, error %v", failure, line, line.Reason, err)
		}
	}
}
