package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// Looks says which of the open are to be looked at.
type Looks struct {
	// Limit bounds how many activations are claimed, and how many follow-ups.
	Limit int
	// Age is how old the last look must be.
	Age time.Duration
	// Lease is how long a claim holds: a look that Looked does not confirm by then is due
	// again, so that one which failed, or which a relay died over, is soon repeated.
	Lease time.Duration
}

// ClaimLooks claims open activations and follow-ups that nobody has looked at for a while,
// those that have waited longest first. It gives of each the message that would start its run
// again, which is none of the outbox and has no ID. What was never looked at counts from when
// it was made; what the outbox is about to start is left to it. InSystem only. Like leases,
// looks are measured by the database's clock.
func (s *Store) ClaimLooks(ctx context.Context, c Looks) ([]Message, error) {
	activations, err := s.claimActivations(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("claim looks at activations: %w", err)
	}
	followUps, err := s.claimFollowUps(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("claim looks at follow-ups: %w", err)
	}
	return append(activations, followUps...), nil
}

func (s *Store) claimActivations(ctx context.Context, c Looks) ([]Message, error) {
	rows, err := s.tx.Query(ctx, `
		WITH due AS (
		    SELECT activation_id, coalesce(looked_at, created_at) AS seen
		    FROM activations a
		    WHERE ended_at IS NULL
		      AND (looked_at <= now() - @age::interval OR looked_at IS NULL AND created_at <= now() - @age::interval)
		      AND NOT EXISTS (SELECT FROM outbox o WHERE o.activation_id = a.activation_id AND o.follow_up_id IS NULL
		                      AND o.done_at IS NULL AND o.kind IN ('START', 'REPLACE'))
		    ORDER BY seen
		    LIMIT @limit
		    FOR NO KEY UPDATE SKIP LOCKED
		), claimed AS (
		    UPDATE activations a
		    SET looked_at = now() - @age::interval + @lease::interval
		    FROM due
		    WHERE a.activation_id = due.activation_id
		    RETURNING a.*, due.seen
		)
		SELECT tenant_id, activation_id, '', type, workflow_id, subscription_id, policies, created_at
		FROM claimed
		ORDER BY seen`, c.args())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLook)
}

func (s *Store) claimFollowUps(ctx context.Context, c Looks) ([]Message, error) {
	args := c.args()
	args["type"] = mobile.TypeFollowUp
	rows, err := s.tx.Query(ctx, `
		WITH due AS (
		    SELECT follow_up_id, coalesce(looked_at, created_at) AS seen
		    FROM follow_ups f
		    WHERE ended_at IS NULL
		      AND (looked_at <= now() - @age::interval OR looked_at IS NULL AND created_at <= now() - @age::interval)
		      AND NOT EXISTS (SELECT FROM outbox o WHERE o.activation_id = f.activation_id AND o.follow_up_id = f.follow_up_id
		                      AND o.done_at IS NULL AND o.kind IN ('START', 'REPLACE'))
		    ORDER BY seen
		    LIMIT @limit
		    FOR NO KEY UPDATE SKIP LOCKED
		), claimed AS (
		    UPDATE follow_ups f
		    SET looked_at = now() - @age::interval + @lease::interval
		    FROM due
		    WHERE f.follow_up_id = due.follow_up_id
		    RETURNING f.*, due.seen
		)
		SELECT c.tenant_id, c.activation_id, c.follow_up_id::text, @type::text, c.workflow_id, a.subscription_id, c.policies, c.created_at
		FROM claimed c
		JOIN activations a ON a.activation_id = c.activation_id
		ORDER BY c.seen`, args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLook)
}

func (c Looks) args() pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{"limit": c.Limit, "age": c.Age, "lease": c.Lease}
}

func scanLook(row pgx.CollectableRow) (Message, error) {
	m := Message{Start: true}
	err := row.Scan(&m.Tenant, &m.Activation, &m.FollowUp, &m.Type, &m.WorkflowID, &m.Subscription, &m.Policies, &m.Created)
	return m, err
}

// Looked says that the run of what ClaimLooks gave is there now.
func (s *Store) Looked(ctx context.Context, m Message) error {
	_, err := s.exec(ctx, `
		WITH activation AS (
		    UPDATE activations
		    SET looked_at = now()
		    WHERE activation_id = @activation AND @follow_up::uuid IS NULL
		)
		UPDATE follow_ups
		SET looked_at = now()
		WHERE follow_up_id = @follow_up`,
		pgx.StrictNamedArgs{"activation": m.Activation, "follow_up": emptyNull(string(m.FollowUp))})
	if err != nil {
		return fmt.Errorf("note a look at %s: %w", m.Activation, err)
	}
	return nil
}

// OldestLook tells how long the open one that has waited longest has not been looked at.
// InSystem only.
func (s *Store) OldestLook(ctx context.Context) (oldest time.Duration, err error) {
	err = s.tx.QueryRow(ctx, `
		SELECT coalesce(now() - min(seen), interval '0')
		FROM (SELECT min(looked_at) AS seen FROM activations WHERE ended_at IS NULL
		      UNION ALL
		      SELECT min(created_at) FROM activations WHERE ended_at IS NULL AND looked_at IS NULL
		      UNION ALL
		      SELECT min(looked_at) FROM follow_ups WHERE ended_at IS NULL
		      UNION ALL
		      SELECT min(created_at) FROM follow_ups WHERE ended_at IS NULL AND looked_at IS NULL) looks`).Scan(&oldest)
	if err != nil {
		return 0, fmt.Errorf("find the oldest look: %w", err)
	}
	return oldest, nil
}
