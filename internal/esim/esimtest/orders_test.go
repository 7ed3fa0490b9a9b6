package esimtest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/dialtone/dialtone/internal/esim"
	"github.com/dialtone/dialtone/internal/esim/esimtest"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
)

func TestDownloadOrder(t *testing.T) {
	t.Parallel()

	t.Run("ByTypeTakesAnotherProfileEachTime", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})
		order := esim.DownloadOrder{CallID: "same", ProfileType: consumer}

		one, err := b.client.DownloadOrder(t.Context(), order)
		if err != nil {
			t.Fatal(err)
		}
		two, err := b.client.DownloadOrder(t.Context(), order)
		if err != nil {
			t.Fatal(err)
		}

		if one == two || !strings.HasPrefix(string(one), "8901") || len(one) != 19 {
			t.Errorf("got %s and %s, want two of 19 digits from 8901", one, two)
		}
		b.wantState(t, one, esimtest.Allocated)
		b.wantState(t, two, esimtest.Allocated)
	})

	t.Run("ByICCIDTakesThatOneOnce", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})

		for range 2 {
			got, err := b.client.DownloadOrder(t.Context(), esim.DownloadOrder{CallID: "d", ICCID: ownICCID, ProfileType: consumer})
			if err != nil || got != ownICCID {
				t.Fatalf("got %q, %v, want ours", got, err)
			}
		}

		if got, want := b.acts(), "download_order refused"; got != want {
			t.Errorf("journal %q, want %q", got, want)
		}
	})
}

func TestDownloadOrderRefuses(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		order esim.DownloadOrder
		want  mobile.PartnerError
	}{
		"UnknownType": {
			esim.DownloadOrder{CallID: "d", ProfileType: esimtest.TypeUnknown},
			mobile.PartnerError{Verdict: mobile.VerdictRefused, Reason: mobile.ErrProfileTypeUnknown, Code: "8.2.5/3.9"},
		},
		"TypeNotAllowed": {
			esim.DownloadOrder{CallID: "d", ProfileType: esimtest.TypeNotAllowed},
			mobile.PartnerError{Verdict: mobile.VerdictRefused, Reason: mobile.ErrProfileTypeUnknown, Code: "8.2.5/1.2"},
		},
		"OutOfStock": {
			esim.DownloadOrder{CallID: "d", ProfileType: esimtest.TypeOutOfStock},
			mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "8.2.5/3.7"},
		},
		"UnknownICCID": {
			esim.DownloadOrder{CallID: "d", ICCID: "8944000000000000001"},
			mobile.PartnerError{Verdict: mobile.VerdictRefused, Reason: mobile.ErrProfileNotAvailable, Code: "8.2.1/3.9"},
		},
		"WithoutCallID": {
			esim.DownloadOrder{ProfileType: consumer},
			mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "1.6/2.2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, esimtest.Config{})

			_, err := b.client.DownloadOrder(t.Context(), c.order)

			wantRefusal(t, err, c.want)
			if got := b.acts(); got != "refused" {
				t.Errorf("journal %q, want a refusal alone", got)
			}
		})
	}
}

func TestDownloadOrderGoesOn(t *testing.T) {
	t.Parallel()

	t.Run("OnceRestocked", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})
		order := esim.DownloadOrder{CallID: "d", ProfileType: esimtest.TypeOutOfStock}
		if status, body := b.pretend(t, "/_pretend/restock", map[string]any{"profile_type": esimtest.TypeOutOfStock, "count": 1}); status != http.StatusOK {
			t.Fatal(status, body)
		}

		iccid, err := b.client.DownloadOrder(t.Context(), order)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.client.DownloadOrder(t.Context(), order)
		wantRefusal(t, err, mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "8.2.5/3.7"})

		if err := b.client.CancelOrder(t.Context(), esim.CancelOrder{CallID: "x", ICCID: iccid, Final: esim.Available}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.client.DownloadOrder(t.Context(), order); err != nil {
			t.Errorf("one was given back, and yet: %v", err)
		}
	})
}

// TestLostAnswerLeaksAProfile: the one act that must not be repeated. The profile is taken,
// and nobody knows which.
func TestLostAnswerLeaksAProfile(t *testing.T) {
	t.Parallel()
	b := setup(t, esimtest.Config{})
	b.spoil(t, "/gsma/rsp2/es2plus/downloadOrder", partnertest.DropAfter)

	_, err := b.client.DownloadOrder(t.Context(), esim.DownloadOrder{CallID: "d", ProfileType: consumer})

	wantRefusal(t, err, mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: "connection reset"})
	if got := len(b.server.Profiles()); got != 1 {
		t.Errorf("%d profiles are taken, want 1", got)
	}
}

func TestConfirmOrder(t *testing.T) {
	t.Parallel()

	t.Run("ReleasesUnderOurMatchingID", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})

		iccid, code := b.order(t)

		b.wantState(t, iccid, esimtest.Released)
		if got := b.server.Profiles()[0]; got.MatchingID != code.MatchingID() || code.Address() != address || got.CallID != "d" {
			t.Errorf("it has %+v", got)
		}
	})

	t.Run("IsTheSameWhenRepeated", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})
		iccid, err := b.client.DownloadOrder(t.Context(), esim.DownloadOrder{CallID: "d", ProfileType: consumer})
		if err != nil {
			t.Fatal(err)
		}
		order := esim.ConfirmOrder{CallID: "c", ICCID: iccid, MatchingID: newMatchingID(t)}
		b.spoil(t, "/gsma/rsp2/es2plus/confirmOrder", partnertest.Partial)

		_, err = b.client.ConfirmOrder(t.Context(), order)
		if got := mobile.VerdictOf(err); got != mobile.VerdictUnknown {
			t.Fatalf("first try: %v", err)
		}
		code, err := b.client.ConfirmOrder(t.Context(), order)

		if err != nil || code.MatchingID() != order.MatchingID {
			t.Errorf("second try: %v, want it taken for done", err)
		}
		if got, want := b.acts(), "download_order confirm_order refused"; got != want {
			t.Errorf("journal %q, want %q", got, want)
		}
	})

	t.Run("RefusesAnotherMatchingID", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})
		iccid, _ := b.order(t)

		_, err := b.client.ConfirmOrder(t.Context(), esim.ConfirmOrder{CallID: "c", ICCID: iccid, MatchingID: newMatchingID(t)})

		wantRefusal(t, err, mobile.PartnerError{
			Verdict: mobile.VerdictRefused, Reason: mobile.ErrProfileNotAvailable, Code: "8.2.6/3.10",
		})
	})

	t.Run("RefusesAProfileThatNobodyOrdered", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})

		_, err := b.client.ConfirmOrder(t.Context(), esim.ConfirmOrder{CallID: "c", ICCID: ownICCID, MatchingID: newMatchingID(t)})

		wantRefusal(t, err, mobile.PartnerError{
			Verdict: mobile.VerdictRefused, Reason: mobile.ErrProfileNotAvailable, Code: "8.2.1/3.3",
		})
	})
}

func TestCancelOrder(t *testing.T) {
	t.Parallel()

	for _, final := range []esim.Final{esim.Available, esim.Unavailable} {
		t.Run(string(final), func(t *testing.T) {
			t.Parallel()
			b := setup(t, esimtest.Config{})
			iccid, code := b.order(t)

			for range 2 {
				order := esim.CancelOrder{CallID: "x", ICCID: iccid, MatchingID: code.MatchingID(), Final: final}
				if err := b.client.CancelOrder(t.Context(), order); err != nil {
					t.Fatal(err)
				}
			}

			b.wantState(t, iccid, esimtest.State(final))
			if got, want := b.acts(), "download_order confirm_order cancel_order refused"; got != want {
				t.Errorf("journal %q, want %q", got, want)
			}
			if status, _ := b.pretend(t, "/_pretend/install", map[string]string{"activation_code": code.LPA()}); status != http.StatusNotFound {
				t.Errorf("the code still works: %d", status)
			}
		})
	}

	t.Run("BeforeConfirmationTwice", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})
		if _, err := b.client.DownloadOrder(t.Context(), esim.DownloadOrder{CallID: "d", ICCID: ownICCID}); err != nil {
			t.Fatal(err)
		}

		for range 2 {
			if err := b.client.CancelOrder(t.Context(), esim.CancelOrder{CallID: "x", ICCID: ownICCID, Final: esim.Available}); err != nil {
				t.Fatal(err)
			}
		}

		b.wantState(t, ownICCID, esimtest.Available)
		if _, err := b.client.DownloadOrder(t.Context(), esim.DownloadOrder{CallID: "d2", ICCID: ownICCID}); err != nil {
			t.Errorf("it cannot be ordered again: %v", err)
		}
	})
}

func TestCancelOrderIsTooLate(t *testing.T) {
	t.Parallel()

	t.Run("ForAnotherOrder", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})
		iccid, old := b.order(t)
		order := esim.CancelOrder{CallID: "x", ICCID: iccid, MatchingID: old.MatchingID(), Final: esim.Available}
		if err := b.client.CancelOrder(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		if _, err := b.client.DownloadOrder(t.Context(), esim.DownloadOrder{CallID: "d2", ICCID: iccid}); err != nil {
			t.Fatal(err)
		}
		b.confirm(t, iccid)

		if err := b.client.CancelOrder(t.Context(), order); err != nil {
			t.Fatal(err)
		}

		b.wantState(t, iccid, esimtest.Released)
	})

	t.Run("OnceDownloaded", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})
		iccid, code := b.order(t)
		if status, body := b.pretend(t, "/_pretend/install", map[string]string{"activation_code": code.LPA()}); status != http.StatusOK {
			t.Fatal(status, body)
		}

		err := b.client.CancelOrder(t.Context(), esim.CancelOrder{
			CallID: "x", ICCID: iccid, MatchingID: code.MatchingID(), Final: esim.Unavailable,
		})

		wantRefusal(t, err, mobile.PartnerError{Verdict: mobile.VerdictRefused, Reason: mobile.ErrProfileInUse, Code: "8.2.1/3.3"})
		b.wantState(t, iccid, esimtest.Installed)
	})
}

// TestStrictWire: what the client never sends is refused as a real SM-DP+ would.
func TestStrictWire(t *testing.T) {
	t.Parallel()
	const head = `{"header":{"functionRequesterIdentifier":"1.2.3","functionCallIdentifier":"c"}`
	right := http.Header{"Content-Type": {"application/json"}, "X-Admin-Protocol": {adminHeader}}

	for _, c := range []struct {
		name, function, body string
		header               http.Header
		status               int
		code                 string
	}{
		{"NoProtocol", "downloadOrder", head + `}`, http.Header{"Content-Type": {"application/json"}}, 400, ""},
		{"NoContentType", "downloadOrder", head + `}`, http.Header{"X-Admin-Protocol": {adminHeader}}, 400, ""},
		{"NotJSON", "downloadOrder", `iccid=1`, right, 400, ""},
		{"NoFunction", "getProfileInfo", head + `}`, right, 404, ""},
		{"NoCaller", "downloadOrder", `{}`, right, 200, "1.1/1.1"},
		{"DownloadOfNothing", "downloadOrder", head + `}`, right, 200, "1.6/2.2"},
		{"BadICCID", "downloadOrder", head + `,"iccid":"8901"}`, right, 200, "1.6/2.1"},
		{"ConfirmWithoutFlag", "confirmOrder", head + `,"iccid":"8901000000000000019","matchingId":"A"}`, right, 200, "1.6/2.2"},
		{"ConfirmWithBadMatchingID", "confirmOrder", head + `,"iccid":"8901000000000000019","matchingId":"a","releaseFlag":true}`, right, 200, "1.6/2.1"},
		{"ConfirmWithoutICCID", "confirmOrder", head + `}`, right, 200, "1.6/2.2"},
		{"CancelWithoutFinal", "cancelOrder", head + `,"iccid":"8901000000000000019"}`, right, 200, "1.6/2.2"},
		{"CancelWithBadFinal", "cancelOrder", head + `,"iccid":"8901000000000000019","finalProfileStatusIndicator":"Gone"}`, right, 200, "1.6/2.1"},
		{"ReleaseOfNothing", "releaseProfile", head + `,"iccid":"8901000000000000019"}`, right, 200, "8.2.1/3.5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, esimtest.Config{})

			status, body := b.post(t, "/gsma/rsp2/es2plus/"+c.function, c.body, c.header)

			if status != c.status || c.code != "" && codeIn(t, body) != c.code {
				t.Errorf("got %d %s, want %d %s", status, body, c.status, c.code)
			}
		})
	}

	t.Run("ReleasesInTwoSteps", func(t *testing.T) {
		t.Parallel()
		b := setup(t, esimtest.Config{})
		const iccid = `,"iccid":"8901000000000000019"`

		b.post(t, "/gsma/rsp2/es2plus/downloadOrder", head+iccid+`,"eid":"89049032123451234512345678901235"}`, right)
		b.wantState(t, ownICCID, esimtest.Linked)
		b.post(t, "/gsma/rsp2/es2plus/confirmOrder", head+iccid+`,"matchingId":"A","releaseFlag":false}`, right)
		b.wantState(t, ownICCID, esimtest.Confirmed)
		b.post(t, "/gsma/rsp2/es2plus/releaseProfile", head+iccid+`}`, right)
		b.wantState(t, ownICCID, esimtest.Released)
	})
}

func codeIn(t *testing.T, body string) string {
	t.Helper()
	var reply struct {
		Header struct {
			Execution struct {
				Code struct{ SubjectCode, ReasonCode string } `json:"statusCodeData"`
			} `json:"functionExecutionStatus"`
		} `json:"header"`
	}
	if err := json.Unmarshal([]byte(body), &reply); err != nil {
		t.Fatal(err)
	}
	code := reply.Header.Execution.Code
	return code.SubjectCode + "/" + code.ReasonCode
}

// spoil lets the next call of a function go wrong after it was done.
func (b bundle) spoil(t *testing.T, path string, kind partnertest.Kind) {
	t.Helper()
	if _, err := b.faults.Set(partnertest.Fault{Match: "POST " + path, Kind: kind, Times: 1}); err != nil {
		t.Fatal(err)
	}
}
