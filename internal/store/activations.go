package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Refusals about activations.
var (
	ErrActivationNotFound = fault.New(fault.NotFound, "WORKFLOW_NOT_FOUND",
		"There is no such workflow. Check the id; a subscription that was never launched has none.")
	ErrActivationInProgress = fault.New(fault.Exists, "ACTIVATION_IN_PROGRESS",
		"The subscription has an open activation already: its activation_id is in this error. Adopt that one, or cancel it first.")
	ErrActivationEnded = fault.New(fault.Conflict, "WORKFLOW_ENDED",
		"The workflow has ended; nothing more can be asked of it. Launch a new one if the subscription is still pending.")
	ErrTooLateToCancel = fault.New(fault.Conflict, "TOO_LATE_TO_CANCEL",
		"The line is live, or its number has moved, so its activation can no longer be cancelled. Take the line down with the carrier's own means.")
)

// ErrStaleRevision refuses what was decided on an older revision.
var ErrStaleRevision = fault.New(fault.Conflict, "STALE_REVISION",
	"The workflow has changed since this was decided. Read it again and decide again.")

// InsertActivation makes an activation with its planned steps, files its start with the
// relay and tells the feed. It refuses ErrActivationInProgress, with the activation_id in
// the way, when the subscription has an open one: two launches at the same moment meet at
// the index, and the second to arrive waits for the first to commit.
func (s *Store) InsertActivation(ctx context.Context, a mobile.Activation, policies string) error {
	name, err := s.sealOptional(a.NameOverride, "activation.name", a.Tenant, string(a.ID))
	if err != nil {
		return err
	}
	email, err := s.sealOptional(a.EmailOverride, "activation.email", a.Tenant, string(a.ID))
	if err != nil {
		return err
	}
	n, err := s.exec(ctx, `
		INSERT INTO activations (activation_id, tenant_id, subscription_id, account_id, type, workflow_id, state, since,
		                         next, imei, zip_code, carrier_plan, profile_type, name_override_sealed, email_override_sealed, policies,
		                         launch_principal, launch_actor, launch_request_id, created_at, updated_at)
		VALUES (@id, @tenant, @subscription, @account, @type, @workflow, 'ACCEPTED', @now,
		        @next, @imei, @zip, @carrier_plan, @profile_type, @name, @email, @policies,
		        @principal, @actor, @request, @now, @now)
		ON CONFLICT (tenant_id, subscription_id) WHERE ended_at IS NULL DO NOTHING`, pgx.StrictNamedArgs{
		"id": a.ID, "tenant": a.Tenant, "subscription": a.Subscription, "account": a.AccountID, "type": a.Type,
		"workflow": a.WorkflowID, "next": a.Next, "imei": a.IMEI, "zip": a.ZIP, "carrier_plan": a.CarrierPlan,
		"profile_type": a.ProfileType, "name": name, "email": email,
		"policies": policies, "principal": a.Launched.Principal, "actor": a.Launched.Actor,
		"request": a.Launched.RequestID, "now": s.now,
	})
	switch {
	case err != nil:
		return fmt.Errorf("insert activation %s: %w", a.ID, err)
	case n == 0:
		return s.inProgress(ctx, a)
	}
	if _, err := s.exec(ctx, `
		INSERT INTO activation_steps (tenant_id, activation_id, position, name, state)
		SELECT @tenant, @id, planned.n - 1, planned.name, 'PENDING'
		FROM unnest(@steps::text[]) WITH ORDINALITY AS planned (name, n)`, pgx.StrictNamedArgs{
		"tenant": a.Tenant, "id": a.ID, "steps": a.Type.Plan(),
	}); err != nil {
		return fmt.Errorf("insert the steps of %s: %w", a.ID, err)
	}
	if err := s.file(ctx, a, outboxStart); err != nil {
		return err
	}
	a.State = ""
	return s.tellMove(ctx, a, Move{To: mobile.StateAccepted, At: s.now})
}

func (s *Store) inProgress(ctx context.Context, a mobile.Activation) error {
	open, found, err := s.OpenActivation(ctx, a.Tenant, a.Subscription)
	switch {
	case err != nil:
		return err
	case !found:
		// It ended between the two statements: the caller's next try will succeed.
		return ErrUnavailable
	}
	return ErrActivationInProgress.With("activation_id", string(open))
}

// OpenActivation gives the id of the open activation of a subscription; false when there is
// none.
func (s *Store) OpenActivation(ctx context.Context, tenant mobile.TenantID, sub mobile.SubscriptionID) (mobile.ActivationID, bool, error) {
	var id mobile.ActivationID
	err := s.tx.QueryRow(ctx, `
		SELECT activation_id
		FROM activations
		WHERE tenant_id = @tenant AND subscription_id = @subscription AND ended_at IS NULL`,
		pgx.StrictNamedArgs{"tenant": tenant, "subscription": sub}).Scan(&id)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("find the open activation of %s: %w", sub, err)
	}
	return id, true, nil
}

// Key finds an activation: exactly one field is set.
type Key struct {
	ID mobile.ActivationID
	// WorkflowID is the Temporal Workflow ID.
	WorkflowID string
	// Subscription finds its newest activation.
	Subscription mobile.SubscriptionID
}

const activationColumns = `activation_id, tenant_id, subscription_id, account_id, type, workflow_id, run_id, revision,
	state, since, next, deadline, reason, imei, zip_code, carrier_plan, profile_type, name_override_sealed, email_override_sealed,
	launch_principal, launch_actor, launch_request_id, cancel_requested_at, cancel_reason_sealed, cancel_principal,
	cancel_actor, cancel_request_id, line_reference, phone_number, live_at, created_at, updated_at, ended_at`

func (s *Store) scanActivation(row pgx.CollectableRow) (a mobile.Activation, err error) {
	var name, email, cancelReason []byte
	var deadline, cancelRequested, live, ended *time.Time
	if err := row.Scan(&a.ID, &a.Tenant, &a.Subscription, &a.AccountID, &a.Type, &a.WorkflowID, &a.RunID, &a.Revision,
		&a.State, &a.Since, &a.Next, &deadline, &a.Reason, &a.IMEI, &a.ZIP, &a.CarrierPlan, &a.ProfileType, &name, &email,
		&a.Launched.Principal, &a.Launched.Actor, &a.Launched.RequestID, &cancelRequested, &cancelReason,
		&a.Cancelled.Principal, &a.Cancelled.Actor, &a.Cancelled.RequestID, &a.LineReference, &a.PhoneNumber, &live, &a.Created, &a.Updated, &ended); err != nil {
		return a, err
	}
	a.Deadline, a.CancelRequested, a.Live, a.Ended = value(deadline), value(cancelRequested), value(live), value(ended)
	if a.NameOverride, err = s.unseal(name, "activation.name", a.Tenant, string(a.ID)); err != nil {
		return a, err
	}
	if a.EmailOverride, err = s.unseal(email, "activation.email", a.Tenant, string(a.ID)); err != nil {
		return a, err
	}
	a.CancelReason, err = s.unseal(cancelReason, "activation.cancel", a.Tenant, string(a.ID))
	return a, err
}

// Activation reads an activation whole: steps, profile, notices and open items. It refuses
// ErrActivationNotFound.
func (s *Store) Activation(ctx context.Context, tenant mobile.TenantID, key Key) (mobile.Activation, error) {
	a, err := s.activation(ctx, tenant, key, "")
	if err != nil {
		return a, err
	}
	all := []mobile.Activation{a}
	if err := s.attach(ctx, all); err != nil {
		return a, err
	}
	return all[0], nil
}

// LockedActivation reads an activation alone and holds it until the transaction ends, so that
// what is decided on it stands. It refuses ErrActivationNotFound.
func (s *Store) LockedActivation(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID) (mobile.Activation, error) {
	return s.lockActivation(ctx, tenant, id)
}

// lockActivation reads an activation alone and holds it until the transaction ends.
func (s *Store) lockActivation(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID) (mobile.Activation, error) {
	return s.activation(ctx, tenant, Key{ID: id}, "FOR NO KEY UPDATE")
}

func (s *Store) activation(ctx context.Context, tenant mobile.TenantID, key Key, lock string) (mobile.Activation, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+activationColumns+`
		FROM activations
		WHERE tenant_id = @tenant
		  AND (@id::uuid IS NULL OR activation_id = @id)
		  AND (@workflow = '' OR workflow_id = @workflow)
		  AND (@subscription = '' OR subscription_id = @subscription)
		ORDER BY created_at DESC, activation_id DESC
		LIMIT 1 `+lock, pgx.StrictNamedArgs{
		"tenant": tenant, "id": emptyNull(string(key.ID)), "workflow": key.WorkflowID, "subscription": key.Subscription,
	})
	if err != nil {
		return mobile.Activation{}, fmt.Errorf("read activation %s: %w", key.ID, err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, s.scanActivation)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return mobile.Activation{}, ErrActivationNotFound
	case err != nil:
		return mobile.Activation{}, fmt.Errorf("read activation %s: %w", key.ID, err)
	}
	return a, nil
}

// ActivationFilter narrows a list of activations; empty fields do not.
type ActivationFilter struct {
	States []mobile.State
	Type   mobile.Type
	// Step keeps those that are at this step now.
	Step mobile.StepName
	// Reason keeps those that have it now, or whose present step or newest port has.
	Reason string
	// InstallStates keeps those whose present profile is in one of them.
	InstallStates []mobile.InstallState
	// Donor and PortStates keep those whose newest port is from it, and is in one of them.
	Donor        mobile.DonorCode
	PortStates   []mobile.PortState
	AccountID    string
	Subscription mobile.SubscriptionID
	// From and Before keep those that were made at or after one moment and before another.
	From, Before time.Time
	// LongerThan keeps those that have been in their state for longer.
	LongerThan time.Duration
	// Open keeps those that have not ended.
	Open bool
	// Stuck keeps open ones that do not move: an item is open, a deadline is over, or no
	// run has taken them up for engineDelay.
	Stuck bool
	// NeedsOperator keeps those with an open item.
	NeedsOperator bool
	// Severity keeps those whose worst open item has it.
	Severity mobile.Severity
}

// engineDelay is how long an accepted activation may wait for its run before it counts as
// stuck.
const engineDelay = time.Minute

// ListActivations gives up to limit activations of a tenant, newest first, whole.
func (s *Store) ListActivations(ctx context.Context, tenant mobile.TenantID, f ActivationFilter, after Cursor, limit int) ([]mobile.Activation, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+activationColumns+`
		FROM activations a
		WHERE tenant_id = @tenant
		  AND (cardinality(@states::text[]) = 0 OR state = ANY (@states))
		  AND (@type = '' OR type = @type)
		  AND (@step = '' OR EXISTS (SELECT FROM activation_steps t WHERE t.activation_id = a.activation_id
		       AND t.name = @step AND t.state IN ('RUNNING', 'RETRYING', 'WAITING')))
		  AND (@reason = '' OR reason = @reason OR EXISTS (SELECT FROM activation_steps t WHERE t.activation_id = a.activation_id
		       AND t.reason = @reason AND t.state IN ('RUNNING', 'RETRYING', 'WAITING', 'REFUSED'))
		       OR @reason = (SELECT p.reason FROM ports p WHERE p.activation_id = a.activation_id `+portNewest+` LIMIT 1))
		  AND (@donor = '' OR @donor = (SELECT p.donor FROM ports p WHERE p.activation_id = a.activation_id `+portNewest+` LIMIT 1))
		  AND (cardinality(@ports::text[]) = 0 OR (SELECT p.state FROM ports p WHERE p.activation_id = a.activation_id `+portNewest+`
		       LIMIT 1) = ANY (@ports))
		  AND (cardinality(@installs::text[]) = 0 OR (SELECT p.install_state FROM profiles p
		       WHERE p.activation_id = a.activation_id AND p.adopted_at IS NOT NULL
		       ORDER BY p.adopted_at DESC, p.created_at DESC LIMIT 1) = ANY (@installs))
		  AND (@account = '' OR account_id = @account)
		  AND (@subscription = '' OR subscription_id = @subscription)
		  AND (@from::timestamptz IS NULL OR created_at >= @from)
		  AND (@before::timestamptz IS NULL OR created_at < @before)
		  AND (@since::timestamptz IS NULL OR since < @since)
		  AND (NOT @open OR ended_at IS NULL)
		  AND (NOT @stuck OR ended_at IS NULL AND (deadline < @now OR run_id = '' AND created_at < @taken_up
		       OR EXISTS (SELECT FROM items i WHERE i.activation_id = a.activation_id AND i.closed_at IS NULL)))
		  AND (NOT @needs_operator OR EXISTS (SELECT FROM items i WHERE i.activation_id = a.activation_id AND i.closed_at IS NULL))
		  AND (@severity = '' OR @severity = (SELECT i.severity FROM items i WHERE i.activation_id = a.activation_id AND i.closed_at IS NULL
		       ORDER BY array_position(ARRAY['STRANDED', 'AT_RISK', 'ROUTINE'], i.severity) LIMIT 1))
		  AND (@id::uuid IS NULL OR (created_at, activation_id) < (@created, @id))
		ORDER BY created_at DESC, activation_id DESC
		LIMIT @limit`, s.activationArgs(tenant, f, after, limit))
	if err != nil {
		return nil, fmt.Errorf("list activations: %w", err)
	}
	all, err := pgx.CollectRows(rows, s.scanActivation)
	if err != nil {
		return nil, fmt.Errorf("list activations: %w", err)
	}
	return all, s.attach(ctx, all)
}

func (s *Store) activationArgs(tenant mobile.TenantID, f ActivationFilter, after Cursor, limit int) pgx.StrictNamedArgs {
	var since *time.Time
	if f.LongerThan > 0 {
		since = zeroNull(s.now.Add(-f.LongerThan))
	}
	return pgx.StrictNamedArgs{
		"tenant": tenant, "states": texts(f.States), "type": f.Type, "step": f.Step, "reason": f.Reason,
		"installs": texts(f.InstallStates), "donor": f.Donor, "ports": texts(f.PortStates), "account": f.AccountID, "subscription": f.Subscription,
		"from": zeroNull(f.From), "before": zeroNull(f.Before), "since": since, "open": f.Open, "stuck": f.Stuck,
		"now": s.now, "taken_up": s.now.Add(-engineDelay), "needs_operator": f.NeedsOperator, "severity": f.Severity,
		"created": after.Created, "id": emptyNull(after.ID), "limit": limit,
	}
}

// Version tells an activation's revision and last change: what a watcher compares before it
// reads the whole. It refuses ErrActivationNotFound.
func (s *Store) Version(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID) (revision int64, updated time.Time, err error) {
	err = s.tx.QueryRow(ctx, `
		SELECT revision, updated_at
		FROM activations
		WHERE tenant_id = @tenant AND activation_id = @id`, pgx.StrictNamedArgs{"tenant": tenant, "id": id}).
		Scan(&revision, &updated)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return 0, time.Time{}, ErrActivationNotFound
	case err != nil:
		return 0, time.Time{}, fmt.Errorf("read the version of %s: %w", id, err)
	}
	return revision, updated, nil
}

// Cancel is a wish to end an activation.
type Cancel struct {
	Tenant     mobile.TenantID
	Activation mobile.ActivationID
	// Revision is the one that it was decided on; 0 means any.
	Revision int64
	Reason   string
	By       mobile.Doer
}

// CancelActivation files a cancel: a fact, which the relay carries to the run whether it
// has begun or not. A second cancel changes nothing. It refuses ErrTooLateToCancel once the
// line is live and ErrActivationEnded after the end; when the end came by this cancel, a
// repeat is no refusal.
func (s *Store) CancelActivation(ctx context.Context, c Cancel) error {
	a, err := s.lockActivation(ctx, c.Tenant, c.Activation)
	switch {
	case err != nil:
		return err
	case !a.CancelRequested.IsZero():
		return nil
	case c.Revision != 0 && c.Revision != a.Revision:
		return ErrStaleRevision.With("revision", strconv.FormatInt(a.Revision, 10))
	case !a.Live.IsZero():
		return ErrTooLateToCancel.With("state", string(a.State))
	case a.State.Final():
		return ErrActivationEnded.With("state", string(a.State))
	}
	switch moved, err := s.numberMoved(ctx, a); {
	case err != nil:
		return err
	case moved:
		return ErrTooLateToCancel.With("state", string(a.State))
	}
	sealed, err := s.sealOptional(c.Reason, "activation.cancel", c.Tenant, string(a.ID))
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, `
		UPDATE activations
		SET cancel_requested_at = @now, cancel_reason_sealed = @reason, cancel_principal = @principal,
		    cancel_actor = @actor, cancel_request_id = @request
		WHERE activation_id = @id`, pgx.StrictNamedArgs{
		"id": a.ID, "reason": sealed, "principal": c.By.Principal, "actor": c.By.Actor, "request": c.By.RequestID, "now": s.now,
	}); err != nil {
		return fmt.Errorf("file the cancel of %s: %w", a.ID, err)
	}
	if err := s.file(ctx, a, outboxIntake); err != nil {
		return err
	}
	if err := s.emit(ctx, mobile.Event{
		Tenant: a.Tenant, Type: mobile.EventCancelAccepted, Activation: a.ID, Subscription: a.Subscription,
		Data: mobile.EventData{AccountID: a.AccountID, WorkflowType: a.Type, State: a.State, Revision: a.Revision},
	}); err != nil {
		return err
	}
	return s.touch(ctx, a.ID, touchRevision)
}
