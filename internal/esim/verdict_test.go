package esim

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// acts is how a test makes each act, on an order that is its own.
var acts = map[act]struct {
	name string
	call func(*testing.T, *Client) error
}{
	downloadByICCID: {"DownloadByICCID", func(t *testing.T, c *Client) error {
		_, err := c.DownloadOrder(t.Context(), DownloadOrder{CallID: "call-1", ICCID: testICCID})
		return err
	}},
	downloadByType: {"DownloadByType", func(t *testing.T, c *Client) error {
		_, err := c.DownloadOrder(t.Context(), DownloadOrder{CallID: "call-1", ProfileType: "consumer-5g"})
		return err
	}},
	confirm: {"Confirm", func(t *testing.T, c *Client) error {
		_, err := c.ConfirmOrder(t.Context(), ConfirmOrder{CallID: "call-1", ICCID: testICCID, MatchingID: testMatchingID})
		return err
	}},
	cancel: {"Cancel", func(t *testing.T, c *Client) error {
		return c.CancelOrder(t.Context(), CancelOrder{CallID: "call-1", ICCID: testICCID, MatchingID: testMatchingID, Final: Unavailable})
	}},
}

// TestFailed has one case for each row of the lists, and finds rows without a case.
func TestFailed(t *testing.T) {
	t.Parallel()
	type row struct {
		act  act
		code string
	}
	cases := map[row]meaning{}
	add := func(m meaning, act act, codes string) {
		for code := range strings.FieldsSeq(codes) {
			cases[row{act, code}] = m
		}
	}
	refusedFor := func(reason *fault.Error) meaning {
		return meaning{verdict: mobile.VerdictRefused, reason: reason}
	}
	yes := meaning{verdict: mobile.VerdictYes}
	notNow := meaning{verdict: mobile.VerdictNotNow}
	noStock := meaning{verdict: mobile.VerdictNotNow, wait: 15 * time.Minute}
	for act := range acts {
		add(notNow, act, "1.1/1.1 1.1/1.2 1.2/4.2 1.2/4.4 1.6/2.1 1.6/2.2 1.6/2.3")
	}
	for _, act := range []act{downloadByICCID, downloadByType} {
		add(refusedFor(mobile.ErrPartnerRefused), act, "8.1.1/2.2 8.1.1/3.8")
		add(refusedFor(mobile.ErrProfileTypeUnknown), act, "8.2.5/1.2 8.2.5/3.8 8.2.5/3.9 8.2.5/4.3")
		add(noStock, act, "8.2.5/3.7")
	}
	add(yes, downloadByICCID, "8.2.1/3.3")
	add(refusedFor(mobile.ErrProfileNotAvailable), downloadByICCID, "8.2.1/1.2 8.2.1/3.9 8.2.1/3.1 8.2.1/3.10 8.1.1/3.1 8.1.1/3.10")
	add(yes, confirm, "8.2.6/3.3")
	add(refusedFor(mobile.ErrProfileNotAvailable), confirm, "8.2.6/3.8 8.2.6/3.10 8.2.1/1.2 8.2.1/3.1 8.2.1/3.10 8.1.1/3.1 8.1.1/3.10")
	add(refusedFor(mobile.ErrProfileNotAvailable), confirm, "8.2.1/3.3 8.2.1/3.5 8.2.1/3.9 8.8.5/4.1 8.8.5/4.10 8.8.5/6.4")
	add(refusedFor(mobile.ErrPartnerRefused), confirm, "8.1.1/2.2 8.1.1/3.8 8.2.7/2.2 8.2.7/3.8 8.2.7/6.4")
	add(notNow, confirm, "8.9/4.2 8.9/5.1")
	add(yes, cancel, "8.2.1/3.9 8.2.6/3.10 8.8.5/4.1 8.8.5/4.10")
	add(refusedFor(mobile.ErrProfileInUse), cancel, "8.2.1/3.3")
	add(refusedFor(mobile.ErrProfileNotAvailable), cancel, "8.2.1/1.2")

	for act := range acts {
		rows := maps.Clone(listed[act])
		maps.Copy(rows, everywhere)
		for code := range rows {
			if _, tested := cases[row{act, code}]; !tested {
				t.Errorf("%s: the row %s has no case", acts[act].name, code)
			}
		}
	}
	for row, want := range cases {
		t.Run(acts[row.act].name+"/"+row.code, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, answering(http.StatusOK, failedBody(row.code)))

			err := acts[row.act].call(t, client)

			if want.verdict == mobile.VerdictYes {
				if err != nil {
					t.Errorf("got %v, want it taken for done", err)
				}
				return
			}
			wantPartnerError(t, err, mobile.PartnerError{
				Verdict: want.verdict, Reason: want.reason, Code: row.code, RetryAfter: want.wait,
			})
		})
	}
}

// TestReply has one case for each row of the table but the listed pairs. What a reply is
// worth does not depend on the act there, so each is tried with each.
func TestReply(t *testing.T) {
	t.Parallel()
	notNow := func(code string) mobile.PartnerError {
		return mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: code}
	}
	unknown := func(code string) mobile.PartnerError {
		return mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: code}
	}

	for _, c := range []struct {
		name   string
		status int
		body   string
		want   mobile.PartnerError
	}{
		{"Expired", 200, statusBody("Expired"), notNow("Expired")},
		{"FailedUnlisted", 200, failedBody("8.10/9.9"), notNow("8.10/9.9")},
		{"FailedWithoutCodes", 200, statusBody("Failed"), notNow("Failed")},
		{"FailedWithTextForCodes", 200, failedBody("John Doe/555-0100"), notNow("Failed")},
		{"FailedWithSuccessOtherwise", 201, failedBody("1.2/4.4"), notNow("1.2/4.4")},
		{"StatusUnknown", 200, statusBody("Executed-Perhaps"), unknown("reply without a known status")},
		{"StatusMissing", 200, `{}`, unknown("reply without a known status")},
		{"BodyEmpty", 200, ``, unknown("reply not readable")},
		{"BodyNotJSON", 200, `<html>`, unknown("reply not readable")},
		{"BodyCutShort", 200, `{"header":{"functionExecutionStatus":{"status":"Executed-Succ`, unknown("reply not readable")},
		{"BodyOfAnotherShape", 200, `{"header":[]}`, unknown("reply not readable")},
		{"NoContent", 204, ``, unknown("reply not readable")},
		{"Redirect", 307, ``, unknown("HTTP 307")},
		{"BadRequest", 400, ``, notNow("HTTP 400")},
		{"BadRequestWithListedCodes", 400, failedBody("1.2/4.4"), notNow("1.2/4.4")},
		{"BadRequestWithUnlistedCodes", 400, failedBody("8.10/9.9"), notNow("HTTP 400")},
		{"BadRequestWithSuccess", 400, statusBody("Executed-Success"), notNow("HTTP 400")},
		{"Unauthorized", 401, ``, notNow("HTTP 401")},
		{"Forbidden", 403, ``, notNow("HTTP 403")},
		{"NotFound", 404, `not here`, notNow("HTTP 404")},
		{"TooMany", 429, ``, notNow("HTTP 429")},
		{"InternalError", 500, ``, unknown("HTTP 500")},
		{"InternalErrorWithCodes", 500, failedBody("8.2.5/3.9"), unknown("HTTP 500")},
		{"BadGateway", 502, ``, unknown("HTTP 502")},
		{"Unavailable", 503, ``, notNow("HTTP 503")},
		{"GatewayTimeout", 504, ``, unknown("HTTP 504")},
		{"Odd", 599, ``, unknown("HTTP 599")},
	} {
		for act := range acts {
			t.Run(c.name+"/"+acts[act].name, func(t *testing.T) {
				t.Parallel()
				client := clientOf(t, answering(c.status, c.body))

				wantPartnerError(t, acts[act].call(t, client), c.want)
			})
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		name, header, body string
		status             int
		want               mobile.PartnerError
	}{
		{"OfTooMany", "120", "", 429, mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "HTTP 429", RetryAfter: 2 * time.Minute}},
		{"AsADate", "Sun, 01 Mar 2026 12:00:30 GMT", "", 503, mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "HTTP 503", RetryAfter: 30 * time.Second}},
		{"AtMostAnHour", "86400", "", 503, mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "HTTP 503", RetryAfter: time.Hour}},
		{"GoesBeforeOurs", "60", failedBody("8.2.5/3.7"), 200, mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "8.2.5/3.7", RetryAfter: time.Minute}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", c.header)
				answering(c.status, c.body)(w, r)
			})

			wantPartnerError(t, acts[downloadByType].call(t, client), c.want)
		})
	}
}

// TestSilence: what is known when no whole reply came.
func TestSilence(t *testing.T) {
	t.Parallel()

	t.Run("NothingListens", func(t *testing.T) {
		t.Parallel()
		client := newClient(t, Config{URL: "http://127.0.0.1:1"}) // the port of tcpmux

		wantPartnerError(t, acts[downloadByType].call(t, client),
			mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "connection refused"})
	})

	t.Run("HostUnknown", func(t *testing.T) {
		t.Parallel()
		client := newClient(t, Config{URL: "https://smdp..invalid"})

		wantPartnerError(t, acts[downloadByType].call(t, client),
			mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "host not found"})
	})

	t.Run("NotTrusted", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewUnstartedServer(answering(200, statusBody("Executed-Success")))
		server.Config.ErrorLog = quiet()
		server.StartTLS()
		t.Cleanup(server.Close)

		wantPartnerError(t, acts[downloadByType].call(t, newClient(t, Config{URL: server.URL})),
			mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "TLS failed"})
	})
}

func TestSilenceAfterAByte(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		name string
		end  func(net.Conn)
		want mobile.PartnerError
	}{
		{"Closed", func(net.Conn) {}, mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: "connection closed"}},
		{"Reset", func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }, mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: "connection reset"}},
		{"TimedOut", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: "timeout"}},
		{"CutShort", halfOf(200), mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: "connection closed"}},
		{"CutShortAfterAnError", halfOf(500), mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: "HTTP 500"}},
		{"CutShortAfterARefusal", halfOf(403), mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "HTTP 403"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = conn.Close() }()
				c.end(conn)
			})
			client := newClient(t, Config{URL: url})
			if c.name == "TimedOut" {
				client = newClient(t, Config{URL: url, Timeout: time.Second})
			}

			wantPartnerError(t, acts[downloadByType].call(t, client), c.want)
		})
	}

	t.Run("TooLong", func(t *testing.T) {
		t.Parallel()
		client := clientOf(t, answering(200, strings.Repeat(" ", 1<<20)+statusBody("Executed-Success")))

		wantPartnerError(t, acts[downloadByType].call(t, client),
			mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: "reply too long"})
	})
}

// TestErrorsAreSafe: what the partner says freely reaches no text of ours.
func TestErrorsAreSafe(t *testing.T) {
	t.Parallel()
	const secret = "Ann Example, 555-0100"
	body := fmt.Sprintf(`{"header":{"functionExecutionStatus":{"status":"Failed","statusCodeData":{
		"subjectCode":"8.2.5","reasonCode":"3.9","subjectIdentifier":%[1]q,"message":%[1]q}}}}`, secret)
	client := clientOf(t, answering(200, body))

	err := acts[downloadByType].call(t, client)

	if got, want := fmt.Sprintf("%v %+v", err, fault.Of(err)), "smdp+: refused (8.2.5/3.9)"; !strings.HasPrefix(got, want) || strings.Contains(got, "Ann") {
		t.Errorf("got %q, want %q and nothing of the message", got, want)
	}
}

func halfOf(status int) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d X\r\nContent-Length: 100\r\n\r\n{", status)
	}
}

func failedBody(code string) string {
	subject, reason, _ := strings.Cut(code, "/")
	return fmt.Sprintf(`{"header":{"functionExecutionStatus":{"status":"Failed","statusCodeData":{"subjectCode":%q,"reasonCode":%q}}}}`,
		subject, reason)
}

func statusBody(status string) string {
	return fmt.Sprintf(`{"header":{"functionExecutionStatus":{"status":%q}}}`, status)
}

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func wantPartnerError(t *testing.T, err error, want mobile.PartnerError) {
	t.Helper()
	want.Partner = mobile.PartnerSMDPPlus
	got, ok := err.(*mobile.PartnerError)
	if !ok {
		t.Fatalf("got %T %v, want a *mobile.PartnerError", err, err)
	}
	sameReason := cmp.Comparer(func(a, b *fault.Error) bool { return a == b })
	if diff := cmp.Diff(&want, got, cmpopts.IgnoreFields(mobile.PartnerError{}, "Err"), sameReason); diff != "" {
		t.Errorf("error (-want +got):\n%s\ncause: %v", diff, got.Err)
	}
	if want.Reason != nil && fault.Of(err) != want.Reason {
		t.Errorf("the chain names %v, want %v", fault.Of(err), want.Reason)
	}
}
