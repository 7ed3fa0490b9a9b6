package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// ErrEffectSettled means that our own code would do an act again whose outcome is known.
var ErrEffectSettled = fault.New(fault.Internal, "EFFECT_SETTLED", "The outcome of this act is known; it is not done again.")

const effectColumns = `effect_id, tenant_id, activation_id, act, generation, partner, settle, verdict, fence,
	reference, reason, code, sent_at, settled_at, doubted_at`

func scanEffect(row pgx.CollectableRow) (e mobile.Effect, err error) {
	var sent, settled, doubted *time.Time
	err = row.Scan(&e.ID, &e.Tenant, &e.Activation, &e.Act, &e.Generation, &e.Partner, &e.Settle, &e.Verdict, &e.Fence,
		&e.Reference, &e.Reason, &e.Code, &sent, &settled, &doubted)
	e.Sent, e.Settled, e.Doubted = value(sent), value(settled), value(doubted)
	return e, err
}

// LockEffect gives the row of an act outside, made when it is not there yet, and holds it
// until the transaction ends.
func (s *Store) LockEffect(ctx context.Context, e mobile.Effect) (mobile.Effect, error) {
	if _, err := s.exec(ctx, `
		INSERT INTO effects (effect_id, tenant_id, activation_id, act, generation, partner, settle, created_at)
		VALUES (@id, @tenant, @activation, @act, @generation, @partner, @settle, @now)
		ON CONFLICT ON CONSTRAINT effects_key DO NOTHING`, pgx.StrictNamedArgs{
		"id": uuid.Must(uuid.NewV7()), "tenant": e.Tenant, "activation": e.Activation, "act": e.Act,
		"generation": e.Generation, "partner": e.Partner, "settle": e.Settle, "now": s.now,
	}); err != nil {
		return e, fmt.Errorf("insert effect %s of %s: %w", e.Act, e.Activation, err)
	}
	found, _, err := s.effect(ctx, e, "FOR UPDATE")
	return found, err
}

// Effect reads the row of an act outside; false when there is none, so that nothing was
// ever sent.
func (s *Store) Effect(ctx context.Context, e mobile.Effect) (mobile.Effect, bool, error) {
	return s.effect(ctx, e, "")
}

func (s *Store) effect(ctx context.Context, e mobile.Effect, lock string) (mobile.Effect, bool, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+effectColumns+`
		FROM effects
		WHERE tenant_id = @tenant AND activation_id = @activation AND act = @act AND generation = @generation `+lock,
		pgx.StrictNamedArgs{"tenant": e.Tenant, "activation": e.Activation, "act": e.Act, "generation": e.Generation})
	if err != nil {
		return e, false, fmt.Errorf("read effect %s of %s: %w", e.Act, e.Activation, err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, scanEffect)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return e, false, nil
	case err != nil:
		return e, false, fmt.Errorf("read effect %s of %s: %w", e.Act, e.Activation, err)
	}
	return found, true, nil
}

// SendEffect says, before the first byte leaves, that an attempt is under way, and gives its
// fence: only this attempt may write the verdict. An attempt before it that never told its
// outcome leaves doubt. It refuses ErrEffectSettled: what is settled is never sent again.
func (s *Store) SendEffect(ctx context.Context, e mobile.Effect) (mobile.Effect, error) {
	err := s.tx.QueryRow(ctx, `
		UPDATE effects
		SET doubted_at = CASE WHEN fence > 0 AND verdict IN ('', 'unknown') THEN coalesce(sent_at, @now) ELSE doubted_at END,
		    fence = fence + 1, verdict = '', reason = '', code = '', sent_at = @now
		WHERE effect_id = @id AND verdict NOT IN ('yes', 'refused')
		RETURNING fence`, pgx.StrictNamedArgs{"id": e.ID, "now": s.now}).Scan(&e.Fence)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return e, ErrEffectSettled
	case err != nil:
		return e, fmt.Errorf("send effect %s of %s: %w", e.Act, e.Activation, err)
	}
	return e, nil
}

// SettleEffect writes the verdict of the attempt that e.Fence names. It gives false when a
// later attempt has begun: then this one is a zombie and its word counts for nothing. So
// does the word of an attempt about which evidence has spoken meanwhile.
func (s *Store) SettleEffect(ctx context.Context, e mobile.Effect) (bool, error) {
	n, err := s.exec(ctx, `
		UPDATE effects
		SET verdict = @verdict, reference = @reference, reason = @reason, code = @code,
		    settled_at = CASE WHEN @verdict IN ('yes', 'refused') THEN @now::timestamptz END,
		    doubted_at = CASE @verdict WHEN 'unknown' THEN @now::timestamptz WHEN 'not_now' THEN doubted_at END
		WHERE effect_id = @id AND fence = @fence AND verdict NOT IN ('yes', 'refused')`, pgx.StrictNamedArgs{
		"id": e.ID, "fence": e.Fence, "verdict": e.Verdict, "reference": e.Reference, "reason": e.Reason,
		"code": e.Code, "now": s.now,
	})
	if err != nil {
		return false, fmt.Errorf("settle effect %s of %s: %w", e.Act, e.Activation, err)
	}
	return n == 1, nil
}
