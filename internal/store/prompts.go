package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

const promptColumns = `prompt_id, activation_id, port_id, revision, kind, reason, fields, refused, action, opened_at, deadline,
	reminders, next_reminder_at, answered_at`

func scanPrompt(row pgx.CollectableRow) (p mobile.Prompt, err error) {
	var next, answered *time.Time
	err = row.Scan(&p.ID, &p.Activation, &p.Port, &p.Revision, &p.Kind, &p.Reason, &p.Fields, &p.Refused, &p.Action, &p.Opened,
		&p.Deadline, &p.Reminders, &next, &answered)
	p.NextReminder, p.Answered = value(next), value(answered)
	return p, err
}

// latestPrompt reads an activation's latest question, open or not; nil before the first.
func (s *Store) latestPrompt(ctx context.Context, id mobile.ActivationID) (*mobile.Prompt, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+promptColumns+`
		FROM prompts
		WHERE activation_id = @id
		ORDER BY revision DESC
		LIMIT 1`, pgx.StrictNamedArgs{"id": id})
	if err != nil {
		return nil, fmt.Errorf("read the prompt of %s: %w", id, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPrompt)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil //nolint:nilnil // Nothing was asked yet, which is no error.
	case err != nil:
		return nil, fmt.Errorf("read the prompt of %s: %w", id, err)
	}
	return &p, nil
}

// OpenPrompt asks the customer, once: a question that is to follow the revision after and is
// there already is that question. Another that was still open falls away. What is asked moves
// the activation, and the step that waits for the answer. It refuses ErrActivationEnded.
func (s *Store) OpenPrompt(ctx context.Context, p mobile.Prompt, after int64, wait Move, step mobile.StepName) (mobile.Prompt, error) {
	a, err := s.lockActivation(ctx, wait.Tenant, p.Activation)
	if err != nil {
		return p, err
	}
	if a.State.Final() {
		return p, ErrActivationEnded
	}
	last, err := s.latestPrompt(ctx, p.Activation)
	if err != nil {
		return p, err
	}
	if last != nil && last.Revision > after {
		return *last, nil
	}
	if err := s.closePrompts(ctx, p.Activation); err != nil {
		return p, err
	}
	p.ID, p.Revision = uuid.Must(uuid.NewV7()).String(), after+1
	if err := s.insertPrompt(ctx, a, p); err != nil {
		return p, err
	}
	if err := s.stirPorts(ctx, a.ID); err != nil {
		return p, err
	}
	if err := s.stepWaits(ctx, a, step, p); err != nil {
		return p, err
	}
	if a.State != wait.To && !mobile.CanMove(a.State, wait.To) {
		return p, ErrIllegalMove.With("from", string(a.State)).With("to", string(wait.To))
	}
	return p, s.move(ctx, a, wait)
}

func (s *Store) insertPrompt(ctx context.Context, a mobile.Activation, p mobile.Prompt) error {
	if _, err := s.exec(ctx, `
		INSERT INTO prompts (prompt_id, tenant_id, activation_id, port_id, revision, kind, reason, fields, refused, action,
		                     opened_at, deadline, next_reminder_at)
		VALUES (@id, @tenant, @activation, @port, @revision, @kind, @reason, @fields, @refused, @action, @opened, @deadline, @next)`,
		pgx.StrictNamedArgs{
			"id": p.ID, "tenant": a.Tenant, "activation": a.ID, "port": p.Port, "revision": p.Revision, "kind": p.Kind,
			"reason": p.Reason, "fields": texts(p.Fields), "refused": texts(p.Refused), "action": p.Action, "opened": p.Opened,
			"deadline": p.Deadline, "next": zeroNull(p.NextReminder),
		}); err != nil {
		return fmt.Errorf("open a prompt of %s: %w", a.ID, err)
	}
	port, err := s.Port(ctx, a.ID)
	if err != nil {
		return err
	}
	return s.emit(ctx, mobile.Event{
		Tenant: a.Tenant, Type: mobile.EventPromptOpened, Activation: a.ID, Subscription: a.Subscription,
		Data: mobile.EventData{
			AccountID: a.AccountID, PortState: port.State, PreviousPortState: port.State, Reason: p.Reason, PhoneNumber: port.Number,
			Donor: port.Donor, PromptKind: p.Kind, PromptRevision: p.Revision, Deadline: zeroNull(p.Deadline),
		},
	})
}

// stepWaits shows at a step that it waits for the customer.
func (s *Store) stepWaits(ctx context.Context, a mobile.Activation, step mobile.StepName, p mobile.Prompt) error {
	if _, err := s.exec(ctx, `
		UPDATE activation_steps
		SET state = 'WAITING', reason = @reason, next_try_at = NULL, started_at = coalesce(started_at, @at), ended_at = NULL,
		    attempt_at = @at, detail = ''
		WHERE activation_id = @id AND name = @step`,
		pgx.StrictNamedArgs{"id": a.ID, "step": step, "reason": p.Reason, "at": p.Opened}); err != nil {
		return fmt.Errorf("let step %s of %s wait: %w", step, a.ID, err)
	}
	return s.closeItems(ctx, a, itemsOf{step: step, kinds: []mobile.ItemKind{mobile.ItemStepStuck, mobile.ItemCarrierSilent}})
}

// closePrompts lets what an activation asks its customer fall away.
func (s *Store) closePrompts(ctx context.Context, id mobile.ActivationID) error {
	if _, err := s.exec(ctx, `
		UPDATE prompts SET answered_at = @now, next_reminder_at = NULL WHERE activation_id = @id AND answered_at IS NULL`,
		pgx.StrictNamedArgs{"id": id, "now": s.now}); err != nil {
		return fmt.Errorf("close the prompts of %s: %w", id, err)
	}
	return nil
}

// closePrompt lets what is asked about a port fall away.
func (s *Store) closePrompt(ctx context.Context, port mobile.PortID) error {
	if _, err := s.exec(ctx, `
		UPDATE prompts SET answered_at = @now, next_reminder_at = NULL WHERE port_id = @id AND answered_at IS NULL`,
		pgx.StrictNamedArgs{"id": port, "now": s.now}); err != nil {
		return fmt.Errorf("close the prompt of %s: %w", port, err)
	}
	return nil
}

// LapsePrompt ends a question whose time is over, and tells whether it had to: one that was
// answered in the meantime stands.
func (s *Store) LapsePrompt(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, revision int64) (lapsed bool, err error) {
	if _, err := s.lockActivation(ctx, tenant, id); err != nil {
		return false, err
	}
	last, err := s.latestPrompt(ctx, id)
	if err != nil || !last.Open() || last.Revision != revision {
		return false, err
	}
	if err := s.closePrompts(ctx, id); err != nil {
		return false, err
	}
	if err := s.stirPorts(ctx, id); err != nil {
		return false, err
	}
	return true, s.touch(ctx, id, touchRevision)
}

// Reminded counts a reminder of an open question and says when the next one is due. It gives
// false when there is nothing to remind of any more.
func (s *Store) Reminded(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, revision int64, nth int, next time.Time) (bool, error) {
	if _, err := s.lockActivation(ctx, tenant, id); err != nil {
		return false, err
	}
	n, err := s.exec(ctx, `
		UPDATE prompts
		SET reminders = @nth, next_reminder_at = @next
		WHERE activation_id = @id AND revision = @revision AND answered_at IS NULL AND reminders <= @nth`,
		pgx.StrictNamedArgs{"id": id, "revision": revision, "nth": nth, "next": zeroNull(next)})
	if err != nil {
		return false, fmt.Errorf("count a reminder of %s: %w", id, err)
	}
	if n == 0 {
		return false, nil
	}
	if err := s.stirPorts(ctx, id); err != nil {
		return false, err
	}
	return true, s.touch(ctx, id, touchTime)
}

// GoOn lets an activation that waited go on: it has what it waited for.
func (s *Store) GoOn(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, next string, at time.Time) error {
	a, err := s.lockActivation(ctx, tenant, id)
	if err != nil || a.State.Final() {
		return err
	}
	return s.move(ctx, a, Move{Tenant: tenant, Activation: id, To: mobile.StateRunning, Next: next, At: at})
}

// FinishStep says that a step is done which no act of ours does: the customer has.
func (s *Store) FinishStep(ctx context.Context, id mobile.ActivationID, step mobile.StepName, at time.Time) error {
	if _, err := s.exec(ctx, `
		UPDATE activation_steps
		SET state = 'DONE', reason = '', next_try_at = NULL, started_at = coalesce(started_at, @at), ended_at = @at
		WHERE activation_id = @id AND name = @step AND state <> 'DONE'`,
		pgx.StrictNamedArgs{"id": id, "step": step, "at": at}); err != nil {
		return fmt.Errorf("finish step %s of %s: %w", step, id, err)
	}
	return nil
}
