package server

import (
	"context"
	"errors"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// CancelSubscription gives up a pending subscription and, in the same transaction, files the
// cancel of its open activation. When the line is live already, nothing is given up: an
// operator is asked, and the call is refused. One that is cancelled already answers as it
// is, whichever request did it.
func (r *rpcs) CancelSubscription(ctx context.Context, request *dialtonev1.CancelSubscriptionRequest) (*dialtonev1.CancelSubscriptionResponse, error) {
	caller := access.From(ctx)
	var f form
	id := f.subscription("subscription_id", request.GetSubscriptionId())
	m := mutation{
		method: "CancelSubscription", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		reason: f.reason(request.GetReason()), resource: string(id),
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	m.fields = []string{string(id), m.reason}

	var response *dialtonev1.CancelSubscriptionResponse
	err := r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) error {
		_, repeated, err := r.accept(ctx, s, m)
		if err != nil {
			return err
		}
		if !repeated {
			if err := giveUp(ctx, s, caller.Tenant, id, m); err != nil {
				return withSubscription(err, id)
			}
		}
		response, err = r.readCancelled(ctx, s, id, m.requestID)
		return err
	})
	if errors.Is(err, store.ErrTooLateToCancel) {
		if err := r.askOperator(ctx, fault.Of(err)); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	r.nudge()
	return response, nil
}

// giveUp decides on the locked subscription, so that a launch and an activation wait.
func giveUp(ctx context.Context, s *store.Store, tenant mobile.TenantID, id mobile.SubscriptionID, m mutation) error {
	sub, err := s.LockSubscription(ctx, tenant, id)
	switch {
	case err != nil:
		return err
	case sub.Status == mobile.SubscriptionCancelled:
		return nil
	case sub.Status != mobile.SubscriptionPending:
		return errNotApplicable.Saying("Only a pending subscription can be cancelled here. "+
			"Taking a line down is another workflow.").With("state", string(sub.Status))
	}
	open, found, err := s.OpenActivation(ctx, tenant, id)
	if err != nil {
		return err
	}
	if found {
		err := s.CancelActivation(ctx, store.Cancel{Tenant: tenant, Activation: open, Reason: m.reason, By: doer(ctx, m)})
		if err != nil {
			return withActivation(err, open)
		}
	}
	return s.CancelSubscription(ctx, tenant, id)
}

// askOperator opens an item on the activation that the refusal names: a live line that
// somebody wanted to cancel. It is a transaction of its own, since the refused one is undone.
func (r *rpcs) askOperator(ctx context.Context, refusal *fault.Error) error {
	tenant := access.From(ctx).Tenant
	return r.db.InTenant(ctx, tenant, func(s *store.Store) error {
		return s.OpenItem(ctx, tenant, mobile.Item{
			Activation: mobile.ActivationID(refusal.Meta["activation_id"]), Kind: mobile.ItemNumberAtRisk,
			Detail: "Billing wanted to cancel the subscription after its line had come up.",
		})
	})
}

// readCancelled shows the subscription, and its activation if that is being stopped or was
// by this request.
func (r *rpcs) readCancelled(ctx context.Context, s *store.Store, id mobile.SubscriptionID, requestID string) (*dialtonev1.CancelSubscriptionResponse, error) {
	caller := access.From(ctx)
	sub, err := s.Subscription(ctx, caller.Tenant, id)
	if err != nil {
		return nil, err
	}
	response := &dialtonev1.CancelSubscriptionResponse{Subscription: r.show.subscription(sub, caller.Principal)}
	if sub.Activation == "" {
		return response, nil
	}
	a, err := s.Activation(ctx, caller.Tenant, store.Key{ID: sub.Activation})
	if err != nil {
		return nil, err
	}
	if !a.CancelRequested.IsZero() && (!a.State.Final() || a.Cancelled.RequestID == requestID) {
		response.Workflow = r.show.workflow(a, sub)
	}
	return response, nil
}
