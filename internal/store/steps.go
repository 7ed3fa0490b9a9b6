package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// Attempt is what one attempt at a step's work came to, or that it has begun.
type Attempt struct {
	Tenant     mobile.TenantID
	Activation mobile.ActivationID
	Step       mobile.StepName
	State      mobile.StepState
	// Counts tells that a new attempt begins.
	Counts bool
	// Through tells that the partner was got through to, although the step goes on: what an
	// operator was asked because of it is settled.
	Through bool
	// Undo tells that the attempt gives back what the step took.
	Undo   bool
	Reason string
	Detail string
	// NextTry is when a failed one is tried again.
	NextTry time.Time
	// Deadline is when an operator is asked.
	Deadline time.Time
	At       time.Time
}

// RecordAttempt keeps what an attempt came to, and moves the activation with it: RUNNING
// while a step works, WAITING_FOR_CARRIER while a step waits, RUNNING again once it is done.
// It never takes an activation out of WAITING_FOR_OPERATOR but by a step's success, and
// never out of UNDOING. A step that is done or given back is not moved again by a late
// repeat, nor any step by an attempt that began before the one that wrote last.
func (s *Store) RecordAttempt(ctx context.Context, t Attempt) error {
	a, err := s.lockActivation(ctx, t.Tenant, t.Activation)
	if err != nil {
		return err
	}
	if a.State.Final() {
		return nil
	}
	var before mobile.StepState
	var latest *time.Time
	err = s.tx.QueryRow(ctx, `SELECT state, attempt_at FROM activation_steps WHERE activation_id = @id AND name = @step`,
		pgx.StrictNamedArgs{"id": t.Activation, "step": t.Step}).Scan(&before, &latest)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil // it is not among the planned ones: what it might have taken is given back all the same
	case err != nil:
		return fmt.Errorf("read step %s of %s: %w", t.Step, t.Activation, err)
	}
	if t.State == mobile.StepDone || t.State == mobile.StepUndone || t.Through {
		if err := s.closeItems(ctx, a, itemsOf{step: t.Step, kinds: []mobile.ItemKind{
			mobile.ItemStepStuck, mobile.ItemOutcomeUnknown, mobile.ItemStepRefused, mobile.ItemCarrierSilent,
		}}); err != nil {
			return err
		}
	}
	if t.ignores(before) || t.At.Before(value(latest)) {
		return nil
	}
	var counted int
	if t.Counts {
		counted = 1
	}
	if _, err := s.exec(ctx, `
		UPDATE activation_steps
		SET state = @state, attempts = attempts + @counted, reason = @reason, next_try_at = @next,
		    detail = CASE WHEN @detail = '' THEN detail ELSE @detail END,
		    started_at = coalesce(started_at, @at), ended_at = CASE WHEN @ended THEN @at END, attempt_at = @at
		WHERE activation_id = @id AND name = @step`, pgx.StrictNamedArgs{
		"id": t.Activation, "step": t.Step, "state": t.State, "counted": counted, "reason": t.Reason,
		"detail": t.Detail, "next": zeroNull(t.NextTry), "at": t.At,
		"ended": settled(t.State) || t.State == mobile.StepRefused,
	}); err != nil {
		return fmt.Errorf("record an attempt at %s of %s: %w", t.Step, t.Activation, err)
	}
	decides := before != t.State && (!trying(before) || !trying(t.State))
	if err := s.touch(ctx, t.Activation, touched(decides)); err != nil {
		return err
	}
	return s.follow(ctx, a, t)
}

// trying tells whether attempts are being made. One attempt after another decides nothing,
// or else no operator could decide on a step that is tried again and again.
func trying(state mobile.StepState) bool {
	return state == mobile.StepRunning || state == mobile.StepRetrying
}

// ignores tells whether a step in this state is left as it is: what is settled is not moved
// by a late repeat, and giving back leaves no trace on a step that never began or was
// refused.
func (t Attempt) ignores(before mobile.StepState) bool {
	if t.Undo {
		return before == mobile.StepPending || before == mobile.StepRefused || before == mobile.StepUndone || before == mobile.StepSkipped
	}
	return settled(before)
}

func settled(state mobile.StepState) bool {
	return state == mobile.StepDone || state == mobile.StepUndone || state == mobile.StepSkipped
}

// follow moves the activation as its step moved.
func (s *Store) follow(ctx context.Context, a mobile.Activation, t Attempt) error {
	to, next, deadline := a.State, a.Next, t.Deadline
	switch t.State {
	case mobile.StepRunning:
		if t.Through {
			deadline = time.Time{}
		}
		if a.State == mobile.StateAccepted || t.Through && a.State == mobile.StateWaitingForOperator {
			to = mobile.StateRunning
		}
		next = t.Step.Title()
	case mobile.StepWaiting:
		if a.State == mobile.StateRunning && t.Reason == "" {
			to, next = mobile.StateWaitingForCarrier, t.Detail
		}
	case mobile.StepDone:
		if a.State == mobile.StateWaitingForCarrier || a.State == mobile.StateWaitingForOperator || a.State == mobile.StateAccepted {
			to = mobile.StateRunning
		}
		// What it was to get through by is over; the next step says its own.
		deadline = time.Time{}
	case mobile.StepPending, mobile.StepRetrying, mobile.StepRefused, mobile.StepSkipped, mobile.StepUndone:
	}
	if a.State == mobile.StateWaitingForOperator && to == a.State || a.State == mobile.StateUndoing || to == a.State && next == a.Next {
		return nil
	}
	return s.move(ctx, a, Move{To: to, Next: next, Deadline: deadline, At: t.At})
}

// steps reads the steps of activations, in order.
func (s *Store) steps(ctx context.Context, ids []string) (map[mobile.ActivationID][]mobile.Step, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT activation_id, name, state, attempts, started_at, ended_at, reason, detail, next_try_at
		FROM activation_steps
		WHERE activation_id = ANY (@ids::uuid[])
		ORDER BY activation_id, position, name`, pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	defer rows.Close()
	all := make(map[mobile.ActivationID][]mobile.Step, len(ids))
	for rows.Next() {
		var id mobile.ActivationID
		var step mobile.Step
		var started, ended, next *time.Time
		if err := rows.Scan(&id, &step.Name, &step.State, &step.Attempts, &started, &ended, &step.Reason, &step.Detail, &next); err != nil {
			return nil, fmt.Errorf("read steps: %w", err)
		}
		step.Started, step.Ended, step.NextTry = value(started), value(ended), value(next)
		all[id] = append(all[id], step)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	return all, nil
}

// attach completes activations with their steps, profile, notices and open items.
func (s *Store) attach(ctx context.Context, all []mobile.Activation) error {
	if len(all) == 0 {
		return nil
	}
	ids := make([]string, 0, len(all))
	for _, a := range all {
		ids = append(ids, string(a.ID))
	}
	steps, err := s.steps(ctx, ids)
	if err != nil {
		return err
	}
	profiles, err := s.profiles(ctx, ids)
	if err != nil {
		return err
	}
	notices, err := s.notices(ctx, ids)
	if err != nil {
		return err
	}
	items, err := s.items(ctx, ids)
	if err != nil {
		return err
	}
	followUps, err := s.openFollowUps(ctx, ids)
	if err != nil {
		return err
	}
	if err := s.attachPorts(ctx, all); err != nil {
		return err
	}
	for i, a := range all {
		all[i].FollowUps = followUps[a.ID]
		all[i].Steps, all[i].Notices, all[i].Items = steps[a.ID], notices[a.ID], items[a.ID]
		if p, ok := profiles[a.ID]; ok {
			all[i].Profile = &p
		}
	}
	return nil
}
