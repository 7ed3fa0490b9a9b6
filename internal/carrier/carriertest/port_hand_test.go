package carriertest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
)

// hand gives a port a turn, as a person would.
func (w *world) hand(t *testing.T, id, turn, body string) answer {
	t.Helper()
	return w.call(t, "POST", "/_pretend/ports/"+id+"/"+turn, "", body)
}

func TestAPortByHand(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	w.submit(t, "p1", "+12125550119")

	for _, row := range []struct{ turn, body, want string }{
		{"delay", "", "DELAYED DONOR_DELAY"},
		{"refuse", `{"code":"8A","message":"No."}`, "REFUSED 8A"},
		{"refuse", "", "REFUSED 6B"},
		{"confirm", `{"due":"2026-02-01T00:00:00Z"}`, "CONFIRMED "},
		{"revoke", "", "REFUSED DUE_DATE"},
		{"confirm", "", "CONFIRMED "},
		{"cancel", "", "CANCELLED "},
		{"complete", "", "COMPLETED "},
	} {
		got := w.hand(t, "p1", row.turn, row.body)

		if p := w.read(t, "p1"); got.Status != http.StatusOK || p.State+" "+p.Reason.Code != row.want {
			t.Errorf("%s %s: %+v, then %+v", row.turn, row.body, got, p)
		}
		w.advance(t, time.Second)
	}
	w.takeEvents(t, 8)
	if got := w.state(t, "line-1"); got != "ACTIVE +12125550119" {
		t.Errorf("line = %s", got)
	}
	for _, row := range []struct {
		id, turn, body string
		status         int
	}{
		{"p2", "confirm", "", http.StatusNotFound},
		{"p1", "complete", "", http.StatusConflict},
		{"p1", "refuse", `{"reason":"8A"}`, http.StatusBadRequest},
	} {
		if got := w.hand(t, row.id, row.turn, row.body); got.Status != row.status {
			t.Errorf("%s of %s got %+v", row.turn, row.id, got)
		}
	}
	w.submit(t, "p3", "+12125550119")
	if got := w.hand(t, "p3", "explode", ""); got.Status != http.StatusNotFound {
		t.Errorf("got %+v", got)
	}
}

// A turn takes the place of what would have happened; but what was confirmed moves when due.
func TestATurnTakesThePlaceOfTheStory(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	w.submit(t, "p1", "+12125550101")

	w.hand(t, "p1", "delay", "")
	w.advance(t, day)
	w.hand(t, "p1", "confirm", `{"due":"2026-02-01T00:00:00Z"}`)
	w.advance(t, 28*day)
	before := w.read(t, "p1").State
	w.advance(t, day)

	if after := w.read(t, "p1"); before != "CONFIRMED" || after.State != "COMPLETED" || !after.StateSince.Equal(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("before %s, after %+v", before, after)
	}
}

// Of two states the later one has begun later: whoever compares them must be able to tell.
func TestStatesRiseWhileTheClockStands(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.startPorts(t)
	w.submit(t, "p1", "+12125550119")

	last := w.read(t, "p1").StateSince
	for _, turn := range []string{"delay", "confirm", "refuse", "complete"} {
		w.hand(t, "p1", turn, "")
		if since := w.read(t, "p1").StateSince; since.Sub(last) != time.Millisecond {
			t.Errorf("%s: since %s, after %s", turn, since, last)
		} else {
			last = since
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()

	t.Run("RefuseTheNextOnes", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		if err := w.pretend.RefusePorts(carriertest.PortRule{Number: "+12125550101", Code: "7C", Times: 2}); err != nil {
			t.Fatal(err)
		}
		if err := w.pretend.RefusePorts(carriertest.PortRule{Number: "+13125550100", Code: "8D"}); err != nil {
			t.Fatal(err)
		}

		w.bringIn(t, "+12125550101")

		want := "submit_port port_refused(7C) supplement_port port_refused(7C) supplement_port port_refused(6B) supplement_port port_confirmed port_completed"
		if got := w.acts(); got != want {
			t.Errorf("acts %q, want %q", got, want)
		}
	})

	t.Run("RefuseTheOrderItself", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		set := w.call(t, "POST", "/_pretend/port-rules", "", `{"code":"MOON","message":"It is in the way.","at_order":true}`)

		first := w.submit(t, "p1", "+12125550100")
		w.bringIn(t, "+12125550100")

		if set.Status != http.StatusNoContent || first.Status != http.StatusUnprocessableEntity || code(first) != "MOON" {
			t.Errorf("set %+v, first %+v", set, first)
		}
		if got, want := w.acts(), "refused(MOON) "+calm; got != want {
			t.Errorf("acts %q, want %q", got, want)
		}
	})

	t.Run("NeedACode", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		for _, body := range []string{`{}`, `{"code":"8A","times":-1}`, `{"kode":"8A"}`} {
			if got := w.call(t, "POST", "/_pretend/port-rules", "", body); got.Status != http.StatusBadRequest {
				t.Errorf("%s got %+v", body, got)
			}
		}
	})
}
