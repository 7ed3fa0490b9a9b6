package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/mobile"
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
	markToCome  mark = "○"
)

// clock is how the details say a time: in UTC, because people of several zones read it.
const clock = "2 Jan 2006 15:04:05 UTC"

// staticSummary names a run in lists.
func staticSummary(s Start) string {
	if s.FollowUp != "" {
		return "Follow-up for subscription " + string(s.Subscription)
	}
	if s.Type == mobile.TypePortIn {
		return "Mobile activation with a port of subscription " + string(s.Subscription)
	}
	return "Mobile activation of subscription " + string(s.Subscription)
}

// staticDetails is what stands above a run from its start.
func staticDetails(s Start) string {
	return fmt.Sprintf("Tenant `%s` · subscription `%s` · activation `%s`\n\n"+
		"Everything about it: `dialtone workflow show %s`", s.Tenant, s.Subscription, s.Activation, s.Activation)
}

// enter shows that a step begins, or a part of it.
func (a *activation) enter(ctx workflow.Context, s step) error {
	a.marks[s.name] = markNow
	a.begin(ctx, s.name, s.patience)
	if a.stage == string(s.name) {
		a.showDetails(ctx)
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

// begin notes what is under way, since when, and when an operator is asked about it.
func (a *activation) begin(ctx workflow.Context, about mobile.StepName, patience time.Duration) {
	now := workflow.Now(ctx)
	if a.about != about || a.giving {
		a.about, a.since = about, now
	}
	a.until = now.Add(patience)
}

// enterUndo shows that a step is given back.
func (a *activation) enterUndo(ctx workflow.Context, u undo) error {
	stage := "undo " + string(u.step)
	a.giving = true
	a.marks[u.step] = markNow
	a.begin(ctx, u.step, time.Duration(a.policies.Patience))
	a.stage = stage
	a.showDetails(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		attributeStage.ValueSet(stage), attributeNeedsOperator.ValueSet(operatorNotNeeded), attributeDeadline.ValueUnset())
}

// finish shows the end.
func (a *activation) finish(ctx workflow.Context, end ActivationResult) error {
	a.stage, a.question = strings.ToLower(string(end.State)), nil
	a.ended, a.since = end, workflow.Now(ctx)
	for _, name := range a.plan {
		if a.marks[name] == markNow { // stopped on its way, with nothing to give back
			a.marks[name] = markToCome
		}
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

// showDetails writes what an operator asks first (where is it, since when, who must act, what
// next), then the checklist, then what can be done. The Temporal UI draws it as Markdown, in
// which a list needs an empty line before it.
func (a *activation) showDetails(ctx workflow.Context) {
	var b strings.Builder
	b.WriteString(a.headline())
	if a.note != "" {
		fmt.Fprintf(&b, "\n\n%s", a.note)
	}
	b.WriteString("\n\n")
	for i, name := range a.plan {
		m := a.marks[name]
		if m == "" {
			m = markToCome
		}
		fmt.Fprintf(&b, "%d. %s %s (`%s`)\n", i+1, m, name.Title(), name)
	}
	b.WriteString("\nWhat you can do:\n\n")
	fmt.Fprintf(&b, "- Look: `dialtone workflow show %s`\n", a.in.Activation)
	if a.port.ID != "" {
		fmt.Fprintf(&b, "- Look at the port: `dialtone port show %s`\n", a.in.Activation)
	}
	if a.question != nil {
		for _, resolution := range a.question.offers {
			fmt.Fprintf(&b, "- %s: `dialtone workflow resolve %s --as %s --reason \"…\"`\n",
				a.question.means(resolution), a.in.Activation, resolution.Word())
		}
	}
	if a.cancelable() {
		fmt.Fprintf(&b, "- Cancel and give everything back: `dialtone workflow cancel %s --reason \"…\"`, or *Request Cancellation* on this page\n", a.in.Activation)
	}
	workflow.SetCurrentDetails(ctx, b.String())
}

// cancelable tells whether a cancel would still be heeded.
func (a *activation) cancelable() bool {
	return !a.live && !a.moved && !a.cancelled && !a.giving && a.ended.State == ""
}

// headline says where the run is.
func (a *activation) headline() string {
	since := a.since.UTC().Format(clock)
	doing := a.about.Title()
	if a.giving {
		doing = "Give back: " + doing
	}
	switch {
	case a.ended.State != "" && a.ended.Reason != "":
		return fmt.Sprintf("**Ended %s** (`%s`) at %s. Nobody need act.", a.ended.State, a.ended.Reason, since)
	case a.ended.State != "":
		return fmt.Sprintf("**Ended %s** at %s. Nobody need act.", a.ended.State, since)
	case a.asking && !a.stopped():
		return a.asksCustomer()
	case a.stopped() && !a.giving:
		return "**A cancel was accepted.** What is under way ends first; then everything is given back. Nobody need act."
	case a.question != nil:
		return a.asks(doing)
	case a.about == "":
		return "**Now: read the record.** Nobody need act."
	}
	return fmt.Sprintf("**Now: %s**, since %s. Nobody need act; an operator is asked if it is not through by %s.",
		doing, since, a.until.UTC().Format(clock))
}

// asks says what an operator is asked.
func (a *activation) asks(doing string) string {
	due := ""
	if !a.due.IsZero() {
		due = ", by " + a.due.UTC().Format(clock)
	}
	if a.about == "" {
		doing = "nothing is under way"
	} else {
		doing += ", since " + a.since.UTC().Format(clock)
	}
	return fmt.Sprintf("**An operator must act%s:** %s (`%s`).\n\nNow: %s.\n\nNext: %s",
		due, meaning(a.question.reason), a.question.reason, doing, a.nextForOperator(a.question.reason))
}

// meaning says in words why an operator is asked.
func meaning(reason string) string {
	switch reason {
	case reasonStepStuck:
		return "it does not get through, and is still being tried"
	case reasonRunLost:
		return "another run held this activation and is gone"
	case string(mobile.ItemCarrierSilent):
		return "the carrier has not answered in time, and is still being asked"
	case activities.ErrOutcomeUnknown.Reason:
		return "it is not known whether it happened at the partner"
	}
	if words := mobile.PortReason(reason); words.Known() {
		return words.ForOperators()
	}
	return "the partner's answer is not what it must be"
}

// nextForOperator says what an operator is to do.
func (a *activation) nextForOperator(reason string) string {
	act := "The partner refused it for good. Mend what the reason names, with the partner, then say how to go on."
	switch reason {
	case activities.ErrOutcomeUnknown.Reason:
		act = "Find out at the partner whether it happened, and say so. Nothing is sent again by itself."
	case reasonStepStuck:
		act = "The step is still being tried, and goes on by itself once it gets through. Look at the partner."
	case string(mobile.ItemCarrierSilent):
		act = "The carrier is still being asked. Call it, and name the order."
	case reasonRunLost:
		act = "Another run held this and is gone. Compare the record with the partners, then say whether to go on."
	}
	if a.question != nil && (a.question.kind == mobile.ItemPortRefused || a.question.kind == mobile.ItemTooManyRefusals) {
		act = "Ask the carrier or the customer what is wrong, then say: send the same again, ask the customer once more, or give up."
	}
	switch {
	case a.moved && !a.live:
		return act + " The number has moved: nothing is given back any more."
	case a.live:
		return act + " The line is live and stays live."
	case a.giving:
		return act + " Only then is the subscription free for another launch."
	case reason == activities.ErrOutcomeUnknown.Reason:
		return act + " A cancel is taken, and waits for the same answer."
	}
	return act + " Cancel to give everything back."
}
