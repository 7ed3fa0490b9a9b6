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
	ports         *activities.Ports
)

// activation is the state of a run. It is rebuilt from the history at each replay and is
// never anybody's truth: people read the record.
type activation struct {
	in       ActivationInput
	policies Policies
	sub      mobile.SubscriptionID
	// plan are the steps to come, for people; errand is what a follow-up is called.
	plan   []mobile.StepName
	errand mobile.StepName

	// cancelled tells that a cancel was accepted and that the line was not live before.
	cancelled bool
	// live tells that the line is live: from here on nothing is given back.
	live bool
	// lineEvent tells that the carrier has said something about the line.
	lineEvent bool
	// settled tells that no outcome is in doubt any more which a person would have to find out.
	settled bool
	// knocks counts what arrived, looks how many of them were looked at.
	knocks, looks int

	// port is where the port is that the run deals with, by the latest reading, and left are
	// those that it is done with; pinned is the one that is being withdrawn. moved tells that the number has moved: a cancel is too late,
	// and tellMoved that the customer must be told so. asking tells that the customer is asked.
	port      activities.PortFacts
	left      []mobile.PortID
	pinned    mobile.PortID
	shown     mobile.PortState
	moved     bool
	tellMoved bool
	asking    bool
	// launched and customerZone are what a customer's time is counted by.
	launched     time.Time
	customerZone string

	undos []undo
	// done are the steps that a lost run had taken.
	done  []mobile.StepName
	stage string

	// question is what an operator is asked; nil when nobody is. decision is what one has
	// said and what is not yet carried out. givenUp tells that the cancel was such a decision.
	question *question
	decision *ResolveAction
	givenUp  bool

	// What the details show besides: the step that is under way, since when, when patience
	// with it ends, when an operator's answer is due, and how the run ended.
	about  mobile.StepName
	since  time.Time
	until  time.Time
	due    time.Time
	giving bool
	// ending is the end that giving back leads to, ended the one that it came to.
	ending ActivationResult
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
var (
	errCancelled = errors.New("the activation was cancelled")
	// errGivenUp ends a follow-up: an operator gave it up.
	errGivenUp = errors.New("it was given up")
	// errBeyondRepair ends a run at once, whatever is outside.
	errBeyondRepair = errors.New("an operator ended it as beyond repair")
)

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
	if err := a.listen(root, ctx); err != nil {
		return ActivationResult{}, err
	}
	opened, err := a.open(ctx)
	switch {
	case err != nil:
		return ActivationResult{}, err
	case opened.Ended != "":
		return ActivationResult{State: opened.Ended}, nil
	}
	a.take(opened.Facts)
	a.launched, a.customerZone = opened.Launched, opened.Zone
	err = a.orAskWhenLost(ctx, opened)
	if err == nil {
		err = journey(a, ctx)
	}
	return a.conclude(ctx, a.unlessMoved(ctx, err))
}

// open claims the activation's row for this run.
func (a *activation) open(ctx workflow.Context) (opened activities.Opened, err error) {
	in := activities.OpenInput{Ref: a.ref(""), RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID}
	err = workflow.ExecuteActivity(keeping(ctx, "Open the activation"), record.OpenActivation, in).Get(ctx, &opened)
	a.plan, a.sub = opened.Type.Plan(), opened.Subscription
	return opened, err
}

// does is how an activity is called: a follow-up's have names of their own.
func (a *activation) does(act any) any {
	if a.in.FollowUp == "" {
		return act
	}
	return activities.Beside(act)
}

// reasonRunLost says that the run which held the activation is gone.
const reasonRunLost = "RUN_LOST"

// Reasons of ends that an operator decided.
const (
	reasonGivenUp      = "GIVEN_UP"
	reasonBeyondRepair = "BEYOND_REPAIR"
)

// orAskWhenLost stops a run that follows another one: what that one did last is not known
// here, so an operator must look before any step. Until then only a cancel moves it, and it
// gives back whatever the ledger says was taken: every undo of the journey is filed, because
// each is safe when nothing was done.
func (a *activation) orAskWhenLost(ctx workflow.Context, opened activities.Opened) error {
	if !opened.Lost {
		return nil
	}
	a.live, a.undos = opened.Live, allUndos()
	if a.stopped() {
		return errCancelled
	}
	lost := question{kind: mobile.ItemRunLost, reason: reasonRunLost, undoing: opened.Undoing}
	if err := a.askUntilDecided(ctx, lost); err != nil {
		return err
	}
	// On the way again each step that is not done files its undo itself. A port may be left before
	// it comes to the eSIM again.
	a.done, a.undos = opened.Done, nil
	if a.port.ID != "" && !a.live {
		a.undos = []undo{undoESIM()}
	}
	return nil
}

// stopped tells whether a cancel is to be heeded: one that came before the line was live.
func (a *activation) stopped() bool { return a.cancelled && !a.live && !a.moved }

// conclude gives back what a journey that did not succeed has taken, and ends the activation.
func (a *activation) conclude(ctx workflow.Context, err error) (ActivationResult, error) {
	result := ActivationResult{State: mobile.StateSucceeded}
	switch refused, isRefused := errors.AsType[*refusedError](err); {
	case err == nil:
	case errors.Is(err, errCancelled):
		result = ActivationResult{State: mobile.StateCancelled}
		if a.givenUp {
			result.Reason = reasonGivenUp
		}
	case errors.Is(err, errBeyondRepair):
		return a.end(ctx, ActivationResult{State: mobile.StateFailed, Reason: reasonBeyondRepair})
	case isRefused:
		result = ActivationResult{State: mobile.StateRejected, Reason: refused.reason}
	case errors.Is(err, errStopped):
		result = ActivationResult{State: mobile.StateRejected, Reason: reasonCustomerStopped}
	case errors.Is(err, errExpired):
		result = ActivationResult{State: mobile.StateExpired, Reason: reasonCustomerSilent}
	default:
		return ActivationResult{}, err
	}
	if err != nil {
		switch err := a.giveBack(ctx, result); {
		case errors.Is(err, errBeyondRepair):
			return a.end(ctx, ActivationResult{State: mobile.StateFailed, Reason: reasonBeyondRepair})
		case err != nil:
			return ActivationResult{}, err
		}
		if err := a.tellEnd(ctx, result); err != nil {
			return ActivationResult{}, err
		}
	}
	return a.end(ctx, result)
}

// end ends the activation in the record.
func (a *activation) end(ctx workflow.Context, result ActivationResult) (ActivationResult, error) {
	if err := a.overtake(ctx); err != nil {
		return ActivationResult{}, err
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
	return activities.Ref{Tenant: a.in.Tenant, Activation: a.in.Activation, FollowUp: a.in.FollowUp, Step: step}
}
