package workflows_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// The model: programs of replies, faults, cancels, answers and losses are drawn and lived
// through, and the partners' journals tell afterwards whether what was promised is so. The
// oracle (model_oracle_test.go) knows the promises, and nothing of how they are kept.
//
// Forty programs are lived through by default, eight with -short. For thousands:
//
//	go test ./workflows -run TestModel -timeout 2h -rapid.checks 1000
//
// where each of the four parts takes that many. One that failed is printed, and kept in
// testdata/rapid, from where it is lived through again before any other. Once it is understood,
// its program goes to testdata/model (TestModel_Found).
func TestModel(t *testing.T) {
	t.Parallel()
	unlessAsked(t, "10")
	var seen census
	t.Cleanup(func() { t.Logf("lived through: %v", seen.counts) })
	for _, part := range []string{"Spring", "Summer", "Autumn", "Winter"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				p := rapid.Custom(drawProgram).Draw(rt, "program")
				if broken := live(t, p, &seen); len(broken) > 0 {
					rt.Fatal(strings.Join(broken, "\n"))
				}
			})
		})
	}
}

// Programs that once broke a promise, or that are drawn too seldom, are lived through each time.
func TestModel_Found(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/model/*.json")
	fatal(t, err)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			fatal(t, err)
			var p program
			fatal(t, json.Unmarshal(text, &p))
			w := newWorld(t, p)
			w.play()
			if broken := w.broken(t); len(broken) > 0 {
				t.Error(strings.Join(broken, "\n"))
			}
		})
	}
}

// unlessAsked sets how many programs each part takes, unless the caller says so.
func unlessAsked(t *testing.T, checks string) {
	t.Helper()
	_, asked := os.LookupEnv("RAPID_CHECKS")
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		fatal(t, flag.Set("rapid.checks", checks))
	}
}

// program is what happens to one activation.
type program struct {
	// Customer says what the partners think of the order.
	Customer customer
	// Stock are the profiles that were imported: true for one that the SM-DP+ has.
	Stock []bool `json:",omitempty"`
	// ComesUpAfter is how long in real time a line takes that does not come up at once.
	ComesUpAfter time.Duration
	// Faults bite the calls of a route one after the other.
	Faults []partnertest.Fault `json:",omitempty"`
	// Late are routes of which one call arrives late: its connection breaks, and the partner
	// acts a moment later.
	Late []string `json:",omitempty"`
	// Events says what SendGrid tells of a mail that it accepted, if anything.
	Events string `json:",omitempty"`
	Cancel cancelling
	// Losses are when the run is lost: the first one, and the one that follows it.
	Losses []loss `json:",omitempty"`
	// Answers choose among what the operator is offered; afterwards the likeliest is taken.
	Answers []int `json:",omitempty"`
}

// String is how a program is shown.
func (p program) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// GoString is how rapid shows it.
func (p program) GoString() string { return p.String() }

// customer is an order by what the partners say to it.
type customer struct {
	Name string
	IMEI mobile.IMEI `json:",omitempty"`
	ZIP  mobile.ZIP  `json:",omitempty"`
	Type string      `json:",omitempty"`
	// Refused is the reason for which it can be refused for good; empty when it cannot.
	Refused string `json:",omitempty"`
}

// customers begin with the likeliest.
var customers = []customer{
	{Name: "good"},
	{Name: "good"},
	{Name: "good"},
	{Name: "good"},
	{Name: "good"},
	{Name: "later", IMEI: carriertest.IMEIComesUpLater},
	{Name: "silently", IMEI: carriertest.IMEIComesUpSilently},
	{Name: "fails later", IMEI: carriertest.IMEIFailsLater, Refused: "DEVICE_NOT_SUPPORTED"},
	{Name: "blocked", IMEI: carriertest.IMEIBlocked, Refused: "DEVICE_BLOCKED"},
	{Name: "blocked at activation", IMEI: carriertest.IMEIBlockedAtActivation, Refused: "DEVICE_BLOCKED"},
	{Name: "not served at activation", ZIP: carriertest.ZIPNotServedAtActivation, Refused: "ZIP_NOT_SERVED"},
	{Name: "of an unknown type", Type: esimtest.TypeUnknown, Refused: "PROFILE_TYPE_UNKNOWN"},
	{Name: "out of stock", Type: esimtest.TypeOutOfStock},
}

// order is the launch of the customer's activation.
func (c customer) order() order {
	o := order{imei: c.IMEI, zip: c.ZIP}
	if c.Type != "" {
		o.plan = mobile.Plan{Name: "odd", Kind: mobile.PlanMobile, CarrierPlan: storetest.CarrierPlan, ProfileType: c.Type}
	}
	return o
}

// The calls to partners, as faults name them.
const (
	routeDevice   = "POST /v1/device-checks"
	routeOrder    = "POST /v1/lines"
	routeRead     = "GET /v1/lines/*"
	routeTakeDown = "POST /v1/lines/*/deactivate"
	routeDownload = "POST /gsma/rsp2/es2plus/downloadOrder"
	routeConfirm  = "POST /gsma/rsp2/es2plus/confirmOrder"
	routeReturn   = "POST /gsma/rsp2/es2plus/cancelOrder"
	routeMail     = "POST /v3/mail/send"
	// routeChange puts another eSIM on a line, which no activation does.
	routeChange = "PUT /v1/lines/*/sim"
)

// routes are those of an activation and of giving it back.
var routes = []string{routeDownload, routeMail, routeOrder, routeConfirm, routeRead, routeReturn, routeTakeDown, routeDevice}

// moment is when something happens.
type moment struct {
	// Call is the call to a partner, counted from 1, at which it happens; Route is the first
	// call of a route instead. Without either, it happens at a time.
	Call  int    `json:",omitempty"`
	Route string `json:",omitempty"`
	// Acted tells that the partner has acted by then.
	Acted bool `json:",omitempty"`
	// At is the time of the run, when it is at no call.
	At time.Duration `json:",omitempty"`
}

// cancelling is who cancels, and when.
type cancelling struct {
	By   canceller
	When moment
	// First tells that it comes before the run.
	First bool `json:",omitempty"`
}

type canceller string

const (
	byNobody  canceller = ""
	byTenant  canceller = "tenant"
	byBilling canceller = "billing" // together with the subscription
	byEngine  canceller = "engine"  // in the Temporal UI
)

// loss is the end of a run's worker. One at a call takes what it learned with it.
type loss struct{ When moment }

func drawProgram(t *rapid.T) program {
	return program{
		Customer:     rapid.SampledFrom(customers).Draw(t, "customer"),
		Stock:        rapid.SliceOfN(rapid.SampledFrom([]bool{true, true, false}), 0, 2).Draw(t, "stock"),
		ComesUpAfter: rapid.SampledFrom([]time.Duration{time.Millisecond, 30 * time.Millisecond, time.Hour}).Draw(t, "comes up after"),
		Faults:       rapid.SliceOfN(rapid.Custom(drawFault), 0, 5).Draw(t, "faults"),
		Late:         rapid.SliceOfN(rapid.SampledFrom(routes), 0, 2).Draw(t, "late"),
		Events:       rapid.SampledFrom([]string{"", "delivered", "bounced"}).Draw(t, "events"),
		Cancel:       rapid.Custom(drawCancel).Draw(t, "cancel"),
		Losses:       rapid.SliceOfN(rapid.Custom(drawLoss), 0, 2).Draw(t, "losses"),
		Answers:      rapid.SliceOfN(rapid.IntRange(0, 3), 0, 6).Draw(t, "answers"),
	}
}

func drawFault(t *rapid.T) partnertest.Fault {
	f := partnertest.Fault{
		Match: rapid.SampledFrom(routes).Draw(t, "route"),
		Kind: rapid.SampledFrom([]partnertest.Kind{
			partnertest.DropAfter, partnertest.DropBefore, partnertest.Status, partnertest.Partial, partnertest.BadJSON,
			partnertest.Empty2xx, partnertest.Redirect, partnertest.Hang, partnertest.Slow, partnertest.Huge,
		}).Draw(t, "kind"),
		// 0 is an outage, which ends when the partners are mended.
		Times: rapid.SampledFrom([]int{1, 1, 2, 3, 0}).Draw(t, "times"),
	}
	switch f.Kind {
	case partnertest.Status:
		f.Status = rapid.SampledFrom([]int{503, 500, 429, 400, 401, 404, 409, 422}).Draw(t, "status")
		f.Applied = f.Status >= 500 && f.Status != 503 && rapid.Bool().Draw(t, "applied")
	case partnertest.Hang, partnertest.Huge:
		f.Times = 1 // each costs real time
		f.Applied = f.Kind == partnertest.Hang && rapid.Bool().Draw(t, "applied")
	case partnertest.Redirect:
		f.Applied = rapid.Bool().Draw(t, "applied")
	case partnertest.Slow:
		f.Delay = callTimeout / 6 // late answers are the program's Late
	case partnertest.DropBefore, partnertest.DropAfter, partnertest.Partial, partnertest.BadJSON, partnertest.Empty2xx:
	}
	return f
}

func drawMoment(t *rapid.T) moment {
	switch rapid.SampledFrom([]string{"route", "call", "time"}).Draw(t, "at") {
	case "route":
		return moment{Route: rapid.SampledFrom(routes).Draw(t, "route"), Acted: rapid.Bool().Draw(t, "acted")}
	case "call":
		return moment{Call: rapid.IntRange(1, 12).Draw(t, "call"), Acted: rapid.Bool().Draw(t, "acted")}
	}
	return moment{At: rapid.SampledFrom([]time.Duration{
		time.Second, 10 * time.Second, time.Minute, 14 * time.Minute, 25 * time.Minute, 70 * time.Minute, 5 * time.Hour,
	}).Draw(t, "at")}
}

func drawCancel(t *rapid.T) cancelling {
	c := cancelling{By: rapid.SampledFrom([]canceller{byNobody, byTenant, byBilling, byEngine}).Draw(t, "by")}
	if c.By == byNobody {
		return c
	}
	c.First = c.By != byEngine && rapid.IntRange(0, 7).Draw(t, "first") == 7
	switch {
	case c.First:
	case rapid.Bool().Draw(t, "as it comes up"):
		c.When = moment{
			Route: rapid.SampledFrom([]string{routeMail, routeRead, routeOrder}).Draw(t, "route"), Acted: rapid.Bool().Draw(t, "acted"),
		}
	default:
		c.When = drawMoment(t)
	}
	return c
}

func drawLoss(t *rapid.T) loss { return loss{When: drawMoment(t)} }

// live lives through a program and tells what was promised and is not so.
func live(t *testing.T, p program, seen *census) (broken []string) {
	t.Helper()
	ok := t.Run("program", func(t *testing.T) {
		w := newWorld(t, p)
		w.play()
		broken = w.broken(t)
		seen.take(w.happened())
	})
	if !ok {
		broken = append(broken, fmt.Sprintf("the program could not be lived through: %s", p))
	}
	return broken
}

// census counts what happened in all programs, so that a reader sees whether they were idle.
type census struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *census) take(what []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = make(map[string]int)
	}
	for _, w := range what {
		c.counts[w]++
	}
}

// happened names what happened in a program that has ended.
func (w *world) happened() []string {
	what := []string{"programs", string(w.now(w.t).State)}
	for range len(w.program.Losses) - len(w.losses) {
		what = append(what, "runs lost")
	}
	for range w.bitten {
		what = append(what, "faults bitten")
	}
	for range len(w.program.Late) - len(w.late) {
		what = append(what, "calls late")
	}
	if w.cancelled {
		what = append(what, "cancels accepted")
	}
	if w.tooLate {
		what = append(what, "cancels too late")
	}
	for _, choice := range mobile.Resolutions() {
		for range w.operator.done(choice, "") {
			what = append(what, "decided "+string(choice))
		}
	}
	return what
}
