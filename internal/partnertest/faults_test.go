package partnertest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/partnertest"
)

const fullReply = `{"said":"everything that there was to say"}`

type bundle struct {
	faults  *partnertest.Faults
	journal *partnertest.Journal
	server  *httptest.Server
}

// setup serves a partner that journals each call and then answers fullReply.
func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{
		faults:  new(partnertest.Faults),
		journal: openJournal(t, filepath.Join(t.TempDir(), "j.jsonl")),
	}
	partner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = b.journal.Append(partnertest.Entry{Act: r.Method + " " + r.URL.Path, Data: map[string]any{"body": string(body)}})
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, fullReply)
	})
	b.server = httptest.NewServer(partnertest.Handler(b.journal, b.faults, partner))
	t.Cleanup(b.server.Close)
	return b
}

func (b *bundle) set(t *testing.T, f partnertest.Fault) partnertest.Fault {
	t.Helper()
	set, err := b.faults.Set(f)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

type outcome struct {
	status     int
	body       string
	retryAfter string
	err        error
}

func (b *bundle) call(ctx context.Context, path string) outcome {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.server.URL+path, strings.NewReader("ask"))
	if err != nil {
		return outcome{err: err}
	}
	w, err := client.Do(r)
	if err != nil {
		return outcome{err: err}
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	return outcome{status: w.StatusCode, body: string(body), retryAfter: w.Header.Get("Retry-After"), err: err}
}

func TestFaultKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		fault   partnertest.Fault
		applied bool
		want    func(outcome) bool
	}{
		{
			"SlowAnswersInTheEnd",
			partnertest.Fault{Kind: partnertest.Slow, Delay: time.Millisecond},
			true,
			func(o outcome) bool { return o.status == 201 && o.body == fullReply },
		},
		{
			"StatusIsNotApplied",
			partnertest.Fault{Kind: partnertest.Status, Status: 503, RetryAfter: 1500 * time.Millisecond},
			false,
			func(o outcome) bool { return o.status == 503 && o.retryAfter == "2" },
		},
		{
			"StatusMayBeApplied",
			partnertest.Fault{Kind: partnertest.Status, Status: 500, Applied: true},
			true,
			func(o outcome) bool { return o.status == 500 },
		},
		{
			"DropBeforeIsNotApplied",
			partnertest.Fault{Kind: partnertest.DropBefore},
			false,
			func(o outcome) bool { return o.err != nil },
		},
		{
			"DropAfterIsAppliedAndReset",
			partnertest.Fault{Kind: partnertest.DropAfter},
			true,
			func(o outcome) bool { return errors.Is(o.err, syscall.ECONNRESET) },
		},
		{
			"PartialIsAppliedAndBreaksInTheBody",
			partnertest.Fault{Kind: partnertest.Partial},
			true,
			func(o outcome) bool { return o.err != nil },
		},
		{
			"BadJSONIsApplied",
			partnertest.Fault{Kind: partnertest.BadJSON},
			true,
			func(o outcome) bool { return o.status == 201 && !json.Valid([]byte(o.body)) && o.body != "" },
		},
		{
			"Empty2xxIsApplied",
			partnertest.Fault{Kind: partnertest.Empty2xx},
			true,
			func(o outcome) bool { return o.status == 201 && o.body == "" && o.err == nil },
		},
		{
			"HugeIsApplied",
			partnertest.Fault{Kind: partnertest.Huge},
			true,
			func(o outcome) bool { return o.status == 201 && len(o.body) == 10<<20 && json.Valid([]byte(o.body)) },
		},
		{
			"RedirectIsNotApplied",
			partnertest.Fault{Kind: partnertest.Redirect},
			false,
			func(o outcome) bool { return o.status == 307 },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			c.fault.Times = 1
			b.set(t, c.fault)

			got := b.call(t.Context(), "/v1/lines")

			if !c.want(got) {
				t.Errorf("status %d, %d bytes, Retry-After %q, error %v", got.status, len(got.body), got.retryAfter, got.err)
			}
			if applied := len(b.journal.Entries()) == 1; applied != c.applied {
				t.Errorf("applied = %t, want %t", applied, c.applied)
			}
			if next := b.call(t.Context(), "/v1/lines"); next.status != 201 || next.body != fullReply {
				t.Errorf("the call after the last time got %d %q, error %v", next.status, next.body, next.err)
			}
		})
	}
}

func TestHang(t *testing.T) {
	t.Parallel()

	t.Run("HoldsTheCallerUntilItGivesUp", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		hang := b.set(t, partnertest.Fault{Kind: partnertest.Hang})
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan outcome, 1)
		go func() { got <- b.call(ctx, "/") }()

		if err := b.faults.Wait(t.Context(), hang.ID, 1); err != nil {
			t.Fatal(err)
		}
		cancel()

		if o := <-got; !errors.Is(o.err, context.Canceled) {
			t.Errorf("error = %v", o.err)
		}
		if n := len(b.journal.Entries()); n != 0 {
			t.Errorf("%d calls were applied", n)
		}
	})

	t.Run("LetsGoWhenItIsCleared", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		hang := b.set(t, partnertest.Fault{Kind: partnertest.Hang, Applied: true})
		got := make(chan outcome, 1)
		go func() { got <- b.call(t.Context(), "/") }()

		if err := b.faults.Wait(t.Context(), hang.ID, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := b.journal.Wait(t.Context(), func(e []partnertest.Entry) bool { return len(e) == 1 }); err != nil {
			t.Fatal(err)
		}
		b.faults.Clear(hang.ID)

		if o := <-got; o.err == nil {
			t.Errorf("a call that hung was answered %d", o.status)
		}
	})
}

func TestSlowAppliesAlsoWhenTheCallerHasGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	slow := b.set(t, partnertest.Fault{Kind: partnertest.Slow})
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan outcome, 1)
	go func() { got <- b.call(ctx, "/late") }()
	if err := b.faults.Wait(t.Context(), slow.ID, 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-got

	b.faults.Clear("")

	entries, err := b.journal.Wait(t.Context(), func(e []partnertest.Entry) bool { return len(e) == 1 })
	if err != nil {
		t.Fatal(err)
	}
	if got := entries[0].Data["body"]; got != "ask" {
		t.Errorf("the partner read the body %q", got)
	}
}

func TestFaultMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		match string
		path  string
		bites bool
	}{
		{"", "/any", true},
		{"/v1/lines", "/v1/lines", true},
		{"POST /v1/lines", "/v1/lines", true},
		{"get /v1/lines", "/v1/lines", false},
		{"post /v1/lines", "/v1/lines", true},
		{"/v1/lines/*", "/v1/lines/a", true},
		{"/v1/lines/*", "/v1/lines/a/sim", false},
		{"/v1/lines/*/sim", "/v1/lines/a/sim", true},
		{"POST /v1/**", "/v1/lines/a/sim", true},
		{"POST /v1/**", "/v2/lines", false},
		{"/**", "/v2/lines", true},
	} {
		t.Run(c.match+" at "+c.path, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.set(t, partnertest.Fault{Match: c.match, Kind: partnertest.Status, Status: 599})

			got := b.call(t.Context(), c.path)

			if bites := got.status == 599; bites != c.bites {
				t.Errorf("bites = %t, want %t (status %d, error %v)", bites, c.bites, got.status, got.err)
			}
		})
	}
}

func TestSetRefusesWhatCannotBite(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]partnertest.Fault{
		"NoKind":        {},
		"UnknownKind":   {Kind: "meteor"},
		"StatusOf200":   {Kind: partnertest.Status, Status: 200},
		"NegativeTimes": {Kind: partnertest.Hang, Times: -1},
		"BadPattern":    {Kind: partnertest.Hang, Match: "/v1/["},
		"NoPath":        {Kind: partnertest.Hang, Match: "lines"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := new(partnertest.Faults).Set(f); err == nil {
				t.Errorf("Set took %+v", f)
			}
		})
	}
}

func TestAdmin(t *testing.T) {
	t.Parallel()

	t.Run("SetsListsAndClearsFaultsOverHTTP", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		admin := b.server.URL + "/_pretend/faults"

		reply, err := http.Post(admin, "application/json",
			strings.NewReader(`{"match":"POST /v1/lines","kind":"status","times":2,"status":429,"retry_after":"3s"}`))
		if err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		bitten := b.call(t.Context(), "/v1/lines")

		if reply.StatusCode != http.StatusCreated || bitten.status != 429 || bitten.retryAfter != "3" {
			t.Errorf("POST answered %d; the call got %+v", reply.StatusCode, bitten)
		}
		want := []partnertest.Fault{{
			ID: "fault-1", Match: "POST /v1/lines", Kind: partnertest.Status,
			Times: 2, Status: 429, RetryAfter: 3 * time.Second, Hits: 1,
		}}
		if diff := cmp.Diff(want, getJSON[[]partnertest.Fault](t, admin)); diff != "" {
			t.Errorf("faults differ (-want +got):\n%s", diff)
		}

		del, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, admin, nil)
		if reply, err = http.DefaultClient.Do(del); err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		if after := b.call(t.Context(), "/v1/lines"); after.status != 201 {
			t.Errorf("after DELETE the call got %+v", after)
		}
	})

	t.Run("RefusesAFaultThatMakesNoSense", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, body := range []string{`{"kind":"meteor"}`, `{"kind":"slow","delay":"soon"}`, `{`} {
			reply, err := http.Post(b.server.URL+"/_pretend/faults", "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			reply.Body.Close()
			if reply.StatusCode != http.StatusBadRequest {
				t.Errorf("%s was answered %d", body, reply.StatusCode)
			}
		}
	})

	t.Run("ListsTheJournalFromAnEntryOn", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.call(t.Context(), "/one")
		b.call(t.Context(), "/two")

		all := getJSON[[]partnertest.Entry](t, b.server.URL+"/_pretend/journal")
		after := getJSON[[]partnertest.Entry](t, b.server.URL+"/_pretend/journal?after=1")

		if len(all) != 2 || len(after) != 1 || after[0].Act != "POST /two" {
			t.Errorf("all = %+v, after = %+v", all, after)
		}
	})

	t.Run("AnswersOnlyThisMachineAndNeverFails", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.set(t, partnertest.Fault{Kind: partnertest.DropBefore})
		far := httptest.NewRequest(http.MethodGet, "/_pretend/journal", nil)
		far.RemoteAddr = "192.0.2.7:4711"
		reply := httptest.NewRecorder()
		b.server.Config.Handler.ServeHTTP(reply, far)

		if reply.Code != http.StatusNotFound {
			t.Errorf("a far caller got %d", reply.Code)
		}
		getJSON[[]partnertest.Entry](t, b.server.URL+"/_pretend/journal")
	})
}

func getJSON[T any](t *testing.T, url string) T {
	t.Helper()
	reply, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	var got T
	if err := json.NewDecoder(reply.Body).Decode(&got); err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: status %d, error %v", url, reply.StatusCode, err)
	}
	return got
}
