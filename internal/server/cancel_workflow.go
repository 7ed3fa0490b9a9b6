package server

import (
	"context"
	"strconv"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/store"
)

// CancelWorkflow keeps the wish to stop an activation and files it with the relay. It is
// answered once that is committed, whether the engine can be reached or not.
func (r *rpcs) CancelWorkflow(ctx context.Context, request *dialtonev1.CancelWorkflowRequest) (*dialtonev1.CancelWorkflowResponse, error) {
	caller := access.From(ctx)
	var f form
	id := f.activation("activation_id", request.GetActivationId())
	revision := f.revision(request.GetRevision())
	m := mutation{
		method: "CancelWorkflow", requestID: f.requestID(request.GetRequestId()), tenant: caller.Tenant,
		reason: f.reason(request.GetReason()), person: f.actor(caller, request.GetActor()),
		resource: string(id), activation: true,
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	m.fields = []string{string(id), strconv.FormatInt(revision, 10), m.reason, m.person}

	var workflow *dialtonev1.Workflow
	err := r.db.InTenant(ctx, caller.Tenant, func(s *store.Store) error {
		_, repeated, err := r.accept(ctx, s, m)
		if err != nil {
			return err
		}
		if !repeated {
			err := s.CancelActivation(ctx, store.Cancel{
				Tenant: caller.Tenant, Activation: id, Revision: revision, Reason: m.reason, By: doer(ctx, m),
			})
			if err != nil {
				return withActivation(err, id)
			}
		}
		workflow, err = r.readWorkflow(ctx, s, caller.Tenant, store.Key{ID: id})
		return err
	})
	if err != nil {
		return nil, err
	}
	r.nudge()
	return &dialtonev1.CancelWorkflowResponse{Workflow: workflow}, nil
}
