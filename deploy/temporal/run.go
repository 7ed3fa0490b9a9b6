package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"go.temporal.io/server/common/log"
)

// startTimeout bounds a start that hangs, say on a Postgres that takes connections and
// never answers. A first start, schemas included, takes some seconds.
const startTimeout = time.Minute

// run serves until ctx ends, or standard input does where EXIT_WITH_PARENT asks for
// it, and then stops in order. An end that was asked for is no error.
func run(ctx context.Context, env func(string) string, out io.Writer) error {
	settings, err := readSettings(env)
	if err != nil {
		return err
	}
	if settings.ExitWithParent {
		ctx = untilClosed(ctx, os.Stdin)
	}
	logger, hush := newLogger(settings.LogLevel)

	running, err := startOrLeave(ctx, settings, logger)
	if ctx.Err() != nil && running == nil {
		return nil // Asked to end before there was anything to end.
	}
	if err != nil {
		return err
	}
	defer running.stop(logger)

	if _, err := fmt.Fprintln(out, running.ready()); err != nil {
		return fmt.Errorf("tell that we are ready: %w", err)
	}
	<-ctx.Done()
	hush()
	return nil
}

// startOrLeave returns when everything answers, when something failed, or when ctx
// ends. Neither the schema tasks nor the server's own start can be cancelled, so then
// they are left where they are: the process ends next.
func startOrLeave(ctx context.Context, s settings, logger log.Logger) (*parts, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("not ready after %s", startTimeout))
	defer cancel()

	type outcome struct {
		parts *parts
		err   error
	}
	started := make(chan outcome, 1)
	go func() {
		parts, err := startParts(ctx, s, logger)
		started <- outcome{parts, err}
	}()

	select {
	case outcome := <-started:
		return outcome.parts, outcome.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// untilClosed returns a ctx that ends with input too. A supervisor that holds the other
// end of the pipe takes us along whatever becomes of it, be it killed.
func untilClosed(ctx context.Context, input io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, input) // However it ends, nobody holds us any more.
	}()
	return ctx
}
