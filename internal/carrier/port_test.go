package carrier_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/mobile"
)

var portOrder = carrier.PortOrder{
	ExternalID: "a1", LineExternalID: "a9", Number: number, Donor: "att",
	ICCID: iccid1, IMEI: goodIMEI, ZIPCode: goodZIP, Plan: goodPlan, CustomerName: "Ada Example",
	Info: mobile.PortingInfo{
		AccountNumber: accountNumber, PIN: pin, PINMakeDate: "2026-01-01", AccountZIP: "10001-1234",
		FirstName: "Ada", LastName: "Example", AddressLine: "1 Main St", City: "New York", Region: "NY",
		NumberInService: new(true), AcceptsLineLosses: true,
	},
}

const (
	number        = "+12125550100"
	submittedPort = `{"external_id":"a1","line_external_id":"a9","port_id":"prt_1","number":"+12125550100",` +
		`"iccid":"8901000000000000017","state":"SUBMITTED","state_since":"2026-01-01T00:00:00Z"}`
	confirmedPort = `{"external_id":"a1","line_external_id":"a9","port_id":"prt_1","number":"+12125550100",` +
		`"iccid":"8901000000000000017","state":"CONFIRMED","state_since":"2026-01-01T01:00:00+01:00","due_at":"2026-01-02T16:00:00+01:00"}`
	cancellingPort = `{"external_id":"a1","line_external_id":"a9","port_id":"prt_1","number":"+12125550100",` +
		`"iccid":"8901000000000000017","state":"CANCELLING","state_since":"2026-01-01T00:00:00Z"}`
)

// reasonOfCode has a row for each code of port_reasons.csv.
var reasonOfCode = map[string]mobile.PortReason{
	"ACCOUNT_NUMBER_INVALID":   mobile.PortAccountNumberInvalid,
	"PIN_INVALID":              mobile.PortPINInvalid,
	"ZIP_INVALID":              mobile.PortZIPInvalid,
	"ADDRESS_MISMATCH":         mobile.PortAddressInvalid,
	"NAME_MISMATCH":            mobile.PortNameInvalid,
	"IDENTITY_MISMATCH":        mobile.PortIdentityMismatch,
	"NUMBER_LOCKED":            mobile.PortNumberLocked,
	"NUMBER_INACTIVE":          mobile.PortNumberInactive,
	"NUMBER_UNKNOWN":           mobile.PortNumberUnknown,
	"NOT_PORTABLE":             mobile.PortNotPortable,
	"DUPLICATE":                mobile.PortDuplicate,
	"SAME_NETWORK":             mobile.PortSameNetwork,
	"DONOR_DELAY":              mobile.PortDonorDelay,
	"DUE_DATE":                 mobile.PortSchedule,
	"LINE_LOSSES_NOT_ACCEPTED": mobile.PortOther,
	"OTHER":                    mobile.PortOther,
	"8A":                       mobile.PortAccountNumberInvalid,
	"6B":                       mobile.PortPINInvalid,
	"8D":                       mobile.PortZIPInvalid,
	"9E":                       mobile.PortZIPInvalid,
	"6P":                       mobile.PortNumberLocked,
	"7C":                       mobile.PortNameInvalid,
	"7T":                       mobile.PortNotPortable,
}

// withPortCodes adds what those codes mean as a refusal.
func withPortCodes(rows map[string]seen) map[string]seen {
	for code, reason := range reasonOfCode {
		rows[code] = seen{Verdict: refused, Reason: string(reason)}
	}
	return rows
}

// The file is the table: it is of its form, says what we think that it says, has no code that
// means something else elsewhere, and every reason that a carrier can have is in it.
func TestPortReasons(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("port_reasons.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"code", "reason", "source"}, rows[0]); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}

	got := make(map[string]mobile.PortReason)
	for _, row := range rows[1:] {
		if _, twice := got[row[0]]; twice || row[2] == "" {
			t.Errorf("%v is there twice, or without a source", row)
		}
		got[row[0]] = mobile.PortReason(row[1])
		if !slices.Contains(mobile.PortReasons(), mobile.PortReason(row[1])) {
			t.Errorf("%v has no reason of ours", row)
		}
		if carrier.Ruled("ActivateLine", row[0]) || carrier.Ruled("CancelPort", row[0]) {
			t.Errorf("%v is also a code of another ruling", row)
		}
	}

	if diff := cmp.Diff(reasonOfCode, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(got)), carrier.PortCodes()); diff != "" {
		t.Errorf("file and program differ:\n%s", diff)
	}
	reached := slices.Collect(maps.Values(got))
	for _, reason := range mobile.PortReasons() {
		if reason != mobile.PortPINExpired && !slices.Contains(reached, reason) {
			t.Errorf("no code says %s", reason)
		}
	}
}

// The states are words of ours, too.
func TestPortStates(t *testing.T) {
	t.Parallel()
	for _, state := range carrier.PortStates() {
		if !slices.Contains(mobile.PortStates(), mobile.PortState(state)) {
			t.Errorf("%s is no state of a port", state)
		}
	}
}

// readsPort reads a port that the carrier shows so.
func readsPort(t *testing.T, body string) (carrier.Port, error) {
	t.Helper()
	server := httptest.NewServer(saysJSON(200, body))
	t.Cleanup(server.Close)
	return newClient(t, carrier.Config{URL: server.URL}).ReadPort(t.Context(), "a1")
}

func TestAPortSaysWhy(t *testing.T) {
	t.Parallel()
	type why struct {
		Reason        mobile.PortReason
		Code, Message string
	}
	long := strings.Repeat("é", 600)
	for _, row := range []struct {
		state  carrier.PortState
		reason string
		want   why
	}{
		{carrier.PortRefused, `{"code":"6B","message":"PIN required."}`, why{mobile.PortPINInvalid, "6B", "PIN required."}},
		{carrier.PortRefused, `{"code":" 6B ","message":"\tPIN\u0000\u001b[31m\r\nrequired\u202e. "}`, why{mobile.PortPINInvalid, "6B", "PIN[31m  required."}},
		{carrier.PortRefused, `{"code":"9Z","message":"See remark 41."}`, why{mobile.PortOther, "9Z", "See remark 41."}},
		{carrier.PortRefused, `{"code":"LINE_NOT_FOUND"}`, why{mobile.PortOther, "LINE_NOT_FOUND", ""}},
		{carrier.PortRefused, `{"code":"` + long + `","message":"` + long + `"}`, why{mobile.PortOther, long[:2*64], long[:2*500]}},
		{carrier.PortRefused, `{"message":"No."}`, why{mobile.PortOther, "", "No."}},
		{carrier.PortRefused, `null`, why{mobile.PortOther, "", ""}},
		{carrier.PortDelayed, `{"code":"DONOR_DELAY"}`, why{mobile.PortDonorDelay, "DONOR_DELAY", ""}},
		{carrier.PortDelayed, `null`, why{mobile.PortDonorDelay, "", ""}},
		{carrier.PortCancelled, `{"code":"DUE_DATE"}`, why{mobile.PortSchedule, "DUE_DATE", ""}},
		{carrier.PortCancelled, `null`, why{}},
		// A reason that is left over from the state before says nothing about this one.
		{carrier.PortSubmitted, `{"code":"6B"}`, why{}},
		{carrier.PortConfirmed, `{"code":"6B"}`, why{}},
		{carrier.PortCompleted, `{"code":"6B"}`, why{}},
		{carrier.PortCancelling, `{"code":"6B"}`, why{}},
	} {
		body := strings.Replace(confirmedPort, `"CONFIRMED"`, fmt.Sprintf(`%q,"reason":%s`, row.state, row.reason), 1)

		port, err := readsPort(t, body)
		if err != nil {
			t.Errorf("%s %s: %v", row.state, row.reason, err)
		}
		if diff := cmp.Diff(row.want, why{port.Reason, port.Code, port.Message}); diff != "" || port.State != row.state {
			t.Errorf("%s %s (-want +got):\n%s", row.state, row.reason, diff)
		}
	}
}

// What a carrier says about a port is checked like any input.
func TestStrangePorts(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ old, new, code string }{
		"OtherExternalID": {`"a1"`, `"a2"`, "reply names another external id"},
		"NoExternalID":    {`"a1"`, `""`, "reply names no port"},
		"NoReference":     {"prt_1", "", "reply names no port"},
		"StrangeID":       {"prt_1", saying, "reply names no port"},
		"NoLine":          {`"a9"`, `""`, "reply has a port without a line"},
		"NoNumber":        {number, "", "reply has a number that is not E.164"},
		"StrangeNumber":   {number, saying, "reply has a number that is not E.164"},
		"NoICCID":         {iccid1, "", "reply has no ICCID"},
		"NoTime":          {`"2026-01-01T01:00:00+01:00"`, `null`, "reply does not say since when"},
		"StrangeTime":     {"2026-01-01T01:00:00+01:00", saying, "reply cannot be read"},
		"NoDue":           {`"2026-01-02T16:00:00+01:00"`, `null`, "reply has a confirmed port without a time"},
		"NoState":         {"CONFIRMED", "", "reply has a state that we do not know"},
		"StrangeState":    {"CONFIRMED", "EXPIRED", "reply has a state that we do not know"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readsPort(t, strings.Replace(confirmedPort, row.old, row.new, 1))

			if diff := cmp.Diff(seen{Verdict: notNow, Code: "HTTP 200, " + row.code}, seenOf(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A time is read as it is kept.
func TestATimeIsOfAMicrosecond(t *testing.T) {
	t.Parallel()

	port, err := readsPort(t, strings.Replace(submittedPort, "00:00:00Z", "00:00:00.123456789Z", 1))

	if want := time.Date(2026, 1, 1, 0, 0, 0, 123456000, time.UTC); err != nil || !port.At.Equal(want) {
		t.Errorf("since %s, %v; want %s", port.At, err, want)
	}
}

func TestPortability(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		body string
		want carrier.Portability
		code string // when it cannot be read
	}{
		"Wireless": {
			body: `{"portable":true,"number_type":"WIRELESS","donor":" Example\nWireless ","required_fields":["pin","account_number","pin"],"earliest_at":"2026-01-01T01:00:00+01:00"}`,
			want: carrier.Portability{
				Portable: true, NumberType: mobile.NumberWireless, Donor: "Example Wireless",
				Required: []mobile.PortingField{mobile.FieldAccountNumber, mobile.FieldPIN},
				Earliest: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
			},
		},
		"Landline":        {body: `{"portable":true,"number_type":"LANDLINE"}`, want: carrier.Portability{Portable: true, NumberType: mobile.NumberLandline}},
		"VoIP":            {body: `{"portable":true,"number_type":"VOIP","reason":{"code":"7T"}}`, want: carrier.Portability{Portable: true, NumberType: mobile.NumberVoIP}},
		"NotPortable":     {body: `{"portable":false}`, want: carrier.Portability{Reason: mobile.PortNotPortable}},
		"SameNetwork":     {body: `{"portable":false,"reason":{"code":"SAME_NETWORK","message":"Ours."}}`, want: carrier.Portability{Reason: mobile.PortSameNetwork, Code: "SAME_NETWORK", Message: "Ours."}},
		"StrangeReason":   {body: `{"portable":false,"reason":{"code":"9Z"}}`, want: carrier.Portability{Reason: mobile.PortOther, Code: "9Z"}},
		"NotSaid":         {body: `{"number_type":"WIRELESS"}`, code: "reply does not say whether the number is portable"},
		"NoType":          {body: `{"portable":true}`, code: "reply has a portable number without a type"},
		"StrangeType":     {body: `{"portable":true,"number_type":"PAGER"}`, code: "reply has a number type that we do not know"},
		"AsksForTheMoon":  {body: `{"portable":true,"number_type":"VOIP","required_fields":["pin","moon"]}`, code: "reply asks for a field that we do not know"},
		"AsksForNumbers":  {body: `{"portable":true,"number_type":"VOIP","required_fields":[1]}`, code: "reply cannot be read"},
		"PortableAsAText": {body: `{"portable":"true","number_type":"VOIP"}`, code: "reply cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(saysJSON(200, row.body))
			t.Cleanup(server.Close)

			got, err := newClient(t, carrier.Config{URL: server.URL}).CheckPortability(t.Context(), carrier.PortabilityCheck{Number: number, ZIPCode: goodZIP})

			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if row.code != "" && seenOf(err) != (seen{Verdict: notNow, Code: "HTTP 200, " + row.code}) || row.code == "" && err != nil {
				t.Errorf("error = %v, want %s", err, row.code)
			}
		})
	}
}

// A code that a carrier has no business to say could be the PIN or the account number itself.
func TestARefusalRepeatsNoSecret(t *testing.T) {
	t.Parallel()
	for _, code := range []string{pin, accountNumber, "1234", "10001", "A" + strings.Repeat("1", 50), "PIN 8642", "6b", "6BB"} {
		server := httptest.NewServer(saysCode(422, code))
		t.Cleanup(server.Close)

		_, err := newClient(t, carrier.Config{URL: server.URL}).SubmitPort(t.Context(), "key", portOrder)

		if diff := cmp.Diff(seen{Verdict: notNow, Code: "HTTP 422"}, seenOf(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", code, diff)
		}
	}
}

// The reason of a refused order is the named fault of the port's reason.
func TestARefusedOrderHasThePortsReason(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(saysCode(422, "8A"))
	t.Cleanup(server.Close)

	_, err := newClient(t, carrier.Config{URL: server.URL}).SubmitPort(t.Context(), "key", portOrder)

	if !errors.Is(err, mobile.PortAccountNumberInvalid.Refusal()) {
		t.Errorf("error = %v", err)
	}
	if diff := cmp.Diff(seen{Verdict: refused, Reason: "ACCOUNT_NUMBER_INVALID", Code: "HTTP 422 8A"}, seenOf(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatTheCustomerSaidIsNotPrinted(t *testing.T) {
	t.Parallel()
	supplement := carrier.PortSupplement{ExternalID: "a1", Info: portOrder.Info}
	var printed strings.Builder
	for _, v := range []any{
		portOrder, &portOrder, supplement, &supplement,
		[]carrier.PortOrder{portOrder},
		map[string]carrier.PortSupplement{"a": supplement},
		struct{ Order carrier.PortOrder }{portOrder},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			_, _ = fmt.Fprintf(&printed, verb+"\n", v)
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&printed, nil), slog.NewJSONHandler(&printed, nil)} {
		slog.New(handler).Info("order", "order", portOrder, "supplement", supplement)
	}

	text := printed.String()
	for _, said := range []string{pin, accountNumber, "1 Main St", "Ada"} {
		if strings.Contains(text, said) || strings.Contains(text, fmt.Sprintf("%x", said)) {
			t.Errorf("%q is printed:\n%s", said, text)
		}
	}
	if !strings.Contains(text, "[port order a1]") || !strings.Contains(text, "[port supplement a1]") {
		t.Errorf("nothing tells which order it is:\n%s", text)
	}
}

// A clock that was moved on is the pretend carrier's alone: what it sends is signed now.
func TestEventsAfterAnAdvanceAreNotStale(t *testing.T) {
	t.Parallel()
	b := setup(t)
	order := newPortOrder("17")() // a landline, which takes days
	order.Info = portOrder.Info
	port, err := b.client.SubmitPort(t.Context(), "key", order)
	if err != nil {
		t.Fatal(err)
	}

	if err := b.pretend.Advance(5 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}

	for range 2 {
		d := <-b.deliveries
		event, err := b.client.VerifyEvent(d.Header, d.Body, time.Now())
		if err != nil || !event.At.After(port.At) || !event.At.Equal(event.Port.At) {
			t.Errorf("event %+v, %v", event, err)
		}
	}
	if port, err := b.client.ReadPort(t.Context(), order.ExternalID); err != nil || port.State != carrier.PortCompleted {
		t.Errorf("port %+v, %v", port, err)
	}
}
