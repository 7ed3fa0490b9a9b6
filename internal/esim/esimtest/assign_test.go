package esimtest_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/mobile"
)

// assign has the pretend SM-DP+ assign profiles to us, as a person would.
func (b bundle) assign(t *testing.T, profileType string, count int) []mobile.ICCID {
	t.Helper()
	status, body := b.pretend(t, "/_pretend/assign", map[string]any{"profile_type": profileType, "count": count})
	if status != http.StatusOK {
		t.Fatal(status, body)
	}
	var all []mobile.ICCID
	for line := range strings.Lines(body) {
		iccid, err := mobile.ParseICCID(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, iccid)
	}
	return all
}

func (b bundle) orderNamed(t *testing.T, iccid mobile.ICCID, profileType string) error {
	t.Helper()
	got, err := b.client.DownloadOrder(t.Context(), esim.DownloadOrder{CallID: "d", ICCID: iccid, ProfileType: profileType})
	if err == nil && got != iccid {
		t.Errorf("ordered %s and got %s", iccid, got)
	}
	return err
}

// What was assigned is ordered by its ICCID, and the same order again is the same: its answer
// may be lost without harm.
func TestAssign(t *testing.T) {
	t.Parallel()
	b := setup(t, esimtest.Config{})

	all := b.assign(t, consumer, 100)

	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != 100 {
		t.Fatalf("assigned %v", all)
	}
	for range 2 {
		if err := b.orderNamed(t, all[0], consumer); err != nil {
			t.Fatal(err)
		}
	}
	b.confirm(t, all[0])
	b.wantState(t, all[0], esimtest.Released)
	if got, want := b.acts(), "assign download_order refused confirm_order"; got != want {
		t.Errorf("journal %q, want %q", got, want)
	}
	by, err := b.client.DownloadOrder(t.Context(), esim.DownloadOrder{CallID: "d", ProfileType: consumer})
	if err != nil || slices.Contains(all, by) {
		t.Errorf("an order by type got %s, %v", by, err)
	}
}

// It is there for us whatever is left of its type, and again once its order was cancelled.
func TestAssign_IsKeptForUs(t *testing.T) {
	t.Parallel()
	b := setup(t, esimtest.Config{})
	iccid := b.assign(t, esimtest.TypeOutOfStock, 1)[0]
	byType := esim.DownloadOrder{CallID: "d", ProfileType: esimtest.TypeOutOfStock}

	for range 2 {
		if err := b.orderNamed(t, iccid, esimtest.TypeOutOfStock); err != nil {
			t.Fatal(err)
		}
		if err := b.client.CancelOrder(t.Context(), esim.CancelOrder{CallID: "x", ICCID: iccid, Final: esim.Available}); err != nil {
			t.Fatal(err)
		}
	}

	_, err := b.client.DownloadOrder(t.Context(), byType)
	wantRefusal(t, err, mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "8.2.5/3.7"})
}

func TestAssign_Refuses(t *testing.T) {
	t.Parallel()
	b := setup(t, esimtest.Config{})
	retired, other := b.assign(t, consumer, 1)[0], b.assign(t, consumer, 1)[0]
	if err := b.orderNamed(t, retired, consumer); err != nil {
		t.Fatal(err)
	}
	if err := b.client.CancelOrder(t.Context(), esim.CancelOrder{CallID: "x", ICCID: retired, Final: esim.Unavailable}); err != nil {
		t.Fatal(err)
	}

	wantRefusal(t, b.orderNamed(t, retired, consumer), mobile.PartnerError{
		Verdict: mobile.VerdictRefused, Reason: mobile.ErrProfileNotAvailable, Code: "8.2.1/3.9",
	})
	wantRefusal(t, b.orderNamed(t, other, "ANOTHER-TYPE"), mobile.PartnerError{
		Verdict: mobile.VerdictRefused, Reason: mobile.ErrProfileTypeUnknown, Code: "8.2.5/3.8",
	})
	wantRefusal(t, b.orderNamed(t, "8944000000000000001", consumer), mobile.PartnerError{
		Verdict: mobile.VerdictRefused, Reason: mobile.ErrProfileNotAvailable, Code: "8.2.1/3.9",
	})
	for _, wish := range []map[string]any{
		{"profile_type": "", "count": 1},
		{"profile_type": esimtest.TypeUnknown, "count": 1},
		{"profile_type": esimtest.TypeNotAllowed, "count": 1},
		{"profile_type": consumer, "count": 0},
		{"profile_type": consumer, "count": 10_001},
	} {
		if status, body := b.pretend(t, "/_pretend/assign", wish); status != http.StatusBadRequest {
			t.Errorf("%v: got %d %s, want 400", wish, status, body)
		}
	}
}

func TestAssign_OutlivesARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "smdp.jsonl")
	first := setup(t, esimtest.Config{Journal: openJournal(t, path)})
	all := first.assign(t, consumer, 2)
	first.server.Close()
	_ = first.journal.Close()

	second := setup(t, esimtest.Config{Journal: openJournal(t, path)})

	if diff := cmp.Diff(first.server.Profiles(), second.server.Profiles()); diff != "" {
		t.Errorf("profiles (-before +after):\n%s", diff)
	}
	wantRefusal(t, second.orderNamed(t, all[0], "ANOTHER-TYPE"), mobile.PartnerError{
		Verdict: mobile.VerdictRefused, Reason: mobile.ErrProfileTypeUnknown, Code: "8.2.5/3.8",
	})
	if err := second.orderNamed(t, all[1], consumer); err != nil {
		t.Error(err)
	}
}
