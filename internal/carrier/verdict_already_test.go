package carrier_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire/wiretest"
)

// shows is LINE_EXISTS with a line in which the text old is new.
func shows(status int, old, new string) http.HandlerFunc {
	return saysJSON(status, `{"error":{"code":"LINE_EXISTS"},"line":`+strings.Replace(activeLine, old, new, 1)+`}`)
}

// showsPort is the same of a port.
func showsPort(status int, old, new string) http.HandlerFunc {
	return saysJSON(status, `{"error":{"code":"PORT_EXISTS"},"port":`+strings.Replace(submittedPort, old, new, 1)+`}`)
}

const (
	pendingNow = `PENDING","number":"`
	activeNow  = `ACTIVE","number":"+12125550100`
)

// TestAlreadySo: the carrier says, in one way or another, that what we ask for is so. It is
// a yes when it is so with our reference and our content.
func TestAlreadySo(t *testing.T) {
	t.Parallel()
	ended := strings.Replace(activeLine, "ACTIVE", "DEACTIVATED", 1)
	for _, row := range []struct {
		call, name string
		reply      http.HandlerFunc
		want       mobile.Verdict
	}{
		{"ActivateLine", "OurLine", shows(409, "", ""), yes},
		{"ActivateLine", "OurLinePending", shows(409, activeNow, pendingNow), yes},
		{"ActivateLine", "OurLineWithAPaddedICCID", shows(409, "0017", "0017F"), yes},
		{"ActivateLine", "OurLineBehindA401", shows(401, "", ""), notNow},
		{"ActivateLine", "OurLineBehindA500", shows(500, "", ""), unknown},
		{"ActivateLine", "OurLineOnAnotherSIM", shows(409, "0017", "0025"), refused},
		{"ActivateLine", "OurLineEnded", shows(409, "ACTIVE", "DEACTIVATED"), unknown},
		{"ActivateLine", "OurLineFailed", shows(409, "ACTIVE", "FAILED"), unknown},
		{"ActivateLine", "AnothersLine", shows(409, "a1", "a2"), unknown},
		{"ActivateLine", "NoLine", shows(409, activeLine, "null"), unknown},
		{"ActivateLine", "HalfALine", shows(409, activeLine, `{"external_id":"a1"}`), unknown},
		{"ActivateLine", "AnothersSIM", saysCode(422, "ICCID_NOT_ACCEPTED"), refused},
		{"ActivateLine", "OurKeyWithAnotherContent", saysCode(409, "IDEMPOTENCY_KEY_REUSED"), unknown},
		{"ActivateLine", "OurKeyAtThisMoment", saysCode(409, "REQUEST_IN_PROGRESS"), unknown},

		{"ChangeSIM", "OurSIM", saysJSON(200, activeLine), yes},
		{"ChangeSIM", "OurSIMAsAConflict", shows(409, "", ""), yes},
		{"ChangeSIM", "AnotherSIM", saysJSON(200, strings.Replace(activeLine, "0017", "0025", 1)), unknown},
		{"ChangeSIM", "AnotherSIMAsAConflict", shows(409, "0017", "0025"), notNow},
		{"ChangeSIM", "AnothersLine", saysJSON(200, strings.Replace(activeLine, "a1", "a2", 1)), unknown},
		{"ChangeSIM", "AnothersLineAsAConflict", shows(409, "a1", "a2"), unknown},
		{"ChangeSIM", "OurLineEndedAsAConflict", shows(409, "ACTIVE", "DEACTIVATED"), unknown},
		{"ChangeSIM", "AnothersSIM", saysCode(422, "ICCID_NOT_ACCEPTED"), refused},

		{"DeactivateLine", "OurLineDown", saysJSON(200, ended), yes},
		{"DeactivateLine", "OurLineFailed", saysJSON(200, strings.Replace(activeLine, "ACTIVE", "FAILED", 1)), yes},
		{"DeactivateLine", "OurLineEnded", saysCode(409, "LINE_ENDED"), yes},
		{"DeactivateLine", "NoLine", saysCode(404, "LINE_NOT_FOUND"), yes},
		{"DeactivateLine", "NoLineOfSomebodyElse", says(404, "text/html", "not found"), notNow},
		{"DeactivateLine", "NoLineByAnotherCode", saysCode(404, "NOT_FOUND"), notNow},
		{"DeactivateLine", "NoLineBehindA403", saysCode(403, "LINE_NOT_FOUND"), notNow},
		{"DeactivateLine", "NoLineBehindA500", saysCode(500, "LINE_NOT_FOUND"), unknown},
		{"DeactivateLine", "OurLineStillActive", saysJSON(200, activeLine), unknown},
		{"DeactivateLine", "OurLineStillPending", saysJSON(200, strings.Replace(activeLine, activeNow, pendingNow, 1)), unknown},
		{"DeactivateLine", "AnothersLineDown", saysJSON(200, strings.Replace(ended, "a1", "a2", 1)), unknown},

		{"SubmitPort", "OurPort", showsPort(409, "", ""), yes},
		{"SubmitPort", "OurPortConfirmed", showsPort(409, submittedPort, confirmedPort), yes},
		{"SubmitPort", "OurPortCancelled", showsPort(409, "SUBMITTED", "CANCELLED"), yes},
		{"SubmitPort", "OurPortWithAPaddedICCID", showsPort(409, "0017", "0017F"), yes},
		{"SubmitPort", "OurPortBehindA401", showsPort(401, "", ""), notNow},
		{"SubmitPort", "OurPortBehindA500", showsPort(500, "", ""), unknown},
		{"SubmitPort", "OurPortOfAnotherNumber", showsPort(409, number, "+12125550101"), refused},
		{"SubmitPort", "OurPortOnAnotherSIM", showsPort(409, "0017", "0025"), refused},
		{"SubmitPort", "OurPortForAnotherLine", showsPort(409, `"a9"`, `"a8"`), refused},
		{"SubmitPort", "AnothersPort", showsPort(409, `"a1"`, `"a2"`), unknown},
		{"SubmitPort", "NoPort", showsPort(409, submittedPort, "null"), unknown},
		{"SubmitPort", "HalfAPort", showsPort(409, submittedPort, `{"external_id":"a1"}`), unknown},
		{"SubmitPort", "ALineInsteadOfThePort", showsPort(409, submittedPort, activeLine), unknown},
		{"SubmitPort", "AnotherPortOfTheNumber", saysCode(422, "DUPLICATE"), refused},
		{"SubmitPort", "AnothersSIM", saysCode(422, "ICCID_NOT_ACCEPTED"), refused},
		{"SubmitPort", "OurKeyWithAnotherContent", saysCode(409, "IDEMPOTENCY_KEY_REUSED"), unknown},
		{"SubmitPort", "OurKeyAtThisMoment", saysCode(409, "REQUEST_IN_PROGRESS"), unknown},
		{"SubmitPort", "OurPortAsANewOne", saysJSON(201, confirmedPort), yes},
		{"SubmitPort", "AnothersPortAsANewOne", saysJSON(201, strings.Replace(submittedPort, `"a1"`, `"a2"`, 1)), unknown},
		{"SubmitPort", "AnotherNumberAsANewOne", saysJSON(201, strings.Replace(submittedPort, number, "+12125550101", 1)), unknown},
		{"SubmitPort", "AnotherSIMAsANewOne", saysJSON(201, strings.Replace(submittedPort, "0017", "0025", 1)), unknown},

		{"SupplementPort", "OurPortFurtherAlready", saysJSON(200, confirmedPort), yes},
		{"SupplementPort", "AnothersPort", saysJSON(200, strings.Replace(submittedPort, `"a1"`, `"a2"`, 1)), unknown},
		{"SupplementPort", "OurPortEnded", saysCode(409, "PORT_ENDED"), refused},
		{"SupplementPort", "OurKeyAtThisMoment", saysCode(409, "REQUEST_IN_PROGRESS"), unknown},

		{"CancelPort", "OurPortCancelled", saysJSON(200, strings.Replace(submittedPort, "SUBMITTED", "CANCELLED", 1)), yes},
		{"CancelPort", "OurPortCompleted", saysJSON(200, strings.Replace(submittedPort, "SUBMITTED", "COMPLETED", 1)), yes},
		{"CancelPort", "OurPortStillSubmitted", saysJSON(200, submittedPort), unknown},
		{"CancelPort", "OurPortStillConfirmed", saysJSON(200, confirmedPort), unknown},
		{"CancelPort", "AnothersPort", saysJSON(200, strings.Replace(cancellingPort, `"a1"`, `"a2"`, 1)), unknown},
		{"CancelPort", "NoPort", saysCode(404, "PORT_NOT_FOUND"), refused},
		{"CancelPort", "NoPortOfSomebodyElse", says(404, "text/html", "not found"), notNow},
		{"CancelPort", "NoPortByAnotherCode", saysCode(404, "LINE_NOT_FOUND"), notNow},
		{"CancelPort", "NoPortBehindA403", saysCode(403, "PORT_NOT_FOUND"), notNow},
		{"CancelPort", "NoPortBehindA500", saysCode(500, "PORT_NOT_FOUND"), unknown},

		{"CheckPortability", "NotPortable", saysJSON(200, `{"portable":false,"reason":{"code":"7T"}}`), yes},
		{"CheckDevice", "NotEligible", saysJSON(200, `{"eligible":false}`), notNow},
	} {
		t.Run(row.call+"/"+row.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(row.reply)
			t.Cleanup(server.Close)

			err := callNamed(t, row.call).at(t.Context(), t, server.URL)

			if mobile.VerdictOf(err) != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}

func callNamed(t *testing.T, name string) call {
	t.Helper()
	for _, c := range calls {
		if c.name == name {
			return c
		}
	}
	t.Fatalf("there is no call %s", name)
	return call{}
}

// TestTheTableInWords: each line of the comment that is the table meets an order, of a port
// where it speaks of one, as it says,
// and each has an answer here that it stands for.
func TestTheTableInWords(t *testing.T) {
	t.Parallel()
	verdicts := map[string]mobile.Verdict{
		"yes": yes, "refused": refused, "not now": notNow, "unknown": unknown,
		"as ruled": refused, // which is how the examples below are ruled
	}
	nobody := func(*testing.T) string { return "http://127.0.0.1:1" } // tcpmux
	by := func(reply http.HandlerFunc) func(*testing.T) string {
		return func(t *testing.T) string {
			server := httptest.NewServer(reply)
			t.Cleanup(server.Close)
			return server.URL
		}
	}
	examples := map[string]func(*testing.T) string{
		"no byte has left: refused connection, DNS, TLS, called off":     nobody,
		"401, 403, 429 or 503, whatever its body says or lacks":          by(saysCode(401, "DEVICE_BLOCKED")),
		"any other 4xx, with a code that rulings has for the call":       by(saysCode(422, "DEVICE_BLOCKED")),
		"any other 4xx, with a port's reason, for an order or a change":  by(saysCode(422, "8A")),
		"any other 4xx, with another code or none":                       by(saysCode(422, "MOON_IN_THE_WAY")),
		"LINE_EXISTS, showing our line live or pending, with our eSIM":   by(shows(409, "", "")),
		"LINE_EXISTS, showing our line live or pending, with another":    by(shows(409, "0017", "0025")),
		"LINE_EXISTS, showing no line, an ended one or another's":        by(shows(409, activeLine, "null")),
		"PORT_EXISTS, showing our port, of our number, eSIM and line":    by(showsPort(409, "", "")),
		"PORT_EXISTS, showing our port, of another number, eSIM or line": by(showsPort(409, "0017", "0025")),
		"PORT_EXISTS, showing no port, or another's":                     by(showsPort(409, submittedPort, "null")),
		"the 2xx that the call expects, and it can be read":              by(saysJSON(201, activeLine)),
		"any other 2xx, and one that cannot be read":                     by(saysJSON(204, "")),
		"any 1xx, 3xx or 5xx, and what is no status at all":              by(saysJSON(500, "{}")),
		"a byte has left, and no whole reply came":                       by(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
	}
	rows := wiretest.Table(t, "verdict.go")
	if len(rows) != len(examples) {
		t.Errorf("%d lines and %d examples", len(rows), len(examples))
	}
	for _, row := range rows {
		t.Run(row.Situation, func(t *testing.T) {
			t.Parallel()
			example, there := examples[row.Situation]
			if !there {
				t.Fatal("this line has no example")
			}

			call := "ActivateLine"
			if strings.Contains(row.Situation, "port") {
				call = "SubmitPort"
			}

			err := callNamed(t, call).at(t.Context(), t, example(t))

			if mobile.VerdictOf(err) != verdicts[row.Verdict] {
				t.Errorf("got %v, but the table says %s", err, row.Verdict)
			}
		})
	}
}
