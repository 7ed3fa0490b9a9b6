package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/dialtone/dialtone/internal/relay"
	"github.com/dialtone/dialtone/internal/server"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/telemetry"
)

const (
	// webhookPatience is what partners' calls under way have to end in, adminPatience what
	// those of the admin listener have.
	webhookPatience = 5 * time.Second
	adminPatience   = 2 * time.Second
	// askTimeout bounds one question of readiness: a part of what /readyz has.
	askTimeout = 2 * time.Second
)

// front is all that this process serves.
type front struct {
	grpcListen string
	grpc       *server.Server
	relay      *relay.Relay
	watch      *store.Watch
	webhooks   *http.Server
	admin      *http.Server
	logger     *slog.Logger

	draining atomic.Bool
}

// serve runs everything until ctx ends or a part cannot go on. Then it ends in this order:
// readiness, the gRPC door, the relay, the HTTP door, and last what says how it goes.
func (f *front) serve(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", f.grpcListen)
	if err != nil {
		return fmt.Errorf("listen for gRPC: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	context.AfterFunc(ctx, func() { f.draining.Store(true) })

	// Relay and watch outlive the doors that need them.
	relaying, stopRelay := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRelay()
	watching, stopWatch := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatch()
	var relayed, watched sync.WaitGroup
	relayed.Go(func() { f.relay.Run(relaying) })
	watched.Go(func() { f.watch.Run(watching, f.reportWatch) })

	group.Go(func() error { return listen("the admin listener", f.admin) })
	group.Go(func() error { return listen("webhooks", f.webhooks) })
	group.Go(func() error {
		err := f.grpc.Serve(ctx, listener)
		stopRelay()
		relayed.Wait()
		err = errors.Join(err, shutDown(ctx, f.webhooks, webhookPatience))
		stopWatch()
		watched.Wait()
		return errors.Join(err, shutDown(ctx, f.admin, adminPatience))
	})
	return group.Wait()
}

func listen(what string, s *http.Server) error {
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", what, err)
	}
	return nil
}

// shutDown lets calls under way end, for a while, and then the rest.
func shutDown(ctx context.Context, s *http.Server, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		return s.Close()
	}
	return nil
}

// reportWatch tells that wake-ups were cut. Watchers read the record each second anyway.
func (f *front) reportWatch(err error) {
	f.logger.Warn("the listener for changes was cut, and connects again", "cause", err)
}

// readiness says what is missing. Temporal is not: what is accepted without it is kept and
// carried later, so that calls must go on arriving here.
func (f *front) readiness(db *store.DB, engine client.Client) func(context.Context) []telemetry.Check {
	return func(ctx context.Context) []telemetry.Check {
		process := telemetry.Check{Name: "process"}
		if f.draining.Load() {
			process.Missing = "it is going down"
		}
		database := telemetry.Check{Name: "database"}
		if err := db.Ready(ctx); err != nil {
			// A fault says itself how to mend it.
			database.Missing = err.Error()
		}
		temporal := telemetry.Check{Name: "temporal"}
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		if _, err := engine.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
			temporal.Name = "temporal (does not answer; what is accepted waits for it)"
		}
		return []telemetry.Check{process, database, temporal}
	}
}
