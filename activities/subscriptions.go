package activities

import (
	"context"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// Subscriptions looks after billing's subscriptions.
type Subscriptions struct{ DB *store.DB }

// CheckSubscription makes sure, when the run begins, that the subscription is still what it
// was when the launch was accepted. It refuses store.ErrSubscriptionNotPending and
// store.ErrCancelCameFirst.
func (a *Subscriptions) CheckSubscription(ctx context.Context, in Ref) error {
	order, err := loadOrder(ctx, a.DB, in)
	switch {
	case err != nil:
		return err
	case !order.activation.CancelRequested.IsZero():
		// A cancel of the subscription is a cancel of its activation, filed with it.
		return store.ErrCancelCameFirst
	case order.subscription.Status != mobile.SubscriptionPending:
		return store.ErrSubscriptionNotPending
	}
	say(ctx, "Pending, plan "+order.subscription.Plan)
	return nil
}

// ActivateSubscription turns the subscription active; its line is live.
func (a *Subscriptions) ActivateSubscription(ctx context.Context, in Ref) error {
	return a.DB.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		activation, err := s.Activation(ctx, in.Tenant, store.Key{ID: in.Activation})
		if err != nil {
			return err
		}
		sub, err := s.Subscription(ctx, in.Tenant, activation.Subscription)
		switch {
		case err != nil:
			return err
		case calledOff(activation, sub):
			say(ctx, "Billing had cancelled it before the number moved: it stays cancelled, and an operator is asked")
			return nil
		}
		say(ctx, "Billing was told")
		return s.ActivateSubscription(ctx, activation)
	})
}

// calledOff tells of a number that moved although its subscription was cancelled: only billing
// can take that back.
func calledOff(a mobile.Activation, sub mobile.Subscription) bool {
	return a.Type == mobile.TypePortIn && !a.CancelRequested.IsZero() && sub.Status == mobile.SubscriptionCancelled
}

// order is what the record says of an activation: what was asked, for whom, of which tenant.
type order struct {
	activation   mobile.Activation
	subscription mobile.Subscription
	tenant       mobile.Tenant
}

// loadOrder reads an order.
func loadOrder(ctx context.Context, db *store.DB, in Ref) (o order, err error) {
	err = db.InTenant(ctx, in.Tenant, func(s *store.Store) error {
		if o.activation, err = s.Activation(ctx, in.Tenant, store.Key{ID: in.Activation}); err != nil {
			return err
		}
		if o.subscription, err = s.Subscription(ctx, in.Tenant, o.activation.Subscription); err != nil {
			return err
		}
		o.tenant, err = s.Tenant(ctx, in.Tenant)
		return err
	})
	return o, err
}

// name is the customer's name as mails and the carrier get it.
func (o order) name() string {
	if o.activation.NameOverride != "" {
		return o.activation.NameOverride
	}
	return o.subscription.CustomerName
}

// email is where the customer's mails go.
func (o order) email() string {
	if o.activation.EmailOverride != "" {
		return o.activation.EmailOverride
	}
	return o.subscription.CustomerEmail
}
