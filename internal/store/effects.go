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

const effectColumns = `effect_id, tenant_id, activation_id, coalesce(follow_up_id::text, ''), act, generation, partner, settle,
	verdict, fence, coalesce(subject_id::text, ''), reference, reason, code, sent_at, settled_at, doubted_at,
	settled_by <> ''`

func scanEffect(row pgx.CollectableRow) (e mobile.Effect, err error) {
	var sent, settled, doubted *time.Time
	err = row.Scan(&e.ID, &e.Tenant, &e.Activation, &e.FollowUp, &e.Act, &e.Generation, &e.Partner, &e.Settle,
		&e.Verdict, &e.Fence, &e.Subject, &e.Reference, &e.Reason, &e.Code, &sent, &settled, &doubted, &e.Witnessed)
	e.Sent, e.Settled, e.Doubted = value(sent), value(settled), value(doubted)
	return e, err
}

// LockEffect gives the row of an act outside in its latest generation, made when there is
// none yet, and holds it until the transaction ends. The row, once made, says how it is
// settled and what it is about.
func (s *Store) LockEffect(ctx context.Context, e mobile.Effect) (mobile.Effect, error) {
	for {
		found, ok, err := s.effect(ctx, e, "FOR UPDATE")
		if err != nil || ok {
			return found, err
		}
		if err := s.insertEffect(ctx, e, noGeneration); err != nil {
			return e, err
		}
	}
}

// noGeneration is the generation before the first.
const noGeneration = -1

// insertEffect makes the next generation of an act. Its number is counted over all whose act it
// is, because it is part of the key that partners see. It makes none when another transaction
// has made one since the caller read last, which of its own the caller says.
func (s *Store) insertEffect(ctx context.Context, e mobile.Effect, last int) error {
	_, err := s.exec(ctx, `
		INSERT INTO effects (effect_id, tenant_id, activation_id, follow_up_id, act, generation, partner, settle, subject_id, created_at)
		SELECT @id, @tenant, @activation, @follow_up, @act, coalesce(max(generation) + 1, 0), @partner, @settle, @subject, @now
		FROM effects
		WHERE tenant_id = @tenant AND activation_id = @activation AND act = @act
		HAVING coalesce(max(generation) FILTER (WHERE follow_up_id IS NOT DISTINCT FROM @follow_up::uuid), @none) = @last
		ON CONFLICT ON CONSTRAINT effects_key DO NOTHING`, pgx.StrictNamedArgs{
		"id": uuid.Must(uuid.NewV7()), "tenant": e.Tenant, "activation": e.Activation, "follow_up": emptyNull(string(e.FollowUp)),
		"act": e.Act, "partner": e.Partner, "settle": e.Settle, "subject": emptyNull(e.Subject), "now": s.now,
		"none": noGeneration, "last": last,
	})
	if err != nil {
		return fmt.Errorf("insert effect %s of %s: %w", e.Act, e.Activation, err)
	}
	return nil
}

// RepeatEffect makes the next generation of an act, deliberately: an operator said that what
// came of the one before does not count. It refuses ErrEffectSettled for an act that
// succeeded.
func (s *Store) RepeatEffect(ctx context.Context, e mobile.Effect) error {
	if e.Verdict == mobile.VerdictYes {
		return ErrEffectSettled
	}
	e.Subject = ""
	for {
		if err := s.insertEffect(ctx, e, e.Generation); err != nil {
			return err
		}
		// Another owner may have taken the number at the same moment.
		latest, _, err := s.effect(ctx, e, "FOR UPDATE")
		if err != nil || latest.Generation > e.Generation {
			return err
		}
	}
}

// Effect reads the row of an act outside in its latest generation; false when there is none,
// so that nothing was ever sent.
func (s *Store) Effect(ctx context.Context, e mobile.Effect) (mobile.Effect, bool, error) {
	return s.effect(ctx, e, "")
}

func (s *Store) effect(ctx context.Context, e mobile.Effect, lock string) (mobile.Effect, bool, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+effectColumns+`
		FROM effects
		WHERE tenant_id = @tenant AND activation_id = @activation AND act = @act
		  AND follow_up_id IS NOT DISTINCT FROM @follow_up::uuid
		ORDER BY generation DESC
		LIMIT 1 `+lock, pgx.StrictNamedArgs{
		"tenant": e.Tenant, "activation": e.Activation, "act": e.Act, "follow_up": emptyNull(string(e.FollowUp)),
	})
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

// effectsOf reads the latest effects of the acts that an item can be about, newest first.
func (s *Store) effectsOf(ctx context.Context, item mobile.Item) ([]mobile.Effect, error) {
	acts := item.Acts()
	if len(acts) == 0 {
		return nil, nil
	}
	rows, err := s.tx.Query(ctx, `
		SELECT *
		FROM (SELECT DISTINCT ON (split_part(act, ':', 1)) `+effectColumns+`
		      FROM effects
		      WHERE activation_id = @activation AND follow_up_id IS NOT DISTINCT FROM @follow_up::uuid
		        AND split_part(act, ':', 1) = ANY (@acts)
		      ORDER BY split_part(act, ':', 1), created_at DESC, generation DESC) latest
		ORDER BY sent_at DESC NULLS LAST`, pgx.StrictNamedArgs{
		"activation": item.Activation, "follow_up": emptyNull(string(item.FollowUp)), "acts": texts(acts),
	})
	if err != nil {
		return nil, fmt.Errorf("read the effects of %s: %w", item.Activation, err)
	}
	effects, err := pgx.CollectRows(rows, scanEffect)
	if err != nil {
		return nil, fmt.Errorf("read the effects of %s: %w", item.Activation, err)
	}
	return effects, nil
}

// SendEffect says, before the first byte leaves, that an attempt is under way, how its outcome
// is settled and what it is about, and gives its fence: only this attempt may write the
// verdict. An attempt before it that never told its outcome leaves doubt. It refuses ErrEffectSettled: what is settled is never sent again.
func (s *Store) SendEffect(ctx context.Context, e mobile.Effect) (mobile.Effect, error) {
	var doubted *time.Time
	err := s.tx.QueryRow(ctx, `
		UPDATE effects
		SET doubted_at = CASE WHEN fence > 0 AND verdict IN ('', 'unknown') THEN coalesce(sent_at, @now) ELSE doubted_at END,
		    fence = fence + 1, verdict = '', reason = '', code = '', sent_at = @now, settle = @settle,
		    subject_id = coalesce(subject_id, @subject::uuid)
		WHERE effect_id = @id AND verdict NOT IN ('yes', 'refused')
		RETURNING fence, sent_at, doubted_at`, pgx.StrictNamedArgs{
		"id": e.ID, "settle": e.Settle, "subject": emptyNull(e.Subject), "now": s.now,
	}).Scan(&e.Fence, &e.Sent, &doubted)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return e, ErrEffectSettled
	case err != nil:
		return e, fmt.Errorf("send effect %s of %s: %w", e.Act, e.Activation, err)
	}
	e.Doubted = value(doubted)
	return e, nil
}

// SettleEffect writes the verdict of the attempt that e.Fence names. It gives false when a
// later attempt has begun: then this one is a zombie and its word counts for nothing. So
// does the word of an attempt about which evidence or an operator has spoken meanwhile, and
// of one that was followed by another generation.
func (s *Store) SettleEffect(ctx context.Context, e mobile.Effect) (bool, error) {
	n, err := s.exec(ctx, `
		UPDATE effects e
		SET verdict = @verdict, reference = @reference, reason = @reason, code = @code,
		    settled_at = CASE WHEN @verdict IN ('yes', 'refused') THEN @now::timestamptz END,
		    doubted_at = CASE @verdict WHEN 'unknown' THEN @now::timestamptz WHEN 'not_now' THEN @doubted END
		WHERE effect_id = @id AND fence = @fence AND verdict NOT IN ('yes', 'refused')
		  AND NOT EXISTS (SELECT FROM effects later WHERE later.activation_id = e.activation_id AND later.act = e.act
		                  AND later.follow_up_id IS NOT DISTINCT FROM e.follow_up_id AND later.generation > e.generation)`,
		pgx.StrictNamedArgs{
			"id": e.ID, "fence": e.Fence, "verdict": e.Verdict, "reference": e.Reference, "reason": e.Reason,
			"code": e.Code, "doubted": zeroNull(e.Doubted), "now": s.now,
		})
	if err != nil {
		return false, fmt.Errorf("settle effect %s of %s: %w", e.Act, e.Activation, err)
	}
	return n == 1, nil
}

// Witness is who told the verdict of an effect other than the call itself.
type Witness string

// The witnesses.
const (
	// WitnessEvidence is an event of the partner.
	WitnessEvidence Witness = "evidence"
	// WitnessOperator is a person who found out.
	WitnessOperator Witness = "operator"
)

// WitnessEffect settles an effect by another word than the call's: yes, with the partner's
// reference, or refused, when it is written off. What is settled stays. It gives false when
// it was settled before.
func (s *Store) WitnessEffect(ctx context.Context, e mobile.Effect, by Witness) (bool, error) {
	n, err := s.exec(ctx, `
		UPDATE effects
		SET verdict = @verdict, reference = @reference, reason = @reason, settled_at = @now, settled_by = @by, doubted_at = NULL
		WHERE effect_id = @id AND verdict NOT IN ('yes', 'refused')`, pgx.StrictNamedArgs{
		"id": e.ID, "verdict": e.Verdict, "reference": e.Reference, "reason": e.Reason, "by": by, "now": s.now,
	})
	if err != nil {
		return false, fmt.Errorf("settle effect %s of %s: %w", e.Act, e.Activation, err)
	}
	return n == 1, nil
}

// EffectAbout finds the effect that is about a notice or a profile; false when nothing was
// ever sent. InSystem only.
func (s *Store) EffectAbout(ctx context.Context, act mobile.Act, subject string) (mobile.Effect, bool, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+effectColumns+`
		FROM effects
		WHERE subject_id = @subject AND act = @act
		ORDER BY generation DESC
		LIMIT 1
		FOR UPDATE`, pgx.StrictNamedArgs{"subject": subject, "act": act})
	if err != nil {
		return mobile.Effect{}, false, fmt.Errorf("read the effect about %s: %w", subject, err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, scanEffect)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return e, false, nil
	case err != nil:
		return e, false, fmt.Errorf("read the effect about %s: %w", subject, err)
	}
	return e, true, nil
}

// WakeAsker wakes the run that asks an operator what became of an effect, now that it is
// settled.
func (s *Store) WakeAsker(ctx context.Context, e mobile.Effect) error {
	if e.Verdict != mobile.VerdictYes && e.Verdict != mobile.VerdictRefused {
		return nil
	}
	var asks bool
	err := s.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM items WHERE activation_id = @activation AND follow_up_id IS NOT DISTINCT FROM @follow_up::uuid
		               AND kind = 'OUTCOME_UNKNOWN' AND closed_at IS NULL)`, pgx.StrictNamedArgs{
		"activation": e.Activation, "follow_up": emptyNull(string(e.FollowUp)),
	}).Scan(&asks)
	switch {
	case err != nil:
		return fmt.Errorf("look who asks about %s of %s: %w", e.Act, e.Activation, err)
	case !asks:
		return nil
	}
	return s.fileFor(ctx, e.Tenant, e.Activation, e.FollowUp, outboxIntake)
}

// AboutEffect says what an effect is about, before it is sent.
func (s *Store) AboutEffect(ctx context.Context, e mobile.Effect, subject string) error {
	if _, err := s.exec(ctx, `UPDATE effects SET subject_id = @subject WHERE effect_id = @id`,
		pgx.StrictNamedArgs{"id": e.ID, "subject": subject}); err != nil {
		return fmt.Errorf("say what effect %s of %s is about: %w", e.Act, e.Activation, err)
	}
	return nil
}

// MayAct tells whether an act that goes forward may still be sent. An attempt that was held up
// while its activation was cancelled or ended must not: nobody would give back what it takes.
// It refuses ErrCancelCameFirst, ErrActivationEnded and ErrFollowUpEnded.
func (s *Store) MayAct(ctx context.Context, e mobile.Effect) error {
	if e.FollowUp != "" {
		f, err := s.FollowUp(ctx, e.Tenant, e.FollowUp)
		if err == nil && f.State != mobile.FollowUpOpen {
			return ErrFollowUpEnded
		}
		return err
	}
	a, err := s.lockActivation(ctx, e.Tenant, e.Activation)
	switch {
	case err != nil:
		return err
	case a.State.Final():
		return ErrActivationEnded
	case !a.CancelRequested.IsZero() && a.Live.IsZero():
		return ErrCancelCameFirst
	}
	return nil
}

// DisownEffect makes an act whose outcome a person had told wrongly unsettled again, as one that
// is written off: another generation is what counts from here on.
func (s *Store) DisownEffect(ctx context.Context, e mobile.Effect) error {
	if _, err := s.exec(ctx, `
		UPDATE effects SET verdict = 'refused', reason = 'WRITTEN_OFF', settled_at = @now
		WHERE effect_id = @id AND settled_by = 'operator'`, pgx.StrictNamedArgs{"id": e.ID, "now": s.now}); err != nil {
		return fmt.Errorf("disown effect %s of %s: %w", e.Act, e.Activation, err)
	}
	e.Verdict = mobile.VerdictRefused
	return s.RepeatEffect(ctx, e)
}
