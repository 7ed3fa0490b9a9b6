package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/dialtone/dialtone/internal/crash"
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
	// find looks the act up at the partner by our reference, for SettleReadable; quiet is how
	// long after an attempt nothing of it can still be under way.
	find  func(ctx context.Context, e mobile.Effect) (reference string, found bool, err error)
	quiet time.Duration
	// back tells that it gives back: then it may be done also after a cancel.
	back bool
	// prepare completes the row before it is sent for the first time, in the transaction that
	// says so: what it is about, and how it is settled. May be nil.
	prepare func(ctx context.Context, s *store.Store, e mobile.Effect) (mobile.Effect, error)
	// call does it: one attempt, bounded, under the effect's key, which is the same for every
	// attempt. It gives the partner's reference.
	call func(ctx context.Context, e mobile.Effect) (reference string, err error)
	// keep writes what came of it into the record, in the transaction of the yes; the effect
	// has the reference then. May be nil.
	keep func(ctx context.Context, s *store.Store, e mobile.Effect) error
}

// errFenced says that a later attempt has begun while this one was away: what it learned
// counts for nothing.
var errFenced = fault.New(fault.Unavailable, "FENCED", "A later attempt has taken over from this one.")

// do acts outside, or tells again what came of it, and gives the partner's reference.
func (l ledger) do(ctx context.Context, d deed) (string, error) {
	crash.At("effect.before_row", string(d.effect.Act.Base()), string(d.effect.Activation))
	begun := time.Now()
	effect, next, err := l.begin(ctx, d)
	if err != nil {
		return "", fmt.Errorf("open the ledger for %s: %w", d.effect.Act, err)
	}
	switch next {
	case mobile.NextTell:
		return effect.Reference, told(effect)
	case mobile.NextAsk:
		return "", d.unknown(ctx, effect)
	case mobile.NextLook:
		return l.lookUp(ctx, d, effect)
	case mobile.NextSend:
	}
	crash.At("effect.after_row", string(d.effect.Act.Base()), string(d.effect.Activation))
	reference, callErr := l.send(ctx, d, effect, begun)
	crash.At("effect.after_call", string(d.effect.Act.Base()), string(d.effect.Activation))
	if err := l.settle(ctx, d, effect, reference, callErr); err != nil {
		return l.fenced(ctx, effect, err)
	}
	crash.At("effect.after_verdict", string(d.effect.Act.Base()), string(d.effect.Activation))
	if mobile.VerdictOf(callErr) == mobile.VerdictUnknown && !effect.Settle.Repeatable() {
		return "", d.unknown(ctx, effect)
	}
	return reference, callErr
}

// send makes the call, unless it comes too late after its row. A process that was stopped in
// between would otherwise send what everybody else counts as lost: whoever gives back what may
// have happened waits for no more than sendWithin and the call's own timeout.
func (l ledger) send(ctx context.Context, d deed, e mobile.Effect, begun time.Time) (string, error) {
	if time.Since(begun) > sendWithin {
		return "", &mobile.PartnerError{Partner: e.Partner, Verdict: mobile.VerdictNotNow, Code: "not sent: too late"}
	}
	return d.call(ctx, e)
}

// sendWithin is how long after its row was begun an act may still be sent.
const sendWithin = 5 * time.Second

// fenced is the outcome of an attempt whose word does not count, because evidence or a later
// attempt was first: what they said, if they have said anything.
func (l ledger) fenced(ctx context.Context, e mobile.Effect, why error) (string, error) {
	if !errors.Is(why, errFenced) {
		return "", why
	}
	now, found, err := l.look(ctx, e)
	if err != nil || !found || now.Next() != mobile.NextTell {
		return "", why
	}
	return now.Reference, told(now)
}

// errLookLater says that an act whose answer was lost is looked up once it must have arrived.
var errLookLater = fault.New(fault.Unavailable, "LOOK_LATER",
	"The answer was lost. The partner is asked what became of it once it can no longer be on its way.")

// lookUp asks the partner what became of an act. What it does not know of, once nothing can be
// under way any more, has not happened and is sent again.
func (l ledger) lookUp(ctx context.Context, d deed, e mobile.Effect) (string, error) {
	if wait := left(ctx, e, d.quiet); wait > 0 {
		return "", errLookLater.After(wait)
	}
	reference, found, err := d.find(ctx, e)
	if err != nil {
		return "", err
	}
	e.Verdict, e.Reference = mobile.VerdictYes, reference
	if !found {
		e.Verdict, e.Doubted = mobile.VerdictNotNow, time.Time{}
	}
	if err := l.write(ctx, d, e); err != nil {
		return "", fmt.Errorf("settle %s of %s: %w", e.Act, e.Activation, err)
	}
	if !found {
		return l.do(ctx, d)
	}
	return reference, nil
}

// unknown is what is said of an act that may or may not have happened.
func (d deed) unknown(ctx context.Context, e mobile.Effect) error {
	if e.Settle == mobile.SettleReadable {
		return errLookLater.After(max(left(ctx, e, d.quiet), time.Second))
	}
	return ErrOutcomeUnknown
}

// left is what is left of a time that began when the effect was last sent.
func left(ctx context.Context, e mobile.Effect, d time.Duration) time.Duration {
	return e.Sent.Add(d).Sub(activity.GetInfo(ctx).StartedTime)
}

// begin commits that an attempt is under way, unless there is nothing to send.
func (l ledger) begin(ctx context.Context, d deed) (effect mobile.Effect, next mobile.Next, err error) {
	err = l.db.InTenant(ctx, d.effect.Tenant, func(s *store.Store) error {
		if effect, err = s.LockEffect(ctx, d.effect); err != nil {
			return err
		}
		next = effect.Next()
		if next != mobile.NextSend {
			return nil
		}
		if !d.back {
			if err := s.MayAct(ctx, effect); err != nil {
				return err
			}
		}
		if effect.Subject == "" && d.prepare != nil {
			if effect, err = d.prepare(ctx, s, effect); err != nil {
				return err
			}
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
	var ours bool
	err := l.db.InTenant(ctx, e.Tenant, func(s *store.Store) (err error) {
		ours, err = s.SettleEffect(ctx, e)
		switch {
		case err != nil:
			return err
		case !ours:
			return late(ctx, s, e)
		case e.Verdict == mobile.VerdictYes && d.keep != nil:
			if err := d.keep(ctx, s, e); err != nil {
				return err
			}
		}
		// An attempt that was given up for lost may come back with the answer that an operator
		// is being asked for.
		return s.WakeAsker(ctx, e)
	})
	if err == nil && !ours {
		return errFenced
	}
	return err
}

// late takes from an attempt whose word does not count what is worth knowing all the same: the
// name of a profile that an operator has written off.
func late(ctx context.Context, s *store.Store, e mobile.Effect) error {
	if e.Act != mobile.ActOrderProfile || e.Verdict != mobile.VerdictYes {
		return nil
	}
	return s.NameLeaked(ctx, e.Tenant, e.Key(), mobile.ICCID(e.Reference))
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
