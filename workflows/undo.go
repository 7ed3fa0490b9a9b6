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

const nextUndoing = "Giving back what was taken"

// giveBack undoes what was taken, newest first. Each undo is tried for as long as it takes:
// only then is the subscription free for another launch. It returns errBeyondRepair when an
// operator ends it before.
func (a *activation) giveBack(ctx workflow.Context, end ActivationResult) error {
	if len(a.undos) == 0 {
		return nil
	}
	a.question, a.ending = nil, end
	move := activities.MoveInput{
		Ref: a.ref(""), To: mobile.StateUndoing, Reason: end.Reason, Next: nextUndoing, At: workflow.Now(ctx),
	}
	if err := workflow.ExecuteActivity(keeping(ctx, "Begin to give back"), record.MoveActivation, move).Get(ctx, nil); err != nil {
		return err
	}
	return a.undoAll(ctx)
}

func (a *activation) undoAll(ctx workflow.Context) error {
	for len(a.undos) > 0 {
		last := a.undos[len(a.undos)-1]
		a.undos = a.undos[:len(a.undos)-1]
		if a.marks[last.step] == markUndone {
			continue
		}
		if err := a.undo(ctx, last); err != nil {
			return err
		}
	}
	return nil
}

// undo gives back one step. An operator is asked when patience ends, when it is not known
// whether there is something to give back, and when the partner refuses to take it.
func (a *activation) undo(ctx workflow.Context, u undo) error {
	if err := a.enterUndo(ctx, u); err != nil {
		return err
	}
	err := a.perform(ctx, step{
		name: u.step, part: activities.PartUndo, act: u.act, summary: u.summary,
		patience: time.Duration(a.policies.Patience),
	})
	if err == nil {
		a.marks[u.step] = markUndone
	}
	return err
}
