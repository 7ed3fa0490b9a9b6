package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// load is so many launches by so many callers at once.
type load struct{ count, callers int }

// launches takes accepted launches alone: the engine is switched off, and each launch is as
// durable as ever.
func launches(ctx context.Context, s *stand) ([]row, error) {
	if err := s.fill(ctx, load{count: 1500, callers: 8}); err != nil {
		return nil, err
	}
	var rows []row
	for _, l := range []load{{300, 1}, {800, 8}, {1200, 32}} {
		r, err := s.launchBoth(ctx, l)
		if err != nil {
			return nil, err
		}
		r.What = fmt.Sprintf("accepted launches, %d at once", l.callers)
		rows = append(rows, r)
	}
	return rows, nil
}

// fill gives the record a past, and Postgres its statistics of it, as autovacuum does within
// a minute or two. The plans of a record that was empty a moment ago read whole tables, and
// would be measured instead.
func (s *stand) fill(ctx context.Context, l load) error {
	subscriptions, err := s.sell(ctx, l.count)
	if err != nil {
		return err
	}
	if _, err := l.take(ctx, dialtonev1.NewWorkflowServiceClient(s.billing), subscriptions); err != nil {
		return fmt.Errorf("launch: %w", err)
	}
	record, err := url.Parse(s.sandbox.Addresses().DatabaseURL)
	if err != nil {
		return fmt.Errorf("read the record's address: %w", err)
	}
	return execute(ctx, s.postgres.URL(strings.TrimPrefix(record.Path, "/")), `ANALYZE`)
}

// launchesWithEngine takes launches while the engine works on them, on the same cores.
func launchesWithEngine(ctx context.Context, s *stand) ([]row, error) {
	r, err := s.launchBoth(ctx, load{count: 200, callers: 8})
	r.What = "accepted launches, 8 at once, engine at work"
	return []row{r}, err
}

// launchBoth takes the floor first and then ours.
func (s *stand) launchBoth(ctx context.Context, l load) (row, error) {
	subscriptions, err := s.sell(ctx, l.count)
	if err != nil {
		return row{}, err
	}
	floor, err := l.take(ctx, s.floor.client, subscriptions)
	if err != nil {
		return row{}, fmt.Errorf("call the floor: %w", err)
	}
	ours, err := l.take(ctx, dialtonev1.NewWorkflowServiceClient(s.billing), subscriptions)
	if err != nil {
		return row{}, fmt.Errorf("launch: %w", err)
	}
	return row{Ours: ours.figures(), Bare: "gRPC and one INSERT", Floor: floor.figures()}, nil
}

func (l load) take(ctx context.Context, client dialtonev1.WorkflowServiceClient, subscriptions []string) (sample, error) {
	return take(ctx, l.count, l.callers, func(ctx context.Context, n int) error {
		_, err := client.LaunchWorkflow(ctx, launchOf(subscriptions[n]))
		return err
	})
}
