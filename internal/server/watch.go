package server

import (
	"context"
	"time"
)

// pollInterval is how often a watcher reads without having been woken: a wake-up may be
// lost with the connection that carried it.
const pollInterval = time.Second

// watcher waits between two readings of the record.
type watcher struct {
	rpcs   *rpcs
	wakes  <-chan struct{}
	ticker *time.Ticker
}

// pause waits for the next reading. It gives an error when the watch is to end: the call is
// over, the process goes down, or the token is no longer good.
func (w watcher) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.rpcs.draining:
		return errDraining
	default:
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.rpcs.draining:
		return errDraining
	case <-w.wakes:
	case <-w.ticker.C:
	}
	return w.rpcs.gate.Recheck(ctx)
}
