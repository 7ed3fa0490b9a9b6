package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// step is one act of a journey.
type step struct {
	name mobile.StepName
	part activities.Part
	// act is the activity; its input is an activities.Ref, or a ConfirmInput for PartAwait.
	act     any
	summary string
	// patience is how long it may fail to get through before an operator is asked; 0 means
	// the policy's.
	patience time.Duration
	// wake, when it turns true, makes a waiting act look again at once.
	wake *bool
	// undo gives back what the act took; nil when there is nothing to give back.
	undo *undo
}

// step takes a step: it tries for as long as it takes, lets an operator know when patience
// ends, and goes on trying. It returns errCancelled when a cancel came first and a
// *refusedError when the step was refused for good.
//
// The undo is filed before the act, because an act may have happened although its answer
// was lost.
func (a *activation) step(ctx workflow.Context, s step) error {
	if a.cancelled && !a.live {
		return errCancelled
	}
	if s.undo != nil {
		a.undos = append(a.undos, *s.undo)
	}
	if s.patience == 0 {
		s.patience = time.Duration(a.policies.Patience)
	}
	if err := a.enter(ctx, s); err != nil {
		return err
	}
	err := a.perform(ctx, s)
	a.leave(ctx, s, err)
	return err
}

// perform runs the step's act to its end, again each time that it is woken.
func (a *activation) perform(ctx workflow.Context, s step) error {
	deadline := workflow.Now(ctx).Add(s.patience)
	for {
		if s.wake != nil {
			*s.wake = false
		}
		err := a.attempt(ctx, s, deadline)
		switch {
		case errors.Is(err, errWoken):
			continue
		case err != nil:
			return a.judge(ctx, s, err)
		case a.asking != "":
			return a.answered(ctx, s.name, activities.MoveInput{Ref: a.ref(""), To: mobile.StateRunning, Next: s.name.Title()})
		}
		return nil
	}
}

// errWoken says that an act was called off in order to look again at once.
var errWoken = errors.New("woken")

// attempt schedules the act once and waits for it: with patience first, then with an
// operator informed. The engine retries it meanwhile.
func (a *activation) attempt(ctx workflow.Context, s step, deadline time.Time) error {
	actCtx, callOff := workflow.WithCancel(a.policies.acting(ctx, s.summary))
	defer callOff()
	future := workflow.ExecuteActivity(actCtx, s.act, a.inputOf(s, deadline))
	moved := func() bool {
		return future.IsReady() || a.cancelled && !a.live || s.wake != nil && *s.wake
	}
	ready, err := waitFor(ctx, max(deadline.Sub(workflow.Now(ctx)), 0), "Ask an operator unless "+string(s.name)+" is through", moved)
	if err != nil {
		return err
	}
	if !ready {
		if a.asking == "" {
			if err := a.ask(ctx, ask{kind: mobile.ItemStepStuck, step: s.name, reason: reasonStepStuck}); err != nil {
				return err
			}
		}
		if err := workflow.Await(ctx, moved); err != nil {
			return err
		}
	}
	calledOff := !future.IsReady()
	if calledOff {
		callOff()
	}
	return a.whyItEnded(future.Get(ctx, nil), calledOff)
}

// whyItEnded reads the outcome of an act that may have been called off. In back-off the
// engine calls it off at once. A running attempt ends first, and what it did counts; when it
// failed, the engine gives its error as it is and does not try again: that is no outcome of
// the step, only the end of the attempt.
func (a *activation) whyItEnded(err error, calledOff bool) error {
	_, refused := activities.Refused(err)
	switch {
	case err == nil || refused || !calledOff:
		return err
	case a.cancelled && !a.live:
		return errCancelled
	}
	return errWoken
}

// reasonStepStuck says that a step does not get through. It goes on by itself.
const reasonStepStuck = "STEP_STUCK"

// inputOf is the input of a step's act.
func (a *activation) inputOf(s step, deadline time.Time) any {
	ref := a.ref(s.name)
	ref.Part, ref.Deadline = s.part, deadline
	if s.part == activities.PartAwait {
		return activities.ConfirmInput{Ref: ref, Every: time.Duration(a.policies.LinePoll)}
	}
	return ref
}

// judge turns the error of an act into the end of its step.
func (a *activation) judge(ctx workflow.Context, s step, err error) error {
	switch {
	case errors.Is(err, errCancelled):
		return errCancelled
	case activities.Failed(err, store.ErrCancelCameFirst):
		a.cancelled = true
		return errCancelled
	}
	reason, refused := activities.Refused(err)
	switch {
	case !refused:
		return err
	case a.live || forOperator(reason):
		// Once the line is live nothing automatic takes it down: what is refused after that
		// is for a person.
		return a.awaitOperator(ctx, s, reason)
	}
	return &refusedError{step: s.name, reason: reason}
}

// forOperator tells whether a refusal is nothing that the customer or billing could mend, so
// that an operator must look before anything is given up.
func forOperator(reason string) bool {
	for _, f := range []*fault.Error{activities.ErrOutcomeUnknown, mobile.ErrSMDPAddressNotOurs, mobile.ErrMatchingIDNotOurs} {
		if f.Reason == reason {
			return true
		}
	}
	return false
}

// awaitOperator waits for a decision; of decisions there is only the cancel yet. Nothing is
// sent again meanwhile.
func (a *activation) awaitOperator(ctx workflow.Context, s step, reason string) error {
	kind := mobile.ItemStepRefused
	if reason == activities.ErrOutcomeUnknown.Reason {
		kind = mobile.ItemOutcomeUnknown
	}
	if err := a.ask(ctx, ask{kind: kind, step: s.name, reason: reason}); err != nil {
		return err
	}
	if err := workflow.Await(ctx, func() bool { return a.cancelled && !a.live }); err != nil {
		return err
	}
	return errCancelled
}

// answered takes back the question to the operator: the step got through by itself. The act's
// own success has put the record right already, unless the question was written after it.
func (a *activation) answered(ctx workflow.Context, about mobile.StepName, move activities.MoveInput) error {
	a.asking = ""
	move.At = workflow.Now(ctx)
	in := activities.AnsweredInput{MoveInput: move, About: about}
	if err := workflow.ExecuteActivity(keeping(ctx, "Take back the question about "+string(about)), record.TakeBackQuestion, in).Get(ctx, nil); err != nil {
		return err
	}
	return a.showOperatorNotNeeded(ctx)
}
