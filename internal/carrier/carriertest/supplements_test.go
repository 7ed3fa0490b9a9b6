package carriertest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

func TestSupplements(t *testing.T) {
	t.Parallel()

	t.Run("WhatWasSaidStaysWhereNothingIsSaid", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.submit(t, "p1", "+12125550104")
		w.advance(t, day)

		got := w.call(t, "POST", "/v1/ports/p1/supplement", "s1", "{}")
		w.advance(t, day)

		if p := w.read(t, "p1"); got.Status != http.StatusOK || p.State != "COMPLETED" {
			t.Errorf("got %+v, then %+v", got, p)
		}
	})

	t.Run("AConfirmedPortTakesAnotherTimeOnly", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.submit(t, "p1", "+12125550117")
		w.advance(t, time.Second)
		monday := time.Date(2026, 1, 5, 15, 0, 0, 0, time.UTC)
		if p := w.read(t, "p1"); p.State != "CONFIRMED" || !p.DueAt.Equal(monday) {
			t.Fatalf("port %+v", p)
		}

		at := func(hour int, info map[string]any) string {
			body := map[string]any{"due_at": monday.Add(time.Duration(hour) * time.Hour)}
			if info != nil {
				body["info"] = info
			}
			text, _ := json.Marshal(body)
			return string(text)
		}
		corrected := w.call(t, "POST", "/v1/ports/p1/supplement", "s1", at(24, info(func(all map[string]any) { all["pin"] = "1" })))
		later := w.call(t, "POST", "/v1/ports/p1/supplement", "s1", at(24, info(nil)))
		again := w.call(t, "POST", "/v1/ports/p1/supplement", "s2", at(48, nil))
		w.advance(t, time.Second)

		if code(corrected) != "SUPPLEMENT_NOT_ALLOWED" || later.Status != http.StatusOK {
			t.Errorf("corrected %+v, later %+v", corrected, later)
		}
		if code(again) != "SUPPLEMENT_NOT_ALLOWED" {
			t.Errorf("while the donor thinks: %+v", again)
		}
		if p := w.read(t, "p1"); p.State != "CONFIRMED" || !p.DueAt.Equal(monday.Add(day)) {
			t.Errorf("port %+v", p)
		}
		w.advance(t, 3*day)
		if p := w.read(t, "p1"); p.State != "CONFIRMED" {
			t.Errorf("before its time: %+v", p)
		}
		w.advance(t, day)
		if p := w.read(t, "p1"); p.State != "COMPLETED" || !p.StateSince.Equal(monday.Add(day)) {
			t.Errorf("port %+v", p)
		}
	})

	t.Run("WithoutATimeItIsAsSoonAsPossible", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.submit(t, "p1", "+12125550119")
		w.hand(t, "p1", "confirm", `{"due":"2026-03-03T00:00:00Z"}`)

		got := w.call(t, "POST", "/v1/ports/p1/supplement", "s1", "{}")

		if p := w.read(t, "p1"); got.Status != http.StatusOK || p.State != "SUBMITTED" || !p.DueAt.IsZero() {
			t.Errorf("got %+v, then %+v", got, p)
		}
	})

	t.Run("AnEndedPortTakesNone", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startPorts(t)
		w.submit(t, "p1", "+12125550119")
		w.cancel(t, "p1")
		during := w.supplement(t, "p1", "1")
		w.advance(t, day)

		if got := w.supplement(t, "p1", "1"); code(during) != "SUPPLEMENT_NOT_ALLOWED" || code(got) != "PORT_ENDED" {
			t.Errorf("during %+v, after %+v", during, got)
		}
	})
}
