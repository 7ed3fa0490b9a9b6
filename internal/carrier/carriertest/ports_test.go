package carriertest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/partnertest"
)

// friday is where the clock of these tests stands until it is moved.
var friday = time.Date(2026, 1, 2, 18, 0, 0, 0, time.UTC)

const (
	account = "0001234567"
	pin     = "04208642"
	day     = 24 * time.Hour
)

// startPorts begins a life in which time passes by Advance alone.
func (w *world) startPorts(t *testing.T) {
	t.Helper()
	w.startWith(t, carriertest.Config{EventURL: w.front.URL, Now: func() time.Time { return friday }})
}

// port is a port as it is shown.
type port struct {
	State      string    `json:"state"`
	PortID     string    `json:"port_id"`
	ICCID      string    `json:"iccid"`
	StateSince time.Time `json:"state_since"`
	DueAt      time.Time `json:"due_at"`
	Reason     struct{ Code, Message string }
}

func info(change func(map[string]any)) map[string]any {
	all := map[string]any{
		"account_number": account, "pin": pin, "account_zip": "10001", "first_name": "Ada", "last_name": "Example",
		"address_line": "1 Main St", "city": "New York", "region": "NY", "accepts_line_losses": true,
	}
	if change != nil {
		change(all)
	}
	return all
}

func portBody(id, line, number string, info map[string]any) string {
	text, _ := json.Marshal(map[string]any{
		"external_id": id, "line_external_id": line, "number": number, "donor": "att",
		"iccid": iccid, "imei": goodIMEI, "zip_code": "10001", "plan": "P", "customer_name": "Ada", "info": info,
	})
	return string(text)
}

func (w *world) submit(t *testing.T, id, number string) answer {
	t.Helper()
	return w.call(t, "POST", "/v1/ports", "submit/"+id, portBody(id, "line-1", number, info(nil)))
}

func (w *world) supplement(t *testing.T, id, key string) answer {
	t.Helper()
	text, _ := json.Marshal(map[string]any{"info": info(nil)})
	return w.call(t, "POST", "/v1/ports/"+id+"/supplement", "supplement/"+key, string(text))
}

func (w *world) cancel(t *testing.T, id string) answer {
	t.Helper()
	return w.call(t, "POST", "/v1/ports/"+id+"/cancel", "cancel/"+id, "")
}

func (w *world) read(t *testing.T, id string) port {
	t.Helper()
	var p port
	if err := json.Unmarshal([]byte(w.call(t, "GET", "/v1/ports/"+id, "", "").Body), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) advance(t *testing.T, by time.Duration) {
	t.Helper()
	if err := w.pretend.Advance(by); err != nil {
		t.Fatal(err)
	}
}

// acts are those in the journal, each with its code if it has one.
func (w *world) acts() string {
	var acts []string
	for _, e := range w.journal.Entries() {
		var said struct {
			Code string
			Port port
		}
		switch _ = e.Into(&said); {
		case e.Act == partnertest.ActDelivered || e.Act == carriertest.ActClock:
		case said.Code != "":
			acts = append(acts, e.Act+"("+said.Code+")")
		case said.Port.Reason.Code != "":
			acts = append(acts, e.Act+"("+said.Port.Reason.Code+")")
		default:
			acts = append(acts, e.Act)
		}
	}
	return strings.Join(acts, " ")
}

func code(a answer) string {
	var body struct{ Error struct{ Code string } }
	_ = json.Unmarshal([]byte(a.Body), &body)
	return body.Error.Code
}

func TestAPortMovesItsNumberOntoALine(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)

	got := w.submit(t, "p1", "+12125550100")
	if got.Status != http.StatusCreated || w.read(t, "p1").State != "SUBMITTED" {
		t.Fatalf("got %+v", got)
	}
	w.advance(t, time.Second)
	if p := w.read(t, "p1"); p.State != "CONFIRMED" || !p.StateSince.Equal(friday.Add(time.Second)) || !p.DueAt.Equal(friday.Add(6*time.Second)) {
		t.Errorf("port %+v", p)
	}
	if got := w.call(t, "GET", "/v1/lines/line-1", "", ""); code(got) != "LINE_NOT_FOUND" {
		t.Errorf("before the number has moved there is a line: %+v", got)
	}
	w.advance(t, 5*time.Second)

	if p := w.read(t, "p1"); p.State != "COMPLETED" || !p.StateSince.Equal(friday.Add(6*time.Second)) {
		t.Errorf("port %+v", p)
	}
	if got := w.state(t, "line-1"); got != "ACTIVE +12125550100" {
		t.Errorf("line = %s", got)
	}
	w.await(t, partnertest.ActDelivered, 2)
	for range 2 {
		var event struct {
			Type       string
			ExternalID string    `json:"external_id"`
			CreatedAt  time.Time `json:"created_at"`
			Port       port
		}
		if err := json.Unmarshal([]byte(<-w.events), &event); err != nil || event.ExternalID != "p1" || !event.CreatedAt.Equal(event.Port.StateSince) {
			t.Errorf("event %+v, %v", event, err)
		}
	}
	// The number is on a line now: nobody else is given it.
	w.call(t, "POST", "/v1/lines", "k2", order("l2", "8901000000000000025", goodIMEI))
	if got := w.state(t, "l2"); got != "ACTIVE +12125550101" {
		t.Errorf("the next new number = %s", got)
	}
}

// By itself the clock goes on, and nobody need ask.
func TestAPortGoesOnByItself(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startWith(t, carriertest.Config{AnswersAfter: soon, MovesAfter: soon})

	w.submit(t, "p1", "+12125550115")
	w.await(t, carriertest.ActPortCompleted, 1)

	if got, want := w.acts(), "submit_port port_delayed(DONOR_DELAY) port_confirmed port_completed"; got != want {
		t.Errorf("acts %q, want %q", got, want)
	}
}

func TestWhatAnOrderMustHave(t *testing.T) {
	t.Parallel()
	wireless, landline, voip := "+12125550100", "+12125550117", "+12125550118"
	for _, row := range []struct{ number, without, want string }{
		{wireless, "account_number", "ACCOUNT_NUMBER_INVALID"},
		{wireless, "pin", "PIN_INVALID"},
		{wireless, "account_zip", "ZIP_INVALID"},
		{wireless, "first_name", ""},
		{wireless, "address_line", ""},
		{voip, "pin", "PIN_INVALID"},
		{voip, "first_name", "NAME_MISMATCH"},
		{voip, "last_name", "NAME_MISMATCH"},
		{voip, "city", ""},
		{landline, "pin", ""},
		{landline, "account_number", "ACCOUNT_NUMBER_INVALID"},
		{landline, "account_zip", "ZIP_INVALID"},
		{landline, "last_name", "NAME_MISMATCH"},
		{landline, "address_line", "ADDRESS_MISMATCH"},
		{landline, "city", "ADDRESS_MISMATCH"},
		{landline, "region", "ADDRESS_MISMATCH"},
		{landline, "accepts_line_losses", "LINE_LOSSES_NOT_ACCEPTED"},
	} {
		t.Run(row.number+"/"+row.without, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.startPorts(t)
			less := info(func(all map[string]any) { delete(all, row.without) })

			got := w.call(t, "POST", "/v1/ports", "k1", portBody("p1", "line-1", row.number, less))

			if code(got) != row.want || (row.want == "") != (got.Status == http.StatusCreated) {
				t.Errorf("got %+v, want %q", got, row.want)
			}
		})
	}
}

func TestOneOpenPortANumber(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	w.submit(t, "p1", "+12125550119")

	second := w.submit(t, "p2", "+12125550119")
	w.cancel(t, "p1")
	during := w.submit(t, "p2", "+12125550119")
	w.advance(t, time.Second)
	after := w.submit(t, "p2", "+12125550119")

	if code(second) != "DUPLICATE" || code(during) != "DUPLICATE" || after.Status != http.StatusCreated {
		t.Errorf("second %+v, during %+v, after %+v", second, during, after)
	}
}

// The eSIM of an open port is on no other line; that of a cancelled one is free.
func TestAnOpenPortHoldsItsICCID(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	w.submit(t, "p1", "+12125550119")

	held := w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, goodIMEI))
	w.cancel(t, "p1")
	w.advance(t, time.Second)
	free := w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, goodIMEI))

	if code(held) != "ICCID_NOT_ACCEPTED" || free.Status != http.StatusCreated {
		t.Errorf("held %+v, free %+v", held, free)
	}
}

func TestPortKeys(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	first := w.submit(t, "p1", "+12125550101")
	w.advance(t, day)
	supplemented := w.supplement(t, "p1", "1")
	w.advance(t, day)

	if diff := cmp.Diff(first, w.submit(t, "p1", "+12125550101")); diff != "" {
		t.Errorf("the same order (-first +again):\n%s", diff)
	}
	if diff := cmp.Diff(supplemented, w.supplement(t, "p1", "1")); diff != "" {
		t.Errorf("the same supplement (-first +again):\n%s", diff)
	}
	other := w.call(t, "POST", "/v1/ports", "submit/p1", portBody("p1", "line-1", "+12125550101", info(func(all map[string]any) { all["pin"] = "1" })))
	if code(other) != "IDEMPOTENCY_KEY_REUSED" {
		t.Errorf("the key with another PIN got %+v", other)
	}
	exists := w.call(t, "POST", "/v1/ports", "k9", portBody("p1", "line-1", "+12125550101", info(nil)))
	if code(exists) != "PORT_EXISTS" || !strings.Contains(exists.Body, `"COMPLETED"`) {
		t.Errorf("another key got %+v", exists)
	}
	if got, want := w.acts(), "submit_port port_refused(6B) supplement_port port_confirmed port_completed"; got != want {
		t.Errorf("acts %q, want %q", got, want)
	}
}

// The journal tells what was said apart, and never what.
func TestTheJournalHoldsNoSecret(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	w.submit(t, "p1", "+12125550113")
	w.call(t, "POST", "/v1/ports", "submit/p1", portBody("p1", "line-1", "+12125550113", info(func(all map[string]any) { all["pin"] = "99999991" })))
	for i, pin := range []string{pin, "99999992", "99999992"} {
		w.advance(t, day)
		text, _ := json.Marshal(map[string]any{"info": info(func(all map[string]any) { all["pin"] = pin })})
		w.call(t, "POST", "/v1/ports/p1/supplement", fmt.Sprint("s", i), string(text))
	}

	type said struct {
		Key, Reference, Info string
		Revision             int
	}
	var all []said
	for _, e := range w.journal.Entries() {
		var c struct {
			Port struct {
				Info     string
				Revision int
			}
		}
		if e.Act == carriertest.ActSubmitPort || e.Act == carriertest.ActSupplementPort {
			if err := e.Into(&c); err != nil {
				t.Fatal(err)
			}
			all = append(all, said{e.Key, e.Reference, c.Port.Info, c.Port.Revision})
		}
	}
	one, two := all[0].Info, all[2].Info
	want := []said{{"submit/p1", "p1", one, 1}, {"s0", "p1", one, 2}, {"s1", "p1", two, 3}, {"s2", "p1", two, 4}}
	if diff := cmp.Diff(want, all); diff != "" || one == two || len(one) != 16 {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{pin, account, "9999999", "1 Main St"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the journal has %s", secret)
		}
	}
}

func TestPortsOutliveARestart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	first := w.submit(t, "p1", "+12125550125")
	w.advance(t, day)
	w.cancel(t, "p1")
	w.stop()

	w.startPorts(t)
	if p := w.read(t, "p1"); p.State != "CANCELLING" || !p.StateSince.Equal(friday.Add(day)) {
		t.Errorf("port %+v", p)
	}
	w.advance(t, day)
	if p := w.read(t, "p1"); p.State != "CANCELLED" || !p.StateSince.Equal(friday.Add(day+time.Second)) {
		t.Errorf("port %+v", p)
	}
	if diff := cmp.Diff(first, w.submit(t, "p1", "+12125550125")); diff != "" {
		t.Errorf("the same key (-first +again):\n%s", diff)
	}
	w.submit(t, "p2", "+12125550125")
	w.stop()

	// It remembers that the number had its refusal, and how far its clock is.
	w.startPorts(t)
	w.advance(t, day)
	if p := w.read(t, "p2"); p.State != "COMPLETED" || p.PortID != "prt_000002" || !p.StateSince.Equal(friday.Add(2*day+6*time.Second)) {
		t.Errorf("port %+v", p)
	}
	if got, want := w.acts(), "submit_port port_refused(6B) cancel_port port_cancelled submit_port port_confirmed port_completed"; got != want {
		t.Errorf("acts %q, want %q", got, want)
	}
	w.await(t, partnertest.ActDelivered, 4)
}

// What was due while it was down has happened at its time when it is up again.
func TestTimePassesWhileItIsDown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	w.submit(t, "p1", "+12125550100")
	w.stop()

	w.startWith(t, carriertest.Config{Now: func() time.Time { return friday.Add(day) }})

	if p := w.read(t, "p1"); p.State != "COMPLETED" || !p.StateSince.Equal(friday.Add(6*time.Second)) {
		t.Errorf("port %+v", p)
	}
}
