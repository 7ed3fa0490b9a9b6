package workflows_test

import (
	"context"
	"errors"
	"testing"

	"go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/dialtone/dialtone/workflows"
)

// described is an engine that says one thing of every run.
type described struct {
	client.Client
	status enumspb.WorkflowExecutionStatus
	err    error

	terminated *[3]string
}

func (d described) DescribeWorkflowExecution(_ context.Context, workflowID, run string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if workflowID != "activation/t/s/a" || run != "" {
		return nil, errors.New("asked for another, or for one run alone")
	}
	if d.err != nil {
		return nil, d.err
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflow.WorkflowExecutionInfo{
		Execution: &common.WorkflowExecution{WorkflowId: workflowID, RunId: "run"}, Status: d.status,
	}}, nil
}

func (d described) TerminateWorkflow(_ context.Context, workflowID, run, reason string, _ ...any) error {
	*d.terminated = [3]string{workflowID, run, reason}
	return d.err
}

// Gone is only what has ended, or what the engine says it does not know. What it does not say
// is nobody's loss: not its silence, nor a namespace that is not there.
func TestAlive(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		engine      described
		want        string
		down, fails bool
	}{
		"running":    {engine: described{status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING}, want: "run"},
		"paused":     {engine: described{status: enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED}, want: "run"},
		"not known":  {engine: described{status: 99}, want: "run"},
		"completed":  {engine: described{status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED}},
		"failed":     {engine: described{status: enumspb.WORKFLOW_EXECUTION_STATUS_FAILED}},
		"cancelled":  {engine: described{status: enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED}},
		"terminated": {engine: described{status: enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED}},
		"timed out":  {engine: described{status: enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT}},
		"deleted":    {engine: described{err: serviceerror.NewNotFound("workflow not found")}},
		"down":       {engine: described{err: serviceerror.NewUnavailable("connection refused")}, down: true, fails: true},
		"busy": {
			engine: described{err: serviceerror.NewResourceExhausted(enumspb.RESOURCE_EXHAUSTED_CAUSE_RPS_LIMIT, "too many")},
			down:   true, fails: true,
		},
		"silent":       {engine: described{err: context.DeadlineExceeded}, down: true, fails: true},
		"no namespace": {engine: described{err: serviceerror.NewNamespaceNotFound("dialtone")}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := workflows.NewClient(test.engine, "queue")

			run, err := c.Alive(t.Context(), "activation/t/s/a")

			if run != test.want || (err != nil) != test.fails || errors.Is(err, workflows.ErrEngineDown) != test.down {
				t.Errorf("%q is there, %v", run, err)
			}
		})
	}
}

// It ends the very run that is named; one that is gone already is no error.
func TestTerminate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		down bool
	}{
		"there": {nil, false},
		"gone":  {serviceerror.NewNotFound("workflow execution already completed"), false},
		"down":  {serviceerror.NewUnavailable("connection refused"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got [3]string
			c := workflows.NewClient(described{err: test.err, terminated: &got}, "queue")

			err := c.Terminate(t.Context(), workflows.Terminate{WorkflowID: "activation/t/s/a", RunID: "run", Reason: "why"})

			if errors.Is(err, workflows.ErrEngineDown) != test.down || (err != nil) != test.down {
				t.Errorf("%v", err)
			}
			if want := [3]string{"activation/t/s/a", "run", "why"}; got != want {
				t.Errorf("terminated %v", got)
			}
		})
	}
}
