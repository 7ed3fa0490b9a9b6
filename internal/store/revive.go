package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// Revival asks for somebody to look after an open activation's run.
type Revival struct {
	Tenant     mobile.TenantID
	Activation mobile.ActivationID
	// Revision is the one that it was decided on; 0 means any.
	Revision  int64
	RequestID string
	// ReplaceRun ends a run that is there, because it cannot go on.
	ReplaceRun bool
}

// ReviveActivation files with the relay that an activation's run is looked after: a lost one
// is started again, and one that is there is only woken, or replaced if that is asked. The runs
// of what is done beside it are looked after, too, also after its end. It refuses ErrActivationEnded and ErrStaleRevision.
func (s *Store) ReviveActivation(ctx context.Context, r Revival) error {
	a, err := s.lockActivation(ctx, r.Tenant, r.Activation)
	if err != nil {
		return err
	}
	followUps, err := s.reviveFollowUps(ctx, a)
	switch {
	case err != nil:
		return err
	case a.State.Final() && followUps == 0:
		return ErrActivationEnded.With("state", string(a.State))
	case r.Revision != 0 && r.Revision != a.Revision:
		return ErrStaleRevision.With("revision", strconv.FormatInt(a.Revision, 10))
	case a.State.Final():
		return nil
	case r.ReplaceRun:
		return s.fileReplace(ctx, a, r.RequestID)
	}
	return s.file(ctx, a, outboxIntake)
}

// reviveFollowUps files that the runs of all open follow-ups are looked after, and gives how
// many there are.
func (s *Store) reviveFollowUps(ctx context.Context, a mobile.Activation) (int, error) {
	rows, err := s.tx.Query(ctx, `SELECT follow_up_id FROM follow_ups WHERE activation_id = @id AND ended_at IS NULL`,
		pgx.StrictNamedArgs{"id": a.ID})
	if err != nil {
		return 0, fmt.Errorf("read the follow-ups of %s: %w", a.ID, err)
	}
	open, err := pgx.CollectRows(rows, pgx.RowTo[mobile.FollowUpID])
	if err != nil {
		return 0, fmt.Errorf("read the follow-ups of %s: %w", a.ID, err)
	}
	for _, id := range open {
		if err := s.fileFor(ctx, a.Tenant, a.ID, id, outboxIntake); err != nil {
			return 0, err
		}
	}
	return len(open), nil
}

// fileReplace files that a run is to be replaced, unless that is filed already: whoever asks
// once more before it was done means the same run.
func (s *Store) fileReplace(ctx context.Context, a mobile.Activation, request string) error {
	_, err := s.exec(ctx, `
		INSERT INTO outbox (tenant_id, activation_id, kind, intake_id, created_at, leased_until)
		SELECT @tenant, @activation, @kind, @request, @now, '-infinity'
		WHERE NOT EXISTS (SELECT FROM outbox WHERE activation_id = @activation AND follow_up_id IS NULL AND kind = @kind
		                  AND done_at IS NULL)`, pgx.StrictNamedArgs{
		"tenant": a.Tenant, "activation": a.ID, "kind": outboxReplace, "request": request, "now": s.now,
	})
	if err != nil {
		return fmt.Errorf("file %s of %s: %w", outboxReplace, a.ID, err)
	}
	return s.notify(ctx, RelayTopic)
}

// RunToReplace keeps which run a message ends, the first time it is called for that message,
// and gives the one of the first time ever after. So a message that is carried again never
// ends the run that it has started itself. An empty run says that none was there. InSystem
// only.
func (s *Store) RunToReplace(ctx context.Context, m Message, there string) (run string, err error) {
	err = s.tx.QueryRow(ctx, `
		UPDATE outbox
		SET run_id = coalesce(run_id, @there)
		WHERE outbox_id = @id
		RETURNING run_id`, pgx.StrictNamedArgs{"id": m.ID, "there": there}).Scan(&run)
	if err != nil {
		return "", fmt.Errorf("keep which run message %d ends: %w", m.ID, err)
	}
	return run, nil
}
