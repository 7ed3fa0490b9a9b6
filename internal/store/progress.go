package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// What activities write about an activation. Each write names the time of the business
// (workflow time), so that what people read and what the run decided agree.

// ErrNotThisRun refuses a run that does not hold the activation: another one does.
var ErrNotThisRun = fault.New(fault.Conflict, "NOT_THIS_RUN", "Another run holds this activation.")

// ErrIllegalMove means that our own code asked for a move that the transition table forbids.
var ErrIllegalMove = fault.New(fault.Internal, "ILLEGAL_MOVE", "The activation cannot go from its state to that one.")

// OpenRun claims an activation for a run and gives it whole. The first run to come holds
// it; a repeat by the same run is the same claim. It refuses ErrNotThisRun, with the activation.
func (s *Store) OpenRun(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, run string) (mobile.Activation, error) {
	a, err := s.lockActivation(ctx, tenant, id)
	switch {
	case err != nil:
		return a, err
	case a.RunID != "" && a.RunID != run && !a.State.Final():
		if a, err = s.Activation(ctx, tenant, Key{ID: id}); err != nil {
			return a, err
		}
		return a, ErrNotThisRun
	case a.RunID == "":
		if _, err := s.exec(ctx, `UPDATE activations SET run_id = @run WHERE activation_id = @id`,
			pgx.StrictNamedArgs{"id": id, "run": run}); err != nil {
			return a, fmt.Errorf("claim activation %s: %w", id, err)
		}
		if err := s.touch(ctx, id, touchTime); err != nil {
			return a, err
		}
	}
	return s.Activation(ctx, tenant, Key{ID: id})
}

// Move is a change of an activation's state.
type Move struct {
	Tenant     mobile.TenantID
	Activation mobile.ActivationID
	To         mobile.State
	Reason     string
	// Next says in words what happens next.
	Next     string
	Deadline time.Time
	At       time.Time
}

// Move changes an activation's state, keeps the change for ever and tells the feed. Twice is
// once. It refuses ErrIllegalMove and ErrActivationEnded.
func (s *Store) Move(ctx context.Context, m Move) error {
	a, err := s.lockActivation(ctx, m.Tenant, m.Activation)
	if err != nil {
		return err
	}
	return s.move(ctx, a, m)
}

// move changes the state of an activation that this transaction has locked.
func (s *Store) move(ctx context.Context, a mobile.Activation, m Move) error {
	same := a.State == m.To
	switch {
	case same && a.Reason == m.Reason && a.Next == m.Next && a.Deadline.Equal(m.Deadline):
		return nil
	case a.State.Final() && same:
		return nil
	case a.State.Final():
		return ErrActivationEnded
	case !same && !mobile.CanMove(a.State, m.To):
		return ErrIllegalMove.With("from", string(a.State)).With("to", string(m.To))
	}
	var ended *time.Time
	if m.To.Final() {
		ended = &m.At
	}
	if _, err := s.exec(ctx, `
		UPDATE activations
		SET state = @to, since = CASE WHEN @same THEN since ELSE @at END, reason = @reason, next = @next,
		    deadline = @deadline, ended_at = @ended
		WHERE activation_id = @id`, pgx.StrictNamedArgs{
		"id": a.ID, "to": m.To, "same": same, "at": m.At, "reason": m.Reason, "next": m.Next,
		"deadline": zeroNull(m.Deadline), "ended": ended,
	}); err != nil {
		return fmt.Errorf("move activation %s to %s: %w", a.ID, m.To, err)
	}
	if err := s.touch(ctx, a.ID, touchRevision); err != nil {
		return err
	}
	if same {
		return nil
	}
	if m.To == mobile.StateUndoing {
		// What was asked on the way is no question any more.
		if err := s.closeItems(ctx, a, itemsOf{kinds: stopping()}); err != nil {
			return err
		}
	}
	return s.tellMove(ctx, a, m)
}

// tellMove keeps a change of state for ever and tells the feed. It is called once the
// change is written.
func (s *Store) tellMove(ctx context.Context, a mobile.Activation, m Move) error {
	revision, _, err := s.Version(ctx, a.Tenant, a.ID)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, `
		INSERT INTO activation_events (tenant_id, activation_id, from_state, to_state, reason, at)
		VALUES (@tenant, @id, @from, @to, @reason, @at)`, pgx.StrictNamedArgs{
		"tenant": a.Tenant, "id": a.ID, "from": a.State, "to": m.To, "reason": m.Reason, "at": m.At,
	}); err != nil {
		return fmt.Errorf("keep the move of %s: %w", a.ID, err)
	}
	return s.emit(ctx, mobile.Event{
		Tenant: a.Tenant, Type: mobile.EventWorkflowStateChanged, Activation: a.ID, Subscription: a.Subscription,
		Data: mobile.EventData{
			AccountID: a.AccountID, WorkflowType: a.Type, Revision: revision,
			State: m.To, PreviousState: a.State, Reason: m.Reason, Deadline: zeroNull(m.Deadline),
		},
	})
}

// touched says what a change means for the revision.
type touched bool

const (
	// touchRevision is for what a decision rests on.
	touchRevision touched = true
	// touchTime is for attempts, notes and delivery, which decide nothing.
	touchTime touched = false
)

// touch marks an activation as changed and wakes those who watch it. It is called once the
// change is written, in the same transaction.
func (s *Store) touch(ctx context.Context, id mobile.ActivationID, t touched) error {
	if _, err := s.exec(ctx, `
		UPDATE activations
		SET revision = revision + CASE WHEN @revise THEN 1 ELSE 0 END, updated_at = @now
		WHERE activation_id = @id`, pgx.StrictNamedArgs{"id": id, "revise": bool(t), "now": s.now}); err != nil {
		return fmt.Errorf("touch activation %s: %w", id, err)
	}
	return s.notify(ctx, ActivationTopic(id))
}

// RecordLine keeps what the carrier calls the line, before it is live.
func (s *Store) RecordLine(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, reference, number string) error {
	n, err := s.exec(ctx, `
		UPDATE activations
		SET line_reference = @reference, phone_number = @number
		WHERE tenant_id = @tenant AND activation_id = @id
		  AND (line_reference, phone_number) IS DISTINCT FROM (@reference, @number)`, pgx.StrictNamedArgs{
		"tenant": tenant, "id": id, "reference": reference, "number": number,
	})
	switch {
	case err != nil:
		return fmt.Errorf("record the line of %s: %w", id, err)
	case n == 0:
		return nil
	}
	return s.touch(ctx, id, touchTime)
}

// ErrCancelCameFirst refuses to call a line live whose activation was cancelled before: it
// is to be taken down.
var ErrCancelCameFirst = fault.New(fault.Conflict, "CANCEL_CAME_FIRST", "The activation was cancelled before its line came up.")

// RecordLive says that a read of the line showed it live. From here on a cancel is too late.
// Twice is once: the first moment stays. It refuses ErrCancelCameFirst: the row's lock
// decides which of the two came first.
func (s *Store) RecordLive(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, at time.Time) error {
	a, err := s.lockActivation(ctx, tenant, id)
	switch {
	case err != nil:
		return err
	case !a.Live.IsZero():
		return nil
	case !a.CancelRequested.IsZero():
		return ErrCancelCameFirst
	}
	if _, err := s.exec(ctx, `UPDATE activations SET live_at = @at WHERE activation_id = @id`,
		pgx.StrictNamedArgs{"id": id, "at": at}); err != nil {
		return fmt.Errorf("record the live line of %s: %w", id, err)
	}
	return s.touch(ctx, id, touchRevision)
}

// End ends an activation: its final state, steps never begun or overtaken by the end are
// skipped, open items are closed, and its subscription is free for another. Twice is once.
// It gives the state that the activation ended in: a refusal that meets an accepted cancel
// ends as CANCELLED, because that is what the caller was promised.
func (s *Store) End(ctx context.Context, m Move) (mobile.State, error) {
	// The activation's row first, as everywhere, so that nobody waits crosswise.
	a, err := s.lockActivation(ctx, m.Tenant, m.Activation)
	switch {
	case err != nil:
		return "", err
	case a.State.Final():
		return a.State, nil
	case m.To == mobile.StateRejected && !a.CancelRequested.IsZero():
		m.To = mobile.StateCancelled
	}
	if _, err := s.exec(ctx, `
		UPDATE activation_steps
		SET state = 'SKIPPED', next_try_at = NULL, ended_at = CASE WHEN started_at IS NOT NULL THEN @at::timestamptz END
		WHERE activation_id = @id AND state IN ('PENDING', 'RUNNING', 'RETRYING', 'WAITING')`,
		pgx.StrictNamedArgs{"id": m.Activation, "at": m.At}); err != nil {
		return "", fmt.Errorf("skip the steps of %s: %w", m.Activation, err)
	}
	if err := s.closeItems(ctx, a, itemsOf{kinds: stopping()}); err != nil {
		return "", err
	}
	if err := s.endPorts(ctx, a, m.To); err != nil {
		return "", err
	}
	return m.To, s.move(ctx, a, m)
}

// stopping are the kinds of item that a run waits at.
func stopping() []mobile.ItemKind {
	return []mobile.ItemKind{
		mobile.ItemStepStuck, mobile.ItemOutcomeUnknown, mobile.ItemStepRefused, mobile.ItemRunLost, mobile.ItemCarrierSilent,
		mobile.ItemTooManyRefusals, mobile.ItemPortRefused,
	}
}

// Answered takes back what an operator was asked about a step, or about the whole activation
// when step is empty: it got through by itself. Twice is once. It puts right also what was
// written crosswise, when the question and the success came at the same moment.
func (s *Store) Answered(ctx context.Context, m Move, step mobile.StepName) error {
	a, err := s.lockActivation(ctx, m.Tenant, m.Activation)
	if err != nil {
		return err
	}
	if err := s.closeItems(ctx, a, itemsOf{step: step, kinds: []mobile.ItemKind{
		mobile.ItemStepStuck, mobile.ItemCarrierSilent, mobile.ItemTooManyRefusals, mobile.ItemPortRefused,
	}}); err != nil {
		return err
	}
	if a.State != mobile.StateWaitingForOperator {
		return nil
	}
	return s.move(ctx, a, m)
}

// ChangeDevice keeps the phone that the activation's line is in now.
func (s *Store) ChangeDevice(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, phone mobile.IMEI) error {
	n, err := s.exec(ctx, `UPDATE activations SET imei = @imei WHERE tenant_id = @tenant AND activation_id = @id AND imei <> @imei`,
		pgx.StrictNamedArgs{"tenant": tenant, "id": id, "imei": phone})
	if err != nil {
		return fmt.Errorf("change the device of %s: %w", id, err)
	}
	if n == 0 {
		return nil
	}
	return s.touch(ctx, id, touchTime)
}
