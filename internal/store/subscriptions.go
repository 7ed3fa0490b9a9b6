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

// Refusals about subscriptions.
var (
	ErrSubscriptionNotFound = fault.New(fault.NotFound, "SUBSCRIPTION_NOT_FOUND",
		"There is no such subscription. Create it first, or check its id.")
	ErrSubscriptionExists = fault.New(fault.Exists, "SUBSCRIPTION_EXISTS",
		"A subscription with this id exists already. Read it, or choose another id.")
	ErrSubscriptionNotPending = fault.New(fault.Conflict, "SUBSCRIPTION_NOT_PENDING",
		"The subscription is not pending. Only a pending subscription can be activated.")
)

// InsertSubscription makes a subscription and tells the feed. It refuses
// ErrSubscriptionExists.
func (s *Store) InsertSubscription(ctx context.Context, sub mobile.Subscription) error {
	name, err := s.seal(sub.CustomerName, "subscription.name", sub.Tenant, string(sub.ID))
	if err != nil {
		return err
	}
	email, err := s.seal(sub.CustomerEmail, "subscription.email", sub.Tenant, string(sub.ID))
	if err != nil {
		return err
	}
	n, err := s.exec(ctx, `
		INSERT INTO subscriptions (tenant_id, subscription_id, account_id, plan, status, customer_name_sealed,
		                           customer_email_sealed, created_at, updated_at)
		VALUES (@tenant, @id, @account, @plan, @status, @name, @email, @now, @now)
		ON CONFLICT ON CONSTRAINT subscriptions_key DO NOTHING`, pgx.StrictNamedArgs{
		"tenant": sub.Tenant, "id": sub.ID, "account": sub.AccountID, "plan": sub.Plan, "status": sub.Status,
		"name": name, "email": email, "now": s.now,
	})
	switch {
	case err != nil:
		return fmt.Errorf("insert subscription %s: %w", sub.ID, err)
	case n == 0:
		return ErrSubscriptionExists
	}
	return s.emit(ctx, mobile.Event{
		Tenant: sub.Tenant, Type: mobile.EventSubscriptionCreated, Subscription: sub.ID,
		Data: mobile.EventData{AccountID: sub.AccountID, Plan: sub.Plan, Status: sub.Status},
	})
}

const subscriptionColumns = `tenant_id, subscription_id, account_id, plan, status, customer_name_sealed,
	customer_email_sealed, phone_number, created_at, updated_at, activated_at, cancelled_at,
	(SELECT a.activation_id FROM activations a
	 WHERE a.tenant_id = s.tenant_id AND a.subscription_id = s.subscription_id
	 ORDER BY a.created_at DESC, a.activation_id DESC LIMIT 1),
	coalesce((SELECT p.kind FROM plans p WHERE p.tenant_id = s.tenant_id AND p.plan = s.plan), '')`

func (s *Store) scanSubscription(row pgx.CollectableRow) (sub mobile.Subscription, err error) {
	var name, email []byte
	var activated, cancelled *time.Time
	var activation *mobile.ActivationID
	if err := row.Scan(&sub.Tenant, &sub.ID, &sub.AccountID, &sub.Plan, &sub.Status, &name, &email,
		&sub.PhoneNumber, &sub.Created, &sub.Updated, &activated, &cancelled, &activation, &sub.PlanKind); err != nil {
		return sub, err
	}
	sub.Activated, sub.Cancelled, sub.Activation = value(activated), value(cancelled), value(activation)
	if sub.CustomerName, err = s.unseal(name, "subscription.name", sub.Tenant, string(sub.ID)); err != nil {
		return sub, err
	}
	sub.CustomerEmail, err = s.unseal(email, "subscription.email", sub.Tenant, string(sub.ID))
	return sub, err
}

// Subscription reads a subscription. It refuses ErrSubscriptionNotFound.
func (s *Store) Subscription(ctx context.Context, tenant mobile.TenantID, id mobile.SubscriptionID) (mobile.Subscription, error) {
	return s.subscription(ctx, tenant, id, "")
}

// LockSubscription reads a subscription and holds it until the transaction ends, so that a
// launch and a cancel of the same subscription take turns.
func (s *Store) LockSubscription(ctx context.Context, tenant mobile.TenantID, id mobile.SubscriptionID) (mobile.Subscription, error) {
	return s.subscription(ctx, tenant, id, "FOR NO KEY UPDATE OF s")
}

func (s *Store) subscription(ctx context.Context, tenant mobile.TenantID, id mobile.SubscriptionID, lock string) (mobile.Subscription, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+subscriptionColumns+`
		FROM subscriptions s
		WHERE tenant_id = @tenant AND subscription_id = @id `+lock, pgx.StrictNamedArgs{"tenant": tenant, "id": id})
	if err != nil {
		return mobile.Subscription{}, fmt.Errorf("read subscription %s: %w", id, err)
	}
	sub, err := pgx.CollectExactlyOneRow(rows, s.scanSubscription)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return mobile.Subscription{}, ErrSubscriptionNotFound
	case err != nil:
		return mobile.Subscription{}, fmt.Errorf("read subscription %s: %w", id, err)
	}
	return sub, nil
}

// Cursor is the place in a list after which a page starts: lists run from the newest to the
// oldest. The zero Cursor starts at the newest.
type Cursor struct {
	Created time.Time
	ID      string
}

// SubscriptionFilter narrows a list of subscriptions; empty fields do not.
type SubscriptionFilter struct {
	Status    mobile.SubscriptionStatus
	AccountID string
	PlanKind  mobile.PlanKind
}

// ListSubscriptions gives up to limit subscriptions of a tenant, newest first.
func (s *Store) ListSubscriptions(ctx context.Context, tenant mobile.TenantID, f SubscriptionFilter, after Cursor, limit int) ([]mobile.Subscription, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+subscriptionColumns+`
		FROM subscriptions s
		WHERE tenant_id = @tenant
		  AND (@status = '' OR status = @status)
		  AND (@account = '' OR account_id = @account)
		  AND (@kind = '' OR EXISTS (SELECT FROM plans p WHERE p.tenant_id = s.tenant_id AND p.plan = s.plan AND p.kind = @kind))
		  AND (@id = '' OR (created_at, subscription_id) < (@created, @id))
		ORDER BY created_at DESC, subscription_id DESC
		LIMIT @limit`, pgx.StrictNamedArgs{
		"tenant": tenant, "status": f.Status, "account": f.AccountID, "kind": f.PlanKind,
		"created": after.Created, "id": after.ID, "limit": limit,
	})
	if err != nil {
		return nil, fmt.Errorf("list subscriptions: %w", err)
	}
	subs, err := pgx.CollectRows(rows, s.scanSubscription)
	if err != nil {
		return nil, fmt.Errorf("list subscriptions: %w", err)
	}
	return subs, nil
}

// Subscriptions reads those of a tenant that have these ids; ids without one are left out.
func (s *Store) Subscriptions(ctx context.Context, tenant mobile.TenantID, ids []mobile.SubscriptionID) (map[mobile.SubscriptionID]mobile.Subscription, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+subscriptionColumns+`
		FROM subscriptions s
		WHERE tenant_id = @tenant AND subscription_id = ANY (@ids::text[])`, pgx.StrictNamedArgs{"tenant": tenant, "ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	list, err := pgx.CollectRows(rows, s.scanSubscription)
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	all := make(map[mobile.SubscriptionID]mobile.Subscription, len(list))
	for _, sub := range list {
		all[sub.ID] = sub
	}
	return all, nil
}

// PlansInUse gives the plans of a tenant that a subscription uses which is not cancelled.
func (s *Store) PlansInUse(ctx context.Context, tenant mobile.TenantID) ([]string, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT DISTINCT plan
		FROM subscriptions
		WHERE tenant_id = @tenant AND status <> 'CANCELLED'`, pgx.StrictNamedArgs{"tenant": tenant})
	if err != nil {
		return nil, fmt.Errorf("find the plans in use of %s: %w", tenant, err)
	}
	plans, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("find the plans in use of %s: %w", tenant, err)
	}
	return plans, nil
}

// ActivateSubscription turns a pending subscription active, with the number and the moment
// at which its line went live, and tells the feed. Twice is once: a subscription that is
// active with this number already is left as it is. It refuses ErrSubscriptionNotPending.
func (s *Store) ActivateSubscription(ctx context.Context, a mobile.Activation) error {
	n, err := s.exec(ctx, `
		UPDATE subscriptions
		SET status = 'ACTIVE', phone_number = @number, activated_at = @live, updated_at = @now
		WHERE tenant_id = @tenant AND subscription_id = @id AND status = 'PENDING'`, pgx.StrictNamedArgs{
		"tenant": a.Tenant, "id": a.Subscription, "number": a.PhoneNumber, "live": a.Live, "now": s.now,
	})
	if err != nil {
		return fmt.Errorf("activate subscription %s: %w", a.Subscription, err)
	}
	if n == 0 {
		sub, err := s.Subscription(ctx, a.Tenant, a.Subscription)
		switch {
		case err != nil:
			return err
		case sub.Status == mobile.SubscriptionActive && sub.PhoneNumber == a.PhoneNumber:
			return nil
		}
		return ErrSubscriptionNotPending
	}
	live := a.Live
	return s.emit(ctx, mobile.Event{
		Tenant: a.Tenant, Type: mobile.EventSubscriptionActivated, Activation: a.ID, Subscription: a.Subscription,
		Data: mobile.EventData{
			AccountID: a.AccountID, Status: mobile.SubscriptionActive, PreviousStatus: mobile.SubscriptionPending,
			PhoneNumber: a.PhoneNumber, LiveTime: &live,
		},
	})
}

// CancelSubscription turns a pending subscription cancelled and tells the feed. It refuses
// ErrSubscriptionNotPending.
func (s *Store) CancelSubscription(ctx context.Context, tenant mobile.TenantID, id mobile.SubscriptionID) error {
	n, err := s.exec(ctx, `
		UPDATE subscriptions
		SET status = 'CANCELLED', cancelled_at = @now, updated_at = @now
		WHERE tenant_id = @tenant AND subscription_id = @id AND status = 'PENDING'`, pgx.StrictNamedArgs{
		"tenant": tenant, "id": id, "now": s.now,
	})
	switch {
	case err != nil:
		return fmt.Errorf("cancel subscription %s: %w", id, err)
	case n == 0:
		return ErrSubscriptionNotPending
	}
	return s.emit(ctx, mobile.Event{
		Tenant: tenant, Type: mobile.EventSubscriptionCancelled, Subscription: id,
		Data: mobile.EventData{Status: mobile.SubscriptionCancelled, PreviousStatus: mobile.SubscriptionPending},
	})
}
