package carrier_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
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

// cuts reads the request, writes these bytes and ends the connection.
func cuts(raw string, reset bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, raw)
		if reset {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		_ = conn.Close()
	}
}

// rows is the table: what the carrier does, and our verdict on ActivateLine and, where the
// same answer could meet a read, on ReadLine.
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
	{"409OurLine", saysJSON(409, `{"error":{"code":"LINE_EXISTS"},"line":`+activeLine+`}`), seen{Verdict: yes}, ""},

	{"DeviceBlocked", saysCode(422, "DEVICE_BLOCKED"), seen{refused, "DEVICE_BLOCKED", "HTTP 422 DEVICE_BLOCKED", 0}, ""},
	{"DeviceNotESIMCapable", saysCode(422, "DEVICE_NOT_ESIM_CAPABLE"), seen{refused, "DEVICE_NOT_ESIM_CAPABLE", "HTTP 422 DEVICE_NOT_ESIM_CAPABLE", 0}, ""},
	{"DeviceNotSupported", saysCode(422, "DEVICE_NOT_SUPPORTED"), seen{refused, "DEVICE_NOT_SUPPORTED", "HTTP 422 DEVICE_NOT_SUPPORTED", 0}, ""},
	{"DeviceUnknown", saysCode(422, "DEVICE_UNKNOWN"), seen{refused, "DEVICE_UNKNOWN", "HTTP 422 DEVICE_UNKNOWN", 0}, ""},
	{"ZIPNotServed", saysCode(422, "ZIP_NOT_SERVED"), seen{refused, "ZIP_NOT_SERVED", "HTTP 422 ZIP_NOT_SERVED", 0}, ""},
	{"PlanUnknown", saysCode(422, "PLAN_UNKNOWN"), seen{refused, "CARRIER_PLAN_UNKNOWN", "HTTP 422 PLAN_UNKNOWN", 0}, ""},
	{"ICCIDNotAccepted", saysCode(422, "ICCID_NOT_ACCEPTED"), seen{refused, "ICCID_NOT_ACCEPTED", "HTTP 422 ICCID_NOT_ACCEPTED", 0}, ""},
	{"InvalidRequest", saysCode(400, "INVALID_REQUEST"), seen{refused, "PARTNER_REFUSED", "HTTP 400 INVALID_REQUEST", 0}, refused},
	{"LineNotFound", saysCode(404, "LINE_NOT_FOUND"), seen{refused, "LINE_NOT_FOUND", "HTTP 404 LINE_NOT_FOUND", 0}, refused},
	{"LineEnded", saysCode(409, "LINE_ENDED"), seen{refused, "PARTNER_REFUSED", "HTTP 409 LINE_ENDED", 0}, ""},
	{"409OtherSIM", saysJSON(409, `{"error":{"code":"LINE_EXISTS"},"line":`+strings.Replace(activeLine, "0017", "0025", 1)+`}`), seen{refused, "PARTNER_REFUSED", "HTTP 409 LINE_EXISTS", 0}, ""},

	{"401", saysCode(401, "UNAUTHENTICATED"), seen{notNow, "", "HTTP 401 UNAUTHENTICATED", 0}, notNow},
	{"401WithAKnownCode", saysCode(401, "DEVICE_BLOCKED"), seen{notNow, "", "HTTP 401 DEVICE_BLOCKED", 0}, notNow},
	{"403", says(403, "text/html", saying), seen{notNow, "", "HTTP 403", 0}, notNow},
	{"429InSeconds", saysRetry(429, "7"), seen{notNow, "", "HTTP 429", 7 * time.Second}, notNow},
	{"429ForADay", saysRetry(429, "86400"), seen{notNow, "", "HTTP 429", time.Hour}, notNow},
	{"503ByDate", saysRetry(503, "Fri, 01 Jan 2100 00:00:00 GMT"), seen{notNow, "", "HTTP 503", time.Hour}, notNow},
	{"LinePending", saysCode(409, "LINE_PENDING"), seen{notNow, "", "HTTP 409 LINE_PENDING", 0}, ""},
	{"UnknownCode", saysCode(422, "MOON_IN_THE_WAY"), seen{notNow, "", "HTTP 422 MOON_IN_THE_WAY", 0}, notNow},
	{"CodeThatIsAName", saysCode(422, saying), seen{notNow, "", "HTTP 422", 0}, notNow},
	{"404FromAnotherServer", says(404, "text/html", saying), seen{notNow, "", "HTTP 404", 0}, notNow},
	{"404AsIfFromTheCarrierButNotJSON", says(404, "text/plain", `{"error":{"code":"LINE_NOT_FOUND"}}`), seen{notNow, "", "HTTP 404", 0}, notNow},
	{"418", saysJSON(418, `{}`), seen{notNow, "", "HTTP 418", 0}, notNow},

	{"500", saysJSON(500, `{}`), seen{unknown, "", "HTTP 500", 0}, notNow},
	{"500WithAKnownCode", saysCode(500, "DEVICE_BLOCKED"), seen{unknown, "", "HTTP 500 DEVICE_BLOCKED", 0}, notNow},
	{"502", saysRetry(502, "3"), seen{unknown, "", "HTTP 502", 3 * time.Second}, notNow},
	{"504", saysJSON(504, ``), seen{unknown, "", "HTTP 504", 0}, notNow},
	{"KeyReused", saysCode(409, "IDEMPOTENCY_KEY_REUSED"), seen{unknown, "", "HTTP 409 IDEMPOTENCY_KEY_REUSED", 0}, notNow},
	{"InProgress", saysCode(409, "REQUEST_IN_PROGRESS"), seen{unknown, "", "HTTP 409 REQUEST_IN_PROGRESS", 0}, notNow},
	{"409LineNotShown", saysCode(409, "LINE_EXISTS"), seen{unknown, "", "HTTP 409, reply does not show the line", 0}, ""},
	{"200", saysJSON(200, activeLine), seen{unknown, "", "HTTP 200, not the status of this call", 0}, yes},
	{"204", says(204, "", ""), seen{unknown, "", "HTTP 204, not the status of this call", 0}, notNow},
	{"NotJSON", says(201, "text/html", activeLine), seen{unknown, "", "HTTP 201, reply cannot be read", 0}, notNow},
	{"NoContentType", says(201, "", activeLine), seen{unknown, "", "HTTP 201, reply cannot be read", 0}, notNow},
	{"BadJSON", saysJSON(201, activeLine[:40]), seen{unknown, "", "HTTP 201, reply cannot be read", 0}, notNow},
	{"Empty", saysJSON(201, ""), seen{unknown, "", "HTTP 201, reply cannot be read", 0}, notNow},
	{"NoLine", saysJSON(201, "{}"), seen{unknown, "", "HTTP 201, reply names no line", 0}, notNow},
	{"OtherExternalID", saysJSON(201, strings.Replace(activeLine, "a1", "a2", 1)), seen{unknown, "", "HTTP 201, reply names another external id", 0}, notNow},
	{"OtherICCID", saysJSON(201, strings.Replace(activeLine, "0017", "0025", 1)), seen{unknown, "", "HTTP 201, reply names another ICCID", 0}, ""},
	{"NoICCID", saysJSON(201, strings.Replace(activeLine, "8901000000000000017", "", 1)), seen{unknown, "", "HTTP 201, reply has no ICCID", 0}, notNow},
	{"StrangeState", saysJSON(201, strings.Replace(activeLine, "ACTIVE", "SLEEPING", 1)), seen{unknown, "", "HTTP 201, reply has a state that we do not know", 0}, notNow},
	{"ActiveWithoutNumber", saysJSON(201, strings.Replace(activeLine, "+12125550100", "", 1)), seen{unknown, "", "HTTP 201, reply has an active line without a number", 0}, notNow},
	{"StrangeNumber", saysJSON(201, strings.Replace(activeLine, "+12125550100", saying, 1)), seen{unknown, "", "HTTP 201, reply has a number that is not E.164", 0}, notNow},
	{"TwoMegabytes", saysJSON(201, `{"x":"`+strings.Repeat("x", 2<<20)+`"}`), seen{unknown, "", "HTTP 201, reply too long", 0}, notNow},
	{"ClosedWithoutAnswer", cuts("", false), seen{unknown, "", "connection closed", 0}, notNow},
	{"ResetWithoutAnswer", cuts("", true), seen{unknown, "", "connection reset", 0}, notNow},
	{"ClosedInTheBody", cuts("HTTP/1.1 201 Created\r\nContent-Length: 200\r\n\r\n{", false), seen{unknown, "", "HTTP 201, connection closed", 0}, notNow},
	{"NotHTTP", cuts("SSH-2.0-OpenSSH_9.6\r\n\r\n", false), seen{unknown, "", "reply broken", 0}, notNow},
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

// Nothing has left, so nothing has happened: also for a write.
func TestVerdictsBeforeAByteHasLeft(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := listener.Addr().String()
	listener.Close()
	untrusted := httptest.NewUnstartedServer(saysJSON(201, activeLine))
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about the handshake
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	plain := httptest.NewUnstartedServer(saysJSON(201, activeLine))
	plain.Config.ErrorLog = untrusted.Config.ErrorLog
	plain.Start()
	t.Cleanup(plain.Close)

	for _, row := range []struct{ name, url, code string }{
		{"RefusedConnection", "http://" + refusing, "connection refused"},
		{"UnknownHost", "https://nowhere.invalid", ""}, // what it is called depends on the resolver
		{"UntrustedCertificate", untrusted.URL, "TLS failed"},
		{"NotTLS", "https://" + plain.Listener.Addr().String(), "TLS failed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, carrier.Config{URL: row.url})

			_, err := client.ActivateLine(t.Context(), "key", order)

			got := seenOf(err)
			if got.Verdict != notNow || row.code != "" && got.Code != row.code {
				t.Errorf("ActivateLine = %+v", got)
			}
			if text := err.Error(); strings.Contains(text, "nowhere") || strings.Contains(text, "127.0.0.1") {
				t.Errorf("the error names the host: %s", text)
			}
		})
	}
}

func TestVerdictWhenTheAnswerDoesNotCome(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	client := newClient(t, carrier.Config{URL: server.URL, Timeout: 50 * time.Millisecond})

	_, err := client.ActivateLine(t.Context(), "key", order)
	if got := seenOf(err); got != (seen{Verdict: unknown, Code: "timeout"}) {
		t.Errorf("ActivateLine = %+v", got)
	}

	_, err = client.ReadLine(t.Context(), "a1")
	if got := seenOf(err); got != (seen{Verdict: notNow, Code: "timeout"}) {
		t.Errorf("ReadLine = %+v", got)
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
		cuts("", false)(w, r)
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

func TestDeviceCheckWantsAClearYes(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]mobile.Verdict{
		`{"eligible":true}`: yes, `{"eligible":false}`: notNow, `{}`: notNow, ``: notNow, `[]`: notNow,
	} {
		server := httptest.NewServer(saysJSON(200, body))
		t.Cleanup(server.Close)

		err := newClient(t, carrier.Config{URL: server.URL}).CheckDevice(t.Context(), carrier.DeviceCheck{IMEI: goodIMEI, ZIPCode: goodZIP})

		if mobile.VerdictOf(err) != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func TestDeactivationWantsAClearYes(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		reply http.HandlerFunc
		want  mobile.Verdict
	}{
		"Deactivated":         {saysJSON(200, strings.Replace(activeLine, "ACTIVE", "DEACTIVATED", 1)), yes},
		"StillActive":         {saysJSON(200, activeLine), unknown},
		"LineNotFound":        {saysCode(404, "LINE_NOT_FOUND"), yes},
		"404OfSomebodyElse":   {says(404, "text/html", "not found"), notNow},
		"404WithoutThisCode":  {saysCode(404, "NOT_FOUND"), notNow},
		"500WithLineNotFound": {saysCode(500, "LINE_NOT_FOUND"), unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(row.reply)
			t.Cleanup(server.Close)

			err := newClient(t, carrier.Config{URL: server.URL}).DeactivateLine(t.Context(), "key", "a1")

			if mobile.VerdictOf(err) != row.want {
				t.Errorf("DeactivateLine = %v, want %s", err, row.want)
			}
		})
	}
}

func TestAChangeOfSIMWantsTheNewOne(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(saysJSON(200, activeLine))
	t.Cleanup(server.Close)
	client := newClient(t, carrier.Config{URL: server.URL})

	_, same := client.ChangeSIM(t.Context(), "key", carrier.SIMChange{ExternalID: "a1", ICCID: order.ICCID, IMEI: goodIMEI})
	_, other := client.ChangeSIM(t.Context(), "key", carrier.SIMChange{ExternalID: "a1", ICCID: iccid2, IMEI: goodIMEI})

	if same != nil || mobile.VerdictOf(other) != unknown {
		t.Errorf("with the ICCID asked for %v, with another %v", same, other)
	}
}

func TestAFailedLineSaysWhy(t *testing.T) {
	t.Parallel()
	for failure, want := range map[string]*fault.Error{
		`{"code":"DEVICE_BLOCKED"}`: mobile.ErrDeviceBlocked,
		`{"code":"PLAN_UNKNOWN"}`:   mobile.ErrPlanNotKnownToCarrier,
		`{"code":"SOLAR_FLARE"}`:    mobile.ErrPartnerRefused,
		`{"code":"LINE_PENDING"}`:   mobile.ErrPartnerRefused,
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
