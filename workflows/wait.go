package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// waitFor waits until cond holds, or for d at most, and tells whether cond holds. Unlike
// workflow.AwaitWithTimeout it cancels its timer when cond comes first: a timer left behind
// would show as pending for weeks and wake the run for nothing.
func waitFor(ctx workflow.Context, d time.Duration, summary string, cond func() bool) (bool, error) {
	if cond() {
		return true, nil
	}
	timerCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(timerCtx, d, workflow.TimerOptions{Summary: summary})
	if err := workflow.Await(ctx, func() bool { return cond() || timer.IsReady() }); err != nil {
		return false, err
	}
	return cond(), nil
}
