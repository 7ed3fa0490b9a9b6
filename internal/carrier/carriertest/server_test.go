package carriertest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/partnertest"
)

const (
	goodIMEI = "490154203237518"
	iccid    = "8901000000000000017"
	soon     = 10 * time.Millisecond
	never    = time.Hour
)

// world is one pretend carrier over several of its lives.
type world struct {
	path   string
	events chan string
	front  *httptest.Server
	*life
}

// life is the time between a start and a kill.
type life struct {
	pretend *carriertest.Server
	journal *partnertest.Journal
	server  *httptest.Server
}

func setup(t *testing.T) *world {
	t.Helper()
	w := &world{path: filepath.Join(t.TempDir(), "carrier.jsonl"), events: make(chan string, 100)}
	w.front = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.events <- string(body)
	}))
	t.Cleanup(w.front.Close)
	return w
}

// start begins a life, in which pending lines come up after that time.
func (w *world) start(t *testing.T, comesUpAfter time.Duration) {
	t.Helper()
	w.startFor(t, w.front.URL, comesUpAfter)
}

// startFor begins a life whose events go elsewhere.
func (w *world) startFor(t *testing.T, eventURL string, comesUpAfter time.Duration) {
	t.Helper()
	w.startWith(t, carriertest.Config{EventURL: eventURL, ComesUpAfter: comesUpAfter})
}

// startWith begins a life and fills in what a test does not care about.
func (w *world) startWith(t *testing.T, config carriertest.Config) {
	t.Helper()
	journal, err := partnertest.OpenJournal(w.path)
	if err != nil {
		t.Fatal(err)
	}
	config.Journal, config.Faults, config.WebhookSecret = journal, new(partnertest.Faults), "secret"
	pretend, err := carriertest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	w.life = &life{pretend: pretend, journal: journal, server: httptest.NewServer(pretend)}
	t.Cleanup(w.stop)
}

// stop ends a life. Nothing is saved by it: all that counts is in the journal already.
func (l *life) stop() {
	l.server.Close()
	l.pretend.Close()
	_ = l.journal.Close()
}

type answer struct {
	Status int
	Body   string
}

func (w *world) call(t *testing.T, method, path, key, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer any")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{Status: reply.StatusCode, Body: string(text)}
}

func order(id, iccid, imei string) string {
	text, _ := json.Marshal(map[string]string{
		"external_id": id, "iccid": iccid, "imei": imei, "zip_code": "10001", "plan": "P", "customer_name": "Ada",
	})
	return string(text)
}

func (w *world) state(t *testing.T, id string) string {
	t.Helper()
	var line struct{ State, Number string }
	if err := json.Unmarshal([]byte(w.call(t, "GET", "/v1/lines/"+id, "", "").Body), &line); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line.State + " " + line.Number)
}

func has(act string, n int) func([]partnertest.Entry) bool {
	return func(entries []partnertest.Entry) bool { return count(entries, act) >= n }
}

func count(entries []partnertest.Entry, act string) int {
	n := 0
	for _, e := range entries {
		if e.Act == act {
			n++
		}
	}
	return n
}

func (w *world) await(t *testing.T, act string, n int) {
	t.Helper()
	if _, err := w.journal.Wait(t.Context(), has(act, n)); err != nil {
		t.Fatal(err)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()

	t.Run("KeepsLinesAndKeys", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.start(t, never)
		first := w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, goodIMEI))
		w.stop()

		w.start(t, never)

		if diff := cmp.Diff(first, w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, goodIMEI))); diff != "" {
			t.Errorf("the same key got another answer (-first +again):\n%s", diff)
		}
		if got := w.state(t, "l1"); got != "ACTIVE +12125550100" {
			t.Errorf("line = %s", got)
		}
		if got := w.call(t, "POST", "/v1/lines", "k1", order("l2", iccid, goodIMEI)); got.Status != http.StatusConflict {
			t.Errorf("the key with another request got %+v", got)
		}
		w.call(t, "POST", "/v1/lines", "k2", order("l2", "8901000000000000025", goodIMEI))
		if got := w.state(t, "l2"); got != "ACTIVE +12125550101" {
			t.Errorf("the next line = %s", got)
		}
		if n := count(w.journal.Entries(), carriertest.ActActivateLine); n != 2 {
			t.Errorf("%d activations in the journal", n)
		}
	})

	t.Run("BringsUpWhatWasPending", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.start(t, soon)
		w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, carriertest.IMEIComesUpLater))
		w.stop()

		w.start(t, soon)

		w.await(t, carriertest.ActLineActive, 1)
		w.await(t, partnertest.ActDelivered, 1)
		if got := w.state(t, "l1"); got != "ACTIVE +12125550100" {
			t.Errorf("line = %s", got)
		}
	})

	t.Run("BringsEventsThatWereNotTaken", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.startFor(t, "http://127.0.0.1:1", never)
		w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, goodIMEI))
		w.stop()

		w.start(t, never)
		w.await(t, partnertest.ActDelivered, 1)
		w.stop()
		w.start(t, never)
		w.call(t, "POST", "/v1/lines/l1/deactivate", "k2", "")
		w.await(t, partnertest.ActDelivered, 2)

		if first, second := <-w.events, <-w.events; !strings.Contains(first, "line.active") || !strings.Contains(second, "line.deactivated") || len(w.events) > 0 {
			t.Errorf("events %s, %s and %d more", first, second, len(w.events))
		}
	})
}

func TestSilentLineComesUpWithoutAnEvent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.start(t, soon)

	w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, carriertest.IMEIComesUpSilently))
	w.await(t, carriertest.ActLineActive, 1)
	w.call(t, "POST", "/v1/lines/l1/deactivate", "k2", "")
	w.await(t, partnertest.ActDelivered, 1)

	if event := <-w.events; !strings.Contains(event, "line.deactivated") || len(w.events) > 0 {
		t.Errorf("event %s and %d more", event, len(w.events))
	}
}

func TestADeactivatedPendingLineNeverComesUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.start(t, soon)

	for range 20 {
		w.call(t, "POST", "/v1/lines", "on", order("l1", iccid, carriertest.IMEIComesUpLater))
		w.call(t, "POST", "/v1/lines/l1/deactivate", "off", "")
	}
	w.call(t, "POST", "/v1/lines", "other", order("l2", "8901000000000000025", carriertest.IMEIComesUpLater))
	if _, err := w.journal.Wait(t.Context(), func(entries []partnertest.Entry) bool {
		return slices.ContainsFunc(entries, func(e partnertest.Entry) bool {
			return e.Act == carriertest.ActLineActive && e.Reference == "l2"
		})
	}); err != nil {
		t.Fatal(err)
	}

	if got := w.state(t, "l1"); !strings.HasPrefix(got, "DEACTIVATED") {
		t.Errorf("line = %s", got)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()

	t.Run("OneKeySentAtOnceIsOneLine", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.start(t, never)
		answers := make([]answer, 16)

		var group sync.WaitGroup
		for i := range answers {
			group.Go(func() { answers[i] = w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, goodIMEI)) })
		}
		group.Wait()

		for _, got := range answers {
			if diff := cmp.Diff(answers[0], got); diff != "" || got.Status != http.StatusCreated {
				t.Errorf("answers differ: %s", diff)
			}
		}
		if n := count(w.journal.Entries(), carriertest.ActActivateLine); n != 1 {
			t.Errorf("%d lines were made", n)
		}
	})

	t.Run("SpacingIsNotContent", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.start(t, never)
		w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, goodIMEI))

		spaced := strings.ReplaceAll(order("l1", iccid, goodIMEI), ",", " ,\n ")
		if got := w.call(t, "POST", "/v1/lines", "k1", spaced); got.Status != http.StatusCreated {
			t.Errorf("got %+v", got)
		}
	})

	t.Run("ARefusalLeavesItsKeyFree", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.start(t, never)
		w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, goodIMEI))

		taken := w.call(t, "POST", "/v1/lines", "k2", order("l2", iccid, goodIMEI))
		w.call(t, "POST", "/v1/lines/l1/deactivate", "k3", "")
		free := w.call(t, "POST", "/v1/lines", "k2", order("l2", iccid, goodIMEI))

		if taken.Status != http.StatusUnprocessableEntity || free.Status != http.StatusCreated {
			t.Errorf("taken %+v, free %+v", taken, free)
		}
	})

	t.Run("AnEndedLineMayBeOrderedAnew", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		w.start(t, never)
		w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, goodIMEI))
		w.call(t, "POST", "/v1/lines/l1/deactivate", "k2", "")

		old := w.call(t, "POST", "/v1/lines", "k1", order("l1", iccid, goodIMEI))
		if got := w.state(t, "l1"); !strings.HasPrefix(got, "DEACTIVATED") || !strings.Contains(old.Body, "ln_000001") {
			t.Errorf("the old key made a line: %s, %+v", got, old)
		}
		anew := w.call(t, "POST", "/v1/lines", "k3", order("l1", iccid, goodIMEI))
		if anew.Status != http.StatusCreated || !strings.Contains(anew.Body, "ln_000002") {
			t.Errorf("a new key got %+v", anew)
		}
	})
}
