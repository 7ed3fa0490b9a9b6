package partnertest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/partnertest"
)

func delivered(n int) func([]partnertest.Entry) bool {
	return func(entries []partnertest.Entry) bool {
		count := 0
		for _, e := range entries {
			if e.Act == partnertest.ActDelivered {
				count++
			}
		}
		return count >= n
	}
}

func TestCourier(t *testing.T) {
	t.Parallel()

	t.Run("TriesUntilTheParcelIsTaken", func(t *testing.T) {
		t.Parallel()
		var tries atomic.Int32
		bodies := make(chan string, 3)
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			bodies <- r.Header.Get("Signed") + string(body)
			if tries.Add(1) < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
		t.Cleanup(front.Close)
		journal := openJournal(t, filepath.Join(t.TempDir(), "j.jsonl"))
		courier := partnertest.NewCourier(partnertest.CourierConfig{
			Partner: "carrier", Journal: journal, URL: front.URL, RetryEvery: time.Millisecond,
			Sign: func(h http.Header, body []byte) { h.Set("Signed", "over "+string(body)+":") },
		})
		t.Cleanup(courier.Close)

		courier.Deliver(partnertest.Parcel{ID: "e1", Reference: "r1", Body: []byte("it happened")})
		entries, err := journal.Wait(t.Context(), delivered(1))
		if err != nil {
			t.Fatal(err)
		}

		if e := entries[0]; e.Key != "e1" || e.Reference != "r1" || e.Partner != "carrier" {
			t.Errorf("journalled %+v", e)
		}
		for range 3 {
			if got := <-bodies; got != "over it happened:it happened" {
				t.Errorf("delivered %q", got)
			}
		}
	})

	t.Run("BringsAfterARestartWhatWasNotTaken", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "j.jsonl")
		journal := openJournal(t, path)
		mustAppend(t, journal, partnertest.Entry{Act: partnertest.ActDelivered, Key: "e1"})
		got := make(chan string, 2)
		front := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got <- string(body)
		}))
		t.Cleanup(front.Close)
		dead := partnertest.NewCourier(partnertest.CourierConfig{Journal: journal, URL: "http://127.0.0.1:1"})
		dead.Deliver(partnertest.Parcel{ID: "e2", Body: []byte("two")})
		dead.Close()
		again := openJournal(t, path)
		courier := partnertest.NewCourier(partnertest.CourierConfig{Journal: again, URL: front.URL})
		t.Cleanup(courier.Close)

		courier.Deliver(partnertest.Parcel{ID: "e1", Body: []byte("one")})
		courier.Deliver(partnertest.Parcel{ID: "e2", Body: []byte("two")})
		courier.Deliver(partnertest.Parcel{ID: "e2", Body: []byte("two")})
		if _, err := again.Wait(t.Context(), delivered(2)); err != nil {
			t.Fatal(err)
		}

		if first := <-got; first != "two" || len(got) != 0 {
			t.Errorf("delivered %q and %d more", first, len(got))
		}
	})

	t.Run("BringsSeveralInTheirOrder", func(t *testing.T) {
		t.Parallel()
		var tries atomic.Int32
		got := make(chan string, 4)
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if tries.Add(1) == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			got <- string(body)
		}))
		t.Cleanup(front.Close)
		journal := openJournal(t, filepath.Join(t.TempDir(), "j.jsonl"))
		courier := partnertest.NewCourier(partnertest.CourierConfig{Journal: journal, URL: front.URL, RetryEvery: time.Millisecond})
		t.Cleanup(courier.Close)

		courier.Deliver(
			partnertest.Parcel{ID: "e1", Body: []byte("one")}, partnertest.Parcel{ID: "e2", Body: []byte("two")},
			partnertest.Parcel{ID: "e1", Body: []byte("one")}, partnertest.Parcel{ID: "e3", Body: []byte("three")},
		)
		if _, err := journal.Wait(t.Context(), delivered(3)); err != nil {
			t.Fatal(err)
		}

		if a, b, c := <-got, <-got, <-got; a != "one" || b != "two" || c != "three" || len(got) != 0 {
			t.Errorf("delivered %s, %s, %s and %d more", a, b, c, len(got))
		}
	})

	t.Run("ClosesWhileAParcelWaits", func(t *testing.T) {
		t.Parallel()
		journal := openJournal(t, filepath.Join(t.TempDir(), "j.jsonl"))
		courier := partnertest.NewCourier(partnertest.CourierConfig{Journal: journal, URL: "http://127.0.0.1:1"})

		courier.Deliver(partnertest.Parcel{ID: "far", Due: time.Now().Add(time.Hour)})
		courier.Close()
		courier.Deliver(partnertest.Parcel{ID: "late"})

		if n := len(journal.Entries()); n != 0 {
			t.Errorf("%d entries", n)
		}
	})
}
