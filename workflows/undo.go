package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/mobile"
)

// undo gives back what a step took. It is safe when the step took nothing.
type undo struct {
	step    mobile.StepName
	act     any
	summary string
}

// undoESIM and undoLine give back what a journey can take.
func undoESIM() undo {
	return undo{step: mobile.StepReserveESIM, act: profiles.GiveBackProfile, summary: "Give the eSIM back"}
}

func undoLine() undo {
	return undo{step: mobile.StepActivateLine, act: lines.TakeDownLine, summary: "Take the line down"}
}

// allUndos are those of every step, in the order of the steps.
func allUndos() []undo { return []undo{undoESIM(), undoLine()} }

// giveBack undoes what was taken, newest first. Each undo is tried for as long as it takes:
// only then is the subscription free for another launch.
func (a *activation) giveBack(ctx workflow.Context, end ActivationResult) error {
	if len(a.undos) == 0 {
		return nil
	}
	a.asking = ""
	move := activities.MoveInput{
		Ref: a.ref(""), To: mobile.StateUndoing, Reason: end.Reason,
		Next: "Giving back what was taken", At: workflow.Now(ctx),
	}
	if err := workflow.ExecuteActivity(keeping(ctx, "Begin to give back"), record.MoveActivation, move).Get(ctx, nil); err != nil {
		return err
	}
	for len(a.undos) > 0 {
		last := a.undos[len(a.undos)-1]
		a.undos = a.undos[:len(a.undos)-1]
		if err := a.undo(ctx, last, move); err != nil {
			return err
		}
	}
	return nil
}

// undo gives back one step. An operator is asked when patience ends, and when it is not
// known whether there is something to give back.
func (a *activation) undo(ctx workflow.Context, u undo, undoing activities.MoveInput) error {
	if err := a.enterUndo(ctx, u); err != nil {
		return err
	}
	ref := a.ref(u.step)
	ref.Part, ref.Deadline = activities.PartUndo, workflow.Now(ctx).Add(time.Duration(a.policies.Patience))
	future := workflow.ExecuteActivity(a.policies.acting(ctx, u.summary), u.act, ref)
	ready, err := waitFor(ctx, time.Duration(a.policies.Patience), "Ask an operator unless "+string(u.step)+" is given back", future.IsReady)
	if err != nil {
		return err
	}
	if !ready {
		if err := a.ask(ctx, ask{kind: mobile.ItemStepStuck, step: u.step, reason: reasonStepStuck}); err != nil {
			return err
		}
	}
	err = future.Get(ctx, nil)
	if reason, refused := activities.Refused(err); refused {
		return a.awaitOperatorForGood(ctx, u, reason)
	}
	if err != nil {
		return err
	}
	a.marks[u.step] = markUndone
	if a.asking == "" {
		return nil
	}
	return a.answered(ctx, u.step, undoing)
}

// awaitOperatorForGood waits for a decision that this version does not offer yet: whether
// there is something to give back is not known, or the partner refuses to take it. The
// activation stays open and visible; nothing is given up silently.
func (a *activation) awaitOperatorForGood(ctx workflow.Context, u undo, reason string) error {
	if err := a.ask(ctx, ask{kind: mobile.ItemOutcomeUnknown, step: u.step, reason: reason}); err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return false })
}
