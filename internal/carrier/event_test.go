package carrier_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/fault"
)

const eventBody = `{"id":"evt_1","type":"line.active","external_id":"a1","created_at":"2026-01-01T01:00:00+01:00","line":` + activeLine + `}`

// portEventBody has the times as some carriers write them.
const portEventBody = `{"id":"evt_1","type":"port.confirmed","external_id":"a1","created_at":"2026-01-01T00:00:00Z","port":` + confirmedPort + `}`

var signedAt = time.UnixMilli(1767225600000)

// v1 signs as the published document says, in other words than the client's and the
// pretend carrier's.
func v1(secret, stamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(mac, "%s.%s", stamp, body)
	return hex.EncodeToString(mac.Sum(nil))
}

func signedHeader(value string) http.Header {
	return http.Header{carrier.SignatureHeader: []string{value}}
}

func newVerifier(t *testing.T, secrets ...string) *carrier.Verifier {
	t.Helper()
	verifier, err := carrier.NewVerifier(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

func TestVerifyEvent(t *testing.T) {
	t.Parallel()
	const stamp = "1767225600000"
	good := "t=" + stamp + ",v1=" + v1(secret, stamp, eventBody)
	other := "another-webhook-secret"

	t.Run("ReadsASignedEvent", func(t *testing.T) {
		t.Parallel()
		got, err := newVerifier(t, secret).VerifyEvent(signedHeader(good), []byte(eventBody), signedAt)
		if err != nil {
			t.Fatal(err)
		}

		want := carrier.Event{
			ID: "evt_1", Type: carrier.EventLineActive, ExternalID: "a1", At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
			Line: &carrier.Line{ExternalID: "a1", Reference: "ln_1", State: carrier.StateActive, Number: "+12125550100", ICCID: "8901000000000000017"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("event differs (-want +got):\n%s", diff)
		}
	})

	t.Run("ReadsAPortEvent", func(t *testing.T) {
		t.Parallel()
		header := signedHeader(carriertest.Signature(secret, signedAt, []byte(portEventBody)))

		got, err := newVerifier(t, secret).VerifyEvent(header, []byte(portEventBody), signedAt)
		if err != nil {
			t.Fatal(err)
		}

		want := carrier.Event{
			ID: "evt_1", Type: carrier.EventPortConfirmed, ExternalID: "a1", At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
			Port: &carrier.Port{
				ExternalID: "a1", LineExternalID: "a9", Reference: "prt_1", Number: number, ICCID: iccid1, State: carrier.PortConfirmed,
				At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Due: time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC),
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("event differs (-want +got):\n%s", diff)
		}
	})

	for _, c := range []struct {
		name    string
		secrets []string
		header  http.Header
		now     time.Time
		want    *fault.Error
	}{
		{"OldSecretWhileChanging", []string{other, secret}, signedHeader(good), signedAt, nil},
		{"SenderChangesItsSecret", []string{secret}, signedHeader("t=" + stamp + ",v1=" + v1(other, stamp, eventBody) + ",v1=" + v1(secret, stamp, eventBody)), signedAt, nil},
		{"SpacesAndALaterVersion", []string{secret}, signedHeader("v2=zz, " + strings.ReplaceAll(good, ",", " , ")), signedAt, nil},
		{"UpToFiveMinutesLate", []string{secret}, signedHeader(good), signedAt.Add(carrier.EventTolerance), nil},
		{"UpToFiveMinutesEarly", []string{secret}, signedHeader(good), signedAt.Add(-carrier.EventTolerance), nil},
		{"TooLate", []string{secret}, signedHeader(good), signedAt.Add(carrier.EventTolerance + time.Millisecond), carrier.ErrEventStale},
		{"TooEarly", []string{secret}, signedHeader(good), signedAt.Add(-carrier.EventTolerance - time.Millisecond), carrier.ErrEventStale},
		{"OtherSecret", []string{other}, signedHeader(good), signedAt, carrier.ErrEventSignature},
		{"NoHeader", []string{secret}, nil, signedAt, carrier.ErrEventSignature},
		{"EmptyHeader", []string{secret}, signedHeader(""), signedAt, carrier.ErrEventSignature},
		{"TwoHeaders", []string{secret}, http.Header{carrier.SignatureHeader: {good, good}}, signedAt, carrier.ErrEventSignature},
		{"NoTime", []string{secret}, signedHeader("v1=" + v1(secret, stamp, eventBody)), signedAt, carrier.ErrEventSignature},
		{"TwoTimes", []string{secret}, signedHeader("t=1," + good), signedAt, carrier.ErrEventSignature},
		{"AnotherTime", []string{secret}, signedHeader(strings.Replace(good, stamp, "1767225600001", 1)), signedAt, carrier.ErrEventSignature},
		{"TimeThatIsNone", []string{secret}, signedHeader("t=now,v1=" + v1(secret, "now", eventBody)), signedAt, carrier.ErrEventSignature},
		{"NegativeTime", []string{secret}, signedHeader("t=-5,v1=" + v1(secret, "-5", eventBody)), signedAt, carrier.ErrEventSignature},
		{"NoSignature", []string{secret}, signedHeader("t=" + stamp), signedAt, carrier.ErrEventSignature},
		{"EmptySignature", []string{secret}, signedHeader("t=" + stamp + ",v1="), signedAt, carrier.ErrEventSignature},
		{"ShortSignature", []string{secret}, signedHeader(good[:len(good)-2]), signedAt, carrier.ErrEventSignature},
		{"NotHex", []string{secret}, signedHeader("t=" + stamp + ",v1=xyz"), signedAt, carrier.ErrEventSignature},
		{"AThousandSignatures", []string{secret}, signedHeader(strings.Repeat("v1=00,", 1000) + good), signedAt, carrier.ErrEventSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := newVerifier(t, c.secrets...).VerifyEvent(c.header, []byte(eventBody), c.now)

			if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("error = %v, want %v", err, c.want)
			}
		})
	}

	t.Run("WithoutASecretNothingIsTrue", func(t *testing.T) {
		t.Parallel()
		header := signedHeader("t=" + stamp + ",v1=" + v1("", stamp, eventBody))

		if _, err := new(carrier.Verifier).VerifyEvent(header, []byte(eventBody), signedAt); !errors.Is(err, carrier.ErrEventSignature) {
			t.Errorf("error = %v", err)
		}
	})
}

func TestSignedEventsAreStillRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		ok   bool
	}{
		"LaterType":         {`{"id":"evt_1","type":"sim.retired","external_id":"a1","created_at":"2026-01-01T00:00:00Z","sim":{}}`, true},
		"UnknownFields":     {strings.Replace(eventBody, `"id"`, `"more":1,"id"`, 1), true},
		"NotJSON":           {`hello`, false},
		"NoID":              {strings.Replace(eventBody, "evt_1", "", 1), false},
		"IDWithSpaces":      {strings.Replace(eventBody, "evt_1", "evt 1", 1), false},
		"NoExternalID":      {`{"id":"evt_1","type":"sim.retired","created_at":"2026-01-01T00:00:00Z"}`, false},
		"NoTime":            {`{"id":"evt_1","type":"sim.retired","external_id":"a1"}`, false},
		"StrangeType":       {strings.Replace(eventBody, "line.active", "<script>", 1), false},
		"LineEventNoLine":   {`{"id":"evt_1","type":"line.active","external_id":"a1","created_at":"2026-01-01T00:00:00Z"}`, false},
		"AnotherLine":       {strings.Replace(eventBody, `"external_id":"a1","line_id"`, `"external_id":"a2","line_id"`, 1), false},
		"LineOfStrangeForm": {strings.Replace(eventBody, "ACTIVE", "SLEEPING", 1), false},
		"Port":              {portEventBody, true},
		"PortEventNoPort":   {`{"id":"evt_1","type":"port.completed","external_id":"a1","created_at":"2026-01-01T00:00:00Z"}`, false},
		"EmptyPort":         {`{"id":"evt_1","type":"port.completed","external_id":"a1","created_at":"2026-01-01T00:00:00Z","port":{}}`, false},
		"AnotherPort":       {strings.Replace(portEventBody, `"external_id":"a1","line_external_id"`, `"external_id":"a2","line_external_id"`, 1), false},
		"PortOfStrangeForm": {strings.Replace(portEventBody, "CONFIRMED", "SLEEPING", 1), false},
		"PortWithoutATime":  {strings.Replace(portEventBody, `"due_at":"2026-01-02T16:00:00+01:00"`, `"due_at":null`, 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := signedHeader(carriertest.Signature(secret, signedAt, []byte(c.body)))

			event, err := newVerifier(t, secret).VerifyEvent(header, []byte(c.body), signedAt)

			if c.ok && (err != nil || event.ExternalID != "a1") {
				t.Errorf("event %+v, error %v", event, err)
			}
			if !c.ok && !errors.Is(err, carrier.ErrEventMalformed) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func FuzzVerifyEvent(f *testing.F) {
	f.Add("t=1767225600000,v1=00", []byte(eventBody))
	f.Add("t=1767225600000,v1=00", []byte(portEventBody))
	f.Add("", []byte(""))
	verifier, err := carrier.NewVerifier(secret)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if event, err := verifier.VerifyEvent(signedHeader(header), body, signedAt); err == nil {
			t.Errorf("forged: %+v", event)
		}
		signed := signedHeader(carriertest.Signature(secret, signedAt, body))
		event, err := verifier.VerifyEvent(signed, body, signedAt)
		if err == nil && (event.ID == "" || event.ExternalID == "" || event.Type == "" || event.At.IsZero()) {
			t.Errorf("read %+v", event)
		}
	})
}
