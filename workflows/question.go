package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/mobile"
)

// question is what an operator is asked.
type question struct {
	kind mobile.ItemKind
	// step is empty when it is about the whole.
	step   mobile.StepName
	reason string
	// undoing tells that what was taken is being given back.
	undoing bool
	// act is the act outside that it is about, and offers what may be decided, as the record
	// says.
	act    mobile.Act
	offers []mobile.Resolution
}

// means says in words what a resolution does.
func (q question) means(r mobile.Resolution) string {
	return mobile.Question{Kind: q.kind, Act: q.act}.Means(r)
}

func (q question) summary() string {
	if q.step == "" {
		return "Ask an operator: " + q.reason
	}
	return "Ask an operator about " + string(q.step) + ": " + q.reason
}

// ask lets the activation wait for an operator, in the record and in the search attributes.
// It gives false when there is nothing to ask any more, because the outcome has become known.
func (a *activation) ask(ctx workflow.Context, q question) (bool, error) {
	now := workflow.Now(ctx)
	due := now.Add(time.Duration(a.policies.OperatorDue))
	in := activities.AskInput{
		Ref: a.ref(""), Kind: q.kind, About: q.step, Reason: q.reason, Next: a.nextForOperator(q.reason), At: now, Due: due,
	}
	if q.undoing {
		in.Part = activities.PartUndo
	}
	a.question, a.due = &q, due
	var asked activities.Asked
	if err := workflow.ExecuteActivity(keeping(ctx, q.summary()), a.does(record.AskOperator), in).Get(ctx, &asked); err != nil {
		return false, err
	}
	if asked.Settled {
		a.question = nil
		return false, nil
	}
	a.question.act, a.question.offers = asked.Act, asked.Offers
	return true, a.showOperatorNeeded(ctx, due)
}

// askUntilDecided asks an operator and waits for a decision, or for a cancel that comes first.
func (a *activation) askUntilDecided(ctx workflow.Context, q question) error {
	if _, err := a.ask(ctx, q); err != nil {
		return err
	}
	for {
		if err := workflow.Await(ctx, func() bool { return a.stopped() || a.decision != nil }); err != nil {
			return err
		}
		if a.decision == nil {
			return errCancelled
		}
		resolution, err := a.decide(ctx)
		if err != nil {
			return err
		}
		if resolution != "" {
			return a.endOf(resolution, false)
		}
	}
}

// ResolveAction is the content of the update by which an operator decides. It names the
// command in the record, which holds what was said; fields are only ever added.
type ResolveAction struct {
	Command string            `json:"command"`
	Choice  mobile.Resolution `json:"choice"`
	// Kind and Step say which question it answers.
	Kind mobile.ItemKind `json:"kind"`
	Step mobile.StepName `json:"step,omitempty"`
	// Until is when the command is too old to be heeded: it was decided on what was so then.
	Until time.Time `json:"until"`
}

// heedDecisions takes operators' decisions. The handler keeps the decision and returns; the
// run carries it out.
func (a *activation) heedDecisions(ctx workflow.Context) error {
	take := func(_ workflow.Context, decision ResolveAction) error {
		a.decision = &decision
		return nil
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, resolveUpdate, take, workflow.UpdateHandlerOptions{
		Description: resolveUpdateDescription,
		Validator: func(ctx workflow.Context, decision ResolveAction) error {
			switch {
			case a.question == nil || a.question.kind != decision.Kind || a.question.step != decision.Step:
				return notApplicable("It does not wait for this decision any more.")
			case a.decision != nil:
				return notApplicable("Another decision is being carried out.")
			case workflow.Now(ctx).After(decision.Until):
				return notApplicable("The decision came too late to be heeded.")
			}
			return nil
		},
	})
}

func notApplicable(why string) error { return temporal.NewApplicationError(why, reasonNotApplicable) }

// decide carries the operator's decision out. It gives nothing when what was to be decided had
// settled itself: then nothing was done.
func (a *activation) decide(ctx workflow.Context) (mobile.Resolution, error) {
	in := activities.DecisionInput{
		Ref: a.ref(""), Command: a.decision.Command, At: workflow.Now(ctx),
		RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID,
	}
	summary := "Carry out an operator's decision: " + string(a.decision.Choice)
	var decided activities.Decided
	err := workflow.ExecuteActivity(keeping(ctx, summary), a.does(record.TakeDecision), in).Get(ctx, &decided)
	a.decision = nil
	if err != nil || decided.Resolution == "" {
		return "", err
	}
	a.question = nil
	return decided.Resolution, a.showOperatorNotNeeded(ctx)
}

// overtake takes a decision that came in the very moment of the end, so that who waits for it
// is told that it was overtaken.
func (a *activation) overtake(ctx workflow.Context) error {
	if a.decision == nil {
		return nil
	}
	_, err := a.decide(ctx)
	return err
}

// endOf is the end that a resolution brings; nil when it goes on. Given up while what was
// taken is being given back, it goes on giving back.
func (a *activation) endOf(resolution mobile.Resolution, undoing bool) error {
	switch resolution {
	case mobile.ResolutionGiveUp:
		return a.giveUp(undoing)
	case mobile.ResolutionEndAsFailed:
		return errBeyondRepair
	case mobile.ResolutionDone, mobile.ResolutionSendAgain, mobile.ResolutionGoOn, mobile.ResolutionDismiss:
	}
	return nil
}

func (a *activation) giveUp(undoing bool) error {
	switch {
	case undoing:
		return nil
	case a.in.FollowUp != "":
		return errGivenUp
	}
	a.cancelled, a.givenUp = true, true
	return errCancelled
}
