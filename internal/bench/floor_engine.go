package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// bareQueue is the task queue of the bare workflow.
const bareQueue = "bench"

// bareEngine is the floor of what the engine does: a workflow that decides nothing, with
// activities that do nothing, at the same server.
type bareEngine struct {
	client  client.Client
	worker  worker.Worker
	stopped sync.Once
}

// bare does so many activities one after the other.
func bare(ctx workflow.Context, activities int) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	for range activities {
		if err := workflow.ExecuteActivity(ctx, nothing).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func nothing(context.Context) error { return nil }

func startBareEngine(c client.Client) (*bareEngine, error) {
	e := &bareEngine{client: c, worker: worker.New(c, bareQueue, worker.Options{})}
	e.worker.RegisterWorkflow(bare)
	e.worker.RegisterActivity(nothing)
	if err := e.worker.Start(); err != nil {
		return nil, fmt.Errorf("start the bare worker: %w", err)
	}
	return e, nil
}

// stop may be called more than once.
func (e *bareEngine) stop() { e.stopped.Do(e.worker.Stop) }

// start begins one bare workflow.
func (e *bareEngine) start(ctx context.Context, activities int) (client.WorkflowRun, error) {
	run, err := e.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "bare/" + uuid.NewString(), TaskQueue: bareQueue}, bare, activities)
	if err != nil {
		return nil, fmt.Errorf("start a bare workflow: %w", err)
	}
	return run, nil
}

// bareWorkflows is how many, how many of them at once, and with how many activities each.
type bareWorkflows struct{ count, hands, activities int }

func (e *bareEngine) finishAll(ctx context.Context, b bareWorkflows) (sample, error) {
	return take(ctx, b.count, b.hands, func(ctx context.Context, _ int) error {
		run, err := e.start(ctx, b.activities)
		if err != nil {
			return err
		}
		return run.Get(ctx, nil)
	})
}

// history is what is read of a run that has ended.
type history struct {
	// begun is when a worker first had it in hand, by the engine's clock, which is ours.
	begun      time.Time
	activities int
}

var errNeverBegun = errors.New("no worker ever had it in hand")

func readHistory(ctx context.Context, c client.Client, workflowID string) (history, error) {
	var h history
	events := c.GetWorkflowHistory(ctx, workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return h, fmt.Errorf("read the history of %s: %w", workflowID, err)
		}
		switch event.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED:
			if h.begun.IsZero() {
				h.begun = event.GetEventTime().AsTime()
			}
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			h.activities++
		default:
		}
	}
	if h.begun.IsZero() {
		return h, fmt.Errorf("%s: %w", workflowID, errNeverBegun)
	}
	return h, nil
}
