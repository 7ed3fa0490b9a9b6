package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// GetSubscription reads one subscription of the caller's tenant.
func (r *rpcs) GetSubscription(ctx context.Context, request *dialtonev1.GetSubscriptionRequest) (*dialtonev1.GetSubscriptionResponse, error) {
	caller := access.From(ctx)
	var f form
	id := f.subscription("subscription_id", request.GetSubscriptionId())
	if err := f.err(); err != nil {
		return nil, err
	}
	var sub mobile.Subscription
	err := r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) (err error) {
		sub, err = s.Subscription(ctx, caller.Tenant, id)
		return withSubscription(err, id)
	})
	if err != nil {
		return nil, err
	}
	return &dialtonev1.GetSubscriptionResponse{Subscription: r.show.subscription(sub, caller.Principal)}, nil
}

// withSubscription adds to a refusal which subscription it is about.
func withSubscription(err error, id mobile.SubscriptionID) error {
	if f := fault.Of(err); f != nil {
		return f.With("subscription_id", string(id))
	}
	return err
}
