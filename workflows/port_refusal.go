package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/internal/mobile"
)

// mendRefusal has whoever can mend a donor's no: the customer, Dialtone itself, or an operator,
// who takes over too when it was said too often.
func (a *activation) mendRefusal(ctx workflow.Context) error {
	reason := a.port.Reason
	switch {
	case a.port.Refusals >= mobile.PortRefusalsMax, reason.IsPIN() && a.port.PINRefusals >= mobile.PortPINRefusalsMax:
		return a.askOperatorOfPort(ctx, mobile.ItemTooManyRefusals)
	case reason == mobile.PortSchedule && !a.port.Rescheduled:
		return a.reschedule(ctx)
	case reason.Prompt() == mobile.PromptNone:
		return a.askOperatorOfPort(ctx, mobile.ItemPortRefused)
	}
	return a.askCorrection(ctx, reason)
}

// askCorrection asks the customer to mend what a reason names.
func (a *activation) askCorrection(ctx workflow.Context, reason mobile.PortReason) error {
	kind := reason.Prompt()
	if kind == mobile.PromptNone {
		kind = mobile.PromptCorrectInfo // an operator wants the customer to be asked
	}
	return a.askCustomer(ctx, customerQuestion{step: mobile.StepSubmitPort, kind: kind, reason: string(reason)})
}

// askOperatorOfPort waits for an operator's decision about a refused port, or until it is not
// refused any more, or given up.
func (a *activation) askOperatorOfPort(ctx workflow.Context, kind mobile.ItemKind) error {
	if _, err := a.ask(ctx, question{kind: kind, step: mobile.StepSubmitPort, reason: string(a.port.Reason)}); err != nil {
		return err
	}
	over := func() bool { return a.stopped() || a.exits() || a.port.State != mobile.PortRefused }
	for {
		if err := workflow.Await(ctx, func() bool { return over() || a.decision != nil }); err != nil {
			return err
		}
		if a.decision == nil {
			return a.withoutOperator(ctx)
		}
		resolution, err := a.decide(ctx)
		if err != nil {
			return err
		}
		switch resolution {
		case mobile.ResolutionSendAgain:
			return a.submitPort(ctx)
		case mobile.ResolutionGoOn:
			return a.askCorrection(ctx, a.port.Reason)
		case mobile.ResolutionGiveUp:
			return a.giveUp(false)
		case mobile.ResolutionDone, mobile.ResolutionEndAsFailed, mobile.ResolutionDismiss, "":
		}
	}
}

// withoutOperator takes the question back: something else has decided.
func (a *activation) withoutOperator(ctx workflow.Context) error {
	if a.stopped() {
		return errCancelled
	}
	return a.answered(ctx, step{name: mobile.StepSubmitPort})
}
