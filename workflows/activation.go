package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/mobile"
)

// The activities, by reference: a nil pointer names a method and is never called.
var (
	record        *activities.Record
	subscriptions *activities.Subscriptions
	lines         *activities.Lines
	profiles      *activities.Profiles
	mails         *activities.Mails
)

// activation is the state of a run. It is rebuilt from the history at each replay and is
// never anybody's truth: people read the record.
type activation struct {
	in       ActivationInput
	policies Policies
	journey  mobile.Type
	sub      mobile.SubscriptionID

	// cancelled tells that a cancel was accepted and that the line was not live before.
	cancelled bool
	// live tells that the line is live: from here on nothing is given back.
	live bool
	// lineEvent tells that the carrier has said something about the line.
	lineEvent bool
	// knocks counts what arrived, looks how many of them were looked at.
	knocks, looks int

	undos  []undo
	stage  string
	asking string

	// What the details show besides: the step that is under way, since when, when patience
	// with it ends, when an operator's answer is due, and how the run ended.
	about  mobile.StepName
	since  time.Time
	until  time.Time
	due    time.Time
	giving bool
	ended  ActivationResult
	note   string
	marks  map[mobile.StepName]mark
}

// ActivationResult is how a run ended.
type ActivationResult struct {
	State  mobile.State `json:"state"`
	Reason string       `json:"reason,omitempty"`
}

// Ends of a journey other than success.
var errCancelled = errors.New("the activation was cancelled")

// refusedError ends a journey: a step was refused for good.
type refusedError struct {
	step   mobile.StepName
	reason string
}

func (e *refusedError) Error() string { return string(e.step) + " was refused: " + e.reason }

// run opens an activation, takes it along its journey and ends it.
//
// It works on a context of its own, which a cancel from the Temporal UI does not reach: such
// a cancel is a wish under the same rules as any other, and giving back must not be cut off.
func run(root workflow.Context, in ActivationInput, journey func(*activation, workflow.Context) error) (ActivationResult, error) {
	ctx, stop := workflow.NewDisconnectedContext(root)
	defer stop()
	a := &activation{in: in, policies: in.Policies.withDefaults(), marks: make(map[mobile.StepName]mark)}
	a.listen(root, ctx)
	opened, err := a.open(ctx)
	switch {
	case err != nil:
		return ActivationResult{}, err
	case opened.Ended != "":
		return ActivationResult{State: opened.Ended}, nil
	}
	a.take(opened.Facts)
	err = a.orAskWhenLost(ctx, opened)
	if err == nil {
		err = journey(a, ctx)
	}
	return a.conclude(ctx, err)
}

// open claims the activation's row for this run.
func (a *activation) open(ctx workflow.Context) (opened activities.Opened, err error) {
	in := activities.OpenInput{Ref: a.ref(""), RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID}
	err = workflow.ExecuteActivity(keeping(ctx, "Open the activation"), record.OpenActivation, in).Get(ctx, &opened)
	a.journey, a.sub = opened.Type, opened.Subscription
	return opened, err
}

// reasonRunLost says that the run which held the activation is gone.
const reasonRunLost = "RUN_LOST"

// orAskWhenLost stops a run that follows another one: what that one did last is not known
// here, so an operator must look before any step. Until then only a cancel moves it, and it
// gives back whatever the ledger says was taken: every undo of the journey is filed, because
// each is safe when nothing was done.
func (a *activation) orAskWhenLost(ctx workflow.Context, opened activities.Opened) error {
	if !opened.Lost {
		return nil
	}
	a.live, a.undos = opened.Live, allUndos()
	if a.cancelled && !a.live {
		return errCancelled
	}
	if err := a.ask(ctx, ask{kind: mobile.ItemRunLost, reason: reasonRunLost}); err != nil {
		return err
	}
	if err := workflow.Await(ctx, func() bool { return a.cancelled && !a.live }); err != nil {
		return err
	}
	return errCancelled
}

// conclude gives back what a journey that did not succeed has taken, and ends the activation.
func (a *activation) conclude(ctx workflow.Context, err error) (ActivationResult, error) {
	result := ActivationResult{State: mobile.StateSucceeded}
	switch refused, isRefused := errors.AsType[*refusedError](err); {
	case err == nil:
	case errors.Is(err, errCancelled):
		result = ActivationResult{State: mobile.StateCancelled}
	case isRefused:
		result = ActivationResult{State: mobile.StateRejected, Reason: refused.reason}
	default:
		return ActivationResult{}, err
	}
	if err != nil {
		if err := a.giveBack(ctx, result); err != nil {
			return ActivationResult{}, err
		}
	}
	end := activities.MoveInput{
		Ref: a.ref(""), To: result.State, Reason: result.Reason, Next: "", At: workflow.Now(ctx),
	}
	ended := workflow.ExecuteActivity(keeping(ctx, "End: "+string(result.State)), record.EndActivation, end)
	if err := ended.Get(ctx, &result.State); err != nil {
		return ActivationResult{}, err
	}
	return result, a.finish(ctx, result)
}

// ref says what an act is about.
func (a *activation) ref(step mobile.StepName) activities.Ref {
	return activities.Ref{Tenant: a.in.Tenant, Activation: a.in.Activation, Step: step}
}

// ask says why an operator is needed.
type ask struct {
	kind   mobile.ItemKind
	step   mobile.StepName
	reason string
}

func (q ask) summary() string {
	if q.step == "" {
		return "Ask an operator: " + q.reason
	}
	return "Ask an operator about " + string(q.step) + ": " + q.reason
}

// ask lets the activation wait for an operator, in the record and in the search attributes.
func (a *activation) ask(ctx workflow.Context, q ask) error {
	now := workflow.Now(ctx)
	due := now.Add(time.Duration(a.policies.OperatorDue))
	in := activities.AskInput{
		Ref: a.ref(""), Kind: q.kind, About: q.step, Reason: q.reason, Next: a.nextForOperator(q.reason), At: now, Due: due,
	}
	a.asking, a.due = q.reason, due
	if err := workflow.ExecuteActivity(keeping(ctx, q.summary()), record.AskOperator, in).Get(ctx, nil); err != nil {
		return err
	}
	return a.showOperatorNeeded(ctx, due)
}
