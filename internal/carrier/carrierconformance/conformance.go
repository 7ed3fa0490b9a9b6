// Package carrierconformance holds an adapter to a carrier against the contract of
// carrier.Carrier. It imports testing: only tests may link it.
package carrierconformance

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Delivery is one event as it came over the wire.
type Delivery struct {
	Header http.Header
	Body   []byte
}

// Subject is an adapter with a carrier behind it, real or pretended, and the inputs that
// this carrier understands. Each test has its own.
type Subject struct {
	Carrier carrier.Carrier
	// Deliveries are the events that the carrier sends.
	Deliveries <-chan Delivery
	// LoseAnswer makes the carrier act on the next call and lose its answer.
	LoseAnswer func(t *testing.T)

	// Order gives a new order that the carrier fills at once: with an external id and an
	// ICCID that were not used before.
	Order func() carrier.LineOrder
	// DeviceRefusals are checks that the carrier refuses, and OrderRefusals changes to a
	// good order that it refuses.
	DeviceRefusals []DeviceRefusal
	OrderRefusals  []OrderRefusal
	// ComesUpLater and FailsLater are devices whose line is pending first. FailsFor is the
	// reason why it fails.
	ComesUpLater, FailsLater string
	FailsFor                 *fault.Error

	Ports Ports

	// early are events that came before a test waited for them: they may come in any order.
	early *[]came
}

// came is an event, and how it was delivered.
type came struct {
	event    carrier.Event
	delivery Delivery
}

// Ports are the inputs for ports. Each function gives a new order: with external ids, an ICCID
// and a number that were not used before.
type Ports struct {
	// Order is confirmed and then completed by itself.
	Order func() carrier.PortOrder
	// Open is of a port that stays SUBMITTED for the length of a test.
	Open func() carrier.PortOrder
	// RefusedOnce is refused for RefusedFor, and confirmed after a supplement.
	RefusedOnce func() carrier.PortOrder
	RefusedFor  mobile.PortReason
	// NoSupplements is refused, and then takes no supplement; nil when the carrier always
	// takes one.
	NoSupplements func() carrier.PortOrder
	// NotPortable is a number that cannot be brought in, for NotPortableFor.
	NotPortable    string
	NotPortableFor mobile.PortReason
	// OrderRefusals are changes to a good order that the carrier refuses at once.
	OrderRefusals []PortOrderRefusal
}

// PortOrderRefusal is a change to a good order and the refusal that it meets.
type PortOrderRefusal struct {
	Change func(*carrier.PortOrder)
	Want   *fault.Error
}

// DeviceRefusal is a check and the refusal that it meets.
type DeviceRefusal struct {
	Check carrier.DeviceCheck
	Want  *fault.Error
}

// OrderRefusal is a change to a good order and the refusal that it meets.
type OrderRefusal struct {
	Change func(*carrier.LineOrder)
	Want   *fault.Error
}

// Run tests the adapter that setup makes, anew for each promise.
func Run(t *testing.T, setup func(t *testing.T) Subject) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Subject){
		"CheckDevice/SaysYesAndNo":                       checkDevice,
		"ActivateLine/GivesALiveLine":                    liveLine,
		"ActivateLine/ComesUpLater":                      comesUpLater,
		"ActivateLine/FailsLater":                        failsLater,
		"ActivateLine/RefusalsLeaveNoLine":               refusedOrders,
		"ActivateLine/TheSameKeyIsTheSameLine":           sameKey,
		"ActivateLine/OurReferenceIsTheSameLine":         sameExternalID,
		"ActivateLine/OurReferenceOnAnotherSIMIsRefused": otherSIM,
		"ActivateLine/AKeyIsNeverTwoActs":                reusedKey,
		"ActivateLine/ALostAnswerIsSettledByRepeating":   lostAnswer,
		"ReadLine/KnowsWhatIsNotThere":                   noLine,
		"ChangeSIM/PutsTheLineOnAnotherSIM":              changeSIM,
		"ChangeSIM/RefusesWhatIsNotLive":                 changeSIMOfNoLine,
		"DeactivateLine/TakesItDownOnce":                 deactivate,
		"DeactivateLine/AnUnknownLineIsDown":             deactivateUnknown,
		"VerifyEvent/RefusesForgeryAndReplay":            forgedEvent,

		"CheckPortability/SaysYesAndNo":                portability,
		"SubmitPort/TheNumberMovesOntoALine":           portCompletes,
		"SubmitPort/RefusalsLeaveNoPort":               refusedPortOrders,
		"SubmitPort/TheSameKeyIsTheSamePort":           samePortKey,
		"SubmitPort/OurReferenceIsTheSamePort":         samePortReference,
		"SubmitPort/OurReferenceOfAnotherSIMIsRefused": otherPortSIM,
		"SubmitPort/AKeyIsNeverTwoActs":                reusedPortKey,
		"SubmitPort/ALostAnswerIsSettledByRepeating":   lostPortAnswer,
		"SubmitPort/ANumberHasOneOpenPort":             onePortANumber,
		"SupplementPort/CorrectsARefusal":              supplement,
		"SupplementPort/IsRefusedWhereItCannotBe":      noSupplement,
		"SupplementPort/AsksForAnotherTime":            anotherTime,
		"CancelPort/EndsItLater":                       cancelPort,
		"CancelPort/TheNumberMayHaveMoved":             cancelCompletedPort,
		"CancelPort/KnowsWhatIsNotThere":               cancelUnknownPort,
		"ReadPort/KnowsWhatIsNotThere":                 noPort,
		"InstallBeforeCutover/IsTheSameEachTime":       installBeforeCutover,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			subject := setup(t)
			subject.early = new([]came)
			test(t, subject)
		})
	}
}

// key returns an idempotency key for an act on a line.
func key(o carrier.LineOrder, act string) string { return act + "/" + o.ExternalID + "/1" }

func activate(t *testing.T, s Subject, o carrier.LineOrder) carrier.Line {
	t.Helper()
	line, err := s.Carrier.ActivateLine(t.Context(), key(o, "activate_line"), o)
	if err != nil {
		t.Fatalf("ActivateLine: %v", err)
	}
	return line
}

func read(t *testing.T, s Subject, o carrier.LineOrder) carrier.Line {
	t.Helper()
	line, err := s.Carrier.ReadLine(t.Context(), o.ExternalID)
	if err != nil {
		t.Fatalf("ReadLine: %v", err)
	}
	return line
}

// await returns the event of that type for the order's line, and how it was delivered.
func await(t *testing.T, s Subject, o carrier.LineOrder, kind string) (carrier.Event, Delivery) {
	t.Helper()
	return awaitEvent(t, s, o.ExternalID, kind)
}

func awaitEvent(t *testing.T, s Subject, externalID, kind string) (carrier.Event, Delivery) {
	t.Helper()
	wanted := func(c came) bool { return c.event.ExternalID == externalID && c.event.Type == kind }
	if i := slices.IndexFunc(*s.early, wanted); i >= 0 {
		c := (*s.early)[i]
		*s.early = slices.Delete(*s.early, i, i+1)
		return c.event, c.delivery
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		select {
		case d := <-s.Deliveries:
			event, err := s.Carrier.VerifyEvent(d.Header, d.Body, time.Now())
			if err != nil {
				t.Fatalf("VerifyEvent: %v", err)
			}
			if c := (came{event, d}); !wanted(c) {
				*s.early = append(*s.early, c)
				continue
			}
			return event, d
		case <-ctx.Done():
			t.Fatalf("no event %s came", kind)
		}
	}
}

// wantRefusal checks that err is an honest refusal for that reason.
func wantRefusal(t *testing.T, err error, want *fault.Error) {
	t.Helper()
	if mobile.VerdictOf(err) != mobile.VerdictRefused || !errors.Is(err, want) {
		t.Errorf("error = %v (verdict %s, reason %v), want refused for %s", err, mobile.VerdictOf(err), fault.Of(err), want.Reason)
	}
}

func wantSame(t *testing.T, want, got carrier.Line) {
	t.Helper()
	if diff := cmp.Diff(want, got, compareFaults); diff != "" {
		t.Errorf("line differs (-want +got):\n%s", diff)
	}
}

var compareFaults = cmp.Comparer(func(a, b *fault.Error) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Reason == b.Reason)
})
