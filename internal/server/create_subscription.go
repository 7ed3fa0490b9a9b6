package server

import (
	"context"
	"errors"
	"strconv"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// CreateSubscription records what billing sold. Any plan's name is taken, since plans are
// billing's; whether it is mobile is judged by the launch.
func (r *rpcs) CreateSubscription(ctx context.Context, request *dialtonev1.CreateSubscriptionRequest) (*dialtonev1.CreateSubscriptionResponse, error) {
	caller := access.From(ctx)
	sub, m, err := readSubscription(caller, request)
	if err != nil {
		return nil, err
	}
	if request.GetValidateOnly() {
		return r.trySubscription(ctx, sub)
	}
	err = r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) error {
		id, repeated, err := r.accept(ctx, s, m)
		if err != nil {
			return err
		}
		if !repeated {
			if err := s.InsertSubscription(ctx, sub); err != nil {
				return withSubscription(err, sub.ID)
			}
		}
		sub, err = s.Subscription(ctx, caller.Tenant, mobile.SubscriptionID(id))
		return err
	})
	if err != nil {
		return nil, err
	}
	r.nudge()
	return &dialtonev1.CreateSubscriptionResponse{Subscription: r.show.subscription(sub, caller.Principal)}, nil
}

func readSubscription(caller access.Caller, request *dialtonev1.CreateSubscriptionRequest) (mobile.Subscription, mutation, error) {
	var f form
	sub := mobile.Subscription{
		Tenant:    caller.Tenant,
		ID:        f.optionalSubscription("subscription_id", request.GetSubscriptionId()),
		AccountID: f.id("account_id", request.GetAccountId()),
		Plan:      f.id("plan", request.GetPlan()),
		Status:    mobile.SubscriptionActive,
	}
	name, email := "customer_name", "customer_email"
	sub.CustomerName = f.required(name, request.GetCustomerName(), mobile.ParseName)
	sub.CustomerEmail = f.required(email, request.GetCustomerEmail(), mobile.ParseEmail)
	if request.GetPendingUntilActivated() {
		sub.Status = mobile.SubscriptionPending
	}
	m := mutation{
		method: "CreateSubscription", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		fields: []string{
			string(sub.ID), sub.AccountID, sub.CustomerName, sub.CustomerEmail, sub.Plan,
			strconv.FormatBool(request.GetPendingUntilActivated()),
		},
	}
	if sub.ID == "" {
		sub.ID = mobile.SubscriptionID(uuid.NewString())
	}
	m.resource = string(sub.ID)
	return sub, m, f.err()
}

// trySubscription makes the checks and keeps nothing.
func (r *rpcs) trySubscription(ctx context.Context, sub mobile.Subscription) (*dialtonev1.CreateSubscriptionResponse, error) {
	err := r.db.InTenant(ctx, sub.Tenant, func(s *store.Store) error {
		_, err := s.Subscription(ctx, sub.Tenant, sub.ID)
		switch {
		case errors.Is(err, store.ErrSubscriptionNotFound):
		case err != nil:
			return err
		default:
			return withSubscription(store.ErrSubscriptionExists, sub.ID)
		}
		plan, _, err := s.Plan(ctx, sub.Tenant, sub.Plan)
		sub.PlanKind = plan.Kind
		return err
	})
	if err != nil {
		return nil, err
	}
	shown := r.show.subscription(sub, access.From(ctx).Principal)
	shown.SubscriptionId = ""
	return &dialtonev1.CreateSubscriptionResponse{Subscription: shown}, nil
}
