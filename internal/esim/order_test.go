package esim

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dialtone/dialtone/internal/mobile"
)

const (
	testICCID      = mobile.ICCID("8901000000000000019")
	testMatchingID = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	testAddress    = "smdp.example.com"
)

const success = `{"header":{"functionExecutionStatus":{"status":"Executed-Success"}}`

// TestWire: each act is the message that SGP.22 describes.
func TestWire(t *testing.T) {
	t.Parallel()
	header := map[string]any{"functionRequesterIdentifier": "1.3.6.1.4.1.99999", "functionCallIdentifier": "call-1"}

	for act, want := range map[act]struct {
		path string
		body map[string]any
	}{
		downloadByICCID: {"/gsma/rsp2/es2plus/downloadOrder", map[string]any{"header": header, "iccid": string(testICCID)}},
		downloadByType:  {"/gsma/rsp2/es2plus/downloadOrder", map[string]any{"header": header, "profileType": "consumer-5g"}},
		confirm: {"/gsma/rsp2/es2plus/confirmOrder", map[string]any{
			"header": header, "iccid": string(testICCID), "matchingId": testMatchingID, "releaseFlag": true,
		}},
		cancel: {"/gsma/rsp2/es2plus/cancelOrder", map[string]any{
			"header": header, "iccid": string(testICCID), "matchingId": testMatchingID, "finalProfileStatusIndicator": "Unavailable",
		}},
	} {
		t.Run(acts[act].name, func(t *testing.T) {
			t.Parallel()
			var seen *http.Request
			var body map[string]any
			client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
				seen = r
				if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
					t.Error(err)
				}
				_, _ = io.WriteString(w, success+`,"iccid":"`+string(testICCID)+`","matchingId":"`+testMatchingID+`"}`)
			})

			if err := acts[act].call(t.Context(), client); err != nil {
				t.Fatal(err)
			}

			got := []string{seen.Method, seen.URL.Path, seen.Header.Get("Content-Type"), seen.Header.Get("X-Admin-Protocol")}
			if diff := cmp.Diff([]string{"POST", want.path, "application/json", "gsma/rsp/v2.2.0"}, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.body, body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDownloadOrder(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		name  string
		reply string
		own   bool
		want  mobile.ICCID
		code  string
	}{
		{name: "ByType", reply: `,"iccid":"8901000000000000019"}`, want: testICCID},
		{name: "WithPadding", reply: `,"iccid":"8901000000000000019F"}`, want: testICCID},
		{name: "ByICCID", reply: `,"iccid":"8901000000000000019F"}`, own: true, want: testICCID},
		{name: "AnotherThanAskedFor", reply: `,"iccid":"8901000000000000027"}`, own: true, code: "reply with another ICCID"},
		{name: "None", reply: `}`, code: "reply without a valid ICCID"},
		{name: "NotOne", reply: `,"iccid":"8901000000000000018"}`, code: "reply without a valid ICCID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, answering(200, success+c.reply))
			order := DownloadOrder{ProfileType: "consumer-5g"}
			if c.own {
				order.ICCID = testICCID
			}

			got, err := client.DownloadOrder(t.Context(), order)

			if c.code != "" {
				wantPartnerError(t, err, mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: c.code})
			} else if err != nil || got != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}

	t.Run("AlreadyOursIsYes", func(t *testing.T) {
		t.Parallel()
		client := clientOf(t, answering(200, failedBody("8.2.1/3.3")))

		if got, err := client.DownloadOrder(t.Context(), DownloadOrder{ICCID: testICCID}); err != nil || got != testICCID {
			t.Errorf("got %q, %v, want ours", got, err)
		}
	})
}

func TestConfirmOrder(t *testing.T) {
	t.Parallel()
	const lpa = "LPA:1$smdp.example.com$" + testMatchingID

	for _, c := range []struct {
		name  string
		reply string
		want  mobile.PartnerError
	}{
		{name: "WithoutAddress", reply: `,"matchingId":"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}`},
		{name: "WithOurAddress", reply: `,"matchingId":"ABCDEFGHIJKLMNOPQRSTUVWXYZ","smdpAddress":"SMDP.example.COM"}`},
		{
			name: "WithAnotherAddress", reply: `,"matchingId":"ABCDEFGHIJKLMNOPQRSTUVWXYZ","smdpAddress":"evil.example.com"}`,
			want: mobile.PartnerError{
				Verdict: mobile.VerdictRefused, Reason: mobile.ErrSMDPAddressNotOurs, Code: "reply with another SM-DP+ address",
			},
		},
		{
			name: "WithAnotherMatchingID", reply: `,"matchingId":"OTHER"}`,
			want: mobile.PartnerError{
				Verdict: mobile.VerdictRefused, Reason: mobile.ErrMatchingIDNotOurs, Code: "reply with another matching id",
			},
		},
		{
			name: "WithoutMatchingID", reply: `}`,
			want: mobile.PartnerError{Verdict: mobile.VerdictUnknown, Code: "reply without a matching id"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, answering(200, success+c.reply))

			code, err := client.ConfirmOrder(t.Context(), ConfirmOrder{ICCID: testICCID, MatchingID: testMatchingID})

			if c.want.Verdict != "" {
				wantPartnerError(t, err, c.want)
			} else if err != nil || code.LPA() != lpa {
				t.Errorf("got %q, %v, want %q", code.LPA(), err, lpa)
			}
		})
	}

	t.Run("AlreadyConfirmedIsYes", func(t *testing.T) {
		t.Parallel()
		client := clientOf(t, answering(200, failedBody("8.2.6/3.3")))

		code, err := client.ConfirmOrder(t.Context(), ConfirmOrder{ICCID: testICCID, MatchingID: testMatchingID})

		if err != nil || code.LPA() != lpa {
			t.Errorf("got %q, %v, want %q", code.LPA(), err, lpa)
		}
	})
}

// TestIncomplete: what we should never have asked is not sent.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	client := clientOf(t, func(http.ResponseWriter, *http.Request) { t.Error("the call was made") })

	for name, call := range map[string]func() error{
		"DownloadOfNothing": func() error {
			_, err := client.DownloadOrder(t.Context(), DownloadOrder{})
			return err
		},
		"ConfirmWithoutICCID": func() error {
			_, err := client.ConfirmOrder(t.Context(), ConfirmOrder{MatchingID: testMatchingID})
			return err
		},
		"ConfirmWithoutMatchingID": func() error {
			_, err := client.ConfirmOrder(t.Context(), ConfirmOrder{ICCID: testICCID})
			return err
		},
		"CancelWithoutICCID": func() error { return client.CancelOrder(t.Context(), CancelOrder{Final: Available}) },
		"CancelWithoutFinal": func() error { return client.CancelOrder(t.Context(), CancelOrder{ICCID: testICCID}) },
	} {
		if got := mobile.VerdictOf(call()); got != mobile.VerdictNotNow {
			t.Errorf("%s: %s, want %s", name, got, mobile.VerdictNotNow)
		}
	}
}

func TestNewMatchingID(t *testing.T) {
	t.Parallel()

	t.Run("FitsAnActivationCode", func(t *testing.T) {
		t.Parallel()
		alphabet := regexp.MustCompile(`^[A-Z2-7]{26}$`)
		rapid.Check(t, func(t *rapid.T) {
			bits := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bits")

			id, err := NewMatchingID(bytes.NewReader(bits))
			if err != nil || !alphabet.MatchString(id) {
				t.Fatalf("%q, %v", id, err)
			}
			code, err := mobile.NewActivationCode(testAddress, id)
			if err != nil {
				t.Fatal(err)
			}
			again, err := mobile.ParseActivationCode(code.LPA())
			if err != nil || again != code || again.MatchingID() != id {
				t.Errorf("%s does not come back: %v", code.LPA(), err)
			}
		})
	})

	t.Run("IsNewEachTime", func(t *testing.T) {
		t.Parallel()
		one, _ := NewMatchingID(rand.Reader)
		two, _ := NewMatchingID(rand.Reader)
		if one == two {
			t.Errorf("%s twice", one)
		}
	})

	t.Run("RefusesTooLittleChance", func(t *testing.T) {
		t.Parallel()
		if id, err := NewMatchingID(iotest.DataErrReader(strings.NewReader("short"))); err == nil {
			t.Errorf("got %s, want an error", id)
		}
	})
}

// serve runs a handler on a real socket and gives its address.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func clientOf(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	return newClient(t, Config{URL: serve(t, handler)})
}
