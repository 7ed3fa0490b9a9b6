package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/crash"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// Lines acts at the carrier.
type Lines struct {
	DB      *store.DB
	Carrier carrier.Carrier
	// CallTimeout is how long one call to the carrier may take: the client's own bound.
	CallTimeout time.Duration
}

// errLineNotOurs says that the line which bears our reference is not the one that we
// ordered. It is tried again, because it can be mended at the carrier; an operator is asked
// when patience ends.
var errLineNotOurs = fault.New(fault.Unavailable, "LINE_NOT_AS_ORDERED",
	"The carrier shows a line with our reference that has another ICCID or no number. Ask the carrier.")

// CheckDevice asks whether the device can be used on the network and whether the network
// serves the ZIP code.
func (a *Lines) CheckDevice(ctx context.Context, in Ref) error {
	o, err := loadOrder(ctx, a.DB, in)
	if err != nil {
		return err
	}
	say(ctx, "IMEI ending "+o.activation.IMEI.Last4())
	return a.Carrier.CheckDevice(ctx, carrier.DeviceCheck{
		IMEI: string(o.activation.IMEI), ZIPCode: string(o.activation.ZIP),
	})
}

// activateLine is the effect of ordering the line. Our external id is the activation's.
func activateLine(in Ref) mobile.Effect {
	return in.effect(mobile.ActActivateLine, mobile.PartnerCarrier, mobile.SettleKeyed)
}

// deed is an act at the carrier. Where the carrier knows no keys, find looks it up instead.
func (a *Lines) deed(e mobile.Effect, find func(carrier.Line) bool) deed {
	e.Settle = a.Carrier.Settle()
	return deed{effect: e, quiet: a.quiet(), find: func(ctx context.Context, e mobile.Effect) (string, bool, error) {
		line, err := a.Carrier.ReadLine(ctx, string(e.Activation))
		if errors.Is(err, carrier.ErrLineNotFound) {
			return "", find(carrier.Line{State: carrier.StateDeactivated}), nil
		}
		return line.Reference, err == nil && find(line), err
	}}
}

// ActivateLine orders the line. It does not say that the line is live: ConfirmLine reads it.
func (a *Lines) ActivateLine(ctx context.Context, in Ref) error {
	o, err := loadOrder(ctx, a.DB, in)
	switch {
	case err != nil:
		return err
	case o.activation.Profile == nil:
		return store.ErrProfileNotFound
	}
	iccid := string(o.activation.Profile.ICCID)
	var line carrier.Line
	d := a.deed(activateLine(in), func(found carrier.Line) bool {
		line = found
		return found.ICCID == iccid
	})
	d.call = func(ctx context.Context, e mobile.Effect) (string, error) {
		line, err = a.Carrier.ActivateLine(ctx, e.Key(), carrier.LineOrder{
			ExternalID: string(in.Activation), ICCID: iccid, IMEI: string(o.activation.IMEI),
			ZIPCode: o.activation.ZIP.Five(), Plan: o.activation.CarrierPlan, CustomerName: o.name(),
		})
		return line.Reference, err
	}
	d.keep = func(ctx context.Context, s *store.Store, e mobile.Effect) error {
		return s.RecordLine(ctx, in.Tenant, in.Activation, e.Reference, line.Number)
	}
	_, err = ledger{a.DB}.do(ctx, d)
	return err
}

// ConfirmInput says how often to look.
type ConfirmInput struct {
	Ref
	// Every is the wait between two looks at a line that is coming up.
	Every time.Duration `json:"every"`
}

// ConfirmLine reads the line and says that it is live once it is ACTIVE with our ICCID and a
// number. A line that is coming up is looked at again by the engine's own retry, which adds
// no history. It refuses the carrier's reason when the line failed, and
// store.ErrCancelCameFirst when the activation was cancelled before.
func (a *Lines) ConfirmLine(ctx context.Context, in ConfirmInput) error {
	o, err := loadOrder(ctx, a.DB, in.Ref)
	if err != nil {
		return err
	}
	line, err := a.Carrier.ReadLine(ctx, string(in.Activation))
	switch {
	case errors.Is(err, carrier.ErrLineNotFound):
		return errComingUp.After(in.Every)
	case err != nil:
		return err
	}
	switch line.State {
	case carrier.StatePending:
		return errComingUp.After(in.Every)
	case carrier.StateFailed, carrier.StateDeactivated:
		return lineFailed(line)
	case carrier.StateActive:
	}
	if o.activation.Profile == nil || line.ICCID != string(o.activation.Profile.ICCID) || line.Number == "" {
		return errLineNotOurs
	}
	say(ctx, line.Number+" is live")
	live := activity.GetInfo(ctx).StartedTime
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if err := s.RecordLine(ctx, in.Tenant, in.Activation, line.Reference, line.Number); err != nil {
			return err
		}
		return s.RecordLive(ctx, in.Tenant, in.Activation, live)
	})
	if err == nil {
		crash.At("line.live", string(in.Activation))
	}
	return err
}

// lineFailed is the refusal that a line ended with before it was live.
func lineFailed(line carrier.Line) error {
	reason := line.Reason
	if reason == nil {
		reason = mobile.ErrPartnerRefused
	}
	return &mobile.PartnerError{
		Partner: mobile.PartnerCarrier, Verdict: mobile.VerdictRefused, Reason: reason, Code: "line " + string(line.State),
	}
}

// TakeDownLine gives back the line: nothing when none was ever ordered. The key makes it the
// same act however often it is sent.
func (a *Lines) TakeDownLine(ctx context.Context, in Ref) error {
	l := ledger{a.DB}
	ordered, found, err := l.look(ctx, activateLine(in))
	switch {
	case err != nil:
		return err
	case !found || !ordered.MayHaveHappened():
		say(ctx, "No line was ordered")
		return nil
	}
	// An order whose answer was lost may still be on its way: taking the line down before it
	// arrives would leave a line behind.
	if wait := left(ctx, ordered, a.quiet()); ordered.Verdict != mobile.VerdictYes && wait > 0 {
		return errStillOnItsWay.After(wait)
	}
	down := in.effect(mobile.ActDeactivateLine, mobile.PartnerCarrier, mobile.SettleKeyed)
	d := a.deed(down, func(found carrier.Line) bool { return found.State == carrier.StateDeactivated })
	d.call = func(ctx context.Context, e mobile.Effect) (string, error) {
		return "", a.Carrier.DeactivateLine(ctx, e.Key(), string(in.Activation))
	}
	d.back = true
	_, err = l.do(ctx, d)
	if err == nil {
		say(ctx, "The line was taken down")
	}
	return err
}

// errStillOnItsWay asks for patience with an order whose answer was lost.
var errStillOnItsWay = fault.New(fault.Unavailable, "ORDER_ON_ITS_WAY",
	"The answer to the order was lost, and the order may still arrive. What came of it is given back a moment later.")

// quiet is how long after its row an act can still be under way: it is sent within sendWithin,
// and a call takes no longer than its own bound.
func (a *Lines) quiet() time.Duration { return sendWithin + a.CallTimeout }
