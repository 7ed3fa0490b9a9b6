package carriertest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
)

func TestAdvance(t *testing.T) {
	t.Parallel()

	t.Run("LetsAllHappenInItsOrderAndAtItsTime", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.call(t, "POST", "/v1/lines", "k1", order("l1", "8901000000000000025", carriertest.IMEIComesUpLater))
		w.call(t, "POST", "/v1/ports", "k2", portBody("p1", "line-1", "+12125550115", info(nil)))
		w.advance(t, 500*time.Millisecond)
		other := strings.Replace(portBody("p2", "line-2", "+12125550120", info(nil)), iccid, "8901000000000000033", 1)
		w.call(t, "POST", "/v1/ports", "k3", other)

		w.advance(t, 3*day)

		type act struct {
			After     time.Duration
			Act, What string
		}
		var got []act
		for _, e := range w.journal.Entries() {
			if e.Key == "" && e.Act != carriertest.ActClock {
				got = append(got, act{e.At.Sub(friday), e.Act, e.Reference})
			}
		}
		want := []act{
			{1000 * time.Millisecond, "port_delayed", "p1"},
			{1500 * time.Millisecond, "port_completed", "p2"},
			{2000 * time.Millisecond, "line_active", "l1"},
			{6000 * time.Millisecond, "port_confirmed", "p1"},
			{11000 * time.Millisecond, "port_completed", "p1"},
		}
		if diff := cmp.Diff(want, withoutDeliveries(got, func(a act) string { return a.Act })); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})

	t.Run("DoesNotGoBack", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)

		if w.pretend.Advance(-time.Second) == nil {
			t.Error("it went back")
		}
	})

	t.Run("OfNothingSaysThatAnothersClockHasMoved", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		var passed atomic.Int64
		w.startWith(t, carriertest.Config{Now: func() time.Time { return friday.Add(time.Duration(passed.Load())) }})
		w.submit(t, "p1", "+12125550100")
		passed.Store(int64(time.Second))

		w.advance(t, 0)

		if got, want := w.acts(), "submit_port port_confirmed"; got != want {
			t.Errorf("acts %q, want %q", got, want)
		}
		passed.Store(int64(day))
		if p := w.read(t, "p1"); p.State != "COMPLETED" {
			t.Errorf("a call did not see that time has passed: %+v", p)
		}
	})
}

func withoutDeliveries[T any](all []T, act func(T) string) []T {
	var rest []T
	for _, one := range all {
		if act(one) != "event_delivered" {
			rest = append(rest, one)
		}
	}
	return rest
}

func TestTheClockByHand(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	w.submit(t, "p1", "+12125550100")

	got := w.call(t, "POST", "/_pretend/clock", "", `{"advance":"24h"}`)
	shown := w.call(t, "GET", "/_pretend/clock", "", "")

	var clock struct{ Now time.Time }
	if err := json.Unmarshal([]byte(shown.Body), &clock); err != nil || !clock.Now.Equal(friday.Add(day)) || got != shown {
		t.Errorf("got %+v, shown %+v", got, shown)
	}
	if p := w.read(t, "p1"); p.State != "COMPLETED" {
		t.Errorf("port %+v", p)
	}
	for _, body := range []string{`{"advance":"-1s"}`, `{"advance":"a day"}`, `{}`, `{"advance":1}`, `{"back":"1s"}`, `{`} {
		if got := w.call(t, "POST", "/_pretend/clock", "", body); got.Status != http.StatusBadRequest {
			t.Errorf("%s got %+v", body, got)
		}
	}
}

// What is done by hand is done on this machine.
func TestNobodyElseHasAHandInIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	for _, path := range []string{"/_pretend/clock", "/_pretend/port-rules", "/_pretend/ports/p1/confirm", "/_pretend/journal"} {
		far := httptest.NewRequest("POST", path, strings.NewReader("{}"))
		far.RemoteAddr = "192.0.2.7:4711"
		got := httptest.NewRecorder()

		w.pretend.ServeHTTP(got, far)

		if got.Code != http.StatusNotFound {
			t.Errorf("%s answered %d", path, got.Code)
		}
	}
}
