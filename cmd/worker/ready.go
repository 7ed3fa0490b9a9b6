package main

import (
	"context"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/telemetry"
)

// askTimeout bounds one question of readiness: a part of what /readyz has.
const askTimeout = 3 * time.Second

// readiness says what is missing.
func readiness(db *store.DB, engine client.Client, w *work) func(context.Context) []telemetry.Check {
	return func(ctx context.Context) []telemetry.Check {
		database := telemetry.Check{Name: "database"}
		if err := db.Ready(ctx); err != nil {
			// A fault says itself how to mend it.
			database.Missing = err.Error()
		}
		temporal := telemetry.Check{Name: "temporal"}
		if err := reachable(ctx, engine); err != nil {
			temporal.Missing, temporal.Remedy = err.Error(), "start Temporal, or set TEMPORAL_ADDRESS"
		}
		working := telemetry.Check{Name: "worker"}
		if !w.begun.Load() {
			working.Missing, working.Remedy = "it does not poll for work", "it begins by itself when Temporal and its namespace are there: run the migrate command"
		}
		return []telemetry.Check{database, temporal, working}
	}
}

// reachable asks Temporal once.
func reachable(ctx context.Context, engine client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	_, err := engine.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}
