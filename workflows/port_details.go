package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"
)

// What people see of a port in the Temporal UI.

// showPort shows where the port is.
func (a *activation) showPort(ctx workflow.Context) error {
	a.showDetails(ctx)
	if a.shown == a.port.State {
		return nil
	}
	a.shown = a.port.State
	return workflow.UpsertTypedSearchAttributes(ctx,
		attributePortStatus.ValueSet(string(a.port.State)), attributeDonor.ValueSet(string(a.port.Donor)))
}

// showWaiting shows that the customer is asked, and until when.
func (a *activation) showWaiting(ctx workflow.Context) error {
	if err := a.showPort(ctx); err != nil {
		return err
	}
	return workflow.UpsertTypedSearchAttributes(ctx,
		attributeStage.ValueSet(stageCustomer), attributeDeadline.ValueSet(a.port.Prompt.Deadline))
}

// stageCustomer is the Stage of a run that waits for its customer.
const stageCustomer = "waiting for customer"

// asksCustomer says what the customer is asked.
func (a *activation) asksCustomer() string {
	p := a.port.Prompt
	why := ""
	if p.Reason != "" {
		why = fmt.Sprintf(" because of `%s`", p.Reason)
	}
	next := "Nobody need act: it ends by itself then."
	if !p.NextReminder.IsZero() {
		next = fmt.Sprintf("Nobody need act: the next reminder goes out at %s.", p.NextReminder.UTC().Format(clock))
	}
	return fmt.Sprintf("**The customer must answer, by %s:** `%s`%s, asked at %s (question %d, refused %d times so far).\n\n%s",
		p.Deadline.UTC().Format(clock), p.Kind, why, p.Opened.UTC().Format(clock), p.Revision, a.port.Refusals, next)
}
