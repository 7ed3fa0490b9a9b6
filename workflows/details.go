package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"
)

// What people see of a run in the Temporal UI: summaries, the checklist under "current
// details", and search attributes. None of it is anybody's truth; the record is.

// mark is how a step stands in the checklist.
type mark string

const (
	markNow     mark = "→"
	markDone    mark = "✓"
	markRefused mark = "✗"
	markUndone  mark = "↩"
	markToCome  mark = "·"
)

// staticDetails is what stands above a run from its start.
func staticDetails(s Start) string {
	return fmt.Sprintf("Tenant `%s` · subscription `%s` · activation `%s`\n\n"+
		"Everything about it: `dialtone workflow show %s`", s.Tenant, s.Subscription, s.Activation, s.Activation)
}

// enter shows that a step begins.
func (a *activation) enter(ctx workflow.Context, s step) error {
	a.marks[s.name] = markNow
	if a.stage == string(s.name) {
		return nil
	}
	a.stage = string(s.name)
	a.showDetails(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx, attributeStage.ValueSet(a.stage))
}

// leave shows how a step ended.
func (a *activation) leave(ctx workflow.Context, s step, err error) {
	_, refused := errors.AsType[*refusedError](err)
	switch {
	case refused:
		a.marks[s.name] = markRefused
	case err == nil:
		a.marks[s.name] = markDone
	}
	a.showDetails(ctx)
}

// enterUndo shows that a step is given back.
func (a *activation) enterUndo(ctx workflow.Context, u undo) error {
	stage := "undo " + string(u.step)
	a.marks[u.step] = markNow
	a.stage = stage
	a.showDetails(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		attributeStage.ValueSet(stage), attributeNeedsOperator.ValueSet(operatorNotNeeded), attributeDeadline.ValueUnset())
}

// finish shows the end.
func (a *activation) finish(ctx workflow.Context, end ActivationResult) error {
	a.stage, a.asking = strings.ToLower(string(end.State)), ""
	a.outlook = "Ended " + string(end.State)
	if end.Reason != "" {
		a.outlook += ": " + end.Reason
	}
	a.showDetails(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		attributeStage.ValueSet(a.stage), attributeNeedsOperator.ValueSet(operatorNotNeeded), attributeDeadline.ValueUnset())
}

// showOperatorNeeded marks the run for those who look for work.
func (a *activation) showOperatorNeeded(ctx workflow.Context, due time.Time) error {
	a.showDetails(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		attributeNeedsOperator.ValueSet(operatorNeeded), attributeDeadline.ValueSet(due))
}

// showOperatorNotNeeded takes the mark off.
func (a *activation) showOperatorNotNeeded(ctx workflow.Context) error {
	a.showDetails(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		attributeNeedsOperator.ValueSet(operatorNotNeeded), attributeDeadline.ValueUnset())
}

// showDetails writes the checklist.
func (a *activation) showDetails(ctx workflow.Context) {
	var b strings.Builder
	for _, name := range a.journey.Plan() {
		m := a.marks[name]
		if m == "" {
			m = markToCome
		}
		fmt.Fprintf(&b, "- %s %s (`%s`)\n", m, name.Title(), name)
	}
	if a.asking != "" {
		fmt.Fprintf(&b, "\n**Waiting for an operator: %s.** %s\n", a.asking, nextForOperator(ask{reason: a.asking}))
	}
	if a.outlook != "" {
		fmt.Fprintf(&b, "\n%s\n", a.outlook)
	}
	fmt.Fprintf(&b, "\nAn operator may:\n- look: `dialtone workflow show %s`\n", a.in.Activation)
	if !a.live && a.stage != "" {
		fmt.Fprintf(&b, "- cancel and give everything back: `dialtone workflow cancel %s --reason \"…\"`, or Request Cancellation here\n", a.in.Activation)
	}
	workflow.SetCurrentDetails(ctx, b.String())
}

// nextForOperator says what an operator is to do.
func nextForOperator(q ask) string {
	switch q.reason {
	case reasonStepStuck:
		return "The step is tried on and goes on by itself when it gets through. Look at the partner, or cancel."
	case reasonRunLost:
		return "Another run held this activation and is gone. Compare the record with the partners; cancel to give everything back."
	}
	return "Find out at the partner whether it happened. Nothing is sent again. Cancel to give everything back."
}
