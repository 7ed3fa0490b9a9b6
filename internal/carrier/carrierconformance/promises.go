package carrierconformance

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/mobile"
)

func checkDevice(t *testing.T, s Subject) {
	good := s.Order()
	if err := s.Carrier.CheckDevice(t.Context(), carrier.DeviceCheck{IMEI: good.IMEI, ZIPCode: good.ZIPCode}); err != nil {
		t.Errorf("a good device was refused: %v", err)
	}
	for _, r := range s.DeviceRefusals {
		wantRefusal(t, s.Carrier.CheckDevice(t.Context(), r.Check), r.Want)
	}
}

func liveLine(t *testing.T, s Subject) {
	order := s.Order()

	line := activate(t, s, order)

	if line.State != carrier.StateActive || line.Number == "" || line.Reference == "" ||
		line.ICCID != order.ICCID || line.ExternalID != order.ExternalID {
		t.Errorf("line = %+v", line)
	}
	wantSame(t, line, read(t, s, order))
	event, _ := await(t, s, order, carrier.EventLineActive)
	wantSame(t, line, *event.Line)
}

func comesUpLater(t *testing.T, s Subject) {
	order := s.Order()
	order.IMEI = s.ComesUpLater

	if line := activate(t, s, order); line.State != carrier.StatePending {
		t.Fatalf("line = %+v", line)
	}

	event, _ := await(t, s, order, carrier.EventLineActive)
	line := read(t, s, order)
	if line.State != carrier.StateActive || line.Number == "" || line.ICCID != order.ICCID {
		t.Errorf("line = %+v", line)
	}
	wantSame(t, line, *event.Line)
}

func failsLater(t *testing.T, s Subject) {
	order := s.Order()
	order.IMEI = s.FailsLater

	if line := activate(t, s, order); line.State != carrier.StatePending {
		t.Fatalf("line = %+v", line)
	}

	event, _ := await(t, s, order, carrier.EventLineFailed)
	line := read(t, s, order)
	if line.State != carrier.StateFailed || !errors.Is(line.Reason, s.FailsFor) {
		t.Errorf("line = %+v, reason %v", line, line.Reason)
	}
	wantSame(t, line, *event.Line)
}

func refusedOrders(t *testing.T, s Subject) {
	for _, r := range s.OrderRefusals {
		order := s.Order()
		r.Change(&order)

		_, err := s.Carrier.ActivateLine(t.Context(), key(order, "activate_line"), order)

		wantRefusal(t, err, r.Want)
		_, err = s.Carrier.ReadLine(t.Context(), order.ExternalID)
		wantRefusal(t, err, carrier.ErrLineNotFound)
	}
}

func sameKey(t *testing.T, s Subject) {
	order := s.Order()

	first := activate(t, s, order)
	second := activate(t, s, order)

	wantSame(t, first, second)
}

func sameExternalID(t *testing.T, s Subject) {
	order := s.Order()
	first := activate(t, s, order)

	second, err := s.Carrier.ActivateLine(t.Context(), key(order, "again"), order)
	if err != nil {
		t.Fatal(err)
	}

	wantSame(t, first, second)
}

func otherSIM(t *testing.T, s Subject) {
	order := s.Order()
	first := activate(t, s, order)
	other := order
	other.ICCID = s.Order().ICCID

	_, err := s.Carrier.ActivateLine(t.Context(), key(order, "again"), other)

	wantRefusal(t, err, mobile.ErrPartnerRefused)
	wantSame(t, first, read(t, s, order))
}

func reusedKey(t *testing.T, s Subject) {
	order, other := s.Order(), s.Order()
	activate(t, s, order)

	_, err := s.Carrier.ActivateLine(t.Context(), key(order, "activate_line"), other)

	if mobile.VerdictOf(err) != mobile.VerdictUnknown {
		t.Errorf("error = %v, want unknown", err)
	}
	_, err = s.Carrier.ReadLine(t.Context(), other.ExternalID)
	wantRefusal(t, err, carrier.ErrLineNotFound)
}

func lostAnswer(t *testing.T, s Subject) {
	order := s.Order()
	s.LoseAnswer(t)

	_, err := s.Carrier.ActivateLine(t.Context(), key(order, "activate_line"), order)
	if mobile.VerdictOf(err) != mobile.VerdictUnknown {
		t.Fatalf("error = %v, want unknown", err)
	}
	applied := read(t, s, order)

	wantSame(t, applied, activate(t, s, order))
}

func noLine(t *testing.T, s Subject) {
	_, err := s.Carrier.ReadLine(t.Context(), s.Order().ExternalID)

	wantRefusal(t, err, carrier.ErrLineNotFound)
}

func changeSIM(t *testing.T, s Subject) {
	order := s.Order()
	before := activate(t, s, order)
	change := carrier.SIMChange{ExternalID: order.ExternalID, ICCID: s.Order().ICCID, IMEI: order.IMEI}

	want := before
	want.ICCID = change.ICCID
	for _, k := range []string{"change_sim", "change_sim", "again"} {
		got, err := s.Carrier.ChangeSIM(t.Context(), key(order, k), change)
		if err != nil {
			t.Fatalf("ChangeSIM: %v", err)
		}
		wantSame(t, want, got)
	}
	wantSame(t, want, read(t, s, order))
	event, _ := await(t, s, order, carrier.EventLineSIMChanged)
	wantSame(t, want, *event.Line)
}

func changeSIMOfNoLine(t *testing.T, s Subject) {
	order := s.Order()
	change := carrier.SIMChange{ExternalID: order.ExternalID, ICCID: s.Order().ICCID, IMEI: order.IMEI}

	_, err := s.Carrier.ChangeSIM(t.Context(), key(order, "1"), change)
	wantRefusal(t, err, carrier.ErrLineNotFound)

	activate(t, s, order)
	if err := s.Carrier.DeactivateLine(t.Context(), key(order, "2"), order.ExternalID); err != nil {
		t.Fatal(err)
	}
	_, err = s.Carrier.ChangeSIM(t.Context(), key(order, "3"), change)
	wantRefusal(t, err, mobile.ErrPartnerRefused)
}

func deactivate(t *testing.T, s Subject) {
	order := s.Order()
	activate(t, s, order)

	for _, k := range []string{"deactivate_line", "deactivate_line", "again"} {
		if err := s.Carrier.DeactivateLine(t.Context(), key(order, k), order.ExternalID); err != nil {
			t.Fatalf("DeactivateLine: %v", err)
		}
	}

	if line := read(t, s, order); line.State != carrier.StateDeactivated {
		t.Errorf("line = %+v", line)
	}
	await(t, s, order, carrier.EventLineDeactivated)
}

func deactivateUnknown(t *testing.T, s Subject) {
	order := s.Order()

	if err := s.Carrier.DeactivateLine(t.Context(), key(order, "deactivate_line"), order.ExternalID); err != nil {
		t.Errorf("DeactivateLine: %v", err)
	}
}

func forgedEvent(t *testing.T, s Subject) {
	order := s.Order()
	activate(t, s, order)
	_, delivery := await(t, s, order, carrier.EventLineActive)
	now := time.Now()

	changed := bytes.Replace(delivery.Body, []byte(order.ICCID), []byte(s.Order().ICCID), 1)
	if _, err := s.Carrier.VerifyEvent(delivery.Header, changed, now); !errors.Is(err, carrier.ErrEventSignature) {
		t.Errorf("a changed event: error = %v", err)
	}
	if _, err := s.Carrier.VerifyEvent(nil, delivery.Body, now); !errors.Is(err, carrier.ErrEventSignature) {
		t.Errorf("an unsigned event: error = %v", err)
	}
	if _, err := s.Carrier.VerifyEvent(delivery.Header, delivery.Body, now.Add(time.Hour)); !errors.Is(err, carrier.ErrEventStale) {
		t.Errorf("an event of an hour ago: error = %v", err)
	}
}
