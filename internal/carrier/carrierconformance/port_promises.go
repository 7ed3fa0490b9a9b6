package carrierconformance

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/mobile"
)

// portKey returns an idempotency key for an act on a port.
func portKey(o carrier.PortOrder, act string) string { return act + "/" + o.ExternalID + "/1" }

func submit(t *testing.T, s Subject, o carrier.PortOrder) carrier.Port {
	t.Helper()
	port, err := s.Carrier.SubmitPort(t.Context(), portKey(o, "submit_port"), o)
	if err != nil {
		t.Fatalf("SubmitPort: %v", err)
	}
	return port
}

func readPort(t *testing.T, s Subject, o carrier.PortOrder) carrier.Port {
	t.Helper()
	port, err := s.Carrier.ReadPort(t.Context(), o.ExternalID)
	if err != nil {
		t.Fatalf("ReadPort: %v", err)
	}
	return port
}

// awaitPort returns the port as the event of that type shows it.
func awaitPort(t *testing.T, s Subject, o carrier.PortOrder, kind string) carrier.Port {
	t.Helper()
	event, _ := awaitEvent(t, s, o.ExternalID, kind)
	return *event.Port
}

// wantPort checks that the port is the one that was ordered, in that state.
func wantPort(t *testing.T, got carrier.Port, o carrier.PortOrder, state carrier.PortState) {
	t.Helper()
	if got.ExternalID != o.ExternalID || got.LineExternalID != o.LineExternalID || got.Number != o.Number ||
		got.ICCID != o.ICCID || got.Reference == "" || got.At.IsZero() || got.State != state {
		t.Errorf("port = %+v, want %s of %s", got, state, o.ExternalID)
	}
}

func wantSamePort(t *testing.T, want, got carrier.Port) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("port differs (-want +got):\n%s", diff)
	}
}

func portability(t *testing.T, s Subject) {
	order := s.Ports.Order()

	yes, err := s.Carrier.CheckPortability(t.Context(), carrier.PortabilityCheck{Number: order.Number, ZIPCode: order.ZIPCode})
	if err != nil || !yes.Portable || yes.Reason != "" || yes.NumberType == "" {
		t.Errorf("a good number got %+v, %v", yes, err)
	}
	for _, field := range yes.Required {
		if !slices.Contains(mobile.PortingFields(), field) {
			t.Errorf("the carrier asks for %q", field)
		}
	}
	no, err := s.Carrier.CheckPortability(t.Context(), carrier.PortabilityCheck{Number: s.Ports.NotPortable, ZIPCode: order.ZIPCode})
	if err != nil || no.Portable || no.Reason != s.Ports.NotPortableFor {
		t.Errorf("a number that cannot be brought in got %+v, %v", no, err)
	}
	_, err = s.Carrier.ReadPort(t.Context(), order.ExternalID)
	wantRefusal(t, err, carrier.ErrPortNotFound)
}

func portCompletes(t *testing.T, s Subject) {
	order := s.Ports.Order()

	wantPort(t, submit(t, s, order), order, carrier.PortSubmitted)

	agreed := awaitPort(t, s, order, carrier.EventPortConfirmed)
	wantPort(t, agreed, order, carrier.PortConfirmed)
	if agreed.Due.IsZero() {
		t.Error("a confirmed port has no due time")
	}
	moved := awaitPort(t, s, order, carrier.EventPortCompleted)
	wantPort(t, moved, order, carrier.PortCompleted)
	if moved.At.Before(agreed.At) {
		t.Errorf("completed at %s, confirmed at %s", moved.At, agreed.At)
	}
	wantSamePort(t, moved, readPort(t, s, order))
	line, err := s.Carrier.ReadLine(t.Context(), order.LineExternalID)
	if err != nil || line.State != carrier.StateActive || line.Number != order.Number || line.ICCID != order.ICCID {
		t.Errorf("the line is %+v, %v", line, err)
	}
}

func refusedPortOrders(t *testing.T, s Subject) {
	for _, r := range s.Ports.OrderRefusals {
		order := s.Ports.Open()
		r.Change(&order)

		_, err := s.Carrier.SubmitPort(t.Context(), portKey(order, "submit_port"), order)

		wantRefusal(t, err, r.Want)
		_, err = s.Carrier.ReadPort(t.Context(), order.ExternalID)
		wantRefusal(t, err, carrier.ErrPortNotFound)
		_, err = s.Carrier.ReadLine(t.Context(), order.LineExternalID)
		wantRefusal(t, err, carrier.ErrLineNotFound)
	}
}

func samePortKey(t *testing.T, s Subject) {
	order := s.Ports.Open()

	first := submit(t, s, order)
	second := submit(t, s, order)

	wantSamePort(t, first, second)
}

func samePortReference(t *testing.T, s Subject) {
	order := s.Ports.Open()
	first := submit(t, s, order)

	second, err := s.Carrier.SubmitPort(t.Context(), portKey(order, "again"), order)
	if err != nil {
		t.Fatal(err)
	}

	wantSamePort(t, first, second)
}

func otherPortSIM(t *testing.T, s Subject) {
	order := s.Ports.Open()
	first := submit(t, s, order)
	other := order
	other.ICCID = s.Ports.Open().ICCID

	_, err := s.Carrier.SubmitPort(t.Context(), portKey(order, "again"), other)

	wantRefusal(t, err, mobile.ErrPartnerRefused)
	wantSamePort(t, first, readPort(t, s, order))
}

func reusedPortKey(t *testing.T, s Subject) {
	order, other := s.Ports.Open(), s.Ports.Open()
	submit(t, s, order)

	_, err := s.Carrier.SubmitPort(t.Context(), portKey(order, "submit_port"), other)

	if mobile.VerdictOf(err) != mobile.VerdictUnknown {
		t.Errorf("error = %v, want unknown", err)
	}
	_, err = s.Carrier.ReadPort(t.Context(), other.ExternalID)
	wantRefusal(t, err, carrier.ErrPortNotFound)
}

func lostPortAnswer(t *testing.T, s Subject) {
	order := s.Ports.Open()
	s.LoseAnswer(t)

	_, err := s.Carrier.SubmitPort(t.Context(), portKey(order, "submit_port"), order)
	if mobile.VerdictOf(err) != mobile.VerdictUnknown {
		t.Fatalf("error = %v, want unknown", err)
	}
	applied := readPort(t, s, order)

	wantSamePort(t, applied, submit(t, s, order))
}

func onePortANumber(t *testing.T, s Subject) {
	order, other := s.Ports.Open(), s.Ports.Open()
	submit(t, s, order)
	other.Number = order.Number

	_, err := s.Carrier.SubmitPort(t.Context(), portKey(other, "submit_port"), other)

	wantRefusal(t, err, mobile.PortDuplicate.Refusal())
	_, err = s.Carrier.ReadPort(t.Context(), other.ExternalID)
	wantRefusal(t, err, carrier.ErrPortNotFound)
}

func supplement(t *testing.T, s Subject) {
	order := s.Ports.RefusedOnce()
	submit(t, s, order)
	no := awaitPort(t, s, order, carrier.EventPortRefused)
	wantPort(t, no, order, carrier.PortRefused)
	if no.Reason != s.Ports.RefusedFor || no.Code == "" {
		t.Errorf("refused for %s (%s), want %s", no.Reason, no.Code, s.Ports.RefusedFor)
	}
	wantSamePort(t, no, readPort(t, s, order))

	again := carrier.PortSupplement{ExternalID: order.ExternalID, Info: order.Info}
	first, err := s.Carrier.SupplementPort(t.Context(), portKey(order, "supplement_port"), again)
	if err != nil {
		t.Fatalf("SupplementPort: %v", err)
	}
	second, err := s.Carrier.SupplementPort(t.Context(), portKey(order, "supplement_port"), again)
	if err != nil {
		t.Fatalf("SupplementPort again: %v", err)
	}

	wantPort(t, first, order, carrier.PortSubmitted)
	wantSamePort(t, first, second)
	if first.Reason != "" || first.At.Before(no.At) {
		t.Errorf("port = %+v after %+v", first, no)
	}
	wantPort(t, awaitPort(t, s, order, carrier.EventPortCompleted), order, carrier.PortCompleted)
}

func noSupplement(t *testing.T, s Subject) {
	open := s.Ports.Open()
	_, err := s.Carrier.SupplementPort(t.Context(), portKey(open, "1"), carrier.PortSupplement{ExternalID: open.ExternalID, Info: open.Info})
	wantRefusal(t, err, carrier.ErrPortNotFound)

	submit(t, s, open)
	_, err = s.Carrier.SupplementPort(t.Context(), portKey(open, "2"), carrier.PortSupplement{ExternalID: open.ExternalID, Info: open.Info})
	wantRefusal(t, err, carrier.ErrSupplementNotAllowed)

	done := s.Ports.Order()
	submit(t, s, done)
	awaitPort(t, s, done, carrier.EventPortCompleted)
	_, err = s.Carrier.SupplementPort(t.Context(), portKey(done, "3"), carrier.PortSupplement{ExternalID: done.ExternalID, Info: done.Info})
	wantRefusal(t, err, carrier.ErrPortEnded)

	if s.Ports.NoSupplements == nil {
		return
	}
	refused := s.Ports.NoSupplements()
	submit(t, s, refused)
	awaitPort(t, s, refused, carrier.EventPortRefused)
	_, err = s.Carrier.SupplementPort(t.Context(), portKey(refused, "4"), carrier.PortSupplement{ExternalID: refused.ExternalID, Info: refused.Info})
	wantRefusal(t, err, carrier.ErrSupplementNotAllowed)
	wantPort(t, readPort(t, s, refused), refused, carrier.PortRefused)
}

// anotherTime: what the carrier agrees to is not earlier than what was asked for.
func anotherTime(t *testing.T, s Subject) {
	order := s.Ports.RefusedOnce()
	submit(t, s, order)
	awaitPort(t, s, order, carrier.EventPortRefused)
	wish := time.Now().Add(7 * 24 * time.Hour).Truncate(time.Second)

	_, err := s.Carrier.SupplementPort(t.Context(), portKey(order, "1"), carrier.PortSupplement{ExternalID: order.ExternalID, Due: wish})
	if err != nil {
		t.Fatalf("SupplementPort: %v", err)
	}
	if agreed := awaitPort(t, s, order, carrier.EventPortConfirmed); agreed.Due.Before(wish) {
		t.Errorf("asked for %s and got %s", wish, agreed.Due)
	}

	later := wish.Add(24 * time.Hour)
	_, err = s.Carrier.SupplementPort(t.Context(), portKey(order, "2"), carrier.PortSupplement{ExternalID: order.ExternalID, Due: later})
	if err != nil {
		t.Fatalf("SupplementPort of a confirmed port: %v", err)
	}
	if agreed := awaitPort(t, s, order, carrier.EventPortConfirmed); agreed.Due.Before(later) {
		t.Errorf("asked for %s and got %s", later, agreed.Due)
	}

	correction := order.Info
	correction.PIN += "1"
	_, err = s.Carrier.SupplementPort(t.Context(), portKey(order, "3"), carrier.PortSupplement{ExternalID: order.ExternalID, Info: correction, Due: later})
	wantRefusal(t, err, carrier.ErrSupplementNotAllowed)
	wantPort(t, readPort(t, s, order), order, carrier.PortConfirmed)
}

func cancelPort(t *testing.T, s Subject) {
	order := s.Ports.Open()
	submit(t, s, order)

	for _, k := range []string{"cancel_port", "cancel_port", "again"} {
		port, err := s.Carrier.CancelPort(t.Context(), portKey(order, k), order.ExternalID)
		if err != nil || port.State != carrier.PortCancelling && port.State != carrier.PortCancelled {
			t.Fatalf("CancelPort: %+v, %v", port, err)
		}
	}

	ended := awaitPort(t, s, order, carrier.EventPortCancelled)
	wantPort(t, ended, order, carrier.PortCancelled)
	wantSamePort(t, ended, readPort(t, s, order))
	again, err := s.Carrier.CancelPort(t.Context(), portKey(order, "late"), order.ExternalID)
	if err != nil {
		t.Fatal(err)
	}
	wantSamePort(t, ended, again)
	_, err = s.Carrier.ReadLine(t.Context(), order.LineExternalID)
	wantRefusal(t, err, carrier.ErrLineNotFound)

	anew := order
	anew.ExternalID = s.Ports.Open().ExternalID
	wantPort(t, submit(t, s, anew), anew, carrier.PortSubmitted)
}

func cancelCompletedPort(t *testing.T, s Subject) {
	order := s.Ports.Order()
	submit(t, s, order)
	moved := awaitPort(t, s, order, carrier.EventPortCompleted)

	port, err := s.Carrier.CancelPort(t.Context(), portKey(order, "cancel_port"), order.ExternalID)
	if err != nil {
		t.Fatal(err)
	}

	wantSamePort(t, moved, port)
}

func cancelUnknownPort(t *testing.T, s Subject) {
	order := s.Ports.Open()

	_, err := s.Carrier.CancelPort(t.Context(), portKey(order, "cancel_port"), order.ExternalID)

	wantRefusal(t, err, carrier.ErrPortNotFound)
}

func noPort(t *testing.T, s Subject) {
	_, err := s.Carrier.ReadPort(t.Context(), s.Ports.Open().ExternalID)

	wantRefusal(t, err, carrier.ErrPortNotFound)
}

func installBeforeCutover(t *testing.T, s Subject) {
	first := s.Carrier.InstallBeforeCutover()
	submit(t, s, s.Ports.Open())

	if s.Carrier.InstallBeforeCutover() != first {
		t.Error("it changed its mind")
	}
}
