package esim

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/dialtone/dialtone/internal/mobile"
)

const testEID = "89049032123451234512345678901235"

func TestParseProgress(t *testing.T) {
	t.Parallel()
	done := func(point mobile.InstallPoint) mobile.InstallReport {
		return mobile.InstallReport{Point: point, Outcome: mobile.OutcomeDone}
	}
	failed := func(point mobile.InstallPoint) mobile.InstallReport {
		return mobile.InstallReport{Point: point, Outcome: mobile.OutcomeFailed}
	}
	forNow := func(point mobile.InstallPoint) mobile.InstallReport {
		return mobile.InstallReport{Point: point, Outcome: mobile.OutcomeFailedForNow}
	}

	for _, c := range []struct {
		name string
		body string
		want Progress
	}{
		{
			"Whole", `{"header":{"functionRequesterIdentifier":"1.2.3","functionCallIdentifier":"n-1"},
				"eid":"` + testEID + `","iccid":"8901000000000000019F","profileType":"consumer-5g",
				"timestamp":"2026-03-01T12:00:00Z","notificationPointId":4,
				"notificationPointStatus":{"status":"Executed-Success"},"resultData":"v2Y="}`,
			Progress{
				ICCID: testICCID, ProfileType: "consumer-5g", CallID: "n-1", EID: testEID,
				At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Report: done(mobile.PointInstall),
			},
		},
		{
			"AsSomeVendorsWriteIt", `{"iccid":"8901000000000000019","timeStamp":"1772366400","notificationPointId":"101",
				"notificationPointStatus":{"status":"Executed-WithWarning"}}`,
			Progress{
				ICCID: testICCID, At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Report: done(mobile.PointEnabled),
			},
		},
		{"Downloaded", progressBody(3, "Executed-Success", "", ""), Progress{ICCID: testICCID, Report: done(mobile.PointDownload)}},
		{"PointUnknown", progressBody(77, "Executed-Success", "", ""), Progress{ICCID: testICCID, Report: done(77)}},
		{"NotEligible", progressBody(1, "Failed", "8.2.5/4.3", ""), Progress{ICCID: testICCID, Report: failed(mobile.PointEligibility), Code: "8.2.5/4.3"}},
		{"MemoryFullBefore", progressBody(1, "Failed", "8.1/4.8", ""), Progress{ICCID: testICCID, Report: forNow(mobile.PointEligibility), Code: "8.1/4.8"}},
		{"MemoryFull", progressBody(4, "Failed", "8.2.10/4.2", resultData(10)), Progress{ICCID: testICCID, Report: forNow(mobile.PointInstall), Code: "error reason 10"}},
		{"Interrupted", progressBody(4, "Failed", "", resultData(11)), Progress{ICCID: testICCID, Report: forNow(mobile.PointInstall), Code: "error reason 11"}},
		{"BrokenProfile", progressBody(4, "Failed", "8.1/4.8", resultData(12)), Progress{ICCID: testICCID, Report: failed(mobile.PointInstall), Code: "error reason 12"}},
		{"FailedWithoutWord", progressBody(4, "Failed", "", ""), Progress{ICCID: testICCID, Report: failed(mobile.PointInstall), Code: "Failed"}},
		{"ResultUnreadable", progressBody(4, "Failed", "8.2.10/4.2", "!"), Progress{ICCID: testICCID, Report: failed(mobile.PointInstall), Code: "8.2.10/4.2"}},
		{"StatusUnclear", progressBody(4, "Expired", "", ""), Progress{ICCID: testICCID, Report: mobile.InstallReport{Point: mobile.PointInstall, Outcome: mobile.OutcomeUnclear}}},
		{
			"FreeTextLeftOut", `{"iccid":"8901000000000000019","eid":"Ann","profileType":"a<b>\n","timestamp":"yesterday",
				"notificationPointId":3,"notificationPointStatus":{"status":"Failed","statusCodeData":{"subjectCode":"Ann","reasonCode":"1","message":"Ann"}}}`,
			Progress{ICCID: testICCID, ProfileType: "ab", Report: failed(mobile.PointDownload), Code: "Failed"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseProgress([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(Progress{}, "Key")); diff != "" {
				t.Errorf("progress (-want +got):\n%s", diff)
			}
			if len(got.Key) != 64 {
				t.Errorf("key %q", got.Key)
			}
		})
	}
}

func TestParseProgressRefuses(t *testing.T) {
	t.Parallel()

	for name, body := range map[string]string{
		"Empty":       ``,
		"NotJSON":     `iccid=8901`,
		"NotAnObject": `[]`,
		"NoICCID":     `{"notificationPointId":3,"notificationPointStatus":{"status":"Failed"}}`,
		"BadICCID":    `{"iccid":"8901000000000000018","notificationPointId":3,"notificationPointStatus":{"status":"Failed"}}`,
		"NoPoint":     `{"iccid":"8901000000000000019","notificationPointStatus":{"status":"Failed"}}`,
		"BadPoint":    `{"iccid":"8901000000000000019","notificationPointId":-3,"notificationPointStatus":{"status":"Failed"}}`,
		"OddPoint":    `{"iccid":"8901000000000000019","notificationPointId":{},"notificationPointStatus":{"status":"Failed"}}`,
		"NoStatus":    `{"iccid":"8901000000000000019","notificationPointId":3}`,
	} {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			if got, err := ParseProgress([]byte(body)); !errors.Is(err, ErrProgress) {
				t.Errorf("got %+v, %v, want it refused", got, err)
			}
		})
	}
}

func TestProgressKey(t *testing.T) {
	t.Parallel()
	key := func(body string) string {
		p, err := ParseProgress([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return p.Key
	}
	first := progressBody(3, "Executed-Success", "", "")

	if key(first) != key(strings.Replace(first, `"8901000000000000019"`, `"8901000000000000019F"`, 1)) {
		t.Error("the same notification in another spelling has another key")
	}
	for _, other := range []string{
		progressBody(4, "Executed-Success", "", ""),
		progressBody(3, "Failed", "", ""),
		strings.Replace(first, `{`, `{"timestamp":"2026-03-01T12:00:00Z",`, 1),
		strings.Replace(first, `"8901000000000000019"`, `"8901000000000000027"`, 1),
	} {
		if key(first) == key(other) {
			t.Errorf("%s has the key of %s", other, first)
		}
	}
}

// TestProgressSurvivesAnything: whatever is posted, it is read or refused.
func TestProgressSurvivesAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		der := rapid.SliceOf(rapid.Byte()).Draw(t, "der")
		if rapid.Bool().Draw(t, "likely") {
			whole, _ := base64.StdEncoding.DecodeString(resultData(10))
			der = append(whole[:rapid.IntRange(0, len(whole)).Draw(t, "cut")], der...)
		}

		got, err := ParseProgress([]byte(progressBody(4, "Failed", "", base64.StdEncoding.EncodeToString(der))))
		if err != nil || got.Report.Point != mobile.PointInstall {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestErrorReason(t *testing.T) {
	t.Parallel()
	whole, _ := base64.StdEncoding.DecodeString(resultData(10))

	for _, c := range []struct {
		name string
		der  []byte
		want int
	}{
		{"Whole", whole, 10},
		{"DataAlone", whole[4:], 10},
		{"FinalResultAlone", fromHex("A208A106800105810A0A"), -1}, // errorReason of a length beyond its end
		{"FinalResultInShort", fromHex("A208A10680010581010B"), 11},
		{"Success", fromHex("A204A0028000"), -1},
		{"LongFormOfLength", fromHex("A281080A00000000000000"), -1},
		{"LongFormWithin", fromHex("A28108A106800105810105"), 5},
		{"IndefiniteLength", fromHex("A280A1068001058101050000"), -1},
		{"TwoByteReason", fromHex("A209A10780010581020A0A"), -1},
		{"OtherTag", fromHex("300381010A"), -1},
		{"Empty", nil, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, ok := errorReason(base64.StdEncoding.EncodeToString(c.der))
			if !ok {
				got = -1
			}
			if got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func progressBody(point int, status, code, result string) string {
	subject, reason, _ := strings.Cut(code, "/")
	return fmt.Sprintf(`{"iccid":"8901000000000000019","notificationPointId":%d,"resultData":%q,
		"notificationPointStatus":{"status":%q,"statusCodeData":{"subjectCode":%q,"reasonCode":%q}}}`,
		point, result, status, subject, reason)
}

// resultData is a ProfileInstallationResult with that errorReason: transaction id,
// notification metadata and the SM-DP+'s OID stand before the final result, as in life.
func resultData(reason byte) string {
	final := fromHex("A208A106800105810100")
	final[len(final)-1] = reason
	data := append(fromHex("800400010203"+"BF2F07800101810204F0"+"06032A0304"), final...)
	data = append([]byte{0xBF, 0x27, byte(len(data))}, data...)
	data = append([]byte{0xBF, 0x37, 0x81, byte(len(data))}, data...)
	return base64.StdEncoding.EncodeToString(data)
}

func fromHex(text string) []byte {
	bytes, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return bytes
}
