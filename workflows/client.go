package workflows

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Names that cross the wire. A name once used is kept for ever: histories hold it.
const (
	// intakeSignal wakes a run to look at what the outside said.
	intakeSignal            = "intake"
	intakeSignalDescription = "Something arrived for this activation (a cancel, a partner's event). Carries the intake's id only; the run reads the record."
	// resolveUpdate tells a run what an operator has decided.
	resolveUpdate            = "resolve_action"
	resolveUpdateDescription = "An operator's decision about what this run waits for. Send it by the command line (dialtone workflow resolve), which keeps who decided and why; it carries that record's id."
	// reasonNotApplicable refuses a decision that the run does not wait for.
	reasonNotApplicable = "NOT_APPLICABLE"
)

// The search attributes. Postgres visibility has ten columns for keywords; these are six.
var (
	attributeStage         = temporal.NewSearchAttributeKeyKeyword("Stage")
	attributePortStatus    = temporal.NewSearchAttributeKeyKeyword("PortStatus")
	attributeNeedsOperator = temporal.NewSearchAttributeKeyKeyword("NeedsOperator")
	attributeSubscription  = temporal.NewSearchAttributeKeyKeyword("Subscription")
	attributeTenant        = temporal.NewSearchAttributeKeyKeyword("Tenant")
	attributeDonor         = temporal.NewSearchAttributeKeyKeyword("Donor")
	attributeDeadline      = temporal.NewSearchAttributeKeyTime("Deadline")
)

// Values of NeedsOperator, so that both can be searched for.
const (
	operatorNeeded    = "yes"
	operatorNotNeeded = "no"
)

// SearchAttributes lists what a namespace must have, by name.
func SearchAttributes() map[string]enumspb.IndexedValueType {
	all := make(map[string]enumspb.IndexedValueType)
	for _, key := range []temporal.SearchAttributeKey{
		attributeStage, attributePortStatus, attributeNeedsOperator, attributeSubscription,
		attributeTenant, attributeDonor, attributeDeadline,
	} {
		all[key.GetName()] = key.GetValueType()
	}
	return all
}

// Intake is the content of an intake signal. Fields are only ever added.
type Intake struct {
	ID string `json:"id"`
}

// ActivationInput is the input of a run. Fields are only ever added.
type ActivationInput struct {
	Tenant     mobile.TenantID     `json:"tenant"`
	Activation mobile.ActivationID `json:"activation"`
	// FollowUp is what a FollowUp is to do; empty for an activation's own run.
	FollowUp mobile.FollowUpID `json:"follow_up,omitempty"`
	Policies Policies          `json:"policies,omitzero"`
}

// Client tells the engine what the outside said.
type Client struct {
	temporal  client.Client
	taskQueue string
}

// NewClient makes a Client. The engine's client may be lazy: it need not be reachable yet.
func NewClient(temporal client.Client, taskQueue string) *Client {
	if temporal == nil || taskQueue == "" {
		panic("workflows.NewClient needs the engine and a task queue")
	}
	return &Client{temporal: temporal, taskQueue: taskQueue}
}

// Start says which activation's run begins.
type Start struct {
	Tenant     mobile.TenantID
	Activation mobile.ActivationID
	// FollowUp is what is done beside the activation's own run; empty: that run.
	FollowUp     mobile.FollowUpID
	Subscription mobile.SubscriptionID
	Type         mobile.Type
	WorkflowID   string
	// Policies is JSON as ParsePolicies reads it; mostly empty.
	Policies string
}

// Start starts an activation's run. One id is one activation for ever, so that "already
// started" can only mean this one and counts as success. A start that is repeated after the
// run has ended begins another run, whose first act finds the activation ended.
func (c *Client) Start(ctx context.Context, s Start) error {
	policies, err := ParsePolicies(s.Policies)
	if err != nil {
		return err
	}
	_, err = c.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                                       s.WorkflowID,
		TaskQueue:                                c.taskQueue,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            staticSummary(s),
		StaticDetails:                            staticDetails(s),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			attributeStage.ValueSet("accepted"),
			attributeNeedsOperator.ValueSet(operatorNotNeeded),
			attributeSubscription.ValueSet(string(s.Subscription)),
			attributeTenant.ValueSet(string(s.Tenant)),
		),
	}, string(s.Type), ActivationInput{Tenant: s.Tenant, Activation: s.Activation, FollowUp: s.FollowUp, Policies: policies})
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", s.WorkflowID, outage(err))
	}
	return nil
}

// Wake says which run has something to look at.
type Wake struct {
	WorkflowID string
	IntakeID   string
}

// ErrNoRun refuses to wake a run that has ended: nobody is there to tell.
var ErrNoRun = fault.New(fault.NotFound, "NO_RUN", "The activation has no open run.")

// Wake wakes an activation's run. It refuses ErrNoRun.
func (c *Client) Wake(ctx context.Context, w Wake) error {
	err := c.temporal.SignalWorkflow(ctx, w.WorkflowID, "", intakeSignal, Intake{ID: w.IntakeID})
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return ErrNoRun
	}
	if err != nil {
		return fmt.Errorf("wake %s: %w", w.WorkflowID, outage(err))
	}
	return nil
}

// Resolve says which run gets an operator's decision.
type Resolve struct {
	WorkflowID string
	// RequestID makes a repeat the same decision.
	RequestID string
	Decision  ResolveAction
}

// ErrNotApplicable refuses a decision that a run does not wait for.
var ErrNotApplicable = fault.New(fault.Conflict, reasonNotApplicable,
	"The activation does not wait for this decision any more. Read it again: it has moved on meanwhile.")

// Resolve hands an operator's decision to a run and returns once the run has it: the run
// carries it out by itself. It refuses ErrNotApplicable, ErrNoRun when there is no run, and
// ErrEngineDown when the run does not answer before ctx ends.
func (c *Client) Resolve(ctx context.Context, r Resolve) error {
	handle, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: r.RequestID, WorkflowID: r.WorkflowID, UpdateName: resolveUpdate, Args: []any{r.Decision},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, nil)
	}
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return ErrNoRun
	}
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.Type() == reasonNotApplicable {
		return ErrNotApplicable
	}
	if _, ok := errors.AsType[*client.WorkflowUpdateServiceTimeoutOrCanceledError](err); ok {
		return ErrEngineDown.Because(err)
	}
	if err != nil {
		return fmt.Errorf("tell %s an operator's decision: %w", r.WorkflowID, outage(err))
	}
	return nil
}

// ErrEngineDown says that the engine cannot be reached, or not now.
var ErrEngineDown = fault.New(fault.Unavailable, "ENGINE_DOWN", "Temporal cannot be reached. What was accepted is kept and starts by itself.")

// outage marks the errors that mean no more than "not now".
func outage(err error) error {
	if _, ok := errors.AsType[*serviceerror.Unavailable](err); ok {
		return ErrEngineDown.Because(err)
	}
	if _, ok := errors.AsType[*serviceerror.DeadlineExceeded](err); ok || errors.Is(err, context.DeadlineExceeded) {
		return ErrEngineDown.Because(err)
	}
	if _, ok := errors.AsType[*serviceerror.ResourceExhausted](err); ok {
		return ErrEngineDown.Because(err)
	}
	return err
}

// Register registers every workflow with a worker, under the names that starts use.
func Register(registry interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
},
) {
	registry.RegisterWorkflowWithOptions(MobileActivation, workflow.RegisterOptions{Name: string(mobile.TypeNewLine)})
	registry.RegisterWorkflowWithOptions(MobilePortIn, workflow.RegisterOptions{Name: string(mobile.TypePortIn)})
	registry.RegisterWorkflowWithOptions(FollowUp, workflow.RegisterOptions{Name: string(mobile.TypeFollowUp)})
}
