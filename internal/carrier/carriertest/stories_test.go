package carriertest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/partnertest"
)

const (
	calm = "submit_port port_confirmed port_completed"
	once = "submit_port port_refused(%s) supplement_port port_confirmed port_completed"
)

// told has what happens at each number, by its last two digits, when a patient customer does
// what is asked; numbers that are not here are calm.
var told = map[string]string{
	"01": fmt.Sprintf(once, "6B"),
	"02": fmt.Sprintf(once, "8A"),
	"03": fmt.Sprintf(once, "8D"),
	"04": fmt.Sprintf(once, "6P"),
	"05": fmt.Sprintf(once, "7C"),
	"06": fmt.Sprintf(once, "ADDRESS_MISMATCH"),
	"07": fmt.Sprintf(once, "NUMBER_INACTIVE"),
	"08": fmt.Sprintf(once, "IDENTITY_MISMATCH"),
	"09": fmt.Sprintf(once, "9Z"),
	"10": "refused(7T) refused(7T)",
	"11": "refused(SAME_NETWORK) refused(SAME_NETWORK)",
	"12": "submit_port " + strings.Repeat("port_refused(DUPLICATE) supplement_port ", patience) + "port_refused(DUPLICATE) cancel_port port_cancelled",
	"13": "submit_port " + strings.Repeat("port_refused(6B) supplement_port ", 3) + "port_confirmed port_completed",
	"14": "submit_port " + strings.Repeat("port_refused(8A) supplement_port ", 5) + "port_confirmed port_completed",
	"15": "submit_port port_delayed(DONOR_DELAY) port_confirmed port_completed",
	"16": "submit_port port_confirmed port_refused(DUE_DATE) supplement_port port_confirmed port_completed",
	"19": "submit_port cancel_port port_cancelled",
	"20": "submit_port port_completed",
	"25": "submit_port port_refused(6B) refused(SUPPLEMENT_NOT_ALLOWED) cancel_port port_cancelled " + calm,
	"26": "refused(6B) " + calm,
	"27": "refused(NUMBER_UNKNOWN) refused(NUMBER_UNKNOWN)",
}

// patience is how many corrections that customer makes.
const patience = 6

// bringIn is that customer: orders, corrects, cancels and orders anew.
func (w *world) bringIn(t *testing.T, number string) {
	t.Helper()
	if first := w.submit(t, "p1", number); first.Status != http.StatusCreated {
		if second := w.submit(t, "p1", number); second.Status != http.StatusCreated {
			return
		}
	}
	for n := range patience {
		w.advance(t, 4*day)
		if w.read(t, "p1").State != "REFUSED" {
			break
		}
		if code(w.supplement(t, "p1", fmt.Sprint(n))) == "SUPPLEMENT_NOT_ALLOWED" {
			w.cancel(t, "p1")
			w.advance(t, 4*day)
			w.submit(t, "p2", number)
		}
	}
	w.advance(t, 4*day)
	if state := w.read(t, "p1").State; state != "COMPLETED" && state != "CANCELLED" {
		w.cancel(t, "p1")
		w.advance(t, 4*day)
	}
}

func TestStories(t *testing.T) {
	t.Parallel()
	numbers := []string{"+12125551234", "+12129875309"}
	for last := range 100 {
		numbers = append(numbers, fmt.Sprintf("+1415555%04d", 100+last))
	}
	for _, number := range numbers {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			want := calm
			if story, there := told[number[10:]]; there && number[5:10] == "55501" {
				want = story
			}
			w := setup(t)
			w.startPorts(t)

			w.bringIn(t, number)

			if diff := cmp.Diff(want, w.acts()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Another customer with the same number hears the same story from its beginning.
func TestAStoryBeginsAnewForAnotherLine(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	w.submit(t, "p1", "+12125550101")
	w.advance(t, day)
	w.cancel(t, "p1")
	w.advance(t, day)

	w.call(t, "POST", "/v1/ports", "k2", portBody("p2", "line-2", "+12125550101", info(nil)))
	w.advance(t, day)

	if p := w.read(t, "p2"); p.State != "REFUSED" || p.Reason.Code != "6B" {
		t.Errorf("port %+v", p)
	}
}

func TestPortabilityOfNumbers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	soon, monday := friday.Add(6*time.Second).Format(time.RFC3339), "2026-01-05T15:00:00Z"
	wireless := `{"portable":true,"number_type":"WIRELESS","required_fields":["account_number","pin","account_zip"],"earliest_at":"` + soon + `"}`
	for number, want := range map[string]string{
		"+12125550100": wireless,
		"+12129875309": wireless,
		"+12125550124": strings.Replace(wireless, `"required`, `"donor":"verizon","required`, 1),
		"+12125550117": `{"portable":true,"number_type":"LANDLINE","required_fields":["account_number","account_zip","first_name",` +
			`"last_name","address_line","city","region","accepts_line_losses"],"earliest_at":"` + monday + `"}`,
		"+12125550118": `{"portable":true,"number_type":"VOIP","required_fields":["account_number","pin","account_zip",` +
			`"first_name","last_name"],"earliest_at":"` + soon + `"}`,
		"+12125550110": `{"portable":false,"reason":{"code":"7T","message":"The number is not eligible."}}`,
		"+12125550111": `{"portable":false,"reason":{"code":"SAME_NETWORK","message":"The number is on this network already."}}`,
		"+12125550127": `{"portable":false,"reason":{"code":"NUMBER_UNKNOWN","message":"Nobody has this number."}}`,
		"+12125550112": wireless, // that it is being ported elsewhere comes out later
	} {
		got := w.call(t, "POST", "/v1/portability-checks", "", `{"number":"`+number+`","zip_code":"10001"}`)

		if diff := cmp.Diff(answer{http.StatusOK, want + "\n"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", number, diff)
		}
	}
	if n := count(w.journal.Entries(), carriertest.ActPortabilityCheck); n != 9 {
		t.Errorf("%d checks in the journal", n)
	}
}

func TestCancels(t *testing.T) {
	t.Parallel()

	t.Run("TheNumberMovesAllTheSame", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.submit(t, "p1", "+12125550121")

		got := w.cancel(t, "p1")
		w.advance(t, day)

		if p := w.read(t, "p1"); !strings.Contains(got.Body, "CANCELLING") || p.State != "COMPLETED" || w.state(t, "line-1") != "ACTIVE +12125550121" {
			t.Errorf("got %+v, then %+v", got, p)
		}
	})

	t.Run("TakesTwoDays", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.submit(t, "p1", "+12125550129")
		w.cancel(t, "p1")

		w.advance(t, 2*day-time.Second)
		early := w.read(t, "p1").State
		w.advance(t, time.Second)

		if late := w.read(t, "p1").State; early != "CANCELLING" || late != "CANCELLED" {
			t.Errorf("early %s, late %s", early, late)
		}
	})

	t.Run("AConfirmedPortDoesNotMove", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.submit(t, "p1", "+12125550100")
		w.advance(t, time.Second)
		w.cancel(t, "p1")

		w.advance(t, day)

		if got, want := w.acts(), "submit_port port_confirmed cancel_port port_cancelled"; got != want {
			t.Errorf("acts %q, want %q", got, want)
		}
	})

	t.Run("CancelledTwiceIsCancelledOnce", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.submit(t, "p1", "+12125550129")
		w.cancel(t, "p1")
		w.advance(t, day)

		w.call(t, "POST", "/v1/ports/p1/cancel", "another", "")
		w.advance(t, day)

		if p := w.read(t, "p1"); p.State != "CANCELLED" || !p.StateSince.Equal(friday.Add(2*day)) {
			t.Errorf("port %+v", p)
		}
	})
}

// events takes n events as "type state iccid".
func (w *world) takeEvents(t *testing.T, n int) []string {
	t.Helper()
	w.await(t, partnertest.ActDelivered, n)
	var all []string
	for range n {
		var event struct {
			ID, Type string
			Port     port
		}
		if err := json.Unmarshal([]byte(<-w.events), &event); err != nil {
			t.Fatal(err)
		}
		all = append(all, event.ID+" "+event.Type+" "+event.Port.ICCID)
	}
	return all
}

func TestEventsThatGoAnotherWay(t *testing.T) {
	t.Parallel()
	const first, second = "evt_000001 port.confirmed " + iccid, "evt_000002 port.completed " + iccid

	t.Run("ACompletionIsNotTold", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.submit(t, "p1", "+12125550122")
		w.advance(t, day)
		w.submit(t, "p2", "+13125550104") // whose event shows that no other is on its way
		w.advance(t, time.Second)

		got := w.takeEvents(t, 2)

		slices.Sort(got)
		if diff := cmp.Diff([]string{first, "evt_000003 port.refused " + iccid}, got); diff != "" || w.read(t, "p1").State != "COMPLETED" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})

	t.Run("EachComesThreeTimesTheLastOneFirst", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.submit(t, "p1", "+12125550123")
		w.advance(t, time.Second)
		if n := len(w.events); n != 0 {
			t.Errorf("%d events came early", n)
		}
		w.advance(t, day)

		got := w.takeEvents(t, 6)

		if diff := cmp.Diff([]string{second, second, second, first, first, first}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})

	t.Run("ACompletionNamesAnotherICCID", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.submit(t, "p1", "+12125550128")
		w.advance(t, day)

		got := w.takeEvents(t, 2)

		slices.Sort(got)
		if diff := cmp.Diff([]string{first, "evt_000002 port.completed 8901000000000000018"}, got); diff != "" || w.read(t, "p1").ICCID != iccid {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
