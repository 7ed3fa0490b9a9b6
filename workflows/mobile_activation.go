package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/mobile"
)

// MobileActivation brings a subscription on the air with a new number.
func MobileActivation(ctx workflow.Context, in ActivationInput) (ActivationResult, error) {
	return run(ctx, in, (*activation).newLine)
}

// newLine is the story of a new line. What a step takes is given back when a later one is
// refused, or when the activation is cancelled before the line is live; from then on it only
// goes forward.
func (a *activation) newLine(ctx workflow.Context) error {
	if err := a.checkSubscription(ctx); err != nil {
		return err
	}
	if err := a.checkDevice(ctx); err != nil {
		return err
	}
	if err := a.reserveESIM(ctx); err != nil {
		return err
	}
	if err := a.activateLine(ctx); err != nil {
		return err
	}
	if err := a.activateSubscription(ctx); err != nil {
		return err
	}
	return a.sendActivationEmail(ctx)
}

// checkSubscription makes sure that the subscription is still what it was at the launch.
func (a *activation) checkSubscription(ctx workflow.Context) error {
	return a.step(ctx, step{
		name: mobile.StepCheckSubscription, act: subscriptions.CheckSubscription, summary: "Check that the subscription is still pending",
	})
}

// checkDevice comes before anything is taken: most refusals are found here.
func (a *activation) checkDevice(ctx workflow.Context) error {
	return a.step(ctx, step{
		name: mobile.StepCheckDevice, act: lines.CheckDevice, summary: "Ask the carrier about the device and the ZIP code",
	})
}

// reserveESIM takes a profile, because the carrier activates a line on an ICCID.
func (a *activation) reserveESIM(ctx workflow.Context) error {
	return a.step(ctx, step{
		name: mobile.StepReserveESIM, act: profiles.ReserveProfile, summary: "Order an eSIM at the SM-DP+ and make it downloadable",
		undo: new(undoESIM()),
	})
}

// activateLine orders the line and waits until a read shows it live: at once, or after the
// carrier's event or our own look.
func (a *activation) activateLine(ctx workflow.Context) error {
	err := a.step(ctx, step{
		name: mobile.StepActivateLine, part: activities.PartFirst, act: lines.ActivateLine, summary: "Order the line at the carrier",
		undo: new(undoLine()),
	})
	if err != nil {
		return err
	}
	err = a.step(ctx, step{
		name: mobile.StepActivateLine, part: activities.PartAwait, act: lines.ConfirmLine, summary: "Read the line until it is live",
		patience: time.Duration(a.policies.LinePatience), wake: &a.lineEvent,
	})
	a.live = err == nil
	return err
}

// activateSubscription tells billing, now that the line is live.
func (a *activation) activateSubscription(ctx workflow.Context) error {
	return a.step(ctx, step{
		name: mobile.StepActivateSubscription, act: subscriptions.ActivateSubscription, summary: "Turn the subscription active",
	})
}

// sendActivationEmail comes last: the code in it works once, and only on a live line.
func (a *activation) sendActivationEmail(ctx workflow.Context) error {
	return a.step(ctx, step{
		name: mobile.StepSendActivationEmail, act: mails.SendActivationMail, summary: "Mail the QR code to the customer",
		evidenced: true,
	})
}
