package activities

import (
	"context"
	"errors"
	"strconv"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/crash"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// PortWait says what of a port is waited for.
type PortWait string

// The waits.
const (
	// WaitAnswer ends when the donor has said yes or no.
	WaitAnswer PortWait = "answer"
	// WaitMove ends when the number has moved, or the donor has taken its yes back.
	WaitMove PortWait = "move"
	// WaitCancel ends when the carrier has said what became of a cancel.
	WaitCancel PortWait = "cancel"
)

// over tells whether a port in this state need not be waited for any more.
func (w PortWait) over(state mobile.PortState) bool {
	switch state {
	case mobile.PortCompleted, mobile.PortCancelled, mobile.PortExpired:
		return true
	case mobile.PortRefused, mobile.PortAwaitingInfo:
		return w != WaitCancel
	case mobile.PortConfirmed:
		return w == WaitAnswer
	case mobile.PortSubmitted, mobile.PortDelayed:
		return w == WaitMove
	case mobile.PortCancelling:
	}
	return false
}

// PortPoll asks to look at a port until it has moved on.
type PortPoll struct {
	PortRef
	For PortWait `json:"for"`
	// Clock says how often to look.
	Clock mobile.PortClock `json:"clock,omitzero"`
}

// AwaitPort reads the port until what is waited for has come. What is not there yet is looked
// for again by the engine's own retry, which adds no history; an event of the carrier's tells
// sooner.
func (a *Ports) AwaitPort(ctx context.Context, in PortPoll) (facts PortFacts, err error) {
	_, port, err := a.load(ctx, in.PortRef)
	if err != nil {
		return facts, err
	}
	if !in.For.over(port.State) {
		if port, err = a.read(ctx, in, port); err != nil {
			return facts, err
		}
	}
	if !in.For.over(port.State) {
		return facts, errAtDonor.Saying(waitInWords(port)).After(a.pollAfter(ctx, in, port))
	}
	say(ctx, portInWords(port))
	if port.State != mobile.PortConfirmed && port.State != mobile.PortCompleted || in.For == WaitMove {
		goesOn(ctx)
	}
	return a.facts(ctx, in.PortRef)
}

// read asks the carrier for the port and hears what it says. An order that the carrier does not
// know has not happened there: a cancel of it is through.
func (a *Ports) read(ctx context.Context, in PortPoll, port mobile.Port) (mobile.Port, error) {
	said, err := a.Carrier.ReadPort(ctx, port.ExternalID)
	word := portWord(in.PortRef, port.ExternalID, said)
	switch {
	case errors.Is(err, carrier.ErrPortNotFound) && in.For == WaitCancel:
		word.Word, word.At = mobile.WordCancelled, activity.GetInfo(ctx).StartedTime
	case errors.Is(err, carrier.ErrPortNotFound):
		return port, nil
	case err != nil:
		return port, err
	}
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		port, err = s.HearOfPort(ctx, word)
		return err
	})
	return port, err
}

func (a *Ports) pollAfter(ctx context.Context, in PortPoll, port mobile.Port) time.Duration {
	now := activity.GetInfo(ctx).StartedTime
	wait := in.Clock.PollAfter(port.Submitted, now, port.NumberType, mobile.ZoneOfNumber(port.Number))
	if port.State != mobile.PortConfirmed || port.Due.IsZero() {
		return wait
	}
	// Once it is due, the old line may be dead: then each minute counts.
	return min(wait, max(port.Due.Sub(now), 0)+dueEvery)
}

// dueEvery is the wait between two looks at a number that is due to have moved.
const dueEvery = time.Minute

// waitInWords says what of a port is waited for.
func waitInWords(port mobile.Port) string {
	switch port.State {
	case mobile.PortConfirmed:
		return "The donor has agreed. The number moves at " + port.Due.UTC().Format(time.RFC3339) + "."
	case mobile.PortCancelling:
		return "The carrier has the cancel and has not said what became of it. The number may still move."
	case mobile.PortDelayed:
		return "The donor has put its answer off. It is asked after by itself."
	case mobile.PortAwaitingInfo, mobile.PortSubmitted, mobile.PortCompleted, mobile.PortRefused, mobile.PortCancelled,
		mobile.PortExpired:
	}
	return errAtDonor.Public
}

// portInWords says where a port is, for staff.
func portInWords(port mobile.Port) string {
	switch port.State {
	case mobile.PortConfirmed:
		return "The donor has agreed; the number moves at " + port.Due.UTC().Format(time.RFC3339)
	case mobile.PortCompleted:
		return "The number has moved"
	case mobile.PortRefused:
		return "The donor has refused: " + string(port.Reason)
	case mobile.PortCancelled:
		return "The order is cancelled"
	case mobile.PortAwaitingInfo, mobile.PortSubmitted, mobile.PortDelayed, mobile.PortCancelling, mobile.PortExpired:
	}
	return "The port is " + string(port.State)
}

// WithdrawPort cancels the order of a port: nothing when none is at the carrier. Whether the
// number still moves is the carrier's to say; AwaitPort hears it.
func (a *Ports) WithdrawPort(ctx context.Context, in PortRef) (facts PortFacts, err error) {
	_, port, err := a.load(ctx, in)
	if err != nil {
		return facts, err
	}
	if !port.Ordered || port.State.Closed() {
		say(ctx, "No order is at the carrier")
		return a.facts(ctx, in)
	}
	if err := a.arrived(ctx, in, port); err != nil {
		return facts, err
	}
	_, err = ledger{a.DB}.do(ctx, a.cancelling(in, port))
	if errors.Is(err, carrier.ErrPortNotFound) {
		err = a.hear(ctx, store.PortWord{
			Tenant: in.Tenant, Activation: in.Activation, Port: in.Port, ExternalID: port.ExternalID, Word: mobile.WordCancelled,
			At: activity.GetInfo(ctx).StartedTime,
		})
	}
	if err != nil {
		return facts, err
	}
	goesOn(ctx)
	return a.facts(ctx, in)
}

// cancelling is the act of cancelling an order.
func (a *Ports) cancelling(in PortRef, port mobile.Port) deed {
	d := deed{
		effect: in.effect(mobile.ActCancelPort.Of(strconv.Itoa(port.Orders)), mobile.PartnerCarrier, a.Carrier.Settle()),
		quiet:  a.quiet(), back: true,
	}
	var said carrier.Port
	d.prepare = func(ctx context.Context, s *store.Store, e mobile.Effect) (mobile.Effect, error) {
		_, err := s.Withdrawing(ctx, in.Tenant, in.Activation, in.Port)
		return e, err
	}
	d.call = func(ctx context.Context, e mobile.Effect) (_ string, err error) {
		said, err = a.Carrier.CancelPort(ctx, e.Key(), port.ExternalID)
		return said.Reference, err
	}
	d.find = func(ctx context.Context, _ mobile.Effect) (_ string, found bool, err error) {
		said, err = a.Carrier.ReadPort(ctx, port.ExternalID)
		found = err == nil && (said.State == carrier.PortCancelling || said.State == carrier.PortCancelled)
		return said.Reference, found, err
	}
	d.keep = func(ctx context.Context, s *store.Store, _ mobile.Effect) error {
		if said.State == "" {
			return nil
		}
		_, err := s.HearOfPort(ctx, portWord(in, port.ExternalID, said))
		return err
	}
	return d
}

// arrived asks for patience with an order whose answer was lost: cancelled before it arrives,
// it would stay.
func (a *Ports) arrived(ctx context.Context, in PortRef, port mobile.Port) error {
	if port.Reference != "" {
		return nil
	}
	_, revision, err := a.given(ctx, in, port)
	if errors.Is(err, store.ErrNoPortingInfo) {
		return nil
	}
	if err != nil {
		return err
	}
	sent, found, err := ledger{a.DB}.look(ctx, a.order(in, port, order{}, mobile.PortingInfo{}, thing(revision, port)).effect)
	if err != nil || !found || sent.Verdict == mobile.VerdictYes || !sent.MayHaveHappened() {
		return err
	}
	if wait := left(ctx, sent, a.quiet()); wait > 0 {
		return errStillOnItsWay.After(wait)
	}
	return nil
}

func (a *Ports) hear(ctx context.Context, word store.PortWord) error {
	return a.DB.InTenant(ctx, word.Tenant, func(s *store.Store) error {
		_, err := s.HearOfPort(ctx, word)
		return err
	})
}

// ConfirmPorted reads the line and says that it is live once it is ACTIVE with our ICCID and the
// number that was to come.
func (a *Ports) ConfirmPorted(ctx context.Context, in PortPoll) error {
	o, port, err := a.load(ctx, in.PortRef)
	if err != nil {
		return err
	}
	line, err := a.Carrier.ReadLine(ctx, string(in.Activation))
	switch {
	case errors.Is(err, carrier.ErrLineNotFound):
		return errComingUp.After(in.Clock.PollFirst)
	case err != nil:
		return err
	}
	switch line.State {
	case carrier.StatePending:
		return errComingUp.After(in.Clock.PollFirst)
	case carrier.StateFailed, carrier.StateDeactivated:
		return errLineNotOurs
	case carrier.StateActive:
	}
	if o.activation.Profile == nil || line.ICCID != string(o.activation.Profile.ICCID) || line.Number != port.Number {
		return errLineNotOurs
	}
	say(ctx, line.Number+" is live")
	live := activity.GetInfo(ctx).StartedTime
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if err := s.RecordLine(ctx, in.Tenant, in.Activation, line.Reference, line.Number); err != nil {
			return err
		}
		return s.RecordPorted(ctx, in.Tenant, in.Activation, live)
	})
	if err == nil {
		crash.At("line.live", string(in.Activation))
	}
	return err
}
