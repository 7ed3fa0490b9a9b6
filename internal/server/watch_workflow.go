package server

import (
	"context"
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// WatchWorkflow sends the activation at once and again after each change, until it has
// ended. Changes that come while one is being sent are sent as one.
func (r *rpcs) WatchWorkflow(request *dialtonev1.WatchWorkflowRequest, stream dialtonev1.WorkflowService_WatchWorkflowServer) error {
	ctx := stream.Context()
	tenant := access.From(ctx).Tenant
	id, err := r.findWatched(ctx, tenant, request)
	if err != nil {
		return err
	}
	// First subscribe, then read: what changes in between is in the channel.
	wakes, unsubscribe := r.watch.Subscribe(store.ActivationTopic(id))
	defer unsubscribe()
	w := watcher{rpcs: r, wakes: wakes, ticker: time.NewTicker(pollInterval)}
	defer w.ticker.Stop()
	var sent version
	for {
		workflow, err := r.readChanged(ctx, tenant, id, &sent)
		if err != nil {
			return err
		}
		if workflow != nil {
			if err := stream.Send(&dialtonev1.WatchWorkflowResponse{Workflow: workflow}); err != nil {
				return err
			}
			if workflow.GetEndTime() != nil {
				return nil
			}
		}
		if err := w.pause(ctx); err != nil {
			return err
		}
	}
}

// findWatched finds which activation is to be watched: of a subscription, the one that is
// its newest now.
func (r *rpcs) findWatched(ctx context.Context, tenant mobile.TenantID, request *dialtonev1.WatchWorkflowRequest) (mobile.ActivationID, error) {
	var f form
	var key store.Key
	switch lookup := request.GetLookup().(type) {
	case *dialtonev1.WatchWorkflowRequest_ActivationId:
		key.ID = f.activation("activation_id", lookup.ActivationId)
	case *dialtonev1.WatchWorkflowRequest_WorkflowId:
		key.WorkflowID = f.workflowID(lookup.WorkflowId)
	case *dialtonev1.WatchWorkflowRequest_SubscriptionId:
		key.Subscription = f.subscription("subscription_id", lookup.SubscriptionId)
	default:
		f.refuseLookup()
	}
	if err := f.err(); err != nil {
		return "", err
	}
	var id mobile.ActivationID
	err := r.db.InTenant(ctx, tenant, func(s *store.Store) error {
		a, err := s.Activation(ctx, tenant, key)
		id = a.ID
		return err
	})
	return id, err
}

// version is what tells one reading of an activation from the next.
type version struct {
	revision int64
	updated  time.Time
}

// readChanged reads the activation if it is another than the one sent last, and nothing
// otherwise.
func (r *rpcs) readChanged(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, sent *version) (*dialtonev1.Workflow, error) {
	var workflow *dialtonev1.Workflow
	err := r.db.InTenant(ctx, tenant, func(s *store.Store) error {
		workflow = nil
		revision, updated, err := s.Version(ctx, tenant, id)
		if err != nil || sent.revision == revision && sent.updated.Equal(updated) {
			return err
		}
		workflow, err = r.readWorkflow(ctx, s, tenant, store.Key{ID: id})
		return err
	})
	if err != nil || workflow == nil {
		return nil, err
	}
	*sent = version{workflow.GetRevision(), workflow.GetUpdateTime().AsTime()}
	return workflow, nil
}
