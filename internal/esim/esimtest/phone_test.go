package esimtest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
)

// receiver takes notifications as the webhook does.
type receiver struct {
	url  string
	seen chan esim.Progress
}

// newReceiver answers the first calls with the statuses given, and then 204.
func newReceiver(t *testing.T, statuses ...int) receiver {
	t.Helper()
	r := receiver{seen: make(chan esim.Progress, 100)}
	fails := make(chan int, len(statuses))
	for _, status := range statuses {
		fails <- status
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		progress, err := esim.ParseProgress(body)
		if err != nil || request.URL.Path != esim.ProgressPath || request.Header.Get("X-Admin-Protocol") != adminHeader {
			t.Errorf("%s %s: %v", request.URL.Path, body, err)
		}
		select {
		case status := <-fails:
			w.WriteHeader(status)
		default:
			r.seen <- progress
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(server.Close)
	r.url = server.URL + esim.ProgressPath
	return r
}

// take waits for that many notifications, in whatever order they come.
func (r receiver) take(t *testing.T, count int) []esim.Progress {
	t.Helper()
	var all []esim.Progress
	for range count {
		select {
		case p := <-r.seen:
			all = append(all, p)
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
	return all
}

func TestInstall(t *testing.T) {
	t.Parallel()

	t.Run("EndsInstalledAndTells", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t)
		b := setup(t, esimtest.Config{ProgressURL: r.url})
		iccid, code := b.order(t)

		status, body := b.pretend(t, "/_pretend/install", map[string]string{"activation_code": code.LPA()})

		if status != http.StatusOK {
			t.Fatal(status, body)
		}
		b.wantState(t, iccid, esimtest.Installed)
		state := mobile.InstallNotDownloaded
		for _, p := range r.take(t, 2) {
			if p.ICCID != iccid || p.ProfileType != consumer || p.EID == "" || p.At.IsZero() || p.Code != "" {
				t.Errorf("notification %+v", p)
			}
			state = state.After(p.Report)
		}
		if state != mobile.InstallInstalled {
			t.Errorf("the notifications add up to %s", state)
		}
	})

	t.Run("GoesByICCIDToo", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})
		iccid, _ := b.order(t)

		if status, body := b.pretend(t, "/_pretend/install", map[string]string{"iccid": string(iccid)}); status != http.StatusOK {
			t.Error(status, body)
		}
		b.wantState(t, iccid, esimtest.Installed)
	})
}

func TestInstallFails(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		after   esimtest.State
		install mobile.InstallState
		tells   int
		code    string
	}{
		"memory":      {esimtest.Released, mobile.InstallDownloaded, 2, "error reason 10"},
		"interrupted": {esimtest.Released, mobile.InstallDownloaded, 2, "error reason 11"},
		"broken":      {esimtest.Errored, mobile.InstallFailed, 2, "error reason 12"},
		"eligibility": {esimtest.Errored, mobile.InstallFailed, 1, "8.2.5/4.3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			b := setup(t, esimtest.Config{ProgressURL: r.url})
			iccid, code := b.order(t)
			wish := map[string]string{"activation_code": code.LPA()}

			if status, body := b.pretend(t, "/_pretend/install?fail="+name, wish); status != http.StatusOK {
				t.Fatal(status, body)
			}

			b.wantState(t, iccid, c.after)
			state, codes := mobile.InstallNotDownloaded, ""
			for _, p := range r.take(t, c.tells) {
				state = state.After(p.Report)
				codes += p.Code
			}
			if state != c.install || codes != c.code {
				t.Errorf("told %s (%s), want %s (%s)", state, codes, c.install, c.code)
			}
			status, _ := b.pretend(t, "/_pretend/install", wish)
			if again := c.after == esimtest.Released; (status == http.StatusOK) != again {
				t.Errorf("a second try answers %d, want it to work: %t", status, again)
			}
		})
	}
}

func TestInstallRefuses(t *testing.T) {
	t.Parallel()

	t.Run("ASecondTime", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})
		_, code := b.order(t)
		wish := map[string]string{"activation_code": code.LPA()}

		b.pretend(t, "/_pretend/install", wish)

		if status, _ := b.pretend(t, "/_pretend/install", wish); status != http.StatusConflict {
			t.Errorf("got %d, want 409", status)
		}
	})

	t.Run("WhatIsNotThere", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})
		_, code := b.order(t)

		for _, c := range []struct {
			path, code string
			status     int
		}{
			{"/_pretend/install", "LPA:1$smdp.example.com$OTHER", http.StatusNotFound},
			{"/_pretend/install", strings.Replace(code.LPA(), "smdp.", "evil.", 1), http.StatusNotFound},
			{"/_pretend/install", "junk", http.StatusNotFound},
			{"/_pretend/install", "", http.StatusNotFound},
			{"/_pretend/install?fail=gremlins", code.LPA(), http.StatusBadRequest},
			{"/_pretend/restock", "", http.StatusBadRequest},
		} {
			if status, body := b.pretend(t, c.path, map[string]string{"activation_code": c.code}); status != c.status {
				t.Errorf("%s %s: got %d %s, want %d", c.path, c.code, status, body, c.status)
			}
		}
	})
}

func TestNotificationsAreBroughtUntilTaken(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusFound)
	b := setup(t, esimtest.Config{ProgressURL: r.url})
	_, code := b.order(t)

	b.pretend(t, "/_pretend/install", map[string]string{"activation_code": code.LPA()})

	r.take(t, 2)
}

func TestRestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "smdp.jsonl")
	first := setup(t, esimtest.Config{Journal: openJournal(t, path)}) // tells nobody
	_, code := first.order(t)
	first.pretend(t, "/_pretend/install", map[string]string{"activation_code": code.LPA()})
	cancelled, _ := first.order(t)
	if err := first.client.CancelOrder(t.Context(), esim.CancelOrder{CallID: "x", ICCID: cancelled, Final: esim.Unavailable}); err != nil {
		t.Fatal(err)
	}
	first.pretend(t, "/_pretend/restock", map[string]any{"profile_type": esimtest.TypeOutOfStock, "count": 1})
	first.server.Close()
	_ = first.journal.Close()

	r := newReceiver(t)
	second := setup(t, esimtest.Config{Journal: openJournal(t, path), ProgressURL: r.url})

	if diff := cmp.Diff(first.server.Profiles(), second.server.Profiles()); diff != "" {
		t.Errorf("profiles (-before +after):\n%s", diff)
	}
	if _, err := second.client.DownloadOrder(t.Context(), esim.DownloadOrder{CallID: "d", ProfileType: esimtest.TypeOutOfStock}); err != nil {
		t.Errorf("the stock is forgotten: %v", err)
	}
	told := r.take(t, 2)
	second.waitDelivered(t, 2)
	second.server.Close()
	_ = second.journal.Close()

	// What was taken is not brought again, and what comes after has a key of its own.
	again := newReceiver(t)
	third := setup(t, esimtest.Config{Journal: openJournal(t, path), ProgressURL: again.url})
	_, code = third.order(t)
	third.pretend(t, "/_pretend/install", map[string]string{"activation_code": code.LPA()})
	for _, p := range again.take(t, 2) {
		if p.ICCID == told[0].ICCID || p.Key == told[0].Key || p.Key == told[1].Key {
			t.Errorf("%+v was told before", p)
		}
	}
}

func (b bundle) waitDelivered(t *testing.T, count int) {
	t.Helper()
	_, err := b.journal.Wait(t.Context(), func(entries []partnertest.Entry) bool {
		delivered := 0
		for _, e := range entries {
			if e.Act == partnertest.ActDelivered {
				delivered++
			}
		}
		return delivered >= count
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPeopleOnThisMachineOnly: nobody else sees profiles or plays a phone.
func TestPeopleOnThisMachineOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, esimtest.Config{})

	for _, target := range []string{"GET /_pretend/profiles", "POST /_pretend/install", "POST /_pretend/restock", "POST /_pretend/assign", "GET /_pretend/journal"} {
		method, path, _ := strings.Cut(target, " ")
		request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("{}"))
		request.RemoteAddr = "192.0.2.1:1234"
		recorder := httptest.NewRecorder()
		b.server.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", target, recorder.Code)
		}
	}

	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/_pretend/profiles", nil)
	request.RemoteAddr = "[::1]:1234"
	recorder := httptest.NewRecorder()
	b.server.ServeHTTP(recorder, request)
	if got := strings.TrimSpace(recorder.Body.String()); recorder.Code != http.StatusOK || got != "[]" {
		t.Errorf("here: got %d %s, want an empty list", recorder.Code, got)
	}
}
