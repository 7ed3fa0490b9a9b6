package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// What the outbox carries into the engine.
const (
	// outboxStart starts an activation's run.
	outboxStart = "START"
	// outboxIntake wakes a run to look at what the outside said.
	outboxIntake = "INTAKE"
	// outboxReplace ends a run that is there and starts another.
	outboxReplace = "REPLACE"
)

// file writes an outbox entry about an activation's own run, in the transaction of the fact
// that it carries.
func (s *Store) file(ctx context.Context, a mobile.Activation, kind string) error {
	return s.fileFor(ctx, a.Tenant, a.ID, "", kind)
}

// fileFor is file about the run of a follow-up; empty: the activation's own.
func (s *Store) fileFor(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, followUp mobile.FollowUpID, kind string) error {
	_, err := s.exec(ctx, `
		INSERT INTO outbox (tenant_id, activation_id, follow_up_id, kind, intake_id, created_at, leased_until)
		VALUES (@tenant, @activation, @follow_up, @kind, @intake, @now, '-infinity')`, pgx.StrictNamedArgs{
		"tenant": tenant, "activation": id, "follow_up": emptyNull(string(followUp)), "kind": kind,
		"intake": uuid.Must(uuid.NewV7()), "now": s.now,
	})
	if err != nil {
		return fmt.Errorf("file %s of %s: %w", kind, id, err)
	}
	return s.notify(ctx, RelayTopic)
}

// Message is one thing that the engine must be told.
type Message struct {
	ID         int64
	Tenant     mobile.TenantID
	Activation mobile.ActivationID
	// FollowUp is whose run it is about; empty: the activation's own.
	FollowUp mobile.FollowUpID
	// Start tells whether it starts the run, Replace whether it ends the run first; else it
	// wakes it.
	Start, Replace bool
	// IntakeID is what it is about; of a Replace, the id of the request.
	IntakeID     string
	Attempts     int
	Type         mobile.Type
	WorkflowID   string
	Subscription mobile.SubscriptionID
	// Policies is what the launch's front asked of the run's patience; mostly empty.
	Policies string
	Created  time.Time
}

// ClaimMessages leases up to limit messages that are due, the oldest open one of each
// activation only, so that order within an activation holds. InSystem only. Leases are
// measured by the database's clock, which all fronts share.
func (s *Store) ClaimMessages(ctx context.Context, limit int, lease time.Duration) ([]Message, error) {
	rows, err := s.tx.Query(ctx, `
		WITH due AS (
		    SELECT outbox_id
		    FROM outbox o
		    WHERE done_at IS NULL AND leased_until <= now()
		      AND NOT EXISTS (SELECT FROM outbox older WHERE older.activation_id = o.activation_id
		                      AND older.done_at IS NULL AND older.outbox_id < o.outbox_id)
		    ORDER BY outbox_id
		    LIMIT @limit
		    FOR UPDATE SKIP LOCKED
		), leased AS (
		    UPDATE outbox o
		    SET leased_until = now() + @lease, attempts = attempts + 1
		    FROM due
		    WHERE o.outbox_id = due.outbox_id
		    RETURNING o.*
		)
		SELECT l.outbox_id, l.tenant_id, l.activation_id, coalesce(l.follow_up_id::text, ''), l.kind = 'START',
		       l.kind = 'REPLACE', l.intake_id, l.attempts, l.created_at,
		       CASE WHEN f.follow_up_id IS NULL THEN a.type ELSE 'FollowUp' END,
		       coalesce(f.workflow_id, a.workflow_id), a.subscription_id, coalesce(f.policies, a.policies)
		FROM leased l
		JOIN activations a ON a.activation_id = l.activation_id
		LEFT JOIN follow_ups f ON f.follow_up_id = l.follow_up_id
		ORDER BY l.outbox_id`, pgx.StrictNamedArgs{"limit": limit, "lease": lease})
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	messages, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Message, err error) {
		err = row.Scan(&m.ID, &m.Tenant, &m.Activation, &m.FollowUp, &m.Start, &m.Replace, &m.IntakeID, &m.Attempts, &m.Created,
			&m.Type, &m.WorkflowID, &m.Subscription, &m.Policies)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	return messages, nil
}

// MessageDelivered says that the engine has a message.
func (s *Store) MessageDelivered(ctx context.Context, id int64) error {
	_, err := s.exec(ctx, `UPDATE outbox SET done_at = @now, last_error = '' WHERE outbox_id = @id AND done_at IS NULL`,
		pgx.StrictNamedArgs{"id": id, "now": s.now})
	if err != nil {
		return fmt.Errorf("note the delivery of message %d: %w", id, err)
	}
	return nil
}

// MessageFailed gives a message back, to be tried again after a while. Why is a code of
// ours, never a text from outside. One whose lease has passed to another meanwhile is left
// to that one.
func (s *Store) MessageFailed(ctx context.Context, m Message, why string, wait time.Duration) error {
	_, err := s.exec(ctx, `
		UPDATE outbox
		SET leased_until = now() + @wait, last_error = @why
		WHERE outbox_id = @id AND attempts = @attempts AND done_at IS NULL`,
		pgx.StrictNamedArgs{"id": m.ID, "attempts": m.Attempts, "why": why, "wait": wait})
	if err != nil {
		return fmt.Errorf("give back message %d: %w", m.ID, err)
	}
	return nil
}

// Ended tells whether what a message is about has ended: the activation, or the follow-up
// when it names one. InSystem only.
func (s *Store) Ended(ctx context.Context, m Message) (ended bool, err error) {
	err = s.tx.QueryRow(ctx, `
		SELECT CASE WHEN @follow_up::uuid IS NULL THEN a.ended_at ELSE f.ended_at END IS NOT NULL
		FROM activations a
		LEFT JOIN follow_ups f ON f.follow_up_id = @follow_up
		WHERE a.activation_id = @id`,
		pgx.StrictNamedArgs{"id": m.Activation, "follow_up": emptyNull(string(m.FollowUp))}).Scan(&ended)
	if err != nil {
		return false, fmt.Errorf("ask whether %s has ended: %w", m.Activation, err)
	}
	return ended, nil
}

// Backlog tells how many messages the engine does not have yet, and how old the oldest is.
func (s *Store) Backlog(ctx context.Context) (waiting int64, oldest time.Duration, err error) {
	var since *time.Time
	err = s.tx.QueryRow(ctx, `SELECT count(*), min(created_at) FROM outbox WHERE done_at IS NULL`).Scan(&waiting, &since)
	if err != nil {
		return 0, 0, fmt.Errorf("count the backlog: %w", err)
	}
	if since != nil {
		oldest = s.now.Sub(*since)
	}
	return waiting, oldest, nil
}
