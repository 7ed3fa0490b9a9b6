package workflows

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
)

// Alive gives the id of the run that is there under a Temporal Workflow ID; empty when there
// is none: all of them have ended, or the engine does not know the id. It refuses
// ErrEngineDown.
func (c *Client) Alive(ctx context.Context, workflowID string) (run string, err error) {
	described, err := c.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for the run of %s: %w", workflowID, outage(err))
	}
	info := described.GetWorkflowExecutionInfo()
	if hasEnded(info.GetStatus()) {
		return "", nil
	}
	return info.GetExecution().GetRunId(), nil
}

// hasEnded tells whether a status is an end. What this code does not know counts as alive:
// a run too many would do harm, and one too few is missed again.
func hasEnded(status enumspb.WorkflowExecutionStatus) bool {
	switch status {
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, enumspb.WORKFLOW_EXECUTION_STATUS_FAILED,
		enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED,
		enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return true
	default:
		return false
	}
}

// Terminate says which run is to end at once, and why.
type Terminate struct {
	WorkflowID string
	// RunID is that very run, and no other of the same id.
	RunID string
	// Reason is shown in the Temporal UI, to all who may look there.
	Reason string
}

// Terminate ends a run that cannot go on. One that has ended, or was never there, is no error.
// It refuses ErrEngineDown.
func (c *Client) Terminate(ctx context.Context, t Terminate) error {
	err := c.temporal.TerminateWorkflow(ctx, t.WorkflowID, t.RunID, t.Reason)
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok || err == nil {
		return nil
	}
	return fmt.Errorf("terminate the run %s of %s: %w", t.RunID, t.WorkflowID, outage(err))
}
