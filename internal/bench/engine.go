package main

import (
	"context"
	"fmt"
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// begun takes how long after a launch's answer a worker has its run in hand, one launch at a
// time on an idle engine.
func begun(ctx context.Context, s *stand) ([]row, error) {
	const count = 60
	subscriptions, err := s.sell(ctx, count)
	if err != nil {
		return nil, err
	}
	var ours, floor sample
	for _, subscription := range subscriptions {
		from := time.Now()
		run, err := s.bare.start(ctx, 0)
		if err != nil {
			return nil, err
		}
		if err := run.Get(ctx, nil); err != nil {
			return nil, fmt.Errorf("finish a bare workflow: %w", err)
		}
		if err := s.addBeginning(ctx, &floor, beginning{run.GetID(), from}); err != nil {
			return nil, err
		}
		launched, err := s.launch(ctx, subscription)
		if err != nil {
			return nil, err
		}
		from = time.Now()
		if err := s.finish(ctx, launched); err != nil {
			return nil, err
		}
		if err := s.addBeginning(ctx, &ours, beginning{launched.GetWorkflowId(), from}); err != nil {
			return nil, err
		}
	}
	return []row{{
		What: "launch answered → run begun", Ours: ours.figures(),
		Bare: "ExecuteWorkflow called → run begun", Floor: floor.figures(),
	}}, nil
}

// beginning is since when a run was to begin.
type beginning struct {
	workflowID string
	from       time.Time
}

func (s *stand) addBeginning(ctx context.Context, to *sample, b beginning) error {
	h, err := readHistory(ctx, s.engine, b.workflowID)
	if err != nil {
		return err
	}
	to.took = append(to.took, h.begun.Sub(b.from))
	return nil
}

// finished takes whole activations, from the launch to SUCCEEDED at a watcher.
func finished(ctx context.Context, s *stand) ([]row, error) {
	const hands, each = 20, 6
	activities, err := s.countActivities(ctx)
	if err != nil {
		return nil, err
	}
	floor, err := s.bare.finishAll(ctx, bareWorkflows{count: hands * each, hands: hands, activities: activities})
	if err != nil {
		return nil, err
	}
	subscriptions, err := s.sell(ctx, hands*each)
	if err != nil {
		return nil, err
	}
	ours, err := s.finishAll(ctx, subscriptions, hands)
	if err != nil {
		return nil, err
	}
	return []row{{
		What: fmt.Sprintf("activations launched → succeeded, %d at once", hands), Ours: ours.figures(),
		Bare: fmt.Sprintf("a workflow of %d empty activities", activities), Floor: floor.figures(),
	}}, nil
}

func (s *stand) finishAll(ctx context.Context, subscriptions []string, hands int) (sample, error) {
	return take(ctx, len(subscriptions), hands, func(ctx context.Context, n int) error {
		launched, err := s.launch(ctx, subscriptions[n])
		if err != nil {
			return err
		}
		return s.finish(ctx, launched)
	})
}

// countActivities counts those of one activation that went well.
func (s *stand) countActivities(ctx context.Context) (int, error) {
	subscriptions, err := s.sell(ctx, 1)
	if err != nil {
		return 0, err
	}
	var launched *dialtonev1.Workflow
	if launched, err = s.launch(ctx, subscriptions[0]); err != nil {
		return 0, err
	}
	if err := s.finish(ctx, launched); err != nil {
		return 0, err
	}
	h, err := readHistory(ctx, s.engine, launched.GetWorkflowId())
	return h.activities, err
}
