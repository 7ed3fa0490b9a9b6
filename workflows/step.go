package workflows

import (
	"errors"
	"slices"
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
	// evidenced tells that the partner's own events may settle an answer that was lost.
	evidenced bool
	// undo gives back what the act took; nil when there is nothing to give back.
	undo *undo

	// input makes the act's input of a Ref; nil when that is what Ref and part make. Such an act
	// is taken when the record calls for it, not once.
	input func(activities.Ref) any
	// out takes what the act gives; may be nil.
	out any
	// breaks, when it turns true, calls the act off: something else is to be looked at first.
	breaks func() bool
	// mends tells of a refusal whether the journey deals with it; when it is there, all others
	// are an operator's.
	mends func(reason string) bool
	// silent tells that a partner who does not answer is what an operator is asked about, and
	// lapses that nobody is: the act is called off when patience ends.
	silent, lapses bool
	// withdraws tells that it takes back what is at the carrier: no cancel stops it.
	withdraws bool
}

// givesBack tells whether the step gives something back.
func (s step) givesBack() bool { return s.undoing() || s.withdraws }

func (s step) broken() bool { return s.breaks != nil && s.breaks() }

func (s step) undoing() bool { return s.part == activities.PartUndo }

// step takes a step: it tries for as long as it takes, lets an operator know when patience
// ends, and goes on trying. It returns errCancelled when a cancel came first and a
// *refusedError when the step was refused for good.
//
// The undo is filed before the act, because an act may have happened although its answer
// was lost.
func (a *activation) step(ctx workflow.Context, s step) error {
	if a.stops(s) {
		return errCancelled
	}
	if s.undo != nil {
		a.undos = append(a.undos, *s.undo)
	}
	if slices.Contains(a.done, s.name) && s.input == nil { // by the run that this one follows
		a.marks[s.name] = markDone
		return nil
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

// perform runs the step's act to its end, again each time that it is woken or that an operator
// has decided.
func (a *activation) perform(ctx workflow.Context, s step) error {
	deadline := workflow.Now(ctx).Add(s.patience)
	for {
		a.settled = false
		if s.wake != nil {
			*s.wake = false
		}
		err := a.attempt(ctx, s, deadline)
		switch {
		case errors.Is(err, errWoken):
			continue
		case errors.Is(err, errBroken) && a.question != nil:
			return errors.Join(err, a.answered(ctx, s))
		case errors.Is(err, errBroken), errors.Is(err, errLate):
			return err
		case err == nil && a.question != nil:
			return a.answered(ctx, s)
		case err == nil:
			return nil
		}
		if again, err := a.judge(ctx, s, err); !again {
			return err
		}
		deadline = workflow.Now(ctx).Add(s.patience) // what was decided has its own time to work
	}
}

// Why an act was called off.
var (
	// errWoken: in order to look again at once.
	errWoken = errors.New("woken")
	// errDecided: an operator has decided.
	errDecided = errors.New("decided")
	// errBroken: something else is to be looked at first.
	errBroken = errors.New("broken off")
	// errLate: patience is over.
	errLate = errors.New("late")
)

// attempt schedules the act once and waits for it: with patience first, then with an
// operator informed. The engine retries it meanwhile.
func (a *activation) attempt(ctx workflow.Context, s step, deadline time.Time) error {
	actCtx, callOff := workflow.WithCancel(a.policies.acting(ctx, s.summary))
	defer callOff()
	future := workflow.ExecuteActivity(actCtx, a.does(s.act), a.inputOf(s, deadline))
	moved := func() bool {
		return future.IsReady() || a.decision != nil || a.stops(s) || s.broken() || s.wake != nil && *s.wake
	}
	ready, err := waitFor(ctx, max(deadline.Sub(workflow.Now(ctx)), 0), s.patienceSummary(), moved)
	if err != nil {
		return err
	}
	if !ready && s.lapses {
		callOff()
		return a.whyItEnded(s, future.Get(ctx, s.out), true)
	}
	if !ready {
		if a.question == nil {
			if _, err := a.ask(ctx, a.questionAbout(s, s.stuck(), string(s.stuck()))); err != nil {
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
	return a.whyItEnded(s, future.Get(ctx, s.out), calledOff)
}

// stuck is what an operator is asked about when patience ends.
func (s step) stuck() mobile.ItemKind {
	if s.silent {
		return mobile.ItemCarrierSilent
	}
	return mobile.ItemStepStuck
}

func (s step) patienceSummary() string {
	if s.undoing() {
		return "Ask an operator unless " + string(s.name) + " is given back"
	}
	return "Ask an operator unless " + string(s.name) + " is through"
}

// stops tells whether a cancel stops the step: giving back is never stopped.
func (a *activation) stops(s step) bool { return a.stopped() && !s.givesBack() }

// questionAbout is a question about a step. A follow-up asks under its own name.
func (a *activation) questionAbout(s step, kind mobile.ItemKind, reason string) question {
	q := question{kind: kind, step: s.name, reason: reason, undoing: s.givesBack()}
	if a.in.FollowUp != "" {
		q.step, q.undoing = a.errand, false
	}
	return q
}

// whyItEnded reads the outcome of an act that may have been called off. In back-off the
// engine calls it off at once. A running attempt ends first, and what it did counts; when it
// failed, the engine gives its error as it is and does not try again: that is no outcome of
// the step, only the end of the attempt.
func (a *activation) whyItEnded(s step, err error, calledOff bool) error {
	_, refused := activities.Refused(err)
	switch {
	case err == nil || refused || !calledOff:
		return err
	case a.stops(s):
		return errCancelled
	case a.decision != nil:
		return errDecided
	case s.broken():
		return errBroken
	case s.wake != nil && *s.wake:
		return errWoken
	case s.lapses:
		return errLate
	}
	return errWoken
}

// reasonStepStuck says that a step does not get through. It goes on by itself.
const reasonStepStuck = "STEP_STUCK"

// inputOf is the input of a step's act.
func (a *activation) inputOf(s step, deadline time.Time) any {
	ref := a.ref(s.name)
	ref.Part, ref.Deadline = s.part, deadline
	if s.input != nil {
		return s.input(ref)
	}
	if s.part == activities.PartAwait {
		return activities.ConfirmInput{Ref: ref, Every: time.Duration(a.policies.LinePoll)}
	}
	return ref
}

// judge turns the error of an act into the end of its step, or tells that it is to be taken
// again.
func (a *activation) judge(ctx workflow.Context, s step, err error) (again bool, _ error) {
	switch {
	case errors.Is(err, errCancelled):
		return false, errCancelled
	case errors.Is(err, errDecided):
		return a.afterDecision(ctx, s)
	case activities.Failed(err, store.ErrCancelCameFirst):
		a.cancelled = true
		return false, errCancelled
	}
	reason, refused := activities.Refused(err)
	switch {
	case !refused:
		return false, err
	case s.mends != nil && s.mends(reason):
		return false, &refusedError{step: s.name, reason: reason}
	case a.live || s.mends != nil || s.withdraws || s.undoing() || forOperator(reason) || a.namedWrongly(ctx, reason):
		// Once the line is live nothing automatic takes it down: what is refused after that
		// is for a person.
		return a.awaitOperator(ctx, s, reason)
	}
	return false, &refusedError{step: s.name, reason: reason}
}

// forOperator tells whether a refusal is nothing that the customer or billing could mend, so
// that an operator must look before anything is given up.
func forOperator(reason string) bool {
	for _, f := range []*fault.Error{
		activities.ErrOutcomeUnknown, mobile.ErrSMDPAddressNotOurs, mobile.ErrMatchingIDNotOurs, mobile.ErrStockRefused,
	} {
		if f.Reason == reason {
			return true
		}
	}
	return false
}

// changeNamedWrongly is where runs began to ask an operator about an eSIM that the SM-DP+ does
// not give us: it may be one that an operator has named.
const changeNamedWrongly = "ask-about-a-profile-not-available"

func (a *activation) namedWrongly(ctx workflow.Context, reason string) bool {
	return reason == mobile.ErrProfileNotAvailable.Reason &&
		workflow.GetVersion(ctx, changeNamedWrongly, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// awaitOperator waits for a decision, for the outcome to become known after all, or for a
// cancel that comes first. Nothing is sent again meanwhile.
func (a *activation) awaitOperator(ctx workflow.Context, s step, reason string) (again bool, err error) {
	kind := mobile.ItemStepRefused
	if reason == activities.ErrOutcomeUnknown.Reason {
		kind = mobile.ItemOutcomeUnknown
	}
	if s.evidenced && kind == mobile.ItemOutcomeUnknown {
		if come, err := a.awaitEvidence(ctx, s); err != nil || come {
			return come, err
		}
	}
	asked, err := a.ask(ctx, a.questionAbout(s, kind, reason))
	if err != nil || !asked {
		return err == nil, err
	}
	known := func() bool { return a.settled && kind == mobile.ItemOutcomeUnknown }
	if err := workflow.Await(ctx, func() bool { return a.stops(s) || s.broken() || a.decision != nil || known() }); err != nil {
		return false, err
	}
	switch {
	case a.decision != nil:
		return a.afterDecision(ctx, s)
	case a.stops(s):
		return false, errCancelled
	case s.broken():
		return false, errors.Join(errBroken, a.answered(ctx, s))
	}
	return true, nil
}

// changeEvidence is where runs began to wait for evidence before they ask an operator.
const changeEvidence = "wait-for-evidence"

// awaitEvidence waits for the partner's events to tell what became of an act whose answer was
// lost, and tells whether they have. Those that came in the meantime are looked for by asking.
func (a *activation) awaitEvidence(ctx workflow.Context, s step) (bool, error) {
	if workflow.GetVersion(ctx, changeEvidence, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return false, nil
	}
	patience := time.Duration(a.policies.Evidence)
	a.until = workflow.Now(ctx).Add(patience)
	a.showDetails(ctx)
	_, err := waitFor(ctx, patience, "Ask an operator unless the partner's events tell what became of "+string(s.name),
		func() bool { return a.settled || a.stops(s) || s.broken() })
	return a.settled, err
}

// afterDecision carries a decision out and tells whether the step is to be taken again. One
// that was overtaken changes nothing: the act, taken again, tells what is so.
func (a *activation) afterDecision(ctx workflow.Context, s step) (again bool, err error) {
	resolution, err := a.decide(ctx)
	if err != nil {
		return false, err
	}
	if err := a.endOf(resolution, s.givesBack()); err != nil {
		return false, err
	}
	return true, nil
}

// answered takes back the question to the operator: the step got through by itself. The act's
// own success has put the record right already, unless the question was written after it.
func (a *activation) answered(ctx workflow.Context, s step) error {
	a.question = nil
	move := activities.MoveInput{Ref: a.ref(""), To: mobile.StateRunning, Next: s.name.Title(), At: workflow.Now(ctx)}
	if s.undoing() {
		move.To, move.Reason, move.Next = mobile.StateUndoing, a.ending.Reason, nextUndoing
	}
	in := activities.AnsweredInput{MoveInput: move, About: s.name}
	if err := workflow.ExecuteActivity(keeping(ctx, "Take back the question about "+string(s.name)), a.does(record.TakeBackQuestion), in).Get(ctx, nil); err != nil {
		return err
	}
	return a.showOperatorNotNeeded(ctx)
}
