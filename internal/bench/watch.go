package main

import (
	"context"
	"fmt"
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

const (
	changes       = 300
	changesBefore = 30
)

// watched takes how long after a COMMIT is sent a watcher has the change, over the front and
// gRPC. The commit itself is in it, as in the floor.
func watched(ctx context.Context, s *stand) ([]row, error) {
	floor, err := notified(ctx, s.scratch)
	if err != nil {
		return nil, err
	}
	ours, err := s.watchChanges(ctx)
	if err != nil {
		return nil, err
	}
	return []row{{
		What: "COMMIT of a change → WatchWorkflow has it", Ours: ours.figures(),
		Bare: "COMMIT of a NOTIFY → LISTEN has it", Floor: floor.figures(),
	}}, nil
}

// watchChanges changes an activation again and again, as a worker's book-keeping does, and
// watches it.
func (s *stand) watchChanges(ctx context.Context) (sample, error) {
	subscriptions, err := s.sell(ctx, 1)
	if err != nil {
		return sample{}, err
	}
	launched, err := s.launch(ctx, subscriptions[0])
	if err != nil {
		return sample{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seen, err := s.watchAttempts(ctx, launched.GetActivationId())
	if err != nil {
		return sample{}, err
	}
	var took sample
	for n := range changesBefore + changes {
		from, err := s.attempt(ctx, mobile.ActivationID(launched.GetActivationId()))
		if err != nil {
			return sample{}, err
		}
		at, err := seen.await(ctx, n+1)
		if err != nil {
			return sample{}, err
		}
		if n >= changesBefore {
			took.took = append(took.took, at.Sub(from))
		}
	}
	return took, nil
}

// attempt records one more attempt at the first step, and gives the moment before its COMMIT.
func (s *stand) attempt(ctx context.Context, activation mobile.ActivationID) (time.Time, error) {
	var from time.Time
	tenant := mobile.TenantID(s.sandbox.Addresses().Tenant)
	err := s.record.InTenant(ctx, tenant, func(r *store.Store) error {
		err := r.RecordAttempt(ctx, store.Attempt{
			Tenant: tenant, Activation: activation, Step: mobile.StepCheckSubscription,
			State: mobile.StepRunning, Counts: true, At: time.Now(),
		})
		from = time.Now()
		return err
	})
	if err != nil {
		return from, fmt.Errorf("change %s: %w", activation, err)
	}
	return from, nil
}

// sighting is a message that showed so many attempts.
type sighting struct {
	attempts int
	at       time.Time
	err      error
}

type sightings <-chan sighting

// await gives when that many attempts were first seen.
func (s sightings) await(ctx context.Context, attempts int) (time.Time, error) {
	for {
		select {
		case seen := <-s:
			if seen.err != nil || seen.attempts >= attempts {
				return seen.at, seen.err
			}
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for a change: %w", ctx.Err())
		}
	}
}

// watchAttempts watches the first step of an activation.
func (s *stand) watchAttempts(ctx context.Context, activation string) (sightings, error) {
	stream, err := s.watch(ctx, activation)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", activation, err)
	}
	seen := make(chan sighting, changesBefore+changes+1)
	go func() {
		for {
			message, err := stream.Recv()
			if err != nil {
				seen <- sighting{err: fmt.Errorf("watch %s: %w", activation, err)}
				return
			}
			seen <- sighting{attempts: attemptsIn(message.GetWorkflow()), at: time.Now()}
		}
	}()
	return seen, nil
}

func attemptsIn(w *dialtonev1.Workflow) int {
	for _, step := range w.GetSteps() {
		if step.GetName() == string(mobile.StepCheckSubscription) {
			return int(step.GetAttempts())
		}
	}
	return 0
}
