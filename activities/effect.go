package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// ledger is the only way to act outside.
//
// The row of an effect is committed before the call and the verdict after it. Its key is
// tenant, activation, act and generation, never a run or an attempt: a workflow that is
// reset or started again finds what was done. What may be done with a row is decided by the
// row alone (mobile.Effect.Next): a settled one is told again, one that was never sent or
// whose repeat is harmless is sent, and any other is for an operator.
type ledger struct{ db *store.DB }

// deed is one act outside.
type deed struct {
	effect mobile.Effect
	// call does it: one attempt, bounded, with the key that is the same for every attempt.
	// It gives the partner's reference.
	call func(ctx context.Context, key string) (reference string, err error)
	// keep writes what came of it into the record, in the transaction of the yes. May be nil.
	keep func(ctx context.Context, s *store.Store, reference string) error
}

// errFenced says that a later attempt has begun while this one was away: what it learned
// counts for nothing.
var errFenced = fault.New(fault.Unavailable, "FENCED", "A later attempt has taken over from this one.")

// do acts outside, or tells again what came of it, and gives the partner's reference.
func (l ledger) do(ctx context.Context, d deed) (string, error) {
	effect, next, err := l.begin(ctx, d.effect)
	if err != nil {
		return "", fmt.Errorf("open the ledger for %s: %w", d.effect.Act, err)
	}
	switch next {
	case mobile.NextTell:
		return effect.Reference, told(effect)
	case mobile.NextAsk:
		return "", ErrOutcomeUnknown
	case mobile.NextSend:
	}
	reference, callErr := d.call(ctx, effect.Key())
	if err := l.settle(ctx, d, effect, reference, callErr); err != nil {
		return "", err
	}
	if mobile.VerdictOf(callErr) == mobile.VerdictUnknown && !effect.Settle.Repeatable() {
		return "", ErrOutcomeUnknown.Because(callErr)
	}
	return reference, callErr
}

// begin commits that an attempt is under way, unless there is nothing to send.
func (l ledger) begin(ctx context.Context, e mobile.Effect) (effect mobile.Effect, next mobile.Next, err error) {
	err = l.db.InTenant(ctx, e.Tenant, func(s *store.Store) error {
		if effect, err = s.LockEffect(ctx, e); err != nil {
			return err
		}
		next = effect.Next()
		if next != mobile.NextSend {
			return nil
		}
		effect, err = s.SendEffect(ctx, effect)
		return err
	})
	return effect, next, err
}

// settle commits the verdict. It does so also when the activity was called off meanwhile:
// what happened outside does not go away.
func (l ledger) settle(ctx context.Context, d deed, e mobile.Effect, reference string, callErr error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	e.Verdict, e.Reference = mobile.VerdictOf(callErr), reference
	if p, ok := errors.AsType[*mobile.PartnerError](callErr); ok {
		e.Reason, e.Code = reasonOf(callErr), p.Code
	}
	err := insist(ctx, func() error { return l.write(ctx, d, e) })
	if errors.Is(err, store.ErrICCIDTaken) {
		// It happened, and what came of it cannot be ours: a person must look.
		return ErrOutcomeUnknown.Because(err)
	}
	if err != nil {
		return fmt.Errorf("settle %s of %s: %w", e.Act, e.Activation, err)
	}
	return nil
}

// settleTimeout bounds how long a verdict is tried to be written. It is worth more than any
// other write: a yes that is lost is an operator's work, or a profile that nobody knows of.
const settleTimeout = 15 * time.Second

// insist does what until the record answers, or until ctx ends.
func insist(ctx context.Context, what func() error) error {
	for {
		err := what()
		if !errors.Is(err, store.ErrUnavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(settlePause):
		}
	}
}

// settlePause is the wait between two tries to write a verdict.
const settlePause = 250 * time.Millisecond

// write writes the verdict, and with a yes what came of it.
func (l ledger) write(ctx context.Context, d deed, e mobile.Effect) error {
	return l.db.InTenant(ctx, e.Tenant, func(s *store.Store) error {
		ours, err := s.SettleEffect(ctx, e)
		switch {
		case err != nil:
			return err
		case !ours:
			return errFenced
		case e.Verdict == mobile.VerdictYes && d.keep != nil:
			return d.keep(ctx, s, e.Reference)
		}
		return nil
	})
}

// told is the outcome of a settled effect as its call gave it.
func told(e mobile.Effect) error {
	if e.Verdict == mobile.VerdictYes {
		return nil
	}
	return &mobile.PartnerError{
		Partner: e.Partner, Verdict: mobile.VerdictRefused, Reason: mobile.RefusalNamed(e.Reason), Code: e.Code,
	}
}

// look reads the row of an effect; false when nothing was ever sent.
func (l ledger) look(ctx context.Context, e mobile.Effect) (effect mobile.Effect, found bool, err error) {
	err = l.db.InTenant(ctx, e.Tenant, func(s *store.Store) error {
		effect, found, err = s.Effect(ctx, e)
		return err
	})
	return effect, found, err
}
