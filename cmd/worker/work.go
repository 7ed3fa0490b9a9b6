package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/config"
	"github.com/dialtone/dialtone/workflows"
)

const (
	// stopTimeout is what acts under way have to end in. A call to a partner takes at most 10 s,
	// an act two of them, and the process some seconds more to go.
	stopTimeout = 25 * time.Second
	// startPause is the wait between two attempts to begin.
	startPause = 500 * time.Millisecond
)

// work is what Temporal gives this process to do.
type work struct {
	engine  client.Client
	options worker.Options
	queue   string
	acts    activities.Config
	logger  *slog.Logger

	begun atomic.Bool
}

// workerOptions makes a versioned worker where the deployment has a name and the build an id.
func workerOptions(settings config.Temporal, around interceptor.WorkerInterceptor) worker.Options {
	options := worker.Options{
		WorkerStopTimeout: stopTimeout,
		Interceptors:      []interceptor.WorkerInterceptor{around},
	}
	if settings.DeploymentName != "" && settings.BuildID != "" {
		options.DeploymentOptions = worker.DeploymentOptions{
			UseVersioning:             true,
			Version:                   worker.WorkerDeploymentVersion{DeploymentName: settings.DeploymentName, BuildID: settings.BuildID},
			DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
		}
	}
	return options
}

// run works until ctx ends, and then until the acts under way have ended. It waits for
// Temporal as long as it takes; an error means that a worker that had begun cannot go on.
func (w *work) run(ctx context.Context) error {
	fatal := make(chan error, 1)
	w.options.OnFatalError = func(err error) {
		select {
		case fatal <- err:
		default:
		}
	}
	running, err := w.begin(ctx)
	if err != nil {
		return nil //nolint:nilerr // Asked to end before there was anything to do.
	}
	w.begun.Store(true)
	w.logger.InfoContext(ctx, "working", "task_queue", w.queue)
	defer running.Stop()
	select {
	case <-ctx.Done():
		w.begun.Store(false)
		return nil
	case err := <-fatal:
		return fmt.Errorf("work for Temporal: %w", err)
	}
}

// begin tries until Temporal answers; its error is that of ctx. A worker that could not
// start can never be started, so each attempt makes its own.
func (w *work) begin(ctx context.Context) (worker.Worker, error) {
	told := false
	for {
		running, err := w.attempt(ctx)
		if err == nil {
			return running, nil
		}
		if !told && ctx.Err() == nil {
			told = true
			w.logger.WarnContext(ctx, "Temporal does not answer yet, and is tried until it does", "cause", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(startPause):
		}
	}
}

// attempt asks Temporal's health first: Start takes no ctx and may wait for long.
func (w *work) attempt(ctx context.Context) (worker.Worker, error) {
	if err := reachable(ctx, w.engine); err != nil {
		return nil, err
	}
	running := worker.New(w.engine, w.queue, w.options)
	workflows.Register(running)
	activities.Register(running, w.acts)
	if err := running.Start(); err != nil {
		return nil, err
	}
	return running, nil
}
