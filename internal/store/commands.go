package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// ErrCommandNotFound refuses a command that was never filed.
var ErrCommandNotFound = fault.New(fault.NotFound, "COMMAND_NOT_FOUND", "There is no such command.")

// Command is what an operator ordered of a run: the audit's row, and what was chosen and said.
type Command struct {
	// ID is that of the audit's row.
	ID         string
	Tenant     mobile.TenantID
	Activation mobile.ActivationID
	ItemID     string
	Choice     mobile.Resolution
	// Said is the partner's reference; sealed.
	Said string
	By   mobile.Doer
	// Taken is when it was carried out; zero before.
	Taken time.Time
	// Outcome is empty until it was taken.
	Outcome CommandOutcome
}

// CommandOutcome is what came of a command that was taken.
type CommandOutcome string

// The outcomes.
const (
	// OutcomeDone: it was carried out.
	OutcomeDone CommandOutcome = "DONE"
	// OutcomeOvertaken: what it was to settle had settled itself.
	OutcomeOvertaken CommandOutcome = "OVERTAKEN"
	// OutcomeRefused: what was said cannot be so, as an ICCID that another activation holds.
	OutcomeRefused CommandOutcome = "REFUSED"
)

const commandLabel = "command.said"

// FileCommand keeps a command, in the transaction that audits it.
func (s *Store) FileCommand(ctx context.Context, c Command) error {
	said, err := s.sealOptional(c.Said, commandLabel, c.Tenant, c.ID)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `
		INSERT INTO commands (command_id, tenant_id, activation_id, kind, item_id, choice, said_sealed, principal, actor,
		                      request_id, created_at)
		VALUES (@id, @tenant, @activation, 'RESOLVE', @item, @choice, @said, @principal, @actor, @request, @now)`,
		pgx.StrictNamedArgs{
			"id": c.ID, "tenant": c.Tenant, "activation": c.Activation, "item": c.ItemID, "choice": c.Choice, "said": said,
			"principal": c.By.Principal, "actor": c.By.Actor, "request": c.By.RequestID, "now": s.now,
		})
	if err != nil {
		return fmt.Errorf("file a command of %s: %w", c.Activation, err)
	}
	return nil
}

// Command reads a command and holds it until the transaction ends. It refuses
// ErrCommandNotFound.
func (s *Store) Command(ctx context.Context, tenant mobile.TenantID, id string) (Command, error) {
	return s.command(ctx, tenant, `command_id = @key FOR UPDATE`, id)
}

// CommandOf reads the command of a request. It refuses ErrCommandNotFound.
func (s *Store) CommandOf(ctx context.Context, tenant mobile.TenantID, requestID string) (Command, error) {
	return s.command(ctx, tenant, `request_id = @key`, requestID)
}

func (s *Store) command(ctx context.Context, tenant mobile.TenantID, which, key string) (Command, error) {
	c := Command{Tenant: tenant}
	var said []byte
	var taken *time.Time
	err := s.tx.QueryRow(ctx, `
		SELECT command_id, activation_id, item_id, choice, said_sealed, principal, actor, request_id, taken_at, outcome
		FROM commands
		WHERE tenant_id = @tenant AND `+which, pgx.StrictNamedArgs{"tenant": tenant, "key": key}).
		Scan(&c.ID, &c.Activation, &c.ItemID, &c.Choice, &said, &c.By.Principal, &c.By.Actor, &c.By.RequestID, &taken, &c.Outcome)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return c, ErrCommandNotFound
	case err != nil:
		return c, fmt.Errorf("read command %s: %w", key, err)
	}
	c.Taken = value(taken)
	c.Said, err = s.unseal(said, commandLabel, tenant, c.ID)
	return c, err
}

// CommandTaken says what came of a command.
func (s *Store) CommandTaken(ctx context.Context, c Command, outcome CommandOutcome) error {
	_, err := s.exec(ctx, `UPDATE commands SET taken_at = @now, outcome = @outcome WHERE command_id = @id AND taken_at IS NULL`,
		pgx.StrictNamedArgs{"id": c.ID, "outcome": outcome, "now": s.now})
	if err != nil {
		return fmt.Errorf("note command %s as taken: %w", c.ID, err)
	}
	return s.touch(ctx, c.Activation, touchTime)
}

// Resolve closes an item as a person settled it, and lets the activation go on in a state if
// it waited for that person. It gives false when the item was closed before.
func (s *Store) Resolve(ctx context.Context, item mobile.Item, c Command, to Move) (bool, error) {
	a, err := s.lockActivation(ctx, c.Tenant, c.Activation)
	if err != nil {
		return false, err
	}
	now, err := s.Item(ctx, c.Activation, item.ID)
	if err != nil || !now.Closed.IsZero() {
		return false, err
	}
	err = s.closeItems(ctx, a, itemsOf{followUp: item.FollowUp, id: item.ID, resolution: c.Choice, actor: c.By.Actor})
	if err != nil {
		return false, err
	}
	if item.FollowUp == "" && a.State == mobile.StateWaitingForOperator && to.To != "" {
		return true, s.move(ctx, a, to)
	}
	return true, s.touch(ctx, c.Activation, touchRevision)
}

// ClaimRun lets another run hold what a lost one held: the activation, or a follow-up of it.
func (s *Store) ClaimRun(ctx context.Context, id mobile.ActivationID, followUp mobile.FollowUpID, run string) error {
	if followUp != "" {
		return s.claimFollowUp(ctx, followUp, run)
	}
	if _, err := s.exec(ctx, `UPDATE activations SET run_id = @run WHERE activation_id = @id`,
		pgx.StrictNamedArgs{"id": id, "run": run}); err != nil {
		return fmt.Errorf("claim activation %s: %w", id, err)
	}
	return s.touch(ctx, id, touchTime)
}
