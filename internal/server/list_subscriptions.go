package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// ListSubscriptions pages through the tenant's subscriptions, newest first.
func (r *rpcs) ListSubscriptions(ctx context.Context, request *dialtonev1.ListSubscriptionsRequest) (*dialtonev1.ListSubscriptionsResponse, error) {
	caller := access.From(ctx)
	var f form
	filter := store.SubscriptionFilter{AccountID: f.optionalID("account_id", request.GetAccountId())}
	filter.Status = chosen[mobile.SubscriptionStatus](&f, "status", dialtonev1.SubscriptionStatus_name, "SUBSCRIPTION_STATUS_", request.GetStatus())
	filter.PlanKind = chosen[mobile.PlanKind](&f, "plan_kind", dialtonev1.PlanKind_name, "PLAN_KIND_", request.GetPlanKind())
	after, size := f.page(r.pages, caller.Tenant, request)
	if err := f.err(); err != nil {
		return nil, err
	}
	var subs []mobile.Subscription
	err := r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) (err error) {
		subs, err = s.ListSubscriptions(ctx, caller.Tenant, filter, after, size+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	response := &dialtonev1.ListSubscriptionsResponse{}
	for _, sub := range subs[:min(size, len(subs))] {
		response.Subscriptions = append(response.Subscriptions, r.show.subscription(sub, caller.Principal))
	}
	if len(subs) > size {
		last := subs[size-1]
		response.NextPageToken = r.pages.next(caller.Tenant, request, store.Cursor{Created: last.Created, ID: string(last.ID)})
	}
	return response, nil
}

// chosen reads a value of a filter; the UNSPECIFIED one does not filter.
func chosen[W ~string, E ~int32](f *form, field string, names map[int32]string, prefix string, value E) W {
	w, ok := word[W](names, prefix, value)
	if !ok {
		f.refuse(field, "FIELD_MALFORMED", "The schema has no such value.")
	}
	return w
}

// anyOf reads the values of a filter that are joined by "or"; UNSPECIFIED among them means
// any, so that nothing is filtered.
func anyOf[W ~string, E ~int32](f *form, field string, names map[int32]string, prefix string, values []E) []W {
	all := make([]W, 0, len(values))
	for _, value := range values {
		w := chosen[W](f, field, names, prefix, value)
		if value == 0 {
			return nil
		}
		all = append(all, w)
	}
	return all
}
