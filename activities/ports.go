package activities

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// Ports brings numbers in, at the carrier.
type Ports struct {
	DB      *store.DB
	Carrier carrier.Carrier
	// CallTimeout is how long one call to the carrier may take: the client's own bound.
	CallTimeout time.Duration
}

// PortRef says which port an act is about.
type PortRef struct {
	Ref
	Port mobile.PortID `json:"port"`
}

// errAtDonor says that the donor has not answered and that nothing is wrong.
var errAtDonor = fault.New(fault.Unavailable, "AT_DONOR", "The order is with the donor. It is asked after by itself.")

// CheckPortability asks the carrier whether the number can be brought, and what its donor wants
// to know. That it cannot is an answer, which the facts hold.
func (a *Ports) CheckPortability(ctx context.Context, in PortRef) (facts PortFacts, err error) {
	o, port, err := a.load(ctx, in)
	if err != nil {
		return facts, err
	}
	said, err := a.Carrier.CheckPortability(ctx, carrier.PortabilityCheck{
		Number: port.Number, ZIPCode: o.activation.ZIP.Five(),
	})
	if err != nil {
		return facts, err
	}
	answer := store.Portability{
		Code: said.Code, Message: said.Message, NumberType: said.NumberType, Required: said.Required, Earliest: said.Earliest,
		At: activity.GetInfo(ctx).StartedTime,
	}
	if donor, known := mobile.FindDonor(said.Donor); known {
		answer.LookedUp = donor.Code
	}
	if !said.Portable {
		answer.Reason = said.Reason
		goesOn(ctx)
	}
	say(ctx, portabilityInWords(port, said, answer))
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		return s.RecordPortability(ctx, in.Tenant, in.Activation, in.Port, answer)
	})
	if err != nil {
		return facts, err
	}
	return a.facts(ctx, in)
}

// portabilityInWords says what came of it. That the network sees another company than the
// customer named is worth knowing, and no more: many sell another's network under their name.
func portabilityInWords(port mobile.Port, said carrier.Portability, answer store.Portability) string {
	named, _ := mobile.DonorByCode(port.Donor)
	words := "It can be brought: " + string(said.NumberType)
	if !said.Portable {
		words = "It cannot be brought: " + string(said.Reason)
	}
	if seen, known := mobile.DonorByCode(answer.LookedUp); known && seen.Code != port.Donor {
		words += ". The network says that it is with " + seen.Name + ", the customer said " + named.Name
	}
	return words
}

// load reads what an act at the carrier needs.
func (a *Ports) load(ctx context.Context, in PortRef) (o order, port mobile.Port, err error) {
	if o, err = loadOrder(ctx, a.DB, in.Ref); err != nil {
		return o, port, err
	}
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		port, err = s.PortByID(ctx, in.Activation, in.Port)
		return err
	})
	return o, port, err
}

// facts reads the port again after an act.
func (a *Ports) facts(ctx context.Context, in PortRef) (facts PortFacts, err error) {
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		port, err := s.PortByID(ctx, in.Activation, in.Port)
		if err != nil {
			return err
		}
		facts, err = factsOf(ctx, s, port)
		return err
	})
	facts.InstallAfterMove = !a.Carrier.InstallBeforeCutover()
	return facts, err
}

// SubmitPort sends what the customer gave to the donor: as an order, or, when an order is at
// the carrier, as its correction. Each accepted submission is one act, and so is each deliberate
// repeat after a refusal. A refusal that the carrier gives at once counts like the donor's. It
// refuses PIN_EXPIRED before it sends what would be refused for that, and
// carrier.ErrSupplementNotAllowed where another order is needed.
func (a *Ports) SubmitPort(ctx context.Context, in PortRef) (facts PortFacts, err error) {
	o, port, err := a.load(ctx, in)
	if err != nil {
		return facts, err
	}
	info, revision, err := a.given(ctx, in, port)
	if err != nil {
		return facts, err
	}
	d := a.order(in, port, o, info, thing(revision, port))
	if port.Reference != "" {
		d = a.supplement(in, port, info, thing(revision, port))
	}
	if err := a.inTime(ctx, d, port); err != nil {
		return facts, err
	}
	_, err = ledger{a.DB}.do(ctx, d)
	if reason, code, no := refusedByDonor(err); no {
		err = a.notTaken(ctx, in, port, reason, code)
	}
	if err != nil {
		return facts, err
	}
	goesOn(ctx)
	say(ctx, "Sent to the donor")
	return a.facts(ctx, in)
}

// thing tells one submission to the donor from another: by what was accepted, and by how many
// refusals came before.
func thing(revision int64, port mobile.Port) string {
	return fmt.Sprintf("%d.%d", revision, port.Refusals)
}

// given is what the customer gave, and under which revision.
func (a *Ports) given(ctx context.Context, in PortRef, port mobile.Port) (info mobile.PortingInfo, revision int64, err error) {
	err = a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		info, revision, err = s.PortingInfo(ctx, port)
		return err
	})
	return info, revision, err
}

// inTime refuses to send a PIN that the donor no longer takes: repeated wrong details make
// donors lock numbers. What may be at the carrier already is settled first.
func (a *Ports) inTime(ctx context.Context, d deed, port mobile.Port) error {
	if port.PINExpires.IsZero() || activity.GetInfo(ctx).StartedTime.Before(port.PINExpires) {
		return nil
	}
	sent, found, err := ledger{a.DB}.look(ctx, d.effect)
	if err != nil || found && sent.MayHaveHappened() {
		return err
	}
	return mobile.PortPINExpired.Refusal()
}

// refusedByDonor reads the reason of a port, and the carrier's code for it, from the refusal of
// a call. Another order for the number, of whomever, is a reason like any other.
func refusedByDonor(err error) (reason mobile.PortReason, code string, is bool) {
	if errors.Is(err, store.ErrNumberOrderedElsewhere) {
		return mobile.PortDuplicate, "", true
	}
	p, ok := errors.AsType[*mobile.PartnerError](err)
	if !ok || p.Verdict != mobile.VerdictRefused || p.Reason == nil {
		return "", "", false
	}
	reason = mobile.PortReason(p.Reason.Reason)
	return reason, p.Code, reason.Known()
}

// notTaken counts a refusal that the carrier gave at once.
func (a *Ports) notTaken(ctx context.Context, in PortRef, port mobile.Port, reason mobile.PortReason, code string) error {
	return a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		_, err := s.PortNotTaken(ctx, store.PortWord{
			Tenant: in.Tenant, Activation: in.Activation, Port: in.Port, Word: mobile.WordRefused, Reason: reason, Code: code,
			Message: notSent(code), At: activity.GetInfo(ctx).StartedTime,
		}, port.Refusals)
		return err
	})
}

// notSent says of a refusal without a code that it is our own.
func notSent(code string) string {
	if code != "" {
		return ""
	}
	return "Not sent: another order for this number is at the carrier already, through this installation."
}

// order is the act of ordering a port.
func (a *Ports) order(in PortRef, port mobile.Port, o order, info mobile.PortingInfo, thing string) deed {
	external := port.ExternalID
	d := a.sending(in, mobile.ActSubmitPort.Of(thing), &external, func(ctx context.Context, key string) (carrier.Port, error) {
		if o.activation.Profile == nil {
			return carrier.Port{}, store.ErrProfileNotFound
		}
		return a.Carrier.SubmitPort(ctx, key, carrier.PortOrder{
			ExternalID: external, LineExternalID: string(in.Activation), Number: port.Number, Donor: string(port.Donor),
			ICCID: string(o.activation.Profile.ICCID), IMEI: string(o.activation.IMEI), ZIPCode: o.activation.ZIP.Five(),
			Plan: o.activation.CarrierPlan, CustomerName: o.name(), Info: info,
		})
	})
	d.prepare = func(ctx context.Context, s *store.Store, e mobile.Effect) (mobile.Effect, error) {
		ordered, err := s.OrderPort(ctx, in.Tenant, in.Activation, in.Port)
		external = ordered.ExternalID
		return e, err
	}
	return d
}

// supplement is the act of correcting an order.
func (a *Ports) supplement(in PortRef, port mobile.Port, info mobile.PortingInfo, thing string) deed {
	return a.sending(in, mobile.ActSupplementPort.Of(thing), &port.ExternalID, func(ctx context.Context, key string) (carrier.Port, error) {
		return a.Carrier.SupplementPort(ctx, key, carrier.PortSupplement{ExternalID: port.ExternalID, Info: info})
	})
}

// Reschedule asks for another time, the soonest: once for a port.
func (a *Ports) Reschedule(ctx context.Context, in PortRef) (facts PortFacts, err error) {
	_, port, err := a.load(ctx, in)
	if err != nil {
		return facts, err
	}
	d := a.sending(in, mobile.ActReschedulePort.Of(strconv.Itoa(port.Orders)), &port.ExternalID,
		func(ctx context.Context, key string) (carrier.Port, error) {
			return a.Carrier.SupplementPort(ctx, key, carrier.PortSupplement{ExternalID: port.ExternalID})
		})
	sent := d.keep
	d.keep = func(ctx context.Context, s *store.Store, e mobile.Effect) error {
		if err := s.Rescheduled(ctx, in.Tenant, in.Activation, in.Port); err != nil {
			return err
		}
		return sent(ctx, s, e)
	}
	if _, err := (ledger{a.DB}).do(ctx, d); err != nil {
		return facts, err
	}
	goesOn(ctx)
	say(ctx, "Another time was asked for")
	return a.facts(ctx, in)
}

// sending is an act by which something goes to the donor; external is our name of the order,
// which may be known only once the act's row is written.
func (a *Ports) sending(in PortRef, act mobile.Act, external *string, call func(context.Context, string) (carrier.Port, error)) deed {
	var sent carrier.Port
	d := deed{effect: in.effect(act, mobile.PartnerCarrier, a.Carrier.Settle()), quiet: a.quiet()}
	d.call = func(ctx context.Context, e mobile.Effect) (_ string, err error) {
		sent, err = call(ctx, e.Key())
		return sent.Reference, err
	}
	d.find = func(ctx context.Context, _ mobile.Effect) (string, bool, error) {
		port, err := a.Carrier.ReadPort(ctx, *external)
		if errors.Is(err, carrier.ErrPortNotFound) {
			return "", false, nil
		}
		sent = port
		return port.Reference, err == nil, err
	}
	d.keep = func(ctx context.Context, s *store.Store, e mobile.Effect) error {
		return a.keepSent(ctx, s, in, *external, e, sent)
	}
	return d
}

// keepSent says that the order is with the donor, and hears what the answer says already.
func (a *Ports) keepSent(ctx context.Context, s *store.Store, in PortRef, external string, e mobile.Effect, sent carrier.Port) error {
	word := sent.At
	if sent.State != carrier.PortSubmitted && !word.IsZero() {
		word = word.Add(-time.Microsecond)
	}
	if err := s.PortSent(ctx, in.Tenant, in.Activation, in.Port, e.Reference, e.Sent, word); err != nil || sent.State == "" {
		return err
	}
	_, err := s.HearOfPort(ctx, portWord(in, external, sent))
	return err
}

// portWord is what a carrier's port says.
func portWord(in PortRef, external string, p carrier.Port) store.PortWord {
	return store.PortWord{
		Tenant: in.Tenant, Activation: in.Activation, Port: in.Port, ExternalID: external, Word: mobile.PortWord(p.State),
		Reason: p.Reason, Code: p.Code, Message: p.Message, Reference: p.Reference, Due: p.Due, At: p.At,
	}
}

// quiet is how long after its row an act can still be under way: it is sent within sendWithin,
// and a call takes no longer than its own bound.
func (a *Ports) quiet() time.Duration { return sendWithin + a.CallTimeout }
