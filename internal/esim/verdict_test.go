package esim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire/wiretest"
)

// acts is how a test makes each act, on an order that is its own.
var acts = map[act]struct {
	name string
	call func(context.Context, *Client) error
}{
	downloadByICCID: {"DownloadByICCID", func(ctx context.Context, c *Client) error {
		_, err := c.DownloadOrder(ctx, DownloadOrder{CallID: "call-1", ICCID: testICCID})
		return err
	}},
	downloadByType: {"DownloadByType", func(ctx context.Context, c *Client) error {
		_, err := c.DownloadOrder(ctx, DownloadOrder{CallID: "call-1", ProfileType: "consumer-5g"})
		return err
	}},
	confirm: {"Confirm", func(ctx context.Context, c *Client) error {
		_, err := c.ConfirmOrder(ctx, ConfirmOrder{CallID: "call-1", ICCID: testICCID, MatchingID: testMatchingID})
		return err
	}},
	cancel: {"Cancel", func(ctx context.Context, c *Client) error {
		return c.CancelOrder(ctx, CancelOrder{CallID: "call-1", ICCID: testICCID, MatchingID: testMatchingID, Final: Unavailable})
	}},
}

// answers are the words in the columns of pairs.
var answers = map[string]meaning{
	"yes":        {verdict: mobile.VerdictYes},
	"later":      {verdict: mobile.VerdictNotNow},
	"restock":    {verdict: mobile.VerdictNotNow, wait: 15 * time.Minute},
	"refused":    {verdict: mobile.VerdictRefused, reason: mobile.ErrPartnerRefused},
	"no type":    {verdict: mobile.VerdictRefused, reason: mobile.ErrProfileTypeUnknown},
	"no profile": {verdict: mobile.VerdictRefused, reason: mobile.ErrProfileNotAvailable},
	"in use":     {verdict: mobile.VerdictRefused, reason: mobile.ErrProfileInUse},
	// The function does not have the pair, so that nobody knows what it would say of it.
	"-": {verdict: mobile.VerdictNotNow},
}

// pairs has a row for each pair of codes that SM-DP+ are known to use, with what it means to
// a download order by ICCID, one by type, a confirmation and a cancellation.
var pairs = []struct{ code, byICCID, byType, confirm, cancel string }{
	{"1.1/1.1", "later", "later", "later", "later"},
	{"1.1/1.2", "later", "later", "later", "later"},
	{"1.2/4.2", "later", "later", "later", "later"},
	{"1.2/4.4", "later", "later", "later", "later"},
	{"1.6/2.1", "later", "later", "later", "later"},
	{"1.6/2.2", "later", "later", "later", "later"},
	{"1.6/2.3", "later", "later", "later", "later"},
	{"8.1.1/2.2", "refused", "refused", "refused", "-"},
	{"8.1.1/3.1", "no profile", "-", "no profile", "-"},
	{"8.1.1/3.8", "refused", "refused", "refused", "-"},
	{"8.1.1/3.10", "no profile", "-", "no profile", "-"},
	{"8.2.1/1.2", "no profile", "-", "no profile", "no profile"},
	{"8.2.1/3.1", "no profile", "-", "no profile", "-"},
	{"8.2.1/3.3", "yes", "-", "no profile", "in use"}, // already so with our ICCID; with another's id; in a phone
	{"8.2.1/3.5", "-", "-", "no profile", "-"},
	{"8.2.1/3.9", "no profile", "-", "no profile", "yes"},
	{"8.2.1/3.10", "no profile", "-", "no profile", "-"},
	{"8.2.5/1.2", "no type", "no type", "-", "-"},
	{"8.2.5/3.7", "restock", "restock", "-", "-"},
	{"8.2.5/3.8", "no type", "no type", "-", "-"},
	{"8.2.5/3.9", "no type", "no type", "-", "-"},
	{"8.2.5/4.3", "no type", "no type", "-", "-"},
	{"8.2.6/3.3", "-", "-", "yes", "-"}, // already so with our matching id
	{"8.2.6/3.8", "-", "-", "no profile", "-"},
	{"8.2.6/3.10", "-", "-", "no profile", "yes"}, // already so with another's
	{"8.2.7/2.2", "-", "-", "refused", "-"},
	{"8.2.7/3.8", "-", "-", "refused", "-"},
	{"8.2.7/6.4", "-", "-", "refused", "-"},
	{"8.8.5/4.1", "-", "-", "no profile", "yes"},
	{"8.8.5/4.10", "-", "-", "no profile", "yes"},
	{"8.8.5/6.4", "-", "-", "no profile", "-"},
	{"8.9/4.2", "-", "-", "later", "-"},
	{"8.9/5.1", "-", "-", "later", "-"},
	{"8.10/9.9", "-", "-", "-", "-"}, // there is none such
}

// TestFailed tries each pair with each act, beside a 200 and beside a 400.
func TestFailed(t *testing.T) {
	t.Parallel()
	for _, row := range pairs {
		for act, meant := range map[act]string{
			downloadByICCID: row.byICCID, downloadByType: row.byType, confirm: row.confirm, cancel: row.cancel,
		} {
			t.Run(row.code+"/"+acts[act].name, func(t *testing.T) {
				t.Parallel()
				want, known := answers[meant]
				if !known {
					t.Fatalf("%q is no answer", meant)
				}
				for _, status := range []int{200, 400} {
					code := row.code
					if status == 400 && meant == "-" {
						code = "HTTP 400" // not even the SM-DP+'s own word
					}

					err := acts[act].call(t.Context(), clientOf(t, answering(status, failedBody(row.code))))

					if want.verdict != mobile.VerdictYes {
						wantPartnerError(t, err, mobile.PartnerError{
							Verdict: want.verdict, Reason: want.reason, Code: code, RetryAfter: want.wait,
						})
					} else if err != nil {
						t.Errorf("got %v, want it taken for done", err)
					}
				}
			})
		}
	}
}

// TestPairsAreAllOfTheList: the rows above and the lists of the table are of the same pairs.
func TestPairsAreAllOfTheList(t *testing.T) {
	t.Parallel()
	rows := map[act]map[string]bool{downloadByICCID: {}, downloadByType: {}, confirm: {}, cancel: {}}
	for _, row := range pairs {
		for act, meant := range map[act]string{
			downloadByICCID: row.byICCID, downloadByType: row.byType, confirm: row.confirm, cancel: row.cancel,
		} {
			if meant != "-" {
				rows[act][row.code] = true
			}
		}
	}
	for act := range acts {
		lists := map[string]bool{}
		for _, list := range []map[string]meaning{listed[act], everywhere} {
			for code := range list {
				lists[code] = true
			}
		}
		if diff := cmp.Diff(rows[act], lists); diff != "" {
			t.Errorf("%s: (-rows +lists):\n%s", acts[act].name, diff)
		}
	}
}

// TestReply has the replies that are neither a listed pair nor a bare status. What they are
// worth does not depend on the act, so each is tried with each.
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
		want   mobile.PartnerError // none is yes
	}{
		{"Success", 200, doneBody("Executed-Success"), mobile.PartnerError{}},
		{"Warning", 200, doneBody("Executed-WithWarning"), mobile.PartnerError{}},
		{"SuccessBesideAnother2xx", 202, doneBody("Executed-Success"), mobile.PartnerError{}},
		{"Expired", 200, statusBody("Expired"), unknown("Expired")},
		{"ExpiredWithAListedPair", 200, strings.Replace(failedBody("1.2/4.4"), "Failed", "Expired", 1), unknown("Expired")},
		{"StatusUnknown", 200, statusBody("Executed-Perhaps"), unknown("reply without a known status")},
		{"StatusInAnotherCase", 200, doneBody("executed-success"), unknown("reply without a known status")},
		{"FailedWithoutCodes", 200, statusBody("Failed"), notNow("Failed")},
		{"FailedWithHalfAPair", 200, failedBody("8.2.5"), notNow("Failed")},
		{"FailedWithTextForCodes", 200, failedBody("John Doe/555-0100"), notNow("Failed")},
		{"FailedBesideAnother2xx", 201, failedBody("1.2/4.4"), notNow("1.2/4.4")},
		{"SuccessBesideA400", 400, doneBody("Executed-Success"), notNow("HTTP 400")},
		{"SuccessBesideA500", 500, doneBody("Executed-Success"), unknown("HTTP 500")},
		{"ExpiredBesideA400", 400, statusBody("Expired"), notNow("HTTP 400")},
	} {
		for act := range acts {
			t.Run(c.name+"/"+acts[act].name, func(t *testing.T) {
				t.Parallel()
				client := clientOf(t, answering(c.status, c.body))

				err := acts[act].call(t.Context(), client)

				if c.want.Verdict != "" {
					wantPartnerError(t, err, c.want)
				} else if err != nil {
					t.Errorf("got %v, want yes", err)
				}
			})
		}
	}

	// The type that a reply says it has decides nothing: some SM-DP+ say text/plain.
	t.Run("SuccessOfAnotherContentType", func(t *testing.T) {
		t.Parallel()
		url := wiretest.Answer(t, 200, "text/html", doneBody("Executed-Success"))

		if err := acts[confirm].call(t.Context(), newClient(t, Config{URL: url})); err != nil {
			t.Error(err)
		}
	})
}

// refusal is a pair that each act is refused for.
var refusal = map[act]string{
	downloadByICCID: "8.2.5/3.9", downloadByType: "8.2.5/3.9", confirm: "8.2.1/3.9", cancel: "8.2.1/3.3",
}

// TestStatuses has a row for each status, and tries it bare and with a pair that refuses.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, status := range wiretest.Statuses() {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			wantBare, wantFailed := mobile.VerdictUnknown, mobile.VerdictUnknown
			switch {
			case slices.Contains([]int{401, 403, 429, 503}, status):
				wantBare, wantFailed = mobile.VerdictNotNow, mobile.VerdictNotNow
			case 400 <= status && status <= 499:
				wantBare, wantFailed = mobile.VerdictNotNow, mobile.VerdictRefused
			}
			bare := newClient(t, Config{URL: wiretest.Answer(t, status, "", "")})
			for act, pair := range refusal {
				failed := newClient(t, Config{URL: wiretest.Answer(t, status, "application/json", failedBody(pair))})

				wantPartnerError(t, acts[act].call(t.Context(), bare), mobile.PartnerError{
					Verdict: wantBare, Code: fmt.Sprintf("HTTP %d", status),
				})
				if err := acts[act].call(t.Context(), failed); mobile.VerdictOf(err) != wantFailed {
					t.Errorf("%s: with %s %v, want %s", acts[act].name, pair, err, wantFailed)
				}
			}
		})
	}
}

// TestSuccesses: no 2xx is a yes by itself.
func TestSuccesses(t *testing.T) {
	t.Parallel()
	for _, status := range wiretest.Successes() {
		for act := range acts {
			t.Run(strconv.Itoa(status)+"/"+acts[act].name, func(t *testing.T) {
				t.Parallel()
				client := newClient(t, Config{URL: wiretest.Answer(t, status, "application/json", "")})

				wantPartnerError(t, acts[act].call(t.Context(), client),
					mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: "reply not readable"})
			})
		}
	}
}

func TestGarbledSuccesses(t *testing.T) {
	t.Parallel()
	for _, body := range wiretest.Garbled() {
		for act := range acts {
			t.Run(body.Name+"/"+acts[act].name, func(t *testing.T) {
				t.Parallel()
				client := newClient(t, Config{URL: wiretest.Answer(t, 200, body.Kind, body.Text)})

				if err := acts[act].call(t.Context(), client); mobile.VerdictOf(err) != mobile.VerdictUnknown {
					t.Errorf("got %v, want unknown", err)
				}
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

			wantPartnerError(t, acts[downloadByType].call(t.Context(), client), c.want)
		})
	}
}

// TestErrorsAreSafe: what the partner says freely reaches no text of ours.
func TestErrorsAreSafe(t *testing.T) {
	t.Parallel()
	const secret = "Ann Example, 555-0100"
	body := fmt.Sprintf(`{"header":{"functionExecutionStatus":{"status":"Failed","statusCodeData":{
		"subjectCode":"8.2.5","reasonCode":"3.9","subjectIdentifier":%[1]q,"message":%[1]q}}}}`, secret)
	client := clientOf(t, answering(200, body))

	err := acts[downloadByType].call(t.Context(), client)

	if got, want := fmt.Sprintf("%v %+v", err, fault.Of(err)), "smdp+: refused (8.2.5/3.9)"; !strings.HasPrefix(got, want) || strings.Contains(got, "Ann") {
		t.Errorf("got %q, want %q and nothing of the message", got, want)
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

// doneBody is a status with all that a yes to any act needs.
func doneBody(status string) string {
	return strings.TrimSuffix(statusBody(status), "}") + `,"iccid":"` + string(testICCID) + `","matchingId":"` + testMatchingID + `"}`
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
