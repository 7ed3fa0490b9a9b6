package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/mobile"
)

// MobilePortIn brings a subscription on the air with the number that the customer has at
// another company.
func MobilePortIn(ctx workflow.Context, in ActivationInput) (ActivationResult, error) {
	return run(ctx, in, (*activation).portIn)
}

// portIn is the story of a port. It is not told by where the code stands but by what the record
// says of the port, because the customer, the donor and operators each move it in their own
// time; a run that takes over from a lost one goes on from the same place.
func (a *activation) portIn(ctx workflow.Context) error {
	if err := a.checkSubscription(ctx); err != nil {
		return err
	}
	if err := a.deviceUntilRight(ctx); err != nil {
		return err
	}
	err := errNewNumber // as a run that was lost may have left it
	if !a.port.NewNumber || !a.port.State.Closed() || a.port.State == mobile.PortCompleted {
		err = a.bring(ctx)
	}
	for errors.Is(err, errOtherNumber) {
		err = a.bring(ctx)
	}
	if errors.Is(err, errNewNumber) {
		err = a.lineInstead(ctx)
	}
	if err != nil {
		return err
	}
	return a.onTheAir(ctx)
}

// onTheAir is what is done once the line is live.
func (a *activation) onTheAir(ctx workflow.Context) error {
	if err := a.activateSubscription(ctx); err != nil {
		return err
	}
	if a.marks[mobile.StepSendActivationEmail] != markDone {
		if err := a.sendActivationEmail(ctx); err != nil {
			return err
		}
	}
	if !a.tellMoved {
		return nil
	}
	return a.mailTheEnd(ctx, mobile.NoticeNumberMoved, "")
}

// Ways in which a port is left.
var (
	// errNewNumber: the customer takes a new number instead.
	errNewNumber = errors.New("the customer takes a new number")
	// errOtherNumber: the customer brings another number, or the same from another donor.
	errOtherNumber = errors.New("the customer brings another number")
	// errStopped: the customer stops it all.
	errStopped = errors.New("the customer stopped it")
	// errExpired: the customer did not answer in time.
	errExpired = errors.New("the customer did not answer in time")
)

// bring brings the number, or leaves its port as the customer wishes: withdrawn at the carrier
// first. A number that moves all the same has moved.
func (a *activation) bring(ctx workflow.Context) error {
	err := a.bringNumber(ctx)
	if !errors.Is(err, errNewNumber) && !errors.Is(err, errOtherNumber) {
		return err
	}
	left := a.port
	moved, letErr := a.letGo(ctx)
	switch {
	case letErr != nil:
		return letErr
	case moved:
		return a.movedAllTheSame(ctx)
	}
	return a.leavePort(ctx, left, err)
}

// leavePort takes up the word by which the customer left a port, and closes it.
func (a *activation) leavePort(ctx workflow.Context, left activities.PortFacts, why error) error {
	if err := a.takeAnswer(ctx, left.Answer, answered{
		next:   mobile.StepCheckPortability.Title(),
		reopen: []mobile.StepName{mobile.StepCheckPortability, mobile.StepCollectPortingInfo, mobile.StepSubmitPort},
	}); err != nil {
		return err
	}
	if err := a.closePort(ctx, activities.ClosePortInput{
		Ref: a.ref(""), Port: left.ID, To: mobile.PortCancelled, Line: errors.Is(why, errNewNumber),
	}); err != nil {
		return err
	}
	return why
}

// deviceUntilRight checks the device, and asks for another one until the network takes it.
func (a *activation) deviceUntilRight(ctx workflow.Context) error {
	for {
		err := a.checkDevice(ctx)
		refused, is := errors.AsType[*refusedError](err)
		if !is || !ofDevice(refused.reason) {
			return err
		}
		if err := a.askCustomer(ctx, customerQuestion{
			step: mobile.StepCheckDevice, kind: mobile.PromptCorrectDevice, reason: refused.reason,
		}); err != nil {
			return err
		}
	}
}

// ofDevice tells whether a refusal is about the phone, so that another one mends it.
func ofDevice(reason string) bool {
	switch reason {
	case mobile.ErrDeviceBlocked.Reason, mobile.ErrDeviceNotESIMCapable.Reason, mobile.ErrDeviceNotSupported.Reason,
		mobile.ErrDeviceUnknown.Reason:
		return true
	}
	return false
}

// bringNumber takes a port to its completion.
func (a *activation) bringNumber(ctx workflow.Context) error {
	if err := a.exit(); err != nil { // said before the port was in work
		return err
	}
	if err := a.checkPortability(ctx); err != nil {
		return err
	}
	for !a.port.InfoPresent {
		if err := a.askCustomer(ctx, customerQuestion{
			step: mobile.StepCollectPortingInfo, kind: mobile.PromptProvideInfo, done: true,
		}); err != nil {
			return err
		}
	}
	if a.marks[mobile.StepReserveESIM] != markDone {
		if err := a.reserveESIM(ctx); err != nil {
			return err
		}
	}
	for a.port.State != mobile.PortCompleted {
		if err := a.carryOn(ctx); err != nil {
			return err
		}
	}
	if a.cancelled || a.exits() {
		a.noteMoved()
	}
	return a.confirmPorted(ctx)
}

// carryOn does what a port in this state needs next.
func (a *activation) carryOn(ctx workflow.Context) error {
	if err := a.exit(); err != nil {
		return err
	}
	if a.port.Answer != nil { // given while no run was there to hear it
		return a.takeAnswer(ctx, a.port.Answer, answered{done: mobile.StepCollectPortingInfo, next: mobile.StepSubmitPort.Title()})
	}
	switch a.port.State {
	case mobile.PortAwaitingInfo:
		if a.port.Unsent {
			return a.submitPort(ctx)
		}
		return a.askCorrection(ctx, mobile.PortPINExpired)
	case mobile.PortSubmitted, mobile.PortDelayed:
		return a.awaitDonor(ctx)
	case mobile.PortRefused:
		if a.port.Unsent {
			return a.submitPort(ctx)
		}
		return a.mendRefusal(ctx)
	case mobile.PortConfirmed:
		return a.awaitMove(ctx)
	case mobile.PortCancelled:
		return a.orderAnew(ctx)
	case mobile.PortCancelling, mobile.PortExpired:
		return errExpired // a lost run was giving it up
	case mobile.PortCompleted:
	}
	return nil
}

// exit is what the customer said when the port was given up; nil when it was not.
func (a *activation) exit() error {
	if a.port.Answer == nil {
		return nil
	}
	switch a.port.Answer.Act {
	case mobile.ActKeepNewNumber:
		return errNewNumber
	case mobile.ActStopPort:
		return errStopped
	case mobile.ActChangeNumber:
		return errOtherNumber
	case mobile.ActSubmitPortingInfo, mobile.ActConfirmDonorAction, mobile.ActChangeDevice:
	}
	return nil
}

func (a *activation) exits() bool { return a.exit() != nil }

// portStep is a step at the carrier about the port. Refusals that the journey does not deal
// with are an operator's: a port never ends by itself.
func (a *activation) portStep(name mobile.StepName, part activities.Part, act any, summary string) step {
	return step{
		name: name, part: part, act: act, summary: summary, wake: &a.lineEvent,
		mends: func(string) bool { return false },
		input: func(ref activities.Ref) any { return activities.PortRef{Ref: ref, Port: a.port.ID} },
	}
}

// portPoll is a step that waits for a port to move on.
func (a *activation) portPoll(name mobile.StepName, wait activities.PortWait, summary string) step {
	s := a.portStep(name, activities.PartAwait, ports.AwaitPort, summary)
	s.silent = true
	s.input = func(ref activities.Ref) any {
		return activities.PortPoll{PortRef: activities.PortRef{Ref: ref, Port: a.port.ID}, For: wait, Clock: a.policies.Port.clock()}
	}
	return s
}

// takePort takes a step and hears what it says of the port.
func (a *activation) takePort(ctx workflow.Context, s step) error {
	var facts activities.PortFacts
	s.out = &facts
	err := a.step(ctx, s)
	if err == nil {
		a.hear(&facts)
	}
	return err
}

// checkPortability asks whether the number can be brought, unless that was asked lately. What
// cannot is the customer's to decide.
func (a *activation) checkPortability(ctx workflow.Context) error {
	for a.portabilityIsOld(ctx) {
		s := a.portStep(mobile.StepCheckPortability, activities.PartWhole, ports.CheckPortability, "Ask the carrier whether the number can be brought")
		s.breaks = a.exits
		if err := a.takePort(ctx, s); errors.Is(err, errBroken) {
			return a.exit()
		} else if err != nil {
			return err
		}
		if a.port.Reason == "" {
			return nil
		}
		if err := a.askCustomer(ctx, customerQuestion{
			step: mobile.StepCheckPortability, kind: mobile.PromptDecide, reason: string(a.port.Reason),
		}); err != nil {
			return err
		}
	}
	return nil
}

func (a *activation) portabilityIsOld(ctx workflow.Context) bool {
	return a.port.Checked.IsZero() || a.port.State == mobile.PortAwaitingInfo && a.port.Reason != "" ||
		workflow.Now(ctx).Sub(a.port.Checked) >= time.Duration(a.policies.Port.PortabilityFor)
}

// submitPort sends what the customer gave, unless it is known to be refused.
func (a *activation) submitPort(ctx workflow.Context) error {
	switch {
	case a.port.OutOfService:
		return a.askCorrection(ctx, mobile.PortNumberInactive)
	case !a.port.PINExpires.IsZero() && !workflow.Now(ctx).Before(a.port.PINExpires) && !a.port.Ordered:
		return a.askCorrection(ctx, mobile.PortPINExpired)
	}
	if a.port.State == mobile.PortAwaitingInfo {
		if err := a.checkPortability(ctx); err != nil {
			return err
		}
	}
	s := a.portStep(mobile.StepSubmitPort, activities.PartFirst, ports.SubmitPort, "Send the customer's details to the donor")
	s.breaks = a.exits
	s.mends = func(reason string) bool {
		return reason == string(mobile.PortPINExpired) || reason == carrier.ErrSupplementNotAllowed.Reason ||
			reason == carrier.ErrPortEnded.Reason
	}
	err := a.takePort(ctx, s)
	refused, is := errors.AsType[*refusedError](err)
	switch {
	case errors.Is(err, errBroken):
		return nil
	case !is:
		return err
	case refused.reason == string(mobile.PortPINExpired):
		return a.askCorrection(ctx, mobile.PortPINExpired)
	}
	return a.orderAnew(ctx)
}

// orderAnew is for carriers that take no corrections: the order is cancelled, and once the
// carrier says so, another is given.
func (a *activation) orderAnew(ctx workflow.Context) error {
	moved, err := a.letGo(ctx)
	if err != nil || moved {
		return err
	}
	return a.closePort(ctx, activities.ClosePortInput{Ref: a.ref(""), Port: a.port.ID, Anew: true})
}

// awaitDonor waits until the donor has said yes or no, or the customer gives the port up.
func (a *activation) awaitDonor(ctx workflow.Context) error {
	s := a.portPoll(mobile.StepSubmitPort, activities.WaitAnswer, "Wait for the donor's answer")
	silent := a.policies.Port.clock().SilentAt(a.port.Submitted, a.port.NumberType, a.port.Due, a.zone())
	s.patience = atLeast(silent.Sub(workflow.Now(ctx)))
	s.breaks = a.exits
	return unbroken(a.takePort(ctx, s))
}

// awaitMove waits for the number to move, once the customer holds the eSIM: at that moment the
// old line dies. A date that passes is asked for anew, once; after that an operator is.
func (a *activation) awaitMove(ctx workflow.Context) error {
	if !a.port.InstallAfterMove && a.marks[mobile.StepSendActivationEmail] != markDone {
		if err := a.mailBeforeMove(ctx); err != nil || a.port.State != mobile.PortConfirmed {
			return err
		}
	}
	due := a.port.Due
	s := a.portPoll(mobile.StepAwaitPort, activities.WaitMove, "Wait for the number to move")
	overdue := a.policies.Port.clock().OverdueAt(due, a.port.NumberType, a.zone())
	s.patience, s.lapses = atLeast(overdue.Sub(workflow.Now(ctx))), !a.port.Rescheduled
	err := a.takePort(ctx, s)
	if errors.Is(err, errLate) {
		return a.reschedule(ctx)
	}
	return err
}

// mailBeforeMove mails the QR code. Nothing about a mail holds up a number that moves.
func (a *activation) mailBeforeMove(ctx workflow.Context) error {
	return unbroken(a.step(ctx, step{
		name: mobile.StepSendActivationEmail, act: mails.SendActivationMail, summary: "Mail the QR code to the customer, before the number moves",
		evidenced: true,
		mends:     func(string) bool { return false },
		breaks:    func() bool { return a.port.State != mobile.PortConfirmed },
	}))
}

// reschedule asks for another time.
func (a *activation) reschedule(ctx workflow.Context) error {
	s := a.portStep(mobile.StepSubmitPort, activities.PartFirst, ports.Reschedule, "Ask the donor for another time")
	s.breaks = a.exits
	return unbroken(a.takePort(ctx, s))
}

// movedPatience is how long anything may take once a number has moved: the old line is dead.
const movedPatience = time.Minute

// confirmPorted reads the line until it shows the number on our eSIM.
func (a *activation) confirmPorted(ctx workflow.Context) error {
	a.moved = true
	s := a.portPoll(mobile.StepAwaitPort, "", "Read the line until it shows the number")
	s.act, s.silent = ports.ConfirmPorted, false
	s.patience = min(movedPatience, time.Duration(a.policies.Patience))
	err := a.step(ctx, s)
	a.live = err == nil
	return err
}

// lineInstead gives the customer a new number, on the same eSIM.
func (a *activation) lineInstead(ctx workflow.Context) error {
	if a.marks[mobile.StepReserveESIM] != markDone {
		if err := a.reserveESIM(ctx); err != nil {
			return err
		}
	}
	return a.activateLine(ctx)
}

// unbroken takes an act that was called off, because something else is to be looked at first,
// for one that is through.
func unbroken(err error) error {
	if errors.Is(err, errBroken) {
		return nil
	}
	return err
}

// atLeast keeps a wait from being none: what is overdue is asked about at once, but asked.
func atLeast(d time.Duration) time.Duration { return max(d, time.Second) }

// zone is where the donor keeps its business hours.
func (a *activation) zone() *time.Location { return mobile.ZoneNamed(a.port.Zone) }
