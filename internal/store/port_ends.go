package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// How ports end, and what comes in their place.

// Withdrawing says that a port is being withdrawn at the carrier: whether it still moves is
// the carrier's to say. It gives the port as it is then.
func (s *Store) Withdrawing(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, port mobile.PortID) (mobile.Port, error) {
	a, before, err := s.lockPort(ctx, tenant, id, port)
	if err != nil || before.State.Closed() || before.State == mobile.PortCancelling || !before.Ordered {
		return before, err
	}
	after := before
	after.State = mobile.PortCancelling
	return after, s.savePort(ctx, a, before, after)
}

// ClosePort ends a port that has no order at the carrier: as CANCELLED or EXPIRED, and once.
// What the customer was asked for it falls away.
func (s *Store) ClosePort(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, port mobile.PortID, to mobile.PortState) error {
	a, before, err := s.lockPort(ctx, tenant, id, port)
	if err != nil || before.State.Closed() && before.State != mobile.PortCancelled || before.State == to {
		return err
	}
	after := before
	after.State, after.Ordered = to, false
	if err := s.closePrompt(ctx, port); err != nil {
		return err
	}
	return s.savePort(ctx, a, before, after)
}

// ReorderPort lets a port be ordered anew: its carrier takes no supplements, and has cancelled
// the order before.
func (s *Store) ReorderPort(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, port mobile.PortID) error {
	a, before, err := s.lockPort(ctx, tenant, id, port)
	if err != nil || before.State != mobile.PortCancelled {
		return err
	}
	after := before
	after.State, after.Ordered, after.Closed = mobile.PortAwaitingInfo, false, time.Time{}
	after.Reference, after.Reason, after.Code, after.Message = "", "", "", ""
	return s.savePort(ctx, a, before, after)
}

// endPorts closes what is still open of an activation's ports when it ends, and what it asks
// its customer falls away.
func (s *Store) endPorts(ctx context.Context, a mobile.Activation, end mobile.State) error {
	if a.Type != mobile.TypePortIn {
		return nil
	}
	if err := s.closePrompts(ctx, a.ID); err != nil {
		return err
	}
	to := mobile.PortCancelled
	if end == mobile.StateExpired {
		to = mobile.PortExpired
	}
	rows, err := s.tx.Query(ctx, `SELECT `+portColumns+` FROM ports WHERE activation_id = @id AND closed_at IS NULL ORDER BY created_at`,
		pgx.StrictNamedArgs{"id": a.ID})
	if err != nil {
		return fmt.Errorf("read the open ports of %s: %w", a.ID, err)
	}
	open, err := pgx.CollectRows(rows, s.scanPort)
	if err != nil {
		return fmt.Errorf("read the open ports of %s: %w", a.ID, err)
	}
	for _, before := range open {
		after := before
		after.State, after.Ordered = to, false
		if err := s.savePort(ctx, a, before, after); err != nil {
			return err
		}
	}
	return nil
}

// ReopenSteps lets steps be taken again that another number, or another phone, must go through.
func (s *Store) ReopenSteps(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, names []mobile.StepName) error {
	if _, err := s.lockActivation(ctx, tenant, id); err != nil {
		return err
	}
	if _, err := s.exec(ctx, `
		UPDATE activation_steps
		SET state = 'PENDING', reason = '', next_try_at = NULL, ended_at = NULL
		WHERE activation_id = @id AND name = ANY (@names) AND state <> 'PENDING'`,
		pgx.StrictNamedArgs{"id": id, "names": texts(names)}); err != nil {
		return fmt.Errorf("reopen the steps of %s: %w", id, err)
	}
	return s.touch(ctx, id, touchRevision)
}

// LineInstead says that a new line comes in the place of a port: the steps of the port are
// skipped, and the one that activates a line is planned.
func (s *Store) LineInstead(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, at time.Time) error {
	if _, err := s.lockActivation(ctx, tenant, id); err != nil {
		return err
	}
	if _, err := s.exec(ctx, `
		UPDATE activation_steps
		SET state = 'SKIPPED', next_try_at = NULL, ended_at = CASE WHEN started_at IS NOT NULL THEN @at::timestamptz END
		WHERE activation_id = @id AND name IN ('check_portability', 'collect_porting_info', 'submit_port', 'await_port')
		  AND state NOT IN ('DONE', 'SKIPPED', 'UNDONE')`, pgx.StrictNamedArgs{"id": id, "at": at}); err != nil {
		return fmt.Errorf("skip the port's steps of %s: %w", id, err)
	}
	if _, err := s.exec(ctx, `
		INSERT INTO activation_steps (tenant_id, activation_id, position, name, state)
		SELECT tenant_id, activation_id, position, 'activate_line', 'PENDING'
		FROM activation_steps
		WHERE activation_id = @id AND name = 'submit_port'
		ON CONFLICT DO NOTHING`, pgx.StrictNamedArgs{"id": id}); err != nil {
		return fmt.Errorf("plan a line for %s: %w", id, err)
	}
	return s.touch(ctx, id, touchRevision)
}
